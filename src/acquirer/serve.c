/* telepay-acquirer serve */
#include "base/cli.h"
#include "base/log.h"
#include "acquirer/commands.h"
#include "acquirer/server.h"
#include "acquirer/state.h"
#include "base/text.h"
#include "wire/serve.h"

int acquirer_serve(int argc, char **argv)
{
    static const struct argp_option table[] = {
        {"dir", 'd', "DIR", 0, N_("The acquirer's folder [./acq, else /var/lib/telepay/acquirer]"),
         0},
        {"listen", 'l', "ADDRESS:PORT", 0,
         N_("Where terminals connect [that of acquirer.conf]; port 0: any free one"), 0},
        {"threads", 't', "N", 0, N_("Threads that check messages [one for each processor]"), 0},
        {0}};
    static const struct argp argp = {
        .options = table,
        .parser = serve_parse,
        .doc = "Receive, check, keep and acknowledge the payments of terminals."};
    struct serve_options o = {0};
    char dir[PATH_MAX], address[256], configured[256];
    const char *port = NULL;
    struct acquirer_server *s = NULL;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &o);
    log_start("telepay-acquirer", LOG_LEVEL_NOTE, 1);
    r = acquirer_dir(dir, o.dir, &e);
    if (r == TP_OK)
        r = acquirer_listen(configured, sizeof(configured), dir, &e);
    if (r == TP_OK)
        r = serve_address(address, sizeof(address), &port, o.listen != NULL ? o.listen : configured,
                          ACQUIRER_ADDRESS, &e);
    if (r == TP_OK)
        r = acquirer_server_new(&s, dir, address, port, serve_threads(&o), &e);
    if (r == TP_OK)
        r = serve_run("telepay-acquirer", address, acquirer_server_link(s), &e);
    acquirer_server_free(&s);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}
