#include "centre/refuse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mask.h"

#define RULES_MAX 100000
#define LINE_MAX_ 256

struct rule {
    char contract[CAAA_ID_MAX]; /* "" for a rule on a card */
    char pan[PAN_TEXT_MAX];
    uint32_t number, sequence; /* 0: every one */
    char reason[CAAA_REASON_MAX];
};

struct refuse {
    struct rule *rules;
    size_t n;
};

static enum tp_err take_number(uint32_t *out, const char *word)
{
    char *end;
    unsigned long v;

    if (strcmp(word, "*") == 0) {
        *out = 0;
        return TP_OK;
    }
    errno = 0;
    v = strtoul(word, &end, 10);
    if (errno != 0 || *end != '\0' || v == 0 || v > 999999999)
        return TP_ERR_FORMAT;
    *out = (uint32_t)v;
    return TP_OK;
}

static enum tp_err take_word(char *out, size_t cap, const char *word)
{
    const int n = snprintf(out, cap, "%s", word);

    return n > 0 && (size_t)n < cap ? TP_OK : TP_ERR_FORMAT;
}

/* *used false: an empty line. */
static enum tp_err parse(struct rule *rule, bool *used, char *line)
{
    char *words[5], *save = NULL;
    size_t n = 0;

    line[strcspn(line, "#\n")] = '\0';
    for (char *w = strtok_r(line, " \t", &save); w != NULL && n < 5;
         w = strtok_r(NULL, " \t", &save))
        words[n++] = w;
    *used = n > 0;
    *rule = (struct rule){.number = 0};
    if (n == 0)
        return TP_OK;
    if (n == 2 && strpbrk(words[0], "0123456789*") == words[0])
        return take_word(rule->pan, sizeof(rule->pan), words[0]) == TP_OK
                   ? take_word(rule->reason, sizeof(rule->reason), words[1])
                   : TP_ERR_FORMAT;
    if (n != 4 || take_word(rule->contract, sizeof(rule->contract), words[0]) != TP_OK ||
        take_number(&rule->number, words[1]) != TP_OK ||
        take_number(&rule->sequence, words[2]) != TP_OK)
        return TP_ERR_FORMAT;
    return take_word(rule->reason, sizeof(rule->reason), words[3]);
}

static enum tp_err add(struct refuse *r, const struct rule *rule)
{
    struct rule *more = r->n < RULES_MAX ? realloc(r->rules, (r->n + 1) * sizeof(*more)) : NULL;

    if (more == NULL)
        return TP_ERR_NO_MEMORY;
    r->rules = more;
    r->rules[r->n++] = *rule;
    return TP_OK;
}

enum tp_err refuse_load(struct refuse **out, const char *path, struct tp_error *e)
{
    struct refuse *r = calloc(1, sizeof(*r));
    FILE *f = fopen(path, "re");
    char line[LINE_MAX_];
    struct rule rule;
    enum tp_err err = TP_OK;
    bool used;

    *out = NULL;
    if (f == NULL || r == NULL) {
        err = r == NULL ? tp_fail(e, TP_ERR_NO_MEMORY, "out of memory")
                        : tp_fail(e, TP_ERR_NOT_FOUND, "cannot read %s: %s", path, strerror(errno));
        goto out;
    }
    for (unsigned at = 1; err == TP_OK && fgets(line, sizeof(line), f) != NULL; at++) {
        err = parse(&rule, &used, line);
        if (err == TP_OK && used)
            err = add(r, &rule);
        if (err != TP_OK)
            (void)tp_fail(e, err,
                          "%s line %u: want CONTRACT NUMBER SEQUENCE REASON, or MASKED-PAN REASON",
                          path, at);
    }
    if (err == TP_OK) {
        *out = r;
        r = NULL;
    }
out:
    if (f != NULL)
        fclose(f);
    refuse_free(&r);
    return err;
}

void refuse_free(struct refuse **r)
{
    if (*r == NULL)
        return;
    free((*r)->rules);
    free(*r);
    *r = NULL;
}

const char *refuse_item(const struct refuse *r, const char *contract, uint32_t number,
                        const struct caaa_item *item)
{
    char masked[PAN_TEXT_MAX];

    for (size_t i = 0; r != NULL && i < r->n; i++) {
        const struct rule *rule = &r->rules[i];

        if (rule->pan[0] != '\0'
                ? strcmp(rule->pan, mask_pan(masked, item->pan)) == 0
                : (strcmp(rule->contract, contract) == 0 || strcmp(rule->contract, "*") == 0) &&
                      (rule->number == 0 || rule->number == number) &&
                      (rule->sequence == 0 || rule->sequence == item->sequence))
            return rule->reason;
    }
    return NULL;
}
