#include "wire/payment_problem.h"

#include <string.h>

#include "wire/jcs.h"

#define BLANK "about:blank" /* RFC 9457, 4.2.1 */

static const struct {
    const char *name;
    unsigned status;
    const char *title;
} types[PAYMENT_OTHER] = {
    [PAYMENT_REQUIRED] = {"payment-required", 402, "Payment Required"},
    [PAYMENT_INSUFFICIENT] = {"payment-insufficient", 402, "Payment Insufficient"},
    [PAYMENT_EXPIRED] = {"payment-expired", 402, "Payment Expired"},
    [PAYMENT_VERIFICATION_FAILED] = {"verification-failed", 402, "Verification Failed"},
    [PAYMENT_MALFORMED_CREDENTIAL] = {"malformed-credential", 402, "Malformed Credential"},
    [PAYMENT_INVALID_CHALLENGE] = {"invalid-challenge", 402, "Invalid Challenge"},
    [PAYMENT_INVALID_PAYLOAD] = {"invalid-payload", 402, "Invalid Payload"},
    [PAYMENT_ACTION_REQUIRED] = {"payment-action-required", 402, "Payment Action Required"},
    [PAYMENT_METHOD_UNSUPPORTED] = {"method-unsupported", 400, "Method Unsupported"},
    [PAYMENT_BAD_REQUEST] = {"bad-request", 400, "Bad Request"},
    [PAYMENT_INTERNAL_ERROR] = {"internal-payment-error", 500, "Internal Payment Error"},
};

/* The phrases of RFC 9110, 15, and RFC 6585, for PAYMENT_OTHER. */
static const struct {
    unsigned status;
    const char *phrase;
} phrases[] = {
    {400, "Bad Request"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

static const char *phrase(unsigned status)
{
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return NULL;
}

unsigned payment_problem_status(const struct payment_problem *p)
{
    return p->type < PAYMENT_OTHER ? types[p->type].status : p->status;
}

static enum tp_err fill(json_t *object, const struct payment_problem *p, struct tp_error *e)
{
    char type[sizeof(PAYMENT_PROBLEM_BASE) + 32] = BLANK;
    const unsigned status = payment_problem_status(p);
    enum tp_err r;

    if (p->type < PAYMENT_OTHER)
        (void)stpcpy(stpcpy(type, PAYMENT_PROBLEM_BASE), types[p->type].name);
    r = jcs_set_text(object, "type", type, e);
    if (r == TP_OK)
        r = jcs_set_text(object, "title",
                         p->type < PAYMENT_OTHER ? types[p->type].title : phrase(status), e);
    if (r == TP_OK && json_object_set_new(object, "status", json_integer(status)) != 0)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for JSON");
    if (r == TP_OK)
        r = jcs_set_text(object, "detail", p->detail, e);
    if (r == TP_OK)
        r = jcs_set_text(object, "challengeId", p->challenge_id, e);
    return r == TP_OK ? jcs_add(object, p->more, e) : r;
}

enum tp_err payment_problem_write(char **out, const struct payment_problem *p, struct tp_error *e)
{
    json_t *object = json_object();
    enum tp_err r =
        object != NULL ? fill(object, p, e) : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for JSON");

    *out = NULL;
    if (r == TP_OK && (*out = json_dumps(object, JSON_COMPACT)) == NULL)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for JSON");
    json_decref(object);
    return r;
}

static enum payment_problem_type type_of(const char *uri)
{
    const size_t base = sizeof(PAYMENT_PROBLEM_BASE) - 1;
    enum payment_problem_type type = 0;

    if (uri == NULL || strncmp(uri, PAYMENT_PROBLEM_BASE, base) != 0)
        return PAYMENT_OTHER;
    while (type < PAYMENT_OTHER && strcmp(uri + base, types[type].name) != 0)
        type++;
    return type;
}

/* NULL also when it is something else than text. */
static const char *text(const json_t *object, const char *name)
{
    const char *out;

    return jcs_text(&out, object, name, NULL) == TP_OK ? out : NULL;
}

enum tp_err payment_problem_read(struct payment_problem *out, struct span body, struct tp_error *e)
{
    json_t *object = NULL;
    enum tp_err r;

    *out = (struct payment_problem){.type = PAYMENT_OTHER};
    if (body.n > PAYMENT_PROBLEM_MAX)
        return tp_fail(e, TP_ERR_RANGE, "the problem has more than %d bytes", PAYMENT_PROBLEM_MAX);
    r = jcs_read(&object, body, e);
    if (r == TP_OK && !json_is_object(object)) {
        json_decref(object);
        r = tp_fail(e, TP_ERR_FORMAT, "JSON that is no object");
    }
    if (r != TP_OK) {
        (void)tp_error_prefix(e, "the problem");
        return r;
    }

    const json_int_t status = json_integer_value(json_object_get(object, "status"));

    out->type = type_of(text(object, "type"));
    out->status = status >= 100 && status <= 599 ? (unsigned)status : 0;
    out->title = text(object, "title");
    out->detail = text(object, "detail");
    out->challenge_id = text(object, "challengeId");
    out->more = out->owner = object;
    return TP_OK;
}

void payment_problem_free(struct payment_problem *p)
{
    json_decref(p->owner);
    *p = (struct payment_problem){.type = PAYMENT_OTHER};
}
