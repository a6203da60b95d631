/* Who is paid, as a card signs it: 9F7C, 32 bytes, which the terminal gives where the card's CDOL1
 * asks for it and the acquirer works out again (doc/protocol.md). */
#ifndef TP_CRYPTO_PAYEE_H
#define TP_CRYPTO_PAYEE_H

#include "base/span.h"

#define PAYEE_DIGEST 32

struct payee {            /* of a payment at a counter; strings as on the wire, without "|" */
    const char *acquirer; /* the acquirer's number: 16 characters */
    const char *contract; /* DE 42 */
    const char *terminal; /* DE 41 */
    uint32_t counter;     /* the last six digits of 9F41: DE 11 of the payment's first 0200 */
    int date;             /* YYYYMMDD, the local day */
    int time;             /* HHMMSS local: DE 12 */
};

/* SHA-256 of "telepay-counter-1|ACQUIRER|CONTRACT|TERMINAL|NNNNNN|YYMMDD|HHMMSS". TP_ERR_RANGE,
 * TP_ERR_INTERNAL. */
TP_MUST_CHECK enum tp_err payee_at_counter(uint8_t out[PAYEE_DIGEST], const struct payee *p);

#endif
