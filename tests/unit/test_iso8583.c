/* ISO 8583: packing by hand, by another program's vectors, and what is refused. */
#include "unit.h"

#include <stdio.h>

#include "wire/iso8583.h"

#define ck_packs(m, hex_text)                                                                      \
    do {                                                                                           \
        uint8_t room_[ISO8583_MAX];                                                                \
        struct buf out_ = BUF_OF(room_);                                                           \
        struct tp_error e_ = {TP_OK, ""};                                                          \
        ck_assert_msg(iso8583_pack(&out_, (m), &e_) == TP_OK, "%s", e_.text);                      \
        ck_hex(buf_span(&out_), (hex_text));                                                       \
    } while (0)

static void ck_refused(const char *hex, const char *sentence)
{
    static struct iso8583 m;
    struct tp_error e = {TP_OK, ""};
    uint8_t raw[512];
    struct buf b = BUF_OF(raw);

    ck_ok(hex_decode(&b, hex));
    ck_assert_int_eq(iso8583_unpack(&m, buf_span(&b), &e), TP_ERR_FORMAT);
    ck_assert_str_eq(e.text, sentence);
}

static struct iso8583 m; /* large: not on the stack of each test */

START_TEST(table_is_whole)
    {
        for (unsigned i = 0; i < 200; i++) {
            const struct iso8583_field *f = iso8583_field(i);

            ck_assert_msg((f != NULL) == (i >= 2 && i <= 128), "field %u", i);
            if (f == NULL)
                continue;
            ck_assert_uint_ge(f->max, 1);
            ck_assert(f->length_digits == 0 || (f->length_digits == 2 && f->max <= 99) ||
                      (f->length_digits == 3 && f->max <= 999));
            ck_assert(f->format != ISO_XN || f->length_digits == 0);
        }
    }
END_TEST

/* Packed by hand from the rules of doc/protocol.md. */
START_TEST(echo_by_hand)
    {
        iso8583_start(&m, 800);
        iso8583_set_text(&m, 7, "1123091500");
        iso8583_set_number(&m, 11, 42);
        iso8583_set_number(&m, 70, 301);
        ck_packs(&m, "0800"             /* MTI */
                     "8220000000000000" /* 1, 7, 11 */
                     "0400000000000000" /* 70 */
                     "1123091500"
                     "000042"
                     "0301"); /* n 3: a zero nibble at the left */
    }
END_TEST

START_TEST(payment_by_hand)
    {
        UNHEX(de55, "9F2608A1A2A3A4A5A6A7A8");

        iso8583_start(&m, 200);
        iso8583_set_text(&m, 2, "9990140000000000012");
        iso8583_set_number(&m, 4, 1250);
        iso8583_set_text(&m, 22, "051");
        iso8583_set_text(&m, 41, "00000001");
        iso8583_set_text(&m, 42, "123");
        iso8583_set_text(&m, 44, "SDAD_HASH");
        iso8583_set_text(&m, 49, "978");
        iso8583_set(&m, 55, de55);
        iso8583_set_text(&m, 97, "D0000000000001250");
        ck_packs(&m, "0200"
                     "D000040000D08200"       /* 1 2 4 22 41 42 44 49 55 */
                     "0000000080000000"       /* 97 */
                     "1999901400000000000120" /* 19 digits, then a zero nibble at the right */
                     "000000001250"           /* n 12 */
                     "0051"                   /* n 3 */
                     "3030303030303031"       /* ans 8 */
                     "313233202020202020202020202020" /* ans 15, spaces at the right */
                     "09534441445F48415348"           /* LLVAR */
                     "393738"                         /* IF_CHAR 3 */
                     "00119F2608A1A2A3A4A5A6A7A8"     /* LLLBINARY */
                     "440000000000001250");           /* x+n 16: 'D' and BCD */
    }
END_TEST

START_TEST(track2_keeps_its_separator)
    {
        struct tp_error e;

        iso8583_start(&m, 100);
        iso8583_set_text(&m, 35, "9990140000000015=3012201");
        ck_packs(&m, "01000000000020000000249990140000000015D3012201");
        UNHEX(good, "01000000000020000000249990140000000015D3012201");
        ck_ok(iso8583_unpack(&m, good, &e));
        ck_assert(span_eq(m.field[35], span_str("9990140000000015=3012201")));
    }
END_TEST

