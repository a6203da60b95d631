/* RSA keys for tests in process, drawn once and kept in the build folder (kept-keys/): the linker
 * puts this in the place of emv_privkey_generate (KEPT_KEYS in tests/local.mk). Most of the time
 * of such a test would be the search for primes; what draws keys itself is tested by test_emvcert
 * and by the programs. The n-th key of a process is the same file each time: a test's keys differ
 * from one another, and Check's children begin where their parent stands. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/rsa.h"

#define KEY_MAX      4096
#define KEY_PATH_MAX 4096

/* By the names that the linker gives and takes. */
enum tp_err draw_key(struct emv_privkey **out, unsigned bits,
                     unsigned exponent) __asm__("__real_emv_privkey_generate");
enum tp_err kept_key(struct emv_privkey **out, unsigned bits,
                     unsigned exponent) __asm__("__wrap_emv_privkey_generate");

/* Written under a name of this process: tests that run at once may draw the same key. */
static enum tp_err keep(const char *path, const struct emv_privkey *key)
{
    char own[KEY_PATH_MAX + 16];
    struct secret der = {NULL, 0};
    struct tp_error e;
    enum tp_err r = emv_privkey_export(&der, key);

    snprintf(own, sizeof(own), "%s.%d", path, (int)getpid());
    if (r == TP_OK)
        r = file_replace(own, secret_span(&der), 0600, &e);
    if (r == TP_OK && rename(own, path) != 0)
        r = TP_ERR_IO;
    secret_free(&der);
    return r;
}

enum tp_err kept_key(struct emv_privkey **out, unsigned bits, unsigned exponent)
{
    static atomic_uint drawn;
    const char *built = getenv("TESTS_BUILDDIR");
    char path[KEY_PATH_MAX];
    uint8_t *der = NULL;
    size_t n = 0;
    struct tp_error e;
    enum tp_err r;

    if (built == NULL)
        return draw_key(out, bits, exponent);
    snprintf(path, sizeof(path), "%s/kept-keys", built);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/kept-keys/%u-%u-%u.der", built, bits, exponent, ++drawn);
    if (file_read(path, KEY_MAX, &der, &n, &e) == TP_OK) {
        r = emv_privkey_import(out, span_of(der, n));
        free(der);
        return r;
    }
    r = draw_key(out, bits, exponent);
    return r == TP_OK ? keep(path, *out) : r;
}
