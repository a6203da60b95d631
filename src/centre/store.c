#include "centre/store_priv.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/tlv.h"
#include "base/file.h"
#include "base/secret.h"

/* ---- opening ---- */

enum tp_err centre_store_make(const char *dir, const char *url, struct tp_error *e)
{
    char where[DB_WHERE_MAX], key_path[PATH_MAX];
    struct db *db = NULL;
    enum tp_err r = db_where_new(where, dir, CENTRE_BOOKS, url, e);

    if (r == TP_OK)
        r = file_join(key_path, sizeof(key_path), dir, "seal.key", e);
    if (r == TP_OK)
        r = seal_key_file_make(key_path, e); /* never over an existing one */
    if (r == TP_OK)
        r = db_open(&db, where, &centre_schema, DB_MAKE, e);
    db_close(&db);
    return r == TP_OK && url != NULL ? db_where_set(dir, url, e) : r;
}

struct span centre_context(char out[CONTEXT_MAX], const char *contract, uint32_t number,
                           uint32_t sequence)
{
    snprintf(out, CONTEXT_MAX, "%s/%" PRIu32 "/%" PRIu32, contract, number, sequence);
    return span_str(out);
}

struct centre_signature centre_signature_of(struct span icc)
{
    struct tlv counter, cryptogram;

    if (tlv_find(icc, 0x9F36, &counter) != TP_OK || counter.value.n != 2 ||
        tlv_find(icc, 0x9F26, &cryptogram) != TP_OK || cryptogram.value.n != 8)
        return (struct centre_signature){.there = false};
    return (struct centre_signature){true, (uint16_t)(counter.value.p[0] << 8 | counter.value.p[1]),
                                     cryptogram.value};
}

/* ---- items kept before cards were looked up ---- */

struct unknown_card {
    int64_t remise;
    uint32_t sequence, number;
    char contract[CAAA_ID_MAX];
    struct span pan_sealed, icc;
};

static enum tp_err look_up_card(struct centre_store *s, uint8_t lookup[SEAL_LOOKUP],
                                const struct unknown_card *item, struct tp_error *e)
{
    uint8_t pan[PAN_MAX];
    char context[CONTEXT_MAX];
    struct buf plain = BUF_OF(pan);
    enum tp_err r =
        seal_open(s->seal, &plain, item->pan_sealed,
                  centre_context(context, item->contract, item->number, item->sequence));

    if (r == TP_OK)
        r = seal_lookup(s->seal, lookup, buf_span(&plain));
    secret_wipe(pan, sizeof(pan));
    return r == TP_OK ? TP_OK
                      : tp_fail(e, TP_ERR_SECURITY,
                                "item %s: its card number cannot be opened: is seal.key that of "
                                "these books?",
                                context);
}

/* One at a time: the index from which the next is taken is the one that the update changes. */
static enum tp_err find_card(struct centre_store *s, bool *found, struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct unknown_card, remise),   DB_COLUMN(struct unknown_card, sequence),
        DB_COLUMN(struct unknown_card, contract), DB_COLUMN(struct unknown_card, number),
        DB_COLUMN(struct unknown_card, icc),      DB_COLUMN(struct unknown_card, pan_sealed),
    };
    uint8_t lookup[SEAL_LOOKUP];
    struct unknown_card item;
    enum tp_err r = db_one(s->db,
                           "SELECT item.remise, sequence, contract.id AS contract, number, icc,"
                           " pan_sealed FROM item JOIN remise ON remise.remise = item.remise"
                           " JOIN contract ON contract.contract = remise.contract"
                           " WHERE pan_lookup IS NULL LIMIT 1",
                           DB_NONE, DB_COLUMNS(columns), &item, found, e);

    if (r == TP_OK && *found)
        r = look_up_card(s, lookup, &item, e);
    if (r != TP_OK || !*found)
        return r;
    const struct centre_signature card = centre_signature_of(item.icc);

    return db_exec(s->db,
                   "UPDATE item SET pan_lookup = $3, atc = $4, ac = $5"
                   " WHERE remise = $1 AND sequence = $2",
                   DB_VALUES(db_integer(item.remise), db_integer(item.sequence),
                             db_blob(SPAN_OF(lookup)), db_integer_or_null(card.atc, card.there),
                             db_blob_or_null(card.ac, card.there)),
                   NULL, e);
}

static enum tp_err find_cards(struct centre_store *s, struct tp_error *e)
{
    bool found = false;
    enum tp_err r = find_card(s, &found, e);

    if (r != TP_OK || !found)
        return r;
    r = db_begin(s->db, e);
    for (found = true; r == TP_OK && found;)
        r = find_card(s, &found, e);
    if (r == TP_OK)
        r = db_commit(s->db, e);
    db_rollback(s->db);
    return r;
}

enum tp_err centre_store_open(struct centre_store **out, const char *dir, struct tp_error *e)
{
    char where[DB_WHERE_MAX];
    struct centre_store *s = calloc(1, sizeof(*s));
    enum tp_err r;

