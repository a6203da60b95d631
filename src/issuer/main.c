/* telepay-issuer: the card issuer's server and its operator's commands. */
#include "base/cli.h"
#include "issuer/commands.h"

static const struct cli_command commands[] = {
    {"cryptogram", "work out and check keys, cryptograms, scripts", issuer_cryptogram},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {"telepay-issuer", "Authorise card payments: accounts, cryptograms, issuer scripts.", commands};

    return cli_main(&program, argc, argv);
}
