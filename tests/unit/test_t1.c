/* T=1 by the scenarios of ISO/IEC 7816-3, Annex A, written as there: I(N(S),M), R(N(R)), S(…). The
 * LRC of what is expected is made here, by itself; CRC values are those that ISO/IEC 14443-3, Annex
 * B, prints for the same code (CRC_B). At the end a card of another hand (tests/tools/t1_card.c)
 * over a line that disturbs blocks by chance: whatever happens, a command is carried out at most
 * once, and an answer is right or none. */
#include "unit.h"

#include <stdio.h>

#include "../tools/t1_card.h"
#include "drivers/t1.h"

struct step { /* what must come, what goes back */
    const char *out, *in;
};

struct script {
    const struct step *steps;
    size_t n, at;
    uint8_t wtx; /* of the last block */
};

/* "I(1,0) 9000", "R(0)", "R(1) edc", "S(WTX?) 02", "S(WTX!) 02", "bad …": its LRC is wrong; "mute";
 * "raw 00…". */
static size_t block(uint8_t *raw, const char *text)
{
    const bool bad = strncmp(text, "bad ", 4) == 0;
    const char *p = bad ? text + 4 : text, *hex = strchr(p, ' ');
    static const char *const s[] = {"RESYNCH", "IFS", "ABORT", "WTX"};
    uint8_t inf[300];
    struct buf b = BUF_OF(inf);
    uint8_t lrc = 0;
    size_t n;

    if (strcmp(p, "mute") == 0)
        return 0;
    if (hex != NULL && p[0] != 'R')
        ck_ok(hex_decode(&b, hex));
    if (strncmp(p, "raw", 3) == 0) {
        memcpy(raw, inf, b.n);
        return b.n;
    }
    raw[0] = 0;
    raw[2] = (uint8_t)b.n;
    memcpy(raw + 3, inf, b.n);
    if (p[0] == 'I')
        raw[1] = (uint8_t)((p[2] == '1' ? 0x40 : 0) | (p[4] == '1' ? 0x20 : 0));
    else if (p[0] == 'R')
        raw[1] = (uint8_t)(0x80 | (p[2] == '1' ? 0x10 : 0) |
                           (hex == NULL                ? 0
                            : strcmp(hex, " edc") == 0 ? 1
                                                       : 2));
    else
        for (unsigned i = 0; i < 4; i++)
            if (strncmp(p + 2, s[i], strlen(s[i])) == 0)
                raw[1] = (uint8_t)(0xC0 | (p[2 + strlen(s[i])] == '!' ? 0x20 : 0) | i);
    n = 3 + b.n;
    for (size_t i = 0; i < n; i++)
        lrc ^= raw[i];
    raw[n] = bad ? lrc ^ 0x10 : lrc;
    return n + 1;
}

static enum tp_err play(void *ctx, uint8_t wtx, struct span out, struct buf *answer,
                        struct tp_error *e)
{
    struct script *s = ctx;
    uint8_t raw[320];
    char have[600], want[640];

    (void)e;
    s->wtx = wtx;
    ck_assert_msg(s->at < s->n, "one block too many: %s", hex_encode(have, out));
    hex_encode(want, span_of(raw, block(raw, s->steps[s->at].out)));
    ck_assert_msg(strcmp(hex_encode(have, out), want) == 0, "step %zu, %s: %s, not %s", s->at + 1,
                  s->steps[s->at].out, have, want);
    return buf_put(answer, span_of(raw, block(raw, s->steps[s->at++].in)));
}

struct played {
    enum tp_err rc;
    struct t1 t;
    struct tp_error e;
    uint8_t bytes[1024];
    struct buf response;
    uint8_t wtx;
};

#define IFSC 4 /* so that a command of six bytes takes two blocks */

