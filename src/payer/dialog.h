/* Questions in a window of the person's own, or on another terminal, by pinentry (as gpg-agent asks
 * for its passphrases): for what runs without a terminal. */
#ifndef TP_PAYER_DIALOG_H
#define TP_PAYER_DIALOG_H

#include "base/secret.h"

#define DIALOG_PROGRAM "pinentry"

struct dialog;

/* Starts the program. TP_ERR_USAGE, with what to install, when it cannot be. */
TP_MUST_CHECK enum tp_err dialog_open(struct dialog **out, const char *program, struct tp_error *e);
void dialog_close(struct dialog **d);

/* Asks for a line without showing it. error: what was wrong with the last one; NULL: nothing.
 * TP_ERR_CANCELLED, also after a minute without an answer; TP_ERR_PEER when the program fails. */
TP_MUST_CHECK enum tp_err dialog_secret(struct dialog *d, const char *text, const char *prompt,
                                        const char *error, struct secret *out, struct tp_error *e);

/* Asks for a yes. */
TP_MUST_CHECK enum tp_err dialog_agrees(struct dialog *d, const char *text, bool *yes,
                                        struct tp_error *e);

#endif
