/* telepay-acquirer parameters, and the document that it writes. */
#include "acquirer/parameters.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "acquirer/commands.h"
#include "acquirer/keys.h"
#include "acquirer/option.h"
#include "base/file.h"
#include "base/text.h"
#include "order/token.h"
#include "wire/jcs.h"

#define FILE_MAX     (4U << 20)
#define APPLICATIONS "applications.conf"
#define FLOOR_MARK   "@FLOOR@"
#define FLOOR_LIMIT  UINT32_MAX /* 9F1B has four bytes */

/* Appends text with every mark replaced. */
static enum tp_err put_replaced(FILE *to, const char *text, const char *mark, const char *value)
{
    const char *at;

    while ((at = strstr(text, mark)) != NULL) {
        fprintf(to, "%.*s%s", (int)(at - text), text, value);
        text = at + strlen(mark);
    }
    return fputs(text, to) >= 0 ? TP_OK : TP_ERR_NO_MEMORY;
}

enum tp_err parameters_applications(FILE *to, int64_t floor, struct tp_error *e)
{
    char path[PATH_MAX], limit[32];
    uint8_t *text = NULL;
    size_t n = 0;
    enum tp_err r = file_data_path(path, sizeof(path), APPLICATIONS, e);

    if (r == TP_OK)
        r = file_read(path, FILE_MAX, &text, &n, e);
    snprintf(limit, sizeof(limit), "%" PRId64, floor < FLOOR_LIMIT ? floor : FLOOR_LIMIT);
    if (r == TP_OK && put_replaced(to, (const char *)text, FLOOR_MARK, limit) != TP_OK)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    free(text);
    return r;
}

/* ---- the document ---- */

/* The floor of a device that pays under any of them is the lowest of all. */
struct lowest {
    struct ledger *l;
    int64_t floor;
};

static enum tp_err take_floor(void *ctx, const struct terminal *t, struct tp_error *e)
{
    struct lowest *lowest = ctx;
    struct contract c;
    enum tp_err r;

    if (t->mediator[0] == '\0')
        return TP_OK;
    r = ledger_contract_get(lowest->l, t->contract, &c, e);
    if (r == TP_OK && (lowest->floor < 0 || c.floor < lowest->floor))
        lowest->floor = c.floor;
    return r;
}

static enum tp_err set_applications(json_t *payload, struct ledger *l, struct tp_error *e)
{
    struct lowest lowest = {l, -1};
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    enum tp_err r;

    if (to == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    r = ledger_terminal_each(l, NULL, take_floor, &lowest, e);
    if (r == TP_OK)
        r = parameters_applications(to, lowest.floor < 0 ? 0 : lowest.floor, e);
    if (fclose(to) != 0 && r == TP_OK)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    if (r == TP_OK)
        r = jcs_set_text(payload, "applications", text, e);
    free(text);
    return r;
}

static enum tp_err add_file(json_t *list, const char *path, struct tp_error *e)
{
    uint8_t *text = NULL;
    json_t *object = NULL;
    size_t n = 0;
    enum tp_err r = file_read(path, FILE_MAX, &text, &n, e);

    if (r == TP_OK)
        r = jcs_read(&object, span_of(text, n), e);
    if (r == TP_OK && json_array_append_new(list, object) != 0)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    if (r == TP_ERR_FORMAT)
        (void)tp_error_prefix(e, "%s", path);
    free(text);
    return r;
}

static enum tp_err set_authorities(json_t *payload, const char *dir, struct tp_error *e)
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct dirent **files = NULL;
    json_t *list = json_array();
    int n = 0;
    enum tp_err r = file_join(folder, sizeof(folder), dir, "authorities", e);

    if (r == TP_OK)
        r = acquirer_authority_files(&files, &n, folder, e);
    for (int i = 0; i < n; i++) {
        if (r == TP_OK)
            r = file_join(path, sizeof(path), folder, files[i]->d_name, e);
        if (r == TP_OK)
            r = add_file(list, path, e);
        free(files[i]);
    }
    free(files);
    if (json_object_set_new(payload, "authorities", list) != 0 && r == TP_OK)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    return r;
}

enum tp_err parameters_write(const char *path, struct ledger *l, const char *dir,
                             struct tp_error *e)
{
    const time_t now = time(NULL);
    char acquirer[ACQUIRER_ID_MAX], issued[TIME_TEXT_MAX], *jws = NULL;
    struct acquirer_keys keys = {.authority = NULL};
    json_t *payload = NULL;
    enum tp_err r = ledger_acquirer_id(l, acquirer, e);

    if (r == TP_OK)
        r = acquirer_keys_load(&keys, dir, e);
    if (r != TP_OK)
        goto out;
    payload = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s}", "version", (json_int_t)now, "acquirer",
                        acquirer, "issued", time_format_utc(issued, now), "capabilities",
                        TERMINAL_CAPABILITIES, "type", "35", "additional", "6000F0A001");
    if (payload == NULL)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    if (r == TP_OK)
        r = set_applications(payload, l, e);
    if (r == TP_OK)
        r = set_authorities(payload, dir, e);
    if (r == TP_OK)
        r = token_sign(&jws, payload, TOKEN_PARAMETERS, &keys.acknowledgement, e);
    if (r == TP_OK)
        r = file_replace(path, span_str(jws), 0644, e);
out:
    free(jws);
    json_decref(payload);
    acquirer_keys_free(&keys);
    return r;
}

/* ---- the command ---- */

struct words {
    const char *dir, *out;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case 'd':
        w->dir = arg;
        return 0;
    case 'o':
        w->out = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int acquirer_parameters(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"out", 'o', "FILE", 0, N_("The file to write"), 0}, OPTION_DIR, {0}};
    static const struct argp argp = {options,
                                     parse,
                                     NULL,
                                     N_("Write what payer devices need to know of this acquirer, "
                                        "signed: its mediators hand it on."),
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {NULL, NULL};
    struct ledger *l = NULL;
    struct tp_error e = {TP_OK, ""};
    char dir[PATH_MAX], acquirer[ACQUIRER_ID_MAX];
    enum tp_err r = TP_OK;

    cli_parse(&argp, argc, argv, &w);
    if (w.out == NULL)
        r = tp_fail(&e, TP_ERR_USAGE, "name the file to write with --out");
    if (r == TP_OK)
        r = option_open(&l, dir, w.dir, &e);
    if (r == TP_OK)
        r = ledger_acquirer_id(l, acquirer, &e);
    if (r == TP_OK)
        r = acquirer_keys_make(dir, acquirer, &e);
    if (r == TP_OK)
        r = parameters_write(w.out, l, dir, &e);
    ledger_close(&l);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("the parameters of acquirer %s are in %s\nnext: give them to its mediators, beside "
             "their mediator.conf\n"),
           acquirer, w.out);
    return CLI_DONE;
}
