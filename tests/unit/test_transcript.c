/* Transcripts written by hand: what they say, what is wrong with them, and both ways to play one.
 * The exchanges are those of the Books' own formats; the words of errors are what a person gets to
 * read. */
#include "unit.h"

#include <stdio.h>

#include "drivers/replay.h"
#include "simcard/recorded.h"

static const char card_text[] = "# by hand\n"
                                "format: 1\n"
                                "atr: 3B6500002063CB6800  of a T=0 card\r\n"
                                "protocol: T=1\n"
                                "\n"
                                "> 00A4040007A000000003101000\n"
                                "< 6F098407A00000000310109000  done\n"
                                "> 00b2010c00\n"
                                "< 70105A08999014******00159000\n"
                                "pin: entered\n"
                                "> 0020008008****************\n"
                                "< 63C2  wrong\n"
                                "pin: entered  again\n"
                                "> 0020008008****************\n"
                                "< 9000\n"
                                "> 80AE4000021234\n"
                                "< 77029F279000\n"
                                "> 80AE0000021235\n"
                                "< (no answer)\n";

static struct transcript *parse(const char *text)
{
    struct transcript *t;
    struct tp_error e;

    ck_assert_msg(transcript_parse(&t, span_str(text), "file", &e) == TP_OK, "%s", e.text);
    return t;
}

START_TEST(what_a_transcript_says)
    {
        struct transcript *t = parse(card_text);
        const struct transcript_exchange *x;
        uint8_t raw[32];
        struct buf atr = BUF_OF(raw);
        char text[64];
        struct tp_error e;

        ck_assert_str_eq(transcript_value(t, "protocol"), "T=1");
        ck_assert_str_eq(transcript_fact(t, "pin", 1)->value, "entered");
        ck_assert_uint_eq(transcript_fact(t, "pin", 1)->line, 13);
        ck_assert_ptr_null(transcript_fact(t, "pin", 2));
        ck_assert_ptr_null(transcript_value(t, "amount"));
        ck_ok(transcript_bytes(&atr, t, "atr", &e));
        ck_hex(buf_span(&atr), "3B6500002063CB6800");
        x = transcript_at(t, 1);
        ck_assert_uint_eq(x->line, 8);
        ck_hex(masked_filled(&x->command), "00B2010C00");
        ck_hex(masked_filled(&x->answer), "70105A0899901400000000159000");
        ck_assert_str_eq(masked_text(text, &x->answer), "70105A08999014******00159000");
        ck_assert(masked_any(&x->answer) && !masked_any(&x->command));
        ck_assert_uint_eq(transcript_at(t, 5)->answer.n, 0);
        ck_assert_ptr_null(transcript_at(t, 6));
        ck_assert_uint_eq(transcript_lines(t), 19);
        ck_assert(transcript_masked(t));
        transcript_free(&t);
        t = parse("format: 1\n> 0020008008****************\n< 9000\n"); /* a PIN is masked always:
                                                                           that says nothing of the
                                                                           card's data */
        ck_assert(!transcript_masked(t));
        transcript_free(&t);
    }
END_TEST

START_TEST(masked_bytes_match_any)
    {
        struct transcript *t = parse("format: 1\n> 00B2010C00\n< 9000\n> 0020000002*1*F\n< 9000\n");
        const struct masked *m = &transcript_at(t, 1)->command;
        UNHEX(yes, "00200000 02 A10F");
        UNHEX(no, "00200000 02 A20F");
        UNHEX(longer, "00200000 02 A10F00");

        ck_assert(masked_matches(m, yes));
        ck_assert(!masked_matches(m, no));
        ck_assert(!masked_matches(m, longer));
        transcript_free(&t);
    }
END_TEST

