/* Issuer scripts: secure messaging (EMV 4.4 Book 2, 9), each command (Book 3, 6.5), when they are
 * taken, and what the issuer learns of them. Commands are made by the test's own issuer
 * (issuer_double.h). */
#include "apdu/emvtags.h"
#include "card_rig.h"
#include "issuer_double.h"

#include <unistd.h>

#define PIN_1234 "0020008008 241234FFFFFFFFFF"
#define PIN_9876 "0020008008 249876FFFFFFFFFF"

static const struct double_issuer keys = {.ac = {0x15, 0x4F, 0x34, 0x9D, 0x85, 0x85, 0xCB, 0x7F,
                                                 0x6B, 0x07, 0x98, 0xE9, 0x83, 0x9B, 0x10, 0xC1},
                                          .smi = {0x94, 0xF8, 0x67, 0x16, 0x7C, 0x64, 0xEF, 0x3E,
                                                  0xEA, 0xB0, 0xCB, 0x62, 0x7A, 0x7A, 0x34, 0x80},
                                          .smc = {0x19, 0x29, 0x6D, 0x4C, 0xD6, 0x26, 0x85, 0x9E,
                                                  0x8A, 0xAD, 0xDF, 0x0B, 0x2A, 0xAB, 0x8F, 0xEA}};

static void set_key(struct secret *to, const uint8_t key[16])
{
    secret_free(to);
    ck_ok(secret_copy(to, span_of(key, 16)));
}

static bool ccd(enum double_kind kind)
{
    return kind >= DOUBLE_CCD_3DES;
}

/* A card of the Common Core asks for 91, behind 8A (Book 3, 6.5.5.3 of the CCD). */
static void make_like(struct card_profile *p, const void *arg)
{
    static const enum emv_cvn cvns[] = {EMV_CVN_10, EMV_CVN_18, EMV_CCD_3DES, EMV_CCD_AES};
    const enum double_kind kind = *(const enum double_kind *)arg;

    p->cvn = cvns[kind];
    if (ccd(kind))
        rig_set_object(p, TAG_CDOL2, "8A0291089F02069F03069F1A0295055F2A029A039C019F37049F3403");
    set_key(&p->ac_key, keys.ac);
    set_key(&p->smi_key, keys.smi);
    set_key(&p->smc_key, keys.smc);
}

static void start(struct rig *r, struct double_issuer *d, enum double_kind kind)
{
    struct perso_params p;

    rig_params(&p);
    p.method = PERSO_DDA;
    p.offline_limit = 3;
    rig_start_with(r, &p, make_like, &kind);
    *d = keys;
    d->kind = kind;
}

static void go_online(struct rig *r, struct double_issuer *d)
{
    rig_begin(r);
    ck_assert_uint_eq(rig_first_ac(r, "80"), 0x9000);
    ck_hex(rig_value(r, 0x9F27), "80");
    double_start(d, rig_value(r, 0x9F36), rig_value(r, 0x9F26));
}

/* The second GENERATE AC, of a Common Core card with its issuer's cryptogram: approved, counters to
 * zero. */
static unsigned second_ac(struct rig *r, const struct double_issuer *d, const char *p1,
                          const char *arc)
{
    char auth[40] = "0000000000000000", hex[400];

    if (!ccd(d->kind))
        return rig_second_ac(r, p1, arc);
    if (strcmp(arc, RIG_ARC_00) == 0)
        double_auth_2(auth, d, "00820000");
    snprintf(hex, sizeof(hex), "80AE%s002A%s%s%s00", p1, arc, auth, RIG_CDOL2);
    return rig_send(r, hex);
}

/* The class of a command under secure messaging: Book 2, 9.2. */
static const char *head_of(const struct double_issuer *d, const char *rest, bool inter_industry)
{
    static char head[9];
    const bool core = ccd(d->kind);

    snprintf(head, sizeof(head), "%s%s",
             inter_industry ? (core ? "0C" : "04") : (core ? "8C" : "84"), rest);
    return head;
}

