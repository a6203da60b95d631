#include "payer/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/document.h"
#include "base/hex.h"
#include "payer/receipt.h"
#include "apdu/shown.h"

static const char *const outcomes[] = {
    [KERNEL_APPROVED] = "approved",         [KERNEL_DECLINED] = "declined",
    [KERNEL_NOT_ACCEPTED] = "not accepted", [KERNEL_TERMINATED] = "terminated",
    [KERNEL_READ_ONLY] = "read only",       [KERNEL_PROVED] = "proved",
};

static json_t *hex_of(const struct transaction *tx, uint32_t tag)
{
    const struct span value = transaction_get(tx, tag);
    char hex[2 * 5 + 1];

    return value.n > 5 ? NULL : json_string(hex_encode(hex, value));
}

/* The names of the bits that are set. */
static json_t *names_of_bits(const struct transaction *tx, uint32_t tag, enum emv_bitmap map)
{
    const struct span value = transaction_get(tx, tag);
    json_t *list = json_array();
    bool ok = list != NULL;

    for (unsigned i = 0; ok && i < 8 * value.n; i++) {
        const char *name = emv_bit_name(map, i / 8 + 1, 8 - i % 8);

        if ((value.p[i / 8] & 0x80 >> i % 8) != 0)
            ok =
                json_array_append_new(list, json_string(name != NULL ? name : "reserved bit")) == 0;
    }
    if (!ok) {
        json_decref(list);
        list = NULL;
    }
    return list;
}

static json_t *application(const struct transaction *tx)
{
    const struct candidate *c = transaction_application(tx);
    char aid[33];

    if (c == NULL)
        return json_null();
    return json_pack("{s:s, s:s, s:i, s:b}", "aid", hex_encode(aid, span_of(c->aid, c->aid_n)),
                     "label", c->label, "priority", c->priority & 0x0F, "live",
                     transaction_live(tx));
}

/* The authority key that opened the issuer certificate; else the one that the card names, without a
 * source: unknown, or it opens nothing ("check"). */
static json_t *authority_key(const struct transaction *tx, const struct kernel_authentication *a)
{
    const struct span name = transaction_get(tx, TAG_DF_NAME),
                      wanted = transaction_get(tx, TAG_CA_INDEX);
    char rid[11], index[3];

    if (a->authority != NULL)
        return json_pack("{s:s, s:s, s:s, s:o, s:b}", "rid",
                         hex_encode(rid, SPAN_OF(a->authority->rid)), "index",
                         hex_encode(index, span_of(&a->authority->index, 1)), "source",
                         a->authority->source, "expiry", document_date(a->authority->expiry),
                         "expired", a->authority_expired);
    if (name.n < 5 || wanted.n != 1)
        return json_null();
    return json_pack("{s:s, s:s, s:n, s:n, s:b}", "rid", hex_encode(rid, span_of(name.p, 5)),
                     "index", hex_encode(index, wanted), "source", "expiry", "expired", 0);
}

static json_t *authentication(const struct transaction *tx)
{
    const struct kernel_authentication *a = transaction_authentication(tx);

    if (a == NULL)
        return json_null();
    json_t *authority = authority_key(tx, a);

    return json_pack("{s:s, s:b, s:s?, s:s?, s:o, s:s, s:o, s:i, s:o, s:i}", "method",
                     kernel_method_name(a->method), "ok", a->ok, "failed_at", a->failed_at, "check",
                     a->failed_at != NULL ? emv_check_text(a->check) : NULL, "authority_key",
                     authority, "issuer", a->issuer, "issuer_expiry",
                     document_date(a->issuer_expiry), "issuer_bits", (int)a->issuer_bits,
                     "card_expiry", document_date(a->icc_expiry), "card_bits", (int)a->icc_bits);
}

static json_t *verification(const struct transaction *tx)
{
    static const char *const results[] = {
        [KERNEL_CVM_CONDITION] = "condition does not hold",
        [KERNEL_CVM_UNKNOWN] = "unknown",
        [KERNEL_CVM_UNSUPPORTED] = "not supported",
        [KERNEL_CVM_FAILED] = "failed",
        [KERNEL_CVM_OK] = "successful",
    };
    json_t *list = json_array();
    const struct kernel_cvm *c;

    for (size_t i = 0; list != NULL && (c = transaction_cvm_at(tx, i)) != NULL; i++)
        if (json_array_append_new(
                list, json_pack("{s:s, s:s, s:s}", "method", emv_cvm_name(c->code), "condition",
                                emv_cvm_condition_name(c->condition), "result",
                                cvm_bypassed(c->code, c->result == KERNEL_CVM_FAILED,
                                             transaction_get(tx, TAG_TVR))
                                    ? "not entered"
                                    : results[c->result])) != 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

static json_t *element(struct shown *shown, uint32_t tag, struct span value)
{
    const struct emv_tag *known = emv_tag_find(tag);
    char *text = malloc(2 * value.n + 1), name[9];
    json_t *o = NULL;

    snprintf(name, sizeof(name), "%02X", tag);
    if (text != NULL)
        o = json_pack("{s:s, s:s?, s:s}", "tag", name, "name", known != NULL ? known->name : NULL,
                      "value", shown_value(text, shown, tag, value));
    free(text);
    return o;
}

static json_t *data(const struct transaction *tx)
{
    struct shown shown = {.personal = true};
    json_t *list = json_array();
    struct span value;
    uint32_t tag;

    for (size_t i = 0; transaction_at(tx, i, &tag, &value);
         i++) /* first: it may turn up before its own place */
        shown_learn(&shown, tag, value);
    for (size_t i = 0; list != NULL && transaction_at(tx, i, &tag, &value); i++)
        if (json_array_append_new(list, element(&shown, tag, value)) != 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

enum tp_err report_transaction(json_t **out, const struct transaction *tx)
{
    *out = json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "application",
                     application(tx), "outcome", outcomes[transaction_outcome(tx)], "reason",
                     transaction_reason(tx), "authentication", authentication(tx), "verifications",
                     verification(tx), "tvr", hex_of(tx, TAG_TVR), "tvr_bits",
                     names_of_bits(tx, TAG_TVR, EMV_BITMAP_TVR), "tsi", hex_of(tx, TAG_TSI),
                     "tsi_bits", names_of_bits(tx, TAG_TSI, EMV_BITMAP_TSI), "data", data(tx));
    return *out != NULL ? TP_OK : TP_ERR_NO_MEMORY;
}

void report_event(const char *event, json_t *more)
{
    json_t *line = json_pack("{s:s}", "event", event);

    if (line != NULL && more != NULL)
        (void)json_object_update(line, more);
    json_decref(more);
    (void)!document_print(line, true);
}
