#include "ccid_double.h"

#include <string.h>

#include "base/hex.h"

enum { DONE = 0x00, FAILED = 0x40, EXTENSION = 0x80 };
enum {
    ERROR_MUTE = 0xFE,
    ERROR_PIN_TIMEOUT = 0xF0,
    ERROR_PIN_CANCELLED = 0xEF,
    ERROR_SLOT = 5,
    ERROR_POWER = 7,
    ERROR_UNKNOWN = 0
};

void double_defaults(struct double_config *c, enum double_level level)
{
    *c = (struct double_config){
        .level = level,
        .features = 0x30, /* automatic clock and baud rate */
        .voltages = 1,
        .protocols = 3,
        .max_message = 271,
        .max_ifsd = 254,
        .rate_max = 344086,
        .slots = 1,
        .card_voltages = 7,
        .ifsc = 254,
        .vendor = 0x1209,
        .product = 0xCC1D,
    };
}

void double_start(struct ccid_double *d, const struct double_config *c,
                  const struct inproc_card *app)
{
    memset(d, 0, sizeof(*d));
    d->c = *c;
    d->app = *app;
    d->inserted = true;
    d->typed = "1234";
}

static void le32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

void double_descriptor(const struct double_config *c, uint8_t raw[54])
{
    static const uint32_t level[] = {0, 0x10000, 0x20000, 0x40000};

    memset(raw, 0, 54);
    raw[0] = 54;
    raw[1] = 0x21;
    raw[2] = 0x10;
    raw[3] = 0x01;
    raw[4] = (uint8_t)(c->slots - 1);
    raw[5] = c->voltages;
    raw[6] = c->protocols;
    le32(raw + 10, 4000);
    le32(raw + 14, 4000);
    le32(raw + 19, 10752);
    le32(raw + 23, c->rate_max);
    le32(raw + 28, c->max_ifsd);
    le32(raw + 40, c->features | level[c->level]);
    le32(raw + 44, c->max_message);
    raw[48] = raw[49] = 0xFF;
    raw[50] = c->display ? 16 : 0;
    raw[51] = c->display ? 2 : 0;
    raw[52] = c->keypad ? 1 : 0;
    raw[53] = 1;
}

/* ---- messages ---- */

static void queue(struct ccid_double *d, const uint8_t *p, size_t n)
{
    if (d->queued == DOUBLE_QUEUE)
        return;
    if (n > 0)
        memcpy(d->queue[d->queued].p, p, n);
    d->queue[d->queued++].n = n;
}

static uint8_t icc(const struct ccid_double *d, uint8_t slot)
{
    return slot != d->c.slots - 1 || !d->inserted ? 2 : d->powered ? 0 : 1;
}

static void reply(struct ccid_double *d, uint8_t type, const uint8_t *m, uint8_t status,
                  uint8_t error, uint8_t last, const uint8_t *data, size_t n)
{
    static uint8_t out[DOUBLE_MESSAGE];

    out[0] = type;
    le32(out + 1, (uint32_t)n);
    out[5] = m[5];
    out[6] = m[6];
    out[7] = status | icc(d, m[5]);
    out[8] = error;
    out[9] = last;
    if (n > 0)
        memcpy(out + 10, data, n);
    queue(d, out, 10 + n);
}

static void fail(struct ccid_double *d, uint8_t type, const uint8_t *m, uint8_t error)
{
    reply(d, type, m, FAILED, error, 0, NULL, 0);
}

/* ---- the card ---- */

static void power_on(struct ccid_double *d, const uint8_t *m)
{
    uint8_t raw[64];
    struct buf atr = BUF_OF(raw);
    const bool automatic = (d->c.features & 8) != 0;

    d->power_ons++;
    if (automatic ? m[7] != 0 : m[7] == 0 || (d->c.voltages >> (m[7] - 1) & 1) == 0) {
        fail(d, 0x80, m, ERROR_POWER);
        return;
    }
    d->power_select = m[7];
    d->powered = d->spoken = false;
    if (!d->inserted || (!automatic && (d->c.card_voltages >> (m[7] - 1) & 1) == 0) ||
        d->app.power_on(d->app.ctx, &atr) != TP_OK) {
        fail(d, 0x80, m, d->c.power_error != 0 ? d->c.power_error : ERROR_MUTE);
        return;
    }
    if (d->c.atr != NULL) {
        atr.n = 0;
        (void)!hex_decode(&atr, d->c.atr);
    }
    d->powered = true;
    d->command_n = d->answer_n = d->answer_at = d->waiting_n = d->pps_n = 0;
    t1_card_start(&d->t1, &d->app, d->c.ifsc, false);
    d->t1.wtx = d->c.wtx;
    if ((d->c.features & 0x400) != 0)
        d->t1.ifsd = 254;
    reply(d, 0x80, m, DONE, 0, 0, atr.p, atr.n);
}

