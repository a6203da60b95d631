#include "drivers/readers.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "drivers/ccid.h"
#include "drivers/pcsc.h"

#define WAIT_SLICE_MS 200 /* how long a Ctrl-C may go unseen while waiting for a card */

static const struct kind { /* a way to readers, the preferred first */
    const char *driver;    /* as its struct reader_info says */
    enum tp_err (*list)(struct reader_info **out, size_t *n,
                        struct tp_error *e); /* TP_ERR_NO_READER: it reaches none */
    enum tp_err (*open)(struct reader **out, const char *wanted, bool whole, struct tp_error *e);
    void (*ask)(struct reader_info *list, size_t n); /* what each can do, which takes longer */
} kinds[] = {
    {"PC/SC", pcsc_list, pcsc_open, pcsc_ask},
    {"CCID", ccid_list, ccid_open, ccid_ask},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* What of `wanted` is a number of the list: 1 to 99 without leading zeros; 0: it is part of a
 * name. */
static unsigned number_of(const char *wanted)
{
    if (wanted == NULL || wanted[0] < '1' || wanted[0] > '9')
        return 0;
    if (wanted[1] == '\0')
        return (unsigned)wanted[0] - '0';
    return wanted[1] >= '0' && wanted[1] <= '9' && wanted[2] == '\0'
               ? 10 * ((unsigned)wanted[0] - '0') + (unsigned)wanted[1] - '0'
               : 0;
}

/* A PC/SC name begins with the words that the reader has on USB, where its driver has no words of
 * its own for it. */
static bool named_alike(const char *pcsc, const char *usb)
{
    const char *place = strstr(usb, " (USB ");
    const size_t n = place != NULL ? (size_t)(place - usb) : strlen(usb);

    return strncasecmp(pcsc, usb, n) == 0 && pcsc[n] == ' ';
}

/* pcscd holds the readers that it drives, so a driver of our own finds such a one busy: it is in
 * the list already when that has a reader at its place, else one whose place is not known (another
 * program has its card) and whose name is the same, which then stands for this one and no other. */
static bool listed(struct reader_info *list, size_t n, const struct reader_info *busy)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].usb_bus == busy->usb_bus && list[i].usb_address == busy->usb_address)
            return true;
    for (size_t i = 0; i < n; i++)
        if (list[i].usb_bus == 0 && named_alike(list[i].name, busy->name)) {
            list[i].usb_bus = busy->usb_bus;
            list[i].usb_address = busy->usb_address;
            list[i].can = busy->can; /* it could not be asked itself */
            return true;
        }
    return false;
}

/* One kind's readers, asked what they can do, after those already in *all; but for the busy ones
 * that those are. */
static enum tp_err append(struct reader_info **all, size_t *n, const struct kind *kind,
                          struct tp_error *e)
{
    struct reader_info *more = NULL, *grown;
    const size_t before = *n;
    size_t more_n = 0;
    enum tp_err rc = kind->list(&more, &more_n, e);

    if (rc == TP_OK && more_n > 0) {
        grown = realloc(*all, (*n + more_n) * sizeof(*grown));
        if (grown == NULL) {
            rc = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
        } else {
            kind->ask(more, more_n);
            *all = grown;
            for (size_t i = 0; i < more_n; i++)
                if (!more[i].in_use || !listed(grown, before, &more[i]))
                    grown[(*n)++] = more[i];
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

/* The reader that has a number in the list. */
static enum tp_err by_number(struct reader **out, unsigned number, struct tp_error *e)
{
    struct reader_info *list = NULL;
    size_t n = 0;
    enum tp_err rc = readers_list(&list, &n, e);

    if (rc == TP_OK && (list == NULL || number > n)) {
        rc = tp_fail(e, TP_ERR_NO_READER, "no reader has the number %u: see `telepay readers`",
                     number);
    } else if (rc == TP_OK) {
        const struct reader_info *r = &list[number - 1];
        const struct kind *kind = kinds;

        while (strcmp(kind->driver, r->driver) != 0)
            kind++;
        rc = kind->open(out, r->name, true, e);
    }
    free(list);
    return rc;
}

enum use {
    USE_NOW,
    USE_LATER,
    USE_TROUBLE
}; /* of a reader: it has a card; it has none yet; something is in the way */

static enum use use_of(const struct reader_info *r)
{
    if (r->trouble[0] != '\0')
        return USE_TROUBLE;
    return r->card_present && !r->in_use ? USE_NOW : USE_LATER;
}

/* Whether this way reaches a reader of that name (NULL: any) that is of such use or a better one.
 * *whole: one is called so and no more. */
static bool reaches(const struct kind *kind, const char *wanted, enum use use, bool *whole)
{
    struct reader_info *list = NULL;
    bool found = false;
    size_t n = 0;

    *whole = false;
    if (kind->list(&list, &n, NULL) == TP_OK)
        for (size_t i = 0; i < n; i++) {
            found =
                found || (use_of(&list[i]) <= use && reader_wanted(list[i].name, wanted, false));
            *whole = *whole || (wanted != NULL && reader_wanted(list[i].name, wanted, true));
        }
    free(list);
    return found;
}

enum tp_err readers_open(struct reader **out, const char *wanted, struct tp_error *e)
{
    const unsigned number = number_of(wanted);
    struct tp_error why = {0};
    enum tp_err rc;
    bool whole;

    if (number != 0)
        return by_number(out, number, e);
    if (wanted != NULL && wanted[0] == '\0')
        wanted = NULL;
    /* the one that has a card wins; what is in the way of the only one is told when it is used */
    for (enum use use = USE_NOW; use <= USE_TROUBLE; use++)
        for (size_t i = 0; i < KINDS; i++)
            if (reaches(&kinds[i], wanted, use, &whole))
                return kinds[i].open(out, wanted, whole, e);
    /* no way reaches one yet: the first that can be waited on; but a service that keeps this user
     * out is told */
    rc = kinds[0].open(out, wanted, false, e);
    for (size_t i = 1; i < KINDS && rc != TP_OK && rc != TP_ERR_STATE; i++)
        if (kinds[i].open(out, wanted, false, &why) == TP_OK)
            rc = TP_OK;
    return rc;
}

enum tp_err readers_wait_card(struct reader *reader, int wait_ms,
                              bool (*goes_on)(void *ctx, enum tp_err missing), void *ctx,
                              struct tp_error *e)
{
    const int64_t until = time_monotonic_ms() + wait_ms;
    enum tp_err r = reader_wait_card(reader, 0, e);

    while ((r == TP_ERR_NO_CARD || r == TP_ERR_NO_READER) && time_monotonic_ms() < until) {
        if (goes_on != NULL && !goes_on(ctx, r))
            return TP_ERR_CANCELLED;
        r = reader_wait_card(reader, WAIT_SLICE_MS, e);
    }
    return r;
}

enum tp_err readers_usable(enum tp_err r)
{
    return r == TP_ERR_STATE ? TP_ERR_NO_READER : r;
}