static void run(struct played *p, const char *command, const struct step *steps, size_t n)
{
    struct script script = {.steps = steps, .n = n};
    const struct t1_link link = {&script, play, NULL};
    uint8_t raw[64];
    struct buf c = BUF_OF(raw);

    memset(p, 0, sizeof(*p));
    p->response = BUF_OF(p->bytes);
    ck_ok(hex_decode(&c, command));
    t1_start(&p->t, &link, IFSC, false);
    p->rc = t1_transmit(&p->t, buf_span(&c), &p->response, &p->e);
    ck_assert_msg(script.at == n, "%zu of %zu blocks: %s", script.at, n, p->e.text);
    p->wtx = script.wtx;
}

#define PLAY(p, command, ...)                                                                      \
    do {                                                                                           \
        static const struct step steps_[] = {__VA_ARGS__};                                         \
        run(p, command, steps_, sizeof(steps_) / sizeof(steps_[0]));                               \
    } while (0)

START_TEST(exchange_of_i_blocks)
    {
        struct played p;
        static const struct step more[] = {{"I(1,0) 05", "I(1,0) 9001"},
                                           {"I(0,0) 06", "I(0,0) 9002"}};
        struct script script = {.steps = more, .n = 2};
        const struct t1_link link = {&script, play, NULL};

        PLAY(&p, "01020304", {"I(0,0) 01020304", "I(0,0) 9000"});
        ck_ok(p.rc);
        ck_hex(buf_span(&p.response), "9000");
        p.t.link = &link; /* numbers go on from command to command */
        ck_ok(t1_transmit(&p.t, span_str("\x05"), &p.response, &p.e));
        ck_ok(t1_transmit(&p.t, span_str("\x06"), &p.response, &p.e));
        ck_hex(buf_span(&p.response), "900090019002");
        ck_assert_uint_eq(p.t.blocks, 3);
        ck_assert_uint_eq(p.t.errors, 0);
    }
END_TEST

START_TEST(waiting_time_extension)
    {
        struct played p;

        PLAY(&p, "01", {"I(0,0) 01", "S(WTX?) 03"}, {"S(WTX!) 03", "I(0,0) 9000"});
        ck_ok(p.rc);
        ck_assert_uint_eq(p.wtx, 3); /* the block that follows may take three waiting times */
        PLAY(&p, "01", {"I(0,0) 01", "S(WTX?) 03"}, {"S(WTX!) 03", "S(WTX?) 02"},
             {"S(WTX!) 02", "I(0,1) 90"}, {"R(1)", "I(1,0) 00"});
        ck_ok(p.rc);
        ck_assert_uint_eq(p.wtx, 0);
        ck_hex(buf_span(&p.response), "9000");
    }
END_TEST

START_TEST(information_field_sizes)
    {
        static const struct step agreed[] = {{"S(IFS?) FE", "S(IFS!) FE"}};
        static const struct step late[] = {
            {"S(IFS?) FE", "mute"}, {"S(IFS?) FE", "bad S(IFS!) FE"}, {"S(IFS?) FE", "S(IFS!) FE"}};
        static const struct step never[] = {
            {"S(IFS?) FE", "S(IFS!) FD"}, {"S(IFS?) FE", "R(0)"}, {"S(IFS?) FE", "S(IFS?) FE"}};
        struct script script = {.steps = agreed, .n = 1};
        const struct t1_link link = {&script, play, NULL};
        struct played p;
        struct t1 t;

        t1_start(&t, &link, 254, false);
        ck_assert_uint_eq(t.ifsd, 32);
        ck_ok(t1_set_ifsd(&t, 254, &p.e));
        ck_assert_uint_eq(t.ifsd, 254);
        script = (struct script){.steps = late, .n = 3};
        t1_start(&t, &link, 254, false);
        ck_ok(t1_set_ifsd(&t, 254, &p.e));
        script = (struct script){.steps = never, .n = 3};
        t1_start(&t, &link, 254, false);
        ck_assert_int_eq(t1_set_ifsd(&t, 254, &p.e), TP_ERR_CARD);
        ck_assert_uint_eq(t.ifsd, 32);
        /* the card asks for another size in the middle of a chain: the next block has it */
        PLAY(&p, "0102030405060708", {"I(0,1) 01020304", "S(IFS?) 02"}, {"S(IFS!) 02", "R(1)"},
             {"I(1,1) 0506", "R(0)"}, {"I(0,0) 0708", "I(0,0) 9000"});
        ck_ok(p.rc);
        ck_assert_uint_eq(p.t.ifsc, 2);
        PLAY(&p, "01", {"I(0,0) 01", "S(IFS?) 00"}, {"R(0) other", "S(IFS?) FF"},
             {"R(0) other", "I(0,0) 9000"}); /* 00 and FF are reserved */
        ck_ok(p.rc);
    }
