/* The reader interface over a scripted card in process; what is expected of 61xx and 6Cxx: EMV 4.3
 * Book 1, 9.3.1 and Annex A. */
#include "unit.h"

#include <stdio.h>

#include "apdu/sw.h"
#include "drivers/inproc.h"
#include "drivers/pcsc_priv.h"

struct step { /* what must come, what goes back; NULL: anything, and the last step is repeated for
                 ever */
    const char *command, *answer;
};

struct script {
    const struct step *steps;
    size_t n, at;
    unsigned powered_on, powered_off;
    bool gone;
};

static enum tp_err script_on(void *ctx, struct buf *atr)
{
    struct script *s = ctx;

    if (s->gone)
        return TP_ERR_CARD;
    s->powered_on++;
    return hex_decode(atr, "3B 00");
}

static void script_off(void *ctx)
{
    ((struct script *)ctx)->powered_off++;
}

static enum tp_err script_transmit(void *ctx, struct span command, struct buf *response)
{
    struct script *s = ctx;
    const struct step *step = &s->steps[s->at];

    ck_assert_uint_lt(s->at, s->n);
    if (step->command != NULL) {
        uint8_t want[32];
        struct buf b = BUF_OF(want);

        ck_ok(hex_decode(&b, step->command));
        ck_assert(span_eq(command, buf_span(&b)));
        s->at++;
    }
    return step->answer == NULL ? TP_ERR_CARD : hex_decode(response, step->answer);
}

static struct inproc_card card_of(struct script *s)
{
    return (struct inproc_card){s, script_on, script_transmit, script_off};
}

/* For T=0 the same card under a driver that says so. */
static enum tp_err t0_wait(void *self, int timeout_ms, struct tp_error *e)
{
    (void)self, (void)timeout_ms, (void)e;
    return TP_OK;
}

static enum tp_err t0_connect(void *self, struct tp_error *e)
{
    (void)self, (void)e;
    return TP_OK;
}

static enum tp_err t0_transmit(void *self, struct span command, struct buf *response,
                               struct tp_error *e)
{
    (void)e;
    return script_transmit(self, command, response);
}

static void t0_end(void *self)
{
    (void)self;
}

static bool t0_yes(void *self)
{
    (void)self;
    return true;
}

static const struct reader_driver t0_driver = {
    .name = "t0",
    .wait_card = t0_wait,
    .connect = t0_connect,
    .transmit = t0_transmit,
    .reset = t0_connect,
    .disconnect = t0_end,
    .close = t0_end,
    .is_t0 = t0_yes,
};

struct run { /* one command over a script, and what came of it */
    enum tp_err rc;
    uint16_t sw;
    struct tp_error e;
    uint8_t bytes[600];
    struct buf response;
    struct reader_counts counts;
};

static void run_in(struct run *r, bool t0, const struct step *steps, size_t n,
                   const struct capdu *c, size_t cap)
{
    struct script script = {.steps = steps, .n = n};
    const struct inproc_card card = card_of(&script);
    struct reader *reader = NULL;

    memset(r, 0, sizeof(*r));
    r->response = (struct buf){r->bytes, 0, cap};
    ck_ok(t0 ? reader_new(&reader, &t0_driver, &script, "t0") : inproc_open(&reader, &card));
    ck_ok(reader_connect(reader, NULL));
    r->rc = reader_transmit(reader, c, &r->response, &r->sw, &r->e);
    r->counts = reader_counts(reader);
    reader_close(&reader);
    ck_assert_ptr_null(reader);
    if (steps[n - 1].command != NULL && r->rc == TP_OK)
        ck_assert_uint_eq(script.at, n); /* all that was expected came */
}

#define RUN(r, t0, steps, c)                                                                       \
    run_in((r), t0, steps, sizeof(steps) / sizeof(steps[0]), c, sizeof((r)->bytes))

static const struct capdu gpo = {
    .cla = 0x80, .ins = 0xA8, .data = {(const uint8_t *)"\x83\x00", 2}, .le = 256};
static const struct capdu read_record = {.ins = 0xB2, .p1 = 1, .p2 = 0x0C, .le = 256};

START_TEST(an_answer_in_one_piece)
    {
        static const struct step steps[] = {{"00 B2 01 0C 00", "70 01 AA 90 00"}};
        struct run r;

        RUN(&r, false, steps, &read_record);
        ck_ok(r.rc);
        ck_assert_uint_eq(r.sw, SW_OK);
        ck_hex(buf_span(&r.response), "7001AA");
        ck_assert_uint_eq(r.counts.exchanges, 1);
        ck_assert_uint_eq(r.counts.bytes_out, 5);
        ck_assert_uint_eq(r.counts.bytes_in, 5);
    }
