#include "ledger/evidence_priv.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "apdu/emvbits.h"
#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "base/bcd.h"
#include "base/date.h"
#include "base/hex.h"
#include "base/money.h"
#include "base/secret.h"

#define RID    5
#define PAN_CN 10 /* bytes of 5A at most */

struct checking {
    struct evidence_result *result;
    struct evidence_cache *cache;
    const struct evidence *ev;
    const struct evidence_claim *claim;
    int date;
    char pan[2 * PAN_CN + 1];
    struct span aip, sdad;
    struct span parts[CHAIN_PARTS];
    const struct chain *issuer; /* what is known of the issuer */
    struct chain *verified;     /* the card's, once it is verified */
    struct objects de55, fixed, response, cdol1, cdol2;
};

static const char *step_name(enum evidence_step s)
{
    static const char *const names[EVIDENCE_STEPS] = {
        [EVIDENCE_PRESENT] = "data objects",           [EVIDENCE_AUTHORITY] = "authority key",
        [EVIDENCE_ISSUER_CERT] = "issuer certificate", [EVIDENCE_ICC_CERT] = "card certificate",
        [EVIDENCE_SDAD] = "card's signature",          [EVIDENCE_SIGNED] = "signed values",
    };

    return (unsigned)s < EVIDENCE_STEPS ? names[s] : "unknown step";
}

const char *evidence_method_name(enum evidence_method m)
{
    static const char *const names[] = {"none", "SDA", "DDA", "CDA"};

    return (unsigned)m < sizeof(names) / sizeof(names[0]) ? names[m] : "unknown";
}

bool evidence_signs_amount(const struct evidence_result *r)
{
    return r->method == EVIDENCE_CDA && r->cdol1_signed;
}

