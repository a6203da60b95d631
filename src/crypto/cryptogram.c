#include "crypto/cryptogram.h"

#include <openssl/evp.h>
#include <string.h>

#define DES_BLOCK    8
#define PAN_MAX      19
#define OPTION_A_MAX 16 /* digits of a PAN to which option B is option A: Book 2, A1.4.2 */
#define SHA1_SIZE    20

/* Where the ways of a row come from:
 *  10, 18, 22: Visa's (VIS, Appendix D). 22 is the number as Visa writes it, 22 in hexadecimal too.
 *  16, 17, 20, 21: Mastercard's M/Chip (10, 11, 14, 15 in hexadecimal); 17 and 21 cover the
 * counters. 133: Interac's (85). pboc: UnionPay's PBOC (01). */
#define TREE .branch = 4, .height = 8 /* EMV 4.0 Book 2, A1.3 leaves them to the issuer */
static const struct emv_kind kinds[] = {
    [EMV_CVN_10] = {.name = "10",
                    .ac = EMV_SK_MASTER,
                    .script = EMV_SK_XOR,
                    .zero_padded = true,
                    .visa_pin = true,
                    .encipherment = EMV_ENCIPHER_VISA,
                    TREE},
    [EMV_CVN_18] = {.name = "18",
                    .ac = EMV_SK_ATC,
                    .script = EMV_SK_XOR,
                    .visa_pin = true,
                    .encipherment = EMV_ENCIPHER_VISA,
                    TREE},
    [EMV_CCD_3DES] = {.name = "ccd-3des",
                      .option = EMV_OPTION_B,
                      .ac = EMV_SK_ATC,
                      .script = EMV_SK_AC,
                      .format_1 = true,
                      TREE},
    [EMV_CCD_AES] = {.name = "ccd-aes",
                     .cipher = EMV_AES,
                     .option = EMV_OPTION_C,
                     .ac = EMV_SK_ATC,
                     .script = EMV_SK_AC,
                     .format_1 = true},
    {.name = "16",
     .ac = EMV_SK_ATC_UN,
     .script = EMV_SK_AC,
     .arpc_by_master = true,
     .encipherment = EMV_ENCIPHER_MASTERCARD,
     TREE},
    {.name = "17",
     .ac = EMV_SK_ATC_UN,
     .script = EMV_SK_AC,
     .arpc_by_master = true,
     .encipherment = EMV_ENCIPHER_MASTERCARD,
     TREE},
    {.name = "20",
     .ac = EMV_SK_ATC,
     .script = EMV_SK_AC,
     .encipherment = EMV_ENCIPHER_MASTERCARD,
     TREE},
    {.name = "21",
     .ac = EMV_SK_ATC,
     .script = EMV_SK_AC,
     .encipherment = EMV_ENCIPHER_MASTERCARD,
     TREE},
    {.name = "22", .ac = EMV_SK_ATC, TREE},
    {.name = "133",
     .ac = EMV_SK_ATC_UN,
     .script = EMV_SK_AC,
     .bare = true,
     .encipherment = EMV_ENCIPHER_MASTERCARD,
     TREE},
    {.name = "pboc", .ac = EMV_SK_COMPLEMENT, TREE},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const struct emv_kind *emv_kind_of(enum emv_cvn cvn)
{
    return &kinds[cvn];
}

const struct emv_kind *emv_kind_at(size_t i)
{
    return i < KINDS ? &kinds[i] : NULL;
}

const struct emv_kind *emv_kind_find(const char *name)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(name, kinds[i].name) == 0)
            return &kinds[i];
    return NULL;
}

const char *emv_cvn_name(enum emv_cvn cvn)
{
    return (unsigned)cvn < EMV_CVN_COUNT ? kinds[cvn].name : "?";
}

enum tp_err emv_cvn_parse(enum emv_cvn *out, const char *name)
{
    const struct emv_kind *k = emv_kind_find(name);

