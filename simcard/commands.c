/* The commands that read: GET PROCESSING OPTIONS, READ RECORD, GET DATA. EMV 4.4 Book 3, 6.5. */
#include "simcard/card_priv.h"

#include <string.h>

#include "apdu/dol.h"
#include "base/bcd.h"

#define TAG_COMMAND_TEMPLATE 0x83
#define ATC_LAST             0xFFFF

/* ---- GET PROCESSING OPTIONS: Book 3, 6.5.8 ---- */

/* The one object 83 with exactly the bytes the PDOL asks for. */
static uint16_t take_pdol_values(struct card *c, struct span data)
{
    struct tlv template;
    size_t want;

    if (tlv_next(&data, &template) != TP_OK || template.tag != TAG_COMMAND_TEMPLATE || data.n != 0)
        return SW_WRONG_DATA;
    if (dol_length(span_of(c->profile->pdol.p, c->profile->pdol.n), &want) != TP_OK)
        return SW_UNKNOWN;
    if (template.value.n != want || want > sizeof(c->session.pdol.p))
        return SW_WRONG_LENGTH;
    memcpy(c->session.pdol.p, template.value.p, want);
    c->session.pdol.n = want;
    return SW_OK;
}

/* A card with keys of both kinds goes by the terminal's capabilities, which its PDOL asks for
 * (10.3); one that does not ask gives those of RSA, if it has them. */
static bool chooses_xda(const struct card *c)
{
    const struct card_request q = {c, {NULL, 0}, {NULL, 0}, false};
    struct span capabilities;

    if (!profile_has_xda(c->profile))
        return false;
    if (card_request_find(&q, TAG_TERMINAL_CAPABILITIES, &capabilities) && capabilities.n == 3)
        return (capabilities.p[2] & CAP3_XDA) != 0;
    return (c->profile->aip[0] & (AIP_SDA | AIP_DDA | AIP_CDA)) == 0;
}

static enum tp_err put_options(const struct card *c, struct buf *out)
{
    const struct profile_bytes *list = c->session.xda ? &c->profile->xda.afl : &c->profile->afl;
    const struct span aip = {card_aip(c), 2}, afl = {list->p, list->n};
    enum tp_err r;

    if (c->profile->format == 1) { /* AIP and AFL one after the other */
        r = tlv_put_header(out, TAG_RESPONSE_1, aip.n + afl.n);
        if (r == TP_OK)
            r = buf_put(out, aip);
        return r == TP_OK ? buf_put(out, afl) : r;
    }
    r = tlv_put_header(out, TAG_RESPONSE_2, tlv_size(TAG_AIP, aip.n) + tlv_size(TAG_AFL, afl.n));
    if (r == TP_OK)
        r = tlv_put(out, TAG_AIP, aip);
    return r == TP_OK ? tlv_put(out, TAG_AFL, afl) : r;
}

uint16_t card_get_processing_options(struct card *c, const struct capdu *in, struct buf *out)
{
    uint16_t sw;

    if (in->p1 != 0 || in->p2 != 0)
        return SW_WRONG_P1P2;
    if (c->session.phase != PHASE_APP ||
        c->state.atc == ATC_LAST) /* Book 2, D3: a counter that is full ends the application */
        return SW_CONDITIONS;
    sw = take_pdol_values(c, in->data);
    if (sw != SW_OK)
        return sw;
    /* The counter is durable before anybody can see it, so that no power loss makes the card use it
     * again. */
    c->state.atc++;
    if (card_state_write(c, STATE_SYNC) != TP_OK)
        return SW_MEMORY_FAILURE;
    c->session.atc = fault_atc(&c->faults, c->state.atc);
    c->session.history = c->state.flags;
    c->session.phase = PHASE_STARTED;
    c->session.xda = chooses_xda(c);
    ode_end(&c->ode);
    return put_options(c, out) == TP_OK ? SW_OK : SW_UNKNOWN;
}

/* ---- READ RECORD: Book 3, 6.5.11 ---- */

uint16_t card_read_record(struct card *c, const struct capdu *in, struct buf *out)
{
    const uint8_t sfi = in->p2 >> 3;
    const struct profile_record *record;

    if ((in->p2 & 0x07) != RECORD_BY_NUMBER || sfi == 0 || sfi == 31)
        return SW_WRONG_P1P2;
    if (in->data.n != 0)
        return SW_WRONG_LENGTH;
    if (c->session.phase == PHASE_PSE)
        return sfi == CARD_DIRECTORY_SFI ? card_directory_record(c, in->p1, out)
                                         : SW_FILE_NOT_FOUND;
    if (c->session.phase < PHASE_APP)
        return SW_CONDITIONS;
    if (sfi == CARD_LOG_SFI)
        return card_log_read(c, in->p1, out);
    if (c->session.phase < PHASE_STARTED) /* the records belong to a transaction */
        return SW_CONDITIONS;
    record = profile_record(c->profile, sfi, in->p1);
    if (record == NULL)
        return SW_RECORD_NOT_FOUND;
    return buf_put(out, span_of(record->data, record->n)) == TP_OK ? SW_OK : SW_UNKNOWN;
}

/* ---- GET DATA: Book 3, 6.5.7 ---- */

static enum tp_err put_number(struct buf *out, uint32_t tag, uint16_t v)
{
    const uint8_t raw[2] = {(uint8_t)(v >> 8), (uint8_t)v};

    return tlv_put(out, tag, SPAN_OF(raw));
}

/* A limit of one byte: FF for 255 and more. */
static enum tp_err put_count(struct buf *out, uint32_t tag, uint16_t v)
{
    const uint8_t byte = v < UINT8_MAX ? (uint8_t)v : UINT8_MAX;

    return tlv_put(out, tag, span_of(&byte, 1));
}

static enum tp_err put_amount(struct buf *out, uint32_t tag, uint64_t v)
{
    uint8_t raw[6];
    struct buf b = BUF_OF(raw);
    const enum tp_err r = bcd_put(&b, v, 12);

    return r == TP_OK ? tlv_put(out, tag, buf_span(&b)) : r;
}

uint16_t card_get_data(struct card *c, const struct capdu *in, struct buf *out)
{
    const uint8_t tries = card_tries_shown(c);
    const struct state_limits limits = card_limits(c);
    const uint32_t tag = (uint32_t)in->p1 << 8 | in->p2;
    enum tp_err r;

    if (in->data.n != 0)
        return SW_WRONG_LENGTH;
    if (c->session.phase < PHASE_APP)
        return SW_CONDITIONS;
    switch (tag) {
    case TAG_ATC:
        r = put_number(out, tag, fault_atc(&c->faults, c->state.atc));
        break;
    case TAG_LAST_ONLINE_ATC:
        r = put_number(out, tag, c->state.last_online_atc);
        break;
    case TAG_PIN_TRIES:
        r = tlv_put(out, tag, span_of(&tries, 1));
        break;
    case TAG_LOG_FORMAT:
        r = tlv_put(out, tag, card_log_format());
        break;
    case TAG_COUNT_LIMIT:
        r = put_count(out, tag, limits.count_limit);
        break;
    case TAG_COUNT_MAXIMUM:
        r = put_count(out, tag, limits.count_maximum);
        break;
    case TAG_AMOUNT_LIMIT:
        r = put_amount(out, tag, limits.amount_limit);
        break;
    case TAG_AMOUNT_MAXIMUM:
        r = put_amount(out, tag, limits.amount_maximum);
        break;
    default:
        return SW_REFERENCED_DATA_NOT_FOUND;
    }
    return r == TP_OK ? SW_OK : SW_UNKNOWN;
}
