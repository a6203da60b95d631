/* The words of a lesson: steps, commands, and what sets the bits of TVR and TSI. */
#include <stdio.h>
#include <string.h>

#include "apdu/apdu.h"
#include "apdu/emvbits.h"
#include "base/bcd.h"
#include "base/date.h"
#include "base/hex.h"
#include "base/money.h"
#include "payer/lesson_priv.h"

#define BOOK1 "EMV 4.4 Book 1, "
#define BOOK2 "EMV 4.4 Book 2, "
#define BOOK3 "EMV 4.4 Book 3, "
#define BOOK4 "EMV 4.4 Book 4, "

/* ---- steps ---- */

const struct lesson_step *lesson_step(enum kernel_step step)
{
    static const struct lesson_step steps[] = {
        [KERNEL_SELECT] =
            {N_("Application selection: the candidates"), BOOK1 "12.3",
             N_("The terminal finds out which applications of the card it takes, too: "
                "from the card's directory (PSE), or else by asking for each name that "
                "it knows.")},
        [KERNEL_CHOOSE] = {N_("Application selection: the choice"), BOOK1 "12.4",
                           N_("One candidate is selected: by the cardholder, or by the order of "
                              "priority that the issuer gave them.")},
        [KERNEL_INITIATE] =
            {N_("Initiate application processing"), BOOK3 "10.1",
             N_("The terminal tells the application that a transaction begins, with "
                "the data it wants to know first (PDOL). The card says what it can do "
                "(AIP) and where its data stand (AFL).")},
        [KERNEL_READ] =
            {N_("Read application data"), BOOK3 "10.2",
             N_("The terminal reads the records that the AFL names: card number, dates, "
                "certificates, the lists by which card and terminal go on.")},
        [KERNEL_AUTHENTICATE] =
            {N_("Offline data authentication"), BOOK3 "10.3",
             N_("The terminal makes sure, without asking anybody, that the issuer "
                "made this card's data, and with DDA, CDA and XDA that the card is no "
                "copy: a chain of certificates leads from a key that the terminal "
                "has to the card.")},
        [KERNEL_RESTRICT] =
            {N_("Processing restrictions"), BOOK3 "10.4",
             N_("The terminal compares versions, dates, and what the card may be used "
                "for, with what is done here.")},
        [KERNEL_VERIFY] = {N_("Cardholder verification"), BOOK3 "10.5",
                           N_("Is this the person to whom the card was given? The issuer's list of "
                              "methods (CVM list) is walked in its order, until one succeeds or "
                              "ends it.")},
        [KERNEL_PIN] = {NULL, NULL, NULL},
        [KERNEL_RISK] = {N_("Terminal risk management"), BOOK3 "10.6",
                         N_("The terminal looks for what makes a payment without the issuer's word "
                            "risky: high amounts, too many in a row; and picks some at random.")},
        [KERNEL_ACT] =
            {N_("Terminal action analysis"), BOOK3 "10.7",
             N_("The terminal holds what it noted (TVR) against what issuer (IAC, in the "
                "card) and acquirer (TAC, in the terminal) want done about each bit: "
                "decline, ask the issuer, or neither.")},
        [KERNEL_SIGN] = {N_("Card action analysis: the first cryptogram"), BOOK3 "10.8",
                         N_("The terminal asks the card for a cryptogram. The card may answer with "
                            "less than it was asked for, never with more: TC (approved), ARQC (ask "
                            "the issuer), AAC (declined).")},
        [KERNEL_ONLINE] =
            {N_("Online processing"), BOOK3 "10.9",
             N_("The card's cryptogram goes to the issuer, which alone can verify it, "
                "and which decides.")},
        [KERNEL_ISSUER] =
            {N_("The issuer's answer"), BOOK3 "10.9",
             N_("The terminal gives the card what proves that its issuer answered, if "
                "the card can hear it here.")},
        [KERNEL_SCRIPT] =
            {N_("Issuer-to-card script"), BOOK3 "10.10",
             N_("Commands that the issuer sends its card, and that the terminal passes "
                "on without knowing what they do.")},
        [KERNEL_COMPLETE] =
            {N_("Completion: the second cryptogram"), BOOK3 "10.11",
             N_("The terminal tells the card how it ended, and the card has the last "
                "word: TC or AAC.")},
    };

    return &steps[step];
}

