/* What each of the committer's jobs does in the books, within the group's transaction. */
#include <stdio.h>
#include <string.h>

#include "acquirer/check.h"
#include "acquirer/commit_priv.h"
#include "base/log.h"

/* The payments of mediators are answered with what the acquirer signs of them. What cannot be
 * signed is answered without: the mediator asks again. */
static enum tp_err sign(struct job *j, struct bench *b, const struct tx_record *tx, bool asked,
                        time_t at, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    if (tx->mediated.order[0] == '\0')
        return TP_OK;
    if (b->keys.authority == NULL)
        r = acquirer_keys_load(&b->keys, b->dir, e);
    if (r == TP_OK)
        r = reply_sign(&j->outcome.acknowledgement, &b->keys.acknowledgement, tx, &j->answer, asked,
                       at, e);
    j->outcome.completes = wire_answer_is_yes(&j->answer) && tx->emv.online;
    if (r != TP_OK)
        log_error("%s/%s %06u: %s", tx->contract, tx->terminal, tx->stan, e->text);
    return TP_OK;
}

/* … and kept with the payment, or with the question, under its number. */
static enum tp_err sign_and_keep(struct job *j, struct bench *b, const struct tx_record *tx,
                                 time_t at, struct tp_error *e)
{
    const enum tp_err r = sign(j, b, tx, true, at, e);

    return r == TP_OK && j->outcome.acknowledgement != NULL
               ? ledger_mediated_answered(b->ledger, tx->rrn, j->outcome.acknowledgement, e)
               : r;
}

/* A repeat is told what was signed of the first. Of an ARQC that the server's end left without an
 * answer nothing is signed yet. */
static enum tp_err take_signed(struct job *j, struct bench *b, struct tp_error *e)
{
    struct mediated_kept kept;
    enum tp_err r;

    if (j->payer == NULL)
        return TP_OK;
    r = ledger_mediated_get(b->ledger, j->tx.rrn, &kept, e);
    if (r != TP_OK)
        return r == TP_ERR_NOT_FOUND ? TP_OK : r;
    j->outcome.completes = wire_answer_is_yes(&j->answer) && kept.online;
    if (kept.what.acknowledgement.n == 0 && kept.online) {
        memcpy(j->tx.mediated.order, kept.what.order, sizeof(j->tx.mediated.order));
        memcpy(j->tx.mediated.r, kept.what.r, sizeof(j->tx.mediated.r));
        return sign_and_keep(j, b, &j->tx, time(NULL), e);
    }
    if (kept.what.acknowledgement.n > 0)
        j->outcome.acknowledgement = span_text(kept.what.acknowledgement);
    return TP_OK;
}

/* What the books say of one that they do not take now. */
static enum tp_err sign_verdict(struct job *j, struct bench *b, enum ledger_verdict verdict,
                                struct tp_error *e)
{
    return verdict == LEDGER_REPEAT || verdict == LEDGER_ANSWERED
               ? take_signed(j, b, e)
               : sign(j, b, &j->tx, false, time(NULL), e);
}

static enum tp_err do_pay(struct job *j, struct bench *b, struct tp_error *e)
{
    enum ledger_verdict verdict = LEDGER_NEW;
    const enum tp_err r = ledger_acknowledge(b->ledger, &j->tx, &verdict, e);

    if (r == TP_ERR_RANGE) {
        log_error("%s", e->text);
        answer_verdict(&j->answer, LEDGER_FAULT, NULL);
        return TP_OK;
    }
    if (r == TP_OK && verdict == LEDGER_ASKED) /* what its issuer is asked about is never one to
                                                  keep without (check.c, issuer) */
        return tp_fail(e, TP_ERR_INTERNAL,
                       "payment %s is with its issuer and was to be kept without", j->tx.rrn);
    if (r != TP_OK)
        return r;
    if (check_verdict(&j->answer, verdict, j->tx.rrn))
        return sign_verdict(j, b, verdict, e);
    wire_answer_set(&j->answer, "00", NULL);
    snprintf(j->answer.rrn, sizeof(j->answer.rrn), "%s", j->tx.rrn);
    return sign_and_keep(j, b, &j->tx, j->tx.acknowledged, e);
}

static enum tp_err do_reverse(struct job *j, struct ledger *l, struct tp_error *e)
{
    enum ledger_verdict verdict = LEDGER_NEW;
    char rrn[RRN_MAX] = "";
    const enum tp_err r =
        ledger_reverse_original(l, j->tx.contract, j->tx.terminal, j->tx.stan,
                                (int)(j->tx.local_time / 1000000), j->tx.amount, &verdict, rrn, e);

    answer_verdict(&j->answer, verdict, NULL);
    if (verdict == LEDGER_REVERSAL_DONE || verdict == LEDGER_REVERSAL_REPEATED)
        snprintf(j->answer.rrn, sizeof(j->answer.rrn), "%s", rrn);
    return r;
}

/* The question is in the books before it leaves: whatever happens, it is answered once or
 * reversed. */
static enum tp_err do_ask(struct job *j, struct bench *b, struct tp_error *e)
{
    struct ledger *l = b->ledger;
    enum tp_err r = j->question.n > 0 ? ledger_ask(l, &j->tx, j->issuer, &j->verdict, &j->asked, e)
                                      : ledger_look(l, &j->tx, true, &j->verdict, j->tx.rrn, e);

    if (r == TP_ERR_RANGE) {
        j->verdict = LEDGER_FAULT;
        answer_verdict(&j->answer, j->verdict, NULL);
        return TP_OK;
    }
    if (r != TP_OK || !check_verdict(&j->answer, j->verdict, j->tx.rrn))
        return r;
    r = check_said(&j->answer, j->verdict, j->tx.rrn, l, e);
    return r == TP_OK ? sign_verdict(j, b, j->verdict, e) : r;
}

