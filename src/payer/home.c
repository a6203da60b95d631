#include "payer/home.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

#define FOLDER "telepay"

static const char *said(const char *name)
{
    const char *value = getenv(name); /* before any thread is there */

    return value != NULL && value[0] != '\0' ? value : NULL;
}

enum tp_err home_path(char out[PATH_MAX], const char *given, struct tp_error *e)
{
    const char *config = said("XDG_CONFIG_HOME"), *home = said("HOME");
    int n;

    if (given != NULL)
        n = snprintf(out, PATH_MAX, "%s", given);
    else if (config != NULL && config[0] == '/') /* a relative one is to be passed over */
        n = snprintf(out, PATH_MAX, "%s/" FOLDER, config);
    else if (home != NULL)
        n = snprintf(out, PATH_MAX, "%s/.config/" FOLDER, home);
    else
        return tp_fail(e, TP_ERR_USAGE, "neither --home nor HOME says where your folder is");
    if (n <= 0 || n >= PATH_MAX)
        return tp_fail(e, TP_ERR_USAGE, "the path of your folder is empty, or too long");
    return TP_OK;
}

enum tp_err home_open(char out[PATH_MAX], const char *given, struct tp_error *e)
{
    const enum tp_err r = home_path(out, given, e);

    return r == TP_OK ? file_make_private_dir(out, e) : r;
}

enum tp_err home_folder(char out[PATH_MAX], const char *home, const char *name, struct tp_error *e)
{
    const enum tp_err r = file_join(out, PATH_MAX, home, name, e);

    return r == TP_OK ? file_make_private_dir(out, e) : r;
}
