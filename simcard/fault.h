/* Misbehaviour on demand. The card's own code knows no fault by name: it calls these hooks, and with an empty set they change nothing. */
#ifndef TP_SIMCARD_FAULT_H
#define TP_SIMCARD_FAULT_H

#include "apdu/apdu.h"
#include "simcard/profile.h"

enum fault {
    FAULT_WRONG_SDAD,
    FAULT_WRONG_DATA_HASH,
    FAULT_WRONG_UN,
    FAULT_WRONG_CID,
    FAULT_WRONG_AC,
    FAULT_HIGHER_AC,
    FAULT_EXPIRED_ICC_CERT,
    FAULT_EXPIRED_ISSUER_CERT,
    FAULT_WRONG_ISSUER_HASH,
    FAULT_ALTERED_DATA,
    FAULT_ATC_REPLAY,
    FAULT_TRUNCATED_TLV,
    FAULT_ENDLESS_RECORDS,
    FAULT_WILD_AFL,
    FAULT_TWICE,
    FAULT_MUTE,
    FAULT_TORN_OUT,
    FAULT_OVERSIZED,
    FAULT_EMPTY,
    FAULT_RANDOM_SW,
    FAULT_PIN_LIES,
    FAULT_ENDLESS_61,
    FAULT_BAD_ATR,
    FAULT_SLOW,
    FAULT_COUNT
};

struct fault_set {
    bool on[FAULT_COUNT];
    unsigned number[FAULT_COUNT]; /* the N of "torn-out=N" */
    unsigned commands;            /* received since the card was opened */
};

struct fault_name {
    const char *name;
    unsigned number_default, number_max; /* both 0: takes no number */
};
const struct fault_name *fault_find(const char *name, size_t n, enum fault *which); /* NULL when there is none */

/* What a GENERATE AC is about to answer and sign. */
struct fault_ac {
    uint8_t cid;        /* answered */
    uint8_t cid_signed; /* inside the signature */
    uint8_t ac[8];
    uint8_t un[4];         /* signed */
    uint8_t response_flip; /* XORed into what the transaction data hash runs over */
};

enum fault_fate { FATE_LIVE, FATE_MUTE, FATE_GONE };

void fault_profile(enum fault which, struct card_profile *p); /* once, when it is switched on: changes what the card holds */
void fault_atr(const struct fault_set *f, struct buf *atr);
enum fault_fate fault_before(struct fault_set *f);
uint16_t fault_atc(const struct fault_set *f, uint16_t atc);
uint8_t fault_cid(const struct fault_set *f, uint8_t cid);
void fault_generate_ac(const struct fault_set *f, struct fault_ac *plan);
void fault_sdad(const struct fault_set *f, uint8_t *sdad, size_t n);
uint8_t fault_tries(const struct fault_set *f, uint8_t tries);
bool fault_endless_directory(const struct fault_set *f);

/* The response, status word included, before it leaves. answer has cap for FAULT_RESPONSE_MAX bytes. */
#define FAULT_RESPONSE_MAX 1024
void fault_response(const struct fault_set *f, const struct capdu *command, struct buf *answer);

#endif
