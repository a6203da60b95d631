#include "acquirer/check.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "apdu/emvbits.h"
#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "base/bcd.h"
#include "base/date.h"
#include "wire/link.h"
#include "wire/mediation.h"
#include "wire/profile.h"

#define PAN_MIN                                                                                    \
    8 /* ISO/IEC 7812-1; its check digit is the issuer's affair: what counts is that the card      \
         signed this number */
#define DAYS_LATE  30 /* a payment may come this long after it was made … */
#define DAYS_EARLY 1  /* … and a terminal's clock, or its time zone, may be ahead by this */

/* A step sets the payment's verdict when something stands against it. */
typedef enum tp_err check_step(struct payment *p, struct checker *c, struct tp_error *e);

static void refuse(struct payment *p, enum ledger_verdict verdict)
{
    p->verdict = verdict;
}

static void refuse_worded(struct payment *p, enum ledger_verdict verdict, const char *word)
{
    p->verdict = verdict;
    snprintf(p->word, sizeof(p->word), "%s", word);
}

/* ---- format and contract ---- */

static enum tp_err fields_present(struct payment *p, struct checker *c, struct tp_error *e)
{
    char reason[PROFILE_REASON_MAX];

    (void)c;
    (void)e;
    if (profile_fault(reason, PROFILE_TERMINAL, p->message) != NULL)
        refuse_worded(p, LEDGER_MALFORMED, reason);
    else if (!check_places(p->word, p->message, false))
        refuse(p, LEDGER_MALFORMED);
    return TP_OK;
}

/* What the card says goes by a mediator sealed, and a terminal has no order. */
bool check_places(char word[VERDICT_WORD_MAX], const struct iso8583 *message, bool of_mediator)
{
    for (unsigned f = 2; f < ISO8583_FIELDS; f++) {
        const bool foreign = of_mediator
                                 ? profile_next(PROFILE_MEDIATOR, message->mti,
                                                PROFILE_NEEDED | PROFILE_OPTIONAL, f - 1) != f
                                 : f >= MEDIATION_FIRST && f <= MEDIATION_LAST;

        if (!foreign || !iso8583_has(message, f))
            continue;
        snprintf(word, VERDICT_WORD_MAX, "DE%u", f % 1000);
        return false;
    }
    return true;
}

enum tp_err check_party(const struct iso8583 *message, const struct party *party)
{
    char contract[CONTRACT_ID_MAX], terminal[TERMINAL_ID_MAX];

    if (iso8583_text(message, 42, contract, sizeof(contract)) != TP_OK ||
        iso8583_text(message, 41, terminal, sizeof(terminal)) != TP_OK)
        return TP_ERR_NOT_FOUND;
    return strcmp(contract, party->contract) == 0 && strcmp(terminal, party->terminal) == 0
               ? TP_OK
               : TP_ERR_SECURITY;
}

enum tp_err check_open(struct checker *c, struct contract *contract, struct terminal *terminal,
                       bool *open, const struct party *party, struct tp_error *e)
{
    enum tp_err r = ledger_contract_get(c->ledger, party->contract, contract, e);

    *open = false;
    terminal->open = false;
    if (r == TP_OK)
        r = ledger_terminal_get(c->ledger, party->contract, party->terminal, terminal, e);
    if (r == TP_ERR_NOT_FOUND)
        return TP_OK;
    *open = r == TP_OK && contract->open && terminal->open;
    return r;
}

/* A terminal is spoken for by itself, or by the mediator that it was put under. */
static enum tp_err read_terminal(struct party *party, struct checker *c, struct tp_error *e)
{
    struct terminal t;
    const enum tp_err r = ledger_terminal_get(c->ledger, party->contract, party->terminal, &t, e);

    if (r == TP_OK && strcmp(t.mediator, party->mediator) != 0)
        return TP_ERR_SECURITY;
    if (r == TP_OK) {
        memcpy(party->serial, t.serial, sizeof(party->serial));
        memcpy(party->capabilities, t.capabilities, sizeof(party->capabilities));
    }
    return r;
}

/* A contract changes in nothing but that it closes, which the books say when it is asked of them
 * (ledger_judge). */
enum tp_err check_known(struct party *party, struct checker *c, enum ledger_verdict *verdict,
                        struct tp_error *e)
{
    enum tp_err r;

