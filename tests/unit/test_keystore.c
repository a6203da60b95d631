/* The key store: scrypt against RFC 7914, files that were forged, codes. */
#include "unit.h"

#include <stdio.h>
#include <sys/stat.h>

#include "payer/device.h"
#include "payer/keystore.h"

#define CHEAP ((struct keystore_cost){4, 1, 1})

static char folder[64];
static struct tp_error e;

static void make_folder(void)
{
    strcpy(folder, "/tmp/test_keystore.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

/* RFC 7914, 12 (the last, of 1 GiB, is left out). */
static const struct {
    const char *code, *salt;
    struct keystore_cost cost;
    const char *key;
} vectors[] = {
    {"",
     "",
     {4, 1, 1},
     "77D6576238657B203B19CA42C18A0497F16B4844E3074AE8DFDFFA3FEDE21442"
     "FCD0069DED0948F8326A753A0FC81F17E8D3E0FB2E0D3628CF35E20C38D18906"},
    {"password",
     "NaCl",
     {10, 8, 16},
     "FDBABE1C9D3472007856E7190D01E9FE7C6AD7CBC8237830E77376634B373162"
     "2EAF30D92E22A3886FF109279D9830DAC727AFB94A83EE6D8360CBDFA2CC0640"},
    {"pleaseletmein",
     "SodiumChloride",
     {14, 8, 1},
     "7023BDCB3AFD7348461C06CD81FD38EBFDA8FBBA904F8E3EA9B543F6545DA1F2"
     "D5432955613F0FCF62D49705242A9AF9E61E85DC0D651E40DFCF017B45575887"},
};

START_TEST(scrypt_is_that_of_the_rfc)
    {
        uint8_t key[64];

        ck_assert_msg(keystore_scrypt(key, sizeof(key), span_str(vectors[_i].code),
                                      span_str(vectors[_i].salt), vectors[_i].cost, &e) == TP_OK,
                      "%s", e.text);
        ck_hex(SPAN_OF(key), vectors[_i].key);
    }
END_TEST

START_TEST(a_cost_that_no_device_bears_is_refused)
    {
        static const struct keystore_cost wrong[] = {{0, 8, 1},   {21, 8, 1},    {63, 8, 1},
                                                     {255, 1, 1}, {17, 0, 1},    {17, 255, 1},
                                                     {17, 8, 0},  {30, 255, 255}};
        uint8_t key[32];

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
            ck_assert_int_eq(
                keystore_scrypt(key, sizeof(key), span_str("a"), span_str("b"), wrong[i], &e),
                TP_ERR_RANGE);
    }
END_TEST

static struct buf close_one(uint8_t room[KEYSTORE_MAX])
{
    struct buf file = {room, 0, KEYSTORE_MAX};

    ck_assert_msg(keystore_close(&file, span_str("a secret key"), "marie", span_str("open it"),
                                 CHEAP, &e) == TP_OK,
                  "%s", e.text);
    return file;
}

static enum tp_err open_one(struct span file, const char *id, const char *code)
{
    struct secret key = {0};
    const enum tp_err r = keystore_open(&key, file, id, span_str(code), "file", &e);

    if (r == TP_OK)
        ck_assert(span_eq(secret_span(&key), span_str("a secret key")));
    else
        ck_assert_uint_eq(key.n, 0);
    secret_free(&key);
    return r;
}

START_TEST(the_identifier_selects_and_the_code_opens)
    {
        uint8_t room[KEYSTORE_MAX], other[KEYSTORE_MAX];
        struct buf file = close_one(room), again = close_one(other);
        char id[KEYSTORE_ID];

        ck_assert(keystore_is(buf_span(&file)));
        ck_assert(!span_eq(buf_span(&file), buf_span(&again))); /* another salt, another nonce */
        ck_assert_ptr_null(memmem(file.p, file.n, "secret", 6));
        ck_ok(keystore_whose(id, buf_span(&file), "file", &e));
        ck_assert_str_eq(id, "marie");
        ck_ok(open_one(buf_span(&file), "marie", "open it"));
        ck_assert_int_eq(open_one(buf_span(&file), "marie", "open it!"), TP_ERR_SECURITY);
        ck_assert_ptr_nonnull(strstr(e.text, "the code is wrong, or the key file was altered"));
        ck_assert_int_eq(open_one(buf_span(&file), "paul", "open it"), TP_ERR_FORMAT);
        ck_assert_ptr_nonnull(strstr(e.text, "is of the user marie, not of paul"));
    }
END_TEST

START_TEST(every_bit_counts)
    {
        uint8_t room[KEYSTORE_MAX];
        struct buf file = close_one(room);

        for (size_t i = 0; i < 8 * file.n; i++) {
            if (i / 8 == 14 || i / 8 == 15 || i / 8 == 16) /* the cost: the test below */
                continue;
            room[i / 8] ^= (uint8_t)(1U << i % 8);
            const enum tp_err r = open_one(buf_span(&file), "marie", "open it");

            ck_assert_msg(r == TP_ERR_SECURITY || r == TP_ERR_FORMAT, "bit %zu: %d", i, r);
            room[i / 8] ^= (uint8_t)(1U << i % 8);
        }
        ck_ok(open_one(buf_span(&file), "marie", "open it"));
        room[14] = 5; /* another cost, another key */
        ck_assert_int_eq(open_one(buf_span(&file), "marie", "open it"), TP_ERR_SECURITY);
        room[14] = 40;
        ck_assert_int_eq(open_one(buf_span(&file), "marie", "open it"), TP_ERR_RANGE);
        ck_assert_ptr_nonnull(strstr(e.text, "more than this device takes"));
    }
END_TEST

START_TEST(what_is_wrong_with_a_file_is_told)
    {
        uint8_t room[KEYSTORE_MAX + 1] = {0};
        struct buf file = close_one(room);

        for (size_t n = 0; n < file.n; n++) {
            const enum tp_err r = open_one(span_of(room, n), "marie", "open it");

            ck_assert_msg(r == TP_ERR_FORMAT || r == TP_ERR_SECURITY, "%zu bytes", n);
            if (n > 14 && n < 60)
                ck_assert_msg(strstr(e.text, "is cut off") != NULL, "%s", e.text);
        }
        ck_assert_int_eq(open_one(span_of(room, file.n + 1), "marie", "open it"), TP_ERR_SECURITY);
        ck_assert_int_eq(open_one(span_of(room, sizeof(room)), "marie", "open it"), TP_ERR_FORMAT);
        room[12] = '2';
        ck_assert_int_eq(open_one(buf_span(&file), "marie", "open it"), TP_ERR_FORMAT);
        ck_assert_ptr_nonnull(strstr(e.text, "newer version"));
        ck_assert_int_eq(open_one(span_str("{}"), "marie", "open it"), TP_ERR_FORMAT);
        ck_assert_ptr_nonnull(strstr(e.text, "no enciphered key"));
    }
END_TEST

START_TEST(wrong_codes_cost_time)
    {
        static const unsigned seconds[] = {0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60};

        for (unsigned i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
            ck_assert_uint_eq(keystore_pause(i), seconds[i]);
        ck_assert_uint_eq(keystore_pause(4000000000U), 60);
    }
END_TEST

/* ---- the device's file ---- */

static int lines(const char *text) /* a descriptor that gives them */
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
    close(ends[1]);
    return ends[0];
}

static enum tp_err key_with(const char *codes, json_t **out)
{
    struct device d = {.folder = folder, .user = "marie", .code = {.fd = lines(codes)}};
    json_t *key;
    const enum tp_err r = device_key(&key, &d, &e);

    if (r == TP_OK)
        *out = json_incref(key);
    close(d.code.fd);
    device_free(&d);
    return r;
}

START_TEST(a_key_that_has_a_code_asks_for_it)
    {
        struct device d = {.folder = folder, .user = "marie", .code = CODE_ASKED};
        json_t *plain = NULL, *opened = NULL;
        enum device_kept kept;
        char path[128];

        ck_ok(device_kept(&kept, folder, &e));
        ck_assert_int_eq(kept, DEVICE_NONE);
        ck_ok(key_with("", &plain)); /* as it is */
        ck_ok(device_kept(&kept, folder, &e));
        ck_assert_int_eq(kept, DEVICE_PLAIN);
        ck_ok(device_set_code(&d, span_str("first code"), &e));
        ck_ok(device_kept(&kept, folder, &e));
        ck_assert_int_eq(kept, DEVICE_ENCIPHERED);
        ck_ok(key_with("first code\n", &opened));
        ck_assert(json_equal(plain, opened));
        json_decref(opened);
        ck_assert_int_eq(key_with("", &opened), TP_ERR_CANCELLED);
        ck_assert_int_eq(key_with("short\n", &opened), TP_ERR_USAGE);
        ck_assert_int_eq(key_with("wrong code\n", &opened), TP_ERR_SECURITY);
        ck_assert_ptr_nonnull(strstr(e.text, "wrong tries: 1"));
        ck_ok(
            key_with("wrong code\nfirst code\n", &opened)); /* again, and the count is forgotten */
        json_decref(opened);
        ck_assert_int_eq(key_with("wrong code\nanother\n", &opened), TP_ERR_SECURITY);
        ck_assert_ptr_nonnull(strstr(e.text, "wrong tries: 2"));
        snprintf(path, sizeof(path), "%s/device.jwk", folder);
        ck_assert_int_eq(chmod(path, 0644), 0);
        ck_assert_int_eq(key_with("first code\n", &opened), TP_ERR_SECURITY);
        ck_assert_ptr_nonnull(strstr(e.text, "chmod"));
        json_decref(plain);
        device_free(&d);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("keystore");
    TCase *t = tcase_create("keystore");

    tcase_add_checked_fixture(t, make_folder, remove_folder);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, scrypt_is_that_of_the_rfc, 0, sizeof(vectors) / sizeof(vectors[0]));
    tcase_add_test(t, a_cost_that_no_device_bears_is_refused);
    tcase_add_test(t, the_identifier_selects_and_the_code_opens);
    tcase_add_test(t, every_bit_counts);
    tcase_add_test(t, what_is_wrong_with_a_file_is_told);
    tcase_add_test(t, wrong_codes_cost_time);
    tcase_add_test(t, a_key_that_has_a_code_asks_for_it);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
