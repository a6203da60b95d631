/* Who goes when too many are there: of the connections that have not shown a certificate yet, and
 * of those under one certificate, the oldest. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "wire/link_priv.h"

void link_crowd_init(struct crowd *c)
{
    pthread_mutex_init(&c->lock, NULL);
    TAILQ_INIT(&c->peers);
}

void link_crowd_clear(struct crowd *c)
{
    pthread_mutex_destroy(&c->lock);
}

/* Under the crowd's lock. */
static void leave(struct crowd *c, struct link_peer *p)
{
    TAILQ_REMOVE(&c->peers, p, by_age);
    atomic_store(&p->crowd, NULL);
    c->n--;
}

/* Has its loop thread close a peer; the reference is given up. */
static void send_away(struct link_peer *p)
{
    bool wake;

    pthread_mutex_lock(&p->loop->lock);
    p->sent_away = true;
    wake = !p->gone && link_peer_queue(p);
    pthread_mutex_unlock(&p->loop->lock);
    if (wake)
        event_active(p->loop->wake, 0, 0);
    link_peer_unref(p);
}

/* Under the lock: the oldest of a key, or of all (NULL), out of the crowd and with a reference; the
 * oldest that is silent, if one is: an honest terminal speaks at once. */
static struct link_peer *take_oldest(struct crowd *c, const char *key)
{
    struct link_peer *p = NULL, *other;

    TAILQ_FOREACH (other, &c->peers, by_age) {
        if (key != NULL && strcmp(other->key, key) != 0)
            continue;
        if (p == NULL)
            p = other;
        if (!atomic_load(&other->talks)) {
            p = other;
            break;
        }
    }
    if (p == NULL)
        return NULL;
    link_peer_ref(p);
    leave(c, p);
    return p;
}

void link_crowd_enter(struct crowd *c, struct link_peer *p, const char *key, unsigned of_key,
                      unsigned of_all)
{
    struct link_peer *other, *oldest = NULL;
    unsigned n = 0;

    pthread_mutex_lock(&c->lock);
    snprintf(p->key, sizeof(p->key), "%s", key);
    TAILQ_FOREACH (other, &c->peers, by_age)
        n += strcmp(other->key, p->key) == 0;
    if (n >= of_key)
        oldest = take_oldest(c, p->key);
    else if (c->n >= of_all)
        oldest = take_oldest(c, NULL);
    TAILQ_INSERT_TAIL(&c->peers, p, by_age);
    atomic_store(&p->crowd, c);
    c->n++;
    pthread_mutex_unlock(&c->lock);
    if (oldest != NULL)
        send_away(oldest);
}

void link_crowd_leave(struct crowd *c, struct link_peer *p)
{
    pthread_mutex_lock(&c->lock);
    if (atomic_load(&p->crowd) == c)
        leave(c, p);
    pthread_mutex_unlock(&c->lock);
}

bool link_crowd_thin(struct crowd *c)
{
    struct link_peer *oldest;

    pthread_mutex_lock(&c->lock);
    oldest = take_oldest(c, NULL);
    pthread_mutex_unlock(&c->lock);
    if (oldest != NULL)
        send_away(oldest);
    return oldest != NULL;
}
