/* What a service says of a demand (doc/service.md): read strictly, since its words go into an order
 * that the mediator signs. */
#ifndef TP_MEDIATOR_QUOTE_H
#define TP_MEDIATOR_QUOTE_H

#include <jansson.h>
#include <time.h>

#include "base/money.h"
#include "base/span.h"
#include "mediator/orderbook.h"

struct quote {                          /* begins as {0}; quote_free */
    const char *designation, *merchant; /* merchant NULL: the contract's */
    int64_t amount;                     /* 0: free */
    bool available, sold_out;           /* not available, since none is left */
    bool paid;                          /* … since it is owed no more */
    bool final;                         /* once delivered it is not taken back: quote_is_final */
    time_t valid_until;
    enum delivery delivery;
    unsigned per;               /* of DELIVERY_STREAM: seconds that the amount pays for; else 0 */
    const char *content, *type; /* of DELIVERY_INCLUDED: base64, media type */
    const char *identify; /* it wants to know who asks: why, and nothing else is said; or NULL */
    bool by_card;         /* … and only a bank card may say so */
    json_t *owner;
};

/* currency: what the contract takes. TP_ERR_FORMAT with the member that is missing or wrong. */
TP_MUST_CHECK enum tp_err quote_read(struct quote *out, struct span text,
                                     const struct currency *currency, struct tp_error *e);
void quote_free(struct quote *q);

/* Of the text of a quote that was read before: silence is no reason to give its price back, and no
 * dispute is settled by that. What was delivered stays where it is: credit on an account. */
bool quote_is_final(const char *text);

/* The content that came with it (free()). */
TP_MUST_CHECK enum tp_err quote_content(uint8_t **out, size_t *n, const struct quote *q,
                                        struct tp_error *e);

#endif
