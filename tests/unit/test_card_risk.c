/* Card risk management: each risk with what the profile may make of it; counters and amounts
 * offline. EMV 4.4 Book 3, 9.3, 10.8. */
#include <jansson.h>
#include <unistd.h>

#include "apdu/emvtags.h"
#include "card_rig.h"

#define PIN_1234 "0020008008 241234FFFFFFFFFF"
#define PIN_9876 "0020008008 249876FFFFFFFFFF"

/* CDOL1 and CDOL2 values with what matters here left open. */
struct said {
    const char *amount, *currency, *tvr, *type;
};

static const struct said plain = {"000000001250", "0978", "0000000000", "35"};

static unsigned first(struct rig *r, const char *p1, const struct said *s)
{
    char hex[400];

    snprintf(hex, sizeof(hex),
             "80AE%s0059 %s 000000000000 0250 %s %s 261123 00 %s %s 410302 2098C8 3132333435363738 "
             "0001 00000001 F0000000141010 %s 00",
             p1, s->amount, s->tvr, s->currency, RIG_UN, s->type,
             "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F");
    return rig_send(r, hex);
}

static unsigned second(struct rig *r, const char *p1, const char *arc, const struct said *s)
{
    char hex[400];

    snprintf(hex, sizeof(hex), "80AE%s0022 %s %s 000000000000 0250 %s %s 261123 00 %s 410302 00",
             p1, arc, s->amount, s->tvr, s->currency, RIG_UN);
    return rig_send(r, hex);
}

/* A transaction whose terminal asks for a TC; returns the CID. */
static unsigned pay(struct rig *r, const struct said *s)
{
    rig_begin(r);
    ck_assert_uint_eq(first(r, "40", s), 0x9000);
    return rig_value(r, 0x9F27).p[0];
}

struct how {
    uint32_t ask_online, decline, decline_unable;
    uint16_t count_limit, count_maximum;
    uint64_t amount_limit, amount_maximum;
};

static void make_like(struct card_profile *p, const void *arg)
{
    const struct how *how = arg;

    p->ask_online = how->ask_online;
    p->decline = how->decline;
    p->decline_unable = how->decline_unable;
    p->offline_limit = how->count_limit;
    p->offline_maximum = how->count_maximum;
    p->amount_limit = how->amount_limit;
    p->amount_maximum = how->amount_maximum;
}

static void start(struct rig *r, const struct how *how)
{
    struct perso_params p;

    rig_params(&p);
    p.method = PERSO_DDA;
    rig_start_with(r, &p, make_like, how);
}

/* ---- each risk ---- */

static void nothing(struct rig *r)
{
    (void)r;
}

static void go_online(struct rig *r) /* heard by the issuer: the card is not new any more */
{
    rig_begin(r);
    ck_assert_uint_eq(first(r, "80", &plain), 0x9000);
    ck_assert_uint_eq(second(r, "40", RIG_ARC_00, &plain), 0x9000);
}

static void break_off(struct rig *r)
{
    rig_begin(r);
    ck_assert_uint_eq(first(r, "80", &plain), 0x9000);
}

static void use_up_tries(struct rig *r)
{
    rig_begin(r);
    for (int i = 0; i < 3; i++)
        (void)rig_send(r, PIN_9876);
    ck_assert_uint_eq(r->sw, 0x63C0);
}

static void fail_sda(struct rig *r)
{
    static const struct said s = {"000000001250", "0978", "4000000000", "35"};

    rig_begin(r);
    ck_assert_uint_eq(first(r, "00", &s), 0x9000);
}

static void fail_cda(struct rig *r)
{
    static const struct said s = {"000000001250", "0978", "0400000000", "35"};

    rig_begin(r);
    ck_assert_uint_eq(first(r, "00", &s), 0x9000);
}

static void fail_script(struct rig *r)
{
    go_online(r);
    ck_assert_uint_eq(rig_send(r, "84240000080000000000000000"), 0x6988);
}

