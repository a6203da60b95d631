/* A card reader (the patent's lecteur 14), whatever it is made of. One interface, several drivers
 * behind it: the kernel and the payer do not know which one they got. A reader is used by one
 * thread at a time. */
#ifndef TP_DRIVERS_READER_H
#define TP_DRIVERS_READER_H

#include "apdu/apdu.h"
#include "base/span.h"

#define READER_NAME_MAX 128
#define READER_ATR_MAX  33

struct reader;

struct reader_abilities { /* what a reader can do; each 0, or false, also where it does not say */
    bool known;           /* it was asked */
    bool t0, t1;
    bool keypad;              /* takes a PIN itself: reader_verify_pin */
    uint8_t pin_min, pin_max; /* digits its keypad takes */
    bool display;
    uint16_t lines, columns;
    const char *level;  /* of exchange, as ccid_level_text says it; NULL: not known. Static */
    uint32_t clock_khz; /* the highest */
    uint32_t rate_bps;  /* the highest */
};

struct reader_info { /* one line of `telepay readers` */
    char name[READER_NAME_MAX];
    const char *driver;           /* "PC/SC", "CCID". Static */
    uint8_t usb_bus, usb_address; /* where it is plugged in; bus 0: not on USB, or not known */
    bool card_present;
    bool in_use; /* held exclusively by another program */
    bool mute;   /* its card does not answer to reset */
    uint8_t atr[READER_ATR_MAX];
    size_t atr_n;
    struct reader_abilities can;
    char trouble[160]; /* why it cannot be used, for a person; "": it can */
    char remedy[240];  /* how to mend that; "": nothing to mend, or nothing known */
};

struct reader_features {
    bool pin_verify; /* own keypad, for a plaintext VERIFY: PC/SC part 10 FEATURE_VERIFY_PIN_DIRECT,
                        or START with FINISH; CCID bPINSupport */
    bool display;
};

/* What a reader's keypad is to take: a PIN of min to max digits (EMV: 4 to 12), sent to the card by
 * the reader itself as a plaintext VERIFY, 00 20 00 80 08 and a PIN block of ISO 9564-1 format 2
 * (EMV 4.4 Book 3, 6.5.12). */
struct reader_pin {
    uint8_t min, max;
    uint8_t timeout_s; /* for the entry; 0: the reader's own */
    uint16_t language; /* of what the display says, USB language identifier: 0x0409 English, 0x040C
                          French */
};

/* How it ended at the keypad. None but the first reached the card. PC/SC part 10, 2.5.3;
 * CCID 1.1, 6.1.11. */
enum reader_pin_end {
    READER_PIN_SENT,      /* a PIN was entered; the card answered VERIFY with *sw */
    READER_PIN_CANCELLED, /* the key that says so: 6401 */
    READER_PIN_TIMEOUT,   /* 6400 */
    READER_PIN_LENGTH,    /* fewer digits than min, or more than max: 6403 */
    READER_PIN_MISMATCH,  /* a new PIN, the second time another: 6402 */
    READER_PIN_REFUSED    /* the reader does not do this, or not so: 6B80 */
};

/* What a driver is: every function gets the driver's own data. Responses hold data and status word
 * as the card gave them: 61xx and 6Cxx are handled above, in reader_transmit. */
struct reader_driver {
    const char *name; /* "pcsc" */
    enum tp_err (*wait_card)(void *self, int timeout_ms,
                             struct tp_error *e); /* 0: look once; -1: for ever */
    enum tp_err (*connect)(void *self,
                           struct tp_error *e); /* powers the card, exclusive until disconnect */
    enum tp_err (*transmit)(void *self, struct span command, struct buf *response,
                            struct tp_error *e);
    enum tp_err (*reset)(void *self, struct tp_error *e); /* warm reset of the connected card */
    void (*disconnect)(void *self); /* powers the card off, gives the reader back */
    struct span (*atr)(void *self); /* valid until disconnect */
    struct reader_features (*features)(void *self);
    void (*close)(void *self);
    bool (*is_t0)(void *self); /* the connected card speaks T=0: commands go out in its form (see
                                  reader_transmit); NULL: never */
    /* As reader_verify_pin; NULL: no keypad is ever driven. */
    enum tp_err (*verify_pin)(void *self, const struct reader_pin *ask, enum reader_pin_end *end,
                              uint16_t *sw, struct tp_error *e);
};

