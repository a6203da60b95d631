/* telepay-mediator dispute list | show | answer | ask-evidence | settle | refuse. */
#include <argp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/document.h"
#include "base/log.h"
#include "base/text.h"
#include "base/word.h"
#include "mediator/commands.h"
#include "mediator/dispute.h"

struct words { /* of every command here */
    const char *dir, *state, *order, *words;
    bool json;
};

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
    case 's':
        w->state = arg;
        return 0;
    case 'w':
        w->words = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (w->order != NULL)
            return ARGP_ERR_UNKNOWN;
        w->order = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- list ---- */

static enum tp_err row(void *ctx, const struct dispute *d, struct tp_error *e)
{
    char opened[TIME_TEXT_MAX], due[TIME_TEXT_MAX], amount[MONEY_TEXT_MAX];
    const char *const cells[] = {d->order,
                                 time_format(opened, d->opened),
                                 d->service,
                                 money_shown(amount, d->amount, d->currency),
                                 currency_shown(d->currency),
                                 d->reason,
                                 dispute_state_name(d->state),
                                 time_shown(due, d->due),
                                 table_bool(dispute_is_overdue(d, time(NULL))),
                                 order_state_name(d->paid)};

    return table_row(ctx, cells, e);
}

int mediator_cmd_dispute_list(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"state", 's', "STATE", 0,
         N_("Only those that stand there: open, answered, asked, settled, refused"), 0},
        OPTION_DIR,
        OPTION_JSON,
        {0}};
    static const struct argp argp = {
        options,     parse, NULL, N_("List the disputes, as they were opened."),
        table_words, NULL,  NULL};
    static const struct table_column columns[] = {
        {"order", TABLE_TEXT},    {"opened", TABLE_TIME | TABLE_LESSER},
        {"service", TABLE_WORDS}, {"amount", TABLE_RIGHT},
        {"currency", TABLE_TEXT}, {"reason", TABLE_WORDS | TABLE_LESSER},
        {"state", TABLE_TEXT},    {"due", TABLE_TIME | TABLE_LESSER},
        {"overdue", TABLE_BOOL},  {"payment_state", TABLE_TEXT | TABLE_LESSER}};
    struct words w = {.order = NULL};
    struct roll list = {.book = NULL};
    enum dispute_state state = 0;
    enum tp_err r = TP_OK;

    cli_parse(&argp, argc, argv, &w);
    if (w.state != NULL && !dispute_state_find(&state, w.state))
        r = tp_fail(&list.e, TP_ERR_USAGE, "\"%.40s\" is no state: see --help", w.state);
    if (r == TP_OK)
        r = roll_start(&list, w.dir, "disputes", columns, sizeof(columns) / sizeof(columns[0]),
                       w.json);
    if (r == TP_OK)
        r = disputes_each(list.book, state, row, list.table, &list.e);
    return roll_end(&list, r);
}

/* ---- show ---- */

/* What the payer is told over HTTP, in the words of doc/json.md. */
static void word(json_t *said, const struct dispute *d)
{
    json_t *letters = json_object_get(said, "letters"), *one, *due;
    size_t i;

    json_object_set_new(said, "amount", document_amount(d->amount, d->currency));
    json_object_set(said, "payment_state", json_object_get(said, "payment"));
    json_object_del(said, "payment");
    json_object_set_new(said, "due", document_time(d->due));
    json_array_foreach(letters, i, one)
    {
        due = json_object_get(one, "until");
        json_object_set(one, "due", due != NULL ? due : json_null());
        json_object_del(one, "until");
        if (json_object_get(one, "words") == NULL)
            json_object_set_new(one, "words", json_null());
    }
}

static enum tp_err show(struct orderbook *b, const char *order, struct tp_error *e)
{
    struct dispute d;
    json_t *said = NULL;
    bool found = false;
    enum tp_err r = disputes_get(b, order, &d, &found, e);

    if (r == TP_OK && !found)
        r = tp_fail(e, TP_ERR_NOT_FOUND,
                    "the order \"%.40s\" is not disputed: telepay-mediator dispute list says which "
                    "are",
                    order);
    if (r == TP_OK)
        r = dispute_json(&said, &d, b, time(NULL), e);
    if (r != TP_OK)
        return r;
    word(said, &d);
    return document_print(said, false);
}

