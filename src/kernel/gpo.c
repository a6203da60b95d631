/* Initiate application processing: EMV 4.4 Book 3, 10.1 and 6.5.8. */
#include "kernel/kernel_priv.h"

#include <string.h>

#define COMMAND_TEMPLATE 0x83

/* Response format 1 (80: AIP, AFL) or 2 (77 with 82 and 94). TP_ERR_FORMAT. */
static enum tp_err parse(struct span data, struct span *aip, struct span *afl)
{
    struct tlv whole, found;

    if (tlv_next(&data, &whole) != TP_OK || data.n > 0)
        return TP_ERR_FORMAT;
    if (whole.tag == TAG_RESPONSE_1) {
        *afl = whole.value;
        return span_take(afl, 2, aip);
    }
    if (whole.tag != TAG_RESPONSE_2 || tlv_check_level(whole.value) != TP_OK)
        return TP_ERR_FORMAT;
    if (tlv_find(whole.value, TAG_AIP, &found) != TP_OK)
        return TP_ERR_FORMAT;
    *aip = found.value;
    if (tlv_find(whole.value, TAG_AFL, &found) != TP_OK)
        return TP_ERR_FORMAT;
    *afl = found.value;
    return TP_OK;
}

struct seen { /* of AIP and AFL */
    unsigned aip, afl;
};

/* What selection gave stays; what stands twice in the answer ends the transaction (7.5, 10.2). */
static enum tp_err keep_object(struct transaction *tx, const struct tlv *object, struct seen *seen)
{
    const struct emv_tag *known = emv_tag_find(object->tag);
    const struct object *there = data_object(tx, object->tag);
    const bool own = object->tag == TAG_AIP || object->tag == TAG_AFL;

    if (!data_of_card(object->tag))
        return TP_OK;
    if (own && (object->tag == TAG_AIP ? seen->aip++ : seen->afl++) == 0)
        return TP_OK;
    if (there == NULL)
        return data_put(tx, object->tag, FROM_GPO, object->value);
    if (there->origin == FROM_GPO && known != NULL)
        return tx_end(tx, KERNEL_TERMINATED, "the card has %s twice", known->name);
    return TP_OK;
}

/* Keeps AIP, AFL and whatever else format 2 brings. */
static enum tp_err keep(struct transaction *tx, struct span data, struct span aip, struct span afl)
{
    struct tlv whole, object;
    struct seen seen = {0, 0};
    enum tp_err r;

    memcpy(tx->aip, aip.p, sizeof(tx->aip));
    r = data_put(tx, TAG_AIP, FROM_GPO, aip);
    if (r == TP_OK)
        r = data_put(tx, TAG_AFL, FROM_GPO, afl);
    if (r != TP_OK || tlv_next(&data, &whole) != TP_OK || whole.tag != TAG_RESPONSE_2)
        return r;
    while (r == TP_OK && tlv_next(&whole.value, &object) == TP_OK)
        r = keep_object(tx, &object, &seen);
    return r;
}

enum tp_err step_initiate(struct transaction *tx, bool *refused)
{
    uint8_t raw[APDU_SHORT_COMMAND_MAX], values_raw[252];
    struct buf body = BUF_OF(raw), values = BUF_OF(values_raw);
    struct capdu c = {.cla = 0x80, .ins = INS_GET_PROCESSING_OPTIONS, .le = 256};
    struct span data, aip, afl;
    uint16_t sw;
    enum tp_err r = data_dol(tx, &values, data_get(tx, TAG_PDOL), TAG_EV_PDOL_VALUES, "PDOL");

    *refused = false;
    if (r != TP_OK)
        return r;
    if (tlv_put(&body, COMMAND_TEMPLATE, buf_span(&values)) != TP_OK || body.n > 255)
        return tx_end(tx, KERNEL_TERMINATED, "the card's PDOL asks for more than a command holds");
    c.data = buf_span(&body);
    r = command_send(tx, &c, &data, &sw);
    if (r != TP_OK)
        return r;
    if (sw == SW_CONDITIONS) { /* 10.1: conditions of use not satisfied, take another application */
        *refused = true;
        return TP_OK;
    }
    if (sw != SW_OK)
        return tx_end_sw(tx, sw, "GET PROCESSING OPTIONS");
    if (parse(data, &aip, &afl) != TP_OK || aip.n != 2 || afl.n == 0 || afl.n % 4 != 0 ||
        afl.n > 252)
        return tx_end(tx, KERNEL_TERMINATED,
                      "the card's answer to GET PROCESSING OPTIONS is malformed");
    return keep(tx, data, aip, afl);
}
