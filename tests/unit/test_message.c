#include "unit.h"

#include <time.h>

#include "apdu/tlv.h"
#include "payer/message.h"
#include "wire/iso8583.h"

/* What a card and a terminal gave: values of the wrong size for the eye to find them again. */
static const struct {
    uint32_t tag;
    const char *hex;
} given[] = {{TAG_PAN, "9990140000000018"},
             {TAG_EXPIRY, "301231"},
             {TAG_PAN_SEQUENCE, "01"},
             {TAG_AC, "1122334455667788"},
             {TAG_CID, "40"},
             {TAG_ATC, "0007"},
             {TAG_TVR, "0000008000"},
             {TAG_TSI, "E800"},
             {TAG_UN, "DEADBEEF"},
             {TAG_AIP, "3900"},
             {TAG_SDAD, "4B4B"},
             {TAG_DF_NAME, "F0000000141010"},
             {TAG_CVM_RESULTS, "010302"},
             {TAG_ISSUER_CERT, "909090"},
             {TAG_CA_INDEX, "01"},
             {TAG_EV_STATIC, "0102"},
             {TAG_EV_RESPONSE, "7700"},
             {TAG_TX_COUNTER, "00000042"}};

static uint8_t values[sizeof(given) / sizeof(given[0])][16];

static struct span look_up(const void *ctx, uint32_t tag)
{
    for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
        if (given[i].tag == tag && (ctx == NULL || *(const uint32_t *)ctx != tag)) {
            struct buf b = BUF_OF(values[i]);

            ck_ok(hex_decode(&b, given[i].hex));
            return buf_span(&b);
        }
    return (struct span){NULL, 0};
}

static struct terminal *a_terminal(void)
{
    static struct terminal t;

    memset(&t, 0, sizeof(t));
    strcpy(t.kernel.terminal_id, "00000001");
    strcpy(t.kernel.merchant_id, "000000000000123");
    strcpy(t.kernel.merchant_name, "Librairie du Port");
    t.kernel.mcc = 5942;
    t.currency = currency_by_alpha("EUR");
    return &t;
}

static const struct transaction_request request = {.amount = 1250, .currency = 978, .date = 20261123, .time = 91500};

static struct span build(uint8_t *room, struct iso8583 *m)
{
    static struct tp_error e;
    struct buf b = {room, 0, MESSAGE_MAX};
    struct tm utc = {.tm_year = 126, .tm_mon = 10, .tm_mday = 23, .tm_hour = 8, .tm_min = 15};

    ck_ok(message_build(&b, a_terminal(), &request, 42, timegm(&utc), look_up, NULL, &e));
    if (m != NULL)
        ck_ok(iso8583_unpack(m, buf_span(&b), &e));
    return buf_span(&b);
}

static void is(const struct iso8583 *m, unsigned field, const char *text)
{
    char have[64];

    ck_assert_msg(iso8583_text(m, field, have, sizeof(have)) == TP_OK && strcmp(have, text) == 0, "field %u", field);
}

START_TEST(fields_as_design_7_says)
    {
        static uint8_t room[MESSAGE_MAX];
        static struct iso8583 m;
        static const struct {
            unsigned field;
            const char *text;
        } wanted[] = {{2, "9990140000000018"},
                      {3, "000000"},
                      {4, "000000001250"},
                      {7, "1123081500"},
                      {11, "000042"},
                      {12, "091500"},
                      {13, "1123"},
                      {14, "3012"},
                      {18, "5942"},
                      {22, "051"},
                      {23, "001"},
                      {25, "00"},
                      {41, "00000001"},
                      {42, "000000000000123"},
                      {49, "978"}};
        const struct span raw = build(room, &m);

        ck_hex(span_of(raw.p, 2), "0200");
        ck_assert_uint_eq(m.mti, MTI_FINANCIAL);
        for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
            is(&m, wanted[i].field, wanted[i].text);
    }
END_TEST

