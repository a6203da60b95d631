#include "order/acknowledgement.h"

#include <string.h>

#include "base/date.h"
#include "order/members.h"
#include "wire/jcs.h"

#define REFERENCE_CHARS 12
#define ALNUM           "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define COUNT(table)    (sizeof(table) / sizeof((table)[0]))

static bool is_reference(const char *text)
{
    return strlen(text) == REFERENCE_CHARS && strspn(text, ALNUM) == REFERENCE_CHARS;
}

static const struct member members[] = {
    {"r", offsetof(struct acknowledgement, r), member_is_hash, false},
    {"order", offsetof(struct acknowledgement, order), member_is_order, false},
    {"contract", offsetof(struct acknowledgement, contract), member_is_contract, false},
    {"amount", offsetof(struct acknowledgement, amount), member_is_amount, false},
    {"currency", offsetof(struct acknowledgement, currency), member_is_currency, false},
    {"reference", offsetof(struct acknowledgement, reference), is_reference, true},
    {"code", offsetof(struct acknowledgement, code), member_is_code, false},
    {"reason", offsetof(struct acknowledgement, reason), member_is_reason, true},
    {"outcome", offsetof(struct acknowledgement, outcome), member_is_outcome, false},
    {"at", offsetof(struct acknowledgement, at), member_is_time, false},
    {"payment", offsetof(struct acknowledgement, payment), member_is_hash, true},
};

bool acknowledgement_is_positive(const struct acknowledgement *a)
{
    return strcmp(a->outcome, "acknowledged") == 0;
}

/* A positive one is found again by its reference, and says so with its code. */
static enum tp_err check(const struct acknowledgement *a, struct tp_error *e)
{
    if (acknowledgement_is_positive(a) && a->reference == NULL)
        return tp_fail(e, TP_ERR_FORMAT, "it has no reference");
    return members_outcome(a->outcome, a->code, e);
}

enum tp_err acknowledgement_write(char **jws, const struct acknowledgement *a,
                                  const struct order_key *key, struct tp_error *e)
{
    json_t *object = json_object();
    enum tp_err r = members_write(object, a, members, COUNT(members), e);

    *jws = NULL;
    if (r == TP_OK)
        r = check(a, e);
    if (r == TP_OK)
        r = members_set_version(object, e);
    if (r == TP_OK)
        r = token_sign(jws, object, ACKNOWLEDGEMENT_TYPE, key, e);
    json_decref(object);
    if (r != TP_OK)
        (void)tp_error_prefix(e, "the acknowledgement");
    return r;
}

enum tp_err acknowledgement_read(struct acknowledgement *out, const char *jws,
                                 const struct order_authority *authority, struct tp_error *e)
{
    struct token t = {0};
    struct order_holder holder = {0};
    time_t at = 0;
    enum tp_err r = token_read(&t, jws, ACKNOWLEDGEMENT_TYPE, e);

    *out = (struct acknowledgement){0};
    if (r == TP_OK) {
        out->owner = json_incref(t.payload);
        r = members_version(t.payload, e);
    }
    if (r == TP_OK)
        r = members_read(out, t.payload, members, COUNT(members), 1, e);
    if (r == TP_OK)
        r = check(out, e);
    if (r == TP_OK)
        r = time_parse(&at, out->at);
    if (r == TP_OK)
        r = token_verify(&holder, &t, authority, PKI_ACKNOWLEDGEMENT, at, e);
    memcpy(out->acquirer, holder.common_name, sizeof(out->acquirer));
    order_holder_free(&holder);
    token_free(&t);
    if (r != TP_OK)
        (void)tp_error_prefix(e, "the acknowledgement");
    return r;
}

void acknowledgement_free(struct acknowledgement *a)
{
    json_decref(a->owner);
    *a = (struct acknowledgement){0};
}
