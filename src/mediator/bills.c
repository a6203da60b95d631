#include "mediator/bills.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/word.h"
#include "wire/jcs.h"
#include "wire/payment_charge.h"

#define NUMBER_CHARS 64
#define WORDS_CHARS  200
#define PATH_CHARS   256

static enum tp_err missing(const char *name, struct tp_error *e)
{
    return tp_fail(e, TP_ERR_FORMAT, "a bill lacks %s, or has it wrong", name);
}

/* What an address may hold, below the service's own. */
static bool is_path(const char *text)
{
    const size_t n = strlen(text);

    for (size_t i = 0; i < n; i++)
        if (text[i] <= ' ' || text[i] > '~' || strchr("\"\\<>?#", text[i]) != NULL)
            return false;
    return text[0] == '/' && n <= PATH_CHARS && strstr(text, "//") == NULL &&
           strstr(text, "/.") == NULL;
}

static enum tp_err read_words(struct bill *b, const json_t *one, struct tp_error *e)
{
    int day = 0;
    enum tp_err r = jcs_text(&b->number, one, "bill", e);

    if (r == TP_OK)
        r = jcs_text(&b->path, one, "path", e);
    if (r == TP_OK)
        r = jcs_text(&b->designation, one, "designation", e);
    if (r == TP_OK)
        r = jcs_text(&b->until, one, "until", e);
    if (r != TP_OK)
        return r;
    if (b->number == NULL || word_check(b->number, "bill", NUMBER_CHARS, NULL) != TP_OK)
        return missing("bill", e);
    if (b->path == NULL || !is_path(b->path))
        return missing("path", e);
    if (b->designation == NULL ||
        word_check(b->designation, "designation", WORDS_CHARS, NULL) != TP_OK)
        return missing("designation", e);
    return b->until == NULL || (strlen(b->until) == 10 && date_parse(&day, b->until) == TP_OK)
               ? TP_OK
               : missing("until", e);
}

static enum tp_err read_bill(struct bill *b, const json_t *one, struct tp_error *e)
{
    const char *amount = NULL, *alpha = NULL;
    const json_t *paid = json_object_get(one, "paid");
    enum tp_err r = json_is_object(one) ? read_words(b, one, e) : missing("everything", e);

    if (r == TP_OK)
        r = jcs_text(&amount, one, "amount", e);
    if (r == TP_OK)
        r = jcs_text(&alpha, one, "currency", e);
    if (r != TP_OK)
        return r;
    if (amount == NULL || !payment_is_amount(amount) || strlen(amount) > 12)
        return missing("amount", e);
    b->amount = strtoll(amount, NULL, 10);
    b->currency = alpha != NULL && strlen(alpha) == 3 ? currency_by_alpha(alpha) : NULL;
    if (b->currency == NULL)
        return missing("currency", e);
    if (!json_is_boolean(paid))
        return missing("paid", e);
    b->paid = json_is_true(paid);
    return TP_OK;
}

enum tp_err bills_read(struct bills *out, struct span text, struct tp_error *e)
{
    json_t *list;
    enum tp_err r;

    *out = (struct bills){.n = 0};
    r = jcs_read(&out->owner, text, e);
    if (r == TP_OK)
        r = jcs_text(&out->identify, out->owner, "identify", e);
    if (r != TP_OK)
        return r;
    if (out->identify != NULL)
        return word_check(out->identify, "identify", WORDS_CHARS, NULL) == TP_OK
                   ? TP_OK
                   : missing("identify", e);
    list = json_object_get(out->owner, "bills");
    if (!json_is_array(list))
        return missing("bills", e);
    if (json_array_size(list) > BILLS_MAX)
        return tp_fail(e, TP_ERR_RANGE, "there are more than %d bills", BILLS_MAX);
    out->bill = calloc(json_array_size(list) + 1, sizeof(*out->bill));
    if (out->bill == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for bills");
    for (; r == TP_OK && out->n < json_array_size(list); out->n++)
        r = read_bill(&out->bill[out->n], json_array_get(list, out->n), e);
    return r;
}

void bills_free(struct bills *b)
{
    free(b->bill);
    json_decref(b->owner);
    *b = (struct bills){.n = 0};
}
