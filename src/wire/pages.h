/* Pages for people, as a daemon shows them: from data files, in the language that the browser asks
 * for, within one frame (data/pages) for all of the house. They work without scripts. */
#ifndef TP_WIRE_PAGES_H
#define TP_WIRE_PAGES_H

#include "base/money.h"
#include "base/span.h"

#define PAGE_AGENT "http://127.0.0.1:27502" /* where telepay agent listens */

struct pages;

enum page_language { PAGE_ENGLISH, PAGE_FRENCH, PAGE_LANGUAGES };

/* folder: of the daemon's words, words.en.ini and words.fr.ini, in the data folder; files: what its
 * pages are made of, "mediator/order.html", ended by NULL, which outlives them. Each is known by
 * its name alone; telepay.css, problem.html and the frame are always there. */
TP_MUST_CHECK enum tp_err pages_open(struct pages **out, const char *folder,
                                     const char *const *files, struct tp_error *e);
void pages_close(struct pages **p);

/* From Accept-Language (RFC 9110, 12.5.4), NULL: none came. */
enum page_language page_language(const char *accepted);

struct page_value {
    const char *name, *text;
};
struct page_body {    /* a data file, its values, and the words */
    const char *file; /* "dispute.html" */
    const struct page_value *values;
    size_t n;
    const char *refresh; /* where a whole page goes on to by itself; NULL: it stays */
    bool script;         /* telepay.js follows it, and it goes on by itself without that alone */
};
/* free(); NULL, which the log explains. `heading` is among the values of a whole page. */
char *page_whole(const struct pages *p, enum page_language l, const struct page_body *b);
char *page_part(const struct pages *p, enum page_language l, const struct page_body *b);

/* The words of `kind`, or (NULL) of the status. */
char *page_problem(const struct pages *p, enum page_language l, unsigned status, const char *kind);

/* The word KIND_NAME; NAME itself where there is none. */
const char *page_word(const struct pages *p, enum page_language l, const char *kind,
                      const char *name);
/* With the decimal sign of the language. Returns out. */
#define PAGE_MONEY (MONEY_TEXT_MAX + 8)
char *page_money(char out[PAGE_MONEY], const struct pages *p, enum page_language l, int64_t amount,
                 uint16_t currency);

/* telepay.css, telepay.js; NULL: no such file. */
const char *page_file(const struct pages *p, const char *name, const char **type);

#endif
