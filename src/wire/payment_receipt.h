/* The receipt of the "Payment" scheme: the field Payment-Receipt, on 2xx alone. */
#ifndef TP_WIRE_PAYMENT_RECEIPT_H
#define TP_WIRE_PAYMENT_RECEIPT_H

#include <jansson.h>

#include "base/span.h"

#define PAYMENT_RECEIPT_MAX 32768 /* bytes of the JSON */

struct payment_receipt { /* begins as {0} */
    const char *method;
    const char *timestamp; /* RFC 3339 */
    const char *reference;
    const char *challenge_id; /* NULL: absent */
    json_t *more;  /* an object: the members of the method's own; when read: all there are */
    json_t *owner; /* of all above, when read: payment_receipt_free */
};

/* The field's value (free()). A member of more that bears the name of one above is an error
 * (TP_ERR_EXISTS). */
TP_MUST_CHECK enum tp_err payment_receipt_write(char **out, const struct payment_receipt *r,
                                                struct tp_error *e);

/* TP_ERR_FORMAT with the member that is missing or wrong (status must be "success"), TP_ERR_RANGE
 * when it is too large. */
TP_MUST_CHECK enum tp_err payment_receipt_read(struct payment_receipt *out, struct span field,
                                               struct tp_error *e);
void payment_receipt_free(struct payment_receipt *r);

#endif
