/* What a lesson tells of what was decided: how card and cardholder were proved, risk, actions,
 * cryptograms, the issuer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/emvbits.h"
#include "base/bcd.h"
#include "base/hex.h"
#include "crypto/capk.h"
#include "payer/lesson_priv.h"

/* ---- offline data authentication ---- */

static const char *methods(char out[48], bool sda, bool dda, bool cda, bool xda)
{
    snprintf(out, 48, "%s%s%s%s", sda ? "SDA " : "", dda ? "DDA " : "", cda ? "CDA " : "",
             xda ? "XDA " : "");
    if (out[0] == '\0')
        return _("none of the methods");
    out[strlen(out) - 1] = '\0';
    return out;
}

/* What was recorded of certificates stands behind the commands. */
static bool unknown_certificates(const struct making *m)
{
    return m->rerun.then.outcome[0] == '\0' && m->rerun.then.authentication[0] == '\0';
}

void lesson_lose(struct making *m, const char *why)
{
    m->lost = true;
    lesson_begin(m, N_("The rest of the trace"), "", why);
}

void lesson_method(struct making *m)
{
    const struct kernel_authentication *a = transaction_authentication(m->tx);
    const struct span aip = transaction_get(m->tx, TAG_AIP);
    const uint8_t card = aip.n == 2 ? aip.p[0] : 0,
                  terminal = m->result.terminal->kernel.capabilities[2];
    char of_card[48], of_terminal[48];

    if (m->method)
        return;
    m->method = true;
    lesson_says(m, "EMV 4.4 Book 3, 10.3",
                a->method == KERNEL_METHOD_NONE
                    ? N_("The card can do: %s (AIP, 82). The terminal can do: %s (9F33). They have "
                         "no method in common.")
                    : N_("The card can do: %s (AIP, 82). The terminal can do: %s (9F33). The "
                         "strongest in common is taken: %s."),
                methods(of_card, (card & AIP_SDA) != 0, (card & AIP_DDA) != 0,
                        (card & AIP_CDA) != 0, (card & AIP_XDA) != 0),
                methods(of_terminal, (terminal & CAP3_SDA) != 0, (terminal & CAP3_DDA) != 0,
                        (terminal & CAP3_CDA) != 0, (terminal & CAP3_XDA) != 0),
                kernel_method_name(a->method));
    if (a->method != KERNEL_METHOD_NONE && unknown_certificates(m))
        lesson_lose(
            m, N_("A trace says behind its last command what the card's certificates came to. This "
                  "one is cut off before, so that what the terminal notes and decides from here on "
                  "cannot be told; the commands are explained one by one."));
}

/* Where each method has its rules. */
struct clauses {
    const char *authority, *issuer, *card, *rest;
};

static const struct clauses *clauses_of(enum kernel_method method)
{
    static const struct clauses of_rsa = {N_("EMV 4.4 Book 2, 5.2 and 6.2"),
                                          N_("EMV 4.4 Book 2, 5.3 and 6.3"), "EMV 4.4 Book 2, 6.4",
                                          "EMV 4.4 Book 2, 6"},
                                of_sda = {N_("EMV 4.4 Book 2, 5.2 and 6.2"),
                                          N_("EMV 4.4 Book 2, 5.3 and 6.3"), NULL,
                                          "EMV 4.4 Book 2, 5"},
                                of_curve = {"EMV 4.4 Book 2, 12.2", "EMV 4.4 Book 2, 12.3",
                                            "EMV 4.4 Book 2, 12.4", "EMV 4.4 Book 2, 12"};

    return method == KERNEL_METHOD_XDA   ? &of_curve
           : method == KERNEL_METHOD_SDA ? &of_sda
                                         : &of_rsa;
}

