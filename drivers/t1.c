#include "drivers/t1.h"

#include <string.h>

#include "base/secret.h"

/* The protocol control byte, 11.3.2.2. */
enum { PCB_R = 0x80, PCB_S = 0xC0, I_NS = 0x40, I_MORE = 0x20, R_NR = 0x10, S_RESPONSE = 0x20 };

enum { R_DONE = 0, R_EDC = 1, R_OTHER = 2 };
enum { S_RESYNCH = 0, S_IFS = 1, S_ABORT = 2, S_WTX = 3 };

enum kind { KIND_I, KIND_R, KIND_S, KIND_BAD_EDC, KIND_BAD };

struct block { /* a block of the card, taken apart */
    enum kind kind;
    uint8_t number; /* N(S) of an I-block, N(R) of an R-block */
    bool more;      /* an I-block that is not the last of its chain */
    uint8_t s;      /* S_RESYNCH … */
    bool response;
    struct span inf;
};

struct bytes {
    uint8_t p[T1_BLOCK_MAX];
    size_t n;
};

struct run { /* one command */
    struct t1 *t;
    struct span rest; /* of the command, after the block in flight */
    struct buf *response;
    bool more;     /* the block in flight is not the last of its chain */
    bool answered; /* the card has begun its answer */
    bool aborted;  /* the card broke off; its right to go on is still to be heard */
    bool done;
    struct bytes block; /* to be sent next */
    struct bytes
        last; /* the one a request for repetition means: the last that is no such request itself */
    uint8_t wtx; /* of the block to be sent next */
    unsigned errors, all_errors, waits, idle;
    struct tp_error *e;
};

/* ISO/IEC 13239: x^16 + x^12 + x^5 + 1, low bits first, begins and ends inverted. */
static uint16_t crc16(struct span s)
{
    uint16_t crc = 0xFFFF;

    for (size_t i = 0; i < s.n; i++) {
        crc ^= s.p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)((crc & 1) != 0 ? crc >> 1 ^ 0x8408 : crc >> 1);
    }
    return (uint16_t)~crc;
}

size_t t1_edc(uint8_t out[2], struct span block, bool crc)
{
    uint16_t sum;

    if (crc) {
        sum = crc16(block);
        out[0] = (uint8_t)sum;
        out[1] = (uint8_t)(sum >> 8);
        return 2;
    }
    out[0] = out[1] = 0;
    for (size_t i = 0; i < block.n; i++)
        out[0] ^= block.p[i];
    return 1;
}

/* ---- blocks ---- */

static void make(const struct t1 *t, struct bytes *out, uint8_t pcb, struct span inf)
{
    out->p[0] = 0x00; /* NAD: EMV 4.3 Book 1, 9.2.4.1.1 */
    out->p[1] = pcb;
    out->p[2] = (uint8_t)inf.n;
    if (inf.n > 0)
        memcpy(out->p + 3, inf.p, inf.n);
    out->n = 3 + inf.n;
    out->n += t1_edc(out->p + out->n, span_of(out->p, out->n), t->crc);
}

static struct block control(uint8_t pcb, struct span inf)
{
    struct block b = {.kind = KIND_BAD, .inf = inf};

    if ((pcb & 0x80) == 0) {
        b.kind = (pcb & 0x1F) == 0 ? KIND_I : KIND_BAD;
        b.number = (pcb & I_NS) != 0;
        b.more = (pcb & I_MORE) != 0;
    } else if ((pcb & 0xC0) == PCB_R) {
        b.kind = (pcb & 0x2C) == 0 && (pcb & 3) != 3 && inf.n == 0 ? KIND_R : KIND_BAD;
        b.number = (pcb & R_NR) != 0;
    } else {
        b.s = pcb & 0x1F;
        b.response = (pcb & S_RESPONSE) != 0;
        b.kind =
            b.s <= S_WTX && inf.n == (b.s == S_IFS || b.s == S_WTX ? 1 : 0) ? KIND_S : KIND_BAD;
    }
    return b;
}

static struct block take(const struct t1 *t, struct span raw)
{
    const size_t edc_n = t->crc ? 2 : 1;
    uint8_t edc[2];

    if (raw.n < 3 + edc_n || raw.n != 3U + raw.p[2] + edc_n)
        return (struct block){.kind = KIND_BAD};
    (void)t1_edc(edc, span_of(raw.p, raw.n - edc_n), t->crc);
    if (memcmp(edc, raw.p + raw.n - edc_n, edc_n) != 0)
        return (struct block){.kind = KIND_BAD_EDC};
    if (raw.p[0] != 0x00 || raw.p[2] > t->ifsd)
        return (struct block){.kind = KIND_BAD};
    return control(raw.p[1], span_of(raw.p + 3, raw.p[2]));
}