START_TEST(de_55_and_the_evidence_hold_what_there_is_in_order)
    {
        static uint8_t room[MESSAGE_MAX], stream[ISO8583_EVIDENCE_MAX];
        static struct iso8583 m;
        struct buf joined = BUF_OF(stream);

        build(room, &m);
        ck_hex(m.field[55], "9F26081122334455667788" /* as the list of DESIGN 7 orders them */
                            "9F270140"
                            "9F3704DEADBEEF"
                            "9F36020007"
                            "95050000008000"
                            "82023900"
                            "9F3403010302"
                            "8407F0000000141010"
                            "9F410400000042"
                            "5F340101"
                            "9F4B024B4B");
        ck_ok(iso8583_evidence_join(&joined, &m));
        ck_hex(buf_span(&joined), "8F0101"
                                  "9003909090"
                                  "DF01020102"
                                  "DF05027700");
    }
END_TEST

START_TEST(a_card_without_number_or_expiry_makes_no_message)
    {
        static const uint32_t missing[] = {TAG_PAN, TAG_EXPIRY};
        uint8_t room[MESSAGE_MAX];
        struct tp_error e;

        for (size_t i = 0; i < 2; i++) {
            struct buf b = BUF_OF(room);

            ck_assert_int_eq(message_build(&b, a_terminal(), &request, 42, 0, look_up, &missing[i], &e), TP_ERR_FORMAT);
            ck_assert_uint_eq(b.n, 0);
        }
    }
END_TEST

START_TEST(a_repeat_differs_in_its_type_only)
    {
        static uint8_t one[MESSAGE_MAX], two[MESSAGE_MAX];
        const struct span first = build(one, NULL);
        struct buf second = {two, build(two, NULL).n, sizeof(two)};

        message_make_repeat(&second);
        ck_hex(span_of(two, 2), "0201");
        ck_assert(span_eq(span_of(one + 2, first.n - 2), span_of(two + 2, second.n - 2)));
    }
END_TEST

/* A 0210 to the message above, with one field changed (0: none). */
static struct span answer_with(uint8_t *room, unsigned field, const char *text)
{
    static struct iso8583 a;
    struct buf b = {room, 0, 1024};
    static const struct {
        unsigned field;
        const char *text;
    } usual[] = {{3, "000000"},        {4, "000000001250"}, {7, "1123091500"}, {11, "000042"},   {12, "091500"},          {13, "1123"},
                 {37, "632700000042"}, {39, "00"},          {41, "00000001"}, {42, "000000000000123"}, {49, "978"}};

    iso8583_start(&a, MTI_FINANCIAL_RESPONSE);
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        if (usual[i].field != field)
            ck_ok(iso8583_set_text(&a, usual[i].field, usual[i].text));
    if (text != NULL)
        ck_ok(iso8583_set_text(&a, field, text));
    ck_ok(iso8583_pack(&b, &a, NULL));
    return buf_span(&b);
}

START_TEST(answers_are_read)
    {
        static uint8_t room[MESSAGE_MAX], raw[1024];
        const struct span message = build(room, NULL);
        struct tp_error e;
        struct answer a;

        ck_ok(answer_parse(&a, answer_with(raw, 0, NULL), message, &e));
        ck_assert(answer_is_yes(&a) && answer_is_final(&a));
        ck_assert_str_eq(a.rrn, "632700000042");
        ck_ok(answer_parse(&a, answer_with(raw, 39, "63"), message, &e));
        ck_assert(!answer_is_yes(&a) && answer_is_final(&a));
        ck_ok(answer_parse(&a, answer_with(raw, 44, "SDAD_HASH"), message, &e));
        ck_assert_str_eq(a.reason, "SDAD_HASH");
        ck_ok(answer_parse(&a, answer_with(raw, 39, "96"), message, &e));
        ck_assert(!answer_is_final(&a));
    }
END_TEST

START_TEST(an_answer_to_another_payment_is_none)
    {
        static uint8_t room[MESSAGE_MAX], raw[1024];
        const struct span message = build(room, NULL);
        static const struct {
            unsigned field;
            const char *text;
        } wrong[] = {{4, "000000001251"}, {11, "000043"}, {41, "00000002"}, {42, "000000000000124"},
                     {49, "840"},         {12, "235958"}, {13, "0229"},     {4, NULL},
                     {11, NULL},          {39, NULL},     {37, NULL}};
        struct tp_error e;
        struct answer a;

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
            ck_assert_msg(answer_parse(&a, answer_with(raw, wrong[i].field, wrong[i].text), message, &e) == TP_ERR_PEER, "%u", wrong[i].field);
        ck_assert_int_eq(answer_parse(&a, message, message, &e), TP_ERR_PEER); /* a 0200 is no answer */
        ck_assert_int_eq(answer_parse(&a, span_str("garbage"), message, &e), TP_ERR_PEER);
        ck_assert_int_eq(answer_parse(&a, span_of("", 0), message, &e), TP_ERR_PEER);
    }
