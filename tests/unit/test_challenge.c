/* What a demand is answered with, read back as a payer device and the acquirer read it. */
#include "mediator_fixture.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <time.h>

#include "base/base64.h"
#include "base/date.h"
#include "order/order.h"
#include "wire/payment_digest.h"

static struct mediator_fixture f;
static struct orderbook_attempt a;
static struct orderbook_order o;
static const uint8_t quote[32] = {1, 2, 3};
static const char *contract = CONTRACT;

/* Of a challenge, all that it bears. */
static struct read_back {
    json_t *owner;
    struct payment_challenge challenge;
    struct payment_charge charge;
    struct order order;
    enum tp_err r; /* of the order */
} back;

static void make(void)
{
    fixture_make(&f);
    fixture_purse(&f);
    fixture_open(&f);
    contract = CONTRACT;
    o = fixture_order(time(NULL), 600);
}

static void forget(void)
{
    order_free(&back.order);
    payment_charge_free(&back.charge);
    json_decref(back.owner);
    back = (struct read_back){.owner = NULL};
    orderbook_attempt_free(&a);
}

static void drop(void)
{
    forget();
    fixture_end(&f);
}

static enum tp_err challenge(void)
{
    a = (struct orderbook_attempt){.n = 1};
    memcpy(a.order, o.id, sizeof(a.order));
    snprintf(a.contract, sizeof(a.contract), "%s", contract);
    return challenge_make(&a, &o, quote, NULL, &f.issuing, &f.e);
}

static void read_it(time_t at)
{
    const char *jws = NULL;

    ck_ok(challenge_of(&back.challenge, &back.owner, &a, &f.e));
    ck_ok(payment_charge_read(&back.charge, back.challenge.request, &f.e));
    ck_ok(order_of_charge(&jws, &back.charge, &f.e));
    back.r = order_read(&back.order, jws, f.authority, at, &f.e);
}

static void make_and_read(void)
{
    ck_assert_msg(challenge() == TP_OK, "%s", f.e.text);
    read_it(time(NULL));
    ck_assert_msg(back.r == TP_OK, "%s", f.e.text);
}

/* ---- what stands in it ---- */

START_TEST(the_order_is_read_back)
    {
        char text[TIME_TEXT_MAX], hash[BASE64URL_SIZE(32)];

        make_and_read();
        ck_assert_str_eq(back.order.id, o.id);
        ck_assert_str_eq(back.order.contract, CONTRACT);
        ck_assert_str_eq(back.order.merchant, "Librairie du Port");
        ck_assert_str_eq(back.order.item, "Article 1");
        ck_assert_str_eq(back.order.amount, "150");
        ck_assert_str_eq(back.order.currency, "eur");
        ck_assert_str_eq(back.order.delivery, "network");
        ck_assert_str_eq(back.order.quote, base64url_encode(hash, SPAN_OF(quote)));
        ck_assert_str_eq(back.order.valid_until, time_format_utc(text, o.valid_until));
        ck_assert_str_eq(back.order.acquirer, ACQUIRER);
        ck_assert_str_eq(back.order.country, "250");
        ck_assert_str_eq(back.order.mcc, "5994");
        ck_assert_str_eq(back.order.method, "GET");
        ck_assert_str_eq(back.order.url, o.url);
        ck_assert_ptr_null(back.order.digest);
        ck_assert_str_eq(back.order.mediator, "med");
        ck_assert_uint_eq(back.order.n_means, 1);
        ck_assert_str_eq(back.order.means[0].name, "emv");
        ck_assert_str_eq(back.order.means[0].ceiling, "5000");
        ck_assert_int_eq(strncmp(back.order.return_to, "https://shop.example/orders/", 28), 0);
        ck_assert_str_eq(back.order.return_to + 28, o.id);
    }
END_TEST

/* Number, day and time are the attempt's too: with them the acquirer is asked. */
START_TEST(the_payment_s_number_is_the_attempt_s)
    {
        char text[32];

        make_and_read();
        ck_assert_str_eq(back.order.terminal, TERMINAL);
        ck_assert_str_eq(a.terminal, TERMINAL);
        snprintf(text, sizeof(text), "%06u", a.stan);
        ck_assert_str_eq(back.order.stan, text);
        snprintf(text, sizeof(text), "%014lld", (long long)a.local_time);
        ck_assert_int_eq(strncmp(back.order.date, text, 8), 0);
        ck_assert_str_eq(back.order.time, text + 8);
        ck_assert_int_ge(a.local_time / 1000000, date_of(o.made));
    }
