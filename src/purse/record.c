#include "purse/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/money.h"
#include "order/acknowledgement.h"
#include "order/members.h"
#include "order/token.h"
#include "wire/jcs.h"

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

/* ---- what a card paid ---- */

enum tp_err record_payee(char out[BOOK_CONTRACT], const char *jws, struct tp_error *e)
{
    struct token t = {.payload = NULL};
    const char *contract = NULL;
    enum tp_err r = token_read(&t, jws, ACKNOWLEDGEMENT_TYPE, e);

    if (r == TP_OK)
        r = jcs_text(&contract, t.payload, "contract", e);
    out[0] = '\0';
    if (r == TP_OK && contract != NULL && member_is_contract(contract))
        snprintf(out, BOOK_CONTRACT, "%s", contract);
    token_free(&t);
    return r;
}

enum tp_err record_paid(uint16_t *currency, const struct booking *what, const char *jws,
                        const struct order_authority *authority, struct tp_error *e)
{
    struct acknowledgement said = {.owner = NULL};
    enum tp_err r = acknowledgement_read(&said, jws, authority, e);
    const struct currency *c = r == TP_OK ? currency_by_alpha(said.currency) : NULL;

    if (r == TP_OK && (!acknowledgement_is_positive(&said) || c == NULL ||
                       strcmp(said.order, what->reference) != 0 ||
                       strtoll(said.amount, NULL, 10) != what->amount))
        r = tp_fail(e, TP_ERR_SECURITY, "a card paid something else");
    *currency = c != NULL ? c->numeric : 0;
    acknowledgement_free(&said);
    return r;
}
