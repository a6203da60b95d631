/* The checks of a 0200 (doc/design.md, Order of checks) one by one, on card-signed messages made by
 * tests/tools/cardsign.c; no server. */
#include "unit.h"

#include <stdio.h>
#include <time.h>

#include "acquirer/check.h"
#include "acquirer/state.h"
#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "base/date.h"
#include "crypto/payee.h"
#include "ledger/payee.h"
#include "office.h"
#include "store/db.h"

static struct office office;
static struct signed_card card;
static struct checker checker;
static struct capk_store *authorities;
static struct party party = {.contract = OFFICE_CONTRACT, .terminal = OFFICE_TERMINAL};

static struct made made;
static struct payment payment;
static struct terms usual;
static uint16_t next_atc;
static uint32_t next_stan;

static void setup(void)
{
    office_make(&office, NULL, 1);
    MUST(signer_card(&card, &office.signer, 7));
    MUST(acquirer_open_ledger(&checker.ledger, office.dir, &office_error));
    MUST(seal_open_dir(&checker.seal, office.dir, &office_error));
    MUST(acquirer_load_authorities(&authorities, office.dir, &office_error));
    MUST(evidence_cache_new(&checker.cache, authorities, 64));
    MUST(ledger_acquirer_id(checker.ledger, checker.acquirer, &office_error));
}

static void teardown(void)
{
    evidence_cache_free(&checker.cache);
    capk_store_free(&authorities);
    seal_free(&checker.seal);
    ledger_close(&checker.ledger);
    office_remove(&office);
}

static void fresh(void)
{
    terms_usual(&usual, &card, ++next_atc);
}

static void make(const struct terms *signed_, const struct terms *said)
{
    const struct place where = {OFFICE_CONTRACT, OFFICE_TERMINAL, ++next_stan, OFFICE_MCC};

    ck_ok(made_payment(&made, &office.signer, &card, signed_, said, &where));
}

static void make_at(const char *contract, const char *terminal)
{
    const struct place where = {contract, terminal, ++next_stan, OFFICE_MCC};

    ck_ok(made_payment(&made, &office.signer, &card, &usual, &usual, &where));
}

static struct wire_answer answer;
static enum check_outcome outcome;

/* The checks, and then, for what they let through, the books: as the committer asks them, but kept
 * only in keep(). */
static void judge_of(struct party *who, const struct iso8583 *m)
{
    enum ledger_verdict verdict;
    struct tp_error e = {TP_OK, ""};

    ck_assert_msg(
        check_payment(&outcome, &answer, &payment, &checker, m, NULL, who, time(NULL), &e) == TP_OK,
        "%s", e.text);
    if (outcome != CHECK_KEEP)
        return;
    MUST(ledger_group_begin(checker.ledger, &office_error));
    ck_assert_msg(ledger_acknowledge(checker.ledger, &payment.tx, &verdict, &e) == TP_OK, "%s",
                  e.text);
    ledger_group_rollback(checker.ledger);
    if (check_verdict(&answer, verdict, payment.tx.rrn))
        outcome = verdict == LEDGER_REPEAT ? CHECK_REPEATED : CHECK_REFUSED;
}

static void judge(const struct iso8583 *m)
{
    judge_of(&party, m);
}

static void ck_kept(void)
{
    judge(&made.message);
    ck_assert_msg(outcome == CHECK_KEEP, "%s %s", answer.code, answer.reason);
}

/* Its issuer has to be asked: for an ARQC, or for a TC over the floor. */
static void ck_asked(bool online)
{
    judge(&made.message);
    ck_assert_msg(outcome == CHECK_ASK && payment.tx.emv.online == online, "%s %s", answer.code,
                  answer.reason);
}

static void ck_refused(const char *code, const char *reason)
{
    judge(&made.message);
    ck_assert_msg(outcome == CHECK_REFUSED && strcmp(answer.code, code) == 0 &&
                      strcmp(answer.reason, reason) == 0,
                  "%s %s, not %s %s", answer.code, answer.reason, code, reason);
}

static void ck_differs(const struct terms *said, const char *code, const char *reason)
{
    make(&usual, said);
    ck_refused(code, reason);
}

/* What check_payment lets through, kept as the server keeps it. */
static void keep(enum ledger_verdict wanted)
{
    enum ledger_verdict verdict;
    struct tp_error e = {TP_OK, ""};

    MUST(ledger_group_begin(checker.ledger, &office_error));
    ck_assert_msg(ledger_acknowledge(checker.ledger, &payment.tx, &verdict, &e) == TP_OK, "%s",
                  e.text);
    MUST(ledger_group_commit(checker.ledger, &office_error));
    ck_assert_int_eq(verdict, wanted);
}

START_TEST(a_good_payment)
    {
        fresh();
        make(&usual, &usual);
        ck_kept();
        ck_assert_int_eq(payment.tx.amount, 1250);
        ck_assert_int_eq(payment.tx.kind, TX_DEBIT);
        ck_assert_uint_eq(payment.tx.emv.atc, usual.atc);
        ck_assert_int_eq(payment.tx.emv.card_expiry, 20301231);
        ck_assert_int_eq(payment.tx.local_time, (int64_t)usual.date * 1000000 + usual.time);
        ck_assert_uint_eq(payment.tx.emv.psn, 1);
        ck_assert_mem_eq(payment.tx.emv.ac, usual.ac, 8);
        ck_assert_uint_eq(strlen(payment.tx.pan_masked), 16);
        ck_assert_ptr_nonnull(strstr(payment.tx.pan_masked, "******"));
        ck_assert(!span_eq(payment.tx.pan_sealed, span_str(card.pan)));
        ck_assert_uint_eq(payment.tx.pan_sealed.n, 16 + SEAL_OVERHEAD);
    }
