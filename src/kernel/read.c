/* Read application data: EMV 4.4 Book 3, 10.2; the static data to be authenticated: 10.3. */
#include "kernel/kernel_priv.h"

#include <string.h>

#include "base/bcd.h"

#define RECORDS_MAX 128 /* of one application; a real one has a dozen */

static enum tp_err add_static(struct transaction *tx, struct span s)
{
    if (STATIC_DATA_MAX - tx->static_n < s.n)
        return tx_end(tx, KERNEL_TERMINATED,
                      "the card has more data to authenticate than the terminal can keep");
    memcpy(tx->static_data + tx->static_n, s.p, s.n);
    tx->static_n += s.n;
    return TP_OK;
}

/* 10.2: an object that is there twice ends the transaction. Objects that only a terminal or an
 * issuer makes are not taken from a card; what selection, GET PROCESSING OPTIONS gave stays. */
static enum tp_err keep_object(struct transaction *tx, const struct tlv *object)
{
    const struct emv_tag *known = emv_tag_find(object->tag);
    const struct object *there = data_object(tx, object->tag);

    if (!data_of_card(object->tag))
        return TP_OK;
    if (there == NULL)
        return data_put(tx, object->tag, FROM_RECORD, object->value);
    if (there->origin == FROM_RECORD && known != NULL)
        return tx_end(tx, KERNEL_TERMINATED, "the card has %s twice", known->name);
    return TP_OK;
}

static enum tp_err keep_record(struct transaction *tx, struct span objects)
{
    struct tlv object;
    enum tp_err r;

    while ((r = tlv_next(&objects, &object)) == TP_OK) {
        r = keep_object(tx, &object);
        if (r != TP_OK)
            return r;
    }
    return r == TP_ERR_NOT_FOUND
               ? TP_OK
               : tx_end(tx, KERNEL_TERMINATED, "a record of the card is malformed");
}

/* One record: files 1 to 10 are EMV's own, template 70; the payment system's and issuer's files 11
 * to 30 may hold anything and only take part in the authentication. */
static enum tp_err take_record(struct transaction *tx, uint8_t sfi, struct span data,
                               bool authenticated)
{
    struct span rest = data;
    struct tlv record;
    const bool whole = tlv_next(&rest, &record) == TP_OK && record.tag == TAG_RECORD &&
                       record.raw.p == data.p && rest.n == 0;
    enum tp_err r = TP_OK;

    if (sfi <= 10 && (!whole || tlv_check_level(record.value) != TP_OK))
        return tx_end(tx, KERNEL_TERMINATED, "a record of the card is malformed");
    if (authenticated && !whole)
        tx->static_broken = true; /* 10.3: authentication counts as performed, and failed */
    else if (authenticated)
        r = add_static(tx, sfi <= 10 ? record.value : data);
    return r == TP_OK && sfi <= 10 ? keep_record(tx, record.value) : r;
}

struct afl_entry {
    uint8_t sfi, first, last, authenticated;
};

/* TP_ERR_FORMAT: Book 3, 7.5 and 10.2. */
static enum tp_err afl_next(struct span *afl, struct afl_entry *out)
{
    struct span four;

    if (span_take(afl, 4, &four) != TP_OK)
        return TP_ERR_FORMAT;
    *out = (struct afl_entry){four.p[0] >> 3, four.p[1], four.p[2], four.p[3]};
    if ((four.p[0] & 7) != 0 || out->sfi < 1 || out->sfi > 30 || out->first == 0 ||
        out->last < out->first)
        return TP_ERR_FORMAT;
    return out->authenticated > out->last - out->first + 1 ? TP_ERR_FORMAT : TP_OK;
}

static enum tp_err check_afl(struct transaction *tx, struct span afl)
{
    struct afl_entry entry;
    unsigned records = 0;

    while (afl.n > 0) {
        if (afl_next(&afl, &entry) != TP_OK)
            return tx_end(tx, KERNEL_TERMINATED,
                          "the card's Application File Locator is malformed");
        records += (unsigned)(entry.last - entry.first) + 1;
    }
    return records <= RECORDS_MAX
               ? TP_OK
               : tx_end(tx, KERNEL_TERMINATED, "the card names %u records: more than any card has",
                        records);
}

static enum tp_err read_entry(struct transaction *tx, const struct afl_entry *entry)
{
    struct span data;
    uint16_t sw;
    enum tp_err r = TP_OK;

