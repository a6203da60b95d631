/* The driver's inside (drivers/ccid_slot.c) over a reader made of messages
 * (tests/tools/ccid_double.c), which holds what comes to the CCID specification 1.1: power and
 * protocol, the three exchange levels, the keypad, and every way in which a reader can go wrong.
 * The same reader behind real libusb: tests/system/ccid_driver.c. */
#include "unit.h"

#include "../tools/ccid_double.h"
#include "base/date.h"
#include "drivers/ccid_slot.h"

/* ---- the card: answers by its INS ---- */

struct app {
    unsigned commands;
    uint8_t last[T1_CARD_APDU_MAX];
    size_t last_n;
};

static enum tp_err app_on(void *ctx, struct buf *atr)
{
    (void)ctx;
    return hex_decode(atr, "3B 00"); /* each test gives the double its own */
}

static void app_off(void *ctx)
{
    (void)ctx;
}

/* READ RECORD: P1 bytes of A5; VERIFY: right for 1234; GET CHALLENGE with P1 P2: that many bytes;
 * others: what came, back. */
static enum tp_err app_transmit(void *ctx, struct span c, struct buf *out)
{
    struct app *a = ctx;

    a->commands++;
    memcpy(a->last, c.p, c.n);
    a->last_n = c.n;
    switch (c.p[1]) {
    case 0xB2:
        ck_ok(buf_fill(out, 0xA5, c.p[2]));
        return hex_decode(out, "9000");
    case 0x84:
        for (unsigned i = 0; i < (unsigned)(c.p[2] << 8 | c.p[3]); i++)
            ck_ok(buf_u8(out, (uint8_t)i));
        return hex_decode(out, "9000");
    case 0x20:
        return hex_decode(
            out, c.n == 13 && memcmp(c.p + 5, "\x24\x12\x34\xFF\xFF\xFF\xFF\xFF", 8) == 0 ? "9000"
                                                                                          : "63C2");
    default:
        ck_ok(buf_put(out, c));
        return hex_decode(out, "6283");
    }
}

/* ---- the pipe ---- */

struct bench {
    struct ccid_double d;
    struct app app;
    struct ccid_slot slot;
    struct ccid_pipe pipe;
    struct tp_error e;
    uint8_t bytes[70000];
    struct buf response;
};

static enum tp_err pipe_write(void *ctx, struct span message, struct tp_error *e)
{
    return double_take(&((struct bench *)ctx)->d, message)
               ? TP_OK
               : tp_fail(e, TP_ERR_NO_READER, "stalled");
}

static enum tp_err pipe_read(void *ctx, struct buf *message, int timeout_ms, struct tp_error *e)
{
    struct bench *b = ctx;
    bool stalls;

    ck_assert_int_ge(timeout_ms, b->slot.whole_ms < 1000 ? 1 : 1000);
    ck_assert_int_le(timeout_ms, 120000);
    if (double_give(&b->d, message, &stalls))
        return TP_OK;
    if (stalls || b->d.unplugged)
        return tp_fail(e, TP_ERR_NO_READER, stalls ? "stalled" : "unplugged");
    return tp_fail(e, TP_ERR_TIMEOUT, "nothing came");
}

static enum tp_err pipe_abort(void *ctx, uint8_t slot, uint8_t seq)
{
    (void)slot, (void)seq;
    ((struct bench *)ctx)->d.aborts += 100;
    return TP_OK;
}

static struct bench *begin(const struct double_config *c)
{
    struct bench *b = calloc(1, sizeof(*b));
    struct inproc_card app;
    struct ccid_descriptor d;
    uint8_t raw[54];

    ck_assert_ptr_nonnull(b);
    app = (struct inproc_card){&b->app, app_on, app_transmit, app_off};
    double_start(&b->d, c, &app);
    if (b->d.c.atr == NULL)
        b->d.c.atr = c->t0 ? "3B 00" : "3B E0 00 00 81 31 FE 45 EB";
    double_descriptor(c, raw);
    ck_ok(ccid_descriptor_parse(&d, SPAN_OF(raw)));
    b->pipe = (struct ccid_pipe){b, pipe_write, pipe_read, pipe_abort};
    b->response = BUF_OF(b->bytes);
    ck_ok(ccid_slot_start(&b->slot, &b->pipe, &d, (uint8_t)(c->slots - 1)));
    return b;
}

