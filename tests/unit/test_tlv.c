/* BER-TLV, read and written. */
#include "unit.h"

#include "apdu/tlv.h"

/* A PPSE-like FCI by hand from EMV 4.4 Book 1, table 41: 6F { 84, A5 { 88, 5F2D } }. */
#define FCI                                                                                        \
    "6F1C840E315041592E5359532E4444463031A50A880101"                                               \
    "5F2D046672656E"

START_TEST(reads_tags_of_one_to_four_bytes)
    {
        UNHEX(raw, "5A0299909F2602AABBDF8101 01CC DF808101 01DD");
        struct span s = raw;
        struct tlv t;

        ck_ok(tlv_next(&s, &t));
        ck_assert_uint_eq(t.tag, 0x5A);
        ck_hex(t.value, "9990");
        ck_hex(t.raw, "5A029990");
        ck_ok(tlv_next(&s, &t));
        ck_assert_uint_eq(t.tag, 0x9F26);
        ck_ok(tlv_next(&s, &t));
        ck_assert_uint_eq(t.tag, 0xDF8101);
        ck_hex(t.value, "CC");
        ck_ok(tlv_next(&s, &t));
        ck_assert_uint_eq(t.tag, 0xDF808101);
        ck_hex(t.value, "DD");
        ck_assert_int_eq(tlv_next(&s, &t), TP_ERR_NOT_FOUND);
    }
END_TEST

START_TEST(passes_over_filler_between_objects)
    {
        UNHEX(raw, "00 00 82 02 3C00 FF FF 00 94 00 00");
        struct span s = raw;
        struct tlv t;

        ck_ok(tlv_next(&s, &t));
        ck_assert_uint_eq(t.tag, 0x82);
        ck_hex(t.raw, "82023C00");
        ck_ok(tlv_next(&s, &t));
        ck_assert_uint_eq(t.tag, 0x94);
        ck_assert_uint_eq(t.value.n, 0);
        ck_assert_int_eq(tlv_next(&s, &t), TP_ERR_NOT_FOUND);
        ck_ok(tlv_check(raw));
    }
END_TEST

START_TEST(reads_every_length_form)
    {
        static const char *const same[] = {"5A02ABCD", "5A8102ABCD", "5A820002ABCD",
                                           "5A83000002ABCD", "5A8400000002ABCD"};

        for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
            uint8_t raw[16];
            struct buf b = BUF_OF(raw);
            struct span s;
            struct tlv t;

            ck_ok(hex_decode(&b, same[i]));
            s = buf_span(&b);
            ck_ok(tlv_next(&s, &t));
            ck_hex(t.value, "ABCD");
            ck_assert_uint_eq(s.n, 0);
        }
    }
END_TEST

START_TEST(refuses_what_is_no_tlv)
    {
        static const char *const bad[] = {
            "5A",             /* no length */
            "5A03ABCD",       /* runs past the end */
            "9F",             /* half a tag */
            "9F81818101 00",  /* five bytes of tag */
            "7080 5A00 0000", /* indefinite length */
            "5A81",           /* half a length */
            "5A8500000000 01AA",
            "5A84FFFFFFFFAA",
            "5A82FFFF00",
        };

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            uint8_t room[16];
            struct buf b = BUF_OF(room);
            struct span s;
            struct tlv t;

            ck_ok(hex_decode(&b, bad[i]));
            s = buf_span(&b);
            ck_assert_msg(tlv_next(&s, &t) == TP_ERR_FORMAT, "%s", bad[i]);
            ck_assert_msg(s.p == room && s.n == b.n, "%s consumed", bad[i]);
            ck_assert_int_eq(tlv_check(s), TP_ERR_FORMAT);
        }
    }
END_TEST

START_TEST(finds_at_this_level_and_below)
    {
        UNHEX(fci, FCI);
        struct tlv t;

        ck_ok(tlv_check(fci));
        ck_assert_int_eq(tlv_find(fci, 0x84, &t), TP_ERR_NOT_FOUND);
        ck_ok(tlv_find(fci, 0x6F, &t));
        ck_ok(tlv_find(t.value, 0x84, &t));
        ck_assert_mem_eq(t.value.p, "1PAY.SYS.DDF01", 14);
        ck_ok(tlv_find_deep(fci, 0x5F2D, &t));
        ck_hex(t.value, "6672656E");
        ck_assert_int_eq(tlv_find_deep(fci, 0x9F38, &t), TP_ERR_NOT_FOUND);
    }
END_TEST

START_TEST(depth_has_a_bound)
    {
        /* Primitive object 50 under 7 templates is the eighth level; under 8 it is one too deep. */
        UNHEX(eight, "61 0F 61 0D 61 0B 61 09 61 07 61 05 61 03 50 01 41");
        UNHEX(nine, "61 11 61 0F 61 0D 61 0B 61 09 61 07 61 05 61 03 50 01 41");
        struct tlv t;

        ck_ok(tlv_find_deep(eight, 0x50, &t));
        ck_ok(tlv_check(eight));
        ck_assert_int_eq(tlv_find_deep(nine, 0x50, &t), TP_ERR_FORMAT);
        ck_assert_int_eq(tlv_check(nine), TP_ERR_FORMAT);
    }
