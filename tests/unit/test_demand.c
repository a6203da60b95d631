/* What is demanded, and what the payer makes of it: orders that are held to the trusted authority,
 * parameters and the terminal made of them, the credential. */
#include "unit.h"

#include <jose/jws.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/date.h"
#include "base/file.h"
#include "order/jose_quiet.h"
#include "order/sealed.h"
#include "order/token.h"
#include "payer/checkout.h"
#include "payer/credential.h"
#include "payer/device.h"
#include "payer/home.h"
#include "payer/parameters.h"
#include "wire/payment_credential.h"

#define CONTRACT "000000000000123"
#define ACQUIRER "ACQ1"
#define HASH     "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
#define URL      "https://m.example/s/journal/1"

static char dir[64], home[128], issued[TIME_TEXT_MAX], until[TIME_TEXT_MAX];
static struct order_key order_key, stranger_key, sealing_key, other_sealing_key, ack_key;
static struct authorities trusted;
static time_t now;
static struct tp_error e;

static void give(struct order_key *out, const char *authority, enum pki_role role,
                 const char *organisation, const char *name)
{
    const struct pki_subject subject = {organisation, name, NULL};
    char from[96], cert[224], key[224];

    snprintf(from, sizeof(from), "%s/%s", dir, authority);
    snprintf(cert, sizeof(cert), "%s/%s-%d.pem", from, name, (int)role);
    snprintf(key, sizeof(key), "%s/%s-%d.key", from, name, (int)role);
    ck_assert_msg(pki_certificate_make(from, role, &subject, 365, cert, key, &e) == TP_OK, "%s",
                  e.text);
    ck_assert_msg(order_key_load(out, cert, key, &e) == TP_OK, "%s", e.text);
}

static void make(void)
{
    static const char *const names[] = {"ours", "theirs"};
    char path[128];
    struct authority added;

    strcpy(dir, "/tmp/test_demand.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        ck_ok(pki_authority_make(path, names[i], NULL));
    }
    give(&order_key, "ours", PKI_ORDER, CONTRACT, "mediator");
    give(&sealing_key, "ours", PKI_SEALING, NULL, ACQUIRER);
    give(&other_sealing_key, "ours", PKI_SEALING, NULL, "ACQ2");
    give(&ack_key, "ours", PKI_ACKNOWLEDGEMENT, NULL, ACQUIRER);
    give(&stranger_key, "theirs", PKI_ORDER, CONTRACT, "mediator");
    snprintf(home, sizeof(home), "%s/home", dir);
    ck_ok(file_make_private_dir(home, &e));
    snprintf(path, sizeof(path), "%s/ours/ca.pem", dir);
    ck_ok(authority_add(&added, home, path, &e));
    ck_ok(authorities_load(&trusted, home, &e));
    now = time(NULL);
    time_format_utc(issued, now);
    time_format_utc(until, now + 300);
}

