/* telepay-purse init, upgrade, serve. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "order/key_files.h"
#include "purse/commands.h"
#include "purse/option.h"
#include "purse/serve.h"
#include "purse/settings.h"
#include "store/upgrade.h"

#define CERTIFICATE_DAYS  1825
#define CONFIGURATION_MAX 2048

/* ---- init ---- */

/* As many units of the currency, in its own decimals. */
static const char *units(char out[MONEY_TEXT_MAX], int64_t n, const struct currency *c)
{
    for (unsigned i = 0; i < c->exponent; i++)
        n *= 10;
    return money_format(out, n, c);
}

static enum tp_err write_configuration(const struct words *w, const struct currency *c,
                                       struct tp_error *e)
{
    char path[PATH_MAX], text[CONFIGURATION_MAX], payment[MONEY_TEXT_MAX], day[MONEY_TEXT_MAX],
        balance[MONEY_TEXT_MAX];
    enum tp_err r = file_join(path, sizeof(path), w->dir, SETTINGS_FILE, e);
    const int n =
        snprintf(text, sizeof(text),
                 "# telepay-purse: read when serve, account fill and payout begin.\n"
                 "\n"
                 "[purse]\n"
                 "name = %s\n"
                 "listen = %s\n"
                 "# Where browsers reach it, and where its credit is sold to cards:\n"
                 "# url = https://localhost:8744\n"
                 "# [seller NAME]\n"
                 "# at = https://localhost:8843/s/purse\n"
                 "\n"
                 "# A section for each currency: at most so much in a payment, in a day, in an "
                 "account; and the\n"
                 "# bank account that merchants are paid from.\n"
                 "[%s]\n"
                 "payment = %s\n"
                 "day = %s\n"
                 "balance = %s\n"
                 "iban = %s\n"
                 "bic = %s\n",
                 w->name, w->listen, c->alpha, units(payment, 150, c), units(day, 500, c),
                 units(balance, 1000, c), w->iban, w->bic);

    if (r == TP_OK && (n < 0 || (size_t)n >= sizeof(text)))
        r = tp_fail(e, TP_ERR_RANGE, "the name is too long");
    return r == TP_OK ? file_replace(path, span_str(text), 0644, e) : r;
}

static enum tp_err check_words(const struct words *w, const struct currency **c, struct tp_error *e)
{
    char name[SETTINGS_NAME], listen[256], iban[IBAN_MAX];
    enum tp_err r = option_text(name, sizeof(name), "--name", w->name, e);

    if (r == TP_OK && strpbrk(w->name, ";#") != NULL)
        r = tp_fail(e, TP_ERR_USAGE, "--name takes no ; and no #");
    if (r == TP_OK)
        r = option_text(listen, sizeof(listen), "--listen", w->listen, e);
    if (r == TP_OK)
        r = option_text(listen, sizeof(listen), "--host", w->hosts, e);
    if (r != TP_OK)
        return r;
    *c = currency_by_alpha(w->currency);
    if (*c == NULL)
        return tp_fail(e, TP_ERR_USAGE, "\"%.20s\" is no currency of ISO 4217: write it as EUR",
                       w->currency);
    if (w->iban[0] != '\0' && !iban_read(iban, w->iban))
        return tp_fail(e, TP_ERR_USAGE, "--iban: its check digits are wrong");
    return TP_OK;
}

static enum tp_err make_key(const char *dir, struct tp_error *e)
{
    char acquirer[BOOK_ID];
    struct book *b = NULL;
    enum tp_err r = book_open(&b, dir, e);

    if (r == TP_OK)
        r = book_acquirer(b, acquirer, e);
    book_close(&b);
    return r == TP_OK ? key_files_make(dir, "acknowledgement", PKI_ACKNOWLEDGEMENT, acquirer, e)
                      : r;
}

