#include "cardsign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "base/bcd.h"
#include "base/date.h"
#include "base/hex.h"

#define CARD_BITS   1152
#define CARD_EXPIRY 20301231
#define SCHEME_IIN  "999014"
#define AIP         "1100" /* cardholder verification, CDA */
/* All that a terminal says in DE 55, so that no byte of it is left unsigned: the usual objects,
 * then 9F33 9F1E 9F06 9F09 9F41. */
#define CDOL1                                                                                      \
    "9F02069F03069F1A0295055F2A029A039C019F3704"                                                   \
    "9F35019F34039F33039F1E089F06079F09029F4104"
#define CDOL1_PAYEE CDOL1 "9F7C20"
#define CVM_LIST                                                                                   \
    "000000000000000041031F03" /* plaintext PIN, else none, each if the terminal supports it */
#define APP_VERSION "0001"
#define CDOL2       "8A0295059F37049F3403"
#define TRY(call)                                                                                  \
    do {                                                                                           \
        const enum tp_err r_ = (call);                                                             \
        if (r_ != TP_OK)                                                                           \
            return r_;                                                                             \
    } while (0)

static enum tp_err make_keys(struct signer *s, unsigned keys)
{
    enum tp_err r = TP_OK;

    s->key = calloc(keys, sizeof(*s->key));
    if (s->key == NULL)
        return TP_ERR_NO_MEMORY;
    for (unsigned i = 0; r == TP_OK && i < keys; i++) {
        r = emv_privkey_generate(&s->key[i], CARD_BITS, 3);
        s->keys = i + 1;
    }
    return r;
}

enum tp_err signer_make(struct signer *s, unsigned keys, struct tp_error *e)
{
    struct scheme_params p;
    enum tp_err r;

    memset(s, 0, sizeof(*s));
    scheme_defaults(&p);
    r = scheme_new(&s->scheme, &p, e);
    return r == TP_OK ? make_keys(s, keys) : r;
}

enum tp_err signer_share(struct signer *out, const struct signer *s, unsigned keys,
                         struct tp_error *e)
{
    char dir[] = "/tmp/signer.XXXXXX", command[64];
    enum tp_err r;

    memset(out, 0, sizeof(*out));
    if (mkdtemp(dir) == NULL)
        return TP_ERR_IO;
    r = scheme_save(s->scheme, dir, e);
    if (r == TP_OK)
        r = scheme_load(&out->scheme, dir, e);
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    if (system(command) != 0)
        r = TP_ERR_IO;
    return r == TP_OK ? make_keys(out, keys) : r;
}

void signer_clear(struct signer *s)
{
    for (unsigned i = 0; i < s->keys; i++)
        emv_privkey_free(&s->key[i]);
    free(s->key);
    scheme_free(&s->scheme);
}

static char check_digit(const char *digits)
{
    unsigned sum = 0;
    const size_t n = strlen(digits);

    for (size_t i = 0; i < n; i++) {
        const unsigned d = (unsigned)(digits[n - 1 - i] - '0');

        sum += i % 2 == 0 ? d * 2 / 10 + d * 2 % 10 : d;
    }
    return (char)('0' + (10 - sum % 10) % 10);
}

static enum tp_err put_hex(struct buf *out, uint32_t tag, const char *hex)
{
    uint8_t raw[64];
    struct buf b = BUF_OF(raw);

    TRY(hex_decode(&b, hex));
    return tlv_put(out, tag, buf_span(&b));
}