/* For drivers: makes a reader over driver and self; self is closed with it. */
TP_MUST_CHECK enum tp_err reader_new(struct reader **out, const struct reader_driver *driver,
                                     void *self, const char *name);

/* For drivers: whether a reader of that name is the wanted one. wanted is part of the name, or
 * (whole) all of it; NULL: any reader is. */
bool reader_wanted(const char *name, const char *wanted, bool whole);

/* For drivers that learn only later which reader it is. */
void reader_rename(struct reader *r, const char *name);

/* Sees each exchange, in order, as it passed on the wire (after 61xx/6Cxx handling each part is one
 * exchange). */
typedef void reader_trace(void *ctx, struct span command, struct span response);
void reader_set_trace(struct reader *r, reader_trace *trace, void *ctx);

/* Asked before each command to the card: false, and it is not sent; the call that was to send it
 * ends with TP_ERR_CANCELLED. */
typedef bool reader_goes_on(void *ctx);
void reader_set_goes_on(struct reader *r, reader_goes_on *goes_on, void *ctx);

const char *reader_name(const struct reader *r);
struct reader_features reader_features(struct reader *r);

/* Errors of all: TP_ERR_NO_READER (none, unplugged, no service), TP_ERR_NO_CARD (time-out of
 * wait_card), TP_ERR_CARD (mute, left, bad ATR), TP_ERR_STATE (held by another program), with a
 * sentence. */
TP_MUST_CHECK enum tp_err reader_wait_card(struct reader *r, int timeout_ms, struct tp_error *e);
TP_MUST_CHECK enum tp_err reader_connect(struct reader *r, struct tp_error *e);
TP_MUST_CHECK enum tp_err reader_reset(struct reader *r, struct tp_error *e);
void reader_disconnect(struct reader *r);
struct span reader_atr(struct reader *r);
bool reader_is_t0(struct reader *r); /* the connected card speaks T=0 */
void reader_close(struct reader **r);

/* One command and its whole answer: follows 61xx with GET RESPONSE and 6Cxx with the right Le,
 * within bounds (EMV 4.3 Book 1, 9.3.1.2). On T=0 a case 4 command goes out without its Le and a
 * case 1 command with P3 = 00, as that protocol wants; a warning (62xx, 63xx) to a case 4 command
 * is followed by GET RESPONSE too (EMV 4.3 Book 1, Annex A). Appends the response data to *response
 * (its cap bounds what a card may send: TP_ERR_CARD beyond), sets *sw. On an error *response is as
 * it was. response may hold secrets: the caller wipes. */
TP_MUST_CHECK enum tp_err reader_transmit(struct reader *r, const struct capdu *command,
                                          struct buf *response, uint16_t *sw, struct tp_error *e);

/* One command in bytes as they are, and the answer as the card gave it, status word at the end:
 * 61xx, 6Cxx and what T=0 wants are the caller's. Appends to *answer. Errors as above; TP_ERR_CARD
 * for an answer without a status word, or longer than there is room for. */
TP_MUST_CHECK enum tp_err reader_exchange(struct reader *r, struct span command, struct buf *answer,
                                          struct tp_error *e);

/* A VERIFY whose PIN the reader takes from its own keypad, so that it never reaches the computer.
 * Blocks until the person is done. Every way it can end at the keypad is in *end (TP_OK);
 * READER_PIN_REFUSED also where reader_features has no pin_verify. *sw only with READER_PIN_SENT.
 * Traced as the VERIFY of the template 20 FF FF FF FF FF FF FF, which is all that this side ever
 * sees of it. */
TP_MUST_CHECK enum tp_err reader_verify_pin(struct reader *r, const struct reader_pin *ask,
                                            enum reader_pin_end *end, uint16_t *sw,
                                            struct tp_error *e);

/* How many exchanges and bytes (both ways) since the reader was made, for the bench and --json. */
struct reader_counts {
    unsigned long exchanges, bytes_out, bytes_in;
};
struct reader_counts reader_counts(const struct reader *r);

#endif