    if (party->known)
        return TP_OK;
    r = ledger_contract_get(c->ledger, party->contract, &party->terms, e);
    if (r == TP_OK)
        r = read_terminal(party, c, e);
    party->known = r == TP_OK;
    if (r != TP_ERR_NOT_FOUND && r != TP_ERR_SECURITY)
        return r;
    *verdict = r == TP_ERR_NOT_FOUND ? LEDGER_UNKNOWN : LEDGER_CERTIFICATE;
    return TP_OK;
}

static enum tp_err who(struct payment *p, struct checker *c, struct tp_error *e)
{
    if (check_party(p->message, p->party) == TP_OK)
        return check_known(p->party, c, &p->verdict, e);
    refuse(p, LEDGER_CERTIFICATE);
    return TP_OK;
}

int check_day(unsigned mmdd, time_t now)
{
    const int today = date_of(now);
    int best = 0;
    long nearest = 0;

    for (int year = today / 10000 - 1; year <= today / 10000 + 1; year++) {
        const int day = year * 10000 + (int)mmdd;
        char text[DATE_TEXT_MAX];
        int parsed = 0;
        struct tm tm = {.tm_year = year - 1900,
                        .tm_mon = (int)(mmdd / 100) - 1,
                        .tm_mday = (int)(mmdd % 100),
                        .tm_hour = 12,
                        .tm_isdst = -1};
        long distance;

        if (date_parse(&parsed, date_format(text, day)) != TP_OK)
            continue;
        distance = labs((long)(mktime(&tm) - now));
        if (best == 0 || distance < nearest) {
            best = day;
            nearest = distance;
        }
    }
    return best;
}

/* The local day: the year is that of the transaction date of DE 55 (9A), whose month and day DE 13
 * repeats. */
static const char *read_day(struct payment *p)
{
    struct tlv date;
    uint64_t month_day = 0, clock = 0;

    if (tlv_check(p->message->field[55]) != TP_OK)
        return "DE55";
    if (tlv_find(p->message->field[55], TAG_TX_DATE, &date) != TP_OK || date.value.n != 3 ||
        date_from_yymmdd(&p->date, date.value) != TP_OK)
        return "DE55_9A";
    if (iso8583_number(p->message, 13, &month_day) != TP_OK || (int)month_day != p->date % 10000)
        return "DE13";
    if (iso8583_number(p->message, 12, &clock) != TP_OK || clock / 10000 > 23 ||
        clock / 100 % 100 > 59 || clock % 100 > 59)
        return "DE12";
    p->tx.local_time = (int64_t)p->date * 1000000 + (int64_t)clock;
    return NULL;
}

/* DE 14 is YYMM: the card is good to the end of that month. */
static const char *read_card(struct payment *p)
{
    uint64_t expiry = 0, psn = 0;
    uint8_t mmyy[2];
    struct buf b = BUF_OF(mmyy);

    if (iso8583_text(p->message, 2, p->pan, sizeof(p->pan)) != TP_OK || strlen(p->pan) < PAN_MIN)
        return "DE2";
    if (iso8583_number(p->message, 14, &expiry) != TP_OK ||
        bcd_put(&b, expiry % 100 * 100 + expiry / 100, 4) != TP_OK ||
        date_from_mmyy(&p->expiry, buf_span(&b)) != TP_OK)
        return "DE14";
    if (!iso8583_track2_agrees(p->message))
        return "DE35";
    p->psn = -1;
    if (iso8583_has(p->message, 23)) {
        if (iso8583_number(p->message, 23, &psn) != TP_OK || psn > 99)
            return "DE23";
        p->psn = (int)psn;
    }
    return NULL;
}

/* The payment that a credit gives back, where it names one; a debit names none. */
static const char *read_undone(struct payment *p)
{
    uint64_t code = 0;

    if (!iso8583_has(p->message, 37))
        return NULL;
    return iso8583_text(p->message, 37, p->tx.undoes, sizeof(p->tx.undoes)) != TP_OK ||
                   strspn(p->tx.undoes, "0123456789") != RRN_MAX - 1 ||
                   iso8583_number(p->message, 3, &code) != TP_OK || code != 200000
               ? "DE37"
               : NULL;
}

