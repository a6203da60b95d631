/* Authority keys: files, check sums, look-up. */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/capk.h"

/* A key of our own making in a file of its own; members replaced as a test wishes. */
static enum tp_err by(enum tp_err (*read)(struct capk_store *, const char *, struct tp_error *),
                      struct capk_store *s, const char *json, struct tp_error *e)
{
    char path[] = "/tmp/test_capk.XXXXXX";
    const int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_ok(file_replace(path, span_str(json), 0600, NULL));
    const enum tp_err r = read(s, path, e);

    unlink(path);
    return r;
}

static enum tp_err load(struct capk_store *s, const char *json, struct tp_error *e)
{
    return by(capk_store_load, s, json, e);
}

static char public_path[4096];

static void find_public(void)
{
    ck_ok(file_data_path(public_path, sizeof(public_path), "capk.json", NULL));
}

START_TEST(every_public_key_loads_and_matches_its_sha1)
    {
        struct capk_store *s;
        struct tp_error e = {0};
        const uint8_t rid[] = {0xA0, 0, 0, 0, 4};

        ck_ok(capk_store_new(&s));
        ck_assert_msg(capk_store_load(s, public_path, &e) == TP_OK, "%s", e.text);
        ck_assert_uint_eq(capk_count(s), 57);
        ck_ok(capk_store_load(s, public_path, &e)); /* again: all are there already */
        ck_assert_uint_eq(capk_count(s), 57);
        /* two keys of Mastercard carry index 05: 1024 and 1408 bits */
        ck_assert_uint_eq(emv_pubkey_size(capk_find(s, SPAN_OF(rid), 0x05, 0)->key), 128);
        ck_assert_uint_eq(emv_pubkey_size(capk_find(s, SPAN_OF(rid), 0x05, 1)->key), 176);
        ck_assert_ptr_null(capk_find(s, SPAN_OF(rid), 0x05, 2));
        ck_assert_ptr_null(capk_find(s, span_of(rid, 4), 0x05, 0));
        ck_assert_ptr_null(capk_at(s, 57));
        ck_assert_int_eq(capk_at(s, 0)->expiry, 20091231);
        ck_assert(capk_at(s, 0)->live);
        capk_store_free(&s);
        ck_assert_ptr_null(s);
    }
END_TEST

/* The first key of data/capk.json, by hand (Visa 01, SHA-1 as the scheme published it). */
#define VISA_01                                                                                    \
    "C696034213D7D8546984579D1D0F0EA519CFF8DEFFC429354CF3A871A6F7183F1228DA5C7470C055387100CB935A" \
    "712C4E2864DF5D64BA93FE7E63E71F25B1E5F5298575EBE1C6"                                           \
    "3AA617706917911DC2A75AC28B251C7EF40F2365912490B939BCA2124A30A28F54402C34AECA331AB67E1E79B285" \
    "DD5771B5D9FF79EA630B75"
#define SHA_01 "D34A6A776011C7E7CE3AEC5F03AD2F8CFC5503CC"
#define KEY(rid, index, modulus, exponent, sha1, more)                                             \
    "{\"keys\":[{\"rid\":\"" rid "\",\"index\":\"" index "\",\"modulus\":\"" modulus               \
    "\",\"exponent\":\"" exponent "\",\"sha1\":\"" sha1 "\"" more "}]}"

