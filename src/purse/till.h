/* The till of a purse: what comes to its door for the books. One thread decides what waits, in
 * groups (store/group.h), and answers when that is durable. */
#ifndef TP_PURSE_TILL_H
#define TP_PURSE_TILL_H

#include <jansson.h>

#include "purse/desk.h"
#include "purse/paying.h"
#include "wire/http_call.h"

struct till;

TP_MUST_CHECK enum tp_err till_open(struct till **out, const char *dir,
                                    const struct purse_settings *settings, struct tp_error *e);
/* Works off what waits; from then on none is taken. */
void till_stop(struct till *t);
void till_close(struct till **t);

enum till_kind {
    TILL_OPENING,
    TILL_SUCCESSION,
    TILL_PAYMENT,
    TILL_REVERSAL,
    TILL_EMPTYING,
    TILL_PRESENTATION,
    TILL_END,
    TILL_FILL
};

/* What is asked; the call said http_later and is answered and resumed when it is over. The rest is
 * moved, and is the till's to free. */
struct till_job {
    struct http_call *call;
    time_t now; /* when it was read: its order was valid then */
    enum till_kind kind;
    struct paying paying;             /* TILL_PAYMENT */
    struct purse_statement statement; /* of what an account's key signed … */
    struct purse_token token;         /* … and a mediator's */
    char *jws;                        /* … as it came */
    struct booking booking;           /* TILL_FILL: its evidence is jws */
    char *page;                       /* … what is answered when it is filled; NULL: JSON */
};
void till_take(struct till *t, struct till_job *job);

/* Frees what a job holds. */
void till_job_free(struct till_job *job);

/* Answers with JSON (the object is taken). */
void till_answer_json(struct http_call *call, unsigned status, json_t *object);
/* Answers with what was decided: a payment or what is answered in its form, an account. */
void till_answer_payment(struct http_call *call, const struct payment_answer *a);
void till_answer_account(struct http_call *call, enum purse_verdict verdict, const char *account);

#endif
