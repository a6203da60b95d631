/* Who signs orders and acknowledgements, and to whom transactions are sealed: keys that the
 * acquirer's authority has certified for that one role (crypto/pki.h). Each certificate is given by
 * the authority itself: a list x5c (RFC 7515, 4.1.6) has exactly one. */
#ifndef TP_ORDER_CERTIFICATE_H
#define TP_ORDER_CERTIFICATE_H

#include <jansson.h>
#include <time.h>

#include "crypto/pki.h"

#define CERTIFICATE_MAX 4096 /* bytes of DER */

struct order_authority; /* whose certificates are taken */

TP_MUST_CHECK enum tp_err order_authority_load(struct order_authority **out, const char *ca_path,
                                               struct tp_error *e);
/* The same of PEM that is there already, and called `name`. */
TP_MUST_CHECK enum tp_err order_authority_read(struct order_authority **out, struct span pem,
                                               const char *name, struct tp_error *e);
void order_authority_free(struct order_authority **a);

struct order_key { /* begins as {0} */
    json_t *jwk;   /* the private key (P-256): a secret, never shown */
    json_t *x5c;   /* its certificate */
};

/* The PEM files of pki_certificate_make. TP_ERR_NOT_FOUND, TP_ERR_SECURITY when others may read the
 * key, TP_ERR_FORMAT when the two do not belong together. order_key_free after an error too. */
TP_MUST_CHECK enum tp_err order_key_load(struct order_key *out, const char *cert_path,
                                         const char *key_path, struct tp_error *e);
void order_key_free(struct order_key *k);

/* A certificate alone (PEM), as a list x5c has it (json_decref). TP_ERR_NOT_FOUND, TP_ERR_FORMAT.
 */
TP_MUST_CHECK enum tp_err order_certificate_load(json_t **x5c, const char *path,
                                                 struct tp_error *e);

struct order_holder {                /* begins as {0} */
    char organisation[PKI_NAME_MAX]; /* O: the contract of an order's key; empty: none */
    char common_name[PKI_NAME_MAX];  /* CN: the mediator, or the acquirer's identification */
    json_t *jwk;                     /* the public key */
};

/* Whose key x5c certifies: by this authority, for this role and no other, at that time.
 * TP_ERR_FORMAT when it is no such list, TP_ERR_SECURITY when it is not good. order_holder_free.
 * What was found good is remembered by the authority, which threads may share. */
TP_MUST_CHECK enum tp_err order_holder_read(struct order_holder *out,
                                            const struct order_authority *authority,
                                            const json_t *x5c, enum pki_role role, time_t at,
                                            struct tp_error *e);
void order_holder_free(struct order_holder *h);

#endif
