/* Lessons of payments (payer/lesson.h): paper cards are paid with, and what is told of it must be
 * what EMV 4.4 says at those clauses: bits of TVR and TSI by Book 3, Annexes C5 and C6, and the
 * rules of 10.3 to 10.11 that set them. The payment is that of kernel_rows.h: 12.50 EUR on
 * 2026-06-01 at a cardholder-operated terminal. */
#include "unit/unit.h"

#include <stdio.h>

#include "paper.h"
#include "payer/lesson.h"
#include "payer/trace.h"

#define PAN "9990140000000015"

static struct paper_keys keys;

static void start(void)
{
    paper_keys_make(&keys);
}

static void stop(void)
{
    paper_keys_free(&keys);
}

/* The trace of a payment; free(). */
static char *pay(const char *card_words, const char *answers, const char *terminal_words,
                 const char *merchant)
{
    static struct paper p;
    struct paper_terminal t;
    struct inproc_card card;
    struct reader *reader = NULL;
    struct kernel_person asked, person;
    struct kernel_online way, online;
    struct trace *trace = NULL;
    struct transaction *tx = NULL;
    struct tp_error e = {TP_OK, ""};
    char *text = NULL;
    size_t n;
    enum tp_err r;

    paper_prepare(&p, &t, &keys, card_words, answers, terminal_words);
    if (merchant != NULL)
        snprintf(t.config.merchant_name, sizeof(t.config.merchant_name), "%s", merchant);
    ck_ok(trace_open_memory(&trace, &text, &n, &e));
    ck_ok(paper_open(&reader, &card, &p));
    reader_set_trace(reader, trace_exchange, trace);
    paper_sides(&t, &asked, &way);
    person = trace_person(trace, &asked);
    online = trace_online(trace, &way);
    trace_reader(trace, reader);
    trace_payment(trace, &t.config, &t.request);
    t.config.memory = trace_memory(trace, &t.memory);
    r = kernel_run(&tx, reader, &t.config, &t.request, &person, &online, &e);
    trace_outcome(trace, &t.config, tx, r != TP_OK ? &e : NULL);
    reader_set_trace(reader, NULL, NULL);
    ck_ok(trace_close(&trace, &e));
    transaction_free(&tx);
    reader_close(&reader);
    return text;
}

/* Line breaks and what follows them are one space: a sentence is wrapped somewhere. */
static void flatten(char *text)
{
    char *out = text;

    for (const char *in = text; *in != '\0'; in++)
        if (*in != ' ' && *in != '\n')
            *out++ = *in;
        else if (out > text && out[-1] != ' ')
            *out++ = ' ';
    *out = '\0';
}

static void check_width(const char *text)
{
    for (const char *at = text; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
        size_t wide = 0;

        for (size_t i = 0; i < strcspn(at, "\n"); i++)
            wide += ((unsigned char)at[i] & 0xC0) != 0x80;
        ck_assert_msg(wide <= 80, "%zu columns: %.*s", wide, (int)strcspn(at, "\n"), at);
    }
}

static char *as_text(const json_t *lesson)
{
    char *text = NULL;
    size_t n;
    FILE *to = open_memstream(&text, &n);

    lesson_print(to, lesson);
    fclose(to);
    check_width(text);
    flatten(text);
    return text;
}

static char *as_page(const json_t *lesson)
{
    char *text = NULL;
    size_t n;
    FILE *to = open_memstream(&text, &n);
    struct tp_error e = {TP_OK, ""};

    ck_assert_msg(lesson_page(to, lesson, &e) == TP_OK, "%s", e.text);
    fclose(to);
    return text;
}

static json_t *explain(const char *trace)
{
    struct tp_error e = {TP_OK, ""};
    json_t *lesson = NULL;

    ck_assert_msg(lesson_make(&lesson, span_str(trace), "the trace", &e) == TP_OK, "%s", e.text);
    return lesson;
}

