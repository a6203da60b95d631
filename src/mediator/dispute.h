/* How a dispute goes: who may open it, whose turn it is, what each side may say then. A step is
 * decided and written within the caller's transaction. */
#ifndef TP_MEDIATOR_DISPUTE_H
#define TP_MEDIATOR_DISPUTE_H

#include <jansson.h>

#include "mediator/challenge.h"
#include "mediator/disputes.h"

#define DISPUTE_SETTLES                                                                            \
    "the merchant settled the dispute" /* so begins why such a payment goes back */

struct dispute_terms {  /* seconds */
    int64_t open_s;     /* after the payment: later none is opened */
    int64_t answer_s;   /* for the merchant's word, after the opening and after evidence */
    int64_t decide_s;   /* after that word, for settling or refusing */
    int64_t evidence_s; /* for evidence */
};
/* From [dispute] in the folder's mediator.conf: open_days 120, answer_days 7, decide_days 30,
 * evidence_days 14 where nothing is said. TP_ERR_FORMAT. */
TP_MUST_CHECK enum tp_err dispute_terms_load(struct dispute_terms *out, const char *dir,
                                             struct tp_error *e);

enum dispute_finding {
    DISPUTE_FINE,      /* done, or done before */
    DISPUTE_NO_ORDER,  /* there is no such order */
    DISPUTE_NONE,      /* the order is not disputed */
    DISPUTE_UNPAID,    /* nothing was paid, or nobody knows yet */
    DISPUTE_BACK,      /* it is given back already, or a credit is due: the order says why */
    DISPUTE_NOT_PAYER, /* neither credential nor key is that which paid */
    DISPUTE_LATE,      /* longer ago than disputes are taken */
    DISPUTE_NOT_ASKED, /* for this evidence */
    DISPUTE_NO_KEY     /* the contract's key is gone: nothing can be answered */
};

struct dispute_case { /* begins as {0} */
    /* what came: of who pays */
    const char *jws;
    enum letter_kind kind;
    struct letter letter; /* read */
    /* what came of it */
    enum dispute_finding finding;
    bool disputed; /* there is one: */
    struct dispute dispute;
    char why[BOOK_WHY_MAX]; /* DISPUTE_BACK */
};
/* Its letter was read (letter_read_own); order is that of its address. */
TP_MUST_CHECK enum tp_err dispute_take(struct dispute_case *c, const char *order,
                                       struct orderbook *b, const struct issuing *by,
                                       const struct dispute_terms *terms, int64_t now,
                                       struct tp_error *e);
/* Without a letter: is there one? */
TP_MUST_CHECK enum tp_err dispute_look(struct dispute_case *c, const char *order,
                                       struct orderbook *b, struct tp_error *e);

/* The merchant's step, signed by the contract's key: act is one of ACT_…, but ACT_OPENED. words
 * NULL: none. TP_ERR_NOT_FOUND, TP_ERR_STATE (it is over, or not its turn), TP_ERR_USAGE. */
TP_MUST_CHECK enum tp_err dispute_act(struct dispute *out, const char *order, const char *act,
                                      const char *words, struct orderbook *b,
                                      const struct issuing *by, const struct dispute_terms *terms,
                                      int64_t now, struct tp_error *e);

/* Whether it is settled, by a letter that the contract's key signed over the whole of what was
 * paid; why says so. */
TP_MUST_CHECK enum tp_err dispute_is_settled(bool *settled, char why[BOOK_WHY_MAX],
                                             const struct orderbook_order *o, struct orderbook *b,
                                             const struct issuing *by, struct tp_error *e);

/* As it stands, with its letters (json_decref). */
TP_MUST_CHECK enum tp_err dispute_json(json_t **out, const struct dispute *d, struct orderbook *b,
                                       int64_t now, struct tp_error *e);

#endif
