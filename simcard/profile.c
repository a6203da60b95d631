#include "simcard/profile.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/dol.h"
#include "apdu/emvbits.h"
#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "base/bcd.h"

/* ---- risks ---- */

static const char *const risk_names[] = {"new-card",
                                         "not-completed",
                                         "pin-tries-exceeded",
                                         "pin-failed",
                                         "issuer-authentication-failed",
                                         "issuer-authentication-missing",
                                         "offline-authentication-failed",
                                         "script-failed",
                                         "go-online-set",
                                         "count-limit",
                                         "count-maximum",
                                         "amount-limit",
                                         "amount-maximum",
                                         "other-currency"};

#define RISKS (sizeof(risk_names) / sizeof(risk_names[0]))
static_assert(1U << RISKS == CARD_RISK_ALL + 1, "a name for each risk");

const char *card_risk_name(size_t i)
{
    return i < RISKS ? risk_names[i] : NULL;
}

enum tp_err card_risk_parse(uint32_t *mask, const char *text)
{
    uint32_t all = 0;

    while (*text != '\0') {
        const size_t n = strcspn(text, ",");
        size_t i = 0;

        while (i < RISKS && (strlen(risk_names[i]) != n || strncmp(risk_names[i], text, n) != 0))
            i++;
        if (i == RISKS)
            return TP_ERR_FORMAT;
        all |= 1U << i;
        text += n;
        text += *text == ',' ? 1 : 0;
    }
    *mask = all;
    return TP_OK;
}

/* ---- the profile ---- */

enum tp_err profile_new(struct card_profile **out)
{
    *out = calloc(1, sizeof(**out));
    if (*out == NULL)
        return TP_ERR_NO_MEMORY;
    (*out)->format = 2;
    (*out)->cvn = EMV_CVN_18;
    (*out)->arpc = 2;
    (*out)->ask_online = CARD_ONLINE_DEFAULT;
    (*out)->decline_unable = CARD_UNABLE_DEFAULT;
    return TP_OK;
}

void profile_free(struct card_profile **p)
{
    if (*p == NULL)
        return;
    secret_free(&(*p)->ac_key);
    secret_free(&(*p)->smi_key);
    secret_free(&(*p)->smc_key);
    secret_free(&(*p)->pin_block);
    emv_privkey_free(&(*p)->key);
    emv_privkey_free(&(*p)->pin_key);
    ec_privkey_free(&(*p)->xda.key);
    ec_privkey_free(&(*p)->xda.ode_key);
    free(*p);
    *p = NULL;
}

bool profile_has_xda(const struct card_profile *p)
{
    return p->xda.afl.n > 0;
}

bool profile_afl_names(const struct profile_bytes *afl, const struct profile_record *r)
{
    for (size_t i = 0; i + 4 <= afl->n; i += 4)
        if (afl->p[i] >> 3 == r->sfi && r->number >= afl->p[i + 1] && r->number <= afl->p[i + 2])
            return true;
    return false;
}

struct profile_record *profile_record(struct card_profile *p, uint8_t sfi, uint8_t number)
{
    for (size_t i = 0; i < p->records_n; i++)
        if (p->records[i].sfi == sfi && p->records[i].number == number)
            return &p->records[i];
    return NULL;
}

enum tp_err profile_object(const struct card_profile *p, uint32_t tag, struct span *value)
{
    for (size_t i = 0; i < p->records_n; i++) {
        struct tlv object;

        if (tlv_find_deep(span_of(p->records[i].data, p->records[i].n), tag, &object) != TP_OK)
            continue;
        *value = object.value;
        return TP_OK;
    }
    return TP_ERR_NOT_FOUND;
}

static enum tp_err keep(struct profile_bytes *to, const struct card_profile *p, uint32_t tag)
{
    struct span v;
    const enum tp_err r = profile_object(p, tag, &v);

    to->n = 0;
    if (r != TP_OK)
        return r;
    if (v.n > sizeof(to->p))
        return TP_ERR_RANGE;
    memcpy(to->p, v.p, v.n);
    to->n = v.n;
    return TP_OK;
}

/* ---- the Common Core Definitions ---- */

#define TAG_REF_CURRENCY  0x9F3B
#define TAG_REF_EXPONENTS 0x9F43
#define MUST_ASK_ONLINE                                                                            \
    (CARD_RISK_NOT_COMPLETED | CARD_RISK_GO_ONLINE | CARD_RISK_COUNT_LIMIT | CARD_RISK_AMOUNT_LIMIT)
#define MUST_DECLINE (CARD_RISK_COUNT_MAXIMUM | CARD_RISK_AMOUNT_MAXIMUM)

static bool asks(const struct profile_bytes *dol, uint32_t tag)
{
    struct span in = {dol->p, dol->n};
    struct dol_entry entry;

    while (dol_next(&in, &entry) == TP_OK)
        if (entry.tag == tag)
            return true;
    return false;
}

static bool holds(const struct card_profile *p, uint32_t tag)
{
    struct span v;

    return profile_object(p, tag, &v) == TP_OK;
}

