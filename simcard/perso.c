/* From what is wanted of a card to its records. What is signed stands in file 2, the certificates in file 3, the rest in file 1. */
#include "simcard/perso.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "base/bcd.h"
#include "base/date.h"
#include "base/hex.h"
#include "base/money.h"
#include "crypto/cryptogram.h"
#include "crypto/pinblock.h"
#include "simcard/state.h"

#define SFI_OPEN         1
#define SFI_SIGNED       2
#define SFI_CERTIFICATES 3
#define SIGNED_MAX       (2 * PROFILE_RECORD_MAX + 2)
#define EXPIRED          20191231 /* of the certificate kept for the fault expired-icc-certificate */
#define CARD_BITS_MAX    1640     /* 205 bytes: with CDA all of GENERATE AC's answer still fits 256 bytes */

/* Book 3, table 41 */
#define AIP_SDA  0x40
#define AIP_DDA  0x20
#define AIP_CVM  0x10
#define AIP_RISK 0x08
#define AIP_CDA  0x01

void perso_defaults(struct perso_params *p)
{
    *p = (struct perso_params){
        .name = "CARDHOLDER/TEST",
        .method = PERSO_CDA,
        .bits = 1152,
        .exponent = 3,
        .cvm = "pin,none",
        .pdol = "9F3303 9F1A02 9F3501", /* terminal capabilities, country, type */
        .currency = 978,
        .currency_exponent = 2,
        .language = "enfr",
        .pin_tries = 3,
        .format = 2,
        .apps = {{SCHEME_AID, SCHEME_NAME, "", 1}},
        .apps_n = 1,
    };
}

/* ---- records ---- */

/* One record being filled: data objects first, the template around them at the end. */
struct record {
    uint8_t raw[PROFILE_RECORD_MAX];
    struct buf b;
    enum tp_err r; /* first failure; adding to a failed record does nothing */
};

static void record_start(struct record *rec)
{
    rec->b = BUF_OF(rec->raw);
    rec->r = TP_OK;
}

static void add(struct record *rec, uint32_t tag, struct span value)
{
    if (rec->r == TP_OK && value.n > 0)
        rec->r = tlv_put(&rec->b, tag, value);
}

static void add_hex(struct record *rec, uint32_t tag, const char *hex)
{
    uint8_t raw[PROFILE_BYTES_MAX];
    struct buf b = BUF_OF(raw);

    if (rec->r == TP_OK)
        rec->r = hex_decode(&b, hex);
    add(rec, tag, buf_span(&b));
}

static void add_number(struct record *rec, uint32_t tag, uint64_t v, unsigned digits)
{
    uint8_t raw[8];
    struct buf b = BUF_OF(raw);

    if (rec->r == TP_OK)
        rec->r = bcd_put(&b, v, digits);
    add(rec, tag, buf_span(&b));
}

static void add_date(struct record *rec, uint32_t tag, int date)
{
    uint8_t raw[3];

    date_to_yymmdd(raw, date);
    add(rec, tag, SPAN_OF(raw));
}

static enum tp_err record_finish(struct record *rec, struct card_profile *card, uint8_t sfi, uint8_t number)
{
    struct profile_record *to = &card->records[card->records_n];
    struct buf whole = BUF_OF(to->data);

    if (rec->r != TP_OK)
        return rec->r;
    if (card->records_n == PROFILE_RECORDS_MAX || tlv_put(&whole, TAG_RECORD, buf_span(&rec->b)) != TP_OK)
        return TP_ERR_RANGE;
    to->sfi = sfi;
    to->number = number;
    to->n = whole.n;
    card->records_n++;
    return TP_OK;
}

/* 57: PAN, separator D, expiry YYMM, service code, discretionary data: ISO/IEC 7813. */
static void add_track2(struct record *rec, const struct perso_params *p)
{
    char text[PAN_TEXT_MAX + 20];
    const int n = snprintf(text, sizeof(text), "%sD%02d%02d20100000", p->pan, p->expiry / 10000 % 100, p->expiry / 100 % 100);

    if (n % 2 == 1) {
        text[n] = 'F';
        text[n + 1] = '\0';
    }
    add_hex(rec, TAG_TRACK2, text);
}

