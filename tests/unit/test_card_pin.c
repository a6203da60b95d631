/* The enciphered PIN: EMV 4.4 Book 2, 7; Book 3, 6.5.6 (GET CHALLENGE) and 6.5.12 (VERIFY, P2 88).
 * The terminal's part is done here, with the card's public key as the test made it. */
#include "card_rig.h"
#include "simcard/state.h"

#include <unistd.h>

#define CHALLENGE "0084000000"

/* What a terminal sends: 7F, PIN block, challenge, padding, raised to the public exponent. */
struct envelope {
    uint8_t header;
    const char *block;
    int spoil_challenge; /* XORed into its first byte */
};

static const struct envelope good = {0x7F, "241234FFFFFFFFFF", 0},
                             wrong_pin = {0x7F, "244321FFFFFFFFFF", 0};

static unsigned send_key(struct rig *r, struct emv_pubkey *key, const struct envelope *what,
                         struct span challenge)
{
    const size_t n = emv_pubkey_size(key);
    uint8_t clear[EMV_RSA_MAX], sealed[EMV_RSA_MAX];
    char hex[2 * EMV_RSA_MAX + 20], body[2 * EMV_RSA_MAX + 1];
    struct buf b = {clear, 0, n};

    ck_ok(buf_u8(&b, what->header));
    ck_ok(hex_decode(&b, what->block));
    ck_ok(buf_put(&b, challenge));
    clear[9] ^= (uint8_t)what->spoil_challenge;
    for (size_t i = b.n; i < n; i++)
        clear[i] = (uint8_t)(i * 37 + 11);
    ck_ok(emv_rsa_recover(key, span_of(clear, n), sealed));
    snprintf(hex, sizeof(hex), "00200088%02X%s", (unsigned)n, hex_encode(body, span_of(sealed, n)));
    return rig_send(r, hex);
}

static unsigned verify(struct rig *r, struct emv_pubkey *key, const struct envelope *what)
{
    uint8_t challenge[8];

    ck_assert_uint_eq(rig_send(r, CHALLENGE), 0x9000);
    ck_assert_uint_eq(r->answer_n, 8);
    memcpy(challenge, r->answer, 8);
    return send_key(r, key, what, SPAN_OF(challenge));
}

static void check_tries(struct rig *r, const char *want)
{
    ck_assert_uint_eq(rig_send(r, "80CA9F1700"), 0x9000);
    ck_hex(rig_value(r, 0x9F17), want);
}

/* Gives the test the public half of the card's keys. */
struct keys {
    struct emv_pubkey *icc, *pin;
    bool own;
};

static void take_keys(struct card_profile *p, const void *arg)
{
    struct keys *k = *(struct keys *const *)arg;

    if (k->own) {
        ck_ok(emv_privkey_generate(&p->pin_key, 1024, 65537));
        k->pin = emv_privkey_public(p->pin_key);
    }
    k->icc = p->key != NULL ? emv_privkey_public(p->key) : NULL;
}

static void start(struct rig *r, struct keys *k, enum perso_method method)
{
    struct perso_params p;

    rig_params(&p);
    p.method = method;
    rig_start_with(r, &p, take_keys, &k);
}

START_TEST(with_the_card_s_key)
    {
        struct keys k = {NULL, NULL, false};
        struct rig r;

        start(&r, &k, PERSO_CDA);
        rig_begin(&r);
        ck_assert_uint_eq(verify(&r, k.icc, &wrong_pin), 0x63C2);
        ck_assert_uint_eq(verify(&r, k.icc, &good), 0x9000);
        check_tries(&r, "03");
        ck_assert_uint_eq(rig_first_ac(&r, "40"), 0x9000);
        ck_hex(rig_value(&r, 0x9F10), "06011203941000"); /* PIN performed, right */
        rig_end(&r);
    }
END_TEST

START_TEST(with_a_key_of_its_own)
    {
        struct keys k = {NULL, NULL, true};
        struct rig r;

        for (int sda = 0; sda < 2;
             sda++) { /* a card that signs nothing may have one all the same */
            start(&r, &k, sda ? PERSO_SDA : PERSO_DDA);
            rig_begin(&r);
            ck_assert_uint_eq(verify(&r, k.pin, &good), 0x9000);
            ck_assert_uint_eq(verify(&r, k.pin, &wrong_pin), 0x63C2);
            if (!sda)
                ck_assert_uint_eq(verify(&r, k.icc, &good),
                                  0x6700); /* that of signatures is another, and longer */
            rig_end(&r);
        }
    }
END_TEST

START_TEST(a_card_without_key)
    {
        struct keys k = {NULL, NULL, false};
        struct rig r;

        start(&r, &k, PERSO_SDA);
        rig_begin(&r);
        ck_assert_uint_eq(rig_send(&r, "0020008808 241234FFFFFFFFFF"), 0x6A86);
        check_tries(&r, "03");
        rig_end(&r);
    }
END_TEST

