/* Whose card it is, as a mediator asks the acquirer's server over TLS: what the card signed for its
 * request (EMV 4.4 Book 2, 6.5), and every other request, seal, list and card refused by its name.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "acquirer/presence.h"
#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "base/base64.h"
#include "base/date.h"
#include "base/file.h"
#include "base/hex.h"
#include "crypto/emvmake.h"
#include "frontal.h"
#include "order/letter.h"
#include "order/sealed.h"

static struct office office;
static struct frontal frontal;
static struct link_client *client;
static struct order_authority *authority;
static struct signed_card card;

static struct { /* one question, from what is asked to what is answered */
    struct letter asked;
    char until[TIME_TEXT_MAX], at[TIME_TEXT_MAX];
    char *jws, *jwe;
    uint8_t r[LETTER_HASH];    /* the hash of what was asked … */
    uint8_t said[LETTER_HASH]; /* … and for what it is sealed */
    uint8_t values[64];        /* DF08 */
    size_t values_n;
    uint8_t rid;   /* the last byte of the application's RID */
    uint8_t flips; /* a bit of the signature */
    bool no_signature;
    uint8_t stream[ISO8583_EVIDENCE_MAX];
    size_t stream_n;
    struct iso8583 message, answer;
    uint8_t room[MEDIATION_MAX], back[MEDIATION_MAX];
    struct office_answer a;
    struct mediation parts;
} q;

static void setup(void)
{
    char path[128];

    office_make(&office, NULL, 1);
    MUST(signer_card(&card, &office.signer, 1));
    frontal_make(&frontal, &office);
    snprintf(path, sizeof(path), "%s/pki/ca.pem", office.dir);
    MUST(order_authority_load(&authority, path, &office_error));
    office_start(&office, 1);
    client = frontal_connect(&frontal, FRONTAL);
}

static void clear(void)
{
    free(q.jws);
    free(q.jwe);
    memset(&q, 0, sizeof(q));
}

static void teardown(void)
{
    clear();
    link_close(&client);
    office_stop(&office);
    frontal_clear(&frontal);
    order_authority_free(&authority);
    office_remove(&office);
}

/* ---- the steps ---- */

static void ask_for(time_t until)
{
    clear();
    q.rid = 0x14;
    q.asked = (struct letter){.mediator = "https://shop.example",
                              .request = "abcdefghijklmnopqrstuvwxyz",
                              .service = "journal",
                              .reason = "to show what you owe",
                              .contract = OFFICE_CONTRACT,
                              .acquirer = frontal.acquirer,
                              .terminal = frontal.terminal,
                              .country = "250",
                              .mcc = "5942",
                              .currency = "eur",
                              .until = time_format_utc(q.until, until),
                              .at = time_format_utc(q.at, time(NULL))};
}

static void sign_request(const struct order_key *key)
{
    ck_ok(letter_write(&q.jws, LETTER_CARD_REQUEST, &q.asked, key, &office_error));
    ck_ok(letter_hash(q.r, q.jws, &office_error));
    memcpy(q.said, q.r, sizeof(q.said));
    memcpy(q.values, q.r, 4);
    q.values_n = 4;
}

/* The usual one. */
static void ask(void)
{
    ask_for(time(NULL) + 600);
    sign_request(&frontal.key);
}

static void sign_card(const struct signer *s, const struct signed_card *c)
{
    static const uint8_t dynamic[] = {8, 1, 2, 3, 4, 5, 6, 7, 8};
    struct buf out = BUF_OF(q.stream);
    uint8_t sdad[EMV_RSA_MAX];

    ck_ok(emv_sdad_make(sdad, c->key, SPAN_OF(dynamic), span_of(q.values, q.values_n)));
    sdad[20] ^= q.flips;
    ck_ok(signer_certificates(&out, s, c));
    ck_ok(tlv_put(&out, TAG_EV_STATIC, span_of(c->records, c->records_n)));
    ck_ok(tlv_put(&out, TAG_EV_DDOL_VALUES, span_of(q.values, q.values_n)));
    if (!q.no_signature)
        ck_ok(tlv_put(&out, TAG_EV_DDA_SDAD,
                      span_of(sdad, emv_pubkey_size(emv_privkey_public(c->key)))));
    q.stream_n = out.n;
}

static void seal(const json_t *key)
{
    const uint8_t aid[7] = {0xF0, 0, 0, 0, q.rid, 0x10, 0x10};
    char request[BASE64URL_SIZE(LETTER_HASH)], application[BASE64URL_SIZE(sizeof(aid))],
        evidence[BASE64URL_SIZE(ISO8583_EVIDENCE_MAX)];
    json_t *plain = json_pack("{s:i,s:s,s:s,s:s}", "version", 1, "request",
                              base64url_encode(request, SPAN_OF(q.said)), "application",
                              base64url_encode(application, SPAN_OF(aid)), "evidence",
                              base64url_encode(evidence, span_of(q.stream, q.stream_n)));

    ck_ok(sealed_write(&q.jwe, plain, SEALED_CARD, key, &office_error));
    json_decref(plain);
}

