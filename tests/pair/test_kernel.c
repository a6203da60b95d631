/* The terminal against paper cards: every clause a row (kernel_rows.h), and what a row cannot say.
 */
#include "unit/unit.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "kernel_rows.h"
#include "paper.h"

static struct paper_keys keys;

static void make_keys(void)
{
    paper_keys_make(&keys);
}

static void free_keys(void)
{
    paper_keys_free(&keys);
}

/* P1 of each GENERATE AC, with commas. */
static void check_ac(const struct paper *p, const char *clause, const char *want)
{
    char text[32] = "";
    size_t n = 0;
    const char *c;

    for (size_t i = 0; (c = paper_nth(p, "80AE", i)) != NULL && n < 28; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.2s", i > 0 ? "," : "", c + 4);
    ck_assert_msg(strcmp(text, want) == 0, "%s: GENERATE AC %s, the Books say %s", clause, text,
                  want);
}

/* Each row on T=1 and on T=0, which are alike to a kernel. */
START_TEST(test_rows)
    {
        const struct row *row = &rows[_i / 2];
        static struct paper p;
        struct paper_terminal t;
        struct transaction *tx;
        struct tp_error e;

        paper_prepare(&p, &t, &keys, row->card, row->answers, row->terminal);
        p.t0 = _i % 2 != 0;
        ck_assert_msg(paper_run(&tx, &p, &t, &e) == TP_OK, "%s: %s", row->clause, e.text);
        ck_assert_msg(transaction_outcome(tx) == row->outcome,
                      "%s: outcome %d, the Books say %d (%s)", row->clause, transaction_outcome(tx),
                      row->outcome, transaction_reason(tx));
        ck_assert_msg(transaction_reason(tx)[0] != '\0', "%s: no reason", row->clause);
        if (row->tvr != NULL) {
            paper_check_hex(tx, row->clause, TAG_TVR, row->tvr);
            paper_check_hex(tx, row->clause, TAG_TSI, row->tsi);
            paper_check_hex(tx, row->clause, TAG_CVM_RESULTS, row->cvm);
        }
        check_ac(&p, row->clause, row->ac);
        for (size_t i = 0; i < p.answers_n; i++)
            ck_assert_msg(p.answers[i].used, "%s: %s was never sent", row->clause,
                          p.answers[i].command);
        ck_assert_msg(t.asked == t.pins_n, "%s: PIN asked %zu times", row->clause, t.asked);
        transaction_free(&tx);
    }
END_TEST

/* Fewest commands: PSE refused, AID, final selection, GPO, its records, GENERATE AC. No GET DATA
 * that nothing needs. */
START_TEST(test_fewest_commands)
    {
        static struct paper p;
        struct paper_terminal t;
        struct transaction *tx;
        struct tp_error e;
        size_t i = 0;

        paper_prepare(&p, &t, &keys, "", "", "");
        ck_ok(paper_run(&tx, &p, &t, &e));
        ck_assert_str_eq(p.log[i++], "00A404000E315041592E5359532E444446303100");
        ck_assert_str_eq(p.log[i++], "00A4040007F000000014101000");
        ck_assert_str_eq(p.log[i++], "00A4040007F000000014101000");
        ck_assert_str_eq(p.log[i++], "80A8000002830000");
        ck_assert_str_eq(p.log[i++], "00B2010C00");
        for (size_t r = 1; r <= p.records_n - 1; r++) {
            char want[32];

            snprintf(want, sizeof(want), "00B2%02zX1400", r);
            ck_assert_str_eq(p.log[i++], want);
        }
        /* CDOL1: amount, other amount, country, TVR, currency, date, type, number, CVM results,
         * terminal type */
        ck_assert_str_eq(p.log[i++], "80AE500021"
                                     "000000001250"
                                     "000000000000"
                                     "0250"
                                     "0000000000"
                                     "0978"
                                     "260601"
                                     "00"
                                     "DEADBEEF"
                                     "1F0002"
                                     "35"
                                     "00");
        ck_assert_uint_eq(p.log_n, i);
        transaction_free(&tx);
    }
END_TEST

/* What an acquirer gets to check the signature by itself: doc/protocol.md. */
START_TEST(test_evidence)
    {
        static struct paper p;
        struct paper_terminal t;
        struct transaction *tx;
        struct tp_error e;
        uint8_t data[2048], aip[2] = {0x39, 0x00};
        struct buf b = BUF_OF(data);

        paper_prepare(&p, &t, &keys, "pdol=9F37049F1A029F7C20", "", "");
        ck_ok(paper_run(&tx, &p, &t, &e));
        ck_assert_int_eq(transaction_outcome(tx), KERNEL_APPROVED);
        for (size_t i = 0; i < p.signed_n; i++)
            ck_ok(buf_put(&b, span_of(p.records[i], p.record_n[i])));
        ck_ok(buf_put(&b, SPAN_OF(aip)));
        ck_assert(span_eq(transaction_get(tx, TAG_EV_STATIC), buf_span(&b)));
        ck_hex(transaction_get(tx, TAG_EV_PDOL_VALUES),
               "DEADBEEF02500000000000000000000000000000000000000000000000000000000000000000");
        ck_hex(transaction_get(tx, TAG_EV_CDOL1_VALUES),
               "000000001250000000000000025000000000000978260601"
               "00"
               "DEADBEEF"
               "1F000235");
        ck_assert_ptr_null(transaction_get(tx, TAG_EV_CDOL2_VALUES).p);
        ck_assert_uint_eq(transaction_get(tx, TAG_EV_RESPONSE).p[0], 0x77);
        ck_hex(transaction_get(tx, TAG_AC), "1122334455667788"); /* out of the signature */
        ck_hex(transaction_get(tx, TAG_ATC), "002A");
        ck_hex(transaction_get(tx, TAG_CID), "40");
        ck_hex(transaction_get(tx, TAG_IAD), "06011203A40000");
        ck_hex(transaction_get(tx, TAG_ICC_DYNAMIC_NUMBER), "112233");
        ck_hex(transaction_get(tx, TAG_ARC), "5931"); /* Y1 */
        ck_hex(transaction_get(tx, TAG_DF_NAME), "F0000000141010");
        ck_assert_int_eq(transaction_authentication(tx)->method, KERNEL_METHOD_CDA);
        ck_assert(transaction_authentication(tx)->ok);
        ck_assert_str_eq(transaction_authentication(tx)->issuer, "999014");
        ck_assert_int_eq(transaction_authentication(tx)->issuer_expiry, 20401231);
        ck_assert_uint_eq(transaction_authentication(tx)->icc_bits, 1024);
        ck_assert_str_eq(transaction_application(tx)->label, "TELEPAY TEST");
        ck_assert(!transaction_live(tx));
        transaction_free(&tx);
    }
END_TEST

/* Second GENERATE AC: 8A and the values of CDOL2 are there, the last response counts. */
START_TEST(test_evidence_second)
    {
        static const struct {
            const char *terminal, *arc;
        } all[] = {
            {"floor=1000", "5933"}, {"floor=1000 arc=00", "3030"}, {"floor=1000 arc=51", "3531"}};

        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
            static struct paper p;
            struct paper_terminal t;
            struct transaction *tx;
            struct tp_error e;
            struct span cdol2;

            paper_prepare(&p, &t, &keys, "9F0F=0000008000", "", all[i].terminal);
            ck_ok(paper_run(&tx, &p, &t, &e));
            ck_hex(transaction_get(tx, TAG_ARC), all[i].arc);
            cdol2 = transaction_get(tx, TAG_EV_CDOL2_VALUES);
            ck_assert_uint_eq(cdol2.n, 34);
            ck_hex(span_of(cdol2.p, 2), all[i].arc);
            ck_hex(span_of(cdol2.p + 27, 4), "DEADBEEF");
            ck_assert_uint_eq(transaction_get(tx, TAG_CID).p[0], i == 2 ? 0x00 : 0x40);
            if (i == 2)
                ck_assert_uint_eq(transaction_get(tx, TAG_SDAD).n,
                                  0); /* the ARQC's signature is not the AAC's */
            transaction_free(&tx);
        }
    }
