#include "payer/card_tree.h"

#include <stdlib.h>
#include <string.h>

#include "apdu/emvtags.h"
#include "apdu/sw.h"
#include "base/secret.h"
#include "base/text.h"
#include "decode/decode.h"

#define EXCHANGES_MAX 1024

struct kept { /* a command, and its whole answer with the status word */
    struct buf command, answer;
    size_t application; /* after which SELECT, from 1; 0: before any */
};

struct card_tree {
    struct kept kept[EXCHANGES_MAX];
    size_t n, applications, current;
    bool live; /* one application is not of the test scheme */
};

enum tp_err card_tree_new(struct card_tree **out)
{
    *out = calloc(1, sizeof(**out));
    return *out != NULL ? TP_OK : TP_ERR_NO_MEMORY;
}

static void drop(struct buf *b)
{
    if (b->p != NULL)
        secret_wipe(b->p, b->n);
    free(b->p);
    *b = (struct buf){NULL, 0, 0};
}

void card_tree_free(struct card_tree **t)
{
    if (*t == NULL)
        return;
    for (size_t i = 0; i < (*t)->n; i++) {
        drop(&(*t)->kept[i].command);
        drop(&(*t)->kept[i].answer);
    }
    free(*t);
    *t = NULL;
}

/* ---- what passes ---- */

/* s behind the first `keep` bytes of b, in memory of its own; false: there is none. */
static bool append(struct buf *b, size_t keep, struct span s)
{
    uint8_t *more = realloc(b->p, keep + s.n + 1);

    if (more == NULL)
        return false;
    if (s.n > 0)
        memcpy(more + keep, s.p, s.n);
    *b = (struct buf){more, keep + s.n, keep + s.n};
    return true;
}

static uint16_t status_of(const struct kept *k)
{
    return (uint16_t)(k->answer.p[k->answer.n - 2] << 8 | k->answer.p[k->answer.n - 1]);
}

static void take_back(struct card_tree *t)
{
    t->n--;
    drop(&t->kept[t->n].command);
    drop(&t->kept[t->n].answer);
}

/* One application selected again is the same. */
static void selected(struct card_tree *t)
{
    struct kept *k = &t->kept[t->n - 1];
    bool test = true;

    if (!shown_selection(&test, buf_span(&k->command), buf_span(&k->answer))) {
        if (k->command.p[1] == INS_SELECT && status_of(k) == SW_OK) /* a directory */
            t->current = k->application = ++t->applications;
        return;
    }
    t->live = t->live || !test;
    for (size_t i = 0; i + 1 < t->n; i++)
        if (t->kept[i].command.p[1] == INS_SELECT &&
            span_eq(buf_span(&t->kept[i].answer), buf_span(&k->answer))) {
            t->current = t->kept[i].application;
            take_back(t);
            return;
        }
    t->current = k->application = ++t->applications;
}

void card_tree_exchange(void *ctx, struct span command, struct span response)
{
    struct card_tree *t = ctx;
    struct kept *last = t->n > 0 ? &t->kept[t->n - 1] : NULL;

    if (command.n < 4 || response.n < 2)
        return;
    if (last != NULL && command.p[1] == INS_GET_RESPONSE &&
        (status_of(last) & SW_FAMILY) == SW_MORE_DATA) {
        if (append(&last->answer, last->answer.n - 2, response))
            selected(t);
        return;
    }
    if (last != NULL && (status_of(last) & SW_FAMILY) == SW_WRONG_LE &&
        memcmp(last->command.p, command.p, 4) == 0)
        take_back(t);
    if (t->n == EXCHANGES_MAX)
        return;
    t->kept[t->n] = (struct kept){.application = t->current};
    t->n++;
    last = &t->kept[t->n - 1];
    if (append(&last->command, 0, command) && append(&last->answer, 0, response))
        selected(t);
    else
        take_back(t);
}

/* ---- what is asked for besides ---- */

