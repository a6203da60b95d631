/* telepay-acquirer: the acquirer's server and the operator's commands. */
#include "acquirer/commands.h"

#include "base/cli.h"

static const struct cli_command commands[] = {
    {"", "The books", NULL},
    {"init", "make an acquirer's folder", acquirer_init},
    {"upgrade", "bring up books that an older version made", acquirer_upgrade},
    {"move", "bring the books into another store", acquirer_move},
    {"audit", "hold the books against what the cards signed", acquirer_audit},
    {"", "With whom it works", NULL},
    {"authority add", "trust authority keys of a card scheme", acquirer_authority_add},
    {"authority list", "list the authority keys that are trusted", acquirer_authority_list},
    {"authority remove", "trust authority keys no more", acquirer_authority_remove},
    {"contract add", "add a merchant's contract", acquirer_contract_add},
    {"contract list", "list the contracts", acquirer_contract_list},
    {"contract close", "take no payment under a contract any more", acquirer_contract_close},
    {"terminal add", "add a terminal and make its folder", acquirer_terminal_add},
    {"terminal list", "list the terminals", acquirer_terminal_list},
    {"terminal close", "take nothing from a terminal any more", acquirer_terminal_close},
    {"mediator add", "add a mediator and make its folder", acquirer_mediator_add},
    {"mediator list", "list the mediators", acquirer_mediator_list},
    {"mediator close", "take nothing from a mediator any more", acquirer_mediator_close},
    {"parameters", "write what payer devices need to know", acquirer_parameters},
    {"issuer add", "add an issuer that is asked about its cards", acquirer_issuer_add},
    {"issuer list", "list the issuers", acquirer_issuer_list},
    {"issuer remove", "ask an issuer no more", acquirer_issuer_remove},
    {"", "Payments", NULL},
    {"serve", "receive, check, keep and acknowledge payments", acquirer_serve},
    {"list", "list the transactions", acquirer_list},
    {"show", "show one transaction", acquirer_show},
    {"prove", "verify a transaction again from its evidence", acquirer_prove},
    {"verify", "check the evidence of a file", acquirer_verify},
    {"reverse", "reverse a transaction of an open remise", acquirer_reverse},
    {"refusals", "list the payments that were refused", acquirer_refusals},
    {"authorisations", "list what issuers were asked", acquirer_authorisations},
    {"opposition add", "put a card on the opposition list", acquirer_opposition_add},
    {"opposition list", "list the cards in opposition", acquirer_opposition_list},
    {"opposition remove", "take a card off the opposition list", acquirer_opposition_remove},
    {"", "The end of the day", NULL},
    {"close", "close the open remises", acquirer_close},
    {"submit", "send closed remises to the collection centre", acquirer_submit},
    {"collect", "the daily run: close, submit, print tickets", acquirer_collect},
    {"remise list", "list the remises with their totals", acquirer_remise_list},
    {"remise show", "show one remise", acquirer_remise_show},
    {"suspense list", "list refused items to be settled", acquirer_suspense_list},
    {"suspense settle", "settle a refused item", acquirer_suspense_settle},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {"telepay-acquirer",
                                               "Verify, keep and collect card payments.", commands};

    return cli_main(&program, argc, argv);
}
