/* Sessions worked out again: what was reserved by whose word, what was drawn by which voucher. */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "base/money.h"
#include "order/purse_token.h"
#include "purse/audit_priv.h"

static int64_t number_of(const char *text)
{
    return strtoll(text, NULL, 10);
}

static enum tp_err differs(struct tp_error *e)
{
    return tp_fail(e, TP_ERR_SECURITY, "the books say something else than what was signed");
}

static enum tp_err text_of(char **out, struct span text, struct tp_error *e)
{
    *out = span_text(text);
    return *out != NULL ? TP_OK : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
}

/* ---- provisions ---- */

static bool is_as_signed(const struct provision_kept *k, const struct purse_statement *s)
{
    const struct currency *c = currency_by_alpha(s->currency);
    time_t until = 0;

    return strcmp(k->account, s->account) == 0 && number_of(s->counter) == k->counter &&
           number_of(s->amount) == k->amount && c != NULL && c->numeric == k->currency &&
           strcmp(k->mediator, s->mediator) == 0 && strcmp(k->session, s->session) == 0 &&
           time_parse(&until, s->until) == TP_OK && until == k->until &&
           memcmp(k->key, s->key, sizeof(k->key)) == 0;
}

static bool is_as_answered(const struct audit *a, const struct provision_kept *k,
                           const struct purse_token *t, const struct purse_statement *s,
                           const char *hash)
{
    char key[BASE64URL_SIZE(ED25519_KEY)];

    return strcmp(t->provision, hash) == 0 && strcmp(t->acquirer, a->acquirer) == 0 &&
           strcmp(t->account, s->account) == 0 && strcmp(t->mediator, s->mediator) == 0 &&
           strcmp(t->session, s->session) == 0 && strcmp(t->amount, s->amount) == 0 &&
           strcmp(t->currency, s->currency) == 0 && strcmp(t->until, s->until) == 0 &&
           strcmp(t->code, k->code) == 0 &&
           strcmp(t->reason != NULL ? t->reason : "", k->reason) == 0 &&
           strcmp(t->key, base64url_encode(key, SPAN_OF(k->key))) == 0;
}

static enum tp_err check_answer(const struct audit *a, const struct provision_kept *k,
                                const struct purse_statement *s, const char *statement,
                                struct tp_error *e)
{
    struct purse_token t = {.owner = NULL};
    char hash[PURSE_HASH], *jws = NULL;
    enum tp_err r = text_of(&jws, k->acknowledgement, e);

    if (r == TP_OK)
        r = purse_token_read(&t, PURSE_PROVISION_ACKNOWLEDGEMENT, jws, a->authority, e);
    if (r == TP_OK)
        r = purse_statement_hash(hash, statement, e);
    if (r == TP_OK && !is_as_answered(a, k, &t, s, hash))
        r = differs(e);
    purse_token_free(&t);
    free(jws);
    return r;
}

/* By the mediator's word, or by the clock, long after its time. */
static enum tp_err check_end(const struct audit *a, const struct provision_kept *k,
                             struct tp_error *e)
{
    struct purse_token t = {.owner = NULL};
    char *jws = NULL;
    enum tp_err r;

    if (k->demand.n == 0)
        return k->ended == 0 || k->ended >= k->until + BOOK_RELEASE_S
                   ? TP_OK
                   : tp_fail(e, TP_ERR_SECURITY,
                             "it ended before its time was long over, and nobody said so");
    r = text_of(&jws, k->demand, e);
    if (r == TP_OK)
        r = purse_token_read(&t, PURSE_END, jws, a->authority, e);
    if (r == TP_OK && (strcmp(t.session, k->session) != 0 || strcmp(t.signer, k->mediator) != 0 ||
                       strcmp(t.acquirer, a->acquirer) != 0))
        r = differs(e);
    purse_token_free(&t);
    free(jws);
    return r;
}

