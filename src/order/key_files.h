/* The keys that an acquirer's authority, in dir/pki, certifies (doc/protocol.md, Keys), as files:
 * those of its own roles are dir/pki/NAME.pem and NAME.key. */
#ifndef TP_ORDER_KEY_FILES_H
#define TP_ORDER_KEY_FILES_H

#include "order/certificate.h"

/* Makes them if they are not there yet, in the name of the acquirer's identification. */
TP_MUST_CHECK enum tp_err key_files_make(const char *dir, const char *name, enum pki_role role,
                                         const char *acquirer, struct tp_error *e);

/* The key with which a mediator signs orders for the contract, as order-CONTRACT.pem and .key into
 * its folder; the contract is of letters and digits alone. */
TP_MUST_CHECK enum tp_err key_files_give(const char *dir, const char *out, const char *contract,
                                         const char *mediator, struct tp_error *e);

/* As order_key_load. */
TP_MUST_CHECK enum tp_err key_files_load(struct order_key *k, const char *dir, const char *name,
                                         struct tp_error *e);

#endif
