#include "wire/iso8583.h"

#include <stdio.h>
#include <string.h>

#include "base/bcd.h"
#include "base/mask.h"
#include "base/secret.h"
#include "base/text.h"

/* The fields as jPOS ISO87BPackager declares them (its lengths and classes are the source), but for
 * DE 55 and 61-63, which are binary here (doc/protocol.md). Amounts of processing fees and the like
 * keep the names of ISO 8583:1987, 4.4. */
enum { PLAIN, AS_PAN, SIZE_ONLY };
#define FIXED 0
#define LL    2
#define LLL   3

static const struct iso8583_field fields[ISO8583_FIELDS] = {
    [2] = {N_("primary account number"), ISO_N, LL, 19, AS_PAN},
    [3] = {N_("processing code"), ISO_N, FIXED, 6, PLAIN},
    [4] = {N_("amount, transaction"), ISO_N, FIXED, 12, PLAIN},
    [5] = {N_("amount, settlement"), ISO_N, FIXED, 12, PLAIN},
    [6] = {N_("amount, cardholder billing"), ISO_N, FIXED, 12, PLAIN},
    [7] = {N_("transmission date and time"), ISO_N, FIXED, 10, PLAIN},
    [8] = {N_("amount, cardholder billing fee"), ISO_N, FIXED, 8, PLAIN},
    [9] = {N_("conversion rate, settlement"), ISO_N, FIXED, 8, PLAIN},
    [10] = {N_("conversion rate, cardholder billing"), ISO_N, FIXED, 8, PLAIN},
    [11] = {N_("systems trace audit number"), ISO_N, FIXED, 6, PLAIN},
    [12] = {N_("time, local transaction"), ISO_N, FIXED, 6, PLAIN},
    [13] = {N_("date, local transaction"), ISO_N, FIXED, 4, PLAIN},
    [14] = {N_("date, expiration"), ISO_N, FIXED, 4, PLAIN},
    [15] = {N_("date, settlement"), ISO_N, FIXED, 4, PLAIN},
    [16] = {N_("date, conversion"), ISO_N, FIXED, 4, PLAIN},
    [17] = {N_("date, capture"), ISO_N, FIXED, 4, PLAIN},
    [18] = {N_("merchant's type"), ISO_N, FIXED, 4, PLAIN},
    [19] = {N_("acquiring institution country code"), ISO_N, FIXED, 3, PLAIN},
    [20] = {N_("PAN extended country code"), ISO_N, FIXED, 3, PLAIN},
    [21] = {N_("forwarding institution country code"), ISO_N, FIXED, 3, PLAIN},
    [22] = {N_("point of service entry mode"), ISO_N, FIXED, 3, PLAIN},
    [23] = {N_("card sequence number"), ISO_N, FIXED, 3, PLAIN},
    [24] = {N_("network international identifier"), ISO_N, FIXED, 3, PLAIN},
    [25] = {N_("point of service condition code"), ISO_N, FIXED, 2, PLAIN},
    [26] = {N_("point of service PIN capture code"), ISO_N, FIXED, 2, PLAIN},
    [27] = {N_("authorization identification response length"), ISO_N, FIXED, 1, PLAIN},
    [28] = {N_("amount, transaction fee"), ISO_XN, FIXED, 9, PLAIN},
    [29] = {N_("amount, settlement fee"), ISO_XN, FIXED, 9, PLAIN},
    [30] = {N_("amount, transaction processing fee"), ISO_XN, FIXED, 9, PLAIN},
    [31] = {N_("amount, settlement processing fee"), ISO_XN, FIXED, 9, PLAIN},
    [32] = {N_("acquiring institution identification code"), ISO_N, LL, 11, PLAIN},
    [33] = {N_("forwarding institution identification code"), ISO_N, LL, 11, PLAIN},
    [34] = {N_("primary account number, extended"), ISO_ANS, LL, 28, SIZE_ONLY},
    [35] = {N_("track 2 data"), ISO_Z, LL, 37, SIZE_ONLY},
    [36] = {N_("track 3 data"), ISO_ANS, LLL, 104, SIZE_ONLY},
    [37] = {N_("retrieval reference number"), ISO_AN, FIXED, 12, PLAIN},
    [38] = {N_("authorization identification response"), ISO_AN, FIXED, 6, PLAIN},
    [39] = {N_("response code"), ISO_AN, FIXED, 2, PLAIN},
    [40] = {N_("service restriction code"), ISO_AN, FIXED, 3, PLAIN},
    [41] = {N_("card acceptor terminal identification"), ISO_ANS, FIXED, 8, PLAIN},
    [42] = {N_("card acceptor identification code"), ISO_ANS, FIXED, 15, PLAIN},
    [43] = {N_("card acceptor name/location"), ISO_ANS, FIXED, 40, PLAIN},
    [44] = {N_("additional response data"), ISO_ANS, LL, 25, PLAIN},
    [45] = {N_("track 1 data"), ISO_ANS, LL, 76, SIZE_ONLY},
    [46] = {N_("additional data, ISO"), ISO_ANS, LLL, 999, PLAIN},
    [47] = {N_("additional data, national"), ISO_ANS, LLL, 999, PLAIN},
    [48] = {N_("additional data, private"), ISO_ANS, LLL, 999, PLAIN},
    [49] = {N_("currency code, transaction"), ISO_AN, FIXED, 3, PLAIN},
    [50] = {N_("currency code, settlement"), ISO_AN, FIXED, 3, PLAIN},
    [51] = {N_("currency code, cardholder billing"), ISO_AN, FIXED, 3, PLAIN},
    [52] = {N_("PIN data"), ISO_B, FIXED, 8, SIZE_ONLY},
    [53] = {N_("security related control information"), ISO_N, FIXED, 16, PLAIN},
    [54] = {N_("additional amounts"), ISO_ANS, LLL, 120, PLAIN},
    [55] = {N_("ICC system related data"), ISO_B, LLL, 999, SIZE_ONLY},
    [56] = {N_("reserved ISO"), ISO_ANS, LLL, 999, PLAIN},
    [57] = {N_("reserved national"), ISO_ANS, LLL, 999, PLAIN},
    [58] = {N_("reserved national"), ISO_ANS, LLL, 999, PLAIN},
    [59] = {N_("reserved national"), ISO_ANS, LLL, 999, PLAIN},
    [60] = {N_("reserved private"), ISO_ANS, LLL, 999, PLAIN},
    [61] = {N_("card evidence, first piece"), ISO_B, LLL, 999, SIZE_ONLY},
    [62] = {N_("card evidence, second piece"), ISO_B, LLL, 999, SIZE_ONLY},
    [63] = {N_("card evidence, third piece"), ISO_B, LLL, 999, SIZE_ONLY},
    [64] = {N_("message authentication code"), ISO_B, FIXED, 8, SIZE_ONLY},
    [65] = {N_("bitmap, extended"), ISO_B, FIXED, 1, SIZE_ONLY},
    [66] = {N_("settlement code"), ISO_N, FIXED, 1, PLAIN},
    [67] = {N_("extended payment code"), ISO_N, FIXED, 2, PLAIN},
    [68] = {N_("receiving institution country code"), ISO_N, FIXED, 3, PLAIN},
    [69] = {N_("settlement institution country code"), ISO_N, FIXED, 3, PLAIN},
    [70] = {N_("network management information code"), ISO_N, FIXED, 3, PLAIN},
    [71] = {N_("message number"), ISO_N, FIXED, 4, PLAIN},
    [72] = {N_("message number last"), ISO_N, FIXED, 4, PLAIN},
    [73] = {N_("date, action"), ISO_N, FIXED, 6, PLAIN},
    [74] = {N_("credits, number"), ISO_N, FIXED, 10, PLAIN},
    [75] = {N_("credits, reversal number"), ISO_N, FIXED, 10, PLAIN},
    [76] = {N_("debits, number"), ISO_N, FIXED, 10, PLAIN},
    [77] = {N_("debits, reversal number"), ISO_N, FIXED, 10, PLAIN},
    [78] = {N_("transfer, number"), ISO_N, FIXED, 10, PLAIN},
    [79] = {N_("transfer, reversal number"), ISO_N, FIXED, 10, PLAIN},
    [80] = {N_("inquiries, number"), ISO_N, FIXED, 10, PLAIN},
    [81] = {N_("authorizations, number"), ISO_N, FIXED, 10, PLAIN},
    [82] = {N_("credits, processing fee amount"), ISO_N, FIXED, 12, PLAIN},
    [83] = {N_("credits, transaction fee amount"), ISO_N, FIXED, 12, PLAIN},
    [84] = {N_("debits, processing fee amount"), ISO_N, FIXED, 12, PLAIN},
    [85] = {N_("debits, transaction fee amount"), ISO_N, FIXED, 12, PLAIN},
    [86] = {N_("credits, amount"), ISO_N, FIXED, 16, PLAIN},
    [87] = {N_("credits, reversal amount"), ISO_N, FIXED, 16, PLAIN},
    [88] = {N_("debits, amount"), ISO_N, FIXED, 16, PLAIN},
    [89] = {N_("debits, reversal amount"), ISO_N, FIXED, 16, PLAIN},
    [90] = {N_("original data elements"), ISO_N, FIXED, 42, PLAIN},
    [91] = {N_("file update code"), ISO_AN, FIXED, 1, PLAIN},
    [92] = {N_("file security code"), ISO_AN, FIXED, 2, PLAIN},
    [93] = {N_("response indicator"), ISO_AN, FIXED, 6, PLAIN},
    [94] = {N_("service indicator"), ISO_AN, FIXED, 7, PLAIN},
    [95] = {N_("replacement amounts"), ISO_AN, FIXED, 42, PLAIN},
    [96] = {N_("message security code"), ISO_B, FIXED, 16, SIZE_ONLY},
    [97] = {N_("amount, net settlement"), ISO_XN, FIXED, 17, PLAIN},
    [98] = {N_("payee"), ISO_ANS, FIXED, 25, PLAIN},
    [99] = {N_("settlement institution identification code"), ISO_N, LL, 11, PLAIN},
    [100] = {N_("receiving institution identification code"), ISO_N, LL, 11, PLAIN},
    [101] = {N_("file name"), ISO_ANS, LL, 17, PLAIN},
    [102] = {N_("account identification 1"), ISO_ANS, LL, 28, SIZE_ONLY},
    [103] = {N_("account identification 2"), ISO_ANS, LL, 28, SIZE_ONLY},
    [104] = {N_("transaction description"), ISO_ANS, LLL, 100, PLAIN},
    [105 ... 111] = {N_("reserved ISO"), ISO_ANS, LLL, 999, PLAIN},
    [112 ... 127] = {N_("what a mediator passes on, in pieces"), ISO_B, LLL, 999, SIZE_ONLY},
    [128] = {N_("message authentication code 2"), ISO_B, FIXED, 8, SIZE_ONLY},
};

