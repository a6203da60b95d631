/* Processing restrictions: EMV 4.4 Book 3, 10.4. */
#include "kernel/kernel_priv.h"

#include "base/date.h"

/* A cash dispenser: unattended, of a bank, that gives cash (Book 4, Annex A1). */
static bool is_atm(const struct terminal_config *c)
{
    return c->type >= 0x14 && c->type <= 0x16 && (c->additional[0] & ADDITIONAL_CASH) != 0;
}

/* Book 3, table 36: which kind of use this is, as the domestic bits of both bytes; none: the table
 * says nothing. */
static void uses(const struct transaction *tx, uint8_t *first, uint8_t *second)
{
    const uint8_t offered = tx->config->additional[0];

    *first = 0;
    *second = 0;
    if (tx->request->type == TYPE_CASH)
        *first = AUC_CASH;
    else if (tx->request->type == TYPE_CASHBACK)
        *second = AUC2_CASHBACK;
    else if (tx->request->type ==
             TYPE_PURCHASE) /* a terminal that sells both cannot know which: either will do */
        *first = (uint8_t)(((offered & ADDITIONAL_GOODS) != 0 ? AUC_GOODS : 0) |
                           ((offered & ADDITIONAL_SERVICES) != 0 ? AUC_SERVICES : 0));
}

static bool usage_allowed(const struct transaction *tx, struct span auc, struct span issuer_country)
{
    const struct span here = data_get(tx, TAG_TERMINAL_COUNTRY);
    uint8_t first, second;

    if ((auc.p[0] & (is_atm(tx->config) ? AUC_ATM : AUC_NOT_ATM)) == 0)
        return false;
    uses(tx, &first, &second);
    if (issuer_country.n == 0 || (first | second) == 0)
        return true;
    if (!span_eq(issuer_country, here)) {
        first >>= 1;
        second >>= 1;
    }
    return (auc.p[0] & first) != 0 || (auc.p[1] & second) != 0;
}

static enum tp_err check_dates(struct transaction *tx)
{
    const struct span effective = data_get(tx, TAG_EFFECTIVE), expiry = data_get(tx, TAG_EXPIRY);
    int from = 0, to = 0;

    if (expiry.n != 3 || date_from_yymmdd(&to, expiry) != TP_OK)
        return tx_end(tx, KERNEL_TERMINATED, "the card's expiry date is malformed");
    if (effective.n > 0 && (effective.n != 3 || date_from_yymmdd(&from, effective) != TP_OK))
        return tx_end(tx, KERNEL_TERMINATED, "the card's effective date is malformed");
    if (tx->request->date < from)
        tvr_set(tx, TVR_NOT_YET_EFFECTIVE);
    if (tx->request->date > to)
        tvr_set(tx, TVR_EXPIRED);
    return TP_OK;
}

enum tp_err step_restrictions(struct transaction *tx)
{
    const struct span version = data_get(tx, TAG_CARD_VERSION), auc = data_get(tx, TAG_AUC);

    if (version.n > 0 && !span_eq(version, data_get(tx, TAG_TERMINAL_VERSION)))
        tvr_set(tx, TVR_VERSIONS_DIFFER);
    if (auc.n == 2 && !usage_allowed(tx, auc, data_get(tx, TAG_ISSUER_COUNTRY)))
        tvr_set(tx, TVR_SERVICE_NOT_ALLOWED);
    return check_dates(tx);
}
