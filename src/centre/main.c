/* telepay-centre: the collection centre. */
#include "base/cli.h"
#include "centre/commands.h"

static const struct cli_command commands[] = {
    {"init", "make a centre: its folder, authority and books", centre_cmd_init},
    {"acquirer add", "let an acquirer send, and give it its credentials", centre_cmd_acquirer_add},
    {"upgrade", "bring up books that an older version made", centre_cmd_upgrade},
    {"contract list", "whose each contract number is", centre_cmd_contract_list},
    {"contract assign", "give a contract number to an acquirer", centre_cmd_contract_assign},
    {"serve", "receive remises and answer them", centre_cmd_serve},
    {"list", "the remises that came", centre_cmd_list},
    {"show", "one remise, item by item", centre_cmd_show},
    {"alarms", "what the centre found amiss", centre_cmd_alarms},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {
        "telepay-centre", "Receive, check and answer the remises of acquirers.", commands};

    return cli_main(&program, argc, argv);
}
