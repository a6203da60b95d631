/* Card action, online processing and completion: EMV 4.4 Book 3, 10.7-10.11; Book 4, 6.3.8 and
 * Annex A6. */
#include "kernel/kernel_priv.h"

#include <stdio.h>
#include <string.h>

/* Authorisation response codes that a terminal gives itself: Book 4, Annex A6. */
#define ARC_OFFLINE_APPROVED "Y1"
#define ARC_OFFLINE_DECLINED "Z1"
#define ARC_UNABLE_APPROVED  "Y3"
#define ARC_UNABLE_DECLINED  "Z3"

#define ISSUER_AUTHENTICATION_MIN 8 /* bytes of 91: Book 3, Annex A */

static enum tp_err put_arc(struct transaction *tx, const char *arc)
{
    return data_put(tx, TAG_ARC, FROM_TERMINAL, span_of(arc, 2));
}

static bool approves(const uint8_t arc[2])
{
    static const char codes[][3] = {
        "00", "08", "10",
        "11"}; /* ISO 8583:1987, DE 39: approved, with identification, partly, VIP */

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (memcmp(arc, codes[i], 2) == 0)
            return true;
    return false;
}

static enum tp_err end_unsigned(struct transaction *tx)
{
    return tx_end(tx, KERNEL_DECLINED, "the card's %s is not right: %s", tx->oda.failed_at,
                  emv_check_text(tx->oda.check));
}

/* The reason a card may give beside an AAC: bits 3 to 1 of the CID (Book 3, 6.5.5.4). */
static const char *card_reason(const struct transaction *tx)
{
    static const char *const words[8] = {[1] = ": service not allowed",
                                         [2] = ": PIN try limit exceeded",
                                         [3] = ": issuer authentication failed"};
    const struct span cid = data_get(tx, TAG_CID);
    const char *said = cid.n == 1 ? words[cid.p[0] & 7] : NULL;

    return said == NULL ? "" : said;
}

/* The card's last word. why: what the terminal asked an AAC for; "" when it asked for a TC. */
static enum tp_err end_by_card(struct transaction *tx, enum ac_type got, const char *why)
{
    if (got == AC_TC)
        return tx_end(tx, KERNEL_APPROVED, "approved");
    if (why[0] != '\0')
        return tx_end(tx, KERNEL_DECLINED, "declined by the terminal: %s", why);
    return tx_end(tx, KERNEL_DECLINED, "declined by the card%s", card_reason(tx));
}

/* Second GENERATE AC, with the response code that stands in 8A; what it gave is the end, whatever
 * the scripts behind it do (10.10). */
static enum tp_err finish(struct transaction *tx, enum ac_type want, const char *why)
{
    enum ac_type got;
    bool failed;
    enum tp_err r;

    tx_step(tx, KERNEL_COMPLETE);
    r = generate_ac(tx, want, true, &got, &failed);
    if (r != TP_OK)
        return r;
    if (scripts_run(tx, TAG_SCRIPT_72) != TP_OK) /* the card left: TVR and 9F5B say which command */
        tvr_set(tx, TVR_SCRIPT_FAILED_AFTER);
    if (failed)
        return end_unsigned(tx);
    return end_by_card(tx, got, want == AC_AAC ? why : "");
}

/* Keeps what the issuer answered, so that a CDOL2 can ask for it: 8A, 89 and 91. An authentication
 * of another length than 8 to 16 bytes is none. */
static enum tp_err keep_answer(struct transaction *tx)
{
    struct kernel_issuer_answer *a = &tx->issuer;
    enum tp_err r;

    if (a->authentication.n > sizeof(a->authentication.p) || a->scripts.n > sizeof(a->scripts.p) ||
        memchr(a->approval, '\0', sizeof(a->approval)) == NULL)
        return tp_fail(tx->e, TP_ERR_INTERNAL, "the issuer's answer is not what it says it is");
    tx->issuer_approved = approves(a->arc);
    r = data_put(tx, TAG_ARC, FROM_TERMINAL, SPAN_OF(a->arc));
    if (r == TP_OK && a->approval[0] != '\0')
        r = data_put(tx, TAG_AUTHORISATION_CODE, FROM_TERMINAL, span_str(a->approval));
    if (r == TP_OK && a->authentication.n >= ISSUER_AUTHENTICATION_MIN)
        r = data_put(tx, TAG_ISSUER_AUTH_DATA, FROM_TERMINAL,
                     span_of(a->authentication.p, a->authentication.n));
    return r;
}

/* 10.9: only a card that says so has the command; another gets 91 with the second GENERATE AC, if
 * its CDOL2 asks for it. Any word but 9000 is a failure that the card's own rules judge: the
 * terminal goes on (6.5.4). */
static enum tp_err authenticate_issuer(struct transaction *tx)
{
    const struct capdu c = {.ins = INS_EXTERNAL_AUTHENTICATE,
                            .data = data_get(tx, TAG_ISSUER_AUTH_DATA)};
    struct span nothing;
    uint16_t sw;
    enum tp_err r;

    if ((tx->aip[0] & AIP_ISSUER_AUTHENTICATION) == 0 || c.data.n == 0)
        return TP_OK;
    r = command_send(tx, &c, &nothing, &sw);
    if (r != TP_OK)
        return r;
    tsi_set(tx, TSI_ISSUER_AUTHENTICATION);
    if (sw != SW_OK)
        tvr_set(tx, TVR_ISSUER_AUTHENTICATION_FAILED);
    return TP_OK;
}

