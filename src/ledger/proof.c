#include "ledger/proof.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/emvbits.h"
#include "apdu/emvtags.h"
#include "base/bcd.h"
#include "base/date.h"
#include "base/hex.h"
#include "base/mask.h"
#include "ledger/payee.h"

const char *proof_step_name(enum proof_step s)
{
    static const char *const names[PROOF_STEPS] = {[PROOF_PAN] = "card number",
                                                   [PROOF_EVIDENCE] = "signature",
                                                   [PROOF_VALUES] = "signed values",
                                                   [PROOF_AMOUNT] = "amount",
                                                   [PROOF_CURRENCY] = "currency",
                                                   [PROOF_TYPE] = "type",
                                                   [PROOF_DATE] = "date",
                                                   [PROOF_PAYEE] = "payee",
                                                   [PROOF_ORDER] = "order",
                                                   [PROOF_CARD] = "card",
                                                   [PROOF_COUNTER] = "counter",
                                                   [PROOF_CRYPTOGRAM] = "cryptogram"};

    return (unsigned)s < PROOF_STEPS ? names[s] : "unknown";
}

bool proof_has(const struct tx_record *tx, enum proof_step s)
{
    return s != PROOF_ORDER || tx->mediated.order[0] != '\0';
}

/* What does not open stays empty: the proof then says so. */
static void open_sealed(struct proof *p, struct span *stream, const struct tx_record *tx,
                        struct seal *seal)
{
    uint8_t room[LEDGER_CONTEXT_MAX], digits[64];
    const struct span context = ledger_seal_context(room, tx);
    struct buf out = BUF_OF(digits), evidence = BUF_OF(p->stream);

    p->pan[0] = '\0';
    if (tx->pan_sealed.n <= sizeof(digits) &&
        seal_open(seal, &out, tx->pan_sealed, context) == TP_OK && out.n < sizeof(p->pan)) {
        memcpy(p->pan, digits, out.n);
        p->pan[out.n] = '\0';
    }
    secret_wipe(digits, sizeof(digits));
    *stream = seal_open(seal, &evidence, tx->emv.stream, context) == TP_OK ? buf_span(&evidence)
                                                                           : (struct span){NULL, 0};
}

