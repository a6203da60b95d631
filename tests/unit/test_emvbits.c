/* The names of apdu/emvbits.h against the Books: byte, bits as the tables print them ('x' is any)
 * and meaning, written down from EMV 4.4 and not from the header. */
#include "unit.h"

#include "apdu/emvbits.h"
#include "apdu/emvtags.h"

struct row {
    unsigned value;   /* of the header */
    unsigned byte;    /* 1 is leftmost */
    const char *bits; /* b8 to b1 */
    const char *meaning;
};

/* The bits that a table prints as 1. */
static unsigned ones(const char *bits)
{
    unsigned v = 0;

    ck_assert_uint_eq(strlen(bits), 8);
    for (size_t i = 0; i < 8; i++)
        v = v << 1 | (bits[i] == '1');
    return v;
}

/* Each row is one bit, has the standard's mask, and that bit has the standard's name. */
static void bits_are(enum emv_bitmap map, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned mask = ones(rows[i].bits);
        unsigned bit = 1;

        while (bit < 8 && mask != 1U << (bit - 1))
            bit++;
        ck_assert_msg(mask == 1U << (bit - 1), "%s", rows[i].meaning);
        ck_assert_msg(rows[i].value == mask, "%s", rows[i].meaning);
        ck_assert_ptr_nonnull(emv_bit_name(map, rows[i].byte, bit));
        ck_assert_str_eq(emv_bit_name(map, rows[i].byte, bit), rows[i].meaning);
    }
}

#define BITS_ARE(map, rows) bits_are(map, rows, sizeof(rows) / sizeof((rows)[0]))

START_TEST(application_interchange_profile) /* Book 3, table 41 */
    {
        static const struct row rows[] = {
            {AIP_XDA, 1, "1xxxxxxx", "XDA supported"},
            {AIP_SDA, 1, "x1xxxxxx", "SDA supported"},
            {AIP_DDA, 1, "xx1xxxxx", "DDA supported"},
            {AIP_CVM, 1, "xxx1xxxx", "Cardholder verification is supported"},
            {AIP_TERMINAL_RISK, 1, "xxxx1xxx", "Terminal risk management is to be performed"},
            {AIP_ISSUER_AUTHENTICATION, 1, "xxxxx1xx", "Issuer authentication is supported"},
            {AIP_CDA, 1, "xxxxxxx1", "CDA supported"},
        };

        BITS_ARE(EMV_BITMAP_AIP, rows);
    }
END_TEST

START_TEST(application_usage_control) /* Book 3, table 42 */
    {
        static const struct row rows[] = {
            {AUC_CASH, 1, "1xxxxxxx", "Valid for domestic cash transactions"},
            {AUC_CASH >> 1, 1, "x1xxxxxx", "Valid for international cash transactions"},
            {AUC_GOODS, 1, "xx1xxxxx", "Valid for domestic goods"},
            {AUC_GOODS >> 1, 1, "xxx1xxxx", "Valid for international goods"},
            {AUC_SERVICES, 1, "xxxx1xxx", "Valid for domestic services"},
            {AUC_SERVICES >> 1, 1, "xxxxx1xx", "Valid for international services"},
            {AUC_ATM, 1, "xxxxxx1x", "Valid at ATMs"},
            {AUC_NOT_ATM, 1, "xxxxxxx1", "Valid at terminals other than ATMs"},
            {AUC2_CASHBACK, 2, "1xxxxxxx", "Domestic cashback allowed"},
            {AUC2_CASHBACK >> 1, 2, "x1xxxxxx", "International cashback allowed"},
        };

        BITS_ARE(EMV_BITMAP_AUC, rows);
    }
END_TEST

