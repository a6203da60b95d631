/* Threads that seal and send what mediators are answered: sealing takes some ten times what the
 * books take of the committer's thread, and needs nothing of it. */
#ifndef TP_ACQUIRER_REPLY_DESK_H
#define TP_ACQUIRER_REPLY_DESK_H

#include "acquirer/reply.h"

struct reply_desk;

TP_MUST_CHECK enum tp_err reply_desk_new(struct reply_desk **out, struct tp_error *e);
/* Ends the threads when all that was posted has been sent. */
void reply_desk_free(struct reply_desk **d);

/* As reply_send, but that a mediator's leaves a little later; copied. From any thread. */
void reply_desk_send(struct reply_desk *d, struct link_peer *peer, const struct echo *echo,
                     const struct payer *payer, const struct wire_answer *a,
                     const struct outcome *o);

#endif