static unsigned script(struct rig *r, struct double_issuer *d, const char *rest, const char *plain)
{
    char hex[DOUBLE_HEX];

    double_script(hex, d, head_of(d, rest, rest[0] == 'D'), plain, false, 8);
    return rig_send(r, hex);
}

static unsigned new_pin(struct rig *r, struct double_issuer *d, const char *p2, const char *pin,
                        const char *current)
{
    char hex[DOUBLE_HEX], block[17], rest[7];

    double_pin(block, d, pin, current);
    snprintf(rest, sizeof(rest), "2400%s", p2);
    double_script(hex, d, head_of(d, rest, false), block, true, 8);
    return rig_send(r, hex);
}

static void check_tries(struct rig *r, const char *want)
{
    ck_assert_uint_eq(rig_send(r, "80CA9F1700"), 0x9000);
    ck_hex(rig_value(r, 0x9F17), want);
}

/* ---- each command, of each kind of card ---- */

START_TEST(application_block_and_unblock)
    {
        for (enum double_kind kind = 0; kind < DOUBLE_KINDS; kind++) {
            struct rig r;
            struct double_issuer d;

            start(&r, &d, kind);
            go_online(&r, &d);
            ck_assert_uint_eq(script(&r, &d, "1E0000", ""), 0x9000);
            ck_assert_uint_eq(second_ac(&r, &d, "40", RIG_ARC_00), 0x9000);
            ck_hex(rig_value(&r, 0x9F27), "00"); /* Book 3, 6.5.1: only AAC from now on */
            ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x6283);
            ck_assert_uint_eq(rig_send(&r, RIG_GPO), 0x9000);
            ck_assert_uint_eq(rig_first_ac(&r, "80"), 0x9000);
            ck_hex(rig_value(&r, 0x9F27), "00");
            /* no ARQC there: the AAC keys the command that frees the application */
            double_start(&d, rig_value(&r, 0x9F36), rig_value(&r, 0x9F26));
            ck_assert_uint_eq(script(&r, &d, "180000", ""), 0x9000);
            rig_begin(&r);
            ck_assert_uint_eq(rig_first_ac(&r, "80"), 0x9000);
            ck_hex(rig_value(&r, 0x9F27), "80");
            rig_end(&r);
        }
    }
END_TEST

START_TEST(card_block)
    {
        for (enum double_kind kind = 0; kind < DOUBLE_KINDS; kind++) {
            struct rig r;
            struct double_issuer d;
            uint8_t raw[33];
            struct buf atr = BUF_OF(raw);

            start(&r, &d, kind);
            go_online(&r, &d);
            ck_assert_uint_eq(script(&r, &d, "160000", ""), 0x9000);
            ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x6A81); /* Book 3, 6.5.3; Book 1, 12.3.2 */
            ck_ok(card_power_on(r.card, &atr));
            ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x6A81);
            ck_assert_uint_eq(rig_send(&r, "00A404000E315041592E5359532E444446303100"), 0x6A81);
            rig_end(&r);
        }
    }
END_TEST

START_TEST(pin_unblock)
    {
        for (enum double_kind kind = 0; kind < DOUBLE_KINDS; kind++) {
            struct rig r;
            struct double_issuer d;

            start(&r, &d, kind);
            rig_begin(&r);
            for (int i = 0; i < 3; i++)
                ck_assert_uint_eq(rig_send(&r, PIN_9876), 0x63C2U - (unsigned)i);
            go_online(&r, &d);
            ck_assert_uint_eq(script(&r, &d, "240000", ""), 0x9000);
            check_tries(&r, "03");
            rig_begin(&r);
            ck_assert_uint_eq(rig_send(&r, PIN_1234), 0x9000); /* the PIN is the old one */
            rig_end(&r);
        }
    }
END_TEST

