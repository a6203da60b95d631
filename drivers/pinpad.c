#include "drivers/pinpad.h"

#include <reader.h>
#include <string.h>

#define FEATURE_SIZE  4
#define STATUS_SIZE   2
#define DIGITS_MAX    12 /* ISO 9564-1: what a PIN block of format 2 holds */
#define LAYOUT_SIZE   4  /* PIN_PROPERTIES_STRUCTURE; some readers leave the last byte out */
#define VALUE_MAX     4  /* of a number in the TLV properties */
#define ENGLISH       0x0409
#define CLEAR_TO_CARD 13

/* How the digits get into the command (part 10, 2.5.2, as CCID 1.1, 6.1.11.4): system units are
 * bytes (80), the PIN stands one byte behind Lc (08), left-justified (00), BCD (01); a block of 7
 * bytes behind a length of 4 bits (47) that begins at bit 4 (04), in the byte 2N. */
#define FORMAT_STRING 0x89
#define BLOCK_STRING  0x47
#define LENGTH_FORMAT 0x04

enum tp_err pinpad_features_parse(struct pinpad_features *f, struct span answer)
{
    memset(f, 0, sizeof(*f));
    while (answer.n > 0) {
        uint32_t control;
        uint8_t tag, length;
        struct span value;

        if (span_u8(&answer, &tag) != TP_OK || span_u8(&answer, &length) != TP_OK ||
            span_take(&answer, length, &value) != TP_OK)
            return TP_ERR_FORMAT;
        if (value.n != FEATURE_SIZE || span_be32(&value, &control) != TP_OK)
            continue;
        switch (tag) {
        case FEATURE_VERIFY_PIN_START:
            f->verify_start = control;
            break;
        case FEATURE_VERIFY_PIN_FINISH:
            f->verify_finish = control;
            break;
        case FEATURE_GET_KEY_PRESSED:
            f->key_pressed = control;
            break;
        case FEATURE_VERIFY_PIN_DIRECT:
            f->verify_direct = control;
            break;
        case FEATURE_IFD_PIN_PROPERTIES:
            f->pin_properties = control;
            break;
        case FEATURE_ABORT:
            f->abort = control;
            break;
        case FEATURE_GET_TLV_PROPERTIES:
            f->tlv_properties = control;
            break;
        default:
            break;
        }
    }
    return TP_OK;
}

bool pinpad_can_verify(const struct pinpad_features *f)
{
    return f->verify_direct != 0 || (f->verify_start != 0 && f->verify_finish != 0);
}

static uint32_t little_endian(struct span value)
{
    uint32_t v = 0;

    for (size_t i = value.n < VALUE_MAX ? value.n : VALUE_MAX; i > 0; i--)
        v = v << 8 | value.p[i - 1];
    return v;
}

/* wLcdLayout: 0000 no display; else lines in the high byte, characters a line in the low one. */
static void put_layout(struct pinpad_properties *p, uint32_t layout)
{
    if (layout == 0)
        return;
    p->lines = (uint16_t)(layout >> 8 & 0xFF);
    p->columns = (uint16_t)(layout & 0xFF);
}

enum tp_err pinpad_tlv_properties_parse(struct pinpad_properties *p, struct span answer)
{
    while (answer.n > 0) {
        uint8_t tag, length;
        struct span value;
        uint32_t v;

        if (span_u8(&answer, &tag) != TP_OK || span_u8(&answer, &length) != TP_OK ||
            span_take(&answer, length, &value) != TP_OK)
            return TP_ERR_FORMAT;
        v = little_endian(value);
        switch (tag) {
        case PCSCv2_PART10_PROPERTY_wLcdLayout:
            put_layout(p, v);
            break;
        case PCSCv2_PART10_PROPERTY_bEntryValidationCondition:
            p->conditions = (uint8_t)v;
            break;
        case PCSCv2_PART10_PROPERTY_bTimeOut2:
            p->distinguishes_timeouts = v != 0;
            break;
        case PCSCv2_PART10_PROPERTY_wLcdMaxCharacters:
            p->columns = (uint16_t)v;
            break;
        case PCSCv2_PART10_PROPERTY_wLcdMaxLines:
            p->lines = (uint16_t)v;
            break;
        case PCSCv2_PART10_PROPERTY_bMinPINSize:
            p->pin_min = (uint8_t)v;
            break;
        case PCSCv2_PART10_PROPERTY_bMaxPINSize:
            p->pin_max = (uint8_t)v;
            break;
        case PCSCv2_PART10_PROPERTY_dwMaxAPDUDataSize:
            p->max_apdu = v;
            break;
        case PCSCv2_PART10_PROPERTY_wIdVendor:
            p->vendor = (uint16_t)v;
            break;
        case PCSCv2_PART10_PROPERTY_wIdProduct:
            p->product = (uint16_t)v;
            break;
        default:
            break;
        }
    }
    return TP_OK;
}

enum tp_err pinpad_pin_properties_parse(struct pinpad_properties *p, struct span answer)
{
    if (answer.n < LAYOUT_SIZE - 1)
        return TP_ERR_FORMAT;
    put_layout(p, little_endian(span_of(answer.p, 2)));
    p->conditions = answer.p[2];
    p->distinguishes_timeouts = answer.n >= LAYOUT_SIZE && answer.p[3] != 0;
    return TP_OK;
}

