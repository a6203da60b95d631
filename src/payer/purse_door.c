#include "payer/purse_door.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "base/word.h"
#include "wire/jcs.h"

#define EXCHANGE_S 60
#define PATH_ROOM  64

/* ---- what it says of itself ---- */

static void take_currencies(struct purse_about *out, const json_t *list)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        const char *alpha = json_string_value(json_object_get(one, "currency"));
        const struct currency *c = alpha != NULL ? currency_by_alpha(alpha) : NULL;

        if (c != NULL && out->n < PURSE_DOOR_CURRENCIES)
            out->currency[out->n++] = c;
    }
}

static enum tp_err take_about(struct purse_about *out, const json_t *body, const char *url,
                              struct tp_error *e)
{
    const char *acquirer = NULL, *name = NULL;
    enum tp_err r = jcs_text(&acquirer, body, "acquirer", e);

    if (r == TP_OK)
        r = jcs_text(&name, body, "name", e);
    if (r != TP_OK || acquirer == NULL || strlen(acquirer) >= PURSES_ID || acquirer[0] == '\0')
        return tp_fail(e, TP_ERR_PEER, "%s does not say which purse it is", url);
    snprintf(out->acquirer, sizeof(out->acquirer), "%s", acquirer);
    snprintf(out->name, sizeof(out->name), "%s", name != NULL ? name : "");
    word_make_shown(out->acquirer);
    word_make_shown(out->name);
    take_currencies(out, json_object_get(body, "currencies"));
    return TP_OK;
}

enum tp_err purse_door_about(struct purse_about *out, struct fetch *fetch, const char *url,
                             struct tp_error *e)
{
    char address[PURSES_URL + PATH_ROOM];
    const struct fetch_request request = {.url = address, .seconds = EXCHANGE_S};
    json_t *body = NULL;
    enum tp_err r;

    *out = (struct purse_about){.n = 0};
    snprintf(address, sizeof(address), "%s/purse", url);
    r = fetch_send(fetch, &request, e);
    if (r == TP_OK && fetch_status(fetch) != 200)
        r = tp_fail(e, TP_ERR_PEER, "%s answers %ld: it is no purse", address, fetch_status(fetch));
    if (r == TP_OK && jcs_read(&body, fetch_body(fetch), NULL) != TP_OK)
        r = tp_fail(e, TP_ERR_PEER, "what %s says cannot be read: it is no purse", address);
    if (r == TP_OK)
        r = take_about(out, body, url, e);
    json_decref(body);
    return r;
}

/* ---- statements ---- */

static const struct {
    const char *reason, *text;
} reasons[] = {
    {"ACCOUNT", "the purse knows no such account"},
    {"ACCOUNT_CLOSED", "the account is closed"},
    {"BALANCE", "the purse holds less than that: telepay purse fill"},
    {"CONTRACT", "the merchant's contract with the purse is closed"},
    {"COUNTER_OLD", "another device of yours pays by this purse, too: telepay purse balance, and "
                    "then again"},
    {"COUNTER_USED", "another device of yours pays by this purse, too: telepay purse balance, and "
                     "then again"},
    {"CURRENCY", "the purse has no such currency"},
    {"KEY", "the account has another key now"},
    {"LIMIT_DAY", "it is more than the purse pays in a day"},
    {"LIMIT_PAYMENT", "it is more than the purse pays at once"},
    {"MEDIATOR", "the purse takes nothing from this mediator any more"},
    {"ORDER_CEILING", "it is more than the order takes by purse"},
    {"ORDER_TIME", "the order is not valid any more: ask for it again"},
    {"ORDER_USED", "the order is paid"},
    {"REFUSALS", "the purse has refused too much of this account today: tomorrow again"},
    {"STOPPED", "the account is stopped: ask who runs the purse"},
};

