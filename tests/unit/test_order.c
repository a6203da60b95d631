/* Orders, acknowledgements, what is sealed, and the proof: made, read, and forged. */
#include "unit.h"

#include <stdio.h>

#include "base/base64.h"
#include "base/date.h"
#include "order/proof.h"
#include "order/sealed.h"

#define CONTRACT "000000000000123"
#define HASH     "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
#define COUNT(t) (sizeof(t) / sizeof((t)[0]))

static char dir[] = "/tmp/test_order.XXXXXX";
static struct order_authority *ours, *theirs;
static struct order_key order_key, stranger_key, other_key, sealing_key, ack_key;
static char issued[TIME_TEXT_MAX], until[TIME_TEXT_MAX];
static time_t now;

static void give(struct order_key *out, const char *authority, enum pki_role role,
                 const char *organisation, const char *name)
{
    const struct pki_subject subject = {organisation, name, NULL};
    char from[64], cert[80], key[80];
    struct tp_error e = {0};

    snprintf(from, sizeof(from), "%s/%s", dir, authority);
    snprintf(cert, sizeof(cert), "%s/%d.pem", from, (int)role);
    snprintf(key, sizeof(key), "%s/%d.key", from, (int)role);
    ck_assert_msg(pki_certificate_make(from, role, &subject, 365, cert, key, &e) == TP_OK, "%s",
                  e.text);
    ck_assert_msg(order_key_load(out, cert, key, &e) == TP_OK, "%s", e.text);
}

static void authority(struct order_authority **out, const char *name)
{
    char path[80];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    ck_ok(pki_authority_make(path, name, NULL));
    snprintf(path, sizeof(path), "%s/%s/ca.pem", dir, name);
    ck_ok(order_authority_load(out, path, NULL));
}

static void make(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    authority(&ours, "ours");
    authority(&theirs, "theirs");
    give(&other_key, "ours", PKI_ORDER, "000000000000999", "other");
    give(&order_key, "ours", PKI_ORDER, CONTRACT, "mediator");
    give(&sealing_key, "ours", PKI_SEALING, NULL, "ACQ1");
    give(&ack_key, "ours", PKI_ACKNOWLEDGEMENT, NULL, "ACQ1");
    give(&stranger_key, "theirs", PKI_ORDER, CONTRACT, "mediator");
    now = time(NULL);
    time_format_utc(issued, now);
    time_format_utc(until, now + 300);
}

