#include "service/shop.h"

#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/date.h"
#include "base/file.h"
#include "base/log.h"

struct listed { /* a catalogue's file */
    char path[PATH_MAX];
    enum tp_err (*load)(struct catalogue **out, const char *dir, struct tp_error *e);
    struct catalogue *catalogue;
    struct stat seen; /* the file that it was, or could not be, read from */
};

struct shop {
    const char *dir;
    pthread_mutex_t lock;
    /* under the lock */
    struct sales *sales;
    struct seal *seal;
    struct listed goods, bills;
};

static enum tp_err open_listed(struct listed *l, const char *dir, const char *file,
                               enum tp_err (*load)(struct catalogue **out, const char *dir,
                                                   struct tp_error *e),
                               struct tp_error *e)
{
    const enum tp_err r = file_join(l->path, sizeof(l->path), dir, file, e);

    l->load = load;
    if (r == TP_OK)
        (void)stat(l->path, &l->seen);
    return r == TP_OK ? load(&l->catalogue, dir, e) : r;
}

enum tp_err shop_open(struct shop **out, const char *dir, struct tp_error *e)
{
    struct shop *s = calloc(1, sizeof(*s));
    enum tp_err r;

    *out = NULL;
    if (s == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    s->dir = dir;
    pthread_mutex_init(&s->lock, NULL);
    r = sales_open(&s->sales, dir, e);
    if (r == TP_OK)
        r = seal_open_dir(&s->seal, dir, e);
    if (r == TP_OK)
        r = open_listed(&s->goods, dir, CATALOGUE_FILE, catalogue_load, e);
    if (r == TP_OK)
        r = open_listed(&s->bills, dir, BILLS_FILE, catalogue_load_bills, e);
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
    catalogue_free(&s->goods.catalogue);
    catalogue_free(&s->bills.catalogue);
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

static void read_again(const struct shop *s, struct listed *l)
{
    struct catalogue *now = NULL;
    struct tp_error e = {TP_OK, ""};
    struct stat is;

    memset(&is, 0, sizeof(is));
    (void)stat(l->path, &is); /* none: all zeros, which is told once */
    if (same_file(&is, &l->seen))
        return;
    l->seen = is;
    if (l->load(&now, s->dir, &e) != TP_OK) {
        log_error("%s: the catalogue of before stays", e.text);
        return;
    }
    log_note("the catalogue was changed: %zu articles", catalogue_size(now));
    catalogue_free(&l->catalogue);
    l->catalogue = now;
}

bool shop_article(struct shop *s, const char *path, struct article *out)
{
    const struct article *a;
    bool found;

    pthread_mutex_lock(&s->lock);
    read_again(s, &s->goods);
    read_again(s, &s->bills);
    a = catalogue_find(s->goods.catalogue, path);
    if (a != NULL && a->parameter[0] != '\0') /* sold for a number alone: whose credit is it? */
        a = NULL;
    if (a == NULL)
        a = catalogue_find(s->bills.catalogue, path);
    if (a != NULL)
        *out = *a;
    found = a != NULL || catalogue_find_for(out, s->goods.catalogue, path);
    pthread_mutex_unlock(&s->lock);
    return found;
}

static enum tp_err add_bill(json_t *list, struct shop *s, const struct article *a,
                            struct tp_error *e)
{
    char amount[24], until[DATE_TEXT_MAX];
    int64_t sold = 0;
    enum tp_err r = sales_sold(s->sales, a->path, &sold, e);

    snprintf(amount, sizeof(amount), "%" PRId64, a->amount);
    if (r == TP_OK &&
        json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s*,s:b}", "bill",
                                              a->path + strlen(BILLS_PATH), "path", a->path,
                                              "designation", a->designation, "amount", amount,
                                              "currency", a->currency->alpha, "until",
                                              a->until != 0 ? date_format(until, a->until) : NULL,
                                              "paid", sold > 0)) != 0)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a bill");
    return r;
}

enum tp_err shop_bills(struct shop *s, json_t **out, const char *user, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    *out = json_array();
    pthread_mutex_lock(&s->lock);
    read_again(s, &s->bills);
    for (size_t i = 0; r == TP_OK && i < catalogue_size(s->bills.catalogue); i++) {
        const struct article *a = catalogue_at(s->bills.catalogue, i);

        if (strcmp(a->user, user) != 0 || a->withheld)
            continue;
        r = json_array_size(*out) < SHOP_BILLS
                ? add_bill(*out, s, a, e)
                : tp_fail(e, TP_ERR_RANGE,
                          "bills.ini has more than %d bills of one user: take out old ones",
                          SHOP_BILLS);
    }
    pthread_mutex_unlock(&s->lock);
    if (r != TP_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return r;
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
