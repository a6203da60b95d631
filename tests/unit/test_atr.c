/* The answer to reset. The expected values were read by hand from the tables of ISO/IEC 7816-3
 * (2006) 8.2, 8.3 and 11.4; basic T=0 and T=1 answers are those of EMV 4.3 Book 1, 8.3. */
#include "unit.h"

#include "drivers/atr.h"

static struct atr parsed(const char *hex)
{
    static uint8_t raw[64]; /* outlives the struct's borrowed span */
    struct buf b = BUF_OF(raw);
    struct tp_error e;
    struct atr a;

    ck_ok(hex_decode(&b, hex));
    ck_assert_msg(atr_parse(&a, buf_span(&b), &e) == TP_OK, "%s: %s", hex, e.text);
    return a;
}

static void refused(const char *hex, const char *why)
{
    uint8_t bytes[64];
    struct buf b = BUF_OF(bytes);
    struct tp_error e;
    struct atr a;

    ck_ok(hex_decode(&b, hex));
    ck_assert_int_eq(atr_parse(&a, buf_span(&b), &e), TP_ERR_FORMAT);
    ck_assert_msg(strstr(e.text, why) != NULL, "%s: %s", hex, e.text);
}

START_TEST(the_shortest_is_t0_with_default_parameters)
    {
        const struct atr a = parsed("3B 00");

        ck_assert(!a.inverse && !a.specific && !a.crc);
        ck_assert_uint_eq(a.protocols, 1);
        ck_assert_uint_eq(a.first, 0);
        ck_assert_uint_eq(a.ta1, 0x11);
        ck_assert_uint_eq(a.f, 372);
        ck_assert_uint_eq(a.d, 1);
        ck_assert_uint_eq(a.n, 0);
        ck_assert_uint_eq(a.wi, 10);
        ck_assert_uint_eq(a.historical.n, 0);
    }
END_TEST

START_TEST(basic_answers_of_emv)
    {
        struct atr a = parsed("3B 60 00 00"); /* Book 1, table 18: T=0, TB1 and TC1 00 */

        ck_assert_uint_eq(a.protocols, 1);
        ck_assert_uint_eq(a.n, 0);
        /* Book 1, table 19: T=1; TB1 00 TC1 00 TD1 81 TD2 31 TA3 FE TB3 45 TCK */
        a = parsed("3F E0 00 00 81 31 FE 45 EB");
        ck_assert(a.inverse && !a.specific && !a.crc);
        ck_assert_uint_eq(a.protocols, 2);
        ck_assert_uint_eq(a.first, 1);
        ck_assert_uint_eq(a.ifsc, 254);
        ck_assert_uint_eq(a.bwi, 4);
        ck_assert_uint_eq(a.cwi, 5);
    }
END_TEST

/* A French bank card as published in lists of ATRs: T=0, TA1 none, historical bytes. */
START_TEST(historical_bytes_are_handed_out)
    {
        const struct atr a = parsed("3B 65 00 00 20 63 CB 68 00");

        ck_assert_uint_eq(a.protocols, 1);
        ck_hex(a.historical, "2063CB6800");
    }
END_TEST

/* Cards of banks from the public list of ATRs (L. Rousseau's smartcard_list.txt) that send a byte
 * more than they say. */
START_TEST(bytes_behind_its_end_are_left)
    {
        struct atr a = parsed("3B 65 00 00 20 63 CB 68 00 26");

        ck_assert_uint_eq(a.protocols, 1);
        ck_hex(a.historical, "2063CB6800");
        a = parsed("3B 6D 00 00 00 80 31 80 65 B0 89 35 01 F1 83 00 90 00");
        ck_hex(a.historical, "0080318065B0893501F1830090");
        a = parsed("3B 80 80 01 01 00"); /* behind a good check byte too */
        ck_assert_uint_eq(a.protocols, 3);
        a = parsed("3B 00 00");
        ck_assert_uint_eq(a.historical.n, 0);
    }
END_TEST

START_TEST(two_protocols_speed_and_classes)
    {
        /* T0 F3: TA1 96 (F 512, D 32), TB1 00, TC1 05, TD1 81 (T=1: TD2); TD2 71: TA3 20, TB3 45,
         * TC3 01 (CRC), no TD; TCK */
        struct atr a = parsed("3B F3 96 00 05 81 71 20 45 01 AA BB CC 29");

        ck_assert_uint_eq(a.f, 512);
        ck_assert_uint_eq(a.d, 32);
        ck_assert_uint_eq(a.n, 5);
        ck_assert_uint_eq(a.protocols, 2);
        ck_assert_uint_eq(a.ifsc, 32);
        ck_assert(a.crc);
        ck_hex(a.historical, "AABBCC");
        /* T=0 first, then T=1, then T=15 with TA 43 (clock stop state L, classes A and B): T0 80,
         * TD1 C0: TC2 14, TD2 B1: TA3 F8 TB3 65 TD3 1F: TA4 43 */
        a = parsed("3B 80 C0 14 B1 F8 65 1F 43 24");
        ck_assert_uint_eq(a.protocols, 3);
        ck_assert_uint_eq(a.first, 0);
        ck_assert_uint_eq(a.wi, 0x14);
        ck_assert_uint_eq(a.ifsc, 0xF8);
        ck_assert_uint_eq(a.bwi, 6);
        ck_assert_uint_eq(a.cwi, 5);
        ck_assert_uint_eq(a.clock_stop, 1);
        ck_assert_uint_eq(a.classes, 3);
        /* of two groups of T=1 the first counts: TD2 91: TA3 40 TD3 11: TA4 80 */
        a = parsed("3B 80 81 91 40 11 80 41");
        ck_assert_uint_eq(a.ifsc, 0x40);
    }