static void drop(void)
{
    char command[80];

    for (struct order_key *const *k =
             (struct order_key *const[]){&order_key, &stranger_key, &other_key, &sealing_key,
                                         &ack_key, NULL};
         *k != NULL; k++)
        order_key_free(*k);
    order_authority_free(&ours);
    order_authority_free(&theirs);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static struct order sample(void)
{
    return (struct order){
        .id = "abcdefghijklmnopqrstuvwxyz",
        .contract = CONTRACT,
        .merchant = "Le Journal",
        .item = "Article 1",
        .amount = "150",
        .currency = "eur",
        .delivery = "network",
        .quote = HASH,
        .nonce = "AAAAAAAAAAAAAAAAAAAAAA",
        .issued = issued,
        .valid_until = until,
        .return_to = "https://m.example/orders/abc",
        .terminal = "00000001",
        .stan = "000001",
        .date = "20261128",
        .time = "235959",
        .country = "250",
        .mcc = "5994",
        .acquirer = "ACQ1",
        .method = "GET",
        .url = "https://m.example/s/journal/1",
        .means = {{"emv", "5000"}},
        .n_means = 1,
    };
}

static char *order_text(void)
{
    const struct order o = sample();
    char *jws = NULL;
    struct tp_error e = {0};

    ck_assert_msg(order_write(&jws, &o, &order_key, &e) == TP_OK, "%s", e.text);
    return jws;
}

static enum tp_err read_at(const char *jws, const struct order_authority *a, time_t at)
{
    struct order o = {0};
    const enum tp_err r = order_read(&o, jws, a, at, NULL);

    order_free(&o);
    return r;
}

START_TEST(order_is_read_as_written)
    {
        struct order o = {0};
        char *jws = order_text();
        struct tp_error e = {0};

        ck_assert_msg(order_read(&o, jws, ours, now, &e) == TP_OK, "%s", e.text);
        ck_assert_str_eq(o.id, sample().id);
        ck_assert_str_eq(o.mediator, "mediator");
        ck_assert_str_eq(o.url, sample().url);
        ck_assert_ptr_null(o.digest);
        ck_assert_uint_eq(o.n_means, 1);
        ck_assert_str_eq(o.means[0].ceiling, "5000");
        order_free(&o);
        free(jws);
    }
END_TEST

START_TEST(order_has_its_time)
    {
        char *jws = order_text();

        ck_ok(read_at(jws, ours, now - ORDER_GRACE));
        ck_assert_int_eq(read_at(jws, ours, now - ORDER_GRACE - 1), TP_ERR_TIMEOUT);
        ck_ok(read_at(jws, ours, now + 300 + ORDER_GRACE));
        ck_assert_int_eq(read_at(jws, ours, now + 300 + ORDER_GRACE + 1), TP_ERR_TIMEOUT);
        /* beyond the certificate's 365 days it is nobody's */
        ck_assert_int_eq(read_at(jws, ours, now + 366 * 86400L), TP_ERR_SECURITY);
        free(jws);
    }
END_TEST

START_TEST(order_is_of_the_right_key)
    {
        const struct order_key *const wrong[] = {&stranger_key, &other_key, &sealing_key, &ack_key};
        const struct order o = sample();

        for (size_t i = 0; i < COUNT(wrong); i++) {
            char *jws = NULL;

            ck_ok(order_write(&jws, &o, wrong[i], NULL));
            ck_assert_int_eq(read_at(jws, ours, now), TP_ERR_SECURITY);
            free(jws);
        }
        char *jws = order_text();
        /* somebody else's signature under a good certificate */
        struct order_key mixed = {stranger_key.jwk, order_key.x5c};
        char *forged = NULL;

        ck_assert_int_eq(read_at(jws, theirs, now), TP_ERR_SECURITY);
        ck_ok(order_write(&forged, &o, &mixed, NULL));
        ck_assert_int_eq(read_at(forged, ours, now), TP_ERR_SECURITY);
        free(forged);
        free(jws);
    }
END_TEST

/* The payload of a good order with one member set (NULL: taken out), signed with the right key. */
static char *with_member(const char *name, const char *json)
{
    struct token t = {0};
    char *good = order_text(), *jws = NULL;

    ck_ok(token_read(&t, good, ORDER_TYPE, NULL));
    if (json == NULL)
        ck_assert_int_eq(json_object_del(t.payload, name), 0);
    else
        ck_assert_int_eq(
            json_object_set_new(t.payload, name, json_loads(json, JSON_DECODE_ANY, NULL)), 0);
    ck_ok(token_sign(&jws, t.payload, ORDER_TYPE, &order_key, NULL));
    token_free(&t);
    free(good);
    return jws;
}

START_TEST(order_has_every_member_right)
    {
        static const char *const wrong[][2] = {
            {"version", "2"},
            {"version", "\"1\""},
            {"version", "1.5"},
            {"order", "\"ABCDEFGHIJKLMNOPQRSTUVWXYZ\""},
            {"order", "\"abc\""},
            {"contract", "\"123\""},
            {"merchant", "\"\""},
            {"merchant", "\"a\\u0007b\""},
            {"item", "\"\""},
            {"item", "7"},
            {"amount", "150"},
            {"amount", "\"0\""},
            {"amount", "\"0150\""},
            {"amount", "\"-1\""},
            {"amount", "\"1000000000000\""},
            {"currency", "\"EUR\""},
            {"currency", "\"xxq\""},
            {"delivery", "\"soon\""},
            {"delivery", "\"stream\""}, /* for how long? */
            {"per", "\"10\""},          /* of no stream */
            {"quote", "\"AAAA\""},
            {"nonce", "\"AAAA\""},
            {"issued", "\"2026-11-28T10:00:00+01:00\""},
            {"issued", "\"2000-01-01T00:00:00Z\""}, /* valid for years */
            {"valid_until", "\"2000-01-01T00:00:00Z\""},
            {"valid_until", "\"tomorrow\""},
            {"return", "\"javascript:alert(1)\""},
            {"return", "\"https://m.example/a b\""},
            {"terminal", "\"1\""},
            {"stan", "\"00000a\""},
            {"date", "\"20260230\""},
            {"time", "\"240000\""},
            {"time", "\"236000\""},
            {"country", "\"FR\""},
            {"country", "\"1250\""},
            {"mcc", "\"599\""},
            {"acquirer", "\"12345678901234567\""},
            {"means", "[]"},
            {"means", "{}"},
            {"means", "[{\"name\":\"emv\"}]"},
            {"means", "[{\"name\":\"emv\",\"ceiling\":\"1\",\"more\":1}]"},
            {"means",
             "[{\"name\":\"emv\",\"ceiling\":\"1\"},{\"name\":\"emv\",\"ceiling\":\"2\"}]"},
            {"resource", "[]"},
            {"resource", "{\"method\":\"GET\"}"},
            {"resource", "{\"method\":\"get\",\"url\":\"https://a/\"}"},
            {"resource", "{\"method\":\"GET\",\"url\":\"ftp://a/\"}"},
            {"resource", "{\"method\":\"GET\",\"url\":\"https://a/\",\"digest\":\"x\"}"},
            {"resource", "{\"method\":\"GET\",\"url\":\"https://a/\",\"more\":\"x\"}"},
            {"surprise", "\"x\""},
        };
        static const char *const needed[] = {
            "version",  "order",    "contract",    "merchant", "item",     "amount",
            "currency", "delivery", "quote",       "nonce",    "issued",   "date",
            "time",     "stan",     "valid_until", "return",   "terminal", "acquirer",
            "means",    "country",  "mcc",         "resource"};

        for (size_t i = 0; i < COUNT(wrong); i++) {
            char *jws = with_member(wrong[i][0], wrong[i][1]);

            ck_assert_msg(read_at(jws, ours, now) == TP_ERR_FORMAT, "%s %s", wrong[i][0],
                          wrong[i][1]);
            free(jws);
        }
        for (size_t i = 0; i < COUNT(needed); i++) {
            char *jws = with_member(needed[i], NULL);

            ck_assert_msg(read_at(jws, ours, now) == TP_ERR_FORMAT, "%s", needed[i]);
            free(jws);
        }
    }
END_TEST

/* What a card is told is all there, or, where no card may pay, none of it. */
START_TEST(an_order_says_what_its_means_need)
    {
        static const size_t told[] = {
            offsetof(struct order, terminal), offsetof(struct order, stan),
            offsetof(struct order, date),     offsetof(struct order, time),
            offsetof(struct order, country),  offsetof(struct order, mcc)};
        struct order o = sample(), back = {0};
        struct tp_error e = {0};
        char *jws = NULL;

        o.terminal = o.stan = o.date = o.time = o.country = o.mcc = NULL;
        ck_assert_int_eq(order_write(&jws, &o, &order_key, &e), TP_ERR_FORMAT);
        o.means[0].name = "purse";
        ck_ok(order_write(&jws, &o, &order_key, &e));
        ck_assert_msg(order_read(&back, jws, ours, now, &e) == TP_OK, "%s", e.text);
        ck_assert_ptr_null(back.stan);
        ck_assert_ptr_null(back.country);
        order_free(&back);
        free(jws);
        for (size_t i = 0; i < COUNT(told); i++)
            for (size_t means = 1; means <= 2; means++) {
                o = sample();
                o.means[0].name = "purse";
                o.means[1] = (struct order_means){"emv", "1"};
                o.n_means = means;
                *(const char **)(void *)((char *)&o + told[i]) = NULL;
                ck_assert_int_eq(order_write(&jws, &o, &order_key, &e), TP_ERR_FORMAT);
            }
        jws = with_member("stan", NULL);
        ck_assert_int_eq(read_at(jws, ours, now), TP_ERR_FORMAT);
        free(jws);
    }
END_TEST

START_TEST(order_is_not_written_wrong)
    {
        struct order o = sample();
        char *jws = NULL;

        o.amount = "0";
        ck_assert_int_eq(order_write(&jws, &o, &order_key, NULL), TP_ERR_FORMAT);
        o = sample();
        o.item = NULL;
        ck_assert_int_eq(order_write(&jws, &o, &order_key, NULL), TP_ERR_FORMAT);
        o = sample();
        o.n_means = 0;
        ck_assert_int_eq(order_write(&jws, &o, &order_key, NULL), TP_ERR_FORMAT);
        ck_assert_ptr_null(jws);
    }
END_TEST

/* Puts another header before what follows the first dot. */
static char *with_header(const char *text, const char *header)
{
    char *encoded = malloc(BASE64URL_SIZE(strlen(header))), *out = NULL;

    ck_assert_ptr_nonnull(encoded);
    base64url_encode(encoded, span_str(header));
    ck_assert_int_gt(asprintf(&out, "%s%s", encoded, strchr(text, '.')), 0);
    free(encoded);
    return out;
}

START_TEST(token_has_one_form)
    {
        static const char *const headers[] = {
            "{\"alg\":\"none\",\"typ\":\"telepay-order\",\"x5c\":[\"%s\"]}",
            "{\"alg\":\"HS256\",\"typ\":\"telepay-order\",\"x5c\":[\"%s\"]}",
            "{\"alg\":\"ES512\",\"typ\":\"telepay-order\",\"x5c\":[\"%s\"]}",
            "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"x5c\":[\"%s\"]}",
            "{\"alg\":\"ES256\",\"x5c\":[\"%s\"]}",
            "{\"alg\":\"ES256\",\"typ\":\"telepay-order\"}",
            "{\"alg\":\"ES256\",\"typ\":\"telepay-order\",\"x5c\":[\"%s\"],\"crit\":[\"exp\"]}",
            "{\"alg\":\"ES256\",\"typ\":\"telepay-order\",\"x5c\":[\"%s\"],\"jwk\":{}}",
            "{\"alg\":\"ES256\",\"typ\":\"telepay-order\",\"x5c\":[\"%s\"],\"b64\":false}",
            "{\"alg\":\"none\",\"alg\":\"ES256\",\"typ\":\"telepay-order\",\"x5c\":[\"%s\"]}",
            "{\"alg\":\"ES256\",\"typ\":\"telepay-order\",\"x5c\":\"%s\"}",
            "{\"alg\":\"ES256\",\"typ\":\"telepay-order\",\"x5c\":[\"%s\",\"AAAA\"]}",
            "{\"alg\":\"ES256\",\"typ\":\"telepay-order\",\"x5c\":[]}",
            "{\"alg\":\"ES256\",\"typ\":\"telepay-order\",\"x5c\":[\"AAAA%.0s\"]}",
            "[]",
            "",
        };
        const char *certificate = json_string_value(json_array_get(order_key.x5c, 0));
        char *good = order_text(), header[CERTIFICATE_MAX];

        for (size_t i = 0; i < COUNT(headers); i++) {
            const char *mark = strstr(headers[i], "%");

            if (mark == NULL)
                snprintf(header, sizeof(header), "%s", headers[i]);
            else
                snprintf(header, sizeof(header), "%.*s%s%s", (int)(mark - headers[i]), headers[i],
                         mark[1] == 's' ? certificate : "", mark + (mark[1] == 's' ? 2 : 4));
            char *bad = with_header(good, header);

            ck_assert_msg(read_at(bad, ours, now) == TP_ERR_FORMAT, "%s", headers[i]);
            free(bad);
        }
        free(good);
    }
END_TEST

START_TEST(token_is_compact_and_whole)
    {
        char *good = order_text(), *bad = NULL, *big = malloc(TOKEN_MAX + 2);
        char *const signature = strrchr(good, '.') + 1;

        ck_assert_ptr_nonnull(big);
        ck_assert_int_eq(read_at("", ours, now), TP_ERR_FORMAT);
        ck_assert_int_eq(read_at("..", ours, now), TP_ERR_FORMAT);
        ck_assert_int_eq(read_at("{\"payload\":\"\",\"signatures\":[]}", ours, now), TP_ERR_FORMAT);
        memset(big, 'A', TOKEN_MAX + 1);
        big[TOKEN_MAX + 1] = '\0';
        ck_assert_int_eq(read_at(big, ours, now), TP_ERR_RANGE);
        for (const char *const *tail = (const char *const[]){"=", ".", "A", " ", NULL};
             *tail != NULL; tail++) {
            ck_assert_int_gt(asprintf(&bad, "%s%s", good, *tail), 0);
            ck_assert_int_eq(read_at(bad, ours, now), TP_ERR_FORMAT);
            free(bad);
        }
        signature[0] = signature[0] == 'A' ? 'B' : 'A';
        ck_assert_int_eq(read_at(good, ours, now), TP_ERR_SECURITY);
        free(good);
        free(big);
    }
END_TEST

START_TEST(request_says_what_the_order_says)
    {
        const struct order o = sample();
        const struct payment_charge good = {.amount = "150",
                                            .currency = "eur",
                                            .recipient = CONTRACT,
                                            .external_id = sample().id,
                                            .description = "Article 1"};
        struct payment_charge c = good;

        ck_ok(order_agrees(&o, &c, NULL));
        c.description = NULL;
        ck_ok(order_agrees(&o, &c, NULL));
        c.description = "Article 2";
        ck_assert_int_eq(order_agrees(&o, &c, NULL), TP_ERR_SECURITY);
        c = good;
        c.amount = "15";
        ck_assert_int_eq(order_agrees(&o, &c, NULL), TP_ERR_SECURITY);
        c = good;
        c.currency = "usd";
        ck_assert_int_eq(order_agrees(&o, &c, NULL), TP_ERR_SECURITY);
        c = good;
        c.recipient = NULL;
        ck_assert_int_eq(order_agrees(&o, &c, NULL), TP_ERR_SECURITY);
        c = good;
        c.external_id = "zbcdefghijklmnopqrstuvwxyz";
        ck_assert_int_eq(order_agrees(&o, &c, NULL), TP_ERR_SECURITY);
    }
END_TEST

/* ---- sealed ---- */

static char *seal(const json_t *to)
{
    json_t *payload = json_pack("{s:s}", "message", "AgA");
    char *jwe = NULL;
    struct tp_error e = {0};

    ck_assert_msg(sealed_write(&jwe, payload, SEALED_TRANSACTION, to, &e) == TP_OK, "%s", e.text);
    json_decref(payload);
    return jwe;
}

static enum tp_err open_with(const char *jwe, const json_t *key)
{
    json_t *out = NULL;
    const enum tp_err r = sealed_read(&out, jwe, SEALED_TRANSACTION, key, NULL);

    ck_assert(r == TP_OK || out == NULL);
    json_decref(out);
    return r;
}

/* A certificate that was found good is remembered: for its role, its time and its authority alone.
 */
START_TEST(good_is_good_for_that_alone)
    {
        const time_t century = (time_t)36525 * 86400;
        struct order_holder first = {0}, again = {0};

        ck_ok(order_holder_read(&first, ours, sealing_key.x5c, PKI_SEALING, now, NULL));
        ck_ok(order_holder_read(&again, ours, sealing_key.x5c, PKI_SEALING, now, NULL));
        ck_assert_str_eq(again.common_name, first.common_name);
        ck_assert_str_eq(again.organisation, first.organisation);
        ck_assert(json_equal(again.jwk, first.jwk) && again.jwk != first.jwk);
        order_holder_free(&first);
        order_holder_free(&again);
        const struct {
            const struct order_authority *authority;
            enum pki_role role;
            time_t at;
        } others[] = {{ours, PKI_ORDER, now},
                      {ours, PKI_SEALING, now + century},
                      {ours, PKI_SEALING, now - century},
                      {theirs, PKI_SEALING, now}};

        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
            ck_assert_int_eq(order_holder_read(&again, others[i].authority, sealing_key.x5c,
                                               others[i].role, others[i].at, NULL),
                             TP_ERR_SECURITY);
            order_holder_free(&again);
        }
    }
