/* A refund: which payment it gives back, and how much of it, as far as the journal knows. The
 * acquirer decides: what the journal says here spares a card a question that would be refused. */
#include <string.h>

#include "apdu/emvbits.h"
#include "base/text.h"
#include "payer/pay_priv.h"

/* *left: what is left of it; -1: the journal does not hold it, as when another terminal took it. */
static enum tp_err find_undone(struct payment *p, int64_t *left, struct tp_error *e)
{
    const char *word = p->options->undoes;
    struct receipt r;
    int64_t id = 0, given = 0;
    enum tp_err rc = journal_find(p->journal, word, true, &id, &r, e);

    *left = -1;
    if (rc == TP_ERR_NOT_FOUND && strlen(word) == sizeof(p->undoes) - 1) {
        memcpy(p->undoes, word, sizeof(p->undoes));
        return TP_OK;
    }
    if (rc != TP_OK)
        return rc;
    if (r.type != TYPE_PURCHASE || r.state != PAYMENT_ACKNOWLEDGED)
        return tp_fail(e, TP_ERR_USAGE,
                       "number %06u is %s%s: only a payment that is acknowledged "
                       "can be refunded",
                       r.stan, r.type != TYPE_PURCHASE ? _("a refund, ") : "",
                       payment_state_name(r.state));
    snprintf(p->undoes, sizeof(p->undoes), "%.12s", r.rrn);
    rc = journal_refunded(p->journal, p->undoes, &given, e);
    *left = r.amount - given;
    return rc;
}

static enum tp_err choose_amount(struct payment *p, int64_t left, struct tp_error *e)
{
    const struct pay_options *o = p->options;
    char text[MONEY_TEXT_MAX];
    enum tp_err r = TP_OK;

    if (o->amount != NULL || left < 0)
        r = pay_amount(&p->request.amount, p->currency, o->amount, o->currency, e);
    else
        p->request.amount = left;
    if (r != TP_OK || left < 0 || (p->request.amount <= left && left > 0))
        return r;
    return tp_fail(e, TP_ERR_USAGE, "of payment %s %s %s is left to refund", p->undoes,
                   money_format(text, left > 0 ? left : 0, p->currency), p->currency->alpha);
}

enum tp_err pay_prepare_refund(struct payment *p, struct tp_error *e)
{
    int64_t left = -1;
    enum tp_err r = pay_prepare_card(p, e);

    p->request.type = TYPE_REFUND;
    if (r == TP_OK && p->options->undoes != NULL)
        r = find_undone(p, &left, e);
    return r == TP_OK ? choose_amount(p, left, e) : r;
}