/* Ends the check with a reason and the same for people. */
static void refuse(struct checking *c, enum evidence_step step, const char *reason,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

static void refuse(struct checking *c, enum evidence_step step, const char *reason,
                   const char *format, ...)
{
    struct evidence_result *r = c->result;
    va_list words;
    int n;

    r->failed_at = step;
    snprintf(r->reason, sizeof(r->reason), "%s", reason);
    n = snprintf(r->text, sizeof(r->text), "%s: ", step_name(step));
    va_start(words, format);
    if (n > 0 && (size_t)n < sizeof(r->text))
        vsnprintf(r->text + n, sizeof(r->text) - (size_t)n, format, words);
    va_end(words);
}

static bool refused(const struct checking *c)
{
    return c->result->reason[0] != '\0';
}

/* A certificate or the signature: ISSUER_CERT_HASH, SDAD_TRAILER, SSAD_HASH, DDA_HASH … */
static void refuse_check(struct checking *c, enum evidence_step step, enum emv_check outcome)
{
    static const char *const signatures[] = {
        [EVIDENCE_SDA] = "SSAD", [EVIDENCE_DDA] = "DDA", [EVIDENCE_CDA] = "SDAD"};
    const char *prefix = step == EVIDENCE_ISSUER_CERT ? "ISSUER_CERT"
                         : step == EVIDENCE_ICC_CERT  ? "ICC_CERT"
                                                      : signatures[c->result->method];
    char reason[sizeof(c->result->reason) + 16];

    c->result->check[step] = outcome;
    snprintf(reason, sizeof(reason), "%s_%s", prefix, emv_check_name(outcome));
    refuse(c, step, reason, "%s", emv_check_text(outcome));
}

/* An object that is not as it should be. The reason is as given, or before and after the tag:
 * "DOUBLED_", 9F02, "". */
static void refuse_tag(struct checking *c, uint32_t tag, const char *before, const char *after,
                       const char *why)
{
    const struct emv_tag *known = emv_tag_find(tag);
    char reason[64];

    if (after == NULL)
        snprintf(reason, sizeof(reason), "%s", before);
    else
        snprintf(reason, sizeof(reason), "%s%X%s", before, (unsigned)tag, after);
    refuse(c, EVIDENCE_PRESENT, reason, "%X (%s) %s", (unsigned)tag,
           known != NULL ? known->name : "no EMV data object", why);
}

/* ---- every object is there and parses ---- */

static void check_fault(struct checking *c)
{
    switch (c->ev->fault) {
    case EVIDENCE_BAD_STREAM:
        refuse(c, EVIDENCE_PRESENT, "EVIDENCE_FORMAT", "fields 61 to 63 are not TLV");
        break;
    case EVIDENCE_DOUBLED:
        refuse_tag(c, c->ev->fault_tag, "DOUBLED_", "", "is there twice");
        break;
    case EVIDENCE_FOREIGN:
        refuse_tag(c, c->ev->fault_tag, "FOREIGN_", "", "does not belong in fields 61 to 63");
        break;
    case EVIDENCE_SOUND:
        break;
    }
}

/* Without a signature in the response, what the card's certificates can still say: DDA, else SDA,
 * else nothing. A terminal that says itself that they failed has the issuer judge (the cryptogram
 * covers the TVR): nothing is checked then. */
static void choose_method(struct checking *c)
{
    const struct span tvr = objects_value(&c->de55, TAG_TVR);

    c->result->oda_failed = tvr.n == 5 && tvr_has(tvr.p, TVR_SDA_FAILED | TVR_DDA_FAILED);
    if (c->result->oda_failed)
        c->result->method = EVIDENCE_NO_ODA;
    else if (c->ev->dda_sdad.n > 0)
        c->result->method = EVIDENCE_DDA;
    else
        c->result->method = c->ev->ssad.n > 0 ? EVIDENCE_SDA : EVIDENCE_NO_ODA;
}

/* What the response says without a signature: the issuer's check of the cryptogram is what vouches
 * for it. */
static void take_unsigned(struct checking *c)
{
    const struct span ac = objects_value(&c->response, TAG_AC);

    c->result->cid = objects_value(&c->response, TAG_CID).p[0];
    memcpy(c->result->ac, ac.p, sizeof(c->result->ac));
    memcpy(c->result->atc, objects_value(&c->response, TAG_ATC).p, sizeof(c->result->atc));
}

/* The GENERATE AC response: CID, ATC, and the SDAD (EMV 4.4 Book 2, table 20) or the cryptogram. */
static void check_response(struct checking *c)
{
    if (c->ev->response.n == 0) {
        refuse(c, EVIDENCE_PRESENT, "RESPONSE_MISSING", "DF05 (the card's response) is missing");
        return;
    }
    if (response_read(&c->response, c->ev->response) != TP_OK) {
        refuse(c, EVIDENCE_PRESENT, "RESPONSE_FORMAT",
               "DF05 is no response to GENERATE AC, or holds an object twice");
        return;
    }
    c->sdad = objects_value(&c->response, TAG_SDAD);
    c->result->method = EVIDENCE_CDA;
    if (objects_find(&c->response, TAG_SDAD) == NULL)
        choose_method(c);
    if (c->sdad.n == 0 && objects_value(&c->response, TAG_AC).n != 8)
        refuse(c, EVIDENCE_PRESENT, "SDAD_MISSING",
               "the card did not sign (9F4B is missing from its response), and gave no cryptogram");
    else if (objects_value(&c->response, TAG_CID).n != 1)
        refuse_tag(c, TAG_CID, "CID_MISSING", NULL, "is missing from the card's response");
    else if (objects_value(&c->response, TAG_ATC).n != 2)
        refuse_tag(c, TAG_ATC, "ATC_MISSING", NULL, "is missing from the card's response");
    else if (c->result->method != EVIDENCE_CDA)
        take_unsigned(c);
}

#define OF(method) (1U << (method))
#define OF_ICC     (OF(EVIDENCE_DDA) | OF(EVIDENCE_CDA))
#define OF_ODA     (OF_ICC | OF(EVIDENCE_SDA))
#define OF_ALL     (OF_ODA | OF(EVIDENCE_NO_ODA))

static void check_needed(struct checking *c)
{
    const struct evidence *ev = c->ev;
    const struct {
        unsigned of;
        struct span value;
        size_t min, max;
        uint32_t tag;
        const char *reason;
    } needed[] = {
        {OF_ALL, ev->aid, RID, 16, TAG_DF_NAME, "AID_MISSING"},
        {OF_ODA, ev->ca_index, 1, 1, TAG_CA_INDEX, "CA_INDEX_MISSING"},
        {OF_ODA, ev->issuer_cert, 1, EMV_RSA_MAX, TAG_ISSUER_CERT, "ISSUER_CERT_MISSING"},
        {OF_ODA, ev->issuer_exponent, 1, 3, TAG_ISSUER_EXPONENT, "ISSUER_EXPONENT_MISSING"},
        {OF_ICC, ev->icc_cert, 1, EMV_RSA_MAX, TAG_ICC_CERT, "ICC_CERT_MISSING"},
        {OF_ICC, ev->icc_exponent, 1, 3, TAG_ICC_EXPONENT, "ICC_EXPONENT_MISSING"},
        {OF_ODA, ev->static_data, 1, SIZE_MAX, TAG_EV_STATIC, "STATIC_DATA_MISSING"},
        {OF_ALL, ev->cdol1_values, 1, SIZE_MAX, TAG_EV_CDOL1_VALUES, "CDOL1_VALUES_MISSING"},
        {OF_ALL, ev->un, 4, 4, TAG_UN, "UN_MISSING"}};

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if ((needed[i].of & OF(c->result->method)) != 0 &&
            (needed[i].value.n < needed[i].min || needed[i].value.n > needed[i].max)) {
            refuse_tag(c, needed[i].tag, needed[i].reason, NULL, "is missing or of a wrong length");
            return;
        }
}

static void read_de55(struct checking *c)
{
    uint32_t tag = 0;
    const enum tp_err r = objects_read(&c->de55, c->ev->de55, &tag);

    if (r == TP_ERR_EXISTS)
        refuse_tag(c, tag, "DOUBLED_", "", "is there twice");
    else if (r != TP_OK)
        refuse(c, EVIDENCE_PRESENT, "DE55_FORMAT", "field 55 is not TLV");
}

/* As in doc/protocol.md; 9F10 and 5F34 where the card has them. */
static void check_de55(struct checking *c)
{
    static const uint32_t needed[] = {TAG_AC,
                                      TAG_CID,
                                      TAG_UN,
                                      TAG_ATC,
                                      TAG_TVR,
                                      TAG_TX_DATE,
                                      TAG_TX_TYPE,
                                      TAG_AMOUNT,
                                      TAG_AMOUNT_OTHER,
                                      TAG_TX_CURRENCY,
                                      TAG_AIP,
                                      TAG_TERMINAL_COUNTRY,
                                      TAG_TERMINAL_CAPABILITIES,
                                      TAG_CVM_RESULTS,
                                      TAG_TERMINAL_TYPE,
                                      TAG_IFD_SERIAL,
                                      TAG_DF_NAME,
                                      TAG_TERMINAL_VERSION,
                                      TAG_TX_COUNTER};
    static const uint32_t of_card[] = {TAG_IAD, TAG_PAN_SEQUENCE};

    if (c->ev->de55.n == 0)
        return;
    for (size_t i = 0; !refused(c) && i < sizeof(needed) / sizeof(needed[0]); i++)
        if (objects_find(&c->de55, needed[i]) == NULL)
            refuse_tag(c, needed[i], "DE55_", "_MISSING", "is missing from field 55");
    for (size_t i = 0; !refused(c) && i < sizeof(of_card) / sizeof(of_card[0]); i++)
        if (objects_find(&c->de55, of_card[i]) == NULL &&
            (objects_find(&c->fixed, of_card[i]) != NULL ||
             objects_find(&c->response, of_card[i]) != NULL))
            refuse_tag(c, of_card[i], "DE55_", "_MISSING", "is missing from field 55");
}

/* The list that was used: of the signed records; where those hold none (Book 3, 10.3: what is
 * authenticated is the issuer's choice), the one that came with the values. */
static struct span list_used(const struct checking *c, uint32_t tag, struct span given)
{
    const struct span own = objects_value(&c->fixed, tag);

    return own.n > 0 ? own : given;
}

/* The values the terminal gave, under the tags of the CDOLs. */
static void read_values(struct checking *c)
{
    const struct span cdol1 = list_used(c, TAG_CDOL1, c->ev->cdol1);
    const struct span cdol2 = list_used(c, TAG_CDOL2, c->ev->cdol2);
    const bool second = c->ev->cdol2_values.n > 0, cda = c->result->method == EVIDENCE_CDA;
    const char *unsound = NULL;

    c->result->cdol1_signed =
        c->result->method != EVIDENCE_NO_ODA && objects_find(&c->fixed, TAG_CDOL1) != NULL;
    if (cdol1.n == 0 || dol_values_read(&c->cdol1, cdol1, c->ev->cdol1_values) != TP_OK)
        refuse(c, EVIDENCE_PRESENT, "SIGNED_CDOL1",
               "DF03 is not what the card's CDOL1 (8C) asks for");
    else if (second &&
             (cdol2.n == 0 || dol_values_read(&c->cdol2, cdol2, c->ev->cdol2_values) != TP_OK))
        refuse(c, EVIDENCE_PRESENT, "SIGNED_CDOL2",
               "DF04 is not what the card's CDOL2 (8D) asks for");
    if (refused(c) || !cda) /* without CDA nothing signed the values either: the cryptogram counts,
                               and its issuer's word */
        return;
    if (objects_find(&c->fixed, TAG_CDOL1) == NULL &&
        (unsound = dol_unsound(cdol1, &c->cdol1, true)) != NULL)
        refuse(c, EVIDENCE_PRESENT, "CDOL1_UNSOUND", "no signed record holds CDOL1, and DF06 %s",
               unsound);
    else if (second && objects_find(&c->fixed, TAG_CDOL2) == NULL &&
             (unsound = dol_unsound(cdol2, &c->cdol2, false)) != NULL)
        refuse(c, EVIDENCE_PRESENT, "CDOL2_UNSOUND", "no signed record holds CDOL2, and DF07 %s",
               unsound);
}

/* Card number and expiry: signed with CDA; without it, where no record that is authenticated holds
 * them, what the message says. */
static void read_card(struct checking *c)
{
    const bool cda = c->result->method == EVIDENCE_CDA;
    const struct span pan = objects_value(&c->fixed, TAG_PAN), said = c->ev->pan_digits;
    const struct span expiry = objects_value(&c->fixed, TAG_EXPIRY);

    if (pan.n > 0 || cda || said.n == 0 || said.n >= sizeof(c->pan)) {
        const struct span cn = pan.n > 0 || cda ? pan : c->ev->pan;

        if (cn.n == 0 || cn.n > PAN_CN || bcd_get_cn(cn, c->pan) != TP_OK)
            refuse(c, EVIDENCE_PRESENT, "SIGNED_PAN", "5A is not among the signed records");
    } else {
        memcpy(c->pan, said.p, said.n);
        c->pan[said.n] = '\0';
    }
    if (!refused(c) && (cda || expiry.n > 0) &&
        date_from_yymmdd(&c->result->card_expiry, expiry) != TP_OK)
        refuse(c, EVIDENCE_PRESENT, "SIGNED_EXPIRY", "5F24 is not among the signed records");
}

static enum tp_err check_present(struct checking *c)
{
    uint32_t tag = 0;

    read_de55(c);
    if (!refused(c))
        check_fault(c);
    if (!refused(c))
        check_response(c);
    if (!refused(c))
        check_needed(c);
    if (refused(c))
        return TP_OK;
    if (static_data_read(&c->fixed, &c->aip, c->ev->static_data, &tag) != TP_OK) {
        refuse(c, EVIDENCE_PRESENT, "STATIC_DATA_FORMAT",
               "DF01 does not parse, or holds an object twice");
        return TP_OK;
    }
    read_card(c);
    if (!refused(c))
        read_values(c);
    if (!refused(c))
        check_de55(c);
    return TP_OK;
}

/* ---- authority, issuer, card ---- */

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
        refuse(c, EVIDENCE_AUTHORITY, "CA_KEY_UNKNOWN",
               "no authority key %02X of %s is trusted here", c->ev->ca_index.p[0], rid);
    } else if (k == NULL) {
        c->result->check[EVIDENCE_ISSUER_CERT] = best;
        snprintf(reason, sizeof(reason), "ISSUER_CERT_%s", emv_check_name(best));
        refuse(c, EVIDENCE_ISSUER_CERT, reason, "under authority key %02X of %s: %s",
               c->ev->ca_index.p[0], rid, emv_check_text(best));
    } else {
        r = chains_add(&kept, c->cache->issuers, c->parts, &made);
        c->issuer = kept;
    }
    return r;
}

