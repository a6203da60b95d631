/* Any bytes as the quote of a service: what is read fits what the mediator keeps of it, and its
 * content is there when it is to be. */
#include "fuzz.h"

#include <string.h>

#include "mediator/quote.h"

#define SIZE_MAX_READ (64U << 10)

static void content(const struct quote *q)
{
    uint8_t *bytes = NULL;
    size_t n = 0;

    HOLDS(quote_content(&bytes, &n, q, NULL) == TP_OK);
    HOLDS(n <= strlen(q->content));
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct orderbook_order o;
    struct quote q;

    if (size > SIZE_MAX_READ)
        return 0;
    if (quote_read(&q, span_of(data, size), currency_by_alpha("EUR"), NULL) == TP_OK) {
        HOLDS(q.designation != NULL && q.designation[0] != '\0');
        HOLDS(strlen(q.designation) < sizeof(o.item));
        HOLDS(q.merchant == NULL || strlen(q.merchant) < sizeof(o.merchant));
        HOLDS(q.amount >= 0 && q.amount <= MONEY_MAX);
        HOLDS(q.delivery >= DELIVERY_NETWORK && q.delivery <= DELIVERY_INCLUDED);
        HOLDS((q.content != NULL) == (q.delivery == DELIVERY_INCLUDED));
        HOLDS(q.type == NULL || strpbrk(q.type, "\r\n") == NULL);
        if (q.content != NULL)
            content(&q);
    }
    quote_free(&q);
    return 0;
}
