#include "crypto/cryptogram.h"

#include <openssl/evp.h>
#include <string.h>

#define DES_BLOCK    8
#define PAN_MAX      19
#define OPTION_A_MAX 16 /* digits of a PAN to which option B is option A: Book 2, A1.4.2 */
#define SHA1_SIZE    20

static const struct {
    const char *name;
    enum emv_cipher cipher;
    bool long_pan_hashed; /* option B: Book 2, A1.4.2 */
    bool visa_session;    /* script keys by XOR */
} kinds[EMV_CVN_COUNT] = {
    [EMV_CVN_10] = {"10", EMV_TDES, false, true},
    [EMV_CVN_18] = {"18", EMV_TDES, false, true},
    [EMV_CCD_3DES] = {"ccd-3des", EMV_TDES, true, false},
    [EMV_CCD_AES] = {"ccd-aes", EMV_AES, false, false},
};

const char *emv_cvn_name(enum emv_cvn cvn)
{
    return (unsigned)cvn < EMV_CVN_COUNT ? kinds[cvn].name : "?";
}

enum tp_err emv_cvn_parse(enum emv_cvn *out, const char *name)
{
    for (unsigned i = 0; i < EMV_CVN_COUNT; i++) {
        if (strcmp(name, kinds[i].name) == 0) {
            *out = (enum emv_cvn)i;
            return TP_OK;
        }
    }
    return TP_ERR_NOT_FOUND;
}

enum emv_cipher emv_cvn_cipher(enum emv_cvn cvn)
{
    return kinds[cvn].cipher;
}

size_t emv_cvn_block(enum emv_cvn cvn)
{
    return emv_cipher_block(kinds[cvn].cipher);
}

/* ---- master keys ---- */

/* The last digits of the text into n bytes of BCD, zeros at the left. */
static void pack_right(uint8_t *out, size_t n, const char *digits)
{
    const size_t count = strlen(digits);

    memset(out, 0, n);
    for (size_t i = 0; i < count && i < 2 * n; i++)
        out[n - 1 - i / 2] |= (uint8_t)((digits[count - 1 - i] - '0') << (i % 2 == 0 ? 0 : 4));
}

/* Sixteen decimal digits of a hash: its own first, then its letters as 0 to 5. */
static void decimalise(uint8_t out[DES_BLOCK], const uint8_t hash[SHA1_SIZE])
{
    char digits[2 * DES_BLOCK + 1];
    size_t n = 0;

    for (unsigned letters = 0; letters < 2; letters++) {
        for (size_t i = 0; i < (size_t)2 * SHA1_SIZE && n < 2 * DES_BLOCK; i++) {
            const unsigned nibble = i % 2 == 0 ? hash[i / 2] >> 4 : hash[i / 2] & 0x0F;

            if ((nibble > 9) == (letters == 1))
                digits[n++] = (char)('0' + nibble - (letters == 1 ? 10 : 0));
        }
    }
    digits[n] = '\0';
    pack_right(out, DES_BLOCK, digits);
}

enum tp_err emv_diversifier(uint8_t out[EMV_BLOCK_MAX], enum emv_cvn cvn, const char *pan,
                            uint8_t psn)
{
    const size_t digits = strlen(pan);
    char all[PAN_MAX + 2 + 1];
    uint8_t packed[(PAN_MAX + 3) / 2], hash[SHA1_SIZE];
    const size_t packed_n = (digits + 3) / 2;

    if (digits > PAN_MAX || strspn(pan, "0123456789") != digits || psn >> 4 > 9 || (psn & 0x0F) > 9)
        return digits > PAN_MAX ? TP_ERR_RANGE : TP_ERR_FORMAT;
    memcpy(all, pan, digits);
    all[digits] = (char)('0' + (psn >> 4));
    all[digits + 1] = (char)('0' + (psn & 0x0F));
    all[digits + 2] = '\0';
    if (!kinds[cvn].long_pan_hashed || digits <= OPTION_A_MAX) {
        pack_right(out, emv_cvn_block(cvn), all);
        return TP_OK;
    }
    pack_right(packed, packed_n, all);
    if (EVP_Q_digest(NULL, "SHA1", NULL, packed, packed_n, hash, NULL) != 1)
        return TP_ERR_INTERNAL;
    decimalise(out, hash);
    return TP_OK;
}

/* Each byte gets an odd number of ones; the last bit is the parity. */
static void set_odd_parity(struct secret *key)
{
    for (size_t i = 0; i < key->n; i++)
        if (__builtin_parity(key->p[i]) == 0)
            key->p[i] ^= 1;
}

/* A key of one enciphered block (AES) or two (triple DES). */
static enum tp_err derive(struct secret *out, enum emv_cipher c, struct span key,
                          const uint8_t *left, const uint8_t *right)
{
    enum tp_err r = TP_ERR_RANGE;

    *out = (struct secret){NULL, 0};
    if (key.n != EMV_KEY_SIZE)
        return r;
    r = secret_alloc(out, EMV_KEY_SIZE);
    if (r == TP_OK)
        r = emv_block_encipher(out->p, c, key, left);
    if (r == TP_OK && c == EMV_TDES)
        r = emv_block_encipher(out->p + DES_BLOCK, c, key, right);
    if (r != TP_OK)
        secret_free(out);
    else if (c == EMV_TDES)
        set_odd_parity(out);
    return r;
}

