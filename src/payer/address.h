/* Addresses of the web, as far as money hangs on them: which origin one is of, whether two are one,
 * where a payment may go. */
#ifndef TP_PAYER_ADDRESS_H
#define TP_PAYER_ADDRESS_H

#include <sys/socket.h>

#include "base/span.h"

/* Whether both lead to the same scheme, host and port. */
bool address_same_origin(const char *a, const char *b);

/* Whether both are the same address, however its host or its port is written; what stands behind #
 * does not count. */
bool address_same(const char *a, const char *b);

/* "https://host" or "https://host:port" of an address, without what may stand before the host.
 * TP_ERR_USAGE when it is no address of the web, or is too long. */
TP_MUST_CHECK enum tp_err address_origin(char *out, size_t cap, const char *url,
                                         struct tp_error *e);

/* Payments go over https, and over http within this machine alone. TP_ERR_SECURITY. */
TP_MUST_CHECK enum tp_err address_may_pay(const char *url, struct tp_error *e);

/* Of a private network, where devices trust whoever asks from within; this machine itself is none.
 */
bool address_is_near(const struct sockaddr *at);

#endif
