/* SELECT, the directory, GET PROCESSING OPTIONS, READ RECORD, GET DATA, order of commands: what
 * EMV 4.4 Books 1 and 3 say. */
#include "card_rig.h"

#define PSE "00A404000E315041592E5359532E444446303100"

START_TEST(atr_is_the_basic_atr_of_t1)
    {
        struct rig r;
        struct perso_params p;
        uint8_t raw[33], tck = 0;
        struct buf atr = BUF_OF(raw);

        rig_params(&p);
        rig_start(&r, &p);
        ck_ok(card_power_on(r.card, &atr));
        /* EMV 4.3 Book 1, 8.3: T0 = Ex, TB1 = 00, TC1 = 00, TD1 = 81, TD2 = 31, TA3 10..FE, TB3;
         * then historical bytes and TCK */
        ck_hex(span_of(raw, 8), "3BE700008131FE45");
        ck_assert_uint_eq(atr.n, 8 + 7 + 1);
        for (size_t i = 1; i < atr.n; i++)
            tck ^= raw[i];
        ck_assert_uint_eq(tck, 0);
        rig_end(&r);
    }
END_TEST

START_TEST(directory_lists_the_application)
    {
        struct rig r;
        struct perso_params p;

        rig_params(&p);
        rig_start(&r, &p);
        ck_assert_uint_eq(rig_send(&r, PSE), 0x9000);
        /* Book 1, table 8: 6F { 84 "1PAY.SYS.DDF01", A5 { 88 SFI, 5F2D, 9F11 } } */
        ck_hex(rig_answer(&r),
               "6F20840E315041592E5359532E4444463031A50E8801015F2D04656E66729F110101");
        ck_assert_uint_eq(rig_send(&r, "00B2010C00"), 0x9000);
        /* Book 1, tables 46 and 47: 70 { 61 { 4F, 50, 87 } } */
        ck_hex(rig_answer(&r), "701C611A4F07F0000000141010500C54454C4550415920544553548701"
                               "01");
        ck_assert_uint_eq(rig_send(&r, "00B2020C00"), 0x6A83);
        ck_assert_uint_eq(rig_send(&r, "00B2000C00"), 0x6A83);
        ck_assert_uint_eq(rig_send(&r, "00B2011400"), 0x6A82); /* no such file in the directory */
        ck_assert_uint_eq(rig_send(&r, RIG_GPO), 0x6985);      /* the directory is no application */
        rig_end(&r);
    }
END_TEST

START_TEST(card_without_directory)
    {
        struct rig r;
        struct perso_params p;

        rig_params(&p);
        p.no_pse = true;
        rig_start(&r, &p);
        ck_assert_uint_eq(rig_send(&r, PSE), 0x6A82);
        ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x9000);
        rig_end(&r);
    }
END_TEST

START_TEST(fci_of_the_application)
    {
        struct rig r;
        struct perso_params p;

        rig_params(&p);
        p.apps[0].preferred = "PORT";
        rig_start(&r, &p);
        ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x9000);
        /* Book 1, table 10: 6F { 84, A5 { 50, 87, 9F38, 5F2D, 9F11, 9F12, BF0C { 9F4D } } } */
        ck_hex(rig_answer(&r), "6F42"
                               "8407F0000000141010"
                               "A537"
                               "500C54454C455041592054455354"
                               "870101"
                               "9F38099F33039F1A029F3501"
                               "5F2D04656E6672"
                               "9F110101"
                               "9F1204504F5254"
                               "BF0C059F4D020B0A");
        rig_end(&r);
    }
END_TEST

