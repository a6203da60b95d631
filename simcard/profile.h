/* What the factory puts into a card: its applications, records, limits and keys. Plain data; the card itself is simcard/card.h. */
#ifndef TP_SIMCARD_PROFILE_H
#define TP_SIMCARD_PROFILE_H

#include "base/mask.h"
#include "base/secret.h"
#include "base/span.h"
#include "crypto/rsa.h"

#define PROFILE_APPS_MAX    4
#define PROFILE_RECORDS_MAX 16
#define PROFILE_BYTES_MAX   252 /* EMV 4.4 Book 3, Annex A: no primitive data object is longer */
#define PROFILE_RECORD_MAX  254 /* with its template 70: Book 3, 6.5.11.4 */

struct profile_bytes {
    uint8_t p[PROFILE_BYTES_MAX];
    size_t n;
};

struct profile_app { /* what tells the applications of a card apart; all share records, keys and counters */
    uint8_t aid[16];
    size_t aid_n;
    char label[17];     /* 50 */
    char preferred[17]; /* 9F12, may be empty */
    uint8_t priority;   /* 87 */
};

struct profile_record {
    uint8_t sfi, number;
    uint8_t data[PROFILE_RECORD_MAX]; /* template 70 and all */
    size_t n;
};

struct card_profile {
    struct profile_app apps[PROFILE_APPS_MAX];
    size_t apps_n;
    bool pse;                 /* has 1PAY.SYS.DDF01 */
    bool t0;                  /* speaks T=0 */
    bool blocked;             /* the application is blocked from the start */
    uint8_t format;           /* of the answers to GPO, INTERNAL AUTHENTICATE, GENERATE AC: 1 (80) or 2 (77) */
    uint8_t dki;              /* derivation key index */
    uint8_t pin_tries;        /* limit, 1 to 15 */
    uint16_t offline_limit;   /* consecutive offline TCs before the card asks to go online; 0: never asks */
    uint16_t offline_maximum; /* above this it declines when online is impossible; 0: never declines */
    char language[9];         /* 5F2D */
    uint8_t aip[2];
    struct profile_bytes afl, pdol;
    struct profile_record records[PROFILE_RECORDS_MAX];
    size_t records_n;
    struct profile_bytes expired_issuer_cert, expired_icc_cert; /* rightly signed, for the faults of that name; may be empty */
    struct secret ac_key, smi_key, smc_key;                     /* the card's own master keys, 16 bytes each */
    struct secret pin_block;                                    /* the right block of VERIFY, 8 bytes */
    struct emv_privkey *key;                                    /* NULL: static authentication only */

    /* found in the records by profile_index */
    struct profile_bytes cdol1, cdol2, ddol, cvm_list;
    char pan[PAN_TEXT_MAX];
};

TP_MUST_CHECK enum tp_err profile_new(struct card_profile **out);
void profile_free(struct card_profile **p);

/* Reads out of the records what the card itself works with. TP_ERR_FORMAT when a record is no template 70 or a needed object is missing. */
TP_MUST_CHECK enum tp_err profile_index(struct card_profile *p, struct tp_error *e);

/* The record, or NULL. */
struct profile_record *profile_record(struct card_profile *p, uint8_t sfi, uint8_t number);

/* The value of a data object in the records; TP_ERR_NOT_FOUND. It lives as long as the profile is not changed. */
TP_MUST_CHECK enum tp_err profile_object(const struct card_profile *p, uint32_t tag, struct span *value);

/* A card's folder holds card.json (what anybody may know), card.key (the RSA key, PKCS#8) and card.secret (master keys and PIN), 0600 both. */
TP_MUST_CHECK enum tp_err profile_save(const struct card_profile *p, const char *dir, struct tp_error *e);
TP_MUST_CHECK enum tp_err profile_load(struct card_profile **out, const char *dir, struct tp_error *e);

/* The same without the secret files, for showing a card: keys and PIN stay empty. */
TP_MUST_CHECK enum tp_err profile_load_public(struct card_profile **out, const char *dir, struct tp_error *e);

#endif
