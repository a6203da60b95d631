/* Issuer application data (9F10) of the four kinds of card, read into one shape for issuer and
 * acquirer: Visa's (VIS, Appendix C; 06, DKI, CVN, CVR of 03 and 3 bytes, then perhaps issuer
 * discretionary data) and that of the Common Core Definitions (EMV 4.4 Book 3, Annex C9: 32 bytes,
 * 0F, CCI, DKI, CVR of 5, counters of 8, 0F, issuer discretionary data of 15). Pure. */
#ifndef TP_CRYPTO_IAD_H
#define TP_CRYPTO_IAD_H

#include "crypto/cryptogram.h"

#define EMV_IAD_MAX 32

enum emv_ac_type {
    EMV_AAC,
    EMV_TC,
    EMV_ARQC,
    EMV_AC_NONE
}; /* the first three as in a CID's bits 8-7 */

struct emv_iad { /* the spans borrow from what was read */
    enum emv_cvn cvn;
    uint8_t dki;               /* derivation key index */
    struct span cvr;           /* as the AC of CVN 10 covers it: with its length byte for Visa's */
    struct span counters;      /* CCD: 8 bytes; else empty */
    struct span discretionary; /* what follows */
    enum emv_ac_type first, second; /* second: EMV_AC_NONE when not asked for yet */
    bool cda_performed;             /* CCD alone */
    bool dda_performed;             /* Visa: DDA or CDA, of either cryptogram */
    bool pin_performed, pin_failed; /* offline */
    bool pin_tries_exceeded;
    bool pin_expected; /* Visa alone: not received though expected */
    bool unable_online;
    bool last_online_not_completed;
    bool issuer_auth_failed;        /* in this transaction or an online one before */
    bool issuer_auth_not_performed; /* CCD: in a first cryptogram, as the last second one said */
    bool offline_limit_exceeded;    /* any of the card's velocity limits */
    bool new_card;                  /* Visa alone */
    bool blocked_by_pin; /* Visa alone: application blocked because of the PIN try limit */
    bool oda_failed;     /* offline data authentication failed on the last transaction */
    bool script_failed;
    bool go_online_set; /* CCD alone */
    unsigned scripts;   /* script commands carried out, 0 to 15 */
    int pin_tries;      /* CCD: low nibble of the PIN try counter; -1: not said */
};

/* TP_ERR_FORMAT: not a form of these. */
TP_MUST_CHECK enum tp_err emv_iad_parse(struct emv_iad *out, struct span iad);

/* The part of 9F10 that goes into the AC: CVN 10 its CVR, else all of it. */
struct span emv_iad_signed(const struct emv_iad *i, struct span iad);

/* The same of every kind of card (emv_kind_find), appended, and which kind it is: Visa's of 06 and
 * 1F, Interac's, UnionPay's of 07, the Common Core's, and Mastercard's (DKI, CVN, CVR of 6, DAC or
 * ICC dynamic number of 2, counters of 8 or 16, perhaps the ATC of the last online transaction: 18,
 * 20, 26 or 28 bytes), which has no length byte and is known by its size. TP_ERR_FORMAT. */
TP_MUST_CHECK enum tp_err emv_iad_covered(const struct emv_kind **kind, struct buf *out,
                                          struct span iad);

#endif
