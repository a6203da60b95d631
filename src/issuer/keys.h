/* The issuer's master keys: issuer.keys in its folder (0600), taken once from a scheme's folder
 * (issuer.secret, issuer-aes.secret: simcard/scheme.h). */
#ifndef TP_ISSUER_KEYS_H
#define TP_ISSUER_KEYS_H

#include "crypto/cryptogram.h"

#define ISSUER_DKI                                                                                 \
    1 /* derivation key index of these keys, in 9F10: the one that telepay-perso gives its cards   \
       */

enum issuer_key { ISSUER_KEY_AC, ISSUER_KEY_SMI, ISSUER_KEY_SMC, ISSUER_KEYS };

struct issuer_keys {
    struct secret key[2][ISSUER_KEYS]; /* by enum emv_cipher; those of AES are empty in a scheme
                                          that has none */
};

/* Copies the keys of a scheme into dir/issuer.keys. TP_ERR_EXISTS, TP_ERR_NOT_FOUND, TP_ERR_FORMAT.
 */
TP_MUST_CHECK enum tp_err issuer_keys_take(const char *dir, const char *scheme_dir,
                                           struct tp_error *e);

/* TP_ERR_SECURITY when others may read the file. */
TP_MUST_CHECK enum tp_err issuer_keys_load(struct issuer_keys **out, const char *dir,
                                           struct tp_error *e);

/* The same of a scheme's folder. TP_ERR_NOT_FOUND, TP_ERR_FORMAT. */
TP_MUST_CHECK enum tp_err issuer_keys_of_scheme(struct issuer_keys **out, const char *scheme_dir,
                                                struct tp_error *e);
void issuer_keys_free(struct issuer_keys **k);

/* Whether there are keys for that kind of card. */
bool issuer_keys_serve(const struct issuer_keys *k, enum emv_cvn cvn);

/* A card's own key of that use. TP_ERR_NOT_FOUND when the issuer has no keys of the cipher. The
 * caller frees. */
TP_MUST_CHECK enum tp_err issuer_keys_card(struct secret *out, const struct issuer_keys *k,
                                           enum issuer_key use, enum emv_cvn cvn, const char *pan,
                                           uint8_t psn);

#endif
