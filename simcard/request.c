/* What a terminal said in a GENERATE AC, by tag: DOLs of any content (EMV 4.4 Book 3, 5.4). */
#include "simcard/card_priv.h"

#include "apdu/dol.h"

static bool find(const struct profile_bytes *dol, const struct card_values *values, uint32_t tag,
                 struct span *value)
{
    return dol_extract(span_of(dol->p, dol->n), span_of(values->p, values->n), tag, value) == TP_OK;
}

bool card_request_find(const struct card_request *q, uint32_t tag, struct span *value)
{
    const struct card *c = q->card;

    if (dol_extract(q->dol, q->values, tag, value) == TP_OK)
        return true;
    if (q->second && find(&c->profile->cdol1, &c->session.cdol1, tag, value))
        return true;
    return find(&c->profile->pdol, &c->session.pdol, tag, value);
}

enum tp_err card_request_put(struct buf *out, const struct card_request *q, uint32_t tag, size_t n)
{
    struct span v;

    return card_request_find(q, tag, &v) && v.n == n ? buf_put(out, v) : buf_fill(out, 0, n);
}
