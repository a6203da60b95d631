#include "payer/plan.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/file.h"

#define FILE_NAME "plan.ini"
#define FILE_ROOM (PLAN_MEANS_MAX * 256)

/* What this device pays by, in the order in which it is taken where nobody says another. */
static const char *const device_means[] = {"emv", "purse"};

#define DEVICE_MEANS (sizeof(device_means) / sizeof(device_means[0]))

/* ---- amounts ---- */

enum tp_err plan_limit_parse(struct plan_limit *out, const char *what, const char *text,
                             struct tp_error *e)
{
    const char *space = strchr(text, ' ');
    struct plan_limit limit = {0};
    char amount[32];

    if (space != NULL)
        limit.currency = currency_by_alpha(space + 1);
    if (limit.currency == NULL || (size_t)(space - text) >= sizeof(amount))
        return tp_fail(e, TP_ERR_USAGE, "%s takes an amount and its currency, as \"5.00 EUR\"",
                       what);
    snprintf(amount, sizeof(amount), "%.*s", (int)(space - text), text);
    if (money_parse(&limit.amount, limit.currency, amount, e) != TP_OK)
        return tp_error_prefix(e, "%s", what);
    *out = limit;
    return TP_OK;
}

char *plan_limit_shown(char out[PLAN_LIMIT_TEXT], const struct plan_limit *limit)
{
    char amount[MONEY_TEXT_MAX];

    if (limit->currency == NULL)
        out[0] = '\0';
    else
        snprintf(out, PLAN_LIMIT_TEXT, "%s %s",
                 money_format(amount, limit->amount, limit->currency), limit->currency->alpha);
    return out;
}

static bool is_within(int64_t amount, const struct currency *currency,
                      const struct plan_limit *limit)
{
    return limit->currency == currency && amount <= limit->amount;
}

/* ---- rows ---- */

static size_t index_of(const struct plan *p, const char *name)
{
    size_t i = 0;

    while (i < p->n && strcmp(p->means[i].name, name) != 0)
        i++;
    return i;
}

const struct plan_means *plan_find(const struct plan *p, const char *name)
{
    const size_t i = index_of(p, name);

    return i < p->n ? &p->means[i] : NULL;
}

static enum tp_err add(struct plan *p, const char *name, struct tp_error *e)
{
    if (p->n == PLAN_MEANS_MAX)
        return tp_fail(e, TP_ERR_RANGE, "a plan has %d means at most", PLAN_MEANS_MAX);
    if (strlen(name) >= PLAN_NAME)
        return tp_fail(e, TP_ERR_FORMAT, "\"%.40s\" is the name of no means", name);
    p->means[p->n] = (struct plan_means){0};
    memcpy(p->means[p->n++].name, name, strlen(name) + 1);
    return TP_OK;
}

enum tp_err plan_take(struct plan_means **out, struct plan *p, const char *name, struct tp_error *e)
{
    const size_t at = index_of(p, name);
    bool known = false;
    enum tp_err r = TP_OK;

    for (size_t i = 0; i < DEVICE_MEANS; i++)
        known = known || strcmp(device_means[i], name) == 0;
    if (!known)
        return tp_fail(e, TP_ERR_USAGE,
                       "this device does not pay by \"%.40s\": by emv, a card, or purse", name);
    if (at == p->n)
        r = add(p, name, e);
    *out = &p->means[at];
    return r;
}

void plan_drop(struct plan *p, const char *name)
{
    const size_t at = index_of(p, name);

    if (at == p->n)
        return;
    p->n--;
    memmove(&p->means[at], &p->means[at + 1], (p->n - at) * sizeof(p->means[0]));
}

void plan_put_first(struct plan *p, const char *name)
{
    const size_t at = index_of(p, name);
    struct plan_means row;

    if (at == p->n)
        return;
    row = p->means[at];
    memmove(&p->means[1], &p->means[0], at * sizeof(p->means[0]));
    p->means[0] = row;
}

/* ---- the file ---- */

static enum tp_err read_limit(struct plan_limit *out, const struct conf *c, const char *section,
                              const char *key, struct tp_error *e)
{
    const char *text = conf_get(c, section, key);
    const enum tp_err r = text != NULL ? plan_limit_parse(out, key, text, e) : TP_OK;

    return r == TP_OK ? r : tp_error_prefix(e, "%s, section [%s]", conf_path(c), section);
}

static enum tp_err read_rows(struct plan *out, const struct conf *c, struct tp_error *e)
{
    const char *name;
    enum tp_err r = TP_OK;

