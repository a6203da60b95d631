#include "centre/store.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/tlv.h"
#include "base/file.h"
#include "base/mask.h"
#include "base/secret.h"
#include "crypto/seal.h"
#include "store/db.h"

#define CONTEXT_MAX 80

static const char *const schema[] = {
    "CREATE TABLE acquirer (acquirer INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, added "
    "INTEGER "
    "NOT NULL);"
    "CREATE TABLE contract (contract INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, "
    "acquirer "
    "INTEGER NOT NULL REFERENCES acquirer);"
    "CREATE TABLE remise ("
    "  remise INTEGER PRIMARY KEY,"
    "  contract INTEGER NOT NULL REFERENCES contract,"
    "  number INTEGER NOT NULL CHECK (number > 0),"
    "  hash BLOB NOT NULL CHECK (length(hash) = 32),"
    "  bytes INTEGER NOT NULL,"
    "  currency INTEGER NOT NULL,"
    "  result INTEGER NOT NULL CHECK (result BETWEEN 0 AND 2)," /* enum caaa_result */
    "  reason TEXT NOT NULL,"
    "  text TEXT NOT NULL,"
    "  created INTEGER NOT NULL,"
    "  answered INTEGER NOT NULL,"
    "  debits INTEGER NOT NULL, debit_amount INTEGER NOT NULL,"
    "  credits INTEGER NOT NULL, credit_amount INTEGER NOT NULL,"
    "  reversals INTEGER NOT NULL, reversal_amount INTEGER NOT NULL," /* of debits, as said
                                                                       */
    "  refused INTEGER NOT NULL,"
    "  UNIQUE (contract, number));"
    "CREATE TABLE item ("
    "  remise INTEGER NOT NULL REFERENCES remise,"
    "  sequence INTEGER NOT NULL,"
    "  terminal TEXT NOT NULL, rrn TEXT NOT NULL, stan INTEGER NOT NULL, local_time "
    "INTEGER NOT "
    "NULL,"
    "  kind INTEGER NOT NULL, amount INTEGER NOT NULL,"
    "  psn INTEGER NOT NULL, expiry INTEGER NOT NULL, pan_masked TEXT NOT NULL, pan_sealed "
    "BLOB "
    "NOT NULL,"
    "  icc BLOB NOT NULL,"
    "  refused TEXT NOT NULL," /* the reason; '' when accepted */
    "  PRIMARY KEY (remise, sequence)) WITHOUT ROWID;"
    "CREATE INDEX item_rrn ON item (rrn);"
    "CREATE INDEX item_refused ON item (remise, sequence) WHERE refused <> '';"
    "CREATE TABLE alarm (alarm INTEGER PRIMARY KEY, at INTEGER NOT NULL, contract TEXT NOT "
    "NULL, "
    "number INTEGER NOT NULL, text TEXT NOT NULL);",
    /* A contract number may be given to another acquirer: each has its own row, and its
     * remises hang on that. What the card signed is known once: its number by look-up
     * (NULL: kept before there was one, see find_cards), counter and cryptogram. */
    "PRAGMA defer_foreign_keys = ON;"
    "CREATE TEMP TABLE contract_before AS SELECT contract, id, acquirer FROM main.contract;"
    "DROP TABLE main.contract;"
    "CREATE TABLE main.contract (contract INTEGER PRIMARY KEY, id TEXT NOT NULL, acquirer "
    "INTEGER "
    "NOT NULL REFERENCES acquirer,"
    "  held INTEGER NOT NULL CHECK (held IN (0, 1)), changed INTEGER, UNIQUE (id, "
    "acquirer));" /* changed:
                     by
                     order,
                     when
                   */
    "CREATE UNIQUE INDEX main.contract_held ON contract (id) WHERE held = 1;"
    "INSERT INTO main.contract (contract, id, acquirer, held) SELECT contract, id, "
    "acquirer, 1 "
    "FROM contract_before;"
    "DROP TABLE temp.contract_before;"
    "ALTER TABLE item ADD COLUMN pan_lookup BLOB;"
    "ALTER TABLE item ADD COLUMN atc INTEGER;"
    "ALTER TABLE item ADD COLUMN ac BLOB;"
    "CREATE INDEX item_card ON item (pan_lookup, atc) WHERE refused = '';"
    "CREATE INDEX item_unknown_card ON item (remise, sequence) WHERE pan_lookup IS NULL;"};
