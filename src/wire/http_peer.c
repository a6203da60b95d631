/* Who calls, by the certificate that was shown. */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <openssl/sha.h>
#include <string.h>
#include <time.h>

#include "wire/http_priv.h"

static void name_part(gnutls_x509_crt_t crt, const char *oid, char out[HTTP_NAME_MAX])
{
    size_t n = HTTP_NAME_MAX;

    if (gnutls_x509_crt_get_dn_by_oid(crt, oid, 0, 0, out, &n) != 0)
        out[0] = '\0';
}

static bool in_force(gnutls_x509_crt_t crt)
{
    const time_t now = time(NULL);

    return gnutls_x509_crt_get_activation_time(crt) <= now &&
           gnutls_x509_crt_get_expiration_time(crt) > now;
}

/* RFC 5280, 4.2.1.12: one that names no purpose is good for any. */
static bool for_clients(gnutls_x509_crt_t crt)
{
    return gnutls_x509_crt_check_key_purpose(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0) != 0;
}

static bool of_authority(gnutls_session_t session)
{
    gnutls_typed_vdata_st purpose = {GNUTLS_DT_KEY_PURPOSE_OID,
                                     (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT, 0};
    unsigned status = 0;

    return gnutls_certificate_verify_peers(session, &purpose, 1, &status) == 0 && status == 0;
}

bool http_peer(const struct http_call *c, struct http_peer *out)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    const gnutls_datum_t *chain;
    gnutls_x509_crt_t crt = NULL;
    unsigned n = 0;
    bool good;

    memset(out, 0, sizeof(*out));
    if (info == NULL)
        return false;
    chain = gnutls_certificate_get_peers(info->tls_session, &n);
    if (chain == NULL || n == 0 || gnutls_x509_crt_init(&crt) != 0)
        return false;
    good = gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) == 0 && in_force(crt) &&
           for_clients(crt);
    if (good) {
        out->of_authority = of_authority(info->tls_session);
        name_part(crt, GNUTLS_OID_X520_ORGANIZATION_NAME, out->organisation);
        name_part(crt, GNUTLS_OID_X520_COMMON_NAME, out->name);
        SHA256(chain[0].data, chain[0].size, out->print);
    }
    gnutls_x509_crt_deinit(crt);
    return good;
}
