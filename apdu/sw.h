/* Status words and what they mean: ISO/IEC 7816-4 table 6, EMV 4.4 Book 3 6.3.5. */
#ifndef TP_APDU_SW_H
#define TP_APDU_SW_H

#include <stdint.h>

enum {
    SW_OK = 0x9000,
    SW_FAMILY = 0xFF00,            /* mask: SW1 */
    SW_MORE_DATA = 0x6100,         /* low byte: how many bytes wait for GET RESPONSE */
    SW_WRONG_LE = 0x6C00,          /* low byte: the right Le */
    SW_WARNING_UNCHANGED = 0x6200, /* low byte: why */
    SW_WARNING_CHANGED = 0x6300,
    SW_END_OF_FILE = 0x6282,
    SW_SELECTED_FILE_INVALIDATED = 0x6283,
    SW_AUTHENTICATION_FAILED = 0x6300,
    SW_PIN_TRIES_LEFT = 0x63C0, /* low nibble: how many */
    SW_MEMORY_FAILURE = 0x6581,
    SW_WRONG_LENGTH = 0x6700,
    SW_SECURITY_STATUS = 0x6982,
    SW_PIN_BLOCKED = 0x6983,
    SW_REFERENCE_INVALIDATED = 0x6984,
    SW_CONDITIONS = 0x6985,
    SW_NO_CURRENT_EF = 0x6986,
    SW_SM_OBJECTS_MISSING = 0x6987,
    SW_SM_OBJECTS_WRONG = 0x6988,
    SW_WRONG_DATA = 0x6A80,
    SW_FUNCTION_NOT_SUPPORTED = 0x6A81,
    SW_FILE_NOT_FOUND = 0x6A82,
    SW_RECORD_NOT_FOUND = 0x6A83,
    SW_NO_SPACE = 0x6A84,
    SW_WRONG_P1P2 = 0x6A86,
    SW_REFERENCED_DATA_NOT_FOUND = 0x6A88,
    SW_INS_NOT_SUPPORTED = 0x6D00,
    SW_CLA_NOT_SUPPORTED = 0x6E00,
    SW_UNKNOWN = 0x6F00
};

/* Never NULL; numbers inside (63Cx, 61xx) are not spelled out. */
const char *sw_text(uint16_t sw);

/* What it means after a command with that INS, where EMV says more: Book 3, 6.5 and Book 1, 11.
 * Else as above. */
const char *sw_text_after(uint8_t ins, uint16_t sw);

#endif
