#include "payer/journal_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "apdu/emvbits.h"
#include "base/date.h"
#include "base/file.h"
#include "store/schema.h"

#define STAN_LAST 999999U
#define VOID_MAX  256 /* of a 0400 without card number */

/* Of an order: state is enum kept_state; challenge its JSON; ticket a receipt; secret, sealed, what
 * is sent again, until it is settled and delivered. An order that was refused may be signed again:
 * another row. */
#define ORDERS                                                                                     \
    "CREATE TABLE orders ("                                                                        \
    " id INTEGER PRIMARY KEY,"                                                                     \
    " order_id TEXT NOT NULL,"                                                                     \
    " origin TEXT NOT NULL,"                                                                       \
    " method TEXT NOT NULL,"                                                                       \
    " url TEXT NOT NULL,"                                                                          \
    " digest TEXT,"                                                                                \
    " item TEXT NOT NULL,"                                                                         \
    " authority TEXT NOT NULL,"                                                                    \
    " challenge TEXT NOT NULL,"                                                                    \
    " asks INTEGER NOT NULL,"                                                                      \
    " state INTEGER NOT NULL,"                                                                     \
    " delivered INTEGER NOT NULL,"                                                                 \
    " secret BLOB,"                                                                                \
    " acknowledgement TEXT,"                                                                       \
    " receipt TEXT,"                                                                               \
    " ticket TEXT NOT NULL,"                                                                       \
    " made INTEGER NOT NULL) STRICT;"                                                              \
    "CREATE INDEX orders_order ON orders (order_id);"                                              \
    "CREATE INDEX orders_url ON orders (url);"

/* An account at a purse: under which number the user's key makes its own (payer/purses.h), and the
 * last counter that a statement was signed with. Of an order, what that key signed; what went from
 * an account to a bank account: state is enum emptying_state. */
#define PURSES                                                                                     \
    "ALTER TABLE orders ADD COLUMN statement TEXT;"                                                \
    "CREATE TABLE purse ("                                                                         \
    " acquirer TEXT PRIMARY KEY,"                                                                  \
    " url TEXT NOT NULL,"                                                                          \
    " name TEXT NOT NULL,"                                                                         \
    " account TEXT NOT NULL,"                                                                      \
    " currency INTEGER NOT NULL,"                                                                  \
    " number INTEGER NOT NULL,"                                                                    \
    " counter INTEGER NOT NULL) STRICT;"                                                           \
    "CREATE TABLE emptying ("                                                                      \
    " id INTEGER PRIMARY KEY,"                                                                     \
    " acquirer TEXT NOT NULL,"                                                                     \
    " amount INTEGER NOT NULL,"                                                                    \
    " iban TEXT NOT NULL,"                                                                         \
    " name TEXT NOT NULL,"                                                                         \
    " state INTEGER NOT NULL,"                                                                     \
    " reference TEXT NOT NULL,"                                                                    \
    " made INTEGER NOT NULL,"                                                                      \
    " statement TEXT NOT NULL) STRICT;"
/* Letters (payer/letters.h): state is enum letter_state; and of each order's row the hash of the
 * credential that pays it, which says later who did; and where its user is known, by what. */
#define LETTERS                                                                                    \
    "CREATE TABLE letter ("                                                                        \
    " id INTEGER PRIMARY KEY,"                                                                     \
    " order_id TEXT NOT NULL,"                                                                     \
    " own INTEGER NOT NULL,"                                                                       \
    " act TEXT NOT NULL,"                                                                          \
    " hash BLOB NOT NULL UNIQUE,"                                                                  \
    " at INTEGER NOT NULL,"                                                                        \
    " state INTEGER NOT NULL,"                                                                     \
    " jws TEXT NOT NULL) STRICT;"                                                                  \
    "CREATE INDEX letter_order ON letter (order_id);"                                              \
    "CREATE TABLE paid_by ("                                                                       \
    " id INTEGER PRIMARY KEY REFERENCES orders (id),"                                              \
    " credential TEXT NOT NULL) STRICT;"                                                           \
    "CREATE TABLE known_at ("                                                                      \
    " origin TEXT NOT NULL,"                                                                       \
    " service TEXT NOT NULL,"                                                                      \
    " session TEXT NOT NULL,"                                                                      \
    " valid_until INTEGER NOT NULL,"                                                               \
    " by_card INTEGER NOT NULL DEFAULT 0,"                                                         \
    " PRIMARY KEY (origin, service)) STRICT;"