END_TEST

START_TEST(the_request_agrees_with_the_order)
    {
        make_and_read();
        ck_assert_msg(order_agrees(&back.order, &back.charge, &f.e) == TP_OK, "%s", f.e.text);
        ck_assert_str_eq(back.charge.amount, "150");
        ck_assert_str_eq(back.charge.currency, "eur");
        ck_assert_str_eq(back.charge.recipient, CONTRACT);
        ck_assert_str_eq(back.charge.external_id, o.id);
        ck_assert_str_eq(
            json_string_value(json_object_get(back.charge.method_details, "parameters")), "7");
        ck_assert(json_equal(json_object_get(back.charge.method_details, "acquirer"),
                             registry_acquirer(f.registry, ACQUIRER)->sealing));
    }
END_TEST

START_TEST(the_acquirer_s_certificate_is_to_seal_to)
    {
        struct order_holder holder = {.jwk = NULL};

        make_and_read();
        ck_ok(order_holder_read(&holder, f.authority,
                                json_object_get(back.charge.method_details, "acquirer"),
                                PKI_SEALING, time(NULL), &f.e));
        ck_assert_str_eq(holder.common_name, ACQUIRER);
        order_holder_free(&holder);
    }
END_TEST

START_TEST(the_challenge_is_bound)
    {
        uint8_t other[32] = {0}, r[PAYMENT_R];
        char until[TIME_TEXT_MAX], *field = NULL;
        struct payment_challenge c;

        make_and_read();
        c = back.challenge;
        ck_assert_str_eq(c.id, a.challenge_id);
        ck_assert_str_eq(c.realm, "shop.example");
        ck_assert_str_eq(c.method, "emv");
        ck_assert_str_eq(c.intent, "charge");
        ck_assert_str_eq(c.expires, time_format_utc(until, o.valid_until));
        ck_assert_ptr_null(c.digest);
        ck_assert(payment_challenge_is_bound(&c, f.issuing.key));
        ck_assert(!payment_challenge_is_bound(&c, SPAN_OF(other)));
        c.realm = "elsewhere.example";
        ck_assert(!payment_challenge_is_bound(&c, f.issuing.key));
        ck_ok(payment_challenge_r(r, &back.challenge, &f.e));
        ck_ok(payment_challenge_write(&field, &back.challenge, &f.e));
        ck_assert_uint_lt(strlen(field), 8192); /* what servers take as one field */
        free(field);
    }
END_TEST

/* R as the scheme's page has it, from the wire strings. */
START_TEST(r_is_of_the_wire_strings)
    {
        uint8_t r[PAYMENT_R], wanted[PAYMENT_R];
        char *text = NULL;
        const struct payment_challenge *c = &back.challenge;

        make_and_read();
        ck_assert_int_gt(asprintf(&text, "telepay-1|%s|%s|%s|%s|%s|%s||", c->id, c->realm,
                                  c->method, c->intent, c->request, c->expires),
                         0);
        ck_assert_int_eq(EVP_Digest(text, strlen(text), wanted, NULL, EVP_sha256(), NULL), 1);
        ck_ok(payment_challenge_r(r, c, &f.e));
        ck_assert_mem_eq(r, wanted, sizeof(r));
        free(text);
    }
END_TEST

START_TEST(no_two_are_the_same)
    {
        struct orderbook_attempt first;
        char nonce[BASE64URL_SIZE(16)];

        make_and_read();
        snprintf(nonce, sizeof(nonce), "%s", back.order.nonce);
        first = a;
        a = (struct orderbook_attempt){.n = 0};
        forget();
        make_and_read();
        ck_assert_str_ne(first.challenge_id, a.challenge_id);
        ck_assert_uint_ne(first.stan, a.stan);
        ck_assert_str_ne(nonce, back.order.nonce);
        orderbook_attempt_free(&first);
    }
END_TEST

START_TEST(its_time)
    {
        ck_ok(challenge());
        read_it(o.valid_until + ORDER_GRACE);
        ck_assert_int_eq(back.r, TP_OK);
        forget();
        ck_ok(challenge());
        read_it(o.valid_until + ORDER_GRACE + 1);
        ck_assert_int_eq(back.r, TP_ERR_TIMEOUT);
    }
END_TEST

/* ---- words and bodies ---- */

