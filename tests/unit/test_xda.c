/* Elliptic curves: EC-SDSA, certificates, SDAD, ODE, authority keys; against
 * tests/vectors/xda-p256.json (computed by another program; its EC-SDSA gives the published vectors
 * of ISO/IEC 14888-3 that libecc carries), and with each thing of them broken. What is made here is
 * checked by tests/unit/check_xda.py too. */
#include "unit.h"

#include <jansson.h>
#include <stdio.h>

#include "crypto/capk.h"
#include "crypto/ecmake.h"
#include "crypto/ode.h"

#define PAN   "9990140000000018"
#define TODAY 20261129

static json_t *file, *chain;

static void load(void)
{
    char path[4096];
    json_error_t where;

    snprintf(path, sizeof(path), "%s/vectors/xda-p256.json", getenv("TESTS_SRCDIR"));
    file = json_load_file(path, 0, &where);
    ck_assert_msg(file != NULL, "%s: %s", path, where.text);
    chain = json_array_get(json_object_get(file, "chains"), 0);
}

static void unload(void)
{
    json_decref(file);
}

struct bytes {
    uint8_t p[512];
    size_t n;
};

static struct bytes vector(const json_t *in, const char *name)
{
    struct bytes b;
    struct buf to = BUF_OF(b.p);
    const char *text = json_string_value(json_object_get(in, name));

    ck_assert_msg(text != NULL, "no %s", name);
    ck_ok(hex_decode(&to, text));
    b.n = to.n;
    return b;
}

static struct span of(const struct bytes *b)
{
    return span_of(b->p, b->n);
}

/* ---- EC-SDSA ---- */

static void published(const char *name, uint8_t suite, bool lesser)
{
    const json_t *v = json_object_get(file, name);
    const struct bytes d = vector(v, "d"), k = vector(v, "k"), message = vector(v, "msg");
    const struct span part = of(&message);
    struct ec_privkey key;
    uint8_t signature[EC_SIGNATURE_MAX];
    bool good;

    ck_ok(ec_privkey_make(&key, ec_suite_signature(suite), of(&d)));
    ck_ok(ec_sign_with(signature, &key, of(&k), &part, 1));
    ck_hex(span_of(signature, ec_signature_size(key.pub.suite)),
           json_string_value(json_object_get(v, "sig")));
    ck_ok(
        ec_verify(&good, &key.pub, span_of(signature, ec_signature_size(key.pub.suite)), &part, 1));
    ck_assert(good == lesser);
    ec_privkey_free(&key);
}

START_TEST(published_signatures)
    {
        published("iso14888_3_ec_sdsa_opt_p256", 0x10, true);
        /* the key of this one has the greater y: x alone does not name it (Book 2, B2.2.4) */
        published("libecc_ec_sdsa_opt_p521", 0x11, false);
    }
END_TEST

START_TEST(own_signatures)
    {
        static const uint8_t suites[] = {0x10, 0x11};
        const struct span parts[] = {span_str("one"), span_str(""), span_str("two")};
        const struct span joined = span_str("onetwo");

        for (size_t s = 0; s < sizeof(suites); s++)
            for (int i = 0; i < 20; i++) {
                struct ec_privkey key, again;
                uint8_t raw[EC_SIGNATURE_MAX], y[EC_FIELD_MAX];
                bool good;

                ck_ok(ec_privkey_generate(&key, ec_suite_signature(suites[s])));
                ck_ok(ec_privkey_make(&again, key.pub.suite, secret_span(&key.d)));
                ck_assert(span_eq(ec_pubkey_x(&again.pub), ec_pubkey_x(&key.pub)));
                ck_ok(ec_pubkey_y(y, &key.pub));
                ck_ok(ec_sign(raw, &key, parts, 3));
                const struct span signature = span_of(raw, ec_signature_size(key.pub.suite));

                ck_ok(ec_verify(&good, &key.pub, signature, &joined, 1));
                ck_assert(good);
                for (size_t at = 0; at < signature.n; at += 7) {
                    raw[at] ^= 1;
                    ck_ok(ec_verify(&good, &key.pub, signature, &joined, 1));
                    ck_assert(!good);
                    raw[at] ^= 1;
                }
                ck_ok(ec_verify(&good, &key.pub, signature, parts, 2));
                ck_assert(!good);
                ck_ok(ec_verify(&good, &key.pub, span_of(raw, signature.n - 1), &joined, 1));
                ck_assert(!good);
                ec_privkey_free(&key);
                ec_privkey_free(&again);
            }
    }
