/* Dates and times. A date is an int of the form YYYYMMDD, so that dates compare as numbers; 0 is
 * "none". */
#ifndef TP_BASE_DATE_H
#define TP_BASE_DATE_H

#include <time.h>

#include "base/span.h"

#define DATE_TEXT_MAX 11
#define TIME_TEXT_MAX 32

/* "2030-12-31", or "2030-12" meaning its last day. TP_ERR_FORMAT for anything that is no date. */
TP_MUST_CHECK enum tp_err date_parse(int *date, const char *text);
char *date_format(char out[DATE_TEXT_MAX], int date); /* "2030-12-31"; returns out */

/* EMV dates: n 6 YYMMDD, or n 4 MMYY meaning the month's last day (date_from_mmyy). Years 00-49 are
 * 20xx, 50-99 19xx (EMV 4.4 Book 4, 6.7.3). TP_ERR_FORMAT when it is not BCD or no date. */
TP_MUST_CHECK enum tp_err date_from_yymmdd(int *date, struct span bcd3);
TP_MUST_CHECK enum tp_err date_from_mmyy(int *date, struct span bcd2);
void date_to_yymmdd(uint8_t bcd3[3], int date);

/* The local civil time of t. */
int date_of(time_t t);
time_t date_midnight(time_t t); /* when its local day began */
void date_now(struct tm *local, time_t *t);

/* "2026-11-23T09:15:00+01:00" (ISO 8601, local time with offset). Returns out. */
char *time_format(char out[TIME_TEXT_MAX], time_t t);
char *time_shown(char out[TIME_TEXT_MAX], time_t t); /* the same; "" for 0 */

/* "2026-11-23T08:15:00Z" (RFC 3339, UTC). Returns out. Years 0 to 9999. */
char *time_format_utc(char out[TIME_TEXT_MAX], time_t t);

/* Any date-time of RFC 3339: with Z or an offset, fractions of a second cut off. A leap second is
 * the first of the next minute. TP_ERR_FORMAT for anything else. */
TP_MUST_CHECK enum tp_err time_parse(time_t *t, const char *text);

/* Milliseconds of the monotonic clock, for time-outs and measuring. */
int64_t time_monotonic_ms(void);

#endif
