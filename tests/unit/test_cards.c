/* Many cards: numbers, threads, folders, turns in one reader. */
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "card_rig.h"
#include "simcard/folders.h"
#include "simcard/perso_many.h"
#include "simcard/state.h"
#include "simcard/turn.h"

#define CARDS 7

static void rm_rf(const char *dir)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    ck_assert_int_eq(system(command), 0);
}

/* Check digits worked out by hand (ISO/IEC 7812-1, Annex B), the last number from its own example,
 * 79927398713. */
START_TEST(numbers_count_up)
    {
        static const struct {
            const char *from;
            unsigned n;
            const char *pan;
        } lines[] = {
            {"9990140000000015", 0, "9990140000000015"},
            {"9990140000000015", 0, "9990140000000015"}, /* whatever its check digit was */
            {"9990140000000015", 1, "9990140000000023"},
            {"9990140000000015", 9, "9990140000000106"},
            {"9990140000000990", 1, "9990140000001005"},
            {"079927398710", 0, "079927398713"},
        };
        char pan[PAN_TEXT_MAX];

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            ck_ok(perso_pan_after(pan, lines[i].from, lines[i].n));
            ck_assert_str_eq(pan, lines[i].pan);
        }
        ck_assert_int_eq(perso_pan_after(pan, "99901400000", 0), TP_ERR_RANGE);
        ck_assert_int_eq(perso_pan_after(pan, "99901400000A", 0), TP_ERR_RANGE);
        ck_assert_int_eq(perso_pan_after(pan, "999999999990", 1), TP_ERR_RANGE);
    }
END_TEST

struct seen {
    unsigned calls, last;
};

static void progress(void *ctx, unsigned done, unsigned count)
{
    struct seen *seen = ctx;

    ck_assert_uint_eq(count, CARDS);
    ck_assert_uint_eq(done, seen->last + 1);
    seen->last = done;
    seen->calls++;
}

static void make_some(const char *dir, struct perso_many *m, struct seen *seen, const char *cvm)
{
    struct perso_params p;
    struct tp_error e;

    rig_params(&p);
    p.bits = 768;
    p.cvm = cvm;
    *m = (struct perso_many){.dir = dir,
                             .count = CARDS,
                             .threads = 3,
                             .pan_from = RIG_PAN,
                             .progress = progress,
                             .ctx = seen};
    ck_assert_msg(perso_make_many(m, rig_scheme(), &p, &e) == TP_OK, "%s", e.text);
}

START_TEST(made_by_several_threads)
    {
        char dir[] = "/tmp/telepay-cards-XXXXXX", path[64];
        struct seen seen = {0, 0};
        struct perso_many m;
        struct perso_params p;
        struct tp_error e;
        struct card_profile *card[CARDS];

        ck_assert_ptr_nonnull(mkdtemp(dir));
        make_some(dir, &m, &seen, "pin,none");
        ck_assert_uint_eq(m.made, CARDS);
        ck_assert_uint_eq(m.there, 0);
        ck_assert_uint_eq(seen.calls, CARDS);
        for (unsigned i = 0; i < CARDS; i++) {
            char pan[PAN_TEXT_MAX];

            snprintf(path, sizeof(path), "%s/%06u", dir, i + 1);
            ck_ok(profile_load(&card[i], path, &e));
            ck_ok(perso_pan_after(pan, RIG_PAN, i));
            ck_assert_str_eq(card[i]->pan, pan);
            for (unsigned k = 0; k < i; k++) /* each its own key, and master keys of its number */
                ck_assert(!span_eq(emv_pubkey_modulus(emv_privkey_public(card[i]->key)),
                                   emv_pubkey_modulus(emv_privkey_public(card[k]->key))) &&
                          !secret_eq(secret_span(&card[i]->ac_key), secret_span(&card[k]->ac_key)));
        }
        for (unsigned i = 0; i < CARDS; i++)
            profile_free(&card[i]);

        /* done again after a cut: what is there stays, what is missing is made */
        snprintf(path, sizeof(path), "%s/000003", dir);
        rm_rf(path);
        seen = (struct seen){0, 0};
        make_some(dir, &m, &seen, "pin,none");
        ck_assert_uint_eq(m.made, 1);
        ck_assert_uint_eq(m.there, CARDS - 1);

        /* what cannot be made ends it with words */
        rig_params(&p);
        m.count = 2 * CARDS;
        m.progress = NULL;
        p.cvm = "thumb";
        ck_assert_int_eq(perso_make_many(&m, rig_scheme(), &p, &e), TP_ERR_USAGE);
        ck_assert_ptr_nonnull(strstr(e.text, "thumb"));
        m.pan_from = "4000000000000002"; /* not of this scheme */
        p.cvm = "none";
        ck_assert_int_eq(perso_make_many(&m, rig_scheme(), &p, &e), TP_ERR_USAGE);
        m.count = 0;
        ck_assert_int_eq(perso_make_many(&m, rig_scheme(), &p, &e), TP_ERR_USAGE);
        rm_rf(dir);
    }
