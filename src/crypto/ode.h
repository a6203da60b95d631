/* Offline data encipherment by elliptic curves: EMV 4.4 Book 2, 13.2, 13.3 and A2.3. Terminal and
 * card agree on two keys once in a transaction, and count the messages under them. */
#ifndef TP_CRYPTO_ODE_H
#define TP_CRYPTO_ODE_H

#include "crypto/ec.h"

#define ODE_UN  8 /* bytes of a challenge */
#define ODE_MAC 8

struct ode {
    struct secret keys; /* K1 that enciphers, K2 of the MAC, 16 bytes each; empty: not agreed yet */
    uint16_t count;     /* N */
};

/* A2.3.2. un: the challenge of the first message. TP_ERR_RANGE: keys of two curves. */
TP_MUST_CHECK enum tp_err ode_agree(struct ode *o, const struct ec_privkey *own,
                                    const struct ec_pubkey *other, const uint8_t un[ODE_UN]);
void ode_end(struct ode *o);

/* A2.3.3: appends the enciphered message and its MAC. TP_ERR_RANGE also when the count is used up.
 */
TP_MUST_CHECK enum tp_err ode_encipher(struct buf *out, struct ode *o, struct span message);
/* A2.3.4: *message, which is the caller's to free. TP_ERR_SECURITY: the MAC is not right. */
TP_MUST_CHECK enum tp_err ode_decipher(struct secret *message, struct ode *o, struct span c);

#endif
