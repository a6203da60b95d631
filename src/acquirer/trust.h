/* The authority keys that a thread of the running server trusts, and the certificates that it has
 * verified under them: as the folder says now, without a restart. One thread's own. */
#ifndef TP_ACQUIRER_TRUST_H
#define TP_ACQUIRER_TRUST_H

#include <limits.h>
#include <stdbool.h>
#include <time.h>

#include "acquirer/state.h"
#include "ledger/evidence.h"

struct trust {
    char dir[PATH_MAX];
    struct capk_store *authorities;
    struct evidence_cache *cache;
    struct timespec changed; /* the folder, when it was read */
    bool settled;            /* and that was long enough ago to tell a later change from it */
    time_t looked;
};

/* As acquirer_load_authorities. */
TP_MUST_CHECK enum tp_err trust_open(struct trust *t, const char *dir, struct tp_error *e);
void trust_close(struct trust *t);

/* Looks at most once a second whether keys were added or removed, and then takes those that are
 * there: t->cache is another. An error leaves what was read before. */
TP_MUST_CHECK enum tp_err trust_look(struct trust *t, time_t now, struct tp_error *e);

#endif