#define VERSIONS (sizeof(schema) / sizeof(schema[0]))

struct centre_store {
    struct db *db;
    struct seal *seal;
    int64_t contract, remise;  /* rows of the one that is being taken */
    char context[CONTEXT_MAX]; /* its part of what sealed card numbers are bound to */
};

/* ---- opening ---- */

enum tp_err centre_store_make(const char *dir, struct tp_error *e)
{
    char db_path[PATH_MAX], key_path[PATH_MAX];
    struct db *db = NULL;
    enum tp_err r = file_join(db_path, sizeof(db_path), dir, "centre.db", e);

    if (r == TP_OK)
        r = file_join(key_path, sizeof(key_path), dir, "seal.key", e);
    if (r == TP_OK)
        r = seal_key_file_make(key_path, e); /* never over an existing one */
    if (r == TP_OK)
        r = db_open(&db, db_path, true, schema, VERSIONS, e);
    db_close(&db);
    return r;
}

static void context_of(char out[CONTEXT_MAX], const char *contract, uint32_t number)
{
    snprintf(out, CONTEXT_MAX, "%s/%" PRIu32 "/", contract, number);
}

/* 9F36 and 9F26 of the item's DE 55. */
static bool signed_by_card(struct span icc, int64_t *atc, struct span *ac)
{
    struct tlv counter, cryptogram;

    if (tlv_find(icc, 0x9F36, &counter) != TP_OK || counter.value.n != 2 ||
        tlv_find(icc, 0x9F26, &cryptogram) != TP_OK || cryptogram.value.n != 8)
        return false;
    *atc = counter.value.p[0] << 8 | counter.value.p[1];
    *ac = cryptogram.value;
    return true;
}

static void bind_card(sqlite3_stmt *q, int at, struct span lookup, struct span icc)
{
    struct span ac = {NULL, 0};
    int64_t atc = 0;
    const bool is_signed = signed_by_card(icc, &atc, &ac);

    db_bind_span(q, at, lookup);
    if (!is_signed) /* NULL is equal to nothing */
        return;
    sqlite3_bind_int64(q, at + 1, atc);
    db_bind_span(q, at + 2, ac);
}

/* ---- items kept before cards were looked up ---- */

static enum tp_err find_card(struct centre_store *s, sqlite3_stmt *q, struct tp_error *e)
{
    uint8_t lookup[SEAL_LOOKUP], pan[PAN_MAX];
    char context[CONTEXT_MAX + 16];
    const uint32_t sequence = (uint32_t)sqlite3_column_int64(q, 1);
    struct buf plain = BUF_OF(pan);
    sqlite3_stmt *u;
    enum tp_err r;

    context_of(context, db_column_text(q, 2), (uint32_t)sqlite3_column_int64(q, 3));
    snprintf(context + strlen(context), 16, "%" PRIu32, sequence);
    r = seal_open(s->seal, &plain, db_column_span(q, 4), span_str(context));
    if (r == TP_OK)
        r = seal_lookup(s->seal, lookup, buf_span(&plain));
    secret_wipe(pan, sizeof(pan));
    if (r != TP_OK)
        return tp_fail(e, TP_ERR_SECURITY,
                       "item %s%" PRIu32
                       ": its card number cannot be opened: is seal.key that of these books?",
                       context, sequence);
    r = db_prepare(
        s->db, &u,
        "UPDATE item SET pan_lookup = ?3, atc = ?4, ac = ?5 WHERE remise = ?1 AND sequence = ?2",
        e);
    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(u, 1, sqlite3_column_int64(q, 0));
    sqlite3_bind_int64(u, 2, sequence);
    bind_card(u, 3, SPAN_OF(lookup), db_column_span(q, 5));
    return db_run(s->db, u, e);
}