END_TEST

START_TEST(sealed_is_opened_by_its_key_alone)
    {
        struct order_holder acquirer = {0};
        json_t *once = NULL, *public = NULL, *opened = NULL;
        struct tp_error e = {0};

        ck_ok(order_holder_read(&acquirer, ours, sealing_key.x5c, PKI_SEALING, now, NULL));
        ck_assert_str_eq(acquirer.common_name, "ACQ1");
        char *jwe = seal(acquirer.jwk);

        ck_assert_msg(sealed_read(&opened, jwe, SEALED_TRANSACTION, sealing_key.jwk, &e) == TP_OK,
                      "%s", e.text);
        ck_assert_str_eq(json_string_value(json_object_get(opened, "message")), "AgA");
        json_decref(opened);
        ck_assert_int_eq(open_with(jwe, ack_key.jwk), TP_ERR_SECURITY);
        ck_assert_int_eq(sealed_read(&opened, jwe, SEALED_ANSWER, sealing_key.jwk, NULL),
                         TP_ERR_FORMAT);
        free(jwe);
        ck_ok(sealed_answer_key(&once, NULL));
        ck_ok(sealed_public_key(&public, once, NULL));
        ck_assert_ptr_null(json_object_get(public, "d"));
        jwe = seal(public);
        ck_ok(open_with(jwe, once));
        free(jwe);
        /* a private key is none to seal to */
        json_t *payload = json_object();

        ck_assert_int_eq(sealed_write(&jwe, payload, SEALED_ANSWER, once, NULL), TP_ERR_FORMAT);
        json_decref(payload);
        json_decref(once);
        json_decref(public);
        order_holder_free(&acquirer);
    }
