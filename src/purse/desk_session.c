/* Sessions: what an account reserves for a mediator, what vouchers draw from it, and their end. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "purse/desk.h"

#define PROVISION_S 86400 /* that a provision may last, and a minute that clocks may be apart */
#define GRACE_S     60

static int64_t number_of(const char *text)
{
    return strtoll(text, NULL, 10);
}

static bool is_currency(const char *alpha, uint16_t numeric)
{
    const struct currency *c = currency_by_alpha(alpha);

    return c != NULL && c->numeric == numeric;
}

/* ---- provisions ---- */

static enum purse_verdict judge_amount(const struct standing *st, const struct provision *v,
                                       const struct purse_currency *limits, time_t now)
{
    const struct payment *p = &v->by;

    if (st->state == ACCOUNT_STOPPED)
        return PURSE_STOPPED;
    if (st->state == ACCOUNT_CLOSED)
        return PURSE_ACCOUNT_CLOSED;
    if (limits == NULL || p->currency != st->currency)
        return PURSE_CURRENCY;
    if (v->until <= now || v->until > now + PROVISION_S + GRACE_S)
        return PURSE_UNTIL;
    if (p->amount > limits->day - st->spent)
        return PURSE_LIMIT_DAY;
    return p->amount > st->balance ? PURSE_BALANCE : PURSE_NEW;
}

static enum purse_verdict judge_provision(const struct standing *st, const struct provision *v,
                                          bool taken, const struct purse_currency *limits,
                                          time_t now)
{
    enum purse_verdict verdict = purse_judge_signer(st, &v->by);

    if (verdict == PURSE_NEW && !st->mediator_open)
        verdict = PURSE_MEDIATOR_CLOSED;
    if (verdict == PURSE_NEW && taken)
        verdict = PURSE_SESSION_USED;
    if (verdict == PURSE_NEW)
        verdict = judge_amount(st, v, limits, now);
    return purse_judge_refusals(st, verdict);
}

static enum tp_err sign_provision(struct payment_answer *a, const struct desk *d,
                                  const struct provision *v, time_t now, struct tp_error *e)
{
    const struct payment *p = &v->by;
    char amount[24], currency[4], until[TIME_TEXT_MAX], at[TIME_TEXT_MAX], hash[PURSE_HASH],
        key[BASE64URL_SIZE(ED25519_KEY)];
    const struct purse_token said = {
        .acquirer = d->acquirer,
        .account = p->account,
        .key = base64url_encode(key, SPAN_OF(p->key)),
        .mediator = p->mediator,
        .session = v->session,
        .amount = amount,
        .currency = currency,
        .until = time_format_utc(until, v->until),
        .outcome = strcmp(a->code, "00") == 0 ? "acknowledged" : "refused",
        .code = a->code,
        .reason = a->reason[0] != '\0' ? a->reason : NULL,
        .provision = hash,
        .at = time_format_utc(at, now),
    };
    const enum tp_err r = purse_statement_hash(hash, p->statement, e);

    snprintf(amount, sizeof(amount), "%" PRId64, p->amount);
    currency_small(currency, p->currency);
    return r == TP_OK
               ? purse_token_write(&a->provision, PURSE_PROVISION_ACKNOWLEDGEMENT, &said, d->key, e)
               : r;
}

enum tp_err desk_provide(struct desk *d, const struct provision *v, time_t now, char **out,
                         struct tp_error *e)
{
    const struct payment *p = &v->by;
    struct payment_answer answer;
    struct standing st;
    struct session other;
    bool found = false, taken = false;
    int64_t number = 0;
    enum purse_verdict verdict;
    enum tp_err r = book_provided(d->book, out, &found, p, e);

    if (r != TP_OK || found)
        return r;
    r = book_standing(d->book, &st, p, now, e);
    if (r == TP_OK)
        r = book_session(d->book, &other, &taken, v->session, "", e);
    if (r != TP_OK)
        return r;
    verdict = judge_provision(&st, v, taken, settings_currency(d->settings, p->currency), now);
    if (!purse_verdict_row(verdict)->final)
        return TP_OK;
    answer = payment_refused(verdict);
    r = book_next(d->book, &number, e);
    if (r == TP_OK)
        r = sign_provision(&answer, d, v, now, e);
    if (r == TP_OK)
        r = book_provide(d->book, v, &st, number, &answer, now, e);
    if (r == TP_OK) {
        *out = answer.provision;
        answer.provision = NULL;
    }
    payment_answer_free(&answer);
    return r;
}

