/* Application selection: EMV 4.4 Book 1, 11.3 (SELECT) and 12 (directory, candidate list). */
#include "simcard/card_priv.h"

#include <string.h>

#define NAME_MIN          5
#define NAME_MAX          16
#define DIRECTORY_APPS    2 /* templates 61 in one record of the directory */
#define CODE_TABLE_LATIN1 1 /* 9F11: ISO/IEC 8859-1 */

static const uint8_t pse_name[] = {'1', 'P', 'A', 'Y', '.', 'S', 'Y',
                                   'S', '.', 'D', 'D', 'F', '0', '1'};

static enum tp_err put_text(struct buf *out, uint32_t tag, const char *text)
{
    return text[0] == '\0' ? TP_OK : tlv_put(out, tag, span_str(text));
}

static enum tp_err put_byte(struct buf *out, uint32_t tag, uint8_t v)
{
    return tlv_put(out, tag, span_of(&v, 1));
}

/* 6F { 84 name, A5 { … } }: Book 1, tables 8 and 10. */
static enum tp_err put_fci(struct buf *out, struct span name, struct span proprietary)
{
    enum tp_err r = tlv_put_header(
        out, TAG_FCI, tlv_size(TAG_DF_NAME, name.n) + tlv_size(TAG_FCI_PROPRIETARY, proprietary.n));

    if (r == TP_OK)
        r = tlv_put(out, TAG_DF_NAME, name);
    return r == TP_OK ? tlv_put(out, TAG_FCI_PROPRIETARY, proprietary) : r;
}

static enum tp_err pse_fci(const struct card *c, struct buf *out)
{
    uint8_t raw[64];
    struct buf inner = BUF_OF(raw);
    enum tp_err r = put_byte(&inner, TAG_SFI, CARD_DIRECTORY_SFI);

    if (r == TP_OK)
        r = put_text(&inner, TAG_LANGUAGE, c->profile->language);
    if (r == TP_OK)
        r = put_byte(&inner, TAG_CODE_TABLE, CODE_TABLE_LATIN1);
    return r == TP_OK ? put_fci(out, SPAN_OF(pse_name), buf_span(&inner)) : r;
}

static enum tp_err put_log_entry(struct buf *out)
{
    const uint8_t entry[2] = {CARD_LOG_SFI, STATE_LOG_MAX}; /* Book 3, D2 */
    const enum tp_err r =
        tlv_put_header(out, TAG_FCI_ISSUER, tlv_size(TAG_LOG_ENTRY, sizeof(entry)));

    return r == TP_OK ? tlv_put(out, TAG_LOG_ENTRY, SPAN_OF(entry)) : r;
}

static enum tp_err app_fci(const struct card *c, const struct profile_app *a, struct buf *out)
{
    uint8_t raw[200];
    struct buf inner = BUF_OF(raw);
    enum tp_err r = put_text(&inner, TAG_APP_LABEL, a->label);

    if (r == TP_OK)
        r = put_byte(&inner, TAG_PRIORITY, a->priority);
    if (r == TP_OK && c->profile->pdol.n > 0)
        r = tlv_put(&inner, TAG_PDOL, span_of(c->profile->pdol.p, c->profile->pdol.n));
    if (r == TP_OK)
        r = put_text(&inner, TAG_LANGUAGE, c->profile->language);
    if (r == TP_OK && a->preferred[0] != '\0')
        r = put_byte(&inner, TAG_CODE_TABLE, CODE_TABLE_LATIN1);
    if (r == TP_OK)
        r = put_text(&inner, TAG_PREFERRED_NAME, a->preferred);
    if (r == TP_OK)
        r = put_log_entry(&inner);
    return r == TP_OK ? put_fci(out, span_of(a->aid, a->aid_n), buf_span(&inner)) : r;
}

static enum tp_err put_directory_entry(struct buf *out, const struct profile_app *a)
{
    uint8_t raw[80];
    struct buf inner = BUF_OF(raw);
    enum tp_err r = tlv_put(&inner, TAG_AID, span_of(a->aid, a->aid_n));

    if (r == TP_OK)
        r = put_text(&inner, TAG_APP_LABEL, a->label);
    if (r == TP_OK)
        r = put_byte(&inner, TAG_PRIORITY, a->priority);
    if (r == TP_OK)
        r = put_text(&inner, TAG_PREFERRED_NAME, a->preferred);
    return r == TP_OK ? tlv_put(out, TAG_APP_TEMPLATE, buf_span(&inner)) : r;
}

uint16_t card_directory_record(const struct card *c, uint8_t number, struct buf *out)
{
    uint8_t raw[DIRECTORY_APPS * 80];
    struct buf inner = BUF_OF(raw);
    size_t first = ((size_t)number - 1) * DIRECTORY_APPS;

    if (fault_endless_directory(&c->faults))
        first = 0;
    if (number == 0 || first >= c->profile->apps_n)
        return SW_RECORD_NOT_FOUND;
    for (size_t i = first; i < c->profile->apps_n && i < first + DIRECTORY_APPS; i++)
        if (put_directory_entry(&inner, &c->profile->apps[i]) != TP_OK)
            return SW_UNKNOWN;
    return tlv_put(out, TAG_RECORD, buf_span(&inner)) == TP_OK ? SW_OK : SW_UNKNOWN;
}

static uint16_t select_pse(struct card *c, struct buf *out)
{
    c->session = (struct card_session){.phase = PHASE_PSE};
    return pse_fci(c, out) == TP_OK ? SW_OK : SW_UNKNOWN;
}

/* From application `from` on, the first whose AID begins with the name: Book 1, 12.3.1 (partial
 * name selection). */
static uint16_t select_app(struct card *c, struct span name, size_t from, struct buf *out)
{
    for (size_t i = from; i < c->profile->apps_n; i++) {
        const struct profile_app *a = &c->profile->apps[i];

        if (a->aid_n < name.n || memcmp(a->aid, name.p, name.n) != 0)
            continue;
        struct card_session fresh = {
            .phase = PHASE_APP, .app = i, .match_next = i + 1, .match_n = name.n};

        memcpy(fresh.match, name.p, name.n);
        c->session = fresh;
        if (app_fci(c, a, out) != TP_OK)
            return SW_UNKNOWN;
        return card_blocked(c) ? SW_SELECTED_FILE_INVALIDATED : SW_OK;
    }
    return SW_FILE_NOT_FOUND; /* what was selected stays so: ISO/IEC 7816-4, 11.2.2 */
}

uint16_t card_select(struct card *c, const struct capdu *in, struct buf *out)
{
    const bool next = in->p2 == SELECT_NEXT;

    if (in->p1 != SELECT_BY_NAME || (in->p2 != SELECT_FIRST && !next))
        return SW_WRONG_P1P2;
    if ((c->state.flags & STATE_CARD_BLOCKED) != 0) /* every application, for ever: Book 3, 6.5.3 */
        return SW_FUNCTION_NOT_SUPPORTED;
    if (in->data.n < NAME_MIN || in->data.n > NAME_MAX)
        return SW_WRONG_LENGTH;
    if (c->profile->pse && span_eq(in->data, SPAN_OF(pse_name)))
        return next ? SW_FILE_NOT_FOUND : select_pse(c, out);
    if (next && !span_eq(in->data, span_of(c->session.match, c->session.match_n)))
        return SW_FILE_NOT_FOUND;
    return select_app(c, in->data, next ? c->session.match_next : 0, out);
}