static void drop(void)
{
    struct order_key *const keys[] = {&order_key, &stranger_key, &sealing_key, &other_sealing_key,
                                      &ack_key};
    char command[80];

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        order_key_free(keys[i]);
    authorities_free(&trusted);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static struct order sample(void)
{
    return (struct order){
        .id = "abcdefghijklmnopqrstuvwxyz",
        .contract = CONTRACT,
        .merchant = "Librairie du Port et de la Marine à voile",
        .item = "Article 1",
        .amount = "150",
        .currency = "eur",
        .delivery = "network",
        .quote = HASH,
        .nonce = "AAAAAAAAAAAAAAAAAAAAAA",
        .issued = issued,
        .valid_until = until,
        .return_to = "https://m.example/orders/abc",
        .terminal = "M0000001",
        .stan = "000042",
        .date = "20261128",
        .time = "235959",
        .country = "250",
        .mcc = "5994",
        .acquirer = ACQUIRER,
        .method = "GET",
        .url = URL,
        .means = {{"emv", "5000"}},
        .n_means = 1,
    };
}

/* The same order, to be paid by that means alone. */
static struct order by(const struct order *o, const char *means)
{
    struct order other = *o;

    other.means[0].name = means;
    if (strcmp(means, "emv") != 0) /* nothing is told to a card */
        other.terminal = other.stan = other.date = other.time = other.country = other.mcc = NULL;
    return other;
}

/* A demand of that order; what the request says is the order's, but for what is given. */
struct wrong {
    const struct order_key *signer, *sealing;
    const char *amount, *expires, *method, *intent;
};

static struct payment_challenge demand_of(const struct order *o, const struct wrong *w,
                                          char **request)
{
    struct payment_charge c = {.amount = w->amount != NULL ? w->amount : o->amount,
                               .currency = o->currency,
                               .recipient = o->contract,
                               .external_id = o->id};
    char *jws = NULL;

    ck_assert_msg(order_write(&jws, o, w->signer != NULL ? w->signer : &order_key, &e) == TP_OK,
                  "%s", e.text);
    c.method_details =
        json_pack("{s:s, s:O, s:s}", "order", jws, "acquirer",
                  (w->sealing != NULL ? w->sealing : &sealing_key)->x5c, "parameters", "17");
    ck_ok(payment_charge_write(request, &c, &e));
    json_decref(c.method_details);
    free(jws);
    return (struct payment_challenge){.id = HASH,
                                      .realm = "m",
                                      .method = w->method != NULL ? w->method : "emv",
                                      .intent = w->intent != NULL ? w->intent : "charge",
                                      .request = *request,
                                      .expires = w->expires};
}

static enum tp_err outcome(const struct order *o, const struct wrong *w)
{
    struct demand d = {0};
    char *request = NULL;
    const struct payment_challenge c = demand_of(o, w, &request);
    const enum tp_err r = demand_read(&d, &c, &trusted, now, &e);

    demand_free(&d);
    free(request);
    return r;
}

static void get_demand(struct demand *d)
{
    const struct order o = sample();
    const struct wrong none = {0};
    char *request = NULL;
    const struct payment_challenge c = demand_of(&o, &none, &request);

    ck_assert_msg(demand_read(d, &c, &trusted, now, &e) == TP_OK, "%s", e.text);
    free(request); /* the demand has its own */
}

START_TEST(a_demand_is_taken)
    {
        struct demand d = {0};
        uint8_t r[PAYMENT_R];

        get_demand(&d);
        ck_assert_str_eq(d.order.id, sample().id);
        ck_assert_str_eq(d.origin, "https://m.example");
        ck_assert_int_eq(d.amount, 150);
        ck_assert_str_eq(d.currency->alpha, "EUR");
        ck_assert_int_eq(d.parameters, 17);
        ck_assert_str_eq(d.sealing.common_name, ACQUIRER);
        ck_ok(payment_challenge_r(r, &d.challenge, &e));
        ck_assert_mem_eq(r, d.r, sizeof(r));
        demand_free(&d);
    }
END_TEST

START_TEST(forged_demands_are_refused)
    {
        char before[TIME_TEXT_MAX];
        const struct wrong of[] = {{.signer = &stranger_key},
                                   {.signer = &ack_key},
                                   {.sealing = &other_sealing_key},
                                   {.sealing = &order_key},
                                   {.amount = "151"},
                                   {.expires = time_format_utc(before, now - 60)},
                                   {.method = "purse"},
                                   {.method = "tempo"},
                                   {.intent = "session"}};
        static const enum tp_err expected[] = {TP_ERR_SECURITY, TP_ERR_SECURITY, TP_ERR_SECURITY,
                                               TP_ERR_SECURITY, TP_ERR_SECURITY, TP_ERR_TIMEOUT,
                                               TP_ERR_SECURITY, TP_ERR_FORMAT,   TP_ERR_FORMAT};
        const struct order o = sample();

        for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++)
            ck_assert_msg(outcome(&o, &of[i]) == expected[i], "%zu: %s", i, e.text);
    }
