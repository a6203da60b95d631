#include "paper.h"

#include <check.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apdu/dol.h"
#include "apdu/emvtags.h"
#include "base/hex.h"

#define AID_HEX "F0000000141010"
#define PAN     "9990140000000015"

static struct span unhex(uint8_t *room, size_t cap, const char *hex)
{
    struct buf b = {room, 0, cap};

    ck_assert_msg(hex_decode(&b, hex) == TP_OK, "bad hex in a test: %s", hex);
    return buf_span(&b);
}

static void key(struct emv_privkey **out, unsigned bits)
{
    ck_assert_int_eq(emv_privkey_generate(out, bits, 3), TP_OK);
}

/* The authority's public key goes the way every authority's goes: by a file. */
static void put_key(FILE *f, const char *before, uint8_t index, const struct emv_pubkey *public,
                    const char *expiry)
{
    static const uint8_t rid[5] = {0xF0, 0x00, 0x00, 0x00, 0x14};
    char modulus[2 * EMV_RSA_MAX + 1], hash[41];
    uint8_t sha1[20];

    ck_assert_int_eq(capk_sha1(sha1, rid, index, public), TP_OK);
    fprintf(f,
            "%s{\"rid\":\"F000000014\",\"index\":\"%02X\",\"modulus\":\"%s\",\"exponent\":\"03\","
            "\"sha1\":\"%s\",\"expiry\":\"%s\","
            "\"environment\":\"test\"}",
            before, index, hex_encode(modulus, emv_pubkey_modulus(public)),
            hex_encode(hash, SPAN_OF(sha1)), expiry);
}

/* Index 01 is the authority; index 03 the same key, gone since 2020. */
static void store(struct paper_keys *k)
{
    const struct emv_pubkey *public = emv_privkey_public(k->authority);
    char path[] = "/tmp/paper-XXXXXX";
    struct tp_error e;
    FILE *f;
    const int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    f = fdopen(fd, "w");
    ck_assert_ptr_nonnull(f);
    put_key(f, "{\"keys\":[", 1, public, "2040-12-31");
    put_key(f, ",", 3, public, "2020-12-31");
    fprintf(f, "]}");
    fclose(f);
    ck_assert_int_eq(capk_store_new(&k->store), TP_OK);
    ck_assert_msg(capk_store_load(k->store, path, &e) == TP_OK, "%s", e.text);
    unlink(path);
}

void paper_keys_make(struct paper_keys *k)
{
    key(&k->authority, 1408);
    key(&k->issuer, 1152);
    key(&k->card, 1024);
    key(&k->pin, 768);
    store(k);
}

void paper_keys_free(struct paper_keys *k)
{
    emv_privkey_free(&k->authority);
    emv_privkey_free(&k->issuer);
    emv_privkey_free(&k->card);
    emv_privkey_free(&k->pin);
    capk_store_free(&k->store);
}

/* ---- the card's objects ---- */

static void set(struct paper *p, const char *tag, const char *hex, bool is_signed)
{
    size_t i = 0;

    while (i < p->objects_n && strcmp(p->objects[i].tag, tag) != 0)
        i++;
    if (hex == NULL) {
        if (i < p->objects_n)
            memmove(&p->objects[i], &p->objects[i + 1],
                    (--p->objects_n - i) * sizeof(p->objects[0]));
        return;
    }
    if (i == p->objects_n) {
        ck_assert_uint_lt(i, PAPER_OBJECTS);
        p->objects_n++;
        p->objects[i].is_signed = is_signed;
    }
    snprintf(p->objects[i].tag, sizeof(p->objects[i].tag), "%s", tag);
    snprintf(p->objects[i].hex, sizeof(p->objects[i].hex), "%s", hex);
}

static const char *get(const struct paper *p, const char *tag)
{
    for (size_t i = 0; i < p->objects_n; i++)
        if (strcmp(p->objects[i].tag, tag) == 0)
            return p->objects[i].hex;
    return NULL;
}