END_TEST

START_TEST(specific_mode)
    {
        struct atr a = parsed("3B 90 18 10 10"); /* TA1 18, TD1 10: T=0, TA2 10: T=0, implicit */

        ck_assert(a.specific && a.implicit);
        ck_assert_uint_eq(a.specific_protocol, 0);
        ck_assert_uint_eq(a.d, 12);
        a = parsed("3B 90 13 11 01 93");
        ck_assert(a.specific && !a.implicit);
        ck_assert_uint_eq(a.specific_protocol, 1);
        ck_assert_uint_eq(a.protocols, 2);
    }
END_TEST

START_TEST(f_and_d_of_all_codes)
    {
        static const unsigned f[16] = {372, 372, 558, 744,  1116, 1488, 1860, 0,
                                       0,   512, 768, 1024, 1536, 2048, 0,    0}; /* table 7 */
        static const unsigned d[16] = {0,  1,  2, 4, 8, 16, 32, 64,
                                       12, 20, 0, 0, 0, 0,  0,  0}; /* table 8 */

        for (unsigned i = 0; i < 16; i++) {
            ck_assert_uint_eq(atr_f((uint8_t)(i << 4)), f[i]);
            ck_assert_uint_eq(atr_d((uint8_t)i), d[i]);
        }
    }
END_TEST

START_TEST(block_waiting_time)
    {
        struct atr a = parsed("3B 00");

        a.bwi = 4; /* 11 x 372 + 16 x 960 x 372 cycles at 4 MHz: 1429.5 ms */
        ck_assert_uint_eq(atr_bwt_ms(&a, 4000), 1430);
        a.bwi = 0; /* 11 x 372 + 960 x 372 at 5 MHz: 72.2 ms */
        ck_assert_uint_eq(atr_bwt_ms(&a, 5000), 73);
        a.bwi = 9;
        ck_assert_uint_eq(atr_bwt_ms(&a, 0),
                          45713); /* a reader that does not say its clock: 4 MHz */
        ck_assert_uint_eq(atr_bwt_ms(&a, 1), 45713); /* or says what no card runs at */
        a.bwi = 15; /* reserved: 32768 x 960 x 372 cycles would be 49 minutes */
        ck_assert_uint_eq(atr_bwt_ms(&a, 4000), 45713);
        a.wi = 10; /* 10 x 960 x 372 cycles at 4 MHz: 892.8 ms */
        ck_assert_uint_eq(atr_wt_ms(&a, 4000), 893);
        a.wi = 255;
        a.f = 2048; /* 255 x 960 x 2048 cycles at 1 MHz: 501.4 s */
        ck_assert_uint_eq(atr_wt_ms(&a, 1000), 501351);
    }
END_TEST

START_TEST(what_is_no_answer_is_refused)
    {
        refused("", "cut short");
        refused("3B", "cut short");
        refused("3C 00", "neither 3B nor 3F");
        refused("3B 10", "TA1");
        refused("3B 80", "TD1");
        refused("3B 80 80", "TD2");
        refused("3B 03 01 02", "historical");
        refused("3B 80 01", "TCK) is missing");
        refused("3B 80 01 80", "TCK) is wrong");
        refused("3B 80 80 01 00", "TCK) is wrong");
        refused("3B 80 80 01 00 01", "TCK) is wrong"); /* the right one behind it does not count */
        refused("3B 80 40 00", "TC2");
        refused("3B 80 81 11 00 10", "IFSC");
        refused("3B 80 81 11 FF EF", "IFSC");
        refused("3B 80 81 21 A5 85", "BWI");
        refused("3B 0F 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F 01 02 03 04 05 06 07 08 09 0A "
                "0B 0C 0D 0E 0F 10 11",
                "34 bytes");
        /* a chain of TDs as long as an answer can be */
        refused("3B 80 80 80 80 80 80 80 80 80 80 80 80 80 80 80 80 80 80 80 80 80 80 80 80 80 80 "
                "80 80 80 80 80 80",
                "TD32");
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("atr");
    TCase *t = tcase_create("atr");

    tcase_add_test(t, the_shortest_is_t0_with_default_parameters);
    tcase_add_test(t, basic_answers_of_emv);
    tcase_add_test(t, historical_bytes_are_handed_out);
    tcase_add_test(t, bytes_behind_its_end_are_left);
    tcase_add_test(t, two_protocols_speed_and_classes);
    tcase_add_test(t, specific_mode);
    tcase_add_test(t, f_and_d_of_all_codes);
    tcase_add_test(t, block_waiting_time);
    tcase_add_test(t, what_is_no_answer_is_refused);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