/* All of said stands in the lesson, in that order; none of unsaid does. Lists end with NULL. */
static void check(const char *what, char *trace, const char *const *said, const char *const *unsaid)
{
    json_t *lesson = explain(trace);
    char *text = as_text(lesson), *page = as_page(lesson);
    const char *at = text;

    for (; *said != NULL; said++) {
        const char *found = strstr(at, *said);

        ck_assert_msg(found != NULL, "%s: \"%s\" is not said, or not there: %.900s", what, *said,
                      at);
        at = found + 1;
    }
    for (; unsaid != NULL && *unsaid != NULL; unsaid++)
        ck_assert_msg(strstr(text, *unsaid) == NULL, "%s: \"%s\" is said", what, *unsaid);
    ck_assert_msg(strstr(text, PAN) == NULL && strstr(page, PAN) == NULL,
                  "%s: the card number is in the lesson", what);
    ck_assert_msg(strstr(text, "241234FF") == NULL && strstr(page, "241234FF") == NULL,
                  "%s: a PIN is in the lesson", what);
    free(text);
    free(page);
    free(trace);
    json_decref(lesson);
}

/* Book 2, 6.6: CDA. Book 3, C6: TSI byte 1 bit 7 CVM, 4 terminal risk, 6 card risk, 8 ODA. */
START_TEST(test_offline)
    {
        static const char *const said[] = {
            "A payment of 12.50 EUR",
            "It ended: approved.",
            "The trace is masked",
            "Application selection: the candidates",
            "> SELECT opens the card's directory of payment applications (PSE). (EMV 4.4 Book 1, "
            "11.3)",
            "Initiate application processing",
            "> GET PROCESSING OPTIONS begins the transaction",
            "82 Application Interchange Profile",
            "byte 1 bit 1: CDA supported",
            "Read application data",
            "> READ RECORD reads a record that the AFL names. (EMV 4.4 Book 3, 6.5.11)",
            "Offline data authentication",
            "The strongest in common is taken: CDA.",
            "The authority's key is here: RID F000000014",
            "The issuer's certificate (90) is right",
            "The card's certificate (9F46) was right, as recorded then",
            "With CDA the card signs together with its cryptogram",
            "Processing restrictions",
            "Nothing here stands against the payment",
            "Cardholder verification",
            "Rule 1 of the CVM list (1F00: ",
            "successful, and so the list is done.",
            "* TSI byte 1 bit 7 is set, Cardholder verification was performed",
            "The TSI is now 4000. (EMV 4.4 Book 3, 10.5)",
            "Terminal risk management",
            "* TSI byte 1 bit 4 is set, Terminal risk management was performed",
            "The TSI is now 4800. (EMV 4.4 Book 3, 10.6)",
            "The amount stays under the floor limit.",
            "Terminal action analysis",
            "Denial: the TVR is 0000000000",
            "no bit in common, so nothing makes the terminal decline at once.",
            "Online: the TVR is 0000000000",
            "no bit in common, so the terminal would approve without asking.",
            "the first cryptogram",
            "> GENERATE AC asks the card for a TC: the terminal would approve. (EMV 4.4 Book 3, "
            "6.5.5)",
            "* TSI byte 1 bit 6 is set, Card risk management was performed",
            "* TSI byte 1 bit 8 is set, Offline data authentication was performed",
            "The TSI is now E800. (EMV 4.4 Book 3, 10.3)",
            "The card was asked for a TC and answers with a TC (9F27 = 40): the card "
            "approves.",
            "The card's signature (9F4B) is right",
            "What it came to",
            "It ended: approved.",
            NULL};
        static const char *const unsaid[] = {"TVR byte", "Online processing", NULL};

        check("offline", pay("", "", "", NULL), said, unsaid);
    }
END_TEST

/* Book 3, 10.6.1, 10.7, 10.9, 10.10; C5: byte 4 bit 8; C6: bit 5 issuer authentication, 3 script.
 */