END_TEST

START_TEST(chaining_both_ways)
    {
        struct played p;

        PLAY(&p, "010203040506070809", {"I(0,1) 01020304", "R(1)"}, {"I(1,1) 05060708", "R(0)"},
             {"I(0,0) 09", "I(0,0) 9000"});
        ck_ok(p.rc);
        PLAY(&p, "01", {"I(0,0) 01", "I(0,1) AA"}, {"R(1)", "I(1,1) BB"}, {"R(0)", "I(0,0) 9000"});
        ck_ok(p.rc);
        ck_hex(buf_span(&p.response), "AABB9000");
        PLAY(&p, "0102030405", {"I(0,1) 01020304", "R(1)"}, {"I(1,0) 05", "I(0,1) AA"},
             {"R(1)", "I(1,0) 9000"});
        ck_ok(p.rc);
        ck_hex(buf_span(&p.response), "AA9000");
    }
END_TEST

START_TEST(an_i_block_is_lost_on_its_way)
    {
        struct played p;

        PLAY(&p, "01", {"I(0,0) 01", "R(0) edc"}, {"I(0,0) 01", "I(0,0) 9000"}); /* to the card */
        ck_ok(p.rc);
        ck_assert_uint_eq(p.t.errors, 1);
        PLAY(&p, "01", {"I(0,0) 01", "bad I(0,0) 9000"},
             {"R(0) edc", "I(0,0) 9000"}); /* from the card */
        ck_ok(p.rc);
        PLAY(&p, "01", {"I(0,0) 01", "mute"}, {"R(0) other", "I(0,0) 9000"});
        ck_ok(p.rc);
        PLAY(&p, "01", {"I(0,0) 01", "I(1,0) 9000"},
             {"R(0) other", "I(0,0) 9000"}); /* a wrong number */
        ck_ok(p.rc);
        /* the card's request is lost too: it repeats it, and then gets the block */
        PLAY(&p, "01", {"I(0,0) 01", "bad R(0)"}, {"R(0) edc", "R(0) other"},
             {"I(0,0) 01", "I(0,0) 9000"});
        ck_ok(p.rc);
        /* our request is lost: the card asks for what it expects, its next; we ask again */
        PLAY(&p, "01", {"I(0,0) 01", "bad I(0,0) 9000"}, {"R(0) edc", "R(1) edc"},
             {"R(0) other", "I(0,0) 9000"});
        ck_ok(p.rc);
        ck_hex(buf_span(&p.response), "9000");
    }
END_TEST

