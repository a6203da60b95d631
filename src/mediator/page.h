/* The mediator's pages, for people: from data files (data/mediator), in the language that the
 * browser asks for. They work without scripts. */
#ifndef TP_MEDIATOR_PAGE_H
#define TP_MEDIATOR_PAGE_H

#include "mediator/orderbook.h"

#define AGENT_ADDRESS "http://127.0.0.1:27502/pay?order=" /* where telepay agent listens */

struct pages;

enum page_language { PAGE_ENGLISH, PAGE_FRENCH, PAGE_LANGUAGES };

TP_MUST_CHECK enum tp_err pages_open(struct pages **out, struct tp_error *e);
void pages_close(struct pages **p);

/* From Accept-Language (RFC 9110, 12.5.4), NULL: none came. */
enum page_language page_language(const char *accepted);

struct page_order {
    const struct orderbook_order *order;
    unsigned means; /* by which it can be paid now: a bit of each (1 << enum means) */
    bool refused;   /* it was tried, and refused */
    const char *origin;
};
/* The page (free()); NULL, which the log explains, when there is none. */
char *page_order(const struct pages *p, enum page_language l, const struct page_order *o);
/* The words of `kind`, or (NULL) of the status. */
char *page_problem(const struct pages *p, enum page_language l, unsigned status, const char *kind);

/* telepay.css, telepay.js; NULL: no such file. */
const char *page_file(const struct pages *p, const char *name, const char **type);

/* The order's address as a QR code in SVG (free()); NULL: no memory. */
char *page_code(const char *address);

#endif
