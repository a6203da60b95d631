#include "payer/authority.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/date.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/word.h"
#include "payer/home.h"

#define FOLDER       "authorities"
#define SUFFIX       ".pem"
#define PEM_MAX      65536
#define BEGINNING    8 /* digits of a fingerprint that name it */
#define DIGEST_BYTES 32

static enum tp_err read_certificate(X509 **out, const char *path, struct tp_error *e)
{
    uint8_t *text = NULL;
    size_t n = 0;
    BIO *bio = NULL;
    enum tp_err r = file_read(path, PEM_MAX, &text, &n, e);

    *out = NULL;
    if (r == TP_OK) {
        bio = BIO_new_mem_buf(text, (int)n);
        *out = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
        if (*out == NULL)
            r = tp_fail(e, TP_ERR_FORMAT, "%s is no certificate (PEM)", path);
    }
    ERR_clear_error();
    BIO_free(bio);
    free(text);
    return r;
}

static enum tp_err describe(struct authority *out, const X509 *cert, struct tp_error *e)
{
    uint8_t digest[DIGEST_BYTES];
    unsigned n = 0;
    struct tm until = {0};

    if (X509_digest(cert, EVP_sha256(), digest, &n) != 1 || n != sizeof(digest) ||
        ASN1_TIME_to_tm(X509_get0_notAfter(cert), &until) != 1)
        return tp_fail(e, TP_ERR_INTERNAL, "a certificate cannot be read");
    hex_encode(out->fingerprint, SPAN_OF(digest));
    for (char *c = out->fingerprint; *c != '\0'; c++)
        *c = (char)(*c >= 'A' && *c <= 'F' ? *c - 'A' + 'a' : *c);
    if (X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, out->name,
                                  sizeof(out->name)) < 0)
        out->name[0] = '\0';
    word_make_shown(out->name);
    out->until = (until.tm_year + 1900) * 10000 + (until.tm_mon + 1) * 100 + until.tm_mday;
    return TP_OK;
}

static enum tp_err path_of(char out[PATH_MAX], const char *home, const char *fingerprint,
                           struct tp_error *e)
{
    char folder[PATH_MAX], name[AUTHORITY_PRINT + sizeof(SUFFIX)];
    const enum tp_err r = home_folder(folder, home, FOLDER, e);

    snprintf(name, sizeof(name), "%s" SUFFIX, fingerprint);
    return r == TP_OK ? file_join(out, PATH_MAX, folder, name, e) : r;
}

/* ---- all of them ---- */

static int is_certificate(const struct dirent *d)
{
    const size_t n = strlen(d->d_name);

    return n == AUTHORITY_PRINT - 1 + strlen(SUFFIX) &&
           strcmp(d->d_name + n - strlen(SUFFIX), SUFFIX) == 0;
}

static enum tp_err load_one(struct authorities *out, const char *folder, const char *name,
                            struct tp_error *e)
{
    char path[PATH_MAX];
    struct authority *const one = &out->list[out->n];
    X509 *cert = NULL;
    enum tp_err r = file_join(path, sizeof(path), folder, name, e);

    if (r == TP_OK)
        r = read_certificate(&cert, path, e);
    if (r == TP_OK)
        r = describe(one, cert, e);
    if (r == TP_OK && strncmp(one->fingerprint, name, AUTHORITY_PRINT - 1) != 0)
        r = tp_fail(e, TP_ERR_SECURITY, "%s is not the certificate that was put there", path);
    if (r == TP_OK)
        r = order_authority_load(&one->orders, path, e);
    if (r == TP_OK)
        out->n++;
    X509_free(cert);
    return r;
}

enum tp_err authorities_load(struct authorities *out, const char *home, struct tp_error *e)
{
    char folder[PATH_MAX];
    struct dirent **names = NULL;
    int n = 0;
    enum tp_err r = home_folder(folder, home, FOLDER, e);

    *out = (struct authorities){0};
    if (r != TP_OK)
        return r;
    n = scandir(folder, &names, is_certificate, alphasort);
    if (n < 0)
        return tp_fail(e, TP_ERR_IO, "cannot read the folder %s: %s", folder, strerror(errno));
    out->list = calloc((size_t)n + 1, sizeof(*out->list));
    if (out->list == NULL) {
        tp_fail(e, TP_ERR_NO_MEMORY, "no memory for the authorities");
        r = TP_ERR_NO_MEMORY;
    }
    for (int i = 0; i < n; i++) {
        if (r == TP_OK)
            r = load_one(out, folder, names[i]->d_name, e);
        free(names[i]);
    }
    free(names);
    return r;
}

void authorities_free(struct authorities *a)
{
    for (size_t i = 0; i < a->n; i++)
        order_authority_free(&a->list[i].orders);
    free(a->list);
    *a = (struct authorities){0};
}

const struct authority *authority_find(const struct authorities *a, const char *fingerprint)
{
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->list[i].fingerprint, fingerprint) == 0)
            return &a->list[i];
    return NULL;
}

/* ---- one more, one less ---- */

static enum tp_err keep(const char *path, X509 *cert, struct tp_error *e)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    const bool written = bio != NULL && PEM_write_bio_X509(bio, cert) == 1;
    const long n = written ? BIO_get_mem_data(bio, &text) : 0;
    const enum tp_err r = n > 0 ? file_replace(path, span_of(text, (size_t)n), 0600, e)
                                : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a certificate");

    BIO_free(bio);
    return r;
}

enum tp_err authority_add(struct authority *out, const char *home, const char *file,
                          struct tp_error *e)
{
    char path[PATH_MAX];
    struct order_authority *good = NULL;
    X509 *cert = NULL;
    enum tp_err r = read_certificate(&cert, file, e);

    *out = (struct authority){0};
    if (r == TP_OK)
        r = order_authority_load(&good, file, e); /* it is an authority's */
    if (r == TP_OK)
        r = describe(out, cert, e);
    if (r == TP_OK)
        r = path_of(path, home, out->fingerprint, e);
    if (r == TP_OK && access(path, F_OK) == 0)
        r = tp_fail(e, TP_ERR_EXISTS, "the authority %s is trusted already", out->fingerprint);
    if (r == TP_OK)
        r = keep(path, cert, e);
    order_authority_free(&good);
    X509_free(cert);
    return r;
}

enum tp_err authority_remove(const char *home, const char *fingerprint, struct tp_error *e)
{
    struct authorities all = {0};
    const struct authority *found = NULL;
    char path[PATH_MAX];
    const size_t n = strlen(fingerprint);
    enum tp_err r = authorities_load(&all, home, e);

    for (size_t i = 0; r == TP_OK && n >= BEGINNING && i < all.n; i++) {
        if (strncasecmp(all.list[i].fingerprint, fingerprint, n) != 0)
            continue;
        if (found != NULL)
            r = tp_fail(e, TP_ERR_USAGE, "several fingerprints begin with %s: write more of it",
                        fingerprint);
        found = &all.list[i];
    }
    if (r == TP_OK && found == NULL)
        r = tp_fail(e, TP_ERR_NOT_FOUND,
                    "no authority is trusted whose fingerprint begins with \"%s\" (%d digits at "
                    "least): see telepay authority list",
                    fingerprint, BEGINNING);
    if (r == TP_OK)
        r = path_of(path, home, found->fingerprint, e);
    if (r == TP_OK && unlink(path) != 0)
        r = tp_fail(e, TP_ERR_IO, "cannot remove %s: %s", path, strerror(errno));
    authorities_free(&all);
    return r;
}
