/* telepay-perso card: makes one card. */
#include "simcard/perso_commands.h"

#include <stdio.h>

#include "base/cli.h"
#include "base/date.h"
#include "base/text.h"
#include "simcard/perso_options.h"

enum { OPT_PAN = 256 };

struct wanted {
    struct perso_wanted card;
    const char *dir;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct wanted *w = state->input;

    switch (key) {
    case OPT_PAN:
        w->card.params.pan = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (w->dir != NULL)
            argp_usage(state);
        w->dir = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->dir == NULL)
            argp_error(state, _("name the folder to make"));
        perso_options_complete(&w->card, state);
        return 0;
    default:
        return perso_options_parse(&w->card, key, arg, state);
    }
}

int perso_card(int argc, char **argv)
{
    struct argp_option options[1 + PERSO_OPTIONS_MAX + 1] = {
        {"pan", OPT_PAN, "DIGITS", 0, N_("card number"), 0}};
    const struct argp argp = {
        options,   parse,
        N_("DIR"), N_("Makes a card in the folder DIR; telepay-simcard DIR puts it into a reader."),
        NULL,      NULL,
        NULL};
    struct wanted w = {.dir = NULL};
    struct scheme *s = NULL;
    struct card_profile *card = NULL;
    struct tp_error e;
    char pan[PAN_TEXT_MAX], expiry[DATE_TEXT_MAX];
    enum tp_err r;

    perso_options_table(options, 1);
    perso_wanted_start(&w.card, true);
    cli_parse(&argp, argc, argv, &w);
    r = scheme_load(&s, w.card.scheme, &e);
    if (r == TP_OK)
        r = perso_make(&card, s, &w.card.params, &e);
    if (r == TP_OK)
        r = perso_save(card, w.dir, &e);
    if (r == TP_OK)
        printf(_("card %s: %s, %s, good until %s\n"), w.dir, mask_pan(pan, w.card.params.pan),
               w.card.params.name, date_format(expiry, w.card.params.expiry));
    profile_free(&card);
    scheme_free(&s);
    perso_wanted_end(&w.card);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}
