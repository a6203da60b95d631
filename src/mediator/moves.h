/* How an order goes from state to state: what may happen to it, and what the books say then. One
 * move is decided and written within one transaction; nothing leaves before that is durable. */
#ifndef TP_MEDIATOR_MOVES_H
#define TP_MEDIATOR_MOVES_H

#include "mediator/challenge.h"

#define COMPLETION_S 60    /* within which the payer device says that the card had its last word */
#define ATTEMPTS_MAX 20    /* of an order: what refuses them has a number used up each time */
#define REPEAT_S     86400 /* so long a browser has what it paid for by asking again */
#define GRACE_S      30    /* that clocks may be apart */

enum event {
    EVENT_ASKED,         /* a demand was quoted: the order is new */
    EVENT_LOOK,          /* nothing happens: where does it stand? */
    EVENT_FIND,          /* the same browser asks for the same again: is there an order? */
    EVENT_CLAIM,         /* a payer device takes it */
    EVENT_RELEASE,       /* and gives it back: its person says no */
    EVENT_PAY,           /* a credential came */
    EVENT_ANSWER,        /* the acquirer answered */
    EVENT_SILENT,        /* it did not, in time */
    EVENT_COMPLETE,      /* the payer device says what the card's last word was */
    EVENT_LATE,          /* it did not, in time */
    EVENT_DELIVERED,     /* the service delivered */
    EVENT_UNDELIVERABLE, /* it will not: why */
    EVENT_REVERSED,      /* the acquirer reversed */
    EVENT_UNREVERSED,    /* it cannot: why */
    EVENT_SETTLED,       /* a dispute about it is: what was paid is given back */
    EVENT_GO_ON,         /* nothing happens: where does that attempt stand? */
    EVENT_SESSION_END,   /* of a session, as all below: its holder, silence or time ends it */
    EVENT_PRESENTED,     /* the purse has taken what was presented */
    EVENT_SESSION_ENDED  /* the purse knows that it is over */
};

enum finding {
    FOUND_FINE,      /* as it should be: done, or done before */
    FOUND_NONE,      /* there is no such order */
    FOUND_INVALID,   /* no such challenge, or not the one that can be paid now */
    FOUND_OTHER,     /* another credential is paying, or has paid */
    FOUND_TAKEN,     /* another payer device has claimed it */
    FOUND_EXPIRED,   /* its time is over, and nothing came */
    FOUND_UNREACHED, /* its acquirer is not reached: nothing was kept */
    FOUND_OVER,      /* it is too late for that */
    FOUND_SESSION,   /* no session of that key that takes vouchers */
    FOUND_BEHIND,    /* a voucher that is not the next one: `known` says which was the last */
    FOUND_EXCEEDED   /* more than its provision has left */
};

struct voucher { /* what its statement says; text is the attempt's `pays` */
    char session[BOOK_ORDER_ID], account[48], contract[BOOK_CONTRACT_MAX];
    uint8_t key[32];
    uint16_t currency;
    int64_t sum, number;
};

struct move { /* begins as {0}; move_free */
    enum event event;
    char id[BOOK_ORDER_ID]; /* of the order, or the session */
    int64_t now;

    /* what came with it; strings are the move's */
    const struct orderbook_order *wanted; /* EVENT_FIND: what is asked, and by which browser */
    char *quote;                          /* EVENT_ASKED: as its service gave it */
    char challenge_id[48];                /* EVENT_PAY */
    uint8_t credential[BOOK_CREDENTIAL];  /* EVENT_PAY, EVENT_COMPLETE */
    char *pays, *beside;                  /* EVENT_PAY */
    struct voucher voucher;           /* … of a session; EVENT_SESSION_END: whose, key alone */
    bool by_holder;                   /* EVENT_SESSION_END */
    char contract[BOOK_CONTRACT_MAX]; /* EVENT_PRESENTED: under which, and how much in all */
    int64_t presented;
    bool has_claim, completed;
    bool reached; /* EVENT_PAY: the acquirer can be asked now */
    bool foreign; /* EVENT_PAY: its challenge is none of the key of now: it gets what it got, and
                     pays nothing */
    uint8_t claim[BOOK_CLAIM]; /* EVENT_CLAIM, EVENT_RELEASE, EVENT_PAY */
    uint32_t n;                /* EVENT_ANSWER, EVENT_SILENT, EVENT_GO_ON: which attempt;
                                  EVENT_REVERSED, EVENT_UNREVERSED: 0 is the order's own */
    struct {
        enum outcome outcome;
        bool completion; /* the card has yet to have its last word */
        char code[3], reason[26], rrn[BOOK_REFERENCE];
        char *acknowledgement, *answer;
        bool opens; /* the purse has reserved for `session`: `answer` says so */
        struct orderbook_session session;
    } said;                 /* EVENT_ANSWER */
    char why[BOOK_WHY_MAX]; /* EVENT_UNDELIVERABLE, EVENT_UNREVERSED */

    /* what came of it. EVENT_ASKED: order, attempt and others come with it */
    enum finding finding;
    bool moved; /* it is in another state than before */
    struct orderbook_order order;
    struct orderbook_attempt attempt;                /* that it is about; else the order's own */
    bool payable;                                    /* it can be paid */
    struct orderbook_attempt others[BOOK_MEANS_MAX]; /* that can be paid too, or in its place */
    size_t n_others;
    struct orderbook_session session;  /* of the events of sessions */
    int64_t known_sum, known_number;   /* FOUND_BEHIND */
    uint32_t surplus[BOOK_RIVALS_MAX]; /* attempts that are to be given back from now on */
    size_t n_surplus;
};

TP_MUST_CHECK enum tp_err move_apply(struct move *m, struct orderbook *b, const struct issuing *by,
                                     struct tp_error *e);
/* Before it is applied again: what came of it is forgotten. */
void move_reset(struct move *m);
void move_free(struct move *m);

#endif
