#include "payer/user.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "payer/home.h"

#define FOLDER "users"

/* ---- names ---- */

static bool is_name(const char *text)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789",
                      more[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    const size_t n = strlen(text);

    return n > 0 && n < USER_NAME && strspn(text, first) > 0 && strspn(text, more) == n;
}

static enum tp_err check_name(const char *text, struct tp_error *e)
{
    if (!is_name(text) || strcmp(text, USER_DEFAULT) == 0)
        return tp_fail(e, TP_ERR_USAGE,
                       "a user's name is of 1 to %d small letters, digits, points and hyphens, "
                       "begins with a letter or digit, and is not \"default\"",
                       USER_NAME - 1);
    return TP_OK;
}

static int is_user(const struct dirent *d)
{
    return is_name(d->d_name);
}

enum tp_err users_list(struct users *out, const char *home, struct tp_error *e)
{
    char folder[PATH_MAX];
    struct dirent **names = NULL;
    int n = 0;
    enum tp_err r = file_join(folder, sizeof(folder), home, FOLDER, e);

    *out = (struct users){0};
    if (r != TP_OK)
        return r;
    n = scandir(folder, &names, is_user, alphasort);
    if (n < 0 && errno != ENOENT)
        r = tp_fail(e, TP_ERR_IO, "cannot read %s: %s", folder, strerror(errno));
    if (n > USERS_MAX)
        r = tp_fail(e, TP_ERR_RANGE, "%s holds more than %d users", folder, USERS_MAX);
    for (int i = 0; i < n; i++) {
        if (r == TP_OK)
            memcpy(out->name[out->n++], names[i]->d_name, strlen(names[i]->d_name) + 1);
        free(names[i]);
    }
    free((void *)names);
    return r;
}

static bool is_there(const struct users *all, const char *name)
{
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->name[i], name) == 0)
            return true;
    return false;
}

static enum tp_err nobody_said(const struct users *all, struct tp_error *e)
{
    char names[200] = "";
    size_t n = 0;

    for (size_t i = 0; i < all->n && n < sizeof(names); i++)
        n += (size_t)snprintf(names + n, sizeof(names) - n, ", %s", all->name[i]);
    return tp_fail(e, TP_ERR_USAGE,
                   "this device has several users: say who you are with --user NAME, or in "
                   "TELEPAY_USER, of default%s",
                   names);
}

enum tp_err user_name(char out[USER_NAME], const char *home, const char *given, struct tp_error *e)
{
    const char *said = given != NULL ? given : getenv("TELEPAY_USER");
    struct users all;
    const enum tp_err r = users_list(&all, home, e);

    if (r != TP_OK)
        return r;
    if (said == NULL || said[0] == '\0') {
        if (all.n > 0)
            return nobody_said(&all, e);
        said = USER_DEFAULT;
    }
    if (!is_name(said) || (strcmp(said, USER_DEFAULT) != 0 && !is_there(&all, said)))
        return tp_fail(e, TP_ERR_USAGE, "there is no user \"%.40s\": telepay user list", said);
    memcpy(out, said, strlen(said) + 1);
    return TP_OK;
}

/* ---- folders ---- */

static enum tp_err folder_of(char *out, const char *home, const char *name, struct tp_error *e)
{
    char users[PATH_MAX];
    const enum tp_err r = file_join(users, sizeof(users), home, FOLDER, e);

    return r == TP_OK ? file_join(out, PATH_MAX, users, name, e) : r;
}

enum tp_err user_folder(char *out, const char *home, const char *given, struct tp_error *e)
{
    char name[USER_NAME];
    const enum tp_err r = user_name(name, home, given, e);

    if (r != TP_OK)
        return r;
    if (strcmp(name, USER_DEFAULT) != 0)
        return folder_of(out, home, name, e);
    return snprintf(out, PATH_MAX, "%s", home) < PATH_MAX
               ? TP_OK
               : tp_fail(e, TP_ERR_RANGE, "the path %s is too long", home);
}

enum tp_err user_add(const char *home, const char *name, struct tp_error *e)
{
    char users[PATH_MAX], folder[PATH_MAX];
    enum tp_err r = check_name(name, e);

    if (r == TP_OK)
        r = home_folder(users, home, FOLDER, e);
    if (r == TP_OK)
        r = folder_of(folder, home, name, e);
    if (r == TP_OK && access(folder, F_OK) == 0)
        r = tp_fail(e, TP_ERR_EXISTS, "there is a user %s already", name);
    return r == TP_OK ? file_make_private_dir(folder, e) : r;
}

static int is_file(const struct dirent *d)
{
    return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

/* A user's folder holds files alone. */
static enum tp_err empty_folder(const char *folder, struct tp_error *e)
{
    struct dirent **names = NULL;
    const int n = scandir(folder, &names, is_file, alphasort);
    char path[PATH_MAX];
    enum tp_err r = n >= 0 ? TP_OK : TP_ERR_IO;

    for (int i = 0; i < n; i++) {
        if (r == TP_OK)
            r = file_join(path, sizeof(path), folder, names[i]->d_name, e);
        if (r == TP_OK && unlink(path) != 0)
            r = TP_ERR_IO;
        free(names[i]);
    }
    free((void *)names);
    if (r == TP_OK && rmdir(folder) != 0)
        r = TP_ERR_IO;
    return r == TP_ERR_IO ? tp_fail(e, r, "cannot remove %s: %s", folder, strerror(errno)) : r;
}

enum tp_err user_remove(const char *home, const char *name, struct tp_error *e)
{
    char folder[PATH_MAX];
    struct users all;
    enum tp_err r = check_name(name, e);

    if (r == TP_OK)
        r = users_list(&all, home, e);
    if (r == TP_OK && !is_there(&all, name))
        r = tp_fail(e, TP_ERR_USAGE, "there is no user %s: telepay user list", name);
    if (r == TP_OK)
        r = folder_of(folder, home, name, e);
    return r == TP_OK ? empty_folder(folder, e) : r;
}
