/* The EMV data dictionary: EMV 4.4 Book 3, Annex A, as one table sorted by tag. */
#ifndef TP_APDU_EMVTAGS_H
#define TP_APDU_EMVTAGS_H

#include "base/span.h"

enum emv_format { EMV_N, EMV_CN, EMV_AN, EMV_ANS, EMV_B, EMV_A, EMV_VAR, EMV_DOL, EMV_CONSTRUCTED };
enum emv_source { EMV_FROM_CARD, EMV_FROM_TERMINAL, EMV_FROM_ISSUER };

/* How a value may be shown. What the dictionary does not know is EMV_SECRET: emv_tag_shown. */
enum emv_shown {
    EMV_SECRET,   /* never; of track 2 what EMV_PAN shows */
    EMV_PAN,      /* first six, last four */
    EMV_PERSONAL, /* to the cardholder, and to who is paid; not in a file that goes to others */
    EMV_PLAIN     /* says nothing of whose card it is, whoever reads it */
};

struct emv_tag {
    uint32_t tag;
    const char *name; /* as in Annex A: "Application Interchange Profile" */
    enum emv_format format;
    uint8_t min, max; /* bytes; max 0: not limited */
    enum emv_source source;
    enum emv_shown shown;
};

enum { /* the tags code speaks of, by their standard abbreviations */
       TAG_IIN = 0x42,
       TAG_AID = 0x4F,
       TAG_APP_LABEL = 0x50,
       TAG_TRACK2 = 0x57,
       TAG_PAN = 0x5A,
       TAG_APP_TEMPLATE = 0x61,
       TAG_FCI = 0x6F,
       TAG_RECORD = 0x70,
       TAG_SCRIPT_71 = 0x71,
       TAG_SCRIPT_72 = 0x72,
       TAG_DIRECTORY_DISCRETIONARY = 0x73,
       TAG_RESPONSE_2 = 0x77,
       TAG_RESPONSE_1 = 0x80,
       TAG_AMOUNT_BINARY = 0x81,
       TAG_AIP = 0x82,
       TAG_DF_NAME = 0x84,
       TAG_SCRIPT_COMMAND = 0x86,
       TAG_PRIORITY = 0x87,
       TAG_SFI = 0x88,
       TAG_AUTHORISATION_CODE = 0x89,
       TAG_ARC = 0x8A,
       TAG_CDOL1 = 0x8C,
       TAG_CDOL2 = 0x8D,
       TAG_CVM_LIST = 0x8E,
       TAG_CA_INDEX = 0x8F,
       TAG_ISSUER_CERT = 0x90,
       TAG_ISSUER_AUTH_DATA = 0x91,
       TAG_ISSUER_REMAINDER = 0x92,
       TAG_SSAD = 0x93,
       TAG_AFL = 0x94,
       TAG_TVR = 0x95,
       TAG_TDOL = 0x97,
       TAG_TC_HASH = 0x98,
       TAG_PIN = 0x99,
       TAG_TX_DATE = 0x9A,
       TAG_TSI = 0x9B,
       TAG_TX_TYPE = 0x9C,
       TAG_DDF_NAME = 0x9D,
       TAG_FCI_PROPRIETARY = 0xA5,
       TAG_CARDHOLDER_NAME = 0x5F20,
       TAG_EXPIRY = 0x5F24,
       TAG_EFFECTIVE = 0x5F25,
       TAG_ISSUER_COUNTRY = 0x5F28,
       TAG_TX_CURRENCY = 0x5F2A,
       TAG_LANGUAGE = 0x5F2D,
       TAG_SERVICE_CODE = 0x5F30,
       TAG_PAN_SEQUENCE = 0x5F34,
       TAG_TX_CURRENCY_EXPONENT = 0x5F36,
       TAG_ACQUIRER_ID = 0x9F01,
       TAG_AMOUNT = 0x9F02,
       TAG_AMOUNT_OTHER = 0x9F03,
       TAG_AMOUNT_OTHER_BINARY = 0x9F04,
       TAG_TERMINAL_AID = 0x9F06,
       TAG_AUC = 0x9F07,
       TAG_CARD_VERSION = 0x9F08,
       TAG_TERMINAL_VERSION = 0x9F09,
       TAG_CARDHOLDER_NAME_EXTENDED = 0x9F0B,
       TAG_IAC_DEFAULT = 0x9F0D,
       TAG_IAC_DENIAL = 0x9F0E,
       TAG_IAC_ONLINE = 0x9F0F,
       TAG_IAD = 0x9F10,
       TAG_CODE_TABLE = 0x9F11,
       TAG_PREFERRED_NAME = 0x9F12,
       TAG_LAST_ONLINE_ATC = 0x9F13,
       TAG_LOWER_OFFLINE = 0x9F14,
       TAG_MCC = 0x9F15,
       TAG_MERCHANT_ID = 0x9F16,
       TAG_PIN_TRIES = 0x9F17,
       TAG_SCRIPT_ID = 0x9F18,
       TAG_TERMINAL_COUNTRY = 0x9F1A,
       TAG_FLOOR_LIMIT = 0x9F1B,
       TAG_TERMINAL_ID = 0x9F1C,
       TAG_TERMINAL_RISK_DATA = 0x9F1D,
       TAG_IFD_SERIAL = 0x9F1E,
       TAG_TRACK1_DISCRETIONARY = 0x9F1F,
       TAG_TRACK2_DISCRETIONARY = 0x9F20,
       TAG_TX_TIME = 0x9F21,
       TAG_UPPER_OFFLINE = 0x9F23,
       TAG_AC = 0x9F26,
       TAG_CID = 0x9F27,
       TAG_PIN_CERT = 0x9F2D,
       TAG_PIN_EXPONENT = 0x9F2E,
       TAG_PIN_REMAINDER = 0x9F2F,
       TAG_ISSUER_EXPONENT = 0x9F32,
       TAG_TERMINAL_CAPABILITIES = 0x9F33,
       TAG_CVM_RESULTS = 0x9F34,
       TAG_TERMINAL_TYPE = 0x9F35,
       TAG_ATC = 0x9F36,
       TAG_UN = 0x9F37,
       TAG_PDOL = 0x9F38,
       TAG_POS_ENTRY = 0x9F39,
       TAG_AMOUNT_REFERENCE = 0x9F3A,
       TAG_REFERENCE_CURRENCY = 0x9F3C,
       TAG_ADDITIONAL_CAPABILITIES = 0x9F40,
       TAG_TX_COUNTER = 0x9F41,
       TAG_APP_CURRENCY = 0x9F42,
       TAG_APP_CURRENCY_EXPONENT = 0x9F44,
       TAG_DATA_AUTH_CODE = 0x9F45,
       TAG_ICC_CERT = 0x9F46,
       TAG_ICC_EXPONENT = 0x9F47,
       TAG_ICC_REMAINDER = 0x9F48,
       TAG_DDOL = 0x9F49,
       TAG_SDA_TAG_LIST = 0x9F4A,
       TAG_SDAD = 0x9F4B,
       TAG_ICC_DYNAMIC_NUMBER = 0x9F4C,
       TAG_LOG_ENTRY = 0x9F4D,
       TAG_MERCHANT_NAME = 0x9F4E,
       TAG_LOG_FORMAT = 0x9F4F,
       TAG_SCRIPT_RESULTS = 0x9F5B,
       TAG_TRACK2_STRIPE = 0x9F6B,
       TAG_MERCHANT_CUSTOM = 0x9F7C,
       TAG_FCI_ISSUER = 0xBF0C,
       /* telepay's own, in the evidence of DE 61-63 (doc/protocol.md) */
       TAG_EV_STATIC = 0xDF01,
       TAG_EV_PDOL_VALUES = 0xDF02,
       TAG_EV_CDOL1_VALUES = 0xDF03,
       TAG_EV_CDOL2_VALUES = 0xDF04,
       TAG_EV_RESPONSE = 0xDF05,
       TAG_EV_CDOL1 = 0xDF06, /* the lists that were used, where no signed record holds them */
       TAG_EV_CDOL2 = 0xDF07,
       TAG_EV_DDOL_VALUES = 0xDF08, /* sent to INTERNAL AUTHENTICATE, and the signature it gave */
       TAG_EV_DDA_SDAD = 0xDF09
};

