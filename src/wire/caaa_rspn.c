/* caaa.012, the centre's answer to a remise: written by the centre, read by the acquirer. */
#include "base/text.h"
#include "wire/caaa_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const results[] = {
    [CAAA_APPROVED] = "APPR", [CAAA_PARTIAL] = "PART", [CAAA_DECLINED] = "DECL"};
#define RESULTS (sizeof(results) / sizeof(results[0]))

/* ---- writing ---- */

static void optional(struct caaa_writer *w, const char *name, const char *text)
{
    if (text[0] != '\0')
        caaa_text(w, name, text);
}

enum tp_err caaa_response_begin(struct caaa_writer **out, const struct caaa_sink *sink,
                                const struct caaa_response *r, struct tp_error *e)
{
    struct caaa_writer *w;
    enum tp_err err = caaa_writer_new(&w, sink, CAAA_NS_RESPONSE, "AccptrBtchTrfRspn", e);

    *out = w;
    if (err != TP_OK)
        return err;
    w->currency = r->currency;
    caaa_header(w, r->number, r->answered, r->acquirer);
    caaa_open(w, "BtchTrfRspn");
    caaa_totals_lines(w, &r->totals);
    caaa_open(w, "DataSet");
    caaa_set_id(w, r->contract, r->number, "AKCP", r->created);
    caaa_open(w, "DataSetRslt");
    caaa_text(w, "Rspn", results[r->result]);
    optional(w, "RspnRsn", r->verdict.reason);
    optional(w, "AddtlRspnInf", r->verdict.text);
    caaa_close(w);
    caaa_text(w, "RmvDataSet", "true"); /* settled: the acquirer need not keep it for sending */
    caaa_totals_lines(w, &r->totals);
    caaa_end_line(w);
    return caaa_writer_check(w, e);
}

enum tp_err caaa_response_refusal(struct caaa_writer *w, const struct caaa_refusal *refusal,
                                  struct tp_error *e)
{
    if (refusal->sequence <= w->next)
        return tp_fail(e, TP_ERR_STATE, "refused item %" PRIu32 " comes after %" PRIu32,
                       refusal->sequence, w->next);
    w->next = refusal->sequence;
    caaa_open(w, "RjctdTx");
    caaa_number(w, "TxSeqCntr", refusal->sequence);
    caaa_open(w, "TxRspn");
    caaa_text(w, "Rspn", "DECL");
    optional(w, "RspnRsn", refusal->reason);
    caaa_close(w);
    caaa_open(w, "Envt");
    caaa_close(w);
    caaa_open(w, "Tx");
    caaa_transaction_id(w, refusal->local_time, refusal->stan);
    caaa_text(w, "Rspn", "DECL");
    caaa_close(w);
    caaa_close(w);
    caaa_end_line(w);
    return caaa_writer_check(w, e);
}

enum tp_err caaa_response_end(struct caaa_writer *w, struct tp_error *e)
{
    return caaa_writer_end(w, e);
}

/* ---- reading ---- */

enum id {
    ACQUIRER,
    NUMBER,
    ANSWERED,
    ALL_TOTALS,
    ALL_CCY,
    ALL_KIND,
    ALL_COUNT,
    ALL_AMOUNT,
    SET,
    SET_NAME,
    SET_TYPE,
    SET_CREATED,
    RESULT,
    RESULT_REASON,
    RESULT_TEXT,
    SET_TOTALS,
    SET_CCY,
    SET_KIND,
    SET_COUNT,
    SET_AMOUNT,
    OTHER, /* SspdTx, RsmdApprvl, RsmdRjctn: our centre settles at once */
    REJECTED,
    REJECTED_SEQUENCE,
    REJECTED_REASON,
    REJECTED_TIME,
    REJECTED_REF
};