static enum tp_err check_authority(struct checking *c)
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
        r = open_issuer(c);
    if (r == TP_OK && !refused(c)) { /* told, not refused: a key ends when its scheme withdraws it,
                                        not by a date in a list (Book 2, 11.2.3) */
        c->result->authority_expiry = c->issuer->authority_expiry;
        c->result->authority_expired =
            c->issuer->authority_expiry != 0 && c->issuer->authority_expiry < c->date;
    }
    return r;
}

static enum tp_err check_issuer(struct checking *c)
{
    const struct emv_cert_info *info = &c->issuer->issuer;

    memcpy(c->result->issuer_iin, info->identifier, sizeof(c->result->issuer_iin));
    c->result->issuer_expiry = info->expiry;
    if (!emv_issuer_covers(info->identifier, c->pan))
        refuse_check(c, EVIDENCE_ISSUER_CERT, EMV_CHECK_IDENTIFIER);
    else if (info->expiry < c->date)
        refuse_check(c, EVIDENCE_ISSUER_CERT, EMV_CHECK_EXPIRED);
    else if (capk_revoked(c->cache->authorities, c->parts[CHAIN_RID], c->ev->ca_index.p[0],
                          info->serial))
        refuse_check(c, EVIDENCE_ISSUER_CERT, EMV_CHECK_REVOKED);
    return TP_OK;
}

