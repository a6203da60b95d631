#include "crypto/pki.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"

#define AUTHORITY_DAYS 3650
#define DAY_SECONDS    86400
#define CLOCK_SLACK    3600 /* a peer's clock may be behind */
#define SERIAL_BYTES   16
#define HOSTS_MAX      512

/* An arc of nobody's but ours: a UUID (ITU-T X.667). */
#define OUR_USAGE "2.25.215980706153799454954526073739923810814"

static const struct {
    const char *key_usage, *purpose; /* as OpenSSL's configuration writes them */
    const char *id;                  /* of the purpose */
    uint32_t allowed;                /* what that key usage is, and no other */
} roles[] = {
    [PKI_SERVER] = {"critical,digitalSignature", "serverAuth", "serverAuth", KU_DIGITAL_SIGNATURE},
    [PKI_CLIENT] = {"critical,digitalSignature", "clientAuth", "clientAuth", KU_DIGITAL_SIGNATURE},
    [PKI_ORDER] = {"critical,digitalSignature", "critical," OUR_USAGE ".1", OUR_USAGE ".1",
                   KU_DIGITAL_SIGNATURE},
    [PKI_SEALING] = {"critical,keyAgreement", "critical," OUR_USAGE ".2", OUR_USAGE ".2",
                     KU_KEY_AGREEMENT},
    [PKI_ACKNOWLEDGEMENT] = {"critical,digitalSignature", "critical," OUR_USAGE ".3",
                             OUR_USAGE ".3", KU_DIGITAL_SIGNATURE},
};

static enum tp_err ssl_fail(struct tp_error *e, enum tp_err code, const char *what,
                            const char *object)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());

    ERR_clear_error();
    return tp_fail(e, code, "%s %s: %s", what, object,
                   why != NULL ? why : _("OpenSSL gives no reason"));
}

/* ---- making ---- */

static bool add_name(X509_NAME *name, int nid, const char *value)
{
    if (value == NULL || *value == '\0')
        return true;
    return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const unsigned char *)value, -1,
                                      -1, 0) == 1;
}

static bool set_serial(X509 *cert)
{
    uint8_t raw[SERIAL_BYTES];
    BIGNUM *n = NULL;
    bool ok = false;

    if (RAND_bytes(raw, sizeof(raw)) != 1)
        return false;
    raw[0] = (uint8_t)((raw[0] & 0x7F) | 0x40); /* positive, and never shorter */
    n = BN_bin2bn(raw, sizeof(raw), NULL);
    ok = n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) != NULL;
    BN_free(n);
    return ok;
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *x = NULL;
    bool ok = false;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    x = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ok = x != NULL && X509_add_ext(cert, x, -1) == 1;
    X509_EXTENSION_free(x);
    return ok;
}

/* "localhost,127.0.0.1" as OpenSSL's configuration writes it. Only what a host name or address may
 * hold goes in. */
static bool alternative_names(char *out, size_t cap, const char *hosts)
{
    char copy[HOSTS_MAX], *rest = NULL;
    size_t n = 0;

    if (strlen(hosts) >= sizeof(copy))
        return false;
    memcpy(copy, hosts, strlen(hosts) + 1);
    for (char *host = strtok_r(copy, ", ", &rest); host != NULL;
         host = strtok_r(NULL, ", ", &rest)) {
        uint8_t address[sizeof(struct in6_addr)];
        const bool ip =
            inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;

        if (!ip &&
            strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-*") !=
                strlen(host))
            return false;
        const int w =
            snprintf(out + n, cap - n, "%s%s:%s", n > 0 ? "," : "", ip ? "IP" : "DNS", host);

        if (w < 0 || (size_t)w >= cap - n)
            return false;
        n += (size_t)w;
    }
    return n > 0;
}

/* What authority and peers have alike: version, serial, dates, key, subject. */
static bool start_cert(X509 *cert, EVP_PKEY *key, const struct pki_subject *subject, long seconds)
{
    X509_NAME *name = X509_get_subject_name(cert);

    return X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
           X509_gmtime_adj(X509_getm_notBefore(cert), -CLOCK_SLACK) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(cert), seconds) != NULL &&
           X509_set_pubkey(cert, key) == 1 &&
           add_name(name, NID_organizationName, subject->organisation) &&
           add_name(name, NID_commonName, subject->common_name);
}

