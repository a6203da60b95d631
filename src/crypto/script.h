/* Issuer script commands under secure messaging, as the issuer makes them and the card checks them:
 * EMV 4.4 Book 2, 9, D2 and the Common Core Definitions of 9.
 *
 *  CVN 10, 18: format 2 (9.2.1.2): CLA x4; the data field is the data (enciphered or not) and a MAC
 * behind them. The MAC runs over CLA INS P1 P2 Lc, ATC, AC, data; enciphered data are 3DES-ECB of a
 * length byte, the data, and 80 00… up to a whole block when one is wanted (VIS, Appendix D).
 * Issuers send 8 bytes of it. Mastercard's and Interac's are format 2 too, with CBC and padding
 * only where the last block is not whole; Interac's MAC is over the command alone (struct
 * emv_kind). CCD: format 1 (9.2.1.1): CLA xC; the data field is the object 81 (plain data) or 87
 * (01, then the data padded 80 00… in CBC: 9.3.1.1), none when there are no data, then 8E with the
 * MAC. The MAC runs over the chaining value, CLA INS P1 P2 padded 80 00… to a block, and the object
 * before 8E padded in the same way; the MAC algorithm itself pads no more (9.2.3). The chaining
 * value of a transaction's first command is the AC, with AES filled up with zeros to a block; of
 * each further one all that the MAC algorithm gave for the one before, a block (9.2.3.1). An issuer
 * may rely on MACs of 4 bytes alone, so it sends those.
 *
 * A card takes MACs of 4 to 8 bytes (9.2.1). Which AC: that of the first GENERATE AC, for scripts
 * before and after the second one alike; the session keys of all commands of a transaction come
 * from it too (A1.3.1). */
#ifndef TP_CRYPTO_SCRIPT_H
#define TP_CRYPTO_SCRIPT_H

#include "crypto/cryptogram.h"

#define EMV_SCRIPT_MAC_MIN  4
#define EMV_SCRIPT_MAC      8   /* the longest */
#define EMV_SCRIPT_DATA_MAX 128 /* plain bytes that a command of ours carries */
#define EMV_SCRIPT_APDU_MAX 255

struct emv_script_keys {
    struct secret mac, cipher; /* session keys */
};

/* From the card's master keys SMI and SMC. The caller frees. */
TP_MUST_CHECK enum tp_err emv_script_keys_derive(struct emv_script_keys *out, enum emv_cvn cvn,
                                                 struct span smi, struct span smc,
                                                 const uint8_t atc[2], const uint8_t ac[8]);
void emv_script_keys_free(struct emv_script_keys *k);

struct emv_script { /* where in a transaction's scripts a command stands */
    const struct emv_kind *kind;
    uint8_t atc[2];
    uint8_t
        chain[EMV_BLOCK_MAX]; /* the AC and zeros; emv_script_close and _open move it on for CCD */
    size_t mac_size;          /* that emv_script_close sends: 4 to 8; 0: 8, of format 1 4 */
};

/* At the first command of a transaction. */
struct emv_script emv_script_start(enum emv_cvn cvn, const uint8_t atc[2], const uint8_t ac[8]);

/* All that the MAC algorithm gives for a command, a block: the MAC is the leftmost of
 * them, the next chaining value (CCD) is all. head is CLA INS P1 P2 Lc as on the wire; data: the
 * data field up to the MAC (CCD: the object before 8E). */
TP_MUST_CHECK enum tp_err emv_script_mac(uint8_t full[EMV_BLOCK_MAX], const struct emv_script *s,
                                         struct span session, const uint8_t head[5],
                                         struct span data);

/* Appends the enciphered data (CCD: without the 01 that stands before them in object 87); and back:
 * TP_ERR_FORMAT when the padding is wrong. */
TP_MUST_CHECK enum tp_err emv_script_encipher(struct buf *out, const struct emv_kind *k,
                                              struct span session, struct span plain);
TP_MUST_CHECK enum tp_err emv_script_decipher(struct buf *out, const struct emv_kind *k,
                                              struct span session, struct span enciphered);

/* Appends the whole command (case 3: CLA INS P1 P2 Lc data MAC) to out. head: CLA INS P1 P2 of the
 * plain command; the secure messaging bits of CLA are set here. TP_ERR_RANGE when it gets too long.
 */
TP_MUST_CHECK enum tp_err emv_script_close(struct buf *out, struct emv_script *s,
                                           const struct emv_script_keys *keys,
                                           const uint8_t head[4], struct span plain, bool encipher);

enum emv_script_check { /* with the status word a card answers: ISO/IEC 7816-4, 5.1.3 */
                        EMV_SCRIPT_OK,
                        EMV_SCRIPT_MISSING, /* 6987: no secure messaging objects */
                        EMV_SCRIPT_WRONG    /* 6988: they are wrong: MAC, padding, form */
};

/* Checks a command (from CLA to the last byte of data) and appends its plain data to out.
 * enciphered: the kind of command is one whose data are enciphered (CCD: 81 is then refused, and 87
 * otherwise). Nothing is appended and the chain stands still unless the outcome is EMV_SCRIPT_OK.
 */
TP_MUST_CHECK enum tp_err emv_script_open(enum emv_script_check *outcome, struct buf *out,
                                          struct emv_script *s, const struct emv_script_keys *keys,
                                          struct span command, bool enciphered);

#endif