END_TEST

/* ---- a folder of cards, each in a thread of its own ---- */

struct payer {
    pthread_t thread;
    const char *folder;
    unsigned paid;
};

static void *pay(void *arg)
{
    struct payer *p = arg;
    struct rig r = {0};
    struct tp_error e;

    if (card_open(&r.card, p->folder, CARD_DURABLE, &e) != TP_OK)
        return NULL;
    for (unsigned i = 0; i < 30; i++) {
        uint8_t raw[40];
        struct buf atr = BUF_OF(raw);

        if (card_power_on(r.card, &atr) == TP_OK && rig_send(&r, RIG_SELECT) == 0x9000 &&
            rig_send(&r, RIG_GPO) == 0x9000 && rig_first_ac(&r, "50") == 0x9000)
            p->paid++;
        card_power_off(r.card);
    }
    card_close(&r.card);
    return NULL;
}

START_TEST(a_folder_and_many_threads)
    {
        char dir[] = "/tmp/telepay-cards-XXXXXX";
        struct seen seen = {0, 0};
        struct perso_many m;
        struct payer payers[CARDS];
        struct card_folders folders;
        struct tp_error e;

        ck_assert_ptr_nonnull(mkdtemp(dir));
        ck_assert_int_eq(card_folders_list(&folders, dir, &e), TP_ERR_NOT_FOUND);
        ck_assert_ptr_nonnull(strstr(e.text, "telepay-perso cards"));
        make_some(dir, &m, &seen, "none");
        ck_ok(card_folders_list(&folders, dir, &e));
        ck_assert_uint_eq(folders.n, CARDS);
        for (size_t i = 0; i < CARDS; i++) {
            payers[i] = (struct payer){.folder = folders.path[i]};
            ck_assert_int_eq(pthread_create(&payers[i].thread, NULL, pay, &payers[i]), 0);
        }
        for (size_t i = 0; i < CARDS; i++) {
            struct card_state s;

            pthread_join(payers[i].thread, NULL);
            ck_assert_uint_eq(payers[i].paid, 30);
            ck_ok(state_peek(&s, folders.path[i], &e));
            ck_assert_uint_eq(s.atc, 30); /* no transaction counted twice, none lost */
        }
        card_folders_free(&folders);
        rm_rf(dir);
    }
END_TEST

/* ---- turns ---- */

static enum tp_err take(struct vpcd *v, const char *hex, struct buf *out)
{
    uint8_t raw[300];
    struct buf b = BUF_OF(raw);

    ck_ok(hex_decode(&b, hex));
    out->n = 0;
    return vpcd_take(v, buf_span(&b), out);
}

/* As vpcd speaks: 00 off, 01 on, 04 ATR. A card that nobody used stays when pcscd saves power; one
 * that was used leaves. */
START_TEST(a_used_card_leaves_when_powered_down)
    {
        static struct vpcd v;
        static uint8_t raw[VPCD_ANSWERS_MAX];
        struct buf out = BUF_OF(raw);
        struct rig r;
        struct perso_params p;

        rig_params(&p);
        p.bits = 768;
        rig_start(&r, &p);
        struct card_turn turn = {.card = r.card};

        vpcd_start(&v, card_turn_vpcd(&turn));
        ck_ok(take(&v, "000101 000104", &out));
        ck_assert_uint_gt(out.n, 2);
        ck_ok(take(&v, "000100 000104", &out));
        ck_assert_uint_gt(out.n, 2);
        ck_ok(take(&v, "000101 000D" RIG_SELECT, &out));
        ck_assert_uint_eq(raw[2], 0x6F);
        ck_ok(take(&v, "000100", &out));
        ck_assert_int_eq(take(&v, "000104", &out), TP_ERR_CARD);
        ck_assert(v.card.gone(v.card.ctx));
        ck_assert(!card_gone(r.card));
        ck_assert_int_eq(take(&v, "000101", &out), TP_ERR_CARD);
        rig_end(&r);
    }
END_TEST

static void make_scheme(void)
{
    ck_assert_ptr_nonnull(rig_scheme());
}

static Suite *suite(void)
{
    Suite *s = suite_create("cards");
    TCase *t = tcase_create("cards");

    tcase_add_unchecked_fixture(t, make_scheme, NULL);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, numbers_count_up);
    tcase_add_test(t, made_by_several_threads);
    tcase_add_test(t, a_folder_and_many_threads);
    tcase_add_test(t, a_used_card_leaves_when_powered_down);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
