/* telepay-issuer script queue | list */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/text.h"
#include "crypto/pinblock.h"
#include "issuer/commands.h"
#include "issuer/option.h"
#include "issuer/scripts.h"

#define DATA_MAX                                                                                   \
    88 /* bytes: with secure messaging and templates around them they still fit the 128 that a     \
          terminal takes */

enum { KEY_PIN_FD = OPTION_KEY_OWN, KEY_TAG, KEY_SFI, KEY_RECORD, KEY_DATA, KEY_BEFORE };

struct words {
    struct card_words card;
    const char *dir, *what, *pin_fd, *tag, *sfi, *record, *data;
    bool before, json;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    if (option_card(&w->card, key, arg))
        return 0;
    switch (key) {
    case 'd':
        w->dir = arg;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case KEY_PIN_FD:
        w->pin_fd = arg;
        return 0;
    case KEY_TAG:
        w->tag = arg;
        return 0;
    case KEY_SFI:
        w->sfi = arg;
        return 0;
    case KEY_RECORD:
        w->record = arg;
        return 0;
    case KEY_DATA:
        w->data = arg;
        return 0;
    case KEY_BEFORE:
        w->before = true;
        return 0;
    case ARGP_KEY_ARG:
        if (w->what != NULL)
            return ARGP_ERR_UNKNOWN;
        w->what = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static enum tp_err unknown_kind(const char *what, struct tp_error *e)
{
    char names[256] = "";
    size_t n = 0;

    for (size_t i = 0; script_kind_at(i) != NULL; i++)
        n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", i > 0 ? ", " : "",
                              script_kind_at(i)->name);
    return what == NULL ? tp_fail(e, TP_ERR_USAGE, "name the script: %s", names)
                        : tp_fail(e, TP_ERR_USAGE, "\"%.40s\" is no script: %s", what, names);
}

/* P1 and P2 of PUT DATA are the tag; of UPDATE RECORD the record and its file (ISO/IEC
 * 7816-4, 7.3.3). */
static enum tp_err take_place(struct script *s, const struct words *w, struct tp_error *e)
{
    struct buf p1p2 = {s->head + 2, 0, 2};
    int64_t sfi = 0, record = 0;
    enum tp_err r;

    if (strcmp(s->what, "put-data") == 0) {
        if (w->tag == NULL || strlen(w->tag) != 4 || hex_decode(&p1p2, w->tag) != TP_OK)
            return tp_fail(e, TP_ERR_USAGE,
                           "put-data needs --tag with the four digits of a tag, as 9F58");
        return TP_OK;
    }
    if (w->sfi == NULL || w->record == NULL)
        return tp_fail(e, TP_ERR_USAGE, "update-record needs --sfi and --record");
    r = cli_number(&sfi, "--sfi", w->sfi, 30, e);
    if (r == TP_OK)
        r = cli_number(&record, "--record", w->record, 254, e);
    if (r == TP_OK && (sfi == 0 || record == 0))
        r = tp_fail(e, TP_ERR_USAGE, "files and records are counted from 1");
    s->head[2] = (uint8_t)record;
    s->head[3] = (uint8_t)(sfi << 3 | 4);
    return r;
}

static enum tp_err seal_data(struct office *o, struct script *s, struct span plain,
                             struct tp_error *e)
{
    struct buf sealed = BUF_OF(s->sealed);
    const enum tp_err r = seal_close(o->seal, &sealed, plain, span_str("script"));

    s->sealed_n = sealed.n;
    return r == TP_OK ? r : tp_fail(e, r, "cannot seal the script: %s", tp_err_text(r));
}

static enum tp_err take_data(struct office *o, struct script *s, const struct words *w,
                             struct tp_error *e)
{
    uint8_t room[DATA_MAX];
    struct buf data = BUF_OF(room);
    enum tp_err r = take_place(s, w, e);

    if (r != TP_OK)
        return r;
    if (w->data == NULL || hex_decode(&data, w->data) != TP_OK || data.n == 0)
        return tp_fail(e, TP_ERR_USAGE, "%s needs --data with 1 to %d bytes in hexadecimal digits",
                       s->what, DATA_MAX);
    return seal_data(o, s, buf_span(&data), e);
}

static enum tp_err take_pin(struct office *o, struct script *s, const struct words *w,
                            struct tp_error *e)
{
    char pin[PIN_MAX + 1] = "";
    enum tp_err r;

    r = cli_digits(pin, PIN_MIN, PIN_MAX, "PIN", w->pin_fd, "type the new PIN:", true, e);
    if (r == TP_OK)
        r = seal_data(o, s, span_str(pin), e);
    secret_wipe(pin, sizeof(pin));
    return r;
}

static enum tp_err queue(struct office *o, struct script *s, const struct words *w,
                         struct tp_error *e)
{
    const struct script_kind *kind = w->what != NULL ? script_kind(w->what) : NULL;
    char pan[PAN_TEXT_MAX] = "";
    struct account a;
    unsigned psn = 0;
    enum tp_err r;

