/* telepay-purse: the acquirer of a purse, whose accounts are keys. */
#include "base/cli.h"
#include "base/text.h"
#include "purse/commands.h"

static const struct cli_command commands[] = {
    {"", N_("The books"), NULL, false},
    {"init", N_("make a purse: its folder, authority, keys, books, configuration"), purse_cmd_init,
     false},
    {"upgrade", N_("bring up books that an older version made"), purse_cmd_upgrade, false},
    {"backup", N_("copy the folder, its books as of one moment"), purse_cmd_backup, false},
    {"status", N_("where all that came in is"), purse_cmd_status, true},
    {"audit", N_("work the books out again from what was signed"), purse_cmd_audit, true},
    {"", N_("With whom it works"), NULL, false},
    {"contract add", N_("add a merchant's contract"), purse_cmd_contract_add, false},
    {"contract list", N_("the contracts, closed ones too"), purse_cmd_contract_list, true},
    {"contract close", N_("let a contract take no payment any more"), purse_cmd_contract_close,
     false},
    {"mediator add", N_("make what a mediator needs to sign orders"), purse_cmd_mediator_add,
     false},
    {"mediator list", N_("the mediators, closed ones too"), purse_cmd_mediator_list, true},
    {"mediator close", N_("take no order of a mediator any more"), purse_cmd_mediator_close, false},
    {"seller add", N_("let a mediator sell credit for cards"), purse_cmd_seller_add, false},
    {"seller list", N_("the sellers, closed ones too"), purse_cmd_seller_list, true},
    {"seller close", N_("let a seller sell no more"), purse_cmd_seller_close, false},
    {"trust add", N_("take an acquirer's word that a card paid"), purse_cmd_trust_add, false},
    {"trust list", N_("the contracts by which cards fill accounts"), purse_cmd_trust_list, true},
    {"trust close", N_("let a contract fill no account any more"), purse_cmd_trust_close, false},
    {"", N_("Accounts"), NULL, false},
    {"account list", N_("the accounts, with what they hold"), purse_cmd_account_list, true},
    {"account show", N_("one account"), purse_cmd_account_show, true},
    {"account stop", N_("let an account pay nothing, and say why"), purse_cmd_account_stop, false},
    {"account open", N_("let a stopped account pay again"), purse_cmd_account_open, false},
    {"account close", N_("close an account that is empty"), purse_cmd_account_close, false},
    {"account fill", N_("book a transfer that came in"), purse_cmd_account_fill, false},
    {"account refund", N_("book what was given back"), purse_cmd_account_refund, false},
    {"", N_("Payments"), NULL, false},
    {"serve", N_("open accounts and take payments"), purse_cmd_serve, false},
    {"list", N_("the payments that were decided"), purse_cmd_list, true},
    {"prove", N_("prove who signed a payment, from its evidence alone"), purse_cmd_prove, true},
    {"", N_("The end of the day"), NULL, false},
    {"close", N_("close the day of each contract"), purse_cmd_close, false},
    {"collect", N_("close, submit to the collection centre, reconcile"), purse_cmd_collect, false},
    {"remise list", N_("the remises with their sums"), purse_cmd_remise_list, true},
    {"suspense list", N_("what the centre refused"), purse_cmd_suspense_list, true},
    {"suspense settle", N_("settle what the centre refused"), purse_cmd_suspense_settle, false},
    {"payout", N_("write the credit transfers of all closed remises"), purse_cmd_payout, false},
    {NULL, NULL, NULL, false},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {
        "telepay-purse",
        N_("The acquirer of a purse: accounts that are keys, payments that they sign."), commands};

    return cli_main(&program, argc, argv);
}
