#include "order/certificate.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <string.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/secret.h"

#define PEM_MAX    65536
#define KNOWN_MAX  64
#define P256_BYTES 32

/* One that was found good: so it stays, for that role, within its time and the authority's. A
 * mediator signs a thousand orders with one key, and its chain is most of what they cost. */
struct known {
    char *text; /* base64 of its DER; NULL: none */
    enum pki_role role;
    time_t from, to;
    struct order_holder holder;
};

struct memory {
    time_t from, to; /* of the authority's own certificate */
    pthread_mutex_t lock;
    struct known known[KNOWN_MAX]; /* under lock, as `next` */
    size_t next;
};

struct order_authority {
    X509_STORE *store;
    struct memory *memory;
};

static enum tp_err parse_certificate(X509 **out, struct span pem, const char *name,
                                     struct tp_error *e)
{
    BIO *bio = pem.n <= PEM_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
    enum tp_err r = bio != NULL ? TP_OK : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for %s", name);

    if (r == TP_OK) {
        *out = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (*out == NULL)
            r = tp_fail(e, TP_ERR_FORMAT, "%s is no certificate (PEM)", name);
    }
    ERR_clear_error();
    BIO_free(bio);
    return r;
}

static enum tp_err read_certificate(X509 **out, const char *path, struct tp_error *e)
{
    uint8_t *text = NULL;
    size_t n = 0;
    enum tp_err r = file_read(path, PEM_MAX, &text, &n, e);

    if (r == TP_OK)
        r = parse_certificate(out, span_of(text, n), path, e);
    free(text);
    return r;
}

static bool read_times(time_t *from, time_t *to, const X509 *cert)
{
    struct tm begins, ends;

    if (ASN1_TIME_to_tm(X509_get0_notBefore(cert), &begins) != 1 ||
        ASN1_TIME_to_tm(X509_get0_notAfter(cert), &ends) != 1)
        return false;
    *from = timegm(&begins);
    *to = timegm(&ends);
    return true;
}

static void known_clear(struct known *k)
{
    free(k->text);
    order_holder_free(&k->holder);
    k->text = NULL;
}

static struct memory *memory_new(const X509 *ca)
{
    struct memory *m = calloc(1, sizeof(*m));

    if (m == NULL)
        return NULL;
    pthread_mutex_init(&m->lock, NULL);
    if (!read_times(&m->from, &m->to, ca))
        m->to = m->from - 1; /* nothing is remembered */
    return m;
}

static void memory_free(struct memory *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < KNOWN_MAX; i++)
        known_clear(&m->known[i]);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

/* The certificate is its own from now on. */
static enum tp_err make_authority(struct order_authority **out, X509 *ca, const char *name,
                                  struct tp_error *e)
{
    struct order_authority *a = calloc(1, sizeof(*a));
    enum tp_err r = TP_OK;

    if (a != NULL) {
        a->store = X509_STORE_new();
        a->memory = memory_new(ca);
    }
    if (a == NULL || a->memory == NULL)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for %s", name);
    else if (X509_check_ca(ca) != 1)
        r = tp_fail(e, TP_ERR_SECURITY, "%s is no authority's certificate", name);
    else if (a->store == NULL || X509_STORE_add_cert(a->store, ca) != 1)
        r = tp_fail(e, TP_ERR_INTERNAL, "cannot use the authority's certificate %s", name);
    if (r == TP_OK) {
        *out = a;
        a = NULL;
    }
    ERR_clear_error();
    X509_free(ca);
    order_authority_free(&a);
    return r;
}

enum tp_err order_authority_read(struct order_authority **out, struct span pem, const char *name,
                                 struct tp_error *e)
{
    X509 *ca = NULL;
    const enum tp_err r = parse_certificate(&ca, pem, name, e);

    *out = NULL;
    return r == TP_OK ? make_authority(out, ca, name, e) : r;
}

enum tp_err order_authority_load(struct order_authority **out, const char *ca_path,
                                 struct tp_error *e)
{
    X509 *ca = NULL;
    const enum tp_err r = read_certificate(&ca, ca_path, e);

    *out = NULL;
    return r == TP_OK ? make_authority(out, ca, ca_path, e) : r;
}

void order_authority_free(struct order_authority **a)
{
    if (*a != NULL) {
        X509_STORE_free((*a)->store);
        memory_free((*a)->memory);
    }
    free(*a);
    *a = NULL;
}