    for (unsigned i = entry->first; r == TP_OK && i <= entry->last; i++) {
        r = command_read_record(tx, entry->sfi, (uint8_t)i, &data, &sw);
        if (r != TP_OK)
            return r;
        if (sw != SW_OK)
            return tx_end_sw(tx, sw, "READ RECORD");
        r = take_record(tx, entry->sfi, data, i - entry->first < entry->authenticated);
    }
    return r;
}

/* Of elliptic curves: AIP, AID and PDOL with tag and length, whatever 9F4A says (10.3). */
static enum tp_err finish_iccd(struct transaction *tx)
{
    static const uint32_t tags[] = {TAG_AIP, TAG_TERMINAL_AID, TAG_PDOL};
    enum tp_err r = TP_OK;

    for (size_t i = 0; r == TP_OK && i < sizeof(tags) / sizeof(tags[0]); i++) {
        uint8_t raw[4 + 255];
        struct buf object = BUF_OF(raw);

        if (data_object(tx, tags[i]) == NULL)
            continue;
        if (tlv_put(&object, tags[i], data_get(tx, tags[i])) != TP_OK)
            return tp_fail(tx->e, TP_ERR_INTERNAL, "an object of the card does not fit");
        r = add_static(tx, buf_span(&object));
    }
    return r;
}

/* 9F4A: only 82 may stand in it; then the AIP is authenticated too (10.3). An empty one is none. */
static enum tp_err finish_static(struct transaction *tx)
{
    const struct span tags = data_get(tx, TAG_SDA_TAG_LIST);
    enum tp_err r = TP_OK;

    if (xda_keys(tx))
        r = finish_iccd(tx);
    else if (tags.n > 0 && (tags.n != 1 || tags.p[0] != TAG_AIP))
        tx->static_broken = true;
    else if (tags.n > 0)
        r = add_static(tx, SPAN_OF(tx->aip));
    return r == TP_OK
               ? data_put(tx, TAG_EV_STATIC, FROM_KERNEL, span_of(tx->static_data, tx->static_n))
               : r;
}

static enum tp_err check_mandatory(struct transaction *tx)
{
    static const uint32_t mandatory[] = {TAG_EXPIRY, TAG_PAN, TAG_CDOL1,
                                         TAG_CDOL2}; /* Book 3, 7.2 */
    const struct span pan = data_get(tx, TAG_PAN);

    for (size_t i = 0; i < sizeof(mandatory) / sizeof(mandatory[0]); i++)
        if (data_get(tx, mandatory[i]).n == 0)
            return tx_end(tx, KERNEL_TERMINATED, "the card lacks %s",
                          emv_tag_find(mandatory[i])->name);
    if (pan.n > 10 || bcd_get_cn(pan, tx->pan) != TP_OK)
        return tx_end(tx, KERNEL_TERMINATED, "the card's number is malformed");
    return TP_OK;
}

/* 7.5: what is seen to be of another length than the dictionary has ends the transaction. Keys and
 * certificates do not stand here: those fail the authentication. */
static enum tp_err check_lengths(struct transaction *tx)
{
    static const uint32_t fixed[] = {TAG_EXPIRY,        TAG_EFFECTIVE,     TAG_ISSUER_COUNTRY,
                                     TAG_PAN_SEQUENCE,  TAG_AUC,           TAG_CARD_VERSION,
                                     TAG_IAC_DEFAULT,   TAG_IAC_DENIAL,    TAG_IAC_ONLINE,
                                     TAG_LOWER_OFFLINE, TAG_UPPER_OFFLINE, TAG_APP_CURRENCY};

    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        const struct emv_tag *known = emv_tag_find(fixed[i]);
        const struct object *there = data_object(tx, fixed[i]);

        if (there != NULL && there->n > 0 && (there->n < known->min || there->n > known->max))
            return tx_end(tx, KERNEL_TERMINATED, "the card's %s has %zu bytes", known->name,
                          there->n);
    }
    return TP_OK;
}

enum tp_err step_read(struct transaction *tx)
{
    struct span afl = data_get(tx, TAG_AFL);
    struct afl_entry entry;
    enum tp_err r = check_afl(tx, afl);

    while (r == TP_OK && afl.n > 0) {
        r = afl_next(&afl, &entry);
        if (r == TP_OK)
            r = read_entry(tx, &entry);
    }
    if (r == TP_OK)
        r = check_mandatory(tx);
    if (r == TP_OK)
        r = check_lengths(tx);
    return r == TP_OK ? finish_static(tx) : r;
}