const struct iso8583_field *iso8583_field(unsigned number)
{
    return number < ISO8583_FIELDS && fields[number].name != NULL ? &fields[number] : NULL;
}

void iso8583_start(struct iso8583 *m, unsigned mti)
{
    m->mti = mti;
    memset(m->field, 0, sizeof(m->field));
    m->text = (struct buf)BUF_OF(m->text_room);
    m->fault = TP_OK;
    m->fault_field = 0;
}

bool iso8583_has(const struct iso8583 *m, unsigned number)
{
    return number < ISO8583_FIELDS && m->field[number].p != NULL;
}

static bool character_fits(enum iso8583_format format, uint8_t c, size_t at)
{
    const bool digit = c >= '0' && c <= '9';

    switch (format) {
    case ISO_N:
        return digit;
    case ISO_Z:
        return digit || c == '=';
    case ISO_XN:
        return at == 0 ? c == 'C' || c == 'D' : digit;
    case ISO_AN:
        return digit || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == ' ';
    case ISO_ANS:
        return c >= ' ' && c <= '~';
    case ISO_B:
        return true;
    }
    return false;
}

static enum tp_err value_check(const struct iso8583_field *f, struct span value)
{
    if (value.n > f->max || (f->length_digits == FIXED && value.n < f->max))
        return TP_ERR_RANGE;
    for (size_t i = 0; f->format != ISO_B && i < value.n; i++)
        if (!character_fits(f->format, value.p[i], i))
            return TP_ERR_FORMAT;
    return TP_OK;
}

