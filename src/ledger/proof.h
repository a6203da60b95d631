/* A payment proved again from its kept evidence (prove, audit): the card's signature over the very
 * bytes, and what the card signed against what the books say. */
#ifndef TP_LEDGER_PROOF_H
#define TP_LEDGER_PROOF_H

#include "crypto/seal.h"
#include "ledger/evidence.h"
#include "ledger/ledger.h"
#include "ledger/proof_order.h"

#define PROOF_TEXT 1600 /* an order names merchant and item: 300 characters of UTF-8 */

struct proof {
    char acquirer[ACQUIRER_ID_MAX];
    char pan[20];                 /* "" when the sealed number does not open */
    uint8_t stream[EVIDENCE_MAX]; /* opened */
    struct evidence ev;           /* points into stream and the transaction */
    struct evidence_result
        result; /* of the evidence by itself, and against DE 55 and the sealed card number */
    /* of a payment that a mediator passed on */
    bool order_holds;
    char order[PROOF_TEXT]; /* which it is, or why it does not hold */
    enum proof_bond bond;
};

/* The payment rests on its issuer's word, which the books hold: no signature of the card covers the
 * amount. */
bool proof_vouched(const struct proof *p);

/* An outcome is in *p; an error is ours. acquirer: ledger_acquirer_id. The cache holds the
 * authorities; orders: whose orders hold (NULL: nobody's). Spans of p->ev live as long as p and
 * those of tx. */
TP_MUST_CHECK enum tp_err proof_make(struct proof *p, const struct tx_record *tx,
                                     const char *acquirer, struct seal *seal,
                                     struct evidence_cache *cache,
                                     const struct order_authority *orders, struct tp_error *e);

/* What is looked at, in order; a proof that fails at one may fail at more. */
enum proof_step {
    PROOF_PAN, /* the sealed card number and evidence open, and its look-up value and mask are those
                  of the books */
    PROOF_EVIDENCE, /* certificates, signature, DE 55; without CDA the issuer's approval */
    PROOF_VALUES,   /* the values of CDOL1 say amount, currency, type and date */
    PROOF_AMOUNT,   /* … */
    PROOF_CURRENCY,
    PROOF_TYPE,
    PROOF_DATE,
    PROOF_PAYEE, /* acquirer, contract and terminal are those that the card signed (9F7C); holds too
                    when it signed none, which the text says. Of a mediator's: the challenge was
                    signed, by the card or by the payer device */
    PROOF_ORDER, /* of a mediator's alone: the challenge kept bears an order of this payment, which
                    the acquirer acknowledged */
    PROOF_CARD,  /* card sequence number and expiry */
    PROOF_COUNTER,   /* application transaction counter */
    PROOF_CRYPTOGRAM /* the cryptogram is the one of the books, and a TC, or an ARQC that the issuer
                        approved */
    ,
    PROOF_STEPS
};
const char *proof_step_name(enum proof_step s);                /* "amount" */
bool proof_has(const struct tx_record *tx, enum proof_step s); /* whether there is such a step */

/* The card approved, or asked its issuer, who did. */
bool proof_approves(const struct proof *p, const struct tx_record *tx);

/* Whether the step holds; text says what was found (good or bad). Steps behind a failed
 * PROOF_EVIDENCE or PROOF_VALUES that rest on it do not hold. */
bool proof_holds(const struct proof *p, const struct tx_record *tx, struct seal *seal,
                 enum proof_step s, char text[PROOF_TEXT]);

#endif
