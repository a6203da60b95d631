#include "simcard/perso_options.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/date.h"
#include "base/money.h"
#include "base/text.h"
#include "crypto/pinblock.h"
#include "simcard/perso_commands.h"

/* ---- options that need more than to be put where they belong ---- */

/* Keeps the PIN in locked memory and takes it out of the command line, where ps would show it. */
static void take_pin(struct perso_wanted *w, char *arg, struct argp_state *state)
{
    const size_t n = strlen(arg);

    secret_free(&w->pin);
    if (secret_copy(&w->pin, span_str(arg)) != TP_OK)
        argp_failure(state, CLI_INTERNAL, 0, "out of memory");
    secret_wipe(arg, n);
}

static void take_pin_fd(struct perso_wanted *w, char *arg, struct argp_state *state)
{
    struct tp_error e = {0};
    size_t n = 0;
    int fd = -1;

    if (cli_fd(&fd, "--pin-fd", arg, &e) != TP_OK) {
        argp_error(state, "%s", e.text);
        return;
    }
    secret_free(&w->pin);
    if (secret_alloc(&w->pin, PIN_MAX + 2) != TP_OK)
        argp_failure(state, CLI_INTERNAL, 0, "out of memory");
    while (n < w->pin.n) {
        const ssize_t got = read(fd, w->pin.p + n, w->pin.n - n);

        if (got < 0 && errno != EINTR)
            argp_failure(state, CLI_USAGE, errno, "cannot read the PIN from file descriptor %d",
                         fd);
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

static void take_expiry(struct perso_wanted *w, char *arg, struct argp_state *state)
{
    if (strlen(arg) != 7 || date_parse(&w->params.expiry, arg) != TP_OK)
        argp_error(state, _("--expiry takes a month as YYYY-MM, not \"%s\""), arg);
}

static void take_currency(struct perso_wanted *w, char *arg, struct argp_state *state)
{
    const struct currency *c = currency_by_alpha(arg);

    if (c == NULL)
        argp_error(state, _("ISO 4217 has no currency \"%s\""), arg);
    else {
        w->params.currency = c->numeric;
        w->params.currency_exponent = c->exponent;
    }
}

static void take_method(struct perso_wanted *w, char *arg, struct argp_state *state)
{
    static const struct {
        const char *name;
        enum perso_method method;
        bool xda;
    } methods[] = {{"sda", PERSO_SDA, false},    {"dda", PERSO_DDA, false},
                   {"cda", PERSO_CDA, false},    {"xda", PERSO_NONE, true},
                   {"sda,xda", PERSO_SDA, true}, {"dda,xda", PERSO_DDA, true},
                   {"cda,xda", PERSO_CDA, true}};

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (strcmp(arg, methods[i].name) == 0) {
            w->params.method = methods[i].method;
            w->params.xda = methods[i].xda;
            return;
        }
    argp_error(
        state,
        _("--method is sda, dda, cda, xda, or one of the first three with \",xda\"; not \"%s\""),
        arg);
}

static void take_cvn(struct perso_wanted *w, char *arg, struct argp_state *state)
{
    if (emv_cvn_parse(&w->params.cvn, strcmp(arg, "ccd") == 0 ? "ccd-3des" : arg) != TP_OK)
        argp_error(state, _("--cvn is 10, 18, ccd-3des or ccd-aes, not \"%s\""), arg);
}

static void take_issuer(struct perso_wanted *w, char *arg, struct argp_state *state)
{
    static const char *const names[] = {[PERSO_ISSUER_CDOL2] = "cdol2",
                                        [PERSO_ISSUER_EXTERNAL] = "external",
                                        [PERSO_ISSUER_NONE] = "none"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(arg, names[i]) == 0) {
            w->params.issuer = (enum perso_issuer)i;
            return;
        }
    argp_error(state, _("--issuer-authentication is cdol2, external or none, not \"%s\""), arg);
}

/* So many numbers between commas. */
static void take_numbers(unsigned *out, size_t n, const char *option, const char *arg, unsigned min,
                         unsigned max, struct argp_state *state)
{
    for (size_t i = 0; i < n; i++) {
        char one[8];
        const size_t length = strcspn(arg, ",");

        if (length == 0 || length >= sizeof(one) || (arg[length] == ',') != (i + 1 < n)) {
            argp_error(state, _("--%s takes %zu numbers between commas"), option, n);
            return;
        }
        memcpy(one, arg, length);
        one[length] = '\0';
        out[i] = perso_number(state, option, one, min, max);
        arg += length + 1;
    }
}

static void take_files(struct perso_wanted *w, char *arg, struct argp_state *state)
{
    unsigned sfi[PERSO_FILES] = {0};

    take_numbers(sfi, PERSO_FILES, "files", arg, 1, 10, state);
    for (size_t i = 0; i < PERSO_FILES; i++)
        w->params.sfi[i] = (uint8_t)sfi[i];
}

static void take_terminal_limits(struct perso_wanted *w, char *arg, struct argp_state *state)
{
    unsigned limits[2] = {PERSO_ABSENT, PERSO_ABSENT};

    take_numbers(limits, 2, "terminal-limits", arg, 0, 255, state);
    w->params.terminal_lower = limits[0];
    w->params.terminal_upper = limits[1];
}

/* Cuts text at the next separator; NULL when nothing is left. */
static char *next_word(char **text, char separator)
{
    char *word = *text, *end;

    if (word == NULL)
        return NULL;
    end = strchr(word, separator);
    *text = end != NULL ? end + 1 : NULL;
    if (end != NULL)
        *end = '\0';
    return word;
}

static void take_app_words(struct perso_app *app, char *words, struct argp_state *state)
{
    const char *word;

    while ((word = next_word(&words, ',')) != NULL) {
        if (strcmp(word, "blocked") == 0)
            app->blocked = true;
        else if (strcmp(word, "confirm") == 0)
            app->confirm = true;
        else
            argp_error(state, _("an application is \"blocked\" or wants \"confirm\", not \"%s\""),
                       word);
    }
}

/* AID:LABEL[:PRIORITY[:PREFERRED[:WORDS]]] */
static void add_app(struct perso_wanted *w, const char *option, char *arg, struct argp_state *state)
{
    struct perso_params *p = &w->params;
    char *aid = next_word(&arg, ':'), *label = next_word(&arg, ':'),
         *priority = next_word(&arg, ':'), *preferred = next_word(&arg, ':');

    if (label == NULL || p->apps_n == PROFILE_APPS_MAX) {
        argp_error(state,
                   _("--%s takes AID:LABEL[:PRIORITY[:PREFERRED[:blocked,confirm]]]; a card has at "
                     "most %d applications"),
                   option, PROFILE_APPS_MAX);
        return;
    }
    struct perso_app app = {
        aid, label, preferred != NULL ? preferred : "", (uint8_t)(p->apps_n + 1), false, false};

    if (priority != NULL)
        app.priority = (uint8_t)perso_number(state, option, priority, 0, 15);
    take_app_words(&app, arg, state);
    p->apps[p->apps_n++] = app;
}

static void take_also(struct perso_wanted *w, char *arg, struct argp_state *state)
{
    add_app(w, "also", arg, state);
}

static void take_aid(struct perso_wanted *w, char *arg, struct argp_state *state)
{
    (void)state;
    w->params.apps[0].aid = arg;
}

static void take_label(struct perso_wanted *w, char *arg, struct argp_state *state)
{
    (void)state;
    w->params.apps[0].label = arg;
}

static void take_preferred(struct perso_wanted *w, char *arg, struct argp_state *state)
{
    (void)state;
    w->params.apps[0].preferred = arg;
}

static void take_priority(struct perso_wanted *w, char *arg, struct argp_state *state)
{
    w->params.apps[0].priority = (uint8_t)perso_number(state, "priority", arg, 0, 15);
}

static void take_application(struct perso_wanted *w, char *arg, struct argp_state *state)
{
    take_app_words(&w->params.apps[0], arg, state);
}

static void take_scheme(struct perso_wanted *w, char *arg, struct argp_state *state)
{
    (void)state;
    w->scheme = arg;
}

#define AMOUNT_TAKER(name, which)                                                                  \
    static void take_##name(struct perso_wanted *w, char *arg, struct argp_state *state)           \
    {                                                                                              \
        (void)state;                                                                               \
        w->amounts[which] = arg;                                                                   \
    }
AMOUNT_TAKER(amount_limit, PERSO_AMOUNT_LIMIT)
AMOUNT_TAKER(amount_maximum, PERSO_AMOUNT_MAXIMUM)
AMOUNT_TAKER(amount_x, PERSO_AMOUNT_X)
AMOUNT_TAKER(amount_y, PERSO_AMOUNT_Y)

/* ---- the table ---- */

enum kind {
    KIND_TEXT,
    KIND_U8,
    KIND_U16,
    KIND_UNSIGNED,
    KIND_SIZE,
    KIND_FLAG,
    KIND_RISKS,
    KIND_SPECIAL
};

static const struct setting {
    const char *name, *arg, *doc;
    enum kind kind;
    size_t at; /* in struct perso_params */
    unsigned min, max;
    void (*take)(struct perso_wanted *w, char *arg, struct argp_state *state); /* KIND_SPECIAL */
} settings[] = {
#define AT(member) offsetof(struct perso_params, member)
#define TEXT(name, arg, member, doc)                                                               \
    {                                                                                              \
        name, arg, doc, KIND_TEXT, AT(member), 0, 0, NULL                                          \
    }
#define NUMBER(name, arg, kind, member, min, max, doc)                                             \
    {                                                                                              \
        name, arg, doc, kind, AT(member), min, max, NULL                                           \
    }
#define FLAG(name, member, doc)                                                                    \
    {                                                                                              \
        name, NULL, doc, KIND_FLAG, AT(member), 0, 0, NULL                                         \
    }
#define RISKS(name, member, doc)                                                                   \
    {                                                                                              \
        name, "RISKS", doc, KIND_RISKS, AT(member), 0, 0, NULL                                     \
    }
#define SPECIAL(name, arg, take, doc)                                                              \
    {                                                                                              \
        name, arg, doc, KIND_SPECIAL, 0, 0, 0, take                                                \
    }
    SPECIAL("scheme", "DIR", take_scheme, "scheme the card belongs to (telepay-perso init)"),
    TEXT("name", "NAME", name, "cardholder, as SURNAME/FIRST"),
    SPECIAL("expiry", "YYYY-MM", take_expiry, "last month the card is good for"),
    SPECIAL("pin", "DIGITS", take_pin,
            "PIN; other users of the machine may see it while this runs: for test cards"),
    SPECIAL("pin-fd", "N", take_pin_fd, "read the PIN from file descriptor N"),
    NUMBER("psn", "N", KIND_U8, psn, 0, 99, "PAN sequence number [0]"),
    SPECIAL("currency", "CODE", take_currency, "application currency [EUR]"),
    NUMBER("country", "NNN", KIND_UNSIGNED, country, 1, 999,
           "issuer's country, ISO 3166 numeric [the scheme's]"),
    TEXT("language", "LIST", language, "preferred languages, two letters each [enfr]"),

    SPECIAL("method", "sda|dda|cda|xda", take_method,
            "offline authentication; with cda,xda (sda,xda …) of both kinds, as the terminal can "
            "[cda]"),
    NUMBER("bits", "BITS", KIND_UNSIGNED, bits, 512, 1976,
           "size of the card's key; with cda 1840 at most, for the Common Core 1640 [1152]"),
    NUMBER("exponent", "3|65537", KIND_UNSIGNED, exponent, 3, 65537,
           "public exponent of the card's keys [3]"),
    NUMBER("pin-key", "BITS", KIND_UNSIGNED, pin_bits, 512, 1976,
           "a key of its own for the enciphered PIN, of that size [the card's key]"),
    TEXT("aip", "HEX", aip,
         "application interchange profile, two bytes [as the other options want it]"),

    TEXT("cvm", "LIST", cvm,
         "cardholder verification, rules between commas: pin, pin-or-next, enciphered-pin, "
         "enciphered-pin-or-next, online-pin, online-pin-or-next, "
         "signature, none, "
         "none-always, none-under-x, none-under-y, fail, or four hex digits [pin,none]"),
    SPECIAL("cvm-x", "AMOUNT", take_amount_x, "amount X of the CVM list [0]"),
    SPECIAL("cvm-y", "AMOUNT", take_amount_y, "amount Y of the CVM list [0]"),
    NUMBER("pin-tries", "N", KIND_U8, pin_tries, 1, 15, "wrong PINs before it is blocked [3]"),
    FLAG("block-on-tries", block_on_tries, "the last wrong PIN blocks the application too"),

    TEXT("pdol", "HEX", pdol,
         "what the card asks for at GET PROCESSING OPTIONS; \"\" for nothing [9F33039F1A029F3501]"),
    TEXT("cdol1", "HEX", cdol1,
         "what it asks for at the first GENERATE AC [all that is to be signed]"),
    TEXT("cdol2", "HEX", cdol2, "at the second, after the issuer was asked"),
    TEXT("ddol", "HEX", ddol, "at INTERNAL AUTHENTICATE; \"\" for the terminal's own [9F3704]"),
    TEXT("auc", "HEX", auc, "application usage control, two bytes [FF00]"),
    TEXT("iac-denial", "HEX", iac_denial,
         "issuer action code: these TVR bits decline [0010000000]"),
    TEXT("iac-online", "HEX", iac_online, "these ask the issuer [FC78FC9800; with xda FC78FC9906]"),
    TEXT("iac-default", "HEX", iac_default,
         "these decline when the issuer cannot be asked [FC50FC8800; with xda FC50FC8906]"),

    NUMBER("offline-limit", "N", KIND_U16, offline_limit, 0, UINT16_MAX,
           "ask to go online after N payments offline in a row; 0 never [0]"),
    NUMBER("offline-maximum", "N", KIND_U16, offline_maximum, 0, UINT16_MAX,
           "decline after N payments in a row when online is impossible; 0 never [0]"),
    SPECIAL("amount-limit", "AMOUNT", take_amount_limit,
            "ask to go online after that sum offline [never]"),
    SPECIAL("amount-maximum", "AMOUNT", take_amount_maximum,
            "decline after that sum when online is impossible [never]"),
    RISKS("ask-online", ask_online,
          "what the card goes online for, between commas: new-card, not-completed … (see the "
          "manual)"),
    RISKS("decline", decline, "what it declines for at once [nothing]"),
    RISKS("decline-unable", decline_unable,
          "what it declines for when online is impossible [count-maximum,amount-maximum]"),
    SPECIAL("terminal-limits", "LOWER,UPPER", take_terminal_limits,
            "limits for the terminal's own counting (9F14, 9F23) [none]"),

    SPECIAL("cvn", "10|18|ccd-3des|ccd-aes", take_cvn, "kind of cryptograms and scripts [18]"),
    NUMBER("arpc", "1|2", KIND_UNSIGNED, arpc, 1, 2,
           "method of the issuer's cryptogram [1 with --cvn 10, else 2]"),
    SPECIAL("issuer-authentication", "cdol2|external|none", take_issuer,
            "how it reaches the card [cdol2]"),
    FLAG("issuer-mandatory", issuer_mandatory, "no approval online without it"),
    NUMBER("dki", "N", KIND_U8, dki, 0, 255, "derivation key index [1]"),

    NUMBER("format", "1|2", KIND_U8, format, 1, 2,
           "format of answers: 1 template 80, 2 template 77 [2]"),
    SPECIAL("aid", "HEX", take_aid, "application identifier [F0000000141010]"),
    SPECIAL("label", "TEXT", take_label, "application label [TELEPAY TEST]"),
    SPECIAL("preferred", "TEXT", take_preferred, "application preferred name [none]"),
    SPECIAL("priority", "N", take_priority, "its priority, 1 first to 15, 0 none [1]"),
    SPECIAL("application", "WORDS", take_application,
            "blocked, confirm (not without the cardholder's word), or both between commas"),
    SPECIAL("also", "AID:LABEL[:PRIORITY[:PREFERRED[:WORDS]]]", take_also,
            "one more application with the same records; up to three times"),
    SPECIAL("files", "OPEN,SIGNED,CERTIFICATES", take_files,
            "numbers (SFI) of the files the records stand in [1,2,3]"),
    NUMBER("record-max", "BYTES", KIND_SIZE, record_max, 32, 254,
           "records no longer than that, but for an object that is [254]"),
    FLAG("no-pse", no_pse, "no directory 1PAY.SYS.DDF01"),
    FLAG("t0", t0, "protocol T=0 instead of T=1"),
    FLAG("blocked", blocked, "all its applications are blocked"),
    FLAG("any-check-digit", any_check_digit,
         "take a card number whose last digit is not its check digit"),
    FLAG("live-identifiers", live_identifiers,
         "take application identifiers that may be a real scheme's"),
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))
_Static_assert(SETTINGS < PERSO_OPTIONS_MAX, "room for all options");

void perso_options_table(struct argp_option *table, size_t n)
{
    for (size_t i = 0; i < SETTINGS; i++)
        table[n++] = (struct argp_option){.name = settings[i].name,
                                          .key = PERSO_OPTION_KEY + (int)i,
                                          .arg = settings[i].arg,
                                          .doc = settings[i].doc};
    table[n] = (struct argp_option){0};
}

static void take(struct perso_wanted *w, const struct setting *s, char *arg,
                 struct argp_state *state)
{
    char *to = (char *)&w->params + s->at;

    switch (s->kind) {
    case KIND_TEXT:
        memcpy(to, &arg, sizeof(arg));
        break;
    case KIND_U8:
        *(uint8_t *)to = (uint8_t)perso_number(state, s->name, arg, s->min, s->max);
        break;
    case KIND_U16: {
        const uint16_t v = (uint16_t)perso_number(state, s->name, arg, s->min, s->max);

        memcpy(to, &v, sizeof(v));
        break;
    }
    case KIND_UNSIGNED: {
        const unsigned v = perso_number(state, s->name, arg, s->min, s->max);

        memcpy(to, &v, sizeof(v));
        break;
    }
    case KIND_SIZE: {
        const size_t v = perso_number(state, s->name, arg, s->min, s->max);

        memcpy(to, &v, sizeof(v));
        break;
    }
    case KIND_FLAG:
        *(bool *)to = true;
        break;
    case KIND_RISKS: {
        uint32_t mask;

        if (card_risk_parse(&mask, arg) != TP_OK)
            argp_error(state, _("--%s: \"%s\" names a risk that there is not"), s->name, arg);
        else
            memcpy(to, &mask, sizeof(mask));
        break;
    }
    case KIND_SPECIAL:
        s->take(w, arg, state);
        break;
    }
}

error_t perso_options_parse(struct perso_wanted *w, int key, char *arg, struct argp_state *state)
{
    if (key < PERSO_OPTION_KEY || (size_t)(key - PERSO_OPTION_KEY) >= SETTINGS)
        return ARGP_ERR_UNKNOWN;
    take(w, &settings[key - PERSO_OPTION_KEY], arg, state);
    return 0;
}

static uint64_t amount(const struct perso_wanted *w, enum perso_amount which, int64_t max,
                       struct argp_state *state)
{
    const struct currency *c = currency_by_numeric(w->params.currency);
    struct tp_error e;
    int64_t minor = 0;

    if (w->amounts[which] == NULL)
        return 0;
    if (c == NULL || money_parse(&minor, c, w->amounts[which], &e) != TP_OK)
        argp_error(state, "%s", c == NULL ? "the currency is unknown" : e.text);
    if (minor > max)
        argp_error(state, _("the amount %s is too large"), w->amounts[which]);
    return (uint64_t)minor;
}

void perso_options_complete(struct perso_wanted *w, struct argp_state *state)
{
    struct perso_params *p = &w->params;

    if (w->scheme == NULL || (w->pan_needed && p->pan == NULL) || p->expiry == 0 ||
        w->pin.p == NULL)
        argp_error(state, _("--scheme, %s, --expiry and --pin or --pin-fd are needed"),
                   w->pan_needed ? "--pan" : "--pan-from");
    p->amount_limit = amount(w, PERSO_AMOUNT_LIMIT, MONEY_MAX, state);
    p->amount_maximum = amount(w, PERSO_AMOUNT_MAXIMUM, MONEY_MAX, state);
    p->cvm_x = (uint32_t)amount(w, PERSO_AMOUNT_X, UINT32_MAX, state);
    p->cvm_y = (uint32_t)amount(w, PERSO_AMOUNT_Y, UINT32_MAX, state);
    p->pin = secret_span(&w->pin);
}

void perso_wanted_start(struct perso_wanted *w, bool pan_needed)
{
    *w = (struct perso_wanted){.pan_needed = pan_needed};
    perso_defaults(&w->params);
}

void perso_wanted_end(struct perso_wanted *w)
{
    secret_free(&w->pin);
}