static void keep_fault(struct iso8583 *m, unsigned number, enum tp_err fault)
{
    if (m->fault != TP_OK || fault == TP_OK)
        return;
    m->fault = fault;
    m->fault_field = number;
}

enum tp_err iso8583_fault(const struct iso8583 *m, struct tp_error *e)
{
    const struct iso8583_field *f = iso8583_field(m->fault_field);

    if (m->fault == TP_OK)
        return TP_OK;
    return tp_fail(e, m->fault, "field %u (%s): %s", m->fault_field,
                   f != NULL ? f->name : _("none"),
                   m->fault == TP_ERR_NOT_FOUND ? _("there is no such field")
                   : m->fault == TP_ERR_FORMAT  ? _("a value has a character that it does not take")
                                                : _("a value does not fit"));
}

void iso8583_set(struct iso8583 *m, unsigned number, struct span value)
{
    const struct iso8583_field *f = iso8583_field(number);

    keep_fault(m, number, f != NULL ? value_check(f, value) : TP_ERR_NOT_FOUND);
    if (m->fault == TP_OK)
        m->field[number] = value.p != NULL ? value : span_str("");
}

/* A copy, filled up to the length of a fixed field. */
static enum tp_err copy_text(struct buf *out, const struct iso8583_field *f, struct span value)
{
    const bool fills = f->length_digits == FIXED && value.n < f->max &&
                       (f->format == ISO_N || f->format == ISO_AN || f->format == ISO_ANS);
    const size_t fill = fills ? f->max - value.n : 0;
    enum tp_err r = buf_fill(out, '0', f->format == ISO_N ? fill : 0);

