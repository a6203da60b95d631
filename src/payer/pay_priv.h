/* Inside of a payment (pay.c): its stages, and what is done at each. */
#ifndef TP_PAYER_PAY_PRIV_H
#define TP_PAYER_PAY_PRIV_H

#include "payer/deliver.h"
#include "payer/memory.h"
#include "payer/pay.h"
#include "payer/trace.h"

enum pay_stage {
    PAY_PREPARE,       /* nothing is asked of anybody yet */
    PAY_GREET,         /* the acquirer is reached, and what lies from before delivered */
    PAY_WAIT_CARD,     /* a reader, a card in it */
    PAY_CARD,          /* the card and the terminal decide */
    PAY_ASKED,         /* a question to the issuer may have left; nothing is known of its answer */
    PAY_UNREACHED,     /* the acquirer could not ask the issuer (91): it keeps nothing, and
                          reverses what it asked */
    PAY_REFUSED,       /* acquirer or issuer said no */
    PAY_APPROVED,      /* the issuer said yes: the card has yet to have its last word */
    PAY_ALONE,         /* the card has had its last word, and nobody beside it was asked */
    PAY_DENIED,        /* so has it, after a no that the journal knows */
    PAY_TO_REVERSE,    /* so has it, or has left, after a question that is to be reversed */
    PAY_REVERSED,      /* and that is */
    PAY_REVERSAL_KEPT, /* or is kept to be, by a later run */
    PAY_SIGNED,        /* the card has signed what pays */
    PAY_KEPT,          /* that is in the journal; whether the acquirer has it, nobody knows */
    PAY_SETTLED,       /* the acquirer has said what it thinks of it: in journal and receipt */
    PAY_END
};

struct payment { /* all that a payment holds while it lasts */
    const struct pay_options *options;
    struct pay_result *result;
    struct terminal *terminal;
    struct journal *journal;
    struct memory *memory;
    struct deliverer *deliverer;
    struct person *person;
    struct reader *reader;
    struct trace *trace;
    struct transaction_request request;
    enum pay_stage stage;
    uint8_t aid[16]; /* of --application, to which request points */
    char what[96];   /* is paid, and to whom */
    unsigned stan;
    bool by_keypad;            /* the reader's own takes the PIN */
    struct tp_error card;      /* why the card came to no end; code TP_OK: it did */
    int64_t asked;             /* the question's row in the journal; 0: nobody was asked */
    int64_t after;             /* that row when it is being reversed: what the card then signs is
                                  delivered behind it; 0: none */
    int64_t kept;              /* the row of what the card signed */
    struct wire_answer online; /* the answer to the question; code "" when there was none */
    uint8_t reversal[512];     /* the 0400 of the question */
    size_t reversal_n;
    uint8_t message[MESSAGE_MAX]; /* the 0200 of what the card signed */
    size_t message_n;
};

/* The one place where a payment goes from stage to stage. */
void pay_go_on(struct payment *p, enum pay_stage next);

/* What is done at a stage ends in going on, or in a fault (pay.c has the table). */
TP_MUST_CHECK enum tp_err pay_reach_acquirer(struct payment *p, struct tp_error *e);
TP_MUST_CHECK enum tp_err pay_keep_signed(struct payment *p, struct tp_error *e);
TP_MUST_CHECK enum tp_err pay_deliver_kept(struct payment *p, struct tp_error *e);
TP_MUST_CHECK enum tp_err pay_settled(struct payment *p, struct tp_error *e);
TP_MUST_CHECK enum tp_err pay_reach_card(struct payment *p, struct tp_error *e);
TP_MUST_CHECK enum tp_err pay_run_card(struct payment *p, struct tp_error *e);
TP_MUST_CHECK enum tp_err pay_last_word(struct payment *p, struct tp_error *e);
TP_MUST_CHECK enum tp_err pay_settle_question(struct payment *p, struct tp_error *e);
TP_MUST_CHECK enum tp_err pay_reverse(struct payment *p, struct tp_error *e);

/* What must be delivered before the payment of that row, is. */
TP_MUST_CHECK enum tp_err pay_deliver_first(struct payment *p, int64_t id, struct tp_error *e);

/* For the kernel (struct kernel_online): ctx is the payment. */
TP_MUST_CHECK enum tp_err pay_authorise(void *ctx, const struct transaction *tx,
                                        struct kernel_issuer_answer *out);

struct span pay_get(const void *tx, uint32_t tag); /* a payment_get: of a transaction */
void pay_fill_receipt(struct payment *p, const struct transaction *tx);
bool pay_card_approved(const struct payment *p);
enum cli_exit pay_exit_of_refusal(const struct receipt *r);

#endif
