/* One remise from closed to settled (doc/design.md, Remises): the document from the books, sent,
 * answered, held against the books; and only then collected or rejected. */
#ifndef TP_COLLECT_SETTLE_H
#define TP_COLLECT_SETTLE_H

#include "collect/post.h"
#include "collect/remise.h"

typedef enum tp_err remise_item_visit(void *ctx, const struct caaa_item *item, struct tp_error *e);

struct remise_books { /* the books of who collects, `of` being theirs */
    /* TP_ERR_NOT_FOUND. */
    enum tp_err (*get)(void *of, const char *contract, uint32_t number, struct remise *out,
                       struct tp_error *e);
    /* By contract (NULL: all) and number. */
    enum tp_err (*each)(void *of, const char *contract, remise_visit *visit, void *ctx,
                        struct tp_error *e);
    /* What of the head the remise itself does not say: name, mcc, by_account. */
    enum tp_err (*describe)(void *of, const struct remise *r, struct caaa_remise *out,
                            struct tp_error *e);
    /* Of a closed one: what was not reversed, in the order of its sequence (1 …), in constant
     * memory. The item's spans live during the visit. */
    enum tp_err (*items)(void *of, const struct remise *r, remise_item_visit *visit, void *ctx,
                         struct tp_error *e);
    /* closed or submitted → submitted, with the hash of the document, durable: remise_may_submit.
     */
    enum tp_err (*submitted)(void *of, const struct remise *r, const uint8_t hash[32],
                             struct tp_error *e);
    /* submitted → collected, and what is refused goes to suspense; → rejected, and all of it does.
     * remise_may_settle; done again with the same: TP_OK. */
    enum tp_err (*collected)(void *of, const struct remise *r, const struct remise_refusal *refused,
                             size_t n, const char *outcome, struct tp_error *e);
    enum tp_err (*rejected)(void *of, const struct remise *r, const char *outcome,
                            struct tp_error *e);
    /* What of a settled remise is not paid: the centre refused it. */
    enum tp_err (*refused)(void *of, const struct remise *r, struct remise_totals *refused,
                           struct tp_error *e);
    void (*close)(void *of);
};

struct collector {   /* begins as {0} */
    const char *dir; /* the folder, which must live as long */
    const struct remise_books *books;
    void *of;
    struct caaa_schemas *schemas;
    struct centre_access centre;
    int stall_s, answer_s; /* time-outs: see post.h */
};

/* Beside the books, which the caller has opened into it and which collector_close closes: what a
 * run needs of the centre. On an error nothing is left open. */
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
