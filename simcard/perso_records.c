/* A card's records and the AFL that names them, in three parts: what anybody may change (open),
 * what the issuer signs (signed), and the certificates over it. */
#include "simcard/perso_priv.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "apdu/dol.h"
#include "apdu/emvtags.h"
#include "base/bcd.h"
#include "base/date.h"
#include "base/hex.h"

#define SIGNED_MAX 2048 /* bytes of static data to be authenticated: Book 2, 5.1.1 */
#define ICCD_MAX   (SIGNED_MAX + 2 * PROFILE_BYTES_MAX)
#define EXPIRED    20191231 /* of the certificate kept for the fault expired-icc-certificate */
#define VALUES_MAX                                                                                 \
    252 /* bytes that a DOL may ask for: what a command holds, less its own 83 and length */
#define ARPC_1_SIZE 10 /* of 91: ARPC and ARC */
#define ARPC_2_SIZE 8  /* ARPC and CSU */

/* ---- filling records ---- */

/* One part of the card being filled. An object that has no room in the record begun goes into the
 * next. */
struct part {
    struct card_profile *card;
    struct profile_bytes *afl; /* that names it */
    uint8_t sfi;
    size_t max; /* of a record with its template */
    uint8_t raw[PROFILE_RECORD_MAX];
    struct buf b;          /* the record begun */
    uint8_t first, number; /* of the records of this part: first one, next one */
    enum tp_err r;         /* first failure; adding after that does nothing */
};

/* Numbers go on after a part in the same file. */
static void part_start(struct part *part, struct card_profile *card, const struct perso_params *p,
                       enum perso_file file)
{
    *part = (struct part){
        .card = card, .afl = &card->afl, .sfi = p->sfi[file], .max = p->record_max, .first = 1};
    part->b = BUF_OF(part->raw);
    for (size_t i = 0; i < card->records_n; i++)
        if (card->records[i].sfi == part->sfi && card->records[i].number >= part->first)
            part->first = (uint8_t)(card->records[i].number + 1);
    part->number = part->first;
}

/* Ends the record begun; the next object stands in a new one. */
static void part_break(struct part *part)
{
    struct profile_record *to = &part->card->records[part->card->records_n];
    struct buf whole = BUF_OF(to->data);

    if (part->r != TP_OK || part->b.n == 0)
        return;
    if (part->card->records_n == PROFILE_RECORDS_MAX ||
        tlv_put(&whole, TAG_RECORD, buf_span(&part->b)) != TP_OK) {
        part->r = TP_ERR_RANGE;
        return;
    }
    to->sfi = part->sfi;
    to->number = part->number++;
    to->n = whole.n;
    part->card->records_n++;
    part->b.n = 0;
}

static void add(struct part *part, uint32_t tag, struct span value)
{
    if (part->r != TP_OK || value.n == 0)
        return;
    if (part->b.n > 0 && tlv_size(TAG_RECORD, part->b.n + tlv_size(tag, value.n)) > part->max)
        part_break(part);
    if (part->r == TP_OK)
        part->r = tlv_put(&part->b, tag, value);
}

static void add_hex(struct part *part, uint32_t tag, const char *hex)
{
    uint8_t raw[PROFILE_BYTES_MAX];
    struct buf b = BUF_OF(raw);

    if (part->r == TP_OK)
        part->r = hex_decode(&b, hex);
    add(part, tag, buf_span(&b));
}

static void add_number(struct part *part, uint32_t tag, uint64_t v, unsigned digits)
{
    uint8_t raw[8];
    struct buf b = BUF_OF(raw);

    if (part->r == TP_OK)
        part->r = bcd_put(&b, v, digits);
    add(part, tag, buf_span(&b));
}

static void add_byte(struct part *part, uint32_t tag, unsigned v)
{
    const uint8_t byte = (uint8_t)v;

    if (v != PERSO_ABSENT)
        add(part, tag, span_of(&byte, 1));
}

static void add_date(struct part *part, uint32_t tag, int date)
{
    uint8_t raw[3];

    date_to_yymmdd(raw, date);
    add(part, tag, SPAN_OF(raw));
}

