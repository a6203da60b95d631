#include "order/purse.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/iban.h"
#include "base/word.h"
#include "order/members.h"
#include "order/token.h"
#include "wire/jcs.h"

#define NAME_CHARS   70 /* Max70Text: who holds a bank account, in a payment file */
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool is_iban(const char *text)
{
    return strlen(text) < IBAN_MAX && iban_is_good(text);
}

static bool is_name(const char *text)
{
    return word_check(text, "name", NAME_CHARS, NULL) == TP_OK;
}

#define MEMBER(m, good)                                                                            \
    {                                                                                              \
#m, offsetof(struct purse_statement, m), good, false                                       \
    }

static const struct member opening[] = {
    MEMBER(acquirer, member_is_acquirer),
    MEMBER(currency, member_is_currency),
};
static const struct member succession[] = {
    MEMBER(acquirer, member_is_acquirer),
    MEMBER(account, member_is_hash),
    MEMBER(next, member_is_hash),
};
static const struct member payment[] = {
    MEMBER(account, member_is_hash),      MEMBER(r, member_is_hash),
    MEMBER(order, member_is_order),       MEMBER(amount, member_is_amount),
    MEMBER(currency, member_is_currency), MEMBER(counter, member_is_amount),
};
static const struct member question[] = {
    MEMBER(acquirer, member_is_acquirer),
    MEMBER(account, member_is_hash),
    MEMBER(at, member_is_time),
};
static const struct member emptying[] = {
    MEMBER(acquirer, member_is_acquirer),
    MEMBER(account, member_is_hash),
    MEMBER(amount, member_is_amount),
    MEMBER(currency, member_is_currency),
    MEMBER(counter, member_is_amount),
    MEMBER(iban, is_iban),
    MEMBER(name, is_name),
};
static const struct member provision[] = {
    MEMBER(acquirer, member_is_acquirer), MEMBER(account, member_is_hash),
    MEMBER(mediator, member_is_mediator), MEMBER(session, member_is_order),
    MEMBER(amount, member_is_amount),     MEMBER(currency, member_is_currency),
    MEMBER(until, member_is_time),        MEMBER(counter, member_is_amount),
};
static const struct member voucher[] = {
    MEMBER(account, member_is_hash),
    MEMBER(session, member_is_order),
    MEMBER(contract, member_is_contract),
    MEMBER(sum, member_is_amount),
    MEMBER(number, member_is_amount),
    MEMBER(currency, member_is_currency),
    MEMBER(r, member_is_hash),
    MEMBER(order, member_is_order),
};
static const struct member session_end[] = {
    MEMBER(account, member_is_hash),
    MEMBER(session, member_is_order),
};

static const struct {
    const char *type;
    const struct member *members;
    size_t n;
} kinds[] = {
    [PURSE_OPENING] = {"telepay-purse-opening", opening, COUNT(opening)},
    [PURSE_SUCCESSION] = {"telepay-purse-succession", succession, COUNT(succession)},
    [PURSE_PAYMENT] = {"telepay-purse-payment", payment, COUNT(payment)},
    [PURSE_QUESTION] = {"telepay-purse-question", question, COUNT(question)},
    [PURSE_EMPTYING] = {"telepay-purse-emptying", emptying, COUNT(emptying)},
    [PURSE_PROVISION] = {"telepay-purse-provision", provision, COUNT(provision)},
    [PURSE_VOUCHER] = {"telepay-purse-voucher", voucher, COUNT(voucher)},
    [PURSE_SESSION_END] = {"telepay-purse-session-end", session_end, COUNT(session_end)},
};

/* ---- writing ---- */

static enum tp_err encode_header(char **out, const char *type, const uint8_t secret[ED25519_KEY],
                                 struct tp_error *e)
{
    uint8_t key[ED25519_KEY];
    json_t *jwk = NULL, *header = NULL;
    enum tp_err r = ed25519_public(key, secret, e);

