/* The data objects of a transaction: EMV 4.4 Book 3, 5 and Annex A; Book 4, Annex A. */
#include "kernel/kernel_priv.h"

#include <string.h>

#include "base/bcd.h"
#include "base/date.h"

static struct object *find(struct store *s, uint32_t tag)
{
    for (size_t i = 0; i < s->objects_n; i++)
        if (s->objects[i].tag == tag)
            return &s->objects[i];
    return NULL;
}

const struct object *data_object(const struct transaction *tx, uint32_t tag)
{
    const struct store *s = &tx->data;

    for (size_t i = 0; i < s->objects_n; i++)
        if (s->objects[i].tag == tag)
            return &s->objects[i];
    return NULL;
}

bool data_of_card(uint32_t tag)
{
    const struct emv_tag *known = emv_tag_find(tag);

    return !tlv_constructed(tag) && (tag < TAG_EV_STATIC || tag > TAG_EV_DDA_SDAD) &&
           (known == NULL || known->source == EMV_FROM_CARD);
}

struct span data_get(const struct transaction *tx, uint32_t tag)
{
    const struct object *o = data_object(tx, tag);

    return o == NULL ? (struct span){NULL, 0} : span_of(tx->data.bytes + o->at, o->n);
}

enum tp_err data_put(struct transaction *tx, uint32_t tag, enum origin origin, struct span value)
{
    struct store *s = &tx->data;
    struct object *o = find(s, tag);

    if (o == NULL || o->room < value.n) {
        const size_t at = o != NULL && o->at + o->room == s->used
                              ? o->at
                              : s->used; /* the last one grows where it is */

        if (STORE_BYTES - at < value.n || (o == NULL && s->objects_n == STORE_OBJECTS))
            return tx_end(tx, KERNEL_TERMINATED,
                          "the card has more data than the terminal can keep");
        if (o == NULL) {
            o = &s->objects[s->objects_n++];
            o->tag = tag;
        }
        o->at = at;
        o->room = value.n;
        s->used = at + value.n;
    }
    if (value.n > 0)
        memmove(s->bytes + o->at, value.p, value.n);
    o->n = value.n;
    o->origin = origin;
    return TP_OK;
}

static enum tp_err put_number(struct transaction *tx, uint32_t tag, uint64_t value, unsigned digits)
{
    uint8_t raw[6];
    struct buf b = BUF_OF(raw);
    const enum tp_err r = bcd_put(&b, value, digits);

    if (r != TP_OK)
        return tp_fail(tx->e, TP_ERR_INTERNAL,
                       "the number for object %X does not fit its %u digits", (unsigned)tag,
                       digits);
    return data_put(tx, tag, FROM_TERMINAL, buf_span(&b));
}

static enum tp_err put_binary(struct transaction *tx, uint32_t tag, uint32_t value)
{
    const uint8_t raw[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                            (uint8_t)value};

    return data_put(tx, tag, FROM_TERMINAL, SPAN_OF(raw));
}

/* Texts of fixed size: ans and an are left-justified, padded with spaces. */
static enum tp_err put_text(struct transaction *tx, uint32_t tag, const char *text, size_t n)
{
    uint8_t raw[16];
    const size_t have = strlen(text);

    memset(raw, ' ', sizeof(raw));
    memcpy(raw, text, have < n ? have : n);
    return data_put(tx, tag, FROM_TERMINAL, span_of(raw, n));
}

static enum tp_err put_terminal(struct transaction *tx)
{
    const struct terminal_config *c = tx->config;
    static const uint8_t entry_mode = 0x05; /* chip: ISO 8583 DE 22 */
    enum tp_err r = data_put(tx, TAG_TERMINAL_TYPE, FROM_TERMINAL, span_of(&c->type, 1));

    if (r == TP_OK)
        r = data_put(tx, TAG_TERMINAL_CAPABILITIES, FROM_TERMINAL, SPAN_OF(tx->capabilities));
    if (r == TP_OK)
        r = data_put(tx, TAG_ADDITIONAL_CAPABILITIES, FROM_TERMINAL, SPAN_OF(c->additional));
    if (r == TP_OK)
        r = put_number(tx, TAG_TERMINAL_COUNTRY, c->country, 3);
    if (r == TP_OK)
        r = put_number(tx, TAG_MCC, c->mcc, 4);
    if (r == TP_OK)
        r = put_text(tx, TAG_TERMINAL_ID, c->terminal_id, 8);
    if (r == TP_OK)
        r = put_text(tx, TAG_MERCHANT_ID, c->merchant_id, 15);
    if (r == TP_OK)
        r = put_text(tx, TAG_IFD_SERIAL, c->ifd_serial, 8);
    if (r == TP_OK)
        r = data_put(tx, TAG_MERCHANT_NAME, FROM_TERMINAL, span_str(c->merchant_name));
    if (r == TP_OK)
        r = data_put(tx, TAG_POS_ENTRY, FROM_TERMINAL, span_of(&entry_mode, 1));
    return r;
}

static enum tp_err put_request(struct transaction *tx)
{
    const struct transaction_request *q = tx->request;
    uint8_t date[3];
    enum tp_err r;

