/* What the door of a service asks: who calls, what is sold at what price, which quotes are its own.
 * Any thread. A catalogue that was changed is read again; one that does not hold together is told,
 * and the one before stays. */
#ifndef TP_SERVICE_SHOP_H
#define TP_SERVICE_SHOP_H

#include <jansson.h>

#include "service/sales.h"

struct shop;

TP_MUST_CHECK enum tp_err shop_open(struct shop **out, const char *dir, struct tp_error *e);
void shop_close(struct shop **s);

/* Whose certificate it is. */
TP_MUST_CHECK enum tp_err shop_mediator(struct shop *s, const uint8_t print[SALES_PRINT],
                                        char name[SALES_NAME_MAX], bool *found, struct tp_error *e);
/* False: no such article now. */
bool shop_article(struct shop *s, const char *path, struct article *out);
#define SHOP_BILLS 500 /* of one user, that are told at once */
/* What the user owes (doc/service.md, POST /bills), a list (json_decref). TP_ERR_RANGE: too many.
 */
TP_MUST_CHECK enum tp_err shop_bills(struct shop *s, json_t **out, const char *user,
                                     struct tp_error *e);
/* The quote of an article as it is now, the caller's to free(). */
TP_MUST_CHECK enum tp_err shop_quote(struct shop *s, char **out, const struct article *a,
                                     const char *mediator, struct tp_error *e);
/* quote_open. */
TP_MUST_CHECK enum tp_err shop_quote_open(struct shop *s, struct quote *out, const json_t *document,
                                          const char *mediator, struct tp_error *e);
/* catalogue_open_file in the shop's folder. */
TP_MUST_CHECK enum tp_err shop_file(const struct shop *s, int *fd, uint64_t *size, const char *file,
                                    struct tp_error *e);

#endif
