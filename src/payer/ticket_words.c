#include "payer/ticket_words.h"

#include <stdlib.h>
#include <string.h>

#include "payer/printer.h"

#define OF_CONFIGURATION "-" /* as DEVICE */

enum { PRINT = TICKET_WORDS_FIRST, TICKET };

static const struct argp_option options[] = {
    {"print", PRINT, "DEVICE", 0,
     "print the tickets as ESC/POS on a device, FIFO or file; \"" OF_CONFIGURATION
     "\": on the printer that telepay.conf names",
     0},
    {"ticket", TICKET, "WHOSE", 0,
     "customer, merchant or both; else the customer's is shown and both are printed", 0},
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
            argp_error(state, "--ticket takes customer, merchant or both, not \"%s\"", arg);
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

static const char *device_of(const struct ticket_wish *w, const struct ticket_style *style,
                             bool always)
{
    if (w->device != NULL && strcmp(w->device, OF_CONFIGURATION) != 0)
        return w->device;
    return w->device != NULL || always ? style->printer : "";
}

static enum tp_err print_on(const char *device, const struct ticket_wish *w,
                            const struct terminal *t, const struct receipt *r, struct tp_error *e)
{
    char *bytes = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&bytes, &n);
    enum tp_err rc;

    if (to == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    if (w->merchant || !w->customer)
        put(to, t, true, r, TICKET_MERCHANT);
    if (w->customer || !w->merchant)
        put(to, t, true, r, TICKET_CUSTOMER);
    rc = fclose(to) == 0 ? printer_write(device, span_of(bytes, n), e)
                         : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    free(bytes);
    return rc;
}

enum tp_err ticket_print(const struct ticket_wish *w, const struct terminal *t,
                         const struct receipt *r, bool always, struct tp_error *e)
{
    const char *device = device_of(w, style_of(t), always);
    enum tp_err rc;

    if (device[0] == '\0' && w->device == NULL)
        return TP_OK;
    rc = device[0] == '\0'
             ? tp_fail(e, TP_ERR_USAGE, "telepay.conf names no \"printer\" in section [ticket]")
             : print_on(device, w, t, r, e);
    if (rc != TP_OK)
        (void)tp_error_prefix(e, "the ticket is not printed, and the payment is as it was "
                                 "(`telepay journal show --print DEVICE` prints it again)");
    return rc;
}
