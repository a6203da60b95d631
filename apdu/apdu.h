/* Command and response APDUs, ISO/IEC 7816-4 (2020) 5, short and extended. Pure: bytes in, bytes
 * out. */
#ifndef TP_APDU_APDU_H
#define TP_APDU_APDU_H

#include "base/span.h"

#define APDU_COMMAND_MAX        (4 + 3 + 65535 + 2)
#define APDU_RESPONSE_MAX       (65536 + 2)
#define APDU_SHORT_COMMAND_MAX  (5 + 255 + 1)
#define APDU_SHORT_RESPONSE_MAX (256 + 2)
#define APDU_LE_NONE            0U

enum apdu_ins { /* EMV 4.4 Book 3, table 3; ISO/IEC 7816-4 */
                INS_APPLICATION_BLOCK = 0x1E,
                INS_APPLICATION_UNBLOCK = 0x18,
                INS_CARD_BLOCK = 0x16,
                INS_VERIFY = 0x20,
                INS_PIN_CHANGE_UNBLOCK = 0x24,
                INS_EXTERNAL_AUTHENTICATE = 0x82,
                INS_GET_CHALLENGE = 0x84,
                INS_INTERNAL_AUTHENTICATE = 0x88,
                INS_SELECT = 0xA4,
                INS_GET_PROCESSING_OPTIONS = 0xA8,
                INS_GENERATE_AC = 0xAE,
                INS_READ_RECORD = 0xB2,
                INS_GET_RESPONSE = 0xC0,
                INS_GET_DATA = 0xCA,
                INS_PUT_DATA = 0xDA,
                INS_UPDATE_RECORD = 0xDC
};

struct capdu {
    uint8_t cla, ins, p1, p2;
    struct span data; /* empty: no Lc; borrowed */
    uint32_t le;      /* bytes wanted, 1 to 65536; APDU_LE_NONE: none */
};

struct rapdu {
    struct span data; /* borrowed from what was parsed */
    uint16_t sw;
};

/* Appends the shortest encoding: short when data is at most 255 and le at most 256 bytes, else
 * extended. TP_ERR_RANGE. */
TP_MUST_CHECK enum tp_err capdu_put(struct buf *out, const struct capdu *c);

/* All seven cases, short and extended. TP_ERR_FORMAT when lengths do not agree. */
TP_MUST_CHECK enum tp_err capdu_parse(struct capdu *c, struct span raw);

/* TP_ERR_FORMAT when shorter than a status word. */
TP_MUST_CHECK enum tp_err rapdu_parse(struct rapdu *r, struct span raw);

#endif
