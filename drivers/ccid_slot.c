#include "drivers/ccid_slot.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/secret.h"
#include "drivers/pinpad.h"

#define ANSWER_MS    10000 /* a reader that is well answers sooner, or asks for time */
#define STATUS_MS    1000
#define STATUS_TRIES 3
#define STRAYS_MAX   16 /* messages that answer nothing we asked */
#define WHOLE_MS                                                                                   \
    60000 /* a command with all the time that card and reader ask for: none of a payment takes so  \
             long, and a person waits */
#define PIECES_MAX    2000 /* of one answer at extended APDU level */
#define PIN_OWN_S     90   /* how long a reader may wait for a PIN when its own time-out holds */
#define PIN_SPARE_MS  15000
#define IN_ROOM       1024 /* over the longest message: the last USB packet may be a whole one */
#define TA1_DEFAULT   0x11
#define VERIFY_LENGTH 13

enum {
    ERROR_MUTE = 0xFE,
    ERROR_PARITY = 0xFD,
    ERROR_OVERRUN = 0xFC,
    ERROR_PIN_TIMEOUT = 0xF0,
    ERROR_PIN_CANCELLED = 0xEF,
    ERROR_LAST_OFFSET = 0x7F
};

/* ---- messages ---- */

enum tp_err ccid_slot_start(struct ccid_slot *s, const struct ccid_pipe *pipe,
                            const struct ccid_descriptor *d, uint8_t number)
{
    *s = (struct ccid_slot){.pipe = pipe, .d = *d, .number = number, .whole_ms = WHOLE_MS};
    s->out_cap = d->max_message < CCID_MESSAGE_MAX ? d->max_message : CCID_MESSAGE_MAX;
    s->in_cap = (s->out_cap / IN_ROOM + 2) * IN_ROOM;
    s->out = malloc(s->out_cap);
    s->in = malloc(s->in_cap);
    if (s->out == NULL || s->in == NULL) {
        ccid_slot_end(s);
        return TP_ERR_NO_MEMORY;
    }
    return TP_OK;
}

void ccid_slot_end(struct ccid_slot *s)
{
    if (s->out != NULL)
        secret_wipe(s->out, s->out_cap);
    if (s->in != NULL)
        secret_wipe(s->in, s->in_cap);
    free(s->out);
    free(s->in);
    s->out = s->in = NULL;
}

static enum tp_err write_message(struct ccid_slot *s, const struct ccid_head *head,
                                 struct span data, struct tp_error *e)
{
    struct buf out = {s->out, 0, s->out_cap};
    enum tp_err rc = ccid_message_put(&out, head, data);

    if (rc != TP_OK)
        return tp_fail(e, TP_ERR_NO_READER, "its messages hold %zu bytes, too few for this command",
                       s->out_cap);
    rc = s->pipe->write(s->pipe->ctx, buf_span(&out), e);
    secret_wipe(s->out, out.n);
    return rc;
}

/* The next message that is for this slot and this command; others (of a command that was given up)
 * are passed over. */
static enum tp_err read_message(struct ccid_slot *s, int timeout_ms, struct ccid_reply *r,
                                struct tp_error *e)
{
    for (unsigned i = 0; i < STRAYS_MAX; i++) {
        struct buf in = {s->in, 0, s->in_cap};
        const enum tp_err rc = s->pipe->read(s->pipe->ctx, &in, timeout_ms, e);

        if (rc != TP_OK)
            return rc;
        if (in.n == 0) /* the empty packet after a message of whole packets */
            continue;
        if (ccid_message_parse(r, buf_span(&in)) != TP_OK)
            return tp_fail(e, TP_ERR_NO_READER,
                           "a message from the reader is cut short: unplug it, plug it in again");
        if (r->slot == s->number && r->seq == s->seq)
            return TP_OK;
    }
    return tp_fail(e, TP_ERR_NO_READER,
                   "the reader answers what it was not asked: unplug it, plug it in again");
}

/* Brings reader and computer back into step after a command that got no answer: CCID 1.1, 5.3.1
 * and 6.1.13. */
