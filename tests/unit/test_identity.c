/* Who asks: names and sessions against values that Python worked out, changed ones, and requests in
 * the mediator's books, answered once. */
#include "mediator_fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "mediator/identity.h"
#include "mediator/quote.h"
#include "order/sealed.h"

/* SHA-256 of telepay-user-1|https://shop.example|thumbprint of the key of RFC 7515, A.3; HMAC under
 * 32 sevens of telepay-session-1|journal|NAME.UNTIL. */
#define NAME    "8tbHII-0XIZRpkQs-ogFQDIG2or56R1qHgDZtx7KZ2M"
#define UNTIL   1795953600
#define SESSION NAME ".1795953600.-tE66ial8NT6TE5U2oV3QTc_XM5dOE9jLgtjVkTsC5A"
#define ORIGIN  "https://shop.example"

/* The same of card:journal; and by card: SHA-256 of
 * telepay-card-user-1|https://shop.example|CARD. */
#define CARD_SESSION NAME ".1795953600.ExJRXI5WY-r1N9IqihHlD3IGMX8TNA5D62Tvq81tPI8"
#define CARD         "eedk_PL2hteOWye2KHtHtW6syUpf-uiNWuHSJJIp0LQ"
#define CARD_NAME    "cFnBqtWwsyn4m2fJyQGAqBAw7HD6Yz93yWk78uuczHM"

static const uint8_t mac_key[32] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
                                    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};

