/* RSA as EMV uses it: the bare recovery function of EMV 4.4 Book 2, B2.1, on keys of 512 to 1984
 * bits in multiples of 8 bits, exponents 3 and 65537. Keys are opaque; what OpenSSL needs for an
 * operation is kept in them. A key may be used by one thread at a time. */
#ifndef TP_CRYPTO_RSA_H
#define TP_CRYPTO_RSA_H

#include "base/secret.h"
#include "base/span.h"

#define EMV_RSA_MAX 248 /* bytes of the largest modulus: 1984 bits */

struct emv_pubkey;
struct emv_privkey;

/* TP_ERR_RANGE for a size or exponent out of bounds or an even modulus, TP_ERR_INTERNAL when
 * OpenSSL refuses. */
TP_MUST_CHECK enum tp_err emv_pubkey_new(struct emv_pubkey **out, struct span modulus,
                                         struct span exponent);
void emv_pubkey_free(struct emv_pubkey **k);
size_t emv_pubkey_size(const struct emv_pubkey *k);          /* bytes of the modulus */
struct span emv_pubkey_modulus(const struct emv_pubkey *k);  /* lives as long as the key */
struct span emv_pubkey_exponent(const struct emv_pubkey *k); /* shortest form: 03 or 010001 */

/* in^e mod n. in.n must be the modulus size and in < n, else TP_ERR_FORMAT. out has room for the
 * modulus size. */
TP_MUST_CHECK enum tp_err emv_rsa_recover(struct emv_pubkey *k, struct span in, uint8_t *out);

/* exponent 3 or 65537. */
TP_MUST_CHECK enum tp_err emv_privkey_generate(struct emv_privkey **out, unsigned bits,
                                               unsigned exponent);
void emv_privkey_free(struct emv_privkey **k);
struct emv_pubkey *emv_privkey_public(struct emv_privkey *k); /* borrowed */
/* in^d mod n, for signing; the same rules as emv_rsa_recover. */
TP_MUST_CHECK enum tp_err emv_rsa_sign(struct emv_privkey *k, struct span in, uint8_t *out);
/* PKCS#8 DER in locked memory, for key files. */
TP_MUST_CHECK enum tp_err emv_privkey_export(struct secret *der, const struct emv_privkey *k);
TP_MUST_CHECK enum tp_err emv_privkey_import(struct emv_privkey **out, struct span der);

#endif