static struct bench *begin_on(const struct double_config *c)
{
    struct bench *b = begin(c);

    ck_assert_msg(ccid_slot_power_on(&b->slot, &b->e) == TP_OK, "%s", b->e.text);
    return b;
}

static void end(struct bench *b)
{
    ccid_slot_end(&b->slot);
    free(b);
}

static enum tp_err send(struct bench *b, struct span command)
{
    b->response.n = 0;
    return ccid_slot_transmit(&b->slot, command, &b->response, &b->e);
}

static enum tp_err send_hex(struct bench *b, const char *hex)
{
    uint8_t raw[300];
    struct buf c = BUF_OF(raw);

    ck_ok(hex_decode(&c, hex));
    return send(b, buf_span(&c));
}

static const enum double_level levels[] = {DOUBLE_TPDU, DOUBLE_SHORT, DOUBLE_EXTENDED};

/* ---- power and protocol ---- */

START_TEST(power_goes_from_five_volts_down)
    {
        struct double_config c;
        struct bench *b;

        double_defaults(&c, DOUBLE_SHORT);
        c.voltages = 7;
        c.card_voltages = 4; /* only 1.8 V */
        b = begin_on(&c);
        ck_assert_uint_eq(b->d.power_ons, 3);
        ck_assert_uint_eq(b->d.power_select, 3);
        ck_assert_uint_eq(b->d.power_offs, 2);
        ck_ok(ccid_slot_power_on(&b->slot, &b->e)); /* warm reset: at the same voltage */
        ck_assert_uint_eq(b->d.power_ons, 4);
        ck_assert_uint_eq(b->d.power_select, 3);
        end(b);
        c.power_error = 0xFB; /* the card draws too much at 5 V, which the reader calls a fault of
                                 its hardware: CCID 1.1, table 6.2-2 */
        b = begin_on(&c);
        ck_assert_uint_eq(b->d.power_select, 3);
        end(b);
        c.power_error = 0;
        c.voltages = 3;
        b = begin(&c);
        ck_assert_int_eq(ccid_slot_power_on(&b->slot, &b->e), TP_ERR_CARD);
        ck_assert_uint_eq(b->d.power_ons, 2);
        end(b);
        c.features |= CCID_AUTO_VOLTAGE;
        b = begin_on(&c);
        ck_assert_uint_eq(b->d.power_select, 0);
        ck_assert_uint_eq(b->d.power_ons, 1);
        end(b);
    }
END_TEST

START_TEST(no_card_and_no_atr)
    {
        struct double_config c;
        enum ccid_icc icc;
        struct bench *b;

        double_defaults(&c, DOUBLE_SHORT);
        b = begin(&c);
        ck_ok(ccid_slot_status(&b->slot, &icc, &b->e));
        ck_assert_int_eq(icc, CCID_ICC_INACTIVE);
        double_insert(&b->d, false);
        ck_ok(ccid_slot_status(&b->slot, &icc, &b->e));
        ck_assert_int_eq(icc, CCID_ICC_ABSENT);
        ck_assert_int_eq(ccid_slot_power_on(&b->slot, &b->e), TP_ERR_CARD);
        ck_assert_ptr_nonnull(strstr(b->e.text, "taken out"));
        end(b);
        c.atr = "3B 80 01 80";
        b = begin(&c);
        ck_assert_int_eq(ccid_slot_power_on(&b->slot, &b->e), TP_ERR_CARD);
        ck_assert_ptr_nonnull(strstr(b->e.text, "check byte (TCK) is wrong"));
        ck_assert(!b->d.powered);
        end(b);
    }
END_TEST

