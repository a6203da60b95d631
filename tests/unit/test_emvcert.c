/* EMV certificates and signatures, made and opened. */
#include "unit.h"

#include <jansson.h>
#include <stdio.h>

#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "base/file.h"
#include "crypto/capk.h"
#include "crypto/emvmake.h"

#define PAN    "9990140000000018"
#define IIN    "999014"
#define EXPIRY 20301231
#define TODAY  20261123

static const uint8_t serial[3] = {0x01, 0x02, 0x03};

/* Keys are dear: one set for all tests, in the default sizes of the test scheme. */
static struct emv_privkey *ca, *issuer, *icc;

static void make_keys(void)
{
    ck_ok(emv_privkey_generate(&ca, 1984, 3));
    ck_ok(emv_privkey_generate(&issuer, 1408, 65537));
    ck_ok(emv_privkey_generate(&icc, 1152, 3));
}

static void free_keys(void)
{
    emv_privkey_free(&ca);
    emv_privkey_free(&issuer);
    emv_privkey_free(&icc);
}

/* ---- a real card: tests/vectors/offline-data-authentication.json ---- */

static struct span tag_hex(const json_t *tags, const char *name, uint8_t *room, size_t cap)
{
    const char *text = json_string_value(json_object_get(tags, name));
    struct buf b = {room, 0, cap};

    if (text != NULL)
        ck_ok(hex_decode(&b, text));
    return buf_span(&b);
}

static json_t *load_vector(void)
{
    char path[4096];
    json_error_t where;

    snprintf(path, sizeof(path), "%s/vectors/offline-data-authentication.json",
             getenv("TESTS_SRCDIR"));
    json_t *file = json_load_file(path, 0, &where);

    ck_assert_msg(file != NULL, "%s: %s", path, where.text);
    json_t *v =
        json_incref(json_object_get(json_object_get(file, "vectors"), "mastercard-live05-cda"));

    ck_assert_ptr_nonnull(v);
    json_decref(file);
    return v;
}

/* The key among those with RID and index that opens the certificate; their count must be 2 for this
 * vector. */
static struct emv_cert_info open_issuer(const json_t *tags, const char *pan)
{
    char path[4096];
    uint8_t cert[248], remainder[248], exponent[3], index[1], aid[16];
    struct capk_store *store;
    struct emv_cert_info info = {0};
    size_t ok = 0, not_signed = 0;
    const struct capk *k;

    ck_ok(file_data_path(path, sizeof(path), "capk.json", NULL));
    ck_ok(capk_store_new(&store));
    ck_ok(capk_store_load(store, path, NULL));
    const struct span c = tag_hex(tags, "90", cert, sizeof(cert)),
                      rem = tag_hex(tags, "92", remainder, sizeof(remainder));
    const struct span e = tag_hex(tags, "9F32", exponent, sizeof(exponent));
    const struct span rid = {tag_hex(tags, "84", aid, sizeof(aid)).p, 5};

    tag_hex(tags, "8F", index, 1);
    for (size_t nth = 0; (k = capk_find(store, rid, index[0], nth)) != NULL; nth++) {
        enum emv_check outcome;
        struct emv_cert_info tried;

        ck_ok(emv_issuer_cert_check(&outcome, &tried, k->key, c, rem, e, pan, 20140601));
        ok += outcome == EMV_CHECK_OK;
        not_signed += outcome == EMV_CHECK_TRAILER || outcome == EMV_CHECK_LENGTH;
        if (outcome == EMV_CHECK_OK)
            info = tried;
    }
    ck_assert_uint_eq(ok, 1);
    ck_assert_uint_eq(not_signed, 1);
    capk_store_free(&store);
    return info;
}

