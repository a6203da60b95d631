#include "order/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "base/word.h"
#include "order/members.h"
#include "wire/jcs.h"
#include "wire/payment_digest.h"

#define VERSION        1
#define MERCHANT_CHARS 100
#define ITEM_CHARS     200
#define URL_MAX        2048
#define NONCE_CHARS    22 /* 16 bytes */
#define MEANS_CHARS    16
#define METHOD_CHARS   16
#define OTHER_MEMBERS  3 /* version, means, resource */
#define MEANS_MEMBERS  2
#define LETTERS        "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS         "0123456789"
#define SMALL          "abcdefghijklmnopqrstuvwxyz"
#define COUNT(table)   (sizeof(table) / sizeof((table)[0]))
#define CARD           "emv"
#define STREAM         "stream"
#define PER_DIGITS     4

static bool is_of(const char *text, const char *characters, size_t min, size_t max)
{
    const size_t n = strspn(text, characters);

    return text[n] == '\0' && n >= min && n <= max;
}

static bool is_merchant(const char *text)
{
    return word_check(text, "merchant", MERCHANT_CHARS, NULL) == TP_OK;
}

static bool is_item(const char *text)
{
    return word_check(text, "item", ITEM_CHARS, NULL) == TP_OK;
}

static bool is_delivery(const char *text)
{
    return strcmp(text, "network") == 0 || strcmp(text, "shipped") == 0 ||
           strcmp(text, "included") == 0 || strcmp(text, STREAM) == 0;
}

static bool is_per(const char *text)
{
    return is_of(text, DIGITS, 1, PER_DIGITS) && text[0] != '0' && atoi(text) <= ORDER_PER_MAX;
}

static bool is_nonce(const char *text)
{
    uint8_t bytes[16];
    struct buf b = BUF_OF(bytes);

    return strlen(text) == NONCE_CHARS && base64url_decode(&b, span_str(text)) == TP_OK;
}

