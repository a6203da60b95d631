/* The second half of emvtags.h: what the bits and codes inside values mean. */
#include "apdu/emvtags.h"

/* [byte - 1][8 - bit]; NULL is reserved. EMV 4.4 Book 3, Annexes C1, C2, C5, C6, and Book 4, Annex
 * A2. */
static const char *const names[][5][8] = {
    [EMV_BITMAP_AIP] = {{"XDA supported", "SDA supported", "DDA supported",
                         "Cardholder verification is supported",
                         "Terminal risk management is to be performed",
                         "Issuer authentication is supported", NULL, "CDA supported"}},
    [EMV_BITMAP_AUC] = {{"Valid for domestic cash transactions",
                         "Valid for international cash transactions", "Valid for domestic goods",
                         "Valid for international goods", "Valid for domestic services",
                         "Valid for international services", "Valid at ATMs",
                         "Valid at terminals other than ATMs"},
                        {"Domestic cashback allowed", "International cashback allowed"}},
    [EMV_BITMAP_TVR] =
        {{"Offline data authentication was not performed", "SDA failed", "ICC data missing",
          "Card appears on terminal exception file", "DDA failed", "CDA failed", "SDA selected",
          "XDA selected"},
         {"ICC and terminal have different application versions", "Expired application",
          "Application not yet effective", "Requested service not allowed for card product",
          "New card", NULL, "Biometric performed and successful",
          "Biometric template format not supported"},
         {"Cardholder verification was not successful", "Unrecognised CVM",
          "PIN Try Limit exceeded", "PIN entry required and PIN pad not present or not working",
          "PIN entry required, PIN pad present, but PIN was not entered", "Online CVM captured",
          "Biometric required but Biometric capture device not working",
          ("Biometric required, Biometric capture device present, but Biometric Subtype entry was "
           "bypassed")},
         {"Transaction exceeds floor limit", "Lower consecutive offline limit exceeded",
          "Upper consecutive offline limit exceeded",
          "Transaction selected randomly for online processing",
          "Merchant forced transaction online", "Biometric Try Limit exceeded",
          "A selected Biometric Type not supported", "XDA signature verification failed"},
         {"Default TDOL used", "Issuer authentication failed",
          "Script processing failed before final GENERATE AC",
          "Script processing failed after final GENERATE AC", NULL, "CA ECC key missing",
          "ECC key recovery failed", NULL}},
    [EMV_BITMAP_TSI] =
        {{"Offline data authentication was performed", "Cardholder verification was performed",
          "Card risk management was performed", "Issuer authentication was performed",
          "Terminal risk management was performed", "Script processing was performed"}},
    [EMV_BITMAP_TERMINAL_CAPABILITIES] =
        {{"Manual key entry", "Magnetic stripe", "IC with contacts"},
         {"Plaintext PIN for ICC verification", "Enciphered PIN for online verification",
          "Signature", "Enciphered PIN for offline verification (RSA ODE)", "No CVM required",
          "Online biometric", "Offline biometric",
          "Enciphered PIN for offline verification (ECC ODE)"},
         {"SDA", "DDA", "Card capture", NULL, "CDA", "XDA"}},
};

const char *emv_bit_name(enum emv_bitmap map, unsigned byte, unsigned bit)
{
    if ((unsigned)map >= sizeof(names) / sizeof(names[0]) || byte < 1 || byte > 5 || bit < 1 ||
        bit > 8)
        return NULL;
    return names[map][byte - 1][8 - bit];
}

const char *emv_cvm_name(uint8_t code)
{
    static const char *const methods[0x40] = {
        [0x00] = "Fail CVM processing",
        [0x01] = "Plaintext PIN verification performed by ICC",
        [0x02] = "Enciphered PIN verified online",
        [0x03] = "Plaintext PIN verification performed by ICC and signature",
        [0x04] = "Enciphered PIN verification performed by ICC",
        [0x05] = "Enciphered PIN verification performed by ICC and signature",
        [0x06] = "Facial biometric verified offline by ICC",
        [0x07] = "Facial biometric verified online",
        [0x08] = "Finger biometric verified offline by ICC",
        [0x09] = "Finger biometric verified online",
        [0x0A] = "Palm biometric verified offline by ICC",
        [0x0B] = "Palm biometric verified online",
        [0x0C] = "Iris biometric verified offline by ICC",
        [0x0D] = "Iris biometric verified online",
        [0x0E] = "Voice biometric verified offline by ICC",
        [0x0F] = "Voice biometric verified online",
        [0x1E] = "Signature",
        [0x1F] = "No CVM required",
        [0x3F] = "No CVM performed",
    };
    const uint8_t method = code & 0x3F; /* bit 7 says what follows a failure, bit 8 is reserved */

    if (methods[method] != NULL)
        return methods[method];
    return method < 0x20   ? "Reserved CVM"
           : method < 0x30 ? "CVM of the payment system"
                           : "CVM of the issuer";
}

const char *emv_cvm_condition_name(uint8_t condition)
{
    static const char *const conditions[] = {
        "Always",
        "If unattended cash",
        "If not unattended cash and not manual cash and not purchase with cashback",
        "If terminal supports the CVM",
        "If manual cash",
        "If purchase with cashback",
        "If transaction is in the application currency and is under X value",
        "If transaction is in the application currency and is over X value",
        "If transaction is in the application currency and is under Y value",
        "If transaction is in the application currency and is over Y value",
    };

    if (condition < sizeof(conditions) / sizeof(conditions[0]))
        return conditions[condition];
    return condition < 0x80 ? "Reserved condition" : "Condition of the payment system";
}

const char *emv_cvm_result_name(uint8_t result)
{
    static const char *const results[] = {"Unknown", "Failed", "Successful"};

    return result < sizeof(results) / sizeof(results[0]) ? results[result] : "Reserved result";
}