/* One at a time: the index from which the next is taken is the one that the update changes. */
static enum tp_err next_card(struct centre_store *s, bool *row, struct tp_error *e)
{
    sqlite3_stmt *q;
    enum tp_err r = db_prepare(s->db, &q,
                               "SELECT remise, sequence, contract.id, number, pan_sealed, icc FROM "
                               "item JOIN remise USING (remise)"
                               " JOIN contract USING (contract) WHERE pan_lookup IS NULL LIMIT 1",
                               e);

    if (r == TP_OK)
        r = db_step(s->db, q, row, e);
    if (r == TP_OK && *row)
        r = find_card(s, q, e);
    if (q != NULL)
        sqlite3_reset(q);
    return r;
}

static enum tp_err find_cards(struct centre_store *s, struct tp_error *e)
{
    bool row = false;
    enum tp_err r = next_card(s, &row, e);

    if (r != TP_OK || !row)
        return r;
    r = db_begin(s->db, e);
    for (row = true; r == TP_OK && row;)
        r = next_card(s, &row, e);
    if (r == TP_OK)
        r = db_commit(s->db, e);
    db_rollback(s->db);
    return r;
}

enum tp_err centre_store_open(struct centre_store **out, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    struct centre_store *s = calloc(1, sizeof(*s));
    enum tp_err r;

    *out = NULL;
    if (s == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    r = file_join(path, sizeof(path), dir, "centre.db", e);
    if (r == TP_OK)
        r = db_open(&s->db, path, false, schema, VERSIONS, e);
    if (r == TP_OK) /* a large remise leaves a large log: it is cut when it is used again */
        (void)sqlite3_exec(db_handle(s->db), "PRAGMA journal_size_limit = 67108864", NULL, NULL,
                           NULL);
    if (r == TP_OK)
        r = seal_open_dir(&s->seal, dir, e);
    if (r == TP_OK)
        r = find_cards(s, e);
    if (r != TP_OK)
        centre_store_close(&s);
    *out = s;
    return r;
}

void centre_store_close(struct centre_store **s)
{
    if (*s == NULL)
        return;
    if ((*s)->db != NULL)
        db_rollback((*s)->db);
    db_close(&(*s)->db);
    seal_free(&(*s)->seal);
    free(*s);
    *s = NULL;
}

/* ---- acquirers and contracts ---- */

enum tp_err centre_acquirer_add(struct centre_store *s, const char *id, struct tp_error *e)
{
    sqlite3_stmt *q;
    enum tp_err r = db_prepare(s->db, &q, "INSERT INTO acquirer (id, added) VALUES (?1, ?2)", e);

    if (r != TP_OK)
        return r;
    db_bind_text(q, 1, id);
    sqlite3_bind_int64(q, 2, time(NULL));
    r = db_run(s->db, q, e);
    return r == TP_ERR_EXISTS
               ? tp_fail(e, r, "acquirer %s is known already: give the new one another id", id)
               : r;
}

/* The one number or text that a query with one text parameter gives; row says whether. */
static enum tp_err look_up(struct centre_store *s, sqlite3_stmt **q, const char *sql,
                           const char *key, bool *row, struct tp_error *e)
{
    enum tp_err r = db_prepare(s->db, q, sql, e);

    if (r != TP_OK)
        return r;
    db_bind_text(*q, 1, key);
    return db_step(s->db, *q, row, e);
}

enum tp_err centre_acquirer_known(struct centre_store *s, const char *id, bool *known,
                                  struct tp_error *e)
{
    sqlite3_stmt *q;
    const enum tp_err r = look_up(s, &q, "SELECT 1 FROM acquirer WHERE id = ?1", id, known, e);

    if (r == TP_OK)
        sqlite3_reset(q);
    return r;
}

enum tp_err centre_contract_owner(struct centre_store *s, const char *contract,
                                  char owner[CAAA_ID_MAX], struct tp_error *e)
{
    sqlite3_stmt *q;
    bool row = false;
    const enum tp_err r =
        look_up(s, &q,
                "SELECT acquirer.id FROM contract JOIN acquirer ON acquirer.acquirer = "
                "contract.acquirer WHERE contract.id = ?1 AND held = 1",
                contract, &row, e);

    owner[0] = '\0';
    if (r == TP_OK && row)
        db_column_copy(owner, CAAA_ID_MAX, q, 0);
    if (r == TP_OK)
        sqlite3_reset(q);
    return r;
}

/* Rows of a past holder stay: its remises are its own. */
static enum tp_err give_to(struct centre_store *s, const char *contract, const char *acquirer,
                           struct tp_error *e)
{
    static const char *const steps[] = {
        "UPDATE contract SET held = 0, changed = ?3 WHERE id = ?1 AND held = 1",
        "INSERT INTO contract (id, acquirer, held, changed) SELECT ?1, acquirer, 1, ?3 FROM "
        "acquirer WHERE id = ?2"
        " ON CONFLICT (id, acquirer) DO UPDATE SET held = 1, changed = ?3"};
    enum tp_err r = TP_OK;

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && r == TP_OK; i++) {
        sqlite3_stmt *q;

        r = db_prepare(s->db, &q, steps[i], e);
        if (r != TP_OK)
            return r;
        db_bind_text(q, 1, contract);
        db_bind_text(q, 2, acquirer);
        sqlite3_bind_int64(q, 3, time(NULL));
        r = db_run(s->db, q, e);
    }
    return r;
}

