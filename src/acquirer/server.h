/* The acquirer's server: terminals' messages over TLS, each checked, kept and answered
 * (doc/protocol.md). `telepay-acquirer serve` is a thin main over it. */
#ifndef TP_ACQUIRER_SERVER_H
#define TP_ACQUIRER_SERVER_H

#include "acquirer/commit.h"

struct acquirer_server;

/* Opens the folder (acquirer/state.h), listens on address:port ("0" picks one). threads: 1 to 64
 * that check messages; one more writes the books. */
TP_MUST_CHECK enum tp_err acquirer_server_new(struct acquirer_server **out, const char *dir,
                                              const char *address, const char *port,
                                              unsigned threads, struct tp_error *e);
struct link_server *acquirer_server_link(
    struct acquirer_server *s); /* to be run, and stopped: what is under way is answered */
void acquirer_server_free(struct acquirer_server **s);

struct committer *acquirer_server_committer(
    struct acquirer_server *s); /* for bench and fault tests */

#endif