/* Its entry in the AFL: Book 3, 10.2. all_signed: each record of it is authenticated. */
static enum tp_err part_finish(struct part *part, bool all_signed)
{
    struct buf afl = {part->afl->p, part->afl->n, sizeof(part->afl->p)};

    part_break(part);
    if (part->r != TP_OK)
        return part->r;
    if (part->number == part->first) /* nothing */
        return TP_OK;
    const uint8_t count = (uint8_t)(part->number - part->first);
    const uint8_t entry[4] = {(uint8_t)(part->sfi << 3), part->first, (uint8_t)(part->number - 1),
                              all_signed ? count : 0};

    if (buf_put(&afl, SPAN_OF(entry)) != TP_OK)
        return TP_ERR_RANGE;
    part->afl->n = afl.n;
    return TP_OK;
}

/* ---- open and signed ---- */

/* 57: PAN, separator D, expiry YYMM, service code, discretionary data: ISO/IEC 7813. */
static void add_track2(struct part *part, const struct perso_params *p)
{
    char text[PAN_TEXT_MAX + 20];
    const int n = snprintf(text, sizeof(text), "%sD%02d%02d20100000", p->pan,
                           p->expiry / 10000 % 100, p->expiry / 100 % 100);

    if (n % 2 == 1) {
        text[n] = 'F';
        text[n + 1] = '\0';
    }
    add_hex(part, TAG_TRACK2, text);
}

static enum tp_err make_open(struct card_profile *card, const struct perso_params *p)
{
    struct part part;

    part_start(&part, card, p, PERSO_OPEN);
    add_track2(&part, p);
    add(&part, TAG_CARDHOLDER_NAME, span_str(p->name));
    return part_finish(&part, false);
}

/* Those of a card with XDA name its three failures too. */
static const char *const iac_online[] = {"FC78FC9800", "FC78FC9906"}, *const iac_default[] = {
                                                                          "FC50FC8800",
                                                                          "FC50FC8906"};

/* Who the card is and what it may do. */
static void add_identity(struct part *part, const struct scheme *s, const struct perso_params *p,
                         struct span cvm)
{
    const int effective = p->effective != 0 ? p->effective : date_of(time(NULL)) / 100 * 100 + 1;
    uint8_t pan[10];
    struct buf b = BUF_OF(pan);

    part->r = bcd_put_cn(&b, p->pan, (strlen(p->pan) + 1) / 2);
    add(part, TAG_PAN, buf_span(&b));
    add_number(part, TAG_PAN_SEQUENCE, p->psn, 2);
    add_date(part, TAG_EXPIRY, p->expiry);
    add_date(part, TAG_EFFECTIVE, effective);
    add_number(part, TAG_ISSUER_COUNTRY, p->country != 0 ? p->country : s->country, 4);
    add_number(part, TAG_APP_CURRENCY, p->currency, 4);
    add_number(part, TAG_APP_CURRENCY_EXPONENT, p->currency_exponent, 2);
    add_hex(part, TAG_AUC, p->auc);
    add_hex(part, TAG_CARD_VERSION, "0001");
    add_number(part, TAG_SERVICE_CODE, 201, 4);
    add(part, TAG_CVM_LIST, cvm);
    add_hex(part, TAG_IAC_DENIAL, p->iac_denial);
    add_hex(part, TAG_IAC_ONLINE, p->iac_online != NULL ? p->iac_online : iac_online[p->xda]);
    add_hex(part, TAG_IAC_DEFAULT, p->iac_default != NULL ? p->iac_default : iac_default[p->xda]);
    add_byte(part, TAG_LOWER_OFFLINE, p->terminal_lower);
    add_byte(part, TAG_UPPER_OFFLINE, p->terminal_upper);
}

/* What the card wants to know, and so signs: all that DE 55 says of the terminal and the
 * transaction (doc/protocol.md), so that nothing in a message can be changed unseen. 9F7C takes the
 * digest that names the payee. */
static const char cdol1[] = "9F0206 9F0306 9F1A02 9505 5F2A02 9A03 9C01 9F3704 9F3501 9F3403 "
                            "9F3303 9F1E08 9F0902 9F4104 9F06%02X 9F7C20";
