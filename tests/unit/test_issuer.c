/* The issuer's server as acquirers see it, over TLS, in process: decisions, what they reserve, the
 * same again, reversals, scripts and what comes of them. */
#include "../tools/damage.h"
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "bank.h"
#include "base/date.h"
#include "crypto/pinblock.h"
#include "crypto/script.h"
#include "issuer/scripts.h"
#include "store/schema.h"
#include "wire/profile.h"

static struct bank bank;
static struct link_client *client;
static struct bank_card card;
static struct bank_terms terms;
static struct bank_request request;

static void open_with(enum emv_cvn cvn, unsigned method)
{
    bank_make(&bank);
    bank_card(&card, &bank, cvn, 1, method, BANK_BALANCE);
    bank_start(&bank, 2);
    client = bank_connect(&bank, BANK_ACQUIRER);
    ck_assert_ptr_nonnull(client);
}

static void setup(void)
{
    open_with(EMV_CVN_18, 0);
}

static void teardown(void)
{
    link_close(&client);
    bank_stop(&bank);
    bank_card_free(&card);
    bank_remove(&bank);
}

static struct bank_answer *ask(void)
{
    static struct bank_answer a;

    ck_ok(bank_exchange(&a, client, &request.message, &bank_error));
    return &a;
}

static struct bank_answer *pay(void)
{
    bank_authorisation(&request, &card, &terms);
    return ask();
}

static struct bank_answer *fresh(void)
{
    bank_usual(&terms, &card);
    return pay();
}

static struct bank_answer *reverse(unsigned mti)
{
    bank_reversal(&request, &terms, mti);
    return ask();
}

static int64_t reserved(void)
{
    struct account a;

    bank_account(&bank, &card, &a);
    return a.reserved;
}

START_TEST(every_kind_of_card_is_approved_and_its_issuer_proved)
    {
        static const struct {
            enum emv_cvn cvn;
            unsigned method;
        } kinds[] = {{EMV_CVN_10, 1},   {EMV_CVN_10, 2},  {EMV_CVN_18, 1}, {EMV_CVN_18, 2},
                     {EMV_CCD_3DES, 2}, {EMV_CCD_AES, 2}, {EMV_CCD_AES, 1}};
        static const uint8_t repeated[] = {2, 3, 4, 7, 11, 12, 13, 32, 37, 41, 42, 49};
        struct tlv t;

        open_with(kinds[_i].cvn, kinds[_i].method);
        const struct bank_answer *a = fresh();

        ck_assert_uint_eq(a->mti, MTI_AUTHORISATION_RESPONSE);
        ck_assert_str_eq(a->code, "00");
        ck_assert_uint_eq(strspn(a->approval, "0123456789"), 6);
        for (size_t i = 0; i < sizeof(repeated); i++)
            ck_assert_msg(
                span_eq(a->message.field[repeated[i]], request.message.field[repeated[i]]),
                "field %u", repeated[i]);
        ck_ok(tlv_find(span_of(a->de55, a->de55_n), TAG_ARC, &t));
        ck_hex(t.value, "3030");
        ck_assert(bank_proves(a, &card, &request, terms.atc, kinds[_i].method));
        ck_assert_int_eq(reserved(), 1250);
        terms.amount = BANK_CEILING + 1; /* a refusal is proved to the card, too */
        bank_usual(&terms, &card);
        terms.amount = BANK_CEILING + 1;
        a = pay();
        ck_assert_str_eq(a->code, "61");
        ck_assert_str_eq(a->approval, "");
        ck_assert(bank_proves(a, &card, &request, terms.atc, kinds[_i].method));
        ck_assert_int_eq(reserved(), 1250);
        teardown();
    }
END_TEST

START_TEST(the_same_again_is_answered_alike_and_reserved_once)
    {
        struct bank_answer first = *fresh();
        const struct bank_answer *again = ask();

        ck_assert_str_eq(first.code, "00");
        ck_assert_uint_eq(again->n, first.n);
        ck_assert_mem_eq(again->raw, first.raw, first.n);
        iso8583_set_text(&request.message, 7,
                         "1124211600"); /* sent anew: its own time and number, the same question */
        iso8583_set_text(&request.message, 11, "000777");
        again = ask();
        ck_assert_str_eq(again->approval, first.approval);
        ck_assert_mem_eq(again->de55, first.de55, first.de55_n);
        ck_assert(span_eq(again->message.field[11], span_str("000777")));
        ck_assert_int_eq(reserved(), 1250);
        terms.amount = 1251; /* another question under the same number */
        again = pay();
        ck_assert_str_eq(again->code, "94");
        ck_assert_int_eq(reserved(), 1250);
        bank_usual(&terms, &card); /* a refusal stays one, even when there is money now */
        terms.amount = BANK_CEILING + 1;
        first = *pay();
        again = ask();
        ck_assert_str_eq(again->code, "61");
        ck_assert_mem_eq(again->raw, first.raw, first.n);
    }
END_TEST

START_TEST(a_reversal_releases_once)
    {
        ck_assert_str_eq(fresh()->code, "00");
        ck_assert_int_eq(reserved(), 1250);
        const struct bank_answer *a = reverse(MTI_REVERSAL);

        ck_assert_uint_eq(a->mti, MTI_REVERSAL_RESPONSE);
        ck_assert_str_eq(a->code, "00");
        ck_assert_int_eq(reserved(), 0);
        ck_assert_str_eq(reverse(MTI_REVERSAL_REPEAT)->code, "00");
        ck_assert_str_eq(reverse(MTI_REVERSAL)->code, "00");
        ck_assert_int_eq(reserved(), 0);
        a = pay(); /* the same 0100 after it: its money is released, so it is approved no more; "00"
                      would be an approval with nothing behind it */
        ck_assert_str_eq(a->code, "12");
        ck_assert_str_eq(a->approval, "");
        ck_assert_int_eq(reserved(), 0);
        bank_usual(&terms, &card); /* before its 0100: remembered */
        ck_assert_str_eq(reverse(MTI_REVERSAL)->code, "00");
        a = pay();
        ck_assert_str_eq(a->code, "12");
        ck_assert_int_eq(reserved(), 0);
        ck_assert_str_eq(fresh()->code, "00");
        terms.amount = 1249; /* not what was authorised */
        ck_assert_str_eq(reverse(MTI_REVERSAL)->code, "94");
        ck_assert_int_eq(reserved(), 1250);
    }
END_TEST

