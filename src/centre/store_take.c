/* Taking a remise into the centre's books. */
#include "centre/store_priv.h"

#include <string.h>

#include "base/mask.h"

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
    bool found = false;
    enum tp_err r =
        db_exec(s->db,
                "INSERT INTO contract (id, acquirer, held)"
                " SELECT CAST($1 AS TEXT), acquirer, 1 FROM acquirer WHERE id = $2 AND"
                " NOT EXISTS (SELECT 1 FROM contract WHERE id = $1 AND held = 1)",
                DB_VALUES(db_text(remise->contract), db_text(remise->acquirer)), NULL, e);

    if (r == TP_OK)
        r = db_number(s->db,
                      "SELECT contract FROM contract JOIN acquirer"
                      " ON acquirer.acquirer = contract.acquirer"
                      " WHERE contract.id = $1 AND held = 1 AND acquirer.id = $2",
                      DB_VALUES(db_text(remise->contract), db_text(remise->acquirer)), &s->contract,
                      &found, e);
    if (r == TP_OK && !found)
        return tp_fail(e, TP_ERR_NOT_FOUND, "contract %s is not acquirer %s's", remise->contract,
                       remise->acquirer);
    return r;
}

/* $3 … $17 of both statements. */
#define REMISE_VALUES(r)                                                                           \
    db_blob(SPAN_OF((r)->hash)), db_integer((int64_t)(r)->bytes),                                  \
        db_integer((r)->currency->numeric), db_integer((int64_t)(r)->result),                      \
        db_text((r)->verdict.reason), db_text((r)->verdict.text), db_integer((r)->created),        \
        db_integer((r)->answered), db_integer((int64_t)(r)->totals.count[CAAA_DEBIT]),             \
        db_integer((r)->totals.amount[CAAA_DEBIT]),                                                \
        db_integer((int64_t)(r)->totals.count[CAAA_CREDIT]),                                       \
        db_integer((r)->totals.amount[CAAA_CREDIT]),                                               \
        db_integer((int64_t)(r)->totals.count[CAAA_DEBIT_REVERSED]),                               \
        db_integer((r)->totals.amount[CAAA_DEBIT_REVERSED]), db_integer((int64_t)(r)->refused)

enum tp_err centre_take_open(struct centre_store *s, const struct centre_remise *remise,
                             struct tp_error *e)
{
    enum tp_err r = contract_row(s, remise, e);

    if (r != TP_OK)
        return r;
    memcpy(s->taking, remise->contract, sizeof(s->taking));
    s->number = remise->number;
    return db_number(
        s->db,
        "INSERT INTO remise (contract, number, hash, bytes, currency, result, reason, text,"
        " created, answered, debits, debit_amount, credits, credit_amount, reversals,"
        " reversal_amount, refused)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
        " RETURNING remise",
        DB_VALUES(db_integer(s->contract), db_integer(remise->number), REMISE_VALUES(remise)),
        &s->remise, NULL, e);
}

enum tp_err centre_take_settle(struct centre_store *s, const struct centre_remise *remise,
                               struct tp_error *e)
{
    return db_exec(
        s->db,
        "UPDATE remise SET hash = $3, bytes = $4, currency = $5, result = $6, reason = $7,"
        " text = $8, created = $9, answered = $10, debits = $11, debit_amount = $12, credits = $13,"
        " credit_amount = $14, reversals = $15, reversal_amount = $16, refused = $17"
        " WHERE remise = $1 AND number = $2",
        DB_VALUES(db_integer(s->remise), db_integer(remise->number), REMISE_VALUES(remise)), NULL,
        e);
}

static enum tp_err take_account(struct centre_store *s, const struct caaa_item *item,
                                const struct signed_item *by, struct tp_error *e)
{
    return db_exec(s->db,
                   "INSERT INTO by_account (remise, sequence, account, key, word, statement,"
                   " challenge) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                   DB_VALUES(db_integer(s->remise), db_integer(item->sequence),
                             db_text(item->account), db_blob_or_null(SPAN_OF(by->key), by->found),
                             db_text(by->word), db_blob(item->statement), db_blob(item->challenge)),
                   NULL, e);
}

struct sealed_pan {
    char masked[PAN_TEXT_MAX];
    uint8_t raw[PAN_MAX + SEAL_OVERHEAD], lookup_raw[SEAL_LOOKUP];
    struct span sealed, lookup; /* empty: no card */
};

static enum tp_err seal_pan(struct centre_store *s, struct sealed_pan *out,
                            const struct caaa_item *item, struct tp_error *e)
{
    char context[CONTEXT_MAX];
    struct buf sealed = BUF_OF(out->raw);

    *out = (struct sealed_pan){.masked = ""};
    if (item->account[0] != '\0')
        return TP_OK;
    if (seal_close(s->seal, &sealed, span_str(item->pan),
                   centre_context(context, s->taking, s->number, item->sequence)) != TP_OK ||
        seal_lookup(s->seal, out->lookup_raw, span_str(item->pan)) != TP_OK)
        return tp_fail(e, TP_ERR_INTERNAL, "cannot seal a card number");
    mask_pan(out->masked, item->pan);
    out->sealed = buf_span(&sealed);
    out->lookup = SPAN_OF(out->lookup_raw);
    return TP_OK;
}

