#include "issuer/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/file.h"
#include "store/db.h"

enum tp_err issuer_dir(char *out, const char *given, struct tp_error *e)
{
    static const struct file_home home = {"issuer", "iss", ISSUER_DIR_DEFAULT, ISSUER_BOOKS,
                                          DB_WHERE_FILE};

    return file_home(out, &home, given, e);
}

enum tp_err issuer_open_book(struct book **out, const char *dir, struct tp_error *e)
{
    char where[DB_WHERE_MAX];
    const enum tp_err r = db_where(where, dir, ISSUER_BOOKS, e);

    *out = NULL;
    return r == TP_OK ? book_open(out, where, e) : r;
}

static enum tp_err take_text(char *out, size_t cap, const struct conf *c, const char *section,
                             const char *key, struct tp_error *e)
{
    const char *value = NULL;
    const enum tp_err r = conf_need(&value, c, section, key, e);

    if (r != TP_OK)
        return r;
    return snprintf(out, cap, "%s", value) < (int)cap
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE, "%s: \"%s\" in section [%s] is too long", conf_path(c),
                         key, section);
}

static enum tp_err take_jump(unsigned *out, const struct conf *c, struct tp_error *e)
{
    const char *text = conf_get(c, "risk", "atc-jump");
    char *end = NULL;
    unsigned long v;

    *out = ISSUER_ATC_JUMP;
    if (text == NULL)
        return TP_OK;
    v = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || v < 1 || v > UINT16_MAX)
        return tp_fail(e, TP_ERR_USAGE,
                       "%s: \"atc-jump\" in section [risk] must be a number from 1 to 65535",
                       conf_path(c));
    *out = (unsigned)v;
    return TP_OK;
}

enum tp_err issuer_settings_load(struct issuer_settings *out, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    struct conf *c = NULL;
    enum tp_err r = file_join(path, sizeof(path), dir, "issuer.conf", e);

    memset(out, 0, sizeof(*out));
    if (r == TP_OK)
        r = conf_load(&c, path, e);
    if (r == TP_OK)
        r = take_text(out->name, sizeof(out->name), c, "issuer", "name", e);
    if (r == TP_OK)
        r = take_text(out->iins, sizeof(out->iins), c, "issuer", "iins", e);
    if (r == TP_OK)
        r = take_text(out->listen, sizeof(out->listen), c, "serve", "listen", e);
    if (r == TP_OK)
        r = pki_files_load(&out->tls, c, "tls", e);
    if (r == TP_OK)
        r = take_jump(&out->atc_jump, c, e);
    conf_free(&c);
    return r;
}
