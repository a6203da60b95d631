#include "payer/session.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/date.h"
#include "base/file.h"

#define FILE_NAME "session"
#define FILE_MAX  64

/* ---- when its user said that one begins ---- */

enum tp_err session_begin(const char *folder, time_t at, struct tp_error *e)
{
    char path[PATH_MAX], text[TIME_TEXT_MAX];
    const enum tp_err r = file_join(path, sizeof(path), folder, FILE_NAME, e);

    return r == TP_OK ? file_replace(path, span_str(time_format_utc(text, at)), 0600, e) : r;
}

static enum tp_err read_begun(time_t *out, const char *folder, struct tp_error *e)
{
    char path[PATH_MAX];
    uint8_t *text = NULL;
    size_t n = 0;
    enum tp_err r = file_join(path, sizeof(path), folder, FILE_NAME, e);

    *out = 0;
    if (r != TP_OK)
        return r;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return TP_OK;
    r = file_read(path, FILE_MAX, &text, &n, e);
    if (r == TP_OK && time_parse(out, (const char *)text) != TP_OK)
        r = tp_fail(e, TP_ERR_FORMAT,
                    "%s does not say when a session began: telepay session begin writes it anew",
                    path);
    free(text);
    return r;
}

/* ---- sums ---- */

struct walk {
    struct session *session;
    const struct plan *plan;
    time_t begun, last; /* last: of what came after, or now */
    enum tp_err r;
    struct tp_error *e;
};

static struct session_sum *sum_of(struct session *s, const char *means, uint16_t currency)
{
    size_t i = 0;

    while (i < s->n && (strcmp(s->sums[i].means, means) != 0 || s->sums[i].currency != currency))
        i++;
    if (i == SESSION_SUMS_MAX)
        return NULL;
    if (i == s->n) {
        s->sums[s->n++] = (struct session_sum){.currency = currency};
        snprintf(s->sums[i].means, sizeof(s->sums[i].means), "%s", means);
    }
    return &s->sums[i];
}

static void add(struct session_sum *sum, const struct kept_order *o, const struct plan *plan)
{
    const struct plan_means *row = plan_find(plan, sum->means);
    const struct plan_limit *unasked = row != NULL ? &row->unasked : NULL;

    sum->orders++;
    *(o->state == KEPT_ACKNOWLEDGED ? &sum->paid : &sum->under_way) += o->ticket.amount;
    if (unasked != NULL && unasked->currency != NULL &&
        unasked->currency->numeric == sum->currency && o->ticket.amount <= unasked->amount)
        sum->small += o->ticket.amount;
}

static bool counts(enum kept_state s)
{
    return s == KEPT_SUBMITTING || s == KEPT_COMPLETING || s == KEPT_ACKNOWLEDGED;
}

/* The newest first, back to the silence before the session. */
static bool each(void *ctx, const struct kept_order *o)
{
    struct walk *w = ctx;
    json_t *challenge;
    struct session_sum *sum;
    const char *means;

    if (!counts(o->state))
        return true;
    if (o->made < w->begun || w->last - o->made >= SESSION_SILENCE_S)
        return false;
    challenge = json_loads(o->challenge, 0, NULL);
    means = json_string_value(json_object_get(challenge, "method"));
    sum = sum_of(w->session, means != NULL ? means : "?", o->ticket.currency);
    json_decref(challenge);
    if (sum == NULL) {
        w->r = tp_fail(w->e, TP_ERR_RANGE, "a session of more than %d currencies and means",
                       SESSION_SUMS_MAX);
        return false;
    }
    add(sum, o, w->plan);
    w->last = o->made;
    w->session->began = o->made;
    return true;
}

enum tp_err session_read(struct session *out, struct journal *j, const char *folder,
                         const struct plan *plan, time_t at, struct tp_error *e)
{
    struct walk w = {.session = out, .plan = plan, .last = at, .r = TP_OK, .e = e};
    enum tp_err r = read_begun(&w.begun, folder, e);

    *out = (struct session){0};
    if (r == TP_OK)
        r = orders_list(j, each, &w, e);
    if (w.begun != 0 && w.last - w.begun < SESSION_SILENCE_S)
        out->began = w.begun;
    return r == TP_OK ? w.r : r;
}

int64_t session_small(const struct session *s, const char *means, uint16_t currency)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->sums[i].currency == currency && strcmp(s->sums[i].means, means) == 0)
            return s->sums[i].small;
    return 0;
}