enum tp_err centre_take_item(struct centre_store *s, const struct caaa_item *item,
                             const struct signed_item *by, const char *refused, struct tp_error *e)
{
    const struct centre_signature card = centre_signature_of(item->icc);
    struct sealed_pan pan;
    enum tp_err r = seal_pan(s, &pan, item, e);

    if (r != TP_OK)
        return r;
    r = db_exec(
        s->db,
        "INSERT INTO item (remise, sequence, terminal, rrn, stan, local_time, kind, amount, psn,"
        " expiry, pan_masked, pan_sealed, icc, refused, pan_lookup, atc, ac)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        DB_VALUES(db_integer(s->remise), db_integer(item->sequence), db_text(item->terminal),
                  db_text(item->rrn), db_integer(item->stan), db_integer(item->local_time),
                  db_integer((int64_t)item->kind), db_integer(item->amount), db_integer(item->psn),
                  db_integer(item->expiry), db_text(pan.masked), db_blob(pan.sealed),
                  db_blob(item->icc), db_text(refused != NULL ? refused : ""), db_blob(pan.lookup),
                  db_integer_or_null(card.atc, card.there), db_blob_or_null(card.ac, card.there)),
        NULL, e);
    return r == TP_OK && item->account[0] != '\0' ? take_account(s, item, by, e) : r;
}

/* A NULL is equal to nothing: an item without a signature is known by its transaction alone. */
static enum tp_err card_taken(struct centre_store *s, const struct caaa_item *item, bool *taken,
                              struct tp_error *e)
{
    const struct centre_signature card = centre_signature_of(item->icc);
    uint8_t lookup[SEAL_LOOKUP];
    int64_t one = 0;

    if (seal_lookup(s->seal, lookup, span_str(item->pan)) != TP_OK)
        return tp_fail(e, TP_ERR_INTERNAL, "cannot look up a card number");
    return db_number(s->db,
                     "SELECT 1 FROM item WHERE pan_lookup = $1 AND atc = $2"
                     " AND ac = $3 AND psn = $4 AND refused = ''",
                     DB_VALUES(db_blob(SPAN_OF(lookup)), db_integer_or_null(card.atc, card.there),
                               db_blob_or_null(card.ac, card.there), db_integer(item->psn)),
                     &one, taken, e);
}

/* A payment's counter counts once; of a session's vouchers, each of which is for all before it, so
 * much as the highest that was signed. */
static enum tp_err account_taken(struct centre_store *s, const struct caaa_item *item,
                                 const struct signed_item *by, bool *taken, struct tp_error *e)
{
    int64_t had = 0;
    enum tp_err r;

    if (by->most == 0)
        return db_number(s->db,
                         "SELECT 1 FROM by_account a JOIN item i ON i.remise = a.remise AND"
                         " i.sequence = a.sequence WHERE a.key = $1 AND a.word = $2 AND"
                         " i.refused = ''",
                         DB_VALUES(db_blob(SPAN_OF(by->key)), db_text(by->word)), &had, taken, e);
    r = db_number(s->db,
                  "SELECT CAST(coalesce(sum(i.amount), 0) AS BIGINT) FROM by_account a"
                  " JOIN item i ON i.remise = a.remise AND i.sequence = a.sequence"
                  " JOIN remise r ON r.remise = a.remise JOIN contract c ON c.contract = r.contract"
                  " WHERE a.key = $1 AND a.word = $2 AND c.id = $3 AND i.refused = ''",
                  DB_VALUES(db_blob(SPAN_OF(by->key)), db_text(by->word), db_text(s->taking)), &had,
                  NULL, e);
    *taken = r == TP_OK && item->amount > by->most - had;
    return r;
}

enum tp_err centre_taken_before(struct centre_store *s, const struct caaa_item *item,
                                const struct signed_item *by, bool *taken, struct tp_error *e)
{
    int64_t one = 0;
    const enum tp_err r =
        db_number(s->db,
                  "SELECT 1 FROM item JOIN remise ON remise.remise = item.remise"
                  " WHERE item.rrn = $1 AND item.terminal = $2 AND item.local_time = $3"
                  " AND remise.contract = $4 AND item.refused = ''",
                  DB_VALUES(db_text(item->rrn), db_text(item->terminal),
                            db_integer(item->local_time), db_integer(s->contract)),
                  &one, taken, e);

    if (r != TP_OK || *taken)
        return r;
    return item->account[0] != '\0' ? account_taken(s, item, by, taken, e)
                                    : card_taken(s, item, taken, e);
}

bool centre_signed_by_card(const struct caaa_item *item)
{
    return centre_signature_of(item->icc).there;
}
