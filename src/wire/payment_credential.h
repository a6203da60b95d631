/* The credential of the "Payment" scheme: the challenge echoed, and what pays it. A secret until it
 * is spent: it is never logged. */
#ifndef TP_WIRE_PAYMENT_CREDENTIAL_H
#define TP_WIRE_PAYMENT_CREDENTIAL_H

#include "wire/payment_challenge.h"

#define PAYMENT_CREDENTIAL_MAX 65536 /* bytes of the JSON; as a field a third less */

struct payment_credential { /* begins as {0} */
    struct payment_challenge challenge;
    const char *source; /* who pays; NULL: absent */
    json_t *payload;    /* an object of the method's own */
    json_t *owner;      /* of all above, when read: payment_credential_free */
};

/* From the value of Authorization or Payment-Authorization, which may hold other schemes too.
 * TP_ERR_NOT_FOUND: no Payment in it. TP_ERR_EXISTS: more than one. TP_ERR_RANGE: too large.
 * TP_ERR_FORMAT: malformed, with a sentence that shows nothing of it. Unknown members are passed
 * over. Which of the two fields the challenge selected (challenge.header) the caller compares. */
TP_MUST_CHECK enum tp_err payment_credential_read(struct payment_credential *out, struct span field,
                                                  struct tp_error *e);

/* From a body: the JSON as it is. */
TP_MUST_CHECK enum tp_err payment_credential_read_json(struct payment_credential *out,
                                                       struct span text, struct tp_error *e);
void payment_credential_free(struct payment_credential *c);

/* The field's value (free()): "Payment …"; and the JSON for a body (free()). */
TP_MUST_CHECK enum tp_err payment_credential_write(char **out, const struct payment_credential *c,
                                                   struct tp_error *e);
TP_MUST_CHECK enum tp_err payment_credential_write_json(char **out,
                                                        const struct payment_credential *c,
                                                        struct tp_error *e);

/* By what a credential is known again, however it is spelled: SHA-256 over the canonical JSON of
 * payload, source and the challenge without its description. */
TP_MUST_CHECK enum tp_err payment_credential_hash(uint8_t out[32],
                                                  const struct payment_credential *c,
                                                  struct tp_error *e);

#endif