START_TEST(pin_change)
    {
        for (enum double_kind kind = 0; kind < DOUBLE_KINDS; kind++) {
            struct rig r;
            struct double_issuer d;

            start(&r, &d, kind);
            rig_begin(&r);
            ck_assert_uint_eq(rig_send(&r, PIN_9876), 0x63C2);
            go_online(&r, &d);
            ck_assert_uint_eq(new_pin(&r, &d, "02", "9876", NULL), 0x9000);
            check_tries(&r, "03");
            rig_begin(&r);
            ck_assert_uint_eq(rig_send(&r, PIN_1234), 0x63C2);
            ck_assert_uint_eq(rig_send(&r, PIN_9876), 0x9000);
            go_online(&r, &d); /* P2 01: the block of CVN 10 and 18 holds the current PIN too */
            ck_assert_uint_eq(new_pin(&r, &d, "01", "123456", "9876"), 0x9000);
            rig_begin(&r);
            ck_assert_uint_eq(rig_send(&r, PIN_9876), 0x63C2);
            ck_assert_uint_eq(rig_send(&r, "0020008008 26123456FFFFFFFF"), 0x9000);
            rig_end(&r);
        }
    }
END_TEST

/* VIS: with another current PIN than the card's, the block holds no digits. */
START_TEST(pin_change_by_one_who_does_not_know_the_pin)
    {
        struct rig r;
        struct double_issuer d;

        start(&r, &d, DOUBLE_CVN_18);
        go_online(&r, &d);
        ck_assert_uint_eq(new_pin(&r, &d, "01", "9876", "77777"), 0x6A80);
        ck_assert_uint_eq(new_pin(&r, &d, "03", "9876", NULL), 0x6A86);
        rig_begin(&r);
        ck_assert_uint_eq(rig_send(&r, PIN_1234), 0x9000);
        rig_end(&r);
    }
END_TEST

START_TEST(put_data)
    {
        static const struct {
            const char *rest, *plain, *answer;
        } lines[] = {{"DA9F58", "02", "9F580102"},
                     {"DA9F59", "05", "9F590105"},
                     {"DA9F54", "000000002500", "9F5406000000002500"},
                     {"DA9F5C", "000000009900", "9F5C06000000009900"}};

        for (enum double_kind kind = 0; kind < DOUBLE_KINDS; kind++) {
            struct rig r;
            struct double_issuer d;

            start(&r, &d, kind);
            go_online(&r, &d);
            for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
                char get[16];

                ck_assert_uint_eq(script(&r, &d, lines[i].rest, lines[i].plain), 0x9000);
                snprintf(get, sizeof(get), "80CA%s00", lines[i].rest + 2);
                ck_assert_uint_eq(rig_send(&r, get), 0x9000);
                ck_hex(rig_answer(&r), lines[i].answer);
            }
            ck_assert_uint_eq(script(&r, &d, "DA9F36", "0001"),
                              0x6A88); /* the counter is not the issuer's to set */
            ck_assert_uint_eq(second_ac(&r, &d, "40", RIG_ARC_00), 0x9000);
            for (int i = 0; i < 3; i++) { /* two TCs are within the new limits, the third is not */
                rig_begin(&r);
                ck_assert_uint_eq(rig_first_ac(&r, "40"), 0x9000);
                /* the refused command sends the first one online: it has the second cryptogram
                 * count as offline */
                if (i == 0)
                    ck_assert_uint_eq(second_ac(&r, &d, "40", RIG_ARC_Y3), 0x9000);
            }
            ck_hex(rig_value(&r, 0x9F27), "80");
            rig_end(&r);
        }
    }
END_TEST