END_TEST

START_TEST(orders_that_may_not_be_paid)
    {
        const struct wrong none = {0};
        char early[TIME_TEXT_MAX], late[TIME_TEXT_MAX];
        struct order o = sample();

        o.means[0].ceiling = "149";
        ck_assert_int_eq(outcome(&o, &none), TP_ERR_SECURITY);
        o = sample();
        o = by(&o, "purse");
        ck_assert_int_eq(outcome(&o, &none), TP_ERR_SECURITY);
        o = sample();
        o.url = "http://m.example/s/journal/1"; /* in the clear */
        ck_assert_int_eq(outcome(&o, &none), TP_ERR_SECURITY);
        o = sample();
        o.issued = time_format_utc(early, now - 400);
        o.valid_until = time_format_utc(late, now - 100);
        ck_assert_int_eq(outcome(&o, &none), TP_ERR_TIMEOUT);
        o.issued = time_format_utc(early, now + 100);
        o.valid_until = time_format_utc(late, now + 400);
        ck_assert_int_eq(outcome(&o, &none), TP_ERR_TIMEOUT);
        o = sample();
        o.acquirer = "ACQ3"; /* sealed to whom it does not name */
        ck_assert_int_eq(outcome(&o, &none), TP_ERR_SECURITY);
        o = sample();
        authorities_free(&trusted);
        ck_assert_int_eq(outcome(&o, &none), TP_ERR_SECURITY);
        ck_assert_ptr_nonnull(strstr(e.text, "telepay authority add"));
    }
END_TEST

START_TEST(a_demand_is_for_what_was_asked)
    {
        const struct span body = span_str("body");
        struct demand d = {0};

        get_demand(&d);
        ck_ok(demand_is_for(&d, "GET", URL, NULL, &e));
        ck_ok(demand_is_for(&d, "GET", "https://M.example:443/s/journal/1#2", NULL, &e));
        ck_assert_int_eq(demand_is_for(&d, "POST", URL, NULL, &e), TP_ERR_SECURITY);
        ck_assert_int_eq(demand_is_for(&d, "GET", URL "2", NULL, &e), TP_ERR_SECURITY);
        ck_assert_int_eq(demand_is_for(&d, "GET", URL "?a", NULL, &e), TP_ERR_SECURITY);
        ck_assert_int_eq(demand_is_for(&d, "GET", URL, &body, &e), TP_ERR_SECURITY);
        d.order.digest = "sha-256=:Iw2DWN/ODUUyQIOIyAMpvHLLjuWTg9ySurUcStXv5Ck=:";
        ck_assert_int_eq(demand_is_for(&d, "GET", URL, NULL, &e), TP_ERR_SECURITY);
        ck_assert_int_eq(demand_is_for(&d, "GET", URL, &body, &e), TP_ERR_SECURITY);
        demand_free(&d);
    }
END_TEST

START_TEST(offers_that_can_be_paid)
    {
        static const struct {
            struct payment_challenge offer;
            bool by_any, by_card, by_purse;
        } rows[] = {{{.method = "tempo", .intent = "charge"}, false, false, false},
                    {{.method = "emv", .intent = "session"}, false, false, false},
                    {{.method = "emv", .intent = "charge"}, true, true, false},
                    {{.method = "purse", .intent = "charge"}, true, false, true}};

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            ck_assert_int_eq(demand_is_payable(&rows[i].offer, NULL), rows[i].by_any);
            ck_assert_int_eq(demand_is_payable(&rows[i].offer, "emv"), rows[i].by_card);
            ck_assert_int_eq(demand_is_payable(&rows[i].offer, "purse"), rows[i].by_purse);
            ck_assert(!demand_is_payable(&rows[i].offer, "tempo"));
        }
    }