/* tests/vectors/iso8583.txt is made by tests/tools/iso8583_vectors.py, which packs by itself. */
static void check_line(char *line)
{
    uint8_t raw[ISO8583_MAX];
    struct buf b = BUF_OF(raw);
    struct tp_error e = {TP_OK, ""};
    char *save = NULL, *hex = strtok_r(line, " |\n", &save), *word;
    unsigned fields = 0, present = 0;

    ck_ok(hex_decode(&b, hex));
    ck_assert_msg(iso8583_unpack(&m, buf_span(&b), &e) == TP_OK, "%s", e.text);
    ck_assert_uint_eq(m.mti, (unsigned)atoi(strtok_r(NULL, " |\n", &save)));
    while ((word = strtok_r(NULL, " \n", &save)) != NULL) {
        char *value = strchr(word, '=') + 1;
        const unsigned number = (unsigned)atoi(word);

        fields++;
        if (strncmp(value, "x'", 2) == 0) {
            value[strlen(value) - 1] = '\0';
            ck_hex(m.field[number], value + 2);
        } else {
            ck_assert_msg(span_eq(m.field[number], span_str(value)), "field %u is not %s", number,
                          value);
        }
    }
    for (unsigned i = 2; i < ISO8583_FIELDS; i++)
        present += iso8583_has(&m, i);
    ck_assert_uint_eq(present, fields);
    ck_packs(&m, hex);
}

START_TEST(same_as_the_second_statement)
    {
        char path[512], *line = NULL;
        size_t cap = 0;
        unsigned lines = 0;

        snprintf(path, sizeof(path), "%s/vectors/iso8583.txt", getenv("TESTS_SRCDIR"));
        FILE *f = fopen(path, "r");
        ck_assert_ptr_nonnull(f);
        while (getline(&line, &cap, f) > 0) {
            check_line(line);
            lines++;
        }
        ck_assert_uint_eq(lines, 40);
        free(line);
        fclose(f);
    }
END_TEST

START_TEST(errors_name_field_offset_and_want)
    {
        ck_refused("", "offset 0: wanted 2 bytes, 0 are left");
        ck_refused("0A00", "offset 0: wanted a message type of four decimal digits");
        ck_refused("02001000", "offset 2: wanted 8 bytes, 2 are left");
        ck_refused("02009000000000000000", "offset 2: wanted 16 bytes, 8 are left");
        ck_refused("020090000000000000000000000000000000000000001250",
                   "offset 10: wanted a field in the second bitmap");
        ck_refused("020010000000000000000000000012",
                   "field 4 (amount, transaction) at offset 10: wanted 6 bytes, 5 are left");
        ck_refused("0200100000000000000000000000125A",
                   "field 4 (amount, transaction) at offset 10: wanted decimal digits");
        ck_refused("02001000000000000000000000001250FF", "offset 16: wanted the end");
        ck_refused(
            "020000000400000000001051",
            "field 22 (point of service entry mode) at offset 10: wanted a padding nibble of zero");
        ck_refused("0200400000000000000020", "field 2 (primary account number) at offset 10: "
                                             "wanted a length of at most 19 in decimal digits");
        ck_refused("020040000000000000001A", "field 2 (primary account number) at offset 10: "
                                             "wanted a length of at most 19 in decimal digits");
        ck_refused(
            "02004000000000000000031239",
            "field 2 (primary account number) at offset 11: wanted a padding nibble of zero");
    }
END_TEST

START_TEST(text_is_text)
    {
        ck_refused("0210000000000200000001FF",
                   "field 39 (response code) at offset 10: wanted letters, digits and spaces");
        ck_refused("0210000000000010000003410A42",
                   "field 44 (additional response data) at offset 11: wanted printable ASCII");
        ck_refused("05108000000000000000000000008000000058",
                   "field 97 (amount, net settlement) at offset 18: wanted C or D");
    }
END_TEST

START_TEST(every_cut_is_refused)
    {
        UNHEX(whole, "0200D000040000D08200000000008000000019999014000000000001200000000012500051303"
                     "03030303030313132332020202020202020202020"
                     "2009534441445F4841534839373800119F2608A1A2A3A4A5A6A7A8440000000000001250");
        struct tp_error e;

        ck_ok(iso8583_unpack(&m, whole, &e));
        for (size_t n = 0; n < whole.n; n++)
            ck_assert_int_eq(iso8583_unpack(&m, span_of(whole.p, n), &e), TP_ERR_FORMAT);
    }
END_TEST

/* What a setter met first stays, names its field, keeps later ones from doing anything and fails
 * the packing. */
static void ck_fault(enum tp_err fault, unsigned number, const char *value)
{
    uint8_t room[64];
    struct buf out = BUF_OF(room);
    struct tp_error e;
    char field[16];

    iso8583_set_text(&m, 7, "1123091500");
    ck_ok(iso8583_fault(&m, &e));
    iso8583_set_text(&m, number, value);
    snprintf(field, sizeof(field), "field %u ", number);
    ck_assert_int_eq(iso8583_fault(&m, &e), fault);
    ck_assert_int_eq(e.code, fault);
    ck_assert_ptr_nonnull(strstr(e.text, field));
    iso8583_set_text(&m, 11, "000042");
    iso8583_set_number(&m, 200, 1);
    iso8583_set(&m, 55, span_str("7"));
    ck_assert(!iso8583_has(&m, number) && !iso8583_has(&m, 11) && !iso8583_has(&m, 55));
    ck_assert_int_eq(iso8583_pack(&out, &m, &e), fault);
    ck_assert_ptr_nonnull(strstr(e.text, field));
    ck_assert_uint_eq(out.n, 0);
    iso8583_start(&m, 200);
}