/* ISO/IEC 7816-3, 9: only before anything else, and the check byte must be right. */
static bool take_pps(struct ccid_double *d, const uint8_t *m, const uint8_t *p, size_t n)
{
    uint8_t sum = 0;

    if (d->spoken || n < 3 || n > 4 || p[0] != 0xFF)
        return false;
    for (size_t i = 0; i < n; i++)
        sum ^= p[i];
    memcpy(d->pps, p, n);
    d->pps_n = n;
    if (sum != 0 || d->c.refuses_pps)
        fail(d, 0x80, m, ERROR_MUTE);
    else
        reply(d, 0x80, m, DONE, 0, 0, p, n);
    return true;
}

/* T=0 as a card behind a reader has it: case 4 leaves its answer for GET RESPONSE, a wrong Le is
 * told by 6Cxx. */
static enum tp_err t0(struct ccid_double *d, const uint8_t *p, size_t n, struct buf *out)
{
    uint8_t apdu[300], raw[300];
    struct buf answer = BUF_OF(raw);
    const uint8_t ins = p[1];
    const bool case3 = ins == 0x20 || ins == 0x82 || ins == 0x24,
               case1 = ins == 0x1E || ins == 0x18 || ins == 0x16;
    const size_t le = p[4] == 0 ? 256 : p[4];
    enum tp_err rc;

    if (n < 5)
        return TP_ERR_CARD;
    if (ins == 0xC0) {
        if (d->waiting_n == 0)
            return hex_decode(out, "6985");
        rc = le != d->waiting_n ? TP_OK : buf_put(out, span_of(d->waiting, d->waiting_n));
        if (le != d->waiting_n)
            return rc == TP_OK ? buf_be16(out, (uint16_t)(0x6C00 | (d->waiting_n & 0xFF))) : rc;
        d->waiting_n = 0;
        return rc == TP_OK ? hex_decode(out, "9000") : rc;
    }
    d->waiting_n = 0;
    memcpy(apdu, p, n);
    if (n > 5 && !case3)
        apdu[n++] = 0;
    rc = d->app.transmit(d->app.ctx, span_of(apdu, case1 ? 4 : n), &answer);
    if (rc != TP_OK || answer.n == 2)
        return rc == TP_OK ? buf_put(out, buf_span(&answer)) : rc;
    if (n == 5 && answer.n - 2 != le)
        return buf_be16(out, (uint16_t)(0x6C00 | ((answer.n - 2) & 0xFF)));
    if (n == 5)
        return buf_put(out, buf_span(&answer));
    d->waiting_n = answer.n - 2;
    memcpy(d->waiting, raw, d->waiting_n);
    return buf_be16(out, (uint16_t)(0x6100 | (d->waiting_n & 0xFF)));
}

static enum tp_err run(struct ccid_double *d, const uint8_t *p, size_t n, struct buf *out)
{
    d->spoken = true;
    if (d->c.level != DOUBLE_TPDU)
        return d->app.transmit(d->app.ctx, span_of(p, n), out);
    return d->c.t0 ? t0(d, p, n, out) : t1_card_take(&d->t1, span_of(p, n), out);
}

/* The next piece of the answer, as the room of a message allows: 6.2.1. */
static void give_piece(struct ccid_double *d, const uint8_t *m)
{
    const size_t room = d->c.max_message - 10, left = d->answer_n - d->answer_at,
                 n = left < room ? left : room;
    const bool first = d->answer_at == 0, last = n == left;

    reply(d, 0x80, m, DONE, 0, first ? (last ? 0 : 1) : (last ? 2 : 3), d->answer + d->answer_at,
          n);
    d->answer_at += n;
}

static void execute(struct ccid_double *d, const uint8_t *m, const uint8_t *p, size_t n)
{
    struct buf out = {d->answer, 0, sizeof(d->answer)};

    if (run(d, p, n, &out) != TP_OK) {
        fail(d, 0x80, m, ERROR_MUTE);
        return;
    }
    d->answer_n = out.n;
    d->answer_at = 0;
    if (d->c.level == DOUBLE_EXTENDED)
        give_piece(d, m);
    else
        reply(d, 0x80, m, DONE, 0, 0, out.p, out.n);
}