static void tell_issuer(struct making *m, const struct kernel_authentication *a)
{
    const struct clauses *c = clauses_of(a->method);
    char rid[11];

    lesson_says(m, c->authority,
                a->authority_expired
                    ? N_("The authority's key is here: RID %s, index %02X, %zu bits; its date is "
                         "past, and it is used all the same.")
                    : N_("The authority's key is here: RID %s, index %02X, %zu bits."),
                hex_encode(rid, SPAN_OF(a->authority->rid)), a->authority->index,
                capk_bits(a->authority));
    lesson_says(m, c->issuer,
                a->method == KERNEL_METHOD_XDA
                    ? N_("The issuer's certificate (90) is right: signed with that key, it holds "
                         "the key of issuer %s, of %zu bits.")
                    : N_("The issuer's certificate (90) is right: opened by that key, it holds the "
                         "key of issuer %s, of %zu bits."),
                a->issuer, a->issuer_bits);
}

static void tell_rest(struct making *m, const struct kernel_authentication *a)
{
    if (a->failed_at != NULL && strcmp(a->failed_at, "signature") != 0)
        lesson_says(m, clauses_of(a->method)->rest,
                    a->method == KERNEL_METHOD_XDA && a->check != EMV_CHECK_NO_KEY
                        ? N_("%s failed at the %s: %s. The TVR says so after the first cryptogram "
                             "only.")
                        : N_("%s failed at the %s: %s."),
                    kernel_method_name(a->method), gettext(a->failed_at),
                    gettext(emv_check_text(a->check)));
    else if (a->method == KERNEL_METHOD_CDA)
        lesson_says(
            m, "EMV 4.4 Book 2, 6.6",
            "With CDA the card signs together with its cryptogram: the rest of it comes there.");
    else if (a->method == KERNEL_METHOD_XDA)
        lesson_says(m, "EMV 4.4 Book 2, 12.5",
                    "With XDA the card signs whatever it answers when it is asked for a "
                    "cryptogram: the rest of it comes there.");
}

void lesson_certificates(struct making *m)
{
    const struct kernel_authentication *a = transaction_authentication(m->tx);

    lesson_method(m);
    if (m->lost || m->certificates || a->method == KERNEL_METHOD_NONE)
        return;
    m->certificates = true;
    if (a->authority != NULL)
        tell_issuer(m, a);
    if (transaction_card_key(m->tx) != NULL || transaction_card_ec(m->tx) != NULL)
        lesson_says(m, clauses_of(a->method)->card,
                    m->rerun.masked
                        ? N_("The card's certificate (9F46) was right, as recorded then (its data "
                             "are masked): it holds the card's key, of %zu bits, and a hash over "
                             "the data that must not change.")
                        : N_("The card's certificate (9F46) is right: it holds the card's key, of "
                             "%zu bits, and a hash over the data that must not change."),
                    a->icc_bits);
    tell_rest(m, a);
}

void lesson_static(struct making *m)
{
    if (transaction_authentication(m->tx)->ok)
        lesson_says(m, "EMV 4.4 Book 2, 5.4",
                    m->rerun.masked
                        ? N_("The signed static data (93) were right, as recorded then (its data "
                             "are masked): the card's data are those that the issuer signed. A "
                             "copy of the card would have them, too.")
                        : N_("The signed static data (93) are right: the card's data are those "
                             "that the issuer signed. A copy of the card would have them, too."));
}

void lesson_signature(struct making *m, const char *clause)
{
    const struct kernel_authentication *a = transaction_authentication(m->tx);

    if (a->ok)
        lesson_says(m, clause,
                    "The card's signature (9F4B) is right: the card has the key that its "
                    "certificate names, and signed this payment's data.");
    else if (a->failed_at != NULL && strcmp(a->failed_at, "signature") == 0)
        lesson_says(m, clause, "The card's signature (9F4B) is not right: %s.",
                    gettext(emv_check_text(a->check)));
}

/* ---- cardholder verification ---- */

