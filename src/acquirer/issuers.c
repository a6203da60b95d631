#include "acquirer/issuers.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/file.h"

#define SECTION            "issuer"
#define TIMEOUT_SECONDS    10
#define TIMEOUT_SECONDS_TO 120

static enum tp_err bad(const struct conf *c, const char *key, const char *wanted,
                       struct tp_error *e)
{
    return tp_fail(e, TP_ERR_USAGE, "%s: \"%s\" in section [issuer] must be %s", conf_path(c), key,
                   wanted);
}

static bool all_digits(const char *text)
{
    return *text != '\0' && strspn(text, "0123456789") == strlen(text);
}

/* A word that names a folder, and a row in the books. */
static bool is_name(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if (!isalnum((unsigned char)*p) && (p == text || strchr("-._", *p) == NULL))
            return false;
    return *text != '\0' && strlen(text) < ISSUER_NAME_MAX;
}

static enum tp_err take_iins(struct issuer *out, const struct conf *c, const char *list,
                             struct tp_error *e)
{
    char words[1024], *rest = words;

    if (strlen(list) >= sizeof(words))
        return bad(c, "iins", "shorter", e);
    memcpy(words, list, strlen(list) + 1);
    for (const char *word = strtok_r(rest, " \t,", &rest); word != NULL;
         word = strtok_r(NULL, " \t,", &rest)) {
        if (!all_digits(word) || strlen(word) >= ISSUER_IIN_MAX || out->iins == ISSUER_IINS_MAX)
            return bad(c, "iins", "at most 64 beginnings of card numbers, each of 1 to 11 digits",
                       e);
        snprintf(out->iin[out->iins++], ISSUER_IIN_MAX, "%s", word);
    }
    return out->iins > 0 ? TP_OK
                         : bad(c, "iins", "one beginning of card numbers at least, as 999014", e);
}

static enum tp_err take(struct issuer *out, const struct conf *c, struct tp_error *e)
{
    const char *name = NULL, *host = NULL, *port = NULL, *acquirer = NULL, *iins = NULL;
    enum tp_err r;

    if ((r = conf_need(&name, c, SECTION, "name", e)) != TP_OK ||
        (r = conf_need(&host, c, SECTION, "host", e)) != TP_OK ||
        (r = conf_need(&port, c, SECTION, "port", e)) != TP_OK ||
        (r = conf_need(&acquirer, c, SECTION, "acquirer", e)) != TP_OK ||
        (r = conf_need(&iins, c, SECTION, "iins", e)) != TP_OK ||
        (r = pki_files_load(&out->tls, c, SECTION, e)) != TP_OK)
        return r;
    if (!is_name(name))
        return bad(c, "name", "1 to 32 letters, digits, -, . or _", e);
    if (*host == '\0' || strlen(host) >= sizeof(out->host))
        return bad(c, "host", "a host name or address", e);
    if (!all_digits(port) || strlen(port) >= sizeof(out->port) || atoi(port) < 1 ||
        atoi(port) > 65535)
        return bad(c, "port", "a port, 1 to 65535", e);
    if (!all_digits(acquirer) || strlen(acquirer) >= sizeof(out->acquirer))
        return bad(c, "acquirer", "the acquirer's number of 1 to 11 digits (DE 32)", e);
    snprintf(out->name, sizeof(out->name), "%s", name);
    snprintf(out->host, sizeof(out->host), "%s", host);
    snprintf(out->port, sizeof(out->port), "%s", port);
    snprintf(out->acquirer, sizeof(out->acquirer), "%s", acquirer);
    return take_iins(out, c, iins, e);
}

enum tp_err issuer_load(struct issuer *out, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    struct conf *c = NULL;
    enum tp_err r = file_join(path, sizeof(path), dir, "issuer.conf", e);

    memset(out, 0, sizeof(*out));
    if (r == TP_OK)
        r = conf_load(&c, path, e);
    if (r == TP_OK)
        r = take(out, c, e);
    conf_free(&c);
    return r;
}

static int is_folder(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

enum tp_err issuers_each(const char *dir, issuer_visit *visit, void *ctx, struct tp_error *e)
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct dirent **names = NULL;
    struct issuer *i = malloc(sizeof(*i));
    enum tp_err r = i != NULL ? file_join(folder, sizeof(folder), dir, "issuers", e)
                              : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for the issuers");
    int n = 0;

    if (r == TP_OK) {
        n = scandir(folder, &names, is_folder, alphasort);
        if (n < 0 && errno != ENOENT)
            r = tp_fail(e, TP_ERR_IO, "cannot read %s: %s", folder, strerror(errno));
    }
    for (int k = 0; k < n; k++) {
        if (r == TP_OK)
            r = file_join(path, sizeof(path), folder, names[k]->d_name, e);
        if (r == TP_OK)
            r = issuer_load(i, path, e);
        if (r == TP_OK)
            r = visit(ctx, i, e);
        free(names[k]);
    }
    free(names);
    free(i);
    return r;
}

enum tp_err issuers_timeout(int *ms, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    struct conf *c = NULL;
    const char *value = NULL;
    enum tp_err r = file_join(path, sizeof(path), dir, "acquirer.conf", e);

    *ms = TIMEOUT_SECONDS * 1000;
    if (r == TP_OK)
        r = conf_load(&c, path, e);
    if (r == TP_ERR_NOT_FOUND) /* a folder made by other means: the default holds */
        return TP_OK;
    if (r == TP_OK)
        value = conf_get(c, "issuers", "timeout");
    if (value != NULL && (!all_digits(value) || strlen(value) > 3 || atoi(value) < 1 ||
                          atoi(value) > TIMEOUT_SECONDS_TO))
        r = tp_fail(e, TP_ERR_USAGE, "%s: \"timeout\" in section [issuers] must be 1 to %d seconds",
                    path, TIMEOUT_SECONDS_TO);
    else if (value != NULL)
        *ms = atoi(value) * 1000;
    conf_free(&c);
    return r;
}
