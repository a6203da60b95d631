/* telepay-issuer: the card issuer's server and its operator's commands. */
#include "base/cli.h"
#include "base/text.h"
#include "issuer/commands.h"

static const struct cli_command commands[] = {
    {"", N_("The books"), NULL},
    {"init", N_("make an issuer's folder"), issuer_init},
    {"upgrade", N_("bring up books that an older version made"), issuer_upgrade},
    {"", N_("With whom it works"), NULL},
    {"acquirer add", N_("let an acquirer ask, and make its folder"), issuer_acquirer_add},
    {"acquirer list", N_("list the acquirers"), issuer_acquirer_list},
    {"acquirer close", N_("answer an acquirer no more"), issuer_acquirer_close},
    {"", N_("Cards"), NULL},
    {"account add", N_("add an account with its card"), issuer_account_add},
    {"account list", N_("list the accounts"), issuer_account_list},
    {"account block", N_("refuse a card's payments"), issuer_account_block},
    {"account unblock", N_("take a card's payments again"), issuer_account_unblock},
    {"account set", N_("change balance, ceilings or counter"), issuer_account_set},
    {"script queue", N_("send a command to a card"), issuer_script_queue},
    {"script list", N_("list the scripts and what became of them"), issuer_script_list},
    {"", N_("Authorisations"), NULL},
    {"serve", N_("answer authorisation requests"), issuer_serve},
    {"list", N_("list the authorisations"), issuer_list},
    {"", N_("A calculator"), NULL},
    {"cryptogram", N_("work out and check keys, cryptograms, scripts"), issuer_cryptogram},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {
        "telepay-issuer", N_("Authorise card payments: accounts, cryptograms, issuer scripts."),
        commands};

    return cli_main(&program, argc, argv);
}