static const char cdol2[] = "8A02 9F0206 9F0306 9F1A02 9505 5F2A02 9A03 9C01 9F3704 9F3403";

/* 9F06 with the length of the AID: of the longest, when the card has several applications with the
 * same records. */
static void cdol1_text(char out[sizeof(cdol1)], const struct card_profile *card)
{
    size_t longest = 0;

    for (size_t i = 0; i < card->apps_n; i++)
        longest = card->apps[i].aid_n > longest ? card->apps[i].aid_n : longest;
    snprintf(out, sizeof(cdol1), cdol1, (unsigned)longest);
}

static void add_cdol1(struct part *part, const struct card_profile *card,
                      const struct perso_params *p)
{
    char text[sizeof(cdol1)];

    cdol1_text(text, card);
    add_hex(part, TAG_CDOL1, p->cdol1 != NULL ? p->cdol1 : text);
}

/* At the second GENERATE AC, XDA signs what this list asks for and no more: it asks for all of it
 * again. */
static void add_cdol2(struct part *part, const struct card_profile *card,
                      const struct perso_params *p)
{
    char again[sizeof(cdol1)], text[sizeof(cdol1) + 16];
    int n;

    cdol1_text(again, card);
    n = snprintf(text, sizeof(text), "%s%s", p->xda ? "8A02 " : "", p->xda ? again : cdol2);
    if (p->issuer == PERSO_ISSUER_CDOL2)
        snprintf(text + n, sizeof(text) - (size_t)n, "%02X%02X", TAG_ISSUER_AUTH_DATA,
                 card->arpc == 1 ? ARPC_1_SIZE : ARPC_2_SIZE);
    add_hex(part, TAG_CDOL2, p->cdol2 != NULL ? p->cdol2 : text);
}

static enum tp_err make_signed(struct card_profile *card, const struct scheme *s,
                               const struct perso_params *p, struct span cvm)
{
    struct part part;

    part_start(&part, card, p, PERSO_SIGNED);
    add_identity(&part, s, p, cvm);
    part_break(&part);
    add_cdol1(&part, card, p);
    add_cdol2(&part, card, p);
    if ((card->aip[0] & (AIP_DDA | AIP_CDA)) != 0)
        add_hex(&part, TAG_DDOL, p->ddol != NULL ? p->ddol : "9F3704");
    add_hex(&part, TAG_SDA_TAG_LIST, "82");
    return part_finish(&part, true);
}

/* ---- certificates ---- */

/* The bodies of the signed records in order: Book 3, 10.3. */
static enum tp_err static_data(struct buf *out, const struct card_profile *card, size_t first,
                               size_t n)
{
    for (size_t i = first; i < first + n; i++) {
        struct span in = {card->records[i].data, card->records[i].n};
        struct tlv template;

        if (tlv_next(&in, &template) != TP_OK || buf_put(out, template.value) != TP_OK)
            return TP_ERR_RANGE;
    }
    return TP_OK;
}

static enum tp_err keep_cert(struct profile_bytes *to, const struct emv_cert_made *c)
{
    if (c->cert_n > sizeof(to->p))
        return TP_ERR_RANGE;
    memcpy(to->p, c->cert, c->cert_n);
    to->n = c->cert_n;
    return TP_OK;
}

static void add_issuer(struct part *part, const struct scheme *s)
{
    add(part, TAG_CA_INDEX, span_of(&s->index, 1));
    add(part, TAG_ISSUER_EXPONENT, emv_pubkey_exponent(emv_privkey_public(s->issuer)));
    add(part, TAG_ISSUER_REMAINDER, span_of(s->issuer_cert.remainder, s->issuer_cert.remainder_n));
    part_break(part);
    add(part, TAG_ISSUER_CERT, span_of(s->issuer_cert.cert, s->issuer_cert.cert_n));
    part_break(part);
}

