/* The acquirer's server as a mediator sees it, over TLS, in process: orders paid once, forged in
 * every member, what is sealed and what the card signed; and the issuer's word about an ARQC. After
 * each test the audit must find nothing. */
#include "unit.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "acquirer/state.h"
#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "base/base64.h"
#include "base/date.h"
#include "base/file.h"
#include "frontal.h"
#include "order/proof.h"
#include "order/sealed.h"
#include "postgres.h"
#include "store/db.h"
#include "teller.h"

#define PATIENCE_MS 15000

static struct office office;
static struct teller teller;
static struct frontal frontal;
static struct link_client *client;
static struct signed_card card;
static struct order_authority *authority;
static struct deal deal, other;
static struct said first, said;
static uint8_t packed_room[LINK_MESSAGE_MAX];
static struct buf packed = BUF_OF(packed_room);
static uint16_t atc;
static bool payee; /* the card asks for 9F7C */

static void start_office(bool signs_payee)
{
    char path[128];

    payee = signs_payee;
    atc = 0;
    office_make(&office, NULL, 1);
    office.signer.payee = signs_payee;
    snprintf(path, sizeof(path), "%s/acquirer.conf", office.dir);
    MUST(file_replace(path, span_str("[issuers]\ntimeout = 1\n"), 0600, &office_error));
    MUST(signer_card(&card, &office.signer, 1));
    frontal_make(&frontal, &office);
    snprintf(path, sizeof(path), "%s/pki/ca.pem", office.dir);
    MUST(order_authority_load(&authority, path, &office_error));
    teller_make(&teller, &office);
    teller_open(&teller);
    office_start(&office, 2);
    client = frontal_connect(&frontal, FRONTAL);
}

static void setup(void)
{
    start_office(true);
}

static void setup_without_9f7c(void)
{
    start_office(false);
}

static void teardown(void)
{
    link_close(&client);
    deal_clear(&deal);
    deal_clear(&other);
    office_stop(&office);
    office_audit(&office);
    teller_shut(&teller);
    teller_clear(&teller);
    frontal_clear(&frontal);
    order_authority_free(&authority);
    office_remove(&office);
}

/* ---- the usual way ---- */

static void deal_again(struct deal *d)
{
    deal_clear(d);
    deal_order(d, &frontal);
}

/* From an order on: signed, asked for, paid by the card, sealed. */
static void go_on(struct deal *d, const struct order_key *key)
{
    deal_challenge(d, key);
    deal_terms(d, &card, ++atc, payee);
}

static void finish(struct deal *d)
{
    deal_card(d, &frontal, &office.signer, &card);
    deal_seal(d, frontal.sealing, deal_packed(&packed, d));
    deal_message(d);
}

static void fresh(struct deal *d)
{
    deal_again(d);
    go_on(d, &frontal.key);
    finish(d);
}

static void ask(unsigned mti)
{
    deal_exchange(&said, client, &deal, mti);
}

static void ck_said(const char *code, const char *reason)
{
    ck_assert_msg(strcmp(said.a.code, code) == 0 && strcmp(said.a.reason, reason) == 0,
                  "%s %s, not %s %s", said.a.code, said.a.reason, code, reason);
}

/* What was signed says what was answered, of this challenge and order. */
static void ck_signed(const struct deal *d, bool positive)
{
    struct order_proof p;
    struct tp_error e;

    ck_assert_msg(said.acknowledgement[0] != '\0', "nothing is signed");
    ck_assert_msg(order_proof_read(&p, &d->challenge, said.acknowledgement, authority, &e) == TP_OK,
                  "%s", e.text);
    ck_assert_int_eq(acknowledgement_is_positive(&p.acknowledgement), positive);
    ck_assert_str_eq(p.acknowledgement.code, said.a.code);
    ck_assert_str_eq(p.acknowledgement.reason != NULL ? p.acknowledgement.reason : "",
                     said.a.reason);
    ck_assert_str_eq(p.acknowledgement.reference != NULL ? p.acknowledgement.reference : "",
                     said.a.rrn);
    order_proof_free(&p);
}

static void ck_refused(const char *code, const char *reason)
{
    ck_said(code, reason);
    ck_assert_str_eq(said.a.rrn, "");
    ck_assert(!said.parts.completes);
}

static void ck_books(unsigned transactions, int64_t amount, unsigned reversals)
{
    struct office_books b;

    office_books(&office, &b);
    ck_assert_uint_eq(b.transactions, transactions);
    ck_assert_int_eq(b.totals.debit_amount, amount);
    ck_assert_uint_eq(b.totals.reversals, reversals);
}

START_TEST(paid_once)
    {
        char code[3];

        fresh(&deal);
        ask(0);
        ck_said("00", "");
        ck_assert_uint_eq(strlen(said.a.rrn), 12);
        ck_signed(&deal, true);
        ck_assert(!said.parts.completes);
        ck_assert_uint_eq(said.inner.mti, MTI_FINANCIAL_RESPONSE);
        ck_ok(iso8583_text(&said.inner, 39, code, sizeof(code)));
        ck_assert_str_eq(code, "00");
        ck_assert(span_eq(said.inner.field[11], deal.made.message.field[11]));
        ck_books(1, 1250, 0);
        first = said;
        for (unsigned i = 0; i < 2; i++) { /* the same again, as itself and as a repeat */
            ask(i == 0 ? 0 : MTI_FINANCIAL_REPEAT);
            ck_said("00", "");
            ck_assert_str_eq(said.a.rrn, first.a.rrn);
            ck_assert_str_eq(said.acknowledgement, first.acknowledgement);
            ck_assert_uint_eq(said.inner.mti, MTI_FINANCIAL_RESPONSE);
        }
        ck_books(1, 1250, 0);
    }