static const struct risk_line {
    const char *name;
    void (*before)(struct rig *r);
    const char *within; /* a command after GET PROCESSING OPTIONS, "" none */
    struct said said;
} risk_lines[] = {
    {"new-card", nothing, "", {"000000001250", "0978", "0000000000", "35"}},
    {"not-completed", break_off, "", {"000000001250", "0978", "0000000000", "35"}},
    {"pin-tries-exceeded", use_up_tries, "", {"000000001250", "0978", "0000000000", "35"}},
    {"pin-failed", nothing, PIN_9876, {"000000001250", "0978", "0000000000", "35"}},
    {"offline-authentication-failed", fail_sda, "", {"000000001250", "0978", "0000000000", "35"}},
    {"offline-authentication-failed", fail_cda, "", {"000000001250", "0978", "0000000000", "35"}},
    {"script-failed", fail_script, "", {"000000001250", "0978", "0000000000", "35"}},
    {"count-limit", nothing, "", {"000000001250", "0978", "0000000000", "35"}},
    {"count-maximum", nothing, "", {"000000001250", "0978", "0000000000", "35"}},
    {"amount-limit", nothing, "", {"000000001001", "0978", "0000000000", "35"}},
    {"amount-maximum", nothing, "", {"000000002001", "0978", "0000000000", "35"}},
    {"other-currency", nothing, "", {"000000000001", "0840", "0000000000", "35"}},
};

/* Limits that the lines above reach with one payment: a card that gave one TC already (count),
 * and 10.00 and 20.00. */
static unsigned outcome(const struct risk_line *line, struct how how, const char *type,
                        bool one_before)
{
    struct said said = line->said;
    struct rig r;
    unsigned cid;

    if (strncmp(line->name, "count", 5) == 0)
        how.count_limit = how.count_maximum = 1;
    if (strncmp(line->name, "amount", 6) == 0) {
        how.amount_limit = 1000;
        how.amount_maximum = 2000;
    }
    start(&r, &how);
    if (one_before) {
        static const struct said small = {"000000000000", "0978", "0000000000", "35"};

        ck_assert_uint_eq(pay(&r, &small), 0x40);
    }
    line->before(&r);
    rig_begin(&r);
    if (line->within[0] != '\0')
        (void)rig_send(&r, line->within);
    said.type = type;
    ck_assert_uint_eq(first(&r, "40", &said), 0x9000);
    cid = rig_value(&r, 0x9F27).p[0];
    rig_end(&r);
    return cid;
}

START_TEST(what_each_risk_does)
    {
        for (size_t i = 0; i < sizeof(risk_lines) / sizeof(risk_lines[0]); i++) {
            const struct risk_line *line = &risk_lines[i];
            const bool count = strncmp(line->name, "count", 5) == 0;
            uint32_t mask;

            ck_ok(card_risk_parse(&mask, line->name));
            ck_assert_msg(outcome(line, (struct how){0}, "35", count) == 0x40, "%s without orders",
                          line->name);
            ck_assert_msg(outcome(line, (struct how){.ask_online = mask}, "35", count) == 0x80,
                          "%s asks to go online", line->name);
            ck_assert_msg(outcome(line, (struct how){.decline = mask}, "35", count) == 0x00,
                          "%s declines", line->name);
            /* an offline-only terminal (type 23, 36): Book 4, A1 */
            ck_assert_msg(outcome(line, (struct how){.ask_online = mask}, "23", count) == 0x40,
                          "%s at an offline terminal", line->name);
            ck_assert_msg(outcome(line, (struct how){.ask_online = mask, .decline_unable = mask},
                                  "36", count) == 0x00,
                          "%s there, declined", line->name);
        }
    }
END_TEST

START_TEST(without_the_risk_nothing_of_it)
    {
        for (size_t i = 1; /* a new card is one */ i < sizeof(risk_lines) / sizeof(risk_lines[0]);
             i++) {
            static const struct said small = {"000000000100", "0978", "0000000000", "35"};
            struct how how = {
                .count_limit = 9, .count_maximum = 9, .amount_limit = 1000, .amount_maximum = 2000};
            struct rig r;

            ck_ok(card_risk_parse(&how.decline, risk_lines[i].name));
            start(&r, &how);
            ck_assert_msg(pay(&r, &small) == 0x40, "%s", risk_lines[i].name);
            rig_end(&r);
        }
    }
END_TEST