/* ---- vouchers ---- */

static bool is_of(const struct purse_statement *v, const struct purse_token *t,
                  const struct session *s)
{
    return memcmp(v->key, s->key, sizeof(s->key)) == 0 && strcmp(v->account, s->account) == 0 &&
           strcmp(v->session, t->session) == 0 && strcmp(v->contract, t->contract) == 0 &&
           is_currency(v->currency, s->currency) && is_currency(t->currency, s->currency) &&
           number_of(t->sum) <= number_of(v->sum) && s->remise != 0;
}

static enum purse_verdict judge_voucher(const struct session *s, const struct purse_token *t,
                                        const struct purse_statement *v)
{
    const int64_t sum = number_of(t->sum), more = sum - s->total;

    if (strcmp(s->mediator, t->signer) != 0)
        return PURSE_SESSION;
    if (sum == s->total)
        return PURSE_REPEAT;
    if (!s->mediator_open)
        return PURSE_MEDIATOR_CLOSED;
    if (!is_of(v, t, s))
        return PURSE_VOUCHER_OTHER;
    if (more < 0)
        return PURSE_VOUCHER_SUM;
    if (s->told)
        return PURSE_SESSION_ENDED;
    if (!s->open)
        return PURSE_ACCOUNT_CLOSED;
    /* What a provision held and holds no more is the account's again: it may be there, or not. */
    return more > s->amount - s->drawn || (s->ended != 0 && more > s->balance)
               ? PURSE_PROVISION_SPENT
               : PURSE_NEW;
}

enum tp_err desk_present(struct desk *d, const struct purse_token *t,
                         const struct purse_statement *voucher, const char *demand, time_t now,
                         struct payment_answer *out, struct tp_error *e)
{
    struct session s = {.provision = 0};
    struct presented v = {.contract = t->contract, .demand = span_str(demand)};
    bool found = false;
    enum purse_verdict verdict;
    enum tp_err r = book_session(d->book, &s, &found, t->session, t->contract, e);

    *out = payment_refused(PURSE_FAULT);
    if (r != TP_OK)
        return r;
    verdict = found ? judge_voucher(&s, t, voucher) : PURSE_SESSION;
    v.voucher = s.voucher;
    v.total = number_of(t->sum);
    v.amount = v.total - s.total;
    if (verdict == PURSE_NEW)
        r = book_next(d->book, &v.voucher, e);
    if (r == TP_OK && verdict == PURSE_NEW)
        r = book_present(d->book, &s, &v, now, e);
    *out = payment_refused(verdict);
    if (verdict == PURSE_NEW || verdict == PURSE_REPEAT)
        payment_number(out->number, v.voucher);
    return r;
}

/* ---- the end ---- */

enum tp_err desk_end(struct desk *d, const struct purse_token *t, const char *demand, time_t now,
                     struct payment_answer *out, struct tp_error *e)
{
    struct session s = {.provision = 0};
    bool found = false;
    enum purse_verdict verdict = PURSE_NEW;
    enum tp_err r = book_session(d->book, &s, &found, t->session, "", e);

    *out = payment_refused(PURSE_FAULT);
    if (r != TP_OK)
        return r;
    if (!found || strcmp(s.mediator, t->signer) != 0)
        verdict = PURSE_SESSION;
    else if (s.told)
        verdict = PURSE_REPEAT;
    else if (!s.mediator_open)
        verdict = PURSE_MEDIATOR_CLOSED;
    if (verdict == PURSE_NEW)
        r = book_session_end(d->book, &s, demand, now, e);
    *out = payment_refused(verdict);
    if (verdict == PURSE_NEW || verdict == PURSE_REPEAT)
        payment_number(out->number, s.provision);
    return r;
}
