/* The card and its issuer: cryptograms of all four kinds of card, ARPC in both places and of both
 * methods, card status update; held against an issuer of the test's own (issuer_double.h). EMV 4.4
 * Book 2, 8; Book 3, 6.5.4, 10.9, 10.11, Annex C. */
#include <jansson.h>

#include "apdu/emvtags.h"
#include "card_rig.h"
#include "issuer_double.h"

/* ---- the double, against vectors ---- */

static const char *text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));

    ck_assert_msg(text != NULL, "the vectors have no %s", name);
    return text;
}

static void take_hex(uint8_t *out, size_t n, const char *text)
{
    struct buf b = {out, 0, n};

    ck_ok(hex_decode(&b, text));
    ck_assert_uint_eq(b.n, n);
}

static void check_case(const json_t *c)
{
    static const char *const kinds[] = {"10", "18", "ccd-3des", "ccd-aes"};
    struct double_issuer d = {.kind = DOUBLE_CVN_10};
    const json_t *master = json_object_get(c, "master"), *script;
    uint8_t atc[2], want_ac[8], raw[128], got[8];
    struct buf data = BUF_OF(raw);
    char hex[DOUBLE_HEX], want[DOUBLE_HEX];
    size_t i;

    while (strcmp(kinds[d.kind], text_of(c, "kind")) != 0)
        d.kind++;
    take_hex(d.ac, 16, text_of(master, "ac"));
    take_hex(d.smi, 16, text_of(master, "smi"));
    take_hex(d.smc, 16, text_of(master, "smc"));
    take_hex(atc, 2, text_of(c, "atc"));
    take_hex(want_ac, 8, text_of(c, "ac"));
    double_start(&d, SPAN_OF(atc), SPAN_OF(want_ac));
    ck_ok(hex_decode(&data, text_of(c, "data")));
    double_ac(got, &d, buf_span(&data));
    ck_hex(SPAN_OF(got), text_of(c, "ac"));
    take_hex(atc, 2, text_of(c, "arc"));
    double_arpc_1(got, &d, (const char[]){(char)atc[0], (char)atc[1], '\0'});
    ck_hex(SPAN_OF(got), text_of(c, "arpc_1"));
    snprintf(hex, sizeof(hex), "%s%s", text_of(c, "csu"), text_of(c, "proprietary"));
    double_auth_2(want, &d, hex);
    want[8] = '\0';
    ck_assert_str_eq(want, text_of(c, "arpc_2"));
    json_array_foreach(json_object_get(c, "scripts"), i, script)
    {
        const char *command = text_of(script, "command"), *plain = text_of(script, "plain");
        char head[9];

        snprintf(head, sizeof(head), "%.8s", command);
        if (strcmp(text_of(script, "name"), "pin change") == 0) {
            double_pin(hex, &d, "9999", NULL);
            ck_assert_str_eq(hex, plain);
        }
        double_script(hex, &d, head, plain, json_is_true(json_object_get(script, "encipher")),
                      d.kind < DOUBLE_CCD_3DES ? 8 : 4);
        ck_assert_str_eq(hex, command);
    }
}

START_TEST(the_double_gives_what_python_and_public_vectors_say)
    {
        char path[512];
        json_error_t why;
        json_t *all, *one;
        size_t i;

        snprintf(path, sizeof(path), "%s/vectors/cryptograms-computed.json",
                 getenv("TESTS_SRCDIR"));
        all = json_load_file(path, 0, &why);
        ck_assert_msg(all != NULL, "%s: %s", path, why.text);
        ck_assert_uint_ge(json_array_size(json_object_get(all, "cases")), 7);
        json_array_foreach(json_object_get(all, "cases"), i, one) check_case(one);
        json_decref(all);
    }
END_TEST

/* ---- cards ---- */

struct how {
    enum double_kind kind;
    uint8_t arpc;
    bool by_command, mandatory;
    const char *cdol2; /* of the field 91 in CDOL2, its length in hex; NULL: none */
};

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