static enum tp_err open_card(struct checking *c)
{
    const struct span *p = c->parts;
    struct chain made = *c->issuer;
    enum emv_check outcome;
    enum tp_err r =
        emv_icc_cert_check(&outcome, &made.icc, EMV_ICC_KEY, made.issuer.key, p[CHAIN_9F46],
                           p[CHAIN_9F48], p[CHAIN_9F47], p[CHAIN_STATIC], c->pan, 0);

    if (r != TP_OK)
        return r;
    if (outcome != EMV_CHECK_OK) {
        refuse_check(c, EVIDENCE_ICC_CERT, outcome);
        return TP_OK;
    }
    made.issuer.key = NULL; /* stays with the issuer's entry */
    return chains_add(&c->verified, c->cache->cards, p, &made);
}

static enum tp_err check_card(struct checking *c)
{
    const enum tp_err r = c->verified == NULL ? open_card(c) : TP_OK;

    if (r != TP_OK || refused(c))
        return r;
    c->result->icc_expiry =
        c->verified->icc
            .expiry; /* NOLINT(clang-analyzer-core.NullDereference): set, or it was refused */
    if (strcmp(c->verified->icc.identifier, c->pan) != 0)
        refuse_check(c, EVIDENCE_ICC_CERT, EMV_CHECK_IDENTIFIER);
    else if (c->verified->icc.expiry < c->date)
        refuse_check(c, EVIDENCE_ICC_CERT, EMV_CHECK_EXPIRED);
    return TP_OK;
}

