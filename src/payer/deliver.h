/* Bringing signed payments to the acquirer: one TLS connection, kept while it lasts; repeats with
 * pauses; the journal is settled by each answer. */
#ifndef TP_PAYER_DELIVER_H
#define TP_PAYER_DELIVER_H

#include "payer/journal.h"
#include "wire/iso8583.h"

struct deliverer;

/* Waits so many milliseconds; false: leave it. */
typedef bool deliver_pause(void *ctx, int ms);

/* Reads certificates and key, does not connect. terminal must outlive it. TP_ERR_SECURITY,
 * TP_ERR_NOT_FOUND. */
TP_MUST_CHECK enum tp_err deliverer_new(struct deliverer **out, const struct terminal *terminal,
                                        deliver_pause *pause, void *ctx, struct tp_error *e);
void deliverer_free(struct deliverer **d);

/* Connects, unless there is a connection. TP_ERR_PEER, TP_ERR_TIMEOUT, TP_ERR_SECURITY. */
TP_MUST_CHECK enum tp_err deliverer_connect(struct deliverer *d, struct tp_error *e);

/* Connects and exchanges an echo (0800, DE 70 301): only then is it known that the acquirer takes
 * our certificate, which TLS 1.3 tells no earlier than with its first answer. As deliverer_connect;
 * TP_ERR_CANCELLED when the acquirer takes nothing from this terminal, with the reason. */
TP_MUST_CHECK enum tp_err deliverer_greet(struct deliverer *d, struct tp_error *e);

/* Sends a message once and reads its answer. TP_ERR_PEER (also for an answer that is none of this
 * message), TP_ERR_TIMEOUT, TP_ERR_SECURITY. */
TP_MUST_CHECK enum tp_err deliver_once(struct deliverer *d, struct span message,
                                       struct wire_answer *a, struct tp_error *e);

/* Sends a message of another kind once and unpacks its answer, which is of it; the message stays
 * packed as it was. Errors as deliver_once; TP_ERR_CANCELLED, saying why, when it is a no. */
TP_MUST_CHECK enum tp_err deliver_question(struct deliverer *d, struct span message,
                                           struct iso8583 *answer, struct tp_error *e);

/* Sends a message that the journal holds under id until a final answer comes, at most 1 +
 * terminal->repeats times, and settles it. message becomes a 0201 when it may have been sent
 * before. Errors as deliver_once, and those of the journal; the payment then stays signed. */
TP_MUST_CHECK enum tp_err deliver(struct deliverer *d, struct journal *j, int64_t id,
                                  struct buf *message, bool sent_before, struct wire_answer *a,
                                  struct tp_error *e);

/* The same with one attempt: for a reversal while a person waits. */
TP_MUST_CHECK enum tp_err deliver_try(struct deliverer *d, struct journal *j, int64_t id,
                                      struct buf *message, struct wire_answer *a,
                                      struct tp_error *e);

/* All that the journal holds, oldest first, each called back with its receipt as it is now. Stops
 * when the acquirer cannot be reached; one that he answers with a fault of his own (96) stays,
 * holds up none but those that must come after it, and is the error of the call. */
typedef void deliver_each(void *ctx, const struct receipt *r);
TP_MUST_CHECK enum tp_err deliver_pending(struct deliverer *d, struct journal *j,
                                          deliver_each *each, void *ctx, struct tp_error *e);

#endif
