/* Issuer authentication: EMV 4.4 Book 2, 8.2; Book 3, 6.5.4 (EXTERNAL AUTHENTICATE), 10.9 and 10.11
 * (91 in CDOL2), Annex C10 (card status update). */
#include "simcard/card_priv.h"

#include <string.h>

#include "apdu/dol.h"
#include "crypto/cryptogram.h"

#define DATA_MIN    8 /* of 91: Book 3, Annex A */
#define DATA_MAX    16
#define ARPC_1      8
#define ARPC_2      4
#define CSU         4
#define ARC         2
#define METHOD_1    1
#define PROPRIETARY 8 /* at most */

static bool by_command(const struct card *c)
{
    return (c->profile->aip[0] & AIP_ISSUER_AUTHENTICATION) != 0;
}

bool card_issuer_expected(const struct card *c)
{
    const struct span dol = {c->profile->cdol2.p, c->profile->cdol2.n};
    struct span in = dol;
    struct dol_entry entry;

    if (by_command(c))
        return true;
    while (dol_next(&in, &entry) == TP_OK)
        if (entry.tag == TAG_ISSUER_AUTH_DATA)
            return true;
    return false;
}

/* ---- ARPC ---- */

/* 91: ARPC and ARC. */
static enum tp_err expect_1(const struct card *c, struct span session, struct span data, bool *good)
{
    uint8_t want[ARPC_1];
    const enum tp_err r = data.n >= ARPC_1 + ARC ? emv_arpc_1(want, c->profile->cvn, session,
                                                              c->session.first_ac, data.p + ARPC_1)
                                                 : TP_OK;

    *good = data.n >= ARPC_1 + ARC && secret_eq(SPAN_OF(want), span_of(data.p, ARPC_1));
    return r;
}

/* 91: ARPC, CSU, and proprietary authentication data where the CSU says so. */
static enum tp_err expect_2(const struct card *c, struct span session, struct span data, bool *good)
{
    const uint8_t *csu = data.p + ARPC_2;
    const size_t more = (csu[0] & EMV_CSU_PROPRIETARY) != 0 ? data.n - ARPC_2 - CSU : 0;
    uint8_t want[ARPC_2];
    const enum tp_err r = emv_arpc_2(want, c->profile->cvn, session, c->session.first_ac, csu,
                                     span_of(csu + CSU, more));

    *good = secret_eq(SPAN_OF(want), span_of(data.p, ARPC_2));
    return r;
}

static enum tp_err check(struct card *c, struct span data)
{
    const uint8_t atc[2] = {(uint8_t)(c->session.atc >> 8), (uint8_t)c->session.atc};
    const bool method_1 = c->profile->arpc == METHOD_1;
    struct secret session = {NULL, 0};
    bool good = false;
    enum tp_err r =
        emv_session_key_ac(&session, c->profile->cvn, secret_span(&c->profile->ac_key), atc);

    if (r == TP_OK)
        r = method_1 ? expect_1(c, secret_span(&session), data, &good)
                     : expect_2(c, secret_span(&session), data, &good);
    secret_free(&session);
    if (r != TP_OK)
        return r;
    good |= fault_any_arpc(&c->faults);
    c->session.issuer = good ? ISSUER_GOOD : ISSUER_FAILED;
    if (good && data.n >= (method_1 ? ARPC_1 + ARC : ARPC_2 + CSU))
        memcpy(c->session.issuer_says, data.p + (method_1 ? ARPC_1 : ARPC_2), method_1 ? ARC : CSU);
    return TP_OK;
}

enum tp_err card_issuer_check_second(struct card *c, const struct card_request *q)
{
    static const uint8_t none[DATA_MAX] = {0};
    struct span data;

    if (by_command(c) || dol_extract(q->dol, q->values, TAG_ISSUER_AUTH_DATA, &data) != TP_OK)
        return TP_OK;
    if (data.n < DATA_MIN || data.n > DATA_MAX ||
        memcmp(data.p, none, data.n) == 0) /* the terminal had none: Book 3, 5.4 */
        return TP_OK;
    return check(c, data);
}

uint16_t card_external_authenticate(struct card *c, const struct capdu *in, struct buf *out)
{
    (void)out;
    if (!by_command(c))
        return SW_INS_NOT_SUPPORTED;
    if (in->p1 != 0 || in->p2 != 0)
        return SW_WRONG_P1P2;
    if (c->session.phase != PHASE_ONLINE ||
        c->session.issuer != ISSUER_NOT_SEEN) /* once: Book 3, 10.9 */
        return SW_CONDITIONS;
    if (in->data.n < DATA_MIN || in->data.n > DATA_MAX)
        return SW_WRONG_LENGTH;
    if (check(c, in->data) != TP_OK)
        return SW_UNKNOWN;
    if (c->session.issuer == ISSUER_GOOD)
        return SW_OK;
    c->state.flags |= STATE_ISSUER_FAILED; /* whatever becomes of the transaction */
    return card_state_write(c, STATE_SYNC) == TP_OK ? SW_AUTHENTICATION_FAILED : SW_MEMORY_FAILURE;
}

/* ---- what the issuer says ---- */

/* The two bytes of the CSU that count; zeros without a good one. */
static const uint8_t *csu_of(const struct card *c)
{
    static const uint8_t none[CSU] = {0};

    return c->session.issuer == ISSUER_GOOD && c->profile->arpc != METHOD_1 ? c->session.issuer_says
                                                                            : none;
}

bool card_issuer_approves(const struct card *c)
{
    static const char approved[][ARC + 1] = {"00", "08", "10", "11"}; /* ISO 8583, DE 39 */

    if (c->profile->arpc != METHOD_1)
        return (csu_of(c)[1] & EMV_CSU_APPROVES) != 0;
    for (size_t i = 0; i < sizeof(approved) / sizeof(approved[0]); i++)
        if (memcmp(c->session.issuer_says, approved[i], ARC) == 0)
            return true;
    return false;
}

bool card_issuer_wants_online(const struct card *c)
{
    return (csu_of(c)[1] & EMV_CSU_GO_ONLINE) != 0;
}

uint8_t card_issuer_counters(const struct card *c)
{
    if (c->session.issuer != ISSUER_GOOD || c->profile->arpc == METHOD_1)
        return EMV_CSU_COUNTERS_TO_ZERO;
    return csu_of(c)[1] & EMV_CSU_COUNTERS;
}

void card_issuer_obey(struct card *c)
{
    const uint8_t *csu = csu_of(c), tries = csu[0] & EMV_CSU_PIN_TRIES;

    if ((csu[1] & EMV_CSU_CARD_BLOCK) != 0)
        c->state.flags |= STATE_CARD_BLOCKED;
    if ((csu[1] & EMV_CSU_APPLICATION_BLOCK) != 0)
        c->state.flags |= card_blocked_bit(c);
    if ((csu[1] & EMV_CSU_UPDATE_PIN_TRIES) !=
        0) /* the Common Core takes the value as it is: Book 3, 10.11.1.1 of the CCD */
        c->state.pin_tries =
            card_ccd(c) || tries < c->profile->pin_tries ? tries : c->profile->pin_tries;
    if (card_issuer_wants_online(c))
        c->state.flags |= STATE_GO_ONLINE;
}