static const struct {
    const char *item;
    bool described;
} items[] = {{"Article 1", true},
             {"a ~ b", true},
             {"L’été à Saint-Malo", false},
             {"\xf0\x9f\x90\x8c", false},
             {"\"quoted\", \\ and so on", true},
             {"a|b", true}};

START_TEST(a_description_is_ascii_or_none)
    {
        char *field = NULL;

        snprintf(o.item, sizeof(o.item), "%s", items[_i].item);
        make_and_read();
        ck_assert_str_eq(back.order.item, items[_i].item);
        ck_assert_str_eq(back.charge.description, items[_i].item); /* within base64url */
        if (items[_i].described)
            ck_assert_str_eq(back.challenge.description, items[_i].item);
        else
            ck_assert_ptr_null(back.challenge.description);
        ck_ok(order_agrees(&back.order, &back.charge, &f.e));
        ck_ok(payment_challenge_write(&field, &back.challenge, &f.e));
        for (const char *p = field; *p != '\0'; p++)
            ck_assert(*p >= ' ' && *p <= '~');
        free(field);
    }
END_TEST

START_TEST(the_longest_words_fit)
    {
        for (size_t i = 0; i < 200; i++)
            memcpy(o.item + 4 * i, "\xf0\x9f\x90\x8c", 5);
        for (size_t i = 0; i < 100; i++)
            memcpy(o.merchant + 4 * i, "\xf0\x9f\x90\x8c", 5);
        snprintf(o.url, sizeof(o.url), "https://shop.example/s/journal/");
        memset(o.url + strlen(o.url), 'a', 2048 - strlen(o.url));
        o.url[2048] = '\0';
        make_and_read();
        ck_assert_str_eq(back.order.item, o.item);
        ck_assert_str_eq(back.order.merchant, o.merchant);
        ck_assert_str_eq(back.order.url, o.url);
        ck_assert(payment_challenge_is_bound(&back.challenge, f.issuing.key));
    }
END_TEST

START_TEST(the_body_s_digest_is_in_both)
    {
        char text[PAYMENT_DIGEST_SIZE];

        snprintf(o.method, sizeof(o.method), "POST");
        snprintf(o.digest, sizeof(o.digest), "%s", payment_digest_write(text, quote));
        make_and_read();
        ck_assert_str_eq(back.order.method, "POST");
        ck_assert_str_eq(back.order.digest, text);
        ck_assert_str_eq(back.challenge.digest, text);
        ck_assert(payment_challenge_is_bound(&back.challenge, f.issuing.key));
        back.challenge.digest = NULL;
        ck_assert(!payment_challenge_is_bound(&back.challenge, f.issuing.key));
    }
END_TEST

START_TEST(every_delivery)
    {
        for (enum delivery d = DELIVERY_NETWORK; d <= DELIVERY_STREAM; d++) {
            o.delivery = d;
            o.per = d == DELIVERY_STREAM ? 10 : 0;
            make_and_read();
            ck_assert_str_eq(back.order.delivery, delivery_name(d));
            ck_assert_pstr_eq(back.order.per, d == DELIVERY_STREAM ? "10" : NULL);
            forget();
        }
    }
END_TEST

/* ---- what cannot be signed ---- */

static uint32_t next_stan(void)
{
    uint32_t stan = 0;

    ck_ok(contract_stan(registry_contract(f.registry, CONTRACT), date_of(time(NULL)), &stan, &f.e));
    return stan;
}

START_TEST(over_the_ceiling)
    {
        const uint32_t before = next_stan();

        o.amount = CEILING + 1;
        ck_assert_int_eq(challenge(), TP_ERR_RANGE);
        ck_assert_ptr_null(a.challenge);
        ck_assert_uint_eq(next_stan(), before + 1); /* that took no number */
        o.amount = CEILING;
        make_and_read();
        ck_assert_str_eq(back.order.amount, "5000");
        forget();
        o.amount = 101;
        contract = OTHER_CONTRACT;
        ck_assert_int_eq(challenge(), TP_ERR_RANGE);
        o.amount = 100;
        make_and_read();
        ck_assert_str_eq(back.order.contract, OTHER_CONTRACT);
    }
END_TEST