END_TEST

/* ---- the choice among what is offered ---- */

static struct payment_offers offered;
static char *offered_requests[PAYMENT_OFFERS_MAX];

/* One order by that means, at that acquirer. */
static void offer(const char *means, const struct wrong *w)
{
    const struct order any = sample(), o = by(&any, means);
    struct wrong of = *w;

    of.method = means;
    offered.offer[offered.n] = demand_of(&o, &of, &offered_requests[offered.n]);
    offered.n++;
}

static void offer_no_more(void)
{
    for (size_t i = 0; i < offered.n; i++)
        free(offered_requests[i]);
    offered.n = 0;
}

/* What a user with that plan, and an account at the purse or none, pays by: "" none. */
static const char *chosen_by(const char *plan, bool has_account, const char *only,
                             const char *without)
{
    static char means[PLAN_NAME];
    const struct purse_account account = {.acquirer = ACQUIRER, .currency = 978, .number = 1};
    const struct checkout_options options = {.means = only};
    struct checkout c = {.options = &options, .authorities = trusted};
    struct demand d = {0};
    char path[160];

    snprintf(path, sizeof(path), "%s/plan.ini", home);
    ck_ok(file_replace(path, span_str(plan), 0600, &e));
    ck_assert_msg(plan_load(&c.plan, home, &e) == TP_OK, "%s", e.text);
    snprintf(path, sizeof(path), "%s/%s.db", home, has_account ? "with" : "without");
    ck_ok(journal_open(&c.journal, path, &e));
    if (has_account)
        ck_ok(purses_put(c.journal, &account, &e));
    e = (struct tp_error){0};
    enum tp_err r = checkout_choose(&c, &d, &offered, without, &e);

    if (r == TP_OK)
        r = checkout_allows(&c, &d, &e);
    snprintf(means, sizeof(means), "%s", r == TP_OK ? demand_means(&d) : "");
    demand_free(&d);
    journal_close(&c.journal);
    return means;
}

#define BOTH       "[emv]\nmeans = yes\n[purse]\nmeans = yes\n"
#define PURSE_1ST  "[purse]\nmeans = yes\n[emv]\nmeans = yes\n"
#define CARD_SMALL "[emv]\nmeans = yes\nup_to = 1.00 EUR\n[purse]\nmeans = yes\n"

START_TEST(the_plan_chooses_among_what_is_offered)
    {
        const struct wrong none = {0}, forged = {.signer = &stranger_key};

        offer("emv", &none);
        offer("purse", &none);
        ck_assert_str_eq(chosen_by(BOTH, true, NULL, NULL), "emv");
        ck_assert_str_eq(chosen_by(PURSE_1ST, true, NULL, NULL), "purse");
        ck_assert_str_eq(chosen_by(PURSE_1ST, false, NULL, NULL), "emv");   /* no account there */
        ck_assert_str_eq(chosen_by(CARD_SMALL, true, NULL, NULL), "purse"); /* 1.50 EUR */
        ck_assert_str_eq(chosen_by(CARD_SMALL, false, NULL, NULL), "");
        ck_assert_ptr_nonnull(strstr(e.text, "up to 1.00 EUR"));
        ck_assert_str_eq(chosen_by(BOTH, true, "purse", NULL), "purse");
        ck_assert_str_eq(chosen_by(BOTH, true, NULL, "emv"), "purse");
        ck_assert_str_eq(chosen_by(BOTH, false, "purse", NULL), "");
        ck_assert_ptr_nonnull(strstr(e.text, "telepay purse open"));
        ck_assert_str_eq(chosen_by("[emv]\nmeans = yes\n", true, "purse", NULL), "");
        ck_assert_ptr_nonnull(strstr(e.text, "not in your plan"));
        offer_no_more();
        offer("purse", &forged);
        offer("emv", &none);
        ck_assert_str_eq(chosen_by(PURSE_1ST, true, NULL, NULL), "emv");
        ck_assert_str_eq(chosen_by(PURSE_1ST, true, "purse", NULL), "");
        offer_no_more();
        ck_assert_str_eq(chosen_by(BOTH, true, NULL, NULL), "");
        ck_assert_int_eq(e.code, TP_ERR_NOT_FOUND);
    }