END_TEST

START_TEST(a_credit_and_a_second_generate_ac)
    {
        fresh();
        usual.type = 0x20;
        make(&usual, &usual);
        ck_asked(false); /* whatever its amount */
        ck_assert_int_eq(payment.tx.kind, TX_CREDIT);
        ck_assert_str_eq(payment.tx.undoes, "");
        fresh();
        usual.type = 0x20;
        make(&usual, &usual);
        iso8583_set_text(&made.message, 37, "632700000001");
        ck_asked(false);
        ck_assert_str_eq(payment.tx.undoes, "632700000001");
        iso8583_set_text(&made.message, 37, "63270000000A"); /* no reference */
        ck_refused("30", "DE37");
        fresh();
        make(&usual, &usual);
        iso8583_set_text(&made.message, 37, "632700000001"); /* a debit gives nothing back */
        ck_refused("30", "DE37");
        fresh();
        usual.second = true;
        make(&usual, &usual);
        ck_kept();
    }
END_TEST

/* ---- what the message says is not what the card signed ---- */

START_TEST(the_message_differs_from_what_was_signed)
    {
        struct terms said;

        fresh();
        said = usual;
        said.amount++;
        ck_differs(&said, "63", "SIGNED_AMOUNT");
        said = usual;
        said.date = date_of(time(NULL) - 86400);
        ck_differs(&said, "63", "SIGNED_DATE");
        said = usual;
        said.un[3] ^= 1;
        ck_differs(&said, "63", "SDAD_HASH"); /* the number is part of what the signature covers */
        said = usual;
        said.ac[0] ^= 1;
        ck_differs(&said, "63", "SIGNED_AC");
        said = usual;
        said.atc++;
        ck_differs(&said, "63", "SIGNED_ATC");
        said = usual;
        said.cid = 0x80;
        ck_differs(&said, "63", "SIGNED_CID");
        said = usual;
        said.type = 0x20;
        ck_differs(&said, "63", "SIGNED_TYPE");
        said = usual;
        said.country = 56;
        ck_differs(&said, "63", "SIGNED_COUNTRY");
        said = usual;
        said.cvm[2] = 0;
        ck_differs(&said, "63", "SIGNED_CVM");
        said = usual;
        said.tvr[0] = 0x80;
        ck_differs(&said, "63", "SIGNED_TVR");
        said = usual;
        said.psn = 2;
        ck_differs(&said, "63", "SIGNED_PSN");
        said = usual;
        said.expiry = 3101;
        ck_differs(&said, "63", "SIGNED_EXPIRY");
        said = usual;
        snprintf(said.pan, sizeof(said.pan), "9990140000000015");
        ck_differs(&said, "63", "SIGNED_PAN");
        said = usual;
        said.currency = 840;
        ck_differs(&said, "12", "CURRENCY"); /* not the contract's, whatever was signed */
        make(&usual, &usual);
        ck_kept();
    }
END_TEST

START_TEST(the_card_signed_another_currency)
    {
        struct terms said;

        fresh();
        said = usual;
        usual.currency = 840;
        ck_differs(&said, "63", "SIGNED_CURRENCY");
    }
END_TEST

/* The fields of ISO 8583 say it otherwise than DE 55, which agrees with the card. */
START_TEST(the_fields_differ_from_de55)
    {
        fresh();
        make(&usual, &usual);
        iso8583_set_number(&made.message, 4, 1251);
        ck_refused("63", "SIGNED_AMOUNT");
        make(&usual, &usual);
        iso8583_set_text(&made.message, 3, "200000");
        ck_refused("63", "SIGNED_TYPE");
        make(&usual, &usual);
        iso8583_set_number(&made.message, 13, usual.date % 10000 == 101 ? 102 : 101);
        ck_refused("30", "DE13");
        make(&usual, &usual);
        iso8583_set_text(&made.message, 14, "3101");
        ck_refused("63", "SIGNED_EXPIRY");
        make(&usual, &usual);
        iso8583_set_text(&made.message, 23, "2");
        ck_refused("63", "SIGNED_PSN");
        make(&usual, &usual);
        iso8583_set_text(&made.message, 2, "9990140000000015");
        ck_refused("63", "SIGNED_PAN");
    }
END_TEST

/* ---- the rest of the table of DE 39 ---- */

START_TEST(format)
    {
        static const unsigned needed[] = {2, 3, 4, 7, 11, 12, 13, 14, 22, 25, 49, 55, 61};
        char reason[WIRE_REASON_MAX];

        fresh();
        for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
            make(&usual, &usual);
            made.message.field[needed[i]] = (struct span){NULL, 0};
            snprintf(reason, sizeof(reason), "DE%u_MISSING", needed[i]);
            ck_refused("30", reason);
        }
        make(&usual, &usual);
        iso8583_set_text(&made.message, 12, "240000");
        ck_refused("30", "DE12");
        make(&usual, &usual);
        iso8583_set_text(&made.message, 14, "3013");
        ck_refused("30", "DE14");
        make(&usual, &usual);
        iso8583_set_text(&made.message, 2, "9990140");
        ck_refused("30", "DE2");
        make(&usual, &usual);
        iso8583_set(&made.message, 55, span_of("\x9F\x26\x08", 3));
        ck_refused("30", "DE55");
        make(&usual, &usual);
        iso8583_set(&made.message, 55, span_of("\x9F\x26\x01\x00", 4));
        ck_refused("30", "DE55_9A");
    }