START_TEST(names_of_risks)
    {
        uint32_t mask;
        size_t n = 0;

        while (card_risk_name(n) != NULL) {
            ck_ok(card_risk_parse(&mask, card_risk_name(n)));
            ck_assert_uint_eq(mask, 1U << n);
            n++;
        }
        ck_assert_uint_eq(n, 14);
        ck_ok(card_risk_parse(&mask, ""));
        ck_assert_uint_eq(mask, 0);
        ck_ok(card_risk_parse(&mask, "new-card,pin-failed"));
        ck_assert_uint_eq(mask, CARD_RISK_NEW_CARD | CARD_RISK_PIN_FAILED);
        ck_assert_int_eq(card_risk_parse(&mask, "new"), TP_ERR_FORMAT);
        ck_assert_int_eq(card_risk_parse(&mask, "new-card, pin-failed"), TP_ERR_FORMAT);
    }
END_TEST

/* ---- unable to go online: the second cryptogram ---- */

START_TEST(unable_to_go_online)
    {
        static const struct {
            uint32_t decline_unable;
            const char *arc, *cid;
        } lines[] = {{0, RIG_ARC_Y3, "40"},
                     {CARD_RISK_NEW_CARD, RIG_ARC_Y3, "00"},
                     {CARD_RISK_ALL & ~CARD_RISK_NEW_CARD, RIG_ARC_Y3, "40"},
                     {0, RIG_ARC_Z3, "00"},
                     {CARD_RISK_NEW_CARD, RIG_ARC_00, "40"}}; /* it was online */

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            const struct how how = {.decline_unable = lines[i].decline_unable};
            struct rig r;

            start(&r, &how);
            rig_begin(&r);
            ck_assert_uint_eq(first(&r, "80", &plain), 0x9000);
            ck_assert_uint_eq(second(&r, "40", lines[i].arc, &plain), 0x9000);
            ck_hex(rig_value(&r, 0x9F27), lines[i].cid);
            rig_end(&r);
        }
    }
END_TEST

/* A transaction that ended without the issuer is complete all the same; but one that broke off
 * before stays told until the issuer is heard. */
START_TEST(how_long_a_broken_off_one_is_told)
    {
        const struct how how = {.ask_online = 0};
        struct rig r;

        start(&r, &how);
        rig_begin(&r);
        ck_assert_uint_eq(first(&r, "80", &plain), 0x9000);
        ck_assert_uint_eq(second(&r, "40", RIG_ARC_Y3, &plain), 0x9000);
        rig_begin(&r);
        ck_assert_uint_eq(first(&r, "80", &plain), 0x9000);
        ck_hex(span_of(rig_value(&r, 0x9F10).p + 5, 1), "10"); /* complete: new card alone */
        rig_begin(&r);                                         /* this one broke off */
        ck_assert_uint_eq(first(&r, "80", &plain), 0x9000);
        ck_hex(span_of(rig_value(&r, 0x9F10).p + 5, 1), "90");
        ck_assert_uint_eq(second(&r, "40", RIG_ARC_Y3, &plain), 0x9000);
        ck_hex(span_of(rig_value(&r, 0x9F10).p + 5, 1), "90");
        ck_assert_uint_eq(pay(&r, &plain), 0x40);
        ck_hex(span_of(rig_value(&r, 0x9F10).p + 5, 1), "90");
        go_online(&r);
        ck_assert_uint_eq(pay(&r, &plain), 0x40);
        ck_hex(span_of(rig_value(&r, 0x9F10).p + 5, 1), "00");
        rig_end(&r);
    }
END_TEST

/* ---- amounts ---- */