END_TEST

/* A2.2.3, step e: r and s of 0, s of n and above. */
START_TEST(numbers_out_of_range)
    {
        UNHEX(order, "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
        UNHEX(field, "FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF");
        const struct ec_suite *suite = ec_suite_signature(0x10);
        const struct span message = span_str("abc");
        struct ec_privkey key;
        struct ec_pubkey pub;
        uint8_t raw[EC_SIGNATURE_MAX], zeros[32] = {0}, x[32];
        bool good;

        ck_ok(ec_privkey_generate(&key, suite));
        ck_ok(ec_sign(raw, &key, &message, 1));
        memcpy(raw + 32, order.p, 32);
        ck_ok(ec_verify(&good, &key.pub, span_of(raw, 64), &message, 1));
        ck_assert(!good);
        memset(raw + 32, 0, 32);
        ck_ok(ec_verify(&good, &key.pub, span_of(raw, 64), &message, 1));
        ck_assert(!good);
        memset(raw, 0, 32);
        raw[63] = 1;
        ck_ok(ec_verify(&good, &key.pub, span_of(raw, 64), &message, 1));
        ck_assert(!good);
        ck_assert_int_eq(ec_sign_with(raw, &key, SPAN_OF(zeros), &message, 1), TP_ERR_RANGE);
        ck_assert_int_eq(ec_sign_with(raw, &key, order, &message, 1), TP_ERR_RANGE);
        ec_privkey_free(&key);
        ck_assert_int_eq(ec_privkey_make(&key, suite, SPAN_OF(zeros)), TP_ERR_RANGE);
        ck_assert_int_eq(ec_privkey_make(&key, suite, order), TP_ERR_RANGE);
        ck_assert_int_eq(ec_privkey_make(&key, suite, span_of(order.p, 31)), TP_ERR_RANGE);
        /* x of no field element, of another length, and of which no point of P-256 has one: 0 is
         * on it, 1 is not (Python: pow(1 - 3 + b, (p + 1) // 4, p) is no root) */
        ck_assert_int_eq(ec_pubkey_make(&pub, suite, field), TP_ERR_RANGE);
        ck_assert_int_eq(ec_pubkey_make(&pub, suite, span_of(zeros, 31)), TP_ERR_RANGE);
        ck_ok(ec_pubkey_make(&pub, suite, SPAN_OF(zeros)));
        memset(x, 0, sizeof(x));
        x[31] = 1;
        ck_assert_int_eq(ec_pubkey_make(&pub, suite, SPAN_OF(x)), TP_ERR_RANGE);
        ck_assert_ptr_null(ec_suite_signature(0x00));
        ck_assert_ptr_null(ec_suite_signature(0x12));
        ck_assert_ptr_null(ec_suite_ode(0x10));
        ck_assert_uint_eq(ec_hash_size(1), 0);
    }
END_TEST

/* ---- the chain of the vectors ---- */

static struct ec_authority authority(void)
{
    const struct bytes raw = vector(chain, "ca_self_signed_table29");
    struct ec_authority a;
    enum emv_check check;

    ck_ok(ec_authority_check(&check, &a, of(&raw)));
    ck_assert_int_eq(check, EMV_CHECK_OK);
    return a;
}

START_TEST(authority_key)
    {
        struct bytes raw = vector(chain, "ca_self_signed_table29"), x = vector(chain, "ca_x"),
                     y = vector(chain, "ca_y");
        struct ec_authority a = authority();
        uint8_t own[EC_FIELD_MAX];
        enum emv_check check;

        ck_hex(SPAN_OF(a.rid), "F000000014");
        ck_assert_uint_eq(a.index, 2);
        ck_assert(span_eq(ec_pubkey_x(&a.key), of(&x)));
        ck_ok(ec_pubkey_y(own, &a.key));
        ck_assert(span_eq(span_of(own, 32), of(&y)));
        for (size_t n = 0; n < raw.n; n++) {
            ck_ok(ec_authority_check(&check, &a, span_of(raw.p, n)));
            ck_assert_int_eq(check, EMV_CHECK_LENGTH);
        }
        for (size_t i = 0; i < raw.n; i++) {
            raw.p[i] ^= 0x40;
            ck_ok(ec_authority_check(&check, &a, of(&raw)));
            ck_assert_int_ne(check, EMV_CHECK_OK);
            raw.p[i] ^= 0x40;
        }
    }
END_TEST

static enum emv_check check_issuer(struct emv_cert_info *info, struct span cert, const char *pan,
                                   int date)
{
    const struct ec_authority a = authority();
    enum emv_check check;

    ck_ok(ec_issuer_cert_check(&check, info, &a, cert, pan, date));
    return check;
}

static struct emv_cert_info issuer(void)
{
    const struct bytes cert = vector(chain, "90");
    struct emv_cert_info info;

    ck_assert_int_eq(check_issuer(&info, of(&cert), PAN, TODAY), EMV_CHECK_OK);
    return info;
}

/* Each byte of it changed, with the check that finds it first. */
START_TEST(issuer_certificate)
    {
        static const struct {
            size_t at;
            enum emv_check found;
        } rows[] = {
            {0, EMV_CHECK_FORMAT},     {1, EMV_CHECK_FORMAT},     {2, EMV_CHECK_IDENTIFIER},
            {7, EMV_CHECK_ALGORITHM},  {9, EMV_CHECK_SIGNATURE},  {14, EMV_CHECK_SIGNATURE},
            {15, EMV_CHECK_AUTHORITY}, {20, EMV_CHECK_AUTHORITY}, {21, EMV_CHECK_SIGNATURE},
            {52, EMV_CHECK_SIGNATURE}, {53, EMV_CHECK_SIGNATURE}, {116, EMV_CHECK_SIGNATURE}};
        struct bytes cert = vector(chain, "90");
        struct emv_cert_info info = issuer();

        ck_assert_str_eq(info.identifier, "999014");
        ck_assert_int_eq(info.expiry, 20301231);
        ck_hex(SPAN_OF(info.serial), "000001");
        ck_assert_uint_eq(info.ec.suite->signature, 0x10);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            cert.p[rows[i].at] ^= 0x02;
            ck_assert_int_eq(check_issuer(&info, of(&cert), PAN, TODAY), rows[i].found);
            ck_assert_ptr_null(info.ec.suite);
            cert.p[rows[i].at] ^= 0x02;
        }
        ck_assert_int_eq(check_issuer(&info, of(&cert), "9990150000000018", TODAY),
                         EMV_CHECK_IDENTIFIER);
        ck_assert_int_eq(check_issuer(&info, of(&cert), PAN, 20301231), EMV_CHECK_OK);
        ck_assert_int_eq(check_issuer(&info, of(&cert), PAN, 20310101), EMV_CHECK_EXPIRED);
        ck_assert_int_eq(check_issuer(&info, span_of(cert.p, 0), PAN, TODAY),
                         EMV_CHECK_DATA_MISSING);
        for (size_t n = 1; n < cert.n; n++)
            ck_assert_int_eq(check_issuer(&info, span_of(cert.p, n), PAN, TODAY), EMV_CHECK_LENGTH);
        cert.p[cert.n] = 0;
        ck_assert_int_eq(check_issuer(&info, span_of(cert.p, cert.n + 1), PAN, TODAY),
                         EMV_CHECK_LENGTH);
    }
