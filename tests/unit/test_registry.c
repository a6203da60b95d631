/* Whom a mediator works with: folders that are broken in each way, and what comes and goes while
 * it serves. Each sentence names the thing. */
#include "mediator_fixture.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/date.h"
#include "base/file.h"

#define AT "acquirers/" ACQUIRER "/"

static struct mediator_fixture f;

static void make(void)
{
    fixture_make(&f);
}

static void drop(void)
{
    fixture_end(&f);
}

static enum tp_err try_folder(size_t *contracts)
{
    char id[BOOK_ACQUIRER_MAX] = "";
    const enum tp_err r =
        registry_try_acquirer(fixture_path(&f, "acquirers/" ACQUIRER), id, contracts, &f.e);

    if (r == TP_OK)
        ck_assert_str_eq(id, ACQUIRER);
    return r;
}

/* ---- what the registry says while it is opened or looks, on stderr ---- */

static int kept_stderr;

static void begin_words(void)
{
    const int fd = open(fixture_path(&f, "words"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    kept_stderr = dup(STDERR_FILENO);
    ck_assert_int_ge(dup2(fd, STDERR_FILENO), 0);
    close(fd);
}

/* free() */
static char *end_words(void)
{
    uint8_t *text = NULL;
    size_t n = 0;

    ck_assert_int_ge(dup2(kept_stderr, STDERR_FILENO), 0);
    close(kept_stderr);
    ck_ok(file_read(fixture_path(&f, "words"), 1U << 16, &text, &n, NULL));
    return (char *)text;
}

static void expect_words(const char *words)
{
    char *said = end_words();

    ck_assert_msg(words[0] == '\0' ? said[0] == '\0' : strstr(said, words) != NULL,
                  "not \"%s\" but \"%s\"", words, said);
    free(said);
}

static void open_saying(const char *words)
{
    begin_words();
    fixture_open(&f);
    expect_words(words);
}

static void look_saying(const char *words)
{
    begin_words();
    ck_ok(registry_look(f.registry, &f.e));
    expect_words(words);
}

/* ---- a folder that is whole ---- */

START_TEST(all_of_it_is_read)
    {
        size_t contracts = 0;
        const struct reg_contract *c;
        const struct reg_service *s;

        ck_assert_msg(try_folder(&contracts) == TP_OK, "%s", f.e.text);
        ck_assert_uint_eq(contracts, 2);
        open_saying("");
        c = registry_contract(f.registry, CONTRACT);
        ck_assert_ptr_nonnull(c);
        ck_assert_str_eq(c->terminal, TERMINAL);
        ck_assert_str_eq(c->merchant, "Librairie du Port");
        ck_assert_str_eq(c->country, "250");
        ck_assert_str_eq(c->mcc, "5994");
        ck_assert_int_eq(c->ceiling, CEILING);
        ck_assert_str_eq(c->currency->alpha, "EUR");
        ck_assert_str_eq(c->acquirer->id, ACQUIRER);
        ck_assert_str_eq(c->acquirer->host, "127.0.0.1");
        ck_assert_str_eq(c->acquirer->version, "7");
        ck_assert_ptr_eq(registry_acquirer(f.registry, ACQUIRER), c->acquirer);
        ck_assert_ptr_eq(registry_contract_of(f.registry, c->acquirer), c);
        s = registry_service(f.registry, SERVICE);
        ck_assert_ptr_nonnull(s);
        ck_assert_str_eq(s->url, "https://127.0.0.1:8743"); /* without its slash */
        ck_assert_ptr_eq(s->contract[0], c);
        ck_assert_ptr_null(registry_contract(f.registry, "000000000000999"));
        ck_assert_ptr_null(registry_acquirer(f.registry, "ACQ2"));
        ck_assert_ptr_null(registry_service(f.registry, "nobody"));
    }
END_TEST

/* ---- mediator.conf without a member, or with one that is none ---- */

static const struct {
    const char *from, *to;
    const char *words[2]; /* of the sentence */
} confs[] = {
    {"id = " ACQUIRER "\n", "", {"\"id\"", "[acquirer]"}},
    {"host = 127.0.0.1\n", "", {"\"host\"", "[acquirer]"}},
    {"port = 8701\n", "", {"\"port\"", "[acquirer]"}},
    {"ca = ca.pem\n", "", {"\"ca\"", "[acquirer]"}},
    {"certificate = mediator.pem\n", "", {"\"certificate\"", "[acquirer]"}},
    {"key = mediator.key\n", "", {"\"key\"", "[acquirer]"}},
    {"sealing = sealing.pem\n", "", {"\"sealing\"", "[acquirer]"}},
    {"id = " ACQUIRER, "id = ../../etc", {"id", "mediator.conf"}},
    {"id = " ACQUIRER, "id = ACQ12345678901234", {"id", "mediator.conf"}},
    {"port = 8701", "port = 870187018", {"port", "mediator.conf"}},
    {"terminal = " TERMINAL "\n", "", {"\"terminal\"", CONTRACT}},
    {"merchant = Librairie du Port\n", "", {"\"merchant\"", CONTRACT}},
    {"currency = EUR\n", "", {"\"currency\"", CONTRACT}},
    {"country = 250\n", "", {"\"country\"", CONTRACT}},
    {"mcc = 5994\n", "", {"\"mcc\"", CONTRACT}},
    {"ceiling = 5000\n", "", {"\"ceiling\"", CONTRACT}},
    {"certificate = order.pem\n", "", {"\"certificate\"", CONTRACT}},
    {"key = order.key\n", "", {"\"key\"", CONTRACT}},
    {"terminal = " TERMINAL, "terminal = M000001", {"terminal", CONTRACT}},
    {"terminal = " TERMINAL, "terminal = M00000001", {"terminal", CONTRACT}},
    {"terminal = " TERMINAL, "terminal = M-000001", {"terminal", CONTRACT}},
    {"currency = EUR", "currency = EUX", {"currency", CONTRACT}},
    {"country = 250", "country = 25", {"country", CONTRACT}},
    {"country = 250", "country = FRA", {"country", CONTRACT}},
    {"mcc = 5994", "mcc = 59940", {"mcc", CONTRACT}},
    {"ceiling = 5000", "ceiling = 50.00", {"ceiling", CONTRACT}},
    {"ceiling = 5000", "ceiling = -1", {"ceiling", CONTRACT}},
    {"[contract " CONTRACT "]", "[contract 123]", {"contract", "123"}},
    {"[contract " CONTRACT "]", "[contract ]", {"section", "mediator.conf"}},
    {"key = order.key", "key = order-2.key", {"order-2.key", "order.pem"}},
    {"certificate = order.pem", "certificate = nowhere.pem", {"nowhere.pem", ""}},
    {"sealing = sealing.pem", "sealing = mediator.key", {"mediator.key", ""}},
    {"parameters = parameters.jws", "parameters = ca.pem", {"ca.pem", ""}},
    {"[acquirer]", "[acquirers]", {"\"id\"", "[acquirer]"}},
    {"[acquirer]\n", "acquirer\n", {"mediator.conf", ""}},
};

START_TEST(a_conf_that_is_none)
    {
        size_t contracts = 0;
        char said[sizeof(f.e.text)];

        fixture_conf(&f, confs[_i].from, confs[_i].to);
        ck_assert_msg(try_folder(&contracts) != TP_OK, "%s", confs[_i].from);
        for (size_t i = 0; i < 2; i++)
            ck_assert_msg(strstr(f.e.text, confs[_i].words[i]) != NULL, "%s->%s: %s",
                          confs[_i].from, confs[_i].to, f.e.text);
        memcpy(said, f.e.text, sizeof(said));
        open_saying(said); /* the same sentence */
        look_saying("");   /* once */
        ck_assert_ptr_null(registry_contract(f.registry, CONTRACT));
        ck_assert_ptr_null(registry_service(f.registry, SERVICE));
        fixture_conf(&f, NULL, NULL); /* mended while it serves */
        look_saying("");
        ck_assert_ptr_nonnull(registry_contract(f.registry, CONTRACT));
        ck_assert_ptr_nonnull(registry_service(f.registry, SERVICE));
    }
END_TEST

/* ---- files ---- */

static const char *const files[] = {"ca.pem",      "mediator.pem", "mediator.key",
                                    "sealing.pem", "order.pem",    "order.key",
                                    "order-2.pem", "order-2.key",  "parameters.jws"};

START_TEST(a_file_that_is_missing_or_none)
    {
        char name[64];
        size_t contracts = 0;

        snprintf(name, sizeof(name), AT "%s", files[_i]);
        ck_assert_int_eq(unlink(fixture_path(&f, name)), 0);
        ck_assert_int_ne(try_folder(&contracts), TP_OK);
        ck_assert_msg(strstr(f.e.text, files[_i]) != NULL, "%s: %s", files[_i], f.e.text);
        fixture_write(&f, name, "-----BEGIN CERTIFICATE-----\nnonsense\n");
        ck_assert_int_ne(try_folder(&contracts), TP_OK);
        ck_assert_msg(strstr(f.e.text, files[_i]) != NULL, "%s: %s", files[_i], f.e.text);
        fixture_write(&f, name, "");
        ck_assert_int_ne(try_folder(&contracts), TP_OK);
        ck_assert_msg(strstr(f.e.text, files[_i]) != NULL, "%s: %s", files[_i], f.e.text);
        open_saying(files[_i]);
    }
END_TEST

START_TEST(a_key_that_others_may_read)
    {
        static const char *const keys[] = {"mediator.key", "order.key", "order-2.key"};
        char name[64];
        size_t contracts = 0;

        snprintf(name, sizeof(name), AT "%s", keys[_i]);
        ck_assert_int_eq(chmod(fixture_path(&f, name), 0644), 0);
        ck_assert_int_eq(try_folder(&contracts), TP_ERR_SECURITY);
        ck_assert_ptr_nonnull(strstr(f.e.text, keys[_i]));
        ck_assert_ptr_nonnull(strstr(f.e.text, "chmod 600"));
    }
END_TEST

START_TEST(the_key_of_another)
    {
        size_t contracts = 0;

        ck_ok(file_copy(fixture_path(&f, AT "order.key"), fixture_path(&f, "acquirers/" ACQUIRER),
                        "mediator.key", 0600, &f.e));
        ck_assert_int_ne(try_folder(&contracts), TP_OK);
        ck_assert_msg(strstr(f.e.text, "mediator.key") != NULL, "%s", f.e.text);
    }
END_TEST

START_TEST(one_contract_that_is_broken_leaves_the_other)
    {
        fixture_conf(&f, "mcc = 5994\n", "");
        open_saying("\"mcc\"");
        ck_assert_ptr_null(registry_contract(f.registry, CONTRACT));
        ck_assert_ptr_nonnull(registry_contract(f.registry, OTHER_CONTRACT));
    }
END_TEST

START_TEST(no_folder_of_acquirers)
    {
        const struct registry_events none = {NULL, NULL};

        ck_assert_int_eq(rename(fixture_path(&f, "acquirers"), fixture_path(&f, "elsewhere")), 0);
        ck_assert_int_eq(registry_open(&f.registry, f.dir, &none, &f.e), TP_ERR_NOT_FOUND);
        ck_assert_ptr_nonnull(strstr(f.e.text, "acquirers"));
    }
END_TEST

static void copy_all(const char *to)
{
    char command[300];

    snprintf(command, sizeof(command), "cp -r %s %s/acquirers/%s",
             fixture_path(&f, "acquirers/" ACQUIRER), f.dir, to);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(a_contract_of_two_acquirers)
    {
        uint8_t *text = NULL;
        size_t n = 0;
        char *id;

        copy_all("ZACQ");
        ck_ok(file_read(fixture_path(&f, AT "mediator.conf"), 4096, &text, &n, &f.e));
        id = strstr((char *)text, ACQUIRER);
        id[0] = 'Z';
        fixture_write(&f, "acquirers/ZACQ/mediator.conf", (const char *)text);
        free(text);
        open_saying("the contract " CONTRACT " is of the acquirer " ACQUIRER " already");
        ck_assert_str_eq(registry_contract(f.registry, CONTRACT)->acquirer->id, ACQUIRER);
        ck_assert_ptr_nonnull(registry_acquirer(f.registry, "ZCQ1"));
    }
END_TEST

/* ---- what comes and goes ---- */

static size_t seen;

static enum tp_err on_acquirer(void *ctx, const struct reg_acquirer *a, struct tp_error *e)
{
    (void)ctx;
    (void)a;
    (void)e;
    seen++;
    return TP_OK;
}

START_TEST(an_acquirer_that_comes_while_it_serves)
    {
        const struct registry_events events = {NULL, on_acquirer};

        ck_assert_int_eq(rename(fixture_path(&f, "acquirers/" ACQUIRER), fixture_path(&f, "away")),
                         0);
        begin_words();
        ck_assert_msg(registry_open(&f.registry, f.dir, &events, &f.e) == TP_OK, "%s", f.e.text);
        expect_words("service " SERVICE " is left out: ");
        ck_assert_uint_eq(seen, 0);
        ck_assert_ptr_null(registry_service_ever(f.registry, SERVICE));
        ck_assert_int_eq(rename(fixture_path(&f, "away"), fixture_path(&f, "acquirers/" ACQUIRER)),
                         0);
        look_saying("");
        ck_assert_uint_eq(seen, 1);
        ck_assert_ptr_nonnull(registry_service(f.registry, SERVICE));
        look_saying("");
        ck_assert_uint_eq(seen, 1);
    }
END_TEST

START_TEST(a_service_that_is_closed)
    {
        open_saying("");
        ck_ok(orderbook_service_close(f.book, SERVICE, &f.e));
        look_saying("");
        ck_assert_ptr_null(registry_service(f.registry, SERVICE));
        ck_assert_ptr_nonnull(registry_service_ever(f.registry, SERVICE));
        fixture_close(&f);
        open_saying("");
        ck_assert_ptr_null(registry_service(f.registry, SERVICE));
        ck_assert_ptr_nonnull(registry_service_ever(f.registry, SERVICE));
        ck_assert_int_eq(orderbook_service_close(f.book, SERVICE, &f.e), TP_ERR_NOT_FOUND);
        ck_assert_ptr_nonnull(strstr(f.e.text, SERVICE));
        ck_assert_int_eq(fixture_sell(f.book, SERVICE, CONTRACT, NULL, &f.e), TP_ERR_EXISTS);
        ck_assert_ptr_nonnull(strstr(f.e.text, SERVICE));
    }
END_TEST

START_TEST(a_service_that_is_opened_again)
    {
        static const struct orderbook_service the_service = {
            .name = SERVICE, .contract = {CONTRACT}, .contracts = 1};

        open_saying("");
        ck_ok(orderbook_service_close(f.book, SERVICE, &f.e));
        look_saying("");
        ck_ok(orderbook_service_change(f.book, &the_service, &f.e));
        ck_ok(orderbook_service_change(f.book, &the_service, &f.e));
        look_saying("");
        ck_assert_ptr_nonnull(registry_service(f.registry, SERVICE));
    }
END_TEST

/* Who asks it meanwhile has what it was. */
START_TEST(a_service_whose_files_change)
    {
        static const char there[] = "../../acquirers/" ACQUIRER;
        char text[512];
        const struct reg_service *before, *now;
        char url[sizeof(before->url)];

        open_saying("");
        before = registry_service(f.registry, SERVICE);
        snprintf(url, sizeof(url), "%s", before->url);
        fixture_write(&f, "services/" SERVICE "/service.conf", "[service]\nurl = http://no\n");
        look_saying("service " SERVICE " is asked at https://127.0.0.1:8743 as before: ");
        look_saying("");
        ck_assert_ptr_eq(registry_service(f.registry, SERVICE), before);
        snprintf(text, sizeof(text),
                 "[service]\nurl = https://127.0.0.1:8744/at\nca = %s/ca.pem\n"
                 "certificate = %s/mediator.pem\nkey = %s/mediator.key\n",
                 there, there, there);
        fixture_write(&f, "services/" SERVICE "/service.conf", text);
        look_saying("service " SERVICE " is asked at https://127.0.0.1:8744/at from now on");
        look_saying("");
        now = registry_service(f.registry, SERVICE);
        ck_assert_ptr_ne(now, before);
        ck_assert_str_eq(now->url, "https://127.0.0.1:8744/at");
        ck_assert_str_eq(before->url, url);
        ck_assert_ptr_eq(now->contract[0], before->contract[0]);
        ck_ok(orderbook_service_close(f.book, SERVICE, &f.e));
        look_saying("");
        ck_assert_ptr_null(registry_service(f.registry, SERVICE));
        ck_assert_ptr_eq(registry_service_ever(f.registry, SERVICE), now);
    }
END_TEST

START_TEST(a_service_that_is_none)
    {
        static const struct {
            const char *text, *words;
        } bad[] = {
            {NULL, "service.conf"},
            {"[service]\n", "\"url\""},
            {"[service]\nurl = http://127.0.0.1:8743\n", "https://"},
            {"[service]\nurl = https://127.0.0.1:8743\n", "\"ca\""},
            {"[service]\nurl = https://127.0.0.1\nca = ca.pem\ncertificate = a.pem\nkey = a.key\n",
             "a.key"},
        };

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            if (bad[i].text != NULL)
                fixture_write(&f, "services/" SERVICE "/service.conf", bad[i].text);
            else
                ck_assert_int_eq(unlink(fixture_path(&f, "services/" SERVICE "/service.conf")), 0);
            open_saying(bad[i].words);
            ck_assert_ptr_null(registry_service_ever(f.registry, SERVICE));
            fixture_close(&f);
        }
    }
END_TEST

START_TEST(a_service_under_a_contract_that_nobody_has)
    {
        fixture_open(&f);
        ck_ok(fixture_sell(f.book, "kiosk", "000000000000999", NULL, &f.e));
        ck_ok(file_make_dir(fixture_path(&f, "services/kiosk"), 0700, &f.e));
        ck_ok(file_copy(fixture_path(&f, "services/" SERVICE "/service.conf"),
                        fixture_path(&f, "services/kiosk"), "service.conf", 0600, &f.e));
        look_saying("service kiosk is left out: it sells under the contract 000000000000999");
        look_saying("");
        ck_assert_ptr_null(registry_service(f.registry, "kiosk"));
        ck_assert_ptr_nonnull(registry_service(f.registry, SERVICE));
    }
END_TEST

/* ---- purses ---- */

START_TEST(a_purse_among_the_acquirers)
    {
        const struct reg_contract *c;
        const struct reg_service *s;

        fixture_purse(&f);
        open_saying("");
        c = registry_contract(f.registry, PURSE_CONTRACT);
        ck_assert_ptr_nonnull(c);
        ck_assert_int_eq(c->acquirer->means, MEANS_PURSE);
        ck_assert_str_eq(c->acquirer->url, "https://127.0.0.1:8744"); /* without its slash */
        ck_assert_str_eq(c->acquirer->tls.certificate, "");           /* none is shown there */
        ck_assert_str_eq(c->terminal, "");
        ck_assert_int_eq(c->ceiling, MONEY_MAX);
        ck_assert_ptr_null(c->stans);
        ck_assert_int_eq(registry_contract(f.registry, CONTRACT)->acquirer->means, MEANS_EMV);
        ck_ok(fixture_sell(f.book, "kiosk", CONTRACT, PURSE_CONTRACT, &f.e));
        ck_ok(file_make_dir(fixture_path(&f, "services/kiosk"), 0700, &f.e));
        ck_ok(file_copy(fixture_path(&f, "services/" SERVICE "/service.conf"),
                        fixture_path(&f, "services/kiosk"), "service.conf", 0600, &f.e));
        look_saying("");
        s = registry_service(f.registry, "kiosk");
        ck_assert_ptr_nonnull(s);
        ck_assert_uint_eq(s->contracts, 2);
        ck_assert_ptr_eq(s->contract[1], c);
    }
END_TEST

static const struct {
    const char *from, *to, *words;
} purse_confs[] = {
    {"means = purse", "means = cash", "means is purse"},
    {"url = https://127.0.0.1:8744/\n", "", "\"url\""},
    {"url = https:", "url = http:", "https://"},
    {"ca = ../" ACQUIRER "/ca.pem\n", "", "\"ca\""},
    {"merchant = Librairie du Port\n", "", "\"merchant\""},
    {"currency = EUR\n", "", "\"currency\""},
    {"certificate = ../" ACQUIRER "/order-purse.pem\n", "", "\"certificate\""},
    {"currency = EUR", "currency = EUR\nceiling = much", "ceiling"},
};

START_TEST(a_purse_that_is_none)
    {
        const char *path = "acquirers/" PURSE "/mediator.conf", *at;
        char text[2048];
        uint8_t *conf = NULL;
        size_t n = 0;

        fixture_purse(&f);
        ck_ok(file_read(fixture_path(&f, path), 1024, &conf, &n, &f.e));
        at = strstr((const char *)conf, purse_confs[_i].from);
        ck_assert_ptr_nonnull(at);
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - (const char *)conf), (const char *)conf,
                 purse_confs[_i].to, at + strlen(purse_confs[_i].from));
        fixture_write(&f, path, text);
        open_saying(purse_confs[_i].words);
        ck_assert_ptr_null(registry_contract(f.registry, PURSE_CONTRACT));
        ck_assert_ptr_nonnull(registry_contract(f.registry, CONTRACT));
        free(conf);
    }
