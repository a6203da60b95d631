/* telepay-issuer: the card issuer's server and its operator's commands. */
#include "base/cli.h"
#include "base/text.h"
#include "issuer/commands.h"

static const struct cli_command commands[] = {
    {"", N_("The books"), NULL, false},
    {"init", N_("make an issuer's folder"), issuer_init, false},
    {"upgrade", N_("bring up books that an older version made"), issuer_upgrade, false},
    {"", N_("With whom it works"), NULL, false},
    {"acquirer add", N_("let an acquirer ask, and make its folder"), issuer_acquirer_add, false},
    {"acquirer list", N_("list the acquirers"), issuer_acquirer_list, true},
    {"acquirer close", N_("answer an acquirer no more"), issuer_acquirer_close, false},
    {"", N_("Cards"), NULL, false},
    {"account add", N_("add an account with its card"), issuer_account_add, false},
    {"account list", N_("list the accounts"), issuer_account_list, true},
    {"account block", N_("refuse a card's payments"), issuer_account_block, false},
    {"account unblock", N_("take a card's payments again"), issuer_account_unblock, false},
    {"account set", N_("change balance, ceilings or counter"), issuer_account_set, false},
    {"script queue", N_("send a command to a card"), issuer_script_queue, false},
    {"script list", N_("list the scripts and what became of them"), issuer_script_list, true},
    {"", N_("Authorisations"), NULL, false},
    {"serve", N_("answer authorisation requests"), issuer_serve, false},
    {"list", N_("list the authorisations"), issuer_list, true},
    {"", N_("A calculator"), NULL, false},
    {"cryptogram", N_("work out and check keys, cryptograms, scripts"), issuer_cryptogram, true},
    {NULL, NULL, NULL, false},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {
        "telepay-issuer", N_("Authorise card payments: accounts, cryptograms, issuer scripts."),
        commands};

    return cli_main(&program, argc, argv);
}
