/* telepay-mediator: between any browser, payer devices, services and acquirers. */
#include "base/text.h"
#include "mediator/commands.h"

static const struct cli_command commands[] = {
    {"", N_("The books"), NULL, false},
    {"init", N_("make a mediator's folder"), mediator_cmd_init, false},
    {"upgrade", N_("bring up books that an older version made"), mediator_cmd_upgrade, false},
    {"status", N_("how many orders stand where"), mediator_cmd_status, true},
    {"", N_("With whom it works"), NULL, false},
    {"acquirer add", N_("work with an acquirer, and its contracts"), mediator_cmd_acquirer_add,
     false},
    {"contract list", N_("list the contracts that can be sold under"), mediator_cmd_contract_list,
     true},
    {"service add", N_("let a service sell"), mediator_cmd_service_add, false},
    {"service list", N_("list the services"), mediator_cmd_service_list, true},
    {"service close", N_("let a service sell no more"), mediator_cmd_service_close, false},
    {"", N_("Orders"), NULL, false},
    {"serve", N_("take demands, have them paid, and deliver"), mediator_cmd_serve, false},
    {"order list", N_("list the orders"), mediator_cmd_order_list, true},
    {"order show", N_("show one order, and all its attempts"), mediator_cmd_order_show, true},
    {"order prove", N_("verify again what the acquirer acknowledged"), mediator_cmd_order_prove,
     true},
    {"", N_("Disputes"), NULL, false},
    {"dispute list", N_("list the disputes"), mediator_cmd_dispute_list, true},
    {"dispute show", N_("show one dispute, with its letters"), mediator_cmd_dispute_show, true},
    {"dispute answer", N_("answer one in words"), mediator_cmd_dispute_answer, false},
    {"dispute ask-evidence", N_("ask who paid for evidence"), mediator_cmd_dispute_ask, false},
    {"dispute settle", N_("give back what was paid"), mediator_cmd_dispute_settle, false},
    {"dispute refuse", N_("refuse one, saying why"), mediator_cmd_dispute_refuse, false},
    {NULL, NULL, NULL, false},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {
        "telepay-mediator",
        N_("Sell what services have to any browser or HTTP client, paid by card at a distance."),
        commands};

    return cli_main(&program, argc, argv);
}
