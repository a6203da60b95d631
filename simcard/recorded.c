#include "simcard/recorded.h"

#include <string.h>

#include "apdu/apdu.h"
#include "apdu/sw.h"

#define HEADER 4 /* CLA INS P1 P2 */

/* The commands whose data differ from one transaction to the next: EMV 4.4 Book 3, 6.5. The data of
 * others name what is wanted. */
static bool data_differ(uint8_t ins)
{
    switch (ins) {
    case INS_GENERATE_AC:
    case INS_VERIFY:
    case INS_INTERNAL_AUTHENTICATE:
    case INS_EXTERNAL_AUTHENTICATE:
    case INS_GET_PROCESSING_OPTIONS:
    case INS_GET_CHALLENGE:
    case INS_PIN_CHANGE_UNBLOCK:
        return true;
    default:
        return false;
    }
}

/* The same but for Le: another terminal may know the length, or want 256 bytes. */
static bool same_data(const struct transcript_exchange *x, struct span command)
{
    const struct span recorded = masked_filled(&x->command);
    struct capdu then, now;
    struct masked data;

    if (capdu_parse(&then, recorded) != TP_OK || capdu_parse(&now, command) != TP_OK)
        return false;
    if (then.data.n == 0)
        return now.data.n == 0;
    data =
        (struct masked){then.data.p, x->command.hidden + (then.data.p - recorded.p), then.data.n};
    return masked_matches(&data, now.data);
}

static bool matches(const struct transcript_exchange *x, struct span command, enum recorded_how how)
{
    const uint8_t *recorded = x->command.value;

    switch (how) {
    case RECORDED_EXACT:
        return masked_matches(&x->command, command);
    case RECORDED_HEADER:
        return memcmp(recorded, command.p, HEADER) == 0 &&
               (data_differ(command.p[1]) || same_data(x, command));
    case RECORDED_INS:
        return command.p[1] == INS_GENERATE_AC && recorded[0] == command.p[0] &&
               recorded[1] == INS_GENERATE_AC;
    case RECORDED_NONE:
        break;
    }
    return false;
}

/* From where the transcript was left, once round. */
static const struct transcript_exchange *find(const struct recorded_card *c, struct span command,
                                              enum recorded_how how, size_t *at)
{
    const struct transcript_exchange *x;

    for (*at = c->at; (x = transcript_at(c->transcript, *at)) != NULL; (*at)++)
        if (matches(x, command, how))
            return x;
    for (*at = 0; *at < c->at && (x = transcript_at(c->transcript, *at)) != NULL; (*at)++)
        if (matches(x, command, how))
            return x;
    return NULL;
}

static bool has_ins(const struct recorded_card *c, uint8_t ins)
{
    const struct transcript_exchange *x;

    for (size_t i = 0; (x = transcript_at(c->transcript, i)) != NULL; i++)
        if (x->command.value[1] == ins)
            return true;
    return false;
}

/* What a card says that has not what is asked for: ISO/IEC 7816-4, table 6. */
static uint16_t refusal(const struct recorded_card *c, uint8_t ins)
{
    switch (ins) {
    case INS_SELECT:
        return SW_FILE_NOT_FOUND;
    case INS_READ_RECORD:
        return SW_RECORD_NOT_FOUND;
    case INS_GET_DATA:
        return SW_REFERENCED_DATA_NOT_FOUND;
    default:
        return has_ins(c, ins) ? SW_CONDITIONS : SW_INS_NOT_SUPPORTED;
    }
}

static enum tp_err refuse(struct recorded_card *c, struct span command, struct buf *response)
{
    const uint16_t sw = command.n < HEADER ? SW_WRONG_LENGTH : refusal(c, command.p[1]);
    const uint8_t answer[2] = {(uint8_t)(sw >> 8), (uint8_t)sw};

    if (c->played != NULL)
        c->played(c->ctx, RECORDED_NONE, 0, command, SPAN_OF(answer));
    return buf_put(response, SPAN_OF(answer));
}

static enum tp_err transmit(void *ctx, struct span command, struct buf *response)
{
    struct recorded_card *c = ctx;
    const struct transcript_exchange *x = NULL;
    enum recorded_how how = RECORDED_EXACT;
    size_t at = 0;

    if (!c->powered)
        return TP_ERR_STATE;
    while (command.n >= HEADER && how < RECORDED_NONE && (x = find(c, command, how, &at)) == NULL)
        how++;
    if (x == NULL)
        return refuse(c, command, response);
    c->at = at + 1;
    if (c->played != NULL)
        c->played(c->ctx, how, x->line, command, masked_filled(&x->answer));
    return x->answer.n == 0 ? TP_ERR_CARD : buf_put(response, masked_filled(&x->answer));
}

static enum tp_err atr(void *ctx, struct buf *out)
{
    static const uint8_t t1[] = {
        0x3B, 0x80, 0x01,
        0x81}; /* ISO/IEC 7816-3, 8.2: T=1; the check byte is the exclusive or of all from T0 on */
    const struct recorded_card *c = ctx;
    const size_t before = out->n;
    struct tp_error ignored;

    if (transcript_bytes(out, c->transcript, "atr", &ignored) == TP_OK && out->n > before)
        return TP_OK;
    return buf_put(out, SPAN_OF(t1));
}

static enum tp_err power_on(void *ctx, struct buf *out)
{
    struct recorded_card *c = ctx;

    c->powered = true;
    c->at = 0;
    return atr(c, out);
}

static void power_off(void *ctx)
{
    struct recorded_card *c = ctx;

    c->powered = false;
}

static bool gone(void *ctx)
{
    (void)ctx;
    return false;
}

struct vpcd_card recorded_vpcd(struct recorded_card *card)
{
    return (struct vpcd_card){card, atr, power_on, power_off, transmit, gone};
}