END_TEST

START_TEST(contracts_that_do_not_go_together)
    {
        struct reg_contract *both[2];

        fixture_purse(&f);
        open_saying("");
        both[0] = registry_contract(f.registry, CONTRACT);
        both[1] = registry_contract(f.registry, PURSE_CONTRACT);
        ck_ok(registry_check_contracts(both, 2, &f.e));
        both[1]->currency = currency_by_alpha("USD");
        ck_assert_int_eq(registry_check_contracts(both, 2, &f.e), TP_ERR_USAGE);
        ck_assert_ptr_nonnull(strstr(f.e.text, "two currencies"));
        both[1] = registry_contract(f.registry, OTHER_CONTRACT);
        ck_assert_int_eq(registry_check_contracts(both, 2, &f.e), TP_ERR_USAGE);
        ck_assert_ptr_nonnull(strstr(f.e.text, "of the acquirer " ACQUIRER));
    }
END_TEST

/* ---- numbers ---- */

static uint32_t stan_now(void)
{
    uint32_t stan = 0;

    ck_ok(contract_stan(registry_contract(f.registry, CONTRACT), date_of(time(NULL)), &stan, &f.e));
    return stan;
}

/* After a restart, and when its folder is mended while it serves. */
START_TEST(numbers_of_today_do_not_come_again)
    {
        struct move m;
        uint32_t stan;

        fixture_open(&f);
        fixture_ask(&f, &m, time(NULL), 600);
        stan = m.attempt.stan;
        ck_ok(fixture_apply(&f, &m));
        move_free(&m);
        fixture_close(&f);
        fixture_open(&f);
        ck_assert_uint_eq(stan_now(), stan + 1);
        fixture_close(&f);
        fixture_conf(&f, "mcc = 5994\n", "");
        open_saying("\"mcc\"");
        fixture_conf(&f, NULL, NULL);
        look_saying("");
        ck_assert_uint_eq(stan_now(), stan + 1);
    }
