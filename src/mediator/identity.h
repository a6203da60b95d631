/* Who asks: a service wants to know, the mediator asks, who pays signs with the device's key, or
 * has a bank card sign, whose acquirer then says whose it is, without its number. What comes of it
 * is a session with that service, under a name that is the same at this mediator and at no other.
 * Requests lie in the mediator's books; a session is a pass (wire/pass.h). */
#ifndef TP_MEDIATOR_IDENTITY_H
#define TP_MEDIATOR_IDENTITY_H

#include "mediator/challenge.h"
#include "order/letter.h"
#include "wire/pass.h"

#define LETTER_USER      44    /* base64url of a digest, with its end */
#define IDENTITY_ASKED_S 600   /* a request can be answered so long … */
#define IDENTITY_S       86400 /* … and a session lasts so long */
#define IDENTITY_REASON  200   /* characters */
#define IDENTITY_CODE    8
#define IDENTITY_CARD    12000 /* characters of what is sealed of a card */

struct identity {           /* who asks */
    char user[LETTER_USER]; /* "": not known */
    bool by_card;           /* a bank card said so; else a key */
};

/* The session of a user with a service, until then; and the user of one that is good. */
TP_MUST_CHECK enum tp_err identity_session(char out[PASS_TEXT], struct span key,
                                           const char *service, const struct identity *who,
                                           int64_t until, struct tp_error *e);
bool identity_of_session(struct identity *who, struct span key, const char *service,
                         const char *session, int64_t now);

struct identity_request {
    char id[BOOK_ORDER_ID]; /* random, as an order's */
    char service[BOOK_NAME_MAX];
    char reason[4 * IDENTITY_REASON + 1];
    char url[BOOK_TARGET_MAX]; /* what was asked for */
    int64_t valid_until;
    bool has_browser;
    uint8_t browser[BOOK_SESSION]; /* SHA-256 of what it was given, as an order's */
    bool wants_card;               /* no key will do */
    bool answered;
    struct identity who;       /* answered: who did */
    uint8_t hash[LETTER_HASH]; /* … and its letter, or what was sealed of its card */
};
/* A short word to compare at two screens. */
void identity_code(char out[IDENTITY_CODE], const char *id);

TP_MUST_CHECK enum tp_err identity_add(struct orderbook *b, const struct identity_request *r,
                                       struct tp_error *e);
TP_MUST_CHECK enum tp_err identity_get(struct orderbook *b, const char *id,
                                       struct identity_request *out, bool *found,
                                       struct tp_error *e);
/* Those that were over before, answered or not: sessions stand without them. */
TP_MUST_CHECK enum tp_err identity_forget(struct orderbook *b, int64_t before, struct tp_error *e);

enum identity_finding {
    IDENTITY_FINE,    /* known now, or before by the same letter */
    IDENTITY_NONE,    /* there is no such request */
    IDENTITY_OVER,    /* its time is over */
    IDENTITY_OTHER,   /* another letter, or card, answered it */
    IDENTITY_DIFFERS, /* the letter is about another request, mediator or reason */
    IDENTITY_BY_KEY   /* its service wants a card */
};
/* The letter was read (letter_read_own, LETTER_IDENTITY). */
TP_MUST_CHECK enum tp_err identity_take(enum identity_finding *finding,
                                        struct identity_request *out, const struct letter *l,
                                        const char *jws, const char *id, struct orderbook *b,
                                        const char *origin, int64_t now, struct tp_error *e);

/* ---- by card ---- */

/* What the card's acquirer is asked: the request as the mediator signs it for that contract, of
 * cards (free()), and its hash, the same each time. */
TP_MUST_CHECK enum tp_err identity_card_request(char **jws, uint8_t hash[LETTER_HASH],
                                                const struct identity_request *r,
                                                const struct reg_contract *c, const char *origin,
                                                struct tp_error *e);

struct identity_card {           /* what a device sent, and its acquirer said of it */
    uint8_t sealed[LETTER_HASH]; /* SHA-256 of what was sealed */
    char user[LETTER_USER];      /* how the card is called here; "": it is not known yet */
};
/* Verifies LETTER_CARD: of this acquirer, contract and request. TP_ERR_FORMAT, TP_ERR_RANGE,
 * TP_ERR_SECURITY. */
TP_MUST_CHECK enum tp_err identity_card_read(char user[LETTER_USER], const char *jws,
                                             const uint8_t request[LETTER_HASH],
                                             const struct reg_acquirer *acquirer,
                                             const char *contract, const char *origin,
                                             struct tp_error *e);
/* Whether that is, or was, the answer; where its user is known, it is kept. */
TP_MUST_CHECK enum tp_err identity_take_card(enum identity_finding *finding,
                                             struct identity_request *out,
                                             const struct identity_card *card, const char *id,
                                             struct orderbook *b, int64_t now, struct tp_error *e);

#endif