    if (r == TP_OK)
        r = buf_put(out, value);
    return r == TP_OK ? buf_fill(out, ' ', f->format == ISO_N ? 0 : fill) : r;
}

void iso8583_set_text(struct iso8583 *m, unsigned number, const char *text)
{
    const struct iso8583_field *f = iso8583_field(number);
    const size_t start = m->text.n;

    keep_fault(m, number, f != NULL ? copy_text(&m->text, f, span_str(text)) : TP_ERR_NOT_FOUND);
    if (m->fault == TP_OK)
        iso8583_set(m, number, span_of(m->text.p + start, m->text.n - start));
}

void iso8583_set_number(struct iso8583 *m, unsigned number, uint64_t value)
{
    char digits[21];

    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
    iso8583_set_text(m, number, digits);
}

void iso8583_set_instant(struct iso8583 *m, time_t t)
{
    char digits[16];
    struct tm utc;

    gmtime_r(&t, &utc);
    strftime(digits, sizeof(digits), "%m%d%H%M%S", &utc);
    iso8583_set_text(m, 7, digits);
}

enum tp_err iso8583_text(const struct iso8583 *m, unsigned number, char *out, size_t cap)
{
    const struct iso8583_field *f = iso8583_field(number);
    struct span v;

    if (f == NULL || !iso8583_has(m, number))
        return TP_ERR_NOT_FOUND;
    if (f->format == ISO_B)
        return TP_ERR_FORMAT;
    v = m->field[number];
    while (f->length_digits == FIXED && v.n > 0 && v.p[v.n - 1] == ' ')
        v.n--;
    if (v.n >= cap)
        return TP_ERR_RANGE;
    memcpy(out, v.p, v.n);
    out[v.n] = '\0';
    return TP_OK;
}

enum tp_err iso8583_number(const struct iso8583 *m, unsigned number, uint64_t *out)
{
    struct span v;
    uint64_t n = 0;

