/* bare_tls CA CERTIFICATE KEY HOST PORT: a process that shakes hands with an acquirer as a terminal
 * does, and ends. What a payment's process has beside it is its own. */
#include <openssl/ssl.h>
#include <stdio.h>

#include "crypto/pki.h"
#include "wire/link.h"

int main(int argc, char **argv)
{
    struct link_client *link = NULL;
    SSL_CTX *tls = NULL;
    struct tp_error e = {TP_OK, ""};

    if (argc != 6 || pki_tls_context(&tls, PKI_CLIENT, argv[1], argv[2], argv[3], &e) != TP_OK ||
        link_connect(&link, argv[4], argv[5], tls, 10000, &e) != TP_OK)
        fprintf(stderr, "bare_tls: %s\n", e.text);
    else
        puts("shaken");
    link_close(&link);
    SSL_CTX_free(tls);
    return e.code != TP_OK;
}
