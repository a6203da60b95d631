/* The catalogue of a service: an INI file that a person writes, one section an article, over a
 * folder of files (doc/service.md). */
#ifndef TP_SERVICE_CATALOGUE_H
#define TP_SERVICE_CATALOGUE_H

#include <stdio.h>
#include <time.h>

#include "base/money.h"
#include "base/span.h"

#define CATALOGUE_FILE     "catalogue.ini"
#define BILLS_FILE         "bills.ini" /* of the same form: what somebody owes */
#define BILLS_PATH         "/bills/"   /* before the number of each */
#define CATALOGUE_FOLDER   "shop"
#define CATALOGUE_INCLUDED 196608 /* bytes of a file that goes with its quote */
#define ARTICLE_PATH_MAX   64
#define ARTICLE_TEXT_MAX   256
#define ARTICLE_USER_MAX   44 /* a name that a mediator gives (doc/service.md), with its end */

enum delivery { DELIVERY_NETWORK, DELIVERY_SHIPPED, DELIVERY_INCLUDED, DELIVERY_STREAM };
const char *delivery_text(enum delivery d); /* "network", … */

struct article {
    char path[ARTICLE_PATH_MAX];                                    /* "/journal/1" */
    char designation[ARTICLE_TEXT_MAX], merchant[ARTICLE_TEXT_MAX]; /* "": none */
    char file[ARTICLE_TEXT_MAX]; /* below the folder; "": shipped, nothing to send */
    char type[ARTICLE_TEXT_MAX], note[ARTICLE_TEXT_MAX];
    char
        identify[ARTICLE_TEXT_MAX]; /* why it is given to who says who they are alone; "": to all */
    bool by_card;                   /* … by a bank card; no key will do */
    char user[ARTICLE_USER_MAX];    /* who alone is told of it, and owes it; "": all */
    char parameter[ARTICLE_TEXT_MAX]; /* what stands behind its address, for people: a number; "" */
    bool priced;
    int64_t amount;                  /* 0: free */
    const struct currency *currency; /* NULL: free */
    enum delivery delivery;
    bool withheld;   /* available = no */
    int from, until; /* the days on which it is sold; 0: any */
    int64_t stock;   /* all that were ever put on sale; -1: no end */
    int per;         /* of a stream: seconds that its price pays for; else 0 */
    int64_t rate; /* … bytes of its file that are sent a second; 0: as fast as they are taken */
    int valid_minutes; /* that a quote holds */
    int line;          /* of the catalogue: where its section begins */
};

struct catalogue;

/* The catalogue of the service's folder. TP_ERR_NOT_FOUND; TP_ERR_FORMAT, TP_ERR_USAGE,
 * TP_ERR_RANGE naming file and line or article. */
TP_MUST_CHECK enum tp_err catalogue_load(struct catalogue **out, const char *dir,
                                         struct tp_error *e);
/* What is owed: an article for each, whose address has BILLS_PATH before its name. No file: none.
 */
TP_MUST_CHECK enum tp_err catalogue_load_bills(struct catalogue **out, const char *dir,
                                               struct tp_error *e);
/* The same of a file that is open, and called `name`. */
TP_MUST_CHECK enum tp_err catalogue_read(struct catalogue **out, FILE *f, const char *name,
                                         struct tp_error *e);
void catalogue_free(struct catalogue **c);
size_t catalogue_size(const struct catalogue *c);
const struct article *catalogue_at(const struct catalogue *c, size_t i); /* in order of paths */
const struct article *catalogue_find(const struct catalogue *c, const char *path); /* NULL: none */

/* The same with a number behind it, as in "/phone/10/33612345678": the article for that number.
 * False: there is none. */
bool catalogue_find_for(struct article *out, const struct catalogue *c, const char *path);

/* It is sold at that time, its stock apart. */
bool article_on_sale(const struct article *a, time_t now);

/* Opens a file of the folder to read it: no symbolic link on the way, and a regular file.
 * TP_ERR_NOT_FOUND; TP_ERR_SECURITY (a link, a folder, a device); TP_ERR_IO. */
TP_MUST_CHECK enum tp_err catalogue_open_file(int *fd, uint64_t *size, const char *dir,
                                              const char *file, struct tp_error *e);

#endif
