/* The values that the terminal gave for the card's lists (DOLs): read under their tags, compared as
 * Book 3, 5.4 cuts and fills them, and what a list that nobody signed must look like to be
 * believed. */
#include "ledger/evidence_priv.h"

#include <string.h>

#include "apdu/dol.h"
#include "apdu/emvtags.h"

bool dol_value_fits(uint32_t tag, struct span said, struct span covered)
{
    const struct dol_entry entry = {tag, (uint8_t)covered.n};
    uint8_t room[UINT8_MAX];
    struct buf wanted = BUF_OF(room);

    if (span_eq(said, covered)) /* nearly always */
        return true;
    return covered.n <= UINT8_MAX && dol_put_value(&wanted, &entry, said) == TP_OK &&
           span_eq(buf_span(&wanted), covered);
}

static bool is_zeros(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != 0)
            return false;
    return true;
}

/* Whoever could write the list could move the amount to other bytes that the card signed. So it
 * must ask for what is paid once and whole, and no entry may hide bytes: what no terminal knows is
 * zeros (Book 3, 5.4, step 2 b). */
const char *dol_unsound(struct span dol, const struct objects *values, bool has_amount)
{
    static const struct dol_entry needed[] = {
        {TAG_AMOUNT, 6}, {TAG_TX_CURRENCY, 2}, {TAG_TX_DATE, 3}, {TAG_TX_TYPE, 1}, {TAG_UN, 4}};
    struct dol_entry entry;
    size_t entries = 0;

    for (; dol_next(&dol, &entry) == TP_OK; entries++)
        if (emv_tag_find(entry.tag) == NULL && !is_zeros(objects_value(values, entry.tag)))
            return "holds bytes under a tag that no terminal knows";
    if (entries != values->n)
        return "asks for an object twice";
    for (size_t i = 0; has_amount && i < sizeof(needed) / sizeof(needed[0]); i++)
        if (objects_value(values, needed[i].tag).n < needed[i].length)
            return "does not ask for amount, currency, date, type and number, each once and whole";
    return NULL;
}