void paper_card(struct paper *p, const struct paper_keys *k)
{
    static const char *const base[][2] = {
        {"5A", PAN},
        {"5F24", "301231"},
        {"5F25", "240101"},
        {"5F28", "0250"},
        {"5F34", "01"},
        {"8C", "9F02069F03069F1A0295055F2A029A039C019F37049F34039F3501"}, /* 33 bytes: TVR at 14,
                                                                             CVM results at 29 */
        {"8D", "8A029F02069F03069F1A0295055F2A029A039C019F37049F3403"},
        {"8E", "00000000000000001F00"},
        {"9F07", "FFC0"},
        {"9F08", "0001"},
        {"9F0D", "0000000000"},
        {"9F0E", "0000000000"},
        {"9F0F", "0000000000"},
        {"9F42", "0978"},
        {"9F4A", "82"},
    };

    memset(p, 0, sizeof(*p));
    p->keys = k;
    for (size_t i = 0; i < sizeof(base) / sizeof(base[0]); i++)
        set(p, base[i][0], base[i][1], true);
    set(p, "9F49", "9F3704", false);
    set(p, "5F20", "4455504F4E542F4D41524945", false);
    set(p, "8F", "01", false);
    strcpy(p->aip, "3900");
    p->ac_type[0] = p->ac_type[1] = -1;
    memcpy(p->challenge, "\x01\x23\x45\x67\x89\xAB\xCD\xEF", 8);
}

static void put_hex(char *out, const uint8_t *p, size_t n)
{
    hex_encode(out, span_of(p, n));
}

static void new_record(struct paper *p)
{
    ck_assert_uint_lt(p->records_n, 32);
    p->record_n[p->records_n++] = 0;
}

/* Into the last record, or a new one when it is full. Values only; the template goes around when it
 * is read. */
static void into_record(struct paper *p, const char *tag_hex, const char *hex)
{
    uint8_t raw[4], value[256];
    const struct span t = unhex(raw, sizeof(raw), tag_hex),
                      v = unhex(value, sizeof(value), strcmp(hex, "empty") == 0 ? "" : hex);
    uint32_t tag = 0;
    struct buf b;

    for (size_t i = 0; i < t.n; i++)
        tag = tag << 8 | t.p[i];
    if (p->record_n[p->records_n - 1] + tlv_size(tag, v.n) > 240)
        new_record(p);
    b = (struct buf){p->records[p->records_n - 1], p->record_n[p->records_n - 1], 256};
    ck_assert_int_eq(tlv_put(&b, tag, v), TP_OK);
    p->record_n[p->records_n - 1] = b.n;
}

static void certificates(struct paper *p)
{
    static const uint8_t serial[3] = {0, 0, 1}, dac[2] = {0xDA, 0xC0};
    uint8_t data[2048], ssad[EMV_RSA_MAX];
    struct buf b = BUF_OF(data);
    struct emv_cert_made issuer, card, pin;
    char hex[2 * EMV_RSA_MAX + 1];
    const char *list = get(p, "9F4A");

    for (size_t i = 0; i < p->signed_n; i++)
        ck_assert_int_eq(buf_put(&b, span_of(p->records[i], p->record_n[i])), TP_OK);
    if (list != NULL && strcmp(list, "82") == 0)
        ck_assert_int_eq(hex_decode(&b, p->aip), TP_OK);
    ck_assert_int_eq(emv_issuer_cert_make(&issuer, p->keys->authority,
                                          emv_privkey_public(p->keys->issuer), "999014", 20401231,
                                          serial),
                     TP_OK);
    ck_assert_int_eq(emv_icc_cert_make(&card, EMV_ICC_KEY, p->keys->issuer,
                                       emv_privkey_public(p->keys->card), buf_span(&b), PAN,
                                       20301231, serial),
                     TP_OK);
    ck_assert_int_eq(emv_icc_cert_make(&pin, EMV_ICC_PIN_KEY, p->keys->issuer,
                                       emv_privkey_public(p->keys->pin), (struct span){NULL, 0},
                                       PAN, 20301231, serial),
                     TP_OK);
    ck_assert_int_eq(emv_ssad_make(ssad, p->keys->issuer, dac, buf_span(&b)), TP_OK);

    /* what a test already set (or removed with "-90": kept as "") stays so */
    const struct {
        const char *tag;
        const uint8_t *p;
        size_t n;
    } made[] = {{"90", issuer.cert, issuer.cert_n},
                {"92", issuer.remainder, issuer.remainder_n},
                {"9F32", (const uint8_t *)"\x03", 1},
                {"93", ssad, emv_pubkey_size(emv_privkey_public(p->keys->issuer))},
                {"9F46", card.cert, card.cert_n},
                {"9F48", card.remainder, card.remainder_n},
                {"9F47", (const uint8_t *)"\x03", 1},
                {"9F2D", pin.cert, pin.cert_n},
                {"9F2F", pin.remainder, pin.remainder_n},
                {"9F2E", (const uint8_t *)"\x03", 1}};

    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        const bool pin_object = strncmp(made[i].tag, "9F2", 3) == 0;

        if (get(p, made[i].tag) != NULL || (made[i].n == 0) ||
            (pin_object && get(p, "PIN") == NULL))
            continue;
        put_hex(hex, made[i].p, made[i].n);
        set(p, made[i].tag, hex, false);
    }
}

