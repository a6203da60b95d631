/* X.509 for the peers of the house: a small authority of one's own, and the certificates it gives
 * (ECDSA P-256, SHA-256). */
#ifndef TP_CRYPTO_PKI_H
#define TP_CRYPTO_PKI_H

#include <limits.h>
#include <openssl/types.h>

#include "base/conf.h"

#define PKI_NAME_MAX 64

/* Makes an authority: dir/ca.pem (certificate), dir/ca.key (0600). TP_ERR_EXISTS rather than over
 * an existing one. */
TP_MUST_CHECK enum tp_err pki_authority_make(const char *dir, const char *common_name,
                                             struct tp_error *e);

enum pki_role {
    PKI_SERVER,
    PKI_CLIENT,
    PKI_ORDER,          /* signs orders for the contract in O */
    PKI_SEALING,        /* transactions are sealed to it */
    PKI_ACKNOWLEDGEMENT /* signs acknowledgements */
};

struct pki_subject {
    const char *organisation; /* O: contract number of a terminal; NULL: none */
    const char *common_name;  /* CN: terminal number, or host name of a server */
    const char *hosts;        /* PKI_SERVER: "localhost,127.0.0.1" as subjectAltName; NULL: none */
};

/* Gives a certificate signed by the authority in authority_dir: cert_path (PEM) and key_path (PEM,
 * 0600), with the extended key usage of the role. valid_days at most the authority's own. */
TP_MUST_CHECK enum tp_err pki_certificate_make(const char *authority_dir, enum pki_role role,
                                               const struct pki_subject *subject, int valid_days,
                                               const char *cert_path, const char *key_path,
                                               struct tp_error *e);

/* Whether the certificate is for that role and for no other one, by its key usage too, and no
 * authority's. The last three are told by extended key usages of our own (doc/protocol.md),
 * critical, so that no TLS library takes them for its own purposes. */
bool pki_has_role(X509 *cert, enum pki_role role);

/* What a daemon's folder has of these: dir/pki (0700) with an authority of that name, and its
 * certificate and key for PKI_SERVER: server.pem, server.key. */
TP_MUST_CHECK enum tp_err pki_server_make(const char *dir, const char *authority_name,
                                          const struct pki_subject *server, int valid_days,
                                          struct tp_error *e);

/* What a client of that daemon gets, into the folder out: NAME.pem, NAME.key, and ca.pem, which is
 * ca_path, or for NULL the authority's own. */
TP_MUST_CHECK enum tp_err pki_client_make(const char *dir, const char *ca_path,
                                          const struct pki_subject *client, int valid_days,
                                          const char *out, const char *name, struct tp_error *e);

/* The configuration that goes with these: out/SECTION.conf, whose one section says url, ca,
 * certificate and key. */
TP_MUST_CHECK enum tp_err pki_client_conf(const char *out, const char *section, const char *url,
                                          const char *name, struct tp_error *e);

/* The PEM files that one side of a connection needs, as a section of a configuration names them
 * (ca, certificate, key). TP_ERR_USAGE. */
struct pki_files {
    char ca[PATH_MAX], certificate[PATH_MAX], key[PATH_MAX];
};
TP_MUST_CHECK enum tp_err pki_files_load(struct pki_files *out, const struct conf *c,
                                         const char *section, struct tp_error *e);

/* A TLS 1.2-or-later context that shows cert/key and demands that the peer's certificate is of the
 * authority in ca_path and for the other role. */
TP_MUST_CHECK enum tp_err pki_tls_context(SSL_CTX **out, enum pki_role own_role,
                                          const char *ca_path, const char *cert_path,
                                          const char *key_path, struct tp_error *e);

/* For a client, before it connects: the server's certificate must be for this host name or address,
 * too. */
TP_MUST_CHECK enum tp_err pki_tls_expect_host(SSL *ssl, const char *host);

/* O and CN of the peer of an established connection. TP_ERR_SECURITY when it has none. O may be
 * absent: empty. */
TP_MUST_CHECK enum tp_err pki_peer_name(const SSL *ssl, char organisation[PKI_NAME_MAX],
                                        char common_name[PKI_NAME_MAX]);

/* A sentence for the last TLS failure of this connection ("the peer's certificate has expired"),
 * never NULL. */
const char *pki_tls_reason(const SSL *ssl);

#endif