static enum tp_err write_cert(const char *path, X509 *cert, struct tp_error *e)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    enum tp_err r = TP_OK;

    if (bio == NULL || PEM_write_bio_X509(bio, cert) != 1)
        r = ssl_fail(e, TP_ERR_INTERNAL, "cannot write", path);
    if (r == TP_OK) {
        const long n = BIO_get_mem_data(bio, &text);

        r = file_replace(path, span_of(text, (size_t)n), 0644, e);
    }
    BIO_free(bio);
    return r;
}

static enum tp_err write_key(const char *path, EVP_PKEY *key, struct tp_error *e)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char *text = NULL;
    enum tp_err r = TP_OK;

    if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
        r = ssl_fail(e, TP_ERR_INTERNAL, "cannot write", path);
    if (r == TP_OK) {
        const long n = BIO_get_mem_data(bio, &text);

        r = file_replace(path, span_of(text, (size_t)n), 0600, e);
    }
    BIO_free(bio);
    return r;
}

static enum tp_err authority_paths(char cert[PATH_MAX], char key[PATH_MAX], const char *dir,
                                   struct tp_error *e)
{
    enum tp_err r = file_join(cert, PATH_MAX, dir, "ca.pem", e);

    return r == TP_OK ? file_join(key, PATH_MAX, dir, "ca.key", e) : r;
}

enum tp_err pki_authority_make(const char *dir, const char *common_name, struct tp_error *e)
{
    const struct pki_subject subject = {NULL, common_name, NULL};
    char cert_path[PATH_MAX], key_path[PATH_MAX];
    EVP_PKEY *key = NULL;
    X509 *cert = NULL;
    enum tp_err r = authority_paths(cert_path, key_path, dir, e);

    if (r == TP_OK)
        r = file_make_dir(dir, 0700, e);
    if (r != TP_OK)
        return r;
    if (access(cert_path, F_OK) == 0 || access(key_path, F_OK) == 0)
        return tp_fail(e, TP_ERR_EXISTS, "%s holds an authority already (ca.pem, ca.key)", dir);
    key = EVP_EC_gen("P-256");
    cert = X509_new();
    if (key == NULL || cert == NULL ||
        !start_cert(cert, key, &subject, (long)AUTHORITY_DAYS * DAY_SECONDS) ||
        X509_set_issuer_name(cert, X509_get_subject_name(cert)) != 1 ||
        !add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
        !add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !add_extension(cert, cert, NID_subject_key_identifier, "hash") ||
        X509_sign(cert, key, EVP_sha256()) == 0) {
        r = ssl_fail(e, TP_ERR_INTERNAL, "cannot make the authority", common_name);
        goto out;
    }
    r = write_key(key_path, key, e);
    if (r == TP_OK)
        r = write_cert(cert_path, cert, e);
out:
    X509_free(cert);
    EVP_PKEY_free(key);
    return r;
}

/* Opens a PEM file for OpenSSL to read. */
static enum tp_err open_pem(BIO **out, const char *path, struct tp_error *e)
{
    *out = BIO_new_file(path, "r");
    if (*out != NULL)
        return TP_OK;
    return access(path, F_OK) == 0 ? ssl_fail(e, TP_ERR_IO, "cannot read", path)
                                   : ssl_fail(e, TP_ERR_NOT_FOUND, "cannot read", path);
}

static enum tp_err read_authority(X509 **cert, EVP_PKEY **key, const char *dir, struct tp_error *e)
{
    char cert_path[PATH_MAX], key_path[PATH_MAX];
    BIO *cert_bio = NULL, *key_bio = NULL;
    enum tp_err r = authority_paths(cert_path, key_path, dir, e);

    if (r == TP_OK)
        r = open_pem(&cert_bio, cert_path, e);
    if (r == TP_OK)
        r = file_check_private(key_path, e);
    if (r == TP_OK)
        r = open_pem(&key_bio, key_path, e);
    if (r != TP_OK)
        goto out;
    *cert = PEM_read_bio_X509(cert_bio, NULL, NULL, NULL);
    *key = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);
    if (*cert == NULL || *key == NULL || X509_check_private_key(*cert, *key) != 1)
        r = ssl_fail(e, TP_ERR_FORMAT, "cannot use the authority in", dir);
out:
    BIO_free(cert_bio);
    BIO_free(key_bio);
    return r;
}

