/* Keys, cryptograms, ARPC, PIN blocks and script commands, on public vectors and those of another
 * program. */
#include "unit.h"

#include <jansson.h>
#include <stdio.h>

#include "crypto/cryptogram.h"
#include "crypto/dcv.h"
#include "crypto/iad.h"
#include "crypto/pinblock.h"
#include "crypto/script.h"

/* Expected values: tests/vectors/application-cryptograms.json and key-derivation.json (public test
 * suites), cryptograms-computed.json (check_cryptogram.py: Python and the openssl command), but
 * where a comment names another source. */
static json_t *load(const char *name)
{
    char path[4096];
    json_error_t where;

    snprintf(path, sizeof(path), "%s/vectors/%s", getenv("TESTS_SRCDIR"), name);
    json_t *v = json_load_file(path, 0, &where);

    ck_assert_msg(v != NULL, "%s: %s", path, where.text);
    return v;
}

static json_t *vectors(void)
{
    return load("application-cryptograms.json");
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

/* By which people compare keys without showing them: the leftmost 3 bytes of an enciphered block of
 * zeros (ISO 11568-2, ANSI X9.24-1). */
static enum tp_err key_check(uint8_t out[3], struct span key)
{
    static const uint8_t zeros[8];
    uint8_t block[8];
    const enum tp_err r = emv_des_encipher(block, key, zeros);

    memcpy(out, block, 3);
    return r;
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
    ck_ok(emv_master_key_derive(key, EMV_CVN_18, buf_span(&b), "1234567890123456", 0x00));
}

static void put_transaction(struct buf *b, const json_t *v)
{
    static const char *const order[] = {
        "9F02", "9F03", "9F1A", "95", "5F2A",
        "9A",   "9C",   "9F37", "82", "9F36"}; /* EMV 4.4 Book 2, table 28 */

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
        ck_ok(emv_master_key_derive(&a, EMV_CVN_18, imk, "1239990140000000018", 0x01));
        ck_ok(emv_master_key_derive(&b, EMV_CVN_18, imk, "90140000000018", 0x01));
        ck_ok(emv_master_key_derive(&c, EMV_CVN_18, imk, "0000090140000000018", 0x02));
        ck_assert(secret_eq(secret_span(&a), secret_span(&b)));
        ck_assert(!secret_eq(secret_span(&a), secret_span(&c)));
        secret_free(&a);
        secret_free(&b);
        secret_free(&c);
        ck_ok(emv_master_key_derive(&a, EMV_CVN_18, imk, "12345678901",
                                    0x00)); /* padded left with zeros */
        ck_ok(emv_master_key_derive(&b, EMV_CVN_18, imk, "00012345678901", 0x00));
        ck_assert(secret_eq(secret_span(&a), secret_span(&b)));
        secret_free(&a);
        secret_free(&b);
        ck_assert_int_eq(emv_master_key_derive(&a, EMV_CVN_18, imk, "12345678901234567890", 0),
                         TP_ERR_RANGE);
        ck_assert_int_eq(emv_master_key_derive(&a, EMV_CVN_18, imk, "12345A", 0), TP_ERR_FORMAT);
        ck_assert_int_eq(emv_master_key_derive(&a, EMV_CVN_18, imk, "123456", 0x0A), TP_ERR_FORMAT);
        ck_assert_int_eq(emv_master_key_derive(&a, EMV_CVN_18, span_of(imk.p, 8), "123456", 0),
                         TP_ERR_RANGE);
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
        ck_ok(emv_ac_make(ac, EMV_CVN_10, secret_span(&key), buf_span(&b)));
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
        ck_ok(emv_session_key_ac(&session, EMV_CVN_18, secret_span(&master), atc));
        ck_check_digits(secret_span(&session), text_at(v, "cvn18", "session_key_check_digits"));
        put_transaction(&b, v);
        put(&b, v, "cvn18", "9F10");
        ck_ok(emv_ac_make(ac, EMV_CVN_18, secret_span(&session), buf_span(&b)));
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
        /* ISO/IEC 9797-1, 6.5.4 block by block: single DES with the left half, the last block with
         * all of the key */
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
        } good[] = {{"1234", "241234FFFFFFFFFF"},
                    {"12345", "2512345FFFFFFFFF"},
                    {"123456789012", "2C123456789012FF"}};
        static const char *const bad[] = {"123", "1234567890123", "12a4", "", "12 4"};
        static const char *const bad_blocks[] = {
            "141234FFFFFFFFFF", "231234FFFFFFFFFF", "2412A4FFFFFFFFFF", "241234FFFFFFFFF0",
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

/* ---- public values of key derivation and scripts ---- */

static struct span hex_of(struct buf *b, const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));

    b->n = 0;
    ck_ok(hex_decode(b, text != NULL ? text : ""));
    return buf_span(b);
}