END_TEST

/* A repeat is answered as its first whatever has become of the order, the mediator or its keys. */
START_TEST(repeat_outlives_all)
    {
        struct ledger *l = NULL;

        fresh(&deal);
        ask(0);
        ck_said("00", "");
        first = said;
        MUST(acquirer_open_ledger(&l, office.dir, &office_error));
        MUST(ledger_mediator_shut(l, FRONTAL, &office_error));
        ledger_close(&l);
        ask(MTI_FINANCIAL_REPEAT);
        ck_said("00", "");
        ck_assert_str_eq(said.acknowledgement, first.acknowledgement);
        fresh(&deal);
        ask(0);
        ck_refused("58", "MEDIATOR");
        ck_signed(&deal, false);
        ck_books(1, 1250, 0);
    }
END_TEST

/* Nor does its order's time matter any more. */
START_TEST(repeat_outlives_its_order)
    {
        deal_again(&deal);
        time_format_utc(deal.issued, time(NULL) - 300);
        time_format_utc(deal.until, time(NULL) - 29);
        go_on(&deal, &frontal.key);
        finish(&deal);
        ask(0);
        ck_said("00", "");
        first = said;
        sleep(3);
        ask(MTI_FINANCIAL_REPEAT);
        ck_said("00", "");
        ck_assert_str_eq(said.acknowledgement, first.acknowledgement);
        deal_terms(&deal, &card, ++atc, payee);
        finish(&deal);
        ask(0);
        ck_refused("63", "ORDER_TIME");
    }
END_TEST

START_TEST(order_is_paid_once)
    {
        fresh(&deal);
        ask(0);
        ck_said("00", "");
        deal_order(&other, &frontal); /* another challenge, STAN and payload of the same order */
        memcpy(other.id, deal.id, sizeof(other.id));
        go_on(&other, &frontal.key);
        finish(&other);
        deal_exchange(&said, client, &other, 0);
        ck_refused("94", "ORDER_USED");
        ck_signed(&other, false);
        deal_clear(&other);
        /* another payload under the same identity */
        deal_terms(&deal, &card, ++atc, payee);
        finish(&deal);
        ask(0);
        ck_said("94", "IDENTITY");
        ck_assert_str_eq(said.acknowledgement, ""); /* the first one's stands */
        ck_books(1, 1250, 0);
    }
END_TEST

/* Eight payments of one order over four connections, all under way together: one is taken. */
START_TEST(eight_at_once)
    {
        static struct deal many[8];
        struct link_client *c[4];
        uint8_t room[LINK_MESSAGE_MAX];
        char id[27] = "";
        unsigned taken = 0, used = 0;

        for (size_t i = 0; i < 8; i++) {
            deal_order(&many[i], &frontal);
            if (i == 0)
                memcpy(id, many[i].id, sizeof(id));
            memcpy(many[i].id, id, sizeof(id));
            go_on(&many[i], &frontal.key);
            finish(&many[i]);
        }
        for (size_t i = 0; i < 4; i++)
            c[i] = frontal_connect(&frontal, FRONTAL);
        for (size_t i = 0; i < 8; i++) {
            struct buf raw = BUF_OF(room);

            ck_ok(iso8583_pack(&raw, &many[i].message, &office_error));
            ck_ok(link_put(c[i % 4], buf_span(&raw), &office_error));
        }
        for (size_t i = 0; i < 8; i++) {
            struct buf in = BUF_OF(room);
            struct iso8583 m;

            ck_ok(link_receive(c[i % 4], &in, 10000, &office_error));
            ck_ok(iso8583_unpack(&m, buf_span(&in), &office_error));
            taken += span_eq(m.field[39], span_str("00"));
            used += span_eq(m.field[44], span_str("ORDER_USED"));
        }
        ck_assert_uint_eq(taken, 1);
        ck_assert_uint_eq(used, 7);
        for (size_t i = 0; i < 4; i++)
            link_close(&c[i]);
        for (size_t i = 0; i < 8; i++)
            deal_clear(&many[i]);
        ck_books(1, 1250, 0);
    }
END_TEST

START_TEST(refused_one_does_not_use_it)
    {
        deal_again(&deal);
        go_on(&deal, &frontal.key);
        deal.terms.cid = 0x00; /* the card declined */
        finish(&deal);
        ask(0);
        ck_refused("05", "AAC");
        ck_signed(&deal, false);
        ck_assert_uint_eq(said.inner.mti, MTI_FINANCIAL_RESPONSE);
        deal_order(&other, &frontal);
        memcpy(other.id, deal.id, sizeof(other.id));
        go_on(&other, &frontal.key);
        finish(&other);
        deal_exchange(&said, client, &other, 0);
        ck_said("00", "");
        ck_signed(&other, true);
        ck_books(1, 1250, 0);
    }
END_TEST

/* ---- forged orders ---- */

