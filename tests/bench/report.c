/* bench report [--json] PROGRAM…: runs each bench and gathers the JSON lines that they print,
 * {"name","value","unit","limit","note"}, into one table. A limit is the least that the value may
 * be (null: none); a unit that begins with "max " turns it round; with "ratio" and "base_name" the
 * limit is that of the ratio. Exits with 1 when a limit is missed or a bench fails, after all have
 * run. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/table.h"

#define LINE_MAX_BYTES 4096

static void number(char out[40], double v)
{
    snprintf(out, 40, v >= 100 || v <= -100 ? "%.0f" : "%.3g", v);
}

static const char *text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));

    return text != NULL ? text : "";
}

/* One line of a bench; *missed when it is under its limit. Lines that are no JSON go on to the
 * people. */
static enum tp_err add_line(struct table *t, const char *line, bool *missed)
{
    json_t *o = json_loads(line, 0, NULL);
    const json_t *value = json_object_get(o, "value"), *limit = json_object_get(o, "limit");
    const char *unit = text_of(o, "unit");
    char v[40] = "", l[40] = "", note[256];
    const char *outcome = NULL;
    enum tp_err r = TP_OK;

    if (!json_is_object(o) || !json_is_number(value)) {
        fprintf(stderr, "%s", line);
        goto out;
    }
    number(v, json_number_value(value));
    if (json_is_number(limit)) {
        const json_t *ratio = json_object_get(
            o, "ratio"); /* where there is one, the limit is that of the ratio to a base */
        const double have = json_number_value(json_is_number(ratio) ? ratio : value),
                     want = json_number_value(limit);
        const bool most = strncmp(unit, "max ", 4) == 0, ok = most ? have <= want : have >= want;

        number(l, want);
        outcome = ok ? "ok" : "MISSED";
        *missed |= !ok;
    }
    if (json_is_number(json_object_get(o, "ratio")))
        snprintf(note, sizeof(note), "%.3g of %s", json_number_value(json_object_get(o, "ratio")),
                 text_of(o, "base_name"));
    else
        snprintf(note, sizeof(note), "%s", text_of(o, "note"));
    const char *const cells[] = {text_of(o, "name"),      v,       unit,
                                 l[0] != '\0' ? l : NULL, outcome, note};

    r = table_row(t, cells, NULL);
out:
    json_decref(o);
    return r;
}

static enum tp_err run(struct table *t, const char *program, bool *missed)
{
    char line[LINE_MAX_BYTES];
    enum tp_err r = TP_OK;
    int status = -1, pipes[2];
    pid_t pid;
    FILE *f;

    if (pipe(pipes) != 0)
        return TP_ERR_IO;
    pid = fork();
    if (pid == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        close(pipes[0]);
        close(pipes[1]);
        execl(program, program, (char *)NULL);
        perror(program);
        _exit(127);
    }
    close(pipes[1]);
    f = fdopen(pipes[0], "r");
    if (pid < 0 || f == NULL) {
        close(pipes[0]);
        return TP_ERR_IO;
    }
    while (r == TP_OK && fgets(line, sizeof(line), f) != NULL)
        r = add_line(t, line, missed);
    fclose(f);
    if (waitpid(pid, &status, 0) != pid || status != 0) {
        fprintf(stderr, "%s failed\n", program);
        *missed = true;
    }
    return r;
}

int main(int argc, char **argv)
{
    static const struct table_column columns[] = {{"measured", TABLE_TEXT}, {"value", TABLE_NUMBER},
                                                  {"unit", TABLE_TEXT},     {"limit", TABLE_NUMBER},
                                                  {"outcome", TABLE_TEXT},  {"note", TABLE_TEXT}};
    const bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
    struct table *t = NULL;
    bool missed = false;
    enum tp_err r =
        table_new(&t, "bench", columns, sizeof(columns) / sizeof(columns[0]), json, NULL);

    for (int i = json ? 2 : 1; r == TP_OK && i < argc; i++)
        r = run(t, argv[i], &missed);
    r = table_end(&t, r, NULL);
    if (r == TP_OK && !json)
        putchar('\n');
    if (r != TP_OK)
        fprintf(stderr, "bench: %s\n", tp_err_text(r));
    return r != TP_OK || missed ? EXIT_FAILURE : EXIT_SUCCESS;
}
