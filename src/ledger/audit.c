#include "ledger/audit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "apdu/emvbits.h"
#include "base/progress.h"
#include "base/text.h"
#include "ledger/ledger_priv.h"
#include "ledger/proof.h"

#define CHAINS 1024 /* verified certificate chains kept: about 8 KiB each */

struct audit {
    struct ledger *l;
    struct seal *seal;
    struct evidence_cache *cache;
    const struct order_authority *orders;
    const struct audit_watch *watch;
    struct audit_sums *sums;
    struct audit_remise now; /* the remise being walked */
    struct progress progress;
    struct proof proof;
    char acquirer[ACQUIRER_ID_MAX];
    char contract[CONTRACT_ID_MAX]; /* of the remise before */
    uint32_t number;
    enum remise_state state;
};

__attribute__((format(printf, 6, 7))) static enum tp_err find(struct audit *a,
                                                              const struct remise *remise,
                                                              const char *rrn, const char *check,
                                                              struct tp_error *e,
                                                              const char *format, ...)
{
    struct audit_finding f = {0};
    va_list ap;

    if (remise != NULL) {
        memcpy(f.contract, remise->contract, sizeof(f.contract));
        f.remise = remise->number;
    }
    snprintf(f.rrn, sizeof(f.rrn), "%s", rrn);
    snprintf(f.check, sizeof(f.check), "%s", check);
    va_start(ap, format);
    vsnprintf(f.text, sizeof(f.text), format, ap);
    va_end(ap);
    a->sums->findings++;
    a->now.findings++;
    progress_hide(&a->progress);
    return a->watch->finding(a->watch->ctx, &f, e);
}

/* ---- one transaction ---- */

static void add_signed(struct remise_totals *t, const struct proof *p, bool reversed)
{
    if (reversed) {
        t->reversals++;
        t->reversal_amount += p->result.amount;
    } else if (p->result.type == TYPE_REFUND) {
        t->credits++;
        t->credit_amount += p->result.amount;
    } else {
        t->debits++;
        t->debit_amount += p->result.amount;
    }
}

static enum tp_err audit_tx(void *ctx, uint32_t sequence, const struct tx_record *tx,
                            struct tp_error *e)
{
    struct audit *a = ctx;
    char text[PROOF_TEXT];
    enum tp_err r = proof_make(&a->proof, tx, a->acquirer, a->seal, a->cache, a->orders, e);

    (void)sequence;
    progress_at(&a->progress, ++a->sums->transactions);
    for (enum proof_step s = 0; s < PROOF_STEPS && r == TP_OK; s++) {
        if (!proof_has(tx, s) || proof_holds(&a->proof, tx, a->seal, s, text))
            continue;
        r = find(a, &a->now.books, tx->rrn, proof_step_name(s), e, "%s", text);
        if (s == PROOF_EVIDENCE || s == PROOF_VALUES)
            break; /* what comes behind rests on it */
    }
    if (r != TP_OK || !a->proof.result.has_values || !proof_approves(&a->proof, tx))
        return r;
    add_signed(&a->now.evidence, &a->proof, tx->state == TX_REVERSED);
    if (tx->state == TX_REJECTED)
        add_signed(&a->now.refused, &a->proof, false);
    if (proof_vouched(&a->proof)) {
        a->now.vouched++;
        a->sums->vouched++;
    }
    return r;
}

/* ---- one remise ---- */

static enum tp_err compare(struct audit *a, const char *what, uint32_t books_n, int64_t books,
                           uint32_t signed_n, int64_t signed_amount, struct tp_error *e)
{
    if (books_n == signed_n && books == signed_amount)
        return TP_OK;
    return find(a, &a->now.books, "", "totals", e,
                "the books say %" PRIu32 " %s of together %" PRId64
                " minor units, the cards signed %" PRIu32 " of together %" PRId64,
                books_n, what, books, signed_n, signed_amount);
}

static enum tp_err compare_totals(struct audit *a, struct tp_error *e)
{
    const struct remise_totals *b = &a->now.books.totals, *s = &a->now.evidence;
    enum tp_err r = compare(a, "debits", b->debits, b->debit_amount, s->debits, s->debit_amount, e);

    if (r == TP_OK)
        r = compare(a, "credits", b->credits, b->credit_amount, s->credits, s->credit_amount, e);
    return r == TP_OK ? compare(a, "reversals", b->reversals, b->reversal_amount, s->reversals,
                                s->reversal_amount, e)
                      : r;
}

static enum tp_err compare_refused(struct audit *a, struct tp_error *e)
{
    const struct remise_totals *s = &a->now.refused;
    struct remise_totals b;
    enum tp_err r = ledger_remise_refused(a->l, &a->now.books, &b, e);

    if (r == TP_OK)
        r = compare(a, "refused debits", b.debits, b.debit_amount, s->debits, s->debit_amount, e);
    return r == TP_OK ? compare(a, "refused credits", b.credits, b.credit_amount, s->credits,
                                s->credit_amount, e)
                      : r;
}