static enum tp_err make_open_record(struct card_profile *card, const struct perso_params *p)
{
    struct record rec;

    record_start(&rec);
    add_track2(&rec, p);
    add(&rec, TAG_CARDHOLDER_NAME, span_str(p->name));
    return record_finish(&rec, card, SFI_OPEN, 1);
}

/* Who the card is and what it may do. */
static enum tp_err make_signed_record_1(struct card_profile *card, const struct scheme *s, const struct perso_params *p, struct span cvm)
{
    const int effective = p->effective != 0 ? p->effective : date_of(time(NULL)) / 100 * 100 + 1;
    struct record rec;
    uint8_t pan[10];
    struct buf b = BUF_OF(pan);

    record_start(&rec);
    rec.r = bcd_put_cn(&b, p->pan, (strlen(p->pan) + 1) / 2);
    add(&rec, TAG_PAN, buf_span(&b));
    add_number(&rec, TAG_PAN_SEQUENCE, p->psn, 2);
    add_date(&rec, TAG_EXPIRY, p->expiry);
    add_date(&rec, TAG_EFFECTIVE, effective);
    add_number(&rec, TAG_ISSUER_COUNTRY, p->country != 0 ? p->country : s->country, 4);
    add_number(&rec, TAG_APP_CURRENCY, p->currency, 4);
    add_number(&rec, TAG_APP_CURRENCY_EXPONENT, p->currency_exponent, 2);
    add_hex(&rec, TAG_AUC, "FF00"); /* all but cash back */
    add_hex(&rec, TAG_CARD_VERSION, "0001");
    add_number(&rec, TAG_SERVICE_CODE, 201, 4);
    add(&rec, TAG_CVM_LIST, cvm);
    /* Book 3, annex C5 names the bits. Denial: service not allowed. Online: authentication, dates, new card, cardholder verification, floor
     * limit, random selection, merchant's wish. Default, when online is impossible: the same without "not yet effective", new card and random selection. */
    add_hex(&rec, TAG_IAC_DENIAL, "0010000000");
    add_hex(&rec, TAG_IAC_ONLINE, "FC78FC9800");
    add_hex(&rec, TAG_IAC_DEFAULT, "FC50FC8800");
    return record_finish(&rec, card, SFI_SIGNED, 1);
}

/* What the card wants to know, and so signs: all that DE 55 says of the terminal and the transaction (DESIGN 7), so that nothing in a message can be changed
 * unseen. 9F7C takes the digest of the payment request (DESIGN 6). */
static enum tp_err make_signed_record_2(struct card_profile *card, const struct perso_params *p)
{
    struct record rec;

    record_start(&rec);
    add_hex(&rec, TAG_CDOL1, "9F0206 9F0306 9F1A02 9505 5F2A02 9A03 9C01 9F3704 9F3501 9F3403 9F3303 9F1E08 9F0902 9F4104 9F0607 9F7C20");
    add_hex(&rec, TAG_CDOL2, "8A02 9F0206 9F0306 9F1A02 9505 5F2A02 9A03 9C01 9F3704 9F3403");
    if (p->method != PERSO_SDA)
        add_hex(&rec, TAG_DDOL, "9F3704");
    add_hex(&rec, TAG_SDA_TAG_LIST, "82");
    return record_finish(&rec, card, SFI_SIGNED, 2);
}

/* Static data to be authenticated: the bodies of the records of file 2 in order, then the AIP: Book 3, 10.3. */
static enum tp_err static_data(struct buf *out, const struct card_profile *card)
{
    for (size_t i = 0; i < card->records_n; i++) {
        struct span in = {card->records[i].data, card->records[i].n};
        struct tlv template;

        if (card->records[i].sfi != SFI_SIGNED)
            continue;
        if (tlv_next(&in, &template) != TP_OK || buf_put(out, template.value) != TP_OK)
            return TP_ERR_RANGE;
    }
    return buf_put(out, SPAN_OF(card->aip));
}

