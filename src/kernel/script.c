/* Issuer-to-card script processing: EMV 4.4 Book 3, 10.10; Book 4, 6.3.9; results: Book 4, Annex
 * A5. */
#include "kernel/kernel_priv.h"

#include <string.h>

#define SEQUENCE_MAX 15 /* low half of a result: which command failed; 15 and above */
#define ID_SIZE      4

struct script { /* borrowed from the issuer's answer */
    uint8_t id[ID_SIZE];
    struct span commands;
};

/* A command of a script as the card is sent it: one with a short form (Book 3, 6.3.1). */
static enum tp_err command_parse(struct capdu *out, struct span value)
{
    if (capdu_parse(out, value) != TP_OK || out->data.n > 255 || out->le > 256)
        return TP_ERR_FORMAT;
    return TP_OK;
}

/* 9F18 if there is one, then commands (86) and nothing else: 10.10. A script that is not read to
 * its end is not begun. TP_ERR_FORMAT. */
static enum tp_err parse(struct script *out, struct span value)
{
    struct tlv object;
    struct capdu command;
    enum tp_err r;

    *out = (struct script){.commands = value};
    while ((r = tlv_next(&value, &object)) == TP_OK) {
        if (object.tag == TAG_SCRIPT_ID && object.raw.p == out->commands.p &&
            object.value.n == ID_SIZE) {
            memcpy(out->id, object.value.p, ID_SIZE);
            out->commands = value;
        } else if (object.tag != TAG_SCRIPT_COMMAND ||
                   command_parse(&command, object.value) != TP_OK) {
            return TP_ERR_FORMAT;
        }
    }
    return r == TP_ERR_NOT_FOUND ? TP_OK : r;
}

/* Normal (90, 61) or a warning (62, 63); only SW1 counts. */
static bool goes_on(uint16_t sw)
{
    const unsigned family = sw & SW_FAMILY;

    return family == SW_OK || family == SW_MORE_DATA || family == SW_WARNING_UNCHANGED ||
           family == SW_WARNING_CHANGED;
}

/* The commands in their order up to the first error. A card that leaves failed the command, too. */
static enum tp_err run(struct transaction *tx, struct span commands, uint8_t *result)
{
    struct tlv object;

    *result = SCRIPT_RESULT_SUCCESSFUL;
    for (unsigned i = 1; tlv_next(&commands, &object) == TP_OK; i++) {
        struct capdu command;
        struct span nothing;
        uint16_t sw = 0;
        enum tp_err r = command_parse(&command, object.value);

        if (r == TP_OK)
            r = command_send(tx, &command, &nothing, &sw);
        if (r != TP_OK || !goes_on(sw)) {
            *result = (uint8_t)(SCRIPT_RESULT_FAILED | (i < SEQUENCE_MAX ? i : SEQUENCE_MAX));
            return r;
        }
    }
    return TP_OK;
}

/* One more result behind those of the scripts before. */
static enum tp_err report(struct transaction *tx, uint8_t result, const uint8_t id[ID_SIZE])
{
    uint8_t raw[1 + ID_SIZE +
                KERNEL_SCRIPTS_MAX / 2 * (1 + ID_SIZE)]; /* a template has two bytes at least */
    struct buf all = BUF_OF(raw);
    enum tp_err r = buf_put(&all, data_get(tx, TAG_SCRIPT_RESULTS));

    if (r == TP_OK)
        r = buf_u8(&all, result);
    if (r == TP_OK)
        r = buf_put(&all, span_of(id, ID_SIZE));
    if (r != TP_OK)
        return tp_fail(tx->e, TP_ERR_INTERNAL, "the results of the issuer's scripts do not fit");
    return data_put(tx, TAG_SCRIPT_RESULTS, FROM_TERMINAL, buf_span(&all));
}

/* The next template of that kind; others are passed over. A stream that ends within a template
 * gives that one, with *whole false. TP_ERR_NOT_FOUND. */
static enum tp_err next(struct span *stream, uint32_t kind, struct tlv *out, bool *whole)
{
    struct span broken;
    enum tp_err r;

    *whole = true;
    while ((r = tlv_next(stream, out)) == TP_OK)
        if (out->tag == kind)
            return TP_OK;
    if (r == TP_ERR_NOT_FOUND)
        return r;
    broken = *stream;
    *stream = (struct span){NULL, 0};
    *whole = false;
    *out = (struct tlv){0};
    return tlv_next_tag(&broken, &out->tag) == TP_OK && out->tag == kind ? TP_OK : TP_ERR_NOT_FOUND;
}

enum tp_err scripts_run(struct transaction *tx, uint32_t kind)
{
    struct span stream = span_of(tx->issuer.scripts.p, tx->issuer.scripts.n);
    enum tp_err gone = TP_OK;
    struct tlv template;
    bool whole;

    while (next(&stream, kind, &template, &whole) == TP_OK) {
        struct script script = {0};
        uint8_t result = SCRIPT_RESULT_NOT_PERFORMED;
        enum tp_err r;

        tx_step(tx, KERNEL_SCRIPT);
        tsi_set(tx, TSI_SCRIPT);
        if (whole && parse(&script, template.value) == TP_OK && gone == TP_OK)
            gone = run(tx, script.commands, &result);
        if (result != SCRIPT_RESULT_SUCCESSFUL)
            tvr_set(tx, kind == TAG_SCRIPT_71 ? TVR_SCRIPT_FAILED_BEFORE : TVR_SCRIPT_FAILED_AFTER);
        r = report(tx, result, script.id);
        if (r != TP_OK)
            return r;
    }
    return gone;
}