START_TEST(test_online)
    {
        static const char *const said[] = {
            "The floor limit for this application is 10.00 EUR",
            "* TVR byte 4 bit 8 is set, Transaction exceeds floor limit: 12.50 EUR reaches the "
            "floor limit of 10.00 EUR. The TVR is now 0000008000. (EMV 4.4 Book 3, 10.6.1)",
            "Online: the TVR is 0000008000, the issuer's code (IAC) 0000008000",
            "They have these bits in common, so the terminal wants to ask the issuer.",
            "- byte 4 bit 8, Transaction exceeds floor limit: by the issuer's code",
            "> GENERATE AC asks the card for an ARQC",
            "The card was asked for an ARQC and answers with an ARQC (9F27 = 80): the issuer is to "
            "decide.",
            "~ terminal to acquirer: asks, with the ARQC",
            "~ issuer to acquirer: response code 00",
            "8A Authorisation Response Code",
            "> EXTERNAL AUTHENTICATE gives the card what its issuer computed",
            "* TSI byte 1 bit 5 is set, Issuer authentication was performed",
            "(EMV 4.4 Book 3, 10.9)",
            "Issuer-to-card script",
            "* TSI byte 1 bit 3 is set, Script processing was performed",
            "is a command of the issuer's script, passed on as it came.",
            "* TVR byte 5 bit 6 is set, Script processing failed before final GENERATE AC",
            "(EMV 4.4 Book 3, 10.10)",
            "9F5B Issuer Script Results",
            "the second cryptogram",
            "> GENERATE AC asks the card for a TC",
            "8A Authorisation Response Code: 3030",
            "The card was asked for a TC and answers with a TC (9F27 = 40)",
            NULL};

        check("online",
              pay("aip=3D00 9F0F=0000008000", "0082=9000 8424=6985",
                  "floor=1000 arc=00 iad=11223344556677883030 online=0000000000 "
                  "scripts=710F860D8424000008A1A2A3A4A5A6A7A8",
                  NULL),
              said, NULL);
    }
END_TEST

/* Book 3, 10.4.3 and C5 byte 2 bit 7; 10.7: the acquirer's code declines; Book 2, figure 3: an AAC
 * is not signed. */
START_TEST(test_expired)
    {
        static const char *const said[] = {
            "Processing restrictions",
            "* TVR byte 2 bit 7 is set, Expired application: the payment is made on 2026-06-01, "
            "and the card's application expired on 2026-05-31. The TVR is now 0040000000. (EMV 4.4 "
            "Book 3, 10.4.3)",
            "Denial: the TVR is 0040000000",
            "so the terminal declines.",
            "- byte 2 bit 7, Expired application: by the acquirer's code",
            "* TVR byte 1 bit 8 is set, Offline data authentication was not performed: CDA was "
            "chosen, but the terminal declines, and an AAC is not signed.",
            "> GENERATE AC asks the card for an AAC: the terminal declines.",
            "The card was asked for an AAC and answers with an AAC (9F27 = 00): the card declines.",
            "It ended: declined: declined by the terminal: Expired application.",
            NULL};
        static const char *const unsaid[] = {"Nothing here stands against", "Online: the TVR",
                                             NULL};

        check("expired", pay("5F24=260531", "", "denial=0040000000", NULL), said, unsaid);
    }
END_TEST

/* Book 3, 10.5.1; C5 byte 3 bits 6 and 8. */
START_TEST(test_wrong_pin)
    {
        static const char *const said[] = {
            "Rule 1 of the CVM list (0100: ",
            "is tried. (EMV 4.4 Book 3, 10.5.1)",
            "~ terminal to cardholder: asks for the PIN",
            "~ cardholder to terminal: enters a PIN",
            "> VERIFY has the card compare the PIN. (EMV 4.4 Book 3, 6.5.12)",
            "63C2: ",
            "2 left",
            "63C0: ",
            "* TVR byte 3 bit 6 is set, PIN Try Limit exceeded",
            "The TVR is now 0000200000. (EMV 4.4 Book 3, 10.5.1)",
            "it was not successful; the issuer wants no other tried.",
            "* TVR byte 3 bit 8 is set, Cardholder verification was not successful",
            "The TVR is now 0000A00000. (EMV 4.4 Book 3, 10.5)",
            NULL};
        static const char *const unsaid[] = {"9999", "9998", NULL};

        check("wrong PIN",
              pay("8E=00000000000000000100", "00200080=63C2 00200080=63C1 00200080=63C0",
                  "pins=9999,9998,9997", NULL),
              said, unsaid);
    }
