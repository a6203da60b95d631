/* Orders, acknowledgements, devices' statements and what is sealed, forged in their bytes: all that
 * JOSE allows and the house does not, each with a signature or a seal that is right, so that the
 * form alone is refused; and each is told in words. */
#include "unit.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/date.h"
#include "order/acknowledgement.h"
#include "order/device.h"
#include "order/order.h"
#include "order/sealed.h"

#define CONTRACT    "000000000000123"
#define ID          "abcdefghijklmnopqrstuvwxyz"
#define HASH        "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
#define COUNT(t)    (sizeof(t) / sizeof((t)[0]))
#define SIGNATURE   64
#define HALF        32
#define DAY         86400L
#define OUR_USAGE   "2.25.215980706153799454954526073739923810814" /* doc/protocol.md */
#define CERTIFICATE BASE64_SIZE(CERTIFICATE_MAX)

enum { ORDER, ACKNOWLEDGEMENT, DEVICE, KINDS };

/* One kind of statement: who reads it, and what a right one is made of. */
struct kind {
    const char *type;
    enum tp_err (*read)(const char *jws, struct tp_error *e);
    EVP_PKEY *key;
    char *bearer; /* the member of its header that says whose key it is */
    char *payload;
    char *good; /* the whole of it */
};

static char dir[] = "/tmp/test_forged.XXXXXX";
static struct order_authority *ours;
static struct kind kinds[KINDS];
static uint8_t nothing[HALF];
static time_t now;

/* ---- texts ---- */

struct value {
    char letter;
    const char *text;
};

/* The template with $h, $p, … replaced by the values, which end with a null text. free() */
static char *fill(const char *template, const struct value *values)
{
    char *out = NULL;
    size_t n;
    FILE *f = open_memstream(&out, &n);

    ck_assert_ptr_nonnull(f);
    for (const char *c = template; *c != '\0'; c++) {
        const struct value *v = values;

        while (*c == '$' && v->text != NULL && v->letter != c[1])
            v++;
        if (*c == '$' && v->text != NULL) {
            fputs(v->text, f);
            c++;
        } else {
            fputc(*c, f);
        }
    }
    ck_assert_int_eq(fclose(f), 0);
    return out;
}

static char *encoded(struct span bytes)
{
    char *out = malloc(BASE64URL_SIZE(bytes.n));

    ck_assert_ptr_nonnull(out);
    return base64url_encode(out, bytes);
}

/* The same bytes in another spelling: the bits that no byte takes are set. */
static char *misspelt(const char *text)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *out = strdup(text), *last = out + strlen(out) - 1;

    ck_assert_int_ne(strlen(text) % 4, 0);
    *last = alphabet[(strchr(alphabet, *last) - alphabet) | 1];
    ck_assert_str_ne(out, text);
    return out;
}

static void ck_refused(enum tp_err r, const struct tp_error *e, enum tp_err wanted,
                       const char *says, const char *what)
{
    ck_assert_msg(r == wanted && e->text[0] != '\0' && strstr(e->text, says) != NULL,
                  "%s: %d \"%s\", not %d \"%s\"", what, r, e->text, wanted, says);
    for (const char *c = e->text; *c != '\0'; c++)
        ck_assert_msg(*c >= ' ', "%s: a control character is told", what);
}

/* ---- certificates ---- */

struct paper {
    const char *what;
    const char *by;                               /* whose authority gives it; "": itself */
    const char *constraints, *key_usage, *usages; /* of the key; NULL: without */
    const char *algorithm;                        /* "P-256" … */
    long from, to;                                /* days from now */
    const char *organisation, *name;
    enum tp_err r;
    const char *says;
};

static const struct paper right = {"a right one",
                                   "ours",
                                   "critical,CA:FALSE",
                                   "critical,digitalSignature",
                                   "critical," OUR_USAGE ".1",
                                   "P-256",
                                   -1,
                                   1,
                                   CONTRACT,
                                   "mediator",
                                   TP_OK,
                                   ""};

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;

    if (value == NULL)
        return;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);

    ck_assert_msg(x != NULL && X509_add_ext(cert, x, -1) == 1, "%s", value);
    X509_EXTENSION_free(x);
}

static FILE *of_authority(const char *name, const char *file)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s/%s", dir, name, file);
    FILE *f = fopen(path, "re");

    ck_assert_ptr_nonnull(f);
    return f;
}

static X509 *certificate_of(const char *authority, EVP_PKEY **key)
{
    FILE *cert = of_authority(authority, "ca.pem"), *secret = of_authority(authority, "ca.key");
    X509 *out = PEM_read_X509(cert, NULL, NULL, NULL);

    *key = PEM_read_PrivateKey(secret, NULL, NULL, NULL);
    fclose(cert);
    fclose(secret);
    ck_assert(out != NULL && *key != NULL);
    return out;
}

static EVP_PKEY *new_key(const char *algorithm)
{
    EVP_PKEY *key = strncmp(algorithm, "P-", 2) == 0 ? EVP_EC_gen(algorithm)
                    : strcmp(algorithm, "RSA") == 0  ? EVP_RSA_gen(2048)
                                                     : EVP_PKEY_Q_keygen(NULL, NULL, algorithm);

    ck_assert_ptr_nonnull(key);
    return key;
}

/* DER, OPENSSL_free(). */
static struct span certify(const struct paper *p, EVP_PKEY *key)
{
    X509 *cert = X509_new(), *issuer = NULL;
    EVP_PKEY *issuer_key = NULL;
    X509_NAME *name = X509_get_subject_name(cert);
    uint8_t *der = NULL;

    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 7);
    X509_gmtime_adj(X509_getm_notBefore(cert), p->from * DAY);
    X509_gmtime_adj(X509_getm_notAfter(cert), p->to * DAY);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const uint8_t *)p->organisation, -1, -1,
                               0);
    for (const char *cn = p->name; *cn != '\0'; cn += strcspn(cn, "+") + (strchr(cn, '+') != NULL))
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)cn,
                                   (int)strcspn(cn, "+"), -1, 0);
    if (p->by[0] != '\0')
        issuer = certificate_of(p->by, &issuer_key);
    X509_set_issuer_name(cert, X509_get_subject_name(issuer != NULL ? issuer : cert));
    extend(cert, issuer, NID_basic_constraints, p->constraints);
    extend(cert, issuer, NID_key_usage, p->key_usage);
    extend(cert, issuer, NID_ext_key_usage, p->usages);
    ck_assert_int_gt(X509_sign(cert, issuer_key != NULL ? issuer_key : key, EVP_sha256()), 0);
    const int n = i2d_X509(cert, &der);

    ck_assert_int_gt(n, 0);
    X509_free(cert);
    X509_free(issuer);
    EVP_PKEY_free(issuer_key);
    return span_of(der, (size_t)n);
}

static void write_base64(char out[CERTIFICATE], struct span der)
{
    ck_assert_uint_le(der.n, CERTIFICATE_MAX);
    base64_encode(out, der);
}

static void paper_text(char out[CERTIFICATE], const struct paper *p, EVP_PKEY *key)
{
    const struct span der = certify(p, key);

    write_base64(out, der);
    OPENSSL_free((void *)(uintptr_t)der.p);
}

/* ---- signing ---- */

/* r and s, each in 32 bytes. */
static void sign(uint8_t out[SIGNATURE], EVP_PKEY *key, const char *text)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t der[256];
    const uint8_t *p = der;
    size_t n = sizeof(der);

    ck_assert(ctx != NULL && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1);
    ck_assert_int_eq(EVP_DigestSign(ctx, der, &n, (const uint8_t *)text, strlen(text)), 1);
    EVP_MD_CTX_free(ctx);
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)n);

    ck_assert_ptr_nonnull(sig);
    ck_assert_int_eq(BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, HALF), HALF);
    ck_assert_int_eq(BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + HALF, HALF), HALF);
    ECDSA_SIG_free(sig);
}

