/* What the files of the serving mediator share: its parts, and who does what on which thread.
 *
 *     door threads     take calls in, answer what needs no books, queue moves
 *     keeper thread    applies moves in groups; then what follows leaves, and who waits is answered
 *     line threads     one an acquirer of cards: what it is asked, what it answers
 *     client thread    quotes and deliveries of services; what purses are asked and answer
 *     clock thread     what is due: visits that waited long enough, tries again, cards that were
 *                      silent; and looks at the registry */
#ifndef TP_MEDIATOR_PRIV_H
#define TP_MEDIATOR_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "base/secret.h"
#include "mediator/dispute.h"
#include "mediator/moves.h"
#include "mediator/quote.h"
#include "store/group.h"
#include "wire/http_client.h"
#include "wire/http_door.h"

struct clock;
struct pages;
struct shelf;
struct streams;
struct throttle;
struct line;
struct purse_way;
struct session_way;
struct keeper;
struct visit;

#define ANSWER_S                                                                                   \
    20 /* that a payment waits for its acquirer before the client is told to ask again */
#define DELIVER_S 45 /* that a client waits for what it has paid */
#define WAIT_MAX  60 /* seconds of ?wait= */

/* What a service delivered, held by whoever still needs it. */
struct content {
    atomic_uint holders;
    char type[256];
    size_t n;
    uint8_t bytes[];
};
struct content *content_new(const char *type, struct span bytes); /* NULL: no memory */
struct content *content_hold(struct content *c);
void content_drop(struct content **c);

TAILQ_HEAD(visits, visit);

struct mediator {
    const char *dir;
    struct secret key; /* of the ids of challenges */
    char origin[256], realm[128];
    struct issuing issuing;
    struct dispute_terms terms;
    struct registry *registry;
    struct pages *pages;
    struct shelf *shelf;
    struct streams *streams;
    struct throttle *throttle; /* of demands */
    struct http_client *client;
    struct keeper *keeper;
    struct clock *clock;
    struct http_door *door;
    struct line *line[64];
    atomic_size_t lines;
    struct purse_way *purse_way;
    struct session_way *session_way;
    pthread_mutex_t lock;
    struct visits waiting; /* under lock */
    int lock_fd;
    atomic_bool serving; /* all its parts are there */
    atomic_bool ending;  /* nothing new is begun: the next start goes on */
};

/* ---- keeper.c: moves, in groups ---- */

/* What is kept, within the group's transaction, that moves no order: the first member of what its
 * visit has. apply may be called again after it was rolled back. */
struct errand {
    enum tp_err (*apply)(struct errand *x, struct mediator *m, struct orderbook *b, int64_t now,
                         struct tp_error *e);
    void (*done)(struct errand *x, struct visit *v); /* durable: the visit is answered */
    void (*release)(struct errand *x);
};

struct job {
    struct group_job entry; /* first */
    struct errand *errand;  /* done in place of the move; NULL: the move */
    struct move move;
    struct visit *visit;     /* who asked; NULL: nobody waits for this one */
    struct content *content; /* EVENT_DELIVERED */
    bool drive;              /* go on with the order, whatever came of it */
    unsigned tries;          /* of what is driven */
};

TP_MUST_CHECK enum tp_err keeper_open(struct mediator *m, struct tp_error *e);
void keeper_stop(struct mediator *m); /* works off what waits */
void keeper_close(struct mediator *m);

/* NULL: no memory. */
struct job *move_job(enum event event, const char *id);
/* Queues it; it is the writer's. One of a visit may be refused, and the visit is then answered. */
void keeper_take(struct mediator *m, struct job *j);
/* The quote as its service gave it (free()); what it has as content. On the keeper's thread. NULL:
 * it cannot be had. */
char *keeper_quote(struct mediator *m, const struct orderbook_order *o);
/* What of a session is to be presented next (free voucher), if anything is: orderbook_drawn_next.
 * On the keeper's thread. */
TP_MUST_CHECK enum tp_err keeper_drawn(struct mediator *m, const char *session, const char *after,
                                       struct orderbook_drawn *out, bool *found,
                                       struct tp_error *e);
struct content *keeper_included(struct mediator *m, const struct orderbook_order *o);

/* ---- shelf.c: what was just delivered ---- */

TP_MUST_CHECK enum tp_err shelf_open(struct mediator *m, struct tp_error *e);
void shelf_close(struct mediator *m);
void shelf_put(struct mediator *m, const char *id, struct content *c);
struct content *shelf_get(struct mediator *m, const char *id); /* content_drop; NULL: it is gone */

