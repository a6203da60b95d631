/* Why an answer is a no: what its problem (RFC 9457) says to people. */
#ifndef TP_PAYER_PROBLEM_H
#define TP_PAYER_PROBLEM_H

#include "payer/fetch.h"

#define PROBLEM_WORDS 200

/* Of the last answer, as it may be shown; "": it does not say. Returns out. */
const char *problem_words(char out[PROBLEM_WORDS], const struct fetch *f);

#endif