enum tp_err centre_contract_assign(struct centre_store *s, const char *contract,
                                   const char *acquirer, char before[CAAA_ID_MAX],
                                   struct tp_error *e)
{
    bool known = false;
    enum tp_err r = db_begin(s->db, e);

    if (r == TP_OK)
        r = centre_acquirer_known(s, acquirer, &known, e);
    if (r == TP_OK && !known)
        r = tp_fail(e, TP_ERR_NOT_FOUND,
                    "acquirer %s is not known: let it send with telepay-centre acquirer add",
                    acquirer);
    if (r == TP_OK)
        r = centre_contract_owner(s, contract, before, e);
    if (r == TP_OK && strcmp(before, acquirer) != 0)
        r = give_to(s, contract, acquirer, e);
    if (r == TP_OK)
        r = db_commit(s->db, e);
    db_rollback(s->db);
    return r;
}

enum tp_err centre_contract_each(struct centre_store *s, centre_contract_visit *visit, void *ctx,
                                 struct tp_error *e)
{
    sqlite3_stmt *q;
    bool row = false;
    enum tp_err r = db_prepare(
        s->db, &q,
        "SELECT contract.id, acquirer.id, held, changed, count(remise), coalesce(max(number), 0) "
        "FROM contract"
        " JOIN acquirer USING (acquirer) LEFT JOIN remise USING (contract) GROUP BY contract"
        " ORDER BY contract.id, held DESC, contract",
        e);

    while (r == TP_OK) {
        r = db_step(s->db, q, &row, e);
        if (r != TP_OK || !row)
            return r;
        const struct centre_contract c = {.id = db_column_text(q, 0),
                                          .acquirer = db_column_text(q, 1),
                                          .held = sqlite3_column_int(q, 2) != 0,
                                          .changed = sqlite3_column_int64(q, 3),
                                          .remises = (uint64_t)sqlite3_column_int64(q, 4),
                                          .last = (uint32_t)sqlite3_column_int64(q, 5)};

        r = visit(ctx, &c, e);
    }
    if (q != NULL)
        sqlite3_reset(q);
    return r;
}

enum tp_err centre_last_number(struct centre_store *s, const char *contract, uint32_t *number,
                               struct tp_error *e)
{
    sqlite3_stmt *q;
    bool row = false;
    const enum tp_err r = look_up(s, &q,
                                  "SELECT max(number) FROM remise JOIN contract USING (contract) "
                                  "WHERE contract.id = ?1 AND held = 1",
                                  contract, &row, e);