const struct emv_tag *emv_tag_find(uint32_t tag); /* NULL when the dictionary has none */
enum emv_shown emv_tag_shown(uint32_t tag);
size_t emv_tag_count(void);
const struct emv_tag *emv_tag_at(size_t i); /* in order of tags */

/* The bits of data objects, as the standards number them: byte 1 to n, bit 8 to 1. Those that make
 * up a number or a code of several bits have no name here. */
enum emv_bitmap {
    EMV_BITMAP_AIP,                     /* 82 */
    EMV_BITMAP_AUC,                     /* 9F07 */
    EMV_BITMAP_TVR,                     /* 95, and action codes */
    EMV_BITMAP_TSI,                     /* 9B */
    EMV_BITMAP_TERMINAL_CAPABILITIES,   /* 9F33 */
    EMV_BITMAP_ADDITIONAL_CAPABILITIES, /* 9F40 */
    EMV_BITMAP_CVR_CCD,                 /* in 9F10: Book 3, C9.3 */
    EMV_BITMAP_CSU,                     /* in 91: Book 3, C10 */
    EMV_BITMAP_CVR_VIS,                 /* in 9F10 of 06 */
    EMV_BITMAP_CVR_VIS_MOBILE,          /* in 9F10 of 1F */
    EMV_BITMAP_CVR_MCHIP,               /* in 9F10 of M/Chip */
    EMV_BITMAP_TTQ,                     /* 9F66 */
    EMV_BITMAP_CTQ,                     /* 9F6C */
    EMV_BITMAP_RISK_DATA,               /* 9F1D of Mastercard */
    EMV_BITMAP_AMEX_READER,             /* 9F6E of American Express */
    EMV_BITMAP_FORM_FACTOR,             /* 9F6E of Visa */
    EMV_BITMAPS
};
#define EMV_BITMAP_BYTES 8                                                  /* of the longest */
const char *emv_bit_name(enum emv_bitmap map, unsigned byte, unsigned bit); /* NULL when reserved */

/* In the standard's words, never NULL: a CVM code (Book 3, C3; bits 8 and 7 do not count), its
 * condition code, and the result, which is byte 3 of the CVM Results 9F34 (Book 4, A4). */
const char *emv_cvm_name(uint8_t code);
const char *emv_cvm_condition_name(uint8_t condition);
const char *emv_cvm_result_name(uint8_t result);

#endif
