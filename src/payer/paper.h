/* A ticket's paper: lines of a few columns, as text or as ESC/POS, the language of receipt printers
 * (Epson's ESC/POS Command Reference). What is put on it may come from a card: no byte of it but
 * what can be read reaches the printer. */
#ifndef TP_PAYER_PAPER_H
#define TP_PAYER_PAPER_H

#include <stdbool.h>
#include <stdio.h>

#define PAPER_WIDTH_MIN 24
#define PAPER_WIDTH_MAX 48
#define PAPER_WIDTH     44 /* where nobody says another */

struct paper {
    FILE *to;
    unsigned width; /* columns, PAPER_WIDTH_MIN to PAPER_WIDTH_MAX */
    bool escpos;
};

enum paper_style { PAPER_PLAIN, PAPER_BOLD, PAPER_TALL /* bold, of twice the height */ };

/* Texts are UTF-8, and none of them is printed when it is "". */
void paper_begin(const struct paper *p);
void paper_line(const struct paper *p, const char *text); /* from the left, broken at blanks */
void paper_centre(const struct paper *p, enum paper_style style, const char *text);
/* The name on the left and the value on the right, or on lines of its own; nothing without value.
 */
void paper_pair(const struct paper *p, enum paper_style style, const char *name, const char *value);
void paper_space(const struct paper *p); /* for a signature */
void paper_end(const struct paper *p);   /* is cut there */

#endif
