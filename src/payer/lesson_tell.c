/* What a lesson tells of what was decided: how card and cardholder were proved, risk, actions,
 * cryptograms, the issuer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/emvbits.h"
#include "base/hex.h"
#include "crypto/capk.h"
#include "payer/lesson_priv.h"

/* ---- offline data authentication ---- */

static const char *methods(char out[48], bool sda, bool dda, bool cda, bool xda)
{
    snprintf(out, 48, "%s%s%s%s%s", sda ? "SDA " : "", dda ? "DDA " : "", cda ? "CDA " : "",
             xda ? "XDA " : "", sda || dda || cda || xda ? "" : "none ");
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
    lesson_begin(m, "The rest of the trace", "", why);
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
                "The card can do: %s (AIP, 82). The terminal can do: %s (9F33). %s%s.",
                methods(of_card, (card & AIP_SDA) != 0, (card & AIP_DDA) != 0,
                        (card & AIP_CDA) != 0, (card & AIP_XDA) != 0),
                methods(of_terminal, (terminal & CAP3_SDA) != 0, (terminal & CAP3_DDA) != 0,
                        (terminal & CAP3_CDA) != 0, (terminal & CAP3_XDA) != 0),
                a->method == KERNEL_METHOD_NONE ? "They have no method in common"
                                                : "The strongest in common is taken: ",
                a->method == KERNEL_METHOD_NONE ? "" : kernel_method_name(a->method));
    if (a->method != KERNEL_METHOD_NONE && unknown_certificates(m))
        lesson_lose(
            m, "A trace says behind its last command what the card's certificates came to. This "
               "one is cut off before, so that what the terminal notes and decides from here on "
               "cannot be told; the commands are explained one by one.");
}

/* Where each method has its rules. */
struct clauses {
    const char *authority, *issuer, *card, *rest;
};

static const struct clauses *clauses_of(enum kernel_method method)
{
    static const struct clauses of_rsa = {"EMV 4.4 Book 2, 5.2 and 6.2",
                                          "EMV 4.4 Book 2, 5.3 and 6.3", "EMV 4.4 Book 2, 6.4",
                                          "EMV 4.4 Book 2, 6"},
                                of_sda = {"EMV 4.4 Book 2, 5.2 and 6.2",
                                          "EMV 4.4 Book 2, 5.3 and 6.3", NULL, "EMV 4.4 Book 2, 5"},
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

    lesson_says(m, c->authority, "The authority's key is here: RID %s, index %02X, %zu bits%s.",
                hex_encode(rid, SPAN_OF(a->authority->rid)), a->authority->index,
                capk_bits(a->authority),
                a->authority_expired ? "; its date is past, and it is used all the same" : "");
    lesson_says(m, c->issuer,
                "The issuer's certificate (90) is right: %s that key, it holds the key of issuer "
                "%s, of %zu bits.",
                a->method == KERNEL_METHOD_XDA ? "signed with" : "opened by", a->issuer,
                a->issuer_bits);
}

static void tell_rest(struct making *m, const struct kernel_authentication *a)
{
    if (a->failed_at != NULL && strcmp(a->failed_at, "signature") != 0)
        lesson_says(m, clauses_of(a->method)->rest, "%s failed at the %s: %s.%s",
                    kernel_method_name(a->method), a->failed_at, emv_check_text(a->check),
                    a->method == KERNEL_METHOD_XDA && a->check != EMV_CHECK_NO_KEY
                        ? " The TVR says so after the first cryptogram only."
                        : "");
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
                    "The card's certificate (9F46) %s: it holds the card's key, of %zu bits, and a "
                    "hash over the data that must not change.",
                    m->rerun.masked ? "was right, as recorded then (its data are masked)"
                                    : "is right",
                    a->icc_bits);
    tell_rest(m, a);
}

void lesson_static(struct making *m)
{
    if (transaction_authentication(m->tx)->ok)
        lesson_says(
            m, "EMV 4.4 Book 2, 5.4",
            "The signed static data (93) %s: the card's data are those that the issuer signed. A "
            "copy of the card would have them, too.",
            m->rerun.masked ? "were right, as recorded then (its data are masked)" : "are right");
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
                    emv_check_text(a->check));
}

/* ---- cardholder verification ---- */

static const char *rule_name(char out[160], uint8_t code, uint8_t condition)
{
    snprintf(out, 160, "%s; %s", emv_cvm_name(code), emv_cvm_condition_name(condition));
    return out;
}

