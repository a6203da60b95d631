/* The card factory: from a scheme and what is wanted of a card to its profile. */
#ifndef TP_SIMCARD_PERSO_H
#define TP_SIMCARD_PERSO_H

#include "simcard/profile.h"
#include "simcard/scheme.h"

enum perso_method { PERSO_NONE, PERSO_SDA, PERSO_DDA, PERSO_CDA }; /* by RSA */

/* How an issuer's cryptogram (91) reaches the card: Book 3, 10.9 and 10.11. */
enum perso_issuer {
    PERSO_ISSUER_CDOL2,
    PERSO_ISSUER_EXTERNAL /* EXTERNAL AUTHENTICATE, AIP byte 1 bit 3 */,
    PERSO_ISSUER_NONE
};

enum perso_file {
    PERSO_OPEN,
    PERSO_SIGNED,
    PERSO_CERTIFICATES,
    PERSO_FILES
}; /* the three parts of a card's records */

struct perso_app {
    const char *aid;       /* hex */
    const char *label;     /* up to 16 characters */
    const char *preferred; /* or "" */
    uint8_t priority;      /* 1 (first) to 15; 0: none */
    bool confirm;          /* not without the cardholder's confirmation: 87, bit 8 */
    bool blocked;          /* this one alone, from the start */
};

struct perso_params { /* perso_defaults fills all but pan and pin */
    const char *pan;
    const char *name; /* SURNAME/FIRST, 2 to 26 characters */
    struct span pin;  /* 4 to 12 digits */
    int expiry;       /* YYYYMMDD: last day of its month */
    int effective;    /* YYYYMMDD; 0: the first of this month */
    uint8_t psn;
    enum perso_method method;
    bool xda; /* XDA too, of the scheme's suite; with an ODE key where the CVM list wants one */
    unsigned bits, exponent; /* of the card's key */
    unsigned pin_bits; /* of a key of its own for the enciphered PIN; 0: the card's key does it */
    const char *cvm;   /* words and hex pairs: perso_cvm_list */
    uint32_t cvm_x, cvm_y; /* amounts of the CVM list, in minor units */
    const char *pdol;      /* hex, "" for none */
    const char *cdol1, *cdol2,
        *ddol; /* hex; NULL: the factory's; ddol "": none, the terminal's counts */
    const char
        *aip; /* hex, two bytes; NULL: from method, CVM and issuer. What it promises is made */
    const char *auc; /* application usage control (9F07), hex */
    const char *iac_denial, *iac_online,
        *iac_default;  /* issuer action codes, hex, five bytes; the last two NULL: the factory's */
    unsigned country;  /* ISO 3166 numeric; 0: the scheme's */
    unsigned currency; /* ISO 4217 numeric */
    unsigned currency_exponent;
    const char *language;                    /* "fren" */
    uint16_t offline_limit, offline_maximum; /* and below: as in struct card_profile */
    uint64_t amount_limit, amount_maximum;
    uint32_t ask_online, decline, decline_unable;
    unsigned terminal_lower,
        terminal_upper; /* 9F14 and 9F23, for the terminal's velocity checking; PERSO_ABSENT */
    enum emv_cvn cvn;
    unsigned arpc; /* method; 0: 1 for CVN 10, else 2 */
    enum perso_issuer issuer;
    bool issuer_mandatory, block_on_tries;
    uint8_t dki;
    uint8_t pin_tries, format;
    uint8_t sfi[PERSO_FILES]; /* of each part, 1 to 10; they may be the same */
    size_t record_max; /* bytes of a record with its template, 32 to 254; an object that is longer
                          stands alone */
    bool no_pse, t0, blocked;
    bool any_check_digit;  /* the card number may end as it likes */
    bool live_identifiers; /* applications may have the AID of a real scheme */
    struct perso_app apps[PROFILE_APPS_MAX];
    size_t apps_n;
    struct emv_privkey *key; /* NULL: a new one is made; else taken over by the profile (many cards
                                made fast share a copy of one) */
    struct emv_privkey *pin_key; /* the same, when pin_bits is not 0 */
};

#define PERSO_ABSENT 256 /* of a number of one byte */

void perso_defaults(struct perso_params *p);

/* Which keys a card so wanted has: its own, and one for PINs. Without key and pin_key in the
 * parameters perso_make makes them. */
void perso_keys_wanted(const struct perso_params *p, bool *own, bool *pin);

/* Makes the profile. TP_ERR_USAGE with a sentence when something wanted is impossible. */
TP_MUST_CHECK enum tp_err perso_make(struct card_profile **out, const struct scheme *s,
                                     const struct perso_params *p, struct tp_error *e);

/* Makes the card's folder: profile and first state. TP_ERR_EXISTS when it holds a card. */
TP_MUST_CHECK enum tp_err perso_save(const struct card_profile *card, const char *dir,
                                     struct tp_error *e);

/* A CVM list (8E) from its amounts X and Y and words: "pin,none" = 0103 1F03. TP_ERR_USAGE names
 * the word. */
TP_MUST_CHECK enum tp_err perso_cvm_list(struct buf *out, uint32_t x, uint32_t y, const char *words,
                                         struct tp_error *e);

#endif
