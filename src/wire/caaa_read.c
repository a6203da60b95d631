/* Reading caaa.011 at the centre: the schema says what may stand where, this file what must add up.
 */
#include "wire/caaa_priv.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/tlv.h"
#include "base/bcd.h"
#include "base/date.h"
#include "base/mask.h"
#include "base/secret.h"

enum id {
    ACQUIRER,
    ALL_TOTALS,
    ALL_CCY,
    ALL_KIND,
    ALL_COUNT,
    ALL_AMOUNT,
    SET,
    SET_NAME,
    SET_TYPE,
    SET_CREATED,
    SET_TOTALS,
    SET_CCY,
    SET_KIND,
    SET_COUNT,
    SET_AMOUNT,
    COMMON_CCY,
    COMMON_CONTRACT,
    COMMON_NAME,
    COMMON_MCC,
    COMMON_NUMBER,
    TX,
    TX_SEQUENCE,
    TX_PAN,
    TX_PSN,
    TX_EXPIRY,
    TX_TERMINAL,
    TX_TYPE,
    TX_TIME,
    TX_REF,
    TX_SUCCESS,
    TX_REVERSAL,
    TX_RRN,
    TX_CCY,
    TX_AMOUNT,
    TX_ICC,
    TX_APPROVAL,
    TX_ACCOUNT,
    TX_SIGNED,
    TX_SIGNED_ID,
    TX_SIGNED_TEXT
};