static const struct row tvr_rows[] = {
    /* Book 3, table 46 */
    {TVR_ODA_NOT_PERFORMED, 1, "1xxxxxxx", "Offline data authentication was not performed"},
    {TVR_SDA_FAILED, 1, "x1xxxxxx", "SDA failed"},
    {TVR_ICC_DATA_MISSING, 1, "xx1xxxxx", "ICC data missing"},
    {TVR_EXCEPTION_FILE, 1, "xxx1xxxx", "Card appears on terminal exception file"},
    {TVR_DDA_FAILED, 1, "xxxx1xxx", "DDA failed"},
    {TVR_CDA_FAILED, 1, "xxxxx1xx", "CDA failed"},
    {TVR_SDA_SELECTED, 1, "xxxxxx1x", "SDA selected"},
    {TVR_XDA_SELECTED, 1, "xxxxxxx1", "XDA selected"},
    {TVR_VERSIONS_DIFFER, 2, "1xxxxxxx", "ICC and terminal have different application versions"},
    {TVR_EXPIRED, 2, "x1xxxxxx", "Expired application"},
    {TVR_NOT_YET_EFFECTIVE, 2, "xx1xxxxx", "Application not yet effective"},
    {TVR_SERVICE_NOT_ALLOWED, 2, "xxx1xxxx", "Requested service not allowed for card product"},
    {TVR_NEW_CARD, 2, "xxxx1xxx", "New card"},
    {TVR_CVM_FAILED, 3, "1xxxxxxx", "Cardholder verification was not successful"},
    {TVR_CVM_UNKNOWN, 3, "x1xxxxxx", "Unrecognised CVM"},
    {TVR_PIN_TRIES_EXCEEDED, 3, "xx1xxxxx", "PIN Try Limit exceeded"},
    {TVR_PIN_NO_PAD, 3, "xxx1xxxx", "PIN entry required and PIN pad not present or not working"},
    {TVR_PIN_NOT_ENTERED, 3, "xxxx1xxx",
     "PIN entry required, PIN pad present, but PIN was not entered"},
    {TVR_FLOOR_LIMIT, 4, "1xxxxxxx", "Transaction exceeds floor limit"},
    {TVR_LOWER_LIMIT, 4, "x1xxxxxx", "Lower consecutive offline limit exceeded"},
    {TVR_UPPER_LIMIT, 4, "xx1xxxxx", "Upper consecutive offline limit exceeded"},
    {TVR_RANDOM, 4, "xxx1xxxx", "Transaction selected randomly for online processing"},
    {TVR_BIOMETRIC_TYPE, 4, "xxxxxx1x", "A selected Biometric Type not supported"},
    {TVR_XDA_SIGNATURE_FAILED, 4, "xxxxxxx1", "XDA signature verification failed"},
    {TVR_DEFAULT_TDOL, 5, "1xxxxxxx", "Default TDOL used"},
    {TVR_ISSUER_AUTHENTICATION_FAILED, 5, "x1xxxxxx", "Issuer authentication failed"},
    {TVR_SCRIPT_FAILED_BEFORE, 5, "xx1xxxxx", "Script processing failed before final GENERATE AC"},
    {TVR_SCRIPT_FAILED_AFTER, 5, "xxx1xxxx", "Script processing failed after final GENERATE AC"},
    {TVR_CA_ECC_KEY_MISSING, 5, "xxxxx1xx", "CA ECC key missing"},
    {TVR_ECC_KEY_RECOVERY_FAILED, 5, "xxxxxx1x", "ECC key recovery failed"},
};

START_TEST(terminal_verification_results)
    {
        for (size_t i = 0; i < sizeof(tvr_rows) / sizeof(tvr_rows[0]); i++) {
            struct row row = tvr_rows[i];

            ck_assert_uint_eq(row.value >> 8, row.byte - 1); /* index, then mask */
            row.value &= 0xFF;
            bits_are(EMV_BITMAP_TVR, &row, 1);
        }
    }
END_TEST

/* A bit is found in its own byte and nowhere else. */
START_TEST(a_bit_is_looked_for_in_its_byte)
    {
        for (size_t i = 0; i < sizeof(tvr_rows) / sizeof(tvr_rows[0]); i++) {
            const struct row *row = &tvr_rows[i];
            uint8_t tvr[5] = {0}, others[5] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

            tvr[row->byte - 1] = (uint8_t)ones(row->bits);
            others[row->byte - 1] = (uint8_t)~ones(row->bits);
            ck_assert_msg(tvr_has(tvr, row->value), "%s", row->meaning);
            ck_assert_msg(!tvr_has(others, row->value), "%s", row->meaning);
        }
        ck_assert(tvr_has((const uint8_t[]){0x08, 0, 0, 0, 0}, TVR_SDA_FAILED | TVR_DDA_FAILED));
        ck_assert(!tvr_has((const uint8_t[]){0x04, 0, 0, 0, 0}, TVR_SDA_FAILED | TVR_DDA_FAILED));
        ck_assert(tvr_has((const uint8_t[]){0, 0, 0x08, 0, 0},
                          TVR_PIN_TRIES_EXCEEDED | TVR_PIN_NO_PAD | TVR_PIN_NOT_ENTERED));
    }
