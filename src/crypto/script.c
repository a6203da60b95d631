#include "crypto/script.h"

#include <string.h>

#include "apdu/tlv.h"

#define HEAD        5 /* CLA INS P1 P2 Lc */
#define AC_SIZE     8
#define SM_FORMAT_1 0x0C
#define SM_FORMAT_2 0x04
#define TAG_PLAIN   0x81
#define TAG_CIPHER  0x87
#define TAG_MAC     0x8E
#define PADDED      0x01 /* padding indicator in 87: ISO/IEC 7816-4, padding 80 00… */
#define MESSAGE_MAX (3 * EMV_BLOCK_MAX + EMV_SCRIPT_APDU_MAX)
#define CCD_MAC     4 /* what an issuer may rely on: Book 2, CCD part, 9.2.1.1 */

enum tp_err emv_script_keys_derive(struct emv_script_keys *out, enum emv_cvn cvn, struct span smi,
                                   struct span smc, const uint8_t atc[2], const uint8_t ac[8])
{
    enum tp_err r;

    *out = (struct emv_script_keys){{NULL, 0}, {NULL, 0}};
    r = emv_session_key_sm(&out->mac, cvn, smi, atc, ac);
    if (r == TP_OK)
        r = emv_session_key_sm(&out->cipher, cvn, smc, atc, ac);
    if (r != TP_OK)
        emv_script_keys_free(out);
    return r;
}

void emv_script_keys_free(struct emv_script_keys *k)
{
    secret_free(&k->mac);
    secret_free(&k->cipher);
}

struct emv_script emv_script_start(enum emv_cvn cvn, const uint8_t atc[2], const uint8_t ac[8])
{
    struct emv_script s = {.kind = emv_kind_of(cvn), .atc = {atc[0], atc[1]}};

    memcpy(s.chain, ac, AC_SIZE);
    return s;
}

/* ---- MAC ---- */

/* 80, then zeros up to whole blocks. */
static enum tp_err pad_to_block(struct buf *b, size_t block)
{
    const enum tp_err r = buf_u8(b, 0x80);

    return r == TP_OK ? buf_fill(b, 0, (block - b->n % block) % block) : r;
}

static enum tp_err put_format_2(struct buf *m, const struct emv_script *s, const uint8_t head[HEAD],
                                struct span data)
{
    enum tp_err r = buf_put(m, span_of(head, HEAD));

    if (r == TP_OK && !s->kind->bare)
        r = buf_put(m, SPAN_OF(s->atc));
    if (r == TP_OK && !s->kind->bare)
        r = buf_put(m, span_of(s->chain, AC_SIZE));
    return r == TP_OK ? buf_put(m, data) : r;
}

/* Whole blocks: header and object are padded each by themselves (9.2.3, D2.3.1). */
static enum tp_err put_format_1(struct buf *m, const struct emv_script *s, const uint8_t head[HEAD],
                                struct span object)
{
    const size_t block = emv_cipher_block(s->kind->cipher);
    enum tp_err r = buf_put(m, span_of(s->chain, block));

    if (r == TP_OK)
        r = buf_put(m, span_of(head, 4));
    if (r == TP_OK)
        r = pad_to_block(m, block);
    if (r != TP_OK || object.n == 0)
        return r;
    r = buf_put(m, object);
    return r == TP_OK ? pad_to_block(m, block) : r;
}

enum tp_err emv_script_mac(uint8_t full[EMV_BLOCK_MAX], const struct emv_script *s,
                           struct span session, const uint8_t head[HEAD], struct span data)
{
    uint8_t room[MESSAGE_MAX];
    struct buf m = BUF_OF(room);
    enum tp_err r =
        s->kind->format_1 ? put_format_1(&m, s, head, data) : put_format_2(&m, s, head, data);

    if (r != TP_OK)
        return r;
    if (s->kind->cipher == EMV_AES)
        return emv_cmac(full, session, buf_span(&m));
    return s->kind->format_1 ? emv_mac_padded(full, session, buf_span(&m))
                             : emv_mac(full, session, buf_span(&m));
}

/* ---- encipherment ---- */

static enum tp_err pad(struct buf *b, const struct emv_kind *k, struct span plain)
{
    const size_t block = emv_cipher_block(k->cipher);
    enum tp_err r = k->encipherment != EMV_ENCIPHER_VISA ? TP_OK
                    : plain.n > UINT8_MAX                ? TP_ERR_RANGE
                                                         : buf_u8(b, (uint8_t)plain.n);

    if (r == TP_OK)
        r = buf_put(b, plain);
    if (r == TP_OK && (k->encipherment == EMV_ENCIPHER_EMV || b->n % block != 0 || b->n == 0))
        r = pad_to_block(b, block);
    return r;
}

