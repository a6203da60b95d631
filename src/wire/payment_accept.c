#include "wire/payment_accept.h"

#include "wire/http_auth.h"

static bool in_method(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

static bool in_intent(uint8_t c)
{
    return in_method(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

static bool is_any(struct span word)
{
    return word.n == 1 && word.p[0] == '*';
}

static bool is_word(struct span word, bool in(uint8_t))
{
    size_t n = 0;

    while (n < word.n && in(word.p[n]))
        n++;
    return n == word.n || is_any(word);
}

/* How much of it the range names; -1: it is not in the range. */
static int nearness(const struct http_range *range, struct span method, struct span intent)
{
    const bool by_method = span_eq(range->type, method),
               by_intent = span_eq(range->subtype, intent);

    if ((!by_method && !is_any(range->type)) || (!by_intent && !is_any(range->subtype)))
        return -1;
    return by_method + by_intent;
}

enum tp_err payment_accept(unsigned *weight, struct span field, const char *method,
                           const char *intent, struct tp_error *e)
{
    struct http_range range;
    int nearest = -1;
    enum tp_err r;

    *weight = 0;
    while ((r = http_range_next(&range, &field, e)) == TP_OK) {
        const int near = nearness(&range, span_str(method), span_str(intent));

        if (!is_word(range.type, in_method) || !is_word(range.subtype, in_intent))
            return tp_fail(e, TP_ERR_FORMAT, "a range of no method or intent");
        if (near > nearest || (near >= 0 && near == nearest && range.weight > *weight)) {
            nearest = near;
            *weight = range.weight;
        }
    }
    return r == TP_ERR_NOT_FOUND ? TP_OK : r;
}
