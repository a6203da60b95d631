/* telepay-acquirer: the acquirer's server and the operator's commands. */
#include "acquirer/commands.h"

#include "base/cli.h"

static const struct cli_command commands[] = {
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {"telepay-acquirer", "Verify, keep and collect card payments.", commands};

    return cli_main(&program, argc, argv);
}
