/* telepay readers: lists readers, and finds the broken link. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"
#include "drivers/doctor.h"
#include "drivers/readers.h"
#include "payer/commands.h"

#define CAN_MAX 160

struct words {
    bool json, doctor;
    const char *reader;
};

enum { DOCTOR = 0x100, READER };

static const struct argp_option options[] = {
    {"doctor", DOCTOR, NULL, 0,
     N_("look at the whole chain from here to the card, and say what to do where it breaks"), 0},
    {"reader", READER, "NAME|NUMBER", 0,
     N_("with --doctor: the reader whose name contains NAME, or its NUMBER in the list"), 0},
    {"json", 'j', NULL, 0, N_("print the list as JSON"), 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case 'j':
        w->json = true;
        return 0;
    case DOCTOR:
        w->doctor = true;
        return 0;
    case READER:
        w->reader = arg;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, _("\"%s\" is not an option"), arg);
        return 0;
    case ARGP_KEY_END:
        if (w->reader != NULL && !w->doctor)
            argp_error(state, _("--reader goes with --doctor: the list shows all"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void add(char out[CAN_MAX], const char *what)
{
    const size_t n = strlen(out);

    snprintf(out + n, CAN_MAX - n, "%s%s", n > 0 ? ", " : "", what);
}

/* "keypad (4 to 8 digits), display 2x16, T=0 T=1, short APDU, 4.8 MHz, 344 kbit/s": as far as the
 * reader says. */
static const char *abilities(char out[CAN_MAX], const struct reader_abilities *can)
{
    char text[64];

    out[0] = '\0';
    if (can->keypad && can->pin_max > 0) {
        snprintf(text, sizeof(text), "keypad (%u to %u digits)", can->pin_min, can->pin_max);
        add(out, text);
    } else if (can->keypad) {
        add(out, "keypad");
    } else if (can->known) {
        add(out, "no keypad");
    }
    if (can->display) {
        snprintf(text, sizeof(text), "display %ux%u", can->lines, can->columns);
        add(out, text);
    }
    if (can->t0 || can->t1)
        add(out, can->t0 && can->t1 ? "T=0 T=1" : can->t0 ? "T=0" : "T=1");
    if (can->level != NULL)
        add(out, can->level);
    if (can->clock_khz > 0) {
        snprintf(text, sizeof(text), "%u.%u MHz", can->clock_khz / 1000,
                 can->clock_khz % 1000 / 100);
        add(out, text);
    }
    if (can->rate_bps > 0) {
        snprintf(text, sizeof(text), "%u kbit/s", can->rate_bps / 1000);
        add(out, text);
    }
    return out;
}

static const char *card_word(const struct reader_info *r)
{
    return r->in_use ? "in use" : r->mute ? "mute" : r->card_present ? "present" : "none";
}

static const char *text_or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? NULL : text;
}

static enum tp_err row_json(struct table *t, const struct reader_info *r, const char *number,
                            const char *atr, struct tp_error *e)
{
    char lines[8], columns[8], clock[16], rate[16], protocols[8];

    snprintf(lines, sizeof(lines), "%u", r->can.lines);
    snprintf(columns, sizeof(columns), "%u", r->can.columns);
    snprintf(clock, sizeof(clock), "%u", r->can.clock_khz);
    snprintf(rate, sizeof(rate), "%u", r->can.rate_bps);
    snprintf(protocols, sizeof(protocols), "%s%s%s", r->can.t0 ? "T=0" : "",
             r->can.t0 && r->can.t1 ? " " : "", r->can.t1 ? "T=1" : "");
    const char *cells[] = {number,
                           r->name,
                           r->driver,
                           card_word(r),
                           atr,
                           table_bool(r->can.keypad),
                           table_bool(r->can.display),
                           r->can.display ? lines : NULL,
                           r->can.display ? columns : NULL,
                           text_or_null(protocols),
                           r->can.level,
                           r->can.clock_khz > 0 ? clock : NULL,
                           r->can.rate_bps > 0 ? rate : NULL,
                           text_or_null(r->trouble),
                           text_or_null(r->remedy)};

    return table_row(t, cells, e);
}

