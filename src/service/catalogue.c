#include "service/catalogue.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/date.h"
#include "base/file.h"
#include "base/word.h"

#define ARTICLES_MAX   100000
#define SECTION_CUT    49 /* where libinih cuts a section's name without a word */
#define LINE_MAX_BYTES 198
#define STOCK_MAX      INT64_C(999999999)
#define VALID_USUAL    10
#define PER_MAX        3600
#define RATE_MAX       INT64_C(100000000)
#define VALID_MAX      1440

struct catalogue {
    struct article *article;
    size_t n, cap;
    char section[ARTICLE_PATH_MAX]; /* of the last one */
    unsigned seen;                  /* its keys, a bit each */
    FILE *file;                     /* as it is read */
    int line;                       /* in the file, of what is read */
    int section_line;               /* of the last [section] */
    int long_line, fault_line;      /* the first that is too long, or at fault; 0: none */
    struct tp_error fault;
};

const char *delivery_text(enum delivery d)
{
    static const char *const texts[] = {
        [DELIVERY_NETWORK] = "network",
        [DELIVERY_SHIPPED] = "shipped",
        [DELIVERY_INCLUDED] = "included",
        [DELIVERY_STREAM] = "stream",
    };

    return texts[d];
}

/* ---- names ---- */

/* Each part of a path is a name: none is empty, "." or "..". */
static bool parts_are_names(const char *path)
{
    for (const char *at = path;; at++) {
        const size_t n = strcspn(at, "/");

        if (n == 0 || (n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
            return false;
        at += n;
        if (*at == '\0')
            return true;
    }
}

/* "journal/1" or "/journal/1" is the address /journal/1; "/" is the shop's own. */
static enum tp_err take_path(char out[ARTICLE_PATH_MAX], const char *section, struct tp_error *e)
{
    const char *names = section[0] == '/' ? section + 1 : section;

    if (strlen(section) >= SECTION_CUT)
        return tp_fail(e, TP_ERR_RANGE, "the address of an article has at most %d characters",
                       SECTION_CUT - 1);
    if (section[0] == '\0' || (names[0] != '\0' && !parts_are_names(names)) ||
        strpbrk(section, " ?#%\\\"<>") != NULL)
        return tp_fail(e, TP_ERR_USAGE,
                       "an article is named as it stands in its address: journal/1, without blanks "
                       "and none of ?#%%\\\"<>, nor .. or //");
    snprintf(out, ARTICLE_PATH_MAX, "/%s", names);
    return TP_OK;
}

static enum tp_err take_text(char out[ARTICLE_TEXT_MAX], const char *key, const char *value,
                             struct tp_error *e)
{
    const enum tp_err r = word_check(value, key, ARTICLE_TEXT_MAX / 4, e);

    if (r == TP_OK && strlen(value) >= ARTICLE_TEXT_MAX)
        return tp_fail(e, TP_ERR_RANGE, "%s is too long", key);
    if (r == TP_OK)
        snprintf(out, ARTICLE_TEXT_MAX, "%s", value);
    return r;
}

/* ---- keys, a row each ---- */

static enum tp_err take_designation(struct article *a, const char *value, struct tp_error *e)
{
    return take_text(a->designation, "designation", value, e);
}

static enum tp_err take_merchant(struct article *a, const char *value, struct tp_error *e)
{
    return take_text(a->merchant, "merchant", value, e);
}

static enum tp_err take_note(struct article *a, const char *value, struct tp_error *e)
{
    return take_text(a->note, "note", value, e);
}

static enum tp_err take_identify(struct article *a, const char *value, struct tp_error *e)
{
    return take_text(a->identify, "identify", value, e);
}

static enum tp_err take_identify_by(struct article *a, const char *value, struct tp_error *e)
{
    a->by_card = strcmp(value, "card") == 0;
    return a->by_card || strcmp(value, "key") == 0
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE, "identify_by is key, or card, not \"%s\"", value);
}

static enum tp_err take_user(struct article *a, const char *value, struct tp_error *e)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    if (strlen(value) != ARTICLE_USER_MAX - 1 || strspn(value, letters) != ARTICLE_USER_MAX - 1)
        return tp_fail(e, TP_ERR_USAGE,
                       "user is a name of %d characters, as telepay identify --at prints it",
                       ARTICLE_USER_MAX - 1);
    snprintf(a->user, sizeof(a->user), "%s", value);
    return TP_OK;
}

