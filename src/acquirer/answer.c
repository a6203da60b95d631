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

void echo_take(struct echo *out, const struct iso8583 *request)
{
    static const uint8_t repeated[] = {3, 4, 7, 11, 12, 13, 41, 42, 49, 70};

    out->mti = request->mti - request->mti % 10 + 10; /* 0200 and its repeat 0201 are both answered by 0210 */
    out->fields = 0;
    out->text_n = 0;
    for (size_t i = 0; i < sizeof(repeated); i++) {
        const struct span v = request->field[repeated[i]];

        if (v.p == NULL || v.n > sizeof(out->text) - out->text_n)
            continue;
        out->field[out->fields].number = repeated[i];
        out->field[out->fields].at = (uint8_t)out->text_n;
        out->field[out->fields++].n = (uint8_t)v.n;
        memcpy(out->text + out->text_n, v.p, v.n);
        out->text_n += v.n;
    }
}

enum tp_err answer_start(struct iso8583 *out, const struct echo *echo, const struct answer *a)
{
    enum tp_err r = TP_OK;

    iso8583_start(out, echo->mti);
    for (size_t i = 0; r == TP_OK && i < echo->fields; i++)
        r = iso8583_set(out, echo->field[i].number, span_of(echo->text + echo->field[i].at, echo->field[i].n));
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
    log_note("%04u %s/%s %06u %s %s %s: %s %s%s%s%s", request_mti, tx->contract, tx->terminal, tx->stan, tx->pan_masked, amount,
             c != NULL ? c->alpha : "", a->code, a->rrn, a->reason, a->approval[0] != '\0' ? " approved " : "", a->approval);
}
