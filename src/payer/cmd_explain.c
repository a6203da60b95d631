/* telepay explain: a lesson of a payment, from its trace. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli.h"
#include "base/file.h"
#include "base/text.h"
#include "drivers/transcript.h"
#include "payer/commands.h"
#include "payer/lesson.h"

struct words {
    const char *trace, *html;
};

enum { HTML = 0x100 };

static const struct argp_option options[] = {
    {"html", HTML, "FILE", 0, N_("write one page of HTML to FILE instead (- : standard output)"),
     0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case HTML:
        w->html = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (w->trace != NULL)
            argp_error(state, _("one trace at a time"));
        w->trace = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->trace == NULL)
            argp_error(state, _("the TRACE is missing: telepay pay --trace FILE writes one"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static enum tp_err put_page(const char *path, const json_t *lesson, struct tp_error *e)
{
    FILE *to = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    enum tp_err r;

    if (to == NULL)
        return tp_fail(e, TP_ERR_USAGE, "cannot write %s: %s", path, strerror(errno));
    r = lesson_page(to, lesson, e);
    if (to == stdout)
        return r;
    if (r == TP_OK && ferror(to))
        r = tp_fail(e, TP_ERR_IO, "%s is not whole: %s", path, strerror(errno));
    if (fclose(to) != 0 && r == TP_OK)
        r = tp_fail(e, TP_ERR_IO, "%s is not whole: %s", path, strerror(errno));
    return r;
}

static enum tp_err explain(const struct words *w, struct tp_error *e)
{
    uint8_t *text = NULL;
    size_t n = 0;
    json_t *lesson = NULL;
    enum tp_err r = file_read(w->trace, TRANSCRIPT_MAX, &text, &n, e);

    if (r == TP_OK)
        r = lesson_make(&lesson, span_of(text, n), w->trace, e);
    if (r == TP_OK && w->html != NULL)
        r = put_page(w->html, lesson, e);
    else if (r == TP_OK)
        lesson_print(stdout, lesson);
    json_decref(lesson);
    free(text);
    return r;
}

int payer_explain(int argc, char **argv)
{
    static const struct argp argp = {
        options,
        parse,
        N_("TRACE"),
        N_("Explain a payment from its trace: each command to the card, what terminal and card "
           "noted and decided, and why, with the clauses of EMV.\vTRACE is a file that telepay pay "
           "--trace wrote. What is masked in it stays masked; one that is cut off is explained as "
           "far as it goes."),
        NULL,
        NULL,
        NULL};
    struct words w = {0};
    struct tp_error e = {TP_OK, ""};

    cli_parse(&argp, argc, argv, &w);
    return cli_end(explain(&w, &e), &e);
}
