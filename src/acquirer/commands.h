/* The subcommands of telepay-acquirer: each takes its words (argv[0] is "telepay-acquirer list")
 * and returns an exit code of enum cli_exit. The table is in main.c. */
#ifndef TP_ACQUIRER_COMMANDS_H
#define TP_ACQUIRER_COMMANDS_H

int acquirer_init(int argc, char **argv);
int acquirer_upgrade(int argc, char **argv);
int acquirer_authority_add(int argc, char **argv);
int acquirer_authority_list(int argc, char **argv);
int acquirer_authority_remove(int argc, char **argv);
int acquirer_contract_add(int argc, char **argv);
int acquirer_contract_list(int argc, char **argv);
int acquirer_contract_close(int argc, char **argv);
int acquirer_terminal_add(int argc, char **argv);
int acquirer_terminal_list(int argc, char **argv);
int acquirer_terminal_close(int argc, char **argv);
int acquirer_mediator_add(int argc, char **argv);
int acquirer_mediator_list(int argc, char **argv);
int acquirer_mediator_close(int argc, char **argv);
int acquirer_parameters(int argc, char **argv);
int acquirer_list(int argc, char **argv);
int acquirer_show(int argc, char **argv);
int acquirer_prove(int argc, char **argv);
int acquirer_reverse(int argc, char **argv);
int acquirer_close(int argc, char **argv);
int acquirer_remise_list(int argc, char **argv);
int acquirer_remise_show(int argc, char **argv);
int acquirer_opposition_add(int argc, char **argv);
int acquirer_opposition_list(int argc, char **argv);
int acquirer_opposition_remove(int argc, char **argv);
int acquirer_refusals(int argc, char **argv);
int acquirer_suspense_list(int argc, char **argv);
int acquirer_suspense_settle(int argc, char **argv);
int acquirer_issuer_add(int argc, char **argv);
int acquirer_issuer_list(int argc, char **argv);
int acquirer_issuer_remove(int argc, char **argv);
int acquirer_authorisations(int argc, char **argv);
int acquirer_audit(int argc, char **argv);
int acquirer_move(int argc, char **argv);

int acquirer_serve(int argc, char **argv);   /* serve.c */
int acquirer_verify(int argc, char **argv);  /* verify.c */
int acquirer_submit(int argc, char **argv);  /* collect.c */
int acquirer_collect(int argc, char **argv); /* collect.c */

#endif
