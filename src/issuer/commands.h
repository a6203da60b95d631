/* The subcommands of telepay-issuer: each takes its words (argv[0] is "telepay-issuer serve") and
 * returns an exit code of enum cli_exit. The table is in main.c. */
#ifndef TP_ISSUER_COMMANDS_H
#define TP_ISSUER_COMMANDS_H

int issuer_init(int argc, char **argv);
int issuer_upgrade(int argc, char **argv);
int issuer_acquirer_add(int argc, char **argv);
int issuer_acquirer_list(int argc, char **argv);
int issuer_acquirer_close(int argc, char **argv);
int issuer_account_add(int argc, char **argv);
int issuer_account_list(int argc, char **argv);
int issuer_account_block(int argc, char **argv);
int issuer_account_unblock(int argc, char **argv);
int issuer_account_set(int argc, char **argv);
int issuer_script_queue(int argc, char **argv);
int issuer_script_list(int argc, char **argv);
int issuer_serve(int argc, char **argv);
int issuer_list(int argc, char **argv);
int issuer_cryptogram(int argc, char **argv);

#endif