#define ROW_HEX(name, row, key)                                                                    \
    uint8_t name##_room[160];                                                                      \
    struct buf name##_b = BUF_OF(name##_room);                                                     \
    const struct span name = hex_of(&name##_b, (row), (key))

/* UNHEX of a text that is no literal. */
#define TEXT_HEX(name, text)                                                                       \
    uint8_t name##_room[64];                                                                       \
    struct buf name##_b = BUF_OF(name##_room);                                                     \
    ck_ok(hex_decode(&name##_b, (text)));                                                          \
    const struct span name = buf_span(&name##_b)

static const char *row_text(const json_t *row, const char *name)
{
    const char *t = json_string_value(json_object_get(row, name));

    return t != NULL ? t : "";
}

static void ck_row(struct span got, const json_t *row, const char *name)
{
    if (*row_text(row, name) != '\0')
        ck_hex(got, row_text(row, name));
}

static uint8_t psn_of(const json_t *row)
{
    ROW_HEX(psn, row, "psn");
    ck_assert_uint_eq(psn.n, 1);
    return psn.p[0];
}

/* Book 2, A1.4.1 and A1.4.2, A1.3.1, 8.1.2, 8.2.1, 8.2.2 */
START_TEST(options_a_and_b)
    {
        json_t *v = load("key-derivation.json"), *row;
        size_t i;

        json_array_foreach(json_object_get(v, "master_keys"), i, row)
        {
            const enum emv_cvn cvn =
                strcmp(row_text(row, "option"), "A") == 0 ? EMV_CVN_18 : EMV_CCD_3DES;
            struct secret master, session;
            uint8_t ac[8], arpc[8], check[3];

            ROW_HEX(imk, row, "imk");
            ROW_HEX(r, row, "r");
            ROW_HEX(data, row, "data");
            ROW_HEX(proprietary, row, "proprietary");
            ck_ok(emv_master_key_derive(&master, cvn, imk, row_text(row, "pan"), psn_of(row)));
            ck_ok(key_check(check, secret_span(&master)));
            ck_row(span_of(check, 2), row, "check");
            ck_ok(emv_session_key_common(&session, EMV_TDES, secret_span(&master), r.p));
            ck_ok(key_check(check, secret_span(&session)));
            ck_row(span_of(check, 2), row, "session_check");
            ck_ok(emv_ac_make(ac, cvn, secret_span(&session), data));
            ck_row(SPAN_OF(ac), row, "ac");
            ck_ok(emv_arpc_1(arpc, cvn, secret_span(&session), ac, (const uint8_t[2]){0, 0}));
            ck_row(SPAN_OF(arpc), row, "arpc_1");
            ck_ok(emv_arpc_2(arpc, cvn, secret_span(&session), ac, (const uint8_t[4]){0},
                             proprietary));
            ck_row(span_of(arpc, 4), row, "arpc_2");
            secret_free(&master);
            secret_free(&session);
        }
        ck_assert_uint_eq(i, 7);
        json_decref(v);
    }
END_TEST

START_TEST(pin_change_data)
    {
        json_t *v = load("key-derivation.json"), *row;
        size_t i;

        json_array_foreach(json_object_get(v, "pin_change"), i, row)
        {
            const bool visa = strcmp(row_text(row, "kind"), "visa") == 0;
            const enum emv_cvn cvn = visa ? EMV_CVN_18 : EMV_CCD_3DES;
            struct secret master, smc, session, block, digits;
            const struct span pin = span_str(row_text(row, "pin")),
                              current = span_str(row_text(row, "current"));
            uint8_t room[32], check[3];
            struct buf out = BUF_OF(room);

            ROW_HEX(imk_ac, row, "imk_ac");
            ROW_HEX(imk_smc, row, "imk_smc");
            ROW_HEX(atc, row, "atc");
            ROW_HEX(ac, row, "ac");
            ck_ok(emv_master_key_derive(&master, cvn, imk_ac, row_text(row, "pan"), psn_of(row)));
            ck_ok(emv_master_key_derive(&smc, cvn, imk_smc, row_text(row, "pan"), psn_of(row)));
            ck_ok(emv_session_key_sm(&session, cvn, secret_span(&smc), atc.p, ac.p));
            ck_ok(key_check(check, secret_span(&session)));
            ck_row(SPAN_OF(check), row, "session_smc_check");
            if (visa)
                ck_ok(pin_block_visa_make(&block, secret_span(&master), pin, current));
            else
                ck_ok(pin_block_make(&block, pin));
            ck_row(secret_span(&block), row, "block");
            ck_ok(emv_script_encipher(&out, emv_kind_of(cvn), secret_span(&session),
                                      secret_span(&block)));
            ck_row(buf_span(&out), row, "enciphered");
            if (visa) {
                ck_ok(pin_block_visa_parse(&digits, secret_span(&master), secret_span(&block),
                                           current));
                ck_assert(span_eq(secret_span(&digits), pin));
                secret_free(&digits);
                ck_assert_int_eq(
                    pin_block_visa_parse(&digits, secret_span(&smc), secret_span(&block), current),
                    TP_ERR_FORMAT);
            }
            secret_free(&block);
            secret_free(&session);
            secret_free(&smc);
            secret_free(&master);
        }
        ck_assert_uint_eq(i, 4);
        json_decref(v);
    }
END_TEST

/* ---- the second computation ---- */

struct made {
    enum emv_cvn cvn;
    struct secret ac_key, smi, smc, session;
    struct emv_script_keys keys;
    struct emv_script place;
    uint8_t ac[8];
};

static void take_key(struct secret *out, const struct made *m, const json_t *row, const char *name)
{
    ROW_HEX(imk, json_object_get(row, "issuer_keys"), name);
    ck_ok(emv_master_key_derive(out, m->cvn, imk, row_text(row, "pan"), psn_of(row)));
    ck_row(secret_span(out), json_object_get(row, "master"), name);
}

static void make_case(struct made *m, const json_t *row)
{
    ROW_HEX(atc, row, "atc");
    ROW_HEX(iad, row, "9F10");
    ROW_HEX(data, row, "data");
    struct emv_iad parsed;

    ck_ok(emv_cvn_parse(&m->cvn, row_text(row, "kind")));
    take_key(&m->ac_key, m, row, "ac");
    take_key(&m->smi, m, row, "smi");
    take_key(&m->smc, m, row, "smc");
    ck_ok(emv_session_key_ac(&m->session, m->cvn, secret_span(&m->ac_key), atc.p));
    ck_row(secret_span(&m->session), row, "session");
    ck_ok(emv_iad_parse(&parsed, iad));
    ck_assert_int_eq(parsed.cvn, m->cvn);
    const struct span tail = emv_iad_signed(&parsed, iad);

    ck_assert(span_eq(tail, span_of(data.p + data.n - tail.n, tail.n)));
    ck_ok(emv_ac_make(m->ac, m->cvn, secret_span(&m->session), data));
    ck_row(SPAN_OF(m->ac), row, "ac");
    ck_ok(emv_script_keys_derive(&m->keys, m->cvn, secret_span(&m->smi), secret_span(&m->smc),
                                 atc.p, m->ac));
    ck_row(secret_span(&m->keys.mac), row, "session_smi");
    ck_row(secret_span(&m->keys.cipher), row, "session_smc");
    m->place = emv_script_start(m->cvn, atc.p, m->ac);
}

static void free_case(struct made *m)
{
    secret_free(&m->ac_key);
    secret_free(&m->smi);
    secret_free(&m->smc);
    secret_free(&m->session);
    emv_script_keys_free(&m->keys);
}

static void ck_arpcs(const struct made *m, const json_t *row)
{
    uint8_t arpc[8];

    ROW_HEX(arc, row, "arc");
    ROW_HEX(csu, row, "csu");
    ROW_HEX(proprietary, row, "proprietary");
    ck_ok(emv_arpc_1(arpc, m->cvn, secret_span(&m->session), m->ac, arc.p));
    ck_row(SPAN_OF(arpc), row, "arpc_1");
    ck_ok(emv_arpc_2(arpc, m->cvn, secret_span(&m->session), m->ac, csu.p, proprietary));
    ck_row(span_of(arpc, 4), row, "arpc_2");
    ck_assert_int_eq(emv_arpc_2(arpc, m->cvn, secret_span(&m->session), m->ac, csu.p,
                                SPAN_OF(((uint8_t[9]){0}))),
                     TP_ERR_RANGE);
}

/* Makes each command, takes it apart as the card does, and lets nothing altered through. */
static void ck_scripts(struct made *m, const json_t *row)
{
    struct emv_script card = m->place;
    json_t *one;
    size_t i;

    json_array_foreach(json_object_get(row, "scripts"), i, one)
    {
        const bool encipher = json_is_true(json_object_get(one, "encipher"));
        uint8_t made[EMV_SCRIPT_APDU_MAX], bent[EMV_SCRIPT_APDU_MAX],
            opened_room[EMV_SCRIPT_APDU_MAX];
        struct buf command = BUF_OF(made), opened = BUF_OF(opened_room);
        enum emv_script_check outcome;

        ROW_HEX(head, one, "head");
        ROW_HEX(plain, one, "plain");
        ck_ok(emv_script_close(&command, &m->place, &m->keys, head.p, plain, encipher));
        ck_row(buf_span(&command), one, "command");
        if (m->cvn == EMV_CCD_3DES || m->cvn == EMV_CCD_AES)
            ck_row(span_of(m->place.chain, emv_cvn_block(m->cvn)), one, "full_mac");
        for (size_t k = 0; k < command.n; k++) {
            memcpy(bent, made, command.n);
            bent[k] ^= 0x10;
            ck_ok(emv_script_open(&outcome, &opened, &card, &m->keys, span_of(bent, command.n),
                                  encipher));
            ck_assert_msg(outcome != EMV_SCRIPT_OK && opened.n == 0, "%s, byte %zu",
                          row_text(one, "name"), k);
        }
        for (size_t n = 0; n < command.n; n++) {
            ck_ok(emv_script_open(&outcome, &opened, &card, &m->keys, span_of(made, n), encipher));
            ck_assert(outcome == EMV_SCRIPT_MISSING && opened.n == 0);
        }
        ck_ok(emv_script_open(&outcome, &opened, &card, &m->keys, buf_span(&command), encipher));
        ck_assert_int_eq(outcome, EMV_SCRIPT_OK);
        ck_assert(span_eq(buf_span(&opened), plain));
        ck_ok(emv_script_open(&outcome, &opened, &card, &m->keys, buf_span(&command),
                              encipher)); /* CCD: the chain has moved on (9.2.3.1) */
        ck_assert_int_eq(outcome == EMV_SCRIPT_OK, m->cvn == EMV_CVN_10 || m->cvn == EMV_CVN_18);
    }
    ck_assert_uint_eq(i, 4);
}

static void ck_cases(const json_t *cases, size_t n)
{
    json_t *row;
    size_t i;

    json_array_foreach(cases, i, row)
    {
        struct made m;

        make_case(&m, row);
        ck_arpcs(&m, row);
        ck_scripts(&m, row);
        free_case(&m);
    }
    ck_assert_uint_eq(i, n);
}

START_TEST(every_kind_as_python_computes_it)
    {
        json_t *v = load("cryptograms-computed.json");

        ck_cases(json_object_get(v, "cases"), 7);
        ck_cases(json_object_get(v, "long_keys"), 2);
        json_decref(v);
    }
END_TEST

/* Book 2, 9.2.3, D2.3.1, 9.2.3.1, under keys that are easily typed: a command without data, one
 * with data, one behind it. */
START_TEST(padding_and_chain_of_format_1)
    {
        json_t *v = load("cryptograms-computed.json"), *ccd = json_object_get(v, "ccd");
        static const uint8_t atc[2] = {0x00, 0x01};
        static const enum emv_cvn cvns[] = {EMV_CCD_3DES, EMV_CCD_AES};
        ROW_HEX(smi, ccd, "mk-smi");
        ROW_HEX(smc, ccd, "mk-smc");
        ROW_HEX(ac, ccd, "ac");
        UNHEX(pin_unblock, "8C24000006");
        UNHEX(pin_change, "8C24000019");
        UNHEX(unblock, "8C18000006");

        for (size_t i = 0; i < 2; i++) {
            const json_t *row = json_object_get(ccd, emv_cvn_name(cvns[i]));
            const size_t block = emv_cvn_block(cvns[i]);
            struct emv_script place = emv_script_start(cvns[i], atc, ac.p);
            struct emv_script_keys keys;
            uint8_t full[EMV_BLOCK_MAX];
            ROW_HEX(object, row, "pin_change_1234_object");

            ck_ok(emv_script_keys_derive(&keys, cvns[i], smi, smc, atc, ac.p));
            ck_ok(emv_script_mac(full, &place, secret_span(&keys.mac), pin_unblock.p,
                                 span_of(NULL, 0)));
            ck_row(span_of(full, block), row, "pin_unblock");
            ck_ok(emv_script_mac(full, &place, secret_span(&keys.mac), pin_change.p, object));
            ck_row(span_of(full, block), row, "pin_change_1234");
            memcpy(place.chain, full, block);
            ck_ok(
                emv_script_mac(full, &place, secret_span(&keys.mac), unblock.p, span_of(NULL, 0)));
            ck_row(span_of(full, block), row, "unblock_behind");
            emv_script_keys_free(&keys);
        }
        json_decref(v);
    }
END_TEST

/* Book 2, 9.2.1.1: the issuer sends 4 bytes, a card takes 4 to 8, and the chain goes on from all of
 * them however many came. */
START_TEST(macs_of_format_1_are_short)
    {
        static const uint8_t atc[2] = {0x00, 0x01},
                             ac[8] = {0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0x00, 0x11},
                             key[16] = {0x11};
        static const enum emv_cvn cvns[] = {EMV_CCD_3DES, EMV_CCD_AES};

        for (size_t i = 0; i < 2; i++)
            for (size_t n = 3; n <= 9; n++) {
                struct emv_script issuer = emv_script_start(cvns[i], atc, ac), card = issuer;
                struct emv_script_keys keys;
                enum emv_script_check outcome;
                uint8_t room[64] = {0}, long_room[64], full[EMV_BLOCK_MAX];
                struct buf short_one = BUF_OF(room), out = BUF_OF(long_room);

                ck_ok(emv_script_keys_derive(&keys, cvns[i], SPAN_OF(key), SPAN_OF(key), atc, ac));
                ck_ok(emv_script_close(&short_one, &issuer, &keys,
                                       (const uint8_t[4]){0x80, 0x18, 0x00, 0x00}, span_of(NULL, 0),
                                       false));
                ck_assert_uint_eq(short_one.n, 5 + 2 + 4);
                ck_hex(span_of(room, 7), "8C180000068E04");
                ck_ok(emv_script_mac(full, &card, secret_span(&keys.mac), room, span_of(NULL, 0)));
                ck_assert(span_eq(span_of(room + 7, 4), span_of(full, 4)));
                room[4] = (uint8_t)(2 + n); /* Lc is not under the MAC */
                room[6] = (uint8_t)n;
                memcpy(room + 7, full, n);
                ck_ok(emv_script_open(&outcome, &out, &card, &keys, span_of(room, 7 + n), false));
                ck_assert_int_eq(outcome, n >= 4 && n <= 8 ? EMV_SCRIPT_OK : EMV_SCRIPT_WRONG);
                if (outcome == EMV_SCRIPT_OK)
                    ck_assert(span_eq(SPAN_OF(card.chain), SPAN_OF(issuer.chain)));
                emv_script_keys_free(&keys);
            }
    }
END_TEST

START_TEST(arpcs_of_the_public_suite)
    {
        uint8_t arpc[8];
        struct secret key, session;
        json_t *v = vectors();
        UNHEX(arqc_10, "29CCA15AE665FA2E");
        UNHEX(arqc_18, "7A788EA6B8A3E733");

        derive(&key, v, "ac");
        ck_ok(emv_session_key_ac(&session, EMV_CVN_10, secret_span(&key),
                                 (const uint8_t[2]){0x00, 0x1C}));
        ck_ok(
            emv_arpc_1(arpc, EMV_CVN_10, secret_span(&session), arqc_10.p, (const uint8_t *)"00"));
        ck_hex(SPAN_OF(arpc), text_at(v, "cvn10", "arpc"));
        secret_free(&session);
        ck_ok(emv_session_key_ac(&session, EMV_CVN_18, secret_span(&key),
                                 (const uint8_t[2]){0x00, 0x1C}));
        ck_ok(emv_arpc_2(arpc, EMV_CVN_18, secret_span(&session), arqc_18.p, (const uint8_t[4]){0},
                         span_of(NULL, 0)));
        ck_hex(span_of(arpc, 4), text_at(v, "cvn18", "arpc"));
        secret_free(&session);
        secret_free(&key);
        json_decref(v);
    }
END_TEST

/* PIN CHANGE with the current PIN (P2 = 01) */
START_TEST(visa_pin_change_commands)
    {
        static const struct {
            enum emv_cvn cvn;
            const char *name, *ac;
        } kinds[] = {{EMV_CVN_10, "cvn10", "29CCA15AE665FA2E"},
                     {EMV_CVN_18, "cvn18", "7A788EA6B8A3E733"}};
        json_t *v = vectors(), *more = load("key-derivation.json");
        struct secret ac_key, smi, smc, block;

        derive(&ac_key, v, "ac");
        derive(&smi, v, "smi");
        derive(&smc, v, "smc");
        ck_ok(
            pin_block_visa_make(&block, secret_span(&ac_key), span_str("9999"), span_str("8888")));
        for (size_t i = 0; i < 2; i++) {
            struct emv_script s = {.kind = emv_kind_of(kinds[i].cvn), .atc = {0x00, 0x1C}};
            struct emv_script_keys keys;
            uint8_t room[64];
            struct buf chain = BUF_OF(s.chain), out = BUF_OF(room);

            ck_ok(hex_decode(&chain, kinds[i].ac));
            ck_ok(emv_script_keys_derive(&keys, kinds[i].cvn, secret_span(&smi), secret_span(&smc),
                                         s.atc, s.chain));
            ck_ok(emv_script_close(&out, &s, &keys, (const uint8_t[4]){0x80, 0x24, 0x00, 0x01},
                                   secret_span(&block), true));
            ck_hex(buf_span(&out),
                   text_at(more, "visa_commands_with_current_pin_8888", kinds[i].name));
            emv_script_keys_free(&keys);
        }
        secret_free(&block);
        secret_free(&ac_key);
        secret_free(&smi);
        secret_free(&smc);
        json_decref(v);
        json_decref(more);
    }
END_TEST

START_TEST(aes_as_published)
    {
        static const struct {
            const char *key, *out; /* FIPS 197, C.1 to C.3 */
        } ciphers[] = {{"000102030405060708090A0B0C0D0E0F", "69C4E0D86A7B0430D8CDB78070B4C55A"},
                       {"000102030405060708090A0B0C0D0E0F1011121314151617",
                        "DDA97CA4864CDFE06EAF70A0EC0D7191"},
                       {"000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
                        "8EA2B7CA516745BFEAFC49904B496089"}};
        static const struct {
            const char *key, *macs[3]; /* of no bytes, 16 and 40: NIST SP 800-38B, D.1 to D.3 */
        } macs[] = {{"2B7E151628AED2A6ABF7158809CF4F3C",
                     {"BB1D6929E9593728", "070A16B46B4D4144", "DFA66747DE9AE630"}},
                    {"8E73B0F7DA0E6452C810F32B809079E562F8EAD2522C6B7B",
                     {"D17DDF46ADAACDE5", "9E99A7BF31E71090", "8A1DE5BE2EB31AAD"}},
                    {"603DEB1015CA71BE2B73AEF0857D77811F352C073B6108D72D9810A30914DFF4",
                     {"028962F61B7BF89E", "28A7023F452E8F82", "AAF3D8F1DE5640C2"}}};
        static const size_t sizes[] = {0, 16, 40};
        uint8_t out[16];
        UNHEX(fips_in, "00112233445566778899AABBCCDDEEFF");
        UNHEX(data,
              "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E5130C81C46A35CE411");

        for (size_t i = 0; i < 3; i++) {
            TEXT_HEX(key, ciphers[i].key);
            TEXT_HEX(mac_key, macs[i].key);
            ck_ok(emv_block_encipher(out, EMV_AES, key, fips_in.p));
            ck_hex(SPAN_OF(out), ciphers[i].out);
            for (size_t k = 0; k < 3; k++) {
                ck_ok(emv_cipher_mac(out, EMV_AES, mac_key, span_of(data.p, sizes[k])));
                ck_hex(span_of(out, 8), macs[i].macs[k]);
            }
            for (size_t n = 0; n <= key.n; n++)
                ck_assert_int_eq(emv_block_encipher(out, EMV_AES, span_of(key.p, n), fips_in.p),
                                 n == 16 || n == 24 || n == 32 ? TP_OK : TP_ERR_RANGE);
            ck_assert_int_eq(emv_block_encipher(out, EMV_TDES, key, fips_in.p),
                             i == 0 ? TP_OK : TP_ERR_RANGE);
        }
    }
END_TEST

/* What of no format is: github.com/knovichikhin/psec, tests/test_pinblock.py (the exceptions), but
 * for the last of each format. What is right is held by tests/vectors/calculator.json. */
START_TEST(pin_blocks_that_are_none)
    {
        static const struct {
            unsigned format;
            const char *block, *pan;
        } bad[] = {
            {0, "241261AAAAEDCBA9", "5555555551234567"}, /* control field */
            {0, "041261AAAAEDCB", "5555555551234567"},   /* size */
            {0, "0F1261AAAAEDCBA9", "5555555551234567"}, /* length */
            {0, "021261AAAAEDCBA9", "5555555551234567"},
            {0, "041261AAAAEDCBAA", "5555555551234567"}, /* filler */
            {0, "051261AAAAEDCBA9", "5555555551234567"}, /* digits */
            {0, "051261AAAAEDCBA9", "555555555123"},     /* card number */
            {0, "051261AAAAEDCBA9", "5555555551234A"},
            {1, "1312341234123412", ""},
            {1, "1D12341234123412", ""},
            {1, "1412A41234123412", ""},
            {2, "041234FFFFFFFFFF", ""},
            {2, "29123456789FFF", ""},
            {2, "2F123456789012FF", ""},
            {2, "22123456789012FF", ""},
            {2, "2C123456789012CF", ""},
            {2, "2C12345678901FFF", ""},
            {3, "241261AAAAEDCBA9", "5555555551234567"},
            {3, "341261AAAAEDCB", "5555555551234567"},
            {3, "3F1261AAAAEDCBA9", "5555555551234567"},
            {3, "321261AAAAEDCBA9", "5555555551234567"},
            {3, "341261AAAAEDCBA2", "5555555551234567"},
            {3, "351261AAAAEDCBA9", "5555555551234567"},
            {3, "351261AAAAEDCBA9", "555555555123"},
            {3, "351261AAAAEDCBA9", "5555555551234A"},
            {4, "441234AAAAAAAAAA548ED7FD6549595000", ""},
            {4, "341261AAAAEDCB", ""},
            {4, "541234AAAAAAAAAA548ED7FD65495950", ""},
            {4, "43123AAAAAAAAAAA548ED7FD65495950", ""},
            {4, "441234ABCDEFABCD548ED7FD65495950", ""},
            {4, "4412D4AAAAAAAAAA548ED7FD65495950", ""},
            {4, "", ""},
        };
        struct secret digits;

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            TEXT_HEX(block, bad[i].block);
            ck_assert_msg(pin_block_iso_parse(&digits, bad[i].format, block, bad[i].pan) ==
                              TP_ERR_FORMAT,
                          "%s", bad[i].block);
            ck_assert_ptr_null(digits.p);
        }
        UNHEX(good, "441234AAAAAAAAAA548ED7FD65495950");
        ck_ok(pin_block_iso_parse(&digits, 4, good, ""));
        ck_assert(span_eq(secret_span(&digits), span_str("1234")));
        secret_free(&digits);
        ck_assert_int_eq(pin_block_iso_parse(&digits, 5, good, ""), TP_ERR_RANGE);
    }
END_TEST

START_TEST(pin_blocks_that_cannot_be_made)
    {
        static const struct {
            unsigned format;
            const char *digits, *pan, *fill; /* fill: digits of 0 to 9 and :;<=>? for 10 to 15 */
        } bad[] = {
            {0, "123", "55555555555555", ""}, /* psec, as above */
            {0, "1234567890123", "55555555555555", ""},
            {0, "123:", "55555555555555", ""},
            {0, "1234", "555555555555", ""},
            {0, "1234", "5555555555555A", ""},
            {0, "1234", "55555555555555555555", ""},
            {1, "1234", "", "?"}, /* too few to fill up with */
            {3, "1234", "5555555551234567", "??9???????"},
            {4, "1234", "", "???????????????"},
        };
        struct secret block, again;

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            uint8_t fill[16];
            const size_t n = strlen(bad[i].fill);

            for (size_t k = 0; k < n; k++)
                fill[k] = (uint8_t)(bad[i].fill[k] - '0');
            ck_assert_msg(pin_block_iso_make(&block, bad[i].format, span_str(bad[i].digits),
                                             bad[i].pan, span_of(fill, n)) == TP_ERR_FORMAT,
                          "row %zu", i);
            ck_assert_ptr_null(block.p);
        }
        ck_assert_int_eq(pin_block_iso_make(&block, 5, span_str("1234"), "", span_of(NULL, 0)),
                         TP_ERR_RANGE);
        for (unsigned format = 1; format <= 4; format++) { /* what fills up is drawn */
            const bool drawn = format != 2;

            ck_ok(pin_block_iso_make(&block, format, span_str("1234"), "5555555551234567",
                                     span_of(NULL, 0)));
            ck_ok(pin_block_iso_make(&again, format, span_str("1234"), "5555555551234567",
                                     span_of(NULL, 0)));
            ck_assert_int_eq(span_eq(secret_span(&block), secret_span(&again)), !drawn);
            secret_free(&again);
            ck_ok(pin_block_iso_parse(&again, format, secret_span(&block), "5555555551234567"));
            ck_assert(span_eq(secret_span(&again), span_str("1234")));
            secret_free(&again);
            secret_free(&block);
        }
    }
END_TEST

/* Which kind of card 9F10 is of, and what of it the cryptogram covers: the jPOS and pyemv tests
 * that tests/vectors/calculator.json names; IssuerApplicationDataTest of jPOS. */
START_TEST(kinds_by_issuer_application_data)
    {
        static const struct {
            const char *iad, *kind, *covered;
        } good[] = {
            {"06010A03A40000", "10", "03A40000"},
            {"06010A03A020000F04000000000000000000006232E4F9", "10", "03A02000"},
            {"06011203000000", "18", "06011203000000"},
            {"1F22010020000000000000000007717300000000000000000000000000000000", "22",
             "1F22010020000000000000000007717300000000000000000000000000000000"},
            {"0FA506A231C0020000000000000000000F110601010000000000000000000000", "ccd-3des",
             "0FA506A231C0020000000000000000000F110601010000000000000000000000"},
            {"0110250000044000DAC10000000000000000", "16", "250000044000"},
            {"0114020000044000DAC10000000000000000", "20", "020000044000"},
            {"0111A00003220000000000000000000322FF", "17", "A0000322000000000000000322FF"},
            {"0115A00003220000000000000000000322FF", "21", "A0000322000000000000000322FF"},
            {"0111A000032200000000000102030405060708090A0B0C0D0E0F", "17",
             "A00003220000000102030405060708090A0B0C0D0E0F"},
            {"1501850440B100000000B00000000000000000000000", "133",
             "1501850440B100000000B00000000000000000000000"},
            {"07000103A04002010A010000001000D1F61152", "pboc", "03A04002"},
        };
        static const char *const bad[] = {
            "",
            "06",
            "9383",
            "06010A03A040",
            "06010B03A04000",
            "0F0000000000000000000000000000000F000000000000000000000000000000",
            "0110250000044000DAC100000000000000",
            "0112250000044000DAC10000000000000000",
            "1F2201002000000000000000000771730000000000000000000000000000",
            "07000103A04002",
            "0FA506A231C0020000000000000000000F11060101000000000000000000000000",
        };
        const struct emv_kind *kind = NULL;
        uint8_t room[64];

        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
            struct buf out = BUF_OF(room);
            TEXT_HEX(iad, good[i].iad);

            ck_ok(emv_iad_covered(&kind, &out, iad));
            ck_assert_str_eq(kind->name, good[i].kind);
            ck_hex(buf_span(&out), good[i].covered);
        }
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            struct buf out = BUF_OF(room);
            TEXT_HEX(iad, bad[i]);

            ck_assert_msg(emv_iad_covered(&kind, &out, iad) == TP_ERR_FORMAT && out.n == 0, "%s",
                          bad[i]);
        }
    }
