#include "service/quote.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "wire/jcs.h"

/* Over the document without its mark and content, and whom it was given to. */
static enum tp_err mark_of(char mark[BASE64URL_SIZE(SEAL_LOOKUP)], struct seal *seal,
                           const json_t *document, const char *mediator, struct tp_error *e)
{
    uint8_t hash[SEAL_LOOKUP];
    json_t *bare = json_copy((json_t *)(uintptr_t)document), *all = NULL;
    char *text = NULL;
    enum tp_err r;

    (void)json_object_del(bare, "mark");
    (void)json_object_del(bare, "content");
    all = json_pack("{sssO}", "mediator", mediator, "quote", bare);
    r = all != NULL ? jcs_write(&text, all, e)
                    : tp_fail(e, TP_ERR_NO_MEMORY, "no memory to mark a quote");
    if (r == TP_OK && (r = seal_lookup(seal, hash, span_str(text))) != TP_OK)
        r = tp_fail(e, r, "cannot mark a quote: %s", tp_err_text(r));
    if (r == TP_OK)
        base64url_encode(mark, SPAN_OF(hash));
    free(text);
    json_decref(all);
    json_decref(bare);
    return r;
}

/* The end of what it holds: some minutes from now, and not after the article's last day. */
static void valid_until(char out[TIME_TEXT_MAX], const struct article *a, time_t now)
{
    time_t end = now + (time_t)a->valid_minutes * 60;

    if (a->until != 0) {
        struct tm last = {.tm_year = a->until / 10000 - 1900,
                          .tm_mon = a->until / 100 % 100 - 1,
                          .tm_mday = a->until % 100,
                          .tm_hour = 23,
                          .tm_min = 59,
                          .tm_sec = 59,
                          .tm_isdst = -1};
        const time_t day_ends = mktime(&last);

        end = day_ends < end ? day_ends : end;
    }
    time_format_utc(out, end);
}

static bool set_text(json_t *o, const char *name, const char *value)
{
    return json_object_set_new(o, name, json_string(value)) == 0;
}

static bool set_content(json_t *o, const struct article *a, struct span content)
{
    char *text = malloc(BASE64_SIZE(content.n));
    const bool set = text != NULL && set_text(o, "content", base64_encode(text, content)) &&
                     set_text(o, "content_type", a->type);

    free(text);
    return set;
}

static bool set_members(json_t *o, const struct article *a, const struct quote_terms *terms)
{
    char amount[24], until[TIME_TEXT_MAX], currency[4] = "";

    snprintf(amount, sizeof(amount), "%" PRId64, a->amount);
    valid_until(until, a, terms->now);
    if (a->currency != NULL)
        currency_small(currency, a->currency->numeric);
    return set_text(o, "article", a->path) && set_text(o, "designation", a->designation) &&
           set_text(o, "amount", amount) && set_text(o, "valid_until", until) &&
           set_text(o, "delivery", delivery_text(a->delivery)) &&
           json_object_set_new(o, "available", json_boolean(terms->available)) == 0 &&
           (!terms->sold_out ||
            json_object_set_new(o, a->user[0] != '\0' ? "paid" : "sold_out", json_true()) == 0) &&
           (a->currency == NULL || set_text(o, "currency", currency)) &&
           (a->per == 0 || json_object_set_new(o, "per", json_integer(a->per)) == 0) &&
           (a->merchant[0] == '\0' || set_text(o, "merchant", a->merchant)) &&
           (terms->content.p == NULL || set_content(o, a, terms->content));
}

enum tp_err quote_make(char **out, struct seal *seal, const struct article *a,
                       const struct quote_terms *terms, struct tp_error *e)
{
    char mark[BASE64URL_SIZE(SEAL_LOOKUP)];
    json_t *document = json_object();
    enum tp_err r = set_members(document, a, terms)
                        ? mark_of(mark, seal, document, terms->mediator, e)
                        : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a quote");

    *out = NULL;
    if (r == TP_OK)
        r = jcs_set_text(document, "mark", mark, e);
    if (r == TP_OK)
        r = jcs_write(out, document, e);
    json_decref(document);
    return r == TP_OK ? TP_OK : tp_error_prefix(e, "the quote of %s", a->path);
}

static const char *text_of(const json_t *document, const char *name)
{
    const char *text = json_string_value(json_object_get(document, name));

    return text != NULL ? text : "";
}

enum tp_err quote_open(struct quote *out, struct seal *seal, const json_t *document,
                       const char *mediator, struct tp_error *e)
{
    char mark[BASE64URL_SIZE(SEAL_LOOKUP)];
    const char *given = text_of(document, "mark"), *delivery = text_of(document, "delivery");
    enum tp_err r = json_is_object(document) ? mark_of(mark, seal, document, mediator, e)
                                             : tp_fail(e, TP_ERR_FORMAT, "the quote is no object");

    if (r != TP_OK)
        return r;
    if (!secret_eq(span_str(mark), span_str(given)))
        return tp_fail(e, TP_ERR_SECURITY,
                       "this is no quote that this service gave this mediator: give it back as it "
                       "was, with every member");
    *out = (struct quote){.article = text_of(document, "article"),
                          .designation = text_of(document, "designation"),
                          .amount = strtoll(text_of(document, "amount"), NULL, 10),
                          .currency = currency_by_alpha(text_of(document, "currency")),
                          .available = json_is_true(json_object_get(document, "available"))};
    while (out->delivery < DELIVERY_STREAM && strcmp(delivery, delivery_text(out->delivery)) != 0)
        out->delivery++;
    return jcs_hash(out->digest, document, e);
}
