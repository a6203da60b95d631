/* The scheme of the cards of simcard/ in these tests, with keys as short as they may be, and a
 * terminal that knows its authority. */
#ifndef TP_TESTS_PAIR_SCHEME_H
#define TP_TESTS_PAIR_SCHEME_H

#include "crypto/capk.h"
#include "simcard/perso.h"

/* Its authority keys go into store. suite: of elliptic curves, 0x10 or 0x11; 0: none. The caller
 * frees the scheme. */
void pair_scheme(struct scheme **out, struct capk_store *store, unsigned suite);

#endif
