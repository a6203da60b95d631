/* What the purse signs about money that came in or was given back, so that its books can be worked
 * out again from signed records alone: JWS, ES256, by its acknowledgement key. */
#ifndef TP_PURSE_RECORD_H
#define TP_PURSE_RECORD_H

#include "order/certificate.h"
#include "purse/book.h"

/* The JWS (free()) of what is to be booked. */
TP_MUST_CHECK enum tp_err record_write(char **jws, const struct booking *what,
                                       const struct order_key *key, struct tp_error *e);

/* Whether the booking's record is good and says what the books say. TP_ERR_SECURITY,
 * TP_ERR_FORMAT. */
TP_MUST_CHECK enum tp_err record_verify(const struct booking *what, const char *acquirer,
                                        const struct order_authority *authority,
                                        struct tp_error *e);

/* The contract that an acquirer's acknowledgement names, not yet verified; "": none. */
TP_MUST_CHECK enum tp_err record_payee(char out[BOOK_CONTRACT], const char *jws,
                                       struct tp_error *e);
/* Whether that acquirer says that a card paid what is booked: its order, so much. The currency
 * comes out. TP_ERR_SECURITY, TP_ERR_FORMAT. */
TP_MUST_CHECK enum tp_err record_paid(uint16_t *currency, const struct booking *what,
                                      const char *jws, const struct order_authority *authority,
                                      struct tp_error *e);

#endif
