#include "simcard/perso_many.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mask.h"

enum tp_err perso_pan_after(char out[PAN_TEXT_MAX], const char *pan_from, unsigned n)
{
    const size_t length = strlen(pan_from);

    if (length < 12 || length > PAN_MAX || strspn(pan_from, "0123456789") != length)
        return TP_ERR_RANGE;
    memcpy(out, pan_from, length + 1);
    for (size_t i = length - 1; n > 0; i--) {
        if (i == 0)
            return TP_ERR_RANGE;
        n += (unsigned)(out[i - 1] - '0');
        out[i - 1] = (char)('0' + n % 10);
        n /= 10;
    }
    out[length - 1] = pan_check_digit(out, length - 1);
    return TP_OK;
}

/* What the threads share. */
struct work {
    struct perso_many *m;
    const struct scheme *scheme;
    const struct perso_params *params;
    pthread_mutex_t lock; /* of all below, and of the issuer's key */
    unsigned next;        /* card to begin */
    enum tp_err r;        /* first failure: nobody begins another card */
    struct tp_error e;
};

static bool begin(struct work *w, unsigned *index)
{
    bool more;

    pthread_mutex_lock(&w->lock);
    more = w->r == TP_OK && w->next < w->m->count;
    if (more)
        *index = w->next++;
    pthread_mutex_unlock(&w->lock);
    return more;
}

static void finish(struct work *w, enum tp_err r, bool was_there, const struct tp_error *e)
{
    pthread_mutex_lock(&w->lock);
    if (r != TP_OK && w->r == TP_OK) {
        w->r = r;
        w->e = *e;
    }
    if (r == TP_OK) {
        w->m->there += was_there ? 1 : 0;
        w->m->made += was_there ? 0 : 1;
        if (w->m->progress != NULL)
            w->m->progress(w->m->ctx, w->m->made + w->m->there, w->m->count);
    }
    pthread_mutex_unlock(&w->lock);
}

static enum tp_err make_keys(struct perso_params *p, struct tp_error *e)
{
    bool own, pin;
    enum tp_err r = TP_OK;

    perso_keys_wanted(p, &own, &pin);
    p->key = p->pin_key = NULL;
    if (own)
        r = emv_privkey_generate(&p->key, p->bits, p->exponent);
    if (r == TP_OK && pin)
        r = emv_privkey_generate(&p->pin_key, p->pin_bits, p->exponent);
    return r == TP_OK
               ? r
               : tp_fail(e, TP_ERR_USAGE, "cannot make a card key of %u bits with exponent %u",
                         own ? p->bits : p->pin_bits, p->exponent);
}

static enum tp_err make_card(struct work *w, const char *dir, const char *pan, struct tp_error *e)
{
    struct perso_params p = *w->params;
    struct card_profile *card = NULL;
    enum tp_err r;

    p.pan = pan;
    r = make_keys(&p, e);
    if (r == TP_OK) {
        pthread_mutex_lock(&w->lock);
        r = perso_make(&card, w->scheme, &p, e);
        pthread_mutex_unlock(&w->lock);
    }
    if (card == NULL) { /* the keys were not taken over */
        emv_privkey_free(&p.key);
        emv_privkey_free(&p.pin_key);
    }
    if (r == TP_OK)
        r = perso_save(card, dir, e);
    profile_free(&card);
    return r;
}

/* *there: a card stood in its folder already. */
static enum tp_err one(struct work *w, unsigned index, bool *there, struct tp_error *e)
{
    char pan[PAN_TEXT_MAX], name[16], dir[PATH_MAX], state[PATH_MAX];
    enum tp_err r;

    *there = false;
    if (perso_pan_after(pan, w->m->pan_from, index) != TP_OK)
        return tp_fail(e, TP_ERR_USAGE,
                       "a card number has 12 to 19 digits, and enough of them to count up %u",
                       w->m->count);
    snprintf(name, sizeof(name), "%06u", index + 1);
    r = file_join(dir, sizeof(dir), w->m->dir, name, e);
    if (r == TP_OK)
        r = file_join(state, sizeof(state), dir, "state", e);
    if (r != TP_OK)
        return r;
    *there = access(state, F_OK) == 0; /* written last: the card is whole */
    return *there ? TP_OK : make_card(w, dir, pan, e);
}

static void *run(void *arg)
{
    struct work *w = arg;
    unsigned index;

    while (begin(w, &index)) {
        struct tp_error e = {TP_OK, ""};
        bool there;
        const enum tp_err r = one(w, index, &there, &e);

        finish(w, r, there, &e);
    }
    return NULL;
}

static unsigned thread_count(const struct perso_many *m)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned n = m->threads != 0 ? m->threads : cores > 0 ? (unsigned)cores : 1;

    n = n < PERSO_THREADS_MAX ? n : PERSO_THREADS_MAX;
    return n < m->count ? n : m->count;
}

enum tp_err perso_make_many(struct perso_many *m, const struct scheme *s,
                            const struct perso_params *p, struct tp_error *e)
{
    struct work w = {.m = m, .scheme = s, .params = p, .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[PERSO_THREADS_MAX];
    unsigned started = 0;

    m->made = m->there = 0;
    if (m->count < 1 || m->count > PERSO_CARDS_MAX)
        return tp_fail(e, TP_ERR_USAGE, "from 1 to %u cards can be made at a time",
                       PERSO_CARDS_MAX);
    for (const unsigned n = thread_count(m); started < n; started++)
        if (pthread_create(&threads[started], NULL, run, &w) != 0)
            break;
    if (started == 0)
        run(&w);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&w.lock);
    if (w.r != TP_OK)
        *e = w.e;
    return w.r;
}