    if (q->amount < 0)
        return tp_fail(tx->e, TP_ERR_USAGE, "the amount of a payment cannot be negative");
    date_to_yymmdd(date, q->date);
    r = put_number(tx, TAG_AMOUNT, (uint64_t)q->amount, 12);
    if (r ==
        TP_OK) /* 81 has four bytes: an amount over them reads FFFFFFFF, never less than it is */
        r = put_binary(tx, TAG_AMOUNT_BINARY,
                       q->amount > UINT32_MAX ? UINT32_MAX : (uint32_t)q->amount);
    if (r == TP_OK)
        r = put_number(tx, TAG_AMOUNT_OTHER, 0, 12);
    if (r == TP_OK)
        r = put_binary(tx, TAG_AMOUNT_OTHER_BINARY, 0);
    if (r == TP_OK)
        r = put_number(tx, TAG_TX_CURRENCY, q->currency, 3);
    if (r == TP_OK)
        r = put_number(tx, TAG_TX_CURRENCY_EXPONENT, q->currency_exponent, 1);
    if (r == TP_OK)
        r = data_put(tx, TAG_TX_TYPE, FROM_TERMINAL, span_of(&q->type, 1));
    if (r == TP_OK)
        r = data_put(tx, TAG_TX_DATE, FROM_TERMINAL, SPAN_OF(date));
    if (r == TP_OK)
        r = put_number(tx, TAG_TX_TIME, (uint64_t)q->time, 6);
    if (r == TP_OK)
        r = put_number(tx, TAG_TX_COUNTER, q->counter % 100000000U, 8);
    if (r == TP_OK)
        r = data_put(tx, TAG_UN, FROM_TERMINAL, SPAN_OF(q->un));
    if (r == TP_OK)
        r = data_put(tx, TAG_MERCHANT_CUSTOM, FROM_TERMINAL, SPAN_OF(q->payee));
    return r;
}

enum tp_err data_start(struct transaction *tx)
{
    static const uint8_t zeros[5] = {0};
    static const uint8_t no_cvm[3] = {CVM_NONE_PERFORMED, CVM_ALWAYS, CVM_RESULT_UNKNOWN};
    enum tp_err r;

    tx->data.objects_n = 0;
    tx->data.used = 0;
    tx->static_n = 0;
    tx->static_broken = false;
    r = data_put(tx, TAG_TVR, FROM_TERMINAL, SPAN_OF(zeros));
    if (r == TP_OK)
        r = data_put(tx, TAG_TSI, FROM_TERMINAL, span_of(zeros, 2));
    if (r == TP_OK)
        r = data_put(tx, TAG_CVM_RESULTS, FROM_TERMINAL, SPAN_OF(no_cvm));
    if (r == TP_OK)
        r = put_terminal(tx);
    if (r == TP_OK)
        r = put_request(tx);
    if (r != TP_OK)
        return r;
    tx->tvr = tx->data.bytes + find(&tx->data, TAG_TVR)->at;
    tx->tsi = tx->data.bytes + find(&tx->data, TAG_TSI)->at;
    tx->cvm_results = tx->data.bytes + find(&tx->data, TAG_CVM_RESULTS)->at;
    return TP_OK;
}

enum tp_err data_application(struct transaction *tx)
{
    const struct terminal_application *a = tx->selected.app;
    const struct span name = data_get(tx, TAG_DF_NAME);
    enum tp_err r = data_put(tx, TAG_TERMINAL_AID, FROM_TERMINAL,
                             name); /* Book 1, 12.4: 9F06 is the DF name selected */

    if (r != TP_OK || a == NULL)
        return r;
    r = data_put(tx, TAG_TERMINAL_VERSION, FROM_TERMINAL, SPAN_OF(a->version));
    return r == TP_OK ? put_binary(tx, TAG_FLOOR_LIMIT, a->floor_limit) : r;
}

/* DOL entries get what the terminal knows, its own or the card's; never the kernel's own objects,
 * nor what a card has under a tag that is unknown here (Book 3, 5.4: zeros; 10.2). */
static struct span lookup(void *ctx, uint32_t tag)
{
    const struct transaction *tx = ctx;
    const struct object *o = data_object(tx, tag);

    return o == NULL || o->origin == FROM_KERNEL || emv_tag_find(tag) == NULL
               ? (struct span){NULL, 0}
               : span_of(tx->data.bytes + o->at, o->n);
}

enum tp_err data_dol(struct transaction *tx, struct buf *out, struct span dol, uint32_t keep,
                     const char *name)
{
    const size_t before = out->n;
    const enum tp_err r = dol_build(out, dol, lookup, tx);

    if (r != TP_OK)
        return tx_end(tx, KERNEL_TERMINATED, "the card's %s is %s", name,
                      r == TP_ERR_RANGE ? "too long" : "malformed");
    return keep == 0 ? TP_OK
                     : data_put(tx, keep, FROM_KERNEL, span_of(out->p + before, out->n - before));
}

void tvr_set(struct transaction *tx, unsigned bit)
{
    const bool told = tx->config->watch == NULL || tvr_has(tx->tvr, bit);

    tx->tvr[bit >> 8] |= (uint8_t)bit;
    if (!told)
        tx->config->watch->bit(tx->config->watch->ctx, tx, TAG_TVR, bit);
}

void tsi_set(struct transaction *tx, uint8_t bit)
{
    const bool told = tx->config->watch == NULL || (tx->tsi[0] & bit) != 0;

    tx->tsi[0] |= bit;
    if (!told)
        tx->config->watch->bit(tx->config->watch->ctx, tx, TAG_TSI, bit);
}
