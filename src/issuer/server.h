/* The issuer's server: acquirers' messages over TLS, each decided, kept and answered.
 * `telepay-issuer serve` is a thin main over it. */
#ifndef TP_ISSUER_SERVER_H
#define TP_ISSUER_SERVER_H

#include "wire/link.h"

struct issuer_server;

/* Opens the folder (issuer/state.h), listens on address:port ("0" picks one). threads: 1 to 64 for
 * the acquirers' connections; one more decides and writes. */
TP_MUST_CHECK enum tp_err issuer_server_new(struct issuer_server **out, const char *dir,
                                            const char *address, const char *port, unsigned threads,
                                            struct tp_error *e);
struct link_server *issuer_server_link(
    struct issuer_server *s); /* to be run, and stopped: what is under way is answered */
void issuer_server_free(struct issuer_server **s);

#endif