    if (r != TP_OK)
        return r;
    jwk = ed25519_to_jwk(key);
    header = json_pack("{s:s,s:s,s:O?}", "alg", "EdDSA", "typ", type, "jwk", jwk);
    r = jwk != NULL && header != NULL ? jcs_encode(out, header, e)
                                      : tp_fail(e, TP_ERR_NO_MEMORY, "no memory to sign");
    json_decref(jwk);
    json_decref(header);
    return r;
}

static enum tp_err sign(char **jws, const json_t *object, const char *type,
                        const uint8_t secret[ED25519_KEY], struct tp_error *e)
{
    uint8_t signature[ED25519_SIGNATURE];
    char text[BASE64URL_SIZE(ED25519_SIGNATURE)], *head = NULL, *body = NULL, *all = NULL;
    enum tp_err r = encode_header(&head, type, secret, e);

    if (r == TP_OK)
        r = jcs_encode(&body, object, e);
    if (r == TP_OK && asprintf(&all, "%s.%s", head, body) < 0) {
        all = NULL;
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory to sign");
    }
    if (r == TP_OK)
        r = ed25519_sign(signature, span_str(all), secret, e);
    if (r == TP_OK && asprintf(jws, "%s.%s", all, base64url_encode(text, SPAN_OF(signature))) < 0) {
        *jws = NULL;
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory to sign");
    }
    free(head);
    free(body);
    free(all);
    return r;
}

enum tp_err purse_statement_write(char **jws, enum purse_kind kind, const struct purse_statement *s,
                                  const uint8_t secret[ED25519_KEY], struct tp_error *e)
{
    json_t *object = json_object();
    enum tp_err r = members_write(object, s, kinds[kind].members, kinds[kind].n, e);

    *jws = NULL;
    if (r == TP_OK)
        r = members_set_version(object, e);
    if (r == TP_OK)
        r = sign(jws, object, kinds[kind].type, secret, e);
    json_decref(object);
    return r;
}

/* ---- reading ---- */

static enum tp_err check_signature(const struct token_text *text, const uint8_t key[ED25519_KEY],
                                   struct tp_error *e)
{
    uint8_t signature[ED25519_SIGNATURE];
    struct buf b = BUF_OF(signature);
    const size_t n = (size_t)(text->body.p + text->body.n - text->head.p);

    if (base64url_decode(&b, span_str(text->signature)) != TP_OK || b.n != sizeof(signature))
        return tp_fail(e, TP_ERR_FORMAT, "its signature is no base64url");
    return ed25519_verify(signature, span_of(text->head.p, n), key, e);
}

enum tp_err purse_statement_read(struct purse_statement *out, enum purse_kind kind, const char *jws,
                                 struct tp_error *e)
{
    struct token_text text;
    json_t *jwk = NULL;
    enum tp_err r = token_split(&text, jws, PURSE_STATEMENT_MAX, e);

    *out = (struct purse_statement){0};
    if (r == TP_OK)
        r = token_header(&jwk, &text, "EdDSA", kinds[kind].type, "jwk", e);
    if (r == TP_OK)
        r = ed25519_from_jwk(out->key, jwk, e);
    if (r == TP_OK)
        r = check_signature(&text, out->key, e);
    if (r == TP_OK)
        r = jcs_decode(&out->owner, text.body, PURSE_STATEMENT_MAX, e);
    if (r == TP_OK)
        r = members_version(out->owner, e);
    if (r == TP_OK)
        r = members_read(out, out->owner, kinds[kind].members, kinds[kind].n, 1, e);
    json_decref(jwk);
    if (r != TP_OK)
        (void)tp_error_prefix(e, "%s", kinds[kind].type);
    return r;
}

void purse_statement_free(struct purse_statement *s)
{
    json_decref(s->owner);
    *s = (struct purse_statement){0};
}

enum tp_err purse_statement_hash(char out[PURSE_HASH], const char *jws, struct tp_error *e)
{
    uint8_t hash[32];

    if (EVP_Q_digest(NULL, "SHA256", NULL, jws, strlen(jws), hash, NULL) != 1)
        return tp_fail(e, TP_ERR_INTERNAL, "SHA-256 fails");
    base64url_encode(out, SPAN_OF(hash));
    return TP_OK;
}
