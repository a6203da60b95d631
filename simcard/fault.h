/* Misbehaviour on demand. The card's own code knows no fault by name: it calls these hooks, and
 * with an empty set they change nothing.
 *
 * Faults come in three kinds, a file each: what the card holds (fault_holds.c: its records and
 * lists are changed once, when the fault is switched on), what it signs and counts (fault_signs.c),
 * and what it answers (fault_answers.c: commands and answers changed on their way, as somebody
 * between card and terminal could). All may be combined. */
#ifndef TP_SIMCARD_FAULT_H
#define TP_SIMCARD_FAULT_H

#include "apdu/apdu.h"
#include "simcard/card.h"
#include "simcard/profile.h"

enum fault {
    /* what it holds */
    FAULT_EXPIRED_ICC_CERT,
    FAULT_EXPIRED_ISSUER_CERT,
    FAULT_WRONG_PAN_CERT,
    FAULT_WRONG_ISSUER_HASH,
    FAULT_ALTERED_DATA,
    FAULT_EXPIRED,
    FAULT_NOT_YET_EFFECTIVE,
    FAULT_MISSING,
    FAULT_TWICE,
    FAULT_OTHER_TRACK2,
    FAULT_HOSTILE_NAMES,
    FAULT_WRONG_TEMPLATE,
    FAULT_INDEFINITE_LENGTH,
    FAULT_TRAILING_BYTES,
    FAULT_ZERO_PADDING,
    FAULT_WILD_AFL,
    FAULT_ODD_AFL,
    FAULT_MISSING_RECORD,
    FAULT_MANY_RECORDS,
    FAULT_AFL_OVERCOUNT,
    FAULT_HUGE_PDOL,
    FAULT_BROKEN_PDOL,
    FAULT_UNKNOWN_CDOL,
    FAULT_BROKEN_CDOL,
    FAULT_DDOL_WITHOUT_UN,
    FAULT_TAG_LIST,
    FAULT_UNKNOWN_INDEX,
    FAULT_UNKNOWN_SUITE,
    FAULT_EMPTY_CVM_LIST,
    FAULT_ODD_CVM_LIST,
    FAULT_UNKNOWN_CVM,
    FAULT_ENDLESS_RECORDS,
    /* what it signs and counts */
    FAULT_WRONG_SDAD,
    FAULT_SDAD_HEADER,
    FAULT_SDAD_TRAILER,
    FAULT_SDAD_FORMAT,
    FAULT_LONG_DYNAMIC_NUMBER,
    FAULT_WRONG_DATA_HASH,
    FAULT_WRONG_UN,
    FAULT_WRONG_CID,
    FAULT_WRONG_AC,
    FAULT_HIGHER_AC,
    FAULT_ALWAYS_AAC,
    FAULT_ATC_REPLAY,
    FAULT_ATC_JUMP,
    FAULT_ATC_BACK,
    FAULT_ANY_ARPC,
    FAULT_YES_CARD,
    /* what it answers */
    FAULT_SHORT_SDAD,
    FAULT_UNSIGNED_CDA,
    FAULT_FORMAT_1_CDA,
    FAULT_AC_BESIDE_SDAD,
    FAULT_REPLAY_AC,
    FAULT_ARQC_AGAIN,
    FAULT_RESERVED_CID,
    FAULT_DOUBLE_CID,
    FAULT_LONG_IAD,
    FAULT_AIP_DOWNGRADE,
    FAULT_AIP_UPGRADE,
    FAULT_GPO_REFUSED,
    FAULT_GPO_WITHOUT_AFL,
    FAULT_BLOCKED_APPLICATION,
    FAULT_BLOCKED_CARD,
    FAULT_OTHER_NAME,
    FAULT_BROKEN_PSE,
    FAULT_EMPTY_PSE,
    FAULT_PIN_WEDGE,
    FAULT_PIN_LIES,
    FAULT_TRIES_HIDDEN,
    FAULT_SHORT_CHALLENGE,
    FAULT_UNDECIPHERED,
    FAULT_ISSUER_REFUSED,
    FAULT_SCRIPT_REFUSED,
    FAULT_WARNING_RECORD,
    FAULT_STATUS,
    FAULT_RANDOM_SW,
    FAULT_TRUNCATED_TLV,
    FAULT_EMPTY,
    FAULT_OVERSIZED,
    FAULT_NOISE,
    FAULT_ENDLESS_61,
    FAULT_ENDLESS_6C,
    FAULT_BAD_ATR,
    FAULT_SLOW,
    FAULT_MUTE,
    FAULT_TORN_OUT,
    FAULT_COUNT
};

