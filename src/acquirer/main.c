/* telepay-acquirer: the acquirer's server and the operator's commands. */
#include "acquirer/commands.h"

#include "base/cli.h"
#include "base/text.h"

static const struct cli_command commands[] = {
    {"", N_("The books"), NULL, false},
    {"init", N_("make an acquirer's folder"), acquirer_init, false},
    {"upgrade", N_("bring up books that an older version made"), acquirer_upgrade, false},
    {"move", N_("bring the books into another store"), acquirer_move, false},
    {"audit", N_("hold the books against what the cards signed"), acquirer_audit, true},
    {"", N_("With whom it works"), NULL, false},
    {"authority add", N_("trust authority keys of a card scheme"), acquirer_authority_add, false},
    {"authority list", N_("list the authority keys that are trusted"), acquirer_authority_list,
     true},
    {"authority remove", N_("trust authority keys no more"), acquirer_authority_remove, false},
    {"contract add", N_("add a merchant's contract"), acquirer_contract_add, false},
    {"contract list", N_("list the contracts"), acquirer_contract_list, true},
    {"contract close", N_("take no payment under a contract any more"), acquirer_contract_close,
     false},
    {"terminal add", N_("add a terminal and make its folder"), acquirer_terminal_add, false},
    {"terminal list", N_("list the terminals"), acquirer_terminal_list, true},
    {"terminal close", N_("take nothing from a terminal any more"), acquirer_terminal_close, false},
    {"mediator add", N_("add a mediator and make its folder"), acquirer_mediator_add, false},
    {"mediator list", N_("list the mediators"), acquirer_mediator_list, true},
    {"mediator close", N_("take nothing from a mediator any more"), acquirer_mediator_close, false},
    {"parameters", N_("write what payer devices need to know"), acquirer_parameters, false},
    {"issuer add", N_("add an issuer that is asked about its cards"), acquirer_issuer_add, false},
    {"issuer list", N_("list the issuers"), acquirer_issuer_list, true},
    {"issuer remove", N_("ask an issuer no more"), acquirer_issuer_remove, false},
    {"", N_("Payments"), NULL, false},
    {"serve", N_("receive, check, keep and acknowledge payments"), acquirer_serve, false},
    {"list", N_("list the transactions"), acquirer_list, true},
    {"show", N_("show one transaction"), acquirer_show, true},
    {"prove", N_("verify a transaction again from its evidence"), acquirer_prove, true},
    {"verify", N_("check the evidence of a file"), acquirer_verify, true},
    {"reverse", N_("reverse a transaction of an open remise"), acquirer_reverse, false},
    {"refusals", N_("list the payments that were refused"), acquirer_refusals, true},
    {"authorisations", N_("list what issuers were asked"), acquirer_authorisations, true},
    {"opposition add", N_("put a card on the opposition list"), acquirer_opposition_add, false},
    {"opposition list", N_("list the cards in opposition"), acquirer_opposition_list, true},
    {"opposition remove", N_("take a card off the opposition list"), acquirer_opposition_remove,
     false},
    {"", N_("The end of the day"), NULL, false},
    {"close", N_("close the open remises"), acquirer_close, false},
    {"submit", N_("send closed remises to the collection centre"), acquirer_submit, false},
    {"collect", N_("the daily run: close, submit, print tickets"), acquirer_collect, false},
    {"remise list", N_("list the remises with their totals"), acquirer_remise_list, true},
    {"remise show", N_("show one remise"), acquirer_remise_show, true},
    {"suspense list", N_("list refused items to be settled"), acquirer_suspense_list, true},
    {"suspense settle", N_("settle a refused item"), acquirer_suspense_settle, false},
    {NULL, NULL, NULL, false},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {
        "telepay-acquirer", N_("Verify, keep and collect card payments."), commands};

    return cli_main(&program, argc, argv);
}
