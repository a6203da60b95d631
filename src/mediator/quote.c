#include "mediator/quote.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/date.h"
#include "base/word.h"
#include "order/order.h"
#include "wire/jcs.h"
#include "wire/payment_charge.h"

#define DESIGNATION_CHARS 200
#define STREAM_CHARS      190 /* so that an item can say for how long it is, too */
#define MERCHANT_CHARS    100
#define TYPE_MAX          255

static enum tp_err missing(const char *name, struct tp_error *e)
{
    return tp_fail(e, TP_ERR_FORMAT, "its quote lacks %s, or has it wrong", name);
}

static enum tp_err read_price(struct quote *q, const json_t *quote, const struct currency *currency,
                              struct tp_error *e)
{
    const char *amount = NULL, *alpha = NULL;
    enum tp_err r = jcs_text(&amount, quote, "amount", e);

    if (r == TP_OK)
        r = jcs_text(&alpha, quote, "currency", e);
    if (r != TP_OK)
        return r;
    if (amount == NULL || !payment_is_amount(amount) || strlen(amount) > 12)
        return missing("amount", e);
    q->amount = strtoll(amount, NULL, 10);
    if (q->amount > 0 && (alpha == NULL || strcasecmp(alpha, currency->alpha) != 0))
        return tp_fail(e, TP_ERR_FORMAT, "its quote is not in %s, which its contract takes",
                       currency->alpha);
    return TP_OK;
}

/* As a field of HTTP takes it. */
static bool is_type(const char *text)
{
    const size_t n = strnlen(text, TYPE_MAX + 1);

    for (size_t i = 0; i < n; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return n > 0 && n <= TYPE_MAX;
}

/* What is paid before it is looked at must be right now. */
static enum tp_err check_content(const struct quote *q, struct tp_error *e)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    const enum tp_err r = quote_content(&bytes, &n, q, e);

    free(bytes);
    return r;
}

static enum tp_err read_delivery(struct quote *q, const json_t *quote, struct tp_error *e)
{
    const char *delivery = NULL;
    enum tp_err r = jcs_text(&delivery, quote, "delivery", e);

    if (r == TP_OK)
        r = jcs_text(&q->content, quote, "content", e);
    if (r == TP_OK)
        r = jcs_text(&q->type, quote, "content_type", e);
    if (r != TP_OK)
        return r;
    q->delivery = 0;
    for (unsigned d = DELIVERY_NETWORK; delivery != NULL && d <= DELIVERY_STREAM; d++)
        if (strcmp(delivery, delivery_name((enum delivery)d)) == 0)
            q->delivery = (enum delivery)d;
    if (q->delivery == 0)
        return missing("delivery", e);
    if ((q->delivery == DELIVERY_INCLUDED) != (q->content != NULL))
        return missing("content", e);
    if (q->type != NULL && !is_type(q->type))
        return missing("content_type", e);
    return q->content != NULL ? check_content(q, e) : TP_OK;
}

/* What is paid by duration: for how many seconds each time. */
static enum tp_err read_per(struct quote *q, const json_t *quote, struct tp_error *e)
{
    const json_t *per = json_object_get(quote, "per");
    const json_int_t seconds = json_is_integer(per) ? json_integer_value(per) : 0;

    if ((q->delivery == DELIVERY_STREAM) != (per != NULL) ||
        (per != NULL && (seconds < 1 || seconds > ORDER_PER_MAX)))
        return missing("per", e);
    q->per = (unsigned)seconds;
    if (per != NULL && word_check(q->designation, "designation", STREAM_CHARS, NULL) != TP_OK)
        return missing("designation", e);
    return per != NULL && q->amount == 0 ? missing("amount", e) : TP_OK;
}

static enum tp_err read_words(struct quote *q, const json_t *quote, struct tp_error *e)
{
    const char *until = NULL;
    const json_t *available = json_object_get(quote, "available"),
                 *sold_out = json_object_get(quote, "sold_out"),
                 *paid = json_object_get(quote, "paid"), *final = json_object_get(quote, "final");
    enum tp_err r = jcs_text(&q->designation, quote, "designation", e);