struct fault_set {
    bool on[FAULT_COUNT];
    unsigned number[FAULT_COUNT]; /* the N of "torn-out=N", the tag of "missing=5A", the status word
                                     of "status=6F00" */
    unsigned commands;            /* received since the card was opened */
    bool in_directory;            /* the last SELECT named the PSE */
    bool second_ac;               /* a GENERATE AC was answered in this transaction */
    uint8_t kept[APDU_SHORT_RESPONSE_MAX];
    size_t kept_n; /* the answer that replay-ac gives again */
};

enum fault_takes { FAULT_TAKES_NOTHING, FAULT_TAKES_NUMBER, FAULT_TAKES_HEX };

struct fault_kind {
    struct card_fault_text text; /* name up to the first '[' */
    enum fault_takes takes;
    unsigned number_default, number_max;
};
/* By name; NULL when there is none. */
const struct fault_kind *fault_find(const char *name, size_t n, enum fault *which);
/* "wrong-sdad", "torn-out=7", "missing=5A" into the set. TP_ERR_USAGE. */
TP_MUST_CHECK enum tp_err fault_parse(struct fault_set *f, enum fault *which, const char *spec,
                                      struct tp_error *e);

/* ---- what it holds: once, when a fault is switched on ---- */

void fault_profile(enum fault which, unsigned number, struct card_profile *p);
bool fault_endless_directory(const struct fault_set *f);

/* ---- what it signs and counts ---- */

struct fault_ac {       /* what a GENERATE AC is about to answer and sign */
    uint8_t cid;        /* answered */
    uint8_t cid_signed; /* inside the signature */
    uint8_t ac[8];
    uint8_t un[4];         /* signed */
    uint8_t response_flip; /* XORed into what the transaction data hash runs over */
};
uint16_t fault_atc(const struct fault_set *f, uint16_t atc);
uint8_t fault_cid(const struct fault_set *f, uint8_t cid);
void fault_generate_ac(const struct fault_set *f, struct fault_ac *plan);
/* The first byte of the ICC dynamic data, before it is signed. */
void fault_dynamic_number(const struct fault_set *f, uint8_t *length);
/* A signature just made with key, n bytes. */
void fault_sdad(const struct fault_set *f, struct emv_privkey *key, uint8_t *sdad, size_t n);
/* The same of XDA: 15, r, s. */
void fault_xda(const struct fault_set *f, uint8_t *sdad, size_t n);
uint8_t fault_tries(const struct fault_set *f, uint8_t tries);
/* Whatever the issuer's cryptogram is, it is taken for right. */
bool fault_any_arpc(const struct fault_set *f);

/* ---- what it answers ---- */

void fault_atr(const struct fault_set *f, struct buf *atr);

enum fault_fate { FATE_LIVE, FATE_MUTE, FATE_GONE };
enum fault_fate fault_before(struct fault_set *f);

/* A command before the card sees it; it may be changed. pin_block: the card's own. true: answered
 * in the card's place, *sw without data. */
bool fault_command(struct fault_set *f, struct span pin_block, struct capdu *in, uint16_t *sw);
/* The card's data and status word, before its protocol (61xx, 6Cxx) shapes them. */
void fault_answer(struct fault_set *f, const struct capdu *command, struct buf *data, uint16_t *sw);
/* The response, status word included, as it leaves. answer has cap for FAULT_RESPONSE_MAX bytes. */
#define FAULT_RESPONSE_MAX 1024
void fault_response(const struct fault_set *f, const struct capdu *command, struct buf *answer);

#endif