    *out = NULL;
    if (s == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    r = db_where(where, dir, CENTRE_BOOKS, e);
    if (r == TP_OK)
        r = db_open(&s->db, where, &centre_schema, DB_USE, e);
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
    db_close(&(*s)->db);
    seal_free(&(*s)->seal);
    free(*s);
    *s = NULL;
}

/* ---- acquirers and contracts ---- */

enum tp_err centre_acquirer_add(struct centre_store *s, const char *id, struct tp_error *e)
{
    const enum tp_err r = db_exec(s->db, "INSERT INTO acquirer (id, added) VALUES ($1, $2)",
                                  DB_VALUES(db_text(id), db_integer(time(NULL))), NULL, e);

    return r == TP_ERR_EXISTS
               ? tp_fail(e, r, "acquirer %s is known already: give the new one another id", id)
               : r;
}

enum tp_err centre_acquirer_known(struct centre_store *s, const char *id, bool *known,
                                  struct tp_error *e)
{
    int64_t row = 0;

    return db_number(s->db, "SELECT acquirer FROM acquirer WHERE id = $1", DB_VALUES(db_text(id)),
                     &row, known, e);
}

struct owner {
    char id[CAAA_ID_MAX];
};

enum tp_err centre_contract_owner(struct centre_store *s, const char *contract,
                                  char owner[CAAA_ID_MAX], struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN(struct owner, id)};
    struct owner o = {""};
    bool found = false;
    const enum tp_err r = db_one(s->db,
                                 "SELECT acquirer.id FROM contract JOIN acquirer"
                                 " ON acquirer.acquirer = contract.acquirer"
                                 " WHERE contract.id = $1 AND held = 1",
                                 DB_VALUES(db_text(contract)), DB_COLUMNS(columns), &o, &found, e);

    memcpy(owner, o.id, sizeof(o.id));
    return r;
}

/* Rows of a past holder stay: its remises are its own. */
static enum tp_err give_to(struct centre_store *s, const char *contract, const char *acquirer,
                           struct tp_error *e)
{
    const int64_t now = time(NULL);
    enum tp_err r =
        db_exec(s->db, "UPDATE contract SET held = 0, changed = $2 WHERE id = $1 AND held = 1",
                DB_VALUES(db_text(contract), db_integer(now)), NULL, e);

    return r != TP_OK
               ? r
               : db_exec(s->db,
                         "INSERT INTO contract (id, acquirer, held, changed)"
                         " SELECT CAST($1 AS TEXT), acquirer, 1, CAST($3 AS BIGINT) FROM acquirer"
                         " WHERE id = $2"
                         " ON CONFLICT (id, acquirer) DO UPDATE SET held = 1, changed = $3",
                         DB_VALUES(db_text(contract), db_text(acquirer), db_integer(now)), NULL, e);
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
    static const struct db_column columns[] = {
        DB_COLUMN(struct centre_contract, id),      DB_COLUMN(struct centre_contract, acquirer),
        DB_COLUMN(struct centre_contract, held),    DB_COLUMN(struct centre_contract, changed),
        DB_COLUMN(struct centre_contract, remises), DB_COLUMN(struct centre_contract, last),
    };
    struct centre_contract c;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r =
        db_query(s->db, &rows,
                 "SELECT c.id, a.id AS acquirer, c.held, c.changed, count(r.remise) AS remises,"
                 " coalesce(max(r.number), 0) AS last FROM contract c"
                 " JOIN acquirer a ON a.acquirer = c.acquirer"
                 " LEFT JOIN remise r ON r.contract = c.contract"
                 " GROUP BY c.contract, c.id, a.id, c.held, c.changed"
                 " ORDER BY c.id, c.held DESC, c.contract",
                 DB_NONE, DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &c, &found, e)) == TP_OK && found)
        r = visit(ctx, &c, e);
    db_end(&rows);
    return r;
}

enum tp_err centre_last_number(struct centre_store *s, const char *contract, uint32_t *number,
                               struct tp_error *e)
{
    int64_t last = 0;
    const enum tp_err r = db_number(
        s->db,
        "SELECT max(number) FROM remise JOIN contract ON contract.contract = remise.contract"
        " WHERE contract.id = $1 AND held = 1",
        DB_VALUES(db_text(contract)), &last, NULL, e);

    *number = (uint32_t)last;
    return r;
}

/* ---- alarms ---- */

enum tp_err centre_alarm_add(struct centre_store *s, const char *contract, uint32_t number,
                             const char *text, struct tp_error *e)
{
    return db_exec(
        s->db, "INSERT INTO alarm (at, contract, number, text) VALUES ($1, $2, $3, $4)",
        DB_VALUES(db_integer(time(NULL)), db_text(contract), db_integer(number), db_text(text)),
        NULL, e);
}

enum tp_err centre_alarm_each(struct centre_store *s, centre_alarm_visit *visit, void *ctx,
                              struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct centre_alarm, at),
        DB_COLUMN(struct centre_alarm, contract),
        DB_COLUMN(struct centre_alarm, number),
        DB_COLUMN(struct centre_alarm, text),
    };
    struct centre_alarm a;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r =
        db_query(s->db, &rows, "SELECT at, contract, number, text FROM alarm ORDER BY alarm",
                 DB_NONE, DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &a, &found, e)) == TP_OK && found)
        r = visit(ctx, &a, e);
    db_end(&rows);
    return r;
}
