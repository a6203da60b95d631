/* How the rows of a combination come together: the order of Book 3, 8.2, no more. What a row
 * contributes is its own affair (product_rows.h). */
#include "product.h"

#include <stdio.h>
#include <string.h>

static const struct method_row methods[METHODS] = {
    [NONE] = {"none", 0x80,
              0x00}, /* offline data authentication was not performed: Book 3, Annex C5 */
    [SDA] = {"SDA", 0x02, 0x40}, /* SDA selected; SDA failed */
    [DDA] = {"DDA", 0x00, 0x08},
    [CDA] = {"CDA", 0x00, 0x04},
};

enum {
    TSI_ODA = 0x80,
    TSI_CVM = 0x40,
    TSI_CARD = 0x20,
    TSI_ISSUER = 0x10,
    TSI_RISK = 0x08,
    TSI_SCRIPT = 0x04
}; /* Book 3, Annex C6 */

static unsigned nibble(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* Book 3, 10.7: a bit that stands in the TVR and in one of the two codes. */
static bool hit(const uint8_t tvr[5], const struct codes_row *codes, unsigned which)
{
    const char *iac = codes->iac[which], *tac = codes->tac[which];

    for (unsigned i = 0; i < 5; i++)
        if ((tvr[i] & (nibble(iac[2 * i]) << 4 | nibble(iac[2 * i + 1]) | nibble(tac[2 * i]) << 4 |
                       nibble(tac[2 * i + 1]))) != 0)
            return true;
    return false;
}

static enum ac terminal_asks(const struct expected *x, const struct combination *c)
{
    if (hit(x->tvr, c->codes, 0))
        return AAC;
    if (c->type->online_only)
        return ARQC;
    if (c->type->offline_only)
        return hit(x->tvr, c->codes, 2) ? AAC : TC;
    return hit(x->tvr, c->codes, 1) ? ARQC : TC;
}

/* 10.3; Book 4, 6.3.2. */
static enum fails authenticate(struct expected *x, const struct combination *c)
{
    const enum fails fails =
        c->fault
            ->with[x->method = c->fault->hides_methods ? NONE : c->terminal->with[c->card_index]];

    x->tvr[0] |= methods[x->method].tvr;
    if (fails == EARLY || (fails == SIGNED && x->method == DDA))
        x->tvr[0] |= (uint8_t)(methods[x->method].tvr_failed | (c->fault->data_missing ? 0x20 : 0));
    if (x->method == SDA || x->method == DDA || (x->method == CDA && fails == EARLY))
        x->tsi |= TSI_ODA;
    x->dda = x->method == DDA && fails != EARLY; /* one INTERNAL AUTHENTICATE */
    x->commands += x->dda;
    return fails;
}

/* An enciphered PIN for which no key can be had: Book 2, 7.1: the method failed, and nobody is
 * asked for a PIN. */
static const struct cvm_row keyless = {
    .pins = "", .tvr3 = 0x80, .results = "040301", .commands = 1};

static void verify(struct expected *x, const struct combination *c)
{
    const bool enciphered = c->cvm->list != NULL && strncmp(c->cvm->list, "04", 2) == 0;
    const bool lost = c->fault->no_issuer_key || (c->fault->no_card_key && !c->key->own);
    const struct cvm_row *row = enciphered && lost ? &keyless : c->cvm;

    x->tvr[0] |= row->tvr1;
    x->tvr[2] |= row->tvr3;
    x->cvm_results = row->results;
    x->pins = row->pins;
    x->commands += row->commands;
    x->pin = row->cvr;
    if (strcmp(row->results, "3F0000") !=
        0) /* Book 4, table 2: performed whenever a rule was looked at */
        x->tsi |= TSI_CVM;
}

static void risk(struct expected *x, const struct combination *c)
{
    x->tvr[0] |= c->risk->tvr1;
    x->tvr[1] |= c->risk->tvr2;
    x->tvr[3] |= c->type->offline_only
                     ? c->risk->tvr4 & (uint8_t)~0x10
                     : c->risk->tvr4; /* selected for online: only where there is a way */
    x->commands += c->risk->commands;
    x->tsi |= TSI_RISK;
}

/* One GENERATE AC with the TVR as it is now; P1: Book 3, table 12. */
static void generate(struct expected *x, enum ac asked, bool cda, unsigned nth)
{
    const size_t n = strlen(x->p1);

    memcpy(x->tvr_at[nth], x->tvr, sizeof(x->tvr));
    snprintf(x->p1 + n, sizeof(x->p1) - n, "%s%X0", n > 0 ? "," : "",
             (unsigned)asked << 2 | (cda ? 1U : 0U));
    x->commands++;
}

static void set_arc(struct expected *x, const char *arc)
{
    memcpy(x->arc, arc, sizeof(x->arc));
}

static void end(struct expected *x, enum ac got)
{
    x->end = got == TC ? APPROVED : DECLINED;
}

/* The last GENERATE AC. got: the card's own wish for a TC that is asked. */
static void second(struct expected *x, const struct combination *c, enum ac asked, enum ac got,
                   bool cda)
{
    x->has_second = true;
    x->second = asked == AAC ? AAC : got;
    generate(x, asked, cda && asked != AAC, 1);
    cda = cda && x->second != AAC;
    x->cda_once = x->cda_once || cda;
    x->signature_good = cda && !c->own->lies_second;
    x->ac_unread = cda && c->own->lies_second; /* in a signature that nobody looks at */
    end(x, c->own->lies_second ? AAC : x->second);
}

/* Book 3, 10.9 to 10.11. */
static void reached(struct expected *x, const struct combination *c, bool cda)
{
    const struct issuer_row *i = c->issuer;
    const bool sent = i->sent != NO_ARPC;
    enum arpc learned = c->way->external || c->way->cdol2 ? i->learned : NO_ARPC;
    const bool refused =
        i->tvr_failed ||
        (c->own->wrong_ac &&
         i->learned != NO_ARPC); /* an ARPC over another ARQC is wrong: Book 2, 8.2 */

    if (c->own->wrong_ac && learned != NO_ARPC)
        learned = WRONG;
    set_arc(x, i->arc);
    if (c->way->external && sent) {
        x->tsi |= TSI_ISSUER;
        x->tvr[4] |= refused ? 0x40 : 0;
        x->commands++;
    }
    x->issuer_failed = learned == WRONG;
    if (c->script->scripts[0] != '\0')
        x->tsi |= TSI_SCRIPT;
    x->tvr[4] |= c->script->tvr5 & 0x20;
    x->script_failed = c->script->cvr_failed;
    x->commands += c->script->commands[0];
    second(x, c, i->approves ? TC : AAC, c->script->blocks ? AAC : c->way->second[learned], cda);
    x->reversal = i->approves && x->end != APPROVED;
    x->tvr[4] |= c->script->tvr5 & 0x10;
    x->scripts = c->script->results;
    x->commands += c->script->commands[1];
}

static void unable(struct expected *x, const struct combination *c, bool cda)
{
    const enum ac asked = c->type->online_only || hit(x->tvr, c->codes, 2) ? AAC : TC;

    set_arc(x, asked == TC ? "Y3" : "Z3"); /* Book 4, Annex A6 */
    x->unable = true;
    second(x, c, asked, c->own->unable, cda);
}

void expect(struct expected *x, const struct combination *c)
{
    enum fails fails;
    enum ac asked;
    bool cda;

    *x = (struct expected){.scripts = "", .wrong_ac = c->own->wrong_ac};
    fails = authenticate(x, c);
    verify(x, c);
    risk(x, c);
    asked = terminal_asks(x, c);
    cda = x->method == CDA && fails != EARLY;
    if (cda && asked == AAC) { /* Book 2, figure 3: an AAC is not signed */
        x->tvr[0] |= methods[NONE].tvr;
        cda = false;
    }
    generate(x, asked, cda, 0);
    if (c->own->ends_first[asked]) {
        x->end = ENDED;
        return;
    }
    x->tsi |= TSI_CARD;
    x->first =
        asked == TC && c->type->offline_only ? c->own->first_offline_only : c->own->first[asked];
    if (cda && x->first != AAC) { /* Book 2, 6.6.2 */
        x->tsi |= TSI_ODA;
        x->signature_failed = fails == SIGNED;
        x->cda_once = !c->fault->no_signature;
        x->signature_first = x->signature_good = !x->signature_failed;
        x->tvr[0] |= x->signature_failed ? methods[CDA].tvr_failed : 0;
    }
    if (x->first == ARQC && !x->signature_failed) {
        if (c->issuer->reached)
            reached(x, c, cda);
        else
            unable(x, c, cda);
        return;
    }
    set_arc(x, x->first == TC && !x->signature_failed ? "Y1" : "Z1");
    if (x->signature_failed &&
        c->fault->other_cid) { /* what is signed counts: Book 4, 6.3.2.1. The card knows better, and
                                  gives no second AC */
        if (x->first == TC)
            generate(x, AAC, false, 1);
        end(x, AAC);
    } else if (x->first == ARQC) { /* not sent to the issuer, ended by an AAC: Book 4, 6.3.2.1 */
        second(x, c, AAC, AAC, false);
    } else {
        end(x, x->signature_failed ? AAC : x->first);
    }
}
