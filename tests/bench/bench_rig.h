/* What benches of a card payment share: a scheme of full size (1984 and 1408 bits, as telepay-perso
 * makes it) and a terminal of type 35 that knows it. */
#ifndef TP_TESTS_BENCH_RIG_H
#define TP_TESTS_BENCH_RIG_H

#include "kernel/kernel.h"
#include "simcard/card.h"
#include "simcard/perso.h"

#define RIG_PAN  "9990140000000015"
#define RIG_DATE 20261123

struct rig {
    struct scheme *scheme;
    struct capk_store *store;
    struct terminal_config config; /* floor limit 50.00 */
    uint32_t counter;              /* of payments */
};

/* Ends the program when r is no success. e NULL: the code's own words. */
void rig_must(enum tp_err r, const char *what, const struct tp_error *e);
double rig_now(void); /* seconds of the monotonic clock */

void rig_start(struct rig *r);
void rig_end(struct rig *r);
/* The factory's defaults for RIG_PAN, PIN 1234, good until 2030-12, effective since 2020. */
void rig_params(struct perso_params *p);
struct card *rig_card(const struct rig *r, struct perso_params *p);
struct transaction_request rig_request(struct rig *r, int64_t amount);

/* The person, who knows the PIN. */
struct kernel_person rig_person(void);

#endif
