/* A message of ISO 8583: its fields, and the objects of EMV in them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mask.h"
#include "base/text.h"
#include "decode/decode_priv.h"
#include "wire/iso8583.h"

enum { SHOWN_PLAIN, SHOWN_PAN, SHOWN_SIZE };
enum { DE_55 = 55, DE_EVIDENCE = 61, DE_EVIDENCE_END = 63 };

#define TYPE_MAX 128

static const char *type_name(char text[TYPE_MAX], unsigned mti)
{
    static const char *const names[] =
        {[1] = N_("authorisation"),  [2] = N_("financial transaction"),
         [4] = N_("reversal"),       [5] = N_("reconciliation"),
         [6] = N_("administrative"), [8] = N_("network management")},
                             *const functions[] = {N_("request"), N_("request response"),
                                                   N_("advice"), N_("advice response")};
    const unsigned class = mti / 100, function = mti / 10 % 10;

    snprintf(text, TYPE_MAX, _("%s %s%s"),
             class < sizeof(names) / sizeof(names[0]) && names[class] != NULL ? _(names[class])
                                                                              : _("message"),
             function < 4 ? _(functions[function]) : _("of another function"),
             mti % 10 == 1 ? _(", repeat") : "");
    return text;
}

static void set_text(struct listing *l, json_t *o, const struct iso8583_field *f, struct span v)
{
    char masked[PAN_TEXT_MAX], *text;

    if (f->shown != SHOWN_PLAIN && !l->d->shown.all && (f->shown == SHOWN_SIZE || v.n > PAN_MAX)) {
        listing_means(l, o, "masked");
        return;
    }
    text = f->format == ISO_B ? malloc(2 * v.n + 1) : span_text(v);
    if (text == NULL) {
        l->failed = true;
        return;
    }
    if (f->format == ISO_B)
        hex_encode(text, v);
    listing_set(
        l, o, "value",
        json_string(f->shown == SHOWN_PAN && !l->d->shown.all ? mask_pan(masked, text) : text));
    free(text);
}

static void field(struct listing *l, const struct iso8583 *m, unsigned number)
{
    const struct iso8583_field *f = iso8583_field(number);
    const struct span v = m->field[number];
    struct listing inside;
    char tag[8];
    json_t *o;

    snprintf(tag, sizeof(tag), "DE %u", number);
    o = listing_add(l, tag, f->name);
    listing_set(l, o, "length", json_integer((json_int_t)v.n));
    if (number != DE_55) {
        if (number < DE_EVIDENCE || number > DE_EVIDENCE_END)
            set_text(l, o, f, v);
        return;
    }
    inside = listing_inside(l);
    listing_tlv(&inside, v);
    listing_close(l, o, &inside);
}

/* DE 61 to 63 are one stream. */
static void evidence(struct listing *l, struct span stream)
{
    struct listing inside;
    json_t *o;

    if (stream.n == 0)
        return;
    o = listing_add(l, "DE 61-63", "evidence of the payment");
    inside = listing_inside(l);
    inside.start = stream.p;
    listing_tlv(&inside, stream);
    listing_close(l, o, &inside);
}

enum tp_err decode_message(json_t **out, struct decode *d, struct span in, struct tp_error *e)
{
    struct listing l = {.d = d, .list = json_array(), .start = in.p};
    uint8_t stream[ISO8583_EVIDENCE_MAX];
    struct buf evidence_room = BUF_OF(stream);
    struct iso8583 *m = calloc(1, sizeof(*m));
    struct tp_error why = {TP_OK, ""};
    char mti[5], type[TYPE_MAX];
    enum tp_err r;

    if (m == NULL) {
        l.failed = true;
        return listing_take(&l, out, e);
    }
    r = iso8583_unpack(m, in, &why);
    if (m->mti != 0) {
        snprintf(mti, sizeof(mti), "%04u", m->mti % 10000);
        listing_add(&l, mti, type_name(type, m->mti));
    }
    if (iso8583_evidence_join(&evidence_room, m) != TP_OK)
        evidence_room.n = 0;
    decode_learn(d, buf_span(&evidence_room));
    decode_learn(d, m->field[DE_55]);
    for (unsigned i = 2; i < ISO8583_FIELDS; i++)
        if (iso8583_has(m, i))
            field(&l, m, i);
    evidence(&l, buf_span(&evidence_room));
    if (r != TP_OK) {
        l.fault = why;
        listing_set(&l, listing_add(&l, "??", NULL), "fault", json_string(why.text));
    }
    d->objects = 0; /* they lie in what goes now */
    free(m);
    return listing_take(&l, out, e);
}
