#include "purse/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/money.h"
#include "base/text.h"
#include "purse/audit_priv.h"
#include "purse/proof.h"
#include "purse/record.h"

enum tp_err audit_count(struct audit *a, enum tp_err r, const char *what, const char *which,
                        const struct tp_error *found, struct tp_error *e)
{
    progress_at(&a->progress, ++a->checked);
    if (r == TP_OK)
        return TP_OK;
    progress_hide(&a->progress);
    if (r != TP_ERR_SECURITY && r != TP_ERR_FORMAT && r != TP_ERR_RANGE && r != TP_ERR_TIMEOUT)
        return tp_fail(e, r, "%s", found->text);
    a->faults++;
    log_error("%s %s: %s", what, which, found->text);
    return TP_OK;
}

enum tp_err audit_signer(const struct audit *a, const char *account, const uint8_t key[ED25519_KEY],
                         struct tp_error *e)
{
    uint8_t last[ED25519_KEY];
    size_t found = 0;
    json_t *keys = NULL;
    enum tp_err r = purse_keys(&keys, a->book, account, e);

    if (r == TP_OK)
        r = purse_keys_read(last, &found, keys, a->acquirer, account, key, e);
    json_decref(keys);
    return r == TP_OK && found == 0
               ? tp_fail(e, TP_ERR_SECURITY, "a key signed it that never was the account's")
               : r;
}

/* ---- accounts: their keys, and what they hold ---- */

static enum tp_err check_keys(struct audit *a, const struct account *account, struct tp_error *e)
{
    uint8_t last[ED25519_KEY];
    size_t none;
    json_t *keys = NULL;
    enum tp_err r = purse_keys(&keys, a->book, account->account, e);

    if (r == TP_OK)
        r = purse_keys_read(last, &none, keys, a->acquirer, account->account, NULL, e);
    if (r == TP_OK && memcmp(last, account->key, sizeof(last)) != 0)
        r = tp_fail(e, TP_ERR_SECURITY, "its key is not the one that was signed for");
    json_decref(keys);
    return r;
}

static enum tp_err check_balance(struct audit *a, const struct account *account, struct tp_error *e)
{
    char has[MONEY_TEXT_MAX], should[MONEY_TEXT_MAX];
    int64_t sum = 0, reserved = 0;
    const enum tp_err r = book_account_sum(a->book, account->account, &sum, &reserved, e);

    if (r == TP_OK && sum != account->balance)
        return tp_fail(e, TP_ERR_SECURITY, "it holds %s, and its records come to %s",
                       money_shown(has, account->balance, account->currency),
                       money_shown(should, sum, account->currency));
    if (r == TP_OK && reserved != account->reserved)
        return tp_fail(e, TP_ERR_SECURITY, "%s of it are reserved, and its provisions hold %s",
                       money_shown(has, account->reserved, account->currency),
                       money_shown(should, reserved, account->currency));
    return r;
}

static enum tp_err look_at_account(void *ctx, const struct account *account, struct tp_error *e)
{
    struct audit *a = ctx;
    struct tp_error found = {TP_OK, ""};
    enum tp_err r =
        audit_count(a, check_keys(a, account, &found), "account", account->account, &found, e);

    return r == TP_OK ? audit_count(a, check_balance(a, account, &found), "account",
                                    account->account, &found, e)
                      : r;
}

/* ---- payments ---- */

static bool is_as_signed(const struct kept *k, const struct purse_proof *p)
{
    const struct acknowledgement *a = &p->order.acknowledgement;
    const struct currency *c = currency_by_alpha(a->currency);

    return strcmp(k->account, p->statement.account) == 0 &&
           strcmp(k->mediator, p->order.order.mediator) == 0 && strcmp(k->order, a->order) == 0 &&
           strcmp(k->contract, a->contract) == 0 && strcmp(k->code, a->code) == 0 && c != NULL &&
           c->numeric == k->currency && strtoll(a->amount, NULL, 10) == k->amount &&
           strtoll(p->statement.counter, NULL, 10) == k->counter && a->reference != NULL &&
           strtoll(a->reference, NULL, 10) == k->payment;
}

static enum tp_err check_payment(struct audit *a, const struct kept *k, struct tp_error *e)
{
    struct purse_proof p = {.key = 0};
    json_t *evidence = NULL;
    enum tp_err r = purse_evidence(&evidence, a->book, k, e);

    if (r == TP_OK)
        r = purse_proof_read(&p, evidence, a->authority, e);
    if (r == TP_OK && !is_as_signed(k, &p))
        r = tp_fail(e, TP_ERR_SECURITY, "the books say something else than what was signed");
    purse_proof_free(&p);
    json_decref(evidence);
    return r;
}

static enum tp_err look_at_payment(void *ctx, const struct kept *k, struct tp_error *e)
{
    char which[24];
    struct tp_error found = {TP_OK, ""};

    snprintf(which, sizeof(which), "%012" PRId64, k->payment);
    return audit_count(ctx, check_payment(ctx, k, &found), "payment", which, &found, e);
}