END_TEST

START_TEST(a_chain_of_61xx_is_followed_with_class_00)
    {
        static const struct step steps[] = {{"80 A8 00 00 02 83 00 00", "61 02"},
                                            {"00 C0 00 00 02", "77 02 61 00"},
                                            {"00 C0 00 00 00", "AB CD 61 01"},
                                            {"00 C0 00 00 01", "EF 62 83"}};
        struct run r;

        RUN(&r, false, steps, &gpo);
        ck_ok(r.rc);
        ck_assert_uint_eq(r.sw, 0x6283); /* the last word is the command's */
        ck_hex(buf_span(&r.response), "7702ABCDEF");
        ck_assert_uint_eq(r.counts.exchanges, 4);
    }
END_TEST

START_TEST(a_chain_of_61xx_has_an_end)
    {
        static const struct step empty[] = {{NULL, "61 10"}};
        static const struct step full[] = {{NULL, "01 02 03 04 61 10"}};
        struct run r;

        RUN(&r, false, empty, &gpo);
        ck_assert_int_eq(r.rc, TP_ERR_CARD);
        ck_assert_ptr_nonnull(strstr(r.e.text, "never ends"));
        ck_assert_uint_le(r.counts.exchanges, 400);
        RUN(&r, false, full, &gpo);
        ck_assert_int_eq(r.rc, TP_ERR_CARD); /* the buffer of 600 is full first */
        ck_assert_uint_eq(r.counts.exchanges, 151);
        ck_assert_uint_eq(r.response.n, 0);
    }
END_TEST

START_TEST(a_6cxx_gives_the_length_once)
    {
        static const struct step good[] = {{"00 B2 01 0C 00", "6C 03"},
                                           {"00 B2 01 0C 03", "70 01 AA 90 00"}};
        static const struct step again[] = {{"00 B2 01 0C 00", "6C 03"},
                                            {"00 B2 01 0C 03", "6C 04"}};
        static const struct step in_chain[] = {{"80 A8 00 00 02 83 00 00", "61 05"},
                                               {"00 C0 00 00 05", "6C 02"},
                                               {"00 C0 00 00 02", "77 00 90 00"}};
        static const struct step no_le[] = {{"00 20 00 80 02 83 00", "6C 03"}};
        const struct capdu verify = {.ins = 0x20, .p2 = 0x80, .data = gpo.data};
        struct run r;

        RUN(&r, false, good, &read_record);
        ck_ok(r.rc);
        ck_hex(buf_span(&r.response), "7001AA");
        RUN(&r, false, again, &read_record);
        ck_ok(r.rc);
        ck_assert_uint_eq(r.sw, 0x6C04); /* an outcome, for the caller to judge */
        RUN(&r, false, in_chain, &gpo);
        ck_ok(r.rc);
        ck_hex(buf_span(&r.response), "7700");
        RUN(&r, false, no_le, &verify);
        ck_ok(r.rc);
        ck_assert_uint_eq(r.sw, 0x6C03);
    }
END_TEST

START_TEST(an_oversized_answer_is_a_fault_of_the_card)
    {
        static const struct step steps[] = {{NULL, "01 02 03 04 05 06 07 08 90 00"}};
        struct run r;

        run_in(&r, false, steps, 1, &read_record, 7);
        ck_assert_int_eq(r.rc, TP_ERR_CARD);
        ck_assert_uint_eq(r.response.n, 0);
        ck_assert_uint_eq(r.bytes[0], 0);
        run_in(&r, false, steps, 1, &read_record, 8);
        ck_ok(r.rc);
    }
END_TEST

START_TEST(an_answer_without_status_word_is_a_fault_of_the_card)
    {
        static const struct step one[] = {{NULL, "90"}}, none[] = {{NULL, ""}},
                                 mute[] = {{NULL, NULL}};
        struct run r;

        RUN(&r, false, one, &read_record);
        ck_assert_int_eq(r.rc, TP_ERR_CARD);
        RUN(&r, false, none, &read_record);
        ck_assert_int_eq(r.rc, TP_ERR_CARD);
        RUN(&r, false, mute, &read_record);
        ck_assert_int_eq(r.rc, TP_ERR_CARD);
        ck_assert_uint_gt(strlen(r.e.text), 0);
    }
END_TEST

