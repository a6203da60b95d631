/* The users of a device: each has a folder of their own within its folder, with plan, journal and
 * key. Where nobody was added there is one, whose folder is the device's. */
#ifndef TP_PAYER_USER_H
#define TP_PAYER_USER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define USER_NAME    33 /* with its end */
#define USER_DEFAULT "default"
#define USERS_MAX    64

struct users { /* begins as {0} */
    char name[USERS_MAX][USER_NAME];
    size_t n;
};

/* Those that were added, by name. TP_ERR_IO, TP_ERR_RANGE. */
TP_MUST_CHECK enum tp_err users_list(struct users *out, const char *home, struct tp_error *e);

/* Whose name that is: `given` (--user), else $TELEPAY_USER, else USER_DEFAULT where nobody was
 * added. TP_ERR_USAGE where somebody was and nobody says who, or there is no such user. */
TP_MUST_CHECK enum tp_err user_name(char out[USER_NAME], const char *home, const char *given,
                                    struct tp_error *e);

/* The user's folder, by the same words, into out of PATH_MAX bytes. */
TP_MUST_CHECK enum tp_err user_folder(char *out, const char *home, const char *given,
                                      struct tp_error *e);

/* TP_ERR_USAGE, TP_ERR_EXISTS. */
TP_MUST_CHECK enum tp_err user_add(const char *home, const char *name, struct tp_error *e);

/* With all that the folder holds. TP_ERR_USAGE when there is no such user. */
TP_MUST_CHECK enum tp_err user_remove(const char *home, const char *name, struct tp_error *e);

#endif
