/* The messages of CCID 1.1, 6, byte for byte as its tables lay them out; the PIN structure is that
 * of PC/SC part 10 and CCID 6.1.11 for the EMV PIN block. */
#include "unit.h"

#include "drivers/ccid_message.h"

static struct atr atr_of(const char *hex)
{
    static uint8_t raw[64];
    struct buf b = BUF_OF(raw);
    struct atr a;

    ck_ok(hex_decode(&b, hex));
    ck_ok(atr_parse(&a, buf_span(&b), NULL));
    return a;
}

START_TEST(a_message_is_a_header_and_data)
    {
        UNHEX(data, "00A40400");
        struct ccid_head head = {
            .type = CCID_XFR_BLOCK, .slot = 1, .seq = 0xFE, .specific = {3, 0x10, 0}};
        uint8_t raw[14];
        struct buf out = BUF_OF(raw);

        ck_ok(ccid_message_put(&out, &head, data));
        ck_hex(buf_span(&out), "6F0400000001FE03100000A40400");
        ck_assert_int_eq(ccid_message_put(&out, &head, data), TP_ERR_RANGE);
        ck_assert_uint_eq(out.n, 14);
        out.n = 0;
        head = (struct ccid_head){.type = CCID_ICC_POWER_ON, .seq = 7, .specific = {CCID_POWER_3V}};
        ck_ok(ccid_message_put(&out, &head, span_of(NULL, 0)));
        ck_hex(buf_span(&out), "62000000000007020000");
    }
END_TEST

START_TEST(a_reply_is_taken_apart)
    {
        UNHEX(raw, "80 02000000 01 FE 00 00 01 9000");
        UNHEX(extension, "80 00000000 00 05 80 03 00");
        UNHEX(failed, "81 00000000 00 05 42 FE 00");
        struct ccid_reply r;

        ck_ok(ccid_message_parse(&r, raw));
        ck_assert_uint_eq(r.type, CCID_DATA_BLOCK);
        ck_assert_uint_eq(r.slot, 1);
        ck_assert_uint_eq(r.seq, 0xFE);
        ck_assert_int_eq(r.icc, CCID_ICC_ACTIVE);
        ck_assert_int_eq(r.command, CCID_DONE);
        ck_assert_uint_eq(r.specific, CCID_IN_FIRST);
        ck_hex(r.data, "9000");
        ck_ok(ccid_message_parse(&r, extension));
        ck_assert_int_eq(r.command, CCID_TIME_EXTENSION);
        ck_assert_uint_eq(r.error, 3);
        ck_ok(ccid_message_parse(&r, failed));
        ck_assert_int_eq(r.command, CCID_FAILED);
        ck_assert_int_eq(r.icc, CCID_ICC_ABSENT);
        ck_assert_uint_eq(r.error, 0xFE);
    }
END_TEST

START_TEST(a_reply_that_is_cut_short_or_reserved_is_refused)
    {
        UNHEX(raw, "80 02000000 01 FE 00 00 01 9000 FF");
        UNHEX(huge, "80 FFFFFFFF 00 00 00 00 00 9000");
        UNHEX(reserved_icc, "81 00000000 00 00 03 00 00");
        UNHEX(reserved_command, "81 00000000 00 00 C0 00 00");
        struct ccid_reply r;

        ck_ok(ccid_message_parse(&r, raw)); /* one byte too many is passed over */
        ck_assert_uint_eq(r.data.n, 2);
        for (size_t n = 0; n < 12; n++)
            ck_assert_int_eq(ccid_message_parse(&r, span_of(raw.p, n)), TP_ERR_FORMAT);
        ck_assert_int_eq(ccid_message_parse(&r, huge), TP_ERR_FORMAT);
        ck_assert_int_eq(ccid_message_parse(&r, reserved_icc), TP_ERR_FORMAT);
        ck_assert_int_eq(ccid_message_parse(&r, reserved_command), TP_ERR_FORMAT);
    }
END_TEST

