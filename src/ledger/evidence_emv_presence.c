/* Evidence by EMV that a card was there, and paid nothing: the chain and DDA (Book 2, 6.5). */
#include <string.h>

#include "apdu/emvtags.h"
#include "base/secret.h"
#include "ledger/evidence_emv.h"

#define UN 4

_Static_assert(EVIDENCE_PAN == sizeof(((struct checking *)0)->pan), "one number of a card");

/* Where the number stands among what was signed, the list says: anywhere else it could be one of
 * many that somebody had a card sign at once. */
static void check_list(struct checking *c, const struct evidence_presence *what)
{
    const struct span list = objects_value(&c->fixed, TAG_DDOL), values = c->ev->ddol_values;
    struct span un = values, payee;

    if (list.n > 0 && dol_values_read(&c->cdol1, list, values) != TP_OK) {
        checking_refuse(c, EVIDENCE_PRESENT, "DDOL",
                        "DF08 is not what the card's DDOL (9F49) asks for");
        return;
    }
    if (list.n > 0)
        un = objects_value(&c->cdol1, TAG_UN);
    payee = objects_value(&c->cdol1, TAG_MERCHANT_CUSTOM);
    if (un.n < UN || (list.n == 0 && un.n > UN) || !dol_value_fits(TAG_UN, what->un, un) ||
        (payee.n > 0 && !dol_value_fits(TAG_MERCHANT_CUSTOM, what->payee, payee)))
        checking_refuse(c, EVIDENCE_PRESENT, "DDA_UN",
                        "the card signed for another request than this one");
}

static enum tp_err present(struct checking *c, const struct evidence_presence *what)
{
    checking_fault(c);
    if (!checking_refused(c))
        checking_needed(c);
    if (!checking_refused(c))
        checking_records(c);
    if (!checking_refused(c))
        check_list(c, what);
    return TP_OK;
}

enum tp_err evidence_presence_check(struct evidence_result *result, char pan[EVIDENCE_PAN],
                                    struct evidence_cache *cache,
                                    const struct evidence_presence *what, int date)
{
    static enum tp_err (*const steps[])(struct checking * c) = {
        evidence_emv_authority, evidence_emv_issuer, evidence_emv_card, evidence_emv_signature};
    const struct span nothing = {NULL, 0};
    const struct evidence_claim claim = EVIDENCE_CLAIM_NONE;
    struct evidence ev;
    struct checking c;
    enum tp_err r = evidence_from_message(&ev, nothing, what->stream, nothing);

    ev.aid = what->aid;
    ev.un = what->un;
    checking_start(&c, result, cache, &ev, &claim, date);
    c.presence = true;
    result->method = EVIDENCE_DDA;
    if (r == TP_OK)
        r = present(&c, what);
    for (size_t i = 0; r == TP_OK && !checking_refused(&c) && i < sizeof(steps) / sizeof(steps[0]);
         i++)
        r = steps[i](&c);
    result->ok = r == TP_OK && !checking_refused(&c);
    memcpy(pan, c.pan, EVIDENCE_PAN);
    secret_wipe(c.pan, sizeof(c.pan));
    return r;
}
