#include "wire/profile.h"

#include <stdio.h>

#define COLUMNS 22

static const struct {
    enum profile profile;
    unsigned mti, repeat; /* 0: no repeat */
} columns[COLUMNS] = {
    {PROFILE_TERMINAL, MTI_FINANCIAL, MTI_FINANCIAL_REPEAT},
    {PROFILE_TERMINAL, MTI_FINANCIAL_RESPONSE, 0},
    {PROFILE_TERMINAL, MTI_REVERSAL, MTI_REVERSAL_REPEAT},
    {PROFILE_TERMINAL, MTI_REVERSAL_RESPONSE, 0},
    {PROFILE_TERMINAL, MTI_RECONCILIATION, 0},
    {PROFILE_TERMINAL, MTI_RECONCILIATION_RESPONSE, 0},
    {PROFILE_TERMINAL, MTI_NETWORK, 0},
    {PROFILE_TERMINAL, MTI_NETWORK_RESPONSE, 0},
    {PROFILE_ISSUER, MTI_AUTHORISATION, 0},
    {PROFILE_ISSUER, MTI_AUTHORISATION_RESPONSE, 0},
    {PROFILE_ISSUER, MTI_REVERSAL, MTI_REVERSAL_REPEAT},
    {PROFILE_ISSUER, MTI_REVERSAL_RESPONSE, 0},
    {PROFILE_ISSUER, MTI_NETWORK, 0},
    {PROFILE_ISSUER, MTI_NETWORK_RESPONSE, 0},
    {PROFILE_MEDIATOR, MTI_FINANCIAL, MTI_FINANCIAL_REPEAT},
    {PROFILE_MEDIATOR, MTI_FINANCIAL_RESPONSE, 0},
    {PROFILE_MEDIATOR, MTI_REVERSAL, MTI_REVERSAL_REPEAT},
    {PROFILE_MEDIATOR, MTI_REVERSAL_RESPONSE, 0},
    {PROFILE_MEDIATOR, MTI_ADMINISTRATIVE, 0},
    {PROFILE_MEDIATOR, MTI_ADMINISTRATIVE_RESPONSE, 0},
    {PROFILE_MEDIATOR, MTI_NETWORK, 0},
    {PROFILE_MEDIATOR, MTI_NETWORK_RESPONSE, 0},
};

enum { /* a letter a use */
       N = PROFILE_NEEDED,
       O = PROFILE_OPTIONAL,
       NE = N | PROFILE_ECHOED,
       NEC = NE | PROFILE_COMPARED,
       OE = O | PROFILE_ECHOED,
       OEC = OE | PROFILE_COMPARED,
       NF = N | PROFILE_FORWARDED,
       OF = O | PROFILE_FORWARDED,
       NI = N | PROFILE_IDENTITY,
       NFI = NF | PROFILE_IDENTITY,
       OFI = OF | PROFILE_IDENTITY
};

