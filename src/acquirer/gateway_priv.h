/* What the gateway's files share: the desk of one issuer, and its slots. What is not said otherwise
 * is touched by the issuer's own thread alone. */
#ifndef TP_ACQUIRER_GATEWAY_PRIV_H
#define TP_ACQUIRER_GATEWAY_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "acquirer/gateway.h"
#include "wire/link_line.h"

#define SLOTS         1024 /* messages under way to one issuer … */
#define ASKS_MAX      900  /* … of which so many may be questions */
#define REVERSALS_MAX 64   /* and so many reversals */
#define QUESTION_MAX  1536

enum slot_kind {
    SLOT_FREE,
    SLOT_ASK,      /* a 0100 waits for its 0110 */
    SLOT_REVERSAL, /* a 0400 waits for its 0410 */
    SLOT_REST /* a reversal is answered: done, and being booked; or not, and not to be sent again
                 just yet */
};

struct slot {
    enum slot_kind kind;
    uint32_t stan; /* DE 11 of this line */
    char rrn[RRN_MAX];
    int64_t until;
    uint8_t *raw; /* of a question: packed, to be sent again on a new connection */
    size_t n;
};

struct posted {
    STAILQ_ENTRY(posted) next;
    char rrn[RRN_MAX];
    time_t asked;
    size_t n;
    uint8_t question[];
};
STAILQ_HEAD(posted_queue, posted);

struct desk { /* one issuer */
    struct gateway *gateway;
    struct issuer issuer;
    SSL_CTX *tls;
    struct link_line *line;
    struct ledger *ledger; /* to look for what is to be reversed */
    struct seal *seal;
    struct slot slot[SLOTS];
    struct iso8583 message, answer;
    uint32_t counter;   /* of reversals' DE 11 */
    int64_t heard;      /* the last message of the issuer */
    int64_t echo_until; /* an echo is under way until then; 0: none */
    int64_t look_at;
    unsigned reversals;
    bool connected, complained;
    char sent_before[REVERSALS_MAX * 4]
                    [RRN_MAX]; /* reversals that went out on this run: the next is a 0401 */
    size_t sent_n, sent_at;
    pthread_mutex_t lock;
    struct posted_queue posted; /* under lock */
    atomic_bool open;           /* the issuer has answered on this connection */
    atomic_uint asks;           /* posted or under way */
    atomic_bool look;           /* for reversals, now */
};

struct gateway {
    struct gateway_events events;
    char dir[PATH_MAX];
    int timeout_ms;
    struct desk **desk;
    size_t desks;
};

struct slot *slot_free(struct desk *d); /* NULL: none is left */
struct slot *slot_by_stan(struct desk *d, enum slot_kind kind, uint32_t stan);
struct slot *slot_by_rrn(struct desk *d, const char *rrn);
void slot_clear(struct desk *d, struct slot *s);

uint32_t question_stan(const char *rrn); /* DE 11 of a question */
TP_MUST_CHECK enum tp_err desk_send(struct desk *d, struct iso8583 *m);

/* gateway_ask.c: questions, and their answers (0110, in d->answer). */
void ask_posted(struct desk *d);
void ask_answered(struct desk *d, uint32_t stan);
void ask_give_up(struct desk *d, struct slot *s, enum ledger_verdict why);
void posted_free(struct posted *p);

/* gateway_reversal.c: what the books say is to be reversed, and its answers (0410). */
void reversals_look(struct desk *d);
void reversal_answered(struct desk *d, uint32_t stan);

#endif
