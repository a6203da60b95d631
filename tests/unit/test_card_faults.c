/* Each fault does what its line in the table says, and nothing else of the card's answers changes.
 */
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
    static const char *const records[] = {"00B2011400", "00B2021400", "00B2011C00", "00B2021C00",
                                          "00B2031C00"};
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
    ck_ok(emv_issuer_cert_check(&out.issuer, &issuer, emv_privkey_public(r->scheme->authority),
                                cert.value, span_of(NULL, 0), exponent.value, RIG_PAN, RIG_DATE));
    ck_ok(tlv_find(rest, 0x9F46, &cert));
    ck_ok(tlv_find(rest, 0x9F47, &exponent));
    ck_ok(tlv_find(rest, 0x9F48, &remainder));
    ck_ok(emv_icc_cert_check(&out.icc, &icc, EMV_ICC_KEY, emv_privkey_public(r->scheme->issuer),
                             cert.value, remainder.value, exponent.value, span_of(raw, signed_n),
                             RIG_PAN, RIG_DATE));
    emv_pubkey_free(&issuer.key);
    out.key = icc.key;
    return out;
}

static const struct cert_line {
    const char *fault;
    enum emv_check issuer, icc;
} cert_lines[] = {
    {"slow=1", EMV_CHECK_OK, EMV_CHECK_OK},
    {"expired-issuer-certificate", EMV_CHECK_EXPIRED, EMV_CHECK_OK},
    {"expired-icc-certificate", EMV_CHECK_OK, EMV_CHECK_EXPIRED},
    {"wrong-pan-certificate", EMV_CHECK_OK, EMV_CHECK_IDENTIFIER},
    {"wrong-issuer-hash", EMV_CHECK_HASH, EMV_CHECK_OK},
    {"altered-data", EMV_CHECK_OK, EMV_CHECK_HASH},
    {"expired", EMV_CHECK_OK, EMV_CHECK_HASH},
    {"not-yet-effective", EMV_CHECK_OK, EMV_CHECK_HASH},
    {"tag-list", EMV_CHECK_OK, EMV_CHECK_HASH},
    {"unknown-cdol", EMV_CHECK_OK, EMV_CHECK_HASH},
    {"unknown-cvm", EMV_CHECK_OK, EMV_CHECK_HASH},
    {"zero-padding", EMV_CHECK_OK, EMV_CHECK_OK}, /* in a record that is not signed */
    {"other-track2", EMV_CHECK_OK, EMV_CHECK_OK},
};

START_TEST(certificates_that_fail)
    {
        for (size_t i = 0; i < sizeof(cert_lines) / sizeof(cert_lines[0]); i++) {
            const struct cert_line *line = &cert_lines[i];
            struct rig r;
            struct perso_params p;

            start(&r, &p, line->fault);
            rig_begin(&r);
            struct chain c = check_chain(&r);

            ck_assert_msg(c.issuer == line->issuer && c.icc == line->icc, "%s: issuer %s, card %s",
                          line->fault, emv_check_name(c.issuer), emv_check_name(c.icc));
            emv_pubkey_free(&c.key);
            rig_end(&r);
        }
    }
END_TEST

static const struct sdad_line {
    const char *fault;
    enum emv_check sdad; /* EMV_CHECK_COUNT: any that fails */
} sdad_lines[] = {
    {"slow=1", EMV_CHECK_OK},
    {"wrong-data-hash", EMV_CHECK_DATA_HASH},
    {"wrong-un", EMV_CHECK_HASH},
    {"wrong-cid", EMV_CHECK_CID},
    {"wrong-ac", EMV_CHECK_OK}, /* rightly signed: only the issuer can tell */
    {"wrong-sdad", EMV_CHECK_COUNT},
    {"sdad-header", EMV_CHECK_HEADER},
    {"sdad-trailer", EMV_CHECK_TRAILER},
    {"sdad-format", EMV_CHECK_FORMAT},
    {"long-dynamic-number", EMV_CHECK_DYNAMIC_DATA},
    {"short-sdad", EMV_CHECK_LENGTH},
    {"ac-beside-sdad", EMV_CHECK_DATA_HASH},
};

