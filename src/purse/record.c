#include "purse/record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/money.h"
#include "order/token.h"

#define RECORD_TYPE "telepay-purse-booking"
#define VERSION     1

static const char *kind_name(enum booking_kind kind)
{
    static const char *const names[] = {[BOOKING_FILLED] = "filled",
                                        [BOOKING_GIVEN_BACK] = "given back",
                                        [BOOKING_CARD] = "filled by card",
                                        [BOOKING_EMPTIED] = "emptied"};

    return names[kind];
}

static json_t *to_json(const struct booking *what)
{
    char at[TIME_TEXT_MAX], amount[24];

    snprintf(amount, sizeof(amount), "%" PRId64, what->amount);
    return json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s}", "version", VERSION, "account", what->account,
                     "kind", kind_name(what->kind), "amount", amount, "currency",
                     currency_shown(what->currency), "reference", what->reference, "at",
                     time_format_utc(at, what->at));
}

enum tp_err record_write(char **jws, const struct booking *what, const struct order_key *key,
                         struct tp_error *e)
{
    json_t *object = to_json(what);
    const enum tp_err r = object != NULL ? token_sign(jws, object, RECORD_TYPE, key, e)
                                         : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a record");

    json_decref(object);
    return r;
}

enum tp_err record_verify(const struct booking *what, const char *acquirer,
                          const struct order_authority *authority, struct tp_error *e)
{
    struct token t = {.payload = NULL};
    struct order_holder holder = {.jwk = NULL};
    json_t *said = to_json(what);
    char *jws = span_text(what->record);
    enum tp_err r = said != NULL && jws != NULL ? token_read(&t, jws, RECORD_TYPE, e)
                                                : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");

    if (r == TP_OK)
        r = token_verify(&holder, &t, authority, PKI_ACKNOWLEDGEMENT, what->at, e);
    if (r == TP_OK && strcmp(holder.common_name, acquirer) != 0)
        r = tp_fail(e, TP_ERR_SECURITY, "another purse signed it");
    if (r == TP_OK && !json_equal(t.payload, said))
        r = tp_fail(e, TP_ERR_SECURITY, "the books say something else than its record");
    if (r != TP_OK)
        (void)tp_error_prefix(e, "the booking %s", what->reference);
    order_holder_free(&holder);
    token_free(&t);
    json_decref(said);
    free(jws);
    return r;
}
