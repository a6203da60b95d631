/* Evidence by EMV: the chain from the authority's key over the issuer's certificate to the card's.
 */
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "ledger/evidence_emv.h"

/* One authority key against the issuer certificate. The store's keys are shared between threads, so
 * a copy is used; only an issuer that was not seen lately comes here. */
static enum tp_err try_authority(struct checking *c, enum emv_check *outcome, struct chain *made,
                                 const struct capk *k)
{
    const struct span *p = c->parts;
    struct emv_pubkey *key = NULL;
    enum tp_err r = emv_pubkey_new(&key, emv_pubkey_modulus(k->key), emv_pubkey_exponent(k->key));

    if (r == TP_OK)
        r = emv_issuer_cert_check(outcome, &made->issuer, key, p[CHAIN_90], p[CHAIN_92],
                                  p[CHAIN_9F32], c->pan, 0);
    emv_pubkey_free(&key);
    made->authority_expiry = k->expiry;
    return r;
}

/* Several keys may share RID and index: the one that opens the certificate is meant. */
static enum tp_err open_issuer(struct checking *c)
{
    enum emv_check outcome = EMV_CHECK_OK, best = EMV_CHECK_LENGTH;
    struct chain made = {0}, *kept = NULL;
    const struct capk *k;
    char rid[2 * RID + 1], reason[sizeof(c->result->reason) + 16];
    size_t n = 0;
    enum tp_err r = TP_OK;

    hex_encode(rid, c->parts[CHAIN_RID]);
    for (; (k = capk_find(c->cache->authorities, c->parts[CHAIN_RID], c->ev->ca_index.p[0], n)) !=
           NULL;
         n++) {
        r = try_authority(c, &outcome, &made, k);
        if (r != TP_OK)
            return r;
        if (outcome == EMV_CHECK_OK)
            break;
        if (best == EMV_CHECK_LENGTH || (best == EMV_CHECK_TRAILER && outcome != EMV_CHECK_LENGTH))
            best = outcome; /* what a key that opened it says stands */
    }
    if (k == NULL && n == 0) {
        checking_refuse(c, EVIDENCE_AUTHORITY, "CA_KEY_UNKNOWN",
                        "no authority key %02X of %s is trusted here", c->ev->ca_index.p[0], rid);
    } else if (k == NULL) {
        c->result->check[EVIDENCE_ISSUER_CERT] = best;
        snprintf(reason, sizeof(reason), "ISSUER_CERT_%s", emv_check_name(best));
        checking_refuse(c, EVIDENCE_ISSUER_CERT, reason, "under authority key %02X of %s: %s",
                        c->ev->ca_index.p[0], rid, emv_check_text(best));
    } else {
        r = chains_add(&kept, c->cache->issuers, c->parts, &made);
        c->issuer = kept;
    }
    return r;
}

/* The same of elliptic curves (Book 2, 12.2 and 12.3): an index names one key, but for lists of
 * several test schemes. */
static enum tp_err open_issuer_xda(struct checking *c)
{
    enum emv_check outcome = EMV_CHECK_OK;
    struct chain made = {0}, *kept = NULL;
    const struct capk *k;
    char rid[2 * RID + 1];
    size_t n = 0;

    for (; (k = capk_find_ec(c->cache->authorities, c->parts[CHAIN_RID], c->ev->ca_index.p[0],
                             n)) != NULL;
         n++) {
        const struct ec_authority a = capk_ec(k);
        const enum tp_err r =
            ec_issuer_cert_check(&outcome, &made.issuer, &a, c->parts[CHAIN_90], c->pan, 0);

        if (r != TP_OK)
            return r;
        if (outcome == EMV_CHECK_OK)
            break;
    }
    if (k != NULL) {
        const enum tp_err r = (made.authority_expiry = k->expiry,
                               chains_add(&kept, c->cache->issuers, c->parts, &made));

        c->issuer = kept;
        return r;
    }
    if (n > 0)
        checking_refuse_check(c, EVIDENCE_ISSUER_CERT, outcome);
    else
        checking_refuse(c, EVIDENCE_AUTHORITY, "CA_KEY_UNKNOWN",
                        "no authority key %02X of %s by an elliptic curve is trusted here",
                        c->ev->ca_index.p[0], hex_encode(rid, c->parts[CHAIN_RID]));
    return TP_OK;
}

