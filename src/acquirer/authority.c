/* telepay-acquirer authority add | list | remove: the authority keys of card schemes that this
 * acquirer trusts, and no others. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "acquirer/commands.h"
#include "acquirer/option.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/text.h"

#define FILE_MAX (4 << 20)

struct words {
    const char *dir, *scheme, *file, *rid, *index;
    bool json, test;
};

enum { KEY_RID = 256, KEY_INDEX, KEY_TEST };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case 'd':
        w->dir = arg;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case 's':
        w->scheme = arg;
        return 0;
    case 'f':
        w->file = arg;
        return 0;
    case KEY_RID:
        w->rid = arg;
        return 0;
    case KEY_INDEX:
        w->index = arg;
        return 0;
    case KEY_TEST:
        w->test = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Registered application providers by the names that people call them. */
static const struct {
    const char *name, *rid;
} schemes[] = {
    {"CB", "A000000042"},       {"Visa", "A000000003"}, {"Mastercard", "A000000004"},
    {"Amex", "A000000025"},     {"JCB", "A000000065"},  {"Discover", "A000000152"},
    {"UnionPay", "A000000333"}, {"TPN", "A000000677"},
};

#define SCHEME_NAMES "CB, Visa, Mastercard, Amex, JCB, Discover, UnionPay, TPN"

static const char *scheme_of(const char *rid)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (strcasecmp(schemes[i].rid, rid) == 0)
            return schemes[i].name;
    return NULL;
}

static enum tp_err rid_of(const char **rid, const char *name, struct tp_error *e)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (strcasecmp(schemes[i].name, name) == 0) {
            *rid = schemes[i].rid;
            return TP_OK;
        }
    return tp_fail(e, TP_ERR_USAGE,
                   "\"%.40s\" is no scheme known here: CB, Visa, Mastercard, Amex, JCB, Discover, "
                   "UnionPay, TPN",
                   name);
}

static const char *member(const json_t *key, const char *name)
{
    const char *text = json_string_value(json_object_get(key, name));

    return text != NULL ? text : "";
}

static enum tp_err read_list(json_t **out, const char *path, struct tp_error *e)
{
    uint8_t *text = NULL;
    size_t n = 0;
    json_error_t where;
    enum tp_err r = file_read(path, FILE_MAX, &text, &n, e);

    *out = NULL;
    if (r != TP_OK)
        return r;
    *out = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, &where);
    free(text);
    return *out != NULL ? TP_OK
                        : tp_fail(e, TP_ERR_FORMAT, "%s line %d is no JSON: %s", path, where.line,
                                  where.text);
}

static enum tp_err write_list(const char *path, const json_t *list, struct tp_error *e)
{
    char *text = json_dumps(list, JSON_INDENT(1));
    enum tp_err r;

    if (text == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "cannot write %s: out of memory", path);
    r = file_replace(path, span_str(text), 0644, e);
    free(text);
    return r;
}

/* ---- add ---- */

/* A scheme's keys of the project's list that are long enough, as a list of their own. The list's
 * SHA-1s have been checked. */
static enum tp_err pick(json_t **out, const json_t *list, const char *rid, const struct words *w,
                        struct tp_error *e)
{
    const char *environment = w->test ? "test" : "live", *name = scheme_of(rid);
    json_t *keys = json_array(), *key;
    size_t i, small = 0;

    json_array_foreach(json_object_get(list, "keys"), i, key)
    {
        const size_t bits = strlen(member(key, "modulus")) * 4;

        if (strcasecmp(member(key, "rid"), rid) != 0 ||
            strcmp(member(key, "environment"), environment) != 0)
            continue;
        if (bits < ACQUIRER_AUTHORITY_BITS) {
            log_note("key %s of %s (%s) has %zu bits and is not taken: less than %d are none for "
                     "an acquirer",
                     member(key, "index"), name, rid, bits, ACQUIRER_AUTHORITY_BITS);
            small++;
        } else if (json_array_append(keys, key) != 0) {
            json_decref(keys);
            return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
        }
    }
    *out = json_pack("{s:o}", "keys", keys);
    if (*out == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    if (json_array_size(keys) > 0)
        return TP_OK;
    return tp_fail(e, TP_ERR_NOT_FOUND,
                   "telepay's list has no %s key of %s (%s)%s: get the keys from the scheme, and "
                   "give them in a file of the list's form with --file",
                   environment, name, rid, small > 0 ? _(" that is long enough") : "");
}

static enum tp_err from_scheme(const char *to, const struct words *w, struct tp_error *e)
{
    char path[PATH_MAX];
    const char *rid = NULL;
    json_t *list = NULL, *picked = NULL;
    struct capk_store *check = NULL;
    enum tp_err r = rid_of(&rid, w->scheme, e);