    if (kind == NULL)
        return unknown_kind(w->what, e);
    if (kind->pin && w->pin_fd == NULL && w->card.pan == NULL && w->card.pan_fd == NULL)
        return tp_fail(e, TP_ERR_USAGE,
                       "card number and PIN cannot both be read from standard input: give --pan-fd "
                       "or --pin-fd");
    snprintf(s->what, sizeof(s->what), "%s", kind->name);
    memcpy(s->head, kind->head, sizeof(s->head));
    s->template = w->before ? 0x71 : 0x72;
    s->encipher = kind->pin;
    r = office_card(o, &w->card, pan, &psn, &a, e);
    secret_wipe(pan, sizeof(pan));
    if (r != TP_OK)
        return r;
    s->account = a.key;
    memcpy(s->masked, a.masked, sizeof(s->masked));
    if (kind->pin)
        r = take_pin(o, s, w, e);
    else if (kind->data)
        r = take_data(o, s, w, e);
    return r == TP_OK ? book_script_queue(o->book, s, e) : r;
}

int issuer_script_queue(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_PAN,
        OPTION_PAN_FD,
        OPTION_PSN,
        {"pin-fd", KEY_PIN_FD, "N", 0,
         N_("change-pin: read the new PIN from this descriptor [standard input]"), 0},
        {"tag", KEY_TAG, "HEX", 0, N_("put-data: the tag, as 9F58"), 0},
        {"sfi", KEY_SFI, "N", 0, N_("update-record: the file"), 0},
        {"record", KEY_RECORD, "N", 0, N_("update-record: the record"), 0},
        {"data", KEY_DATA, "HEX", 0, N_("put-data, update-record: the new value"), 0},
        {"before", KEY_BEFORE, NULL, 0,
         N_("Run before the card's last word (template 71), not after it (72)"), 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {
        options,
        parse,
        N_("WHAT"),
        N_("Send a command to a card with the next answer it gets.\vWHAT is block-application, "
           "unblock-application, block-card, unblock-pin, change-pin, put-data or update-record."),
        NULL,
        NULL,
        NULL};
    struct words w = {0};
    struct office o = {.book = NULL};
    struct script s = {.id = 0};
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = office_open(&o, w.dir, &e);
    if (r == TP_OK)
        r = queue(&o, &s, &w, &e);
    office_close(&o);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("script %u (%s) waits for card %s\n"), s.id, s.what, s.masked);
    return CLI_DONE;
}

static enum tp_err list_row(void *ctx, const struct script *s, struct tp_error *e)
{
    char id[16], deliveries[16], head[9], queued[TIME_TEXT_MAX], delivered[TIME_TEXT_MAX],
        settled[TIME_TEXT_MAX];

    snprintf(id, sizeof(id), "%u", s->id);
    snprintf(deliveries, sizeof(deliveries), "%u", s->deliveries);
    const char *const cells[] = {id,
                                 s->masked,
                                 s->what,
                                 hex_encode(head, SPAN_OF(s->head)),
                                 s->template == 0x71 ? "71" : "72",
                                 script_state_name[s->state],
                                 deliveries,
                                 time_shown(queued, s->queued),
                                 time_shown(delivered, s->delivered),
                                 time_shown(settled, s->settled)};

    return table_row(ctx, cells, e);
}

int issuer_script_list(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {
        options,     parse, NULL, N_("List the scripts and what became of them."),
        table_words, NULL,  NULL};
    static const struct table_column columns[] = {{"script", TABLE_NUMBER},
                                                  {"pan_masked", TABLE_TEXT},
                                                  {"what", TABLE_WORDS},
                                                  {"command", TABLE_WORDS | TABLE_LESSER},
                                                  {"template", TABLE_TEXT | TABLE_LESSER},
                                                  {"state", TABLE_TEXT},
                                                  {"deliveries", TABLE_NUMBER | TABLE_LESSER},
                                                  {"queued", TABLE_TIME | TABLE_LESSER},
                                                  {"last_delivery", TABLE_TIME | TABLE_LESSER},
                                                  {"settled", TABLE_TIME | TABLE_LESSER}};
    struct words w = {0};
    struct listing l = {.table = NULL};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = listing_start(&l, w.dir, "scripts", columns, sizeof(columns) / sizeof(columns[0]), w.json);
    if (r == TP_OK)
        r = book_script_each(l.office.book, list_row, l.table, &l.e);
    return listing_end(&l, r);
}