void lesson_rules(struct making *m)
{
    static const char *const words[] = {[KERNEL_CVM_CONDITION] =
                                            "its condition does not hold: on to the next",
                                        [KERNEL_CVM_UNKNOWN] = "nobody here knows that method",
                                        [KERNEL_CVM_UNSUPPORTED] = "this terminal does not do it",
                                        [KERNEL_CVM_FAILED] = "it was not successful",
                                        [KERNEL_CVM_OK] = "successful, and so the list is done"};
    const struct kernel_cvm *c;
    char name[160];

    for (; (c = transaction_cvm_at(m->tx, m->rules)) != NULL; m->rules++) {
        const bool went_wrong = c->result != KERNEL_CVM_CONDITION && c->result != KERNEL_CVM_OK;

        lesson_says(m, "EMV 4.4 Book 3, 10.5 and C3",
                    "Rule %zu of the CVM list (%02X%02X: %s): %s%s.", m->rules + 1, c->code,
                    c->condition, rule_name(name, c->code, c->condition), words[c->result],
                    !went_wrong                        ? ""
                    : (c->code & CVM_CODE) == CVM_FAIL ? ", and fails the verification"
                    : (c->code & CVM_APPLY_NEXT) != 0  ? "; the issuer lets the next rule be tried"
                                                       : "; the issuer wants no other tried");
    }
}

void lesson_pin(struct making *m)
{
    const struct span list = transaction_get(m->tx, TAG_CVM_LIST);
    const size_t at = 8 + 2 * m->rules;
    char name[160];

    if (at + 2 <= list.n)
        lesson_says(m, "EMV 4.4 Book 3, 10.5.1",
                    "Rule %zu of the CVM list (%02X%02X: %s) is tried.", m->rules + 1, list.p[at],
                    list.p[at + 1], rule_name(name, list.p[at], list.p[at + 1]));
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
    int64_t spent, n = 0;

    for (size_t i = 0; i < floor.n && i < 4; i++)
        n = n << 8 | floor.p[i];
    if (hot != NULL)
        lesson_says(m, "EMV 4.4 Book 4, 6.3.5", "The card stands %s the terminal's exception file.",
                    strcmp(hot, "yes") == 0 ? "on" : "not on");
    (void)lesson_number(m, "spent", &spent);
    lesson_says(
        m, "EMV 4.4 Book 3, 10.6.1",
        "The floor limit for this application is %s; by the terminal's log the card paid %s here "
        "before.",
        lesson_money(limit, m->tx, n), spent > 0 ? lesson_money(before, m->tx, spent) : "nothing");
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
                lesson_line(m, o, "lines", "byte %u bit %u, %s: by the %s", i + 1, b,
                            name != NULL ? name : "reserved",
                            (iac[i] & tac[i] & mask) != 0 ? "issuer's code and the acquirer's"
                            : (iac[i] & mask) != 0        ? "issuer's code"
                                                          : "acquirer's code");
        }
}

void lesson_codes(void *ctx, const struct transaction *tx, enum kernel_codes which,
                  const uint8_t iac[5], const uint8_t tac[5])
{
    static const struct {
        const char *name, *hit, *missed;
    } words[] = {
        [KERNEL_DENIAL] = {"Denial", "so the terminal declines",
                           "so nothing makes the terminal decline at once"},
        [KERNEL_GO_ONLINE] = {"Online", "so the terminal wants to ask the issuer",
                              "so the terminal would approve without asking"},
        [KERNEL_DEFAULT] = {"Default", "so, as the issuer cannot be asked, the terminal declines",
                            "so, though the issuer cannot be asked, the terminal would approve"}};
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
                "%s: the TVR is %s, the issuer's code (IAC) %s, the acquirer's (TAC) %s. They have "
                "%s in common, %s.",
                words[which].name, hex_encode(noted, tvr), hex_encode(of_card, span_of(iac, 5)),
                hex_encode(of_terminal, span_of(tac, 5)), hit ? "these bits" : "no bit",
                hit ? words[which].hit : words[which].missed),
            tvr.p, iac, tac);
}

/* What the card answered to GENERATE AC. */
void lesson_cryptogram_given(struct making *m)
{
    static const char *const means[] = {[AC_AAC >> 6] = "the card declines",
                                        [AC_TC >> 6] = "the card approves",
                                        [AC_ARQC >> 6] = "the issuer is to decide",
                                        [3] = "which the standard does not have"};
    const struct span cid = transaction_get(m->tx, TAG_CID);

    if (!m->asked || cid.n != 1)
        return;
    m->asked = false;
    lesson_says(m, "EMV 4.4 Book 3, 9.3 and 10.8",
                "The card was asked for a%s %s and answers with a%s %s (9F27 = %02X): %s.",
                (m->wanted & AC_TYPE) == AC_TC ? "" : "n", lesson_cryptogram(m->wanted),
                (cid.p[0] & AC_TYPE) == AC_TC ? "" : "n", lesson_cryptogram(cid.p[0]), cid.p[0],
                means[cid.p[0] >> 6]);
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