/* One number of the key, as JWK has it (RFC 7518, 6.2). */
static bool add_number(json_t *jwk, const char *name, const EVP_PKEY *key, const char *parameter)
{
    uint8_t bytes[P256_BYTES];
    char text[BASE64URL_SIZE(P256_BYTES)];
    BIGNUM *n = NULL;
    const bool ok =
        EVP_PKEY_get_bn_param(key, parameter, &n) == 1 &&
        BN_bn2binpad(n, bytes, sizeof(bytes)) == (int)sizeof(bytes) &&
        json_object_set_new(jwk, name, json_string(base64url_encode(text, SPAN_OF(bytes)))) == 0;

    secret_wipe(bytes, sizeof(bytes));
    secret_wipe(text, sizeof(text));
    BN_clear_free(n);
    return ok;
}

/* libjose's own function for this needs interfaces that OpenSSL has given up. */
static enum tp_err make_jwk(json_t **out, const EVP_PKEY *key, bool private, struct tp_error *e)
{
    char curve[16] = "";
    json_t *jwk = NULL;
    enum tp_err r = TP_OK;

    *out = NULL;
    if (key == NULL || !EVP_PKEY_is_a(key, "EC") ||
        EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) != 1 ||
        strcmp(curve, "prime256v1") != 0) {
        r = tp_fail(e, TP_ERR_SECURITY, "the certificate's key is none of P-256");
        goto out;
    }
    jwk = json_pack("{s:s,s:s}", "kty", "EC", "crv", "P-256");
    if (jwk == NULL || !add_number(jwk, "x", key, OSSL_PKEY_PARAM_EC_PUB_X) ||
        !add_number(jwk, "y", key, OSSL_PKEY_PARAM_EC_PUB_Y) ||
        (private && !add_number(jwk, "d", key, OSSL_PKEY_PARAM_PRIV_KEY))) {
        json_decref(jwk);
        r = tp_fail(e, TP_ERR_INTERNAL, "cannot take the key over");
        goto out;
    }
    *out = jwk;
out:
    ERR_clear_error();
    return r;
}

static enum tp_err make_x5c(json_t **out, X509 *cert, struct tp_error *e)
{
    uint8_t *der = NULL;
    const int n = i2d_X509(cert, &der);
    char *text = n > 0 && n <= CERTIFICATE_MAX ? malloc(BASE64_SIZE((size_t)n)) : NULL;
    enum tp_err r = TP_OK;

    *out = text != NULL ? json_pack("[s]", base64_encode(text, span_of(der, (size_t)n))) : NULL;
    if (*out == NULL)
        r = tp_fail(e, TP_ERR_RANGE, "the certificate is too large, or there is no memory");
    free(text);
    OPENSSL_free(der);
    return r;
}

enum tp_err order_key_load(struct order_key *out, const char *cert_path, const char *key_path,
                           struct tp_error *e)
{
    X509 *cert = NULL;
    EVP_PKEY *key = NULL;
    BIO *bio = NULL;
    enum tp_err r = file_check_private(key_path, e);

    *out = (struct order_key){0};
    if (r == TP_OK)
        r = read_certificate(&cert, cert_path, e);
    if (r != TP_OK)
        goto out;
    bio = BIO_new_file(key_path, "r"); /* OpenSSL wipes its own copy of the text */
    key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    if (key == NULL || X509_check_private_key(cert, key) != 1) {
        r = tp_fail(e, TP_ERR_FORMAT, "%s is not the key of %s", key_path, cert_path);
        goto out;
    }
    r = make_jwk(&out->jwk, key, true, e);
    if (r == TP_OK)
        r = make_x5c(&out->x5c, cert, e);
out:
    ERR_clear_error();
    BIO_free(bio);
    EVP_PKEY_free(key);
    X509_free(cert);
    return r;
}

void order_key_free(struct order_key *k)
{
    json_decref(k->jwk);
    json_decref(k->x5c);
    *k = (struct order_key){0};
}

enum tp_err order_certificate_load(json_t **x5c, const char *path, struct tp_error *e)
{
    X509 *cert = NULL;
    enum tp_err r = read_certificate(&cert, path, e);

    *x5c = NULL;
    if (r == TP_OK)
        r = make_x5c(x5c, cert, e);
    X509_free(cert);
    return r;
}

static enum tp_err read_x5c(X509 **out, const json_t *x5c, struct tp_error *e)
{
    const json_t *only = json_array_get(x5c, 0);
    uint8_t der[CERTIFICATE_MAX];
    struct buf b = BUF_OF(der);
    const uint8_t *p = der;

    *out = NULL;
    if (json_array_size(x5c) != 1 || !json_is_string(only) ||
        base64_decode(&b, span_of(json_string_value(only), json_string_length(only))) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT, "x5c is no list of one certificate");
    *out = d2i_X509(NULL, &p, (long)b.n);
    ERR_clear_error();
    if (*out != NULL && p == der + b.n)
        return TP_OK;
    X509_free(*out);
    *out = NULL;
    return tp_fail(e, TP_ERR_FORMAT, "x5c holds no certificate");
}

