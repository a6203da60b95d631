/* purse.conf: where the purse is reached, which currencies it keeps, how much of each, from which
 * bank account merchants are paid, and where it sells its credit. */
#ifndef TP_PURSE_SETTINGS_H
#define TP_PURSE_SETTINGS_H

#include <stddef.h>

#include "base/iban.h"
#include "base/money.h"

#define SETTINGS_FILE       "purse.conf"
#define SETTINGS_LISTEN     "127.0.0.1:8744"
#define SETTINGS_CURRENCIES 8
#define SETTINGS_SELLERS    8
#define SETTINGS_SELLER     33
#define SETTINGS_URL        200
#define SETTINGS_NAME       71 /* Max70Text in every bank's use of pain.001 */

struct purse_currency { /* amounts in minor units */
    const struct currency *currency;
    int64_t payment, day, balance; /* at most so much in one, in a day, in an account */
    char iban[IBAN_MAX], bic[12];  /* whence merchants are paid; "": not said */
};

struct purse_seller { /* a mediator that sells credit to cards, and where: https://HOST/s/NAME */
    char name[SETTINGS_SELLER], at[SETTINGS_URL];
};

struct purse_settings {
    char listen[256], name[SETTINGS_NAME];
    char url[SETTINGS_URL]; /* where browsers reach it: https://HOST; "": not said */
    struct purse_currency currency[SETTINGS_CURRENCIES];
    size_t n;
    struct purse_seller seller[SETTINGS_SELLERS];
    size_t sellers;
};

/* TP_ERR_USAGE with section and key. */
TP_MUST_CHECK enum tp_err settings_load(struct purse_settings *out, const char *dir,
                                        struct tp_error *e);

/* NULL: the purse has none of that currency. */
const struct purse_currency *settings_currency(const struct purse_settings *s, unsigned numeric);

#endif
