/* The transaction log: EMV 4.4 Book 3, Annex D. Where it is stands in the FCI (9F4D), what an entry
 * holds in 9F4F. */
#include "simcard/card_priv.h"

/* CID, amount, currency, date, type, ATC, country; STATE_LOG_SIZE bytes. */
static const uint8_t log_format[] = {0x9F, 0x27, 1, 0x9F, 0x02, 6, 0x5F, 0x2A, 2, 0x9A,
                                     3,    0x9C, 1, 0x9F, 0x36, 2, 0x9F, 0x1A, 2};

struct span card_log_format(void)
{
    return SPAN_OF(log_format);
}

void card_log(struct card *c, const struct card_request *q, uint8_t cid)
{
    if (q->second)
        c->state.logged--;
    struct buf entry = BUF_OF(c->state.log[c->state.logged % STATE_LOG_MAX]);

    if (buf_u8(&entry, cid) == TP_OK && card_request_put(&entry, q, TAG_AMOUNT, 6) == TP_OK &&
        card_request_put(&entry, q, TAG_TX_CURRENCY, 2) == TP_OK &&
        card_request_put(&entry, q, TAG_TX_DATE, 3) == TP_OK &&
        card_request_put(&entry, q, TAG_TX_TYPE, 1) == TP_OK &&
        buf_be16(&entry, c->session.atc) == TP_OK &&
        card_request_put(&entry, q, TAG_TERMINAL_COUNTRY, 2) == TP_OK)
        c->state.logged++;
}

/* Entry 1 is the newest: Book 3, D4. The values stand bare, without template. */
uint16_t card_log_read(const struct card *c, uint8_t number, struct buf *out)
{
    const uint32_t kept = c->state.logged < STATE_LOG_MAX ? c->state.logged : STATE_LOG_MAX;

    if (number == 0 || number > kept)
        return SW_RECORD_NOT_FOUND;
    return buf_put(out, SPAN_OF(c->state.log[(c->state.logged - number) % STATE_LOG_MAX])) == TP_OK
               ? SW_OK
               : SW_UNKNOWN;
}
