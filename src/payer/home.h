/* The user's own folder: which authorities are trusted, what acquirers gave for cards, the device's
 * key, the journal of orders. */
#ifndef TP_PAYER_HOME_H
#define TP_PAYER_HOME_H

#include <limits.h>

#include "base/err.h"

#define HOME_JOURNAL "journal.db"

/* Its path into out, of PATH_MAX bytes: `given` (--home), else $XDG_CONFIG_HOME/telepay, else
 * ~/.config/telepay. TP_ERR_USAGE when nobody says where. */
TP_MUST_CHECK enum tp_err home_path(char out[PATH_MAX], const char *given, struct tp_error *e);

/* The same, made when it is not there, and closed to all others (0700). */
TP_MUST_CHECK enum tp_err home_open(char out[PATH_MAX], const char *given, struct tp_error *e);

/* The folder `name` in it, made when it is not there. */
TP_MUST_CHECK enum tp_err home_folder(char out[PATH_MAX], const char *home, const char *name,
                                      struct tp_error *e);

#endif
