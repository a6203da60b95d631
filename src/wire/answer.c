#include "wire/answer.h"

#include <stdio.h>
#include <string.h>

#include "apdu/tlv.h"

void wire_answer_set(struct wire_answer *a, const char *code, const char *reason)
{
    snprintf(a->code, sizeof(a->code), "%s", code);
    snprintf(a->reason, sizeof(a->reason), "%s", reason != NULL ? reason : "");
    a->rrn[0] = '\0';
    a->approval[0] = '\0';
    a->data_n = 0;
}

bool wire_answer_is_yes(const struct wire_answer *a)
{
    return strcmp(a->code, "00") == 0;
}

/* The text fields, each where it stands in the struct. */
static const struct {
    uint8_t field;
    size_t place, room;
} texts[] = {
    {37, offsetof(struct wire_answer, rrn), WIRE_RRN_MAX},
    {38, offsetof(struct wire_answer, approval), WIRE_APPROVAL_MAX},
    {39, offsetof(struct wire_answer, code), sizeof(((struct wire_answer *)0)->code)},
    {44, offsetof(struct wire_answer, reason), WIRE_REASON_MAX},
};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

void wire_answer_put(struct iso8583 *out, const struct wire_answer *a)
{
    for (size_t i = 0; i < TEXTS; i++) {
        const char *text = (const char *)a + texts[i].place;

        if (text[0] != '\0')
            iso8583_set_text(out, texts[i].field, text);
    }
    if (a->data_n > 0)
        iso8583_set(out, 55, span_of(a->data, a->data_n));
}

enum tp_err wire_answer_read(struct wire_answer *a, const struct iso8583 *m, struct tp_error *e)
{
    const struct span data = m->field[55];

    memset(a, 0, sizeof(*a));
    for (size_t i = 0; i < TEXTS; i++)
        if (iso8583_has(m, texts[i].field) &&
            iso8583_text(m, texts[i].field, (char *)a + texts[i].place, texts[i].room) != TP_OK)
            return tp_fail(e, TP_ERR_PEER, "its field %u (%s) cannot be read", texts[i].field,
                           iso8583_field(texts[i].field)->name);
    if (strlen(a->code) != 2)
        return tp_fail(e, TP_ERR_PEER, "it has no response code (field 39)");
    if (data.n > sizeof(a->data) || (data.n > 0 && tlv_check(data) != TP_OK))
        return tp_fail(e, TP_ERR_PEER, "its data for the card (field 55) cannot be read");
    if (data.n > 0)
        memcpy(a->data, data.p, data.n);
    a->data_n = data.n;
    return TP_OK;
}