static void add_ssad(struct part *part, const struct scheme *s, struct span data)
{
    uint8_t ssad[EMV_RSA_MAX], dac[2];

    if (part->r == TP_OK)
        part->r = RAND_bytes(dac, sizeof(dac)) == 1 ? TP_OK : TP_ERR_INTERNAL;
    if (part->r == TP_OK)
        part->r = emv_ssad_make(ssad, s->issuer, dac, data);
    add(part, TAG_SSAD, span_of(ssad, emv_pubkey_size(emv_privkey_public(s->issuer))));
    part_break(part);
}

struct icc_tags {
    uint32_t cert, exponent, remainder;
};
static const struct icc_tags icc_tags = {TAG_ICC_CERT, TAG_ICC_EXPONENT, TAG_ICC_REMAINDER};
static const struct icc_tags pin_tags = {TAG_PIN_CERT, TAG_PIN_EXPONENT, TAG_PIN_REMAINDER};

static void add_certificate(struct part *part, const struct icc_tags *tags, struct emv_pubkey *key,
                            const struct emv_cert_made *c)
{
    add(part, tags->exponent, emv_pubkey_exponent(key));
    add(part, tags->remainder, span_of(c->remainder, c->remainder_n));
    add(part, tags->cert, span_of(c->cert, c->cert_n));
    part_break(part);
}

/* The card's own certificate, and for the faults of these names two that are as rightly signed:
 * ended, and another card's. */
static void add_icc(struct part *part, const struct scheme *s, const struct perso_params *p,
                    struct span data)
{
    struct card_profile *card = part->card;
    struct emv_pubkey *icc = emv_privkey_public(card->key);
    struct emv_cert_made cert, expired, other;
    char other_pan[PAN_TEXT_MAX];
    uint8_t serial[3];

    if (part->r != TP_OK)
        return;
    snprintf(other_pan, sizeof(other_pan), "%s", p->pan);
    other_pan[strlen(other_pan) - 1] = p->pan[strlen(p->pan) - 1] == '9' ? '0' : '9';
    part->r = RAND_bytes(serial, sizeof(serial)) == 1 ? TP_OK : TP_ERR_INTERNAL;
    if (part->r == TP_OK)
        part->r =
            emv_icc_cert_make(&cert, EMV_ICC_KEY, s->issuer, icc, data, p->pan, p->expiry, serial);
    if (part->r == TP_OK)
        part->r =
            emv_icc_cert_make(&expired, EMV_ICC_KEY, s->issuer, icc, data, p->pan, EXPIRED, serial);
    if (part->r == TP_OK)
        part->r = keep_cert(&card->expired_icc_cert, &expired);
    if (part->r == TP_OK)
        part->r = emv_icc_cert_make(&other, EMV_ICC_KEY, s->issuer, icc, data, other_pan, p->expiry,
                                    serial);
    if (part->r == TP_OK)
        part->r = keep_cert(&card->other_pan_icc_cert, &other);
    if (part->r == TP_OK)
        add_certificate(part, &icc_tags, icc, &cert);
}

/* Of the key that deciphers PINs: Book 2, 7.1; without static data. */
static void add_pin(struct part *part, const struct scheme *s, const struct perso_params *p)
{
    struct emv_pubkey *key = emv_privkey_public(part->card->pin_key);
    struct emv_cert_made cert;
    uint8_t serial[3];

    if (part->r == TP_OK)
        part->r = RAND_bytes(serial, sizeof(serial)) == 1 ? TP_OK : TP_ERR_INTERNAL;
    if (part->r == TP_OK)
        part->r = emv_icc_cert_make(&cert, EMV_ICC_PIN_KEY, s->issuer, key, span_of(NULL, 0),
                                    p->pan, p->expiry, serial);
    if (part->r == TP_OK)
        add_certificate(part, &pin_tags, key, &cert);
}

static enum tp_err make_certificates(struct card_profile *card, const struct scheme *s,
                                     const struct perso_params *p, struct span data)
{
    struct part part;

    part_start(&part, card, p, PERSO_CERTIFICATES);
    add_issuer(&part, s);
    if ((card->aip[0] & AIP_SDA) != 0)
        add_ssad(&part, s, data);
    if (card->key != NULL)
        add_icc(&part, s, p, data);
    if (card->pin_key != NULL)
        add_pin(&part, s, p);
    if (part.r == TP_OK)
        part.r = keep_cert(&card->expired_issuer_cert, &s->expired_issuer_cert);
    return part_finish(&part, false);
}

