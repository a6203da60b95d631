#include "drivers/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/sw.h"

#define HEADER 4 /* CLA INS P1 P2 */

struct driver {
    struct replay *replay;
    uint8_t atr[READER_ATR_MAX];
    size_t atr_n;
    bool t0, keypad;
};

static void tell(struct replay *p, enum replay_kind kind,
                 const struct transcript_exchange *recorded, struct span sent)
{
    const struct replay_difference d = {kind, recorded, sent};

    p->differences++;
    p->differs(p->ctx, &d);
}

static bool same_header(const struct transcript_exchange *x, struct span command)
{
    return command.n >= HEADER && memcmp(x->command.value, command.p, HEADER) == 0;
}

/* Data that are told nothing of, a PIN enciphered under a key that may be another now: any do, of
 * any length. */
static bool all_hidden(const struct transcript_exchange *x)
{
    for (size_t i = HEADER + 1; i < x->command.n; i++)
        if (x->command.hidden[i] != 0xFF)
            return false;
    return x->command.n > HEADER + 1;
}

static bool as_recorded(const struct transcript_exchange *x, struct span command)
{
    return masked_matches(&x->command, command) ||
           (same_header(x, command) && all_hidden(x) && command.n > HEADER + 1);
}

/* The exchange that answers command, from p->at on; NULL when there is none. */
static const struct transcript_exchange *find(const struct replay *p, struct span command,
                                              size_t *at)
{
    const struct transcript_exchange *x;

    for (*at = p->at; (x = transcript_at(p->transcript, *at)) != NULL; (*at)++)
        if (as_recorded(x, command))
            return x;
    for (*at = p->at; (x = transcript_at(p->transcript, *at)) != NULL; (*at)++)
        if (same_header(x, command))
            return x;
    return NULL;
}

static void skip_to(struct replay *p, size_t at)
{
    for (; p->at < at; p->at++)
        tell(p, REPLAY_SKIPPED, transcript_at(p->transcript, p->at), (struct span){NULL, 0});
}

static void play(struct replay *p, const struct transcript_exchange *x, size_t at)
{
    skip_to(p, at);
    p->at++;
    if (p->plays != NULL)
        p->plays(p->ctx, x);
}

static enum tp_err not_recorded(struct replay *p, struct span command, struct buf *response,
                                struct tp_error *e)
{
    tell(p, REPLAY_NOT_RECORDED, NULL, command);
    if (command.n >= HEADER && command.p[1] == INS_GET_DATA)
        return buf_be16(response, SW_REFERENCED_DATA_NOT_FOUND);
    return tp_fail(
        e, TP_ERR_CARD,
        "the transcript %s has no answer to command %02X %02X: the card cannot be played further",
        transcript_name(p->transcript), command.n > 0 ? command.p[0] : 0,
        command.n > 1 ? command.p[1] : 0);
}

static enum tp_err replay_transmit(void *self, struct span command, struct buf *response,
                                   struct tp_error *e)
{
    struct replay *p = ((struct driver *)self)->replay;
    size_t at;
    const struct transcript_exchange *x = find(p, command, &at);

    if (x == NULL)
        return not_recorded(p, command, response, e);
    play(p, x, at);
    if (!as_recorded(x, command))
        tell(p, REPLAY_DATA, x, command);
    if (x->answer.n == 0)
        return tp_fail(e, TP_ERR_CARD,
                       "the card left, or did not answer, as recorded in line %u of %s", x->line,
                       transcript_name(p->transcript));
    return buf_put(response, masked_filled(&x->answer)) == TP_OK
               ? TP_OK
               : tp_fail(e, TP_ERR_CARD, "the card answered more than it may");
}

static enum tp_err replay_wait_card(void *self, int timeout_ms, struct tp_error *e)
{
    (void)self;
    (void)timeout_ms;
    (void)e;
    return TP_OK;
}

static enum tp_err replay_connect(void *self, struct tp_error *e)
{
    (void)self;
    (void)e;
    return TP_OK;
}

static void replay_disconnect(void *self)
{
    (void)self;
}

static struct span replay_atr(void *self)
{
    const struct driver *d = self;

    return span_of(d->atr, d->atr_n);
}

static struct reader_features replay_features(void *self)
{
    return (struct reader_features){((const struct driver *)self)->keypad, false};
}

/* The keypad's next VERIFY that reached the card; when there is none, the person did not go on. */
static enum tp_err replay_verify_pin(void *self, const struct reader_pin *ask,
                                     enum reader_pin_end *end, uint16_t *sw, struct tp_error *e)
{
    struct replay *p = ((struct driver *)self)->replay;
    const struct transcript_exchange *x;
    size_t at;

    (void)ask;
    (void)e;
    *end = READER_PIN_CANCELLED;
    for (at = p->at;
         (x = transcript_at(p->transcript, at)) != NULL && x->command.value[1] != INS_VERIFY;)
        at++;
    if (x == NULL || x->answer.n < 2)
        return TP_OK;
    play(p, x, at);
    *end = READER_PIN_SENT;
    *sw = (uint16_t)(x->answer.value[x->answer.n - 2] << 8 | x->answer.value[x->answer.n - 1]);
    return TP_OK;
}

static bool replay_is_t0(void *self)
{
    return ((const struct driver *)self)->t0;
}

static void replay_close(void *self)
{
    free(self);
}

static const struct reader_driver replay_driver = {
    .name = "replay",
    .wait_card = replay_wait_card,
    .connect = replay_connect,
    .transmit = replay_transmit,
    .reset = replay_connect,
    .disconnect = replay_disconnect,
    .atr = replay_atr,
    .features = replay_features,
    .close = replay_close,
    .is_t0 = replay_is_t0,
    .verify_pin = replay_verify_pin,
};

enum tp_err replay_open(struct reader **out, struct replay *replay, struct tp_error *e)
{
    const char *protocol = transcript_value(replay->transcript, "protocol"),
               *keypad = transcript_value(replay->transcript, "keypad");
    struct driver *d = calloc(1, sizeof(*d));
    struct buf atr;
    enum tp_err r;

    if (d == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a reader");
    d->replay = replay;
    d->t0 = protocol != NULL && strcmp(protocol, "T=0") == 0;
    d->keypad = keypad != NULL && strcmp(keypad, "yes") == 0;
    atr = BUF_OF(d->atr);
    r = transcript_bytes(&atr, replay->transcript, "atr", e);
    d->atr_n = atr.n;
    if (r == TP_OK && (r = reader_new(out, &replay_driver, d, "transcript")) != TP_OK)
        r = tp_fail(e, r, "no memory for a reader");
    if (r != TP_OK)
        free(d);
    return r;
}

void replay_finish(struct replay *replay)
{
    const struct transcript_exchange *x;

    while ((x = transcript_at(replay->transcript, replay->at)) != NULL) {
        replay->at++;
        tell(replay, REPLAY_SKIPPED, x, (struct span){NULL, 0});
    }
}
