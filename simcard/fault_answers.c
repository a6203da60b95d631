/* What a card answers that goes wrong: commands and answers changed on their way, as a shim between
 * card and terminal could do it. */
#include <openssl/rand.h>
#include <string.h>

#include "apdu/emvbits.h"
#include "apdu/emvtags.h"
#include "apdu/sw.h"
#include "apdu/tlv.h"
#include "simcard/fault.h"

#define CLA_SECURED     0x04 /* secure messaging: Book 3, 6.3.1 */
#define SHORT_CHALLENGE 4
#define LESS            0x10 /* bytes that wait, or the Le that would do */
#define IAD_TOO_LONG    40

static const uint8_t pse_name[] = {'1', 'P', 'A', 'Y', '.', 'S', 'Y',
                                   'S', '.', 'D', 'D', 'F', '0', '1'};

/* ---- power, presence ---- */

void fault_atr(const struct fault_set *f, struct buf *atr)
{
    if (f->on[FAULT_BAD_ATR])
        atr->p[atr->n - 1] ^= 0x5A;
}

enum fault_fate fault_before(struct fault_set *f)
{
    if (f->commands < UINT32_MAX)
        f->commands++;
    if (f->on[FAULT_TORN_OUT] && f->commands == f->number[FAULT_TORN_OUT])
        return FATE_GONE;
    if (f->on[FAULT_MUTE] && f->commands >= f->number[FAULT_MUTE])
        return FATE_MUTE;
    return FATE_LIVE;
}

/* ---- the command ---- */

static bool is_script(const struct capdu *in)
{
    return (in->cla & CLA_SECURED) != 0;
}