/* Records 1 to signed_n of file 1 are authenticated, the others are file 2. */
static void personalise(struct paper *p)
{
    p->records_n = 0;
    new_record(p);
    for (size_t i = 0; i < p->objects_n; i++)
        if (p->objects[i].is_signed && p->objects[i].hex[0] != '\0')
            into_record(p, p->objects[i].tag, p->objects[i].hex);
    p->signed_n = p->records_n;
    certificates(p);
    new_record(p);
    for (size_t i = 0; i < p->objects_n; i++)
        if (!p->objects[i].is_signed && p->objects[i].hex[0] != '\0' && p->objects[i].tag[0] != 'P')
            into_record(p, p->objects[i].tag, p->objects[i].hex);
    if (p->tampered)
        p->records[0][3] ^= 0x01; /* a digit of the PAN's second byte stays a digit */
}

/* ---- the card's answers ---- */

static void answer_hex(struct buf *out, const char *hex)
{
    ck_assert_msg(hex_decode(out, hex) == TP_OK, "bad hex in an answer: %s", hex);
}

static void answer_tlv(struct buf *out, uint32_t tag, struct span value)
{
    ck_assert_int_eq(tlv_put(out, tag, value), TP_OK);
}

static void select_adf(struct paper *p, const char *aid, struct buf *out)
{
    uint8_t inner[256], a5[256], raw[64];
    struct buf proprietary = BUF_OF(a5), whole = BUF_OF(inner);

    if (strncmp(AID_HEX, aid, strlen(aid)) != 0 || aid[0] == '\0') {
        answer_hex(out, "6A82");
        return;
    }
    answer_tlv(&proprietary, TAG_APP_LABEL, span_str("TELEPAY TEST"));
    answer_tlv(&proprietary, TAG_PRIORITY, span_str("\x01"));
    if (p->pdol[0] != '\0')
        answer_tlv(&proprietary, TAG_PDOL, unhex(raw, sizeof(raw), p->pdol));
    answer_tlv(&whole, TAG_DF_NAME, unhex(raw, sizeof(raw), AID_HEX));
    answer_tlv(&whole, TAG_FCI_PROPRIETARY, buf_span(&proprietary));
    answer_tlv(out, TAG_FCI, buf_span(&whole));
    answer_hex(out, "9000");
}

static void card_select(struct paper *p, const struct capdu *c, struct buf *out)
{
    char aid[64];

    hex_encode(aid, c->data);
    if (c->data.n == 14) /* the PSE is scripted by the tests that want one */
        answer_hex(out, "6A82");
    else if (c->p2 == 0x02)
        answer_hex(out, "6A82");
    else
        select_adf(p, aid, out);
}

