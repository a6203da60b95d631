/* telepay-acquirer: the acquirer's server and the operator's commands. */
#include "acquirer/commands.h"

#include "base/cli.h"
#include "base/text.h"

static const struct cli_command commands[] = {
    {"", N_("The books"), NULL},
    {"init", N_("make an acquirer's folder"), acquirer_init},
    {"upgrade", N_("bring up books that an older version made"), acquirer_upgrade},
    {"move", N_("bring the books into another store"), acquirer_move},
    {"audit", N_("hold the books against what the cards signed"), acquirer_audit},
    {"", N_("With whom it works"), NULL},
    {"authority add", N_("trust authority keys of a card scheme"), acquirer_authority_add},
    {"authority list", N_("list the authority keys that are trusted"), acquirer_authority_list},
    {"authority remove", N_("trust authority keys no more"), acquirer_authority_remove},
    {"contract add", N_("add a merchant's contract"), acquirer_contract_add},
    {"contract list", N_("list the contracts"), acquirer_contract_list},
    {"contract close", N_("take no payment under a contract any more"), acquirer_contract_close},
    {"terminal add", N_("add a terminal and make its folder"), acquirer_terminal_add},
    {"terminal list", N_("list the terminals"), acquirer_terminal_list},
    {"terminal close", N_("take nothing from a terminal any more"), acquirer_terminal_close},
    {"mediator add", N_("add a mediator and make its folder"), acquirer_mediator_add},
    {"mediator list", N_("list the mediators"), acquirer_mediator_list},
    {"mediator close", N_("take nothing from a mediator any more"), acquirer_mediator_close},
    {"parameters", N_("write what payer devices need to know"), acquirer_parameters},
    {"issuer add", N_("add an issuer that is asked about its cards"), acquirer_issuer_add},
    {"issuer list", N_("list the issuers"), acquirer_issuer_list},
    {"issuer remove", N_("ask an issuer no more"), acquirer_issuer_remove},
    {"", N_("Payments"), NULL},
    {"serve", N_("receive, check, keep and acknowledge payments"), acquirer_serve},
    {"list", N_("list the transactions"), acquirer_list},
    {"show", N_("show one transaction"), acquirer_show},
    {"prove", N_("verify a transaction again from its evidence"), acquirer_prove},
    {"verify", N_("check the evidence of a file"), acquirer_verify},
    {"reverse", N_("reverse a transaction of an open remise"), acquirer_reverse},
    {"refusals", N_("list the payments that were refused"), acquirer_refusals},
    {"authorisations", N_("list what issuers were asked"), acquirer_authorisations},
    {"opposition add", N_("put a card on the opposition list"), acquirer_opposition_add},
    {"opposition list", N_("list the cards in opposition"), acquirer_opposition_list},
    {"opposition remove", N_("take a card off the opposition list"), acquirer_opposition_remove},
    {"", N_("The end of the day"), NULL},
    {"close", N_("close the open remises"), acquirer_close},
    {"submit", N_("send closed remises to the collection centre"), acquirer_submit},
    {"collect", N_("the daily run: close, submit, print tickets"), acquirer_collect},
    {"remise list", N_("list the remises with their totals"), acquirer_remise_list},
    {"remise show", N_("show one remise"), acquirer_remise_show},
    {"suspense list", N_("list refused items to be settled"), acquirer_suspense_list},
    {"suspense settle", N_("settle a refused item"), acquirer_suspense_settle},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {
        "telepay-acquirer", N_("Verify, keep and collect card payments."), commands};

    return cli_main(&program, argc, argv);
}