START_TEST(update_record)
    {
        for (enum double_kind kind = 0; kind < DOUBLE_KINDS; kind++) {
            struct rig r;
            struct double_issuer d;

            start(&r, &d, kind);
            go_online(&r, &d);
            ck_assert_uint_eq(script(&r, &d, "DC010C", "700A5F20074E45572F4E414D"),
                              0x9000); /* record 1 of file 1 */
            ck_assert_uint_eq(rig_send(&r, "00B2010C00"), 0x9000);
            ck_hex(rig_answer(&r), "700A5F20074E45572F4E414D");
            ck_assert_uint_eq(script(&r, &d, "DC090C", "70025000"), 0x6A83); /* there is none */
            ck_assert_uint_eq(script(&r, &d, "DC015C", "70025000"),
                              0x6A83); /* the log is the card's own */
            ck_assert_uint_eq(script(&r, &d, "DC0114", "70025000"),
                              0x6A80); /* a card without CDOLs, PAN and expiry is none */
            ck_assert_uint_eq(script(&r, &d, "DC0109", "70025000"), 0x6A86);
            rig_begin(&r);
            ck_assert_uint_eq(rig_send(&r, "00B2010C00"), 0x9000);
            ck_hex(rig_answer(&r), "700A5F20074E45572F4E414D");
            ck_assert_uint_eq(rig_send(&r, "00B2011400"), 0x9000); /* as it was */
            ck_assert_uint_eq(rig_value(&r, TAG_PAN).n, 8);
            rig_end(&r);
        }
    }
END_TEST

/* The card itself follows a new CDOL1: here the amount alone. */
START_TEST(update_of_what_the_card_works_with)
    {
        struct rig r;
        struct double_issuer d;
        char hex[2 * 254 + 1];
        uint8_t body_raw[254], whole_raw[254];
        struct buf body = BUF_OF(body_raw), whole = BUF_OF(whole_raw);
        struct tlv template, object;

        start(&r, &d, DOUBLE_CCD_AES);
        go_online(&r, &d);
        ck_assert_uint_eq(rig_send(&r, "00B2021400"), 0x9000);
        struct span in = rig_answer(&r);

        UNHEX(cdol1, "9F0206");
        ck_ok(tlv_next(&in, &template));
        while (tlv_next(&template.value, &object) == TP_OK)
            ck_ok(tlv_put(&body, object.tag, object.tag == TAG_CDOL1 ? cdol1 : object.value));
        ck_ok(tlv_put(&whole, 0x70, buf_span(&body)));
        ck_assert_uint_eq(script(&r, &d, "DC0214", hex_encode(hex, buf_span(&whole))), 0x9000);
        rig_begin(&r);
        ck_assert_uint_eq(rig_first_ac(&r, "80"), 0x6700);
        ck_assert_uint_eq(rig_send(&r, "80AE800006 000000001250 00"), 0x9000);
        rig_end(&r);
    }
END_TEST

/* Nor does a card of the Common Core take a DDOL of more than the unpredictable number (Book
 * 2, 6.5.1 of the CCD); others do. */
START_TEST(update_of_a_ddol)
    {
        static const enum double_kind kinds[] = {DOUBLE_CVN_18, DOUBLE_CCD_3DES};

        for (size_t k = 0; k < 2; k++) {
            struct rig r;
            struct double_issuer d;
            struct tlv template, object;
            struct span in, ddol;
            uint8_t raw[PROFILE_RECORD_MAX], whole_raw[PROFILE_RECORD_MAX];
            char hex[2 * PROFILE_RECORD_MAX + 1];
            struct buf body = BUF_OF(raw), whole = BUF_OF(whole_raw);
            UNHEX(more, "9F37049A03");

            start(&r, &d, kinds[k]);
            go_online(&r, &d);
            ck_assert_uint_eq(rig_send(&r, "00B2021400"), 0x9000);
            in = rig_answer(&r);
            ck_ok(tlv_next(&in, &template));
            while (tlv_next(&template.value, &object) == TP_OK) {
                ddol = object.tag == TAG_DDOL ? more : object.value;
                ck_ok(tlv_put(&body, object.tag, ddol));
            }
            ck_ok(tlv_put(&whole, 0x70, buf_span(&body)));
            ck_assert_uint_eq(script(&r, &d, "DC0214", hex_encode(hex, buf_span(&whole))),
                              k == 0 ? 0x9000 : 0x6A80);
            rig_end(&r);
        }
    }
END_TEST

/* ---- secure messaging ---- */