START_TEST(protocol_and_speed)
    {
        static const struct {
            const char *atr;
            uint8_t protocols;
            uint32_t features, rate_max;
            bool refuses;
            unsigned protocol;
            const char *pps,
                *parameters; /* of which the first two bytes are FindexDindex and TCCKS */
        } rows[] = {
            /* the card's own default protocol and speed: no PPS (ISO/IEC 7816-3, 6.3.1) */
            {"3B E0 00 00 81 31 FE 45 EB", 3, 0x30, 344086, false, 1, "",
             "11100045"
             "00FE00"},
            {"3B 00", 3, 0x30, 344086, false, 0, "", "1100000A00"},
            /* TA1 95 (512/16): 125000 bit/s at 4 MHz, the reader goes that fast */
            {"3B 10 95", 3, 0x30, 344086, false, 0, "FF10957A", "9500000A00"},
            {"3B 10 95", 3, 0x30, 100000, false, 0, "", "1100000A00"}, /* it does not */
            {"3B 10 95", 3, 0x10, 344086, false, 0, "",
             "1100000A00"}, /* it changes no speed by itself */
            {"3B 10 95", 3, 0xB0, 344086, false, 0, "", "9500000A00"}, /* it makes the PPS itself */
            {"3B 10 95", 3, 0x30, 344086, true, 0, "",
             "1100000A00"}, /* the card refuses: reset, slowly */
            {"3B 80 80 01 01", 3, 0x30, 344086, false, 0, "",
             "1100000A00"}, /* T=0 and T=1: the first */
            {"3B 80 80 01 01", 2, 0x30, 344086, false, 1, "FF01FE",
             "1110004D002000"}, /* a reader of T=1 only */
            {"3B 90 95 10 00", 3, 0x30, 344086, false, 0, "",
             "9500000A00"}, /* specific mode: TA1 at once */
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct double_config c;
            struct bench *b;
            char hex[32];

            double_defaults(&c, DOUBLE_TPDU);
            c.atr = rows[i].atr;
            c.protocols = rows[i].protocols;
            c.features = rows[i].features | 0x400;
            c.rate_max = rows[i].rate_max;
            c.refuses_pps = rows[i].refuses;
            c.t0 = rows[i].protocol == 0;
            b = begin_on(&c);
            ck_assert_msg(b->slot.protocol == rows[i].protocol, "row %zu: T=%u", i,
                          b->slot.protocol);
            ck_assert_msg(strcmp(hex_encode(hex, span_of(b->d.pps, b->d.pps_n)), rows[i].pps) == 0,
                          "row %zu: PPS %s", i, hex);
            ck_assert_msg(strcmp(hex_encode(hex, span_of(b->d.parameters, b->d.parameters_n)),
                                 rows[i].parameters) == 0,
                          "row %zu: %s", i, hex);
            ck_assert_uint_eq(b->d.power_ons, rows[i].refuses ? 2 : 1);
            end(b);
        }
    }
END_TEST

/* A reader that takes APDUs and makes no PPS has no way to tell the card of another speed. */
START_TEST(no_speed_without_pps)
    {
        struct double_config c;
        struct bench *b;

        double_defaults(&c, DOUBLE_SHORT);
        c.atr = "3B 10 95";
        c.t0 = true;
        c.protocols = 3;
        c.rate_max = 344086;
        c.features = 0x30;
        b = begin_on(&c);
        ck_assert(b->d.parameters_n > 0 && b->d.parameters[0] == 0x11);
        end(b);
        c.features = 0xB0;
        b = begin_on(&c);
        ck_assert(b->d.parameters_n > 0 && b->d.parameters[0] == 0x95);
        end(b);
    }
END_TEST

START_TEST(a_reader_that_negotiates_by_itself_is_asked)
    {
        struct double_config c;
        struct bench *b;

        double_defaults(&c, DOUBLE_TPDU);
        c.features = 0x470;
        c.atr = "3B 80 80 01 01";
        b = begin_on(&c); /* the double chose T=1 */
        ck_assert_uint_eq(b->slot.protocol, 1);
        ck_assert_uint_eq(b->d.parameters_n, 0);
        ck_ok(send_hex(b, "00B2010C00"));
        ck_hex(buf_span(&b->response), "A59000");
        end(b);
    }