/* A PIN of any length ends with the key that says so, where the reader has it so; else as the
 * reader can. */
static uint8_t condition(const struct pinpad_properties *p)
{
    return p->conditions == 0 || (p->conditions & PINPAD_KEY) != 0 ? PINPAD_KEY : p->conditions;
}

enum tp_err pinpad_verify_build(struct buf *out, const struct reader_pin *ask,
                                const struct pinpad_properties *p)
{
    const uint8_t widest = ask->max < DIGITS_MAX ? ask->max : DIGITS_MAX;
    const uint8_t max = p->pin_max != 0 && p->pin_max < widest ? p->pin_max : widest;
    const uint8_t min = p->pin_min > ask->min ? p->pin_min : ask->min;
    const bool display = p->lines > 0;
    const uint8_t structure[PINPAD_VERIFY_SIZE] = {
        ask->timeout_s,         /* bTimerOut */
        ask->timeout_s,         /* bTimerOut2, after the first key */
        FORMAT_STRING,          /* bmFormatString */
        BLOCK_STRING,           /* bmPINBlockString */
        LENGTH_FORMAT,          /* bmPINLengthFormat */
        max,                    /* wPINMaxExtraDigit, XXYY: YY the most */
        min,                    /* and XX the fewest digits */
        condition(p),           /* bEntryValidationCondition */
        display ? 1 : 0,        /* bNumberMessage */
        (uint8_t)ask->language, /* wLangId */
        (uint8_t)(ask->language >> 8),
        0, /* bMsgIndex: the reader's message 0 asks for the PIN */
        0, /* bTeoPrologue: the reader's driver makes the T=1 block */
        0,
        0,
        CLEAR_TO_CARD, /* ulDataLength */
        0,
        0,
        0,
        0x00, /* abData: VERIFY, plaintext PIN, EMV 4.4 Book 3, table 23 */
        0x20,
        0x00,
        0x80,
        0x08,
        0x20, /* table 25: the reader puts the number of digits here, */
        0xFF, /* and the digits over the filler */
        0xFF,
        0xFF,
        0xFF,
        0xFF,
        0xFF,
        0xFF,
    };

    return min > max ? TP_ERR_RANGE : buf_put(out, SPAN_OF(structure));
}

enum tp_err pinpad_outcome(enum reader_pin_end *end, uint16_t *sw, struct span answer)
{
    uint16_t status = 0;

    *end = READER_PIN_REFUSED;
    *sw = 0;
    if (answer.n != STATUS_SIZE || span_be16(&answer, &status) != TP_OK)
        return TP_ERR_FORMAT;
    switch (status) {
    case 0x6400:
        *end = READER_PIN_TIMEOUT;
        break;
    case 0x6401:
        *end = READER_PIN_CANCELLED;
        break;
    case 0x6402:
        *end = READER_PIN_MISMATCH;
        break;
    case 0x6403:
        *end = READER_PIN_LENGTH;
        break;
    case 0x6B80: /* a parameter of the structure */
        *end = READER_PIN_REFUSED;
        break;
    default:
        *end = READER_PIN_SENT;
        *sw = status;
        break;
    }
    return TP_OK;
}

bool pinpad_key_ends(uint8_t key)
{
    return key == PINPAD_KEY_OK || key == PINPAD_KEY_CANCEL || key == PINPAD_KEY_TIMEOUT;
}

/* USB Language Identifiers (LANGIDs) 1.0: those of the countries whose cards are likely here, by
 * language. */
static const struct {
    char iso639[3];
    uint16_t id;
} languages[] = {
    {"ar", 0x0401}, {"bg", 0x0402}, {"ca", 0x0403}, {"cs", 0x0405}, {"da", 0x0406}, {"de", 0x0407},
    {"el", 0x0408}, {"en", 0x0409}, {"es", 0x040A}, {"et", 0x0425}, {"fi", 0x040B}, {"fr", 0x040C},
    {"hr", 0x041A}, {"hu", 0x040E}, {"it", 0x0410}, {"ja", 0x0411}, {"lt", 0x0427}, {"lv", 0x0426},
    {"nl", 0x0413}, {"no", 0x0414}, {"pl", 0x0415}, {"pt", 0x0816}, {"ro", 0x0418}, {"ru", 0x0419},
    {"sk", 0x041B}, {"sl", 0x0424}, {"sv", 0x041D}, {"tr", 0x041F}, {"uk", 0x0422}, {"zh", 0x0804},
};

static uint16_t language_id(const uint8_t letters[2])
{
    for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++)
        if ((letters[0] | 0x20) == languages[i].iso639[0] &&
            (letters[1] | 0x20) == languages[i].iso639[1])
            return languages[i].id;
    return 0;
}

uint16_t pinpad_language(struct span preference)
{
    struct span letters;

    while (span_take(&preference, 2, &letters) == TP_OK) {
        const uint16_t id = language_id(letters.p);

        if (id != 0)
            return id;
    }
    return ENGLISH;
}
