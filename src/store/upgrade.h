/* `… upgrade` of each program: brings up what an older version made, after its person said yes. */
#ifndef TP_STORE_UPGRADE_H
#define TP_STORE_UPGRADE_H

#include "store/schema.h"

/* Says what will be done and asks on the terminal; without one only with `yes` (TP_ERR_USAGE).
 * Says where the copy of before is. TP_ERR_CANCELLED: the person said no. */
TP_MUST_CHECK enum tp_err db_upgrade_asking(const char *where, const struct db_schema *schema,
                                            bool yes, struct tp_error *e);

/* The whole command of a program that keeps its books in a folder (--dir DIR, --yes). */
struct db_upgrade_command {
    const struct db_schema *schema;
    enum tp_err (*dir)(char *out, const char *given, struct tp_error *e); /* PATH_MAX */
    const char *file;
};
int db_upgrade_run(const struct db_upgrade_command *c, int argc, char **argv);

#endif
