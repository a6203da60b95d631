/* The evidence of a card payment: what the card signed, its certificates, its signature, and what
 * the message says of it. Checked by the acquirer when it comes, and again years later from the
 * same bytes (`prove`, `verify`, `audit`). Needs no database. */
#ifndef TP_LEDGER_EVIDENCE_H
#define TP_LEDGER_EVIDENCE_H

#include <jansson.h>

#include "crypto/capk.h"
#include "crypto/emvcert.h"

#define EVIDENCE_ARENA 8192 /* room for the decoded bytes of any evidence file */

enum evidence_fault { /* of the bytes it came in */
                      EVIDENCE_SOUND,
                      EVIDENCE_BAD_STREAM, /* DE 61-63 are not TLV */
                      EVIDENCE_DOUBLED,    /* fault_tag is there twice */
                      EVIDENCE_FOREIGN     /* fault_tag does not belong in DE 61-63 */
};

/* What a payment is proved by. The numbers are those of the books. */
enum evidence_kind_id {
    EVIDENCE_EMV = 1 /* a card's signature or cryptogram: DE 55 and 61-63 */
};

/* The evidence as tags and values; spans are borrowed from the TLV streams or the JSON's arena. */
struct evidence {
    enum evidence_kind_id kind;
    struct span aid; /* 84 */
    struct span pan; /* 5A, as in the records (cn); empty: not compared */
    struct span ca_index, issuer_cert, issuer_remainder, issuer_exponent;       /* 8F 90 92 9F32 */
    struct span icc_cert, icc_remainder, icc_exponent;                          /* 9F46 9F48 9F47 */
    struct span static_data, pdol_values, cdol1_values, cdol2_values, response; /* DF01 … DF05 */
    struct span un;                                                             /* 9F37 */
    struct span cdol1,
        cdol2;        /* DF06 DF07: as used; they count where no signed record holds 8C, 8D */
    struct span ssad; /* 93, of a card with SDA */
    struct span ddol_values,
        dda_sdad; /* DF08 DF09, of a card with DDA: what INTERNAL AUTHENTICATE was sent and gave */
    struct span de55;          /* the whole of DE 55; empty in an evidence file that has none */
    struct span pan_digits;    /* DE 2 as text; empty: not compared */
    enum evidence_fault fault; /* kept for the check, which refuses it */
    uint32_t fault_tag;
};

/* What the card's offline data authentication signed (Book 2, 5, 6 and 12). Only CDA and XDA cover
 * amount and cryptogram: with the others a payment rests on its issuer, who checked the cryptogram
 * and approved. */
enum evidence_method { EVIDENCE_NO_ODA, EVIDENCE_SDA, EVIDENCE_DDA, EVIDENCE_CDA, EVIDENCE_XDA };
const char *evidence_method_name(enum evidence_method m); /* "none", "SDA" … */

/* Every step that is checked, in this order. Without CDA: those that the card's method has. */
enum evidence_step {
    EVIDENCE_PRESENT,   /* every object is there and parses */
    EVIDENCE_AUTHORITY, /* the authority key is known */
    EVIDENCE_ISSUER_CERT,
    EVIDENCE_ICC_CERT,
    EVIDENCE_SDAD,   /* the card's signature and the transaction data hash; SDA: the signed static
                        data */
    EVIDENCE_SIGNED, /* what was signed equals what the message says: see struct evidence_claim */
    EVIDENCE_STEPS
};

struct evidence_claim { /* what the message says; a negative number or empty span is not compared
                           (evidence file without a message) */
    const char *pan;    /* DE 2 digits; NULL: not compared */
    int64_t amount;     /* DE 4 */
    int currency;       /* DE 49 */
    int country;        /* 9F1A of DE 55 */
    int date;           /* 9A as YYYYMMDD */
    int type;           /* 9C as the byte it is, the first two digits of DE 3: 0x20 for a credit */
    int expiry;         /* DE 14 as YYYYMMDD, the last day */
    int psn;            /* DE 23 */
};

/* Nothing is compared but DE 55, where there is one. */
#define EVIDENCE_CLAIM_NONE                                                                        \
    {                                                                                              \
        NULL, -1, -1, -1, -1, -1, -1, -1                                                           \
    }

struct evidence_result {
    bool ok;
    enum evidence_step failed_at;
    char reason[26]; /* DE 44: "SDAD_HASH", "ICC_CERT_EXPIRED", "SIGNED_AMOUNT", … ; "" when ok */
    char text[200];  /* the same for people */
    enum emv_check check[EVIDENCE_STEPS]; /* outcome of the certificate and signature steps that
                                             were reached */
    enum evidence_method method;
    bool oda_failed;   /* not CDA, and the TVR says itself that SDA, DDA or XDA failed: none of it
                          was checked */
    bool cdol1_signed; /* the list that names the values is among the signed records; else it is
                          DF06. Of XDA at a second GENERATE AC, which signs the values of CDOL2
                          alone: that list, and it asks for what is paid */
    uint8_t cid;       /* from the signature; without CDA from the response */
    uint8_t ac[8];
    uint8_t atc[2];         /* 9F36 of the response, covered by the transaction data hash */
    int authority_expiry;   /* the date that the authority key's list has for it, YYYYMMDD; 0: none,
                               or there was no key */
    bool authority_expired; /* that is before the date of the transaction: told, no refusal */
    char issuer_iin[20];
    int issuer_expiry, icc_expiry;
    int card_expiry; /* 5F24 of the signed records; 0: not there (without CDA) */
    uint8_t cvm_results[3],
        tvr[5]; /* as signed in the CDOL values; zeros when CDOL1 asks for none (has_ says) */
    bool has_cvm_results, has_tvr;
    /* what the CDOL1 values say */
    bool has_values;
    int64_t amount;
    unsigned currency;
    unsigned type; /* 9C: 0x00 debit, 0x20 credit */
    int date;
};

