/* Accept-Payment: the draft's own examples, which range counts, and fields that are none. */
#include "unit.h"

#include <stdio.h>

#include "wire/payment_accept.h"

static const struct {
    const char *field, *method, *intent;
    unsigned weight;
} good[] = {
    /* the draft's */
    {"tempo/charge, tempo/session, stripe/charge;q=0.5, solana/charge;q=0.3", "tempo", "session",
     1000},
    {"tempo/charge, tempo/session, stripe/charge;q=0.5, solana/charge;q=0.3", "stripe", "charge",
     500},
    {"tempo/charge, tempo/session, stripe/charge;q=0.5, solana/charge;q=0.3", "emv", "charge", 0},
    {"tempo/*, solana/*;q=0.6, */session;q=0.3", "solana", "charge", 600},
    {"tempo/*, solana/*;q=0.6, */session;q=0.3", "emv", "session", 300},
    {"tempo/*, solana/*;q=0.6, */session;q=0.3", "emv", "charge", 0},
    {"tempo/charge, tempo/session;q=0, solana/charge", "tempo", "session", 0},
    /* the nearest, then the greatest */
    {"emv/charge;q=0, */*", "emv", "charge", 0},
    {"*/*, emv/charge;q=0", "emv", "charge", 0},
    {"*/*;q=0, emv/*;q=0.2", "emv", "charge", 200},
    {"emv/*;q=0.2, */charge;q=0.7", "emv", "charge", 700},
    {"emv/charge;q=0.7, emv/charge;q=0.2", "emv", "charge", 700},
    {"emv/charge;q=0.2, emv/charge;q=0.7", "emv", "charge", 700},
    /* spellings */
    {"emv/charge", "emv", "charge", 1000},
    {"emv/charge;q=1", "emv", "charge", 1000},
    {"emv/charge ;\tQ=1.000", "emv", "charge", 1000},
    {"emv/charge;q=0.001", "emv", "charge", 1},
    {"emv/charge;q=0.", "emv", "charge", 0},
    {" ,, emv/charge;q=0.25 ,", "emv", "charge", 250},
    {"emv/charge-v2", "emv", "charge", 0},
    {"emv/Charge", "emv", "charge", 0},
    {"", "emv", "charge", 0},
};

START_TEST(the_range_that_names_most_counts)
    {
        struct tp_error e = {0};
        unsigned weight = 1;

        ck_assert_msg(payment_accept(&weight, span_str(good[_i].field), good[_i].method,
                                     good[_i].intent, &e) == TP_OK,
                      "%s: %s", good[_i].field, e.text);
        ck_assert_msg(weight == good[_i].weight, "%s: %u", good[_i].field, weight);
    }
END_TEST

START_TEST(what_is_no_list_of_ranges)
    {
        static const char *const bad[] = {
            "emv",
            "emv/",
            "/charge",
            "emv/charge/more",
            "emv /charge",
            "emv/ charge",
            "EMV/charge",
            "emv2/charge",
            "e*/charge",
            "**/charge",
            "emv/char*",
            "emv/a_b",
            "emv/charge;q",
            "emv/charge;q=",
            "emv/charge;q=2",
            "emv/charge;q=1.001",
            "emv/charge;q=0.0001",
            "emv/charge;q=.5",
            "emv/charge;q=00.5",
            "emv/charge;q=-1",
            "emv/charge;q=0.5x",
            "emv/charge;q=0.5;q=0.5",
            "emv/charge;a=b",
            "emv/charge;",
            "emv/charge tempo/charge",
            "emv/charge;q=1 tempo/charge",
            "tempo/charge, emv/charge\x01",
            "tempo/charge, emv",
            "emv/charge, \xC3\xA9/charge",
        };

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            struct tp_error e = {0};
            unsigned weight;

            ck_assert_msg(payment_accept(&weight, span_str(bad[i]), "emv", "charge", &e) ==
                              TP_ERR_FORMAT,
                          "%s: %u", bad[i], weight);
            ck_assert_str_ne(e.text, "");
        }
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("payment_accept");
    TCase *t = tcase_create("payment_accept");

    tcase_add_loop_test(t, the_range_that_names_most_counts, 0, sizeof(good) / sizeof(good[0]));
    tcase_add_test(t, what_is_no_list_of_ranges);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
