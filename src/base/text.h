/* The words of the programs in the language of who runs them: GNU gettext, by the locale
 * (LC_MESSAGES) and the catalogues of po/. What is printed through tp_fail, tp_error_prefix, the
 * log and argp is translated there: only other text needs a mark. */
#ifndef TP_BASE_TEXT_H
#define TP_BASE_TEXT_H

#include <libintl.h>
#include <stdbool.h>

#define _(text)  gettext(text)
#define N_(text) text /* to be translated where it is printed */

/* Sets the locale of the messages and finds the catalogues: those of $TELEPAY_LOCALEDIR (for runs
 * from the build tree), else the installed ones. */
void text_start(void);

/* From here on English, in every locale: for what programs read. */
void text_english(void);

/* Whether the word says yes in that language: "y", or "yes". */
bool text_says_yes(const char *word);

#endif