static void give_up(struct ccid_slot *s)
{
    const struct ccid_head head = {.type = CCID_ABORT, .slot = s->number, .seq = s->seq};
    struct ccid_reply r = {0};

    if (s->pipe->abort == NULL || s->pipe->abort(s->pipe->ctx, s->number, s->seq) != TP_OK)
        return;
    if (write_message(s, &head, span_of(NULL, 0), NULL) == TP_OK)
        for (unsigned i = 0; i < STRAYS_MAX && r.type != CCID_SLOT_STATUS; i++)
            if (read_message(s, STATUS_MS, &r, NULL) != TP_OK)
                return;
}

static void begin(struct ccid_slot *s, int ms)
{
    s->until = time_monotonic_ms() + ms;
}

/* bError of a time extension: how many waiting times the card may take (6.2.6), those of its ATR.
 */
static int extension(const struct ccid_slot *s, const struct ccid_reply *r)
{
    const uint32_t unit = s->protocol == 0 ? atr_wt_ms(&s->atr, s->d.clock_default)
                                           : atr_bwt_ms(&s->atr, s->d.clock_default);

    return (int)(unit * (r->error == 0 ? 1U : r->error));
}

static enum tp_err in_vain(struct ccid_slot *s, enum ccid_out type, bool asked_for_time,
                           struct tp_error *e)
{
    give_up(s);
    if (!asked_for_time)
        return tp_fail(e, TP_ERR_NO_READER,
                       "the reader does not answer: unplug it, plug it in again");
    if (type == CCID_SECURE)
        return tp_fail(
            e, TP_ERR_NO_READER,
            "no PIN was typed in time, and the reader waits for ever: unplug it, plug it in again");
    return tp_fail(e, TP_ERR_CARD,
                   "the card asks for more time for ever: take it out and insert it again");
}

static enum tp_err answer(struct ccid_slot *s, enum ccid_out type, int timeout_ms,
                          struct ccid_reply *r, struct tp_error *e)
{
    int64_t patience = timeout_ms;
    bool asked_for_time = false;

    for (;;) {
        const int64_t left = s->until - time_monotonic_ms();
        const enum tp_err rc = left > 0
                                   ? read_message(s, (int)(patience < left ? patience : left), r, e)
                                   : TP_ERR_TIMEOUT;

        if (rc == TP_ERR_TIMEOUT)
            return in_vain(s, type, asked_for_time, e);
        if (rc != TP_OK)
            return rc;
        if (r->command == CCID_TIME_EXTENSION) {
            patience = timeout_ms + extension(s, r);
            asked_for_time = true;
            continue;
        }
        if (r->type != ccid_reply_type(type) && r->command == CCID_DONE)
            return tp_fail(e, TP_ERR_NO_READER,
                           "the reader answers with a message of another kind (%02X): unplug it, "
                           "plug it in again",
                           r->type);
        return TP_OK;
    }
}

/* A command and its reply, done or failed. The reply's data lives until the next. */
static enum tp_err ask(struct ccid_slot *s, enum ccid_out type, const uint8_t specific[3],
                       struct span data, int timeout_ms, struct ccid_reply *r, struct tp_error *e)
{
    const struct ccid_head head = {.type = type,
                                   .slot = s->number,
                                   .seq = ++s->seq,
                                   .specific = {specific[0], specific[1], specific[2]}};
    enum tp_err rc;

    *r = (struct ccid_reply){0};
    rc = write_message(s, &head, data, e);
    return rc == TP_OK ? answer(s, type, timeout_ms, r, e) : rc;
}

/* The same, where only done will do. */
static enum tp_err want(struct ccid_slot *s, enum ccid_out type, const uint8_t specific[3],
                        struct span data, int timeout_ms, struct ccid_reply *r, struct tp_error *e)
{
    const enum tp_err rc = ask(s, type, specific, data, timeout_ms, r, e);

    if (rc == TP_OK && r->command == CCID_FAILED)
        return ccid_message_fail(e, r);
    return rc;
}