START_TEST(signatures_that_fail)
    {
        for (size_t i = 0; i < sizeof(sdad_lines) / sizeof(sdad_lines[0]); i++) {
            struct rig r;
            struct perso_params p;
            struct emv_dynamic dynamic;
            struct span parts[8];
            struct tlv object;
            size_t n = 1;
            enum emv_check outcome;

            start(&r, &p, sdad_lines[i].fault);
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
            ck_ok(emv_cda_check(&outcome, &dynamic, c.key, rig_value(&r, 0x9F4B), un,
                                rig_value(&r, 0x9F27).p[0], parts, n));
            if (sdad_lines[i].sdad == EMV_CHECK_COUNT)
                ck_assert_int_ne(outcome, EMV_CHECK_OK);
            else
                ck_assert_msg(outcome == sdad_lines[i].sdad, "%s: %s", sdad_lines[i].fault,
                              emv_check_name(outcome));
            emv_pubkey_free(&c.key);
            rig_end(&r);
        }
    }
END_TEST

/* ---- what a fault changes in one answer ---- */

enum look { /* what of the last answer is looked at, besides a tag */
            LOOK_BEGINS = 1,
            LOOK_ENDS,
            LOOK_LENGTH /* in hexadecimal */
};

#define ABSENT "-"
#define SIGN   "00880000041122334400" /* INTERNAL AUTHENTICATE over RIG_UN */
#define PSE    "00A404000E315041592E5359532E444446303100"
#define CDOL1                                                                                      \
    "9F02069F03069F1A0295055F2A029A039C019F37049F35019F34039F33039F1E089F09029F41049F06079F7C20"

