/* telepay-acquirer audit */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquirer/commands.h"
#include "acquirer/option.h"
#include "base/document.h"
#include "base/text.h"
#include "ledger/audit.h"

#define FINDINGS_JSON 10000 /* kept for --json; the count goes on */

struct words {
    const char *dir;
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
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

struct report {
    json_t *findings, *remises; /* NULL: as text, at once */
};

static enum tp_err say_finding(void *ctx, const struct audit_finding *f, struct tp_error *e)
{
    struct report *report = ctx;
    json_t *object;

    (void)e;
    if (report->findings == NULL) {
        printf(_("DIFFERS %s"), f->check);
        if (f->contract[0] != '\0')
            printf(_(", contract %s"), f->contract);
        if (f->remise != 0)
            printf(_(" remise %" PRIu32), f->remise);
        if (f->rrn[0] != '\0')
            printf(_(", transaction %s"), f->rrn);
        printf(": %s\n", f->text);
        return TP_OK;
    }
    if (json_array_size(report->findings) >= FINDINGS_JSON)
        return TP_OK;
    object = json_pack("{s:s, s:s, s:o, s:s, s:s}", "check", f->check, "contract", f->contract,
                       "remise", f->remise != 0 ? json_integer(f->remise) : json_null(), "rrn",
                       f->rrn, "text", f->text);
    json_array_append_new(report->findings, object);
    return TP_OK;
}

static json_t *totals_json(const struct remise_totals *t, unsigned currency)
{
    return json_pack(
        "{s:I, s:o, s:I, s:o, s:I, s:o, s:s}", "debits", (json_int_t)t->debits, "debit_amount",
        document_amount(t->debit_amount, currency), "credits", (json_int_t)t->credits,
        "credit_amount", document_amount(t->credit_amount, currency), "reversals",
        (json_int_t)t->reversals, "reversal_amount", document_amount(t->reversal_amount, currency),
        "currency", currency_shown(currency));
}

static enum tp_err say_remise(void *ctx, const struct audit_remise *r, struct tp_error *e)
{
    struct report *report = ctx;
    const struct remise_totals *t = &r->evidence;
    const int64_t refused = r->refused.debit_amount - r->refused.credit_amount;
    char debit[MONEY_TEXT_MAX], credit[MONEY_TEXT_MAX], net[MONEY_TEXT_MAX];

    (void)e;
    if (report->remises != NULL) {
        json_array_append_new(
            report->remises,
            json_pack("{s:s, s:I, s:s, s:s, s:b, s:I, s:o, s:o, s:o}", "contract",
                      r->books.contract, "remise", (json_int_t)r->books.number, "state",
                      remise_state_name(r->books.state), "currency",
                      currency_shown(r->books.currency), "agrees", r->findings == 0 ? 1 : 0,
                      "vouched", (json_int_t)r->vouched, "books_totals",
                      totals_json(&r->books.totals, r->books.currency), "evidence_totals",
                      totals_json(t, r->books.currency), "refused_totals",
                      totals_json(&r->refused, r->books.currency)));
        return TP_OK;
    }
    money_shown(debit, t->debit_amount, r->books.currency);
    money_shown(credit, t->credit_amount, r->books.currency);
    printf(_("%-7s contract %s remise %" PRIu32 " (%s): cards signed %" PRIu32
             " debits %s, %" PRIu32 " credits %s %s"),
           r->findings == 0 ? _("agrees") : "DIFFERS", r->books.contract, r->books.number,
           remise_state_name(r->books.state), t->debits, debit, t->credits, credit,
           currency_shown(r->books.currency));
    if (r->refused.debits + r->refused.credits > 0)
        printf(_(", of which the centre refused %" PRIu32 ", net %s"),
               r->refused.debits + r->refused.credits,
               money_shown(net, refused, r->books.currency));
    putchar('\n');
    if (r->vouched > 0)
        printf(_("        of these %" PRIu64
                 " on the issuer's word: no signature covers the amount (prove says which)\n"),
               r->vouched);
    return TP_OK;
}

static int print_end(struct report *report, const struct audit_sums *sums)
{
    if (report->findings != NULL) {
        const int done = option_print_json(json_pack(
            "{s:b, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "agrees", sums->findings == 0 ? 1 : 0,
            "contract_count", (json_int_t)sums->contracts, "remise_count",
            (json_int_t)sums->remises, "transaction_count", (json_int_t)sums->transactions,
            "vouched", (json_int_t)sums->vouched, "finding_count", (json_int_t)sums->findings,
            "findings", report->findings, "remises", report->remises));
        *report = (struct report){NULL, NULL};
        return done;
    }
    printf(_("%" PRIu64 " transactions in %" PRIu64 " remises of %" PRIu64 " contracts: "),
           sums->transactions, sums->remises, sums->contracts);
    if (sums->findings == 0)
        printf(_("books and evidence agree\n"));
    else
        printf(_("%" PRIu64 " differences between books and evidence\n"), sums->findings);
    return CLI_DONE;
}

static enum tp_err run(struct report *report, struct audit_sums *sums, const char *given,
                       struct tp_error *e)
{
    const struct audit_watch watch = {report, say_finding, say_remise};
    struct ledger *l = NULL;
    char dir[PATH_MAX];
    enum tp_err r = option_open(&l, dir, given, e);

    if (r == TP_OK)
        r = acquirer_audit_books(l, dir, &watch, sums, e);
    ledger_close(&l);
    return r;
}

int acquirer_audit(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {
        options,
        parse,
        NULL,
        N_("Work out every total of every remise again from what the cards signed, and say where "
           "books and evidence differ. Exit 5 when they do."),
        NULL,
        NULL,
        NULL};
    struct words w = {0};
    struct report report = {NULL, NULL};
    struct audit_sums sums = {0};
    struct tp_error e = {TP_OK, ""};
    int done;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    if (w.json)
        report = (struct report){json_array(), json_array()};
    r = run(&report, &sums, w.dir, &e);
    done = r == TP_OK ? print_end(&report, &sums) : cli_report(&e);
    json_decref(report.findings);
    json_decref(report.remises);
    return done != CLI_DONE ? done : sums.findings == 0 ? CLI_DONE : CLI_SECURITY;
}
