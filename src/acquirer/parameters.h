/* What a terminal's kernel, and a payer device's, has to know: the applications, in telepay.conf,
 * and all of it as one signed document (doc/protocol.md, Parameters). */
#ifndef TP_ACQUIRER_PARAMETERS_H
#define TP_ACQUIRER_PARAMETERS_H

#include <stdio.h>

#include "ledger/ledger.h"

/* The sections [application …], with the floor limit where it is wanted. */
TP_MUST_CHECK enum tp_err parameters_applications(FILE *to, int64_t floor, struct tp_error *e);

/* The document (JWS) into a file: of this instant, which is its version. The keys of
 * acquirer/keys.h must be there. */
TP_MUST_CHECK enum tp_err parameters_write(const char *path, struct ledger *l, const char *dir,
                                           struct tp_error *e);

#endif
