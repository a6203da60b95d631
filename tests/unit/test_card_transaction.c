/* Whole transactions: PIN, cryptograms (worked out again here, with OpenSSL's bare DES), signatures
 * (checked through the whole chain), limits. */
#include <openssl/evp.h>

#include "card_rig.h"
#include "crypto/rsa.h"

#define PIN_GOOD  "0020008008 241234FFFFFFFFFF"
#define PIN_WRONG "0020008008 244321FFFFFFFFFF"

/* ---- the cryptogram, independently: EMV 4.4 Book 2, A1.4.1, A1.3.1, A1.2.1 ---- */

/* Single DES (both halves alike) or two-key triple DES of one block. */
static void des(uint8_t out[8], const uint8_t *key, size_t key_n, const uint8_t in[8], int encrypt)
{
    uint8_t both[16], raw[32];
    int n = 0;
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "DES-EDE-ECB", NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    memcpy(both, key, 8);
    memcpy(both + 8, key_n == 16 ? key + 8 : key, 8);
    ck_assert_int_eq(EVP_CipherInit_ex2(ctx, cipher, both, NULL, encrypt, NULL), 1);
    ck_assert_int_eq(EVP_CIPHER_CTX_set_padding(ctx, 0), 1);
    ck_assert_int_eq(EVP_CipherUpdate(ctx, raw, &n, in, 8), 1);
    ck_assert_int_eq(n, 8);
    memcpy(out, raw, 8);
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
}

static void master_key(uint8_t out[16], const uint8_t issuer[16], const char *pan16,
                       const char *psn2)
{
    char digits[17];
    uint8_t y[8];
    struct buf b = BUF_OF(y);

    snprintf(digits, sizeof(digits), "%s%s", pan16 + 2,
             psn2); /* the rightmost 16 digits of PAN and PSN */
    ck_ok(hex_decode(&b, digits));
    des(out, issuer, 16, y, 1);
    for (size_t i = 0; i < 8; i++)
        y[i] ^= 0xFF;
    des(out + 8, issuer, 16, y, 1);
    for (size_t i = 0; i < 16; i++) /* odd parity */
        out[i] = (uint8_t)((out[i] & 0xFE) | (__builtin_popcount(out[i] >> 1) % 2 == 0 ? 1 : 0));
}

static void cryptogram(uint8_t ac[8], const uint8_t icc[16], const uint8_t atc[2], struct span data)
{
    uint8_t f[8] = {atc[0], atc[1], 0xF0}, session[16], block[8] = {0};

    des(session, icc, 16, f, 1);
    f[2] = 0x0F;
    des(session + 8, icc, 16, f, 1);
    for (size_t at = 0; at <= data.n; at += 8) { /* 80 and zeros close the data */
        for (size_t i = 0; i < 8; i++)
            block[i] ^= at + i < data.n ? data.p[at + i] : at + i == data.n ? 0x80 : 0;
        des(block, session, 8, block, 1);
    }
    des(block, session + 8, 8, block, 0);
    des(ac, session, 8, block, 1);
}

START_TEST(our_own_reckoning_gives_the_public_vector)
    {
        /* tests/vectors/application-cryptograms.json, cvn18 */
        UNHEX(issuer, "0123456789ABCDEFFEDCBA9876543210");
        UNHEX(data, "000000004000"
                    "000000000000"
                    "0124"
                    "8000048000"
                    "0124"
                    "191105"
                    "01"
                    "52BF4585"
                    "1800"
                    "001C"
                    "06011203A0B800");
        UNHEX(atc, "001C");
        uint8_t icc[16], ac[8];

        master_key(icc, issuer.p, "1234567890123456", "00");
        cryptogram(ac, icc, atc.p, data);
        ck_hex(SPAN_OF(ac), "7A788EA6B8A3E733");
    }
END_TEST

