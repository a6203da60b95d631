/* Certificates and signatures of a card, opened with the authority's key: EMV 4.4 Book 2, 5 to 7.
 * What they hold is told; that the hash is right, where the data that it covers are there. */
#include <string.h>

#include "apdu/emvtags.h"
#include "base/bcd.h"
#include "base/date.h"
#include "base/hex.h"
#include "base/mask.h"
#include "base/text.h"
#include "crypto/emvcert.h"
#include "crypto/emvcert_priv.h"
#include "decode/decode_priv.h"

/* What was recovered with a key, if it was: 6A, the format, BC. */
struct opened {
    uint8_t bytes[EMV_RSA_MAX];
    size_t n;
};

static bool open_with(struct opened *o, struct emv_pubkey *key, struct span in, uint8_t format)
{
    o->n = in.n;
    return in.n > 0 && in.n == emv_pubkey_size(key) &&
           emv_rsa_recover(key, in, o->bytes) == TP_OK && o->bytes[0] == SIGNED_HEADER &&
           o->bytes[in.n - 1] == SIGNED_TRAILER && o->bytes[1] == format;
}

/* The authority's key that opens the issuer's certificate: of the RID and index that the data name,
 * or whichever does. */
static const struct capk *authority_of(const struct decode *d, struct span cert, struct opened *o)
{
    const struct span index = decode_find(d, TAG_CA_INDEX), name = decode_find(d, TAG_DF_NAME),
                      aid = name.n > 0 ? name : decode_find(d, TAG_AID),
                      rid = d->rid.n > 0 ? d->rid : span_of(aid.p, aid.n < 5 ? 0 : 5);

    for (size_t i = 0; d->keys != NULL && i < capk_count(d->keys); i++) {
        const struct capk *k = capk_at(d->keys, i);

        if (k->key != NULL && (rid.n == 0 || memcmp(rid.p, k->rid, 5) == 0) &&
            (index.n != 1 || index.p[0] == k->index) &&
            open_with(o, k->key, cert, FORMAT_ISSUER_CERT))
            return k;
    }
    return NULL;
}

/* The key in a certificate that was opened, with its remainder. NULL: not whole. */
static struct emv_pubkey *key_in(const struct opened *o, const struct cert_layout *layout,
                                 struct span remainder, struct span exponent)
{
    const uint8_t *lengths = o->bytes + 2 + layout->identifier + 7;
    const size_t room = o->n - layout->overhead, inside = lengths[0] < room ? lengths[0] : room;
    uint8_t modulus[EMV_RSA_MAX];
    struct buf whole = BUF_OF(modulus);
    struct emv_pubkey *key = NULL;

    if (lengths[0] > sizeof(modulus) || lengths[0] != inside + remainder.n ||
        buf_put(&whole, span_of(lengths + 2, inside)) != TP_OK ||
        buf_put(&whole, remainder) != TP_OK ||
        emv_pubkey_new(&key, buf_span(&whole), exponent) != TP_OK)
        return NULL;
    return key;
}

static struct span exponent_of(const struct decode *d, uint32_t tag)
{
    static const uint8_t three[] = {3};
    const struct span exponent = decode_find(d, tag);

    return exponent.n > 0 ? exponent : SPAN_OF(three);
}

/* Without authority keys nothing is said. */
static bool silent(const struct says *s)
{
    return s->d->keys == NULL;
}

/* The issuer's key out of the data; NULL where they do not have it. */
static struct emv_pubkey *issuer_key(const struct decode *d)
{
    struct opened o;

    if (authority_of(d, decode_find(d, TAG_ISSUER_CERT), &o) == NULL)
        return NULL;
    return key_in(&o, &cert_issuer, decode_find(d, TAG_ISSUER_REMAINDER),
                  exponent_of(d, TAG_ISSUER_EXPONENT));
}

static struct emv_pubkey *card_key(const struct decode *d)
{
    const struct span cert = decode_find(d, TAG_ICC_CERT);
    struct emv_pubkey *issuer = issuer_key(d), *card = NULL;
    struct opened o;

    if (issuer != NULL && open_with(&o, issuer, cert, FORMAT_ICC_CERT))
        card = key_in(&o, &cert_icc, decode_find(d, TAG_ICC_REMAINDER),
                      exponent_of(d, TAG_ICC_EXPONENT));
    emv_pubkey_free(&issuer);
    return card;
}

