/* The code that opens a user's key, from whoever knows it: a descriptor, a window, the terminal. */
#ifndef TP_PAYER_CODE_H
#define TP_PAYER_CODE_H

#include "base/secret.h"

struct code_source {
    int fd;             /* lines with codes; -1: ask */
    const char *dialog; /* the pinentry that asks in place of the terminal; NULL: none */
};
#define CODE_ASKED ((struct code_source){.fd = -1})

/* One code, without its line's end, as `text` asks for it. error: what was wrong with the last one;
 * NULL: nothing. TP_ERR_USAGE when nobody can be asked, or it is none; TP_ERR_CANCELLED when it is
 * empty or the person leaves. */
TP_MUST_CHECK enum tp_err code_ask(struct secret *out, const struct code_source *from,
                                   const char *text, const char *error, struct tp_error *e);

/* A code to be, of the key of that user: twice where a person types it. The same errors. */
TP_MUST_CHECK enum tp_err code_ask_new(struct secret *out, const struct code_source *from,
                                       const char *user, struct tp_error *e);

#endif