START_TEST(macs_of_four_to_eight_bytes)
    {
        for (enum double_kind kind = 0; kind < DOUBLE_KINDS; kind++)
            for (size_t n = 3; n <= 8; n++) {
                struct rig r;
                struct double_issuer d;
                char hex[DOUBLE_HEX];

                start(&r, &d, kind);
                go_online(&r, &d);
                double_script(hex, &d, head_of(&d, "240000", false), "", false, n);
                if (n < 4)
                    ck_assert_uint_eq(rig_send(&r, hex), kind < DOUBLE_CCD_3DES ? 0x6987 : 0x6988);
                else
                    ck_assert_uint_eq(rig_send(&r, hex), 0x9000);
                rig_end(&r);
            }
    }
END_TEST

/* Each bit of a command, header and data and MAC, is under the MAC; and nothing happens. */
START_TEST(any_bit_changed)
    {
        static const enum double_kind kinds[] = {DOUBLE_CVN_18, DOUBLE_CCD_3DES, DOUBLE_CCD_AES};

        for (size_t k = 0; k < 3; k++) {
            struct rig r;
            struct double_issuer d;
            char hex[DOUBLE_HEX];

            start(&r, &d, kinds[k]);
            go_online(&r, &d);
            double_script(hex, &d, head_of(&d, "DA9F54", true), "000000777700", false, 8);
            const size_t n = strlen(hex) / 2;

            for (size_t bit = 0; bit < 8 * n; bit++) {
                uint8_t raw[300];
                char changed[DOUBLE_HEX];
                struct buf b = BUF_OF(raw);

                ck_ok(hex_decode(&b, hex));
                raw[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
                if (bit / 8 == 1) /* another command altogether */
                    continue;
                go_online(&r, &d);
                ck_assert_uint_ne(rig_send(&r, hex_encode(changed, buf_span(&b))), 0x9000);
                ck_assert_uint_eq(rig_send(&r, "80CA9F5400"), 0x9000);
                ck_hex(rig_answer(&r), "9F5406000000000000");
            }
            rig_end(&r);
        }
    }
END_TEST

START_TEST(a_wrong_mac_ends_the_scripts_of_a_transaction)
    {
        for (enum double_kind kind = 0; kind < DOUBLE_KINDS; kind++) {
            const bool core = ccd(kind);
            struct rig r;
            struct double_issuer d;

            start(&r, &d, kind);
            go_online(&r, &d);
            ck_assert_uint_eq(rig_send(&r, core ? "8C2400000A8E080000000000000000"
                                                : "84240000080000000000000000"),
                              0x6988);
            ck_assert_uint_eq(script(&r, &d, "240000", ""), 0x6988);
            go_online(&r, &d);
            /* CVR: script failed (VIS byte 4, b4; CCD byte 4, b4); none done */
            ck_hex(span_of(rig_value(&r, 0x9F10).p + 6, 1), core ? "08" : "09");
            ck_assert_uint_eq(script(&r, &d, "240000", ""),
                              0x9000); /* a new transaction, new keys */
            rig_end(&r);
        }
    }
END_TEST

/* A command recorded in one transaction is nothing in the next; nor twice in one of the Common Core
 * (chaining). */
START_TEST(replayed_commands)
    {
        for (enum double_kind kind = 0; kind < DOUBLE_KINDS; kind++) {
            struct rig r;
            struct double_issuer d;
            char hex[DOUBLE_HEX];

            start(&r, &d, kind);
            go_online(&r, &d);
            double_script(hex, &d, head_of(&d, "DA9F58", true), "07", false, 8);
            ck_assert_uint_eq(rig_send(&r, hex), 0x9000);
            if (kind >= DOUBLE_CCD_3DES)
                ck_assert_uint_eq(rig_send(&r, hex), 0x6988);
            go_online(&r, &d);
            ck_assert_uint_eq(rig_send(&r, hex), 0x6988);
            rig_end(&r);
        }
    }
END_TEST

/* A command that the card refuses has a right MAC, which the next one's MAC goes on from (Book
 * 2, 9.2.3.1); also of the kinds without a chain the next is taken. */
START_TEST(a_refused_command_is_in_the_chain)
    {
        static const struct {
            const char *rest, *plain;
            unsigned sw;
        } lines[] = {{"1E0100", "", 0x6A86},         {"180001", "", 0x6A86},
                     {"160100", "", 0x6A86},         {"240100", "", 0x6A86},
                     {"DA9F36", "0001", 0x6A88},     {"DC0109", "7000", 0x6A86},
                     {"DC0004", "7000", 0x6A86},     {"DC090C", "7000", 0x6A83},
                     {"240000", "55", 0x6700},       {"DA9F58", "0203", 0x6700},
                     {"DA9F54", "00000000", 0x6700}, {"DA9F54", "0000000000AA", 0x6A80}};

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
            for (enum double_kind kind = 0; kind < DOUBLE_KINDS; kind++) {
                struct rig r;
                struct double_issuer d;
                unsigned sw;

                if (kind < DOUBLE_CCD_3DES &&
                    lines[i].sw ==
                        0x6700) /* format 2: another length has its MAC at another place */
                    continue;
                start(&r, &d, kind);
                go_online(&r, &d);
                sw = script(&r, &d, lines[i].rest, lines[i].plain);
                ck_assert_msg(sw == lines[i].sw, "%s gives %04X to kind %d", lines[i].rest, sw,
                              kind);
                sw = script(&r, &d, "DA9F58", "07");
                ck_assert_msg(sw == 0x9000, "behind %s the card of kind %d answers %04X",
                              lines[i].rest, kind, sw);
                rig_end(&r);
            }
    }
END_TEST

/* Nor is a command without a right MAC told what else is wrong with it. */
START_TEST(the_mac_is_looked_at_first)
    {
        static const char *const lines[] = {
            "8C1E01000A8E080000000000000000", "8C2401000A8E080000000000000000",
            "8CDA9F360A8E080000000000000000", "0CDC01090A8E080000000000000000"};

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            struct rig r;
            struct double_issuer d;

            start(&r, &d, DOUBLE_CCD_3DES);
            go_online(&r, &d);
            ck_assert_msg(rig_send(&r, lines[i]) == 0x6988, "%s gives %04X", lines[i], r.sw);
            rig_end(&r);
        }
    }
