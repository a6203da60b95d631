/* The subcommands of telepay-purse. */
#ifndef TP_PURSE_COMMANDS_H
#define TP_PURSE_COMMANDS_H

int purse_cmd_init(int argc, char **argv);
int purse_cmd_upgrade(int argc, char **argv);
int purse_cmd_backup(int argc, char **argv);
int purse_cmd_serve(int argc, char **argv);
int purse_cmd_contract_add(int argc, char **argv);
int purse_cmd_contract_list(int argc, char **argv);
int purse_cmd_contract_close(int argc, char **argv);
int purse_cmd_mediator_add(int argc, char **argv);
int purse_cmd_mediator_list(int argc, char **argv);
int purse_cmd_mediator_close(int argc, char **argv);
int purse_cmd_seller_add(int argc, char **argv);
int purse_cmd_seller_list(int argc, char **argv);
int purse_cmd_seller_close(int argc, char **argv);
int purse_cmd_trust_add(int argc, char **argv);
int purse_cmd_trust_list(int argc, char **argv);
int purse_cmd_trust_close(int argc, char **argv);
int purse_cmd_account_list(int argc, char **argv);
int purse_cmd_account_show(int argc, char **argv);
int purse_cmd_account_stop(int argc, char **argv);
int purse_cmd_account_open(int argc, char **argv);
int purse_cmd_account_close(int argc, char **argv);
int purse_cmd_account_fill(int argc, char **argv);
int purse_cmd_account_refund(int argc, char **argv);
int purse_cmd_list(int argc, char **argv);
int purse_cmd_close(int argc, char **argv);
int purse_cmd_collect(int argc, char **argv);
int purse_cmd_remise_list(int argc, char **argv);
int purse_cmd_suspense_list(int argc, char **argv);
int purse_cmd_suspense_settle(int argc, char **argv);
int purse_cmd_payout(int argc, char **argv);
int purse_cmd_status(int argc, char **argv);
int purse_cmd_prove(int argc, char **argv);
int purse_cmd_audit(int argc, char **argv);

#endif
