/* The subcommands of telepay: argv[0] is "telepay NAME"; each returns an exit code of base/cli.h.
 */
#ifndef TP_PAYER_COMMANDS_H
#define TP_PAYER_COMMANDS_H

int payer_readers(int argc, char **argv);
int payer_card(int argc, char **argv);
int payer_explain(int argc, char **argv);
int payer_pay(int argc, char **argv);
int payer_refund(int argc, char **argv);
int payer_void(int argc, char **argv);
int payer_day(int argc, char **argv);
int payer_agent(int argc, char **argv);
int payer_credential(int argc, char **argv);
int payer_get(int argc, char **argv);
int payer_authority_add(int argc, char **argv);
int payer_authority_list(int argc, char **argv);
int payer_authority_remove(int argc, char **argv);
int payer_order(int argc, char **argv); /* list */
int payer_order_show(int argc, char **argv);
int payer_order_prove(int argc, char **argv);
int payer_order_send(int argc, char **argv);
int payer_dispute(int argc, char **argv); /* list */
int payer_dispute_open(int argc, char **argv);
int payer_dispute_show(int argc, char **argv);
int payer_dispute_evidence(int argc, char **argv);
int payer_identify(int argc, char **argv);
int payer_bill(int argc, char **argv); /* list */
int payer_bill_pay(int argc, char **argv);
int payer_plan(int argc, char **argv); /* show */
int payer_plan_set(int argc, char **argv);
int payer_purse(int argc, char **argv); /* list */
int payer_purse_open(int argc, char **argv);
int payer_purse_empty(int argc, char **argv);
int payer_purse_history(int argc, char **argv);
int payer_purse_fill(int argc, char **argv);
int payer_purse_balance(int argc, char **argv);
int payer_purse_page(int argc, char **argv);
int payer_session(int argc, char **argv); /* show */
int payer_session_begin(int argc, char **argv);
int payer_session_start(int argc, char **argv);
int payer_session_end(int argc, char **argv);
int payer_user(int argc, char **argv); /* list */
int payer_user_add(int argc, char **argv);
int payer_user_passwd(int argc, char **argv);
int payer_user_export(int argc, char **argv);
int payer_user_import(int argc, char **argv);
int payer_user_remove(int argc, char **argv);
int payer_journal(int argc, char **argv); /* list */
int payer_journal_show(int argc, char **argv);
int payer_journal_days(int argc, char **argv);
int payer_journal_send(int argc, char **argv);
int payer_journal_upgrade(int argc, char **argv);

#endif
