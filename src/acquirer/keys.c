#include "acquirer/keys.h"

#include <limits.h>

#include "base/file.h"
#include "order/key_files.h"

enum tp_err acquirer_keys_make(const char *dir, const char *acquirer, struct tp_error *e)
{
    const enum tp_err r = key_files_make(dir, "sealing", PKI_SEALING, acquirer, e);

    return r == TP_OK ? key_files_make(dir, "acknowledgement", PKI_ACKNOWLEDGEMENT, acquirer, e)
                      : r;
}

enum tp_err acquirer_keys_load(struct acquirer_keys *k, const char *dir, struct tp_error *e)
{
    char ca[PATH_MAX];
    enum tp_err r;

    *k = (struct acquirer_keys){.authority = NULL};
    r = key_files_load(&k->sealing, dir, "sealing", e);
    if (r == TP_OK)
        r = key_files_load(&k->acknowledgement, dir, "acknowledgement", e);
    if (r == TP_OK)
        r = file_join(ca, sizeof(ca), dir, "pki/ca.pem", e);
    return r == TP_OK ? order_authority_load(&k->authority, ca, e) : r;
}

void acquirer_keys_free(struct acquirer_keys *k)
{
    order_authority_free(&k->authority);
    order_key_free(&k->sealing);
    order_key_free(&k->acknowledgement);
}