static enum emv_mode mode_of(const struct emv_kind *k)
{
    return k->encipherment == EMV_ENCIPHER_VISA ? EMV_ECB : EMV_CBC;
}

enum tp_err emv_script_encipher(struct buf *out, const struct emv_kind *k, struct span session,
                                struct span plain)
{
    uint8_t room[EMV_SCRIPT_DATA_MAX + 1 + EMV_BLOCK_MAX];
    struct buf padded = BUF_OF(room);
    enum tp_err r = plain.n > EMV_SCRIPT_DATA_MAX ? TP_ERR_RANGE : pad(&padded, k, plain);

    if (r == TP_OK && out->cap - out->n < padded.n)
        r = TP_ERR_RANGE;
    if (r == TP_OK)
        r = emv_encipher(out->p + out->n, k->cipher, mode_of(k), session, buf_span(&padded));
    if (r == TP_OK)
        out->n += padded.n;
    secret_wipe(room, sizeof(room));
    return r;
}

/* Where the data stand within what was deciphered. Mastercard's are all of it: whether they were
 * padded is not to be seen. */
static enum tp_err unpad(struct span *plain, const struct emv_kind *k, struct span all)
{
    size_t end = all.n;
    const size_t block = emv_cipher_block(k->cipher);

    while (end > 0 && all.p[end - 1] == 0)
        end--;
    const bool marked = end > 0 && all.p[end - 1] == 0x80 && all.n - end < block;

    switch (k->encipherment) {
    case EMV_ENCIPHER_MASTERCARD:
        *plain = all;
        return TP_OK;
    case EMV_ENCIPHER_EMV:
        *plain = span_of(all.p, marked ? end - 1 : 0);
        return marked ? TP_OK : TP_ERR_FORMAT;
    default:
        break;
    }
    if (all.n == 0 || (size_t)all.p[0] + 1 > all.n)
        return TP_ERR_FORMAT;
    *plain = span_of(all.p + 1, all.p[0]);
    if (plain->n + 1 == all.n)
        return TP_OK;
    return marked && end - 1 == plain->n + 1 ? TP_OK : TP_ERR_FORMAT;
}

enum tp_err emv_script_decipher(struct buf *out, const struct emv_kind *k, struct span session,
                                struct span enciphered)
{
    uint8_t room[EMV_SCRIPT_APDU_MAX + 1];
    struct span plain = {NULL, 0};
    enum tp_err r;

    if (enciphered.n == 0 || enciphered.n > sizeof(room) ||
        enciphered.n % emv_cipher_block(k->cipher) != 0)
        return TP_ERR_FORMAT;
    r = emv_decipher(room, k->cipher, mode_of(k), session, enciphered);
    if (r == TP_OK)
        r = unpad(&plain, k, span_of(room, enciphered.n));
    if (r == TP_OK)
        r = buf_put(out, plain);
    secret_wipe(room, sizeof(room));
    return r;
}

/* ---- the issuer's side ---- */

static enum tp_err put_data(struct buf *out, const struct emv_script *s,
                            const struct emv_script_keys *keys, struct span plain, bool encipher)
{
    uint8_t room[1 + EMV_SCRIPT_DATA_MAX + 1 + EMV_BLOCK_MAX] = {PADDED};
    struct buf b = {room, 1, sizeof(room)};
    enum tp_err r;

    if (!s->kind->format_1)
        return encipher ? emv_script_encipher(out, s->kind, secret_span(&keys->cipher), plain)
                        : buf_put(out, plain);
    if (!encipher)
        return plain.n > 0 ? tlv_put(out, TAG_PLAIN, plain) : TP_OK;
    r = emv_script_encipher(&b, s->kind, secret_span(&keys->cipher), plain);
    return r == TP_OK ? tlv_put(out, TAG_CIPHER, buf_span(&b)) : r;
}

enum tp_err emv_script_close(struct buf *out, struct emv_script *s,
                             const struct emv_script_keys *keys, const uint8_t head[4],
                             struct span plain, bool encipher)
{
    const bool ccd = s->kind->format_1;
    uint8_t room[EMV_SCRIPT_APDU_MAX], full[EMV_BLOCK_MAX] = {0};
    const struct span mac = span_of(full, s->mac_size != 0 ? s->mac_size
                                          : ccd            ? CCD_MAC
                                                           : EMV_SCRIPT_MAC);
    struct buf data = BUF_OF(room);
    enum tp_err r =
        plain.n > EMV_SCRIPT_DATA_MAX ? TP_ERR_RANGE : put_data(&data, s, keys, plain, encipher);
    const size_t lc = data.n + (ccd ? tlv_size(TAG_MAC, mac.n) : mac.n);
    const uint8_t sent[HEAD] = {head[0] | (ccd ? SM_FORMAT_1 : SM_FORMAT_2), head[1], head[2],
                                head[3], (uint8_t)lc};