END_TEST

START_TEST(a_protocol_that_the_reader_does_not_speak)
    {
        struct double_config c;
        struct bench *b;

        double_defaults(&c, DOUBLE_TPDU);
        c.protocols = 2;
        c.atr = "3B 00";
        b = begin(&c);
        ck_assert_int_eq(ccid_slot_power_on(&b->slot, &b->e), TP_ERR_CARD);
        ck_assert_ptr_nonnull(strstr(b->e.text, "T=0"));
        ck_assert(!b->d.powered);
        end(b);
    }
END_TEST

/* ---- exchanges ---- */

START_TEST(short_exchanges_at_each_level)
    {
        for (unsigned i = 0; i < 6; i++) {
            struct double_config c;
            struct bench *b;

            double_defaults(&c, levels[i % 3]);
            c.t0 = i >= 3;
            c.wtx = i;
            b = begin_on(&c);
            ck_assert_int_eq(ccid_slot_is_t0(&b->slot), i == 3);
            if (i == 3) { /* T=0 as reader.c forms it */
                ck_ok(send_hex(b, "00B2030C00"));
                ck_hex(buf_span(&b->response), "6C03");
            }
            ck_ok(send_hex(b, i == 3 ? "00B2030C03" : "00B2030C00"));
            ck_hex(buf_span(&b->response), "A5A5A59000");
            ck_ok(send_hex(b, "00B2FF0CFF"));
            ck_assert_uint_eq(b->response.n, 257);
            ck_ok(send_hex(b, i == 3 ? "80A8000002 8300" : "80A8000002 8300 00"));
            ck_hex(buf_span(&b->response), i == 3 ? "6108" : "80A80000028300006283");
            end(b);
        }
    }
END_TEST

START_TEST(long_commands_and_answers)
    {
        static uint8_t command[7 + 3000 + 2] = {0x00, 0xD0, 0, 0, 0, 3000 >> 8, 3000 & 0xFF};
        static const uint8_t challenge[] = {0x00, 0x84, 0x7F, 0xFF, 0, 0, 0};

        for (size_t i = 7; i < sizeof(command) - 2; i++)
            command[i] = (uint8_t)(i * 31);
        for (unsigned i = 0; i < 2;
             i++) { /* T=1 at TPDU level chains by blocks, extended APDU level by messages */
            struct double_config c;
            struct bench *b;

            double_defaults(&c, i == 0 ? DOUBLE_TPDU : DOUBLE_EXTENDED);
            b = begin_on(&c);
            ck_ok(send(b, SPAN_OF(command)));
            ck_assert_uint_eq(b->app.last_n, sizeof(command));
            ck_assert(memcmp(b->app.last, command, sizeof(command)) == 0);
            ck_assert_uint_eq(b->response.n, sizeof(command) + 2);
            ck_assert(memcmp(b->bytes, command, sizeof(command)) == 0);
            ck_ok(send(b, SPAN_OF(challenge)));
            ck_assert_uint_eq(b->response.n, 0x7FFF + 2);
            for (unsigned k = 0; k < 0x7FFF; k++)
                if (b->bytes[k] != (uint8_t)k)
                    ck_abort_msg("byte %u", k);
            b->response.cap = 1000; /* no more than there is room for */
            ck_assert_int_eq(send(b, SPAN_OF(challenge)), TP_ERR_CARD);
            end(b);
        }
    }
END_TEST

START_TEST(what_a_reader_cannot_carry_is_said)
    {
        static const uint8_t command[300] = {0x00, 0xD0, 0, 0, 0, 1, 0x22};
        struct double_config c;
        struct bench *b;

        double_defaults(&c, DOUBLE_SHORT);
        b = begin_on(&c);
        ck_assert_int_eq(send(b, SPAN_OF(command)), TP_ERR_NO_READER);
        ck_assert_ptr_nonnull(strstr(b->e.text, "short APDUs of at most 261"));
        end(b);
        double_defaults(&c, DOUBLE_TPDU);
        c.t0 = true;
        b = begin_on(&c);
        ck_assert_int_eq(send(b, SPAN_OF(command)), TP_ERR_NO_READER);
        end(b);
    }
