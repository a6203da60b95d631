/* Any bytes as the JSON of a credential, a challenge, a problem and, within base64url, a charge's
 * request: what is read can be written and is then read as the same. */
#include "fuzz.h"

#include <string.h>

#include "base/base64.h"
#include "wire/jcs.h"
#include "wire/payment_charge.h"
#include "wire/payment_credential.h"
#include "wire/payment_problem.h"

static void credential(struct span body)
{
    struct payment_credential c, back;
    uint8_t one[32], other[32];
    char *text;

    if (payment_credential_read_json(&c, body, NULL) != TP_OK)
        return;
    HOLDS(payment_credential_write_json(&text, &c, NULL) == TP_OK);
    if (strlen(text) <= PAYMENT_CREDENTIAL_MAX) {
        HOLDS(payment_credential_read_json(&back, span_str(text), NULL) == TP_OK);
        HOLDS(payment_credential_hash(one, &c, NULL) == TP_OK);
        HOLDS(payment_credential_hash(other, &back, NULL) == TP_OK);
        HOLDS(memcmp(one, other, sizeof(one)) == 0);
        payment_credential_free(&back);
    }
    free(text);
    payment_credential_free(&c);
}

static void problem(struct span body)
{
    struct payment_problem p;
    const enum tp_err r = payment_problem_read(&p, body, NULL);

    HOLDS(p.type <= PAYMENT_OTHER && (r == TP_OK) == (p.owner != NULL));
    payment_problem_free(&p);
}

static void charge(struct span json)
{
    char *request = malloc(BASE64URL_SIZE(json.n)), *text;
    struct payment_charge c, back;
    int64_t minor;

    HOLDS(request != NULL);
    base64url_encode(request, json);
    if (payment_charge_read(&c, request, NULL) == TP_OK) {
        HOLDS(payment_charge_write(&text, &c, NULL) == TP_OK);
        if (BASE64_ROOM(strlen(text)) <= PAYMENT_REQUEST_MAX) {
            HOLDS(payment_charge_read(&back, text, NULL) == TP_OK);
            HOLDS(strcmp(c.amount, back.amount) == 0 && strcmp(c.currency, back.currency) == 0);
            payment_charge_free(&back);
        }
        HOLDS(payment_charge_amount(&minor, &c, NULL) != TP_OK || minor >= 0);
        free(text);
    }
    payment_charge_free(&c);
    free(request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > PAYMENT_CREDENTIAL_MAX + 1)
        return 0;
    credential(span_of(data, size));
    problem(span_of(data, size));
    charge(span_of(data, size));
    return 0;
}
