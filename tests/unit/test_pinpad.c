/* Part 10's structures, byte for byte. Where the values come from:
 * - the structure's fields and their order: PC/SC part 10, revision 2.02.09, 2.5.2, as also
 * pcsc-lite's reader.h lays it out;
 * - format string 89, block string 47, length format 04 for a PIN block "2N": the Belgian identity
 * card, whose PIN goes in that block, in its middleware;
 * - statuses 6400 to 6403 and 6B80, and the properties 02 10 07 00: ACS, APG8201-B2 reference
 * manual 1.00, 9.3.2 to 9.3.4;
 * - a feature list as libccid gives it: control codes 42 33 00 xx (blog.apdu.fr, "How to know the
 * PIN sizes supported by a pinpad reader?"). */
#include "unit.h"

#include "drivers/pinpad.h"

static const struct reader_pin emv = {.min = 4, .max = 12, .timeout_s = 60, .language = 0x040C};

static void ck_built(const struct reader_pin *ask, const struct pinpad_properties *p,
                     const char *hex)
{
    uint8_t raw[PINPAD_VERIFY_SIZE];
    struct buf out = BUF_OF(raw);

    ck_ok(pinpad_verify_build(&out, ask, p));
    ck_hex(buf_span(&out), hex);
}

START_TEST(the_structure)
    {
        const struct pinpad_properties plain = {0},
                                       display = {.lines = 2, .columns = 16, .conditions = 0x07};

        /* no display: no message */
        ck_built(&emv, &plain,
                 "3C3C894704"
                 "0C04"
                 "02"
                 "00"
                 "0C04"
                 "00"
                 "000000"
                 "0D000000"
                 "002000800820FFFFFFFFFFFFFF");
        /* with one: its message 0 */
        ck_built(&emv, &display,
                 "3C3C894704"
                 "0C04"
                 "02"
                 "01"
                 "0C04"
                 "00"
                 "000000"
                 "0D000000"
                 "002000800820FFFFFFFFFFFFFF");
    }
END_TEST

START_TEST(cut_to_what_the_reader_can)
    {
        const struct pinpad_properties eight = {.pin_min = 4, .pin_max = 8},
                                       six = {.pin_min = 6, .pin_max = 16},
                                       by_size = {.conditions = 0x05},
                                       none = {.pin_min = 1, .pin_max = 3};
        const struct reader_pin own = {.min = 4, .max = 12, .timeout_s = 0, .language = 0x0409};
        uint8_t raw[PINPAD_VERIFY_SIZE];
        struct buf out = BUF_OF(raw), small = {raw, 1, sizeof(raw)};

        ck_built(&emv, &eight,
                 "3C3C894704"
                 "0804"
                 "02"
                 "00"
                 "0C04"
                 "00"
                 "000000"
                 "0D000000"
                 "002000800820FFFFFFFFFFFFFF");
        ck_built(&emv, &six,
                 "3C3C894704"
                 "0C06"
                 "02"
                 "00"
                 "0C04"
                 "00"
                 "000000"
                 "0D000000"
                 "002000800820FFFFFFFFFFFFFF");
        ck_built(&emv, &by_size,
                 "3C3C894704"
                 "0C04"
                 "05"
                 "00"
                 "0C04"
                 "00"
                 "000000"
                 "0D000000"
                 "002000800820FFFFFFFFFFFFFF");
        ck_built(&own, &by_size,
                 "0000894704"
                 "0C04"
                 "05"
                 "00"
                 "0904"
                 "00"
                 "000000"
                 "0D000000"
                 "002000800820FFFFFFFFFFFFFF");
        ck_assert_int_eq(pinpad_verify_build(&out, &emv, &none), TP_ERR_RANGE);
        ck_assert_uint_eq(out.n, 0);
        ck_assert_int_eq(pinpad_verify_build(&small, &emv, &eight), TP_ERR_RANGE);
    }
END_TEST

START_TEST(features)
    {
        struct pinpad_features f;
        UNHEX(direct, "060442330006"
                      "0A044233000A"
                      "120442330012"
                      "130442000001");
        UNHEX(steps, "010442330001"
                     "050442330005"
                     "020442330002"
                     "0B044233000B");
        UNHEX(start_only, "010442330001");
        UNHEX(odd,
              "06024233"
              "060442330006"); /* a length that is not 4 is passed over, what follows is not lost */
        UNHEX(broken, "060442330006"
                      "0A0442");

        ck_ok(pinpad_features_parse(&f, direct));
        ck_assert_uint_eq(f.verify_direct, 0x42330006);
        ck_assert_uint_eq(f.pin_properties, 0x4233000A);
        ck_assert_uint_eq(f.tlv_properties, 0x42330012);
        ck_assert(pinpad_can_verify(&f) && f.verify_start == 0 && f.abort == 0);
        ck_ok(pinpad_features_parse(&f, steps));
        ck_assert(f.verify_direct == 0 && f.verify_start == 0x42330001 &&
                  f.verify_finish == 0x42330002 && f.key_pressed == 0x42330005);
        ck_assert(f.abort == 0x4233000B && pinpad_can_verify(&f));
        ck_ok(pinpad_features_parse(&f, start_only));
        ck_assert(!pinpad_can_verify(&f));
        ck_ok(pinpad_features_parse(&f, odd));
        ck_assert_uint_eq(f.verify_direct, 0x42330006);
        ck_assert_int_eq(pinpad_features_parse(&f, broken), TP_ERR_FORMAT);
        ck_assert_uint_eq(f.verify_direct, 0x42330006);
        ck_ok(pinpad_features_parse(&f, (struct span){NULL, 0}));
        ck_assert(!pinpad_can_verify(&f));
    }
