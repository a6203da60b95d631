#include "payer/orders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "base/secret.h"
#include "payer/credential.h"
#include "payer/journal_priv.h"
#include "wire/jcs.h"

#define SECRET_MAX  131072 /* bytes: a credential of 65536 at most, a message, a key */
#define CONTEXT_MAX 160

static const struct {
    const char *name;
    bool settled;
} states[] = {
    [KEPT_SUBMITTING] = {"signed", false},
    [KEPT_COMPLETING] = {"completing", false},
    [KEPT_REVERSING] = {"to be reversed", false},
    [KEPT_ACKNOWLEDGED] = {"acknowledged", true},
    [KEPT_REFUSED] = {"refused", true},
    [KEPT_REVERSED] = {"reversed", true},
    [KEPT_LOST] = {"not paid", true},
};
_Static_assert(KEPT_ACKNOWLEDGED == 3, "as the statements say");

const char *kept_state_name(enum kept_state s)
{
    return states[s].name;
}

static bool is_settled(enum kept_state s)
{
    return states[s].settled;
}

void kept_order_free(struct kept_order *o)
{
    json_decref(o->secret);
    json_decref(o->owner);
    *o = (struct kept_order){0};
}

/* ---- what is sealed ---- */

/* What a secret belongs to: the same bytes in another order's row do not open. */
static struct span context_of(char out[CONTEXT_MAX], const char *order, const char *challenge)
{
    json_t *object = json_loads(challenge, 0, NULL);
    const char *id = json_string_value(json_object_get(object, "id"));

    snprintf(out, CONTEXT_MAX, "order|%s|%.100s", order, id != NULL ? id : "");
    json_decref(object);
    return span_str(out);
}

static enum tp_err seal(struct journal *j, const struct kept_order *o, uint8_t **room,
                        struct buf *out, struct tp_error *e)
{
    char context[CONTEXT_MAX], *text = NULL;
    enum tp_err r = jcs_write(&text, o->secret, e);

    if (r != TP_OK)
        return r;
    *room = malloc(strlen(text) + SEAL_OVERHEAD);
    *out = (struct buf){*room, 0, strlen(text) + SEAL_OVERHEAD};
    if (*room == NULL || seal_close(j->seal, out, span_str(text),
                                    context_of(context, o->order, o->challenge)) != TP_OK)
        r = tp_fail(e, TP_ERR_INTERNAL, "the payment of the order %s cannot be sealed", o->order);
    secret_wipe(text, strlen(text));
    free(text);
    return r;
}

static enum tp_err unseal(struct journal *j, struct kept_order *o, struct span sealed,
                          struct tp_error *e)
{
    char context[CONTEXT_MAX];
    struct buf plain = {NULL, 0, sealed.n};
    enum tp_err r = TP_OK;

    if (sealed.n == 0)
        return TP_OK;
    plain.p = malloc(sealed.n);
    if (plain.p == NULL || sealed.n > SECRET_MAX)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for an order");
    else if (seal_open(j->seal, &plain, sealed, context_of(context, o->order, o->challenge)) !=
                 TP_OK ||
             jcs_read(&o->secret, buf_span(&plain), NULL) != TP_OK)
        r = tp_fail(e, TP_ERR_SECURITY,
                    "the payment of the order %s in the journal %s cannot be opened: its key is "
                    "another, or it was altered",
                    o->order, j->path);
    if (plain.p != NULL)
        secret_wipe(plain.p, plain.n);
    free(plain.p);
    return r;
}

/* ---- in ---- */

/* What says later who paid, when the credential itself is gone. */
static enum tp_err keep_hash(struct journal *j, const struct kept_order *o, struct tp_error *e)
{
    char hash[CREDENTIAL_HASH];

    if (credential_hash(hash, o->secret, NULL) != TP_OK)
        return TP_OK;
    return db_exec(j->db, "INSERT INTO paid_by (id, credential) VALUES ($1, $2)",
                   DB_VALUES(db_integer(o->id), db_text(hash)), NULL, e);
}