/* One thing wrong at a time: the code, and whether the card still hears its issuer. */
static void bend_cryptogram(void)
{
    terms.ac_flip = 1;
}
static void bend_kind(void)
{
    terms.iad_cvn = EMV_CVN_10;
}
static void bend_replay(void)
{
    terms.atc = 1;
}
static void bend_jump(void)
{
    terms.atc = 1 + 1 + 1000;
}
static void bend_pan(void)
{
    memcpy(terms.pan, "9990149999999999", 17);
}
static void bend_psn(void)
{
    terms.psn = 2;
}
static void bend_amount(void)
{
    terms.signed_amount = 1;
}
static void bend_zero(void)
{
    terms.amount = 0;
}
static void bend_processing(void)
{
    terms.processing = 10000;
}
static void bend_type_purchase(void)
{
    terms.processing = 200000;
    terms.type_flip = 0x20; /* the card signed a purchase (9C 00) */
}
static void bend_type_credit(void)
{
    terms.type_flip = 0x20; /* the card signed a credit (9C 20) */
}
static void bend_credit_ceiling(void)
{
    terms.processing = 200000;
    terms.amount = BANK_CEILING + 1;
}
static void bend_dki(void)
{
    terms.dki = 2;
}
static void bend_day(void)
{
    terms.expiry = 2912;
}
static void bend_currency(void)
{
    terms.currency = 840;
}
static void bend_aac(void)
{
    terms.cid = 0;
    terms.cvr[0] = 0x80;
}
static void bend_cid(void)
{
    terms.cid = 0x40;
}
static void bend_wedge(void)
{
    terms.cvm[0] = 0x01; /* offline PIN, said to be right; the CVR knows of none */
}
static void bend_wrong_pin(void)
{
    terms.cvm[0] = 0x44;
    terms.cvr[0] |= 0x06;
}
static void bend_tries(void)
{
    terms.cvr[1] |= 0x40;
}
static void bend_tvr_tries(void)
{
    terms.tvr[2] |= 0xA0;
}
static void bend_tvr_cvm(void)
{
    terms.tvr[2] |= 0x80;
}
static void bend_tvr_cda(void)
{
    terms.tvr[0] = 0x04;
}
static void bend_tvr_dda(void)
{
    terms.tvr[0] = 0x08;
}
static void bend_tvr_sda(void)
{
    terms.tvr[0] = 0x40;
}
static void bend_tvr_exception(void)
{
    terms.tvr[0] |= 0x10;
}
static void bend_tvr_expired(void)
{
    terms.tvr[1] = 0x40;
}
static void bend_tvr_service(void)
{
    terms.tvr[1] = 0x10;
}
static void bend_ceiling(void)
{
    terms.amount = BANK_CEILING + 1;
}

static const struct {
    void (*bend)(void);
    const char *code;
    bool heard;
} bends[] = {{bend_cryptogram, "63", false},  {bend_kind, "63", false},
             {bend_replay, "63", false},      {bend_jump, "63", false},
             {bend_pan, "14", false},         {bend_psn, "14", false},
             {bend_amount, "13", false},      {bend_zero, "13", false},
             {bend_processing, "12", false},  {bend_day, "54", true},
             {bend_currency, "57", true},     {bend_aac, "05", false},
             {bend_cid, "63", false},         {bend_wedge, "63", true},
             {bend_wrong_pin, "63", true},    {bend_tries, "75", true},
             {bend_tvr_tries, "75", true},    {bend_tvr_cvm, "55", true},
             {bend_tvr_cda, "05", true},      {bend_tvr_dda, "05", true},
             {bend_tvr_sda, "05", true},      {bend_tvr_exception, "05", true},
             {bend_tvr_expired, "54", true},  {bend_tvr_service, "57", true},
             {bend_ceiling, "61", true},      {bend_type_purchase, "12", false},
             {bend_type_credit, "12", false}, {bend_credit_ceiling, "61", true},
             {bend_dki, "63", false}};

START_TEST(refusals)
    {
        struct bank_answer *a = fresh();

        ck_assert_str_eq(a->code, "00"); /* ATC 1 is taken */
        for (size_t i = 0; i < sizeof(bends) / sizeof(bends[0]); i++) {
            bank_usual(&terms, &card);
            bends[i].bend();
            a = pay();
            ck_assert_msg(strcmp(a->code, bends[i].code) == 0, "case %zu: %s, not %s", i, a->code,
                          bends[i].code);
            ck_assert_msg(bank_proves(a, &card, &request, terms.atc, 2) == bends[i].heard,
                          "case %zu: ARPC", i);
            ck_assert_str_eq(a->approval, "");
        }
        ck_assert_int_eq(reserved(), 1250);
        a = fresh();
        ck_assert_str_eq(a->code, "00"); /* nothing of that harmed the card */
    }
END_TEST

START_TEST(account_status_and_money)
    {
        static const struct {
            enum account_status status;
            const char *code;
        } states[] = {{ACCOUNT_BLOCKED, "62"},
                      {ACCOUNT_LOST, "41"},
                      {ACCOUNT_STOLEN, "43"},
                      {ACCOUNT_OPEN, "00"}};
        struct account a;

        bank_account(&bank, &card, &a);
        for (size_t i = 0; i < 4; i++) {
            struct book *book = bank_book(&bank);

            ck_ok(book_account_set_status(book, a.key, states[i].status, &bank_error));
            book_close(&book);
            const struct bank_answer *got = fresh();

            ck_assert_str_eq(got->code, states[i].code);
            ck_assert(bank_proves(got, &card, &request, terms.atc, 2));
        }
        bank_usual(&terms, &card); /* 12.50 today already; the day's ceiling is 800.00 */
        terms.amount = 50000;
        ck_assert_str_eq(pay()->code, "00");
        bank_usual(&terms, &card);
        terms.amount = BANK_DAY - 50000 - 1250 + 1;
        ck_assert_str_eq(pay()->code, "61");
        bank_usual(&terms, &card);
        terms.amount = BANK_DAY - 50000 - 1250;
        ck_assert_str_eq(pay()->code, "00");
        ck_assert_str_eq(reverse(MTI_REVERSAL)->code,
                         "00"); /* what is released may be spent again */
        bank_usual(&terms, &card);
        terms.amount = BANK_DAY - 50000 - 1250;
        ck_assert_str_eq(pay()->code, "00");
        bank_account(&bank, &card, &a);
        a.day_ceiling = MONEY_MAX;
        struct book *book = bank_book(&bank);

        ck_ok(book_account_set(book, &a, &bank_error));
        book_close(&book);
        bank_usual(&terms, &card);
        terms.amount = BANK_BALANCE - BANK_DAY + 1;
        ck_assert_str_eq(pay()->code, "51");
        bank_usual(&terms, &card);
        terms.amount = BANK_BALANCE - BANK_DAY;
        ck_assert_str_eq(pay()->code, "00");
        bank_usual(&terms, &card); /* a credit needs no money */
        terms.processing = 200000;
        ck_assert_str_eq(pay()->code, "00");
        ck_assert_int_eq(reserved(), BANK_BALANCE);
    }
