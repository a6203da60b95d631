#include "acquirer/state.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/file.h"

enum tp_err acquirer_dir(char *out, const char *given, struct tp_error *e)
{
    static const struct file_home home = {"acquirer", "acq", ACQUIRER_DIR_DEFAULT, "ledger.db"};

    return file_home(out, &home, given, e);
}

enum tp_err acquirer_open_ledger(struct ledger **out, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    enum tp_err r = file_join(path, sizeof(path), dir, "ledger.db", e);

    *out = NULL;
    return r == TP_OK ? ledger_open(out, path, e) : r;
}

static int is_json(const struct dirent *d)
{
    const size_t n = strlen(d->d_name);

    return n > 5 && d->d_name[0] != '.' && strcmp(d->d_name + n - 5, ".json") == 0;
}

static enum tp_err load_folder(struct capk_store *s, const char *folder, struct tp_error *e)
{
    struct dirent **names = NULL;
    char path[PATH_MAX];
    enum tp_err r = TP_OK;
    const int n = scandir(folder, &names, is_json, alphasort);

    if (n < 0)
        return errno == ENOENT ? TP_OK : tp_fail(e, TP_ERR_IO, "cannot read %s: %s", folder, strerror(errno));
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

enum tp_err acquirer_load_authorities(struct capk_store **out, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    struct capk_store *s = NULL;
    enum tp_err r = capk_store_new(&s);

    *out = NULL;
    if (r != TP_OK)
        return tp_fail(e, r, "cannot load the authority keys: %s", tp_err_text(r));
    r = file_data_path(path, sizeof(path), "capk.json", e);
    if (r == TP_OK)
        r = capk_store_load(s, path, e);
    if (r == TP_OK)
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
    if (snprintf(out, cap, "%s", value != NULL ? value : ACQUIRER_ADDRESS ":" ACQUIRER_PORT) >= (int)cap)
        r = tp_fail(e, TP_ERR_USAGE, "%s: \"listen\" in section [serve] is too long", path);
    conf_free(&conf);
    return r;
}