/* ---- the card's signature ---- */

static struct span raw_of(const struct object *o)
{
    return (struct span){o->value.p - o->head, o->value.n + o->head};
}

static enum tp_err check_cda(struct checking *c)
{
    const uint8_t cid = objects_value(&c->response, TAG_CID).p[0];
    struct span hashed[OBJECTS_MAX + 3];
    struct emv_dynamic dynamic;
    enum emv_check outcome;
    size_t n = 0;
    enum tp_err r;

    /* Book 2, 6.6.1 */
    hashed[n++] = c->ev->pdol_values;
    hashed[n++] = c->ev->cdol1_values;
    hashed[n++] = c->ev->cdol2_values;
    for (size_t i = 0; i < c->response.n; i++)
        if (c->response.at[i].tag != TAG_SDAD)
            hashed[n++] = raw_of(&c->response.at[i]);
    r = emv_cda_check(&outcome, &dynamic, c->verified->icc.key, c->sdad, c->ev->un, cid, hashed, n);
    if (r != TP_OK)
        return r;
    if (outcome != EMV_CHECK_OK) {
        refuse_check(c, EVIDENCE_SDAD, outcome);
        return TP_OK;
    }
    c->result->cid = dynamic.cid;
    memcpy(c->result->ac, dynamic.ac.p, sizeof(c->result->ac));
    memcpy(c->result->atc, objects_value(&c->response, TAG_ATC).p, sizeof(c->result->atc));
    return r;
}

/* The static data alone: that the issuer made this card's records. */
static enum tp_err check_sda(struct checking *c)
{
    enum emv_check outcome;
    uint8_t dac[2];
    const enum tp_err r =
        emv_ssad_check(&outcome, dac, c->issuer->issuer.key, c->ev->ssad, c->ev->static_data);

    if (r == TP_OK && outcome != EMV_CHECK_OK)
        refuse_check(c, EVIDENCE_SDAD, outcome);
    return r;
}

/* That the card itself was there, and signed this transaction's unpredictable number. */
static enum tp_err check_dda(struct checking *c)
{
    const struct span values = c->ev->ddol_values;
    struct emv_dynamic dynamic;
    enum emv_check outcome;
    const enum tp_err r =
        emv_dda_check(&outcome, &dynamic, c->verified->icc.key, c->ev->dda_sdad, values);

