#include "ledger/evidence_priv.h"

#include <string.h>

#include "apdu/dol.h"
#include "apdu/emvtags.h"

static enum tp_err add(struct objects *o, const struct tlv *t, uint32_t *tag)
{
    *tag = t->tag;
    if (objects_find(o, t->tag) != NULL)
        return TP_ERR_EXISTS;
    if (o->n >= OBJECTS_MAX)
        return TP_ERR_FORMAT;
    o->at[o->n++] = (struct object){t->tag, t->value, t->raw};
    return TP_OK;
}

enum tp_err objects_read(struct objects *o, struct span in, uint32_t *tag)
{
    struct tlv t;
    enum tp_err r;

    while ((r = tlv_next(&in, &t)) == TP_OK) {
        r = add(o, &t, tag);
        if (r != TP_OK)
            return r;
    }
    return r == TP_ERR_NOT_FOUND ? TP_OK : r;
}

const struct object *objects_find(const struct objects *o, uint32_t tag)
{
    for (size_t i = 0; i < o->n; i++)
        if (o->at[i].tag == tag)
            return &o->at[i];
    return NULL;
}

struct span objects_value(const struct objects *o, uint32_t tag)
{
    const struct object *found = objects_find(o, tag);

    return found != NULL ? found->value : (struct span){NULL, 0};
}

/* Takes the AIP from the end once 9F4A was read. Book 2, 5.1.1: 9F4A may hold the tag of the AIP and nothing else. */
static enum tp_err take_aip(const struct objects *o, struct span *aip, struct span *rest)
{
    const struct object *list = objects_find(o, TAG_SDA_TAG_LIST);

    if (list == NULL || list->value.n == 0 || aip->n > 0)
        return TP_OK;
    if (list->value.n != 1 || list->value.p[0] != TAG_AIP || rest->n < 2)
        return TP_ERR_FORMAT;
    rest->n -= 2;
    *aip = span_of(rest->p + rest->n, 2);
    return TP_OK;
}

enum tp_err static_data_read(struct objects *o, struct span *aip, struct span static_data, uint32_t *tag)
{
    struct span in = static_data;
    struct tlv t;
    enum tp_err r;

    *aip = span_of(NULL, 0);
    while ((r = tlv_next(&in, &t)) == TP_OK) {
        /* records of SFI 11 to 30 come in their template (Book 2, 5.4, step 5) */
        r = t.tag == TAG_RECORD ? objects_read(o, t.value, tag) : add(o, &t, tag);
        if (r == TP_OK)
            r = take_aip(o, aip, &in);
        if (r != TP_OK)
            return r;
    }
    return r == TP_ERR_NOT_FOUND ? TP_OK : r;
}

enum tp_err dol_values_read(struct objects *o, struct span dol, struct span values)
{
    struct dol_entry entry;
    struct span value;
    enum tp_err r;

    while ((r = dol_next(&dol, &entry)) == TP_OK) {
        if (o->n >= OBJECTS_MAX || span_take(&values, entry.length, &value) != TP_OK)
            return TP_ERR_FORMAT;
        o->at[o->n++] = (struct object){entry.tag, value, value};
    }
    return r == TP_ERR_NOT_FOUND && values.n == 0 ? TP_OK : TP_ERR_FORMAT;
}

const uint32_t evidence_tags[] = {
    TAG_DF_NAME,       TAG_PAN, TAG_CA_INDEX,  TAG_ISSUER_CERT,    TAG_ISSUER_REMAINDER, TAG_ISSUER_EXPONENT, TAG_ICC_CERT,    TAG_ICC_EXPONENT,
    TAG_ICC_REMAINDER, TAG_UN,  TAG_EV_STATIC, TAG_EV_PDOL_VALUES, TAG_EV_CDOL1_VALUES,  TAG_EV_CDOL2_VALUES, TAG_EV_RESPONSE, 0};

struct span *evidence_field(struct evidence *ev, uint32_t tag)
{
    switch (tag) {
    case TAG_DF_NAME:
        return &ev->aid;
    case TAG_PAN:
        return &ev->pan;
    case TAG_CA_INDEX:
        return &ev->ca_index;
    case TAG_ISSUER_CERT:
        return &ev->issuer_cert;
    case TAG_ISSUER_REMAINDER:
        return &ev->issuer_remainder;
    case TAG_ISSUER_EXPONENT:
        return &ev->issuer_exponent;
    case TAG_ICC_CERT:
        return &ev->icc_cert;
    case TAG_ICC_REMAINDER:
        return &ev->icc_remainder;
    case TAG_ICC_EXPONENT:
        return &ev->icc_exponent;
    case TAG_UN:
        return &ev->un;
    case TAG_EV_STATIC:
        return &ev->static_data;
    case TAG_EV_PDOL_VALUES:
        return &ev->pdol_values;
    case TAG_EV_CDOL1_VALUES:
        return &ev->cdol1_values;
    case TAG_EV_CDOL2_VALUES:
        return &ev->cdol2_values;
    case TAG_EV_RESPONSE:
        return &ev->response;
    default:
        return NULL;
    }
}

static void note(struct evidence *ev, enum tp_err r, enum evidence_fault unreadable, uint32_t tag)
{
    if (r == TP_OK || ev->fault != EVIDENCE_SOUND)
        return;
    ev->fault = r == TP_ERR_EXISTS ? EVIDENCE_DOUBLED : unreadable;
    ev->fault_tag = tag;
}

enum tp_err evidence_from_message(struct evidence *ev, struct span de55, struct span stream, struct span pan)
{
    struct objects list;
    uint32_t tag = 0;
    enum tp_err r;

    memset(ev, 0, sizeof(*ev));
    ev->de55 = de55;
    ev->pan_digits = pan;
    list.n = 0;
    r = objects_read(&list, de55, &tag);
    note(ev, r, EVIDENCE_BAD_DE55, tag);
    ev->aid = objects_value(&list, TAG_DF_NAME);
    ev->un = objects_value(&list, TAG_UN);
    list.n = 0;
    r = objects_read(&list, stream, &tag);
    note(ev, r, EVIDENCE_BAD_STREAM, tag);
    for (size_t i = 0; i < list.n; i++) {
        tag = list.at[i].tag;
        struct span *field = tag == TAG_DF_NAME || tag == TAG_PAN || tag == TAG_UN ? NULL : evidence_field(ev, tag);

        if (field != NULL)
            *field = list.at[i].value;
        else
            note(ev, TP_ERR_FORMAT, EVIDENCE_FOREIGN, tag);
    }
    return TP_OK;
}

struct span evidence_signed_record(const struct evidence *ev, uint32_t tag)
{
    struct objects list;
    struct span aip;
    uint32_t at = 0;

    list.n = 0;
    if (static_data_read(&list, &aip, ev->static_data, &at) != TP_OK)
        return span_of(NULL, 0);
    return tag == TAG_AIP ? aip : objects_value(&list, tag);
}
