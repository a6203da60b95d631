/* The acquirer's folder: acquirer.conf, ledger.db, seal.key, pki/ (ca.pem ca.key server.pem server.key), authorities/ (JSON files of authority keys), and
 * centre/ once the collection centre has given its credentials. */
#ifndef TP_ACQUIRER_STATE_H
#define TP_ACQUIRER_STATE_H

#include <limits.h>

#include "crypto/capk.h"
#include "crypto/seal.h"
#include "ledger/ledger.h"

#define ACQUIRER_DIR_DEFAULT "/var/lib/telepay/acquirer"
#define ACQUIRER_ADDRESS     "127.0.0.1"
#define ACQUIRER_PORT        "8583"

/* The folder that `given` (--dir) names, else ./acq when it holds books, else the system's. TP_ERR_NOT_FOUND, saying how to make one, when there are no
 * books in it. out has PATH_MAX bytes. */
TP_MUST_CHECK enum tp_err acquirer_dir(char *out, const char *given, struct tp_error *e);

TP_MUST_CHECK enum tp_err acquirer_open_ledger(struct ledger **out, const char *dir, struct tp_error *e);

/* The project's keys (data/capk.json), then every authorities/NAME.json. */
TP_MUST_CHECK enum tp_err acquirer_load_authorities(struct capk_store **out, const char *dir, struct tp_error *e);

/* What acquirer.conf says of [serve] listen; ACQUIRER_ADDRESS:ACQUIRER_PORT when it says nothing. */
TP_MUST_CHECK enum tp_err acquirer_listen(char *out, size_t cap, const char *dir, struct tp_error *e);

#endif