END_TEST

static enum emv_check check_icc(struct emv_cert_info *info, enum emv_icc_key which,
                                struct span cert, struct span iccd, int date, int time)
{
    const struct emv_cert_info signer = issuer();
    enum emv_check check;

    ck_ok(ec_icc_cert_check(&check, info, which, &signer.ec, cert, iccd, date, time));
    return check;
}

START_TEST(card_certificate)
    {
        static const struct {
            size_t at;
            uint8_t flip;
            enum emv_check found;
        } rows[] = {{0, 1, EMV_CHECK_FORMAT},     {1, 1, EMV_CHECK_FORMAT},
                    {2, 2, EMV_CHECK_ALGORITHM},  {2, 1, EMV_CHECK_LENGTH},
                    {3, 0xF0, EMV_CHECK_EXPIRED}, {9, 1, EMV_CHECK_SIGNATURE},
                    {15, 1, EMV_CHECK_ALGORITHM}, {16, 3, EMV_CHECK_ALGORITHM},
                    {16, 1, EMV_CHECK_LENGTH},    {17, 1, EMV_CHECK_HASH},
                    {49, 1, EMV_CHECK_SIGNATURE}, {81, 1, EMV_CHECK_SIGNATURE},
                    {144, 1, EMV_CHECK_SIGNATURE}};
        struct bytes cert = vector(chain, "9F46"), pin = vector(chain, "9F2D"),
                     iccd = vector(chain, "iccd");
        struct emv_cert_info info;

        ck_assert_int_eq(check_icc(&info, EMV_ICC_KEY, of(&cert), of(&iccd), TODAY, 1200),
                         EMV_CHECK_OK);
        ck_assert_int_eq(info.expiry, 20301231);
        ck_assert_int_eq(info.expiry_time, 2359);
        ck_assert_int_eq(check_icc(&info, EMV_ICC_PIN_KEY, of(&pin), of(&iccd), TODAY, 1200),
                         EMV_CHECK_OK);
        ck_assert_uint_eq(info.ec.suite->ode, 0x00);
        /* neither stands for the other: their suites say what they are for */
        ck_assert_int_eq(check_icc(&info, EMV_ICC_PIN_KEY, of(&cert), of(&iccd), TODAY, 1200),
                         EMV_CHECK_ALGORITHM);
        ck_assert_int_eq(check_icc(&info, EMV_ICC_KEY, of(&pin), of(&iccd), TODAY, 1200),
                         EMV_CHECK_ALGORITHM);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            cert.p[rows[i].at] ^= rows[i].flip;
            ck_assert_int_eq(check_icc(&info, EMV_ICC_KEY, of(&cert), of(&iccd), TODAY, 1200),
                             rows[i].found);
            ck_assert_ptr_null(info.ec.suite);
            cert.p[rows[i].at] ^= rows[i].flip;
        }
        for (size_t n = 1; n < cert.n; n++)
            ck_assert_int_eq(
                check_icc(&info, EMV_ICC_KEY, span_of(cert.p, n), of(&iccd), TODAY, 1200),
                EMV_CHECK_LENGTH);
        ck_assert_int_eq(
            check_icc(&info, EMV_ICC_KEY, of(&cert), span_of(iccd.p, iccd.n - 1), TODAY, 1200),
            EMV_CHECK_HASH);
        /* strictly before its end; an issuer's certificate is good on its last day */
        ck_assert_int_eq(check_icc(&info, EMV_ICC_KEY, of(&cert), of(&iccd), 20301231, 2358),
                         EMV_CHECK_OK);
        ck_assert_int_eq(check_icc(&info, EMV_ICC_KEY, of(&cert), of(&iccd), 20301231, 2359),
                         EMV_CHECK_EXPIRED);
    }