static const uint8_t nothing[3];

enum tp_err ccid_slot_status(struct ccid_slot *s, enum ccid_icc *icc, struct tp_error *e)
{
    struct ccid_reply r;
    enum tp_err rc = TP_OK;

    begin(s, s->whole_ms);
    for (unsigned i = 0; i < STATUS_TRIES;
         i++) { /* a reader that was left in the middle of something may need to be asked again */
        rc = ask(s, CCID_GET_SLOT_STATUS, nothing, span_of(NULL, 0), STATUS_MS, &r, e);
        if (rc == TP_OK)
            break;
    }
    if (rc == TP_OK)
        *icc = r.icc;
    return rc;
}

/* ---- power and protocol ---- */

static enum tp_err power(struct ccid_slot *s, enum ccid_power level, struct tp_error *e)
{
    const uint8_t specific[3] = {(uint8_t)level, 0, 0};
    struct ccid_reply r;
    struct tp_error why;
    enum tp_err rc;

    begin(s, s->whole_ms);
    rc = want(s, CCID_ICC_POWER_ON, specific, span_of(NULL, 0), ANSWER_MS, &r, e);
    if (rc != TP_OK)
        return rc;
    if (atr_parse(&s->atr, r.data, &why) != TP_OK)
        return tp_fail(
            e, TP_ERR_CARD,
            "the card's answer to reset is not valid (%s): is it a bank card, chip up and forward?",
            why.text);
    memcpy(s->atr_raw, r.data.p, r.data.n);
    s->atr_n = r.data.n;
    s->level = level;
    s->powered = true;
    return TP_OK;
}

/* From the voltage every bank card takes (class A) down, as far as the reader goes. */
static enum tp_err power_any(struct ccid_slot *s, struct tp_error *e)
{
    static const struct {
        uint8_t bit;
        enum ccid_power level;
    } ladder[] = {{CCID_5V, CCID_POWER_5V}, {CCID_3V, CCID_POWER_3V}, {CCID_1V8, CCID_POWER_1V8}};
    enum tp_err rc = TP_ERR_CARD;

    if ((s->d.features & CCID_AUTO_VOLTAGE) != 0 || s->d.voltages == 0)
        return power(s, CCID_POWER_AUTO, e);
    for (size_t i = 0; i < sizeof(ladder) / sizeof(ladder[0]) && rc != TP_OK; i++) {
        if ((s->d.voltages & ladder[i].bit) == 0)
            continue;
        rc = power(s, ladder[i].level, e);
        if (rc != TP_OK) /* also what a reader calls a fault of its own: a card for a lower voltage
                            may draw too much at a higher one */
            ccid_slot_power_off(s);
    }
    return rc;
}

void ccid_slot_power_off(struct ccid_slot *s)
{
    struct ccid_reply r;

    s->powered = false;
    s->atr_n = 0;
    begin(s, s->whole_ms);
    if (want(s, CCID_ICC_POWER_OFF, nothing, span_of(NULL, 0), ANSWER_MS, &r, NULL) != TP_OK)
        return; /* the card or the reader went: there is no power either */
}

static bool speaks(const struct ccid_slot *s, unsigned protocol)
{
    return protocol <= 1 && (s->d.protocols >> protocol & 1) != 0;
}

/* The first that the card offers (EMV 4.3 Book 1, 8.3.3.4), another only where the reader does not
 * speak that. */
static enum tp_err choose(struct ccid_slot *s, struct tp_error *e)
{
    const struct atr *a = &s->atr;

    s->protocol = a->specific ? a->specific_protocol : a->first;
    if (speaks(s, s->protocol))
        return TP_OK;
    for (unsigned t = 0; !a->specific && t <= 1; t++)
        if ((a->protocols >> t & 1) != 0 && speaks(s, t)) {
            s->protocol = t;
            return TP_OK;
        }
    return tp_fail(e, TP_ERR_CARD, "the reader does not speak the card's protocol (T=%u)",
                   s->protocol);
}