static enum tp_err keep_cert(struct profile_bytes *to, const struct emv_cert_made *c)
{
    if (c->cert_n > sizeof(to->p))
        return TP_ERR_RANGE;
    memcpy(to->p, c->cert, c->cert_n);
    to->n = c->cert_n;
    return TP_OK;
}

static enum tp_err make_issuer_records(struct card_profile *card, const struct scheme *s)
{
    struct record rec;
    enum tp_err r;

    record_start(&rec);
    add(&rec, TAG_CA_INDEX, span_of(&s->index, 1));
    add(&rec, TAG_ISSUER_EXPONENT, emv_pubkey_exponent(emv_privkey_public(s->issuer)));
    add(&rec, TAG_ISSUER_REMAINDER, span_of(s->issuer_cert.remainder, s->issuer_cert.remainder_n));
    r = record_finish(&rec, card, SFI_CERTIFICATES, 1);
    if (r != TP_OK)
        return r;
    record_start(&rec);
    add(&rec, TAG_ISSUER_CERT, span_of(s->issuer_cert.cert, s->issuer_cert.cert_n));
    r = record_finish(&rec, card, SFI_CERTIFICATES, 2);
    return r == TP_OK ? keep_cert(&card->expired_issuer_cert, &s->expired_issuer_cert) : r;
}

static enum tp_err make_ssad_record(struct card_profile *card, const struct scheme *s, struct span data)
{
    uint8_t ssad[EMV_RSA_MAX], dac[2];
    struct record rec;
    enum tp_err r = RAND_bytes(dac, sizeof(dac)) == 1 ? TP_OK : TP_ERR_INTERNAL;

    if (r == TP_OK)
        r = emv_ssad_make(ssad, s->issuer, dac, data);
    if (r != TP_OK)
        return r;
    record_start(&rec);
    add(&rec, TAG_SSAD, span_of(ssad, emv_pubkey_size(emv_privkey_public(s->issuer))));
    return record_finish(&rec, card, SFI_CERTIFICATES, 3);
}

static enum tp_err make_icc_record(struct card_profile *card, const struct scheme *s, const struct perso_params *p, struct span data)
{
    struct emv_pubkey *icc = emv_privkey_public(card->key);
    struct emv_cert_made cert, expired, other;
    char other_pan[PAN_TEXT_MAX];
    uint8_t serial[3];
    struct record rec;
    enum tp_err r = RAND_bytes(serial, sizeof(serial)) == 1 ? TP_OK : TP_ERR_INTERNAL;

    if (r == TP_OK)
        r = emv_icc_cert_make(&cert, EMV_ICC_KEY, s->issuer, icc, data, p->pan, p->expiry, serial);
    if (r == TP_OK)
        r = emv_icc_cert_make(&expired, EMV_ICC_KEY, s->issuer, icc, data, p->pan, EXPIRED, serial);
    if (r == TP_OK)
        r = keep_cert(&card->expired_icc_cert, &expired);
    snprintf(other_pan, sizeof(other_pan), "%s", p->pan);
    other_pan[strlen(other_pan) - 1] = p->pan[strlen(p->pan) - 1] == '9' ? '0' : '9';
    if (r == TP_OK)
        r = emv_icc_cert_make(&other, EMV_ICC_KEY, s->issuer, icc, data, other_pan, p->expiry, serial);
    if (r == TP_OK)
        r = keep_cert(&card->other_pan_icc_cert, &other);
    if (r != TP_OK)
        return r;
    record_start(&rec);
    add(&rec, TAG_ICC_EXPONENT, emv_pubkey_exponent(icc));
    add(&rec, TAG_ICC_REMAINDER, span_of(cert.remainder, cert.remainder_n));
    add(&rec, TAG_ICC_CERT, span_of(cert.cert, cert.cert_n));
    return record_finish(&rec, card, SFI_CERTIFICATES, 3);
}

/* ---- checks of what is wanted ---- */

static enum tp_err check_params(const struct scheme *s, const struct perso_params *p, struct tp_error *e)
{
    const size_t n = strlen(p->pan), name_n = strlen(p->name);