enum tp_err signer_card(struct signed_card *out, struct signer *s, uint64_t number)
{
    struct buf records = {out->records, 0, sizeof(out->records)};
    uint8_t pan[10];
    struct buf cn = BUF_OF(pan);
    const uint8_t serial[3] = {(uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};

    snprintf(out->pan, sizeof(out->pan), SCHEME_IIN "%09llu",
             (unsigned long long)number % 1000000000);
    out->pan[15] = check_digit(out->pan);
    out->pan[16] = '\0';
    out->key = s->key[number % s->keys];
    TRY(bcd_put_cn(&cn, out->pan, 8));
    TRY(tlv_put(&records, TAG_PAN, buf_span(&cn)));
    TRY(put_hex(&records, TAG_EXPIRY, "301231"));
    TRY(put_hex(&records, TAG_PAN_SEQUENCE, "01"));
    if (!s->loose)
        TRY(put_hex(&records, TAG_CDOL1, s->payee ? CDOL1_PAYEE : CDOL1));
    TRY(put_hex(&records, TAG_CDOL2, CDOL2));
    TRY(put_hex(&records, TAG_CVM_LIST, CVM_LIST));
    TRY(put_hex(&records, TAG_SDA_TAG_LIST, "82"));
    TRY(hex_decode(&records, AIP));
    out->records_n = records.n;
    return emv_icc_cert_make(&out->cert, EMV_ICC_KEY, s->scheme->issuer,
                             emv_privkey_public(out->key), buf_span(&records), out->pan,
                             CARD_EXPIRY, serial);
}

void terms_usual(struct terms *t, const struct signed_card *card, uint16_t atc)
{
    const time_t now = time(NULL);
    struct tm local;
    uint8_t hash[32];
    char seed[64];

    localtime_r(&now, &local);
    memset(t, 0, sizeof(*t));
    t->amount = 1250;
    t->currency = 978;
    t->country = 250;
    t->date = date_of(now);
    t->time = local.tm_hour * 10000 + local.tm_min * 100 + local.tm_sec;
    memcpy(t->capabilities, "\x20\x98\xC8", 3);
    memcpy(t->cvm, "\x01\x03\x02",
           3); /* plaintext PIN by the card, if the terminal can, successful */
    t->cid = 0x40;
    t->atc = atc;
    t->cvr[0] = 0x94; /* TC; second AC not requested; PIN verification performed */
    t->psn = 1;
    t->counter = atc;
    t->expiry = 3012;
    snprintf(t->pan, sizeof(t->pan), "%s", card->pan);
    snprintf(seed, sizeof(seed), "%s %u", card->pan, atc);
    EVP_Digest(seed, strlen(seed), hash, NULL, EVP_sha256(), NULL);
    memcpy(t->un, hash, 4);
    memcpy(t->ac, hash + 4, 8);
}

/* ---- the card ---- */

static enum tp_err put_bcd(struct buf *out, uint32_t tag, uint64_t value, unsigned digits)
{
    uint8_t raw[8];
    struct buf b = BUF_OF(raw);

    TRY(bcd_put(&b, value, digits));
    return tag == 0 ? buf_put(out, buf_span(&b)) : tlv_put(out, tag, buf_span(&b));
}

static enum tp_err cdol1_values(struct buf *out, const struct terms *t)
{
    TRY(put_bcd(out, 0, (uint64_t)t->amount, 12));
    TRY(put_bcd(out, 0, 0, 12));
    TRY(put_bcd(out, 0, t->country, 4));
    TRY(buf_put(out, span_of(t->second ? (const uint8_t *)"\0\0\0\0\0" : t->tvr, 5)));
    TRY(put_bcd(out, 0, t->currency, 4));
    TRY(put_bcd(out, 0, (uint64_t)(t->date % 1000000), 6));
    TRY(buf_u8(out, t->type));
    TRY(buf_put(out, SPAN_OF(t->un)));
    TRY(buf_u8(out, 0x35));
    TRY(buf_put(out, SPAN_OF(t->cvm)));
    TRY(buf_put(out, SPAN_OF(t->capabilities)));
    TRY(buf_put(out, span_str(t->serial)));
    TRY(hex_decode(out, SCHEME_AID));
    TRY(hex_decode(out, APP_VERSION));
    TRY(put_bcd(out, 0, t->counter, 8));
    return t->has_payee ? buf_put(out, SPAN_OF(t->payee)) : TP_OK;
}

static enum tp_err cdol2_values(struct buf *out, const struct terms *t)
{
    TRY(buf_put(out, span_str("Y3")));
    TRY(buf_put(out, SPAN_OF(t->tvr)));
    TRY(buf_put(out, SPAN_OF(t->un)));
    return buf_put(out, SPAN_OF(t->cvm));
}

static enum tp_err response_before(struct buf *out, const struct terms *t)
{
    const uint8_t atc[2] = {(uint8_t)(t->atc >> 8), (uint8_t)t->atc};

    TRY(tlv_put(out, TAG_CID, span_of(&t->cid, 1)));
    return tlv_put(out, TAG_ATC, SPAN_OF(atc));
}

static enum tp_err response_after(struct buf *out, const struct terms *t)
{
    const uint8_t iad[7] = {0x06, 0x01, 0x12, 0x03, t->cvr[0], t->cvr[1], t->cvr[2]};