    if (r == TP_OK && outcome != EMV_CHECK_OK)
        refuse_check(c, EVIDENCE_SDAD, outcome);
    else if (r == TP_OK &&
             (values.n == 0 || memmem(values.p, values.n, c->ev->un.p, c->ev->un.n) == NULL))
        refuse(c, EVIDENCE_SDAD, "DDA_UN",
               "it does not cover the unpredictable number of the payment");
    return r;
}

static enum tp_err check_sdad(struct checking *c)
{
    switch (c->result->method) {
    case EVIDENCE_SDA:
        return check_sda(c);
    case EVIDENCE_DDA:
        return check_dda(c);
    default:
        return check_cda(c);
    }
}

/* ---- what was signed against what is said ---- */

static void refuse_value(struct checking *c, uint32_t tag)
{
    static const struct {
        uint32_t tag;
        const char *reason;
    } names[] = {{TAG_AMOUNT, "SIGNED_AMOUNT"},
                 {TAG_AMOUNT_OTHER, "SIGNED_AMOUNT_OTHER"},
                 {TAG_TX_CURRENCY, "SIGNED_CURRENCY"},
                 {TAG_TX_DATE, "SIGNED_DATE"},
                 {TAG_TERMINAL_COUNTRY, "SIGNED_COUNTRY"},
                 {TAG_TX_TYPE, "SIGNED_TYPE"},
                 {TAG_UN, "SIGNED_UN"},
                 {TAG_AC, "SIGNED_AC"},
                 {TAG_CID, "SIGNED_CID"},
                 {TAG_ATC, "SIGNED_ATC"},
                 {TAG_TVR, "SIGNED_TVR"},
                 {TAG_CVM_RESULTS, "SIGNED_CVM"},
                 {TAG_IAD, "SIGNED_IAD"},
                 {TAG_AIP, "SIGNED_AIP"},
                 {TAG_DF_NAME, "SIGNED_AID"},
                 {TAG_PAN_SEQUENCE, "SIGNED_PSN"},
                 {TAG_PAN, "SIGNED_PAN"},
                 {TAG_EXPIRY, "SIGNED_EXPIRY"},
                 {TAG_SDAD, "SIGNED_SDAD"}};
    const struct emv_tag *known = emv_tag_find(tag);
    char reason[32];

    snprintf(reason, sizeof(reason), "SIGNED_%X", (unsigned)tag);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].tag == tag)
            snprintf(reason, sizeof(reason), "%s", names[i].reason);
    refuse(c, EVIDENCE_SIGNED, reason, "%s (%X) is not the one the card signed",
           known != NULL ? known->name : "the object", (unsigned)tag);
}

/* The one of the last GENERATE AC: a TVR may have gained bits between the first and the second. */
static const struct object *terminal_value(const struct checking *c, uint32_t tag)
{
    const struct object *o = objects_find(&c->cdol2, tag);

    return o != NULL ? o : objects_find(&c->cdol1, tag);
}

/* An object that the card gave itself, in its response or its records. Others that stand there are
 * ignored, as a terminal ignores them (Book 3, 7.5); the AID is the one selected. */
static const struct object *card_value(const struct checking *c, uint32_t tag)
{
    const struct emv_tag *known = emv_tag_find(tag);
    const struct object *o;

    if (tag == TAG_DF_NAME || (known != NULL && known->source != EMV_FROM_CARD))
        return NULL;
    o = objects_find(&c->response, tag);
    return o != NULL ? o : objects_find(&c->fixed, tag);
}

/* The card number that stands in DE 55, which need not have it: 5A, or 57 before its separator
 * (Book 3, Annex A). */
static bool is_own_number(const struct checking *c, const struct object *said)
{
    char hex[2 * 19 + 1];
    const size_t n = strlen(c->pan);
    bool same;

    if (said->value.n > 19)
        return false;
    hex_encode(hex, said->value);
    same = strncmp(hex, c->pan, n) == 0 &&
           (hex[n] == '\0' || hex[n] == (said->tag == TAG_PAN ? 'F' : 'D'));
    secret_wipe(hex, sizeof(hex));
    return same;
}

