#include "acquirer/option.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/document.h"
#include "base/log.h"

enum tp_err option_open(struct ledger **l, char *dir, const char *given, struct tp_error *e)
{
    enum tp_err r = acquirer_dir(dir, given, e);

    *l = NULL;
    return r == TP_OK ? acquirer_open_ledger(l, dir, e) : r;
}

enum tp_err option_hour(int *hhmm, const char *text, struct tp_error *e)
{
    if (strlen(text) == 5 && isdigit((unsigned char)text[0]) && isdigit((unsigned char)text[1]) &&
        text[2] == ':' && isdigit((unsigned char)text[3]) && isdigit((unsigned char)text[4])) {
        const int hour = (text[0] - '0') * 10 + text[1] - '0',
                  minute = (text[3] - '0') * 10 + text[4] - '0';

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
        return tp_fail(e, TP_ERR_USAGE, "%s must be %zu letters, digits, -, . or _, not \"%.40s\"",
                       what, cap - 1, text);
    memcpy(out, text, n + 1);
    return TP_OK;
}

enum tp_err listing_start(struct listing *list, const char *dir, const char *name,
                          const struct table_column *columns, size_t n, bool json)
{
    enum tp_err r = option_open(&list->l, list->dir, dir, &list->e);

    return r == TP_OK ? table_new(&list->table, name, columns, n, json, &list->e) : r;
}

enum tp_err listing_contract(struct listing *list, const char *contract)
{
    struct contract found;

    return contract == NULL ? TP_OK : ledger_contract_get(list->l, contract, &found, &list->e);
}

int listing_end(struct listing *list, enum tp_err r)
{
    r = table_end(&list->table, r, &list->e);
    ledger_close(&list->l);
    return r == TP_OK ? CLI_DONE : cli_report(&list->e);
}

int option_print_json(json_t *value)
{
    struct tp_error e = {TP_OK, ""};

    return cli_end(document_print(value, false), &e);
}