static void make_like(struct card_profile *p, const void *arg)
{
    static const enum emv_cvn cvns[] = {EMV_CVN_10, EMV_CVN_18, EMV_CCD_3DES, EMV_CCD_AES};
    const struct how *how = arg;
    char cdol2[200];

    p->cvn = cvns[how->kind];
    p->arpc = how->arpc;
    p->issuer_mandatory = how->mandatory;
    p->aip[0] |= how->by_command ? 0x04 : 0;
    set_key(&p->ac_key, keys.ac);
    set_key(&p->smi_key, keys.smi);
    set_key(&p->smc_key, keys.smc);
    snprintf(cdol2, sizeof(cdol2), "8A02%s%s9F02069F03069F1A0295055F2A029A039C019F37049F3403",
             how->cdol2 != NULL ? "91" : "", how->cdol2 != NULL ? how->cdol2 : "");
    rig_set_object(p, TAG_CDOL2, cdol2);
}

static void start(struct rig *r, struct double_issuer *d, const struct how *how)
{
    struct perso_params p;

    rig_params(&p);
    p.method = PERSO_DDA; /* the cryptogram stands beside, not in a signature */
    p.offline_limit = 9;
    p.offline_maximum = 20;
    rig_start_with(r, &p, make_like, how);
    *d = keys;
    d->kind = how->kind;
}

/* The cryptogram of the last answer, worked out again: Book 2, 8.1.1. */
static void check_ac(const struct rig *r, const struct double_issuer *d, const struct how *how)
{
    const struct span iad = rig_value(r, 0x9F10), atc = rig_value(r, 0x9F36);
    uint8_t raw[128], want[8];
    struct buf data = BUF_OF(raw);
    char text[17];

    ck_ok(hex_decode(&data, "000000001250 000000000000 0250 0000000000 0978 261123 00 " RIG_UN));
    ck_ok(hex_decode(&data, how->by_command ? "3C00" : "3800"));
    ck_ok(buf_put(&data, atc));
    ck_ok(buf_put(&data, d->kind == DOUBLE_CVN_10 ? span_of(iad.p + 3, 4) : iad));
    double_ac(want, d, buf_span(&data));
    ck_hex(rig_value(r, 0x9F26), hex_encode(text, SPAN_OF(want)));
}

static void go_online(struct rig *r, struct double_issuer *d, const struct how *how)
{
    rig_begin(r);
    ck_assert_uint_eq(rig_first_ac(r, "80"), 0x9000);
    ck_hex(rig_value(r, 0x9F27), "80");
    memcpy(d->atc, rig_value(r, 0x9F36).p, 2); /* a session key hangs on it */
    check_ac(r, d, how);
    double_start(d, rig_value(r, 0x9F36), rig_value(r, 0x9F26));
}

static unsigned second(struct rig *r, const char *p1, const char *arc, const char *auth)
{
    char hex[400];

    snprintf(hex, sizeof(hex), "80AE%s00%02X%s%s%s00", p1, (unsigned)(34 + strlen(auth) / 2), arc,
             auth, RIG_CDOL2);
    return rig_send(r, hex);
}

static unsigned external(struct rig *r, const char *auth)
{
    char hex[100];

    snprintf(hex, sizeof(hex), "00820000%02X%s", (unsigned)strlen(auth) / 2, auth);
    return rig_send(r, hex);
}

/* ---- issuer application data: simcard/card.h ---- */

START_TEST(issuer_application_data_of_each_kind)
    {
        static const struct {
            struct how how;
            const char *first, *after_second;
        } lines[] = {
            /* ARQC, no second one yet; new card; the PIN of the CVM list was not asked for. Second:
               TC, online without ARPC. */
            {{DOUBLE_CVN_10, 1, true, false, NULL}, "06010A03A01001", "06010A03601401"},
            {{DOUBLE_CVN_18, 2, true, false, NULL}, "06011203A01001", "06011203601401"},
            /* Annex C9: 10 10; three tries; discretionary: new card, no PIN; counters. Second:
               issuer authentication not performed. */
            {{DOUBLE_CCD_3DES, 2, false, false, "10"},
             "0FA501A0300900000000000000000000"
             "0F000000000000000000000000000000",
             "0FA50162300900000000000000000000"
             "0F000000000000000000000000000000"},
            {{DOUBLE_CCD_AES, 2, false, false, "10"},
             "0FA601A0300900000000000000000000"
             "0F000000000000000000000000000000",
             "0FA60162300900000000000000000000"
             "0F000000000000000000000000000000"},
        };

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            struct rig r;
            struct double_issuer d;

            start(&r, &d, &lines[i].how);
            go_online(&r, &d, &lines[i].how);
            ck_hex(rig_value(&r, 0x9F10), lines[i].first);
            ck_assert_uint_eq(
                second(&r, "40", RIG_ARC_00,
                       lines[i].how.cdol2 != NULL ? "00000000000000000000000000000000" : ""),
                0x9000);
            ck_hex(rig_value(&r, 0x9F27), "40");
            ck_hex(rig_value(&r, 0x9F10), lines[i].after_second);
            check_ac(&r, &d, &lines[i].how);
            rig_end(&r);
        }
    }
