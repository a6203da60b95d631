/* A mediator's payments. A repeat is answered as its first, before anything else is asked of it;
 * what is new must bear an order of that mediator, and then passes every check that a terminal's
 * does. */
#include <stdlib.h>
#include <string.h>

#include "acquirer/server_priv.h"
#include "base/log.h"
#include "base/mask.h"

/* The fields, and whose terminal it is. */
static enum tp_err begin(struct request *q, enum ledger_verdict *v, char word[VERDICT_WORD_MAX],
                         struct tp_error *e)
{
    char reason[PROFILE_REASON_MAX];
    enum tp_err r;

    if (!check_places(word, q->message, true)) {
        *v = LEDGER_MALFORMED;
    } else if (profile_fault(reason, PROFILE_MEDIATOR, q->message) != NULL) {
        snprintf(word, VERDICT_WORD_MAX, "%s", reason);
        *v = LEDGER_MALFORMED;
    }
    if (*v != LEDGER_NEW)
        return TP_OK;
    r = check_known(q->party, &q->worker->checker, v, e);
    if (r == TP_OK && *v == LEDGER_NEW)
        r = mediated_start(&q->worker->mediated, v, q->message, e);
    if (*v == LEDGER_MALFORMED)
        snprintf(word, VERDICT_WORD_MAX, "DE%d", MEDIATION_FIRST);
    return r;
}

/* What the books know it by, all that is needed to find one that came before. */
static struct tx_record identity_of(const struct request *q, time_t now)
{
    static const uint8_t no_card[SEAL_LOOKUP];
    struct tx_record tx = request_known(q);
    uint64_t month_day = 0, clock = 0;

    if (iso8583_number(q->message, 13, &month_day) == TP_OK &&
        iso8583_number(q->message, 12, &clock) == TP_OK)
        tx.local_time = (int64_t)check_day((unsigned)month_day, now) * 1000000 + (int64_t)clock;
    tx.digest = span_of(q->worker->mediated.digest, sizeof(q->worker->mediated.digest));
    tx.pan_lookup = SPAN_OF(no_card);
    tx.emv.online = true; /* not asked about again */
    return tx;
}

/* The committer answers a repeat, with what was signed of the first; true: it will. The order's
 * time may be over by now; the payer's key is read for the answer alone. */
static enum tp_err answer_repeat(struct request *q, bool *later, time_t now, struct tp_error *e)
{
    struct mediated *m = &q->worker->mediated;
    const struct tx_record tx = identity_of(q, now);
    const struct commit_request wait = {q->message->mti, &q->echo, &tx, q->peer, &m->payer};
    enum ledger_verdict v = LEDGER_NEW;
    struct wire_answer otherwise;
    char rrn[RRN_MAX];
    enum tp_err r = ledger_look(q->worker->checker.ledger, &tx, false, &v, rrn, e);

    if (r != TP_OK || (v != LEDGER_REPEAT && v != LEDGER_ASKED && v != LEDGER_ANSWERED))
        return r;
    (void)mediated_unseal(m, &q->worker->keys);
    answer_verdict(&otherwise, LEDGER_FAULT, NULL);
    r = committer_wait(q->server->committer, &wait, &otherwise);
    *later = r == TP_OK;
    return r == TP_OK ? r : tp_fail(e, r, "a repeat cannot be passed on: %s", tp_err_text(r));
}

/* The order, what is sealed, and then the card's own message. */
static enum tp_err check(struct request *q, enum check_outcome *outcome, struct wire_answer *a,
                         time_t now, struct tp_error *e)
{
    struct worker *w = q->worker;
    struct mediated *m = &w->mediated;
    enum ledger_verdict v =
        mediated_order(m, q->message, &w->keys, q->party, w->checker.acquirer, now);

    if (m->ordered)
        v = ledger_verdict_first(v, mediated_unseal(m, &w->keys));
    if (v == LEDGER_NEW)
        return check_payment(outcome, a, &w->payment, &w->checker, &m->inner, &m->passed, q->party,
                             now, e);
    w->payment.pan[0] = '\0';
    answer_verdict(a, v, NULL);
    return TP_OK;
}

/* A refusal, signed when it is one of an order. */
static void refuse(struct request *q, const struct wire_answer *a)
{
    const struct mediated *m = &q->worker->mediated;
    struct tx_record tx = request_known(q);
    const struct commit_request refused = {q->message->mti, &q->echo, &tx, q->peer, NULL};
    struct outcome o = {.acknowledgement = NULL};
    struct tp_error e = {TP_OK, ""};

    if (q->worker->payment.pan[0] != '\0')
        mask_pan(tx.pan_masked, q->worker->payment.pan);
    if (m->ordered) { /* whose amount it is, whatever the message says */
        const struct currency *c = currency_by_alpha(m->order.currency);

        tx.mediated = m->what;
        tx.amount = strtoll(m->order.amount, NULL, 10);
        tx.currency = c != NULL ? c->numeric : 0;
    }
    if (reply_sign(&o.acknowledgement, &q->worker->keys.acknowledgement, &tx, a, false, time(NULL),
                   &e) != TP_OK)
        log_error("%s", e.text);
    reply_send(q->peer, &q->echo, &m->payer, a, &o);
    answer_log(q->message->mti, &tx, a);
    outcome_clear(&o);
    if (committer_refused(q->server->committer, &refused, a) != TP_OK)
        log_error("a refusal is not kept: no memory, or too much waits for the books");
}

/* One whose first was booked while it was checked waits for what was signed of that. */
static enum tp_err pass_on(struct request *q, enum check_outcome outcome, struct wire_answer *a,
                           bool *later, struct tp_error *e)
{
    const bool repeats = outcome == CHECK_REPEATED || q->worker->payment.verdict == LEDGER_ANSWERED;

    return request_pass_on(q, repeats ? CHECK_WAIT : outcome, a, later, e);
}

static void handle(struct request *q, time_t now)
{
    enum check_outcome outcome = CHECK_REFUSED;
    struct tp_error e = {TP_OK, ""};
    struct wire_answer a;
    bool later = false;
    enum tp_err r = answer_repeat(q, &later, now, &e);

    if (later)
        return;
    q->worker->payment.verdict = LEDGER_NEW;
    if (r == TP_OK)
        r = check(q, &outcome, &a, now, &e);
    if (r == TP_OK)
        r = pass_on(q, outcome, &a, &later, &e);
    if (r != TP_OK)
        request_fault(q, &e);
    else if (!later)
        refuse(q, &a);
}

void on_mediated(struct request *q)
{
    const time_t now = time(NULL);
    struct mediated *m = &q->worker->mediated;
    enum ledger_verdict v = LEDGER_NEW;
    char word[VERDICT_WORD_MAX] = "";
    struct tp_error e = {TP_OK, ""};
    enum tp_err r = worker_have_keys(q->worker, &e);

    worker_look(q->worker, now);
    if (r == TP_OK)
        r = begin(q, &v, word, &e);
    if (r != TP_OK) {
        request_fault(q, &e);
    } else if (v != LEDGER_NEW) {
        request_answer(q, v, word);
    } else {
        q->payer = &m->payer;
        handle(q, now);
        q->payer = NULL;
    }
    mediated_clear(m);
}