static void gpo(struct paper *p, const struct capdu *c, struct buf *out)
{
    char hex[80];
    struct span values = c->data;
    struct tlv t;

    ck_assert_int_eq(tlv_next(&values, &t), TP_OK);
    ck_assert_uint_eq(t.tag, 0x83);
    memcpy(p->pdol_values, t.value.p, t.value.n);
    p->pdol_values_n = t.value.n;
    snprintf(hex, sizeof(hex), "770E8202%s94080801%02zX%02zX1001%02zX009000", p->aip, p->signed_n,
             p->signed_n, p->records_n - p->signed_n);
    answer_hex(out, p->gpo[0] != '\0' ? p->gpo : hex);
}

static void read_record(const struct paper *p, const struct capdu *c, struct buf *out)
{
    const unsigned sfi = c->p2 >> 3;
    const size_t i = sfi == 1 ? c->p1 - 1U : p->signed_n + c->p1 - 1U;

    if (sfi < 1 || sfi > 2 || c->p1 == 0 || i >= (sfi == 1 ? p->signed_n : p->records_n)) {
        answer_hex(out, "6A83");
        return;
    }
    answer_tlv(out, TAG_RECORD, span_of(p->records[i], p->record_n[i]));
    answer_hex(out, "9000");
}

/* ICC dynamic data of Book 2, table 17 (DDA) and 19 (CDA), signed by the card's key. */
static void sign(const struct paper *p, struct span dynamic, struct span terminal,
                 enum paper_break broken, uint8_t *sdad)
{
    uint8_t other[256];

    memcpy(other, terminal.p, terminal.n);
    if (broken == PAPER_OTHER_UN)
        other[terminal.n - 1] ^= 1;
    ck_assert_int_eq(emv_sdad_make(sdad, p->keys->card, dynamic, span_of(other, terminal.n)),
                     TP_OK);
    if (broken == PAPER_FLIPPED)
        sdad[20] ^= 1;
}

static size_t sdad_size(const struct paper *p, enum paper_break broken)
{
    return emv_pubkey_size(emv_privkey_public(p->keys->card)) - (broken == PAPER_SHORT ? 1 : 0);
}

static void internal_authenticate(struct paper *p, const struct capdu *c, struct buf *out)
{
    static const uint8_t dynamic[] = {3, 0x11, 0x22, 0x33};
    uint8_t sdad[EMV_RSA_MAX];

    sign(p, SPAN_OF(dynamic), c->data, p->broken[0], sdad);
    answer_tlv(out, TAG_RESPONSE_1, span_of(sdad, sdad_size(p, p->broken[0])));
    answer_hex(out, "9000");
}

/* Transaction data hash code: Book 2, 6.6.1. */
static void data_hash(const struct paper *p, const struct capdu *c, unsigned which,
                      struct span response, uint8_t hash[20])
{
    uint8_t all[1024];
    struct buf b = BUF_OF(all);

    ck_assert_int_eq(buf_put(&b, span_of(p->pdol_values, p->pdol_values_n)), TP_OK);
    if (which == 1)
        ck_assert_int_eq(buf_put(&b, span_of(p->cdol1_values, p->cdol1_values_n)), TP_OK);
    ck_assert_int_eq(buf_put(&b, c->data), TP_OK);
    ck_assert_int_eq(buf_put(&b, response), TP_OK);
    ck_assert_int_eq(EVP_Q_digest(NULL, "SHA1", NULL, b.p, b.n, hash, NULL), 1);
}