END_TEST

/* A TC under the counter of the last request. */
static void offline_instead(void)
{
    card.atc--;
    bank_usual(&terms, &card);
    terms.cid = 0x40;
    terms.cvr[0] = 0x60; /* second AC a TC, first one an ARQC */
}

static void set_expiry(int last)
{
    char sql[80];

    snprintf(sql, sizeof(sql), "UPDATE account SET expiry = %d", last);
    damage(bank.books, sql);
}

/* The TC of a card's last day comes on a day on which the card is good no more: it was when it
 * paid. An ARQC is of today. */
START_TEST(a_tc_of_a_card_that_has_expired_since)
    {
        const time_t now = time(NULL);
        const int last =
            date_of(now - (time_t)(date_of(now) % 100) * 86400); /* of the month before this */
        int before = 0;

        for (int i = 0; i < 2; i++) {
            struct account a;

            bank_account(&bank, &card, &a);
            before = i == 0 ? a.expiry : before;
            bank_usual(&terms, &card);
            set_expiry(last);
            terms.expiry = (unsigned)(last / 100 % 10000);
            terms.mmdd = (unsigned)(last % 10000);
            if (i == 0) {
                terms.cid = 0x40;
                terms.cvr[0] = 0x90;
            }
            const struct bank_answer *got = pay();

            ck_assert_str_eq(got->code, i == 0 ? "00" : "54");
        }
        set_expiry(before);
    }
END_TEST

/* Credits of a day: no more than the card may pay on one. */
START_TEST(credits_of_a_day)
    {
        for (int i = 0; i < 3; i++) {
            bank_usual(&terms, &card);
            terms.processing = 200000;
            terms.amount = i == 1 ? BANK_DAY - 50000 + 1 : i == 0 ? 50000 : BANK_DAY - 50000;
            ck_assert_str_eq(pay()->code, i == 1 ? "61" : "00");
        }
        ck_assert_str_eq(reverse(MTI_REVERSAL)->code, "00"); /* what is released is not given */
        bank_usual(&terms, &card);
        terms.processing = 200000;
        terms.amount = BANK_DAY - 50000;
        ck_assert_str_eq(pay()->code, "00");
    }
END_TEST

/* An amount over the floor that the card signed offline: no word for the card, which has ended its
 * transaction. */
START_TEST(a_tc_is_checked_and_reserved)
    {
        struct tlv t;

        bank_usual(&terms, &card);
        terms.cid = 0x40;
        terms.cvr[0] = 0x90;
        const struct bank_answer *a = pay();

        ck_assert_str_eq(a->code, "00");
        ck_assert_int_eq(tlv_find(span_of(a->de55, a->de55_n), TAG_ISSUER_AUTH_DATA, &t),
                         TP_ERR_NOT_FOUND);
        ck_assert_int_eq(reserved(), 1250);
    }
END_TEST

/* The terminal could not go online (Y3), and its ARQC had come all the same: that one is reversed,
 * and the TC of the same counter stands for the payment. */
START_TEST(a_tc_after_its_reversed_arqc)
    {
        ck_assert_str_eq(fresh()->code, "00");
        const struct bank_terms online = terms;

        offline_instead();
        ck_assert_str_eq(pay()->code, "63"); /* the online one stands */
        terms = online;
        ck_assert_str_eq(reverse(MTI_REVERSAL)->code, "00");
        bank_usual(&terms, &card);
        terms.atc = card.atc = online.atc;
        ck_assert_str_eq(pay()->code, "63"); /* no second ARQC of a counter */
        terms.cid = 0x40;
        ck_assert_str_eq(pay()->code, "94");
        bank_usual(&terms, &card);
        terms.atc = card.atc = online.atc;
        terms.cid = 0x40; /* nor one that the terminal calls a TC */
        ck_assert_str_eq(pay()->code, "63");
        ck_assert_int_eq(reserved(), 0);
        offline_instead();
        ck_assert_str_eq(pay()->code, "00");
        ck_assert_int_eq(reserved(), 1250);
        const struct bank_terms first = terms;

        offline_instead();
        ck_assert_str_eq(pay()->code, "63"); /* once */
        terms = first;
        ck_assert_str_eq(reverse(MTI_REVERSAL)->code, "00");
        offline_instead(); /* taken back by its acquirer, who got no answer, and asks again */
        ck_assert_str_eq(pay()->code, "00");
        ck_assert_int_eq(reserved(), 1250);
        offline_instead();
        ck_assert_str_eq(pay()->code, "63");
    }
END_TEST

/* The TC of a counter that was asked about is the asking acquirer's: another that has it took it
 * from somewhere. */
START_TEST(a_tc_after_an_arqc_of_another_acquirer)
    {
        ck_assert_str_eq(fresh()->code, "00");
        ck_assert_str_eq(reverse(MTI_REVERSAL)->code, "00");
        bank_acquirer(&bank, "00000000002");
        struct link_client *other = bank_connect(&bank, "00000000002");
        static struct bank_answer a;

        offline_instead();
        snprintf(terms.acquirer, sizeof(terms.acquirer), "00000000002");
        bank_authorisation(&request, &card, &terms);
        ck_ok(bank_exchange(&a, other, &request.message, &bank_error));
        ck_assert_str_eq(a.code, "63");
        ck_assert_int_eq(reserved(), 0);
        link_close(&other);
    }
END_TEST

/* A TC of a shop whose line was down comes after the card has been online with later counters:
 * once. */
START_TEST(a_tc_that_comes_late)
    {
        const uint16_t late = card.atc;

        card.atc++;
        ck_assert_str_eq(fresh()->code, "00");
        const uint16_t last = card.atc;

        for (int again = 0; again < 2; again++) {
            card.atc = late;
            bank_usual(&terms, &card);
            terms.cid = 0x40;
            terms.cvr[0] = 0x90;
            ck_assert_str_eq(pay()->code, again ? "63" : "00");
        }
        ck_assert_int_eq(reserved(), 2500);
        card.atc = late; /* an ARQC is asked about at once or never */
        bank_usual(&terms, &card);
        ck_assert_str_eq(pay()->code, "63");
        card.atc = last;
    }