/* TA1 is worth asking for when the reader changes its speed by itself and goes that fast. */
static uint8_t speed(const struct ccid_slot *s)
{
    const struct atr *a = &s->atr;

    if (a->specific)
        return a->implicit || a->f == 0 || a->d == 0 ? TA1_DEFAULT : a->ta1;
    if (a->f == 0 || a->d == 0 || (s->d.features & CCID_AUTO_BAUD) == 0)
        return TA1_DEFAULT;
    if (s->d.level != CCID_TPDU &&
        (s->d.features & CCID_AUTO_PPS) == 0) /* no way to tell the card */
        return TA1_DEFAULT;
    return (uint64_t)s->d.clock_default * 1000 * a->d / a->f <= s->d.rate_max ? a->ta1
                                                                              : TA1_DEFAULT;
}

/* Protocol and parameters selection, ISO/IEC 7816-3, 9: the card answers with the same bytes, or
 * without PPS1: then it stays slow. */
static enum tp_err pps(struct ccid_slot *s, struct tp_error *e)
{
    const bool fast = s->ta1 != TA1_DEFAULT;
    uint8_t request[4] = {0xFF, (uint8_t)(s->protocol | (fast ? 0x10 : 0)), s->ta1};
    const size_t n = fast ? 4 : 3;
    const uint8_t slow[3] = {0xFF, (uint8_t)s->protocol, (uint8_t)(0xFF ^ s->protocol)};
    struct ccid_reply r;
    enum tp_err rc;

    request[n - 1] = 0;
    for (size_t i = 0; i + 1 < n; i++)
        request[n - 1] ^= request[i];
    rc = want(s, CCID_XFR_BLOCK, nothing, span_of(request, n), ANSWER_MS, &r, e);
    if (rc != TP_OK || span_eq(r.data, span_of(request, n)))
        return rc;
    s->ta1 = TA1_DEFAULT;
    return span_eq(r.data, SPAN_OF(slow))
               ? TP_OK
               : tp_fail(e, TP_ERR_CARD, "the card does not agree on a protocol");
}

static enum tp_err set_parameters(struct ccid_slot *s, struct tp_error *e)
{
    const uint8_t specific[3] = {(uint8_t)s->protocol, 0, 0};
    uint8_t raw[7];
    struct buf data = BUF_OF(raw);
    struct ccid_reply r;
    enum tp_err rc = ccid_parameters_put(&data, &s->atr, s->protocol, s->ta1);

    if (rc == TP_OK)
        rc = ask(s, CCID_SET_PARAMETERS, specific, buf_span(&data), ANSWER_MS, &r, e);
    if (rc != TP_OK || r.command == CCID_DONE ||
        r.error == 0) /* a reader that does not know this command has set them by itself */
        return rc;
    return ccid_message_fail(e, &r);
}

/* A reader that negotiates in its own way says what came of it. */
static enum tp_err ask_parameters(struct ccid_slot *s, struct tp_error *e)
{
    struct ccid_reply r;
    const enum tp_err rc = ask(s, CCID_GET_PARAMETERS, nothing, span_of(NULL, 0), ANSWER_MS, &r, e);

    if (rc == TP_OK && r.command == CCID_DONE && r.specific <= 1)
        s->protocol = r.specific;
    return rc;
}

static enum tp_err negotiate(struct ccid_slot *s, struct tp_error *e)
{
    enum tp_err rc = choose(s, e);

    if (rc != TP_OK)
        return rc;
    if ((s->d.features & CCID_AUTO_NEGOTIATION) != 0)
        return ask_parameters(s, e);
    s->ta1 = speed(s);
    if (!s->atr.specific && s->d.level == CCID_TPDU && (s->d.features & CCID_AUTO_PPS) == 0 &&
        (s->protocol != s->atr.first || s->ta1 != TA1_DEFAULT))
        rc = pps(s, e);
    return rc == TP_OK ? set_parameters(s, e) : rc;
}

/* ---- T=1 over XfrBlock ---- */