static void answer_cda(struct paper *p, const struct capdu *c, unsigned which, uint8_t cid,
                       struct buf *out)
{
    static const uint8_t cryptogram[8] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};
    const enum paper_break broken = p->broken[which];
    uint8_t dynamic[64], sdad[EMV_RSA_MAX], inner[256], hashed[64], un[4];
    struct buf d = BUF_OF(dynamic), before = BUF_OF(hashed), whole = BUF_OF(inner);
    uint8_t hash[20];
    const size_t un_at = which == 0 ? 25 : 27; /* of 9F37 in the base CDOL1, CDOL2 */

    /* 9F27 9F36 before the signature, 9F10 behind it: a card may choose its order (Book 2, 6.6.1)
     */
    answer_tlv(&before, TAG_CID, span_of(&cid, 1));
    answer_tlv(&before, TAG_ATC, span_of("\x00\x2A", 2));
    answer_tlv(&before, TAG_IAD, span_of("\x06\x01\x12\x03\xA4\x00\x00", 7));
    answer_hex(&before, p->more);
    data_hash(p, c, which, buf_span(&before), hash);
    if (broken == PAPER_OTHER_DATA)
        hash[0] ^= 1;
    memcpy(un, c->data.p + un_at, 4);
    answer_hex(&d, "03112233");
    ck_assert_int_eq(buf_u8(&d, broken == PAPER_OTHER_CID ? (uint8_t)(cid ^ 0xC0) : cid), TP_OK);
    ck_assert_int_eq(buf_put(&d, SPAN_OF(cryptogram)), TP_OK);
    ck_assert_int_eq(buf_put(&d, SPAN_OF(hash)), TP_OK);
    sign(p, buf_span(&d), SPAN_OF(un), broken, sdad);

    answer_tlv(&whole, TAG_CID, span_of(&cid, 1));
    answer_tlv(&whole, TAG_ATC, span_of("\x00\x2A", 2));
    if (broken == PAPER_NO_SDAD)
        answer_tlv(&whole, TAG_AC, SPAN_OF(cryptogram));
    else
        answer_tlv(&whole, TAG_SDAD, span_of(sdad, sdad_size(p, broken)));
    answer_tlv(&whole, TAG_IAD, span_of("\x06\x01\x12\x03\xA4\x00\x00", 7));
    answer_hex(&whole, p->more);
    answer_tlv(out, TAG_RESPONSE_2, buf_span(&whole));
    answer_hex(out, "9000");
}

static void generate_ac(struct paper *p, const struct capdu *c, struct buf *out)
{
    const unsigned which = p->acs++ == 0 ? 0 : 1;
    const uint8_t cid = p->ac_type[which] >= 0 ? (uint8_t)p->ac_type[which] : c->p1 & 0xC0;
    char hex[64];

    if (which == 0) {
        memcpy(p->cdol1_values, c->data.p, c->data.n);
        p->cdol1_values_n = c->data.n;
    }
    if ((c->p1 & 0x10) != 0 && (cid & 0xC0) != 0) {
        answer_cda(p, c, which, cid, out);
        return;
    }
    snprintf(hex, sizeof(hex), "8012%02X002A112233445566778806011203A400009000", cid);
    answer_hex(out, hex);
}

static void get_challenge(const struct paper *p, struct buf *out)
{
    ck_assert_int_eq(buf_put(out, SPAN_OF(p->challenge)), TP_OK);
    answer_hex(out, "9000");
}

