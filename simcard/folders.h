/* A folder of cards, as `telepay-perso cards` makes it. */
#ifndef TP_SIMCARD_FOLDERS_H
#define TP_SIMCARD_FOLDERS_H

#include <stddef.h>

#include "base/err.h"

struct card_folders { /* paths of the folders in a folder that hold a card, sorted by name */
    char **path;
    size_t n;
};

/* TP_ERR_NOT_FOUND when there is none. */
TP_MUST_CHECK enum tp_err card_folders_list(struct card_folders *out, const char *dir,
                                            struct tp_error *e);
void card_folders_free(struct card_folders *f);

#endif
