/* The calculator of telepay-issuer cryptogram: keys, cryptograms, script commands and PIN blocks
 * from given values, with every value on the way and the clause it comes from. */
#ifndef TP_ISSUER_CALC_H
#define TP_ISSUER_CALC_H

#include "base/mask.h"
#include "crypto/script.h"

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
    CALC_COUNT
};

/* "ac", "arpc1", …; TP_ERR_NOT_FOUND. */
TP_MUST_CHECK enum tp_err calc_what_parse(enum calc_what *out, const char *name);

enum calc_level { CALC_ISSUER_KEY, CALC_CARD_KEY, CALC_SESSION_KEY, CALC_LEVELS };
enum calc_use { CALC_USE_AC, CALC_USE_SMI, CALC_USE_SMC, CALC_USES };

#define CALC_VALUE_MAX 512
#define CALC_ROWS_MAX  32

struct calc_row {
    const char *step;   /* "session key" */
    const char *clause; /* "Book 2, A1.3.1" */
    uint8_t value[CALC_VALUE_MAX];
    size_t n;
};

struct calc_value {
    uint8_t p[CALC_VALUE_MAX];
    size_t n;
    bool given;
};

struct calc {
    enum emv_cvn cvn;
    struct secret key[CALC_LEVELS][CALC_USES]; /* empty: not given. Of a card's or session's key
                                                  none above is needed. */
    struct secret pin, current_pin;            /* ASCII digits */
    char pan[PAN_TEXT_MAX];                    /* "": not given */
    uint8_t psn;                               /* BCD */
    struct calc_value atc, ac, chain, arc, csu, proprietary, data, tags, head, check;
    bool encipher; /* of a command's data */

    struct calc_row row[CALC_ROWS_MAX]; /* what was worked out; the last one is the outcome */
    size_t rows;
};

/* Reads lines "imk-ac = HEX" (imk, mk, sk with ac, smi, smc; pin, current-pin: digits); # begins a
 * comment. text is a secret. */
TP_MUST_CHECK enum tp_err calc_read_keys(struct calc *c, struct span text, struct tp_error *e);

/* Fills row. TP_ERR_USAGE naming the value that is missing or wrong. */
TP_MUST_CHECK enum tp_err calc_run(struct calc *c, enum calc_what what, struct tp_error *e);

/* Whether the outcome is the value in check: it may be cut at the right to 4 bytes or more, as a
 * MAC on the wire is. */
bool calc_right(const struct calc *c);

void calc_clear(struct calc *c); /* wipes all */

#endif