    *number = 0;
    if (r == TP_OK && row)
        *number = (uint32_t)sqlite3_column_int64(q, 0);
    if (r == TP_OK)
        sqlite3_reset(q);
    return r;
}

/* ---- reading remises ---- */

#define REMISES                                                                                    \
    "SELECT remise.remise, acquirer.id, contract.id, number, hash, bytes, currency, result, "      \
    "reason, text, created, answered, debits, debit_amount,"                                       \
    " credits, credit_amount, reversals, reversal_amount, refused FROM remise JOIN contract "      \
    "USING (contract)"                                                                             \
    " JOIN acquirer ON acquirer.acquirer = contract.acquirer "

static void read_remise(struct centre_remise *r, sqlite3_stmt *q)
{
    const struct span hash = db_column_span(q, 4);

    memset(r, 0, sizeof(*r));
    db_column_copy(r->acquirer, sizeof(r->acquirer), q, 1);
    db_column_copy(r->contract, sizeof(r->contract), q, 2);
    r->number = (uint32_t)sqlite3_column_int64(q, 3);
    if (hash.n == sizeof(r->hash))
        memcpy(r->hash, hash.p, hash.n);
    r->bytes = (uint64_t)sqlite3_column_int64(q, 5);
    r->currency = currency_by_numeric((unsigned)sqlite3_column_int(q, 6));
    r->result = (enum caaa_result)sqlite3_column_int(q, 7);
    db_column_copy(r->verdict.reason, sizeof(r->verdict.reason), q, 8);
    db_column_copy(r->verdict.text, sizeof(r->verdict.text), q, 9);
    r->created = sqlite3_column_int64(q, 10);
    r->answered = sqlite3_column_int64(q, 11);
    for (int k = CAAA_DEBIT; k <= CAAA_DEBIT_REVERSED; k++) {
        r->totals.count[k] = (uint64_t)sqlite3_column_int64(q, 12 + 2 * k);
        r->totals.amount[k] = sqlite3_column_int64(q, 13 + 2 * k);
    }
    r->refused = (uint64_t)sqlite3_column_int64(q, 18);
}

/* The remise and its row. */
static enum tp_err find_remise(struct centre_store *s, const char *acquirer, const char *contract,
                               uint32_t number, struct centre_remise *out, int64_t *id,
                               struct tp_error *e)
{
    sqlite3_stmt *q;
    bool row = false;
    enum tp_err r = db_prepare(s->db, &q,
                               REMISES "WHERE contract.id = ?1 AND number = ?2 AND (acquirer.id = "
                                       "?3 OR ?3 IS NULL) ORDER BY held DESC LIMIT 1",
                               e);

    if (r != TP_OK)
        return r;
    db_bind_text(q, 1, contract);
    sqlite3_bind_int64(q, 2, number);
    if (acquirer != NULL)
        db_bind_text(q, 3, acquirer);
    r = db_step(s->db, q, &row, e);
    if (r == TP_OK && !row)
        return tp_fail(e, TP_ERR_NOT_FOUND,
                       "the centre has no remise %" PRIu32
                       " of contract %s: see telepay-centre list",
                       number, contract);
    if (r == TP_OK) {
        *id = sqlite3_column_int64(q, 0);
        read_remise(out, q);
        sqlite3_reset(q);
    }
    return r;
}

enum tp_err centre_remise_get(struct centre_store *s, const char *acquirer, const char *contract,
                              uint32_t number, struct centre_remise *r, struct tp_error *e)
{
    int64_t id;

    return find_remise(s, acquirer, contract, number, r, &id, e);
}

enum tp_err centre_remise_each(struct centre_store *s, centre_remise_visit *visit, void *ctx,
                               struct tp_error *e)
{
    struct centre_remise remise;
    sqlite3_stmt *q;
    bool row = false;
    enum tp_err r =
        db_prepare(s->db, &q, REMISES "ORDER BY contract.id, held, contract, number", e);

