/* The authorities of acquirers that the user trusts: with one of them begins whatever an order,
 * what is sealed, an acknowledgement or parameters are held to. A certificate comes from a file
 * that the user names, never from the wire. */
#ifndef TP_PAYER_AUTHORITY_H
#define TP_PAYER_AUTHORITY_H

#include "order/certificate.h"

#define AUTHORITY_PRINT 65 /* SHA-256 of the certificate's DER in hex, with a final zero */
#define AUTHORITY_NAME  128

struct authority {
    char fingerprint[AUTHORITY_PRINT];
    char name[AUTHORITY_NAME]; /* the common name of its subject */
    int until;                 /* YYYYMMDD: its certificate's last day */
    struct order_authority *orders;
};

struct authorities { /* begins as {0} */
    struct authority *list;
    size_t n;
};

/* All that are in the user's folder, by fingerprint. authorities_free after an error too. */
TP_MUST_CHECK enum tp_err authorities_load(struct authorities *out, const char *home,
                                           struct tp_error *e);
void authorities_free(struct authorities *a);

/* The one with that fingerprint; NULL. */
const struct authority *authority_find(const struct authorities *a, const char *fingerprint);

/* Takes the certificate of a file (PEM) into the user's folder; what it is comes out, but for
 * `orders`. TP_ERR_SECURITY when it is no authority's, TP_ERR_EXISTS when it is there already. */
TP_MUST_CHECK enum tp_err authority_add(struct authority *out, const char *home, const char *file,
                                        struct tp_error *e);

/* Trusts one no more: of that fingerprint, or its beginning (8 digits at least). TP_ERR_NOT_FOUND;
 * TP_ERR_USAGE when there are several. */
TP_MUST_CHECK enum tp_err authority_remove(const char *home, const char *fingerprint,
                                           struct tp_error *e);

#endif