static void check_ac(const struct rig *r, struct span ac, const char *data_hex)
{
    uint8_t icc[16], want[8];
    char text[17];

    uint8_t raw[128];
    struct buf data = BUF_OF(raw);

    ck_ok(hex_decode(&data, data_hex));
    const struct span atc = rig_value(r, 0x9F36);

    master_key(icc, r->scheme->ac_key.p, RIG_PAN, "00");
    cryptogram(want, icc, atc.p, buf_span(&data));
    ck_hex(ac, hex_encode(text, SPAN_OF(want)));
}

/* ---- the chain ---- */

static void put_record(struct rig *r, struct buf *all, const char *command)
{
    struct tlv template;

    ck_assert_uint_eq(rig_send(r, command), 0x9000);
    struct span in = rig_answer(r);

    ck_ok(tlv_next(&in, &template));
    ck_assert_uint_eq(template.tag, 0x70);
    ck_assert_uint_eq(in.n, 0);
    ck_ok(buf_put(all, template.value));
}

/* Reads all records, recovers the card's key from authority to card, as a terminal does. */
static void recover_key(struct rig *r, const char *aip)
{
    static uint8_t raw[2048];
    struct buf all = BUF_OF(raw);
    struct tlv issuer_cert, issuer_exponent, icc_cert, icc_exponent, icc_remainder;
    struct emv_cert_info issuer, icc;
    enum emv_check outcome;

    put_record(r, &all, "00B2011400");
    put_record(r, &all, "00B2021400");
    ck_ok(hex_decode(&all, aip)); /* 9F4A = 82 */
    const struct span signed_data = buf_span(&all);

    put_record(r, &all, "00B2011C00");
    put_record(r, &all, "00B2021C00");
    put_record(r, &all, "00B2031C00");
    const struct span rest = span_of(raw + signed_data.n, all.n - signed_data.n);

    ck_ok(tlv_find(rest, 0x90, &issuer_cert));
    ck_ok(tlv_find(rest, 0x9F32, &issuer_exponent));
    ck_ok(tlv_find(rest, 0x9F46, &icc_cert));
    ck_ok(tlv_find(rest, 0x9F47, &icc_exponent));
    ck_ok(tlv_find(rest, 0x9F48, &icc_remainder));
    ck_ok(emv_issuer_cert_check(&outcome, &issuer, emv_privkey_public(r->scheme->authority),
                                issuer_cert.value, span_of(NULL, 0), issuer_exponent.value, RIG_PAN,
                                RIG_DATE));
    ck_assert_int_eq(outcome, EMV_CHECK_OK);
    ck_ok(emv_icc_cert_check(&outcome, &icc, EMV_ICC_KEY, issuer.key, icc_cert.value,
                             icc_remainder.value, icc_exponent.value, signed_data, RIG_PAN,
                             RIG_DATE));
    ck_assert_int_eq(outcome, EMV_CHECK_OK);
    ck_assert_int_eq(icc.expiry, 20301231);
    emv_pubkey_free(&issuer.key);
    emv_pubkey_free(&r->icc);
    r->icc = icc.key;
}

/* Checks the signature of the last GENERATE AC; dols: PDOL, CDOL1 (and CDOL2) values in
 * hexadecimal, one after the other. */
static void check_cda(struct rig *r, struct emv_dynamic *out, const char *dols)
{
    struct span parts[4];
    struct tlv object;
    size_t n = 1;
    enum emv_check outcome;

    uint8_t raw[256];
    struct buf values = BUF_OF(raw);

    UNHEX(un, RIG_UN);
    ck_ok(hex_decode(&values, dols));
    struct span in = rig_answer(r), body;

    ck_ok(tlv_next(&in, &object));
    ck_assert_uint_eq(object.tag, 0x77);
    body = object.value;
    parts[0] = buf_span(&values);
    while (tlv_next(&body, &object) == TP_OK)
        if (object.tag != 0x9F4B)
            parts[n++] = object.raw;
    ck_assert_uint_eq(
        n, 4); /* 9F27 9F36 9F10: Book 2, 6.6.1, table 20; the cryptogram is only inside */
    ck_ok(emv_cda_check(&outcome, out, r->icc, rig_value(r, 0x9F4B), un, rig_value(r, 0x9F27).p[0],
                        parts, n));
    ck_assert_msg(outcome == EMV_CHECK_OK, "CDA: %s", emv_check_name(outcome));
}

