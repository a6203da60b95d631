/* Each fault does what its line in the table says, and nothing else of the card's answers changes. */
#include "card_rig.h"
#include "simcard/fault.h"

static void start(struct rig *r, struct perso_params *p, const char *fault)
{
    struct tp_error e;

    rig_params(p);
    rig_start(r, p);
    ck_assert_msg(card_add_fault(r->card, fault, &e) == TP_OK, "%s", e.text);
}

/* Sends; TP_ERR_CARD is an outcome here. */
static enum tp_err try_send(struct rig *r, const char *hex)
{
    uint8_t command[300];
    struct buf c = BUF_OF(command), a = BUF_OF(r->answer);

    ck_ok(hex_decode(&c, hex));
    return card_transmit(r->card, buf_span(&c), &a);
}

/* What a terminal finds of the certificates: which fails, and why; EMV_CHECK_OK when none does. */
struct chain {
    enum emv_check issuer, icc;
    struct emv_pubkey *key;
};

static struct chain check_chain(struct rig *r)
{
    static uint8_t raw[2048];
    struct buf all = BUF_OF(raw);
    static const char *const records[] = {"00B2011400", "00B2021400", "00B2011C00", "00B2021C00", "00B2031C00"};
    struct chain out = {EMV_CHECK_COUNT, EMV_CHECK_COUNT, NULL};
    struct tlv cert, exponent, remainder;
    struct emv_cert_info issuer, icc;
    size_t signed_n = 0;

    for (size_t i = 0; i < 5; i++) {
        struct tlv template;

        ck_assert_uint_eq(rig_send(r, records[i]), 0x9000);
        struct span in = rig_answer(r);

        ck_ok(tlv_next(&in, &template));
        ck_ok(buf_put(&all, template.value));
        if (i == 1) {
            UNHEX(aip, "3900");
            ck_ok(buf_put(&all, aip));
            signed_n = all.n;
        }
    }
    const struct span rest = {raw + signed_n, all.n - signed_n};

    ck_ok(tlv_find(rest, 0x90, &cert));
    ck_ok(tlv_find(rest, 0x9F32, &exponent));
    ck_ok(emv_issuer_cert_check(&out.issuer, &issuer, emv_privkey_public(r->scheme->authority), cert.value, span_of(NULL, 0), exponent.value, RIG_PAN,
                                RIG_DATE));
    ck_ok(tlv_find(rest, 0x9F46, &cert));
    ck_ok(tlv_find(rest, 0x9F47, &exponent));
    ck_ok(tlv_find(rest, 0x9F48, &remainder));
    ck_ok(emv_icc_cert_check(&out.icc, &icc, EMV_ICC_KEY, emv_privkey_public(r->scheme->issuer), cert.value, remainder.value, exponent.value,
                             span_of(raw, signed_n), RIG_PAN, RIG_DATE));
    emv_pubkey_free(&issuer.key);
    out.key = icc.key;
    return out;
}

START_TEST(certificates_that_fail)
    {
        static const struct {
            const char *fault;
            enum emv_check issuer, icc;
        } lines[] = {
            {"slow=1", EMV_CHECK_OK, EMV_CHECK_OK},
            {"expired-issuer-certificate", EMV_CHECK_EXPIRED, EMV_CHECK_OK},
            {"expired-icc-certificate", EMV_CHECK_OK, EMV_CHECK_EXPIRED},
            {"wrong-issuer-hash", EMV_CHECK_HASH, EMV_CHECK_OK},
            {"altered-data", EMV_CHECK_OK, EMV_CHECK_HASH},
        };

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            struct rig r;
            struct perso_params p;

            start(&r, &p, lines[i].fault);
            rig_begin(&r);
            struct chain c = check_chain(&r);

            ck_assert_msg(c.issuer == lines[i].issuer && c.icc == lines[i].icc, "%s: issuer %s, card %s", lines[i].fault, emv_check_name(c.issuer),
                          emv_check_name(c.icc));
            emv_pubkey_free(&c.key);
            rig_end(&r);
        }
    }
END_TEST

