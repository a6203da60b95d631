/* The terminal before cards that another program made whole (tests/tools/make_xda_card.py, in
 * Python from the Books alone): tests/vectors/xda-cards.json, of P-256 and P-521. What it sends,
 * what it keeps as evidence, and that it believes them; with one byte changed it does not. */
#include "unit/unit.h"

#include <jansson.h>
#include <stdio.h>

#include "apdu/emvbits.h"
#include "apdu/emvtags.h"
#include "paper.h"

static json_t *file;
static struct paper_keys
    keys; /* of the paper card under the script; its store has all authorities */

static void load(void)
{
    char path[512];
    json_error_t where;

    snprintf(path, sizeof(path), "%s/vectors/xda-cards.json", getenv("TESTS_SRCDIR"));
    file = json_load_file(path, 0, &where);
    ck_assert_msg(file != NULL, "%s: %s", path, where.text);
    paper_keys_make(&keys);
    for (size_t i = 0; i < 2; i++) {
        const json_t *card = json_array_get(json_object_get(file, "cards"), i);
        json_t *list =
            json_pack("{s:[{s:O}]}", "keys", "self_signed", json_object_get(card, "authority"));

        ck_ok(capk_store_take(keys.store, list, "list", NULL));
        json_decref(list);
    }
}

static void unload(void)
{
    paper_keys_free(&keys);
    json_decref(file);
}

static const char *text(const json_t *o, const char *name)
{
    const char *value = json_string_value(json_object_get(o, name));

    ck_assert_msg(value != NULL, "the vector lacks %s", name);
    return value;
}

static void say(struct paper *p, const char *command, const char *response)
{
    struct paper_answer *a = &p->answers[p->answers_n++];

    snprintf(a->command, sizeof(a->command), "%s", command);
    snprintf(a->response, sizeof(a->response), "%s9000", response);
}

/* The card's answers, GENERATE AC's but for those of `way`. */
static void script(struct paper *p, const json_t *card, const json_t *way)
{
    const char *command;
    json_t *value;

    paper_card(p, &keys);
    snprintf(p->answers[p->answers_n].command, sizeof(p->answers[0].command), "00A404000E");
    snprintf(p->answers[p->answers_n++].response, sizeof(p->answers[0].response), "6A82");
    say(p, "00A4040007", text(card, "select"));
    say(p, "00A4040007", text(card, "select"));
    say(p, "80A8", text(card, "options"));
    json_object_foreach(json_object_get(card, "records"), command, value)
    {
        say(p, command, json_string_value(value));
    }
    json_object_foreach((json_t *)way, command, value)
    {
        if (strncmp(command, "80AE", 4) == 0)
            say(p, command, json_string_value(value));
    }
}

static struct transaction *pay(struct paper *p, const char *words)
{
    struct paper_terminal t;
    struct transaction *tx;
    struct tp_error e;

    paper_terminal(&t, &keys);
    paper_terminal_words(&t, words);
    ck_assert_msg(paper_run(&tx, p, &t, &e) == TP_OK, "%s", e.text);
    ck_assert_uint_eq(t.online_asked, strstr(words, "arc=") != NULL ? 1 : 0);
    ck_assert_int_eq(transaction_authentication(tx)->method, KERNEL_METHOD_XDA);
    return tx;
}

START_TEST(offline)
    {
        const json_t *card = json_array_get(json_object_get(file, "cards"), (size_t)_i),
                     *way = json_object_get(card, "offline");
        static struct paper p;
        struct transaction *tx;

        script(&p, card, way);
        tx = pay(&p, "caps=2099CC");
        ck_assert_str_eq(transaction_reason(tx), "approved");
        ck_assert_int_eq(transaction_outcome(tx), KERNEL_APPROVED);
        ck_hex(transaction_get(tx, TAG_TVR), "0100000000");
        ck_hex(transaction_get(tx, TAG_TSI), "A800");
        ck_hex(transaction_get(tx, TAG_EV_STATIC), text(card, "iccd"));
        ck_hex(transaction_get(tx, TAG_EV_PDOL_VALUES), "2099CC");
        ck_hex(transaction_get(tx, TAG_EV_CDOL1_VALUES), text(way, "cdol1_values"));
        ck_hex(transaction_get(tx, TAG_EV_RESPONSE), text(way, "80AE48"));
        ck_hex(transaction_get(tx, TAG_AC), "A1A2A3A4A5A6A7A8");
        ck_assert_uint_eq(transaction_authentication(tx)->icc_bits, _i == 0 ? 256 : 521);
        ck_assert_str_eq(transaction_authentication(tx)->issuer, "999014");
        ck_assert_int_eq(transaction_authentication(tx)->icc_expiry, 20301231);
        transaction_free(&tx);
    }
