#include "centre/intake.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"
#include "base/text.h"

#define READ_MS    20000 /* to read a document, and one more for each READ_BYTES of it */
#define READ_BYTES 256

struct taking { /* one remise on its way into the books */
    struct centre *centre;
    const struct intake_claim *claim;
    struct spool *document;
    int64_t until; /* on the monotonic clock: it must have been read by then */
    struct centre_remise remise;
    bool announced, mistaken; /* mistaken: it is not what its address says */
    bool failed;              /* an error of our own, not of the document */
};

/* ---- events of the reader ---- */

static enum tp_err own_fault(struct taking *t, enum tp_err r)
{
    t->failed |= r != TP_OK;
    return r;
}

static enum tp_err on_remise(void *ctx, const struct caaa_remise *r, struct tp_error *e)
{
    struct taking *t = ctx;
    struct centre_remise *m = &t->remise;

    if (strcmp(r->contract, t->claim->contract) != 0 || r->number != t->claim->number ||
        strcmp(r->acquirer, t->claim->acquirer) != 0) {
        t->mistaken = true;
        return tp_fail(e, TP_ERR_FORMAT,
                       "the document is remise %" PRIu32
                       " of contract %s from %s, and was sent as %" PRIu32 " of %s by %s",
                       r->number, r->contract, r->acquirer, t->claim->number, t->claim->contract,
                       t->claim->acquirer);
    }
    t->announced = true;
    m->currency = r->currency;
    m->created = r->created;
    m->totals.count[CAAA_DEBIT_REVERSED] = r->totals.count[CAAA_DEBIT_REVERSED];
    m->totals.amount[CAAA_DEBIT_REVERSED] = r->totals.amount[CAAA_DEBIT_REVERSED];
    return own_fault(t, centre_take_open(t->centre->store, m, e));
}

/* What makes it count, and that it does so once. */
static enum tp_err check_signed(struct taking *t, const struct caaa_item *item,
                                struct signed_item *by, const char **fault, struct tp_error *e)
{
    bool before = false;
    enum tp_err r = TP_OK;

    if (item->account[0] != '\0')
        r = signed_check(by, fault, item, t->claim->contract, t->remise.currency, e);
    else if (!centre_signed_by_card(item)) /* it could come again and again */
        *fault = "ICC_CRYPTOGRAM";
    if (r == TP_OK && *fault == NULL)
        r = centre_taken_before(t->centre->store, item, by, &before, e);
    if (r == TP_OK && before)
        *fault = "DUPLICATE";
    return r;
}

static enum tp_err on_item(void *ctx, const struct caaa_item *item, const char *fault,
                           struct tp_error *e)
{
    struct taking *t = ctx;
    struct signed_item by = {.found = false};
    enum tp_err r = TP_OK;

    if (atomic_load(t->centre->stopping))
        return own_fault(t, tp_fail(e, TP_ERR_CANCELLED, "the centre is going down"));
    if (fault == NULL)
        fault = refuse_item(t->centre->refuse, t->claim->contract, t->claim->number, item);
    if (fault == NULL)
        r = check_signed(t, item, &by, &fault, e);
    if (r == TP_OK && fault != NULL)
        t->remise.refused++;
    else if (r == TP_OK)
        r = caaa_totals_add(&t->remise.totals, item->kind, item->amount);
    if (r == TP_OK)
        r = centre_take_item(t->centre->store, item, &by, fault, e);
    return own_fault(t, r);
}

/* ---- from the document to the books ---- */

/* A document that does not hold together: its items are let go, the refusal of the whole is kept.
 */
static enum tp_err settle_declined(struct taking *t, const struct caaa_totals *counted,
                                   struct tp_error *e)
{
    const struct caaa_totals said = t->remise.totals;
    enum tp_err r;

    centre_take_rollback(t->centre->store);
    t->remise.result = CAAA_DECLINED;
    t->remise.totals = *counted;
    t->remise.totals.count[CAAA_DEBIT_REVERSED] = said.count[CAAA_DEBIT_REVERSED];
    t->remise.totals.amount[CAAA_DEBIT_REVERSED] = said.amount[CAAA_DEBIT_REVERSED];
    t->remise.refused = 0;
    r = centre_take_begin(t->centre->store, e);
    return r == TP_OK ? centre_take_open(t->centre->store, &t->remise, e) : r;
}

static enum tp_err settle_taken(struct taking *t, struct tp_error *e)
{
    t->remise.result = t->remise.refused > 0 ? CAAA_PARTIAL : CAAA_APPROVED;
    return centre_take_settle(t->centre->store, &t->remise, e);
}

/* Remises of a contract run without a gap (doc/design.md, Remises, rule 1): one that leaves a gap
 * behind `last` is taken, or declined, and said aloud. */
static enum tp_err watch_gap(struct taking *t, uint32_t last, struct tp_error *e)
{
    const struct intake_claim *c = t->claim;
    char text[120];

