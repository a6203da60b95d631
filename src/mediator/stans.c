#include "mediator/stans.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define STANS 1000000 /* six digits; 000000 is none */

struct stans {
    pthread_mutex_t lock;
    int day;
    uint32_t last, used; /* last given; how many are used */
    uint8_t taken[STANS / 8];
};

enum tp_err stans_new(struct stans **out, struct tp_error *e)
{
    *out = calloc(1, sizeof(**out));
    if (*out == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for the numbers of a terminal");
    pthread_mutex_init(&(*out)->lock, NULL);
    return TP_OK;
}

void stans_free(struct stans **s)
{
    if (*s != NULL)
        pthread_mutex_destroy(&(*s)->lock);
    free(*s);
    *s = NULL;
}

static bool is_taken(const struct stans *s, uint32_t stan)
{
    return (s->taken[stan / 8] >> stan % 8 & 1) != 0;
}

static void take(struct stans *s, uint32_t stan)
{
    if (stan == 0 || stan >= STANS || is_taken(s, stan))
        return;
    s->taken[stan / 8] |= (uint8_t)(1U << stan % 8);
    s->used++;
}

/* It goes on where the last day ended: at midnight two threads may ask for either day in turn, and
 * what one of them was given must not come again. */
static void begin_day(struct stans *s, int day)
{
    if (s->day == day)
        return;
    s->day = day;
    s->used = 0;
    memset(s->taken, 0, sizeof(s->taken));
}

void stans_mark(struct stans *s, int day, uint32_t stan)
{
    pthread_mutex_lock(&s->lock);
    begin_day(s, day);
    take(s, stan);
    if (stan > s->last && stan < STANS)
        s->last = stan;
    pthread_mutex_unlock(&s->lock);
}

bool stans_next(struct stans *s, int day, uint32_t *stan)
{
    bool found;

    pthread_mutex_lock(&s->lock);
    begin_day(s, day);
    found = s->used < STANS - 1;
    while (found) {
        s->last = s->last % (STANS - 1) + 1; /* 1 to 999999, round and round */
        if (is_taken(s, s->last))
            continue;
        take(s, s->last);
        *stan = s->last;
        break;
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

void stans_release(struct stans *s, int day, uint32_t stan)
{
    pthread_mutex_lock(&s->lock);
    if (s->day == day && stan > 0 && stan < STANS && is_taken(s, stan)) {
        s->taken[stan / 8] &= (uint8_t) ~(1U << stan % 8);
        s->used--;
    }
    pthread_mutex_unlock(&s->lock);
}
