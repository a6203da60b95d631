/* A command and its answer. */
#include <stdio.h>
#include <stdlib.h>

#include "apdu/apdu.h"
#include "apdu/dol.h"
#include "apdu/emvbits.h"
#include "apdu/emvtags.h"
#include "apdu/sw.h"
#include "base/secret.h"
#include "base/text.h"
#include "decode/decode_priv.h"

static const struct {
    uint8_t ins;
    const char *name, *clause;
} commands[] = {
    {INS_APPLICATION_BLOCK, "APPLICATION BLOCK", "EMV 4.4 Book 3, 6.5.1"},
    {INS_APPLICATION_UNBLOCK, "APPLICATION UNBLOCK", "EMV 4.4 Book 3, 6.5.2"},
    {INS_CARD_BLOCK, "CARD BLOCK", "EMV 4.4 Book 3, 6.5.3"},
    {INS_VERIFY, "VERIFY", "EMV 4.4 Book 3, 6.5.12"},
    {INS_PIN_CHANGE_UNBLOCK, "PIN CHANGE/UNBLOCK", "EMV 4.4 Book 3, 6.5.10"},
    {INS_EXTERNAL_AUTHENTICATE, "EXTERNAL AUTHENTICATE", "EMV 4.4 Book 3, 6.5.4"},
    {INS_GET_CHALLENGE, "GET CHALLENGE", "EMV 4.4 Book 3, 6.5.6"},
    {INS_INTERNAL_AUTHENTICATE, "INTERNAL AUTHENTICATE", "EMV 4.4 Book 3, 6.5.9"},
    {INS_SELECT, "SELECT", "EMV 4.4 Book 1, 11.3"},
    {INS_GET_PROCESSING_OPTIONS, "GET PROCESSING OPTIONS", "EMV 4.4 Book 3, 6.5.8"},
    {INS_GENERATE_AC, "GENERATE AC", "EMV 4.4 Book 3, 6.5.5"},
    {INS_READ_RECORD, "READ RECORD", "EMV 4.4 Book 3, 6.5.11"},
    {INS_GET_RESPONSE, "GET RESPONSE", "EMV 4.3 Book 1, 9.3.1.3"},
    {INS_GET_DATA, "GET DATA", "EMV 4.4 Book 3, 6.5.7"},
    {INS_PUT_DATA, "PUT DATA", "ISO/IEC 7816-4, 11.6.2"},
    {INS_UPDATE_RECORD, "UPDATE RECORD", "ISO/IEC 7816-4, 11.4.6"},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static size_t find(uint8_t ins)
{
    size_t i = 0;

    while (i < COMMANDS && commands[i].ins != ins)
        i++;
    return i;
}

static const char *ins_name(uint8_t ins)
{
    const size_t i = find(ins);

    return i < COMMANDS ? commands[i].name : NULL;
}

static void header(struct listing *l, json_t *o, const struct capdu *c)
{
    static const char *const types[] = {"AAC", "TC", "ARQC", N_("a reserved type")};
    static const char *const selections[2][2] = {
        {N_("by file, first or only occurrence"), N_("by file, next occurrence")},
        {N_("by name, first or only occurrence"), N_("by name, next occurrence")}};
    const uint32_t object = (uint32_t)c->p1 << 8 | c->p2, tag = c->p1 == 0 ? c->p2 : object;

    switch (c->ins) {
    case INS_SELECT:
        listing_means(l, o, "%s", _(selections[c->p1 == SELECT_BY_NAME][c->p2 == SELECT_NEXT]));
        break;
    case INS_READ_RECORD:
        listing_means(l, o, "record %u of file %u (SFI)", c->p1, c->p2 >> 3);
        break;
    case INS_GENERATE_AC:
        listing_means(l, o,
                      (c->p1 & AC_CDA) != 0   ? N_("%s is asked for, with a CDA signature")
                      : (c->p1 & AC_XDA) != 0 ? N_("%s is asked for, with an XDA signature")
                                              : N_("%s is asked for"),
                      _(types[c->p1 >> 6]));
        break;
    case INS_VERIFY:
        listing_means(l, o,
                      c->p2 == VERIFY_PLAINTEXT_PIN    ? N_("PIN, plain")
                      : c->p2 == VERIFY_ENCIPHERED_PIN ? N_("PIN, enciphered")
                                                       : N_("reserved form of the PIN"));
        break;
    case INS_GET_DATA:
    case INS_PUT_DATA:
        if (decode_name(tag) != NULL)
            listing_means(l, o, "%02X, %s", tag, _(decode_name(tag)));
        else
            listing_means(l, o, "%02X, which the dictionary does not know", tag);
        break;
    default:
        break;
    }
    if ((c->cla & 0x0C) != 0)
        listing_means(l, o, "with secure messaging");
}

/* Hidden what may not be seen of it: a PIN in any form, an issuer's data. */
static void set_bytes(struct listing *l, json_t *o, struct span apdu, bool response, bool random)
{
    char *text = malloc(SHOWN_APDU_MAX(apdu.n));

    if (text == NULL) {
        l->failed = true;
        return;
    }
    listing_set(l, o, "value",
                json_string(response ? shown_response(text, &l->d->shown, apdu, random)
                                     : shown_command(text, &l->d->shown, apdu)));
    secret_wipe(text, SHOWN_APDU_MAX(apdu.n));
    free(text);
}

/* The list by which the terminal made the data: of two CDOLs the one that asks for as many bytes.
 */
static struct span list_for(const struct decode *d, const struct capdu *c)
{
    const struct span first = decode_find(d, TAG_CDOL1), second = decode_find(d, TAG_CDOL2);
    size_t n;

    if (c->ins == INS_INTERNAL_AUTHENTICATE)
        return decode_find(d, TAG_DDOL);
    if (d->cryptograms > 0 || (dol_length(first, &n) == TP_OK && n != c->data.n &&
                               dol_length(second, &n) == TP_OK && n == c->data.n))
        return second;
    return first;
}

static void command_data(struct listing *l, json_t *o, const struct capdu *c)
{
    struct listing inside = listing_inside(l);
    const struct span list = list_for(l->d, c);

    if (c->ins == INS_SELECT && c->p1 == SELECT_BY_NAME && c->data.n > 0)
        listing_add_value(&inside, TAG_TERMINAL_AID, c->data);
    else if (c->ins == INS_GET_PROCESSING_OPTIONS)
        listing_tlv(&inside, c->data);
    else if (c->ins == INS_EXTERNAL_AUTHENTICATE)
        listing_add_value(&inside, TAG_ISSUER_AUTH_DATA, c->data);
    else if ((c->ins == INS_GENERATE_AC || c->ins == INS_INTERNAL_AUTHENTICATE) && list.n > 0)
        listing_dol(&inside, list, c->data);
    if (json_array_size(inside.list) > 0 || inside.failed)
        listing_close(l, o, &inside);
    else
        json_decref(inside.list);
}

static void tries_left(struct listing *l, json_t *o, uint16_t sw)
{
    const unsigned n = sw & 0x0F;

    listing_means(l, o, ngettext("%u left", "%u left", n), n);
}

static void answer(struct listing *l, struct span response, uint8_t ins)
{
    json_t *o = listing_add(l, "R-APDU", "answer");
    struct listing inside = listing_inside(l);
    struct rapdu r;

    listing_set(l, o, "length", json_integer((json_int_t)response.n));
    set_bytes(l, o, response, true, ins == INS_GET_CHALLENGE);
    if (rapdu_parse(&r, response) != TP_OK) {
        listing_fault(&inside, response, "an answer has two bytes at least: its status word");
        listing_close(l, o, &inside);
        return;
    }
    listing_means(l, o, "%04X: %s", r.sw, _(sw_text_after(ins, r.sw)));
    if ((r.sw & 0xFFF0) == SW_PIN_TRIES_LEFT)
        tries_left(l, o, r.sw);
    if (ins != INS_GET_CHALLENGE)
        listing_tlv(&inside, r.data);
    if (json_array_size(inside.list) > 0 || inside.failed)
        listing_close(l, o, &inside);
    else
        json_decref(inside.list);
}

void listing_exchange(struct listing *l, struct span command, struct span response)
{
    struct capdu c = {0};
    struct rapdu r;
    const bool parses = capdu_parse(&c, command) == TP_OK;
    json_t *o = listing_add(l, "C-APDU", parses ? ins_name(c.ins) : NULL);

    if (response.p != NULL && rapdu_parse(&r, response) == TP_OK && c.ins != INS_GET_CHALLENGE)
        decode_learn(l->d, r.data);
    listing_set(l, o, "length", json_integer((json_int_t)command.n));
    if (parses) {
        set_bytes(l, o, command, false, false);
        header(l, o, &c);
        if (find(c.ins) < COMMANDS)
            listing_set(l, o, "clause", json_string(commands[find(c.ins)].clause));
        if (shown_command_plain(&l->d->shown, c.ins))
            command_data(l, o, &c);
        l->d->cryptograms += c.ins == INS_GENERATE_AC;
    } else
        listing_fault(l, command, "a command has four bytes, and lengths that agree");
    if (response.p != NULL)
        answer(l, response, c.ins);
}

enum tp_err decode_exchange(json_t **out, struct decode *d, struct span command,
                            struct span response, struct tp_error *e)
{
    struct listing l = {.d = d, .list = json_array()};

    listing_exchange(&l, command, response);
    return listing_take(&l, out, e);
}

enum tp_err decode_status(json_t **out, uint16_t sw, uint8_t ins)
{
    struct listing l = {.list = json_array()};
    const unsigned bytes = (sw & 0xFF) == 0 ? 256 : sw & 0xFF;
    char text[5];
    json_t *o;

    snprintf(text, sizeof(text), "%04X", sw);
    o = listing_add(&l, text, "status word");
    listing_means(&l, o, "%s", _(sw_text_after(ins, sw)));
    if ((sw & 0xFFF0) == SW_PIN_TRIES_LEFT)
        tries_left(&l, o, sw);
    else if ((sw & SW_FAMILY) == SW_MORE_DATA || (sw & SW_FAMILY) == SW_WRONG_LE)
        listing_means(&l, o, ngettext("%u byte", "%u bytes", bytes), bytes);
    listing_set(&l, o, "clause",
                json_string(ins != 0 ? "EMV 4.4 Book 3, 6.3.5 and 6.5" : "ISO/IEC 7816-4, 5.6"));
    return listing_take(&l, out, NULL);
}
