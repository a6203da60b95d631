/* telepay user: who pays from this device. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/file.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"
#include "payer/commands.h"
#include "payer/device.h"
#include "payer/dialog.h"
#include "payer/home.h"
#include "payer/keystore.h"
#include "payer/orders.h"
#include "payer/purses.h"
#include "payer/user.h"

struct words {
    const char *home, *name, *user, *out;
    bool purses;        /* removed although money may be in them */
    const char *wanted; /* what the argument is; NULL: there is none */
    struct code_source code;
    bool json, yes;
};
#define WORDS_NONE ((struct words){.code = CODE_ASKED})

enum { HOME = 0x100, USER, OUT, CODE_FD, PINENTRY, YES, PURSES };

#define WORD_HOME                                                                                  \
    {                                                                                              \
        "home", HOME, "DIR", 0, N_("the device's folder, instead of ~/.config/telepay"), 0         \
    }
#define WORDS_CODE                                                                                 \
    {"code-fd", CODE_FD, "N", 0, N_("read the code from file descriptor N, one line each"), 0},    \
    {                                                                                              \
        "pinentry", PINENTRY, "PROGRAM", OPTION_ARG_OPTIONAL,                                      \
            N_("ask for it in a window, by the program pinentry or another like it"), 0            \
    }

static const struct argp_option code_options[] = {WORD_HOME, WORDS_CODE, {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;
    struct tp_error e = {TP_OK, ""};

    switch (key) {
    case HOME:
        w->home = arg;
        return 0;
    case USER:
        w->user = arg;
        return 0;
    case PURSES:
        w->purses = true;
        return 0;
    case OUT:
        w->out = arg;
        return 0;
    case CODE_FD:
        if (cli_fd(&w->code.fd, "--code-fd", arg, &e) != TP_OK)
            argp_error(state, "%s", e.text);
        return 0;
    case PINENTRY:
        w->code.dialog = arg != NULL ? arg : DIALOG_PROGRAM;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case YES:
        w->yes = true;
        return 0;
    case ARGP_KEY_ARG:
        if (w->wanted == NULL || w->name != NULL)
            argp_error(state, _("\"%s\" is one word too many"), arg);
        w->name = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->wanted != NULL && w->name == NULL)
            argp_error(state, _("%s is missing"), w->wanted);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static enum tp_err set_code(const char *folder, const char *user, const struct code_source *from,
                            bool has_one, struct tp_error *e)
{
    struct device device = {.folder = folder, .user = user, .code = *from};
    struct secret code = {0};
    json_t *key;
    enum tp_err r = has_one ? device_key(&key, &device, e) : TP_OK;

    if (r == TP_OK)
        r = code_ask_new(&code, from, user, e);
    if (r == TP_OK)
        r = device_set_code(&device, secret_span(&code), e);
    secret_free(&code);
    device_free(&device);
    return r;
}

int payer_user_add(int argc, char **argv)
{
    static const struct argp argp = {
        code_options,
        parse,
        N_("NAME"),
        N_("Add a user, with a plan, a journal and a key of their own, which a code opens."),
        NULL,
        NULL,
        NULL};
    struct words w = WORDS_NONE;
    struct tp_error e = {0};
    char home[PATH_MAX], folder[PATH_MAX];
    enum tp_err r;

    w.wanted = "the user's name";
    cli_parse(&argp, argc, argv, &w);
    r = home_open(home, w.home, &e);
    if (r == TP_OK)
        r = user_add(home, w.name, &e);
    if (r != TP_OK)
        return cli_end(r, &e);
    r = user_folder(folder, home, w.name, &e);
    if (r == TP_OK)
        r = set_code(folder, w.name, &w.code, false, &e);
    if (r != TP_OK && user_remove(home, w.name, NULL) != TP_OK)
        (void)tp_error_prefix(&e, "%s is added, without a key", w.name);
    if (r == TP_OK)
        printf(_("%s is added: --user NAME or TELEPAY_USER says who pays from now on (who paid "
                 "without, --user default); next: telepay plan set --user %s --means emv --up-to "
                 "AMOUNT\n"),
               w.name, w.name);
    return cli_end(r, &e);
}

int payer_user_passwd(int argc, char **argv)
{
    static const struct argp_option passwd_options[] = {
        WORD_HOME, {"user", USER, "NAME", 0, N_("whose, of several users"), 0}, WORDS_CODE, {0}};
    static const struct argp argp = {
        passwd_options,
        parse,
        NULL,
        N_("Change the code that opens your key, or give it one. With --code-fd the first line is "
           "the code that it has, if it has one, and the next the new one."),
        NULL,
        NULL,
        NULL};
    struct words w = WORDS_NONE;
    struct tp_error e = {0};
    char home[PATH_MAX], folder[PATH_MAX], name[USER_NAME];
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = home_open(home, w.home, &e);
    if (r == TP_OK)
        r = user_name(name, home, w.user, &e);
    if (r == TP_OK)
        r = user_folder(folder, home, name, &e);
    if (r == TP_OK)
        r = set_code(folder, name, &w.code, true, &e);
    if (r == TP_OK)
        printf(_("The new code opens the key of %s from now on; what was exported before keeps the "
                 "code of then.\n"),
               name);
    return cli_end(r, &e);
}

/* ---- a second device ---- */

int payer_user_export(int argc, char **argv)
{
    static const struct argp_option export_options[] = {
        WORD_HOME, {"out", OUT, "FILE", 0, N_("where to"), 0}, {0}};
    static const struct argp argp = {
        export_options,
        parse,
        N_("NAME"),
        N_("Write a user's key, enciphered under their code, for another device of theirs."),
        NULL,
        NULL,
        NULL};
    struct words w = WORDS_NONE;
    struct tp_error e = {0};
    char home[PATH_MAX], folder[PATH_MAX];
    enum tp_err r;

    w.wanted = "the user's name";
    cli_parse(&argp, argc, argv, &w);
    r = w.out != NULL ? home_open(home, w.home, &e)
                      : tp_fail(&e, TP_ERR_USAGE, "say where to: --out FILE");
    if (r == TP_OK)
        r = user_folder(folder, home, w.name, &e);
    if (r == TP_OK)
        r = device_export(folder, w.out, &e);
    if (r == TP_OK)
        printf(_("The key of %s is in %s, and their code opens it; next, on the other device: "
                 "telepay user import %s\n"),
               w.name, w.out, w.out);
    return cli_end(r, &e);
}

static enum tp_err whose(char id[KEYSTORE_ID], const char *path, struct tp_error *e)
{
    uint8_t *text = NULL;
    size_t n = 0;
    enum tp_err r = file_read(path, KEYSTORE_MAX, &text, &n, e);

    if (r == TP_OK)
        r = keystore_whose(id, span_of(text, n), path, e);
    free(text);
    return r;
}

static enum tp_err import(char id[KEYSTORE_ID], const char *home, const char *path,
                          const struct code_source *from, struct tp_error *e)
{
    char folder[PATH_MAX];
    struct device device = {.folder = folder, .user = id, .code = *from};
    bool added = false;
    enum tp_err r = whose(id, path, e);

    if (r == TP_OK && strcmp(id, USER_DEFAULT) != 0) {
        r = user_add(home, id, e);
        added = r == TP_OK;
    }
    if (r == TP_OK)
        r = user_folder(folder, home, id, e);
    if (r == TP_OK)
        r = device_import(&device, path, e);
    if (r != TP_OK && added && user_remove(home, id, NULL) != TP_OK)
        (void)tp_error_prefix(e, "%s is added, without a key", id);
    device_free(&device);
    return r;
}

int payer_user_import(int argc, char **argv)
{
    static const struct argp argp = {
        code_options,
        parse,
        N_("FILE"),
        N_("Add the user whose key another device has exported; their code is asked for."),
        NULL,
        NULL,
        NULL};
    struct words w = WORDS_NONE;
    struct tp_error e = {0};
    char home[PATH_MAX], id[KEYSTORE_ID];
    enum tp_err r;

    w.wanted = "the file that was exported";
    cli_parse(&argp, argc, argv, &w);
    r = home_open(home, w.home, &e);
    if (r == TP_OK)
        r = import(id, home, w.name, &w.code, &e);
    if (r == TP_OK)
        printf(_("%s pays from this device, too, with the key of the other one: --user %s or "
                 "TELEPAY_USER; next: telepay plan set --user %s --means emv --up-to AMOUNT\n"),
               id, id, id);
    return cli_end(r, &e);
}

/* ---- list ---- */

static const struct table_column columns[] = {
    {"user", TABLE_TEXT}, {"key", TABLE_TEXT}, {"folder", TABLE_WORDS}};

static enum tp_err list_one(struct table *table, const char *home, const char *name,
                            struct tp_error *e)
{
    static const char *const words[] = {[DEVICE_NONE] = "not yet made",
                                        [DEVICE_PLAIN] = "without a code",
                                        [DEVICE_ENCIPHERED] = "enciphered"};
    char folder[PATH_MAX];
    enum device_kept kept = DEVICE_NONE;
    enum tp_err r = user_folder(folder, home, name, e);

    if (r == TP_OK)
        r = device_kept(&kept, folder, e);

    const char *cells[] = {name, words[kept], folder};

    return r == TP_OK ? table_row(table, cells, e) : r;
}

static enum tp_err list(const char *home, bool json, struct tp_error *e)
{
    struct table *table = NULL;
    struct users all;
    enum tp_err r = users_list(&all, home, e);

    if (r != TP_OK)
        return r;
    r = table_new(&table, "users", columns, sizeof(columns) / sizeof(columns[0]), json, e);
    if (r == TP_OK)
        r = list_one(table, home, USER_DEFAULT, e);
    for (size_t i = 0; r == TP_OK && i < all.n; i++)
        r = list_one(table, home, all.name[i], e);
    return table_end(&table, r, e);
}

int payer_user(int argc, char **argv)
{
    static const struct argp_option list_options[] = {
        WORD_HOME, {"json", 'j', NULL, 0, N_("print JSON"), 0}, {0}};
    static const struct argp argp = {
        list_options, parse, NULL, N_("List who pays from this device."), table_words, NULL, NULL};
    struct words w = WORDS_NONE;
    struct tp_error e = {0};
    char home[PATH_MAX];
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = home_open(home, w.home, &e);
    if (r == TP_OK)
        r = list(home, w.json, &e);
    return cli_end(r, &e);
}

/* ---- remove ---- */

static bool count(void *ctx, const struct kept_order *o)
{
    size_t *n = ctx;

    (void)o;
    (*n)++;
    return true;
}

static enum tp_err has_purse(void *ctx, const struct purse_account *a, struct tp_error *e)
{
    const char *name = ctx;

    return tp_fail(e, TP_ERR_STATE,
                   "%s has an account at the purse %s, and what is in it is lost with the key: "
                   "telepay purse balance --user %s tells how much, telepay purse empty takes it "
                   "out; --with-purses removes them all the same",
                   name, a->acquirer, name);
}

/* What is signed, and of which nobody knows what became, is lost with its journal; so are the
 * proofs of the others, whose number comes out; and with the key what is in purses. */
static enum tp_err check_settled(size_t *orders, const char *home, char *name, bool purses,
                                 struct tp_error *e)
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct journal *journal = NULL;
    struct kept_order pending = {0};
    enum tp_err r = user_folder(folder, home, name, e);

    *orders = 0;
    if (r == TP_OK)
        r = file_join(path, sizeof(path), folder, HOME_JOURNAL, e);
    if (r != TP_OK || access(path, F_OK) != 0)
        return r;
    r = journal_open(&journal, path, e);
    if (r == TP_OK)
        r = orders_pending(journal, 0, &pending, e);
    if (r == TP_OK)
        r = tp_fail(e, TP_ERR_STATE,
                    "%s has paid the order %s, and what became of it is not known yet: telepay "
                    "order send --user %s asks; not removed",
                    name, pending.order, name);
    else if (r == TP_ERR_NOT_FOUND)
        r = purses ? TP_OK : purses_list(journal, has_purse, name, e);
    if (r == TP_OK)
        r = orders_list(journal, count, orders, e);
    kept_order_free(&pending);
    journal_close(&journal);
    return r;
}

/* Nobody can bring it back, so it is told first, and asked. */
static enum tp_err agree(const char *name, size_t orders, bool yes, struct tp_error *e)
{
    char question[USER_NAME + 32];

    log_note(ngettext("with %s go for good: the key, but where it was exported to; the plan; the "
                      "journal, with %zu order and what proves it",
                      "with %s go for good: the key, but where it was exported to; the plan; the "
                      "journal, with %zu orders and what proves them",
                      orders),
             name, orders);
    snprintf(question, sizeof(question), "remove %s?", name);
    if (yes || cli_agrees(question))
        return TP_OK;
    return isatty(STDIN_FILENO) != 0
               ? tp_fail(e, TP_ERR_CANCELLED, "%s stays as it is", name)
               : tp_fail(e, TP_ERR_USAGE,
                         "%s stays as it is: say --yes to remove it without being "
                         "asked",
                         name);
}

int payer_user_remove(int argc, char **argv)
{
    static const struct argp_option remove_options[] = {
        WORD_HOME,
        {"yes", YES, NULL, 0, N_("do it without asking"), 0},
        {"with-purses", PURSES, NULL, 0, N_("even where that loses what is in the user's purses"),
         0},
        {0}};
    static const struct argp argp = {
        remove_options,
        parse,
        N_("NAME"),
        N_("Remove a user, with plan, journal and key: nobody can bring them back."),
        NULL,
        NULL,
        NULL};
    struct words w = WORDS_NONE;
    struct tp_error e = {0};
    char home[PATH_MAX], name[USER_NAME];
    size_t orders = 0;
    enum tp_err r;

    w.wanted = "the user's name";
    cli_parse(&argp, argc, argv, &w);
    r = home_open(home, w.home, &e);
    if (r == TP_OK)
        r = user_name(name, home, w.name, &e);
    if (r == TP_OK)
        r = check_settled(&orders, home, name, w.purses, &e);
    if (r == TP_OK)
        r = agree(w.name, orders, w.yes, &e);
    if (r == TP_OK)
        r = user_remove(home, w.name, &e);
    if (r == TP_OK)
        printf(_("%s is removed, with plan, journal and key: nothing is paid as %s any more.\n"),
               w.name, w.name);
    return cli_end(r, &e);
}
