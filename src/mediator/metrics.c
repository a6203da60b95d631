/* telepay-mediator status --metrics: the numbers of the books, as collectors of metrics read them
 * (OpenMetrics 1.0, which is also Prometheus's text format 0.0.4 where all are gauges). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/money.h"
#include "mediator/commands.h"
#include "mediator/disputes.h"
#include "mediator/registry.h"

#define PREFIX "telepay_mediator_"

enum { ORDERS, AMOUNT, OLDEST, SERVICES, ACQUIRERS, DISPUTES, FAMILIES };

static const struct {
    const char *name, *help;
} families[FAMILIES] = {
    [ORDERS] = {"orders", "Orders that stand in a state."},
    [AMOUNT] = {"orders_amount", "What those orders come to, in units of the currency."},
    [OLDEST] = {"orders_oldest_timestamp_seconds",
                "Since when the oldest order stands in a state that somebody has to go on from."},
    [SERVICES] = {"service_open", "1: the service may sell; 0: it was closed."},
    [ACQUIRERS] = {"acquirer_open", "1: the acquirer may be paid through."},
    [DISPUTES] = {"disputes", "Disputes under way, and those of them whose next word is overdue."},
};

/* The lines of a family stand together, and one walk through the books has lines for several: each
 * is written apart. */
struct metrics {
    FILE *to[FAMILIES];
    char *text[FAMILIES];
    size_t n[FAMILIES];
};

static enum tp_err start(struct metrics *m, struct tp_error *e)
{
    *m = (struct metrics){.n = {0}};
    for (size_t i = 0; i < FAMILIES; i++) {
        m->to[i] = open_memstream(&m->text[i], &m->n[i]);
        if (m->to[i] == NULL)
            return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
        fprintf(m->to[i], "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s gauge\n", families[i].name,
                families[i].help, families[i].name);
    }
    return TP_OK;
}

/* Prints all, or nothing: r is what came before. */
static enum tp_err end(struct metrics *m, enum tp_err r, struct tp_error *e)
{
    for (size_t i = 0; i < FAMILIES; i++)
        if (m->to[i] != NULL && fclose(m->to[i]) != 0 && r == TP_OK)
            r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    for (size_t i = 0; r == TP_OK && i < FAMILIES; i++)
        (void)fputs(m->text[i], stdout);
    if (r == TP_OK)
        puts("# EOF");
    for (size_t i = 0; i < FAMILIES; i++)
        free(m->text[i]);
    return r;
}

/* As the value of a label has it. */
static void put_value(FILE *to, const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '\n')
            fputs("\\n", to);
        else if (*text == '\\' || *text == '"')
            fprintf(to, "\\%c", *text);
        else
            fputc(*text, to);
}

static void put_named(FILE *to, const char *family, const char *label, const char *name, bool value)
{
    fprintf(to, PREFIX "%s{%s=\"", family, label);
    put_value(to, name);
    fprintf(to, "\"} %d\n", value);
}

/* The next word is neither the payer's nor time's alone: the mediator's, which goes on with those
 * of orderbook_order_open_each by itself, or that of whoever gives the credit that is owed. */
static bool waits(enum order_state s)
{
    return s != STATE_REQUESTED && s != STATE_CLAIMED && s != STATE_DELIVERED &&
           s != STATE_REVERSED;
}

static enum tp_err on_count(void *ctx, const struct orderbook_count *c, struct tp_error *e)
{
    struct metrics *m = ctx;
    char labels[64], amount[MONEY_TEXT_MAX];

    (void)e;
    snprintf(labels, sizeof(labels), "{state=\"%s\",currency=\"%s\",means=\"%s\"}",
             order_state_name(c->state), currency_shown(c->currency), means_name(c->means));
    fprintf(m->to[ORDERS], PREFIX "%s%s %" PRId64 "\n", families[ORDERS].name, labels, c->n);
    fprintf(m->to[AMOUNT], PREFIX "%s%s %s\n", families[AMOUNT].name, labels,
            money_shown(amount, c->amount, c->currency));
    if (waits(c->state))
        fprintf(m->to[OLDEST], PREFIX "%s%s %" PRId64 "\n", families[OLDEST].name, labels,
                c->oldest);
    return TP_OK;
}

static enum tp_err on_service(void *ctx, const struct orderbook_service *s, struct tp_error *e)
{
    struct metrics *m = ctx;

    (void)e;
    put_named(m->to[SERVICES], families[SERVICES].name, "service", s->name, s->closed == 0);
    return TP_OK;
}

static enum tp_err on_acquirer(void *ctx, const struct reg_acquirer *a, struct tp_error *e)
{
    struct metrics *m = ctx;

    (void)e;
    put_named(m->to[ACQUIRERS], families[ACQUIRERS].name, "acquirer", a->id, true);
    return TP_OK;
}

static enum tp_err put_disputes(const struct metrics *m, struct orderbook *b, struct tp_error *e)
{
    struct dispute_count c = {0};
    const enum tp_err r = disputes_count(b, time(NULL), &c, e);

    if (r == TP_OK)
        fprintf(m->to[DISPUTES],
                PREFIX "disputes{which=\"under_way\"} %" PRId64 "\n" PREFIX
                       "disputes{which=\"overdue\"} %" PRId64 "\n",
                c.waiting, c.overdue);
    return r;
}

enum tp_err metrics_print(struct orderbook *b, const char *dir, struct tp_error *e)
{
    struct metrics m;
    const struct registry_events events = {&m, on_acquirer};
    struct registry *registry = NULL;
    enum tp_err r = start(&m, e);

    if (r == TP_OK)
        r = orderbook_order_count(b, on_count, &m, e);
    if (r == TP_OK)
        r = orderbook_service_each(b, on_service, &m, e);
    if (r == TP_OK)
        r = put_disputes(&m, b, e);
    if (r == TP_OK)
        r = registry_open(&registry, dir, &events, e);
    registry_close(&registry);
    return end(&m, r, e);
}
