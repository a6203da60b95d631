/* Who asks: what a mediator wants to know for one of its services, and the answer that the device's
 * key signs, or a bank card (payer/card_identity.h), each time after a yes. It is kept in the
 * journal before it leaves. */
#ifndef TP_PAYER_IDENTITY_H
#define TP_PAYER_IDENTITY_H

#include "payer/checkout.h"

#define IDENTITY_LINE 320 /* "Cookie: …" */

struct identity_options {
    const struct checkout_options *checkout;
    const struct person_options *person; /* who is asked */
    const struct pay_options *card;      /* how a card is asked; NULL: none can be */
    bool agreed;                         /* nobody is asked */
    bool anew;                           /* what its service knew the user by is good no more */
    bool by_card;                        /* where a key would do, too */
};

/* Whether the answer asks for that: the request's number comes out, of 27 bytes. */
bool identity_asked(char request[27], struct fetch *f);

struct identity_told {
    char service[33], user[44];
    int64_t until;
    char line[IDENTITY_LINE]; /* what goes along with what is asked of that service */
};
/* Answers a request of the mediator of that origin (https://host:port), or where its service knows
 * the user still, finds how. TP_ERR_CANCELLED (no), TP_ERR_STATE (the mediator does not take it: in
 * its words), TP_ERR_PEER, TP_ERR_SECURITY (what it says is not what it asked), of device_key. */
TP_MUST_CHECK enum tp_err identity_tell(struct identity_told *out, struct fetch *f,
                                        const char *origin, const char *request,
                                        const struct identity_options *options, struct tp_error *e);

/* How the user's key is called there: for who is to know it before. */
TP_MUST_CHECK enum tp_err identity_name(char out[44], struct checkout *c, const char *origin,
                                        struct tp_error *e);

#endif
