/* What the operator reads of the answers to terminals. */
#ifndef TP_ACQUIRER_ANSWER_H
#define TP_ACQUIRER_ANSWER_H

#include "ledger/ledger.h"
#include "wire/answer.h"

/* Sets the answer by the verdict's row; word: of a verdict that comes with one, else NULL. */
void answer_verdict(struct wire_answer *a, enum ledger_verdict v, const char *word);

/* One line for the operator: "0200 000000000000123/00000001 000042 999014******0015 12.50 EUR: 63
 * SDAD_HASH". tx gives contract, terminal, stan, masked PAN, amount and currency, as far as they
 * are known. */
void answer_log(unsigned request_mti, const struct tx_record *tx, const struct wire_answer *a);

#endif