    if (r == TP_OK)
        r = file_data_path(path, sizeof(path), "capk.json", e);
    if (r == TP_OK && (r = capk_store_new(&check)) != TP_OK)
        (void)tp_fail(e, r, "cannot read %s: %s", path, tp_err_text(r));
    if (r == TP_OK)
        r = capk_store_load(check, path, e);
    if (r == TP_OK)
        r = read_list(&list, path, e);
    if (r == TP_OK)
        r = pick(&picked, list, rid, w, e);
    if (r == TP_OK)
        r = write_list(to, picked, e);
    json_decref(picked);
    json_decref(list);
    capk_store_free(&check);
    return r;
}

/* What the new file brings; one that brings nothing goes again. */
static enum tp_err told(const struct capk_store *before, const char *path, struct tp_error *e)
{
    struct capk_store *now = NULL;
    const struct capk *k;
    char rid[11], date[DATE_TEXT_MAX];
    size_t fresh = 0;
    enum tp_err r = capk_store_new(&now);

    if (r != TP_OK)
        return tp_fail(e, r, "cannot read %s: %s", path, tp_err_text(r));
    r = capk_store_load(now, path, e);
    for (size_t i = 0; r == TP_OK && (k = capk_at(now, i)) != NULL; i++) {
        if (capk_known(before, k))
            continue;
        fresh++;
        printf(_("trusted: key %02X of %s, %zu bits, %s%s%s\n"), k->index,
               hex_encode(rid, SPAN_OF(k->rid)), capk_bits(k), k->live ? _("live") : _("test"),
               k->expiry != 0 ? _(", planned to end on ") : "",
               k->expiry != 0 ? date_format(date, k->expiry) : "");
    }
    capk_store_free(&now);
    if (r == TP_OK && fresh == 0)
        r = tp_fail(e, TP_ERR_EXISTS, "every key of that was trusted already");
    if (r != TP_OK)
        unlink(path);
    return r;
}

static enum tp_err add(const struct words *w, struct tp_error *e)
{
    char dir[PATH_MAX], name[64], path[PATH_MAX];
    struct capk_store *before = NULL;
    enum tp_err r = acquirer_dir(dir, w->dir, e);

    if (r == TP_OK)
        r = acquirer_read_authorities(&before, dir, e);
    if (r == TP_OK)
        r = acquirer_authority_place(name, sizeof(name), dir, e);
    if (r == TP_OK)
        r = file_join(path, sizeof(path), dir, name, e);
    if (r == TP_OK)
        r = w->file != NULL ? acquirer_copy_authority(dir, w->file, e) : from_scheme(path, w, e);
    if (r == TP_OK)
        r = told(before, path, e);
    if (r == TP_OK)
        printf(_("a server that runs takes this within a second or two; terminals made before want "
                 "the file %s, named in section [authorities]\n"),
               path);
    capk_store_free(&before);
    return r;
}

int acquirer_authority_add(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"scheme", 's', "NAME", 0,
         N_("Keys of telepay's own list, of CB, Visa, Mastercard, Amex, JCB, Discover, UnionPay, "
            "TPN"),
         0},
        {"test", KEY_TEST, NULL, 0, N_("With --scheme: its test keys, not the live ones"), 0},
        {"file", 'f', "FILE", 0, N_("Every key of a file (authority.json of telepay-perso init)"),
         0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {
        options,
        parse,
        NULL,
        N_("Trust authority keys of a card scheme: payments under other keys are refused (63). "
           "Keys under 1408 bits are not taken."),
        NULL,
        NULL,
        NULL};
    struct words w = {0};
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    if ((w.scheme == NULL) == (w.file == NULL))
        r = tp_fail(&e, TP_ERR_USAGE,
                    "say --scheme NAME (CB, Visa, Mastercard, Amex, JCB, Discover, UnionPay, TPN) "
                    "or --file FILE");
    else if (w.test && w.file != NULL)
        r = tp_fail(&e, TP_ERR_USAGE, "--test goes with --scheme: of a file every key is taken");
    else
        r = add(&w, &e);
    if (r != TP_OK)
        return cli_report(&e);
    return CLI_DONE;
}

/* ---- remove ---- */

static bool meant(const json_t *key, const char *rid, const char *index)
{
    const char *self_signed = member(key, "self_signed"); /* format, RID, index: Book 2, table 29 */

    if (*self_signed != '\0')
        return strlen(self_signed) > 16 && strncasecmp(self_signed + 4, rid, 10) == 0 &&
               (index == NULL || strncasecmp(self_signed + 14, index, 2) == 0);
    return strcasecmp(member(key, "rid"), rid) == 0 &&
           (index == NULL || strcasecmp(member(key, "index"), index) == 0);
}

/* Takes the keys out of one file; the file goes when nothing is left in it. */
static enum tp_err remove_from(const char *path, const char *rid, const char *index, size_t *gone,
                               struct tp_error *e)
{
    json_t *list = NULL, *keys;
    size_t before;
    enum tp_err r = read_list(&list, path, e);