/* ---- transfers, and the day ---- */

/* What a card filled: its acquirer says so, under a contract of the purse's own. */
static enum tp_err check_card(const struct audit *a, const struct booking *what, struct tp_error *e)
{
    struct order_authority *authority = NULL;
    char contract[BOOK_CONTRACT], pem[BOOK_PEM], *jws = span_text(what->evidence);
    uint16_t currency = 0;
    bool open;
    enum tp_err r = jws != NULL ? record_payee(contract, jws, e)
                                : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");

    if (r == TP_OK)
        r = book_trust_get(a->book, contract, pem, &open, e);
    if (r == TP_ERR_NOT_FOUND)
        r = TP_ERR_SECURITY;
    if (r == TP_OK)
        r = order_authority_read(&authority, span_str(pem), "the acquirer's authority", e);
    if (r == TP_OK)
        r = record_paid(&currency, what, jws, authority, e);
    if (r == TP_OK && currency != what->currency)
        r = tp_fail(e, TP_ERR_SECURITY, "a card paid in another currency");
    order_authority_free(&authority);
    free(jws);
    return r;
}

static enum tp_err look_at_booking(void *ctx, const struct booking *what, struct tp_error *e)
{
    struct audit *a = ctx;
    struct tp_error found = {TP_OK, ""};
    enum tp_err r = record_verify(what, a->acquirer, a->authority, &found);

    if (r == TP_OK && what->kind == BOOKING_CARD)
        r = check_card(a, what, &found);
    return audit_count(a, r, "account", what->account, &found, e);
}

/* What went out: the account's key said so, and the purse took it over as it is. */
static bool is_emptying(const struct emptied *m, const struct purse_statement *s)
{
    const struct currency *c = currency_by_alpha(s->currency);

    return strcmp(m->account, s->account) == 0 && strtoll(s->counter, NULL, 10) == m->counter &&
           strtoll(s->amount, NULL, 10) == m->amount && strcmp(m->iban, s->iban) == 0 &&
           strcmp(m->name, s->name) == 0 &&
           (strcmp(m->code, "00") != 0 || (c != NULL && c->numeric == m->currency));
}

static enum tp_err check_emptying(struct audit *a, const struct emptied *m, struct tp_error *e)
{
    struct booking said = {.kind = BOOKING_EMPTIED,
                           .amount = m->amount,
                           .currency = m->currency,
                           .at = m->at,
                           .record = m->record};
    struct purse_statement s = {.owner = NULL};
    char *jws = span_text(m->statement);
    enum tp_err r = jws != NULL ? purse_statement_read(&s, PURSE_EMPTYING, jws, e)
                                : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");

    memcpy(said.account, m->account, sizeof(said.account));
    payment_number(said.reference, m->emptying);
    if (r == TP_OK && (!is_emptying(m, &s) || strcmp(s.acquirer, a->acquirer) != 0))
        r = tp_fail(e, TP_ERR_SECURITY, "the books say something else than what was signed");
    if (r == TP_OK)
        r = audit_signer(a, m->account, s.key, e);
    if (r == TP_OK && strcmp(m->code, "00") == 0)
        r = record_verify(&said, a->acquirer, a->authority, e);
    purse_statement_free(&s);
    free(jws);
    return r;
}

static enum tp_err look_at_emptying(void *ctx, const struct emptied *m, struct tp_error *e)
{
    char which[BOOK_NUMBER];
    struct tp_error found = {TP_OK, ""};

    payment_number(which, m->emptying);
    return audit_count(ctx, check_emptying(ctx, m, &found), "emptying", which, &found, e);
}

static enum tp_err look_at_remises(struct audit *a, struct tp_error *e)
{
    int64_t n = 0;
    const enum tp_err r = book_odd_remises(a->book, &n, e);

    progress_hide(&a->progress);
    if (r == TP_OK && n > 0) {
        a->faults++;
        log_error("%" PRId64 " remises are not what their payments come to, hold another "
                  "contract's or another's refusals, or their numbers have a gap",
                  n);
    }
    return r;
}

enum tp_err purse_audit(struct book *b, const struct order_authority *authority, size_t *faults,
                        struct tp_error *e)
{
    struct audit a = {.book = b, .authority = authority};
    int64_t n = 0;
    enum tp_err r = book_acquirer(b, a.acquirer, e);

    if (r == TP_OK)
        r = book_checks(b, &n, e);
    progress_start(&a.progress, (uint64_t)n, N_("checks"));
    if (r == TP_OK)
        r = book_account_each(b, look_at_account, &a, e);
    if (r == TP_OK)
        r = kept_each(b, NULL, look_at_payment, &a, e);
    if (r == TP_OK)
        r = booking_each(b, look_at_booking, &a, e);
    if (r == TP_OK)
        r = emptied_each(b, look_at_emptying, &a, e);
    if (r == TP_OK)
        r = audit_sessions(&a, e);
    if (r == TP_OK)
        r = look_at_remises(&a, e);
    progress_hide(&a.progress);
    *faults = a.faults;
    return r;
}