END_TEST

START_TEST(amount_code_currency_mcc)
    {
        fresh();
        make(&usual, &usual);
        iso8583_set_number(&made.message, 4, 0);
        ck_refused("13", "AMOUNT");
        make(&usual, &usual);
        iso8583_set_text(&made.message, 3, "010000");
        ck_refused("12", "PROCESSING_CODE");
        make(&usual, &usual);
        iso8583_set_text(&made.message, 49, "EUR");
        ck_refused("12", "CURRENCY");
        make(&usual, &usual);
        iso8583_set_text(&made.message, 18, "6011");
        ck_refused("12", "MCC");
    }
END_TEST

START_TEST(who_speaks)
    {
        struct party other_terminal = {.contract = OFFICE_CONTRACT, .terminal = "00000002"},
                     other_contract = {.contract = "000000000000999", .terminal = OFFICE_TERMINAL};

        fresh();
        make(&usual, &usual);
        judge_of(&other_terminal, &made.message);
        ck_assert_str_eq(answer.code, "58");
        judge_of(&other_contract, &made.message);
        ck_assert_str_eq(answer.code, "58");
        iso8583_set_text(&made.message, 42, "000000000000999");
        judge_of(&other_contract, &made.message);
        ck_assert_str_eq(answer.code, "03"); /* its certificate is right, its contract unknown */
    }
END_TEST

START_TEST(closed_contract_and_terminal)
    {
        struct party second = {.contract = OFFICE_CONTRACT, .terminal = "00000009"},
                     third = {.contract = "000000000000777", .terminal = "00000001"};

        office_terminal(&office, OFFICE_CONTRACT, "00000009");
        office_contract(&office, "000000000000777", "00000001");
        fresh();
        make_at(OFFICE_CONTRACT, "00000009");
        judge_of(&second, &made.message);
        ck_assert_int_eq(outcome, CHECK_KEEP);
        MUST(ledger_terminal_shut(checker.ledger, OFFICE_CONTRACT, "00000009", &office_error));
        judge_of(&second, &made.message);
        ck_assert_str_eq(answer.code, "03");
        make_at("000000000000777", "00000001");
        judge_of(&third, &made.message);
        ck_assert_int_eq(outcome, CHECK_KEEP);
        MUST(ledger_contract_shut(checker.ledger, "000000000000777", &office_error));
        judge_of(&third, &made.message);
        ck_assert_str_eq(answer.code, "03");
    }
END_TEST

START_TEST(dates)
    {
        fresh();
        usual.date = date_of(time(NULL) - 40 * 86400);
        make(&usual, &usual);
        ck_refused("12", "DATE");
        fresh();
        usual.date = date_of(time(NULL) + 3 * 86400);
        make(&usual, &usual);
        ck_refused("12", "DATE");
        fresh();
        usual.date = date_of(time(NULL) - 5 * 86400);
        make(&usual, &usual);
        ck_kept();
        fresh();
        usual.expiry = 2001; /* DE 14 alone is enough: it is looked at before the signature */
        make(&usual, &usual);
        ck_refused("54", "EXPIRED");
    }
END_TEST

START_TEST(limits_and_issuer)
    {
        fresh();
        usual.amount = OFFICE_FLOOR;
        make(&usual, &usual);
        ck_kept();
        usual.amount = OFFICE_FLOOR + 1;
        make(&usual, &usual);
        ck_asked(false);
        usual.amount = OFFICE_CEILING + 1;
        make(&usual, &usual);
        ck_refused("61", "CEILING");
        fresh();
        usual.cid = 0x80;
        make(&usual, &usual);
        ck_asked(true);
        usual.cid = 0x00;
        make(&usual, &usual);
        ck_refused("05", "AAC");
    }
END_TEST

START_TEST(cardholder_verification)
    {
        fresh();
        memcpy(
            usual.cvm, "\x1F\x03\x02",
            3); /* no CVM, as the card's list allows when the PIN is not entered (Book 3, 10.5.1) */
        usual.tvr[2] = 0x08;
        make(&usual, &usual);
        ck_kept();
        usual.tvr[2] = 0x80;
        make(&usual, &usual);
        ck_refused("55", "CVM_FAILED");
        usual.tvr[2] = 0x20;
        make(&usual, &usual);
        ck_refused("75", "PIN_TRIES_EXCEEDED");
        fresh();
        memcpy(usual.cvm, "\x01\x03\x01", 3);
        make(&usual, &usual);
        ck_refused("55", "PIN_NOT_VERIFIED");
        memcpy(usual.cvm, "\x01\x03\x00", 3);
        make(&usual, &usual);
        ck_refused("55", "PIN_NOT_VERIFIED");
        memcpy(usual.cvm, "\x00\x00\x02", 3);
        make(&usual, &usual);
        ck_refused("55", "PIN_NOT_VERIFIED");
        fresh(); /* the terminal says the PIN was right, the card that none was asked of it:
                    somebody sits between them */
        usual.cvr[0] = 0x90;
        make(&usual, &usual);
        ck_refused("55", "CVR_PIN");
        usual.cvr[0] = 0x96;
        make(&usual, &usual);
        ck_refused("55", "CVR_PIN");
        usual.cvr[0] = 0x94;
        usual.cvr[1] = 0x40;
        make(&usual, &usual);
        ck_refused("75", "PIN_TRIES_EXCEEDED");
    }
