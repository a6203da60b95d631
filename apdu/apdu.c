#include "apdu/apdu.h"

#define HEADER        4
#define SHORT_DATA    255U
#define SHORT_LE      256U
#define EXTENDED_DATA 65535U
#define EXTENDED_LE   65536U

/* A Le field of 0 asks for the most that its form can say (ISO/IEC 7816-4, 5.1), and the cast makes
 * it so. */
static enum tp_err put_short(struct buf *out, const struct capdu *c)
{
    enum tp_err r = TP_OK;

    if (c->data.n > 0)
        r = buf_u8(out, (uint8_t)c->data.n);
    if (r == TP_OK)
        r = buf_put(out, c->data);
    if (r == TP_OK && c->le != APDU_LE_NONE)
        r = buf_u8(out, (uint8_t)c->le);
    return r;
}

/* A zero byte announces the extended form; it stands once, before Lc or, without data, before Le.
 */
static enum tp_err put_extended(struct buf *out, const struct capdu *c)
{
    enum tp_err r = buf_u8(out, 0);

    if (r == TP_OK && c->data.n > 0)
        r = buf_be16(out, (uint16_t)c->data.n);
    if (r == TP_OK)
        r = buf_put(out, c->data);
    if (r == TP_OK && c->le != APDU_LE_NONE)
        r = buf_be16(out, (uint16_t)c->le);
    return r;
}

enum tp_err capdu_put(struct buf *out, const struct capdu *c)
{
    const uint8_t header[HEADER] = {c->cla, c->ins, c->p1, c->p2};
    const size_t before = out->n;
    enum tp_err r;

    if (c->data.n > EXTENDED_DATA || c->le > EXTENDED_LE)
        return TP_ERR_RANGE;
    r = buf_put(out, SPAN_OF(header));
    if (r == TP_OK)
        r = c->data.n > SHORT_DATA || c->le > SHORT_LE ? put_extended(out, c) : put_short(out, c);
    if (r != TP_OK)
        out->n = before;
    return r;
}

/* What follows Lc: the data, then nothing or a Le of le_bytes. */
static enum tp_err take_data(struct capdu *c, struct span s, size_t lc, size_t le_bytes)
{
    uint8_t one;
    uint16_t two;

    if (lc == 0 || span_take(&s, lc, &c->data) != TP_OK)
        return TP_ERR_FORMAT;
    if (s.n == 0)
        return TP_OK;
    if (s.n != le_bytes)
        return TP_ERR_FORMAT;
    if (le_bytes == 1 && span_u8(&s, &one) == TP_OK)
        c->le = one == 0 ? SHORT_LE : one;
    else if (span_be16(&s, &two) == TP_OK)
        c->le = two == 0 ? EXTENDED_LE : two;
    return TP_OK;
}

/* The body, in the order of ISO/IEC 7816-4, 5.1: case 1 has none; a first byte of 0 with more
 * behind it means extended. */
static enum tp_err take_body(struct capdu *c, struct span s)
{
    uint8_t first;
    uint16_t number;

    if (s.n == 0)
        return TP_OK;
    if (span_u8(&s, &first) != TP_OK)
        return TP_ERR_FORMAT;
    if (s.n == 0) {
        c->le = first == 0 ? SHORT_LE : first;
        return TP_OK;
    }
    if (first != 0)
        return take_data(c, s, first, 1);
    if (span_be16(&s, &number) != TP_OK)
        return TP_ERR_FORMAT;
    if (s.n > 0)
        return take_data(c, s, number, 2);
    c->le = number == 0 ? EXTENDED_LE : number;
    return TP_OK;
}

enum tp_err capdu_parse(struct capdu *c, struct span raw)
{
    struct capdu parsed = {.le = APDU_LE_NONE};
    struct span header;

    if (span_take(&raw, HEADER, &header) != TP_OK)
        return TP_ERR_FORMAT;
    parsed.cla = header.p[0];
    parsed.ins = header.p[1];
    parsed.p1 = header.p[2];
    parsed.p2 = header.p[3];
    if (take_body(&parsed, raw) != TP_OK)
        return TP_ERR_FORMAT;
    *c = parsed;
    return TP_OK;
}

enum tp_err rapdu_parse(struct rapdu *r, struct span raw)
{
    if (raw.n < 2 || raw.n > APDU_RESPONSE_MAX)
        return TP_ERR_FORMAT;
    r->data = (struct span){raw.p, raw.n - 2};
    r->sw = (uint16_t)(raw.p[raw.n - 2] << 8 | raw.p[raw.n - 1]);
    return TP_OK;
}