    if (r == TP_OK)
        r = jcs_text(&q->merchant, quote, "merchant", e);
    if (r == TP_OK)
        r = jcs_text(&until, quote, "valid_until", e);
    if (r != TP_OK)
        return r;
    if (q->designation == NULL ||
        word_check(q->designation, "designation", DESIGNATION_CHARS, NULL) != TP_OK)
        return missing("designation", e);
    if (q->merchant != NULL && word_check(q->merchant, "merchant", MERCHANT_CHARS, NULL) != TP_OK)
        return missing("merchant", e);
    if (!json_is_boolean(available))
        return missing("available", e);
    if (sold_out != NULL &&
        (!json_is_boolean(sold_out) || (json_is_true(sold_out) && json_is_true(available))))
        return missing("sold_out", e);
    if (paid != NULL && (!json_is_boolean(paid) || (json_is_true(paid) && json_is_true(available))))
        return missing("paid", e);
    if (final != NULL && !json_is_boolean(final))
        return missing("final", e);
    if (until == NULL || time_parse(&q->valid_until, until) != TP_OK)
        return missing("valid_until", e);
    q->available = json_is_true(available);
    q->sold_out = json_is_true(sold_out);
    q->paid = json_is_true(paid);
    q->final = json_is_true(final);
    return TP_OK;
}

/* A service that wants to know who asks says no price yet. */
static enum tp_err read_identify(struct quote *q, const json_t *quote, struct tp_error *e)
{
    const char *by = NULL;
    enum tp_err r = jcs_text(&q->identify, quote, "identify", e);

    if (r == TP_OK && q->identify != NULL &&
        word_check(q->identify, "identify", DESIGNATION_CHARS, NULL) != TP_OK)
        return missing("identify", e);
    if (r == TP_OK && q->identify != NULL)
        r = jcs_text(&by, quote, "identify_by", e);
    if (r == TP_OK && by != NULL && strcmp(by, "card") != 0)
        return missing("identify_by", e);
    q->by_card = by != NULL;
    return r;
}

enum tp_err quote_read(struct quote *out, struct span text, const struct currency *currency,
                       struct tp_error *e)
{
    json_t *quote = NULL;
    enum tp_err r = jcs_read(&quote, text, e);

    *out = (struct quote){.owner = quote};
    if (r == TP_OK && !json_is_object(quote))
        r = tp_fail(e, TP_ERR_FORMAT, "its quote is no JSON object");
    if (r == TP_OK)
        r = read_identify(out, quote, e);
    if (r != TP_OK || out->identify != NULL)
        return r;
    r = read_words(out, quote, e);
    if (r == TP_OK)
        r = read_price(out, quote, currency, e);
    if (r == TP_OK)
        r = read_delivery(out, quote, e);
    return r == TP_OK ? read_per(out, quote, e) : r;
}

bool quote_is_final(const char *text)
{
    json_t *quote = NULL;
    const bool final = jcs_read(&quote, span_str(text), NULL) == TP_OK &&
                       json_is_true(json_object_get(quote, "final"));

    json_decref(quote);
    return final;
}

void quote_free(struct quote *q)
{
    json_decref(q->owner);
    *q = (struct quote){.amount = 0};
}

enum tp_err quote_content(uint8_t **out, size_t *n, const struct quote *q, struct tp_error *e)
{
    const size_t chars = strlen(q->content);
    struct buf b = {malloc(BASE64_ROOM(chars) + 1), 0, BASE64_ROOM(chars) + 1};

    *out = NULL;
    if (b.p == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a content");
    if (base64_decode(&b, span_of(q->content, chars)) != TP_OK) {
        free(b.p);
        return missing("content", e);
    }
    *out = b.p;
    *n = b.n;
    return TP_OK;
}
