/* What a card holds that goes wrong: records, lists and certificates, changed once when the fault
 * is switched on. */
#include <string.h>

#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "simcard/fault.h"

#define AFL_ENTRY 4

/* ---- the objects of records ---- */

struct change {
    uint32_t tag;
    struct span value;
};

/* Writes what stands in the place of an object. */
typedef enum tp_err edit(struct buf *out, const struct tlv *object, const struct change *c);

static enum tp_err edit_drop(struct buf *out, const struct tlv *object, const struct change *c)
{
    return object->tag == c->tag ? TP_OK : buf_put(out, object->raw);
}

static enum tp_err edit_replace(struct buf *out, const struct tlv *object, const struct change *c)
{
    return object->tag == c->tag ? tlv_put(out, c->tag, c->value) : buf_put(out, object->raw);
}

static enum tp_err edit_pad(struct buf *out, const struct tlv *object, const struct change *c)
{
    const enum tp_err r = buf_fill(out, 0, c->tag);

    return r == TP_OK ? buf_put(out, object->raw) : r;
}

/* A record that would grow too long, or is none any more because of another fault, stays as it is.
 */
static void edit_record(struct profile_record *record, edit *fn, const struct change *c)
{
    uint8_t raw_inner[PROFILE_RECORD_MAX], raw[PROFILE_RECORD_MAX];
    struct buf inner = BUF_OF(raw_inner), whole = BUF_OF(raw);
    struct span in = {record->data, record->n};
    struct tlv template, object;

    if (tlv_next(&in, &template) != TP_OK || in.n != 0)
        return;
    while (tlv_next(&template.value, &object) == TP_OK)
        if (fn(&inner, &object, c) != TP_OK)
            return;
    if (tlv_put(&whole, template.tag, buf_span(&inner)) != TP_OK)
        return;
    memcpy(record->data, raw, whole.n);
    record->n = whole.n;
}

static void edit_all(struct card_profile *p, edit *fn, const struct change *c)
{
    for (size_t i = 0; i < p->records_n; i++)
        edit_record(&p->records[i], fn, c);
}

static void replace(struct card_profile *p, uint32_t tag, struct span value)
{
    const struct change c = {tag, value};

    edit_all(p, edit_replace, &c);
}

/* A copy of an object's value in *to; false when the card has none. */
static bool value_of(struct profile_bytes *to, const struct card_profile *p, uint32_t tag)
{
    struct span v;

    if (profile_object(p, tag, &v) != TP_OK || v.n == 0 || v.n > sizeof(to->p))
        return false;
    memcpy(to->p, v.p, v.n);
    to->n = v.n;
    return true;
}

static void replace_bytes(struct card_profile *p, uint32_t tag, const struct profile_bytes *value)
{
    replace(p, tag, span_of(value->p, value->n));
}

/* ---- certificates and signed data ---- */

/* In the records that one AFL names and the other does not: certificates of one kind. */
static void exchange(struct card_profile *p, uint32_t tag, const struct profile_bytes *with,
                     const struct profile_bytes *afl, const struct profile_bytes *other)
{
    const struct change c = {tag, span_of(with->p, with->n)};

    for (size_t i = 0; with->n > 0 && i < p->records_n; i++)
        if (profile_afl_names(afl, &p->records[i]) && !profile_afl_names(other, &p->records[i]))
            edit_record(&p->records[i], edit_replace, &c);
}

static void expired_icc_certificate(struct card_profile *p, unsigned number)
{
    (void)number;
    exchange(p, TAG_ICC_CERT, &p->expired_icc_cert, &p->afl, &p->xda.afl);
    exchange(p, TAG_ICC_CERT, &p->xda.expired_icc_cert, &p->xda.afl, &p->afl);
}

static void expired_issuer_certificate(struct card_profile *p, unsigned number)
{
    (void)number;
    exchange(p, TAG_ISSUER_CERT, &p->expired_issuer_cert, &p->afl, &p->xda.afl);
    exchange(p, TAG_ISSUER_CERT, &p->xda.expired_issuer_cert, &p->xda.afl, &p->afl);
}

static void unknown_index(struct card_profile *p, unsigned number)
{
    static const uint8_t nobodys = 0xEE;

    (void)number;
    replace(p, TAG_CA_INDEX, span_of(&nobodys, 1));
}