static enum tp_err ask(struct reader *reader, const struct capdu *c, uint16_t *sw,
                       struct tp_error *e)
{
    uint8_t room[APDU_SHORT_RESPONSE_MAX];
    struct buf answer = BUF_OF(room);
    const enum tp_err r = reader_transmit(reader, c, &answer, sw, e);

    secret_wipe(room, sizeof(room));
    return r;
}

/* Beside the counters, which were read: limits and counters of VIS, M/Chip and the Common Core
 * Definitions. */
static enum tp_err get_data(struct reader *reader, struct tp_error *e)
{
    static const uint16_t tags[] = {0x9F14, 0x9F23, 0x9F50, 0x9F51, 0x9F52, 0x9F53, 0x9F54,
                                    0x9F55, 0x9F56, 0x9F57, 0x9F58, 0x9F59, 0x9F5A, 0x9F5C,
                                    0x9F5D, 0x9F5E, 0x9F68, 0x9F6C, 0x9F72, 0x9F73, 0x9F77,
                                    0x9F78, 0x9F79, 0x9F7E, 0xBF4C, 0xBF4D};
    uint16_t sw;
    enum tp_err r = TP_OK;

    for (size_t i = 0; r == TP_OK && i < sizeof(tags) / sizeof(tags[0]); i++) {
        const struct capdu c = {.cla = 0x80,
                                .ins = INS_GET_DATA,
                                .p1 = (uint8_t)(tags[i] >> 8),
                                .p2 = (uint8_t)tags[i],
                                .le = 256};

        r = ask(reader, &c, &sw, e);
    }
    return r;
}

/* Where the log is, of the application that is current: its 9F4D. */
static struct span log_entry(const struct card_tree *t, size_t application)
{
    struct rapdu r;
    struct tlv found;

    for (size_t i = 0; i < t->n; i++)
        if (t->kept[i].application == application && t->kept[i].command.p[1] == INS_SELECT &&
            rapdu_parse(&r, buf_span(&t->kept[i].answer)) == TP_OK &&
            tlv_find_deep(r.data, TAG_LOG_ENTRY, &found) == TP_OK && found.value.n == 2)
            return found.value;
    return span_of(NULL, 0);
}

static enum tp_err read_log(const struct card_tree *t, struct reader *reader, struct tp_error *e)
{
    const struct span where = log_entry(t, t->current);
    uint16_t sw = SW_OK;
    enum tp_err r = TP_OK;

    for (unsigned i = 1; where.n == 2 && r == TP_OK && sw == SW_OK && i <= where.p[1]; i++) {
        const struct capdu c = {.ins = INS_READ_RECORD,
                                .p1 = (uint8_t)i,
                                .p2 = (uint8_t)((where.p[0] & 0x1F) << 3 | 4),
                                .le = 256};

        r = ask(reader, &c, &sw, e);
    }
    return r;
}

enum tp_err card_tree_read_more(struct card_tree *t, struct reader *reader,
                                struct transaction *const *list, size_t n, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    for (size_t i = 0; r == TP_OK && i < n; i++) {
        const struct candidate *c = transaction_application(list[i]);
        uint16_t sw = 0;

        if (c == NULL)
            continue;
        const struct capdu select = {
            .ins = INS_SELECT, .p1 = 0x04, .data = span_of(c->aid, c->aid_n), .le = 256};

        r = ask(reader, &select, &sw, e);
        if (r == TP_OK && sw == SW_OK)
            r = get_data(reader, e);
        if (r == TP_OK && sw == SW_OK)
            r = read_log(t, reader, e);
    }
    return r;
}

bool card_tree_test(const struct card_tree *t)
{
    return !t->live;
}

/* ---- the tree ---- */

static bool is_log(const struct card_tree *t, const struct kept *k)
{
    const struct span where = log_entry(t, k->application);

    return where.n == 2 && k->command.p[1] == INS_READ_RECORD &&
           k->command.p[3] >> 3 == (where.p[0] & 0x1F);
}

