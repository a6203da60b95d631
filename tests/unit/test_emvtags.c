/* The dictionary: sorted, unique, and what it says. */
#include "unit.h"

#include "apdu/emvtags.h"
#include "apdu/tlv.h"

START_TEST(the_table_is_sorted_and_unique)
    {
        for (size_t i = 1; i < emv_tag_count(); i++)
            ck_assert_uint_lt(emv_tag_at(i - 1)->tag, emv_tag_at(i)->tag);
        ck_assert_ptr_null(emv_tag_at(emv_tag_count()));
    }
END_TEST

START_TEST(every_tag_code_speaks_of_is_known)
    {
        static const uint32_t all[] = {
            TAG_IIN,
            TAG_AID,
            TAG_APP_LABEL,
            TAG_TRACK2,
            TAG_PAN,
            TAG_APP_TEMPLATE,
            TAG_FCI,
            TAG_RECORD,
            TAG_SCRIPT_71,
            TAG_SCRIPT_72,
            TAG_DIRECTORY_DISCRETIONARY,
            TAG_RESPONSE_2,
            TAG_RESPONSE_1,
            TAG_AMOUNT_BINARY,
            TAG_AIP,
            TAG_DF_NAME,
            TAG_SCRIPT_COMMAND,
            TAG_PRIORITY,
            TAG_SFI,
            TAG_AUTHORISATION_CODE,
            TAG_ARC,
            TAG_CDOL1,
            TAG_CDOL2,
            TAG_CVM_LIST,
            TAG_CA_INDEX,
            TAG_ISSUER_CERT,
            TAG_ISSUER_AUTH_DATA,
            TAG_ISSUER_REMAINDER,
            TAG_SSAD,
            TAG_AFL,
            TAG_TVR,
            TAG_TDOL,
            TAG_TC_HASH,
            TAG_PIN,
            TAG_TX_DATE,
            TAG_TSI,
            TAG_TX_TYPE,
            TAG_DDF_NAME,
            TAG_FCI_PROPRIETARY,
            TAG_CARDHOLDER_NAME,
            TAG_EXPIRY,
            TAG_EFFECTIVE,
            TAG_ISSUER_COUNTRY,
            TAG_TX_CURRENCY,
            TAG_LANGUAGE,
            TAG_SERVICE_CODE,
            TAG_PAN_SEQUENCE,
            TAG_TX_CURRENCY_EXPONENT,
            TAG_ACQUIRER_ID,
            TAG_AMOUNT,
            TAG_AMOUNT_OTHER,
            TAG_AMOUNT_OTHER_BINARY,
            TAG_TERMINAL_AID,
            TAG_AUC,
            TAG_CARD_VERSION,
            TAG_TERMINAL_VERSION,
            TAG_CARDHOLDER_NAME_EXTENDED,
            TAG_IAC_DEFAULT,
            TAG_IAC_DENIAL,
            TAG_IAC_ONLINE,
            TAG_IAD,
            TAG_CODE_TABLE,
            TAG_PREFERRED_NAME,
            TAG_LAST_ONLINE_ATC,
            TAG_LOWER_OFFLINE,
            TAG_MCC,
            TAG_MERCHANT_ID,
            TAG_PIN_TRIES,
            TAG_SCRIPT_ID,
            TAG_TERMINAL_COUNTRY,
            TAG_FLOOR_LIMIT,
            TAG_TERMINAL_ID,
            TAG_TERMINAL_RISK_DATA,
            TAG_IFD_SERIAL,
            TAG_TRACK1_DISCRETIONARY,
            TAG_TRACK2_DISCRETIONARY,
            TAG_TX_TIME,
            TAG_UPPER_OFFLINE,
            TAG_AC,
            TAG_CID,
            TAG_PIN_CERT,
            TAG_PIN_EXPONENT,
            TAG_PIN_REMAINDER,
            TAG_ISSUER_EXPONENT,
            TAG_TERMINAL_CAPABILITIES,
            TAG_CVM_RESULTS,
            TAG_TERMINAL_TYPE,
            TAG_ATC,
            TAG_UN,
            TAG_PDOL,
            TAG_POS_ENTRY,
            TAG_AMOUNT_REFERENCE,
            TAG_REFERENCE_CURRENCY,
            TAG_ADDITIONAL_CAPABILITIES,
            TAG_TX_COUNTER,
            TAG_APP_CURRENCY,
            TAG_APP_CURRENCY_EXPONENT,
            TAG_DATA_AUTH_CODE,
            TAG_ICC_CERT,
            TAG_ICC_EXPONENT,
            TAG_ICC_REMAINDER,
            TAG_DDOL,
            TAG_SDA_TAG_LIST,
            TAG_SDAD,
            TAG_ICC_DYNAMIC_NUMBER,
            TAG_LOG_ENTRY,
            TAG_MERCHANT_NAME,
            TAG_LOG_FORMAT,
            TAG_SCRIPT_RESULTS,
            TAG_MERCHANT_CUSTOM,
            TAG_FCI_ISSUER,
            TAG_EV_STATIC,
            TAG_EV_PDOL_VALUES,
            TAG_EV_CDOL1_VALUES,
            TAG_EV_CDOL2_VALUES,
            TAG_EV_RESPONSE,
            TAG_EV_CDOL1,
            TAG_EV_CDOL2,
            TAG_EV_DDOL_VALUES,
            TAG_EV_DDA_SDAD,
        };

        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
            const struct emv_tag *t = emv_tag_find(all[i]);

            ck_assert_msg(t != NULL && t->tag == all[i], "%X", all[i]);
        }
        ck_assert_ptr_null(emv_tag_find(0x43));
        ck_assert_ptr_null(emv_tag_find(0x9F7F));
    }
