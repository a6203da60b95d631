/* Evidence by EMV: the check, step by step, in the order of enum evidence_step. */
#include "ledger/evidence_emv.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

const char *evidence_method_name(enum evidence_method m)
{
    static const char *const names[] = {"none", "SDA", "DDA", "CDA", "XDA"};

    return (unsigned)m < sizeof(names) / sizeof(names[0]) ? names[m] : "unknown";
}

bool evidence_signs_amount(const struct evidence_result *r)
{
    return (r->method == EVIDENCE_CDA || r->method == EVIDENCE_XDA) && r->cdol1_signed;
}

void checking_refuse(struct checking *c, enum evidence_step step, const char *reason,
                     const char *format, ...)
{
    struct evidence_result *r = c->result;
    va_list words;
    int n;

    r->failed_at = step;
    snprintf(r->reason, sizeof(r->reason), "%s", reason);
    n = snprintf(r->text, sizeof(r->text), "%s: ", evidence_step_name(step));
    va_start(words, format);
    if (n > 0 && (size_t)n < sizeof(r->text))
        vsnprintf(r->text + n, sizeof(r->text) - (size_t)n, format, words);
    va_end(words);
}

void checking_refuse_check(struct checking *c, enum evidence_step step, enum emv_check outcome)
{
    static const char *const signatures[] = {[EVIDENCE_SDA] = "SSAD",
                                             [EVIDENCE_DDA] = "DDA",
                                             [EVIDENCE_CDA] = "SDAD",
                                             [EVIDENCE_XDA] = "XDA"};
    const char *prefix = step == EVIDENCE_ISSUER_CERT ? "ISSUER_CERT"
                         : step == EVIDENCE_ICC_CERT  ? "ICC_CERT"
                                                      : signatures[c->result->method];
    char reason[sizeof(c->result->reason) + 16];

    c->result->check[step] = outcome;
    snprintf(reason, sizeof(reason), "%s_%s", prefix, emv_check_name(outcome));
    checking_refuse(c, step, reason, "%s", emv_check_text(outcome));
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

void checking_start(struct checking *c, struct evidence_result *result,
                    struct evidence_cache *cache, const struct evidence *ev,
                    const struct evidence_claim *claim, int date)
{
    struct objects *const lists[] = {&c->de55, &c->fixed, &c->response, &c->cdol1, &c->cdol2};

    memset(result, 0, sizeof(*result));
    memset(c, 0, offsetof(struct checking, de55));
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        objects_start(lists[i]);
    c->result = result;
    c->cache = cache;
    c->ev = ev;
    c->claim = claim;
    c->date = date;
}

enum tp_err evidence_emv_check(struct evidence_result *result, struct evidence_cache *cache,
                               const struct evidence *ev, const struct evidence_claim *claim,
                               int date)
{
    static enum tp_err (*const steps[EVIDENCE_STEPS])(struct checking * c) = {
        [EVIDENCE_PRESENT] = evidence_emv_present,    [EVIDENCE_AUTHORITY] = evidence_emv_authority,
        [EVIDENCE_ISSUER_CERT] = evidence_emv_issuer, [EVIDENCE_ICC_CERT] = evidence_emv_card,
        [EVIDENCE_SDAD] = evidence_emv_signature,     [EVIDENCE_SIGNED] = evidence_emv_agreement,
    };
    struct checking c;
    enum tp_err r = TP_OK;

    checking_start(&c, result, cache, ev, claim, date);
    for (size_t i = 0; r == TP_OK && !checking_refused(&c) && i < EVIDENCE_STEPS; i++)
        if (has_step(&c, (enum evidence_step)i))
            r = steps[i](&c);
    result->ok = r == TP_OK && !checking_refused(&c);
    return r;
}
