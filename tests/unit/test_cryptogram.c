#include "unit.h"

#include <jansson.h>
#include <stdio.h>

#include "crypto/cryptogram.h"
#include "crypto/pinblock.h"

/* Expected values: tests/vectors/application-cryptograms.json (a public test suite), but where a comment names another source. */
static json_t *vectors(void)
{
    char path[4096];
    json_error_t where;

    snprintf(path, sizeof(path), "%s/vectors/application-cryptograms.json", getenv("TESTS_SRCDIR"));
    json_t *v = json_load_file(path, 0, &where);

    ck_assert_msg(v != NULL, "%s: %s", path, where.text);
    return v;
}

static const char *text_at(const json_t *v, const char *group, const char *name)
{
    const char *text = json_string_value(json_object_get(json_object_get(v, group), name));

    ck_assert_ptr_nonnull(text);
    return text;
}

static void put(struct buf *b, const json_t *v, const char *group, const char *name)
{
    ck_ok(hex_decode(b, text_at(v, group, name)));
}

static void ck_check_digits(struct span key, const char *expected)
{
    static const uint8_t zeros[8];
    uint8_t out[8];

    ck_ok(emv_des_encipher(out, key, zeros));
    ck_hex(span_of(out, 2), expected);
}

/* The issuer's key of that name diversified for the card of the vectors. */
static void derive(struct secret *key, const json_t *v, const char *name)
{
    uint8_t raw[16];
    struct buf b = BUF_OF(raw);

    put(&b, v, "issuer_master_keys", name);
    ck_ok(emv_master_key_derive(key, buf_span(&b), "1234567890123456", 0x00));
}

static void put_transaction(struct buf *b, const json_t *v)
{
    static const char *const order[] = {"9F02", "9F03", "9F1A", "95", "5F2A", "9A", "9C", "9F37", "82", "9F36"}; /* EMV 4.4 Book 2, table 26 */

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        put(b, v, "transaction", order[i]);
}

START_TEST(icc_master_keys)
    {
        static const char *const names[] = {"ac", "smi", "smc"};
        json_t *v = vectors();

        for (size_t i = 0; i < 3; i++) {
            struct secret key;

            derive(&key, v, names[i]);
            ck_check_digits(secret_span(&key), text_at(v, "icc_master_key_check_digits", names[i]));
            for (size_t k = 0; k < key.n; k++)
                ck_assert_int_eq(__builtin_parity(key.p[k]), 1);
            secret_free(&key);
        }
        json_decref(v);
    }
END_TEST

START_TEST(only_the_last_sixteen_digits_diversify)
    {
        struct secret a, b, c;
        UNHEX(imk, "0123456789ABCDEFFEDCBA9876543210");

        /* Book 2 A1.4.1, option A: the rightmost 16 digits of PAN and PSN */
        ck_ok(emv_master_key_derive(&a, imk, "1239990140000000018", 0x01));
        ck_ok(emv_master_key_derive(&b, imk, "90140000000018", 0x01));
        ck_ok(emv_master_key_derive(&c, imk, "0000000090140000000018", 0x02));
        ck_assert(secret_eq(secret_span(&a), secret_span(&b)));
        ck_assert(!secret_eq(secret_span(&a), secret_span(&c)));
        secret_free(&a);
        secret_free(&b);
        secret_free(&c);
        ck_ok(emv_master_key_derive(&a, imk, "12345678901", 0x00)); /* padded left with zeros */
        ck_ok(emv_master_key_derive(&b, imk, "00012345678901", 0x00));
        ck_assert(secret_eq(secret_span(&a), secret_span(&b)));
        secret_free(&a);
        secret_free(&b);
        ck_assert_int_eq(emv_master_key_derive(&a, imk, "12345A", 0), TP_ERR_FORMAT);
        ck_assert_int_eq(emv_master_key_derive(&a, imk, "123456", 0x0A), TP_ERR_FORMAT);
        ck_assert_int_eq(emv_master_key_derive(&a, span_of(imk.p, 8), "123456", 0), TP_ERR_RANGE);
        ck_assert_ptr_null(a.p);
    }
END_TEST

START_TEST(arqc_cvn_10)
    {
        uint8_t raw[64], ac[8];
        struct buf b = BUF_OF(raw);
        struct secret key;
        json_t *v = vectors();

        derive(&key, v, "ac"); /* the master key itself signs */
        put_transaction(&b, v);
        put(&b, v, "cvn10", "cvr");
        ck_ok(buf_fill(&b, 0, (8 - b.n % 8) % 8)); /* padding method 1 */
        ck_ok(emv_mac_padded(ac, secret_span(&key), buf_span(&b)));
        ck_hex(SPAN_OF(ac), text_at(v, "cvn10", "arqc"));
        secret_free(&key);
        json_decref(v);
    }