START_TEST(real_card)
    {
        json_t *v = load_vector(), *tags = json_object_get(v, "tags");
        uint8_t cert[248], exponent[3], fixed[512], cdol1[256], response[512], sent_un[4];
        enum emv_check outcome;
        struct emv_dynamic dynamic;
        struct emv_cert_info of_issuer = open_issuer(tags, "5285881254345653"), of_icc;
        struct span parts[EMV_CDA_PARTS], sdad = {NULL, 0}, cid = {NULL, 0};
        struct tlv outer, o;
        size_t n = 0;

        ck_ok(emv_icc_cert_check(&outcome, &of_icc, EMV_ICC_KEY, of_issuer.key,
                                 tag_hex(tags, "9F46", cert, sizeof(cert)), span_of(NULL, 0),
                                 tag_hex(tags, "9F47", exponent, sizeof(exponent)),
                                 tag_hex(tags, "DF01", fixed, sizeof(fixed)), "5285881254345653",
                                 20140601));
        ck_assert_int_eq(outcome, EMV_CHECK_OK);
        ck_assert_str_eq(of_icc.identifier, "5285881254345653");
        parts[n++] = tag_hex(tags, "DF03", cdol1, sizeof(cdol1));
        struct span in = tag_hex(tags, "DF05", response, sizeof(response));

        ck_ok(tlv_next(&in, &outer));
        for (in = outer.value; tlv_next(&in, &o) == TP_OK;) {
            if (o.tag == TAG_SDAD)
                sdad = o.value;
            else
                parts[n++] = o.raw;
            if (o.tag == TAG_CID)
                cid = o.value;
        }
        ck_assert_uint_eq(cid.n, 1);
        ck_ok(emv_cda_check(&outcome, &dynamic, of_icc.key, sdad,
                            tag_hex(tags, "9F37", sent_un, sizeof(sent_un)), cid.p[0], parts, n));
        ck_assert_int_eq(outcome, EMV_CHECK_OK);
        const json_t *expect = json_object_get(v, "expect");

        ck_hex(dynamic.ac, json_string_value(json_object_get(expect, "ac")));
        ck_hex(span_of(&dynamic.cid, 1), json_string_value(json_object_get(expect, "cid")));
        emv_pubkey_free(&of_issuer.key);
        emv_pubkey_free(&of_icc.key);
        json_decref(v);
    }
END_TEST

/* ---- making and checking ---- */

static enum emv_check check_issuer(struct emv_cert_info *info, const struct emv_cert_made *m,
                                   struct emv_privkey *signer, struct span exponent,
                                   const char *pan, int date)
{
    enum emv_check outcome;

    ck_ok(emv_issuer_cert_check(&outcome, info, emv_privkey_public(signer),
                                span_of(m->cert, m->cert_n), span_of(m->remainder, m->remainder_n),
                                exponent, pan, date));
    ck_assert(outcome == EMV_CHECK_OK ? info->key != NULL : info->key == NULL);
    return outcome;
}

static enum emv_check check_icc(struct emv_cert_info *info, const struct emv_cert_made *m,
                                struct emv_privkey *signer, struct span exponent, struct span fixed,
                                const char *pan, int date)
{
    enum emv_check outcome;

    ck_ok(emv_icc_cert_check(&outcome, info, EMV_ICC_KEY, emv_privkey_public(signer),
                             span_of(m->cert, m->cert_n), span_of(m->remainder, m->remainder_n),
                             exponent, fixed, pan, date));
    ck_assert(outcome == EMV_CHECK_OK ? info->key != NULL : info->key == NULL);
    return outcome;
}

static const uint8_t static_data[] = {0x5A, 0x08, 0x99, 0x90, 0x14, 0x00,
                                      0x00, 0x00, 0x00, 0x18, 0x18, 0x00};

