/* telepay-centre serve, list, show, alarms: words of the operator. */
#include "centre/commands.h"

#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/document.h"
#include "base/log.h"
#include "base/text.h"
#include "centre/option.h"
#include "centre/serve.h"
#include "wire/http_door.h"

struct words { /* of every command here */
    const char *dir, *listen, *refuse, *contract, *number, *acquirer;
    bool json, takes_remise;
};

static error_t parse_words(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case 'd':
        w->dir = arg;
        return 0;
    case 'l':
        w->listen = arg;
        return 0;
    case 'r':
        w->refuse = arg;
        return 0;
    case 'a':
        w->acquirer = arg;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case 'v':
        log_start("telepay-centre", LOG_LEVEL_TRACE, 1);
        return 0;
    case ARGP_KEY_ARG:
        if (!w->takes_remise || w->number != NULL)
            argp_error(state, _("\"%s\" is one word too many"), arg);
        if (w->contract == NULL)
            w->contract = arg;
        else
            w->number = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->takes_remise && w->number == NULL)
            argp_error(state, _("say which: CONTRACT NUMBER"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

#define END_OPTION                                                                                 \
    {                                                                                              \
        NULL, 0, NULL, 0, NULL, 0                                                                  \
    }

/* ---- serve ---- */

int centre_cmd_serve(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_DIR,
        {"listen", 'l', "ADDRESS:PORT", 0,
         N_("where to listen [127.0.0.1:8443]; port 0: any free one"), 0},
        {"refuse", 'r', "FILE", 0,
         N_("refuse what FILE names: lines of CONTRACT NUMBER SEQUENCE REASON, or MASKED-PAN "
            "REASON"),
         0},
        {"verbose", 'v', NULL, 0, N_("say more on stderr"), 0},
        END_OPTION};
    static const struct argp argp = {
        options, parse_words,
        NULL,    N_("Receive remises over HTTPS and answer them, until SIGTERM."),
        NULL,    NULL,
        NULL};
    struct words w = {.listen = "127.0.0.1:8443"};
    char dir[PATH_MAX], listen[256];
    struct centre_service service = {.dir = dir};
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    log_start("telepay-centre", LOG_LEVEL_NOTE, 1);
    cli_parse(&argp, argc, argv, &w);
    snprintf(listen, sizeof(listen), "%s", w.listen);
    r = centre_dir(dir, w.dir, &e);
    if (r == TP_OK)
        r = http_door_address(listen, &service.address, &service.port, &e);
    if (r == TP_OK && w.refuse != NULL)
        r = refuse_load(&service.refuse, w.refuse, &e);
    if (r == TP_OK)
        r = centre_serve(&service, &e);
    refuse_free(&service.refuse);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}

/* ---- list ---- */

static const char *result_name(enum caaa_result r)
{
    return r == CAAA_APPROVED ? "accepted" : r == CAAA_PARTIAL ? "accepted in part" : "refused";
}

static int64_t net_of(const struct caaa_totals *t)
{
    return t->amount[CAAA_DEBIT] - t->amount[CAAA_CREDIT];
}

static enum tp_err list_row(void *ctx, const struct centre_remise *r, struct tp_error *e)
{
    char number[16], debits[24], credits[24], refused[24], debit[MONEY_TEXT_MAX],
        credit[MONEY_TEXT_MAX], net[MONEY_TEXT_MAX], at[TIME_TEXT_MAX];
    const char *cells[] = {r->contract,
                           number,
                           r->acquirer,
                           time_format(at, r->answered),
                           result_name(r->result),
                           debits,
                           money_format(debit, r->totals.amount[CAAA_DEBIT], r->currency),
                           credits,
                           money_format(credit, r->totals.amount[CAAA_CREDIT], r->currency),
                           money_format(net, net_of(&r->totals), r->currency),
                           r->currency->alpha,
                           refused};

    snprintf(number, sizeof(number), "%" PRIu32, r->number);
    snprintf(debits, sizeof(debits), "%" PRIu64, r->totals.count[CAAA_DEBIT]);
    snprintf(credits, sizeof(credits), "%" PRIu64, r->totals.count[CAAA_CREDIT]);
    snprintf(refused, sizeof(refused), "%" PRIu64, r->refused);
    return table_row(ctx, cells, e);
}

int centre_cmd_list(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, OPTION_JSON, END_OPTION};
    static const struct argp argp = {
        options,     parse_words, NULL, N_("The remises that came, and what became of them."),
        table_words, NULL,        NULL};
    static const struct table_column columns[] = {{"contract", TABLE_TEXT},
                                                  {"remise", TABLE_NUMBER},
                                                  {"acquirer", TABLE_TEXT | TABLE_LESSER},
                                                  {"answered", TABLE_TIME | TABLE_LESSER},
                                                  {"result", TABLE_TEXT},
                                                  {"debits", TABLE_NUMBER | TABLE_LESSER},
                                                  {"debit_amount", TABLE_RIGHT | TABLE_LESSER},
                                                  {"credits", TABLE_NUMBER | TABLE_LESSER},
                                                  {"credit_amount", TABLE_RIGHT | TABLE_LESSER},
                                                  {"net", TABLE_RIGHT},
                                                  {"currency", TABLE_TEXT},
                                                  {"refused", TABLE_NUMBER}};
    struct words w = {.json = false};
    struct listing list;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = listing_start(&list, w.dir, "remises", columns, sizeof(columns) / sizeof(columns[0]),
                      w.json);
    if (r == TP_OK)
        r = centre_remise_each(list.store, list_row, list.table, &list.e);
    return listing_end(&list, r);
}

