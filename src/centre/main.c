/* telepay-centre: the collection centre. */
#include "base/cli.h"
#include "base/text.h"
#include "centre/commands.h"

static const struct cli_command commands[] = {
    {"init", N_("make a centre: its folder, authority and books"), centre_cmd_init, false},
    {"acquirer add", N_("let an acquirer send, and give it its credentials"),
     centre_cmd_acquirer_add, false},
    {"upgrade", N_("bring up books that an older version made"), centre_cmd_upgrade, false},
    {"contract list", N_("whose each contract number is"), centre_cmd_contract_list, true},
    {"contract assign", N_("give a contract number to an acquirer"), centre_cmd_contract_assign,
     false},
    {"serve", N_("receive remises and answer them"), centre_cmd_serve, false},
    {"list", N_("the remises that came"), centre_cmd_list, true},
    {"show", N_("one remise, item by item"), centre_cmd_show, true},
    {"alarms", N_("what the centre found amiss"), centre_cmd_alarms, true},
    {NULL, NULL, NULL, false},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {
        "telepay-centre", N_("Receive, check and answer the remises of acquirers."), commands};

    return cli_main(&program, argc, argv);
}