END_TEST

START_TEST(test_pin_prompts)
    {
        static struct paper p;
        struct paper_terminal t;
        struct transaction *tx;
        struct tp_error e;

        paper_prepare(&p, &t, &keys, X0 "0100", "80CA9F17=9F1701039000 00200080=63C2 00200080=63C1",
                      "pins=1111,2222,1234");
        ck_ok(paper_run(&tx, &p, &t, &e));
        ck_assert_int_eq(transaction_outcome(tx), KERNEL_APPROVED);
        ck_assert_uint_eq(t.tries_seen[0], 3);
        ck_assert_uint_eq(t.tries_seen[1], 2);
        ck_assert_uint_eq(t.tries_seen[2], 1);
        ck_assert(!t.wrong_seen[0] && t.wrong_seen[1] && t.wrong_seen[2]);
        ck_assert_uint_eq(paper_sent(&p, "80CA9F17"), 1);
        ck_assert_str_eq(paper_nth(&p, "00200080", 2), "0020008008241234FFFFFFFFFF");
        ck_assert_uint_eq(transaction_pin_tries(tx), 1);
        ck_assert_uint_eq(transaction_cvm_at(tx, 0)->code, 0x01);
        ck_assert_int_eq(transaction_cvm_at(tx, 0)->result, KERNEL_CVM_OK);
        ck_assert_ptr_null(transaction_cvm_at(tx, 1));
        transaction_free(&tx);

        /* the PIN is there already (Book 4, 6.3.4.1: GET DATA "should" go before VERIFY, so that
         * one is not asked for in vain): VERIFY says what the counter would */
        paper_prepare(&p, &t, &keys, X0 "0100", "80CA9F17=9F1701039000 00200080=63C2",
                      "pins=1111,1234");
        t.tries_untold = true;
        ck_ok(paper_run(&tx, &p, &t, &e));
        ck_assert_int_eq(transaction_outcome(tx), KERNEL_APPROVED);
        ck_assert_uint_eq(paper_sent(&p, "80CA9F17"), 0);
        ck_assert_uint_eq(t.tries_seen[0], 0xFF);
        ck_assert_uint_eq(t.tries_seen[1], 2);
        transaction_free(&tx);
        paper_prepare(&p, &t, &keys, X0 "0100", "00200080=6983", "pins=1234");
        t.tries_untold = true;
        ck_ok(paper_run(&tx, &p, &t, &e));
        ck_assert_uint_eq(paper_sent(&p, "80CA9F17"), 0);
        ck_hex(transaction_get(tx, TAG_TVR), "0000A00000");
        ck_assert_uint_eq(transaction_pin_tries(tx), 0);
        transaction_free(&tx);

        /* no trace of a PIN in what the transaction holds */
        paper_prepare(&p, &t, &keys, X0 "0100", "", "pins=1234");
        ck_ok(paper_run(&tx, &p, &t, &e));
        for (size_t i = 0;; i++) {
            struct span value;
            uint32_t tag;

            if (!transaction_at(tx, i, &tag, &value))
                break;
            ck_assert_uint_ne(tag, TAG_PIN);
            for (size_t k = 0; k + 4 <= value.n; k++)
                ck_assert(memcmp(value.p + k, "\x24\x12\x34\xFF", 4) != 0);
        }
        transaction_free(&tx);
    }
