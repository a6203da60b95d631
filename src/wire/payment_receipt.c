#include "wire/payment_receipt.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "wire/jcs.h"

#define SUCCESS "success" /* there is no other status */

static enum tp_err check(const struct payment_receipt *r, struct tp_error *e)
{
    time_t t;

    if (r->method == NULL || r->method[0] == '\0')
        return tp_fail(e, TP_ERR_FORMAT, "the receipt has no method");
    if (r->reference == NULL)
        return tp_fail(e, TP_ERR_FORMAT, "the receipt has no reference");
    if (r->timestamp == NULL || time_parse(&t, r->timestamp) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT, "the receipt's timestamp: it is no date and time");
    return TP_OK;
}

static enum tp_err fill(json_t *object, const struct payment_receipt *receipt, struct tp_error *e)
{
    enum tp_err r = jcs_set_text(object, "status", SUCCESS, e);

    if (r == TP_OK)
        r = jcs_set_text(object, "method", receipt->method, e);
    if (r == TP_OK)
        r = jcs_set_text(object, "timestamp", receipt->timestamp, e);
    if (r == TP_OK)
        r = jcs_set_text(object, "reference", receipt->reference, e);
    if (r == TP_OK)
        r = jcs_set_text(object, "challengeId", receipt->challenge_id, e);
    return r == TP_OK ? jcs_add(object, receipt->more, e) : r;
}

enum tp_err payment_receipt_write(char **out, const struct payment_receipt *receipt,
                                  struct tp_error *e)
{
    json_t *object = NULL;
    enum tp_err r = check(receipt, e);

    *out = NULL;
    if (r != TP_OK)
        return r;
    object = json_object();
    r = object != NULL ? fill(object, receipt, e)
                       : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for JSON");
    if (r == TP_OK)
        r = jcs_encode_in_order(out, object, e);
    json_decref(object);
    return r;
}

enum tp_err payment_receipt_read(struct payment_receipt *out, struct span field, struct tp_error *e)
{
    struct payment_receipt receipt = {0};
    const char *status = NULL;
    enum tp_err r = jcs_decode(&receipt.owner, field, PAYMENT_RECEIPT_MAX, e);

    *out = (struct payment_receipt){0};
    if (r == TP_OK)
        r = jcs_text(&status, receipt.owner, "status", e);
    if (r == TP_OK)
        r = jcs_text(&receipt.method, receipt.owner, "method", e);
    if (r == TP_OK)
        r = jcs_text(&receipt.timestamp, receipt.owner, "timestamp", e);
    if (r == TP_OK)
        r = jcs_text(&receipt.reference, receipt.owner, "reference", e);
    if (r == TP_OK)
        r = jcs_text(&receipt.challenge_id, receipt.owner, "challengeId", e);
    if (r != TP_OK) {
        (void)tp_error_prefix(e, "the receipt");
        goto out;
    }
    receipt.more = receipt.owner;
    r = status != NULL && strcmp(status, SUCCESS) == 0
            ? check(&receipt, e)
            : tp_fail(e, TP_ERR_FORMAT, "the receipt's status is not success");
out:
    if (r == TP_OK)
        *out = receipt;
    else
        payment_receipt_free(&receipt);
    return r;
}

void payment_receipt_free(struct payment_receipt *r)
{
    json_decref(r->owner);
    *r = (struct payment_receipt){0};
}
