/* Decides and writes the books while the server runs, by groups (store/group.h): only when a group
 * is durable do its answers leave. Deciding within its transaction keeps two requests from spending
 * the same money. */
#ifndef TP_ISSUER_WRITER_H
#define TP_ISSUER_WRITER_H

#include "issuer/authorise.h"
#include "wire/echo.h"
#include "wire/link.h"

struct writer;

/* Sends an answer with a code and its reason (DE 44; "": none) and no more: what never reaches the
 * books. */
void reply_send(struct link_peer *peer, const struct echo *echo, const char *code,
                const char *reason);

/* Opens books, seal and keys in the issuer's folder and starts the thread. */
TP_MUST_CHECK enum tp_err writer_new(struct writer **out, const char *dir, unsigned atc_jump,
                                     struct tp_error *e);
void writer_free(struct writer **c); /* when all that waits is answered */

/* Queues a 0100 or 0400; copied whole. From any thread. The peer gets one answer; 96 when the books
 * cannot be written. TP_ERR_NO_MEMORY, TP_ERR_AGAIN (too many wait): it gets none. */
TP_MUST_CHECK enum tp_err writer_take(struct writer *c, const struct request *q,
                                      const struct acquirer *from, const struct echo *echo,
                                      struct link_peer *peer);

/* Queues an echo: answered 00 when the books could be written, else 96. Errors as writer_take. */
TP_MUST_CHECK enum tp_err writer_echo(struct writer *c, unsigned mti, const struct acquirer *from,
                                      const struct echo *echo, struct link_peer *peer);

#endif
