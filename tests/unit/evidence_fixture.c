#include "evidence_fixture.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apdu/dol.h"
#include "apdu/emvtags.h"
#include "base/bcd.h"
#include "base/date.h"
#include "base/file.h"
#include "base/hex.h"

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

void fixture_keys_make(struct fixture_keys *k)
{
    MUST(emv_privkey_generate(&k->ca, 1984, 3) == TP_OK);
    MUST(emv_privkey_generate(&k->issuer, 1408, 3) == TP_OK);
    MUST(emv_privkey_generate(&k->icc, 1152, 3) == TP_OK);
}

void fixture_keys_free(struct fixture_keys *k)
{
    emv_privkey_free(&k->ca);
    emv_privkey_free(&k->issuer);
    emv_privkey_free(&k->icc);
}

struct capk_store *fixture_authorities(const struct fixture_keys *k, const char *expiry,
                                       const char *revoked)
{
    const struct emv_pubkey *key = emv_privkey_public(k->ca);
    char path[] = "/tmp/evidence_fixture.XXXXXX", modulus[2 * EMV_RSA_MAX + 1], sha1[41],
         text[2048], quoted[32];
    uint8_t hash[20];
    const uint8_t rid[5] = {0xF0, 0, 0, 0, 0x14};
    struct capk_store *s = NULL;
    const int fd = mkstemp(path);

    MUST(fd >= 0);
    close(fd);
    MUST(capk_sha1(hash, rid, 0x01, key) == TP_OK);
    snprintf(quoted, sizeof(quoted), "\"%s\"", expiry != NULL ? expiry : "");
    snprintf(text, sizeof(text),
             "{\"keys\":[{\"rid\":\"" FIXTURE_RID
             "\",\"index\":\"01\",\"modulus\":\"%s\",\"exponent\":\"03\",\"sha1\":\"%s\","
             "\"expiry\":%s}],"
             "\"revoked\":[%s]}",
             hex_encode(modulus, emv_pubkey_modulus(key)), hex_encode(sha1, SPAN_OF(hash)),
             expiry != NULL ? quoted : "null", revoked);
    MUST(file_replace(path, span_str(text), 0600, NULL) == TP_OK);
    MUST(capk_store_new(&s) == TP_OK);
    MUST(capk_store_load(s, path, NULL) == TP_OK);
    unlink(path);
    return s;
}

/* Everything of DE 55 that the terminal knows, so that a card that asks for all of it covers all of
 * it. */
#define CDOL1 "9F02069F03069F1A0295055F2A029A039C019F37049F35019F34039F33039F1E089F09029F41049F0607"
#define CDOL2 "8A029F02069F03069F1A0295055F2A029A039C019F37049F3403"

void fixture_plan_start(struct fixture_plan *p)
{
    *p = (struct fixture_plan){.pan = FIXTURE_PAN,
                               .cert_pan = FIXTURE_PAN,
                               .iin = "999014",
                               .issuer_expiry = FIXTURE_EXPIRY,
                               .icc_expiry = FIXTURE_EXPIRY,
                               .card_expiry = FIXTURE_EXPIRY,
                               .cdol1 = CDOL1,
                               .cdol2 = CDOL2,
                               .data_change = "",
                               .more_records = "",
                               .sda_tag_list = "82",
                               .cid = 0x40,
                               .signed_cid = 0x40};
}

/* What the terminal knows, in the order of DE 55 in doc/protocol.md; the card's objects are added
 * as they come. */
static const struct {
    uint32_t tag;
    const char *value;
} terminal_data[] = {{TAG_UN, "12345779"},
                     {TAG_TVR, "0000008000"},
                     {TAG_TX_DATE, "261123"},
                     {TAG_TX_TYPE, "00"},
                     {TAG_AMOUNT, "000000001250"},
                     {TAG_AMOUNT_OTHER, "000000000000"},
                     {TAG_TX_CURRENCY, "0978"},
                     {TAG_TERMINAL_COUNTRY, "0250"},
                     {TAG_TERMINAL_CAPABILITIES, "2098C8"},
                     {TAG_CVM_RESULTS, "410302"},
                     {TAG_TERMINAL_TYPE, "35"},
                     {TAG_IFD_SERIAL, "3030303030303031"},
                     {TAG_DF_NAME, "F0000000141010"},
                     {TAG_TERMINAL_VERSION, "0001"},
                     {TAG_TX_COUNTER, "00000042"}};