START_TEST(what_is_wrong_is_told_with_its_line)
    {
        static const struct {
            const char *text, *told;
        } rows[] = {
            {"", "line 0: there is no transcript in it"},
            {"# only a remark\n", "line 1: there is no transcript in it"},
            {"\x7f"
             "ELF\x01\x02",
             "line 1: this is no text"},
            {"hello\n", "line 1: neither a command"},
            {"> 00B2010C00\n< 9000\n", "line 1: a transcript begins with the line \"format: 1\""},
            {"atr: 3B00\n", "line 1: a transcript begins with the line \"format: 1\""},
            {"format: 2\n", "line 1: a transcript of another format"},
            {"format: 1\n> 00B2010C0\n", "line 2: an odd number of hexadecimal digits"},
            {"format: 1\n> 00B2010G00\n", "line 2: bytes are written in hexadecimal digits"},
            {"format: 1\n>\n", "line 2: here should be bytes in hex"},
            {"format: 1\n> 00B201\n< 9000\n", "line 2: a command has at least the four bytes"},
            {"format: 1\n> 0*B2010C00\n< 9000\n",
             "line 2: the first four bytes of a command cannot be masked"},
            {"format: 1\n> 00B2010C00\n< 70**\n", "line 3: the status word"},
            {"format: 1\n> 00B2010C00\n> 00B2020C00\n",
             "line 3: a command, though the one before has no answer"},
            {"format: 1\n< 9000\n", "line 2: an answer without a command"},
            {"format: 1\n> 00B2010C00\n< (mute)\n", "line 3: the only word"},
            {"format: 1\n> 00B2010C00\n",
             "line 2: the file ends after a command whose answer is missing: it is cut short"},
            {"format: 1\n> 00B2010C00\n\n\n# half", "line 5: the file ends after a command"},
            {"format: 1\nno fact\n", "line 2: neither a command"},
            {"format: 1\n: value\n", "line 2: neither a command"},
            {"format: 1\nname: va\x01lue\n", "line 2: this is no text"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct transcript *t;
            struct tp_error e;

            ck_assert_int_eq(transcript_parse(&t, span_str(rows[i].text), "file", &e),
                             TP_ERR_FORMAT);
            ck_assert_ptr_null(t);
            ck_assert_msg(strncmp(e.text, "file, ", 6) == 0 &&
                              strncmp(e.text + 6, rows[i].told, strlen(rows[i].told)) == 0,
                          "%zu: %s", i, e.text);
        }
    }
END_TEST

START_TEST(a_fact_that_is_no_hex)
    {
        struct transcript *t = parse("format: 1\n# here\natr: 3B65 rubbish\n");
        uint8_t raw[32];
        struct buf atr = BUF_OF(raw);
        struct tp_error e;

        ck_assert_int_eq(transcript_bytes(&atr, t, "atr", &e), TP_ERR_FORMAT);
        ck_assert_str_eq(e.text, "file, line 3: \"atr\" takes at most 32 bytes in hex");
        ck_ok(transcript_bytes(&atr, t, "missing", &e));
        ck_assert_uint_eq(atr.n, 0);
        transcript_free(&t);
    }
END_TEST

/* ---- the reader ---- */

struct told {
    char text[400];
};

static void differs(void *ctx, const struct replay_difference *d)
{
    static const char *const words[] = {"data", "skipped", "new"};
    struct told *told = ctx;
    const size_t n = strlen(told->text);

    snprintf(told->text + n, sizeof(told->text) - n, "%s %u;", words[d->kind],
             d->recorded != NULL ? d->recorded->line : 0);
}

/* Sends a command; what came back with its status word in hex, or "-" and an error. */
static const char *ask(char out[200], struct reader *reader, const char *hex)
{
    uint8_t raw[64], answer[128];
    struct buf command = BUF_OF(raw), response = BUF_OF(answer);
    struct capdu c;
    struct tp_error e;
    uint16_t sw;

    ck_ok(hex_decode(&command, hex));
    ck_ok(capdu_parse(&c, buf_span(&command)));
    if (reader_transmit(reader, &c, &response, &sw, &e) != TP_OK) {
        snprintf(out, 200, "- %.190s", e.text);
        return out;
    }
    hex_encode(out, buf_span(&response));
    snprintf(out + 2 * response.n, 5, "%04X", sw);
    return out;
}

static void open_replay(struct reader **reader, struct replay *replay, const struct transcript *t,
                        struct told *told)
{
    struct tp_error e;

    memset(told, 0, sizeof(*told));
    *replay = (struct replay){.transcript = t, .differs = differs, .ctx = told};
    ck_assert_msg(replay_open(reader, replay, &e) == TP_OK, "%s", e.text);
    ck_ok(reader_wait_card(*reader, 0, &e));
    ck_ok(reader_connect(*reader, &e));
}

START_TEST(a_reader_answers_as_recorded)
    {
        struct transcript *t = parse(card_text);
        struct replay replay;
        struct reader *reader;
        struct told told;
        char out[200];

        open_replay(&reader, &replay, t, &told);
        ck_hex(reader_atr(reader), "3B6500002063CB6800");
        ck_assert(!reader_is_t0(reader));
        ck_assert_str_eq(ask(out, reader, "00A4040007A000000003101000"),
                         "6F098407A00000000310109000");
        ck_assert_str_eq(ask(out, reader, "00B2010C00"), "70105A0899901400000000159000");
        ck_assert_str_eq(ask(out, reader, "0020008008240000FFFFFFFFFF"), "63C2");
        ck_assert_str_eq(ask(out, reader, "0020008008240000FFFFFFFFFF"), "9000");
        ck_assert_str_eq(ask(out, reader, "80AE4000021234"), "77029F279000");
        ck_assert_str_eq(ask(out, reader, "80AE0000021235"),
                         "- the card left, or did not answer, as recorded in line 18 of file");
        replay_finish(&replay);
        ck_assert_uint_eq(replay.differences, 0);
        ck_assert_str_eq(told.text, "");
        reader_close(&reader);
        transcript_free(&t);
    }
END_TEST

START_TEST(what_is_asked_otherwise_is_told)
    {
        struct transcript *t = parse(card_text);
        struct replay replay;
        struct reader *reader;
        struct told told;
        char out[200];

        open_replay(&reader, &replay, t, &told);
        ck_assert_str_eq(ask(out, reader, "80CA9F1700"), "6A88"); /* a card that has not got it */
        ck_assert_str_eq(told.text, "new 0;");
        ck_assert_str_eq(ask(out, reader, "00B2010C00"),
                         "70105A0899901400000000159000"); /* the selection is left out */
        ck_assert_str_eq(told.text, "new 0;skipped 6;");
        ck_assert_str_eq(ask(out, reader, "80AE4000029999"),
                         "77029F279000"); /* two VERIFY are, and the data are others */
        ck_assert_str_eq(told.text, "new 0;skipped 6;skipped 11;skipped 14;data 16;");
        ck_assert_str_eq(ask(out, reader, "80A8000002830000"),
                         "- the transcript file has no answer to command 80 A8: the card cannot be "
                         "played further");
        replay_finish(&replay);
        ck_assert_str_eq(told.text,
                         "new 0;skipped 6;skipped 11;skipped 14;data 16;new 0;skipped 18;");
        ck_assert_uint_eq(replay.differences, 7);
        reader_close(&reader);
        transcript_free(&t);
    }
END_TEST

/* A PIN enciphered now under another key, which may be shorter: nothing of the recorded one is
 * told, so that it is as recorded. */
START_TEST(an_enciphered_pin_matches_any)
    {
        struct transcript *t = parse("format: 1\nprotocol: T=0\n> 0020008804********\n< 9000\n");
        struct replay replay;
        struct reader *reader;
        struct told told;
        char out[200];

        open_replay(&reader, &replay, t, &told);
        ck_assert(reader_is_t0(reader));
        ck_assert_str_eq(ask(out, reader, "002000880A0102030405060708090A"), "9000");
        ck_assert_str_eq(told.text, "");
        reader_close(&reader);
        transcript_free(&t);
    }
END_TEST

/* A PIN that was typed on the reader's own keypad. */
START_TEST(a_keypad_answers_as_recorded)
    {
        struct transcript *t = parse("format: 1\nkeypad: yes\n> 80CA9F1700\n< 9F1701039000\n> "
                                     "0020008008****************\n< 63C2\n");
        const struct reader_pin ask = {4, 12, 0, 0x0409};
        struct replay replay;
        struct reader *reader;
        struct told told;
        struct tp_error e;
        enum reader_pin_end end;
        uint16_t sw;

        open_replay(&reader, &replay, t, &told);
        ck_assert(reader_features(reader).pin_verify);
        ck_ok(reader_verify_pin(reader, &ask, &end, &sw, &e));
        ck_assert_int_eq(end, READER_PIN_SENT);
        ck_assert_uint_eq(sw, 0x63C2);
        ck_assert_str_eq(told.text, "skipped 3;");
        ck_ok(reader_verify_pin(reader, &ask, &end, &sw, &e));
        ck_assert_int_eq(end, READER_PIN_CANCELLED);
        reader_close(&reader);
        transcript_free(&t);
    }
END_TEST

/* ---- the card ---- */

struct played {
    enum recorded_how how;
    unsigned line;
};

static void note_played(void *ctx, enum recorded_how how, unsigned line, struct span command,
                        struct span answer)
{
    struct played *p = ctx;

    (void)command;
    (void)answer;
    p->how = how;
    p->line = line;
}

START_TEST(a_card_answers_as_recorded)
    {
        static const struct {
            const char *command, *answer; /* "": mute */
            enum recorded_how how;
            unsigned line;
        } rows[] = {
            {"00A4040007A000000003101000", "6F098407A00000000310109000", RECORDED_EXACT, 6},
            {"00A4040007A0000000031010", "6F098407A00000000310109000", RECORDED_HEADER,
             6}, /* without Le */
            {"00A4040007A000000004101000", "6A82", RECORDED_NONE, 0},
            {"00B2010C12", "70105A0899901400000000159000", RECORDED_HEADER,
             8}, /* who knows how long it is */
            {"00B2020C00", "6A83", RECORDED_NONE, 0},
            {"0020008008241234FFFFFFFFFF", "63C2", RECORDED_EXACT, 11},
            {"0020008008241234FFFFFFFFFF", "9000", RECORDED_EXACT, 14}, /* the next of two alike */
            {"0020008008241234FFFFFFFFFF", "63C2", RECORDED_EXACT,
             11}, /* from the beginning again */
            {"80CA9F3600", "6A88", RECORDED_NONE, 0},
            {"80AE4000029999", "77029F279000", RECORDED_HEADER, 16},
            {"80AE8000029999", "", RECORDED_INS, 18}, /* the second one, which was never answered */
            {"80AE8000029999", "77029F279000", RECORDED_INS, 16},
            {"0084000000", "6D00", RECORDED_NONE, 0},
            {"0020008800", "6985", RECORDED_NONE, 0},
            {"00B2", "6700", RECORDED_NONE, 0},
        };
        struct transcript *t = parse(card_text);
        struct played played;
        struct recorded_card recorded = {.transcript = t, .played = note_played, .ctx = &played};
        const struct vpcd_card card = recorded_vpcd(&recorded);
        uint8_t raw[64], answer[128];
        struct buf response = BUF_OF(answer);

        ck_assert_int_eq(card.transmit(card.ctx, span_of(raw, 4), &response), TP_ERR_STATE);
        ck_ok(card.power_on(card.ctx, &response));
        ck_hex(buf_span(&response), "3B6500002063CB6800");
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct buf command = BUF_OF(raw);

            response.n = 0;
            ck_ok(hex_decode(&command, rows[i].command));
            ck_assert_int_eq(card.transmit(card.ctx, buf_span(&command), &response),
                             rows[i].answer[0] == '\0' ? TP_ERR_CARD : TP_OK);
            ck_hex(buf_span(&response), rows[i].answer);
            ck_assert_msg(played.how == rows[i].how && played.line == rows[i].line,
                          "%s: how %d, line %u", rows[i].command, played.how, played.line);
        }
        ck_assert(!card.gone(card.ctx));
        card.power_off(card.ctx);
        ck_assert_int_eq(card.transmit(card.ctx, span_of(raw, 4), &response), TP_ERR_STATE);
        transcript_free(&t);
    }
