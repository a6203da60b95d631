#include "acquirer/state.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/file.h"
#include "base/hex.h"
#include "store/db.h"

#define AUTHORITY_FILES_MAX 1000

enum tp_err acquirer_dir(char *out, const char *given, struct tp_error *e)
{
    static const struct file_home home = {"acquirer", "acq", ACQUIRER_DIR_DEFAULT, ACQUIRER_BOOKS,
                                          DB_WHERE_FILE};

    return file_home(out, &home, given, e);
}

enum tp_err acquirer_open_ledger(struct ledger **out, const char *dir, struct tp_error *e)
{
    char where[DB_WHERE_MAX];
    const enum tp_err r = db_where(where, dir, ACQUIRER_BOOKS, e);

    *out = NULL;
    return r == TP_OK ? ledger_open(out, where, e) : r;
}

static int is_json(const struct dirent *d)
{
    const size_t n = strlen(d->d_name);

    return n > 5 && d->d_name[0] != '.' && strcmp(d->d_name + n - 5, ".json") == 0;
}

enum tp_err acquirer_authority_files(struct dirent ***names, int *n, const char *folder,
                                     struct tp_error *e)
{
    *names = NULL;
    *n = scandir(folder, names, is_json, alphasort);
    if (*n >= 0)
        return TP_OK;
    *n = 0;
    return errno == ENOENT ? TP_OK
                           : tp_fail(e, TP_ERR_IO, "cannot read %s: %s", folder, strerror(errno));
}

static enum tp_err load_folder(struct capk_store *s, const char *folder, struct tp_error *e)
{
    struct dirent **names;
    char path[PATH_MAX];
    int n;
    enum tp_err r = acquirer_authority_files(&names, &n, folder, e);

    for (int i = 0; i < n; i++) {
        if (r == TP_OK)
            r = file_join(path, sizeof(path), folder, names[i]->d_name, e);
        if (r == TP_OK)
            r = capk_store_load(s, path, e);
        free(names[i]);
    }
    free(names);
    return r;
}

enum tp_err acquirer_read_authorities(struct capk_store **out, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    struct capk_store *s = NULL;
    enum tp_err r = capk_store_new(&s);

    *out = NULL;
    if (r != TP_OK)
        return tp_fail(e, r, "cannot load the authority keys: %s", tp_err_text(r));
    r = file_join(path, sizeof(path), dir, "authorities", e);
    if (r == TP_OK)
        r = load_folder(s, path, e);
    if (r == TP_OK) {
        *out = s;
        s = NULL;
    }
    capk_store_free(&s);
    return r;
}

/* Evidence is kept for years: what is signed under a key that can be factored meanwhile proves
 * nothing. */
static enum tp_err long_enough(const struct capk_store *s, const char *advice, struct tp_error *e)
{
    const struct capk *k;
    char rid[11];

    for (size_t i = 0; (k = capk_at(s, i)) != NULL; i++) {
        const size_t bits = capk_bits(k);

        if (k->key != NULL && bits < ACQUIRER_AUTHORITY_BITS) /* 256 of a curve are worth 3072 */
            return tp_fail(e, TP_ERR_SECURITY,
                           "%s: key %02X of %s has %zu bits: an acquirer takes none under %d%s",
                           k->source, k->index, hex_encode(rid, SPAN_OF(k->rid)), bits,
                           ACQUIRER_AUTHORITY_BITS, advice);
    }
    return TP_OK;
}

enum tp_err acquirer_load_authorities(struct capk_store **out, const char *dir, struct tp_error *e)
{
    enum tp_err r = acquirer_read_authorities(out, dir, e);

    if (r == TP_OK)
        r = long_enough(*out, " (telepay-acquirer authority remove takes it away)", e);
    if (r != TP_OK)
        capk_store_free(out);
    return r;
}

enum tp_err acquirer_authority_place(char *name, size_t cap, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];

    for (unsigned i = 1; i < AUTHORITY_FILES_MAX; i++) {
        enum tp_err r = snprintf(name, cap, "authorities/%02u.json", i) < (int)cap
                            ? TP_OK
                            : tp_fail(e, TP_ERR_RANGE, "too long a name");

        if (r == TP_OK)
            r = file_join(path, sizeof(path), dir, name, e);
        if (r != TP_OK || access(path, F_OK) != 0)
            return r;
    }
    return tp_fail(e, TP_ERR_EXISTS, "there are %d files of authority keys already",
                   AUTHORITY_FILES_MAX - 1);
}

/* Each file is read as authority keys first, so that a wrong one is found now and not when the
 * server starts. */
enum tp_err acquirer_copy_authority(const char *dir, const char *from, struct tp_error *e)
{
    char name[64];
    struct capk_store *check = NULL;
    enum tp_err r = capk_store_new(&check);

    if (r != TP_OK)
        return tp_fail(e, r, "cannot read %s: %s", from, tp_err_text(r));
    r = capk_store_load(check, from, e);
    if (r == TP_OK && capk_count(check) == 0)
        r = tp_fail(e, TP_ERR_FORMAT, "%s holds no authority key", from);
    if (r == TP_OK)
        r = long_enough(check, "", e);
    if (r == TP_OK)
        r = acquirer_authority_place(name, sizeof(name), dir, e);
    if (r == TP_OK)
        r = file_copy(from, dir, name, 0644, e);
    capk_store_free(&check);
    return r;
}

enum tp_err acquirer_listen(char *out, size_t cap, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    struct conf *conf = NULL;
    const char *value;
    enum tp_err r = file_join(path, sizeof(path), dir, "acquirer.conf", e);

    if (r == TP_OK)
        r = conf_load(&conf, path, e);
    if (r == TP_ERR_NOT_FOUND) /* a folder made by other means: the default holds */
        r = TP_OK;
    if (r != TP_OK)
        return r;
    value = conf != NULL ? conf_get(conf, "serve", "listen") : NULL;
    if (snprintf(out, cap, "%s", value != NULL ? value : ACQUIRER_ADDRESS ":" ACQUIRER_PORT) >=
        (int)cap)
        r = tp_fail(e, TP_ERR_USAGE, "%s: \"listen\" in section [serve] is too long", path);
    conf_free(&conf);
    return r;
}

enum tp_err acquirer_load_orders(struct order_authority **out, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    enum tp_err r = file_join(path, sizeof(path), dir, "pki/ca.pem", e);

    *out = NULL;
    if (r == TP_OK)
        r = order_authority_load(out, path, e);
    return r == TP_ERR_NOT_FOUND ? TP_OK : r;
}

enum tp_err acquirer_audit_books(struct ledger *l, const char *dir, const struct audit_watch *watch,
                                 struct audit_sums *sums, struct tp_error *e)
{
    struct seal *seal = NULL;
    struct capk_store *authorities = NULL;
    struct order_authority *orders = NULL;
    enum tp_err r = seal_open_dir(&seal, dir, e);

    if (r == TP_OK)
        r = acquirer_load_authorities(&authorities, dir, e);
    if (r == TP_OK)
        r = acquirer_load_orders(&orders, dir, e);
    if (r == TP_OK)
        r = ledger_audit(l, seal, authorities, orders, watch, sums, e);
    order_authority_free(&orders);
    capk_store_free(&authorities);
    seal_free(&seal);
    return r;
}