END_TEST

START_TEST(counters_of_the_common_core)
    {
        static const struct how how = {DOUBLE_CCD_AES, 2, false, false, "08"};
        struct rig r;
        struct double_issuer d;

        start(&r, &d, &how);
        for (int i = 0; i < 3; i++) { /* each tells of those before it */
            rig_begin(&r);
            ck_assert_uint_eq(rig_first_ac(&r, "40"), 0x9000);
            memcpy(d.atc, rig_value(&r, 0x9F36).p, 2);
            check_ac(&r, &d, &how);
        }
        ck_hex(rig_value(&r, 0x9F10), "0FA60190300900000002000000002500"
                                      "0F000000000000000000000000000000");
        rig_end(&r);
    }
END_TEST

/* ---- ARPC ---- */

/* The outcome of one online transaction in the other place or method: the card answers TC only to
 * the right ARPC. */
START_TEST(external_authenticate)
    {
        static const struct how lines[] = {{DOUBLE_CVN_10, 1, true, true, NULL},
                                           {DOUBLE_CVN_10, 2, true, true, NULL},
                                           {DOUBLE_CVN_18, 1, true, true, NULL},
                                           {DOUBLE_CVN_18, 2, true, true, NULL}};

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            struct rig r;
            struct double_issuer d;
            char auth[40];

            start(&r, &d, &lines[i]);
            ck_assert_uint_eq(external(&r, "0000000000000000"), 0x6985);
            go_online(&r, &d, &lines[i]);
            if (lines[i].arpc == 1)
                double_auth_1(auth, &d, "00");
            else
                double_auth_2(auth, &d, "00820000");
            ck_assert_uint_eq(external(&r, "00000000000000"),
                              0x6700); /* 8 to 16: Book 3, Annex A */
            ck_assert_uint_eq(external(&r, "0000000000000000000000000000000000"), 0x6700);
            ck_assert_uint_eq(rig_send(&r, "0082010008 0000000000000000"), 0x6A86);
            ck_assert_uint_eq(external(&r, auth), 0x9000);
            ck_assert_uint_eq(external(&r, auth), 0x6985); /* once a transaction: Book 3, 10.9 */
            ck_assert_uint_eq(second(&r, "40", RIG_ARC_00, ""), 0x9000);
            ck_hex(rig_value(&r, 0x9F27), "40");
            check_ac(&r, &d, &lines[i]);

            go_online(&r, &d,
                      &lines[i]); /* the next: a wrong one; the terminal wants a TC all the same */
            auth[0] = auth[0] == '0' ? '1' : '0';
            ck_assert_uint_eq(external(&r, auth), 0x6300);
            ck_assert_uint_eq(second(&r, "40", RIG_ARC_00, ""), 0x9000);
            ck_hex(rig_value(&r, 0x9F27), "00");
            ck_assert_uint_eq(rig_send(&r, "80CA9F1300"), 0x9000);
            ck_hex(rig_answer(&r), "9F13020001"); /* the last one that was right */
            rig_begin(&r);                        /* and the next wants to go online */
            ck_assert_uint_eq(rig_first_ac(&r, "40"), 0x9000);
            ck_hex(rig_value(&r, 0x9F27), "80");
            rig_end(&r);
        }
    }
END_TEST