/* 6.1.4: wLevelParameter at extended APDU level. */
static void extended(struct ccid_double *d, const uint8_t *m, const uint8_t *p, size_t n)
{
    const unsigned level = m[8];

    if (level == 0x10) {
        give_piece(d, m);
        return;
    }
    if (level == 0 || level == 1)
        d->command_n = 0;
    memcpy(d->command + d->command_n, p, n);
    d->command_n += n;
    if (level == 1 || level == 3)
        reply(d, 0x80, m, DONE, 0, 0x10, NULL, 0);
    else
        execute(d, m, d->command, d->command_n);
}

static void transfer(struct ccid_double *d, const uint8_t *m, const uint8_t *p, size_t n)
{
    if (icc(d, m[5]) != 0)
        fail(d, 0x80, m, ERROR_MUTE);
    else if (d->c.level == DOUBLE_EXTENDED)
        extended(d, m, p, n);
    else if (d->c.level != DOUBLE_TPDU || !take_pps(d, m, p, n))
        execute(d, m, p, n);
}

/* An entry that ends without a PIN for the card. Those that CCID has no bError for are told as
 * PC/SC part 10 has them, which some readers do. */
static bool without_pin(struct ccid_double *d, const uint8_t *m, const char *typed, size_t n,
                        size_t min, size_t max)
{
    if (strncmp(typed, "cancel", n) == 0)
        fail(d, 0x80, m, ERROR_PIN_CANCELLED);
    else if (strncmp(typed, "nothing", n) == 0)
        fail(d, 0x80, m, ERROR_PIN_TIMEOUT);
    else if (strncmp(typed, "refuse", n) == 0)
        fail(d, 0x80, m, ERROR_UNKNOWN);
    else if (strncmp(typed, "mismatch", n) == 0)
        reply(d, 0x80, m, DONE, 0, 0, (const uint8_t *)"\x64\x02", 2);
    else if (n < min || n > max)
        reply(d, 0x80, m, DONE, 0, 0, (const uint8_t *)"\x64\x03", 2);
    else
        return false;
    return true;
}

/* 6.1.11: the digits typed go into the block as the structure says; only the form that EMV needs is
 * known. */
static void secure(struct ccid_double *d, const uint8_t *m, const uint8_t *p, size_t n)
{
    uint8_t apdu[32], block[40];
    const char *typed = d->typed;
    const size_t digits = strcspn(typed, ",");
    uint8_t lrc = 0;

    memcpy(d->secure, p, n < sizeof(d->secure) ? n : sizeof(d->secure));
    d->secure_n = n;
    if (icc(d, m[5]) != 0 || !d->c.keypad || n != 28 || p[0] != 0 || p[2] != 0x89 || p[3] != 0x47 ||
        p[4] != 0x04) {
        fail(d, 0x80, m, d->c.keypad ? 10 : ERROR_UNKNOWN);
        return;
    }
    if (typed[digits] == ',')
        d->typed += digits + 1;
    if (without_pin(d, m, typed, digits, p[6], p[5]))
        return;
    memcpy(apdu, p + 15, 13);
    apdu[5] = (uint8_t)(0x20 | digits);
    for (size_t i = 0; i < digits; i++) {
        uint8_t *at = &apdu[6 + i / 2];

        *at =
            (uint8_t)(i % 2 == 0 ? (typed[i] - '0') << 4 | 0x0F : (*at & 0xF0) | (typed[i] - '0'));
    }
    if (d->c.level != DOUBLE_TPDU || d->c.t0) {
        execute(d, m, apdu, 13);
        return;
    }
    memcpy(block, p + 12, 3);
    memcpy(block + 3, apdu, 13);
    for (unsigned i = 0; i < 16; i++)
        lrc ^= block[i];
    block[16] = lrc;
    execute(d, m, block, 17);
}

/* ---- what goes wrong ---- */

static void wreck(struct ccid_double *d, const uint8_t *m)
{
    uint8_t *head;

    if (d->queued == 0)
        return;
    head = d->queue[d->queued - 1].p;
    switch (d->fault) {
    case DOUBLE_STALL_IN:
        d->queued--;
        d->stall_in = true;
        break;
    case DOUBLE_SHORT_IN:
        d->queue[d->queued - 1].n--;
        break;
    case DOUBLE_STRAY_SEQ:
        queue(d, head, d->queue[d->queued - 1].n);
        head[6]--;
        break;
    case DOUBLE_WRONG_SEQ:
        head[6] = (uint8_t)(head[6] + 7);
        break;
    case DOUBLE_WRONG_TYPE:
        head[0] = 0x83;
        break;
    case DOUBLE_SILENT:
        d->queued--;
        break;
    case DOUBLE_UNPLUGGED:
        d->queued--;
        d->unplugged = true;
        break;
    case DOUBLE_ERROR:
        d->queued--;
        fail(d, 0x80, m, d->error);
        break;
    default:
        break;
    }
}

