/* Data object lists. */
#include "unit.h"

#include "apdu/dol.h"
#include "apdu/emvtags.h"

struct given {
    uint32_t tag;
    struct span value;
};

struct givens {
    const struct given *list;
    size_t n;
};

static struct span look_up(void *ctx, uint32_t tag)
{
    const struct givens *g = ctx;

    for (size_t i = 0; i < g->n; i++)
        if (g->list[i].tag == tag)
            return g->list[i].value;
    return (struct span){NULL, 0};
}

START_TEST(adds_up_its_lengths)
    {
        UNHEX(cdol1, "9F02069F03069F1A0295055F2A029A039C019F3704");
        struct span s = cdol1;
        struct dol_entry entry;
        size_t n;

        ck_ok(dol_length(cdol1, &n));
        ck_assert_uint_eq(n, 6 + 6 + 2 + 5 + 2 + 3 + 1 + 4);
        ck_ok(dol_next(&s, &entry));
        ck_assert_uint_eq(entry.tag, TAG_AMOUNT);
        ck_assert_uint_eq(entry.length, 6);
        ck_ok(dol_length(span_of("", 0), &n));
        ck_assert_uint_eq(n, 0);
    }
END_TEST

START_TEST(refuses_what_is_no_dol)
    {
        static const char *const bad[] = {"9F", "9F02", "9F02069F37", "9F818181010A"};
        static uint8_t long_list[254], many[130];
        size_t n;

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            uint8_t room[16];
            struct buf b = BUF_OF(room), out = BUF_OF(room);

            ck_ok(hex_decode(&b, bad[i]));
            ck_assert_msg(dol_length(buf_span(&b), &n) == TP_ERR_FORMAT, "%s", bad[i]);
            ck_assert_int_eq(dol_build(&out, buf_span(&b), look_up, &(struct givens){NULL, 0}),
                             TP_ERR_FORMAT);
            ck_assert_uint_eq(out.n, 0);
        }
        memset(long_list, 0x9A, sizeof(long_list));
        ck_assert_int_eq(dol_length(SPAN_OF(long_list), &n), TP_ERR_FORMAT);
        memset(many, 0x01, sizeof(many)); /* 65 entries of tag 01, length 1 */
        ck_assert_int_eq(dol_length(SPAN_OF(many), &n), TP_ERR_FORMAT);
        ck_ok(dol_length(span_of(many, 128), &n));
        ck_assert_uint_eq(n, 64);
    }
END_TEST

/* EMV 4.4 Book 3, 5.4: what is longer or shorter than the card asks. */
START_TEST(cuts_and_pads_by_format)
    {
        static const uint8_t amount[] = {0x00, 0x00, 0x00, 0x00, 0x12, 0x50},
                             country[] = {0x02, 0x50}, pan[] = {0x99, 0x90, 0x14, 0x0F},
                             tvr[] = {0x80, 0x01, 0x02, 0x03, 0x04}, id[] = "00000001",
                             unknown[] = {0xAA, 0xBB};
        static const struct given list[] = {
            {TAG_AMOUNT, SPAN_OF(amount)}, {TAG_TERMINAL_COUNTRY, SPAN_OF(country)},
            {TAG_PAN, SPAN_OF(pan)},       {TAG_TVR, SPAN_OF(tvr)},
            {TAG_TERMINAL_ID, {id, 8}},    {TAG_APP_TEMPLATE, SPAN_OF(unknown)},
            {0x9F50, SPAN_OF(unknown)},
        };
        static const struct {
            const char *dol, *values;
        } cases[] = {
            {"9F0206", "000000001250"},
            {"9F0202", "1250"},   /* n: the leftmost go */
            {"9F1A03", "000250"}, /* n: zeros before */
            {"5A06", "9990140FFFFF"},
            {"5A02", "9990"}, /* cn: F behind; the rightmost go */
            {"9503", "800102"},
            {"9507", "80010203040000"}, /* b: the rightmost go; zeros behind */
            {"9F1C04", "30303030"},
            {"9F1C0A", "30303030303030310000"}, /* an: the same */
            {"9F3704", "00000000"},             /* absent */
            {"6102", "0000"},                   /* constructed */
            {"9F5003", "AABB00"}, /* not in the dictionary, but the terminal has it: as binary */
            {"9F0200", ""},
            {"9F0202 9503", "1250800102"},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            uint8_t dol[16], room[32];
            struct buf d = BUF_OF(dol), b = BUF_OF(room);

            ck_ok(hex_decode(&d, cases[i].dol));
            ck_ok(dol_build(&b, buf_span(&d), look_up,
                            &(struct givens){list, sizeof(list) / sizeof(list[0])}));
            ck_hex(buf_span(&b), cases[i].values);
        }
    }
END_TEST

START_TEST(a_list_that_does_not_fit_changes_nothing)
    {
        UNHEX(dol, "9F02069F3704");
        uint8_t room[9];
        struct buf b = BUF_OF(room);

        ck_assert_int_eq(dol_build(&b, dol, look_up, &(struct givens){NULL, 0}), TP_ERR_RANGE);
        ck_assert_uint_eq(b.n, 0);
    }
END_TEST

START_TEST(finds_a_value_again)
    {
        UNHEX(dol, "9F02065F2A029F3704");
        UNHEX(values, "000000001250 0978 11223344");
        struct span v;

        ck_ok(dol_extract(dol, values, TAG_TX_CURRENCY, &v));
        ck_hex(v, "0978");
        ck_ok(dol_extract(dol, values, TAG_UN, &v));
        ck_hex(v, "11223344");
        ck_assert_int_eq(dol_extract(dol, values, TAG_TVR, &v), TP_ERR_NOT_FOUND);
        ck_assert_int_eq(dol_extract(dol, span_of(values.p, values.n - 1), TAG_UN, &v),
                         TP_ERR_FORMAT);
        ck_assert_int_eq(dol_extract(dol, span_of(values.p, 6), TAG_AMOUNT, &v), TP_ERR_FORMAT);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("dol");
    TCase *c = tcase_create("dol");

    tcase_add_test(c, adds_up_its_lengths);
    tcase_add_test(c, refuses_what_is_no_dol);
    tcase_add_test(c, cuts_and_pads_by_format);
    tcase_add_test(c, a_list_that_does_not_fit_changes_nothing);
    tcase_add_test(c, finds_a_value_again);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