/* The third byte: Book 2, table 36. */
static void unknown_suite(struct card_profile *p, unsigned number)
{
    (void)number;
    for (size_t i = 0; i < p->records_n; i++) {
        struct tlv cert;
        struct span all = {p->records[i].data, p->records[i].n};

        if (profile_afl_names(&p->xda.afl, &p->records[i]) &&
            !profile_afl_names(&p->afl, &p->records[i]) &&
            tlv_find_deep(all, TAG_ICC_CERT, &cert) == TP_OK)
            p->records[i].data[cert.value.p + 2 - p->records[i].data] = 0x12;
    }
}

static void wrong_pan_certificate(struct card_profile *p, unsigned number)
{
    (void)number;
    exchange(p, TAG_ICC_CERT, &p->other_pan_icc_cert, &p->afl, &p->xda.afl);
}

static void add_to_first(struct card_profile *p, uint32_t tag, uint8_t add)
{
    struct profile_bytes v;

    if (!value_of(&v, p, tag))
        return;
    v.p[0] = (uint8_t)(v.p[0] + add);
    replace_bytes(p, tag, &v);
}

static void wrong_issuer_hash(struct card_profile *p, unsigned number)
{
    (void)number;
    add_to_first(p, TAG_ISSUER_EXPONENT, 0x02);
}

static void altered_data(struct card_profile *p, unsigned number)
{
    (void)number;
    add_to_first(p, TAG_EXPIRY, 0x10);
}

static void expired(struct card_profile *p, unsigned number)
{
    static const uint8_t date[] = {0x19, 0x12, 0x31};

    (void)number;
    replace(p, TAG_EXPIRY, SPAN_OF(date));
}

static void not_yet_effective(struct card_profile *p, unsigned number)
{
    static const uint8_t date[] = {0x49, 0x01, 0x01};

    (void)number;
    replace(p, TAG_EFFECTIVE, SPAN_OF(date));
}

static void tag_list(struct card_profile *p, unsigned number)
{
    static const uint8_t tags[] = {TAG_AIP, TAG_DF_NAME};

    (void)number;
    replace(p, TAG_SDA_TAG_LIST, SPAN_OF(tags));
}

/* ---- single objects ---- */

static void missing(struct card_profile *p, unsigned number)
{
    const struct change c = {number, {NULL, 0}};

    edit_all(p, edit_drop, &c);
}

/* The object once more, at the end of the first record that has room and has none. */
static void twice(struct card_profile *p, unsigned number)
{
    struct profile_bytes v;

    if (!value_of(&v, p, number))
        return;
    for (size_t i = 0; i < p->records_n; i++) {
        struct profile_record *r = &p->records[i];
        uint8_t raw[PROFILE_RECORD_MAX];
        struct buf whole = BUF_OF(raw);
        struct span in = {r->data, r->n};
        struct tlv template, there;

        if (tlv_next(&in, &template) != TP_OK || tlv_find(template.value, number, &there) == TP_OK)
            continue;
        if (tlv_put_header(&whole, TAG_RECORD, template.value.n + tlv_size(number, v.n)) != TP_OK ||
            buf_put(&whole, template.value) != TP_OK ||
            tlv_put(&whole, number, span_of(v.p, v.n)) != TP_OK)
            continue;
        memcpy(r->data, raw, whole.n);
        r->n = whole.n;
        return;
    }
}

/* The sixth pair of digits of the PAN, one up: it stays a number, and the check digit is wrong. */
static void other_track2(struct card_profile *p, unsigned number)
{
    struct profile_bytes v;

    (void)number;
    if (!value_of(&v, p, TAG_TRACK2) || v.n < 8)
        return;
    v.p[5] = (uint8_t)((v.p[5] & 0xF0) | ((v.p[5] & 0x0F) + 1) % 10);
    replace_bytes(p, TAG_TRACK2, &v);
}

static void hostile_names(struct card_profile *p, unsigned number)
{
    static const char label[] = "\x1B[2J\x07PAY\x9B"
                                "0m\r\n",
                      name[] = "\x1B]0;PWNED\x07/\x1B[31m\n";

    (void)number;
    for (size_t i = 0; i < p->apps_n; i++) {
        memcpy(p->apps[i].label, label, sizeof(label));
        memcpy(p->apps[i].preferred, label, sizeof(label));
    }
    replace(p, TAG_CARDHOLDER_NAME, span_str(name));
}

