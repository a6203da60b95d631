#include "order/letter.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "base/word.h"
#include "order/members.h"
#include "order/sealed.h"
#include "order/token.h"
#include "wire/jcs.h"

#define VERSION      1
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

const char *const letter_reasons[] = {"not-delivered", "not-as-described", "not-mine", "paid-twice",
                                      NULL};

static bool is_one_of(const char *text, const char *const *list)
{
    while (*list != NULL && strcmp(*list, text) != 0)
        list++;
    return *list != NULL;
}

static bool is_reason(const char *text)
{
    return is_one_of(text, letter_reasons);
}

static bool is_act(const char *text)
{
    static const char *const acts[] = {ACT_OPENED,  ACT_ANSWERED, ACT_ASKED,
                                       ACT_SETTLED, ACT_REFUSED,  NULL};

    return is_one_of(text, acts);
}

static bool is_words(const char *text)
{
    return word_check(text, "words", LETTER_WORDS, NULL) == TP_OK;
}

static bool is_origin(const char *text)
{
    return strncmp(text, "https://", 8) == 0 && strlen(text) < 200 &&
           strspn(text + 8, "abcdefghijklmnopqrstuvwxyz0123456789.-:[]") == strlen(text) - 8;
}

static bool is_name(const char *text)
{
    return text[0] != '\0' && strlen(text) <= 32 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text);
}

#define MEMBER(m, good, optional)                                                                  \
    {                                                                                              \
#m, offsetof(struct letter, m), good, optional                                             \
    }

static const struct member dispute[] = {
    MEMBER(order, member_is_order, false), MEMBER(credential, member_is_hash, true),
    MEMBER(reason, is_reason, false),      MEMBER(words, is_words, true),
    MEMBER(at, member_is_time, false),
};
static const struct member evidence[] = {
    MEMBER(order, member_is_order, false),
    MEMBER(answers, member_is_hash, false),
    MEMBER(words, is_words, false),
    MEMBER(at, member_is_time, false),
};
static const struct member identity[] = {
    MEMBER(mediator, is_origin, false), MEMBER(request, member_is_order, false),
    MEMBER(service, is_name, false),    MEMBER(reason, is_words, false),
    MEMBER(at, member_is_time, false),
};
static const struct member answer[] = {
    MEMBER(order, member_is_order, false),
    MEMBER(contract, member_is_contract, false),
    MEMBER(answers, member_is_hash, false),
    MEMBER(act, is_act, false),
    MEMBER(words, is_words, true),
    MEMBER(amount, member_is_amount, true),
    MEMBER(currency, member_is_currency, true),
    MEMBER(until, member_is_time, true),
    MEMBER(at, member_is_time, false),
};

static const struct member card_request[] = {
    MEMBER(mediator, is_origin, false),
    MEMBER(request, member_is_order, false),
    MEMBER(service, is_name, false),
    MEMBER(reason, is_words, false),
    MEMBER(contract, member_is_contract, false),
    MEMBER(acquirer, member_is_acquirer, false),
    MEMBER(terminal, member_is_terminal, false),
    MEMBER(country, member_is_country, false),
    MEMBER(mcc, member_is_mcc, false),
    MEMBER(currency, member_is_currency, false),
    MEMBER(until, member_is_time, false),
    MEMBER(at, member_is_time, false),
};
static const struct member card_answer[] = {
    MEMBER(answers, member_is_hash, false),
    MEMBER(contract, member_is_contract, false),
    MEMBER(user, member_is_hash, false),
    MEMBER(at, member_is_time, false),
};

static const struct {
    const char *type;
    const struct member *members;
    size_t n;
    enum pki_role role; /* of the key, where one is certified; that of an order is its contract's */
} kinds[] = {
    [LETTER_DISPUTE] = {"telepay-dispute", dispute, COUNT(dispute), 0},
    [LETTER_EVIDENCE] = {"telepay-dispute-evidence", evidence, COUNT(evidence), 0},
    [LETTER_IDENTITY] = {"telepay-identity", identity, COUNT(identity), 0},
    [LETTER_ANSWER] = {"telepay-dispute-answer", answer, COUNT(answer), PKI_ORDER},
    [LETTER_CARD_REQUEST] = {"telepay-card-request", card_request, COUNT(card_request), PKI_ORDER},
    [LETTER_CARD] = {"telepay-card", card_answer, COUNT(card_answer), PKI_ACKNOWLEDGEMENT},
};

/* ---- writing ---- */

static enum tp_err make(json_t **object, enum letter_kind kind, const struct letter *l,
                        struct tp_error *e)
{
    enum tp_err r;

    *object = json_object();
    r = members_write(*object, l, kinds[kind].members, kinds[kind].n, e);
    if (r == TP_OK && json_object_set_new(*object, "version", json_integer(VERSION)) != 0)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory to sign");
    return r;
}

enum tp_err letter_write_own(char **jws, enum letter_kind kind, const struct letter *l,
                             const json_t *jwk, struct tp_error *e)
{
    json_t *object = NULL;
    enum tp_err r = make(&object, kind, l, e);

    *jws = NULL;
    if (r == TP_OK)
        r = token_sign_own(jws, object, kinds[kind].type, jwk, e);
    json_decref(object);
    return r;
}

