/* telepay card: shows a card, asks nothing of it. */
#include <stdlib.h>
#include <string.h>

#include "apdu/emvbits.h"
#include "base/bcd.h"
#include "base/cli.h"
#include "base/date.h"
#include "base/document.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mask.h"
#include "base/text.h"
#include "base/word.h"
#include "decode/decode.h"
#include "drivers/readers.h"
#include "payer/card_tree.h"
#include "payer/commands.h"
#include "payer/person.h"
#include "payer/report.h"
#include "payer/terminal.h"
#include "payer/trace.h"

struct words {
    const char *config, *reader, *trace;
    bool json, verbose, unmasked;
    int wait_ms;
};

enum { CONFIG = 0x100, READER, WAIT, TRACE, UNMASKED };

static const struct argp_option options[] = {
    {"config", CONFIG, "FILE", 0,
     N_("a terminal's configuration, for its applications and authority keys"), 0},
    {"reader", READER, "NAME|NUMBER", 0,
     N_("the reader whose name contains NAME, or its NUMBER in the list; else the first with a "
        "card"),
     0},
    {"wait", WAIT, "SECONDS", 0, N_("how long to wait for a card [0]"), 0},
    {"trace", TRACE, "FILE", 0,
     N_("write what passes between terminal and card to FILE, sensitive data masked"), 0},
    {"json", 'j', NULL, 0, N_("print all that was read as JSON"), 0},
    {"verbose", 'v', NULL, 0,
     N_("print all that the card says, object by object in words, with its logs and counters"), 0},
    {"unmasked", UNMASKED, NULL, 0,
     N_("with -v: mask nothing; of a card that is not of the test scheme after a yes"), 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;
    char *end;
    long seconds;

    switch (key) {
    case CONFIG:
        w->config = arg;
        return 0;
    case READER:
        w->reader = arg;
        return 0;
    case WAIT:
        seconds = strtol(arg, &end, 10);
        if (*arg == '\0' || *end != '\0' || seconds < 0 || seconds > 86400)
            argp_error(state, _("--wait takes a number of seconds from 0 to 86400, not \"%s\""),
                       arg);
        w->wait_ms = (int)seconds * 1000;
        return 0;
    case TRACE:
        w->trace = arg;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case 'v':
        w->verbose = true;
        return 0;
    case UNMASKED:
        w->unmasked = true;
        return 0;
    case ARGP_KEY_END:
        if (w->unmasked && !w->verbose)
            argp_error(state, _("--unmasked goes with -v"));
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, _("\"%s\" is not an option"), arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

#define NAMES_WIDTH 16

/* What stands before a line; it is as wide in characters, not in bytes. */
static void name_line(const char *name)
{
    printf("  %s%*s ", name, NAMES_WIDTH - (int)mbstowcs(NULL, name, 0), "");
}

static void line(const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    name_line(name);
    puts(value);
}

static void print_number(const struct transaction *tx)
{
    const struct span pan = transaction_get(tx, TAG_PAN),
                      psn = transaction_get(tx, TAG_PAN_SEQUENCE),
                      name = transaction_get(tx, TAG_CARDHOLDER_NAME);
    char digits[21], masked[PAN_TEXT_MAX], text[64];
    uint64_t number;

    if (pan.n > 0 && pan.n <= 10 && bcd_get_cn(pan, digits) == TP_OK && strlen(digits) <= PAN_MAX) {
        snprintf(text, sizeof(text), "%s", mask_pan(masked, digits));
        if (psn.n == 1 && bcd_get(psn, &number) == TP_OK)
            snprintf(text, sizeof(text), _("%s, sequence number %02u"), masked,
                     (unsigned)(number % 100));
        line(_("Card"), text);
    }
    text[0] = '\0';
    for (size_t i = 0; i < name.n && i + 1 < sizeof(text); i++) {
        text[i] = name.p[i] >= 0x20 && name.p[i] <= 0x7E ? (char)name.p[i] : '?';
        text[i + 1] = '\0';
    }
    line(_("Cardholder"), text);
}

static const char *day(char out[DATE_TEXT_MAX], struct span yymmdd)
{
    int date;

    return yymmdd.n == 3 && date_from_yymmdd(&date, yymmdd) == TP_OK ? date_format(out, date) : "";
}

static void print_validity(const struct transaction *tx, int today)
{
    const struct span expiry = transaction_get(tx, TAG_EXPIRY);
    char from[DATE_TEXT_MAX], until[DATE_TEXT_MAX], text[96];
    const char *first = day(from, transaction_get(tx, TAG_EFFECTIVE)), *last = day(until, expiry);
    int date;

    if (last[0] == '\0' || date_from_yymmdd(&date, expiry) != TP_OK)
        return;
    if (first[0] != '\0')
        snprintf(text, sizeof(text),
                 date < today ? _("from %s until %s (expired)") : _("from %s until %s"), first,
                 last);
    else
        snprintf(text, sizeof(text), date < today ? _("until %s (expired)") : _("until %s"), last);
    line(_("Valid"), text);
}

/* Who issued it: the identifier that the issuer's certificate and the card name, its country, its
 * bank code. */
static void print_issuer(const struct transaction *tx)
{
    const struct kernel_authentication *a = transaction_authentication(tx);
    const struct span country = transaction_get(tx, TAG_ISSUER_COUNTRY),
                      bic = transaction_get(tx, 0x5F54);
    const struct span name = transaction_get(tx, TAG_DF_NAME),
                      index = transaction_get(tx, TAG_CA_INDEX);
    char text[320] = "", rid[11] = "", date[DATE_TEXT_MAX];
    uint64_t number;
    size_t n = 0;

    if (a != NULL && a->issuer[0] != '\0')
        n += (size_t)snprintf(text, sizeof(text), _("number %s"), a->issuer);
    if (country.n == 2 && bcd_get(country, &number) == TP_OK)
        n += (size_t)snprintf(text + n, sizeof(text) - n,
                              n > 0 ? _(", country %03u (ISO 3166)") : _("country %03u (ISO 3166)"),
                              (unsigned)number);
    if (bic.n == 8 || bic.n == 11)
        snprintf(text + n, sizeof(text) - n, n > 0 ? _(", bank %.*s") : _("bank %.*s"), (int)bic.n,
                 (const char *)bic.p);
    word_make_shown(text);
    line(_("Issuer"), text);
    if (a == NULL)
        return;
    if (a->authority != NULL) {
        n = (size_t)snprintf(text, sizeof(text), _("key %02X of %s (%s)"), a->authority->index,
                             hex_encode(rid, SPAN_OF(a->authority->rid)), a->authority->source);
        if (a->authority_expired)
            snprintf(text + n, sizeof(text) - n, _(", past the date that its list has: %s"),
                     date_format(date, a->authority->expiry));
        line(_("Authority"), text);
    }
    if (a->check == EMV_CHECK_NO_KEY && index.n == 1 && name.n >= 5)
        snprintf(text, sizeof(text),
                 _("not checked: key %02X of %s is not known here (a telepay.conf names the keys "
                   "of its terminal)"),
                 index.p[0], hex_encode(rid, span_of(name.p, 5)));
    else if (a->failed_at != NULL && a->authority == NULL && index.n == 1 &&
             name.n >= 5) /* no key of that index opens it */
        snprintf(text, sizeof(text), _("the %s is not good under key %02X of %s: %s"),
                 _(a->failed_at), index.p[0], hex_encode(rid, span_of(name.p, 5)),
                 _(emv_check_text(a->check)));
    else if (a->failed_at != NULL)
        snprintf(text, sizeof(text), _("the %s is not good: %s"), _(a->failed_at),
                 _(emv_check_text(a->check)));
    else if (a->ok)
        snprintf(text, sizeof(text), _("good: issuer %zu bits, card %zu bits"), a->issuer_bits,
                 a->icc_bits);
    else
        snprintf(text, sizeof(text), "%s",
                 a->method == KERNEL_METHOD_NONE ? _("none") : _("not checked"));
    line(_("Certificates"), text);
}

/* XDA, SDA, DDA, CDA: bits 8, 7, 6 and 1 of the first byte of the AIP (Book 3, C1). */
static void print_methods(const struct transaction *tx)
{
    const struct span aip = transaction_get(tx, TAG_AIP);
    char text[32];

    if (aip.n != 2)
        return;
    snprintf(text, sizeof(text), "%s%s%s%s", aip.p[0] & AIP_XDA ? "XDA " : "",
             aip.p[0] & AIP_SDA ? "SDA " : "", aip.p[0] & AIP_DDA ? "DDA " : "",
             aip.p[0] & AIP_CDA ? "CDA" : "");
    line(_("Authentication"), text[0] != '\0' ? text : _("none"));
}

/* The CVM list: X and Y, then rules of two bytes (Book 3, 10.5). */
static void print_verification(const struct transaction *tx)
{
    const struct span list = transaction_get(tx, TAG_CVM_LIST);
    const char *name = _("Verification");

    for (size_t i = 8; i + 1 < list.n; i += 2) {
        name_line(name);
        printf(list.p[i] & CVM_APPLY_NEXT ? _("%zu. %s; %s; if it fails, the next\n")
                                          : _("%zu. %s; %s\n"),
               (i - 8) / 2 + 1, _(emv_cvm_name(list.p[i])),
               _(emv_cvm_condition_name(list.p[i + 1])));
        name = "";
    }
}

/* Where the card may be used: Application Usage Control (Book 3, C2). */
static void print_usage(const struct transaction *tx)
{
    const struct span auc = transaction_get(tx, TAG_AUC);
    const char *name = _("Usage");

    for (unsigned i = 0; i < 8 * auc.n && i < 16; i++)
        if ((auc.p[i / 8] & 0x80 >> i % 8) != 0 &&
            emv_bit_name(EMV_BITMAP_AUC, i / 8 + 1, 8 - i % 8) != NULL) {
            line(name, _(emv_bit_name(EMV_BITMAP_AUC, i / 8 + 1, 8 - i % 8)));
            name = "";
        }
}

static unsigned be16(struct span two)
{
    return (unsigned)two.p[0] << 8 | two.p[1];
}

static void print_counters(const struct transaction *tx)
{
    const struct span atc = transaction_get(tx, TAG_ATC),
                      online = transaction_get(tx, TAG_LAST_ONLINE_ATC);
    const unsigned tries = transaction_pin_tries(tx);
    char text[160];
    size_t n = 0;

    text[0] = '\0';
    if (atc.n == 2)
        n += (size_t)snprintf(text, sizeof(text),
                              ngettext("%u transaction", "%u transactions", be16(atc)), be16(atc));
    if (online.n == 2)
        n += (size_t)snprintf(text + n, sizeof(text) - n,
                              n > 0 ? _(", last online at %u") : _("last online at %u"),
                              be16(online));
    if (tries != 0xFF)
        snprintf(text + n, sizeof(text) - n,
                 n > 0 ? ngettext(", %u PIN try left", ", %u PIN tries left", tries)
                       : ngettext("%u PIN try left", "%u PIN tries left", tries),
                 tries);
    line(_("Counters"), text);
}

static void print_application(const struct transaction *tx, int today)
{
    const struct candidate *c = transaction_application(tx);
    char aid[33];

    if (c != NULL)
        printf(transaction_live(tx)
                   ? _("%s (%s), a live scheme: read, never asked to sign unless you say so\n")
                   : "%s (%s)\n",
               c->label[0] != '\0' ? c->label : _("Application"),
               hex_encode(aid, span_of(c->aid, c->aid_n)));
    if (transaction_outcome(tx) != KERNEL_READ_ONLY)
        line(_("Not read whole"), transaction_reason(tx));
    print_number(tx);
    print_validity(tx, today);
    print_issuer(tx);
    print_methods(tx);
    print_verification(tx);
    print_usage(tx);
    print_counters(tx);
}

static enum tp_err print_json(struct reader *reader, struct transaction *const *list, size_t n,
                              json_t *tree)
{
    char atr[2 * READER_ATR_MAX + 1];
    json_t *applications = json_array(), *one;
    enum tp_err r = applications != NULL ? TP_OK : TP_ERR_NO_MEMORY;

    for (size_t i = 0; r == TP_OK && i < n; i++) {
        r = report_transaction(&one, list[i]);
        if (r == TP_OK && json_array_append_new(applications, one) != 0)
            r = TP_ERR_NO_MEMORY;
    }
    if (r != TP_OK) {
        json_decref(applications);
        return r;
    }
    return document_print(json_pack("{s:s, s:s, s:o, s:O?}", "reader", reader_name(reader), "atr",
                                    hex_encode(atr, reader_atr(reader)), "applications",
                                    applications, "objects", tree),
                          false);
}

static void print_text(struct reader *reader, struct transaction *const *list, size_t n, int today,
                       const json_t *tree)
{
    char atr[2 * READER_ATR_MAX + 1];

    printf(_("Reader %s, ATR %s\n"), reader_name(reader), hex_encode(atr, reader_atr(reader)));
    for (size_t i = 0; i < n; i++)
        print_application(list[i], today);
    if (tree != NULL)
        decode_print(stdout, tree);
}

static bool stays(void *person, enum tp_err missing)
{
    (void)missing;
    return person_stays(person, 0);
}

static enum tp_err wait_card(const struct words *w, struct reader *reader, struct person *person,
                             struct tp_error *e)
{
    const enum tp_err r = readers_wait_card(reader, w->wait_ms, stays, person, e);

    return r == TP_ERR_CANCELLED ? tp_fail(e, r, "given up before a card was inserted") : r;
}

/* Of --trace, of -v, or of both: who hears what passes. */
struct listeners {
    struct trace *trace;
    struct card_tree *tree;
};

static void hear(void *ctx, struct span command, struct span response)
{
    const struct listeners *l = ctx;

    if (l->trace != NULL)
        trace_exchange(l->trace, command, response);
    if (l->tree != NULL)
        card_tree_exchange(l->tree, command, response);
}

static enum tp_err reach(const struct words *w, struct reader **reader, struct terminal **terminal,
                         struct listeners *listeners, struct person *person, struct tp_error *e)
{
    enum tp_err r =
        w->config != NULL ? terminal_load(terminal, w->config, e) : terminal_reading(terminal, e);

    if (r == TP_OK && w->trace != NULL)
        r = trace_open(&listeners->trace, w->trace, false, e);
    if (r == TP_OK && w->verbose && card_tree_new(&listeners->tree) != TP_OK)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    if (r != TP_OK || (r = readers_open(reader, w->reader, e)) != TP_OK ||
        (r = wait_card(w, *reader, person, e)) != TP_OK)
        return readers_usable(r);
    reader_set_trace(*reader, hear, listeners);
    reader_set_goes_on(*reader, person_reads, person);
    r = reader_connect(*reader, e);
    if (r == TP_OK)
        trace_reader(listeners->trace, *reader);
    return readers_usable(r);
}

/* -v: what else there is to read, and all of it as a tree. A card that is not of the test scheme is
 * shown whole on its owner's word alone. */
static enum tp_err make_tree(json_t **out, const struct words *w, struct card_tree *tree,
                             struct reader *reader, const struct terminal *terminal,
                             struct transaction *const *list, size_t n, struct tp_error *e)
{
    enum tp_err r;

    *out = NULL;
    if (tree == NULL)
        return TP_OK;
    r = card_tree_read_more(tree, reader, list, n, e);
    if (r != TP_OK)
        return r;
    if (w->unmasked && !card_tree_test(tree) &&
        !cli_agrees(
            _("This is not a card of the test scheme. Show its number and all else it says?")))
        return tp_fail(
            e, TP_ERR_CANCELLED,
            "not shown unmasked: the card is not of the test scheme, and nobody said yes");
    if (w->json)
        text_english();
    r = card_tree_make(out, tree, terminal->kernel.authorities, w->unmasked);
    return r == TP_OK ? r : tp_fail(e, r, "out of memory");
}

static enum tp_err run(const struct words *w, struct tp_error *e)
{
    struct transaction *list[KERNEL_CANDIDATES_MAX] = {NULL};
    struct terminal *terminal = NULL;
    struct reader *reader = NULL;
    struct listeners listeners = {NULL, NULL};
    json_t *tree = NULL;
    struct person *person = NULL;
    const struct person_options nobody = {.pin_fd = -1};
    struct tp_error trace_error = {0};
    const int today = date_of(time(NULL));
    size_t n = 0;
    enum tp_err r = person_new(&person, &nobody, e);

    if (r == TP_OK)
        r = reach(w, &reader, &terminal, &listeners, person, e);

    if (r == TP_OK)
        r = kernel_read_card(list, KERNEL_CANDIDATES_MAX, &n, reader, &terminal->kernel, today, e);
    if (r == TP_OK)
        r = make_tree(&tree, w, listeners.tree, reader, terminal, list, n, e);
    if (r == TP_OK && w->json)
        r = print_json(reader, list, n, tree);
    else if (r == TP_OK)
        print_text(reader, list, n, today, tree);
    if (r == TP_OK && n == 0)
        r = tp_fail(e, TP_ERR_CARD, "the card in %s has no payment application that is known here",
                    reader_name(reader));
    for (size_t i = 0; i < n; i++)
        transaction_free(&list[i]);
    reader_close(&reader);
    if (trace_close(&listeners.trace, &trace_error) != TP_OK)
        log_error("%s", trace_error.text);
    json_decref(tree);
    card_tree_free(&listeners.tree);
    terminal_free(&terminal);
    person_free(&person);
    return r;
}

int payer_card(int argc, char **argv)
{
    static const struct argp argp = {
        options, parse,
        NULL,    N_("Read the card in the reader. It is not asked to sign, and no PIN is needed."),
        NULL,    NULL,
        NULL};
    struct words w = {0};
    struct tp_error e = {0};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = run(&w, &e);
    if (r == TP_OK)
        return CLI_DONE;
    e.code = r;
    return cli_report(&e);
}