START_TEST(round_trips_over_sizes)
    {
        static const unsigned sizes[][2] = {{1984, 1984}, {1984, 1696}, {1984, 1704}, {1984, 1408},
                                            {1408, 1408}, {1152, 512},  {1024, 1024}, {512, 512}};

        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            for (unsigned x = 0; x < 2; x++) {
                struct emv_privkey *upper, *lower;
                struct emv_cert_made m;
                struct emv_cert_info info;

                ck_ok(emv_privkey_generate(&upper, sizes[i][0], x == 0 ? 65537 : 3));
                ck_ok(emv_privkey_generate(&lower, sizes[i][1], x == 0 ? 3 : 65537));
                struct emv_pubkey *key = emv_privkey_public(lower);
                const size_t upper_n = sizes[i][0] / 8, lower_n = sizes[i][1] / 8;

                ck_ok(emv_issuer_cert_make(&m, upper, key, IIN, EXPIRY, serial));
                ck_assert_uint_eq(m.cert_n, upper_n);
                ck_assert_uint_eq(m.remainder_n, lower_n > upper_n - 36 ? lower_n - (upper_n - 36)
                                                                        : 0); /* Book 2, table 6 */
                ck_assert_int_eq(
                    check_issuer(&info, &m, upper, emv_pubkey_exponent(key), PAN, TODAY),
                    EMV_CHECK_OK);
                ck_assert(span_eq(emv_pubkey_modulus(info.key), emv_pubkey_modulus(key)));
                ck_assert(span_eq(emv_pubkey_exponent(info.key), emv_pubkey_exponent(key)));
                ck_assert_str_eq(info.identifier, IIN);
                ck_assert_int_eq(info.expiry, EXPIRY);
                ck_assert(memcmp(info.serial, serial, 3) == 0);
                emv_pubkey_free(&info.key);

                ck_ok(emv_icc_cert_make(&m, EMV_ICC_KEY, upper, key, SPAN_OF(static_data), PAN,
                                        EXPIRY, serial));
                ck_assert_uint_eq(m.remainder_n, lower_n > upper_n - 42 ? lower_n - (upper_n - 42)
                                                                        : 0); /* Book 2, table 14 */
                ck_assert_int_eq(check_icc(&info, &m, upper, emv_pubkey_exponent(key),
                                           SPAN_OF(static_data), PAN, TODAY),
                                 EMV_CHECK_OK);
                ck_assert(span_eq(emv_pubkey_modulus(info.key), emv_pubkey_modulus(key)));
                ck_assert_str_eq(info.identifier, PAN);
                emv_pubkey_free(&info.key);
                emv_privkey_free(&upper);
                emv_privkey_free(&lower);
            }
        }
    }
END_TEST

START_TEST(pin_key_certificate_leaves_static_data_out)
    {
        struct emv_cert_made m;
        struct emv_cert_info info;
        enum emv_check outcome;
        struct emv_pubkey *key = emv_privkey_public(icc), *by = emv_privkey_public(issuer);

        ck_ok(emv_icc_cert_make(&m, EMV_ICC_PIN_KEY, issuer, key, SPAN_OF(static_data), PAN, EXPIRY,
                                serial));
        ck_ok(emv_icc_cert_check(&outcome, &info, EMV_ICC_PIN_KEY, by, span_of(m.cert, m.cert_n),
                                 span_of(m.remainder, m.remainder_n), emv_pubkey_exponent(key),
                                 span_of(NULL, 0), PAN, TODAY));
        ck_assert_int_eq(outcome, EMV_CHECK_OK);
        emv_pubkey_free(&info.key);
        ck_assert_int_eq(check_icc(&info, &m, issuer, emv_pubkey_exponent(key),
                                   SPAN_OF(static_data), PAN, TODAY),
                         EMV_CHECK_HASH);
    }
END_TEST

START_TEST(every_flipped_byte_of_a_certificate_fails)
    {
        struct emv_cert_made m;
        struct emv_cert_info info;
        uint8_t fixed[sizeof(static_data)], exponent[3] = {3};
        const struct span e = {exponent, 1};

        memcpy(fixed, static_data, sizeof(fixed));
        ck_ok(emv_icc_cert_make(&m, EMV_ICC_KEY, issuer, emv_privkey_public(icc), SPAN_OF(fixed),
                                PAN, EXPIRY, serial));
        ck_assert_uint_gt(m.remainder_n, 0);
        struct span areas[] = {
            {m.cert, m.cert_n}, {m.remainder, m.remainder_n}, {exponent, 1}, SPAN_OF(fixed)};

        for (size_t a = 0; a < sizeof(areas) / sizeof(areas[0]); a++) {
            for (size_t i = 0; i < areas[a].n; i++) {
                uint8_t *at =
                    (uint8_t *)(uintptr_t)areas[a].p + i; /* each area is one of the arrays above */

                for (unsigned bit = 0; bit < 8; bit++) {
                    *at ^= (uint8_t)(1U << bit);
                    ck_assert_int_ne(check_icc(&info, &m, issuer, e, SPAN_OF(fixed), PAN, TODAY),
                                     EMV_CHECK_OK);
                    *at ^= (uint8_t)(1U << bit);
                }
            }
        }
        ck_assert_int_eq(check_icc(&info, &m, issuer, e, SPAN_OF(fixed), PAN, TODAY), EMV_CHECK_OK);
        emv_pubkey_free(&info.key);
    }
