/* telepay dispute: what was paid and is not as it should be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/document.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"
#include "base/word.h"
#include "payer/commands.h"
#include "payer/dispute.h"
#include "payer/letters.h"
#include "payer/order_words.h"

struct words {
    struct checkout_options checkout;
    const char *order, *reason, *words;
    bool json, wants_order;
};

enum { REASON = 0x100, WORDS };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &w->checkout;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case REASON:
        w->reason = arg;
        return 0;
    case WORDS:
        w->words = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (!w->wants_order || w->order != NULL)
            argp_error(state, _("\"%s\" is one word too many"), arg);
        w->order = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->wants_order && w->order == NULL)
            argp_error(state, _("say which order: telepay order list shows them"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&asking_words, 0, NULL, 0}, {0}};

struct desk { /* what each command works at */
    struct words w;
    struct fetch *fetch;
    struct checkout c;
    struct tp_error e;
};

static enum tp_err begin(struct desk *d, const struct argp *argp, int argc, char **argv)
{
    struct fetch_options options = {0};
    enum tp_err r = TP_OK;

    d->w.checkout = ORDER_WORDS_NONE;
    cli_parse(argp, argc, argv, &d->w);
    options.cacert = d->w.checkout.cacert;
    if (d->w.words != NULL)
        r = word_check(d->w.words, "--words", LETTER_WORDS, &d->e);
    if (r == TP_OK)
        r = fetch_new(&d->fetch, &options, &d->e);
    return r == TP_OK ? checkout_open(&d->c, &d->w.checkout, d->fetch, &d->e) : r;
}

static int end(struct desk *d, enum tp_err r)
{
    checkout_close(&d->c);
    fetch_free(&d->fetch);
    return cli_end(r, &d->e);
}

/* ---- shown ---- */

static bool is_overdue(const struct dispute *d)
{
    return d->due != 0 && d->due < time(NULL);
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

static void print_letters(const struct dispute *d)
{
    size_t i;
    json_t *one;

    json_array_foreach(d->letters, i, one)
    {
        const char *words = text_of(one, "words");

        printf("%s  %-8s  %s%s%s\n", text_of(one, "at"), text_of(one, "by"), text_of(one, "act"),
               words[0] != '\0' ? ": " : "", words);
    }
}

static json_t *dispute_json(const struct dispute *d)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:b,s:O}", "order", d->order, "state", d->state,
                     "reason", d->reason, "payment_state", d->payment, "opened",
                     document_time(d->opened), "due", document_time(d->due), "overdue",
                     is_overdue(d), "letters", d->letters);
}

static enum tp_err show(struct desk *d, const char *payment)
{
    char due[TIME_TEXT_MAX];
    struct dispute one;
    enum tp_err r = dispute_read(&one, &d->c, d->w.order, &d->e);

    if (r == TP_OK && payment != NULL)
        snprintf(one.payment, sizeof(one.payment), "%s", payment);
    if (r == TP_OK && d->w.json) {
        r = document_print(dispute_json(&one), false);
    } else if (r == TP_OK) {
        printf(_("Order         %s\nReason        %s\nState         %s\n"), one.order, one.reason,
               one.state);
        if (one.payment[0] != '\0')
            printf(_("Payment       %s\n"), one.payment);
        if (one.due != 0)
            printf(_("Next word     until %s%s\n"), time_shown(due, one.due),
                   is_overdue(&one) ? _(" (overdue)") : "");
        print_letters(&one);
    }
    if (r == TP_OK && strcmp(one.state, "asked") == 0)
        log_note("the merchant asks for evidence: telepay dispute evidence %s --words …",
                 one.order);
    if (r == TP_OK && strcmp(one.payment, "owed") == 0)
        log_note("it could not be given back by itself: the merchant owes you a credit");
    dispute_free(&one);
    return r;
}

/* ---- commands ---- */

