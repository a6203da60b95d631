/* telepay journal: lists, delivers and shows the payments that this terminal keeps. */
#include <inttypes.h>
#include <string.h>

#include "apdu/emvbits.h"
#include "base/cli.h"
#include "base/date.h"
#include "base/document.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"
#include "payer/commands.h"
#include "payer/deliver.h"
#include "payer/person.h"
#include "payer/ticket_words.h"
#include "store/upgrade.h"

struct words {
    const char *config;
    const char *payment;                        /* journal show */
    const char *since, *until, *amount, *state; /* journal list */
    struct ticket_wish ticket;                  /* journal show */
    bool json, wants_payment, verbose, yes;
};

enum { CONFIG = 0x100, YES, SINCE, UNTIL, AMOUNT, STATE };

static const struct argp_option options[] = {
    {"config", CONFIG, "FILE", 0, N_("the terminal's configuration, which names the journal"), 0},
    {"json", 'j', NULL, 0, N_("print JSON"), 0},
    {"verbose", 'v', NULL, 0, N_("say the messages to and from the acquirer"), 0},
    {0},
};

static const struct argp_option list_options[] = {
    {"config", CONFIG, "FILE", 0, N_("the terminal's configuration, which names the journal"), 0},
    {"since", SINCE, "YYYY-MM-DD", 0, N_("only those of that day and later"), 0},
    {"until", UNTIL, "YYYY-MM-DD", 0, N_("only those of that day and before"), 0},
    {"amount", AMOUNT, "AMOUNT", 0, N_("only those of that amount: 12.50"), 0},
    {"state", STATE, "STATE", 0,
     N_("only those declined, signed, acknowledged, refused, asked, to-be-reversed, reversed or "
        "not-reversed"),
     0},
    {"json", 'j', NULL, 0, N_("print JSON"), 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        if (w->wants_payment)
            state->child_inputs[0] = &w->ticket;
        return 0;
    case CONFIG:
        w->config = arg;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case YES:
        w->yes = true;
        return 0;
    case SINCE:
        w->since = arg;
        return 0;
    case UNTIL:
        w->until = arg;
        return 0;
    case AMOUNT:
        w->amount = arg;
        return 0;
    case STATE:
        w->state = arg;
        return 0;
    case 'v':
        w->verbose = true;
        return 0;
    case ARGP_KEY_ARG:
        if (!w->wants_payment || w->payment != NULL)
            argp_error(state, _("\"%s\" is one word too many"), arg);
        w->payment = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->config == NULL)
            argp_error(state, _("--config is missing"));
        if (w->wants_payment && w->payment == NULL)
            argp_error(state, _("say which payment: its reference (RRN) or number, which stand in "
                                "telepay journal list, or \"last\""));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Words, terminal and journal: what each of the four begins with. */
static enum tp_err begin(struct words *w, struct terminal **t, struct journal **j,
                         const struct argp_option *own, const char *arguments, const char *what,
                         int argc, char **argv, struct tp_error *e)
{
    static const struct argp_child children[] = {{&ticket_words, 0, NULL, 0}, {0}};
    const struct argp argp = {
        own, parse, arguments, what, w->wants_payment ? children : table_words, NULL, NULL};
    enum tp_err r;

    *t = NULL;
    *j = NULL;
    cli_parse(&argp, argc, argv, w);
    if (w->verbose)
        log_start("telepay", LOG_LEVEL_TRACE, 0);
    r = terminal_load(t, w->config, e);
    return r == TP_OK ? journal_open(j, (*t)->journal, e) : r;
}

static int end(struct terminal **t, struct journal **j, enum tp_err r, struct tp_error *e)
{
    journal_close(j);
    terminal_free(t);
    return cli_end(r, e);
}

static const struct table_column payment_heads[] = {
    {"TIME", TABLE_TEXT},      {"NUMBER", TABLE_TEXT},
    {"REFERENCE", TABLE_TEXT}, {"AMOUNT", TABLE_RIGHT},
    {"CURRENCY", TABLE_TEXT},  {"CARD", TABLE_TEXT | TABLE_LESSER},
    {"STATE", TABLE_TEXT},     {"REASON", TABLE_WORDS | TABLE_LESSER}};
static const struct table_column payment_keys[] = {
    {"local_time", TABLE_TIME}, {"stan", TABLE_TEXT},     {"rrn", TABLE_TEXT},
    {"amount", TABLE_RIGHT},    {"currency", TABLE_TEXT}, {"pan_masked", TABLE_TEXT},
    {"state", TABLE_TEXT},      {"reason", TABLE_TEXT}};

#define PAYMENT_COLUMNS (sizeof(payment_keys) / sizeof(payment_keys[0]))

static bool list_row(void *ctx, const struct receipt *r)
{
    char when[DATE_TEXT_MAX + 16], amount[MONEY_TEXT_MAX], day[DATE_TEXT_MAX], stan[12];

    snprintf(when, sizeof(when), "%s %02d:%02d:%02d", date_format(day, r->date), r->time / 10000,
             r->time / 100 % 100, r->time % 100);
    snprintf(stan, sizeof(stan), "%06u", r->stan);
    const char *cells[] = {
        when,
        stan,
        r->rrn,
        money_shown(amount, r->type == TYPE_REFUND ? -r->amount : r->amount, r->currency),
        currency_shown(r->currency),
        r->pan,
        payment_state_name(r->state),
        r->reason};

    return table_row(ctx, cells, NULL) == TP_OK;
}

static enum tp_err read_day(int *out, const char *option, const char *text, struct tp_error *e)
{
    return text == NULL || date_parse(out, text) == TP_OK
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE, "%s takes a day, as 2026-11-29, not \"%.40s\"", option,
                         text);
}