START_TEST(names_are_of_a_key_and_a_mediator)
    {
        json_t *key = json_pack("{s:s,s:s,s:s,s:s}", "kty", "EC", "crv", "P-256", "x",
                                "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y",
                                "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
        char name[LETTER_USER];

        ck_ok(letter_user(name, ORIGIN, key, NULL));
        ck_assert_str_eq(name, NAME);
        ck_ok(letter_user(name, ORIGIN ":8443", key, NULL));
        ck_assert_str_ne(name, NAME);
        ck_ok(letter_card_user(name, ORIGIN, CARD, NULL));
        ck_assert_str_eq(name, CARD_NAME);
        json_decref(key);
    }
END_TEST

START_TEST(sessions_are_of_a_service_and_a_time)
    {
        static const char *const none[] = {"",
                                           ".",
                                           "..",
                                           NAME,
                                           NAME ".1795953600",
                                           NAME ".1795953600.",
                                           SESSION "x",
                                           "x" SESSION,
                                           NAME ".99999999999999999999999999999999.abc"};
        const struct identity known = {.user = NAME}, by_card = {.user = NAME, .by_card = true};
        char session[PASS_TEXT];
        struct identity user = {.user = ""};
        const size_t n = strlen(SESSION);

        ck_ok(identity_session(session, SPAN_OF(mac_key), "journal", &by_card, UNTIL, NULL));
        ck_assert_str_eq(session, CARD_SESSION);
        ck_assert(identity_of_session(&user, SPAN_OF(mac_key), "journal", session, UNTIL - 1));
        ck_assert_str_eq(user.user, NAME);
        ck_assert(user.by_card);
        ck_ok(identity_session(session, SPAN_OF(mac_key), "journal", &known, UNTIL, NULL));
        ck_assert_str_eq(session, SESSION);
        ck_assert(identity_of_session(&user, SPAN_OF(mac_key), "journal", session, UNTIL - 1));
        ck_assert_str_eq(user.user, NAME);
        ck_assert(!user.by_card);
        ck_assert(!identity_of_session(&user, SPAN_OF(mac_key), "journal", session, UNTIL));
        ck_assert(!identity_of_session(&user, SPAN_OF(mac_key), "kiosk", session, UNTIL - 1));
        for (size_t i = 0; i < n; i++) {
            const char was = session[i];

            session[i] = was == 'A' ? 'B' : 'A';
            ck_assert(!identity_of_session(&user, SPAN_OF(mac_key), "journal", session, UNTIL - 1));
            session[i] = was;
        }
        for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
            ck_assert(!identity_of_session(&user, SPAN_OF(mac_key), "journal", none[i], 1));
    }
END_TEST

START_TEST(quotes_that_ask)
    {
        struct quote q;
        char text[300];

        ck_ok(quote_read(&q, span_str("{\"identify\":\"to show what you owe\"}"),
                         currency_by_alpha("EUR"), NULL));
        ck_assert_str_eq(q.identify, "to show what you owe");
        ck_assert(!q.by_card);
        quote_free(&q);
        ck_ok(quote_read(&q, span_str("{\"identify\":\"a vault\",\"identify_by\":\"card\"}"),
                         currency_by_alpha("EUR"), NULL));
        ck_assert(q.by_card);
        quote_free(&q);
        ck_assert_int_eq(quote_read(&q,
                                    span_str("{\"identify\":\"a vault\",\"identify_by\":\"face\"}"),
                                    currency_by_alpha("EUR"), NULL),
                         TP_ERR_FORMAT);
        quote_free(&q);
        snprintf(text, sizeof(text), "{\"identify\":\"%0201d\"}", 0);
        ck_assert_int_eq(quote_read(&q, span_str(text), currency_by_alpha("EUR"), NULL),
                         TP_ERR_FORMAT);
        quote_free(&q);
        ck_assert_int_eq(
            quote_read(&q, span_str("{\"identify\":true}"), currency_by_alpha("EUR"), NULL),
            TP_ERR_FORMAT);
        quote_free(&q);
        ck_assert_int_eq(
            quote_read(&q, span_str("{\"identify\":\"\"}"), currency_by_alpha("EUR"), NULL),
            TP_ERR_FORMAT);
        quote_free(&q);
    }
END_TEST

/* ---- requests ---- */

struct desk {
    struct mediator_fixture f;
    struct identity_request asked;
    json_t *key;
};

static void start(struct desk *d)
{
    fixture_start(&d->f);
    d->asked = (struct identity_request){.service = SERVICE,
                                         .reason = "to show what you owe",
                                         .url = ORIGIN "/s/journal/bills",
                                         .valid_until = 1600,
                                         .has_browser = true};
    challenge_order_id(d->asked.id);
    memset(d->asked.browser, 9, sizeof(d->asked.browser));
    ck_ok(identity_add(d->f.book, &d->asked, &d->f.e));
    ck_ok(sealed_answer_key(&d->key, NULL));
}

static void end(struct desk *d)
{
    json_decref(d->key);
    fixture_end(&d->f);
}

/* As the letter says; what it came to. */
static enum identity_finding answer(struct desk *d, struct letter l, const char *id, int64_t now)
{
    struct identity_request r;
    struct letter read;
    enum identity_finding finding;
    char *jws = NULL, at[TIME_TEXT_MAX];

    l.at = time_format_utc(at, now);
    ck_ok(letter_write_own(&jws, LETTER_IDENTITY, &l, d->key, &d->f.e));
    ck_ok(letter_read_own(&read, LETTER_IDENTITY, jws, &d->f.e));
    ck_ok(orderbook_begin(d->f.book, &d->f.e));
    ck_ok(identity_take(&finding, &r, &read, jws, id, d->f.book, ORIGIN, now, &d->f.e));
    ck_ok(orderbook_commit(d->f.book, &d->f.e));
    letter_free(&read);
    free(jws);
    return finding;
}

static struct letter of(const struct desk *d)
{
    return (struct letter){
        .mediator = ORIGIN, .request = d->asked.id, .service = SERVICE, .reason = d->asked.reason};
}

START_TEST(answered_once_and_as_it_was_asked)
    {
        struct desk d;
        struct letter other;
        struct identity_request r;
        bool found = false;

        start(&d);
        other = of(&d);
        other.mediator = "https://evil.example";
        ck_assert_int_eq(answer(&d, other, d.asked.id, 1100), IDENTITY_DIFFERS);
        other = of(&d);
        other.reason = "to send you a gift";
        ck_assert_int_eq(answer(&d, other, d.asked.id, 1100), IDENTITY_DIFFERS);
        other = of(&d);
        other.service = "kiosk";
        ck_assert_int_eq(answer(&d, other, d.asked.id, 1100), IDENTITY_DIFFERS);
        other = of(&d);
        other.request = "abcdefghijklmnopqrstuvwxyz";
        ck_assert_int_eq(answer(&d, other, d.asked.id, 1100), IDENTITY_DIFFERS);
        ck_assert_int_eq(answer(&d, other, other.request, 1100), IDENTITY_NONE);
        ck_assert_int_eq(answer(&d, of(&d), d.asked.id, 1601), IDENTITY_OVER);
        ck_assert_int_eq(answer(&d, of(&d), d.asked.id, 1600), IDENTITY_FINE);
        ck_assert_int_eq(answer(&d, of(&d), d.asked.id, 1600), IDENTITY_FINE); /* the same letter */
        ck_assert_int_eq(answer(&d, of(&d), d.asked.id, 1599), IDENTITY_OTHER);
        ck_ok(identity_get(d.f.book, d.asked.id, &r, &found, &d.f.e));
        ck_assert(found && r.answered && r.has_browser);
        ck_assert_uint_eq(strlen(r.who.user), LETTER_USER - 1);
        ck_assert_mem_eq(r.browser, d.asked.browser, sizeof(r.browser));
        end(&d);
    }
END_TEST

START_TEST(what_is_over_is_forgotten)
    {
        struct desk d;
        struct identity_request r;
        bool found = false;

        start(&d);
        ck_ok(identity_forget(d.f.book, 1600, &d.f.e));
        ck_ok(identity_get(d.f.book, d.asked.id, &r, &found, &d.f.e));
        ck_assert(found);
        ck_assert_int_eq(answer(&d, of(&d), d.asked.id, 1100), IDENTITY_FINE);
        ck_ok(identity_forget(d.f.book, 1600, &d.f.e));
        ck_ok(identity_get(d.f.book, d.asked.id, &r, &found, &d.f.e));
        ck_assert(found && r.answered);
        ck_ok(identity_forget(d.f.book, 1601, &d.f.e));
        ck_ok(identity_get(d.f.book, d.asked.id, &r, &found, &d.f.e));
        ck_assert(!found);
        challenge_order_id(d.asked.id);
        d.asked.has_browser = false;
        ck_ok(identity_add(d.f.book, &d.asked, &d.f.e));
        ck_ok(identity_forget(d.f.book, 1601, &d.f.e));
        ck_ok(identity_get(d.f.book, d.asked.id, &r, &found, &d.f.e));
        ck_assert(!found);
        end(&d);
    }
END_TEST

/* ---- by card ---- */

/* What the acquirer says of it, signed with that key. */
static char *card_letter(struct desk *d, const char *contract, const uint8_t request[LETTER_HASH],
                         const struct order_key *key)
{
    char answers[BASE64URL_SIZE(LETTER_HASH)], at[TIME_TEXT_MAX], *jws = NULL;
    const struct letter l = {.answers = base64url_encode(answers, span_of(request, LETTER_HASH)),
                             .contract = contract,
                             .user = CARD,
                             .at = time_format_utc(at, time(NULL))};

    ck_ok(letter_write(&jws, LETTER_CARD, &l, key, &d->f.e));
    return jws;
}

static enum tp_err reads(struct desk *d, char *jws, const uint8_t request[LETTER_HASH])
{
    char user[LETTER_USER] = "";
    const enum tp_err r = identity_card_read(
        user, jws, request, registry_acquirer(d->f.registry, ACQUIRER), CONTRACT, ORIGIN, &d->f.e);

    if (r == TP_OK)
        ck_assert_str_eq(user, CARD_NAME);
    free(jws);
    return r;
}

/* The key of one who acknowledges, certified by the folder's authority or one of another folder. */
static void acknowledger(struct order_key *key, const struct mediator_fixture *f, const char *name)
{
    const struct pki_subject subject = {NULL, name, NULL};
    char pki[PATH_MAX], cert[PATH_MAX], secret[PATH_MAX];

    snprintf(pki, sizeof(pki), "%s", fixture_path(f, "pki"));
    snprintf(cert, sizeof(cert), "%s", fixture_path(f, "said.pem"));
    snprintf(secret, sizeof(secret), "%s", fixture_path(f, "said.key"));
    ck_ok(pki_certificate_make(pki, PKI_ACKNOWLEDGEMENT, &subject, 30, cert, secret, NULL));
    ck_ok(order_key_load(key, cert, secret, NULL));
    remove(cert);
    remove(secret);
}

START_TEST(the_acquirer_alone_says_whose_card)
    {
        struct desk d, elsewhere;
        struct order_key key = {NULL, NULL}, other = {NULL, NULL}, foreign = {NULL, NULL};
        const struct reg_contract *c;
        uint8_t request[LETTER_HASH], again[LETTER_HASH];
        char *jws = NULL;

        start(&d);
        start(&elsewhere);
        acknowledger(&key, &d.f, ACQUIRER);
        acknowledger(&other, &d.f, "ACQ2");
        acknowledger(&foreign, &elsewhere.f, ACQUIRER);
        c = registry_contract(d.f.registry, CONTRACT);
        ck_ok(identity_card_request(&jws, request, &d.asked, c, ORIGIN, &d.f.e));
        free(jws);
        ck_ok(identity_card_request(&jws, again, &d.asked, c, ORIGIN, &d.f.e));
        ck_assert_mem_eq(request, again, sizeof(request)); /* another signature, and the same */
        ck_ok(reads(&d, card_letter(&d, CONTRACT, request, &key), request));
        ck_assert_int_eq(reads(&d, card_letter(&d, OTHER_CONTRACT, request, &key), request),
                         TP_ERR_SECURITY);
        again[0] ^= 1;
        ck_assert_int_eq(reads(&d, card_letter(&d, CONTRACT, again, &key), request),
                         TP_ERR_SECURITY);
        ck_assert_int_eq(reads(&d, card_letter(&d, CONTRACT, request, &other), request),
                         TP_ERR_SECURITY);
        ck_assert_int_eq(reads(&d, card_letter(&d, CONTRACT, request, &foreign), request),
                         TP_ERR_SECURITY);
        ck_assert_int_eq(reads(&d, card_letter(&d, CONTRACT, request, &c->key), request),
                         TP_ERR_SECURITY); /* a key for orders */
        ck_assert_int_ne(reads(&d, strdup(""), request), TP_OK);
        ck_assert_int_ne(reads(&d, jws, request), TP_OK); /* the request itself */
        order_key_free(&key);
        order_key_free(&other);
        order_key_free(&foreign);
        end(&elsewhere);
        end(&d);
    }
END_TEST

static enum identity_finding take_card(struct desk *d, struct identity_request *r,
                                       const struct identity_card *card, int64_t now)
{
    enum identity_finding finding = IDENTITY_NONE;

    ck_ok(orderbook_begin(d->f.book, &d->f.e));
    ck_ok(identity_take_card(&finding, r, card, d->asked.id, d->f.book, now, &d->f.e));
    ck_ok(orderbook_commit(d->f.book, &d->f.e));
    return finding;
}

START_TEST(a_card_answers_once)
    {
        struct identity_card sent = {.sealed = {1}}, known = {.sealed = {1}, .user = CARD_NAME},
                             other = {.sealed = {2}, .user = NAME};
        struct identity_request r;
        struct desk d;

        start(&d);
        ck_assert_int_eq(take_card(&d, &r, &sent, 1601), IDENTITY_OVER);
        ck_assert_int_eq(take_card(&d, &r, &sent, 1600), IDENTITY_FINE);
        ck_assert(!r.answered); /* nobody has said yet whose it is */
        ck_assert_int_eq(take_card(&d, &r, &known, 1600), IDENTITY_FINE);
        ck_assert(r.answered && r.who.by_card);
        ck_assert_str_eq(r.who.user, CARD_NAME);
        ck_assert_int_eq(take_card(&d, &r, &sent, 1600), IDENTITY_FINE);
        ck_assert(r.answered && r.who.by_card);
        ck_assert_str_eq(r.who.user, CARD_NAME);
        ck_assert_int_eq(take_card(&d, &r, &other, 1600), IDENTITY_OTHER);
        ck_assert_int_eq(answer(&d, of(&d), d.asked.id, 1600), IDENTITY_OTHER);
        challenge_order_id(d.asked.id);
        ck_assert_int_eq(take_card(&d, &r, &known, 1600), IDENTITY_NONE);
        d.asked.wants_card = true;
        ck_ok(identity_add(d.f.book, &d.asked, &d.f.e));
        ck_assert_int_eq(answer(&d, of(&d), d.asked.id, 1600), IDENTITY_BY_KEY);
        ck_assert_int_eq(take_card(&d, &r, &known, 1600), IDENTITY_FINE);
        ck_assert(r.wants_card && r.answered);
        end(&d);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("identity");
    TCase *t = tcase_create("identity");

    tcase_add_test(t, names_are_of_a_key_and_a_mediator);
    tcase_add_test(t, sessions_are_of_a_service_and_a_time);
    tcase_add_test(t, quotes_that_ask);
    tcase_add_test(t, answered_once_and_as_it_was_asked);
    tcase_add_test(t, what_is_over_is_forgotten);
    tcase_add_test(t, the_acquirer_alone_says_whose_card);
    tcase_add_test(t, a_card_answers_once);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