START_TEST(t0_gets_its_own_form)
    {
        static const struct step case4[] = {{"80 A8 00 00 02 83 00", "61 02"},
                                            {"00 C0 00 00 02", "77 00 90 00"}};
        static const struct step case2[] = {{"00 B2 01 0C 00", "6C 02"},
                                            {"00 B2 01 0C 02", "70 00 90 00"}};
        static const struct step case1[] = {{"80 18 00 00 00", "90 00"}};
        /* EMV 4.3 Book 1, Annex A: a case 4 command with a warning */
        static const struct step warning[] = {{"80 A8 00 00 02 83 00", "62 83"},
                                              {"00 C0 00 00 00", "6C 02"},
                                              {"00 C0 00 00 02", "77 00 90 00"}};
        static const struct step no_data[] = {{"80 A8 00 00 02 83 00", "63 00"},
                                              {"00 C0 00 00 00", "69 85"}};
        static const struct step verify_fails[] = {{"00 20 00 80 02 83 00", "63 C2"}};
        const struct capdu unblock = {.cla = 0x80, .ins = 0x18},
                           verify = {.ins = 0x20, .p2 = 0x80, .data = gpo.data};
        struct run r;

        RUN(&r, true, case4, &gpo);
        ck_hex(buf_span(&r.response), "7700");
        ck_assert_uint_eq(r.sw, SW_OK);
        RUN(&r, true, case2, &read_record);
        ck_hex(buf_span(&r.response), "7000");
        RUN(&r, true, case1, &unblock);
        ck_assert_uint_eq(r.sw, SW_OK);
        RUN(&r, true, warning, &gpo);
        ck_hex(buf_span(&r.response), "7700");
        ck_assert_uint_eq(r.sw, 0x6283);
        RUN(&r, true, no_data, &gpo);
        ck_ok(r.rc);
        ck_assert_uint_eq(r.sw, 0x6300);
        RUN(&r, true, verify_fails, &verify); /* case 3: nothing waits */
        ck_assert_uint_eq(r.sw, 0x63C2);
    }
END_TEST

static void note(void *ctx, struct span command, struct span response)
{
    char *text = ctx, hex[128];

    strcat(strcat(text, hex_encode(hex, command)), ">");
    strcat(strcat(text, hex_encode(hex, response)), " ");
}

START_TEST(the_trace_sees_each_exchange)
    {
        static const struct step steps[] = {{"00 B2 01 0C 00", "6C 01"},
                                            {"00 B2 01 0C 01", "AA 90 00"}};
        struct script script = {.steps = steps, .n = 2};
        const struct inproc_card card = card_of(&script);
        struct reader *reader = NULL;
        char seen[256] = "";
        uint8_t raw[16];
        struct buf response = BUF_OF(raw);
        uint16_t sw;

        ck_ok(inproc_open(&reader, &card));
        reader_set_trace(reader, note, seen);
        ck_ok(reader_connect(reader, NULL));
        ck_ok(reader_transmit(reader, &read_record, &response, &sw, NULL));
        ck_assert_str_eq(seen, "00B2010C00>6C01 00B2010C01>AA9000 ");
        reader_close(&reader);
    }
END_TEST

START_TEST(a_card_is_powered_between_connect_and_disconnect)
    {
        static const struct step steps[] = {{NULL, "90 00"}};
        struct script script = {.steps = steps, .n = 1};
        const struct inproc_card card = card_of(&script);
        struct reader *reader = NULL;
        struct tp_error e;
        uint8_t raw[16];
        struct buf response = BUF_OF(raw);
        uint16_t sw;

        ck_ok(inproc_open(&reader, &card));
        ck_ok(reader_wait_card(reader, 0, &e));
        ck_assert_uint_eq(reader_atr(reader).n, 0);
        ck_assert_int_eq(reader_transmit(reader, &read_record, &response, &sw, &e),
                         TP_ERR_INTERNAL);
        ck_assert_int_eq(reader_reset(reader, &e), TP_ERR_INTERNAL);
        ck_ok(reader_connect(reader, &e));
        ck_assert_int_eq(reader_connect(reader, &e), TP_ERR_INTERNAL);
        ck_hex(reader_atr(reader), "3B00");
        ck_ok(reader_reset(reader, &e));
        reader_disconnect(reader);
        reader_disconnect(reader);
        ck_assert_uint_eq(script.powered_on, 2);
        ck_assert_uint_eq(script.powered_off, 2);
        script.gone = true;
        ck_assert_int_eq(reader_connect(reader, &e), TP_ERR_CARD);
        reader_close(&reader);
        ck_assert_uint_eq(script.powered_off, 2);
    }
END_TEST

START_TEST(the_table_of_pcsc_errors_is_in_order)
    {
        for (size_t i = 1; i < pcsc_error_count(); i++)
            ck_assert_uint_lt(pcsc_error_at(i - 1)->code, pcsc_error_at(i)->code);
        for (size_t i = 0; i < pcsc_error_count(); i++) {
            const struct pcsc_error *p = pcsc_error_at(i);

            ck_assert(p->err > TP_OK && p->err < TP_ERR_COUNT);
            ck_assert_uint_gt(strlen(p->words), 8);
            ck_assert(p->words[strlen(p->words) - 1] != '.');
        }
    }