static enum tp_err read_filter(struct journal_filter *f, const struct words *w,
                               const struct currency *c, struct tp_error *e)
{
    enum tp_err r = read_day(&f->since, "--since", w->since, e);

    if (r == TP_OK)
        r = read_day(&f->until, "--until", w->until, e);
    if (r == TP_OK && w->amount != NULL)
        r = money_parse(&f->amount, c, w->amount, e);
    if (r == TP_OK && w->state != NULL)
        r = payment_state_parse(&f->state, w->state, e);
    return r;
}

int payer_journal(int argc, char **argv)
{
    struct words w = {0};
    struct tp_error e = {0};
    struct table *table = NULL;
    struct terminal *t;
    struct journal *j;
    struct journal_filter which = JOURNAL_ALL;
    enum tp_err r =
        begin(&w, &t, &j, list_options, NULL,
              N_("List the payments that were begun here, the newest first."), argc, argv, &e);

    if (r == TP_OK)
        r = read_filter(&which, &w, t->currency, &e);
    if (r == TP_OK)
        r = table_new(&table, "payments", w.json ? payment_keys : payment_heads, PAYMENT_COLUMNS,
                      w.json, &e);
    if (r == TP_OK)
        r = journal_list(j, which, list_row, table, &e);
    r = table_end(&table, r, &e);
    return end(&t, &j, r, &e);
}

int payer_journal_show(int argc, char **argv)
{
    struct words w = {.wants_payment = true};
    struct tp_error e = {0};
    struct receipt receipt;
    struct terminal *t;
    struct journal *j;
    int64_t id = 0;
    enum tp_err r = begin(&w, &t, &j, options, "PAYMENT",
                          N_("Print the receipt of one payment again, as a copy: of its reference "
                             "(RRN) or number, or the last."),
                          argc, argv, &e);

    if (r == TP_OK)
        r = journal_find(j, w.payment, false, &id, &receipt, &e);
    receipt.copy = true;
    if (r == TP_OK && w.json)
        r = document_print(receipt_shown(&receipt), false);
    else if (r == TP_OK)
        ticket_show(&w.ticket, t, &receipt);
    if (r == TP_OK)
        r = ticket_print(&w.ticket, t, &receipt, false, &e);
    return end(&t, &j, r, &e);
}

static bool day_row(void *ctx, const struct journal_day *d)
{
    const bool counts = payment_counts(d->state);
    char day[DATE_TEXT_MAX], count[24], amount[MONEY_TEXT_MAX], debits[MONEY_TEXT_MAX],
        credits[MONEY_TEXT_MAX];

    snprintf(count, sizeof(count), "%" PRId64, d->count);
    const char *cells[] = {date_format(day, d->date),
                           payment_state_name(d->state),
                           count,
                           money_shown(amount, d->debits - d->credits, d->currency),
                           money_shown(debits, counts ? d->debits : 0, d->currency),
                           money_shown(credits, counts ? d->credits : 0, d->currency),
                           currency_shown(d->currency)};

    return table_row(ctx, cells, NULL) == TP_OK;
}

