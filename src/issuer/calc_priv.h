/* Within the calculator: what its parts have of each other. */
#ifndef TP_ISSUER_CALC_PRIV_H
#define TP_ISSUER_CALC_PRIV_H

#include "issuer/calc.h"

typedef enum tp_err calc_work(struct calc *c, struct tp_error *e);

/* Appends a row. */
TP_MUST_CHECK enum tp_err calc_put(struct calc *c, const char *step, const char *clause,
                                   struct span value);
TP_MUST_CHECK enum tp_err calc_put_digits(struct calc *c, const char *step, const char *clause,
                                          struct span digits);

struct span calc_given(const struct calc_value *v);

/* TP_ERR_USAGE unless v was given and has min to max bytes; from: what it is, and where it is
 * found. */
TP_MUST_CHECK enum tp_err calc_need(const struct calc_value *v, size_t min, size_t max,
                                    const char *option, const char *from, struct tp_error *e);

extern const char *const calc_uses[CALC_USES]; /* "ac", "smi", ... */
extern const char calc_from_ac[], calc_from_atc[], calc_from_un[];

/* Works out c->key[CALC_CARD_KEY][use], c->key[CALC_SESSION_KEY][use], unless it is there. */
TP_MUST_CHECK enum tp_err calc_master(struct calc *c, enum calc_use use, struct tp_error *e);
TP_MUST_CHECK enum tp_err calc_session(struct calc *c, enum calc_use use, struct tp_error *e);

calc_work calc_mac, calc_command, calc_encipher, calc_decipher; /* calc_script.c */
calc_work calc_pin_block, calc_pin, calc_cvc3, calc_dcvv;       /* calc_value.c */

#endif
