/* A collecting run: the remises that are due, one after the other in their order, tried again with
 * growing pauses, each with its ticket. */
#ifndef TP_COLLECT_RUN_H
#define TP_COLLECT_RUN_H

#include "collect/settle.h"

struct run_item {
    struct remise remise;         /* as it stands */
    struct remise_totals refused; /* what the centre does not pay of it */
    bool tried, settled, alarm;
    enum tp_err error; /* of the last try */
    char text[480];
};

struct run {
    struct collector collector;
    struct run_item *items;
    size_t n;
    int attempts; /* at most so many tries of each */
    int pause_s;  /* before the second try; doubled for each further one, up to PAUSE_MAX */
    bool json;
};

#define RUN_ATTEMPTS  6
#define RUN_PAUSE_S   5
#define RUN_PAUSE_MAX 300

/* Adds every remise that is closed or submitted, of one contract or (NULL) of all, in order. number
 * 0: all, else that one whatever its state. */
TP_MUST_CHECK enum tp_err run_gather(struct run *run, const char *contract, uint32_t number,
                                     struct tp_error *e);

/* Settles them. A remise waits for the earlier ones of its contract. Prints a ticket for each.
 * Returns the exit code. */
int run_settle(struct run *run);
void run_free(struct run *run);

#endif