int mediator_cmd_dispute_show(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, {0}};
    static const struct argp argp = {
        options,     parse,
        N_("ORDER"), N_("Show one dispute, with its letters as they were signed, as JSON."),
        NULL,        NULL,
        NULL};
    struct words w = {.order = NULL};
    char dir[PATH_MAX];
    struct orderbook *b = NULL;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    document_asked();
    r = w.order != NULL ? mediator_dir(dir, w.dir, &e)
                        : tp_fail(&e, TP_ERR_USAGE, "name the order");
    if (r == TP_OK)
        r = orderbook_open(&b, dir, &e);
    if (r == TP_OK)
        r = show(b, w.order, &e);
    orderbook_close(&b);
    return cli_end(r, &e);
}

/* ---- steps ---- */

/* One transaction; what is settled is given back by telepay-mediator serve. */
static enum tp_err step(struct dispute *d, const struct words *w, const char *dir, const char *act,
                        struct tp_error *e)
{
    const struct registry_events none = {NULL, NULL};
    struct issuing by = {.registry = NULL};
    struct dispute_terms terms;
    struct orderbook *b = NULL;
    enum tp_err r = dispute_terms_load(&terms, dir, e);

    if (r == TP_OK)
        r = registry_open(&by.registry, dir, &none, e);
    if (r == TP_OK)
        r = orderbook_open(&b, dir, e);
    if (r == TP_OK)
        r = orderbook_begin(b, e);
    if (r == TP_OK) {
        r = dispute_act(d, w->order, act, w->words, b, &by, &terms, time(NULL), e);
        if (r == TP_OK)
            r = orderbook_commit(b, e);
        else
            orderbook_rollback(b);
    }
    orderbook_close(&b);
    registry_close(&by.registry);
    return r;
}

static int run_step(int argc, char **argv, const char *act, const char *doc)
{
    static const struct argp_option options[] = {
        {"words", 'w', "TEXT", 0, N_("What you say to who paid"), 0}, OPTION_DIR, {0}};
    const struct argp argp = {options, parse, N_("ORDER"), doc, NULL, NULL, NULL};
    struct words w = {.order = NULL};
    struct dispute d = {.opened = 0};
    struct tp_error e = {TP_OK, ""};
    char dir[PATH_MAX], due[TIME_TEXT_MAX];
    enum tp_err r = TP_OK;

    cli_parse(&argp, argc, argv, &w);
    if (w.order == NULL)
        r = tp_fail(&e, TP_ERR_USAGE, "name the order");
    if (r == TP_OK && w.words != NULL)
        r = word_check(w.words, "--words", LETTER_WORDS, &e);
    if (r == TP_OK)
        r = mediator_dir(dir, w.dir, &e);
    if (r == TP_OK)
        r = step(&d, &w, dir, act, &e);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("the dispute about order %s is %s%s%s\n"), d.order, dispute_state_name(d.state),
           d.due != 0 ? _(", due ") : "", time_shown(due, d.due));
    if (d.state == DISPUTE_SETTLED && d.paid == STATE_OWED)
        log_note("what was paid could not be given back by itself before: a credit is due");
    else if (d.state == DISPUTE_SETTLED && d.paid < STATE_REVERSING)
        log_note("it is signed; telepay-mediator serve has the acquirer give it back");
    return CLI_DONE;
}

int mediator_cmd_dispute_answer(int argc, char **argv)
{
    return run_step(argc, argv, ACT_ANSWERED,
                    "Answer a dispute in words; settling or refusing it comes later.");
}

int mediator_cmd_dispute_ask(int argc, char **argv)
{
    return run_step(argc, argv, ACT_ASKED, "Ask who paid for evidence, in words.");
}

int mediator_cmd_dispute_settle(int argc, char **argv)
{
    return run_step(argc, argv, ACT_SETTLED,
                    "Settle a dispute: the contract's key signs that the whole of what was paid "
                    "is given back, and it is.");
}

int mediator_cmd_dispute_refuse(int argc, char **argv)
{
    return run_step(argc, argv, ACT_REFUSED, "Refuse a dispute, saying why.");
}