START_TEST(a_failed_arpc_is_told)
    {
        static const struct how how = {DOUBLE_CVN_10, 1, true, false, NULL};
        struct rig r;
        struct double_issuer d;

        start(&r, &d, &how);
        go_online(&r, &d, &how);
        ck_assert_uint_eq(external(&r, "00000000000000003030"), 0x6300);
        ck_assert_uint_eq(second(&r, "40", RIG_ARC_00, ""), 0x9000);
        ck_hex(rig_value(&r, 0x9F10), "06010A03281001"); /* AAC after ARQC, failed */
        go_online(&r, &d, &how);
        ck_hex(rig_value(&r, 0x9F10), "06010A03A01801"); /* on the last online transaction */
        rig_end(&r);
    }
END_TEST

/* The card is pulled after the wrong ARPC: that it was wrong stays known. */
START_TEST(a_failed_arpc_outlives_the_session)
    {
        static const struct how how = {DOUBLE_CVN_10, 1, true, false, NULL};
        struct rig r;
        struct double_issuer d;

        start(&r, &d, &how);
        go_online(&r, &d, &how);
        ck_assert_uint_eq(external(&r, "00000000000000003030"), 0x6300);
        go_online(&r, &d, &how);
        ck_hex(rig_value(&r, 0x9F10), "06010A03A09801"); /* and the last one was not completed */
        rig_end(&r);
    }
END_TEST

START_TEST(within_the_second_generate_ac)
    {
        static const struct {
            const char *csu, *cid;
        } lines[] = {{"00820000", "40"},
                     {"00020000", "00"} /* not approved: never a TC */,
                     {"008200FF", "40"}};
        static const struct how how = {DOUBLE_CCD_3DES, 2, false, true, "08"};

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            struct rig r;
            struct double_issuer d;
            char auth[40];

            start(&r, &d, &how);
            go_online(&r, &d, &how);
            ck_assert_uint_eq(external(&r, "0000000000000000"), 0x6D00); /* AIP: not supported */
            double_auth_2(auth, &d, lines[i].csu);
            ck_assert_uint_eq(second(&r, "40", RIG_ARC_00, auth), 0x9000);
            ck_hex(rig_value(&r, 0x9F27), lines[i].cid);
            ck_hex(span_of(rig_value(&r, 0x9F10).p + 3, 1),
                   lines[i].cid[0] == '4' ? "60" : "20"); /* performed, not failed */
            check_ac(&r, &d, &how);
            rig_end(&r);
        }
    }
END_TEST

START_TEST(within_the_second_generate_ac_wrong_or_missing)
    {
        static const struct {
            const char *auth, *cid, *cvr1;
            bool mandatory;
        } lines[] = {{"1122334400820000", "00", "21", false}, /* wrong */
                     {"0000000000000000", "00", "22", true},  /* missing, but wanted */
                     {"0000000000000000", "40", "62", false}};

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            const struct how how = {DOUBLE_CCD_3DES, 2, false, lines[i].mandatory, "08"};
            struct rig r;
            struct double_issuer d;

            start(&r, &d, &how);
            go_online(&r, &d, &how);
            ck_assert_uint_eq(second(&r, "40", RIG_ARC_00, lines[i].auth), 0x9000);
            ck_hex(rig_value(&r, 0x9F27), lines[i].cid);
            ck_hex(span_of(rig_value(&r, 0x9F10).p + 3, 1), lines[i].cvr1);
            ck_assert_uint_eq(rig_send(&r, "80CA9F1300"), 0x9000);
            ck_hex(rig_answer(&r), "9F13020000"); /* nobody proved to be the issuer */
            rig_begin(&r);
            ck_assert_uint_eq(rig_first_ac(&r, "40"), 0x9000);
            ck_hex(rig_value(&r, 0x9F27), "80");
            rig_end(&r);
        }
    }
END_TEST

/* What a card of the Common Core tells from one transaction to the next: Book 3, 9.2.3.2 of the
 * CCD, bit by bit. It is one that does not approve after a wrong ARPC, and lets nothing but a right
 * one reset what it tells. PIN tries 3; byte 3: new card until then, no VERIFY. */