END_TEST

static struct ec_pubkey card_key(void)
{
    const struct bytes cert = vector(chain, "9F46"), iccd = vector(chain, "iccd");
    struct emv_cert_info info;

    ck_assert_int_eq(check_icc(&info, EMV_ICC_KEY, of(&cert), of(&iccd), TODAY, 1200),
                     EMV_CHECK_OK);
    return info.ec;
}

START_TEST(signatures_of_generate_ac)
    {
        const json_t *first = json_object_get(chain, "gac1"),
                     *second = json_object_get(chain, "gac2");
        const struct bytes pdol = vector(first, "pdol_values"),
                           cdol1 = vector(first, "cdol1_values"),
                           answer1 = vector(first, "response_without_9F4B"),
                           cdol2 = vector(second, "cdol2_values"),
                           answer2 = vector(second, "response_without_9F4B"),
                           sdad2 = vector(second, "9F4B");
        struct bytes sdad1 = vector(first, "9F4B");
        const struct span parts1[] = {of(&pdol), of(&cdol1), of(&answer1)},
                          parts2[] = {of(&cdol2), of(&answer2)};
        const struct ec_pubkey key = card_key();
        enum emv_check check;

        ck_ok(ec_sdad_check(&check, &key, of(&sdad1), parts1, 3));
        ck_assert_int_eq(check, EMV_CHECK_OK);
        ck_ok(ec_sdad_check(&check, &key, of(&sdad2), parts2, 2));
        ck_assert_int_eq(check, EMV_CHECK_OK);
        ck_ok(ec_sdad_check(&check, &key, of(&sdad2), parts1, 3));
        ck_assert_int_eq(check, EMV_CHECK_SIGNATURE);
        ck_ok(ec_sdad_check(&check, &key, span_of(sdad1.p, sdad1.n - 1), parts1, 3));
        ck_assert_int_eq(check, EMV_CHECK_LENGTH);
        ck_ok(ec_sdad_check(&check, &key, span_of(NULL, 0), parts1, 3));
        ck_assert_int_eq(check, EMV_CHECK_DATA_MISSING);
        sdad1.p[0] = 0x05;
        ck_ok(ec_sdad_check(&check, &key, of(&sdad1), parts1, 3));
        ck_assert_int_eq(check, EMV_CHECK_FORMAT);
    }
