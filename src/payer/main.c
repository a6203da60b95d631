/* telepay: pay with the card in the reader, see what was paid. */
#include "base/cli.h"
#include "base/text.h"
#include "payer/commands.h"

static const struct cli_command commands[] = {
    {"", N_("At a reader"), NULL},
    {"readers", N_("list the card readers and the cards in them"), payer_readers},
    {"card", N_("read a card: who issued it, how it is verified, its counters"), payer_card},
    {"pay", N_("pay with the card in the reader"), payer_pay},
    {"refund", N_("give back what was paid, to the card that paid"), payer_refund},
    {"void", N_("take back a payment that is not collected yet"), payer_void},
    {"day", N_("compare the day's totals with the acquirer's"), payer_day},
    {"explain", N_("explain a payment from its trace, step by step"), payer_explain},
    {"", N_("On the web"), NULL},
    {"get", N_("get what an address leads to, as curl does, and pay for it"), payer_get},
    {"credential", N_("pay a challenge that another HTTP client brings"), payer_credential},
    {"agent", N_("let pages in the browser ask for payments, each after a yes"), payer_agent},
    {"order list", N_("list the orders that were paid from here"), payer_order},
    {"order show", N_("show one order"), payer_order_show},
    {"order prove", N_("verify what the acquirer signed of an order"), payer_order_prove},
    {"order send", N_("settle what is signed and of which nothing is known"), payer_order_send},
    {"order", N_("the same as order list"), payer_order},
    {"dispute open", N_("dispute what you paid"), payer_dispute_open},
    {"dispute list", N_("list what you disputed"), payer_dispute},
    {"dispute show", N_("show how a dispute stands, and what was written"), payer_dispute_show},
    {"dispute evidence", N_("bring the evidence that the merchant asks for"),
     payer_dispute_evidence},
    {"dispute", N_("the same as dispute list"), payer_dispute},
    {"bill list", N_("list what you owe to a biller"), payer_bill},
    {"bill pay", N_("pay a bill"), payer_bill_pay},
    {"identify", N_("say who you are, to a service that wants to know"), payer_identify},
    {"", N_("By what, and how much"), NULL},
    {"plan show", N_("show by which means you pay, up to how much, what unasked"), payer_plan},
    {"plan set", N_("set what it says of a means"), payer_plan_set},
    {"plan", N_("the same as plan show"), payer_plan},
    {"purse open", N_("open an account at a purse, to pay without a card"), payer_purse_open},
    {"purse list", N_("list your accounts at purses"), payer_purse},
    {"purse balance", N_("ask what is in one"), payer_purse_balance},
    {"purse page", N_("print a link to its page, for a browser"), payer_purse_page},
    {"purse fill", N_("buy credit for one, with the card in the reader"), payer_purse_fill},
    {"purse empty", N_("send what is in one to a bank account"), payer_purse_empty},
    {"purse history", N_("show what became of one, from what was signed"), payer_purse_history},
    {"purse", N_("the same as purse list"), payer_purse},
    {"session show", N_("show what was consumed in the session under way"), payer_session},
    {"session begin", N_("begin a session now"), payer_session_begin},
    {"session start", N_("have the next payment from a purse reserve an amount"),
     payer_session_start},
    {"session end", N_("end what is reserved"), payer_session_end},
    {"session", N_("the same as session show"), payer_session},
    {"", N_("Who pays, and whom is trusted"), NULL},
    {"user add", N_("add a user to this device"), payer_user_add},
    {"user list", N_("list who pays from it"), payer_user},
    {"user passwd", N_("change the code that opens your key, or give it one"), payer_user_passwd},
    {"user export", N_("write a user's key, enciphered, for another device"), payer_user_export},
    {"user import", N_("add the user whose key another device exported"), payer_user_import},
    {"user remove", N_("remove a user, with plan, journal and key"), payer_user_remove},
    {"user", N_("the same as user list"), payer_user},
    {"authority add", N_("trust the orders that an acquirer's authority stands for"),
     payer_authority_add},
    {"authority list", N_("list the authorities that are trusted"), payer_authority_list},
    {"authority remove", N_("trust one no more"), payer_authority_remove},
    {"", N_("What cards have signed"), NULL},
    {"journal list", N_("list the payments that cards have signed here"), payer_journal},
    {"journal show", N_("print the receipt of one payment again"), payer_journal_show},
    {"journal days", N_("add up the payments of each day"), payer_journal_days},
    {"journal send", N_("deliver what is signed but not yet acknowledged"), payer_journal_send},
    {"journal upgrade", N_("bring up a journal that an older version made"), payer_journal_upgrade},
    {"journal", N_("the same as journal list"), payer_journal},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {
        "telepay", N_("Pay with the bank card in your own card reader."), commands};

    return cli_main(&program, argc, argv);
}
