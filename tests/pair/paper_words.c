/* The little language in which a row of a test table says what differs from the paper card and
 * terminal of paper.c. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "paper.h"

/* Splits "key=value" or "key" words; the text is copied. */
static bool next_word(const char **at, char *key, size_t key_cap, char *value, size_t value_cap)
{
    size_t n, k;

    *at += strspn(*at, " ");
    n = strcspn(*at, " ");
    if (n == 0)
        return false;
    k = strcspn(*at, "= ");
    ck_assert_uint_lt(k, key_cap);
    snprintf(key, key_cap, "%.*s", (int)k, *at);
    value[0] = '\0';
    if (k < n) {
        ck_assert_uint_lt(n - k - 1, value_cap);
        snprintf(value, value_cap, "%.*s", (int)(n - k - 1), *at + k + 1);
    }
    *at += n;
    return true;
}

static enum paper_break broken(const char *name)
{
    static const char *const names[] = {"right", "none", "flipped", "un", "cid", "data", "short"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return (enum paper_break)i;
    ck_abort_msg("no such signature: %s", name);
    return PAPER_RIGHT;
}

static void object(struct paper *p, const char *tag, const char *hex, bool outside)
{
    size_t i = 0;

    while (i < p->objects_n && strcmp(p->objects[i].tag, tag) != 0)
        i++;
    if (i == p->objects_n) {
        ck_assert_uint_lt(i, PAPER_OBJECTS);
        p->objects_n++;
        p->objects[i].is_signed = !outside;
    }
    snprintf(p->objects[i].tag, sizeof(p->objects[i].tag), "%s", tag);
    snprintf(p->objects[i].hex, sizeof(p->objects[i].hex), "%s", hex);
}

/* Certificates and what else a card has beside its signed records. */
static bool stands_outside(const char *tag)
{
    static const char *const tags[] = {"8F",   "90",   "92",   "93",   "9F32",
                                       "9F46", "9F47", "9F48", "9F49", "9F2D",
                                       "9F2E", "9F2F", "5F20", "97",   "PIN"};

    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
        if (strcmp(tag, tags[i]) == 0)
            return true;
    return false;
}

void paper_card_words(struct paper *p, const char *words)
{
    char key[16], value[520];

    while (next_word(&words, key, sizeof(key), value, sizeof(value))) {
        if (strcmp(key, "aip") == 0)
            snprintf(p->aip, sizeof(p->aip), "%.4s", value);
        else if (strcmp(key, "gpo") == 0)
            snprintf(p->gpo, sizeof(p->gpo), "%s", value);
        else if (strcmp(key, "pdol") == 0)
            snprintf(p->pdol, sizeof(p->pdol), "%s", value);
        else if (strcmp(key, "ac1") == 0)
            p->ac_type[0] = (int)strtol(value, NULL, 16);
        else if (strcmp(key, "ac2") == 0)
            p->ac_type[1] = (int)strtol(value, NULL, 16);
        else if (strcmp(key, "sdad1") == 0)
            p->broken[0] = broken(value);
        else if (strcmp(key, "sdad2") == 0)
            p->broken[1] = broken(value);
        else if (strcmp(key, "more") == 0)
            snprintf(p->more, sizeof(p->more), "%.63s", value);
        else if (strcmp(key, "t0") == 0)
            p->t0 = true;
        else if (strcmp(key, "tampered") == 0)
            p->tampered = true;
        else if (key[0] == '-')
            object(p, key + 1, "", stands_outside(key + 1));
        else
            object(p, key, value, stands_outside(key));
    }
}

void paper_answers(struct paper *p, const char *words)
{
    char key[80], value[600];

    while (next_word(&words, key, sizeof(key), value, sizeof(value))) {
        struct paper_answer *a = &p->answers[p->answers_n++];

        ck_assert_uint_le(p->answers_n, PAPER_ANSWERS);
        snprintf(a->command, sizeof(a->command), "%s", key);
        snprintf(a->response, sizeof(a->response), "%s", value);
        a->used = false;
    }
}

static void bytes(uint8_t *out, size_t n, const char *hex)
{
    struct buf b = {out, 0, n};

    ck_assert_int_eq(hex_decode(&b, hex), TP_OK);
    ck_assert_uint_eq(b.n, n);
}

static void pins(struct paper_terminal *t, const char *list)
{
    static char room[6][16];

    for (t->pins_n = 0; *list != '\0'; t->pins_n++) {
        const size_t n = strcspn(list, ",");

        ck_assert_uint_lt(t->pins_n, 6);
        snprintf(room[t->pins_n], sizeof(room[0]), "%.*s", (int)n, list);
        t->pins[t->pins_n] = room[t->pins_n];
        list += n + (list[n] == ',' ? 1 : 0);
    }
}

static bool config_word(struct paper_terminal *t, const char *key, const char *value)
{
    struct terminal_application *a = &t->config.applications[0];

    if (strcmp(key, "type") == 0)
        t->config.type = (uint8_t)strtoul(value, NULL, 16);
    else if (strcmp(key, "caps") == 0)
        bytes(t->config.capabilities, 3, value);
    else if (strcmp(key, "additional") == 0)
        bytes(t->config.additional, 5, value);
    else if (strcmp(key, "floor") == 0)
        a->floor_limit = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(key, "threshold") == 0)
        a->threshold = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(key, "target") == 0)
        a->random_target = a->random_target_max = (uint8_t)strtoul(value, NULL, 10);
    else if (strcmp(key, "most") == 0)
        a->random_target_max = (uint8_t)strtoul(value, NULL, 10);
    else if (strcmp(key, "denial") == 0)
        bytes(a->tac_denial, 5, value);
    else if (strcmp(key, "online") == 0)
        bytes(a->tac_online, 5, value);
    else if (strcmp(key, "default") == 0)
        bytes(a->tac_default, 5, value);
    else if (strcmp(key, "noddol") == 0)
        a->default_ddol = (struct span){NULL, 0};
    else if (strcmp(key, "partial") == 0)
        a->partial = true;
    else
        return false;
    return true;
}

