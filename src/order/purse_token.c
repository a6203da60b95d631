#include "order/purse_token.h"

#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/word.h"
#include "order/members.h"

#define REASON_CHARS 200
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool is_words(const char *text)
{
    return word_check(text, "reason", REASON_CHARS, NULL) == TP_OK;
}

static bool is_statement(const char *text)
{
    struct token_text parts;

    return token_split(&parts, text, PURSE_STATEMENT_MAX, NULL) == TP_OK;
}

/* A session's id, a hyphen, and how many of it this is. */
static bool is_session_number(const char *text)
{
    char session[27];
    const char *const hyphen = strchr(text, '-');

    if (hyphen == NULL || hyphen - text != (ptrdiff_t)sizeof(session) - 1)
        return false;
    snprintf(session, sizeof(session), "%s", text);
    return member_is_order(session) && member_is_amount(hyphen + 1);
}

#define NAMED(name, m, good, optional)                                                             \
    {                                                                                              \
        name, offsetof(struct purse_token, m), good, optional                                      \
    }
#define MEMBER(m, good) NAMED(#m, m, good, false)

static const struct member reversal[] = {
    MEMBER(acquirer, member_is_acquirer),
    MEMBER(contract, member_is_contract),
    MEMBER(order, member_is_order),
    MEMBER(amount, member_is_amount),
    MEMBER(currency, member_is_currency),
    MEMBER(payment, member_is_hash),
    MEMBER(reason, is_words),
    MEMBER(at, member_is_time),
};
static const struct member presentation[] = {
    MEMBER(acquirer, member_is_acquirer), MEMBER(session, member_is_order),
    MEMBER(contract, member_is_contract), MEMBER(currency, member_is_currency),
    MEMBER(sum, member_is_amount),        MEMBER(voucher, is_statement),
    MEMBER(at, member_is_time),
};
static const struct member end[] = {
    MEMBER(acquirer, member_is_acquirer),
    MEMBER(session, member_is_order),
    MEMBER(at, member_is_time),
};
static const struct member voucher_acknowledgement[] = {
    MEMBER(r, member_is_hash),
    MEMBER(order, member_is_order),
    MEMBER(contract, member_is_contract),
    MEMBER(amount, member_is_amount),
    MEMBER(currency, member_is_currency),
    MEMBER(session, member_is_order),
    MEMBER(sum, member_is_amount),
    MEMBER(number, member_is_amount),
    NAMED("voucher", voucher_hash, member_is_hash, false),
    MEMBER(mediator, member_is_mediator),
    MEMBER(outcome, member_is_outcome),
    MEMBER(code, member_is_code),
    MEMBER(reference, is_session_number),
    MEMBER(at, member_is_time),
};
static const struct member provision_acknowledgement[] = {
    MEMBER(acquirer, member_is_acquirer), MEMBER(account, member_is_hash),
    MEMBER(key, member_is_hash),          MEMBER(mediator, member_is_mediator),
    MEMBER(session, member_is_order),     MEMBER(amount, member_is_amount),
    MEMBER(currency, member_is_currency), MEMBER(until, member_is_time),
    MEMBER(outcome, member_is_outcome),   MEMBER(code, member_is_code),
    MEMBER(provision, member_is_hash),    NAMED("reason", reason, member_is_reason, true),
    MEMBER(at, member_is_time),
};

static const struct {
    const char *type;
    enum pki_role role;
    const struct member *members;
    size_t n;
} kinds[] = {
    [PURSE_REVERSAL] = {"telepay-purse-reversal", PKI_ORDER, reversal, COUNT(reversal)},
    [PURSE_PRESENTATION] = {"telepay-purse-presentation", PKI_ORDER, presentation,
                            COUNT(presentation)},
    [PURSE_END] = {"telepay-purse-end", PKI_ORDER, end, COUNT(end)},
    [PURSE_VOUCHER_ACKNOWLEDGEMENT] = {"telepay-voucher-acknowledgement", PKI_ORDER,
                                       voucher_acknowledgement, COUNT(voucher_acknowledgement)},
    [PURSE_PROVISION_ACKNOWLEDGEMENT] = {"telepay-purse-provision-acknowledgement",
                                         PKI_ACKNOWLEDGEMENT, provision_acknowledgement,
                                         COUNT(provision_acknowledgement)},
};