END_TEST

/* ---- scripts ---- */

static uint32_t queue(const char *what, const uint8_t head[4], const char *data, bool encipher,
                      uint8_t template)
{
    return bank_queue(&bank, &card, what, head, data, encipher, template);
}

static struct script script_of(uint32_t id)
{
    struct script s;

    bank_script(&bank, id, &s);
    ck_assert_uint_eq(s.id, id);
    return s;
}

/* The nth command of an answer's only template of that kind, which has the identifier id, as the
 * card opens it. */
static void open_command(const struct bank_answer *a, size_t n, uint8_t template, uint32_t id,
                         struct emv_script *place, bool enciphered, struct buf *plain,
                         const char *head)
{
    struct span in;
    struct emv_script_keys keys;
    enum emv_script_check outcome;
    struct tlv t, inner;

    ck_ok(tlv_find(span_of(a->de55, a->de55_n), template, &t));
    in = t.value;
    ck_ok(tlv_next(&in, &inner));
    ck_assert_uint_eq(inner.tag, TAG_SCRIPT_ID);
    ck_assert_uint_eq(inner.value.n, 4);
    ck_assert_uint_eq(inner.value.p[3], id);
    do {
        ck_ok(tlv_next(&in, &inner));
        ck_assert_uint_eq(inner.tag, TAG_SCRIPT_COMMAND);
    } while (n-- > 0);
    ck_hex(span_of(inner.value.p, 4), head);
    ck_ok(emv_script_keys_derive(&keys, card.cvn, secret_span(&card.smi), secret_span(&card.smc),
                                 place->atc, request.ac));
    plain->n = 0;
    ck_ok(emv_script_open(&outcome, plain, place, &keys, inner.value, enciphered));
    ck_assert_int_eq(outcome, EMV_SCRIPT_OK);
    emv_script_keys_free(&keys);
}

static size_t count_templates(const struct bank_answer *a)
{
    struct span in = span_of(a->de55, a->de55_n);
    struct tlv t;
    size_t n = 0;

    while (tlv_next(&in, &t) == TP_OK)
        n += t.tag == TAG_SCRIPT_71 || t.tag == TAG_SCRIPT_72;
    return n;
}

static size_t count_commands(const struct bank_answer *a)
{
    struct span in = span_of(a->de55, a->de55_n), inner;
    struct tlv t, object;
    size_t n = 0;

    while (tlv_next(&in, &t) == TP_OK)
        for (inner = t.value; (t.tag == TAG_SCRIPT_71 || t.tag == TAG_SCRIPT_72) &&
                              tlv_next(&inner, &object) == TP_OK;)
            n += object.tag == TAG_SCRIPT_COMMAND;
    return n;
}

/* Where the first command of the last request's answer stands. */
static struct emv_script start_script(void)
{
    const uint8_t atc[2] = {(uint8_t)(terms.atc >> 8), (uint8_t)terms.atc};

    return emv_script_start(card.cvn, atc, request.ac);
}

/* Book 3, 10.10: one template, under the identifier of the first, with as many commands as 128
 * bytes hold; the rest waits. */
START_TEST(several_scripts_are_one_template)
    {
        static const enum emv_cvn kinds[] = {EMV_CVN_10, EMV_CVN_18, EMV_CCD_3DES, EMV_CCD_AES};
        static const char *const heads[] = {"84DA9F58", "8CDA9F58"};
        uint8_t room[256];
        struct buf plain = BUF_OF(room);
        uint32_t id[8];
        size_t sent = 0;

        open_with(kinds[_i], 0);
        for (size_t i = 0; i < 8; i++)
            id[i] =
                queue("put-data", (const uint8_t[]){0x80, 0xDA, 0x9F, 0x58}, "\x05", false, 0x72);
        const struct bank_answer a = *fresh();
        struct emv_script place = start_script();
        struct tlv t;

        ck_assert_uint_eq(count_templates(&a), 1);
        ck_ok(tlv_find(span_of(a.de55, a.de55_n), TAG_SCRIPT_72, &t));
        ck_assert_uint_le(t.raw.n, 128);
        while (sent < 8 && script_of(id[sent]).state == SCRIPT_DELIVERED)
            sent++;
        /* 72 L 9F18 04 …, and each 86 L CLA INS P1 P2 Lc, then 05 and a MAC of 8, or 81 01 05 8E 04
         * and a MAC of 4: 16 bytes */
        ck_assert_uint_eq(sent, (128 - 2 - 7) / 16);
        for (size_t i = 0; i < sent; i++) {
            open_command(&a, i, TAG_SCRIPT_72, id[0], &place, false, &plain, heads[_i < 2 ? 0 : 1]);
            ck_hex(buf_span(&plain), "05");
        }
        for (size_t i = sent; i < 8; i++)
            ck_assert_int_eq(script_of(id[i]).state, SCRIPT_QUEUED);
        teardown();
    }
END_TEST

