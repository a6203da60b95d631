/* telepay-issuer serve */
#include "base/cli.h"
#include "base/log.h"
#include "base/text.h"
#include "issuer/commands.h"
#include "issuer/server.h"
#include "issuer/state.h"
#include "wire/serve.h"

int issuer_serve(int argc, char **argv)
{
    static const struct argp_option table[] = {
        {"dir", 'd', "DIR", 0, N_("The issuer's folder [./iss, else /var/lib/telepay/issuer]"), 0},
        {"listen", 'l', "ADDRESS:PORT", 0,
         N_("Where acquirers connect [that of issuer.conf]; port 0: any free one"), 0},
        {"threads", 't', "N", 0, N_("Threads for the connections [one for each processor]"), 0},
        {0}};
    static const struct argp argp = {.options = table,
                                     .parser = serve_parse,
                                     .doc = "Answer the authorisation requests of acquirers."};
    struct serve_options o = {0};
    char dir[PATH_MAX], address[256];
    static struct issuer_settings settings; /* large */
    const char *port = NULL;
    struct issuer_server *s = NULL;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &o);
    log_start("telepay-issuer", LOG_LEVEL_NOTE, 1);
    r = issuer_dir(dir, o.dir, &e);
    if (r == TP_OK)
        r = issuer_settings_load(&settings, dir, &e);
    if (r == TP_OK)
        r = serve_address(address, sizeof(address), &port,
                          o.listen != NULL ? o.listen : settings.listen, ISSUER_ADDRESS, &e);
    if (r == TP_OK)
        r = issuer_server_new(&s, dir, address, port, serve_threads(&o), &e);
    if (r == TP_OK)
        r = serve_run("telepay-issuer", address, issuer_server_link(s), &e);
    issuer_server_free(&s);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}
