/* Credit transfers as a bank takes them: pain.001.001.12 (ISO 20022,
 * CustomerCreditTransferInitiationV12). All that is written comes from the caller, so that the same
 * payout is the same to the last byte. */
#ifndef TP_WIRE_PAIN_H
#define TP_WIRE_PAIN_H

#include <time.h>

#include "base/money.h"
#include "wire/caaa.h"

struct pain_head {
    const char *id;         /* of message and payment: 35 characters at most */
    time_t made;            /* whose local day is the day of execution */
    const char *name;       /* of the debtor: 70 characters at most */
    const char *iban, *bic; /* bic "": not said */
    const struct currency *currency;
    uint64_t count;
    int64_t sum;
};

struct pain_transfer {
    const char *id;          /* end to end: 35 characters at most */
    const char *name, *iban; /* of the creditor */
    const char *text;        /* 140 characters at most */
    int64_t amount;
};

/* As caaa_transfer_start, _item and _end; caaa_writer_free after an error too. */
TP_MUST_CHECK enum tp_err pain_start(struct caaa_writer **out, const struct caaa_sink *sink,
                                     const struct pain_head *head, struct tp_error *e);
TP_MUST_CHECK enum tp_err pain_transfer(struct caaa_writer *w, const struct pain_transfer *t,
                                        struct tp_error *e);
TP_MUST_CHECK enum tp_err pain_end(struct caaa_writer *w, struct tp_error *e);

#endif
