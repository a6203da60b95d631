/* The subcommands of telepay-mediator, and where its folder is. */
#ifndef TP_MEDIATOR_COMMANDS_H
#define TP_MEDIATOR_COMMANDS_H

#include "base/cli.h"
#include "base/table.h"
#include "base/text.h"
#include "mediator/orderbook.h"

#define MEDIATOR_DIR_DEFAULT    "/var/lib/telepay/mediator"
#define MEDIATOR_LISTEN_DEFAULT "127.0.0.1:8843"
#define MEDIATOR_KEY            "challenge.key" /* of the ids of its challenges: 32 random bytes */
#define MEDIATOR_CONF           "mediator.conf" /* [serve] listen, origin */

#define OPTION_DIR                                                                                 \
    {                                                                                              \
        "dir", 'd', "DIR", 0, N_("The mediator's folder [./med, else /var/lib/telepay/mediator]"), \
            90                                                                                     \
    }
#define OPTION_JSON                                                                                \
    {                                                                                              \
        "json", 'j', NULL, 0, N_("Print JSON for machines"), 91                                    \
    }

/* The folder that `given` (--dir) names, else ./med when it holds books, else the system's.
 * TP_ERR_NOT_FOUND, saying how to make one. out has PATH_MAX bytes. */
TP_MUST_CHECK enum tp_err mediator_dir(char *out, const char *given, struct tp_error *e);

/* Books and folder; a table. end prints it when r is TP_OK, closes, and returns the exit code. */
struct roll {
    struct orderbook *book;
    struct table *table;
    struct tp_error e;
    char dir[4096];
};
TP_MUST_CHECK enum tp_err roll_start(struct roll *list, const char *dir, const char *name,
                                     const struct table_column *columns, size_t n, bool json);
int roll_end(struct roll *list, enum tp_err r);

/* The numbers of books and folder for collectors of metrics: status --metrics. */
TP_MUST_CHECK enum tp_err metrics_print(struct orderbook *b, const char *dir, struct tp_error *e);

int mediator_cmd_init(int argc, char **argv);
int mediator_cmd_upgrade(int argc, char **argv);
int mediator_cmd_acquirer_add(int argc, char **argv);
int mediator_cmd_contract_list(int argc, char **argv);
int mediator_cmd_service_add(int argc, char **argv);
int mediator_cmd_service_list(int argc, char **argv);
int mediator_cmd_service_close(int argc, char **argv);
int mediator_cmd_serve(int argc, char **argv);
int mediator_cmd_order_list(int argc, char **argv);
int mediator_cmd_order_show(int argc, char **argv);
int mediator_cmd_order_prove(int argc, char **argv);
int mediator_cmd_dispute_list(int argc, char **argv);
int mediator_cmd_dispute_show(int argc, char **argv);
int mediator_cmd_dispute_answer(int argc, char **argv);
int mediator_cmd_dispute_ask(int argc, char **argv);
int mediator_cmd_dispute_settle(int argc, char **argv);
int mediator_cmd_dispute_refuse(int argc, char **argv);
int mediator_cmd_status(int argc, char **argv);

#endif