/* ---- what they hold ---- */

static void say_fields(struct says *s, const struct opened *o, const struct cert_layout *layout)
{
    const uint8_t *after = o->bytes + 2 + layout->identifier;
    char identifier[2 * CERT_IDENTIFIER_MAX + 1], masked[PAN_TEXT_MAX], hex[7];
    const char *shown = identifier;

    if (bcd_get_cn(span_of(o->bytes + 2, layout->identifier), identifier) != TP_OK ||
        strlen(identifier) > PAN_MAX)
        shown = _("no digits");
    else if (!layout->issuer && !s->d->shown.all)
        shown = mask_pan(masked, identifier);
    say(s, layout->issuer ? N_("issuer identifier %s") : N_("card number %s"), shown);
    say(s, "expires %02X/%02X (month/year)", after[0], after[1]);
    say(s, "serial number %s", hex_encode(hex, span_of(after + 2, 3)));
    say(s, "hash algorithm %02X, key algorithm %02X", after[5], after[6]);
    say(s,
        ngettext("key of %u bits, exponent of %u byte", "key of %u bits, exponent of %u bytes",
                 after[8]),
        after[7] * 8U, after[8]);
}

/* The key that a certificate and its remainder hold. */
static void say_key(struct says *s, const struct opened *o, const struct cert_layout *layout,
                    struct span remainder, struct span exponent)
{
    struct emv_pubkey *key = key_in(o, layout, remainder, exponent);
    char hex[2 * EMV_RSA_MAX + 1];

    if (key == NULL)
        return;
    say(s, "modulus %s", hex_encode(hex, emv_pubkey_modulus(key)));
    say(s, "exponent %s", hex_encode(hex, emv_pubkey_exponent(key)));
    emv_pubkey_free(&key);
}

/* What it lacks to be checked is said rather than taken for a fault. */
static void say_outcome(struct says *s, enum emv_check outcome)
{
    if (outcome == EMV_CHECK_OK)
        say(s, "good: its hash is right");
    else
        say(s, "not good: %s", _(emv_check_text(outcome)));
}

void say_issuer_certificate(struct says *s, struct span cert)
{
    const struct span remainder = decode_find(s->d, TAG_ISSUER_REMAINDER),
                      exponent = decode_find(s->d, TAG_ISSUER_EXPONENT);
    struct opened o;
    const struct capk *authority;
    struct emv_cert_info info = {.key = NULL};
    enum emv_check outcome;
    char rid[11], identifier[9];

    if (say_ec_issuer_certificate(s, cert))
        return;
    authority = authority_of(s->d, cert, &o);
    if (authority == NULL) {
        if (!silent(s))
            say(s, "none of the authority keys that are known opens it");
        return;
    }
    say(s, "opened with key %02X of %s (%s)", authority->index,
        hex_encode(rid, SPAN_OF(authority->rid)), authority->source);
    say_fields(s, &o, &cert_issuer);
    say_key(s, &o, &cert_issuer, remainder, exponent_of(s->d, TAG_ISSUER_EXPONENT));
    if (exponent.n == 0) {
        say(s, "not checked: the exponent (9F32) is not among the data");
        return;
    }
    if (bcd_get_cn(span_of(o.bytes + 2, 4), identifier) == TP_OK &&
        emv_issuer_cert_check(&outcome, &info, authority->key, cert, remainder, exponent,
                              identifier, 0) == TP_OK)
        say_outcome(s, outcome);
    emv_pubkey_free(&info.key);
}