static const struct answer_line {
    const char *fault;
    const char *card;     /* words: sda dda format1 external */
    const char *commands; /* between semicolons; S select, G options, A50 first, B40 second GENERATE
                             AC, else hex */
    unsigned sw;
    uint32_t look; /* a tag, or enum look; 0: the status word alone */
    const char *value;
} answer_lines[] = {
    /* what it holds */
    {"expired", "", "S;G;00B2011400", 0x9000, 0x5F24, "191231"},
    {"not-yet-effective", "", "S;G;00B2011400", 0x9000, 0x5F25, "490101"},
    {"missing", "", "S;G;00B2011400", 0x9000, 0x5A, ABSENT},
    {"missing=9F46", "", "S;G;00B2031C00", 0x9000, 0x9F46, ABSENT},
    {"missing=9F46", "", "S;G;00B2031C00", 0x9000, 0x9F47, "03"},
    {"missing=77", "", "S;G;00B2011400", 0x9000, 0x5A, RIG_PAN}, /* an object it has not */
    {"twice=8C", "", "S;G;00B2010C00", 0x9000, 0x8C, CDOL1},
    {"twice=8C", "", "S;G;00B2021400", 0x9000, 0x8C, CDOL1},
    {"other-track2", "", "S;G;00B2010C00", 0x9000, 0x57, "9990140000010015D301220100000F"},
    {"other-track2", "", "S;G;00B2011400", 0x9000, 0x5A, RIG_PAN},
    {"hostile-names", "", "S", 0x9000, 0x50, "1B5B324A075041599B306D0D0A"},
    {"hostile-names", "", "S;G;00B2010C00", 0x9000, 0x5F20, "1B5D303B50574E4544072F1B5B33316D0A"},
    {"wrong-template", "", "S;G;00B2010C00", 0x9000, LOOK_BEGINS, "77"},
    {"indefinite-length", "", "S;G;00B2010C00", 0x9000, LOOK_BEGINS, "708057"},
    {"indefinite-length", "", "S;G;00B2010C00", 0x9000, LOOK_ENDS, "0000"},
    {"trailing-bytes", "", "S;G;00B2010C00", 0x9000, LOOK_ENDS, "DEAD"},
    {"zero-padding", "", "S;G;00B2010C00", 0x9000, LOOK_BEGINS,
     "702700005"
     "70F"},
    {"odd-afl", "", "S;G", 0x9000, 0x94, "0801010010010202180103"},
    {"missing-record", "", "S;G", 0x9000, 0x94, "080101001001020218010400"},
    {"missing-record", "", "S;G;00B2041C00", 0x6A83, 0, NULL},
    {"many-records", "", "S;G", 0x9000, 0x94, "0801FF001001020218010300"},
    {"afl-overcount", "", "S;G", 0x9000, 0x94, "080101021001020218010300"},
    {"huge-pdol", "", "S", 0x9000, 0x9F38, "9F02FF9F03FF"},
    {"broken-pdol", "", "S", 0x9000, 0x9F38, "9F1A029F"},
    {"unknown-cdol", "", "S;G;00B2021400", 0x9000, 0x8C, CDOL1 "DF7A04"},
    {"unknown-cdol", "", "S;G;A40", 0x6700, 0, NULL}, /* it wants the four bytes too */
    {"broken-cdol", "", "S;G;00B2021400", 0x9000, 0x8C, CDOL1 "9F"},
    {"ddol-without-un", "dda", "S;G;00B2021400", 0x9000, 0x9F49, "9A03"},
    {"ddol-without-un", "dda", "S;G;0088000003 261123 00", 0x9000, 0, NULL},
    {"tag-list", "", "S;G;00B2021400", 0x9000, 0x9F4A, "8284"},
    {"empty-cvm-list", "", "S;G;00B2011400", 0x9000, 0x8E, "0000000000000000"},
    {"odd-cvm-list", "", "S;G;00B2011400", 0x9000, 0x8E, "000000000000000001031F"},
    {"unknown-cvm", "", "S;G;00B2011400", 0x9000, 0x8E, "0000000000000000500001031F03"},

    /* what it signs and counts. 9F10: 06, key index, version 12, 03, then the CVR: 90 TC at the
       first GENERATE AC, 04 PIN verified, 02 wrong */
    {"always-aac", "", "S;G;A40", 0x9000, 0x9F27, "00"},
    {"atc-jump", "", "S;G;A40", 0x9000, 0x9F36, "03E9"},
    {"atc-jump=65535", "", "S;G;A40", 0x9000, 0x9F36, "FFFF"},
    {"atc-back", "", "S;G;A40", 0x9000, 0x9F36, "0001"},
    {"atc-back=2", "", "S;G;S;G;S;G;S;G;S;G;A40", 0x9000, 0x9F36, "0003"},
    {"yes-card", "", "S;G;0020008008249999FFFFFFFFFF", 0x9000, 0, NULL},
    {"yes-card", "", "S;G;0020008008249999FFFFFFFFFF;A40", 0x9000, 0x9F10, "06011203941000"},
    {"any-arpc", "external",
     "S;G;A80;008200000811223344008000"
     "00",
     0x9000, 0, NULL},
    {"slow=1", "external",
     "S;G;A80;008200000811223344008000"
     "00",
     0x6300, 0, NULL}, /* without the fault */

    /* what it answers */
    {"short-sdad", "", "S;G;A50", 0x9000, 0x9F27, "40"},
    {"short-sdad", "dda format1", "S;G;0088000004" RIG_UN "00", 0x9000, LOOK_BEGINS,
     "80818F"}, /* 143 of 144 bytes */
    {"unsigned-cda", "", "S;G;A50", 0x9000, 0x9F4B, ABSENT},
    {"format-1-cda", "", "S;G;A50", 0x9000, LOOK_BEGINS, "8012400001"}, /* CID, ATC, AC 8, 9F10 7 */
    {"ac-beside-sdad", "", "S;G;A50", 0x9000, 0x9F26, "A5A5A5A5A5A5A5A5"},
    {"ac-beside-sdad", "", "S;G;A40", 0x9000, 0x9F4B, ABSENT},
    {"replay-ac", "", "S;G;A40;S;G;A40", 0x9000, 0x9F36, "0001"},
    {"arqc-again", "", "S;G;A80;B40", 0x9000, 0x9F27, "80"},
    {"arqc-again", "", "S;G;A40", 0x9000, 0x9F27, "40"},
    {"reserved-cid", "", "S;G;A40", 0x9000, 0x9F27, "C0"},
    {"reserved-cid", "format1", "S;G;A40", 0x9000, LOOK_BEGINS, "8012C0"},
    {"double-cid", "", "S;G;A00", 0x9000, 0x9F27, "40"}, /* the first of two */
    {"long-iad", "", "S;G;A40", 0x9000, LOOK_ENDS,
     "000000000000000000000000000000000000000000000000000000000000000000"},
    {"aip-downgrade", "", "S;G", 0x9000, 0x82, "1800"},
    {"aip-downgrade", "format1", "S;G", 0x9000, LOOK_BEGINS, "800E1800"},
    {"aip-upgrade", "sda", "S;G", 0x9000, 0x82, "5900"},
    {"gpo-refused", "", "S;G", 0x6985, 0, NULL},
    {"gpo-without-afl", "", "S;G", 0x9000, 0x94, ABSENT},
    {"gpo-without-afl", "format1", "S;G", 0x9000, LOOK_LENGTH, "04"},
    {"blocked-application", "", "S", 0x6283, 0x84, "F0000000141010"},
    {"blocked-application", "", PSE, 0x9000, 0, NULL},
    {"blocked-card", "", "S", 0x6A81, 0, NULL},
    {"blocked-card", "", PSE, 0x6A81, LOOK_LENGTH, "00"},
    {"other-name", "", "S", 0x9000, 0x84, "0F000000141010"},
    {"broken-pse", "", PSE ";00B2010C00", 0x9000, LOOK_BEGINS, "77"},
    {"broken-pse", "", "S;G;00B2010C00", 0x9000, LOOK_BEGINS, "70"},
    {"empty-pse", "", PSE ";00B2010C00", 0x6A83, 0, NULL},
    {"empty-pse", "", "S;G;00B2010C00", 0x9000, 0, NULL},
    {"pin-wedge", "", "S;G;0020008008249999FFFFFFFFFF", 0x9000, 0, NULL},
    {"pin-wedge", "", "S;G;0020008008249999FFFFFFFFFF;80CA9F1700", 0x9000, 0x9F17,
     "03"}, /* it knows nothing of it */
    {"pin-wedge", "", "S;G;0020008008249999FFFFFFFFFF;A40", 0x9000, LOOK_ENDS, "06011203901001"},
    {"tries-hidden", "", "S;G;80CA9F1700", 0x6A88, 0, NULL},
    {"tries-hidden", "", "S;G;80CA9F3600", 0x9000, 0x9F36, "0001"},
    {"short-challenge", "", "S;G;0084000000", 0x9000, LOOK_LENGTH, "04"},
    {"unknown-index", "", "S;G;00B2011C00", 0x9000, 0x8F, "EE"},
    {"undeciphered", "", "S;G;0084000000;0020008808241234FFFFFFFFFF", 0x6984, LOOK_LENGTH, "00"},
    {"issuer-refused", "external", "S;G;A80;00820000081122334455667788", 0x6300, 0, NULL},
    {"script-refused", "", "S;G;A80;B40;841E0000081122334455667788", 0x6985, 0, NULL},
    {"warning-record", "", "S;G;00B2011400", 0x6282, 0x5A, RIG_PAN},
    {"warning-record", "", PSE ";00B2010C00", 0x9000, 0, NULL},
    {"status", "", "S;G", 0x6F00, 0, NULL},
    {"status=6285", "", "S;G", 0x6285, LOOK_LENGTH, "00"},
    {"status=6285", "", "S", 0x9000, 0, NULL},
    {"endless-6c", "", "S", 0x6C10, 0, NULL},
    {"endless-6c", "", "S;00A4040007F000000014101010", 0x6C10, 0, NULL},
};