START_TEST(a_challenge_is_good_for_one_command)
    {
        struct keys k = {NULL, NULL, false};
        struct rig r;
        uint8_t challenge[8], other[8];

        start(&r, &k, PERSO_CDA);
        rig_begin(&r);
        ck_assert_uint_eq(send_key(&r, k.icc, &good, SPAN_OF(((const uint8_t[8]){0}))),
                          0x6985); /* none yet: no try spent */
        check_tries(&r, "03");
        ck_assert_uint_eq(verify(&r, k.icc, &good), 0x9000);
        ck_assert_uint_eq(rig_send(&r, CHALLENGE), 0x9000);
        memcpy(challenge, r.answer, 8);
        ck_assert_uint_eq(send_key(&r, k.icc, &good, SPAN_OF(challenge)), 0x9000);
        ck_assert_uint_eq(send_key(&r, k.icc, &good, SPAN_OF(challenge)), 0x6985); /* replayed */
        ck_assert_uint_eq(rig_send(&r, CHALLENGE), 0x9000);
        memcpy(other, r.answer, 8);
        ck_assert_int_ne(memcmp(challenge, other, 8), 0);
        ck_assert_uint_eq(rig_send(&r, "80CA9F1700"), 0x9000); /* a command between */
        ck_assert_uint_eq(send_key(&r, k.icc, &good, SPAN_OF(other)), 0x6985);
        ck_assert_uint_eq(rig_send(&r, CHALLENGE), 0x9000);
        ck_assert_uint_eq(send_key(&r, k.icc, &good, SPAN_OF(challenge)),
                          0x63C2); /* an old one: as a wrong PIN */
        rig_end(&r);
    }
END_TEST

START_TEST(whatever_is_wrong_costs_a_try_and_tells_no_more)
    {
        static const struct envelope lines[] = {{0x7E, "241234FFFFFFFFFF", 0},
                                                {0x7F, "241234FFFFFFFFFF", 1},
                                                {0x7F, "141234FFFFFFFFFF", 0},
                                                {0x7F, "2412340000000000", 0}};
        struct keys k = {NULL, NULL, false};
        struct rig r;

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            start(&r, &k, PERSO_CDA);
            rig_begin(&r);
            ck_assert_uint_eq(verify(&r, k.icc, &lines[i]), 0x63C2);
            check_tries(&r, "02");
            rig_end(&r);
        }
        start(&r, &k, PERSO_CDA);
        rig_begin(&r);
        ck_assert_uint_eq(rig_send(&r, CHALLENGE), 0x9000);
        char hex[400] = "0020008890"; /* not below the modulus */

        for (size_t i = 0; i < 0x90; i++)
            strcat(hex, "FF");
        ck_assert_uint_eq(rig_send(&r, hex), 0x63C2);
        ck_assert_uint_eq(rig_send(&r, CHALLENGE), 0x9000);
        ck_assert_uint_eq(rig_send(&r, "0020008808 241234FFFFFFFFFF"),
                          0x6700); /* a plain block in the enciphered form: nothing was tried */
        check_tries(&r, "02");
        rig_end(&r);
    }
END_TEST

START_TEST(blocked)
    {
        struct keys k = {NULL, NULL, false};
        struct rig r;

        start(&r, &k, PERSO_CDA);
        rig_begin(&r);
        for (unsigned i = 0; i < 3; i++)
            ck_assert_uint_eq(verify(&r, k.icc, &wrong_pin), 0x63C2 - i);
        ck_assert_uint_eq(verify(&r, k.icc, &good), 0x6983);
        ck_assert_uint_eq(rig_send(&r, "0020008008 241234FFFFFFFFFF"),
                          0x6983); /* one counter for both */
        rig_end(&r);
    }
END_TEST

/* The try is on the disk before the answer: what another process reads there after each VERIFY. */
START_TEST(tries_are_durable)
    {
        char dir[64] = "/tmp/telepay-pin-XXXXXX", command[128];
        struct perso_params p;
        struct card_profile *profile;
        struct card_state state;
        struct tp_error e;
        struct rig r = {.card = NULL};
        uint8_t raw[33], modulus[EMV_RSA_MAX];
        struct buf atr = BUF_OF(raw);
        struct emv_pubkey *key;

        ck_assert_ptr_nonnull(mkdtemp(dir));
        rig_params(&p);
        ck_ok(perso_make(&profile, rig_scheme(), &p, &e));
        const struct span n = emv_pubkey_modulus(emv_privkey_public(profile->key));

        memcpy(modulus, n.p, n.n);
        UNHEX(three, "03");
        ck_ok(emv_pubkey_new(&key, span_of(modulus, n.n), three));
        ck_ok(perso_save(profile, dir, &e));
        profile_free(&profile);
        ck_ok(card_open(&r.card, dir, CARD_DURABLE, &e));
        ck_ok(card_power_on(r.card, &atr));
        rig_begin(&r);
        ck_assert_uint_eq(verify(&r, key, &wrong_pin), 0x63C2);
        ck_ok(state_peek(&state, dir, &e));
        ck_assert_uint_eq(state.pin_tries, 2);
        ck_assert_uint_eq(verify(&r, key, &good), 0x9000);
        ck_ok(state_peek(&state, dir, &e));
        ck_assert_uint_eq(state.pin_tries, 3);
        card_close(&r.card);
        emv_pubkey_free(&key);
        snprintf(command, sizeof(command), "rm -rf '%s'", dir);
        ck_assert_int_eq(system(command), 0);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("card_pin");
    TCase *t = tcase_create("card_pin");

    tcase_set_timeout(t, 120);
    tcase_add_test(t, with_the_card_s_key);
    tcase_add_test(t, with_a_key_of_its_own);
    tcase_add_test(t, a_card_without_key);
    tcase_add_test(t, a_challenge_is_good_for_one_command);
    tcase_add_test(t, whatever_is_wrong_costs_a_try_and_tells_no_more);
    tcase_add_test(t, blocked);
    tcase_add_test(t, tries_are_durable);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
