/* A pass: who shows it was known by that name, for a while. NAME.UNTIL.MAC, under a key of the
 * server's own: nothing is kept of it. */
#ifndef TP_WIRE_PASS_H
#define TP_WIRE_PASS_H

#include "base/span.h"

#define PASS_TEXT 160 /* its text, with its end */
#define PASS_NAME 44  /* base64url of 32 bytes, with its end */
#define PASS_FOR  64  /* what it is good for, with its end */

/* `good_for` that alone: a service, a key of that name. TP_ERR_INTERNAL. */
TP_MUST_CHECK enum tp_err pass_write(char out[PASS_TEXT], struct span key, const char *good_for,
                                     const char *name, int64_t until, struct tp_error *e);

/* Whose it is; false: of another key, for something else, over, or none. */
bool pass_read(char name[PASS_NAME], struct span key, const char *good_for, const char *pass,
               int64_t now);

#endif
