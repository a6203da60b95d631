/* Any bytes as the quote of a service: what is read fits what the mediator keeps of it, and its
 * content is there when it is to be. */
#include "fuzz.h"

#include <string.h>

#include "mediator/bills.h"
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

static void owed(struct span text)
{
    struct bills b;

    if (bills_read(&b, text, NULL) == TP_OK && b.identify == NULL)
        for (size_t i = 0; i < b.n; i++) {
            HOLDS(b.bill[i].path[0] == '/' && b.bill[i].path[1] != '/');
            HOLDS(strpbrk(b.bill[i].path, "\"<>\r\n ") == NULL);
            HOLDS(b.bill[i].amount >= 0 && b.bill[i].amount <= MONEY_MAX);
            HOLDS(b.bill[i].number != NULL && b.bill[i].designation[0] != '\0');
        }
    bills_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct orderbook_order o;
    struct quote q;

    if (size > SIZE_MAX_READ)
        return 0;
    owed(span_of(data, size));
    if (quote_read(&q, span_of(data, size), currency_by_alpha("EUR"), NULL) == TP_OK &&
        q.identify == NULL) {
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
