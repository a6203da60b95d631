#include <stdlib.h>

#include "base/cli.h"
#include "base/hex.h"
#include "base/table.h"
#include "drivers/pcsc.h"
#include "payer/commands.h"

enum { JSON = 0x100 };

static const struct argp_option options[] = {
    {"json", JSON, NULL, 0, "print the list as JSON", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    switch (key) {
    case JSON:
        *(bool *)state->input = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "\"%s\" is not an option", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static enum tp_err print(const struct reader_info *list, size_t n, bool json)
{
    static const struct table_column text[] = {{"READER", TABLE_TEXT}, {"CARD", TABLE_TEXT}, {"ATR", TABLE_TEXT}};
    static const struct table_column keys[] = {{"reader", TABLE_TEXT}, {"card", TABLE_TEXT}, {"atr", TABLE_TEXT}};
    char atr[2 * READER_ATR_MAX + 1];
    struct table *t;
    enum tp_err r = table_new(&t, "readers", json ? keys : text, 3, json);

    for (size_t i = 0; r == TP_OK && i < n; i++) {
        const char *cells[] = {list[i].name,
                               list[i].in_use         ? "in use"
                               : list[i].card_present ? "present"
                                                      : "none",
                               hex_encode(atr, span_of(list[i].atr, list[i].atr_n))};

        r = table_row(t, cells);
    }
    if (r == TP_OK)
        r = table_print(t);
    table_free(&t);
    return r;
}

int payer_readers(int argc, char **argv)
{
    static const struct argp argp = {options, parse, NULL, "List the card readers and the cards in them.", NULL, NULL, NULL};
    struct reader_info *list = NULL;
    struct tp_error e = {0};
    bool json = false;
    size_t n = 0;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &json);
    r = pcsc_list(&list, &n, &e);
    if (r == TP_OK && (r = print(list, n, json)) != TP_OK)
        (void)tp_fail(&e, r, "the list cannot be written");
    free(list);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}
