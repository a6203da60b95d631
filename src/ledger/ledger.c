#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/ledger_priv.h"
#include "ledger/schema.h"

enum tp_err ledger_make(const char *path, struct tp_error *e)
{
    struct db *db = NULL;
    enum tp_err r;

    if (access(path, F_OK) == 0)
        return tp_fail(e, TP_ERR_EXISTS, "%s is there already: the books are never written over",
                       path);
    r = db_open(&db, path, true, ledger_schema, ledger_schema_versions, e);
    db_close(&db);
    return r;
}

enum tp_err ledger_open(struct ledger **out, const char *path, struct tp_error *e)
{
    struct ledger *l = calloc(1, sizeof(*l));
    enum tp_err r;

    *out = NULL;
    if (l == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "cannot open %s: out of memory", path);
    r = db_open(&l->db, path, false, ledger_schema, ledger_schema_versions, e);
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

enum tp_err ledger_begin(struct ledger *l, bool *own, struct tp_error *e)
{
    *own = !db_in_transaction(l->db);
    if (*own && l->grouped)
        return tp_fail(e, TP_ERR_IO,
                       "the disk failed earlier in this group: nothing of it is kept");
    if (*own)
        l->last_rrn = 0;
    return *own ? db_begin(l->db, e) : TP_OK;
}

enum tp_err ledger_end(struct ledger *l, bool own, enum tp_err r, struct tp_error *e)
{
    if (!own)
        return r;
    if (r == TP_OK)
        return db_commit(l->db, e);
    db_rollback(l->db);
    return r;
}

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