START_TEST(forged_orders)
    {
        struct order_key key = {NULL, NULL};
        struct office far;

        frontal_key(&key, &office, OFFICE_CONTRACT, "another");
        deal_again(&deal);
        go_on(&deal, &key);
        finish(&deal);
        ask(0);
        ck_refused("63", "ORDER_OTHER");
        ck_assert_str_eq(said.acknowledgement, "");
        order_key_free(&key);
        frontal_key(&key, &office, "000000000000999", FRONTAL); /* for another contract */
        deal_again(&deal);
        go_on(&deal, &key);
        finish(&deal);
        ask(0);
        ck_refused("63", "ORDER");
        deal_again(&deal);
        deal.order.contract = "000000000000999";
        go_on(&deal, &key);
        finish(&deal);
        iso8583_set_text(&deal.message, 42, OFFICE_CONTRACT);
        ask(0);
        ck_refused("63", "ORDER_OTHER");
        order_key_free(&key);
        office_make(&far, NULL, 1); /* another authority's key */
        frontal_key(&key, &far, OFFICE_CONTRACT, FRONTAL);
        deal_again(&deal);
        go_on(&deal, &key);
        finish(&deal);
        ask(0);
        ck_refused("63", "ORDER");
        ck_assert_uint_eq(said.inner.mti, 0); /* nothing is opened for it */
        order_key_free(&key);
        office_remove(&far);
        deal_again(&deal);
        deal.order.acquirer = "0000000000000000";
        go_on(&deal, &frontal.key);
        finish(&deal);
        ask(0);
        ck_refused("63", "ORDER_OTHER");
        ck_books(0, 0, 0);
    }
END_TEST

START_TEST(order_time)
    {
        static const struct {
            int from, to;
            const char *code, *reason;
        } cases[] = {
            {-300, -31, "63", "ORDER_TIME"},
            {-300, -20, "00", ""},
            {40, 300, "63", "ORDER_TIME"},
            {20, 300, "00", ""},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            const time_t now = time(NULL);

            deal_again(&deal);
            time_format_utc(deal.issued, now + cases[i].from);
            time_format_utc(deal.until, now + cases[i].to);
            go_on(&deal, &frontal.key);
            finish(&deal);
            ask(0);
            ck_said(cases[i].code, cases[i].reason);
            ck_assert(said.acknowledgement[0] != '\0');
            ck_assert_uint_eq(said.inner.mti, MTI_FINANCIAL_RESPONSE);
        }
    }
END_TEST

/* Request, 0200 and card's message each say what the order says. */
START_TEST(all_say_the_same)
    {
        static const struct {
            unsigned field;
            const char *value;
        } others[] = {{3, "200000"},  {4, "000000001251"}, {11, "999999"},
                      {12, "000001"}, {13, "0101"},        {49, "840"}};
        struct payment_charge charge = {.amount = NULL};
        char *request = NULL;

        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
            fresh(&deal);
            iso8583_set_text(&deal.message, others[i].field, others[i].value);
            ask(0);
            ck_refused("63", "ORDER_DIFFERS");
            ck_signed(&deal, false);
            fresh(&deal);
            iso8583_set_text(&deal.made.message, others[i].field, others[i].value);
            deal_seal(&deal, frontal.sealing, deal_packed(&packed, &deal));
            deal_message(&deal);
            ask(0);
            ck_refused("63", "ORDER_DIFFERS");
            ck_signed(&deal, false);
        }
        fresh(&deal); /* the inner message is of another terminal */
        iso8583_set_text(&deal.made.message, 41, OFFICE_TERMINAL);
        deal_seal(&deal, frontal.sealing, deal_packed(&packed, &deal));
        deal_message(&deal);
        ask(0);
        ck_refused("63", "ORDER_DIFFERS");
        deal_again(&deal); /* the plain amount is another than the signed order's */
        go_on(&deal, &frontal.key);
        ck_ok(payment_charge_read(&charge, deal.request, &office_error));
        charge.amount = "1";
        ck_ok(payment_charge_write(&request, &charge, &office_error));
        payment_charge_free(&charge);
        free(deal.text);
        deal.challenge.request = request;
        ck_ok(payment_challenge_r(deal.r, &deal.challenge, &office_error));
        json_t *object = NULL;

        ck_ok(payment_challenge_to_json(&object, &deal.challenge, &office_error));
        deal.text = json_dumps(object, JSON_COMPACT);
        json_decref(object);
        deal_terms(&deal, &card, ++atc, payee);
        finish(&deal);
        ask(0);
        ck_refused("63", "ORDER_DIFFERS");
        free(request);
        ck_books(0, 0, 0);
    }
END_TEST

START_TEST(ceilings)
    {
        deal_again(&deal);
        deal.order.means[0].ceiling = "1249";
        go_on(&deal, &frontal.key);
        finish(&deal);
        ask(0);
        ck_refused("61", "ORDER_CEILING");
        ck_signed(&deal, false);
        deal_again(&deal);
        deal.order.means[0].name = "purse";
        go_on(&deal, &frontal.key);
        finish(&deal);
        ask(0);
        ck_refused("61", "ORDER_CEILING");
    }
END_TEST

/* It says nothing that a card is told; this card was told it all the same. */
START_TEST(an_order_that_takes_no_card)
    {
        struct order by_card;

        deal_again(&deal);
        by_card = deal.order;
        deal.order.means[0].name = "purse";
        deal.order.terminal = deal.order.stan = deal.order.date = deal.order.time = NULL;
        deal.order.country = deal.order.mcc = NULL;
        deal_challenge(&deal, &frontal.key);
        deal.order = by_card;
        deal_terms(&deal, &card, ++atc, payee);
        finish(&deal);
        ask(0);
        ck_refused("63", "ORDER_DIFFERS");
        ck_signed(&deal, false);
    }
END_TEST

/* ---- what is sealed ---- */