START_TEST(bad_files_leave_the_store_as_it_was)
    {
        static const struct {
            const char *json;
            enum tp_err code;
            const char *says;
        } bad[] = {
            {KEY("A000000003", "01", VISA_01, "03", "D34A6A776011C7E7CE3AEC5F03AD2F8CFC5503CD", ""),
             TP_ERR_SECURITY, "A000000003 index 01"},
            {KEY("A000000003", "02", VISA_01, "03", SHA_01, ""), TP_ERR_SECURITY,
             "A000000003 index 02"},
            {KEY("A000000003", "01", VISA_01, "010001", SHA_01, ""), TP_ERR_SECURITY, "index 01"},
            {KEY("A000000003", "01", VISA_01, "05", SHA_01, ""), TP_ERR_FORMAT, "no RSA key"},
            {KEY("A000000003", "01", "C696", "03", SHA_01, ""), TP_ERR_FORMAT, "no RSA key"},
            {KEY("A0000000", "01", VISA_01, "03", SHA_01, ""), TP_ERR_FORMAT, "lacks"},
            {KEY("A000000003", "", VISA_01, "03", SHA_01, ""), TP_ERR_FORMAT, "lacks"},
            {KEY("A000000003", "01", VISA_01, "03", "D3", ""), TP_ERR_FORMAT, "sha1"},
            {KEY("A000000003", "01", VISA_01, "03", SHA_01, ",\"expiry\":\"soon\""), TP_ERR_FORMAT,
             "no date"},
            {KEY("A000000003", "01", VISA_01, "03", SHA_01, ",\"expiry\":20301231"), TP_ERR_FORMAT,
             "no date"},
            {"{\"keys\":[1]}", TP_ERR_FORMAT, "lacks"},
            {"{\"keys\":{}}", TP_ERR_FORMAT, "no list"},
            {"[]", TP_ERR_FORMAT, "no list"},
            {"{\"keys\":[", TP_ERR_FORMAT, "no JSON"},
            {"", TP_ERR_FORMAT, "no JSON"},
            {"{\"keys\":[],\"revoked\":[{\"rid\":\"A000000003\",\"index\":\"01\",\"serial\":\"12\"}"
             "]}",
             TP_ERR_FORMAT, "revocation 1"},
        };
        struct capk_store *s;
        struct tp_error e;

        ck_ok(capk_store_new(&s));
        ck_ok(load(s, KEY("A000000003", "01", VISA_01, "03", SHA_01, ",\"expiry\":null"), &e));
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            e = (struct tp_error){0};
            ck_assert_msg(load(s, bad[i].json, &e) == bad[i].code, "%zu: %s", i, e.text);
            ck_assert_msg(strstr(e.text, bad[i].says) != NULL, "%zu: %s", i, e.text);
            ck_assert_uint_eq(capk_count(s), 1);
        }
        ck_assert_int_eq(capk_store_load(s, "/nowhere/capk.json", &e), TP_ERR_NOT_FOUND);
        ck_assert(!capk_at(s, 0)->live);
        ck_assert_int_eq(capk_at(s, 0)->expiry, 0);
        capk_store_free(&s);
    }
END_TEST

START_TEST(an_odd_key_is_passed_over)
    {
        static const char good[] = "{\"rid\":\"A000000003\",\"index\":\"01\",\"modulus\":\"" VISA_01
                                   "\",\"exponent\":\"03\",\"sha1\":\"" SHA_01 "\"}";
        static const char odd[] = "{\"rid\":\"A000000003\",\"index\":\"02\",\"modulus\":\"C696\","
                                  "\"exponent\":\"03\",\"sha1\":\"" SHA_01 "\"}";
        static const char forged[] =
            "{\"rid\":\"A000000003\",\"index\":\"02\",\"modulus\":\"" VISA_01
            "\",\"exponent\":\"03\",\"sha1\":\"" SHA_01 "\"}";
        char text[4096];
        struct capk_store *s;
        struct tp_error e;

        ck_ok(capk_store_new(&s));
        snprintf(text, sizeof(text), "{\"keys\":[%s,%s,1]}", odd, good);
        ck_ok(load(s, text, &e));
        ck_assert_uint_eq(capk_count(s), 1);
        ck_assert_uint_eq(capk_at(s, 0)->index, 1);
        snprintf(text, sizeof(text), "{\"keys\":[%s,%s]}", odd, odd);
        ck_assert_int_eq(load(s, text, &e), TP_ERR_FORMAT);
        snprintf(text, sizeof(text), "{\"keys\":[%s,%s]}", good,
                 forged); /* altered: not a matter of one key */
        ck_assert_int_eq(load(s, text, &e), TP_ERR_SECURITY);
        ck_assert_uint_eq(capk_count(s), 1);
        capk_store_free(&s);
    }
