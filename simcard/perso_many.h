/* Many cards of a scheme at a time. Making keys takes nearly all of the time, so each thread makes
 * its own; the issuer's key signs for one at a time. */
#ifndef TP_SIMCARD_PERSO_MANY_H
#define TP_SIMCARD_PERSO_MANY_H

#include "simcard/perso.h"

#define PERSO_THREADS_MAX 256
#define PERSO_CARDS_MAX   1000000

struct perso_many {
    const char *dir;  /* the cards stand in DIR/000001, 000002, … */
    unsigned count;   /* 1 to PERSO_CARDS_MAX */
    unsigned threads; /* 1 to PERSO_THREADS_MAX; 0: as many as the machine has cores */
    const char
        *pan_from; /* number of the first card; the next ones count up before the check digit */
    /* After each card, from one thread at a time; NULL: nobody asks. */
    void (*progress)(void *ctx, unsigned done, unsigned count);
    void *ctx;
    unsigned made, there; /* out: made now; left as they were, of an earlier run that was cut off */
};

/* The number so many cards after the first, with its check digit (ISO/IEC 7812-1 Annex B) computed.
 * TP_ERR_RANGE when the digits do not suffice. */
TP_MUST_CHECK enum tp_err perso_pan_after(char out[PAN_TEXT_MAX], const char *pan_from, unsigned n);

/* p is that of each card, but for its number and keys. A card that is there already is left: a run
 * that was cut off is done again with the same words. TP_ERR_USAGE and what perso_make and
 * perso_save have; the first failure ends it, cards made until then stay. */
TP_MUST_CHECK enum tp_err perso_make_many(struct perso_many *m, const struct scheme *s,
                                          const struct perso_params *p, struct tp_error *e);

#endif