/* ---- records out of shape: the first one of the AFL ---- */

static void wrong_template(struct card_profile *p, unsigned number)
{
    (void)number;
    p->records[0].data[0] = TAG_RESPONSE_2;
}

static void indefinite_length(struct card_profile *p, unsigned number)
{
    struct profile_record *r = &p->records[0];
    uint8_t raw[PROFILE_RECORD_MAX];
    struct buf whole = BUF_OF(raw);
    struct span in = {r->data, r->n};
    struct tlv template;

    (void)number;
    if (tlv_next(&in, &template) != TP_OK || buf_be16(&whole, TAG_RECORD << 8 | 0x80) != TP_OK ||
        buf_put(&whole, template.value) != TP_OK || buf_be16(&whole, 0) != TP_OK)
        return;
    memcpy(r->data, raw, whole.n);
    r->n = whole.n;
}

static void trailing_bytes(struct card_profile *p, unsigned number)
{
    static const uint8_t more[] = {0xDE, 0xAD};
    struct profile_record *r = &p->records[0];
    struct buf whole = {r->data, r->n, sizeof(r->data)};

    (void)number;
    if (buf_put(&whole, SPAN_OF(more)) == TP_OK)
        r->n = whole.n;
}

/* In the first record, which is not signed: in a signed one the zeros would be signed too. */
static void zero_padding(struct card_profile *p, unsigned number)
{
    const struct change c = {2, {NULL, 0}};

    (void)number;
    edit_record(&p->records[0], edit_pad, &c);
}

/* ---- the AFL ---- */

static void wild_afl(struct card_profile *p, unsigned number)
{
    static const uint8_t wild[] = {0x00, 0x01, 0x01, 0x00, 0x10, 0x03, 0x01, 0x02};

    (void)number;
    memcpy(p->afl.p, wild, sizeof(wild));
    p->afl.n = sizeof(wild);
}

static void odd_afl(struct card_profile *p, unsigned number)
{
    (void)number;
    if (p->afl.n > 0)
        p->afl.n--;
}

static void missing_record(struct card_profile *p, unsigned number)
{
    (void)number;
    if (p->afl.n >= AFL_ENTRY)
        p->afl.p[p->afl.n - 2]++;
}

static void many_records(struct card_profile *p, unsigned number)
{
    (void)number;
    p->afl.p[2] = 0xFF;
}

static void afl_overcount(struct card_profile *p, unsigned number)
{
    (void)number;
    p->afl.p[3] = (uint8_t)(p->afl.p[2] - p->afl.p[1] + 2);
}

/* ---- lists ---- */

static void huge_pdol(struct card_profile *p, unsigned number)
{
    static const uint8_t pdol[] = {0x9F, 0x02, 0xFF, 0x9F, 0x03, 0xFF};

    (void)number;
    memcpy(p->pdol.p, pdol, sizeof(pdol));
    p->pdol.n = sizeof(pdol);
}

static void broken_pdol(struct card_profile *p, unsigned number)
{
    static const uint8_t pdol[] = {0x9F, 0x1A, 0x02, 0x9F};

    (void)number;
    memcpy(p->pdol.p, pdol, sizeof(pdol));
    p->pdol.n = sizeof(pdol);
}

static void append_to_cdol(struct card_profile *p, struct span more)
{
    struct buf dol = {p->cdol1.p, p->cdol1.n, sizeof(p->cdol1.p)};

    if (buf_put(&dol, more) != TP_OK)
        return;
    p->cdol1.n = dol.n; /* the card itself goes by it too */
    replace_bytes(p, TAG_CDOL1, &p->cdol1);
}

static void unknown_cdol(struct card_profile *p, unsigned number)
{
    static const uint8_t entry[] = {0xDF, 0x7A, 0x04};

    (void)number;
    append_to_cdol(p, SPAN_OF(entry));
}

static void broken_cdol(struct card_profile *p, unsigned number)
{
    static const uint8_t half[] = {0x9F};

    (void)number;
    append_to_cdol(p, SPAN_OF(half));
}

