/* What a service keeps (service.db or a database server's, in its folder): the mediators it serves,
 * and what it sold. One connection, used by one thread. */
#ifndef TP_SERVICE_SALES_H
#define TP_SERVICE_SALES_H

#include <time.h>

#include "service/quote.h"

#define SALES_FILE         "service.db"
#define SALES_NAME_MAX     64 /* of a mediator; HTTP_NAME_MAX */
#define SALES_ORDER_MAX    65
#define SALES_PRINT        32
#define SALES_ACKNOWLEDGED 16384 /* bytes of an acknowledgement */

struct sales;
extern const struct db_schema service_schema; /* store/schema.h */

/* Makes the books in dir, or where the url says (NULL: in dir; TP_ERR_EXISTS rather than over
 * others), or opens them. */
TP_MUST_CHECK enum tp_err sales_make(const char *dir, const char *url, struct tp_error *e);
TP_MUST_CHECK enum tp_err sales_open(struct sales **out, const char *dir, struct tp_error *e);
void sales_close(struct sales **s);

/* ---- mediators, by the SHA-256 of their certificates ---- */

struct sales_mediator {
    char name[SALES_NAME_MAX];
    uint8_t print[SALES_PRINT];
    time_t added, closed; /* 0: served */
};
/* TP_ERR_EXISTS: that certificate is there. */
TP_MUST_CHECK enum tp_err sales_mediator_add(struct sales *s, const char *name,
                                             const uint8_t print[SALES_PRINT], struct tp_error *e);
/* All certificates of that name. TP_ERR_NOT_FOUND. */
TP_MUST_CHECK enum tp_err sales_mediator_close(struct sales *s, const char *name,
                                               struct tp_error *e);
/* Whose certificate it is, of those served. */
TP_MUST_CHECK enum tp_err sales_mediator_of(struct sales *s, const uint8_t print[SALES_PRINT],
                                            char name[SALES_NAME_MAX], bool *found,
                                            struct tp_error *e);
typedef enum tp_err sales_mediator_visit(void *ctx, const struct sales_mediator *m,
                                         struct tp_error *e);
TP_MUST_CHECK enum tp_err sales_mediator_each(struct sales *s, sales_mediator_visit *visit,
                                              void *ctx, struct tp_error *e);

/* ---- what was sold ---- */

struct sale {
    char mediator[SALES_NAME_MAX], order[SALES_ORDER_MAX];
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
TP_MUST_CHECK enum tp_err sales_sold(struct sales *s, const char *article, int64_t *n,
                                     struct tp_error *e);
TP_MUST_CHECK enum tp_err sales_find(struct sales *s, const char *mediator, const char *order,
                                     struct sale *out, bool *found, struct tp_error *e);
/* Books the sale and counts it, within a transaction. */
TP_MUST_CHECK enum tp_err sales_begin(struct sales *s, struct tp_error *e);
TP_MUST_CHECK enum tp_err sales_sell(struct sales *s, const struct sale *sale, struct tp_error *e);
TP_MUST_CHECK enum tp_err sales_commit(struct sales *s, struct tp_error *e);
void sales_rollback(struct sales *s);

struct sales_account { /* what was sold for a number (catalogue_find_for) */
    char account[ARTICLE_PATH_MAX];
    uint16_t currency;
    int64_t credit, orders;
};
typedef enum tp_err sales_account_visit(void *ctx, const struct sales_account *a,
                                        struct tp_error *e);
/* Of the article at that address, by number. */
TP_MUST_CHECK enum tp_err sales_account_each(struct sales *s, const char *article,
                                             sales_account_visit *visit, void *ctx,
                                             struct tp_error *e);

typedef enum tp_err sales_visit(void *ctx, const struct sale *sale, struct tp_error *e);
TP_MUST_CHECK enum tp_err sales_each(struct sales *s, sales_visit *visit, void *ctx,
                                     struct tp_error *e);

#endif
