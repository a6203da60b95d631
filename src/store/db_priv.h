/* What the files of the store share. */
#ifndef TP_STORE_DB_PRIV_H
#define TP_STORE_DB_PRIV_H

#include "store/driver.h"

/* As people may see it: user:password@ and password= lose the password. Free it; NULL: no memory.
 */
char *db_shown(const char *where);

/* A connection, whatever it holds. */
TP_MUST_CHECK enum tp_err db_connect(struct db **out, const char *where, bool make,
                                     struct tp_error *e);
void db_forget_statements(struct db *d); /* before its tables change */
const char *db_name(const struct db *d);
const struct db_driver *db_driver_of(const struct db *d);
void *db_conn(struct db *d);

/* Within a transaction: its tables, and whose they are; its rules. */
TP_MUST_CHECK enum tp_err db_make_tables(struct db *d, const struct db_schema *schema,
                                         struct tp_error *e);
TP_MUST_CHECK enum tp_err db_make_rules(struct db *d, const struct db_schema *schema,
                                        struct tp_error *e);
TP_MUST_CHECK enum tp_err db_must_be_empty(struct db *d, struct tp_error *e); /* TP_ERR_EXISTS */

#endif