START_TEST(partial_names_and_next_occurrence)
    {
        struct rig r;
        struct perso_params p;

        rig_params(&p);
        p.apps[1] = (struct perso_app){"F000000014101001", "SECOND", "", 2, false, false};
        p.apps[2] = (struct perso_app){"F0000000149999", "OTHER", "", 3, false, false};
        p.apps_n = 3;
        rig_start(&r, &p);
        ck_assert_uint_eq(rig_send(&r, "00B2010C00"), 0x6985); /* nothing is selected */
        ck_assert_uint_eq(rig_send(&r, "00A4040205F00000001400"),
                          0x6A82); /* no first occurrence yet */
        ck_assert_uint_eq(rig_send(&r, "00A4040005F00000001400"),
                          0x9000); /* by RID: Book 1, 12.3.1 */
        ck_hex(rig_value(&r, 0x84), "F0000000141010");
        ck_assert_uint_eq(rig_send(&r, "00A4040205F00000001400"), 0x9000);
        ck_hex(rig_value(&r, 0x84), "F000000014101001");
        ck_assert_uint_eq(rig_send(&r, "00A4040205F00000001400"), 0x9000);
        ck_hex(rig_value(&r, 0x84), "F0000000149999");
        ck_assert_uint_eq(rig_send(&r, "00A4040205F00000001400"), 0x6A82);
        ck_assert_uint_eq(rig_send(&r, "00A4040007F000000014101000"), 0x9000);
        ck_assert_uint_eq(rig_send(&r, "00A4040207F000000014101000"), 0x9000);
        ck_hex(rig_value(&r, 0x84), "F000000014101001");
        ck_assert_uint_eq(rig_send(&r, "00A4040207F000000014101000"), 0x6A82);
        /* two templates 61 in a record, the third application in record 2 */
        ck_assert_uint_eq(rig_send(&r, PSE), 0x9000);
        ck_assert_uint_eq(rig_send(&r, "00B2020C00"), 0x9000);
        ck_hex(rig_value(&r, 0x4F), "F0000000149999");
        ck_assert_uint_eq(rig_send(&r, "00B2030C00"), 0x6A83);
        rig_end(&r);
    }
END_TEST

START_TEST(blocked_application_says_so)
    {
        struct rig r;
        struct perso_params p;

        rig_params(&p);
        p.blocked = true;
        rig_start(&r, &p);
        ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x6283); /* Book 1, 11.3.5: with the FCI */
        ck_hex(rig_value(&r, 0x84), "F0000000141010");
        ck_assert_uint_eq(rig_send(&r, RIG_GPO), 0x9000);
        ck_assert_uint_eq(rig_first_ac(&r, "40"),
                          0x9000); /* Book 3, 6.5.5: a blocked application gives AACs only */
        ck_hex(rig_value(&r, 0x9F27), "00");
        rig_end(&r);
    }
END_TEST

START_TEST(wrong_commands_get_the_right_status_words)
    {
        static const struct {
            const char *command;
            unsigned sw;
        } lines[] = {
            {"00A4000007F000000014101000", 0x6A86}, /* SELECT by file identifier */
            {"00A4040107F000000014101000", 0x6A86}, /* P2 */
            {"00A4040004F000000000", 0x6700},       /* a name has 5 to 16 bytes */
            {"80A4040007F000000014101000", 0x6E00}, /* class */
            {"00A4040007F0000000149998", 0x6A82},   /* no such application; no Le */
            {"A0A4040007F000000014101000", 0x6E00},
            {"FFCA000000", 0x6E00},
            {"00DA000000", 0x6D00}, /* instruction */
            {"80CA9F3600", 0x6985}, /* nothing selected */
            {"0084000000", 0x6985},
            {RIG_GPO, 0x6985},
            {"00A40400", 0x6700},       /* no data */
            {"00A404000E3150", 0x6700}, /* Lc beyond the end */
            {"00A4", 0x6700},           /* no header */
        };
        struct rig r;
        struct perso_params p;

        rig_params(&p);
        rig_start(&r, &p);
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
            ck_assert_msg(rig_send(&r, lines[i].command) == lines[i].sw, "%s gives %04X, not %04X",
                          lines[i].command, r.sw, lines[i].sw);
        rig_end(&r);
    }
END_TEST

