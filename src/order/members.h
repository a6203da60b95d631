/* Members of a JSON object that are strings, as a table: what each may be is said once, for who
 * writes and who reads. */
#ifndef TP_ORDER_MEMBERS_H
#define TP_ORDER_MEMBERS_H

#include <jansson.h>

#include "base/span.h"

struct member {
    const char *name;
    size_t offset;              /* of the const char * in the struct */
    bool (*good)(const char *); /* what it may be */
    bool optional;              /* NULL: absent */
};

/* Fills the struct with the strings of the object, which live as long as it does. The object has
 * these members and `others` further ones that the caller reads, and none else. TP_ERR_FORMAT with
 * the member's name. */
TP_MUST_CHECK enum tp_err members_read(void *out, const json_t *object, const struct member *table,
                                       size_t n, size_t others, struct tp_error *e);

/* Sets the object's members. TP_ERR_FORMAT for one that could not be read again. */
TP_MUST_CHECK enum tp_err members_write(json_t *object, const void *in, const struct member *table,
                                        size_t n, struct tp_error *e);

bool member_is_amount(const char *text);   /* minor units, more than 0, at most MONEY_MAX */
bool member_is_currency(const char *text); /* ISO 4217, lower case */
bool member_is_order(const char *text);    /* 26 characters of base32 (RFC 4648), lower case */
bool member_is_contract(const char *text); /* DE 42: 15 letters or digits */
bool member_is_terminal(const char *text); /* DE 41: 8 letters or digits */
bool member_is_country(const char *text);  /* ISO 3166, three digits */
bool member_is_mcc(const char *text);      /* DE 18: four digits */
bool member_is_hash(const char *text);     /* base64url of 32 bytes */
bool member_is_time(const char *text);     /* RFC 3339, UTC */
bool member_is_acquirer(const char *text); /* its identification: 1 to 16 letters or digits */
bool member_is_mediator(const char *text); /* its name: at most 32 bytes */
bool member_is_code(const char *text);     /* DE 39 */
bool member_is_reason(const char *text);   /* DE 44: 1 to 25 characters */
bool member_is_outcome(const char *text);  /* "acknowledged" or "refused" */

/* "acknowledged" and the code "00" go together. TP_ERR_FORMAT. */
TP_MUST_CHECK enum tp_err members_outcome(const char *outcome, const char *code,
                                          struct tp_error *e);

/* The number `version`, which no table has. TP_ERR_FORMAT for another than 1. */
TP_MUST_CHECK enum tp_err members_version(const json_t *object, struct tp_error *e);
TP_MUST_CHECK enum tp_err members_set_version(json_t *object, struct tp_error *e);

#endif
