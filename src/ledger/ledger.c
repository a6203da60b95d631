/* The books as one connection: made, opened, written in groups. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/hex.h"
#include "ledger/ledger_priv.h"
#include "ledger/schema.h"

enum tp_err ledger_random(char *out, size_t digits, struct tp_error *e)
{
    uint8_t raw[8];
    const size_t n = digits / 2 < sizeof(raw) ? digits / 2 : sizeof(raw);

    if (RAND_bytes(raw, (int)n) != 1)
        return tp_fail(e, TP_ERR_INTERNAL, "the system gives no random bytes");
    hex_encode(out, span_of(raw, n));
    return TP_OK;
}

/* The acquirer's own number: one of 64 bits that nobody chose. */
static enum tp_err give_number(struct db *db, struct tp_error *e)
{
    char id[ACQUIRER_ID_MAX];
    enum tp_err r = ledger_random(id, sizeof(id) - 1, e);

    if (r == TP_OK)
        r = db_begin(db, e);
    if (r == TP_OK)
        r = db_exec(db, "INSERT INTO acquirer (one, id, raised) VALUES (1, $1, 0)",
                    DB_VALUES(db_text(id)), NULL, e);
    if (r == TP_OK)
        r = db_commit(db, e);
    db_rollback(db);
    return r;
}

enum tp_err ledger_make(const char *where, struct tp_error *e)
{
    struct db *db = NULL;
    enum tp_err r = db_open(&db, where, &ledger_schema, DB_MAKE, e);

    if (r == TP_OK)
        r = give_number(db, e);
    db_close(&db);
    return r;
}

enum tp_err ledger_open(struct ledger **out, const char *where, struct tp_error *e)
{
    struct ledger *l = calloc(1, sizeof(*l));
    enum tp_err r;

    *out = NULL;
    if (l == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "cannot open the books: out of memory");
    l->is_file = !db_is_url(where);
    r = db_open(&l->db, where, &ledger_schema, DB_USE, e);
    if (r == TP_OK) {
        *out = l;
        l = NULL;
    }
    free(l);
    return r;
}

void ledger_close(struct ledger **l)
{
    if (*l == NULL)
        return;
    db_rollback((*l)->db);
    db_close(&(*l)->db);
    free(*l);
    *l = NULL;
}

struct db *ledger_db(struct ledger *l)
{
    return l->db;
}

/* ---- groups ---- */

enum tp_err ledger_begin(struct ledger *l, bool *own, struct tp_error *e)
{
    *own = !db_in_transaction(l->db);
    if (!*own)
        return TP_OK;
    l->last_rrn = 0;
    l->n_moved = 0;
    return db_begin(l->db, e);
}

static enum tp_err commit(struct ledger *l, struct tp_error *e)
{
    const enum tp_err r = ledger_write_totals(l, e);

    if (r == TP_OK)
        return db_commit(l->db, e);
    ledger_group_rollback(l);
    return r;
}

enum tp_err ledger_end(struct ledger *l, bool own, enum tp_err r, struct tp_error *e)
{
    if (!own)
        return r;
    if (r == TP_OK)
        return commit(l, e);
    ledger_group_rollback(l);
    return r;
}

enum tp_err ledger_group_begin(struct ledger *l, struct tp_error *e)
{
    bool own = false;
    const enum tp_err r = ledger_begin(l, &own, e);

    return r == TP_OK && !own ? tp_fail(e, TP_ERR_STATE, "a group is open already") : r;
}

enum tp_err ledger_group_commit(struct ledger *l, struct tp_error *e)
{
    return commit(l, e);
}

enum tp_err ledger_group_touch(struct ledger *l, struct tp_error *e)
{
    return db_touch(l->db, e);
}

void ledger_group_rollback(struct ledger *l)
{
    l->n_moved = 0;
    db_rollback(l->db);
}

/* ---- reference numbers ---- */

enum tp_err ledger_rrn_parse(int64_t *number, const char *rrn, struct tp_error *e)
{
    if (strlen(rrn) != RRN_MAX - 1 || strspn(rrn, "0123456789") != RRN_MAX - 1)
        return tp_fail(
            e, TP_ERR_USAGE,
            "\"%.40s\" is not a retrieval reference number: it has 12 digits, as in the list", rrn);
    *number = strtoll(rrn, NULL, 10);
    return TP_OK;
}

void ledger_rrn_format(char rrn[RRN_MAX], int64_t number)
{
    snprintf(rrn, RRN_MAX, "%012" PRId64, number >= 0 && number <= MONEY_MAX ? number : 0);
}