    if (c->number <= last + 1)
        return TP_OK;
    snprintf(text, sizeof(text),
             "remise %" PRIu32 " comes after %" PRIu32 ": those between have not come", c->number,
             last);
    log_error("ALARM: contract %s: %s", c->contract, text);
    return centre_alarm_add(t->centre->store, c->contract, c->number, text, e);
}

/* The bytes between two readings are few, and what they cost is bounded: so this bounds the time of
 * the whole. */
static enum tp_err read_in_time(void *ctx, uint8_t *out, size_t cap, size_t *n)
{
    struct taking *t = ctx;

    *n = 0;
    if (atomic_load(t->centre->stopping))
        return TP_ERR_CANCELLED;
    return time_monotonic_ms() < t->until ? spool_read(t->document, out, cap, n) : TP_ERR_TIMEOUT;
}

static enum tp_err read_with(struct taking *t, const struct caaa_schemas *schemas,
                             const struct caaa_transfer_events *events,
                             struct caaa_verdict *verdict, struct caaa_totals *counted,
                             struct tp_error *e)
{
    const struct caaa_source source = {read_in_time, t};
    const enum tp_err r = spool_rewind(t->document);

    if (r != TP_OK)
        return own_fault(t, tp_fail(e, r, "cannot read the spool file"));
    t->until = time_monotonic_ms() + READ_MS + (int64_t)(spool_size(t->document) / READ_BYTES);
    return caaa_transfer_read(schemas, &source, events, verdict, counted, e);
}

static enum tp_err pass_remise(void *ctx, const struct caaa_remise *r, struct tp_error *e)
{
    (void)ctx;
    (void)r;
    (void)e;
    return TP_OK;
}

static enum tp_err pass_item(void *ctx, const struct caaa_item *item, const char *fault,
                             struct tp_error *e)
{
    (void)ctx;
    (void)item;
    (void)fault;
    (void)e;
    return TP_OK;
}

/* Whether it is a document of its schema at all, found out beside the books: what takes long, or is
 * none, holds nobody up. */
static enum tp_err examine(struct taking *t, bool *sound, struct tp_error *e)
{
    static const struct caaa_transfer_events events = {NULL, pass_remise, pass_item};
    struct caaa_verdict verdict;
    struct caaa_totals counted;
    const enum tp_err r = read_with(t, t->centre->schemas, &events, &verdict, &counted, e);

    *sound = r == TP_OK;
    return r == TP_ERR_FORMAT ? TP_OK : r;
}

/* Examined before. */
static enum tp_err read_document(struct taking *t, struct caaa_totals *counted, struct tp_error *e)
{
    const struct caaa_transfer_events events = {t, on_remise, on_item};
    enum tp_err r = read_with(t, NULL, &events, &t->remise.verdict, counted, e);

    if (r == TP_OK && t->remise.verdict.reason[0] != '\0' &&
        !t->announced) /* nothing of it could be answered */
        r = tp_fail(e, TP_ERR_FORMAT, "%s: %s", t->remise.verdict.reason, t->remise.verdict.text);
    return r;
}

static enum tp_err take(struct taking *t, enum intake_outcome *outcome, struct tp_error *e)
{
    struct caaa_totals counted;
    uint32_t last = 0;
    enum tp_err r = centre_take_begin(t->centre->store, e);

    if (r != TP_OK)
        return r;
    r = centre_last_number(t->centre->store, t->claim->contract, &last, e);
    if (r != TP_OK)
        goto out;
    r = read_document(t, &counted, e);
    if (r == TP_ERR_FORMAT && !t->failed) {
        *outcome = INTAKE_INVALID;
        r = TP_OK;
        goto out;
    }
    t->remise.answered = time(NULL);
    if (r == TP_OK)
        r = t->remise.verdict.reason[0] != '\0' ? settle_declined(t, &counted, e)
                                                : settle_taken(t, e);
    if (r == TP_OK)
        r = watch_gap(t, last, e);
    if (r == TP_OK)
        r = centre_take_commit(t->centre->store, e);
    *outcome = INTAKE_ANSWERED;
out:
    centre_take_rollback(t->centre->store);
    return r;
}

/* ---- known again, or foreign ---- */

static enum tp_err alarm(struct centre *c, const struct intake_claim *claim, const char *text,
                         struct tp_error *e)
{
    log_error("ALARM: contract %s remise %" PRIu32 ": %s", claim->contract, claim->number, text);
    return centre_alarm_add(c->store, claim->contract, claim->number, text, e);
}

static enum tp_err recognise(struct centre *c, const struct intake_claim *claim,
                             const uint8_t hash[SPOOL_HASH], bool *known,
                             enum intake_outcome *outcome, struct tp_error *e)
{
    struct centre_remise before;
    char owner[CAAA_ID_MAX], text[160];
    enum tp_err r = centre_contract_owner(c->store, claim->contract, owner, e);

