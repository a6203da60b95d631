/* Addresses: what is one origin, what is one address, where money may go; and what of a request may
 * go to another origin. */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "payer/address.h"
#include "payer/get.h"

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))

START_TEST(origins)
    {
        static const struct {
            const char *a, *b;
            bool same;
        } pairs[] = {
            {"https://m.example/a", "https://m.example/b", true},
            {"https://m.example/a", "https://m.example:443/", true},
            {"https://M.example", "HTTPS://m.EXAMPLE/", true},
            {"https://m.example", "http://m.example", false},
            {"https://m.example", "https://m.example:444", false},
            {"https://m.example", "https://m.example.org", false},
            {"https://m.example", "https://m.example@other.example", false},
            {"http://localhost:80/", "http://localhost/", true},
            {"https://m.example", "nonsense://", false},
            {"", "", false},
        };

        for (size_t i = 0; i < COUNT(pairs); i++)
            ck_assert_msg(address_same_origin(pairs[i].a, pairs[i].b) == pairs[i].same, "%s, %s",
                          pairs[i].a, pairs[i].b);
    }
END_TEST

START_TEST(addresses)
    {
        static const struct {
            const char *a, *b;
            bool same;
        } pairs[] = {
            {"https://m.example/s/a", "https://m.example:443/s/a", true},
            {"https://M.example/s/a", "https://m.example/s/a#part", true},
            {"https://m.example", "https://m.example/", true},
            {"https://m.example/s/a", "https://m.example/s/A", false},
            {"https://m.example/s/a", "https://m.example/s/a/", false},
            {"https://m.example/s/a?b", "https://m.example/s/a", false},
            {"https://m.example/s/a?b=1", "https://m.example/s/a?b=2", false},
            {"https://m.example/s/a", "https://u@m.example/s/a", false},
            {"https://m.example/s/../t", "https://m.example/t", true},
            {"not an address", "not an address", false},
        };

        for (size_t i = 0; i < COUNT(pairs); i++)
            ck_assert_msg(address_same(pairs[i].a, pairs[i].b) == pairs[i].same, "%s, %s",
                          pairs[i].a, pairs[i].b);
    }
END_TEST

START_TEST(origin_of)
    {
        char out[64];

        ck_ok(address_origin(out, sizeof(out), "https://m.example:443/s/a?b#c", NULL));
        ck_assert_str_eq(out, "https://m.example");
        ck_ok(address_origin(out, sizeof(out), "http://127.0.0.1:8080/", NULL));
        ck_assert_str_eq(out, "http://127.0.0.1:8080");
        ck_ok(address_origin(out, sizeof(out), "https://[::1]:8443/x", NULL));
        ck_assert_str_eq(out, "https://[::1]:8443");
        ck_ok(address_origin(out, sizeof(out), "https://user:word@m.example/", NULL));
        ck_assert_str_eq(out, "https://m.example");
        ck_assert_int_eq(address_origin(out, sizeof(out), "ftp://m.example/", NULL), TP_ERR_USAGE);
        ck_assert_int_eq(address_origin(out, sizeof(out), "m.example", NULL), TP_ERR_USAGE);
        ck_assert_int_eq(address_origin(out, 10, "https://m.example/", NULL), TP_ERR_USAGE);
    }
END_TEST

START_TEST(money_goes_over_https)
    {
        ck_ok(address_may_pay("https://m.example/", NULL));
        ck_ok(address_may_pay("http://localhost:8080/", NULL));
        ck_ok(address_may_pay("http://127.0.0.1/", NULL));
        ck_ok(address_may_pay("http://[::1]/", NULL));
        ck_assert_int_eq(address_may_pay("http://m.example/", NULL), TP_ERR_SECURITY);
        ck_assert_int_eq(address_may_pay("http://127.0.0.1.example/", NULL), TP_ERR_SECURITY);
        ck_assert_int_eq(address_may_pay("http://localhost@m.example/", NULL), TP_ERR_SECURITY);
        ck_assert_int_eq(address_may_pay("ftp://localhost/", NULL), TP_ERR_SECURITY);
    }
