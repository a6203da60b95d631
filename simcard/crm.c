/* Card risk management: which cryptogram the card gives, and what it remembers of it. EMV 4.4 Book
 * 3, 9.3 and 10.8 leave both to the card; what each kind of risk does is the profile's to say
 * (simcard/profile.h). */
#include "simcard/card_priv.h"

#include <string.h>

#include "apdu/dol.h"
#include "base/bcd.h"
#include "crypto/cryptogram.h"

#define AMOUNT_MAX 999999999999 /* n 12 */

/* ---- what the risks are ---- */

/* The amount of this transaction when it is in the card's own currency. */
static bool own_amount(const struct card_request *q, uint64_t *amount)
{
    static const uint8_t none[2] = {0};
    const uint8_t *own = q->card->profile->currency;
    struct span v;

    *amount = 0;
    if (memcmp(own, none, sizeof(none)) == 0 || !card_request_find(q, TAG_TX_CURRENCY, &v) ||
        !span_eq(v, span_of(own, sizeof(none))))
        return false;
    return card_request_find(q, TAG_AMOUNT, &v) && bcd_get(v, amount) == TP_OK &&
           *amount <= AMOUNT_MAX;
}

static uint32_t velocity_risks(const struct card *c, const struct card_request *q)
{
    const struct state_limits limits = card_limits(c);
    uint64_t amount;
    uint32_t risks = own_amount(q, &amount) ? 0 : CARD_RISK_OTHER_CURRENCY;

    amount += c->state.offline_amount;
    if (limits.count_limit != 0 && c->state.offline_count >= limits.count_limit)
        risks |= CARD_RISK_COUNT_LIMIT;
    if (limits.count_maximum != 0 && c->state.offline_count >= limits.count_maximum)
        risks |= CARD_RISK_COUNT_MAXIMUM;
    if (limits.amount_limit != 0 && amount > limits.amount_limit)
        risks |= CARD_RISK_AMOUNT_LIMIT;
    if (limits.amount_maximum != 0 && amount > limits.amount_maximum)
        risks |= CARD_RISK_AMOUNT_MAXIMUM;
    return risks;
}

static uint32_t find_risks(const struct card *c, const struct card_request *q)
{
    static const struct {
        uint16_t flags;
        uint32_t risk;
    } remembered[] = {{STATE_ONLINE_PENDING, CARD_RISK_NOT_COMPLETED},
                      {STATE_ISSUER_FAILED, CARD_RISK_ISSUER_FAILED},
                      {STATE_ISSUER_MISSING, CARD_RISK_ISSUER_MISSING},
                      {STATE_SDA_FAILED | STATE_DDA_FAILED, CARD_RISK_OFFLINE_AUTH},
                      {STATE_SCRIPT_FAILED, CARD_RISK_SCRIPT_FAILED},
                      {STATE_GO_ONLINE, CARD_RISK_GO_ONLINE}};
    uint32_t risks = velocity_risks(c, q);

    for (size_t i = 0; i < sizeof(remembered) / sizeof(remembered[0]); i++)
        if ((c->session.history & remembered[i].flags) != 0)
            risks |= remembered[i].risk;
    if (c->state.last_online_atc == 0)
        risks |= CARD_RISK_NEW_CARD;
    if (c->state.pin_tries == 0)
        risks |= CARD_RISK_PIN_TRIES;
    if (c->session.pin_asked && !c->session.pin_right)
        risks |= CARD_RISK_PIN_FAILED;
    return risks;
}

/* ---- decisions ---- */

/* Terminal types x3 and x6 cannot go online: Book 4, A1. */
static bool offline_only(const struct card_request *q)
{
    struct span type;

    if (!card_request_find(q, TAG_TERMINAL_TYPE, &type) || type.n != 1)
        return false;
    return (type.p[0] & 0x0F) == 3 || (type.p[0] & 0x0F) == 6;
}

/* The order of cryptograms is TC, ARQC, AAC; a card never answers one before what was asked: Book
 * 3, 9.3.1. */
