/* The paper card behind T=0, as strict as an interface of that protocol is: no command has both
 * data and Le, an answer to a command with data waits for GET RESPONSE (61xx, or a warning by
 * itself), and an Le that is not the answer's length is told (6Cxx). EMV 4.3 Book 1, 9.2.2 and
 * Annex A; ISO/IEC 7816-3, 12.2. What the card itself sees are commands without Le. */
#include "paper.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

struct t0 {
    const struct inproc_card *card;
    uint8_t waiting[APDU_SHORT_RESPONSE_MAX]; /* an answer with its status word */
    size_t n;
    uint8_t header[4]; /* of the command whose Le was wrong */
};

static enum tp_err t0_wait_card(void *self, int timeout_ms, struct tp_error *e)
{
    (void)self;
    (void)timeout_ms;
    (void)e;
    return TP_OK;
}

static enum tp_err t0_connect(void *self, struct tp_error *e)
{
    struct t0 *t = self;
    uint8_t atr[READER_ATR_MAX];
    struct buf b = BUF_OF(atr);

    t->n = 0;
    (void)e;
    return t->card->power_on(t->card->ctx, &b);
}

static void answer_sw(struct buf *out, uint8_t sw1, size_t sw2)
{
    ck_assert_int_eq(buf_u8(out, sw1), TP_OK);
    ck_assert_int_eq(buf_u8(out, (uint8_t)sw2), TP_OK);
}

/* What waits, to one who knows its length. */
static void hand_out(struct t0 *t, struct buf *out, uint8_t le)
{
    if (t->n < 2)
        answer_sw(out, 0x6F, 0x00);
    else if ((t->n - 2) % 256 != le)
        answer_sw(out, 0x6C, t->n - 2);
    else {
        ck_assert_int_eq(buf_put(out, span_of(t->waiting, t->n)), TP_OK);
        t->n = 0;
    }
}

static enum tp_err ask_card(struct t0 *t, struct span command)
{
    struct buf b = BUF_OF(t->waiting);
    const enum tp_err r = t->card->transmit(t->card->ctx, command, &b);

    t->n = b.n;
    return r;
}

/* P3 says how many bytes follow (then they must), or how many are wanted. */
static enum tp_err t0_transmit(void *self, struct span command, struct buf *out, struct tp_error *e)
{
    struct t0 *t = self;
    enum tp_err r;

    ck_assert_uint_ge(command.n, 5);
    if (command.p[1] == 0xC0) {
        ck_assert_uint_eq(command.p[0], 0x00);
        hand_out(t, out, command.p[4]);
        return TP_OK;
    }
    if (command.n == 5 && t->n > 0 &&
        memcmp(t->header, command.p, 4) == 0) { /* again, with the right Le */
        hand_out(t, out, command.p[4]);
        return TP_OK;
    }
    ck_assert_msg(command.n == 5 || command.n == 5U + command.p[4],
                  "a command that T=0 does not have");
    memcpy(t->header, command.p, 4);
    r = ask_card(t, command);
    if (r != TP_OK)
        return tp_fail(e, r, "the card left, or does not answer any more");
    if (t->n <= 2 || command.n == 5)
        hand_out(t, out, command.n == 5 ? command.p[4] : 0);
    else if (t->waiting[t->n - 2] == 0x90) {
        answer_sw(out, 0x61, t->n - 2);
    } else {
        answer_sw(out, t->waiting[t->n - 2], t->waiting[t->n - 1]);
        t->waiting[t->n - 2] = 0x90;
        t->waiting[t->n - 1] = 0x00;
    }
    return TP_OK;
}

static enum tp_err t0_reset(void *self, struct tp_error *e)
{
    return t0_connect(self, e);
}

static void t0_disconnect(void *self)
{
    struct t0 *t = self;

    t->card->power_off(t->card->ctx);
}

static struct span t0_atr(void *self)
{
    static const uint8_t atr[] = {0x3B, 0x00};

    (void)self;
    return SPAN_OF(atr);
}

static struct reader_features t0_features(void *self)
{
    (void)self;
    return (struct reader_features){false, false};
}

static bool is_t0(void *self)
{
    (void)self;
    return true;
}

static void t0_close(void *self)
{
    free(self);
}

static const struct reader_driver driver = {
    .name = "paper T=0",
    .wait_card = t0_wait_card,
    .connect = t0_connect,
    .transmit = t0_transmit,
    .reset = t0_reset,
    .disconnect = t0_disconnect,
    .atr = t0_atr,
    .features = t0_features,
    .close = t0_close,
    .is_t0 = is_t0,
};

enum tp_err paper_open_t0(struct reader **out, const struct inproc_card *card)
{
    struct t0 *t = calloc(1, sizeof(*t));
    enum tp_err r;

    ck_assert_ptr_nonnull(t);
    t->card = card;
    r = reader_new(out, &driver, t, "paper card on T=0");
    if (r != TP_OK)
        free(t);
    return r;
}
