#include "drivers/reader.h"

#include <stdlib.h>
#include <string.h>

#include "apdu/sw.h"
#include "base/secret.h"

/* A whole answer comes in at most this many pieces: a 64 KiB answer in pieces of 256 bytes, and
 * some to spare for empty ones. */
#define PIECES_MAX 300

struct reader {
    const struct reader_driver *driver;
    void *self;
    bool connected;
    reader_trace *trace;
    void *trace_ctx;
    reader_goes_on *goes_on;
    void *goes_on_ctx;
    struct reader_counts counts;
    char name[READER_NAME_MAX];
    uint8_t command[APDU_COMMAND_MAX];
    uint8_t answer[APDU_RESPONSE_MAX];
};

enum tp_err reader_new(struct reader **out, const struct reader_driver *driver, void *self,
                       const char *name)
{
    struct reader *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return TP_ERR_NO_MEMORY;
    r->driver = driver;
    r->self = self;
    reader_rename(r, name);
    *out = r;
    return TP_OK;
}

bool reader_wanted(const char *name, const char *wanted, bool whole)
{
    return wanted == NULL || (whole ? strcmp(name, wanted) == 0 : strstr(name, wanted) != NULL);
}

void reader_rename(struct reader *r, const char *name)
{
    const size_t n = strnlen(name, sizeof(r->name) - 1);

    memcpy(r->name, name, n);
    r->name[n] = '\0';
}

void reader_set_trace(struct reader *r, reader_trace *trace, void *ctx)
{
    r->trace = trace;
    r->trace_ctx = ctx;
}

void reader_set_goes_on(struct reader *r, reader_goes_on *goes_on, void *ctx)
{
    r->goes_on = goes_on;
    r->goes_on_ctx = ctx;
}

const char *reader_name(const struct reader *r)
{
    return r->name;
}

struct reader_features reader_features(struct reader *r)
{
    return r->driver->features(r->self);
}

struct reader_counts reader_counts(const struct reader *r)
{
    return r->counts;
}

enum tp_err reader_wait_card(struct reader *r, int timeout_ms, struct tp_error *e)
{
    return r->driver->wait_card(r->self, timeout_ms, e);
}

enum tp_err reader_connect(struct reader *r, struct tp_error *e)
{
    enum tp_err rc;

    if (r->connected)
        return tp_fail(e, TP_ERR_INTERNAL, "reader \"%s\": the card is connected already", r->name);
    rc = r->driver->connect(r->self, e);
    r->connected = rc == TP_OK;
    return rc;
}

enum tp_err reader_reset(struct reader *r, struct tp_error *e)
{
    if (!r->connected)
        return tp_fail(e, TP_ERR_INTERNAL, "reader \"%s\": no card is connected", r->name);
    return r->driver->reset(r->self, e);
}

void reader_disconnect(struct reader *r)
{
    if (!r->connected)
        return;
    r->connected = false;
    r->driver->disconnect(r->self);
}

struct span reader_atr(struct reader *r)
{
    return r->connected ? r->driver->atr(r->self) : (struct span){NULL, 0};
}

bool reader_is_t0(struct reader *r)
{
    return r->connected && r->driver->is_t0 != NULL && r->driver->is_t0(r->self);
}

void reader_close(struct reader **r)
{
    if (*r == NULL)
        return;
    reader_disconnect(*r);
    (*r)->driver->close((*r)->self);
    free(*r);
    *r = NULL;
}

/* One exchange with the card, counted and traced. */
static enum tp_err pass(struct reader *r, struct span command, struct buf *answer,
                        struct tp_error *e)
{
    const enum tp_err rc = r->driver->transmit(r->self, command, answer, e);

    r->counts.exchanges++;
    r->counts.bytes_out += command.n;
    r->counts.bytes_in += answer->n;
    if (r->trace != NULL)
        r->trace(r->trace_ctx, command, buf_span(answer));
    if (rc == TP_OK && answer->n < 2)
        return tp_fail(e, TP_ERR_CARD, "the card answered %zu byte: no status word", answer->n);
    return rc;
}

enum tp_err reader_exchange(struct reader *r, struct span command, struct buf *answer,
                            struct tp_error *e)
{
    struct buf own = BUF_OF(r->answer);
    enum tp_err rc;

    if (!r->connected)
        return tp_fail(e, TP_ERR_INTERNAL, "reader \"%s\": no card is connected", r->name);
    rc = pass(r, command, &own, e);
    if (rc == TP_OK && buf_put(answer, buf_span(&own)) != TP_OK)
        rc = tp_fail(e, TP_ERR_CARD, "the card's answer is longer than the %zu bytes it may have",
                     answer->cap);
    secret_wipe(r->answer, own.n);
    return rc;
}

/* The same of a command that is to be packed. *out borrows from the reader until the next exchange.
 */
static enum tp_err exchange(struct reader *r, const struct capdu *c, bool t0, struct rapdu *out,
                            size_t *used, struct tp_error *e)
{
    struct buf command = BUF_OF(r->command), answer = BUF_OF(r->answer);
    enum tp_err rc;

    if (r->goes_on != NULL && !r->goes_on(r->goes_on_ctx))
        return tp_fail(e, TP_ERR_CANCELLED, "given up while the card was read");
    rc = capdu_put(&command, c);
    if (rc != TP_OK)
        return tp_fail(e, rc, "command %02X %02X does not fit an APDU", c->cla, c->ins);
    if (t0 &&
        command.n == 4) /* case 1: T=0 has always five bytes of header, ISO/IEC 7816-3, 12.2.2 */
        r->command[command.n++] = 0;
    rc = pass(r, buf_span(&command), &answer, e);
    *used = *used > answer.n ? *used : answer.n;
    secret_wipe(r->command, command.n); /* a VERIFY holds the PIN */
    return rc == TP_OK ? rapdu_parse(out, buf_span(&answer)) : rc;
}

