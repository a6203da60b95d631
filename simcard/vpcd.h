/* The card's end of vsmartcard's vpcd protocol: each message is its length, 16 bits big-endian,
 * then so many bytes. A message of one byte from the reader is a control: 0 power off, 1 power on,
 * 2 reset, 4 send the ATR. Others are command APDUs. The card answers the ATR request and commands.
 */
#ifndef TP_SIMCARD_VPCD_H
#define TP_SIMCARD_VPCD_H

#include "simcard/card.h"

#define VPCD_PORT        35963
#define VPCD_MESSAGE_MAX (2 + 65535)

/* What is in the reader, as simcard/card.h has it: a card, or something that plays one. Borrows
 * ctx. */
struct vpcd_card {
    void *ctx;
    enum tp_err (*atr)(void *ctx, struct buf *atr);
    enum tp_err (*power_on)(void *ctx, struct buf *atr);
    void (*power_off)(void *ctx);
    enum tp_err (*transmit)(void *ctx, struct span command, struct buf *response);
    bool (*gone)(void *ctx);
};
struct vpcd_card vpcd_card_of(struct card *card);

/* What arrived so far of one connection. No sockets here: bytes in, bytes out. */
struct vpcd {
    struct vpcd_card card;
    uint8_t in[VPCD_MESSAGE_MAX];
    size_t in_n;
    unsigned long controls, commands; /* handled */
};

void vpcd_start(struct vpcd *v, struct vpcd_card card);

/* Takes bytes as they came, handles every whole message, appends the answers to out (room for
 * VPCD_ANSWERS_MAX bytes: vpcd awaits each answer before the next command). TP_ERR_CARD when the
 * card went mute or left: the connection ends. TP_ERR_RANGE when the peer sends commands without
 * awaiting answers. */
#define VPCD_ANSWERS_MAX 8192
TP_MUST_CHECK enum tp_err vpcd_take(struct vpcd *v, struct span bytes, struct buf *out);

enum vpcd_end {
    VPCD_CLOSED, /* the reader's service ended the connection */
    VPCD_STOPPED,
    VPCD_CARD_MUTE,
    VPCD_CARD_GONE,
    VPCD_UNREACHABLE
};

/* Connects, serves until the connection ends or stop_fd becomes readable. inserted is called at the
 * first message from the reader; silent when none came within a second (another card is in that
 * slot). */
struct vpcd_events {
    void (*inserted)(void *ctx);
    void (*silent)(void *ctx);
    void *ctx;
};
TP_MUST_CHECK enum tp_err vpcd_serve(enum vpcd_end *end, struct vpcd_card card, const char *host,
                                     const char *port, int stop_fd,
                                     const struct vpcd_events *events, struct tp_error *e);

#endif
