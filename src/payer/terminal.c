#include "payer/terminal.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/emvbits.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/text.h"
#include "payer/paper.h"

#define APPLICATION "application "

const char *const ticket_languages[TICKET_LANGUAGES] = {"en", "fr"};

static enum tp_err bad(const struct terminal *t, const char *section, const char *key,
                       const char *wanted, struct tp_error *e)
{
    return tp_fail(e, TP_ERR_USAGE, "%s: \"%s\" in section [%s] must be %s", conf_path(t->conf),
                   key, section, wanted);
}

static enum tp_err text(const struct terminal *t, char *out, size_t cap, const char *section,
                        const char *key, struct tp_error *e)
{
    const char *value;
    char wanted[48];
    const enum tp_err r = conf_need(&value, t->conf, section, key, e);

    if (r != TP_OK)
        return r;
    if (strlen(value) >= cap) {
        snprintf(wanted, sizeof(wanted), "at most %zu characters", cap - 1);
        return bad(t, section, key, wanted, e);
    }
    memcpy(out, value, strlen(value) + 1);
    return TP_OK;
}

/* A decimal number; without fallback (negative) it has to be there. */
static enum tp_err number(const struct terminal *t, long long *out, const char *section,
                          const char *key, long long fallback, long long max, struct tp_error *e)
{
    const char *value = conf_get(t->conf, section, key);
    char *end, wanted[48];
    long long v;

    if (value == NULL && fallback >= 0) {
        *out = fallback;
        return TP_OK;
    }
    if (value == NULL)
        return conf_need(&value, t->conf, section, key, e);
    errno = 0;
    v = strtoll(value, &end, 10);
    if (errno != 0 || *value == '\0' || *end != '\0' || v < 0 || v > max) {
        snprintf(wanted, sizeof(wanted), "a number from 0 to %lld", max);
        return bad(t, section, key, wanted, e);
    }
    *out = v;
    return TP_OK;
}

static enum tp_err bytes(const struct terminal *t, uint8_t *out, size_t n, const char *section,
                         const char *key, struct tp_error *e)
{
    struct buf b = {out, 0, n};
    char wanted[48];
    const char *value;
    const enum tp_err r = conf_need(&value, t->conf, section, key, e);

    if (r != TP_OK)
        return r;
    if (hex_decode(&b, value) == TP_OK && b.n == n)
        return TP_OK;
    snprintf(wanted, sizeof(wanted), "%zu hexadecimal digits", 2 * n);
    return bad(t, section, key, wanted, e);
}

static enum tp_err yes_or_no(const struct terminal *t, bool *out, const char *section,
                             const char *key, struct tp_error *e)
{
    const char *value = conf_get(t->conf, section, key);

    *out = value != NULL && strcmp(value, "yes") == 0;
    return value == NULL || *out || strcmp(value, "no") == 0 ? TP_OK
                                                             : bad(t, section, key, "yes or no", e);
}

enum tp_err terminal_names_payee(const struct terminal *t, struct tp_error *e)
{
    if (t->acquirer[0] == '\0')
        return tp_fail(e, TP_ERR_USAGE,
                       "%s does not say whom the card pays: write the acquirer's \"id\" into "
                       "section [acquirer] and this terminal's \"serial\" into "
                       "section [terminal]; `telepay-acquirer terminal list` shows both",
                       conf_path(t->conf));
    return TP_OK;
}

static enum tp_err load_acquirer(struct terminal *t, struct tp_error *e)
{
    static const char section[] = "acquirer";
    long long seconds = 0, repeats = 0, port = 0;
    enum tp_err r;