static unsigned send_named(struct rig *r, const char *name)
{
    char p1[3] = {name[1], name[1] != '\0' ? name[2] : '\0', '\0'};

    switch (name[0]) {
    case 'S':
        return rig_send(r, RIG_SELECT);
    case 'G':
        return rig_send(r, RIG_GPO);
    case 'A':
        return rig_first_ac(r, p1);
    case 'B':
        return rig_second_ac(r, p1, RIG_ARC_00);
    default:
        return rig_send(r, name);
    }
}

static void look_at(const struct rig *r, const struct answer_line *line)
{
    char all[2 * sizeof(r->answer) + 1], length[8];
    const size_t want = line->value != NULL ? strlen(line->value) : 0;
    struct tlv object;

    hex_encode(all, rig_answer(r));
    snprintf(length, sizeof(length), "%02zX", r->answer_n);
    switch (line->look) {
    case 0:
        break;
    case LOOK_BEGINS:
        ck_assert_msg(strncmp(all, line->value, want) == 0, "%s: answers %s", line->fault, all);
        break;
    case LOOK_ENDS:
        ck_assert_msg(strlen(all) >= want && strcmp(all + strlen(all) - want, line->value) == 0,
                      "%s: answers %s", line->fault, all);
        break;
    case LOOK_LENGTH:
        ck_assert_str_eq(length, line->value);
        break;
    default:
        if (strcmp(line->value, ABSENT) == 0) {
            ck_assert_msg(tlv_find_deep(rig_answer(r), line->look, &object) == TP_ERR_NOT_FOUND,
                          "%s: answers %s", line->fault, all);
        } else {
            hex_encode(all, rig_value(r, line->look));
            ck_assert_msg(strcmp(all, line->value) == 0, "%s: %X is %s", line->fault,
                          (unsigned)line->look, all);
        }
    }
}

