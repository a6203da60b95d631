/* What a mediator passes on, opened: the order within its challenge, and the card's message that
 * the payer device sealed (doc/protocol.md, mediator and acquirer). What the card signed is checked
 * as any card's (acquirer/check.h). */
#ifndef TP_ACQUIRER_MEDIATED_H
#define TP_ACQUIRER_MEDIATED_H

#include "acquirer/check.h"
#include "acquirer/keys.h"
#include "acquirer/reply.h"
#include "order/order.h"
#include "wire/mediation.h"

#define MEDIATED_INNER_MAX 6144 /* bytes of the card's message */

struct mediated {           /* one 0200; large */
    struct mediation parts; /* within room */
    uint8_t room[MEDIATION_MAX];
    struct order order;
    bool ordered; /* order is there: it is authentic, this mediator's, and its request says the same
                   */
    struct mediated_record what; /* the texts are of parts */
    uint8_t digest[32];
    struct passed passed; /* points into the rest */
    struct payer payer;   /* once it is opened */
    struct iso8583 inner; /* the card's message; borrows from bytes */
    uint8_t bytes[MEDIATED_INNER_MAX];
    size_t bytes_n;
};

/* Begins with a message whose fields were found right: its digest and its parts. The verdict:
 * LEDGER_MALFORMED when these cannot be read. mediated_clear, after an error too. */
TP_MUST_CHECK enum tp_err mediated_start(struct mediated *m, enum ledger_verdict *verdict,
                                         const struct iso8583 *outer, struct tp_error *e);
void mediated_clear(struct mediated *m);

/* The order and R, at that time. Verdicts: LEDGER_ORDER, _OTHER, _TIME, _DIFFERS. */
enum ledger_verdict mediated_order(struct mediated *m, const struct iso8583 *outer,
                                   const struct acquirer_keys *keys, const struct party *party,
                                   const char *acquirer, time_t now);

/* The card's message and the payer's key. Verdicts: LEDGER_SEALED; then, of one whose order is
 * there, LEDGER_ORDER_DIFFERS, LEDGER_DEVICE. */
enum ledger_verdict mediated_unseal(struct mediated *m, const struct acquirer_keys *keys);

#endif
