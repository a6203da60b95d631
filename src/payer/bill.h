/* What one owes: a biller's list, which its mediator gives to who says who they are. */
#ifndef TP_PAYER_BILL_H
#define TP_PAYER_BILL_H

#include "payer/identity.h"

struct bills {    /* begins as {0}; bills_free */
    json_t *list; /* bill, designation, amount (minor units), currency, until?, paid, url */
};

/* The list at the address of the biller (https://mediator/bills/SERVICE). The errors of fetch_send
 * and identity_tell; TP_ERR_PEER: it answers otherwise. */
TP_MUST_CHECK enum tp_err bills_fetch(struct bills *out, struct fetch *f, const char *at,
                                      const struct identity_options *options, struct tp_error *e);
void bills_free(struct bills *b);

/* Where the bill of that number is paid (borrowed). TP_ERR_NOT_FOUND; TP_ERR_STATE: it is paid;
 * TP_ERR_SECURITY: at another mediator than `at`. */
TP_MUST_CHECK enum tp_err bills_find(const char **url, const struct bills *b, const char *number,
                                     const char *at, struct tp_error *e);

#endif
