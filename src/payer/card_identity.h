/* Who asks, by bank card: the card signs the mediator's request (DDA, no PIN, nothing is paid), and
 * that is sealed to its acquirer, who alone learns its number (doc/protocol.md, By card). */
#ifndef TP_PAYER_CARD_IDENTITY_H
#define TP_PAYER_CARD_IDENTITY_H

#include "order/letter.h"
#include "payer/checkout.h"

struct card_request { /* begins as {0} */
    struct letter asked;
    uint8_t r[LETTER_HASH];            /* of what the mediator signed: what the card signs */
    const struct authority *authority; /* borrowed: of the checkout */
    struct order_holder sealing;       /* the acquirer */
    int64_t parameters;                /* the version that the mediator has */
};

/* Verifies what a mediator asks a card for, by the clock `at`: signed for a contract by an
 * authority that the user trusts, in its time, and to be sealed to a key of that acquirer.
 * TP_ERR_FORMAT, TP_ERR_RANGE, TP_ERR_SECURITY with the remedy, TP_ERR_TIMEOUT. card_request_free
 * after an error too. */
TP_MUST_CHECK enum tp_err card_request_read(struct card_request *out, const json_t *card,
                                            const struct authorities *authorities, time_t at,
                                            struct tp_error *e);
void card_request_free(struct card_request *r);

/* Has a card in the reader sign it: what is sealed of that (free()). TP_ERR_CARD: it cannot, or is
 * not good. */
TP_MUST_CHECK enum tp_err card_identity_sign(char **jwe, const struct card_request *request,
                                             const struct checkout *c, const char *origin,
                                             const struct pay_options *how, struct tp_error *e);

#endif
