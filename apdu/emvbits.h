/* The numbers of EMV, each with its one name: codes and bits inside the values of data objects and
 * of P1 and P2. Their words stand in emvtags.h, status words in sw.h. The Books are EMV 4.4. */
#ifndef TP_APDU_EMVBITS_H
#define TP_APDU_EMVBITS_H

#include <stdbool.h>
#include <stdint.h>

/* ---- cardholder verification ---- */

enum {                  /* CVM code, byte 1 of a rule of 8E and of 9F34: Book 3, C3, table 43 */
       CVM_CODE = 0x3F, /* mask: bits 6-1 */
       CVM_APPLY_NEXT = 0x40, /* apply the succeeding rule if this CVM is unsuccessful */
       CVM_FAIL = 0x00,
       CVM_PLAINTEXT_PIN = 0x01,
       CVM_ONLINE_PIN = 0x02, /* enciphered */
       CVM_PLAINTEXT_PIN_SIGNATURE = 0x03,
       CVM_ENCIPHERED_PIN = 0x04,
       CVM_ENCIPHERED_PIN_SIGNATURE = 0x05,
       CVM_FACIAL_OFFLINE = 0x06, /* the first biometric one */
       CVM_VOICE_ONLINE = 0x0F,   /* the last */
       CVM_SIGNATURE = 0x1E,
       CVM_NONE_REQUIRED = 0x1F,
       CVM_NONE_PERFORMED = 0x3F /* byte 1 of 9F34 alone: Book 4, 6.3.4.5 */
};

enum { /* CVM condition code, byte 2: Book 3, C3, table 44 */
       CVM_ALWAYS = 0x00,
       CVM_IF_UNATTENDED_CASH = 0x01,
       CVM_IF_NO_CASH = 0x02, /* not unattended cash, manual cash or purchase with cashback */
       CVM_IF_SUPPORTED = 0x03,
       CVM_IF_MANUAL_CASH = 0x04,
       CVM_IF_CASHBACK = 0x05,
       CVM_IF_UNDER_X = 0x06, /* these four: and in the application's currency */
       CVM_IF_OVER_X = 0x07,
       CVM_IF_UNDER_Y = 0x08,
       CVM_IF_OVER_Y = 0x09
};

enum { /* CVM result, byte 3 of 9F34: Book 4, A4 */
       CVM_RESULT_UNKNOWN = 0,
       CVM_RESULT_FAILED = 1,
       CVM_RESULT_SUCCESSFUL = 2
};

enum { /* P2 of VERIFY, the qualifier of the reference data: Book 3, 6.5.12.2 */
       VERIFY_PLAINTEXT_PIN = 0x80,
       VERIFY_ENCIPHERED_PIN = 0x88
};
#define ENCIPHERED_PIN_HEADER 0x7F /* first byte of what is enciphered: Book 2, 7.2 */

/* ---- selecting and reading ---- */

enum { /* P1 of SELECT and its P2, first or only occurrence, or next: Book 1, 11.3.2 */
       SELECT_BY_NAME = 0x04,
       SELECT_FIRST = 0x00,
       SELECT_NEXT = 0x02
};
#define RECORD_BY_NUMBER 0x04 /* bits 3-1 of P2 of READ RECORD: Book 3, 6.5.11.2, table 22 */

/* ---- application cryptograms ---- */

/* Bits 8-7 of P1 of GENERATE AC (Book 3, 6.5.5.2, table 12) and of 9F27 (6.5.5.4, table 15). */
enum ac_type { AC_AAC = 0x00, AC_TC = 0x40, AC_ARQC = 0x80 };
enum {
    AC_TYPE = 0xC0, /* mask */
    AC_CDA = 0x10,  /* P1 alone, bits 5-4: CDA signature requested */
    AC_XDA = 0x08   /* P1 alone, bits 5-4: XDA signature requested */
};

/* ---- bits ---- */

enum { /* Application Interchange Profile, 82, byte 1: Book 3, C1 */
       AIP_XDA = 0x80,
       AIP_SDA = 0x40,
       AIP_DDA = 0x20,
       AIP_CVM = 0x10,
       AIP_TERMINAL_RISK = 0x08,
       AIP_ISSUER_AUTHENTICATION = 0x04, /* by EXTERNAL AUTHENTICATE */
       AIP_CDA = 0x01
};

enum { /* Application Usage Control, 9F07: Book 3, C2; the international bit stands right of the
          domestic one */
       AUC_CASH = 0x80,
       AUC_GOODS = 0x20,
       AUC_SERVICES = 0x08,
       AUC_ATM = 0x02,
       AUC_NOT_ATM = 0x01,
       AUC2_CASHBACK = 0x80 /* byte 2 */
};

