/* Lists of challenges and credentials: RFC 9110, 11, with its own examples and worse. */
#include "unit.h"

#include <stdio.h>

#include "wire/http_auth.h"

/* The list as text: scheme<token68>[name=value]… with a space between, and how it ended. */
static enum tp_err spelled(char out[1024], const char *field)
{
    struct span rest = span_str(field);
    struct tp_error e = {0};
    struct http_auth a;
    char *w = out;
    enum tp_err r;

    *w = '\0';
    while ((r = http_auth_next(&a, &rest, &e)) == TP_OK) {
        if (w > out)
            *w++ = ' ';
        w += sprintf(w, "%.*s", (int)a.scheme.n, (const char *)a.scheme.p);
        if (a.token68.n > 0)
            w += sprintf(w, "<%.*s>", (int)a.token68.n, (const char *)a.token68.p);
        for (size_t i = 0; i < a.params; i++) {
            uint8_t value[256];
            struct buf b = BUF_OF(value);

            ck_ok(http_auth_value(&b, &a.param[i]));
            w += sprintf(w, "[%.*s=%s]", (int)a.param[i].name.n, (const char *)a.param[i].name.p,
                         (const char *)value);
        }
    }
    ck_assert_str_ne(e.text, "");
    return r;
}

START_TEST(lists_are_read_as_the_rfc_has_them)
    {
        static const char *const row[][2] = {
            {"", ""},
            {" , ,\t", ""},
            {"Basic realm=\"simple\"", "Basic[realm=simple]"},
            {"Basic realm=\"simple\", Newauth realm=\"apps\", type=1, title=\"Login to "
             "\\\"apps\\\"\"",
             "Basic[realm=simple] Newauth[realm=apps][type=1][title=Login to \"apps\"]"},
            {"Negotiate", "Negotiate"},
            {"Negotiate, Basic realm=x", "Negotiate Basic[realm=x]"},
            {"Negotiate oYGg==,Basic realm=x", "Negotiate<oYGg==> Basic[realm=x]"},
            {"Bearer abc.def-_~+/=, Payment x", "Bearer<abc.def-_~+/=> Payment<x>"},
            {",, A  a = \"1\" ,, b= 2 , , B , C c=\"\"", "A[a=1][b=2] B C[c=]"},
            {"A a=\"x, B b=1\"", "A[a=x, B b=1]"},
            {"A\ta=1", "A[a=1]"},
            {"A a=\"\\a\\\\\"", "A[a=a\\]"},
            {"A a=", "A<a=>"}, /* a token68, by its grammar */
        };
        char out[1024];

        for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
            ck_assert_int_eq(spelled(out, row[i][0]), TP_ERR_NOT_FOUND);
            ck_assert_str_eq(out, row[i][1]);
        }
    }
END_TEST

START_TEST(what_cannot_be_read_ends_the_list)
    {
        static const char *const bad[] = {
            "=x",        "A \"x\"",    "A a=\"x",        "A a=\"x\\\"",  "A a=\"x\\",
            "A a=1 b=2", "A a=1 B",    "A a=1;b",        "A a=\"x\"y",   "A,a=1",
            "\"A\" a=1", "A a=\"\n\"", "A a=\"\\\x01\"", "A a=\"\x7F\"", "A a=\xC3\xA9",
            "A/1",       "A a==b, c",  "A b=1, c=",
        };
        char out[1024];

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
            ck_assert_msg(spelled(out, bad[i]) == TP_ERR_FORMAT, "%s: %s", bad[i], out);
    }
END_TEST

START_TEST(parameters_have_a_bound_and_the_first_of_a_name_counts)
    {
        char field[8 * (HTTP_AUTH_PARAMS_MAX + 2)] = "A ";
        struct span rest = span_str("A x=1, Y=2, X=3");
        struct http_auth a;

        ck_ok(http_auth_next(&a, &rest, NULL));
        ck_assert(http_auth_is(&a, "a"));
        ck_assert(!http_auth_is(&a, "ab"));
        ck_assert_uint_eq(http_auth_find(&a, "x")->value.p[0], '1');
        ck_assert_uint_eq(http_auth_find(&a, "y")->value.p[0], '2');
        ck_assert_ptr_null(http_auth_find(&a, "z"));
        for (int i = 0; i < HTTP_AUTH_PARAMS_MAX; i++)
            strcat(field, "a=1,");
        rest = span_str(field);
        ck_ok(http_auth_next(&a, &rest, NULL));
        ck_assert_uint_eq(a.params, HTTP_AUTH_PARAMS_MAX);
        strcat(field, "a=1");
        rest = span_str(field);
        ck_assert_int_eq(http_auth_next(&a, &rest, NULL), TP_ERR_FORMAT);
    }
END_TEST

START_TEST(what_would_end_the_field_is_not_quoted)
    {
        uint8_t room[16];
        struct buf out = BUF_OF(room);

        ck_ok(http_auth_quote(&out, "a\"\\\tb"));
        ck_assert(span_eq(buf_span(&out), span_str("\"a\\\"\\\\\tb\"")));
        out.n = 0;
        ck_assert_int_eq(http_auth_quote(&out, "a\r\nSet-Cookie: x"), TP_ERR_FORMAT);
        ck_assert_int_eq(http_auth_quote(&out, "\x7F"), TP_ERR_FORMAT);
        ck_assert_int_eq(http_auth_quote(&out, "0123456789012345"), TP_ERR_RANGE);
        ck_assert_uint_eq(out.n, 0);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("http_auth");
    TCase *t = tcase_create("http_auth");

    tcase_add_test(t, lists_are_read_as_the_rfc_has_them);
    tcase_add_test(t, what_cannot_be_read_ends_the_list);
    tcase_add_test(t, parameters_have_a_bound_and_the_first_of_a_name_counts);
    tcase_add_test(t, what_would_end_the_field_is_not_quoted);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
