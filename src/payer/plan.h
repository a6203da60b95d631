/* The user's plan of payment: by which means, up to how much, and what is paid without asking. One
 * file in the user's folder, a section per means, the preferred ones first. */
#ifndef TP_PAYER_PLAN_H
#define TP_PAYER_PLAN_H

#include <stddef.h>

#include "base/money.h"

#define PLAN_MEANS_MAX 8
#define PLAN_NAME      16 /* with its end: as the means of an order */

struct plan_limit {
    int64_t amount;                  /* minor units */
    const struct currency *currency; /* NULL: none is set */
};

struct plan_means {
    char name[PLAN_NAME];
    struct plan_limit up_to;   /* more is not paid; none set: as far as the order goes */
    struct plan_limit unasked; /* so much is paid without asking; none set: nothing is */
    struct plan_limit summed;  /* and so much of it in a session */
};

struct plan { /* begins as {0} */
    struct plan_means means[PLAN_MEANS_MAX];
    size_t n;
};

/* "5.00 EUR"; TP_ERR_USAGE with what. */
TP_MUST_CHECK enum tp_err plan_limit_parse(struct plan_limit *out, const char *what,
                                           const char *text, struct tp_error *e);
/* The same back; "" when none is set. Returns out. */
#define PLAN_LIMIT_TEXT (MONEY_TEXT_MAX + 4)
char *plan_limit_shown(char out[PLAN_LIMIT_TEXT], const struct plan_limit *limit);

/* Of the folder; where none is kept, all the device's means, without limits and asking always.
 * TP_ERR_FORMAT, TP_ERR_USAGE. */
TP_MUST_CHECK enum tp_err plan_load(struct plan *out, const char *folder, struct tp_error *e);
TP_MUST_CHECK enum tp_err plan_store(const struct plan *p, const char *folder, struct tp_error *e);

/* The row of a means; NULL: the plan does not pay by it. */
const struct plan_means *plan_find(const struct plan *p, const char *name);

/* The row, one that is added at the end where there is none. TP_ERR_USAGE when this device pays by
 * no such means, TP_ERR_RANGE. */
TP_MUST_CHECK enum tp_err plan_take(struct plan_means **out, struct plan *p, const char *name,
                                    struct tp_error *e);
void plan_drop(struct plan *p, const char *name);
void plan_put_first(struct plan *p, const char *name);

/* Whether the plan pays so much by that means: TP_ERR_CANCELLED, with the words why not. */
TP_MUST_CHECK enum tp_err plan_allows(const struct plan *p, const char *name, int64_t amount,
                                      const struct currency *currency, struct tp_error *e);

/* Whether so much is paid without asking. given: of the command line, currency NULL: nothing; where
 * the plan says what is, the lower of both holds. before: what of the session counts (session.h).
 */
bool plan_unasked(const struct plan_means *m, const struct plan_limit *given, int64_t amount,
                  const struct currency *currency, int64_t before);

/* Which limit is why it is asked all the same, in words; "" where there is none. Returns out. */
#define PLAN_WHY 160
char *plan_asks_why(char out[PLAN_WHY], const struct plan_means *m, const struct plan_limit *given,
                    int64_t amount, const struct currency *currency, int64_t before);

#endif