END_TEST

/* A person whose hands fail ends the run as an error, not as a decline. */
START_TEST(test_pin_fault)
    {
        static struct paper p;
        struct paper_terminal t;
        struct transaction *tx;
        struct tp_error e;

        paper_prepare(&p, &t, &keys, X0 "0100", "", "pins=fault");
        ck_assert_int_eq(paper_run(&tx, &p, &t, &e), TP_ERR_IO);
        ck_assert_int_eq(transaction_outcome(tx), KERNEL_TERMINATED);
        transaction_free(&tx);
    }
END_TEST

/* The card leaves at each command in turn: always TP_ERR_CARD, never an approval; and whether the
 * issuer must take its yes back is still known: only where the second GENERATE AC was the command
 * that got no answer. */
START_TEST(test_torn_out)
    {
        static const char *const kinds[][3] = {
            {"", "", ""},
            {X0 "0100", "", "pins=1234"},
            {X0 "0400 PIN=01 9F14=01 9F23=02", "", "pins=1234"},
            {"aip=3800 9F0F=0000008000", "", "floor=1000 arc=00"},
            {"9F0F=0000008000", "", "floor=1000"},
        };
        static struct paper p;

        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
            struct paper_terminal t;
            struct transaction *tx;
            struct tp_error e;
            size_t total;

            paper_prepare(&p, &t, &keys, kinds[k][0], kinds[k][1], kinds[k][2]);
            ck_ok(paper_run(&tx, &p, &t, &e));
            ck_assert_int_eq(transaction_outcome(tx), KERNEL_APPROVED);
            transaction_free(&tx);
            total = p.log_n;
            for (size_t i = 1; i <= total; i++) {
                paper_prepare(&p, &t, &keys, kinds[k][0], kinds[k][1], kinds[k][2]);
                p.leave_at = i;
                ck_assert_int_eq(paper_run(&tx, &p, &t, &e), TP_ERR_CARD);
                ck_assert_int_eq(transaction_outcome(tx), KERNEL_TERMINATED);
                ck_assert_uint_ne(strlen(transaction_reason(tx)), 0);
                ck_assert_int_eq(transaction_reversal_needed(tx),
                                 strstr(kinds[k][2], "arc=00") != NULL && i == total);
                transaction_free(&tx);
                ck_assert_uint_eq(p.log_n, i);
                ck_assert_uint_ne(strlen(e.text), 0);
            }
        }
    }