static bool is_url(const char *text)
{
    const size_t n = strnlen(text, URL_MAX + 1);

    if (n > URL_MAX || (strncmp(text, "https://", 8) != 0 && strncmp(text, "http://", 7) != 0))
        return false;
    for (size_t i = 0; i < n; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return true;
}

static bool is_stan(const char *text)
{
    return is_of(text, DIGITS, 6, 6);
}

static bool is_date(const char *text)
{
    char dashed[DATE_TEXT_MAX];
    int date;

    if (!is_of(text, DIGITS, 8, 8))
        return false;
    snprintf(dashed, sizeof(dashed), "%.4s-%.2s-%.2s", text, text + 4, text + 6);
    return date_parse(&date, dashed) == TP_OK;
}

static bool is_clock(const char *text)
{
    return is_of(text, DIGITS, 6, 6) && strncmp(text, "24", 2) < 0 && text[2] < '6' &&
           text[4] < '6';
}

static bool is_method(const char *text)
{
    return is_of(text, LETTERS, 1, METHOD_CHARS);
}

static bool is_digest(const char *text)
{
    uint8_t sha256[32];

    return payment_digest_read(sha256, text, NULL) == TP_OK;
}

static const struct member members[] = {
    {"order", offsetof(struct order, id), member_is_order, false},
    {"contract", offsetof(struct order, contract), member_is_contract, false},
    {"merchant", offsetof(struct order, merchant), is_merchant, false},
    {"item", offsetof(struct order, item), is_item, false},
    {"amount", offsetof(struct order, amount), member_is_amount, false},
    {"currency", offsetof(struct order, currency), member_is_currency, false},
    {"delivery", offsetof(struct order, delivery), is_delivery, false},
    {"per", offsetof(struct order, per), is_per, true},
    {"quote", offsetof(struct order, quote), member_is_hash, false},
    {"nonce", offsetof(struct order, nonce), is_nonce, false},
    {"issued", offsetof(struct order, issued), member_is_time, false},
    {"valid_until", offsetof(struct order, valid_until), member_is_time, false},
    {"return", offsetof(struct order, return_to), is_url, false},
    {"terminal", offsetof(struct order, terminal), member_is_terminal, true},
    {"stan", offsetof(struct order, stan), is_stan, true},
    {"date", offsetof(struct order, date), is_date, true},
    {"time", offsetof(struct order, time), is_clock, true},
    {"country", offsetof(struct order, country), member_is_country, true},
    {"mcc", offsetof(struct order, mcc), member_is_mcc, true},
    {"acquirer", offsetof(struct order, acquirer), member_is_acquirer, false},
};

static const struct member resource[] = {
    {"method", offsetof(struct order, method), is_method, false},
    {"url", offsetof(struct order, url), is_url, false},
    {"digest", offsetof(struct order, digest), is_digest, true},
};

/* What a card is told, and its payment known by: all of it where a card may pay. Elsewhere nothing;
 * orders of before had all of it there too, and can still be proved. */
static enum tp_err check_card(const struct order *o, struct tp_error *e)
{
    const char *const told[] = {o->terminal, o->stan, o->date, o->time, o->country, o->mcc};
    bool card = false;
    size_t n = 0;

    for (size_t i = 0; i < o->n_means; i++)
        card = card || strcmp(o->means[i].name, CARD) == 0;
    for (size_t i = 0; i < COUNT(told); i++)
        n += told[i] != NULL;
    return n == COUNT(told) || (n == 0 && !card)
               ? TP_OK
               : tp_fail(e, TP_ERR_FORMAT, "it does not say all that a card is told");
}

/* What no member says alone. */
static enum tp_err check(const struct order *o, struct tp_error *e)
{
    time_t from = 0, to = 0;

    if (time_parse(&from, o->issued) != TP_OK || time_parse(&to, o->valid_until) != TP_OK ||
        to <= from || to - from > ORDER_VALID_MAX)
        return tp_fail(e, TP_ERR_FORMAT, "valid_until is not within %d s after issued",
                       ORDER_VALID_MAX);
    if ((strcmp(o->delivery, STREAM) == 0) != (o->per != NULL))
        return tp_fail(e, TP_ERR_FORMAT, "per is said of a stream, and of nothing else");
    if (o->n_means == 0 || o->n_means > ORDER_MEANS_MAX)
        return tp_fail(e, TP_ERR_FORMAT, "means: 1 to %d of them", ORDER_MEANS_MAX);
    for (size_t i = 0; i < o->n_means; i++) {
        const struct order_means *m = &o->means[i];

        if (m->name == NULL || !is_of(m->name, SMALL DIGITS, 1, MEANS_CHARS) ||
            m->ceiling == NULL || !member_is_amount(m->ceiling))
            return tp_fail(e, TP_ERR_FORMAT, "means: a name or a ceiling is missing or wrong");
        for (size_t j = 0; j < i; j++)
            if (strcmp(o->means[j].name, m->name) == 0)
                return tp_fail(e, TP_ERR_FORMAT, "means: %s is named twice", m->name);
    }
    return check_card(o, e);
}

/* ---- writing ---- */

static json_t *means_json(const struct order *o)
{
    json_t *list = json_array();

    for (size_t i = 0; i < o->n_means; i++)
        if (json_array_append_new(list, json_pack("{s:s,s:s}", "name", o->means[i].name, "ceiling",
                                                  o->means[i].ceiling)) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

enum tp_err order_write(char **jws, const struct order *o, const struct order_key *key,
                        struct tp_error *e)
{
    json_t *object = json_object(), *of = json_object();
    enum tp_err r = members_write(object, o, members, COUNT(members), e);

    *jws = NULL;
    if (r == TP_OK)
        r = members_write(of, o, resource, COUNT(resource), e);
    if (r == TP_OK)
        r = check(o, e);
    if (r == TP_OK && (json_object_set(object, "resource", of) != 0 ||
                       json_object_set_new(object, "means", means_json(o)) != 0 ||
                       json_object_set_new(object, "version", json_integer(VERSION)) != 0))
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for an order");
    if (r == TP_OK)
        r = token_sign(jws, object, ORDER_TYPE, key, e);
    json_decref(object);
    json_decref(of);
    if (r != TP_OK)
        (void)tp_error_prefix(e, "the order");
    return r;
}

/* ---- reading ---- */

static enum tp_err read_means(struct order *out, const json_t *list, struct tp_error *e)
{
    out->n_means = json_array_size(list);
    for (size_t i = 0; i < out->n_means && i < ORDER_MEANS_MAX; i++) {
        const json_t *one = json_array_get(list, i);
        enum tp_err r = jcs_text(&out->means[i].name, one, "name", e);

        if (r == TP_OK)
            r = jcs_text(&out->means[i].ceiling, one, "ceiling", e);
        if (r != TP_OK)
            return r;
        if (json_object_size(one) != MEANS_MEMBERS)
            return tp_fail(e, TP_ERR_FORMAT, "means: there is a member that nobody knows");
    }
    return TP_OK;
}

static enum tp_err read_members(struct order *out, const json_t *object, struct tp_error *e)
{
    const json_t *version = json_object_get(object, "version");
    enum tp_err r;

    if (!json_is_integer(version) || json_integer_value(version) != VERSION)
        return tp_fail(e, TP_ERR_FORMAT, "it is not of version %d", VERSION);
    if (!json_is_array(json_object_get(object, "means")))
        return tp_fail(e, TP_ERR_FORMAT, "member means is missing or wrong");
    r = members_read(out, json_object_get(object, "resource"), resource, COUNT(resource), 0, e);
    if (r != TP_OK) {
        (void)tp_error_prefix(e, "resource");
        return r;
    }
    r = members_read(out, object, members, COUNT(members), OTHER_MEMBERS, e);
    if (r == TP_OK)
        r = read_means(out, json_object_get(object, "means"), e);
    return r == TP_OK ? check(out, e) : r;
}

static enum tp_err check_time(const struct order *o, time_t at, struct tp_error *e)
{
    time_t from = 0, to = 0;

    if (time_parse(&from, o->issued) != TP_OK || time_parse(&to, o->valid_until) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT, "its times cannot be read");
    if (at < from - ORDER_GRACE)
        return tp_fail(e, TP_ERR_TIMEOUT, "it begins at %s: compare the clocks", o->issued);
    if (at > to + ORDER_GRACE)
        return tp_fail(e, TP_ERR_TIMEOUT, "it was valid until %s: ask for it again",
                       o->valid_until);
    return TP_OK;
}

enum tp_err order_read(struct order *out, const char *jws, const struct order_authority *authority,
                       time_t at, struct tp_error *e)
{
    struct token t = {0};
    struct order_holder holder = {0};
    enum tp_err r = token_read(&t, jws, ORDER_TYPE, e);

    *out = (struct order){0};
    if (r == TP_OK)
        r = token_verify(&holder, &t, authority, PKI_ORDER, at, e);
    if (r == TP_OK) {
        out->owner = json_incref(t.payload);
        r = read_members(out, t.payload, e);
    }
    if (r == TP_OK && strcmp(holder.organisation, out->contract) != 0)
        r = tp_fail(e, TP_ERR_SECURITY, "its key is certified for another contract");
    if (r == TP_OK)
        r = check_time(out, at, e);
    memcpy(out->mediator, holder.common_name, sizeof(out->mediator));
    order_holder_free(&holder);
    token_free(&t);
    if (r != TP_OK)
        (void)tp_error_prefix(e, "the order");
    return r;
}

void order_free(struct order *o)
{
    json_decref(o->owner);
    *o = (struct order){0};
}

/* ---- the request that bears it ---- */

enum tp_err order_agrees(const struct order *o, const struct payment_charge *c, struct tp_error *e)
{
    const struct {
        const char *name, *plain, *ordered;
        bool optional;
    } pairs[] = {
        {"amount", c->amount, o->amount, false},
        {"currency", c->currency, o->currency, false},
        {"recipient", c->recipient, o->contract, false},
        {"externalId", c->external_id, o->id, false},
        {"description", c->description, o->item, true},
    };

    for (size_t i = 0; i < COUNT(pairs); i++)
        if (pairs[i].plain == NULL ? !pairs[i].optional
                                   : strcmp(pairs[i].plain, pairs[i].ordered) != 0)
            return tp_fail(e, TP_ERR_SECURITY, "the request's %s is not the order's",
                           pairs[i].name);
    return TP_OK;
}

enum tp_err order_of_charge(const char **jws, const struct payment_charge *c, struct tp_error *e)
{
    const enum tp_err r = jcs_text(jws, c->method_details, "order", e);

    if (r != TP_OK)
        return r;
    return *jws != NULL ? TP_OK : tp_fail(e, TP_ERR_FORMAT, "the request bears no order");
}
