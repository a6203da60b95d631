/* telepay-purse: the acquirer of a purse, whose accounts are keys. */
#include "base/cli.h"
#include "purse/commands.h"

static const struct cli_command commands[] = {
    {"", "The books", NULL},
    {"init", "make a purse: its folder, authority, keys, books, configuration", purse_cmd_init},
    {"upgrade", "bring up books that an older version made", purse_cmd_upgrade},
    {"backup", "copy the folder, its books as of one moment", purse_cmd_backup},
    {"status", "where all that came in is", purse_cmd_status},
    {"audit", "work the books out again from what was signed", purse_cmd_audit},
    {"", "With whom it works", NULL},
    {"contract add", "add a merchant's contract", purse_cmd_contract_add},
    {"contract list", "the contracts, closed ones too", purse_cmd_contract_list},
    {"contract close", "let a contract take no payment any more", purse_cmd_contract_close},
    {"mediator add", "make what a mediator needs to sign orders", purse_cmd_mediator_add},
    {"mediator list", "the mediators, closed ones too", purse_cmd_mediator_list},
    {"mediator close", "take no order of a mediator any more", purse_cmd_mediator_close},
    {"seller add", "let a mediator sell credit for cards", purse_cmd_seller_add},
    {"seller list", "the sellers, closed ones too", purse_cmd_seller_list},
    {"seller close", "let a seller sell no more", purse_cmd_seller_close},
    {"trust add", "take an acquirer's word that a card paid", purse_cmd_trust_add},
    {"trust list", "the contracts by which cards fill accounts", purse_cmd_trust_list},
    {"trust close", "let a contract fill no account any more", purse_cmd_trust_close},
    {"", "Accounts", NULL},
    {"account list", "the accounts, with what they hold", purse_cmd_account_list},
    {"account show", "one account", purse_cmd_account_show},
    {"account stop", "let an account pay nothing, and say why", purse_cmd_account_stop},
    {"account open", "let a stopped account pay again", purse_cmd_account_open},
    {"account close", "close an account that is empty", purse_cmd_account_close},
    {"account fill", "book a transfer that came in", purse_cmd_account_fill},
    {"account refund", "book what was given back", purse_cmd_account_refund},
    {"", "Payments", NULL},
    {"serve", "open accounts and take payments", purse_cmd_serve},
    {"list", "the payments that were decided", purse_cmd_list},
    {"prove", "prove who signed a payment, from its evidence alone", purse_cmd_prove},
    {"", "The end of the day", NULL},
    {"close", "close the day of each contract", purse_cmd_close},
    {"collect", "close, submit to the collection centre, reconcile", purse_cmd_collect},
    {"remise list", "the remises with their sums", purse_cmd_remise_list},
    {"suspense list", "what the centre refused", purse_cmd_suspense_list},
    {"suspense settle", "settle what the centre refused", purse_cmd_suspense_settle},
    {"payout", "write the credit transfers of all closed remises", purse_cmd_payout},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {
        "telepay-purse",
        "The acquirer of a purse: accounts that are keys, payments that they sign.", commands};

    return cli_main(&program, argc, argv);
}