END_TEST

START_TEST(arqc_cvn_18)
    {
        uint8_t raw[64], ac[8];
        const uint8_t atc[2] = {0x00, 0x1C};
        struct buf b = BUF_OF(raw);
        struct secret master, session;
        json_t *v = vectors();

        derive(&master, v, "ac");
        ck_ok(emv_session_key_derive(&session, secret_span(&master), atc));
        ck_check_digits(secret_span(&session), text_at(v, "cvn18", "session_key_check_digits"));
        put_transaction(&b, v);
        put(&b, v, "cvn18", "9F10");
        ck_ok(emv_mac(ac, secret_span(&session), buf_span(&b)));
        ck_hex(SPAN_OF(ac), text_at(v, "cvn18", "arqc"));
        secret_free(&master);
        secret_free(&session);
        json_decref(v);
    }
END_TEST

START_TEST(a_mac_over_many_pieces_is_one_mac)
    {
        uint8_t data[1024], mac[8], chain[8] = {0};
        UNHEX(key, "0123456789ABCDEFFEDCBA9876543210");
        UNHEX(left_twice, "0123456789ABCDEF0123456789ABCDEF");

        for (size_t i = 0; i < sizeof(data); i++)
            data[i] = (uint8_t)(i * 7);
        /* ISO/IEC 9797-1, 6.5.4 block by block: single DES with the left half, the last block with all of the key */
        for (size_t at = 0; at < sizeof(data); at += 8) {
            for (size_t i = 0; i < 8; i++)
                chain[i] ^= data[at + i];
            ck_ok(emv_des_encipher(chain, at + 8 == sizeof(data) ? key : left_twice, chain));
        }
        ck_ok(emv_mac_padded(mac, key, SPAN_OF(data)));
        ck_assert(span_eq(SPAN_OF(mac), SPAN_OF(chain)));
        ck_assert_int_eq(emv_mac_padded(mac, key, span_of(data, 7)), TP_ERR_RANGE);
        ck_assert_int_eq(emv_mac_padded(mac, key, span_of(data, 0)), TP_ERR_RANGE);
        ck_assert_int_eq(emv_mac(mac, span_of(key.p, 15), SPAN_OF(data)), TP_ERR_RANGE);
        uint8_t padded[8] = {0x80};

        ck_ok(emv_mac(mac, key, span_of(NULL, 0))); /* nothing is one block of padding */
        ck_ok(emv_mac_padded(chain, key, SPAN_OF(padded)));
        ck_assert(span_eq(SPAN_OF(mac), SPAN_OF(chain)));
    }
END_TEST

START_TEST(pin_blocks)
    {
        static const struct {
            const char *digits, *block; /* ISO 9564-1, 9.3.1: control 2, length, digits, F */
        } good[] = {{"1234", "241234FFFFFFFFFF"}, {"12345", "2512345FFFFFFFFF"}, {"123456789012", "2C123456789012FF"}};
        static const char *const bad[] = {"123", "1234567890123", "12a4", "", "12 4"};
        static const char *const bad_blocks[] = {"141234FFFFFFFFFF", "231234FFFFFFFFFF", "2412A4FFFFFFFFFF", "241234FFFFFFFFF0",
                                                 "2D12345678901234", "241234FFFFFFFF",   "2412345FFFFFFFFF"};
        struct secret s, d;

        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
            ck_ok(pin_block_make(&s, span_str(good[i].digits)));
            ck_hex(secret_span(&s), good[i].block);
            ck_ok(pin_block_parse(&d, secret_span(&s)));
            ck_assert(span_eq(secret_span(&d), span_str(good[i].digits)));
            secret_free(&s);
            secret_free(&d);
        }
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
            ck_assert_int_eq(pin_block_make(&s, span_str(bad[i])), TP_ERR_FORMAT);
        for (size_t i = 0; i < sizeof(bad_blocks) / sizeof(bad_blocks[0]); i++) {
            uint8_t raw[8];
            struct buf b = BUF_OF(raw);

            ck_ok(hex_decode(&b, bad_blocks[i]));
            ck_assert_int_eq(pin_block_parse(&d, buf_span(&b)), TP_ERR_FORMAT);
            ck_assert_ptr_null(d.p);
        }
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("cryptogram");
    TCase *t = tcase_create("cryptogram");

    tcase_add_test(t, icc_master_keys);
    tcase_add_test(t, only_the_last_sixteen_digits_diversify);
    tcase_add_test(t, arqc_cvn_10);
    tcase_add_test(t, arqc_cvn_18);
    tcase_add_test(t, a_mac_over_many_pieces_is_one_mac);
    tcase_add_test(t, pin_blocks);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