START_TEST(scripts_reach_the_card_once_and_their_result_is_known)
    {
        static const enum emv_cvn kinds[] = {EMV_CVN_10, EMV_CVN_18, EMV_CCD_3DES, EMV_CCD_AES};
        const bool visa = _i < 2;
        uint8_t room[256];
        struct buf plain = BUF_OF(room);
        struct secret digits;

        open_with(kinds[_i], 0);
        const uint32_t change =
            queue("change-pin", (const uint8_t[]){0x80, 0x24, 0, 2}, "271828", true, 0x72);
        const uint32_t first =
            queue("unblock-application", (const uint8_t[]){0x80, 0x18, 0, 0}, NULL, false, 0x71);

        bank_usual(&terms, &card);
        terms.amount = BANK_CEILING + 1; /* a refusal carries them as well */
        struct bank_answer a = *pay();

        ck_assert_str_eq(a.code, "61");
        ck_assert_uint_eq(count_templates(&a),
                          visa ? 2 : 1); /* Book 3, 10.10 of the CCD: no more than one template */
        struct emv_script place = start_script();

        open_command(&a, 0, TAG_SCRIPT_71, first, &place, false, &plain,
                     visa ? "84180000" : "8C180000");
        ck_assert_uint_eq(plain.n, 0);
        if (!visa) { /* the other one goes with the next answer */
            ck_assert_int_eq(script_of(change).state, SCRIPT_QUEUED);
            bank_usual(&terms, &card);
            terms.cvr[3] = 0x10;
            a = *pay();
            ck_assert_uint_eq(count_templates(&a), 1);
            ck_assert_int_eq(script_of(first).state, SCRIPT_DONE);
            place = start_script();
        }
        open_command(&a, 0, TAG_SCRIPT_72, change, &place, true, &plain,
                     visa ? "84240002" : "8C240002");
        if (visa)
            ck_ok(pin_block_visa_parse(&digits, secret_span(&card.ac), buf_span(&plain),
                                       span_of(NULL, 0)));
        else
            ck_ok(pin_block_parse(&digits, buf_span(&plain)));
        ck_assert(span_eq(secret_span(&digits), span_str("271828")));
        secret_free(&digits);
        ck_assert_int_eq(script_of(change).state, SCRIPT_DELIVERED);
        const struct bank_answer *again = ask();

        ck_assert_mem_eq(again->raw, a.raw, a.n); /* the same again brings the same commands */
        bank_usual(&terms, &card);
        terms.cvr[visa ? 2 : 3] = visa ? 0x20 : 0x10; /* so many commands were done */
        again = pay();
        ck_assert_str_eq(again->code, "00");
        ck_assert_uint_eq(count_templates(again), 0);
        ck_assert_int_eq(script_of(first).state, SCRIPT_DONE);
        ck_assert_int_eq(script_of(change).state, SCRIPT_DONE);
        ck_assert_uint_eq(script_of(change).sealed_n, 0); /* the PIN is gone from the books */
        teardown();
    }
END_TEST

static const uint8_t block[] = {0x80, 0x1E, 0, 0};

static void result(uint32_t id, uint8_t what)
{
    const uint8_t one[5] = {what, 0, 0, 0, (uint8_t)id};

    memcpy(terms.results + terms.results_n, one, sizeof(one));
    terms.results_n += sizeof(one);
}

START_TEST(failed_and_lost_scripts)
    {
        uint32_t id =
            queue("change-pin", (const uint8_t[]){0x80, 0x24, 0, 2}, "271828", true, 0x72);
        struct bank_answer a = *fresh();

        ck_assert_uint_eq(count_templates(&a), 1);
        ck_assert_uint_gt(script_of(id).sealed_n, 0); /* it may have to go again */
        a = *fresh(); /* its CVR knows of no script: it never came, and goes with this answer */
        ck_assert_uint_eq(count_templates(&a), 1);
        ck_assert_int_eq(script_of(id).state, SCRIPT_DELIVERED);
        ck_assert_uint_eq(script_of(id).deliveries, 2);
        bank_usual(&terms, &card);
        result(id,
               0x20); /* 9F5B, that nobody signed, says done; the card's CVR says that none came */
        ck_assert_uint_eq(count_templates(pay()), 1);
        ck_assert_int_eq(script_of(id).state, SCRIPT_DELIVERED);
        ck_assert_uint_eq(script_of(id).deliveries, 3);
        bank_usual(&terms, &card);
        terms.cvr[2] = 0x18; /* came, and failed */
        ck_assert_uint_eq(count_templates(pay()), 0);
        ck_assert_int_eq(script_of(id).state, SCRIPT_FAILED);
        ck_assert_uint_eq(script_of(id).sealed_n, 0);
        id = queue("block-application", block, NULL, false, 0x72);
        bank_usual(&terms, &card);
        terms.ac_flip = 1; /* who cannot prove to be the card gets no script */
        ck_assert_uint_eq(count_templates(pay()), 0);
        ck_assert_int_eq(script_of(id).state, SCRIPT_QUEUED);
    }
END_TEST

/* Two scripts were delivered, in one template or (before, with Visa's cards) in one of each kind.
 * What the CVR says (VIS: those that came; Book 3, table CCD 10: those done; whether one failed),
 * what 9F5B says of each template (Book 4, Annex A5), and what became of them by that: where 9F5B
 * does not fit the CVR it counts for nothing. */
static const struct {
    enum emv_cvn cvn;
    bool apart;
    uint8_t cvr, told[2];
    enum script_state state[2]; /* SCRIPT_DELIVERED: once more, with the same answer */
} stories[] = {
    {EMV_CVN_18, true, 0x28, {0x11, 0x20}, {SCRIPT_FAILED, SCRIPT_DONE}},
    {EMV_CVN_18, true, 0x28, {0x20, 0x20}, {SCRIPT_FAILED, SCRIPT_FAILED}},
    {EMV_CVN_18, true, 0x20, {0x11, 0x20}, {SCRIPT_DONE, SCRIPT_DONE}},
    {EMV_CVN_18, true, 0x10, {0x20, 0x00}, {SCRIPT_DONE, SCRIPT_DELIVERED}},
    {EMV_CVN_18, true, 0x18, {0x11, 0x20}, {SCRIPT_FAILED, SCRIPT_DONE}},
    {EMV_CVN_18, true, 0x00, {0x20, 0x20}, {SCRIPT_DELIVERED, SCRIPT_DELIVERED}},
    {EMV_CVN_18, false, 0x20, {0x20}, {SCRIPT_DONE, SCRIPT_DONE}},
    {EMV_CVN_18, false, 0x28, {0x12}, {SCRIPT_DONE, SCRIPT_FAILED}},
    {EMV_CVN_18, false, 0x18, {0x12}, {SCRIPT_DONE, SCRIPT_FAILED}},
    {EMV_CVN_18, false, 0x18, {0x11}, {SCRIPT_FAILED, SCRIPT_DELIVERED}},
    {EMV_CVN_18, false, 0x18, {0x20}, {SCRIPT_FAILED, SCRIPT_FAILED}},
    {EMV_CVN_18, false, 0x00, {0x20}, {SCRIPT_DELIVERED, SCRIPT_DELIVERED}},
    {EMV_CCD_3DES, false, 0x20, {0x20}, {SCRIPT_DONE, SCRIPT_DONE}},
    {EMV_CCD_3DES, false, 0x18, {0x12}, {SCRIPT_DONE, SCRIPT_FAILED}},
    {EMV_CCD_3DES, false, 0x18, {0x11}, {SCRIPT_DONE, SCRIPT_FAILED}},
    {EMV_CCD_3DES, false, 0x18, {0x10}, {SCRIPT_DONE, SCRIPT_FAILED}},
    {EMV_CCD_3DES, false, 0x10, {0x20}, {SCRIPT_DONE, SCRIPT_DELIVERED}},
    {EMV_CCD_3DES, false, 0x08, {0x11}, {SCRIPT_FAILED, SCRIPT_DELIVERED}},
    {EMV_CCD_3DES, false, 0x08, {0x20}, {SCRIPT_FAILED, SCRIPT_DELIVERED}},
    {EMV_CCD_3DES, false, 0x00, {0x00}, {SCRIPT_DELIVERED, SCRIPT_DELIVERED}},
};
#define SCRIPT_STORIES (sizeof(stories) / sizeof(stories[0]))

