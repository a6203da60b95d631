/* The PIN by the reader's own keypad: the kernel drives it, tells the person, and sees no digit.
 * What is expected of TVR and CVM results: EMV 4.4 Book 3, 10.5.1, and Book 4, 6.3.4.3 and table 2,
 * as where the PIN comes through the terminal (kernel_rows.h). */
#include "unit/unit.h"

#include <stdio.h>

#include "crypto/pinblock.h"
#include "paper.h"

#define X0 "8E=00000000000000000100"

static struct paper_keys keys;

struct bench { /* reader, keypad and person in one */
    struct inproc_card card;
    uint8_t atr[READER_ATR_MAX];
    size_t atr_n;
    const char *entries; /* what is done at the keypad: a word each, digits or "cancel" … */
    struct reader_pin asked;
    enum tp_err says; /* the person's answer after an entry that came to nothing */
    char words[200];  /* what the person was told: a letter each, then the tries left */
    unsigned asked_here;
};

static enum tp_err wait_card(void *self, int timeout_ms, struct tp_error *e)
{
    (void)self, (void)timeout_ms, (void)e;
    return TP_OK;
}

static enum tp_err plug(void *self, struct tp_error *e)
{
    struct bench *b = self;
    struct buf atr = BUF_OF(b->atr);
    const enum tp_err r = b->card.power_on(b->card.ctx, &atr);

    (void)e;
    b->atr_n = atr.n;
    return r;
}

static enum tp_err transmit(void *self, struct span command, struct buf *response,
                            struct tp_error *e)
{
    struct bench *b = self;

    (void)e;
    return b->card.transmit(b->card.ctx, command, response);
}

static void unplug(void *self)
{
    struct bench *b = self;

    b->card.power_off(b->card.ctx);
}

static struct span atr(void *self)
{
    const struct bench *b = self;

    return span_of(b->atr, b->atr_n);
}

static struct reader_features features(void *self)
{
    (void)self;
    return (struct reader_features){.pin_verify = true};
}

static void leave(void *self)
{
    (void)self;
}

static enum reader_pin_end end_of(const char *word)
{
    static const struct {
        const char *word;
        enum reader_pin_end end;
    } ends[] = {{"cancel", READER_PIN_CANCELLED},
                {"timeout", READER_PIN_TIMEOUT},
                {"length", READER_PIN_LENGTH},
                {"mismatch", READER_PIN_MISMATCH},
                {"refused", READER_PIN_REFUSED}};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (strcmp(word, ends[i].word) == 0)
            return ends[i].end;
    return READER_PIN_SENT;
}

static enum tp_err verify_pin(void *self, const struct reader_pin *ask, enum reader_pin_end *end,
                              uint16_t *sw, struct tp_error *e)
{
    uint8_t command[13] = {0x00, 0x20, 0x00, 0x80, 0x08}, raw[8];
    struct buf answer = BUF_OF(raw);
    struct secret block = {NULL, 0};
    struct bench *b = self;
    char word[16];
    int used = 0;

    b->asked = *ask;
    ck_assert_msg(sscanf(b->entries, "%15s%n", word, &used) == 1,
                  "the keypad is asked more often than the test foresees");
    b->entries += used;
    if (strcmp(word, "torn") == 0)
        return tp_fail(e, TP_ERR_CARD, "torn out");
    *end = end_of(word);
    if (*end != READER_PIN_SENT)
        return TP_OK;
    ck_ok(pin_block_make(&block, span_str(word)));
    memcpy(command + 5, block.p, 8);
    secret_free(&block);
    ck_ok(b->card.transmit(b->card.ctx, SPAN_OF(command), &answer));
    *sw = (uint16_t)(raw[0] << 8 | raw[1]);
    return TP_OK;
}

static const struct reader_driver driver = {.name = "keypad",
                                            .wait_card = wait_card,
                                            .connect = plug,
                                            .transmit = transmit,
                                            .reset = plug,
                                            .disconnect = unplug,
                                            .atr = atr,
                                            .features = features,
                                            .close = leave,
                                            .verify_pin = verify_pin};

static enum tp_err keypad(void *ctx, unsigned tries_left, enum kernel_keypad what)
{
    static const char letters[] = "EWSLMCTR"; /* in the order of the enum */
    struct bench *b = ctx;
    const size_t n = strlen(b->words);

    snprintf(b->words + n, sizeof(b->words) - n, "%c%u ", letters[what], tries_left);
    return what == KERNEL_KEYPAD_CANCELLED || what == KERNEL_KEYPAD_TIMEOUT ||
                   what == KERNEL_KEYPAD_REFUSED
               ? b->says
               : TP_OK;
}

static enum tp_err pin_here(void *ctx, unsigned tries_left, bool wrong_before, struct secret *pin)
{
    struct bench *b = ctx;

    (void)tries_left, (void)wrong_before;
    b->asked_here++;
    return secret_copy(pin, span_str("1234"));
}

static enum tp_err run(struct transaction **tx, struct bench *b, struct paper *p, const char *card,
                       const char *answers, struct tp_error *e)
{
    const struct kernel_person person = {.ctx = b, .pin = pin_here, .keypad = keypad};
    struct paper_terminal t;
    struct reader *r = NULL;
    enum tp_err rc;

    paper_card(p, &keys);
    paper_terminal(&t, &keys);
    paper_card_words(p, card);
    paper_answers(p, answers);
    ck_ok(paper_open(&r, &b->card, p));
    reader_close(&r);
    ck_ok(reader_new(&r, &driver, b, "keypad"));
    ck_ok(reader_connect(r, e));
    rc = kernel_run(tx, r, &t.config, &t.request, &person, NULL, e);
    reader_close(&r);
    return rc;
}

