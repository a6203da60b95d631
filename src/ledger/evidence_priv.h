/* What the files of the evidence share: flat lists of data objects, and the cache of verified
 * chains. */
#ifndef TP_LEDGER_EVIDENCE_PRIV_H
#define TP_LEDGER_EVIDENCE_PRIV_H

#include "apdu/tlv.h"
#include "ledger/evidence.h"

/* ---- the kind EMV ---- */

TP_MUST_CHECK enum tp_err evidence_emv_parse(struct evidence *ev, struct span de55,
                                             struct span stream, struct span pan);
TP_MUST_CHECK enum tp_err evidence_emv_check(struct evidence_result *result,
                                             struct evidence_cache *cache,
                                             const struct evidence *ev,
                                             const struct evidence_claim *claim, int date);
TP_MUST_CHECK enum tp_err evidence_emv_prove(json_t **object, const struct evidence *ev);
TP_MUST_CHECK enum tp_err evidence_emv_read(struct evidence *ev, struct buf *arena,
                                            const json_t *object, struct tp_error *e);

/* ---- lists of data objects (evidence_objects.c) ---- */

#define OBJECTS_MAX 64

struct object {
    uint32_t tag,
        head; /* head: bytes of tag and length before the value, 0 in a list of DOL values */
    struct span value;
};

#define OBJECTS_SLOTS                                                                              \
    128 /* a power of two, twice OBJECTS_MAX: an acknowledgement looks up some hundred tags */

struct objects { /* no tag is there twice */
    size_t n;
    uint8_t slot[OBJECTS_SLOTS];   /* by a hash of the tag: 1 + its place in at, 0: none; the next
                                      slots where it is taken */
    struct object at[OBJECTS_MAX]; /* not cleared: n says how many are set */
};

void objects_start(struct objects *o);
/* Adds the objects of in. TP_ERR_FORMAT: no TLV, or too many; TP_ERR_EXISTS: *tag is there twice.
 */
TP_MUST_CHECK enum tp_err objects_read(struct objects *o, struct span in, uint32_t *tag);

/* The slot that holds the tag, or the free one where it belongs: there are more slots than objects.
 */
static inline size_t objects_slot(const struct objects *o, uint32_t tag)
{
    size_t i = (size_t)(tag * UINT32_C(0x9E3779B1)) >> 25;

    while (o->slot[i] != 0 && o->at[o->slot[i] - 1].tag != tag)
        i = (i + 1) % OBJECTS_SLOTS;
    return i;
}

/* NULL: none. Some hundred look-ups a check: inline. */
static inline const struct object *objects_find(const struct objects *o, uint32_t tag)
{
    const size_t i = objects_slot(o, tag);

    return o->slot[i] != 0 ? &o->at[o->slot[i] - 1] : NULL;
}

/* The next object of a list, which is taken from it. TP_ERR_NOT_FOUND: there is none;
 * TP_ERR_FORMAT.
 */
TP_MUST_CHECK enum tp_err objects_next(struct span *in, struct tlv *out);

struct span objects_value(const struct objects *o, uint32_t tag); /* empty: none */

/* Whether the card's keys are of elliptic curves: it says so itself, by a signature that stands
 * beside a cryptogram in clear (CDA hides that), or the terminal does (TVR, "XDA selected"). Then
 * DF01 is the issuer certified card data. */
bool evidence_is_xda(const struct evidence *ev);

/* The static data to be authenticated: objects of the records, and the AIP behind them where 9F4A
 * says so (else empty); iccd: the AIP, as 9F06 and 9F38, among the objects (Book 3, 10.3). Errors
 * as objects_read; TP_ERR_FORMAT too where 9F4A asks for more than the AIP (Book 2, 5.1.1). */
TP_MUST_CHECK enum tp_err static_data_read(struct objects *o, struct span *aip,
                                           struct span static_data, bool iccd, uint32_t *tag);

/* The values of a DOL under its tags. TP_ERR_FORMAT where list and values do not agree. */
TP_MUST_CHECK enum tp_err dol_values_read(struct objects *o, struct span dol, struct span values);

/* The objects of a response to GENERATE AC, of format 1 (80) or 2 (77): Book 3, 6.5.5.4. None of
 * another template. TP_ERR_FORMAT, TP_ERR_EXISTS. */
TP_MUST_CHECK enum tp_err response_read(struct objects *o, struct span response);

/* ---- lists and their values (evidence_dol.c) ---- */

/* Whether `covered` is what a terminal puts for `said` where a list asks for covered.n bytes (Book
 * 3, 5.4). */
bool dol_value_fits(uint32_t tag, struct span said, struct span covered);

/* NULL, or what is wrong with a list that no signed record holds; values: what dol_values_read made
 * of it. has_amount: it must ask for what is paid, as CDOL1 must. */
const char *dol_unsound(struct span dol, const struct objects *values, bool has_amount);

/* Where the value of a tag of DE 61-63 (also 84, 9F37, 5A) stands in *ev; NULL for a foreign one.
 */
struct span *evidence_field(struct evidence *ev, uint32_t tag);
extern const uint32_t evidence_tags[]; /* all of them, ended by 0 */

/* ---- verified chains (evidence_cache.c) ---- */

enum chain_part {
    CHAIN_RID,
    CHAIN_INDEX,
    CHAIN_90,
    CHAIN_92,
    CHAIN_9F32,
    CHAIN_ISSUER_PARTS,
    CHAIN_9F46 = CHAIN_ISSUER_PARTS,
    CHAIN_9F48,
    CHAIN_9F47,
    CHAIN_STATIC,
    CHAIN_PARTS
};

struct chain {            /* what was verified */
    int authority_expiry; /* of the authority key that opened the issuer certificate; 0: none given
                           */
    struct emv_cert_info issuer, icc; /* of an issuer's entry only issuer.key is set, of a card's
                                         only icc.key; owned by the cache */
};

struct chains;
/* The entry verified from these very bytes; it lives until the next chains_add. NULL: none. */
struct chain *chains_find(struct chains *c, const struct span *parts);
/* Takes over the keys of *made, also when it fails. The entry that was not used for the longest
 * time makes room. */
TP_MUST_CHECK enum tp_err chains_add(struct chain **out, struct chains *c, const struct span *parts,
                                     const struct chain *made);

struct evidence_cache {
    const struct capk_store *authorities;
    struct chains *issuers, *cards;
};

#endif
