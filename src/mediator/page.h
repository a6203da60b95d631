/* The mediator's pages, for people: from data files (data/mediator), in the language that the
 * browser asks for. They work without scripts. */
#ifndef TP_MEDIATOR_PAGE_H
#define TP_MEDIATOR_PAGE_H

#include "base/money.h"
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

/* Other pages: a body of the data files, its values and the words; and a piece of one. */
struct page_value {
    const char *name, *text;
};
struct page_body {
    const char *file; /* "dispute.html" */
    const struct page_value *values;
    size_t n;
    const char *refresh; /* where a whole page goes on to by itself; NULL: it stays */
};
/* free(); NULL, which the log explains. `heading` is among the values of a whole page. */
char *page_whole(const struct pages *p, enum page_language l, const struct page_body *b);
char *page_part(const struct pages *p, enum page_language l, const struct page_body *b);
/* The word KIND_NAME; NAME itself where there is none. */
const char *page_word(const struct pages *p, enum page_language l, const char *kind,
                      const char *name);
#define PAGE_MONEY (MONEY_TEXT_MAX + 8)
char *page_money(char out[PAGE_MONEY], const struct pages *p, enum page_language l, int64_t amount,
                 uint16_t currency);

/* The words of `kind`, or (NULL) of the status. */
char *page_problem(const struct pages *p, enum page_language l, unsigned status, const char *kind);
/* Of what comes by another way, with what its service says of it. */
char *page_shipped(const struct pages *p, enum page_language l, const char *note);

/* telepay.css, telepay.js; NULL: no such file. */
const char *page_file(const struct pages *p, const char *name, const char **type);

/* The order's address as a QR code in SVG (free()); NULL: no memory. */
char *page_code(const char *address);

#endif