END_TEST

/* ---- parameters ---- */

static char *parameters_text(const struct order_key *key, json_int_t version, const char *acquirer)
{
    json_t *payload =
        json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:[]}", "version", version, "acquirer",
                  acquirer, "issued", issued, "capabilities", "2098C8", "type", "35", "additional",
                  "6000F0A001", "applications",
                  "[application F0000000141010]\npartial=yes\nversion=0001\n"
                  "tac_denial=0000000000\ntac_online=FC78F8F800\ntac_default=DC4000A800\n"
                  "floor=5000\n[terminal]\nname=other\nid=other\n",
                  "authorities");
    char *jws = NULL;

    ck_assert_msg(token_sign(&jws, payload, TOKEN_PARAMETERS, key, &e) == TP_OK, "%s", e.text);
    json_decref(payload);
    return jws;
}

static enum tp_err keep(const struct order_key *key, json_int_t version, const char *acquirer)
{
    struct parameters p = {0};
    char *jws = parameters_text(key, version, acquirer);
    const enum tp_err r = parameters_keep(&p, home, &trusted.list[0], ACQUIRER, jws, now, &e);

    parameters_free(&p);
    free(jws);
    return r;
}

START_TEST(parameters_are_the_acquirers_and_grow)
    {
        struct parameters p = {0};

        ck_assert_int_eq(parameters_kept(&p, home, &trusted.list[0], ACQUIRER, now, &e),
                         TP_ERR_NOT_FOUND);
        ck_assert_int_eq(keep(&order_key, 17, ACQUIRER), TP_ERR_SECURITY);
        ck_assert_int_eq(keep(&stranger_key, 17, ACQUIRER), TP_ERR_SECURITY);
        ck_assert_int_eq(keep(&ack_key, 17, "ACQ2"), TP_ERR_SECURITY);
        ck_assert_int_eq(keep(&ack_key, 0, ACQUIRER), TP_ERR_FORMAT);
        ck_ok(keep(&ack_key, 17, ACQUIRER));
        ck_ok(keep(&ack_key, 17, ACQUIRER));
        ck_assert_int_eq(keep(&ack_key, 16, ACQUIRER), TP_ERR_SECURITY);
        ck_ok(keep(&ack_key, 18, ACQUIRER));
        ck_ok(parameters_kept(&p, home, &trusted.list[0], ACQUIRER, now, &e));
        ck_assert_int_eq(p.version, 18);
        parameters_free(&p);
    }
END_TEST

START_TEST(parameters_of_another_kind)
    {
        struct parameters p = {0};
        char *jws = parameters_text(&ack_key, 17, ACQUIRER);

        ck_ok(parameters_read(&p, jws, trusted.list[0].orders, ACQUIRER, now, &e));
        parameters_free(&p);
        jws[strlen(jws) - 5] ^= 1;
        ck_assert_int_ne(parameters_read(&p, jws, trusted.list[0].orders, ACQUIRER, now, &e),
                         TP_OK);
        parameters_free(&p);
        free(jws);
        ck_assert_int_eq(parameters_read(&p, "a.b.c", trusted.list[0].orders, ACQUIRER, now, &e),
                         TP_ERR_FORMAT);
        parameters_free(&p);
    }
END_TEST