static const struct {
    const char *first, *second; /* of the CVR, bytes 1 to 4 */
    const char *arc, *auth;     /* auth: a CSU, "wrong", "" none */
    const char *cid;            /* arc NULL: the card leaves after the ARQC */
} told[] = {
    {"A0300900", "60300900", RIG_ARC_00, "00820000", "40"},
    {"A0300100", "62300100", RIG_ARC_00, "", "40"},      /* not performed */
    {"A2300100", "21300100", RIG_ARC_00, "wrong", "00"}, /* as the second one said; failed */
    {"A1300100", "63300100", RIG_ARC_00, "", "40"},      /* performed then; failed stays */
    {"A3300100", "63300101", RIG_ARC_Y3, "", "40"}, /* unable to go online: none received either */
    {"A3300100", NULL, NULL, NULL, NULL},           /* not completed */
    {"A3310100", "63310100", RIG_ARC_00, "", "40"}, /* which stays too */
    {"A3310100", "60300102", RIG_ARC_00, "008A0000",
     "40"}, /* all reset in this answer; go online set */
    {"A0300102", "21300102", RIG_ARC_00, "wrong", "00"}, /* the last CSU that was right counts */
    {"A1300102", "60300100", RIG_ARC_00, "00820000", "40"},
    {"A0300100", NULL, NULL, NULL, NULL},
    {"A0310100", "60300100", RIG_ARC_00, "00820000", "40"},
    {"A0300100", "60300100", RIG_ARC_00, "00820000", "40"},
};

START_TEST(what_the_common_core_tells_of_before)
    {
        const struct how how = {_i == 0 ? DOUBLE_CCD_3DES : DOUBLE_CCD_AES, 2, false, false, "08"};
        struct rig r;
        struct double_issuer d;

        start(&r, &d, &how);
        for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
            char auth[40] = "0000000000000000", cvr[9];

            go_online(&r, &d, &how);
            ck_assert_msg(strcmp(hex_encode(cvr, span_of(rig_value(&r, 0x9F10).p + 3, 4)),
                                 told[i].first) == 0,
                          "line %zu: first %s", i, cvr);
            if (told[i].arc == NULL)
                continue;
            if (strcmp(told[i].auth, "wrong") == 0)
                snprintf(auth, sizeof(auth), "1122334400820000");
            else if (*told[i].auth != '\0')
                double_auth_2(auth, &d, told[i].auth);
            ck_assert_uint_eq(second(&r, "40", told[i].arc, auth), 0x9000);
            ck_hex(rig_value(&r, 0x9F27), told[i].cid);
            ck_assert_msg(strcmp(hex_encode(cvr, span_of(rig_value(&r, 0x9F10).p + 3, 4)),
                                 told[i].second) == 0,
                          "line %zu: second %s", i, cvr);
        }
        rig_end(&r);
    }
END_TEST

/* "Issuer script processing failed": in the second cryptogram behind it and in the next
 * transaction, until an issuer is authenticated. */
START_TEST(a_failed_script_is_told_until_the_issuer_is_heard)
    {
        static const struct how how = {DOUBLE_CCD_3DES, 2, false, false, "08"};
        static const char *const csu[] = {"00820000", "", "00820000", "00820000"};
        static const char *const first[] = {"00", "08", "08", "00"}, *const after[] = {"08", "08",
                                                                                       "00", "00"};
        struct rig r;
        struct double_issuer d;

        start(&r, &d, &how);
        for (size_t i = 0; i < 4; i++) {
            char auth[40] = "0000000000000000";

            go_online(&r, &d, &how);
            ck_hex(span_of(rig_value(&r, 0x9F10).p + 6, 1), first[i]);
            if (i == 0)
                ck_assert_uint_eq(rig_send(&r, "8C240000068E0400000000"), 0x6988);
            if (*csu[i] != '\0')
                double_auth_2(auth, &d, csu[i]);
            ck_assert_uint_eq(second(&r, "40", RIG_ARC_00, auth), 0x9000);
            ck_hex(span_of(rig_value(&r, 0x9F10).p + 6, 1), after[i]);
        }
        rig_end(&r);
    }
END_TEST

static unsigned first_with_tvr(struct rig *r, const char *p1, const char *tvr)
{
    char hex[400], *at;

    rig_begin(r);
    snprintf(hex, sizeof(hex), "80AE%s0059%s00", p1, RIG_CDOL1);
    at = strstr(hex, "0000000000 0978");
    ck_assert_ptr_nonnull(at);
    memcpy(at, tvr, strlen(tvr));
    return rig_send(r, hex);
}