END_TEST

START_TEST(transaction_status_information) /* Book 3, table 47 */
    {
        static const struct row rows[] = {
            {TSI_ODA, 1, "1xxxxxxx", "Offline data authentication was performed"},
            {TSI_CVM, 1, "x1xxxxxx", "Cardholder verification was performed"},
            {TSI_CARD_RISK, 1, "xx1xxxxx", "Card risk management was performed"},
            {TSI_ISSUER_AUTHENTICATION, 1, "xxx1xxxx", "Issuer authentication was performed"},
            {TSI_TERMINAL_RISK, 1, "xxxx1xxx", "Terminal risk management was performed"},
            {TSI_SCRIPT, 1, "xxxxx1xx", "Script processing was performed"},
        };

        BITS_ARE(EMV_BITMAP_TSI, rows);
    }
END_TEST

START_TEST(terminal_capabilities) /* Book 4, tables 25 to 27, 28, 32 */
    {
        static const struct row rows[] = {
            {CAP1_CONTACTS, 1, "xx1xxxxx", "IC with contacts"},
            {CAP2_PLAINTEXT_PIN, 2, "1xxxxxxx", "Plaintext PIN for ICC verification"},
            {CAP2_ONLINE_PIN, 2, "x1xxxxxx", "Enciphered PIN for online verification"},
            {CAP2_SIGNATURE, 2, "xx1xxxxx", "Signature"},
            {CAP2_ENCIPHERED_PIN, 2, "xxx1xxxx",
             "Enciphered PIN for offline verification (RSA ODE)"},
            {CAP2_NO_CVM, 2, "xxxx1xxx", "No CVM required"},
            {CAP2_ODE, 2, "xxxxxxx1", "Enciphered PIN for offline verification (ECC ODE)"},
            {CAP3_SDA, 3, "1xxxxxxx", "SDA"},
            {CAP3_DDA, 3, "x1xxxxxx", "DDA"},
            {CAP3_CDA, 3, "xxxx1xxx", "CDA"},
            {CAP3_XDA, 3, "xxxxx1xx", "XDA"},
        };

        BITS_ARE(EMV_BITMAP_TERMINAL_CAPABILITIES, rows);
        ck_assert_uint_eq(ADDITIONAL_CASH, 0x80);
        ck_assert_uint_eq(ADDITIONAL_GOODS, 0x40);
        ck_assert_uint_eq(ADDITIONAL_SERVICES, 0x20);
        ck_assert_uint_eq(ADDITIONAL5_CODE_TABLE_1, 0x01);
    }
END_TEST

