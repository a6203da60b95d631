#include "acquirer/answer.h"

#include "base/log.h"
#include "base/text.h"

void answer_verdict(struct wire_answer *a, enum ledger_verdict v, const char *word)
{
    const struct verdict_row *row = ledger_verdict_row(v);

    wire_answer_set(a, row->code, row->worded ? word : row->reason);
}

void answer_log(unsigned request_mti, const struct tx_record *tx, const struct wire_answer *a)
{
    const struct currency *c = currency_by_numeric(tx->currency);
    char amount[MONEY_TEXT_MAX] = "";

    if (c != NULL)
        money_format(amount, tx->amount, c);
    log_note("%04u %s/%s %06u %s %s %s: %s %s%s%s%s", request_mti, tx->contract, tx->terminal,
             tx->stan, tx->pan_masked, amount, c != NULL ? c->alpha : "", a->code, a->rrn,
             a->reason, a->approval[0] != '\0' ? _(" approved ") : "", a->approval);
}
