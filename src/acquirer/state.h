/* The acquirer's folder: acquirer.conf, ledger.db (or store.conf), seal.key, pki/ (ca.pem ca.key
 * server.pem server.key, and the keys of acquirer/keys.h), authorities/ (JSON files of authority
 * keys), and centre/ once the collection centre has given its credentials. */
#ifndef TP_ACQUIRER_STATE_H
#define TP_ACQUIRER_STATE_H

#include <dirent.h>
#include <limits.h>

#include "crypto/capk.h"
#include "crypto/seal.h"
#include "ledger/audit.h"
#include "order/certificate.h"

#define ACQUIRER_DIR_DEFAULT "/var/lib/telepay/acquirer"
#define ACQUIRER_ADDRESS     "127.0.0.1"
#define ACQUIRER_PORT        "8583"
#define ACQUIRER_BOOKS       "ledger.db"

#define MEDIATOR_ORGANISATION                                                                      \
    "telepay-mediator" /* O of a mediator's certificate; CN is its name                            \
                        */

/* The folder that `given` (--dir) names, else ./acq when it holds books, else the system's.
 * TP_ERR_NOT_FOUND, saying how to make one, when there are no books in it. out has PATH_MAX bytes.
 */
TP_MUST_CHECK enum tp_err acquirer_dir(char *out, const char *given, struct tp_error *e);

TP_MUST_CHECK enum tp_err acquirer_open_ledger(struct ledger **out, const char *dir,
                                               struct tp_error *e);

#define ACQUIRER_AUTHORITY_BITS 1408 /* the shortest authority key that is taken */

/* The keys that are trusted: every authorities/NAME.json, and no others. TP_ERR_SECURITY, naming
 * key and size, when one is too short; read takes such too, so that they can be listed and removed.
 */
TP_MUST_CHECK enum tp_err acquirer_load_authorities(struct capk_store **out, const char *dir,
                                                    struct tp_error *e);
TP_MUST_CHECK enum tp_err acquirer_read_authorities(struct capk_store **out, const char *dir,
                                                    struct tp_error *e);

/* The names of the files in that folder, by their names; the caller frees each and the array. None
 * when there is no folder. */
TP_MUST_CHECK enum tp_err acquirer_authority_files(struct dirent ***names, int *n,
                                                   const char *folder, struct tp_error *e);

/* The name of the next file of keys, "authorities/02.json". */
TP_MUST_CHECK enum tp_err acquirer_authority_place(char *name, size_t cap, const char *dir,
                                                   struct tp_error *e);

/* A file of keys into that place: all of it, when every key is good and long enough. */
TP_MUST_CHECK enum tp_err acquirer_copy_authority(const char *dir, const char *from,
                                                  struct tp_error *e);

/* Whose orders hold: those that the authority in pki/ca.pem vouches for. *out NULL: there is none,
 * and nobody's hold. */
TP_MUST_CHECK enum tp_err acquirer_load_orders(struct order_authority **out, const char *dir,
                                               struct tp_error *e);

/* Audits the books by the seal and the trusted keys of that folder. */
TP_MUST_CHECK enum tp_err acquirer_audit_books(struct ledger *l, const char *dir,
                                               const struct audit_watch *watch,
                                               struct audit_sums *sums, struct tp_error *e);

/* What acquirer.conf says of [serve] listen; ACQUIRER_ADDRESS:ACQUIRER_PORT when it says nothing.
 */
TP_MUST_CHECK enum tp_err acquirer_listen(char *out, size_t cap, const char *dir,
                                          struct tp_error *e);

#endif