int payer_dispute_open(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"reason", REASON, "REASON", 0,
         N_("not-delivered, not-as-described, not-mine or paid-twice; needed"), 0},
        {"words", WORDS, "TEXT", 0, N_("say more to the merchant"), 0},
        {"json", 'j', NULL, 0, N_("print JSON"), 0},
        {0}};
    static const struct argp argp = {
        options,
        parse,
        N_("ORDER"),
        N_("Dispute an order that was paid from here: signed with your key, kept, sent to its "
           "mediator. The same again is the same dispute."),
        children,
        NULL,
        NULL};
    struct desk d = {.w = {.wants_order = true}};
    enum tp_err r = begin(&d, &argp, argc, argv);
    const char *const *reason = letter_reasons;

    while (*reason != NULL && (d.w.reason == NULL || strcmp(*reason, d.w.reason) != 0))
        reason++;
    if (r == TP_OK && *reason == NULL)
        r = tp_fail(&d.e, TP_ERR_USAGE,
                    "say why: --reason not-delivered, not-as-described, not-mine or paid-twice");
    if (r == TP_OK)
        r = dispute_open(&d.c, d.w.order, d.w.reason, d.w.words, &d.e);
    if (r == TP_OK)
        r = show(&d, NULL);
    return end(&d, r);
}

int payer_dispute_evidence(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"words", WORDS, "TEXT", 0, N_("what the merchant asks for; needed"), 0},
        {"json", 'j', NULL, 0, N_("print JSON"), 0},
        {0}};
    static const struct argp argp = {
        options,  parse, N_("ORDER"), N_("Bring the evidence that the merchant asks for."),
        children, NULL,  NULL};
    struct desk d = {.w = {.wants_order = true}};
    enum tp_err r = begin(&d, &argp, argc, argv);

    if (r == TP_OK && d.w.words == NULL)
        r = tp_fail(&d.e, TP_ERR_USAGE, "say what: --words TEXT");
    if (r == TP_OK)
        r = dispute_bring(&d.c, d.w.order, d.w.words, &d.e);
    if (r == TP_OK)
        r = show(&d, NULL);
    return end(&d, r);
}

int payer_dispute_show(int argc, char **argv)
{
    static const struct argp_option options[] = {{"json", 'j', NULL, 0, N_("print JSON"), 0}, {0}};
    static const struct argp argp = {options,
                                     parse,
                                     N_("ORDER"),
                                     N_("Ask the mediator how a dispute stands, verify and keep "
                                        "what it wrote, and show all of it."),
                                     children,
                                     NULL,
                                     NULL};
    struct desk d = {.w = {.wants_order = true}};
    struct tp_error news = {TP_OK, ""};
    char payment[16] = "";
    enum tp_err r = begin(&d, &argp, argc, argv), asked = TP_OK;

    if (r == TP_OK)
        asked = dispute_ask(payment, &d.c, d.w.order, &news);
    if (asked == TP_ERR_SECURITY) {
        r = asked;
        d.e = news;
    }
    if (r == TP_OK)
        r = show(&d, payment);
    if (r == TP_OK && asked != TP_OK)
        log_note("as it was known here: %s", news.text);
    return end(&d, r);
}

/* ---- list ---- */

static const struct table_column columns[] = {{"order", TABLE_TEXT},
                                              {"opened", TABLE_TIME},
                                              {"reason", TABLE_WORDS},
                                              {"state", TABLE_TEXT},
                                              {"due", TABLE_TIME | TABLE_LESSER},
                                              {"overdue", TABLE_BOOL}};

struct listing {
    struct table *table;
    const struct checkout *c;
};

static enum tp_err row(void *ctx, const char *order, struct tp_error *e)
{
    struct listing *l = ctx;
    char opened[TIME_TEXT_MAX], due[TIME_TEXT_MAX];
    struct dispute d;
    enum tp_err r = dispute_read(&d, l->c, order, e);

    if (r == TP_OK) {
        const char *cells[] = {order,   time_shown(opened, d.opened), d.reason,
                               d.state, time_shown(due, d.due),       table_bool(is_overdue(&d))};

        r = table_row(l->table, cells, e);
    }
    dispute_free(&d);
    return r;
}

int payer_dispute(int argc, char **argv)
{
    static const struct argp_option options[] = {{"json", 'j', NULL, 0, N_("print JSON"), 0}, {0}};
    static const struct argp argp = {
        options,
        parse,
        NULL,
        N_("List the disputes that are kept here, as they were last heard of, the newest first."),
        asking_list_words,
        NULL,
        NULL};
    struct desk d = {.fetch = NULL};
    struct listing l = {NULL, &d.c};
    enum tp_err r = begin(&d, &argp, argc, argv);

    if (r == TP_OK)
        r = table_new(&l.table, "disputes", columns, sizeof(columns) / sizeof(columns[0]), d.w.json,
                      &d.e);
    if (r == TP_OK)
        r = letters_orders(d.c.journal, row, &l, &d.e);
    r = table_end(&l.table, r, &d.e);
    return end(&d, r);
}