static enum tp_err read_message(struct payment *p, struct checker *c, struct tp_error *e)
{
    struct buf stream = BUF_OF(p->stream);
    uint64_t stan = 0;
    const char *bad = read_card(p);
    enum tp_err r;

    (void)c;
    if (bad == NULL)
        bad = read_day(p);
    if (bad == NULL)
        bad = read_undone(p);
    if (bad != NULL) {
        refuse_worded(p, LEDGER_MALFORMED, bad);
        return TP_OK;
    }
    r = iso8583_number(p->message, 11, &stan);
    if (r == TP_OK)
        r = iso8583_evidence_join(&stream, p->message);
    if (r != TP_OK)
        return tp_fail(e, TP_ERR_INTERNAL, "a parsed message does not read");
    p->tx.stan = (uint32_t)stan;
    p->tx.emv.de55 = p->message->field[55];
    p->tx.emv.stream = buf_span(&stream);
    snprintf(p->tx.contract, sizeof(p->tx.contract), "%s", p->party->contract);
    snprintf(p->tx.terminal, sizeof(p->tx.terminal), "%s", p->party->terminal);
    return TP_OK;
}

static enum tp_err what(struct payment *p, struct checker *c, struct tp_error *e)
{
    uint64_t amount = 0, code = 0, currency = 0, mcc = 0;

    (void)c;
    (void)e;
    if (iso8583_number(p->message, 4, &amount) != TP_OK || amount == 0)
        refuse(p, LEDGER_AMOUNT);
    else if (iso8583_number(p->message, 3, &code) != TP_OK || (code != 0 && code != 200000))
        refuse(p, LEDGER_PROCESSING_CODE);
    else if (iso8583_number(p->message, 49, &currency) != TP_OK ||
             currency != p->party->terms.currency)
        refuse(p, LEDGER_CURRENCY);
    else if (iso8583_has(p->message, 18) &&
             (iso8583_number(p->message, 18, &mcc) != TP_OK || mcc != p->party->terms.mcc))
        refuse(p, LEDGER_MCC);
    p->tx.amount = (int64_t)amount;
    p->tx.kind = code == 0 ? TX_DEBIT : TX_CREDIT;
    p->tx.currency = (uint16_t)currency;
    return TP_OK;
}

/* ---- what the books know: identity, repeat, opposition, the counter ---- */

enum tp_err check_digest(uint8_t out[32], const struct iso8583 *message, struct tp_error *e)
{
    static const unsigned own[] = {7};
    struct iso8583 content;
    uint8_t room[LINK_MESSAGE_MAX];
    struct buf b = BUF_OF(room);
    enum tp_err r;

    iso8583_start(&content, 0);
    memcpy(content.field, message->field, sizeof(content.field));
    content.field[own[0]] = (struct span){NULL, 0};
    r = iso8583_pack(&b, &content, e);
    if (r == TP_OK && EVP_Digest(b.p + 2, b.n - 2, out, NULL, EVP_sha256(), NULL) != 1)
        r = tp_fail(e, TP_ERR_INTERNAL, "SHA-256 fails");
    return r;
}

bool check_verdict(struct wire_answer *a, enum ledger_verdict verdict, const char *rrn)
{
    if (verdict == LEDGER_NEW || verdict == LEDGER_ASKED)
        return false;
    answer_verdict(a, verdict, NULL);
    if (verdict == LEDGER_REPEAT)
        snprintf(a->rrn, sizeof(a->rrn), "%s", rrn);
    return true;
}

enum tp_err check_said(struct wire_answer *a, enum ledger_verdict verdict, const char *rrn,
                       struct ledger *l, struct tp_error *e)
{
    enum tp_err r;

    if (verdict != LEDGER_REPEAT && verdict != LEDGER_ANSWERED)
        return TP_OK;
    r = ledger_said(l, rrn, a, e);
    if (r == TP_ERR_NOT_FOUND)
        return TP_OK;
    if (r == TP_OK && verdict == LEDGER_REPEAT)
        snprintf(a->rrn, sizeof(a->rrn), "%s", rrn);
    return r;
}

static enum tp_err identity(struct payment *p, struct checker *c, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    if (p->passed != NULL)
        memcpy(p->digest, p->passed->digest, sizeof(p->digest));
    else
        r = check_digest(p->digest, p->message, e);
    if (r == TP_OK)
        r = seal_lookup(c->seal, p->lookup, span_str(p->pan));
    p->tx.digest = SPAN_OF(p->digest);
    p->tx.pan_lookup = SPAN_OF(p->lookup);
    return r;
}

