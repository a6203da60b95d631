/* One payment from the typed amount to the acknowledgement (doc/design.md, Modes:
 * at a counter). */
#ifndef TP_PAYER_PAY_H
#define TP_PAYER_PAY_H

#include "base/cli.h"
#include "payer/person.h"
#include "payer/receipt.h"

struct pay_order; /* payer/pay_order.h */

struct pay_options {
    struct pay_order *order;       /* that is paid over HTTP; NULL: at a counter, as config says */
    const char *config;            /* telepay.conf */
    const char *amount, *currency; /* as typed; currency NULL: the contract's */
    bool refund;                   /* gives back … */
    const char *undoes;            /* this payment, as typed (journal_find); NULL: none is named */
    const char *reader;            /* its number or part of its name; NULL: any */
    const char *trace;             /* file; NULL: none */
    bool trace_unmasked;           /* of a card of the test scheme */
    bool keep_trace;               /* without a file: in the result */
    bool allow_live_card;
    bool no_pinpad; /* the PIN is asked for here even if the reader has a keypad; person.pin_fd says
                       so too */
    int wait_ms;    /* for a card */
    struct person_options person;
};

struct pay_result {
    enum cli_exit exit;
    struct tp_error error; /* code TP_OK: there is a receipt to show and nothing else to say */
    bool has_receipt;      /* the card was reached */
    struct receipt receipt;
    struct transaction *tx; /* NULL: none. Freed by pay_result_free */
    struct person
        *person; /* signals are held back as long: the receipt is printed before it is freed */
    struct terminal *terminal; /* tx speaks of its authority keys: kept as long */
    char *trace;               /* of keep_trace; NULL: no card was reached */
    size_t trace_n;
    struct reader_counts counts;
    int64_t card_ms, acquirer_ms; /* time spent */
};

/* Runs it. Every failure is in *result. No signal ends the program between the two. */
void pay_run(struct pay_result *result, const struct pay_options *options);
void pay_result_free(struct pay_result *result);

/* Amount and currency as typed, for a contract in `contract` currency: TP_ERR_USAGE with a
 * sentence. */
TP_MUST_CHECK enum tp_err pay_amount(int64_t *minor, const struct currency *contract,
                                     const char *amount, const char *currency, struct tp_error *e);

#endif
