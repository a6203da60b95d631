/* What is proved of a payment that a mediator passed on, beside what the card signed: which order
 * it was of, and who signed the challenge that bears it. Needs no database. */
#ifndef TP_LEDGER_PROOF_ORDER_H
#define TP_LEDGER_PROOF_ORDER_H

#include "ledger/evidence.h"
#include "order/proof.h"

struct proof_order { /* begins as {0} */
    struct order_proof order;
    bool device; /* a device's statement is there, and right */
};

struct proof_texts { /* as kept; an empty span: there is none */
    struct span challenge, device, acknowledgement;
    const uint8_t *message; /* 32 bytes: SHA-256 of the card's message; NULL: not known */
};

/* From the challenge to the order and to what the acquirer signed (order/proof.h), and the device's
 * statement about both. Errors as order_proof_read. proof_order_free after an error too. */
TP_MUST_CHECK enum tp_err proof_order_read(struct proof_order *out, const struct proof_texts *texts,
                                           const struct order_authority *authority,
                                           struct tp_error *e);
void proof_order_free(struct proof_order *p);

enum proof_bond {
    BOND_NONE,   /* four bytes of R under the card's signature (9F37) and nothing else */
    BOND_CARD,   /* the card signed all of R (9F7C) */
    BOND_DEVICE, /* the card signed the four bytes, the payer device R and the card's message */
    BOND_OTHER   /* the card signed another challenge */
};

/* device: there is a statement, and it is right. The evidence was found right before. */
enum proof_bond proof_bond(const struct evidence *ev, const uint8_t r[PAYMENT_R], bool device);

#endif
