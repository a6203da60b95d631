/* The subcommands of telepay-service, and where its folder is. */
#ifndef TP_SERVICE_COMMANDS_H
#define TP_SERVICE_COMMANDS_H

#include "base/err.h"

#define SERVICE_LISTEN_DEFAULT "127.0.0.1:8743"

/* The folder that `given` (--dir) names, else ./service when it holds books, else the system's.
 * TP_ERR_NOT_FOUND, saying how to make one. out has PATH_MAX bytes. */
TP_MUST_CHECK enum tp_err service_dir(char *out, const char *given, struct tp_error *e);

int service_cmd_init(int argc, char **argv);
int service_cmd_mediator_add(int argc, char **argv);
int service_cmd_mediator_list(int argc, char **argv);
int service_cmd_mediator_close(int argc, char **argv);
int service_cmd_upgrade(int argc, char **argv);
int service_cmd_check(int argc, char **argv);
int service_cmd_serve(int argc, char **argv);
int service_cmd_account_list(int argc, char **argv);
int service_cmd_list(int argc, char **argv);

#endif
