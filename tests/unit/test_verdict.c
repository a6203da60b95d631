/* The table of verdicts against the list of doc/protocol.md, read here from the document itself. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "ledger/verdict.h"

static bool listed[LEDGER_VERDICTS];
static enum ledger_verdict last; /* the furthest that the document has come to */

static const struct verdict_row *row_of(unsigned v)
{
    return ledger_verdict_row((enum ledger_verdict)v);
}

static bool is_answered(const struct verdict_row *row, const char *code, const char *reason)
{
    return !row->worded && strcmp(row->code, code) == 0 &&
           strcmp(row->reason != NULL ? row->reason : "", reason) == 0;
}

/* Under a code that a check gives its own words with, a reason that the table does not have is such
 * a word; of verdicts with one answer each line of the document is another's. */
static enum ledger_verdict find(const char *code, const char *reason)
{
    unsigned worded = LEDGER_VERDICTS;

    for (unsigned v = 1; v < LEDGER_VERDICTS; v++) {
        if (!listed[v] && is_answered(row_of(v), code, reason))
            return (enum ledger_verdict)v;
        if (row_of(v)->worded && strcmp(row_of(v)->code, code) == 0)
            worded = v;
    }
    ck_assert_msg(worded < LEDGER_VERDICTS && reason[0] != '\0',
                  "the document has %s %s, which no verdict answers here", code, reason);
    return (enum ledger_verdict)worded;
}

static void read_pair(const char *code, const char *reason)
{
    const enum ledger_verdict v = find(code, reason);

    ck_assert_msg(v >= last, "%s %s stands behind \"%s\" in the document, and before it here", code,
                  reason, row_of(last)->name);
    listed[v] = true;
    last = v;
}

/* "41, 43 | `OPPOSITION` | …": each code with each reason. */
static void read_line(char *line)
{
    char *reasons = strchr(line + 1, '|'), *end = reasons != NULL ? strchr(reasons + 1, '|') : NULL;

    ck_assert_ptr_nonnull(end);
    *reasons = *end = '\0';
    for (const char *code = line; (code = strpbrk(code, "0123456789")) != NULL; code += 2) {
        const char two[3] = {code[0], code[1], '\0'};
        char *p = reasons + 1;
        bool any = false;

        while ((p = strchr(p, '`')) != NULL) {
            char reason[32];
            const size_t n = strcspn(p + 1, "`");

            snprintf(reason, sizeof(reason), "%.*s", (int)n, p + 1);
            read_pair(two, reason);
            p += n + 2;
            any = true;
        }
        if (!any)
            read_pair(two, "");
    }
}

START_TEST(table_is_that_of_the_document)
    {
        const char *top = getenv("TESTS_SRCDIR");
        char path[512], line[1024];
        bool within = false;
        FILE *f;

        snprintf(path, sizeof(path), "%s/../doc/protocol.md", top != NULL ? top : "tests");
        f = fopen(path, "r");
        ck_assert_msg(f != NULL, "%s cannot be read", path);
        while (fgets(line, sizeof(line), f) != NULL) {
            if (line[0] == '#')
                within = strncmp(line, "### Checks and DE 39", 20) == 0;
            else if (within && line[0] == '|' && strpbrk(line, "0123456789") == line + 2)
                read_line(line);
        }
        fclose(f);
        for (unsigned v = 1; v < LEDGER_VERDICTS; v++)
            ck_assert_msg(listed[v], "the document does not have \"%s\": %s %s", row_of(v)->name,
                          row_of(v)->code, row_of(v)->reason != NULL ? row_of(v)->reason : "");
    }
END_TEST

/* Complete and in order: each row is its own verdict's; no two have one name, and two that are
 * answered alike are of different moments. */
START_TEST(every_verdict_has_its_row)
    {
        for (unsigned v = 0; v < LEDGER_VERDICTS; v++) {
            const struct verdict_row *row = row_of(v);

            ck_assert_uint_eq(row->verdict, v);
            ck_assert_ptr_nonnull(row->name);
            ck_assert_uint_eq(strlen(row->code), v == LEDGER_NEW ? 0 : 2);
            ck_assert(row->reason == NULL ||
                      (!row->worded && strlen(row->reason) < VERDICT_WORD_MAX));
            for (unsigned other = 0; other < v; other++) {
                ck_assert_str_ne(row->name, row_of(other)->name);
                ck_assert_msg(row->reason == NULL ||
                                  !is_answered(row_of(other), row->code, row->reason) ||
                                  (other == LEDGER_UNKNOWN && v == LEDGER_CLOSED),
                              "%s %s is there twice", row->code, row->reason);
            }
        }
        ck_assert_ptr_eq(row_of(LEDGER_VERDICTS), row_of(LEDGER_FAULT));
        ck_assert_ptr_eq(ledger_verdict_row((enum ledger_verdict) - 1), row_of(LEDGER_FAULT));
    }
END_TEST

START_TEST(the_first_is_told)
    {
        static const struct {
            enum ledger_verdict a, b, told;
        } cases[] = {{LEDGER_NEW, LEDGER_NEW, LEDGER_NEW},
                     {LEDGER_NEW, LEDGER_CEILING, LEDGER_CEILING},
                     {LEDGER_REPEAT, LEDGER_EXPIRED, LEDGER_REPEAT},
                     {LEDGER_SERIAL, LEDGER_ATC_OLD, LEDGER_SERIAL},
                     {LEDGER_EVIDENCE, LEDGER_OPPOSITION_LOST, LEDGER_OPPOSITION_LOST}};

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            ck_assert_int_eq(ledger_verdict_first(cases[i].a, cases[i].b), cases[i].told);
            ck_assert_int_eq(ledger_verdict_first(cases[i].b, cases[i].a), cases[i].told);
        }
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("verdict");
    TCase *t = tcase_create("table");

    tcase_add_test(t, every_verdict_has_its_row);
    tcase_add_test(t, the_first_is_told);
    tcase_add_test(t, table_is_that_of_the_document);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