enum { /* Terminal Verification Results, 95: Book 3, C5; byte index in the high byte, mask in the
          low one, so that those of one byte may be joined */
       TVR_ODA_NOT_PERFORMED = 0x080,
       TVR_SDA_FAILED = 0x040,
       TVR_ICC_DATA_MISSING = 0x020,
       TVR_EXCEPTION_FILE = 0x010,
       TVR_DDA_FAILED = 0x008,
       TVR_CDA_FAILED = 0x004,
       TVR_SDA_SELECTED = 0x002,
       TVR_XDA_SELECTED = 0x001,
       TVR_VERSIONS_DIFFER = 0x180,
       TVR_EXPIRED = 0x140,
       TVR_NOT_YET_EFFECTIVE = 0x120,
       TVR_SERVICE_NOT_ALLOWED = 0x110,
       TVR_NEW_CARD = 0x108,
       TVR_CVM_FAILED = 0x280,
       TVR_CVM_UNKNOWN = 0x240,
       TVR_PIN_TRIES_EXCEEDED = 0x220,
       TVR_PIN_NO_PAD = 0x210,
       TVR_PIN_NOT_ENTERED = 0x208,
       TVR_FLOOR_LIMIT = 0x380,
       TVR_LOWER_LIMIT = 0x340,
       TVR_UPPER_LIMIT = 0x320,
       TVR_RANDOM = 0x310,
       TVR_FORCED_ONLINE = 0x308,
       TVR_BIOMETRIC_TYPE = 0x302,
       TVR_XDA_SIGNATURE_FAILED = 0x301,
       TVR_DEFAULT_TDOL = 0x480,
       TVR_ISSUER_AUTHENTICATION_FAILED = 0x440,
       TVR_SCRIPT_FAILED_BEFORE = 0x420,
       TVR_SCRIPT_FAILED_AFTER = 0x410,
       TVR_CA_ECC_KEY_MISSING = 0x404,
       TVR_ECC_KEY_RECOVERY_FAILED = 0x402
};

/* Any of the bits, which are of one byte. */
static inline bool tvr_has(const uint8_t tvr[5], unsigned bits)
{
    return (tvr[bits >> 8] & bits & 0xFF) != 0;
}

/* Any of the three ways in which XDA fails: Book 4, 6.3.2.2. */
static inline bool tvr_xda_failed(const uint8_t tvr[5])
{
    return tvr_has(tvr, TVR_XDA_SIGNATURE_FAILED) ||
           tvr_has(tvr, TVR_CA_ECC_KEY_MISSING | TVR_ECC_KEY_RECOVERY_FAILED);
}

enum { /* Transaction Status Information, 9B, byte 1: Book 3, C6 */
       TSI_ODA = 0x80,
       TSI_CVM = 0x40,
       TSI_CARD_RISK = 0x20,
       TSI_ISSUER_AUTHENTICATION = 0x10,
       TSI_TERMINAL_RISK = 0x08,
       TSI_SCRIPT = 0x04
};

enum { /* Terminal Capabilities, 9F33, bytes 1 to 3: Book 4, A2 */
       CAP1_CONTACTS = 0x20,
       CAP2_PLAINTEXT_PIN = 0x80,
       CAP2_ONLINE_PIN = 0x40,
       CAP2_SIGNATURE = 0x20,
       CAP2_ENCIPHERED_PIN = 0x10, /* offline, by RSA */
       CAP2_NO_CVM = 0x08,
       CAP2_ODE = 0x01, /* enciphered PIN, offline, by elliptic curves */
       CAP3_SDA = 0x80,
       CAP3_DDA = 0x40,
       CAP3_CDA = 0x08,
       CAP3_XDA = 0x04
};

enum { /* Additional Terminal Capabilities, 9F40, bytes 1 and 5: Book 4, A3 */
       ADDITIONAL_CASH = 0x80,
       ADDITIONAL_GOODS = 0x40,
       ADDITIONAL_SERVICES = 0x20,
       ADDITIONAL5_CODE_TABLE_1 = 0x01 /* ISO/IEC 8859-1 */
};

/* ---- the transaction ---- */

enum {                       /* Issuer Script Results, bits 8-5 of byte 1: Book 4, A5 */
       SCRIPT_RESULT = 0xF0, /* mask; bits 4-1: which command failed */
       SCRIPT_RESULT_NOT_PERFORMED = 0x00,
       SCRIPT_RESULT_FAILED = 0x10,
       SCRIPT_RESULT_SUCCESSFUL = 0x20
};

enum { /* Transaction Type, 9C: the first two digits of ISO 8583's processing code: Book 3, A1 */
       TYPE_PURCHASE = 0x00,
       TYPE_CASH = 0x01,
       TYPE_CASHBACK = 0x09,
       TYPE_REFUND = 0x20
};

#endif