END_TEST

START_TEST(names_of_files)
    {
        static const struct {
            const char *url, *name;
        } names[] = {
            {"https://m.example/a/b.pdf", "b.pdf"}, {"https://m.example/a/b.pdf?c/d#e", "b.pdf"},
            {"https://m.example/", NULL},           {"https://m.example", NULL},
            {"https://m.example/a/..", NULL},       {"https://m.example/.", NULL},
            {"https://m.example/a?b/c", "a"},
        };

        for (size_t i = 0; i < COUNT(names); i++) {
            char *name = get_remote_name(names[i].url);

            ck_assert_msg((name == NULL) == (names[i].name == NULL), "%s", names[i].url);
            if (name != NULL)
                ck_assert_str_eq(name, names[i].name);
            free(name);
        }
    }
END_TEST

START_TEST(what_proves_who_asks_stays)
    {
        const char *headers[] = {"Authorization: Bearer a",
                                 "Accept: b",
                                 "cookie: c",
                                 "Payment-authorization:d",
                                 "X-Cookie: e",
                                 "Proxy-Authorization: f",
                                 NULL};

        get_drop_credentials(headers);
        ck_assert_str_eq(headers[0], "Accept: b");
        ck_assert_str_eq(headers[1], "X-Cookie: e");
        ck_assert_ptr_null(headers[2]);
    }
END_TEST

START_TEST(private_networks)
    {
        static const struct {
            const char *host;
            bool near;
        } hosts[] = {{"10.0.0.1", true},
                     {"11.0.0.1", false},
                     {"172.15.255.255", false},
                     {"172.16.0.1", true},
                     {"172.31.255.255", true},
                     {"172.32.0.0", false},
                     {"192.168.1.1", true},
                     {"192.167.1.1", false},
                     {"100.64.0.1", true},
                     {"100.128.0.1", false},
                     {"169.254.169.254", true},
                     {"0.0.0.0", true},
                     {"127.0.0.1", false},
                     {"93.184.216.34", false},
                     {"::1", false},
                     {"fe80::1", true},
                     {"fd00::1", true},
                     {"fc00::1", true},
                     {"2001:db8::1", false},
                     {"::ffff:10.0.0.1", true},
                     {"::ffff:8.8.8.8", false},
                     {"fec0::1", true},
                     {"::", true},
                     {"::10.0.0.1", true},
                     {"::8.8.8.8", false},
                     {"64:ff9b::192.168.1.1", true},
                     {"64:ff9b::8.8.8.8", false},
                     {"64:ff9b:1::8.8.8.8", true},
                     {"2002:c0a8:101::1", true},
                     {"2002:808:808::1", false}};

        for (size_t i = 0; i < COUNT(hosts); i++) {
            struct sockaddr_in four = {.sin_family = AF_INET};
            struct sockaddr_in6 six = {.sin6_family = AF_INET6};
            const bool is_four = inet_pton(AF_INET, hosts[i].host, &four.sin_addr) == 1;

            ck_assert(is_four || inet_pton(AF_INET6, hosts[i].host, &six.sin6_addr) == 1);
            ck_assert_msg(address_is_near(is_four ? (struct sockaddr *)&four
                                                  : (struct sockaddr *)&six) == hosts[i].near,
                          "%s", hosts[i].host);
        }
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("address");
    TCase *t = tcase_create("address");

    tcase_add_test(t, origins);
    tcase_add_test(t, addresses);
    tcase_add_test(t, origin_of);
    tcase_add_test(t, money_goes_over_https);
    tcase_add_test(t, private_networks);
    tcase_add_test(t, names_of_files);
    tcase_add_test(t, what_proves_who_asks_stays);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