END_TEST

/* Book 3, 10.6.2: target 20 %, up to 50 %, between 10.00 and 50.00. */
unsigned risk_target_percent(const struct terminal_application *app, int64_t amount);

START_TEST(test_biased_selection)
    {
        const struct terminal_application a = {
            .floor_limit = 5000, .threshold = 1000, .random_target = 20, .random_target_max = 50};
        const struct terminal_application flat = {
            .floor_limit = 5000, .threshold = 1000, .random_target = 20, .random_target_max = 20};
        const struct terminal_application none = {.floor_limit = 5000};

        ck_assert_uint_eq(risk_target_percent(&a, 1), 20);
        ck_assert_uint_eq(risk_target_percent(&a, 999), 20);
        ck_assert_uint_eq(risk_target_percent(&a, 1000), 20);
        ck_assert_uint_eq(risk_target_percent(&a, 3000), 35); /* half way: 20 + 30 / 2 */
        ck_assert_uint_eq(risk_target_percent(&a, 4000),
                          42); /* three quarters: 42.5, and a random number is whole */
        ck_assert_uint_eq(risk_target_percent(&a, 4999), 49);
        ck_assert_uint_eq(risk_target_percent(&a, 5000), 0);
        ck_assert_uint_eq(risk_target_percent(&flat, 4999), 20);
        ck_assert_uint_eq(risk_target_percent(&none, 4999), 0);
    }
END_TEST

/* Book 3, 10.6.1: the terminal's log is asked by card number and sequence number. A log that fails
 * is a fault, not a yes. */
START_TEST(test_memory)
    {
        static struct paper p;
        struct paper_terminal t;
        struct transaction *tx;
        struct tp_error e;

        paper_prepare(&p, &t, &keys, "5F34=12", "", "");
        ck_ok(paper_run(&tx, &p, &t, &e));
        ck_assert_str_eq(t.pan_seen, "9990140000000015");
        ck_assert_int_eq(t.psn_seen, 12);
        transaction_free(&tx);
        paper_prepare(&p, &t, &keys, "-5F34", "", "");
        ck_ok(paper_run(&tx, &p, &t, &e));
        ck_assert_int_eq(t.psn_seen, -1);
        transaction_free(&tx);
        paper_prepare(&p, &t, &keys, "", "", "");
        t.forgetful = true;
        ck_assert_int_eq(paper_run(&tx, &p, &t, &e), TP_ERR_IO);
        ck_assert_int_eq(transaction_outcome(tx), KERNEL_TERMINATED);
        ck_assert_uint_eq(paper_sent(&p, "80AE"), 0);
        transaction_free(&tx);
    }