    if (!iso8583_has(m, number))
        return TP_ERR_NOT_FOUND;
    v = m->field[number];
    if (v.n == 0 || v.n > 18)
        return TP_ERR_RANGE;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return TP_ERR_FORMAT;
        n = n * 10 + (uint64_t)(v.p[i] - '0');
    }
    *out = n;
    return TP_OK;
}

/* ---- packing ---- */

/* Digits as BCD: an odd count has a zero nibble at the left of a fixed field, at the right of a
 * variable one (jPOS pad true and false). '=' gives D. */
static enum tp_err digits_pack(struct buf *out, struct span digits, bool pad_left)
{
    const size_t start = pad_left && digits.n % 2 == 1 ? 1 : 0;
    const size_t n = (digits.n + 1) / 2;

    if (out->cap - out->n < n)
        return TP_ERR_RANGE;
    memset(out->p + out->n, 0, n);
    for (size_t i = 0; i < digits.n; i++) {
        const size_t at = i + start;
        const unsigned nibble = (unsigned)(digits.p[i] - '0');

        out->p[out->n + at / 2] |= (uint8_t)(at % 2 == 0 ? nibble << 4 : nibble);
    }
    out->n += n;
    return TP_OK;
}

static enum tp_err field_pack(struct buf *out, const struct iso8583_field *f, struct span value)
{
    enum tp_err r = value_check(f, value);

    if (r == TP_OK && f->length_digits != FIXED)
        r = bcd_put(out, value.n, f->length_digits);
    if (r != TP_OK)
        return r;
    switch (f->format) {
    case ISO_N:
    case ISO_Z:
        return digits_pack(out, value, f->length_digits == FIXED);
    case ISO_XN:
        r = buf_u8(out, value.p[0]);
        return r == TP_OK ? digits_pack(out, span_of(value.p + 1, value.n - 1), true) : r;
    case ISO_AN:
    case ISO_ANS:
    case ISO_B:
        return buf_put(out, value);
    }
    return TP_ERR_INTERNAL;
}

enum tp_err iso8583_pack(struct buf *out, const struct iso8583 *m, struct tp_error *e)
{
    const size_t start = out->n;
    uint8_t bitmap[16] = {0};
    enum tp_err r = iso8583_fault(m, e);

    if (r != TP_OK)
        return r;
    r = bcd_put(out, m->mti, 4);
    for (unsigned i = 2; i < ISO8583_FIELDS; i++)
        if (iso8583_has(m, i))
            bitmap[(i - 1) / 8] |= (uint8_t)(0x80 >> (i - 1) % 8);
    for (size_t i = 8; i < sizeof(bitmap); i++)
        if (bitmap[i] != 0)
            bitmap[0] |= 0x80;
    if (r == TP_OK)
        r = buf_put(out, span_of(bitmap, bitmap[0] & 0x80 ? 16 : 8));
    if (r != TP_OK)
        tp_fail(e, r, "message type %u does not fit", m->mti);
    for (unsigned i = 2; r == TP_OK && i < ISO8583_FIELDS; i++) {
        if (!iso8583_has(m, i))
            continue;
        r = field_pack(out, &fields[i], m->field[i]);
        if (r != TP_OK)
            tp_fail(e, r, "field %u (%s): a value of %zu does not fit", i, fields[i].name,
                    m->field[i].n);
    }
    if (r == TP_OK && out->n - start > ISO8583_MAX)
        r = tp_fail(e, TP_ERR_RANGE, "a message of %zu bytes is longer than %u", out->n - start,
                    ISO8583_MAX);
    if (r != TP_OK)
        out->n = start;
    return r;
}

/* ---- unpacking ---- */

struct reader8583 {
    struct span left;
    struct span whole;
    unsigned field;
    struct tp_error *e;
};

static enum tp_err wanted(const struct reader8583 *in, const char *what)
{
    const size_t offset = in->whole.n - in->left.n;

    if (in->field == 0)
        return tp_fail(in->e, TP_ERR_FORMAT, "offset %zu: wanted %s", offset, what);
    return tp_fail(in->e, TP_ERR_FORMAT, "field %u (%s) at offset %zu: wanted %s", in->field,
                   fields[in->field].name, offset, what);
}