static enum tp_err take_parameter(struct article *a, const char *value, struct tp_error *e)
{
    return take_text(a->parameter, "parameter", value, e);
}

/* RFC 9110, 8.3.1: it becomes a header. */
static enum tp_err take_type(struct article *a, const char *value, struct tp_error *e)
{
    enum tp_err r = take_text(a->type, "type", value, e);

    for (const char *at = value; r == TP_OK && *at != '\0'; at++)
        if (*at < ' ' || *at > '~')
            r = TP_ERR_USAGE;
    return r == TP_OK && strchr(value, '/') != NULL
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE, "type is a media type, text/html or the like");
}

static enum tp_err take_file(struct article *a, const char *value, struct tp_error *e)
{
    if (value[0] == '/' || !parts_are_names(value))
        return tp_fail(e, TP_ERR_SECURITY,
                       "file \"%.80s\" leads out of the folder shop"
                       ": name one in it, without / before and without ..",
                       value);
    return take_text(a->file, "file", value, e);
}

static enum tp_err take_price(struct article *a, const char *value, struct tp_error *e)
{
    char number[32];
    const char *blank = strchr(value, ' ');

    a->priced = true;
    if (strcmp(value, "free") == 0)
        return TP_OK;
    a->currency = blank != NULL && strlen(blank + 1) == 3 ? currency_by_alpha(blank + 1) : NULL;
    if (a->currency == NULL || (size_t)(blank - value) >= sizeof(number))
        return tp_fail(e, TP_ERR_USAGE, "price \"%.40s\" is none: write \"1.50 EUR\", or \"free\"",
                       value);
    snprintf(number, sizeof(number), "%.*s", (int)(blank - value), value);
    return money_parse(&a->amount, a->currency, number, e) == TP_OK
               ? TP_OK
               : tp_error_prefix(e, "price, \"1.50 EUR\" or \"free\"");
}

static enum tp_err take_delivery(struct article *a, const char *value, struct tp_error *e)
{
    for (enum delivery d = DELIVERY_NETWORK; d <= DELIVERY_STREAM; d++) {
        if (strcmp(value, delivery_text(d)) == 0) {
            a->delivery = d;
            return TP_OK;
        }
    }
    return tp_fail(e, TP_ERR_USAGE,
                   "delivery \"%.40s\" is none: network, shipped, included and stream are", value);
}

static enum tp_err take_available(struct article *a, const char *value, struct tp_error *e)
{
    a->withheld = strcmp(value, "no") == 0;
    return a->withheld || strcmp(value, "yes") == 0
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE, "available is yes or no, not \"%.40s\"", value);
}

static enum tp_err take_day(int *day, const char *key, const char *value, struct tp_error *e)
{
    return date_parse(day, value) == TP_OK
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE, "%s is a day, 2026-12-31, not \"%.40s\"", key, value);
}

static enum tp_err take_from(struct article *a, const char *value, struct tp_error *e)
{
    return take_day(&a->from, "from", value, e);
}

static enum tp_err take_until(struct article *a, const char *value, struct tp_error *e)
{
    return take_day(&a->until, "until", value, e);
}

static enum tp_err take_stock(struct article *a, const char *value, struct tp_error *e)
{
    return cli_number(&a->stock, "stock", value, STOCK_MAX, e);
}

static enum tp_err take_per(struct article *a, const char *value, struct tp_error *e)
{
    int64_t seconds = 0;
    const enum tp_err r = cli_number(&seconds, "per", value, PER_MAX, e);

    a->per = (int)seconds;
    return r == TP_OK && seconds == 0
               ? tp_fail(e, TP_ERR_USAGE, "per is the seconds that the price pays for, 1 at least")
               : r;
}

static enum tp_err take_rate(struct article *a, const char *value, struct tp_error *e)
{
    return cli_number(&a->rate, "rate", value, RATE_MAX, e);
}

