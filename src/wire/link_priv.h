/* Shared by link_client.c and link_server.c. */
#ifndef TP_WIRE_LINK_PRIV_H
#define TP_WIRE_LINK_PRIV_H

#include <stdbool.h>

/* A write to a closed connection must give EPIPE, not end the process. */
void link_ignore_sigpipe(void);

/* The TLS alert of an OpenSSL error, or -1: OpenSSL numbers them 1000 + the alert of RFC 8446, 6. */
int link_tls_alert(unsigned long openssl_error);
/* bad_certificate to unknown_ca, access_denied, certificate_required: the other side does not take our certificate. */
bool link_alert_is_of_certificate(int alert);

#endif
