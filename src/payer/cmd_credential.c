/* telepay credential: pays for another HTTP client, which brings the challenge and takes the
 * credential away. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "payer/card_words.h"
#include "payer/commands.h"
#include "payer/credential.h"
#include "payer/order_words.h"
#include "wire/jcs.h"

#define INPUT_MAX 131072
#define FIELD     "WWW-Authenticate:"
#define AGAIN_S   600 /* the same resource is asked for again so soon: its client lost an answer */

struct words {
    bool header;
    struct pay_options pay;
    struct checkout_options checkout;
};

enum { HEADER = 256 };

static const struct argp_option options[] = {
    {"header", HEADER, NULL, 0,
     N_("print the value of the field Authorization, not the payload alone"), 0},
    {"verbose", 'v', NULL, 0, N_("say each step"), 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    (void)arg;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &w->pay;
        state->child_inputs[1] = &w->checkout;
        return 0;
    case HEADER:
        w->header = true;
        return 0;
    case 'v':
        w->pay.person.verbose = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- the challenge ---- */

static struct span trim(const char *text, size_t n)
{
    while (n > 0 && strchr(" \t\r\n", text[0]) != NULL) {
        text++;
        n--;
    }
    while (n > 0 && strchr(" \t\r\n", text[n - 1]) != NULL)
        n--;
    return span_of(text, n);
}

/* A challenge's parameters as a JSON object. */
static enum tp_err read_object(struct payment_offers *out, struct span text, struct tp_error *e)
{
    enum tp_err r = jcs_read(&out->owner, text, e);

    if (r == TP_OK)
        r = payment_challenge_from_json(&out->offer[0], out->owner, e);
    out->n = r == TP_OK ? 1 : 0;
    return r;
}

/* Takes one off, without the name of its field. */
static struct span next_line(struct span *text)
{
    const uint8_t *end = memchr(text->p, '\n', text->n);
    const size_t n = end != NULL ? (size_t)(end - text->p) : text->n;
    struct span line = trim((const char *)text->p, n);

    *text = trim((const char *)text->p + n, text->n - n);
    if (line.n >= strlen(FIELD) && strncasecmp((const char *)line.p, FIELD, strlen(FIELD)) == 0)
        line = trim((const char *)line.p + strlen(FIELD), line.n - strlen(FIELD));
    return line;
}

/* That, or the fields: line by line, each with its name or without. */
static enum tp_err read_challenge(struct payment_offers *out, struct tp_error *e)
{
    static char room[INPUT_MAX + 1];
    const size_t n = fread(room, 1, INPUT_MAX, stdin);
    struct span text = trim(room, n);
    enum tp_err r;

    if (text.n == 0 || n == INPUT_MAX)
        return tp_fail(
            e, TP_ERR_USAGE,
            "standard input has no challenge: give it the line WWW-Authenticate of a 402");
    r = TP_OK;
    if (text.p[0] == '{')
        return read_object(out, text, e);
    while (r == TP_OK && text.n > 0)
        r = payment_offers_add(out, next_line(&text), e);
    return r;
}

/* ---- the credential ---- */

static enum tp_err print(const struct kept_order *o, bool header, struct tp_error *e)
{
    char *field = NULL;
    json_t *credential = NULL;
    enum tp_err r;

    if (header) {
        r = credential_field(&field, o->secret, e);
        if (r == TP_OK && (puts(field) == EOF || fflush(stdout) != 0))
            r = tp_fail(e, TP_ERR_IO, "the credential cannot be written");
        if (field != NULL)
            secret_wipe(field, strlen(field));
        free(field);
        return r;
    }
    r = jcs_read(&credential, span_str(credential_text(o->secret)), e);
    if (r == TP_OK &&
        (json_dumpf(json_object_get(credential, "payload"), stdout, JSON_COMPACT) != 0 ||
         putchar('\n') == EOF || fflush(stdout) != 0))
        r = tp_fail(e, TP_ERR_IO, "the credential cannot be written");
    json_decref(credential);
    return r;
}

/* A client that lost an answer asks with a new challenge, and gets what it had: nothing is paid
 * twice. What was handed out long ago has reached its client, as far as anybody knows. */
static enum tp_err find_before(const struct checkout *c, const struct demand *d,
                               struct kept_order *out, bool *found, struct tp_error *e)
{
    const struct order *o = &d->order;
    char said[CHECKOUT_SAID];
    enum tp_err r = TP_OK;

    *found = false;
    while (r == TP_OK) {
        r = orders_owed(c->journal, o->method, o->url, o->digest, out, e);
        if (r != TP_OK)
            break;
        *found = time(NULL) - out->made < AGAIN_S && out->secret != NULL;
        if (*found)
            return TP_OK;
        if (out->state != KEPT_ACKNOWLEDGED)
            return tp_fail(e, TP_ERR_PEER,
                           "this is signed already, by the order %s, and what became of it is not "
                           "known yet: not paid again; `telepay order send%s` asks",
                           out->order, checkout_said(said, c->options));
        out->delivered = true;
        r = orders_update(c->journal, out, e);
        kept_order_free(out);
    }
    return r == TP_ERR_NOT_FOUND ? TP_OK : r;
}

/* What was signed answers its own challenge: a client that puts the payload beside another one only
 * has it refused. */
static enum tp_err print_before(const struct kept_order *before, const struct demand *d,
                                bool header, struct tp_error *e)
{
    json_t *answered = NULL;
    enum tp_err r = header ? TP_OK : jcs_read(&answered, span_str(before->challenge), e);

    if (r == TP_OK && !header && !json_equal(answered, d->json))
        r = tp_fail(e, TP_ERR_STATE,
                    "this is signed already, by the order %s, whose challenge is another: not paid "
                    "again; --header prints its whole credential, which gets what was paid",
                    before->order);
    json_decref(answered);
    return r == TP_OK ? print(before, header, e) : r;
}

static enum cli_exit pay(struct checkout *c, const struct demand *d, const struct words *w,
                         struct tp_error *e)
{
    struct pay_order order = {.demand = d, .content = true, .hands_out = true};
    struct pay_result result;
    enum tp_err r;

    checkout_pay(c, &order, &w->pay, &result);
    enum cli_exit exit = result.exit;

    *e = result.error;
    if (e->code == TP_OK && exit != CLI_DONE)
        (void)tp_fail(e, TP_ERR_CANCELLED, "%s: nothing is paid", result.receipt.reason);
    if (e->code == TP_OK && exit == CLI_DONE) {
        r = print(&order.kept, w->header, e);
        exit = r == TP_OK ? CLI_DONE : (enum cli_exit)cli_exit_of(r);
    }
    pay_result_free(&result);
    pay_order_free(&order);
    return exit;
}

static enum cli_exit run(const struct words *w, struct fetch *fetch,
                         const struct payment_offers *asked, struct tp_error *e)
{
    struct checkout c = {0};
    struct demand demand = {0};
    struct kept_order before = {0};
    bool found = false;
    enum cli_exit exit = CLI_DONE;
    enum tp_err r;

    checkout_recover(&w->checkout, fetch);
    r = checkout_open(&c, &w->checkout, fetch, e);
    if (r == TP_OK) {
        r = checkout_choose(&c, &demand, asked, NULL, e);
        if (r == TP_ERR_NOT_FOUND)
            r = tp_fail(e, TP_ERR_USAGE,
                        "the challenge is none that a card can pay (method emv) or a purse");
    }
    if (r == TP_OK)
        r = find_before(&c, &demand, &before, &found, e);
    if (r == TP_OK && found)
        r = print_before(&before, &demand, w->header, e);
    else if (r == TP_OK && (r = checkout_allows(&c, &demand, e)) == TP_OK)
        exit = pay(&c, &demand, w, e);
    kept_order_free(&before);
    demand_free(&demand);
    checkout_close(&c);
    return r == TP_OK ? exit : (enum cli_exit)cli_exit_of(r);
}

int payer_credential(int argc, char **argv)
{
    static const struct argp_child children[] = {
        {&card_words, 0, NULL, 0}, {&order_words, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        options,
        parse,
        NULL,
        N_("Pay for another HTTP client: reads a challenge (the line WWW-Authenticate of a 402, or "
           "its parameters as JSON; of several lines one is chosen) from standard input, has the "
           "card in the reader or your account at a purse sign it, and prints the payload of the "
           "credential as JSON."),
        children,
        NULL,
        NULL};
    struct words w = {.pay = CARD_WORDS_NONE, .checkout = ORDER_WORDS_NONE};
    struct payment_offers asked = {.n = 0};
    struct fetch *fetch = NULL;
    struct tp_error e = {TP_OK, ""};
    enum cli_exit exit;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = read_challenge(&asked, &e);
    if (r == TP_OK)
        r = fetch_new(&fetch, &(struct fetch_options){.cacert = w.checkout.cacert}, &e);
    exit = r == TP_OK ? run(&w, fetch, &asked, &e) : (enum cli_exit)cli_exit_of(r);
    if (exit != CLI_DONE)
        log_error("%s", e.text[0] != '\0' ? e.text : tp_err_text(e.code));
    fetch_free(&fetch);
    payment_offers_free(&asked);
    return exit;
}