START_TEST(blocks_of_a_chain_are_lost)
    {
        struct played p;

        PLAY(&p, "0102030405", {"I(0,1) 01020304", "R(0) edc"}, {"I(0,1) 01020304", "R(1)"},
             {"I(1,0) 05", "I(0,0) 9000"});
        ck_ok(p.rc);
        PLAY(&p, "0102030405", {"I(0,1) 01020304", "bad R(1)"}, {"R(0) edc", "R(1)"},
             {"I(1,0) 05", "I(0,0) 9000"});
        ck_ok(p.rc);
        PLAY(&p, "0102030405", {"I(0,1) 01020304", "R(1)"}, {"I(1,0) 05", "R(1) edc"},
             {"I(1,0) 05", "I(0,0) 9000"});
        ck_ok(p.rc);
        PLAY(&p, "01", {"I(0,0) 01", "I(0,1) AA"}, {"R(1)", "bad I(1,0) 9000"},
             {"R(1) edc", "I(1,0) 9000"});
        ck_ok(p.rc);
        ck_hex(buf_span(&p.response), "AA9000");
        PLAY(&p, "01", {"I(0,0) 01", "I(0,1) AA"}, {"R(1)", "R(1) edc"},
             {"R(1)", "I(1,0) 9000"}); /* our acknowledgement */
        ck_ok(p.rc);
        ck_hex(buf_span(&p.response), "AA9000");
        PLAY(&p, "01", {"I(0,0) 01", "I(0,1) AA"}, {"R(1)", "I(0,1) AA"},
             {"R(1) other", "I(1,0) 9000"}); /* the same block again counts once */
        ck_ok(p.rc);
        ck_hex(buf_span(&p.response), "AA9000");
        /* an answer before the command is whole is none */
        PLAY(&p, "0102030405", {"I(0,1) 01020304", "I(0,0) 9000"}, {"R(0) other", "R(1)"},
             {"I(1,0) 05", "I(0,0) 9000"});
        ck_ok(p.rc);
    }
END_TEST

START_TEST(supervisory_blocks_are_lost)
    {
        struct played p;

        PLAY(&p, "01", {"I(0,0) 01", "bad S(WTX?) 01"}, {"R(0) edc", "S(WTX?) 01"},
             {"S(WTX!) 01", "I(0,0) 9000"});
        ck_ok(p.rc);
        PLAY(&p, "01", {"I(0,0) 01", "S(WTX?) 01"}, {"S(WTX!) 01", "R(0) edc"},
             {"S(WTX!) 01", "I(0,0) 9000"}); /* the response is what is meant */
        ck_ok(p.rc);
        PLAY(&p, "01", {"I(0,0) 01", "S(WTX?) 01"}, {"S(WTX!) 01", "bad I(0,0) 9000"},
             {"R(0) edc", "I(0,0) 9000"});
        ck_ok(p.rc);
        PLAY(&p, "0102030405", {"I(0,1) 01020304", "S(WTX?) 01"}, {"S(WTX!) 01", "R(1)"},
             {"I(1,0) 05", "I(0,0) 9000"});
        ck_ok(p.rc);
    }
END_TEST

START_TEST(the_card_breaks_off)
    {
        struct played p;

        PLAY(&p, "0102030405", {"I(0,1) 01020304", "S(ABORT?)"}, {"S(ABORT!)", "R(1)"});
        ck_assert_int_eq(p.rc, TP_ERR_CARD);
        ck_assert_ptr_nonnull(strstr(p.e.text, "broke the command off"));
        ck_assert_uint_eq(p.t.ns, 1);
        PLAY(&p, "01", {"I(0,0) 01", "I(0,1) AA"}, {"R(1)", "S(ABORT?)"}, {"S(ABORT!)", "R(1)"});
        ck_assert_int_eq(p.rc, TP_ERR_CARD);
        ck_assert_uint_eq(p.response.n, 0);
        ck_assert_uint_eq(p.bytes[0], 0);
    }
END_TEST

START_TEST(after_three_attempts_both_begin_anew)
    {
        struct played p;

        PLAY(&p, "01", {"I(0,0) 01", "mute"}, {"R(0) other", "mute"}, {"R(0) other", "mute"},
             {"S(RESYNCH?)", "mute"}, {"S(RESYNCH?)", "S(RESYNCH!)"});
        ck_assert_int_eq(p.rc,
                         TP_ERR_CARD); /* not sent again by itself: it may have been carried out */
        ck_assert(p.t.ns == 0 && p.t.nr == 0 && p.t.ifsc == IFSC && p.t.ifsd == 32);
        PLAY(&p, "01", {"I(0,0) 01", "R(0)"}, {"I(0,0) 01", "R(0)"}, {"I(0,0) 01", "R(0)"},
             {"S(RESYNCH?)", "S(RESYNCH!)"});
        ck_assert_int_eq(p.rc, TP_ERR_CARD);
        PLAY(&p, "01", {"I(0,0) 01", "mute"}, {"R(0) other", "mute"}, {"R(0) other", "mute"},
             {"S(RESYNCH?)", "mute"}, {"S(RESYNCH?)", "mute"}, {"S(RESYNCH?)", "mute"});
        ck_assert_int_eq(p.rc, TP_ERR_CARD);
        ck_assert_ptr_nonnull(strstr(p.e.text, "stopped answering"));
        /* two errors, something that is right, two errors: not three in a row */
        PLAY(&p, "01", {"I(0,0) 01", "mute"}, {"R(0) other", "mute"}, {"R(0) other", "I(0,1) AA"},
             {"R(1)", "mute"}, {"R(1) other", "mute"}, {"R(1) other", "I(1,0) 9000"});
        ck_ok(p.rc);
    }
