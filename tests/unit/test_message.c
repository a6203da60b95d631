/* The payer's messages and their answers. */
#include "unit.h"

#include <time.h>

#include "apdu/tlv.h"
#include "payer/journal.h"
#include "payer/message.h"
#include "payer/ticket.h"
#include "wire/iso8583.h"

/* What a card and a terminal gave: values of the wrong size for the eye to find them again. */
static const struct {
    uint32_t tag;
    const char *hex;
} given[] = {{TAG_PAN, "9990140000000015"},
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
             {TAG_LANGUAGE, "6672656E"},
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
    strcpy(t.shop.siret, "43033271800021");
    strcpy(t.shop.town, "Lorient");
    t.kernel.mcc = 5942;
    t.currency = currency_by_alpha("EUR");
    return &t;
}

static const struct transaction_request request = {
    .amount = 1250, .currency = 978, .date = 20261123, .time = 91500};

static struct span build(uint8_t *room, struct iso8583 *m)
{
    static struct tp_error e;
    struct buf b = {room, 0, MESSAGE_MAX};
    struct tm utc = {.tm_year = 126, .tm_mon = 10, .tm_mday = 23, .tm_hour = 8, .tm_min = 15};

    ck_ok(message_build(&b, a_terminal(), &request, "", 42, timegm(&utc), look_up, NULL, &e));
    if (m != NULL)
        ck_ok(iso8583_unpack(m, buf_span(&b), &e));
    return buf_span(&b);
}

static void is(const struct iso8583 *m, unsigned field, const char *text)
{
    char have[64];

    ck_assert_msg(iso8583_text(m, field, have, sizeof(have)) == TP_OK && strcmp(have, text) == 0,
                  "field %u", field);
}

