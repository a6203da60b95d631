/* What a service keeps (service.db or a database server's, in its folder): the mediators it serves,
 * and what it sold. One connection, used by one thread. */
#ifndef TP_SERVICE_BOOK_H
#define TP_SERVICE_BOOK_H

#include <time.h>

#include "service/quote.h"

#define BOOK_FILE         "service.db"
#define BOOK_NAME_MAX     64 /* of a mediator; HTTP_NAME_MAX */
#define BOOK_ORDER_MAX    65
#define BOOK_PRINT        32
#define BOOK_ACKNOWLEDGED 16384 /* bytes of an acknowledgement */

struct book;
extern const struct db_schema service_schema; /* store/schema.h */

/* Makes the books in dir, or where the url says (NULL: in dir; TP_ERR_EXISTS rather than over
 * others), or opens them. */
TP_MUST_CHECK enum tp_err book_make(const char *dir, const char *url, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_open(struct book **out, const char *dir, struct tp_error *e);
void book_close(struct book **b);

/* ---- mediators, by the SHA-256 of their certificates ---- */

struct book_mediator {
    char name[BOOK_NAME_MAX];
    uint8_t print[BOOK_PRINT];
    time_t added, closed; /* 0: served */
};
/* TP_ERR_EXISTS: that certificate is there. */
TP_MUST_CHECK enum tp_err book_mediator_add(struct book *b, const char *name,
                                            const uint8_t print[BOOK_PRINT], struct tp_error *e);
/* All certificates of that name. TP_ERR_NOT_FOUND. */
TP_MUST_CHECK enum tp_err book_mediator_close(struct book *b, const char *name, struct tp_error *e);
/* Whose certificate it is, of those served. */
TP_MUST_CHECK enum tp_err book_mediator_of(struct book *b, const uint8_t print[BOOK_PRINT],
                                           char name[BOOK_NAME_MAX], bool *found,
                                           struct tp_error *e);
typedef enum tp_err book_mediator_visit(void *ctx, const struct book_mediator *m,
                                        struct tp_error *e);
TP_MUST_CHECK enum tp_err book_mediator_each(struct book *b, book_mediator_visit *visit, void *ctx,
                                             struct tp_error *e);

/* ---- what was sold ---- */

struct book_sale {
    char mediator[BOOK_NAME_MAX], order[BOOK_ORDER_MAX];
    time_t at;
    char article[ARTICLE_PATH_MAX], designation[ARTICLE_TEXT_MAX];
    int64_t amount;
    uint16_t currency; /* ISO 4217; 0: free */
    enum delivery delivery;
    char file[ARTICLE_TEXT_MAX], type[ARTICLE_TEXT_MAX], note[ARTICLE_TEXT_MAX];
    uint8_t quote[QUOTE_DIGEST];
    struct span acknowledgement; /* borrowed: from find until the next statement */
};

/* Of an article, all that were ever sold. */
TP_MUST_CHECK enum tp_err book_sold(struct book *b, const char *article, int64_t *n,
                                    struct tp_error *e);
TP_MUST_CHECK enum tp_err book_find(struct book *b, const char *mediator, const char *order,
                                    struct book_sale *out, bool *found, struct tp_error *e);
/* Books the sale and counts it, within a transaction. */
TP_MUST_CHECK enum tp_err book_begin(struct book *b, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_sell(struct book *b, const struct book_sale *sale,
                                    struct tp_error *e);
TP_MUST_CHECK enum tp_err book_commit(struct book *b, struct tp_error *e);
void book_rollback(struct book *b);

typedef enum tp_err book_sale_visit(void *ctx, const struct book_sale *sale, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_sale_each(struct book *b, book_sale_visit *visit, void *ctx,
                                         struct tp_error *e);

#endif