/* ---- commands ---- */

/* In English, as are those below. */
static const char *of_select(enum kernel_step step, struct span command)
{
    static const char pse[] = "1PAY.SYS.DDF01";

    if (command.n >= 5 + sizeof(pse) - 1 && memcmp(command.p + 5, pse, sizeof(pse) - 1) == 0)
        return N_("opens the card's directory of payment applications (PSE)");
    return step == KERNEL_SELECT
               ? N_("asks whether the card has an application whose name is this, or begins so")
               : N_("selects the application; the answer says what it is called and what it wants "
                    "to know (PDOL)");
}

static const char *of_get_data(struct span command)
{
    const uint32_t tag = (uint32_t)command.p[2] << 8 | command.p[3];

    if (tag == TAG_PIN_TRIES)
        return N_("asks how many wrong PINs the card would still take");
    if (tag == TAG_ATC || tag == TAG_LAST_ONLINE_ATC)
        return N_("asks for a counter, to see how many payments were not online since the last "
                  "that was");
    return N_("asks for one data object that stands in no record");
}

static const char *of_generate_ac(struct span command)
{
    switch (command.p[2] & AC_TYPE) {
    case AC_TC:
        return N_("asks the card for a TC: the terminal would approve");
    case AC_ARQC:
        return N_("asks the card for an ARQC: the terminal wants to ask the issuer");
    default:
        return N_("asks the card for an AAC: the terminal declines");
    }
}

static const char *purpose(enum kernel_step step, struct span command)
{
    if (command.n < 4)
        return NULL;
    if (command.p[1] == INS_GET_RESPONSE)
        return N_("fetches the answer that the card announced (protocol T=0)");
    if (step == KERNEL_SCRIPT)
        return N_("is a command of the issuer's script, passed on as it came");
    switch (command.p[1]) {
    case INS_SELECT:
        return of_select(step, command);
    case INS_READ_RECORD:
        return step == KERNEL_SELECT ? N_("reads an entry of the directory")
                                     : N_("reads a record that the AFL names");
    case INS_GET_PROCESSING_OPTIONS:
        return N_("begins the transaction, with the data that the PDOL asks for");
    case INS_INTERNAL_AUTHENTICATE:
        return N_("has the card sign a number that nobody could predict, which a copy cannot");
    case INS_GET_DATA:
        return of_get_data(command);
    case INS_GET_CHALLENGE:
        return N_("asks for a random number, which makes each enciphered PIN another");
    case INS_VERIFY:
        return N_("has the card compare the PIN");
    case INS_GENERATE_AC:
        return of_generate_ac(command);
    case INS_EXTERNAL_AUTHENTICATE:
        return N_("gives the card what its issuer computed, which proves that the issuer answered");
    default:
        return NULL;
    }
}

const char *lesson_purpose(enum kernel_step step, struct span command)
{
    const char *text = purpose(step, command);

    return text != NULL ? gettext(text) : NULL;
}

/* ---- bits ---- */

const char *lesson_cryptogram(uint8_t bits)
{
    switch (bits & AC_TYPE) {
    case AC_TC:
        return "TC";
    case AC_ARQC:
        return "ARQC";
    case AC_AAC:
        return "AAC";
    default:
        return _("cryptogram of a reserved type");
    }
}

char *lesson_money(char out[LESSON_MONEY_MAX], const struct transaction *tx, int64_t minor)
{
    char text[MONEY_TEXT_MAX];
    uint64_t currency = 0;

    if (bcd_get(transaction_get(tx, TAG_TX_CURRENCY), &currency) != TP_OK)
        currency = 0;
    snprintf(out, LESSON_MONEY_MAX, "%s %s", money_shown(text, minor, (unsigned)currency),
             currency_shown((unsigned)currency));
    return out;
}

static char *shown_date(char out[DATE_TEXT_MAX], const struct transaction *tx, uint32_t tag)
{
    int date = 0;

    if (date_from_yymmdd(&date, transaction_get(tx, tag)) != TP_OK)
        date = 0;
    return date_format(out, date);
}

