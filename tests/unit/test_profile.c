/* The table of needed fields against the tables of doc/protocol.md, read here from the document
 * itself. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "wire/profile.h"

#define CELLS 6

struct row {
    enum profile profile;
    unsigned mti[2], answer; /* 0: no repeat */
    char needs[2][128];
};

static struct row rows[16];
static size_t rows_n;

static void read_row(enum profile profile, char *line)
{
    char *cell[CELLS] = {NULL}, *save = NULL;
    struct row *r = &rows[rows_n];
    size_t n = 0;

    for (char *p = line; (p = strchr(p, '|')) != NULL && n < CELLS;
         n++) { /* strtok would skip an empty one */
        *p++ = '\0';
        cell[n] = p;
    }
    ck_assert_uint_eq(n, CELLS);
    ck_assert_uint_lt(rows_n, 16);
    memset(r, 0, sizeof(*r));
    r->profile = profile;
    for (char *word = strtok_r(cell[0], " ,", &save); word != NULL;
         word = strtok_r(NULL, " ,", &save)) {
        const unsigned mti = (unsigned)strtoul(word, NULL, 10);

        if (mti % 100 == 10)
            r->answer = mti;
        else if (mti != 0)
            r->mti[r->mti[0] != 0] = mti;
    }
    snprintf(r->needs[0], sizeof(r->needs[0]), "%s", cell[1]);
    snprintf(r->needs[1], sizeof(r->needs[1]), "%s", cell[3]);
    rows_n++;
}

static void setup(void)
{
    const char *top = getenv("TESTS_SRCDIR");
    char path[512], line[1024];
    enum profile profile = PROFILE_TERMINAL;
    bool within = false;
    FILE *f;

    snprintf(path, sizeof(path), "%s/../doc/protocol.md", top != NULL ? top : "tests");
    f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s cannot be read", path);
    while (fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, "## ", 3) == 0)
            profile =
                strstr(line, "acquirer and issuer") != NULL ? PROFILE_ISSUER : PROFILE_TERMINAL;
        if (strncmp(line, "| MTI | the request needs |", 27) == 0)
            within = true;
        else if (line[0] != '|')
            within = false;
        else if (within && strncmp(line, "| 0", 3) == 0)
            read_row(profile, line);
    }
    fclose(f);
}

static void ck_message(enum profile profile, unsigned mti, const char *needs)
{
    struct iso8583 m;
    size_t n = 0, said = 0;
    const uint8_t *table = profile_needs(&n, profile, mti);
    char reason[PROFILE_REASON_MAX], expected[PROFILE_REASON_MAX];

    ck_assert_msg(table != NULL, "%04u", mti);
    iso8583_start(&m, mti);
    for (const char *p = needs; *p != '\0';) {
        char *end;
        const unsigned long field = strtoul(p, &end, 10);

        if (end == p)
            break;
        ck_assert_msg(said < n && table[said] == field, "%04u: the document says field %lu", mti,
                      field);
        m.field[field] = span_str("1");
        said++;
        p = end;
    }
    ck_assert_msg(said == n, "%04u: the document has %zu fields, the table %zu", mti, said, n);
    ck_assert_uint_eq(profile_missing(profile, &m), 0);
    ck_assert_ptr_null(profile_fault(reason, profile, &m));
    for (size_t i = n; i-- > 0;) { /* the first of those that lack is named */
        m.field[table[i]] = span_of(NULL, 0);
        snprintf(expected, sizeof(expected), "DE%u_MISSING", table[i]);
        ck_assert_ptr_nonnull(profile_fault(reason, profile, &m));
        ck_assert_str_eq(reason, expected);
    }
}

START_TEST(table_is_that_of_the_document)
    {
        unsigned of[2] = {0, 0};

        for (size_t i = 0; i < rows_n; i++) {
            const struct row *r = &rows[i];

            of[r->profile]++;
            for (size_t k = 0; k < 2 && r->mti[k] != 0; k++)
                ck_message(r->profile, r->mti[k], r->needs[0]);
            ck_message(r->profile, r->answer, r->needs[1]);
        }
        ck_assert_uint_eq(of[PROFILE_TERMINAL], 4);
        ck_assert_uint_eq(of[PROFILE_ISSUER], 3);
    }
END_TEST

START_TEST(other_types_need_nothing)
    {
        struct iso8583 m;
        size_t n = 1;

        iso8583_start(&m, 420);
        ck_assert_ptr_null(profile_needs(&n, PROFILE_TERMINAL, 420));
        ck_assert_uint_eq(n, 0);
        ck_assert_uint_eq(profile_missing(PROFILE_TERMINAL, &m), 0);
        ck_assert_ptr_null(profile_needs(&n, PROFILE_ISSUER, 0));
        ck_assert_ptr_null(profile_needs(&n, PROFILE_ISSUER, MTI_FINANCIAL));
        ck_assert_ptr_null(profile_needs(&n, PROFILE_TERMINAL, MTI_AUTHORISATION));
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("profile");
    TCase *t = tcase_create("fields");

    tcase_add_unchecked_fixture(t, setup, NULL);
    tcase_add_test(t, table_is_that_of_the_document);
    tcase_add_test(t, other_types_need_nothing);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
