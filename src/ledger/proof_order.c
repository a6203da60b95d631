#include "ledger/proof_order.h"

#include <stdlib.h>
#include <string.h>

#include "apdu/emvtags.h"
#include "ledger/payee.h"
#include "order/device.h"
#include "wire/jcs.h"

#define UN_BYTES 4 /* of 9F37 */

static char *text_of(struct span s)
{
    return span_text(s);
}

static enum tp_err read_order(struct proof_order *out, const struct proof_texts *texts,
                              const struct order_authority *authority, struct tp_error *e)
{
    struct payment_challenge challenge;
    json_t *object = NULL;
    char *acknowledgement = text_of(texts->acknowledgement);
    enum tp_err r = acknowledgement != NULL ? jcs_read(&object, texts->challenge, e)
                                            : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");

    if (r == TP_OK && !json_is_object(object))
        r = tp_fail(e, TP_ERR_FORMAT, "the challenge is no object");
    if (r == TP_OK)
        r = payment_challenge_from_json(&challenge, object, e);
    if (r == TP_OK)
        r = order_proof_read(&out->order, &challenge, acknowledgement, authority, e);
    free(acknowledgement);
    json_decref(object);
    return r;
}

enum tp_err proof_order_read(struct proof_order *out, const struct proof_texts *texts,
                             const struct order_authority *authority, struct tp_error *e)
{
    char *device = NULL;
    enum tp_err r;

    *out = (struct proof_order){.device = false};
    if (authority == NULL)
        return tp_fail(e, TP_ERR_NOT_FOUND, "no authority's certificate to check the order by");
    r = read_order(out, texts, authority, e);
    if (r != TP_OK || texts->device.n == 0 || texts->message == NULL)
        return r;
    device = text_of(texts->device);
    r = device != NULL ? device_statement_verify(device, out->order.r, texts->message, e)
                       : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    out->device = r == TP_OK;
    free(device);
    return r;
}

void proof_order_free(struct proof_order *p)
{
    order_proof_free(&p->order);
    p->device = false;
}

enum proof_bond proof_bond(const struct evidence *ev, const uint8_t r[PAYMENT_R], bool device)
{
    const enum payee_found found = payee_signed(ev, TAG_MERCHANT_CUSTOM, span_of(r, PAYMENT_R));

    if (!span_eq(ev->un, span_of(r, UN_BYTES)) ||
        (found != PAYEE_UNSIGNED && found != PAYEE_SIGNED))
        return BOND_OTHER;
    if (found == PAYEE_SIGNED)
        return BOND_CARD;
    return device ? BOND_DEVICE : BOND_NONE;
}
