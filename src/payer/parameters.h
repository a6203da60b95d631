/* What a kernel needs to take cards for an acquirer (the French téléparamétrage): applications,
 * limits, action codes, authority keys, signed by the acquirer with a version that grows. Kept in
 * the user's folder; one of a lower version is never taken again. */
#ifndef TP_PAYER_PARAMETERS_H
#define TP_PAYER_PARAMETERS_H

#include "order/order.h"
#include "payer/authority.h"
#include "payer/fetch.h"
#include "payer/terminal.h"

struct parameters { /* begins as {0} */
    int64_t version;
    const char *acquirer;
    const char *capabilities, *type, *additional; /* 9F33, 9F35, 9F40 in hex */
    const char *applications;                     /* sections [application …] of a telepay.conf */
    const json_t *authorities;                    /* documents of authority keys */
    json_t *owner;                                /* of all above: parameters_free */
};

/* Reads and verifies: form, signature, a certificate of this authority that is good at that time
 * and names the acquirer. TP_ERR_FORMAT, TP_ERR_RANGE, TP_ERR_SECURITY. parameters_free after an
 * error too. */
TP_MUST_CHECK enum tp_err parameters_read(struct parameters *out, const char *jws,
                                          const struct order_authority *authority,
                                          const char *acquirer, time_t at, struct tp_error *e);
void parameters_free(struct parameters *p);

/* Those that are kept in the user's folder. TP_ERR_NOT_FOUND: none. */
TP_MUST_CHECK enum tp_err parameters_kept(struct parameters *out, const char *home,
                                          const struct authority *authority, const char *acquirer,
                                          time_t at, struct tp_error *e);

/* Verifies those that came and keeps them. TP_ERR_SECURITY when their version is lower than that
 * of the ones that are kept. */
TP_MUST_CHECK enum tp_err parameters_keep(struct parameters *out, const char *home,
                                          const struct authority *authority, const char *acquirer,
                                          const char *jws, time_t at, struct tp_error *e);

/* Those that are kept, where they are as new as the mediator's, else those of the mediator.
 * TP_ERR_PEER: it has none; of parameters_keep. parameters_free after an error too. */
struct parameters_place {
    struct fetch *fetch;
    const char *origin, *home;
    const struct authority *authority;
    const char *acquirer;
    int64_t version; /* that the mediator has; 0: it does not say */
};
TP_MUST_CHECK enum tp_err parameters_get(struct parameters *out,
                                         const struct parameters_place *place, struct tp_error *e);

/* The terminal at which an order is paid: as the acquirer gave it, for whom the order names. */
TP_MUST_CHECK enum tp_err parameters_terminal(struct terminal **out, const struct parameters *p,
                                              const struct order *order, struct tp_error *e);

#endif
