#include "base/date.h"

#include <stdio.h>
#include <string.h>

#include "base/bcd.h"

static int last_day(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

static enum tp_err make(int *date, int year, int month, int day)
{
    if (month < 1 || month > 12 || day < 1 || day > last_day(year, month))
        return TP_ERR_FORMAT;
    *date = year * 10000 + month * 100 + day;
    return TP_OK;
}

static enum tp_err digits(int *out, const char *text, size_t n)
{
    int v = 0;

    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return TP_ERR_FORMAT;
        v = v * 10 + (text[i] - '0');
    }
    *out = v;
    return TP_OK;
}

enum tp_err date_parse(int *date, const char *text)
{
    const size_t n = strlen(text);
    int year, month, day;

    if ((n != 7 && n != 10) || text[4] != '-' || (n == 10 && text[7] != '-'))
        return TP_ERR_FORMAT;
    if (digits(&year, text, 4) != TP_OK || digits(&month, text + 5, 2) != TP_OK || month < 1 ||
        month > 12)
        return TP_ERR_FORMAT;
    if (n == 7)
        return make(date, year, month, last_day(year, month));
    return digits(&day, text + 8, 2) == TP_OK ? make(date, year, month, day) : TP_ERR_FORMAT;
}

char *date_format(char out[DATE_TEXT_MAX], int date)
{
    const unsigned d = (unsigned)date % 100000000U;

    snprintf(out, DATE_TEXT_MAX, "%04u-%02u-%02u", d / 10000, d / 100 % 100, d % 100);
    return out;
}

static int century(int yy)
{
    return yy < 50 ? 2000 + yy : 1900 + yy;
}

enum tp_err date_from_yymmdd(int *date, struct span bcd3)
{
    uint64_t v;

    if (bcd3.n != 3 || bcd_get(bcd3, &v) != TP_OK)
        return TP_ERR_FORMAT;
    return make(date, century((int)(v / 10000)), (int)(v / 100 % 100), (int)(v % 100));
}

enum tp_err date_from_mmyy(int *date, struct span bcd2)
{
    uint64_t v;

    if (bcd2.n != 2 || bcd_get(bcd2, &v) != TP_OK || v / 100 < 1 || v / 100 > 12)
        return TP_ERR_FORMAT;
    const int year = century((int)(v % 100));

    return make(date, year, (int)(v / 100), last_day(year, (int)(v / 100)));
}

void date_to_yymmdd(uint8_t bcd3[3], int date)
{
    struct buf b = {bcd3, 0, 3};

    if (bcd_put(&b, (uint64_t)(date % 1000000), 6) != TP_OK)
        memset(bcd3, 0, 3);
}

int date_of(time_t t)
{
    struct tm local;

    localtime_r(&t, &local);
    return (local.tm_year + 1900) * 10000 + (local.tm_mon + 1) * 100 + local.tm_mday;
}

time_t date_midnight(time_t t)
{
    struct tm local;

    localtime_r(&t, &local);
    local.tm_hour = local.tm_min = local.tm_sec = 0;
    local.tm_isdst = -1;
    return mktime(&local);
}

void date_now(struct tm *local, time_t *t)
{
    *t = time(NULL);
    localtime_r(t, local);
}

char *time_format(char out[TIME_TEXT_MAX], time_t t)
{
    struct tm local;
    char zone[8];

    localtime_r(&t, &local);
    strftime(out, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &local);
    strftime(zone, sizeof(zone), "%z", &local); /* +0100 → +01:00 */
    const size_t n = strlen(out);

    snprintf(out + n, TIME_TEXT_MAX - n, "%.3s:%s", zone, zone + 3);
    return out;
}

char *time_shown(char out[TIME_TEXT_MAX], time_t t)
{
    if (t != 0)
        return time_format(out, t);
    out[0] = '\0';
    return out;
}

char *time_format_utc(char out[TIME_TEXT_MAX], time_t t)
{
    struct tm utc;

    gmtime_r(&t, &utc);
    snprintf(out, TIME_TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02uZ",
             (unsigned)(utc.tm_year + 1900) % 10000, (unsigned)(utc.tm_mon + 1) % 100,
             (unsigned)utc.tm_mday % 100, (unsigned)utc.tm_hour % 100, (unsigned)utc.tm_min % 100,
             (unsigned)utc.tm_sec % 100);
    return out;
}

/* RFC 3339, 5.6: time-offset, in seconds. */
static enum tp_err offset_parse(int *seconds, const char *text)
{
    int hours, minutes;

    *seconds = 0;
    if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
        return TP_OK;
    if (strlen(text) != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':' ||
        digits(&hours, text + 1, 2) != TP_OK || digits(&minutes, text + 4, 2) != TP_OK ||
        hours > 23 || minutes > 59)
        return TP_ERR_FORMAT;
    *seconds = (hours * 60 + minutes) * (text[0] == '-' ? -60 : 60);
    return TP_OK;
}

enum tp_err time_parse(time_t *t, const char *text)
{
    struct tm utc = {0};
    int date, offset;

    if (strlen(text) < sizeof("2026-11-23T08:15:00Z") - 1 || text[4] != '-' || text[7] != '-' ||
        (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':' ||
        digits(&utc.tm_year, text, 4) != TP_OK || digits(&utc.tm_mon, text + 5, 2) != TP_OK ||
        digits(&utc.tm_mday, text + 8, 2) != TP_OK || digits(&utc.tm_hour, text + 11, 2) != TP_OK ||
        digits(&utc.tm_min, text + 14, 2) != TP_OK || digits(&utc.tm_sec, text + 17, 2) != TP_OK ||
        make(&date, utc.tm_year, utc.tm_mon, utc.tm_mday) != TP_OK || utc.tm_hour > 23 ||
        utc.tm_min > 59 || utc.tm_sec > 60)
        return TP_ERR_FORMAT;
    text += 19;
    if (*text == '.') {
        const size_t n = strspn(text + 1, "0123456789");

        if (n == 0)
            return TP_ERR_FORMAT;
        text += 1 + n;
    }
    if (offset_parse(&offset, text) != TP_OK)
        return TP_ERR_FORMAT;
    utc.tm_year -= 1900;
    utc.tm_mon--;
    *t = timegm(&utc) - offset;
    return TP_OK;
}

int64_t time_monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