/* The PIN is 1234. Enciphered: opened with the PIN key, else the card's own (Book 2, 7.2). */
static void verify(struct paper *p, const struct capdu *c, struct buf *out)
{
    static const uint8_t block[8] = {0x24, 0x12, 0x34, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    struct emv_privkey *own = get(p, "PIN") != NULL ? p->keys->pin : p->keys->card;
    uint8_t plain[EMV_RSA_MAX];
    bool right = c->p2 == 0x80 && span_eq(c->data, SPAN_OF(block));

    if (c->p2 == 0x88 && emv_rsa_sign(own, c->data, plain) == TP_OK)
        right = plain[0] == 0x7F && memcmp(plain + 1, block, 8) == 0 &&
                memcmp(plain + 9, p->challenge, 8) == 0;
    answer_hex(out, right ? "9000" : "63C2");
}

static void own_answer(struct paper *p, const struct capdu *c, struct buf *out)
{
    switch (c->ins) {
    case INS_SELECT:
        card_select(p, c, out);
        break;
    case INS_GET_PROCESSING_OPTIONS:
        gpo(p, c, out);
        break;
    case INS_READ_RECORD:
        read_record(p, c, out);
        break;
    case INS_INTERNAL_AUTHENTICATE:
        internal_authenticate(p, c, out);
        break;
    case INS_GENERATE_AC:
        generate_ac(p, c, out);
        break;
    case INS_GET_CHALLENGE:
        get_challenge(p, out);
        break;
    case INS_VERIFY:
        verify(p, c, out);
        break;
    default: /* GET DATA: a card need not have any */
        answer_hex(out, "6A88");
    }
}

static enum tp_err power_on(void *ctx, struct buf *atr)
{
    struct paper *p = ctx;

    personalise(p);
    p->log_n = 0;
    p->acs = 0;
    return hex_decode(atr, "3B00");
}

static enum tp_err transmit(void *ctx, struct span command, struct buf *response)
{
    struct paper *p = ctx;
    struct capdu c;
    char *log;

    ck_assert_uint_lt(p->log_n, PAPER_LOG);
    log = hex_encode(p->log[p->log_n++], command);
    if (p->log_n == p->leave_at)
        return TP_ERR_CARD;
    ck_assert_int_eq(capdu_parse(&c, command), TP_OK);
    for (size_t i = 0; i < p->answers_n; i++) {
        struct paper_answer *a = &p->answers[i];

        if (a->used || strncmp(log, a->command, strlen(a->command)) != 0)
            continue;
        a->used = true;
        if (a->response[0] == '-')
            return TP_ERR_CARD;
        if (a->response[0] == '+')
            break;
        answer_hex(response, a->response);
        return TP_OK;
    }
    own_answer(p, &c, response);
    return TP_OK;
}

static void power_off(void *ctx)
{
    (void)ctx;
}

enum tp_err paper_open(struct reader **out, struct inproc_card *card, struct paper *p)
{
    struct tp_error e;
    enum tp_err r;

    *card = (struct inproc_card){p, power_on, transmit, power_off};
    r = p->t0 ? paper_open_t0(out, card) : inproc_open(out, card);
    return r == TP_OK ? reader_connect(*out, &e) : r;
}

/* ---- the terminal and its person ---- */

void paper_terminal(struct paper_terminal *t, const struct paper_keys *k)
{
    memset(t, 0, sizeof(*t));
    t->config = (struct terminal_config){
        .type = 0x35,
        .capabilities = {0x20, 0x98, 0xC8},
        .additional = {0x60, 0x00, 0xF0, 0xA0, 0x01},
        .country = 250,
        .terminal_id = "00000001",
        .merchant_id = "000000000000123",
        .merchant_name = "Librairie du Port",
        .ifd_serial = "TP000001",
        .mcc = 5942,
        .applications_n = 1,
        .authorities = k->store,
    };
    memcpy(t->ddol, "\x9F\x37\x04", 3);
    t->config.applications[0] =
        (struct terminal_application){.aid = {0xF0, 0x00, 0x00, 0x00, 0x14, 0x10, 0x10},
                                      .aid_n = 7,
                                      .version = {0x00, 0x01},
                                      .floor_limit = 5000};
    t->config.applications[0].default_ddol = SPAN_OF(t->ddol);
    t->request = (struct transaction_request){.amount = 1250,
                                              .currency = 978,
                                              .currency_exponent = 2,
                                              .type = 0x00,
                                              .date = 20260601,
                                              .time = 101530,
                                              .counter = 7,
                                              .un = {0xDE, 0xAD, 0xBE, 0xEF}};
    t->no_online = true;
}

static int person_choose(void *ctx, const struct candidate *list, size_t n)
{
    struct paper_terminal *t = ctx;

    (void)list;
    t->choices++;
    t->choice_n = n;
    return t->choice;
}

static enum tp_err person_pin(void *ctx, unsigned tries_left, bool wrong_before, struct secret *pin)
{
    struct paper_terminal *t = ctx;
    const size_t i = t->asked++;

    ck_assert_msg(i < t->pins_n, "the kernel asks for a PIN more often than the test foresees");
    t->tries_seen[i] = tries_left;
    t->wrong_seen[i] = wrong_before;
    if (strcmp(t->pins[i], "bypass") == 0)
        return TP_ERR_CANCELLED;
    if (strcmp(t->pins[i], "nopad") == 0)
        return TP_ERR_NOT_FOUND;
    if (strcmp(t->pins[i], "fault") == 0)
        return TP_ERR_IO;
    return secret_copy(pin, span_str(t->pins[i]));
}

static enum tp_err authorise(void *ctx, const struct transaction *tx,
                             struct kernel_issuer_answer *out)
{
    struct paper_terminal *t = ctx;

    ck_assert_uint_eq(transaction_get(tx, TAG_CID).p[0] & 0xC0,
                      0x80); /* an ARQC is there for the issuer */
    t->online_asked++;
    *out = t->issuer;
    return TP_OK;
}

static enum tp_err seen(struct paper_terminal *t, const char *pan, int psn)
{
    snprintf(t->pan_seen, sizeof(t->pan_seen), "%s", pan);
    t->psn_seen = psn;
    return t->forgetful ? TP_ERR_IO : TP_OK;
}

static enum tp_err memory_spent(void *ctx, const char *pan, int psn, uint16_t currency,
                                int64_t *amount)
{
    struct paper_terminal *t = ctx;

    ck_assert_uint_eq(currency, t->request.currency);
    ck_assert_int_eq(*amount, 0);
    *amount = t->spent;
    return seen(t, pan, psn);
}

static enum tp_err memory_exception(void *ctx, const char *pan, int psn, bool *hit)
{
    struct paper_terminal *t = ctx;

    ck_assert(!*hit);
    *hit = t->hot;
    return seen(t, pan, psn);
}

void paper_sides(struct paper_terminal *t, struct kernel_person *person,
                 struct kernel_online *online)
{
    *person = (struct kernel_person){
        .ctx = t, .choose = person_choose, .pin = person_pin, .tries_untold = t->tries_untold};
    *online = (struct kernel_online){t, authorise};
    t->memory = (struct kernel_memory){t, memory_spent, memory_exception};
    t->config.memory = &t->memory;
}

enum tp_err paper_run(struct transaction **tx, struct paper *p, struct paper_terminal *t,
                      struct tp_error *e)
{
    struct kernel_person person;
    struct kernel_online online;
    struct inproc_card card;
    struct reader *reader = NULL;
    enum tp_err r;

    paper_sides(t, &person, &online);
    *tx = NULL;
    ck_assert_int_eq(paper_open(&reader, &card, p), TP_OK);
    r = kernel_run(tx, reader, &t->config, &t->request, t->no_person ? NULL : &person,
                   t->no_online ? NULL : &online, e);
    reader_close(&reader);
    return r;
}

size_t paper_sent(const struct paper *p, const char *hex)
{
    size_t n = 0;

    for (size_t i = 0; i < p->log_n; i++)
        n += strncmp(p->log[i], hex, strlen(hex)) == 0 ? 1 : 0;
    return n;
}

const char *paper_nth(const struct paper *p, const char *hex, size_t n)
{
    for (size_t i = 0; i < p->log_n; i++)
        if (strncmp(p->log[i], hex, strlen(hex)) == 0 && n-- == 0)
            return p->log[i];
    return NULL;
}

void paper_prepare(struct paper *p, struct paper_terminal *t, const struct paper_keys *k,
                   const char *card, const char *answers, const char *terminal)
{
    paper_card(p, k);
    paper_terminal(t, k);
    paper_card_words(p, card);
    paper_answers(p, answers);
    paper_terminal_words(t, terminal);
}

void paper_check_hex(const struct transaction *tx, const char *clause, uint32_t tag,
                     const char *want)
{
    const struct span got = transaction_get(tx, tag);
    char text[512];

    ck_assert_uint_lt(got.n, 250);
    hex_encode(text, got);
    ck_assert_msg(strcmp(text, want) == 0, "%s: %X is %s, the Books say %s (%s)", clause,
                  (unsigned)tag, text, want, transaction_reason(tx));
}
