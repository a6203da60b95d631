#include "payer/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/emvbits.h"
#include "base/file.h"
#include "base/mask.h"
#include "base/secret.h"

#define FILE_MAX (16UL * 1024 * 1024)

struct memory {
    struct journal *journal;
    int date;
    uint8_t *list; /* the exception file: lines, each ended by a zero byte */
    size_t list_n;
};

struct search { /* for the last payment with a card */
    char pan[PAN_TEXT_MAX], psn[4];
    uint16_t currency;
    int date;
    int64_t amount;
};

/* Digits, and "/NN" or not. */
static bool is_card(const char *line)
{
    const size_t n = strspn(line, "0123456789");

    if (n < 8 || n > PAN_MAX)
        return false;
    return line[n] == '\0' ||
           (line[n] == '/' && strspn(line + n + 1, "0123456789") == 2 && line[n + 3] == '\0');
}

/* Each line becomes a text of its own, without its remark and the blanks before that: all of them
 * zero bytes. */
static enum tp_err parse(struct memory *m, const char *path, struct tp_error *e)
{
    unsigned number = 1;

    for (size_t at = 0; at < m->list_n; number++) {
        char *line = (char *)m->list + at;
        const char *end = memchr(line, '\n', m->list_n - at);
        const size_t n = end != NULL ? (size_t)(end - line) : m->list_n - at;
        size_t kept = 0;

        for (size_t i = 0; i < n && line[i] != '#'; i++)
            if (strchr(" \t\r", line[i]) == NULL)
                kept = i + 1;
        memset(line + kept, 0, n + (end != NULL ? 1 : 0) - kept);
        if (kept > 0 && (strlen(line) != kept || !is_card(line)))
            return tp_fail(e, TP_ERR_FORMAT,
                           "%s, line %u: a card number of 8 to 19 digits is wanted, with /NN "
                           "behind it or nothing",
                           path, number);
        at += n + 1;
    }
    return TP_OK;
}

enum tp_err memory_new(struct memory **out, struct journal *journal, const char *exceptions,
                       struct tp_error *e)
{
    struct memory *m = calloc(1, sizeof(*m));
    enum tp_err r = TP_OK;

    *out = NULL;
    if (m == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for what the terminal remembers");
    m->journal = journal;
    if (exceptions[0] != '\0')
        r = file_read(exceptions, FILE_MAX, &m->list, &m->list_n, e);
    if (r == TP_OK && m->list_n > 0)
        r = parse(m, exceptions, e);
    if (r == TP_OK)
        *out = m;
    else
        memory_free(&m);
    return r;
}

void memory_free(struct memory **m)
{
    if (*m == NULL)
        return;
    if ((*m)->list != NULL)
        secret_wipe((*m)->list, (*m)->list_n);
    free((*m)->list);
    free(*m);
    *m = NULL;
}

/* The newest first: Book 3, 10.6.1 counts the last payment with the card. */
static bool look(void *ctx, const struct receipt *r)
{
    struct search *s = ctx;

    if (r->date < s->date)
        return false;
    if (r->date > s->date || r->type != TYPE_PURCHASE || r->currency != s->currency ||
        (r->state != PAYMENT_SIGNED && r->state != PAYMENT_ACKNOWLEDGED) ||
        strcmp(r->pan, s->pan) != 0 || strcmp(r->psn, s->psn) != 0)
        return true;
    s->amount = r->amount;
    return false;
}

static enum tp_err spent(void *ctx, const char *pan, int psn, uint16_t currency, int64_t *amount)
{
    const struct memory *m = ctx;
    struct search s = {.currency = currency, .date = m->date};
    struct tp_error e;
    enum tp_err r;

    mask_pan(s.pan, pan);
    if (psn >= 0)
        snprintf(s.psn, sizeof(s.psn), "%03u", (unsigned)psn % 100); /* as a receipt has it */
    r = journal_list(m->journal, JOURNAL_ALL, look, &s, &e);
    *amount = s.amount;
    return r;
}

static enum tp_err on_exception_file(void *ctx, const char *pan, int psn, bool *hit)
{
    const struct memory *m = ctx;
    char one[PAN_TEXT_MAX + 16];

    snprintf(one, sizeof(one), "%s/%02d", pan, psn);
    for (size_t at = 0; at < m->list_n && !*hit;) {
        const char *line = (const char *)m->list + at;

        *hit = line[0] != '\0' && (strcmp(line, pan) == 0 || (psn >= 0 && strcmp(line, one) == 0));
        at += strlen(line) + 1;
    }
    secret_wipe(one, sizeof(one));
    return TP_OK;
}

struct kernel_memory memory_kernel(struct memory *m, int date)
{
    m->date = date;
    return (struct kernel_memory){m, spent, on_exception_file};
}