END_TEST

/* Issuers and cards here have four of the kinds. */
START_TEST(kinds_that_are_issued)
    {
        enum emv_cvn cvn = EMV_CVN_10;
        const struct emv_kind *k;
        size_t n = 0;

        for (; (k = emv_kind_at(n)) != NULL; n++) {
            ck_assert_ptr_eq(emv_kind_find(k->name), k);
            ck_assert_int_eq(emv_cvn_parse(&cvn, k->name),
                             n < EMV_CVN_COUNT ? TP_OK : TP_ERR_NOT_FOUND);
            if (n < EMV_CVN_COUNT)
                ck_assert_str_eq(emv_cvn_name(cvn), k->name);
        }
        ck_assert_uint_eq(n, 11);
        ck_assert_ptr_null(emv_kind_find("19"));
    }
END_TEST

START_TEST(session_keys_that_are_not)
    {
        static const uint8_t room[32];
        static const struct emv_diversity from = {room, room, room};
        struct secret s;

        for (unsigned how = 0; how < EMV_SK_COUNT; how++) {
            const bool aes = how == EMV_SK_MASTER || how == EMV_SK_ATC || how == EMV_SK_ATC_UN ||
                             how == EMV_SK_AC;

            ck_assert_int_eq(emv_kind_session_key(&s, emv_kind_of(EMV_CCD_AES),
                                                  (enum emv_session)how, SPAN_OF(room), &from),
                             aes ? TP_OK : TP_ERR_NOT_FOUND);
            secret_free(&s);
            ck_assert_int_eq(emv_kind_session_key(&s, emv_kind_of(EMV_CVN_18),
                                                  (enum emv_session)how, span_of(room, 15), &from),
                             TP_ERR_RANGE);
            ck_assert_int_eq(emv_kind_session_key(&s, emv_kind_of(EMV_CVN_18),
                                                  (enum emv_session)how, span_of(room, 16), &from),
                             how == EMV_SK_UNKNOWN ? TP_ERR_NOT_FOUND : TP_OK);
            secret_free(&s);
        }
    }
