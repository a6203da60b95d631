/* The second half of emvtags.h: what the bits and codes inside values mean. */
#include "apdu/emvtags.h"

/* [byte - 1][8 - bit]; NULL is reserved, or part of a number. EMV 4.4 Book 3, Annexes C1, C2, C5,
 * C6, C9.3, C10, and Book 4, Annexes A2, A3; EMV Contactless Books A (5.7), C-2 to C-4; M/Chip
 * Requirements and VIS as openemv/emv-utils (src/emv_fields.h) has them. */
static const char *const names[EMV_BITMAPS][EMV_BITMAP_BYTES][8] = {
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
    [EMV_BITMAP_ADDITIONAL_CAPABILITIES] =
        {{"Cash", "Goods", "Services", "Cashback", "Inquiry", "Transfer", "Payment",
          "Administrative"},
         {"Cash deposit"},
         {"Numeric keys", "Alphabetic and special characters keys", "Command keys",
          "Function keys"},
         {"Print or electronic, attendant", "Print or electronic, cardholder", "Display, attendant",
          "Display, cardholder", NULL, NULL, "Code table 10", "Code table 9"},
         {"Code table 8", "Code table 7", "Code table 6", "Code table 5", "Code table 4",
          "Code table 3", "Code table 2", "Code table 1"}},
    [EMV_BITMAP_CVR_CCD] = {{NULL, NULL, NULL, NULL, "CDA performed", "Offline DDA performed",
                             "Issuer authentication not performed", "Issuer authentication failed"},
                            {NULL, NULL, NULL, NULL, "Offline PIN verification performed",
                             "Offline PIN verification performed and PIN not successfully verified",
                             "PIN try limit exceeded", "Last online transaction not completed"},
                            {"Lower offline transaction count limit exceeded",
                             "Upper offline transaction count limit exceeded",
                             "Lower cumulative offline amount limit exceeded",
                             "Upper cumulative offline amount limit exceeded",
                             "Issuer-discretionary bit 1", "Issuer-discretionary bit 2",
                             "Issuer-discretionary bit 3", "Issuer-discretionary bit 4"},
                            {NULL, NULL, NULL, NULL, "Issuer script processing failed",
                             "Offline data authentication failed on previous transaction",
                             "Go online on next transaction was set", "Unable to go online"}},
    [EMV_BITMAP_CSU] = {{"Proprietary authentication data included"},
                        {"Issuer approves online transaction", "Card block", "Application block",
                         "Update PIN try counter", "Set go online on next transaction",
                         "CSU generated by proxy for the issuer"}},
    [EMV_BITMAP_CVR_VIS] = {{NULL, NULL, NULL, NULL, "Issuer authentication performed and failed",
                             "Offline PIN verification performed",
                             "Offline PIN verification failed", "Unable to go online"},
                            {"Last online transaction not completed", "PIN try limit exceeded",
                             "Exceeded velocity checking counters", "New card",
                             "Issuer authentication failure on last online transaction",
                             "Issuer authentication not performed after online authorisation",
                             "Application blocked by card because PIN try limit exceeded",
                             "Offline static data authentication failed on last transaction"},
                            {NULL, NULL, NULL, NULL, "Issuer script processing failed",
                             "Offline dynamic data authentication failed on last transaction",
                             "Offline dynamic data authentication performed",
                             "PIN verification command not received for a PIN-expecting card"}},
    [EMV_BITMAP_CVR_VIS_MOBILE] =
        {{NULL},
         {NULL, NULL, NULL, NULL, "Issuer authentication performed and failed",
          "CDCVM successfully performed", NULL, "Unable to go online"},
         {"Last online transaction not completed", "PIN try limit exceeded",
          "Exceeded velocity checking counters", "New card",
          "Issuer authentication failure on last online transaction",
          "Issuer authentication not performed after online authorisation",
          "Application blocked by card because PIN try limit exceeded",
          "Offline static data authentication failed on last transaction"},
         {NULL, NULL, NULL, NULL, "Issuer script processing failed",
          "Offline dynamic data authentication failed on last transaction",
          "Offline dynamic data authentication performed",
          "PIN verification command not received for a PIN-expecting card"},
         {"Consumer device is not in debug mode", "Consumer device is not rooted",
          "Mobile application is not hooked", "Mobile application integrity is intact",
          "Consumer device has data connectivity", "Consumer device is genuine",
          "CDCVM successfully performed",
          "Secure messaging uses EMV session key-based derivation"}},
    [EMV_BITMAP_CVR_MCHIP] =
        {{NULL, NULL, NULL, NULL, "Date check failed", "Offline PIN verification performed",
          "Offline encrypted PIN verification performed", "Offline PIN verification successful"},
         {"DDA returned", "CDA returned in first GENERATE AC", "CDA returned in second GENERATE AC",
          "Issuer authentication performed", "CIAC default skipped on CAT3",
          "Offline change PIN result successful", "Issuer discretionary", "Issuer discretionary"},
         {NULL},
         {"Last online transaction not completed", "Unable to go online",
          "Offline PIN verification not performed", "Offline PIN verification failed",
          "PIN try limit exceeded", "International transaction", "Domestic transaction",
          "Terminal erroneously considers offline PIN OK"},
         {"Lower consecutive offline or counter 1 limit exceeded",
          "Upper consecutive offline or counter 1 limit exceeded",
          "Lower cumulative offline or accumulator 1 limit exceeded",
          "Upper cumulative offline or accumulator 1 limit exceeded",
          "Go online on next transaction was set", "Issuer authentication failed",
          "Script received", "Script failed"},
         {"Lower consecutive counter 2 limit exceeded",
          "Upper consecutive counter 2 limit exceeded",
          "Lower cumulative accumulator 2 limit exceeded",
          "Upper cumulative accumulator 2 limit exceeded", "MTA limit exceeded",
          "Number of days offline limit exceeded", "Match found in additional check table",
          "No match found in additional check table"}},
    [EMV_BITMAP_TTQ] = {{"Mag-stripe mode supported", NULL, "EMV mode supported",
                         "EMV contact chip supported", "Offline-only reader",
                         "Online PIN supported", "Signature supported",
                         "Offline data authentication for online authorisations supported"},
                        {"Online cryptogram required", "CVM required",
                         "(Contact chip) offline PIN supported"},
                        {"Issuer update processing supported", "Consumer device CVM supported",
                         NULL, NULL, "Consumer device CVM required"},
                        {"fDDA v1.0 supported"}},
    [EMV_BITMAP_CTQ] =
        {{"Online PIN required", "Signature required",
          ("Go online if offline data authentication fails and reader is online capable"),
          ("Switch interface if offline data authentication fails and reader supports contact "
           "chip"),
          "Go online if application expired", "Switch interface for cash transactions",
          "Switch interface for cashback transactions",
          "Not valid for contactless ATM transactions"},
         {"Consumer device CVM performed",
          "Card supports issuer update processing at the point of sale"}},
    [EMV_BITMAP_RISK_DATA] =
        {{"Restart supported", "Enciphered PIN verified online (contactless)",
          "Signature (contactless)", "Enciphered PIN verification performed by ICC (contactless)",
          "No CVM required (contactless)", "CDCVM (contactless)",
          "Plaintext PIN verification performed by ICC (contactless)",
          "Present and hold supported"},
         {"CVM limit exceeded", "Enciphered PIN verified online (contact)", "Signature (contact)",
          "Enciphered PIN verification performed by ICC (contact)", "No CVM required (contact)",
          "CDCVM (contact)", "Plaintext PIN verification performed by ICC (contact)"},
         {"Mag-stripe mode contactless transactions not supported",
          "EMV mode contactless transactions not supported", "CDCVM without CDA supported"},
         {"CDCVM bypass requested", "SCA exempt"}},
    [EMV_BITMAP_AMEX_READER] = {{"Contact mode supported", "Contactless mag-stripe mode supported",
                                 "Contactless EMV full online mode supported",
                                 "Contactless EMV partial online mode supported",
                                 "Contactless mobile supported",
                                 "Try another interface after a decline"},
                                {"Mobile CVM supported", "Online PIN supported",
                                 "Signature supported", "Plaintext offline PIN supported"},
                                {"Reader is offline only", "CVM required"},
                                {"Terminal exempt from no CVM checks",
                                 "Delayed authorisation terminal", "Transit terminal"}},
    [EMV_BITMAP_FORM_FACTOR] = {{NULL},
                                {"Passcode capable", "Signature panel", "Hologram", "CVV2",
                                 "Two-way messaging", "Cloud based payment credentials",
                                 "Biometric cardholder verification capable"}},
};

const char *emv_bit_name(enum emv_bitmap map, unsigned byte, unsigned bit)
{
    if ((unsigned)map >= EMV_BITMAPS || byte < 1 || byte > EMV_BITMAP_BYTES || bit < 1 || bit > 8)
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