START_TEST(wrong_commands_in_an_application)
    {
        static const struct {
            const char *command;
            unsigned sw;
        } lines[] = {
            {"00B2010C00", 0x6985},                 /* records before GPO */
            {"00200080082412345FFFFFFFFF", 0x6985}, /* VERIFY before GPO */
            {"008800000411223344 00", 0x6985},      /* INTERNAL AUTHENTICATE before GPO */
            {"80AE400002000000", 0x6985},           /* GENERATE AC before GPO */
            {"80A8010008 8306 2098C8 0250 35 00", 0x6A86},
            {"80A8000007 8305 2098C8 0250 00", 0x6700}, /* not what the PDOL asks for */
            {"80A8000008 8406 2098C8 0250 35 00", 0x6A80},
            {"80A8000006 2098C8 0250 35 00", 0x6A80}, /* no template 83 */
            {"00A8000008 8306 2098C8 0250 35 00", 0x6E00},
            {RIG_GPO, 0x9000},
            {RIG_GPO, 0x6985}, /* once in a transaction */
            {"00B2010D00", 0x6A86},
            {"00B2010400", 0x6A86}, /* SFI 0 */
            {"00B201FC00", 0x6A86}, /* SFI 31 */
            {"00B2031400", 0x6A83}, /* file 2 has two records */
            {"00B2012400", 0x6A83},
            {"00B2015C00", 0x6A83}, /* the log is empty */
            {"80CA9F3800", 0x6A88},
            {"00CA9F3600", 0x6E00},
            {"0084000100", 0x6A86},
            {"00200000082412345FFFFFFFFF", 0x6A86}, /* VERIFY, P2 not plaintext */
            {"002000800724123FFFFFFFFF", 0x6700},
            {"00880000051122334455 00", 0x6700}, /* DDOL asks for 4 bytes */
            {"80AEC00002000000", 0x6A86},
            {"80AE400102000000", 0x6A86},
            {"80AE410002000000", 0x6A86},
            {"80AE400002000000", 0x6700}, /* not what CDOL1 asks for */
        };
        struct rig r;
        struct perso_params p;

        rig_params(&p);
        rig_start(&r, &p);
        ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x9000);
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
            ck_assert_msg(rig_send(&r, lines[i].command) == lines[i].sw, "%s gives %04X, not %04X",
                          lines[i].command, r.sw, lines[i].sw);
        ck_assert_uint_eq(rig_send(&r, "80CA9F1700"), 0x9000); /* none of that cost a PIN try */
        ck_hex(rig_answer(&r), "9F170103");
        rig_end(&r);
    }
END_TEST

START_TEST(processing_options_in_both_formats)
    {
        struct rig r;
        struct perso_params p;

        rig_params(&p);
        rig_start(&r, &p);
        rig_begin(&r);
        ck_hex(rig_answer(&r), "7712"
                               "82023900"
                               "940C080101001001020218010300"); /* Book 3, 6.5.8.4: format 2 */
        rig_end(&r);
        p.format = 1;
        p.pdol = "";
        rig_start(&r, &p);
        ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x9000);
        ck_assert_uint_eq(rig_send(&r, RIG_GPO), 0x6700);
        ck_assert_uint_eq(rig_send(&r, "80A8000002830000"), 0x9000); /* no PDOL: an empty 83 */
        ck_hex(rig_answer(&r), "800E3900080101001001020218010300");  /* format 1: AIP, AFL */
        rig_end(&r);
    }
END_TEST

START_TEST(counters_by_get_data)
    {
        struct rig r;
        struct perso_params p;

        rig_params(&p);
        rig_start(&r, &p);
        ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x9000);
        ck_assert_uint_eq(rig_send(&r, "80CA9F3600"), 0x9000);
        ck_hex(rig_answer(&r), "9F36020000");
        ck_assert_uint_eq(rig_send(&r, RIG_GPO), 0x9000);
        ck_assert_uint_eq(rig_send(&r, "80CA9F3600"),
                          0x9000); /* Book 3, 6.5.8: GPO counts the transaction */
        ck_hex(rig_answer(&r), "9F36020001");
        ck_assert_uint_eq(rig_send(&r, "80CA9F1300"), 0x9000);
        ck_hex(rig_answer(&r), "9F13020000");
        ck_assert_uint_eq(rig_send(&r, "80CA9F4F00"), 0x9000);
        ck_hex(rig_answer(&r), "9F4F139F27019F02065F2A029A039C019F36029F1A02");
        ck_assert_uint_eq(rig_send(&r, "0084000000"), 0x9000);
        ck_assert_uint_eq(r.answer_n, 8);
        rig_begin(&r);
        ck_assert_uint_eq(rig_send(&r, "80CA9F3600"), 0x9000);
        ck_hex(rig_answer(&r), "9F36020002");
        rig_end(&r);
    }
END_TEST

START_TEST(le_too_small_is_told_the_right_one)
    {
        struct rig r;
        struct perso_params p;

        rig_params(&p);
        rig_start(&r, &p);
        ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x9000);
        ck_assert_uint_eq(rig_send(&r, "80CA9F3602"), 0x6C05);
        ck_assert_uint_eq(rig_send(&r, "80CA9F3605"), 0x9000);
        rig_end(&r);
    }
END_TEST

