#include "order/key_files.h"

#include <limits.h>
#include <unistd.h>

#include "base/file.h"

#define KEY_DAYS   1825
#define ORDER_DAYS 1095

static enum tp_err paths(char cert[PATH_MAX], char key[PATH_MAX], const char *dir, const char *name,
                         struct tp_error *e)
{
    char file[64];
    enum tp_err r;

    snprintf(file, sizeof(file), "pki/%s.pem", name);
    r = file_join(cert, PATH_MAX, dir, file, e);
    snprintf(file, sizeof(file), "pki/%s.key", name);
    return r == TP_OK ? file_join(key, PATH_MAX, dir, file, e) : r;
}

enum tp_err key_files_make(const char *dir, const char *name, enum pki_role role,
                           const char *acquirer, struct tp_error *e)
{
    const struct pki_subject subject = {NULL, acquirer, NULL};
    char pki[PATH_MAX], cert[PATH_MAX], key[PATH_MAX];
    enum tp_err r = paths(cert, key, dir, name, e);

    if (r == TP_OK && access(cert, F_OK) == 0) /* the certificate comes last: the key is there */
        return TP_OK;
    if (r == TP_OK)
        r = file_join(pki, sizeof(pki), dir, "pki", e);
    return r == TP_OK ? pki_certificate_make(pki, role, &subject, KEY_DAYS, cert, key, e) : r;
}

enum tp_err key_files_give(const char *dir, const char *out, const char *contract,
                           const char *mediator, struct tp_error *e)
{
    const struct pki_subject subject = {contract, mediator, NULL};
    char pki[PATH_MAX], cert[PATH_MAX], key[PATH_MAX], name[64];
    enum tp_err r = file_join(pki, sizeof(pki), dir, "pki", e);

    snprintf(name, sizeof(name), "order-%s.pem", contract);
    if (r == TP_OK)
        r = file_join(cert, sizeof(cert), out, name, e);
    snprintf(name, sizeof(name), "order-%s.key", contract);
    if (r == TP_OK)
        r = file_join(key, sizeof(key), out, name, e);
    return r == TP_OK ? pki_certificate_make(pki, PKI_ORDER, &subject, ORDER_DAYS, cert, key, e)
                      : r;
}

enum tp_err key_files_load(struct order_key *k, const char *dir, const char *name,
                           struct tp_error *e)
{
    char cert[PATH_MAX], key[PATH_MAX];
    const enum tp_err r = paths(cert, key, dir, name, e);

    return r == TP_OK ? order_key_load(k, cert, key, e) : r;
}