/* Held before the transaction begins: who has the journal to itself writes, too. */
enum tp_err orders_begin(struct journal *j, struct tp_error *e)
{
    bool got = false;
    const enum tp_err r = journal_hold(j, LOCK_SH, &got, e);

    return r == TP_OK ? db_begin(j->db, e) : r;
}

enum tp_err orders_end(struct journal *j, enum tp_err r, struct tp_error *e)
{
    if (r == TP_OK)
        r = db_commit(j->db, e);
    if (r != TP_OK)
        db_rollback(j->db);
    return r;
}

enum tp_err orders_add(struct journal *j, struct kept_order *o, struct tp_error *e)
{
    uint8_t *room = NULL;
    struct buf sealed = {0};
    char *ticket = NULL;
    enum tp_err r = journal_receipt_text(&ticket, &o->ticket);

    if (r == TP_OK)
        r = seal(j, o, &room, &sealed, e);
    if (r == TP_OK)
        r = db_number(j->db,
                      "INSERT INTO orders (order_id, origin, method, url, digest, item, authority,"
                      " challenge, asks, state, delivered, secret, ticket, made, statement,"
                      " session) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,"
                      " $14, $15, $16) RETURNING id",
                      DB_VALUES(db_text(o->order), db_text(o->origin), db_text(o->method),
                                db_text(o->url), db_text(o->digest), db_text(o->item),
                                db_text(o->authority), db_text(o->challenge), db_integer(o->asks),
                                db_integer((int64_t)o->state), db_integer(o->delivered),
                                db_blob(buf_span(&sealed)), db_text(ticket), db_integer(o->made),
                                db_text(o->statement), db_text(o->session)),
                      &o->id, NULL, e);
    if (r == TP_OK)
        r = keep_hash(j, o, e);
    free(room);
    free(ticket);
    return r;
}

enum tp_err orders_update(struct journal *j, const struct kept_order *o, struct tp_error *e)
{
    const bool keeps = !is_settled(o->state) || (o->state == KEPT_ACKNOWLEDGED && !o->delivered);
    char *ticket = NULL;
    enum tp_err r = journal_receipt_text(&ticket, &o->ticket);

    if (r == TP_OK)
        r = db_exec(j->db,
                    "UPDATE orders SET state = $1, delivered = $2, acknowledgement = $3,"
                    " receipt = $4, ticket = $5, secret = CASE WHEN $6 = 1 THEN secret END"
                    " WHERE id = $7",
                    DB_VALUES(db_integer((int64_t)o->state), db_integer(o->delivered),
                              db_text(o->acknowledgement), db_text(o->receipt), db_text(ticket),
                              db_integer(keeps), db_integer(o->id)),
                    NULL, e);
    free(ticket);
    return r;
}

/* ---- out ---- */

struct row {
    int64_t id, asks, state, delivered, made;
    struct span order_id, origin, method, url, digest, item, authority, challenge, acknowledgement,
        receipt, ticket, secret, statement, session;
};

static const struct db_column columns[] = {
    DB_COLUMN(struct row, id),        DB_COLUMN(struct row, asks),
    DB_COLUMN(struct row, state),     DB_COLUMN(struct row, delivered),
    DB_COLUMN(struct row, made),      DB_COLUMN(struct row, order_id),
    DB_COLUMN(struct row, origin),    DB_COLUMN(struct row, method),
    DB_COLUMN(struct row, url),       DB_COLUMN(struct row, digest),
    DB_COLUMN(struct row, item),      DB_COLUMN(struct row, authority),
    DB_COLUMN(struct row, challenge), DB_COLUMN(struct row, acknowledgement),
    DB_COLUMN(struct row, receipt),   DB_COLUMN(struct row, ticket),
    DB_COLUMN(struct row, secret),    DB_COLUMN(struct row, statement),
    DB_COLUMN(struct row, session)};

