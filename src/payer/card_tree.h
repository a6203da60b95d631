/* The whole of a card for `telepay card -v`: what it answered while it was read, with its logs and
 * what GET DATA gives, as a tree (decode/decode.h). */
#ifndef TP_PAYER_CARD_TREE_H
#define TP_PAYER_CARD_TREE_H

#include <jansson.h>

#include "kernel/kernel.h"

struct card_tree;

TP_MUST_CHECK enum tp_err card_tree_new(struct card_tree **out);
void card_tree_free(struct card_tree **t);

/* The reader_trace to hand to reader_set_trace, with the struct card_tree as ctx. It keeps each
 * answer whole: pieces of 61xx joined, those of 6Cxx left out. */
void card_tree_exchange(void *ctx, struct span command, struct span response);

/* Asks each application for what reading it for a payment does not: its log (9F4D, 9F4F: Book 3,
 * Annex D), and the objects that cards are known to give to GET DATA. reader_transmit's errors. */
TP_MUST_CHECK enum tp_err card_tree_read_more(struct card_tree *t, struct reader *reader,
                                              struct transaction *const *list, size_t n,
                                              struct tp_error *e);

/* Every application that was selected belongs to the test scheme. */
bool card_tree_test(const struct card_tree *t);

/* The tree. unmasked: with all that the card says of itself. TP_ERR_NO_MEMORY. */
TP_MUST_CHECK enum tp_err card_tree_make(json_t **out, struct card_tree *t,
                                         const struct capk_store *keys, bool unmasked);

#endif
