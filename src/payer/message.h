/* The 0200 of a payment, the 0400 that takes it back, and what answers them:
 * doc/protocol.md, Messages. */
#ifndef TP_PAYER_MESSAGE_H
#define TP_PAYER_MESSAGE_H

#include "payer/receipt.h"
#include "wire/answer.h"
#include "wire/iso8583.h"

#define MESSAGE_MAX                                                                                \
    8192 /* of a 0200: DE 55 and DE 61-63 at their longest leave half of it free                   \
          */

/* Appends the 0200 with DE 55 and the evidence in DE 61-63. undoes: of a refund, the reference of
 * the payment that it gives back (DE 37); "": none. now: the instant of DE 7. TP_ERR_FORMAT
 * (the card gave no card number or expiry date), TP_ERR_RANGE. */
TP_MUST_CHECK enum tp_err message_build(struct buf *out, const struct terminal *terminal,
                                        const struct transaction_request *request,
                                        const char *undoes, unsigned stan, time_t now,
                                        payment_get *get, const void *ctx, struct tp_error *e);

/* Appends the evidence of a card that proved itself and paid nothing (kernel_prove_card), as the
 * objects of DE 61-63. TP_ERR_RANGE. */
TP_MUST_CHECK enum tp_err message_presence(struct buf *out, payment_get *get, const void *ctx);

/* Whether the card signs whom it pays (9F7C): its lists ask for it. */
bool message_names_payee(payment_get *get, const void *ctx);

/* Appends the 0400 that reverses a 0200, under a number (DE 11) of its own. TP_ERR_FORMAT,
 * TP_ERR_RANGE. */
TP_MUST_CHECK enum tp_err message_reversal(struct buf *out, struct span original, unsigned stan,
                                           time_t now, struct tp_error *e);

/* Appends the 0400 that takes an acknowledged payment back, as its receipt has it: of its DE 7,
 * which is not kept, DE 90 says zeros. */
TP_MUST_CHECK enum tp_err message_void(struct buf *out, const struct receipt *of, unsigned stan,
                                       time_t now, struct tp_error *e);

/* Makes the 0200 a repeat, 0201, or the 0400 a 0401: nothing else of it changes. */
void message_make_repeat(struct buf *message);

/* Unpacks an answer and holds it against the message it answers: type, and what
 * wire/profile.h compares. TP_ERR_PEER naming what does not agree. */
TP_MUST_CHECK enum tp_err answer_parse(struct wire_answer *a, struct span raw, struct span message,
                                       struct tp_error *e);

/* The same of an answer that is unpacked: *m borrows from raw. */
TP_MUST_CHECK enum tp_err answer_unpack(struct iso8583 *m, struct wire_answer *a, struct span raw,
                                        struct span message, struct tp_error *e);

/* Whether the answer settles the payment. 19, 68, 90, 91, 96 to 99 decide nothing: they ask for
 * another try. */
bool answer_is_final(const struct wire_answer *a);

/* Whether it is what the card's issuer said, and not the acquirer (DE 44: doc/protocol.md). */
bool answer_of_issuer(const struct wire_answer *a);

/* A sentence for a DE 39, never NULL; as said by the card's issuer, or by the acquirer. */
const char *answer_text(const char *code, bool issuer);
/* The same for an answer, whose DE 44 may say more; the second for tickets. */
const char *answer_words(const struct wire_answer *a);
const char *answer_words_french(const struct wire_answer *a);

#endif
