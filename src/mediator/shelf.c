/* What was just delivered stays at hand for a moment: a payer device that posted its payment comes
 * for the delivery next, and the service is not asked for it twice. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "mediator/mediator_priv.h"

#define SLOTS    64
#define BYTES    (1U << 20) /* larger ones are asked for again */
#define STAYS_MS 10000

struct shelf {
    pthread_mutex_t lock;
    struct {
        char id[BOOK_ORDER_ID];
        struct content *content; /* NULL: empty */
        int64_t until;
    } slot[SLOTS];
    size_t next; /* the oldest */
};

enum tp_err shelf_open(struct mediator *m, struct tp_error *e)
{
    m->shelf = calloc(1, sizeof(*m->shelf));
    if (m->shelf == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    pthread_mutex_init(&m->shelf->lock, NULL);
    return TP_OK;
}

void shelf_close(struct mediator *m)
{
    if (m->shelf == NULL)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        content_drop(&m->shelf->slot[i].content);
    pthread_mutex_destroy(&m->shelf->lock);
    free(m->shelf);
    m->shelf = NULL;
}

void shelf_put(struct mediator *m, const char *id, struct content *c)
{
    struct shelf *s = m->shelf;

    if (c->n > BYTES)
        return;
    pthread_mutex_lock(&s->lock);
    content_drop(&s->slot[s->next].content);
    memcpy(s->slot[s->next].id, id, sizeof(s->slot[s->next].id));
    s->slot[s->next].content = content_hold(c);
    s->slot[s->next].until = time_monotonic_ms() + STAYS_MS;
    s->next = (s->next + 1) % SLOTS;
    pthread_mutex_unlock(&s->lock);
}

struct content *shelf_get(struct mediator *m, const char *id)
{
    struct shelf *s = m->shelf;
    struct content *found = NULL;

    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < SLOTS && found == NULL; i++)
        if (s->slot[i].content != NULL && strcmp(s->slot[i].id, id) == 0 &&
            time_monotonic_ms() < s->slot[i].until)
            found = content_hold(s->slot[i].content);
    pthread_mutex_unlock(&s->lock);
    return found;
}