END_TEST

/* Drawn from 1 to 99: a target of 50 % selects about half of 400, far from none and all (the odds
 * of 100 or 300 are below 1e-20). */
START_TEST(test_random_selection)
    {
        static struct paper p;
        unsigned selected = 0;

        for (unsigned i = 0; i < 400; i++) {
            struct paper_terminal t;
            struct transaction *tx;
            struct tp_error e;

            paper_prepare(&p, &t, &keys, "aip=0800", "", "target=50 threshold=5000");
            ck_ok(paper_run(&tx, &p, &t, &e));
            selected += (transaction_get(tx, TAG_TVR).p[3] & 0x10) != 0 ? 1 : 0;
            transaction_free(&tx);
        }
        ck_assert_uint_gt(selected, 100);
        ck_assert_uint_lt(selected, 300);
    }
END_TEST

/* 98 is the SHA-1 of the TDOL's values: here of the amount. */
START_TEST(test_tc_hash)
    {
        static const uint8_t amount[6] = {0, 0, 0, 0, 0x12, 0x50};
        static struct paper p;
        struct paper_terminal t;
        struct transaction *tx;
        struct tp_error e;
        uint8_t digest[20];

        paper_prepare(&p, &t, &keys, "aip=1800 8C=9814 97=9F0206", "", "");
        ck_ok(paper_run(&tx, &p, &t, &e));
        ck_assert_int_eq(EVP_Q_digest(NULL, "SHA1", NULL, amount, 6, digest, NULL), 1);
        ck_assert(span_eq(transaction_get(tx, TAG_EV_CDOL1_VALUES), SPAN_OF(digest)));
        transaction_free(&tx);
    }
END_TEST

/* What the terminal does not know goes back to no card, though its record had it: Book 3, 5.4,
 * step 2. */
START_TEST(test_unknown_tag)
    {
        static struct paper p;
        struct paper_terminal t;
        struct transaction *tx;
        struct tp_error e;

        paper_prepare(&p, &t, &keys, "aip=1800 8C=9F61049F0206 9F61=31323334", "", "");
        ck_ok(paper_run(&tx, &p, &t, &e));
        ck_hex(transaction_get(tx, TAG_EV_CDOL1_VALUES), "00000000000000001250");
        transaction_free(&tx);
    }
END_TEST

/* A file of 11 to 30 takes part in the authentication with its template's tag and length; its
 * objects are nobody's. */
START_TEST(test_proprietary_file)
    {
        static struct paper p;
        struct paper_terminal t;
        struct transaction *tx;
        struct tp_error e;
        struct span got;

        paper_prepare(&p, &t, &keys,
                      "gpo=770E8202580094080801010158010101"
                      "9000",
                      "00B2015C=70049F0501AA9000", "");
        ck_ok(paper_run(&tx, &p, &t, &e));
        got = transaction_get(tx, TAG_EV_STATIC);
        ck_assert_uint_gt(got.n, 8);
        ck_hex(span_of(got.p + got.n - 8, 8), "70049F0501AA5800");
        ck_assert_ptr_null(transaction_get(tx, 0x9F05).p);
        ck_assert_int_eq(transaction_outcome(tx), KERNEL_APPROVED);
        transaction_free(&tx);

        /* and one that is not template 70 fails the authentication, not the transaction: 10.3 */
        paper_prepare(&p, &t, &keys,
                      "gpo=770E8202580094080801010158010101"
                      "9000",
                      "00B2015C=11223344559000", "");
        ck_ok(paper_run(&tx, &p, &t, &e));
        paper_check_hex(tx, "10.3", TAG_TVR,
                        "6200000000"); /* that AFL names no issuer certificate */
        ck_assert_int_eq(transaction_outcome(tx), KERNEL_APPROVED);
        transaction_free(&tx);
    }
END_TEST

