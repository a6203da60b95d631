/* Where the books of a folder are. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/file.h"
#include "store/db.h"

enum tp_err db_where(char out[DB_WHERE_MAX], const char *dir, const char *file, struct tp_error *e)
{
    char path[PATH_MAX];
    struct conf *c = NULL;
    const char *url = NULL;
    enum tp_err r = file_join(path, sizeof(path), dir, DB_WHERE_FILE, e);

    if (r == TP_OK)
        r = file_check_private(path, e); /* it may hold a password */
    if (r == TP_ERR_NOT_FOUND)
        return file_join(out, DB_WHERE_MAX, dir, file, e);
    if (r == TP_OK)
        r = conf_load(&c, path, e);
    if (r == TP_OK)
        r = conf_need(&url, c, "store", "url", e);
    if (r == TP_OK && (!db_is_url(url) || strlen(url) >= DB_WHERE_MAX))
        r = tp_fail(e, TP_ERR_FORMAT, "%s: url is not postgresql://…", path);
    if (r == TP_OK)
        memcpy(out, url, strlen(url) + 1);
    conf_free(&c);
    return r;
}

static enum tp_err check_url(const char *url, struct tp_error *e)
{
    return db_is_url(url) && strpbrk(url, "\r\n;") == NULL && strlen(url) < DB_WHERE_MAX
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE, "a store is named as postgresql://USER@HOST/DATABASE");
}

enum tp_err db_where_new(char out[DB_WHERE_MAX], const char *dir, const char *file, const char *url,
                         struct tp_error *e)
{
    const enum tp_err r = url != NULL ? check_url(url, e) : TP_OK;

    if (url == NULL)
        return file_join(out, DB_WHERE_MAX, dir, file, e);
    if (r == TP_OK)
        memcpy(out, url, strlen(url) + 1);
    return r;
}

enum tp_err db_where_set(const char *dir, const char *url, struct tp_error *e)
{
    char path[PATH_MAX], text[DB_WHERE_MAX + 32];
    enum tp_err r = check_url(url, e);

    if (r == TP_OK)
        r = file_join(path, sizeof(path), dir, DB_WHERE_FILE, e);
    if (r != TP_OK)
        return r;
    snprintf(text, sizeof(text), "[store]\nurl = %s\n", url);
    return file_replace(path, span_str(text), 0600, e);
}
