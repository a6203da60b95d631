#include "collect/run.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/date.h"
#include "base/document.h"
#include "base/log.h"
#include "base/text.h"

/* ---- which ---- */

static enum tp_err add(struct run *run, const struct remise *r, struct tp_error *e)
{
    struct run_item *more = realloc(run->items, (run->n + 1) * sizeof(*more));

    if (more == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    run->items = more;
    run->items[run->n++] = (struct run_item){.remise = *r};
    return TP_OK;
}

static enum tp_err add_pending(void *ctx, const struct remise *r, struct tp_error *e)
{
    return r->state == REMISE_CLOSED || r->state == REMISE_SUBMITTED ? add(ctx, r, e) : TP_OK;
}

enum tp_err run_gather(struct run *run, const char *contract, uint32_t number, struct tp_error *e)
{
    struct remise r;
    enum tp_err err;

    if (number == 0)
        return run->collector.books->each(run->collector.of, contract, add_pending, run, e);
    err = run->collector.books->get(run->collector.of, contract, number, &r, e);
    return err == TP_OK ? add(run, &r, e) : err;
}

void run_free(struct run *run)
{
    free(run->items);
    run->items = NULL;
    run->n = 0;
    collector_close(&run->collector);
}

/* ---- tickets ---- */

static const char *outcome_word(const struct run_item *i)
{
    if (i->settled)
        return remise_state_name(i->remise.state);
    return i->alarm ? "ALARM" : i->tried ? "not collected yet" : "waits for an earlier remise";
}

static const char *outcome_text(const struct run_item *i)
{
    return i->settled ? i->remise.outcome : i->text;
}

struct amounts {
    char debit[MONEY_TEXT_MAX], credit[MONEY_TEXT_MAX], annulled[MONEY_TEXT_MAX],
        net[MONEY_TEXT_MAX], refused[MONEY_TEXT_MAX], paid[MONEY_TEXT_MAX];
    const char *currency;
};

static void format_amounts(struct amounts *a, const struct run_item *i)
{
    static const struct currency unknown = {"???", 0, 0, ""};
    const struct remise *r = &i->remise;
    const struct currency *c = currency_by_numeric(r->currency);
    struct remise_totals paid;

    if (c == NULL)
        c = &unknown;
    a->currency = c->alpha;
    money_format(a->debit, r->totals.debit_amount, c);
    money_format(a->credit, r->totals.credit_amount, c);
    money_format(a->annulled, r->totals.reversal_amount, c);
    money_format(a->net, r->totals.debit_amount - r->totals.credit_amount, c);
    remise_paid(&paid, r, &i->refused);
    money_format(a->refused, i->refused.debit_amount - i->refused.credit_amount, c);
    money_format(a->paid, paid.debit_amount - paid.credit_amount, c);
}

static void print_ticket(const struct run_item *i)
{
    const struct remise *r = &i->remise;
    const char *text = outcome_text(i);
    char closed[TIME_TEXT_MAX];
    struct amounts a;

    format_amounts(&a, i);
    printf(_("\nCOLLECTION TICKET\n"));
    printf(_("  contract      %s\n  remise        %" PRIu32 ", closed %s\n"), r->contract,
           r->number, time_format(closed, r->closed));
    printf(_("  transactions  %6" PRIu32 "\n"), r->totals.debits + r->totals.credits);
    printf(_("  debits        %6" PRIu32 "  %14s %s\n"), r->totals.debits, a.debit, a.currency);
    printf(_("  credits       %6" PRIu32 "  %14s %s\n"), r->totals.credits, a.credit, a.currency);
    if (r->totals.reversals > 0)
        printf(_("  annulled      %6" PRIu32 "  %14s %s\n"), r->totals.reversals, a.annulled,
               a.currency);
    printf(_("  net, as sent          %14s %s\n"), a.net, a.currency);
    if (i->settled) {
        printf(_("  refused       %6" PRIu32 "  %14s %s\n"), i->refused.debits + i->refused.credits,
               a.refused, a.currency);
        printf(_("  net, paid             %14s %s\n"), a.paid, a.currency);
    }
    printf(_("  outcome       %s%s%s\n"), outcome_word(i), text[0] != '\0' ? ": " : "", text);
    fflush(stdout);
}

static json_t *ticket_json(const struct run_item *i)
{
    const struct remise *r = &i->remise;
    struct amounts a;

    format_amounts(&a, i);
    return json_pack("{s:s, s:I, s:o, s:I, s:I, s:s, s:I, s:s, s:I, s:s, s:s, s:I, s:s?, s:s?, "
                     "s:s, s:s, s:s, s:I}",
                     "contract", r->contract, "remise", (json_int_t)r->number, "closed",
                     document_time(r->closed), "transaction_count",
                     (json_int_t)r->totals.debits + (json_int_t)r->totals.credits, "debits",
                     (json_int_t)r->totals.debits, "debit_amount", a.debit, "credits",
                     (json_int_t)r->totals.credits, "credit_amount", a.credit, "reversals",
                     (json_int_t)r->totals.reversals, "reversal_amount", a.annulled, "net", a.net,
                     "refused", (json_int_t)i->refused.debits + i->refused.credits, "refused_net",
                     i->settled ? a.refused : NULL, "paid_net", i->settled ? a.paid : NULL,
                     "currency", a.currency, "outcome", outcome_word(i), "text", outcome_text(i),
                     "attempt_count", (json_int_t)r->attempts);
}

static void print_json(const struct run *run)
{
    json_t *all = json_array();

    for (size_t i = 0; i < run->n; i++)
        json_array_append_new(all, ticket_json(&run->items[i]));
    (void)!document_print(json_pack("{s:o}", "remises", all), false);
}

/* ---- settling ---- */

static bool held_up(const struct run *run, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (!run->items[i].settled &&
            strcmp(run->items[i].remise.contract, run->items[at].remise.contract) == 0)
            return true;
    return false;
}

static void try_one(struct run *run, struct run_item *item)
{
    struct tp_error e = {TP_OK, ""};

    item->tried = true;
    item->error = settle_remise(&run->collector, &item->remise, &item->alarm, &e);
    if (item->error == TP_OK)
        item->error =
            run->collector.books->refused(run->collector.of, &item->remise, &item->refused, &e);
    item->settled = item->error == TP_OK;
    snprintf(item->text, sizeof(item->text), "%s",
             e.text[0] != '\0' ? e.text : tp_err_text(item->error));
    if (item->alarm)
        log_error("ALARM: contract %s remise %" PRIu32 ": %s", item->remise.contract,
                  item->remise.number, item->text);
    else if (!item->settled)
        log_note("contract %s remise %" PRIu32 ": %s", item->remise.contract, item->remise.number,
                 item->text);
    if (item->settled && !run->json)
        print_ticket(item);
}

/* True when something is worth another try. */
static bool round_of(struct run *run)
{
    bool again = false;

    for (size_t i = 0; i < run->n; i++) {
        struct run_item *item = &run->items[i];

        if (item->settled || item->alarm || held_up(run, i))
            continue;
        try_one(run, item);
        again |= !item->settled && !item->alarm;
    }
    return again;
}

static int exit_of(const struct run *run)
{
    int code = CLI_DONE;

    for (size_t i = 0; i < run->n; i++) {
        const struct run_item *item = &run->items[i];
        int own = CLI_DONE;

        if (item->settled)
            own = item->refused.debits + item->refused.credits > 0 ? CLI_DECLINED : CLI_DONE;
        else if (item->tried)
            own = cli_exit_of(item->error);
        if (own > code)
            code = own;
    }
    return code;
}

int run_settle(struct run *run)
{
    int pause = run->pause_s;

    for (int round = 1; round_of(run) && round < run->attempts; round++) {
        log_note("trying again in %d s", pause);
        sleep((unsigned)pause);
        pause = pause * 2 < RUN_PAUSE_MAX ? pause * 2 : RUN_PAUSE_MAX;
    }
    if (run->json)
        print_json(run);
    else
        for (size_t i = 0; i < run->n; i++)
            if (!run->items[i].settled)
                print_ticket(&run->items[i]);
    return exit_of(run);
}