END_TEST

/* The issuer certificate with one byte of its block changed before the authority signs it: a defect
 * with a right signature. */
static enum emv_check defect(size_t at, uint8_t value)
{
    struct emv_cert_made m;
    struct emv_cert_info info;
    uint8_t block[EMV_RSA_MAX];
    struct emv_pubkey *key = emv_privkey_public(issuer), *by = emv_privkey_public(ca);
    const size_t n = emv_pubkey_size(by);

    ck_ok(emv_issuer_cert_make(&m, ca, key, IIN, EXPIRY, serial));
    ck_ok(emv_rsa_recover(by, span_of(m.cert, n), block));
    ck_assert_uint_ne(block[at], value);
    block[at] = value;
    ck_ok(emv_rsa_sign(ca, span_of(block, n), m.cert));
    return check_issuer(&info, &m, ca, emv_pubkey_exponent(key), PAN, TODAY);
}

START_TEST(defects_of_certificates_have_names)
    {
        struct emv_cert_made m;
        struct emv_cert_info info;
        struct emv_pubkey *key = emv_privkey_public(issuer);
        const struct span e = emv_pubkey_exponent(key);

        ck_assert_int_eq(defect(247, 0xBB), EMV_CHECK_TRAILER);
        ck_assert_int_eq(defect(0, 0x60), EMV_CHECK_HEADER);
        ck_assert_int_eq(defect(1, 0x04), EMV_CHECK_FORMAT);
        ck_assert_int_eq(defect(11, 0x02), EMV_CHECK_ALGORITHM); /* hash algorithm */
        ck_assert_int_eq(defect(12, 0x02), EMV_CHECK_HASH);      /* anything the hash covers */
        ck_assert_int_eq(defect(230, 0x00), EMV_CHECK_HASH);
        ck_ok(emv_issuer_cert_make(&m, ca, key, IIN, EXPIRY, serial));
        ck_assert_int_eq(check_issuer(&info, &m, ca, e, "9990150000000017", TODAY),
                         EMV_CHECK_IDENTIFIER);
        ck_assert_int_eq(check_issuer(&info, &m, ca, e, PAN, 20310101), EMV_CHECK_EXPIRED);
        ck_assert_int_eq(check_issuer(&info, &m, ca, e, PAN, EXPIRY),
                         EMV_CHECK_OK); /* its last day still counts */
        emv_pubkey_free(&info.key);
        ck_assert_int_eq(check_issuer(&info, &m, issuer, e, PAN, TODAY), EMV_CHECK_LENGTH);
        ck_assert_int_eq(check_issuer(&info, &m, ca, span_of(NULL, 0), PAN, TODAY),
                         EMV_CHECK_DATA_MISSING);
        m.cert_n = 0;
        ck_assert_int_eq(check_issuer(&info, &m, ca, e, PAN, TODAY), EMV_CHECK_DATA_MISSING);
        ck_ok(emv_issuer_cert_make(&m, ca, key, "12", EXPIRY,
                                   serial)); /* fewer than 3 digits match every card */
        ck_assert_int_eq(check_issuer(&info, &m, ca, e, "1290140000000018", TODAY),
                         EMV_CHECK_IDENTIFIER);
        ck_ok(emv_issuer_cert_make(&m, ca, key, IIN, 20300000, serial)); /* month 00 */
        ck_assert_int_eq(check_issuer(&info, &m, ca, e, PAN, TODAY), EMV_CHECK_EXPIRED);
        memset(m.cert, 0xFF, m.cert_n); /* not below any modulus */
        ck_assert_int_eq(check_issuer(&info, &m, ca, e, PAN, TODAY), EMV_CHECK_TRAILER);
        ck_ok(emv_icc_cert_make(&m, EMV_ICC_KEY, issuer, emv_privkey_public(icc),
                                SPAN_OF(static_data), PAN, EXPIRY, serial));
        const struct span three = emv_pubkey_exponent(emv_privkey_public(icc));

        ck_assert_int_eq(
            check_icc(&info, &m, issuer, three, SPAN_OF(static_data), "9990140000000026", TODAY),
            EMV_CHECK_IDENTIFIER);
        ck_assert_int_eq(
            check_icc(&info, &m, issuer, three, SPAN_OF(static_data), "999014000000001", TODAY),
            EMV_CHECK_IDENTIFIER);
        ck_assert_int_eq(check_icc(&info, &m, issuer, three, span_of(static_data, 11), PAN, TODAY),
                         EMV_CHECK_HASH);
        m.remainder_n =
            0; /* Book 3, table 35: the length that the certificate names says that there is one */
        ck_assert_int_eq(check_icc(&info, &m, issuer, three, SPAN_OF(static_data), PAN, TODAY),
                         EMV_CHECK_DATA_MISSING);
        for (unsigned c = 0; c < EMV_CHECK_COUNT; c++) {
            ck_assert_uint_le(strlen(emv_check_name((enum emv_check)c)) + strlen("ISSUER_CERT_"),
                              25);
            ck_assert_uint_gt(strlen(emv_check_text((enum emv_check)c)), 0);
        }
    }
