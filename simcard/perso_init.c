/* telepay-perso init: makes a test scheme. */
#include "simcard/perso_commands.h"

#include <stdio.h>
#include <string.h>

#include "base/cli.h"
#include "base/text.h"
#include "simcard/scheme.h"

enum {
    OPT_EXPONENT = 256,
    OPT_AUTHORITY_BITS,
    OPT_ISSUER_BITS,
    OPT_IIN,
    OPT_INDEX,
    OPT_COUNTRY,
    OPT_SUITE,
    OPT_LIVE
};

struct wanted {
    struct scheme_params params;
    const char *dir;
};

static const struct argp_option options[] = {
    {"exponent", OPT_EXPONENT, "3|65537", 0, N_("public exponent of authority and issuer [3]"), 0},
    {"authority-bits", OPT_AUTHORITY_BITS, "BITS", 0, N_("size of the authority's key [1984]"), 0},
    {"issuer-bits", OPT_ISSUER_BITS, "BITS", 0, N_("size of the issuer's key [1408]"), 0},
    {"iin", OPT_IIN, "DIGITS", 0, N_("issuer identification number its cards begin with [999014]"),
     0},
    {"index", OPT_INDEX, "N", 0,
     N_("index of the authority's key; that of its elliptic curve has the next one [1]"), 0},
    {"country", OPT_COUNTRY, "NNN", 0, N_("issuer's country, ISO 3166 numeric [250]"), 0},
    {"suite", OPT_SUITE, "10|11", 0,
     N_("algorithm suite of elliptic curves, P-256 or P-521: for cards with XDA [none]"), 0},
    {"live-identifiers", OPT_LIVE, NULL, 0, N_("take an issuer number that may be a real issuer's"),
     0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct wanted *w = state->input;

    switch (key) {
    case OPT_EXPONENT:
        w->params.exponent = perso_number(state, "exponent", arg, 3, 65537);
        if (w->params.exponent != 3 && w->params.exponent != 65537)
            argp_error(state, _("--exponent is 3 or 65537"));
        return 0;
    case OPT_AUTHORITY_BITS:
        w->params.authority_bits = perso_number(state, "authority-bits", arg, 512, 1984);
        return 0;
    case OPT_ISSUER_BITS:
        w->params.issuer_bits = perso_number(state, "issuer-bits", arg, 512, 1984);
        return 0;
    case OPT_IIN:
        w->params.iin = arg;
        return 0;
    case OPT_INDEX:
        w->params.index = (uint8_t)perso_number(state, "index", arg, 0, 255);
        return 0;
    case OPT_COUNTRY:
        w->params.country = perso_number(state, "country", arg, 1, 999);
        return 0;
    case OPT_SUITE:
        w->params.suite = strcmp(arg, "10") == 0 ? 0x10 : strcmp(arg, "11") == 0 ? 0x11 : 0;
        if (w->params.suite == 0)
            argp_error(state, _("--suite is 10 (P-256) or 11 (P-521), not \"%s\""), arg);
        return 0;
    case OPT_LIVE:
        w->params.live_identifiers = true;
        return 0;
    case ARGP_KEY_ARG:
        if (w->dir != NULL)
            argp_usage(state);
        w->dir = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->dir == NULL)
            argp_error(state, _("name the folder to make"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int perso_init(int argc, char **argv)
{
    static const struct argp argp = {options,
                                     parse,
                                     N_("DIR"),
                                     N_("Makes a test scheme in the folder DIR. DIR/authority.json "
                                        "is what acquirers and terminals need of it."),
                                     NULL,
                                     NULL,
                                     NULL};
    struct wanted w = {.dir = NULL};
    struct scheme *s = NULL;
    struct tp_error e;
    enum tp_err r;

    scheme_defaults(&w.params);
    cli_parse(&argp, argc, argv, &w);
    r = scheme_new(&s, &w.params, &e);
    if (r == TP_OK)
        r = scheme_save(s, w.dir, &e);
    if (r == TP_OK)
        printf(_("scheme %s: RID %s, authority key %02X of %u bits, issuer %s of %u bits\n"), w.dir,
               SCHEME_RID, w.params.index, w.params.authority_bits, s->iin, w.params.issuer_bits);
    if (r == TP_OK && s->ec.cert.n > 0)
        printf(_("elliptic curves: authority key %02X, suite %02X\n"), s->ec.authority.index,
               s->ec_suite);
    scheme_free(&s);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}
