/* What a card remembers when the power goes: counters and flags, and all that its issuer changed by
 * scripts (PIN, limits, records).
 *
 * The file "state" holds two slots, each with a version, a sequence number and a SHA-256 over all
 * of it. A write goes to the slot that does not hold the last durable state, so a write cut off at
 * any point leaves that one whole. A file of version 1 (telepay 0.1: no scripts) is read, and
 * written as version 2 before anything else happens; a file of a later version is refused. */
#ifndef TP_SIMCARD_STATE_H
#define TP_SIMCARD_STATE_H

#include "base/span.h"
#include "simcard/profile.h"

#define STATE_LOG_MAX     10
#define STATE_LOG_SIZE    17 /* of an entry: CARD_LOG_FORMAT */
#define STATE_CHANGED_MAX 3650
#define STATE_SCRIPTS_MAX 15 /* a nibble of the CVR */

enum {
    STATE_APP_BLOCKED = 1 << 0,    /* all applications */
    STATE_ONLINE_PENDING = 1 << 1, /* an ARQC was given and no second GENERATE AC came */
    STATE_CARD_BLOCKED = 1 << 2,   /* for ever */
    STATE_ISSUER_FAILED = 1 << 3,  /* issuer authentication failed in the last online transaction */
    STATE_ISSUER_MISSING = 1 << 4, /* it was not performed there, though the card is made for it;
                                      CCD: at the last second GENERATE AC */
    STATE_SDA_FAILED = 1 << 5,     /* as the CVR tells it: simcard/card.h */
    STATE_DDA_FAILED = 1 << 6,     /* the same for DDA and CDA */
    STATE_SCRIPT_FAILED = 1 << 7,
    STATE_GO_ONLINE = 1 << 8,     /* the issuer wants the next transaction online */
    STATE_TRIES_BLOCKED = 1 << 9, /* the application is blocked by wrong PINs */
    STATE_PIN_CHANGED = 1 << 10,  /* pin_block counts, not the profile's */
    STATE_LIMITS_SET = 1 << 11,   /* limits count, not the profile's */
    STATE_ONE_BLOCKED =
        1
        << 12 /* and the three bits above it: the application of that index alone, the others not */
};

struct state_limits { /* as in struct card_profile; 0: none */
    uint64_t amount_limit, amount_maximum;
    uint16_t count_limit, count_maximum;
};

/* Large members first: no padding, so that two states can be compared whole. */
struct card_state {
    uint64_t offline_amount; /* sum of the TCs given offline in the card's currency since the last
                                online one, minor units */
    struct state_limits limits;
    uint32_t reserved; /* zero */
    uint32_t logged;   /* entries ever written; the newest stands at (logged - 1) % STATE_LOG_MAX */
    uint16_t atc, last_online_atc;
    uint16_t offline_count; /* TCs given offline since the last online one */
    uint16_t flags;
    uint16_t changed_n;
    uint8_t pin_tries;
    uint8_t scripts; /* script commands done since the issuer was last told, at most
                        STATE_SCRIPTS_MAX */
    uint8_t pin_block[8];
    uint8_t log[STATE_LOG_MAX][STATE_LOG_SIZE];
    uint8_t changed[STATE_CHANGED_MAX]; /* records written by UPDATE RECORD, each: SFI, number,
                                           length, template 70 and all */
};

struct state_store;

/* Of a card that has not been used yet. */
void state_fresh(struct card_state *s, const struct card_profile *p);

/* Writes the first state of a new card. TP_ERR_EXISTS when the folder has one: an ATC must not
 * start again. */
TP_MUST_CHECK enum tp_err state_make(const char *dir, const struct card_state *s,
                                     struct tp_error *e);

/* Opens and locks. TP_ERR_STATE when another process has the card, TP_ERR_FORMAT when no slot is
 * whole or a later telepay wrote one. */
TP_MUST_CHECK enum tp_err state_open(struct state_store **out, struct card_state *s,
                                     const char *dir, struct tp_error *e);
void state_close(struct state_store **st);

/* The newest whole state, without lock: for `inspect` and CARD_MEMORY. */
TP_MUST_CHECK enum tp_err state_peek(struct card_state *s, const char *dir, struct tp_error *e);

/* STATE_SYNC: on the disk when this returns. STATE_SOON: survives the end of the process now, loss
 * of the machine's power from the next STATE_SYNC on. TP_ERR_IO. */
enum state_when { STATE_SOON, STATE_SYNC };
TP_MUST_CHECK enum tp_err state_write(struct state_store *st, const struct card_state *s,
                                      enum state_when when);

/* The record as UPDATE RECORD left it. TP_ERR_NOT_FOUND. */
TP_MUST_CHECK enum tp_err state_changed_next(struct span *in, uint8_t *sfi, uint8_t *number,
                                             struct span *record);

/* Keeps a record in place of what was kept of it before. TP_ERR_RANGE when the card is full; *s is
 * then as it was. */
TP_MUST_CHECK enum tp_err state_change(struct card_state *s, uint8_t sfi, uint8_t number,
                                       struct span record);

#endif
