/* A CCID reader made of nothing but its messages, with one of our cards in it: what the driver is
 * tried with, in process (a pipe) or behind real libusb (usb_double.h). Written from the CCID
 * specification 1.1, apart from drivers/ccid_*; it shares no code with them. */
#ifndef TP_TESTS_CCID_DOUBLE_H
#define TP_TESTS_CCID_DOUBLE_H

#include "t1_card.h"

#define DOUBLE_SLOTS_MAX 12
#define DOUBLE_QUEUE     4
#define DOUBLE_MESSAGE   65600

enum double_level { DOUBLE_CHARACTER, DOUBLE_TPDU, DOUBLE_SHORT, DOUBLE_EXTENDED };

enum double_fault { /* what goes wrong at the fault_at-th command to the card (XfrBlock or Secure;
                       counted from 1) */
                    DOUBLE_WELL,
                    DOUBLE_STALL_OUT,  /* the message is refused by a stall */
                    DOUBLE_STALL_IN,   /* its answer is */
                    DOUBLE_SHORT_IN,   /* the answer is cut short */
                    DOUBLE_STRAY_SEQ,  /* an answer with a wrong number goes before the right one */
                    DOUBLE_WRONG_SEQ,  /* only one with a wrong number comes */
                    DOUBLE_WRONG_TYPE, /* an answer of another kind */
                    DOUBLE_TIME,       /* asks for more time three times, then answers */
                    DOUBLE_FOR_EVER,   /* asks for more time and never answers */
                    DOUBLE_SILENT,     /* no answer at all */
                    DOUBLE_UNPLUGGED,  /* the reader goes while the computer waits */
                    DOUBLE_CARD_OUT,   /* the card does */
                    DOUBLE_ERROR,      /* bError is `error` */
                    DOUBLE_WHOLE_PACKETS /* an empty packet after every message */
};

struct double_config {
    enum double_level level;
    bool t0;           /* the card speaks T=0, else T=1 */
    uint32_t features; /* of dwFeatures, without the level */
    uint8_t voltages;  /* bVoltageSupport */
    uint8_t protocols; /* of the reader */
    uint32_t max_message, max_ifsd;
    uint32_t rate_max; /* bit/s */
    uint8_t slots;     /* the card is in the last */
    bool keypad, display, no_interrupt;
    const char *atr;       /* hexadecimal; NULL: the card's own */
    uint8_t card_voltages; /* at which the card answers: bit 0 5 V … */
    uint8_t power_error;   /* bError at another; 0: mute */
    uint8_t ifsc;
    bool refuses_pps;
    unsigned wtx; /* how often the card asks for time before each answer, on T=1 */
    uint16_t vendor, product;
    bool vendor_class;
};

struct ccid_double {
    struct double_config c;
    struct inproc_card app;
    const char *typed; /* on the keypad: digits; "cancel", "nothing", "mismatch"; "refuse": the
                          reader does not know the command; after a comma the next entry */
    bool inserted, powered, spoken, unplugged;
    enum double_fault fault;
    unsigned fault_at, fault_times; /* 0: once */
    uint8_t error;
    unsigned commands;                           /* to the card, so far */
    unsigned long messages, bytes_out, bytes_in; /* over the bulk pipes */
    uint8_t power_select, parameters[7], pps[4];
    size_t parameters_n, pps_n;
    unsigned power_ons, power_offs, aborts;
    uint8_t secure[64]; /* the last PIN structure */
    size_t secure_n;
    bool stall_out, stall_in, dead_in;
    struct {
        uint8_t p[DOUBLE_MESSAGE];
        size_t n;
    } queue[DOUBLE_QUEUE];
    size_t queued;
    uint8_t notice[1 + (DOUBLE_SLOTS_MAX + 3) / 4];
    bool noticed;
    struct t1_card t1;
    uint8_t command[T1_CARD_APDU_MAX], answer[T1_CARD_APDU_MAX]; /* being collected, being given */
    size_t command_n, answer_n, answer_at;
    uint8_t waiting[300]; /* T=0: for GET RESPONSE */
    size_t waiting_n;
};

/* A reader of that level with sensible rest: T=1, 5 V, no keypad, 271 bytes a message. */
void double_defaults(struct double_config *c, enum double_level level);
void double_start(struct ccid_double *d, const struct double_config *c,
                  const struct inproc_card *app);

/* The 54 bytes of its class descriptor. */
void double_descriptor(const struct double_config *c, uint8_t raw[54]);

/* A message on the bulk-out pipe; what it is answered waits in the queue. False: the pipe stalls.
 */
bool double_take(struct ccid_double *d, struct span message);

/* The next message for the bulk-in pipe, appended. False: none (or it stalls: stall_in, which this
 * clears). */
bool double_give(struct ccid_double *d, struct buf *out, bool *stalls);

/* The card comes or goes; the next notice says so. */
void double_insert(struct ccid_double *d, bool in);

#endif
