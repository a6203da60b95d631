/* The calculator of telepay-issuer cryptogram: keys, cryptograms, script commands, PIN blocks and
 * dynamic card verification values from given values, with every value on the way and the clause it
 * comes from. */
#ifndef TP_ISSUER_CALC_H
#define TP_ISSUER_CALC_H

#include "base/mask.h"
#include "crypto/script.h"

struct issuer_keys;

enum calc_what {
    CALC_MASTER,
    CALC_SESSION,
    CALC_AC,
    CALC_ARPC_1,
    CALC_ARPC_2,
    CALC_MAC,
    CALC_COMMAND,
    CALC_ENCIPHER,
    CALC_DECIPHER,
    CALC_PIN_BLOCK,
    CALC_PIN,
    CALC_CVC3,
    CALC_DCVV,
    CALC_COUNT
};

/* "ac", "arpc1", …; TP_ERR_NOT_FOUND. */
TP_MUST_CHECK enum tp_err calc_what_parse(enum calc_what *out, const char *name);

enum calc_level { CALC_ISSUER_KEY, CALC_CARD_KEY, CALC_SESSION_KEY, CALC_LEVELS };
enum calc_use { CALC_USE_AC, CALC_USE_SMI, CALC_USE_SMC, CALC_USE_CVC3, CALC_USE_DCVV, CALC_USES };

#define CALC_VALUE_MAX 512
#define CALC_ROWS_MAX  32

struct calc_row {
    const char *step;   /* "session key" */
    const char *clause; /* "Book 2, A1.3.1" */
    uint8_t value[CALC_VALUE_MAX];
    size_t n;
    bool digits; /* the value is decimal digits, in ASCII */
};

struct calc_value {
    uint8_t p[CALC_VALUE_MAX];
    size_t n;
    bool given;
};

/* Where the kind's row (struct emv_kind) does not hold: -1 leaves it. */
struct calc_ways {
    int option;       /* enum emv_option */
    int session;      /* enum calc_session */
    int zero_padded;  /* 1: yes, 0: no */
    int encipherment; /* enum emv_encipherment */
    int bare;
    int branch, height; /* 2 to 255, 1 to 16 */
};

/* Ways to session keys, of the AC and of scripts: the key itself and Visa's XOR; Book 2, A1.3.1;
 * the same with the unpredictable number; EMV2000's tree; PBOC's. */
enum calc_session { CALC_BY_MASTER, CALC_BY_COMMON, CALC_BY_ATC_UN, CALC_BY_TREE, CALC_BY_PBOC };

struct calc {
    const char *cvn; /* NULL: what 9F10 of de55 says; without that 18 */
    struct calc_ways ways;
    struct emv_kind kind; /* calc_start fills it */

    struct secret key[CALC_LEVELS][CALC_USES]; /* empty: not given. Of a card's or session's key
                                                  none above is needed. */
    struct secret pin_key;                     /* AES: of PIN block format 4 */
    struct secret pin_block;                   /* whose PIN is wanted */
    struct secret pin, current_pin;            /* ASCII digits */
    char pan[PAN_TEXT_MAX];                    /* "": not given */
    uint8_t psn;                               /* BCD */
    bool psn_given;
    struct calc_value atc, un, ac, chain, arc, csu, proprietary, data, de55, head, fill;
    const char *expiry, *service; /* digits; NULL: not given */
    const char *check;            /* hexadecimal digits, of digits these; NULL: not given */
    int pin_format;               /* 0 to 4; -1: as the kind's PIN CHANGE has it */
    size_t mac_size;              /* 0: as the kind has it */
    bool encipher;                /* of a command's data */
    bool folder;                  /* keys are of an issuer's folder: not all may be of use */

    struct calc_row row[CALC_ROWS_MAX]; /* what was worked out; the last one is the outcome */
    size_t rows;
};

void calc_init(struct calc *c); /* nothing given */

/* Which kind of card it is, from cvn and de55, and what else de55 holds and was not given: counter,
 * unpredictable number, cryptogram, card number and its sequence number. TP_ERR_USAGE. */
TP_MUST_CHECK enum tp_err calc_start(struct calc *c, struct tp_error *e);

/* Reads lines "imk-ac = HEX" (imk, mk, sk with ac, smi, smc, cvc3, dcvv; pin-key, pin-block; pin,
 * current-pin: digits); # begins a comment. text is a secret. */
TP_MUST_CHECK enum tp_err calc_read_keys(struct calc *c, struct span text, struct tp_error *e);

/* The issuer's keys of the kind's cipher, where none of that name was read. After calc_start. */
TP_MUST_CHECK enum tp_err calc_take_keys(struct calc *c, const struct issuer_keys *k,
                                         struct tp_error *e);

/* Fills row. TP_ERR_USAGE naming the value that is missing or wrong, and where it comes from. */
TP_MUST_CHECK enum tp_err calc_run(struct calc *c, enum calc_what what, struct tp_error *e);

/* Whether the outcome is the value in check: it may be cut at the right to 4 bytes or more, as a
 * MAC on the wire is; digits at the left to 3 or more, as a CVC3 on a track is. */
bool calc_right(const struct calc *c);

void calc_clear(struct calc *c); /* wipes all */

#endif