END_TEST

START_TEST(objects_of_format_1)
    {
        static const struct {
            const char *command;
            unsigned sw;
        } lines[] = {{"84240000080000000000000000", 0x6987},       /* format 2 is not this card's */
                     {"8C240000", 0x6987},                         /* no MAC */
                     {"8CDA9F58038101 05", 0x6987},                /* data alone */
                     {"8C2400000A8F080000000000000000", 0x6987},   /* another object */
                     {"8C2400000B8E08000000000000000000", 0x6988}, /* something behind */
                     {"8C240002 0D 8101008E080000000000000000", 0x6988}, /* a PIN in the clear */
                     {"8C240002 0D 8701028E080000000000000000", 0x6988}, /* unknown padding */
                     {"0C2400000A8E080000000000000000",
                      0x6E00}}; /* EMV's own command in the class of ISO's */

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            struct rig r;
            struct double_issuer d;

            start(&r, &d, DOUBLE_CCD_AES);
            go_online(&r, &d);
            ck_assert_msg(rig_send(&r, lines[i].command) == lines[i].sw, "%s gives %04X",
                          lines[i].command, r.sw);
            rig_end(&r);
        }
    }
END_TEST

/* ---- when ---- */

START_TEST(only_after_an_arqc)
    {
        struct rig r;
        struct double_issuer d;
        char hex[DOUBLE_HEX];

        start(&r, &d, DOUBLE_CVN_18);
        double_start(&d, SPAN_OF(d.atc), SPAN_OF(d.arqc));
        double_script(hex, &d, "84240000", "", false, 8);
        ck_assert_uint_eq(rig_send(&r, hex), 0x6985);
        ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x9000);
        ck_assert_uint_eq(rig_send(&r, hex), 0x6985);
        ck_assert_uint_eq(rig_send(&r, RIG_GPO), 0x9000);
        ck_assert_uint_eq(rig_send(&r, hex), 0x6985);
        ck_assert_uint_eq(rig_first_ac(&r, "40"), 0x9000);
        double_start(&d, rig_value(&r, 0x9F36),
                     rig_value(&r, 0x9F26)); /* rightly keyed, but no issuer was asked */
        ck_assert_uint_eq(script(&r, &d, "240000", ""), 0x6985);
        rig_begin(&r);
        ck_assert_uint_eq(rig_first_ac(&r, "80"), 0x9000);
        ck_hex(span_of(rig_value(&r, 0x9F10).p + 6, 1),
               "01"); /* such an attempt is not the issuer's: no failure is told */
        rig_end(&r);
    }