void lesson_rules(struct making *m)
{
    static const char *const words[] = {
        [KERNEL_CVM_CONDITION] = N_("its condition does not hold: on to the next"),
        [KERNEL_CVM_UNKNOWN] = N_("nobody here knows that method"),
        [KERNEL_CVM_UNSUPPORTED] = N_("this terminal does not do it"),
        [KERNEL_CVM_FAILED] = N_("it was not successful"),
        [KERNEL_CVM_OK] = N_("successful, and so the list is done")};
    const struct kernel_cvm *c;

    for (; (c = transaction_cvm_at(m->tx, m->rules)) != NULL; m->rules++) {
        const bool went_wrong = c->result != KERNEL_CVM_CONDITION && c->result != KERNEL_CVM_OK;

        lesson_says(m, N_("EMV 4.4 Book 3, 10.5 and C3"),
                    !went_wrong ? N_("Rule %zu of the CVM list (%02X%02X: %s; %s): %s.")
                    : (c->code & CVM_CODE) == CVM_FAIL
                        ? N_("Rule %zu of the CVM list (%02X%02X: %s; %s): %s, and fails the "
                             "verification.")
                    : (c->code & CVM_APPLY_NEXT) != 0
                        ? N_("Rule %zu of the CVM list (%02X%02X: %s; %s): %s; the issuer lets the "
                             "next rule be tried.")
                        : N_("Rule %zu of the CVM list (%02X%02X: %s; %s): %s; the issuer wants no "
                             "other tried."),
                    m->rules + 1, c->code, c->condition, gettext(emv_cvm_name(c->code)),
                    gettext(emv_cvm_condition_name(c->condition)), gettext(words[c->result]));
    }
}

void lesson_pin(struct making *m)
{
    const struct span list = transaction_get(m->tx, TAG_CVM_LIST);
    const size_t at = 8 + 2 * m->rules;

    if (at + 2 <= list.n)
        lesson_says(m, "EMV 4.4 Book 3, 10.5.1",
                    "Rule %zu of the CVM list (%02X%02X: %s; %s) is tried.", m->rules + 1,
                    list.p[at], list.p[at + 1], gettext(emv_cvm_name(list.p[at])),
                    gettext(emv_cvm_condition_name(list.p[at + 1])));
    lesson_message(m, "terminal", "cardholder", "asks for the PIN");
}

/* ---- risk, action, cryptograms ---- */

bool lesson_number(const struct making *m, const char *name, int64_t *out)
{
    const char *value = transcript_value(m->t, name);

    *out = value != NULL ? strtoll(value, NULL, 10) : 0;
    return value != NULL;
}

void lesson_risk_begins(struct making *m)
{
    const char *hot = transcript_value(m->t, "exception");
    const struct span floor = transaction_get(m->tx, TAG_FLOOR_LIMIT);
    char limit[LESSON_MONEY_MAX], before[LESSON_MONEY_MAX];
    uint64_t amount = 0;
    int64_t spent, n = 0;

    for (size_t i = 0; i < floor.n && i < 4; i++)
        n = n << 8 | floor.p[i];
    (void)!bcd_get(transaction_get(m->tx, TAG_AMOUNT), &amount);
    if (hot != NULL)
        lesson_says(m, "EMV 4.4 Book 4, 6.3.5",
                    strcmp(hot, "yes") == 0
                        ? N_("The card stands on the terminal's exception file.")
                        : N_("The card is not on the terminal's exception file."));
    (void)lesson_number(m, "spent", &spent);
    lesson_money(limit, m->tx, n);
    if (amount >= (uint64_t)n) /* no log is asked */
        lesson_says(m, "EMV 4.4 Book 3, 10.6.1", "The floor limit for this application is %s.",
                    limit);
    else if (spent > 0)
        lesson_says(m, "EMV 4.4 Book 3, 10.6.1",
                    "The floor limit for this application is %s; by the terminal's log the card "
                    "paid %s here before.",
                    limit, lesson_money(before, m->tx, spent));
    else
        lesson_says(m, "EMV 4.4 Book 3, 10.6.1",
                    "The floor limit for this application is %s; by the terminal's log the card "
                    "paid nothing here before.",
                    limit);
}

