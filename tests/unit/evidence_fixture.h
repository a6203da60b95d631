/* A scheme, a card and one payment that the card signed, for tests and benchmarks of the evidence.
 * Any failure aborts. */
#ifndef TP_TESTS_EVIDENCE_FIXTURE_H
#define TP_TESTS_EVIDENCE_FIXTURE_H

#include "crypto/emvmake.h"
#include "ledger/evidence.h"

#define FIXTURE_PAN    "9990140000000015"
#define FIXTURE_DATE   20261123
#define FIXTURE_EXPIRY 20301231
#define FIXTURE_RID    "F000000014"

struct fixture_keys {
    struct emv_privkey *ca, *issuer, *icc; /* 1984, 1408, 1152 bits */
};

void fixture_keys_make(struct fixture_keys *k);
void fixture_keys_free(struct fixture_keys *k);

/* A store with the public key of the authority; expiry "2035-12-31", or NULL for none; revoked: a
 * list of the form of capk.h, or "". */
struct capk_store *fixture_authorities(const struct fixture_keys *k, const char *expiry,
                                       const char *revoked);

/* What to make. fixture_plan_start() fills in a good payment; a test spoils what it wants. */
struct fixture_plan {
    const char *pan, *cert_pan, *iin;
    int issuer_expiry, icc_expiry, card_expiry;
    const char *cdol1, *cdol2; /* hex */
    bool second;               /* a second GENERATE AC, too */
    const char *
        data_change; /* "9F02=000000000001 …": what the message says differs from what was signed */
    const char *more_records; /* hex of more signed objects */
    const char *sda_tag_list; /* hex of 9F4A's value; "" for none */
    uint8_t cid, signed_cid;
    bool wrong_data_hash, wrong_un; /* as a bad card would sign */
    bool no_sdad;
    bool unsigned_lists; /* 8C and 8D stand in no signed record: the evidence has them as DF06, DF07
                          */
    const char *sent_list; /* hex of DF06, where it is not the list that was used; NULL: it is */
    enum { FIXTURE_CDA, FIXTURE_DDA, FIXTURE_SDA, FIXTURE_NO_ODA } method;
    bool spoilt; /* the signature of DDA or SDA is of other data */
};
void fixture_plan_start(struct fixture_plan *p);

struct fixture_payment {
    uint8_t de55[1000], stream[3000];
    size_t de55_n, stream_n;
};
void fixture_pay(struct fixture_payment *out, const struct fixture_keys *k,
                 const struct fixture_plan *p);

#endif