END_TEST

/* 71 before the second GENERATE AC, 72 after it: the same keys, one chain; the issuer learns the
 * number in the next ARQC, and it starts again. */
START_TEST(before_and_after_the_second_cryptogram)
    {
        for (enum double_kind kind = 0; kind < DOUBLE_KINDS; kind++) {
            const bool core = ccd(kind);
            struct rig r;
            struct double_issuer d;

            start(&r, &d, kind);
            go_online(&r, &d);
            ck_assert_uint_eq(script(&r, &d, "240000", ""), 0x9000);
            ck_assert_uint_eq(second_ac(&r, &d, "40", RIG_ARC_00), 0x9000);
            ck_hex(rig_value(&r, 0x9F27), "40");
            ck_hex(span_of(rig_value(&r, 0x9F10).p + 6, 1), core ? "10" : "11"); /* one */
            ck_assert_uint_eq(script(&r, &d, "DA9F58", "07"), 0x9000);
            ck_assert_uint_eq(script(&r, &d, "DA9F59", "09"), 0x9000);
            go_online(&r, &d);
            ck_hex(span_of(rig_value(&r, 0x9F10).p + 6, 1), core ? "30" : "31"); /* three */
            ck_assert_uint_eq(second_ac(&r, &d, "40", RIG_ARC_00), 0x9000);
            go_online(&r, &d);
            ck_hex(span_of(rig_value(&r, 0x9F10).p + 6, 1),
                   core ? "00" : "01"); /* told: none since */
            rig_end(&r);
        }
    }
END_TEST

/* ---- blocked by wrong PINs ---- */

static void block_on_tries(struct card_profile *p, const void *arg)
{
    make_like(p, arg);
    p->block_on_tries = true;
}

START_TEST(the_last_wrong_pin_blocks_the_application)
    {
        const enum double_kind kind = DOUBLE_CVN_18;
        struct rig r;
        struct double_issuer d = keys;
        struct perso_params p;

        rig_params(&p);
        p.method = PERSO_DDA;
        rig_start_with(&r, &p, block_on_tries, &kind);
        d.kind = kind;
        rig_begin(&r);
        for (int i = 0; i < 3; i++)
            (void)rig_send(&r, PIN_9876);
        ck_assert_uint_eq(r.sw, 0x63C0);
        ck_assert_uint_eq(rig_first_ac(&r, "80"), 0x9000);
        ck_hex(rig_value(&r, 0x9F27), "00");
        ck_hex(rig_value(&r, 0x9F10),
               "06011203865200"); /* tries exceeded, new card, blocked because of it */
        double_start(&d, rig_value(&r, 0x9F36), rig_value(&r, 0x9F26));
        ck_assert_uint_eq(script(&r, &d, "240000", ""), 0x9000);
        ck_assert_uint_eq(script(&r, &d, "180000", ""), 0x9000);
        rig_begin(&r);
        ck_assert_uint_eq(rig_send(&r, PIN_1234), 0x9000);
        ck_assert_uint_eq(rig_first_ac(&r, "80"), 0x9000);
        ck_hex(rig_value(&r, 0x9F27), "80");
        rig_end(&r);
    }
END_TEST

/* ---- durable ---- */