/* Whether an object of DE 55 is the one that the card signed, or that nothing signed covers. */
static bool is_as_signed(const struct checking *c, const struct object *said)
{
    const struct emv_tag *known = emv_tag_find(said->tag);
    const struct object *o = terminal_value(c, said->tag);

    if (known != NULL && known->max > 0 &&
        (said->value.n < known->min || said->value.n > known->max))
        return false;
    if ((said->tag == TAG_PAN || said->tag == TAG_TRACK2) && !is_own_number(c, said))
        return false;
    if (said->tag == TAG_AC)
        return span_eq(said->value, SPAN_OF(c->result->ac));
    if (said->tag == TAG_UN)
        return span_eq(said->value, c->ev->un);
    if (said->tag == TAG_AIP)
        return c->aip.n == 0 || span_eq(said->value, c->aip);
    if (said->tag == TAG_DF_NAME &&
        o == NULL) /* a CDOL may ask for the AID as the terminal knows it */
        o = terminal_value(c, TAG_TERMINAL_AID);
    if (o != NULL)
        return dol_value_fits(said->tag, said->value, o->value);
    o = card_value(c, said->tag);
    return o == NULL || span_eq(said->value, o->value);
}

static void compare_de55(struct checking *c)
{
    for (size_t i = 0; i < c->de55.n && !refused(c); i++)
        if (!is_as_signed(c, &c->de55.at[i]))
            refuse_value(c, c->de55.at[i].tag);
}

/* A number of a list's value, whatever length it was asked for with: zeros fill it at the left
 * (5.4). */
static bool number_of(struct span value, uint64_t *out)
{
    while (value.n > 1 && value.p[0] == 0) {
        value.p++;
        value.n--;
    }
    return value.n > 0 && bcd_get(value, out) == TP_OK;
}

/* A number that the terminal gave at each GENERATE AC. */
static void compare_number(struct checking *c, uint32_t tag, int64_t said)
{
    const struct objects *const lists[] = {&c->cdol1, &c->cdol2};
    bool found = false;

    if (said < 0 || refused(c))
        return;
    for (size_t i = 0; i < 2; i++) {
        const struct object *o = objects_find(lists[i], tag);
        uint64_t value;

        if (o == NULL)
            continue;
        found = true;
        if (!number_of(o->value, &value) ||
            value != (uint64_t)said) { /* cut digits are signed by nobody */
            refuse_value(c, tag);
            return;
        }
    }
    if (!found)
        refuse_value(c, tag);
}

static void compare_card(struct checking *c)
{
    const struct evidence_claim *said = c->claim;
    const struct span psn = objects_value(&c->fixed, TAG_PAN_SEQUENCE);
    char pan[2 * PAN_CN + 1] = "";
    uint64_t number = 0;

    if (c->ev->pan.n > PAN_CN ||
        (c->ev->pan.n > 0 && (bcd_get_cn(c->ev->pan, pan) != TP_OK || strcmp(pan, c->pan) != 0)))
        refuse_value(c, TAG_PAN);
    else if (c->ev->pan_digits.n > 0 && !span_eq(c->ev->pan_digits, span_str(c->pan)))
        refuse_value(c, TAG_PAN);
    else if (said->pan != NULL && strcmp(said->pan, c->pan) != 0)
        refuse_value(c, TAG_PAN);
    else if (said->expiry >= 0 && c->result->card_expiry != 0 &&
             said->expiry / 100 != c->result->card_expiry / 100)
        refuse_value(c, TAG_EXPIRY); /* DE 14 has no day */
    else if (said->psn >= 0 && (psn.n > 0 || c->result->method == EVIDENCE_CDA) &&
             ((psn.n > 0 && bcd_get(psn, &number) != TP_OK) || number != (uint64_t)said->psn))
        refuse_value(c, TAG_PAN_SEQUENCE); /* absent is 00 (Book 2, A1.4) */
}

/* The UN of the signature must be the one in the CDOL values, where they hold it: both GENERATE ACs
 * are of one transaction. */
static void compare_un(struct checking *c)
{
    const struct objects *const lists[] = {&c->cdol1, &c->cdol2};

    for (size_t i = 0; i < 2 && !refused(c); i++) {
        const struct object *o = objects_find(lists[i], TAG_UN);

        if (o != NULL && !dol_value_fits(TAG_UN, c->ev->un, o->value))
            refuse_value(c, TAG_UN);
    }
}