END_TEST

START_TEST(signed_static_data)
    {
        const uint8_t dac[2] = {0xDA, 0xC1};
        uint8_t ssad[EMV_RSA_MAX], got[2] = {0};
        enum emv_check outcome;
        struct emv_pubkey *key = emv_privkey_public(issuer);
        const struct span s = {ssad, emv_pubkey_size(key)};

        ck_ok(emv_ssad_make(ssad, issuer, dac, SPAN_OF(static_data)));
        ck_ok(emv_ssad_check(&outcome, got, key, s, SPAN_OF(static_data)));
        ck_assert_int_eq(outcome, EMV_CHECK_OK);
        ck_hex(SPAN_OF(got), "DAC1");
        ck_ok(emv_ssad_check(&outcome, got, key, s, span_of(static_data, 3)));
        ck_assert_int_eq(outcome, EMV_CHECK_HASH);
        for (size_t i = 0; i < s.n; i++) {
            ssad[i] ^= 0x10;
            ck_ok(emv_ssad_check(&outcome, got, key, s, SPAN_OF(static_data)));
            ck_assert_int_ne(outcome, EMV_CHECK_OK);
            ssad[i] ^= 0x10;
        }
        ck_ok(emv_ssad_check(&outcome, got, key, span_of(ssad, s.n - 1), SPAN_OF(static_data)));
        ck_assert_int_eq(outcome, EMV_CHECK_LENGTH);
    }
END_TEST

/* ---- dynamic signatures ---- */

static const uint8_t un[4] = {0x12, 0x34, 0x57, 0x79};
static const uint8_t signed_parts[] = {0x01, 0x02, 0x03, 0x9F, 0x27, 0x01, 0x40};

/* ICC dynamic data of a CDA: number, CID 40, AC, hash of signed_parts (SHA-1 by sha1sum of the
 * seven bytes). */
#define DYNAMIC_HEAD "08A1A2A3A4A5A6A7A8"
#define CDA_DATA     DYNAMIC_HEAD "40C1C2C3C4C5C6C7C8" DATA_HASH
#define DATA_HASH    "FB0D70E810BC61C5E0C4F8ECACB1CC958CC81966"

static enum emv_check check_cda(struct emv_dynamic *d, const char *dynamic_data, uint8_t cid,
                                struct span sent_un)
{
    uint8_t sdad[EMV_RSA_MAX], raw[128];
    struct buf b = BUF_OF(raw);
    struct emv_pubkey *key = emv_privkey_public(icc);
    const struct span parts[2] = {{signed_parts, 3}, {signed_parts + 3, 4}};
    enum emv_check outcome;

    ck_ok(hex_decode(&b, dynamic_data));
    ck_ok(emv_sdad_make(sdad, icc, buf_span(&b), SPAN_OF(un)));
    ck_ok(emv_cda_check(&outcome, d, key, span_of(sdad, emv_pubkey_size(key)), sent_un, cid, parts,
                        2));
    return outcome;
}