static int64_t amount(const struct transaction *tx, uint32_t tag)
{
    uint64_t n = 0;

    return bcd_get(transaction_get(tx, tag), &n) == TP_OK ? (int64_t)n : 0;
}

static int64_t binary(const struct transaction *tx, uint32_t tag)
{
    const struct span v = transaction_get(tx, tag);
    int64_t n = 0;

    for (size_t i = 0; i < v.n && i < 4; i++)
        n = n << 8 | v.p[i];
    return n;
}

static void why_date(char *out, const struct transaction *tx, uint32_t tag)
{
    char limit[DATE_TEXT_MAX], today[DATE_TEXT_MAX];

    snprintf(out, LESSON_WHY_MAX,
             tag == TAG_EXPIRY
                 ? _("the payment is made on %s, and the card's application expired on %s")
                 : _("the payment is made on %s, and the card's application is good from %s"),
             shown_date(today, tx, TAG_TX_DATE), shown_date(limit, tx, tag));
}

static void why_versions(char *out, const struct transaction *tx)
{
    char card[2 * 4 + 1], terminal[2 * 4 + 1];
    const struct span a = transaction_get(tx, TAG_CARD_VERSION),
                      b = transaction_get(tx, TAG_TERMINAL_VERSION);

    snprintf(out, LESSON_WHY_MAX,
             _("the card's application is of version %s (9F08), this terminal's "
               "of version %s (9F09)"),
             a.n <= 4 ? hex_encode(card, a) : "?", b.n <= 4 ? hex_encode(terminal, b) : "?");
}

static void why_floor(char *out, const struct transaction *tx, int64_t spent)
{
    char paid[LESSON_MONEY_MAX], limit[LESSON_MONEY_MAX], before[LESSON_MONEY_MAX];
    const int64_t now = amount(tx, TAG_AMOUNT), floor = binary(tx, TAG_FLOOR_LIMIT);

    if (now < floor)
        snprintf(out, LESSON_WHY_MAX,
                 _("%s, with the %s that this card paid here before, reaches the "
                   "floor limit of %s"),
                 lesson_money(paid, tx, now), lesson_money(before, tx, spent),
                 lesson_money(limit, tx, floor));
    else
        snprintf(out, LESSON_WHY_MAX, _("%s reaches the floor limit of %s"),
                 lesson_money(paid, tx, now), lesson_money(limit, tx, floor));
}

static void why_velocity(char *out, const struct transaction *tx, uint32_t limit)
{
    const struct span counter = transaction_get(tx, TAG_ATC),
                      online = transaction_get(tx, TAG_LAST_ONLINE_ATC);
    const unsigned atc = (unsigned)binary(tx, TAG_ATC),
                   last = (unsigned)binary(tx, TAG_LAST_ONLINE_ATC);

    if (counter.n == 2 && online.n == 2 && atc > last)
        snprintf(out, LESSON_WHY_MAX,
                 limit == TAG_LOWER_OFFLINE
                     ? ngettext("%u payment was not online (ATC %u, last online %u), over the "
                                "card's lower limit of %u",
                                "%u payments in a row were not online (ATC %u, last online %u), "
                                "over the card's lower limit of %u",
                                atc - last)
                     : ngettext("%u payment was not online (ATC %u, last online %u), over the "
                                "card's upper limit of %u",
                                "%u payments in a row were not online (ATC %u, last online %u), "
                                "over the card's upper limit of %u",
                                atc - last),
                 atc - last, atc, last, (unsigned)binary(tx, limit));
    else
        snprintf(out, LESSON_WHY_MAX, "%s",
                 _("the card's counters (9F36, 9F13) are missing, or make no sense, which counts "
                   "as exceeded"));
}

static void why_failed(char *out, const struct transaction *tx)
{
    const struct kernel_authentication *a = transaction_authentication(tx);

    snprintf(out, LESSON_WHY_MAX, _("the %s failed: %s"),
             a->failed_at != NULL ? gettext(a->failed_at) : _("authentication"),
             gettext(emv_check_text(a->check)));
}