END_TEST

/* Of an order of yesterday that its acquirer is still asked about. */
START_TEST(a_number_that_is_asked_about_is_not_given)
    {
        static const enum order_state open[] = {STATE_SUBMITTING, STATE_UNKNOWN, STATE_REVERSING};
        struct move m;

        for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
            fixture_open(&f);
            fixture_ask(&f, &m, time(NULL), 600);
            m.attempt.stan = 700 + 10 * (uint32_t)i;
            m.attempt.local_time -= 1000000; /* the day before, as numbers go */
            ck_ok(fixture_apply(&f, &m));
            m.order.state = open[i];
            ck_ok(orderbook_order_move(f.book, &m.order, &f.e));
            m.attempt.reversal_stan = m.attempt.stan + 5;
            if (open[i] == STATE_REVERSING)
                ck_ok(orderbook_attempt_reverse(f.book, &m.attempt, 20261128, &f.e));
            fixture_close(&f);
            fixture_open(&f);
            ck_assert_uint_eq(stan_now(), m.attempt.stan + (open[i] == STATE_REVERSING ? 6 : 1));
            move_free(&m);
            fixture_close(&f);
        }
    }
END_TEST

START_TEST(when_none_is_left)
    {
        struct reg_contract *c;
        uint32_t stan = 0;

        fixture_open(&f);
        c = registry_contract(f.registry, CONTRACT);
        for (uint32_t n = 0; n < 999999; n++)
            ck_ok(contract_stan(c, 20261129, &stan, &f.e));
        ck_assert_int_eq(contract_stan(c, 20261129, &stan, &f.e), TP_ERR_RANGE);
        ck_assert_ptr_nonnull(strstr(f.e.text, CONTRACT));
        ck_ok(contract_stan(registry_contract(f.registry, OTHER_CONTRACT), 20261129, &stan, &f.e));
        ck_assert_uint_eq(stan, 1);
    }
