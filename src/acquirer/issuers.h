/* The issuers that an acquirer can ask: issuers/NAME/ in its folder, each with the credentials that
 * the issuer gave (issuer.conf, certificates, key). */
#ifndef TP_ACQUIRER_ISSUERS_H
#define TP_ACQUIRER_ISSUERS_H

#include <limits.h>

#include "crypto/pki.h"
#include "ledger/ledger.h"

#define ISSUER_IINS_MAX 64
#define ISSUER_IIN_MAX  12 /* 11 digits and a zero */

struct issuer {
    char name[ISSUER_NAME_MAX];
    char host[256], port[6];
    char acquirer[12]; /* DE 32: what the issuer knows this acquirer by */
    struct pki_files tls;
    char iin[ISSUER_IINS_MAX][ISSUER_IIN_MAX]; /* beginnings of card numbers */
    size_t iins;
};

/* Reads DIR/issuer.conf, section [issuer]: name, host, port, acquirer, iins (parted by spaces or
 * commas), ca, certificate, key. TP_ERR_NOT_FOUND, TP_ERR_USAGE naming file and key. */
TP_MUST_CHECK enum tp_err issuer_load(struct issuer *out, const char *dir, struct tp_error *e);

/* Each issuer of the acquirer's folder, by name. Anything but TP_OK stops and is handed through. */
typedef enum tp_err issuer_visit(void *ctx, const struct issuer *i, struct tp_error *e);
TP_MUST_CHECK enum tp_err issuers_each(const char *dir, issuer_visit *visit, void *ctx,
                                       struct tp_error *e);

/* What acquirer.conf says of [issuers] timeout, in seconds, 1 to 120: how long an answer is waited
 * for; 10 when it says nothing. */
TP_MUST_CHECK enum tp_err issuers_timeout(int *ms, const char *dir, struct tp_error *e);

#endif