/* "Offline data authentication failed on previous transaction": byte 4, b3. A second cryptogram is
 * asked over a TVR without failures. */
START_TEST(the_common_core_tells_of_failed_authentication)
    {
        static const struct {
            const char *p1, *tvr, *cid, *told;
        } lines[] = {
            {"00", "4000000000", "00", "00"}, /* SDA failed, declined offline */
            {"00", "0000000000", "00", "04"}, /* declined again: it stays */
            {"40", "0000000000", "80", "04"}, /* the card goes online for it */
            {"40", "0800000000", "40", "00"}, /* DDA failed, and the card approves */
            {"40", "0000000000", "80", "04"},
            {"80", "0400000000", "80", "00"}, /* CDA failed; the card leaves */
            {"80", "0000000000", "80", "04"},
            {"00", "0000000000", "00", "00"},
        };
        static const struct how how = {DOUBLE_CCD_AES, 2, false, false, "08"};
        struct rig r;
        struct double_issuer d;

        start(&r, &d, &how);
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            char auth[40], is[3];

            ck_assert_uint_eq(first_with_tvr(&r, lines[i].p1, lines[i].tvr), 0x9000);
            ck_hex(rig_value(&r, 0x9F27), lines[i].cid);
            hex_encode(is, span_of((const uint8_t[]){rig_value(&r, 0x9F10).p[6] & 0x04}, 1));
            ck_assert_msg(strcmp(is, lines[i].told) == 0, "line %zu: %s", i, is);
            if (lines[i].cid[0] != '8' || lines[i].tvr[1] == '4')
                continue;
            double_start(&d, rig_value(&r, 0x9F36), rig_value(&r, 0x9F26));
            double_auth_2(auth, &d, "00820000");
            ck_assert_uint_eq(second(&r, "40", RIG_ARC_00, auth), 0x9000);
            hex_encode(is, span_of((const uint8_t[]){rig_value(&r, 0x9F10).p[6] & 0x04}, 1));
            ck_assert_msg(strcmp(is, lines[i].told) == 0, "line %zu, second: %s", i, is);
        }
        rig_end(&r);
    }
END_TEST

/* VIS: "… failed on last transaction and declined offline": byte 3, b1 SDA, byte 4, b3 DDA. */
START_TEST(visa_tells_of_failed_authentication_that_was_declined)
    {
        static const struct {
            const char *p1, *tvr, *cid;
            uint8_t sda, dda;
        } lines[] = {
            {"40", "4000000000", "40", 0, 0}, /* approved offline */
            {"00", "4000000000", "00", 0, 0}, /* declined */
            {"00", "0800000000", "00", 1, 0}, {"00", "0000000000", "00", 0, 4},
            {"40", "0000000000", "40", 0, 0},
        };
        static const struct how how = {DOUBLE_CVN_10, 1, false, false, NULL};
        struct rig r;
        struct double_issuer d;

        start(&r, &d, &how);
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            ck_assert_uint_eq(first_with_tvr(&r, lines[i].p1, lines[i].tvr), 0x9000);
            ck_hex(rig_value(&r, 0x9F27), lines[i].cid);
            const struct span iad = rig_value(&r, 0x9F10);

            ck_assert_msg((iad.p[5] & 1) == lines[i].sda && (iad.p[6] & 4) == lines[i].dda,
                          "line %zu: %02X %02X", i, iad.p[5], iad.p[6]);
        }
        rig_end(&r);
    }
END_TEST

/* "CDA performed": the first cryptogram, the second or both were signed. */
START_TEST(cda_performed_at_either_cryptogram)
    {
        static const struct how how = {DOUBLE_CCD_AES, 2, false, false, "08"};
        static const struct {
            const char *first, *second;
            uint8_t told[2];
        } lines[] = {{"80", "40", {0x00, 0x00}},
                     {"90", "40", {0x08, 0x08}},
                     {"80", "50", {0x00, 0x08}},
                     {"90", "50", {0x08, 0x08}}};
        struct perso_params p;
        struct rig r;

        rig_params(&p);
        p.method = PERSO_CDA;
        p.bits = 1024;
        rig_start_with(&r, &p, make_like, &how);
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            rig_begin(&r);
            ck_assert_uint_eq(rig_first_ac(&r, lines[i].first), 0x9000);
            ck_assert_uint_eq(rig_value(&r, 0x9F10).p[3] & 0x08, lines[i].told[0]);
            ck_assert_uint_eq(second(&r, lines[i].second, RIG_ARC_00, "0000000000000000"), 0x9000);
            ck_assert_uint_eq(rig_value(&r, 0x9F10).p[3] & 0x08, lines[i].told[1]);
        }
        rig_end(&r);
    }