END_TEST

START_TEST(every_pcsc_error_a_user_can_meet_has_words)
    {
        static const struct {
            LONG code; /* by the names of winscard.h */
            enum tp_err err;
            const char *says;
        } met[] = {
            {SCARD_E_NO_SERVICE, TP_ERR_NO_READER, "not running"},
            {SCARD_E_SERVICE_STOPPED, TP_ERR_NO_READER, "stopped"},
            {SCARD_F_COMM_ERROR, TP_ERR_NO_READER, "stopped answering"},
            {SCARD_E_NO_READERS_AVAILABLE, TP_ERR_NO_READER, "plug one in"},
            {SCARD_E_UNKNOWN_READER, TP_ERR_NO_READER, "not plugged in"},
            {SCARD_E_READER_UNAVAILABLE, TP_ERR_NO_READER, "unplugged"},
            {SCARD_E_NO_SMARTCARD, TP_ERR_NO_CARD,
             "insert it or name another reader with --reader"},
            {SCARD_E_TIMEOUT, TP_ERR_NO_CARD, "insert"},
            {SCARD_E_SHARING_VIOLATION, TP_ERR_STATE, "held by another program"},
            {SCARD_W_REMOVED_CARD, TP_ERR_CARD, "taken out"},
            {SCARD_E_NOT_TRANSACTED, TP_ERR_CARD, "taken out?"},
            {SCARD_W_UNPOWERED_CARD, TP_ERR_CARD, "lost power"},
            {SCARD_W_UNRESPONSIVE_CARD, TP_ERR_CARD, "upside down"},
            {SCARD_W_UNSUPPORTED_CARD, TP_ERR_CARD, "bank card"},
            {SCARD_W_RESET_CARD, TP_ERR_CARD, "reset by another program"},
            {SCARD_E_PROTO_MISMATCH, TP_ERR_CARD, "protocol"},
            {SCARD_W_SECURITY_VIOLATION, TP_ERR_STATE, "may not use"},
            {SCARD_E_NO_ACCESS, TP_ERR_STATE, "may not use"},
            {SCARD_E_CANCELLED, TP_ERR_CANCELLED, "cancelled"},
            {SCARD_E_NO_MEMORY, TP_ERR_NO_MEMORY, "memory"},
            {SCARD_F_INTERNAL_ERROR, TP_ERR_INTERNAL, "0x80100001"},
            {(LONG)0x801000FF, TP_ERR_INTERNAL, "0x801000FF"},
        };
        struct tp_error e;

        for (size_t i = 0; i < sizeof(met) / sizeof(met[0]); i++) {
            ck_assert_int_eq(pcsc_fail(&e, met[i].code, NULL), met[i].err);
            ck_assert_int_eq(e.code, met[i].err);
            ck_assert_msg(strstr(e.text, met[i].says) != NULL, "%08X: %s", (unsigned)met[i].code,
                          e.text);
            ck_assert_int_eq(pcsc_fail(&e, met[i].code, "ACME 00 00"), met[i].err);
            ck_assert_ptr_eq(strstr(e.text, "reader \"ACME 00 00\": "), e.text);
            ck_assert_int_eq(pcsc_fail(NULL, met[i].code, "ACME 00 00"), met[i].err);
        }
        ck_assert(pcsc_service_lost(SCARD_F_COMM_ERROR) &&
                  pcsc_service_lost(SCARD_E_NO_SERVICE)); /* doc/design.md, pcscd */
        ck_assert(!pcsc_service_lost(SCARD_W_REMOVED_CARD));
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("reader");
    TCase *t = tcase_create("reader");

    tcase_add_test(t, an_answer_in_one_piece);
    tcase_add_test(t, a_chain_of_61xx_is_followed_with_class_00);
    tcase_add_test(t, a_chain_of_61xx_has_an_end);
    tcase_add_test(t, a_6cxx_gives_the_length_once);
    tcase_add_test(t, an_oversized_answer_is_a_fault_of_the_card);
    tcase_add_test(t, an_answer_without_status_word_is_a_fault_of_the_card);
    tcase_add_test(t, t0_gets_its_own_form);
    tcase_add_test(t, the_trace_sees_each_exchange);
    tcase_add_test(t, a_card_is_powered_between_connect_and_disconnect);
    tcase_add_test(t, the_table_of_pcsc_errors_is_in_order);
    tcase_add_test(t, every_pcsc_error_a_user_can_meet_has_words);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
