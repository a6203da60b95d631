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
#define COUNT(t) (sizeof(t) / sizeof((t)[0]))
#define ORDER    "abcdefghijklmnopqrstuvwxyz"
#define HASH     "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"

static const struct purse_statement sample = {
    .acquirer = "0123456789ABCDEF",
    .account = NUMBER,
    .next = HASH,
    .r = HASH,
    .order = ORDER,
    .amount = "150",
    .currency = "eur",
    .counter = "17",
    .at = "2026-11-29T14:00:00Z",
    .until = "2026-11-30T13:00:00Z",
    .iban = "FR7630006000011234567890189",
    .name = "Ana M\xC3\xBCller",
    .mediator = "shops",
    .session = "zyxwvutsrqponmlkjihgfedcba",
    .contract = "000000000000123",
    .sum = "40",
    .number = "4",
};

/* The same, by Python's cryptography: an Ed25519 signature of a text is one (RFC 8032). */
static const char *const vectors[] = {
    [PURSE_OPENING] =
        "eyJhbGciOiJFZERTQSIsImp3ayI6eyJjcnYiOiJFZDI1NTE5Iiwia3R5IjoiT0tQIiwieCI6IjExcVlBWUt4"
        "Q3JmVlNfN1R5V1FIT2c3aGN2UGFwaU1scndJYWFQY0hVUm8ifSwidHlwIjoidGVsZXBheS1wdXJzZS1vcGVu"
        "aW5nIn0.eyJhY3F1aXJlciI6IjAxMjM0NTY3ODlBQkNERUYiLCJjdXJyZW5jeSI6ImV1ciIsInZlcnNpb24i"
        "OjF9.67kwyLoy6HtVD2jDcrSZxx20qjMonFRvEA1kHN05Mmi_Fu_Zu2hTA42Ysu9Wsn4G8ETXu_pdEdiUySb"
        "Dv21rAg",
    [PURSE_SUCCESSION] =
        "eyJhbGciOiJFZERTQSIsImp3ayI6eyJjcnYiOiJFZDI1NTE5Iiwia3R5IjoiT0tQIiwieCI6IjExcVlBWUt4"
        "Q3JmVlNfN1R5V1FIT2c3aGN2UGFwaU1scndJYWFQY0hVUm8ifSwidHlwIjoidGVsZXBheS1wdXJzZS1zdWNj"
        "ZXNzaW9uIn0.eyJhY2NvdW50Ijoia1ByS19xbXhWV2FZVkE5d3dCRjZJdW8zdlZ6ejdUeEhDVHdYQnlnclM0"
        "ayIsImFjcXVpcmVyIjoiMDEyMzQ1Njc4OUFCQ0RFRiIsIm5leHQiOiI0N0RFUXBqOEhCU2EtX1RJbVctNUpD"
        "ZXVRZVJrbTVOTXBKV1pHM2hTdUZVIiwidmVyc2lvbiI6MX0.u1AJFkjCNRFlUo6iQrPqiDZT1UMeT_69jsIk"
        "Rwa3J4NWgoZyZ45wEI0OaqO3rgE9nVfqE69Xf4ejZZHVgse7Dw",
    [PURSE_PAYMENT] =
        "eyJhbGciOiJFZERTQSIsImp3ayI6eyJjcnYiOiJFZDI1NTE5Iiwia3R5IjoiT0tQIiwieCI6IjExcVlBWUt4"
        "Q3JmVlNfN1R5V1FIT2c3aGN2UGFwaU1scndJYWFQY0hVUm8ifSwidHlwIjoidGVsZXBheS1wdXJzZS1wYXlt"
        "ZW50In0.eyJhY2NvdW50Ijoia1ByS19xbXhWV2FZVkE5d3dCRjZJdW8zdlZ6ejdUeEhDVHdYQnlnclM0ayIs"
        "ImFtb3VudCI6IjE1MCIsImNvdW50ZXIiOiIxNyIsImN1cnJlbmN5IjoiZXVyIiwib3JkZXIiOiJhYmNkZWZn"
        "aGlqa2xtbm9wcXJzdHV2d3h5eiIsInIiOiI0N0RFUXBqOEhCU2EtX1RJbVctNUpDZXVRZVJrbTVOTXBKV1pH"
        "M2hTdUZVIiwidmVyc2lvbiI6MX0.zCH6g2c3jTNsTyjKJeJpOlrihDbmrFmpq0ALnnbFaUiCYuG73QXfdkuX"
        "BbY5kIUJ7AZ31AW-587MduHTuopIAQ",
    [PURSE_QUESTION] =
        "eyJhbGciOiJFZERTQSIsImp3ayI6eyJjcnYiOiJFZDI1NTE5Iiwia3R5IjoiT0tQIiwieCI6IjExcVlBWUt4"
        "Q3JmVlNfN1R5V1FIT2c3aGN2UGFwaU1scndJYWFQY0hVUm8ifSwidHlwIjoidGVsZXBheS1wdXJzZS1xdWVz"
        "dGlvbiJ9.eyJhY2NvdW50Ijoia1ByS19xbXhWV2FZVkE5d3dCRjZJdW8zdlZ6ejdUeEhDVHdYQnlnclM0ayI"
        "sImFjcXVpcmVyIjoiMDEyMzQ1Njc4OUFCQ0RFRiIsImF0IjoiMjAyNi0xMS0yOVQxNDowMDowMFoiLCJ2ZXJ"
        "zaW9uIjoxfQ.Mre77Ykyl2lW-z3cYEJe1J-cm_pTI-HEyRG3tSmq6r-uz5IsK5XhVS3sLndy6_woaL34mPxA"
        "Hwn2KYg-hcQ_Bw",
    [PURSE_EMPTYING] =
        "eyJhbGciOiJFZERTQSIsImp3ayI6eyJjcnYiOiJFZDI1NTE5Iiwia3R5IjoiT0tQIiwieCI6IjExcVlBWUt4"
        "Q3JmVlNfN1R5V1FIT2c3aGN2UGFwaU1scndJYWFQY0hVUm8ifSwidHlwIjoidGVsZXBheS1wdXJzZS1lbXB0"
        "eWluZyJ9.eyJhY2NvdW50Ijoia1ByS19xbXhWV2FZVkE5d3dCRjZJdW8zdlZ6ejdUeEhDVHdYQnlnclM0ayI"
        "sImFjcXVpcmVyIjoiMDEyMzQ1Njc4OUFCQ0RFRiIsImFtb3VudCI6IjE1MCIsImNvdW50ZXIiOiIxNyIsImN"
        "1cnJlbmN5IjoiZXVyIiwiaWJhbiI6IkZSNzYzMDAwNjAwMDAxMTIzNDU2Nzg5MDE4OSIsIm5hbWUiOiJBbmE"
        "gTcO8bGxlciIsInZlcnNpb24iOjF9.re0lNsTJbxrXAQKkqG_QZhl6yd16WN3wNaX-HmloGd6o_1r-8fNXSe"
        "ATO8C-RcBVw-VSDs27rcpa_RlokoAgBw",
    [PURSE_PROVISION] =
        "eyJhbGciOiJFZERTQSIsImp3ayI6eyJjcnYiOiJFZDI1NTE5Iiwia3R5IjoiT0tQIiwieCI6IjExcVlBWUt4"
        "Q3JmVlNfN1R5V1FIT2c3aGN2UGFwaU1scndJYWFQY0hVUm8ifSwidHlwIjoidGVsZXBheS1wdXJzZS1wcm92"
        "aXNpb24ifQ.eyJhY2NvdW50Ijoia1ByS19xbXhWV2FZVkE5d3dCRjZJdW8zdlZ6ejdUeEhDVHdYQnlnclM0a"
        "yIsImFjcXVpcmVyIjoiMDEyMzQ1Njc4OUFCQ0RFRiIsImFtb3VudCI6IjE1MCIsImNvdW50ZXIiOiIxNyIsI"
        "mN1cnJlbmN5IjoiZXVyIiwibWVkaWF0b3IiOiJzaG9wcyIsInNlc3Npb24iOiJ6eXh3dnV0c3JxcG9ubWxra"
        "mloZ2ZlZGNiYSIsInVudGlsIjoiMjAyNi0xMS0zMFQxMzowMDowMFoiLCJ2ZXJzaW9uIjoxfQ.W6XAbRWh5n"
        "bD71-A2LwUg-Inla936t817vKdr3NtbAZcGcdtf693xIijz3VJe6XARjuZ5guoyvTQrPRCNVUHCw",
    [PURSE_VOUCHER] =
        "eyJhbGciOiJFZERTQSIsImp3ayI6eyJjcnYiOiJFZDI1NTE5Iiwia3R5IjoiT0tQIiwieCI6IjExcVlBWUt4"
        "Q3JmVlNfN1R5V1FIT2c3aGN2UGFwaU1scndJYWFQY0hVUm8ifSwidHlwIjoidGVsZXBheS1wdXJzZS12b3Vj"
        "aGVyIn0.eyJhY2NvdW50Ijoia1ByS19xbXhWV2FZVkE5d3dCRjZJdW8zdlZ6ejdUeEhDVHdYQnlnclM0ayIs"
        "ImNvbnRyYWN0IjoiMDAwMDAwMDAwMDAwMTIzIiwiY3VycmVuY3kiOiJldXIiLCJudW1iZXIiOiI0Iiwib3Jk"
        "ZXIiOiJhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5eiIsInIiOiI0N0RFUXBqOEhCU2EtX1RJbVctNUpDZXVR"
        "ZVJrbTVOTXBKV1pHM2hTdUZVIiwic2Vzc2lvbiI6Inp5eHd2dXRzcnFwb25tbGtqaWhnZmVkY2JhIiwic3Vt"
        "IjoiNDAiLCJ2ZXJzaW9uIjoxfQ.AoWRSHCNmg6OA3uo5_g0X3B73XMxpOy-OHAt8DRZ8JgMSiAxN0iZgAEVK"
        "bCzlDgc55b4mIE1EV12u8h_70GVAA",
    [PURSE_SESSION_END] =
        "eyJhbGciOiJFZERTQSIsImp3ayI6eyJjcnYiOiJFZDI1NTE5Iiwia3R5IjoiT0tQIiwieCI6IjExcVlBWUt4"
        "Q3JmVlNfN1R5V1FIT2c3aGN2UGFwaU1scndJYWFQY0hVUm8ifSwidHlwIjoidGVsZXBheS1wdXJzZS1zZXNz"
        "aW9uLWVuZCJ9.eyJhY2NvdW50Ijoia1ByS19xbXhWV2FZVkE5d3dCRjZJdW8zdlZ6ejdUeEhDVHdYQnlnclM"
        "0ayIsInNlc3Npb24iOiJ6eXh3dnV0c3JxcG9ubWxramloZ2ZlZGNiYSIsInZlcnNpb24iOjF9.PFDsK8h0go"
        "nRj0HXvtjg-Wvc7DWvT69ZB7QBZokKyL0l4U6V7rE6Ix4bReiOwxMgo_129kNOU5--LsjeXVUJDg",
};
#define VOUCHER_HASH "Vr0VutqflIb0ZLM7LcKeVuZWAjzmWkj5zFeWaFa57i8"

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
        for (size_t i = 0; i < COUNT(vectors); i++) {
            const enum purse_kind k = (enum purse_kind)i;
            char *jws = written(k, &sample);
            struct purse_statement s;

            ck_assert_str_eq(jws, vectors[i]);
            ck_ok(purse_statement_read(&s, k, jws, NULL));
            ck_hex(SPAN_OF(s.key), PUBLIC);
            ck_assert_ptr_eq(s.counter, json_string_value(json_object_get(s.owner, "counter")));
            ck_assert_ptr_eq(s.sum, json_string_value(json_object_get(s.owner, "sum")));
            purse_statement_free(&s);
            for (size_t other = 0; other < COUNT(vectors); other++)
                if (other != i) /* none passes for another */
                    ck_assert_int_eq(read_again((enum purse_kind)other, jws), TP_ERR_FORMAT);
            free(jws);
        }
    }
