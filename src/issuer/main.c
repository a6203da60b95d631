/* telepay-issuer: the card issuer's server and its operator's commands. */
#include "base/cli.h"
#include "issuer/commands.h"

static const struct cli_command commands[] = {
    {"", "The books", NULL},
    {"init", "make an issuer's folder", issuer_init},
    {"upgrade", "bring up books that an older version made", issuer_upgrade},
    {"", "With whom it works", NULL},
    {"acquirer add", "let an acquirer ask, and make its folder", issuer_acquirer_add},
    {"acquirer list", "list the acquirers", issuer_acquirer_list},
    {"acquirer close", "answer an acquirer no more", issuer_acquirer_close},
    {"", "Cards", NULL},
    {"account add", "add an account with its card", issuer_account_add},
    {"account list", "list the accounts", issuer_account_list},
    {"account block", "refuse a card's payments", issuer_account_block},
    {"account unblock", "take a card's payments again", issuer_account_unblock},
    {"account set", "change balance, ceilings or counter", issuer_account_set},
    {"script queue", "send a command to a card", issuer_script_queue},
    {"script list", "list the scripts and what became of them", issuer_script_list},
    {"", "Authorisations", NULL},
    {"serve", "answer authorisation requests", issuer_serve},
    {"list", "list the authorisations", issuer_list},
    {"", "A calculator", NULL},
    {"cryptogram", "work out and check keys, cryptograms, scripts", issuer_cryptogram},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {
        "telepay-issuer", "Authorise card payments: accounts, cryptograms, issuer scripts.",
        commands};

    return cli_main(&program, argc, argv);
}
