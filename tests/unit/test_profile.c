/* The matrix of fields against the tables of doc/protocol.md, read here from the document itself.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "wire/profile.h"

#define CELLS 9
#define LIST  128

struct row {
    enum profile profile;
    unsigned mti[2], answer; /* 0: no repeat */
    char request[3][LIST];   /* needs, may have, takes over */
    char reply[4][LIST];     /* needs, may have, repeats, is compared in */
};

static struct row rows[16];
static size_t rows_n;
static char same[LIST]; /* two 0100 are the same */

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
    for (size_t i = 0; i < 3; i++)
        snprintf(r->request[i], LIST, "%s", cell[1 + i]);
    for (size_t i = 0; i < 4; i++)
        snprintf(r->reply[i], LIST, "%s", cell[4 + i]);
    rows_n++;
}

static void setup(void)
{
    const char *top = getenv("TESTS_SRCDIR");
    char path[512], line[2048];
    enum profile profile = PROFILE_TERMINAL;
    bool within = false;
    FILE *f;

    snprintf(path, sizeof(path), "%s/../doc/protocol.md", top != NULL ? top : "tests");
    f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s cannot be read", path);
    while (fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, "## ", 3) == 0)
            profile = strstr(line, "acquirer and issuer") != NULL     ? PROFILE_ISSUER
                      : strstr(line, "mediator and acquirer") != NULL ? PROFILE_MEDIATOR
                                                                      : PROFILE_TERMINAL;
        if (strncmp(line, "Two 0100 are the same when these are: ", 38) == 0)
            snprintf(same, sizeof(same), "%.127s", line + 38);
        if (strncmp(line, "| MTI | the request needs |", 27) == 0)
            within = true;
        else if (line[0] != '|')
            within = false;
        else if (within && strncmp(line, "| 0", 3) == 0)
            read_row(profile, line);
    }
    fclose(f);
}

/* The fields of one use are those of the document's cell, in its order. */
static void ck_list(enum profile profile, unsigned mti, enum profile_use use, const char *list)
{
    unsigned f = 0;

    for (const char *p = list; *p != '\0';) {
        char *end;
        const unsigned long field = strtoul(p, &end, 10);

        if (end == p)
            break;
        f = profile_next(profile, mti, use, f);
        ck_assert_msg(f == field, "%04u, use %02X: the document says field %lu, the table %u", mti,
                      use, field, f);
        ck_assert_ptr_nonnull(iso8583_field(f));
        p = end;
    }
    f = profile_next(profile, mti, use, f);
    ck_assert_msg(f == 0, "%04u, use %02X: the document has no field %u", mti, use, f);
}

/* What is taken over, repeated or compared can be there. */
static void ck_there(enum profile profile, unsigned mti)
{
    static const enum profile_use other[] = {PROFILE_FORWARDED, PROFILE_IDENTITY, PROFILE_ECHOED,
                                             PROFILE_COMPARED};

    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
        for (unsigned f = 0; (f = profile_next(profile, mti, other[i], f)) != 0;)
            ck_assert_msg(profile_next(profile, mti, PROFILE_NEEDED | PROFILE_OPTIONAL, f - 1) == f,
                          "%04u: field %u", mti, f);
}

/* The first of those that lack is named. */
static void ck_missing(enum profile profile, unsigned mti)
{
    unsigned table[ISO8583_FIELDS], f = 0;
    char reason[PROFILE_REASON_MAX], expected[PROFILE_REASON_MAX];
    struct iso8583 m;
    size_t n = 0;

    iso8583_start(&m, mti);
    while ((f = profile_next(profile, mti, PROFILE_NEEDED, f)) != 0) {
        m.field[f] = span_str("1");
        table[n++] = f;
    }
    ck_assert_uint_gt(n, 0);
    ck_assert_uint_eq(profile_missing(profile, &m), 0);
    ck_assert_ptr_null(profile_fault(reason, profile, &m));
    while (n-- > 0) {
        m.field[table[n]] = span_of(NULL, 0);
        snprintf(expected, sizeof(expected), "DE%u_MISSING", table[n]);
        ck_assert_ptr_nonnull(profile_fault(reason, profile, &m));
        ck_assert_str_eq(reason, expected);
    }
}

static void ck_request(const struct row *r, unsigned mti)
{
    ck_list(r->profile, mti, PROFILE_NEEDED, r->request[0]);
    ck_list(r->profile, mti, PROFILE_OPTIONAL, r->request[1]);
    ck_list(r->profile, mti, PROFILE_FORWARDED, r->request[2]);
    ck_list(r->profile, mti, PROFILE_IDENTITY, mti == MTI_AUTHORISATION ? same : "");
    ck_list(r->profile, mti, PROFILE_ECHOED, "");
    ck_list(r->profile, mti, PROFILE_COMPARED, "");
    ck_missing(r->profile, mti);
    ck_there(r->profile, mti);
}

