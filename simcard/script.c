/* Issuer script commands: EMV 4.4 Book 3, 6.5.1 APPLICATION BLOCK, 6.5.2 APPLICATION UNBLOCK, 6.5.3
 * CARD BLOCK, 6.5.10 PIN CHANGE/UNBLOCK; ISO/IEC 7816-4 PUT DATA and UPDATE RECORD. Each is done
 * and durable before its 9000. */
#include "simcard/card_priv.h"

#include <string.h>

#include "base/bcd.h"
#include "crypto/pinblock.h"

#define PIN_UNBLOCK      0x00 /* P2 of PIN CHANGE/UNBLOCK */
#define PIN_WITH_CURRENT 0x01
#define PIN_WITHOUT      0x02
#define PIN_BLOCK_SIZE   8
#define PIN_DATA_VISA    16 /* enciphered length byte, block, padding */
#define COUNT_SIZE       1
#define AMOUNT_SIZE      6
#define PLAIN_MAX        255

/* ---- what each one does: with its plain data, on the state in memory ---- */

static uint16_t application_block(struct card *c, const struct capdu *in, struct span plain)
{
    (void)in;
    (void)plain;
    c->state.flags |= card_blocked_bit(c);
    return SW_OK;
}

static uint16_t application_unblock(struct card *c, const struct capdu *in, struct span plain)
{
    (void)in;
    (void)plain;
    c->state.flags &= (uint16_t) ~(STATE_APP_BLOCKED | STATE_TRIES_BLOCKED | card_blocked_bit(c));
    return SW_OK;
}

static uint16_t card_block(struct card *c, const struct capdu *in, struct span plain)
{
    (void)in;
    (void)plain;
    c->state.flags |= STATE_CARD_BLOCKED;
    return SW_OK;
}

/* The digits of a new PIN, out of the block that the kind of card has. */
static enum tp_err new_digits(const struct card *c, struct secret *digits, struct span block,
                              bool with_current)
{
    struct secret current = {NULL, 0};
    enum tp_err r = TP_OK;

    if (c->profile->cvn != EMV_CVN_10 && c->profile->cvn != EMV_CVN_18)
        return pin_block_parse(digits, block);
    if (with_current)
        r = pin_block_parse(&current, card_pin_block(c));
    if (r == TP_OK)
        r = pin_block_visa_parse(digits, secret_span(&c->profile->ac_key), block,
                                 secret_span(&current));
    secret_free(&current);
    return r;
}

static uint16_t pin_change(struct card *c, const struct capdu *in, struct span plain)
{
    struct secret digits = {NULL, 0}, block = {NULL, 0};
    uint16_t sw = SW_WRONG_DATA;

    if (in->p2 != PIN_UNBLOCK) {
        if (plain.n == PIN_BLOCK_SIZE &&
            new_digits(c, &digits, plain, in->p2 == PIN_WITH_CURRENT) == TP_OK &&
            pin_block_make(&block, secret_span(&digits)) == TP_OK) {
            memcpy(c->state.pin_block, block.p, sizeof(c->state.pin_block));
            c->state.flags |= STATE_PIN_CHANGED;
            sw = SW_OK;
        }
        secret_free(&digits);
        secret_free(&block);
        if (sw != SW_OK)
            return sw;
    }
    c->state.pin_tries = c->profile->pin_tries;
    return SW_OK;
}

static uint16_t put_data(struct card *c, const struct capdu *in, struct span plain)
{
    struct state_limits limits = card_limits(c);
    uint64_t amount = 0;

    if (plain.n == AMOUNT_SIZE && bcd_get(plain, &amount) != TP_OK)
        return SW_WRONG_DATA;
    switch ((uint32_t)in->p1 << 8 | in->p2) {
    case TAG_COUNT_LIMIT:
        limits.count_limit = plain.p[0];
        break;
    case TAG_COUNT_MAXIMUM:
        limits.count_maximum = plain.p[0];
        break;
    case TAG_AMOUNT_LIMIT:
        limits.amount_limit = amount;
        break;
    case TAG_AMOUNT_MAXIMUM:
        limits.amount_maximum = amount;
        break;
    default:
        return SW_REFERENCED_DATA_NOT_FOUND;
    }
    c->state.limits = limits;
    c->state.flags |= STATE_LIMITS_SET;
    return SW_OK;
}

/* A record there is gets other content; what the card itself works with (CDOLs, CVM list …) must
 * stay whole. */
static uint16_t update_record(struct card *c, const struct capdu *in, struct span plain)
{
    struct profile_record *record = profile_record(c->profile, in->p2 >> 3, in->p1);
    struct profile_record before;
    struct tp_error e;

    if (record == NULL || in->p2 >> 3 == CARD_LOG_SFI)
        return SW_RECORD_NOT_FOUND;
    if (plain.n == 0 || plain.n > sizeof(record->data))
        return SW_WRONG_LENGTH;
    before = *record;
    memcpy(record->data, plain.p, plain.n);
    record->n = plain.n;
    if (profile_index(c->profile, &e) == TP_OK) {
        if (state_change(&c->state, record->sfi, record->number, plain) == TP_OK)
            return SW_OK;
        *record = before;
        return profile_index(c->profile, &e) == TP_OK ? SW_NO_SPACE : SW_UNKNOWN;
    }
    *record = before;
    return profile_index(c->profile, &e) == TP_OK ? SW_WRONG_DATA : SW_UNKNOWN;
}