START_TEST(combined_signature)
    {
        const uint8_t other[4] = {0x12, 0x34, 0x57, 0x78};
        struct emv_dynamic d;

        ck_assert_int_eq(check_cda(&d, CDA_DATA, 0x40, SPAN_OF(un)), EMV_CHECK_OK);
        ck_assert_uint_eq(d.cid, 0x40);
        ck_hex(d.ac, "C1C2C3C4C5C6C7C8");
        ck_hex(d.icc_dynamic_number, "A1A2A3A4A5A6A7A8");
        ck_hex(d.data_hash, DATA_HASH);
        ck_assert_int_eq(check_cda(&d, CDA_DATA, 0x80, SPAN_OF(un)), EMV_CHECK_CID);
        ck_assert_int_eq(check_cda(&d, CDA_DATA, 0x40, SPAN_OF(other)), EMV_CHECK_HASH);
        ck_assert_int_eq(
            check_cda(&d, DYNAMIC_HEAD "40C1C2C3C4C5C6C7C80000000000000000000000000000000000000000",
                      0x40, SPAN_OF(un)),
            EMV_CHECK_DATA_HASH);
        ck_assert_int_eq(check_cda(&d, DYNAMIC_HEAD "40C1C2C3C4C5C6C7C8", 0x40, SPAN_OF(un)),
                         EMV_CHECK_DYNAMIC_DATA); /* no data hash */
        ck_assert_int_eq(check_cda(&d, "01A140C1C2C3C4C5C6C7C8" DATA_HASH, 0x40, SPAN_OF(un)),
                         EMV_CHECK_DYNAMIC_DATA);
        ck_assert_int_eq(
            check_cda(&d, "09A1A2A3A4A5A6A7A8A940C1C2C3C4C5C6C7C8" DATA_HASH, 0x40, SPAN_OF(un)),
            EMV_CHECK_DYNAMIC_DATA);
        ck_assert_int_eq(check_cda(&d, "08A1", 0x40, SPAN_OF(un)), EMV_CHECK_DYNAMIC_DATA);
        ck_assert_int_eq(check_cda(&d, "", 0x40, SPAN_OF(un)), EMV_CHECK_DYNAMIC_DATA);
    }
END_TEST

/* Book 2, 6.5.2, steps 1 to 7: what the ICC dynamic data hold is nobody's matter there. A number is
 * taken where there is one. */
START_TEST(dynamic_data_of_any_shape_do_for_dda)
    {
        static const struct {
            const char *data, *number;
        } all[] = {{"03A1A2A3", "A1A2A3"}, {"01A1", ""}, {"09A1A2A3A4A5A6A7A8A9", ""},
                   {"08A1", ""},           {"", ""},     {"FF", ""}};

        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
            uint8_t sdad[EMV_RSA_MAX], raw[128];
            struct buf b = BUF_OF(raw);
            struct emv_pubkey *key = emv_privkey_public(icc);
            struct emv_dynamic d;
            enum emv_check outcome;

            ck_ok(hex_decode(&b, all[i].data));
            ck_ok(emv_sdad_make(sdad, icc, buf_span(&b), SPAN_OF(un)));
            ck_ok(
                emv_dda_check(&outcome, &d, key, span_of(sdad, emv_pubkey_size(key)), SPAN_OF(un)));
            ck_assert_int_eq(outcome, EMV_CHECK_OK);
            ck_hex(d.icc_dynamic_number, all[i].number);
        }
    }
END_TEST

