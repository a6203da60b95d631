#include "purse/verdict.h"

#define PAID     200
#define REFUSED  402
#define BAD      400
#define NOT_NOW  503
#define UNSIGNED false
#define FINAL    true

static const struct purse_verdict_row rows[] = {
    {PURSE_NEW, "00", "", FINAL, PAID, "paid"},
    {PURSE_MALFORMED, "30", "FORMAT", UNSIGNED, BAD, "it cannot be read"},
    {PURSE_SIGNATURE, "63", "SIGNATURE", UNSIGNED, REFUSED, "its key did not sign it"},
    {PURSE_CHALLENGE, "63", "CHALLENGE", UNSIGNED, REFUSED, "another challenge was signed"},
    {PURSE_ACQUIRER, "63", "ACQUIRER", UNSIGNED, REFUSED, "it is for another purse"},
    {PURSE_ASKED, "63", "TIME", UNSIGNED, REFUSED, "it is not asked now"},
    {PURSE_REPEAT, "00", "", UNSIGNED, PAID, "what was answered before"},
    {PURSE_UNPAID, "12", "UNKNOWN", UNSIGNED, REFUSED, "no such payment was made"},
    {PURSE_UNKNOWN, "14", "ACCOUNT", UNSIGNED, REFUSED, "no such account"},
    {PURSE_KEY, "63", "KEY", UNSIGNED, REFUSED, "the account has another key"},
    {PURSE_COUNTER_USED, "94", "COUNTER_USED", UNSIGNED, REFUSED,
     "the counter counted another statement"},
    {PURSE_COUNTER_OLD, "94", "COUNTER_OLD", UNSIGNED, REFUSED, "the counter is too far behind"},
    {PURSE_ORDER, "63", "ORDER", UNSIGNED, REFUSED, "no order that is vouched for"},
    {PURSE_ORDER_OTHER, "63", "ORDER_OTHER", UNSIGNED, REFUSED, "an order of others"},
    {PURSE_ORDER_TIME, "63", "ORDER_TIME", UNSIGNED, REFUSED, "the order is not valid now"},
    {PURSE_ORDER_DIFFERS, "63", "ORDER_DIFFERS", UNSIGNED, REFUSED, "the order says otherwise"},
    {PURSE_SESSION, "14", "SESSION", UNSIGNED, REFUSED, "the mediator has no such session"},
    {PURSE_MEDIATOR_CLOSED, "58", "MEDIATOR", FINAL, REFUSED, "the mediator is closed"},
    {PURSE_CONTRACT_CLOSED, "03", "CONTRACT", FINAL, REFUSED, "the contract is closed"},
    {PURSE_ORDER_USED, "94", "ORDER_USED", FINAL, REFUSED, "the order is paid"},
    {PURSE_SESSION_USED, "94", "SESSION_USED", FINAL, REFUSED, "the session is another's"},
    {PURSE_VOUCHER_OTHER, "63", "VOUCHER", UNSIGNED, REFUSED,
     "no voucher of this session for so much"},
    {PURSE_VOUCHER_SUM, "94", "SUM", UNSIGNED, REFUSED, "more was presented before"},
    {PURSE_SESSION_ENDED, "12", "SESSION_ENDED", UNSIGNED, REFUSED, "the session is over"},
    {PURSE_REMISE_CLOSED, "12", "REMISE_CLOSED", UNSIGNED, REFUSED, "its remise is closed"},
    {PURSE_STOPPED, "62", "STOPPED", FINAL, REFUSED, "the account is stopped"},
    {PURSE_ACCOUNT_CLOSED, "14", "ACCOUNT_CLOSED", FINAL, REFUSED, "the account is closed"},
    {PURSE_CURRENCY, "12", "CURRENCY", FINAL, REFUSED, "another currency"},
    {PURSE_UNTIL, "12", "UNTIL", FINAL, REFUSED, "it is over, or would last too long"},
    {PURSE_ORDER_CEILING, "61", "ORDER_CEILING", FINAL, REFUSED, "over the order's ceiling"},
    {PURSE_LIMIT_PAYMENT, "61", "LIMIT_PAYMENT", FINAL, REFUSED, "over the limit of a payment"},
    {PURSE_LIMIT_DAY, "61", "LIMIT_DAY", FINAL, REFUSED, "over the limit of a day"},
    {PURSE_FULL, "61", "LIMIT_BALANCE", UNSIGNED, REFUSED, "it would hold more than it may"},
    {PURSE_PROVISION_SPENT, "61", "PROVISION", UNSIGNED, REFUSED, "more than was reserved"},
    {PURSE_BALANCE, "51", "BALANCE", FINAL, REFUSED, "the balance is short"},
    {PURSE_REFUSALS, "91", "REFUSALS", UNSIGNED, NOT_NOW, "too many were refused today"},
    {PURSE_FAULT, "96", "", UNSIGNED, NOT_NOW, "not kept: the same may be sent again"},
};

const struct purse_verdict_row *purse_verdict_row(enum purse_verdict v)
{
    return (unsigned)v < PURSE_VERDICTS ? &rows[v] : &rows[PURSE_FAULT];
}