/* A session at a mediator: state is enum provision_state; of an order that one of its vouchers
 * paid, which. */
#define SESSIONS                                                                                   \
    "ALTER TABLE orders ADD COLUMN session TEXT;"                                                  \
    "CREATE INDEX orders_session ON orders (session) WHERE session IS NOT NULL;"                   \
    "CREATE TABLE provision ("                                                                     \
    " session TEXT PRIMARY KEY,"                                                                   \
    " acquirer TEXT NOT NULL,"                                                                     \
    " origin TEXT NOT NULL,"                                                                       \
    " mediator TEXT NOT NULL,"                                                                     \
    " amount INTEGER NOT NULL,"                                                                    \
    " currency INTEGER NOT NULL,"                                                                  \
    " hours INTEGER NOT NULL,"                                                                     \
    " until INTEGER NOT NULL,"                                                                     \
    " state INTEGER NOT NULL,"                                                                     \
    " made INTEGER NOT NULL,"                                                                      \
    " statement TEXT NOT NULL) STRICT;"

/* state: enum payment_state. message is NULL once the payment is settled. after: another row, which
 * must have been delivered before this one. */
/* What a row waits for: that row; and each older one of the same card, because the acquirer takes a
 * card's counter only upwards. */
#define FIRST                                                                                      \
    "EXISTS (SELECT 1 FROM payment AS first WHERE first.message IS NOT NULL AND (first.id = "      \
    "payment.after OR (first.id < payment.id"                                                      \
    " AND first.receipt ->> 'pan' = payment.receipt ->> 'pan' AND first.receipt ->> 'psn' = "      \
    "payment.receipt ->> 'psn')))"

static const char tables[] =
    "CREATE TABLE stan (one INTEGER PRIMARY KEY CHECK (one = 1), last INTEGER NOT NULL) STRICT;"
    "CREATE TABLE payment ("
    " id INTEGER PRIMARY KEY,"
    " date INTEGER NOT NULL,"
    " stan INTEGER NOT NULL,"
    " state INTEGER NOT NULL,"
    " type INTEGER NOT NULL,"
    " amount INTEGER NOT NULL,"
    " currency INTEGER NOT NULL,"
    " rrn TEXT NOT NULL,"
    " receipt TEXT NOT NULL,"
    " message BLOB,"
    " after INTEGER,"
    " UNIQUE (date, stan)) STRICT;"
    "CREATE INDEX payment_rrn ON payment (rrn);"
    "CREATE INDEX payment_pending ON payment (id) WHERE message IS NOT NULL;" ORDERS PURSES LETTERS
        SESSIONS;

static const struct db_migration migrations[] = {
    {"lets a payment wait for another", "ALTER TABLE payment ADD COLUMN after INTEGER;"},
    {"says whose the file is", ""},
    {"keeps orders", ORDERS},
    {"keeps accounts at purses", PURSES},
    {"keeps letters", LETTERS},
    {"keeps sessions", SESSIONS},
};

const struct db_schema journal_schema = {
    .program = "telepay",
    .upgrade = "telepay journal upgrade",
    .mark = "stan",
    .tables = tables,
    .migrations = migrations,
    .version = sizeof(migrations) / sizeof(migrations[0]) + 1,
};

#define WAITS                                                                                      \
    "message IS NOT NULL AND state <> 5" /* PAYMENT_ASKED: its message is for the day when it      \
                                            comes to nothing */
_Static_assert(PAYMENT_SIGNED == 1 && PAYMENT_ASKED == 5 && PAYMENT_TO_REVERSE == 6,
               "as the statements say");

static enum tp_err open_seal(struct journal *j, bool journal_is_new, struct tp_error *e)
{
    char key[PATH_MAX];

    if (snprintf(key, sizeof(key), "%s.key", j->path) >= (int)sizeof(key))
        return tp_fail(e, TP_ERR_RANGE, "the path %s is too long", j->path);
    if (access(key, F_OK) != 0) {
        if (!journal_is_new)
            return tp_fail(e, TP_ERR_NOT_FOUND,
                           "the journal %s is here, but its key %s is gone: bring it back, or put "
                           "the journal aside",
                           j->path, key);
        const enum tp_err r = seal_key_file_make(key, e);

        if (r != TP_OK && r != TP_ERR_EXISTS) /* another run was faster */
            return r;
    }
    return seal_open_file(&j->seal, key, e);
}

