/* Which field stands in which message, and what it is there for, as the tables of doc/protocol.md
 * say: one matrix for terminal, mediator, acquirer and issuer. */
#ifndef TP_WIRE_PROFILE_H
#define TP_WIRE_PROFILE_H

#include "wire/iso8583.h"

enum profile {
    PROFILE_TERMINAL, /* between terminal and acquirer */
    PROFILE_ISSUER,   /* between acquirer and issuer */
    PROFILE_MEDIATOR  /* between mediator and acquirer */
};

enum profile_use {
    PROFILE_NEEDED = 0x01,
    PROFILE_OPTIONAL = 0x02,  /* may be there */
    PROFILE_FORWARDED = 0x04, /* of a request: comes from the message that it is about */
    PROFILE_IDENTITY = 0x08,  /* of a request: the same again has the same */
    PROFILE_ECHOED = 0x10,    /* of an answer: repeats what the request had */
    PROFILE_COMPARED = 0x20   /* of an answer: one in which it differs from the request is none */
};

/* The field of that use which follows `after` (0: the first one) in messages of that type; 0: none.
 * An answer of a type that is not in the profile repeats what any of its answers does. */
unsigned profile_next(enum profile of, unsigned mti, enum profile_use use, unsigned after);

/* The first needed field that a message has not; 0: none, or its type is not in the profile. */
unsigned profile_missing(enum profile of, const struct iso8583 *m);

/* The same as DE 44 says it, "DE42_MISSING"; NULL: nothing is missing. */
#define PROFILE_REASON_MAX 16
const char *profile_fault(char reason[PROFILE_REASON_MAX], enum profile of,
                          const struct iso8583 *m);

/* The first compared field in which an answer is not of that question; 0: it is of it. */
unsigned profile_differs(enum profile of, const struct iso8583 *answer,
                         const struct iso8583 *question);

/* Sets the fields of a request that come from the message it is about; it borrows them. */
void profile_forward(enum profile of, struct iso8583 *request, const struct iso8583 *about);

#endif