/* What the members say together. */
static enum tp_err check(const struct purse_token *t, struct tp_error *e)
{
    char reference[64];

    if (t->reference != NULL) {
        snprintf(reference, sizeof(reference), "%s-%s", t->session, t->number);
        if (strcmp(reference, t->reference) != 0)
            return tp_fail(e, TP_ERR_FORMAT, "its reference is not its session and number");
    }
    return t->outcome != NULL ? members_outcome(t->outcome, t->code, e) : TP_OK;
}

enum tp_err purse_token_write(char **jws, enum purse_token_kind kind, const struct purse_token *t,
                              const struct order_key *key, struct tp_error *e)
{
    struct purse_token written = {0}; /* of the kind's members alone */
    json_t *object = json_object();
    enum tp_err r = members_write(object, t, kinds[kind].members, kinds[kind].n, e);

    *jws = NULL;
    if (r == TP_OK)
        r = members_read(&written, object, kinds[kind].members, kinds[kind].n, 0, e);
    if (r == TP_OK)
        r = check(&written, e);
    if (r == TP_OK)
        r = members_set_version(object, e);
    if (r == TP_OK)
        r = token_sign(jws, object, kinds[kind].type, key, e);
    json_decref(object);
    if (r != TP_OK)
        (void)tp_error_prefix(e, "%s", kinds[kind].type);
    return r;
}

/* An order's key speaks for its contract and its mediator; the purse's for the purse. */
static enum tp_err check_signer(const struct purse_token *t, enum purse_token_kind kind,
                                struct tp_error *e)
{
    if (kinds[kind].role == PKI_ACKNOWLEDGEMENT)
        return strcmp(t->acquirer, t->signer) == 0
                   ? TP_OK
                   : tp_fail(e, TP_ERR_SECURITY, "another acquirer signed it");
    if (t->contract != NULL && strcmp(t->contract, t->signed_for) != 0)
        return tp_fail(e, TP_ERR_SECURITY, "a key of another contract signed it");
    if (t->mediator != NULL && strcmp(t->mediator, t->signer) != 0)
        return tp_fail(e, TP_ERR_SECURITY, "another mediator signed it");
    return TP_OK;
}

enum tp_err purse_token_read(struct purse_token *out, enum purse_token_kind kind, const char *jws,
                             const struct order_authority *authority, struct tp_error *e)
{
    struct token t = {0};
    struct order_holder holder = {0};
    time_t at = 0;
    enum tp_err r = token_read(&t, jws, kinds[kind].type, e);

    *out = (struct purse_token){0};
    if (r != TP_OK)
        goto out;
    out->owner = json_incref(t.payload);
    r = members_version(t.payload, e);
    if (r == TP_OK)
        r = members_read(out, t.payload, kinds[kind].members, kinds[kind].n, 1, e);
    if (r == TP_OK)
        r = check(out, e);
    if (r == TP_OK)
        r = time_parse(&at, out->at);
    if (r == TP_OK)
        r = token_verify(&holder, &t, authority, kinds[kind].role, at, e);
    if (r != TP_OK)
        goto out;
    memcpy(out->signer, holder.common_name, sizeof(out->signer));
    memcpy(out->signed_for, holder.organisation, sizeof(out->signed_for));
    r = check_signer(out, kind, e);
out:
    order_holder_free(&holder);
    token_free(&t);
    if (r != TP_OK)
        (void)tp_error_prefix(e, "%s", kinds[kind].type);
    return r;
}

void purse_token_free(struct purse_token *t)
{
    json_decref(t->owner);
    *t = (struct purse_token){0};
}