    if ((conf_get(t->conf, section, "id") != NULL &&
         (r = text(t, t->acquirer, sizeof(t->acquirer), section, "id", e)) != TP_OK) ||
        (r = text(t, t->host, sizeof(t->host), section, "host", e)) != TP_OK ||
        (r = number(t, &port, section, "port", -1, 65535, e)) != TP_OK ||
        (r = pki_files_load(&t->tls, t->conf, section, e)) != TP_OK ||
        (r = number(t, &seconds, section, "timeout", 15, 300, e)) != TP_OK ||
        (r = number(t, &repeats, section, "repeats", 2, 20, e)) != TP_OK)
        return r;
    snprintf(t->port, sizeof(t->port), "%u", (unsigned)port & 0xFFFF);
    t->timeout_ms = (int)seconds * 1000;
    t->repeats = (unsigned)repeats;
    return conf_need_path(t->journal, sizeof(t->journal), t->conf, "journal", "file", e);
}

/* As JSON, and so receipts, want it. */
static bool is_utf8(const char *value)
{
    json_t *string = json_string(value);
    const bool is = string != NULL;

    json_decref(string);
    return is;
}

/* As text, of a key that need not be there. */
static enum tp_err text_if_any(const struct terminal *t, char *out, size_t cap, const char *section,
                               const char *key, struct tp_error *e)
{
    return conf_get(t->conf, section, key) == NULL ? TP_OK : text(t, out, cap, section, key, e);
}

static enum tp_err load_shop(struct terminal *t, struct tp_error *e)
{
    struct shop *s = &t->shop;
    enum tp_err r = text_if_any(t, s->siret, sizeof(s->siret), "terminal", "siret", e);

    if (r == TP_OK)
        r = text_if_any(t, s->town, sizeof(s->town), "terminal", "town", e);
    return r == TP_OK ? text_if_any(t, s->postcode, sizeof(s->postcode), "terminal", "postcode", e)
                      : r;
}

static enum tp_err load_languages(struct terminal *t, struct tp_error *e)
{
    struct ticket_style *s = &t->ticket;
    const char *list = conf_get(t->conf, "ticket", "languages");
    char names[16], *rest = names;
    bool good = snprintf(names, sizeof(names), "%s", list != NULL ? list : ticket_languages[0]) <
                (int)sizeof(names);

    for (const char *name = strtok_r(rest, " \t", &rest); good && name != NULL;
         name = strtok_r(NULL, " \t", &rest)) {
        enum ticket_language l = TICKET_ENGLISH;

        while (l < TICKET_LANGUAGES && strcmp(name, ticket_languages[l]) != 0)
            l++;
        good = l < TICKET_LANGUAGES && s->languages_n < TICKET_LANGUAGES;
        if (good)
            s->languages[s->languages_n++] = l;
    }
    return good && s->languages_n > 0
               ? TP_OK
               : bad(t, "ticket", "languages", _("en, fr or both, parted by a blank"), e);
}

static enum tp_err load_ticket(struct terminal *t, struct tp_error *e)
{
    const char *printer = conf_get(t->conf, "ticket", "printer");
    long long width = 0;
    enum tp_err r = load_languages(t, e);

    if (r == TP_OK)
        r = number(t, &width, "ticket", "width", PAPER_WIDTH, PAPER_WIDTH_MAX, e);
    if (r == TP_OK && width < PAPER_WIDTH_MIN)
        r = bad(t, "ticket", "width", "a number from 24 to 48", e);
    t->ticket.width = (unsigned)width;
    return r != TP_OK || printer == NULL
               ? r
               : conf_resolve(t->ticket.printer, sizeof(t->ticket.printer), t->conf, printer, e);
}

static enum tp_err load_contract(struct terminal *t, struct tp_error *e)
{
    static const char section[] = "terminal";
    struct terminal_config *k = &t->kernel;
    long long mcc = 0, country = 0;
    const char *currency, *exceptions = conf_get(t->conf, section, "exceptions");
    enum tp_err r;