    if (k == NULL || k - kinds >= EMV_CVN_COUNT)
        return TP_ERR_NOT_FOUND;
    *out = (enum emv_cvn)(k - kinds);
    return TP_OK;
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

enum tp_err emv_diversifier(uint8_t out[EMV_BLOCK_MAX], enum emv_option option, const char *pan,
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
    if (option != EMV_OPTION_B || digits <= OPTION_A_MAX) {
        pack_right(out, option == EMV_OPTION_C ? EMV_BLOCK_MAX : DES_BLOCK, all);
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

/* A key as long as that one: its leftmost bytes are left enciphered, then right (A1.3.1, A1.4). */
static enum tp_err derive(struct secret *out, enum emv_cipher c, struct span key,
                          const uint8_t *left, const uint8_t *right)
{
    uint8_t room[2 * EMV_BLOCK_MAX];
    const size_t block = emv_cipher_block(c);
    enum tp_err r;

    *out = (struct secret){NULL, 0};
    if (!emv_cipher_key(c, key.n))
        return TP_ERR_RANGE;
    r = emv_block_encipher(room, c, key, left);
    if (r == TP_OK)
        r = emv_block_encipher(room + block, c, key, right);
    if (r == TP_OK)
        r = secret_copy(out, span_of(room, key.n));
    if (r == TP_OK && c == EMV_TDES)
        set_odd_parity(out);
    secret_wipe(room, sizeof(room));
    return r;
}

enum tp_err emv_kind_master_key(struct secret *icc_key, const struct emv_kind *k,
                                struct span issuer_key, const char *pan, uint8_t psn)
{
    uint8_t left[EMV_BLOCK_MAX] = {0}, right[EMV_BLOCK_MAX];
    const enum tp_err r = emv_diversifier(left, k->option, pan, psn);

    *icc_key = (struct secret){NULL, 0};
    if (r != TP_OK)
        return r;
    for (size_t i = 0; i < EMV_BLOCK_MAX; i++)
        right[i] = left[i] ^ 0xFF;
    return derive(icc_key, k->cipher, issuer_key, left, right);
}

enum tp_err emv_master_key_derive(struct secret *icc_key, enum emv_cvn cvn, struct span issuer_key,
                                  const char *pan, uint8_t psn)
{
    return emv_kind_master_key(icc_key, &kinds[cvn], issuer_key, pan, psn);
}

/* ---- session keys ---- */

enum tp_err emv_session_key_common(struct secret *session, enum emv_cipher cipher,
                                   struct span icc_key, const uint8_t r[8])
{
    uint8_t left[EMV_BLOCK_MAX] = {0}, right[EMV_BLOCK_MAX] = {0};

    memcpy(left, r, 8);
    memcpy(right, r, 8);
    if (icc_key.n > emv_cipher_block(cipher)) {
        left[2] = 0xF0;
        right[2] = 0x0F;
    }
    return derive(session, cipher, icc_key, left, right);
}

void emv_session_r(uint8_t r[8], enum emv_session how, const struct emv_diversity *from)
{
    memset(r, 0, 8);
    memcpy(r, how == EMV_SK_AC ? from->ac : from->atc, how == EMV_SK_AC ? 8 : 2);
    if (how == EMV_SK_ATC_UN)
        memcpy(r + 4, from->un, 4);
}

static enum tp_err by_common(struct secret *session, const struct emv_kind *k, enum emv_session how,
                             struct span icc_key, const struct emv_diversity *from)
{
    uint8_t r[8];

    emv_session_r(r, how, from);
    return emv_session_key_common(session, k->cipher, icc_key, r);
}

static enum tp_err by_master(struct secret *session, const struct emv_kind *k, enum emv_session how,
                             struct span icc_key, const struct emv_diversity *from)
{
    (void)k;
    (void)how;
    (void)from;
    return secret_copy(session, icc_key);
}

static enum tp_err by_xor(struct secret *session, const struct emv_kind *k, enum emv_session how,
                          struct span icc_key, const struct emv_diversity *from)
{
    const enum tp_err r = by_master(session, k, how, icc_key, from);

    if (r != TP_OK)
        return r;
    for (size_t i = 0; i < 2; i++) {
        session->p[DES_BLOCK - 2 + i] ^= from->atc[i];
        session->p[2 * DES_BLOCK - 2 + i] ^= (uint8_t)~from->atc[i];
    }
    set_odd_parity(session);
    return TP_OK;
}

static enum tp_err by_complement(struct secret *session, const struct emv_kind *k,
                                 enum emv_session how, struct span icc_key,
                                 const struct emv_diversity *from)
{
    const uint8_t left[DES_BLOCK] = {[6] = from->atc[0], [7] = from->atc[1]};
    const uint8_t right[DES_BLOCK] = {[6] = from->atc[0] ^ 0xFF, [7] = from->atc[1] ^ 0xFF};

    (void)how;
    return derive(session, k->cipher, icc_key, left, right);
}

/* A node of the tree from its parent and grandparent (EMV 4.0 Book 2, A1.3): the grandparent's
 * halves, with the branch's number laid over their last bytes, enciphered under the parent. */
static enum tp_err child(uint8_t out[EMV_KEY_SIZE], struct span parent,
                         const uint8_t grandparent[EMV_KEY_SIZE], unsigned branch)
{
    uint8_t room[EMV_KEY_SIZE];
    enum tp_err r;

    memcpy(room, grandparent, sizeof(room));
    room[DES_BLOCK - 1] ^= (uint8_t)branch;
    room[2 * DES_BLOCK - 1] ^= (uint8_t)(branch ^ 0xF0);
    r = emv_encipher(out, EMV_TDES, EMV_ECB, parent, SPAN_OF(room));
    secret_wipe(room, sizeof(room));
    return r;
}

/* Down from the card's key by the digits of the ATC to the base of the branch factor; the leaf is
 * covered with its grandparent. */
static enum tp_err by_tree(struct secret *session, const struct emv_kind *k, enum emv_session how,
                           struct span icc_key, const struct emv_diversity *from)
{
    uint8_t node[3][EMV_KEY_SIZE] = {
        {0}}; /* grandparent (at first the initial value), parent, it */
    const unsigned atc = (unsigned)from->atc[0] << 8 | from->atc[1];
    enum tp_err r = TP_OK;

    (void)how;
    memcpy(node[1], icc_key.p, EMV_KEY_SIZE);
    for (unsigned level = k->height; level-- > 0 && r == TP_OK;) {
        unsigned digit = atc;

        for (unsigned i = 0; i < level; i++)
            digit /= k->branch;
        r = child(node[2], SPAN_OF(node[1]), node[0], digit % k->branch);
        if (level > 0) {
            memcpy(node[0], node[1], EMV_KEY_SIZE);
            memcpy(node[1], node[2], EMV_KEY_SIZE);
        }
    }
    for (size_t i = 0; i < EMV_KEY_SIZE; i++)
        node[2][i] ^= node[0][i];
    if (r == TP_OK)
        r = secret_copy(session, SPAN_OF(node[2]));
    if (r == TP_OK)
        set_odd_parity(session);
    secret_wipe(node, sizeof(node));
    return r;
}

typedef enum tp_err session_way(struct secret *session, const struct emv_kind *k,
                                enum emv_session how, struct span icc_key,
                                const struct emv_diversity *from);

static const struct {
    session_way *derive;
    bool aes; /* AES has it too */
} ways[EMV_SK_COUNT] = {
    [EMV_SK_MASTER] = {by_master, true},
    [EMV_SK_ATC] = {by_common, true},
    [EMV_SK_ATC_UN] = {by_common, true},
    [EMV_SK_AC] = {by_common, true},
    [EMV_SK_XOR] = {by_xor, false},
    [EMV_SK_TREE] = {by_tree, false},
    [EMV_SK_COMPLEMENT] = {by_complement, false},
};

enum tp_err emv_kind_session_key(struct secret *session, const struct emv_kind *k,
                                 enum emv_session how, struct span icc_key,
                                 const struct emv_diversity *from)
{
    *session = (struct secret){NULL, 0};
    if (!emv_cipher_key(k->cipher, icc_key.n))
        return TP_ERR_RANGE;
    return ways[how].derive == NULL || (k->cipher == EMV_AES && !ways[how].aes)
               ? TP_ERR_NOT_FOUND
               : ways[how].derive(session, k, how, icc_key, from);
}

enum tp_err emv_session_key_ac(struct secret *session, enum emv_cvn cvn, struct span icc_key,
                               const uint8_t atc[2])
{
    const struct emv_diversity from = {.atc = atc};

    return emv_kind_session_key(session, &kinds[cvn], kinds[cvn].ac, icc_key, &from);
}

enum tp_err emv_session_key_sm(struct secret *session, enum emv_cvn cvn, struct span icc_key,
                               const uint8_t atc[2], const uint8_t ac[8])
{
    const struct emv_diversity from = {.atc = atc, .ac = ac};

    return emv_kind_session_key(session, &kinds[cvn], kinds[cvn].script, icc_key, &from);
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

enum tp_err emv_kind_ac(uint8_t ac[8], const struct emv_kind *k, struct span session,
                        struct span data)
{
    return k->zero_padded ? mac_zero_padded(ac, session, data)
                          : emv_cipher_mac(ac, k->cipher, session, data);
}

enum tp_err emv_ac_make(uint8_t ac[8], enum emv_cvn cvn, struct span session, struct span data)
{
    return emv_kind_ac(ac, &kinds[cvn], session, data);
}

enum tp_err emv_cipher_arpc_1(uint8_t arpc[8], enum emv_cipher c, struct span key,
                              const uint8_t ac[8], const uint8_t arc[2])
{
    uint8_t block[EMV_BLOCK_MAX] = {0};
    enum tp_err r;

    memcpy(block, ac, 8);
    block[0] ^= arc[0];
    block[1] ^= arc[1];
    r = emv_block_encipher(block, c, key, block);
    if (r == TP_OK)
        memcpy(arpc, block, 8);
    return r;
}

enum tp_err emv_arpc_1(uint8_t arpc[8], enum emv_cvn cvn, struct span session, const uint8_t ac[8],
                       const uint8_t arc[2])
{
    return emv_cipher_arpc_1(arpc, kinds[cvn].cipher, session, ac, arc);
}

enum tp_err emv_cipher_arpc_2(uint8_t arpc[4], enum emv_cipher c, struct span key,
                              const uint8_t ac[8], const uint8_t csu[4], struct span proprietary)
{
    uint8_t room[8 + 4 + 8], mac[8];
    struct buf b = BUF_OF(room);
    enum tp_err r = buf_put(&b, span_of(ac, 8));

    if (r == TP_OK)
        r = buf_put(&b, span_of(csu, 4));
    if (r == TP_OK)
        r = buf_put(&b, proprietary);
    if (r == TP_OK)
        r = emv_cipher_mac(mac, c, key, buf_span(&b));
    if (r == TP_OK)
        memcpy(arpc, mac, 4);
    return r;
}

enum tp_err emv_arpc_2(uint8_t arpc[4], enum emv_cvn cvn, struct span session, const uint8_t ac[8],
                       const uint8_t csu[4], struct span proprietary)
{
    return emv_cipher_arpc_2(arpc, kinds[cvn].cipher, session, ac, csu, proprietary);
}
