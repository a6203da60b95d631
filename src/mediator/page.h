/* The mediator's pages, beside what all pages share (wire/pages.h): orders, what is shipped, and
 * codes. */
#ifndef TP_MEDIATOR_PAGE_H
#define TP_MEDIATOR_PAGE_H

#include "mediator/orderbook.h"
#include "wire/pages.h"

TP_MUST_CHECK enum tp_err mediator_pages_open(struct pages **out, struct tp_error *e);

struct page_order {
    const struct orderbook_order *order;
    unsigned means; /* by which it can be paid now: a bit of each (1 << enum means) */
    bool refused;   /* it was tried, and refused */
    const char *origin;
};
/* The page (free()); NULL, which the log explains, when there is none. */
char *page_order(const struct pages *p, enum page_language l, const struct page_order *o);

/* Of what comes by another way, with what its service says of it. */
char *page_shipped(const struct pages *p, enum page_language l, const char *note);

/* The order's address as a QR code in SVG (free()); NULL: no memory. */
char *page_code(const char *address);

#endif