START_TEST(what_is_sealed)
    {
        struct order_key stranger = {NULL, NULL};
        json_t *key = NULL, *public = NULL;
        static uint8_t big[MEDIATED_INNER_MAX + 1];

        fresh(&deal);
        free(deal.sealed);
        deal.sealed = strdup("eyJhbGciOiJub25lIn0..AAAA.AAAA.AAAA");
        deal_message(&deal);
        ask(0);
        ck_refused("63", "SEALED");
        ck_signed(&deal, false); /* its order is known all the same */
        ck_assert_uint_eq(said.inner.mti, 0);
        fresh(&deal);
        ck_ok(sealed_answer_key(&key, &office_error));
        ck_ok(sealed_public_key(&public, key, &office_error));
        deal_seal(&deal, public, deal_packed(&packed, &deal)); /* to another key */
        deal_message(&deal);
        ask(0);
        ck_refused("63", "SEALED");
        json_decref(key);
        json_decref(public);
        order_key_free(&stranger);
        fresh(&deal);
        deal_seal(&deal, frontal.sealing, span_str("garbage"));
        deal_message(&deal);
        ask(0);
        ck_refused("63", "SEALED");
        deal_seal(&deal, frontal.sealing, SPAN_OF(big));
        deal_message(&deal);
        ask(0);
        ck_refused("63", "SEALED");
        fresh(&deal); /* a message of another kind */
        deal.made.message.mti = MTI_FINANCIAL_REPEAT;
        deal_seal(&deal, frontal.sealing, deal_packed(&packed, &deal));
        deal_message(&deal);
        ask(0);
        ck_refused("63", "SEALED");
        fresh(&deal); /* a field that a terminal's would need */
        deal.made.message.field[22] = span_of(NULL, 0);
        deal_seal(&deal, frontal.sealing, deal_packed(&packed, &deal));
        deal_message(&deal);
        ask(0);
        ck_refused("30", "DE22_MISSING");
        ck_signed(&deal, false);
        ck_books(0, 0, 0);
    }
END_TEST

START_TEST(what_is_no_answer_key)
    {
        char text[BASE64URL_SIZE(4096)];
        json_t *plain;

        fresh(&deal);
        base64url_encode(text, deal_packed(&packed, &deal));
        plain = json_pack("{s:i,s:s,s:O}", "version", 1, "message", text, "answer_key",
                          deal.answer_key); /* a private key */
        free(deal.sealed);
        ck_ok(
            sealed_write(&deal.sealed, plain, SEALED_TRANSACTION, frontal.sealing, &office_error));
        json_decref(plain);
        deal_message(&deal);
        ask(0);
        ck_refused("63", "SEALED");
        ck_assert_uint_eq(said.parts.answer.n, 0);
    }
END_TEST

/* ---- what the card signed ---- */

START_TEST(card_signed_another_challenge)
    {
        deal_again(&deal);
        go_on(&deal, &frontal.key);
        deal.terms.payee[31] ^= 1; /* 9F37 is right */
        finish(&deal);
        ask(0);
        ck_refused("63", "SIGNED_CHALLENGE");
        ck_signed(&deal, false);
        deal_again(&deal);
        go_on(&deal, &frontal.key);
        deal.terms.un[0] ^= 1;
        finish(&deal);
        ask(0);
        ck_refused("63", "SIGNED_CHALLENGE");
        deal_again(&deal);
        go_on(&deal, &frontal.key);
        memset(deal.terms.payee, 0, sizeof(deal.terms.payee)); /* nothing was given to it */
        finish(&deal);
        ask(0);
        ck_refused("63", "SIGNED_CHALLENGE");
        deal_again(&deal);
        go_on(&deal, &frontal.key);
        snprintf(deal.terms.serial, sizeof(deal.terms.serial), "%s", "99999999");
        finish(&deal);
        ask(0);
        ck_refused("63", "SIGNED_SERIAL");
        deal_again(&deal);
        go_on(&deal, &frontal.key);
        deal.terms.counter++;
        finish(&deal);
        iso8583_set_text(&deal.made.message, 11, deal.stan);
        deal_seal(&deal, frontal.sealing, deal_packed(&packed, &deal));
        deal_message(&deal);
        ask(0);
        ck_refused("63", "SIGNED_STAN");
        ck_books(0, 0, 0);
    }
END_TEST

/* A card that asks for no 9F7C: the device must have signed. */
START_TEST(device_signs)
    {
        uint8_t r[PAYMENT_R];

        fresh(&deal);
        ask(0);
        ck_refused("63", "DEVICE_MISSING");
        ck_signed(&deal, false);
        fresh(&deal);
        deal_device(&deal, deal.r, deal_packed(&packed, &deal));
        deal_message(&deal);
        ask(0);
        ck_said("00", "");
        ck_signed(&deal, true);
        fresh(&deal);
        deal_device(&deal, deal.r, span_str("another message"));
        deal_message(&deal);
        ask(0);
        ck_refused("63", "DEVICE");
        fresh(&deal);
        memcpy(r, deal.r, sizeof(r));
        r[31] ^= 1;
        deal_device(&deal, r, deal_packed(&packed, &deal));
        deal_message(&deal);
        ask(0);
        ck_refused("63", "DEVICE");
        deal_device(&deal, deal.r, deal_packed(&packed, &deal));
        char *last = strrchr(deal.device, '.') + 1;

        *last = *last == 'A' ? 'B' : 'A'; /* its signature */
        deal_message(&deal);
        ask(0);
        ck_refused("63", "DEVICE");
        ck_books(1, 1250, 0);
    }
END_TEST

/* ---- who speaks ---- */

