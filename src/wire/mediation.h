/* What a mediator and the acquirer say to each other beside the fields: the objects of DE 112 to
 * 127 (doc/protocol.md, mediator and acquirer). Pure. */
#ifndef TP_WIRE_MEDIATION_H
#define TP_WIRE_MEDIATION_H

#include "wire/iso8583.h"

#define MEDIATION_FIRST 112
#define MEDIATION_LAST  127
#define MEDIATION_MAX   ((MEDIATION_LAST - MEDIATION_FIRST + 1) * 999) /* bytes of all objects */

struct mediation {               /* begins as {0}; an empty span: it is not there */
    struct span challenge;       /* DF8101, of a 0200: a JSON object of the challenge's strings */
    struct span transaction;     /* DF8102: what the payer device sealed (JWE) */
    struct span device;          /* DF8103: what it signed (JWS) */
    struct span acknowledgement; /* DF8104, of a 0210: what the acquirer signed (JWS) */
    struct span answer;          /* DF8105: what it sealed to the payer device (JWE) */
    struct span request;         /* DF8107, of a 0600: who asks for a card (JWS) */
    struct span evidence;        /* DF8108: what the card signed for it, sealed (JWE) */
    struct span card;            /* DF8109, of a 0610: whose card it was (JWS) */
    bool completes; /* DF8106: the card asked its issuer, and has its last word to say */
};

/* Sets the fields, which borrow from room (MEDIATION_MAX bytes, emptied before). TP_ERR_RANGE when
 * it is more than they hold. */
TP_MUST_CHECK enum tp_err mediation_put(struct iso8583 *m, struct buf *room,
                                        const struct mediation *what);

/* Reads what a request (of_request) or an answer may have; the spans are of room, as above.
 * TP_ERR_FORMAT: no objects, another one, one twice, one that is empty, a piece that is short
 * before the last, or a text that is no printable ASCII. */
TP_MUST_CHECK enum tp_err mediation_read(struct mediation *out, struct buf *room,
                                         const struct iso8583 *m, bool of_request);

/* Whether the message has any of these fields. */
bool mediation_is_there(const struct iso8583 *m);

#endif