enum tp_err evidence_emv_authority(struct checking *c)
{
    const struct evidence *ev = c->ev;
    enum tp_err r = TP_OK;

    c->parts[CHAIN_RID] = span_of(ev->aid.p, RID);
    c->parts[CHAIN_INDEX] = ev->ca_index;
    c->parts[CHAIN_90] = ev->issuer_cert;
    c->parts[CHAIN_92] = ev->issuer_remainder;
    c->parts[CHAIN_9F32] = ev->issuer_exponent;
    c->parts[CHAIN_9F46] = ev->icc_cert;
    c->parts[CHAIN_9F48] = ev->icc_remainder;
    c->parts[CHAIN_9F47] = ev->icc_exponent;
    c->parts[CHAIN_STATIC] = ev->static_data;
    if (c->result->method !=
        EVIDENCE_SDA) /* whose issuer's key itself is needed: the entry of a card has none */
        c->issuer = c->verified = chains_find(c->cache->cards, c->parts);
    if (c->issuer == NULL)
        c->issuer = chains_find(c->cache->issuers, c->parts);
    if (c->issuer == NULL)
        r = c->xda ? open_issuer_xda(c) : open_issuer(c);
    if (r == TP_OK && !checking_refused(c)) { /* told, not refused: a key ends when its scheme
                                        withdraws it, not by a date in a list (Book 2, 11.2.3) */
        c->result->authority_expiry = c->issuer->authority_expiry;
        c->result->authority_expired =
            c->issuer->authority_expiry != 0 && c->issuer->authority_expiry < c->date;
    }
    return r;
}

enum tp_err evidence_emv_issuer(struct checking *c)
{
    const struct emv_cert_info *info = &c->issuer->issuer;

    memcpy(c->result->issuer_iin, info->identifier, sizeof(c->result->issuer_iin));
    c->result->issuer_expiry = info->expiry;
    if (!emv_issuer_covers(info->identifier, c->pan))
        checking_refuse_check(c, EVIDENCE_ISSUER_CERT, EMV_CHECK_IDENTIFIER);
    else if (info->expiry < c->date)
        checking_refuse_check(c, EVIDENCE_ISSUER_CERT, EMV_CHECK_EXPIRED);
    else if (capk_revoked(c->cache->authorities, c->parts[CHAIN_RID], c->ev->ca_index.p[0],
                          info->serial))
        checking_refuse_check(c, EVIDENCE_ISSUER_CERT, EMV_CHECK_REVOKED);
    return TP_OK;
}

static enum tp_err open_card(struct checking *c)
{
    const struct span *p = c->parts;
    struct chain made = *c->issuer;
    enum emv_check outcome;
    enum tp_err r = c->xda ? ec_icc_cert_check(&outcome, &made.icc, EMV_ICC_KEY, &made.issuer.ec,
                                               p[CHAIN_9F46], p[CHAIN_STATIC], 0, 0)
                           : emv_icc_cert_check(&outcome, &made.icc, EMV_ICC_KEY, made.issuer.key,
                                                p[CHAIN_9F46], p[CHAIN_9F48], p[CHAIN_9F47],
                                                p[CHAIN_STATIC], c->pan, 0);

    if (r != TP_OK)
        return r;
    if (outcome != EMV_CHECK_OK) {
        checking_refuse_check(c, EVIDENCE_ICC_CERT, outcome);
        return TP_OK;
    }
    made.issuer.key = NULL; /* stays with the issuer's entry */
    return chains_add(&c->verified, c->cache->cards, p, &made);
}

enum tp_err evidence_emv_card(struct checking *c)
{
    const enum tp_err r = c->verified == NULL ? open_card(c) : TP_OK;

    if (r != TP_OK || c->verified == NULL) /* refused */
        return r;
    c->result->icc_expiry = c->verified->icc.expiry;
    /* of XDA the number stands in the data that the certificate covers; and its end is one of UTC,
     * to the minute, of which only the local day is known here */
    if (!c->xda && strcmp(c->verified->icc.identifier, c->pan) != 0)
        checking_refuse_check(c, EVIDENCE_ICC_CERT, EMV_CHECK_IDENTIFIER);
    else if (c->verified->icc.expiry < c->date)
        checking_refuse_check(c, EVIDENCE_ICC_CERT, EMV_CHECK_EXPIRED);
    return TP_OK;
}
