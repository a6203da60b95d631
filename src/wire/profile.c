#include "wire/profile.h"

#include <stdio.h>

#define FIELDS_MAX 20

static const struct {
    enum profile profile;
    unsigned mti, repeat; /* 0: no repeat */
    uint8_t n, needs[FIELDS_MAX];
} rows[] = {
    {PROFILE_TERMINAL,
     MTI_FINANCIAL,
     MTI_FINANCIAL_REPEAT,
     15,
     {2, 3, 4, 7, 11, 12, 13, 14, 22, 25, 41, 42, 49, 55, 61}},
    {PROFILE_TERMINAL, MTI_FINANCIAL_RESPONSE, 0, 10, {3, 4, 7, 11, 12, 13, 39, 41, 42, 49}},
    {PROFILE_TERMINAL, MTI_REVERSAL, MTI_REVERSAL_REPEAT, 6, {7, 11, 13, 41, 42, 90}},
    {PROFILE_TERMINAL, MTI_REVERSAL_RESPONSE, 0, 6, {7, 11, 13, 39, 41, 42}},
    {PROFILE_TERMINAL, MTI_RECONCILIATION, 0, 9, {7, 11, 41, 42, 74, 76, 86, 88, 97}},
    {PROFILE_TERMINAL, MTI_RECONCILIATION_RESPONSE, 0, 5, {7, 11, 39, 41, 42}},
    {PROFILE_TERMINAL, MTI_NETWORK, 0, 5, {7, 11, 41, 42, 70}},
    {PROFILE_TERMINAL, MTI_NETWORK_RESPONSE, 0, 6, {7, 11, 39, 41, 42, 70}},
    {PROFILE_ISSUER,
     MTI_AUTHORISATION,
     0,
     17,
     {2, 3, 4, 7, 11, 12, 13, 14, 18, 22, 25, 32, 37, 41, 42, 49, 55}},
    {PROFILE_ISSUER,
     MTI_AUTHORISATION_RESPONSE,
     0,
     12,
     {3, 4, 7, 11, 12, 13, 32, 37, 39, 41, 42, 49}},
    {PROFILE_ISSUER,
     MTI_REVERSAL,
     MTI_REVERSAL_REPEAT,
     13,
     {2, 3, 4, 7, 11, 12, 13, 32, 37, 41, 42, 49, 90}},
    {PROFILE_ISSUER, MTI_REVERSAL_RESPONSE, 0, 5, {7, 11, 32, 37, 39}},
    {PROFILE_ISSUER, MTI_NETWORK, 0, 4, {7, 11, 32, 70}},
    {PROFILE_ISSUER, MTI_NETWORK_RESPONSE, 0, 5, {7, 11, 32, 39, 70}},
};

const uint8_t *profile_needs(size_t *n, enum profile of, unsigned mti)
{
    *n = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].profile != of ||
            (rows[i].mti != mti && (rows[i].repeat == 0 || rows[i].repeat != mti)))
            continue;
        *n = rows[i].n;
        return rows[i].needs;
    }
    return NULL;
}

unsigned profile_missing(enum profile of, const struct iso8583 *m)
{
    size_t n;
    const uint8_t *needs = profile_needs(&n, of, m->mti);

    for (size_t i = 0; i < n; i++)
        if (!iso8583_has(m, needs[i]))
            return needs[i];
    return 0;
}

const char *profile_fault(char reason[PROFILE_REASON_MAX], enum profile of, const struct iso8583 *m)
{
    const unsigned field = profile_missing(of, m);

    snprintf(reason, PROFILE_REASON_MAX, "DE%u_MISSING", field % 1000);
    return field != 0 ? reason : NULL;
}
