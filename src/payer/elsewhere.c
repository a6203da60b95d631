/* What `telepay` begins and does not have: orders, purses and users need libraries (HTTP, JOSE, a
 * browser's door) that take longer to load than a payment at a counter lasts. They are in a second
 * program of the same sources, and the first becomes that one. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/log.h"
#include "payer/commands.h"
#include "payer/pay_url.h"
#include "store/driver.h"

#define OTHER "telepay" /* so that it is called the same */

/* Beside this program, where it was built; else where it was installed. */
static void find_other(char path[PATH_MAX])
{
    char self[PATH_MAX - sizeof("libexec/" OTHER)];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *slash;

    self[n > 0 ? n : 0] = '\0';
    slash = strrchr(self, '/');
    if (slash != NULL) {
        slash[1] = '\0';
        snprintf(path, PATH_MAX, "%slibexec/" OTHER, self);
        if (access(path, X_OK) == 0)
            return;
    }
    snprintf(path, PATH_MAX, "%s", TP_LIBEXECDIR "/" OTHER);
}

/* The words of this program as it was called, each ended by a zero byte; NULL: not to be had. */
static char *own_words(size_t *n)
{
    FILE *from = fopen("/proc/self/cmdline", "re");
    char *words = NULL;
    size_t cap = 0, got = 1;

    *n = 0;
    while (from != NULL && got > 0) {
        if (*n == cap) {
            char *more = realloc(words, cap + 4096);

            if (more == NULL)
                break;
            words = more;
            cap += 4096;
        }
        got = fread(words + *n, 1, cap - *n, from);
        *n += got;
    }
    if (from != NULL)
        fclose(from);
    return words;
}

static int become_other(void)
{
    char path[PATH_MAX], *words, **argv;
    size_t n = 0, count = 0;

    find_other(path);
    words = own_words(&n);
    argv = calloc(n + 1, sizeof(*argv));
    for (size_t at = 0; argv != NULL && at < n; at += strlen(words + at) + 1)
        argv[count++] = words + at;
    if (count > 0)
        execv(path, argv);
    log_error("cannot run %s, which has this command: %s", path, strerror(errno));
    free(argv);
    free(words);
    return CLI_INTERNAL;
}

#define ELSEWHERE(name)                                                                            \
    int name(int argc, char **argv)                                                                \
    {                                                                                              \
        (void)argc;                                                                                \
        (void)argv;                                                                                \
        return become_other();                                                                     \
    }

ELSEWHERE(payer_agent)
ELSEWHERE(payer_credential)
ELSEWHERE(payer_get)
ELSEWHERE(payer_authority_add)
ELSEWHERE(payer_authority_list)
ELSEWHERE(payer_authority_remove)
ELSEWHERE(payer_order)
ELSEWHERE(payer_order_show)
ELSEWHERE(payer_order_prove)
ELSEWHERE(payer_order_send)
ELSEWHERE(payer_dispute)
ELSEWHERE(payer_dispute_open)
ELSEWHERE(payer_dispute_show)
ELSEWHERE(payer_dispute_evidence)
ELSEWHERE(payer_identify)
ELSEWHERE(payer_bill)
ELSEWHERE(payer_bill_pay)
ELSEWHERE(payer_plan)
ELSEWHERE(payer_plan_set)
ELSEWHERE(payer_purse)
ELSEWHERE(payer_purse_open)
ELSEWHERE(payer_purse_empty)
ELSEWHERE(payer_purse_history)
ELSEWHERE(payer_purse_fill)
ELSEWHERE(payer_purse_balance)
ELSEWHERE(payer_purse_page)
ELSEWHERE(payer_session)
ELSEWHERE(payer_session_begin)
ELSEWHERE(payer_session_start)
ELSEWHERE(payer_session_end)
ELSEWHERE(payer_user)
ELSEWHERE(payer_user_add)
ELSEWHERE(payer_user_passwd)
ELSEWHERE(payer_user_export)
ELSEWHERE(payer_user_import)
ELSEWHERE(payer_user_remove)

/* `telepay pay --order` */
void pay_url_run(struct pay_url *u, struct pay_result *result,
                 const struct pay_url_options *options)
{
    (void)options;
    *u = (struct pay_url){0};
    *result = (struct pay_result){.exit = (enum cli_exit)become_other()};
}

void pay_url_free(struct pay_url *u)
{
    (void)u;
}

/* A journal is a file: no server is asked for one. */
static enum tp_err no_server(void **conn, const char *where, bool make, struct tp_error *e)
{
    (void)conn;
    (void)make;
    return tp_fail(e, TP_ERR_USAGE, "%s is a server: a journal is a file", where);
}

const struct db_driver db_postgres = {.open = no_server};