END_TEST

START_TEST(sealed_may_not_change)
    {
        json_t *once = NULL, *public = NULL;

        ck_ok(sealed_answer_key(&once, NULL));
        ck_ok(sealed_public_key(&public, once, NULL));
        char *jwe = seal(public);

        /* one character of iv, ciphertext and tag */
        for (char *dot = strstr(jwe, "..") + 1; dot != NULL; dot = strchr(dot + 1, '.')) {
            const char was = dot[1];

            dot[1] = was == 'A' ? 'B' : 'A';
            ck_assert_int_eq(open_with(jwe, once), TP_ERR_SECURITY);
            dot[1] = was;
        }
        ck_ok(open_with(jwe, once));
        free(jwe);
        json_decref(once);
        json_decref(public);
    }
END_TEST

START_TEST(sealed_has_one_form)
    {
#define EPK                                                                                        \
    "\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"                                             \
    "\"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0"                                                \
    "\",\"y\":\"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps\"}"
#define TYP "\"typ\":\"telepay-transaction\""
        static const struct {
            const char *header;
            enum tp_err r;
        } headers[] = {
            {"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\"," TYP "," EPK "}", TP_ERR_SECURITY},
            {"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\"," TYP "," EPK ",\"zip\":\"DEF\"}",
             TP_ERR_FORMAT},
            {"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\"," TYP "," EPK ",\"crit\":[]}",
             TP_ERR_FORMAT},
            {"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\"," TYP "," EPK ",\"apu\":\"QQ\"}",
             TP_ERR_FORMAT},
            {"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\"," TYP "}", TP_ERR_FORMAT},
            {"{\"alg\":\"dir\",\"enc\":\"A256GCM\"," TYP "," EPK "}", TP_ERR_FORMAT},
            {"{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\"," TYP "," EPK "}", TP_ERR_FORMAT},
            {"{\"alg\":\"ECDH-ES\",\"enc\":\"A128GCM\"," TYP "," EPK "}", TP_ERR_FORMAT},
            {"{\"alg\":\"ECDH-ES\",\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\"," TYP "," EPK "}",
             TP_ERR_FORMAT},
            /* a point that is not on the curve */
            {"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\"," TYP ",\"epk\":{\"kty\":\"EC\",\"crv\":"
             "\"P-256\",\"x\":\"" HASH "\",\"y\":\"" HASH "\"}}",
             TP_ERR_SECURITY},
        };
        json_t *once = NULL, *public = NULL;

        ck_ok(sealed_answer_key(&once, NULL));
        ck_ok(sealed_public_key(&public, once, NULL));
        char *jwe = seal(public), *bad = NULL, *big = malloc(SEALED_MAX + 2);

        for (size_t i = 0; i < COUNT(headers); i++) {
            bad = with_header(jwe, headers[i].header);
            ck_assert_msg(open_with(bad, once) == headers[i].r, "%s", headers[i].header);
            free(bad);
        }
        for (const char *const *tail = (const char *const[]){".", "A", "=", ".AAAA", NULL};
             *tail != NULL; tail++) {
            ck_assert_int_gt(asprintf(&bad, "%s%s", jwe, *tail), 0);
            ck_assert_int_eq(open_with(bad, once), TP_ERR_FORMAT);
            free(bad);
        }
        ck_assert_int_eq(open_with("", once), TP_ERR_FORMAT);
        ck_assert_int_eq(open_with("{\"ciphertext\":\"\",\"recipients\":[]}", once), TP_ERR_FORMAT);
        ck_assert_ptr_nonnull(big);
        memset(big, 'A', SEALED_MAX + 1);
        big[SEALED_MAX + 1] = '\0';
        ck_assert_int_eq(open_with(big, once), TP_ERR_RANGE);
        free(big);
        free(jwe);
        json_decref(once);
        json_decref(public);
    }