/* What an approval that cannot be used any more is answered with, and reversed for. */
static enum tp_err reverse_approval(struct job *j, struct ledger *l, const char *rrn,
                                    enum ledger_verdict verdict, struct tp_error *e)
{
    answer_verdict(&j->answer, verdict, NULL);
    return ledger_ask_reverse(l, rrn, &j->answer, e);
}

static enum tp_err do_approved(struct job *j, struct job *ask, struct ledger *l, struct tp_error *e)
{
    enum ledger_verdict verdict = LEDGER_NEW;
    const enum tp_err r = ledger_ask_approved(l, &ask->tx, &j->answer, &verdict, e);

    if (r == TP_ERR_RANGE)
        return reverse_approval(j, l, ask->tx.rrn, LEDGER_ISSUER_LOST, e);
    if (r == TP_OK && verdict != LEDGER_NEW)
        return reverse_approval(j, l, ask->tx.rrn, verdict, e);
    if (r == TP_OK)
        snprintf(j->answer.rrn, sizeof(j->answer.rrn), "%s", ask->tx.rrn);
    return r;
}

/* What is answered with anything but 00 or the first one's 00. */
static enum tp_err keep_refusal(struct ledger *l, const struct tx_record *tx,
                                const struct wire_answer *a, struct tp_error *e)
{
    struct refusal x = {
        .at = time(NULL), .stan = tx->stan, .amount = tx->amount, .currency = tx->currency};

    if (wire_answer_is_yes(a) || strcmp(a->code, "96") == 0 ||
        (strcmp(a->code, "91") == 0 && !tx->emv.online))
        return TP_OK; /* paid, or a signed payment that may still be */
    memcpy(x.contract, tx->contract, sizeof(x.contract));
    memcpy(x.terminal, tx->terminal, sizeof(x.terminal));
    memcpy(x.pan_masked, tx->pan_masked, sizeof(x.pan_masked));
    memcpy(x.code, a->code, sizeof(x.code));
    memcpy(x.reason, a->reason, sizeof(x.reason));
    return ledger_refusal_add(l, &x, e);
}

static bool is_answered_now(const struct job *j)
{
    return j->verdict != LEDGER_ASKED && (j->verdict != LEDGER_NEW || j->question.n == 0);
}

/* What may be in the books, or not: its number may have been given again, to another question or to
 * the same one, which is then under way. */
static enum tp_err reverse_late(const struct job *j, struct ledger *l, struct under_way *u,
                                struct tp_error *e)
{
    const struct job *ask = j->late;
    enum ledger_verdict verdict = LEDGER_NEW;
    char rrn[RRN_MAX] = "";
    enum tp_err r;

    if (under_way_find(u, ask->tx.rrn) != NULL)
        return TP_OK;
    r = ledger_look(l, &ask->tx, true, &verdict, rrn, e);
    return r == TP_OK && verdict == LEDGER_ASKED && strcmp(rrn, ask->tx.rrn) == 0
               ? ledger_ask_reverse(l, rrn, &j->answer, e)
               : r;
}

/* A TC that its issuer was asked about in vain may come again: only of an ARQC nothing more can
 * come. */
static enum tp_err do_settle(struct job *j, struct job *ask, struct bench *b, struct tp_error *e)
{
    enum tp_err r = j->fate == ISSUER_APPROVED ? do_approved(j, ask, b->ledger, e)
                    : j->fate == ISSUER_REFUSED
                        ? ledger_ask_refused(b->ledger, j->tx.rrn, &j->answer, e)
                        : ledger_ask_reverse(b->ledger, j->tx.rrn, &j->answer, e);

    if (r != TP_OK || (strcmp(j->answer.code, "91") == 0 && !ask->tx.emv.online))
        return r;
    return sign_and_keep(j, b, &ask->tx, time(NULL), e);
}

static enum tp_err do_fate(struct job *j, struct bench *b, struct tp_error *e)
{
    struct job *ask = j->late != NULL ? j->late : under_way_find(&b->under_way, j->tx.rrn);
    enum tp_err r;

    if (ask == NULL)
        return TP_OK;
    b->look |= j->fate != ISSUER_REFUSED;
    if (j->late != NULL)
        return reverse_late(j, b->ledger, &b->under_way, e);
    r = do_settle(j, ask, b, e);
    return r == TP_OK ? keep_refusal(b->ledger, &ask->tx, &j->answer, e) : r;
}

struct wire_answer said_unanswered(void)
{
    struct wire_answer a = {.code = ""};

    answer_verdict(&a, LEDGER_ISSUER_LOST, NULL);
    return a;
}

enum tp_err job_apply(struct job *j, struct bench *b, struct tp_error *e)
{
    struct ledger *l = b->ledger;
    enum tp_err r;

    j->answer = j->said; /* an attempt before this one has left its own */
    outcome_clear(&j->outcome);
    switch (j->kind) {
    case JOB_PAY:
        r = do_pay(j, b, e);
        return r == TP_OK ? keep_refusal(l, &j->tx, &j->answer, e) : r;
    case JOB_REFUSED:
        return keep_refusal(l, &j->tx, &j->answer, e);
    case JOB_REVERSE:
        b->look = true;
        return do_reverse(j, l, e);
    case JOB_ASK:
        r = do_ask(j, b, e);
        return r == TP_OK && is_answered_now(j) ? keep_refusal(l, &j->tx, &j->answer, e) : r;
    case JOB_FATE:
        return do_fate(j, b, e);
    case JOB_ECHO:
        wire_answer_set(&j->answer, "00", NULL);
        return ledger_group_touch(l, e);
    default: /* JOB_REVERSED */
        return ledger_reversal_done(l, j->tx.rrn, e);
    }
}
