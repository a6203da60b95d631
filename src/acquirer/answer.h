/* Answers to terminals: what of a request goes back in them, and DE 37, 38, 39, 44 and 55 (DESIGN
 * 7). */
#ifndef TP_ACQUIRER_ANSWER_H
#define TP_ACQUIRER_ANSWER_H

#include "ledger/ledger.h"
#include "wire/echo.h"

#define REASON_MAX 26 /* DE 44: 25 characters and a zero */

struct answer {
    char code[3];            /* DE 39 */
    char reason[REASON_MAX]; /* DE 44: the name of the check that refused; "" for none */
    char rrn[RRN_MAX];       /* DE 37; "" for none */
    char approval[7];        /* DE 38 of the issuer; "" for none */
    size_t de55_n;           /* 0: none */
    uint8_t de55[ISSUER_DATA_MAX];
};

/* Sets code and reason (NULL: none) and nothing else. */
void answer_set(struct answer *a, const char *code, const char *reason);

/* The same by the verdict's row; word: of a verdict that comes with one, else NULL. */
void answer_verdict(struct answer *a, enum ledger_verdict v, const char *word);

/* From what the books keep of an issuer's word, and into it (which borrows from the answer). */
void answer_from_said(struct answer *a, const struct issuer_said *said);
struct issuer_said answer_to_said(const struct answer *a);

/* What every answer of the acquirer repeats. */
void answer_echo(struct echo *out, const struct iso8583 *request);

/* Starts the answer: the fields repeated, then those of a. out borrows from both. */
TP_MUST_CHECK enum tp_err answer_start(struct iso8583 *out, const struct echo *echo,
                                       const struct answer *a);

/* One line for the operator: "0200 000000000000123/00000001 000042 999014******0015 12.50 EUR: 63
 * SDAD_HASH". tx gives contract, terminal, stan, masked PAN, amount and currency, as far as they
 * are known. */
void answer_log(unsigned request_mti, const struct tx_record *tx, const struct answer *a);

#endif