/* What t1.c takes for silence or a disturbed block: it knows how to go on. */
static bool line_error(const struct ccid_reply *r)
{
    return r->icc == CCID_ICC_ACTIVE &&
           (r->error == ERROR_MUTE || r->error == ERROR_PARITY || r->error == ERROR_OVERRUN);
}

static enum tp_err block_answer(const struct ccid_reply *r, struct buf *answer_, struct tp_error *e)
{
    const struct span block = {
        r->data.p, r->data.n < answer_->cap - answer_->n ? r->data.n : answer_->cap - answer_->n};

    if (r->command == CCID_FAILED)
        return line_error(r) ? TP_OK : ccid_message_fail(e, r);
    return buf_put(answer_, block); /* of one that is too long the error code will be wrong */
}

static enum tp_err block_exchange(void *ctx, uint8_t wtx, struct span block, struct buf *answer_,
                                  struct tp_error *e)
{
    struct ccid_slot *s = ctx;
    const uint8_t specific[3] = {wtx, 0, 0};
    const int ms =
        ANSWER_MS + (int)(atr_bwt_ms(&s->atr, s->d.clock_default) * (wtx == 0 ? 1U : wtx));
    struct ccid_reply r;
    const enum tp_err rc = ask(s, CCID_XFR_BLOCK, specific, block, ms, &r, e);

    return rc == TP_OK ? block_answer(&r, answer_, e) : rc;
}

/* The entry, and what the card then takes for VERIFY. */
static int keypad_ms(const struct reader_pin *pin)
{
    return (pin->timeout_s == 0 ? PIN_OWN_S : pin->timeout_s) * 1000 + PIN_SPARE_MS;
}

static enum tp_err secure(struct ccid_slot *s, const uint8_t prologue[3], struct ccid_reply *r,
                          struct tp_error *e)
{
    const struct ccid_pin pin = {
        .timeout_s = s->pin->timeout_s,
        .min = s->pin->min,
        .max = s->pin->max,
        .language = s->pin->language,
        .message = s->d.lcd_lines > 0,
        .prologue = {prologue[0], prologue[1], prologue[2]},
    };
    uint8_t raw[64];
    struct buf data = BUF_OF(raw);

    if (ccid_pin_verify_put(&data, &pin) != TP_OK)
        return tp_fail(e, TP_ERR_USAGE, "a PIN has 4 to 12 digits, not %u to %u", pin.min, pin.max);
    return ask(s, CCID_SECURE, nothing, buf_span(&data), keypad_ms(s->pin), r, e);
}

/* Ends that are the person's, or the reader's who cannot: TP_ERR_CANCELLED then, with the end
 * noted; none of them reached the card. */
static enum tp_err at_keypad(struct ccid_slot *s, const uint8_t prologue[3], struct ccid_reply *r,
                             struct tp_error *e)
{
    const enum tp_err rc = secure(s, prologue, r, e);
    enum reader_pin_end end;
    uint16_t sw;

    if (rc != TP_OK || r->icc == CCID_ICC_ABSENT)
        return rc;
    if (r->command == CCID_DONE) { /* some say it with a status of PC/SC part 10, at TPDU level too,
                                      where it is no block */
        if (pinpad_outcome(&end, &sw, r->data) != TP_OK || end == READER_PIN_SENT)
            return TP_OK;
        s->pin_end = end;
        return TP_ERR_CANCELLED;
    }
    if (r->error == ERROR_PIN_CANCELLED)
        s->pin_end = READER_PIN_CANCELLED;
    else if (r->error == ERROR_PIN_TIMEOUT)
        s->pin_end = READER_PIN_TIMEOUT;
    else if (r->error <= ERROR_LAST_OFFSET) /* the command, or a byte of it, is not known to it */
        s->pin_end = READER_PIN_REFUSED;
    else
        return TP_OK;
    return TP_ERR_CANCELLED;
}