static enum tp_err take(struct reader8583 *in, size_t n, struct span *out)
{
    char what[96];

    if (span_take(&in->left, n, out) == TP_OK)
        return TP_OK;
    snprintf(what, sizeof(what), _("%zu bytes, %zu are left"), n, in->left.n);
    return wanted(in, what);
}

/* n digits from BCD into m->text. */
static enum tp_err digits_unpack(struct iso8583 *m, struct reader8583 *in, size_t n, bool pad_left,
                                 bool separator)
{
    const size_t bytes = (n + 1) / 2;
    const size_t first = pad_left && n % 2 == 1 ? 1 : 0;
    const struct span before = in->left;
    struct span raw;
    enum tp_err r = take(in, bytes, &raw);

    for (size_t i = 0; r == TP_OK && i < 2 * bytes; i++) {
        const uint8_t nibble = i % 2 == 0 ? raw.p[i / 2] >> 4 : raw.p[i / 2] & 0x0F;
        const bool padding = i < first || i >= first + n;

        if (padding ? nibble != 0 : nibble > 9 && !(separator && nibble == 0x0D)) {
            in->left = before;
            return wanted(in, padding ? "a padding nibble of zero" : "decimal digits");
        }
        if (!padding)
            r = buf_u8(&m->text, (uint8_t)('0' + nibble));
    }
    return r;
}

static enum tp_err length_unpack(struct reader8583 *in, const struct iso8583_field *f, size_t *n)
{
    const struct span before = in->left;
    struct span raw;
    uint64_t v = 0;
    char what[64];

    *n = f->max;
    if (f->length_digits == FIXED)
        return TP_OK;
    if (take(in, f->length_digits == LL ? 1 : 2, &raw) != TP_OK)
        return TP_ERR_FORMAT;
    if (bcd_get(raw, &v) != TP_OK || v > f->max) {
        in->left = before;
        snprintf(what, sizeof(what), "a length of at most %u in decimal digits", f->max);
        return wanted(in, what);
    }
    *n = (size_t)v;
    return TP_OK;
}

static enum tp_err text_unpack(struct reader8583 *in, const struct iso8583_field *f, size_t n,
                               struct span *value)
{
    const struct span before = in->left;

    if (take(in, n, value) != TP_OK)
        return TP_ERR_FORMAT;
    if (value_check(f, *value) == TP_OK)
        return TP_OK;
    in->left = before;
    return wanted(in, f->format == ISO_AN ? "letters, digits and spaces" : "printable ASCII");
}

static enum tp_err field_unpack(struct iso8583 *m, struct reader8583 *in)
{
    const struct iso8583_field *f = iso8583_field(in->field);
    const size_t start = m->text.n;
    struct span value = {NULL, 0}, sign;
    size_t n;
    enum tp_err r = length_unpack(in, f, &n);

    if (r != TP_OK)
        return r;
    switch (f->format) {
    case ISO_XN:
        if (in->left.n > 0 && in->left.p[0] != 'C' && in->left.p[0] != 'D')
            return wanted(in, "C or D");
        r = take(in, 1, &sign);
        if (r == TP_OK)
            r = buf_put(&m->text, sign);
        if (r == TP_OK)
            r = digits_unpack(m, in, n - 1, true, false);
        break;
    case ISO_N:
    case ISO_Z:
        r = digits_unpack(m, in, n, f->length_digits == FIXED, f->format == ISO_Z);
        break;
    case ISO_AN:
    case ISO_ANS:
    case ISO_B:
        r = text_unpack(in, f, n, &value);
        break;
    }
    if (value.p == NULL)
        value = span_of(m->text.p + start, m->text.n - start);
    if (r == TP_OK)
        m->field[in->field] = value;
    return r;
}

enum tp_err iso8583_unpack(struct iso8583 *m, struct span raw, struct tp_error *e)
{
    static const uint8_t none[8];
    struct reader8583 in = {raw, raw, 0, e};
    struct span part, bitmap;
    uint64_t mti = 0;
    bool second;
    enum tp_err r;