static const struct row {
    const char *answers, *entries;
    enum tp_err says;
    const char *words; /* E enter, W wrong: enter, S sent, L length, M mismatch, C cancelled, T
                          time-out, R refused; and the tries left */
    unsigned verifies; /* that reached the card */
    const char *tvr, *cvm;
} rows[] = {
    {"", "1234", TP_OK, "E3 S3 ", 1, "0000000000", "010002"},
    {"00200080082C123456789012FF=9000", "123456789012", TP_OK, "E3 S3 ", 1, "0000000000", "010002"},
    {"", "length 1234", TP_OK, "E3 L3 E3 S3 ", 1, "0000000000", "010002"},
    {"", "mismatch 1234", TP_OK, "E3 M3 E3 S3 ", 1, "0000000000", "010002"},
    {"", "length length length length", TP_OK, "E3 L3 E3 L3 E3 L3 E3 L3 ", 0, "0000880000",
     "010001"},
    {"00200080=63C2 00200080=63C1", "1111 2222 1234", TP_OK, "E3 S3 W2 S2 W1 S1 ", 3, "0000000000",
     "010002"},
    {"00200080=63C2 00200080=63C1 00200080=63C0", "1111 2222 3333", TP_OK, "E3 S3 W2 S2 W1 S1 ", 3,
     "0000A00000", "010001"},
    {"00200080=6983", "1111", TP_OK, "E3 S3 ", 1, "0000A00000", "010001"},
    {"00200080=63C3", "1111", TP_OK, "E3 S3 ", 1, "0000A00000",
     "010001"}, /* a counter that does not go down */
    {"", "cancel", TP_ERR_CANCELLED, "E3 C3 ", 0, "0000880000", "010001"},
    {"", "timeout", TP_OK, "E3 T3 ", 0, "0000880000", "010001"},
    {"", "refused", TP_OK, "E3 R3 ", 0, "0000880000", "010001"},
    {"00200080=63C2", "1111 cancel", TP_ERR_CANCELLED, "E3 S3 W2 C2 ", 1, "0000880000", "010001"},
};

START_TEST(entries)
    {
        const struct row *row = &rows[_i];
        static struct paper p;
        struct bench b = {.entries = row->entries, .says = row->says};
        struct transaction *tx = NULL;
        struct tp_error e = {0, ""};
        char answers[200];

        snprintf(answers, sizeof(answers), "80CA9F17=9F1701039000 %s", row->answers);
        ck_assert_msg(run(&tx, &b, &p, X0, answers, &e) == TP_OK, "%s: %s", row->entries, e.text);
        ck_assert_str_eq(b.words, row->words);
        ck_assert_uint_eq(paper_sent(&p, "00200080"), row->verifies);
        ck_hex(transaction_get(tx, TAG_TVR), row->tvr);
        ck_hex(transaction_get(tx, TAG_CVM_RESULTS), row->cvm);
        ck_assert_uint_eq(b.asked_here, 0);
        ck_assert(b.asked.min == 4 && b.asked.max == 12 && b.asked.timeout_s == 60);
        transaction_free(&tx);
    }
END_TEST

/* One who leaves ends the run before the card is asked to sign; so does a card that leaves. */
START_TEST(left)
    {
        static struct paper p;
        struct bench b = {.entries = "cancel", .says = TP_ERR_STATE}, torn = {.entries = "torn"};
        struct transaction *tx = NULL;
        struct tp_error e = {0, ""};

        ck_assert_int_eq(run(&tx, &b, &p, X0, "", &e), TP_ERR_STATE);
        ck_assert_uint_eq(paper_sent(&p, "80AE"), 0);
        transaction_free(&tx);
        ck_assert_int_eq(run(&tx, &torn, &p, X0, "", &e), TP_ERR_CARD);
        ck_assert_uint_eq(paper_sent(&p, "80AE"), 0);
        transaction_free(&tx);
    }
END_TEST

/* The display speaks the cardholder's language: 5F2D. */
START_TEST(language)
    {
        static struct paper p;
        struct bench french = {.entries = "1234"}, none = {.entries = "1234"};
        struct transaction *tx = NULL;
        struct tp_error e = {0, ""};

        ck_ok(run(&tx, &french, &p, X0 " 5F2D=6672656E", "", &e));
        ck_assert_uint_eq(french.asked.language, 0x040C);
        transaction_free(&tx);
        ck_ok(run(&tx, &none, &p, X0 " -5F2D", "", &e));
        ck_assert_uint_eq(none.asked.language, 0x0409);
        transaction_free(&tx);
    }
END_TEST

static void make_keys(void)
{
    paper_keys_make(&keys);
}

static void free_keys(void)
{
    paper_keys_free(&keys);
}

static Suite *suite(void)
{
    Suite *s = suite_create("keypad");
    TCase *t = tcase_create("keypad");

    tcase_add_unchecked_fixture(t, make_keys, free_keys);
    tcase_add_loop_test(t, entries, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(t, left);
    tcase_add_test(t, language);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