static uint8_t decide_first(const struct card *c, const struct card_decision *d,
                            const struct card_request *q)
{
    if (card_blocked(c) || d->asked == AC_AAC || (d->risks & c->profile->decline) != 0)
        return AC_AAC;
    if (d->asked == AC_ARQC || (d->risks & c->profile->ask_online) == 0)
        return d->asked;
    if (!offline_only(q))
        return AC_ARQC;
    return (d->risks & c->profile->decline_unable) != 0 ? AC_AAC : AC_TC;
}

/* The authorisation response code: Book 4, A6. */
static enum card_online online_outcome(const struct card_request *q)
{
    struct span arc;

    if (dol_extract(q->dol, q->values, TAG_ARC, &arc) != TP_OK || arc.n != 2)
        return ONLINE_DONE;
    if (memcmp(arc.p, "Y3", 2) == 0)
        return ONLINE_UNABLE_APPROVE;
    return memcmp(arc.p, "Z3", 2) == 0 ? ONLINE_UNABLE_DECLINE : ONLINE_DONE;
}

static uint8_t decide_second(const struct card *c, const struct card_decision *d)
{
    if (d->asked == AC_AAC || card_blocked(c) || d->online == ONLINE_UNABLE_DECLINE ||
        c->session.issuer == ISSUER_FAILED)
        return AC_AAC;
    if (d->online == ONLINE_UNABLE_APPROVE)
        return (d->risks & c->profile->decline_unable) != 0 ? AC_AAC : AC_TC;
    if (c->session.issuer == ISSUER_NOT_SEEN)
        return c->profile->issuer_mandatory ? AC_AAC : AC_TC;
    return card_issuer_approves(c) ? AC_TC : AC_AAC;
}

void card_decide(const struct card *c, struct card_decision *d, const struct card_request *q)
{
    d->second = q->second;
    d->online = q->second ? online_outcome(q) : ONLINE_NOT_TRIED;
    d->risks = find_risks(c, q);
    d->cid = q->second ? decide_second(c, d) : decide_first(c, d, q);
}

/* ---- what is remembered ---- */

static void count_offline(struct card *c, const struct card_request *q)
{
    uint64_t amount;

    if (c->state.offline_count < UINT16_MAX)
        c->state.offline_count++;
    if (own_amount(q, &amount))
        c->state.offline_amount += c->state.offline_amount <= AMOUNT_MAX - amount
                                       ? amount
                                       : AMOUNT_MAX - c->state.offline_amount;
}

/* Each limit is the maximum, or the lower one where there is no maximum: the next transaction is
 * over it. */
static void counters_to_upper(struct card *c)
{
    const struct state_limits l = card_limits(c);

    c->state.offline_count = l.count_maximum != 0 ? l.count_maximum : l.count_limit;
    c->state.offline_amount = l.amount_maximum != 0 ? l.amount_maximum : l.amount_limit;
}

/* Update Counters: Book 3, Annex C10, CSU byte 2. */
static void update_counters(struct card *c, const struct card_decision *d,
                            const struct card_request *q)
{
    switch (card_issuer_counters(c)) {
    case EMV_CSU_COUNTERS_TO_UPPER:
        counters_to_upper(c);
        break;
    case EMV_CSU_COUNTERS_TO_ZERO:
        c->state.offline_count = 0;
        c->state.offline_amount = 0;
        break;
    case EMV_CSU_COUNTERS_ADD:
        if (d->cid == AC_TC)
            count_offline(c, q);
        break;
    default:
        break;
    }
}

/* Told in the next transaction. VIS: it failed, and the card declined offline. The Common Core: it
 * failed; and also before, as long as no transaction since was approved offline or went online
 * (Book 3, 9.2.3.2 of the CCD). */
