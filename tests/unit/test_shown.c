/* What of a card is shown and what is masked. */
#include "unit.h"

#include "apdu/emvtags.h"
#include "apdu/shown.h"

#define PAN8 "9990140000000015"

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

        ck_assert_str_eq(command_of(out, &s, "00200080082412 34FFFFFFFFFF"),
                         "0020008008****************");
        ck_assert_str_eq(command_of(out, &s, "00200088030102 03"), "0020008803******");
        ck_assert_str_eq(command_of(out, &s, "8424000002AABB"), "8424000002****");
        ck_assert_str_eq(command_of(out, &s, "0020008008"),
                         "0020008008"); /* a question for the tries left: nothing to hide */
        ck_assert_str_eq(command_of(out, &s, "80CA9F1700"), "80CA9F1700");
        ck_assert_str_eq(command_of(out, &s, "00200080082412"),
                         "**************"); /* what is no command may be half a VERIFY */
    }
END_TEST

START_TEST(card_numbers_keep_six_and_four)
    {
        struct shown s = {0};
        char out[600];

        ck_assert_str_eq(response_of(out, &s, "70105A08" PAN8 "5F2403301231 9000", false),
                         "70105A08999014******00155F24033012319000");
    }
END_TEST

START_TEST(tracks_inside_records_are_hidden)
    {
        struct shown s = {0};
        char out[600];

        ck_assert_str_eq(response_of(out, &s, "7013 5711" PAN8 "D30122010000000000 9000", false),
                         "70135711999014******0015D*****************9000");
        /* and from them the number is known, in whatever it turns up */
        ck_assert_str_eq(command_of(out, &s, "80AE400009 01" PAN8 "00"),
                         "80AE40000901999014******001500");
        ck_assert_str_eq(response_of(out, &s, "9F360A 77" PAN8 "88 9000", false),
                         "9F360A77999014******0015889000");
    }
END_TEST

START_TEST(an_odd_number_of_digits_is_found_too)
    {
        struct shown s = {0};
        char out[600];

        ck_assert_str_eq(response_of(out, &s, "5A0A 9990140000000015123F 9000", false),
                         "5A0A999014*********5123F9000");
        ck_assert_str_eq(command_of(out, &s, "80AE40000B 9990140000000015123F 00"),
                         "80AE40000B999014*********5123F00");
    }
END_TEST

/* Card number and separator stay to be told apart; the padding too. */
START_TEST(track_2_shows_no_more_than_the_card_number)
    {
        struct shown s = {0};
        char out[600];

        ck_assert_str_eq(response_of(out, &s, "570D 9990140000000015D3012201FF 9000", false),
                         "570D999014******0015D********F9000");
        ck_assert_str_eq(response_of(out, &s, "5703 123456 9000", false),
                         "5703******9000"); /* no separator: nothing */
    }
END_TEST

START_TEST(what_the_number_can_be_worked_out_from_is_hidden)
    {
        struct shown s = {0};
        char out[600];

        ck_assert_str_eq(response_of(out, &s, "700D 9F460455667788 5F2003412F42 9000", false),
                         "700D9F4604********5F2003******9000");
        ck_assert_str_eq(response_of(out, &s, "9F2D0211229303AABBCC9F48020102 9000", false),
                         "9F2D02****9303******9F480201029000");
        s.personal = true;
        ck_assert_str_eq(response_of(out, &s, "5F2003412F42 9000", false), "5F2003412F429000");
    }
END_TEST

START_TEST(of_a_test_card_all_but_the_pin_is_shown)
    {
        struct shown s = {.all = true};
        char out[600];

        ck_assert_str_eq(response_of(out, &s, "70175A08" PAN8 "9F460155 5F2003412F42 9000", false),
                         "70175A089990140000000015"
                         "9F4601555F2003412F429000");
        ck_assert_str_eq(response_of(out, &s, "0102 9000", false), "01029000");
        ck_assert_str_eq(command_of(out, &s, "0020008008241234FFFFFFFFFF"),
                         "0020008008****************");
    }
END_TEST

/* So that the bug of a card stays to be seen: what the dictionary knows, down to where it breaks.
 */
START_TEST(what_is_no_tlv_is_shown_as_far_as_it_is_known)
    {
        struct shown s = {0};
        char out[600];

        ck_assert_str_eq(response_of(out, &s, "70125A08" PAN8 "9000", false),
                         "70125A08999014******00159000"); /* the template promises more */
        ck_assert_str_eq(response_of(out, &s, "700D5F2403301231 5A0A999014000000 9000", false),
                         "700D5F24033012315A0A************9000");
        ck_assert_str_eq(response_of(out, &s, "70065F2404301231 9000", false),
                         "70065F24043012319000");
        ck_assert_str_eq(response_of(out, &s, "9990140000000015 9000", false),
                         "****************9000"); /* 99, PIN data, runs over; nothing is told */
        ck_assert_str_eq(response_of(out, &s, "0102030405060708 9000", false),
                         "****************9000");
        ck_assert_str_eq(response_of(out, &s, "0102030405060708 9000", true),
                         "01020304050607089000"); /* GET CHALLENGE */
        ck_assert_str_eq(response_of(out, &s, "6A82", false), "6A82");
        ck_assert_str_eq(response_of(out, &s, "90", false), "**");
    }
END_TEST

/* What the dictionary does not call harmless. 9F61 is a national identity number on cards of
 * UnionPay (JR/T 0025), unknown to EMV. */