static void make_message(void)
{
    struct buf room = BUF_OF(q.room);
    const struct mediation what = {.request = span_str(q.jws), .evidence = span_str(q.jwe)};

    iso8583_start(&q.message, MTI_ADMINISTRATIVE);
    iso8583_set_instant(&q.message, time(NULL));
    iso8583_set_number(&q.message, 11, 7);
    iso8583_set_text(&q.message, 41, frontal.terminal);
    iso8583_set_text(&q.message, 42, OFFICE_CONTRACT);
    ck_ok(mediation_put(&q.message, &room, &what));
}

static void send_message(struct link_client *c)
{
    struct buf room = BUF_OF(q.back);

    ck_ok(office_send(&q.a, c, &q.message, &office_error));
    ck_ok(iso8583_unpack(&q.answer, span_of(q.a.raw, q.a.n), &office_error));
    ck_assert_uint_eq(q.a.mti, MTI_ADMINISTRATIVE_RESPONSE);
    q.parts = (struct mediation){.completes = false};
    if (mediation_is_there(&q.answer))
        ck_ok(mediation_read(&q.parts, &room, &q.answer, false));
}

/* What was asked and is signed so far, by that card: sealed and sent … */
static void sent(const struct signer *s, const struct signed_card *c)
{
    sign_card(s, c);
    seal(frontal.sealing);
    make_message();
    send_message(client);
}

/* … and answered so. */
static void answered(const struct signer *s, const struct signed_card *c, const char *code,
                     const char *reason)
{
    sent(s, c);
    ck_assert_msg(strcmp(q.a.code, code) == 0 && strcmp(q.a.reason, reason) == 0,
                  "%s %s, not %s %s", q.a.code, q.a.reason, code, reason);
    ck_assert_uint_eq(q.parts.card.n > 0, strcmp(code, "00") == 0);
}

static void refused(const char *code, const char *reason)
{
    answered(&office.signer, &card, code, reason);
}

/* A card with that list among its signed records. */
static struct signed_card card_with(const char *ddol, int expiry)
{
    static const uint8_t serial[3] = {0, 0, 9};
    struct signed_card c = card;
    uint8_t list[32];
    struct buf raw = BUF_OF(list), records = {c.records, 0, sizeof(c.records)};

    ck_ok(hex_decode(&raw, ddol));
    if (raw.n > 0)
        ck_ok(tlv_put(&records, TAG_DDOL, buf_span(&raw)));
    ck_ok(buf_put(&records, span_of(card.records, card.records_n)));
    c.records_n = records.n;
    ck_ok(emv_icc_cert_make(&c.cert, EMV_ICC_KEY, office.signer.scheme->issuer,
                            emv_privkey_public(c.key), buf_span(&records), c.pan, expiry, serial));
    return c;
}

/* ---- whose card it is ---- */

START_TEST(a_name_that_is_signed)
    {
        char before[BASE64URL_SIZE(LETTER_HASH)] = "", answers[BASE64URL_SIZE(LETTER_HASH)], *jws;
        struct signed_card second;
        struct letter l;

        MUST(signer_card(&second, &office.signer, 2));
        for (unsigned i = 0; i < 3; i++) {
            ask_for(time(NULL) + 600 + i);
            sign_request(&frontal.key);
            answered(&office.signer, i < 2 ? &card : &second, "00", "");
            jws = span_text(q.parts.card);
            ck_ok(letter_read(&l, LETTER_CARD, jws, authority, &office_error));
            ck_assert_str_eq(l.signer, frontal.acquirer);
            ck_assert_str_eq(l.contract, OFFICE_CONTRACT);
            ck_assert_str_eq(l.answers, base64url_encode(answers, SPAN_OF(q.r)));
            ck_assert_int_eq(strcmp(l.user, before) == 0, i == 1); /* one card has one name */
            snprintf(before, sizeof(before), "%s", l.user);
            ck_assert_ptr_null(memmem(q.a.raw, q.a.n, card.pan, strlen(card.pan)));
            letter_free(&l);
            free(jws);
        }
    }
END_TEST