    if (r == TP_OK && (lc > UINT8_MAX || out->cap - out->n < HEAD + lc))
        r = TP_ERR_RANGE;
    if (r == TP_OK)
        r = emv_script_mac(full, s, secret_span(&keys->mac), sent, buf_span(&data));
    if (r == TP_OK)
        r = buf_put(out, SPAN_OF(sent));
    if (r == TP_OK)
        r = buf_put(out, buf_span(&data));
    if (r == TP_OK)
        r = ccd ? tlv_put(out, TAG_MAC, mac) : buf_put(out, mac);
    if (r == TP_OK && ccd)
        memcpy(s->chain, full, emv_cipher_block(s->kind->cipher));
    return r;
}

/* ---- the card's side ---- */

struct parts {
    struct span maced; /* what the MAC covers of the data field */
    struct span mac, data;
    bool enciphered;
};

/* An optional 81 or 87, then 8E of 4 to 8 bytes, and nothing else. */
static enum emv_script_check take_objects(struct parts *p, struct span field)
{
    struct span rest = field;
    struct tlv t;

    if (tlv_next(&rest, &t) != TP_OK)
        return EMV_SCRIPT_MISSING;
    if (t.tag == TAG_PLAIN || t.tag == TAG_CIPHER) {
        p->enciphered = t.tag == TAG_CIPHER;
        p->data = t.value;
        if (p->enciphered && (t.value.n < 1 || t.value.p[0] != PADDED))
            return EMV_SCRIPT_WRONG;
        if (p->enciphered)
            p->data = span_of(t.value.p + 1, t.value.n - 1);
        if (tlv_next(&rest, &t) != TP_OK)
            return EMV_SCRIPT_MISSING;
    }
    if (t.tag != TAG_MAC)
        return EMV_SCRIPT_MISSING;
    p->mac = t.value;
    p->maced = span_of(field.p, (size_t)(t.raw.p - field.p));
    return rest.n == 0 && t.value.n >= EMV_SCRIPT_MAC_MIN && t.value.n <= EMV_SCRIPT_MAC
               ? EMV_SCRIPT_OK
               : EMV_SCRIPT_WRONG;
}

static enum emv_script_check take_parts(struct parts *p, const struct emv_script *s,
                                        struct span command, bool enciphered)
{
    const uint8_t sm = s->kind->format_1 ? SM_FORMAT_1 : SM_FORMAT_2;
    enum emv_script_check c;

    if (command.n < HEAD || (command.p[0] & 0x0F) != sm || command.p[4] != command.n - HEAD)
        return EMV_SCRIPT_MISSING;
    const struct span field = span_of(command.p + HEAD, command.n - HEAD);

    if (s->kind->format_1) {
        c = take_objects(p, field);
        return c == EMV_SCRIPT_OK && p->data.n > 0 && p->enciphered != enciphered ? EMV_SCRIPT_WRONG
                                                                                  : c;
    }
    if (field.n < EMV_SCRIPT_MAC)
        return EMV_SCRIPT_MISSING;
    p->maced = p->data = span_of(field.p, field.n - EMV_SCRIPT_MAC);
    p->mac = span_of(field.p + p->data.n, EMV_SCRIPT_MAC);
    p->enciphered = enciphered && p->data.n > 0;
    return EMV_SCRIPT_OK;
}

enum tp_err emv_script_open(enum emv_script_check *outcome, struct buf *out, struct emv_script *s,
                            const struct emv_script_keys *keys, struct span command,
                            bool enciphered)
{
    struct parts p = {{NULL, 0}, {NULL, 0}, {NULL, 0}, false};
    uint8_t full[EMV_BLOCK_MAX];
    enum tp_err r;

    *outcome = take_parts(&p, s, command, enciphered);
    if (*outcome != EMV_SCRIPT_OK)
        return TP_OK;
    *outcome = EMV_SCRIPT_WRONG;
    r = emv_script_mac(full, s, secret_span(&keys->mac), command.p, p.maced);
    if (r != TP_OK || !secret_eq(span_of(full, p.mac.n), p.mac))
        return r;
    r = p.enciphered ? emv_script_decipher(out, s->kind, secret_span(&keys->cipher), p.data)
                     : buf_put(out, p.data);
    if (r == TP_ERR_FORMAT)
        return TP_OK;
    if (r != TP_OK)
        return r;
    *outcome = EMV_SCRIPT_OK;
    if (s->kind->format_1)
        memcpy(s->chain, full, emv_cipher_block(s->kind->cipher));
    return TP_OK;
}