START_TEST(the_card_says_how_many_scripts_and_the_terminal_which)
    {
        uint32_t id[2];

        open_with(stories[_i].cvn, 0);
        for (size_t i = 0; i < 2; i++)
            id[i] = queue("block-application", block, NULL, false,
                          stories[_i].apart && i == 0 ? 0x71 : 0x72);
        ck_assert_uint_eq(count_templates(fresh()), stories[_i].apart ? 2 : 1);
        bank_usual(&terms, &card);
        terms.cvr[stories[_i].cvn == EMV_CVN_18 ? 2 : 3] = stories[_i].cvr;
        for (size_t i = 0; i < (stories[_i].apart ? 2 : 1); i++)
            result(id[i], stories[_i].told[i]);
        ck_assert_str_eq(pay()->code, "00");
        for (size_t i = 0; i < 2; i++)
            ck_assert_msg(script_of(id[i]).state == stories[_i].state[i],
                          "story %d, script %zu: %s", _i, i,
                          script_state_name[script_of(id[i]).state]);
        teardown();
    }
END_TEST

/* A card that heard no issuer since still tells of the scripts before (VIS: last online transaction
 * not completed): not of those that were lost. */
START_TEST(old_counts_are_not_for_new_scripts)
    {
        const uint32_t first = queue("block-application", block, NULL, false, 0x72);

        ck_assert_uint_eq(count_templates(fresh()), 1);
        const uint32_t lost =
            queue("block-card", (const uint8_t[]){0x80, 0x16, 0, 0}, NULL, false, 0x72);

        bank_usual(&terms, &card);
        terms.cvr[2] = 0x10;
        ck_assert_uint_eq(count_templates(pay()), 1);
        ck_assert_int_eq(script_of(first).state, SCRIPT_DONE);
        bank_usual(&terms, &card);
        terms.cvr[1] |= 0x80;
        terms.cvr[2] = 0x10; /* of the first, still */
        ck_assert_uint_eq(count_templates(pay()), 1);
        ck_assert_int_eq(script_of(lost).state, SCRIPT_DELIVERED);
        ck_assert_uint_eq(script_of(lost).deliveries, 2);
    }
END_TEST

START_TEST(a_script_that_never_comes_is_an_alarm)
    {
        const uint32_t id = queue("block-application", block, NULL, false, 0x72);
        char log[96], line[256] = "";
        unsigned alarms = 0;

        snprintf(log, sizeof(log), "%s/log", bank.dir);
        ck_assert_ptr_nonnull(freopen(log, "w", stderr)); /* the server is a thread of ours */
        for (unsigned i = 0; i < 5; i++)
            ck_assert_uint_eq(count_templates(fresh()), 1);
        fflush(stderr);
        FILE *f = fopen(log, "r");

        ck_assert_ptr_nonnull(f);
        while (fgets(line, sizeof(line), f) != NULL)
            alarms += strstr(line, "alarm: script 1 (block-application)") != NULL;
        fclose(f);
        ck_assert_uint_eq(script_of(id).deliveries, 5);
        ck_assert_uint_eq(
            alarms,
            2); /* at the fourth and the fifth answer: three, four deliveries and nothing done */
    }
END_TEST

/* Book 3, 10.10: a terminal takes 128 bytes of scripts; what has no room comes with the next
 * answer. */
START_TEST(many_scripts_come_in_portions)
    {
        size_t got = 0, answers = 0;

        for (unsigned i = 0; i < 9; i++)
            (void)queue("unblock-pin", (const uint8_t[]){0x80, 0x24, 0, 0}, NULL, false, 0x72);
        while (got < 9 && answers < 9) {
            bank_usual(&terms, &card);
            terms.cvr[2] = answers == 1 ? 0x70 : 0; /* the first seven were done */
            const struct bank_answer *a = pay();
            const size_t n = count_commands(a);

            ck_assert(a->de55_n <= 4 + 10 + 128);
            ck_assert_uint_eq(count_templates(a), 1);
            ck_assert_uint_eq(
                n,
                answers == 0 ? 7 : 2); /* 15 bytes each, in a template of 9 and no more than 128 */
            got += n;
            answers++;
        }
        ck_assert_uint_eq(got, 9);
        bank_usual(&terms, &card);
        terms.cvr[2] = 0x20;
        ck_assert_uint_eq(count_templates(pay()), 0);
    }
END_TEST

/* ---- the line ---- */

/* Every field that doc/protocol.md wants of the message that stands in `request`, left out in turn.
 */
static void ck_needs(void)
{
    const struct iso8583 whole = request.message;
    char reason[PROFILE_REASON_MAX];
    unsigned n = 0;
    struct bank_answer none;

    for (unsigned f = 0; (f = profile_next(PROFILE_ISSUER, whole.mti, PROFILE_NEEDED, f)) != 0;
         n++) {
        ck_assert_msg(iso8583_has(&whole, f), "%04u: the test's own message has no field %u",
                      whole.mti, f);
        request.message = whole;
        request.message.field[f] = span_of(NULL, 0);
        if (f == 11) { /* nobody could tell what is answered */
            ck_assert_int_eq(bank_exchange(&none, client, &request.message, &bank_error),
                             TP_ERR_PEER);
            link_close(&client);
            client = bank_connect(&bank, BANK_ACQUIRER);
            continue;
        }
        snprintf(reason, sizeof(reason), "DE%u_MISSING", f % 1000);
        const struct bank_answer *a = ask();

        ck_assert_msg(strcmp(a->code, "30") == 0, "%04u without %u: %s", whole.mti, f, a->code);
        ck_assert(span_eq(a->message.field[44], span_str(reason)));
    }
    ck_assert_uint_gt(n, 0);
}

