/* telepay identify: who asks, for a page in a browser; and how one is called at a mediator. */
#include <stdio.h>
#include <string.h>

#include "base/cli.h"
#include "base/date.h"
#include "base/text.h"
#include "payer/address.h"
#include "payer/card_words.h"
#include "payer/commands.h"
#include "payer/identity.h"
#include "payer/order_words.h"

#define PATH        "/identity/"
#define SECONDS_MAX 86400

struct words {
    struct checkout_options checkout;
    struct pay_options card;
    const char *url, *at;
    bool agreed, by_card;
};

enum { IDENTIFY = 0x100, AT, CARD, READER, WAIT, LIVE };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;
    struct tp_error e = {TP_OK, ""};
    int64_t seconds = 0;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &w->checkout;
        return 0;
    case IDENTIFY:
        w->agreed = true;
        return 0;
    case AT:
        w->at = arg;
        return 0;
    case CARD:
        w->by_card = true;
        return 0;
    case READER:
        w->card.reader = arg;
        return 0;
    case WAIT:
        if (cli_number(&seconds, "--wait", arg, SECONDS_MAX, &e) != TP_OK)
            argp_error(state, "%s", e.text);
        w->card.wait_ms = 1000 * (int)seconds;
        return 0;
    case LIVE:
        w->card.allow_live_card = true;
        return 0;
    case ARGP_KEY_ARG:
        if (w->url != NULL)
            argp_error(state, _("\"%s\" is one word too many"), arg);
        w->url = arg;
        return 0;
    case ARGP_KEY_END:
        if ((w->url == NULL) == (w->at == NULL))
            argp_error(state, _("say which request, as the page has it: https://…/identity/…; or "
                                "--at a mediator"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static enum tp_err print_name(const struct words *w, struct fetch *f, struct tp_error *e)
{
    char origin[DEMAND_ORIGIN], name[44];
    struct checkout c = {0};
    enum tp_err r = address_origin(origin, sizeof(origin), w->at, e);

    if (r == TP_OK)
        r = checkout_open(&c, &w->checkout, f, e);
    if (r == TP_OK)
        r = identity_name(name, &c, origin, e);
    if (r == TP_OK && (puts(name) == EOF || fflush(stdout) != 0))
        r = tp_fail(e, TP_ERR_IO, "standard output: %s", strerror(errno));
    checkout_close(&c);
    return r;
}

static enum tp_err answer(const struct words *w, struct fetch *f, struct tp_error *e)
{
    const struct identity_options options = {.checkout = &w->checkout,
                                             .person = &w->card.person,
                                             .card = &w->card,
                                             .agreed = w->agreed,
                                             .anew = true,
                                             .by_card = w->by_card};
    const char *path = strstr(w->url, PATH);
    char origin[DEMAND_ORIGIN], whole[DEMAND_ORIGIN + 64], until[TIME_TEXT_MAX];
    struct identity_told told;
    enum tp_err r = address_origin(origin, sizeof(origin), w->url, e);

    if (r == TP_OK && path != NULL)
        snprintf(whole, sizeof(whole), "%s" PATH "%.26s", origin, path + strlen(PATH));
    if (r == TP_OK && (path == NULL || strcmp(whole, w->url) != 0))
        r = tp_fail(e, TP_ERR_USAGE, "%.200s is no request to say who you are", w->url);
    if (r == TP_OK)
        r = address_may_pay(w->url, e);
    if (r == TP_OK)
        r = identity_tell(&told, f, origin, path + strlen(PATH), &options, e);
    if (r == TP_OK)
        printf(_("the service %s at %s knows you as %s until %s\n"), told.service,
               strstr(origin, "://") + 3, told.user, time_shown(until, told.until));
    return r;
}

int payer_identify(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"identify", IDENTIFY, NULL, 0, N_("say it unasked"), 0},
        {"at", AT, "URL", 0,
         N_("print how your key is called at that mediator, and ask nobody: for who is to know it "
            "before"),
         0},
        {"card", CARD, NULL, 0,
         N_("by the card in the reader, which signs that, in place of your key; no PIN is asked, "
            "and nothing is paid"),
         0},
        {"reader", READER, "NAME|NUMBER", 0,
         N_("the reader whose name contains NAME, or its NUMBER in the list; else the first with a "
            "card"),
         0},
        {"wait", WAIT, "SECONDS", 0, N_("how long to wait for a card [60]"), 0},
        {"allow-live-card", LIVE, NULL, 0,
         N_("let a card of a live scheme sign; else such a card is only read"), 0},
        {0}};
    static const struct argp_child children[] = {{&asking_words, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        options,
        parse,
        N_("[URL]"),
        N_("Say who you are to a service that wants to know, as the page asks for it: your key "
           "signs the request, or your bank card where you or the service want it so, and the page "
           "goes on. The service is told a name that is yours at its mediator alone."),
        children,
        NULL,
        NULL};
    struct words w = {.checkout = ORDER_WORDS_NONE, .card = CARD_WORDS_NONE};
    struct fetch_options fetch_options = {0};
    struct fetch *fetch = NULL;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    fetch_options.cacert = w.checkout.cacert;
    r = fetch_new(&fetch, &fetch_options, &e);
    if (r == TP_OK)
        r = w.at != NULL ? print_name(&w, fetch, &e) : answer(&w, fetch, &e);
    fetch_free(&fetch);
    return cli_end(r, &e);
}
