/* telepay-mediator: between any browser, payer devices, services and acquirers. */
#include "base/text.h"
#include "mediator/commands.h"

static const struct cli_command commands[] = {
    {"", N_("The books"), NULL},
    {"init", N_("make a mediator's folder"), mediator_cmd_init},
    {"upgrade", N_("bring up books that an older version made"), mediator_cmd_upgrade},
    {"status", N_("how many orders stand where"), mediator_cmd_status},
    {"", N_("With whom it works"), NULL},
    {"acquirer add", N_("work with an acquirer, and its contracts"), mediator_cmd_acquirer_add},
    {"contract list", N_("list the contracts that can be sold under"), mediator_cmd_contract_list},
    {"service add", N_("let a service sell"), mediator_cmd_service_add},
    {"service list", N_("list the services"), mediator_cmd_service_list},
    {"service close", N_("let a service sell no more"), mediator_cmd_service_close},
    {"", N_("Orders"), NULL},
    {"serve", N_("take demands, have them paid, and deliver"), mediator_cmd_serve},
    {"order list", N_("list the orders"), mediator_cmd_order_list},
    {"order show", N_("show one order, and all its attempts"), mediator_cmd_order_show},
    {"order prove", N_("verify again what the acquirer acknowledged"), mediator_cmd_order_prove},
    {"", N_("Disputes"), NULL},
    {"dispute list", N_("list the disputes"), mediator_cmd_dispute_list},
    {"dispute show", N_("show one dispute, with its letters"), mediator_cmd_dispute_show},
    {"dispute answer", N_("answer one in words"), mediator_cmd_dispute_answer},
    {"dispute ask-evidence", N_("ask who paid for evidence"), mediator_cmd_dispute_ask},
    {"dispute settle", N_("give back what was paid"), mediator_cmd_dispute_settle},
    {"dispute refuse", N_("refuse one, saying why"), mediator_cmd_dispute_refuse},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {
        "telepay-mediator",
        N_("Sell what services have to any browser or HTTP client, paid by card at a distance."),
        commands};

    return cli_main(&program, argc, argv);
}
