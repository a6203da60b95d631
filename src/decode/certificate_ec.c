/* Certificates and signatures by elliptic curves, which stand in clear: EMV 4.4 Book 2, 12. */
#include <stdio.h>

#include "base/bcd.h"
#include "base/hex.h"
#include "base/text.h"
#include "crypto/eccert.h"
#include "crypto/eccert_priv.h"
#include "decode/decode_priv.h"

/* Whether so many bytes are a signature: of either suite, as the signer's may be another. */
static bool is_signature(size_t n)
{
    return n == ec_signature_size(ec_suite_signature(0x10)) ||
           n == ec_signature_size(ec_suite_signature(0x11));
}

static void say_date(struct says *s, const uint8_t *bcd, const char *time)
{
    say(s, "expires %02X%02X-%02X-%02X%s", bcd[0], bcd[1], bcd[2], bcd[3], time);
}

static void say_key(struct says *s, const struct ec_suite *suite, uint8_t indicator,
                    const uint8_t *x)
{
    char hex[2 * EC_FIELD_MAX + 1];

    say(s, "algorithm suite %02X: a curve of %zu bits", indicator, ec_suite_bits(suite));
    say(s, "key x %s", hex_encode(hex, span_of(x, suite->field_n)));
}

/* Of the keys that are known the one that the certificate names; without any nothing is said. */
static void check_issuer(struct says *s, struct span cert, const char *identifier)
{
    const struct span rid = span_of(cert.p + 15, 5);
    const struct capk *k = NULL;
    struct emv_cert_info info;
    enum emv_check outcome = EMV_CHECK_NO_KEY;
    char hex[11];

    if (s->d->keys == NULL)
        return;
    for (size_t n = 0;
         outcome != EMV_CHECK_OK && (k = capk_find_ec(s->d->keys, rid, cert.p[20], n)) != NULL;
         n++) {
        const struct ec_authority a = capk_ec(k);

        if (ec_issuer_cert_check(&outcome, &info, &a, cert, identifier, 0) != TP_OK)
            return;
    }
    if (outcome == EMV_CHECK_OK)
        say(s, "good: signed with that key");
    else if (outcome == EMV_CHECK_NO_KEY)
        say(s, "not checked: no key %02X of %s is known", cert.p[20], hex_encode(hex, rid));
    else
        say(s, "not good: %s", _(emv_check_text(outcome)));
}

bool say_ec_issuer_certificate(struct says *s, struct span cert)
{
    const uint8_t *p = cert.p;
    const struct ec_suite *suite =
        cert.n > EC_ISSUER_FIXED && p[0] == EC_FORMAT_ISSUER && p[1] == EC_ENCODING
            ? ec_suite_signature(p[7])
            : NULL;
    char identifier[2 * EC_IDENTIFIER + 1], hex[11];

    if (suite == NULL || cert.n < EC_ISSUER_FIXED + suite->field_n ||
        !is_signature(cert.n - EC_ISSUER_FIXED - suite->field_n))
        return false;
    if (bcd_get_cn(span_of(p + 2, EC_IDENTIFIER), identifier) != TP_OK)
        identifier[0] = '\0';
    s->clause = "EMV 4.4 Book 2, 12.3, table 35";
    say(s, "issuer identifier %s", identifier[0] != '\0' ? identifier : _("no digits"));
    say_date(s, p + 8, "");
    say(s, "serial number %s", hex_encode(hex, span_of(p + 12, 3)));
    say(s, "signed with key %02X of %s", p[20], hex_encode(hex, span_of(p + 15, 5)));
    say_key(s, suite, p[7], p + EC_ISSUER_FIXED);
    check_issuer(s, cert, identifier);
    return true;
}

bool say_ec_card_certificate(struct says *s, struct span cert, enum emv_icc_key which)
{
    const uint8_t *p = cert.p;
    const struct ec_suite *suite = NULL;
    char serial[13], time[16];
    size_t hash;

    if (cert.n > EC_ICC_FIXED && p[0] == EC_FORMAT_ICC && p[1] == EC_ENCODING)
        suite = which == EMV_ICC_KEY ? ec_suite_signature(p[2]) : ec_suite_ode(p[2]);
    hash = suite != NULL ? ec_hash_size(p[16]) : 0;
    if (hash == 0 || cert.n < EC_ICC_FIXED + hash + suite->field_n ||
        !is_signature(cert.n - EC_ICC_FIXED - hash - suite->field_n))
        return false;
    s->clause = "EMV 4.4 Book 2, 12.4, table 36";
    snprintf(time, sizeof(time), " %02X:%02X UTC", p[7], p[8]);
    say_date(s, p + 3, time);
    say(s, "serial number %s", hex_encode(serial, span_of(p + 9, 6)));
    say(s, "hash algorithm %02X", p[16]);
    say_key(s, suite, p[2], p + EC_ICC_FIXED + hash);
    say(s, "its hash covers the signed records too: telepay card checks it");
    return true;
}

bool say_ec_signature(struct says *s, struct span in)
{
    const struct ec_suite *suite = NULL;
    char hex[2 * EC_SIGNATURE_MAX + 1];

    if (in.n == 0 || in.p[0] != EC_FORMAT_SDAD || !is_signature(in.n - 1))
        return false;
    suite =
        ec_suite_signature(in.n - 1 == ec_signature_size(ec_suite_signature(0x10)) ? 0x10 : 0x11);
    s->clause = "EMV 4.4 Book 2, 12.5, table 38";
    say(s, "r %s", hex_encode(hex, span_of(in.p + 1, suite->hash_n)));
    say(s, "s %s", hex_encode(hex, span_of(in.p + 1 + suite->hash_n, suite->field_n)));
    return true;
}