static void ck_answer(const struct row *r)
{
    ck_list(r->profile, r->answer, PROFILE_NEEDED, r->reply[0]);
    ck_list(r->profile, r->answer, PROFILE_OPTIONAL, r->reply[1]);
    ck_list(r->profile, r->answer, PROFILE_ECHOED, r->reply[2]);
    ck_list(r->profile, r->answer, PROFILE_COMPARED, r->reply[3]);
    ck_list(r->profile, r->answer, PROFILE_FORWARDED, "");
    ck_list(r->profile, r->answer, PROFILE_IDENTITY, "");
    ck_missing(r->profile, r->answer);
    ck_there(r->profile, r->answer);
}

START_TEST(table_is_that_of_the_document)
    {
        unsigned of[3] = {0, 0, 0};

        for (size_t i = 0; i < rows_n; i++) {
            const struct row *r = &rows[i];

            of[r->profile]++;
            for (size_t k = 0; k < 2 && r->mti[k] != 0; k++)
                ck_request(r, r->mti[k]);
            ck_answer(r);
        }
        ck_assert_uint_eq(of[PROFILE_TERMINAL], 4);
        ck_assert_uint_eq(of[PROFILE_ISSUER], 3);
    }
END_TEST

START_TEST(other_types_need_nothing)
    {
        struct iso8583 m;

        iso8583_start(&m, 420);
        ck_assert_uint_eq(profile_next(PROFILE_TERMINAL, 420, PROFILE_NEEDED, 0), 0);
        ck_assert_uint_eq(profile_missing(PROFILE_TERMINAL, &m), 0);
        ck_assert_uint_eq(profile_next(PROFILE_ISSUER, 0, PROFILE_NEEDED, 0), 0);
        ck_assert_uint_eq(profile_next(PROFILE_ISSUER, MTI_FINANCIAL, PROFILE_NEEDED, 0), 0);
        ck_assert_uint_eq(profile_next(PROFILE_TERMINAL, MTI_AUTHORISATION, PROFILE_NEEDED, 0), 0);
    }
END_TEST

START_TEST(other_types_are_answered_with_all_that_answers_repeat)
    {
        ck_list(PROFILE_TERMINAL, 310, PROFILE_ECHOED, "3 4 7 11 12 13 41 42 49 70");
        ck_list(PROFILE_ISSUER, 310, PROFILE_ECHOED, "2 3 4 7 11 12 13 32 37 41 42 49 70");
    }
END_TEST

/* A reversal of a payment has what the table says of it, and no more. */
START_TEST(fields_are_taken_over)
    {
        static struct iso8583 payment, reversal;
        unsigned forwarded = 0;

        iso8583_start(&payment, MTI_FINANCIAL);
        for (unsigned f = 2; f < ISO8583_FIELDS; f++)
            payment.field[f] = span_str("7");
        payment.field[4] = span_of(NULL, 0);
        iso8583_start(&reversal, MTI_REVERSAL);
        profile_forward(PROFILE_TERMINAL, &reversal, &payment);
        for (unsigned f = 2; f < ISO8583_FIELDS; f++)
            forwarded += iso8583_has(&reversal, f);
        ck_assert_uint_eq(forwarded, 7); /* 2 3 12 13 41 42 49 */
        ck_assert(iso8583_has(&reversal, 2) && !iso8583_has(&reversal, 4) &&
                  !iso8583_has(&reversal, 55));
    }
END_TEST

START_TEST(answers_are_held_against_their_question)
    {
        static struct iso8583 question, answer;
        unsigned f = 0;

        iso8583_start(&question, MTI_AUTHORISATION);
        iso8583_start(&answer, MTI_AUTHORISATION_RESPONSE);
        for (unsigned i = 2; i < ISO8583_FIELDS; i++)
            question.field[i] = answer.field[i] = span_str("1");
        ck_assert_uint_eq(profile_differs(PROFILE_ISSUER, &answer, &question), 0);
        answer.field[2] = answer.field[39] = answer.field[55] = span_str("2"); /* not compared */
        ck_assert_uint_eq(profile_differs(PROFILE_ISSUER, &answer, &question), 0);
        while ((f = profile_next(PROFILE_ISSUER, answer.mti, PROFILE_COMPARED, f)) != 0) {
            answer.field[f] = span_str("2");
            ck_assert_uint_eq(profile_differs(PROFILE_ISSUER, &answer, &question), f);
            answer.field[f] = span_of(NULL, 0);
            ck_assert_uint_eq(profile_differs(PROFILE_ISSUER, &answer, &question), f);
            answer.field[f] = question.field[f];
        }
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("profile");
    TCase *t = tcase_create("fields");

    tcase_add_unchecked_fixture(t, setup, NULL);
    tcase_add_test(t, table_is_that_of_the_document);
    tcase_add_test(t, other_types_need_nothing);
    tcase_add_test(t, other_types_are_answered_with_all_that_answers_repeat);
    tcase_add_test(t, fields_are_taken_over);
    tcase_add_test(t, answers_are_held_against_their_question);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
