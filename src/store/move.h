/* Brings all rows of one database into a new one, on the same engine or the other. */
#ifndef TP_STORE_MOVE_H
#define TP_STORE_MOVE_H

#include "store/schema.h"

/* Makes `to` (TP_ERR_EXISTS when it holds something already) and fills it with every row of `from`,
 * in one transaction: it is whole, or nothing. The rules hold from its end on, not for the rows,
 * which they were held to once. Then `moved` is called with how many rows there were, while nobody
 * can write into `from` yet: there everybody is to be sent to `to`. */
typedef enum tp_err db_moved(void *ctx, uint64_t rows, struct tp_error *e);
TP_MUST_CHECK enum tp_err db_move(const char *from, const char *to, const struct db_schema *schema,
                                  db_moved *moved, void *ctx, struct tp_error *e);

#endif
