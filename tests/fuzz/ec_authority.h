/* An authority whose key is of an elliptic curve, for fuzzers. */
#ifndef TESTS_FUZZ_EC_AUTHORITY_H
#define TESTS_FUZZ_EC_AUTHORITY_H

#include "crypto/capk.h"

/* The authority of tests/vectors/xda-p256.json, by an elliptic curve. */
#define EC_AUTHORITY                                                                               \
    "2000F00000001402101E2AFB9E08DDD5A5EEAB9970485F559F350BEE78646B4A089DF18A6317D206E3"           \
    "22799B7DB0E91B701EF8736D6D8DA176C5E286DF503BB4A26D5CC1D65663E4EB6092924FD6EFC10F8B51C167CDE2" \
    "C28AF1D08B313EB2A4DE597E4CFC76A965E2"

static enum tp_err take_ec(struct capk_store *store)
{
    json_t *list = json_pack("{s:[{s:s}]}", "keys", "self_signed", EC_AUTHORITY);
    enum tp_err r = capk_store_take(store, list, "list", NULL);

    if (r == TP_OK)
        r = capk_store_need(store, (const uint8_t[5]){0xF0, 0, 0, 0, 0x14}, NULL);
    json_decref(list);
    return r;
}

#endif
