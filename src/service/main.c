/* telepay-service: a folder and a catalogue as a shop. */
#include "base/cli.h"
#include "base/text.h"
#include "service/commands.h"

static const struct cli_command commands[] = {
    {"init", N_("make a service: its folder, authority, books and first article"), service_cmd_init,
     false},
    {"mediator add", N_("let a mediator ask, by its certificate"), service_cmd_mediator_add, false},
    {"mediator list", N_("the mediators, those of before too"), service_cmd_mediator_list, true},
    {"mediator close", N_("let a mediator ask no more"), service_cmd_mediator_close, false},
    {"upgrade", N_("bring up books that an older version made"), service_cmd_upgrade, false},
    {"check", N_("what the catalogue sells, and whether it can"), service_cmd_check, true},
    {"serve", N_("quote and deliver"), service_cmd_serve, false},
    {"account list", N_("the accounts that were reloaded, and with how much"),
     service_cmd_account_list, true},
    {"list", N_("what was sold"), service_cmd_list, true},
    {NULL, NULL, NULL, false},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {
        "telepay-service", N_("Sell what is in a folder, by a catalogue, through mediators."),
        commands};

    return cli_main(&program, argc, argv);
}