static enum tp_err make_folder(const char *path, struct tp_error *e)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');

    if (slash == NULL || slash == path)
        return TP_OK;
    snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
    return file_make_dir(folder, 0700, e);
}

enum tp_err journal_open(struct journal **out, const char *path, struct tp_error *e)
{
    struct journal *j = calloc(1, sizeof(*j));
    enum tp_err r = TP_ERR_NO_MEMORY;
    bool is_new;

    *out = NULL;
    if (j == NULL) {
        tp_fail(e, r, "no memory for the journal");
        goto out;
    }
    j->held = j->taken = -1;
    if (snprintf(j->path, sizeof(j->path), "%s", path) >= (int)sizeof(j->path)) {
        r = tp_fail(e, TP_ERR_RANGE, "the path of the journal is too long");
        goto out;
    }
    is_new = access(path, F_OK) != 0;
    if ((r = make_folder(path, e)) != TP_OK || (r = open_seal(j, is_new, e)) != TP_OK ||
        (r = db_open(&j->db, path, &journal_schema, DB_USE_OR_MAKE, e)) != TP_OK)
        goto out;
    db_brief(j->db);
    *out = j;
    j = NULL;
out:
    journal_close(&j);
    return r;
}

void journal_close(struct journal **j)
{
    if (*j == NULL)
        return;
    db_close(&(*j)->db);
    if ((*j)->held >= 0)
        close((*j)->held);
    if ((*j)->taken >= 0)
        close((*j)->taken);
    seal_free(&(*j)->seal);
    free(*j);
    *j = NULL;
}

static unsigned first_stan(void)
{
    struct tm now;
    time_t t;

    date_now(&now, &t);
    return (unsigned)(now.tm_hour * 3600 + now.tm_min * 60 + now.tm_sec) *
           11U; /* 86399 × 11 is still six digits */
}

static enum tp_err stan_used(struct journal *j, int date, int64_t stan, bool *used,
                             struct tp_error *e)
{
    int64_t id = 0;

    return db_number(j->db, "SELECT id FROM payment WHERE date = $1 AND stan = $2",
                     DB_VALUES(db_integer(date), db_integer(stan)), &id, used, e);
}

static enum tp_err advance(struct journal *j, int date, unsigned *stan, struct tp_error *e)
{
    int64_t last = 0;
    bool used = true, found = false;
    enum tp_err r = db_number(j->db, "SELECT last FROM stan", DB_NONE, &last, &found, e);

    if (!found)
        last = first_stan();
    for (unsigned i = 0; r == TP_OK && used && i < STAN_LAST; i++) {
        last = last % STAN_LAST + 1;
        r = stan_used(j, date, last, &used, e);
    }
    if (r != TP_OK)
        return r;
    if (used)
        return tp_fail(
            e, TP_ERR_STATE,
            "the journal holds %u payments of this day: there is no number left before tomorrow",
            STAN_LAST);
    *stan = (unsigned)last;
    return db_exec(j->db,
                   "INSERT INTO stan (one, last) VALUES (1, $1)"
                   " ON CONFLICT (one) DO UPDATE SET last = $1",
                   DB_VALUES(db_integer(last)), NULL, e);
}

static enum tp_err take_stan(struct journal *j, int date, unsigned *stan, struct tp_error *e)
{
    enum tp_err r = db_begin(j->db, e);

    if (r == TP_OK)
        r = advance(j, date, stan, e);
    if (r == TP_OK)
        r = db_commit(j->db, e);
    if (r != TP_OK)
        db_rollback(j->db);
    return r;
}

/* Nothing leaves under a number before its row is durable, and that row's commit takes this one
 * along. */
enum tp_err journal_next_stan(struct journal *j, int date, unsigned *stan, struct tp_error *e)
{
    enum tp_err r = db_durable(j->db, false, e), back;
    struct tp_error why;

