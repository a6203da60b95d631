/* The counter where things are handed out: each order once. One thread books what waits, in groups
 * (store/group.h). */
#ifndef TP_SERVICE_COUNTER_H
#define TP_SERVICE_COUNTER_H

#include "service/kiosk.h"
#include "service/shop.h"
#include "wire/http_call.h"

struct counter;

/* An order that is to be handed out, and what for. */
struct counter_order {
    struct http_call *call; /* said http_later; answered and resumed when it is over */
    struct sale sale;       /* at is the counter's to fill */
    int64_t stock;          /* -1: no end */
    const char *gone;       /* why it cannot be sold any more; NULL: it can */
    int fd;                 /* of its file, which the counter closes; -1: none */
    uint64_t size;
    int64_t rate;          /* of a stream: bytes a second; 0: as fast as they are taken */
    char *acknowledgement; /* the counter's to free() */
};

TP_MUST_CHECK enum tp_err counter_open(struct counter **out, const struct shop *shop,
                                       struct kiosk *kiosk, const char *dir, struct tp_error *e);
/* Works off what waits; from then on none is taken. */
void counter_stop(struct counter *c);
void counter_close(struct counter **c);

/* The order is copied, and is the counter's. */
void counter_take(struct counter *c, const struct counter_order *order);

/* Answers with what was sold, a file (closed with the answer) or a word about what is shipped. */
void counter_hand_out(struct http_call *call, const struct sale *sale, int fd, uint64_t size);

#endif