const char *purse_door_reason(const char *reason)
{
    for (size_t i = 0; reason != NULL && i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (strcmp(reasons[i].reason, reason) == 0)
            return reasons[i].text;
    return "";
}

static enum tp_err refused(const struct fetch *fetch, const json_t *body, const char *address,
                           struct tp_error *e)
{
    const long status = fetch_status(fetch);
    char word[32] = "";
    const char *reason = json_string_value(json_object_get(body, "reason"));
    const char *code = json_string_value(json_object_get(body, "code"));
    const char *text = purse_door_reason(reason);

    if (status >= 500 || status == 408)
        return tp_fail(e, TP_ERR_PEER, "%s cannot take it now (%ld): try again later", address,
                       status);
    if (status == 429)
        return tp_fail(e, TP_ERR_PEER, "%s is asked too much from here: try again in a minute",
                       address);
    if (reason == NULL && code == NULL) /* whoever it was that answered */
        return tp_fail(e, TP_ERR_PEER, "%s answers %ld, which is no word of a purse", address,
                       status);
    if (reason != NULL)
        snprintf(word, sizeof(word), " %s", reason);
    word_make_shown(word);
    return tp_fail(e, status == 403 ? TP_ERR_SECURITY : TP_ERR_STATE, "%s refuses it (%ld%s)%s%s",
                   address, status, word, text[0] != '\0' ? ": " : "", text);
}

enum tp_err purse_door_bring(json_t **out, struct fetch *fetch, const char *url, const char *path,
                             const char *jws, struct tp_error *e)
{
    static const char *const headers[] = {"Content-Type: application/jose", NULL};
    char address[PURSES_URL + PATH_ROOM];
    const struct fetch_request request = {.url = address,
                                          .headers = headers,
                                          .has_body = true,
                                          .body = span_str(jws),
                                          .seconds = EXCHANGE_S};
    enum tp_err r;

    *out = NULL;
    snprintf(address, sizeof(address), "%s%s", url, path);
    r = fetch_send(fetch, &request, e);
    if (r != TP_OK)
        return r;
    if (jcs_read(out, fetch_body(fetch), NULL) != TP_OK)
        *out = NULL;
    if (fetch_status(fetch) != 200)
        r = refused(fetch, *out, address, e);
    else if (!json_is_object(*out))
        r = tp_fail(e, TP_ERR_PEER, "what %s says cannot be read", address);
    if (r != TP_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return r;
}

/* ---- how an account stands ---- */

static bool take_number(int64_t *out, const json_t *body, const char *name)
{
    const json_t *number = json_object_get(body, name);

    *out = json_integer_value(number);
    return json_is_integer(number) && *out >= 0 && *out <= MONEY_MAX;
}

static void take_text(char *out, size_t cap, const json_t *body, const char *name)
{
    const char *text = json_string_value(json_object_get(body, name));

    snprintf(out, cap, "%s", text != NULL ? text : "");
    word_make_shown(out);
}

static enum tp_err take_standing(struct purse_standing *out, const json_t *body,
                                 const struct purse_account *a, struct tp_error *e)
{
    const char *currency = json_string_value(json_object_get(body, "currency"));
    const struct currency *c = currency != NULL ? currency_by_alpha(currency) : NULL;

    if (!jcs_is(body, "account", a->account) || c == NULL || c->numeric != a->currency ||
        !take_number(&out->balance, body, "balance") ||
        !take_number(&out->reserved, body, "reserved") ||
        !take_number(&out->counter, body, "counter"))
        return tp_fail(e, TP_ERR_PEER, "what %s says is not how the account %s stands", a->url,
                       a->account);
    take_text(out->state, sizeof(out->state), body, "state");
    take_text(out->reason, sizeof(out->reason), body, "reason");
    return TP_OK;
}

enum tp_err purse_door_standing(struct purse_standing *out, struct fetch *fetch,
                                const struct purse_account *a, const struct secret *key,
                                struct tp_error *e)
{
    char at[TIME_TEXT_MAX], *jws = NULL;
    const struct purse_statement question = {
        .acquirer = a->acquirer, .account = a->account, .at = time_format_utc(at, time(NULL))};
    json_t *body = NULL;
    enum tp_err r = purse_statement_write(&jws, PURSE_QUESTION, &question, key->p, e);

    *out = (struct purse_standing){0};
    if (r == TP_OK)
        r = purse_door_bring(&body, fetch, a->url, "/balance", jws, e);
    if (r == TP_OK)
        r = take_standing(out, body, a, e);
    json_decref(body);
    free(jws);
    return r;
}