static enum tp_err take_valid(struct article *a, const char *value, struct tp_error *e)
{
    int64_t minutes = 0;
    const enum tp_err r = cli_number(&minutes, "valid", value, VALID_MAX, e);

    a->valid_minutes = (int)minutes;
    return r == TP_OK && minutes == 0
               ? tp_fail(e, TP_ERR_USAGE, "valid is the minutes that a quote holds, 1 at least")
               : r;
}

static const struct key {
    const char *name;
    enum tp_err (*take)(struct article *a, const char *value, struct tp_error *e);
} keys[] = {
    {"designation", take_designation},
    {"price", take_price},
    {"file", take_file},
    {"type", take_type},
    {"note", take_note},
    {"delivery", take_delivery},
    {"available", take_available},
    {"from", take_from},
    {"until", take_until},
    {"stock", take_stock},
    {"valid", take_valid},
    {"per", take_per},
    {"rate", take_rate},
    {"merchant", take_merchant},
    {"identify", take_identify},
    {"identify_by", take_identify_by},
    {"user", take_user},
    {"parameter", take_parameter},
};

/* ---- articles ---- */

static const char *type_of(const char *file)
{
    static const char *const types[][2] = {
        {"css", "text/css"},
        {"csv", "text/csv; charset=utf-8"},
        {"epub", "application/epub+zip"},
        {"gif", "image/gif"},
        {"htm", "text/html; charset=utf-8"},
        {"html", "text/html; charset=utf-8"},
        {"jpeg", "image/jpeg"},
        {"jpg", "image/jpeg"},
        {"json", "application/json"},
        {"md", "text/markdown; charset=utf-8"},
        {"mp3", "audio/mpeg"},
        {"mp4", "video/mp4"},
        {"ogg", "audio/ogg"},
        {"pdf", "application/pdf"},
        {"png", "image/png"},
        {"svg", "image/svg+xml"},
        {"txt", "text/plain; charset=utf-8"},
        {"webp", "image/webp"},
        {"xml", "application/xml"},
        {"zip", "application/zip"},
    };
    const char *dot = strrchr(file, '.');

    for (size_t i = 0; dot != NULL && i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(dot + 1, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

/* What one user owes is paid once, and comes to nothing that would have to be sent. */
static void make_bill(struct article *a)
{
    if (a->file[0] == '\0')
        a->delivery = DELIVERY_SHIPPED;
    if (a->stock < 0)
        a->stock = 1;
    if (a->identify[0] == '\0')
        snprintf(a->identify, sizeof(a->identify), "to show what you owe");
    if (a->note[0] == '\0')
        snprintf(a->note, sizeof(a->note), "it is paid");
}

/* What an article needs, once its section has ended. */
static enum tp_err check_whole(struct article *a, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    if (a->user[0] != '\0')
        make_bill(a);
    if (!a->priced)
        r = tp_fail(e, TP_ERR_USAGE, "there is no price: write \"price = 1.50 EUR\", or free");
    else if (a->by_card && a->identify[0] == '\0')
        r = tp_fail(e, TP_ERR_USAGE, "identify_by says how, and identify is to say why");
    else if (a->file[0] == '\0' && a->delivery != DELIVERY_SHIPPED)
        r = tp_fail(e, TP_ERR_USAGE,
                    "there is no file to deliver: write \"file = NAME\", or "
                    "\"delivery = shipped\"");
    else if (a->file[0] != '\0' && a->delivery == DELIVERY_SHIPPED)
        r = tp_fail(e, TP_ERR_USAGE, "what is shipped has no file: take one of the two away");
    else if (a->stock >= 0 && a->delivery == DELIVERY_INCLUDED)
        r = tp_fail(e, TP_ERR_USAGE,
                    "what goes with its quote is not counted: take the stock away");
    else if ((a->delivery == DELIVERY_STREAM) != (a->per > 0) ||
             (a->rate > 0 && a->delivery != DELIVERY_STREAM))
        r = tp_fail(
            e, TP_ERR_USAGE,
            "what is paid by duration has \"delivery = stream\" and \"per = SECONDS\", with "
            "\"rate = BYTES\" a second of its file, and nothing else has");
    else if (a->delivery == DELIVERY_STREAM && a->amount == 0)
        r = tp_fail(e, TP_ERR_USAGE, "a stream is sold: what is free is delivered as a whole");
    else if (a->from != 0 && a->until != 0 && a->until < a->from)
        r = tp_fail(e, TP_ERR_USAGE, "until is before from");
    if (a->designation[0] == '\0')
        snprintf(a->designation, sizeof(a->designation), "%s", a->path + 1);
    if (a->type[0] == '\0')
        snprintf(a->type, sizeof(a->type), "%s", type_of(a->file));
    return r == TP_OK ? TP_OK : tp_error_prefix(e, "article %s", a->path);
}

static enum tp_err add_article(struct catalogue *c, const char *section, struct tp_error *e)
{
    struct article *a;
    enum tp_err r;

    if (c->n == ARTICLES_MAX)
        return tp_fail(e, TP_ERR_RANGE, "a catalogue has at most %d articles", ARTICLES_MAX);
    if (c->n == c->cap) {
        const size_t cap = c->cap == 0 ? 16 : 2 * c->cap;
        struct article *more = realloc(c->article, cap * sizeof(*more));

        if (more == NULL)
            return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
        c->article = more;
        c->cap = cap;
    }
    a = &c->article[c->n];
    *a = (struct article){.stock = -1, .valid_minutes = VALID_USUAL, .line = c->section_line};
    r = take_path(a->path, section, e);
    if (r == TP_OK) {
        snprintf(c->section, sizeof(c->section), "%s", section);
        c->seen = 0;
        c->n++;
    }
    return r;
}

static enum tp_err take_key(struct catalogue *c, const char *section, const char *name,
                            const char *value, struct tp_error *e)
{
    enum tp_err r =
        section[0] != '\0'
            ? word_check(section, "an article's name", SIZE_MAX, e)
            : tp_fail(e, TP_ERR_USAGE, "%s stands before any article: write [NAME] above it", name);

    if (r == TP_OK && (c->n == 0 || strcmp(section, c->section) != 0 ||
                       c->article[c->n - 1].line != c->section_line))
        r = add_article(c, section, e);
    if (r == TP_OK)
        r = word_check(value, name, SIZE_MAX, e);
    if (r != TP_OK)
        return r;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(name, keys[i].name) != 0)
            continue;
        if ((c->seen & 1U << i) != 0)
            return tp_fail(
                e, TP_ERR_USAGE,
                "%s stands there twice (a line that begins with a blank goes on with the "
                "one before)",
                name);
        c->seen |= 1U << i;
        return keys[i].take(&c->article[c->n - 1], value, e);
    }
    return tp_fail(e, TP_ERR_USAGE, "\"%.40s\" is no word of a catalogue (telepay-service(1))",
                   name);
}

/* The first fault stands. What it cites of the file may be no text. */
static int on_key(void *ctx, const char *section, const char *name, const char *value)
{
    struct catalogue *c = ctx;

    if (c->fault.code != TP_OK || take_key(c, section, name, value, &c->fault) == TP_OK)
        return 1;
    if (section[0] != '\0')
        (void)tp_error_prefix(&c->fault, "[%s]", section);
    word_make_shown(c->fault.text);
    c->fault_line = c->line;
    return 0;
}

/* libinih takes the rest of a line that is too long for it as the next one. */
static char *read_line(char *text, int size, void *ctx)
{
    struct catalogue *c = ctx;
    char *got = fgets(text, size, c->file);
    int next;

    c->line++;
    if (got != NULL && text[0] == '[')
        c->section_line = c->line;
    if (got == NULL || c->long_line != 0 || strlen(text) + 1 < (size_t)size ||
        text[size - 2] == '\n')
        return got;
    next = getc(c->file);
    if (next != EOF) {
        ungetc(next, c->file);
        c->long_line = c->line;
    }
    return got;
}

static int by_path(const void *a, const void *b)
{
    const struct article *x = a, *y = b;

    return strcmp(x->path, y->path);
}

/* That stands twice: in the order of the file. */
static int by_path_and_line(const void *a, const void *b)
{
    const struct article *x = a, *y = b;
    const int paths = by_path(a, b);

    return paths != 0 ? paths : (x->line > y->line) - (x->line < y->line);
}

static enum tp_err check_all(struct catalogue *c, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    if (c->n > 0)
        qsort(c->article, c->n, sizeof(*c->article), by_path_and_line);
    for (size_t i = 1; r == TP_OK && i < c->n; i++)
        if (strcmp(c->article[i - 1].path, c->article[i].path) == 0)
            r = tp_fail(e, TP_ERR_USAGE,
                        "article %s stands there twice, from line %d and from line %d: make one of "
                        "them, or name one anew",
                        c->article[i].path, c->article[i - 1].line, c->article[i].line);
    for (size_t i = 0; r == TP_OK && i < c->n; i++)
        r = check_whole(&c->article[i], e);
    return r;
}

enum tp_err catalogue_read(struct catalogue **out, FILE *f, const char *name, struct tp_error *e)
{
    struct catalogue *c = calloc(1, sizeof(*c));
    enum tp_err r = TP_OK;
    int line;

    *out = NULL;
    if (c == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    c->file = f;
    line = ini_parse_stream(read_line, c, on_key, c);
    if (c->long_line != 0 && (line == 0 || c->long_line <= line))
        r = tp_fail(e, TP_ERR_RANGE, "%s line %d is too long: a line has at most %d bytes", name,
                    c->long_line, LINE_MAX_BYTES);
    else if (line != 0 && c->fault_line == line)
        r = tp_fail(e, c->fault.code, "%s line %d: %s", name, line, c->fault.text);
    else if (line != 0)
        r = tp_fail(e, TP_ERR_FORMAT, "%s line %d is neither [article] nor key = value", name,
                    line);
    else if ((r = check_all(c, e)) != TP_OK)
        r = tp_error_prefix(e, "%s", name);
    if (r != TP_OK)
        catalogue_free(&c);
    *out = c;
    return r;
}

static enum tp_err load(struct catalogue **out, const char *dir, const char *name,
                        struct tp_error *e)
{
    char path[PATH_MAX];
    FILE *f;
    enum tp_err r = file_join(path, sizeof(path), dir, name, e);

    *out = NULL;
    if (r != TP_OK)
        return r;
    f = fopen(path, "re");
    if (f == NULL)
        return tp_fail(e, errno == ENOENT ? TP_ERR_NOT_FOUND : TP_ERR_IO, "cannot read %s: %s",
                       path, strerror(errno));
    r = catalogue_read(out, f, path, e);
    fclose(f);
    return r;
}

enum tp_err catalogue_load(struct catalogue **out, const char *dir, struct tp_error *e)
{
    return load(out, dir, CATALOGUE_FILE, e);
}

/* "/2026-11" is the bill of /bills/2026-11, and says so. */
static enum tp_err name_bill(struct article *a, struct tp_error *e)
{
    char number[ARTICLE_PATH_MAX], what[ARTICLE_TEXT_MAX];

    snprintf(number, sizeof(number), "%s", a->path + 1);
    snprintf(what, sizeof(what), "%s", a->designation);
    if (a->user[0] == '\0' || strchr(number, '/') != NULL || a->amount == 0 ||
        strlen(number) + sizeof(BILLS_PATH) > sizeof(a->path))
        return tp_fail(e, TP_ERR_USAGE,
                       "bills.ini: the bill %s needs a user and a price, and no / in its number",
                       number);
    snprintf(a->path, sizeof(a->path), BILLS_PATH "%.*s",
             (int)(sizeof(a->path) - sizeof(BILLS_PATH)), number);
    snprintf(a->designation, sizeof(a->designation), "Bill %.60s%s%.180s", number,
             strcmp(what, number) != 0 ? ": " : "", strcmp(what, number) != 0 ? what : "");
    return TP_OK;
}

enum tp_err catalogue_load_bills(struct catalogue **out, const char *dir, struct tp_error *e)
{
    enum tp_err r = load(out, dir, BILLS_FILE, e);

    if (r == TP_ERR_NOT_FOUND && (*out = calloc(1, sizeof(**out))) != NULL)
        return TP_OK;
    for (size_t i = 0; r == TP_OK && i < (*out)->n; i++)
        r = name_bill(&(*out)->article[i], e);
    if (r != TP_OK)
        catalogue_free(out);
    return r;
}

void catalogue_free(struct catalogue **c)
{
    if (*c == NULL)
        return;
    free((*c)->article);
    free(*c);
    *c = NULL;
}

size_t catalogue_size(const struct catalogue *c)
{
    return c->n;
}

const struct article *catalogue_at(const struct catalogue *c, size_t i)
{
    return &c->article[i];
}

const struct article *catalogue_find(const struct catalogue *c, const char *path)
{
    struct article wanted;

    if (strlen(path) >= sizeof(wanted.path))
        return NULL;
    snprintf(wanted.path, sizeof(wanted.path), "%s", path);
    return c->n > 0 ? bsearch(&wanted, c->article, c->n, sizeof(*c->article), by_path) : NULL;
}

bool article_on_sale(const struct article *a, time_t now)
{
    const int today = date_of(now);

    return !a->withheld && (a->from == 0 || today >= a->from) &&
           (a->until == 0 || today <= a->until);
}

/* ---- files ---- */

static enum tp_err open_failed(const char *file, struct tp_error *e)
{
    if (errno == ENOENT)
        return tp_fail(e, TP_ERR_NOT_FOUND, "there is no file shop/%s", file);
    if (errno == ELOOP || errno == ENOTDIR)
        return tp_fail(e, TP_ERR_SECURITY,
                       "shop/%s is reached by a symbolic link, or by what is no "
                       "folder: put the file itself there",
                       file);
    return tp_fail(e, TP_ERR_IO, "cannot read shop/%s: %s", file, strerror(errno));
}

enum tp_err catalogue_open_file(int *fd, uint64_t *size, const char *dir, const char *file,
                                struct tp_error *e)
{
    char rest[ARTICLE_TEXT_MAX + sizeof(CATALOGUE_FOLDER)], *at = rest;
    struct stat s;
    enum tp_err r = TP_OK;
    int here = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

    *fd = -1;
    snprintf(rest, sizeof(rest), CATALOGUE_FOLDER "/%s", file);
    for (char *slash; here >= 0 && (slash = strchr(at, '/')) != NULL; at = slash + 1) {
        *slash = '\0';
        const int next = openat(here, at, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        close(here);
        here = next;
    }
    if (here >= 0) /* a pipe that nobody writes to must not hold us */
        *fd = openat(here, at, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (*fd < 0)
        r = open_failed(file, e);
    else if (fstat(*fd, &s) != 0 || !S_ISREG(s.st_mode))
        r = tp_fail(e, TP_ERR_SECURITY, "shop/%s is no file", file);
    else
        *size = (uint64_t)s.st_size;
    if (here >= 0)
        close(here);
    if (r != TP_OK && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    return r;
}

#define NUMBER_MIN 3 /* digits */
#define NUMBER_MAX 20

static bool is_number(const char *text)
{
    const size_t n = strspn(text + (text[0] == '+'), "0123456789");

    return text[(text[0] == '+') + n] == '\0' && n >= NUMBER_MIN && n <= NUMBER_MAX;
}

bool catalogue_find_for(struct article *out, const struct catalogue *c, const char *path)
{
    const char *last = strrchr(path, '/');
    char bare[ARTICLE_PATH_MAX];
    const struct article *a;

    if (last == NULL || strlen(path) >= sizeof(bare) || !is_number(last + 1))
        return false;
    snprintf(bare, sizeof(bare), "%.*s", (int)(last - path), path);
    a = catalogue_find(c, bare);
    if (a == NULL || a->parameter[0] == '\0')
        return false;
    *out = *a;
    snprintf(out->path, sizeof(out->path), "%s", path);
    snprintf(out->designation, sizeof(out->designation), "%.200s: %s", a->designation, last + 1);
    return true;
}