END_TEST

START_TEST(an_inner_object_may_not_leave_its_outer_one)
    {
        UNHEX(raw, "7003 5A02 99 90"); /* 5A claims a byte behind the template */
        struct tlv t;

        ck_assert_int_eq(tlv_check(raw), TP_ERR_FORMAT);
        ck_assert_int_eq(tlv_find_deep(raw, 0x5A, &t), TP_ERR_FORMAT);
    }
END_TEST

/* At one level the template counts, not what stands in it; a broken length beside it is found all
 * the same. */
START_TEST(what_a_template_holds_can_be_passed_over)
    {
        UNHEX(raw, "E00465AACAAD 5A029990");
        UNHEX(broken, "E00465AACAAD 5A0399");
        struct tlv t;

        ck_assert_int_eq(tlv_check(raw), TP_ERR_FORMAT);
        ck_ok(tlv_check_level(raw));
        ck_ok(tlv_find(raw, 0x5A, &t));
        ck_hex(t.value, "9990");
        ck_assert_int_eq(tlv_check_level(broken), TP_ERR_FORMAT);
        ck_ok(tlv_check_level(span_of("", 0)));
    }
END_TEST

START_TEST(writes_the_shortest_lengths)
    {
        static const struct {
            size_t n;
            const char *header;
        } cases[] = {{0, "9F4B00"},     {127, "9F4B7F"},     {128, "9F4B8180"},
                     {255, "9F4B81FF"}, {256, "9F4B820100"}, {65536, "9F4B83010000"}};

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            uint8_t raw[16];
            struct buf b = BUF_OF(raw);

            ck_ok(tlv_put_header(&b, 0x9F4B, cases[i].n));
            ck_hex(buf_span(&b), cases[i].header);
            ck_assert_uint_eq(tlv_size(0x9F4B, cases[i].n), b.n + cases[i].n);
        }
    }
END_TEST

START_TEST(a_write_that_does_not_fit_changes_nothing)
    {
        uint8_t raw[5];
        struct buf b = BUF_OF(raw);
        const uint8_t value[3] = {1, 2, 3};

        ck_assert_int_eq(tlv_put(&b, 0x9F37, SPAN_OF(value)), TP_ERR_RANGE);
        ck_assert_uint_eq(b.n, 0);
        ck_ok(tlv_put(&b, 0x91, SPAN_OF(value)));
        ck_hex(buf_span(&b), "9103010203");
    }
END_TEST

START_TEST(only_whole_tags_are_written)
    {
        static const uint32_t bad[] = {0x00,   0xFF,   0x9F,     0x5A01,  0x9F8101FF,
                                       0x9F81, 0xFF01, 0x9F2601, 0x9F8181};
        uint8_t raw[16];
        struct buf b = BUF_OF(raw);

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
            ck_assert_msg(tlv_put(&b, bad[i], span_of("", 0)) == TP_ERR_RANGE, "%X", bad[i]);
        ck_assert_uint_eq(b.n, 0);
        ck_ok(tlv_put(&b, 0x9F8101, span_of("", 0)));
        ck_hex(buf_span(&b), "9F810100");
        b.n = 0;
        ck_ok(tlv_put(&b, 0xDF808101, span_of("", 0)));
        ck_hex(buf_span(&b), "DF80810100");
    }
END_TEST

START_TEST(constructed_is_bit_six_of_the_first_byte)
    {
        ck_assert(tlv_constructed(0x6F));
        ck_assert(tlv_constructed(0xA5));
        ck_assert(tlv_constructed(0xBF0C));
        ck_assert(!tlv_constructed(0x5A));
        ck_assert(!tlv_constructed(0x9F2B)); /* bit 6 of the second byte means nothing */
        ck_assert(!tlv_constructed(0xDF01));
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("tlv");
    TCase *c = tcase_create("tlv");

    tcase_add_test(c, reads_tags_of_one_to_four_bytes);
    tcase_add_test(c, passes_over_filler_between_objects);
    tcase_add_test(c, reads_every_length_form);
    tcase_add_test(c, refuses_what_is_no_tlv);
    tcase_add_test(c, finds_at_this_level_and_below);
    tcase_add_test(c, depth_has_a_bound);
    tcase_add_test(c, an_inner_object_may_not_leave_its_outer_one);
    tcase_add_test(c, what_a_template_holds_can_be_passed_over);
    tcase_add_test(c, writes_the_shortest_lengths);
    tcase_add_test(c, a_write_that_does_not_fit_changes_nothing);
    tcase_add_test(c, only_whole_tags_are_written);
    tcase_add_test(c, constructed_is_bit_six_of_the_first_byte);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