static enum tp_err block_secure(void *ctx, const uint8_t prologue[3], struct buf *answer_,
                                struct tp_error *e)
{
    struct ccid_slot *s = ctx;
    struct ccid_reply r = {0};
    const enum tp_err rc = at_keypad(s, prologue, &r, e);

    return rc == TP_OK ? block_answer(&r, answer_, e) : rc;
}

static uint8_t least(uint32_t a, uint32_t b, uint32_t c)
{
    const uint32_t ab = a < b ? a : b;

    return (uint8_t)(ab < c ? ab : c);
}

/* A block must fit a message both ways. */
static enum tp_err start_t1(struct ccid_slot *s, struct tp_error *e)
{
    const uint32_t around = CCID_HEADER + 3 + (s->atr.crc ? 2U : 1U);
    const uint32_t room = s->out_cap > around ? (uint32_t)s->out_cap - around : 0;
    const uint8_t ifsd =
        least(T1_IFS_MAX, room, s->d.max_ifsd == 0 ? T1_IFS_DEFAULT : s->d.max_ifsd);

    if (room == 0)
        return tp_fail(e, TP_ERR_NO_READER,
                       "the reader takes no message that a block of T=1 fits in");
    s->link = (struct t1_link){s, block_exchange, block_secure};
    t1_start(&s->t1, &s->link, least(s->atr.ifsc, room, T1_IFS_MAX), s->atr.crc);
    if ((s->d.features & CCID_AUTO_IFSD) != 0) {
        s->t1.ifsd = ifsd;
        return TP_OK;
    }
    return ifsd > T1_IFS_DEFAULT ? t1_set_ifsd(&s->t1, ifsd, e) : TP_OK;
}

enum tp_err ccid_slot_power_on(struct ccid_slot *s, struct tp_error *e)
{
    enum tp_err rc = s->powered ? power(s, s->level, e) : power_any(s, e);

    if (rc != TP_OK)
        return rc;
    rc = negotiate(s, e);
    if (rc == TP_ERR_CARD && !s->atr.specific &&
        s->ta1 !=
            TA1_DEFAULT) { /* it does not like the speed: once more, slowly; ISO/IEC 7816-3, 9.1 */
        ccid_slot_power_off(s);
        s->d.rate_max = 0;
        rc = power_any(s, e);
        if (rc == TP_OK)
            rc = negotiate(s, e);
    }
    if (rc == TP_OK && s->d.level == CCID_TPDU && s->protocol == 1)
        rc = start_t1(s, e);
    if (rc != TP_OK)
        ccid_slot_power_off(s);
    return rc;
}

/* ---- exchanges ---- */

bool ccid_slot_is_t0(const struct ccid_slot *s)
{
    return s->d.level == CCID_TPDU && s->protocol == 0;
}

static enum tp_err take(struct buf *response, struct span data, struct tp_error *e)
{
    return buf_put(response, data) == TP_OK
               ? TP_OK
               : tp_fail(e, TP_ERR_CARD, "the card answered more than it may");
}

/* A command that fits one message, and so does its answer. */
static enum tp_err transmit_one(struct ccid_slot *s, struct span command, struct buf *response,
                                struct tp_error *e)
{
    struct ccid_reply r;
    enum tp_err rc;

    if (command.n > APDU_SHORT_COMMAND_MAX ||
        (s->d.level == CCID_TPDU && command.n > APDU_SHORT_COMMAND_MAX - 1) ||
        command.n + CCID_HEADER > s->out_cap)
        return tp_fail(
            e, TP_ERR_NO_READER,
            "this reader carries no command of %zu bytes: it exchanges %ss of at most %zu",
            command.n, ccid_level_text(s->d.level), s->out_cap - CCID_HEADER);
    rc = want(s, CCID_XFR_BLOCK, nothing, command, ANSWER_MS, &r, e);
    return rc == TP_OK ? take(response, r.data, e) : rc;
}

/* Extended APDU level: command and answer go in pieces where they do not fit; CCID 1.1, 6.1.4
 * and 6.2.1. */