/* An ARQC that the issuer call fails on with an error of its own. */
START_TEST(test_reasons)
    {
        static const struct {
            const char *card, *answers, *terminal, *reason;
        } all[] = {
            {"", "80A8=6A81", "", "the card answered 6A81 to GET PROCESSING OPTIONS: "},
            {"-8C", "", "", "the card lacks Card Risk Management Data Object List 1 (CDOL1)"},
            {"9F0E=0000008000", "", "floor=1000",
             "declined by the terminal: Transaction exceeds floor limit"},
            {"9F0E=0000008000", "", "spent=3750",
             "declined by the terminal: Transaction exceeds floor limit, with what this card paid "
             "here before"},
            {"ac1=00", "", "", "declined by the card"},
            {"sdad1=data", "", "",
             "the card's signature is not right: the transaction data are not those the card "
             "signed"},
            {"", "00A4=6A82 00A4=6A82", "",
             "the card has no payment application that this terminal takes"},
            {"9F0F=0000008000", "", "floor=1000 arc=05",
             "declined by the terminal: the issuer refuses"},
            {"9F0F=0000008000 -9F0D", "", "floor=1000",
             "declined by the terminal: the issuer would have to approve it and cannot be reached "
             "(Transaction exceeds floor limit)"},
        };
        static struct paper p;

        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
            struct paper_terminal t;
            struct transaction *tx;
            struct tp_error e;

            paper_prepare(&p, &t, &keys, all[i].card, all[i].answers, all[i].terminal);
            ck_ok(paper_run(&tx, &p, &t, &e));
            ck_assert_msg(strncmp(transaction_reason(tx), all[i].reason, strlen(all[i].reason)) ==
                              0,
                          "\"%s\" is not \"%s\"", transaction_reason(tx), all[i].reason);
            transaction_free(&tx);
        }
    }
END_TEST

/* What failed of the authentication, told apart; a key past the date in its list is used and told
 * (Book 2, 11.2.3). */
START_TEST(test_authentication_words)
    {
        static const struct {
            const char *card, *terminal, *failed_at;
            enum emv_check check;
            bool expired;
        } all[] = {
            {"", "", NULL, EMV_CHECK_OK, false},
            {"8F=03", "", NULL, EMV_CHECK_OK, true},
            {"8F=02", "", "authority key", EMV_CHECK_NO_KEY, false},
            {"8F=0101", "", "authority key", EMV_CHECK_NO_KEY, false},
            {"aip=3800 9F49=9A03", "", "DDOL", EMV_CHECK_NO_UN, false},
            {"aip=3800 -9F49", "noddol", "DDOL", EMV_CHECK_NO_UN, false},
            {"-92", "", "issuer certificate", EMV_CHECK_DATA_MISSING, false},
        };
        static struct paper p;

        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
            const struct kernel_authentication *a;
            struct paper_terminal t;
            struct transaction *tx;
            struct tp_error e;

            paper_prepare(&p, &t, &keys, all[i].card, "", all[i].terminal);
            ck_ok(paper_run(&tx, &p, &t, &e));
            a = transaction_authentication(tx);
            ck_assert_pstr_eq(a->failed_at, all[i].failed_at);
            ck_assert_int_eq(a->check, all[i].check);
            ck_assert_int_eq(a->authority_expired, all[i].expired);
            transaction_free(&tx);
        }
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("kernel");
    TCase *c = tcase_create("paper");

    tcase_add_unchecked_fixture(c, make_keys, free_keys);
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, test_rows, 0, 2 * (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(c, test_fewest_commands);
    tcase_add_test(c, test_evidence);
    tcase_add_test(c, test_evidence_second);
    tcase_add_test(c, test_pin_prompts);
    tcase_add_test(c, test_pin_fault);
    tcase_add_test(c, test_torn_out);
    tcase_add_test(c, test_biased_selection);
    tcase_add_test(c, test_random_selection);
    tcase_add_test(c, test_memory);
    tcase_add_test(c, test_tc_hash);
    tcase_add_test(c, test_proprietary_file);
    tcase_add_test(c, test_reasons);
    tcase_add_test(c, test_unknown_tag);
    tcase_add_test(c, test_authentication_words);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
