#include "drivers/ccid_message.h"

/* bError, 6.2.6, by code. The words go after "reader "…": ". */
static const struct ccid_error errors[] = {
    {0xE0, TP_ERR_STATE, "the slot is busy with another command: try again"},
    {0xEF, TP_ERR_CANCELLED, "the PIN entry was cancelled on the reader"},
    {0xF0, TP_ERR_CANCELLED, "no PIN was typed on the reader in time"},
    {0xF2, TP_ERR_STATE, "the reader is busy with the card: try again"},
    {0xF3, TP_ERR_CARD,
     "the protocol with the card is no longer active: take the card out and insert it again"},
    {0xF4, TP_ERR_CARD, "the card answered in the middle of a command in a way it may not"},
    {0xF5, TP_ERR_CARD, "the card does not work at the voltages this reader offers"},
    {0xF6, TP_ERR_CARD, "the reader does not speak the card's protocol"},
    {0xF7, TP_ERR_CARD,
     "the card's answer to reset has a wrong check byte: take the card out, clean the contacts and "
     "try again"},
    {0xF8, TP_ERR_CARD,
     "the card's answer to reset is not valid: is it a bank card, chip up and forward?"},
    {0xFB, TP_ERR_NO_READER, "the reader reports a hardware fault: unplug it, plug it in again"},
    {0xFC, TP_ERR_CARD, "the card sent faster than the reader could follow: try again"},
    {0xFD, TP_ERR_CARD,
     "data between reader and card was lost: take the card out, clean the contacts and try again"},
    {0xFE, TP_ERR_CARD,
     "the card does not answer: is it upside down, or the wrong way round? Take it out and insert "
     "it chip first, chip up"},
    {0xFF, TP_ERR_CANCELLED, "the command was stopped"},
};

enum {
    ERROR_NOT_SUPPORTED = 0x00,
    ERROR_FIRST_OFFSET = 0x01,
    ERROR_LAST_OFFSET = 0x7F,
    ERROR_SLOT = 5,
    ERROR_MUTE = 0xFE
};

/* Numbers on USB have the low byte first. */
static enum tp_err put_le32(struct buf *out, size_t v)
{
    const uint8_t raw[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};

    return buf_put(out, SPAN_OF(raw));
}

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

enum tp_err ccid_message_put(struct buf *out, const struct ccid_head *head, struct span data)
{
    const uint8_t rest[5] = {head->slot, head->seq, head->specific[0], head->specific[1],
                             head->specific[2]};
    enum tp_err rc;

    if (data.n > CCID_MESSAGE_MAX - CCID_HEADER || out->cap - out->n < CCID_HEADER + data.n)
        return TP_ERR_RANGE;
    rc = buf_u8(out, (uint8_t)head->type);
    if (rc == TP_OK)
        rc = put_le32(out, data.n);
    if (rc == TP_OK)
        rc = buf_put(out, SPAN_OF(rest));
    return rc == TP_OK ? buf_put(out, data) : rc;
}

enum tp_err ccid_message_parse(struct ccid_reply *r, struct span raw)
{
    uint32_t n;

    if (raw.n < CCID_HEADER)
        return TP_ERR_FORMAT;
    n = le32(raw.p + 1);
    if (n > raw.n - CCID_HEADER || (raw.p[7] & 0x03) == 3 || raw.p[7] >> 6 == 3)
        return TP_ERR_FORMAT;
    *r = (struct ccid_reply){
        .type = raw.p[0],
        .slot = raw.p[5],
        .seq = raw.p[6],
        .icc = raw.p[7] & 0x03,
        .command = raw.p[7] >> 6,
        .error = raw.p[8],
        .specific = raw.p[9],
        .data = span_of(raw.p + CCID_HEADER, n),
    };
    return TP_OK;
}