START_TEST(needed_fields)
    {
        static const unsigned types[] = {MTI_REVERSAL, MTI_REVERSAL_REPEAT};
        struct iso8583 *m = &request.message;

        ck_assert_str_eq(fresh()->code, "00");
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
            bank_reversal(&request, &terms, types[i]);
            ck_needs();
        }
        ck_assert_int_eq(reserved(), 1250); /* none of them took anything back */
        iso8583_start(m, MTI_NETWORK);
        iso8583_set_text(m, 7, "1124211500");
        iso8583_set_text(m, 11, "000001");
        iso8583_set_text(m, 32, BANK_ACQUIRER);
        iso8583_set_number(m, 70, 301);
        ck_needs();
    }
END_TEST

START_TEST(network_and_strangers)
    {
        struct iso8583 *m = &request.message;
        struct link_client *other;
        struct bank_answer a;
        struct book *book;

        iso8583_start(m, MTI_NETWORK);
        iso8583_set_text(m, 7, "1124211500");
        iso8583_set_text(m, 11, "000001");
        iso8583_set_text(m, 32, BANK_ACQUIRER);
        iso8583_set_number(m, 70, 301);
        ck_assert_str_eq(ask()->code, "00");
        iso8583_set_number(m, 70, 7);
        ck_assert_str_eq(ask()->code, "12");
        bank_acquirer(&bank, "00000000002");
        other = bank_connect(&bank, "00000000002");
        bank_usual(&terms, &card);
        bank_authorisation(
            &request, &card,
            &terms); /* speaks for the first acquirer under the second one's certificate */
        ck_ok(bank_exchange(&a, other, &request.message, &bank_error));
        ck_assert_str_eq(a.code, "58");
        ck_assert_int_eq(reserved(), 0);
        snprintf(terms.acquirer, sizeof(terms.acquirer),
                 "00000000002"); /* the same number of another acquirer is another request */
        bank_authorisation(&request, &card, &terms);
        ck_ok(bank_exchange(&a, other, &request.message, &bank_error));
        ck_assert_str_eq(a.code, "00");
        book = bank_book(&bank);
        ck_ok(book_acquirer_close(book, "00000000002", &bank_error));
        book_close(&book);
        ck_ok(bank_exchange(&a, other, &request.message, &bank_error));
        ck_assert_str_eq(a.code, "58");
        link_close(&other);
    }
END_TEST

START_TEST(missing_fields_and_objects)
    {
        char reason[16];
        static const uint8_t fields[] = {2,  3,  4,  7,  12, 13, 14, 18,
                                         22, 25, 32, 37, 41, 42, 49, 55};

        for (size_t i = 0; i < sizeof(fields); i++) {
            bank_usual(&terms, &card);
            bank_authorisation(&request, &card, &terms);
            request.message.field[fields[i]] = span_of(NULL, 0);
            const struct bank_answer *a = ask();

            snprintf(reason, sizeof(reason), "DE%u_MISSING", fields[i]);
            ck_assert_msg(strcmp(a->code, "30") == 0, "without field %u", fields[i]);
            ck_assert(span_eq(a->message.field[44], span_str(reason)));
        }
        bank_usual(&terms, &card);
        bank_authorisation(&request, &card, &terms);
        iso8583_set_text(&request.message, 35,
                         "9990140000000999=30122010000012345"); /* track 2 of another card */
        ck_assert_str_eq(ask()->code, "30");
        request.message.field[35] = span_of(NULL, 0);
        request.message.field[11] = span_of(NULL, 0); /* nobody could tell what is answered */
        struct bank_answer none;

        ck_assert_int_eq(bank_exchange(&none, client, &request.message, &bank_error), TP_ERR_PEER);
        link_close(&client);
        client = bank_connect(&bank, BANK_ACQUIRER);
        bank_usual(&terms, &card);
        bank_authorisation(&request, &card, &terms);
        for (struct span rest = request.message.field[55];
             rest.n > 0;) { /* each object once under a tag that nobody knows */
            struct tlv t;

            ck_ok(tlv_next(&rest, &t));
            uint8_t *tag = request.de55 + (t.raw.p - request.de55), before[2] = {tag[0], tag[1]};
            const bool needed = t.tag != TAG_PAN_SEQUENCE; /* without 9F34 nobody could see a PIN
                                                              that the card knows nothing of */

            if (!needed)
                continue;
            tag[t.tag > 0xFF ? 1 : 0] = t.tag > 0xFF ? 0x7E : 0xC1;
            ck_assert_msg(strcmp(ask()->code, "30") == 0, "without %X", t.tag);
            memcpy(tag, before, 2);
        }
        ck_assert_str_eq(ask()->code, "00");
    }
END_TEST

/* ---- many at once ---- */

struct spender {
    struct bank_card card;
    unsigned approved, refused;
    uint16_t atc;
};

static void *spend(void *ctx)
{
    struct spender *s = ctx;
    struct link_client *c = bank_connect(&bank, BANK_ACQUIRER);
    struct bank_request *q = malloc(sizeof(*q));
    struct bank_answer *a = malloc(sizeof(*a));
    struct bank_terms t;

    for (unsigned i = 0; i < 60; i++) {
        bank_usual(&t, &s->card);
        t.atc = s->atc =
            (uint16_t)(s->atc + 4); /* four spenders of one card, each with counters of its own */
        t.amount = 1000;
        bank_authorisation(q, &s->card, &t);
        BANK_MUST(bank_exchange(a, c, &q->message, &bank_error));
        s->approved += strcmp(a->code, "00") == 0;
        s->refused += strcmp(a->code, "00") != 0;
    }
    free(q);
    free(a);
    link_close(&c);
    return NULL;
}

START_TEST(nothing_is_spent_twice)
    {
        struct spender s[4];
        pthread_t thread[4];
        unsigned approved = 0;

        for (unsigned i = 0; i < 4; i++) {
            s[i] = (struct spender){.card = card, .atc = (uint16_t)i};
            ck_assert_int_eq(pthread_create(&thread[i], NULL, spend, &s[i]), 0);
        }
        for (unsigned i = 0; i < 4; i++) {
            pthread_join(thread[i], NULL);
            approved += s[i].approved;
            ck_assert_uint_eq(s[i].approved + s[i].refused, 60);
        }
        ck_assert_uint_gt(approved, 0);
        ck_assert_int_eq(reserved(), (int64_t)approved * 1000);
        ck_assert_int_le(reserved(), BANK_DAY);
    }
END_TEST