static enum tp_err carry(struct t1 *t, uint8_t wtx, const struct bytes *out, struct bytes *in,
                         struct tp_error *e)
{
    struct buf answer = BUF_OF(in->p);
    const enum tp_err rc =
        t->link->exchange(t->link->ctx, wtx, span_of(out->p, out->n), &answer, e);

    t->blocks++;
    in->n = answer.n;
    return rc;
}

/* ---- one command ---- */

/* A block that means something: a request for repetition means this one. */
static void send(struct run *r, uint8_t pcb, struct span inf)
{
    make(r->t, &r->block, pcb, inf);
    r->last = r->block;
}

static void send_next(struct run *r)
{
    const size_t n = r->rest.n < r->t->ifsc ? r->rest.n : r->t->ifsc;

    r->more = n < r->rest.n;
    send(r, (uint8_t)((r->t->ns != 0 ? I_NS : 0) | (r->more ? I_MORE : 0)), span_of(r->rest.p, n));
    if (n > 0)
        r->rest.p += n;
    r->rest.n -= n;
}

/* Asks for what should have come: rules 7.1 and 7.2. */
static void send_again_please(struct run *r, uint8_t why)
{
    make(r->t, &r->block, (uint8_t)(PCB_R | (r->t->nr != 0 ? R_NR : 0) | why), span_of(NULL, 0));
}

/* Both sides begin anew: rule 6. The command is not sent again: the card may have carried it out,
 * and only its caller knows whether twice is harmless. */
static enum tp_err resynch(struct run *r)
{
    struct t1 *t = r->t;
    struct bytes out, in;

    make(t, &out, PCB_S | S_RESYNCH, span_of(NULL, 0));
    for (unsigned i = 0; i < T1_ATTEMPTS; i++) {
        const enum tp_err rc = carry(t, 0, &out, &in, r->e);
        struct block b;

        if (rc != TP_OK)
            return rc;
        b = take(t, span_of(in.p, in.n));
        if (b.kind != KIND_S || b.s != S_RESYNCH || !b.response)
            continue;
        t->ns = t->nr = 0;
        t->ifsc = t->ifsc_start;
        t->ifsd = T1_IFS_DEFAULT;
        return tp_fail(r->e, TP_ERR_CARD,
                       "data between reader and card was lost: take the card out, clean the "
                       "contacts and start again");
    }
    return tp_fail(
        r->e, TP_ERR_CARD,
        "the card stopped answering rightly: take it out, clean the contacts and start again");
}

static enum tp_err error(struct run *r)
{
    r->t->errors++;
    if (++r->errors >= T1_ATTEMPTS || ++r->all_errors > T1_ERRORS_MAX)
        return resynch(r);
    return TP_OK;
}

static enum tp_err invalid(struct run *r, uint8_t why)
{
    send_again_please(r, why);
    return error(r);
}

static enum tp_err repeat(struct run *r)
{
    if (r->last.n == 0) /* made by the reader, with a PIN that we do not have */
        return tp_fail(r->e, TP_ERR_CARD, "the PIN did not reach the card rightly: start again");
    r->block = r->last;
    return error(r);
}

static enum tp_err idle(struct run *r)
{
    if (++r->idle > T1_IDLE_MAX)
        return tp_fail(r->e, TP_ERR_CARD, "the card keeps sending and says nothing");
    return TP_OK;
}

static enum tp_err on_i(struct run *r, const struct block *b)
{
    struct t1 *t = r->t;
    enum tp_err rc = TP_OK;

    if (r->more ||
        b->number != t->nr) /* an answer before the command is whole, or one we know already */
        return invalid(r, R_OTHER);
    r->errors = 0;
    if (!r->answered)
        t->ns ^= 1;
    r->answered = true;
    t->nr ^= 1;
    if (buf_put(r->response, b->inf) != TP_OK)
        return tp_fail(r->e, TP_ERR_CARD, "the card's answer is longer than it may be");
    if (b->inf.n == 0)
        rc = idle(r);
    r->done = !b->more;
    if (b->more)
        send(r, (uint8_t)(PCB_R | (t->nr != 0 ? R_NR : 0) | R_DONE), span_of(NULL, 0));
    return rc;
}

static enum tp_err on_r(struct run *r, const struct block *b)
{
    if (r->aborted) { /* rule 9: it has heard that we heard */
        r->t->ns = b->number;
        return tp_fail(r->e, TP_ERR_CARD, "the card broke the command off");
    }
    if (r->answered || b->number == r->t->ns)
        return repeat(r);
    if (!r->more) /* acknowledges what needs none: it did not get our request */
        return invalid(r, R_OTHER);
    r->errors = 0;
    r->t->ns ^= 1;
    send_next(r);
    return TP_OK;
}