static enum tp_err send_pieces(struct ccid_slot *s, struct span command, struct ccid_reply *r,
                               struct tp_error *e)
{
    const size_t room = s->out_cap - CCID_HEADER;
    bool begun = false;
    enum tp_err rc;

    do {
        const bool last = command.n <= room;
        const enum ccid_chain_out level = begun ? (last ? CCID_OUT_LAST : CCID_OUT_MIDDLE)
                                                : (last ? CCID_OUT_WHOLE : CCID_OUT_FIRST);
        const uint8_t specific[3] = {0, (uint8_t)level, 0};
        struct span piece;

        rc = span_take(&command, last ? command.n : room, &piece);
        if (rc == TP_OK)
            rc = want(s, CCID_XFR_BLOCK, specific, piece, ANSWER_MS, r, e);
        if (rc == TP_OK && !last && r->specific != CCID_IN_GO_ON)
            rc = tp_fail(e, TP_ERR_NO_READER,
                         "the reader does not take a command in pieces, as it said it would");
        begun = true;
    } while (rc == TP_OK && command.n > 0);
    return rc;
}

static enum tp_err transmit_extended(struct ccid_slot *s, struct span command, struct buf *response,
                                     struct tp_error *e)
{
    static const uint8_t go_on[3] = {0, CCID_OUT_GO_ON, 0};
    struct ccid_reply r;
    enum tp_err rc = send_pieces(s, command, &r, e);

    if (rc == TP_OK)
        rc = take(response, r.data, e);
    for (unsigned i = 0;
         rc == TP_OK && (r.specific == CCID_IN_FIRST || r.specific == CCID_IN_MIDDLE); i++) {
        if (i == PIECES_MAX)
            return tp_fail(e, TP_ERR_CARD, "the card's answer never ends");
        rc = want(s, CCID_XFR_BLOCK, go_on, span_of(NULL, 0), ANSWER_MS, &r, e);
        if (rc == TP_OK)
            rc = take(response, r.data, e);
    }
    return rc;
}

enum tp_err ccid_slot_transmit(struct ccid_slot *s, struct span command, struct buf *response,
                               struct tp_error *e)
{
    enum tp_err rc;

    begin(s, s->whole_ms);
    if (s->d.level == CCID_EXTENDED_APDU)
        rc = transmit_extended(s, command, response, e);
    else if (s->d.level == CCID_TPDU && s->protocol == 1)
        rc = t1_transmit(&s->t1, command, response, e);
    else
        rc = transmit_one(s, command, response, e);
    secret_wipe(s->in, s->in_cap); /* answers may be secret too */
    return rc;
}

enum tp_err ccid_slot_verify_pin(struct ccid_slot *s, const struct reader_pin *ask_,
                                 enum reader_pin_end *end, uint16_t *sw, struct tp_error *e)
{
    uint8_t raw[APDU_SHORT_RESPONSE_MAX];
    struct buf response = BUF_OF(raw);
    struct ccid_reply r = {0};
    enum tp_err rc;

    s->pin = ask_;
    begin(s, keypad_ms(ask_));
    s->pin_end = READER_PIN_SENT;
    if (!s->d.pin_verify) {
        s->pin_end = READER_PIN_REFUSED;
        rc = TP_ERR_CANCELLED;
    } else if (s->d.level == CCID_TPDU && s->protocol == 1) {
        rc = t1_secure(&s->t1, VERIFY_LENGTH, &response, e);
    } else {
        rc = at_keypad(s, nothing, &r, e);
        if (rc == TP_OK)
            rc = r.command == CCID_FAILED ? ccid_message_fail(e, &r) : take(&response, r.data, e);
    }
    s->pin = NULL;
    *end = s->pin_end;
    if (rc == TP_ERR_CANCELLED && s->pin_end != READER_PIN_SENT)
        return TP_OK;
    if (rc == TP_OK && pinpad_outcome(end, sw, buf_span(&response)) != TP_OK)
        rc = tp_fail(e, TP_ERR_CARD, "the card answered %zu bytes to VERIFY: no status word",
                     response.n);
    return rc;
}
