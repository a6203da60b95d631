/* Terminal action analysis: EMV 4.4 Book 3, 10.7; terminal types: Book 4, Annex A1. */
#include "kernel/kernel_priv.h"

#include <stdio.h>
#include <string.h>

/* The low digit of the type: 1 to 3 attended, 4 to 6 unattended; 1, 4 online only; 2, 5 offline
 * with online; 3, 6 offline only. */
static bool terminal_online_only(const struct terminal_config *c)
{
    return (c->type & 0x0F) == 1 || (c->type & 0x0F) == 4;
}

bool terminal_offline_only(const struct terminal_config *c)
{
    return (c->type & 0x0F) == 3 || (c->type & 0x0F) == 6;
}

bool terminal_unattended(const struct terminal_config *c)
{
    return (c->type & 0x0F) >= 4;
}

/* Does a bit of TVR that card or terminal names in its action codes stand? The card's default when
 * it has none: 10.7. The first such bit is kept for people. */
static bool matches(struct transaction *tx, enum kernel_codes which, const uint8_t tac[5])
{
    static const struct {
        uint32_t tag;
        uint8_t absent;
    } of[] = {[KERNEL_DENIAL] = {TAG_IAC_DENIAL, 0x00},
              [KERNEL_GO_ONLINE] = {TAG_IAC_ONLINE, 0xFF},
              [KERNEL_DEFAULT] = {TAG_IAC_DEFAULT, 0xFF}};
    const struct span own = data_get(tx, of[which].tag);
    const struct kernel_watch *watch = tx->config->watch;
    uint8_t iac[5];

    memset(iac, of[which].absent, sizeof(iac));
    if (own.n == sizeof(iac))
        memcpy(iac, own.p, sizeof(iac));
    if (watch != NULL)
        watch->codes(watch->ctx, tx, which, iac, tac);
    for (unsigned i = 0; i < 5; i++) {
        const uint8_t hit = tx->tvr[i] & (uint8_t)(iac[i] | tac[i]);

        for (unsigned bit = 8; bit > 0 && hit != 0; bit--)
            if ((hit >> (bit - 1) & 1) != 0) {
                const char *name = emv_bit_name(EMV_BITMAP_TVR, i + 1, bit);
                const bool split = tx->split && (i << 8 | 1U << (bit - 1)) == TVR_FLOOR_LIMIT;

                snprintf(tx->reason, sizeof(tx->reason), "%s%s",
                         name == NULL ? "a reserved bit of the TVR" : name,
                         split ? ", with what this card paid here before" : "");
                return true;
            }
    }
    return false;
}

bool action_denied(struct transaction *tx)
{
    return matches(tx, KERNEL_DENIAL, tx->selected.app->tac_denial);
}

static bool wants_online(struct transaction *tx)
{
    return matches(tx, KERNEL_GO_ONLINE, tx->selected.app->tac_online);
}

static bool denied_by_default(struct transaction *tx)
{
    return matches(tx, KERNEL_DEFAULT, tx->selected.app->tac_default);
}

/* Of a refund a terminal is online only (doc/design.md, Terminal). */
enum ac_type action_first(struct transaction *tx)
{
    if (action_denied(tx))
        return AC_AAC;
    if (terminal_online_only(tx->config) || tx->request->type == TYPE_REFUND)
        return AC_ARQC;
    if (terminal_offline_only(tx->config))
        return denied_by_default(tx) ? AC_AAC : AC_TC;
    return wants_online(tx) ? AC_ARQC : AC_TC;
}

/* An online-only terminal may skip the default codes, and then asks an AAC: Book 3, 10.7. This one
 * does: it has been told to pay only online. The others ask them. */
enum ac_type action_unable_online(struct transaction *tx)
{
    if (terminal_online_only(tx->config)) {
        snprintf(tx->reason, sizeof(tx->reason), "%s", "this terminal only pays online");
        return AC_AAC;
    }
    if (tx->request->type == TYPE_REFUND) {
        snprintf(tx->reason, sizeof(tx->reason), "%s", "money is given back online only");
        return AC_AAC;
    }
    return denied_by_default(tx) ? AC_AAC : AC_TC;
}