#define CMPLTN "BtchTrf/DataSet/Tx/Cmpltn/"
static const struct caaa_field fields[] = {
    /* sorted: a unit test sees that every one is found */
    {"BtchTrf/DataSet", SET},
    {"BtchTrf/DataSet/CmonData/Ccy", COMMON_CCY},
    {"BtchTrf/DataSet/CmonData/Envt/Mrchnt/CmonNm", COMMON_NAME},
    {"BtchTrf/DataSet/CmonData/Envt/Mrchnt/Id/Id", COMMON_CONTRACT},
    {"BtchTrf/DataSet/CmonData/MrchntCtgyCd", COMMON_MCC},
    {"BtchTrf/DataSet/CmonData/RcncltnId", COMMON_NUMBER},
    {"BtchTrf/DataSet/DataSetId/CreDtTm", SET_CREATED},
    {"BtchTrf/DataSet/DataSetId/Nm", SET_NAME},
    {"BtchTrf/DataSet/DataSetId/Tp", SET_TYPE},
    {"BtchTrf/DataSet/Tx", TX},
    {CMPLTN "Envt/Card/PlainCardData/CardSeqNb", TX_PSN},
    {CMPLTN "Envt/Card/PlainCardData/PAN", TX_PAN},
    {CMPLTN "Envt/Card/PlainCardData/XpryDt", TX_EXPIRY},
    {CMPLTN "Envt/POI/Id/Id", TX_TERMINAL},
    {CMPLTN "Envt/StordValAcct/Id", TX_ACCOUNT},
    {CMPLTN "Tx/AuthstnRslt/AuthstnCd", TX_APPROVAL},
    {CMPLTN "Tx/RcptTxId", TX_RRN},
    {CMPLTN "Tx/Rvsl", TX_REVERSAL},
    {CMPLTN "Tx/TxDtls/AddtlInf", TX_SIGNED},
    {CMPLTN "Tx/TxDtls/AddtlInf/Id", TX_SIGNED_ID},
    {CMPLTN "Tx/TxDtls/AddtlInf/Val", TX_SIGNED_TEXT},
    {CMPLTN "Tx/TxDtls/Ccy", TX_CCY},
    {CMPLTN "Tx/TxDtls/ICCRltdData", TX_ICC},
    {CMPLTN "Tx/TxDtls/TtlAmt", TX_AMOUNT},
    {CMPLTN "Tx/TxId/TxDtTm", TX_TIME},
    {CMPLTN "Tx/TxId/TxRef", TX_REF},
    {CMPLTN "Tx/TxSucss", TX_SUCCESS},
    {CMPLTN "Tx/TxTp", TX_TYPE},
    {CMPLTN "TxSeqCntr", TX_SEQUENCE},
    {"BtchTrf/DataSet/TxTtls", SET_TOTALS},
    {"BtchTrf/DataSet/TxTtls/Ccy", SET_CCY},
    {"BtchTrf/DataSet/TxTtls/CmltvAmt", SET_AMOUNT},
    {"BtchTrf/DataSet/TxTtls/Tp", SET_KIND},
    {"BtchTrf/DataSet/TxTtls/TtlNb", SET_COUNT},
    {"BtchTrf/TxTtls", ALL_TOTALS},
    {"BtchTrf/TxTtls/Ccy", ALL_CCY},
    {"BtchTrf/TxTtls/CmltvAmt", ALL_AMOUNT},
    {"BtchTrf/TxTtls/Tp", ALL_KIND},
    {"BtchTrf/TxTtls/TtlNb", ALL_COUNT},
    {"Hdr/InitgPty/Id", ACQUIRER},
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

#define BIT(id) (UINT64_C(1) << (id))
static const uint64_t remise_needs = BIT(SET_NAME) | BIT(SET_TYPE) | BIT(SET_CREATED) |
                                     BIT(COMMON_CCY) | BIT(COMMON_CONTRACT) | BIT(COMMON_NUMBER);
static const uint64_t item_needs = BIT(TX_SEQUENCE) | BIT(TX_TYPE) | BIT(TX_TIME) | BIT(TX_REF) |
                                   BIT(TX_SUCCESS) | BIT(TX_RRN) | BIT(TX_AMOUNT);
/* … of one by card; by account: an account, and what its key signed (is_whole). */
static const uint64_t card_needs = BIT(TX_PAN) | BIT(TX_EXPIRY) | BIT(TX_TERMINAL) | BIT(TX_ICC);

struct transfer {
    const struct caaa_transfer_events *events;
    struct caaa_verdict *verdict;
    struct caaa_totals *counted;
    struct caaa_remise remise;
    struct caaa_totals all; /* of BtchTrf, which must be those of its one data set */
    const struct currency *all_currency, *common_currency;
    unsigned all_seen, set_seen;
    struct caaa_totals_line line;
    unsigned sets;
    bool announced;
    uint64_t seen; /* fields had, of the set or of the item */
    uint32_t next;
    struct caaa_item item;
    bool success, reversal;
    char set_name[CAAA_SET_MAX];
    uint32_t common_number;
    uint8_t icc[10240];
    size_t icc_n;
    char signed_id[32]; /* of the AddtlInf that is being read */
    uint8_t statement[CAAA_SIGNED_MAX], challenge[CAAA_SIGNED_MAX];
    size_t statement_n, challenge_n;
};

static void refuse(struct transfer *t, const char *reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void refuse(struct transfer *t, const char *reason, const char *format, ...)
{
    va_list ap;

    if (t->verdict->reason[0] != '\0') /* the first is the one that is told */
        return;
    snprintf(t->verdict->reason, sizeof(t->verdict->reason), "%s", reason);
    va_start(ap, format);
    vsnprintf(t->verdict->text, sizeof(t->verdict->text), format, ap);
    va_end(ap);
}

static bool refused(const struct transfer *t)
{
    return t->verdict->reason[0] != '\0';
}

/* ---- the head of the remise ---- */

static void take_line_part(struct transfer *t, int part, const char *text, unsigned line)
{
    enum tp_err r = TP_OK;
    char code[8] = "";

    switch (part) {
    case ALL_CCY:
        r = caaa_parse_text(code, sizeof(code), text);
        t->line.currency = r == TP_OK ? currency_by_alpha(code) : NULL;
        break;
    case ALL_KIND:
        r = caaa_parse_text(code, sizeof(code), text);
        t->line.kind = caaa_kind_of(code);
        break;
    case ALL_COUNT:
        r = caaa_parse_number(&t->line.count, text, UINT32_MAX);
        break;
    default:
        r = caaa_parse_text(t->line.amount, sizeof(t->line.amount), text);
        break;
    }
    if (r != TP_OK)
        refuse(t, "TOTALS", "line %u: TxTtls has a count or an amount that none can be", line);
}

static void take_line(struct transfer *t, bool all, unsigned line)
{
    const enum tp_err r =
        all ? caaa_totals_take(&t->all, &t->all_currency, &t->all_seen, &t->line)
            : caaa_totals_take(&t->remise.totals, &t->remise.currency, &t->set_seen, &t->line);

    if (r == TP_ERR_RANGE)
        refuse(t, "DECIMALS", "line %u: CmltvAmt %s does not fit %s", line, t->line.amount,
               t->line.currency->alpha);
    else if (r != TP_OK)
        refuse(
            t, "TOTALS",
            "line %u: TxTtls names no currency of ISO 4217, a second one, or the same kind twice",
            line);
}

static enum tp_err take_head(struct transfer *t, int id, const char *text)
{
    char code[8];
    uint64_t v;
    enum tp_err r;

    switch (id) {
    case ACQUIRER:
        return caaa_parse_text(t->remise.acquirer, sizeof(t->remise.acquirer), text);
    case SET_NAME:
        return caaa_parse_text(t->set_name, sizeof(t->set_name), text);
    case SET_TYPE:
        return strcmp(text, "TXCP") == 0 ? TP_OK : TP_ERR_FORMAT;
    case SET_CREATED:
        return caaa_parse_time(&t->remise.created, text);
    case COMMON_CCY:
        r = caaa_parse_text(code, sizeof(code), text);
        t->common_currency = r == TP_OK ? currency_by_alpha(code) : NULL;
        return r;
    case COMMON_CONTRACT:
        return caaa_parse_text(t->remise.contract, sizeof(t->remise.contract), text);
    case COMMON_NAME:
        return caaa_parse_text(t->remise.name, sizeof(t->remise.name), text);
    case COMMON_MCC:
        r = caaa_parse_number(&v, text, 9999);
        t->remise.mcc = r == TP_OK ? (unsigned)v : 0;
        return r;
    default: /* COMMON_NUMBER */
        r = caaa_parse_number(&v, text, 999999999);
        t->common_number = r == TP_OK ? (uint32_t)v : 0;
        return r;
    }
}

static enum tp_err announce(struct transfer *t, unsigned line, struct tp_error *e)
{
    char name[CAAA_SET_MAX];

    t->announced = true;
    t->remise.number = t->common_number;
    caaa_set_name(name, t->remise.contract, t->remise.number);
    if ((t->seen & remise_needs) != remise_needs)
        refuse(
            t, "PROFILE",
            "line %u: DataSetId or CmonData lacks name, type, time, contract, number or currency",
            line);
    else if (t->remise.number == 0 || strcmp(name, t->set_name) != 0)
        refuse(t, "PROFILE",
               "line %u: the data set %.40s is not remise %" PRIu32 " of its contract", line,
               t->set_name, t->remise.number);
    else if (t->remise.currency == NULL || t->remise.currency != t->common_currency)
        refuse(t, "CURRENCY", "line %u: CmonData/Ccy is not the currency of the totals", line);
    return refused(t) ? TP_OK : t->events->remise(t->events->ctx, &t->remise, e);
}

/* ---- an item ---- */

static enum tp_err take_expiry(int *expiry, const char *text)
{
    char month[12];
    const enum tp_err r = caaa_parse_text(month, sizeof(month), text);

    return r == TP_OK ? date_parse(expiry, month) : r;
}

static enum tp_err take_type(enum caaa_kind *kind, const char *text)
{
    *kind = strcmp(text, "RFND") == 0 ? CAAA_CREDIT : CAAA_DEBIT;
    return *kind == CAAA_CREDIT || strcmp(text, "CRDP") == 0 ? TP_OK : TP_ERR_FORMAT;
}

static enum tp_err take_number(uint32_t *out, const char *text, uint32_t max)
{
    uint64_t v = 0;
    const enum tp_err r = caaa_parse_number(&v, text, max);

    *out = (uint32_t)v;
    return r;
}

static enum tp_err take_item_amount(struct transfer *t, const char *text)
{
    return t->remise.currency != NULL ? caaa_parse_amount(&t->item.amount, text, t->remise.currency)
                                      : TP_OK;
}

static enum tp_err take_item_icc(struct transfer *t, const char *text)
{
    struct buf out = BUF_OF(t->icc);
    const enum tp_err r = caaa_parse_base64(&out, text);

    t->icc_n = out.n;
    return r;
}

/* Which text it is stands before it; what is none of ours is passed over. */
static enum tp_err take_item_signed(struct transfer *t, const char *text)
{
    struct caaa_item *item = &t->item;
    const bool challenge = strcmp(t->signed_id, CAAA_SIGNED_CHALLENGE) == 0;
    struct buf out = challenge ? BUF_OF(t->challenge) : BUF_OF(t->statement);
    size_t *n = challenge ? &t->challenge_n : &t->statement_n;
    enum tp_err r;

    if (!challenge && strcmp(t->signed_id, CAAA_SIGNED_PAYMENT) != 0 &&
        strcmp(t->signed_id, CAAA_SIGNED_VOUCHER) != 0)
        return TP_OK;
    if (*n != 0) /* twice */
        return TP_ERR_FORMAT;
    r = caaa_parse_base64(&out, text);
    *n = out.n;
    if (!challenge)
        item->voucher = strcmp(t->signed_id, CAAA_SIGNED_VOUCHER) == 0;
    return r;
}

static enum tp_err take_item(struct transfer *t, int id, const char *text)
{
    uint32_t v;
    enum tp_err r;

    switch (id) {
    case TX_SEQUENCE:
        return take_number(&t->item.sequence, text, 999999999);
    case TX_PAN: /* one that is too long is no card number: the check of Luhn finds it empty */
        if (caaa_parse_text(t->item.pan, sizeof(t->item.pan), text) != TP_OK)
            t->item.pan[0] = '\0';
        return TP_OK;
    case TX_PSN:
        r = take_number(&v, text, 99);
        t->item.psn = (uint8_t)v;
        return r;
    case TX_EXPIRY:
        return take_expiry(&t->item.expiry, text);
    case TX_TERMINAL:
        return caaa_parse_text(t->item.terminal, sizeof(t->item.terminal), text);
    case TX_TYPE:
        return take_type(&t->item.kind, text);
    case TX_TIME:
        return caaa_parse_local(&t->item.local_time, text);
    case TX_REF:
        return take_number(&t->item.stan, text, 999999);
    case TX_SUCCESS:
        t->success = caaa_parse_bool(text);
        return TP_OK;
    case TX_REVERSAL:
        t->reversal = caaa_parse_bool(text);
        return TP_OK;
    case TX_RRN:
        return caaa_parse_text(t->item.rrn, sizeof(t->item.rrn), text);
    case TX_CCY:
        return t->remise.currency == NULL || strcmp(text, t->remise.currency->alpha) == 0
                   ? TP_OK
                   : TP_ERR_FORMAT;
    case TX_AMOUNT:
        return take_item_amount(t, text);
    case TX_ACCOUNT:
        return caaa_parse_text(t->item.account, sizeof(t->item.account), text);
    case TX_SIGNED_ID: /* one that is too long is none of ours */
        if (caaa_parse_text(t->signed_id, sizeof(t->signed_id), text) != TP_OK)
            t->signed_id[0] = '\0';
        return TP_OK;
    case TX_SIGNED_TEXT:
        return take_item_signed(t, text);
    case TX_SIGNED:
        return TP_OK;
    case TX_APPROVAL:
        return caaa_parse_text(t->item.approval, sizeof(t->item.approval), text);
    default: /* TX_ICC */
        return take_item_icc(t, text);
    }
}

/* What makes this item alone be refused. */
static const char *item_fault(const struct caaa_item *item, const struct currency *currency)
{
    struct tlv signed_amount, signed_currency;
    uint64_t v;

    if (item->account[0] == '\0' && !pan_valid(item->pan))
        return "PAN_LUHN";
    if (item->amount == 0)
        return "AMOUNT_ZERO";
    if (item->account[0] != '\0') /* what its key signed is the centre's to read */
        return NULL;
    if (item->icc.n == 0 || tlv_check(item->icc) != TP_OK)
        return "ICC_TLV";
    if (tlv_find(item->icc, 0x9F02, &signed_amount) ==
            TP_OK && /* what the card saw is what is collected */
        (bcd_get(signed_amount.value, &v) != TP_OK || v != (uint64_t)item->amount))
        return "ICC_AMOUNT";
    if (tlv_find(item->icc, 0x5F2A, &signed_currency) == TP_OK &&
        (bcd_get(signed_currency.value, &v) != TP_OK || v != currency->numeric))
        return "ICC_CURRENCY";
    return NULL;
}

/* By card, or by account; and what a payment has that is made so. */
static bool is_whole(const struct transfer *t)
{
    if ((t->seen & item_needs) != item_needs)
        return false;
    if ((t->seen & BIT(TX_ACCOUNT)) == 0)
        return (t->seen & card_needs) == card_needs;
    return (t->seen & BIT(TX_PAN)) == 0 && t->item.account[0] != '\0' && t->statement_n > 0 &&
           t->item.voucher == (t->challenge_n == 0);
}

static enum tp_err end_item(struct transfer *t, unsigned line, struct tp_error *e)
{
    struct caaa_item *item = &t->item;

    item->icc = span_of(t->icc, t->icc_n);
    item->statement = span_of(t->statement, t->statement_n);
    item->challenge = span_of(t->challenge, t->challenge_n);
    if (!is_whole(t))
        refuse(t, "PROFILE",
               "line %u: the transaction after %" PRIu32
               " is no Cmpltn, or lacks what a payment by card or by account has",
               line, t->next - 1);
    else if (item->sequence != t->next)
        refuse(t, "SEQUENCE", "line %u: TxSeqCntr %" PRIu32 " stands where %" PRIu32 " belongs",
               line, item->sequence, t->next);
    else if (!t->success || t->reversal)
        refuse(t, "PROFILE",
               "line %u: transaction %" PRIu32
               " failed or was annulled: it has no place in a remise",
               line, item->sequence);
    else if (caaa_totals_add(t->counted, item->kind, item->amount) != TP_OK)
        refuse(t, "TOTALS", "line %u: the sum has more than 18 digits", line);
    t->next++;
    return refused(t)
               ? TP_OK
               : t->events->item(t->events->ctx, item, item_fault(item, t->remise.currency), e);
}

/* ---- the walk ---- */

static enum tp_err enter(void *ctx, int id, unsigned line, struct tp_error *e)
{
    struct transfer *t = ctx;

    switch (id) {
    case ALL_TOTALS:
    case SET_TOTALS:
        t->line = (struct caaa_totals_line){.kind = -1};
        return TP_OK;
    case SET:
        if (++t->sets > 1)
            refuse(t, "PROFILE",
                   "line %u: a document holds one remise, this one holds a second data set", line);
        t->seen = 0;
        return TP_OK;
    case TX:
        if (!t->announced) {
            const enum tp_err r = announce(t, line, e);

            if (r != TP_OK)
                return r;
        }
        t->seen = 0;
        t->item = (struct caaa_item){.sequence = 0};
        t->success = t->reversal = false;
        t->icc_n = t->statement_n = t->challenge_n = 0;
        return TP_OK;
    case TX_SIGNED:
        t->signed_id[0] = '\0';
        return TP_OK;
    default:
        return TP_OK;
    }
}

static enum tp_err leave(void *ctx, int id, const char *text, unsigned line, struct tp_error *e)
{
    struct transfer *t = ctx;
    enum tp_err r;

    t->seen |= BIT(id);
    if (id == ALL_TOTALS || id == SET_TOTALS)
        take_line(t, id == ALL_TOTALS, line);
    else if (id >= ALL_CCY && id <= ALL_AMOUNT)
        take_line_part(t, id, text, line);
    else if (id >= SET_CCY && id <= SET_AMOUNT)
        take_line_part(t, id - SET_CCY + ALL_CCY, text, line);
    else if (id == TX)
        return end_item(t, line, e);
    else if (id > TX) {
        r = take_item(t, id, text);
        if (r != TP_OK)
            refuse(t,
                   id == TX_AMOUNT ? "DECIMALS"
                   : id == TX_CCY  ? "CURRENCY"
                                   : "PROFILE",
                   "line %u: %s of transaction %" PRIu32 " is not taken", line,
                   id == TX_PAN      ? "PAN"
                   : id == TX_AMOUNT ? text
                   : id == TX_CCY    ? "the currency"
                                     : "a value",
                   t->next);
    } else if (id != SET && take_head(t, id, text) != TP_OK)
        refuse(t, "PROFILE", "line %u: \"%.60s\" is not taken here", line, text);
    return TP_OK;
}

static void conclude(struct transfer *t)
{
    const struct caaa_totals *said = &t->remise.totals;

    if (t->sets == 0)
        refuse(t, "PROFILE", "the document holds no remise");
    for (enum caaa_kind k = CAAA_DEBIT; k <= CAAA_CREDIT; k++)
        if (said->count[k] != t->counted->count[k] || said->amount[k] != t->counted->amount[k])
            refuse(t, "TOTALS",
                   "%s: said %" PRIu64 " of %" PRId64 ", counted %" PRIu64 " of %" PRId64
                   " (minor units)",
                   caaa_kind_code(k), said->count[k], said->amount[k], t->counted->count[k],
                   t->counted->amount[k]);
    for (enum caaa_kind k = 0; k < CAAA_KINDS; k++)
        if (said->count[k] != t->all.count[k] || said->amount[k] != t->all.amount[k])
            refuse(t, "TOTALS", "%s: the totals of the batch are not those of its one data set",
                   caaa_kind_code(k));
}

enum tp_err caaa_transfer_read(const struct caaa_schemas *s, const struct caaa_source *source,
                               const struct caaa_transfer_events *events,
                               struct caaa_verdict *verdict, struct caaa_totals *counted,
                               struct tp_error *e)
{
    struct transfer *t = calloc(1, sizeof(*t));
    const struct caaa_walk walk = {fields, FIELDS, t, enter, leave};
    enum tp_err r;

    if (t == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "cannot read the document: out of memory");
    *verdict = (struct caaa_verdict){"", ""};
    *counted = (struct caaa_totals){{0}, {0}};
    t->events = events;
    t->verdict = verdict;
    t->counted = counted;
    t->next = 1;
    r = caaa_walk(&walk, s != NULL ? s->transfer : NULL, source, e);
    if (r == TP_OK)
        conclude(t);
    secret_wipe(t, sizeof(*t));
    free(t);
    return r;
}