END_TEST

/* ---- ODE ---- */

START_TEST(enciphered_pin)
    {
        const json_t *v = json_object_get(chain, "ode_pin"),
                     *secret = json_object_get(chain, "private");
        const struct bytes un = vector(v, "un"), d = vector(v, "ephemeral_d"), z = vector(v, "z"),
                           plain = vector(v, "plain"), want = vector(v, "enciphered_data"),
                           k1 = vector(v, "k1"), k2 = vector(v, "k2"),
                           ode_d = vector(secret, "ode");
        const struct ec_suite *suite = ec_suite_ode(0x00);
        struct ec_privkey ephemeral, card;
        struct ec_pubkey terminal;
        struct ode at_terminal, at_card;
        struct secret shared, message;
        uint8_t raw[128];
        struct buf data = BUF_OF(raw);

        ck_ok(ec_privkey_make(&ephemeral, suite, of(&d)));
        ck_ok(ec_privkey_make(&card, suite, of(&ode_d)));
        ck_ok(ec_agree(&shared, &ephemeral, &card.pub));
        ck_assert(span_eq(secret_span(&shared), of(&z)));
        secret_free(&shared);
        ck_ok(ode_agree(&at_terminal, &ephemeral, &card.pub, un.p));
        ck_assert(span_eq(span_of(at_terminal.keys.p, 16), of(&k1)));
        ck_assert(span_eq(span_of(at_terminal.keys.p + 16, 16), of(&k2)));
        ck_ok(buf_put(&data, ec_pubkey_x(&ephemeral.pub)));
        ck_ok(ode_encipher(&data, &at_terminal, of(&plain)));
        ck_assert(span_eq(buf_span(&data), of(&want)));

        ck_ok(ec_pubkey_make(&terminal, suite, span_of(raw, 32)));
        ck_ok(ode_agree(&at_card, &card, &terminal, un.p));
        raw[data.n - 1] ^= 1;
        ck_assert_int_eq(ode_decipher(&message, &at_card, span_of(raw + 32, data.n - 32)),
                         TP_ERR_SECURITY);
        raw[data.n - 1] ^= 1;
        for (size_t n = 0; n < data.n - 32; n++)
            ck_assert_int_eq(ode_decipher(&message, &at_card, span_of(raw + 32, n)),
                             TP_ERR_SECURITY);
        ck_ok(ode_decipher(&message, &at_card, span_of(raw + 32, data.n - 32)));
        ck_assert(span_eq(secret_span(&message), of(&plain)));
        secret_free(&message);
        /* each message is counted: the same once more is another one */
        ck_assert_int_eq(ode_decipher(&message, &at_card, span_of(raw + 32, data.n - 32)),
                         TP_ERR_SECURITY);
        data.n = 0;
        ck_ok(ode_encipher(&data, &at_terminal, of(&plain)));
        ck_ok(ode_decipher(&message, &at_card, buf_span(&data)));
        ck_assert(span_eq(secret_span(&message), of(&plain)));
        secret_free(&message);
        at_terminal.count = UINT16_MAX;
        ck_assert_int_eq(ode_encipher(&data, &at_terminal, of(&plain)), TP_ERR_RANGE);
        ode_end(&at_terminal);
        ode_end(&at_card);
        ec_privkey_free(&ephemeral);
        ec_privkey_free(&card);
    }