    iso8583_start(m, 0);
    r = take(&in, 2, &part);
    if (r != TP_OK)
        return r;
    if (bcd_get(part, &mti) != TP_OK) {
        in.left = raw;
        return wanted(&in, "a message type of four decimal digits");
    }
    second = in.left.n > 0 && (in.left.p[0] & 0x80) != 0;
    r = take(&in, second ? 16 : 8, &bitmap);
    if (r != TP_OK)
        return r;
    m->mti = (unsigned)mti;
    if (second && memcmp(bitmap.p + 8, none, sizeof(none)) == 0) {
        in.left = span_of(bitmap.p + 8, in.left.n + 8);
        return wanted(&in, "a field in the second bitmap");
    }
    for (unsigned i = 2; r == TP_OK && i <= bitmap.n * 8; i++) {
        if ((bitmap.p[(i - 1) / 8] & 0x80 >> (i - 1) % 8) == 0)
            continue;
        in.field = i;
        r = field_unpack(m, &in);
    }
    in.field = 0;
    return r == TP_OK && in.left.n != 0 ? wanted(&in, "the end") : r;
}

/* ---- for people; evidence ---- */

char *iso8583_trace(char *out, size_t cap, const struct iso8583 *m)
{
    char text[1000], pan[PAN_TEXT_MAX];
    size_t at = (size_t)snprintf(out, cap, "%04u", m->mti);

    for (unsigned i = 2; i < ISO8583_FIELDS && at < cap; i++) {
        if (!iso8583_has(m, i))
            continue;
        if (fields[i].shown == SIZE_ONLY || iso8583_text(m, i, text, sizeof(text)) != TP_OK)
            at += (size_t)snprintf(out + at, cap - at, " %u=[%zu bytes]", i, m->field[i].n);
        else
            at += (size_t)snprintf(out + at, cap - at, " %u=%s", i,
                                   fields[i].shown == AS_PAN ? mask_pan(pan, text) : text);
    }
    return out;
}

#define EVIDENCE_PIECE 999
static const unsigned evidence_fields[] = {61, 62, 63};

enum tp_err iso8583_evidence_join(struct buf *out, const struct iso8583 *m)
{
    const size_t start = out->n;

    for (size_t i = 0; i < 3; i++) {
        const enum tp_err r = buf_put(out, m->field[evidence_fields[i]]);

        if (r != TP_OK) {
            out->n = start;
            return r;
        }
    }
    return TP_OK;
}

void iso8583_evidence_split(struct iso8583 *m, struct span stream)
{
    if (stream.n > ISO8583_EVIDENCE_MAX)
        keep_fault(m, evidence_fields[0], TP_ERR_RANGE);
    for (size_t i = 0; i < 3 && stream.n > 0; i++) {
        const size_t n = stream.n < EVIDENCE_PIECE ? stream.n : EVIDENCE_PIECE;

        iso8583_set(m, evidence_fields[i], span_of(stream.p, n));
        stream = span_of(stream.p + n, stream.n - n);
    }
}

bool iso8583_track2_agrees(const struct iso8583 *m)
{
    char track[64] = "", pan[32] = "";
    uint64_t expiry = 0;
    size_t n;
    bool same;

    if (!iso8583_has(m, 35))
        return true;
    if (iso8583_text(m, 2, pan, sizeof(pan)) != TP_OK || iso8583_number(m, 14, &expiry) != TP_OK ||
        iso8583_text(m, 35, track, sizeof(track)) != TP_OK)
        return false;
    n = strlen(pan);
    pan[n] = '='; /* the separator, then YYMM: ISO/IEC 7813 */
    snprintf(pan + n + 1, sizeof(pan) - n - 1, "%04u", (unsigned)(expiry % 10000));
    same = strncmp(track, pan, n + 5) == 0;
    secret_wipe(track, sizeof(track));
    secret_wipe(pan, sizeof(pan));
    return same;
}
