/* What the files that check evidence by EMV share: one check on its way through its steps. */
#ifndef TP_LEDGER_EVIDENCE_EMV_H
#define TP_LEDGER_EVIDENCE_EMV_H

#include "ledger/evidence_priv.h"

#define RID    5
#define PAN_CN 10 /* bytes of 5A at most */

struct checking {
    struct evidence_result *result;
    struct evidence_cache *cache;
    const struct evidence *ev;
    const struct evidence_claim *claim;
    int date;
    bool presence; /* the authentication of a card that pays nothing */
    bool xda;      /* keys of elliptic curves */
    char pan[2 * PAN_CN + 1];
    struct span aip, sdad;
    struct span parts[CHAIN_PARTS];
    const struct chain *issuer; /* what is known of the issuer */
    struct chain *verified;     /* the card's, once it is verified */
    struct objects de55, fixed, response, cdol1, cdol2;
};

/* Sets of methods. */
#define OF(method) (1U << (method))
#define OF_XDA     OF(EVIDENCE_XDA)
#define OF_ICC_RSA (OF(EVIDENCE_DDA) | OF(EVIDENCE_CDA))
#define OF_RSA     (OF_ICC_RSA | OF(EVIDENCE_SDA))
#define OF_ICC     (OF_ICC_RSA | OF_XDA)
#define OF_ODA     (OF_RSA | OF_XDA)
#define OF_ALL     (OF_ODA | OF(EVIDENCE_NO_ODA))

/* Ends the check with a reason and the same for people. */
void checking_refuse(struct checking *c, enum evidence_step step, const char *reason,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));
/* A certificate or the signature: ISSUER_CERT_HASH, SDAD_TRAILER, SSAD_HASH, DDA_HASH … */
void checking_refuse_check(struct checking *c, enum evidence_step step, enum emv_check outcome);

/* A signature of the card's covers what was paid. */
static inline bool checking_signed(const struct checking *c)
{
    return c->result->method == EVIDENCE_CDA || c->result->method == EVIDENCE_XDA;
}

/* XDA at the second GENERATE AC, which signs the values of CDOL2 and not those of CDOL1 (Book 2,
 * table 37). */
static inline bool checking_second_alone(const struct checking *c)
{
    return c->result->method == EVIDENCE_XDA && c->ev->cdol2_values.n > 0;
}

static inline bool checking_refused(const struct checking *c)
{
    return c->result->reason[0] != '\0';
}

/* Before any step. */
void checking_start(struct checking *c, struct evidence_result *result,
                    struct evidence_cache *cache, const struct evidence *ev,
                    const struct evidence_claim *claim, int date);
/* Parts of the first step that a presence (…_presence.c) shares: faults of the bytes it came in,
 * what the method needs, the records with number and expiry of the card. */
void checking_fault(struct checking *c);
void checking_needed(struct checking *c);
void checking_records(struct checking *c);

/* The steps, each a file's subject: an outcome is in c->result, an error is ours. */
TP_MUST_CHECK enum tp_err evidence_emv_present(struct checking *c);   /* …_present.c */
TP_MUST_CHECK enum tp_err evidence_emv_authority(struct checking *c); /* …_chain.c */
TP_MUST_CHECK enum tp_err evidence_emv_issuer(struct checking *c);
TP_MUST_CHECK enum tp_err evidence_emv_card(struct checking *c);
TP_MUST_CHECK enum tp_err evidence_emv_signature(struct checking *c); /* …_signature.c */
TP_MUST_CHECK enum tp_err evidence_emv_agreement(struct checking *c); /* …_agreement.c */

#endif