END_TEST

/* ---- what is made ---- */

START_TEST(made_and_checked)
    {
        static const uint8_t suites[][2] = {{0x10, 0x10}, {0x11, 0x11}, {0x10, 0x11}, {0x11, 0x10}};
        static const uint8_t serial[EC_ICC_SERIAL] = {1, 2, 3, 4, 5, 6};
        const struct span iccd = span_str("iccd"), part = span_str("signed");

        for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
            struct ec_authority_key ca = {{0xF0, 0, 0, 0, 0x14}, 7, {{NULL, 0}, {0}}};
            struct ec_privkey own, icc;
            struct ec_authority a;
            struct emv_cert_info of_issuer, of_icc;
            enum emv_check check;
            uint8_t raw[EC_CERT_MAX];
            struct buf out = BUF_OF(raw);

            ck_ok(ec_privkey_generate(&ca.key, ec_suite_signature(suites[i][0])));
            ck_ok(ec_privkey_generate(&own, ec_suite_signature(suites[i][0])));
            ck_ok(ec_privkey_generate(&icc, ec_suite_signature(suites[i][1])));
            ck_ok(ec_authority_make(&out, &ca));
            ck_ok(ec_authority_check(&check, &a, buf_span(&out)));
            ck_assert_int_eq(check, EMV_CHECK_OK);
            ck_assert_uint_eq(a.index, 7);
            out.n = 0;
            ck_ok(ec_issuer_cert_make(&out, &ca, &own.pub, "9990140000", 20301231, serial));
            ck_ok(ec_issuer_cert_check(&check, &of_issuer, &a, buf_span(&out), PAN, TODAY));
            ck_assert_int_eq(check, EMV_CHECK_OK);
            ck_assert_str_eq(of_issuer.identifier, "9990140000"); /* ten digits at most */
            for (int hash = EC_SHA256; hash <= EC_SHA512; hash++) {
                const struct ec_icc_wanted wanted = {EMV_ICC_KEY,        &icc.pub, iccd,
                                                     (enum ec_hash)hash, 20301231, serial};

                out.n = 0;
                ck_ok(ec_icc_cert_make(&out, &own, &wanted));
                ck_ok(ec_icc_cert_check(&check, &of_icc, EMV_ICC_KEY, &of_issuer.ec, buf_span(&out),
                                        iccd, TODAY, 0));
                ck_assert_int_eq(check, EMV_CHECK_OK);
            }
            out.n = 0;
            ck_ok(ec_sdad_make(&out, &icc, &part, 1));
            ck_ok(ec_sdad_check(&check, &of_icc.ec, buf_span(&out), &part, 1));
            ck_assert_int_eq(check, EMV_CHECK_OK);
            ec_privkey_free(&ca.key);
            ec_privkey_free(&own);
            ec_privkey_free(&icc);
        }
    }
END_TEST

/* ---- the list of authority keys ---- */