static void why_not_performed(char *out, const struct transaction *tx)
{
    snprintf(out, LESSON_WHY_MAX, "%s",
             transaction_authentication(tx)->method == KERNEL_METHOD_NONE
                 ? _("card and terminal have no method in common")
                 : _("CDA was chosen, but the terminal declines, and an AAC is not signed"));
}

static void why_missing(char *out, const struct transaction *tx)
{
    const bool authentication = transaction_authentication(tx)->check == EMV_CHECK_DATA_MISSING;

    snprintf(out, LESSON_WHY_MAX, "%s",
             authentication ? _("a data object that the authentication needs is not on the card")
             : transaction_get(tx, TAG_CVM_LIST).n <= 8
                 ? _("the card says that it verifies cardholders, and has no CVM list")
                 : _("the card does not give the counters that its limits are about"));
}

/* Those for which one sentence does. The clause is that of the rule; the names of the bits are Book
 * 3, Annexes C5 and C6. */
static const struct {
    uint32_t tag;
    unsigned bit;
    const char *clause, *why;
} bits[] = {
    {TAG_TVR, TVR_ODA_NOT_PERFORMED, BOOK3 "10.3", NULL},
    {TAG_TVR, TVR_SDA_FAILED, BOOK2 "5.4", NULL},
    {TAG_TVR, TVR_DDA_FAILED, BOOK2 "6.5.2", NULL},
    {TAG_TVR, TVR_CDA_FAILED, BOOK2 "6.6.2", NULL},
    {TAG_TVR, TVR_ICC_DATA_MISSING, BOOK3 "7.5", NULL},
    {TAG_TVR, TVR_EXCEPTION_FILE, BOOK4 "6.3.5",
     N_("the card stands on the terminal's list of cards that are not to be taken")},
    {TAG_TVR, TVR_SDA_SELECTED, BOOK3 "10.3",
     N_("of the methods that card and terminal have in common SDA is the strongest")},
    {TAG_TVR, TVR_XDA_SELECTED, BOOK3 "10.3",
     N_("of the methods that card and terminal have in common XDA is the strongest")},
    {TAG_TVR, TVR_CA_ECC_KEY_MISSING, BOOK2 "12.2",
     N_("the terminal has no key on a curve under the card's RID and index (8F)")},
    {TAG_TVR, TVR_ECC_KEY_RECOVERY_FAILED, BOOK4 "6.3.2.2", NULL},
    {TAG_TVR, TVR_XDA_SIGNATURE_FAILED, BOOK2 "12.5.3", NULL},
    {TAG_TVR, TVR_VERSIONS_DIFFER, BOOK3 "10.4.1", NULL},
    {TAG_TVR, TVR_SERVICE_NOT_ALLOWED, BOOK3 "10.4.2",
     N_("the card's usage control (9F07) does not allow this kind of payment, at such a terminal, "
        "in this country")},
    {TAG_TVR, TVR_EXPIRED, BOOK3 "10.4.3", NULL},
    {TAG_TVR, TVR_NOT_YET_EFFECTIVE, BOOK3 "10.4.3", NULL},
    {TAG_TVR, TVR_NEW_CARD, BOOK3 "10.6.3",
     N_("the card was never online: its last online counter (9F13) is 0")},
    {TAG_TVR, TVR_CVM_FAILED, BOOK3 "10.5", N_("no method of the CVM list was successful")},
    {TAG_TVR, TVR_CVM_UNKNOWN, BOOK3 "10.5",
     N_("the CVM list has a method that nobody here knows")},
    {TAG_TVR, TVR_PIN_TRIES_EXCEEDED, BOOK3 "10.5.1",
     N_("the card takes no more PINs: none are left after those that were wrong")},
    {TAG_TVR, TVR_PIN_NO_PAD, BOOK3 "10.5.1",
     N_("the list asks for a PIN, and this terminal has nothing to take such a one with")},
    {TAG_TVR, TVR_PIN_NOT_ENTERED, BOOK3 "10.5.1", N_("the cardholder went on without a PIN")},
    {TAG_TVR, TVR_BIOMETRIC_TYPE, BOOK3 "10.5.6",
     N_("the list asks for a part of the body, and this terminal measures none")},
    {TAG_TVR, TVR_FLOOR_LIMIT, BOOK3 "10.6.1", NULL},
    {TAG_TVR, TVR_RANDOM, BOOK3 "10.6.2", N_("chance picked this payment")},
    {TAG_TVR, TVR_LOWER_LIMIT, BOOK3 "10.6.3", NULL},
    {TAG_TVR, TVR_UPPER_LIMIT, BOOK3 "10.6.3", NULL},
    {TAG_TVR, TVR_DEFAULT_TDOL, BOOK3 "9.2.2", N_("the card has no TDOL of its own")},
    {TAG_TVR, TVR_ISSUER_AUTHENTICATION_FAILED, BOOK3 "10.9",
     N_("the card did not answer 9000 to what its issuer computed")},
    {TAG_TVR, TVR_SCRIPT_FAILED_BEFORE, BOOK3 "10.10",
     N_("a script of template 71 was not done to its end")},
    {TAG_TVR, TVR_SCRIPT_FAILED_AFTER, BOOK3 "10.10",
     N_("a script of template 72 was not done to its end")},
    {TAG_TSI, TSI_ODA, BOOK3 "10.3", N_("the method was carried out, however it ended")},
    {TAG_TSI, TSI_CVM, BOOK3 "10.5", N_("the CVM list was walked, however it ended")},
    {TAG_TSI, TSI_CARD_RISK, BOOK3 "10.8", N_("the card answered GENERATE AC, and so judged")},
    {TAG_TSI, TSI_ISSUER_AUTHENTICATION, BOOK3 "10.9", N_("EXTERNAL AUTHENTICATE was sent")},
    {TAG_TSI, TSI_TERMINAL_RISK, BOOK3 "10.6", N_("all checks of this step were made")},
    {TAG_TSI, TSI_SCRIPT, BOOK3 "10.10", N_("the issuer sent a script")},
};

