/* What the centre does with a remise that has come whole: knows it again, or checks and keeps it;
 * and the answer it gives, always from its books. */
#ifndef TP_CENTRE_INTAKE_H
#define TP_CENTRE_INTAKE_H

#include <pthread.h>
#include <stdatomic.h>

#include "centre/refuse.h"
#include "wire/spool.h"
#include "centre/store.h"

struct centre { /* all that a worker uses; one thread */
    struct centre_store *store;
    pthread_mutex_t
        *books; /* of all workers: one at a time writes, while others read their documents */
    const struct caaa_schemas *schemas;
    struct refuse *refuse;       /* NULL: nothing by order */
    const atomic_bool *stopping; /* the service ends: what is not yet kept is let go */
};

struct intake_claim { /* who sends what, from the certificate and the address */
    char acquirer[CAAA_ID_MAX];
    char contract[CAAA_ID_MAX];
    uint32_t number;
};

enum intake_outcome {
    INTAKE_ANSWERED, /* it is in the books, now or since long: intake_answer has the answer */
    INTAKE_INVALID,  /* no document that could be answered: why is in *e */
    INTAKE_FOREIGN,  /* the contract is another acquirer's */
    INTAKE_CONFLICT  /* the number came with other content before */
};

/* TP_OK with an outcome; an error is the centre's own, and nothing was kept. Durable when it
 * returns. */
TP_MUST_CHECK enum tp_err intake(struct centre *c, const struct intake_claim *claim,
                                 struct spool *document, const uint8_t hash[SPOOL_HASH],
                                 enum intake_outcome *outcome, struct tp_error *e);

/* The caaa.012 of a remise of the books: the same bytes whenever it is asked for. */
TP_MUST_CHECK enum tp_err intake_answer(struct centre *c, const struct intake_claim *claim,
                                        const struct caaa_sink *sink, struct tp_error *e);

#endif
