/* Any bytes as a field of HTTP: a list of schemes, challenges, a credential, a digest. What is read
 * can be written, and is then read as the same. */
#include "fuzz.h"

#include <string.h>

#include "wire/http_auth.h"
#include "wire/payment_accept.h"
#include "wire/payment_credential.h"
#include "wire/payment_digest.h"
#include "wire/payment_receipt.h"

static void offers(struct span field)
{
    struct payment_offers read = {0}, back = {0};
    const enum tp_err r = payment_offers_add(&read, field, NULL);
    json_t *one, *other;
    uint8_t hash[PAYMENT_R];
    char *text;

    HOLDS(r == TP_OK || r == TP_ERR_FORMAT || r == TP_ERR_RANGE);
    for (size_t i = 0; i < read.n; i++) {
        if (payment_challenge_write(&text, &read.offer[i], NULL) != TP_OK) {
            /* only a bound parameter with the separator is read and not written */
            HOLDS(payment_challenge_r(hash, &read.offer[i], NULL) == TP_ERR_FORMAT);
            continue;
        }
        HOLDS(payment_offers_add(&back, span_str(text), NULL) == TP_OK && back.n == 1);
        HOLDS(payment_challenge_to_json(&one, &read.offer[i], NULL) == TP_OK);
        HOLDS(payment_challenge_to_json(&other, &back.offer[0], NULL) == TP_OK);
        HOLDS(json_equal(one, other));
        json_decref(one);
        json_decref(other);
        payment_offers_free(&back);
        free(text);
    }
    payment_offers_free(&read);
}

static void credential(struct span field)
{
    struct payment_credential read, back;
    struct tp_error e = {TP_OK, ""};
    uint8_t one[32], other[32];
    char *text;

    if (payment_credential_read(&read, field, &e) != TP_OK) {
        HOLDS(e.text[0] != '\0' && read.owner == NULL);
        return;
    }
    HOLDS(payment_credential_write(&text, &read, &e) == TP_OK);
    if (strlen(text) <= HTTP_AUTH_FIELD_MAX) { /* a spelling with escapes may be longer */
        HOLDS(payment_credential_read(&back, span_str(text), &e) == TP_OK);
        HOLDS(payment_credential_hash(one, &read, &e) == TP_OK);
        HOLDS(payment_credential_hash(other, &back, &e) == TP_OK);
        HOLDS(memcmp(one, other, sizeof(one)) == 0);
        payment_credential_free(&back);
    }
    free(text);
    payment_credential_free(&read);
}

static void receipt(struct span field)
{
    struct payment_receipt read;

    if (payment_receipt_read(&read, field, NULL) == TP_OK)
        HOLDS(read.method != NULL && read.timestamp != NULL && read.reference != NULL);
    payment_receipt_free(&read);
}

static void digest(struct span field)
{
    char *text = calloc(1, field.n + 1), out[PAYMENT_DIGEST_SIZE];
    uint8_t hash[32], back[32];

    HOLDS(text != NULL);
    memcpy(text, field.p, field.n);
    if (payment_digest_read(hash, text, NULL) == TP_OK) {
        HOLDS(payment_digest_read(back, payment_digest_write(out, hash), NULL) == TP_OK);
        HOLDS(memcmp(hash, back, sizeof(hash)) == 0);
    }
    free(text);
}

static void accepted(struct span field)
{
    unsigned weight;

    if (payment_accept(&weight, field, "emv", "charge", NULL) == TP_OK)
        HOLDS(weight <= HTTP_WEIGHT_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > HTTP_AUTH_FIELD_MAX + 1)
        return 0;
    offers(span_of(data, size));
    credential(span_of(data, size));
    receipt(span_of(data, size));
    digest(span_of(data, size));
    accepted(span_of(data, size));
    return 0;
}
