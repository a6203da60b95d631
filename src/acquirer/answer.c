#include "acquirer/answer.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

void answer_set(struct answer *a, const char *code, const char *reason)
{
    snprintf(a->code, sizeof(a->code), "%s", code);
    snprintf(a->reason, sizeof(a->reason), "%s", reason != NULL ? reason : "");
    a->rrn[0] = '\0';
    a->approval[0] = '\0';
    a->de55_n = 0;
}

void answer_verdict(struct answer *a, enum ledger_verdict v, const char *word)
{
    const struct verdict_row *row = ledger_verdict_row(v);

    answer_set(a, row->code, row->worded ? word : row->reason);
}

void answer_from_said(struct answer *a, const struct issuer_said *said)
{
    answer_set(a, said->code, said->reason);
    snprintf(a->approval, sizeof(a->approval), "%s", said->approval);
    if (said->de55.n > 0 && said->de55.n <= sizeof(a->de55)) {
        memcpy(a->de55, said->de55.p, said->de55.n);
        a->de55_n = said->de55.n;
    }
}

struct issuer_said answer_to_said(const struct answer *a)
{
    struct issuer_said said = {.de55 = span_of(a->de55, a->de55_n)};

    memcpy(said.code, a->code, sizeof(said.code));
    memcpy(said.reason, a->reason, sizeof(said.reason));
    memcpy(said.approval, a->approval, sizeof(said.approval));
    return said;
}

void answer_echo(struct echo *out, const struct iso8583 *request)
{
    static const uint8_t repeated[] = {3, 4, 7, 11, 12, 13, 41, 42, 49, 70};

    echo_take(out, request, repeated, sizeof(repeated));
}

enum tp_err answer_start(struct iso8583 *out, const struct echo *echo, const struct answer *a)
{
    enum tp_err r = echo_start(out, echo);

    if (r == TP_OK && a->rrn[0] != '\0')
        r = iso8583_set_text(out, 37, a->rrn);
    if (r == TP_OK && a->approval[0] != '\0')
        r = iso8583_set_text(out, 38, a->approval);
    if (r == TP_OK)
        r = iso8583_set_text(out, 39, a->code);
    if (r == TP_OK && a->reason[0] != '\0')
        r = iso8583_set_text(out, 44, a->reason);
    if (r == TP_OK && a->de55_n > 0)
        r = iso8583_set(out, 55, span_of(a->de55, a->de55_n));
    return r;
}

void answer_log(unsigned request_mti, const struct tx_record *tx, const struct answer *a)
{
    const struct currency *c = currency_by_numeric(tx->currency);
    char amount[MONEY_TEXT_MAX] = "";

    if (c != NULL)
        money_format(amount, tx->amount, c);
    log_note("%04u %s/%s %06u %s %s %s: %s %s%s%s%s", request_mti, tx->contract, tx->terminal,
             tx->stan, tx->pan_masked, amount, c != NULL ? c->alpha : "", a->code, a->rrn,
             a->reason, a->approval[0] != '\0' ? " approved " : "", a->approval);
}