END_TEST

/* Protocol T=0: answers are fetched. EMV 4.3 Book 1, 9.3.1.3. SDA: Book 3, C5 byte 1 bit 2. */
START_TEST(test_t0)
    {
        static const char *const said[] = {
            "Card and reader speak T=0.",
            "> GET RESPONSE fetches the answer that the card announced (protocol T=0).",
            "The strongest in common is taken: SDA.",
            "* TVR byte 1 bit 2 is set, SDA selected: of the methods that card and terminal have "
            "in "
            "common SDA is the strongest. The TVR is now 0200000000. (EMV 4.4 Book 3, 10.3)",
            "The signed static data (93) were right, as recorded then",
            "(9F27 = 40)",
            NULL};

        check("T=0", pay("aip=5800 t0", "", "", NULL), said, NULL);
    }
END_TEST

/* Book 2, 6.6.2: a CDA signature that is wrong; C5 byte 1 bit 3. DDA: 6.5.2; bit 4. */
START_TEST(test_signatures)
    {
        static const char *const cda[] = {
            "* TVR byte 1 bit 3 is set, CDA failed: the signature failed: ",
            "(EMV 4.4 Book 2, 6.6.2)", "The card's signature (9F4B) is not right: ", NULL};
        static const char *const dda[] = {"The strongest in common is taken: DDA.",
                                          "The card's certificate (9F46)",
                                          "> INTERNAL AUTHENTICATE has the card sign a number",
                                          "The card's signature (9F4B) is right", NULL};
        static const char *const missing[] = {
            "CDA failed at the card certificate: a data object that it needs is missing.",
            "* TVR byte 1 bit 3 is set, CDA failed",
            "The TVR is now 0400000000.",
            "* TVR byte 1 bit 6 is set, ICC data missing",
            "a data object that the authentication needs is not on the card. The TVR is now "
            "2400000000. (EMV 4.4 Book 3, 7.5)",
            NULL};

        check("CDA, wrong", pay("", "", "", NULL), (const char *const[]){"is right", NULL}, NULL);
        check("CDA, flipped", pay("sdad1=flipped", "", "", NULL), cda, NULL);
        check("DDA", pay("aip=3800", "", "", NULL), dda, NULL);
        check("no certificate", pay("-9F46", "", "", NULL), missing, NULL);
    }
END_TEST

/* The issuer cannot be reached: Book 3, 10.7, the default codes; Book 4, A6. */
START_TEST(test_unreached)
    {
        static const char *const said[] = {
            "Default: the TVR is 0000008000", "~ acquirer to terminal: no answer",
            "The issuer could not be reached.", "8A Authorisation Response Code", NULL};

        check("unreached", pay("9F0F=0000008000", "", "floor=1000 unreached", NULL), said, NULL);
    }
END_TEST

