/* telepay-emv: the test bench. */
#include "base/cli.h"
#include "base/text.h"
#include "emv/commands.h"

static const struct cli_command commands[] = {
    {"apdu", N_("send commands to a card, and say what it answers"), emv_apdu, false},
    {"decode", N_("say what data of EMV mean"), emv_decode, true},
    {NULL, NULL, NULL, false},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {
        "telepay-emv", N_("Look into EMV cards and their data, at the test bench."), commands};

    return cli_main(&program, argc, argv);
}