static void say_card_cert(struct says *s, struct span cert, enum emv_icc_key which)
{
    struct emv_pubkey *issuer;
    struct emv_cert_info info = {.key = NULL};
    struct opened o;
    enum emv_check outcome;
    char pan[2 * CERT_IDENTIFIER_MAX + 1];

    if (say_ec_card_certificate(s, cert, which))
        return;
    issuer = issuer_key(s->d);
    if (silent(s))
        return;
    if (issuer == NULL || !open_with(&o, issuer, cert, FORMAT_ICC_CERT)) {
        say(s, issuer == NULL ? N_("not opened: the issuer's key (90) is not among the data")
                              : N_("the issuer's key does not open it"));
        goto out;
    }
    say(s, "opened with the issuer's key");
    say_fields(s, &o, &cert_icc);
    say_key(s, &o, &cert_icc,
            decode_find(s->d, which == EMV_ICC_KEY ? TAG_ICC_REMAINDER : TAG_PIN_REMAINDER),
            exponent_of(s->d, which == EMV_ICC_KEY ? TAG_ICC_EXPONENT : TAG_PIN_EXPONENT));
    if (which == EMV_ICC_KEY)
        say(s, "its hash covers the signed records too: telepay card checks it");
    else if (bcd_get_cn(span_of(o.bytes + 2, 10), pan) == TP_OK &&
             emv_icc_cert_check(
                 &outcome, &info, which, issuer, cert, decode_find(s->d, TAG_PIN_REMAINDER),
                 decode_find(s->d, TAG_PIN_EXPONENT), span_of(NULL, 0), pan, 0) == TP_OK)
        say_outcome(s, outcome);
out:
    emv_pubkey_free(&info.key);
    emv_pubkey_free(&issuer);
}

void say_static_signature(struct says *s, struct span in)
{
    struct emv_pubkey *issuer = issuer_key(s->d);
    struct opened o;

    if (silent(s))
        return;
    if (issuer == NULL || !open_with(&o, issuer, in, FORMAT_SSAD))
        say(s, issuer == NULL ? N_("not opened: the issuer's key (90) is not among the data")
                              : N_("the issuer's key does not open it"));
    else {
        say(s, "opened with the issuer's key");
        say(s, "hash algorithm %02X", o.bytes[2]);
        say(s, "data authentication code %02X%02X", o.bytes[3], o.bytes[4]);
        say(s, "its hash covers the signed records: telepay card checks it");
    }
    emv_pubkey_free(&issuer);
}

/* The number in front, and of a GENERATE AC what else there is: Book 2, tables 17 and 19. */
static void say_dynamic_data(struct says *s, struct span in)
{
    char hex[2 * EMV_RSA_MAX + 1];
    struct span number, cid, ac, hash;
    uint8_t n;

    if (span_u8(&in, &n) != TP_OK || n < 2 || n > 8 || span_take(&in, n, &number) != TP_OK) {
        say(s, "ICC dynamic data: %s", hex_encode(hex, in));
        return;
    }
    say(s, "ICC dynamic number %s", hex_encode(hex, number));
    if (span_take(&in, 1, &cid) != TP_OK || span_take(&in, 8, &ac) != TP_OK ||
        span_take(&in, 20, &hash) != TP_OK)
        return;
    say(s, "cryptogram information data %s", hex_encode(hex, cid));
    say(s, "application cryptogram %s", hex_encode(hex, ac));
    say(s, "transaction data hash code %s", hex_encode(hex, hash));
}

void say_dynamic_signature(struct says *s, struct span in)
{
    const struct span un = decode_find(s->d, TAG_UN);
    struct emv_pubkey *card;
    struct emv_dynamic out;
    struct opened o;
    enum emv_check outcome;

    if (say_ec_signature(s, in))
        return;
    card = card_key(s->d);
    if (silent(s))
        return;
    if (card == NULL || !open_with(&o, card, in, FORMAT_SDAD)) {
        say(s, card == NULL
                   ? N_("not opened: the card's key (90, 9F46) is not among the data, or is masked")
                   : N_("the card's key does not open it"));
        emv_pubkey_free(&card);
        return;
    }
    say(s, "opened with the card's key");
    say(s, "hash algorithm %02X", o.bytes[2]);
    if (o.bytes[3] <= o.n - SDAD_OVERHEAD)
        say_dynamic_data(s, span_of(o.bytes + 4, o.bytes[3]));
    if (un.n != 4)
        say(s, "not checked: the unpredictable number (9F37) is not among the data");
    else if (emv_dda_check(&outcome, &out, card, in, un) == TP_OK)
        say_outcome(s, outcome);
    emv_pubkey_free(&card);
}

void say_icc_certificate(struct says *s, struct span v)
{
    say_card_cert(s, v, EMV_ICC_KEY);
}

void say_pin_certificate(struct says *s, struct span v)
{
    say_card_cert(s, v, EMV_ICC_PIN_KEY);
}
