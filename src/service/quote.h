/* Quotes (doc/service.md): the JSON document that says what an article costs and until when, with a
 * mark by which the service knows its own again; nothing of a quote is kept. */
#ifndef TP_SERVICE_QUOTE_H
#define TP_SERVICE_QUOTE_H

#include <jansson.h>

#include "crypto/seal.h"
#include "service/catalogue.h"

#define QUOTE_DIGEST 32

struct quote_terms {          /* what a quote is made of, beside its article */
    const char *mediator;     /* whom it is given to */
    bool available, sold_out; /* not available, since none is left */
    time_t now;
    struct span content; /* included; empty: none */
};

/* *out is the caller's to free(): in the canonical form (wire/jcs.h). */
TP_MUST_CHECK enum tp_err quote_make(char **out, struct seal *seal, const struct article *a,
                                     const struct quote_terms *terms, struct tp_error *e);

struct quote { /* one that came back; the texts live as long as its JSON */
    const char *article, *designation;
    int64_t amount;
    const struct currency *currency; /* NULL: free */
    enum delivery delivery;
    bool available;
    uint8_t digest[QUOTE_DIGEST]; /* SHA-256 of the document */
};

/* TP_ERR_SECURITY: it is none that this service gave this mediator. */
TP_MUST_CHECK enum tp_err quote_open(struct quote *out, struct seal *seal, const json_t *document,
                                     const char *mediator, struct tp_error *e);

#endif