END_TEST

/* What a TC is refused for, by what its card signed of the verification: EMV 4.4 Book 3, 10.5,
 * tables 43, 44 and C5; Book 4, A4. The card's list is 41 03, 1F 03: offline PIN in plain, else
 * none, each if the terminal supports it. */
START_TEST(the_verification_that_was_signed)
    {
        static const struct {
            const char *cvm, *tvr, *code, *reason; /* hex; code NULL: kept */
        } rows[] = {
            {"410302", "0000000000", NULL, NULL},
            {"010302", "0000000000", NULL, NULL}, /* bit 7 is no part of the method */
            {"1F0302", "0000080000", NULL, NULL}, /* the PIN was not entered */
            {"1F0302", "0000200000", "75", "PIN_TRIES_EXCEEDED"},
            {"1F0302", "0000100000", "55", "TVR_NO_KEYPAD"},
            {"1F0302", "0000000000", "55",
             "CVM_PASSED_OVER"}, /* no PIN was asked for, though the terminal can */
            {"1F0002", "0000080000", "55",
             "CVM_NOT_IN_LIST"}, /* the method, under another condition */
            {"1F0301", "0000080000", "55", "CVM_RESULT"},
            {"3F0000", "0000000000", "55",
             "CVM_NOT_IN_LIST"}, /* none performed, and there is a list */
            {"000302", "0000000000", "55", "PIN_NOT_VERIFIED"}, /* failed */
            {"410301", "0000000000", "55", "PIN_NOT_VERIFIED"},
            {"020302", "0000000000", "55", "CVM_UNSUPPORTED"}, /* online PIN "successful" */
            {"1E0302", "0000000000", "55",
             "CVM_UNSUPPORTED"}, /* signature, which no terminal here compares */
            {"070302", "0000000000", "55", "CVM_UNSUPPORTED"}, /* biometric */
            {"100302", "0000000000", "55", "CVM_UNSUPPORTED"}, /* reserved: 10, 20, 2F */
            {"200302", "0000000000", "55", "CVM_UNSUPPORTED"},
            {"2F0302", "0000000000", "55", "CVM_UNSUPPORTED"},
            {"040302", "0000000000", "55",
             "CVM_NOT_IN_LIST"}, /* an enciphered PIN, which the list does not hold */
            {"410302", "0000800000", "55", "CVM_FAILED"},
            {"410302", "0400000000", "05", "TVR_ODA_FAILED"},
            {"410302", "4000000000", "05", "TVR_ODA_FAILED"},
            {"410302", "0800000000", "05", "TVR_ODA_FAILED"},
            {"410302", "1000000000", "05", "TVR_EXCEPTION_FILE"},
            {"410302", "0040000000", "54", "TVR_EXPIRED"},
            {"410302", "0020000000", "05", "TVR_NOT_YET_EFFECTIVE"},
            {"410302", "0010000000", "57", "TVR_SERVICE"},
            {"410302", "0088000000", NULL,
             NULL}, /* card and terminal of different versions, a new card */
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct buf cvm, tvr;

            fresh();
            cvm = BUF_OF(usual.cvm);
            tvr = BUF_OF(usual.tvr);
            ck_ok(hex_decode(&cvm, rows[i].cvm));
            ck_ok(hex_decode(&tvr, rows[i].tvr));
            make(&usual, &usual);
            judge(&made.message);
            if (rows[i].code == NULL)
                ck_assert_msg(outcome == CHECK_KEEP, "%s %s: %s %s", rows[i].cvm, rows[i].tvr,
                              answer.code, answer.reason);
            else
                ck_assert_msg(outcome == CHECK_REFUSED && strcmp(answer.code, rows[i].code) == 0 &&
                                  strcmp(answer.reason, rows[i].reason) == 0,
                              "%s %s: %s %s, not %s", rows[i].cvm, rows[i].tvr, answer.code,
                              answer.reason, rows[i].reason);
        }
    }
END_TEST

/* The contract's least: up to its amount a card may pay by itself with nobody verified; for more it
 * asks. An issuer judges by itself. */
START_TEST(no_verification_up_to_an_amount)
    {
        fresh();
        memcpy(usual.cvm, "\x1F\x03\x02", 3);
        usual.tvr[2] = 0x08;
        usual.amount = OFFICE_NO_CVM;
        make(&usual, &usual);
        ck_kept();
        usual.amount = OFFICE_NO_CVM + 1;
        make(&usual, &usual);
        ck_refused("55", "CVM_REQUIRED");
        usual.cid = 0x80;
        make(&usual, &usual);
        ck_asked(true);
    }
END_TEST

/* 9F33 as the card signed it, against what the terminal is registered with (2098C8): Book 4, Annex
 * A2. */
