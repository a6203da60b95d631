#include "purse/settings.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/file.h"
#include "base/text.h"

#define BIC_SHORT 8
#define BIC_LONG  11

#define SELLER       "seller "
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"
#define HOST_LETTERS NAME_LETTERS ":[]"

static enum tp_err need_money(int64_t *out, const struct conf *c, const struct currency *currency,
                              const char *key, struct tp_error *e)
{
    const char *text = NULL;
    enum tp_err r = conf_need(&text, c, currency->alpha, key, e);

    if (r != TP_OK)
        return r;
    r = money_parse(out, currency, text, e);
    return r == TP_OK
               ? r
               : tp_error_prefix(e, "%s, section [%s]: %s", conf_path(c), currency->alpha, key);
}

static bool is_bic(const char *text)
{
    const size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

    return text[n] == '\0' && (n == BIC_SHORT || n == BIC_LONG);
}

static enum tp_err read_bank(struct purse_currency *out, const struct conf *c, const char *section,
                             struct tp_error *e)
{
    const char *iban = conf_get(c, section, "iban"), *bic = conf_get(c, section, "bic");

    if (iban != NULL && iban[0] != '\0' && !iban_read(out->iban, iban))
        return tp_fail(e, TP_ERR_USAGE, "%s, section [%s]: iban: its check digits are wrong",
                       conf_path(c), section);
    if (bic != NULL && bic[0] != '\0' && !is_bic(bic))
        return tp_fail(e, TP_ERR_USAGE, "%s, section [%s]: bic has 8 or 11 capitals and digits",
                       conf_path(c), section);
    snprintf(out->bic, sizeof(out->bic), "%s", bic != NULL ? bic : "");
    return TP_OK;
}

static enum tp_err read_currency(struct purse_settings *out, const struct conf *c,
                                 const char *section, struct tp_error *e)
{
    struct purse_currency *p = &out->currency[out->n];
    enum tp_err r;

    if (out->n == SETTINGS_CURRENCIES)
        return tp_fail(e, TP_ERR_USAGE, "%s has more than %d currencies", conf_path(c),
                       SETTINGS_CURRENCIES);
    p->currency = currency_by_alpha(section);
    if (p->currency == NULL || strcmp(p->currency->alpha, section) != 0)
        return tp_fail(e, TP_ERR_USAGE, "%s: section [%s] is no currency of ISO 4217", conf_path(c),
                       section);
    r = need_money(&p->payment, c, p->currency, "payment", e);
    if (r == TP_OK)
        r = need_money(&p->day, c, p->currency, "day", e);
    if (r == TP_OK)
        r = need_money(&p->balance, c, p->currency, "balance", e);
    if (r == TP_OK)
        r = read_bank(p, c, section, e);
    out->n++;
    return r;
}

/* "https://host:port", and where it sells "/s/NAME" behind: it comes into pages and their policy.
 */
static enum tp_err read_url(char out[SETTINGS_URL], const struct conf *c, const char *section,
                            const char *key, bool sells, struct tp_error *e)
{
    static const char scheme[] = "https://";
    const char *const sale = sells ? "/s/" : "", *url = NULL, *path;
    enum tp_err r = conf_need(&url, c, section, key, e);
    size_t n = strlen(scheme), host;
    bool good;

    if (r != TP_OK)
        return r;
    good = strlen(url) < SETTINGS_URL && strncmp(url, scheme, n) == 0;
    host = good ? strspn(url + n, HOST_LETTERS) : 0;
    path = url + (good ? n + host : 0);
    good = good && host > 0 && strncmp(path, sale, strlen(sale)) == 0 &&
           strspn(path + strlen(sale), NAME_LETTERS) == strlen(path + strlen(sale)) &&
           (path[0] == '\0') == !sells && (path[0] == '\0' || path[strlen(sale)] != '\0');
    if (!good)
        return tp_fail(e, TP_ERR_USAGE, "%s, section [%s]: %s is an address such as %s",
                       conf_path(c), section, key,
                       sells ? "https://mediator.example/s/purse" : "https://purse.example:8744");
    snprintf(out, SETTINGS_URL, "%s", url);
    return TP_OK;
}

static enum tp_err read_seller(struct purse_settings *out, const struct conf *c,
                               const char *section, struct tp_error *e)
{
    struct purse_seller *s = &out->seller[out->sellers];

    if (out->sellers == SETTINGS_SELLERS)
        return tp_fail(e, TP_ERR_USAGE, "%s has more than %d sellers", conf_path(c),
                       SETTINGS_SELLERS);
    if (strlen(section + strlen(SELLER)) >= sizeof(s->name))
        return tp_fail(e, TP_ERR_USAGE, "%s, section [%s]: no seller has such a name", conf_path(c),
                       section);
    snprintf(s->name, sizeof(s->name), "%s", section + strlen(SELLER));
    out->sellers++;
    return read_url(s->at, c, section, "at", true, e);
}

enum tp_err settings_load(struct purse_settings *out, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    struct conf *c = NULL;
    const char *name = NULL, *listen, *section;
    enum tp_err r = file_join(path, sizeof(path), dir, SETTINGS_FILE, e);

    *out = (struct purse_settings){.listen = SETTINGS_LISTEN};
    if (r == TP_OK)
        r = conf_load(&c, path, e);
    if (r == TP_OK)
        r = conf_need(&name, c, "purse", "name", e);
    if (r == TP_OK && strlen(name) >= sizeof(out->name))
        r = tp_fail(e, TP_ERR_USAGE, "%s, section [purse]: name has more than %d bytes", path,
                    SETTINGS_NAME - 1);
    for (size_t i = 0; r == TP_OK && (section = conf_section_at(c, i)) != NULL; i++)
        if (strncmp(section, SELLER, strlen(SELLER)) == 0)
            r = read_seller(out, c, section, e);
        else if (strcmp(section, "purse") != 0)
            r = read_currency(out, c, section, e);
    if (r == TP_OK && (out->sellers > 0 || conf_get(c, "purse", "url") != NULL))
        r = read_url(out->url, c, "purse", "url", false, e); /* the way back from a seller */
    if (r == TP_OK) {
        snprintf(out->name, sizeof(out->name), "%s", name);
        listen = conf_get(c, "purse", "listen");
        if (listen != NULL &&
            snprintf(out->listen, sizeof(out->listen), "%s", listen) >= (int)sizeof(out->listen))
            r = tp_fail(e, TP_ERR_USAGE, "%s, section [purse]: listen is too long", path);
    }
    conf_free(&c);
    return r;
}

const struct purse_currency *settings_currency(const struct purse_settings *s, unsigned numeric)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->currency[i].currency->numeric == numeric)
            return &s->currency[i];
    return NULL;
}