    return tlv_put(out, TAG_IAD, t->iad_n > 0 ? span_of(t->iad, t->iad_n) : SPAN_OF(iad));
}

/* EMV 4.4 Book 2, 6.6.1: the SDAD over ICC dynamic data 08 || number || CID || AC || hash. */
static enum tp_err sign(uint8_t *sdad, const struct signed_card *card, const struct terms *t,
                        struct span cdol1, struct span cdol2)
{
    uint8_t hashed[256], dynamic[38];
    struct buf h = BUF_OF(hashed), d = BUF_OF(dynamic);

    TRY(buf_put(&h, cdol1));
    TRY(buf_put(&h, cdol2));
    TRY(response_before(&h, t));
    TRY(response_after(&h, t));
    TRY(buf_u8(&d, 8));
    TRY(buf_put(&d, SPAN_OF(t->ac)));
    TRY(buf_u8(&d, t->cid));
    TRY(buf_put(&d, SPAN_OF(t->ac)));
    if (EVP_Digest(h.p, h.n, d.p + d.n, NULL, EVP_sha1(), NULL) != 1)
        return TP_ERR_INTERNAL;
    d.n += 20;
    return emv_sdad_make(sdad, card->key, buf_span(&d), SPAN_OF(t->un));
}

/* ---- the terminal ---- */

enum tp_err signer_certificates(struct buf *out, const struct signer *s,
                                const struct signed_card *card)
{
    const struct scheme *scheme = s->scheme;

    TRY(tlv_put(out, TAG_CA_INDEX, span_of(&scheme->index, 1)));
    TRY(tlv_put(out, TAG_ISSUER_CERT,
                span_of(scheme->issuer_cert.cert, scheme->issuer_cert.cert_n)));
    if (scheme->issuer_cert.remainder_n > 0)
        TRY(tlv_put(out, TAG_ISSUER_REMAINDER,
                    span_of(scheme->issuer_cert.remainder, scheme->issuer_cert.remainder_n)));
    TRY(tlv_put(out, TAG_ISSUER_EXPONENT, emv_pubkey_exponent(emv_privkey_public(scheme->issuer))));
    TRY(tlv_put(out, TAG_ICC_CERT, span_of(card->cert.cert, card->cert.cert_n)));
    TRY(tlv_put(out, TAG_ICC_EXPONENT, emv_pubkey_exponent(emv_privkey_public(card->key))));
    return card->cert.remainder_n > 0
               ? tlv_put(out, TAG_ICC_REMAINDER,
                         span_of(card->cert.remainder, card->cert.remainder_n))
               : TP_OK;
}

static enum tp_err evidence(struct buf *out, struct span sdad, const struct signer *s,
                            const struct signed_card *card, const struct terms *t,
                            struct span cdol1, struct span cdol2, const char *list)
{
    uint8_t inner[400];
    struct buf response = BUF_OF(inner);

    TRY(response_before(&response, t));
    TRY(t->no_cda ? tlv_put(&response, TAG_AC, SPAN_OF(t->ac))
                  : tlv_put(&response, TAG_SDAD, sdad));
    TRY(response_after(&response, t));
    if (!t->no_cda)
        TRY(signer_certificates(out, s, card));
    TRY(tlv_put(out, TAG_EV_STATIC, span_of(card->records, card->records_n)));
    TRY(tlv_put(out, TAG_EV_CDOL1_VALUES, cdol1));
    if (cdol2.n > 0)
        TRY(tlv_put(out, TAG_EV_CDOL2_VALUES, cdol2));
    if (s->loose)
        TRY(put_hex(out, TAG_EV_CDOL1, list != NULL ? list : CDOL1));
    TRY(tlv_put_header(out, TAG_EV_RESPONSE, tlv_size(TAG_RESPONSE_2, response.n)));
    return tlv_put(out, TAG_RESPONSE_2, buf_span(&response));
}

static enum tp_err icc_data(struct buf *out, const struct terms *t)
{
    const uint8_t atc[2] = {(uint8_t)(t->atc >> 8), (uint8_t)t->atc};

