/* telepay-acquirer: the acquirer's server and the operator's commands. */
#include "acquirer/commands.h"

#include "base/cli.h"

static const struct cli_command commands[] = {
    {"init", "make an acquirer's folder", acquirer_init},
    {"contract add", "add a merchant's contract", acquirer_contract_add},
    {"contract list", "list the contracts", acquirer_contract_list},
    {"contract close", "take no payment under a contract any more", acquirer_contract_close},
    {"terminal add", "add a terminal and make its folder", acquirer_terminal_add},
    {"terminal list", "list the terminals", acquirer_terminal_list},
    {"terminal close", "take nothing from a terminal any more", acquirer_terminal_close},
    {"serve", "receive, check, keep and acknowledge payments", acquirer_serve},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {"telepay-acquirer", "Verify, keep and collect card payments.", commands};

    return cli_main(&program, argc, argv);
}
