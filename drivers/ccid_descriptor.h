/* The class descriptor of a USB smart card reader: USB CCID specification 1.1, 5.1. Bytes in,
 * knowledge out; no USB here. */
#ifndef TP_DRIVERS_CCID_DESCRIPTOR_H
#define TP_DRIVERS_CCID_DESCRIPTOR_H

#include "base/span.h"

#define CCID_DESCRIPTOR_SIZE 54
#define CCID_DESCRIPTOR_TYPE 0x21
#define CCID_INTERFACE_CLASS 0x0B
#define CCID_VENDOR_CLASS    0xFF /* some makers: the same descriptor under a class of their own */

/* bVoltageSupport */
enum { CCID_5V = 0x01, CCID_3V = 0x02, CCID_1V8 = 0x04 };

/* dwFeatures: what the reader does by itself. */
enum {
    CCID_AUTO_ATR_PARAMETERS = 0x000002, /* sets its parameters as the ATR says */
    CCID_AUTO_ACTIVATION = 0x000004,     /* powers a card when it comes */
    CCID_AUTO_VOLTAGE = 0x000008,
    CCID_AUTO_CLOCK = 0x000010,
    CCID_AUTO_BAUD = 0x000020,
    CCID_AUTO_NEGOTIATION = 0x000040, /* chooses protocol and speed in its own way, PPS included */
    CCID_AUTO_PPS = 0x000080,         /* makes the PPS that SetParameters asks for */
    CCID_CLOCK_STOP = 0x000100,
    CCID_NAD = 0x000200,
    CCID_AUTO_IFSD = 0x000400, /* tells a T=1 card its IFSD */
    CCID_WAKE_UP = 0x100000
};

/* What one message carries: CCID 1.1, 3.2. */
enum ccid_level { CCID_CHARACTER, CCID_TPDU, CCID_SHORT_APDU, CCID_EXTENDED_APDU };

struct ccid_descriptor {
    uint16_t version;                  /* BCD: 0x0110 is 1.10 */
    unsigned slots;                    /* 1 to 256 */
    uint8_t voltages;                  /* CCID_5V …; 0: the reader does not say */
    uint32_t protocols;                /* bit 0: T=0, bit 1: T=1 */
    uint32_t clock_default, clock_max; /* kHz */
    uint32_t rate_default, rate_max;   /* bit/s */
    unsigned clocks, rates;            /* how many to choose from by hand; 0: default to max */
    uint32_t max_ifsd;
    uint32_t synchronous, mechanical;
    uint32_t features;
    enum ccid_level level;
    uint32_t max_message; /* header of ten bytes included */
    uint8_t class_get_response, class_envelope;
    unsigned lcd_lines, lcd_columns; /* 0: no display */
    bool pin_verify, pin_modify;
    unsigned busy_slots;
};

/* TP_ERR_FORMAT when it is not a descriptor of this type and length. */
TP_MUST_CHECK enum tp_err ccid_descriptor_parse(struct ccid_descriptor *d, struct span raw);

/* Why this driver cannot use the reader, for a person to read; NULL: it can. endpoints: how many
 * its interface has (bulk in, bulk out, interrupt). */
const char *ccid_descriptor_refusal(const struct ccid_descriptor *d, unsigned endpoints);

/* "extended APDU", "short APDU", "TPDU", "character". */
const char *ccid_level_text(enum ccid_level level);

/* Readers that are known to have this descriptor under the vendor's own interface class; their
 * interfaces are looked at, others of that class are left alone. */
bool ccid_vendor_class_known(uint16_t vendor, uint16_t product);

struct ccid_usb_id {
    uint16_t vendor, product;
};
size_t ccid_vendor_class_count(void);
struct ccid_usb_id ccid_vendor_class_at(size_t i); /* in order */

#endif