static void remember_offline_auth(struct card *c, const struct card_decision *d,
                                  const struct card_request *q)
{
    const uint16_t both = STATE_SDA_FAILED | STATE_DDA_FAILED;
    uint16_t told = 0;
    struct span tvr;

    if (!card_request_find(q, TAG_TVR, &tvr) || tvr.n == 0)
        return;
    if (card_ccd(c) || d->cid == AC_AAC) {
        told |= tvr_has(tvr.p, TVR_SDA_FAILED) ? STATE_SDA_FAILED : 0;
        told |= tvr_has(tvr.p, TVR_DDA_FAILED | TVR_CDA_FAILED) || tvr_xda_failed(tvr.p)
                    ? STATE_DDA_FAILED
                    : 0;
    }
    if (card_ccd(c) && d->online != ONLINE_DONE && d->cid != AC_TC)
        told |= c->session.history & both;
    c->state.flags = (uint16_t)((c->state.flags & ~both) | told);
}

static void settle_offline(struct card *c, const struct card_decision *d,
                           const struct card_request *q)
{
    if (d->second) { /* this transaction is complete; whether the one before was stays known until
                        one goes online */
        c->state.flags &= (uint16_t)~STATE_ONLINE_PENDING;
        c->state.flags |= c->session.history & STATE_ONLINE_PENDING;
    }
    if (d->cid == AC_TC)
        count_offline(c, q);
    remember_offline_auth(c, d, q);
}

/* The issuer was heard. What it was told is done with; script commands of this session wait for the
 * next. */
static void settle_heard(struct card *c, const struct card_decision *d,
                         const struct card_request *q)
{
    struct card_state *s = &c->state;
    uint16_t done =
        STATE_ISSUER_FAILED | STATE_ISSUER_MISSING | STATE_SDA_FAILED | STATE_DDA_FAILED;

    if (!c->session.script_failed)
        done |= STATE_SCRIPT_FAILED;
    if (!card_issuer_wants_online(c))
        done |= STATE_GO_ONLINE;
    s->flags &= (uint16_t)~done;
    s->scripts = c->session.scripts_done;
    if (d->cid == AC_TC || c->session.issuer == ISSUER_GOOD)
        s->last_online_atc = s->atc;
    if (d->cid == AC_TC || (c->session.issuer == ISSUER_GOOD && c->profile->arpc == 2))
        update_counters(c, d, q);
}

static void settle_online(struct card *c, const struct card_decision *d,
                          const struct card_request *q)
{
    c->state.flags &= (uint16_t)~STATE_ONLINE_PENDING;
    if (c->session.issuer == ISSUER_FAILED)
        c->state.flags |= STATE_ISSUER_FAILED;
    else if (c->session.issuer == ISSUER_NOT_SEEN &&
             card_issuer_expected(c)) /* it may not have been the issuer that answered */
        c->state.flags |= STATE_ISSUER_MISSING;
    else
        settle_heard(c, d, q);
}

/* What the Common Core has otherwise (Book 3, 9.2.3.2 of the CCD), after all else: whether issuer
 * authentication was performed, by the last second cryptogram; a transaction that was not
 * completed, until an issuer is authenticated; and offline authentication by every one. */
static void settle_common_core(struct card *c, const struct card_decision *d,
                               const struct card_request *q)
{
    if (d->second) {
        c->state.flags &= (uint16_t)~STATE_ISSUER_MISSING;
        c->state.flags |= c->session.issuer == ISSUER_NOT_SEEN ? STATE_ISSUER_MISSING : 0;
        c->state.flags |=
            c->session.issuer != ISSUER_GOOD ? c->session.history & STATE_ONLINE_PENDING : 0;
    }
    remember_offline_auth(c, d, q);
}

void card_settle(struct card *c, const struct card_decision *d, const struct card_request *q)
{
    if (d->online == ONLINE_DONE)
        settle_online(c, d, q);
    else if (d->cid == AC_ARQC)
        c->state.flags |= STATE_ONLINE_PENDING;
    else
        settle_offline(c, d, q);
    if (card_ccd(c))
        settle_common_core(c, d, q);
    if (!d->second) {
        c->session.first_cid = d->cid;
        /* A blocked application gives no ARQC, and must be unblocked all the same: its AAC keys the
         * issuer's command. */
        c->session.scripts_open = d->cid == AC_ARQC || card_blocked(c);
    }
    c->session.phase = d->cid == AC_ARQC ? PHASE_ONLINE : PHASE_COMPLETED;
}