#define AIP "1981"

struct values {
    uint8_t room[16];
    struct buf b;
};

/* A dol_lookup: 8A and 9F06 are not in DE 55. */
static struct span look_up(void *ctx, uint32_t tag)
{
    struct values *v = ctx;
    const char *text = tag == TAG_ARC ? "5933" : "";

    for (size_t i = 0; i < sizeof(terminal_data) / sizeof(terminal_data[0]); i++)
        if (terminal_data[i].tag == (tag == TAG_TERMINAL_AID ? TAG_DF_NAME : tag))
            text = terminal_data[i].value;
    v->b = (struct buf)BUF_OF(v->room);
    MUST(hex_decode(&v->b, text) == TP_OK);
    return buf_span(&v->b);
}

static void put_hex(struct buf *out, uint32_t tag, const char *text)
{
    uint8_t raw[256];
    struct buf b = BUF_OF(raw);

    MUST(hex_decode(&b, text) == TP_OK);
    MUST(tlv_put(out, tag, buf_span(&b)) == TP_OK);
}

static void put_cn(struct buf *out, uint32_t tag, const char *digits)
{
    uint8_t raw[10];
    struct buf b = BUF_OF(raw);

    MUST(bcd_put_cn(&b, digits, (strlen(digits) + 1) / 2) == TP_OK);
    MUST(tlv_put(out, tag, buf_span(&b)) == TP_OK);
}

static void make_static(struct buf *out, const struct fixture_plan *p)
{
    uint8_t date[3];

    date_to_yymmdd(date, p->card_expiry);
    put_cn(out, TAG_PAN, p->pan);
    MUST(tlv_put(out, TAG_EXPIRY, SPAN_OF(date)) == TP_OK);
    put_hex(out, TAG_PAN_SEQUENCE, "01");
    if (!p->unsigned_lists)
        put_hex(out, TAG_CDOL1, p->cdol1);
    if (!p->unsigned_lists && p->cdol2[0] != '\0')
        put_hex(out, TAG_CDOL2, p->cdol2);
    put_hex(out, TAG_CVM_LIST, "000000000000000041031F03");
    MUST(hex_decode(out, p->more_records) == TP_OK);
    if (p->sda_tag_list[0] != '\0') {
        put_hex(out, TAG_SDA_TAG_LIST, p->sda_tag_list);
        MUST(hex_decode(out, AIP) == TP_OK);
    }
}

static void build_values(struct buf *out, const char *dol)
{
    uint8_t raw[256];
    struct buf b = BUF_OF(raw);
    struct values v;

    MUST(hex_decode(&b, dol) == TP_OK);
    MUST(dol_build(out, buf_span(&b), look_up, &v) == TP_OK);
}

static const char ac_hex[] = "C1C2C3C4C5C6C7C8", iad_hex[] = "06011203A40000";

/* The SDAD by the book, not by evidence.c: Book 2, 6.6.1. hashed is PDOL, CDOL values and response
 * objects, one after the other. */
static void make_sdad(uint8_t *out, const struct fixture_keys *k, const struct fixture_plan *p,
                      struct span hashed)
{
    uint8_t dynamic[64], hash[20], un[4];
    struct buf d = BUF_OF(dynamic), u = BUF_OF(un);

    MUST(EVP_Q_digest(NULL, "SHA1", NULL, hashed.p, hashed.n, hash, NULL) == 1);
    hash[0] ^= p->wrong_data_hash ? 1 : 0;
    MUST(hex_decode(&d, "08A1A2A3A4A5A6A7A8") == TP_OK);
    MUST(buf_u8(&d, p->signed_cid) == TP_OK);
    MUST(hex_decode(&d, ac_hex) == TP_OK);
    MUST(buf_put(&d, SPAN_OF(hash)) == TP_OK);
    MUST(hex_decode(&u, terminal_data[0].value) == TP_OK);
    un[3] ^= p->wrong_un ? 1 : 0;
    MUST(emv_sdad_make(out, k->icc, buf_span(&d), SPAN_OF(un)) == TP_OK);
}