/* ---- show ---- */

struct shown {
    const struct currency *currency;
    bool json;
    bool first;
};

static void print_local(char out[24], int64_t t)
{
    const unsigned day = (unsigned)(t / 1000000), time = (unsigned)(t % 1000000);

    snprintf(out, 24, "%04u-%02u-%02u %02u:%02u:%02u", day / 10000 % 10000, day / 100 % 100,
             day % 100, time / 10000, time / 100 % 100, time % 100);
}

/* Row by row: a remise may have a million items. */
static enum tp_err show_item(void *ctx, const struct centre_item *item, struct tp_error *e)
{
    struct shown *s = ctx;
    char amount[MONEY_TEXT_MAX], at[24], stan[12];
    const bool accepted = item->refused[0] == '\0', by_card = item->account[0] == '\0';

    print_local(at, item->local_time);
    money_format(amount, item->amount, s->currency);
    if (!s->json) {
        printf("%8" PRIu32 "  %s  %-8s  %s  %06" PRIu32 "  %-19s  %-6s  %14s  %s\n", item->sequence,
               item->rrn, item->terminal, at, item->stan,
               by_card ? item->pan_masked : item->account,
               item->kind == CAAA_CREDIT ? "credit" : "debit", amount,
               accepted ? "accepted" : item->refused);
        return TP_OK;
    }
    snprintf(stan, sizeof(stan), "%06" PRIu32, item->stan);
    json_t *o = json_pack(
        "{s:I, s:s, s:s, s:o, s:s, s:s?, s:s?, s:s, s:s, s:s, s:b, s:s?}", "sequence",
        (json_int_t)item->sequence, "rrn", item->rrn, "terminal", item->terminal, "local_time",
        document_local_time(item->local_time), "stan", stan, "pan_masked",
        by_card ? item->pan_masked : NULL, "account", by_card ? NULL : item->account, "kind",
        item->kind == CAAA_CREDIT ? "credit" : "debit", "amount", amount, "currency",
        s->currency->alpha, "accepted", accepted, "reason", accepted ? NULL : item->refused);