static enum tp_err finish_reached(struct transaction *tx)
{
    const bool referral =
        memcmp(tx->issuer.arc, "01", 2) == 0 || memcmp(tx->issuer.arc, "02", 2) == 0;
    enum tp_err r = keep_answer(tx);

    tx_step(tx, KERNEL_ISSUER);
    if (r == TP_OK)
        r = authenticate_issuer(tx);
    if (r == TP_OK)
        r = scripts_run(tx, TAG_SCRIPT_71);
    if (r != TP_OK)
        return r;
    /* a referral is a call by voice, for which nobody is there: Book 4, 6.3.8 */
    return finish(tx, tx->issuer_approved ? AC_TC : AC_AAC,
                  referral ? "the issuer wants to be called" : "the issuer refuses");
}

/* tx->issuer.reached false: unable to go online. */
static enum tp_err ask(struct transaction *tx)
{
    enum tp_err r = TP_OK;

    tx_step(tx, KERNEL_ONLINE);
    if (tx->online != NULL && tx->online->authorise != NULL && !terminal_offline_only(tx->config))
        r = tx->online->authorise(tx->online->ctx, tx, &tx->issuer);
    if (r != TP_OK)
        return tp_fail(tx->e, r, "the issuer could not be asked: %s", tp_err_text(r));
    if (!tx->issuer.reached)
        tx->issuer = (struct kernel_issuer_answer){0};
    return TP_OK;
}

/* The card wants the issuer (10.9), or its XDA failed. */
static enum tp_err online(struct transaction *tx)
{
    char why[sizeof(tx->reason)];
    enum ac_type want = AC_AAC;
    enum tp_err r = ask(tx);

    if (r != TP_OK)
        return r;
    if (tx->issuer.reached)
        return finish_reached(tx);
    if (xda_failed(tx)) { /* declined then: Book 4, 6.3.2.2.4 */
        snprintf(tx->reason, sizeof(tx->reason), "the card's %s is not right", tx->oda.failed_at);
    } else {
        tx->reason[0] = '\0';
        want = action_unable_online(tx);
    }
    snprintf(why, sizeof(why), "the issuer would have to approve it and cannot be reached (%.150s)",
             tx->reason);
    r = put_arc(tx, want == AC_TC ? ARC_UNABLE_APPROVED : ARC_UNABLE_DECLINED);
    return r == TP_OK ? finish(tx, want, why) : r;
}

/* A TC whose XDA failed: the issuer decides, and no second GENERATE AC follows (Book 4,
 * 6.3.2.2.4). */
static enum tp_err online_with_tc(struct transaction *tx)
{
    enum tp_err r = ask(tx);

    if (r != TP_OK)
        return r;
    if (!tx->issuer.reached) {
        r = put_arc(tx, ARC_UNABLE_DECLINED);
        return r == TP_OK ? end_unsigned(tx) : r;
    }
    r = keep_answer(tx);
    if (r != TP_OK)
        return r;
    return tx->issuer_approved
               ? tx_end(tx, KERNEL_APPROVED, "approved")
               : tx_end(tx, KERNEL_DECLINED, "declined by the terminal: the issuer refuses");
}

/* The AAC that ends a first ARQC with a bad signature; declined too when the card does not give it.
 */
static enum tp_err refuse_signature(struct transaction *tx)
{
    const enum tp_err r = finish(tx, AC_AAC, "the card's signature is not right");

    return r == TX_ENDED && tx->outcome == KERNEL_TERMINATED ? end_unsigned(tx) : r;
}

/* XDA failed, before or with the first GENERATE AC that gave a TC or an ARQC: Book 4, 6.3.2.2.4. */
static enum tp_err go_on_unsigned(struct transaction *tx, enum ac_type got)
{
    char why[sizeof(tx->reason)];
    enum tp_err r;

    if (!action_denied(tx))
        return got == AC_ARQC ? online(tx) : online_with_tc(tx);
    snprintf(why, sizeof(why), "%s", tx->reason);
    r = put_arc(tx, ARC_OFFLINE_DECLINED);
    if (r != TP_OK)
        return r;
    return got == AC_ARQC ? finish(tx, AC_AAC, why)
                          : tx_end(tx, KERNEL_DECLINED, "declined by the terminal: %.200s", why);
}

enum tp_err step_complete(struct transaction *tx)
{
    char why[sizeof(tx->reason)];
    enum ac_type want, got;
    bool failed;
    enum tp_err r;

    tx->reason[0] = '\0';
    tx_step(tx, KERNEL_ACT);
    want = action_first(tx);
    snprintf(why, sizeof(why), "%s", want == AC_AAC ? tx->reason : "");
    if (want == AC_AAC &&
        oda_wants_cda(tx)) /* CDA was chosen but an AAC is not signed: Book 2, figure 3 */
        tvr_set(tx, TVR_ODA_NOT_PERFORMED);
    tx_step(tx, KERNEL_SIGN);
    r = generate_ac(tx, want, false, &got, &failed);
    if (r != TP_OK)
        return r;
    if (got != AC_AAC && xda_failed(tx))
        return go_on_unsigned(tx, got);
    if (got == AC_ARQC && !failed)
        return online(tx);
    r = put_arc(tx, got == AC_TC && !failed ? ARC_OFFLINE_APPROVED : ARC_OFFLINE_DECLINED);
    if (r != TP_OK)
        return r;
    if (got == AC_ARQC) /* Book 4, 6.3.2.1: not sent to the issuer, ended by an AAC */
        return refuse_signature(tx);
    return failed ? end_unsigned(tx) : end_by_card(tx, got, why);
}
