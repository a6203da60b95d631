/* The answer to reset: ISO/IEC 7816-3 (2006) 8.2; EMV 4.3 Book 1, 8 (from 4.4 on in the EMV Contact
 * Interface Specification). Pure: bytes in, knowledge out. */
#ifndef TP_DRIVERS_ATR_H
#define TP_DRIVERS_ATR_H

#include "base/span.h"

#define ATR_MAX 33 /* TS and at most 32 bytes */

struct atr {
    bool inverse;       /* TS = 3F */
    uint16_t protocols; /* bit t: T=t is offered (T=15 is none) */
    unsigned first;     /* the first offered: used when nobody asks for another, 8.2.3 */
    bool specific;      /* TA2: this protocol at once, no PPS */
    unsigned specific_protocol;
    bool implicit; /* TA2 b5: the parameters are not those of TA1 but known to both sides */
    uint8_t ta1;   /* 11 when the card does not say */
    unsigned f,
        d; /* clock rate conversion and baud rate adjustment integers of TA1; 0: reserved value */
    uint8_t n;          /* extra guard time, TC1 */
    uint8_t wi;         /* waiting time integer of T=0, TC2 */
    uint8_t ifsc;       /* of T=1: information field size of the card, 1 to 254 */
    uint8_t bwi, cwi;   /* of T=1 */
    bool crc;           /* of T=1: CRC, else LRC */
    uint8_t clock_stop; /* X of the first TA for T=15: 0 not supported, 1 state L, 2 state H, 3 no
                           preference */
    uint8_t classes;    /* Y: bit 0 class A (5 V), bit 1 B (3 V), bit 2 C (1.8 V); 0: not said, so
                           class A */
    struct span historical; /* borrowed from what was parsed */
};

/* TP_ERR_FORMAT, with what is wrong, when it is cut short, over 33 bytes long, or its check byte is
 * wrong. Bytes behind the end that it names are left. */
TP_MUST_CHECK enum tp_err atr_parse(struct atr *a, struct span raw, struct tp_error *e);

/* F and D of a TA1 or PPS1 byte, ISO/IEC 7816-3, tables 7 and 8; 0 for a reserved value. */
unsigned atr_f(uint8_t ta1);
unsigned atr_d(uint8_t ta1);

/* How long the card may be silent, in milliseconds, rounded up, at a clock in kHz; less than the 1
 * MHz that a card has at least (5.2.3) is taken for 4 MHz, what a reader has that does not say.
 * Block waiting time of T=1: 11 etu + 2^BWI x 960 x 372 / f, 11.4.3 (BWI 10 to 15 are reserved: as
 * 9). Waiting time of T=0: WI x 960 x Fi / f, 10.2. */
uint32_t atr_bwt_ms(const struct atr *a, uint32_t khz);
uint32_t atr_wt_ms(const struct atr *a, uint32_t khz);

#endif