END_TEST

START_TEST(a_card_without_atr_has_one)
    {
        struct transcript *t = parse("format: 1\n> 00B2010C00\n< 9000\n");
        struct recorded_card recorded = {.transcript = t};
        const struct vpcd_card card = recorded_vpcd(&recorded);
        uint8_t raw[33];
        struct buf atr = BUF_OF(raw);

        ck_ok(card.atr(card.ctx, &atr));
        ck_hex(buf_span(&atr), "3B800181"); /* ISO/IEC 7816-3: 80 xor 01 = 81 */
        transcript_free(&t);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("transcript");
    TCase *c = tcase_create("transcript");

    tcase_add_test(c, what_a_transcript_says);
    tcase_add_test(c, masked_bytes_match_any);
    tcase_add_test(c, what_is_wrong_is_told_with_its_line);
    tcase_add_test(c, a_fact_that_is_no_hex);
    tcase_add_test(c, a_reader_answers_as_recorded);
    tcase_add_test(c, what_is_asked_otherwise_is_told);
    tcase_add_test(c, an_enciphered_pin_matches_any);
    tcase_add_test(c, a_keypad_answers_as_recorded);
    tcase_add_test(c, a_card_answers_as_recorded);
    tcase_add_test(c, a_card_without_atr_has_one);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