START_TEST(one_answer)
    {
        const struct answer_line *line = &answer_lines[_i];
        struct rig r;
        struct perso_params p;
        struct tp_error e;
        char commands[400], *rest = commands, *one;
        unsigned sw = 0;

        rig_params(&p);
        if (strstr(line->card, "sda") != NULL)
            p.method = PERSO_SDA;
        if (strstr(line->card, "dda") != NULL)
            p.method = PERSO_DDA;
        if (strstr(line->card, "format1") != NULL)
            p.format = 1;
        if (strstr(line->card, "external") != NULL)
            p.issuer = PERSO_ISSUER_EXTERNAL;
        rig_start(&r, &p);
        ck_assert_msg(card_add_fault(r.card, line->fault, &e) == TP_OK, "%s", e.text);
        snprintf(commands, sizeof(commands), "%s", line->commands);
        while ((one = strsep(&rest, ";")) != NULL)
            sw = send_named(&r, one);
        ck_assert_msg(sw == line->sw, "%s, %s: %04X", line->fault, line->commands, sw);
        look_at(&r, line);
        rig_end(&r);
    }
END_TEST

START_TEST(noise_of_any_length)
    {
        struct rig r;
        struct perso_params p;
        size_t shortest = SIZE_MAX, longest = 0;

        start(&r, &p, "noise");
        for (int i = 0; i < 200; i++) {
            ck_assert_uint_eq(rig_send(&r, RIG_SELECT), 0x9000);
            shortest = r.answer_n < shortest ? r.answer_n : shortest;
            longest = r.answer_n > longest ? r.answer_n : longest;
        }
        ck_assert_uint_lt(shortest, 32);
        ck_assert_uint_gt(longest, 224);
        ck_assert_uint_le(longest, 256);
        rig_end(&r);
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
        static const char *const commands[] = {RIG_SELECT, RIG_GPO, "00B2011400", "80CA9F1700",
                                               "0084000000"};
        char spec[24];

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
        ck_assert_uint_eq(rig_send(&r, "0020008008241234FFFFFFFFFF"),
                          0x63CF); /* blocked in truth */
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

static bool same_fault(const char *spec, const char *name, size_t n)
{
    return strncmp(spec, name, n) == 0 && (spec[n] == '\0' || spec[n] == '=');
}

START_TEST(each_fault_has_a_test_here)
    {
        static const char *const others[] = {
            "higher-ac",  "atc-replay",   "truncated-tlv",   "oversized", "empty",
            "endless-61", "random-sw",    "endless-records", "wild-afl",  "twice",
            "mute",       "torn-out",     "pin-lies",        "bad-atr",   "slow",
            "noise",      "unknown-suite"};
        const struct card_fault_text *f;

        for (size_t i = 0; (f = card_fault_at(i)) != NULL; i++) {
            const size_t n = strcspn(f->name, "[");
            bool found = false;

            for (size_t k = 0; k < sizeof(answer_lines) / sizeof(answer_lines[0]); k++)
                found = found || same_fault(answer_lines[k].fault, f->name, n);
            for (size_t k = 0; k < sizeof(cert_lines) / sizeof(cert_lines[0]); k++)
                found = found || same_fault(cert_lines[k].fault, f->name, n);
            for (size_t k = 0; k < sizeof(sdad_lines) / sizeof(sdad_lines[0]); k++)
                found = found || same_fault(sdad_lines[k].fault, f->name, n);
            for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++)
                found = found || same_fault(others[k], f->name, n);
            ck_assert_msg(found, "no test for the fault %s", f->name);
        }
    }
