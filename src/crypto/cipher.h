/* The two block ciphers of EMV 4.4 Book 2, B1, and what Annex A1 makes of them: triple DES with
 * keys of two halves, 16 bytes; AES with 16, 24 or 32 bytes, which the key's span tells.
 * TP_ERR_RANGE for a key of another size or data that are no whole blocks. */
#ifndef TP_CRYPTO_CIPHER_H
#define TP_CRYPTO_CIPHER_H

#include "base/secret.h"
#include "base/span.h"

#define EMV_KEY_SIZE  16 /* of triple DES, and of the AES keys that our issuers have */
#define EMV_KEY_MAX   32
#define EMV_BLOCK_MAX 16

enum emv_cipher { EMV_TDES, EMV_AES };
size_t emv_cipher_block(enum emv_cipher c);       /* 8 or 16 */
bool emv_cipher_key(enum emv_cipher c, size_t n); /* whether it has keys of n bytes */

/* One block: Book 2, B1.1 and B1.2. */
TP_MUST_CHECK enum tp_err emv_block_encipher(uint8_t *out, enum emv_cipher c, struct span key,
                                             const uint8_t *in);

/* Whole blocks, ECB or CBC from an initial value of zeros (Book 2, A1.1); out has room for in.n and
 * may be in.p. */
enum emv_mode { EMV_ECB, EMV_CBC };
TP_MUST_CHECK enum tp_err emv_encipher(uint8_t *out, enum emv_cipher c, enum emv_mode mode,
                                       struct span key, struct span in);
TP_MUST_CHECK enum tp_err emv_decipher(uint8_t *out, enum emv_cipher c, enum emv_mode mode,
                                       struct span key, struct span in);

/* Book 2, A1.2: triple DES: ISO/IEC 9797-1 algorithm 3 with padding method 2; AES: CMAC (algorithm
 * 5), its leftmost 8 bytes. */
TP_MUST_CHECK enum tp_err emv_cipher_mac(uint8_t mac[8], enum emv_cipher c, struct span key,
                                         struct span data);

/* AES alone: all 16 bytes of it, which a chain of script commands goes on from (9.2.3.1). */
TP_MUST_CHECK enum tp_err emv_cmac(uint8_t out[EMV_BLOCK_MAX], struct span key, struct span data);

/* Triple DES alone. The MAC over data that the caller padded (a multiple of 8, not empty): Visa's
 * CVN 10 pads with zeros, padding method 1. */
TP_MUST_CHECK enum tp_err emv_mac_padded(uint8_t mac[8], struct span key, struct span data);
TP_MUST_CHECK enum tp_err emv_mac(uint8_t mac[8], struct span key,
                                  struct span data); /* padding method 2: A1.2.1 */
TP_MUST_CHECK enum tp_err emv_des_encipher(uint8_t out[8], struct span key, const uint8_t in[8]);

#endif
