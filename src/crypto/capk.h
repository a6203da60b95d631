/* The store of certification authority public keys: data/capk.json and files of the same form that
 * the user adds. */
#ifndef TP_CRYPTO_CAPK_H
#define TP_CRYPTO_CAPK_H

#include <jansson.h>

#include "crypto/eccert.h"

struct capk {
    uint8_t rid[5];
    uint8_t index;
    int expiry;             /* YYYYMMDD, 0: none given */
    bool live;              /* environment "live": a real scheme's */
    char source[64];        /* file it came from, for people */
    struct emv_pubkey *key; /* RSA, owned by the store; NULL: ec is the key */
    struct ec_pubkey ec;    /* of an elliptic curve */
};

struct capk_store;

TP_MUST_CHECK enum tp_err capk_store_new(struct capk_store **out);
void capk_store_free(struct capk_store **s);

size_t capk_bits(const struct capk *k);
struct ec_authority capk_ec(const struct capk *k); /* of an elliptic curve: what it is called */

/* SHA-1 of RID, index, modulus and exponent, by which the schemes publish their keys. */
TP_MUST_CHECK enum tp_err capk_sha1(uint8_t out[20], const uint8_t rid[5], uint8_t index,
                                    const struct emv_pubkey *key);

/* The check sum of a key of an elliptic curve: by its suite's hash over RID, index, suite, x and y
 * (EMV 4.4 Book 2, 11.2.2, table 31). */
TP_MUST_CHECK enum tp_err capk_checksum(uint8_t out[EC_HASH_MAX], const struct ec_authority *a);

/* Adds every key of a file {"keys":[{rid,index,modulus,exponent,sha1,expiry,environment}…]}. Each
 * SHA-1 is recomputed (EMV 4.4 Book 2, 11.2.2, table 30): TP_ERR_SECURITY naming the key when it
 * differs. A key of an elliptic curve is {rid,index,suite,x,y,checksum,expiry,environment} (table
 * 31), or {self_signed,expiry,environment} as its scheme delivers it (table 29): check sum or
 * signature are checked likewise. An entry already there is passed over. So is a key that cannot be
 * used, after a note in the log; when all are such, TP_ERR_FORMAT. The file may also hold
 * "revoked":[{rid,index,serial}…], the certification revocation list of Book 2, 5.1.2. On an error
 * the store is as it was. */
TP_MUST_CHECK enum tp_err capk_store_load(struct capk_store *s, const char *path,
                                          struct tp_error *e);

/* The same, but what a terminal takes: keys are read, and what is wrong with them found, when
 * capk_store_need asks for those of one scheme. Revocations are read at once. */
TP_MUST_CHECK enum tp_err capk_store_open(struct capk_store *s, const char *path,
                                          struct tp_error *e);

/* capk_store_open of a document that stands in no file: name is said instead of its path. */
TP_MUST_CHECK enum tp_err capk_store_take(struct capk_store *s, const json_t *document,
                                          const char *name, struct tp_error *e);

/* Before a card of that scheme: its keys are in the store then. The errors of capk_store_load. */
TP_MUST_CHECK enum tp_err capk_store_need(struct capk_store *s, const uint8_t rid[5],
                                          struct tp_error *e);

/* Adds one key, not checked against anything. The store takes key->key, on an error too.
 * TP_ERR_NO_MEMORY. */
TP_MUST_CHECK enum tp_err capk_store_add(struct capk_store *s, const struct capk *key);

size_t capk_count(const struct capk_store *s);
const struct capk *capk_at(const struct capk_store *s, size_t i);

/* Whether the store has the very same key. */
bool capk_known(const struct capk_store *s, const struct capk *k);

/* The nth RSA key (from 0) with that RID and index: a public list may hold several under one index.
 * NULL when there are no more. */
const struct capk *capk_find(const struct capk_store *s, struct span rid, uint8_t index,
                             size_t nth);
/* The same of the keys of elliptic curves. */
const struct capk *capk_find_ec(const struct capk_store *s, struct span rid, uint8_t index,
                                size_t nth);

/* True when the issuer certificate with that serial, under that authority key, is on the revocation
 * list. */
bool capk_revoked(const struct capk_store *s, struct span rid, uint8_t index,
                  const uint8_t serial[3]);

#endif