/* What was acknowledged stays so, whatever has become of its card, its date or its contract: a
 * repeat outranks what stands against the payment now. */
static enum tp_err books(struct payment *p, struct checker *c, struct tp_error *e)
{
    enum ledger_verdict verdict = LEDGER_NEW;
    const enum tp_err r = ledger_look(c->ledger, &p->tx, p->signature_good, &verdict, p->first, e);

    if (r == TP_OK)
        p->verdict = ledger_verdict_first(p->verdict, verdict);
    return r;
}

/* ---- dates ---- */

static enum tp_err in_time(struct payment *p, struct checker *c, struct tp_error *e)
{
    (void)c;
    (void)e;
    if (p->date > date_of(p->now + DAYS_EARLY * 86400) ||
        p->date < date_of(p->now - DAYS_LATE * 86400))
        refuse(p, LEDGER_DATE);
    else if (p->expiry < p->date)
        refuse(p, LEDGER_EXPIRED);
    return TP_OK;
}

/* ---- what the card signed ---- */

/* The sequence number that the card signed, absent being 00 (EMV 4.4 Book 2, A1.4): not DE 23,
 * which may be left out, because the counter is kept under it. Without CDA it may stand in no
 * authenticated record: then DE 23, by which the issuer finds the card's keys. */
static uint8_t signed_psn(const struct payment *p)
{
    uint64_t psn = 0;

    if (bcd_get(evidence_signed_record(&p->evidence, TAG_PAN_SEQUENCE), &psn) == TP_OK && psn <= 99)
        return (uint8_t)psn;
    return p->result.method != EVIDENCE_CDA && p->result.method != EVIDENCE_XDA && p->psn >= 0
               ? (uint8_t)p->psn
               : 0;
}

static enum tp_err signature(struct payment *p, struct checker *c, struct tp_error *e)
{
    const struct evidence_claim claim = {.pan = p->pan,
                                         .amount = p->tx.amount,
                                         .currency = p->tx.currency,
                                         .country = p->party->terms.country,
                                         .date = p->date,
                                         .type =
                                             p->tx.kind == TX_DEBIT ? TYPE_PURCHASE : TYPE_REFUND,
                                         .expiry = p->expiry,
                                         .psn = p->psn};
    enum tp_err r =
        evidence_from_message(&p->evidence, p->tx.emv.de55, p->tx.emv.stream, span_str(p->pan));

    if (r == TP_OK)
        r = evidence_check(&p->result, c->cache, &p->evidence, &claim, p->date);
    if (r != TP_OK)
        return tp_fail(e, r, "the evidence cannot be checked: %s", tp_err_text(r));
    if (p->result.ok)
        refuse(p, check_payee(p, c));
    else
        refuse_worded(p, LEDGER_EVIDENCE, p->result.reason);
    p->signature_good = p->result.ok;
    p->tx.emv.atc = (uint16_t)(p->result.atc[0] << 8 | p->result.atc[1]);
    memcpy(p->tx.emv.ac, p->result.ac, sizeof(p->tx.emv.ac));
    p->tx.emv.card_expiry = p->result.card_expiry != 0 ? p->result.card_expiry : p->expiry;
    p->tx.vouched = !evidence_signs_amount(&p->result);
    p->tx.emv.aid = check_application(&p->evidence);
    p->tx.emv.psn = signed_psn(p);
    p->tx.emv.online = (p->result.cid & AC_TYPE) == AC_ARQC;
    return TP_OK;
}

static enum tp_err cardholder(struct payment *p, struct checker *c, struct tp_error *e)
{
    (void)c;
    (void)e;
    p->verdict = check_cardholder(p);
    return TP_OK;
}

/* ---- contract limits and the issuer ---- */

static enum tp_err limits(struct payment *p, struct checker *c, struct tp_error *e)
{
    (void)c;
    (void)e;
    if (p->tx.amount > p->party->terms.ceiling)
        refuse(p, LEDGER_CEILING);
    else if (p->passed != NULL && p->tx.amount > p->passed->ceiling)
        refuse(p, LEDGER_ORDER_CEILING);
    return TP_OK;
}

