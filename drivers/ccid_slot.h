/* One slot of a CCID reader: power, protocol and exchanges with the card in it, over a pipe of
 * messages. Owns no USB: a test is just another pipe. */
#ifndef TP_DRIVERS_CCID_SLOT_H
#define TP_DRIVERS_CCID_SLOT_H

#include "drivers/ccid_descriptor.h"
#include "drivers/ccid_message.h"
#include "drivers/reader.h"
#include "drivers/t1.h"

struct ccid_pipe { /* owned by the caller, outlives the slot */
    void *ctx;
    enum tp_err (*write)(void *ctx, struct span message, struct tp_error *e);
    /* One message, appended. TP_ERR_TIMEOUT: nothing came. */
    enum tp_err (*read)(void *ctx, struct buf *message, int timeout_ms, struct tp_error *e);
    /* The request of the control pipe that goes before PC_to_RDR_Abort: CCID 1.1, 5.3.1. NULL:
     * none. */
    enum tp_err (*abort)(void *ctx, uint8_t slot, uint8_t seq);
};

struct ccid_slot {
    const struct ccid_pipe *pipe;
    struct ccid_descriptor d;
    uint8_t number, seq;
    int whole_ms;  /* how long a command may take in all */
    int64_t until; /* this one */
    bool powered;
    enum ccid_power level; /* at which the card answered */
    uint8_t atr_raw[ATR_MAX];
    size_t atr_n;
    struct atr atr;
    unsigned protocol; /* 0 or 1 */
    uint8_t ta1;       /* Fi and Di in use, where we chose them */
    struct t1_link link;
    struct t1 t1;
    const struct reader_pin *pin; /* what the keypad shall take, while it does */
    enum reader_pin_end pin_end;  /* how that ended */
    uint8_t *out, *in;            /* one message each */
    size_t out_cap, in_cap;
};

/* TP_ERR_NO_MEMORY. ccid_slot_end wipes and frees. */
TP_MUST_CHECK enum tp_err ccid_slot_start(struct ccid_slot *s, const struct ccid_pipe *pipe,
                                          const struct ccid_descriptor *d, uint8_t number);
void ccid_slot_end(struct ccid_slot *s);

/* Whether a card is there. Also what is done first with a reader: messages of a former owner are
 * passed over. */
TP_MUST_CHECK enum tp_err ccid_slot_status(struct ccid_slot *s, enum ccid_icc *icc,
                                           struct tp_error *e);

/* Power at the first voltage at which the card answers, ATR, protocol, speed. With a powered card:
 * a warm reset. */
TP_MUST_CHECK enum tp_err ccid_slot_power_on(struct ccid_slot *s, struct tp_error *e);
void ccid_slot_power_off(struct ccid_slot *s);

/* One exchange, as struct reader_driver has it. */
TP_MUST_CHECK enum tp_err ccid_slot_transmit(struct ccid_slot *s, struct span command,
                                             struct buf *response, struct tp_error *e);

/* The card speaks T=0 and the reader leaves its forms to us: TPDU level. */
bool ccid_slot_is_t0(const struct ccid_slot *s);

/* A VERIFY with the PIN from the reader's keypad, as struct reader_driver has it. */
TP_MUST_CHECK enum tp_err ccid_slot_verify_pin(struct ccid_slot *s, const struct reader_pin *ask,
                                               enum reader_pin_end *end, uint16_t *sw,
                                               struct tp_error *e);

#endif
