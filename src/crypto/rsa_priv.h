/* What the files of this room share about a public key: its SHA-1 context, kept like its RSA
 * context. */
#ifndef TP_CRYPTO_RSA_PRIV_H
#define TP_CRYPTO_RSA_PRIV_H

#include "crypto/rsa.h"

#define EMV_SHA1 20

/* SHA-1 over the parts, one after the other. */
TP_MUST_CHECK enum tp_err emv_pubkey_sha1(struct emv_pubkey *k, uint8_t out[EMV_SHA1],
                                          const struct span *parts, size_t n);

#endif