END_TEST

START_TEST(rows_agree_with_themselves)
    {
        for (size_t i = 0; i < emv_tag_count(); i++) {
            const struct emv_tag *t = emv_tag_at(i);

            ck_assert_msg(t->name != NULL && t->name[0] != '\0', "%X", t->tag);
            ck_assert_msg(t->max == 0 || t->min <= t->max, "%X", t->tag);
            ck_assert_msg(tlv_constructed(t->tag) == (t->format == EMV_CONSTRUCTED), "%X", t->tag);
        }
    }
END_TEST

/* What PCI DSS 3.3 and 3.4 protect: card number, tracks, PIN; and what the number is recovered from
 * (EMV 4.4 Book 2, tables 14 and 23) or can be searched by. */
START_TEST(sensitive_values_are_marked)
    {
        static const uint32_t secret[] = {TAG_TRACK2,
                                          TAG_PIN,
                                          TAG_TRACK1_DISCRETIONARY,
                                          TAG_TRACK2_DISCRETIONARY,
                                          TAG_EV_STATIC,
                                          0x56,
                                          0x9F6B,
                                          0x5F53,
                                          TAG_ICC_CERT,
                                          TAG_PIN_CERT,
                                          TAG_SSAD,
                                          0x9F05,
                                          0x9F31};

        ck_assert_int_eq(emv_tag_find(TAG_PAN)->shown, EMV_PAN);
        ck_assert_int_eq(emv_tag_find(TAG_CARDHOLDER_NAME)->shown, EMV_PERSONAL);
        ck_assert_int_eq(emv_tag_find(0x9F0B)->shown, EMV_PERSONAL);
        for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++)
            ck_assert_msg(emv_tag_find(secret[i])->shown == EMV_SECRET, "%X", secret[i]);
        ck_assert_int_eq(emv_tag_find(TAG_AC)->shown, EMV_PLAIN);
        ck_assert_int_eq(emv_tag_shown(TAG_AC), EMV_PLAIN);
        ck_assert_int_eq(emv_tag_shown(0x9F24), EMV_PERSONAL);
        ck_assert_int_eq(emv_tag_shown(0x9F61), EMV_SECRET); /* unknown */
    }
END_TEST

/* Rows looked up by hand in EMV 4.4 Book 3, Annex A, table 37. */
START_TEST(rows_of_the_standard)
    {
        static const struct emv_tag rows[] = {
            {0x5A, "Application Primary Account Number (PAN)", EMV_CN, 0, 10, EMV_FROM_CARD,
             EMV_PAN},
            {0x82, "Application Interchange Profile", EMV_B, 2, 2, EMV_FROM_CARD, EMV_PLAIN},
            {0x8A, "Authorisation Response Code", EMV_AN, 2, 2, EMV_FROM_ISSUER, EMV_PLAIN},
            {0x9A, "Transaction Date", EMV_N, 3, 3, EMV_FROM_TERMINAL, EMV_PLAIN},
            {0x9F02, "Amount, Authorised (Numeric)", EMV_N, 6, 6, EMV_FROM_TERMINAL, EMV_PLAIN},
            {0x9F1B, "Terminal Floor Limit", EMV_B, 4, 4, EMV_FROM_TERMINAL, EMV_PLAIN},
            {0x9F1C, "Terminal Identification", EMV_AN, 8, 8, EMV_FROM_TERMINAL, EMV_PLAIN},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            const struct emv_tag *t = emv_tag_find(rows[i].tag);

            ck_assert_str_eq(t->name, rows[i].name);
            ck_assert_int_eq(t->format, rows[i].format);
            ck_assert_uint_eq(t->min, rows[i].min);
            ck_assert_uint_eq(t->max, rows[i].max);
            ck_assert_int_eq(t->source, rows[i].source);
            ck_assert_int_eq(t->shown, rows[i].shown);
        }
    }
