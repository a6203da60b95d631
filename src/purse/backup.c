/* telepay-purse backup: the folder as of one moment, while the purse serves. */
#include <stdio.h>

#include "base/file.h"
#include "base/text.h"
#include "collect/post.h"
#include "purse/commands.h"
#include "purse/option.h"
#include "purse/settings.h"

#define PUBLIC  0644
#define PRIVATE 0600

struct listed {
    const char *name;
    mode_t mode;
};

static enum tp_err copy_folder(const char *dir, const char *out, const char *folder,
                               const struct listed *files, size_t n, struct tp_error *e)
{
    char from[PATH_MAX], to[PATH_MAX], path[PATH_MAX];
    enum tp_err r = file_join(from, sizeof(from), dir, folder, e);

    if (r == TP_OK)
        r = file_join(to, sizeof(to), out, folder, e);
    if (r == TP_OK)
        r = file_make_private_dir(to, e);
    for (size_t i = 0; r == TP_OK && i < n; i++) {
        r = file_join(path, sizeof(path), from, files[i].name, e);
        if (r == TP_OK)
            r = file_copy(path, to, files[i].name, files[i].mode, e);
    }
    return r;
}

/* Without what the collection centre gave, a copy would pay out what that has not taken. */
static enum tp_err copy_centre(const char *dir, const char *out, struct tp_error *e)
{
    static const struct listed files[] = {{"centre.conf", PUBLIC},
                                          {"ca.pem", PUBLIC},
                                          {"client.pem", PUBLIC},
                                          {"client.key", PRIVATE}};
    struct centre_access access;
    const enum tp_err r = centre_access_load(&access, dir, e);

    if (r == TP_ERR_NOT_FOUND)
        return TP_OK;
    return r == TP_OK ? copy_folder(dir, out, "centre", files, sizeof(files) / sizeof(files[0]), e)
                      : r;
}

static enum tp_err copy_files(const char *dir, const char *out, struct tp_error *e)
{
    static const struct listed files[] = {{"ca.pem", PUBLIC},
                                          {"ca.key", PRIVATE},
                                          {"server.pem", PUBLIC},
                                          {"server.key", PRIVATE},
                                          {"acknowledgement.pem", PUBLIC},
                                          {"acknowledgement.key", PRIVATE}};
    char path[PATH_MAX];
    enum tp_err r = file_join(path, sizeof(path), dir, SETTINGS_FILE, e);

    if (r == TP_OK)
        r = file_copy(path, out, SETTINGS_FILE, PUBLIC, e);
    if (r == TP_OK)
        r = copy_folder(dir, out, "pki", files, sizeof(files) / sizeof(files[0]), e);
    return r == TP_OK ? copy_centre(dir, out, e) : r;
}

/* The books come last: a folder that has them is whole. */
static enum tp_err back_up(struct book *b, const char *dir, const char *out, struct tp_error *e)
{
    static const char *const made[] = {BOOK_FILE, SETTINGS_FILE, NULL};
    char path[PATH_MAX];
    enum tp_err r = book_is_file(b, e);

    if (r == TP_OK)
        r = file_none_there(out, made, "name another folder with --out", e);
    if (r == TP_OK)
        r = file_make_private_dir(out, e);
    if (r == TP_OK)
        r = copy_files(dir, out, e);
    if (r == TP_OK)
        r = file_join(path, sizeof(path), out, BOOK_FILE, e);
    return r == TP_OK ? book_copy(b, path, e) : r;
}

int purse_cmd_backup(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"out", OPTION_KEY_OUT, "DIR", 0, N_("Folder to make"), 0}, OPTION_DIR, {0}};
    static const struct argp argp = {
        options,
        option_parse,
        NULL,
        N_("Copy the purse's folder, its books as of one moment, while it serves. The copy has its "
           "keys: keep it as secret."),
        NULL,
        NULL,
        NULL};
    struct words w = {.dir = NULL};
    struct book *b = NULL;
    char dir[PATH_MAX];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = option_need(w.out, "--out", &e);
    if (r == TP_OK)
        r = option_open(&b, dir, &w, &e);
    if (r == TP_OK)
        r = back_up(b, dir, w.out, &e);
    book_close(&b);
    if (r == TP_OK)
        printf(_("a copy of %s is in %s\n"), dir, w.out);
    return cli_end(r, &e);
}