END_TEST

START_TEST(blocks_that_break_the_rules_are_invalid)
    {
        static const char *const wrong[] = {
            "raw 00 00 00",
            "raw 00 00 02 90 92",       /* cut short */
            "raw 00 00 02 90 00 92 00", /* too long */
            "raw 21 00 02 90 00 B3",    /* NAD */
            "raw 00 01 02 90 00 93",
            "raw 00 90 01 00 91", /* reserved bits; an R-block with information */
            "raw 00 83 00 83",
            "raw 00 A0 00 A0",
            "raw 00 84 00 84", /* reserved R-blocks */
            "raw 00 C3 00 C3",
            "raw 00 C4 00 C4",
            "raw 00 C2 01 00 C3", /* S-blocks: WTX without time, unknown, ABORT with information
                                   */
            "S(RESYNCH?)",
            "S(WTX!) 01",
            "S(RESYNCH!)", /* not the card's to ask; not asked for */
            /* more than IFSD */
            ("raw 00 00 21 00000000000000000000000000000000000000000000000000000000000000000000 "
             "21"),
        };
        struct played p;

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
            const struct step steps[] = {{"I(0,0) 01", wrong[i]}, {"R(0) other", "I(0,0) 9000"}};

            run(&p, "01", steps, 2);
            ck_assert_msg(p.rc == TP_OK, "%s: %s", wrong[i], p.e.text);
        }
    }
END_TEST

struct endless {
    const char *first, *then;
    unsigned long blocks;
};

static enum tp_err endless(void *ctx, uint8_t wtx, struct span out, struct buf *answer,
                           struct tp_error *e)
{
    struct endless *s = ctx;
    uint8_t raw[320];

    (void)wtx, (void)out, (void)e;
    return buf_put(answer, span_of(raw, block(raw, s->blocks++ % 2 == 0 ? s->first : s->then)));
}

START_TEST(what_a_card_can_repeat_has_an_end)
    {
        static const struct {
            const char *first, *then, *says;
            unsigned long most;
        } rows[] = {
            {"S(WTX?) 01", "S(WTX?) 01", "more time", 1100},
            {"S(IFS?) 20", "S(IFS?) 20", "says nothing", 20},
            {"I(0,1)", "I(1,1)", "says nothing", 20},
            {"I(0,1) AA", "I(1,1) BB", "longer", 70},
            {"S(ABORT?)", "S(ABORT?)", "says nothing", 20},
            {"mute", "S(WTX?) 01", "stopped answering", 140}, /* never three in a row */
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct endless s = {rows[i].first, rows[i].then, 0};
            const struct t1_link link = {&s, endless, NULL};
            uint8_t raw[64];
            struct buf response = BUF_OF(raw);
            struct tp_error e = {0, ""};
            struct t1 t;

            t1_start(&t, &link, IFSC, false);
            ck_assert_int_eq(t1_transmit(&t, span_str("\x01"), &response, &e), TP_ERR_CARD);
            ck_assert_msg(strstr(e.text, rows[i].says) != NULL && s.blocks <= rows[i].most,
                          "%s: %s after %lu", rows[i].first, e.text, s.blocks);
            ck_assert_uint_eq(response.n, 0);
        }
    }
END_TEST

