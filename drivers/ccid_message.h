/* The messages between computer and reader: USB CCID specification 1.1, 6. Bytes only; what carries
 * them is drivers/ccid_usb.h. */
#ifndef TP_DRIVERS_CCID_MESSAGE_H
#define TP_DRIVERS_CCID_MESSAGE_H

#include "base/span.h"
#include "drivers/atr.h"

#define CCID_HEADER 10
#define CCID_MESSAGE_MAX                                                                           \
    (CCID_HEADER + 65544) /* CCID 1.1, 5.1: the longest there is, at extended APDU level */

enum ccid_out { /* PC_to_RDR_…: 6.1 */
                CCID_SET_PARAMETERS = 0x61,
                CCID_ICC_POWER_ON = 0x62,
                CCID_ICC_POWER_OFF = 0x63,
                CCID_GET_SLOT_STATUS = 0x65,
                CCID_SECURE = 0x69,
                CCID_GET_PARAMETERS = 0x6C,
                CCID_RESET_PARAMETERS = 0x6D,
                CCID_XFR_BLOCK = 0x6F,
                CCID_ABORT = 0x72
};

enum ccid_in {
    CCID_DATA_BLOCK = 0x80,
    CCID_SLOT_STATUS = 0x81,
    CCID_PARAMETERS = 0x82
}; /* RDR_to_PC_…: 6.2 */

enum ccid_power {
    CCID_POWER_AUTO = 0,
    CCID_POWER_5V = 1,
    CCID_POWER_3V = 2,
    CCID_POWER_1V8 = 3
}; /* bPowerSelect, 6.1.1 */

/* wLevelParameter of XfrBlock at extended APDU level, 6.1.4. */
enum ccid_chain_out {
    CCID_OUT_WHOLE = 0x00,
    CCID_OUT_FIRST = 0x01,
    CCID_OUT_LAST = 0x02,
    CCID_OUT_MIDDLE = 0x03,
    CCID_OUT_GO_ON = 0x10
};

/* bChainParameter of DataBlock, 6.2.1. */
enum ccid_chain_in {
    CCID_IN_WHOLE = 0x00,
    CCID_IN_FIRST = 0x01,
    CCID_IN_LAST = 0x02,
    CCID_IN_MIDDLE = 0x03,
    CCID_IN_GO_ON = 0x10
};

enum ccid_icc {
    CCID_ICC_ACTIVE = 0,
    CCID_ICC_INACTIVE = 1,
    CCID_ICC_ABSENT = 2
}; /* bmICCStatus, 6.2.6 */
enum ccid_command { CCID_DONE = 0, CCID_FAILED = 1, CCID_TIME_EXTENSION = 2 }; /* bmCommandStatus */

struct ccid_head { /* what every message to the reader begins with */
    enum ccid_out type;
    uint8_t slot, seq;
    uint8_t specific[3]; /* bPowerSelect; bBWI and wLevelParameter; bProtocolNum: zero where nothing
                            is said */
};

struct ccid_reply {
    uint8_t type; /* enum ccid_in, or whatever the reader sent */
    uint8_t slot, seq;
    enum ccid_icc icc;
    enum ccid_command command;
    uint8_t error;    /* bError: a code when failed, the multiplier of the waiting time when a time
                         extension */
    uint8_t specific; /* bChainParameter, bClockStatus or bProtocolNum */
    struct span data; /* borrowed from what was parsed */
};

/* Appends a message with its data. TP_ERR_RANGE when it does not fit. */
TP_MUST_CHECK enum tp_err ccid_message_put(struct buf *out, const struct ccid_head *head,
                                           struct span data);

/* A message from the bulk-in endpoint. TP_ERR_FORMAT when it is shorter than it says, or a status
 * is reserved. Bytes after its end are passed over. */
TP_MUST_CHECK enum tp_err ccid_message_parse(struct ccid_reply *r, struct span raw);

/* What type of reply a message gets: 6, table 6.1-1. */
enum ccid_in ccid_reply_type(enum ccid_out type);

/* bError of a failed command, 6.2.6, as an error of the house with a sentence for a person; icc
 * tells a card that left. offset: a code from 01 to 7F says which byte of the message the reader
 * does not accept. */
enum tp_err ccid_message_fail(struct tp_error *e, const struct ccid_reply *r);

/* For the tests of the table: a code of bError and its words. NULL past the end. */
struct ccid_error {
    uint8_t code;
    enum tp_err err;
    const char *words;
};
const struct ccid_error *ccid_error_at(size_t i);

/* abProtocolDataStructure of SetParameters, 6.1.7: 5 bytes for T=0, 7 for T=1. ta1: Fi and Di that
 * card and reader shall use. TP_ERR_RANGE. */
TP_MUST_CHECK enum tp_err ccid_parameters_put(struct buf *out, const struct atr *a,
                                              unsigned protocol, uint8_t ta1);

/* A VERIFY for PC_to_RDR_Secure, 6.1.11: the reader takes a PIN of min to max digits from its
 * keypad, puts it into a format 2 block (EMV 4.4 Book 3, 6.5.12) and sends it to the card.
 * prologue: NAD, PCB and LEN of the T=1 block, zeros where the reader makes its own. language: USB
 * language identifier (0x0409 English, 0x040C French); message: say something on the display. */
struct ccid_pin {
    uint8_t timeout_s; /* 0: the reader's own */
    uint8_t min, max;  /* 4 to 12 */
    uint16_t language;
    bool message;
    uint8_t prologue[3];
};
TP_MUST_CHECK enum tp_err ccid_pin_verify_put(struct buf *out, const struct ccid_pin *p);

#endif