START_TEST(what_the_dictionary_does_not_know_is_hidden)
    {
        struct shown s = {0};
        char out[600];
        UNHEX(fci, "9F4D020B0A 9F610431323334 E10265AA");
        UNHEX(answer, "770A 9F2701809F6103303132");

        ck_assert_str_eq(response_of(out, &s, "700D 9F6104 31323334 5F24 03301231 9000", false),
                         "700D9F6104********5F24033012319000");
        ck_assert_str_eq(
            response_of(out, &s, "7015 DF808101 10 39393930313430303030303030303138 9000", false),
            "7015DF80810110********************************9000");
        /* a template of unknown contents, whatever stands in it, and what comes behind */
        ck_assert_str_eq(response_of(out, &s, "700C E004650AACAA 5F24 03301231 9000", false),
                         "700CE004********5F24033012319000");
        /* the same where objects are shown one by one: templates that the store keeps whole, the
         * evidence */
        ck_assert_str_eq(shown_value(out, &s, TAG_FCI_ISSUER, fci),
                         "9F4D020B0A9F6104********E102****");
        ck_assert_str_eq(shown_value(out, &s, TAG_EV_RESPONSE, answer), "770A9F2701809F6103******");
        ck_assert_str_eq(shown_value(out, &s, 0x9F61, span_of("1234", 4)), "********");
        s.all = true;
        ck_assert_str_eq(shown_value(out, &s, 0x9F61, span_of("1234", 4)), "31323334");
    }
END_TEST

/* A card whose CDOL1 asks for its own track 2. */
START_TEST(track_2_that_a_dol_sends_back)
    {
        struct shown s = {0};
        char out[600];

        response_of(out, &s, "5713 9990140000000015D30122010000012345000F 9000", false);
        ck_assert_str_eq(
            command_of(out, &s, "80AE400013 9990140000000015D30122010000012345000F 00"),
            "80AE400013999014******0015**********************00");
    }
END_TEST

START_TEST(a_card_number_is_found_in_text_and_between_bytes)
    {
        struct shown s = {0};
        char out[600];

        ck_assert_str_eq(response_of(out, &s, "5A08" PAN8 "9000", false),
                         "5A08999014******00159000");
        ck_assert_str_eq(response_of(out, &s, "5010 39393930313430303030303030303135 9000", false),
                         "5010393939303134************303031359000");
        ck_assert_str_eq(response_of(out, &s, "9F1009 09990140000000015F 9000", false),
                         "9F10090999014******0015F9000");
    }
END_TEST

/* An issuer's DOL may ask for what its records hold: 5F20, 9F61. */
START_TEST(what_was_hidden_is_hidden_in_commands_too)
    {
        struct shown s = {0};
        char out[600];
        UNHEX(values, "00 4455504F4E54 01");

        ck_assert_str_eq(
            response_of(out, &s, "7010 5F2006 4455504F4E54 9F6104 31323334 9000", false),
            "70105F2006************9F6104********9000");
        ck_assert_str_eq(command_of(out, &s, "80AE40000B 4455504F4E542020 313233 00"),
                         "80AE40000B************202031323300");
        ck_assert_str_eq(command_of(out, &s, "80AE40000A 0000 4455504F 31323334 00"),
                         "80AE40000A0000****************00");
        ck_assert_str_eq(shown_value(out, &s, TAG_EV_CDOL1_VALUES, values), "00************01");
    }
END_TEST

/* An issuer's script may bring anything of the cardholder's; its cryptogram and a block say
 * nothing. */
START_TEST(data_of_unknown_commands_are_hidden)
    {
        struct shown s = {0};
        char out[600];

        ck_assert_str_eq(command_of(out, &s, "04DC010C04 11223344"), "04DC010C04********");
        ck_assert_str_eq(command_of(out, &s, "04DA9F610411223344"), "04DA9F6104********");
        ck_assert_str_eq(command_of(out, &s, "8CD2000002AABB"), "8CD2000002****");
        ck_assert_str_eq(command_of(out, &s, "841E000004AABBCCDD"), "841E000004AABBCCDD");
        ck_assert_str_eq(command_of(out, &s, "008200000811223344556677 88"),
                         "00820000081122334455667788");
        s.all = true;
        ck_assert_str_eq(command_of(out, &s, "04DC010C0411223344"), "04DC010C0411223344");
        ck_assert_str_eq(command_of(out, &s, "84240000021122"), "8424000002****");
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
        ck_assert_str_eq(shown_value(out, &s, TAG_PAN, pan), "999014******0015");
        ck_assert_str_eq(shown_value(out, &s, TAG_PAN, short_pan), "********FF");
        ck_assert_str_eq(shown_value(out, &s, TAG_TRACK2, pan), "****************");
        ck_assert_str_eq(shown_value(out, &s, TAG_EV_STATIC, pan), "****************");
        shown_learn(&s, TAG_PAN, pan);
        ck_assert_str_eq(shown_value(out, &s, TAG_IAD, other), "0102999014******0015");
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
    tcase_add_test(c, track_2_shows_no_more_than_the_card_number);
    tcase_add_test(c, what_the_number_can_be_worked_out_from_is_hidden);
    tcase_add_test(c, of_a_test_card_all_but_the_pin_is_shown);
    tcase_add_test(c, what_is_no_tlv_is_shown_as_far_as_it_is_known);
    tcase_add_test(c, what_the_dictionary_does_not_know_is_hidden);
    tcase_add_test(c, track_2_that_a_dol_sends_back);
    tcase_add_test(c, a_card_number_is_found_in_text_and_between_bytes);
    tcase_add_test(c, what_was_hidden_is_hidden_in_commands_too);
    tcase_add_test(c, data_of_unknown_commands_are_hidden);
    tcase_add_test(c, values_by_their_tag);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