    while (r == TP_OK) {
        r = db_step(s->db, q, &row, e);
        if (r != TP_OK || !row)
            return r;
        read_remise(&remise, q);
        r = visit(ctx, &remise, e);
    }
    if (q != NULL)
        sqlite3_reset(q);
    return r;
}

static enum tp_err walk_items(struct centre_store *s, sqlite3_stmt *q, centre_item_visit *visit,
                              void *ctx, struct tp_error *e)
{
    enum tp_err r = TP_OK;
    bool row = false;

    while (r == TP_OK) {
        r = db_step(s->db, q, &row, e);
        if (r != TP_OK || !row)
            return r;
        const struct centre_item item = {.sequence = (uint32_t)sqlite3_column_int64(q, 0),
                                         .terminal = db_column_text(q, 1),
                                         .rrn = db_column_text(q, 2),
                                         .pan_masked = db_column_text(q, 3),
                                         .refused = db_column_text(q, 4),
                                         .stan = (uint32_t)sqlite3_column_int64(q, 5),
                                         .local_time = sqlite3_column_int64(q, 6),
                                         .amount = sqlite3_column_int64(q, 7),
                                         .kind = (enum caaa_kind)sqlite3_column_int(q, 8)};

        r = visit(ctx, &item, e);
    }
    sqlite3_reset(q);
    return r;
}

#define ITEMS                                                                                      \
    "SELECT sequence, terminal, rrn, pan_masked, refused, stan, local_time, amount, kind FROM "    \
    "item WHERE remise = ?1 "
enum tp_err centre_item_each(struct centre_store *s, const char *acquirer, const char *contract,
                             uint32_t number, bool refused_only, centre_item_visit *visit,
                             void *ctx, struct tp_error *e)
{
    struct centre_remise remise;
    sqlite3_stmt *q;
    int64_t id;
    enum tp_err r = find_remise(s, acquirer, contract, number, &remise, &id, e);

    if (r == TP_OK)
        r = refused_only ? db_prepare(s->db, &q, ITEMS "AND refused <> '' ORDER BY sequence", e)
                         : db_prepare(s->db, &q, ITEMS "ORDER BY sequence", e);
    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(q, 1, id);
    return walk_items(s, q, visit, ctx, e);
}

/* ---- alarms ---- */

