#include "payer/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apdu/sw.h"
#include "base/date.h"
#include "base/secret.h"
#include "payer/shown.h"

struct trace {
    FILE *file;
    char path[256]; /* for messages */
    struct shown shown;
};

static void write_head(FILE *f)
{
    char now[TIME_TEXT_MAX];

    fprintf(
        f,
        "# telepay trace, %s. > command to the card, < its response, in hex.\n"
        "# Masked with *: all but the first six and last four digits of the card number; PIN blocks, track data, IBAN and the signed static data;\n"
        "# responses that are no TLV are named by their length only.\n",
        time_format(now, time(NULL)));
}

enum tp_err trace_open(struct trace **out, const char *path, struct tp_error *e)
{
    struct trace *t = calloc(1, sizeof(*t));
    const int fd = t == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    enum tp_err r = TP_OK;

    *out = NULL;
    if (t == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a trace");
    if (fd >= 0)
        t->file = fdopen(fd, "w");
    if (t->file == NULL) {
        r = tp_fail(e, TP_ERR_USAGE, "cannot write the trace %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        goto out;
    }
    snprintf(t->path, sizeof(t->path), "%s", path);
    write_head(t->file);
    *out = t;
    t = NULL;
out:
    free(t);
    return r;
}

void trace_exchange(void *ctx, struct span command, struct span response)
{
    struct trace *t = ctx;
    const size_t n = SHOWN_APDU_MAX(command.n > response.n ? command.n : response.n);
    char *text = malloc(n);
    const bool random = command.n >= 2 && command.p[1] == INS_GET_CHALLENGE;
    struct rapdu r;

    if (text == NULL) {
        fprintf(t->file, "# no memory to show an exchange\n");
        return;
    }
    fprintf(t->file, "> %s\n", shown_command(text, &t->shown, command));
    if (response.n == 0)
        fprintf(t->file, "< (no answer)\n");
    else
        fprintf(t->file, "< %s  %s\n", shown_response(text, &t->shown, response, random), rapdu_parse(&r, response) == TP_OK ? sw_text(r.sw) : "");
    secret_wipe(text, n);
    free(text);
}

enum tp_err trace_close(struct trace **t, struct tp_error *e)
{
    struct trace *mine = *t;
    bool failed;
    enum tp_err r;

    if (mine == NULL)
        return TP_OK;
    *t = NULL;
    failed = ferror(mine->file) != 0;
    failed = fclose(mine->file) != 0 || failed;
    r = failed ? tp_fail(e, TP_ERR_IO, "the trace %s is not whole: %s", mine->path, strerror(errno)) : TP_OK;
    secret_wipe(mine, sizeof(*mine));
    free(mine);
    return r;
}