/* What comes from outside is text on the page, never markup. */
START_TEST(test_escaped)
    {
        char *trace = pay("", "", "", "<script>alert('x')</script>&\"");
        json_t *lesson = explain(trace);
        char *page = as_page(lesson);

        ck_assert_ptr_null(strstr(page, "<script"));
        ck_assert_ptr_nonnull(
            strstr(page, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;"));
        ck_assert_ptr_null(strstr(page, "src="));
        ck_assert_ptr_null(strstr(page, "href=\"http"));
        ck_assert_ptr_nonnull(strstr(page, "<html lang=\"en\">"));
        free(page);
        free(trace);
        json_decref(lesson);
    }
END_TEST

/* Cut off at each byte it is explained as far as it goes, or there is nothing to explain; never is
 * something told that was not there. */
START_TEST(test_cut)
    {
        char *trace = pay("8E=00000000000000000100", "00200080=63C2", "pins=9999,1234", NULL);
        const size_t n = strlen(trace);
        const char *first = strstr(trace, "\n< ");

        ck_assert_ptr_nonnull(first);
        for (size_t cut = 0; cut < n; cut += 1 + cut % 37) {
            struct tp_error e = {TP_OK, ""};
            json_t *lesson = NULL;
            const enum tp_err r = lesson_make(&lesson, span_of(trace, cut), "the trace", &e);
            char *text;

            if (r != TP_OK) {
                ck_assert_int_eq(r, TP_ERR_FORMAT);
                ck_assert_msg(cut <= (size_t)(strchr(first + 1, '\n') - trace), "%zu: %s", cut,
                              e.text);
                continue;
            }
            text = as_text(lesson);
            ck_assert_msg(strstr(text, "The trace ends with line") != NULL, "%zu: %s", cut, text);
            ck_assert_msg(strstr(text, "is not right") == NULL &&
                              strstr(text, "CDA failed") == NULL,
                          "%zu: %s", cut, text);
            free(text);
            json_decref(lesson);
        }
        free(trace);
    }
END_TEST

/* A trace is foreign text: with half bytes of it changed it is explained, or refused. */
START_TEST(test_damaged)
    {
        static const char digits[] = "0123456789ABCDEF*\n> ";
        char *trace = pay("8E=00000000000000000100", "00200080=63C2", "pins=9999,1234", NULL);
        const size_t n = strlen(trace), head = strlen("# telepay");
        uint32_t chance = 1; /* the same each time */

        for (unsigned i = 0; i < 200; i++) {
            struct tp_error e = {TP_OK, ""};
            json_t *lesson = NULL;
            char *changed = strdup(trace);

            for (unsigned k = 0; k <= i % 3; k++) {
                chance = chance * 1664525 + 1013904223; /* Numerical Recipes, 7.1 */
                changed[head + (chance >> 8) % (n - head)] =
                    digits[(chance >> 24) % (sizeof(digits) - 1)];
            }
            if (lesson_make(&lesson, span_str(changed), "the trace", &e) == TP_OK) {
                free(as_text(lesson));
                free(as_page(lesson));
            }
            json_decref(lesson);
            free(changed);
        }
        free(trace);
    }
END_TEST

/* Commands alone, of no payment: as telepay card --trace writes them. */
START_TEST(test_commands_alone)
    {
        static const char *const said[] = {"What terminal and card said",
                                           "> SELECT opens the card's directory", "6A82: ", NULL};
        const char *trace = "format: 1\natr: 3B800181\nprotocol: T=1\n"
                            "> 00A404000E315041592E5359532E444446303100\n< 6A82\n";
        struct tp_error e;
        json_t *lesson;

        check("commands alone", strdup(trace), said, NULL);
        ck_assert_int_eq(lesson_make(&lesson, span_str("format: 1\n"), "x", &e), TP_ERR_FORMAT);
        ck_assert_int_eq(lesson_make(&lesson, span_str(""), "x", &e), TP_ERR_FORMAT);
        ck_assert_int_eq(lesson_make(&lesson, span_str("a page\nof text"), "x", &e), TP_ERR_FORMAT);
    }
END_TEST

static Suite *suite(void)
{
    TCase *c = tcase_create("lesson");
    Suite *s = suite_create("lesson");

    tcase_add_unchecked_fixture(c, start, stop);
    tcase_set_timeout(c, 120);
    tcase_add_test(c, test_offline);
    tcase_add_test(c, test_online);
    tcase_add_test(c, test_expired);
    tcase_add_test(c, test_wrong_pin);
    tcase_add_test(c, test_t0);
    tcase_add_test(c, test_signatures);
    tcase_add_test(c, test_unreached);
    tcase_add_test(c, test_escaped);
    tcase_add_test(c, test_cut);
    tcase_add_test(c, test_damaged);
    tcase_add_test(c, test_commands_alone);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