/* One command of the transport layer; 6Cxx ("it is xx bytes") makes it again with that Le, once. */
static enum tp_err exchange_length(struct reader *r, struct capdu c, bool t0, struct rapdu *out,
                                   size_t *used, struct tp_error *e)
{
    enum tp_err rc = exchange(r, &c, t0, out, used, e);

    if (rc != TP_OK || c.le == APDU_LE_NONE || (out->sw & SW_FAMILY) != SW_WRONG_LE)
        return rc;
    c.le = (out->sw & 0xFF) == 0 ? 256 : out->sw & 0xFF;
    return exchange(r, &c, t0, out, used, e);
}

static enum tp_err take(struct buf *response, const struct rapdu *answer, const struct capdu *c,
                        struct tp_error *e)
{
    if (buf_put(response, answer->data) != TP_OK)
        return tp_fail(
            e, TP_ERR_CARD,
            "the card's answer to command %02X %02X is longer than the %zu bytes it may have",
            c->cla, c->ins, response->cap);
    return TP_OK;
}

/* EMV 4.3 Book 1, Annex A: on T=0, a case 4 command that gets a warning has an answer waiting all
 * the same. */
static bool warned(const struct rapdu *answer)
{
    return answer->data.n == 0 && ((answer->sw & SW_FAMILY) == SW_WARNING_UNCHANGED ||
                                   (answer->sw & SW_FAMILY) == SW_WARNING_CHANGED);
}

static enum tp_err transmit(struct reader *r, const struct capdu *command, struct buf *response,
                            uint16_t *sw, size_t *used, struct tp_error *e)
{
    const bool t0 = reader_is_t0(r);
    const bool stripped = t0 && command->data.n > 0 && command->le != APDU_LE_NONE;
    struct capdu
        c = *command,
        get = {.ins = INS_GET_RESPONSE}; /* CLA 00 also after a CLA 80: EMV 4.3 Book 1, 9.3.1.3 */
    struct rapdu answer = {{NULL, 0}, 0};
    enum tp_err rc;

    if (stripped)
        c.le = APDU_LE_NONE;
    rc = exchange_length(r, c, t0, &answer, used, e);
    if (rc == TP_OK)
        rc = take(response, &answer, command, e);
    if (rc == TP_OK && stripped && warned(&answer)) {
        *sw = answer.sw;
        get.le = 256;
        rc = exchange_length(r, get, t0, &answer, used, e);
        if (rc == TP_OK && answer.sw == SW_OK)
            return take(response, &answer, command, e);
        return rc; /* nothing waits: the warning stands by itself */
    }
    for (unsigned i = 0; rc == TP_OK && (answer.sw & SW_FAMILY) == SW_MORE_DATA; i++) {
        if (i == PIECES_MAX)
            return tp_fail(e, TP_ERR_CARD, "the card's answer to command %02X %02X never ends",
                           command->cla, command->ins);
        get.le = (answer.sw & 0xFF) == 0 ? 256 : answer.sw & 0xFF;
        rc = exchange_length(r, get, t0, &answer, used, e);
        if (rc == TP_OK)
            rc = take(response, &answer, command, e);
    }
    if (rc == TP_OK)
        *sw = answer.sw;
    return rc;
}

enum tp_err reader_transmit(struct reader *r, const struct capdu *command, struct buf *response,
                            uint16_t *sw, struct tp_error *e)
{
    const size_t before = response->n;
    size_t used = 0;
    enum tp_err rc;

    if (!r->connected)
        return tp_fail(e, TP_ERR_INTERNAL, "reader \"%s\": no card is connected", r->name);
    rc = transmit(r, command, response, sw, &used, e);
    secret_wipe(r->answer, used);
    if (rc != TP_OK) {
        secret_wipe(response->p + before, response->n - before);
        response->n = before;
    }
    return rc;
}

/* What passes between this side and the reader: the PIN is filled in there. */
static void trace_verify(struct reader *r, enum reader_pin_end end, uint16_t sw)
{
    static const uint8_t command[] = {0x00, INS_VERIFY, 0x00, 0x80, 0x08, 0x20, 0xFF,
                                      0xFF, 0xFF,       0xFF, 0xFF, 0xFF, 0xFF};
    const uint8_t answer[] = {(uint8_t)(sw >> 8), (uint8_t)sw};

    if (end != READER_PIN_SENT) /* no command reached the card */
        return;
    r->counts.exchanges++;
    r->counts.bytes_out += sizeof(command);
    r->counts.bytes_in += sizeof(answer);
    if (r->trace != NULL)
        r->trace(r->trace_ctx, SPAN_OF(command), SPAN_OF(answer));
}

enum tp_err reader_verify_pin(struct reader *r, const struct reader_pin *ask,
                              enum reader_pin_end *end, uint16_t *sw, struct tp_error *e)
{
    enum tp_err rc;

    *end = READER_PIN_REFUSED;
    *sw = 0;
    if (!r->connected)
        return tp_fail(e, TP_ERR_INTERNAL, "reader \"%s\": no card is connected", r->name);
    if (r->driver->verify_pin == NULL)
        return TP_OK;
    rc = r->driver->verify_pin(r->self, ask, end, sw, e);
    if (rc == TP_OK)
        trace_verify(r, *end, *sw);
    return rc;
}