START_TEST(error_detection_codes)
    {
        static const uint8_t a[] = {0x00, 0x00, 0x00}, b[] = {0x0F, 0xAA, 0xFF},
                             c[] = {0x0A, 0x12, 0x34, 0x56};
        uint8_t edc[2];

        ck_assert_uint_eq(t1_edc(edc, SPAN_OF(a), true),
                          2); /* ISO/IEC 14443-3, Annex B, examples 1 to 3 */
        ck_hex(SPAN_OF(edc), "CCC6");
        ck_assert_uint_eq(t1_edc(edc, SPAN_OF(b), true), 2);
        ck_hex(SPAN_OF(edc), "FCD1");
        ck_assert_uint_eq(t1_edc(edc, SPAN_OF(c), true), 2);
        ck_hex(SPAN_OF(edc), "2CF6");
        ck_assert_uint_eq(t1_edc(edc, SPAN_OF(c), false), 1);
        ck_assert_uint_eq(edc[0], 0x0A ^ 0x12 ^ 0x34 ^ 0x56);
    }
END_TEST

/* ---- the PIN that the reader takes ---- */

static enum tp_err secure_play(void *ctx, const uint8_t prologue[3], struct buf *answer,
                               struct tp_error *e)
{
    struct script *s = ctx;
    uint8_t raw[320];

    (void)e;
    ck_hex(span_of(prologue, 3), s->wtx != 0 ? "00400D" : "00000D");
    return buf_put(answer, span_of(raw, block(raw, s->steps[s->at++].in)));
}

START_TEST(a_block_that_the_reader_makes)
    {
        static const struct step good[] = {
            {"", "S(WTX?) 05"}, {"S(WTX!) 05", "I(0,0) 9000"}, {"I(1,0) 01", "I(1,0) 9001"}};
        static const struct step lost[] = {{"", "bad I(0,0) 63C2"}, {"R(0) edc", "I(0,0) 63C2"}};
        static const struct step again[] = {
            {"", "R(0) edc"}}; /* cannot be sent again: the PIN is not known here */
        struct script script = {.steps = good, .n = 3};
        const struct t1_link link = {&script, play, secure_play};
        uint8_t raw[16];
        struct buf response = BUF_OF(raw);
        struct tp_error e;
        struct t1 t;

        t1_start(&t, &link, 32, false);
        ck_ok(t1_secure(&t, 13, &response, &e));
        ck_ok(t1_transmit(&t, span_str("\x01"), &response, &e));
        ck_hex(buf_span(&response), "90009001");
        response.n = 0;
        script = (struct script){.steps = lost, .n = 2};
        t1_start(&t, &link, 32, false);
        ck_ok(t1_secure(&t, 13, &response, &e));
        ck_hex(buf_span(&response), "63C2");
        script = (struct script){.steps = again, .n = 1};
        t1_start(&t, &link, 32, false);
        ck_assert_int_eq(t1_secure(&t, 13, &response, &e), TP_ERR_CARD);
        t1_start(&t, &link, 12, false); /* one block must hold it */
        ck_assert_int_eq(t1_secure(&t, 13, &response, &e), TP_ERR_CARD);
    }
END_TEST

/* ---- a card of another hand, and a line that disturbs ---- */

struct line {
    struct t1_card card;
    struct inproc_card app;
    unsigned executed;
    uint8_t seen[700];
    size_t seen_n;
    uint32_t chance, seed; /* of 256 */
};

static uint32_t dice(struct line *l)
{
    l->seed =
        l->seed * 1664525 + 1013904223; /* Numerical Recipes' generator: the same every time */
    return l->seed >> 24;
}

static enum tp_err app_transmit(void *ctx, struct span command, struct buf *response)
{
    struct line *l = ctx;

    l->executed++;
    memcpy(l->seen, command.p, command.n);
    l->seen_n = command.n;
    for (size_t i = 0; i < 300; i++)
        if (buf_u8(response, (uint8_t)(i * 7 + command.n)) != TP_OK)
            return TP_ERR_RANGE;
    return hex_decode(response, "9000");
}