END_TEST

START_TEST(known_by_its_hash)
    {
        char hash[PURSE_HASH];

        ck_ok(purse_statement_hash(hash, vectors[PURSE_VOUCHER], NULL));
        ck_assert_str_eq(hash, VOUCHER_HASH);
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
            enum purse_kind kind;
            size_t member;
            const char *text;
        } rows[] = {
            {PURSE_PAYMENT, offsetof(struct purse_statement, account), "short"},
            {PURSE_PAYMENT, offsetof(struct purse_statement, r),
             "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuF"},
            {PURSE_PAYMENT, offsetof(struct purse_statement, order), "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
            {PURSE_PAYMENT, offsetof(struct purse_statement, amount), "0"},
            {PURSE_PAYMENT, offsetof(struct purse_statement, amount), "-1"},
            {PURSE_PAYMENT, offsetof(struct purse_statement, amount), "1000000000000"},
            {PURSE_PAYMENT, offsetof(struct purse_statement, currency), "EUR"},
            {PURSE_PAYMENT, offsetof(struct purse_statement, counter), "0"},
            {PURSE_PAYMENT, offsetof(struct purse_statement, counter), "017"},
            {PURSE_PAYMENT, offsetof(struct purse_statement, counter), NULL},
            {PURSE_QUESTION, offsetof(struct purse_statement, acquirer), "0123456789ABCDEF0"},
            {PURSE_QUESTION, offsetof(struct purse_statement, at), "2026-11-29T14:00:00+01:00"},
            {PURSE_EMPTYING, offsetof(struct purse_statement, iban), "FR7630006000011234567890188"},
            {PURSE_EMPTYING, offsetof(struct purse_statement, iban), ""},
            {PURSE_EMPTYING, offsetof(struct purse_statement, name), ""},
            {PURSE_EMPTYING, offsetof(struct purse_statement, name), "a\nb"},
            {PURSE_EMPTYING, offsetof(struct purse_statement, counter), NULL},
            {PURSE_PROVISION, offsetof(struct purse_statement, mediator), ""},
            {PURSE_PROVISION, offsetof(struct purse_statement, mediator),
             "a name of a mediator that is long"},
            {PURSE_PROVISION, offsetof(struct purse_statement, session), "abc"},
            {PURSE_PROVISION, offsetof(struct purse_statement, until), "tomorrow"},
            {PURSE_PROVISION, offsetof(struct purse_statement, amount), "0"},
            {PURSE_VOUCHER, offsetof(struct purse_statement, contract), "00000000000012"},
            {PURSE_VOUCHER, offsetof(struct purse_statement, sum), "0"},
            {PURSE_VOUCHER, offsetof(struct purse_statement, number), "01"},
            {PURSE_VOUCHER, offsetof(struct purse_statement, r), NULL},
            {PURSE_SESSION_END, offsetof(struct purse_statement, session), NULL},
        };

        UNHEX(secret, SECRET);
        for (size_t i = 0; i < COUNT(rows); i++) {
            struct purse_statement s = sample;
            char *jws = NULL;

            *(const char **)(void *)((char *)&s + rows[i].member) = rows[i].text;
            ck_assert_int_eq(purse_statement_write(&jws, rows[i].kind, &s, secret.p, NULL),
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
    tcase_add_test(t, known_by_its_hash);
    tcase_add_test(t, every_character_counts);
    tcase_add_test(t, members_have_their_forms);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