    if ((r = text(t, k->terminal_id, sizeof(k->terminal_id), section, "id", e)) != TP_OK ||
        (r = text(t, k->merchant_id, sizeof(k->merchant_id), section, "contract", e)) != TP_OK ||
        (r = text(t, k->merchant_name, sizeof(k->merchant_name), section, "name", e)) != TP_OK ||
        (r = text(t, k->ifd_serial, sizeof(k->ifd_serial), section, "serial", e)) != TP_OK ||
        (r = number(t, &mcc, section, "mcc", -1, 9999, e)) != TP_OK ||
        (r = number(t, &country, section, "country", -1, 999, e)) != TP_OK ||
        (r = bytes(t, &k->type, 1, section, "type", e)) != TP_OK ||
        (r = bytes(t, k->capabilities, sizeof(k->capabilities), section, "capabilities", e)) !=
            TP_OK ||
        (r = bytes(t, k->additional, sizeof(k->additional), section, "additional", e)) != TP_OK ||
        (r = conf_need(&currency, t->conf, section, "currency", e)) != TP_OK)
        return r;
    if (strlen(k->terminal_id) != 8)
        return bad(t, section, "id", "8 characters", e);
    if (strlen(k->ifd_serial) != 8)
        return bad(t, section, "serial", "8 characters", e);
    if (strlen(k->merchant_id) != 15)
        return bad(t, section, "contract", "15 characters", e);
    if (!is_utf8(k->merchant_name))
        return bad(t, section, "name", "UTF-8 text", e);
    if ((r = load_shop(t, e)) != TP_OK)
        return r;
    t->currency = currency_by_alpha(currency);
    if (t->currency == NULL)
        return bad(t, section, "currency", "a currency of ISO 4217, such as EUR", e);
    k->mcc = (uint16_t)mcc;
    k->country = (uint16_t)country;
    return exceptions == NULL
               ? TP_OK
               : conf_resolve(t->exceptions, sizeof(t->exceptions), t->conf, exceptions, e);
}

static enum tp_err load_limits(const struct terminal *t, struct terminal_application *a,
                               const char *section, struct tp_error *e)
{
    long long floor = 0, threshold = 0, target = 0, target_max = 0;
    enum tp_err r;

    if ((r = number(t, &floor, section, "floor", 0, UINT32_MAX, e)) != TP_OK ||
        (r = number(t, &threshold, section, "threshold", 0, UINT32_MAX, e)) != TP_OK ||
        (r = number(t, &target, section, "target", 0, 99, e)) != TP_OK ||
        (r = number(t, &target_max, section, "target_max", target, 99, e)) != TP_OK)
        return r;
    if (target_max < target) /* Book 3, 10.6.2: the target percentage for biased selection is at
                                least the plain one */
        return bad(t, section, "target_max", "at least as large as \"target\"", e);
    a->floor_limit = (uint32_t)floor;
    a->threshold = (uint32_t)threshold;
    a->random_target = (uint8_t)target;
    a->random_target_max = (uint8_t)target_max;
    return TP_OK;
}

static enum tp_err load_application(struct terminal *t, const char *section, struct tp_error *e)
{
    const size_t i = t->kernel.applications_n;
    struct terminal_application *a = &t->kernel.applications[i];
    struct buf aid, ddol;
    const char *list;
    enum tp_err r;