/* ---- certificates by elliptic curves ---- */

/* The issuer certified card data: the bodies of the signed records, then AIP, AID and PDOL as they
 * stand: Book 3, 10.3. */
static enum tp_err put_iccd(struct buf *out, const struct card_profile *card, struct span records)
{
    enum tp_err r = buf_put(out, records);

    if (r == TP_OK)
        r = tlv_put(out, TAG_AIP, SPAN_OF(card->xda.aip));
    if (r == TP_OK)
        r = tlv_put(out, TAG_TERMINAL_AID, span_of(card->apps[0].aid, card->apps[0].aid_n));
    return r == TP_OK && card->pdol.n > 0
               ? tlv_put(out, TAG_PDOL, span_of(card->pdol.p, card->pdol.n))
               : r;
}

static enum tp_err make_xda_cert(struct profile_bytes *to, const struct scheme *s,
                                 enum emv_icc_key which, const struct ec_privkey *key,
                                 struct span iccd, int expiry)
{
    uint8_t serial[EC_ICC_SERIAL];
    /* SHA-256 of P-521 too: another would not fit a record (Book 2, 12.4) */
    const struct ec_icc_wanted wanted = {which, &key->pub, iccd, EC_SHA256, expiry, serial};
    struct buf cert = BUF_OF(to->p);
    enum tp_err r = RAND_bytes(serial, sizeof(serial)) == 1 ? TP_OK : TP_ERR_INTERNAL;

    if (r == TP_OK)
        r = ec_icc_cert_make(&cert, &s->ec.issuer, &wanted);
    to->n = cert.n;
    return r;
}

static void add_xda_cert(struct part *part, uint32_t tag, const struct scheme *s,
                         enum emv_icc_key which, const struct ec_privkey *key, struct span iccd,
                         int expiry)
{
    struct profile_bytes cert;

    if (part->r == TP_OK)
        part->r = make_xda_cert(&cert, s, which, key, iccd, expiry);
    if (part->r == TP_OK)
        add(part, tag, span_of(cert.p, cert.n));
    part_break(part);
}

static enum tp_err copy_cert(struct profile_bytes *to, struct span cert)
{
    struct buf b = BUF_OF(to->p);
    const enum tp_err r = buf_put(&b, cert);

    to->n = b.n;
    return r;
}

/* The AFL where XDA is chosen: open and signed records, and these in the place of RSA's. */
static enum tp_err make_xda(struct card_profile *card, const struct scheme *s,
                            const struct perso_params *p, struct span records)
{
    struct profile_xda *x = &card->xda;
    uint8_t raw[ICCD_MAX];
    struct buf iccd = BUF_OF(raw);
    struct part part;

    part_start(&part, card, p, PERSO_CERTIFICATES);
    part.afl = &x->afl;
    part.r = put_iccd(&iccd, card, records);
    add(&part, TAG_CA_INDEX, span_of(&s->ec.authority.index, 1));
    add(&part, TAG_ISSUER_CERT, span_of(s->ec.cert.p, s->ec.cert.n));
    part_break(&part);
    add_xda_cert(&part, TAG_ICC_CERT, s, EMV_ICC_KEY, &x->key, buf_span(&iccd), p->expiry);
    if (x->ode_key.d.n > 0)
        add_xda_cert(&part, TAG_PIN_CERT, s, EMV_ICC_PIN_KEY, &x->ode_key, buf_span(&iccd),
                     p->expiry);
    if (part.r == TP_OK)
        part.r =
            make_xda_cert(&x->expired_icc_cert, s, EMV_ICC_KEY, &x->key, buf_span(&iccd), EXPIRED);
    if (part.r == TP_OK)
        part.r =
            copy_cert(&x->expired_issuer_cert, span_of(s->ec.expired_cert.p, s->ec.expired_cert.n));
    return part_finish(&part, false);
}

/* ---- all of it ---- */

