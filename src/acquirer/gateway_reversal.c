/* The reversals that are due, as the books name them, and what the issuer says to them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "acquirer/gateway_priv.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mask.h"
#include "base/secret.h"
#include "crypto/seal.h"
#include "wire/profile.h"

#define AGAIN_MS 2000 /* before a reversal that was answered with a no is sent again */

static bool was_sent(struct desk *d, const char *rrn)
{
    for (size_t i = 0; i < d->sent_n; i++)
        if (strcmp(d->sent_before[i], rrn) == 0)
            return true;
    memcpy(d->sent_before[d->sent_at], rrn, RRN_MAX);
    d->sent_at = (d->sent_at + 1) % (REVERSALS_MAX * 4);
    d->sent_n += d->sent_n < REVERSALS_MAX * 4;
    return false;
}

static void fill_reversal(struct desk *d, const struct authorisation *a, const char *pan,
                          uint32_t stan, bool repeat)
{
    struct iso8583 *m = &d->message;
    char currency[4], asked[16], original[64];
    struct tm utc;

    gmtime_r(&a->asked, &utc);
    strftime(asked, sizeof(asked), "%m%d%H%M%S", &utc);
    snprintf(original, sizeof(original), "0100%06" PRIu32 "%.10s%022u",
             question_stan(a->tx.rrn) % 1000000, asked, 0U);
    snprintf(currency, sizeof(currency), "%03u", a->tx.currency % 1000U);
    iso8583_start(m, repeat ? MTI_REVERSAL_REPEAT : MTI_REVERSAL);
    iso8583_set_text(m, 2, pan);
    iso8583_set_number(m, 3, a->tx.kind == TX_CREDIT ? 200000 : 0);
    iso8583_set_number(m, 4, (uint64_t)a->tx.amount);
    iso8583_set_instant(m, time(NULL));
    iso8583_set_number(m, 11, stan);
    iso8583_set_number(m, 12, (uint64_t)(a->tx.local_time % 1000000));
    iso8583_set_number(m, 13, (uint64_t)(a->tx.local_time / 1000000 % 10000));
    iso8583_set_text(m, 32, d->issuer.acquirer);
    iso8583_set_text(m, 37, a->tx.rrn);
    iso8583_set_text(m, 41, a->tx.terminal);
    iso8583_set_text(m, 42, a->tx.contract);
    iso8583_set_text(m, 49, currency);
    iso8583_set_text(m, 90, original);
}

/* One row that waits. A question that is still under way under that number has its reversal in the
 * books already: its answer is of no use. */
static enum tp_err reverse(void *ctx, const struct authorisation *a, struct tp_error *e)
{
    struct desk *d = ctx;
    struct slot *s = slot_by_rrn(d, a->tx.rrn);
    uint8_t context[LEDGER_CONTEXT_MAX], room[PAN_TEXT_MAX + 1];
    struct buf pan = {room, 0, PAN_TEXT_MAX};
    enum tp_err r;

    (void)e;
    if (s != NULL && s->kind == SLOT_ASK)
        ask_give_up(d, s, LEDGER_REVERSED);
    else if (s != NULL)
        return TP_OK;
    if (d->reversals >= REVERSALS_MAX || (s = slot_free(d)) == NULL)
        return TP_OK;
    r = seal_open(d->seal, &pan, a->tx.pan_sealed, ledger_seal_context(context, &a->tx));
    room[pan.n] = '\0';
    d->counter = d->counter % 999999 + 1;
    if (r == TP_OK) {
        fill_reversal(d, a, (const char *)room, d->counter, was_sent(d, a->tx.rrn));
        r = desk_send(d, &d->message);
    } else {
        log_error("issuer %s: the reversal of %s cannot be made: is seal.key that of these books?",
                  d->issuer.name, a->tx.rrn);
    }
    secret_wipe(&d->message, sizeof(d->message));
    secret_wipe(room, sizeof(room));
    *s = (struct slot){.kind = r == TP_OK ? SLOT_REVERSAL : SLOT_REST,
                       .stan = d->counter,
                       .until = time_monotonic_ms() + d->gateway->timeout_ms};
    memcpy(s->rrn, a->tx.rrn, sizeof(s->rrn));
    d->reversals++;
    return TP_OK;
}

void reversals_look(struct desk *d)
{
    struct tp_error e = {TP_OK, ""};

    if (ledger_authorisation_each(d->ledger, d->issuer.name, AUTHORISATION_TO_REVERSE,
                                  REVERSALS_MAX * 2, reverse, d, &e) != TP_OK)
        log_error("%s", e.text);
}

void reversal_answered(struct desk *d, uint32_t stan)
{
    struct slot *s = slot_by_stan(d, SLOT_REVERSAL, stan);
    struct wire_answer a;

    if (s == NULL)
        return;
    iso8583_start(&d->message, MTI_REVERSAL); /* as much of it as is compared */
    iso8583_set_number(&d->message, 11, s->stan);
    iso8583_set_text(&d->message, 37, s->rrn);
    if (profile_differs(PROFILE_ISSUER, &d->answer, &d->message) != 0)
        return;
    s->kind = SLOT_REST;
    if (wire_answer_read(&a, &d->answer, NULL) != TP_OK || !wire_answer_is_yes(&a)) {
        log_error("issuer %s does not take the reversal of %s (%.2s): it is sent again",
                  d->issuer.name, s->rrn, a.code);
        s->until = time_monotonic_ms() + AGAIN_MS;
        return;
    }
    s->until =
        time_monotonic_ms() +
        d->gateway->timeout_ms; /* by then it is booked; if the disk is full, it is asked again */
    d->gateway->events.reversed(d->gateway->events.ctx, s->rrn);
    atomic_store(&d->look, true);
}
