/* telepay: pay with the card in the reader, see what was paid. */
#include "base/cli.h"
#include "payer/commands.h"

static const struct cli_command commands[] = {
    {"", "At a reader", NULL},
    {"readers", "list the card readers and the cards in them", payer_readers},
    {"card", "read a card: who issued it, how it is verified, its counters", payer_card},
    {"pay", "pay with the card in the reader", payer_pay},
    {"", "On the web", NULL},
    {"get", "get what an address leads to, as curl does, and pay for it", payer_get},
    {"credential", "pay a challenge that another HTTP client brings", payer_credential},
    {"agent", "let pages in the browser ask for payments, each after a yes", payer_agent},
    {"order list", "list the orders that were paid from here", payer_order},
    {"order show", "show one order", payer_order_show},
    {"order prove", "verify what the acquirer signed of an order", payer_order_prove},
    {"order send", "settle what is signed and of which nothing is known", payer_order_send},
    {"order", "the same as order list", payer_order},
    {"dispute open", "dispute what you paid", payer_dispute_open},
    {"dispute list", "list what you disputed", payer_dispute},
    {"dispute show", "show how a dispute stands, and what was written", payer_dispute_show},
    {"dispute evidence", "bring the evidence that the merchant asks for", payer_dispute_evidence},
    {"dispute", "the same as dispute list", payer_dispute},
    {"bill list", "list what you owe to a biller", payer_bill},
    {"bill pay", "pay a bill", payer_bill_pay},
    {"identify", "say who you are, to a service that wants to know", payer_identify},
    {"", "By what, and how much", NULL},
    {"plan show", "show by which means you pay, up to how much, what unasked", payer_plan},
    {"plan set", "set what it says of a means", payer_plan_set},
    {"plan", "the same as plan show", payer_plan},
    {"purse open", "open an account at a purse, to pay without a card", payer_purse_open},
    {"purse list", "list your accounts at purses", payer_purse},
    {"purse balance", "ask what is in one", payer_purse_balance},
    {"purse page", "print a link to its page, for a browser", payer_purse_page},
    {"purse fill", "buy credit for one, with the card in the reader", payer_purse_fill},
    {"purse empty", "send what is in one to a bank account", payer_purse_empty},
    {"purse history", "show what became of one, from what was signed", payer_purse_history},
    {"purse", "the same as purse list", payer_purse},
    {"session show", "show what was consumed in the session under way", payer_session},
    {"session begin", "begin a session now", payer_session_begin},
    {"session start", "have the next payment from a purse reserve an amount", payer_session_start},
    {"session end", "end what is reserved", payer_session_end},
    {"session", "the same as session show", payer_session},
    {"", "Who pays, and whom is trusted", NULL},
    {"user add", "add a user to this device", payer_user_add},
    {"user list", "list who pays from it", payer_user},
    {"user passwd", "change the code that opens your key, or give it one", payer_user_passwd},
    {"user export", "write a user's key, enciphered, for another device", payer_user_export},
    {"user import", "add the user whose key another device exported", payer_user_import},
    {"user remove", "remove a user, with plan, journal and key", payer_user_remove},
    {"user", "the same as user list", payer_user},
    {"authority add", "trust the orders that an acquirer's authority stands for",
     payer_authority_add},
    {"authority list", "list the authorities that are trusted", payer_authority_list},
    {"authority remove", "trust one no more", payer_authority_remove},
    {"", "What cards have signed", NULL},
    {"journal list", "list the payments that cards have signed here", payer_journal},
    {"journal show", "print the receipt of one payment again", payer_journal_show},
    {"journal days", "add up the payments of each day", payer_journal_days},
    {"journal send", "deliver what is signed but not yet acknowledged", payer_journal_send},
    {"journal upgrade", "bring up a journal that an older version made", payer_journal_upgrade},
    {"journal", "the same as journal list", payer_journal},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {
        "telepay", "Pay with the bank card in your own card reader.", commands};

    return cli_main(&program, argc, argv);
}