    if (o == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    document_absent(o);
    fputs(s->first ? "\n    " : ",\n    ", stdout);
    json_dumpf(o, stdout, JSON_COMPACT);
    json_decref(o);
    s->first = false;
    return TP_OK;
}

struct head { /* the texts of a remise */
    char debit[MONEY_TEXT_MAX], credit[MONEY_TEXT_MAX], net[MONEY_TEXT_MAX],
        annulled[MONEY_TEXT_MAX], created[TIME_TEXT_MAX], answered[TIME_TEXT_MAX], hash[65];
};

static void head_json(const struct centre_remise *m, const struct head *h)
{
    json_t *o = json_pack(
        "{s:s, s:I, s:s, s:s, s:s, s:o, s:o, s:s, s:I, s:s, s:I, s:s, s:I, s:s, s:I, s:s, s:s, "
        "s:I}",
        "contract", m->contract, "remise", (json_int_t)m->number, "acquirer", m->acquirer, "result",
        result_name(m->result), "reason", m->verdict.reason, "created", document_time(m->created),
        "answered", document_time(m->answered), "sha256", h->hash, "bytes", (json_int_t)m->bytes,
        "currency", m->currency->alpha, "debits", (json_int_t)m->totals.count[CAAA_DEBIT],
        "debit_amount", h->debit, "credits", (json_int_t)m->totals.count[CAAA_CREDIT],
        "credit_amount", h->credit, "reversals", (json_int_t)m->totals.count[CAAA_DEBIT_REVERSED],
        "reversal_amount", h->annulled, "net", h->net, "refused", (json_int_t)m->refused);

    document_begun();
    document_absent(o);
    fputs("{\n  ", stdout);
    if (o != NULL)
        json_dumpf(o, stdout, JSON_EMBED);
    fputs(",\n  \"items\": [", stdout);
    json_decref(o);
}

static void show_head(const struct centre_remise *m, bool json)
{
    const char *ccy = m->currency->alpha;
    struct head h;

    for (size_t i = 0; i < sizeof(m->hash); i++)
        snprintf(h.hash + 2 * i, 3, "%02x", m->hash[i]);
    money_format(h.debit, m->totals.amount[CAAA_DEBIT], m->currency);
    money_format(h.credit, m->totals.amount[CAAA_CREDIT], m->currency);
    money_format(h.annulled, m->totals.amount[CAAA_DEBIT_REVERSED], m->currency);
    money_format(h.net, net_of(&m->totals), m->currency);
    time_format(h.created, m->created);
    time_format(h.answered, m->answered);
    if (json) {
        head_json(m, &h);
        return;
    }
    printf(_("contract   %s\nremise     %" PRIu32
             "\nacquirer   %s\nclosed     %s\nanswered   %s\nresult     %s%s%s\n"),
           m->contract, m->number, m->acquirer, h.created, h.answered, result_name(m->result),
           m->verdict.text[0] != '\0' ? ": " : "", m->verdict.text);
    printf(_("document   %" PRIu64 " bytes, SHA-256 %s\n"), m->bytes, h.hash);
    printf(_("debits     %" PRIu64 "  %s %s\ncredits    %" PRIu64 "  %s %s\nannulled   %" PRIu64
             "  %s %s (as the acquirer says)\n"),
           m->totals.count[CAAA_DEBIT], h.debit, ccy, m->totals.count[CAAA_CREDIT], h.credit, ccy,
           m->totals.count[CAAA_DEBIT_REVERSED], h.annulled, ccy);
    printf(_("net        %s %s\nrefused    %" PRIu64 "\n\n"), h.net, ccy, m->refused);
}

static enum tp_err number_of(uint32_t *out, const char *text, struct tp_error *e)
{
    char *end;
    const unsigned long v = strtoul(text, &end, 10);

    if (*end != '\0' || v == 0 || v > 999999999)
        return tp_fail(e, TP_ERR_USAGE, "\"%s\" is no number of a remise", text);
    *out = (uint32_t)v;
    return TP_OK;
}

int centre_cmd_show(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"acquirer", 'a', "ID", 0,
         N_("the one that this acquirer sent, of a contract that another has now"), 0},
        OPTION_DIR,
        OPTION_JSON,
        END_OPTION};
    static const struct argp argp = {
        options, parse_words, N_("CONTRACT NUMBER"), N_("One remise, item by item."), NULL,
        NULL,    NULL};
    struct words w = {.takes_remise = true};
    struct shown shown = {.first = true};
    struct centre_store *store = NULL;
    struct centre_remise m;
    struct tp_error e = {TP_OK, ""};
    uint32_t number = 0;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = number_of(&number, w.number, &e);
    if (r == TP_OK)
        r = option_open(&store, w.dir, &e);
    if (r == TP_OK)
        r = centre_remise_get(store, w.acquirer, w.contract, number, &m, &e);
    if (r == TP_OK) {
        shown.currency = m.currency;
        shown.json = w.json;
        show_head(&m, w.json);
        r = centre_item_each(store, w.acquirer, w.contract, number, false, show_item, &shown, &e);
        if (w.json)
            puts("\n  ]\n}");
    }
    centre_store_close(&store);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}

/* ---- alarms ---- */

static enum tp_err alarm_row(void *ctx, const struct centre_alarm *a, struct tp_error *e)
{
    char at[TIME_TEXT_MAX], number[16];
    const char *cells[] = {time_format(at, a->at), a->contract, number, a->text};

    snprintf(number, sizeof(number), "%" PRIu32, a->number);
    return table_row(ctx, cells, e);
}

int centre_cmd_alarms(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, OPTION_JSON, END_OPTION};
    static const struct argp argp = {
        options,
        parse_words,
        NULL,
        N_("What the centre found amiss: numbers used twice, gaps, foreign contracts."),
        table_words,
        NULL,
        NULL};
    static const struct table_column columns[] = {{"at", TABLE_TIME},
                                                  {"contract", TABLE_TEXT},
                                                  {"remise", TABLE_NUMBER},
                                                  {"alarm", TABLE_WORDS}};
    struct words w = {.json = false};
    struct listing list;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = listing_start(&list, w.dir, "alarms", columns, sizeof(columns) / sizeof(columns[0]),
                      w.json);
    if (r == TP_OK)
        r = centre_alarm_each(list.store, alarm_row, list.table, &list.e);
    return listing_end(&list, r);
}