enum ccid_in ccid_reply_type(enum ccid_out type)
{
    switch (type) {
    case CCID_ICC_POWER_ON:
    case CCID_XFR_BLOCK:
    case CCID_SECURE:
        return CCID_DATA_BLOCK;
    case CCID_SET_PARAMETERS:
    case CCID_GET_PARAMETERS:
    case CCID_RESET_PARAMETERS:
        return CCID_PARAMETERS;
    default:
        return CCID_SLOT_STATUS;
    }
}

const struct ccid_error *ccid_error_at(size_t i)
{
    return i < sizeof(errors) / sizeof(errors[0]) ? &errors[i] : NULL;
}

enum tp_err ccid_message_fail(struct tp_error *e, const struct ccid_reply *r)
{
    if (r->icc == CCID_ICC_ABSENT)
        return tp_fail(e, TP_ERR_CARD, "the card was taken out: insert it and start again");
    if (r->icc == CCID_ICC_INACTIVE && r->error == ERROR_MUTE && r->type == CCID_DATA_BLOCK)
        return tp_fail(
            e, TP_ERR_CARD,
            "the card stopped answering, or has no power: take it out and insert it again");
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (errors[i].code == r->error)
            return tp_fail(e, errors[i].err, "%s", errors[i].words);
    if (r->error == ERROR_NOT_SUPPORTED)
        return tp_fail(e, TP_ERR_NO_READER,
                       "the reader does not know the command that was sent to it");
    if (r->error == ERROR_SLOT)
        return tp_fail(e, TP_ERR_NO_READER, "the reader has no slot %u", r->slot);
    if (r->error >= ERROR_FIRST_OFFSET && r->error <= ERROR_LAST_OFFSET)
        return tp_fail(e, TP_ERR_NO_READER,
                       "the reader does not accept byte %u of the command that was sent to it",
                       r->error);
    return tp_fail(
        e, TP_ERR_NO_READER,
        "the reader reports fault %02X, which only its maker knows: unplug it, plug it in again",
        r->error);
}

enum tp_err ccid_parameters_put(struct buf *out, const struct atr *a, unsigned protocol,
                                uint8_t ta1)
{
    const uint8_t convention = a->inverse ? 0x02 : 0x00;
    const uint8_t t0[5] = {ta1, convention, a->n, a->wi, a->clock_stop};
    const uint8_t t1[7] = {ta1,           (uint8_t)(0x10 | convention | (a->crc ? 1 : 0)),
                           a->n,          (uint8_t)(a->bwi << 4 | a->cwi),
                           a->clock_stop, a->ifsc,
                           0x00};

    return protocol == 0 ? buf_put(out, SPAN_OF(t0)) : buf_put(out, SPAN_OF(t1));
}

enum tp_err ccid_pin_verify_put(struct buf *out, const struct ccid_pin *p)
{
    const uint8_t head[] = {
        0x00, /* bPINOperation: verification */
        p->timeout_s,
        0x89, /* bmFormatString: in bytes; the PIN begins one byte into the data; left; BCD */
        0x47, /* bmPINBlockString: its length is in 4 bits; the block has 7 bytes after that of the
                 length */
        0x04, /* bmPINLengthFormat: in bits; the length stands 4 bits into the data */
        p->max,
        p->min, /* wPINMaxExtraDigit */
        0x02,   /* bEntryValidationCondition: the person presses the key that says "done" */
        p->message ? 1 : 0,   /* bNumberMessage */
        (uint8_t)p->language, /* wLangId */
        (uint8_t)(p->language >> 8),
        0x00, /* bMsgIndex: the reader's own "enter PIN" */
        p->prologue[0],
        p->prologue[1],
        p->prologue[2],
    };
    /* The command with an empty block: 2 is the format, 0 the length, F the filler. */
    static const uint8_t verify[] = {0x00, 0x20, 0x00, 0x80, 0x08, 0x20, 0xFF,
                                     0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

    if (p->min < 4 || p->max > 12 || p->min > p->max ||
        out->cap - out->n < sizeof(head) + sizeof(verify))
        return TP_ERR_RANGE;
    const enum tp_err rc = buf_put(out, SPAN_OF(head));

    return rc == TP_OK ? buf_put(out, SPAN_OF(verify)) : rc;
}
