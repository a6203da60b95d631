#include "acquirer/collecting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquirer/state.h"
#include "base/mask.h"

struct collecting { /* what the books of a collection are here */
    struct ledger *ledger;
    struct seal *seal;
};

/* ---- its books ---- */

static enum tp_err get(void *of, const char *contract, uint32_t number, struct remise *out,
                       struct tp_error *e)
{
    const struct collecting *c = of;

    return ledger_remise_get(c->ledger, contract, number, out, e);
}

static enum tp_err each(void *of, const char *contract, remise_visit *visit, void *ctx,
                        struct tp_error *e)
{
    const struct collecting *c = of;
    struct contract found;
    const enum tp_err r =
        contract != NULL ? ledger_contract_get(c->ledger, contract, &found, e) : TP_OK;

    return r == TP_OK ? ledger_remise_each(c->ledger, contract, -1, visit, ctx, e) : r;
}

static enum tp_err describe(void *of, const struct remise *r, struct caaa_remise *out,
                            struct tp_error *e)
{
    const struct collecting *c = of;
    struct contract contract;
    const enum tp_err err = ledger_contract_get(c->ledger, r->contract, &contract, e);

    if (err != TP_OK)
        return err;
    out->mcc = contract.mcc;
    snprintf(out->name, sizeof(out->name), "%s", contract.name);
    return TP_OK;
}

static enum tp_err submitted(void *of, const struct remise *r, const uint8_t hash[32],
                             struct tp_error *e)
{
    const struct collecting *c = of;

    return ledger_remise_submitted(c->ledger, r->contract, r->number, hash, e);
}

static enum tp_err collected(void *of, const struct remise *r, const struct remise_refusal *refused,
                             size_t n, const char *outcome, struct tp_error *e)
{
    const struct collecting *c = of;

    return ledger_remise_collected(c->ledger, r->contract, r->number, refused, n, outcome, e);
}

static enum tp_err rejected(void *of, const struct remise *r, const char *outcome,
                            struct tp_error *e)
{
    const struct collecting *c = of;

    return ledger_remise_rejected(c->ledger, r->contract, r->number, outcome, e);
}

static enum tp_err refused(void *of, const struct remise *r, struct remise_totals *refused,
                           struct tp_error *e)
{
    const struct collecting *c = of;

    return ledger_remise_refused(c->ledger, r, refused, e);
}

static void close_books(void *of)
{
    struct collecting *c = of;

    ledger_close(&c->ledger);
    seal_free(&c->seal);
    free(c);
}

/* ---- its items ---- */

struct walk {
    const struct collecting *c;
    remise_item_visit *visit;
    void *ctx;
};

static enum tp_err open_pan(const struct collecting *c, char pan[20], const struct tx_record *tx,
                            struct tp_error *e)
{
    uint8_t context[LEDGER_CONTEXT_MAX];
    struct buf plain = {(uint8_t *)pan, 0, PAN_MAX};
    const enum tp_err r =
        seal_open(c->seal, &plain, tx->pan_sealed, ledger_seal_context(context, tx));

    pan[plain.n] = '\0';
    return r == TP_OK ? r
                      : tp_fail(e, TP_ERR_SECURITY,
                                "transaction %s: its card number cannot be opened: is seal.key "
                                "that of these books?",
                                tx->rrn);
}

static enum tp_err visit_item(void *ctx, uint32_t sequence, const struct tx_record *tx,
                              struct tp_error *e)
{
    const struct walk *w = ctx;
    struct caaa_item item = {.sequence = sequence,
                             .kind = tx->kind == TX_CREDIT ? CAAA_CREDIT : CAAA_DEBIT,
                             .psn = tx->emv.psn,
                             .expiry = tx->emv.card_expiry,
                             .stan = tx->stan,
                             .local_time = tx->local_time,
                             .amount = tx->amount,
                             .icc = tx->emv.de55};
    enum tp_err r = open_pan(w->c, item.pan, tx, e);

    snprintf(item.terminal, sizeof(item.terminal), "%s", tx->terminal);
    snprintf(item.rrn, sizeof(item.rrn), "%s", tx->rrn);
    snprintf(item.approval, sizeof(item.approval), "%s", tx->approval);
    if (r == TP_OK)
        r = w->visit(w->ctx, &item, e);
    secret_wipe(item.pan, sizeof(item.pan));
    return r;
}

