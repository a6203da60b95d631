/* The request of the intent "charge" (draft-payment-intent-charge-00): what is to be paid once. */
#ifndef TP_WIRE_PAYMENT_CHARGE_H
#define TP_WIRE_PAYMENT_CHARGE_H

#include <jansson.h>

#include "base/span.h"

#define PAYMENT_CHARGE      "charge"
#define PAYMENT_REQUEST_MAX 32768 /* bytes of the JSON */

struct payment_charge {
    const char *amount;    /* digits, minor units, no leading zero */
    const char *currency;  /* lower case ISO 4217 of ours; others' as it came */
    const char *recipient; /* NULL: absent, as all below */
    const char *description;
    const char *external_id;
    const char *unit_type;  /* of a session alone; written, not read */
    json_t *method_details; /* an object */
    json_t *owner;          /* of all above, when read: payment_charge_free */
};

/* From the challenge's request. Unknown members are passed over. TP_ERR_FORMAT with the member that
 * is wrong, TP_ERR_RANGE when it is too large. */
TP_MUST_CHECK enum tp_err payment_charge_read(struct payment_charge *out, const char *request,
                                              struct tp_error *e);
void payment_charge_free(struct payment_charge *c);

/* The request (free()): base64url of the canonical JSON. owner is not looked at. */
TP_MUST_CHECK enum tp_err payment_charge_write(char **request, const struct payment_charge *c,
                                               struct tp_error *e);

/* Digits, no leading zero: as the request has it, and offers of a discovery document. */
bool payment_is_amount(const char *text);

/* The amount as minor units, 0 to MONEY_MAX. TP_ERR_RANGE when it is more. */
TP_MUST_CHECK enum tp_err payment_charge_amount(int64_t *minor, const struct payment_charge *c,
                                                struct tp_error *e);

#endif
