/* Disputes, on the side of who paid: each letter is signed with the device's key, kept in the
 * journal, sent; what the mediator answers is verified and kept too. How a dispute stands is what
 * its letters say. */
#ifndef TP_PAYER_DISPUTE_H
#define TP_PAYER_DISPUTE_H

#include "payer/checkout.h"

struct dispute { /* begins as {0}; dispute_free */
    char order[27];
    char state[16]; /* "to be sent", "not taken", "open", "answered", "asked", "settled", "refused"
                     */
    char reason[24];
    char payment[16];    /* how its payment stands at the mediator; "": it was not asked */
    int64_t opened, due; /* due: whose turn it is has to have used it; 0: nobody's */
    json_t *letters;     /* by, act, at, words?, until?, letter: the JWS */
};
void dispute_free(struct dispute *d);

/* As the journal has it. TP_ERR_NOT_FOUND when there is none. */
TP_MUST_CHECK enum tp_err dispute_read(struct dispute *out, const struct checkout *c,
                                       const char *order, struct tp_error *e);

/* Opens one, or sends again what opens it: the same as long as the mediator did not answer no.
 * words NULL: none. TP_ERR_STATE in the mediator's words, TP_ERR_PEER (it is kept: say it again),
 * TP_ERR_SECURITY, of device_key. */
TP_MUST_CHECK enum tp_err dispute_open(struct checkout *c, const char *order, const char *reason,
                                       const char *words, struct tp_error *e);
/* What was asked for. TP_ERR_STATE when nothing is, and as above. */
TP_MUST_CHECK enum tp_err dispute_bring(struct checkout *c, const char *order, const char *words,
                                        struct tp_error *e);
/* Asks the mediator how it stands, and keeps what is new; payment comes out. */
TP_MUST_CHECK enum tp_err dispute_ask(char payment[16], struct checkout *c, const char *order,
                                      struct tp_error *e);

#endif
