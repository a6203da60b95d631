/* A CDA check by OpenSSL alone, the base of what the house makes of it: EVP_PKEY_verify_recover and
 * two SHA-1s, contexts kept. */
#ifndef TP_TESTS_BARE_CDA_H
#define TP_TESTS_BARE_CDA_H

#include "crypto/rsa.h"

struct bare_cda;

/* sdad: what is recovered each time, as long as the key; hashed_n: bytes of the transaction data
 * that the second hash runs over. Ends the program when OpenSSL fails. */
struct bare_cda *bare_cda_new(const struct emv_pubkey *key, struct span sdad, size_t hashed_n);
void bare_cda_free(struct bare_cda **b);

double bare_cda_turn(struct bare_cda *b, unsigned n); /* n checks: processor seconds */

#endif