    if (n < 12 || n > PAN_MAX || strspn(p->pan, "0123456789") != n)
        return tp_fail(e, TP_ERR_USAGE, "a card number has 12 to 19 digits");
    if (strncmp(p->pan, s->iin, strlen(s->iin)) != 0)
        return tp_fail(e, TP_ERR_USAGE, "the card number does not begin with %s, the issuer's number in this scheme", s->iin);
    if (!pan_valid(p->pan))
        return tp_fail(e, TP_ERR_USAGE, "the card number's last digit is not its check digit: such a card is refused everywhere");
    if (name_n < 2 || name_n > 26)
        return tp_fail(e, TP_ERR_USAGE, "the name \"%s\" has not 2 to 26 characters", p->name);
    if (p->expiry > s->issuer_expiry)
        return tp_fail(e, TP_ERR_USAGE, "the card would outlive its issuer's certificate, which ends on %d", s->issuer_expiry);
    if (p->pin_tries < 1 || p->pin_tries > 15 || p->format < 1 || p->format > 2 || p->psn > 99 || strlen(p->language) > 8 ||
        strlen(p->language) % 2 != 0)
        return tp_fail(e, TP_ERR_USAGE,
                       "PIN tries go from 1 to 15, formats are 1 and 2, sequence numbers 0 to 99, languages up to four of two letters");
    if (p->bits > CARD_BITS_MAX)
        return tp_fail(e, TP_ERR_USAGE, "a card key has at most %d bits: a signature must fit one answer", CARD_BITS_MAX);
    return TP_OK;
}

static enum tp_err take_apps(struct card_profile *card, const struct perso_params *p, struct tp_error *e)
{
    for (size_t i = 0; i < p->apps_n; i++) {
        const struct perso_app *from = &p->apps[i];
        struct profile_app *to = &card->apps[i];
        struct buf aid = BUF_OF(to->aid);

        if (hex_decode(&aid, from->aid) != TP_OK || aid.n < 5)
            return tp_fail(e, TP_ERR_USAGE, "the application identifier \"%s\" has not 5 to 16 bytes", from->aid);
        if (strlen(from->label) < 1 || strlen(from->label) > 16 || strlen(from->preferred) > 16)
            return tp_fail(e, TP_ERR_USAGE, "the label \"%s\" has not 1 to 16 characters", from->label);
        to->aid_n = aid.n;
        snprintf(to->label, sizeof(to->label), "%s", from->label);
        snprintf(to->preferred, sizeof(to->preferred), "%s", from->preferred);
        to->priority = from->priority;
    }
    card->apps_n = p->apps_n;
    return TP_OK;
}

static enum tp_err take_params(struct card_profile *card, const struct perso_params *p, struct tp_error *e)
{
    static const uint8_t method_bits[] = {[PERSO_SDA] = AIP_SDA, [PERSO_DDA] = AIP_DDA, [PERSO_CDA] = AIP_DDA | AIP_CDA};
    struct buf pdol = BUF_OF(card->pdol.p);

    if (hex_decode(&pdol, p->pdol) != TP_OK)
        return tp_fail(e, TP_ERR_USAGE, "the PDOL is not hexadecimal");
    card->pdol.n = pdol.n;
    card->pse = !p->no_pse;
    card->t0 = p->t0;
    card->blocked = p->blocked;
    card->format = p->format;
    card->dki = 1;
    card->pin_tries = p->pin_tries;
    card->offline_limit = p->offline_limit;
    card->offline_maximum = p->offline_maximum;
    snprintf(card->language, sizeof(card->language), "%s", p->language);
    card->aip[0] = (uint8_t)(method_bits[p->method] | AIP_CVM | AIP_RISK);
    return take_apps(card, p, e);
}

static enum tp_err take_secrets(struct card_profile *card, const struct scheme *s, const struct perso_params *p, struct tp_error *e)
{
    const uint8_t psn = (uint8_t)(p->psn / 10 << 4 | p->psn % 10);
    enum tp_err r = pin_block_make(&card->pin_block, p->pin);