/* The response as a card gives it; sdad empty at first. */
static void make_response(struct buf *out, const struct fixture_plan *p, struct span sdad,
                          bool template)
{
    uint8_t raw[300];
    struct buf b = BUF_OF(raw);

    MUST(tlv_put(&b, TAG_CID, span_of(&p->cid, 1)) == TP_OK);
    put_hex(&b, TAG_ATC, "0007");
    if (p->method != FIXTURE_CDA)
        put_hex(&b, TAG_AC, ac_hex);
    else if (sdad.n > 0)
        MUST(tlv_put(&b, TAG_SDAD, sdad) == TP_OK);
    put_hex(&b, TAG_IAD, iad_hex);
    MUST(template ? tlv_put(out, TAG_RESPONSE_2, buf_span(&b)) == TP_OK
                  : buf_put(out, buf_span(&b)) == TP_OK);
}

/* "9F02=000000000001" in the list of changes, else the value itself. */
static const char *changed(const struct fixture_plan *p, uint32_t tag, const char *value,
                           char room[64])
{
    char name[12];
    const char *at;

    snprintf(name, sizeof(name), "%X=", (unsigned)tag);
    at = strstr(p->data_change, name);
    if (at == NULL)
        return value;
    snprintf(room, 64, "%.*s", (int)strcspn(at + strlen(name), " "), at + strlen(name));
    return room;
}

static void make_de55(struct buf *out, const struct fixture_plan *p)
{
    char room[64], cid[3];

    hex_encode(cid, span_of(&p->cid, 1));
    put_hex(out, TAG_AC, changed(p, TAG_AC, ac_hex, room));
    put_hex(out, TAG_CID, changed(p, TAG_CID, cid, room));
    put_hex(out, TAG_IAD, changed(p, TAG_IAD, iad_hex, room));
    put_hex(out, TAG_ATC, changed(p, TAG_ATC, "0007", room));
    put_hex(out, TAG_AIP, changed(p, TAG_AIP, AIP, room));
    for (size_t i = 0; i < sizeof(terminal_data) / sizeof(terminal_data[0]); i++)
        put_hex(out, terminal_data[i].tag,
                changed(p, terminal_data[i].tag, terminal_data[i].value, room));
    put_hex(out, TAG_PAN_SEQUENCE, changed(p, TAG_PAN_SEQUENCE, "01", room));
}

static void put_cert(struct buf *out, const struct emv_cert_made *m, struct emv_pubkey *key,
                     uint32_t cert, uint32_t remainder, uint32_t exponent)
{
    MUST(tlv_put(out, cert, span_of(m->cert, m->cert_n)) == TP_OK);
    if (m->remainder_n > 0)
        MUST(tlv_put(out, remainder, span_of(m->remainder, m->remainder_n)) == TP_OK);
    MUST(tlv_put(out, exponent, emv_pubkey_exponent(key)) == TP_OK);
}

/* INTERNAL AUTHENTICATE over the unpredictable number (Book 2, 6.5.1); SSAD (5.1), with the data
 * authentication code DAC0. */
static void put_other_methods(struct buf *stream, const struct fixture_keys *k,
                              const struct fixture_plan *p, struct span fixed)
{
    const uint8_t number[] = {8, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8},
                  dac[] = {0xDA, 0xC0};
    uint8_t signature[EMV_RSA_MAX], un[4];
    struct buf u = BUF_OF(un);

    MUST(hex_decode(&u, terminal_data[0].value) == TP_OK);
    if (p->method == FIXTURE_DDA) {
        MUST(tlv_put(stream, TAG_EV_DDOL_VALUES, SPAN_OF(un)) == TP_OK);
        un[0] ^= p->spoilt ? 1 : 0;
        MUST(emv_sdad_make(signature, k->icc, SPAN_OF(number), SPAN_OF(un)) == TP_OK);
        MUST(tlv_put(stream, TAG_EV_DDA_SDAD,
                     span_of(signature, emv_pubkey_size(emv_privkey_public(k->icc)))) == TP_OK);
    }
    if (p->method == FIXTURE_SDA) {
        if (p->spoilt)
            fixed.n--;
        MUST(emv_ssad_make(signature, k->issuer, dac, fixed) == TP_OK);
        MUST(tlv_put(stream, TAG_SSAD,
                     span_of(signature, emv_pubkey_size(emv_privkey_public(k->issuer)))) == TP_OK);
    }
}