START_TEST(amounts_add_up_in_the_card_s_currency)
    {
        static const struct said ten = {"000000001000", "0978", "0000000000", "35"},
                                 dollars = {"000000099900", "0840", "0000000000", "35"};
        const struct how how = {.ask_online = CARD_RISK_AMOUNT_LIMIT,
                                .decline_unable = CARD_RISK_AMOUNT_MAXIMUM,
                                .amount_limit = 3000,
                                .amount_maximum = 4000};
        struct rig r;

        start(&r, &how);
        ck_assert_uint_eq(pay(&r, &ten), 0x40);
        ck_assert_uint_eq(pay(&r, &dollars), 0x40);
        ck_assert_uint_eq(pay(&r, &ten), 0x40);
        rig_begin(&r); /* declined: not counted */
        ck_assert_uint_eq(first(&r, "00", &ten), 0x9000);
        ck_assert_uint_eq(pay(&r, &ten), 0x40); /* 30.00: the limit itself */
        ck_assert_uint_eq(pay(&r, &ten), 0x80);
        ck_assert_uint_eq(second(&r, "40", RIG_ARC_Y3, &ten), 0x9000); /* 40.00 */
        ck_hex(rig_value(&r, 0x9F27), "40");
        ck_assert_uint_eq(pay(&r, &ten), 0x80);
        ck_assert_uint_eq(second(&r, "40", RIG_ARC_Y3, &ten), 0x9000);
        ck_hex(rig_value(&r, 0x9F27), "00");
        ck_assert_uint_eq(pay(&r, &ten), 0x80);
        ck_assert_uint_eq(second(&r, "40", RIG_ARC_00, &ten),
                          0x9000); /* online: from nothing again */
        for (int i = 0; i < 3; i++)
            ck_assert_uint_eq(pay(&r, &ten), 0x40);
        ck_assert_uint_eq(pay(&r, &ten), 0x80);
        rig_end(&r);
    }
END_TEST

START_TEST(the_largest_amount_and_nonsense)
    {
        static const struct said most = {"999999999999", "0978", "0000000000", "35"},
                                 letters = {"0000000012AB", "0978", "0000000000", "35"};
        const struct how how = {.ask_online = CARD_RISK_AMOUNT_LIMIT, .amount_limit = 999999999999};
        struct rig r;

        start(&r, &how);
        ck_assert_uint_eq(pay(&r, &letters), 0x40); /* no amount: not counted */
        ck_assert_uint_eq(pay(&r, &most), 0x40);
        ck_assert_uint_eq(pay(&r, &plain), 0x80);
        rig_end(&r);
    }
END_TEST

/* DOLs of any content: the amount and its currency stand in the PDOL, CDOL1 is almost empty. */
static void ask_in_the_pdol(struct card_profile *p, const void *arg)
{
    static const uint8_t pdol[] = {0x9F, 0x02, 0x06, 0x5F, 0x2A, 0x02};

    make_like(p, arg);
    memcpy(p->pdol.p, pdol, sizeof(pdol));
    p->pdol.n = sizeof(pdol);
    rig_set_object(p, TAG_CDOL1, "9505");
    rig_set_object(p, TAG_CDOL2, "8A02");
}

START_TEST(what_the_pdol_said_counts)
    {
        const struct how how = {.ask_online = CARD_RISK_AMOUNT_LIMIT, .amount_limit = 2000};
        struct perso_params p;
        struct rig r;

        rig_params(&p);
        p.method = PERSO_DDA;
        rig_start_with(&r, &p, ask_in_the_pdol, &how);
        for (int i = 0; i < 2; i++) {
            ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x9000);
            ck_assert_uint_eq(rig_send(&r, "80A800000A 8308 000000001250 0978 00"), 0x9000);
            ck_assert_uint_eq(rig_send(&r, "80AE400005 0000000000 00"), 0x9000);
            ck_hex(rig_value(&r, 0x9F27), i == 0 ? "40" : "80");
        }
        ck_assert_uint_eq(rig_send(&r, "80AE400002 3030 00"), 0x9000);
        ck_hex(rig_value(&r, 0x9F27), "40");
        ck_assert_uint_eq(rig_send(&r, "00B2015C00"), 0x9000); /* and for the log */
        ck_hex(rig_answer(&r), "40"
                               "000000001250"
                               "0978"
                               "000000"
                               "00"
                               "0002"
                               "0000");
        rig_end(&r);
    }
END_TEST

/* ---- what the CVR tells of it: simcard/card.h ---- */

