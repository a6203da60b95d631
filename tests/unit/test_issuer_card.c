/* The issuer's server and the card of simcard/, which share no more than crypto/: the card's
 * cryptogram is right for the issuer, the issuer's ARPC and scripts are right for the card, for
 * each kind of card and both ways to authenticate an issuer (EMV 4.4 Book 3, 10.9 and 10.11). The
 * terminal is APDUs by hand. */
#include "card_rig.h"

#include <stdio.h>

#include "apdu/emvtags.h"
#include "bank.h"

static struct bank bank;
static struct link_client *client;
static struct bank_card card; /* its number and counter alone: it signs for itself */
static struct bank_terms terms;
static struct bank_request request;
static struct bank_answer answer;
static struct rig rig;

static void setup_kind(enum emv_cvn cvn, enum perso_issuer way)
{
    struct perso_params p;
    struct tp_error e;
    char dir[] = "/tmp/scheme.XXXXXX", at[64], command[96];

    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(at, sizeof(at), "%s/s", dir);
    ck_assert_msg(scheme_save(rig_scheme(), at, &e) == TP_OK, "%s", e.text);
    bank_make_of(&bank, at);
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    ck_assert_int_eq(system(command), 0);
    rig_params(&p);
    p.cvn = cvn;
    p.issuer = way;
    p.issuer_mandatory = true;
    rig_start(&rig, &p);
    memset(&card, 0, sizeof(card));
    snprintf(card.pan, sizeof(card.pan), "%s", RIG_PAN);
    card.psn = p.psn;
    card.cvn = cvn;
    bank_add(&bank, card.pan, card.psn, cvn, 0, 3000);
    bank_start(&bank, 1);
    client = bank_connect(&bank, BANK_ACQUIRER);
}

static void teardown_kind(void)
{
    link_close(&client);
    bank_stop(&bank);
    rig_end(&rig);
    bank_remove(&bank);
}

/* SELECT, GPO, VERIFY, GENERATE AC for an ARQC; the question and its answer. */
static void ask(const char *verify)
{
    static uint8_t room[512], aip[2];
    static const uint32_t of_card[] = {TAG_CID, TAG_ATC, TAG_AC, TAG_IAD};
    struct buf de55 = BUF_OF(room);
    struct tp_error e;
    /* the values of RIG_CDOL1 that the cryptogram covers, and the CVM results */
    UNHEX(given, "9F0206000000001250 9F0306000000000000 9F1A020250 95050000000000 5F2A020978 "
                 "9A03261123 9C0100 9F370411223344 9F3403410302");

    ck_assert_uint_eq(rig_send(&rig, RIG_SELECT), 0x9000);
    ck_assert_uint_eq(rig_send(&rig, RIG_GPO), 0x9000);
    memcpy(aip, rig_value(&rig, TAG_AIP).p, 2);
    ck_assert_uint_eq(rig_send(&rig, verify), 0x9000);
    ck_assert_uint_eq(rig_first_ac(&rig, "80"), 0x9000);
    ck_ok(buf_put(&de55, given));
    ck_ok(tlv_put(&de55, TAG_AIP, SPAN_OF(aip)));
    for (size_t i = 0; i < 4; i++)
        ck_ok(tlv_put(&de55, of_card[i], rig_value(&rig, of_card[i])));
    bank_usual(&terms, &card);
    terms.mmdd = 1123;
    bank_message(&request, &terms, buf_span(&de55));
    ck_assert_msg(bank_exchange(&answer, client, &request.message, &e) == TP_OK, "%s", e.text);
}

static struct tlv of_answer(uint32_t tag)
{
    struct tlv t;

    ck_assert_msg(tlv_find(span_of(answer.de55, answer.de55_n), tag, &t) == TP_OK,
                  "no %X in the answer", (unsigned)tag);
    return t;
}

/* The issuer's word to the card, then the second GENERATE AC. Returns the card's CID. */
static uint8_t end(enum perso_issuer way, const char *p1)
{
    char auth[40], arc[8], hex[400];

    hex_encode(auth, of_answer(TAG_ISSUER_AUTH_DATA).value);
    hex_encode(arc, of_answer(TAG_ARC).value);
    if (way == PERSO_ISSUER_EXTERNAL) {
        snprintf(hex, sizeof(hex), "00820000%02X%s", (unsigned)strlen(auth) / 2, auth);
        ck_assert_uint_eq(rig_send(&rig, hex), 0x9000);
        auth[0] = '\0';
    }
    if (way == PERSO_ISSUER_EXTERNAL)
        ck_assert_uint_eq(rig_second_ac(&rig, p1, arc), 0x9000);
    else {
        snprintf(hex, sizeof(hex), "80AE%s00%02X%s%s%s00", p1, (unsigned)(34 + strlen(auth) / 2),
                 arc, RIG_CDOL2, auth);
        ck_assert_uint_eq(rig_send(&rig, hex), 0x9000);
    }
    return rig_value(&rig, TAG_CID).p[0];
}