START_TEST(signatures_that_fail)
    {
        static const struct {
            const char *fault;
            enum emv_check sdad;
        } lines[] = {
            {"slow=1", EMV_CHECK_OK},          {"wrong-data-hash", EMV_CHECK_DATA_HASH}, {"wrong-un", EMV_CHECK_HASH}, {"wrong-cid", EMV_CHECK_CID},
            {"wrong-ac", EMV_CHECK_OK},        /* rightly signed: only the issuer can tell */
            {"wrong-sdad", EMV_CHECK_TRAILER}, /* or whatever a wrong block shows first */
        };

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            struct rig r;
            struct perso_params p;
            struct emv_dynamic dynamic;
            struct span parts[8];
            struct tlv object;
            size_t n = 1;
            enum emv_check outcome;

            start(&r, &p, lines[i].fault);
            rig_begin(&r);
            struct chain c = check_chain(&r);

            ck_assert_uint_eq(rig_first_ac(&r, "50"), 0x9000);
            UNHEX(values, "2098C8 0250 35" RIG_CDOL1);
            UNHEX(un, RIG_UN);
            parts[0] = values;
            struct span body = rig_answer(&r);

            ck_ok(tlv_next(&body, &object));
            body = object.value;
            while (tlv_next(&body, &object) == TP_OK)
                if (object.tag != 0x9F4B)
                    parts[n++] = object.raw;
            ck_ok(emv_cda_check(&outcome, &dynamic, c.key, rig_value(&r, 0x9F4B), un, rig_value(&r, 0x9F27).p[0], parts, n));
            if (strcmp(lines[i].fault, "wrong-sdad") == 0)
                ck_assert_int_ne(outcome, EMV_CHECK_OK);
            else
                ck_assert_msg(outcome == lines[i].sdad, "%s: %s", lines[i].fault, emv_check_name(outcome));
            emv_pubkey_free(&c.key);
            rig_end(&r);
        }
    }
END_TEST

START_TEST(higher_than_asked)
    {
        struct rig r;
        struct perso_params p;

        start(&r, &p, "higher-ac");
        rig_begin(&r);
        ck_assert_uint_eq(rig_first_ac(&r, "00"), 0x9000);
        ck_hex(rig_value(&r, 0x9F27), "40");
        rig_end(&r);
    }
END_TEST

START_TEST(old_counter_is_shown_the_true_one_kept)
    {
        struct rig r;
        struct perso_params p;

        start(&r, &p, "atc-replay");
        for (int i = 0; i < 3; i++) {
            rig_begin(&r);
            ck_assert_uint_eq(rig_first_ac(&r, "40"), 0x9000);
            ck_hex(rig_value(&r, 0x9F36), "0001");
        }
        rig_end(&r);
    }
END_TEST

START_TEST(answers_out_of_shape)
    {
        struct rig r;
        struct perso_params p;
        struct tlv object;

        start(&r, &p, "truncated-tlv");
        ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x9000);
        struct span in = rig_answer(&r);

        ck_assert_int_eq(tlv_next(&in, &object), TP_ERR_FORMAT);
        rig_end(&r);

        start(&r, &p, "oversized");
        ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x9000);
        ck_assert_uint_gt(r.answer_n, 256);
        rig_end(&r);

        start(&r, &p, "empty");
        ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x9000);
        ck_assert_uint_eq(r.answer_n, 0);
        rig_end(&r);

        start(&r, &p, "endless-61");
        for (int i = 0; i < 5; i++)
            ck_assert_uint_eq(rig_send(&r, i == 0 ? RIG_SELECT : "00C0000010"), 0x6110);
        rig_end(&r);

        start(&r, &p, "random-sw");
        unsigned seen = rig_send(&r, RIG_SELECT), others = 0;

        for (int i = 0; i < 20; i++) {
            const unsigned sw = rig_send(&r, RIG_SELECT);

            ck_assert_uint_eq(sw >> 12, 6);
            others += sw != seen ? 1 : 0;
        }
        ck_assert_uint_gt(others, 0);
        rig_end(&r);
    }
END_TEST

START_TEST(directories_and_files_out_of_shape)
    {
        struct rig r;
        struct perso_params p;
        char command[16];
        int pans = 0;

        start(&r, &p, "endless-records");
        ck_assert_uint_eq(rig_send(&r, "00A404000E315041592E5359532E444446303100"), 0x9000);
        for (int i = 1; i <= 255; i++) {
            snprintf(command, sizeof(command), "00B2%02X0C00", i);
            ck_assert_uint_eq(rig_send(&r, command), 0x9000);
        }
        rig_end(&r);

        start(&r, &p, "wild-afl");
        rig_begin(&r);
        ck_hex(rig_value(&r, 0x94), "0001010010030102");
        rig_end(&r);

        start(&r, &p, "twice");
        rig_begin(&r);
        static const char *const records[] = {"00B2010C00", "00B2011400", "00B2021400"};

        for (size_t i = 0; i < 3; i++) {
            struct tlv object;

            ck_assert_uint_eq(rig_send(&r, records[i]), 0x9000);
            ck_ok(tlv_check(rig_answer(&r)));
            pans += tlv_find_deep(rig_answer(&r), 0x5A, &object) == TP_OK ? 1 : 0;
        }
        ck_assert_int_eq(pans, 2);
        rig_end(&r);
    }
END_TEST

