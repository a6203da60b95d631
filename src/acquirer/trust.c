#include "acquirer/trust.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

#define CHAINS_KEPT 4096 /* verified certificates a thread remembers */
#define SETTLED_S   2    /* file systems keep times of 1 to 2 s at the coarsest */

/* Every file of keys is replaced, added or removed as a name in its folder: the folder's time
 * changes. No folder: time 0. */
static enum tp_err folder_time(struct timespec *out, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    struct stat st;
    const enum tp_err r = file_join(path, sizeof(path), dir, "authorities", e);

    memset(out, 0, sizeof(*out));
    if (r == TP_OK && stat(path, &st) == 0)
        *out = st.st_mtim;
    return r;
}

static enum tp_err read_keys(struct trust *t, struct timespec changed, time_t now,
                             struct tp_error *e)
{
    struct capk_store *authorities = NULL;
    struct evidence_cache *cache = NULL;
    enum tp_err r = acquirer_load_authorities(&authorities, t->dir, e);

    if (r == TP_OK && evidence_cache_new(&cache, authorities, CHAINS_KEPT) != TP_OK)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for the authority keys");
    if (r != TP_OK) {
        capk_store_free(&authorities);
        return r;
    }
    evidence_cache_free(&t->cache);
    capk_store_free(&t->authorities);
    t->cache = cache;
    t->authorities = authorities;
    t->changed = changed;
    t->settled = now - changed.tv_sec > SETTLED_S;
    return TP_OK;
}

enum tp_err trust_open(struct trust *t, const char *dir, struct tp_error *e)
{
    struct timespec changed;
    enum tp_err r = TP_OK;

    memset(t, 0, sizeof(*t));
    if (snprintf(t->dir, sizeof(t->dir), "%s", dir) >= (int)sizeof(t->dir))
        return tp_fail(e, TP_ERR_RANGE, "the path %s is too long", dir);
    t->looked = time(NULL);
    r = folder_time(&changed, dir, e);
    return r == TP_OK ? read_keys(t, changed, t->looked, e) : r;
}

void trust_close(struct trust *t)
{
    evidence_cache_free(&t->cache);
    capk_store_free(&t->authorities);
}

enum tp_err trust_look(struct trust *t, time_t now, struct tp_error *e)
{
    struct timespec at;
    enum tp_err r;

    if (now == t->looked)
        return TP_OK;
    t->looked = now;
    r = folder_time(&at, t->dir, e);
    if (r != TP_OK ||
        (t->settled && at.tv_sec == t->changed.tv_sec && at.tv_nsec == t->changed.tv_nsec))
        return r;
    return read_keys(t, at, now, e);
}