END_TEST

START_TEST(small_messages_make_small_blocks)
    {
        struct double_config c;
        struct bench *b;

        double_defaults(&c, DOUBLE_TPDU); /* a reader of 64 bytes a message: there are such */
        c.max_message = 64;
        b = begin_on(&c);
        ck_assert_uint_eq(b->slot.t1.ifsd, 50);
        ck_ok(send_hex(b, "00B2FF0C00"));
        ck_assert_uint_eq(b->response.n, 257);
        end(b);
        double_defaults(&c, DOUBLE_EXTENDED);
        c.max_message = 64;
        b = begin_on(&c);
        ck_ok(send_hex(b, "00B2FF0C00"));
        ck_assert_uint_eq(b->response.n, 257);
        end(b);
        double_defaults(&c, DOUBLE_TPDU); /* what the reader says about blocks */
        c.max_ifsd = 0;
        b = begin_on(&c);
        ck_assert_uint_eq(b->slot.t1.ifsd, 32);
        ck_ok(send_hex(b, "00B2FF0C00"));
        end(b);
    }
END_TEST

/* ---- the keypad ---- */

START_TEST(a_pin_from_the_keypad)
    {
        const struct reader_pin pin = {.min = 4, .max = 12, .timeout_s = 30, .language = 0x0409};

        for (unsigned i = 0; i < 4; i++) {
            struct double_config c;
            enum reader_pin_end pin_end;
            uint16_t sw = 0;
            struct bench *b;

            double_defaults(&c, levels[i % 3]);
            c.t0 = i == 3;
            c.keypad = true;
            c.display = i == 1;
            c.wtx = i == 0 ? 2 : 0;
            b = begin_on(&c);
            ck_ok(ccid_slot_verify_pin(&b->slot, &pin, &pin_end, &sw, &b->e));
            ck_assert_int_eq(pin_end, READER_PIN_SENT);
            ck_assert_uint_eq(sw, 0x9000);
            ck_hex(span_of(b->app.last, b->app.last_n), "0020008008241234FFFFFFFFFF");
            ck_assert_uint_eq(b->d.secure[8],
                              i == 1 ? 1 : 0); /* a message where there is a display */
            b->d.typed = "9999";
            ck_ok(ccid_slot_verify_pin(&b->slot, &pin, &pin_end, &sw, &b->e));
            ck_assert_int_eq(pin_end, READER_PIN_SENT);
            ck_assert_uint_eq(sw, 0x63C2);
            ck_ok(send_hex(b, i == 3 ? "00B2010C01"
                                     : "00B2010C00")); /* the numbers of blocks went on */
            ck_hex(buf_span(&b->response), "A59000");
            b->d.typed = "cancel";
            ck_ok(ccid_slot_verify_pin(&b->slot, &pin, &pin_end, &sw, &b->e));
            ck_assert_int_eq(pin_end, READER_PIN_CANCELLED);
            b->d.typed = "nothing";
            ck_ok(ccid_slot_verify_pin(&b->slot, &pin, &pin_end, &sw, &b->e));
            ck_assert_int_eq(pin_end, READER_PIN_TIMEOUT);
            b->d.typed = "12,mismatch,1234567890123"; /* too short, not the same twice, too long */
            ck_ok(ccid_slot_verify_pin(&b->slot, &pin, &pin_end, &sw, &b->e));
            ck_assert_int_eq(pin_end, READER_PIN_LENGTH);
            ck_ok(ccid_slot_verify_pin(&b->slot, &pin, &pin_end, &sw, &b->e));
            ck_assert_int_eq(pin_end, READER_PIN_MISMATCH);
            ck_ok(ccid_slot_verify_pin(&b->slot, &pin, &pin_end, &sw, &b->e));
            ck_assert_int_eq(pin_end, READER_PIN_LENGTH);
            b->d.typed = "refuse";
            ck_ok(ccid_slot_verify_pin(&b->slot, &pin, &pin_end, &sw, &b->e));
            ck_assert_int_eq(pin_end, READER_PIN_REFUSED);
            ck_assert_uint_eq(b->app.commands, 3); /* none of these reached the card */
            b->d.typed = "1234";
            ck_ok(ccid_slot_verify_pin(&b->slot, &pin, &pin_end, &sw, &b->e));
            ck_assert_uint_eq(sw, 0x9000);
            b->d.fault = DOUBLE_CARD_OUT;
            b->d.fault_at = 1;
            ck_assert_int_eq(ccid_slot_verify_pin(&b->slot, &pin, &pin_end, &sw, &b->e),
                             TP_ERR_CARD);
            b->slot.d.pin_verify = false;
            ck_ok(ccid_slot_verify_pin(&b->slot, &pin, &pin_end, &sw, &b->e));
            ck_assert_int_eq(pin_end, READER_PIN_REFUSED);
            end(b);
        }
    }