/* Keeps the verified issuer and ICC keys of the last used `chains` cards, found by the very bytes
 * that were verified, so that a repeated chain costs one signature check. About 8 KiB a chain.
 * Dates, card number and revocation are checked each time. One thread at a time; the authorities
 * must live as long and may be shared between the caches of several threads. */
struct evidence_cache;
TP_MUST_CHECK enum tp_err evidence_cache_new(struct evidence_cache **out,
                                             const struct capk_store *authorities, size_t chains);
void evidence_cache_free(struct evidence_cache **c);

/* From DE 55 and the joined stream of DE 61-63; pan is DE 2, as digits. What is missing, doubled or
 * no TLV is noted here and refused by the check. The spans of *ev point into those given. */
TP_MUST_CHECK enum tp_err evidence_from_message(struct evidence *ev, struct span de55,
                                                struct span stream, struct span pan);

/* date: YYYYMMDD on which certificates must be valid (the transaction's). A failed check is an
 * outcome in *result.
 *
 * What is compared with what was signed: each claim; and each object of DE 55 with the one of the
 * same tag in the CDOL2 (else CDOL1) values, the response, the signature or the signed static data
 * (there the card's own objects alone count: Book 3, 7.5); a value of a list as the list's length
 * cuts and fills it (5.4). An object of DE 55 that nothing signed covers is not compared (which
 * ones, the card's CDOL1 decides; 84 is covered where the CDOL asks for 9F06). Where there is a DE
 * 55, all objects of doc/protocol.md must be there. The result is ok also without CDA, when nothing
 * contradicts it: evidence_signs_amount says so, and then it is for the issuer to vouch. */
TP_MUST_CHECK enum tp_err evidence_check(struct evidence_result *result,
                                         struct evidence_cache *cache, const struct evidence *ev,
                                         const struct evidence_claim *claim, int date);

/* Whose card it is, by its DDA alone: the chain as of a payment, then its signature over the number
 * un, and over payee too where the card's DDOL asks for 9F7C. stream: 8F 90 92 9F32 9F46 9F48 9F47
 * DF01 DF08 DF09 and no others. The DDOL is the one of the signed records; where those hold none,
 * the values are the number alone. A failed check is an outcome in *result; card_expiry is left to
 * the caller. pan: digits, to be wiped. */
struct evidence_presence {
    struct span aid, stream;
    struct span un, payee; /* 4 bytes of 9F37, 32 of 9F7C */
};
#define EVIDENCE_PAN 21
TP_MUST_CHECK enum tp_err evidence_presence_check(struct evidence_result *result,
                                                  char pan[EVIDENCE_PAN],
                                                  struct evidence_cache *cache,
                                                  const struct evidence_presence *what, int date);

/* A card's SDA or DDA by itself, as a file may hold it: no payment, so nothing says what was paid,
 * and no message is compared. DDA where there is its signature (its values are those of the DDOL
 * of the signed records, or the number un alone), else SDA. */
bool evidence_is_card_alone(const struct evidence *ev);
TP_MUST_CHECK enum tp_err evidence_card_check(struct evidence_result *result,
                                              struct evidence_cache *cache,
                                              const struct evidence *ev, int date);

/* The JSON form of data/vectors/offline-data-authentication.json: an object with "tags" (tag →
 * hex), and "de55" (hex) where it came in a message; "kind" names another kind than EMV. The arena
 * holds the decoded bytes. A card's DDA may also be there as a card gives it: 9F4B, and the values
 * of the default DDOL, 9F37 alone (Book 2, 6.5.1). */
TP_MUST_CHECK enum tp_err evidence_from_json(struct evidence *ev, struct buf *arena,
                                             const json_t *object, struct tp_error *e);
TP_MUST_CHECK enum tp_err evidence_to_json(json_t **object, const struct evidence *ev);

/* Whether a signature of the card covers the amount: CDA or XDA, over a list that is signed too.
 * Who could write the list could move the amount to other bytes. */
bool evidence_signs_amount(const struct evidence_result *r);

/* A kind is one row of functions; those above find the row and call it. */
struct evidence_kind {
    enum evidence_kind_id id;
    const char *name; /* "kind" of an evidence file */
    enum tp_err (*parse)(struct evidence *ev, struct span de55, struct span stream,
                         struct span pan);
    enum tp_err (*check)(struct evidence_result *result, struct evidence_cache *cache,
                         const struct evidence *ev, const struct evidence_claim *claim, int date);
    enum tp_err (*prove)(json_t **object, const struct evidence *ev); /* as a file: `prove --out` */
    enum tp_err (*read)(struct evidence *ev, struct buf *arena, const json_t *object,
                        struct tp_error *e); /* … and from it: `verify` */
};
const struct evidence_kind *evidence_kind_find(enum evidence_kind_id id); /* NULL: none */
const struct evidence_kind *evidence_kind_named(const char *name);

const char *evidence_step_name(enum evidence_step s); /* "issuer certificate" */

/* Parses an object of the static data, the CDOL1 values … of evidence that was found right: the
 * value of a tag in the signed records. Empty when absent. */
struct span evidence_signed_record(const struct evidence *ev, uint32_t tag);

#endif