/* Answered in the card's place. In the order of the table; the first one that speaks decides. */
static bool answered(const struct fault_set *f, const struct capdu *in, uint16_t *sw)
{
    const bool select = in->ins == INS_SELECT;
    const struct {
        enum fault which;
        bool meant;
        uint16_t sw;
    } all[] = {
        {FAULT_BLOCKED_CARD, select, SW_FUNCTION_NOT_SUPPORTED},
        {FAULT_EMPTY_PSE, in->ins == INS_READ_RECORD && f->in_directory, SW_RECORD_NOT_FOUND},
        {FAULT_STATUS, !select && !f->in_directory, (uint16_t)f->number[FAULT_STATUS]},
        {FAULT_GPO_REFUSED, in->ins == INS_GET_PROCESSING_OPTIONS, SW_CONDITIONS},
        {FAULT_PIN_WEDGE, in->ins == INS_VERIFY, SW_OK},
        {FAULT_UNDECIPHERED, in->ins == INS_VERIFY && in->p2 == VERIFY_ENCIPHERED_PIN,
         SW_REFERENCE_INVALIDATED},
        {FAULT_TRIES_HIDDEN,
         in->ins == INS_GET_DATA && ((uint32_t)in->p1 << 8 | in->p2) == TAG_PIN_TRIES,
         SW_REFERENCED_DATA_NOT_FOUND},
        {FAULT_ISSUER_REFUSED, in->ins == INS_EXTERNAL_AUTHENTICATE, SW_AUTHENTICATION_FAILED},
        {FAULT_SCRIPT_REFUSED, is_script(in), SW_CONDITIONS},
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (f->on[all[i].which] && all[i].meant) {
            *sw = all[i].sw;
            return true;
        }
    return false;
}

bool fault_command(struct fault_set *f, struct span pin_block, struct capdu *in, uint16_t *sw)
{
    if (in->ins == INS_SELECT)
        f->in_directory = span_eq(in->data, SPAN_OF(pse_name));
    if (answered(f, in, sw))
        return true;
    if (in->ins == INS_GENERATE_AC && (f->on[FAULT_UNSIGNED_CDA] || f->on[FAULT_FORMAT_1_CDA]))
        in->p1 &= (uint8_t) ~(AC_CDA | AC_XDA);
    if (in->ins == INS_VERIFY &&
        f->on[FAULT_YES_CARD]) { /* the right one in its place: the card itself knows no better */
        in->p2 = VERIFY_PLAINTEXT_PIN;
        in->data = pin_block;
    }
    return false;
}

/* ---- the answer's data ---- */

/* Data that do not fit leave the answer as it was. */
static void set_data(struct buf *data, struct span with)
{
    struct buf again = {data->p, 0, data->cap};

    if (buf_put(&again, with) == TP_OK)
        data->n = again.n;
}

/* Writes the objects of an answer in template 77 (or 80 as it is) again, each through fn; an answer
 * that does not fit stays as it was. */
typedef enum tp_err edit(struct buf *out, const struct tlv *object);

static void edit_objects(struct buf *data, edit *fn)
{
    uint8_t raw_inner[APDU_SHORT_RESPONSE_MAX], raw[APDU_SHORT_RESPONSE_MAX - 2];
    struct buf inner = BUF_OF(raw_inner), whole = BUF_OF(raw);
    struct span in = buf_span(data);
    struct tlv template, object;

    if (tlv_next(&in, &template) != TP_OK || template.tag != TAG_RESPONSE_2)
        return;
    while (tlv_next(&template.value, &object) == TP_OK)
        if (fn(&inner, &object) != TP_OK)
            return;
    if (tlv_put(&whole, TAG_RESPONSE_2, buf_span(&inner)) != TP_OK)
        return;
    set_data(data, buf_span(&whole));
}

/* Template 80 cut or kept to n bytes of value. */
static void cut_format_1(struct buf *data, size_t n)
{
    uint8_t raw[APDU_SHORT_RESPONSE_MAX];
    struct buf whole = BUF_OF(raw);
    struct span in = buf_span(data);
    struct tlv template;

    if (tlv_next(&in, &template) != TP_OK || template.tag != TAG_RESPONSE_1 ||
        template.value.n < n ||
        tlv_put(&whole, TAG_RESPONSE_1, span_of(template.value.p, n)) != TP_OK)
        return;
    set_data(data, buf_span(&whole));
}

/* The value of a tag in template 77, or the bytes at an offset in template 80; to be written to,
 * NULL when there is none. */
static uint8_t *value_in(struct buf *data, uint32_t tag, size_t offset_1)
{
    struct span in = buf_span(data);
    struct tlv template, object;

    if (tlv_next(&in, &template) != TP_OK)
        return NULL;
    if (template.tag == TAG_RESPONSE_1 && template.value.n > offset_1)
        return data->p + (template.value.p - data->p) + offset_1;
    if (template.tag == TAG_RESPONSE_2 && tlv_find(template.value, tag, &object) == TP_OK &&
        object.value.n > 0)
        return data->p + (object.value.p - data->p);
    return NULL;
}

static enum tp_err shorten_sdad(struct buf *out, const struct tlv *object)
{
    if (object->tag != TAG_SDAD || object->value.n == 0)
        return buf_put(out, object->raw);
    return tlv_put(out, TAG_SDAD, span_of(object->value.p, object->value.n - 1));
}

static enum tp_err add_ac(struct buf *out, const struct tlv *object)
{
    static const uint8_t ac[8] = {0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5};
    const enum tp_err r = object->tag == TAG_SDAD ? tlv_put(out, TAG_AC, SPAN_OF(ac)) : TP_OK;

    return r == TP_OK ? buf_put(out, object->raw) : r;
}

static enum tp_err double_cid(struct buf *out, const struct tlv *object)
{
    static const uint8_t tc = AC_TC;
    const enum tp_err r = object->tag == TAG_CID ? tlv_put(out, TAG_CID, span_of(&tc, 1)) : TP_OK;

    return r == TP_OK ? buf_put(out, object->raw) : r;
}

static enum tp_err lengthen_iad(struct buf *out, const struct tlv *object)
{
    uint8_t raw[IAD_TOO_LONG] = {0};

    if (object->tag != TAG_IAD || object->value.n > sizeof(raw))
        return buf_put(out, object->raw);
    memcpy(raw, object->value.p, object->value.n);
    return tlv_put(out, TAG_IAD, SPAN_OF(raw));
}

static enum tp_err drop_afl(struct buf *out, const struct tlv *object)
{
    return object->tag == TAG_AFL ? TP_OK : buf_put(out, object->raw);
}

/* 77 { 9F27 9F36 9F26 9F10 } as 80: Book 3, 6.5.5.4. */
static void to_format_1(struct buf *data)
{
    static const uint32_t tags[] = {TAG_CID, TAG_ATC, TAG_AC, TAG_IAD};
    uint8_t raw_inner[APDU_SHORT_RESPONSE_MAX], raw[APDU_SHORT_RESPONSE_MAX];
    struct buf inner = BUF_OF(raw_inner), whole = BUF_OF(raw);
    struct span in = buf_span(data);
    struct tlv template, object;

    if (tlv_next(&in, &template) != TP_OK || template.tag != TAG_RESPONSE_2)
        return;
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
        if (tlv_find(template.value, tags[i], &object) != TP_OK ||
            buf_put(&inner, object.value) != TP_OK)
            return;
    if (tlv_put(&whole, TAG_RESPONSE_1, buf_span(&inner)) != TP_OK)
        return;
    set_data(data, buf_span(&whole));
}

/* The first answer is kept, and given in the place of each later one. */
static void replay(struct fault_set *f, struct buf *data)
{
    struct buf kept = BUF_OF(f->kept);

    if (f->kept_n > 0)
        set_data(data, span_of(f->kept, f->kept_n));
    else if (buf_put(&kept, buf_span(data)) == TP_OK)
        f->kept_n = kept.n;
}

static void answer_generate_ac(struct fault_set *f, struct buf *data)
{
    const bool second = f->second_ac;
    uint8_t *cid;

    if (f->on[FAULT_FORMAT_1_CDA])
        to_format_1(data);
    if (f->on[FAULT_SHORT_SDAD])
        edit_objects(data, shorten_sdad);
    if (f->on[FAULT_AC_BESIDE_SDAD])
        edit_objects(data, add_ac);
    if (f->on[FAULT_LONG_IAD])
        edit_objects(data, lengthen_iad);
    cid = value_in(data, TAG_CID, 0);
    if (cid != NULL && f->on[FAULT_ARQC_AGAIN] && second)
        *cid = AC_ARQC;
    if (cid != NULL && f->on[FAULT_RESERVED_CID])
        *cid |= AC_TYPE;
    if (f->on[FAULT_DOUBLE_CID])
        edit_objects(data, double_cid);
    if (f->on[FAULT_REPLAY_AC])
        replay(f, data);
}

static void answer_options(const struct fault_set *f, struct buf *data)
{
    uint8_t *aip = value_in(data, TAG_AIP, 0);

    if (aip != NULL && f->on[FAULT_AIP_DOWNGRADE])
        *aip &= (uint8_t) ~(AIP_XDA | AIP_SDA | AIP_DDA | AIP_CDA);
    if (aip != NULL && f->on[FAULT_AIP_UPGRADE])
        *aip |= AIP_CDA;
    if (f->on[FAULT_GPO_WITHOUT_AFL]) {
        edit_objects(data, drop_afl);
        cut_format_1(data, 2);
    }
}

static void answer_signature(const struct fault_set *f, struct buf *data)
{
    struct span in = buf_span(data);
    struct tlv template;

    if (!f->on[FAULT_SHORT_SDAD])
        return;
    edit_objects(data, shorten_sdad);
    if (tlv_next(&in, &template) == TP_OK && template.tag == TAG_RESPONSE_1 && template.value.n > 0)
        cut_format_1(data, template.value.n - 1);
}

static void answer_select(const struct fault_set *f, struct buf *data, uint16_t *sw)
{
    struct tlv name;

    if (f->in_directory)
        return;
    if (f->on[FAULT_BLOCKED_APPLICATION])
        *sw = SW_SELECTED_FILE_INVALIDATED;
    if (f->on[FAULT_OTHER_NAME] && tlv_find_deep(buf_span(data), TAG_DF_NAME, &name) == TP_OK &&
        name.value.n > 0)
        data->p[name.value.p - data->p] ^= 0xFF;
}

static void answer_record(const struct fault_set *f, struct buf *data, uint16_t *sw)
{
    if (f->in_directory && f->on[FAULT_BROKEN_PSE])
        data->p[0] = TAG_RESPONSE_2;
    if (!f->in_directory && f->on[FAULT_WARNING_RECORD])
        *sw = SW_END_OF_FILE;
}

void fault_answer(struct fault_set *f, const struct capdu *command, struct buf *data, uint16_t *sw)
{
    if (data->n == 0)
        return;
    switch (command->ins) {
    case INS_SELECT:
        answer_select(f, data, sw);
        break;
    case INS_READ_RECORD:
        answer_record(f, data, sw);
        break;
    case INS_GET_PROCESSING_OPTIONS:
        answer_options(f, data);
        f->second_ac = false;
        break;
    case INS_INTERNAL_AUTHENTICATE:
        answer_signature(f, data);
        break;
    case INS_GENERATE_AC:
        answer_generate_ac(f, data);
        f->second_ac = true;
        break;
    case INS_GET_CHALLENGE:
        if (f->on[FAULT_SHORT_CHALLENGE] && data->n > SHORT_CHALLENGE)
            data->n = SHORT_CHALLENGE;
        break;
    default:
        break;
    }
}

/* ---- the response as it leaves ---- */

static void set_sw(struct buf *answer, uint16_t sw)
{
    answer->p[answer->n - 2] = (uint8_t)(sw >> 8);
    answer->p[answer->n - 1] = (uint8_t)sw;
}

static void only_sw(struct buf *answer, uint16_t sw)
{
    answer->n = 2;
    set_sw(answer, sw);
}

static void drop_last(struct buf *answer)
{
    answer->p[answer->n - 3] = answer->p[answer->n - 2];
    answer->p[answer->n - 2] = answer->p[answer->n - 1];
    answer->n--;
}

static void pad(struct buf *answer, size_t n)
{
    const uint8_t sw[2] = {answer->p[answer->n - 2], answer->p[answer->n - 1]};

    answer->n -= 2;
    if (buf_fill(answer, 0x41, n) != TP_OK || buf_put(answer, SPAN_OF(sw)) != TP_OK)
        answer->n = 0;
}

/* 0 to 256 random bytes. */
static void make_noise(struct buf *answer)
{
    uint8_t n;

    if (RAND_bytes(&n, 1) != 1 || RAND_bytes(answer->p, n + 1) != 1)
        return;
    answer->n = (size_t)n + (answer->p[n] & 1) + 2;
    set_sw(answer, SW_OK);
}

void fault_response(const struct fault_set *f, const struct capdu *command, struct buf *answer)
{
    uint8_t random[2];

    if (f->on[FAULT_PIN_LIES] && command->ins == INS_VERIFY && answer->p[answer->n - 2] == 0x69)
        set_sw(answer, SW_PIN_TRIES_LEFT | 15);
    if (f->on[FAULT_TRUNCATED_TLV] && answer->n > 2)
        drop_last(answer);
    if (f->on[FAULT_EMPTY])
        only_sw(answer, SW_OK);
    if (f->on[FAULT_NOISE])
        make_noise(answer);
    if (f->on[FAULT_OVERSIZED])
        pad(answer, 300);
    if (f->on[FAULT_ENDLESS_61])
        only_sw(answer, SW_MORE_DATA | LESS);
    if (f->on[FAULT_ENDLESS_6C])
        only_sw(answer, SW_WRONG_LE | LESS);
    if (f->on[FAULT_RANDOM_SW] && RAND_bytes(random, sizeof(random)) == 1)
        set_sw(answer, (uint16_t)(0x6000 | (random[0] & 0x0F) << 8 | random[1]));
}
