/* The subcommands of telepay-emv: argv[0] is "telepay-emv NAME"; each returns an exit code of
 * base/cli.h. */
#ifndef TP_EMV_COMMANDS_H
#define TP_EMV_COMMANDS_H

int emv_decode(int argc, char **argv);
int emv_apdu(int argc, char **argv);

#endif