static char *signed_text(const char *header, struct span payload, EVP_PKEY *key)
{
    char *h = encoded(span_str(header)), *p = encoded(payload), *text = NULL, *out = NULL;
    uint8_t signature[SIGNATURE];

    ck_assert_int_gt(asprintf(&text, "%s.%s", h, p), 0);
    sign(signature, key, text);
    char *s = encoded(SPAN_OF(signature));

    ck_assert_int_gt(asprintf(&out, "%s.%s", text, s), 0);
    free(h);
    free(p);
    free(s);
    free(text);
    return out;
}

/* "[" or "{" n times. */
static char *deep(char c, size_t n)
{
    char *out = calloc(1, n + 1);

    ck_assert_ptr_nonnull(out);
    memset(out, c, n);
    return out;
}

static char *header_of(const struct kind *k, const char *template)
{
    char *nested = deep('[', 1000);
    const struct value values[] = {{'t', k->type}, {'b', k->bearer}, {'d', nested}, {0, NULL}};
    char *out = fill(template, values);

    free(nested);
    return out;
}

#define GOOD_HEADER "{\"alg\":\"ES256\",\"typ\":\"$t\",$b}"

static char *with(const struct kind *k, const char *header, struct span payload)
{
    char *h = header_of(k, header), *out = signed_text(h, payload, k->key);

    free(h);
    return out;
}

/* ---- what is right ---- */

static enum tp_err read_order(const char *jws, struct tp_error *e)
{
    struct order o = {0};
    const enum tp_err r = order_read(&o, jws, ours, now, e);

    order_free(&o);
    return r;
}

static enum tp_err read_acknowledgement(const char *jws, struct tp_error *e)
{
    struct acknowledgement a = {0};
    const enum tp_err r = acknowledgement_read(&a, jws, ours, e);

    acknowledgement_free(&a);
    return r;
}

static enum tp_err read_device(const char *jws, struct tp_error *e)
{
    return device_statement_verify(jws, nothing, nothing, e);
}

/* Values of the payloads: when it is. */
static char *payload_of(const char *template)
{
    char issued[TIME_TEXT_MAX], until[TIME_TEXT_MAX];
    const struct value values[] = {
        {'i', time_format_utc(issued, now)}, {'u', time_format_utc(until, now + 300)}, {0, NULL}};

    return fill(template, values);
}

#define ORDER_OF(amount, merchant, issued, until, more)                                            \
    "{\"version\":1,\"order\":\"" ID "\",\"contract\":\"" CONTRACT "\",\"merchant\":" merchant     \
    ",\"item\":\"Article 1\",\"amount\":" amount                                                   \
    ",\"currency\":\"eur\",\"delivery\":\"network\",\"quote\":\"" HASH                             \
    "\",\"nonce\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"issued\":" issued ",\"valid_until\":" until         \
    ",\"return\":\"https://m.example/\",\"terminal\":\"00000001\",\"stan\":\"000001\","            \
    "\"date\":\"20261128\",\"time\":\"235959\",\"country\":\"250\",\"mcc\":\"5994\","              \
    "\"acquirer\":\"ACQ1\",\"means\":[{\"name\":\"emv\",\"ceiling\":\"5000\"}],"                   \
    "\"resource\":{\"method\":\"GET\",\"url\":\"https://m.example/\"}" more "}"
#define MERCHANT     "\"Le Journal\""
#define ISSUED       "\"$i\""
#define UNTIL        "\"$u\""
#define GOOD_PAYLOAD ORDER_OF("\"150\"", MERCHANT, ISSUED, UNTIL, "")

static char *jwk_of(const EVP_PKEY *key)
{
    static const char *const names[] = {OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y};
    char *text[2], *out = NULL;

    for (size_t i = 0; i < 2; i++) {
        uint8_t bytes[HALF];
        BIGNUM *n = NULL;

        ck_assert(EVP_PKEY_get_bn_param(key, names[i], &n) == 1);
        ck_assert_int_eq(BN_bn2binpad(n, bytes, HALF), HALF);
        BN_free(n);
        text[i] = encoded(SPAN_OF(bytes));
    }
    ck_assert_int_gt(asprintf(&out, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}",
                              text[0], text[1]),
                     0);
    free(text[0]);
    free(text[1]);
    return out;
}

static void make_kind(size_t which, const char *type,
                      enum tp_err (*read)(const char *, struct tp_error *), const char *usage,
                      const char *payload)
{
    struct kind *k = &kinds[which];
    char certificate[CERTIFICATE];
    struct paper p = right;
    struct tp_error e = {0};

    k->type = type;
    k->read = read;
    k->key = new_key("P-256");
    k->payload = payload_of(payload);
    p.usages = usage;
    if (usage != NULL)
        paper_text(certificate, &p, k->key);
    char *jwk = jwk_of(k->key);

    ck_assert_int_gt(usage != NULL ? asprintf(&k->bearer, "\"x5c\":[\"%s\"]", certificate)
                                   : asprintf(&k->bearer, "\"jwk\":%s", jwk),
                     0);
    free(jwk);
    k->good = with(k, GOOD_HEADER, span_str(k->payload));
    ck_assert_msg(k->read(k->good, &e) == TP_OK, "%s", e.text);
}

static void make(void)
{
    static const char *const names[] = {"ours", "theirs"};
    char path[80];

    ck_assert_ptr_nonnull(mkdtemp(dir));
    now = time(NULL);
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        ck_ok(pki_authority_make(path, "authority", NULL)); /* one name for both */
    }
    snprintf(path, sizeof(path), "%s/ours/ca.pem", dir);
    ck_ok(order_authority_load(&ours, path, NULL));
    make_kind(ORDER, ORDER_TYPE, read_order, "critical," OUR_USAGE ".1", GOOD_PAYLOAD);
    make_kind(ACKNOWLEDGEMENT, ACKNOWLEDGEMENT_TYPE, read_acknowledgement,
              "critical," OUR_USAGE ".3",
              "{\"version\":1,\"r\":\"" HASH "\",\"order\":\"" ID "\",\"contract\":\"" CONTRACT
              "\",\"amount\":\"150\",\"currency\":\"eur\",\"reference\":\"633300000001\","
              "\"code\":\"00\",\"outcome\":\"acknowledged\",\"at\":\"$i\"}");
    make_kind(DEVICE, DEVICE_STATEMENT_TYPE, read_device, NULL,
              "{\"version\":1,\"r\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
              "\"transaction\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}");
}

