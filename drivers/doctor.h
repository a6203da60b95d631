/* The chain from this program to a card in a reader, looked at link by link: where it breaks, and
 * what to do about it. */
#ifndef TP_DRIVERS_DOCTOR_H
#define TP_DRIVERS_DOCTOR_H

#include "drivers/reader.h"

#define DOCTOR_FOUND_MAX  480
#define DOCTOR_ADVICE_MAX 480

enum doctor_link {
    DOCTOR_LIBRARY,
    DOCTOR_SOCKET,
    DOCTOR_PERMISSION,
    DOCTOR_SERVICE,
    DOCTOR_READER,
    DOCTOR_CARD,
    DOCTOR_LINKS
};
enum doctor_state { DOCTOR_NOT_REACHED, DOCTOR_GOOD, DOCTOR_BROKEN };

struct doctor {
    struct {
        enum doctor_state state;
        char found[DOCTOR_FOUND_MAX]; /* for a person: what was seen */
    } links[DOCTOR_LINKS];
    char advice[DOCTOR_ADVICE_MAX]; /* one line: what to do next */
};

const char *doctor_link_name(enum doctor_link link);    /* "library" … */
const char *doctor_state_name(enum doctor_state state); /* "good", "broken", "not reached" */

/* Looks. wanted: as readers_open has it. True when a card answers. A reader that is reached without
 * PC/SC makes the links before it unnecessary. */
bool doctor_look(struct doctor *d, const char *wanted);

#endif
