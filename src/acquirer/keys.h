/* The acquirer's own keys for what comes by a mediator: one that transactions are sealed to, one
 * that signs acknowledgements (and parameters), both certified by its authority (doc/protocol.md,
 * Orders and acknowledgements). */
#ifndef TP_ACQUIRER_KEYS_H
#define TP_ACQUIRER_KEYS_H

#include "order/certificate.h"

/* Makes what is not there yet: pki/sealing.pem, pki/acknowledgement.pem and their keys, in the name
 * of the acquirer's number. */
TP_MUST_CHECK enum tp_err acquirer_keys_make(const char *dir, const char *acquirer,
                                             struct tp_error *e);

struct acquirer_keys {                 /* begins as {0} */
    struct order_authority *authority; /* whose orders are taken; NULL: nothing is loaded */
    struct order_key sealing, acknowledgement;
};

/* TP_ERR_NOT_FOUND: none were made, since there is no mediator. acquirer_keys_free after an error
 * too. */
TP_MUST_CHECK enum tp_err acquirer_keys_load(struct acquirer_keys *k, const char *dir,
                                             struct tp_error *e);
void acquirer_keys_free(struct acquirer_keys *k);

#endif