START_TEST(dynamic_signature_and_its_defects)
    {
        UNHEX(data, DYNAMIC_HEAD);
        uint8_t sdad[EMV_RSA_MAX], block[EMV_RSA_MAX];
        struct emv_pubkey *key = emv_privkey_public(icc);
        struct emv_dynamic d;
        const size_t n = emv_pubkey_size(key);
        const struct span s = {sdad, n};
        enum emv_check outcome;
        static const struct {
            size_t at;
            uint8_t value;
            enum emv_check expected;
        } defects[] = {{143, 0xBD, EMV_CHECK_TRAILER}, {0, 0x6B, EMV_CHECK_HEADER},
                       {1, 0x03, EMV_CHECK_FORMAT},    {2, 0x02, EMV_CHECK_ALGORITHM},
                       {3, 0x10, EMV_CHECK_HASH},      {142, 0x00, EMV_CHECK_HASH}};

        ck_ok(emv_sdad_make(sdad, icc, data, SPAN_OF(un)));
        ck_ok(emv_dda_check(&outcome, &d, key, s, SPAN_OF(un)));
        ck_assert_int_eq(outcome, EMV_CHECK_OK);
        ck_hex(d.icc_dynamic_number, "A1A2A3A4A5A6A7A8");
        ck_ok(emv_rsa_recover(key, s, block));
        for (size_t i = 0; i < sizeof(defects) / sizeof(defects[0]); i++) {
            const uint8_t good = block[defects[i].at];

            ck_assert_uint_ne(good, defects[i].value);
            block[defects[i].at] = defects[i].value;
            ck_ok(emv_rsa_sign(icc, span_of(block, n), sdad));
            ck_ok(emv_dda_check(&outcome, &d, key, s, SPAN_OF(un)));
            ck_assert_int_eq(outcome, defects[i].expected);
            block[defects[i].at] = good;
        }
        ck_ok(emv_rsa_sign(icc, span_of(block, n), sdad));
        for (size_t i = 0; i < n; i++) {
            sdad[i] ^= 0x01;
            ck_ok(emv_dda_check(&outcome, &d, key, s, SPAN_OF(un)));
            ck_assert_int_ne(outcome, EMV_CHECK_OK);
            sdad[i] ^= 0x01;
        }
    }
END_TEST

START_TEST(dynamic_data_must_fit_the_key)
    {
        uint8_t data[EMV_RSA_MAX] = {8}, sdad[EMV_RSA_MAX];
        struct emv_dynamic d;
        enum emv_check outcome;
        struct emv_pubkey *key = emv_privkey_public(icc);
        const size_t most = emv_pubkey_size(key) - 25; /* Book 2, 6.5.1 */

        ck_ok(emv_sdad_make(sdad, icc, span_of(data, most), SPAN_OF(un)));
        ck_ok(emv_dda_check(&outcome, &d, key, span_of(sdad, emv_pubkey_size(key)), SPAN_OF(un)));
        ck_assert_int_eq(outcome, EMV_CHECK_OK);
        ck_assert_int_eq(emv_sdad_make(sdad, icc, span_of(data, most + 1), SPAN_OF(un)),
                         TP_ERR_RANGE);
        ck_assert_int_eq(emv_sdad_make(sdad, icc, span_of(data, sizeof(data)), SPAN_OF(un)),
                         TP_ERR_RANGE);
    }
END_TEST

/* The first use of a key computes otherwise than the later ones, and an exponent of 3 otherwise
 * than F4: all undo the signature, also of numbers that begin with many zeros. */
START_TEST(every_use_of_a_key_recovers_the_same)
    {
        struct emv_privkey *const keys[] = {ca, issuer, icc};

        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
            struct emv_pubkey *k, *own = emv_privkey_public(keys[i]);
            const size_t n = emv_pubkey_size(own);

            ck_ok(emv_pubkey_new(&k, emv_pubkey_modulus(own), emv_pubkey_exponent(own)));
            for (size_t zeros = 0; zeros <= n; zeros++) {
                uint8_t plain[EMV_RSA_MAX] = {0}, raised[EMV_RSA_MAX], out[EMV_RSA_MAX];

                memset(plain + zeros, 0x6A, n - zeros);
                ck_ok(emv_rsa_sign(keys[i], span_of(plain, n), raised));
                for (unsigned use = 0; use < 2; use++) {
                    memset(out, 0xFF, sizeof(out));
                    ck_ok(emv_rsa_recover(k, span_of(raised, n), out));
                    ck_assert_mem_eq(out, plain, n);
                }
                /* a number with zeros in front goes in, too */
                ck_ok(emv_rsa_recover(k, span_of(plain, n), out));
                ck_ok(emv_rsa_sign(keys[i], span_of(out, n), raised));
                ck_assert_mem_eq(raised, plain, n);
            }
            emv_pubkey_free(&k);
        }
    }
END_TEST

/* ---- keys ---- */