END_TEST

/* ---- acknowledgement and proof ---- */

struct paid {
    char *order, *request;
    struct payment_challenge challenge;
    char r[BASE64URL_SIZE(PAYMENT_R)];
    struct acknowledgement a;
};

static void pay(struct paid *p)
{
    struct payment_charge c = {
        .amount = "150", .currency = "eur", .recipient = CONTRACT, .external_id = sample().id};
    uint8_t r[PAYMENT_R];

    p->order = order_text();
    c.method_details = json_pack("{s:s}", "order", p->order);
    ck_ok(payment_charge_write(&p->request, &c, NULL));
    json_decref(c.method_details);
    p->challenge = (struct payment_challenge){.id = HASH,
                                              .realm = "m.example",
                                              .method = "emv",
                                              .intent = "charge",
                                              .request = p->request};
    ck_ok(payment_challenge_r(r, &p->challenge, NULL));
    p->a = (struct acknowledgement){.r = base64url_encode(p->r, SPAN_OF(r)),
                                    .order = sample().id,
                                    .contract = CONTRACT,
                                    .amount = "150",
                                    .currency = "eur",
                                    .reference = "633300000001",
                                    .code = "00",
                                    .outcome = "acknowledged",
                                    .at = issued};
}

static void unpay(struct paid *p)
{
    free(p->order);
    free(p->request);
}

