#include "simcard/perso_commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/date.h"
#include "base/log.h"
#include "base/money.h"
#include "crypto/pinblock.h"
#include "simcard/perso.h"

enum {
    OPT_SCHEME = 256,
    OPT_PAN,
    OPT_NAME,
    OPT_EXPIRY,
    OPT_PIN,
    OPT_PIN_FD,
    OPT_METHOD,
    OPT_BITS,
    OPT_EXPONENT,
    OPT_CVM,
    OPT_PDOL,
    OPT_PSN,
    OPT_CURRENCY,
    OPT_COUNTRY,
    OPT_LANGUAGE,
    OPT_OFFLINE_LIMIT,
    OPT_OFFLINE_MAXIMUM,
    OPT_PIN_TRIES,
    OPT_FORMAT,
    OPT_AID,
    OPT_LABEL,
    OPT_ALSO,
    OPT_NO_PSE,
    OPT_T0,
    OPT_BLOCKED
};

struct wanted {
    struct perso_params params;
    struct secret pin;
    const char *dir, *scheme;
};

static const struct argp_option options[] = {
    {"scheme", OPT_SCHEME, "DIR", 0, "scheme the card belongs to (telepay-perso init)", 0},
    {"pan", OPT_PAN, "DIGITS", 0, "card number", 0},
    {"name", OPT_NAME, "NAME", 0, "cardholder, as SURNAME/FIRST", 0},
    {"expiry", OPT_EXPIRY, "YYYY-MM", 0, "last month the card is good for", 0},
    {"pin", OPT_PIN, "DIGITS", 0, "PIN; other users of the machine may see it while this runs: for test cards", 0},
    {"pin-fd", OPT_PIN_FD, "N", 0, "read the PIN from file descriptor N", 0},
    {"method", OPT_METHOD, "sda|dda|cda", 0, "offline authentication [cda]", 0},
    {"bits", OPT_BITS, "BITS", 0, "size of the card's key [1152]", 0},
    {"exponent", OPT_EXPONENT, "3|65537", 0, "public exponent of the card's key [3]", 0},
    {"cvm", OPT_CVM, "LIST", 0,
     "cardholder verification, rules between commas: pin, pin-or-next, online-pin, signature, none, none-always, fail, or four hex digits [pin,none]",
     0},
    {"pdol", OPT_PDOL, "HEX", 0, "what the card asks for at GET PROCESSING OPTIONS; \"\" for nothing [9F33039F1A029F3501]", 0},
    {"psn", OPT_PSN, "N", 0, "PAN sequence number [0]", 0},
    {"currency", OPT_CURRENCY, "CODE", 0, "application currency [EUR]", 0},
    {"country", OPT_COUNTRY, "NNN", 0, "issuer's country, ISO 3166 numeric [the scheme's]", 0},
    {"language", OPT_LANGUAGE, "LIST", 0, "preferred languages, two letters each [enfr]", 0},
    {"offline-limit", OPT_OFFLINE_LIMIT, "N", 0, "ask to go online after N payments offline in a row; 0 never [0]", 0},
    {"offline-maximum", OPT_OFFLINE_MAXIMUM, "N", 0, "decline after N payments in a row when online is impossible; 0 never [0]", 0},
    {"pin-tries", OPT_PIN_TRIES, "N", 0, "wrong PINs before it is blocked [3]", 0},
    {"format", OPT_FORMAT, "1|2", 0, "format of answers: 1 template 80, 2 template 77 [2]", 0},
    {"aid", OPT_AID, "HEX", 0, "application identifier [" SCHEME_AID "]", 0},
    {"label", OPT_LABEL, "TEXT", 0, "application label [" SCHEME_NAME "]", 0},
    {"also", OPT_ALSO, "AID:LABEL", 0, "one more application with the same records, of lower priority; up to three times", 0},
    {"no-pse", OPT_NO_PSE, NULL, 0, "no directory 1PAY.SYS.DDF01", 0},
    {"t0", OPT_T0, NULL, 0, "protocol T=0 instead of T=1", 0},
    {"blocked", OPT_BLOCKED, NULL, 0, "the application is blocked", 0},
    {0},
};

/* Keeps the PIN in locked memory and takes it out of the command line, where ps would show it. */
static void take_pin(struct wanted *w, char *arg, struct argp_state *state)
{
    const size_t n = strlen(arg);

    secret_free(&w->pin);
    if (secret_copy(&w->pin, span_str(arg)) != TP_OK)
        argp_failure(state, CLI_INTERNAL, 0, "out of memory");
    secret_wipe(arg, n);
}

static void read_pin(struct wanted *w, const char *arg, struct argp_state *state)
{
    const unsigned fd = perso_number(state, "pin-fd", arg, 0, 1023);
    size_t n = 0;

    secret_free(&w->pin);
    if (secret_alloc(&w->pin, PIN_MAX + 2) != TP_OK)
        argp_failure(state, CLI_INTERNAL, 0, "out of memory");
    while (n < w->pin.n) {
        const ssize_t got = read((int)fd, w->pin.p + n, w->pin.n - n);

        if (got < 0 && errno != EINTR)
            argp_failure(state, CLI_USAGE, errno, "cannot read the PIN from file descriptor %u", fd);
        if (got == 0)
            break;
        n += got > 0 ? (size_t)got : 0;
    }
    while (n > 0 && (w->pin.p[n - 1] == '\n' || w->pin.p[n - 1] == '\r'))
        n--;
    struct secret whole = {NULL, 0};

    if (secret_copy(&whole, span_of(w->pin.p, n)) != TP_OK)
        argp_failure(state, CLI_INTERNAL, 0, "out of memory");
    secret_free(&w->pin);
    w->pin = whole;
}