/* Numbers without a gap, and only the last one open: `a` remembers the remise before. */
static enum tp_err check_place(struct audit *a, struct tp_error *e)
{
    const struct remise *b = &a->now.books;
    const bool first = strcmp(a->contract, b->contract) != 0;
    enum tp_err r = TP_OK;

    if (first)
        a->sums->contracts++;
    if (b->number != (first ? 1 : a->number + 1))
        r = find(a, b, "", "number", e,
                 "remise %" PRIu32 " should be %" PRIu32 ": the numbers have a gap", b->number,
                 first ? 1 : a->number + 1);
    if (r == TP_OK && !first && a->state == REMISE_OPEN)
        r = find(a, b, "", "state", e, "remise %" PRIu32 " is open although it is not the last",
                 a->number);
    if (r == TP_OK && (b->state == REMISE_OPEN) != (b->day == 0))
        r = find(a, b, "", "state", e, "remise %" PRIu32 " is %s, which its business day belies",
                 b->number, remise_state_name(b->state));
    if (r == TP_OK && b->state >= REMISE_SUBMITTED && b->attempts == 0)
        r = find(a, b, "", "state", e, "remise %" PRIu32 " is %s without ever having been sent",
                 b->number, remise_state_name(b->state));
    memcpy(a->contract, b->contract, sizeof(a->contract));
    a->number = b->number;
    a->state = b->state;
    return r;
}

static enum tp_err walk_items(struct audit *a, struct tp_error *e)
{
    const struct remise *b = &a->now.books;

    return ledger_tx_walk(a->l,
                          TX_SELECT "WHERE tx.remise = (SELECT r.remise FROM remise r JOIN "
                                    "contract c ON c.contract = r.contract WHERE c.id = $1 AND "
                                    "r.number = $2) ORDER BY tx.rrn",
                          DB_VALUES(db_text(b->contract), db_integer(b->number)), audit_tx, a, e);
}

static enum tp_err audit_one(void *ctx, const struct remise *remise, struct tp_error *e)
{
    struct audit *a = ctx;
    enum tp_err r;

    a->now = (struct audit_remise){.books = *remise};
    a->sums->remises++;
    r = check_place(a, e);
    if (r == TP_OK)
        r = walk_items(a, e);
    if (r == TP_OK)
        r = compare_totals(a, e);
    if (r == TP_OK)
        r = compare_refused(a, e);
    progress_hide(&a->progress);
    return r == TP_OK ? a->watch->remise(a->watch->ctx, &a->now, e) : r;
}

/* ---- the books as a whole ---- */

/* Each row of these is a finding: the reference number (or 0) and a sentence. The database sorts on
 * disk, so memory stays constant. */