static enum tp_err prove(const struct paid *p, const struct order_key *key)
{
    struct order_proof proof = {0};
    char *jws = NULL;
    struct tp_error e = {0};

    ck_assert_msg(acknowledgement_write(&jws, &p->a, key, &e) == TP_OK, "%s", e.text);
    const enum tp_err r = order_proof_read(&proof, &p->challenge, jws, ours, NULL);

    order_proof_free(&proof);
    free(jws);
    return r;
}

START_TEST(proof_holds)
    {
        struct paid p;
        struct acknowledgement a = {0};
        char *jws = NULL;

        pay(&p);
        ck_ok(prove(&p, &ack_key));
        ck_ok(acknowledgement_write(&jws, &p.a, &ack_key, NULL));
        ck_ok(acknowledgement_read(&a, jws, ours, NULL));
        ck_assert(acknowledgement_is_positive(&a));
        ck_assert_str_eq(a.acquirer, "ACQ1");
        acknowledgement_free(&a);
        /* one kind of statement is not taken for the other */
        ck_assert_int_eq(read_at(jws, ours, now), TP_ERR_FORMAT);
        free(jws);
        p.a.outcome = "refused";
        p.a.code = "51";
        p.a.reason = "declined";
        p.a.reference = NULL;
        ck_ok(prove(&p, &ack_key));
        unpay(&p);
    }