START_TEST(cardholder_verification) /* Book 3, tables 43 and 44; Book 4, table 33 */
    {
        static const struct row codes[] = {
            {CVM_FAIL, 1, "xx000000", "Fail CVM processing"},
            {CVM_PLAINTEXT_PIN, 1, "xx000001", "Plaintext PIN verification performed by ICC"},
            {CVM_ONLINE_PIN, 1, "xx000010", "Enciphered PIN verified online"},
            {CVM_PLAINTEXT_PIN_SIGNATURE, 1, "xx000011",
             "Plaintext PIN verification performed by ICC and signature"},
            {CVM_ENCIPHERED_PIN, 1, "xx000100", "Enciphered PIN verification performed by ICC"},
            {CVM_ENCIPHERED_PIN_SIGNATURE, 1, "xx000101",
             "Enciphered PIN verification performed by ICC and signature"},
            {CVM_FACIAL_OFFLINE, 1, "xx000110", "Facial biometric verified offline by ICC"},
            {CVM_VOICE_ONLINE, 1, "xx001111", "Voice biometric verified online"},
            {CVM_SIGNATURE, 1, "xx011110", "Signature"},
            {CVM_NONE_REQUIRED, 1, "xx011111", "No CVM required"},
            {CVM_NONE_PERFORMED, 1, "xx111111", "No CVM performed"},
        };
        static const unsigned conditions[] = {
            CVM_ALWAYS,         CVM_IF_UNATTENDED_CASH, CVM_IF_NO_CASH, CVM_IF_SUPPORTED,
            CVM_IF_MANUAL_CASH, CVM_IF_CASHBACK,        CVM_IF_UNDER_X, CVM_IF_OVER_X,
            CVM_IF_UNDER_Y,     CVM_IF_OVER_Y}; /* 00 to 09, as the table has them */

        for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
            ck_assert_msg(codes[i].value == ones(codes[i].bits), "%s", codes[i].meaning);
            ck_assert_str_eq(emv_cvm_name((uint8_t)codes[i].value), codes[i].meaning);
        }
        ck_assert_uint_eq(CVM_CODE, ones("xx111111"));
        ck_assert_uint_eq(CVM_APPLY_NEXT, ones("x1xxxxxx"));
        for (unsigned i = 0; i < 10; i++)
            ck_assert_uint_eq(conditions[i], i);
        ck_assert_uint_eq(CVM_RESULT_UNKNOWN, 0);
        ck_assert_uint_eq(CVM_RESULT_FAILED, 1);
        ck_assert_uint_eq(CVM_RESULT_SUCCESSFUL, 2);
    }
END_TEST

START_TEST(commands_and_their_results)
    {
        ck_assert_uint_eq(AC_AAC, ones("00xxxxxx")); /* Book 3, tables 12 and 15 */
        ck_assert_uint_eq(AC_TC, ones("01xxxxxx"));
        ck_assert_uint_eq(AC_ARQC, ones("10xxxxxx"));
        ck_assert_uint_eq(AC_TYPE, ones("11xxxxxx"));
        ck_assert_uint_eq(AC_CDA, ones("xxx10xxx"));
        ck_assert_uint_eq(AC_XDA, ones("xxx01xxx"));
        ck_assert_uint_eq(VERIFY_PLAINTEXT_PIN, ones("10000000")); /* Book 3, table 24 */
        ck_assert_uint_eq(VERIFY_ENCIPHERED_PIN, ones("10001000"));
        ck_assert_uint_eq(ENCIPHERED_PIN_HEADER, 0x7F);      /* Book 2, 7.2 */
        ck_assert_uint_eq(SELECT_BY_NAME, ones("00000100")); /* Book 1, 11.3.2 */
        ck_assert_uint_eq(SELECT_FIRST, ones("xxxxxx00"));
        ck_assert_uint_eq(SELECT_NEXT, ones("xxxxxx10"));
        ck_assert_uint_eq(RECORD_BY_NUMBER, ones("xxxxx100")); /* Book 3, table 22 */
        ck_assert_uint_eq(SCRIPT_RESULT, 0xF0);
        ck_assert_uint_eq(SCRIPT_RESULT_NOT_PERFORMED, 0x00); /* Book 4, table 34 */
        ck_assert_uint_eq(SCRIPT_RESULT_FAILED, 0x10);
        ck_assert_uint_eq(SCRIPT_RESULT_SUCCESSFUL, 0x20);
        ck_assert_uint_eq(TYPE_PURCHASE, 0x00); /* ISO 8583:1987, processing code, two digits */
        ck_assert_uint_eq(TYPE_CASH, 0x01);
        ck_assert_uint_eq(TYPE_CASHBACK, 0x09);
        ck_assert_uint_eq(TYPE_REFUND, 0x20);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("emvbits");
    TCase *c = tcase_create("emvbits");

    tcase_add_test(c, application_interchange_profile);
    tcase_add_test(c, application_usage_control);
    tcase_add_test(c, terminal_verification_results);
    tcase_add_test(c, a_bit_is_looked_for_in_its_byte);
    tcase_add_test(c, transaction_status_information);
    tcase_add_test(c, terminal_capabilities);
    tcase_add_test(c, cardholder_verification);
    tcase_add_test(c, commands_and_their_results);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