    if (r != TP_OK)
        return r;
    keys = json_object_get(list, "keys");
    before = json_array_size(keys);
    for (size_t i = before; i-- > 0;)
        if (meant(json_array_get(keys, i), rid, index))
            json_array_remove(keys, i);
    *gone += before - json_array_size(keys);
    if (json_array_size(keys) == before)
        r = TP_OK;
    else if (json_array_size(keys) > 0 || json_array_size(json_object_get(list, "revoked")) > 0)
        r = write_list(path, list, e);
    else if (unlink(path) != 0)
        r = tp_fail(e, TP_ERR_IO, "cannot remove %s: %s", path, strerror(errno));
    json_decref(list);
    return r;
}

static enum tp_err remove_keys(const struct words *w, struct tp_error *e)
{
    char dir[PATH_MAX], folder[PATH_MAX], path[PATH_MAX];
    const char *rid = w->rid;
    struct dirent **names = NULL;
    size_t gone = 0;
    int n = 0;
    enum tp_err r = w->scheme != NULL ? rid_of(&rid, w->scheme, e) : TP_OK;

    if (r == TP_OK)
        r = acquirer_dir(dir, w->dir, e);
    if (r == TP_OK)
        r = file_join(folder, sizeof(folder), dir, "authorities", e);
    if (r == TP_OK)
        r = acquirer_authority_files(&names, &n, folder, e);
    for (int i = 0; i < n; i++) {
        if (r == TP_OK)
            r = file_join(path, sizeof(path), folder, names[i]->d_name, e);
        if (r == TP_OK)
            r = remove_from(path, rid, w->index, &gone, e);
        free(names[i]);
    }
    free(names);
    if (r == TP_OK && gone == 0)
        r = tp_fail(e, TP_ERR_NOT_FOUND, "no key %s%sof %.20s is trusted here",
                    w->index != NULL ? w->index : "", w->index != NULL ? " " : "", rid);
    if (r == TP_OK)
        printf(ngettext("%zu key of %s is trusted no more; a server that runs knows it when it "
                        "starts again\n",
                        "%zu keys of %s are trusted no more; a server that runs knows it when it "
                        "starts again\n",
                        gone),
               gone, rid);
    return r;
}

int acquirer_authority_remove(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"scheme", 's', "NAME", 0,
         N_("Keys of CB, Visa, Mastercard, Amex, JCB, Discover, UnionPay, TPN"), 0},
        {"rid", KEY_RID, "RID", 0,
         N_("Keys of this registered application provider, as authority list has it"), 0},
        {"index", KEY_INDEX, "XX", 0, N_("Only the key of this index [all]"), 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {
        options, parse,
        NULL,    N_("Trust authority keys no more, as when their scheme has withdrawn them."),
        NULL,    NULL,
        NULL};
    struct words w = {0};
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    if ((w.scheme == NULL) == (w.rid == NULL))
        r = tp_fail(&e, TP_ERR_USAGE,
                    "say --scheme NAME (CB, Visa, Mastercard, Amex, JCB, Discover, UnionPay, TPN) "
                    "or --rid RID");
    else
        r = remove_keys(&w, &e);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}

/* ---- list ---- */

static enum tp_err list_row(struct table *t, const struct capk *k, int today, struct tp_error *e)
{
    char rid[11], index[3], bits[16], date[DATE_TEXT_MAX];
    const char *slash = strrchr(k->source, '/');
    const char *const cells[] = {
        scheme_of(hex_encode(rid, SPAN_OF(k->rid))),
        rid,
        hex_encode(index, span_of(&k->index, 1)),
        bits,
        k->live ? "live" : "test",
        k->expiry != 0 ? date_format(date, k->expiry) : NULL,
        table_bool(k->expiry != 0 && k->expiry < today),
        slash != NULL ? slash + 1 : k->source,
    };

    snprintf(bits, sizeof(bits), "%zu", capk_bits(k));
    return table_row(t, cells, e);
}

int acquirer_authority_list(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {
        options,     parse, NULL, N_("List the authority keys that are trusted."),
        table_words, NULL,  NULL};
    static const struct table_column columns[] = {{"scheme", TABLE_WORDS},
                                                  {"rid", TABLE_TEXT},
                                                  {"index", TABLE_TEXT},
                                                  {"bits", TABLE_NUMBER},
                                                  {"environment", TABLE_TEXT | TABLE_LESSER},
                                                  {"planned_end", TABLE_TEXT},
                                                  {"past_the_end", TABLE_BOOL},
                                                  {"file", TABLE_WORDS | TABLE_LESSER}};
    struct words w = {0};
    struct listing list = {0};
    struct capk_store *store = NULL;
    const struct capk *k;
    struct tm local;
    time_t now;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    date_now(&local, &now);
    r = listing_start(&list, w.dir, "authorities", columns, sizeof(columns) / sizeof(columns[0]),
                      w.json);
    if (r == TP_OK)
        r = acquirer_read_authorities(&store, list.dir, &list.e);
    for (size_t i = 0; r == TP_OK && (k = capk_at(store, i)) != NULL; i++)
        r = list_row(list.table, k, date_of(now), &list.e);
    capk_store_free(&store);
    return listing_end(&list, r);
}
