/* One remise from closed to settled (doc/design.md, Remises): the document from the books, sent,
 * answered, held against the books; and only then collected or rejected. */
#ifndef TP_ACQUIRER_SETTLE_H
#define TP_ACQUIRER_SETTLE_H

#include "acquirer/post.h"
#include "crypto/seal.h"
#include "ledger/ledger.h"

struct collector {
    const char *dir; /* the acquirer's folder */
    struct ledger *ledger;
    struct seal *seal;
    struct caaa_schemas *schemas;
    struct centre_access centre;
    int stall_s, answer_s; /* time-outs: see post.h */
};

/* Opens all that a run needs. TP_ERR_NOT_FOUND …; on an error nothing is left open. */
TP_MUST_CHECK enum tp_err collector_open(struct collector *c, const char *dir, struct tp_error *e);
void collector_close(struct collector *c);

/* Only one run at a time works on a folder: waits for the other one. *lock is closed by
 * collector_unlock. */
TP_MUST_CHECK enum tp_err collector_lock(int *lock, const char *dir, struct tp_error *e);
void collector_unlock(int *lock);

/* The caaa.011 of a closed remise into sink; TP_ERR_SECURITY when its items are not what was frozen
 * at the close. */
TP_MUST_CHECK enum tp_err settle_document(struct collector *c, const struct remise *remise,
                                          const struct caaa_sink *sink, struct tp_error *e);

/* Submits a closed or submitted remise. TP_OK: it is settled, *remise is how. TP_ERR_PEER,
 * TP_ERR_TIMEOUT: the centre could not be reached or cannot take it now, the same again later.
 * Anything else needs a person: *alarm is then set, the remise stays as it is. A remise that is
 * settled already is TP_OK. */
TP_MUST_CHECK enum tp_err settle_remise(struct collector *c, struct remise *remise, bool *alarm,
                                        struct tp_error *e);

#endif