void fixture_pay(struct fixture_payment *out, const struct fixture_keys *k,
                 const struct fixture_plan *p)
{
    static const uint8_t index[] = {0x01}, serial[] = {1, 2, 3}, pdol_values[] = {0xAB, 0xCD};
    struct buf de55 = BUF_OF(out->de55), stream = BUF_OF(out->stream);
    uint8_t fixed_room[512], first_room[256], second_room[256], hashed_room[1024],
        sdad_room[EMV_RSA_MAX], response_room[512];
    struct buf fixed = BUF_OF(fixed_room), first = BUF_OF(first_room), second = BUF_OF(second_room),
               hashed = BUF_OF(hashed_room);
    struct buf response = BUF_OF(response_room);
    struct emv_pubkey *issuer = emv_privkey_public(k->issuer), *icc = emv_privkey_public(k->icc);
    struct emv_cert_made of_issuer, of_icc;
    const struct span sdad = {sdad_room, p->no_sdad ? 0 : emv_pubkey_size(icc)};

    make_static(&fixed, p);
    build_values(&first, p->cdol1);
    if (p->second)
        build_values(&second, p->cdol2);
    MUST(buf_put(&hashed, SPAN_OF(pdol_values)) == TP_OK &&
         buf_put(&hashed, buf_span(&first)) == TP_OK);
    MUST(buf_put(&hashed, buf_span(&second)) == TP_OK);
    make_response(&hashed, p, span_of(NULL, 0), false);
    make_sdad(sdad_room, k, p, buf_span(&hashed));
    make_response(&response, p, sdad, true);
    make_de55(&de55, p);
    MUST(emv_issuer_cert_make(&of_issuer, k->ca, issuer, p->iin, p->issuer_expiry, serial) ==
         TP_OK);
    MUST(emv_icc_cert_make(&of_icc, EMV_ICC_KEY, k->issuer, icc, buf_span(&fixed), p->cert_pan,
                           p->icc_expiry, serial) == TP_OK);
    if (p->method != FIXTURE_NO_ODA) {
        MUST(tlv_put(&stream, TAG_CA_INDEX, SPAN_OF(index)) == TP_OK);
        put_cert(&stream, &of_issuer, issuer, TAG_ISSUER_CERT, TAG_ISSUER_REMAINDER,
                 TAG_ISSUER_EXPONENT);
        if (p->method != FIXTURE_SDA)
            put_cert(&stream, &of_icc, icc, TAG_ICC_CERT, TAG_ICC_REMAINDER, TAG_ICC_EXPONENT);
        MUST(tlv_put(&stream, TAG_EV_STATIC, buf_span(&fixed)) == TP_OK);
        put_other_methods(&stream, k, p, buf_span(&fixed));
    }
    if (p->unsigned_lists || p->method == FIXTURE_NO_ODA)
        put_hex(&stream, TAG_EV_CDOL1, p->sent_list != NULL ? p->sent_list : p->cdol1);
    if (p->second && (p->unsigned_lists || p->method == FIXTURE_NO_ODA))
        put_hex(&stream, TAG_EV_CDOL2, p->cdol2);
    MUST(tlv_put(&stream, TAG_EV_PDOL_VALUES, SPAN_OF(pdol_values)) == TP_OK);
    MUST(tlv_put(&stream, TAG_EV_CDOL1_VALUES, buf_span(&first)) == TP_OK);
    if (p->second)
        MUST(tlv_put(&stream, TAG_EV_CDOL2_VALUES, buf_span(&second)) == TP_OK);
    MUST(tlv_put(&stream, TAG_EV_RESPONSE, buf_span(&response)) == TP_OK);
    out->de55_n = de55.n;
    out->stream_n = stream.n;
}
