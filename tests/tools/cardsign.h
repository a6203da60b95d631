/* Card-signed 0200s for tests and load programs, made straight from src/crypto/emvmake.h: neither
 * the simulated card nor the terminal is in the way, so that what a card signed and what the
 * message says can be made to differ at will. */
#ifndef TP_TESTS_CARDSIGN_H
#define TP_TESTS_CARDSIGN_H

#include "simcard/scheme.h"
#include "wire/iso8583.h"

struct signer { /* a scheme of its own and the RSA keys its cards share: generating one for each
                   would be most of a load program's time */
    struct scheme *scheme;
    struct emv_privkey **key;
    unsigned keys;
    bool payee; /* its cards ask for 9F7C */
    bool loose; /* no signed record of its cards holds CDOL1, which comes along as DF06 */
};

TP_MUST_CHECK enum tp_err signer_make(struct signer *s, unsigned keys, struct tp_error *e);
/* A signer with the same authority and issuer, its keys copies, for another thread: a key is one
 * thread's at a time. */
TP_MUST_CHECK enum tp_err signer_share(struct signer *out, const struct signer *s, unsigned keys,
                                       struct tp_error *e);
void signer_clear(struct signer *s);

struct signed_card {
    char pan[20];
    struct emv_privkey *key; /* the signer's */
    struct emv_cert_made cert;
    uint8_t records[256]; /* static data to be authenticated, the AIP at its end */
    size_t records_n;
};

/* The card of that number under the scheme's IIN: 999014NNNNNNNNNC, each with its own certificate.
 */
TP_MUST_CHECK enum tp_err signer_card(struct signed_card *out, struct signer *s, uint64_t number);

/* Appends 8F 90 92 9F32 9F46 9F47 9F48. */
TP_MUST_CHECK enum tp_err signer_certificates(struct buf *out, const struct signer *s,
                                              const struct signed_card *card);

struct terms { /* what a payment is; terms_usual fills it */
    int64_t amount;
    unsigned currency, country;
    int date, time; /* YYYYMMDD, HHMMSS */
    uint8_t type;
    uint8_t un[4];
    uint8_t tvr[5], cvm[3];
    uint8_t cid;
    uint16_t atc;
    uint8_t ac[8];
    uint8_t cvr[3];  /* of 9F10 as CVN 18 has it */
    uint8_t iad[32]; /* 9F10 of another kind of card; iad_n 0: none */
    size_t iad_n;
    unsigned psn;
    uint32_t counter;        /* 9F41 */
    int expiry;              /* DE 14: YYMM */
    char pan[20];            /* DE 2 */
    uint8_t capabilities[3]; /* 9F33 */
    char serial[9];          /* 9F1E; "": that of the place */
    uint8_t payee[32];
    bool has_payee;   /* 9F7C, of a card that asks for it */
    bool no_cda;      /* the response bears the cryptogram and no signature, and the evidence no
                         certificates */
    const char *list; /* hex: what comes along is this list instead */
    bool second;      /* signed at the second GENERATE AC, over CDOL2 values too */
};

/* 12.50 EUR in France, now, PIN verified by the card, a TC; UN and AC from the numbers. */
void terms_usual(struct terms *t, const struct signed_card *card, uint16_t atc);

struct made {               /* a 0200; large */
    struct iso8583 message; /* borrows from the rest */
    uint8_t de55[999];
    size_t de55_n;
    uint8_t stream[ISO8583_EVIDENCE_MAX];
    size_t stream_n;
};

struct place { /* where it is paid */
    const char *contract, *terminal;
    uint32_t stan;
    unsigned mcc;
};

/* 9F1E of the terminal there: what it is registered with. */
void place_serial(char out[9], const char *contract, const char *terminal);

/* The card signs `signed_`, the message says `said`. */
TP_MUST_CHECK enum tp_err made_payment(struct made *out, struct signer *s,
                                       const struct signed_card *card, const struct terms *signed_,
                                       const struct terms *said, const struct place *where);

#endif