static void drop(void)
{
    char command[80];

    for (size_t i = 0; i < KINDS; i++) {
        EVP_PKEY_free(kinds[i].key);
        free(kinds[i].bearer);
        free(kinds[i].payload);
        free(kinds[i].good);
    }
    order_authority_free(&ours);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

/* ---- headers ---- */

START_TEST(header_is_forged)
    {
        static const char *const headers[][2] = {
            {"{\"alg\":\"none\",\"typ\":\"$t\",$b}", "alg ES256"},
            {"{\"alg\":\"None\",\"typ\":\"$t\",$b}", "alg ES256"},
            {"{\"alg\":\"\",\"typ\":\"$t\",$b}", "alg ES256"},
            {"{\"alg\":\"HS256\",\"typ\":\"$t\",$b}", "alg ES256"},
            {"{\"alg\":\"RS256\",\"typ\":\"$t\",$b}", "alg ES256"},
            {"{\"alg\":\"ES384\",\"typ\":\"$t\",$b}", "alg ES256"},
            {"{\"alg\":\"ES256K\",\"typ\":\"$t\",$b}", "alg ES256"},
            {"{\"alg\":\"EdDSA\",\"typ\":\"$t\",$b}", "alg ES256"},
            {"{\"alg\":\"es256\",\"typ\":\"$t\",$b}", "alg ES256"},
            {"{\"alg\":\"ES256 \",\"typ\":\"$t\",$b}", "alg ES256"},
            {"{\"alg\":\"ES256\\u0000\",\"typ\":\"$t\",$b}", "alg ES256"},
            {"{\"alg\":\"ES256\\u0000none\",\"typ\":\"$t\",$b}", "alg ES256"},
            {"{\"alg\":256,\"typ\":\"$t\",$b}", "alg ES256"},
            {"{\"alg\":null,\"typ\":\"$t\",$b}", "alg ES256"},
            {"{\"alg\":[\"ES256\"],\"typ\":\"$t\",$b}", "alg ES256"},
            {"{\"Alg\":\"ES256\",\"typ\":\"$t\",$b}", "alg ES256"},
            {"{\"typ\":\"$t\",$b}", "alg ES256"},
            {"{\"alg\":\"ES256\",$b}", "typ $t"},
            {"{\"alg\":\"ES256\",\"typ\":\"JWT\",$b}", "typ $t"},
            {"{\"alg\":\"ES256\",\"typ\":\"application/$t\",$b}", "typ $t"},
            {"{\"alg\":\"ES256\",\"typ\":\"TELEPAY\",$b}", "typ $t"},
            {"{\"alg\":\"ES256\",\"typ\":\"$t\\u0000\",$b}", "typ $t"},
            {"{\"alg\":\"ES256\",\"typ\":1,$b}", "typ $t"},
            {"{\"alg\":\"ES256\",\"typ\":\"$t\"}", "and no more"},
            {"{\"alg\":\"ES256\",\"typ\":\"$t\",\"kid\":\"1\"}", "and no more"},
            {"{\"alg\":\"ES256\",\"typ\":\"$t\",$b,\"kid\":\"1\"}", "and no more"},
            {"{\"alg\":\"ES256\",\"typ\":\"$t\",$b,\"crit\":[\"exp\"],\"exp\":1}", "and no more"},
            {"{\"alg\":\"ES256\",\"typ\":\"$t\",$b,\"crit\":[]}", "and no more"},
            {"{\"alg\":\"ES256\",\"typ\":\"$t\",$b,\"b64\":false}", "and no more"},
            {"{\"alg\":\"ES256\",\"typ\":\"$t\",$b,\"b64\":true}", "and no more"},
            {"{\"alg\":\"ES256\",\"typ\":\"$t\",$b,\"jku\":\"https://a/\"}", "and no more"},
            {"{\"alg\":\"ES256\",\"typ\":\"$t\",$b,\"x5u\":\"https://a/\"}", "and no more"},
            {"{\"alg\":\"ES256\",\"typ\":\"$t\",$b,\"x5t#S256\":\"" HASH "\"}", "and no more"},
            {"{\"alg\":\"ES256\",\"typ\":\"$t\",$b,\"cty\":\"JWT\"}", "and no more"},
            {"{\"alg\":\"ES256\",\"typ\":\"$t\",$b,\"zip\":\"DEF\"}", "and no more"},
            {"{\"alg\":\"ES256\",\"typ\":\"$t\",$b,\"\":\"\"}", "and no more"},
            {"{\"alg\":\"none\",\"alg\":\"ES256\",\"typ\":\"$t\",$b}", "member twice"},
            {"{\"alg\":\"ES256\",\"al\\u0067\":\"none\",\"typ\":\"$t\",$b}", "member twice"},
            {"{\"alg\":\"ES256\",\"typ\":\"$t\",$b,$b}", "member twice"},
            {"{\"alg\":\"ES256\",\"typ\":\"$t\",$b,\"a\\u0000b\":1}", "no JSON"},
            {"{\"alg\":\"ES256\",\"typ\":\"$t\",$b,}", "no JSON"},
            {"{\"alg\":\"ES256\",\"typ\":\"$t\",$b}}", "no JSON"},
            {"{\"alg\":\"ES256\",\"typ\":\"$t\",$b}{}", "no JSON"},
            {"{'alg':'ES256','typ':'$t',$b}", "no JSON"},
            {"{\"alg\":\"ES256\",/**/\"typ\":\"$t\",$b}", "no JSON"},
            {"\xEF\xBB\xBF{\"alg\":\"ES256\",\"typ\":\"$t\",$b}", "no JSON"},
            {"{\"alg\":\"ES256\xFF\",\"typ\":\"$t\",$b}", "no JSON"},
            {"{\"alg\":\"ES256\\ud800\",\"typ\":\"$t\",$b}", "no JSON"},
            {"{\"alg\":\"ES256\",\"typ\":\"$t\",$b,\"d\":$d}", "nested deeper"},
            {"$d", "nested deeper"},
            {"[\"alg\",\"ES256\"]", "no object"},
            {"\"ES256\"", "no object"},
            {"null", "no object"},
            {"", "no JSON"},
        };

        for (size_t i = 0; i < KINDS; i++)
            for (size_t j = 0; j < COUNT(headers); j++) {
                struct tp_error e = {0};
                char *jws = with(&kinds[i], headers[j][0], span_str(kinds[i].payload));
                char *says = header_of(&kinds[i], headers[j][1]);

                ck_refused(kinds[i].read(jws, &e), &e, TP_ERR_FORMAT, says, headers[j][0]);
                free(says);
                free(jws);
            }
    }
END_TEST

/* What says whose key it is, in another form: of a certificate that is good, and of a device's key
 * that is. */
START_TEST(bearer_is_forged)
    {
        static const struct {
            size_t kind;
            const char *member, *says;
        } forged[] = {
            {ORDER, "\"x5c\":\"$c\"", "x5c"},
            {ORDER, "\"x5c\":[]", "one certificate"},
            {ORDER, "\"x5c\":[\"$c\",\"$c\"]", "one certificate"},
            {ORDER, "\"x5c\":[\"$c\",\"$a\"]", "one certificate"},
            {ORDER, "\"x5c\":[\"$a\"]", "another purpose"},
            {ORDER, "\"x5c\":[[\"$c\"]]", "one certificate"},
            {ORDER, "\"x5c\":[null]", "one certificate"},
            {ORDER, "\"x5c\":{\"0\":\"$c\"}", "x5c"},
            {ORDER, "\"x5c\":[\"\"]", "no certificate"},
            {ORDER, "\"x5c\":[\"MAA\"]", "no certificate"},
            {ORDER, "\"x5c\":[\"$cAAAA\"]", "certificate"},
            {ORDER, "\"x5c\":[\" $c\"]", "one certificate"},
            {ORDER, "\"x5c\":[\"$c\\n\"]", "one certificate"},
            {ORDER, "\"x5c\":[\"$c\\u0000\"]", "one certificate"},
            {ORDER, "\"x5c\":[\"$c\\u0000AAAA\"]", "one certificate"},
            {ORDER, "\"x5c\":[\"-----BEGIN CERTIFICATE-----$c\"]", "one certificate"},
            {ORDER, "\"x5c\":[\"$o\"]", "one certificate"},
            {ORDER, "\"jwk\":$k", "x5c"},
            {ACKNOWLEDGEMENT, "\"x5c\":[\"$c\"]", "another purpose"},
            {DEVICE, "\"x5c\":[\"$c\"]", "jwk"},
            {DEVICE, "\"jwk\":\"$k\"", "JSON"},
            {DEVICE, "\"jwk\":[$k]", "P-256"},
            {DEVICE, "\"jwk\":{}", "P-256"},
            {DEVICE, "\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"}", "P-256"},
            {DEVICE, "\"jwk\":{$m,\"d\":\"" HASH "\"}", "P-256"},
            {DEVICE, "\"jwk\":{$m,\"kid\":\"1\"}", "P-256"},
            {DEVICE, "\"jwk\":{$m,\"alg\":\"none\"}", "P-256"},
            {DEVICE, "\"jwk\":{$m,\"use\":\"enc\"}", "P-256"},
            {DEVICE,
             "\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" HASH "\",\"y\":\"" HASH "\"}",
             "signature"}, /* not on the curve */
            {DEVICE,
             "\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" HASH "\",\"y\":\"" HASH "\"}",
             "P-256"},
            {DEVICE, "\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"AAAA\"}",
             "P-256"},
        };
        struct kind *o = &kinds[ORDER];
        char *jwk = jwk_of(kinds[DEVICE].key), *members = strndup(jwk + 1, strlen(jwk) - 2);
        char *over = deep('A', 8000), *certificate = strchr(o->bearer, '[') + 2;
        char authority[CERTIFICATE], *own = strndup(certificate, strlen(certificate) - 2);
        EVP_PKEY *secret = NULL;
        X509 *ca = certificate_of("ours", &secret);
        uint8_t *der = NULL;
        const int n = i2d_X509(ca, &der);

        write_base64(authority, span_of(der, (size_t)n));
        const struct value values[] = {{'c', own},     {'a', authority}, {'k', jwk},
                                       {'m', members}, {'o', over},      {0, NULL}};

        for (size_t i = 0; i < COUNT(forged); i++) {
            struct kind k = kinds[forged[i].kind];
            struct tp_error e = {0};

            k.bearer = fill(forged[i].member, values);
            char *jws = with(&k, GOOD_HEADER, span_str(k.payload));
            const enum tp_err r = k.read(jws, &e);

            ck_refused(r, &e, r == TP_ERR_SECURITY ? r : TP_ERR_FORMAT, forged[i].says,
                       forged[i].member);
            free(jws);
            free(k.bearer);
        }
        OPENSSL_free(der);
        EVP_PKEY_free(secret);
        X509_free(ca);
        free(own);
        free(over);
        free(members);
        free(jwk);
    }
END_TEST

START_TEST(certificate_is_forged)
    {
        struct paper papers[] = {right, right, right, right, right, right, right, right,
                                 right, right, right, right, right, right, right, right,
                                 right, right, right, right, right, right, right};
        size_t n = 0;

#define PAPER(what_, member, value, r_, says_)                                                     \
    papers[n].what = (what_);                                                                      \
    papers[n].member = (value);                                                                    \
    papers[n].r = (r_);                                                                            \
    papers[n++].says = (says_)
        PAPER("a right one", what, "a right one", TP_OK, "");
        PAPER("another authority of the same name", by, "theirs", TP_ERR_SECURITY, "not good");
        PAPER("its own", by, "", TP_ERR_SECURITY, "not good: self-signed");
        PAPER("over", to, -1, TP_ERR_SECURITY, "expired");
        PAPER("not yet begun", from, 1, TP_ERR_SECURITY, "not yet valid");
        PAPER("a server's", usages, "serverAuth", TP_ERR_SECURITY, "another purpose");
        PAPER("a client's", usages, "clientAuth", TP_ERR_SECURITY, "another purpose");
        PAPER("to seal to", usages, "critical," OUR_USAGE ".2", TP_ERR_SECURITY, "purpose");
        PAPER("of acknowledgements", usages, "critical," OUR_USAGE ".3", TP_ERR_SECURITY,
              "another purpose");
        PAPER("of nobody yet", usages, OUR_USAGE ".4", TP_ERR_SECURITY, "another purpose");
        PAPER("of the arc", usages, OUR_USAGE, TP_ERR_SECURITY, "another purpose");
        PAPER("of two", usages, OUR_USAGE ".1," OUR_USAGE ".3", TP_ERR_SECURITY, "purpose");
        PAPER("of any", usages, "anyExtendedKeyUsage", TP_ERR_SECURITY, "another purpose");
        PAPER("of none", usages, NULL, TP_ERR_SECURITY, "another purpose");
        PAPER("an authority's", constraints, "critical,CA:TRUE", TP_ERR_SECURITY, "purpose");
        PAPER("a key to agree", key_usage, "critical,keyAgreement", TP_ERR_SECURITY, "purpose");
        PAPER("a key for more", key_usage, "critical,digitalSignature,keyCertSign", TP_ERR_SECURITY,
              "purpose");
        PAPER("a key for anything", key_usage, NULL, TP_ERR_SECURITY, "purpose");
        PAPER("of P-384", algorithm, "P-384", TP_ERR_SECURITY, "none of P-256");
        PAPER("of RSA", algorithm, "RSA", TP_ERR_SECURITY, "none of P-256");
        PAPER("for another contract", organisation, "000000000000999", TP_ERR_SECURITY,
              "another contract");
        PAPER("of two names", name, "mediator+other", TP_ERR_SECURITY, "name cannot be read");
        PAPER("of a long name", name,
              "0123456789012345678901234567890123456789012345678901234567890123", TP_ERR_SECURITY,
              "name cannot be read");
        ck_assert_uint_eq(n, COUNT(papers));
        for (size_t i = 0; i < n; i++) {
            char certificate[CERTIFICATE];
            struct kind k = kinds[ORDER];
            struct tp_error e = {0};

            k.key = new_key(papers[i].algorithm);
            paper_text(certificate, &papers[i], k.key);
            ck_assert_int_gt(asprintf(&k.bearer, "\"x5c\":[\"%s\"]", certificate), 0);
            if (strcmp(papers[i].algorithm, "P-256") != 0) { /* which signs something else */
                EVP_PKEY_free(k.key);
                k.key = new_key("P-256");
            }
            char *jws = with(&k, GOOD_HEADER, span_str(k.payload));
            const enum tp_err r = k.read(jws, &e);

            if (papers[i].r == TP_OK)
                ck_assert_msg(r == TP_OK, "%s: %s", papers[i].what, e.text);
            else
                ck_refused(r, &e, papers[i].r, papers[i].says, papers[i].what);
            free(jws);
            free(k.bearer);
            EVP_PKEY_free(k.key);
        }
    }
END_TEST

/* ---- payloads ---- */

START_TEST(payload_is_forged)
    {
#define AMOUNT(text)    ORDER_OF(text, MERCHANT, ISSUED, UNTIL, ""), TP_ERR_FORMAT, "amount"
#define SHOP(text, say) ORDER_OF("\"150\"", text, ISSUED, UNTIL, ""), TP_ERR_FORMAT, say
#define TIMES(from, to) ORDER_OF("\"150\"", MERCHANT, from, to, ""), TP_ERR_FORMAT
        static const struct {
            const char *payload;
            enum tp_err r;
            const char *says;
        } forged[] = {
            {AMOUNT("150.0")},
            {AMOUNT("1.5e2")},
            {AMOUNT("-150")},
            {AMOUNT("\"1.5e2\"")},
            {AMOUNT("\"150.00\"")},
            {AMOUNT("\" 150\"")},
            {AMOUNT("\"150 \"")},
            {AMOUNT("\"+150\"")},
            {AMOUNT("\"0x96\"")},
            {AMOUNT("\"1,50\"")},
            {AMOUNT("\"\"")},
            {AMOUNT("\"150\\u0000\"")},
            {AMOUNT("\"150\\u00000\"")},
            {AMOUNT("\"\\uff11\\uff15\\uff10\"")},
            {AMOUNT("\"99999999999999999999999999999999\"")},
            {AMOUNT("\"9223372036854775808\"")},
            {AMOUNT("null")},
            {AMOUNT("[\"150\"]")},
            {AMOUNT("{\"value\":\"150\"}")},
            {ORDER_OF("99999999999999999999", MERCHANT, ISSUED, UNTIL, ""), TP_ERR_FORMAT,
             "version"},
            {ORDER_OF("1e400", MERCHANT, ISSUED, UNTIL, ""), TP_ERR_FORMAT, "out of range"},
            {ORDER_OF("NaN", MERCHANT, ISSUED, UNTIL, ""), TP_ERR_FORMAT, "no JSON"},
            {ORDER_OF("0150", MERCHANT, ISSUED, UNTIL, ""), TP_ERR_FORMAT, "no JSON"},
            {SHOP("\"Le\\u0000Journal\"", "merchant")},
            {SHOP("\"Le\\nJournal\"", "merchant")},
            {SHOP("\"Le\\u001b[2JJournal\"", "merchant")},
            {SHOP("\"Le\\u0085Journal\"", "merchant")},
            {SHOP("\"Le\\u202eJournal\"", "merchant")},
            {SHOP("\"Le\\u2028Journal\"", "merchant")},
            {SHOP("\"Le\\ufeffJournal\"", "merchant")},
            {SHOP("\"Le\\uffffJournal\"", "merchant")},
            {SHOP("\"Le\nJournal\"", "no JSON")},
            {SHOP("\"Le\\ud83dJournal\"", "no JSON")},
            {SHOP("\"Le\xC0\xAFJournal\"", "no JSON")},
            {SHOP("\"Le\xED\xA0\x80Journal\"", "no JSON")},
            {SHOP("\"   \"", "merchant")},
            {SHOP("true", "merchant")},
            {TIMES("$u", UNTIL), "no JSON"},
            {TIMES("1764410000", UNTIL), "issued"},
            {TIMES(ISSUED, ISSUED), "valid_until"},
            {TIMES(UNTIL, ISSUED), "valid_until"},
            {TIMES(ISSUED, "\"9999-12-31T23:59:59Z\""), "valid_until"},
            {TIMES(ISSUED, "\"99999-12-31T23:59:59Z\""), "valid_until"},
            {TIMES(ISSUED, "\"2026-11-28T10:00:00.5Z\""), "valid_until"},
            {TIMES(ISSUED, "\"2026-11-28T24:00:00Z\""), "valid_until"},
            {TIMES(ISSUED, "\"2026-02-29T10:00:00Z\""), "valid_until"},
            {TIMES(ISSUED, "\"-026-11-28T10:00:00Z\""), "valid_until"},
            {TIMES(ISSUED, "\"2026-11-28 10:00:00Z\""), "valid_until"},
            {ORDER_OF("\"150\"", MERCHANT, "\"2001-01-01T00:00:00Z\"", "\"2001-01-01T00:05:00Z\"",
                      ""),
             TP_ERR_TIMEOUT, "was valid until 2001-01-01T00:05:00Z"},
            {ORDER_OF("\"150\"", MERCHANT, "\"2901-01-01T00:00:00Z\"", "\"2901-01-01T00:05:00Z\"",
                      ""),
             TP_ERR_TIMEOUT, "begins at 2901-01-01T00:00:00Z"},
            {ORDER_OF("\"150\"", MERCHANT, ISSUED, UNTIL, ",\"amount\":\"1\""), TP_ERR_FORMAT,
             "member twice"},
            {ORDER_OF("\"150\"", MERCHANT, ISSUED, UNTIL, ",\"am\\u006funt\":\"1\""), TP_ERR_FORMAT,
             "member twice"},
            {ORDER_OF("\"150\"", MERCHANT, ISSUED, UNTIL, ",\"Amount\":\"1\""), TP_ERR_FORMAT,
             "nobody knows"},
            {ORDER_OF("\"150\"", MERCHANT, ISSUED, UNTIL, ",\"amount\\u0000\":\"1\""),
             TP_ERR_FORMAT, "no JSON"},
            {ORDER_OF("\"150\"", MERCHANT, ISSUED, UNTIL, ",\"__proto__\":{}"), TP_ERR_FORMAT,
             "nobody knows"},
            {ORDER_OF("\"150\"", MERCHANT, ISSUED, UNTIL, ",\"x\":$d"), TP_ERR_FORMAT, "deeper"},
            {GOOD_PAYLOAD "{}", TP_ERR_FORMAT, "no JSON"},
            {GOOD_PAYLOAD GOOD_PAYLOAD, TP_ERR_FORMAT, "no JSON"},
            {"[" GOOD_PAYLOAD "]", TP_ERR_FORMAT, "no object"},
            {"\"" ID "\"", TP_ERR_FORMAT, "no object"},
            {"{}", TP_ERR_FORMAT, "version"},
            {"$d", TP_ERR_FORMAT, "deeper"},
            {"", TP_ERR_FORMAT, "empty"},
        };
        const struct kind *k = &kinds[ORDER];
        char *nested = deep('[', 3000), issued[TIME_TEXT_MAX], until[TIME_TEXT_MAX];
        const struct value values[] = {{'i', time_format_utc(issued, now)},
                                       {'u', time_format_utc(until, now + 300)},
                                       {'d', nested},
                                       {0, NULL}};

        for (size_t i = 0; i < COUNT(forged); i++) {
            struct tp_error e = {0};
            char *payload = fill(forged[i].payload, values);
            char *jws = with(k, GOOD_HEADER, span_str(payload));

            ck_refused(k->read(jws, &e), &e, forged[i].r, forged[i].says, payload);
            free(jws);
            free(payload);
        }
        free(nested);
    }
END_TEST

/* ---- the whole text, and its signature ---- */

/* Every statement has one spelling. */
START_TEST(text_is_forged)
    {
        static const struct {
            const char *text, *says;
        } forged[] = {
            {"", "no compact JWS"},
            {".", "no compact JWS"},
            {"..", "no compact JWS"},
            {"$h", "no compact JWS"},
            {"$h.$p", "no compact JWS"},
            {"$h.$p.", "no compact JWS"},
            {"$h..$s", ""},
            {".$p.$s", "JSON"},
            {"$h.$p.$s.", "no compact JWS"},
            {"$h.$p.$s.$s", "no compact JWS"},
            {".$h.$p.$s", "no compact JWS"},
            {" $h.$p.$s", "no compact JWS"},
            {"$h.$p.$s ", "no compact JWS"},
            {"$h.$p.$s\n", "no compact JWS"},
            {"$h\r\n.$p.$s", "no compact JWS"},
            {"$h.$p.$s=", "no compact JWS"},
            {"$h.$p.$s==", "no compact JWS"},
            {"$h=.$p.$s", "no compact JWS"},
            {"$h.$p=.$s", "no compact JWS"},
            {"$h.$p.$sA", "no compact JWS"},
            {"$h.$p.$e", "no compact JWS"},
            {"$H.$p.$s", "base64url"},
            {"$h.$P.$s", ""},
            {"$h.$p.$S", "signature"},
            {"$h~$p~$s", "no compact JWS"},
            {"Bearer $h.$p.$s", "no compact JWS"},
            {"{\"protected\":\"$h\",\"payload\":\"$p\",\"signature\":\"$s\"}", "no compact JWS"},
            {"{\"payload\":\"$p\",\"signatures\":[{\"protected\":\"$h\",\"signature\":\"$s\"}]}",
             "no compact JWS"},
            {"{\"protected\":\"$h\",\"header\":{\"kid\":\"1\"},\"payload\":\"$p\",\"signature\":"
             "\"$s\"}",
             "no compact JWS"},
        };

        for (size_t i = 0; i < KINDS; i++) {
            const struct kind *k = &kinds[i];
            char header[8192], *payload = NULL, *h, *p;

            /* blanks, so that the last character of each has bits to spare */
            h = header_of(k, GOOD_HEADER);
            snprintf(header, sizeof(header), "%*s%s", (int)((4 - strlen(h) % 3) % 3), "", h);
            ck_assert_int_gt(asprintf(&payload, "%*s%s", (int)((4 - strlen(k->payload) % 3) % 3),
                                      "", k->payload),
                             0);
            char *good = signed_text(header, span_str(payload), k->key), *rest = NULL, *s;
            struct tp_error e = {0};

            ck_assert_msg(k->read(good, &e) == TP_OK, "%s", e.text);
            free(h);
            free(payload);
            payload = strdup(good);
            h = strtok_r(payload, ".", &rest);
            p = strtok_r(NULL, ".", &rest);
            s = strtok_r(NULL, ".", &rest);
            char *wrong_h = misspelt(h), *wrong_p = misspelt(p), *wrong_s = misspelt(s);
            uint8_t der[SIGNATURE + 8] = {0x30, 70, 2, 33};
            char *in_der = encoded(SPAN_OF(der));
            const struct value values[] = {{'h', h},       {'p', p},       {'s', s},
                                           {'H', wrong_h}, {'P', wrong_p}, {'S', wrong_s},
                                           {'e', in_der},  {0, NULL}};

            for (size_t j = 0; j < COUNT(forged); j++) {
                char *text = fill(forged[j].text, values);

                e = (struct tp_error){0};
                const enum tp_err r = k->read(text, &e);

                ck_refused(r, &e,
                           r == TP_ERR_SECURITY && forged[j].says[0] != 'n' ? r : TP_ERR_FORMAT,
                           forged[j].says, forged[j].text);
                free(text);
            }
            free(in_der);
            free(wrong_h);
            free(wrong_p);
            free(wrong_s);
            free(payload);
            free(good);
        }
    }
END_TEST

static void zero_r(uint8_t rs[SIGNATURE])
{
    memset(rs, 0, HALF);
}

static void zero_s(uint8_t rs[SIGNATURE])
{
    memset(rs + HALF, 0, HALF);
}

static void zero_both(uint8_t rs[SIGNATURE])
{
    memset(rs, 0, SIGNATURE);
}

static void all_ones(uint8_t rs[SIGNATURE])
{
    memset(rs, 0xFF, SIGNATURE);
}

static void swapped(uint8_t rs[SIGNATURE])
{
    uint8_t r[HALF];

    memcpy(r, rs, HALF);
    memcpy(rs, rs + HALF, HALF);
    memcpy(rs + HALF, r, HALF);
}

static const uint8_t group_order[HALF] = {
    0xFF, 0xFF, 0xFF, 0xFF, 0,    0,    0,    0,    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};

static void order_for_both(uint8_t rs[SIGNATURE])
{
    memcpy(rs, group_order, HALF);
    memcpy(rs + HALF, group_order, HALF);
}

/* (r, n - s) is as good as (r, s), and whoever signs gives either: nothing here is told apart by
 * the text of a signature. */
static void mirrored(uint8_t rs[SIGNATURE])
{
    unsigned borrow = 0;

    for (size_t i = HALF; i-- > 0;) {
        const unsigned d = 0x100U + group_order[i] - rs[HALF + i] - borrow;

        rs[HALF + i] = (uint8_t)d;
        borrow = d < 0x100;
    }
}

static void hmac(uint8_t rs[SIGNATURE], const char *key, const char *text, size_t n)
{
    ck_assert_ptr_nonnull(
        HMAC(EVP_sha512(), key, (int)strlen(key), (const uint8_t *)text, n, rs, NULL));
}

START_TEST(signature_is_forged)
    {
        static const struct {
            const char *what;
            void (*change)(uint8_t rs[SIGNATURE]);
            enum tp_err r;
        } forged[] = {
            {"r of 0", zero_r, TP_ERR_SECURITY},
            {"s of 0", zero_s, TP_ERR_SECURITY},
            {"r and s of 0", zero_both, TP_ERR_SECURITY},
            {"r and s beyond the curve's order", all_ones, TP_ERR_SECURITY},
            {"r and s of the curve's order", order_for_both, TP_ERR_SECURITY},
            {"s and r", swapped, TP_ERR_SECURITY},
            {"n - s", mirrored, TP_OK},
        };

        for (size_t i = 0; i < KINDS * COUNT(forged) + KINDS; i++) {
            const struct kind *k = &kinds[i % KINDS];
            const size_t j = i / KINDS;
            char *text = strdup(k->good), *signature = strrchr(text, '.') + 1;
            uint8_t rs[SIGNATURE];
            struct buf b = BUF_OF(rs);
            struct tp_error e = {0};

            ck_ok(base64url_decode(&b, span_str(signature)));
            if (j < COUNT(forged))
                forged[j].change(rs);
            else /* as if what is public were a shared secret */
                hmac(rs, k->bearer, text, (size_t)(signature - 1 - text));
            base64url_encode(signature, SPAN_OF(rs));
            const enum tp_err r = k->read(text, &e);

            if (j < COUNT(forged) && forged[j].r == TP_OK)
                ck_assert_msg(r == TP_OK, "%s: %s", forged[j].what, e.text);
            else
                ck_refused(r, &e, TP_ERR_SECURITY, "signature",
                           j < COUNT(forged) ? forged[j].what : "an HMAC");
            free(text);
        }
    }
END_TEST

/* A statement of one kind is none of another, whoever's key it is. */
START_TEST(kind_is_forged)
    {
        for (size_t i = 0; i < KINDS; i++)
            for (size_t j = 0; j < KINDS; j++) {
                struct kind k = kinds[i];
                struct tp_error e = {0};

                k.bearer = kinds[j].bearer;
                k.key = kinds[j].key;
                char *jws = with(&k, GOOD_HEADER, span_str(kinds[i].payload));
                const enum tp_err r = k.read(jws, &e);

                ck_assert_msg((r == TP_OK) == (i == j), "%s by %s: %s", k.type, kinds[j].type,
                              e.text);
                free(jws);
            }
    }
END_TEST

/* ---- what is sealed ---- */

struct sealed {
    const char *what;
    const char *header; /* $e: the epk; $x, $y: its numbers */
    const char *parts;  /* $h.$k.$i.$c.$t */
    const char *plain;
    size_t cek; /* bytes */
    size_t iv;  /* bytes */
    size_t tag; /* bytes */
    const char *apu;
    enum tp_err r;
    const char *says;
};

#define PARTS  "$h.$k.$i.$c.$t"
#define SEALED "\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"typ\":\"telepay-transaction\""
#define FORM   TP_ERR_FORMAT, "its header is not alg ECDH-ES"
#define PLAIN  "{\"a\":\"b\"}"

/* What both sides agree on (RFC 7518, 4.6.2). */
static void agree(uint8_t *cek, size_t n, EVP_PKEY *own, EVP_PKEY *other, const char *enc,
                  const char *apu)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
    uint8_t z[HALF], info[128];
    size_t z_n = sizeof(z);
    struct buf b = BUF_OF(info);
    const struct span parts[] = {span_str(enc), span_str(apu), span_str("")};
    const uint8_t bits[] = {0, 0, (uint8_t)(n * 8 >> 8), (uint8_t)(n * 8)};

    ck_assert(EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, other) == 1 &&
              EVP_PKEY_derive(ctx, z, &z_n) == 1);
    EVP_PKEY_CTX_free(ctx);
    for (size_t i = 0; i < COUNT(parts); i++) {
        const uint8_t size[] = {0, 0, 0, (uint8_t)parts[i].n};

        ck_ok(buf_put(&b, SPAN_OF(size)));
        ck_ok(buf_put(&b, parts[i]));
    }
    ck_ok(buf_put(&b, SPAN_OF(bits)));
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SSKDF", NULL);
    EVP_KDF_CTX *k = EVP_KDF_CTX_new(kdf);
    const OSSL_PARAM with[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char[]){"SHA256"}, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, z, z_n),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, b.n), OSSL_PARAM_END};

    ck_assert_int_eq(EVP_KDF_derive(k, cek, n, with), 1);
    EVP_KDF_CTX_free(k);
    EVP_KDF_free(kdf);
}