#define PDOL_VALUES "2098C8 0250 35"
#define AC_DATA     "000000001250 000000000000 0250 0000000000 0978 261123 00 " RIG_UN " 3900 "

START_TEST(offline_with_pin_and_cda)
    {
        struct rig r;
        struct perso_params p;
        struct emv_dynamic dynamic;

        rig_params(&p);
        rig_start(&r, &p);
        rig_begin(&r);
        recover_key(&r, "3900");
        ck_assert_uint_eq(rig_send(&r, PIN_GOOD), 0x9000);
        ck_assert_uint_eq(rig_first_ac(&r, "50"), 0x9000);
        ck_hex(rig_value(&r, 0x9F27), "40");
        ck_hex(rig_value(&r, 0x9F36), "0001");
        /* CVR: second AC not requested, TC first, PIN verified; new card; dynamic data
         * authentication performed, which is CDA too (VIS) */
        ck_hex(rig_value(&r, 0x9F10), "06011203"
                                      "941002");
        check_cda(&r, &dynamic, PDOL_VALUES RIG_CDOL1);
        check_ac(&r, dynamic.ac, AC_DATA "0001 06011203941002");
        ck_assert_uint_eq(dynamic.icc_dynamic_number.n, 8);
        ck_assert_uint_eq(rig_first_ac(&r, "50"), 0x6985); /* one cryptogram */
        ck_assert_uint_eq(rig_send(&r, PIN_GOOD), 0x6985);
        rig_end(&r);
    }
END_TEST

START_TEST(online_unable_then_second_cryptogram)
    {
        static const struct {
            const char *p1, *arc, *cid, *cvr;
        } lines[] = {
            {"50", RIG_ARC_Y3, "40",
             "611003"}, /* TC second, ARQC first, unable to go online; new card; no PIN asked for */
            {"10", RIG_ARC_Z3, "00", "211003"}, /* AAC second */
            {"50", RIG_ARC_Z3, "00", "211003"}, /* Z3 says declined: never a TC */
            {"50", RIG_ARC_00, "40", "601403"}, /* approved online, without issuer authentication */
        };

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            struct rig r;
            struct perso_params p;
            struct emv_dynamic dynamic;
            char iad[20];

            rig_params(&p);
            rig_start(&r, &p);
            rig_begin(&r);
            recover_key(&r, "3900");
            ck_assert_uint_eq(rig_first_ac(&r, "90"), 0x9000);
            ck_hex(rig_value(&r, 0x9F27), "80");
            ck_hex(rig_value(&r, 0x9F10), "06011203"
                                          "A01003");
            check_cda(&r, &dynamic, PDOL_VALUES RIG_CDOL1);
            check_ac(&r, dynamic.ac, AC_DATA "0001 06011203A01003");
            ck_assert_uint_eq(rig_second_ac(&r, "80", lines[i].arc), 0x6985); /* no ARQC twice */
            ck_assert_uint_eq(rig_second_ac(&r, lines[i].p1, lines[i].arc), 0x9000);
            ck_hex(rig_value(&r, 0x9F27), lines[i].cid);
            snprintf(iad, sizeof(iad), "06011203%s", lines[i].cvr);
            ck_hex(rig_value(&r, 0x9F10), iad);
            if (lines[i].cid[0] == '4') {
                char dols[400], data[200];

                snprintf(dols, sizeof(dols), "%s%s%s%s", PDOL_VALUES, RIG_CDOL1, lines[i].arc,
                         RIG_CDOL2);
                check_cda(&r, &dynamic, dols);
                snprintf(data, sizeof(data), "%s0001%s", AC_DATA, iad);
                check_ac(&r, dynamic.ac, data);
            } else { /* Book 2, 6.6.1: no signature on an AAC; the cryptogram stands beside */
                char data[200];

                snprintf(data, sizeof(data), "%s0001%s", AC_DATA, iad);
                check_ac(&r, rig_value(&r, 0x9F26), data);
            }
            ck_assert_uint_eq(rig_second_ac(&r, "00", RIG_ARC_Z3), 0x6985);
            rig_end(&r);
        }
    }