#define X "1E2AFB9E08DDD5A5EEAB9970485F559F350BEE78646B4A089DF18A6317D206E3"
#define Y "67AEDED364C7DA906FB326494F6E5774C3EA831AADB4FE83E7AB397E31912028"
/* p - Y */
#define Y_GREATER "9851212B9B382570904CD9B6B091A88B3C157CE6524B017C1854C681CE6EDFD7"
/* hashlib.sha256(bytes.fromhex("F0000000140210" + X + Y)) */
#define CHECKSUM "CE909FDF6389BB10376739452F147455E758D84AB24A1EFCCDC9501640D04D4C"

static enum tp_err take(struct capk_store *s, const char *key, struct tp_error *e)
{
    json_t *list = json_pack("{s:[o]}", "keys", json_loads(key, 0, NULL));
    enum tp_err r = capk_store_take(s, list, "list", e);

    if (r == TP_OK)
        r = capk_store_need(s, (const uint8_t[5]){0xF0, 0, 0, 0, 0x14}, e);
    json_decref(list);
    return r;
}

/* A list that holds nothing else. */
static enum tp_err alone(const char *key)
{
    struct capk_store *s;
    struct tp_error e = {0};
    enum tp_err r;

    ck_ok(capk_store_new(&s));
    r = take(s, key, &e);
    ck_assert_uint_eq(capk_count(s), 0);
    capk_store_free(&s);
    return r;
}

#define STORED(x, y, sum)                                                                          \
    "{\"rid\":\"F000000014\",\"index\":\"02\",\"suite\":\"10\",\"x\":\"" x "\",\"y\":\"" y         \
    "\",\"checksum\":\"" sum "\",\"environment\":\"test\"}"

START_TEST(authority_list)
    {
        const uint8_t rid[5] = {0xF0, 0, 0, 0, 0x14};
        const struct bytes self_signed = vector(chain, "ca_self_signed_table29");
        struct capk_store *s;
        struct tp_error e = {0};
        char text[1024], hex[1024];

        ck_ok(capk_store_new(&s));
        ck_assert_msg(take(s, STORED(X, Y, CHECKSUM), &e) == TP_OK, "%s", e.text);
        ck_assert_uint_eq(capk_count(s), 1);
        ck_assert_uint_eq(capk_bits(capk_at(s, 0)), 256);
        ck_assert_ptr_null(capk_find(s, SPAN_OF(rid), 2, 0));
        ck_assert_ptr_nonnull(capk_find_ec(s, SPAN_OF(rid), 2, 0));
        ck_assert_ptr_null(capk_find_ec(s, SPAN_OF(rid), 2, 1));
        snprintf(text, sizeof(text), "{\"self_signed\":\"%s\"}", hex_encode(hex, of(&self_signed)));
        ck_ok(take(s, text, &e)); /* the same key, as it was delivered */
        ck_assert_uint_eq(capk_count(s), 1);
        text[strlen(text) - 4] ^= 1; /* a digit of its signature */
        ck_assert_int_eq(alone(text), TP_ERR_SECURITY);
        ck_assert_int_eq(alone(STORED(X, Y, "00")), TP_ERR_FORMAT);
        ck_assert_int_eq(alone(STORED(X, Y, X)), TP_ERR_SECURITY);
        ck_assert_int_eq(alone(STORED(X, Y_GREATER, CHECKSUM)), TP_ERR_FORMAT);
        ck_assert_int_eq(alone(STORED(Y, X, CHECKSUM)), TP_ERR_FORMAT);
        capk_store_free(&s);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("xda");
    TCase *c = tcase_create("xda");

    tcase_add_unchecked_fixture(c, load, unload);
    tcase_add_test(c, published_signatures);
    tcase_add_test(c, own_signatures);
    tcase_add_test(c, numbers_out_of_range);
    tcase_add_test(c, authority_key);
    tcase_add_test(c, issuer_certificate);
    tcase_add_test(c, card_certificate);
    tcase_add_test(c, signatures_of_generate_ac);
    tcase_add_test(c, enciphered_pin);
    tcase_add_test(c, made_and_checked);
    tcase_add_test(c, authority_list);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
