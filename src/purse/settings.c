#include "purse/settings.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/file.h"

#define BIC_SHORT 8
#define BIC_LONG  11

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
        if (strcmp(section, "purse") != 0)
            r = read_currency(out, c, section, e);
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
