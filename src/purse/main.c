/* telepay-purse: the acquirer of a purse, whose accounts are keys. */
#include "base/cli.h"
#include "base/text.h"
#include "purse/commands.h"

static const struct cli_command commands[] = {
    {"", N_("The books"), NULL},
    {"init", N_("make a purse: its folder, authority, keys, books, configuration"), purse_cmd_init},
    {"upgrade", N_("bring up books that an older version made"), purse_cmd_upgrade},
    {"backup", N_("copy the folder, its books as of one moment"), purse_cmd_backup},
    {"status", N_("where all that came in is"), purse_cmd_status},
    {"audit", N_("work the books out again from what was signed"), purse_cmd_audit},
    {"", N_("With whom it works"), NULL},
    {"contract add", N_("add a merchant's contract"), purse_cmd_contract_add},
    {"contract list", N_("the contracts, closed ones too"), purse_cmd_contract_list},
    {"contract close", N_("let a contract take no payment any more"), purse_cmd_contract_close},
    {"mediator add", N_("make what a mediator needs to sign orders"), purse_cmd_mediator_add},
    {"mediator list", N_("the mediators, closed ones too"), purse_cmd_mediator_list},
    {"mediator close", N_("take no order of a mediator any more"), purse_cmd_mediator_close},
    {"seller add", N_("let a mediator sell credit for cards"), purse_cmd_seller_add},
    {"seller list", N_("the sellers, closed ones too"), purse_cmd_seller_list},
    {"seller close", N_("let a seller sell no more"), purse_cmd_seller_close},
    {"trust add", N_("take an acquirer's word that a card paid"), purse_cmd_trust_add},
    {"trust list", N_("the contracts by which cards fill accounts"), purse_cmd_trust_list},
    {"trust close", N_("let a contract fill no account any more"), purse_cmd_trust_close},
    {"", N_("Accounts"), NULL},
    {"account list", N_("the accounts, with what they hold"), purse_cmd_account_list},
    {"account show", N_("one account"), purse_cmd_account_show},
    {"account stop", N_("let an account pay nothing, and say why"), purse_cmd_account_stop},
    {"account open", N_("let a stopped account pay again"), purse_cmd_account_open},
    {"account close", N_("close an account that is empty"), purse_cmd_account_close},
    {"account fill", N_("book a transfer that came in"), purse_cmd_account_fill},
    {"account refund", N_("book what was given back"), purse_cmd_account_refund},
    {"", N_("Payments"), NULL},
    {"serve", N_("open accounts and take payments"), purse_cmd_serve},
    {"list", N_("the payments that were decided"), purse_cmd_list},
    {"prove", N_("prove who signed a payment, from its evidence alone"), purse_cmd_prove},
    {"", N_("The end of the day"), NULL},
    {"close", N_("close the day of each contract"), purse_cmd_close},
    {"collect", N_("close, submit to the collection centre, reconcile"), purse_cmd_collect},
    {"remise list", N_("the remises with their sums"), purse_cmd_remise_list},
    {"suspense list", N_("what the centre refused"), purse_cmd_suspense_list},
    {"suspense settle", N_("settle what the centre refused"), purse_cmd_suspense_settle},
    {"payout", N_("write the credit transfers of all closed remises"), purse_cmd_payout},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {
        "telepay-purse",
        N_("The acquirer of a purse: accounts that are keys, payments that they sign."), commands};

    return cli_main(&program, argc, argv);
}
