/* The fields of a request that its answer repeats, copied, so that the answer can be made when the
 * request is gone; and its sending. */
#ifndef TP_WIRE_ECHO_H
#define TP_WIRE_ECHO_H

#include "wire/answer.h"
#include "wire/link.h"
#include "wire/profile.h"

#define ECHO_FIELDS_MAX 16
#define ECHO_ANSWER_MAX LINK_MESSAGE_MAX /* bytes of an answer */

struct echo {     /* may hold a card number: who has it wipes it */
    unsigned mti; /* of the answer */
    size_t fields;
    struct {
        uint8_t number, at, n;
    } field[ECHO_FIELDS_MAX];
    uint8_t text[192];
    size_t text_n;
};

/* Takes those fields of the request that its answer repeats (wire/profile.h). A request and its
 * repeat (0200, 0201) have one type of answer (0210). */
void echo_take(struct echo *out, const struct iso8583 *request, enum profile of);

/* Starts the answer with them; out borrows from echo. */
void echo_start(struct iso8583 *out, const struct echo *echo);

/* Sends the answer; one that cannot be packed is told in the log and ends the connection. */
void echo_send(struct link_peer *peer, const struct iso8583 *answer);

/* All of it for an answer that says no more than that. */
void echo_answer(struct link_peer *peer, const struct echo *echo, const struct wire_answer *a);

#endif
