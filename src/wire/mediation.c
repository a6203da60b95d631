#include "wire/mediation.h"

#include <string.h>

#include "apdu/tlv.h"

#define PIECE         999
#define TAG_COMPLETES 0xDF8106

static const struct {
    uint32_t tag;
    bool of_request;
    size_t place;
} texts[] = {
    {0xDF8101, true, offsetof(struct mediation, challenge)},
    {0xDF8102, true, offsetof(struct mediation, transaction)},
    {0xDF8103, true, offsetof(struct mediation, device)},
    {0xDF8104, false, offsetof(struct mediation, acknowledgement)},
    {0xDF8105, false, offsetof(struct mediation, answer)},
    {0xDF8107, true, offsetof(struct mediation, request)},
    {0xDF8108, true, offsetof(struct mediation, evidence)},
    {0xDF8109, false, offsetof(struct mediation, card)},
};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static struct span *text_at(const struct mediation *m, size_t i)
{
    return (struct span *)(void *)((uint8_t *)(uintptr_t)m + texts[i].place);
}

enum tp_err mediation_put(struct iso8583 *m, struct buf *room, const struct mediation *what)
{
    static const uint8_t yes = 1;
    enum tp_err r = TP_OK;

    room->n = 0;
    for (size_t i = 0; r == TP_OK && i < TEXTS; i++)
        if (text_at(what, i)->n > 0)
            r = tlv_put(room, texts[i].tag, *text_at(what, i));
    if (r == TP_OK && what->completes)
        r = tlv_put(room, TAG_COMPLETES, span_of(&yes, 1));
    if (r != TP_OK || room->n > MEDIATION_MAX)
        return TP_ERR_RANGE;
    for (size_t at = 0, f = MEDIATION_FIRST; at < room->n; at += PIECE, f++)
        iso8583_set(m, (unsigned)f,
                    span_of(room->p + at, room->n - at < PIECE ? room->n - at : PIECE));
    return TP_OK;
}

bool mediation_is_there(const struct iso8583 *m)
{
    for (unsigned f = MEDIATION_FIRST; f <= MEDIATION_LAST; f++)
        if (iso8583_has(m, f))
            return true;
    return false;
}

static enum tp_err join(struct buf *room, const struct iso8583 *m)
{
    size_t last = PIECE;

    room->n = 0;
    for (unsigned f = MEDIATION_FIRST; f <= MEDIATION_LAST && iso8583_has(m, f); f++) {
        if (last != PIECE || buf_put(room, m->field[f]) != TP_OK)
            return TP_ERR_FORMAT;
        last = m->field[f].n;
    }
    for (size_t f = MEDIATION_FIRST + (room->n + PIECE - 1) / PIECE; f <= MEDIATION_LAST; f++)
        if (iso8583_has(m, (unsigned)f)) /* behind a gap */
            return TP_ERR_FORMAT;
    return TP_OK;
}

static bool is_text(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || s.p[i] > '~')
            return false;
    return s.n > 0;
}

static bool take(struct mediation *out, const struct tlv *t, bool of_request)
{
    for (size_t i = 0; i < TEXTS; i++)
        if (texts[i].tag == t->tag) {
            struct span *at = text_at(out, i);

            if (texts[i].of_request != of_request || at->n > 0 || !is_text(t->value))
                return false;
            *at = t->value;
            return true;
        }
    if (t->tag != TAG_COMPLETES || of_request || out->completes || t->value.n != 1 ||
        t->value.p[0] != 1)
        return false;
    out->completes = true;
    return true;
}

enum tp_err mediation_read(struct mediation *out, struct buf *room, const struct iso8583 *m,
                           bool of_request)
{
    struct span left;
    struct tlv t;
    enum tp_err r = join(room, m);

    *out = (struct mediation){.completes = false};
    left = buf_span(room);
    while (r == TP_OK && left.n > 0) {
        const uint8_t *const before = left.p;

        r = tlv_next(&left, &t);
        if (r == TP_OK && (t.raw.p != before || !take(out, &t, of_request)))
            r = TP_ERR_FORMAT; /* nor is there padding between them */
    }
    return r == TP_OK ? TP_OK : TP_ERR_FORMAT;
}