    if (i >= KERNEL_AIDS_MAX)
        return tp_fail(e, TP_ERR_RANGE, "%s has more than %d sections [application …]",
                       conf_path(t->conf), KERNEL_AIDS_MAX);
    aid = BUF_OF(a->aid);
    if (hex_decode(&aid, section + strlen(APPLICATION)) != TP_OK || aid.n < 5)
        return tp_fail(e, TP_ERR_USAGE,
                       "%s: section [%s] must name an AID of 10 to 32 hexadecimal digits",
                       conf_path(t->conf), section);
    a->aid_n = (uint8_t)aid.n;
    if ((r = yes_or_no(t, &a->partial, section, "partial", e)) != TP_OK ||
        (r = bytes(t, a->version, sizeof(a->version), section, "version", e)) != TP_OK ||
        (r = bytes(t, a->tac_denial, sizeof(a->tac_denial), section, "tac_denial", e)) != TP_OK ||
        (r = bytes(t, a->tac_online, sizeof(a->tac_online), section, "tac_online", e)) != TP_OK ||
        (r = bytes(t, a->tac_default, sizeof(a->tac_default), section, "tac_default", e)) !=
            TP_OK ||
        (r = load_limits(t, a, section, e)) != TP_OK)
        return r;
    ddol = BUF_OF(t->ddol[i]);
    list = conf_get(t->conf, section, "ddol");
    if (hex_decode(&ddol, list == NULL ? "9F3704" : list) != TP_OK)
        return bad(t, section, "ddol", "hexadecimal", e);
    a->default_ddol = buf_span(&ddol);
    t->kernel.applications_n++;
    return TP_OK;
}

static enum tp_err load_applications(struct terminal *t, struct tp_error *e)
{
    const char *section;

    for (size_t i = 0; (section = conf_section_at(t->conf, i)) != NULL; i++) {
        const enum tp_err r = strncmp(section, APPLICATION, strlen(APPLICATION)) == 0
                                  ? load_application(t, section, e)
                                  : TP_OK;

        if (r != TP_OK)
            return r;
    }
    return t->kernel.applications_n > 0
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE, "%s accepts no card: it has no section [application …]",
                         conf_path(t->conf));
}

static enum tp_err new_keys(struct terminal *t, struct tp_error *e)
{
    const enum tp_err r = capk_store_new(&t->authorities);

    t->kernel.authorities = t->authorities;
    return r == TP_OK ? r : tp_fail(e, r, "no memory for authority keys");
}

static enum tp_err load_project_keys(struct terminal *t, struct tp_error *e)
{
    char path[PATH_MAX];
    enum tp_err r = new_keys(t, e);

    if (r == TP_OK)
        r = file_data_path(path, sizeof(path), "capk.json", e);
    return r == TP_OK ? capk_store_open(t->authorities, path, e) : r;
}

/* [authorities] files: names parted by spaces, and these alone: what a terminal takes under a key
 * that its acquirer does not trust is refused after the card has signed. A configuration that says
 * nothing of them, which is none of telepay-acquirer's making, has the project's list. */
static enum tp_err load_authorities(struct terminal *t, struct tp_error *e)
{
    const char *list = conf_get(t->conf, "authorities", "files");
    char names[4096], path[PATH_MAX], *rest = names;
    enum tp_err r = TP_OK;

    if (list == NULL)
        return load_project_keys(t, e);
    if ((r = new_keys(t, e)) != TP_OK)
        return r;
    if (strlen(list) >= sizeof(names))
        return bad(t, "authorities", "files", "shorter", e);
    memcpy(names, list, strlen(list) + 1);
    for (const char *name = strtok_r(rest, " \t", &rest); name != NULL && r == TP_OK;
         name = strtok_r(NULL, " \t", &rest)) {
        r = conf_resolve(path, sizeof(path), t->conf, name, e);
        if (r == TP_OK)
            r = capk_store_open(t->authorities, path, e);
    }
    return r;
}

enum tp_err terminal_load(struct terminal **out, const char *path, struct tp_error *e)
{
    struct terminal *t = calloc(1, sizeof(*t));
    enum tp_err r = TP_ERR_NO_MEMORY;

    *out = NULL;
    if (t == NULL) {
        tp_fail(e, r, "no memory for the configuration");
        goto out;
    }
    if ((r = conf_load(&t->conf, path, e)) != TP_OK || (r = load_acquirer(t, e)) != TP_OK ||
        (r = load_contract(t, e)) != TP_OK || (r = load_ticket(t, e)) != TP_OK ||
        (r = load_applications(t, e)) != TP_OK || (r = load_authorities(t, e)) != TP_OK)
        goto out;
    *out = t;
    t = NULL;
out:
    terminal_free(&t);
    return r;
}

