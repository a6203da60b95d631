/* The second half of emvtags.h: what the bits and codes inside values mean. */
#include "apdu/emvtags.h"
#include "base/text.h"

/* [byte - 1][8 - bit]; NULL is reserved, or part of a number. EMV 4.4 Book 3, Annexes C1, C2, C5,
 * C6, C9.3, C10, and Book 4, Annexes A2, A3; EMV Contactless Books A (5.7), C-2 to C-4; M/Chip
 * Requirements and VIS as openemv/emv-utils (src/emv_fields.h) has them. */
static const char *const names[EMV_BITMAPS][EMV_BITMAP_BYTES][8] = {
    [EMV_BITMAP_AIP] = {{N_("XDA supported"), N_("SDA supported"), N_("DDA supported"),
                         N_("Cardholder verification is supported"),
                         N_("Terminal risk management is to be performed"),
                         N_("Issuer authentication is supported"), NULL, N_("CDA supported")}},
    [EMV_BITMAP_AUC] = {{N_("Valid for domestic cash transactions"),
                         N_("Valid for international cash transactions"),
                         N_("Valid for domestic goods"), N_("Valid for international goods"),
                         N_("Valid for domestic services"), N_("Valid for international services"),
                         N_("Valid at ATMs"), N_("Valid at terminals other than ATMs")},
                        {N_("Domestic cashback allowed"), N_("International cashback allowed")}},
    [EMV_BITMAP_TVR] =
        {{N_("Offline data authentication was not performed"), N_("SDA failed"),
          N_("ICC data missing"), N_("Card appears on terminal exception file"), N_("DDA failed"),
          N_("CDA failed"), N_("SDA selected"), N_("XDA selected")},
         {N_("ICC and terminal have different application versions"), N_("Expired application"),
          N_("Application not yet effective"), N_("Requested service not allowed for card product"),
          N_("New card"), NULL, N_("Biometric performed and successful"),
          N_("Biometric template format not supported")},
         {N_("Cardholder verification was not successful"), N_("Unrecognised CVM"),
          N_("PIN Try Limit exceeded"),
          N_("PIN entry required and PIN pad not present or not working"),
          N_("PIN entry required, PIN pad present, but PIN was not entered"),
          N_("Online CVM captured"),
          N_("Biometric required but Biometric capture device not working"),
          (N_("Biometric required, Biometric capture device present, but Biometric Subtype "
              "entry was bypassed"))},
         {N_("Transaction exceeds floor limit"), N_("Lower consecutive offline limit exceeded"),
          N_("Upper consecutive offline limit exceeded"),
          N_("Transaction selected randomly for online processing"),
          N_("Merchant forced transaction online"), N_("Biometric Try Limit exceeded"),
          N_("A selected Biometric Type not supported"), N_("XDA signature verification failed")},
         {N_("Default TDOL used"), N_("Issuer authentication failed"),
          N_("Script processing failed before final GENERATE AC"),
          N_("Script processing failed after final GENERATE AC"), NULL, N_("CA ECC key missing"),
          N_("ECC key recovery failed"), NULL}},
    [EMV_BITMAP_TSI] = {{N_("Offline data authentication was performed"),
                         N_("Cardholder verification was performed"),
                         N_("Card risk management was performed"),
                         N_("Issuer authentication was performed"),
                         N_("Terminal risk management was performed"),
                         N_("Script processing was performed")}},
    [EMV_BITMAP_TERMINAL_CAPABILITIES] =
        {{N_("Manual key entry"), N_("Magnetic stripe"), N_("IC with contacts")},
         {N_("Plaintext PIN for ICC verification"), N_("Enciphered PIN for online verification"),
          N_("Signature"), N_("Enciphered PIN for offline verification (RSA ODE)"),
          N_("No CVM required"), N_("Online biometric"), N_("Offline biometric"),
          N_("Enciphered PIN for offline verification (ECC ODE)")},
         {N_("SDA"), N_("DDA"), N_("Card capture"), NULL, N_("CDA"), N_("XDA")}},
    [EMV_BITMAP_ADDITIONAL_CAPABILITIES] =
        {{N_("Cash"), N_("Goods"), N_("Services"), N_("Cashback"), N_("Inquiry"), N_("Transfer"),
          N_("Payment"), N_("Administrative")},
         {N_("Cash deposit")},
         {N_("Numeric keys"), N_("Alphabetic and special characters keys"), N_("Command keys"),
          N_("Function keys")},
         {N_("Print or electronic, attendant"), N_("Print or electronic, cardholder"),
          N_("Display, attendant"), N_("Display, cardholder"), NULL, NULL, N_("Code table 10"),
          N_("Code table 9")},
         {N_("Code table 8"), N_("Code table 7"), N_("Code table 6"), N_("Code table 5"),
          N_("Code table 4"), N_("Code table 3"), N_("Code table 2"), N_("Code table 1")}},
    [EMV_BITMAP_CVR_CCD] =
        {{NULL, NULL, NULL, NULL, N_("CDA performed"), N_("Offline DDA performed"),
          N_("Issuer authentication not performed"), N_("Issuer authentication failed")},
         {NULL, NULL, NULL, NULL, N_("Offline PIN verification performed"),
          N_("Offline PIN verification performed and PIN not successfully verified"),
          N_("PIN try limit exceeded"), N_("Last online transaction not completed")},
         {N_("Lower offline transaction count limit exceeded"),
          N_("Upper offline transaction count limit exceeded"),
          N_("Lower cumulative offline amount limit exceeded"),
          N_("Upper cumulative offline amount limit exceeded"), N_("Issuer-discretionary bit 1"),
          N_("Issuer-discretionary bit 2"), N_("Issuer-discretionary bit 3"),
          N_("Issuer-discretionary bit 4")},
         {NULL, NULL, NULL, NULL, N_("Issuer script processing failed"),
          N_("Offline data authentication failed on previous transaction"),
          N_("Go online on next transaction was set"), N_("Unable to go online")}},
    [EMV_BITMAP_CSU] = {{N_("Proprietary authentication data included")},
                        {N_("Issuer approves online transaction"), N_("Card block"),
                         N_("Application block"), N_("Update PIN try counter"),
                         N_("Set go online on next transaction"),
                         N_("CSU generated by proxy for the issuer")}},
    [EMV_BITMAP_CVR_VIS] = {{NULL, NULL, NULL, NULL,
                             N_("Issuer authentication performed and failed"),
                             N_("Offline PIN verification performed"),
                             N_("Offline PIN verification failed"), N_("Unable to go online")},
                            {N_("Last online transaction not completed"),
                             N_("PIN try limit exceeded"),
                             N_("Exceeded velocity checking counters"), N_("New card"),
                             N_("Issuer authentication failure on last online transaction"),
                             N_("Issuer authentication not performed after online authorisation"),
                             N_("Application blocked by card because PIN try limit exceeded"),
                             N_("Offline static data authentication failed on last transaction")},
                            {NULL, NULL, NULL, NULL, N_("Issuer script processing failed"),
                             N_("Offline dynamic data authentication failed on last transaction"),
                             N_("Offline dynamic data authentication performed"),
                             N_("PIN verification command not received for a PIN-expecting card")}},
    [EMV_BITMAP_CVR_VIS_MOBILE] =
        {{NULL},
         {NULL, NULL, NULL, NULL, N_("Issuer authentication performed and failed"),
          N_("CDCVM successfully performed"), NULL, N_("Unable to go online")},
         {N_("Last online transaction not completed"), N_("PIN try limit exceeded"),
          N_("Exceeded velocity checking counters"), N_("New card"),
          N_("Issuer authentication failure on last online transaction"),
          N_("Issuer authentication not performed after online authorisation"),
          N_("Application blocked by card because PIN try limit exceeded"),
          N_("Offline static data authentication failed on last transaction")},
         {NULL, NULL, NULL, NULL, N_("Issuer script processing failed"),
          N_("Offline dynamic data authentication failed on last transaction"),
          N_("Offline dynamic data authentication performed"),
          N_("PIN verification command not received for a PIN-expecting card")},
         {N_("Consumer device is not in debug mode"), N_("Consumer device is not rooted"),
          N_("Mobile application is not hooked"), N_("Mobile application integrity is intact"),
          N_("Consumer device has data connectivity"), N_("Consumer device is genuine"),
          N_("CDCVM successfully performed"),
          N_("Secure messaging uses EMV session key-based derivation")}},
    [EMV_BITMAP_CVR_MCHIP] =
        {{NULL, NULL, NULL, NULL, N_("Date check failed"), N_("Offline PIN verification performed"),
          N_("Offline encrypted PIN verification performed"),
          N_("Offline PIN verification successful")},
         {N_("DDA returned"), N_("CDA returned in first GENERATE AC"),
          N_("CDA returned in second GENERATE AC"), N_("Issuer authentication performed"),
          N_("CIAC default skipped on CAT3"), N_("Offline change PIN result successful"),
          N_("Issuer discretionary"), N_("Issuer discretionary")},
         {NULL},
         {N_("Last online transaction not completed"), N_("Unable to go online"),
          N_("Offline PIN verification not performed"), N_("Offline PIN verification failed"),
          N_("PIN try limit exceeded"), N_("International transaction"), N_("Domestic transaction"),
          N_("Terminal erroneously considers offline PIN OK")},
         {N_("Lower consecutive offline or counter 1 limit exceeded"),
          N_("Upper consecutive offline or counter 1 limit exceeded"),
          N_("Lower cumulative offline or accumulator 1 limit exceeded"),
          N_("Upper cumulative offline or accumulator 1 limit exceeded"),
          N_("Go online on next transaction was set"), N_("Issuer authentication failed"),
          N_("Script received"), N_("Script failed")},
         {N_("Lower consecutive counter 2 limit exceeded"),
          N_("Upper consecutive counter 2 limit exceeded"),
          N_("Lower cumulative accumulator 2 limit exceeded"),
          N_("Upper cumulative accumulator 2 limit exceeded"), N_("MTA limit exceeded"),
          N_("Number of days offline limit exceeded"), N_("Match found in additional check table"),
          N_("No match found in additional check table")}},
    [EMV_BITMAP_TTQ] = {{N_("Mag-stripe mode supported"), NULL, N_("EMV mode supported"),
                         N_("EMV contact chip supported"), N_("Offline-only reader"),
                         N_("Online PIN supported"), N_("Signature supported"),
                         N_("Offline data authentication for online authorisations supported")},
                        {N_("Online cryptogram required"), N_("CVM required"),
                         N_("(Contact chip) offline PIN supported")},
                        {N_("Issuer update processing supported"),
                         N_("Consumer device CVM supported"), NULL, NULL,
                         N_("Consumer device CVM required")},
                        {N_("fDDA v1.0 supported")}},
    [EMV_BITMAP_CTQ] =
        {{N_("Online PIN required"), N_("Signature required"),
          N_("Go online if offline data authentication fails and reader is online capable"),
          (N_("Switch interface if offline data authentication fails and reader supports contact "
              "chip")),
          N_("Go online if application expired"), N_("Switch interface for cash transactions"),
          N_("Switch interface for cashback transactions"),
          N_("Not valid for contactless ATM transactions")},
         {N_("Consumer device CVM performed"),
          N_("Card supports issuer update processing at the point of sale")}},
    [EMV_BITMAP_RISK_DATA] =
        {{N_("Restart supported"), N_("Enciphered PIN verified online (contactless)"),
          N_("Signature (contactless)"),
          N_("Enciphered PIN verification performed by ICC (contactless)"),
          N_("No CVM required (contactless)"), N_("CDCVM (contactless)"),
          N_("Plaintext PIN verification performed by ICC (contactless)"),
          N_("Present and hold supported")},
         {N_("CVM limit exceeded"), N_("Enciphered PIN verified online (contact)"),
          N_("Signature (contact)"), N_("Enciphered PIN verification performed by ICC (contact)"),
          N_("No CVM required (contact)"), N_("CDCVM (contact)"),
          N_("Plaintext PIN verification performed by ICC (contact)")},
         {N_("Mag-stripe mode contactless transactions not supported"),
          N_("EMV mode contactless transactions not supported"), N_("CDCVM without CDA supported")},
         {N_("CDCVM bypass requested"), N_("SCA exempt")}},
    [EMV_BITMAP_AMEX_READER] = {{N_("Contact mode supported"),
                                 N_("Contactless mag-stripe mode supported"),
                                 N_("Contactless EMV full online mode supported"),
                                 N_("Contactless EMV partial online mode supported"),
                                 N_("Contactless mobile supported"),
                                 N_("Try another interface after a decline")},
                                {N_("Mobile CVM supported"), N_("Online PIN supported"),
                                 N_("Signature supported"), N_("Plaintext offline PIN supported")},
                                {N_("Reader is offline only"), N_("CVM required")},
                                {N_("Terminal exempt from no CVM checks"),
                                 N_("Delayed authorisation terminal"), N_("Transit terminal")}},
    [EMV_BITMAP_FORM_FACTOR] = {{NULL},
                                {N_("Passcode capable"), N_("Signature panel"), N_("Hologram"),
                                 N_("CVV2"), N_("Two-way messaging"),
                                 N_("Cloud based payment credentials"),
                                 N_("Biometric cardholder verification capable")}},
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
        [0x00] = N_("Fail CVM processing"),
        [0x01] = N_("Plaintext PIN verification performed by ICC"),
        [0x02] = N_("Enciphered PIN verified online"),
        [0x03] = N_("Plaintext PIN verification performed by ICC and signature"),
        [0x04] = N_("Enciphered PIN verification performed by ICC"),
        [0x05] = N_("Enciphered PIN verification performed by ICC and signature"),
        [0x06] = N_("Facial biometric verified offline by ICC"),
        [0x07] = N_("Facial biometric verified online"),
        [0x08] = N_("Finger biometric verified offline by ICC"),
        [0x09] = N_("Finger biometric verified online"),
        [0x0A] = N_("Palm biometric verified offline by ICC"),
        [0x0B] = N_("Palm biometric verified online"),
        [0x0C] = N_("Iris biometric verified offline by ICC"),
        [0x0D] = N_("Iris biometric verified online"),
        [0x0E] = N_("Voice biometric verified offline by ICC"),
        [0x0F] = N_("Voice biometric verified online"),
        [0x1E] = N_("Signature"),
        [0x1F] = N_("No CVM required"),
        [0x3F] = N_("No CVM performed"),
    };
    const uint8_t method = code & 0x3F; /* bit 7 says what follows a failure, bit 8 is reserved */

    if (methods[method] != NULL)
        return methods[method];
    return method < 0x20   ? N_("Reserved CVM")
           : method < 0x30 ? N_("CVM of the payment system")
                           : N_("CVM of the issuer");
}

const char *emv_cvm_condition_name(uint8_t condition)
{
    static const char *const conditions[] = {
        N_("Always"),
        N_("If unattended cash"),
        N_("If not unattended cash and not manual cash and not purchase with cashback"),
        N_("If terminal supports the CVM"),
        N_("If manual cash"),
        N_("If purchase with cashback"),
        N_("If transaction is in the application currency and is under X value"),
        N_("If transaction is in the application currency and is over X value"),
        N_("If transaction is in the application currency and is under Y value"),
        N_("If transaction is in the application currency and is over Y value"),
    };

    if (condition < sizeof(conditions) / sizeof(conditions[0]))
        return conditions[condition];
    return condition < 0x80 ? N_("Reserved condition") : N_("Condition of the payment system");
}

const char *emv_cvm_result_name(uint8_t result)
{
    static const char *const results[] = {N_("Unknown"), N_("Failed"), N_("Successful")};

    return result < sizeof(results) / sizeof(results[0]) ? results[result] : N_("Reserved result");
}