END_TEST

/* EMV 4.4 Book 3, tables 41, 46 and 47; Book 4, tables 25 to 27. */
START_TEST(bits_have_the_standards_names)
    {
        ck_assert_str_eq(emv_bit_name(EMV_BITMAP_AIP, 1, 7), "SDA supported");
        ck_assert_str_eq(emv_bit_name(EMV_BITMAP_AIP, 1, 6), "DDA supported");
        ck_assert_str_eq(emv_bit_name(EMV_BITMAP_AIP, 1, 1), "CDA supported");
        ck_assert_ptr_null(emv_bit_name(EMV_BITMAP_AIP, 1, 2));
        ck_assert_str_eq(emv_bit_name(EMV_BITMAP_TVR, 1, 8),
                         "Offline data authentication was not performed");
        ck_assert_str_eq(emv_bit_name(EMV_BITMAP_TVR, 1, 3), "CDA failed");
        ck_assert_str_eq(emv_bit_name(EMV_BITMAP_TVR, 2, 7), "Expired application");
        ck_assert_str_eq(emv_bit_name(EMV_BITMAP_TVR, 3, 8),
                         "Cardholder verification was not successful");
        ck_assert_str_eq(emv_bit_name(EMV_BITMAP_TVR, 3, 6), "PIN Try Limit exceeded");
        ck_assert_str_eq(emv_bit_name(EMV_BITMAP_TVR, 4, 8), "Transaction exceeds floor limit");
        ck_assert_str_eq(emv_bit_name(EMV_BITMAP_TVR, 5, 7), "Issuer authentication failed");
        ck_assert_str_eq(emv_bit_name(EMV_BITMAP_TSI, 1, 6), "Card risk management was performed");
        ck_assert_str_eq(emv_bit_name(EMV_BITMAP_TERMINAL_CAPABILITIES, 2, 8),
                         "Plaintext PIN for ICC verification");
        ck_assert_str_eq(emv_bit_name(EMV_BITMAP_TERMINAL_CAPABILITIES, 3, 4), "CDA");
        ck_assert_str_eq(emv_bit_name(EMV_BITMAP_AUC, 1, 1), "Valid at terminals other than ATMs");
        ck_assert_ptr_null(emv_bit_name(EMV_BITMAP_TVR, 0, 8));
        ck_assert_ptr_null(emv_bit_name(EMV_BITMAP_TVR, 6, 8));
        ck_assert_ptr_null(emv_bit_name(EMV_BITMAP_TVR, 1, 9));
        ck_assert_ptr_null(emv_bit_name(EMV_BITMAP_TVR, 1, 0));
    }
END_TEST

/* EMV 4.4 Book 3, Annex C3. */
START_TEST(cvm_codes_have_the_standards_names)
    {
        ck_assert_str_eq(emv_cvm_name(0x01), "Plaintext PIN verification performed by ICC");
        ck_assert_str_eq(emv_cvm_name(0x41),
                         emv_cvm_name(0x01)); /* bit 7: apply the next rule on a failure */
        ck_assert_str_eq(emv_cvm_name(0x1F), "No CVM required");
        ck_assert_str_eq(emv_cvm_name(0x5E), "Signature");
        ck_assert_str_eq(emv_cvm_name(0x3F), "No CVM performed");
        ck_assert_str_eq(emv_cvm_condition_name(0x00), "Always");
        ck_assert_str_eq(emv_cvm_condition_name(0x03), "If terminal supports the CVM");
        ck_assert_str_eq(emv_cvm_result_name(2), "Successful");
        for (unsigned i = 0; i <= 0xFF; i++) {
            ck_assert_ptr_nonnull(emv_cvm_name((uint8_t)i));
            ck_assert_ptr_nonnull(emv_cvm_condition_name((uint8_t)i));
            ck_assert_ptr_nonnull(emv_cvm_result_name((uint8_t)i));
        }
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("emvtags");
    TCase *c = tcase_create("emvtags");

    tcase_add_test(c, the_table_is_sorted_and_unique);
    tcase_add_test(c, every_tag_code_speaks_of_is_known);
    tcase_add_test(c, rows_agree_with_themselves);
    tcase_add_test(c, sensitive_values_are_marked);
    tcase_add_test(c, rows_of_the_standard);
    tcase_add_test(c, bits_have_the_standards_names);
    tcase_add_test(c, cvm_codes_have_the_standards_names);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
