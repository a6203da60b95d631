/* Sealing, and look-up by HMAC. */
#include "unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/seal.h"

static char dir[] = "/tmp/test_seal.XXXXXX";
static char path[64];
static struct seal *seal;

static void make(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/seal.key", dir);
    ck_ok(seal_key_file_make(path, NULL));
    ck_ok(seal_open_file(&seal, path, NULL));
}

static void drop(void)
{
    seal_free(&seal);
    unlink(path);
    rmdir(dir);
}

START_TEST(what_is_sealed_opens_with_its_context_only)
    {
        const struct span pan = span_str("9990140000000018"),
                          context = span_str("000000000000123/00000001/000042");
        uint8_t room[2][64], plain[32];
        struct buf a = BUF_OF(room[0]), b = BUF_OF(room[1]), p = BUF_OF(plain);

        ck_ok(seal_close(seal, &a, pan, context));
        ck_ok(seal_close(seal, &b, pan, context));
        ck_assert_uint_eq(a.n, pan.n + SEAL_OVERHEAD);
        ck_assert(!span_eq(buf_span(&a), buf_span(&b))); /* another nonce */
        ck_ok(seal_open(seal, &p, buf_span(&a), context));
        ck_assert(span_eq(buf_span(&p), pan));
        p.n = 0;
        ck_assert_int_eq(seal_open(seal, &p, buf_span(&a), span_str("another record")),
                         TP_ERR_SECURITY);
        for (size_t i = 0; i < a.n; i++) {
            a.p[i] ^= 0x80;
            ck_assert_int_eq(seal_open(seal, &p, buf_span(&a), context), TP_ERR_SECURITY);
            a.p[i] ^= 0x80;
        }
        for (size_t n = 0; n < a.n; n++)
            ck_assert_int_eq(seal_open(seal, &p, span_of(a.p, n), context), TP_ERR_SECURITY);
        ck_assert_uint_eq(p.n, 0);
        ck_ok(seal_open(seal, &p, buf_span(&a), context)); /* failures leave nothing behind */
        struct buf tight = {plain, 0, 15};

        ck_assert_int_eq(seal_open(seal, &tight, buf_span(&a), context), TP_ERR_RANGE);
        ck_assert_int_eq(seal_close(seal, &tight, pan, context), TP_ERR_RANGE);
        a.n = p.n = 0;
        ck_ok(seal_close(seal, &a, span_of(NULL, 0), span_of(NULL, 0)));
        ck_ok(seal_open(seal, &p, buf_span(&a), span_of(NULL, 0)));
        ck_assert_uint_eq(p.n, 0);
    }
END_TEST

START_TEST(look_ups_are_stable_and_keyed)
    {
        uint8_t a[SEAL_LOOKUP], b[SEAL_LOOKUP];
        char other_path[80];
        struct seal *again = NULL, *other = NULL;

        ck_ok(seal_lookup(seal, a, span_str("9990140000000018")));
        ck_ok(seal_lookup(seal, b, span_str("9990140000000026")));
        ck_assert(memcmp(a, b, sizeof(a)) != 0);
        ck_ok(seal_open_file(&again, path, NULL));
        ck_ok(seal_lookup(again, b, span_str("9990140000000018")));
        ck_assert(memcmp(a, b, sizeof(a)) == 0);
        snprintf(other_path, sizeof(other_path), "%s/other.key", dir);
        ck_ok(seal_key_file_make(other_path, NULL));
        ck_ok(seal_open_file(&other, other_path, NULL));
        ck_ok(seal_lookup(other, b, span_str("9990140000000018")));
        ck_assert(memcmp(a, b, sizeof(a)) != 0);
        seal_free(&again);
        seal_free(&other);
        unlink(other_path);
    }
END_TEST

/* Expected: python3 hmac.new(b'\x0b'*32, b'Hi There', 'sha256'). */
START_TEST(look_up_is_hmac_sha256)
    {
        uint8_t file[15 + 64], out[SEAL_LOOKUP];
        char p[80];
        struct seal *s = NULL;

        memcpy(file, "telepay seal 1\n", 15);
        memset(file + 15, 0x0A, 32);
        memset(file + 47, 0x0B, 32);
        snprintf(p, sizeof(p), "%s/known.key", dir);
        ck_ok(file_replace(p, SPAN_OF(file), 0600, NULL));
        ck_ok(seal_open_file(&s, p, NULL));
        ck_ok(seal_lookup(s, out, span_str("Hi There")));
        ck_hex(SPAN_OF(out), "198A607EB44BFBC69903A0F1CF2BBDC5BA0AA3F3D9AE3C1C7A3B1696A0B68CF7");
        seal_free(&s);
        unlink(p);
    }
END_TEST

START_TEST(key_files)
    {
        struct tp_error e;
        struct stat st;
        struct seal *s = NULL;
        char p[80];

        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        ck_assert_int_eq(seal_key_file_make(path, &e), TP_ERR_EXISTS);
        chmod(path, 0644);
        ck_assert_int_eq(seal_open_file(&s, path, &e), TP_ERR_SECURITY);
        ck_assert_ptr_null(s);
        chmod(path, 0600);
        snprintf(p, sizeof(p), "%s/absent.key", dir);
        ck_assert_int_eq(seal_open_file(&s, p, &e), TP_ERR_NOT_FOUND);
        ck_ok(file_replace(p, span_str("telepay seal 1\nshort"), 0600, NULL));
        ck_assert_int_eq(seal_open_file(&s, p, &e), TP_ERR_FORMAT);
        unlink(p);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("seal");
    TCase *t = tcase_create("seal");

    tcase_add_unchecked_fixture(t, make, drop);
    tcase_add_test(t, what_is_sealed_opens_with_its_context_only);
    tcase_add_test(t, look_ups_are_stable_and_keyed);
    tcase_add_test(t, look_up_is_hmac_sha256);
    tcase_add_test(t, key_files);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
