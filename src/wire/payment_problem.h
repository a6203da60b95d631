/* Bodies of answers that are no success: application/problem+json (RFC 9457), with the types of the
 * "Payment" scheme. */
#ifndef TP_WIRE_PAYMENT_PROBLEM_H
#define TP_WIRE_PAYMENT_PROBLEM_H

#include <jansson.h>

#include "base/span.h"

#define PAYMENT_PROBLEM_TYPE "application/problem+json" /* the Content-Type */
#define PAYMENT_PROBLEM_BASE "https://paymentauth.org/problems/"
#define PAYMENT_PROBLEM_MAX  65536 /* bytes of a body that is read */

enum payment_problem_type {
    PAYMENT_REQUIRED,             /* 402, and a challenge, as all that are 402 */
    PAYMENT_INSUFFICIENT,         /* 402 */
    PAYMENT_EXPIRED,              /* 402 */
    PAYMENT_VERIFICATION_FAILED,  /* 402: declined too */
    PAYMENT_MALFORMED_CREDENTIAL, /* 402 */
    PAYMENT_INVALID_CHALLENGE,    /* 402: tampered, unknown, of another resource */
    PAYMENT_INVALID_PAYLOAD,      /* 402 */
    PAYMENT_ACTION_REQUIRED,      /* 402 */
    PAYMENT_METHOD_UNSUPPORTED,   /* 400 */
    PAYMENT_BAD_REQUEST,          /* 400 */
    PAYMENT_INTERNAL_ERROR,       /* 500 */
    PAYMENT_OTHER                 /* about:blank: what the status says, and no more */
};

struct payment_problem { /* begins as {0} */
    enum payment_problem_type type;
    unsigned status;          /* written: of PAYMENT_OTHER alone; read: what the body says, or 0 */
    const char *title;        /* read alone */
    const char *detail;       /* for people, what to do; NULL: absent */
    const char *challenge_id; /* NULL: absent */
    json_t *more;             /* an object: further members; when read: all there are */
    json_t *owner;            /* of all above, when read: payment_problem_free */
};

/* The status that goes with it. */
unsigned payment_problem_status(const struct payment_problem *p);

/* The body (free()). A member of more that bears the name of one above is an error
 * (TP_ERR_EXISTS). */
TP_MUST_CHECK enum tp_err payment_problem_write(char **out, const struct payment_problem *p,
                                                struct tp_error *e);

/* A type that is not known is PAYMENT_OTHER (RFC 9457, 3.1.1); so is one that is missing. Members
 * of another kind than they should be are passed over, as 3.1 asks. TP_ERR_FORMAT when it is no
 * JSON object, TP_ERR_RANGE when it is too large. Texts for people are the other side's: they are
 * shown by word_make_shown. */
TP_MUST_CHECK enum tp_err payment_problem_read(struct payment_problem *out, struct span body,
                                               struct tp_error *e);
void payment_problem_free(struct payment_problem *p);

#endif
