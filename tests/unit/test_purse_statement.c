/* What a purse's key signs: Ed25519 against the vectors of RFC 8037 (appendix A) and RFC 8032, and
 * statements as they are written, read and forged. */
#include "unit.h"

#include <stdio.h>

#include "order/purse.h"

/* RFC 8037, A.1 to A.4. */
#define SECRET "9D61B19DEFFD5A60BA844AF492EC2CC44449C5697B326919703BAC031CAE7F60"
#define PUBLIC "D75A980182B10AB7D54BFED3C964073A0EE172F3DAA62325AF021A68F707511A"
#define NUMBER "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
#define INPUT  "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
#define SIGNED                                                                                     \
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
#define ORDER "abcdefghijklmnopqrstuvwxyz"
#define HASH  "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"

static const struct purse_statement sample = {
    .acquirer = "0123456789ABCDEF",
    .account = NUMBER,
    .next = HASH,
    .r = HASH,
    .order = ORDER,
    .amount = "150",
    .currency = "eur",
    .counter = "17",
};

static const enum purse_kind all[] = {PURSE_OPENING, PURSE_SUCCESSION, PURSE_PAYMENT};

static char *written(enum purse_kind kind, const struct purse_statement *s)
{
    char *jws = NULL;
    struct tp_error e = {TP_OK, ""};

    UNHEX(secret, SECRET);
    ck_assert_msg(purse_statement_write(&jws, kind, s, secret.p, &e) == TP_OK, "%s", e.text);
    return jws;
}

static enum tp_err read_again(enum purse_kind kind, const char *jws)
{
    struct purse_statement s;
    const enum tp_err r = purse_statement_read(&s, kind, jws, NULL);

    purse_statement_free(&s);
    return r;
}

START_TEST(rfc_8037)
    {
        uint8_t key[ED25519_KEY], signature[ED25519_SIGNATURE];
        char text[BASE64URL_SIZE(ED25519_SIGNATURE)], number[ED25519_TEXT];
        json_t *jwk;

        UNHEX(secret, SECRET);
        ck_ok(ed25519_public(key, secret.p, NULL));
        ck_hex(SPAN_OF(key), PUBLIC);
        ck_ok(ed25519_sign(signature, span_str(INPUT), secret.p, NULL));
        ck_assert_str_eq(base64url_encode(text, SPAN_OF(signature)), SIGNED);
        ck_ok(ed25519_verify(signature, span_str(INPUT), key, NULL));
        ck_assert_int_eq(ed25519_verify(signature, span_str(INPUT "."), key, NULL),
                         TP_ERR_SECURITY);
        jwk = ed25519_to_jwk(key);
        ck_assert_str_eq(json_string_value(json_object_get(jwk, "x")),
                         "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        ck_ok(ed25519_from_jwk(key, jwk, NULL));
        ck_hex(SPAN_OF(key), PUBLIC);
        json_object_set_new(jwk, "d", json_string("secret"));
        ck_assert_int_eq(ed25519_from_jwk(key, jwk, NULL), TP_ERR_FORMAT);
        json_decref(jwk);
        ck_ok(ed25519_thumbprint(number, key, NULL));
        ck_assert_str_eq(number, NUMBER);
    }
END_TEST

/* S + L is the same number to the curve: a second signature that nobody made (RFC 8032, 5.1.7). */
START_TEST(no_second_signature)
    {
        static const uint8_t order[] = {0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58,
                                        0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14,
                                        0,    0,    0,    0,    0,    0,    0,    0,
                                        0,    0,    0,    0,    0,    0,    0,    0x10};
        uint8_t key[ED25519_KEY], signature[ED25519_SIGNATURE];
        unsigned carry = 0;

        UNHEX(secret, SECRET);
        ck_ok(ed25519_public(key, secret.p, NULL));
        ck_ok(ed25519_sign(signature, span_str("text"), secret.p, NULL));
        for (size_t i = 0; i < sizeof(order); i++) {
            carry += signature[32 + i] + (unsigned)order[i];
            signature[32 + i] = (uint8_t)carry;
            carry >>= 8;
        }
        ck_assert_int_eq(ed25519_verify(signature, span_str("text"), key, NULL), TP_ERR_SECURITY);
    }
END_TEST

START_TEST(as_written)
    {
        for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++) {
            char *jws = written(all[k], &sample);
            struct purse_statement s;

            ck_ok(purse_statement_read(&s, all[k], jws, NULL));
            ck_hex(SPAN_OF(s.key), PUBLIC);
            ck_assert_ptr_eq(s.counter, all[k] == PURSE_PAYMENT
                                            ? json_string_value(json_object_get(s.owner, "counter"))
                                            : NULL);
            purse_statement_free(&s);
            for (size_t other = 0; other < sizeof(all) / sizeof(all[0]); other++)
                if (other != k) /* none passes for another */
                    ck_assert_int_eq(read_again(all[other], jws), TP_ERR_FORMAT);
            free(jws);
        }
    }
END_TEST

START_TEST(every_character_counts)
    {
        char *jws = written(PURSE_PAYMENT, &sample);
        const size_t n = strlen(jws);

        for (size_t i = 0; i < n; i++) {
            const char was = jws[i];

            jws[i] = was == 'A' ? 'B' : 'A';
            ck_assert_int_ne(read_again(PURSE_PAYMENT, jws), TP_OK);
            jws[i] = was;
        }
        jws[n - 1] = '\0';
        ck_assert_int_eq(read_again(PURSE_PAYMENT, jws), TP_ERR_FORMAT);
        ck_assert_int_eq(read_again(PURSE_PAYMENT, ""), TP_ERR_FORMAT);
        free(jws);
    }
END_TEST

START_TEST(members_have_their_forms)
    {
        static const struct {
            size_t member;
            const char *text;
        } rows[] = {
            {offsetof(struct purse_statement, account), "short"},
            {offsetof(struct purse_statement, r), "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuF"},
            {offsetof(struct purse_statement, order), "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
            {offsetof(struct purse_statement, amount), "0"},
            {offsetof(struct purse_statement, amount), "-1"},
            {offsetof(struct purse_statement, amount), "1000000000000"},
            {offsetof(struct purse_statement, currency), "EUR"},
            {offsetof(struct purse_statement, counter), "0"},
            {offsetof(struct purse_statement, counter), "017"},
            {offsetof(struct purse_statement, counter), NULL},
        };

        UNHEX(secret, SECRET);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct purse_statement s = sample;
            char *jws = NULL;

            *(const char **)(void *)((char *)&s + rows[i].member) = rows[i].text;
            ck_assert_int_eq(purse_statement_write(&jws, PURSE_PAYMENT, &s, secret.p, NULL),
                             TP_ERR_FORMAT);
            ck_assert_ptr_null(jws);
        }
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("purse_statement");
    TCase *t = tcase_create("purse_statement");

    tcase_add_test(t, rfc_8037);
    tcase_add_test(t, no_second_signature);
    tcase_add_test(t, as_written);
    tcase_add_test(t, every_character_counts);
    tcase_add_test(t, members_have_their_forms);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