int payer_journal_days(int argc, char **argv)
{
    static const struct table_column text[] = {{"DAY", TABLE_TEXT},     {"STATE", TABLE_TEXT},
                                               {"COUNT", TABLE_NUMBER}, {"AMOUNT", TABLE_RIGHT},
                                               {"PAID", TABLE_RIGHT},   {"REFUNDED", TABLE_RIGHT},
                                               {"CURRENCY", TABLE_TEXT}};
    static const struct table_column keys[] = {
        {"day", TABLE_TEXT},     {"state", TABLE_TEXT},        {"payment_count", TABLE_NUMBER},
        {"amount", TABLE_RIGHT}, {"paid_amount", TABLE_RIGHT}, {"refunded_amount", TABLE_RIGHT},
        {"currency", TABLE_TEXT}};
    struct words w = {0};
    struct tp_error e = {0};
    struct table *table = NULL;
    struct terminal *t;
    struct journal *j;
    enum tp_err r =
        begin(&w, &t, &j, options, NULL,
              N_("Add up the payments of each day, by state and currency."), argc, argv, &e);

    if (r == TP_OK)
        r = table_new(&table, "days", w.json ? keys : text, sizeof(text) / sizeof(text[0]), w.json,
                      &e);
    if (r == TP_OK)
        r = journal_days(j, day_row, table, &e);
    r = table_end(&table, r, &e);
    return end(&t, &j, r, &e);
}

struct sending {
    struct table *table;
    size_t n, refused;
};

/* A refused payment was signed and is not paid: whoever sends must hear of it. */
static void tell(void *ctx, const struct receipt *r)
{
    struct sending *s = ctx;
    char amount[MONEY_TEXT_MAX];

    s->n++;
    (void)list_row(s->table, r);
    if (r->state != PAYMENT_REFUSED)
        return;
    s->refused++;
    log_error("payment %06u of %s %s with card %s is refused, and nothing of it is paid: %s",
              r->stan, money_shown(amount, r->amount, r->currency), currency_shown(r->currency),
              r->pan, r->reason);
}

static enum tp_err send_all(const struct terminal *t, struct journal *j, struct sending *s,
                            struct tp_error *e)
{
    const struct person_options nobody = {.pin_fd = -1};
    struct deliverer *d = NULL;
    struct person *p = NULL;
    struct tp_error ignored;
    size_t left;
    enum tp_err r = person_new(&p, &nobody, e);

    if (r == TP_OK)
        r = deliverer_new(&d, t, person_stays, p, e);
    if (r == TP_OK)
        r = deliver_pending(d, j, tell, s, e);
    if (r != TP_OK && journal_count_pending(j, &left, &ignored) == TP_OK && left > 0)
        tp_error_prefix(
            e,
            ngettext("%zu signed payment, or reversal, is kept and not delivered yet",
                     "%zu signed payments, or reversals, are kept and not delivered yet", left),
            left);
    deliverer_free(&d);
    person_free(&p);
    return r;
}

int payer_journal_send(int argc, char **argv)
{
    struct words w = {0};
    struct tp_error e = {0};
    struct sending s = {0};
    struct terminal *t;
    struct journal *j;
    size_t pending = 0, recovered = 0;
    enum tp_err r = begin(&w, &t, &j, options, NULL,
                          N_("Deliver what is signed but not yet acknowledged, and list what was "
                             "delivered. Exit 1 when a payment of it is refused."),
                          argc, argv, &e),
                printed;

    if (r == TP_OK)
        r = journal_recover(j, &recovered, &e);
    if (r == TP_OK)
        r = journal_count_pending(j, &pending, &e);
    if (r == TP_OK)
        r = table_new(&s.table, "payments", w.json ? payment_keys : payment_heads, PAYMENT_COLUMNS,
                      w.json, &e);
    if (r == TP_OK && pending > 0)
        r = send_all(t, j, &s, &e);
    if (s.table != NULL && (pending > 0 || w.json)) {
        printed = table_end(&s.table, w.json && s.n == 0 ? r : TP_OK, &e);
        r = r == TP_OK ? printed : r;
    } else if (r == TP_OK)
        log_note("everything is delivered");
    table_free(&s.table);
    const int done = end(&t, &j, r, &e);

    return done == CLI_DONE && s.refused > 0 ? CLI_DECLINED : done;
}

int payer_journal_upgrade(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"config", CONFIG, "FILE", 0, N_("the terminal's configuration, which names the journal"),
         0},
        {"yes", YES, NULL, 0, N_("do it without asking"), 0},
        {0},
    };
    static const struct argp argp = {
        own,  parse, NULL, N_("Bring up a journal that an older version made, after a copy."),
        NULL, NULL,  NULL};
    struct words w = {0};
    struct tp_error e = {0};
    struct terminal *t = NULL;
    struct journal *none = NULL;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = terminal_load(&t, w.config, &e);
    if (r == TP_OK)
        r = db_upgrade_asking(t->journal, &journal_schema, w.yes, &e);
    return end(&t, &none, r, &e);
}
