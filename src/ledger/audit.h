/* The audit (doc/design.md, Remises, rule 7): every total of every remise worked out again from the
 * card-signed records alone, and where books and evidence differ. */
#ifndef TP_LEDGER_AUDIT_H
#define TP_LEDGER_AUDIT_H

#include "crypto/capk.h"
#include "crypto/seal.h"
#include "ledger/ledger.h"
#include "order/certificate.h"

struct audit_finding {
    char contract[CONTRACT_ID_MAX]; /* "" when it is of the books as a whole */
    uint32_t remise;                /* 0: none */
    char rrn[RRN_MAX];              /* "": none */
    char check[24]; /* "amount", "totals", "number", "state", "counter", "database" … */
    char text[320];
};

struct audit_remise {
    struct remise books;
    struct remise_totals evidence; /* from what cards signed, or made cryptograms over that issuers
                                      approved; a payment whose evidence fails counts nothing */
    uint64_t vouched; /* of its payments, those that rest on their issuer's word: no signature
                         covers their amount */
    struct remise_totals refused; /* of that, what the centre does not pay */
    uint64_t findings;            /* of this remise and its transactions */
};

struct audit_sums {
    uint64_t contracts, remises, transactions, vouched, findings;
};

struct audit_watch { /* anything but TP_OK stops the audit and is handed through */
    void *ctx;
    enum tp_err (*finding)(void *ctx, const struct audit_finding *f, struct tp_error *e);
    enum tp_err (*remise)(void *ctx, const struct audit_remise *r, struct tp_error *e);
};

/* One snapshot of the books, in constant memory, beside a server that goes on writing. Findings are
 * outcomes, counted in *sums. orders: by whom those of mediators are vouched for; NULL: nobody. */
TP_MUST_CHECK enum tp_err ledger_audit(struct ledger *l, struct seal *seal,
                                       const struct capk_store *authorities,
                                       const struct order_authority *orders,
                                       const struct audit_watch *watch, struct audit_sums *sums,
                                       struct tp_error *e);

#endif
