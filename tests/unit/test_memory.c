/* What the terminal remembers of cards: EMV 4.4 Book 3, 10.6.1 (the last payment with the card),
 * Book 4, 6.3.5 (the exception file). */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "payer/memory.h"

#define DAY 20261123
#define PAN "9990140000000015"

static char folder[64], path[128], list[128];
static struct tp_error e;
static struct journal *journal;

static void make_folder(void)
{
    strcpy(folder, "/tmp/test_memory.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/journal.db", folder);
    snprintf(list, sizeof(list), "%s/exceptions", folder);
    ck_assert_msg(journal_open(&journal, path, &e) == TP_OK, "%s", e.text);
}

static void remove_folder(void)
{
    char command[128];

    journal_close(&journal);
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static void add(unsigned stan, int date, int64_t amount, const char *psn, enum payment_state state,
                uint8_t type, uint16_t currency)
{
    struct receipt r = {.state = state,
                        .date = date,
                        .time = 91500,
                        .amount = amount,
                        .currency = currency,
                        .stan = stan,
                        .atc = 7,
                        .type = type};
    int64_t id;

    strcpy(r.pan, "999014******0015");
    strcpy(r.psn, psn);
    ck_assert_msg(journal_add(journal, &r, (struct span){NULL, 0}, 0, &id, &e) == TP_OK, "%s",
                  e.text);
}

static int64_t spent(struct memory *m, const char *pan, int psn, uint16_t currency)
{
    const struct kernel_memory k = memory_kernel(m, DAY);
    int64_t amount = 0;

    ck_ok(k.spent(k.ctx, pan, psn, currency, &amount));
    return amount;
}

START_TEST(the_last_payment_of_the_day_counts)
    {
        struct memory *m;

        ck_ok(memory_new(&m, journal, "", &e));
        ck_assert_int_eq(spent(m, PAN, 1, 978), 0);
        add(1, DAY - 1, 9900, "001", PAYMENT_ACKNOWLEDGED, 0x00, 978);
        ck_assert_int_eq(spent(m, PAN, 1, 978), 0);
        add(2, DAY, 1000, "001", PAYMENT_ACKNOWLEDGED, 0x00, 978);
        ck_assert_int_eq(spent(m, PAN, 1, 978), 1000);
        add(3, DAY, 700, "001", PAYMENT_SIGNED, 0x00, 978);
        ck_assert_int_eq(spent(m, PAN, 1, 978), 700); /* the last, not the sum */
        add(4, DAY, 50, "001", PAYMENT_REFUSED, 0x00, 978);
        add(5, DAY, 51, "001", PAYMENT_DECLINED, 0x00, 978);
        add(6, DAY, 52, "001", PAYMENT_ACKNOWLEDGED, 0x20, 978);
        add(7, DAY, 53, "", PAYMENT_ACKNOWLEDGED, 0x00, 978);
        add(8, DAY, 54, "001", PAYMENT_ACKNOWLEDGED, 0x00, 840);
        ck_assert_int_eq(spent(m, PAN, 1, 978), 700);
        ck_assert_int_eq(spent(m, PAN, -1, 978), 53);
        ck_assert_int_eq(spent(m, PAN, 1, 840), 54);
        ck_assert_int_eq(spent(m, PAN, 2, 978), 0);
        ck_assert_int_eq(spent(m, "9990140000000026", 1, 978), 0);
        memory_free(&m);
    }
END_TEST

static void write_list(const char *text)
{
    FILE *f = fopen(list, "w");

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static bool hit(struct memory *m, const char *pan, int psn)
{
    const struct kernel_memory k = memory_kernel(m, DAY);
    bool is = false;

    ck_ok(k.on_exception_file(k.ctx, pan, psn, &is));
    return is;
}

START_TEST(cards_of_the_exception_file)
    {
        struct memory *m;

        write_list("# stolen\n\n" PAN "/01\r\n4761739001010010   # all of them\n5413330089010012");
        ck_assert_msg(memory_new(&m, journal, list, &e) == TP_OK, "%s", e.text);
        ck_assert(hit(m, PAN, 1));
        ck_assert(!hit(m, PAN, 2));
        ck_assert(!hit(m, PAN, -1));
        ck_assert(hit(m, "4761739001010010", -1));
        ck_assert(hit(m, "4761739001010010", 7));
        ck_assert(hit(m, "5413330089010012", 0)); /* a last line without its end */
        ck_assert(!hit(m, "541333008901001", 0));
        ck_assert(!hit(m, "", -1)); /* an empty line is no card */
        memory_free(&m);
        write_list("");
        ck_ok(memory_new(&m, journal, list, &e));
        ck_assert(!hit(m, PAN, 1));
        memory_free(&m);
    }
END_TEST

START_TEST(a_list_that_cannot_be_read_is_told)
    {
        static const char *const bad[] = {"1234567\n",
                                          PAN "/1\n",
                                          PAN "/001\n",
                                          PAN " " PAN "\n",
                                          " " PAN "\n",
                                          "stolen\n",
                                          "12345678901234567890\n"};
        struct memory *m;

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            char text[128];

            snprintf(text, sizeof(text), "# first\n%s", bad[i]);
            write_list(text);
            ck_assert_int_eq(memory_new(&m, journal, list, &e), TP_ERR_FORMAT);
            ck_assert_ptr_null(m);
            ck_assert_ptr_nonnull(strstr(e.text, "line 2"));
        }
        unlink(list);
        ck_assert_int_eq(memory_new(&m, journal, list, &e), TP_ERR_NOT_FOUND);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("memory");
    TCase *c = tcase_create("memory");

    tcase_add_checked_fixture(c, make_folder, remove_folder);
    tcase_add_test(c, the_last_payment_of_the_day_counts);
    tcase_add_test(c, cards_of_the_exception_file);
    tcase_add_test(c, a_list_that_cannot_be_read_is_told);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
