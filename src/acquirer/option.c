#include "acquirer/option.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum tp_err option_open(struct ledger **l, char *dir, const char *given, struct tp_error *e)
{
    enum tp_err r = acquirer_dir(dir, given, e);

    *l = NULL;
    return r == TP_OK ? acquirer_open_ledger(l, dir, e) : r;
}

enum tp_err option_number(int64_t *out, const char *what, const char *text, int64_t max, struct tp_error *e)
{
    const size_t n = strlen(text);

    if (n == 0 || n > 15 || strspn(text, "0123456789") != n || strtoll(text, NULL, 10) > max)
        return tp_fail(e, TP_ERR_USAGE, "%s must be a number from 0 to %" PRId64 ", not \"%.40s\"", what, max, text);
    *out = strtoll(text, NULL, 10);
    return TP_OK;
}

enum tp_err option_hour(int *hhmm, const char *text, struct tp_error *e)
{
    if (strlen(text) == 5 && isdigit((unsigned char)text[0]) && isdigit((unsigned char)text[1]) && text[2] == ':' &&
        isdigit((unsigned char)text[3]) && isdigit((unsigned char)text[4])) {
        const int hour = (text[0] - '0') * 10 + text[1] - '0', minute = (text[3] - '0') * 10 + text[4] - '0';

        if (hour < 24 && minute < 60) {
            *hhmm = hour * 100 + minute;
            return TP_OK;
        }
    }
    return tp_fail(e, TP_ERR_USAGE, "\"%.40s\" is no hour: write it as 22:30", text);
}

enum tp_err option_id(char *out, size_t cap, const char *what, const char *text, struct tp_error *e)
{
    const size_t n = strlen(text);
    bool good = n == cap - 1;

    for (size_t i = 0; i < n && good; i++)
        good = isalnum((unsigned char)text[i]) || strchr("-._", text[i]) != NULL;
    if (!good)
        return tp_fail(e, TP_ERR_USAGE, "%s must be %zu letters, digits, -, . or _, not \"%.40s\"", what, cap - 1, text);
    memcpy(out, text, n + 1);
    return TP_OK;
}

const char *option_currency(unsigned currency)
{
    const struct currency *c = currency_by_numeric(currency);

    return c != NULL ? c->alpha : "?";
}

char *option_minor(char out[MONEY_TEXT_MAX], int64_t minor, unsigned currency)
{
    const struct currency *c = currency_by_numeric(currency);

    if (c != NULL)
        return money_format(out, minor, c);
    snprintf(out, MONEY_TEXT_MAX, "%" PRId64, minor);
    return out;
}

char *option_amount(char out[MONEY_TEXT_MAX + 8], int64_t minor, unsigned currency)
{
    char amount[MONEY_TEXT_MAX];

    snprintf(out, MONEY_TEXT_MAX + 8, "%s %s", option_minor(amount, minor, currency), option_currency(currency));
    return out;
}

char *option_time(char out[TIME_TEXT_MAX], time_t t)
{
    if (t != 0)
        return time_format(out, t);
    out[0] = '\0';
    return out;
}

enum tp_err listing_start(struct listing *list, const char *dir, const char *name, const struct table_column *columns, size_t n, bool json)
{
    enum tp_err r = option_open(&list->l, list->dir, dir, &list->e);

    if (r != TP_OK)
        return r;
    r = table_new(&list->table, name, columns, n, json);
    return r == TP_OK ? r : tp_fail(&list->e, r, "cannot make the list: %s", tp_err_text(r));
}

enum tp_err listing_row(void *table, const char *const *cells, struct tp_error *e)
{
    const enum tp_err r = table_row(table, cells);

    return r == TP_OK ? r : tp_fail(e, r, "cannot make the list: %s", tp_err_text(r));
}

int listing_end(struct listing *list, enum tp_err r)
{
    if (r == TP_OK && (table_print(list->table) != TP_OK || fflush(stdout) != 0))
        r = tp_fail(&list->e, TP_ERR_IO, "cannot print the list");
    table_free(&list->table);
    ledger_close(&list->l);
    return r == TP_OK ? CLI_DONE : cli_report(&list->e);
}

int option_print_json(json_t *value)
{
    int done = -1;

    if (value != NULL) {
        done = json_dumpf(value, stdout, JSON_INDENT(2));
        fputc('\n', stdout);
        json_decref(value);
    }
    if (done == 0 && fflush(stdout) == 0)
        return CLI_DONE;
    log_error("cannot write the JSON");
    return CLI_INTERNAL;
}
