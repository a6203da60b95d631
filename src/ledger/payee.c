#include "ledger/payee.h"

#include "apdu/dol.h"
#include "apdu/emvtags.h"
#include "base/bcd.h"
#include "ledger/evidence_priv.h"

/* A list of the card: as signed, else as it was used. */
static struct span list_of(const struct evidence *ev, uint32_t tag)
{
    const struct span list = evidence_signed_record(ev, tag);

    return list.n > 0 ? list : tag == TAG_CDOL1 ? ev->cdol1 : ev->cdol2;
}

static bool is_zeros(struct span s)
{
    while (s.n > 0 && s.p[s.n - 1] == 0)
        s.n--;
    return s.n == 0;
}

static enum payee_found look(struct span list, struct span values, uint32_t tag,
                             struct span expected)
{
    struct span value;

    if (dol_extract(list, values, tag, &value) != TP_OK || value.n == 0)
        return PAYEE_UNSIGNED;
    if (is_zeros(value))
        return PAYEE_NOBODY;
    return dol_value_fits(tag, expected, value) ? PAYEE_SIGNED : PAYEE_OTHER;
}

enum payee_found payee_signed(const struct evidence *ev, uint32_t tag, struct span expected)
{
    const bool second_given = ev->cdol2_values.n > 0;
    /* XDA signs the values of CDOL2 alone at the second GENERATE AC */
    const enum payee_found first =
        second_given && evidence_is_xda(ev)
            ? PAYEE_UNSIGNED
            : look(list_of(ev, TAG_CDOL1), ev->cdol1_values, tag, expected);
    const enum payee_found second =
        second_given ? look(list_of(ev, TAG_CDOL2), ev->cdol2_values, tag, expected)
                     : PAYEE_UNSIGNED;

    return first > second ? first : second;
}

struct span payee_value(const struct evidence *ev, uint32_t tag)
{
    struct span value;

    return dol_extract(list_of(ev, TAG_CDOL1), ev->cdol1_values, tag, &value) == TP_OK
               ? value
               : span_of(NULL, 0);
}

enum tp_err payee_sequence(struct span de55, uint32_t *counter)
{
    struct tlv t;
    uint64_t number = 0;

    if (tlv_find(de55, TAG_TX_COUNTER, &t) != TP_OK || bcd_get(t.value, &number) != TP_OK)
        return TP_ERR_FORMAT;
    *counter = (uint32_t)(number % 1000000);
    return TP_OK;
}

enum payee_found payee_look(const struct evidence *ev, const char *acquirer,
                            const struct tx_record *tx)
{
    uint8_t expected[PAYEE_DIGEST] = {0};
    struct payee p = {.acquirer = acquirer,
                      .contract = tx->contract,
                      .terminal = tx->terminal,
                      .date = (int)(tx->local_time / 1000000),
                      .time = (int)(tx->local_time % 1000000)};
    const bool known = payee_sequence(tx->emv.de55, &p.counter) == TP_OK &&
                       payee_at_counter(expected, &p) == TP_OK;
    const enum payee_found found = payee_signed(ev, TAG_MERCHANT_CUSTOM, SPAN_OF(expected));

    return found == PAYEE_SIGNED && !known ? PAYEE_OTHER : found;
}
