/* The words of a command line that say how a card is to pay, which `pay` and `get` share. */
#ifndef TP_PAYER_CARD_WORDS_H
#define TP_PAYER_CARD_WORDS_H

#include <argp.h>

#include "payer/pay.h"

#define CARD_WORDS_FIRST 0x200 /* its keys begin here */

/* A child of argp; its input is a struct pay_options that began as CARD_WORDS_NONE. */
extern const struct argp card_words;

#define CARD_WORDS_NONE ((struct pay_options){.wait_ms = 60000, .person = {.pin_fd = -1}})

#endif