END_TEST

START_TEST(properties)
    {
        struct pinpad_properties p = {0};
        UNHEX(acs, "10020700"); /* wLcdLayout 0210: two lines of 16 */
        UNHEX(none, "000002");  /* no display, and no bTimeOut2 at all */
        UNHEX(tlv, "01021002"
                   "020107"
                   "030101"
                   "04021000"
                   "05020200"
                   "060104"
                   "070108"
                   "0A0408000100"
                   "0B02E608"
                   "0C027834"
                   "08034142"
                   "43"
                   "7F00");
        UNHEX(broken, "060104"
                      "0702");

        ck_ok(pinpad_pin_properties_parse(&p, acs));
        ck_assert(p.lines == 2 && p.columns == 16 && p.conditions == 7 &&
                  !p.distinguishes_timeouts);
        p = (struct pinpad_properties){0};
        ck_ok(pinpad_pin_properties_parse(&p, none));
        ck_assert(p.lines == 0 && p.conditions == PINPAD_KEY);
        ck_assert_int_eq(pinpad_pin_properties_parse(&p, span_of(acs.p, 2)), TP_ERR_FORMAT);
        p = (struct pinpad_properties){0};
        ck_ok(pinpad_tlv_properties_parse(&p, tlv));
        ck_assert(p.lines == 2 && p.columns == 16 && p.conditions == 7 &&
                  p.distinguishes_timeouts && p.pin_min == 4 && p.pin_max == 8);
        ck_assert_uint_eq(p.max_apdu, 65544);
        ck_assert(p.vendor == 0x08E6 && p.product == 0x3478);
        ck_assert_int_eq(pinpad_tlv_properties_parse(&p, broken), TP_ERR_FORMAT);
    }
END_TEST

START_TEST(outcomes)
    {
        static const struct {
            const char *answer;
            enum reader_pin_end end;
            uint16_t sw;
        } rows[] = {
            {"9000", READER_PIN_SENT, 0x9000}, {"63C2", READER_PIN_SENT, 0x63C2},
            {"6983", READER_PIN_SENT, 0x6983}, {"6400", READER_PIN_TIMEOUT, 0},
            {"6401", READER_PIN_CANCELLED, 0}, {"6402", READER_PIN_MISMATCH, 0},
            {"6403", READER_PIN_LENGTH, 0},    {"6B80", READER_PIN_REFUSED, 0},
        };
        enum reader_pin_end end;
        uint16_t sw;

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            uint8_t raw[2];
            struct buf b = BUF_OF(raw);

            ck_ok(hex_decode(&b, rows[i].answer));
            const struct span answer = buf_span(&b);

            ck_ok(pinpad_outcome(&end, &sw, answer));
            ck_assert_int_eq(end, rows[i].end);
            ck_assert_uint_eq(sw, rows[i].sw);
            ck_assert_int_eq(pinpad_outcome(&end, &sw, span_of(answer.p, 1)), TP_ERR_FORMAT);
        }
        ck_assert(pinpad_key_ends(0x0D) && pinpad_key_ends(0x1B) && pinpad_key_ends(0x0E) &&
                  !pinpad_key_ends(0x2B) && !pinpad_key_ends(0x00) && !pinpad_key_ends(0x08));
    }
END_TEST

START_TEST(language)
    {
        ck_assert_uint_eq(pinpad_language(span_str("fr")), 0x040C);
        ck_assert_uint_eq(pinpad_language(span_str("FRen")), 0x040C);
        ck_assert_uint_eq(pinpad_language(span_str("eude")),
                          0x0407); /* Basque is not in the table: the next */
        ck_assert_uint_eq(pinpad_language(span_str("e")), 0x0409);
        ck_assert_uint_eq(pinpad_language((struct span){NULL, 0}), 0x0409);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("pinpad");
    TCase *t = tcase_create("pinpad");

    tcase_add_test(t, the_structure);
    tcase_add_test(t, cut_to_what_the_reader_can);
    tcase_add_test(t, features);
    tcase_add_test(t, properties);
    tcase_add_test(t, outcomes);
    tcase_add_test(t, language);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
