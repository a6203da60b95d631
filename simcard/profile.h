/* What the factory puts into a card: its applications, records, limits and keys. Plain data; the
 * card itself is simcard/card.h. */
#ifndef TP_SIMCARD_PROFILE_H
#define TP_SIMCARD_PROFILE_H

#include "base/mask.h"
#include "base/secret.h"
#include "base/span.h"
#include "crypto/cryptogram.h"
#include "crypto/ec.h"
#include "crypto/rsa.h"

#define PROFILE_APPS_MAX    4
#define PROFILE_RECORDS_MAX 48
#define PROFILE_BYTES_MAX   252 /* EMV 4.4 Book 3, Annex A: no primitive data object is longer */
#define PROFILE_RECORD_MAX  254 /* with its template 70: Book 3, 6.5.11.4 */

struct profile_bytes {
    uint8_t p[PROFILE_BYTES_MAX];
    size_t n;
};

struct profile_app { /* what tells the applications of a card apart; all share records, keys and
                        counters */
    uint8_t aid[16];
    size_t aid_n;
    char label[17];     /* 50 */
    char preferred[17]; /* 9F12, may be empty */
    uint8_t priority;   /* 87 */
    bool blocked;       /* this application alone, from the start */
};

struct profile_record {
    uint8_t sfi, number;
    uint8_t data[PROFILE_RECORD_MAX]; /* template 70 and all */
    size_t n;
};

/* What a card may take as a reason to go online or to decline: its own risk management, Book
 * 3, 10.8. Bits of a mask. */
enum card_risk {
    CARD_RISK_NEW_CARD = 1 << 0,      /* never yet online */
    CARD_RISK_NOT_COMPLETED = 1 << 1, /* the last online transaction was not completed */
    CARD_RISK_PIN_TRIES = 1 << 2,     /* no PIN try is left */
    CARD_RISK_PIN_FAILED = 1 << 3,    /* a PIN was tried in this transaction, the last one wrong */
    CARD_RISK_ISSUER_FAILED =
        1 << 4, /* issuer authentication failed in the last online transaction */
    CARD_RISK_ISSUER_MISSING =
        1 << 5, /* it was not performed there, though the card is made for it: bit 3 of AIP byte 1,
                   or 91 in CDOL2; CCD: nor in the last one that could not go online */
    CARD_RISK_OFFLINE_AUTH =
        1 << 6, /* offline data authentication failed: as the CVR tells it (simcard/card.h) */
    CARD_RISK_SCRIPT_FAILED = 1 << 7, /* an issuer script failed in the last transaction */
    CARD_RISK_GO_ONLINE =
        1 << 8, /* the issuer asked for it: "Set Go Online on Next Transaction" of a CSU */
    CARD_RISK_COUNT_LIMIT =
        1 << 9, /* with this one, more TCs offline in a row than offline_limit */
    CARD_RISK_COUNT_MAXIMUM = 1 << 10, /* … than offline_maximum */
    CARD_RISK_AMOUNT_LIMIT = 1 << 11, /* with this one, a higher amount offline than amount_limit */
    CARD_RISK_AMOUNT_MAXIMUM = 1 << 12, /* … than amount_maximum */
    CARD_RISK_OTHER_CURRENCY =
        1 << 13, /* this transaction is not in the card's currency: the amounts do not count it */
    CARD_RISK_ALL = (1 << 14) - 1
};

/* What a new profile, and a folder that does not say, has. A risk that the limits of 0 (none) never
 * raise costs nothing. */
#define CARD_ONLINE_DEFAULT                                                                        \
    (CARD_RISK_NOT_COMPLETED | CARD_RISK_ISSUER_FAILED | CARD_RISK_ISSUER_MISSING |                \
     CARD_RISK_OFFLINE_AUTH | CARD_RISK_SCRIPT_FAILED | CARD_RISK_GO_ONLINE |                      \
     CARD_RISK_COUNT_LIMIT | CARD_RISK_AMOUNT_LIMIT)
#define CARD_UNABLE_DEFAULT (CARD_RISK_COUNT_MAXIMUM | CARD_RISK_AMOUNT_MAXIMUM)

/* The words for the risks in card.json and on the command line ("new-card"), in the order of their
 * bits; NULL after the last one. */
const char *card_risk_name(size_t i);
/* The mask of a list of them, "new-card,pin-failed"; "" is none. TP_ERR_FORMAT. */
TP_MUST_CHECK enum tp_err card_risk_parse(uint32_t *mask, const char *text);

/* What a card shows and signs with where XDA is chosen: by the terminal's 9F33, which its PDOL asks
 * for (Book 3, 10.3). Records and cardholder verification are the same; the certificates stand in
 * records of their own. */
struct profile_xda {
    struct ec_privkey key;     /* without d: the card has no XDA */
    struct ec_privkey ode_key; /* deciphers the PIN, certificate in 9F2D; without d: none */
    uint8_t aip[2];
    struct profile_bytes afl;
    struct profile_bytes expired_issuer_cert, expired_icc_cert; /* rightly signed, for the faults */
};

