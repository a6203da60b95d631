/* telepay void: takes back a payment that is not yet in a closed remise. */
#include "base/cli.h"
#include "base/date.h"
#include "base/document.h"
#include "base/log.h"
#include "base/text.h"
#include "payer/commands.h"
#include "payer/deliver.h"
#include "payer/person.h"
#include "payer/ticket_words.h"

struct words {
    const char *config, *payment;
    struct ticket_wish ticket;
    bool json, verbose;
};

enum { CONFIG = 0x100 };

static const struct argp_option options[] = {
    {"config", CONFIG, "FILE", 0,
     N_("the terminal's configuration, made by telepay-acquirer terminal add"), 0},
    {"json", 'j', NULL, 0, N_("print the payment as JSON instead of the receipt"), 0},
    {"verbose", 'v', NULL, 0, N_("say the messages to and from the acquirer"), 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &w->ticket;
        return 0;
    case CONFIG:
        w->config = arg;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case 'v':
        w->verbose = true;
        return 0;
    case ARGP_KEY_ARG:
        if (w->payment != NULL)
            argp_error(state, _("\"%s\" is one word too many"), arg);
        w->payment = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->config == NULL || w->payment == NULL)
            argp_error(state, w->config == NULL
                                  ? _("--config is missing")
                                  : _("say which payment: its reference (RRN) or number, which "
                                      "stand in telepay journal list, or \"last\""));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* What is taken back already, and the acquirer does not know yet, is told it again. */
static enum tp_err mark(struct journal *j, int64_t id, const struct receipt *r, struct buf *message,
                        struct tp_error *e)
{
    struct tm now;
    unsigned stan = 0;
    time_t t;
    enum tp_err rc;

    if (r->voided && r->state == PAYMENT_TO_REVERSE)
        return TP_OK;
    date_now(&now, &t);
    rc = journal_next_stan(j, date_of(t), &stan, e);
    if (rc == TP_OK)
        rc = message_void(message, r, stan, t, e);
    return rc == TP_OK ? journal_void(j, id, buf_span(message), e) : rc;
}

static void ignore(void *ctx, const struct receipt *r)
{
    (void)ctx;
    (void)r;
}

static enum tp_err tell(const struct terminal *t, struct journal *j, int64_t id,
                        struct buf *message, struct tp_error *e)
{
    const struct person_options nobody = {.pin_fd = -1};
    struct deliverer *d = NULL;
    struct person *p = NULL;
    struct wire_answer a;
    enum tp_err r = person_new(&p, &nobody, e);

    if (r == TP_OK)
        r = deliverer_new(&d, t, person_stays, p, e);
    if (r == TP_OK)
        r = message->n > 0 ? deliver(d, j, id, message, false, &a, e)
                           : deliver_pending(d, j, ignore, NULL, e);
    if (r != TP_OK)
        tp_error_prefix(e, "it is kept to be taken back, and the acquirer does not know yet: "
                           "`telepay journal send`, or the next `telepay pay`, tells it");
    deliverer_free(&d);
    person_free(&p);
    return r;
}

static enum tp_err take_back(const struct words *w, struct terminal **t, struct receipt *r,
                             bool *found, struct tp_error *e)
{
    struct journal *j = NULL;
    uint8_t room[256];
    struct buf message = BUF_OF(room);
    struct tp_error why;
    int64_t id = 0;
    enum tp_err rc = terminal_load(t, w->config, e), read;

    if (rc == TP_OK)
        rc = journal_open(&j, (*t)->journal, e);
    if (rc == TP_OK)
        rc = journal_find(j, w->payment, true, &id, r, e);
    if (rc == TP_OK)
        rc = mark(j, id, r, &message, e);
    if (rc == TP_OK) {
        rc = tell(*t, j, id, &message, e);
        read = journal_get(j, id, r, &why);
        *found = read == TP_OK;
        if (rc == TP_OK && read != TP_OK) {
            rc = read;
            *e = why;
        }
    }
    journal_close(&j);
    return rc;
}

int payer_void(int argc, char **argv)
{
    static const struct argp_child children[] = {{&ticket_words, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        options,
        parse,
        N_("PAYMENT"),
        N_("Take back a payment, or a refund, that is not yet in a closed remise, and print its "
           "receipt. PAYMENT is its reference (RRN) or number, or \"last\"."),
        children,
        NULL,
        NULL};
    struct words w = {0};
    struct tp_error e = {0};
    struct terminal *t = NULL;
    struct receipt receipt = {.state = PAYMENT_DECLINED};
    bool found = false;
    int code;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    if (w.verbose)
        log_start("telepay", LOG_LEVEL_TRACE, 0);
    r = take_back(&w, &t, &receipt, &found, &e);
    if (found && w.json && document_print(receipt_shown(&receipt), false) != TP_OK)
        log_error("the receipt cannot be printed");
    code = cli_end(r, &e);
    if (found && !w.json)
        ticket_show(&w.ticket, t, &receipt);
    if (found && ticket_print(&w.ticket, t, &receipt, true, &e) != TP_OK)
        log_error("%s", e.text);
    terminal_free(&t);
    return code == CLI_DONE && receipt.state != PAYMENT_REVERSED ? CLI_DECLINED : code;
}