/* ---- the commands ---- */

/* How long the data before the MAC are in format 2, and whether P1 and P2 are ones the command has.
 */
static uint16_t no_data(const struct capdu *in, size_t *n)
{
    *n = 0;
    return in->p1 == 0 && in->p2 == 0 ? SW_OK : SW_WRONG_P1P2;
}

static uint16_t pin_data(const struct capdu *in, size_t *n)
{
    *n = in->p2 == PIN_UNBLOCK ? 0 : PIN_DATA_VISA;
    return in->p1 == 0 && in->p2 <= PIN_WITHOUT ? SW_OK : SW_WRONG_P1P2;
}

static uint16_t limit_data(const struct capdu *in, size_t *n)
{
    switch ((uint32_t)in->p1 << 8 | in->p2) {
    case TAG_COUNT_LIMIT:
    case TAG_COUNT_MAXIMUM:
        *n = COUNT_SIZE;
        return SW_OK;
    case TAG_AMOUNT_LIMIT:
    case TAG_AMOUNT_MAXIMUM:
        *n = AMOUNT_SIZE;
        return SW_OK;
    default:
        return SW_REFERENCED_DATA_NOT_FOUND;
    }
}

static uint16_t record_data(const struct capdu *in, size_t *n)
{
    struct span data = in->data;
    struct tlv template;

    *n = tlv_next(&data, &template) == TP_OK && template.tag == TAG_RECORD ? template.raw.n : 0;
    return (in->p2 & 0x07) == RECORD_BY_NUMBER && in->p1 != 0 ? SW_OK : SW_WRONG_P1P2;
}

static const struct script {
    uint8_t ins;
    uint16_t (*shape)(const struct capdu *in, size_t *n);
    uint16_t (*run)(struct card *c, const struct capdu *in, struct span plain);
} scripts[] = {
    {INS_APPLICATION_BLOCK, no_data, application_block},
    {INS_APPLICATION_UNBLOCK, no_data, application_unblock},
    {INS_CARD_BLOCK, no_data, card_block},
    {INS_PIN_CHANGE_UNBLOCK, pin_data, pin_change},
    {INS_PUT_DATA, limit_data, put_data},
    {INS_UPDATE_RECORD, record_data, update_record},
};

/* On the state in memory. A MAC is checked before all else that may be wrong with a command, since
 * a right one moves the chain on (Book 2, 9.2.3.1); in format 2, which has no chain, the command
 * must be one whose length is known: that is where its MAC stands. */
static uint16_t do_script(struct card *c, const struct script *s, const struct capdu *in)
{
    const bool new_pin = s->ins == INS_PIN_CHANGE_UNBLOCK && in->p2 != PIN_UNBLOCK;
    uint8_t raw[PLAIN_MAX];
    struct buf plain = BUF_OF(raw);
    size_t n = 0;
    const uint16_t shape = s->shape(in, &n);
    uint16_t sw;

    if (shape != SW_OK && !card_ccd(c))
        return shape;
    sw = card_unwrap(c, &plain, in, n, new_pin);
    if (sw == SW_OK)
        sw = shape;
    if (sw == SW_OK && !new_pin && s->ins != INS_UPDATE_RECORD && plain.n != n)
        sw = SW_WRONG_LENGTH;
    if (sw == SW_OK)
        sw = s->run(c, in, buf_span(&plain));
    secret_wipe(raw, sizeof(raw));
    return sw;
}

uint16_t card_script(struct card *c, const struct capdu *in, struct buf *out)
{
    const struct card_state before = c->state;
    struct profile_record *record =
        in->ins == INS_UPDATE_RECORD ? profile_record(c->profile, in->p2 >> 3, in->p1) : NULL;
    struct profile_record record_before = {.n = 0};
    struct tp_error e;
    size_t i = 0;
    uint16_t sw;

    (void)out;
    if (!c->session.scripts_open) /* only an issuer that this transaction reached may speak */
        return SW_CONDITIONS;
    if (record != NULL)
        record_before = *record;
    while (scripts[i].ins != in->ins)
        i++;
    sw = c->session.scripts_broken ? SW_SM_OBJECTS_WRONG : do_script(c, &scripts[i], in);
    if (sw == SW_OK) {
        c->state.scripts =
            c->state.scripts < STATE_SCRIPTS_MAX ? c->state.scripts + 1 : STATE_SCRIPTS_MAX;
        c->session.scripts_done = c->session.scripts_done < STATE_SCRIPTS_MAX
                                      ? c->session.scripts_done + 1
                                      : STATE_SCRIPTS_MAX;
    } else {
        c->state.flags |= STATE_SCRIPT_FAILED;
        c->session.script_failed = true;
        /* A wrong MAC is somebody who guesses, and here guesses no more. */
        c->session.scripts_broken |= sw == SW_SM_OBJECTS_WRONG;
    }
    if (card_state_write(c, STATE_SYNC) == TP_OK)
        return sw;
    c->state = before;
    if (record != NULL)
        *record = record_before;
    return profile_index(c->profile, &e) == TP_OK ? SW_MEMORY_FAILURE : SW_UNKNOWN;
}