END_TEST

START_TEST(online_approval_is_remembered)
    {
        struct rig r;
        struct perso_params p;

        rig_params(&p);
        rig_start(&r, &p);
        rig_begin(&r);
        ck_assert_uint_eq(rig_first_ac(&r, "80"), 0x9000);
        rig_begin(&r); /* torn: the next one tells that the last online one was not completed */
        ck_assert_uint_eq(rig_first_ac(&r, "80"), 0x9000);
        ck_hex(rig_value(&r, 0x9F10), "06011203"
                                      "A09001");
        ck_assert_uint_eq(rig_second_ac(&r, "40", RIG_ARC_00), 0x9000);
        ck_assert_uint_eq(rig_send(&r, "80CA9F1300"), 0x9000);
        ck_hex(rig_answer(&r), "9F13020002");
        rig_begin(&r);
        ck_assert_uint_eq(rig_first_ac(&r, "40"), 0x9000);
        ck_hex(rig_value(&r, 0x9F10), "06011203"
                                      "900001"); /* not new any more */
        rig_end(&r);
    }
END_TEST

START_TEST(answers_never_above_what_was_asked)
    {
        static const struct {
            const char *p1, *cid;
        } lines[] = {{"40", "40"}, {"80", "80"}, {"00", "00"}, {"10", "00"}, {"90", "80"}};

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            struct rig r;
            struct perso_params p;

            rig_params(&p);
            rig_start(&r, &p);
            rig_begin(&r);
            ck_assert_uint_eq(rig_first_ac(&r, lines[i].p1), 0x9000);
            ck_hex(rig_value(&r, 0x9F27), lines[i].cid);
            rig_end(&r);
        }
    }
END_TEST

START_TEST(limits_of_payments_offline)
    {
        struct rig r;
        struct perso_params p;

        rig_params(&p);
        p.offline_limit = 2;
        p.offline_maximum = 3;
        rig_start(&r, &p);
        for (int i = 0; i < 2; i++) {
            rig_begin(&r);
            ck_assert_uint_eq(rig_first_ac(&r, "40"), 0x9000);
            ck_hex(rig_value(&r, 0x9F27), "40");
        }
        rig_begin(&r); /* the third: asks to go online, gives way when that is impossible */
        ck_assert_uint_eq(rig_first_ac(&r, "40"), 0x9000);
        ck_hex(rig_value(&r, 0x9F27), "80");
        ck_hex(rig_value(&r, 0x9F10), "06011203"
                                      "A03001");
        ck_assert_uint_eq(rig_second_ac(&r, "40", RIG_ARC_Y3), 0x9000);
        ck_hex(rig_value(&r, 0x9F27), "40");
        rig_begin(&r); /* the fourth: at the maximum */
        ck_assert_uint_eq(rig_first_ac(&r, "40"), 0x9000);
        ck_hex(rig_value(&r, 0x9F27), "80");
        ck_assert_uint_eq(rig_second_ac(&r, "40", RIG_ARC_Y3), 0x9000);
        ck_hex(rig_value(&r, 0x9F27), "00");
        rig_begin(&r); /* online approval starts the count again */
        ck_assert_uint_eq(rig_first_ac(&r, "40"), 0x9000);
        ck_assert_uint_eq(rig_second_ac(&r, "40", RIG_ARC_00), 0x9000);
        ck_hex(rig_value(&r, 0x9F27), "40");
        rig_begin(&r);
        ck_assert_uint_eq(rig_first_ac(&r, "40"), 0x9000);
        ck_hex(rig_value(&r, 0x9F27), "40");
        rig_end(&r);
    }