    for (size_t i = 0; r == TP_OK && (name = conf_section_at(c, i)) != NULL; i++) {
        struct plan_means *row = &out->means[out->n];

        if (strcmp(conf_get(c, name, "means") != NULL ? conf_get(c, name, "means") : "", "yes") !=
            0)
            return tp_fail(e, TP_ERR_FORMAT, "%s, section [%s]: it does not say means = yes",
                           conf_path(c), name);
        r = add(out, name, e);
        if (r == TP_OK)
            r = read_limit(&row->up_to, c, name, "up_to", e);
        if (r == TP_OK)
            r = read_limit(&row->unasked, c, name, "unasked", e);
        if (r == TP_OK)
            r = read_limit(&row->summed, c, name, "unasked_session", e);
    }
    return r;
}

enum tp_err plan_load(struct plan *out, const char *folder, struct tp_error *e)
{
    char path[PATH_MAX];
    struct conf *c = NULL;
    enum tp_err r = file_join(path, sizeof(path), folder, FILE_NAME, e);

    *out = (struct plan){0};
    if (r != TP_OK)
        return r;
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        for (size_t i = 0; r == TP_OK && i < DEVICE_MEANS; i++)
            r = add(out, device_means[i], e);
        return r;
    }
    r = conf_load(&c, path, e);
    if (r == TP_OK)
        r = read_rows(out, c, e);
    conf_free(&c);
    return r;
}

static void write_limit(char *text, const char *key, const struct plan_limit *limit)
{
    const size_t n = strlen(text);
    char shown[PLAN_LIMIT_TEXT];

    if (limit->currency != NULL)
        snprintf(text + n, FILE_ROOM - n, "%s = %s\n", key, plan_limit_shown(shown, limit));
}

enum tp_err plan_store(const struct plan *p, const char *folder, struct tp_error *e)
{
    char path[PATH_MAX], text[FILE_ROOM] = "";
    const enum tp_err r = file_join(path, sizeof(path), folder, FILE_NAME, e);

    if (r != TP_OK)
        return r;
    for (size_t i = 0; i < p->n; i++) {
        const size_t n = strlen(text);

        snprintf(text + n, sizeof(text) - n, "[%s]\nmeans = yes\n", p->means[i].name);
        write_limit(text, "up_to", &p->means[i].up_to);
        write_limit(text, "unasked", &p->means[i].unasked);
        write_limit(text, "unasked_session", &p->means[i].summed);
    }
    return file_replace(path, span_str(text), 0600, e);
}

/* ---- what it says ---- */

enum tp_err plan_allows(const struct plan *p, const char *name, int64_t amount,
                        const struct currency *currency, struct tp_error *e)
{
    const struct plan_means *m = plan_find(p, name);
    char limit[PLAN_LIMIT_TEXT], shown[MONEY_TEXT_MAX];

    if (m == NULL)
        return tp_fail(e, TP_ERR_CANCELLED,
                       "the order is to be paid by %s, which is not in your plan (telepay plan): "
                       "nothing was paid",
                       name);
    if (m->up_to.currency == NULL || is_within(amount, currency, &m->up_to))
        return TP_OK;
    return tp_fail(e, TP_ERR_CANCELLED,
                   "the order is of %s %s, and your plan pays by %s up to %s (telepay plan): "
                   "nothing was paid",
                   money_format(shown, amount, currency), currency->alpha, name,
                   plan_limit_shown(limit, &m->up_to));
}

bool plan_unasked(const struct plan_means *m, const struct plan_limit *given, int64_t amount,
                  const struct currency *currency, int64_t before)
{
    if (m == NULL || (m->unasked.currency == NULL && given->currency == NULL))
        return false;
    if (given->currency != NULL && !is_within(amount, currency, given))
        return false;
    if (m->unasked.currency == NULL) /* the command line's word alone */
        return true;
    return is_within(amount, currency, &m->unasked) &&
           (m->summed.currency == NULL || is_within(before + amount, currency, &m->summed));
}

char *plan_asks_why(char out[PLAN_WHY], const struct plan_means *m, const struct plan_limit *given,
                    int64_t amount, const struct currency *currency, int64_t before)
{
    char limit[PLAN_LIMIT_TEXT], sum[MONEY_TEXT_MAX];

    out[0] = '\0';
    if (m == NULL || plan_unasked(m, given, amount, currency, before))
        return out;
    if (given->currency != NULL && !is_within(amount, currency, given))
        snprintf(out, PLAN_WHY, "asked, since --up-to says %s", plan_limit_shown(limit, given));
    else if (m->unasked.currency != NULL && !is_within(amount, currency, &m->unasked))
        snprintf(out, PLAN_WHY, "asked, since the plan pays %s unasked and no more",
                 plan_limit_shown(limit, &m->unasked));
    else if (m->summed.currency != NULL)
        snprintf(out, PLAN_WHY,
                 "asked, since the plan pays %s unasked in a session, and %s %s of it went already",
                 plan_limit_shown(limit, &m->summed), money_format(sum, before, currency),
                 currency->alpha);
    return out;
}