START_TEST(whose_terminal)
    {
        struct ledger *l = NULL;
        struct terminal t;
        struct link_client *another;
        struct signed_card plain;
        struct office_answer a;
        struct tp_error e;
        const struct place counter = {OFFICE_CONTRACT, OFFICE_TERMINAL, 900000, OFFICE_MCC};

        MUST(acquirer_open_ledger(&l, office.dir, &office_error));
        MUST(ledger_mediator_add(l, "another", &office_error));
        MUST(ledger_mediator_terminal(l, &t, "another", OFFICE_CONTRACT, &office_error));
        ledger_close(&l);
        deal_again(&deal);
        deal.order.terminal = t.id; /* another mediator's */
        go_on(&deal, &frontal.key);
        finish(&deal);
        ask(0);
        ck_refused("58", "CERTIFICATE");
        deal_again(&deal);
        deal.order.terminal = OFFICE_TERMINAL; /* the merchant's own */
        go_on(&deal, &frontal.key);
        finish(&deal);
        ask(0);
        ck_refused("58", "CERTIFICATE");
        deal_again(&deal);
        deal.order.terminal = "99999999";
        go_on(&deal, &frontal.key);
        finish(&deal);
        ask(0);
        ck_refused("03", "CONTRACT");
        fresh(&deal); /* a terminal's own certificate has no orders */
        another = office_connect(&office, OFFICE_CONTRACT, OFFICE_TERMINAL);
        ck_ok(office_send(&a, another, &deal.message, &e));
        ck_assert_str_eq(a.code, "30");
        ck_assert_str_eq(a.reason, "DE2_MISSING");
        ck_ok(signer_card(&plain, &office.signer, 2));
        terms_usual(&other.terms, &plain, 1);
        ck_ok(made_payment(&other.made, &office.signer, &plain, &other.terms, &other.terms,
                           &counter));
        other.made.message.field[112] = deal.message.field[112];
        ck_ok(office_send(&a, another, &other.made.message, &e));
        ck_assert_str_eq(a.code, "30");
        ck_assert_str_eq(a.reason, "DE112");
        link_close(&another);
        /* a mediator's terminal has none that speaks for it but the mediator */
        another = office_connect(&office, OFFICE_CONTRACT, frontal.terminal);
        iso8583_set_text(&other.made.message, 41, frontal.terminal);
        other.made.message.field[112] = span_of(NULL, 0);
        ck_ok(office_send(&a, another, &other.made.message, &e));
        ck_assert_str_eq(a.code, "58");
        link_close(&another);
        ck_books(0, 0, 0);
    }
END_TEST

/* A mediator sends nothing of a card in the clear. */
START_TEST(no_card_in_the_clear)
    {
        struct office_answer a;
        struct tp_error e;

        fresh(&deal);
        ck_ok(office_send(&a, client, &deal.made.message, &e)); /* as a terminal would */
        ck_assert_str_eq(a.code, "30");
        ck_assert_str_eq(a.reason, "DE2");
        iso8583_set_text(&deal.message, 2, card.pan);
        ck_ok(office_send(&a, client, &deal.message, &e));
        ck_assert_str_eq(a.reason, "DE2");
        fresh(&deal);
        deal.message.field[55] = deal.made.message.field[55];
        ck_ok(office_send(&a, client, &deal.message, &e));
        ck_assert_str_eq(a.reason, "DE55");
        fresh(&deal);
        for (unsigned f = 112; f < 128; f++)
            deal.message.field[f] = span_of(NULL, 0);
        ck_ok(office_send(&a, client, &deal.message, &e));
        ck_assert_str_eq(a.reason, "DE112_MISSING");
        iso8583_set(&deal.message, 112, span_str("garbage"));
        ck_ok(office_send(&a, client, &deal.message, &e));
        ck_assert_str_eq(a.reason, "DE112");
        deal.message.mti = MTI_RECONCILIATION;
        ck_ok(office_send(&a, client, &deal.message, &e));
        ck_assert_str_eq(a.reason, "MTI");
        ck_books(0, 0, 0);
    }
END_TEST

/* ---- reversal, echo ---- */

static struct office_answer reverse(const struct deal *d)
{
    struct iso8583 m;
    struct office_answer a;
    struct tp_error e;
    char original[43];

    snprintf(original, sizeof(original), "0200%s%.10s0000000000000000000000", d->stan,
             (const char *)d->message.field[7].p);
    iso8583_start(&m, MTI_REVERSAL);
    iso8583_set_instant(&m, time(NULL));
    iso8583_set_text(&m, 11, "800000");
    iso8583_set_text(&m, 13, d->date + 4);
    iso8583_set_text(&m, 41, d->order.terminal);
    iso8583_set_text(&m, 42, OFFICE_CONTRACT);
    iso8583_set_text(&m, 90, original);
    ck_assert_msg(office_send(&a, client, &m, &e) == TP_OK, "%s", e.text);
    return a;
}

START_TEST(reversed)
    {
        struct office_answer a;

        fresh(&deal);
        ask(0);
        ck_said("00", "");
        a = reverse(&deal);
        ck_assert_str_eq(a.code, "00");
        ck_assert_str_eq(a.rrn, said.a.rrn);
        ck_books(1, 0, 1);
        ask(MTI_FINANCIAL_REPEAT);
        ck_refused("12", "REVERSED");
        deal_order(&other, &frontal); /* nor is the order for sale again */
        memcpy(other.id, deal.id, sizeof(other.id));
        go_on(&other, &frontal.key);
        finish(&other);
        deal_exchange(&said, client, &other, 0);
        ck_refused("94", "ORDER_USED");
        deal.order.terminal = OFFICE_TERMINAL; /* another's payments are not its own to reverse */
        ck_assert_str_eq(reverse(&deal).code, "58");
    }
END_TEST