#define COPIED                                                                                     \
    "acquirer, rrn, account, digest, pan_masked, kind, amount, currency, atc, code, reason, "      \
    "approval, reserved, day, at, answer"
#define TWICE "INSERT INTO authorisation (" COPIED ") SELECT " COPIED " FROM authorisation"

/* What must never be, whoever asks: the schema itself refuses it. */
START_TEST(the_books_refuse)
    {
        static const char *const never[] = {
            "UPDATE authorisation SET code = '05'",
            "DELETE FROM authorisation",
            "DELETE FROM reversal",
            "UPDATE reversal SET rrn = 'x'",
            "DELETE FROM account",
            "UPDATE account SET atc = 0",
            "UPDATE account SET currency = 840",
            "UPDATE account SET balance = reserved - 1",
            "UPDATE account SET reserved = balance + 1",
            "UPDATE script SET state = 2 WHERE state = 0",
            "UPDATE script SET head = (SELECT substr(digest, 1, 4) FROM authorisation LIMIT 1)",
            "UPDATE script SET data = (SELECT digest FROM authorisation LIMIT 1)",
            "DELETE FROM script",
            "INSERT INTO reversal (acquirer, rrn, authorisation, at) VALUES (1, 'other', 1, 0)",
            TWICE,
        };

        (void)queue("unblock-pin", (const uint8_t[]){0x80, 0x24, 0, 0}, NULL, false, 0x72);
        ck_assert_str_eq(fresh()->code, "00");
        ck_assert_str_eq(reverse(MTI_REVERSAL)->code, "00");
        (void)queue("unblock-pin", (const uint8_t[]){0x80, 0x24, 0, 0}, NULL, false, 0x72);
        for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
            damage_refused(bank.books, never[i]);
    }
END_TEST

static enum tp_err pick(void *ctx, const struct script *s, struct tp_error *e)
{
    struct script *out = ctx;

    (void)e;
    if (s->id == out->id)
        *out = *s;
    return TP_OK;
}

/* Three scripts of books that telepay made before it delivered again; their data were erased at
 * delivery. */
START_TEST(books_of_version_1_are_raised)
    {
        static const char rows[] =
            "INSERT INTO acquirer VALUES (1, '1', 1, 0);"
            "INSERT INTO account VALUES (1, zeroblob(32), 1, '9', x'00', 20301231, 1, 2, 978, "
            "1000, 0, 1000, 1000, 0, 7, 0);"
            "INSERT INTO authorisation VALUES (1, 1, '1', 1, zeroblob(32), '9', 0, 100, 978, 7, "
            "'00', '', '000001', 100, 20261124, 0, x'');"
            "INSERT INTO script VALUES (1, 1, 'change-pin', x'80240002', NULL, 1, 114, 1, 1, 5, 6, "
            "0),"
            " (2, 1, 'block-card', x'80160000', NULL, 0, 114, 1, 1, 5, 6, 0), (3, 1, 'put-data', "
            "x'00DA9F58', x'07', 0, 114, 0, NULL, 5, 0, 0);"
            "PRAGMA user_version = 1";
        static const enum script_state wanted[] = {SCRIPT_NOT_DONE, SCRIPT_QUEUED, SCRIPT_QUEUED};
        char path[96], copy[512];
        struct authoriser a = {.book = NULL};
        const struct account account = {.key = 1};
        const struct emv_iad none = {.cvn = EMV_CVN_18};
        bool reversed = true;

        snprintf(path, sizeof(path), "%s/old.db", bank.dir);
        old_file(path, "issuer-1", rows);
        ck_assert_int_eq(book_open(&a.book, path, &bank_error), TP_ERR_STATE);
        ck_ok(db_upgrade(path, &issuer_schema, copy, NULL, NULL, &bank_error));
        ck_assert_int_eq(unlink(copy), 0);
        ck_assert_msg(book_open(&a.book, path, &bank_error) == TP_OK, "%s", bank_error.text);
        ck_ok(scripts_settle(&a, &account, &none, span_of(NULL, 0), &bank_error));
        for (uint32_t id = 1; id <= 3; id++) {
            struct script s = {.id = id};

            ck_ok(book_script_each(a.book, pick, &s, &bank_error));
            ck_assert_int_eq(s.state, wanted[id - 1]);
            ck_assert_uint_eq(s.deliveries, id < 3);
            ck_assert_uint_eq(s.sealed_n, id == 3);
        }
        ck_ok(book_counter_free(a.book, 1, 7, 1, &reversed,
                                &bank_error)); /* what the card made then is not known */
        ck_assert(!reversed);
        book_close(&a.book);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("issuer");
    TCase *kinds = tcase_create("kinds"), *t = tcase_create("issuer");

    tcase_set_timeout(kinds, 60);
    tcase_add_loop_test(kinds, every_kind_of_card_is_approved_and_its_issuer_proved, 0, 7);
    tcase_add_loop_test(kinds, scripts_reach_the_card_once_and_their_result_is_known, 0, 4);
    tcase_add_loop_test(kinds, several_scripts_are_one_template, 0, 4);
    tcase_add_loop_test(kinds, the_card_says_how_many_scripts_and_the_terminal_which, 0,
                        SCRIPT_STORIES);
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, the_same_again_is_answered_alike_and_reserved_once);
    tcase_add_test(t, a_reversal_releases_once);
    tcase_add_test(t, refusals);
    tcase_add_test(t, account_status_and_money);
    tcase_add_test(t, a_tc_of_a_card_that_has_expired_since);
    tcase_add_test(t, credits_of_a_day);
    tcase_add_test(t, a_tc_is_checked_and_reserved);
    tcase_add_test(t, a_tc_after_its_reversed_arqc);
    tcase_add_test(t, a_tc_after_an_arqc_of_another_acquirer);
    tcase_add_test(t, a_tc_that_comes_late);
    tcase_add_test(t, failed_and_lost_scripts);
    tcase_add_test(t, old_counts_are_not_for_new_scripts);
    tcase_add_test(t, a_script_that_never_comes_is_an_alarm);
    if (!postgres_wanted()) /* there were files alone */
        tcase_add_test(t, books_of_version_1_are_raised);
    tcase_add_test(t, many_scripts_come_in_portions);
    tcase_add_test(t, needed_fields);
    tcase_add_test(t, network_and_strangers);
    tcase_add_test(t, missing_fields_and_objects);
    tcase_add_test(t, nothing_is_spent_twice);
    tcase_add_test(t, the_books_refuse);
    suite_add_tcase(s, kinds);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