END_TEST

START_TEST(every_code_has_a_sentence)
    {
        static const char *const codes[] = {"00", "03", "05", "12", "13", "30", "41", "43", "51", "54",
                                            "55", "57", "58", "61", "63", "75", "91", "94", "96"}; /* DESIGN 7 */

        for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
            ck_assert_str_ne(answer_text(codes[i]), answer_text("99"));
        ck_assert_str_eq(answer_text("??"), answer_text("99"));
    }
END_TEST

START_TEST(receipts_hold_what_the_card_gave)
    {
        struct receipt r;

        receipt_fill(&r, a_terminal(), &request, look_up, NULL);
        ck_assert_str_eq(r.pan, "999014******0018");
        ck_assert_str_eq(r.psn, "001");
        ck_assert_str_eq(r.aid, "F0000000141010");
        ck_assert_str_eq(r.cryptogram, "TC");
        ck_assert_str_eq(r.ac, "1122334455667788");
        ck_assert_int_eq(r.atc, 7);
        ck_assert_str_eq(r.tvr, "0000008000");
        ck_assert_str_eq(r.tsi, "E800");
        ck_assert_str_eq(r.verified, "Plaintext PIN verification performed by ICC: Successful");
    }
END_TEST

START_TEST(receipts_survive_json)
    {
        struct receipt r, again;
        json_t *object;

        receipt_fill(&r, a_terminal(), &request, look_up, NULL);
        r.state = PAYMENT_REFUSED;
        r.stan = 42;
        strcpy(r.rrn, "632700000042");
        strcpy(r.answer, "63");
        strcpy(r.reason, "because");
        ck_ok(receipt_to_json(&object, &r));
        ck_ok(receipt_from_json(&again, object));
        ck_assert_mem_eq(&again, &r, sizeof(r));
        json_object_del(object, "ac");
        ck_assert_int_eq(receipt_from_json(&again, object), TP_ERR_FORMAT);
        json_decref(object);
    }
END_TEST

/* The paper itself, laid out by hand. */
START_TEST(the_ticket)
    {
        static const char paper[] = "                CARD PAYMENT\n"
                                    "             Librairie du Port\n"
                                    "Contract                     000000000000123\n"
                                    "Terminal                            00000001\n"
                                    "Date                     2026-11-23 09:15:00\n"
                                    "AID                           F0000000141010\n"
                                    "Card               999014******0018  no. 001\n"
                                    "TC                          1122334455667788\n"
                                    "ATC                                        7\n"
                                    "TVR / TSI                  0000008000 / E800\n"
                                    "Plaintext PIN verification performed by ICC: Successful\n"
                                    "Number                                000042\n"
                                    "Reference                       632700000042\n"
                                    "AMOUNT                             12.50 EUR\n"
                                    "                  APPROVED\n";
        struct receipt r;
        char *text = NULL;
        size_t n = 0;
        FILE *f = open_memstream(&text, &n);

        receipt_fill(&r, a_terminal(), &request, look_up, NULL);
        r.state = PAYMENT_ACKNOWLEDGED;
        r.stan = 42;
        strcpy(r.rrn, "632700000042");
        receipt_print(f, &r);
        fclose(f);
        ck_assert_str_eq(text, paper);
        free(text);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("message");
    TCase *c = tcase_create("message");

    tcase_add_test(c, fields_as_design_7_says);
    tcase_add_test(c, de_55_and_the_evidence_hold_what_there_is_in_order);
    tcase_add_test(c, a_card_without_number_or_expiry_makes_no_message);
    tcase_add_test(c, a_repeat_differs_in_its_type_only);
    tcase_add_test(c, answers_are_read);
    tcase_add_test(c, an_answer_to_another_payment_is_none);
    tcase_add_test(c, every_code_has_a_sentence);
    tcase_add_test(c, receipts_hold_what_the_card_gave);
    tcase_add_test(c, receipts_survive_json);
    tcase_add_test(c, the_ticket);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
