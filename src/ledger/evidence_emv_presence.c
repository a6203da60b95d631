/* Evidence by EMV of a card that pays nothing: the chain, and SDA or DDA (Book 2, 5.4, 6.5). */
#include <string.h>

#include "apdu/emvtags.h"
#include "base/secret.h"
#include "ledger/evidence_emv.h"

#define UN 4

_Static_assert(EVIDENCE_PAN == sizeof(((struct checking *)0)->pan), "one number of a card");

/* Where the number stands among what was signed, the list says: anywhere else it could be one of
 * many that somebody had a card sign at once. payee: compared where the list asks for it and there
 * is one. */
static void check_list(struct checking *c, struct span payee)
{
    const struct span list = objects_value(&c->fixed, TAG_DDOL), values = c->ev->ddol_values;
    struct span un = values, signed_payee;

    if (list.n > 0 && dol_values_read(&c->cdol1, list, values) != TP_OK) {
        checking_refuse(c, EVIDENCE_PRESENT, "DDOL",
                        "DF08 is not what the card's DDOL (9F49) asks for");
        return;
    }
    if (list.n > 0)
        un = objects_value(&c->cdol1, TAG_UN);
    signed_payee = objects_value(&c->cdol1, TAG_MERCHANT_CUSTOM);
    if (un.n < UN || (list.n == 0 && un.n > UN) || !dol_value_fits(TAG_UN, c->ev->un, un) ||
        (payee.n > 0 && signed_payee.n > 0 &&
         !dol_value_fits(TAG_MERCHANT_CUSTOM, payee, signed_payee)))
        checking_refuse(c, EVIDENCE_PRESENT, "DDA_UN",
                        "the card signed for another request than this one");
}

static void check_present(struct checking *c, struct span payee)
{
    checking_fault(c);
    if (!checking_refused(c))
        checking_needed(c);
    if (!checking_refused(c))
        checking_records(c);
    if (!checking_refused(c) && c->result->method == EVIDENCE_DDA)
        check_list(c, payee);
}

/* The steps of a card's authentication by that method, all but what a payment adds. */
static enum tp_err check_card(struct checking *c, enum evidence_method method, struct span payee)
{
    static enum tp_err (*const steps[])(struct checking * c) = {
        evidence_emv_authority, evidence_emv_issuer, evidence_emv_card, evidence_emv_signature};
    enum tp_err r = TP_OK;

    c->presence = true;
    c->result->method = method;
    check_present(c, payee);
    for (size_t i = 0; r == TP_OK && !checking_refused(c) && i < sizeof(steps) / sizeof(steps[0]);
         i++)
        if (steps[i] != evidence_emv_card || method == EVIDENCE_DDA)
            r = steps[i](c);
    c->result->ok = r == TP_OK && !checking_refused(c);
    return r;
}

enum tp_err evidence_presence_check(struct evidence_result *result, char pan[EVIDENCE_PAN],
                                    struct evidence_cache *cache,
                                    const struct evidence_presence *what, int date)
{
    const struct span nothing = {NULL, 0};
    const struct evidence_claim claim = EVIDENCE_CLAIM_NONE;
    struct evidence ev;
    struct checking c;
    enum tp_err r = evidence_from_message(&ev, nothing, what->stream, nothing);

    ev.aid = what->aid;
    ev.un = what->un;
    checking_start(&c, result, cache, &ev, &claim, date);
    if (r == TP_OK)
        r = check_card(&c, EVIDENCE_DDA, what->payee);
    memcpy(pan, c.pan, EVIDENCE_PAN);
    secret_wipe(c.pan, sizeof(c.pan));
    return r;
}

bool evidence_is_card_alone(const struct evidence *ev)
{
    return ev->kind == EVIDENCE_EMV && ev->de55.n == 0 && ev->response.n == 0 &&
           ev->cdol1_values.n == 0 && (ev->dda_sdad.n > 0 || ev->ssad.n > 0);
}

enum tp_err evidence_card_check(struct evidence_result *result, struct evidence_cache *cache,
                                const struct evidence *ev, int date)
{
    const struct evidence_claim claim = EVIDENCE_CLAIM_NONE;
    const struct span nobody = {NULL, 0};
    struct checking c;
    enum tp_err r;

    checking_start(&c, result, cache, ev, &claim, date);
    r = check_card(&c, ev->dda_sdad.n > 0 ? EVIDENCE_DDA : EVIDENCE_SDA, nobody);
    secret_wipe(c.pan, sizeof(c.pan));
    return r;
}