START_TEST(keys_out_of_bounds)
    {
        uint8_t modulus[249];
        const uint8_t three[] = {3}, five[] = {5}, padded[] = {0, 0, 3};
        struct emv_pubkey *k;
        struct emv_privkey *p;

        memset(modulus, 0xC1, sizeof(modulus));
        ck_assert_int_eq(emv_pubkey_new(&k, span_of(modulus, 249), SPAN_OF(three)), TP_ERR_RANGE);
        ck_assert_int_eq(emv_pubkey_new(&k, span_of(modulus, 63), SPAN_OF(three)), TP_ERR_RANGE);
        ck_assert_int_eq(emv_pubkey_new(&k, span_of(modulus, 128), SPAN_OF(five)), TP_ERR_RANGE);
        ck_assert_int_eq(emv_pubkey_new(&k, span_of(modulus, 128), span_of(NULL, 0)), TP_ERR_RANGE);
        ck_ok(emv_pubkey_new(&k, span_of(modulus, 128), SPAN_OF(padded)));
        ck_hex(emv_pubkey_exponent(k), "03");
        uint8_t out[128];

        ck_assert_int_eq(emv_rsa_recover(k, span_of(modulus, 128), out),
                         TP_ERR_FORMAT); /* not below the modulus */
        ck_assert_int_eq(emv_rsa_recover(k, span_of(modulus, 127), out), TP_ERR_FORMAT);
        emv_pubkey_free(&k);
        modulus[127] = 0xC0;
        ck_assert_int_eq(emv_pubkey_new(&k, span_of(modulus, 128), SPAN_OF(three)), TP_ERR_RANGE);
        modulus[127] = 0xC1;
        modulus[0] = 0x41;
        ck_assert_int_eq(emv_pubkey_new(&k, span_of(modulus, 128), SPAN_OF(three)), TP_ERR_RANGE);
        ck_assert_int_eq(emv_privkey_generate(&p, 1992, 3), TP_ERR_RANGE);
        ck_assert_int_eq(emv_privkey_generate(&p, 1153, 3), TP_ERR_RANGE);
        ck_assert_int_eq(emv_privkey_generate(&p, 1152, 17), TP_ERR_RANGE);
        ck_assert_ptr_null(p);
    }
END_TEST

START_TEST(private_keys_are_kept_as_pkcs8)
    {
        struct secret der;
        struct emv_privkey *again = NULL;
        uint8_t in[144], a[144], b[144];

        memset(in, 0x11, sizeof(in));
        ck_ok(emv_privkey_export(&der, icc));
        ck_ok(emv_privkey_import(&again, secret_span(&der)));
        ck_ok(emv_rsa_sign(icc, SPAN_OF(in), a));
        ck_ok(emv_rsa_sign(again, SPAN_OF(in), b));
        ck_assert(memcmp(a, b, sizeof(a)) == 0);
        emv_privkey_free(&again);
        for (size_t n = 0; n < der.n; n += 7) {
            ck_assert_int_ne(emv_privkey_import(&again, span_of(der.p, n)), TP_OK);
            ck_assert_ptr_null(again);
        }
        secret_free(&der);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("emvcert");
    TCase *t = tcase_create("emvcert");

    tcase_set_timeout(t, 120); /* keys of odd sizes are searched for, also under the sanitizers */
    tcase_add_unchecked_fixture(t, make_keys, free_keys);
    tcase_add_test(t, real_card);
    tcase_add_test(t, round_trips_over_sizes);
    tcase_add_test(t, pin_key_certificate_leaves_static_data_out);
    tcase_add_test(t, every_flipped_byte_of_a_certificate_fails);
    tcase_add_test(t, defects_of_certificates_have_names);
    tcase_add_test(t, signed_static_data);
    tcase_add_test(t, combined_signature);
    tcase_add_test(t, dynamic_data_of_any_shape_do_for_dda);
    tcase_add_test(t, dynamic_signature_and_its_defects);
    tcase_add_test(t, dynamic_data_must_fit_the_key);
    tcase_add_test(t, every_use_of_a_key_recovers_the_same);
    tcase_add_test(t, keys_out_of_bounds);
    tcase_add_test(t, private_keys_are_kept_as_pkcs8);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
