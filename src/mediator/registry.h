/* Whom the mediator works with: acquirers, with the contracts that they put under it, and services.
 * Read from its folder and books; what is added, changed or closed while it serves is seen within
 * seconds.
 * Entries stay where they are until the registry is freed. Any thread. */
#ifndef TP_MEDIATOR_REGISTRY_H
#define TP_MEDIATOR_REGISTRY_H

#include <stdatomic.h>
#include <sys/stat.h>

#include "base/money.h"
#include "crypto/pki.h"
#include "mediator/orderbook.h"
#include "order/certificate.h"

#define ACQUIRERS_FOLDER "acquirers"
#define SERVICES_FOLDER  "services"
#define ACQUIRER_CONF    "mediator.conf" /* in acquirers/ID */
#define SERVICE_CONF     "service.conf"  /* in services/NAME */
#define CONTRACT_PREFIX  "contract "     /* of a section of mediator.conf */

struct reg_acquirer {
    char id[BOOK_ACQUIRER_MAX];
    enum means means;
    char host[256], port[8]; /* of cards */
    char url[512];           /* of a purse, without a slash at its end */
    struct pki_files tls;    /* of a purse its `ca` alone: what is sent there is signed */
    struct order_authority *authority;
    json_t *sealing;               /* x5c of the certificate that transactions are sealed to; NULL:
                                      of a purse */
    char *parameters, version[24]; /* what a payer device's kernel needs, signed; NULL: none */
};

struct stans; /* the numbers of its terminal: mediator/stans.h */

struct reg_contract {
    char id[BOOK_CONTRACT_MAX], terminal[BOOK_TERMINAL_MAX]; /* terminal "": of a purse */
    char merchant[401];
    const struct currency *currency;
    char country[4], mcc[5];
    int64_t ceiling;
    struct order_key key;
    char mediator[PKI_NAME_MAX]; /* as its certificate names us; of a purse alone */
    const struct reg_acquirer *acquirer;
    struct stans *stans; /* NULL: of a purse */
};

struct reg_service {
    char name[BOOK_NAME_MAX];
    char url[512]; /* without a slash at its end */
    struct pki_files tls;
    struct reg_contract *contract[BOOK_SOLD_UNDER]; /* of one currency, each of another acquirer */
    size_t contracts;
    atomic_bool open;
    struct stat conf;           /* of its file, as it was read */
    struct reg_service *before; /* as it was known before its files changed: who asks it has that
                                   still; NULL: they did not */
};

/* Whether an order of that service may be paid so. */
bool reg_service_takes(const struct reg_service *s, enum means means);

struct registry;

/* started: called for each acquirer, as it is found. */
struct registry_events {
    void *ctx;
    enum tp_err (*acquirer)(void *ctx, const struct reg_acquirer *a, struct tp_error *e);
};
/* registry_close after an error too. */
TP_MUST_CHECK enum tp_err registry_open(struct registry **out, const char *dir,
                                        const struct registry_events *events, struct tp_error *e);
void registry_close(struct registry **r);

/* Reads again what was added, changed or closed. What cannot be read is told, and leaves the
 * others. */
TP_MUST_CHECK enum tp_err registry_look(struct registry *r, struct tp_error *e);

/* NULL: there is none, or it is closed. */
struct reg_service *registry_service(struct registry *r, const char *name);
/* The same, closed or not: what was sold is delivered. */
struct reg_service *registry_service_ever(struct registry *r, const char *name);
struct reg_contract *registry_contract(struct registry *r, const char *id);
const struct reg_acquirer *registry_acquirer(struct registry *r, const char *id);
/* Any contract of that acquirer; NULL: none. */
struct reg_contract *registry_contract_of(struct registry *r, const struct reg_acquirer *a);

typedef enum tp_err reg_service_visit(void *ctx, const struct reg_service *s, struct tp_error *e);
/* Those that are open. */
TP_MUST_CHECK enum tp_err registry_service_each(struct registry *r, reg_service_visit *visit,
                                                void *ctx, struct tp_error *e);

typedef enum tp_err reg_contract_visit(void *ctx, const struct reg_contract *c, struct tp_error *e);
TP_MUST_CHECK enum tp_err registry_contract_each(struct registry *r, reg_contract_visit *visit,
                                                 void *ctx, struct tp_error *e);

/* Whether a service may sell under all of them. TP_ERR_USAGE with what stands against it. */
TP_MUST_CHECK enum tp_err registry_check_contracts(struct reg_contract *const *contracts, size_t n,
                                                   struct tp_error *e);

/* A number (DE 11) that the contract's terminal has not used that day (YYYYMMDD). TP_ERR_RANGE:
 * none is left. */
TP_MUST_CHECK enum tp_err contract_stan(struct reg_contract *c, int day, uint32_t *stan,
                                        struct tp_error *e);
/* Reads a folder that an acquirer made, without keeping it: for who adds it. */
TP_MUST_CHECK enum tp_err registry_try_acquirer(const char *folder, char id[BOOK_ACQUIRER_MAX],
                                                size_t *contracts, struct tp_error *e);

/* out: its url and tls. */
TP_MUST_CHECK enum tp_err registry_try_service(struct reg_service *out, const char *folder,
                                               struct tp_error *e);

#endif