END_TEST

START_TEST(pin_tries_are_counted)
    {
        struct rig r;
        struct perso_params p;

        rig_params(&p);
        rig_start(&r, &p);
        rig_begin(&r);
        ck_assert_uint_eq(rig_send(&r, PIN_WRONG), 0x63C2); /* Book 3, 6.5.12.5 */
        ck_assert_uint_eq(rig_send(&r, PIN_GOOD), 0x9000);  /* gives all tries back */
        ck_assert_uint_eq(rig_send(&r, "80CA9F1700"), 0x9000);
        ck_hex(rig_answer(&r), "9F170103");
        ck_assert_uint_eq(rig_send(&r, PIN_WRONG), 0x63C2);
        ck_assert_uint_eq(rig_send(&r, "0020008008 341234FFFFFFFFFF"),
                          0x63C1); /* not block format 2: wrong like any other */
        ck_assert_uint_eq(rig_first_ac(&r, "40"), 0x9000);
        ck_hex(rig_value(&r, 0x9F10), "06011203"
                                      "961000"); /* PIN asked for, and wrong */
        rig_begin(&r);
        ck_assert_uint_eq(rig_send(&r, PIN_WRONG), 0x63C0);
        ck_assert_uint_eq(rig_send(&r, PIN_GOOD), 0x6983);
        ck_assert_uint_eq(rig_send(&r, "80CA9F1700"), 0x9000);
        ck_hex(rig_answer(&r), "9F170100");
        ck_assert_uint_eq(rig_first_ac(&r, "40"), 0x9000);
        ck_hex(rig_value(&r, 0x9F10), "06011203"
                                      "965000"); /* try limit exceeded */
        rig_begin(&r);
        ck_assert_uint_eq(rig_send(&r, PIN_GOOD), 0x6983);
        rig_end(&r);
    }
END_TEST

START_TEST(dynamic_authentication)
    {
        static const char *const formats[] = {NULL, "80", "77"};

        for (uint8_t format = 1; format <= 2; format++) {
            struct rig r;
            struct perso_params p;
            struct emv_dynamic dynamic;
            enum emv_check outcome;

            rig_params(&p);
            p.method = PERSO_DDA;
            p.format = format;
            rig_start(&r, &p);
            rig_begin(&r);
            recover_key(&r, "3800");
            ck_assert_uint_eq(rig_send(&r, "0088000004" RIG_UN "00"), 0x9000);
            ck_hex(span_of(r.answer, 1), formats[format]);
            UNHEX(un, RIG_UN);
            ck_ok(emv_dda_check(&outcome, &dynamic, r.icc,
                                rig_value(&r, format == 1 ? 0x80 : 0x9F4B), un));
            ck_assert_int_eq(outcome, EMV_CHECK_OK);
            ck_assert_uint_eq(rig_first_ac(&r, "50"), 0x6A86); /* this card has no CDA */
            ck_assert_uint_eq(rig_first_ac(&r, "40"), 0x9000);
            if (format == 1) { /* Book 3, 6.5.5.4: CID, ATC, AC, IAD */
                ck_assert_uint_eq(r.answer_n, 2 + 1 + 2 + 8 + 7);
                ck_hex(span_of(r.answer, 5), "8012400001");
                ck_hex(span_of(r.answer + 13, 7), "06011203"
                                                  "901003"); /* DDA performed */
            } else {
                ck_hex(rig_value(&r, 0x9F10), "06011203"
                                              "901003");
                ck_assert_uint_eq(rig_value(&r, 0x9F26).n, 8);
            }
            ck_assert_uint_eq(rig_send(&r, "0088000004" RIG_UN "00"), 0x6985);
            rig_end(&r);
        }
    }