/* clang-format off */
static const struct {
    uint8_t field, use[COLUMNS];
} rows[] = { /* by field */
    /*        terminal and acquirer                            acquirer and issuer                  mediator and acquirer
           0200  0210  0400  0410  0500  0510  0800  0810  0100  0110  0400  0410  0800  0810  0200  0210  0400  0410  0600  0610  0800  0810 */
    {  2, {   N,    0,   OF,    0,    0,    0,    0,    0,  NFI,   OE,    N,   OE,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0}},
    {  3, {   N,   NE,   OF,   OE,    0,    0,    0,    0,  NFI,  NEC,    N,   OE,    0,    0,    N,   NE,   OF,   OE,    0,    0,    0,    0}},
    {  4, {   N,  NEC,   OF,  OEC,    0,    0,    0,    0,  NFI,  NEC,    N,   OE,    0,    0,    N,  NEC,   OF,  OEC,    0,    0,    0,    0}},
    {  7, {   N,   NE,    N,   NE,    N,   NE,    N,   NE,    N,  NEC,    N,   NE,    N,   NE,    N,   NE,    N,   NE,    N,   NE,    N,   NE}},
    { 11, {   N,  NEC,    N,  NEC,    N,  NEC,    N,   NE,    N,  NEC,    N,  NEC,    N,   NE,    N,  NEC,    N,  NEC,    N,   NE,    N,   NE}},
    { 12, {   N,  NEC,   OF,  OEC,    0,    0,    0,    0,   NF,  NEC,    N,   OE,    0,    0,    N,  NEC,   OF,  OEC,    0,    0,    0,    0}},
    { 13, {   N,  NEC,   NF,  NEC,    O,  OEC,    0,    0,   NF,  NEC,    N,   OE,    0,    0,    N,  NEC,   NF,  NEC,    0,    0,    0,    0}},
    { 14, {   N,    0,    0,    0,    0,    0,    0,    0,  NFI,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0}},
    { 18, {   O,    0,    0,    0,    0,    0,    0,    0,   NF,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0}},
    { 22, {   N,    0,    0,    0,    0,    0,    0,    0,  NFI,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0}},
    { 23, {   O,    0,    0,    0,    0,    0,    0,    0,  OFI,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0}},
    { 25, {   N,    0,    0,    0,    0,    0,    0,    0,  NFI,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0}},
    { 32, {   0,    0,    0,    0,    0,    0,    0,    0,   NI,  NEC,    N,   NE,    N,   NE,    0,    0,    0,    0,    0,    0,    0,    0}},
    { 37, {   O,    O,    0,    O,    0,    0,    0,    0,   NI,  NEC,    N,  NEC,    0,    0,    0,    O,    0,    O,    0,    0,    0,    0}},
    { 38, {   0,    O,    0,    0,    0,    0,    0,    0,    0,    O,    0,    0,    0,    0,    0,    O,    0,    0,    0,    0,    0,    0}},
    { 39, {   0,    N,    0,    N,    0,    N,    0,    N,    0,    N,    0,    N,    0,    N,    0,    N,    0,    N,    0,    N,    0,    N}},
    { 41, {   N,  NEC,   NF,  NEC,    N,  NEC,    N,   NE,  NFI,  NEC,    N,   OE,    0,    0,    N,  NEC,   NF,  NEC,    N,   NE,    N,   NE}},
    { 42, {   N,  NEC,   NF,  NEC,    N,  NEC,    N,   NE,  NFI,  NEC,    N,   OE,    0,    0,    N,  NEC,   NF,  NEC,    N,   NE,    N,   NE}},
    { 44, {   0,    O,    0,    O,    0,    O,    0,    O,    0,    O,    0,    O,    0,    O,    0,    O,    0,    O,    0,    O,    0,    O}},
    { 49, {   N,  NEC,   OF,  OEC,    0,    0,    0,    0,  NFI,  NEC,    N,   OE,    0,    0,    N,  NEC,   OF,  OEC,    0,    0,    0,    0}},
    { 55, {   N,    O,    0,    0,    0,    0,    0,    0,   NI,    O,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0}},
    { 61, {   N,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0}},
    { 62, {   O,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0}},
    { 63, {   O,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0}},
    { 66, {   0,    0,    0,    0,    0,    O,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0}},
    { 70, {   0,    0,    0,    0,    0,    0,    N,   NE,    0,    0,    0,    0,    N,   NE,    0,    0,    0,    0,    0,    0,    N,   NE}},
    { 74, {   0,    0,    0,    0,    N,    O,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0}},
    { 76, {   0,    0,    0,    0,    N,    O,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0}},
    { 86, {   0,    0,    0,    0,    N,    O,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0}},
    { 88, {   0,    0,    0,    0,    N,    O,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0}},
    { 90, {   0,    0,    N,    0,    0,    0,    0,    0,    0,    0,    N,    0,    0,    0,    0,    0,    N,    0,    0,    0,    0,    0}},
    { 97, {   0,    0,    0,    0,    N,    O,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0}},
    {112, {    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    N,    O,    0,    0,    N,    O,    0,    0}},
    {113, {    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    O,    O,    0,    0,    O,    O,    0,    0}},
    {114, {    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    O,    O,    0,    0,    O,    O,    0,    0}},
    {115, {    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    O,    O,    0,    0,    O,    O,    0,    0}},
    {116, {    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    O,    O,    0,    0,    O,    O,    0,    0}},
    {117, {    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    O,    O,    0,    0,    O,    O,    0,    0}},
    {118, {    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    O,    O,    0,    0,    O,    O,    0,    0}},
    {119, {    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    O,    O,    0,    0,    O,    O,    0,    0}},
    {120, {    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    O,    O,    0,    0,    O,    O,    0,    0}},
    {121, {    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    O,    O,    0,    0,    O,    O,    0,    0}},
    {122, {    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    O,    O,    0,    0,    O,    O,    0,    0}},
    {123, {    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    O,    O,    0,    0,    O,    O,    0,    0}},
    {124, {    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    O,    O,    0,    0,    O,    O,    0,    0}},
    {125, {    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    O,    O,    0,    0,    O,    O,    0,    0}},
    {126, {    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    O,    O,    0,    0,    O,    O,    0,    0}},
    {127, {    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    O,    O,    0,    0,    O,    O,    0,    0}},
};
/* clang-format on */

static size_t column_of(enum profile of, unsigned mti) /* COLUMNS: none */
{
    size_t i = 0;

    while (i < COLUMNS &&
           (columns[i].profile != of ||
            (columns[i].mti != mti && (columns[i].repeat == 0 || columns[i].repeat != mti))))
        i++;
    return i;
}

static unsigned use_in_any(enum profile of, const uint8_t use[COLUMNS])
{
    unsigned any = 0;

    for (size_t i = 0; i < COLUMNS; i++)
        if (columns[i].profile == of)
            any |= use[i];
    return any;
}

unsigned profile_next(enum profile of, unsigned mti, enum profile_use use, unsigned after)
{
    const size_t column = column_of(of, mti);

    if (column == COLUMNS && use != PROFILE_ECHOED)
        return 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const unsigned has = column < COLUMNS ? rows[i].use[column] : use_in_any(of, rows[i].use);

        if (rows[i].field > after && (has & use) != 0)
            return rows[i].field;
    }
    return 0;
}

unsigned profile_missing(enum profile of, const struct iso8583 *m)
{
    unsigned f = 0;

    while ((f = profile_next(of, m->mti, PROFILE_NEEDED, f)) != 0)
        if (!iso8583_has(m, f))
            return f;
    return 0;
}

const char *profile_fault(char reason[PROFILE_REASON_MAX], enum profile of, const struct iso8583 *m)
{
    const unsigned field = profile_missing(of, m);

    snprintf(reason, PROFILE_REASON_MAX, "DE%u_MISSING", field % 1000);
    return field != 0 ? reason : NULL;
}

unsigned profile_differs(enum profile of, const struct iso8583 *answer,
                         const struct iso8583 *question)
{
    unsigned f = 0;

    while ((f = profile_next(of, answer->mti, PROFILE_COMPARED, f)) != 0)
        if (!iso8583_has(answer, f) || !iso8583_has(question, f) ||
            !span_eq(answer->field[f], question->field[f]))
            return f;
    return 0;
}

void profile_forward(enum profile of, struct iso8583 *request, const struct iso8583 *about)
{
    unsigned f = 0;

    while ((f = profile_next(of, request->mti, PROFILE_FORWARDED, f)) != 0)
        request->field[f] = about->field[f];
}