/* What the terminal gave at the first GENERATE AC of amount, currency, type and date. */
static void take_values(struct checking *c)
{
    struct evidence_result *r = c->result;
    uint64_t amount = 0, currency = 0, type = 0, date = 0;

    r->has_values = number_of(objects_value(&c->cdol1, TAG_AMOUNT), &amount) &&
                    number_of(objects_value(&c->cdol1, TAG_TX_CURRENCY), &currency) &&
                    number_of(objects_value(&c->cdol1, TAG_TX_TYPE), &type) &&
                    number_of(objects_value(&c->cdol1, TAG_TX_DATE), &date) &&
                    amount <= (uint64_t)MONEY_MAX;
    if (!r->has_values)
        return;
    r->amount = (int64_t)amount;
    r->currency = (unsigned)(currency % 1000);
    r->type = (unsigned)(type / 10 % 10 << 4 | type % 10); /* two BCD digits: the byte */
    r->date =
        20000000 +
        (int)(date % 1000000); /* YYMMDD; EMV 4.4 Book 4, 6.7.3 puts 00-49 into this century */
}

static enum tp_err check_signed(struct checking *c)
{
    const struct object *tvr = terminal_value(c, TAG_TVR),
                        *cvm = terminal_value(c, TAG_CVM_RESULTS);
    struct evidence_result *r = c->result;

    compare_card(c);
    compare_number(c, TAG_AMOUNT, c->claim->amount);
    compare_number(c, TAG_TX_CURRENCY, c->claim->currency);
    compare_number(c, TAG_TERMINAL_COUNTRY, c->claim->country);
    compare_number(c, TAG_TX_DATE, c->claim->date < 0 ? -1 : c->claim->date % 1000000);
    /* 9C and the first digits of DE 3 are two BCD digits; the claim holds the byte itself */
    compare_number(c, TAG_TX_TYPE,
                   c->claim->type < 0 ? -1 : (c->claim->type >> 4) * 10 + (c->claim->type & 0x0F));
    if (!refused(c))
        compare_un(c);
    if (!refused(c))
        compare_de55(c);
    take_values(c);
    r->has_tvr = tvr != NULL && tvr->value.n >= sizeof(r->tvr); /* zeros fill it at the right */
    if (r->has_tvr)
        memcpy(r->tvr, tvr->value.p, sizeof(r->tvr));
    r->has_cvm_results = cvm != NULL && cvm->value.n >= sizeof(r->cvm_results);
    if (r->has_cvm_results)
        memcpy(r->cvm_results, cvm->value.p, sizeof(r->cvm_results));
    return TP_OK;
}

/* Whether the card's method has the step. */
static bool has_step(const struct checking *c, enum evidence_step s)
{
    static const unsigned of[EVIDENCE_STEPS] = {
        [EVIDENCE_PRESENT] = OF_ALL,     [EVIDENCE_AUTHORITY] = OF_ODA,
        [EVIDENCE_ISSUER_CERT] = OF_ODA, [EVIDENCE_ICC_CERT] = OF_ICC,
        [EVIDENCE_SDAD] = OF_ODA,        [EVIDENCE_SIGNED] = OF_ALL,
    };

    return (of[s] & OF(c->result->method)) != 0;
}

enum tp_err evidence_check(struct evidence_result *result, struct evidence_cache *cache,
                           const struct evidence *ev, const struct evidence_claim *claim, int date)
{
    static enum tp_err (*const steps[EVIDENCE_STEPS])(struct checking * c) = {
        [EVIDENCE_PRESENT] = check_present,    [EVIDENCE_AUTHORITY] = check_authority,
        [EVIDENCE_ISSUER_CERT] = check_issuer, [EVIDENCE_ICC_CERT] = check_card,
        [EVIDENCE_SDAD] = check_sdad,          [EVIDENCE_SIGNED] = check_signed,
    };
    struct checking c;
    struct objects *const lists[] = {&c.de55, &c.fixed, &c.response, &c.cdol1, &c.cdol2};
    enum tp_err r = TP_OK;

    memset(result, 0, sizeof(*result));
    memset(&c, 0, offsetof(struct checking, de55));
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        objects_start(lists[i]);
    c.result = result;
    c.cache = cache;
    c.ev = ev;
    c.claim = claim;
    c.date = date;
    for (size_t i = 0; r == TP_OK && !refused(&c) && i < EVIDENCE_STEPS; i++)
        if (has_step(&c, (enum evidence_step)i))
            r = steps[i](&c);
    result->ok = r == TP_OK && !refused(&c);
    return r;
}
