#include "purse/asked.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"
#include "base/money.h"
#include "wire/jcs.h"

#define RECORDS_MAX 100
#define TEXT_MAX    (256U << 10) /* bytes of what was signed, after which an answer ends */

struct asked {
    pthread_mutex_t lock;
    struct book *book;
};

enum tp_err asked_open(struct asked **out, const char *dir, struct tp_error *e)
{
    struct asked *a = calloc(1, sizeof(*a));
    enum tp_err r;

    *out = NULL;
    if (a == NULL || pthread_mutex_init(&a->lock, NULL) != 0) {
        free(a);
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    }
    r = book_open(&a->book, dir, e);
    if (r != TP_OK)
        asked_close(&a);
    *out = a;
    return r;
}

void asked_close(struct asked **a)
{
    if (*a == NULL)
        return;
    book_close(&(*a)->book);
    pthread_mutex_destroy(&(*a)->lock);
    free(*a);
    *a = NULL;
}

/* ---- who asks ---- */

static enum purse_verdict find(struct asked *a, struct account *out,
                               const struct purse_statement *s, time_t now, struct tp_error *e)
{
    time_t at = 0;
    enum tp_err r = time_parse(&at, s->at);

    if (r != TP_OK || at > now + ASKED_SECONDS || at < now - ASKED_SECONDS)
        return PURSE_ASKED;
    r = book_account_get(a->book, s->account, out, e);
    if (r != TP_OK)
        return r == TP_ERR_NOT_FOUND ? PURSE_UNKNOWN : PURSE_FAULT;
    return memcmp(out->key, s->key, sizeof(s->key)) == 0 ? PURSE_NEW : PURSE_KEY;
}

static enum purse_verdict told(enum purse_verdict v, const json_t *answer, const struct tp_error *e)
{
    if (v == PURSE_FAULT)
        log_error("%s", e->text);
    return v == PURSE_NEW && answer == NULL ? PURSE_FAULT : v;
}

enum purse_verdict asked_who(struct asked *a, struct account *out, const struct purse_statement *s,
                             time_t now)
{
    struct tp_error e = {TP_OK, ""};
    enum purse_verdict v;

    (void)pthread_mutex_lock(&a->lock);
    v = find(a, out, s, now, &e);
    (void)pthread_mutex_unlock(&a->lock);
    if (v == PURSE_FAULT)
        log_error("%s", e.text);
    return v;
}

enum purse_verdict asked_balance(struct asked *a, json_t **out, const struct purse_statement *s,
                                 time_t now)
{
    struct account account;
    const enum purse_verdict v = asked_who(a, &account, s, now);

    *out = NULL;
    if (v == PURSE_NEW)
        *out = json_pack("{s:s,s:s,s:I,s:I,s:s,s:s*,s:I}", "account", account.account, "currency",
                         currency_shown(account.currency), "balance",
                         (json_int_t)(account.balance - account.reserved), "reserved",
                         (json_int_t)account.reserved, "state", account_state_name(account.state),
                         "reason", account.reason[0] != '\0' ? account.reason : NULL, "counter",
                         (json_int_t)account.counter);
    return v == PURSE_NEW && *out == NULL ? PURSE_FAULT : v;
}

/* ---- all that became of it ---- */

struct gathering {
    json_t *records;
    size_t bytes;
};

static const struct {
    const char *kind, *signed_by; /* what the text is called that somebody signed … */
    const char *word;             /* … and the purse */
} kinds[] = {
    [HISTORY_FILLED] = {"filled", "statement", "record"},
    [HISTORY_GIVEN_BACK] = {"given back", "statement", "record"},
    [HISTORY_CARD] = {"filled by card", "statement", "record"},
    [HISTORY_PAYMENT] = {"payment", "statement", "acknowledgement"},
    [HISTORY_REVERSAL] = {"reversal", "demand", "record"},
    [HISTORY_EMPTYING] = {"emptying", "statement", "record"},
    [HISTORY_PROVISION] = {"provision", "statement", "acknowledgement"},
    [HISTORY_VOUCHER] = {"voucher", "demand", "record"},
};