static void ask_for_time(struct ccid_double *d, const uint8_t *m)
{
    reply(d, 0x80, m, EXTENSION, 1, 0, NULL, 0);
}

/* True: the command is not carried out. */
static bool before(struct ccid_double *d, const uint8_t *m)
{
    switch (d->fault) {
    case DOUBLE_CARD_OUT:
        double_insert(d, false);
        fail(d, 0x80, m, ERROR_MUTE);
        return true;
    case DOUBLE_TIME:
        for (unsigned i = 0; i < 3; i++)
            ask_for_time(d, m);
        return false;
    case DOUBLE_FOR_EVER:
        ask_for_time(d, m);
        return true;
    default:
        return false;
    }
}

static void to_card(struct ccid_double *d, const uint8_t *m, const uint8_t *p, size_t n)
{
    const bool now = d->fault != DOUBLE_WELL && ++d->commands >= d->fault_at &&
                     d->commands < d->fault_at + (d->fault_times == 0 ? 1 : d->fault_times);

    if (now && before(d, m))
        return;
    if (m[0] == 0x69)
        secure(d, m, p, n);
    else
        transfer(d, m, p, n);
    if (now)
        wreck(d, m);
}

bool double_take(struct ccid_double *d, struct span message)
{
    const uint8_t *m = message.p, *p = m + 10;
    size_t n;

    if (message.n < 10)
        return false;
    n = (size_t)m[1] | (size_t)m[2] << 8 | (size_t)m[3] << 16 | (size_t)m[4] << 24;
    d->messages++;
    d->bytes_out += message.n;
    if (n != message.n - 10 || message.n > d->c.max_message)
        return false;
    if (d->fault == DOUBLE_STALL_OUT && m[0] == 0x6F && ++d->commands == d->fault_at)
        return false;
    if (m[5] >= d->c.slots) {
        fail(d, m[0] == 0x6F || m[0] == 0x62 ? 0x80 : 0x81, m, ERROR_SLOT);
        return true;
    }
    switch (m[0]) {
    case 0x62:
        power_on(d, m);
        break;
    case 0x63:
        d->power_offs++;
        d->powered = false;
        d->app.power_off(d->app.ctx);
        reply(d, 0x81, m, DONE, 0, 0, NULL, 0);
        break;
    case 0x65:
        reply(d, 0x81, m, DONE, 0, 0, NULL, 0);
        break;
    case 0x61:
        memcpy(d->parameters, p, n < 7 ? n : 7);
        d->parameters_n = n;
        reply(d, 0x82, m, DONE, 0, m[7], p, n);
        break;
    case 0x6C:
        reply(d, 0x82, m, DONE, 0, d->c.t0 ? 0 : 1, (const uint8_t *)"\x11\x10\x00\x4D\x00\xFE\x00",
              d->c.t0 ? 5 : 7);
        break;
    case 0x69:
    case 0x6F:
        to_card(d, m, p, n);
        break;
    case 0x72:
        d->aborts++;
        reply(d, 0x81, m, DONE, 0, 0, NULL, 0);
        break;
    default:
        fail(d, 0x81, m, ERROR_UNKNOWN);
    }
    return true;
}

bool double_give(struct ccid_double *d, struct buf *out, bool *stalls)
{
    size_t n;

    *stalls = d->stall_in;
    d->stall_in = false;
    if (*stalls || d->queued == 0)
        return false;
    if (d->fault == DOUBLE_FOR_EVER && d->queued == 1 && d->queue[0].p[7] >> 6 == 2)
        ask_for_time(d, d->queue[0].p); /* the header of a reply has slot and number where that of
                                           the command has them */
    n = d->queue[0].n < out->cap - out->n ? d->queue[0].n : out->cap - out->n;
    memcpy(out->p + out->n, d->queue[0].p, n);
    out->n += n;
    d->bytes_in += n;
    d->messages += n > 0;
    memmove(&d->queue[0], &d->queue[1], --d->queued * sizeof(d->queue[0]));
    if (d->fault == DOUBLE_WHOLE_PACKETS && n > 0)
        queue(d, NULL, 0);
    return true;
}

void double_insert(struct ccid_double *d, bool in)
{
    const unsigned slot = d->c.slots - 1U;

    d->inserted = in;
    d->powered = false;
    memset(d->notice, 0, sizeof(d->notice)); /* 6.3.1: two bits a slot */
    d->notice[0] = 0x50;
    d->notice[1 + slot / 4] = (uint8_t)((2U | (in ? 1U : 0)) << slot % 4 * 2);
    d->noticed = true;
}
