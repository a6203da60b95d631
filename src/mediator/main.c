/* telepay-mediator: between any browser, payer devices, services and acquirers. */
#include "mediator/commands.h"

static const struct cli_command commands[] = {
    {"", "The books", NULL},
    {"init", "make a mediator's folder", mediator_cmd_init},
    {"upgrade", "bring up books that an older version made", mediator_cmd_upgrade},
    {"status", "how many orders stand where", mediator_cmd_status},
    {"", "With whom it works", NULL},
    {"acquirer add", "work with an acquirer, and its contracts", mediator_cmd_acquirer_add},
    {"contract list", "list the contracts that can be sold under", mediator_cmd_contract_list},
    {"service add", "let a service sell", mediator_cmd_service_add},
    {"service list", "list the services", mediator_cmd_service_list},
    {"service close", "let a service sell no more", mediator_cmd_service_close},
    {"", "Orders", NULL},
    {"serve", "take demands, have them paid, and deliver", mediator_cmd_serve},
    {"order list", "list the orders", mediator_cmd_order_list},
    {"order show", "show one order, and all its attempts", mediator_cmd_order_show},
    {"order prove", "verify again what the acquirer acknowledged", mediator_cmd_order_prove},
    {"", "Disputes", NULL},
    {"dispute list", "list the disputes", mediator_cmd_dispute_list},
    {"dispute show", "show one dispute, with its letters", mediator_cmd_dispute_show},
    {"dispute answer", "answer one in words", mediator_cmd_dispute_answer},
    {"dispute ask-evidence", "ask who paid for evidence", mediator_cmd_dispute_ask},
    {"dispute settle", "give back what was paid", mediator_cmd_dispute_settle},
    {"dispute refuse", "refuse one, saying why", mediator_cmd_dispute_refuse},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {
        "telepay-mediator",
        "Sell what services have to any browser or HTTP client, paid by card at a distance.",
        commands};

    return cli_main(&program, argc, argv);
}