static size_t disturb(struct line *l, uint8_t *raw, size_t n)
{
    if (dice(l) >= l->chance || n == 0)
        return n;
    if (dice(l) < 64)
        return 0;
    raw[dice(l) % n] ^= (uint8_t)(1 + dice(l) % 255);
    return n;
}

static enum tp_err over_the_line(void *ctx, uint8_t wtx, struct span out, struct buf *answer,
                                 struct tp_error *e)
{
    struct line *l = ctx;
    uint8_t there[T1_BLOCK_MAX], back[T1_BLOCK_MAX];
    struct buf b = BUF_OF(back);
    size_t n;

    (void)wtx, (void)e;
    memcpy(there, out.p, out.n);
    n = disturb(l, there, out.n);
    if (n > 0) /* a card that hears nothing says nothing */
        ck_ok(t1_card_take(&l->card, span_of(there, n), &b));
    return buf_put(answer, span_of(back, disturb(l, back, b.n)));
}

START_TEST(over_a_line_that_disturbs_an_answer_is_right_or_none)
    {
        const uint8_t ifsc[] = {1, 5, 32, 254};
        unsigned right = 0, none = 0;
        uint8_t command[600], raw[1000], expected[300];

        for (size_t i = 0; i < sizeof(command); i++)
            command[i] = (uint8_t)(i ^ i >> 3);
        for (unsigned round = 0; round < 4000; round++) {
            struct line l = {.chance = round % 8 * 8, .seed = round};
            const struct t1_link link = {&l, over_the_line, NULL};
            const size_t n = 1 + (round * 37) % (round % 4 == 0 ? 40 : sizeof(command));
            struct buf response = BUF_OF(raw);
            struct tp_error e;
            struct t1 t;
            enum tp_err rc;

            l.app = (struct inproc_card){&l, NULL, app_transmit, NULL};
            t1_card_start(&l.card, &l.app, ifsc[round % 4], round % 3 == 0);
            l.card.wtx = round % 5;
            t1_start(&t, &link, ifsc[round % 4], round % 3 == 0);
            rc = round % 2 == 0 ? t1_set_ifsd(&t, 254, &e) : TP_OK;
            if (rc == TP_OK)
                rc = t1_transmit(&t, span_of(command, n), &response, &e);
            ck_assert_uint_le(l.executed, 1);
            if (rc != TP_OK) {
                ck_assert_int_eq(rc, TP_ERR_CARD);
                ck_assert(l.chance > 0 && response.n == 0);
                none++;
                continue;
            }
            right++;
            ck_assert_uint_eq(l.executed, 1);
            ck_assert(span_eq(span_of(l.seen, l.seen_n), span_of(command, n)));
            ck_assert_uint_eq(response.n, 302);
            for (size_t k = 0; k < 300; k++)
                expected[k] = (uint8_t)(k * 7 + n);
            ck_assert(memcmp(raw, expected, sizeof(expected)) == 0);
        }
        ck_assert_uint_gt(right, 2000); /* a disturbed block now and then is mended */
        ck_assert_uint_gt(none, 100);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("t1");
    TCase *t = tcase_create("t1");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, exchange_of_i_blocks);
    tcase_add_test(t, waiting_time_extension);
    tcase_add_test(t, information_field_sizes);
    tcase_add_test(t, chaining_both_ways);
    tcase_add_test(t, an_i_block_is_lost_on_its_way);
    tcase_add_test(t, blocks_of_a_chain_are_lost);
    tcase_add_test(t, supervisory_blocks_are_lost);
    tcase_add_test(t, the_card_breaks_off);
    tcase_add_test(t, after_three_attempts_both_begin_anew);
    tcase_add_test(t, blocks_that_break_the_rules_are_invalid);
    tcase_add_test(t, what_a_card_can_repeat_has_an_end);
    tcase_add_test(t, error_detection_codes);
    tcase_add_test(t, a_block_that_the_reader_makes);
    tcase_add_test(t, over_a_line_that_disturbs_an_answer_is_right_or_none);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