enum tp_err emv_master_key_derive(struct secret *icc_key, enum emv_cvn cvn, struct span issuer_key,
                                  const char *pan, uint8_t psn)
{
    uint8_t left[EMV_BLOCK_MAX], right[DES_BLOCK];
    const enum tp_err r = emv_diversifier(left, cvn, pan, psn);

    *icc_key = (struct secret){NULL, 0};
    if (r != TP_OK)
        return r;
    for (size_t i = 0; i < DES_BLOCK; i++)
        right[i] = left[i] ^ 0xFF;
    return derive(icc_key, kinds[cvn].cipher, issuer_key, left, right);
}

/* ---- session keys ---- */

enum tp_err emv_session_key_common(struct secret *session, enum emv_cipher cipher,
                                   struct span icc_key, const uint8_t r[8])
{
    uint8_t left[EMV_BLOCK_MAX] = {0}, right[DES_BLOCK];

    memcpy(left, r, 8);
    memcpy(right, r, 8);
    if (cipher == EMV_TDES) {
        left[2] = 0xF0;
        right[2] = 0x0F;
    }
    return derive(session, cipher, icc_key, left, right);
}

enum tp_err emv_session_key_ac(struct secret *session, enum emv_cvn cvn, struct span icc_key,
                               const uint8_t atc[2])
{
    const uint8_t r[8] = {atc[0], atc[1]};

    *session = (struct secret){NULL, 0};
    if (icc_key.n != EMV_KEY_SIZE)
        return TP_ERR_RANGE;
    return cvn == EMV_CVN_10 ? secret_copy(session, icc_key)
                             : emv_session_key_common(session, kinds[cvn].cipher, icc_key, r);
}

enum tp_err emv_session_key_sm(struct secret *session, enum emv_cvn cvn, struct span icc_key,
                               const uint8_t atc[2], const uint8_t ac[8])
{
    enum tp_err r;

    *session = (struct secret){NULL, 0};
    if (!kinds[cvn].visa_session)
        return emv_session_key_common(session, kinds[cvn].cipher, icc_key, ac);
    if (icc_key.n != EMV_KEY_SIZE)
        return TP_ERR_RANGE;
    r = secret_copy(session, icc_key);
    if (r != TP_OK)
        return r;
    for (size_t i = 0; i < 2; i++) {
        session->p[DES_BLOCK - 2 + i] ^= atc[i];
        session->p[2 * DES_BLOCK - 2 + i] ^= (uint8_t)~atc[i];
    }
    set_odd_parity(session);
    return TP_OK;
}

/* ---- cryptograms ---- */

/* Padding method 1: zeros, only where needed. */
static enum tp_err mac_zero_padded(uint8_t mac[8], struct span key, struct span data)
{
    uint8_t room[256];
    struct buf b = BUF_OF(room);
    enum tp_err r = buf_put(&b, data);

    if (r == TP_OK)
        r = buf_fill(&b, 0, data.n == 0 ? DES_BLOCK : (DES_BLOCK - data.n % DES_BLOCK) % DES_BLOCK);
    return r == TP_OK ? emv_mac_padded(mac, key, buf_span(&b)) : r;
}

enum tp_err emv_ac_make(uint8_t ac[8], enum emv_cvn cvn, struct span session, struct span data)
{
    return cvn == EMV_CVN_10 ? mac_zero_padded(ac, session, data)
                             : emv_cipher_mac(ac, kinds[cvn].cipher, session, data);
}

enum tp_err emv_arpc_1(uint8_t arpc[8], enum emv_cvn cvn, struct span session, const uint8_t ac[8],
                       const uint8_t arc[2])
{
    uint8_t block[EMV_BLOCK_MAX] = {0};
    enum tp_err r;

    memcpy(block, ac, 8);
    block[0] ^= arc[0];
    block[1] ^= arc[1];
    r = emv_block_encipher(block, kinds[cvn].cipher, session, block);
    if (r == TP_OK)
        memcpy(arpc, block, 8);
    return r;
}

enum tp_err emv_arpc_2(uint8_t arpc[4], enum emv_cvn cvn, struct span session, const uint8_t ac[8],
                       const uint8_t csu[4], struct span proprietary)
{
    uint8_t room[8 + 4 + 8], mac[8];
    struct buf b = BUF_OF(room);
    enum tp_err r = buf_put(&b, span_of(ac, 8));

    if (r == TP_OK)
        r = buf_put(&b, span_of(csu, 4));
    if (r == TP_OK)
        r = buf_put(&b, proprietary);
    if (r == TP_OK)
        r = emv_cipher_mac(mac, kinds[cvn].cipher, session, buf_span(&b));
    if (r == TP_OK)
        memcpy(arpc, mac, 4);
    return r;
}