START_TEST(echoes)
    {
        struct iso8583 m;
        struct office_answer a;
        struct tp_error e;

        iso8583_start(&m, MTI_NETWORK);
        iso8583_set_instant(&m, time(NULL));
        iso8583_set_number(&m, 11, 1);
        iso8583_set_text(&m, 41, frontal.terminal);
        iso8583_set_text(&m, 42, OFFICE_CONTRACT);
        iso8583_set_number(&m, 70, 301);
        ck_ok(office_send(&a, client, &m, &e));
        ck_assert_uint_eq(a.mti, MTI_NETWORK_RESPONSE);
        ck_assert_str_eq(a.code, "00");
        iso8583_set_text(&m, 41, OFFICE_TERMINAL);
        ck_ok(office_send(&a, client, &m, &e));
        ck_assert_str_eq(a.code, "58");
    }
END_TEST

/* ---- what it proves ---- */

static char told[16384]; /* by the program that was run last */

/* Runs telepay-acquirer in the office's folder; its exit code. */
static int run(const char *format, ...)
{
    const char *top = getenv("TESTS_BUILDDIR");
    char words[512], command[1024];
    va_list ap;
    FILE *f;
    size_t n;

    va_start(ap, format);
    vsnprintf(words, sizeof(words), format, ap);
    va_end(ap);
    snprintf(command, sizeof(command), "cd '%s' && '%s/telepay-acquirer' %s 2>&1", office.dir,
             top != NULL ? top : ".", words);
    f = popen(command, "r");
    ck_assert_ptr_nonnull(f);
    n = fread(told, 1, sizeof(told) - 1, f);
    told[n] = '\0';
    return WEXITSTATUS(pclose(f));
}

static void ck_ran(int code, int wanted, const char *words)
{
    ck_assert_msg(code == wanted && strstr(told, words) != NULL, "%d, without \"%s\": %s", code,
                  words, told);
}

/* A copy of the evidence in which a text is another. */
static void altered(const char *from, const char *to)
{
    char path[128];
    uint8_t *text = NULL;
    size_t n = 0;

    snprintf(path, sizeof(path), "%s/ev.json", office.dir);
    MUST(file_read(path, 1U << 20, &text, &n, &office_error));
    char *at = strstr((char *)text, from);

    ck_assert_ptr_nonnull(at);
    ck_assert_uint_eq(strlen(from), strlen(to));
    memcpy(at, to, strlen(to));
    snprintf(path, sizeof(path), "%s/altered.json", office.dir);
    MUST(file_replace(path, span_of(text, n), 0600, &office_error));
    free(text);
}

#define VERIFY "verify --capk authorities/01.json"

static void ck_proofs(const char *signer)
{
    ask(0);
    ck_said("00", "");
    ck_ran(run("prove --dir . --out ev.json %s", said.a.rrn), 0, signer);
    ck_ran(0, 0, "by mediator frontal: Librairie du Port, \"Le Monde, 28 novembre\", 12.50 EUR");
    ck_ran(run("audit --dir ."), 0, "books and evidence agree");
    ck_ran(run(VERIFY " --authority pki/ca.pem ev.json"), 0, "by mediator frontal");
    ck_ran(0, 0, "12.50 EUR, contract " OFFICE_CONTRACT);
    ck_ran(run(VERIFY " ev.json"), 5, "--authority");
    ck_ran(run(VERIFY " --authority teller/ca.pem ev.json"), 5, "FAILED");
    altered("shop.example", "shap.example");
    ck_ran(run(VERIFY " --authority pki/ca.pem altered.json"), 5, "ORDER");
    altered("tags", "tags"); /* nothing */
    ck_ran(run(VERIFY " --authority pki/ca.pem altered.json"), 0, "ok");
}

START_TEST(proved_by_the_card)
    {
        fresh(&deal);
        ck_proofs("the card signed the whole challenge (9F7C), as signed");
        ck_ran(run(VERIFY " --authority pki/ca.pem ev.json"), 0, "the card signed all of it");
    }
END_TEST

START_TEST(proved_by_the_device)
    {
        char message[65], another[65];
        uint8_t hash[32];

        fresh(&deal);
        deal_device(&deal, deal.r, deal_packed(&packed, &deal));
        deal_message(&deal);
        ck_assert(EVP_Q_digest(NULL, "SHA256", NULL, packed.p, packed.n, hash, NULL) == 1);
        hex_encode(message, SPAN_OF(hash));
        ck_proofs("the payer's device signed the challenge and this message");
        ck_ran(run(VERIFY " --authority pki/ca.pem ev.json"), 0, "the payer's device signed it");
        snprintf(another, sizeof(another), "%s", message);
        another[63] = another[63] == '0' ? '1' : '0';
        altered(message, another); /* the device signed another message */
        ck_ran(run(VERIFY " --authority pki/ca.pem altered.json"), 5,
               "another challenge or message");
        altered("\"device\"", "\"Device\""); /* it said nothing */
        ck_ran(run(VERIFY " --authority pki/ca.pem altered.json"), 5, "SIGNED_CHALLENGE");
    }
END_TEST

/* The proof of another payment does not pass for this one's. */
START_TEST(another_order_in_the_evidence)
    {
        static char mine[65536], theirs[65536];
        char path[128];
        json_t *one, *two;

        deal_again(&deal);
        go_on(&deal, &frontal.key);
        finish(&deal);
        ask(0);
        ck_said("00", "");
        ck_ran(run("prove --dir . --out ev.json %s", said.a.rrn), 0, "proved");
        snprintf(mine, sizeof(mine), "%s/ev.json", office.dir);
        deal_again(&deal);
        snprintf(deal.amount, sizeof(deal.amount), "1");
        go_on(&deal, &frontal.key);
        finish(&deal);
        ask(0);
        ck_said("00", "");
        ck_ran(run("prove --dir . --out cheap.json %s", said.a.rrn), 0, "proved");
        snprintf(theirs, sizeof(theirs), "%s/cheap.json", office.dir);
        one = json_load_file(mine, 0, NULL);
        two = json_load_file(theirs, 0, NULL);
        ck_assert(one != NULL && two != NULL);
        json_object_set(one, "order", json_object_get(two, "order"));
        snprintf(path, sizeof(path), "%s/mixed.json", office.dir);
        ck_assert_int_eq(json_dump_file(one, path, 0), 0);
        ck_ran(run(VERIFY " --authority pki/ca.pem mixed.json"), 5, "ORDER_DIFFERS");
        json_decref(one);
        json_decref(two);
    }
