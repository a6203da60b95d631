#include "payer/bill.h"

#include <string.h>

#include "payer/address.h"
#include "payer/problem.h"
#include "wire/jcs.h"

#define EXCHANGE_S 60

static enum tp_err ask(struct fetch *f, const char *at, const char *line, struct tp_error *e)
{
    const char *const headers[] = {"Accept: application/json", line, NULL};
    const struct fetch_request request = {.url = at, .headers = headers, .seconds = EXCHANGE_S};

    return fetch_send(f, &request, e);
}

static enum tp_err no_list(const struct fetch *f, const char *at, struct tp_error *e)
{
    char why[PROBLEM_WORDS];

    (void)problem_words(why, f);
    return tp_fail(e, TP_ERR_PEER, "%.200s answers %ld%s%s", at, fetch_status(f),
                   why[0] != '\0' ? ": " : "", why);
}

enum tp_err bills_fetch(struct bills *out, struct fetch *f, const char *at,
                        const struct identity_options *options, struct tp_error *e)
{
    struct identity_options how = *options;
    struct identity_told told = {.until = 0};
    char origin[DEMAND_ORIGIN], request[27];
    json_t *said = NULL;
    enum tp_err r = address_may_pay(at, e);

    *out = (struct bills){NULL};
    if (r == TP_OK)
        r = address_origin(origin, sizeof(origin), at, e);
    if (r == TP_OK)
        r = ask(f, at, NULL, e);
    for (unsigned n = 0; r == TP_OK && n < 2 && identity_asked(request, f); n++) {
        how.anew = options->anew || n > 0;
        r = identity_tell(&told, f, origin, request, &how, e);
        if (r == TP_OK)
            r = ask(f, at, told.line, e);
    }
    if (r == TP_OK && fetch_status(f) != 200)
        r = no_list(f, at, e);
    if (r == TP_OK)
        r = jcs_read(&said, fetch_body(f), e);
    if (r == TP_OK)
        out->list = json_incref(json_object_get(said, "bills"));
    if (r == TP_OK && !json_is_array(out->list))
        r = tp_fail(e, TP_ERR_FORMAT, "%.200s has no list of bills", at);
    json_decref(said);
    return r;
}

void bills_free(struct bills *b)
{
    json_decref(b->list);
    *b = (struct bills){NULL};
}

enum tp_err bills_find(const char **url, const struct bills *b, const char *number, const char *at,
                       struct tp_error *e)
{
    const json_t *one = NULL;

    *url = NULL;
    for (size_t i = 0; one == NULL && i < json_array_size(b->list); i++)
        if (jcs_is(json_array_get(b->list, i), "bill", number))
            one = json_array_get(b->list, i);
    if (one == NULL)
        return tp_fail(e, TP_ERR_NOT_FOUND,
                       "there is no bill \"%.40s\" of yours: telepay bill list shows them", number);
    if (json_is_true(json_object_get(one, "paid")))
        return tp_fail(e, TP_ERR_STATE, "the bill %.40s is paid already", number);
    if (jcs_text(url, one, "url", e) != TP_OK || *url == NULL || !address_same_origin(*url, at))
        return tp_fail(e, TP_ERR_SECURITY, "the bill %.40s is to be paid elsewhere: not paid",
                       number);
    return TP_OK;
}
