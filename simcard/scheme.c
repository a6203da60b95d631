#include "simcard/scheme.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/hex.h"
#include "crypto/cryptogram.h"

#define AUTHORITY_BITS  1984
#define ISSUER_BITS     1408
#define AUTHORITY_YEARS 16
#define ISSUER_YEARS    14
#define LAST_YEAR       2049     /* EMV dates of two digits: Book 4, 6.7.3 */
#define EXPIRED         20191231 /* of the fault expired-issuer-certificate */

void scheme_defaults(struct scheme_params *p)
{
    *p = (struct scheme_params){.authority_bits = AUTHORITY_BITS,
                                .issuer_bits = ISSUER_BITS,
                                .exponent = 3,
                                .iin = SCHEME_IIN,
                                .index = 1,
                                .country = 250};
}

void scheme_free(struct scheme **s)
{
    if (*s == NULL)
        return;
    emv_privkey_free(&(*s)->authority);
    emv_privkey_free(&(*s)->issuer);
    ec_privkey_free(&(*s)->ec.authority.key);
    ec_privkey_free(&(*s)->ec.issuer);
    secret_free(&(*s)->ac_key);
    secret_free(&(*s)->smi_key);
    secret_free(&(*s)->smc_key);
    secret_free(&(*s)->ac_aes_key);
    secret_free(&(*s)->smi_aes_key);
    secret_free(&(*s)->smc_aes_key);
    free(*s);
    *s = NULL;
}

/* The last day of the year so many years from now. */
static int end_of_year(int years)
{
    const int year = date_of(time(NULL)) / 10000 + years;

    return (year < LAST_YEAR ? year : LAST_YEAR) * 10000 + 1231;
}

static enum tp_err random_key(struct secret *key)
{
    if (secret_alloc(key, EMV_KEY_SIZE) != TP_OK)
        return TP_ERR_NO_MEMORY;
    return RAND_priv_bytes(key->p, EMV_KEY_SIZE) == 1 ? TP_OK : TP_ERR_INTERNAL;
}

/* For triple DES, with odd parity. */
static enum tp_err random_des_key(struct secret *key)
{
    const enum tp_err r = random_key(key);

    if (r != TP_OK)
        return r;
    for (size_t i = 0; i < EMV_KEY_SIZE; i++) {
        key->p[i] &= 0xFE;
        key->p[i] |= (uint8_t)(__builtin_popcount(key->p[i]) % 2 == 0 ? 1 : 0);
    }
    return TP_OK;
}

static enum tp_err make_keys(struct scheme *s, const struct scheme_params *p)
{
    enum tp_err r = emv_privkey_generate(&s->authority, p->authority_bits, p->exponent);

    if (r == TP_OK)
        r = emv_privkey_generate(&s->issuer, p->issuer_bits, p->exponent);
    if (r == TP_OK)
        r = random_des_key(&s->ac_key);
    if (r == TP_OK)
        r = random_des_key(&s->smi_key);
    if (r == TP_OK)
        r = random_des_key(&s->smc_key);
    if (r == TP_OK)
        r = random_key(&s->ac_aes_key);
    if (r == TP_OK)
        r = random_key(&s->smi_aes_key);
    return r == TP_OK ? random_key(&s->smc_aes_key) : r;
}

static enum tp_err make_certificates(struct scheme *s)
{
    uint8_t serial[3];
    struct emv_pubkey *issuer = emv_privkey_public(s->issuer);
    enum tp_err r = RAND_bytes(serial, sizeof(serial)) == 1 ? TP_OK : TP_ERR_INTERNAL;

    if (r == TP_OK)
        r = emv_issuer_cert_make(&s->issuer_cert, s->authority, issuer, s->iin, s->issuer_expiry,
                                 serial);
    return r == TP_OK ? emv_issuer_cert_make(&s->expired_issuer_cert, s->authority, issuer, s->iin,
                                             EXPIRED, serial)
                      : r;
}

static enum tp_err make_ec_cert(uint8_t *cert, size_t cap, size_t *n, const struct scheme *s,
                                int expiry)
{
    struct buf b = {cert, 0, cap};
    uint8_t serial[3];
    enum tp_err r = RAND_bytes(serial, sizeof(serial)) == 1 ? TP_OK : TP_ERR_INTERNAL;

    if (r == TP_OK)
        r = ec_issuer_cert_make(&b, &s->ec.authority, &s->ec.issuer.pub, s->iin, expiry, serial);
    *n = b.n;
    return r;
}

/* Authority and issuer by elliptic curves. */
static enum tp_err make_ec(struct scheme *s, unsigned number)
{
    const struct ec_suite *suite = ec_suite_signature((uint8_t)number);
    struct scheme_ec *ec = &s->ec;
    enum tp_err r = suite != NULL ? ec_privkey_generate(&ec->authority.key, suite) : TP_ERR_RANGE;

    s->ec_suite = (uint8_t)number;
    memcpy(ec->authority.rid, s->rid, sizeof(s->rid));
    ec->authority.index = (uint8_t)(s->index + 1);
    if (r == TP_OK)
        r = ec_privkey_generate(&ec->issuer, suite);
    if (r == TP_OK)
        r = make_ec_cert(ec->cert.p, sizeof(ec->cert.p), &ec->cert.n, s, s->issuer_expiry);
    return r == TP_OK ? make_ec_cert(ec->expired_cert.p, sizeof(ec->expired_cert.p),
                                     &ec->expired_cert.n, s, EXPIRED)
                      : r;
}

enum tp_err scheme_new(struct scheme **out, const struct scheme_params *p, struct tp_error *e)
{
    struct scheme *s = calloc(1, sizeof(*s));
    struct buf rid = {s != NULL ? s->rid : NULL, 0, sizeof(s->rid)};
    enum tp_err r = TP_ERR_NO_MEMORY;

    *out = NULL;
    if (s == NULL)
        return tp_fail(e, r, "out of memory");
    if ((strlen(p->iin) != 6 && strlen(p->iin) != 8) ||
        strspn(p->iin, "0123456789") != strlen(p->iin)) {
        r = tp_fail(e, TP_ERR_USAGE, "the issuer number \"%s\" has not 6 or 8 digits", p->iin);
        goto out;
    }
    if (!p->live_identifiers && strncmp(p->iin, TEST_NUMBERS, strlen(TEST_NUMBERS)) != 0) {
        r = tp_fail(e, TP_ERR_USAGE,
                    "the issuer number \"%s\" may be a real issuer's: those of tests begin "
                    "with 999; with --live-identifiers it is taken all the same",
                    p->iin);
        goto out;
    }
    memcpy(s->iin, p->iin, strlen(p->iin));
    s->index = p->index;
    s->country = p->country;
    s->authority_expiry = end_of_year(AUTHORITY_YEARS);
    s->issuer_expiry = end_of_year(ISSUER_YEARS);
    r = hex_decode(&rid, SCHEME_RID);
    if (r == TP_OK)
        r = make_keys(s, p);
    if (r == TP_OK)
        r = make_certificates(s);
    if (r == TP_OK && p->suite != 0)
        r = make_ec(s, p->suite);
    if (r != TP_OK) {
        r = tp_fail(e, r == TP_ERR_RANGE ? TP_ERR_USAGE : r,
                    "cannot make the keys of the scheme: sizes go from 512 to 1984 bits, the "
                    "issuer's at most the authority's; exponents are 3 and 65537");
        goto out;
    }
    *out = s;
    s = NULL;
out:
    scheme_free(&s);
    return r;
}
