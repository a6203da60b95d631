/* The command lines of `telepay purse`, and what each of its commands begins and ends with. */
#ifndef TP_PAYER_PURSE_WORDS_H
#define TP_PAYER_PURSE_WORDS_H

#include <argp.h>

#include "base/text.h"
#include "payer/checkout.h"

struct purse_words {
    struct checkout_options checkout;
    struct pay_options pay; /* of a card that fills */
    const char *at, *currency, *purse, *iban, *name;
    const char *amount; /* "20.00 EUR", in one word or two */
    char amount_room[64];
    int64_t hours;      /* 0: not said */
    const char *window; /* the pinentry that asks in place of the terminal; NULL: none */
    bool takes_amount, by_card, json, yes;
};

#define PURSE_AT_KEY     0x100
#define PURSE_CUR_KEY    0x101
#define PURSE_KEY        0x102
#define PURSE_IBAN_KEY   0x103
#define PURSE_NAME_KEY   0x104
#define PURSE_YES_KEY    0x105
#define PURSE_HOURS_KEY  0x107
#define PURSE_WINDOW_KEY 0x108

#define PURSE_WORD                                                                                 \
    {                                                                                              \
        "purse", PURSE_KEY, "ID", 0, N_("at which purse, where you have accounts at several"), 0   \
    }
#define PURSE_WORD_JSON                                                                            \
    {                                                                                              \
        "json", 'j', NULL, 0, N_("print JSON"), 0                                                  \
    }

/* Of argp: its input is a struct purse_words; the children are order_words, and card_words of a
 * command that a card pays. */
error_t purse_words_parse(int key, char *arg, struct argp_state *state);
extern const struct argp_child purse_words_children[], purse_words_card_children[];

struct purse_run { /* a command while it runs */
    struct purse_words words;
    struct checkout checkout;
    struct fetch *fetch;
};

/* Parses, and opens what the user's folder holds. purse_run_end after an error too: the exit code.
 */
TP_MUST_CHECK enum tp_err purse_run_begin(struct purse_run *run, const struct argp *argp,
                                          bool takes_amount, int argc, char **argv,
                                          struct tp_error *e);
int purse_run_end(struct purse_run *run, enum tp_err r, struct tp_error *e);

/* The account that is meant, and the amount that was typed, in its currency. TP_ERR_USAGE,
 * TP_ERR_NOT_FOUND. */
TP_MUST_CHECK enum tp_err purse_run_account(struct purse_account *out, struct purse_run *run,
                                            struct tp_error *e);
TP_MUST_CHECK enum tp_err purse_run_amount(int64_t *out, const struct purse_run *run,
                                           const struct purse_account *a, struct tp_error *e);

#endif
