/* The issuer's folder: issuer.conf, issuer.db, issuer.keys, seal.key, pki/ (ca.pem ca.key
 * server.pem server.key). */
#ifndef TP_ISSUER_STATE_H
#define TP_ISSUER_STATE_H

#include <limits.h>

#include "crypto/pki.h"
#include "issuer/book.h"

#define ISSUER_DIR_DEFAULT "/var/lib/telepay/issuer"
#define ISSUER_ADDRESS     "127.0.0.1"
#define ISSUER_PORT        "8683"
#define ISSUER_ATC_JUMP    1000

struct issuer_settings {
    char name[65];
    char iins[256]; /* "999014" or several, with spaces */
    char listen[160];
    unsigned atc_jump;
    struct pki_files tls;
};

/* The folder that `given` (--dir) names, else ./iss when it holds books, else the system's.
 * TP_ERR_NOT_FOUND. out has PATH_MAX bytes. */
TP_MUST_CHECK enum tp_err issuer_dir(char *out, const char *given, struct tp_error *e);
TP_MUST_CHECK enum tp_err issuer_open_book(struct book **out, const char *dir, struct tp_error *e);
TP_MUST_CHECK enum tp_err issuer_settings_load(struct issuer_settings *out, const char *dir,
                                               struct tp_error *e);

#endif