END_TEST

static TCase *folders(void)
{
    TCase *t = tcase_create("folders");

    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, make, drop);
    tcase_add_test(t, all_of_it_is_read);
    tcase_add_loop_test(t, a_conf_that_is_none, 0, sizeof(confs) / sizeof(confs[0]));
    tcase_add_loop_test(t, a_file_that_is_missing_or_none, 0, sizeof(files) / sizeof(files[0]));
    tcase_add_loop_test(t, a_key_that_others_may_read, 0, 3);
    tcase_add_test(t, the_key_of_another);
    tcase_add_test(t, one_contract_that_is_broken_leaves_the_other);
    tcase_add_test(t, no_folder_of_acquirers);
    tcase_add_test(t, a_contract_of_two_acquirers);
    return t;
}

static TCase *changes(void)
{
    TCase *t = tcase_create("changes");

    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, make, drop);
    tcase_add_test(t, an_acquirer_that_comes_while_it_serves);
    tcase_add_test(t, a_service_that_is_closed);
    tcase_add_test(t, a_service_that_is_opened_again);
    tcase_add_test(t, a_service_whose_files_change);
    tcase_add_test(t, a_service_that_is_none);
    tcase_add_test(t, a_service_under_a_contract_that_nobody_has);
    tcase_add_test(t, a_purse_among_the_acquirers);
    tcase_add_loop_test(t, a_purse_that_is_none, 0, sizeof(purse_confs) / sizeof(purse_confs[0]));
    tcase_add_test(t, contracts_that_do_not_go_together);
    tcase_add_test(t, numbers_of_today_do_not_come_again);
    tcase_add_test(t, a_number_that_is_asked_about_is_not_given);
    tcase_add_test(t, when_none_is_left);
    return t;
}

static Suite *suite(void)
{
    Suite *s = suite_create("registry");

    suite_add_tcase(s, folders());
    suite_add_tcase(s, changes());
    return s;
}

UNIT_MAIN(suite)
