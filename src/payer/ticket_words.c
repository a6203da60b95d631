#include "payer/ticket_words.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "payer/printer.h"

#define OF_CONFIGURATION "-" /* as DEVICE */

enum { PRINT = TICKET_WORDS_FIRST, TICKET };

static const struct argp_option options[] = {
    {"print", PRINT, "DEVICE", 0, PRINT_HELP, 0},
    {"ticket", TICKET, "WHOSE", 0,
     N_("customer, merchant or both; else the customer's is shown and both are printed"), 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct ticket_wish *w = state->input;

    switch (key) {
    case PRINT:
        w->device = arg;
        return 0;
    case TICKET:
        w->customer = strcmp(arg, "merchant") != 0;
        w->merchant = strcmp(arg, "customer") != 0;
        if (w->customer && w->merchant && strcmp(arg, "both") != 0)
            argp_error(state, _("--ticket takes customer, merchant or both, not \"%s\""), arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp ticket_words = {options, parse, NULL, NULL, NULL, NULL, NULL};

static const struct ticket_style usual = {
    .languages = {TICKET_ENGLISH}, .languages_n = 1, .width = PAPER_WIDTH};

static const struct ticket_style *style_of(const struct terminal *t)
{
    return t != NULL && t->ticket.languages_n > 0 ? &t->ticket : &usual;
}

static void put(FILE *to, const struct terminal *t, bool escpos, const struct receipt *r,
                enum ticket_whom whom)
{
    const struct ticket_style *style = style_of(t);
    const struct paper paper = {to, style->width, escpos};

    ticket_put(&paper, r, whom, ticket_language(style, r, whom));
}

void ticket_show(const struct ticket_wish *w, const struct terminal *t, const struct receipt *r)
{
    if (w->merchant)
        put(stdout, t, false, r, TICKET_MERCHANT);
    if (w->merchant && w->customer)
        putchar('\n');
    if (w->customer || !w->merchant)
        put(stdout, t, false, r, TICKET_CUSTOMER);
}

void ticket_show_day(const struct terminal *t, const struct day *d)
{
    const struct paper paper = {stdout, style_of(t)->width, false};

    ticket_put_day(&paper, d, t);
}

struct printing {
    const char *device;
    FILE *to; /* NULL: there is nothing to print on */
    char *bytes;
    size_t n;
};

static enum tp_err begin(struct printing *p, const char *device, bool always,
                         const struct terminal *t, struct tp_error *e)
{
    const bool configured = device == NULL ? always : strcmp(device, OF_CONFIGURATION) == 0;

    *p = (struct printing){.device = configured ? style_of(t)->printer : device};
    if (p->device == NULL || (device == NULL && p->device[0] == '\0'))
        return TP_OK;
    if (p->device[0] == '\0')
        return tp_fail(e, TP_ERR_USAGE, "telepay.conf names no \"printer\" in section [ticket]");
    p->to = open_memstream(&p->bytes, &p->n);
    return p->to != NULL ? TP_OK : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
}

static enum tp_err end(struct printing *p, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    if (p->to != NULL)
        r = fclose(p->to) == 0 ? printer_write(p->device, span_of(p->bytes, p->n), e)
                               : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    free(p->bytes);
    return r;
}

enum tp_err ticket_print(const struct ticket_wish *w, const struct terminal *t,
                         const struct receipt *r, bool always, struct tp_error *e)
{
    struct printing p;
    enum tp_err rc = begin(&p, w->device, always, t, e);

    if (p.to != NULL && (w->merchant || !w->customer))
        put(p.to, t, true, r, TICKET_MERCHANT);
    if (p.to != NULL && (w->customer || !w->merchant))
        put(p.to, t, true, r, TICKET_CUSTOMER);
    if (rc == TP_OK)
        rc = end(&p, e);
    if (rc != TP_OK)
        (void)tp_error_prefix(e, "the ticket is not printed, and the payment is as it was "
                                 "(`telepay journal show --print DEVICE` prints it again)");
    return rc;
}

enum tp_err ticket_print_day(const char *device, const struct terminal *t, const struct day *d,
                             struct tp_error *e)
{
    struct printing p;
    enum tp_err r = begin(&p, device, true, t, e);

    if (p.to != NULL)
        ticket_put_day(&(struct paper){p.to, style_of(t)->width, true}, d, t);
    if (r == TP_OK)
        r = end(&p, e);
    if (r != TP_OK)
        (void)tp_error_prefix(e, "the ticket of the day is not printed "
                                 "(`telepay day --print DEVICE` prints it again)");
    return r;
}