    if (r == TP_OK)
        r = take_stan(j, date, stan, e);
    back = db_durable(j->db, true, &why);
    return r == TP_OK && back != TP_OK ? tp_fail(e, back, "%s", why.text) : r;
}

/* What a sealed message belongs to: the same bytes under another number or day do not open. */
static struct span seal_context(uint8_t out[8], int date, unsigned stan)
{
    struct buf b = {out, 0, 8};

    return buf_be32(&b, (uint32_t)date) == TP_OK && buf_be32(&b, stan) == TP_OK
               ? buf_span(&b)
               : (struct span){NULL, 0};
}

enum tp_err journal_receipt_text(char **out, const struct receipt *r)
{
    json_t *object;
    const enum tp_err rc = receipt_to_json(&object, r);

    if (rc != TP_OK)
        return rc;
    *out = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return *out != NULL ? TP_OK : TP_ERR_NO_MEMORY;
}

static enum tp_err insert(struct journal *j, const struct receipt *r, const char *text,
                          struct span sealed, int64_t after, int64_t *id, struct tp_error *e)
{
    return db_number(
        j->db,
        "INSERT INTO payment (date, stan, state, type, amount, currency, rrn, receipt, message,"
        " after) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id",
        DB_VALUES(db_integer(r->date), db_integer(r->stan), db_integer((int64_t)r->state),
                  db_integer((int64_t)r->type), db_integer(r->amount), db_integer(r->currency),
                  db_text(r->rrn), db_text(text), /* no message: nothing to deliver */
                  db_blob_or_null(sealed, sealed.n > 0), db_integer_or_null(after, after != 0)),
        id, NULL, e);
}

enum tp_err journal_add(struct journal *j, const struct receipt *r, struct span message,
                        int64_t after, int64_t *id, struct tp_error *e)
{
    uint8_t context[8], room[MESSAGE_MAX + SEAL_OVERHEAD];
    struct buf sealed = BUF_OF(room);
    char *text = NULL;
    enum tp_err rc = journal_receipt_text(&text, r);

    if (rc != TP_OK)
        tp_fail(e, rc, "no memory for the journal");
    else if (message.n > 0 && (rc = seal_close(j->seal, &sealed, message,
                                               seal_context(context, r->date, r->stan))) != TP_OK)
        tp_fail(e, rc, "the message cannot be sealed for the journal %s", j->path);
    else
        rc = insert(j, r, text, buf_span(&sealed), after, id, e);
    free(text);
    return rc;
}

static enum tp_err update(struct journal *j, int64_t id, const struct receipt *r,
                          struct tp_error *e)
{
    char *text = NULL;
    enum tp_err rc = journal_receipt_text(&text, r);

    if (rc != TP_OK)
        return tp_fail(e, rc, "no memory for the journal");
    rc = db_exec(
        j->db,
        "UPDATE payment SET state = $1, rrn = $2, receipt = $3,"
        " message = CASE WHEN $1 IN (1, 6) THEN message END WHERE id = $4",
        DB_VALUES(db_integer((int64_t)r->state), db_text(r->rrn), db_text(text), db_integer(id)),
        NULL, e);
    free(text);
    return rc;
}

/* What the acquirer says to a reversal. Its reason stays: it says why the payment came to nothing.
 * A payment that was to be taken back, and is not, stands. */
static void settle_reversal(struct receipt *r, const struct wire_answer *a)
{
    if (r->voided && !wire_answer_is_yes(a)) {
        r->state = PAYMENT_ACKNOWLEDGED;
        r->voided = false;
        snprintf(r->reason, sizeof(r->reason), "not taken back: %s (%s%s%s)", answer_words(a),
                 a->code, a->reason[0] != '\0' ? ", " : "", a->reason);
        return;
    }
    r->state = wire_answer_is_yes(a) ? PAYMENT_REVERSED : PAYMENT_NOT_REVERSED;
    memcpy(r->answer, a->code, sizeof(r->answer));
    if (a->rrn[0] != '\0')
        snprintf(r->rrn, sizeof(r->rrn), "%s", a->rrn);
    if (!wire_answer_is_yes(a))
        snprintf(r->reason, sizeof(r->reason), "it cannot be reversed: %s (%s%s%s)",
                 answer_words(a), a->code, a->reason[0] != '\0' ? ", " : "", a->reason);
}