enum tp_err letter_write(char **jws, enum letter_kind kind, const struct letter *l,
                         const struct order_key *key, struct tp_error *e)
{
    json_t *object = NULL;
    enum tp_err r = make(&object, kind, l, e);

    *jws = NULL;
    if (r == TP_OK)
        r = token_sign(jws, object, kinds[kind].type, key, e);
    json_decref(object);
    return r;
}

/* ---- reading ---- */

static enum tp_err read_members(struct letter *out, enum letter_kind kind, struct tp_error *e)
{
    const json_t *version = json_object_get(out->owner, "version");

    return json_is_integer(version) && json_integer_value(version) == VERSION
               ? members_read(out, out->owner, kinds[kind].members, kinds[kind].n, 1, e)
               : tp_fail(e, TP_ERR_FORMAT, "it is not of version %d", VERSION);
}

enum tp_err letter_read_own(struct letter *out, enum letter_kind kind, const char *jws,
                            struct tp_error *e)
{
    struct token_text text;
    enum tp_err r = token_split(&text, jws, LETTER_MAX, e);

    *out = (struct letter){0};
    if (r == TP_OK)
        r = token_own_key(&out->key, &text, kinds[kind].type, e);
    if (r == TP_OK)
        r = token_es256(&text, out->key, e);
    if (r == TP_OK)
        r = jcs_decode(&out->owner, text.body, LETTER_MAX, e);
    if (r == TP_OK)
        r = read_members(out, kind, e);
    if (r != TP_OK) {
        letter_free(out);
        (void)tp_error_prefix(e, "%s", kinds[kind].type);
    }
    return r;
}

enum tp_err letter_read(struct letter *out, enum letter_kind kind, const char *jws,
                        const struct order_authority *authority, struct tp_error *e)
{
    const enum pki_role role = kinds[kind].role;
    struct order_holder holder = {.jwk = NULL};
    struct token t = {.payload = NULL};
    time_t at = 0;
    enum tp_err r = token_read(&t, jws, kinds[kind].type, e);

    *out = (struct letter){0};
    if (r == TP_OK) {
        out->owner = json_incref(t.payload);
        r = read_members(out, kind, e);
    }
    if (r == TP_OK)
        r = time_parse(&at, out->at);
    if (r == TP_OK)
        r = token_verify(&holder, &t, authority, role, at, e);
    if (r == TP_OK && role == PKI_ORDER && strcmp(holder.organisation, out->contract) != 0)
        r = tp_fail(e, TP_ERR_SECURITY, "its key is of another contract");
    if (r == TP_OK)
        memcpy(out->signer, holder.common_name, sizeof(out->signer));
    else if (t.payload != NULL) /* else it is said already */
        (void)tp_error_prefix(e, "%s", kinds[kind].type);
    if (r != TP_OK)
        letter_free(out);
    order_holder_free(&holder);
    token_free(&t);
    return r;
}

void letter_free(struct letter *l)
{
    json_decref(l->key);
    json_decref(l->owner);
    *l = (struct letter){0};
}

/* ---- by what they are known ---- */

enum tp_err letter_hash(uint8_t out[LETTER_HASH], const char *jws, struct tp_error *e)
{
    const char *end = strrchr(jws, '.');

    if (end == NULL)
        return tp_fail(e, TP_ERR_FORMAT, "that is no JWS");
    return EVP_Digest(jws, (size_t)(end - jws), out, NULL, EVP_sha256(), NULL) == 1
               ? TP_OK
               : tp_fail(e, TP_ERR_INTERNAL, "SHA-256 fails");
}

enum tp_err letter_thumbprint(uint8_t out[LETTER_HASH], const json_t *jwk, struct tp_error *e)
{
    json_t *public = NULL;
    enum tp_err r = sealed_public_key(&public, jwk, e);

    if (r == TP_OK) /* its members and their canonical form are those of RFC 7638 */
        r = jcs_hash(out, public, e);
    json_decref(public);
    return r;
}

/* What it is called by, what it is (base64url), and where. */
static enum tp_err name_of(char out[LETTER_USER], const char *how, const char *origin,
                           const char *what, struct tp_error *e)
{
    uint8_t hash[LETTER_HASH];
    char text[512];

    snprintf(text, sizeof(text), "%s|%s|%s", how, origin, what);
    if (EVP_Digest(text, strlen(text), hash, NULL, EVP_sha256(), NULL) != 1)
        return tp_fail(e, TP_ERR_INTERNAL, "SHA-256 fails");
    base64url_encode(out, SPAN_OF(hash));
    return TP_OK;
}

enum tp_err letter_user(char out[LETTER_USER], const char *origin, const json_t *jwk,
                        struct tp_error *e)
{
    char print[BASE64URL_SIZE(LETTER_HASH)];
    uint8_t hash[LETTER_HASH];
    const enum tp_err r = letter_thumbprint(hash, jwk, e);

    return r == TP_OK
               ? name_of(out, "telepay-user-1", origin, base64url_encode(print, SPAN_OF(hash)), e)
               : r;
}

enum tp_err letter_card_user(char out[LETTER_USER], const char *origin, const char *card,
                             struct tp_error *e)
{
    return name_of(out, "telepay-card-user-1", origin, card, e);
}
