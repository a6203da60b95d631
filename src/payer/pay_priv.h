/* Inside of a payment (pay.c): its stages, and what is done at each. */
#ifndef TP_PAYER_PAY_PRIV_H
#define TP_PAYER_PAY_PRIV_H

#include "payer/deliver.h"
#include "payer/memory.h"
#include "payer/pay.h"
#include "payer/trace.h"

enum pay_stage {
    PAY_PREPARE,       /* nothing is asked of anybody yet */
    PAY_SIGN,          /* no card is asked for: the account's key is to sign */
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

struct payment;

/* How what a card signs comes to the acquirer: over the terminal's own link (pay_link.c), or as the
 * payment of an order, over HTTP (pay_order.c); which an account at a purse can pay, too
 * (pay_purse.c). */
struct pay_way {
    /* What is paid and to whom; of a card the terminal, with its journal. Then, of a person who is
     * there, the yes. */
    enum tp_err (*prepare)(struct payment *p, struct tp_error *e);
    enum tp_err (*agree)(struct payment *p, struct tp_error *e);
    /* Without a card: signs, and keeps it; goes on. NULL: a card signs. Then nothing but `deliver`
     * follows, and what stands between is NULL. */
    enum tp_err (*sign)(struct payment *p, struct tp_error *e);
    /* Before a card is waited for; goes on. */
    enum tp_err (*reach)(struct payment *p, struct tp_error *e);
    /* The payment's number, date and time, and what the card is to sign. */
    enum tp_err (*identify)(struct payment *p, struct tp_error *e);
    /* A question to the issuer: whether it can be asked; kept before it leaves; asked, the answer
     * to p->online; what its end is, in the journal; or that it is to be taken back. */
    enum tp_err (*connect)(struct payment *p, struct tp_error *e);
    enum tp_err (*keep_question)(struct payment *p, const struct transaction *tx,
                                 struct span message, struct tp_error *e);
    enum tp_err (*ask)(struct payment *p, struct buf *message, struct tp_error *e);
    enum tp_err (*conclude)(struct payment *p, enum pay_stage next, struct tp_error *e);
    enum tp_err (*give_back)(struct payment *p, struct tp_error *e);
    /* At once, if it can be: whether it is. */
    bool (*reverse)(struct payment *p, struct tp_error *e);
    /* What the card signed: kept, then delivered; both go on. */
    enum tp_err (*keep_signed)(struct payment *p, struct tp_error *e);
    enum tp_err (*deliver)(struct payment *p, struct tp_error *e);
    bool takes_offline;        /* also what the card signs alone after a question in vain */
    const char *kept;          /* to people: that it is signed and kept, and what delivers it */
    const char *reversal_kept; /* that the acquirer does not know yet that nothing is paid */
};
extern const struct pay_way pay_by_link;

struct payment { /* all that a payment holds while it lasts */
    const struct pay_options *options;
    const struct pay_way *way;
    struct pay_result *result;
    struct terminal *terminal; /* NULL: without a card */
    const struct currency *currency;
    const char *merchant;
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
    char undoes[13]; /* of a refund: the payment that it names; "": none */
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

/* What a card needs before it is asked for: the journal of the terminal, what is known of cards,
 * which applications may be taken. */
TP_MUST_CHECK enum tp_err pay_prepare_card(struct payment *p, struct tp_error *e);

/* Of a refund: the payment that it gives back and the amount, as far as the journal knows them: the
 * acquirer decides. Prepares the card, too. */
TP_MUST_CHECK enum tp_err pay_prepare_refund(struct payment *p, struct tp_error *e);

/* What is done at a stage ends in going on, or in a fault (pay.c has the table). */
TP_MUST_CHECK enum tp_err pay_reach_card(struct payment *p, struct tp_error *e);
TP_MUST_CHECK enum tp_err pay_run_card(struct payment *p, struct tp_error *e);
TP_MUST_CHECK enum tp_err pay_last_word(struct payment *p, struct tp_error *e);
TP_MUST_CHECK enum tp_err pay_settle_question(struct payment *p, struct tp_error *e);
TP_MUST_CHECK enum tp_err pay_reverse(struct payment *p, struct tp_error *e);

/* For the kernel (struct kernel_online): ctx is the payment. */
TP_MUST_CHECK enum tp_err pay_authorise(void *ctx, const struct transaction *tx,
                                        struct kernel_issuer_answer *out);

/* Of an order, whatever pays it: the person's yes, where the plan does not pay unasked; the row in
 * the journal, within its transaction (payer/orders.h), of what the secret (taken) and the
 * statement pay; all that the mediator is to be told. */
TP_MUST_CHECK enum tp_err pay_order_agree(struct payment *p, struct tp_error *e);
TP_MUST_CHECK enum tp_err pay_order_keep(struct payment *p, json_t *secret, const char *statement,
                                         bool asks, struct tp_error *e);
TP_MUST_CHECK enum tp_err pay_order_deliver(struct payment *p, struct tp_error *e);

struct span pay_get(const void *tx, uint32_t tag); /* a payment_get: of a transaction */
void pay_fill_receipt(struct payment *p, const struct transaction *tx);
void pay_say_signed(struct payment *p, const struct transaction *tx); /* events */
void pay_say_answered(struct payment *p, const struct wire_answer *a);
bool pay_card_approved(const struct payment *p);
enum cli_exit pay_exit_of_refusal(const struct receipt *r);

#endif
