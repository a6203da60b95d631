#include "service/shop.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

struct shop {
    const char *dir;
    char path[PATH_MAX]; /* of the catalogue */
    pthread_mutex_t lock;
    /* under the lock */
    struct sales *sales;
    struct seal *seal;
    struct catalogue *catalogue;
    struct stat seen; /* the file that it was, or could not be, read from */
};

enum tp_err shop_open(struct shop **out, const char *dir, struct tp_error *e)
{
    struct shop *s = calloc(1, sizeof(*s));
    enum tp_err r;

    *out = NULL;
    if (s == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    s->dir = dir;
    pthread_mutex_init(&s->lock, NULL);
    r = file_join(s->path, sizeof(s->path), dir, CATALOGUE_FILE, e);
    if (r == TP_OK)
        r = sales_open(&s->sales, dir, e);
    if (r == TP_OK)
        r = seal_open_dir(&s->seal, dir, e);
    if (r == TP_OK)
        (void)stat(s->path, &s->seen);
    if (r == TP_OK)
        r = catalogue_load(&s->catalogue, dir, e);
    if (r != TP_OK)
        shop_close(&s);
    *out = s;
    return r;
}

void shop_close(struct shop **out)
{
    struct shop *s = *out;

    if (s == NULL)
        return;
    catalogue_free(&s->catalogue);
    seal_free(&s->seal);
    sales_close(&s->sales);
    pthread_mutex_destroy(&s->lock);
    free(s);
    *out = NULL;
}

enum tp_err shop_mediator(struct shop *s, const uint8_t print[SALES_PRINT],
                          char name[SALES_NAME_MAX], bool *found, struct tp_error *e)
{
    enum tp_err r;

    pthread_mutex_lock(&s->lock);
    r = sales_mediator_of(s->sales, print, name, found, e);
    pthread_mutex_unlock(&s->lock);
    return r;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void read_again(struct shop *s)
{
    struct catalogue *now = NULL;
    struct tp_error e = {TP_OK, ""};
    struct stat is;

    memset(&is, 0, sizeof(is));
    (void)stat(s->path, &is); /* none: all zeros, which is told once */
    if (same_file(&is, &s->seen))
        return;
    s->seen = is;
    if (catalogue_load(&now, s->dir, &e) != TP_OK) {
        log_error("%s: the catalogue of before stays", e.text);
        return;
    }
    log_note("the catalogue was changed: %zu articles", catalogue_size(now));
    catalogue_free(&s->catalogue);
    s->catalogue = now;
}

bool shop_article(struct shop *s, const char *path, struct article *out)
{
    const struct article *a;

    pthread_mutex_lock(&s->lock);
    read_again(s);
    a = catalogue_find(s->catalogue, path);
    if (a != NULL)
        *out = *a;
    pthread_mutex_unlock(&s->lock);
    return a != NULL;
}

enum tp_err shop_file(const struct shop *s, int *fd, uint64_t *size, const char *file,
                      struct tp_error *e)
{
    return catalogue_open_file(fd, size, s->dir, file, e);
}

/* When the books do not say how many were sold, it is not sold now, and not sold out. */
static bool in_stock(struct shop *s, const struct article *a, bool *sold_out)
{
    struct tp_error e = {TP_OK, ""};
    int64_t sold = 0;
    enum tp_err r = TP_OK;

    if (a->stock < 0)
        return true;
    pthread_mutex_lock(&s->lock);
    r = sales_sold(s->sales, a->path, &sold, &e);
    pthread_mutex_unlock(&s->lock);
    if (r != TP_OK)
        log_error("%s", e.text);
    *sold_out = r == TP_OK && sold >= a->stock;
    return r == TP_OK && !*sold_out;
}

/* Whether the file is there; of one that goes with the quote, what is in it, the caller's. */
static bool has_file(const struct shop *s, const struct article *a, uint8_t **content,
                     struct span *included)
{
    struct tp_error e = {TP_OK, ""};
    uint64_t size = 0;
    bool has = true;
    int fd = -1;

    if (a->file[0] == '\0')
        return true;
    if (shop_file(s, &fd, &size, a->file, &e) != TP_OK) {
        log_error("article %s: %s", a->path, e.text);
        return false;
    }
    if (a->delivery == DELIVERY_INCLUDED) {
        *content = size <= CATALOGUE_INCLUDED ? malloc(size + 1) : NULL;
        has = *content != NULL && read(fd, *content, size) == (ssize_t)size;
        if (has)
            *included = span_of(*content, size);
        else
            log_error("article %s: its file cannot go with a quote: it has more than %d bytes, or "
                      "changes",
                      a->path, CATALOGUE_INCLUDED);
    }
    close(fd);
    return has;
}

enum tp_err shop_quote(struct shop *s, char **out, const struct article *a, const char *mediator,
                       struct tp_error *e)
{
    struct quote_terms terms = {.mediator = mediator, .now = time(NULL)};
    uint8_t *content = NULL;
    enum tp_err r;

    terms.available = article_on_sale(a, terms.now) && in_stock(s, a, &terms.sold_out) &&
                      has_file(s, a, &content, &terms.content);
    pthread_mutex_lock(&s->lock);
    r = quote_make(out, s->seal, a, &terms, e);
    pthread_mutex_unlock(&s->lock);
    free(content);
    return r;
}

enum tp_err shop_quote_open(struct shop *s, struct quote *out, const json_t *document,
                            const char *mediator, struct tp_error *e)
{
    enum tp_err r;

    pthread_mutex_lock(&s->lock);
    r = quote_open(out, s->seal, document, mediator, e);
    pthread_mutex_unlock(&s->lock);
    return r;
}