END_TEST

START_TEST(proof_of_another_payment_fails)
    {
        struct paid p;
        char late[TIME_TEXT_MAX];

        pay(&p);
        const struct acknowledgement good = p.a;

#define WRONG(member, value, code)                                                                 \
    do {                                                                                           \
        p.a = good;                                                                                \
        p.a.member = (value);                                                                      \
        ck_assert_int_eq(prove(&p, &ack_key), (code));                                             \
    } while (0)
        WRONG(r, HASH, TP_ERR_SECURITY);
        WRONG(order, "zbcdefghijklmnopqrstuvwxyz", TP_ERR_SECURITY);
        WRONG(contract, "000000000000999", TP_ERR_SECURITY);
        WRONG(amount, "15", TP_ERR_SECURITY);
        WRONG(currency, "usd", TP_ERR_SECURITY);
        WRONG(at, time_format_utc(late, now + 3600), TP_ERR_TIMEOUT);
        p.a = good;
        ck_assert_int_eq(prove(&p, &order_key), TP_ERR_SECURITY);
        ck_assert_int_eq(prove(&p, &sealing_key), TP_ERR_SECURITY);
        p.challenge.realm = "elsewhere.example";
        ck_assert_int_eq(prove(&p, &ack_key), TP_ERR_SECURITY);
        unpay(&p);
    }
