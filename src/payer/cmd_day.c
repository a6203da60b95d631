/* telepay day: the day's totals here and at the acquirer, and the ticket of the day. */
#include "base/cli.h"
#include "base/date.h"
#include "base/document.h"
#include "base/log.h"
#include "base/text.h"
#include "payer/commands.h"
#include "payer/person.h"
#include "payer/ticket_words.h"

struct words {
    const char *config, *date, *printer;
    bool json, verbose;
};

enum { CONFIG = 0x100, DATE, PRINT };

static const struct argp_option options[] = {
    {"config", CONFIG, "FILE", 0,
     N_("the terminal's configuration, made by telepay-acquirer terminal add"), 0},
    {"date", DATE, "YYYY-MM-DD", 0, N_("another day than today, of the last 30"), 0},
    {"print", PRINT, "DEVICE", 0, PRINT_HELP, 0},
    {"json", 'j', NULL, 0, N_("print JSON instead of the ticket"), 0},
    {"verbose", 'v', NULL, 0, N_("say the messages to and from the acquirer"), 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case CONFIG:
        w->config = arg;
        return 0;
    case DATE:
        w->date = arg;
        return 0;
    case PRINT:
        w->printer = arg;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case 'v':
        w->verbose = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, _("\"%s\" is one word too many"), arg);
        return 0;
    case ARGP_KEY_END:
        if (w->config == NULL)
            argp_error(state, _("--config is missing"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* DE 13 has no year: the acquirer takes the nearest. */
static enum tp_err choose(struct day *d, const char *date, time_t now, struct tp_error *e)
{
    d->date = date_of(now);
    if (date == NULL)
        return TP_OK;
    if (date_parse(&d->date, date) != TP_OK || d->date > date_of(now) ||
        d->date < date_of(now - 30 * 86400))
        return tp_fail(e, TP_ERR_USAGE,
                       "\"%.40s\" is no day of the last 30: write it as 2026-11-29", date);
    return TP_OK;
}

static void tell(void *ctx, const struct receipt *r)
{
    (void)ctx;
    log_note("payment %06u of before: %s%s%s", r->stan, payment_state_name(r->state),
             r->reason[0] != '\0' ? ", " : "", r->reason);
}

/* What waits is delivered first: the totals are of what both sides know. */
static enum tp_err ask(struct day *d, struct deliverer *link, struct journal *j,
                       const struct terminal *t, time_t now, struct tp_error *e)
{
    struct tp_error why = {TP_OK, ""};
    unsigned stan = 0;
    size_t recovered = 0;
    enum tp_err r = journal_recover(j, &recovered, e);

    if (r == TP_OK && deliver_pending(link, j, tell, NULL, &why) != TP_OK)
        log_note("%s", why.text);
    if (r == TP_OK)
        r = day_sum(d, j, e);
    if (r == TP_OK)
        r = journal_next_stan(j, date_of(now), &stan, e);
    return r == TP_OK ? day_ask(d, link, t, stan, now, e) : r;
}

static enum tp_err run(struct day *d, struct terminal **t, const struct words *w,
                       struct tp_error *e)
{
    const struct person_options nobody = {.pin_fd = -1};
    struct journal *j = NULL;
    struct deliverer *link = NULL;
    struct person *p = NULL;
    const time_t now = time(NULL);
    enum tp_err r = choose(d, w->date, now, e);

    if (r == TP_OK)
        r = terminal_load(t, w->config, e);
    if (r == TP_OK)
        r = journal_open(&j, (*t)->journal, e);
    if (r == TP_OK)
        r = person_new(&p, &nobody, e);
    if (r == TP_OK)
        r = deliverer_new(&link, *t, person_stays, p, e);
    if (r == TP_OK)
        r = ask(d, link, j, *t, now, e);
    deliverer_free(&link);
    person_free(&p);
    journal_close(&j);
    return r;
}

static json_t *side(const struct day_totals *t, const struct currency *c)
{
    char debit[MONEY_TEXT_MAX], credit[MONEY_TEXT_MAX], net[MONEY_TEXT_MAX];

    return json_pack(
        "{s:I, s:s, s:I, s:s, s:s, s:s}", "debits", (json_int_t)t->debits, "debit_amount",
        money_format(debit, t->debit_amount, c), "credits", (json_int_t)t->credits, "credit_amount",
        money_format(credit, t->credit_amount, c), "net",
        money_format(net, t->debit_amount - t->credit_amount, c), "currency", c->alpha);
}

static enum tp_err print_json(const struct day *d, const struct terminal *t)
{
    char date[DATE_TEXT_MAX];

    return document_print(
        json_pack("{s:s, s:s, s:s, s:s, s:b, s:I, s:o, s:o}", "day", date_format(date, d->date),
                  "contract", t->kernel.merchant_id, "terminal", t->kernel.terminal_id, "currency",
                  t->currency->alpha, "balanced", d->balanced, "waiting", (json_int_t)d->waiting,
                  "terminal_totals", side(&d->here, t->currency), "acquirer_totals",
                  side(&d->there, t->currency)),
        false);
}

int payer_day(int argc, char **argv)
{
    static const struct argp argp = {
        options,
        parse,
        NULL,
        N_("Add up what this terminal has taken and refunded on a day, compare it with the "
           "acquirer, and print the ticket of the day. Exit 1 when the two differ."),
        NULL,
        NULL,
        NULL};
    struct words w = {0};
    struct tp_error e = {0};
    struct day d = {0};
    struct terminal *t = NULL;
    int code;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    if (w.verbose)
        log_start("telepay", LOG_LEVEL_TRACE, 0);
    r = run(&d, &t, &w, &e);
    if (r == TP_OK && w.json)
        r = print_json(&d, t);
    else if (r == TP_OK)
        ticket_show_day(t, &d);
    code = cli_end(r, &e);
    if (r == TP_OK && ticket_print_day(w.printer, t, &d, &e) != TP_OK)
        log_error("%s", e.text);
    terminal_free(&t);
    return code == CLI_DONE && !d.balanced ? CLI_DECLINED : code;
}