static bool set_text(json_t *record, const char *name, struct span text)
{
    return text.n == 0 ||
           json_object_set_new(record, name, json_stringn((const char *)text.p, text.n)) == 0;
}

static enum tp_err gather(void *ctx, const struct history *h, struct tp_error *e)
{
    struct gathering *g = ctx;
    char at[TIME_TEXT_MAX];
    json_t *record, *challenge = NULL;
    enum tp_err r = TP_OK;

    if (g->bytes > TEXT_MAX)
        return TP_OK;
    g->bytes += h->signed_by.n + h->challenge.n + h->word.n;
    record = json_pack("{s:I,s:s,s:s,s:I,s:s,s:s*}", "number", (json_int_t)h->number, "kind",
                       kinds[h->kind].kind, "at", time_format_utc(at, h->at), "amount",
                       (json_int_t)h->amount, "code", h->code, "reason",
                       h->reason[0] != '\0' ? h->reason : NULL);
    if (h->challenge.n > 0)
        r = jcs_read(&challenge, h->challenge, e);
    if (r == TP_OK &&
        (record == NULL || !set_text(record, kinds[h->kind].signed_by, h->signed_by) ||
         !set_text(record, kinds[h->kind].word, h->word) ||
         (challenge != NULL && json_object_set(record, "challenge", challenge) != 0) ||
         json_array_append(g->records, record) != 0))
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    json_decref(challenge);
    json_decref(record);
    return r;
}

enum purse_verdict asked_history(struct asked *a, json_t **out, const struct purse_statement *s,
                                 int64_t after, time_t now)
{
    struct gathering g = {json_array(), 0};
    struct account account;
    struct tp_error e = {TP_OK, ""};
    enum purse_verdict v;

    *out = NULL;
    (void)pthread_mutex_lock(&a->lock);
    v = find(a, &account, s, now, &e);
    if (v == PURSE_NEW &&
        book_history(a->book, account.account, after, RECORDS_MAX, gather, &g, &e) != TP_OK)
        v = PURSE_FAULT;
    (void)pthread_mutex_unlock(&a->lock);
    if (v == PURSE_NEW)
        *out = json_pack("{s:O}", "records", g.records);
    json_decref(g.records);
    return told(v, *out, &e);
}

/* ---- what a door asks ---- */

enum tp_err asked_account(struct asked *a, const char *account, struct account *out,
                          struct tp_error *e)
{
    enum tp_err r;

    (void)pthread_mutex_lock(&a->lock);
    r = book_account_get(a->book, account, out, e);
    (void)pthread_mutex_unlock(&a->lock);
    return r;
}

enum tp_err asked_sheet(struct asked *a, struct sheet *out, const char *account, int64_t before,
                        struct tp_error *e)
{
    enum tp_err r;

    (void)pthread_mutex_lock(&a->lock);
    r = sheet_read(out, a->book, account, before, e);
    (void)pthread_mutex_unlock(&a->lock);
    return r;
}

enum tp_err asked_seller(struct asked *a, const char *name, bool *open, struct tp_error *e)
{
    enum tp_err r;

    (void)pthread_mutex_lock(&a->lock);
    r = book_seller_is_open(a->book, name, open, e);
    (void)pthread_mutex_unlock(&a->lock);
    return r;
}

enum tp_err asked_trust(struct asked *a, const char *contract, struct order_authority **out,
                        struct tp_error *e)
{
    char pem[BOOK_PEM];
    bool open = false;
    enum tp_err r;

    (void)pthread_mutex_lock(&a->lock);
    r = book_trust_get(a->book, contract, pem, &open, e);
    (void)pthread_mutex_unlock(&a->lock);
    if (r == TP_OK && !open)
        r = tp_fail(e, TP_ERR_NOT_FOUND, "contract %.40s is trusted no more", contract);
    return r == TP_OK ? order_authority_read(out, span_str(pem), contract, e) : r;
}