/* A card that asks for its issuer, what is over the floor, every credit, and what no signature
 * covers go there: a cryptogram counts when its issuer has checked it. */
static enum tp_err issuer(struct payment *p, struct checker *c, struct tp_error *e)
{
    const uint8_t type = p->result.cid & AC_TYPE;

    (void)c;
    (void)e;
    p->asks = type == AC_ARQC || p->tx.vouched || p->tx.amount > p->party->terms.floor ||
              p->tx.kind == TX_CREDIT;
    if (type != AC_ARQC && type != AC_TC) {
        refuse(p, LEDGER_AAC);
        p->asks = false;
    }
    return TP_OK;
}

/* ---- all of it ---- */

/* The card number, and the evidence too: certificate and records hold the number. */
static enum tp_err seal_card(struct payment *p, struct checker *c, struct tp_error *e)
{
    uint8_t room[LEDGER_CONTEXT_MAX];
    const struct span context = ledger_seal_context(room, &p->tx);
    struct buf sealed = BUF_OF(p->sealed), stream = BUF_OF(p->sealed_stream);
    enum tp_err r = seal_close(c->seal, &sealed, span_str(p->pan), context);

    if (r == TP_OK)
        r = seal_close(c->seal, &stream, p->tx.emv.stream, context);
    mask_pan(p->tx.pan_masked, p->pan);
    p->tx.pan_sealed = buf_span(&sealed);
    p->tx.emv.stream = buf_span(&stream);
    return r == TP_OK ? r : tp_fail(e, r, "the card number cannot be sealed");
}

static enum tp_err run(check_step *const *steps, size_t n, struct payment *p, struct checker *c,
                       struct tp_error *e)
{
    enum tp_err r = TP_OK;

    for (size_t i = 0; r == TP_OK && p->verdict == LEDGER_NEW && i < n; i++)
        r = steps[i](p, c, e);
    return r;
}

#define RUN(steps) run(steps, sizeof(steps) / sizeof((steps)[0]), p, c, e)

/* The books are asked about a payment here only when they may have more to say than its refusal, or
 * than its issuer; one to be kept is judged by them when it is kept. */
static enum tp_err judge(struct payment *p, struct checker *c, struct tp_error *e)
{
    static check_step *const reading[] = {fields_present, who, read_message, what, identity};
    static check_step *const judging[] = {in_time, signature, cardholder, limits, issuer};
    enum tp_err r = RUN(reading);

    if (r != TP_OK || p->verdict != LEDGER_NEW)
        return r;
    r = RUN(judging);
    return r == TP_OK && (p->verdict != LEDGER_NEW || p->asks) ? books(p, c, e) : r;
}

enum tp_err check_payment(enum check_outcome *outcome, struct wire_answer *answer,
                          struct payment *p, struct checker *c, const struct iso8583 *message,
                          const struct passed *passed, struct party *party, time_t now,
                          struct tp_error *e)
{
    enum tp_err r;

    memset(&p->tx, 0, sizeof(p->tx));
    if (passed != NULL)
        p->tx.mediated = *passed->what;
    p->message = message;
    p->passed = passed;
    p->party = party;
    p->now = now;
    p->pan[0] = p->word[0] = p->first[0] = '\0';
    p->verdict = LEDGER_NEW;
    p->signature_good = p->asks = false;
    *outcome = CHECK_REFUSED;
    r = judge(p, c, e);
    answer_verdict(answer, p->verdict, p->word);
    if (r == TP_OK && p->verdict == LEDGER_NEW) {
        *outcome = p->asks ? CHECK_ASK : CHECK_KEEP;
        r = seal_card(p, c, e);
    } else if (r == TP_OK && p->verdict == LEDGER_ASKED) {
        *outcome = CHECK_WAIT;
        mask_pan(p->tx.pan_masked, p->pan);
        p->tx.emv.stream =
            span_of(NULL, 0); /* it is looked for and not kept: nobody needs what is not sealed */
    } else if (r == TP_OK && p->verdict == LEDGER_REPEAT) {
        *outcome = CHECK_REPEATED;
        snprintf(answer->rrn, sizeof(answer->rrn), "%s", p->first);
    }
    return r == TP_OK ? check_said(answer, p->verdict, p->first, c->ledger, e) : r;
}