START_TEST(the_capabilities_of_the_terminal)
    {
        static const struct {
            const char *capabilities;
            bool taken;
        } rows[] = {
            {"2098C8", true},  {"2088C8", true}, /* a reader's keypad makes no enciphered PIN */
            {"2090C8", true},                    /* nor is "no CVM" something that must be */
            {"2008C8", false},                   /* no PIN at all */
            {"2018C8", false}, {"20D8C8", false}, {"20B8C8", false}, {"209848", false},
            {"209888", false}, {"2098C0", false}, {"6098C8", false}, {"E0F8C8", false},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
            for (int online = 0; online <= 1; online++) {
                struct buf b;

                fresh();
                b = BUF_OF(usual.capabilities);
                ck_ok(hex_decode(&b, rows[i].capabilities));
                usual.cid = online ? 0x80 : 0x40;
                make(&usual, &usual);
                if (!rows[i].taken)
                    ck_refused("58", "CAPABILITIES");
                else if (online)
                    ck_asked(true);
                else
                    ck_kept();
            }
    }
END_TEST

/* No signature covers it: its issuer is asked at any amount, for the cryptogram to be checked; and
 * it is never kept without. */
START_TEST(without_cda_the_issuer_is_asked)
    {
        static const uint8_t types[] = {0x40, 0x80};
        enum ledger_verdict verdict;
        struct tp_error e = {TP_OK, ""};

        for (size_t i = 0; i < sizeof(types); i++) {
            fresh();
            usual.no_cda = true;
            usual.amount = 1;
            usual.cid = types[i];
            make(&usual, &usual);
            ck_asked(types[i] == 0x80);
            ck_assert(payment.tx.vouched);
            ck_assert_mem_eq(payment.tx.emv.ac, usual.ac, 8);
            ck_assert_uint_eq(payment.tx.emv.atc, usual.atc);
        }
        MUST(ledger_group_begin(checker.ledger, &office_error));
        ck_assert_int_eq(ledger_acknowledge(checker.ledger, &payment.tx, &verdict, &e),
                         TP_ERR_INTERNAL);
        ledger_group_rollback(checker.ledger);
        usual.cid = 0x00;
        make(&usual, &usual);
        ck_refused("05", "AAC");
        usual.cid = 0x40; /* what the message says still is what the card's list was filled with */
        struct terms said = usual;

        said.amount = 2;
        ck_differs(&said, "63", "SIGNED_AMOUNT");
        said = usual;
        said.ac[7] ^= 1;
        ck_differs(&said, "63", "SIGNED_AC");
    }
END_TEST

/* A list that nobody signed can move the amount: of the 000000000010 that the card signed, six
 * bytes from the second on are ten Euro. So the cryptogram is the issuer's to check, as without
 * CDA. */
START_TEST(an_amount_moved_by_a_list_that_nobody_signed)
    {
        struct terms said;

        office.signer.loose = true;
        MUST(signer_card(&card, &office.signer, 80));
        fresh();
        usual.amount = 10;
        said = usual;
        said.amount = 1000;
        said.list = "9F3901"
                    "9F0206"
                    "9F0305"
                    "9F1A0295055F2A029A039C019F37049F35019F34039F33039F1E089F06079F09029F4104";
        make(&usual, &said);
        ck_asked(false);
        ck_assert(payment.tx.vouched);
        make(&usual, &usual); /* nor is the true one to be told from it */
        ck_asked(false);
        office.signer.loose = false;
        MUST(signer_card(&card, &office.signer, 7));
    }
END_TEST

/* Track 2 is of the card of DE 2, and good as long. */
START_TEST(track_2_of_another_card)
    {
        char track[40];

        fresh();
        make(&usual, &usual);
        snprintf(track, sizeof(track), "%s=30122010000012345", card.pan);
        iso8583_set_text(&made.message, 35, track);
        ck_kept();
        snprintf(track, sizeof(track), "%s=31012010000012345", card.pan);
        iso8583_set_text(&made.message, 35, track);
        ck_refused("30", "DE35");
        iso8583_set_text(&made.message, 35, "9990140000000015=30122010000012345");
        ck_refused("30", "DE35");
    }
END_TEST

/* The same of the other kinds of card: VIS, Appendix C (CVN 10); EMV 4.4 Book 3, Annex C (common
 * core definitions, 3DES and AES). */
START_TEST(the_word_of_each_kind_of_card)
    {
        static const struct {
            const char *iad, *code, *reason; /* code NULL: kept */
        } rows[] = {
            {"06010A03940000", NULL, NULL},
            {"06010A03900000", "55", "CVR_PIN"},            /* no PIN was asked of the card */
            {"06010A03960000", "55", "CVR_PIN"},            /* it was wrong */
            {"06010A03944000", "75", "PIN_TRIES_EXCEEDED"}, /* the tries are used up */
            {"0FA501900800000000000000000000000F000000000000000000000000000000", NULL, NULL},
            {"0FA501900000000000000000000000000F000000000000000000000000000000", "55", "CVR_PIN"},
            {"0FA501900C00000000000000000000000F000000000000000000000000000000", "55", "CVR_PIN"},
            {"0FA501900A00000000000000000000000F000000000000000000000000000000", "75",
             "PIN_TRIES_EXCEEDED"},
            {"0FA601900800000000000000000000000F000000000000000000000000000000", NULL, NULL},
            {"0FA601900000000000000000000000000F000000000000000000000000000000", "55", "CVR_PIN"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct buf iad;

            fresh();
            iad = BUF_OF(usual.iad);
            ck_ok(hex_decode(&iad, rows[i].iad));
            usual.iad_n = iad.n;
            make(&usual, &usual);
            if (rows[i].code == NULL)
                ck_kept();
            else
                ck_refused(rows[i].code, rows[i].reason);
        }
    }
END_TEST

/* A PIN that is blocked is the issuer's to judge when the card asks it (Book 4, 6.3.4), who may
 * unblock it; one that somebody made up is not. */
START_TEST(a_blocked_pin_goes_to_the_issuer)
    {
        fresh();
        usual.cid = 0x80;
        usual.tvr[2] = 0xA0;
        memcpy(usual.cvm, "\x01\x03\x01", 3);
        usual.cvr[0] = 0xA6; /* the second AC not asked for yet, the first an ARQC; PIN verification
                                performed and failed */
        usual.cvr[1] = 0x40;
        make(&usual, &usual);
        ck_asked(true);
        memcpy(usual.cvm, "\x01\x03\x02", 3);
        make(&usual, &usual);
        ck_refused("55", "CVR_PIN");
    }
END_TEST

START_TEST(opposition_repeat_and_counter)
    {
        struct iso8583 first;
        char rrn[RRN_MAX];
        struct signed_card hot;
        uint8_t lookup[SEAL_LOOKUP];

        /* what this test keeps must not meet the others, which share the books but not this memory
         */
        next_stan = 700000;
        MUST(signer_card(&card, &office.signer, 70));
        fresh();
        make(&usual, &usual);
        ck_kept();
        keep(LEDGER_NEW);
        snprintf(rrn, sizeof(rrn), "%s", payment.tx.rrn);
        first = made.message;
        judge(&first);
        ck_assert_int_eq(outcome, CHECK_REPEATED);
        ck_assert_str_eq(answer.code, "00");
        ck_assert_str_eq(answer.rrn, rrn);
        first.mti = MTI_FINANCIAL_REPEAT; /* another type and another DE 7 make the same payment */
        iso8583_set_text(&first, 7, "0101000000");
        judge(&first);
        ck_assert_int_eq(outcome, CHECK_REPEATED);
        ck_assert_str_eq(answer.rrn, rrn);
        iso8583_set_number(&made.message, 4, 1251); /* the same identity with another amount */
        ck_refused("94", "IDENTITY");
        next_stan++;
        iso8583_set_number(&made.message, 4,
                           1250); /* the same card signature under another identity */
        iso8583_set_number(&made.message, 11, next_stan);
        ck_refused("63", "ATC_REPLAYED");
        terms_usual(&usual, &card, 0); /* an older signature */
        make(&usual, &usual);
        ck_kept(); /* which was made while the line was down */
        fresh();
        make(&usual, &usual);
        ck_kept();

        MUST(signer_card(&hot, &office.signer, 8));
        card = hot;
        for (int stolen = 0; stolen <= 1; stolen++) {
            MUST(seal_lookup(checker.seal, lookup, span_str(hot.pan)));
            MUST(ledger_opposition_add(checker.ledger, SPAN_OF(lookup), "999014******0000", stolen,
                                       &office_error));
            fresh();
            make(&usual, &usual);
            ck_refused(stolen ? "43" : "41", "OPPOSITION");
        }
        MUST(ledger_opposition_remove(checker.ledger, SPAN_OF(lookup), &office_error));
        make(&usual, &usual);
        ck_kept();
    }
END_TEST

/* The counter belongs to the card's number and the sequence number that the card signed: leaving DE
 * 23 out must not open another row. */
START_TEST(a_replay_without_sequence_number)
    {
        next_stan = 710000;
        MUST(signer_card(&card, &office.signer, 71));
        fresh();
        make(&usual, &usual);
        ck_kept();
        ck_assert_uint_eq(payment.tx.emv.psn, 1);
        keep(LEDGER_NEW);
        iso8583_set_number(&made.message, 11, ++next_stan);
        made.message.field[23] = (struct span){NULL, 0};
        ck_refused("63", "ATC_REPLAYED");
    }
END_TEST

/* Acknowledged is acknowledged: its repeat is answered alike although its contract or terminal has
 * been closed since. */
START_TEST(a_repeat_after_the_close_of_its_contract)
    {
        struct party fourth = {.contract = "000000000000778", .terminal = "00000001"};
        char rrn[RRN_MAX];

        office_contract(&office, fourth.contract, fourth.terminal);
        MUST(signer_card(&card, &office.signer, 73));
        fresh();
        make_at(fourth.contract, fourth.terminal);
        judge_of(&fourth, &made.message);
        ck_assert_int_eq(outcome, CHECK_KEEP);
        keep(LEDGER_NEW);
        snprintf(rrn, sizeof(rrn), "%s", payment.tx.rrn);
        MUST(ledger_terminal_shut(checker.ledger, fourth.contract, fourth.terminal, &office_error));
        MUST(ledger_contract_shut(checker.ledger, fourth.contract, &office_error));
        judge_of(&fourth, &made.message);
        ck_assert_msg(outcome == CHECK_REPEATED, "%s %s", answer.code, answer.reason);
        ck_assert_str_eq(answer.rrn, rrn);
        iso8583_set_number(&made.message, 11, 654321); /* another one is not taken */
        judge_of(&fourth, &made.message);
        ck_assert_str_eq(answer.code, "03");
    }
END_TEST

/* ---- the payee ---- */

/* A card that asks for 9F7C, paid at the place and under the number that come next. */
static void name_payee(void)
{
    struct payee payee = {checker.acquirer, OFFICE_CONTRACT, OFFICE_TERMINAL,
                          next_stan + 1,    usual.date,      usual.time};

    usual.counter = payee.counter;
    usual.has_payee = true;
    ck_ok(payee_at_counter(usual.payee, &payee));
}

/* A terminal of before gave zeros where the card asks for its payee: taken no more, and in the
 * books no word for another payee. */
START_TEST(a_payee_of_zeros)
    {
        office.signer.payee = true;
        MUST(signer_card(&card, &office.signer, 81));
        office.signer.payee = false;
        fresh();
        usual.has_payee = true;
        make(&usual, &usual);
        ck_refused("63", "SIGNED_PAYEE");
        ck_assert_int_eq(payee_look(&payment.evidence, checker.acquirer, &payment.tx),
                         PAYEE_NOBODY);
        snprintf(usual.serial, sizeof(usual.serial), "%s",
                 OFFICE_TERMINAL); /* and its number as its serial */
        make(&usual, &usual);
        ck_refused("63", "SIGNED_SERIAL");
        checker.raised =
            usual.date; /* signed before the books knew better: nothing signed is lost */
        judge(&made.message);
        ck_kept();
        checker.raised = usual.date - 1;
        ck_refused("63", "SIGNED_SERIAL");
        checker.raised = 0;
        usual.serial[0] = '\0';
        usual.payee[31] = 1;
        make(&usual, &usual);
        ck_refused("63", "SIGNED_PAYEE");
        ck_assert_int_eq(payee_look(&payment.evidence, checker.acquirer, &payment.tx), PAYEE_OTHER);
    }
END_TEST

/* What a card signed is good at one contract, terminal and acquirer, under one number, at one time.
 */
START_TEST(the_payee_that_was_signed)
    {
        struct party other = {.contract = "000000000000779", .terminal = OFFICE_TERMINAL},
                     colleague = {.contract = OFFICE_CONTRACT, .terminal = "00000079"};
        char ours[ACQUIRER_ID_MAX];
        struct terms said;

        office_contract(&office, other.contract, other.terminal);
        office_terminal(&office, colleague.contract, colleague.terminal);
        office.signer.payee = true;
        MUST(signer_card(&card, &office.signer, 79));
        office.signer.payee = false;
        fresh();
        name_payee();
        make(&usual, &usual);
        ck_kept();
        iso8583_set_number(&made.message, 11,
                           ++next_stan); /* captured, and sent again under another number */
        ck_refused("63", "SIGNED_STAN");
        iso8583_set_number(&made.message, 12, (uint64_t)(usual.time == 1 ? 2 : 1));
        ck_refused("63", "SIGNED_PAYEE");
        snprintf(ours, sizeof(ours), "%s", checker.acquirer); /* at another acquirer */
        snprintf(checker.acquirer, sizeof(checker.acquirer), "0123456789ABCDEF");
        iso8583_set_number(&made.message, 12, (uint64_t)usual.time);
        ck_refused("63", "SIGNED_PAYEE");
        snprintf(checker.acquirer, sizeof(checker.acquirer), "%s", ours);
        iso8583_set_text(&made.message, 42, other.contract);
        judge_of(&other, &made.message);
        ck_assert_str_eq(answer.reason, "SIGNED_SERIAL");
        memcpy(other.serial, party.serial,
               sizeof(other.serial)); /* were it registered there as well */
        judge_of(&other, &made.message);
        ck_assert_str_eq(answer.reason, "SIGNED_PAYEE");
        iso8583_set_text(&made.message, 42, colleague.contract);
        iso8583_set_text(&made.message, 41, colleague.terminal);
        judge_of(&colleague, &made.message);
        ck_assert_str_eq(answer.code, "63");
        ck_assert_str_eq(answer.reason, "SIGNED_SERIAL");
        fresh();
        memset(usual.payee, 0, sizeof(usual.payee)); /* the terminal left it empty */
        usual.has_payee = true;
        usual.counter = next_stan + 1;
        make(&usual, &usual);
        ck_refused("63", "SIGNED_PAYEE");
        fresh();
        name_payee();
        said = usual;
        said.has_payee = false;
        make(&usual, &said);
        ck_refused("63", "DE55_9F7C_MISSING");
    }
END_TEST

/* The TC that follows a question which came to nothing has a number of its own; the card was asked
 * under the question's. */
START_TEST(the_payee_of_a_second_cryptogram)
    {
        office.signer.payee = true;
        MUST(signer_card(&card, &office.signer, 80));
        office.signer.payee = false;
        fresh();
        name_payee();
        next_stan += 2;
        usual.second = true;
        make(&usual, &usual);
        ck_kept();
        usual.cid = 0x80;
        make(&usual, &usual);
        ck_refused("63", "SIGNED_STAN");
    }
END_TEST

START_TEST(a_serial_of_another_terminal)
    {
        fresh();
        snprintf(usual.serial, sizeof(usual.serial), "TEST0001");
        make(&usual, &usual);
        ck_refused("63", "SIGNED_SERIAL");
    }
END_TEST

/* ---- forgeries ---- */

/* Every byte of DE 55 and 61-63 altered in turn, in three ways: refused each time, by a name. */
START_TEST(every_byte_forged)
    {
        static const uint8_t changes[] = {0x01, 0x80, 0xFF};
        uint8_t *const parts[] = {made.de55, made.stream};
        unsigned refused = 0;

        for (int second = 0; second <= 1; second++) {
            fresh();
            usual.second = second;
            make(&usual, &usual);
            ck_kept();
            const size_t sizes[] = {made.de55_n, made.stream_n};

            for (size_t part = 0; part < 2; part++)
                for (size_t i = 0; i < sizes[part]; i++)
                    for (size_t k = 0; k < sizeof(changes); k++) {
                        parts[part][i] ^= changes[k];
                        judge(&made.message);
                        ck_assert_msg(outcome == CHECK_REFUSED,
                                      "byte %zu of %s, changed by %02X, is let through", i,
                                      part == 0 ? "DE 55" : "DE 61-63", changes[k]);
                        ck_assert_msg(answer.reason[0] != '\0' || strcmp(answer.code, "30") == 0,
                                      "byte %zu: %s without a name", i, answer.code);
                        parts[part][i] ^= changes[k];
                        refused++;
                    }
            ck_kept();
        }
        ck_assert_uint_gt(refused, 3 * 2 * 800);
    }
END_TEST

START_TEST(evidence_cut_short)
    {
        fresh();
        make(&usual, &usual);
        const size_t whole = made.stream_n, de55 = made.de55_n;

        for (size_t n = 0; n < whole; n++) {
            made.message.field[61] = made.message.field[62] = made.message.field[63] =
                (struct span){NULL, 0};
            iso8583_evidence_split(&made.message, span_of(made.stream, n));
            judge(&made.message);
            ck_assert_int_eq(outcome, CHECK_REFUSED);
        }
        iso8583_evidence_split(&made.message, span_of(made.stream, whole));
        for (size_t n = 0; n < de55; n++) {
            iso8583_set(&made.message, 55, span_of(made.de55, n));
            judge(&made.message);
            ck_assert_int_eq(outcome, CHECK_REFUSED);
        }
    }
END_TEST

/* Without the card's signature there is nothing to acknowledge: the response of a card that does no
 * CDA. */
START_TEST(no_signature)
    {
        uint8_t room[64], inner[32];
        struct buf response = BUF_OF(inner), all = BUF_OF(room);

        fresh();
        make(&usual, &usual);
        struct span stream = span_of(made.stream, made.stream_n);
        struct tlv old;
        uint8_t kept[ISO8583_EVIDENCE_MAX];
        struct buf other = BUF_OF(kept);

        ck_ok(tlv_put(&response, TAG_CID, span_of("\x40", 1)));
        ck_ok(tlv_put(&response, TAG_ATC, span_of("\x00\x01", 2)));
        ck_ok(tlv_put(&all, TAG_RESPONSE_2, buf_span(&response)));
        while (tlv_next(&stream, &old) == TP_OK)
            ck_ok(old.tag == TAG_EV_RESPONSE ? tlv_put(&other, TAG_EV_RESPONSE, buf_span(&all))
                                             : buf_put(&other, old.raw));
        made.message.field[61] = made.message.field[62] = (struct span){NULL, 0};
        iso8583_evidence_split(&made.message, buf_span(&other));
        ck_refused("63", "SDAD_MISSING");
    }
END_TEST

/* ---- small things ---- */

static time_t noon(int year, int month, int day)
{
    struct tm tm = {
        .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = 12, .tm_isdst = -1};

    return mktime(&tm);
}

START_TEST(the_year_of_a_day)
    {
        ck_assert_int_eq(check_day(1231, noon(2027, 1, 1)), 20261231);
        ck_assert_int_eq(check_day(101, noon(2026, 12, 31)), 20270101);
        ck_assert_int_eq(check_day(615, noon(2026, 6, 15)), 20260615);
        ck_assert_int_eq(check_day(229, noon(2028, 3, 1)), 20280229);
        ck_assert_int_eq(check_day(229, noon(2026, 3, 1)),
                         0); /* neither 2025, 2026 nor 2027 has one */
        ck_assert_int_eq(check_day(1300, noon(2026, 3, 1)), 0);
        ck_assert_int_eq(check_day(0, noon(2026, 3, 1)), 0);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("check");
    TCase *t = tcase_create("check");

    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, setup, teardown);
    tcase_add_test(t, a_good_payment);
    tcase_add_test(t, a_credit_and_a_second_generate_ac);
    tcase_add_test(t, the_message_differs_from_what_was_signed);
    tcase_add_test(t, the_card_signed_another_currency);
    tcase_add_test(t, the_fields_differ_from_de55);
    tcase_add_test(t, format);
    tcase_add_test(t, amount_code_currency_mcc);
    tcase_add_test(t, who_speaks);
    tcase_add_test(t, closed_contract_and_terminal);
    tcase_add_test(t, dates);
    tcase_add_test(t, limits_and_issuer);
    tcase_add_test(t, cardholder_verification);
    tcase_add_test(t, the_verification_that_was_signed);
    tcase_add_test(t, no_verification_up_to_an_amount);
    tcase_add_test(t, the_capabilities_of_the_terminal);
    tcase_add_test(t, without_cda_the_issuer_is_asked);
    tcase_add_test(t, an_amount_moved_by_a_list_that_nobody_signed);
    tcase_add_test(t, track_2_of_another_card);
    tcase_add_test(t, the_word_of_each_kind_of_card);
    tcase_add_test(t, a_blocked_pin_goes_to_the_issuer);
    tcase_add_test(t, opposition_repeat_and_counter);
    tcase_add_test(t, a_replay_without_sequence_number);
    tcase_add_test(t, a_repeat_after_the_close_of_its_contract);
    tcase_add_test(t, a_payee_of_zeros);
    tcase_add_test(t, the_payee_that_was_signed);
    tcase_add_test(t, the_payee_of_a_second_cryptogram);
    tcase_add_test(t, a_serial_of_another_terminal);
    tcase_add_test(t, every_byte_forged);
    tcase_add_test(t, evidence_cut_short);
    tcase_add_test(t, no_signature);
    tcase_add_test(t, the_year_of_a_day);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
