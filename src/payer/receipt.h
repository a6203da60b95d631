/* What a payment was, for people: the ticket (payer/ticket.h), the journal and --json. Holds
 * nothing that must not be seen: the card number is masked. */
#ifndef TP_PAYER_RECEIPT_H
#define TP_PAYER_RECEIPT_H

#include <jansson.h>

#include "base/mask.h"
#include "kernel/kernel.h"
#include "payer/terminal.h"

enum payment_state {
    PAYMENT_DECLINED,     /* the card or the terminal said no: nothing was sent */
    PAYMENT_SIGNED,       /* the card has signed; the acquirer has not acknowledged yet */
    PAYMENT_ACKNOWLEDGED, /* the acquirer keeps it and will collect it */
    PAYMENT_REFUSED,      /* the acquirer said no */
    PAYMENT_REPLAYED,     /* a transcript was run again and came to a TC: nothing is paid */
    PAYMENT_ASKED, /* the issuer is being asked through the acquirer, and the card has not had its
                      last word */
    PAYMENT_TO_REVERSE,  /* what was asked came to nothing here, and the acquirer does not know yet
                          */
    PAYMENT_REVERSED,    /* the acquirer has taken it back */
    PAYMENT_NOT_REVERSED /* the acquirer cannot take it back any more: a refund is due */
};

struct receipt { /* texts are "" when there is nothing to say */
    enum payment_state state;
    char merchant[41], contract[16], terminal[9];
    struct shop shop;
    int date, time; /* YYYYMMDD, HHMMSS, local */
    uint8_t type;   /* 9C: 00 purchase, 20 refund */
    int64_t amount;
    uint16_t currency;
    char purse[17]; /* its acquirer, where an account there pays; "": a card does */
    char pan[PAN_TEXT_MAX], psn[4];
    char aid[33], label[17];
    char method[5];             /* offline data authentication: "CDA" */
    char verified[80];          /* how the cardholder was verified */
    bool signature;             /* on paper, by the cardholder, is wanted for it */
    char languages[9];          /* that the cardholder likes (5F2D): "fren" */
    char cryptogram[5], ac[17]; /* "TC", and its value */
    int atc;                    /* -1: none */
    char tvr[11], tsi[5];
    unsigned stan;
    char rrn[40];     /* a reference; of a voucher SESSION-NUMBER */
    char undoes[13];  /* of a refund: the payment that it gives back, by its reference */
    char approval[7]; /* DE 38: the issuer's approval code */
    char answer[3];   /* DE 39 */
    bool voided;      /* the merchant takes it back, or has */
    bool by_issuer;   /* of one that is refused: it was the card's issuer who did */
    bool copy;        /* shown again: never kept */
    char reason[200]; /* why it was not approved, in a sentence */
};

/* A data element of the payment; an empty span when there is none. */
typedef struct span payment_get(const void *ctx, uint32_t tag);

/* Whether an offline PIN that failed was in truth passed over by the cardholder (Book 4, 6.3.4.3):
 * the TVR says so. */
bool cvm_bypassed(uint8_t code, bool failed, struct span tvr);

/* From terminal, request and what the card gave; state, stan, answer and reason are left to the
 * caller. */
void receipt_fill(struct receipt *r, const struct terminal *terminal,
                  const struct transaction_request *request, payment_get *get, const void *ctx);

/* Whether money moves, or has moved, for a payment in that state. */
bool payment_counts(enum payment_state s);
const char *payment_state_name(
    enum payment_state s); /* "acknowledged", as in the journal and in JSON */
/* By its name, or with - for each blank. TP_ERR_USAGE. */
TP_MUST_CHECK enum tp_err payment_state_parse(int *out, const char *text, struct tp_error *e);

/* As --json and --events show it, by doc/json.md: a new object. NULL: no memory. */
json_t *receipt_shown(const struct receipt *r);

/* As the journal keeps it, and back. TP_ERR_NO_MEMORY; TP_ERR_FORMAT. */
TP_MUST_CHECK enum tp_err receipt_to_json(json_t **out, const struct receipt *r);
TP_MUST_CHECK enum tp_err receipt_from_json(struct receipt *r, const json_t *object);

#endif