END_TEST

/* What is kept of an order stays as it is, and the audit sees when it was changed all the same. */
START_TEST(kept_for_good)
    {
        static const char again[] =
            "INSERT INTO mediated (rrn, mediator, id, r, message, challenge, device) SELECT rrn + "
            "1, mediator, id, r, message, challenge, device FROM mediated";
        static const char *const never[] = {
            "DELETE FROM mediated",
            "UPDATE mediated SET challenge = 'x'",
            "UPDATE mediated SET device = 'x'",
            "UPDATE mediated SET acknowledgement = 'x'",
            again,
            "UPDATE terminal SET mediator = NULL",
            "UPDATE mediator SET name = 'x'",
        };
        struct ledger *l = NULL;

        fresh(&deal);
        ask(0);
        ck_said("00", "");
        MUST(acquirer_open_ledger(&l, office.dir, &office_error));
        for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
            ck_assert_msg(db_exec(ledger_db(l), never[i], DB_NONE, NULL, &office_error) ==
                              TP_ERR_STATE,
                          "%s", never[i]);
        if (!postgres_wanted()) {
            MUST(db_exec(ledger_db(l), "DROP TRIGGER mediated_written_once", DB_NONE, NULL,
                         &office_error));
            MUST(db_exec(ledger_db(l), "UPDATE mediated SET id = 'aaaaaaaaaaaaaaaaaaaaaaaaaa'",
                         DB_NONE, NULL, &office_error));
            ck_ran(run("audit --dir ."), 5, "order");
            ck_ran(run("prove --dir . %s", said.a.rrn), 5, "its number differs");
            MUST(db_exec(ledger_db(l), "UPDATE mediated SET id = $1", DB_VALUES(db_text(deal.id)),
                         NULL, &office_error));
        }
        ledger_close(&l);
    }
END_TEST

/* ---- the issuer ---- */

static void wait_open(void)
{
    const char *name = NULL;
    const int64_t until = time_monotonic_ms() + PATIENCE_MS;

    while (gateway_find(committer_gateway(acquirer_server_committer(office.server)), card.pan,
                        &name) != ROUTE_OPEN) {
        ck_assert_int_lt(time_monotonic_ms(), until);
        usleep(5000);
    }
}

static void arqc(enum teller_mood mood)
{
    wait_open();
    teller_set(&teller, mood);
    deal_again(&deal);
    go_on(&deal, &frontal.key);
    deal.terms.cid = 0x80;
    finish(&deal);
    ask(0);
}

static void ck_card_is_told(const char *code)
{
    struct tlv t;

    ck_assert_uint_eq(said.inner.mti, MTI_FINANCIAL_RESPONSE);
    ck_ok(tlv_find(said.inner.field[55], TAG_ARC, &t));
    ck_assert(span_eq(t.value, span_str(code)));
    ck_ok(tlv_find(said.inner.field[55], TAG_ISSUER_AUTH_DATA, &t));
    ck_assert(span_eq(t.value, SPAN_OF(teller_arpc)));
}

START_TEST(issuer_approves)
    {
        arqc(TELLER_APPROVES);
        ck_said("00", "");
        ck_signed(&deal, true);
        ck_assert(said.parts.completes);
        ck_card_is_told("00");
        ck_assert(iso8583_has(&said.inner, 38));
        first = said;
        ask(MTI_FINANCIAL_REPEAT);
        ck_said("00", "");
        ck_assert_str_eq(said.acknowledgement, first.acknowledgement);
        ck_assert(said.parts.completes);
        ck_card_is_told("00");
        ck_books(1, 1250, 0);
        ck_assert_str_eq(reverse(&deal).code, "00"); /* its card did not complete */
        for (const int64_t until = time_monotonic_ms() + PATIENCE_MS; teller_reserved(&teller) != 0;
             usleep(5000))
            ck_assert_int_lt(time_monotonic_ms(), until);
        ck_books(1, 0, 1);
    }
END_TEST

START_TEST(issuer_refuses)
    {
        arqc(TELLER_REFUSES);
        ck_refused("51", "ISSUER");
        ck_signed(&deal, false);
        ck_card_is_told("51");
        first = said;
        ask(MTI_FINANCIAL_REPEAT);
        ck_refused("51", "ISSUER");
        ck_assert_str_eq(said.acknowledgement, first.acknowledgement);
        ck_card_is_told("51");
        deal_order(&other, &frontal); /* the order may be paid otherwise */
        memcpy(other.id, deal.id, sizeof(other.id));
        go_on(&other, &frontal.key);
        finish(&other);
        deal_exchange(&said, client, &other, 0);
        ck_said("00", "");
        ck_books(1, 1250, 0);
    }
END_TEST