END_TEST

START_TEST(verification_values_of_bad_data)
    {
        static const uint8_t atc[2] = {0x32, 0x10};
        char out[DCVV_DIGITS + 1];
        UNHEX(key, "13345779133457791334577913345779");

        ck_ok(dcvv_make(out, key, "123456789012", "1310", "226", atc));
        ck_assert_int_eq(dcvv_make(out, key, "12345678901", "1310", "226", atc), TP_ERR_FORMAT);
        ck_assert_int_eq(dcvv_make(out, key, "12345678901234567890", "1310", "226", atc),
                         TP_ERR_FORMAT);
        ck_assert_int_eq(dcvv_make(out, key, "12345678901x", "1310", "226", atc), TP_ERR_FORMAT);
        ck_assert_int_eq(dcvv_make(out, key, "123456789012", "131", "226", atc), TP_ERR_FORMAT);
        ck_assert_int_eq(dcvv_make(out, key, "123456789012", "1310", "22x", atc), TP_ERR_FORMAT);
        ck_assert_int_eq(dcvv_make(out, span_of(key.p, 8), "123456789012", "1310", "226", atc),
                         TP_ERR_RANGE);
    }
END_TEST

/* Book 3, table CCD 10, and VIS Appendix C: each fact from its bit. */
START_TEST(issuer_application_data)
    {
        struct emv_iad i;
        UNHEX(vis, "06010A03A06010");
        UNHEX(ccd, "0FA502965F808D0001020304050607080F112233445566778899AABBCCDDEEFF");
        static const char *const bad[] = {
            "",
            "06",
            "06010A03A060",
            "06011103A06010",
            "06010A04A06010",
            "06010AFFA06010",
            "06010A03F06010",
            "0FA4020000000000",
            "0FA402965F808D0001020304050607080F112233445566778899AABBCCDDEEFF",
            "0FA502965F808D0001020304050607080E112233445566778899AABBCCDDEEFF",
            "0FA502C65F808D0001020304050607080F112233445566778899AABBCCDDEEFF"};

        ck_ok(emv_iad_parse(&i, vis));
        ck_assert_int_eq(i.cvn, EMV_CVN_10);
        ck_assert_uint_eq(i.dki, 1);
        ck_hex(i.cvr, "03A06010");
        ck_assert_int_eq(i.second, EMV_AC_NONE);
        ck_assert_int_eq(i.first, EMV_ARQC);
        ck_assert(i.pin_tries_exceeded && i.offline_limit_exceeded && !i.new_card &&
                  !i.pin_performed && !i.script_failed);
        ck_assert_uint_eq(i.scripts, 1);
        ck_assert_int_eq(i.pin_tries, -1);
        ck_ok(emv_iad_parse(&i, ccd));
        ck_assert_int_eq(i.cvn, EMV_CCD_3DES);
        ck_assert_int_eq(i.second, EMV_AC_NONE);
        ck_assert_int_eq(i.first, EMV_TC);
        ck_assert(i.dda_performed && i.issuer_auth_not_performed && !i.cda_performed &&
                  !i.issuer_auth_failed);
        ck_assert_int_eq(i.pin_tries, 5);
        ck_assert(i.pin_performed && i.pin_failed && i.pin_tries_exceeded &&
                  i.last_online_not_completed && i.offline_limit_exceeded);
        ck_assert(i.script_failed && i.oda_failed && !i.go_online_set && i.unable_online);
        ck_assert_uint_eq(i.scripts, 8);
        ck_hex(i.counters, "0102030405060708");
        ck_hex(i.discretionary, "112233445566778899AABBCCDDEEFF");
        ck_assert(span_eq(emv_iad_signed(&i, ccd), ccd));
        for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
            uint8_t room[64];
            struct buf b = BUF_OF(room);

            ck_ok(hex_decode(&b, bad[k]));
            ck_assert_int_eq(emv_iad_parse(&i, buf_span(&b)), TP_ERR_FORMAT);
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
    tcase_add_test(t, options_a_and_b);
    tcase_add_test(t, pin_change_data);
    tcase_add_test(t, every_kind_as_python_computes_it);
    tcase_add_test(t, padding_and_chain_of_format_1);
    tcase_add_test(t, macs_of_format_1_are_short);
    tcase_add_test(t, arpcs_of_the_public_suite);
    tcase_add_test(t, visa_pin_change_commands);
    tcase_add_test(t, aes_as_published);
    tcase_add_test(t, issuer_application_data);
    tcase_add_test(t, pin_blocks_that_are_none);
    tcase_add_test(t, pin_blocks_that_cannot_be_made);
    tcase_add_test(t, kinds_by_issuer_application_data);
    tcase_add_test(t, kinds_that_are_issued);
    tcase_add_test(t, session_keys_that_are_not);
    tcase_add_test(t, verification_values_of_bad_data);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
