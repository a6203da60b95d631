/* What was consumed in the session under way: it began with the first payment after hours of
 * silence, or when its user said so; read from the journal. */
#ifndef TP_PAYER_SESSION_H
#define TP_PAYER_SESSION_H

#include "payer/orders.h"
#include "payer/plan.h"

#define SESSION_SILENCE_S (4 * 3600) /* after so long, what is paid begins another */
#define SESSION_SUMS_MAX  64

struct session_sum { /* of one means and currency */
    char means[PLAN_NAME];
    uint16_t currency;
    int64_t orders;    /* how many */
    int64_t paid;      /* minor units */
    int64_t under_way; /* signed, and nobody knows yet what became of it */
    int64_t small;     /* of both, what the plan lets be paid without asking */
};

struct session {
    time_t began; /* 0: none is under way */
    struct session_sum sums[SESSION_SUMS_MAX];
    size_t n;
};

/* The session by the clock `at`. folder: the user's. */
TP_MUST_CHECK enum tp_err session_read(struct session *out, struct journal *j, const char *folder,
                                       const struct plan *plan, time_t at, struct tp_error *e);

/* What of it counts against unasked_session. */
int64_t session_small(const struct session *s, const char *means, uint16_t currency);

/* A session begins now, durably. */
TP_MUST_CHECK enum tp_err session_begin(const char *folder, time_t at, struct tp_error *e);

#endif