START_TEST(fields_as_design_7_says)
    {
        static uint8_t room[MESSAGE_MAX];
        static struct iso8583 m;
        static const struct {
            unsigned field;
            const char *text;
        } wanted[] = {{2, "9990140000000015"},
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
        ck_hex(m.field[55],
               "9F26081122334455667788" /* as the list of doc/protocol.md orders them */
               "9F270140"
               "9F3704DEADBEEF"
               "9F36020007"
               "95050000008000"
               "82023900"
               "9F3403010302"
               "8407F0000000141010"
               "9F410400000042"
               "5F340101");
        ck_ok(iso8583_evidence_join(&joined, &m));
        ck_hex(buf_span(&joined), "8F0101"
                                  "9003909090"
                                  "DF01020102"
                                  "DF05027700");
    }
END_TEST

/* A card with DDA whose lists stand in no authenticated record: they go along; so does what
 * INTERNAL AUTHENTICATE was sent and gave. And with every object at its longest (EMV 4.4 Book 3,
 * Annex A) DE 55 fits the 255 bytes that networks carry. */
static struct span longest(const void *ctx, uint32_t tag)
{
    static const uint8_t filler[32] = {0}, listed[6 + 32] = {0, 0, 0, 0, 0x12, 0x50};
    const struct emv_tag *known = emv_tag_find(tag);

    (void)ctx;
    switch (tag) {
    case TAG_PAN:
    case TAG_EXPIRY:
    case TAG_PAN_SEQUENCE:
        return look_up(NULL, tag);
    case TAG_CDOL1:
        return span_of("\x9F\x02\x06\x9F\x7C\x20", 6);
    case TAG_EV_CDOL1_VALUES:
        return SPAN_OF(listed);
    case TAG_EV_DDOL_VALUES:
        return span_of("\xDE\xAD\xBE\xEF", 4);
    case TAG_EV_DDA_SDAD:
        return span_of("\x4B\x4B", 2);
    case TAG_SDAD:
        return span_of(filler, sizeof(filler));
    default:
        if (known == NULL || tag >= TAG_EV_STATIC || known->max == 0 || known->max > sizeof(filler))
            return (struct span){NULL, 0};
        return span_of(filler, known->max);
    }
}

START_TEST(lists_that_nobody_signed_and_the_longest_de_55)
    {
        static uint8_t room[MESSAGE_MAX], stream[ISO8583_EVIDENCE_MAX];
        static struct iso8583 m;
        struct buf b = BUF_OF(room), joined = BUF_OF(stream);
        struct tp_error e = {TP_OK, ""};
        struct tlv t;

        ck_assert_msg(message_build(&b, a_terminal(), &request, "", 42, time(NULL), longest, NULL,
                                    &e) == TP_OK,
                      "%s", e.text);
        ck_ok(iso8583_unpack(&m, buf_span(&b), &e));
        ck_assert_uint_le(m.field[55].n, 255);
        ck_assert_int_eq(tlv_find(m.field[55], TAG_SDAD, &t), TP_ERR_NOT_FOUND);
        ck_ok(tlv_find(m.field[55], TAG_MERCHANT_CUSTOM, &t));
        ck_ok(iso8583_evidence_join(&joined, &m));
        ck_ok(tlv_find(buf_span(&joined), TAG_EV_CDOL1, &t));
        ck_hex(t.value, "9F02069F7C20");
        ck_assert_int_eq(tlv_find(buf_span(&joined), TAG_EV_CDOL2, &t), TP_ERR_NOT_FOUND);
        ck_ok(tlv_find(buf_span(&joined), TAG_EV_DDOL_VALUES, &t));
        ck_ok(tlv_find(buf_span(&joined), TAG_EV_DDA_SDAD, &t));
    }
END_TEST

START_TEST(a_card_without_number_or_expiry_makes_no_message)
    {
        static const uint32_t missing[] = {TAG_PAN, TAG_EXPIRY};
        uint8_t room[MESSAGE_MAX];
        struct tp_error e;

        for (size_t i = 0; i < 2; i++) {
            struct buf b = BUF_OF(room);

            ck_assert_int_eq(
                message_build(&b, a_terminal(), &request, "", 42, 0, look_up, &missing[i], &e),
                TP_ERR_FORMAT);
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
    } usual[] = {{3, "000000"},           {4, "000000001250"}, {7, "1123091500"},
                 {11, "000042"},          {12, "091500"},      {13, "1123"},
                 {37, "632700000042"},    {39, "00"},          {41, "00000001"},
                 {42, "000000000000123"}, {49, "978"}};

    iso8583_start(&a, MTI_FINANCIAL_RESPONSE);
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        if (usual[i].field != field)
            iso8583_set_text(&a, usual[i].field, usual[i].text);
    if (text != NULL)
        iso8583_set_text(&a, field, text);
    ck_ok(iso8583_pack(&b, &a, NULL));
    return buf_span(&b);
}

START_TEST(answers_are_read)
    {
        static uint8_t room[MESSAGE_MAX], raw[1024];
        const struct span message = build(room, NULL);
        struct tp_error e;
        struct wire_answer a;

        ck_ok(answer_parse(&a, answer_with(raw, 0, NULL), message, &e));
        ck_assert(wire_answer_is_yes(&a) && answer_is_final(&a));
        ck_assert_str_eq(a.rrn, "632700000042");
        ck_ok(answer_parse(&a, answer_with(raw, 39, "63"), message, &e));
        ck_assert(!wire_answer_is_yes(&a) && answer_is_final(&a));
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
        struct wire_answer a;

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
            ck_assert_msg(answer_parse(&a, answer_with(raw, wrong[i].field, wrong[i].text), message,
                                       &e) == TP_ERR_PEER,
                          "%u", wrong[i].field);
        ck_assert_int_eq(answer_parse(&a, message, message, &e),
                         TP_ERR_PEER); /* a 0200 is no answer */
        ck_assert_int_eq(answer_parse(&a, span_str("garbage"), message, &e), TP_ERR_PEER);
        ck_assert_int_eq(answer_parse(&a, span_of("", 0), message, &e), TP_ERR_PEER);
    }
END_TEST

/* DE 37 of a refund names the payment that it gives back; a payment has none. */
START_TEST(a_refund_names_its_payment)
    {
        static uint8_t room[MESSAGE_MAX];
        static struct iso8583 m;
        static struct tp_error e;
        struct transaction_request refund = request;
        struct buf b = BUF_OF(room);

        refund.type = 0x20;
        ck_ok(message_build(&b, a_terminal(), &refund, "632700000001", 42, 0, look_up, NULL, &e));
        ck_ok(iso8583_unpack(&m, buf_span(&b), &e));
        is(&m, 3, "200000");
        is(&m, 37, "632700000001");
        build(room, &m);
        ck_assert(!iso8583_has(&m, 37));
    }
END_TEST

START_TEST(every_code_has_a_sentence)
    {
        /* Those that French acquirers and issuers publish (the tables of response codes of PayZen
         * and of Paybox), and 62, 10 and 11 of ISO 8583:1987, A.9. open: by the words there nothing
         * is decided ("répéter ultérieurement", "arrêt momentané" …). */
        static const char *const final[] = {
            "00", "02", "03", "04", "05", "07", "08", "10", "11", "12", "13", "14", "15", "17",
            "20", "24", "25", "26", "27", "28", "29", "30", "31", "33", "34", "38", "41", "43",
            "51", "54", "55", "56", "57", "58", "59", "60", "61", "62", "63", "75", "76", "94"};
        static const char *const open[] = {"19", "68", "90", "91", "96", "97", "98", "99"};
        struct wire_answer a = {.code = "??"};

        ck_assert(answer_is_final(&a));
        for (size_t i = 0; i < sizeof(final) / sizeof(final[0]); i++) {
            memcpy(a.code, final[i], sizeof(a.code));
            ck_assert_msg(strstr(answer_text(final[i], false), "no meaning") == NULL &&
                              strstr(answer_text(final[i], true), "no meaning") == NULL &&
                              strstr(answer_words_french(&a), "sans sign") == NULL &&
                              answer_is_final(&a) && wire_answer_is_yes(&a) == (i == 0),
                          "%s", final[i]);
        }
        for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
            memcpy(a.code, open[i], sizeof(a.code));
            ck_assert_msg(strstr(answer_text(open[i], false), "no meaning") == NULL &&
                              strstr(answer_words_french(&a), "sans sign") == NULL &&
                              !answer_is_final(&a) && !wire_answer_is_yes(&a),
                          "%s", open[i]);
        }
        ck_assert_ptr_nonnull(strstr(answer_text("??", false), "no meaning"));
        memcpy(a.code, "??", sizeof(a.code));
        ck_assert_str_eq(answer_words_french(&a), "refus sans signification connue");
    }
