/* telepay purse page: a link to an account's page at its purse. */
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "payer/commands.h"
#include "payer/purse_door.h"
#include "payer/purse_words.h"

/* A page of the web may have led to it: in a window its person is asked. */
static enum tp_err agree(const struct purse_run *run, const struct purse_account *a,
                         struct tp_error *e)
{
    const struct person_options options = {.pin_fd = -1, .dialog = run->words.window};
    struct person *person = NULL;
    char text[PURSES_NAME + PURSES_URL + 80];
    bool yes = false;
    enum tp_err r;

    if (run->words.window == NULL)
        return TP_OK;
    snprintf(text, sizeof(text), _("Show the page of your account at %s (%s) in the browser"),
             a->name, a->url);
    r = person_new(&person, &options, e);
    if (r == TP_OK)
        r = person_agrees(person, text, &yes, e);
    person_free(&person);
    return r != TP_OK || yes ? r : tp_fail(e, TP_ERR_CANCELLED, "not wanted: nothing was signed");
}

static enum tp_err print_link(struct purse_run *run, const struct purse_account *a,
                              struct tp_error *e)
{
    char link[PURSE_DOOR_PAGE];
    struct secret key = {0};
    enum tp_err r;

    run->checkout.device.code.dialog = run->words.window;
    r = purses_unlock(&key, &run->checkout.device, a, e);
    if (r == TP_OK)
        r = purse_door_page(link, run->fetch, a, &key, e);
    secret_free(&key);
    if (r == TP_OK)
        printf("%s\n", link);
    return r;
}

int payer_purse_page(int argc, char **argv)
{
    static const struct argp_option options[] = {PURSE_WORD,
                                                 {"pinentry", PURSE_WINDOW_KEY, "PROGRAM",
                                                  OPTION_ARG_OPTIONAL,
                                                  N_("ask in a window, by the program pinentry or "
                                                     "another like it, also whether it is wanted"),
                                                  0},
                                                 {0}};
    static const struct argp argp = {
        options,
        purse_words_parse,
        NULL,
        N_("Print a link to the page of your account at a purse, for a browser: it is good once, "
           "within a minute, and the page for a quarter of an hour. Your key signs for it."),
        purse_words_children,
        NULL,
        NULL};
    struct purse_run run;
    struct tp_error e = {0};
    struct purse_account account;
    enum tp_err r = purse_run_begin(&run, &argp, false, argc, argv, &e);

    if (r == TP_OK)
        r = purse_run_account(&account, &run, &e);
    if (r == TP_OK)
        r = agree(&run, &account, &e);
    if (r == TP_OK)
        r = print_link(&run, &account, &e);
    return purse_run_end(&run, r, &e);
}
