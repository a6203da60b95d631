/* Evidence by EMV as a file: the form of data/vectors/offline-data-authentication.json. */
#include "ledger/evidence_priv.h"

#include <stdlib.h>
#include <string.h>

#include "apdu/emvtags.h"
#include "base/bcd.h"
#include "base/hex.h"
#include "base/secret.h"

static void tag_name(char out[9], uint32_t tag)
{
    uint8_t raw[4];
    struct buf b = BUF_OF(raw);
    struct span s;

    if (buf_be32(&b, tag) != TP_OK)
        return;
    for (s = buf_span(&b); s.n > 1 && s.p[0] == 0;) {
        s.p++;
        s.n--;
    }
    hex_encode(out, s);
}

/* Absent leaves *out empty. */
static enum tp_err decode(struct span *out, struct buf *arena, const json_t *value,
                          const char *name, struct tp_error *e)
{
    const size_t start = arena->n;
    enum tp_err r;

    if (value == NULL)
        return TP_OK;
    if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
        return tp_fail(e, TP_ERR_FORMAT, "the value of \"%s\" is no text of hex digits", name);
    r = hex_decode(arena, json_string_value(value));
    if (r == TP_ERR_RANGE)
        return tp_fail(e, r, "the evidence is larger than any a card gives");
    if (r != TP_OK)
        return tp_fail(e, r, "the value of \"%s\" is no text of hex digits", name);
    *out = span_of(arena->p + start, arena->n - start);
    return TP_OK;
}

enum tp_err evidence_emv_read(struct evidence *ev, struct buf *arena, const json_t *object,
                              struct tp_error *e)
{
    const json_t *tags = json_object_get(object, "tags");
    enum tp_err r = TP_OK;

    memset(ev, 0, sizeof(*ev));
    if (!json_is_object(tags))
        return tp_fail(e, TP_ERR_FORMAT, "it has no object \"tags\"");
    for (size_t i = 0; r == TP_OK && evidence_tags[i] != 0; i++) {
        char name[9] = "";

        tag_name(name, evidence_tags[i]);
        r = decode(evidence_field(ev, evidence_tags[i]), arena, json_object_get(tags, name), name,
                   e);
    }
    if (r == TP_OK)
        r = decode(&ev->de55, arena, json_object_get(object, "de55"), "de55", e);
    if (r == TP_OK && ev->dda_sdad.n == 0)
        r = decode(&ev->dda_sdad, arena, json_object_get(tags, "9F4B"), "9F4B", e);
    if (r == TP_OK && ev->ddol_values.n == 0)
        ev->ddol_values = ev->un;
    return r;
}

static enum tp_err put_hex(json_t *o, const char *name, struct span value)
{
    char *text = malloc(2 * value.n + 1);
    enum tp_err r = TP_ERR_NO_MEMORY;

    if (text != NULL && json_object_set_new(o, name, json_string(hex_encode(text, value))) == 0)
        r = TP_OK;
    free(text);
    return r;
}

enum tp_err evidence_emv_prove(json_t **object, const struct evidence *ev)
{
    struct evidence all = *ev;
    char digits[20] = "";
    uint8_t pan[10];
    struct buf cn = BUF_OF(pan);
    json_t *o = json_object(), *tags = json_object();
    enum tp_err r = o != NULL && tags != NULL ? TP_OK : TP_ERR_NO_MEMORY;

    if (all.pan.n == 0)
        all.pan = evidence_signed_record(ev, TAG_PAN);
    if (all.pan.n == 0 && ev->pan_digits.n > 0 &&
        ev->pan_digits.n < sizeof(digits)) { /* of DE 2: no authenticated record holds it */
        memcpy(digits, ev->pan_digits.p, ev->pan_digits.n);
        if (bcd_put_cn(&cn, digits, (ev->pan_digits.n + 1) / 2) == TP_OK)
            all.pan = buf_span(&cn);
        secret_wipe(digits, sizeof(digits));
    }
    for (size_t i = 0; r == TP_OK && evidence_tags[i] != 0; i++) {
        const struct span value = *evidence_field(&all, evidence_tags[i]);
        char name[9] = "";

        tag_name(name, evidence_tags[i]);
        if (value.n > 0)
            r = put_hex(tags, name, value);
    }
    if (r == TP_OK && ev->de55.n > 0)
        r = put_hex(o, "de55", ev->de55);
    if (r == TP_OK && json_object_set(o, "tags", tags) != 0)
        r = TP_ERR_NO_MEMORY;
    json_decref(tags);
    if (r != TP_OK) {
        json_decref(o);
        o = NULL;
    }
    *object = o;
    return r;
}
