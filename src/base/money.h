/* Amounts and currencies. An amount is an int64_t in the currency's minor unit (cents), never a
 * floating number. */
#ifndef TP_BASE_MONEY_H
#define TP_BASE_MONEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct currency {
    char alpha[4];    /* ISO 4217 "EUR" */
    uint16_t numeric; /* 978 */
    uint8_t exponent; /* digits after the point: EUR 2, JPY 0, TND 3 */
    const char *name;
};

#define MONEY_MAX      INT64_C(999999999999) /* n 12 of EMV 9F02 and ISO 8583 DE 4 */
#define MONEY_TEXT_MAX 48

/* NULL when ISO 4217 has no such currency. The letters may be of either case. */
const struct currency *currency_by_alpha(const char *alpha);
const struct currency *currency_by_numeric(unsigned numeric);

/* "12.50" or "12,50" or "12" as typed by a person. Refuses zero, signs, more decimals than the
 * currency has, more than 12 digits: TP_ERR_USAGE with a sentence. */
TP_MUST_CHECK enum tp_err money_parse(int64_t *minor, const struct currency *c, const char *text,
                                      struct tp_error *e);

/* "12.50" with the currency's decimals, "-" before a negative one. Returns out. */
char *money_format(char out[MONEY_TEXT_MAX], int64_t minor, const struct currency *c);

/* The same by the currency's number alone, and its letters; the bare number and "?" when ISO 4217
 * has no such currency. */
char *money_shown(char out[MONEY_TEXT_MAX], int64_t minor, unsigned numeric);
const char *currency_shown(unsigned numeric);

/* Its code in small letters, as JSON documents have it; "?" as above. */
const char *currency_small(char out[4], unsigned numeric);

#endif
