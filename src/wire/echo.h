/* The fields of a request that its answer repeats, copied, so that the answer can be made when the
 * request is gone; and its sending. */
#ifndef TP_WIRE_ECHO_H
#define TP_WIRE_ECHO_H

#include "wire/iso8583.h"
#include "wire/link.h"

#define ECHO_FIELDS_MAX 16
#define ECHO_ANSWER_MAX 2048 /* bytes of an answer */

struct echo {     /* may hold a card number: who has it wipes it */
    unsigned mti; /* of the answer */
    size_t fields;
    struct {
        uint8_t number, at, n;
    } field[ECHO_FIELDS_MAX];
    uint8_t text[192];
    size_t text_n;
};

/* Takes those of the n fields (at most ECHO_FIELDS_MAX) that the request has. A request and its
 * repeat (0200, 0201) have one type of answer (0210). */
void echo_take(struct echo *out, const struct iso8583 *request, const uint8_t *fields, size_t n);

/* Starts the answer with them; out borrows from echo. */
TP_MUST_CHECK enum tp_err echo_start(struct iso8583 *out, const struct echo *echo);

/* Sends the answer if it could be made; one that could not, or that cannot be packed, is told in
 * the log and ends the connection. */
void echo_send(struct link_peer *peer, const struct iso8583 *answer, enum tp_err made);

#endif