END_TEST

START_TEST(static_authentication)
    {
        struct rig r;
        struct perso_params p;
        static uint8_t raw[1024];
        struct buf all = BUF_OF(raw);
        uint8_t dac[2];
        enum emv_check outcome;

        rig_params(&p);
        p.method = PERSO_SDA;
        rig_start(&r, &p);
        rig_begin(&r);
        ck_hex(rig_value(&r, 0x82), "5800");
        UNHEX(aip, "5800");
        put_record(&r, &all, "00B2011400");
        put_record(&r, &all, "00B2021400");
        ck_ok(buf_put(&all, aip));
        ck_assert_uint_eq(rig_send(&r, "00B2031C00"), 0x9000);
        ck_ok(emv_ssad_check(&outcome, dac, emv_privkey_public(r.scheme->issuer),
                             rig_value(&r, 0x93), buf_span(&all)));
        ck_assert_int_eq(outcome, EMV_CHECK_OK);
        ck_assert_uint_eq(rig_send(&r, "0088000004" RIG_UN "00"), 0x6D00);
        ck_assert_uint_eq(rig_first_ac(&r, "40"), 0x9000);
        rig_end(&r);
    }
END_TEST

START_TEST(the_log_keeps_the_last_ten)
    {
        struct rig r;
        struct perso_params p;

        rig_params(&p);
        rig_start(&r, &p);
        for (int i = 0; i < 12; i++) {
            rig_begin(&r);
            ck_assert_uint_eq(rig_first_ac(&r, i == 11 ? "80" : "40"), 0x9000);
            if (i == 11)
                ck_assert_uint_eq(rig_second_ac(&r, "00", RIG_ARC_Z3), 0x9000);
        }
        ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x9000);
        ck_assert_uint_eq(rig_send(&r, "00B2015C00"),
                          0x9000); /* newest first; one entry a transaction; as 9F4F says */
        ck_hex(rig_answer(&r), "00"
                               "000000001250"
                               "0978"
                               "261123"
                               "00"
                               "000C"
                               "0250");
        ck_assert_uint_eq(rig_send(&r, "00B20A5C00"), 0x9000);
        ck_hex(rig_answer(&r), "40"
                               "000000001250"
                               "0978"
                               "261123"
                               "00"
                               "0003"
                               "0250");
        ck_assert_uint_eq(rig_send(&r, "00B20B5C00"), 0x6A83);
        rig_end(&r);
    }
END_TEST

START_TEST(largest_card_key_fits_one_answer)
    {
        struct rig r;
        struct perso_params p;
        struct emv_dynamic dynamic;

        rig_params(&p);
        p.bits = 1408; /* the issuer's own size is the most it can certify here */
        p.exponent = 65537;
        rig_start(&r, &p);
        rig_begin(&r);
        recover_key(&r, "3900");
        ck_assert_uint_eq(rig_first_ac(&r, "50"), 0x9000);
        ck_assert_uint_le(r.answer_n, 256);
        check_cda(&r, &dynamic, PDOL_VALUES RIG_CDOL1);
        rig_end(&r);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("card_transaction");
    TCase *t = tcase_create("card_transaction");

    tcase_set_timeout(t, 120);
    tcase_add_test(t, our_own_reckoning_gives_the_public_vector);
    tcase_add_test(t, offline_with_pin_and_cda);
    tcase_add_test(t, online_unable_then_second_cryptogram);
    tcase_add_test(t, online_approval_is_remembered);
    tcase_add_test(t, answers_never_above_what_was_asked);
    tcase_add_test(t, limits_of_payments_offline);
    tcase_add_test(t, pin_tries_are_counted);
    tcase_add_test(t, dynamic_authentication);
    tcase_add_test(t, static_authentication);
    tcase_add_test(t, the_log_keeps_the_last_ten);
    tcase_add_test(t, largest_card_key_fits_one_answer);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