static void work_out(char *out, const struct transaction *tx, unsigned bit, int64_t spent)
{
    switch (bit) {
    case TVR_ODA_NOT_PERFORMED:
        why_not_performed(out, tx);
        break;
    case TVR_ICC_DATA_MISSING:
        why_missing(out, tx);
        break;
    case TVR_VERSIONS_DIFFER:
        why_versions(out, tx);
        break;
    case TVR_EXPIRED:
        why_date(out, tx, TAG_EXPIRY);
        break;
    case TVR_NOT_YET_EFFECTIVE:
        why_date(out, tx, TAG_EFFECTIVE);
        break;
    case TVR_FLOOR_LIMIT:
        why_floor(out, tx, spent);
        break;
    case TVR_LOWER_LIMIT:
        why_velocity(out, tx, TAG_LOWER_OFFLINE);
        break;
    case TVR_UPPER_LIMIT:
        why_velocity(out, tx, TAG_UPPER_OFFLINE);
        break;
    default:
        why_failed(out, tx);
        break;
    }
}

char *lesson_why(char out[LESSON_WHY_MAX], const char **clause, const struct transaction *tx,
                 uint32_t tag, unsigned bit, int64_t spent)
{
    size_t i = 0;

    out[0] = '\0';
    *clause = NULL;
    while (i < sizeof(bits) / sizeof(bits[0]) && (bits[i].tag != tag || bits[i].bit != bit))
        i++;
    if (i == sizeof(bits) / sizeof(bits[0]))
        return out;
    *clause = bits[i].clause;
    if (bits[i].why != NULL)
        snprintf(out, LESSON_WHY_MAX, "%s", gettext(bits[i].why));
    else
        work_out(out, tx, bit, spent);
    return out;
}

/* ---- trees ---- */

const char *lesson_text(const json_t *of, const char *member)
{
    const char *text = json_string_value(json_object_get(of, member));

    return text != NULL ? text : "";
}

char *lesson_value(char out[LESSON_VALUE_MAX], const json_t *object)
{
    const char *value = lesson_text(object, "value");

    snprintf(out, LESSON_VALUE_MAX, strlen(value) > 64 ? "%.64s..." : "%.68s", value);
    return out;
}