static void open_folder(struct rig *r, const char *dir)
{
    struct tp_error e = {TP_OK, ""};
    uint8_t raw[33];
    struct buf atr = BUF_OF(raw);

    card_close(&r->card);
    ck_assert_msg(card_open(&r->card, dir, CARD_DURABLE, &e) == TP_OK, "%s", e.text);
    ck_ok(card_power_on(r->card, &atr));
}

/* After each command the process ends as it is; what another one opens has all of them. */
START_TEST(what_the_issuer_changed_is_in_the_folder)
    {
        char dir[64] = "/tmp/telepay-script-XXXXXX", command[128];
        const enum double_kind kind = DOUBLE_CCD_AES;
        struct double_issuer d = keys;
        struct card_profile *profile;
        struct perso_params p;
        struct tp_error e;
        struct rig r = {.card = NULL};

        ck_assert_ptr_nonnull(mkdtemp(dir));
        rig_params(&p);
        p.method = PERSO_DDA;
        ck_ok(perso_make(&profile, rig_scheme(), &p, &e));
        make_like(profile, &kind);
        ck_ok(perso_save(profile, dir, &e));
        profile_free(&profile);
        d.kind = kind;
        open_folder(&r, dir);
        go_online(&r, &d);
        ck_assert_uint_eq(new_pin(&r, &d, "02", "9876", NULL), 0x9000);
        open_folder(&r, dir);
        go_online(&r, &d);
        ck_hex(span_of(rig_value(&r, 0x9F10).p + 6, 1), "10"); /* and the number of them */
        ck_assert_uint_eq(script(&r, &d, "DA9F58", "07"), 0x9000);
        open_folder(&r, dir);
        go_online(&r, &d);
        ck_assert_uint_eq(script(&r, &d, "DC010C", "700A5F20074E45572F4E414D"), 0x9000);
        open_folder(&r, dir);
        rig_begin(&r);
        ck_assert_uint_eq(rig_send(&r, PIN_1234), 0x63C2);
        ck_assert_uint_eq(rig_send(&r, PIN_9876), 0x9000);
        ck_assert_uint_eq(rig_send(&r, "80CA9F5800"), 0x9000);
        ck_hex(rig_answer(&r), "9F580107");
        ck_assert_uint_eq(rig_send(&r, "00B2010C00"), 0x9000);
        ck_hex(rig_answer(&r), "700A5F20074E45572F4E414D");
        go_online(&r, &d);
        ck_hex(span_of(rig_value(&r, 0x9F10).p + 6, 1), "30");
        ck_assert_uint_eq(script(&r, &d, "160000", ""), 0x9000);
        open_folder(&r, dir);
        ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x6A81);
        card_close(&r.card);
        snprintf(command, sizeof(command), "rm -rf '%s'", dir);
        ck_assert_int_eq(system(command), 0);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("card_script");
    TCase *t = tcase_create("card_script");

    tcase_set_timeout(t, 120);
    tcase_add_test(t, application_block_and_unblock);
    tcase_add_test(t, card_block);
    tcase_add_test(t, pin_unblock);
    tcase_add_test(t, pin_change);
    tcase_add_test(t, pin_change_by_one_who_does_not_know_the_pin);
    tcase_add_test(t, put_data);
    tcase_add_test(t, update_record);
    tcase_add_test(t, update_of_what_the_card_works_with);
    tcase_add_test(t, update_of_a_ddol);
    tcase_add_test(t, macs_of_four_to_eight_bytes);
    tcase_add_test(t, any_bit_changed);
    tcase_add_test(t, a_wrong_mac_ends_the_scripts_of_a_transaction);
    tcase_add_test(t, replayed_commands);
    tcase_add_test(t, a_refused_command_is_in_the_chain);
    tcase_add_test(t, the_mac_is_looked_at_first);
    tcase_add_test(t, objects_of_format_1);
    tcase_add_test(t, only_after_an_arqc);
    tcase_add_test(t, before_and_after_the_second_cryptogram);
    tcase_add_test(t, the_last_wrong_pin_blocks_the_application);
    tcase_add_test(t, what_the_issuer_changed_is_in_the_folder);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