/* A DOL as it was written: entries that are whole, no more values than a command holds, and where a
 * signature needs it the unpredictable number in it (Book 2, 6.5.1 and 6.6.1). */
static enum tp_err check_dol(const char *name, const char *hex, bool needs_un, struct tp_error *e)
{
    uint8_t raw[PROFILE_BYTES_MAX];
    struct buf b = BUF_OF(raw);
    struct dol_entry entry;
    struct span rest;
    bool has_un = false;
    size_t n;

    if (hex == NULL || hex[0] == '\0')
        return TP_OK;
    if (hex_decode(&b, hex) != TP_OK)
        return tp_fail(e, TP_ERR_USAGE, "the %s is not hexadecimal, or longer than %d bytes", name,
                       PROFILE_BYTES_MAX);
    if (dol_length(buf_span(&b), &n) != TP_OK)
        return tp_fail(e, TP_ERR_USAGE, "the %s is no list of tags, each with a length of one byte",
                       name);
    if (n > VALUES_MAX)
        return tp_fail(e, TP_ERR_USAGE, "the %s asks for %zu bytes; a command holds %d", name, n,
                       VALUES_MAX);
    rest = buf_span(&b);
    while (dol_next(&rest, &entry) == TP_OK)
        has_un = has_un || (entry.tag == TAG_UN && entry.length == 4);
    return has_un || !needs_un ? TP_OK
                               : tp_fail(e, TP_ERR_USAGE,
                                         "the %s does not ask for the unpredictable number "
                                         "(9F3704), which the card signs",
                                         name);
}

static enum tp_err check_dols(const struct card_profile *card, const struct perso_params *p,
                              struct tp_error *e)
{
    const bool cda = (card->aip[0] & AIP_CDA) != 0 || p->xda, dda = (card->aip[0] & AIP_DDA) != 0;
    enum tp_err r = check_dol("PDOL", p->pdol, false, e);

    if (r == TP_OK &&
        ((p->cdol1 != NULL && p->cdol1[0] == '\0') || (p->cdol2 != NULL && p->cdol2[0] == '\0')))
        return tp_fail(e, TP_ERR_USAGE, "no card is without CDOL1 and CDOL2 (Book 3, 7.2)");
    if (r == TP_OK)
        r = check_dol("CDOL1", p->cdol1, cda, e);
    if (r == TP_OK)
        r = check_dol("CDOL2", p->cdol2, cda, e);
    return r == TP_OK ? check_dol("DDOL", p->ddol, dda, e) : r;
}

enum tp_err perso_records(struct card_profile *card, const struct scheme *s,
                          const struct perso_params *p, struct tp_error *e)
{
    uint8_t cvm_raw[PROFILE_BYTES_MAX], signed_raw[SIGNED_MAX];
    struct buf cvm = BUF_OF(cvm_raw), data = BUF_OF(signed_raw);
    size_t open;
    enum tp_err r = perso_cvm_list(&cvm, p->cvm_x, p->cvm_y, p->cvm, e);

    if (r == TP_OK)
        r = check_dols(card, p, e);
    if (r != TP_OK)
        return r;
    r = make_open(card, p);
    open = card->records_n;
    if (r == TP_OK)
        r = make_signed(card, s, p, buf_span(&cvm));
    if (r == TP_OK)
        r = static_data(&data, card, open, card->records_n - open);
    card->xda.afl = card->afl; /* so far */
    if (r == TP_OK && p->xda)
        r = make_xda(card, s, p, buf_span(&data));
    else
        card->xda.afl.n = 0;
    if (r == TP_OK)
        r = buf_put(&data, SPAN_OF(card->aip));
    if (r == TP_OK && p->method != PERSO_NONE)
        r = make_certificates(card, s, p, buf_span(&data));
    if (r != TP_OK)
        return tp_fail(e, r,
                       "cannot make the records: the key of the issuer or the card is too large "
                       "for a record, or too small to certify");
    r = profile_index(card, e);
    if (r == TP_ERR_FORMAT && profile_common_core(card) != NULL)
        e->code = r =
            TP_ERR_USAGE; /* it is what was wanted that is impossible, not a file that is wrong */
    return r;
}