/* ---- drive.c: what follows from where an order stands ---- */

/* On the keeper's thread. */
void drive(struct mediator *m, const struct orderbook_order *o, const struct orderbook_attempt *a,
           unsigned tries);

/* ---- clock.c ---- */

TP_MUST_CHECK enum tp_err clock_open(struct mediator *m, struct tp_error *e);
void clock_close(struct mediator *m);
/* After so many ms the move is made, or with EVENT_LOOK the order driven again, with EVENT_GO_ON
 * its attempt n. */
void clock_set(struct mediator *m, const char *id, enum event event, uint32_t n, int64_t after_ms,
               unsigned tries);

/* In ms, before what was tried so often is tried again: a second, then twice as long each time, up
 * to ten minutes. */
int64_t clock_pause(unsigned tries);

/* ---- line.c: the acquirers ---- */

TP_MUST_CHECK enum tp_err line_open(struct mediator *m, const struct reg_acquirer *a,
                                    struct tp_error *e);
void line_close(struct line **l);
struct line *line_of(struct mediator *m, const char *acquirer); /* NULL: none */
bool line_is_up(const struct line *l);
/* Asks until there is an answer: a 0200, and 0201s; 0400s and 0401s. What is asked already is not
 * asked twice. */
void line_ask(struct line *l, const struct orderbook_order *o, const struct orderbook_attempt *a);
void line_reverse(struct line *l, const struct orderbook_order *o,
                  const struct orderbook_attempt *a);

struct card_question { /* whose card it is that signed this request: a 0600 */
    const char *id;    /* of the request */
    const struct reg_contract *contract;
    const char *request, *evidence; /* as signed; as sealed */
    uint8_t hash[32], sealed[32];   /* of the one and the other */
};
/* The visit waits for what comes of it (visit_card_said), or until its time is over: what is not
 * answered soon is asked no more. False, and it does not wait: with the fault. */
bool line_prove(struct line *l, const struct card_question *q, struct visit *v, struct tp_error *e);

/* ---- purse_way.c: the acquirers that are purses ---- */

TP_MUST_CHECK enum tp_err purse_way_open(struct mediator *m, struct tp_error *e);
void purse_way_close(struct mediator *m);
/* The same, over HTTPS. What is to be given back is asked about first, as long as nobody knows
 * whether it was paid. tries: how often it was asked before. */
void purse_ask(struct mediator *m, const struct orderbook_order *o,
               const struct orderbook_attempt *a, unsigned tries);
void purse_reverse(struct mediator *m, const struct orderbook_order *o,
                   const struct orderbook_attempt *a, unsigned tries);

/* ---- session_way.c: what vouchers come to, presented to the purse ---- */

TP_MUST_CHECK enum tp_err session_way_open(struct mediator *m, struct tp_error *e);
void session_way_close(struct mediator *m);
/* What follows from where a session stands: what is open is presented, then its end told. On the
 * keeper's thread. */
void session_go_on(struct mediator *m, const struct orderbook_session *s);
/* Those whose time has come; on the clock's thread, by its books. */
void session_look(struct mediator *m, struct orderbook *b);

/* ---- deliver.c: the services ---- */

/* For an order that is paid; what comes of it is a move. */
void deliver(struct mediator *m, const struct orderbook_order *o, const struct orderbook_attempt *a,
             const char *quote, unsigned tries);
/* Once more, of what is delivered, for one visit. */
void deliver_again(struct mediator *m, const struct orderbook_order *o,
                   const struct orderbook_attempt *a, const char *quote, struct visit *v);
/* It will not be: why; it is given back. */
void undeliverable(struct mediator *m, const char *order, const char *why);
/* The service asked for a stream (stream.h): q has all but what is asked. False: no memory. */
bool ask_stream(struct http_client *client, struct mediator *m, const struct orderbook_order *o,
                const struct orderbook_attempt *a, const char *quote, struct http_question *q);
/* A refusal that will not become another one by asking again; what it says is shown, so it is only
 * looked at where it is words. */
bool is_final(const struct http_said *said, char why[BOOK_WHY_MAX]);
/* A demand: asks the service, and then visit_quoted. */
void ask_quote(struct mediator *m, struct visit *v);
/* What its user owes: asks the service, and then visit_billed. */
void ask_bills(struct mediator *m, struct visit *v);
/* What is free: asks for it, and then visit_given. */
void ask_free(struct mediator *m, struct visit *v, const char *quote);

#endif