void receipt_settle(struct receipt *r, const struct wire_answer *a)
{
    if (r->state == PAYMENT_TO_REVERSE) {
        settle_reversal(r, a);
        return;
    }
    r->state = wire_answer_is_yes(a) ? PAYMENT_ACKNOWLEDGED : PAYMENT_REFUSED;
    snprintf(r->rrn, sizeof(r->rrn), "%s", a->rrn);
    memcpy(r->answer, a->code, sizeof(r->answer));
    memcpy(r->approval, a->approval, sizeof(r->approval));
    r->reason[0] = '\0';
    r->by_issuer = r->state == PAYMENT_REFUSED && answer_of_issuer(a);
    if (!wire_answer_is_yes(a))
        snprintf(r->reason, sizeof(r->reason), "%s (%s%s%s)", answer_words(a), a->code,
                 a->reason[0] != '\0' ? ", " : "", a->reason);
}

static enum tp_err settle(struct journal *j, int64_t id, const struct wire_answer *a,
                          struct tp_error *e)
{
    struct receipt r;
    const enum tp_err rc = journal_get(j, id, &r, e);

    if (rc != TP_OK ||
        (r.state != PAYMENT_SIGNED &&
         r.state != PAYMENT_TO_REVERSE)) /* two runs delivered it: the answers are alike */
        return rc;
    receipt_settle(&r, a);
    return update(j, id, &r, e);
}

enum tp_err journal_settle(struct journal *j, int64_t id, const struct wire_answer *a,
                           struct tp_error *e)
{
    enum tp_err r = db_begin(j->db, e);

    if (r == TP_OK)
        r = settle(j, id, a, e);
    if (r == TP_OK)
        r = db_commit(j->db, e);
    if (r != TP_OK)
        db_rollback(j->db);
    return r;
}

/* ---- taking back ---- */

static enum tp_err take_back(struct journal *j, int64_t id, struct span reversal,
                             struct tp_error *e)
{
    uint8_t context[8], room[VOID_MAX + SEAL_OVERHEAD];
    struct buf sealed = BUF_OF(room);
    struct receipt r;
    enum tp_err rc = journal_get(j, id, &r, e);

    if (rc == TP_OK && r.state != PAYMENT_ACKNOWLEDGED)
        return tp_fail(e, TP_ERR_STATE,
                       "number %06u is %s: only a payment that is acknowledged is taken back",
                       r.stan, payment_state_name(r.state));
    if (rc == TP_OK && (rc = seal_close(j->seal, &sealed, reversal,
                                        seal_context(context, r.date, r.stan))) != TP_OK)
        tp_fail(e, rc, "the message cannot be sealed for the journal %s", j->path);
    if (rc == TP_OK)
        rc = db_exec(j->db, "UPDATE payment SET message = $1 WHERE id = $2",
                     DB_VALUES(db_blob(buf_span(&sealed)), db_integer(id)), NULL, e);
    r.state = PAYMENT_TO_REVERSE;
    r.voided = true;
    snprintf(r.reason, sizeof(r.reason), "taken back by the merchant");
    return rc == TP_OK ? update(j, id, &r, e) : rc;
}

enum tp_err journal_void(struct journal *j, int64_t id, struct span reversal, struct tp_error *e)
{
    enum tp_err r = db_begin(j->db, e);

    if (r == TP_OK)
        r = take_back(j, id, reversal, e);
    if (r == TP_OK)
        r = db_commit(j->db, e);
    if (r != TP_OK)
        db_rollback(j->db);
    return r;
}

/* ---- questions ---- */

/* The lock dies with the process, however it dies. */
enum tp_err journal_hold(struct journal *j, int how, bool *got, struct tp_error *e)
{
    char key[PATH_MAX + 8];

    *got = false;
    snprintf(key, sizeof(key), "%s.key", j->path);
    if (j->held < 0)
        j->held = open(key, O_RDONLY | O_CLOEXEC);
    if (j->held < 0)
        return tp_fail(e, TP_ERR_IO, "cannot open %s: %s", key, strerror(errno));
    *got = flock(j->held, how) == 0;
    return *got || errno == EWOULDBLOCK
               ? TP_OK
               : tp_fail(e, TP_ERR_IO, "cannot lock %s: %s", key, strerror(errno));
}