static bool ddol_is_un_alone(const struct card_profile *p)
{
    static const uint8_t un_alone[] = {0x9F, 0x37, 0x04};

    return span_eq(span_of(p->ddol.p, p->ddol.n), SPAN_OF(un_alone));
}

static bool asks_anywhere(const struct card_profile *p, uint32_t tag)
{
    return asks(&p->pdol, tag) || asks(&p->cdol1, tag) || asks(&p->cdol2, tag) ||
           asks(&p->ddol, tag);
}

const char *profile_common_core(const struct card_profile *p)
{
    const struct {
        bool broken;
        const char *why;
    } rules[] = {
        {p->format != 2, "answers in template 77 alone, format 2 (Book 3, 6.2)"},
        {(p->aip[0] & AIP_ISSUER_AUTHENTICATION) != 0,
         "has no EXTERNAL AUTHENTICATE: bit 3 of AIP byte 1 is 0 (Book 3, 6.5.4)"},
        {!asks(&p->cdol2, TAG_ARC) || !asks(&p->cdol2, TAG_ISSUER_AUTH_DATA),
         "asks for 8A and 91 in its CDOL2 (Book 3, 6.5.5.3)"},
        {p->arpc != 2, "takes its issuer's cryptogram by method 2 alone (Book 2, 8.2)"},
        {(p->aip[0] & AIP_DDA) != 0 && !ddol_is_un_alone(p),
         "has a DDOL of 9F3704 and nothing else (Book 2, 6.5.1)"},
        {(p->aip[0] & AIP_CVM) == 0,
         "verifies cardholders: bit 5 of AIP byte 1 is 1 (Book 3, 10.5)"},
        {p->block_on_tries, "does not block itself when no PIN try is left (Book 3, 9.2.3.3)"},
        {holds(p, TAG_TDOL) || asks_anywhere(p, TAG_TC_HASH),
         "has no TDOL and asks for no TC hash value, 98 (Book 3, 9.2.2)"},
        {asks_anywhere(p, TAG_AMOUNT_REFERENCE) || holds(p, TAG_REF_CURRENCY) ||
             holds(p, TAG_REF_EXPONENTS),
         "has no reference currency: 9F3A, 9F3B, 9F43 (Book 3, table CCD 6)"},
        {(p->ask_online & MUST_ASK_ONLINE) != MUST_ASK_ONLINE,
         "goes online for not-completed, go-online-set, count-limit and amount-limit (Book 3, "
         "9.2.3.3, 10.11.1.1)"},
        {(p->decline_unable & MUST_DECLINE) != MUST_DECLINE,
         "declines over count-maximum and amount-maximum when online is impossible (Book 3, "
         "9.2.3.3)"},
    };

    if (p->cvn != EMV_CCD_3DES && p->cvn != EMV_CCD_AES)
        return NULL;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (rules[i].broken)
            return rules[i].why;
    return NULL;
}

enum tp_err profile_index(struct card_profile *p, struct tp_error *e)
{
    const char *why;
    static const struct {
        uint32_t tag;
        const char *name;
    } needed[] = {{TAG_PAN, "PAN (5A)"},
                  {TAG_EXPIRY, "expiry (5F24)"},
                  {TAG_CDOL1, "CDOL1 (8C)"},
                  {TAG_CDOL2, "CDOL2 (8D)"}};
    struct span v;

    for (size_t i = 0; i < p->records_n; i++) {
        struct span in = {p->records[i].data, p->records[i].n};
        struct tlv template;

        if (tlv_next(&in, &template) != TP_OK || template.tag != TAG_RECORD || in.n != 0 ||
            tlv_check(template.value) != TP_OK)
            return tp_fail(e, TP_ERR_FORMAT, "record %u of file %u is no template 70",
                           p->records[i].number, p->records[i].sfi);
    }
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (profile_object(p, needed[i].tag, &v) != TP_OK)
            return tp_fail(e, TP_ERR_FORMAT, "no record has the %s", needed[i].name);
    if (keep(&p->cdol1, p, TAG_CDOL1) != TP_OK || keep(&p->cdol2, p, TAG_CDOL2) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT, "a CDOL is too long");
    if (keep(&p->ddol, p, TAG_DDOL) == TP_ERR_RANGE ||
        keep(&p->cvm_list, p, TAG_CVM_LIST) == TP_ERR_RANGE) /* both may be absent */
        return tp_fail(e, TP_ERR_FORMAT, "the DDOL or CVM list is too long");
    memset(p->currency, 0, sizeof(p->currency));
    if (profile_object(p, TAG_APP_CURRENCY, &v) == TP_OK && v.n == sizeof(p->currency))
        memcpy(p->currency, v.p, v.n);
    if (profile_object(p, TAG_PAN, &v) != TP_OK || v.n > 10 || bcd_get_cn(v, p->pan) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT, "the PAN (5A) is not compressed numeric");
    why = profile_common_core(p);
    return why == NULL ? TP_OK
                       : tp_fail(e, TP_ERR_FORMAT, "a card of the Common Core Definitions %s", why);
}