START_TEST(setting_is_checked)
    {
        uint8_t small[20];
        struct buf out = BUF_OF(small);
        struct tp_error e;
        char text[4];
        uint64_t v;

        iso8583_start(&m, 200);
        ck_fault(TP_ERR_NOT_FOUND, 1, "1");
        ck_fault(TP_ERR_NOT_FOUND, 129, "1");
        ck_fault(TP_ERR_FORMAT, 4, "12.50");
        ck_fault(TP_ERR_RANGE, 4, "1234567890123");
        ck_fault(TP_ERR_RANGE, 97, "12");
        ck_fault(TP_ERR_FORMAT, 97, "X0000000000001250");
        iso8583_set(&m, 4, span_str("1250"));
        ck_assert_int_eq(iso8583_fault(&m, &e), TP_ERR_RANGE);
        iso8583_start(&m, 200);
        iso8583_set_text(&m, 44, "ATC_REPLAYED");
        ck_assert_int_eq(iso8583_text(&m, 44, text, sizeof(text)), TP_ERR_RANGE);
        ck_assert_int_eq(iso8583_text(&m, 39, text, sizeof(text)), TP_ERR_NOT_FOUND);
        ck_assert_int_eq(iso8583_number(&m, 44, &v), TP_ERR_FORMAT);
        iso8583_set_number(&m, 4, 999999999999);
        ck_ok(iso8583_number(&m, 4, &v));
        ck_assert_uint_eq(v, 999999999999);
        ck_assert_int_eq(iso8583_pack(&out, &m, &e), TP_ERR_RANGE);
        ck_assert_uint_eq(out.n, 0);
        m.mti = 10000;
        ck_assert_int_eq(iso8583_pack(&out, &m, &e), TP_ERR_RANGE);
    }
END_TEST

START_TEST(trailing_spaces_go)
    {
        char text[16];

        iso8583_start(&m, 200);
        iso8583_set_text(&m, 42, "SHOP 7");
        ck_assert_uint_eq(m.field[42].n, 15);
        ck_ok(iso8583_text(&m, 42, text, sizeof(text)));
        ck_assert_str_eq(text, "SHOP 7");
    }
END_TEST

START_TEST(instants_are_utc)
    {
        char text[16];

        iso8583_start(&m, 200);
        iso8583_set_instant(&m, 1795425300); /* 2026-11-23 09:15:00 */
        ck_ok(iso8583_text(&m, 7, text, sizeof(text)));
        ck_assert_str_eq(text, "1123091500");
    }
END_TEST

START_TEST(traces_hide_the_card)
    {
        UNHEX(pin, "0102030405060708");
        char line[200];

        iso8583_start(&m, 200);
        iso8583_set_text(&m, 2, "9990140000000015");
        iso8583_set_text(&m, 3, "000000");
        iso8583_set_text(&m, 35, "9990140000000015=3012201");
        iso8583_set(&m, 52, pin);
        ck_assert_str_eq(iso8583_trace(line, sizeof(line), &m),
                         "0200 2=999014******0015 3=000000 35=[24 bytes] 52=[8 bytes]");
        ck_assert_str_eq(iso8583_trace(line, 12, &m), "0200 2=9990");
    }
END_TEST

START_TEST(evidence_in_pieces)
    {
        static const size_t sizes[] = {0, 1, 999, 1000, 1998, 2997};
        static uint8_t bytes[ISO8583_EVIDENCE_MAX + 1], room[ISO8583_EVIDENCE_MAX];

        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)(i * 7);
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            struct buf out = BUF_OF(room);

            iso8583_start(&m, 200);
            iso8583_evidence_split(&m, span_of(bytes, sizes[i]));
            for (unsigned f = 61; f <= 63; f++)
                ck_assert_int_eq(iso8583_has(&m, f), sizes[i] > (f - 61) * 999);
            ck_ok(iso8583_evidence_join(&out, &m));
            ck_assert(span_eq(buf_span(&out), span_of(bytes, sizes[i])));
        }
        iso8583_start(&m, 200);
        iso8583_evidence_split(&m, SPAN_OF(bytes));
        ck_assert_int_eq(iso8583_fault(&m, NULL), TP_ERR_RANGE);
        ck_assert(!iso8583_has(&m, 61));
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("iso8583");
    TCase *t = tcase_create("iso8583");

    tcase_add_test(t, table_is_whole);
    tcase_add_test(t, echo_by_hand);
    tcase_add_test(t, payment_by_hand);
    tcase_add_test(t, track2_keeps_its_separator);
    tcase_add_test(t, same_as_the_second_statement);
    tcase_add_test(t, errors_name_field_offset_and_want);
    tcase_add_test(t, text_is_text);
    tcase_add_test(t, every_cut_is_refused);
    tcase_add_test(t, setting_is_checked);
    tcase_add_test(t, trailing_spaces_go);
    tcase_add_test(t, instants_are_utc);
    tcase_add_test(t, traces_hide_the_card);
    tcase_add_test(t, evidence_in_pieces);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
