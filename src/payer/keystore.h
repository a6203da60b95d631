/* A user's secret key as it is kept: enciphered (AES-256-GCM) under a key that scrypt (RFC 7914)
 * makes of the user's code; the identifier says whose it is. doc/telepay.1, FILES, has the form. */
#ifndef TP_PAYER_KEYSTORE_H
#define TP_PAYER_KEYSTORE_H

#include <stdbool.h>

#include "base/secret.h"

#define KEYSTORE_MAX      4096 /* bytes of a file */
#define KEYSTORE_ID       33   /* with its end */
#define KEYSTORE_CODE_MIN 6    /* characters */
#define KEYSTORE_CODE_MAX 128

struct keystore_cost { /* of scrypt: N is 2 to the power of log_n */
    uint8_t log_n, r, p;
};
#define KEYSTORE_COST ((struct keystore_cost){17, 8, 1}) /* 128 MiB, for what is enciphered now */

/* TP_ERR_RANGE when it would take more than 1 GiB. */
TP_MUST_CHECK enum tp_err keystore_scrypt(uint8_t *out, size_t n, struct span code,
                                          struct span salt, struct keystore_cost cost,
                                          struct tp_error *e);

/* Whether a file is of this form at all, of whatever version. */
bool keystore_is(struct span file);

/* Whose key it is, without the code. `path` is named to people. TP_ERR_FORMAT: cut off, damaged or
 * of a newer version, which it says. */
TP_MUST_CHECK enum tp_err keystore_whose(char id[KEYSTORE_ID], struct span file, const char *path,
                                         struct tp_error *e);

/* Appends the file. */
TP_MUST_CHECK enum tp_err keystore_close(struct buf *out, struct span key, const char *id,
                                         struct span code, struct keystore_cost cost,
                                         struct tp_error *e);

/* The key. TP_ERR_SECURITY when the code is wrong or the file was altered, which nobody can tell
 * apart; TP_ERR_FORMAT as above, and when it is another's. */
TP_MUST_CHECK enum tp_err keystore_open(struct secret *key, struct span file, const char *id,
                                        struct span code, const char *path, struct tp_error *e);

/* Seconds to wait before a code is tried after so many wrong ones. */
unsigned keystore_pause(unsigned wrong);

#endif