    *known = true;
    if (r == TP_OK && owner[0] != '\0' && strcmp(owner, claim->acquirer) != 0) {
        *outcome = INTAKE_FOREIGN;
        snprintf(text, sizeof(text), "acquirer %s sends for a contract of %s", claim->acquirer,
                 owner);
        r = alarm(c, claim, text, e);
        if (r == TP_OK)
            (void)tp_fail(e, TP_ERR_SECURITY, "contract %s is of another acquirer",
                          claim->contract);
        return r;
    }
    if (r == TP_OK)
        r = centre_remise_get(c->store, claim->acquirer, claim->contract, claim->number, &before,
                              e);
    if (r == TP_ERR_NOT_FOUND) {
        *known = false;
        return TP_OK;
    }
    if (r == TP_OK && memcmp(before.hash, hash, SPOOL_HASH) == 0)
        *outcome = INTAKE_ANSWERED;
    else if (r == TP_OK) {
        *outcome = INTAKE_CONFLICT;
        r = alarm(c, claim, "the number comes again with other content", e);
        if (r == TP_OK)
            (void)tp_fail(e, TP_ERR_SECURITY,
                          "remise %" PRIu32
                          " of contract %s came before with other content: neither is changed",
                          claim->number, claim->contract);
    }
    return r;
}

static enum tp_err recognise_alone(struct centre *c, const struct intake_claim *claim,
                                   const uint8_t hash[SPOOL_HASH], bool *known,
                                   enum intake_outcome *outcome, struct tp_error *e)
{
    enum tp_err r;

    pthread_mutex_lock(c->books); /* it may write an alarm */
    r = recognise(c, claim, hash, known, outcome, e);
    pthread_mutex_unlock(c->books);
    return r;
}

enum tp_err intake(struct centre *c, const struct intake_claim *claim, struct spool *document,
                   const uint8_t hash[SPOOL_HASH], enum intake_outcome *outcome, struct tp_error *e)
{
    struct taking t = {.centre = c, .claim = claim, .document = document};
    bool known = false, sound = false;
    enum tp_err r = recognise_alone(c, claim, hash, &known, outcome, e);

    if (r != TP_OK || known)
        return r;
    *outcome = INTAKE_INVALID;
    r = examine(&t, &sound, e);
    if (r != TP_OK || !sound)
        return r;
    memcpy(t.remise.acquirer, claim->acquirer, sizeof(t.remise.acquirer));
    memcpy(t.remise.contract, claim->contract, sizeof(t.remise.contract));
    t.remise.number = claim->number;
    memcpy(t.remise.hash, hash, SPOOL_HASH);
    t.remise.bytes = spool_size(document);
    pthread_mutex_lock(c->books);
    r = recognise(c, claim, hash, &known, outcome, e); /* another worker may have had the same */
    if (r == TP_OK && !known)
        r = take(&t, outcome, e);
    pthread_mutex_unlock(c->books);
    if (r == TP_OK && !known && *outcome == INTAKE_ANSWERED)
        log_note("contract %s remise %" PRIu32 ": %s, %" PRIu64 " transactions, %" PRIu64
                 " refused",
                 claim->contract, claim->number,
                 t.remise.result == CAAA_DECLINED ? t.remise.verdict.reason : _("taken"),
                 t.remise.totals.count[CAAA_DEBIT] + t.remise.totals.count[CAAA_CREDIT] +
                     t.remise.refused,
                 t.remise.refused);
    return r;
}

/* ---- the answer ---- */

static enum tp_err on_refused(void *ctx, const struct centre_item *item, struct tp_error *e)
{
    struct caaa_refusal refusal = {
        .sequence = item->sequence, .local_time = item->local_time, .stan = item->stan};

    snprintf(refusal.reason, sizeof(refusal.reason), "%s", item->refused);
    return caaa_response_refusal(ctx, &refusal, e);
}

enum tp_err intake_answer(struct centre *c, const struct intake_claim *claim,
                          const struct caaa_sink *sink, struct tp_error *e)
{
    struct centre_remise m;
    struct caaa_response response = {.number = 0};
    struct caaa_writer *w = NULL;
    enum tp_err r =
        centre_remise_get(c->store, claim->acquirer, claim->contract, claim->number, &m, e);

    if (r != TP_OK)
        return r;
    memcpy(response.acquirer, m.acquirer, sizeof(response.acquirer));
    memcpy(response.contract, m.contract, sizeof(response.contract));
    response.number = m.number;
    response.currency = m.currency;
    response.created = m.created;
    response.answered = m.answered;
    response.result = m.result;
    response.verdict = m.verdict;
    for (enum caaa_kind k = CAAA_DEBIT; k <= CAAA_CREDIT;
         k++) { /* its own count: of the annulled it has only the acquirer's word */
        response.totals.count[k] = m.totals.count[k];
        response.totals.amount[k] = m.totals.amount[k];
    }
    r = caaa_response_begin(&w, sink, &response, e);
    if (r == TP_OK && m.result == CAAA_PARTIAL)
        r = centre_item_each(c->store, claim->acquirer, claim->contract, claim->number, true,
                             on_refused, w, e);
    if (r == TP_OK)
        r = caaa_response_end(w, e);
    caaa_writer_free(&w);
    return r;
}