START_TEST(the_terminal_is_the_orders)
    {
        const struct order o = sample();
        struct parameters p = {0};
        struct terminal *t = NULL;

        ck_ok(keep(&ack_key, 17, ACQUIRER));
        ck_ok(parameters_kept(&p, home, &trusted.list[0], ACQUIRER, now, &e));
        ck_assert_msg(parameters_terminal(&t, &p, &o, &e) == TP_OK, "%s", e.text);
        ck_assert_str_eq(t->kernel.terminal_id, "M0000001"); /* not what stands in the text */
        ck_assert_str_eq(t->kernel.ifd_serial, "M0000001");
        ck_assert_str_eq(t->kernel.merchant_id, CONTRACT);
        ck_assert_str_eq(t->kernel.merchant_name, "Librairie du Port et de la Marine à voi");
        ck_assert_uint_eq(t->kernel.mcc, 5994);
        ck_assert_uint_eq(t->kernel.country, 250);
        ck_assert_uint_eq(t->kernel.type, 0x35);
        ck_assert_str_eq(t->currency->alpha, "EUR");
        ck_assert_str_eq(t->acquirer, ACQUIRER);
        ck_assert_uint_eq(t->kernel.applications_n, 1);
        ck_assert_uint_eq(t->kernel.applications[0].floor_limit, 5000);
        ck_assert_ptr_nonnull(t->kernel.authorities);
        terminal_free(&t);
        parameters_free(&p);
    }
END_TEST

/* ---- the credential ---- */

START_TEST(the_credential_is_sealed_and_echoes_the_challenge)
    {
        struct demand d = {0};
        struct payment_credential c = {0};
        const uint8_t message[] = {0x02, 0x00, 0xFF, 0x01}, claim[16] = {1, 2, 3};
        const struct credential_parts parts = {
            .demand = &d, .message = SPAN_OF(message), .claim = claim};
        uint8_t room[8], hash[32];
        struct buf back = BUF_OF(room);
        json_t *secret = NULL, *opened = NULL;
        char *field = NULL, text[CREDENTIAL_HASH], as_is[BASE64URL_SIZE(32)];

        get_demand(&d);
        ck_assert_msg(credential_make(&secret, &parts, &e) == TP_OK, "%s", e.text);
        ck_ok(payment_credential_read_json(&c, span_str(credential_text(secret)), &e));
        ck_assert_str_eq(c.challenge.request, d.challenge.request);
        ck_assert_str_eq(c.challenge.id, d.challenge.id);
        ck_assert_str_eq(json_string_value(json_object_get(c.payload, "claim")),
                         "AQIDAAAAAAAAAAAAAAAAAA");
        ck_assert_ptr_null(json_object_get(c.payload, "device"));
        ck_ok(sealed_read(&opened, json_string_value(json_object_get(c.payload, "transaction")),
                          SEALED_TRANSACTION, sealing_key.jwk, &e));
        ck_assert_int_eq(json_integer_value(json_object_get(opened, "version")), 1);
        ck_assert_str_eq(json_string_value(json_object_get(opened, "message")), "AgD_AQ");
        ck_assert_ptr_null(json_object_get(json_object_get(opened, "answer_key"), "d"));
        ck_ok(credential_message(&back, secret, &e));
        ck_assert(span_eq(buf_span(&back), SPAN_OF(message)));
        ck_ok(payment_credential_hash(hash, &c, &e));
        ck_ok(credential_hash(text, secret, &e));
        ck_assert_str_eq(text, base64url_encode(as_is, SPAN_OF(hash)));
        payment_credential_free(&c);
        ck_ok(credential_field(&field, secret, &e));
        ck_ok(payment_credential_read(&c, span_str(field), &e));
        payment_credential_free(&c);
        free(field);
        json_decref(opened);
        json_decref(secret);
        demand_free(&d);
    }
END_TEST

