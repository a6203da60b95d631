/* telepay-perso cards: makes a folder of many. */
#include "simcard/perso_commands.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/date.h"
#include "base/text.h"
#include "simcard/perso_many.h"
#include "simcard/perso_options.h"

#define SHOWN_EVERY_MS 200

enum { OPT_PAN_FROM = 256, OPT_COUNT, OPT_THREADS };

struct wanted {
    struct perso_wanted card;
    struct perso_many many;
    int64_t started, shown;
    bool terminal; /* somebody watches */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct wanted *w = state->input;

    switch (key) {
    case OPT_PAN_FROM:
        w->many.pan_from = arg;
        return 0;
    case OPT_COUNT:
        w->many.count = perso_number(state, "count", arg, 1, PERSO_CARDS_MAX);
        return 0;
    case OPT_THREADS:
        w->many.threads = perso_number(state, "threads", arg, 1, PERSO_THREADS_MAX);
        return 0;
    case ARGP_KEY_ARG:
        if (w->many.dir != NULL)
            argp_usage(state);
        w->many.dir = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->many.dir == NULL)
            argp_error(state, _("name the folder to put the cards in"));
        if (w->many.count == 0 || w->many.pan_from == NULL)
            argp_error(state, _("--count and --pan-from are needed"));
        perso_options_complete(&w->card, state);
        return 0;
    default:
        return perso_options_parse(&w->card, key, arg, state);
    }
}

static double rate(const struct wanted *w, unsigned made)
{
    const int64_t ms = time_monotonic_ms() - w->started;

    return 1000.0 * made / (double)(ms > 0 ? ms : 1);
}

static void show(void *ctx, unsigned done, unsigned count)
{
    struct wanted *w = ctx;
    const int64_t now = time_monotonic_ms();

    if (!w->terminal || (done < count && now - w->shown < SHOWN_EVERY_MS))
        return;
    w->shown = now;
    fprintf(stderr, "\r%u of %u cards, %.1f a second\033[K%s", done, count, rate(w, w->many.made),
            done == count ? "\n" : "");
}

int perso_cards(int argc, char **argv)
{
    struct argp_option options[3 + PERSO_OPTIONS_MAX + 1] = {
        {"count", OPT_COUNT, "N", 0, N_("how many cards"), 0},
        {"pan-from", OPT_PAN_FROM, "DIGITS", 0,
         N_("number of the first card; the others count up, each with its check digit"), 0},
        {"threads", OPT_THREADS, "N", 0, N_("threads that make keys [one a core]"), 0},
    };
    const struct argp argp = {
        options,
        parse,
        N_("DIR"),
        N_("Makes many cards, in DIR/000001 and so on, alike but for number and keys. Cards that "
           "are there already are left: a run that was cut off can be done again. telepay-simcard "
           "puts them into a reader one after the other."),
        NULL,
        NULL,
        NULL};
    struct wanted w = {.terminal = isatty(STDERR_FILENO) == 1};
    struct scheme *s = NULL;
    struct tp_error e;
    enum tp_err r;

    perso_options_table(options, 3);
    perso_wanted_start(&w.card, false);
    cli_parse(&argp, argc, argv, &w);
    w.many.progress = show;
    w.many.ctx = &w;
    r = scheme_load(&s, w.card.scheme, &e);
    w.started = time_monotonic_ms();
    if (r == TP_OK)
        r = perso_make_many(&w.many, s, &w.card.params, &e);
    if (r == TP_OK)
        printf(_("cards %s: %u made, %.1f a second; %u were there\n"), w.many.dir, w.many.made,
               rate(&w, w.many.made), w.many.there);
    scheme_free(&s);
    perso_wanted_end(&w.card);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}