/* What the order says against the books: the name of what differs, or NULL. */
static const char *order_differs(const struct order_proof *o, const struct tx_record *tx)
{
    const struct order *order = &o->order;
    const struct currency *c = currency_by_alpha(order->currency);
    const struct {
        const char *name;
        bool same;
    } all[] = {
        {"the challenge", memcmp(o->r, tx->mediated.r, sizeof(o->r)) == 0},
        {"its number", strcmp(order->id, tx->mediated.order) == 0},
        {"the contract", strcmp(order->contract, tx->contract) == 0},
        {"the terminal", strcmp(order->terminal, tx->terminal) == 0},
        {"the trace number", strtoul(order->stan, NULL, 10) == tx->stan},
        {"the time", strtoll(order->date, NULL, 10) * 1000000 + strtoll(order->time, NULL, 10) ==
                         tx->local_time},
        {"the amount", strtoll(order->amount, NULL, 10) == tx->amount},
        {"the currency", c != NULL && c->numeric == tx->currency},
        {"the outcome", acknowledgement_is_positive(&o->acknowledgement)},
        {"the reference", o->acknowledgement.reference != NULL &&
                              strcmp(o->acknowledgement.reference, tx->rrn) == 0},
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (!all[i].same)
            return all[i].name;
    return NULL;
}

static void prove_order(struct proof *p, const struct tx_record *tx,
                        const struct order_authority *orders)
{
    const struct mediated_record *m = &tx->mediated;
    const struct proof_texts texts = {m->challenge, m->device, m->acknowledgement, m->message};
    struct proof_order o;
    struct tp_error e = {TP_OK, ""};
    char amount[MONEY_TEXT_MAX];
    const char *differs = NULL;
    const enum tp_err r = proof_order_read(&o, &texts, orders, &e);

    if (r == TP_OK)
        differs = order_differs(&o.order, tx);
    p->order_holds = r == TP_OK && differs == NULL;
    p->bond = proof_bond(&p->ev, m->r, r == TP_OK && o.device);
    if (r != TP_OK)
        snprintf(p->order, sizeof(p->order), "%.*s", PROOF_TEXT - 1, e.text);
    else if (differs != NULL)
        snprintf(p->order, sizeof(p->order), "the order is of another payment: %s differs",
                 differs);
    else
        snprintf(p->order, sizeof(p->order), "%s by mediator %s: %s, \"%s\", %s %s", m->order,
                 o.order.order.mediator, o.order.order.merchant, o.order.order.item,
                 money_shown(amount, tx->amount, tx->currency), currency_shown(tx->currency));
    proof_order_free(&o);
}

enum tp_err proof_make(struct proof *p, const struct tx_record *tx, const char *acquirer,
                       struct seal *seal, struct evidence_cache *cache,
                       const struct order_authority *orders, struct tp_error *e)
{
    struct evidence_claim claim = EVIDENCE_CLAIM_NONE;
    struct span stream;
    enum tp_err r;

    memset(p, 0, sizeof(*p));
    snprintf(p->acquirer, sizeof(p->acquirer), "%s", acquirer);
    open_sealed(p, &stream, tx, seal);
    claim.pan = p->pan[0] != '\0' ? p->pan : NULL;
    r = evidence_from_message(&p->ev, tx->emv.de55, stream, span_str(p->pan));
    if (r == TP_OK)
        r = evidence_check(&p->result, cache, &p->ev, &claim, (int)(tx->local_time / 1000000));
    if (r != TP_OK)
        return tp_fail(e, r, "the evidence of %s cannot be checked: %s", tx->rrn, tp_err_text(r));
    if (proof_has(tx, PROOF_ORDER))
        prove_order(p, tx, orders);
    return TP_OK;
}

bool proof_vouched(const struct proof *p)
{
    return !evidence_signs_amount(&p->result);
}

static bool pan_holds(const struct proof *p, const struct tx_record *tx, struct seal *seal,
                      char text[PROOF_TEXT])
{
    uint8_t lookup[SEAL_LOOKUP];
    char masked[PAN_TEXT_MAX];

    if (p->pan[0] == '\0') {
        snprintf(text, PROOF_TEXT,
                 "the sealed card number does not open: it or its record was altered, or seal.key "
                 "is another");
        return false;
    }
    mask_pan(masked, p->pan);
    if (seal_lookup(seal, lookup, span_str(p->pan)) != TP_OK ||
        !span_eq(SPAN_OF(lookup), tx->pan_lookup) || strcmp(masked, tx->pan_masked) != 0) {
        snprintf(text, PROOF_TEXT, "the books name another card (%s) than the sealed number (%s)",
                 tx->pan_masked, masked);
        return false;
    }
    snprintf(text, PROOF_TEXT, "%s, sealed and unaltered", masked);
    return true;
}

/* What the card leaves behind. */
static void describe_method(const struct proof *p, char text[PROOF_TEXT])
{
    const char *iin = p->result.issuer_iin;

    switch (p->result.method) {
    case EVIDENCE_CDA:
        snprintf(
            text, PROOF_TEXT,
            "certificates of issuer %s and card, signature and transaction data hash are right%s",
            iin,
            p->result.cdol1_signed
                ? ""
                : "; the list that names what was signed (CDOL1) is signed by nobody");
        return;
    case EVIDENCE_XDA:
        snprintf(text, PROOF_TEXT,
                 "XDA: certificates of issuer %s and card, and the card's signature are right%s",
                 iin,
                 p->result.cdol1_signed
                     ? ""
                     : "; no list that is signed names what was paid among what it covers");
        return;
    case EVIDENCE_DDA:
        snprintf(text, PROOF_TEXT,
                 "DDA: certificates of issuer %s and card are right, and the card signed this "
                 "payment's unpredictable number; "
                 "no signature covers the amount",
                 iin);
        return;
    case EVIDENCE_SDA:
        snprintf(text, PROOF_TEXT,
                 "SDA: the certificate of issuer %s and its signature over the card's records are "
                 "right; no signature covers the amount",
                 iin);
        return;
    case EVIDENCE_NO_ODA:
        snprintf(text, PROOF_TEXT, "%s; no signature covers the amount",
                 p->result.oda_failed ? "the terminal says that the card's authentication failed"
                                      : "the card has no offline authentication");
        return;
    }
}

static bool evidence_holds(const struct proof *p, const struct tx_record *tx, char text[PROOF_TEXT])
{
    char date[DATE_TEXT_MAX];

    if (!p->result.ok)
        snprintf(text, PROOF_TEXT, "%s: %s", p->result.reason, p->result.text);
    else if (proof_vouched(p) && tx->approval[0] == '\0')
        snprintf(text, PROOF_TEXT, "no signature covers the amount, and no issuer approved it");
    else
        describe_method(p, text);
    if (p->result.ok && p->result.authority_expired) {
        const size_t n = strlen(text);

        snprintf(text + n, PROOF_TEXT - n, "; the authority key was past its date of %s",
                 date_format(date, p->result.authority_expiry));
    }
    return p->result.ok && (!proof_vouched(p) || tx->approval[0] != '\0');
}

/* How the card's part says a value: under its signature, or in what its cryptogram covers, which
 * its issuer checked. */
static const char *as_said(const struct proof *p)
{
    return proof_vouched(p) ? "as the issuer approved it" : "as signed";
}

static bool money_holds(const struct proof *p, const struct tx_record *tx, char text[PROOF_TEXT])
{
    const struct currency *c = currency_by_numeric(p->result.currency);
    char said[MONEY_TEXT_MAX], written[MONEY_TEXT_MAX];

    if (c != NULL) {
        money_format(said, p->result.amount, c);
        money_format(written, tx->amount, c);
    } else {
        snprintf(said, sizeof(said), "%" PRId64, p->result.amount);
        snprintf(written, sizeof(written), "%" PRId64, tx->amount);
    }
    if (p->result.amount == tx->amount)
        snprintf(text, PROOF_TEXT, "%s, %s", said, as_said(p));
    else
        snprintf(text, PROOF_TEXT, "the card signed %s, the books say %s", said, written);
    return p->result.amount == tx->amount;
}

static bool type_holds(const struct proof *p, const struct tx_record *tx, char text[PROOF_TEXT])
{
    const bool same = p->result.type == (tx->kind == TX_CREDIT ? TYPE_REFUND : TYPE_PURCHASE);

    snprintf(text, PROOF_TEXT, same ? "%02X, a %s" : "the card signed %02X, the books say %s",
             p->result.type, tx_kind_name(tx->kind));
    return same;
}

static bool challenge_holds(const struct proof *p, char text[PROOF_TEXT])
{
    switch (p->bond) {
    case BOND_CARD:
        snprintf(text, PROOF_TEXT, "by its order: the card signed the whole challenge (9F7C), %s",
                 as_said(p));
        break;
    case BOND_DEVICE:
        snprintf(text, PROOF_TEXT,
                 "by its order: the payer's device signed the challenge and this message; the card "
                 "signed four bytes of it (9F37)");
        break;
    case BOND_NONE:
        snprintf(text, PROOF_TEXT, "nobody signed the challenge of its order");
        break;
    case BOND_OTHER:
        snprintf(text, PROOF_TEXT, "the card signed another challenge than that of its order");
        break;
    }
    return p->bond == BOND_CARD || p->bond == BOND_DEVICE;
}

static bool payee_holds(const struct proof *p, const struct tx_record *tx, char text[PROOF_TEXT])
{
    enum payee_found found;

    if (proof_has(tx, PROOF_ORDER))
        return challenge_holds(p, text);
    found = payee_look(&p->ev, p->acquirer, tx);
    if (found == PAYEE_UNSIGNED)
        snprintf(text, PROOF_TEXT, "none was signed: the card does not ask for it (9F7C)");
    else if (found == PAYEE_NOBODY)
        snprintf(text, PROOF_TEXT,
                 "none was signed: the card asks for it (9F7C), and the terminal, of before, named "
                 "nobody");
    else if (found == PAYEE_SIGNED)
        snprintf(text, PROOF_TEXT, "contract %s, terminal %s at acquirer %s, %s", tx->contract,
                 tx->terminal, p->acquirer, as_said(p));
    else
        snprintf(text, PROOF_TEXT,
                 "the card paid another than contract %s, terminal %s at acquirer %s, or at "
                 "another time",
                 tx->contract, tx->terminal, p->acquirer);
    return found != PAYEE_OTHER;
}

static bool card_holds(const struct proof *p, const struct tx_record *tx, char text[PROOF_TEXT])
{
    const struct span psn = evidence_signed_record(&p->ev, TAG_PAN_SEQUENCE);
    uint64_t number = 0;
    char day[DATE_TEXT_MAX];
    const bool same_psn =
        psn.n == 0 ||
        (bcd_get(psn, &number) == TP_OK &&
         (tx->emv.psn == 0 || number == tx->emv.psn)); /* 0: the message had no DE 23 */
    const bool same = same_psn && p->result.card_expiry / 100 == tx->emv.card_expiry / 100;

    if (p->result.card_expiry == 0) { /* without CDA only */
        snprintf(text, PROOF_TEXT,
                 "no authenticated record says its expiry: %s, as the message said",
                 date_format(day, tx->emv.card_expiry));
        return same_psn;
    }
    snprintf(text, PROOF_TEXT,
             same ? "sequence number %02u, expires %s"
                  : "the signed records say sequence number %02u, expiry %s: the books differ",
             (unsigned)(number % 100), date_format(day, p->result.card_expiry));
    return same;
}

static bool counter_holds(const struct proof *p, const struct tx_record *tx, char text[PROOF_TEXT])
{
    const unsigned atc = (unsigned)p->result.atc[0] << 8 | p->result.atc[1];

    snprintf(text, PROOF_TEXT,
             atc == tx->emv.atc ? "transaction %u of the card"
                                : "the card signed counter %u, the books say %u",
             atc, tx->emv.atc);
    return atc == tx->emv.atc;
}

/* EMV 4.4 Book 3, table 15: 40 a TC, 80 an ARQC, which pays with the issuer's approval alone; so
 * does a TC that no signature covers. */
bool proof_approves(const struct proof *p, const struct tx_record *tx)
{
    const unsigned type = p->result.cid >> 6;

    if (tx->emv.online || proof_vouched(p))
        return type == (tx->emv.online ? 2 : 1) && tx->approval[0] != '\0';
    return type == 1;
}

static bool cryptogram_holds(const struct proof *p, const struct tx_record *tx,
                             char text[PROOF_TEXT])
{
    char ac[17];

    hex_encode(ac, SPAN_OF(p->result.ac));
    if (!proof_approves(p, tx)) {
        snprintf(text, PROOF_TEXT,
                 tx->emv.online ? "cryptogram %s is no request to the issuer (ARQC)"
                                : "cryptogram %s is no approval (TC)",
                 ac);
        return false;
    }
    if (memcmp(p->result.ac, tx->emv.ac, sizeof(tx->emv.ac)) != 0) {
        snprintf(text, PROOF_TEXT, "the card signed cryptogram %s, the books say another", ac);
        return false;
    }
    if (proof_vouched(p))
        snprintf(text, PROOF_TEXT,
                 "%s %s, checked and approved by issuer %s under %s: the issuer vouches, no "
                 "signature covers the amount",
                 tx->emv.online ? "ARQC" : "TC", ac, tx->issuer, tx->approval);
    else if (tx->approval[0] != '\0')
        snprintf(text, PROOF_TEXT, "%s %s, approved by the issuer under %s",
                 tx->emv.online ? "ARQC" : "TC", ac, tx->approval);
    else
        snprintf(text, PROOF_TEXT, "TC %s", ac);
    return true;
}

static bool simple_holds(const struct proof *p, const struct tx_record *tx, enum proof_step s,
                         char text[PROOF_TEXT])
{
    const int date = (int)(tx->local_time / 1000000);
    char said[DATE_TEXT_MAX], written[DATE_TEXT_MAX];

    if (s == PROOF_CURRENCY) {
        if (p->result.currency == tx->currency)
            snprintf(text, PROOF_TEXT, "%03u, %s", p->result.currency, as_said(p));
        else
            snprintf(text, PROOF_TEXT, "the card signed currency %03u, the books say %03u",
                     p->result.currency, tx->currency);
        return p->result.currency == tx->currency;
    }
    if (s == PROOF_DATE) {
        date_format(said, p->result.date);
        date_format(written, date);
        if (p->result.date == date)
            snprintf(text, PROOF_TEXT, "%s, %s", said, as_said(p));
        else
            snprintf(text, PROOF_TEXT, "the card signed %s, the books say %s", said, written);
        return p->result.date == date;
    }
    if (proof_vouched(p))
        snprintf(text, PROOF_TEXT,
                 "what the cryptogram was made over says amount, currency, type and date: its "
                 "issuer checked it");
    else
        snprintf(text, PROOF_TEXT,
                 "the card signed amount, currency, type and date; the list that names them "
                 "(CDOL1) is among its signed records");
    return true;
}

bool proof_holds(const struct proof *p, const struct tx_record *tx, struct seal *seal,
                 enum proof_step s, char text[PROOF_TEXT])
{
    if (s == PROOF_PAN)
        return pan_holds(p, tx, seal, text);
    if (s == PROOF_EVIDENCE)
        return evidence_holds(p, tx, text);
    if (s == PROOF_ORDER) {
        snprintf(text, PROOF_TEXT, "%s", p->order);
        return p->order_holds;
    }
    if (!p->result.has_values) {
        snprintf(text, PROOF_TEXT, "nothing that the card signed says it");
        return false;
    }
    switch (s) {
    case PROOF_AMOUNT:
        return money_holds(p, tx, text);
    case PROOF_TYPE:
        return type_holds(p, tx, text);
    case PROOF_PAYEE:
        return payee_holds(p, tx, text);
    case PROOF_CARD:
        return card_holds(p, tx, text);
    case PROOF_COUNTER:
        return counter_holds(p, tx, text);
    case PROOF_CRYPTOGRAM:
        return cryptogram_holds(p, tx, text);
    default:
        return simple_holds(p, tx, s, text);
    }
}