static const struct caaa_field fields[] = {
    /* sorted */
    {"BtchTrfRspn/DataSet", SET},
    {"BtchTrfRspn/DataSet/DataSetId/CreDtTm", SET_CREATED},
    {"BtchTrfRspn/DataSet/DataSetId/Nm", SET_NAME},
    {"BtchTrfRspn/DataSet/DataSetId/Tp", SET_TYPE},
    {"BtchTrfRspn/DataSet/DataSetRslt/AddtlRspnInf", RESULT_TEXT},
    {"BtchTrfRspn/DataSet/DataSetRslt/Rspn", RESULT},
    {"BtchTrfRspn/DataSet/DataSetRslt/RspnRsn", RESULT_REASON},
    {"BtchTrfRspn/DataSet/RjctdTx", REJECTED},
    {"BtchTrfRspn/DataSet/RjctdTx/Tx/TxId/TxDtTm", REJECTED_TIME},
    {"BtchTrfRspn/DataSet/RjctdTx/Tx/TxId/TxRef", REJECTED_REF},
    {"BtchTrfRspn/DataSet/RjctdTx/TxRspn/RspnRsn", REJECTED_REASON},
    {"BtchTrfRspn/DataSet/RjctdTx/TxSeqCntr", REJECTED_SEQUENCE},
    {"BtchTrfRspn/DataSet/RsmdApprvl", OTHER},
    {"BtchTrfRspn/DataSet/RsmdRjctn", OTHER},
    {"BtchTrfRspn/DataSet/SspdTx", OTHER},
    {"BtchTrfRspn/DataSet/TxTtls", SET_TOTALS},
    {"BtchTrfRspn/DataSet/TxTtls/Ccy", SET_CCY},
    {"BtchTrfRspn/DataSet/TxTtls/CmltvAmt", SET_AMOUNT},
    {"BtchTrfRspn/DataSet/TxTtls/Tp", SET_KIND},
    {"BtchTrfRspn/DataSet/TxTtls/TtlNb", SET_COUNT},
    {"BtchTrfRspn/TxTtls", ALL_TOTALS},
    {"BtchTrfRspn/TxTtls/Ccy", ALL_CCY},
    {"BtchTrfRspn/TxTtls/CmltvAmt", ALL_AMOUNT},
    {"BtchTrfRspn/TxTtls/Tp", ALL_KIND},
    {"BtchTrfRspn/TxTtls/TtlNb", ALL_COUNT},
    {"Hdr/CreDtTm", ANSWERED},
    {"Hdr/InitgPty/Id", ACQUIRER},
    {"Hdr/XchgId", NUMBER},
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

struct reading {
    struct caaa_response *response;
    caaa_refused *refused;
    void *ctx;
    struct caaa_totals all;
    const struct currency *all_currency;
    unsigned all_seen, set_seen;
    struct caaa_totals_line line;
    unsigned sets;
    uint32_t last; /* sequence of the last refusal */
    struct caaa_refusal refusal;
    char set_name[CAAA_SET_MAX];
};

static enum tp_err take_result(struct reading *d, const char *text)
{
    for (size_t i = 0; i < RESULTS; i++)
        if (strcmp(text, results[i]) == 0) {
            d->response->result = (enum caaa_result)i;
            return TP_OK;
        }
    return TP_ERR_FORMAT; /* SUSP, TECH: nothing is settled, so nothing is said */
}

static enum tp_err take_line_part(struct reading *d, int part, const char *text)
{
    char code[8];
    enum tp_err r;

    switch (part) {
    case ALL_COUNT:
        return caaa_parse_number(&d->line.count, text, UINT32_MAX);
    case ALL_AMOUNT:
        return caaa_parse_text(d->line.amount, sizeof(d->line.amount), text);
    default:
        r = caaa_parse_text(code, sizeof(code), text);
        if (r == TP_OK && part == ALL_CCY)
            d->line.currency = currency_by_alpha(code);
        else if (r == TP_OK)
            d->line.kind = caaa_kind_of(code);
        return r;
    }
}

static enum tp_err take_number(uint32_t *out, const char *text)
{
    uint64_t v = 0;
    const enum tp_err r = caaa_parse_number(&v, text, 999999999);

    *out = (uint32_t)v;
    return r;
}

static enum tp_err end_refusal(struct reading *d, struct tp_error *e)
{
    if (d->refusal.sequence <= d->last)
        return tp_fail(e, TP_ERR_FORMAT, "the answer refuses item %" PRIu32 " after item %" PRIu32,
                       d->refusal.sequence, d->last);
    d->last = d->refusal.sequence;
    return d->refused(d->ctx, &d->refusal, e);
}

static enum tp_err take(struct reading *d, int id, const char *text)
{
    struct caaa_response *r = d->response;

    switch (id) {
    case ACQUIRER:
        return caaa_parse_text(r->acquirer, sizeof(r->acquirer), text);
    case NUMBER:
        return take_number(&r->number, text);
    case ANSWERED:
        return caaa_parse_time(&r->answered, text);
    case ALL_TOTALS:
        return caaa_totals_take(&d->all, &d->all_currency, &d->all_seen, &d->line);
    case SET_TOTALS:
        return caaa_totals_take(&r->totals, &r->currency, &d->set_seen, &d->line);
    case SET_NAME:
        return caaa_parse_text(d->set_name, sizeof(d->set_name), text);
    case SET_TYPE:
        return strcmp(text, "AKCP") == 0 ? TP_OK : TP_ERR_FORMAT;
    case SET_CREATED:
        return caaa_parse_time(&r->created, text);
    case RESULT:
        return take_result(d, text);
    case RESULT_REASON:
        return caaa_parse_words(r->verdict.reason, sizeof(r->verdict.reason), text);
    case RESULT_TEXT:
        return caaa_parse_words(r->verdict.text, sizeof(r->verdict.text), text);
    case REJECTED_SEQUENCE:
        return take_number(&d->refusal.sequence, text);
    case REJECTED_REASON:
        return caaa_parse_words(d->refusal.reason, sizeof(d->refusal.reason), text);
    case REJECTED_TIME:
        return caaa_parse_local(&d->refusal.local_time, text);
    case REJECTED_REF:
        return take_number(&d->refusal.stan, text);
    case OTHER:
        return TP_ERR_FORMAT;
    default:
        return TP_OK;
    }
}

static enum tp_err enter(void *ctx, int id, unsigned line, struct tp_error *e)
{
    struct reading *d = ctx;

    if (id == ALL_TOTALS || id == SET_TOTALS)
        d->line = (struct caaa_totals_line){.kind = -1};
    else if (id == REJECTED)
        d->refusal = (struct caaa_refusal){.sequence = 0};
    else if (id == SET && ++d->sets > 1)
        return tp_fail(e, TP_ERR_FORMAT, "line %u: the answer holds a second data set", line);
    return TP_OK;
}

static enum tp_err leave(void *ctx, int id, const char *text, unsigned line, struct tp_error *e)
{
    struct reading *d = ctx;

    if (id == REJECTED)
        return end_refusal(d, e);
    if (id >= ALL_CCY && id <= ALL_AMOUNT)
        return take_line_part(d, id, text) == TP_OK
                   ? TP_OK
                   : tp_fail(e, TP_ERR_FORMAT, "line %u: TxTtls: \"%.40s\" is not taken", line,
                             text);
    if (id >= SET_CCY && id <= SET_AMOUNT)
        return take_line_part(d, id - SET_CCY + ALL_CCY, text) == TP_OK
                   ? TP_OK
                   : tp_fail(e, TP_ERR_FORMAT, "line %u: TxTtls: \"%.40s\" is not taken", line,
                             text);
    if (take(d, id, text) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT,
                       "line %u: \"%.40s\" is not taken in this place of the answer", line, text);
    return TP_OK;
}

/* "CONTRACT-NUMBER": the number stands in the header as well. */
static enum tp_err split_name(struct reading *d)
{
    char name[CAAA_SET_MAX];
    const char *dash = strrchr(d->set_name, '-');
    const size_t n = dash != NULL ? (size_t)(dash - d->set_name) : 0;

    if (n == 0 || n >= sizeof(d->response->contract))
        return TP_ERR_FORMAT;
    memcpy(d->response->contract, d->set_name, n);
    d->response->contract[n] = '\0';
    caaa_set_name(name, d->response->contract, d->response->number);
    return strcmp(name, d->set_name) == 0 ? TP_OK : TP_ERR_FORMAT;
}

static enum tp_err conclude(struct reading *d, struct tp_error *e)
{
    const struct caaa_response *r = d->response;

    if (d->sets != 1)
        return tp_fail(e, TP_ERR_FORMAT, "the answer holds no result for a remise");
    if (split_name(d) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT,
                       "the answer's data set \"%.40s\" is not the remise %" PRIu32
                       " of its header",
                       d->set_name, r->number);
    if (memcmp(&d->all, &r->totals, sizeof(d->all)) != 0 || d->all_currency != r->currency ||
        r->currency == NULL)
        return tp_fail(e, TP_ERR_FORMAT,
                       "the answer's totals differ between the batch and its one data set");
    if ((r->result == CAAA_PARTIAL) != (d->last != 0))
        return tp_fail(e, TP_ERR_FORMAT, "the answer says %s, and %s", results[r->result],
                       d->last != 0 ? _("refuses items") : _("refuses no item"));
    return TP_OK;
}

enum tp_err caaa_response_read(const struct caaa_schemas *s, const struct caaa_source *source,
                               struct caaa_response *response, caaa_refused *refused, void *ctx,
                               struct tp_error *e)
{
    struct reading d = {.response = response, .refused = refused, .ctx = ctx};
    const struct caaa_walk walk = {fields, FIELDS, &d, enter, leave};
    enum tp_err r;

    memset(response, 0, sizeof(*response));
    r = caaa_walk(&walk, s->response, source, e);
    return r == TP_OK ? conclude(&d, e) : r;
}
