#include "payer/pay_told.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/document.h"
#include "base/log.h"
#include "payer/report.h"

static const char *outcome(const struct pay_result *result)
{
    return result->has_receipt ? payment_state_name(result->receipt.state) : "error";
}

/* Null where there is none. */
static json_t *error_of(const struct pay_result *result)
{
    return result->error.code != TP_OK ? document_error_of(&result->error) : json_null();
}

static enum tp_err print_json(const struct pay_result *result, const struct told *how)
{
    json_t *receipt = result->has_receipt ? receipt_shown(&result->receipt) : json_null();
    json_t *kernel = NULL;

    if (result->tx != NULL && report_transaction(&kernel, result->tx) != TP_OK) {
        json_decref(receipt);
        json_decref(how->replay);
        return TP_ERR_NO_MEMORY;
    }
    return document_print(json_pack("{s:i, s:s, s:o, s:o, s:o?, s:{s:I, s:I, s:I, s:I, s:I}, s:o?}",
                                    "exit", (int)result->exit, "outcome", outcome(result), "error",
                                    error_of(result), "payment", receipt, "card", kernel, "cost",
                                    "apdus", (json_int_t)result->counts.exchanges, "bytes_to_card",
                                    (json_int_t)result->counts.bytes_out, "bytes_from_card",
                                    (json_int_t)result->counts.bytes_in, "card_ms",
                                    (json_int_t)result->card_ms, "acquirer_ms",
                                    (json_int_t)result->acquirer_ms, "replay", how->replay),
                          how->events);
}

static void say_end(const struct pay_result *result)
{
    if (result->has_receipt)
        report_event("receipt", json_pack("{s:o}", "payment", receipt_shown(&result->receipt)));
    report_event("ended", json_pack("{s:i, s:s, s:o}", "exit", (int)result->exit, "outcome",
                                    outcome(result), "error", error_of(result)));
}

void pay_tell(const struct pay_result *result, const struct told *how)
{
    if (result->error.code != TP_OK)
        log_error("%s", result->error.text[0] != '\0' ? result->error.text
                                                      : tp_err_text(result->error.code));
    if (how->events)
        say_end(result);
    if (how->json && print_json(result, how) != TP_OK)
        log_error("the report cannot be written: `telepay journal list` shows what was paid");
    if (!how->json && !how->events && result->has_receipt)
        ticket_show(how->ticket, result->terminal, &result->receipt);
}

int pay_end(struct pay_result *result, const struct told *how)
{
    const int code = result->exit;
    struct tp_error unprinted;

    if (fflush(stdout) != 0) {
        log_error("the receipt cannot be written (%s): `telepay journal list` shows what was paid",
                  strerror(errno));
        clearerr(stdout); /* it is said */
    }
    if (result->has_receipt &&
        ticket_print(how->ticket, result->terminal, &result->receipt, true, &unprinted) != TP_OK)
        log_error("%s", unprinted.text);
    person_is_done();
    pay_result_free(result);
    return code;
}