    if (r != TP_OK)
        return tp_fail(e, TP_ERR_USAGE, "a PIN has 4 to 12 digits");
    r = emv_master_key_derive(&card->ac_key, EMV_CVN_18, secret_span(&s->ac_key), p->pan, psn);
    if (r == TP_OK)
        r = emv_master_key_derive(&card->smi_key, EMV_CVN_18, secret_span(&s->smi_key), p->pan, psn);
    if (r == TP_OK)
        r = emv_master_key_derive(&card->smc_key, EMV_CVN_18, secret_span(&s->smc_key), p->pan, psn);
    if (r != TP_OK)
        return tp_fail(e, r, "cannot derive the card's master keys");
    if (p->method == PERSO_SDA)
        return TP_OK;
    card->key = p->key;
    if (card->key == NULL && emv_privkey_generate(&card->key, p->bits, p->exponent) != TP_OK)
        return tp_fail(e, TP_ERR_USAGE, "cannot make a card key of %u bits with exponent %u", p->bits, p->exponent);
    return TP_OK;
}

static enum tp_err make_afl(struct card_profile *card)
{
    static const uint8_t afl[] = {SFI_OPEN << 3, 1, 1, 0, SFI_SIGNED << 3, 1, 2, 2, SFI_CERTIFICATES << 3, 1, 3, 0};

    memcpy(card->afl.p, afl, sizeof(afl));
    card->afl.n = sizeof(afl);
    return TP_OK;
}

static enum tp_err make_records(struct card_profile *card, const struct scheme *s, const struct perso_params *p, struct tp_error *e)
{
    uint8_t cvm_raw[PROFILE_BYTES_MAX], signed_raw[SIGNED_MAX];
    struct buf cvm = BUF_OF(cvm_raw), data = BUF_OF(signed_raw);
    enum tp_err r = perso_cvm_list(&cvm, p->cvm, e);

    if (r != TP_OK)
        return r;
    r = make_open_record(card, p);
    if (r == TP_OK)
        r = make_signed_record_1(card, s, p, buf_span(&cvm));
    if (r == TP_OK)
        r = make_signed_record_2(card, p);
    if (r == TP_OK)
        r = static_data(&data, card);
    if (r == TP_OK)
        r = make_issuer_records(card, s);
    if (r == TP_OK)
        r = p->method == PERSO_SDA ? make_ssad_record(card, s, buf_span(&data)) : make_icc_record(card, s, p, buf_span(&data));
    if (r == TP_OK)
        r = make_afl(card);
    return r == TP_OK
               ? profile_index(card, e)
               : tp_fail(e, r, "cannot make the records: the key of the issuer or the card is too large for a record, or too small to certify");
}

enum tp_err perso_make(struct card_profile **out, const struct scheme *s, const struct perso_params *p, struct tp_error *e)
{
    struct card_profile *card = NULL;
    enum tp_err r = check_params(s, p, e);

    *out = NULL;
    if (r != TP_OK)
        return r;
    if (profile_new(&card) != TP_OK)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    r = take_params(card, p, e);
    if (r == TP_OK)
        r = take_secrets(card, s, p, e);
    if (r == TP_OK)
        r = make_records(card, s, p, e);
    if (r == TP_OK) {
        *out = card;
        return TP_OK;
    }
    if (card->key == p->key) /* the caller's until all went well */
        card->key = NULL;
    profile_free(&card);
    return r;
}

enum tp_err perso_save(const struct card_profile *card, const char *dir, struct tp_error *e)
{
    const struct card_state fresh = {.pin_tries = card->pin_tries, .flags = card->blocked ? STATE_APP_BLOCKED : 0};
    struct card_state there;
    struct tp_error none;

    if (state_peek(&there, dir, &none) == TP_OK)
        return tp_fail(e, TP_ERR_EXISTS, "%s holds a card already: its counter must not start again; name another folder", dir);
    const enum tp_err r = profile_save(card, dir, e);

    return r == TP_OK ? state_make(dir, &fresh, e) : r; /* the state last: where it stands, the card is whole */
}