static enum tp_err make_purse(const struct words *w, struct tp_error *e)
{
    static const char *const made[] = {BOOK_FILE,    DB_WHERE_FILE, SETTINGS_FILE,
                                       "pki/ca.pem", "pki/ca.key",  NULL};
    const struct pki_subject server = {NULL, "telepay-purse", w->hosts};
    const struct currency *c = NULL;
    struct purse_settings settings;
    enum tp_err r = check_words(w, &c, e);

    if (r == TP_OK && w->store != NULL) /* before anything is made */
        r = db_try_new(w->store, e);
    if (r == TP_OK)
        r = file_none_there(w->dir, made, "name another folder", e);
    if (r == TP_OK)
        r = file_make_private_dir(w->dir, e);
    if (r == TP_OK)
        r = write_configuration(w, c, e);
    if (r == TP_OK)
        r = settings_load(&settings, w->dir, e);
    if (r == TP_OK)
        r = pki_server_make(w->dir, w->name, &server, CERTIFICATE_DAYS, e);
    if (r == TP_OK)
        r = book_make(w->dir, w->store, e);
    return r == TP_OK ? make_key(w->dir, e) : r;
}

int purse_cmd_init(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"name", 'n', "NAME", 0, N_("Its name, as payers and banks see it [telepay purse]"), 0},
        {"host", OPTION_KEY_HOST, "NAMES", 0,
         N_("Names and addresses it is reached by [localhost,127.0.0.1]"), 0},
        {"listen", 'l', "ADDRESS:PORT", 0, N_("Where serve listens [127.0.0.1:8744]"), 0},
        {"currency", 'C', "CODE", 0, N_("Its first currency [EUR]"), 0},
        {"iban", OPTION_KEY_IBAN, "IBAN", 0, N_("The bank account that merchants are paid from"),
         0},
        {"bic", OPTION_KEY_BIC, "BIC", 0, N_("Its bank"), 0},
        {"store", OPTION_KEY_STORE, "URL", 0,
         N_("Keep the books in PostgreSQL: postgresql://HOST/DATABASE [a file in DIR]"), 0},
        {0}};
    static const struct argp argp = {options,
                                     option_parse,
                                     N_("DIR"),
                                     N_("Make a purse in DIR: books, keys, certificates, "
                                        "configuration. Nothing is written over."),
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {.name = "telepay purse",
                      .hosts = "localhost,127.0.0.1",
                      .listen = SETTINGS_LISTEN,
                      .currency = "EUR",
                      .iban = "",
                      .bic = "",
                      .makes = true};
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = w.dir != NULL ? make_purse(&w, &e)
                      : tp_fail(&e, TP_ERR_USAGE, "say where: telepay-purse init DIR");
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("made the purse \"%s\" in %s: its limits are in %s/purse.conf\n"
             "next: telepay-purse contract add --dir %s --id ID --name NAME --currency EUR --iban "
             "IBAN\n"),
           w.name, w.dir, w.dir, w.dir);
    return CLI_DONE;
}

int purse_cmd_upgrade(int argc, char **argv)
{
    static const struct db_upgrade_command upgrade = {&purse_schema, option_dir, BOOK_FILE};

    return db_upgrade_run(&upgrade, argc, argv);
}

/* ---- serve ---- */

int purse_cmd_serve(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"listen", 'l', "ADDRESS:PORT", 0,
         N_("Where to listen [what purse.conf says]; port 0: any free one"), 0},
        {"verbose", 'v', NULL, 0, N_("Say more on stderr"), 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {
        options, option_parse,
        NULL,    N_("Open accounts and take payments over HTTPS, until SIGTERM."),
        NULL,    NULL,
        NULL};
    struct words w = {.dir = NULL};
    char dir[PATH_MAX];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    log_start("telepay-purse", LOG_LEVEL_NOTE, 1);
    cli_parse(&argp, argc, argv, &w);
    const struct purse_place place = {dir, w.listen};

    r = option_dir(dir, w.dir, &e);
    if (r == TP_OK)
        r = purse_serve(&place, &e);
    return cli_end(r, &e);
}