/* HMAC-SHA-256 under 32 nines, worked out by Python's hmac. */
START_TEST(a_name_for_each_mediator)
    {
        static const struct {
            const char *mediator, *name;
        } names[] = {{"port", "79E764FCF2F686D78E5B27B6287B47B56EACC94A5FFAE88D5AE1D2249229D0B4"},
                     {"other", "BA19B3E73E33B0EF04390F67603B209AFB33CF6BC1025B83B89BC025F90F0A49"}};
        char path[128], text[2 * SEAL_LOOKUP + 1];
        uint8_t file[15 + 64] = "telepay seal 1\n", name[SEAL_LOOKUP];
        struct seal *s = NULL;

        memset(file + 15, 1, 32);
        memset(file + 15 + 32, 9, 32);
        snprintf(path, sizeof(path), "%s/other.key", office.dir);
        MUST(file_replace(path, SPAN_OF(file), 0600, &office_error));
        MUST(seal_open_file(&s, path, &office_error));
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            ck_ok(presence_name(name, s, names[i].mediator, "9990140000000015"));
            ck_assert_str_eq(hex_encode(text, SPAN_OF(name)), names[i].name);
        }
        seal_free(&s);
    }
END_TEST

/* ---- and whose it is not said ---- */

START_TEST(requests_of_others)
    {
        struct order_key other = {NULL, NULL}, elsewhere = {NULL, NULL};

        frontal_key(&other, &office, OFFICE_CONTRACT, "other");
        frontal_key(&elsewhere, &office, "000000000000999", FRONTAL);
        ask_for(time(NULL) + 600);
        sign_request(&other);
        refused("63", "REQUEST_OTHER");
        ask_for(time(NULL) + 600);
        sign_request(&elsewhere); /* no key of the contract that it names */
        refused("63", "REQUEST");
        ask_for(time(NULL) + 600);
        q.asked.contract = "000000000000999";
        sign_request(&elsewhere);
        refused("63", "REQUEST_OTHER");
        ask_for(time(NULL) + 600);
        q.asked.acquirer = "ELSEWHERE";
        sign_request(&frontal.key);
        refused("63", "REQUEST_OTHER");
        ask_for(time(NULL) + 600);
        q.asked.terminal = "00000002";
        sign_request(&frontal.key);
        refused("63", "REQUEST_OTHER");
        ask_for(time(NULL) - 600);
        sign_request(&frontal.key);
        refused("63", "REQUEST_TIME");
        ask();
        q.jws[strlen(q.jws) - 3] ^= 1;
        refused("63", "REQUEST");
        ask();
        refused("00", "");
        order_key_free(&other);
        order_key_free(&elsewhere);
    }
END_TEST

START_TEST(seals_of_others)
    {
        json_t *key = NULL, *public = NULL;

        ask(); /* sealed for another request, which has the same first four bytes */
        q.said[31] ^= 1;
        refused("63", "REQUEST_DIFFERS");
        ask();
        sign_card(&office.signer, &card);
        ck_ok(sealed_answer_key(&key, &office_error));
        ck_ok(sealed_public_key(&public, key, &office_error));
        seal(public);
        make_message();
        send_message(client);
        ck_assert_str_eq(q.a.reason, "SEALED");
        ask();
        sign_card(&office.signer, &card);
        q.jwe = strdup("a..b.c.d");
        make_message();
        send_message(client);
        ck_assert_str_eq(q.a.reason, "SEALED");
        json_decref(key);
        json_decref(public);
    }
END_TEST

START_TEST(signatures_of_something_else)
    {
        ask();
        q.flips = 1;
        sign_card(&office.signer, &card);
        seal(frontal.sealing);
        make_message();
        send_message(client);
        ck_assert_str_eq(q.a.code, "63");
        ck_assert_msg(strncmp(q.a.reason, "DDA_", 4) == 0, "%s", q.a.reason);
        ask();
        q.values[3] ^= 1;
        refused("63", "DDA_UN");
        ask(); /* the number stands in it, and no list that is signed says where */
        memmove(q.values + 4, q.values, 4);
        q.values_n = 8;
        refused("63", "DDA_UN");
        ask();
        q.values_n = 3;
        refused("63", "DDA_UN");
        ask();
        q.no_signature = true; /* of a card without DDA */
        refused("63", "DDA_DATA_MISSING");
    }
END_TEST