static void encipher(uint8_t *out, uint8_t tag[16], const struct sealed *s, const uint8_t *cek,
                     const uint8_t *iv, const char *aad)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n;

    ck_assert(EVP_EncryptInit_ex(ctx, s->cek == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm(), NULL,
                                 NULL, NULL) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_IVLEN, (int)s->iv, NULL) == 1 &&
              EVP_EncryptInit_ex(ctx, NULL, NULL, cek, iv) == 1 &&
              EVP_EncryptUpdate(ctx, NULL, &n, (const uint8_t *)aad, (int)strlen(aad)) == 1 &&
              EVP_EncryptUpdate(ctx, out, &n, (const uint8_t *)s->plain, (int)strlen(s->plain)) ==
                  1 &&
              EVP_EncryptFinal_ex(ctx, out + n, &n) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, 16, tag) == 1);
    EVP_CIPHER_CTX_free(ctx);
}

/* Sealed to that key as it says; only what its row says is not as it should be. */
static char *seal(const struct sealed *s, EVP_PKEY *to)
{
    EVP_PKEY *once = new_key("P-256");
    char *epk = jwk_of(once), *nested = deep('[', 3000),
         *members = strndup(epk + 1, strlen(epk) - 2);
    const struct value in_header[] = {{'e', epk}, {'m', members}, {'d', nested}, {0, NULL}};
    char *header = fill(s->header, in_header), *plain = fill(s->plain, in_header);
    char *h = encoded(span_str(header));
    uint8_t cek[HALF], iv[16] = {1, 2, 3}, tag[16], wrapped[40] = {7};
    uint8_t *cipher = malloc(strlen(plain) + 1);
    struct sealed filled = *s;

    filled.plain = plain;
    agree(cek, s->cek, once, to, s->cek == 16 ? "A128GCM" : "A256GCM", s->apu);
    encipher(cipher, tag, &filled, cek, iv, h);
    char *i = encoded(span_of(iv, s->iv)), *c = encoded(span_of(cipher, strlen(plain)));
    char *t = encoded(span_of(tag, s->tag)), *w = encoded(SPAN_OF(wrapped));
    char *wrong_c = strlen(c) % 4 != 0 ? misspelt(c) : strdup(c);
    char *wrong_t = strlen(t) % 4 != 0 ? misspelt(t) : strdup(t);
    const struct value parts[] = {{'h', h}, {'k', ""},      {'i', i},       {'c', c}, {'t', t},
                                  {'w', w}, {'C', wrong_c}, {'T', wrong_t}, {0, NULL}};
    char *out = fill(s->parts, parts);
    char *const all[] = {epk, nested, members, header, plain, h, i, c, t, w, wrong_c, wrong_t};

    for (size_t n = 0; n < COUNT(all); n++)
        free(all[n]);
    free(cipher);
    EVP_PKEY_free(once);
    return out;
}