static void ddol_without_un(struct card_profile *p, unsigned number)
{
    static const uint8_t ddol[] = {TAG_TX_DATE, 3};

    (void)number;
    if (p->ddol.n == 0)
        return;
    memcpy(p->ddol.p, ddol, sizeof(ddol));
    p->ddol.n = sizeof(ddol);
    replace_bytes(p, TAG_DDOL, &p->ddol);
}

static void empty_cvm_list(struct card_profile *p, unsigned number)
{
    static const uint8_t amounts[8] = {0};

    (void)number;
    replace(p, TAG_CVM_LIST, SPAN_OF(amounts));
}

static void odd_cvm_list(struct card_profile *p, unsigned number)
{
    struct profile_bytes v;

    (void)number;
    if (!value_of(&v, p, TAG_CVM_LIST))
        return;
    v.n--;
    replace_bytes(p, TAG_CVM_LIST, &v);
}

/* 50: "apply succeeding", method 010000, which Book 3, C3 reserves; 00: always. */
static void unknown_cvm(struct card_profile *p, unsigned number)
{
    static const uint8_t rule[] = {0x50, 0x00};
    struct profile_bytes v;
    struct span rules;
    struct buf b;

    (void)number;
    if (!value_of(&v, p, TAG_CVM_LIST) || v.n < 8)
        return;
    uint8_t raw[PROFILE_BYTES_MAX];

    rules = span_of(v.p + 8, v.n - 8);
    b = BUF_OF(raw);
    if (buf_put(&b, span_of(v.p, 8)) == TP_OK && buf_put(&b, SPAN_OF(rule)) == TP_OK &&
        buf_put(&b, rules) == TP_OK)
        replace(p, TAG_CVM_LIST, buf_span(&b));
}

static void (*const changes[FAULT_COUNT])(struct card_profile *p, unsigned number) = {
    [FAULT_EXPIRED_ICC_CERT] = expired_icc_certificate,
    [FAULT_EXPIRED_ISSUER_CERT] = expired_issuer_certificate,
    [FAULT_WRONG_PAN_CERT] = wrong_pan_certificate,
    [FAULT_WRONG_ISSUER_HASH] = wrong_issuer_hash,
    [FAULT_ALTERED_DATA] = altered_data,
    [FAULT_EXPIRED] = expired,
    [FAULT_NOT_YET_EFFECTIVE] = not_yet_effective,
    [FAULT_MISSING] = missing,
    [FAULT_TWICE] = twice,
    [FAULT_OTHER_TRACK2] = other_track2,
    [FAULT_HOSTILE_NAMES] = hostile_names,
    [FAULT_WRONG_TEMPLATE] = wrong_template,
    [FAULT_INDEFINITE_LENGTH] = indefinite_length,
    [FAULT_TRAILING_BYTES] = trailing_bytes,
    [FAULT_ZERO_PADDING] = zero_padding,
    [FAULT_WILD_AFL] = wild_afl,
    [FAULT_ODD_AFL] = odd_afl,
    [FAULT_MISSING_RECORD] = missing_record,
    [FAULT_MANY_RECORDS] = many_records,
    [FAULT_AFL_OVERCOUNT] = afl_overcount,
    [FAULT_HUGE_PDOL] = huge_pdol,
    [FAULT_BROKEN_PDOL] = broken_pdol,
    [FAULT_UNKNOWN_CDOL] = unknown_cdol,
    [FAULT_BROKEN_CDOL] = broken_cdol,
    [FAULT_DDOL_WITHOUT_UN] = ddol_without_un,
    [FAULT_TAG_LIST] = tag_list,
    [FAULT_UNKNOWN_INDEX] = unknown_index,
    [FAULT_UNKNOWN_SUITE] = unknown_suite,
    [FAULT_EMPTY_CVM_LIST] = empty_cvm_list,
    [FAULT_ODD_CVM_LIST] = odd_cvm_list,
    [FAULT_UNKNOWN_CVM] = unknown_cvm,
};

void fault_profile(enum fault which, unsigned number, struct card_profile *p)
{
    if (changes[which] != NULL && p->records_n > 0 && p->afl.n >= AFL_ENTRY)
        changes[which](p, number);
}

bool fault_endless_directory(const struct fault_set *f)
{
    return f->on[FAULT_ENDLESS_RECORDS];
}