END_TEST

/* The words of PayZen and Paybox. */
START_TEST(french_sentences)
    {
        static const char *const rows[][2] = {
            {"00", "transaction approuvée"},
            {"33", "date de validité de la carte dépassée"},
            {"51", "provision insuffisante ou crédit dépassé"},
            {"54", "date de validité de la carte dépassée"},
            {"68", "réponse non parvenue ou reçue trop tard"},
            {"90", "arrêt momentané du système"},
            {"91", "émetteur de cartes inaccessible"},
            {"94", "transaction dupliquée"},
            {"97", "échéance de la temporisation de surveillance globale"},
            {"99", "incident domaine initiateur"}};

        struct wire_answer a = {0};

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            memcpy(a.code, rows[i][0], sizeof(a.code));
            ck_assert_str_eq(answer_words_french(&a), rows[i][1]);
        }
    }
END_TEST

START_TEST(receipts_hold_what_the_card_gave)
    {
        struct receipt r;

        receipt_fill(&r, a_terminal(), &request, look_up, NULL);
        ck_assert_str_eq(r.pan, "999014******0015");
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

/* Who refuses stands in DE 44 (doc/protocol.md): a limit of the issuer's is none of the contract's,
 * and the head of the ticket says whose no it is. */
START_TEST(the_issuer_s_refusal_is_the_issuer_s)
    {
        static const struct {
            const char *code, *de44, *head, *reason;
        } rows[] = {
            {"61", "ISSUER", "REFUSED BY THE ISSUER",
             "the amount is over a limit of the card (61, ISSUER)"},
            {"61", "CEILING", "REFUSED BY THE ACQUIRER",
             "the amount is over a limit of the contract (61, CEILING)"},
            {"14", "ISSUER", "REFUSED BY THE ISSUER",
             "the card's issuer does not know the card number (14, ISSUER)"},
            {"62", "ISSUER", "REFUSED BY THE ISSUER", "the card is blocked (62, ISSUER)"},
            {"05", "ISSUER_REFUSED", "REFUSED BY THE ISSUER",
             "the card's issuer does not honour the payment (05, ISSUER_REFUSED)"},
            {"63", "ISSUER_CERT_HASH", "REFUSED BY THE ACQUIRER",
             "the card's signature or a certificate fails (63, ISSUER_CERT_HASH)"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct receipt r = {.state = PAYMENT_SIGNED, .currency = 978, .date = 20261123}, again;
            struct wire_answer a = {.code = ""};
            json_t *object;
            char *text = NULL;
            size_t n = 0;
            const struct paper paper = {open_memstream(&text, &n), 80, false};

            snprintf(a.code, sizeof(a.code), "%s", rows[i].code);
            snprintf(a.reason, sizeof(a.reason), "%s", rows[i].de44);
            receipt_settle(&r, &a);
            ck_assert_str_eq(r.reason, rows[i].reason);
            ck_ok(receipt_to_json(&object, &r)); /* as the journal keeps it */
            ck_ok(receipt_from_json(&again, object));
            json_decref(object);
            ticket_put(&paper, &again, TICKET_CUSTOMER, TICKET_ENGLISH);
            fclose(paper.to);
            ck_assert_msg(strstr(text, rows[i].head) != NULL, "%s", text);
            free(text);
        }
    }
END_TEST

static struct span bypassed(const void *ctx, uint32_t tag)
{
    static const uint8_t tvr[] = {0, 0, 0x88, 0, 0}, failed[] = {0x01, 0x03, 0x01},
                         none[] = {0x3F, 0x00, 0x00};

    if (tag == TAG_TVR)
        return SPAN_OF(tvr);
    if (tag == TAG_CVM_RESULTS)
        return ctx == NULL ? SPAN_OF(failed) : SPAN_OF(none);
    return ctx != NULL && *(const int *)ctx == 0 && tag == TAG_DF_NAME ? span_of(NULL, 0)
                                                                       : look_up(NULL, tag);
}

/* TVR byte 3: verification not successful, PIN entry required and PIN not entered (Book 3, table
 * C5). */
START_TEST(a_pin_that_was_passed_over_did_not_fail)
    {
        const int unselected = 0, selected = 1;
        struct receipt r;

        receipt_fill(&r, a_terminal(), &request, bypassed, NULL);
        ck_assert_str_eq(r.verified, "Plaintext PIN verification performed by ICC: not entered");
        receipt_fill(&r, a_terminal(), &request, bypassed, &selected);
        ck_assert_str_eq(r.verified, "No CVM performed");
        receipt_fill(&r, a_terminal(), &request, bypassed, &unselected);
        ck_assert_str_eq(r.verified, "");
    }
END_TEST

START_TEST(receipts_survive_json)
    {
        struct receipt r, again;
        json_t *object;

        receipt_fill(&r, a_terminal(), &request, look_up, NULL);
        r.state = PAYMENT_REFUSED;
        r.by_issuer = true;
        r.signature = true;
        r.stan = 42;
        strcpy(r.rrn, "632700000042");
        strcpy(r.answer, "63");
        strcpy(r.reason, "because");
        ck_ok(receipt_to_json(&object, &r));
        ck_ok(receipt_from_json(&again, object));
        ck_assert_mem_eq(&again, &r, sizeof(r));
        json_object_del(object, "languages"); /* as journals of old */
        json_object_del(object, "siret");
        ck_ok(receipt_from_json(&again, object));
        ck_assert_str_eq(again.languages, "");
        json_object_del(object, "ac");
        ck_assert_int_eq(receipt_from_json(&again, object), TP_ERR_FORMAT);
        json_decref(object);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("message");
    TCase *c = tcase_create("message");

    tcase_add_test(c, fields_as_design_7_says);
    tcase_add_test(c, de_55_and_the_evidence_hold_what_there_is_in_order);
    tcase_add_test(c, lists_that_nobody_signed_and_the_longest_de_55);
    tcase_add_test(c, a_card_without_number_or_expiry_makes_no_message);
    tcase_add_test(c, a_repeat_differs_in_its_type_only);
    tcase_add_test(c, answers_are_read);
    tcase_add_test(c, an_answer_to_another_payment_is_none);
    tcase_add_test(c, a_refund_names_its_payment);
    tcase_add_test(c, every_code_has_a_sentence);
    tcase_add_test(c, french_sentences);
    tcase_add_test(c, receipts_hold_what_the_card_gave);
    tcase_add_test(c, the_issuer_s_refusal_is_the_issuer_s);
    tcase_add_test(c, a_pin_that_was_passed_over_did_not_fail);
    tcase_add_test(c, receipts_survive_json);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
