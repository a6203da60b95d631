/* Commands, responses and status words. */
#include "unit.h"

#include "apdu/apdu.h"
#include "apdu/sw.h"

static struct span of_hex(struct buf *room, const char *text)
{
    ck_ok(hex_decode(room, text));
    return buf_span(room);
}

/* The seven cases of ISO/IEC 7816-4, 5.1 (1, 2, 3, 4 short and 2, 3, 4 extended). */
static const struct {
    const char *raw;
    const char *data;
    uint32_t le;
} cases[] = {
    {"00A40400", "", APDU_LE_NONE},
    {"80CA9F3600", "", 256},
    {"80CA9F3605", "", 5},
    {"0020008008241234FFFFFFFFFF", "241234FFFFFFFFFF", APDU_LE_NONE},
    {"00A4040007F000000014101000", "F0000000141010", 256},
    {"00B2010C000100", "", 256},
    {"00B2010C000000", "", 65536},
    {"00DA0000000002ABCD", "ABCD", APDU_LE_NONE},
    {"00DA0000000002ABCD0100", "ABCD", 256},
    {"00DA0000000002ABCD0000", "ABCD", 65536},
};

START_TEST(parses_all_seven_cases)
    {
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            uint8_t room[64];
            struct buf b = BUF_OF(room);
            struct capdu c;

            ck_ok(capdu_parse(&c, of_hex(&b, cases[i].raw)));
            ck_assert_uint_eq(c.cla, room[0]);
            ck_assert_uint_eq(c.ins, room[1]);
            ck_assert_uint_eq(c.p1, room[2]);
            ck_assert_uint_eq(c.p2, room[3]);
            ck_hex(c.data, cases[i].data);
            ck_assert_uint_eq(c.le, cases[i].le);
        }
    }
END_TEST

START_TEST(refuses_lengths_that_do_not_agree)
    {
        static const char *const bad[] = {
            "",
            "00A404",
            "00A4040002AA",             /* Lc over the end */
            "00A4040001AA0000",         /* two bytes of Le behind a short Lc */
            "00A40400000A",             /* half an extended length */
            "00A4040000000000",         /* extended Lc of 0 */
            "00A40400000002ABCD01",     /* one byte of Le behind an extended Lc */
            "00A40400000002ABCD010000", /* three */
            "00A40400000003ABCD",
        };

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            uint8_t room[64];
            struct buf b = BUF_OF(room);
            struct capdu c = {.le = 7};

            ck_assert_msg(capdu_parse(&c, of_hex(&b, bad[i])) == TP_ERR_FORMAT, "%s", bad[i]);
            ck_assert_uint_eq(c.le, 7);
        }
    }
END_TEST

START_TEST(writes_the_shortest_form)
    {
        static uint8_t data[65536];
        static const struct {
            size_t n;
            uint32_t le;
            size_t size;
            const char *head; /* up to the data */
        } wanted[] = {
            {0, APDU_LE_NONE, 4, "00A40400"}, {0, 1, 5, "00A4040001"},
            {0, 256, 5, "00A4040000"},        {0, 257, 7, "00A40400000101"},
            {0, 65536, 7, "00A40400000000"},  {255, 256, 261, "00A40400FF"},
            {1, 257, 10, "00A40400000001"},   {256, APDU_LE_NONE, 263, "00A40400000100"},
            {256, 1, 265, "00A40400000100"},  {65535, 65536, 65544, "00A4040000FFFF"},
        };

        for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
            static uint8_t room[APDU_COMMAND_MAX];
            struct buf b = BUF_OF(room);
            const struct capdu c = {.cla = 0x00,
                                    .ins = INS_SELECT,
                                    .p1 = 4,
                                    .p2 = 0,
                                    .data = {data, wanted[i].n},
                                    .le = wanted[i].le};
            struct capdu again;

            ck_ok(capdu_put(&b, &c));
            ck_assert_uint_eq(b.n, wanted[i].size);
            ck_hex(span_of(room, strlen(wanted[i].head) / 2), wanted[i].head);
            ck_ok(capdu_parse(&again, buf_span(&b)));
            ck_assert_uint_eq(again.data.n, wanted[i].n);
            ck_assert_uint_eq(again.le, wanted[i].le);
        }
    }
END_TEST

START_TEST(refuses_what_no_command_can_hold)
    {
        static uint8_t data[65536], room[APDU_COMMAND_MAX];
        struct buf b = BUF_OF(room), small = {room, 0, 6};

        ck_assert_int_eq(capdu_put(&b, &(struct capdu){.data = SPAN_OF(data)}), TP_ERR_RANGE);
        ck_assert_int_eq(capdu_put(&b, &(struct capdu){.le = 65537}), TP_ERR_RANGE);
        ck_assert_int_eq(capdu_put(&small, &(struct capdu){.data = {data, 2}}), TP_ERR_RANGE);
        ck_assert_uint_eq(b.n, 0);
        ck_assert_uint_eq(small.n, 0);
    }
END_TEST

START_TEST(splits_responses)
    {
        UNHEX(raw, "9F36020007 9000");
        struct rapdu r;

        ck_ok(rapdu_parse(&r, raw));
        ck_hex(r.data, "9F36020007");
        ck_assert_uint_eq(r.sw, SW_OK);
        ck_ok(rapdu_parse(&r, span_of(raw.p + 5, 2)));
        ck_assert_uint_eq(r.data.n, 0);
        ck_assert_int_eq(rapdu_parse(&r, span_of(raw.p, 1)), TP_ERR_FORMAT);
        ck_assert_int_eq(rapdu_parse(&r, span_of(raw.p, 0)), TP_ERR_FORMAT);
    }
END_TEST

/* ISO/IEC 7816-4, tables 5 and 6. */
START_TEST(status_words_have_words)
    {
        ck_assert_str_eq(sw_text(SW_OK), "done");
        ck_assert_str_eq(sw_text(SW_SELECTED_FILE_INVALIDATED),
                         "the selected application is blocked");
        ck_assert_str_eq(sw_text(0x63C2), sw_text(SW_PIN_TRIES_LEFT));
        ck_assert_str_ne(sw_text(0x63C2), sw_text(SW_AUTHENTICATION_FAILED));
        ck_assert_str_eq(sw_text(0x6110), sw_text(0x61FF));
        ck_assert_str_eq(sw_text(SW_CONDITIONS), "conditions of use not satisfied");
        for (unsigned sw = 0; sw <= 0xFFFF; sw++)
            ck_assert_ptr_nonnull(sw_text((uint16_t)sw));
        ck_assert_str_eq(sw_text(0x1234), sw_text(0x9001));
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("apdu");
    TCase *c = tcase_create("apdu");

    tcase_add_test(c, parses_all_seven_cases);
    tcase_add_test(c, refuses_lengths_that_do_not_agree);
    tcase_add_test(c, writes_the_shortest_form);
    tcase_add_test(c, refuses_what_no_command_can_hold);
    tcase_add_test(c, splits_responses);
    tcase_add_test(c, status_words_have_words);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