END_TEST

START_TEST(online)
    {
        const json_t *card = json_array_get(json_object_get(file, "cards"), (size_t)_i),
                     *way = json_object_get(card, "online");
        static struct paper p;
        struct transaction *tx;

        script(&p, card, way);
        tx = pay(&p, "caps=2099CC floor=1000 arc=00");
        ck_assert_str_eq(transaction_reason(tx), "approved");
        ck_hex(transaction_get(tx, TAG_TVR), "0100008000");
        ck_hex(transaction_get(tx, TAG_EV_CDOL1_VALUES), text(way, "cdol1_values"));
        ck_hex(transaction_get(tx, TAG_EV_CDOL2_VALUES), text(way, "cdol2_values"));
        ck_hex(transaction_get(tx, TAG_AC), "C1C2C3C4C5C6C7C8");
        ck_assert(transaction_authentication(tx)->ok);
        transaction_free(&tx);
    }
END_TEST

/* A digit of an answer changed. */
static void spoil(struct paper *p, const char *command, size_t from_end)
{
    for (size_t i = 0; i < p->answers_n; i++)
        if (strcmp(p->answers[i].command, command) == 0) {
            char *digit = p->answers[i].response + strlen(p->answers[i].response) - from_end;

            *digit = *digit == '0' ? '1' : '0';
        }
}

START_TEST(spoilt)
    {
        static const struct {
            const char *command;
            size_t from_end; /* digits, 9000 among them */
            const char *tvr, *way;
        } rows[] = {
            {"80AE48", 5, "0100000100", "offline"},    {"80AE48", 100, "0100000100", "offline"},
            {"00B20114", 5, "0100000002", "offline"},  {"00B20214", 5, "0100000002", "offline"},
            {"00B2010C", 40, "0100000002", "offline"}, {"80AE88", 5, "0100008100", "online"}};

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
            for (size_t c = 0; c < 2; c++) {
                const json_t *card = json_array_get(json_object_get(file, "cards"), c);
                const bool on = strcmp(rows[i].way, "online") == 0;
                static struct paper p;
                struct transaction *tx;

                script(&p, card, json_object_get(card, rows[i].way));
                spoil(&p, rows[i].command, rows[i].from_end);
                tx = pay(&p, on ? "caps=2099CC floor=1000 arc=05" : "caps=2099CC");
                ck_assert_int_eq(transaction_outcome(tx), KERNEL_DECLINED);
                ck_hex(transaction_get(tx, TAG_TVR), rows[i].tvr);
                transaction_free(&tx);
            }
    }
END_TEST

/* 12.4, step 4: strictly before 23:59 UTC of the last day, which is another local time elsewhere.
 */
START_TEST(last_minute)
    {
        static const struct {
            int time, zone;
            bool good;
        } rows[] = {{235800, 0, true}, {235900, 0, false},  {235900, 60, true},  {5900, 60, false},
                    {5800, 60, true},  {225800, -60, true}, {225900, -60, false}};
        const json_t *card = json_array_get(json_object_get(file, "cards"), 0);

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            const bool next_day = rows[i].time < 10000;
            struct paper_terminal t;
            static struct paper p;
            struct transaction *tx;
            struct tp_error e;

            script(&p, card, json_object_get(card, "offline"));
            paper_terminal(&t, &keys);
            paper_terminal_words(&t, "caps=2099CC");
            t.request.date = next_day ? 20310101 : 20301231;
            t.request.time = rows[i].time;
            t.request.zone = rows[i].zone;
            ck_ok(paper_run(&tx, &p, &t, &e));
            ck_assert_int_eq(transaction_authentication(tx)->icc_expiry,
                             rows[i].good ? 20301231 : 0);
            transaction_free(&tx);
        }
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("kernel XDA");
    TCase *c = tcase_create("kernel XDA");

    tcase_add_unchecked_fixture(c, load, unload);
    tcase_add_loop_test(c, offline, 0, 2);
    tcase_add_loop_test(c, online, 0, 2);
    tcase_add_test(c, spoilt);
    tcase_add_test(c, last_minute);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
