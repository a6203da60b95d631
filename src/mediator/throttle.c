#include "mediator/throttle.h"

#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 16384 /* two networks in one share what one has */
#define KEY   16

struct throttle {
    pthread_mutex_t lock;
    uint8_t key[KEY];    /* nobody can aim at another's slot */
    int64_t full[SLOTS]; /* when all that was used there is given back, monotonic ms */
};

enum tp_err throttle_new(struct throttle **out, struct tp_error *e)
{
    struct throttle *t = calloc(1, sizeof(*t));

    *out = NULL;
    if (t == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    if (RAND_bytes(t->key, sizeof(t->key)) != 1) {
        free(t);
        return tp_fail(e, TP_ERR_INTERNAL, "the system gives no random numbers");
    }
    pthread_mutex_init(&t->lock, NULL);
    *out = t;
    return TP_OK;
}

void throttle_free(struct throttle **t)
{
    if (*t == NULL)
        return;
    pthread_mutex_destroy(&(*t)->lock);
    free(*t);
    *t = NULL;
}

/* How many bytes of it; 0: it is none that is counted. */
static size_t read_network(uint8_t out[8], const struct sockaddr *from)
{
    static const uint8_t here[4] = {127, 0, 0, 1};
    const struct in6_addr *six;

    if (from != NULL && from->sa_family == AF_INET) {
        memcpy(out, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
        return memcmp(out, here, 4) != 0 ? 4 : 0;
    }
    if (from == NULL || from->sa_family != AF_INET6)
        return 0;
    six = &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(six)) {
        memcpy(out, six->s6_addr + 12, 4);
        return memcmp(out, here, 4) != 0 ? 4 : 0;
    }
    memcpy(out, six->s6_addr, 8);
    return IN6_IS_ADDR_LOOPBACK(six) ? 0 : 8;
}

unsigned throttle_take(struct throttle *t, const struct sockaddr *from, int64_t now)
{
    uint8_t text[KEY + 8], hash[32];
    const size_t n = read_network(text + KEY, from);
    int64_t full, over;
    uint16_t slot;

    memcpy(text, t->key, KEY);
    if (n == 0 || EVP_Digest(text, KEY + n, hash, NULL, EVP_sha256(), NULL) != 1)
        return 0;
    memcpy(&slot, hash, sizeof(slot));
    slot %= SLOTS;
    pthread_mutex_lock(&t->lock);
    full = (t->full[slot] > now ? t->full[slot] : now) + THROTTLE_MS;
    over = full - now - (int64_t)THROTTLE_AT_ONCE * THROTTLE_MS;
    if (over <= 0)
        t->full[slot] = full;
    pthread_mutex_unlock(&t->lock);
    return over <= 0 ? 0 : (unsigned)((over + 999) / 1000);
}
