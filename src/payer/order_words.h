/* The words of a command line that say how orders are paid over HTTP, which `get`, `pay` and
 * others share. */
#ifndef TP_PAYER_ORDER_WORDS_H
#define TP_PAYER_ORDER_WORDS_H

#include <argp.h>

#include "payer/checkout.h"

#define ORDER_WORDS_FIRST 0x300 /* its keys begin here */

/* Children of argp; their input is a struct checkout_options that began as ORDER_WORDS_NONE. What
 * pays nothing has asking_words: nobody says there by which means, or up to how much. */
extern const struct argp order_words, asking_words;

/* All children of what lists: asking_words, and table_argp (base/table.h). */
extern const struct argp_child asking_list_words[];

#define ORDER_WORDS_NONE ((struct checkout_options){.patience_s = CHECKOUT_PATIENCE, .code_fd = -1})

#endif