void lesson_risk_ends(struct making *m)
{
    const struct span tvr = transaction_get(m->tx, TAG_TVR);
    const bool limits = transaction_get(m->tx, TAG_LOWER_OFFLINE).n == 1 &&
                        transaction_get(m->tx, TAG_UPPER_OFFLINE).n == 1;

    if (tvr.n != 5)
        return;
    if (!tvr_has(tvr.p, TVR_FLOOR_LIMIT))
        lesson_says(m, "EMV 4.4 Book 3, 10.6.1", "The amount stays under the floor limit.");
    if (!tvr_has(tvr.p, TVR_RANDOM))
        lesson_says(m, "EMV 4.4 Book 3, 10.6.2", "Chance did not pick this payment.");
    if (!limits)
        lesson_says(
            m, "EMV 4.4 Book 3, 10.6.3",
            "The card has no limits (9F14, 9F23) for payments in a row: its counters are not "
            "looked at.");
    else if (!tvr_has(tvr.p, TVR_LOWER_LIMIT))
        lesson_says(m, "EMV 4.4 Book 3, 10.6.3", "The card's counters are within its limits.");
}

void lesson_restrictions_end(struct making *m)
{
    const struct span tvr = transaction_get(m->tx, TAG_TVR);

    if (tvr.n == 5 && !tvr_has(tvr.p, TVR_VERSIONS_DIFFER | TVR_EXPIRED | TVR_NOT_YET_EFFECTIVE |
                                          TVR_SERVICE_NOT_ALLOWED))
        lesson_says(
            m, "EMV 4.4 Book 3, 10.4",
            "Nothing here stands against the payment: the versions agree, the card is valid on "
            "that day, and its usage control allows it.");
}

static void matched(struct making *m, json_t *o, const uint8_t tvr[5], const uint8_t iac[5],
                    const uint8_t tac[5])
{
    for (unsigned i = 0; i < 5; i++)
        for (unsigned b = 8; b > 0; b--) {
            const uint8_t mask = (uint8_t)(1U << (b - 1));
            const char *name = emv_bit_name(EMV_BITMAP_TVR, i + 1, b);

            if ((tvr[i] & (iac[i] | tac[i]) & mask) != 0)
                lesson_line(m, o, "lines",
                            (iac[i] & tac[i] & mask) != 0
                                ? N_("byte %u bit %u, %s: by the issuer's code and the acquirer's")
                            : (iac[i] & mask) != 0
                                ? N_("byte %u bit %u, %s: by the issuer's code")
                                : N_("byte %u bit %u, %s: by the acquirer's code"),
                            i + 1, b, name != NULL ? gettext(name) : _("reserved"));
        }
}

void lesson_codes(void *ctx, const struct transaction *tx, enum kernel_codes which,
                  const uint8_t iac[5], const uint8_t tac[5])
{
    static const struct {
        const char *name, *hit, *missed;
    } words[] = {[KERNEL_DENIAL] = {N_("Denial"), N_("so the terminal declines"),
                                    N_("so nothing makes the terminal decline at once")},
                 [KERNEL_GO_ONLINE] = {N_("Online"), N_("so the terminal wants to ask the issuer"),
                                       N_("so the terminal would approve without asking")},
                 [KERNEL_DEFAULT] = {
                     N_("Default"), N_("so, as the issuer cannot be asked, the terminal declines"),
                     N_("so, though the issuer cannot be asked, the terminal would approve")}};
    struct making *m = ctx;
    const struct span tvr = transaction_get(tx, TAG_TVR);
    char of_card[11], of_terminal[11], noted[11];
    bool hit = false;

    if (m->lost || tvr.n != 5)
        return;
    for (unsigned i = 0; i < 5; i++)
        hit = hit || (tvr.p[i] & (iac[i] | tac[i])) != 0;
    matched(m,
            lesson_says(
                m, "EMV 4.4 Book 3, 10.7",
                hit ? N_("%s: the TVR is %s, the issuer's code (IAC) %s, the acquirer's (TAC) %s. "
                         "They have these bits in common, %s.")
                    : N_("%s: the TVR is %s, the issuer's code (IAC) %s, the acquirer's (TAC) %s. "
                         "They have no bit in common, %s."),
                gettext(words[which].name), hex_encode(noted, tvr),
                hex_encode(of_card, span_of(iac, 5)), hex_encode(of_terminal, span_of(tac, 5)),
                gettext(hit ? words[which].hit : words[which].missed)),
            tvr.p, iac, tac);
}

