#include "payer/problem.h"

#include <stdio.h>

#include "base/word.h"
#include "wire/payment_problem.h"

const char *problem_words(char out[PROBLEM_WORDS], const struct fetch *f)
{
    struct payment_problem problem = {0};

    out[0] = '\0';
    if (payment_problem_read(&problem, fetch_body(f), NULL) == TP_OK && problem.detail != NULL)
        snprintf(out, PROBLEM_WORDS, "%s", problem.detail);
    word_make_shown(out);
    payment_problem_free(&problem);
    return out;
}