static bool add_role(X509 *cert, X509 *issuer, enum pki_role role,
                     const struct pki_subject *subject)
{
    char names[HOSTS_MAX * 2];

    if (!add_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") ||
        !add_extension(cert, issuer, NID_key_usage, roles[role].key_usage) ||
        !add_extension(cert, issuer, NID_ext_key_usage, roles[role].purpose) ||
        !add_extension(cert, issuer, NID_subject_key_identifier, "hash") ||
        !add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always"))
        return false;
    if (role != PKI_SERVER || subject->hosts == NULL)
        return true;
    return alternative_names(names, sizeof(names), subject->hosts) &&
           add_extension(cert, issuer, NID_subject_alt_name, names);
}

enum tp_err pki_certificate_make(const char *authority_dir, enum pki_role role,
                                 const struct pki_subject *subject, int valid_days,
                                 const char *cert_path, const char *key_path, struct tp_error *e)
{
    X509 *authority = NULL, *cert = NULL;
    EVP_PKEY *authority_key = NULL, *key = NULL;
    enum tp_err r = read_authority(&authority, &authority_key, authority_dir, e);

    if (r != TP_OK)
        goto out;
    key = EVP_EC_gen("P-256");
    cert = X509_new();
    if (key == NULL || cert == NULL || valid_days <= 0 ||
        !start_cert(cert, key, subject, (long)valid_days * DAY_SECONDS)) {
        r = ssl_fail(e, TP_ERR_USAGE, "cannot make a certificate for", subject->common_name);
        goto out;
    }
    if (ASN1_TIME_compare(X509_get0_notAfter(cert), X509_get0_notAfter(authority)) > 0 &&
        X509_set1_notAfter(cert, X509_get0_notAfter(authority)) != 1) {
        r = ssl_fail(e, TP_ERR_INTERNAL, "cannot make a certificate for", subject->common_name);
        goto out;
    }
    if (X509_set_issuer_name(cert, X509_get_subject_name(authority)) != 1 ||
        !add_role(cert, authority, role, subject) ||
        X509_sign(cert, authority_key, EVP_sha256()) == 0) {
        r = ssl_fail(e, TP_ERR_USAGE, "cannot make a certificate for", subject->common_name);
        goto out;
    }
    r = write_key(key_path, key, e);
    if (r == TP_OK)
        r = write_cert(cert_path, cert, e);
out:
    X509_free(authority);
    X509_free(cert);
    EVP_PKEY_free(authority_key);
    EVP_PKEY_free(key);
    return r;
}

bool pki_has_role(X509 *cert, enum pki_role role)
{
    EXTENDED_KEY_USAGE *have = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
    ASN1_OBJECT *want = OBJ_txt2obj(roles[role].id, 0);
    const bool is = have != NULL && want != NULL && sk_ASN1_OBJECT_num(have) == 1 &&
                    OBJ_cmp(sk_ASN1_OBJECT_value(have, 0), want) == 0 &&
                    X509_get_key_usage(cert) == roles[role].allowed &&
                    (X509_get_extension_flags(cert) & EXFLAG_CA) == 0;

    ASN1_OBJECT_free(want);
    EXTENDED_KEY_USAGE_free(have);
    return is;
}

/* ---- connections ---- */

static pthread_once_t alert_once = PTHREAD_ONCE_INIT;
static int alert_index =
    -1; /* OpenSSL's number for our note on a connection: given once, then constant */

static void make_alert_index(void)
{
    alert_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

/* Keeps the alert by which the peer refused, for pki_tls_reason. */
static void note_alert(const SSL *ssl, int where, int value)
{
    if ((where & SSL_CB_READ_ALERT) != 0 && value >> 8 == SSL3_AL_FATAL)
        (void)SSL_set_ex_data((SSL *)(uintptr_t)ssl, alert_index, (void *)(intptr_t)value);
}

static enum tp_err load_files(SSL_CTX *ctx, const char *ca_path, const char *cert_path,
                              const char *key_path, struct tp_error *e)
{
    const char *const paths[] = {ca_path, cert_path, key_path};
    enum tp_err r;

    for (size_t i = 0; i < 3; i++)
        if (access(paths[i], R_OK) != 0)
            return tp_fail(e, errno == ENOENT ? TP_ERR_NOT_FOUND : TP_ERR_IO, "cannot read %s: %s",
                           paths[i], strerror(errno));
    r = file_check_private(key_path, e);
    if (r != TP_OK)
        return r;
    if (SSL_CTX_load_verify_file(ctx, ca_path) != 1)
        return ssl_fail(e, TP_ERR_SECURITY, "cannot use the authority's certificate", ca_path);
    if (SSL_CTX_use_certificate_chain_file(ctx, cert_path) != 1)
        return ssl_fail(e, TP_ERR_SECURITY, "cannot use the certificate", cert_path);
    if (SSL_CTX_use_PrivateKey_file(ctx, key_path, SSL_FILETYPE_PEM) != 1)
        return ssl_fail(e, TP_ERR_SECURITY, "cannot use the key", key_path);
    return TP_OK;
}

enum tp_err pki_server_make(const char *dir, const char *authority_name,
                            const struct pki_subject *server, int valid_days, struct tp_error *e)
{
    char pki[PATH_MAX], cert[PATH_MAX], key[PATH_MAX];
    enum tp_err r = file_join(pki, sizeof(pki), dir, "pki", e);

    if (r == TP_OK)
        r = file_make_dir(pki, 0700, e);
    if (r == TP_OK)
        r = pki_authority_make(pki, authority_name, e);
    if (r == TP_OK)
        r = file_join(cert, sizeof(cert), pki, "server.pem", e);
    if (r == TP_OK)
        r = file_join(key, sizeof(key), pki, "server.key", e);
    return r == TP_OK ? pki_certificate_make(pki, PKI_SERVER, server, valid_days, cert, key, e) : r;
}

enum tp_err pki_client_make(const char *dir, const char *ca_path, const struct pki_subject *client,
                            int valid_days, const char *out, const char *name, struct tp_error *e)
{
    char pki[PATH_MAX], ca[PATH_MAX], stem[PATH_MAX - 4], cert[PATH_MAX], key[PATH_MAX];
    enum tp_err r = file_join(pki, sizeof(pki), dir, "pki", e);

    if (r == TP_OK)
        r = file_join(ca, sizeof(ca), pki, "ca.pem", e);
    if (r == TP_OK)
        r = file_join(stem, sizeof(stem), out, name, e);
    if (r != TP_OK)
        return r;
    snprintf(cert, sizeof(cert), "%s.pem", stem);
    snprintf(key, sizeof(key), "%s.key", stem);
    r = pki_certificate_make(pki, PKI_CLIENT, client, valid_days, cert, key, e);
    return r == TP_OK ? file_copy(ca_path != NULL ? ca_path : ca, out, "ca.pem", 0644, e) : r;
}

enum tp_err pki_client_conf(const char *out, const char *section, const char *url, const char *name,
                            struct tp_error *e)
{
    char path[PATH_MAX], file[64], text[1024];
    const int n = snprintf(text, sizeof(text),
                           "[%s]\nurl = %s\nca = ca.pem\ncertificate = %s.pem\nkey = %s.key\n",
                           section, url, name, name);
    enum tp_err r = TP_OK;

    snprintf(file, sizeof(file), "%s.conf", section);
    if (n < 0 || (size_t)n >= sizeof(text))
        r = tp_fail(e, TP_ERR_RANGE, "the address %.40s… is too long", url);
    if (r == TP_OK)
        r = file_join(path, sizeof(path), out, file, e);
    return r == TP_OK ? file_replace(path, span_str(text), 0644, e) : r;
}

enum tp_err pki_files_load(struct pki_files *out, const struct conf *c, const char *section,
                           struct tp_error *e)
{
    enum tp_err r = conf_need_path(out->ca, sizeof(out->ca), c, section, "ca", e);

    if (r == TP_OK)
        r = conf_need_path(out->certificate, sizeof(out->certificate), c, section, "certificate",
                           e);
    return r == TP_OK ? conf_need_path(out->key, sizeof(out->key), c, section, "key", e) : r;
}

enum tp_err pki_tls_context(SSL_CTX **out, enum pki_role own_role, const char *ca_path,
                            const char *cert_path, const char *key_path, struct tp_error *e)
{
    static const uint8_t session_context[] = "telepay";
    SSL_CTX *ctx = SSL_CTX_new(own_role == PKI_SERVER ? TLS_server_method() : TLS_client_method());
    enum tp_err r = TP_OK;

    *out = NULL;
    if (ctx == NULL || pthread_once(&alert_once, make_alert_index) != 0 || alert_index < 0) {
        r = ssl_fail(e, TP_ERR_INTERNAL, "cannot start", "TLS");
        goto out;
    }
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
        SSL_CTX_set_session_id_context(ctx, session_context, sizeof(session_context) - 1) != 1) {
        r = ssl_fail(e, TP_ERR_INTERNAL, "cannot start", "TLS");
        goto out;
    }
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_info_callback(ctx, note_alert);
    /* the purpose makes a terminal's certificate useless as a server's, and the other way */
    if (SSL_CTX_set_purpose(ctx, own_role == PKI_SERVER ? X509_PURPOSE_SSL_CLIENT
                                                        : X509_PURPOSE_SSL_SERVER) != 1)
        r = ssl_fail(e, TP_ERR_INTERNAL, "cannot start", "TLS");
    if (r == TP_OK)
        r = load_files(ctx, ca_path, cert_path, key_path, e);
out:
    if (r != TP_OK) {
        SSL_CTX_free(ctx);
        ctx = NULL;
    }
    *out = ctx;
    return r;
}

enum tp_err pki_tls_expect_host(SSL *ssl, const char *host)
{
    uint8_t address[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1 ? TP_OK
                                                                             : TP_ERR_INTERNAL;
    return SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1
               ? TP_OK
               : TP_ERR_INTERNAL;
}

/* The one entry of that kind; none is an empty text. Two, a zero byte inside, or one too long is no
 * name we gave. */
static enum tp_err name_part(char out[PKI_NAME_MAX], X509 *cert, int nid)
{
    const X509_NAME *name = X509_get_subject_name(cert);
    const int at = X509_NAME_get_index_by_NID(name, nid, -1);
    unsigned char *text = NULL;
    int n = 0;
    bool ok = false;

    out[0] = '\0';
    if (at < 0)
        return TP_OK;
    if (X509_NAME_get_index_by_NID(name, nid, at) >= 0)
        return TP_ERR_SECURITY;
    n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    ok = n > 0 && n < PKI_NAME_MAX && memchr(text, 0, (size_t)n) == NULL;
    if (ok) {
        memcpy(out, text, (size_t)n);
        out[n] = '\0';
    }
    OPENSSL_free(text);
    return ok ? TP_OK : TP_ERR_SECURITY;
}

enum tp_err pki_peer_name(const SSL *ssl, char organisation[PKI_NAME_MAX],
                          char common_name[PKI_NAME_MAX])
{
    X509 *cert = SSL_get1_peer_certificate(ssl);
    enum tp_err r = TP_ERR_SECURITY;

    organisation[0] = common_name[0] = '\0';
    if (cert == NULL)
        return r;
    if (SSL_get_verify_result(ssl) == X509_V_OK)
        r = name_part(organisation, cert, NID_organizationName);
    if (r == TP_OK)
        r = name_part(common_name, cert, NID_commonName);
    if (r == TP_OK && common_name[0] == '\0')
        r = TP_ERR_SECURITY;
    X509_free(cert);
    return r;
}

static const char *verify_text(long result)
{
    switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return "the peer's certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "the peer's certificate is not yet valid: compare the clocks";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        return "the peer's certificate is not of our authority";
    case X509_V_ERR_INVALID_PURPOSE:
        return "the peer's certificate is for another role";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return "the server's certificate is for another host";
    default:
        return X509_verify_cert_error_string(result);
    }
}

static const char *alert_text(int description)
{
    switch (description) {
    case SSL_AD_CERTIFICATE_REQUIRED:
    case SSL_AD_HANDSHAKE_FAILURE:
        return "the peer demands a certificate that we do not show";
    case SSL_AD_CERTIFICATE_EXPIRED:
        return "the peer says that our certificate has expired";
    case SSL_AD_UNKNOWN_CA:
        return "the peer says that our certificate is not of its authority";
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_ACCESS_DENIED:
        return "the peer refuses our certificate";
    case SSL_AD_PROTOCOL_VERSION:
        return "the peer does not speak TLS 1.2 or later";
    default:
        return SSL_alert_desc_string_long(description);
    }
}

const char *pki_tls_reason(const SSL *ssl)
{
    const long verified = SSL_get_verify_result(ssl);
    const intptr_t alert = alert_index >= 0 ? (intptr_t)SSL_get_ex_data(ssl, alert_index) : 0;
    const char *queued = NULL;

    if (verified != X509_V_OK)
        return verify_text(verified);
    if (alert != 0)
        return alert_text((int)(alert & 0xFF));
    queued = ERR_reason_error_string(ERR_peek_last_error());
    return queued != NULL ? queued : "the TLS connection broke off";
}
