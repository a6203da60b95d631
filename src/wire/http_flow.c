#include "wire/http_flow.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "wire/http_priv.h"

#define BLOCK  16384
#define READ_S 30 /* in which a client takes a block */

struct http_flow {
    pthread_mutex_t lock;
    unsigned holders; /* who has the bytes, the answer */
    bool ended, left;
    struct http_call *waiting; /* suspended until there are bytes, or the end; NULL: it is not */
    struct http_call *call;
    size_t begin, n, cap; /* a ring */
    uint8_t ring[];
};

struct http_flow *http_flow_new(size_t room)
{
    struct http_flow *f = malloc(sizeof(*f) + room);

    if (f == NULL)
        return NULL;
    *f = (struct http_flow){.holders = 1, .cap = room};
    pthread_mutex_init(&f->lock, NULL);
    return f;
}

/* Under the lock, which it gives back. */
static void let_go(struct http_flow *f)
{
    const bool last = --f->holders == 0;

    pthread_mutex_unlock(&f->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&f->lock);
    free(f);
}

/* Under the lock. */
static void wake(struct http_flow *f)
{
    if (f->waiting != NULL)
        http_resume(f->waiting);
    f->waiting = NULL;
}

void http_flow_drop(struct http_flow **out)
{
    struct http_flow *f = *out;

    *out = NULL;
    if (f == NULL)
        return;
    pthread_mutex_lock(&f->lock);
    f->ended = true;
    wake(f);
    let_go(f);
}

/* Takes from the ring; under the lock. */
static size_t take(struct http_flow *f, char *out, size_t max)
{
    const size_t n = f->n < max ? f->n : max, first = n < f->cap - f->begin ? n : f->cap - f->begin;

    memcpy(out, f->ring + f->begin, first);
    memcpy(out + first, f->ring, n - first);
    f->begin = (f->begin + n) % f->cap;
    f->n -= n;
    return n;
}

/* On the door's thread. Nothing there: it is suspended, and asked again once it is resumed. */
static ssize_t on_read(void *ctx, uint64_t at, char *out, size_t max)
{
    struct http_flow *f = ctx;
    ssize_t n;

    (void)at;
    pthread_mutex_lock(&f->lock);
    if (f->n > 0) {
        n = (ssize_t)take(f, out, max);
        guests_deadline(f->call->guests, f->call->guest, READ_S);
    } else if (f->ended) {
        n = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        n = 0;
        f->waiting = f->call;
        http_later(f->call);
    }
    pthread_mutex_unlock(&f->lock);
    return n;
}

static void on_free(void *ctx)
{
    struct http_flow *f = ctx;

    pthread_mutex_lock(&f->lock);
    f->left = true;
    f->waiting = NULL;
    let_go(f);
}

void http_flow_answer(struct http_call *c, unsigned status, struct http_flow *f)
{
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, on_read, f, on_free);

    if (response != NULL) {
        pthread_mutex_lock(&f->lock);
        f->holders++;
        f->call = c;
        pthread_mutex_unlock(&f->lock);
    }
    http_answer(c, status, response, 0);
}

size_t http_flow_room(struct http_flow *f)
{
    size_t room;

    pthread_mutex_lock(&f->lock);
    room = f->cap - f->n;
    pthread_mutex_unlock(&f->lock);
    return room;
}

size_t http_flow_put(struct http_flow *f, struct span bytes)
{
    size_t n, end, first;

    pthread_mutex_lock(&f->lock);
    n = bytes.n < f->cap - f->n ? bytes.n : f->cap - f->n;
    end = (f->begin + f->n) % f->cap;
    first = n < f->cap - end ? n : f->cap - end;
    memcpy(f->ring + end, bytes.p, first);
    memcpy(f->ring, bytes.p + first, n - first);
    f->n += n;
    if (n > 0)
        wake(f);
    pthread_mutex_unlock(&f->lock);
    return n;
}

void http_flow_end(struct http_flow *f)
{
    pthread_mutex_lock(&f->lock);
    f->ended = true;
    wake(f);
    pthread_mutex_unlock(&f->lock);
}

bool http_flow_is_left(struct http_flow *f)
{
    bool left;

    pthread_mutex_lock(&f->lock);
    left = f->left;
    pthread_mutex_unlock(&f->lock);
    return left;
}