static enum tp_err check_chain(const struct order_authority *authority, X509 *cert, time_t at,
                               struct tp_error *e)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    enum tp_err r = TP_OK;

    if (ctx == NULL || X509_STORE_CTX_init(ctx, authority->store, cert, NULL) != 1) {
        r = tp_fail(e, TP_ERR_INTERNAL, "cannot check a certificate");
        goto out;
    }
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), at);
    if (X509_verify_cert(ctx) != 1)
        r = tp_fail(e, TP_ERR_SECURITY, "the certificate is not good: %s",
                    X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
out:
    ERR_clear_error();
    X509_STORE_CTX_free(ctx);
    return r;
}

/* One entry of the subject. Two of a kind, or one that does not fit, could be read in two ways. */
static enum tp_err read_name(char out[PKI_NAME_MAX], const X509 *cert, int nid, struct tp_error *e)
{
    const X509_NAME *name = X509_get_subject_name(cert);
    const int i = X509_NAME_get_index_by_NID(name, nid, -1);
    uint8_t *text = NULL;
    enum tp_err r = TP_OK;

    out[0] = '\0';
    if (i < 0)
        return TP_OK;
    const int n =
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i)));

    if (n < 0 || n >= PKI_NAME_MAX || memchr(text, '\0', (size_t)n) != NULL ||
        X509_NAME_get_index_by_NID(name, nid, i) >= 0)
        r = tp_fail(e, TP_ERR_SECURITY, "the certificate's name cannot be read");
    else
        snprintf(out, PKI_NAME_MAX, "%.*s", n, (const char *)text);
    OPENSSL_free(text);
    return r;
}

/* ---- those that were found good before ---- */

/* What threads share of JSON is copied under the lock. */
static bool copy_holder(struct order_holder *out, const struct order_holder *from)
{
    *out = *from;
    out->jwk = json_deep_copy(from->jwk);
    return out->jwk != NULL;
}

static bool recall(struct order_holder *out, struct memory *m, const char *text, enum pki_role role,
                   time_t at)
{
    bool found = false;

    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < KNOWN_MAX && !found; i++) {
        const struct known *k = &m->known[i];

        found = k->text != NULL && k->role == role && at >= k->from && at <= k->to &&
                strcmp(k->text, text) == 0 && copy_holder(out, &k->holder);
    }
    pthread_mutex_unlock(&m->lock);
    return found;
}

static void remember(struct memory *m, const char *text, enum pki_role role, const X509 *cert,
                     const struct order_holder *holder)
{
    struct known k = {.text = strdup(text), .role = role};
    const bool good = k.text != NULL && read_times(&k.from, &k.to, cert) && m->from <= m->to &&
                      copy_holder(&k.holder, holder);

    if (!good) {
        known_clear(&k);
        return;
    }
    k.from = k.from > m->from ? k.from : m->from;
    k.to = k.to < m->to ? k.to : m->to;
    pthread_mutex_lock(&m->lock);
    known_clear(&m->known[m->next]);
    m->known[m->next] = k;
    m->next = (m->next + 1) % KNOWN_MAX;
    pthread_mutex_unlock(&m->lock);
}

static enum tp_err read_holder(struct order_holder *out, X509 *cert, enum pki_role role,
                               struct tp_error *e)
{
    enum tp_err r = TP_OK;

    if (!pki_has_role(cert, role))
        r = tp_fail(e, TP_ERR_SECURITY, "the certificate is for another purpose");
    if (r == TP_OK)
        r = read_name(out->organisation, cert, NID_organizationName, e);
    if (r == TP_OK)
        r = read_name(out->common_name, cert, NID_commonName, e);
    return r == TP_OK ? make_jwk(&out->jwk, X509_get0_pubkey(cert), false, e) : r;
}

enum tp_err order_holder_read(struct order_holder *out, const struct order_authority *authority,
                              const json_t *x5c, enum pki_role role, time_t at, struct tp_error *e)
{
    const json_t *only = json_array_get(x5c, 0);
    const char *text = json_string_value(only);
    X509 *cert = NULL;
    enum tp_err r;

    *out = (struct order_holder){0};
    if (json_array_size(x5c) == 1 && text != NULL && strlen(text) == json_string_length(only) &&
        recall(out, authority->memory, text, role, at))
        return TP_OK;
    r = read_x5c(&cert, x5c, e);
    if (r == TP_OK)
        r = check_chain(authority, cert, at, e);
    if (r == TP_OK)
        r = read_holder(out, cert, role, e);
    if (r == TP_OK)
        remember(authority->memory, text, role, cert, out);
    X509_free(cert);
    return r;
}

void order_holder_free(struct order_holder *h)
{
    json_decref(h->jwk);
    *h = (struct order_holder){0};
}
