/* Whom the card paid: what it signed of contract, terminal and acquirer, against who sent the
 * message. */
#include <string.h>

#include "acquirer/check.h"
#include "apdu/emvbits.h"
#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "ledger/payee.h"

#define UN_BYTES 4 /* of 9F37 */

static bool is_of_before(const struct payment *p, const struct checker *c)
{
    return p->date <= c->raised;
}

/* 9F1E stands in every DE 55, which the evidence was held against where it is signed. */
static enum ledger_verdict serial_fault(const struct payment *p, const struct checker *c)
{
    struct tlv said;

    if (tlv_find(p->tx.emv.de55, TAG_IFD_SERIAL, &said) == TP_OK &&
        (span_eq(said.value, span_str(p->party->serial)) ||
         (is_of_before(p, c) && span_eq(said.value, span_str(p->party->terminal)))) &&
        payee_signed(&p->evidence, TAG_IFD_SERIAL, said.value) <= PAYEE_SIGNED)
        return LEDGER_NEW;
    return LEDGER_SERIAL;
}

/* The TC that a card makes after a question that came to nothing has a number of its own (DE 11),
 * and still the counter under which the card was asked. */
static bool has_its_number(const struct payment *p, uint32_t counter)
{
    return counter == p->tx.stan ||
           (p->evidence.cdol2_values.n > 0 && (p->result.cid & AC_TYPE) == AC_TC);
}

static enum ledger_verdict payee_fault(const struct payment *p, const struct checker *c)
{
    const enum payee_found found = payee_look(&p->evidence, c->acquirer, &p->tx);
    uint32_t counter = 0;
    struct tlv said;

    if (found == PAYEE_UNSIGNED || (found == PAYEE_NOBODY && is_of_before(p, c)))
        return LEDGER_NEW;
    if (found != PAYEE_SIGNED || payee_sequence(p->tx.emv.de55, &counter) != TP_OK)
        return LEDGER_PAYEE;
    if (!has_its_number(p, counter))
        return LEDGER_PAYEE_STAN;
    return tlv_find(p->tx.emv.de55, TAG_MERCHANT_CUSTOM, &said) == TP_OK ? LEDGER_NEW
                                                                         : LEDGER_PAYEE_MISSING;
}

/* By a mediator: the card signed R, of which 9F37 is the first four bytes. Those alone bind
 * nothing, since another challenge with the same four is found in minutes: where no list asks for
 * 9F7C the payer device must have signed all of it (its statement was verified before). The order
 * names the payee. */
static enum ledger_verdict challenge_fault(const struct payment *p)
{
    const struct mediated_record *m = p->passed->what;
    const enum payee_found found = payee_signed(&p->evidence, TAG_MERCHANT_CUSTOM, SPAN_OF(m->r));
    uint32_t counter = 0;

    if (!span_eq(p->evidence.un, span_of(m->r, UN_BYTES)))
        return LEDGER_CHALLENGE;
    if (payee_sequence(p->tx.emv.de55, &counter) != TP_OK || counter != p->tx.stan)
        return LEDGER_PAYEE_STAN;
    if (found == PAYEE_UNSIGNED)
        return m->device.n > 0 ? LEDGER_NEW : LEDGER_DEVICE_MISSING;
    return found == PAYEE_SIGNED ? LEDGER_NEW : LEDGER_CHALLENGE;
}

enum ledger_verdict check_payee(const struct payment *p, const struct checker *c)
{
    const enum ledger_verdict serial = serial_fault(p, c);

    if (serial != LEDGER_NEW)
        return serial;
    return p->passed != NULL ? challenge_fault(p) : payee_fault(p, c);
}

struct span check_application(const struct evidence *ev)
{
    const struct span certified = evidence_signed_record(ev, TAG_TERMINAL_AID); /* of XDA */
    const struct span aid = certified.n > 0 ? certified : payee_value(ev, TAG_TERMINAL_AID);

    return aid.n > 0 && aid.n <= 16 ? aid : span_of(ev->aid.p, ev->aid.n < 5 ? ev->aid.n : 5);
}