/* A record of the log has no tags: its list is 9F4F. */
static enum tp_err log_record(json_t *to, struct decode *d, const struct kept *k, struct span dol)
{
    const struct span record = span_of(k->answer.p, k->answer.n - 2);
    struct tp_error broken;
    json_t *objects = NULL, *o;

    (void)!decode_dol(&objects, d, dol, record, &broken);
    if (objects == NULL)
        return TP_ERR_NO_MEMORY;
    o = json_pack("{s:s, s:s, s:i, s:o}", "tag", "log", "name", _("Transaction Log Record"),
                  "length", (int)record.n, "objects", objects);
    return json_array_append_new(to, o) == 0 ? TP_OK : TP_ERR_NO_MEMORY;
}

/* What the card refused says nothing of it; the bytes of an answer stand in its objects. */
static enum tp_err exchange(json_t *to, struct decode *d, const struct kept *k)
{
    struct tp_error broken;
    json_t *objects = NULL, *o;
    size_t i;
    enum tp_err r;

    if (status_of(k) != SW_OK && status_of(k) != SW_SELECTED_FILE_INVALIDATED)
        return TP_OK;
    (void)!decode_exchange(&objects, d, buf_span(&k->command), buf_span(&k->answer), &broken);
    if (objects == NULL)
        return TP_ERR_NO_MEMORY;
    json_array_foreach(objects, i, o) if (json_object_get(o, "objects") != NULL)
        json_object_del(o, "value");
    r = json_array_extend(to, objects) == 0 ? TP_OK : TP_ERR_NO_MEMORY;
    json_decref(objects);
    return r;
}

static struct span log_format(const struct card_tree *t, size_t application)
{
    struct rapdu r;
    struct tlv found;

    for (size_t i = 0; i < t->n; i++)
        if (t->kept[i].application == application && t->kept[i].command.p[1] == INS_GET_DATA &&
            rapdu_parse(&r, buf_span(&t->kept[i].answer)) == TP_OK &&
            tlv_find(r.data, TAG_LOG_FORMAT, &found) == TP_OK)
            return found.value;
    return span_of(NULL, 0);
}

static enum tp_err one_application(json_t *to, struct decode *d, const struct card_tree *t,
                                   size_t application)
{
    const struct span format = log_format(t, application);
    enum tp_err r = TP_OK;

    for (size_t i = 0; i < t->n; i++)
        if (t->kept[i].application == application && !is_log(t, &t->kept[i]))
            decode_learn(d, span_of(t->kept[i].answer.p, t->kept[i].answer.n - 2));
    for (size_t i = 0; r == TP_OK && i < t->n; i++) {
        const struct kept *k = &t->kept[i];

        if (k->application != application)
            continue;
        if (is_log(t, k) && format.n > 0 && status_of(k) == SW_OK)
            r = log_record(to, d, k, format);
        else
            r = exchange(to, d, k);
    }
    return r;
}

enum tp_err card_tree_make(json_t **out, struct card_tree *t, const struct capk_store *keys,
                           bool unmasked)
{
    struct decode *d = malloc(sizeof(*d));
    struct names *names = NULL;
    enum tp_err r = d == NULL || names_new(&names) != TP_OK ? TP_ERR_NO_MEMORY : TP_OK;

    *out = json_array();
    for (size_t i = 0; r == TP_OK && i <= t->applications; i++) {
        memset(d, 0, sizeof(*d));
        d->keys = keys;
        d->names = names;
        d->shown.all = unmasked;
        d->shown.personal = true;
        r = one_application(*out, d, t, i);
    }
    if (d != NULL)
        secret_wipe(d, sizeof(*d));
    free(d);
    names_free(&names);
    if (r != TP_OK || *out == NULL) {
        json_decref(*out);
        *out = NULL;
        return TP_ERR_NO_MEMORY;
    }
    return TP_OK;
}