static const struct {
    const char *check, *sql;
    bool of_file; /* asked of SQLite alone: a server keeps its own references and pages */
} wholes[] = {
    {"counter",
     "SELECT max(rrn) AS number, 'counter ' || atc || ' of its card has paid ' || count(*) || ' "
     "times' AS text FROM tx"
     /* the TC of a counter may follow its own ARQC, when that is reversed */
     " WHERE rrn NOT IN (SELECT reversal.rrn FROM reversal JOIN authorisation ON "
     "authorisation.rrn = reversal.rrn WHERE arqc = 1)"
     " GROUP BY pan_lookup, psn, card_expiry, aid, atc HAVING count(*) > 1",
     false},
    {"number", /* by the amount too, so that the rows are read, not the index that forbids this */
     "SELECT rrn AS number, 'another payment has its terminal, day and trace number' AS text FROM"
     " (SELECT rrn, lag(rrn) OVER (PARTITION BY terminal + 0 * amount, date, stan ORDER BY rrn) "
     "AS before FROM tx) AS q WHERE before IS NOT NULL",
     false},
    {"state",
     "SELECT suspense.rrn AS number, 'it is in suspense though its remise is not settled' AS text "
     "FROM suspense JOIN tx ON tx.rrn = suspense.rrn JOIN remise ON remise.remise = tx.remise"
     " WHERE remise.state NOT IN (3, 4)",
     false},
    {"state",
     "SELECT reversal.rrn AS number, 'its reversal names another trace number' AS text FROM "
     "reversal JOIN tx ON tx.rrn = reversal.rrn WHERE tx.terminal <> reversal.terminal"
     " OR tx.date <> reversal.date OR tx.stan <> reversal.stan",
     false},
    {"state",
     "SELECT 0 AS number, 'contract ' || contract.id || ' has ' || count(remise.remise) || ' open "
     "remises' AS text FROM contract LEFT JOIN remise"
     " ON remise.contract = contract.contract AND remise.state = 0 GROUP BY contract.contract, "
     "contract.id HAVING count(remise.remise) <> 1",
     false},
    {"issuer",
     "SELECT a.rrn AS number, 'its issuer approved it, and it is not kept' AS text FROM "
     "authorisation a LEFT JOIN tx ON tx.rrn = a.rrn WHERE a.state = 1 AND tx.rrn IS NULL",
     false},
    {"issuer",
     "SELECT tx.rrn AS number, 'it is kept though its issuer did not approve it' AS text FROM tx "
     "JOIN authorisation a ON a.rrn = tx.rrn WHERE a.state IN (0, 2) OR a.approval = ''",
     false},
    {"issuer",
     "SELECT tx.rrn AS number, 'it is reversed, and its issuer was not told' AS text FROM tx JOIN "
     "authorisation a ON a.rrn = tx.rrn JOIN reversal ON reversal.rrn = tx.rrn WHERE a.state = 1",
     false},
    {"issuer",
     "SELECT tx.rrn AS number, 'its issuer was told to take it back though it is not reversed' AS "
     "text FROM tx JOIN authorisation a ON a.rrn = tx.rrn"
     " LEFT JOIN reversal ON reversal.rrn = tx.rrn WHERE a.state IN (3, 4) AND reversal.rrn IS "
     "NULL",
     false},
    {"order",
     "SELECT max(tx.rrn) AS number, 'its order was paid ' || count(*) || ' times' AS text FROM "
     "mediated JOIN tx ON tx.rrn = mediated.rrn GROUP BY mediated.mediator, mediated.id HAVING "
     "count(*) > 1",
     false},
    {"order",
     "SELECT tx.rrn AS number, 'it is of a mediator, and no order is kept with it' AS text FROM tx "
     "JOIN terminal ON terminal.terminal = tx.terminal LEFT JOIN mediated ON mediated.rrn = tx.rrn"
     " WHERE terminal.mediator IS DISTINCT FROM mediated.mediator",
     false},
    {"number",
     "SELECT 0 AS number, 'a remise is numbered without a contract' AS text FROM remise WHERE "
     "contract NOT IN (SELECT contract FROM contract)",
     false},
    {"number",
     "SELECT rrn AS number, 'it belongs to no remise or no terminal' AS text FROM tx WHERE remise "
     "NOT IN (SELECT remise FROM remise) OR terminal NOT IN (SELECT terminal FROM terminal)",
     false},
    {"database",
     "SELECT 0 AS number, 'row ' || coalesce(rowid, '?') || ' of ' || \"table\" || ' belongs to "
     "nothing' AS text FROM pragma_foreign_key_check",
     true},
    {"database",
     "SELECT 0 AS number, quick_check AS text FROM pragma_quick_check WHERE quick_check <> 'ok'",
     true},
};

struct whole {
    int64_t number;
    char text[400];
};

static enum tp_err audit_whole(struct audit *a, const char *check, const char *sql,
                               struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN(struct whole, number),
                                               DB_COLUMN(struct whole, text)};
    struct whole row;
    struct db_rows *rows = NULL;
    char rrn[RRN_MAX];
    bool found = true;
    enum tp_err r = db_query(a->l->db, &rows, sql, DB_NONE, DB_COLUMNS(columns), e);

    while (r == TP_OK) {
        r = db_next(rows, &row, &found, e);
        if (r != TP_OK || !found)
            break;
        rrn[0] = '\0';
        if (row.number != 0)
            ledger_rrn_format(rrn, row.number);
        r = find(a, NULL, rrn, check, e, "%s", row.text);
    }
    db_end(&rows);
    return r;
}

static enum tp_err audit_wholes(struct audit *a, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]) && r == TP_OK; i++)
        if (a->l->is_file || !wholes[i].of_file)
            r = audit_whole(a, wholes[i].check, wholes[i].sql, e);
    return r;
}

enum tp_err ledger_audit(struct ledger *l, struct seal *seal, const struct capk_store *authorities,
                         const struct order_authority *orders, const struct audit_watch *watch,
                         struct audit_sums *sums, struct tp_error *e)
{
    struct audit a = {.l = l, .seal = seal, .orders = orders, .watch = watch, .sums = sums};
    enum tp_err r = evidence_cache_new(&a.cache, authorities, CHAINS);
    int64_t n = 0;

    *sums = (struct audit_sums){0};
    if (r != TP_OK)
        return tp_fail(e, r, "cannot audit: %s", tp_err_text(r));
    r = ledger_acquirer_id(l, a.acquirer, e);
    if (r == TP_OK)
        r = db_begin_read(l->db, e);
    if (r == TP_OK)
        r = db_number(l->db, "SELECT count(*) FROM tx", DB_NONE, &n, NULL, e);
    progress_start(&a.progress, (uint64_t)n, N_("transactions"));
    if (r == TP_OK)
        r = ledger_remise_each(l, NULL, -1, audit_one, &a, e);
    if (r == TP_OK)
        r = audit_wholes(&a, e);
    progress_hide(&a.progress);
    db_rollback(l->db);
    evidence_cache_free(&a.cache);
    return r;
}
