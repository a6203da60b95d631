#include "purse/sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/word.h"
#include "order/order.h"
#include "order/token.h"
#include "wire/jcs.h"
#include "wire/payment_challenge.h"

/* ---- what was signed ---- */

/* What a signed text says; the books have verified it when it came. NULL: it cannot be read. */
static json_t *said_by(struct span jws)
{
    struct token_text text;
    struct tp_error e = {TP_OK, ""};
    char *copy = span_text(jws);
    json_t *said = NULL;

    if (copy == NULL || token_split(&text, copy, TOKEN_MAX, &e) != TP_OK ||
        jcs_decode(&said, text.body, TOKEN_MAX, &e) != TP_OK)
        said = NULL;
    free(copy);
    return said;
}

/* … and the order within a payment's challenge. */
static json_t *order_in(struct span challenge)
{
    struct payment_challenge c;
    struct payment_charge charge = {.amount = NULL};
    json_t *object = NULL, *order = NULL;
    const char *jws = NULL;
    struct tp_error e = {TP_OK, ""};

    if (jcs_read(&object, challenge, &e) == TP_OK &&
        payment_challenge_from_json(&c, object, &e) == TP_OK &&
        payment_charge_read(&charge, c.request, &e) == TP_OK &&
        order_of_charge(&jws, &charge, &e) == TP_OK)
        order = said_by(span_str(jws));
    payment_charge_free(&charge);
    json_decref(object);
    return order;
}

static const struct {
    const char *member, *further; /* NULL: none */
    const char *between;
} abouts[] = {
    [HISTORY_FILLED] = {"reference", NULL, ""},   [HISTORY_GIVEN_BACK] = {"reference", NULL, ""},
    [HISTORY_CARD] = {"reference", NULL, ""},     [HISTORY_PAYMENT] = {"merchant", "item", ": "},
    [HISTORY_REVERSAL] = {"reason", NULL, ""},    [HISTORY_EMPTYING] = {"iban", "name", ", "},
    [HISTORY_PROVISION] = {"mediator", NULL, ""}, [HISTORY_VOUCHER] = {"contract", NULL, ""},
};

static const char *member(const json_t *said, const char *name)
{
    const char *text = name != NULL ? json_string_value(json_object_get(said, name)) : NULL;

    return text != NULL ? text : "";
}

char *sheet_what(char out[SHEET_WHAT], const struct history *h)
{
    const bool booked = h->kind <= HISTORY_CARD;
    json_t *said = h->kind == HISTORY_PAYMENT ? order_in(h->challenge)
                                              : said_by(booked ? h->word : h->signed_by);
    const char *first = member(said, abouts[h->kind].member),
               *second = member(said, abouts[h->kind].further);
    char whole[2 * SHEET_WHAT];

    snprintf(whole, sizeof(whole), "%.*s%s%.*s", SHEET_WHAT - 1, first,
             second[0] != '\0' ? abouts[h->kind].between : "", SHEET_WHAT - 1, second);
    word_make_shown(whole);
    word_cut(out, SHEET_WHAT, whole);
    json_decref(said);
    return out;
}

/* ---- from the books ---- */

static int effect_of(const struct history *h)
{
    static const int effects[] = {
        [HISTORY_FILLED] = 1,    [HISTORY_GIVEN_BACK] = -1, [HISTORY_CARD] = 1,
        [HISTORY_PAYMENT] = -1,  [HISTORY_REVERSAL] = 1,    [HISTORY_EMPTYING] = -1,
        [HISTORY_PROVISION] = 0, [HISTORY_VOUCHER] = -1,
    };

    return strcmp(h->code, "00") == 0 ? effects[h->kind] : 0;
}

static enum tp_err take_record(void *ctx, const struct history *h, struct tp_error *e)
{
    struct sheet *s = ctx;
    struct sheet_record *r = &s->record[s->n];

    (void)e;
    s->more = s->n == SHEET_RECORDS;
    if (s->more)
        return TP_OK;
    *r = (struct sheet_record){.number = h->number,
                               .amount = h->amount,
                               .kind = h->kind,
                               .effect = effect_of(h),
                               .at = h->at};
    memcpy(r->code, h->code, sizeof(r->code));
    memcpy(r->reason, h->reason, sizeof(r->reason));
    (void)sheet_what(r->what, h);
    s->n++;
    return TP_OK;
}

static enum tp_err take_session(void *ctx, const struct reserved *one, struct tp_error *e)
{
    struct sheet *s = ctx;

    (void)e;
    s->session[s->sessions++] = *one;
    return TP_OK;
}

enum tp_err sheet_read(struct sheet *out, struct book *b, const char *account, int64_t before,
                       struct tp_error *e)
{
    enum tp_err r = book_begin_read(b, e);

    *out = (struct sheet){.n = 0};
    if (r != TP_OK)
        return r;
    r = book_account_get(b, account, &out->account, e);
    if (r == TP_OK)
        r = book_reserved(b, account, SHEET_SESSIONS, take_session, out, e);
    if (r == TP_OK) /* one more tells whether there are more */
        r = book_history_back(b, account, before, SHEET_RECORDS + 1, take_record, out, e);
    book_rollback(b);
    return r;
}
