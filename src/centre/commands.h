/* The subcommands of telepay-centre, and where its folder is. */
#ifndef TP_CENTRE_CENTRE_H
#define TP_CENTRE_CENTRE_H

#include "base/err.h"

#define CENTRE_DIR_DEFAULT "/var/lib/telepay/centre"
#define CENTRE_URL_DEFAULT "https://127.0.0.1:8443"

/* The folder that `given` (--dir) names, else ./centre when it holds books, else the system's.
 * TP_ERR_NOT_FOUND, saying how to make one. out has PATH_MAX bytes. */
TP_MUST_CHECK enum tp_err centre_dir(char *out, const char *given, struct tp_error *e);

int centre_cmd_init(int argc, char **argv);
int centre_cmd_acquirer_add(int argc, char **argv);
int centre_cmd_upgrade(int argc, char **argv);
int centre_cmd_contract_list(int argc, char **argv);
int centre_cmd_contract_assign(int argc, char **argv);
int centre_cmd_serve(int argc, char **argv);
int centre_cmd_list(int argc, char **argv);
int centre_cmd_show(int argc, char **argv);
int centre_cmd_alarms(int argc, char **argv);

#endif