static void run_script(void)
{
    char hex[600];
    struct tlv command;

    ck_ok(tlv_find(of_answer(TAG_SCRIPT_72).value, TAG_SCRIPT_COMMAND, &command));
    hex_encode(hex, command.value);
    ck_assert_uint_eq(rig_send(&rig, hex), 0x9000);
}

static const struct {
    enum emv_cvn cvn;
    enum perso_issuer way;
} kinds[] = {{EMV_CVN_10, PERSO_ISSUER_EXTERNAL}, {EMV_CVN_10, PERSO_ISSUER_CDOL2},
             {EMV_CVN_18, PERSO_ISSUER_EXTERNAL}, {EMV_CVN_18, PERSO_ISSUER_CDOL2},
             {EMV_CCD_3DES, PERSO_ISSUER_CDOL2},  {EMV_CCD_AES, PERSO_ISSUER_CDOL2}};

START_TEST(approved_with_a_new_pin_then_refused)
    {
        const enum perso_issuer way = kinds[_i].way;
        struct script s;

        setup_kind(kinds[_i].cvn, way);
        const uint32_t id =
            bank_queue(&bank, &card, "change-pin", (const uint8_t[]){0x80, 0x24, 0x00, 0x02},
                       "4711", true, 0x72);

        ask("0020008008241234FFFFFFFFFF");
        ck_assert_str_eq(answer.code, "00");
        ck_assert_uint_eq(end(way, "40"), 0x40); /* the card knows its issuer, else it would not */
        run_script();
        bank_script(&bank, id, &s);
        ck_assert_int_eq(s.state, SCRIPT_DELIVERED);
        ask("0020008008244711FFFFFFFFFF"); /* the new PIN */
        ck_assert_str_eq(answer.code, "00");
        ck_assert_uint_eq(end(way, "40"), 0x40);
        bank_script(&bank, id, &s);
        ck_assert_int_eq(s.state, SCRIPT_DONE); /* as the CVR said */
        ask("0020008008244711FFFFFFFFFF");      /* 30.00 less twice 12.50: not enough */
        ck_assert_str_eq(answer.code, "51");
        ck_assert_uint_eq(end(way, "00"), 0x00);
        teardown_kind();
    }
END_TEST

START_TEST(every_script_is_taken)
    {
        static const struct {
            const char *what;
            uint8_t head[4];
            const char *data;
        } scripts[] = {{"unblock-pin", {0x80, 0x24, 0, 0}, NULL},
                       {"put-data", {0x00, 0xDA, 0x9F, 0x58}, "\x07"},
                       {"block-application", {0x80, 0x1E, 0, 0}, NULL},
                       {"unblock-application", {0x80, 0x18, 0, 0}, NULL},
                       {"block-card", {0x80, 0x16, 0, 0}, NULL}};

        setup_kind(kinds[_i].cvn, kinds[_i].way);
        for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
            (void)bank_queue(&bank, &card, scripts[i].what, scripts[i].head, scripts[i].data, false,
                             0x72);
        ask("0020008008241234FFFFFFFFFF");
        ck_assert_str_eq(answer.code, "00");
        ck_assert_uint_eq(end(kinds[_i].way, "40"), 0x40);
        struct span in = of_answer(TAG_SCRIPT_72).value;
        struct tlv t;
        size_t run = 0;

        while (tlv_next(&in, &t) == TP_OK) { /* all in one template: Book 3, 10.10 */
            char hex[600];

            if (t.tag != TAG_SCRIPT_COMMAND)
                continue;
            hex_encode(hex, t.value);
            ck_assert_msg(rig_send(&rig, hex) == 0x9000, "%s: %04X", scripts[run].what, rig.sw);
            run++;
        }
        ck_assert_uint_eq(run, sizeof(scripts) / sizeof(scripts[0]));
        teardown_kind();
    }
END_TEST

static void make_scheme(void) /* once, before the tests are forked */
{
    (void)rig_scheme();
}

static Suite *suite(void)
{
    Suite *s = suite_create("issuer and card");
    TCase *t = tcase_create("issuer and card");

    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, make_scheme, NULL);
    tcase_add_loop_test(t, approved_with_a_new_pin_then_refused, 0,
                        sizeof(kinds) / sizeof(kinds[0]));
    tcase_add_loop_test(t, every_script_is_taken, 0, sizeof(kinds) / sizeof(kinds[0]));
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