#define HEADER(what, header, ...)                                                                  \
    {                                                                                              \
        what, header, PARTS, PLAIN, 32, 12, 16, "", __VA_ARGS__                                    \
    }
#define TEXT(what, parts, ...)                                                                     \
    {                                                                                              \
        what, "{" SEALED ",\"epk\":$e}", parts, PLAIN, 32, 12, 16, "", __VA_ARGS__                 \
    }
#define INSIDE(what, plain, ...)                                                                   \
    {                                                                                              \
        what, "{" SEALED ",\"epk\":$e}", PARTS, plain, 32, 12, 16, "", __VA_ARGS__                 \
    }
#define POINT(x, y)                                                                                \
    "{" SEALED ",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":" x ",\"y\":" y "}}"
#define ZERO "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""
/* the field's prime, and one more: 0 and 1 in another spelling */
#define PRIME   "\"_____wAAAAEAAAAAAAAAAAAAAAD_______________8\""
#define PRIME_1 "\"_____wAAAAEAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAA\""

static const struct sealed sealed[] = {
    HEADER("a right one", "{" SEALED ",\"epk\":$e}", TP_OK, ""),
    HEADER("a right one in another order", "{\"epk\":$e , " SEALED "}", TP_OK, ""),
    HEADER("apv", "{" SEALED ",\"epk\":$e,\"apv\":\"\"}", FORM),
    HEADER("zip", "{" SEALED ",\"epk\":$e,\"zip\":\"DEF\"}", FORM),
    HEADER("p2c", "{" SEALED ",\"epk\":$e,\"p2c\":100000000}", FORM),
    HEADER("kid", "{" SEALED ",\"epk\":$e,\"kid\":\"1\"}", FORM),
    HEADER("cty", "{" SEALED ",\"epk\":$e,\"cty\":\"JWT\"}", FORM),
    HEADER("crit", "{" SEALED ",\"epk\":$e,\"crit\":[\"exp\"],\"exp\":1}", FORM),
    HEADER("no epk", "{" SEALED "}", FORM),
    HEADER("no epk, something else", "{" SEALED ",\"kid\":\"1\"}", FORM),
    HEADER("no enc", "{\"alg\":\"ECDH-ES\",\"typ\":\"telepay-transaction\",\"epk\":$e}", FORM),
    HEADER("another typ",
           "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"typ\":\"telepay-answer\",\"epk\":$e}", FORM),
    HEADER("dir",
           "{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"typ\":\"telepay-transaction\",\"epk\":$e}",
           FORM),
    HEADER("a wrapped key",
           "{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\",\"typ\":\"telepay-transaction\","
           "\"epk\":$e}",
           FORM),
    HEADER("a password",
           "{\"alg\":\"PBES2-HS256+A128KW\",\"enc\":\"A256GCM\",\"typ\":\"telepay-transaction\","
           "\"epk\":$e}",
           FORM),
    HEADER("small letters",
           "{\"alg\":\"ecdh-es\",\"enc\":\"A256GCM\",\"typ\":\"telepay-transaction\",\"epk\":$e}",
           FORM),
    HEADER("alg that goes on after a zero",
           "{\"alg\":\"ECDH-ES\\u0000\",\"enc\":\"A256GCM\",\"typ\":\"telepay-transaction\","
           "\"epk\":$e}",
           FORM),
    HEADER("typ that goes on after a zero",
           "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"typ\":\"telepay-transaction\\u0000\","
           "\"epk\":$e}",
           FORM),
    HEADER("enc that is a list",
           "{\"alg\":\"ECDH-ES\",\"enc\":[\"A256GCM\"],\"typ\":\"telepay-transaction\",\"epk\":$e}",
           FORM),
    HEADER("A256CBC-HS512",
           "{\"alg\":\"ECDH-ES\",\"enc\":\"A256CBC-HS512\",\"typ\":\"telepay-transaction\","
           "\"epk\":$e}",
           FORM),
    {"A128GCM, with its key",
     "{\"alg\":\"ECDH-ES\",\"enc\":\"A128GCM\",\"typ\":\"telepay-transaction\",\"epk\":$e}", PARTS,
     PLAIN, 16, 12, 16, "", FORM},
    {"A256GCM, with a key of A128GCM", "{" SEALED ",\"epk\":$e}", PARTS, PLAIN, 16, 12, 16, "",
     TP_ERR_SECURITY, "not sealed to this key"},
    {"apu, agreed on", "{" SEALED ",\"epk\":$e,\"apu\":\"QWxpY2U\"}", PARTS, PLAIN, 32, 12, 16,
     "Alice", FORM},
    {"apu, agreed on and not said", "{" SEALED ",\"epk\":$e}", PARTS, PLAIN, 32, 12, 16, "Alice",
     TP_ERR_SECURITY, "not sealed to this key"},
    HEADER("a member twice", "{" SEALED ",\"epk\":$e,\"epk\":$e}", TP_ERR_FORMAT, "member twice"),
    HEADER("deep", "{" SEALED ",\"epk\":$d}", TP_ERR_FORMAT, "deeper"),
    HEADER("a list", "[" SEALED "]", TP_ERR_FORMAT, "no JSON"),
    HEADER("no header", "", TP_ERR_FORMAT, "no JSON"),
    HEADER("epk is a text", "{" SEALED ",\"epk\":\"a\"}", FORM),
    HEADER("epk is private", "{" SEALED ",\"epk\":{$m,\"d\":" ZERO "}}", FORM),
    HEADER("epk has a name", "{" SEALED ",\"epk\":{$m,\"kid\":\"1\"}}", FORM),
    HEADER("epk of P-384",
           "{" SEALED ",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":" ZERO ",\"y\":" ZERO "}}",
           FORM),
    HEADER("epk of X25519",
           "{" SEALED ",\"epk\":{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":" ZERO "}}", FORM),
    HEADER("epk is nowhere", POINT(ZERO, ZERO), TP_ERR_SECURITY, "not sealed to this key"),
    HEADER("epk is not on the curve", POINT("\"" HASH "\"", "\"" HASH "\""), TP_ERR_SECURITY,
           "not sealed to this key"),
    HEADER("epk beyond the field", POINT(PRIME, PRIME_1), TP_ERR_SECURITY,
           "not sealed to this key"),
    HEADER("epk in short numbers", POINT("\"AA\"", "\"AQ\""), FORM),
    HEADER("epk in numbers with padding",
           POINT("\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"", ZERO), FORM),
    HEADER("epk in another spelling",
           POINT("\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\"", ZERO), FORM),
    TEXT("no text", "", TP_ERR_FORMAT, "no compact JWE"),
    TEXT("four parts", "$h.$i.$c.$t", TP_ERR_FORMAT, "no compact JWE"),
    TEXT("six parts", PARTS ".", TP_ERR_FORMAT, "no compact JWE"),
    TEXT("a wrapped key beside", "$h.$w.$i.$c.$t", TP_ERR_FORMAT, "no compact JWE"),
    TEXT("padding", PARTS "==", TP_ERR_FORMAT, "no compact JWE"),
    TEXT("a blank", " " PARTS, TP_ERR_FORMAT, "no compact JWE"),
    TEXT("a line's end", PARTS "\n", TP_ERR_FORMAT, "no compact JWE"),
    TEXT("JSON", "{\"protected\":\"$h\",\"iv\":\"$i\",\"ciphertext\":\"$c\",\"tag\":\"$t\"}",
         TP_ERR_FORMAT, "no compact JWE"),
    TEXT("JSON with what nothing protects",
         "{\"protected\":\"$h\",\"unprotected\":{\"zip\":\"DEF\"},\"iv\":\"$i\",\"ciphertext\":\"$"
         "c\","
         "\"tag\":\"$t\"}",
         TP_ERR_FORMAT, "no compact JWE"),
    TEXT("no tag", "$h.$k.$i.$c.", TP_ERR_FORMAT, "no compact JWE"),
    TEXT("no iv", "$h.$k..$c.$t", TP_ERR_FORMAT, "no compact JWE"),
    TEXT("no ciphertext", "$h.$k.$i..$t", TP_ERR_SECURITY, "not sealed to this key"),
    TEXT("a ciphertext that goes on", "$h.$k.$i.$c$c.$t", TP_ERR_SECURITY,
         "not sealed to this key"),
    TEXT("a tag in another spelling", "$h.$k.$i.$c.$T", TP_ERR_SECURITY, "not sealed to this key"),
    {"a ciphertext in another spelling", "{" SEALED ",\"epk\":$e}", "$h.$k.$i.$C.$t",
     "{\"a\":\"bc\"}", 32, 12, 16, "", TP_ERR_SECURITY, "not sealed to this key"},
    {"a tag of 12 bytes", "{" SEALED ",\"epk\":$e}", PARTS, PLAIN, 32, 12, 12, "", TP_ERR_FORMAT,
     "no compact JWE"},
    {"a tag of 4 bytes", "{" SEALED ",\"epk\":$e}", PARTS, PLAIN, 32, 12, 4, "", TP_ERR_FORMAT,
     "no compact JWE"},
    {"an iv of 16 bytes", "{" SEALED ",\"epk\":$e}", PARTS, PLAIN, 32, 16, 16, "", TP_ERR_FORMAT,
     "no compact JWE"},
    {"an iv of 1 byte", "{" SEALED ",\"epk\":$e}", PARTS, PLAIN, 32, 1, 16, "", TP_ERR_FORMAT,
     "no compact JWE"},
    INSIDE("nothing", "", TP_ERR_SECURITY, "not sealed to this key"),
    INSIDE("a list", "[1]", TP_ERR_FORMAT, "no JSON object"),
    INSIDE("another JWE", "eyJhbGciOiJub25lIn0..AAAA.AAAA.AAAA", TP_ERR_FORMAT, "no JSON"),
    INSIDE("another JWE as a text", "\"eyJhbGciOiJub25lIn0..AAAA.AAAA.AAAA\"", TP_ERR_FORMAT,
           "no JSON object"),
    INSIDE("a member twice", "{\"a\":1,\"a\":2}", TP_ERR_FORMAT, "member twice"),
    INSIDE("deep", "{\"a\":$d}", TP_ERR_FORMAT, "deeper"),
    INSIDE("two objects", "{}{}", TP_ERR_FORMAT, "no JSON"),
    INSIDE("no UTF-8", "{\"a\":\"\xFF\"}", TP_ERR_FORMAT, "no JSON"),
};

START_TEST(sealed_is_forged)
    {
        const struct kind *k = &kinds[DEVICE]; /* its key stands for the acquirer's */
        BIGNUM *d = NULL;
        uint8_t bytes[HALF];
        char text[BASE64URL_SIZE(HALF)], *public = jwk_of(k->key);
        json_t *key = json_loads(public, 0, NULL);

        ck_assert(EVP_PKEY_get_bn_param(k->key, OSSL_PKEY_PARAM_PRIV_KEY, &d) == 1);
        ck_assert_int_eq(BN_bn2binpad(d, bytes, HALF), HALF);
        json_object_set_new(key, "d", json_string(base64url_encode(text, SPAN_OF(bytes))));
        for (size_t i = 0; i < COUNT(sealed); i++) {
            char *jwe = seal(&sealed[i], k->key);
            struct tp_error e = {0};
            json_t *out = NULL;
            const enum tp_err r = sealed_read(&out, jwe, SEALED_TRANSACTION, key, &e);

            ck_assert_msg((r == TP_OK) == (out != NULL), "%s", sealed[i].what);
            if (sealed[i].r == TP_OK)
                ck_assert_msg(r == TP_OK, "%s: %s", sealed[i].what, e.text);
            else
                ck_refused(r, &e, sealed[i].r, sealed[i].says, sealed[i].what);
            json_decref(out);
            free(jwe);
        }
        BN_clear_free(d);
        json_decref(key);
        free(public);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("forged");
    TCase *c = tcase_create("forged");

    tcase_add_unchecked_fixture(c, make, drop);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, header_is_forged);
    tcase_add_test(c, bearer_is_forged);
    tcase_add_test(c, certificate_is_forged);
    tcase_add_test(c, payload_is_forged);
    tcase_add_test(c, text_is_forged);
    tcase_add_test(c, signature_is_forged);
    tcase_add_test(c, kind_is_forged);
    tcase_add_test(c, sealed_is_forged);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
