/* The keys of an acquirer's own roles, as files of its folder: dir/pki/NAME.pem and NAME.key,
 * certified by the authority in dir/pki (doc/protocol.md, Keys). */
#ifndef TP_ORDER_KEY_FILES_H
#define TP_ORDER_KEY_FILES_H

#include "order/certificate.h"

/* Makes them if they are not there yet, in the name of the acquirer's identification. */
TP_MUST_CHECK enum tp_err key_files_make(const char *dir, const char *name, enum pki_role role,
                                         const char *acquirer, struct tp_error *e);

/* As order_key_load. */
TP_MUST_CHECK enum tp_err key_files_load(struct order_key *k, const char *dir, const char *name,
                                         struct tp_error *e);

#endif
