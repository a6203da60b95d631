#include "t1_card.h"

#include <string.h>

void t1_card_start(struct t1_card *c, const struct inproc_card *app, uint8_t ifsc, bool crc)
{
    memset(c, 0, offsetof(struct t1_card, command));
    c->app = app;
    c->ifsc = ifsc;
    c->ifsd = 32;
    c->crc = crc;
}

static size_t edc(const struct t1_card *c, const uint8_t *p, size_t n, uint8_t out[2])
{
    unsigned crc = 0xFFFF;
    uint8_t x = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned v =
            (p[i] ^ crc) & 0xFF; /* byte by byte, as ISO/IEC 14443-3, Annex B, has it in C */

        x ^= p[i];
        v ^= v << 4 & 0xFF;
        crc = crc >> 8 ^ v << 8 ^ v << 3 ^ v >> 4;
    }
    out[0] = c->crc ? (uint8_t)~crc : x;
    out[1] = (uint8_t)(~crc >> 8);
    return c->crc ? 2 : 1;
}

static enum tp_err say(struct t1_card *c, struct buf *out, unsigned pcb, const uint8_t *inf,
                       size_t n, bool remember)
{
    uint8_t b[260] = {0, (uint8_t)pcb, (uint8_t)n};

    memcpy(b + 3, inf, n);
    n += 3;
    n += edc(c, b, n, b + n);
    if (remember) {
        memcpy(c->last, b, n);
        c->last_n = n;
    }
    return buf_put(out, span_of(b, n));
}

static enum tp_err say_r(struct t1_card *c, struct buf *out, unsigned error, bool remember)
{
    return say(c, out, 0x80U | (c->nr ? 0x10U : 0) | error, c->last, 0, remember);
}

static enum tp_err say_i(struct t1_card *c, struct buf *out)
{
    const size_t left = c->answer_n - c->answer_at;

    c->piece = left < c->ifsd ? left : c->ifsd;
    return say(c, out, (c->ns ? 0x40U : 0) | (c->piece < left ? 0x20U : 0),
               c->answer + c->answer_at, c->piece, true);
}

static enum tp_err think(struct t1_card *c, struct buf *out)
{
    static const uint8_t twice = 2;
    struct buf answer = {c->answer, 0, sizeof(c->answer)};
    enum tp_err rc;

    if (c->waits > 0) {
        c->waits--;
        c->state = T1_CARD_WAITS;
        return say(c, out, 0xC3, &twice, 1, true);
    }
    rc = c->app->transmit(c->app->ctx, span_of(c->command, c->command_n), &answer);
    if (rc != TP_OK)
        return rc;
    c->command_n = 0;
    c->answer_n = answer.n;
    c->answer_at = 0;
    c->state = T1_CARD_ANSWERS;
    return say_i(c, out);
}

static enum tp_err take_i(struct t1_card *c, const uint8_t *b, struct buf *out)
{
    if ((b[1] & 0x1F) != 0 || (b[1] >> 6 & 1) != c->nr || c->state == T1_CARD_WAITS ||
        c->command_n + b[2] > sizeof(c->command) || b[2] > c->ifsc)
        return say_r(c, out, 2, false);
    if (c->state == T1_CARD_ANSWERS) { /* the reader goes on: it has our last block */
        if (c->answer_at + c->piece < c->answer_n)
            return say_r(c, out, 2, false);
        c->ns ^= 1;
        c->state = T1_CARD_LISTENS;
    }
    memcpy(c->command + c->command_n, b + 3, b[2]);
    c->command_n += b[2];
    c->nr ^= 1;
    if ((b[1] & 0x20) != 0)
        return say_r(c, out, 0, true);
    c->waits = c->wtx;
    return think(c, out);
}

static enum tp_err take_r(struct t1_card *c, const uint8_t *b, struct buf *out)
{
    const unsigned wanted = b[1] >> 4 & 1;

    if ((b[1] & 0x2C) != 0 || b[2] != 0)
        return say_r(c, out, 2, false);
    if (c->state == T1_CARD_ANSWERS && wanted != c->ns && c->answer_at + c->piece < c->answer_n) {
        c->answer_at += c->piece;
        c->ns ^= 1;
        return say_i(c, out);
    }
    if (c->last_n > 0 && (c->state != T1_CARD_ANSWERS || wanted == c->ns))
        return buf_put(out, span_of(c->last, c->last_n));
    return say_r(c, out, 2, false);
}

static enum tp_err take_s(struct t1_card *c, const uint8_t *b, struct buf *out)
{
    switch (b[1]) {
    case 0xC0: /* RESYNCH */
        c->ns = c->nr = 0;
        c->ifsd = 32;
        c->state = T1_CARD_LISTENS;
        c->command_n = 0;
        return say(c, out, 0xE0, b, 0, true);
    case 0xC1: /* IFS */
        c->ifsd = b[3];
        return say(c, out, 0xE1, b + 3, 1, true);
    case 0xE3: /* WTX granted */
        if (c->state == T1_CARD_WAITS && b[3] == 2)
            return think(c, out);
        return say_r(c, out, 2, false);
    default:
        return say_r(c, out, 2, false);
    }
}

enum tp_err t1_card_take(struct t1_card *c, struct span block, struct buf *out)
{
    const size_t n = c->crc ? 2 : 1;
    uint8_t sum[2];

    if (block.n < 3 + n || block.n != 3U + block.p[2] + n || block.p[0] != 0)
        return say_r(c, out, 2, false);
    edc(c, block.p, block.n - n, sum);
    if (memcmp(sum, block.p + block.n - n, n) != 0)
        return c->state == T1_CARD_WAITS
                   ? buf_put(out, span_of(c->last, c->last_n))
                   : say_r(c, out, 1, false); /* rule 7.3: asks again for time */
    if ((block.p[1] & 0x80) == 0)
        return take_i(c, block.p, out);
    return (block.p[1] & 0x40) == 0 ? take_r(c, block.p, out) : take_s(c, block.p, out);
}
