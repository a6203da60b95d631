/* A mediator as the acquirer sees it, and the payer device behind it, in the test's own process:
 * orders, challenges, what is sealed and what is signed, each of which a test can make otherwise.
 */
#ifndef TP_TESTS_FRONTAL_H
#define TP_TESTS_FRONTAL_H

#include "acquirer/keys.h"
#include "office.h"
#include "acquirer/state.h"
#include "acquirer/mediated.h"
#include "order/acknowledgement.h"
#include "order/order.h"
#include "wire/mediation.h"
#include "wire/payment_challenge.h"

#define FRONTAL "frontal" /* the mediator's name */

struct frontal {
    const struct office *office;
    struct acquirer_keys keys; /* the acquirer's, which a test may look at */
    struct order_key key;      /* the mediator's, for OFFICE_CONTRACT */
    json_t *sealing;           /* the acquirer's public key */
    char acquirer[ACQUIRER_ID_MAX];
    char terminal[TERMINAL_ID_MAX];
    uint32_t stan; /* of the last order */
};

/* Books the mediator with a terminal under OFFICE_CONTRACT, before the server starts. */
void frontal_make(struct frontal *f, const struct office *o);
void frontal_clear(struct frontal *f);
/* Another mediator, or a key for another contract: certified by the office's authority. */
void frontal_key(struct order_key *key, const struct office *o, const char *contract,
                 const char *mediator);
struct link_client *frontal_connect(const struct frontal *f, const char *mediator);

struct deal { /* one payment of an order, from the challenge to the 0200; large */
    struct order order;
    char id[27], stan[7], date[9], time[7], amount[24], issued[32], until[32];
    struct payment_challenge challenge;
    char challenge_id[8];
    char *request, *text; /* base64url; the challenge as JSON */
    uint8_t r[PAYMENT_R];
    json_t *answer_key; /* private */
    struct terms terms; /* what the card signs */
    struct made made;   /* the card's message */
    char *sealed, *device;
    struct iso8583 message; /* the 0200; borrows from room */
    uint8_t room[MEDIATION_MAX];
};

/* In order, each a step that a test may take otherwise: the order's values (12.50 EUR, now, of a
 * fresh id and STAN); the challenge that bears it, signed with key, and R; what the card signs of
 * it; the card's message; the 0200. */
void deal_order(struct deal *d, struct frontal *f);
void deal_challenge(struct deal *d, const struct order_key *key);
void deal_terms(struct deal *d, const struct signed_card *card, uint16_t atc, bool payee);
void deal_card(struct deal *d, struct frontal *f, struct signer *s, const struct signed_card *card);
void deal_seal(struct deal *d, const json_t *sealing, struct span message);
void deal_device(struct deal *d, const uint8_t r[PAYMENT_R], struct span message);
void deal_message(struct deal *d);
void deal_clear(struct deal *d);

/* The card's message as it is sealed: packed into out. */
struct span deal_packed(struct buf *out, const struct deal *d);

struct said { /* what a mediator is answered */
    struct office_answer a;
    struct mediation parts;
    uint8_t room[MEDIATION_MAX];
    char acknowledgement[4096]; /* "": none */
    struct iso8583 inner;       /* the answer for the payer; mti 0: none */
    uint8_t bytes[2048];
};
/* Under another type, when mti is not 0. The sealed answer is opened with the deal's key. */
void deal_exchange(struct said *s, struct link_client *c, struct deal *d, unsigned mti);

#endif