START_TEST(a_purse_is_paid_by_its_statement_alone)
    {
        const struct wrong by_purse = {.method = "purse"};
        const struct order any = sample(), o = by(&any, "purse");
        struct demand d = {0};
        struct payment_credential c = {0};
        const uint8_t claim[16] = {1, 2, 3};
        const struct credential_parts parts = {
            .demand = &d, .payment = "e30.e30.AA", .claim = claim};
        json_t *secret = NULL;
        char *request = NULL;

        const struct payment_challenge challenge = demand_of(&o, &by_purse, &request);

        ck_assert_msg(demand_read(&d, &challenge, &trusted, now, &e) == TP_OK, "%s", e.text);
        ck_assert(demand_is_by_purse(&d));
        ck_ok(credential_make(&secret, &parts, &e));
        ck_ok(payment_credential_read_json(&c, span_str(credential_text(secret)), &e));
        ck_assert_str_eq(c.challenge.method, "purse");
        ck_assert_uint_eq(json_object_size(c.payload), 2);
        ck_assert_str_eq(json_string_value(json_object_get(c.payload, "payment")), "e30.e30.AA");
        ck_assert_str_eq(json_string_value(json_object_get(c.payload, "claim")),
                         "AQIDAAAAAAAAAAAAAAAAAA");
        ck_assert_uint_eq(json_object_size(secret), 1); /* there is no answer to be opened */
        payment_credential_free(&c);
        json_decref(secret);
        demand_free(&d);
        free(request);
    }
END_TEST

START_TEST(the_device_signs_what_the_card_does_not)
    {
        struct demand d = {0};
        struct credential_parts parts = {.demand = &d, .message = span_str("message")};
        char path[160];
        struct stat s;
        struct device device_of = {.folder = home, .user = "default", .code = CODE_ASKED},
                      other = device_of;
        json_t *key = NULL, *again = NULL, *secret = NULL, *credential, *jws;
        jose_cfg_t *cfg = jose_quiet();
        const char *device;

        get_demand(&d);
        ck_assert_msg(device_key(&key, &device_of, &e) == TP_OK, "%s", e.text);
        ck_ok(device_key(&again, &other, &e));
        ck_assert(json_equal(key, again)); /* made once */
        snprintf(path, sizeof(path), "%s/device.jwk", home);
        ck_assert_int_eq(stat(path, &s), 0);
        ck_assert_int_eq(s.st_mode & 0777, 0600);
        parts.device = key;
        ck_assert_msg(credential_make(&secret, &parts, &e) == TP_OK, "%s", e.text);
        credential = json_loads(credential_text(secret), 0, NULL);
        device =
            json_string_value(json_object_get(json_object_get(credential, "payload"), "device"));
        ck_assert_ptr_nonnull(device);
        jws = json_pack("{s:s%, s:s%, s:s}", "protected", device, strcspn(device, "."), "payload",
                        strchr(device, '.') + 1, strcspn(strchr(device, '.') + 1, "."), "signature",
                        strrchr(device, '.') + 1);
        ck_assert(jose_jws_ver(cfg, jws, NULL, key, true));
        ck_assert_int_eq(chmod(path, 0644), 0);
        device_free(&other);
        ck_assert_int_eq(device_key(&again, &other, &e), TP_ERR_SECURITY);
        jose_cfg_decref(cfg);
        json_decref(jws);
        json_decref(credential);
        json_decref(secret);
        device_free(&device_of);
        demand_free(&d);
    }
END_TEST

START_TEST(a_claim_is_the_devices_own)
    {
        const struct span own = span_str("of this device"), its = span_str("of another");
        uint8_t one[16], again[16], other[16], elsewhere[16];
        struct device device = {.folder = home, .user = "default", .code = CODE_ASKED};
        json_t *key = NULL;

        ck_ok(device_key(&key, &device, &e));
        ck_ok(device_claim(one, key, own, "a", &e));
        ck_ok(device_claim(again, key, own, "a", &e));
        ck_ok(device_claim(other, key, own, "b", &e));
        ck_ok(device_claim(elsewhere, key, its, "a", &e)); /* with the same key, exported */
        ck_assert_mem_eq(one, again, sizeof(one));
        ck_assert_mem_ne(one, other, sizeof(one));
        ck_assert_mem_ne(one, elsewhere, sizeof(one));
        device_free(&device);
    }