START_TEST(mute_and_torn_out_at_every_command)
    {
        static const char *const commands[] = {RIG_SELECT, RIG_GPO, "00B2011400", "80CA9F1700", "0084000000"};
        char spec[16];

        for (int n = 1; n <= 5; n++) {
            struct rig r;
            struct perso_params p;
            uint8_t raw[40];
            struct buf atr = BUF_OF(raw);

            snprintf(spec, sizeof(spec), "torn-out=%d", n);
            start(&r, &p, spec);
            for (int i = 1; i < n; i++)
                ck_ok(try_send(&r, commands[i - 1]));
            ck_assert(!card_gone(r.card));
            ck_assert_int_eq(try_send(&r, commands[n - 1]), TP_ERR_CARD);
            ck_assert(card_gone(r.card));
            ck_assert_int_eq(try_send(&r, commands[n - 1]), TP_ERR_CARD);
            ck_ok(card_power_on(r.card, &atr)); /* put in again: it stays */
            ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x9000);
            rig_end(&r);

            snprintf(spec, sizeof(spec), "mute=%d", n);
            start(&r, &p, spec);
            for (int i = 1; i < n; i++)
                ck_ok(try_send(&r, commands[i - 1]));
            ck_assert_int_eq(try_send(&r, commands[n - 1]), TP_ERR_CARD);
            ck_assert_int_eq(try_send(&r, RIG_SELECT), TP_ERR_CARD);
            ck_assert(!card_gone(r.card));
            rig_end(&r);
        }
    }
END_TEST

START_TEST(tries_that_lie)
    {
        struct rig r;
        struct perso_params p;

        start(&r, &p, "pin-lies");
        rig_begin(&r);
        for (int i = 0; i < 5; i++)
            ck_assert_uint_eq(rig_send(&r, "0020008008244321FFFFFFFFFF"), 0x63CF);
        ck_assert_uint_eq(rig_send(&r, "80CA9F1700"), 0x9000);
        ck_hex(rig_answer(&r), "9F17010F");
        ck_assert_uint_eq(rig_send(&r, "0020008008241234FFFFFFFFFF"), 0x63CF); /* blocked in truth */
        rig_end(&r);
    }
END_TEST

START_TEST(atr_with_a_wrong_check_byte)
    {
        struct rig r;
        struct perso_params p;
        uint8_t raw[40], tck = 0;
        struct buf atr = BUF_OF(raw);

        start(&r, &p, "bad-atr");
        ck_ok(card_power_on(r.card, &atr));
        for (size_t i = 1; i < atr.n; i++)
            tck ^= raw[i];
        ck_assert_uint_ne(tck, 0);
        rig_end(&r);
    }
END_TEST

START_TEST(the_table_and_its_words)
    {
        struct rig r;
        struct perso_params p;
        struct tp_error e;
        size_t n = 0;

        rig_params(&p);
        rig_start(&r, &p);
        for (const struct card_fault_text *f; (f = card_fault_at(n)) != NULL; n++) {
            char name[40];
            enum fault which;

            snprintf(name, sizeof(name), "%.*s", (int)strcspn(f->name, "["), f->name);
            ck_assert_ptr_nonnull(fault_find(name, strlen(name), &which));
            ck_assert_uint_eq(which, n); /* names, texts and enum in one order */
            ck_assert_uint_ge(strlen(f->does), 10);
            ck_assert_uint_ge(strlen(f->must), 10);
        }
        ck_assert_uint_ge(n, 40);
        ck_assert_int_eq(card_add_fault(r.card, "no-such", &e), TP_ERR_USAGE);
        ck_assert_int_eq(card_add_fault(r.card, "torn-out=0", &e), TP_ERR_USAGE);
        ck_assert_int_eq(card_add_fault(r.card, "torn-out=x", &e), TP_ERR_USAGE);
        ck_assert_int_eq(card_add_fault(r.card, "wrong-un=2", &e), TP_ERR_USAGE);
        ck_assert_int_eq(card_add_fault(r.card, "missing=5G", &e), TP_ERR_USAGE);
        ck_assert_int_eq(card_add_fault(r.card, "status=10000", &e), TP_ERR_USAGE);
        ck_assert_int_eq(card_add_fault(r.card, "torn-ou", &e), TP_ERR_USAGE);
        ck_ok(card_add_fault(r.card, "wrong-un", &e)); /* several at a time */
        ck_ok(card_add_fault(r.card, "mute=2", &e));
        rig_end(&r);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("card_faults");
    TCase *t = tcase_create("card_faults");

    tcase_set_timeout(t, 120);
    tcase_add_test(t, certificates_that_fail);
    tcase_add_test(t, signatures_that_fail);
    tcase_add_test(t, higher_than_asked);
    tcase_add_test(t, old_counter_is_shown_the_true_one_kept);
    tcase_add_test(t, answers_out_of_shape);
    tcase_add_test(t, directories_and_files_out_of_shape);
    tcase_add_test(t, mute_and_torn_out_at_every_command);
    tcase_add_test(t, tries_that_lie);
    tcase_add_test(t, atr_with_a_wrong_check_byte);
    tcase_add_test(t, the_table_and_its_words);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
