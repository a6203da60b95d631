#include "drivers/atr.h"

enum { TS_DIRECT = 0x3B, TS_INVERSE = 0x3F, T15 = 15 };

struct reading {       /* where one is in the interface bytes */
    unsigned group;    /* i of TAi */
    unsigned protocol; /* T of TD(i-1); of the first two groups TA, TB, TC are global or T=0's */
    bool seen_t1, seen_t15;
};

unsigned atr_f(uint8_t ta1)
{
    static const uint16_t f[16] = {372, 372, 558, 744,  1116, 1488, 1860, 0,
                                   0,   512, 768, 1024, 1536, 2048, 0,    0};

    return f[ta1 >> 4];
}

unsigned atr_d(uint8_t ta1)
{
    static const uint8_t d[16] = {0, 1, 2, 4, 8, 16, 32, 64, 12, 20};

    return d[ta1 & 0x0F];
}

static bool valid_ifsc(uint8_t v)
{
    return v != 0x00 && v != 0xFF;
}

/* TA1, TB1 (programming voltage, no longer used), TC1; 8.3. */
static void global(struct atr *a, char kind, uint8_t v)
{
    if (kind == 'A')
        a->ta1 = v;
    else if (kind == 'C')
        a->n = v;
}

static enum tp_err second(struct atr *a, char kind, uint8_t v, struct tp_error *e)
{
    if (kind == 'A') {
        a->specific = true;
        a->specific_protocol = v & 0x0F;
        a->implicit = (v & 0x10) != 0;
    } else if (kind == 'C') {
        if (v == 0)
            return tp_fail(e, TP_ERR_FORMAT, "its waiting time (TC2) is 0");
        a->wi = v;
    }
    return TP_OK;
}

/* The first TA, TB, TC after the first TD of T=1, or of T=15, from the third group on: 11.4
 * and 8.3. */
static enum tp_err specific(struct atr *a, struct reading *r, char kind, uint8_t v,
                            struct tp_error *e)
{
    if (r->protocol == 1 && !r->seen_t1) {
        if (kind == 'A' && !valid_ifsc(v))
            return tp_fail(e, TP_ERR_FORMAT, "its block size (IFSC) of %u is not allowed", v);
        if (kind == 'A')
            a->ifsc = v;
        else if (kind == 'B' && v >> 4 > 9)
            return tp_fail(e, TP_ERR_FORMAT, "its block waiting time (BWI) of %u is not allowed",
                           v >> 4);
        else if (kind == 'B')
            a->bwi = v >> 4, a->cwi = v & 0x0F;
        else
            a->crc = (v & 1) != 0;
    } else if (r->protocol == T15 && !r->seen_t15 && kind == 'A') {
        a->clock_stop = v >> 6;
        a->classes = v & 0x07;
    }
    return TP_OK;
}

static enum tp_err interface_byte(struct atr *a, struct reading *r, char kind, struct span *in,
                                  struct tp_error *e)
{
    uint8_t v;

    if (span_u8(in, &v) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT, "it is cut short at T%c%u", kind, r->group);
    if (r->group == 1)
        global(a, kind, v);
    else if (r->group == 2)
        return second(a, kind, v, e);
    else
        return specific(a, r, kind, v, e);
    return TP_OK;
}

/* One group: the bytes whose presence *y tells, and the TD that tells of the next; *y is 0 after
 * the last. */
static enum tp_err group(struct atr *a, struct reading *r, uint8_t *y, struct span *in,
                         struct tp_error *e)
{
    enum tp_err rc = TP_OK;
    uint8_t td;