    TRY(tlv_put(out, TAG_AC, SPAN_OF(t->ac)));
    TRY(tlv_put(out, TAG_CID, span_of(&t->cid, 1)));
    TRY(response_after(out, t));
    TRY(tlv_put(out, TAG_UN, SPAN_OF(t->un)));
    TRY(tlv_put(out, TAG_ATC, SPAN_OF(atc)));
    TRY(tlv_put(out, TAG_TVR, SPAN_OF(t->tvr)));
    TRY(put_bcd(out, TAG_TX_DATE, (uint64_t)(t->date % 1000000), 6));
    TRY(tlv_put(out, TAG_TX_TYPE, span_of(&t->type, 1)));
    TRY(put_bcd(out, TAG_AMOUNT, (uint64_t)t->amount, 12));
    TRY(put_bcd(out, TAG_AMOUNT_OTHER, 0, 12));
    TRY(put_bcd(out, TAG_TX_CURRENCY, t->currency, 4));
    TRY(put_hex(out, TAG_AIP, AIP));
    TRY(put_bcd(out, TAG_TERMINAL_COUNTRY, t->country, 4));
    TRY(tlv_put(out, TAG_TERMINAL_CAPABILITIES, SPAN_OF(t->capabilities)));
    TRY(tlv_put(out, TAG_CVM_RESULTS, SPAN_OF(t->cvm)));
    TRY(put_hex(out, TAG_TERMINAL_TYPE, "35"));
    TRY(tlv_put(out, TAG_IFD_SERIAL, span_str(t->serial)));
    TRY(put_hex(out, TAG_DF_NAME, SCHEME_AID));
    TRY(put_hex(out, TAG_TERMINAL_VERSION, APP_VERSION));
    TRY(put_bcd(out, TAG_TX_COUNTER, t->counter, 8));
    TRY(put_bcd(out, TAG_PAN_SEQUENCE, t->psn, 2));
    return t->has_payee ? tlv_put(out, TAG_MERCHANT_CUSTOM, SPAN_OF(t->payee)) : TP_OK;
}

static enum tp_err fields(struct made *out, const struct terms *t, const struct place *where)
{
    struct iso8583 *m = &out->message;

    iso8583_start(m, MTI_FINANCIAL);
    iso8583_set_text(m, 2, t->pan);
    iso8583_set_number(m, 3, t->type == 0x20 ? 200000 : t->type * UINT64_C(10000));
    iso8583_set_number(m, 4, (uint64_t)t->amount);
    iso8583_set_instant(m, time(NULL));
    iso8583_set_number(m, 11, where->stan);
    iso8583_set_number(m, 12, (uint64_t)t->time);
    iso8583_set_number(m, 13, (uint64_t)(t->date % 10000));
    iso8583_set_number(m, 14, (uint64_t)t->expiry);
    iso8583_set_number(m, 18, where->mcc);
    iso8583_set_text(m, 22, "051");
    iso8583_set_number(m, 23, t->psn);
    iso8583_set_text(m, 25, "00");
    iso8583_set_text(m, 41, where->terminal);
    iso8583_set_text(m, 42, where->contract);
    iso8583_set_number(m, 49, t->currency);
    iso8583_set(m, 55, span_of(out->de55, out->de55_n));
    iso8583_evidence_split(m, span_of(out->stream, out->stream_n));
    return iso8583_fault(m, NULL);
}

void place_serial(char out[9], const char *contract, const char *terminal)
{
    const size_t c = strlen(contract), t = strlen(terminal);

    snprintf(out, 9, "%04u%.4s",
             (unsigned)strtoul(contract + (c > 4 ? c - 4 : 0), NULL, 10) % 10000,
             terminal + (t > 4 ? t - 4 : 0));
}

enum tp_err made_payment(struct made *out, struct signer *s, const struct signed_card *card,
                         const struct terms *signed_terms, const struct terms *said_terms,
                         const struct place *where)
{
    struct terms both[2] = {*signed_terms, *said_terms};
    const struct terms *signed_ = &both[0], *said = &both[1];
    uint8_t first[128], second[32], signature[EMV_RSA_MAX];
    struct buf cdol1 = BUF_OF(first), cdol2 = BUF_OF(second);
    struct buf de55 = BUF_OF(out->de55), stream = BUF_OF(out->stream);
    const struct span sdad = span_of(signature, emv_pubkey_size(emv_privkey_public(card->key)));

    for (size_t i = 0; i < 2; i++)
        if (both[i].serial[0] == '\0')
            place_serial(both[i].serial, where->contract, where->terminal);
    TRY(cdol1_values(&cdol1, signed_));
    if (signed_->second)
        TRY(cdol2_values(&cdol2, signed_));
    TRY(sign(signature, card, signed_, buf_span(&cdol1), buf_span(&cdol2)));
    TRY(evidence(&stream, sdad, s, card, signed_, buf_span(&cdol1), buf_span(&cdol2), said->list));
    TRY(icc_data(&de55, said));
    out->de55_n = de55.n;
    out->stream_n = stream.n;
    return fields(out, said, where);
}