static enum tp_err print(const struct reader_info *list, size_t n, bool json, struct tp_error *e)
{
    static const struct table_column text[] = {{"NR", TABLE_RIGHT},
                                               {"READER", TABLE_WORDS},
                                               {"DRIVER", TABLE_TEXT},
                                               {"CARD", TABLE_TEXT},
                                               {"ATR", TABLE_TEXT | TABLE_LESSER},
                                               {"CAN", TABLE_WORDS}};
    static const struct table_column keys[] = {{"number", TABLE_NUMBER},
                                               {"reader", TABLE_TEXT},
                                               {"driver", TABLE_TEXT},
                                               {"card_state", TABLE_TEXT},
                                               {"atr", TABLE_TEXT},
                                               {"keypad", TABLE_BOOL},
                                               {"display", TABLE_BOOL},
                                               {"display_lines", TABLE_NUMBER},
                                               {"display_columns", TABLE_NUMBER},
                                               {"protocols", TABLE_TEXT},
                                               {"level", TABLE_TEXT},
                                               {"clock_khz", TABLE_NUMBER},
                                               {"rate_bps", TABLE_NUMBER},
                                               {"trouble", TABLE_TEXT},
                                               {"remedy", TABLE_TEXT}};
    char atr[2 * READER_ATR_MAX + 1], can[CAN_MAX], number[24];
    struct table *t;
    enum tp_err r = json ? table_new(&t, "readers", keys, sizeof(keys) / sizeof(keys[0]), true, e)
                         : table_new(&t, "readers", text, sizeof(text) / sizeof(text[0]), false, e);

    for (size_t i = 0; r == TP_OK && i < n; i++) {
        snprintf(number, sizeof(number), "%zu", i + 1);
        hex_encode(atr, span_of(list[i].atr, list[i].atr_n));
        if (json) {
            r = row_json(t, &list[i], number, atr, e);
        } else {
            const char *cells[] = {number,
                                   list[i].name,
                                   list[i].driver,
                                   card_word(&list[i]),
                                   atr,
                                   abilities(can, &list[i].can)};

            r = table_row(t, cells, e);
        }
    }
    return table_end(&t, r, e);
}

/* Why one cannot be used, and what to do about it: words for people. */
static void print_troubles(const struct reader_info *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].trouble[0] != '\0')
            log_note("reader %zu, \"%s\": %s%s%s", i + 1, list[i].name, list[i].trouble,
                     list[i].remedy[0] != '\0' ? ": " : "", list[i].remedy);
}

static enum tp_err print_doctor(const struct doctor *d, bool json, struct tp_error *e)
{
    static const struct table_column text[] = {
        {"LINK", TABLE_TEXT}, {"STATE", TABLE_TEXT}, {"FOUND", TABLE_TEXT}};
    static const struct table_column keys[] = {
        {"link", TABLE_TEXT}, {"state", TABLE_TEXT}, {"found", TABLE_TEXT}, {"advice", TABLE_TEXT}};
    struct table *t;
    enum tp_err r =
        json ? table_new(&t, "chain", keys, 4, true, e) : table_new(&t, "chain", text, 3, false, e);

    for (enum doctor_link i = DOCTOR_LIBRARY; r == TP_OK && i < DOCTOR_LINKS; i++) {
        const enum doctor_state state = d->links[i].state;
        const bool here = state == DOCTOR_BROKEN ||
                          (i == DOCTOR_CARD && state == DOCTOR_GOOD); /* what the advice is about */
        const char *cells[] = {doctor_link_name(i), doctor_state_name(state),
                               text_or_null(d->links[i].found), here ? d->advice : NULL};

        r = table_row(t, cells, e);
    }
    r = table_end(&t, r, e);
    if (r == TP_OK && !json)
        printf(_("Advice: %s.\n"), d->advice);
    return r;
}

static int doctor(const struct words *w)
{
    struct tp_error e = {0};
    struct doctor d;
    const bool works = doctor_look(&d, w->reader);
    const enum tp_err r = print_doctor(&d, w->json, &e);

    if (r != TP_OK)
        return cli_end(r, &e);
    return works ? CLI_DONE : CLI_NO_CARD;
}

int payer_readers(int argc, char **argv)
{
    static const struct argp argp = {
        options,     parse,
        NULL,        N_("List the card readers, the cards in them and what they can do."),
        table_words, NULL,
        NULL};
    struct words w = {.json = false};
    struct reader_info *list = NULL;
    struct tp_error e = {0};
    size_t n = 0;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    if (w.doctor)
        return doctor(&w);
    r = readers_list(&list, &n, &e);
    e.code = readers_usable(r);
    if (r == TP_OK)
        r = print(list, n, w.json, &e);
    if (r == TP_OK && !w.json)
        print_troubles(list, n);
    free(list);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}