/* By purse: nothing that a card is told, no number, and where the purse is. */
START_TEST(under_a_purse_s_contract)
    {
        contract = PURSE_CONTRACT;
        o.amount = CEILING + 1; /* which the purse judges */
        make_and_read();
        ck_assert_str_eq(back.challenge.method, "purse");
        ck_assert_str_eq(back.challenge.intent, "charge");
        ck_assert_str_eq(back.order.acquirer, PURSE);
        ck_assert_str_eq(back.order.contract, PURSE_CONTRACT);
        ck_assert_uint_eq(back.order.n_means, 1);
        ck_assert_str_eq(back.order.means[0].name, "purse");
        ck_assert_ptr_null(back.order.stan);
        ck_assert_ptr_null(back.order.terminal);
        ck_assert_uint_eq(a.stan, 0);
        ck_assert_int_eq(a.means, MEANS_PURSE);
        ck_assert_str_eq(a.acquirer, PURSE);
        ck_assert_str_eq(json_string_value(json_object_get(back.charge.method_details, "purse")),
                         "https://127.0.0.1:8744");
        ck_assert_uint_eq(json_object_size(back.charge.method_details), 2);
        ck_ok(order_agrees(&back.order, &back.charge, &f.e));
    }
END_TEST

START_TEST(under_a_contract_that_is_none)
    {
        contract = "000000000000999";
        ck_assert_int_eq(challenge(), TP_ERR_NOT_FOUND);
        ck_assert_ptr_nonnull(strstr(f.e.text, "000000000000999"));
    }
END_TEST

START_TEST(what_no_order_takes)
    {
        const struct orderbook_order good = o;

        snprintf(o.url, sizeof(o.url), "ftp://shop.example/");
        ck_assert_int_eq(challenge(), TP_ERR_FORMAT);
        ck_assert_ptr_nonnull(strstr(f.e.text, "url"));
        o = good;
        o.item[0] = '\0';
        ck_assert_int_eq(challenge(), TP_ERR_FORMAT);
        ck_assert_ptr_nonnull(strstr(f.e.text, "item"));
        o = good;
        snprintf(o.item, sizeof(o.item), "a\nb");
        ck_assert_int_eq(challenge(), TP_ERR_FORMAT);
        o = good;
        o.valid_until = o.made - 1;
        ck_assert_int_eq(challenge(), TP_ERR_FORMAT);
        ck_assert_ptr_nonnull(strstr(f.e.text, "valid_until"));
        o = good;
        o.valid_until = o.made + 700;
        ck_assert_int_eq(challenge(), TP_ERR_FORMAT);
        ck_assert_ptr_null(a.challenge);
    }
END_TEST

/* ---- ids of orders ---- */

START_TEST(ids_are_base32_of_128_bits)
    {
        static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
        static char ids[2000][BOOK_ORDER_ID];
        unsigned bits[26] = {0};

        for (size_t i = 0; i < 2000; i++) {
            challenge_order_id(ids[i]);
            ck_assert_uint_eq(strlen(ids[i]), 26);
            for (size_t n = 0; n < 26; n++) {
                const char *at = strchr(letters, ids[i][n]);

                ck_assert_ptr_nonnull(at);
                bits[n] |= 1U << (at - letters);
            }
            /* 26 characters hold 130 bits: the last two are zero */
            ck_assert_int_eq((strchr(letters, ids[i][25]) - letters) % 4, 0);
            for (size_t j = 0; j < i; j++)
                ck_assert_str_ne(ids[i], ids[j]);
        }
        for (size_t n = 0; n < 25; n++)
            ck_assert_uint_eq(bits[n], 0xFFFFFFFF); /* each letter came in each place */
        ck_assert_uint_eq(bits[25], 0x11111111);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("challenge");
    TCase *t = tcase_create("challenge");

    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, make, drop);
    tcase_add_test(t, the_order_is_read_back);
    tcase_add_test(t, the_payment_s_number_is_the_attempt_s);
    tcase_add_test(t, the_request_agrees_with_the_order);
    tcase_add_test(t, the_acquirer_s_certificate_is_to_seal_to);
    tcase_add_test(t, the_challenge_is_bound);
    tcase_add_test(t, r_is_of_the_wire_strings);
    tcase_add_test(t, no_two_are_the_same);
    tcase_add_test(t, its_time);
    tcase_add_loop_test(t, a_description_is_ascii_or_none, 0, sizeof(items) / sizeof(items[0]));
    tcase_add_test(t, the_longest_words_fit);
    tcase_add_test(t, the_body_s_digest_is_in_both);
    tcase_add_test(t, every_delivery);
    tcase_add_test(t, over_the_ceiling);
    tcase_add_test(t, under_a_purse_s_contract);
    tcase_add_test(t, under_a_contract_that_is_none);
    tcase_add_test(t, what_no_order_takes);
    tcase_add_test(t, ids_are_base32_of_128_bits);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