START_TEST(t0_hands_data_out_by_get_response)
    {
        struct rig r;
        struct perso_params p;
        uint8_t raw[33];
        struct buf atr = BUF_OF(raw);

        rig_params(&p);
        p.t0 = true;
        rig_start(&r, &p);
        ck_ok(card_power_on(r.card, &atr));
        ck_hex(buf_span(&atr),
               "3B67000054454C45504159"); /* EMV 4.3 Book 1, 8.3: TB1 = 00, TC1; no TCK for T=0 */
        ck_assert_uint_eq(rig_send(&r, "00A4040007F0000000141010"), 0x6139);
        ck_assert_uint_eq(rig_send(&r, "00C0000000"), 0x6C39);
        ck_assert_uint_eq(rig_send(&r, "00C0000039"), 0x9000);
        ck_assert_uint_eq(r.answer_n, 0x39);
        ck_assert_uint_eq(r.answer[0], 0x6F);
        ck_assert_uint_eq(rig_send(&r, "00C0000039"), 0x6D00); /* nothing waits any more */
        ck_assert_uint_eq(rig_send(&r, "80CA9F3600"), 0x6C05);
        ck_assert_uint_eq(rig_send(&r, "80CA9F3605"), 0x9000);
        rig_end(&r);
    }
END_TEST

START_TEST(power_off_forgets_the_session)
    {
        struct rig r;
        struct perso_params p;
        uint8_t raw[64];
        struct buf b = BUF_OF(raw);

        rig_params(&p);
        rig_start(&r, &p);
        rig_begin(&r);
        card_power_off(r.card);
        UNHEX(command, "80CA9F3600");
        ck_assert_int_eq(card_transmit(r.card, command, &b), TP_ERR_STATE);
        ck_ok(card_power_on(r.card, &b));
        ck_assert_uint_eq(rig_send(&r, "80CA9F3600"), 0x6985);
        rig_end(&r);
    }
END_TEST

/* Each application has a block of its own (6283: Book 1, 12.3.1); the others are as they were. The
 * directory has two entries a record. */
START_TEST(one_of_four_is_blocked)
    {
        static const char *const selects[] = {
            "00A4040007F000000014101000", "00A4040008F00000001410100100",
            "00A4040008F00000001410100200", "00A4040008F00000001410100300"};
        static const unsigned sw[] = {0x9000, 0x9000, 0x6283, 0x9000};
        struct rig r;
        struct perso_params p;

        rig_params(&p);
        p.apps[1] = (struct perso_app){"F000000014101001", "SECOND", "", 2, true, false};
        p.apps[2] = (struct perso_app){"F000000014101002", "THIRD", "", 3, false, true};
        p.apps[3] = (struct perso_app){"F000000014101003", "FOURTH", "", 4, false, false};
        p.apps_n = 4;
        p.cdol1 = "9F02069F03069F1A0295055F2A029A039C019F37049F35019F34039F33039F1E089F09029F41049F"
                  "06079F7C20"; /* RIG_CDOL1 */
        rig_start(&r, &p);
        for (size_t i = 0; i < 4; i++) {
            ck_assert_uint_eq(rig_send(&r, selects[i]), sw[i]);
            ck_assert_uint_eq(rig_send(&r, RIG_GPO), 0x9000);
            ck_assert_uint_eq(rig_first_ac(&r, "40"), 0x9000);
            ck_hex(rig_value(&r, 0x9F27),
                   sw[i] == 0x9000 ? "40" : "00"); /* a blocked one declines: Book 3, 6.5.1 */
        }
        ck_assert_uint_eq(rig_send(&r, "00A404000E315041592E5359532E444446303100"), 0x9000);
        ck_assert_uint_eq(rig_send(&r, "00B2010C00"), 0x9000);
        ck_hex(rig_value(&r, 0x87), "01");
        ck_assert_uint_eq(rig_send(&r, "00B2020C00"), 0x9000);
        ck_hex(rig_value(&r, 0x4F), "F000000014101002");
        ck_assert_uint_eq(rig_send(&r, "00B2030C00"), 0x6A83);
        rig_end(&r);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("card_select");
    TCase *t = tcase_create("card_select");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, atr_is_the_basic_atr_of_t1);
    tcase_add_test(t, directory_lists_the_application);
    tcase_add_test(t, card_without_directory);
    tcase_add_test(t, fci_of_the_application);
    tcase_add_test(t, partial_names_and_next_occurrence);
    tcase_add_test(t, blocked_application_says_so);
    tcase_add_test(t, wrong_commands_get_the_right_status_words);
    tcase_add_test(t, wrong_commands_in_an_application);
    tcase_add_test(t, processing_options_in_both_formats);
    tcase_add_test(t, counters_by_get_data);
    tcase_add_test(t, le_too_small_is_told_the_right_one);
    tcase_add_test(t, t0_hands_data_out_by_get_response);
    tcase_add_test(t, power_off_forgets_the_session);
    tcase_add_test(t, one_of_four_is_blocked);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
