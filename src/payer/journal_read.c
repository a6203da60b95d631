/* The journal, read: one payment by its number, its reference or its place, lists, days. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/emvbits.h"
#include "base/text.h"
#include "payer/journal_priv.h"

#define STAN_DIGITS 6
#define RRN_DIGITS  12

enum tp_err journal_row_receipt(struct journal *j, const struct journal_row *row, struct receipt *r,
                                struct tp_error *e)
{
    json_t *object = json_loadb((const char *)row->receipt.p, row->receipt.n, 0, NULL);
    const enum tp_err rc = object != NULL ? receipt_from_json(r, object) : TP_ERR_FORMAT;

    json_decref(object);
    return rc == TP_OK
               ? TP_OK
               : tp_fail(e, TP_ERR_IO, "the journal %s is damaged: a payment in it cannot be read",
                         j->path);
}

static const struct db_column receipt_column[] = {DB_COLUMN(struct journal_row, receipt)};

enum tp_err journal_get(struct journal *j, int64_t id, struct receipt *r, struct tp_error *e)
{
    struct journal_row row;
    bool found = false;
    const enum tp_err rc =
        db_one(j->db, "SELECT receipt FROM payment WHERE id = $1", DB_VALUES(db_integer(id)),
               DB_COLUMNS(receipt_column), &row, &found, e);

    if (rc == TP_OK && !found)
        return tp_fail(e, TP_ERR_NOT_FOUND, "the journal %s has no payment %" PRId64, j->path, id);
    return rc == TP_OK ? journal_row_receipt(j, &row, r, e) : rc;
}

enum tp_err journal_list(struct journal *j, struct journal_filter which, journal_each *each,
                         void *ctx, struct tp_error *e)
{
    struct db_rows *rows = NULL;
    struct receipt r;
    struct journal_row row;
    bool found = true;
    enum tp_err rc =
        db_query(j->db, &rows,
                 "SELECT receipt FROM payment WHERE date >= $1 AND ($2 = 0 OR date <= $2)"
                 " AND ($3 = 0 OR amount = $3) AND ($4 < 0 OR state = $4) ORDER BY id DESC",
                 DB_VALUES(db_integer(which.since), db_integer(which.until),
                           db_integer(which.amount), db_integer(which.state)),
                 DB_COLUMNS(receipt_column), e);

    while (rc == TP_OK && (rc = db_next(rows, &row, &found, e)) == TP_OK && found &&
           (rc = journal_row_receipt(j, &row, &r, e)) == TP_OK)
        if (!each(ctx, &r))
            break;
    db_end(&rows);
    return rc;
}

_Static_assert(PAYMENT_SIGNED == 1 && PAYMENT_ACKNOWLEDGED == 2 && PAYMENT_ASKED == 5 &&
                   PAYMENT_TO_REVERSE == 6 && PAYMENT_REVERSED == 7 && PAYMENT_NOT_REVERSED == 8,
               "the states that are or were payments are written out in the statement");

static enum tp_err find_row(struct journal *j, const char *word, bool stands,
                            struct journal_row *row, bool *found, struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN(struct journal_row, id),
                                               DB_COLUMN(struct journal_row, receipt)};
    const size_t n = strspn(word, "0123456789");

    if (strcmp(word, "last") == 0)
        return db_one(j->db,
                      "SELECT id, receipt FROM payment WHERE $1 = 0 OR state IN (1, 2, 5, 6, 7, 8)"
                      " ORDER BY id DESC LIMIT 1",
                      DB_VALUES(db_integer(stands ? 1 : 0)), DB_COLUMNS(columns), row, found, e);
    if (word[n] != '\0' || (n != RRN_DIGITS && (n < 1 || n > STAN_DIGITS)))
        return tp_fail(e, TP_ERR_USAGE,
                       "\"%.40s\" is no payment: name it by its reference (12 digits), its number "
                       "(1 to 6 digits), or \"last\": they stand in telepay journal list",
                       word);
    if (n == RRN_DIGITS)
        return db_one(j->db,
                      "SELECT id, receipt FROM payment WHERE rrn = $1 ORDER BY id DESC LIMIT 1",
                      DB_VALUES(db_text(word)), DB_COLUMNS(columns), row, found, e);
    return db_one(j->db, "SELECT id, receipt FROM payment WHERE stan = $1 ORDER BY id DESC LIMIT 1",
                  DB_VALUES(db_integer(strtol(word, NULL, 10))), DB_COLUMNS(columns), row, found,
                  e);
}

enum tp_err journal_find(struct journal *j, const char *word, bool stands, int64_t *id,
                         struct receipt *r, struct tp_error *e)
{
    struct journal_row row = {.id = 0};
    bool found = false;
    const enum tp_err rc = find_row(j, word, stands, &row, &found, e);

    if (rc != TP_OK)
        return rc;
    if (!found && strcmp(word, "last") == 0)
        return tp_fail(e, TP_ERR_NOT_FOUND, "the journal %s has no payment%s", j->path,
                       stands ? _(" that is acknowledged") : "");
    if (!found)
        return tp_fail(e, TP_ERR_NOT_FOUND, "the journal %s has no payment with the %s %s", j->path,
                       strlen(word) == RRN_DIGITS ? _("reference") : _("number"), word);
    *id = row.id;
    return journal_row_receipt(j, &row, r, e);
}

enum tp_err journal_refunded(struct journal *j, const char *rrn, int64_t *amount,
                             struct tp_error *e)
{
    return db_number(j->db,
                     "SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) FROM payment"
                     " WHERE type = 32 AND receipt ->> 'refund_of' = $1 AND state NOT IN (0, 3, 7)",
                     DB_VALUES(db_text(rrn)), amount, NULL, e);
}
_Static_assert(TYPE_REFUND == 32 && PAYMENT_DECLINED == 0 && PAYMENT_ACKNOWLEDGED == 2 &&
                   PAYMENT_REFUSED == 3 && PAYMENT_REVERSED == 7,
               "as the statements say");

enum tp_err journal_days(struct journal *j, journal_each_day *each, void *ctx, struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct journal_day, date),    DB_COLUMN(struct journal_day, currency),
        DB_COLUMN(struct journal_day, state),   DB_COLUMN(struct journal_day, count),
        DB_COLUMN(struct journal_day, debits),  DB_COLUMN(struct journal_day, credits),
        DB_COLUMN(struct journal_day, refunds),
    };
    struct db_rows *rows = NULL;
    struct journal_day d;
    bool found = true;
    enum tp_err rc =
        db_query(j->db, &rows,
                 "SELECT date, currency, state, count(*) AS count,"
                 " CAST(sum(CASE type WHEN 32 THEN 1 ELSE 0 END) AS BIGINT) AS refunds,"
                 " CAST(sum(CASE type WHEN 32 THEN 0 ELSE amount END) AS BIGINT) AS debits,"
                 " CAST(sum(CASE type WHEN 32 THEN amount ELSE 0 END) AS BIGINT) AS credits"
                 " FROM payment GROUP BY date, currency, state"
                 " ORDER BY date DESC, currency, state",
                 DB_NONE, DB_COLUMNS(columns), e);

    while (rc == TP_OK && (rc = db_next(rows, &d, &found, e)) == TP_OK && found)
        if (!each(ctx, &d))
            break;
    db_end(&rows);
    return rc;
}