END_TEST

/* ---- what goes wrong ---- */

START_TEST(every_fault_of_a_reader_at_each_level)
    {
        static const struct {
            enum double_fault fault;
            enum tp_err rc, rc_t1; /* at TPDU level with T=1, where some are mended */
            const char *says;
        } rows[] = {
            {DOUBLE_STALL_OUT, TP_ERR_NO_READER, TP_ERR_NO_READER, "stalled"},
            {DOUBLE_STALL_IN, TP_ERR_NO_READER, TP_ERR_NO_READER, "stalled"},
            {DOUBLE_SHORT_IN, TP_ERR_NO_READER, TP_ERR_NO_READER, "cut short"},
            {DOUBLE_STRAY_SEQ, TP_OK, TP_OK, ""},
            {DOUBLE_WRONG_SEQ, TP_ERR_NO_READER, TP_ERR_NO_READER, "does not answer"},
            {DOUBLE_WRONG_TYPE, TP_ERR_NO_READER, TP_ERR_NO_READER, "another kind"},
            {DOUBLE_TIME, TP_OK, TP_OK, ""},
            {DOUBLE_SILENT, TP_ERR_NO_READER, TP_ERR_NO_READER, "does not answer"},
            {DOUBLE_UNPLUGGED, TP_ERR_NO_READER, TP_ERR_NO_READER, "unplugged"},
            {DOUBLE_CARD_OUT, TP_ERR_CARD, TP_ERR_CARD, "taken out"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
            for (unsigned l = 0; l < 3; l++) {
                const enum tp_err want = l == 0 ? rows[i].rc_t1 : rows[i].rc;
                struct double_config c;
                struct bench *b;

                double_defaults(&c, levels[l]);
                b = begin(&c);
                b->d.c.features |= 0x400;
                b->slot.d.features |=
                    0x400; /* no S(IFS) exchange: the first command is the first */
                ck_ok(ccid_slot_power_on(&b->slot, &b->e));
                b->d.fault = rows[i].fault;
                b->d.fault_at = 1;
                ck_assert_msg(send_hex(b, "00B2030C00") == want, "fault %d, level %u: %s",
                              rows[i].fault, l, b->e.text);
                ck_assert_msg(want == TP_OK || strstr(b->e.text, rows[i].says) != NULL,
                              "fault %d: %s", rows[i].fault, b->e.text);
                ck_assert_uint_eq(b->response.n, want == TP_OK ? 5 : 0);
                ck_assert_uint_eq(
                    b->app.commands,
                    rows[i].fault == DOUBLE_STALL_OUT || rows[i].fault == DOUBLE_CARD_OUT ? 0 : 1);
                if (rows[i].fault == DOUBLE_SILENT)
                    ck_assert_uint_eq(b->d.aborts,
                                      101); /* the request on the control pipe, then the message */
                if (want != TP_OK && !b->d.unplugged &&
                    b->d.inserted) { /* reader and computer are in step again */
                    ck_ok(ccid_slot_power_on(&b->slot, &b->e));
                    ck_ok(send_hex(b, "00B2020C00"));
                    ck_hex(buf_span(&b->response), "A5A59000");
                }
                end(b);
            }
    }
END_TEST

START_TEST(line_errors_are_mended_by_t1_and_told_elsewhere)
    {
        static const uint8_t mended[] = {0xFE, 0xFD, 0xFC};

        for (size_t i = 0; i < sizeof(mended); i++)
            for (unsigned l = 0; l < 3; l++) {
                struct double_config c;
                struct bench *b;

                double_defaults(&c, levels[l]);
                b = begin_on(&c);
                b->d.fault = DOUBLE_ERROR;
                b->d.error = mended[i];
                b->d.fault_at = 1;
                ck_assert_int_eq(send_hex(b, "00B2030C00"), l == 0 ? TP_OK : TP_ERR_CARD);
                ck_assert_uint_eq(b->app.commands, 1);
                end(b);
            }
    }
END_TEST

START_TEST(time_extensions_and_empty_packets_are_passed_over)
    {
        struct double_config c;
        struct bench *b;

        double_defaults(&c, DOUBLE_SHORT);
        b = begin_on(&c);
        b->d.fault = DOUBLE_TIME;
        b->d.fault_at = 1;
        ck_ok(send_hex(b, "00B2030C00"));
        ck_hex(buf_span(&b->response), "A5A5A59000");
        b->d.fault = DOUBLE_WHOLE_PACKETS;
        ck_ok(send_hex(b, "00B2030C00"));
        ck_ok(send_hex(b, "00B2030C00"));
        end(b);
    }
END_TEST

/* The total of a command is its end, whether the reader asks for more time in messages or the card
 * in blocks of T=1. */
START_TEST(more_time_is_not_given_for_ever)
    {
        for (unsigned l = 0; l < 3; l++)
            for (unsigned by_card = 0; by_card <= (l == 0); by_card++) {
                struct double_config c;
                struct bench *b;
                int64_t before;

                double_defaults(&c, levels[l]);
                c.wtx = by_card ? 1000000 : 0;
                b = begin_on(&c);
                b->slot.whole_ms = by_card ? 1 : 200;
                b->d.fault = by_card ? DOUBLE_WELL : DOUBLE_FOR_EVER;
                b->d.fault_at = 1;
                before = time_monotonic_ms();
                ck_assert_int_ne(send_hex(b, "00B2030C00"), TP_OK);
                ck_assert_int_lt(time_monotonic_ms() - before, 5000);
                if (!by_card) {
                    ck_assert_int_ge(time_monotonic_ms() - before, 200);
                    ck_assert_ptr_nonnull(strstr(b->e.text, "more time for ever"));
                    ck_assert_uint_eq(b->d.aborts, 101);
                    ck_ok(ccid_slot_power_on(&b->slot, &b->e)); /* in step again */
                    ck_ok(send_hex(b, "00B2020C00"));
                }
                end(b);
            }
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("ccid");
    TCase *t = tcase_create("ccid");

    tcase_add_test(t, power_goes_from_five_volts_down);
    tcase_add_test(t, no_card_and_no_atr);
    tcase_add_test(t, protocol_and_speed);
    tcase_add_test(t, no_speed_without_pps);
    tcase_add_test(t, a_reader_that_negotiates_by_itself_is_asked);
    tcase_add_test(t, a_protocol_that_the_reader_does_not_speak);
    tcase_add_test(t, short_exchanges_at_each_level);
    tcase_add_test(t, long_commands_and_answers);
    tcase_add_test(t, what_a_reader_cannot_carry_is_said);
    tcase_add_test(t, small_messages_make_small_blocks);
    tcase_add_test(t, a_pin_from_the_keypad);
    tcase_add_test(t, every_fault_of_a_reader_at_each_level);
    tcase_add_test(t, line_errors_are_mended_by_t1_and_told_elsewhere);
    tcase_add_test(t, time_extensions_and_empty_packets_are_passed_over);
    tcase_add_test(t, more_time_is_not_given_for_ever);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
