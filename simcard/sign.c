/* The card's signatures: INTERNAL AUTHENTICATE (EMV 4.4 Book 3, 6.5.9; Book 2, 6.5), and what
 * GENERATE AC with CDA shares with it. */
#include "simcard/card_priv.h"

#include <openssl/rand.h>

#include "apdu/dol.h"
#include "crypto/emvmake.h"

enum tp_err card_sdad_make(const struct card *c, uint8_t sdad[EMV_RSA_MAX], size_t *n,
                           struct span dynamic, struct span terminal)
{
    const enum tp_err r = emv_sdad_make(sdad, c->profile->key, dynamic, terminal);

    *n = emv_pubkey_size(emv_privkey_public(c->profile->key));
    if (r == TP_OK)
        fault_sdad(&c->faults, c->profile->key, sdad, *n);
    return r;
}

uint16_t card_internal_authenticate(struct card *c, const struct capdu *in, struct buf *out)
{
    uint8_t dynamic[1 + CARD_DYNAMIC_NUMBER] = {CARD_DYNAMIC_NUMBER}, sdad[EMV_RSA_MAX];
    size_t n, want;
    struct span signature;

    if ((card_aip(c)[0] & AIP_DDA) == 0)
        return SW_INS_NOT_SUPPORTED;
    if (in->p1 != 0 || in->p2 != 0)
        return SW_WRONG_P1P2;
    if (c->session.phase != PHASE_STARTED)
        return SW_CONDITIONS;
    if (dol_length(span_of(c->profile->ddol.p, c->profile->ddol.n), &want) != TP_OK)
        return SW_UNKNOWN;
    if (c->profile->ddol.n ==
        0) /* the terminal's default DDOL holds at least the unpredictable number: Book 2, 6.5.1 */
        want = in->data.n;
    if (in->data.n != want || want == 0)
        return SW_WRONG_LENGTH;
    fault_dynamic_number(&c->faults, dynamic);
    if (RAND_bytes(dynamic + 1, CARD_DYNAMIC_NUMBER) != 1 ||
        card_sdad_make(c, sdad, &n, SPAN_OF(dynamic), in->data) != TP_OK)
        return SW_UNKNOWN;
    c->session.dda_done = true;
    signature = span_of(sdad, n);
    if (c->profile->format == 1)
        return tlv_put(out, TAG_RESPONSE_1, signature) == TP_OK ? SW_OK : SW_UNKNOWN;
    if (tlv_put_header(out, TAG_RESPONSE_2, tlv_size(TAG_SDAD, n)) != TP_OK)
        return SW_UNKNOWN;
    return tlv_put(out, TAG_SDAD, signature) == TP_OK ? SW_OK : SW_UNKNOWN;
}