END_TEST

START_TEST(acknowledgement_is_not_written_wrong)
    {
        struct paid p;
        char *jws = NULL;

        pay(&p);
        const struct acknowledgement good = p.a;

#define REFUSED(member, value)                                                                     \
    do {                                                                                           \
        p.a = good;                                                                                \
        p.a.member = (value);                                                                      \
        ck_assert_int_eq(acknowledgement_write(&jws, &p.a, &ack_key, NULL), TP_ERR_FORMAT);        \
    } while (0)
        REFUSED(r, "x");
        REFUSED(order, "x");
        REFUSED(contract, NULL);
        REFUSED(amount, "0");
        REFUSED(currency, "EUR");
        REFUSED(reference, NULL);
        REFUSED(reference, "1");
        REFUSED(code, "51");
        REFUSED(code, "0");
        REFUSED(reason, "");
        REFUSED(outcome, "refused");
        REFUSED(outcome, "perhaps");
        REFUSED(at, "now");
        unpay(&p);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("order");
    TCase *c = tcase_create("order");

    tcase_add_unchecked_fixture(c, make, drop);
    tcase_add_test(c, order_is_read_as_written);
    tcase_add_test(c, order_has_its_time);
    tcase_add_test(c, order_is_of_the_right_key);
    tcase_add_test(c, order_has_every_member_right);
    tcase_add_test(c, an_order_says_what_its_means_need);
    tcase_add_test(c, order_is_not_written_wrong);
    tcase_add_test(c, token_has_one_form);
    tcase_add_test(c, token_is_compact_and_whole);
    tcase_add_test(c, request_says_what_the_order_says);
    tcase_add_test(c, sealed_is_opened_by_its_key_alone);
    tcase_add_test(c, sealed_may_not_change);
    tcase_add_test(c, sealed_has_one_form);
    tcase_add_test(c, proof_holds);
    tcase_add_test(c, good_is_good_for_that_alone);
    tcase_add_test(c, proof_of_another_payment_fails);
    tcase_add_test(c, acknowledgement_is_not_written_wrong);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
