/* Which fields a message must have, as doc/protocol.md lists them: one table for terminal, acquirer
 * and issuer, which all hold what comes against it. */
#ifndef TP_WIRE_PROFILE_H
#define TP_WIRE_PROFILE_H

#include "wire/iso8583.h"

enum profile {
    PROFILE_TERMINAL, /* between terminal and acquirer */
    PROFILE_ISSUER    /* between acquirer and issuer */
};

/* The fields that messages of that type need, in order, and how many; NULL: no message of this
 * profile. */
const uint8_t *profile_needs(size_t *n, enum profile of, unsigned mti);

/* The first needed field that a message has not; 0: none, or its type is not in the profile. */
unsigned profile_missing(enum profile of, const struct iso8583 *m);

/* The same as DE 44 says it, "DE42_MISSING"; NULL: nothing is missing. */
#define PROFILE_REASON_MAX 16
const char *profile_fault(char reason[PROFILE_REASON_MAX], enum profile of,
                          const struct iso8583 *m);

#endif