END_TEST

/* Proprietary authentication data: under the ARPC when the CSU says that they are there (Book
 * 2, 8.2.2). */
START_TEST(proprietary_authentication_data)
    {
        static const struct how how = {DOUBLE_CCD_AES, 2, false, true, "10"};
        static const char *const csus[] = {"80820000A1A2A3A4A5A6A7A8", "00820000"};

        for (size_t i = 0; i < 2; i++) {
            struct rig r;
            struct double_issuer d;
            char auth[40], padded[60];

            start(&r, &d, &how);
            go_online(&r, &d, &how);
            double_auth_2(auth, &d, csus[i]);
            snprintf(padded, sizeof(padded), "%s%s", auth, i == 0 ? "" : "0000000000000000");
            ck_assert_uint_eq(second(&r, "40", RIG_ARC_00, padded), 0x9000);
            ck_hex(rig_value(&r, 0x9F27), "40");
            rig_end(&r);
        }
    }
END_TEST

/* Method 1 signs the ARC: a terminal that shows the card another one in 8A gets no TC. */
START_TEST(the_arc_that_counts_is_the_signed_one)
    {
        static const struct {
            const char *arc, *cid;
        } lines[] = {{"00", "40"}, {"05", "00"}, {"51", "00"}, {"10", "40"}, {"01", "00"}};
        static const struct how how = {DOUBLE_CVN_18, 1, false, true, "0A"};

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            struct rig r;
            struct double_issuer d;
            char auth[40];

            start(&r, &d, &how);
            go_online(&r, &d, &how);
            double_auth_1(auth, &d, lines[i].arc);
            ck_assert_uint_eq(second(&r, "40", RIG_ARC_00, auth), 0x9000);
            ck_hex(rig_value(&r, 0x9F27), lines[i].cid);
            rig_end(&r);
        }
    }
END_TEST

/* ---- card status update: Book 3, Annex C10 ---- */

static const struct how ccd = {DOUBLE_CCD_3DES, 2, false, true, "08"};

/* After two TCs offline, one online with that CSU; returns the CID of the second cryptogram. */
static unsigned update(struct rig *r, struct double_issuer *d, const char *csu, const char *p1)
{
    char auth[40];

    start(r, d, &ccd);
    for (int i = 0; i < 2; i++) {
        rig_begin(r);
        ck_assert_uint_eq(rig_first_ac(r, "40"), 0x9000);
    }
    go_online(r, d, &ccd);
    double_auth_2(auth, d, csu);
    ck_assert_uint_eq(second(r, p1, RIG_ARC_00, auth), 0x9000);
    return rig_value(r, 0x9F27).p[0];
}

START_TEST(update_counters)
    {
        static const struct {
            const char *csu, *p1, *counters;
        } lines[] = {{"00800000", "40", "0002000000002500"}, /* as they were */
                     {"00810000", "40",
                      "0014000000000000"}, /* to the upper limit: 20; no limit of amounts */
                     {"00820000", "40", "0000000000000000"}, /* to zero */
                     {"00830000", "40", "0003000000003750"}, /* this one too */
                     {"00030000", "00", "0002000000002500"}, /* declined: there is nothing to add */
                     {"00020000", "00",
                      "0000000000000000"}}; /* declined by the issuer, who resets all the same */

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            struct rig r;
            struct double_issuer d;

            ck_assert_uint_eq(update(&r, &d, lines[i].csu, lines[i].p1),
                              lines[i].p1[0] == '4' ? 0x40 : 0x00);
            rig_begin(&r);
            ck_assert_uint_eq(rig_first_ac(&r, "00"), 0x9000);
            ck_hex(span_of(rig_value(&r, 0x9F10).p + 8, 8), lines[i].counters);
            rig_end(&r);
        }
    }
END_TEST