static enum tp_err items(void *of, const struct remise *r, remise_item_visit *visit, void *ctx,
                         struct tp_error *e)
{
    struct walk w = {of, visit, ctx};

    return ledger_remise_items(w.c->ledger, r->contract, r->number, visit_item, &w, e);
}

/* ---- opening ---- */

enum tp_err collecting_open(struct collector *out, const char *dir, struct tp_error *e)
{
    static const struct remise_books books = {get,       each,     describe, items,      submitted,
                                              collected, rejected, refused,  close_books};
    struct collecting *c = calloc(1, sizeof(*c));
    enum tp_err r = c != NULL ? acquirer_open_ledger(&c->ledger, dir, e)
                              : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");

    *out = (struct collector){.books = &books, .of = c};
    if (r == TP_OK)
        r = seal_open_dir(&c->seal, dir, e);
    if (r != TP_OK) {
        collector_close(out);
        return r;
    }
    return collector_open(out, dir, e);
}

/* ---- whose hour has come ---- */

bool collecting_hour_came(time_t since, int hhmm, time_t now)
{
    struct tm at;
    time_t hour;

    localtime_r(&now, &at);
    at.tm_hour = hhmm / 100;
    at.tm_min = hhmm % 100;
    at.tm_sec = 0;
    at.tm_isdst = -1;
    hour = mktime(&at);
    if (hour > now) { /* not yet today: yesterday's */
        at.tm_mday--;
        at.tm_isdst = -1;
        hour = mktime(&at);
    }
    return since < hour;
}

struct oldest {
    time_t at; /* 0: none */
};

static enum tp_err see_oldest(void *ctx, uint32_t sequence, const struct tx_record *tx,
                              struct tp_error *e)
{
    struct oldest *o = ctx;

    (void)sequence;
    (void)e;
    if (tx->state == TX_REVERSED)
        return TP_OK;
    o->at = tx->acknowledged;
    return TP_ERR_CANCELLED; /* the first is enough */
}

struct due {
    char (*contracts)[CONTRACT_ID_MAX];
    size_t n;
    struct ledger *l;
    bool now;
};

static enum tp_err collect_contract(void *ctx, const struct contract *c, struct tp_error *e)
{
    struct due *d = ctx;
    char(*more)[CONTRACT_ID_MAX] = realloc(d->contracts, (d->n + 1) * sizeof(*more));

    if (more == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    d->contracts = more;
    memcpy(d->contracts[d->n++], c->id, sizeof(c->id));
    return TP_OK;
}

static enum tp_err close_one(struct due *d, const char *id, struct tp_error *e)
{
    struct ledger *l = d->l;
    struct oldest oldest = {0};
    struct contract contract;
    struct remise remise;
    enum tp_err r = ledger_contract_get(l, id, &contract, e);

    if (r == TP_OK)
        r = ledger_remise_running(l, id, &remise, e);
    if (r != TP_OK)
        return r;
    if (!d->now && contract.close_hour != CONTRACT_ANY_HOUR) {
        const struct tx_filter open = {.contract = id, .state = -1, .remise = remise.number};

        r = ledger_tx_each(l, &open, see_oldest, &oldest, e);
        if (r != TP_OK && r != TP_ERR_CANCELLED)
            return r;
        if (oldest.at == 0 || !collecting_hour_came(oldest.at, contract.close_hour, time(NULL)))
            return TP_OK;
    }
    r = ledger_remise_close(l, id, &remise, e);
    return r == TP_ERR_NOT_FOUND ? TP_OK : r; /* an empty day closes nothing */
}

enum tp_err collecting_close_due(struct collector *c, const char *contract, bool now,
                                 struct tp_error *e)
{
    const struct collecting *own = c->of;
    struct due d = {.l = own->ledger, .now = now};
    enum tp_err r = TP_OK;

    if (contract != NULL)
        return close_one(&d, contract, e);
    r = ledger_contract_each(d.l, collect_contract, &d, e);
    for (size_t i = 0; i < d.n && r == TP_OK; i++)
        r = close_one(&d, d.contracts[i], e);
    free(d.contracts);
    return r;
}