END_TEST

START_TEST(keys_are_read_when_a_card_of_their_scheme_needs_them)
    {
        /* the second is not what its SHA-1 says, and of another scheme; the third has no scheme */
        static const char text[] =
            "{\"keys\":[{\"rid\":\"A000000003\",\"index\":\"01\",\"modulus\":\"" VISA_01
            "\",\"exponent\":\"03\",\"sha1\":\"" SHA_01 "\"},"
            "{\"rid\":\"A000000004\",\"index\":\"01\",\"modulus\":\"" VISA_01
            "\",\"exponent\":\"03\",\"sha1\":\"" SHA_01 "\"},1],"
            "\"revoked\":[{\"rid\":\"A000000003\",\"index\":\"01\",\"serial\":\"010203\"}]}";
        static const uint8_t visa[] = {0xA0, 0, 0, 0, 3}, mastercard[] = {0xA0, 0, 0, 0, 4},
                             nobody[] = {0xF0, 0, 0, 0, 1}, serial[] = {1, 2, 3};
        struct capk_store *s;
        struct tp_error e = {0};

        ck_ok(capk_store_new(&s));
        ck_ok(by(capk_store_open, s, text, &e));
        ck_assert_uint_eq(capk_count(s), 0);
        ck_assert(capk_revoked(s, SPAN_OF(visa), 1, serial));
        for (unsigned i = 0; i < 2; i++) { /* a second time changes nothing */
            ck_ok(capk_store_need(s, visa, &e));
            ck_assert_uint_eq(capk_count(s), 1);
        }
        ck_assert_ptr_nonnull(capk_find(s, SPAN_OF(visa), 1, 0));
        ck_ok(capk_store_need(s, nobody, &e));
        ck_assert_int_eq(capk_store_need(s, mastercard, &e), TP_ERR_SECURITY);
        ck_assert_ptr_nonnull(strstr(e.text, "A000000004 index 01 is not the one its SHA-1"));
        ck_assert_ptr_null(capk_find(s, SPAN_OF(mastercard), 1, 0));
        ck_assert_int_eq(load(s, text, &e), TP_ERR_SECURITY); /* as who manages the list reads it */
        ck_assert_int_eq(by(capk_store_open, s, "{\"keys\":", &e), TP_ERR_FORMAT);
        ck_assert_int_eq(by(capk_store_open, s, "{}", &e), TP_ERR_FORMAT);
        capk_store_free(&s);
    }
END_TEST

START_TEST(revocations)
    {
        const uint8_t rid[] = {0xA0, 0, 0, 0, 3}, serial[] = {1, 2, 3}, other[] = {1, 2, 4};
        struct capk_store *s;

        ck_ok(capk_store_new(&s));
        ck_ok(load(s,
                   "{\"keys\":[],\"revoked\":[{\"rid\":\"A000000003\",\"index\":\"07\",\"serial\":"
                   "\"010203\"}]}",
                   NULL));
        ck_assert(capk_revoked(s, SPAN_OF(rid), 7, serial));
        ck_assert(!capk_revoked(s, SPAN_OF(rid), 8, serial));
        ck_assert(!capk_revoked(s, SPAN_OF(rid), 7, other));
        capk_store_free(&s);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("capk");
    TCase *t = tcase_create("capk");

    tcase_add_checked_fixture(t, find_public, NULL);
    tcase_add_test(t, every_public_key_loads_and_matches_its_sha1);
    tcase_add_test(t, bad_files_leave_the_store_as_it_was);
    tcase_add_test(t, an_odd_key_is_passed_over);
    tcase_add_test(t, keys_are_read_when_a_card_of_their_scheme_needs_them);
    tcase_add_test(t, revocations);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
