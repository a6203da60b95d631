#include "payer/lesson.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/apdu.h"
#include "apdu/emvbits.h"
#include "base/bcd.h"
#include "base/hex.h"
#include "base/money.h"
#include "base/word.h"
#include "decode/decode.h"
#include "payer/lesson_priv.h"
#include "payer/rerun.h"

#define SENTENCE_MAX 600

struct making {
    const struct transcript *t;
    struct decode d;
    struct names *names;
    struct pay_result result;
    struct rerun rerun;
    const struct transaction *tx; /* as far as it has come; NULL: not begun */
    enum kernel_step step;
    json_t *steps, *items;                      /* items: of the step under way */
    unsigned line;                              /* of the last command told */
    uint8_t currency[5];                        /* 5F2A, for decoding amounts */
    bool lost;                                  /* what was decided cannot be told from here on */
    bool method, certificates, asked, answered; /* told */
    uint8_t wanted;                             /* P1 of the last GENERATE AC; asked: not told */
    size_t rules;                               /* of the CVM list, told */
    bool failed;                                /* no memory */
};

/* ---- items ---- */

static void append(struct making *m, json_t *list, json_t *item)
{
    if (json_array_append_new(list, item) != 0)
        m->failed = true;
}

static void set(struct making *m, json_t *of, const char *member, json_t *value)
{
    if (json_object_set_new(of, member, value) != 0)
        m->failed = true;
}

/* A member that is a text; NULL or "": left out. */
static void set_text(struct making *m, json_t *of, const char *member, const char *text)
{
    if (text != NULL && text[0] != '\0')
        set(m, of, member, json_string(text));
}

static json_t *item(struct making *m, const char *kind)
{
    json_t *o = json_pack("{s:s}", "kind", kind);

    append(m, m->items, o);
    return o;
}

static json_t *sentence(const char *format, va_list args)
{
    char text[SENTENCE_MAX];

    vsnprintf(text, sizeof(text), format, args);
    word_make_shown(text); /* names of card and trace are among it */
    return json_string(text);
}

