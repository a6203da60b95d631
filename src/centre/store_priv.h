/* What the files of the centre's books share. */
#ifndef TP_CENTRE_STORE_PRIV_H
#define TP_CENTRE_STORE_PRIV_H

#include "centre/store.h"
#include "crypto/seal.h"
#include "store/schema.h"

#define CONTEXT_MAX 96

struct centre_store {
    struct db *db;
    struct seal *seal;
    int64_t contract, remise; /* rows of the one that is being taken */
    char taking[CAAA_ID_MAX]; /* its contract and number: part of what card numbers are bound to */
    uint32_t number;
};

/* What a sealed card number is bound to: "contract/number/sequence" as text. */
struct span centre_context(char out[CONTEXT_MAX], const char *contract, uint32_t number,
                           uint32_t sequence);

struct centre_signature { /* 9F36 and 9F26 of an item's DE 55: how a card's payment is known */
    bool there;
    uint16_t atc;
    struct span ac;
};
struct centre_signature centre_signature_of(struct span icc);

#endif
