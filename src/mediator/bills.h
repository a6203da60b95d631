/* What a service says that somebody owes (doc/service.md, POST /bills), read strictly: its words go
 * into a page of the mediator's, its addresses lead to what is paid. */
#ifndef TP_MEDIATOR_BILLS_H
#define TP_MEDIATOR_BILLS_H

#include <jansson.h>

#include "base/money.h"
#include "mediator/orderbook.h"

#define BILLS_MAX 500

struct bill { /* the strings are the list's */
    const char *number, *path, *designation;
    const char *until; /* a day, 2026-12-31; NULL: none */
    int64_t amount;
    const struct currency *currency;
    bool paid;
};

struct bills {            /* begins as {0}; bills_free */
    const char *identify; /* it wants to know who asks: why; or NULL, and then the list */
    struct bill *bill;
    size_t n;
    json_t *owner;
};

/* TP_ERR_FORMAT with the member that is missing or wrong, TP_ERR_RANGE: more than BILLS_MAX. */
TP_MUST_CHECK enum tp_err bills_read(struct bills *out, struct span text, struct tp_error *e);
void bills_free(struct bills *b);

#endif