static enum tp_err check_provision(const struct audit *a, const struct provision_kept *k,
                                   struct tp_error *e)
{
    struct purse_statement s = {.owner = NULL};
    char *jws = NULL;
    enum tp_err r = text_of(&jws, k->statement, e);

    if (r == TP_OK)
        r = purse_statement_read(&s, PURSE_PROVISION, jws, e);
    if (r == TP_OK && (!is_as_signed(k, &s) || strcmp(s.acquirer, a->acquirer) != 0))
        r = differs(e);
    if (r == TP_OK)
        r = audit_signer(a, k->account, k->key, e);
    if (r == TP_OK)
        r = check_answer(a, k, &s, jws, e);
    if (r == TP_OK)
        r = check_end(a, k, e);
    if (r == TP_OK && strcmp(k->code, "00") != 0 && (k->vouchers != 0 || k->drawn != 0))
        r = tp_fail(e, TP_ERR_SECURITY, "it was refused, and something was drawn from it");
    if (r == TP_OK && k->drawn != k->vouchers)
        r = tp_fail(e, TP_ERR_SECURITY, "its vouchers do not come to what was drawn");
    purse_statement_free(&s);
    free(jws);
    return r;
}

static enum tp_err look_at_provision(void *ctx, const struct provision_kept *k, struct tp_error *e)
{
    char which[BOOK_NUMBER];
    struct tp_error found = {TP_OK, ""};

    payment_number(which, k->provision);
    return audit_count(ctx, check_provision(ctx, k, &found), "provision", which, &found, e);
}

/* ---- vouchers ---- */

static bool is_presented(const struct audit *a, const struct voucher_kept *k,
                         const struct purse_token *t)
{
    const struct currency *c = currency_by_alpha(t->currency);

    return strcmp(t->session, k->session) == 0 && strcmp(t->contract, k->contract) == 0 &&
           strcmp(t->signer, k->mediator) == 0 && strcmp(t->acquirer, a->acquirer) == 0 &&
           c != NULL && c->numeric == k->currency && number_of(t->sum) == k->total &&
           k->total - k->before == k->amount;
}

static bool is_signed_for(const struct voucher_kept *k, const struct purse_token *t,
                          const struct purse_statement *v)
{
    return memcmp(v->key, k->key, sizeof(k->key)) == 0 && strcmp(v->account, k->account) == 0 &&
           strcmp(v->session, k->session) == 0 && strcmp(v->contract, k->contract) == 0 &&
           strcmp(v->currency, t->currency) == 0 && number_of(v->sum) >= k->total;
}

static enum tp_err check_voucher(const struct audit *a, const struct voucher_kept *k,
                                 struct tp_error *e)
{
    struct purse_token t = {.owner = NULL};
    struct purse_statement v = {.owner = NULL};
    char *jws = NULL;
    enum tp_err r = text_of(&jws, k->demand, e);

    if (r == TP_OK)
        r = purse_token_read(&t, PURSE_PRESENTATION, jws, a->authority, e);
    if (r == TP_OK)
        r = purse_statement_read(&v, PURSE_VOUCHER, t.voucher, e);
    if (r == TP_OK && (!is_presented(a, k, &t) || !is_signed_for(k, &t, &v)))
        r = differs(e);
    purse_statement_free(&v);
    purse_token_free(&t);
    free(jws);
    return r;
}

static enum tp_err look_at_voucher(void *ctx, const struct voucher_kept *k, struct tp_error *e)
{
    char which[BOOK_NUMBER];
    struct tp_error found = {TP_OK, ""};

    payment_number(which, k->voucher);
    return audit_count(ctx, check_voucher(ctx, k, &found), "voucher", which, &found, e);
}

enum tp_err audit_sessions(struct audit *a, struct tp_error *e)
{
    const enum tp_err r = provision_each(a->book, look_at_provision, a, e);

    return r == TP_OK ? voucher_each(a->book, look_at_voucher, a, e) : r;
}
