#include "unit.h"

#include "apdu/emvtags.h"
#include "payer/shown.h"

#define PAN8 "9990140000000018"

static const char *response_of(char *out, struct shown *s, const char *hex, bool raw_is_plain)
{
    uint8_t room[256];
    struct buf b = BUF_OF(room);

    ck_ok(hex_decode(&b, hex));
    return shown_response(out, s, buf_span(&b), raw_is_plain);
}

static const char *command_of(char *out, struct shown *s, const char *hex)
{
    uint8_t room[256];
    struct buf b = BUF_OF(room);

    ck_ok(hex_decode(&b, hex));
    return shown_command(out, s, buf_span(&b));
}

START_TEST(a_pin_is_never_shown)
    {
        struct shown s = {0};
        char out[600];

        ck_assert_str_eq(command_of(out, &s, "00200080082412 34FFFFFFFFFF"), "0020008008****************");
        ck_assert_str_eq(command_of(out, &s, "00200088030102 03"), "0020008803******");
        ck_assert_str_eq(command_of(out, &s, "8424000002AABB"), "8424000002****");
        ck_assert_str_eq(command_of(out, &s, "0020008008"), "0020008008"); /* a question for the tries left: nothing to hide */
        ck_assert_str_eq(command_of(out, &s, "80CA9F1700"), "80CA9F1700");
        ck_assert_str_eq(command_of(out, &s, "00200080082412"), "**************"); /* what is no command may be half a VERIFY */
    }
END_TEST

START_TEST(card_numbers_keep_six_and_four)
    {
        struct shown s = {0};
        char out[600];

        ck_assert_str_eq(response_of(out, &s, "70105A08" PAN8 "5F2403301231 9000", false), "70105A08999014******00185F24033012319000");
    }
END_TEST

START_TEST(tracks_inside_records_are_hidden)
    {
        struct shown s = {0};
        char out[600];

        ck_assert_str_eq(response_of(out, &s, "7013 5711" PAN8 "D30122010000000000 9000", false), "70135711**********************************9000");
        /* and from them the number is known, in whatever it turns up */
        ck_assert_str_eq(command_of(out, &s, "80AE400009 01" PAN8 "00"), "80AE40000901999014******001800");
        ck_assert_str_eq(response_of(out, &s, "C10A 77" PAN8 "88 9000", false), "C10A77999014******0018889000");
    }
END_TEST

START_TEST(an_odd_number_of_digits_is_found_too)
    {
        struct shown s = {0};
        char out[600];

        ck_assert_str_eq(response_of(out, &s, "5A0A 9990140000000018123F 9000", false), "5A0A999014*********8123F9000");
        ck_assert_str_eq(command_of(out, &s, "80AE40000B 9990140000000018123F 00"), "80AE40000B999014*********8123F00");
    }
END_TEST

START_TEST(what_is_no_tlv_is_not_shown)
    {
        struct shown s = {0};
        char out[600];

        ck_assert_str_eq(response_of(out, &s, "70125A08" PAN8 "9000", false), "[12 bytes that are no TLV] 9000");
        ck_assert_str_eq(response_of(out, &s, "0102030405060708 9000", true), "01020304050607089000"); /* GET CHALLENGE */
        ck_assert_str_eq(response_of(out, &s, "6A82", false), "6A82");
        ck_assert_str_eq(response_of(out, &s, "90", false), "[1 bytes]");
    }
END_TEST

START_TEST(values_by_their_tag)
    {
        struct shown s = {0};
        char out[64];
        UNHEX(pan, PAN8);
        UNHEX(short_pan, "12345678FF");
        UNHEX(other, "0102" PAN8);

        ck_assert_str_eq(shown_value(out, &s, TAG_AC, pan), PAN8);
        ck_assert_str_eq(shown_value(out, &s, TAG_PAN, pan), "999014******0018");
        ck_assert_str_eq(shown_value(out, &s, TAG_PAN, short_pan), "********FF");
        ck_assert_str_eq(shown_value(out, &s, TAG_TRACK2, pan), "****************");
        ck_assert_str_eq(shown_value(out, &s, TAG_EV_STATIC, pan), "****************");
        shown_learn(&s, TAG_PAN, pan);
        ck_assert_str_eq(shown_value(out, &s, TAG_IAD, other), "0102999014******0018");
        ck_assert_str_eq(shown_value(out, &s, TAG_PAN, span_of("", 0)), "");
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("shown");
    TCase *c = tcase_create("shown");

    tcase_add_test(c, a_pin_is_never_shown);
    tcase_add_test(c, card_numbers_keep_six_and_four);
    tcase_add_test(c, tracks_inside_records_are_hidden);
    tcase_add_test(c, an_odd_number_of_digits_is_found_too);
    tcase_add_test(c, what_is_no_tlv_is_not_shown);
    tcase_add_test(c, values_by_their_tag);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