/* In vain: an ARQC's outcome is known for good, and signed. */
START_TEST(issuer_is_mute)
    {
        arqc(TELLER_MUTE);
        ck_refused("91", "ISSUER_TIMEOUT");
        ck_signed(&deal, false);
        first = said;
        ask(MTI_FINANCIAL_REPEAT);
        ck_refused("91", "ISSUER_TIMEOUT");
        ck_assert_str_eq(said.acknowledgement, first.acknowledgement);
        ck_books(0, 0, 0);
        teller_shut(&teller);
        for (int64_t until = time_monotonic_ms() + PATIENCE_MS;;) {
            const char *name = NULL;

            if (gateway_find(committer_gateway(acquirer_server_committer(office.server)), card.pan,
                             &name) == ROUTE_DOWN)
                break;
            ck_assert_int_lt(time_monotonic_ms(), until);
            usleep(5000);
        }
        deal_again(&deal);
        go_on(&deal, &frontal.key);
        deal.terms.cid = 0x80;
        finish(&deal);
        ask(0);
        ck_refused("91", "ISSUER_DOWN"); /* nothing is kept, and nothing decided */
        ck_assert_str_eq(said.acknowledgement, "");
        ck_assert_uint_eq(said.inner.mti, MTI_FINANCIAL_RESPONSE);
        teller_open(&teller);
    }
END_TEST

/* The acquirer ends while it asks: what becomes of it is known, and signed, when it is asked again.
 */
START_TEST(restarted)
    {
        uint8_t room[LINK_MESSAGE_MAX];
        struct buf raw = BUF_OF(room);

        wait_open();
        teller_set(&teller, TELLER_MUTE);
        deal_again(&deal);
        go_on(&deal, &frontal.key);
        deal.terms.cid = 0x80;
        finish(&deal);
        ck_ok(iso8583_pack(&raw, &deal.message, &office_error));
        ck_ok(link_put(client, buf_span(&raw), &office_error));
        while (teller_count(&teller) == 0)
            usleep(2000);
        link_close(&client);
        office_stop(&office);
        office_start(&office, 2);
        client = frontal_connect(&frontal, FRONTAL);
        ask(MTI_FINANCIAL_REPEAT);
        ck_refused("91", "ISSUER_LOST");
        ck_signed(&deal, false);
        first = said;
        ask(MTI_FINANCIAL_REPEAT);
        ck_assert_str_eq(said.acknowledgement, first.acknowledgement);
        ck_books(0, 0, 0);
    }
END_TEST

/* While an issuer is asked, the order is nobody else's, and a repeat waits. */
START_TEST(order_under_way)
    {
        uint8_t room[LINK_MESSAGE_MAX], in_room[LINK_MESSAGE_MAX];
        struct buf raw = BUF_OF(room), in = BUF_OF(in_room);
        struct link_client *second = frontal_connect(&frontal, FRONTAL);

        wait_open();
        teller_set(&teller, TELLER_SLOW);
        teller.slow_ms = 700;
        deal_again(&deal);
        go_on(&deal, &frontal.key);
        deal.terms.cid = 0x80;
        finish(&deal);
        ck_ok(iso8583_pack(&raw, &deal.message, &office_error));
        ck_ok(link_put(client, buf_span(&raw), &office_error));
        while (teller_count(&teller) == 0)
            usleep(2000);
        deal_order(&other, &frontal);
        memcpy(other.id, deal.id, sizeof(other.id));
        go_on(&other, &frontal.key);
        finish(&other);
        deal_exchange(&said, second, &other, 0);
        ck_refused("94", "ORDER_USED");
        deal_exchange(&said, second, &deal, MTI_FINANCIAL_REPEAT);
        ck_said("00", "");
        ck_signed(&deal, true);
        ck_card_is_told("00");
        ck_ok(link_receive(client, &in, 10000, &office_error));
        link_close(&second);
        ck_books(1, 1250, 0);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("mediated");
    TCase *t = tcase_create("orders"), *device = tcase_create("device"),
          *issuer = tcase_create("issuer");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, paid_once);
    tcase_add_test(t, repeat_outlives_all);
    tcase_add_test(t, repeat_outlives_its_order);
    tcase_add_test(t, order_is_paid_once);
    tcase_add_test(t, eight_at_once);
    tcase_add_test(t, refused_one_does_not_use_it);
    tcase_add_test(t, forged_orders);
    tcase_add_test(t, order_time);
    tcase_add_test(t, all_say_the_same);
    tcase_add_test(t, ceilings);
    tcase_add_test(t, an_order_that_takes_no_card);
    tcase_add_test(t, what_is_sealed);
    tcase_add_test(t, what_is_no_answer_key);
    tcase_add_test(t, card_signed_another_challenge);
    tcase_add_test(t, whose_terminal);
    tcase_add_test(t, no_card_in_the_clear);
    tcase_add_test(t, reversed);
    tcase_add_test(t, echoes);
    tcase_add_test(t, proved_by_the_card);
    tcase_add_test(t, another_order_in_the_evidence);
    tcase_add_test(t, kept_for_good);
    suite_add_tcase(s, t);
    tcase_add_checked_fixture(device, setup_without_9f7c, teardown);
    tcase_set_timeout(device, 60);
    tcase_add_test(device, device_signs);
    tcase_add_test(device, proved_by_the_device);
    suite_add_tcase(s, device);
    tcase_add_checked_fixture(issuer, setup, teardown);
    tcase_set_timeout(issuer, 60);
    tcase_add_test(issuer, issuer_approves);
    tcase_add_test(issuer, issuer_refuses);
    tcase_add_test(issuer, issuer_is_mute);
    tcase_add_test(issuer, restarted);
    tcase_add_test(issuer, order_under_way);
    suite_add_tcase(s, issuer);
    return s;
}

UNIT_MAIN(suite)