enum tp_err centre_alarm_add(struct centre_store *s, const char *contract, uint32_t number,
                             const char *text, struct tp_error *e)
{
    sqlite3_stmt *q;
    enum tp_err r = db_prepare(
        s->db, &q, "INSERT INTO alarm (at, contract, number, text) VALUES (?1, ?2, ?3, ?4)", e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(q, 1, time(NULL));
    db_bind_text(q, 2, contract);
    sqlite3_bind_int64(q, 3, number);
    db_bind_text(q, 4, text);
    return db_run(s->db, q, e);
}

enum tp_err centre_alarm_each(struct centre_store *s, centre_alarm_visit *visit, void *ctx,
                              struct tp_error *e)
{
    sqlite3_stmt *q;
    bool row = false;
    enum tp_err r =
        db_prepare(s->db, &q, "SELECT at, contract, number, text FROM alarm ORDER BY alarm", e);

    while (r == TP_OK) {
        r = db_step(s->db, q, &row, e);
        if (r != TP_OK || !row)
            return r;
        const struct centre_alarm a = {.at = sqlite3_column_int64(q, 0),
                                       .contract = db_column_text(q, 1),
                                       .text = db_column_text(q, 3),
                                       .number = (uint32_t)sqlite3_column_int64(q, 2)};

        r = visit(ctx, &a, e);
    }
    if (q != NULL)
        sqlite3_reset(q);
    return r;
}

/* ---- taking a remise ---- */

enum tp_err centre_take_begin(struct centre_store *s, struct tp_error *e)
{
    return db_begin(s->db, e);
}

enum tp_err centre_take_commit(struct centre_store *s, struct tp_error *e)
{
    return db_commit(s->db, e);
}

void centre_take_rollback(struct centre_store *s)
{
    db_rollback(s->db);
}

static enum tp_err contract_row(struct centre_store *s, const struct centre_remise *remise,
                                struct tp_error *e)
{
    sqlite3_stmt *q;
    bool row = false;
    enum tp_err r =
        db_prepare(s->db, &q,
                   "INSERT INTO contract (id, acquirer, held) SELECT ?1, acquirer, 1 FROM acquirer "
                   "WHERE id = ?2"
                   " AND NOT EXISTS (SELECT 1 FROM contract WHERE id = ?1 AND held = 1)",
                   e);

    if (r != TP_OK)
        return r;
    db_bind_text(q, 1, remise->contract);
    db_bind_text(q, 2, remise->acquirer);
    r = db_run(s->db, q, e);
    if (r == TP_OK)
        r = db_prepare(s->db, &q,
                       "SELECT contract FROM contract JOIN acquirer USING (acquirer) WHERE "
                       "contract.id = ?1 AND held = 1 AND acquirer.id = ?2",
                       e);
    if (r != TP_OK)
        return r;
    db_bind_text(q, 1, remise->contract);
    db_bind_text(q, 2, remise->acquirer);
    r = db_step(s->db, q, &row, e);
    if (r == TP_OK && !row)
        return tp_fail(e, TP_ERR_NOT_FOUND, "contract %s is not acquirer %s's", remise->contract,
                       remise->acquirer);
    if (r == TP_OK) {
        s->contract = sqlite3_column_int64(q, 0);
        sqlite3_reset(q);
    }
    return r;
}

static void bind_remise(sqlite3_stmt *q, const struct centre_remise *r)
{
    db_bind_span(q, 3, SPAN_OF(r->hash));
    sqlite3_bind_int64(q, 4, (sqlite3_int64)r->bytes);
    sqlite3_bind_int(q, 5, r->currency->numeric);
    sqlite3_bind_int(q, 6, (int)r->result);
    db_bind_text(q, 7, r->verdict.reason);
    db_bind_text(q, 8, r->verdict.text);
    sqlite3_bind_int64(q, 9, r->created);
    sqlite3_bind_int64(q, 10, r->answered);
    for (int k = CAAA_DEBIT; k <= CAAA_DEBIT_REVERSED; k++) {
        sqlite3_bind_int64(q, 11 + 2 * k, (sqlite3_int64)r->totals.count[k]);
        sqlite3_bind_int64(q, 12 + 2 * k, r->totals.amount[k]);
    }
    sqlite3_bind_int64(q, 17, (sqlite3_int64)r->refused);
}

enum tp_err centre_take_open(struct centre_store *s, const struct centre_remise *remise,
                             struct tp_error *e)
{
    sqlite3_stmt *q;
    enum tp_err r = contract_row(s, remise, e);

    if (r == TP_OK)
        r = db_prepare(
            s->db, &q,
            "INSERT INTO remise (contract, number, hash, bytes, currency, result, reason, text, "
            "created, answered, debits, debit_amount,"
            " credits, credit_amount, reversals, reversal_amount, refused)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
            e);
    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(q, 1, s->contract);
    sqlite3_bind_int64(q, 2, remise->number);
    bind_remise(q, remise);
    r = db_run(s->db, q, e);
    s->remise = sqlite3_last_insert_rowid(db_handle(s->db));
    context_of(s->context, remise->contract, remise->number);
    return r;
}

enum tp_err centre_take_settle(struct centre_store *s, const struct centre_remise *remise,
                               struct tp_error *e)
{
    sqlite3_stmt *q;
    enum tp_err r = db_prepare(s->db, &q,
                               "UPDATE remise SET hash = ?3, bytes = ?4, currency = ?5, result = "
                               "?6, reason = ?7, text = ?8, created = ?9, answered = ?10,"
                               " debits = ?11, debit_amount = ?12, credits = ?13, credit_amount = "
                               "?14, reversals = ?15, reversal_amount = ?16,"
                               " refused = ?17 WHERE remise = ?1 AND number = ?2",
                               e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(q, 1, s->remise);
    sqlite3_bind_int64(q, 2, remise->number);
    bind_remise(q, remise);
    return db_run(s->db, q, e);
}

enum tp_err centre_take_item(struct centre_store *s, const struct caaa_item *item,
                             const char *refused, struct tp_error *e)
{
    char masked[PAN_TEXT_MAX], context[CONTEXT_MAX + 16];
    uint8_t raw[PAN_MAX + SEAL_OVERHEAD], lookup[SEAL_LOOKUP];
    struct buf sealed = BUF_OF(raw);
    sqlite3_stmt *q;
    enum tp_err r;

    snprintf(context, sizeof(context), "%s%" PRIu32, s->context, item->sequence);
    if (seal_close(s->seal, &sealed, span_str(item->pan), span_str(context)) != TP_OK ||
        seal_lookup(s->seal, lookup, span_str(item->pan)) != TP_OK)
        return tp_fail(e, TP_ERR_INTERNAL, "cannot seal a card number");
    r = db_prepare(s->db, &q,
                   "INSERT INTO item (remise, sequence, terminal, rrn, stan, local_time, kind, "
                   "amount, psn, expiry, pan_masked, pan_sealed, icc, refused,"
                   " pan_lookup, atc, ac) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
                   "?12, ?13, ?14, ?15, ?16, ?17)",
                   e);
    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(q, 1, s->remise);
    sqlite3_bind_int64(q, 2, item->sequence);
    db_bind_text(q, 3, item->terminal);
    db_bind_text(q, 4, item->rrn);
    sqlite3_bind_int64(q, 5, item->stan);
    sqlite3_bind_int64(q, 6, item->local_time);
    sqlite3_bind_int(q, 7, (int)item->kind);
    sqlite3_bind_int64(q, 8, item->amount);
    sqlite3_bind_int(q, 9, item->psn);
    sqlite3_bind_int(q, 10, item->expiry);
    db_bind_text(q, 11, mask_pan(masked, item->pan));
    db_bind_span(q, 12, buf_span(&sealed));
    db_bind_span(q, 13, item->icc);
    db_bind_text(q, 14, refused != NULL ? refused : "");
    bind_card(q, 15, SPAN_OF(lookup), item->icc);
    return db_run(s->db, q, e);
}

enum tp_err centre_taken_before(struct centre_store *s, const struct caaa_item *item, bool *taken,
                                struct tp_error *e)
{
    uint8_t lookup[SEAL_LOOKUP];
    sqlite3_stmt *q;
    enum tp_err r = db_prepare(s->db, &q,
                               "SELECT 1 FROM item JOIN remise USING (remise) WHERE item.rrn = ?1 "
                               "AND item.terminal = ?2 AND item.local_time = ?3"
                               " AND remise.contract = ?4 AND item.refused = ''"
                               " UNION ALL SELECT 1 FROM item WHERE pan_lookup = ?5 AND atc = ?6 "
                               "AND ac = ?7 AND psn = ?8 AND refused = ''",
                               e);

    if (r != TP_OK)
        return r;
    if (seal_lookup(s->seal, lookup, span_str(item->pan)) != TP_OK)
        return tp_fail(e, TP_ERR_INTERNAL, "cannot look up a card number");
    db_bind_text(q, 1, item->rrn);
    db_bind_text(q, 2, item->terminal);
    sqlite3_bind_int64(q, 3, item->local_time);
    sqlite3_bind_int64(q, 4, s->contract);
    bind_card(q, 5, SPAN_OF(lookup), item->icc);
    sqlite3_bind_int(q, 8, item->psn);
    r = db_step(s->db, q, taken, e);
    sqlite3_reset(q);
    return r;
}

bool centre_signed_by_card(const struct caaa_item *item)
{
    struct span ac;
    int64_t atc;

    return signed_by_card(item->icc, &atc, &ac);
}