static enum tp_err on_s(struct run *r, const struct block *b)
{
    if (b->response || b->s == S_RESYNCH) /* the card may not ask for it: 11.6.2.3 */
        return invalid(r, R_OTHER);
    if (b->s == S_WTX && ++r->waits > T1_WTX_MAX)
        return tp_fail(r->e, TP_ERR_CARD, "the card asks for more time for ever");
    if (b->s == S_IFS && (b->inf.p[0] == 0 || b->inf.p[0] > T1_IFS_MAX))
        return invalid(r, R_OTHER);
    r->errors = 0;
    if (b->s == S_WTX)
        r->wtx = b->inf.p[0];
    if (b->s == S_IFS)
        r->t->ifsc = b->inf.p[0];
    r->aborted = b->s == S_ABORT;
    send(r, (uint8_t)(PCB_S | S_RESPONSE | b->s), b->inf);
    return b->s == S_WTX ? TP_OK : idle(r);
}

static enum tp_err on_block(struct run *r, const struct block *b)
{
    switch (b->kind) {
    case KIND_I:
        return on_i(r, b);
    case KIND_R:
        return on_r(r, b);
    case KIND_S:
        return on_s(r, b);
    case KIND_BAD_EDC:
        return invalid(r, R_EDC);
    default:
        return invalid(r, R_OTHER);
    }
}

static enum tp_err first(struct run *r, size_t n, struct bytes *in)
{
    const uint8_t prologue[3] = {0x00, r->t->ns != 0 ? I_NS : 0, (uint8_t)n};
    struct buf answer = BUF_OF(in->p);
    const enum tp_err rc = r->t->link->secure(r->t->link->ctx, prologue, &answer, r->e);

    r->t->blocks++;
    in->n = answer.n;
    return rc;
}

/* n: length of a command that the reader makes; 0: it is in r->rest. */
static enum tp_err go(struct run *r, size_t n)
{
    const size_t before = r->response->n;
    struct bytes in = {.n = 0};
    enum tp_err rc;
    bool begun = false;

    if (n == 0)
        send_next(r);
    do {
        const uint8_t wtx = r->wtx;

        r->wtx = 0;
        rc = n > 0 && !begun ? first(r, n, &in) : carry(r->t, wtx, &r->block, &in, r->e);
        begun = true;
        if (rc == TP_OK) {
            const struct block b = take(r->t, span_of(in.p, in.n));

            rc = on_block(r, &b);
        }
    } while (rc == TP_OK && !r->done);
    if (rc != TP_OK) {
        secret_wipe(r->response->p + before, r->response->n - before);
        r->response->n = before;
    }
    secret_wipe(&in, sizeof(in));
    secret_wipe(&r->block, sizeof(r->block)); /* a VERIFY holds the PIN */
    secret_wipe(&r->last, sizeof(r->last));
    return rc;
}

void t1_start(struct t1 *t, const struct t1_link *link, uint8_t ifsc, bool crc)
{
    *t = (struct t1){
        .link = link, .ifsc_start = ifsc, .ifsc = ifsc, .ifsd = T1_IFS_DEFAULT, .crc = crc};
}

enum tp_err t1_transmit(struct t1 *t, struct span command, struct buf *response, struct tp_error *e)
{
    struct run r = {.t = t, .rest = command, .response = response, .e = e};

    return go(&r, 0);
}

enum tp_err t1_secure(struct t1 *t, size_t n, struct buf *response, struct tp_error *e)
{
    struct run r = {.t = t, .response = response, .e = e};

    if (t->link->secure == NULL || n == 0 || n > t->ifsc)
        return tp_fail(
            e, TP_ERR_CARD,
            "the card takes blocks of %u bytes only, too short for a PIN typed on the reader",
            t->ifsc);
    return go(&r, n);
}

enum tp_err t1_set_ifsd(struct t1 *t, uint8_t ifsd, struct tp_error *e)
{
    struct bytes out, in;

    make(t, &out, PCB_S | S_IFS, span_of(&ifsd, 1));
    for (unsigned i = 0; i < T1_ATTEMPTS; i++) {
        const enum tp_err rc = carry(t, 0, &out, &in, e);
        struct block b;

        if (rc != TP_OK)
            return rc;
        b = take(t, span_of(in.p, in.n));
        if (b.kind == KIND_S && b.s == S_IFS && b.response && b.inf.p[0] == ifsd) {
            t->ifsd = ifsd;
            return TP_OK;
        }
        t->errors++;
    }
    return tp_fail(e, TP_ERR_CARD,
                   "the card does not agree on the length of blocks: take it out, clean the "
                   "contacts and try again");
}