END_TEST

/* ---- authorities ---- */

START_TEST(authorities_are_those_that_were_added)
    {
        struct authorities all = {0};
        struct authority added;
        char path[512], print[AUTHORITY_PRINT];

        snprintf(path, sizeof(path), "%s/theirs/ca.pem", dir);
        ck_ok(authority_add(&added, home, path, &e));
        ck_assert_str_eq(added.name, "theirs");
        ck_assert_int_eq(authority_add(&added, home, path, &e), TP_ERR_EXISTS);
        ck_ok(authorities_load(&all, home, &e));
        ck_assert_uint_eq(all.n, 2);
        ck_assert_ptr_nonnull(authority_find(&all, added.fingerprint));
        ck_assert_ptr_null(authority_find(&all, "00"));
        authorities_free(&all);
        strcpy(print, added.fingerprint);
        print[7] = '\0';
        ck_assert_int_eq(authority_remove(home, print, &e), TP_ERR_NOT_FOUND);
        print[7] = added.fingerprint[7];
        print[10] = '\0';
        ck_ok(authority_remove(home, print, &e));
        ck_assert_int_eq(authority_remove(home, print, &e), TP_ERR_NOT_FOUND);
        /* one that was put in the place of another is none */
        snprintf(path, sizeof(path), "cp %s/theirs/ca.pem %s/authorities/%s.pem", dir, home,
                 trusted.list[0].fingerprint);
        ck_assert_int_eq(system(path), 0);
        ck_assert_int_eq(authorities_load(&all, home, &e), TP_ERR_SECURITY);
        authorities_free(&all);
    }
END_TEST

START_TEST(the_users_folder)
    {
        char out[PATH_MAX], wanted[PATH_MAX];

        ck_ok(home_path(out, "/given", &e));
        ck_assert_str_eq(out, "/given");
        setenv("XDG_CONFIG_HOME", "/config", 1);
        ck_ok(home_path(out, NULL, &e));
        ck_assert_str_eq(out, "/config/telepay");
        setenv("XDG_CONFIG_HOME", "relative", 1);
        setenv("HOME", "/home/marie", 1);
        ck_ok(home_path(out, NULL, &e));
        ck_assert_str_eq(out, "/home/marie/.config/telepay");
        unsetenv("HOME");
        ck_assert_int_eq(home_path(out, NULL, &e), TP_ERR_USAGE);
        ck_assert_int_eq(home_path(out, "", &e), TP_ERR_USAGE);
        snprintf(wanted, sizeof(wanted), "%s/new", home);
        ck_ok(home_open(out, wanted, &e));
        ck_assert_int_eq(access(wanted, F_OK), 0);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("demand");
    TCase *t = tcase_create("demand");

    tcase_add_checked_fixture(t, make, drop);
    tcase_add_test(t, a_demand_is_taken);
    tcase_add_test(t, forged_demands_are_refused);
    tcase_add_test(t, orders_that_may_not_be_paid);
    tcase_add_test(t, a_demand_is_for_what_was_asked);
    tcase_add_test(t, offers_that_can_be_paid);
    tcase_add_test(t, the_plan_chooses_among_what_is_offered);
    tcase_add_test(t, parameters_are_the_acquirers_and_grow);
    tcase_add_test(t, parameters_of_another_kind);
    tcase_add_test(t, the_terminal_is_the_orders);
    tcase_add_test(t, the_credential_is_sealed_and_echoes_the_challenge);
    tcase_add_test(t, a_purse_is_paid_by_its_statement_alone);
    tcase_add_test(t, the_device_signs_what_the_card_does_not);
    tcase_add_test(t, a_claim_is_the_devices_own);
    tcase_add_test(t, authorities_are_those_that_were_added);
    tcase_add_test(t, the_users_folder);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
