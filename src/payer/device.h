/* A user's own key on this device: it signs a payment whose card has not signed whom it pays. Made
 * at its first use, in the user's folder (0600): as it is, until its user gives it a code, and from
 * then on enciphered (payer/keystore.h). */
#ifndef TP_PAYER_DEVICE_H
#define TP_PAYER_DEVICE_H

#include <jansson.h>

#include "payer/code.h"

#define DEVICE_TYPE "telepay-device" /* typ of what it signs */

struct device {         /* begins as {0}, but for its code */
    const char *folder; /* of the user */
    const char *user;   /* their name */
    struct code_source code;
    json_t *key; /* once it was needed */
};
void device_free(struct device *d);

/* The private key, a JWK of P-256 (d's); where it is enciphered its user is asked for the code,
 * once and again when it is wrong. TP_ERR_SECURITY when others may read its file, or the code is
 * wrong; TP_ERR_FORMAT; of code_ask. */
TP_MUST_CHECK enum tp_err device_key(json_t **out, struct device *d, struct tp_error *e);

/* Gives it a code, or another one than it has; whole, or not at all. */
TP_MUST_CHECK enum tp_err device_set_code(struct device *d, struct span code, struct tp_error *e);

/* Money hangs on the key: one without a code is given one, which is asked for. Of code_ask_new. */
TP_MUST_CHECK enum tp_err device_guard(struct device *d, struct tp_error *e);

enum device_kept { DEVICE_NONE, DEVICE_PLAIN, DEVICE_ENCIPHERED };
/* How it is kept in a folder. */
TP_MUST_CHECK enum tp_err device_kept(enum device_kept *out, const char *folder,
                                      struct tp_error *e);

/* The file as it is kept, enciphered, to another device; and from there, once d's code has opened
 * it. TP_ERR_STATE: it has no code; TP_ERR_EXISTS. */
TP_MUST_CHECK enum tp_err device_export(const char *folder, const char *path, struct tp_error *e);
TP_MUST_CHECK enum tp_err device_import(struct device *d, const char *path, struct tp_error *e);

/* The JWS (free()): that one device signed R and what is sealed. transaction: the packed 0200. */
TP_MUST_CHECK enum tp_err device_sign(char **jws, const json_t *key, struct span r,
                                      struct span transaction, struct tp_error *e);

/* 16 bytes by which this device takes the order for itself: the same at each time, and known to it
 * alone. own: at most 64 bytes that no other device with this key has (device_export). */
TP_MUST_CHECK enum tp_err device_claim(uint8_t out[16], const json_t *key, struct span own,
                                       const char *order, struct tp_error *e);

#endif
