/* What is said of all that comes to a purse: one list, and what each verdict is answered with. */
#ifndef TP_PURSE_VERDICT_H
#define TP_PURSE_VERDICT_H

#include <stdbool.h>

/* In order of precedence: of several that hold the first is told (doc/protocol.md, The purse). */
enum purse_verdict {
    PURSE_NEW, /* nothing stands against it: paid */
    PURSE_MALFORMED,
    PURSE_SIGNATURE,     /* the key in its header did not sign it */
    PURSE_CHALLENGE,     /* it is about another challenge (R) */
    PURSE_ACQUIRER,      /* it is for another purse */
    PURSE_ASKED,         /* a question that is not asked now */
    PURSE_REPEAT,        /* the same again: what was answered is answered */
    PURSE_UNPAID,        /* to be given back, and no such payment was made */
    PURSE_UNKNOWN,       /* no such account */
    PURSE_KEY,           /* another key than the account's */
    PURSE_COUNTER_USED,  /* by another statement */
    PURSE_COUNTER_OLD,   /* behind the window */
    PURSE_ORDER,         /* no order that the authority vouches for */
    PURSE_ORDER_OTHER,   /* of another acquirer, or of an unknown mediator or contract */
    PURSE_ORDER_TIME,    /* not valid now */
    PURSE_ORDER_DIFFERS, /* the statement, or the request, says something else than it */
    PURSE_SESSION,       /* of no provision that this mediator has */
    PURSE_MEDIATOR_CLOSED,
    PURSE_CONTRACT_CLOSED,
    PURSE_ORDER_USED,
    PURSE_SESSION_USED,  /* by another provision */
    PURSE_VOUCHER_OTHER, /* none, or not what is presented */
    PURSE_VOUCHER_SUM,   /* more was presented before */
    PURSE_SESSION_ENDED,
    PURSE_REMISE_CLOSED, /* what was paid can be given back no more */
    PURSE_STOPPED,
    PURSE_ACCOUNT_CLOSED,
    PURSE_CURRENCY,      /* not the account's, or not the contract's */
    PURSE_UNTIL,         /* a provision that is over, or is to last too long */
    PURSE_ORDER_CEILING, /* more than the order takes by a purse */
    PURSE_LIMIT_PAYMENT,
    PURSE_LIMIT_DAY,
    PURSE_FULL,            /* it would hold more than an account may */
    PURSE_PROVISION_SPENT, /* vouchers for more than was reserved */
    PURSE_BALANCE,
    PURSE_REFUSALS, /* in place of a refusal that would be kept: enough of them are, today */
    PURSE_FAULT,    /* ours: nothing is kept, and it may be sent again */
    PURSE_VERDICTS
};

struct purse_verdict_row {
    enum purse_verdict verdict;
    const char *code;   /* as DE 39; "00": paid */
    const char *reason; /* "": none */
    bool final;         /* signed, and kept under the statement's counter: it stays refused */
    unsigned status;    /* of HTTP */
    const char *text;   /* for people */
};

/* The row of a verdict; of what is none, that of PURSE_FAULT. */
const struct purse_verdict_row *purse_verdict_row(enum purse_verdict v);

#endif
