/* A reader's own keypad and display as PC/SC part 10, revision 2.02.09, has them ("IFDs with Secure
 * PIN Entry Capabilities"): the bytes that go to the reader's driver and come back. Bytes only, no
 * I/O. Numbers of several bytes are little-endian, but for the control codes of the feature list.
 */
#ifndef TP_DRIVERS_PINPAD_H
#define TP_DRIVERS_PINPAD_H

#include "drivers/reader.h"

/* The control code of each feature that is used here; 0: the reader has it not. Part 10, 2.2
 * and 2.3. */
struct pinpad_features {
    uint32_t verify_direct;               /* 06: all in one call */
    uint32_t verify_start, verify_finish; /* 01, 02: the entry runs by itself between */
    uint32_t key_pressed;                 /* 05: what was pressed since START */
    uint32_t abort;                       /* 0B */
    uint32_t pin_properties;              /* 0A: PIN_PROPERTIES_STRUCTURE */
    uint32_t tlv_properties;              /* 12 */
};

/* The answer to CM_IOCTL_GET_FEATURE_REQUEST: tag, length 4, control code big-endian, and so on.
 * Features that are not known are passed over. TP_ERR_FORMAT when it breaks off; *f then holds what
 * came before, with which one may go on. */
enum tp_err pinpad_features_parse(struct pinpad_features *f, struct span answer);

/* Whether a PIN can be verified with these: in one call or two. */
bool pinpad_can_verify(const struct pinpad_features *f);

struct pinpad_properties {   /* part 10, 2.6; each 0 where the reader does not say */
    uint16_t lines, columns; /* of the display: wLcdLayout, or wLcdMaxLines and wLcdMaxCharacters */
    uint8_t conditions; /* bEntryValidationCondition: the ends of entry it supports, PINPAD_MAX_SIZE
                           … */
    bool distinguishes_timeouts; /* bTimeOut2: from the first key on there can be another */
    uint8_t pin_min, pin_max;    /* bMinPINSize, bMaxPINSize */
    uint32_t max_apdu;           /* dwMaxAPDUDataSize: more than 256: extended APDUs */
    uint16_t vendor, product;    /* USB */
};

/* The answers to FEATURE_GET_TLV_PROPERTIES and FEATURE_IFD_PIN_PROPERTIES. Both add to *p what
 * they say, so that a reader with both can be asked both. TP_ERR_FORMAT when it breaks off. */
enum tp_err pinpad_tlv_properties_parse(struct pinpad_properties *p, struct span answer);
enum tp_err pinpad_pin_properties_parse(struct pinpad_properties *p, struct span answer);

/* bEntryValidationCondition: when a PIN counts as entered. */
enum { PINPAD_MAX_SIZE = 0x01, PINPAD_KEY = 0x02, PINPAD_TIMEOUT = 0x04 };

#define PINPAD_VERIFY_SIZE 32 /* the structure, 19 bytes, and the VERIFY command, 13 */

/* PIN_VERIFY_STRUCTURE with the VERIFY of reader.h, cut to what the reader can: digits, ends of
 * entry, a message only on a display. Appends to *out. TP_ERR_RANGE: no PIN of the lengths asked
 * for can be typed on this keypad, or no room. */
TP_MUST_CHECK enum tp_err pinpad_verify_build(struct buf *out, const struct reader_pin *ask,
                                              const struct pinpad_properties *p);

/* What FEATURE_VERIFY_PIN_DIRECT, or FINISH, gave back: SW1 SW2 of the card, or a status of the
 * reader's own. TP_ERR_FORMAT: not two bytes. */
TP_MUST_CHECK enum tp_err pinpad_outcome(enum reader_pin_end *end, uint16_t *sw,
                                         struct span answer);

/* FEATURE_GET_KEY_PRESSED: entry is over after these. */
enum {
    PINPAD_KEY_NONE = 0x00,
    PINPAD_KEY_OK = 0x0D,
    PINPAD_KEY_CANCEL = 0x1B,
    PINPAD_KEY_TIMEOUT = 0x0E
};
bool pinpad_key_ends(uint8_t key);

/* The language identifier (wLangId) of the first language of preference (ISO 639-1, two letters
 * each, as in 5F2D) that is in the table; else English. */
uint16_t pinpad_language(struct span preference);

#endif
