/* The card factory: from a scheme and what is wanted of a card to its profile. */
#ifndef TP_SIMCARD_PERSO_H
#define TP_SIMCARD_PERSO_H

#include "simcard/profile.h"
#include "simcard/scheme.h"

enum perso_method { PERSO_SDA, PERSO_DDA, PERSO_CDA };

struct perso_app {
    const char *aid;       /* hex */
    const char *label;     /* up to 16 characters */
    const char *preferred; /* or "" */
    uint8_t priority;      /* 1 (first) to 15; 0: none */
};

struct perso_params { /* perso_defaults fills all but pan and pin */
    const char *pan;
    const char *name; /* SURNAME/FIRST, 2 to 26 characters */
    struct span pin;  /* 4 to 12 digits */
    int expiry;       /* YYYYMMDD: last day of its month */
    int effective;    /* YYYYMMDD; 0: the first of this month */
    uint8_t psn;
    enum perso_method method;
    unsigned bits, exponent; /* of the card's key */
    const char *cvm;         /* words and hex pairs: perso_cvm_help */
    const char *pdol;        /* hex, "" for none */
    unsigned country;        /* ISO 3166 numeric; 0: the scheme's */
    unsigned currency;       /* ISO 4217 numeric */
    unsigned currency_exponent;
    const char *language; /* "fren" */
    uint16_t offline_limit, offline_maximum;
    uint8_t pin_tries, format;
    bool no_pse, t0, blocked;
    struct perso_app apps[PROFILE_APPS_MAX];
    size_t apps_n;
    struct emv_privkey *key; /* NULL: a new one is made; else taken over by the profile (many cards made fast share a copy of one) */
};

void perso_defaults(struct perso_params *p);

/* Makes the profile. TP_ERR_USAGE with a sentence when something wanted is impossible. */
TP_MUST_CHECK enum tp_err perso_make(struct card_profile **out, const struct scheme *s, const struct perso_params *p, struct tp_error *e);

/* Makes the card's folder: profile and first state. TP_ERR_EXISTS when it holds a card. */
TP_MUST_CHECK enum tp_err perso_save(const struct card_profile *card, const char *dir, struct tp_error *e);

/* A CVM list (8E) from words: "pin,none" = 0103 1F03. TP_ERR_USAGE names the word. */
TP_MUST_CHECK enum tp_err perso_cvm_list(struct buf *out, const char *words, struct tp_error *e);
const char *perso_cvm_words(void); /* the words, for --help */

#endif