/* The lists of the cards' own signed records (9F49). */
START_TEST(lists)
    {
        struct signed_card c = card_with("9F3704", 20301231);

        ask();
        answered(&office.signer, &c, "00", "");
        c = card_with("9A039F3704", 20301231);
        ask();
        memcpy(q.values + 3, q.r, 4);
        q.values_n = 7;
        answered(&office.signer, &c, "00", "");
        ask(); /* the number stands elsewhere */
        memset(q.values + 4, 0, 3);
        q.values_n = 7;
        answered(&office.signer, &c, "63", "DDA_UN");
        ask();
        answered(&office.signer, &c, "63", "DDOL");
        c = card_with("9F3702", 20301231);
        ask();
        q.values_n = 2;
        answered(&office.signer, &c, "63", "DDA_UN");
        c = card_with("9F7C20", 20301231);
        ask();
        memcpy(q.values, q.r, 32);
        q.values_n = 32;
        answered(&office.signer, &c, "63", "DDA_UN");
        c = card_with("9F37049F7C20", 20301231);
        ask(); /* of such a card the signature itself is of the whole request */
        memcpy(q.values + 4, q.r, 32);
        q.values_n = 36;
        answered(&office.signer, &c, "00", "");
        ask();
        memcpy(q.values + 4, q.r, 32);
        q.values[35] ^= 1;
        q.values_n = 36;
        answered(&office.signer, &c, "63", "DDA_UN");
    }
END_TEST

START_TEST(cards_of_nobody)
    {
        struct signed_card expired = card_with("", 20200131), foreign = {.records_n = 0};
        struct signer other;

        ask();
        answered(&office.signer, &expired, "63", "ICC_CERT_EXPIRED");
        MUST(signer_make(&other, 1, &office_error));
        MUST(signer_card(&foreign, &other, 1));
        ask(); /* of a scheme that has the same name, and another key */
        sent(&other, &foreign);
        ck_assert_str_eq(q.a.code, "63");
        if (strcmp(q.a.reason, "ISSUER_CERT_HEADER") != 0) /* one key in 256 makes a BC by chance */
            ck_assert_str_eq(q.a.reason, "ISSUER_CERT_TRAILER");
        ask();
        q.rid = 0x15;
        refused("63", "CA_KEY_UNKNOWN");
        ask();
        answered(&office.signer, &(struct signed_card){.key = card.key, .records_n = 0}, "63",
                 "ICC_CERT_MISSING");
        ask(); /* number or expiry date of another card */
        foreign = card;
        foreign.records[2 + 7] ^= 0x10;
        answered(&office.signer, &foreign, "63", "ICC_CERT_HASH");
        signer_clear(&other);
    }
END_TEST

START_TEST(cards_that_are_reported)
    {
        struct ledger *l = NULL;
        struct seal *s = NULL;
        uint8_t lookup[SEAL_LOOKUP];

        MUST(acquirer_open_ledger(&l, office.dir, &office_error));
        MUST(seal_open_dir(&s, office.dir, &office_error));
        MUST(seal_lookup(s, lookup, span_str(card.pan)));
        MUST(ledger_opposition_add(l, SPAN_OF(lookup), "999014******0015", false, &office_error));
        ask();
        refused("41", "OPPOSITION");
        MUST(ledger_opposition_add(l, SPAN_OF(lookup), "999014******0015", true, &office_error));
        ask();
        refused("43", "OPPOSITION");
        MUST(ledger_opposition_remove(l, SPAN_OF(lookup), &office_error));
        ask();
        refused("00", "");
        seal_free(&s);
        ledger_close(&l);
    }
END_TEST

START_TEST(messages)
    {
        struct link_client *terminal = office_connect(&office, OFFICE_CONTRACT, OFFICE_TERMINAL);

        ask();
        sign_card(&office.signer, &card);
        seal(frontal.sealing);
        make_message();
        iso8583_set_text(&q.message, 2, card.pan);
        send_message(client);
        ck_assert_str_eq(q.a.reason, "DE2");
        make_message();
        q.message.field[112] = span_of(NULL, 0);
        send_message(client);
        ck_assert_str_eq(q.a.reason, "DE112_MISSING");
        make_message();
        q.message.field[113] = span_of(NULL, 0);
        send_message(client);
        ck_assert_str_eq(q.a.reason, "DE112");
        make_message();
        iso8583_set_text(&q.message, 41, "00000009");
        send_message(client);
        ck_assert_str_eq(q.a.code, "58");
        make_message(); /* a terminal asks no such thing */
        iso8583_set_text(&q.message, 41, OFFICE_TERMINAL);
        send_message(terminal);
        ck_assert_str_eq(q.a.reason, "MTI");
        link_close(&terminal);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("presence");
    TCase *t = tcase_create("presence");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_name_that_is_signed);
    tcase_add_test(t, a_name_for_each_mediator);
    tcase_add_test(t, requests_of_others);
    tcase_add_test(t, seals_of_others);
    tcase_add_test(t, signatures_of_something_else);
    tcase_add_test(t, lists);
    tcase_add_test(t, cards_of_nobody);
    tcase_add_test(t, cards_that_are_reported);
    tcase_add_test(t, messages);
    tcase_set_timeout(t, 120);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