enum tp_err terminal_parse(struct terminal **out, const char *name, const char *text,
                           const json_t *authorities, struct tp_error *e)
{
    struct terminal *t = calloc(1, sizeof(*t));
    const json_t *document;
    size_t i;
    enum tp_err r = TP_ERR_NO_MEMORY;

    *out = NULL;
    if (t == NULL) {
        tp_fail(e, r, "no memory for the terminal");
        goto out;
    }
    if ((r = conf_parse(&t->conf, name, text, e)) != TP_OK || (r = load_contract(t, e)) != TP_OK ||
        (r = load_applications(t, e)) != TP_OK || (r = new_keys(t, e)) != TP_OK)
        goto out;
    t->exceptions[0] = '\0';
    json_array_foreach(authorities, i, document)
    {
        r = capk_store_take(t->authorities, document, name, e);
        if (r != TP_OK)
            goto out;
    }
    *out = t;
    t = NULL;
out:
    terminal_free(&t);
    return r;
}

enum tp_err terminal_reading(struct terminal **out, struct tp_error *e)
{
    /* The application identifiers that the schemes publish; for cards that have no PSE. */
    static const char *const known[] = {
        "F0000000141010", "A0000000421010", "A0000000031010",   "A0000000032010",
        "A0000000032020", "A0000000041010", "A0000000043060",   "A00000002501",
        "A0000001523010", "A0000000651010", "A000000333010101", "A0000003591010028001",
        "A0000002771010", "A0000005241010"};
    struct terminal *t = calloc(1, sizeof(*t));
    enum tp_err r = TP_ERR_NO_MEMORY;

    *out = NULL;
    if (t == NULL) {
        tp_fail(e, r, "no memory to read a card");
        goto out;
    }
    t->kernel.type = 0x35;
    t->kernel.additional[4] = ADDITIONAL5_CODE_TABLE_1; /* names in ISO/IEC 8859-1 can be shown */
    memcpy(t->kernel.capabilities,
           (const uint8_t[]){CAP1_CONTACTS,
                             CAP2_PLAINTEXT_PIN | CAP2_ENCIPHERED_PIN | CAP2_NO_CVM | CAP2_ODE,
                             CAP3_SDA | CAP3_DDA | CAP3_CDA | CAP3_XDA},
           sizeof(t->kernel.capabilities)); /* doc/design.md, Terminal */
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        struct terminal_application *a = &t->kernel.applications[i];
        struct buf aid = BUF_OF(a->aid);

        if ((r = hex_decode(&aid, known[i])) != TP_OK)
            goto out;
        a->aid_n = (uint8_t)aid.n;
        a->partial = true;
        t->kernel.applications_n++;
    }
    if ((r = load_project_keys(t, e)) != TP_OK)
        goto out;
    *out = t;
    t = NULL;
out:
    terminal_free(&t);
    return r;
}

void terminal_free(struct terminal **t)
{
    if (*t == NULL)
        return;
    conf_free(&(*t)->conf);
    capk_store_free(&(*t)->authorities);
    free(*t);
    *t = NULL;
}

enum tp_err terminal_only(struct terminal *t, struct span aid, struct tp_error *e)
{
    struct terminal_config *k = &t->kernel;
    size_t kept = 0;

    for (size_t i = 0; i < k->applications_n; i++) {
        const struct terminal_application a = k->applications[i];
        const size_t common = a.aid_n < aid.n ? a.aid_n : aid.n;

        if (memcmp(a.aid, aid.p, common) == 0)
            k->applications[kept++] = a;
    }
    k->applications_n = kept;
    return kept > 0 ? TP_OK
                    : tp_fail(e, TP_ERR_USAGE,
                              "the terminal accepts no application of that AID: see the sections "
                              "[application …]");
}
