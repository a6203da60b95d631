#include "wire/throttle.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "wire/network.h"

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

unsigned throttle_take(struct throttle *t, const struct sockaddr *from, int64_t now)
{
    struct {
        uint8_t key[KEY];
        char network[NETWORK_MAX];
    } text = {.network = ""};
    uint8_t hash[32];
    int64_t full, over;
    uint16_t slot;

    network_of(text.network, from);
    /* the /64 of ::1 is :: */
    if (from == NULL || strcmp(text.network, "127.0.0.1") == 0 || strcmp(text.network, "::") == 0)
        return 0;
    memcpy(text.key, t->key, KEY);
    if (EVP_Digest(&text, sizeof(text), hash, NULL, EVP_sha256(), NULL) != 1)
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