static void take_method(struct perso_params *p, const char *arg, struct argp_state *state)
{
    static const char *const names[] = {[PERSO_SDA] = "sda", [PERSO_DDA] = "dda", [PERSO_CDA] = "cda"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(arg, names[i]) == 0) {
            p->method = (enum perso_method)i;
            return;
        }
    argp_error(state, "--method is sda, dda or cda, not \"%s\"", arg);
}

static void take_currency(struct perso_params *p, const char *arg, struct argp_state *state)
{
    const struct currency *c = currency_by_alpha(arg);

    if (c == NULL)
        argp_error(state, "ISO 4217 has no currency \"%s\"", arg);
    else {
        p->currency = c->numeric;
        p->currency_exponent = c->exponent;
    }
}

static void take_also(struct perso_params *p, char *arg, struct argp_state *state)
{
    char *colon = strchr(arg, ':');

    if (colon == NULL || p->apps_n == PROFILE_APPS_MAX) {
        argp_error(state, "--also takes AID:LABEL, three times at most");
        return;
    }
    *colon = '\0';
    p->apps[p->apps_n] = (struct perso_app){arg, colon + 1, "", (uint8_t)(p->apps_n + 1)};
    p->apps_n++;
}

/* Options about the chip rather than the person. */
static error_t parse_chip(int key, char *arg, struct argp_state *state, struct perso_params *p)
{
    switch (key) {
    case OPT_BITS:
        p->bits = perso_number(state, "bits", arg, 512, 1640);
        return 0;
    case OPT_EXPONENT:
        p->exponent = perso_number(state, "exponent", arg, 3, 65537);
        return 0;
    case OPT_PDOL:
        p->pdol = arg;
        return 0;
    case OPT_OFFLINE_LIMIT:
        p->offline_limit = (uint16_t)perso_number(state, "offline-limit", arg, 0, UINT16_MAX);
        return 0;
    case OPT_OFFLINE_MAXIMUM:
        p->offline_maximum = (uint16_t)perso_number(state, "offline-maximum", arg, 0, UINT16_MAX);
        return 0;
    case OPT_PIN_TRIES:
        p->pin_tries = (uint8_t)perso_number(state, "pin-tries", arg, 1, 15);
        return 0;
    case OPT_FORMAT:
        p->format = (uint8_t)perso_number(state, "format", arg, 1, 2);
        return 0;
    case OPT_AID:
        p->apps[0].aid = arg;
        return 0;
    case OPT_LABEL:
        p->apps[0].label = arg;
        return 0;
    case OPT_ALSO:
        take_also(p, arg, state);
        return 0;
    case OPT_NO_PSE:
        p->no_pse = true;
        return 0;
    case OPT_T0:
        p->t0 = true;
        return 0;
    case OPT_BLOCKED:
        p->blocked = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void check_complete(const struct wanted *w, struct argp_state *state)
{
    if (w->dir == NULL)
        argp_error(state, "name the folder to make");
    if (w->scheme == NULL || w->params.pan == NULL || w->params.expiry == 0 || w->pin.p == NULL)
        argp_error(state, "--scheme, --pan, --expiry and --pin or --pin-fd are needed");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct wanted *w = state->input;
    struct perso_params *p = &w->params;

    switch (key) {
    case OPT_SCHEME:
        w->scheme = arg;
        return 0;
    case OPT_PAN:
        p->pan = arg;
        return 0;
    case OPT_NAME:
        p->name = arg;
        return 0;
    case OPT_EXPIRY:
        if (strlen(arg) != 7 || date_parse(&p->expiry, arg) != TP_OK)
            argp_error(state, "--expiry takes a month as YYYY-MM, not \"%s\"", arg);
        return 0;
    case OPT_PIN:
        take_pin(w, arg, state);
        return 0;
    case OPT_PIN_FD:
        read_pin(w, arg, state);
        return 0;
    case OPT_METHOD:
        take_method(p, arg, state);
        return 0;
    case OPT_CVM:
        p->cvm = arg;
        return 0;
    case OPT_PSN:
        p->psn = (uint8_t)perso_number(state, "psn", arg, 0, 99);
        return 0;
    case OPT_CURRENCY:
        take_currency(p, arg, state);
        return 0;
    case OPT_COUNTRY:
        p->country = perso_number(state, "country", arg, 1, 999);
        return 0;
    case OPT_LANGUAGE:
        p->language = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (w->dir != NULL)
            argp_usage(state);
        w->dir = arg;
        return 0;
    case ARGP_KEY_END:
        check_complete(w, state);
        return 0;
    default:
        return parse_chip(key, arg, state, p);
    }
}

int perso_card(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "DIR", "Makes a card in the folder DIR; telepay-simcard DIR puts it into a reader.",
                                     NULL,    NULL,  NULL};
    struct wanted w = {.dir = NULL};
    struct scheme *s = NULL;
    struct card_profile *card = NULL;
    struct tp_error e;
    char pan[PAN_TEXT_MAX], expiry[DATE_TEXT_MAX];
    enum tp_err r;

    perso_defaults(&w.params);
    cli_parse(&argp, argc, argv, &w);
    w.params.pin = secret_span(&w.pin);
    r = scheme_load(&s, w.scheme, &e);
    if (r == TP_OK)
        r = perso_make(&card, s, &w.params, &e);
    if (r == TP_OK)
        r = perso_save(card, w.dir, &e);
    if (r == TP_OK)
        printf("card %s: %s, %s, good until %s\n", w.dir, mask_pan(pan, w.params.pan), w.params.name, date_format(expiry, w.params.expiry));
    profile_free(&card);
    scheme_free(&s);
    secret_free(&w.pin);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}
