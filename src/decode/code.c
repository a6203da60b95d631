/* Codes that are asked for alone. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/money.h"
#include "base/text.h"
#include "decode/decode_priv.h"

static bool digits(const char *text)
{
    return *text != '\0' && strlen(text) <= 4 && strspn(text, "0123456789") == strlen(text);
}

static const char *currency_name(const char *code)
{
    const struct currency *c = digits(code) ? currency_by_numeric((unsigned)strtoul(code, NULL, 10))
                                            : currency_by_alpha(code);

    return c != NULL ? names_currency(c->name) : NULL;
}

static const char *mcc_name(unsigned mcc)
{
    const char *name = decode_mcc_name(mcc);

    return name != NULL ? _(name) : NULL;
}

enum tp_err decode_code(json_t **out, const struct decode *d, enum decode_code kind,
                        const char *code, struct tp_error *e)
{
    static const struct {
        const char *what, *clause;
    } kinds[] = {[DECODE_COUNTRY] = {N_("country"), "ISO 3166-1"},
                 [DECODE_CURRENCY] = {N_("currency"), "ISO 4217"},
                 [DECODE_LANGUAGE] = {N_("language"), "ISO 639"},
                 [DECODE_MCC] = {N_("merchant category"), "ISO 18245"}};
    struct listing l = {.list = json_array()};
    const char *name = kind == DECODE_COUNTRY    ? names_country(d->names, code)
                       : kind == DECODE_CURRENCY ? currency_name(code)
                       : kind == DECODE_LANGUAGE ? names_language(d->names, code)
                       : digits(code)            ? mcc_name((unsigned)strtoul(code, NULL, 10))
                                                 : NULL;
    json_t *o = listing_add(&l, code, kinds[kind].what);
    enum tp_err r;

    listing_means(&l, o, "%s", name != NULL ? name : "");
    listing_set(&l, o, "clause", json_string(kinds[kind].clause));
    r = listing_take(&l, out, e);
    if (r == TP_OK && name == NULL) {
        json_decref(*out);
        *out = NULL;
        r = tp_fail(e, TP_ERR_NOT_FOUND, "%s has no %s \"%s\"", kinds[kind].clause,
                    _(kinds[kind].what), code);
    }
    return r;
}

enum tp_err decode_text(json_t **out, struct decode *d, unsigned alphabet, struct span in)
{
    struct listing l = {.d = d, .list = json_array()};
    struct says s = {.d = d};
    json_t *o = listing_add(&l, "text", NULL);

    say_alphabet(&s, in, alphabet);
    l.failed = l.failed || s.failed;
    listing_set(&l, o, "length", json_integer((json_int_t)in.n));
    listing_set(&l, o, "meaning", s.lines);
    return listing_take(&l, out, NULL);
}
