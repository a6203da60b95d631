#include "payer/purse_record.h"

#include <string.h>

#include "base/date.h"
#include "order/members.h"
#include "order/token.h"

#define RECORD_TYPE "telepay-purse-booking"

static bool is_currency(const char *text)
{
    return currency_by_alpha(text) != NULL;
}

static bool is_text(const char *text)
{
    return text[0] != '\0';
}

#define MEMBER(m, good)                                                                            \
    {                                                                                              \
#m, offsetof(struct purse_record, m), good, false                                          \
    }

static const struct member members[] = {
    MEMBER(account, member_is_hash), MEMBER(kind, is_text),      MEMBER(amount, member_is_amount),
    MEMBER(currency, is_currency),   MEMBER(reference, is_text), MEMBER(at, member_is_time)};

/* By whichever authority it is good. */
static enum tp_err verify(const struct token *t, const char *acquirer, time_t at,
                          const struct authorities *all, struct tp_error *e)
{
    enum tp_err r =
        tp_fail(e, TP_ERR_SECURITY,
                "no authority that you trust has certified the purse: telepay authority add FILE");

    for (size_t i = 0; i < all->n; i++) {
        struct order_holder holder = {.jwk = NULL};
        const bool good =
            token_verify(&holder, t, all->list[i].orders, PKI_ACKNOWLEDGEMENT, at, NULL) == TP_OK &&
            strcmp(holder.common_name, acquirer) == 0;

        order_holder_free(&holder);
        if (good)
            return TP_OK;
        r = tp_fail(e, TP_ERR_SECURITY, "the purse %s has not signed it", acquirer);
    }
    return r;
}

enum tp_err purse_record_read(struct purse_record *out, const char *jws,
                              const struct purse_account *account,
                              const struct authorities *authorities, struct tp_error *e)
{
    struct token t = {.payload = NULL};
    time_t at = 0;
    enum tp_err r = token_read(&t, jws, RECORD_TYPE, e);

    if (r == TP_OK) {
        out->owner = json_incref(t.payload);
        r = members_version(t.payload, e);
    }
    if (r == TP_OK)
        r = members_read(out, t.payload, members, sizeof(members) / sizeof(members[0]), 1, e);
    if (r == TP_OK)
        r = time_parse(&at, out->at);
    if (r == TP_OK)
        r = verify(&t, account->acquirer, at, authorities, e);
    if (r == TP_OK && (strcmp(out->account, account->account) != 0 ||
                       currency_by_alpha(out->currency)->numeric != account->currency))
        r = tp_fail(e, TP_ERR_SECURITY, "it is of another account");
    token_free(&t);
    return r;
}

void purse_record_free(struct purse_record *r)
{
    json_decref(r->owner);
    *r = (struct purse_record){0};
}