/* What the card answered to GENERATE AC. */
void lesson_cryptogram_given(struct making *m)
{
    static const char *const kinds[] = {[AC_AAC >> 6] = N_("an AAC"),
                                        [AC_TC >> 6] = N_("a TC"),
                                        [AC_ARQC >> 6] = N_("an ARQC"),
                                        [3] = N_("a cryptogram of a reserved type")};
    static const char *const means[] = {[AC_AAC >> 6] = N_("the card declines"),
                                        [AC_TC >> 6] = N_("the card approves"),
                                        [AC_ARQC >> 6] = N_("the issuer is to decide"),
                                        [3] = N_("the standard does not have that one")};
    const struct span cid = transaction_get(m->tx, TAG_CID);

    if (!m->asked || cid.n != 1)
        return;
    m->asked = false;
    lesson_says(m, N_("EMV 4.4 Book 3, 9.3 and 10.8"),
                "The card was asked for %s and answers with %s (9F27 = %02X): %s.",
                gettext(kinds[m->wanted >> 6]), gettext(kinds[cid.p[0] >> 6]), cid.p[0],
                gettext(means[cid.p[0] >> 6]));
    if ((cid.p[0] & AC_TYPE) == AC_AAC) /* CDA signs none, and of XDA nobody verifies it */
        return;
    if ((m->wanted & AC_CDA) != 0)
        lesson_signature(m, "EMV 4.4 Book 2, 6.6.2");
    else if ((m->wanted & AC_XDA) != 0)
        lesson_signature(m, "EMV 4.4 Book 2, 12.5.3");
}

/* ---- the issuer ---- */

void lesson_issuer(struct making *m)
{
    static const uint32_t tags[] = {TAG_ARC, TAG_AUTHORISATION_CODE, TAG_ISSUER_AUTH_DATA};
    const struct span arc = transaction_get(m->tx, TAG_ARC), aip = transaction_get(m->tx, TAG_AIP);

    m->answered = true;
    lesson_message(m, "issuer", "acquirer", "response code %.*s", (int)arc.n, (const char *)arc.p);
    lesson_message(m, "acquirer", "terminal", "response code %.*s", (int)arc.n,
                   (const char *)arc.p);
    lesson_data(m, tags, sizeof(tags) / sizeof(tags[0]));
    if (transaction_get(m->tx, TAG_ISSUER_AUTH_DATA).n == 0)
        lesson_says(
            m, "EMV 4.4 Book 3, 10.9",
            "The answer holds no Issuer Authentication Data (91): the card cannot verify that it "
            "comes from its issuer.");
    else if (aip.n == 2 && (aip.p[0] & AIP_ISSUER_AUTHENTICATION) == 0)
        lesson_says(
            m, "EMV 4.4 Book 3, 10.9",
            "The card has no EXTERNAL AUTHENTICATE (AIP byte 1 bit 3 is 0): it gets the Issuer "
            "Authentication Data with the second GENERATE AC, if its CDOL2 asks for them.");
}

void lesson_complete(struct making *m)
{
    static const uint32_t tags[] = {TAG_ARC};

    if (m->answered)
        return;
    lesson_message(m, "acquirer", "terminal", "no answer");
    lesson_says(
        m, "EMV 4.4 Book 3, 10.9; Book 4, A6",
        "The issuer could not be reached. The terminal decides, and gives the response code "
        "itself.");
    lesson_data(m, tags, sizeof(tags) / sizeof(tags[0]));
}
