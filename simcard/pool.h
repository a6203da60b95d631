/* A folder of cards, as `telepay-perso cards` makes it, and a pool of them for load programs: each
 * thread takes a card that nobody has, and gives it back. */
#ifndef TP_SIMCARD_POOL_H
#define TP_SIMCARD_POOL_H

#include "simcard/card.h"

struct card_folders { /* paths of the folders in a folder that hold a card, sorted by name */
    char **path;
    size_t n;
};

/* TP_ERR_NOT_FOUND when there is none. */
TP_MUST_CHECK enum tp_err card_folders_list(struct card_folders *out, const char *dir,
                                            struct tp_error *e);
void card_folders_free(struct card_folders *f);

struct card_pool;

/* Opens all cards of a folder. As card_open. */
TP_MUST_CHECK enum tp_err card_pool_open(struct card_pool **out, const char *dir,
                                         enum card_keep keep, struct tp_error *e);
void card_pool_close(struct card_pool **pool); /* when all cards are back */
size_t card_pool_size(const struct card_pool *pool);

/* A card that nobody has: the one that was given back longest ago. Waits while all are out. From
 * any thread. */
struct card *card_pool_take(struct card_pool *pool);
void card_pool_give(struct card_pool *pool, struct card *card);

#endif