static json_t *says(struct making *m, const char *clause, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static json_t *says(struct making *m, const char *clause, const char *format, ...)
{
    json_t *o = item(m, "says");
    va_list args;

    va_start(args, format);
    set(m, o, "text", sentence(format, args));
    va_end(args);
    set_text(m, o, "clause", clause);
    return o;
}

/* One more sentence of that list. */
static void line(struct making *m, json_t *of, const char *member, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void line(struct making *m, json_t *of, const char *member, const char *format, ...)
{
    va_list args;

    if (json_object_get(of, member) == NULL)
        set(m, of, member, json_array());
    va_start(args, format);
    append(m, json_object_get(of, member), sentence(format, args));
    va_end(args);
}

static void message(struct making *m, const char *from, const char *to, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void message(struct making *m, const char *from, const char *to, const char *format, ...)
{
    json_t *o = item(m, "message");
    va_list args;

    set(m, o, "from", json_string(from));
    set(m, o, "to", json_string(to));
    va_start(args, format);
    set(m, o, "text", sentence(format, args));
    va_end(args);
}

static void begin(struct making *m, const char *title, const char *clause, const char *purpose)
{
    json_t *o = json_pack("{s:s, s:s, s:[]}", "title", title, "purpose", purpose, "items");

    append(m, m->steps, o);
    set_text(m, o, "clause", clause);
    m->items = json_object_get(o, "items");
}

/* Data of the transaction, decoded. */
static void data(struct making *m, const uint32_t *tags, size_t n)
{
    json_t *all = json_array(), *objects, *o;

    for (size_t i = 0; i < n; i++) {
        const struct span v = transaction_get(m->tx, tags[i]);

        if (v.n == 0)
            continue;
        if (decode_value(&objects, &m->d, tags[i], v, NULL) == TP_ERR_NO_MEMORY ||
            json_array_extend(all, objects) != 0)
            m->failed = true;
        json_decref(objects);
    }
    if (json_array_size(all) == 0) {
        json_decref(all);
        return;
    }
    o = item(m, "data");
    set(m, o, "objects", all);
}

/* ---- commands ---- */

/* Words about a value of which half is not known would be about another. */
static void silence_masked(json_t *objects)
{
    json_t *o;
    size_t i;

    json_array_foreach(objects, i, o)
    {
        const char *tag = lesson_text(o, "tag");

        if (strcmp(tag, "C-APDU") != 0 && strcmp(tag, "R-APDU") != 0 &&
            strchr(lesson_text(o, "value"), '*') != NULL) {
            json_object_del(o, "means");
            json_object_del(o, "objects");
        }
        silence_masked(json_object_get(o, "objects"));
    }
}

/* The kind of cryptogram that an answer holds; NULL: none. */
static const char *given(const json_t *objects)
{
    const char *found = NULL;
    const json_t *o;
    size_t i;

    json_array_foreach(objects, i, o)
    {
        if (strcmp(lesson_text(o, "tag"), "9F27") == 0)
            found = lesson_cryptogram((uint8_t)strtoul(lesson_text(o, "value"), NULL, 16));
        if (found == NULL)
            found = given(json_object_get(o, "objects"));
    }
    return found;
}

static void command(struct making *m, const struct transcript_exchange *x)
{
    const struct span sent = masked_filled(&x->command), got = masked_filled(&x->answer);
    json_t *objects = NULL, *o = item(m, "command");
    char status[5] = "";

    if (decode_exchange(&objects, &m->d, sent, got.n > 0 ? got : span_of(NULL, 0), NULL) ==
        TP_ERR_NO_MEMORY) {
        m->failed = true;
        return;
    }
    silence_masked(objects);
    if (got.n >= 2)
        snprintf(status, sizeof(status), "%02X%02X", got.p[got.n - 2], got.p[got.n - 1]);
    set_text(m, o, "name", lesson_text(json_array_get(objects, 0), "name"));
    set_text(m, o, "clause", lesson_text(json_array_get(objects, 0), "clause"));
    set_text(m, o, "purpose", lesson_purpose(m->step, sent));
    set_text(m, o, "status", status);
    if (x->command.value[1] == INS_GENERATE_AC)
        set_text(m, o, "wanted", lesson_cryptogram(x->command.value[2]));
    set_text(m, o, "given", given(objects));
    set(m, o, "line", json_integer(x->line));
    set(m, o, "objects", objects);
    m->line = x->line;
}

/* ---- offline data authentication ---- */

static const char *methods(char out[48], bool sda, bool dda, bool cda)
{
    snprintf(out, 48, "%s%s%s%s", sda ? "SDA " : "", dda ? "DDA " : "", cda ? "CDA " : "",
             sda || dda || cda ? "" : "none ");
    out[strlen(out) - 1] = '\0';
    return out;
}

/* What was recorded of certificates stands behind the commands. */
static bool unknown_certificates(const struct making *m)
{
    return m->rerun.then.outcome[0] == '\0' && m->rerun.then.authentication[0] == '\0';
}

static void lose(struct making *m, const char *why)
{
    m->lost = true;
    begin(m, "The rest of the trace", "", why);
}

static void tell_method(struct making *m)
{
    const struct kernel_authentication *a = transaction_authentication(m->tx);
    const struct span aip = transaction_get(m->tx, TAG_AIP);
    const uint8_t card = aip.n == 2 ? aip.p[0] : 0,
                  terminal = m->result.terminal->kernel.capabilities[2];
    char of_card[48], of_terminal[48];

    if (m->method)
        return;
    m->method = true;
    says(m, "EMV 4.4 Book 3, 10.3",
         "The card can do: %s (AIP, 82). The terminal can do: %s (9F33). %s%s.",
         methods(of_card, (card & AIP_SDA) != 0, (card & AIP_DDA) != 0, (card & AIP_CDA) != 0),
         methods(of_terminal, (terminal & CAP3_SDA) != 0, (terminal & CAP3_DDA) != 0,
                 (terminal & CAP3_CDA) != 0),
         a->method == KERNEL_METHOD_NONE ? "They have no method in common"
                                         : "The strongest in common is taken: ",
         a->method == KERNEL_METHOD_NONE ? "" : kernel_method_name(a->method));
    if (a->method != KERNEL_METHOD_NONE && unknown_certificates(m))
        lose(m, "A trace says behind its last command what the card's certificates came to. This "
                "one is cut off before, so that what the terminal notes and decides from here on "
                "cannot be told; the commands are explained one by one.");
}

static void tell_issuer(struct making *m, const struct kernel_authentication *a)
{
    char rid[11];

    says(m, "EMV 4.4 Book 2, 5.2 and 6.2",
         "The authority's key is here: RID %s, index %02X, %zu bits%s.",
         hex_encode(rid, SPAN_OF(a->authority->rid)), a->authority->index,
         8 * emv_pubkey_size(a->authority->key),
         a->authority_expired ? "; its date is past, and it is used all the same" : "");
    says(m, "EMV 4.4 Book 2, 5.3 and 6.3",
         "The issuer's certificate (90) is right: opened by that key, it holds the key of issuer "
         "%s, "
         "of %zu bits.",
         a->issuer, a->issuer_bits);
}

/* The chain down to what failed, or to the card. */
static void tell_certificates(struct making *m)
{
    const struct kernel_authentication *a = transaction_authentication(m->tx);

    tell_method(m);
    if (m->lost || m->certificates || a->method == KERNEL_METHOD_NONE)
        return;
    m->certificates = true;
    if (a->authority != NULL)
        tell_issuer(m, a);
    if (transaction_card_key(m->tx) != NULL)
        says(m, "EMV 4.4 Book 2, 6.4",
             "The card's certificate (9F46) %s: it holds the card's key, of %zu bits, and a hash "
             "over the data that must not change.",
             m->rerun.masked ? "was right, as recorded then (its data are masked)" : "is right",
             a->icc_bits);
    if (a->failed_at != NULL && strcmp(a->failed_at, "signature") != 0)
        says(m, a->method == KERNEL_METHOD_SDA ? "EMV 4.4 Book 2, 5" : "EMV 4.4 Book 2, 6",
             "%s failed at the %s: %s.", kernel_method_name(a->method), a->failed_at,
             emv_check_text(a->check));
    else if (a->method == KERNEL_METHOD_CDA)
        says(m, "EMV 4.4 Book 2, 6.6",
             "With CDA the card signs together with its cryptogram: the rest of it comes there.");
}

static void tell_static(struct making *m)
{
    if (transaction_authentication(m->tx)->ok)
        says(m, "EMV 4.4 Book 2, 5.4",
             "The signed static data (93) %s: the card's data are those that the issuer signed. A "
             "copy of the card would have them, too.",
             m->rerun.masked ? "were right, as recorded then (its data are masked)" : "are right");
}

static void tell_signature(struct making *m, const char *clause)
{
    const struct kernel_authentication *a = transaction_authentication(m->tx);

    if (a->ok)
        says(m, clause,
             "The card's signature (9F4B) is right: the card has the key that its "
             "certificate names, and signed this payment's data.");
    else if (a->failed_at != NULL && strcmp(a->failed_at, "signature") == 0)
        says(m, clause, "The card's signature (9F4B) is not right: %s.", emv_check_text(a->check));
}

/* ---- cardholder verification ---- */

static const char *rule_name(char out[160], uint8_t code, uint8_t condition)
{
    snprintf(out, 160, "%s; %s", emv_cvm_name(code), emv_cvm_condition_name(condition));
    return out;
}

static void tell_rules(struct making *m)
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

        says(m, "EMV 4.4 Book 3, 10.5 and C3", "Rule %zu of the CVM list (%02X%02X: %s): %s%s.",
             m->rules + 1, c->code, c->condition, rule_name(name, c->code, c->condition),
             words[c->result],
             !went_wrong                        ? ""
             : (c->code & CVM_CODE) == CVM_FAIL ? ", and fails the verification"
             : (c->code & CVM_APPLY_NEXT) != 0  ? "; the issuer lets the next rule be tried"
                                                : "; the issuer wants no other tried");
    }
}

static void tell_pin(struct making *m)
{
    const struct span list = transaction_get(m->tx, TAG_CVM_LIST);
    const size_t at = 8 + 2 * m->rules;
    char name[160];

    if (at + 2 <= list.n)
        says(m, "EMV 4.4 Book 3, 10.5.1", "Rule %zu of the CVM list (%02X%02X: %s) is tried.",
             m->rules + 1, list.p[at], list.p[at + 1], rule_name(name, list.p[at], list.p[at + 1]));
    message(m, "terminal", "cardholder", "asks for the PIN");
}

/* ---- risk, action, cryptograms ---- */

static bool number(const struct making *m, const char *name, int64_t *out)
{
    const char *value = transcript_value(m->t, name);

    *out = value != NULL ? strtoll(value, NULL, 10) : 0;
    return value != NULL;
}

static void begin_risk(struct making *m)
{
    const char *hot = transcript_value(m->t, "exception");
    const struct span floor = transaction_get(m->tx, TAG_FLOOR_LIMIT);
    char limit[LESSON_MONEY_MAX], before[LESSON_MONEY_MAX];
    int64_t spent, n = 0;

    for (size_t i = 0; i < floor.n && i < 4; i++)
        n = n << 8 | floor.p[i];
    if (hot != NULL)
        says(m, "EMV 4.4 Book 4, 6.3.5", "The card stands %s the terminal's exception file.",
             strcmp(hot, "yes") == 0 ? "on" : "not on");
    (void)number(m, "spent", &spent);
    says(m, "EMV 4.4 Book 3, 10.6.1",
         "The floor limit for this application is %s; by the terminal's log the card paid %s here "
         "before.",
         lesson_money(limit, m->tx, n), spent > 0 ? lesson_money(before, m->tx, spent) : "nothing");
}

static void end_risk(struct making *m)
{
    const struct span tvr = transaction_get(m->tx, TAG_TVR);
    const bool limits = transaction_get(m->tx, TAG_LOWER_OFFLINE).n == 1 &&
                        transaction_get(m->tx, TAG_UPPER_OFFLINE).n == 1;

    if (tvr.n != 5)
        return;
    if (!tvr_has(tvr.p, TVR_FLOOR_LIMIT))
        says(m, "EMV 4.4 Book 3, 10.6.1", "The amount stays under the floor limit.");
    if (!tvr_has(tvr.p, TVR_RANDOM))
        says(m, "EMV 4.4 Book 3, 10.6.2", "Chance did not pick this payment.");
    if (!limits)
        says(m, "EMV 4.4 Book 3, 10.6.3",
             "The card has no limits (9F14, 9F23) for payments in a row: its counters are not "
             "looked at.");
    else if (!tvr_has(tvr.p, TVR_LOWER_LIMIT))
        says(m, "EMV 4.4 Book 3, 10.6.3", "The card's counters are within its limits.");
}

static void end_restrictions(struct making *m)
{
    const struct span tvr = transaction_get(m->tx, TAG_TVR);

    if (tvr.n == 5 && !tvr_has(tvr.p, TVR_VERSIONS_DIFFER | TVR_EXPIRED | TVR_NOT_YET_EFFECTIVE |
                                          TVR_SERVICE_NOT_ALLOWED))
        says(m, "EMV 4.4 Book 3, 10.4",
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
                line(m, o, "lines", "byte %u bit %u, %s: by the %s", i + 1, b,
                     name != NULL ? name : "reserved",
                     (iac[i] & tac[i] & mask) != 0 ? "issuer's code and the acquirer's"
                     : (iac[i] & mask) != 0        ? "issuer's code"
                                                   : "acquirer's code");
        }
}

static void on_codes(void *ctx, const struct transaction *tx, enum kernel_codes which,
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
    matched(
        m,
        says(m, "EMV 4.4 Book 3, 10.7",
             "%s: the TVR is %s, the issuer's code (IAC) %s, the acquirer's (TAC) %s. They have "
             "%s in common, %s.",
             words[which].name, hex_encode(noted, tvr), hex_encode(of_card, span_of(iac, 5)),
             hex_encode(of_terminal, span_of(tac, 5)), hit ? "these bits" : "no bit",
             hit ? words[which].hit : words[which].missed),
        tvr.p, iac, tac);
}

/* What the card answered to GENERATE AC. */
static void tell_cryptogram(struct making *m)
{
    static const char *const means[] = {[AC_AAC >> 6] = "the card declines",
                                        [AC_TC >> 6] = "the card approves",
                                        [AC_ARQC >> 6] = "the issuer is to decide",
                                        [3] = "which the standard does not have"};
    const struct span cid = transaction_get(m->tx, TAG_CID);

    if (!m->asked || cid.n != 1)
        return;
    m->asked = false;
    says(m, "EMV 4.4 Book 3, 9.3 and 10.8",
         "The card was asked for a%s %s and answers with a%s %s (9F27 = %02X): %s.",
         (m->wanted & AC_TYPE) == AC_TC ? "" : "n", lesson_cryptogram(m->wanted),
         (cid.p[0] & AC_TYPE) == AC_TC ? "" : "n", lesson_cryptogram(cid.p[0]), cid.p[0],
         means[cid.p[0] >> 6]);
    if ((m->wanted & AC_CDA) != 0)
        tell_signature(m, "EMV 4.4 Book 2, 6.6.2");
}

/* ---- the issuer ---- */

static void begin_issuer(struct making *m)
{
    static const uint32_t tags[] = {TAG_ARC, TAG_AUTHORISATION_CODE, TAG_ISSUER_AUTH_DATA};
    const struct span arc = transaction_get(m->tx, TAG_ARC), aip = transaction_get(m->tx, TAG_AIP);

    m->answered = true;
    message(m, "issuer", "acquirer", "response code %.*s", (int)arc.n, (const char *)arc.p);
    message(m, "acquirer", "terminal", "response code %.*s", (int)arc.n, (const char *)arc.p);
    data(m, tags, sizeof(tags) / sizeof(tags[0]));
    if (transaction_get(m->tx, TAG_ISSUER_AUTH_DATA).n == 0)
        says(m, "EMV 4.4 Book 3, 10.9",
             "The answer holds no Issuer Authentication Data (91): the card cannot verify that it "
             "comes from its issuer.");
    else if (aip.n == 2 && (aip.p[0] & AIP_ISSUER_AUTHENTICATION) == 0)
        says(m, "EMV 4.4 Book 3, 10.9",
             "The card has no EXTERNAL AUTHENTICATE (AIP byte 1 bit 3 is 0): it gets the Issuer "
             "Authentication Data with the second GENERATE AC, if its CDOL2 asks for them.");
}

static void begin_complete(struct making *m)
{
    static const uint32_t tags[] = {TAG_ARC};

    if (m->answered)
        return;
    message(m, "acquirer", "terminal", "no answer");
    says(m, "EMV 4.4 Book 3, 10.9; Book 4, A6",
         "The issuer could not be reached. The terminal decides, and gives the response code "
         "itself.");
    data(m, tags, sizeof(tags) / sizeof(tags[0]));
}

/* ---- steps ---- */

static void end_select(struct making *m)
{
    const struct candidate *c = transaction_candidate_at(m->tx, 0);
    char aid[33];
    json_t *o;

    if (c == NULL) {
        says(m, "EMV 4.4 Book 1, 12.4", "There is no application that both have.");
        return;
    }
    o = says(m, "EMV 4.4 Book 1, 12.4", "Both have these, in the order of the issuer's priority:");
    for (size_t i = 0; (c = transaction_candidate_at(m->tx, i)) != NULL; i++)
        line(m, o, "lines", "%s %s, priority %u%s", hex_encode(aid, span_of(c->aid, c->aid_n)),
             c->label, c->priority & 0x0F,
             (c->priority & 0x80) != 0 ? ", only with the cardholder's confirmation" : "");
}

static void end_choose(struct making *m)
{
    const struct candidate *c = transaction_application(m->tx);
    char aid[33];

    if (c != NULL)
        says(m, "EMV 4.4 Book 1, 12.4", "The application %s %s is selected.",
             hex_encode(aid, span_of(c->aid, c->aid_n)), c->label);
}

static void begin_verify(struct making *m)
{
    const struct span aip = transaction_get(m->tx, TAG_AIP);

    if (aip.n == 2 && (aip.p[0] & AIP_CVM) == 0)
        says(m, "EMV 4.4 Book 3, 10.5",
             "The card does no cardholder verification (AIP byte 1 bit 5 is 0): nothing is done.");
}

/* Before anything else is told. */
static void tell_pending(struct making *m)
{
    if (m->lost)
        return;
    tell_rules(m);
    if (m->step == KERNEL_AUTHENTICATE)
        tell_method(m);
}

/* The last words of the step that is over. */
static void leave(struct making *m)
{
    static const uint32_t cvm[] = {TAG_CVM_RESULTS}, scripts[] = {TAG_SCRIPT_RESULTS};

    tell_pending(m);
    if (m->lost || m->tx == NULL)
        return;
    switch (m->step) {
    case KERNEL_SELECT:
        end_select(m);
        break;
    case KERNEL_CHOOSE:
        end_choose(m);
        break;
    case KERNEL_AUTHENTICATE:
        tell_certificates(m);
        if (!m->lost && transaction_authentication(m->tx)->method == KERNEL_METHOD_SDA)
            tell_static(m);
        if (!m->lost && transaction_authentication(m->tx)->method == KERNEL_METHOD_DDA)
            tell_signature(m, "EMV 4.4 Book 2, 6.5.2");
        break;
    case KERNEL_RESTRICT:
        end_restrictions(m);
        break;
    case KERNEL_VERIFY:
        data(m, cvm, 1);
        break;
    case KERNEL_RISK:
        end_risk(m);
        break;
    case KERNEL_SIGN:
    case KERNEL_COMPLETE:
        tell_cryptogram(m);
        break;
    case KERNEL_SCRIPT:
        data(m, scripts, 1);
        break;
    default:
        break;
    }
}

static void first_words(struct making *m)
{
    switch (m->step) {
    case KERNEL_SELECT:
        m->d.keys = m->result.terminal->authorities;
        message(m, "cardholder", "terminal", "puts the card in");
        break;
    case KERNEL_INITIATE:
        m->d.rid = span_of(transaction_application(m->tx)->aid, 5);
        break;
    case KERNEL_VERIFY:
        begin_verify(m);
        break;
    case KERNEL_RISK:
        begin_risk(m);
        break;
    case KERNEL_ONLINE:
        message(m, "terminal", "acquirer", "asks, with the ARQC");
        message(m, "acquirer", "issuer", "passes it on");
        break;
    case KERNEL_ISSUER:
        begin_issuer(m);
        break;
    case KERNEL_COMPLETE:
        begin_complete(m);
        break;
    default:
        break;
    }
}

static void on_step(void *ctx, const struct transaction *tx, enum kernel_step step)
{
    struct making *m = ctx;
    const struct lesson_step *words = lesson_step(step);

    if (words->title == NULL) { /* a PIN, within the list */
        tell_pending(m);
        if (!m->lost)
            tell_pin(m);
        return;
    }
    if (m->tx != NULL)
        leave(m);
    m->tx = tx;
    if (m->lost)
        return;
    m->step = step;
    begin(m, words->title, words->clause, words->purpose);
    first_words(m);
}

static void on_bit(void *ctx, const struct transaction *tx, uint32_t tag, unsigned bit)
{
    struct making *m = ctx;
    const bool tvr = tag == TAG_TVR;
    const unsigned byte = bit >> 8;
    char why[LESSON_WHY_MAX], hex[11];
    const char *clause;
    unsigned number_of = 0;
    int64_t spent;
    json_t *o;

    tell_pending(m);
    if (!m->lost && m->step == KERNEL_AUTHENTICATE && bit != TVR_SDA_SELECTED)
        tell_certificates(m);
    if (m->lost)
        return;
    while ((bit & 0xFF) >> number_of != 0)
        number_of++;
    (void)number(m, "spent", &spent);
    o = item(m, "bit");
    set(m, o, "of", json_string(tvr ? "TVR" : "TSI"));
    set(m, o, "byte", json_integer(byte + 1));
    set(m, o, "bit", json_integer(number_of));
    set_text(m, o, "name",
             emv_bit_name(tvr ? EMV_BITMAP_TVR : EMV_BITMAP_TSI, byte + 1, number_of));
    set_text(m, o, "why", lesson_why(why, &clause, tx, tag, bit, spent));
    set_text(m, o, "clause", clause);
    set(m, o, "value", json_string(hex_encode(hex, transaction_get(tx, tag))));
}

static void on_plays(void *ctx, const struct transcript_exchange *x)
{
    struct making *m = ctx;
    const uint8_t ins = x->command.value[1];

    tell_pending(m);
    if (!m->lost && ins == INS_INTERNAL_AUTHENTICATE)
        tell_certificates(m);
    if (!m->lost && ins == INS_VERIFY)
        message(m, "cardholder", "terminal", "enters a PIN");
    command(m, x);
    if (ins == INS_GENERATE_AC) {
        m->wanted = x->command.value[2];
        m->asked = true;
    }
}

/* ---- the whole ---- */

/* Commands that the run did not come to. */
static void rest(struct making *m)
{
    const struct transcript_exchange *x;

    for (size_t i = 0; (x = transcript_at(m->t, i)) != NULL; i++) {
        if (x->line <= m->line)
            continue;
        if (m->tx == NULL && m->items == NULL)
            begin(m, "What terminal and card said", "",
                  "The trace does not say of what payment, so that only its commands can be "
                  "explained.");
        else if (m->tx != NULL && !m->lost)
            lose(m, "The terminal of today would not send these commands: they are explained one "
                    "by one.");
        command(m, x);
    }
}

static const char *ending(char out[SENTENCE_MAX], const struct rerun_word *then)
{
    const bool why = then->reason[0] != '\0' && strcmp(then->reason, then->outcome) != 0;

    snprintf(out, SENTENCE_MAX, "It ended: %s%s%s.", then->outcome, why ? ": " : "",
             why ? then->reason : "");
    return out;
}

static void last_words(struct making *m)
{
    static const uint32_t tags[] = {TAG_TVR, TAG_TSI, TAG_CVM_RESULTS,
                                    TAG_ARC, TAG_CID, TAG_SCRIPT_RESULTS};
    const struct rerun_word *then = &m->rerun.then;
    const bool cut = then->outcome[0] == '\0';
    char text[SENTENCE_MAX];

    if (m->tx == NULL)
        return;
    begin(m, cut ? "Where the trace ends" : "What it came to", cut ? "" : "EMV 4.4 Book 3, 10.11",
          cut ? "The trace was cut off before the payment ended."
              : "What terminal and card noted, and what became of the payment.");
    if (!m->lost)
        data(m, tags, cut ? 2 : sizeof(tags) / sizeof(tags[0])); /* the first two always stand */
    if (cut) {
        says(m, NULL, "The trace ends with line %u: what came then is not known.",
             transcript_lines(m->t));
        return;
    }
    says(m, NULL, "%s", ending(text, then));
    if (m->result.error.code == TP_OK && transaction_reversal_needed(m->tx))
        says(m, "EMV 4.4 Book 4, 6.3.8",
             "The issuer approved and the card did not sign: the issuer is told that nothing was "
             "paid (reversal).");
    message(m, "terminal", "cardholder", "%s", then->outcome);
}

static bool fact_number(const struct making *m, const char *name, uint64_t *out)
{
    uint8_t raw[8];
    struct buf b = BUF_OF(raw);

    return transcript_bytes(&b, m->t, name, NULL) == TP_OK && b.n > 0 &&
           bcd_get(buf_span(&b), out) == TP_OK;
}

static void summary(struct making *m, json_t *root)
{
    const char *protocol = transcript_value(m->t, "protocol");
    uint64_t amount, currency;
    char text[MONEY_TEXT_MAX], text_of_end[SENTENCE_MAX];

    if (fact_number(m, "9F02", &amount) && amount <= MONEY_MAX && fact_number(m, "5F2A", &currency))
        line(m, root, "summary", "A payment of %s %s%s%s.",
             money_shown(text, (int64_t)amount, (unsigned)currency),
             currency_shown((unsigned)currency),
             m->result.terminal != NULL && m->result.terminal->kernel.merchant_name[0] != '\0'
                 ? " to "
                 : "",
             m->result.terminal != NULL ? m->result.terminal->kernel.merchant_name : "");
    if (m->rerun.then.outcome[0] != '\0')
        line(m, root, "summary", "%s", ending(text_of_end, &m->rerun.then));
    else
        line(m, root, "summary",
             "The trace ends with line %u, and does not say how a payment ended.",
             transcript_lines(m->t));
    if (protocol != NULL)
        line(m, root, "summary", "Card and reader speak %s.", protocol);
    if (transcript_masked(m->t))
        line(m, root, "summary",
             "The trace is masked: a * stands for half a byte that it does not tell. What hangs on "
             "such bytes is told as it was recorded then.");
    if (m->rerun.differences > 0 && m->rerun.then.outcome[0] != '\0')
        line(m, root, "summary",
             "Run again, the payment does not go as it was recorded: %u %s otherwise.",
             m->rerun.differences, m->rerun.differences == 1 ? "command is" : "commands are");
}

/* What the data mean hangs on others that may come behind them: keys on certificates, amounts on
 * their currency. */
static void learn(struct making *m)
{
    struct buf b = {m->currency + 3, 0, 2};
    const struct transcript_exchange *x;
    struct rapdu r;

    memcpy(m->currency, "\x5F\x2A\x02", 3);
    if (transcript_bytes(&b, m->t, "5F2A", NULL) == TP_OK && b.n == 2)
        decode_learn(&m->d, SPAN_OF(m->currency));
    for (size_t i = 0; (x = transcript_at(m->t, i)) != NULL; i++)
        if (x->command.value[1] != INS_GET_CHALLENGE &&
            rapdu_parse(&r, masked_filled(&x->answer)) == TP_OK)
            decode_learn(&m->d, r.data);
}

static void make(struct making *m, json_t *root)
{
    const struct rerun_watch watch = {{m, on_step, on_bit, on_codes}, on_plays};

    m->d.shown.all = !transcript_masked(m->t);
    m->d.names = m->names;
    learn(m);
    rerun_followed(&m->result, &m->rerun, m->t, &watch);
    if (m->tx != NULL)
        leave(m);
    rest(m);
    last_words(m);
    summary(m, root);
}

/* Without its last line. */
static struct span shortened(struct span text)
{
    do
        text.n--;
    while (text.n > 0 && text.p[text.n - 1] != '\n');
    return text;
}

/* A trace that is cut may end within a line, or between a command and its answer: what is not whole
 * is left out. */
static enum tp_err parse(struct transcript **out, struct span text, const char *name,
                         struct tp_error *e)
{
    struct tp_error ignored;
    struct span whole = text;
    enum tp_err r;

    if (text.n > 0 && text.p[text.n - 1] != '\n') {
        const struct span before = shortened(text);

        if (strchr("<>", before.p[before.n]) != NULL) /* might be shorter than it was */
            whole = before;
    }
    r = transcript_parse(out, whole, name, e);
    for (unsigned i = 0; r == TP_ERR_FORMAT && i < 2 && whole.n > 0; i++) {
        whole = shortened(whole);
        r = transcript_parse(out, whole, name, &ignored);
    }
    if (r == TP_OK && transcript_at(*out, 0) == NULL) {
        transcript_free(out);
        r = tp_fail(e, TP_ERR_FORMAT, "%s has no command to a card: there is nothing to explain",
                    name);
    }
    return r;
}

enum tp_err lesson_make(json_t **out, struct span text, const char *name, struct tp_error *e)
{
    struct making *m = calloc(1, sizeof(*m));
    struct transcript *t = NULL;
    json_t *root = NULL;
    enum tp_err r = m == NULL || names_new(&m->names) != TP_OK
                        ? tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a lesson")
                        : parse(&t, text, name, e);

    *out = NULL;
    if (r == TP_OK) {
        m->t = t;
        m->steps = json_array();
        root = json_pack("{s:s, s:[], s:o}", "title", "A lesson of a payment", "summary", "steps",
                         m->steps);
        m->failed = root == NULL;
        if (root != NULL)
            make(m, root);
        if (m->failed)
            r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a lesson");
    }
    if (r == TP_OK)
        *out = root;
    else
        json_decref(root);
    if (m != NULL) {
        pay_result_free(&m->result);
        names_free(&m->names);
    }
    transcript_free(&t);
    free(m);
    return r;
}
