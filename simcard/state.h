/* What a card remembers when the power goes.
 *
 * The file "state" holds two slots, each with a sequence number and a SHA-256 over all of it. A write goes to the slot that does not hold the last
 * durable state, so a write cut off at any point leaves that one whole. */
#ifndef TP_SIMCARD_STATE_H
#define TP_SIMCARD_STATE_H

#include "base/span.h"

#define STATE_LOG_MAX  10
#define STATE_LOG_SIZE 17 /* of an entry: CARD_LOG_FORMAT */

enum {
    STATE_APP_BLOCKED = 1,
    STATE_ONLINE_PENDING = 2 /* an ARQC was given and no second GENERATE AC came */
};

struct card_state {
    uint16_t atc, last_online_atc;
    uint8_t pin_tries;
    uint8_t flags;
    uint16_t offline_count; /* TCs given offline since the last online one */
    uint32_t logged;        /* entries ever written; the newest stands at (logged - 1) % STATE_LOG_MAX */
    uint8_t log[STATE_LOG_MAX][STATE_LOG_SIZE];
};

struct state_store;

/* Writes the first state of a new card. TP_ERR_EXISTS when the folder has one: an ATC must not start again. */
TP_MUST_CHECK enum tp_err state_make(const char *dir, const struct card_state *s, struct tp_error *e);

/* Opens and locks. TP_ERR_STATE when another process has the card, TP_ERR_FORMAT when no slot is whole. */
TP_MUST_CHECK enum tp_err state_open(struct state_store **out, struct card_state *s, const char *dir, struct tp_error *e);
void state_close(struct state_store **st);

/* The newest whole state, without lock: for `inspect` and CARD_MEMORY. */
TP_MUST_CHECK enum tp_err state_peek(struct card_state *s, const char *dir, struct tp_error *e);

/* STATE_SYNC: on the disk when this returns. STATE_SOON: survives the end of the process now, loss of the machine's power from the next STATE_SYNC
 * on. TP_ERR_IO. */
enum state_when { STATE_SOON, STATE_SYNC };
TP_MUST_CHECK enum tp_err state_write(struct state_store *st, const struct card_state *s, enum state_when when);

#endif
