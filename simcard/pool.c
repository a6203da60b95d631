#include "simcard/pool.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

/* ---- folders ---- */

static bool holds_card(const char *folder)
{
    char path[PATH_MAX];
    struct tp_error none;

    return file_join(path, sizeof(path), folder, "card.json", &none) == TP_OK &&
           access(path, F_OK) == 0;
}

static enum tp_err add_folder(struct card_folders *f, const char *dir, const char *name,
                              struct tp_error *e)
{
    char path[PATH_MAX];
    char **longer;
    enum tp_err r = name[0] == '.' ? TP_ERR_NOT_FOUND : file_join(path, sizeof(path), dir, name, e);

    if (r != TP_OK || !holds_card(path))
        return r == TP_ERR_NOT_FOUND ? TP_OK : r;
    longer = realloc(f->path, (f->n + 1) * sizeof(*longer));
    if (longer == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    f->path = longer;
    f->path[f->n] = strdup(path);
    if (f->path[f->n] == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    f->n++;
    return TP_OK;
}

enum tp_err card_folders_list(struct card_folders *out, const char *dir, struct tp_error *e)
{
    struct dirent **names = NULL;
    const int n = scandir(dir, &names, NULL, alphasort);
    enum tp_err r = TP_OK;

    *out = (struct card_folders){NULL, 0};
    if (n < 0)
        return tp_fail(e, TP_ERR_NOT_FOUND,
                       "%s cannot be read: is it a folder of cards, as telepay-perso cards makes?",
                       dir);
    for (int i = 0; i < n; i++) {
        if (r == TP_OK)
            r = add_folder(out, dir, names[i]->d_name, e);
        free(names[i]);
    }
    free(names);
    if (r == TP_OK && out->n == 0)
        r = tp_fail(e, TP_ERR_NOT_FOUND, "%s holds no cards: telepay-perso cards makes some", dir);
    if (r != TP_OK)
        card_folders_free(out);
    return r;
}

void card_folders_free(struct card_folders *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->path[i]);
    free(f->path);
    *f = (struct card_folders){NULL, 0};
}

/* ---- pool ---- */

struct card_pool {
    pthread_mutex_t lock;
    pthread_cond_t given;
    struct card **idle; /* a ring of size places */
    size_t size, first, idle_n;
};

enum tp_err card_pool_open(struct card_pool **out, const char *dir, enum card_keep keep,
                           struct tp_error *e)
{
    struct card_folders folders = {NULL, 0};
    struct card_pool *pool = NULL;
    enum tp_err r = card_folders_list(&folders, dir, e);

    *out = NULL;
    if (r != TP_OK)
        return r;
    pool = calloc(1, sizeof(*pool));
    if (pool == NULL || (pool->idle = calloc(folders.n, sizeof(*pool->idle))) == NULL) {
        free(pool);
        card_folders_free(&folders);
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    }
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->given, NULL);
    pool->size = folders.n;
    for (size_t i = 0; i < folders.n && r == TP_OK; i++) {
        r = card_open(&pool->idle[i], folders.path[i], keep, e);
        pool->idle_n += r == TP_OK ? 1 : 0;
    }
    card_folders_free(&folders);
    *out = pool;
    if (r != TP_OK)
        card_pool_close(out);
    return r;
}

void card_pool_close(struct card_pool **pool)
{
    struct card_pool *p = *pool;

    if (p == NULL)
        return;
    for (size_t i = 0; i < p->idle_n; i++)
        card_close(&p->idle[(p->first + i) % p->size]);
    pthread_cond_destroy(&p->given);
    pthread_mutex_destroy(&p->lock);
    free(p->idle);
    free(p);
    *pool = NULL;
}

size_t card_pool_size(const struct card_pool *pool)
{
    return pool->size;
}

struct card *card_pool_take(struct card_pool *pool)
{
    struct card *card;

    pthread_mutex_lock(&pool->lock);
    while (pool->idle_n == 0)
        pthread_cond_wait(&pool->given, &pool->lock);
    card = pool->idle[pool->first];
    pool->first = (pool->first + 1) % pool->size;
    pool->idle_n--;
    pthread_mutex_unlock(&pool->lock);
    return card;
}

void card_pool_give(struct card_pool *pool, struct card *card)
{
    pthread_mutex_lock(&pool->lock);
    pool->idle[(pool->first + pool->idle_n) % pool->size] = card;
    pool->idle_n++;
    pthread_cond_signal(&pool->given);
    pthread_mutex_unlock(&pool->lock);
}
