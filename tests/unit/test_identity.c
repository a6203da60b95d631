/* Who asks: names and sessions against values that Python worked out, changed ones, and requests in
 * the mediator's books, answered once. */
#include "mediator_fixture.h"

#include <stdio.h>
#include <string.h>

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
        char session[IDENTITY_SESSION], user[LETTER_USER] = "";
        const size_t n = strlen(SESSION);

        ck_ok(identity_session(session, SPAN_OF(mac_key), "journal", NAME, UNTIL, NULL));
        ck_assert_str_eq(session, SESSION);
        ck_assert(identity_of_session(user, SPAN_OF(mac_key), "journal", session, UNTIL - 1));
        ck_assert_str_eq(user, NAME);
        ck_assert(!identity_of_session(user, SPAN_OF(mac_key), "journal", session, UNTIL));
        ck_assert(!identity_of_session(user, SPAN_OF(mac_key), "kiosk", session, UNTIL - 1));
        for (size_t i = 0; i < n; i++) {
            const char was = session[i];

            session[i] = was == 'A' ? 'B' : 'A';
            ck_assert(!identity_of_session(user, SPAN_OF(mac_key), "journal", session, UNTIL - 1));
            session[i] = was;
        }
        for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
            ck_assert(!identity_of_session(user, SPAN_OF(mac_key), "journal", none[i], 1));
    }
END_TEST

START_TEST(quotes_that_ask)
    {
        struct quote q;
        char text[300];

        ck_ok(quote_read(&q, span_str("{\"identify\":\"to show what you owe\"}"),
                         currency_by_alpha("EUR"), NULL));
        ck_assert_str_eq(q.identify, "to show what you owe");
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
        ck_assert_uint_eq(strlen(r.user), LETTER_USER - 1);
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

static Suite *suite(void)
{
    Suite *s = suite_create("identity");
    TCase *t = tcase_create("identity");

    tcase_add_test(t, names_are_of_a_key_and_a_mediator);
    tcase_add_test(t, sessions_are_of_a_service_and_a_time);
    tcase_add_test(t, quotes_that_ask);
    tcase_add_test(t, answered_once_and_as_it_was_asked);
    tcase_add_test(t, what_is_over_is_forgotten);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