struct card_profile {
    struct profile_app apps[PROFILE_APPS_MAX];
    size_t apps_n;
    bool pse;     /* has 1PAY.SYS.DDF01 */
    bool t0;      /* speaks T=0 */
    bool blocked; /* the application is blocked from the start */
    uint8_t
        format;  /* of the answers to GPO, INTERNAL AUTHENTICATE, GENERATE AC: 1 (80) or 2 (77) */
    uint8_t dki; /* derivation key index */
    uint8_t pin_tries;      /* limit, 1 to 15 */
    uint16_t offline_limit; /* consecutive offline TCs before the card asks to go online; 0: never
                               asks */
    uint16_t
        offline_maximum;   /* above this it declines when online is impossible; 0: never declines */
    uint64_t amount_limit; /* the same two for the sum of their amounts, in minor units of the
                              application currency (9F42), below 10^12; */
    uint64_t amount_maximum; /* 0: no limit */
    uint32_t ask_online;     /* enum card_risk: a TC asked for becomes an ARQC (at an offline-only
                                terminal: see decline_unable) */
    uint32_t decline;        /* an AAC, at the first GENERATE AC already */
    uint32_t decline_unable; /* an AAC when the terminal cannot go online */
    bool block_on_tries; /* the last wrong PIN blocks the application too; never of a CCD card */
    enum emv_cvn cvn;    /* how cryptograms, 9F10 and scripts are made: simcard/card.h */
    uint8_t arpc; /* method of the ARPC, 1 or 2: Book 2, 8.2. EXTERNAL AUTHENTICATE when bit 3 of
                     AIP byte 1 is set, else 91 in CDOL2 */
    bool issuer_mandatory; /* online without a good ARPC is an AAC; else it may be left out
                              (CARD_RISK_ISSUER_MISSING next time), never be wrong */
    char language[9];      /* 5F2D */
    uint8_t aip[2];
    struct profile_bytes afl, pdol;
    struct profile_record records[PROFILE_RECORDS_MAX];
    size_t records_n;
    struct profile_bytes expired_issuer_cert, expired_icc_cert,
        other_pan_icc_cert; /* rightly signed, for the faults of that name; may be empty */
    struct secret ac_key, smi_key, smc_key; /* the card's own master keys, 16 bytes each */
    struct secret pin_block;                /* the right block of VERIFY, 8 bytes */
    struct emv_privkey *key;                /* NULL: static authentication only */
    struct emv_privkey *pin_key; /* deciphers the PIN, its certificate in 9F2D to 9F2F; NULL: key
                                    does (Book 2, 7) */
    struct profile_xda xda;

    /* found in the records by profile_index */
    struct profile_bytes cdol1, cdol2, ddol, cvm_list;
    uint8_t currency[2]; /* 9F42; zeros when there is none: no amount is counted */
    char pan[PAN_TEXT_MAX];
};

/* Empty but for: answers in format 2, EMV_CVN_18 with ARPC method 2, the default risks. */
TP_MUST_CHECK enum tp_err profile_new(struct card_profile **out);
void profile_free(struct card_profile **p);

/* Why a card of the Common Core Definitions must not be like that, with the clause (of their parts
 * of EMV 4.4 Books 2 and 3); NULL when it may, and of another kind of card. Of an indexed profile.
 */
const char *profile_common_core(const struct card_profile *p);

/* Reads out of the records what the card itself works with. TP_ERR_FORMAT when a record is no
 * template 70, a needed object is missing, or a card of the Common Core would not be one. */
TP_MUST_CHECK enum tp_err profile_index(struct card_profile *p, struct tp_error *e);

/* The record, or NULL. */
struct profile_record *profile_record(struct card_profile *p, uint8_t sfi, uint8_t number);

/* The value of a data object in the records; TP_ERR_NOT_FOUND. It lives as long as the profile is
 * not changed. */
TP_MUST_CHECK enum tp_err profile_object(const struct card_profile *p, uint32_t tag,
                                         struct span *value);

bool profile_has_xda(const struct card_profile *p);
/* Whether an AFL names a record. */
bool profile_afl_names(const struct profile_bytes *afl, const struct profile_record *r);

/* A card's folder holds card.json (what anybody may know), card.key and card.pin-key (the RSA keys,
 * PKCS#8), card.xda-key and card.ode-key (the secret scalars of elliptic curves) and card.secret
 * (master keys and PIN), 0600 all. What a folder of an earlier telepay does
 * not say is as in a new profile. */
TP_MUST_CHECK enum tp_err profile_save(const struct card_profile *p, const char *dir,
                                       struct tp_error *e);
TP_MUST_CHECK enum tp_err profile_load(struct card_profile **out, const char *dir,
                                       struct tp_error *e);

/* The same without the secret files, for showing a card: keys and PIN stay empty. */
TP_MUST_CHECK enum tp_err profile_load_public(struct card_profile **out, const char *dir,
                                              struct tp_error *e);

#endif