END_TEST

/* Any two together: whatever is asked of the card, it answers something or leaves, and never more
 * than a response holds. */
START_TEST(two_at_a_time)
    {
        static const char *const commands[] = {PSE,          "00B2010C00",
                                               "S",          "G",
                                               "00B2010C00", "00B2011400",
                                               "00B2031C00", "80CA9F1700",
                                               "0084000000", "0020008008241234FFFFFFFFFF",
                                               SIGN,         "A50",
                                               "B40",        "841E0000081122334455667788"};
        struct perso_params p;
        struct card_profile *profile;
        struct tp_error e;
        char dir[] = "/tmp/telepay-faults-XXXXXX", command[64];
        size_t faults = 0;

        rig_params(&p);
        p.bits = 768;
        ck_assert_ptr_nonnull(mkdtemp(dir));
        ck_ok(perso_make(&profile, rig_scheme(), &p, &e));
        ck_ok(perso_save(profile, dir, &e));
        profile_free(&profile);
        while (card_fault_at(faults) != NULL)
            faults++;
        for (size_t i = 0; i < faults; i++)
            for (size_t k = 0; k <= i; k++) {
                const size_t pair[2] = {i, k};
                struct rig r = {.answer_n = 0};
                uint8_t raw[40];
                struct buf atr = BUF_OF(raw);

                ck_ok(card_open(&r.card, dir, CARD_MEMORY, &e));
                for (size_t j = 0; j < 2; j++) {
                    char spec[40];
                    const char *name = card_fault_at(pair[j])->name;

                    snprintf(spec, sizeof(spec), "%.*s%s", (int)strcspn(name, "["), name,
                             strncmp(name, "slow", 4) == 0 ? "=1" : "");
                    ck_ok(card_add_fault(r.card, spec, &e));
                }
                ck_ok(card_power_on(r.card, &atr));
                for (size_t j = 0; j < sizeof(commands) / sizeof(commands[0]); j++) {
                    const char *hex = commands[j][1] == '\0'
                                          ? (commands[j][0] == 'S' ? RIG_SELECT : RIG_GPO)
                                          : commands[j];
                    uint8_t in[300], out[FAULT_RESPONSE_MAX];
                    struct buf c = BUF_OF(in), a = BUF_OF(out);
                    char ac[400];
                    enum tp_err got;

                    if (hex[0] == 'A')
                        snprintf(ac, sizeof(ac), "80AE500059%s00", RIG_CDOL1);
                    else
                        snprintf(ac, sizeof(ac), "80AE400022%s%s00", RIG_ARC_00, RIG_CDOL2);
                    ck_ok(hex_decode(&c, hex[0] == 'A' || hex[0] == 'B' ? ac : hex));
                    got = card_transmit(r.card, buf_span(&c), &a);
                    ck_assert_msg(got == TP_ERR_CARD || (got == TP_OK && a.n >= 2),
                                  "%s with %s: %s", card_fault_at(i)->name, card_fault_at(k)->name,
                                  hex);
                }
                card_close(&r.card);
            }
        snprintf(command, sizeof(command), "rm -rf '%s'", dir);
        ck_assert_int_eq(system(command), 0);
    }
END_TEST

/* Before the tests fork, so that they share it. */
static void make_scheme(void)
{
    ck_assert_ptr_nonnull(rig_scheme());
}

static Suite *suite(void)
{
    Suite *s = suite_create("card_faults");
    TCase *t = tcase_create("card_faults");

    tcase_add_unchecked_fixture(t, make_scheme, NULL);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, certificates_that_fail);
    tcase_add_test(t, signatures_that_fail);
    tcase_add_loop_test(t, one_answer, 0, (int)(sizeof(answer_lines) / sizeof(answer_lines[0])));
    tcase_add_test(t, noise_of_any_length);
    tcase_add_test(t, each_fault_has_a_test_here);
    tcase_add_test(t, two_at_a_time);
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
