/* How far a long piece of work is: one line on stderr, written over and over, at most five times a
 * second; nothing where stderr is no terminal. */
#ifndef TP_BASE_PROGRESS_H
#define TP_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what; /* "transactions" */
    uint64_t of;      /* of how many; 0: nobody knows */
    bool told, shown; /* told: there is a terminal */
    int64_t said_ms;
};

void progress_start(struct progress *p, uint64_t of, const char *what);
void progress_at(struct progress *p, uint64_t done);
/* Takes the line away: before anything else is said, and at the end. */
void progress_hide(struct progress *p);

#endif