START_TEST(go_online_next_time)
    {
        struct rig r;
        struct double_issuer d;
        char auth[40];

        ck_assert_uint_eq(update(&r, &d, "008A0000", "40"), 0x40);
        rig_begin(&r);
        ck_assert_uint_eq(rig_first_ac(&r, "40"), 0x9000);
        ck_hex(rig_value(&r, 0x9F27), "80");
        ck_hex(span_of(rig_value(&r, 0x9F10).p + 6, 1), "02"); /* CVR byte 4: it was set */
        double_start(&d, rig_value(&r, 0x9F36), rig_value(&r, 0x9F26));
        double_auth_2(auth, &d, "00820000");
        ck_assert_uint_eq(second(&r, "40", RIG_ARC_00, auth), 0x9000);
        rig_begin(&r); /* done once */
        ck_assert_uint_eq(rig_first_ac(&r, "40"), 0x9000);
        ck_hex(rig_value(&r, 0x9F27), "40");
        rig_end(&r);
    }
END_TEST

START_TEST(pin_try_counter)
    {
        static const struct {
            const char *csu, *tries;
        } lines[] = {{"01920000", "9F170101"},
                     {"00920000", "9F170100"},
                     {"0F920000", "9F17010F"} /* as it is: Book 3, 10.11.1.1 of the CCD */,
                     {"01820000", "9F170103"}};

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            struct rig r;
            struct double_issuer d;

            ck_assert_uint_eq(update(&r, &d, lines[i].csu, "40"), 0x40);
            ck_assert_uint_eq(rig_send(&r, "80CA9F1700"), 0x9000);
            ck_hex(rig_answer(&r), lines[i].tries);
            rig_end(&r);
        }
    }
END_TEST

START_TEST(blocked_by_the_card_status_update)
    {
        struct rig r;
        struct double_issuer d;

        ck_assert_uint_eq(update(&r, &d, "00A20000", "40"),
                          0x00); /* application block: no TC any more */
        ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x6283);
        rig_end(&r);
        ck_assert_uint_eq(update(&r, &d, "00C20000", "40"), 0x00); /* card block */
        ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x6A81);
        rig_end(&r);
    }
END_TEST

START_TEST(orders_of_a_wrong_arpc_are_not_heard)
    {
        struct rig r;
        struct double_issuer d;

        start(&r, &d, &ccd);
        go_online(&r, &d, &ccd);
        ck_assert_uint_eq(second(&r, "40", RIG_ARC_00, "1122334400FA0000"),
                          0x9000); /* block all, set the tries to 0, go online */
        ck_hex(rig_value(&r, 0x9F27), "00");
        ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x9000);
        ck_assert_uint_eq(rig_send(&r, "80CA9F1700"), 0x9000);
        ck_hex(rig_answer(&r), "9F170103");
        rig_end(&r);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("card_issuer");
    TCase *t = tcase_create("card_issuer");

    tcase_set_timeout(t, 120);
    tcase_add_test(t, the_double_gives_what_python_and_public_vectors_say);
    tcase_add_test(t, issuer_application_data_of_each_kind);
    tcase_add_test(t, counters_of_the_common_core);
    tcase_add_test(t, external_authenticate);
    tcase_add_test(t, a_failed_arpc_is_told);
    tcase_add_test(t, a_failed_arpc_outlives_the_session);
    tcase_add_loop_test(t, what_the_common_core_tells_of_before, 0, 2);
    tcase_add_test(t, a_failed_script_is_told_until_the_issuer_is_heard);
    tcase_add_test(t, the_common_core_tells_of_failed_authentication);
    tcase_add_test(t, visa_tells_of_failed_authentication_that_was_declined);
    tcase_add_test(t, cda_performed_at_either_cryptogram);
    tcase_add_test(t, within_the_second_generate_ac);
    tcase_add_test(t, within_the_second_generate_ac_wrong_or_missing);
    tcase_add_test(t, proprietary_authentication_data);
    tcase_add_test(t, the_arc_that_counts_is_the_signed_one);
    tcase_add_test(t, update_counters);
    tcase_add_test(t, go_online_next_time);
    tcase_add_test(t, pin_try_counter);
    tcase_add_test(t, blocked_by_the_card_status_update);
    tcase_add_test(t, orders_of_a_wrong_arpc_are_not_heard);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
