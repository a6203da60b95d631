/* What an answer says: DE 37, 38, 39, 44 and 55, in one form from the issuer's books to the
 * terminal's journal, with the one place that puts it into a message and takes it out of one. */
#ifndef TP_WIRE_ANSWER_H
#define TP_WIRE_ANSWER_H

#include "wire/iso8583.h"

#define WIRE_RRN_MAX         13 /* with a final zero, as are the next two */
#define WIRE_APPROVAL_MAX    7
#define WIRE_REASON_MAX      26
#define WIRE_ANSWER_DATA_MAX 999

struct wire_answer {
    char code[3];                       /* DE 39 */
    char reason[WIRE_REASON_MAX];       /* DE 44: the name of the check that refused; "" for none */
    char rrn[WIRE_RRN_MAX];             /* DE 37; "" for none */
    char approval[WIRE_APPROVAL_MAX];   /* DE 38: the issuer's; "" for none */
    size_t data_n;                      /* 0: none */
    uint8_t data[WIRE_ANSWER_DATA_MAX]; /* DE 55: what the issuer says to the card */
};

/* Sets code and reason (NULL: none), and all else to nothing. */
void wire_answer_set(struct wire_answer *a, const char *code, const char *reason);

bool wire_answer_is_yes(const struct wire_answer *a); /* 00 */

/* Puts what there is into a message, which borrows DE 55 from it. */
void wire_answer_put(struct iso8583 *out, const struct wire_answer *a);

/* TP_ERR_PEER with a sentence: no code of two characters, or a DE 55 that is no TLV. */
TP_MUST_CHECK enum tp_err wire_answer_read(struct wire_answer *a, const struct iso8583 *m,
                                           struct tp_error *e);

#endif
