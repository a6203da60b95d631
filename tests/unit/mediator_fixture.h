/* A mediator's folder of the test's own, as its programs would make it: one acquirer with two
 * contracts, one service; its registry and books; and orders to put into them. */
#ifndef TP_TESTS_MEDIATOR_FIXTURE_H
#define TP_TESTS_MEDIATOR_FIXTURE_H

#include <limits.h>

#include "mediator/moves.h"
#include "unit.h"

#define ACQUIRER       "ACQ1"
#define CONTRACT       "000000000000123"
#define OTHER_CONTRACT "000000000000124"
#define TERMINAL       "M0000001"
#define PURSE          "PURSE1" /* an acquirer that is a purse: fixture_purse */
#define PURSE_CONTRACT "000000000000125"
#define SERVICE        "journal"
#define CEILING        5000
#define QUOTE_TEXT     "{\"amount\":\"150\"}"

struct mediator_fixture {
    char dir[64];
    struct tp_error e;
    struct orderbook *book;
    struct registry *registry;
    struct order_authority *authority; /* of the acquirer */
    struct issuing issuing;
    uint8_t key[32];
};

/* The folder; books in a file, or with TELEPAY_TEST_STORE=postgresql in a new database. */
void fixture_make(struct mediator_fixture *f);
/* A purse among the acquirers, by the same authority; before fixture_open. */
void fixture_purse(struct mediator_fixture *f);
/* A service's row of the books. */
enum tp_err fixture_sell(struct orderbook *b, const char *service, const char *contract,
                         const char *other, struct tp_error *e);
/* Registry and books. */
void fixture_open(struct mediator_fixture *f);
void fixture_close(struct mediator_fixture *f);
/* Both at once; all that was made is gone after the end. */
void fixture_start(struct mediator_fixture *f);
void fixture_end(struct mediator_fixture *f);

/* A file of the folder, in room that the next calls use again. */
const char *fixture_path(const struct mediator_fixture *f, const char *name);
/* Writes one (file mode 0600). */
void fixture_write(const struct mediator_fixture *f, const char *name, const char *text);
/* The acquirer's mediator.conf, with what stands in it replaced (from NULL: as it is). */
void fixture_conf(const struct mediator_fixture *f, const char *from, const char *to);

/* An order that was asked for at `made` and may be paid for `valid` seconds; and with its first
 * attempt. */
struct orderbook_order fixture_order(int64_t made, int valid);
void fixture_ask(struct mediator_fixture *f, struct move *m, int64_t made, int valid);
/* The same under the purse's contract too, as attempt 2 at the second place. */
void fixture_ask_both(struct mediator_fixture *f, struct move *m, int64_t made, int valid);
/* Applies a move within a transaction of its own. */
enum tp_err fixture_apply(struct mediator_fixture *f, struct move *m);

#endif
