#include "drivers/readers.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/ccid.h"
#include "drivers/pcsc.h"

static const struct kind {                                                        /* a way to readers, the preferred first */
    enum tp_err (*list)(struct reader_info **out, size_t *n, struct tp_error *e); /* TP_ERR_NO_READER: it reaches none */
    enum tp_err (*open)(struct reader **out, const char *wanted, struct tp_error *e);
    void (*ask)(struct reader_info *list, size_t n); /* what each can do, which takes longer */
} kinds[] = {
    {pcsc_list, pcsc_open, pcsc_ask},
    {ccid_list, ccid_open, ccid_ask},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

unsigned readers_number(const char *wanted)
{
    if (wanted == NULL || wanted[0] < '1' || wanted[0] > '9')
        return 0;
    if (wanted[1] == '\0')
        return (unsigned)wanted[0] - '0';
    return wanted[1] >= '0' && wanted[1] <= '9' && wanted[2] == '\0' ? 10 * ((unsigned)wanted[0] - '0') + (unsigned)wanted[1] - '0' : 0;
}

/* One kind's readers, asked what they can do, after those already in *all. */
static enum tp_err append(struct reader_info **all, size_t *n, const struct kind *kind, struct tp_error *e)
{
    struct reader_info *more = NULL, *grown;
    size_t more_n = 0;
    enum tp_err rc = kind->list(&more, &more_n, e);

    if (rc == TP_OK && more_n > 0) {
        grown = realloc(*all, (*n + more_n) * sizeof(*grown));
        if (grown == NULL) {
            rc = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
        } else {
            kind->ask(more, more_n);
            memcpy(grown + *n, more, more_n * sizeof(*more));
            *all = grown;
            *n += more_n;
        }
    }
    free(more);
    return rc;
}

enum tp_err readers_list(struct reader_info **out, size_t *n, struct tp_error *e)
{
    struct tp_error first = {0}; /* when there is nothing, the preferred way says why */
    enum tp_err rc = TP_OK;

    *out = NULL;
    *n = 0;
    for (size_t i = 0; i < KINDS; i++) {
        struct tp_error why = {0};

        rc = append(out, n, &kinds[i], &why);
        if (rc != TP_OK && first.code == TP_OK)
            first = why;
        if (rc == TP_ERR_NO_MEMORY)
            break;
    }
    if (*n > 0)
        return TP_OK;
    if (e != NULL)
        *e = first;
    return first.code;
}

/* The way to the reader that has a number, and its name. */
static enum tp_err by_number(struct reader **out, unsigned number, struct tp_error *e)
{
    enum tp_err rc = TP_OK;
    size_t before = 0;

    for (size_t i = 0; i < KINDS; i++) {
        struct reader_info *list = NULL;
        size_t n = 0;

        rc = kinds[i].list(&list, &n, e);
        if (rc == TP_OK && number <= before + n) {
            rc = kinds[i].open(out, list[number - before - 1].name, e);
            free(list);
            return rc;
        }
        before += n;
        free(list);
    }
    return before == 0 && rc != TP_OK ? rc : tp_fail(e, TP_ERR_NO_READER, "no reader has the number %u: see `telepay readers`", number);
}

/* Whether this way reaches a reader of that name (NULL: any) now. */
static bool reaches(const struct kind *kind, const char *wanted)
{
    struct reader_info *list = NULL;
    bool found = false;
    size_t n = 0;

    if (kind->list(&list, &n, NULL) == TP_OK)
        for (size_t i = 0; i < n && !found; i++)
            found = list[i].trouble[0] == '\0' && (wanted == NULL || strstr(list[i].name, wanted) != NULL);
    free(list);
    return found;
}

enum tp_err readers_open(struct reader **out, const char *wanted, struct tp_error *e)
{
    const unsigned number = readers_number(wanted);
    struct tp_error why = {0};
    enum tp_err rc;

    if (number != 0)
        return by_number(out, number, e);
    if (wanted != NULL && wanted[0] == '\0')
        wanted = NULL;
    for (size_t i = 0; i < KINDS; i++)
        if (KINDS == 1 || reaches(&kinds[i], wanted))
            return kinds[i].open(out, wanted, e);
    rc = kinds[0].open(out, wanted, e); /* no way reaches one yet: the first that can be waited on */
    for (size_t i = 1; i < KINDS && rc != TP_OK; i++)
        if (kinds[i].open(out, wanted, &why) == TP_OK)
            rc = TP_OK;
    return rc;
}

enum tp_err readers_usable(enum tp_err r)
{
    return r == TP_ERR_STATE ? TP_ERR_NO_READER : r;
}