START_TEST(failed_authentication_is_told_once)
    {
        const struct how how = {.ask_online = 0};
        struct rig r;

        start(&r, &how);
        fail_sda(&r);
        rig_begin(&r);
        ck_assert_uint_eq(first(&r, "80", &plain), 0x9000);
        ck_hex(rig_value(&r, 0x9F10), "06011203A01101");
        fail_cda(&r); /* another since: it counts, and the broken off one before */
        rig_begin(&r);
        ck_assert_uint_eq(first(&r, "80", &plain), 0x9000);
        ck_hex(rig_value(&r, 0x9F10), "06011203A09005");
        ck_assert_uint_eq(second(&r, "40", RIG_ARC_00, &plain), 0x9000);
        rig_begin(&r);
        ck_assert_uint_eq(first(&r, "80", &plain), 0x9000);
        ck_hex(rig_value(&r, 0x9F10), "06011203A00001"); /* the issuer knows */
        rig_end(&r);
    }
END_TEST

/* ---- card.json ---- */

START_TEST(a_folder_that_does_not_speak_of_it)
    {
        char dir[64] = "/tmp/telepay-risk-XXXXXX", path[80], command[128];
        struct card_profile *profile;
        struct perso_params p;
        struct tp_error e = {TP_OK, ""};
        json_t *json;

        ck_assert_ptr_nonnull(mkdtemp(dir));
        snprintf(path, sizeof(path), "%s/card.json", dir);
        rig_params(&p);
        ck_ok(perso_make(&profile, rig_scheme(), &p, &e));
        make_like(profile, &(const struct how){CARD_RISK_NEW_CARD, CARD_RISK_PIN_FAILED,
                                               CARD_RISK_ALL, 1, 2, 300, 999999999999});
        profile->cvn = EMV_CVN_10;
        profile->arpc = 1;
        profile->issuer_mandatory = profile->block_on_tries = true;
        ck_ok(perso_save(profile, dir, &e));
        profile_free(&profile);
        ck_assert_msg(profile_load(&profile, dir, &e) == TP_OK, "%s",
                      e.text); /* all of it comes back */
        ck_assert_uint_eq(profile->ask_online, CARD_RISK_NEW_CARD);
        ck_assert_uint_eq(profile->decline, CARD_RISK_PIN_FAILED);
        ck_assert_uint_eq(profile->decline_unable, CARD_RISK_ALL);
        ck_assert_uint_eq(profile->amount_limit, 300);
        ck_assert_uint_eq(profile->amount_maximum, 999999999999);
        ck_assert_int_eq(profile->cvn, EMV_CVN_10);
        ck_assert_uint_eq(profile->arpc, 1);
        ck_assert(profile->issuer_mandatory && profile->block_on_tries);
        profile_free(&profile);

        json = json_load_file(path, 0, NULL); /* as telepay 0.1 wrote it */
        ck_assert_int_eq(json_object_del(json, "issuer"), 0);
        ck_assert_int_eq(json_dump_file(json, path, 0), 0);
        json_decref(json);
        ck_assert_msg(profile_load(&profile, dir, &e) == TP_OK, "%s", e.text);
        ck_assert_uint_eq(profile->ask_online, CARD_ONLINE_DEFAULT);
        ck_assert_uint_eq(profile->decline, 0);
        ck_assert_uint_eq(profile->decline_unable, CARD_UNABLE_DEFAULT);
        ck_assert_uint_eq(profile->offline_limit, 1);
        ck_assert_uint_eq(profile->amount_limit, 0);
        ck_assert_int_eq(profile->cvn, EMV_CVN_18);
        ck_assert(!profile->issuer_mandatory && !profile->block_on_tries);
        profile_free(&profile);
        snprintf(command, sizeof(command), "rm -rf '%s'", dir);
        ck_assert_int_eq(system(command), 0);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("card_risk");
    TCase *t = tcase_create("card_risk");

    tcase_set_timeout(t, 120);
    tcase_add_test(t, what_each_risk_does);
    tcase_add_test(t, without_the_risk_nothing_of_it);
    tcase_add_test(t, names_of_risks);
    tcase_add_test(t, unable_to_go_online);
    tcase_add_test(t, how_long_a_broken_off_one_is_told);
    tcase_add_test(t, amounts_add_up_in_the_card_s_currency);
    tcase_add_test(t, the_largest_amount_and_nonsense);
    tcase_add_test(t, what_the_pdol_said_counts);
    tcase_add_test(t, failed_authentication_is_told_once);
    tcase_add_test(t, a_folder_that_does_not_speak_of_it);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
