#include "drivers/ccid_descriptor.h"

/* By vendor and product. From the list of readers of the public CCID driver project
 * (tests/data/ccid-readers.json). */
static const struct ccid_usb_id vendor_class[] = {
    {0x046A, 0x003E}, /* CherrySmartTerminalST2XXX */
    {0x04E6, 0x5111}, /* SCR331-DI */
    {0x04E6, 0x511A}, /* SCR3310-NTTCom */
    {0x04E6, 0x5120}, /* SCR331-DI-NTTCom */
    {0x04E6, 0x5121}, /* SDI010 */
    {0x04E6, 0x512B}, /* SCM_SDI011 */
    {0x04E6, 0x512C}, /* SCM_SDI011_512C */
    {0x04E6, 0x5291}, /* SCL010 */
    {0x04E6, 0x5292}, /* SCL01x */
    {0x04E6, 0xE003}, /* SPR532 */
    {0x076B, 0x532A}, /* OMNIKEY_5321_CLi_USB */
    {0x076B, 0x5340}, /* HID_5021_CL */
    {0x08E6, 0x1359}, /* Verisign_secure_storage_token */
    {0x08E6, 0x2202}, /* Gem_e-SealPro */
    {0x08E6, 0xACE0}, /* Verisign_secure_token */
    {0x0973, 0x0003}, /* e-gate */
    {0x09BE, 0x0002}, /* MySmartPad */
    {0x0C4B, 0x0300}, /* ReinerSCT */
    {0x0C4B, 0x0500}, /* ReinerSCT_cyberJack_RFID_standard */
    {0x1A74, 0x6354}, /* Oberthur-CosmoCard */
    {0x1A74, 0x6356}, /* Oberthur-CosmoCard1 */
    {0x1DB2, 0x0600}, /* DUALi_DE-ABCM6 */
    {0x1DB2, 0x0604}, /* DUALi_DRAGON_BT */
    {0x413C, 0x2100}, /* DellSK-3106 */
};

/* dwFeatures, bits 16 to 18. Only one of them is set; of several the richest counts. */
enum { LEVEL_TPDU = 0x010000, LEVEL_SHORT = 0x020000, LEVEL_EXTENDED = 0x040000 };

static uint16_t le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static enum ccid_level level_of(uint32_t features)
{
    if ((features & LEVEL_EXTENDED) != 0)
        return CCID_EXTENDED_APDU;
    if ((features & LEVEL_SHORT) != 0)
        return CCID_SHORT_APDU;
    return (features & LEVEL_TPDU) != 0 ? CCID_TPDU : CCID_CHARACTER;
}

/* Offsets: CCID 1.1, table 5.1-1. */
enum tp_err ccid_descriptor_parse(struct ccid_descriptor *d, struct span raw)
{
    const uint8_t *p = raw.p;

    if (raw.n != CCID_DESCRIPTOR_SIZE || p[0] != CCID_DESCRIPTOR_SIZE ||
        p[1] != CCID_DESCRIPTOR_TYPE)
        return TP_ERR_FORMAT;
    *d = (struct ccid_descriptor){
        .version = le16(p + 2),
        .slots = p[4] + 1U,
        .voltages = p[5] & (CCID_5V | CCID_3V | CCID_1V8),
        .protocols = le32(p + 6),
        .clock_default = le32(p + 10),
        .clock_max = le32(p + 14),
        .clocks = p[18],
        .rate_default = le32(p + 19),
        .rate_max = le32(p + 23),
        .rates = p[27],
        .max_ifsd = le32(p + 28),
        .synchronous = le32(p + 32),
        .mechanical = le32(p + 36),
        .features = le32(p + 40),
        .level = level_of(le32(p + 40)),
        .max_message = le32(p + 44),
        .class_get_response = p[48],
        .class_envelope = p[49],
        .lcd_lines = p[51], /* XXYY: lines, then characters a line */
        .lcd_columns = p[50],
        .pin_verify = (p[52] & 0x01) != 0,
        .pin_modify = (p[52] & 0x02) != 0,
        .busy_slots = p[53],
    };
    return TP_OK;
}

const char *ccid_descriptor_refusal(const struct ccid_descriptor *d, unsigned endpoints)
{
    if (d->level == CCID_CHARACTER)
        return "it exchanges single characters with the card (character level), which is not "
               "supported: use another reader";
    if (endpoints < 2)
        return "it has no bulk endpoints and speaks over the control pipe (ICCD), which is not "
               "supported: use another reader";
    if ((d->protocols & 3) == 0)
        return "it says that it speaks neither T=0 nor T=1: use another reader";
    if (d->max_message < 10 + 5)
        return "its messages are too short for a command: use another reader";
    return NULL;
}

const char *ccid_level_text(enum ccid_level level)
{
    static const char *const text[] = {"character", "TPDU", "short APDU", "extended APDU"};

    return text[level];
}

size_t ccid_vendor_class_count(void)
{
    return sizeof(vendor_class) / sizeof(vendor_class[0]);
}

struct ccid_usb_id ccid_vendor_class_at(size_t i)
{
    return vendor_class[i];
}

bool ccid_vendor_class_known(uint16_t vendor, uint16_t product)
{
    for (size_t i = 0; i < ccid_vendor_class_count(); i++)
        if (vendor_class[i].vendor == vendor && vendor_class[i].product == product)
            return true;
    return false;
}