#define SELECT                                                                                     \
    "SELECT id, asks, state, delivered, made, order_id, origin, method, url, digest, item,"        \
    " authority, challenge, acknowledgement, receipt, ticket, secret, statement,"                  \
    " session FROM orders "

/* NULL for an empty one; *ok false when there is no memory, or it is no text. */
static const char *hold_text(json_t *owner, struct span text, bool *ok)
{
    json_t *string = json_stringn((const char *)text.p, text.n);

    if (text.n == 0) {
        json_decref(string);
        return NULL;
    }
    *ok = json_array_append_new(owner, string) == 0 && *ok;
    return string != NULL ? json_string_value(string) : NULL;
}

static enum tp_err take_row(struct journal *j, struct kept_order *out, const struct row *row,
                            struct tp_error *e)
{
    json_t *ticket = json_loadb((const char *)row->ticket.p, row->ticket.n, 0, NULL);
    bool ok = true;

    *out = (struct kept_order){.id = row->id,
                               .asks = row->asks != 0,
                               .delivered = row->delivered != 0,
                               .state = (enum kept_state)row->state,
                               .made = row->made,
                               .owner = json_array()};
    out->order = hold_text(out->owner, row->order_id, &ok);
    out->origin = hold_text(out->owner, row->origin, &ok);
    out->method = hold_text(out->owner, row->method, &ok);
    out->url = hold_text(out->owner, row->url, &ok);
    out->digest = hold_text(out->owner, row->digest, &ok);
    out->item = hold_text(out->owner, row->item, &ok);
    out->authority = hold_text(out->owner, row->authority, &ok);
    out->challenge = hold_text(out->owner, row->challenge, &ok);
    out->acknowledgement = hold_text(out->owner, row->acknowledgement, &ok);
    out->receipt = hold_text(out->owner, row->receipt, &ok);
    out->statement = hold_text(out->owner, row->statement, &ok);
    out->session = hold_text(out->owner, row->session, &ok);
    ok = ok && ticket != NULL && receipt_from_json(&out->ticket, ticket) == TP_OK &&
         out->order != NULL && out->origin != NULL && out->method != NULL && out->url != NULL &&
         out->item != NULL && out->authority != NULL && out->challenge != NULL && row->state >= 0 &&
         row->state <= KEPT_LOST;
    json_decref(ticket);
    if (!ok)
        return tp_fail(e, TP_ERR_IO, "the journal %s is damaged: an order in it cannot be read",
                       j->path);
    return unseal(j, out, row->secret, e);
}

static enum tp_err take_found(struct journal *j, enum tp_err r, bool found, struct kept_order *out,
                              const struct row *row, struct tp_error *e)
{
    *out = (struct kept_order){0};
    if (r != TP_OK)
        return r;
    r = found ? take_row(j, out, row, e) : TP_ERR_NOT_FOUND;
    if (r != TP_OK)
        kept_order_free(out);
    return r;
}

enum tp_err orders_pending(struct journal *j, int64_t after, struct kept_order *out,
                           struct tp_error *e)
{
    struct row row;
    bool found = false;
    const enum tp_err r =
        db_one(j->db, SELECT "WHERE state < 3 AND id > $1 ORDER BY id LIMIT 1",
               DB_VALUES(db_integer(after)), DB_COLUMNS(columns), &row, &found, e);

    return take_found(j, r, found, out, &row, e);
}

enum tp_err orders_find(struct journal *j, const char *order, struct kept_order *out,
                        struct tp_error *e)
{
    struct row row;
    bool found = false;
    enum tp_err r = db_one(j->db, SELECT "WHERE order_id = $1 ORDER BY id DESC LIMIT 1",
                           DB_VALUES(db_text(order)), DB_COLUMNS(columns), &row, &found, e);

