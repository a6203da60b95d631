/* The public vectors of the "Payment" scheme (tests/vectors/payment-scheme.json, from
 * lightninglabs/aperture; payment-scheme-challenge-id.json, from tempoxyz/mpp-tools), for tests. */
#ifndef TP_TESTS_UNIT_PAYMENT_VECTORS_H
#define TP_TESTS_UNIT_PAYMENT_VECTORS_H

#include <jansson.h>
#include <stdio.h>

#include "unit.h"

static json_t *vectors_load(const char *name)
{
    char path[4096];
    json_error_t error;

    snprintf(path, sizeof(path), "%s/vectors/%s", getenv("TESTS_SRCDIR"), name);

    json_t *all = json_load_file(path, JSON_ALLOW_NUL, &error);

    ck_assert_msg(all != NULL, "%s: %s", path, error.text);
    return all;
}

static const char *vector_text(const json_t *vector, const char *name)
{
    return json_string_value(json_object_get(vector, name));
}

static inline bool vector_fails(const json_t *vector)
{
    return json_is_true(json_object_get(vector, "error"));
}

/* Each vector of a list of that many, as `vector`. */
#define FOR_EACH_VECTOR(all, list, count)                                                          \
    ck_assert_uint_eq(json_array_size(json_object_get(all, list)), (count));                       \
    json_array_foreach(json_object_get(all, list), vector_at, vector)

#endif
