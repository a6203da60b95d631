/* telepay-acquirer opposition add | list | remove */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquirer/commands.h"
#include "acquirer/option.h"
#include "base/mask.h"
#include "base/text.h"

struct words {
    const char *dir, *fd, *reason;
    bool json, any_check_digit;
};

enum { KEY_FD = 256, KEY_ANY_CHECK_DIGIT };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case 'd':
        w->dir = arg;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case 'r':
        w->reason = arg;
        return 0;
    case KEY_FD:
        w->fd = arg;
        return 0;
    case KEY_ANY_CHECK_DIGIT:
        w->any_check_digit = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, _("a card number must not be an argument, which others can see: give it "
                            "on standard input or by --pan-fd"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* A number that is mistyped would leave the lost card on no list. One that is to be taken off may
 * be of any kind. */
static enum tp_err read_pan(char pan[PAN_TEXT_MAX], const struct words *w, bool checked,
                            struct tp_error *e)
{
    const enum tp_err r =
        cli_digits(pan, 8, PAN_MAX, "card number", w->fd, "type the card number:", false, e);

    if (r == TP_OK && checked && !pan_valid(pan))
        return tp_fail(e, TP_ERR_USAGE,
                       "the check digit of that card number is wrong, so nothing was added: look "
                       "at it again (--any-check-digit takes it as it is)");
    return r;
}

struct opposing {
    struct ledger *l;
    struct seal *seal;
    struct tp_error e;
    char masked[PAN_TEXT_MAX];
    uint8_t lookup[SEAL_LOOKUP];
};

static enum tp_err start(struct opposing *o, const struct words *w, bool checked)
{
    char dir[PATH_MAX], pan[PAN_TEXT_MAX];
    enum tp_err r = option_open(&o->l, dir, w->dir, &o->e);

    if (r == TP_OK)
        r = seal_open_dir(&o->seal, dir, &o->e);
    if (r == TP_OK)
        r = read_pan(pan, w, checked, &o->e);
    if (r != TP_OK)
        return r;
    mask_pan(o->masked, pan);
    r = seal_lookup(o->seal, o->lookup, span_str(pan));
    secret_wipe(pan, sizeof(pan));
    return r == TP_OK ? r : tp_fail(&o->e, r, "cannot look up the card number: %s", tp_err_text(r));
}

static int end(struct opposing *o, enum tp_err r, const char *what)
{
    seal_free(&o->seal);
    ledger_close(&o->l);
    if (r != TP_OK)
        return cli_report(&o->e);
    printf(_("card %s is %s\n"), o->masked, what);
    return CLI_DONE;
}

int acquirer_opposition_add(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"reason", 'r', "REASON", 0, N_("lost or stolen"), 0},
        {"pan-fd", KEY_FD, "N", 0, N_("Read the card number from this descriptor [standard input]"),
         0},
        {"any-check-digit", KEY_ANY_CHECK_DIGIT, NULL, 0,
         N_("Take a card number whose last digit is not its check digit"), 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {options,
                                     parse,
                                     NULL,
                                     N_("Put a card on the opposition list: its payments are "
                                        "refused (41, 43). The number is read, never an argument."),
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {0};
    struct opposing o = {0};
    enum tp_err r = TP_OK;

    cli_parse(&argp, argc, argv, &w);
    if (w.reason == NULL || (strcmp(w.reason, "lost") != 0 && strcmp(w.reason, "stolen") != 0))
        r = tp_fail(&o.e, TP_ERR_USAGE, "say --reason lost or --reason stolen");
    if (r == TP_OK)
        r = start(&o, &w, !w.any_check_digit);
    if (r == TP_OK)
        r = ledger_opposition_add(o.l, SPAN_OF(o.lookup), o.masked, strcmp(w.reason, "stolen") == 0,
                                  &o.e);
    return end(&o, r, "on the opposition list");
}

int acquirer_opposition_remove(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"pan-fd", KEY_FD, "N", 0, N_("Read the card number from this descriptor [standard input]"),
         0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {
        options, parse, NULL, N_("Take a card off the opposition list."), NULL, NULL, NULL};
    struct words w = {0};
    struct opposing o = {0};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = start(&o, &w, false);
    if (r == TP_OK)
        r = ledger_opposition_remove(o.l, SPAN_OF(o.lookup), &o.e);
    return end(&o, r, "off the opposition list");
}

static enum tp_err list_row(void *ctx, const struct opposition *o, struct tp_error *e)
{
    char when[TIME_TEXT_MAX];
    const char *const cells[] = {o->pan_masked, o->stolen ? "stolen" : "lost",
                                 time_shown(when, o->since)};

    return table_row(ctx, cells, e);
}

int acquirer_opposition_list(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {options,     parse, NULL, N_("List the cards in opposition."),
                                     table_words, NULL,  NULL};
    static const struct table_column columns[] = {
        {"pan_masked", TABLE_TEXT}, {"reason", TABLE_WORDS}, {"since", TABLE_TIME}};
    struct words w = {0};
    struct listing list = {0};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = listing_start(&list, w.dir, "oppositions", columns, sizeof(columns) / sizeof(columns[0]),
                      w.json);
    if (r == TP_OK)
        r = ledger_opposition_each(list.l, list_row, list.table, &list.e);
    return listing_end(&list, r);
}