    r = take_found(j, r, found, out, &row, e);
    return r == TP_ERR_NOT_FOUND ? tp_fail(e, r, "the journal %s has no order %s", j->path, order)
                                 : r;
}

enum tp_err orders_owed(struct journal *j, const char *method, const char *url, const char *digest,
                        struct kept_order *out, struct tp_error *e)
{
    struct row row;
    bool found = false;
    const enum tp_err r =
        db_one(j->db,
               SELECT "WHERE url = $1 AND method = $2 AND coalesce(digest, '') = $3"
                      " AND (state < 3 OR (state = 3 AND delivered = 0)) ORDER BY id LIMIT 1",
               DB_VALUES(db_text(url), db_text(method), db_text(digest != NULL ? digest : "")),
               DB_COLUMNS(columns), &row, &found, e);

    return take_found(j, r, found, out, &row, e);
}

static enum tp_err walk(struct journal *j, const char *sql, struct db_values v, orders_each *each,
                        void *ctx, struct tp_error *e)
{
    struct db_rows *rows = NULL;
    struct kept_order o = {0};
    struct row row;
    bool found = true, goes_on = true;
    enum tp_err r = db_query(j->db, &rows, sql, v, DB_COLUMNS(columns), e);

    while (r == TP_OK && goes_on && (r = db_next(rows, &row, &found, e)) == TP_OK && found) {
        row.secret = (struct span){NULL, 0}; /* for no list */
        r = take_row(j, &o, &row, e);
        goes_on = r == TP_OK && each(ctx, &o);
        kept_order_free(&o);
    }
    db_end(&rows);
    return r;
}

enum tp_err orders_list(struct journal *j, orders_each *each, void *ctx, struct tp_error *e)
{
    return walk(j, SELECT "ORDER BY id DESC", DB_NONE, each, ctx, e);
}

enum tp_err orders_of_session(struct journal *j, const char *session, orders_each *each, void *ctx,
                              struct tp_error *e)
{
    return walk(j, SELECT "WHERE session = $1 ORDER BY id DESC", DB_VALUES(db_text(session)), each,
                ctx, e);
}

enum tp_err orders_hold(struct journal *j, bool *got, struct tp_error *e)
{
    return journal_hold(j, LOCK_EX | LOCK_NB, got, e);
}

void orders_let_go(struct journal *j)
{
    journal_let_go(j);
}

enum tp_err orders_own(struct journal *j, uint8_t out[ORDERS_OWN], struct tp_error *e)
{
    _Static_assert(ORDERS_OWN == SEAL_LOOKUP, "as the seal gives it");
    const enum tp_err r = seal_lookup(j->seal, out, span_str("own"));

    return r == TP_OK ? TP_OK : tp_fail(e, r, "the key of the journal cannot be used");
}

/* A byte of its own for each order, as far as its letters go: two that shared one would be paid one
 * after the other, and no more. */
static off_t place_of(const char *order)
{
    off_t at = 0;

    for (size_t i = 0; i < 12 && order[i] != '\0'; i++)
        at = at << 5 | (order[i] & 31);
    return at;
}

/* The lock dies with the process, however it dies. */
enum tp_err orders_take(struct journal *j, const char *order, bool *got, struct tp_error *e)
{
    struct flock one = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = place_of(order), .l_len = 1};
    char path[PATH_MAX + 8];

    *got = false;
    snprintf(path, sizeof(path), "%s.taken", j->path);
    if (j->taken < 0)
        j->taken = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (j->taken < 0)
        return tp_fail(e, TP_ERR_IO, "cannot open %s: %s", path, strerror(errno));
    *got = fcntl(j->taken, F_OFD_SETLK, &one) == 0;
    return *got || errno == EAGAIN || errno == EACCES
               ? TP_OK
               : tp_fail(e, TP_ERR_IO, "cannot lock %s: %s", path, strerror(errno));
}