void journal_let_go(struct journal *j)
{
    if (j->held >= 0)
        (void)flock(j->held, LOCK_UN);
}

enum tp_err journal_ask(struct journal *j, const struct receipt *r, struct span reversal,
                        int64_t *id, struct tp_error *e)
{
    struct receipt asked = *r;
    bool got = false;
    const enum tp_err rc = journal_hold(j, LOCK_SH, &got, e);

    asked.state = PAYMENT_ASKED;
    return rc == TP_OK ? journal_add(j, &asked, reversal, 0, id, e) : rc;
}

enum tp_err journal_conclude(struct journal *j, int64_t id, const struct receipt *r,
                             struct tp_error *e)
{
    return update(j, id, r, e);
}

static enum tp_err to_reverse(struct journal *j, int64_t id, const char *rrn, const char *reason,
                              struct tp_error *e)
{
    struct receipt r;
    const enum tp_err rc = journal_get(j, id, &r, e);

    if (rc != TP_OK || r.state != PAYMENT_ASKED)
        return rc;
    r.state = PAYMENT_TO_REVERSE;
    snprintf(r.rrn, sizeof(r.rrn), "%s", rrn);
    snprintf(r.reason, sizeof(r.reason), "%s", reason);
    return update(j, id, &r, e);
}

enum tp_err journal_reverse(struct journal *j, int64_t id, const char *rrn, const char *reason,
                            struct tp_error *e)
{
    return to_reverse(j, id, rrn, reason, e);
}

static enum tp_err recover_all(struct journal *j, size_t *n, struct tp_error *e)
{
    int64_t id = 0;
    bool found = true;
    enum tp_err r = TP_OK;

    while (r == TP_OK) {
        r = db_number(j->db, "SELECT id FROM payment WHERE state = 5 ORDER BY id LIMIT 1", DB_NONE,
                      &id, &found, e);
        if (r != TP_OK || !found)
            break;
        r = to_reverse(j, id, "", "the program ended before the card had its last word", e);
        *n += r == TP_OK;
    }
    return r;
}

enum tp_err journal_recover(struct journal *j, size_t *n, struct tp_error *e)
{
    bool got = false;
    enum tp_err r = journal_hold(j, LOCK_EX | LOCK_NB, &got, e);

    *n = 0;
    if (r == TP_OK && got)
        r = recover_all(j, n, e);
    if (got)
        journal_let_go(j);
    return r;
}

enum tp_err journal_pending(struct journal *j, int64_t after, int64_t *id, struct receipt *r,
                            struct buf *message, struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN(struct journal_row, id),
                                               DB_COLUMN(struct journal_row, receipt),
                                               DB_COLUMN(struct journal_row, message)};
    struct journal_row row;
    uint8_t context[8];
    bool found = false;
    enum tp_err rc = db_one(j->db,
                            "SELECT id, receipt, message FROM payment WHERE " WAITS
                            " AND id > $1 AND NOT " FIRST " ORDER BY id LIMIT 1",
                            DB_VALUES(db_integer(after)), DB_COLUMNS(columns), &row, &found, e);

    if (rc != TP_OK || !found)
        return rc != TP_OK ? rc : TP_ERR_NOT_FOUND;
    *id = row.id;
    rc = journal_row_receipt(j, &row, r, e);
    if (rc == TP_OK && (rc = seal_open(j->seal, message, row.message,
                                       seal_context(context, r->date, r->stan))) != TP_OK)
        tp_fail(e, rc,
                "the signed payment %06u in the journal %s cannot be opened: its key is another, "
                "or it was altered",
                r->stan, j->path);
    return rc;
}

enum tp_err journal_waits(struct journal *j, int64_t id, bool *waits, struct tp_error *e)
{
    int64_t row = 0;

    return db_number(j->db, "SELECT id FROM payment WHERE id = $1 AND " FIRST,
                     DB_VALUES(db_integer(id)), &row, waits, e);
}

enum tp_err journal_count_pending(struct journal *j, size_t *n, struct tp_error *e)
{
    int64_t count = 0;
    const enum tp_err r =
        db_number(j->db, "SELECT count(*) FROM payment WHERE " WAITS, DB_NONE, &count, NULL, e);

    *n = (size_t)count;
    return r;
}