START_TEST(every_error_has_words)
    {
        static const struct {
            uint8_t icc, code;
            enum tp_err err;
            const char *says;
        } met[] = {
            /* CCID 1.1, table 6.2-2 */
            {0, 0xFF, TP_ERR_CANCELLED, "stopped"},
            {0, 0xFE, TP_ERR_CARD, "does not answer"},
            {1, 0xFE, TP_ERR_CARD, "stopped answering"},
            {0, 0xFD, TP_ERR_CARD, "contacts"},
            {0, 0xFC, TP_ERR_CARD, "faster"},
            {0, 0xFB, TP_ERR_NO_READER, "hardware"},
            {0, 0xF8, TP_ERR_CARD, "bank card"},
            {0, 0xF7, TP_ERR_CARD, "check byte"},
            {0, 0xF6, TP_ERR_CARD, "protocol"},
            {0, 0xF5, TP_ERR_CARD, "voltages"},
            {0, 0xF4, TP_ERR_CARD, "in the middle"},
            {0, 0xF3, TP_ERR_CARD, "no longer active"},
            {0, 0xF2, TP_ERR_STATE, "busy"},
            {0, 0xF0, TP_ERR_CANCELLED, "in time"},
            {0, 0xEF, TP_ERR_CANCELLED, "cancelled"},
            {0, 0xE0, TP_ERR_STATE, "busy"},
            {0, 0x00, TP_ERR_NO_READER, "does not know"},
            {0, 0x05, TP_ERR_NO_READER, "no slot 4"},
            {0, 0x07, TP_ERR_NO_READER, "byte 7"},
            {0, 0xC0, TP_ERR_NO_READER, "fault C0"},
            {0, 0x81, TP_ERR_NO_READER, "fault 81"},
            {2, 0xFE, TP_ERR_CARD, "taken out"},
        };
        struct tp_error e;

        for (size_t i = 0; i < sizeof(met) / sizeof(met[0]); i++) {
            const struct ccid_reply r = {.type = CCID_DATA_BLOCK,
                                         .slot = 4,
                                         .icc = met[i].icc,
                                         .command = CCID_FAILED,
                                         .error = met[i].code};

            ck_assert_int_eq(ccid_message_fail(&e, &r), met[i].err);
            ck_assert_msg(strstr(e.text, met[i].says) != NULL, "%02X: %s", met[i].code, e.text);
        }
        for (unsigned code = 0; code < 256; code++) {
            const struct ccid_reply r = {
                .type = CCID_DATA_BLOCK, .command = CCID_FAILED, .error = (uint8_t)code};

            ck_assert(ccid_message_fail(&e, &r) != TP_OK && strlen(e.text) > 8 &&
                      e.text[strlen(e.text) - 1] != '.');
        }
        for (size_t i = 1; ccid_error_at(i) != NULL; i++)
            ck_assert_uint_lt(ccid_error_at(i - 1)->code, ccid_error_at(i)->code);
    }
END_TEST

START_TEST(parameters_of_both_protocols)
    {
        struct atr a = atr_of("3F E0 00 05 81 31 FE 45 EE");
        uint8_t raw[7];
        struct buf out = BUF_OF(raw);

        ck_ok(ccid_parameters_put(
            &out, &a, 1,
            0x96)); /* 6.1.7: FindexDindex, TCCKS, guard time, BWI and CWI, clock stop, IFSC, NAD */
        ck_hex(buf_span(&out), "9612054500FE00");
        ck_assert_int_eq(ccid_parameters_put(&out, &a, 0, 0x11), TP_ERR_RANGE);
        out.n = 0;
        a = atr_of("3B C0 FF 40 14");
        ck_ok(ccid_parameters_put(
            &out, &a, 0, 0x11)); /* FindexDindex, TCCKS, guard time, waiting integer, clock stop */
        ck_hex(buf_span(&out), "1100FF1400");
    }
END_TEST

START_TEST(pin_verification_on_the_reader)
    {
        struct ccid_pin pin = {.timeout_s = 30,
                               .min = 4,
                               .max = 12,
                               .language = 0x040C,
                               .message = true,
                               .prologue = {0, 0x40, 0x0D}};
        uint8_t raw[28];
        struct buf out = BUF_OF(raw);

        ck_ok(ccid_pin_verify_put(&out, &pin));
        ck_hex(buf_span(&out), "00"
                               "1E"
                               "89"
                               "47"
                               "04"
                               "0C04"
                               "02"
                               "01"
                               "0C04"
                               "00"
                               "00400D"
                               "0020008008"
                               "20FFFFFFFFFFFFFF");
        ck_assert_int_eq(ccid_pin_verify_put(&out, &pin), TP_ERR_RANGE);
        out.n = 0;
        pin.min = 3;
        ck_assert_int_eq(ccid_pin_verify_put(&out, &pin), TP_ERR_RANGE);
        pin.min = 4;
        pin.max = 13;
        ck_assert_int_eq(ccid_pin_verify_put(&out, &pin), TP_ERR_RANGE);
        ck_assert_uint_eq(out.n, 0);
    }
END_TEST

START_TEST(each_message_has_its_reply)
    {
        ck_assert_int_eq(ccid_reply_type(CCID_ICC_POWER_ON), 0x80);
        ck_assert_int_eq(ccid_reply_type(CCID_XFR_BLOCK), 0x80);
        ck_assert_int_eq(ccid_reply_type(CCID_SECURE), 0x80);
        ck_assert_int_eq(ccid_reply_type(CCID_ICC_POWER_OFF), 0x81);
        ck_assert_int_eq(ccid_reply_type(CCID_GET_SLOT_STATUS), 0x81);
        ck_assert_int_eq(ccid_reply_type(CCID_ABORT), 0x81);
        ck_assert_int_eq(ccid_reply_type(CCID_SET_PARAMETERS), 0x82);
        ck_assert_int_eq(ccid_reply_type(CCID_GET_PARAMETERS), 0x82);
        ck_assert_int_eq(ccid_reply_type(CCID_RESET_PARAMETERS), 0x82);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("ccid message");
    TCase *t = tcase_create("ccid message");

    tcase_add_test(t, a_message_is_a_header_and_data);
    tcase_add_test(t, a_reply_is_taken_apart);
    tcase_add_test(t, a_reply_that_is_cut_short_or_reserved_is_refused);
    tcase_add_test(t, every_error_has_words);
    tcase_add_test(t, parameters_of_both_protocols);
    tcase_add_test(t, pin_verification_on_the_reader);
    tcase_add_test(t, each_message_has_its_reply);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