static size_t bytes_to(uint8_t *out, size_t cap, const char *hex)
{
    struct buf b = {out, 0, cap};

    ck_assert_int_eq(hex_decode(&b, hex), TP_OK);
    return b.n;
}

static bool issuer_word(struct paper_terminal *t, const char *key, const char *value)
{
    struct kernel_issuer_answer *a = &t->issuer;

    if (strcmp(key, "arc") == 0) {
        t->no_online = false;
        a->reached = true;
        memcpy(a->arc, value, 2);
    } else if (strcmp(key, "unreached") == 0)
        t->no_online = false;
    else if (strcmp(key, "approval") == 0)
        snprintf(a->approval, sizeof(a->approval), "%.6s", value);
    else if (strcmp(key, "iad") == 0)
        a->authentication.n = bytes_to(a->authentication.p, sizeof(a->authentication.p), value);
    else if (strcmp(key, "scripts") == 0)
        a->scripts.n = bytes_to(a->scripts.p, sizeof(a->scripts.p), value);
    else
        return false;
    return true;
}

void paper_terminal_words(struct paper_terminal *t, const char *words)
{
    char key[16], value[1100];

    while (next_word(&words, key, sizeof(key), value, sizeof(value))) {
        if (config_word(t, key, value) || issuer_word(t, key, value))
            continue;
        if (strcmp(key, "amount") == 0)
            t->request.amount = strtoll(value, NULL, 10);
        else if (strcmp(key, "date") == 0)
            t->request.date = (int)strtol(value, NULL, 10);
        else if (strcmp(key, "txtype") == 0)
            t->request.type = (uint8_t)strtoul(value, NULL, 16);
        else if (strcmp(key, "pins") == 0)
            pins(t, value);
        else if (strcmp(key, "spent") == 0)
            t->spent = strtoll(value, NULL, 10);
        else if (strcmp(key, "hot") == 0)
            t->hot = true;
        else if (strcmp(key, "application") == 0)
            t->request.application =
                span_of(t->application, bytes_to(t->application, sizeof(t->application), value));
        else if (strcmp(key, "label") == 0) {
            snprintf(t->label, sizeof(t->label), "%.16s", value);
            t->request.label = t->label;
        } else if (strcmp(key, "noperson") == 0)
            t->no_person = true;
        else if (strcmp(key, "choice") == 0)
            t->choice = (int)strtol(value, NULL, 10);
        else
            ck_abort_msg("no such word: %s", key);
    }
}