    for (unsigned i = 0; rc == TP_OK && i < 3; i++)
        if ((*y >> i & 1) != 0)
            rc = interface_byte(a, r, "ABC"[i], in, e);
    if (rc != TP_OK)
        return rc;
    if (r->group > 2) {
        r->seen_t1 = r->seen_t1 || r->protocol == 1;
        r->seen_t15 = r->seen_t15 || r->protocol == T15;
    }
    if ((*y & 8) == 0) {
        *y = 0;
        return TP_OK;
    }
    if (span_u8(in, &td) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT, "it is cut short at TD%u", r->group);
    *y = td >> 4;
    r->protocol = td & 0x0F;
    if (r->group == 1)
        a->first = r->protocol;
    a->protocols |= (uint16_t)(1U << r->protocol);
    r->group++;
    return TP_OK;
}

/* TCK is there unless T=0 alone is offered (T=15 counts); the XOR from T0 on is then 0: 8.2.5.
 * Bytes behind the end that the answer itself names are not its own: bank cards are about that send
 * one (a check byte that T=0 does not have, an idle line read as a character). Its end is told by
 * T0 and the TDs (8.2), and what follows is left. */
static enum tp_err check(const struct atr *a, struct span raw, struct span *in, struct tp_error *e)
{
    uint8_t tck, sum = 0;

    if (a->protocols != 1) {
        if (span_u8(in, &tck) != TP_OK)
            return tp_fail(e, TP_ERR_FORMAT, "its check byte (TCK) is missing");
        for (size_t i = 1; i < raw.n - in->n; i++)
            sum ^= raw.p[i];
        if (sum != 0)
            return tp_fail(e, TP_ERR_FORMAT, "its check byte (TCK) is wrong");
    }
    return TP_OK;
}

enum tp_err atr_parse(struct atr *a, struct span raw, struct tp_error *e)
{
    struct reading r = {.group = 1};
    struct span in = raw;
    uint8_t ts, t0, y;
    enum tp_err rc;

    *a = (struct atr){.ta1 = 0x11, .wi = 10, .ifsc = 32, .bwi = 4, .cwi = 13};
    if (raw.n > ATR_MAX)
        return tp_fail(e, TP_ERR_FORMAT, "it has %zu bytes, more than the %d there may be", raw.n,
                       ATR_MAX);
    if (span_u8(&in, &ts) != TP_OK || span_u8(&in, &t0) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT, "it is cut short");
    if (ts != TS_DIRECT && ts != TS_INVERSE)
        return tp_fail(e, TP_ERR_FORMAT, "it begins with %02X, neither 3B nor 3F", ts);
    a->inverse = ts == TS_INVERSE;
    y = t0 >> 4;
    do { /* every turn but the last takes a TD */
        rc = group(a, &r, &y, &in, e);
    } while (rc == TP_OK && y != 0);
    if (rc != TP_OK)
        return rc;
    if (a->protocols == 0)
        a->protocols = 1; /* no TD1: T=0 */
    if (span_take(&in, t0 & 0x0F, &a->historical) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT, "it is cut short in its %u historical bytes", t0 & 0x0F);
    rc = check(a, raw, &in, e);
    a->protocols &= (uint16_t) ~(1U << T15);
    if (a->protocols == 0) /* TD1 = T=15 only is not allowed in TD1; taken as T=0 */
        a->protocols = 1;
    if (a->first == T15)
        a->first = 0;
    a->f = atr_f(a->ta1);
    a->d = atr_d(a->ta1);
    return rc;
}

static uint32_t milliseconds(uint64_t cycles, uint32_t khz)
{
    const uint64_t clock = khz < 1000 ? 4000 : khz;

    return (uint32_t)((cycles + clock - 1) / clock);
}

uint32_t atr_bwt_ms(const struct atr *a, uint32_t khz)
{
    const uint64_t f = a->f == 0 ? 372 : a->f, d = a->d == 0 ? 1 : a->d;

    return milliseconds(11 * f / d + ((uint64_t)960 * 372 << (a->bwi > 9 ? 9 : a->bwi)), khz);
}

uint32_t atr_wt_ms(const struct atr *a, uint32_t khz)
{
    return milliseconds((uint64_t)960 * a->wi * (a->f == 0 ? 372 : a->f), khz);
}
