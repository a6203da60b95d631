/* Application selection (EMV 4.4 Book 1, 12), cards of live schemes, and reading without paying. */
#include "unit/unit.h"

#include <stdio.h>

#include "base/file.h"
#include "paper.h"

#define PSE "00A404000E315041592E5359532E4444463031"
#define ADF "00A4040007F0000000141010"
#define FCI_PSE                                                                                    \
    "6F1A840E315041592E5359532E4444463031A5088801015F2D0266729000" /* SFI 1, language              \
                                                                    */

#define FCI_PSE_TABLE                                                                              \
    "6F1E840E315041592E5359532E4444463031A50C8801015F2D0266729F1101019000" /* and issuer code      \
                                                                              table index 01 */

/* FCI of AID F0000000141010 and others, with label and priority */
#define FCI_A "6F168407F0000000141010A50B50064341525445418701029000"
#define FCI_B                                                                                      \
    "6F178408F000000014101001A50B5006434152544542870101"                                           \
    "9000"
#define FCI_C                                                                                      \
    "6F178408F000000014101002A50B5006434152544543870183"                                           \
    "9000"

#define FCI_OPAQUE                                                                                 \
    "6F208407F0000000141010A515500443415254BF0C0C650AAACAADDE0102030405069000" /* BF0C { 65 { no   \
                                                                                  TLV } } */

static struct paper_keys keys;

static void make_keys(void)
{
    char path[512];
    struct tp_error e;

    paper_keys_make(&keys);
    ck_assert_msg(file_data_path(path, sizeof(path), "capk.json", &e) == TP_OK &&
                      capk_store_load(keys.store, path, &e) == TP_OK,
                  "%s", e.text);
}

static void free_keys(void)
{
    paper_keys_free(&keys);
}

struct selection {
    const char *clause;
    const char *answers, *terminal;
    const char *sent; /* the SELECTs and READ RECORDs up to the one that ends the test, each by its
                         beginning */
    const char *reason; /* of the end; every card here refuses GET PROCESSING OPTIONS with 6F00, or
                           ends before */
    size_t shown;       /* applications that the cardholder was shown; 0: not asked */
};

#define REFUSED "the card answered 6F00 to GET PROCESSING OPTIONS"
#define ISBLOCKED                                                                                  \
    "the card's application is blocked (6283 to SELECT): only its issuer can unblock it"
#define NONE "the card has no payment application that this terminal takes"
#define GPO  " 80A8=6F00"

/* A directory record with one entry: 61 { 4F AID, 50 label, 87 priority } */
#define ENTRY_A "61134F07F000000014101050054341525441870102"
#define ENTRY_B "61144F08F00000001410100150054341525442870101"
#define ENTRY_C "61144F08F00000001410100250054341525443870103"
#define ENTRY_D                                                                                    \
    "610E9D07F0000000141099"                                                                       \
    "5003444446" /* a DDF of older cards: 9D, label */
#define ENTRY_P                                                                                    \
    "611B4F08F000000014101001500543415254428701019F120442414E4B" /* preferred name BANK */
#define ENTRY_X "61144F08F00000001499990150054341525458870101"   /* not the terminal's */

static const struct selection selections[] = {
    {"12.3.2 step 1: card blocked", PSE "=6A81", "", PSE, "the card is blocked", 0},
    {"12.3.2 step 1: no PSE, list of AIDs", PSE "=6A82" GPO, "", PSE " " ADF "00 " ADF "00 80A8",
     REFUSED, 0},
    {"12.3.2 step 1: PSE blocked, list of AIDs", PSE "=6283" GPO, "",
     PSE " " ADF "00 " ADF "00 80A8", REFUSED, 0},
    {"12.3.2 step 1: any other word, list of AIDs", PSE "=6F00" GPO, "",
     PSE " " ADF "00 " ADF "00 80A8", REFUSED, 0},
    {"12.3.2 one entry", PSE "=" FCI_PSE " 00B2010C=7015" ENTRY_A "9000 00B2020C=6A83" GPO, "",
     PSE " 00B2010C 00B2020C " ADF "00 80A8", REFUSED, 0},
    {"12.3.2 two entries in one record, the cardholder chooses",
     PSE "=" FCI_PSE " 00B2010C=702B" ENTRY_A ENTRY_B
         "9000 00B2020C=6A83 00A4040008F000000014101001=" FCI_B GPO,
     "partial", PSE " 00B2010C 00B2020C 00A4040008F000000014101001 80A8", REFUSED, 2},
    {"12.3.2 directory empty: list of AIDs", PSE "=" FCI_PSE " 00B2010C=6A83" GPO, "",
     PSE " 00B2010C " ADF "00 " ADF "00 80A8", REFUSED, 0},
    {"12.3.2 no entry of ours: list of AIDs",
     PSE "=" FCI_PSE " 00B2010C=7016" ENTRY_X "9000 00B2020C=6A83" GPO, "",
     PSE " 00B2010C 00B2020C " ADF "00 " ADF "00 80A8", REFUSED, 0},
    {"12.3.2 an error in the directory clears the list",
     PSE "=" FCI_PSE " 00B2010C=7015" ENTRY_A "9000 00B2020C=6F00" GPO, "",
     PSE " 00B2010C 00B2020C " ADF "00 " ADF "00 80A8", REFUSED, 0},
    {"12.3.2 a record that is no template 70", PSE "=" FCI_PSE " 00B2010C=" ENTRY_A "9000" GPO, "",
     PSE " 00B2010C " ADF "00 " ADF "00 80A8", REFUSED, 0},
    {"12.3.2 a record cut short", PSE "=" FCI_PSE " 00B2010C=7016" ENTRY_A "9000" GPO, "",
     PSE " 00B2010C " ADF "00 " ADF "00 80A8", REFUSED, 0},
    {"12.3.2 an entry without name is passed over",
     PSE "=" FCI_PSE " 00B2010C=701C61055003414243" ENTRY_A "9000 00B2020C=6A83" GPO, "",
     PSE " 00B2010C 00B2020C " ADF "00 80A8", REFUSED, 0},
    {"12.2.3 an entry for a directory (9D): passed over, the application beside it is taken",
     PSE "=" FCI_PSE " 00B2010C=7025" ENTRY_D ENTRY_A "9000 00B2020C=6A83" GPO, "",
     PSE " 00B2010C 00B2020C " ADF "00 80A8", REFUSED, 0},
    {"12.2.3 nothing but an entry for a directory: list of AIDs",
     PSE "=" FCI_PSE " 00B2010C=7010" ENTRY_D "9000 00B2020C=6A83" GPO, "",
     PSE " 00B2010C 00B2020C " ADF "00 " ADF "00 80A8", REFUSED, 0},
    {"12.2.3 other objects in a record are passed over",
     PSE "=" FCI_PSE " 00B2010C=701C5F5601414F0157" ENTRY_A "9000 00B2020C=6A83" GPO, "",
     PSE " 00B2010C 00B2020C " ADF "00 80A8", REFUSED, 0},
    {"12.3.2 two records, three applications, the cardholder takes the last",
     PSE "=" FCI_PSE " 00B2010C=702B" ENTRY_A ENTRY_B "9000 00B2020C=7016" ENTRY_C
         "9000 00B2030C=6A83 00A4040008F000000014101002=" FCI_C GPO,
     "partial choice=2", PSE " 00B2010C 00B2020C 00B2030C 00A4040008F000000014101002 80A8", REFUSED,
     3},
    {"12.3.2 the same name twice in the directory is one application",
     PSE "=" FCI_PSE " 00B2010C=702A" ENTRY_A ENTRY_A "9000 00B2020C=6A83" GPO, "",
     PSE " 00B2010C 00B2020C " ADF "00 80A8", REFUSED, 0},
    {"12.3.2 a name of the directory longer than the terminal's: only with partial selection",
     PSE "=" FCI_PSE " 00B2010C=702B" ENTRY_A ENTRY_B "9000 00B2020C=6A83" GPO, "",
     PSE " 00B2010C 00B2020C " ADF "00 80A8", REFUSED, 0},
    {"12.4 the one that was asked for, of two in the directory",
     PSE "=" FCI_PSE " 00B2010C=702B" ENTRY_A ENTRY_B
         "9000 00B2020C=6A83 00A4040008F000000014101001=" FCI_B GPO,
     "partial application=F000000014101001",
     PSE " 00B2010C 00B2020C 00A4040008F000000014101001 80A8", REFUSED, 0},
    {"12.4 the one that was asked for by its name, in small letters",
     PSE "=" FCI_PSE " 00B2010C=702B" ENTRY_A ENTRY_B
         "9000 00B2020C=6A83 00A4040008F000000014101001=" FCI_B GPO,
     "partial label=cartb", PSE " 00B2010C 00B2020C 00A4040008F000000014101001 80A8", REFUSED, 0},
    {"12.4 the one that was asked for by its preferred name, whose code table the PSE names",
     PSE "=" FCI_PSE_TABLE " 00B2010C=7032" ENTRY_A ENTRY_P
         "9000 00B2020C=6A83 00A4040008F000000014101001=" FCI_B GPO,
     "partial label=bank", PSE " 00B2010C 00B2020C 00A4040008F000000014101001 80A8", REFUSED, 0},
    {"12.4 none of the name that was asked for", PSE "=6A82", "label=other", PSE " " ADF "00",
     "the card does not have the application that was asked for", 0},
    {"12.4 an identifier that is none of the terminal's: not even looked for", PSE "=6A82",
     "application=F0000000149999", PSE, "the card does not have the application that was asked for",
     0},
    {"12.4 a longer identifier than the terminal's: by its list, then only that one",
     PSE "=6A82 " ADF "=" FCI_B " 00A4040207=" FCI_A " 00A4040008F000000014101001=" FCI_B GPO,
     "partial application=F000000014101001",
     PSE " " ADF "00 00A4040207 00A4040008F000000014101001 80A8", REFUSED, 0},
    {"12.2.2 the answer has another name than the PSE's: no PSE",
     PSE "=6F1A840E315041592E5359532E4444463032A5088801015F2D0266729000 00B2010C=7015" ENTRY_A
         "9000 00B2020C=6A83" GPO,
     "", PSE " " ADF "00 " ADF "00 80A8", REFUSED, 0},
    {"12.2.2 directory in file 11: no PSE",
     PSE "=6F15840E315041592E5359532E4444463031A50388010B9000" GPO, "",
     PSE " " ADF "00 " ADF "00 80A8", REFUSED, 0},
    {"12.2.2 PSE without file", PSE "=6F10840E315041592E5359532E4444463031A5009000" GPO, "",
     PSE " " ADF "00 " ADF "00 80A8", REFUSED, 0},
    {"12.3.3 step 2: card blocked", PSE "=6A82 " ADF "=6A81", "", PSE " " ADF "00",
     "the card is blocked", 0},
    {"12.3.3 step 3: nothing of that name", PSE "=6A82 " ADF "=6A82", "", PSE " " ADF "00", NONE,
     0},
    {"11.3.4 a proprietary template that runs over its end",
     PSE "=6A82 " ADF "=6F108407F0000000141010A50550084341529000", "", PSE " " ADF "00", NONE, 0},
    {"12.3.3 step 4: application blocked",
     PSE "=6A82 " ADF "=6F168407F0000000141010A50B50064341525445418701026283", "", PSE " " ADF "00",
     ISBLOCKED, 0},
    {"12.3.3 step 6: longer name, exact match wanted: not taken, next asked",
     PSE "=6A82 " ADF "=" FCI_B " 00A4040207F0000000141010=6A82", "", PSE " " ADF "00 00A4040207",
     NONE, 0},
    {"12.3.3 step 7: two occurrences, then the exact name ends it",
     PSE "=6A82 " ADF "=" FCI_B " 00A4040207F0000000141010=" FCI_A
         " 00A4040008F000000014101001=" FCI_B GPO,
     "partial", PSE " " ADF "00 00A4040207 00A4040008F000000014101001 80A8", REFUSED, 2},
    {"12.3.3 step 7: first occurrence blocked",
     PSE "=6A82 " ADF "=6F178408F000000014101001A50B5006434152544542870101"
         "6283 00A4040207F0000000141010=" FCI_A " " ADF "=" FCI_A GPO,
     "partial", PSE " " ADF "00 00A4040207 " ADF "00 80A8", REFUSED, 0},
    {"11.3.4 issuer data in the FCI that are no TLV: passed over",
     PSE "=6A82 " ADF "=" FCI_OPAQUE " " ADF "=" FCI_OPAQUE GPO, "",
     PSE " " ADF "00 " ADF "00 80A8", REFUSED, 0},
    {"12.3.3 an FCI that is none", PSE "=6A82 " ADF "=6F009000", "", PSE " " ADF "00", NONE, 0},
    {"12.3.3 an FCI of another name",
     PSE "=6A82 " ADF "=6F0E8405A000000003A5055003414243"
         "9000",
     "", PSE " " ADF "00", NONE, 0},
    {"12.4 step 2: one that wants confirmation, given",
     PSE "=6A82 " ADF "=" FCI_C " 00A4040207=6A82 00A4040008F000000014101002=" FCI_C GPO, "partial",
     PSE " " ADF "00 00A4040207 00A4040008F000000014101002 80A8", REFUSED, 1},
    {"12.4 step 2: one that wants confirmation, refused",
     PSE "=6A82 " ADF "=" FCI_C " 00A4040207=6A82", "partial choice=-1",
     PSE " " ADF "00 00A4040207", "the cardholder chose no application", 1},
    {"12.4 step 2: one that wants confirmation, nobody there",
     PSE "=6A82 " ADF "=" FCI_C " 00A4040207=6A82", "partial noperson", PSE " " ADF "00 00A4040207",
     "the card's application wants the cardholder's confirmation", 0},
    {"12.4 step 4: nobody there, the first without confirmation",
     PSE "=6A82 " ADF "=" FCI_C " 00A4040207=" FCI_A " " ADF "=" FCI_A GPO, "partial noperson",
     PSE " " ADF "00 00A4040207 " ADF "00 80A8", REFUSED, 0},
    {"12.4 step 5: the chosen one is refused, the other is taken when it is confirmed",
     PSE "=6A82 " ADF "=" FCI_B " 00A4040207=" FCI_A " 00A4040008F000000014101001=6A82 " ADF
         "=" FCI_A GPO,
     "partial", PSE " " ADF "00 00A4040207 00A4040008F000000014101001 " ADF "00 80A8", REFUSED, 1},
    {"12.4 step 5: blocked at the final selection", PSE "=6A82 " ADF "=" FCI_A " " ADF "=6283", "",
     PSE " " ADF "00 " ADF "00", ISBLOCKED, 0},
    {"12.4 the chosen one is malformed in the end, the other is taken",
     PSE "=6A82 " ADF "=" FCI_B " 00A4040207=" FCI_A " 00A4040008F000000014101001=6F0384019000 " ADF
         "=" FCI_A GPO,
     "partial", PSE " " ADF "00 00A4040207 00A4040008F000000014101001 " ADF "00 80A8", REFUSED, 1},
    {"12.4 final selection gives a longer name than was asked",
     PSE "=6A82 " ADF "=" FCI_A " " ADF "=" FCI_B, "partial", PSE " " ADF "00 " ADF "00",
     "the card's answer to SELECT is malformed", 0},
    {"11.3.4 final FCI malformed", PSE "=6A82 " ADF "=" FCI_A " " ADF "=6F0384019000", "",
     PSE " " ADF "00 " ADF "00", "the card's answer to SELECT is malformed", 0},
    {"Book 3 10.1: 6985, the next application",
     PSE "=6A82 " ADF "=" FCI_B " 00A4040207=" FCI_A " 00A4040008F000000014101001=" FCI_B
         " 80A8=6985 " ADF "=" FCI_A GPO,
     "partial", PSE " " ADF "00 00A4040207 00A4040008F000000014101001 80A8 " ADF "00 80A8", REFUSED,
     1},
};

START_TEST(test_selection)
    {
        const struct selection *s = &selections[_i];
        static struct paper p;
        struct paper_terminal t;
        struct transaction *tx;
        struct tp_error e;
        size_t i = 0, n;

        paper_card(&p, &keys);
        paper_terminal(&t, &keys);
        paper_answers(&p, s->answers);
        paper_terminal_words(&t, s->terminal);
        ck_assert_msg(paper_run(&tx, &p, &t, &e) == TP_OK, "%s: %s", s->clause, e.text);
        ck_assert_msg(strncmp(transaction_reason(tx), s->reason, strlen(s->reason)) == 0,
                      "%s: \"%s\"", s->clause, transaction_reason(tx));
        ck_assert_msg(t.choices == 0 ? s->shown == 0 : t.choice_n == s->shown,
                      "%s: shown %zu applications", s->clause, t.choice_n);
        for (const char *at = s->sent; *at != '\0'; at += n + (at[n] == ' ' ? 1 : 0), i++) {
            n = strcspn(at, " ");
            ck_assert_msg(i < p.log_n && strncmp(p.log[i], at, n) == 0,
                          "%s: command %zu is %s, not %.*s", s->clause, i + 1,
                          i < p.log_n ? p.log[i] : "none", (int)n, at);
        }
        ck_assert_msg(i == p.log_n, "%s: a command more than foreseen: %s", s->clause, p.log[i]);
        transaction_free(&tx);
    }
END_TEST

/* Priorities 2, none, 1, 15: shown as 1, 2, 15, none; equal ones as they were found (12.4 step 4).
 */
static char shown[8][17];

static int note_choose(void *ctx, const struct candidate *list, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < n && i < 8; i++)
        snprintf(shown[i], sizeof(shown[i]), "%s", list[i].label);
    return -1;
}

START_TEST(test_order)
    {
        static const char good[] =
            PSE "=" FCI_PSE " 00B2010C=701261104F08F00000001410100150015A870102"
                "9000"
                " 00B2020C=700F610D4F08F000000014101002500159"
                "9000"
                " 00B2030C=701261104F08F00000001410100350015887010F"
                "9000"
                " 00B2040C=701261104F08F000000014101004500157870101"
                "9000"
                " 00B2050C=701261104F08F000000014101005500156870102"
                "9000"
                " 00B2060C=6A83";
        static struct paper p;
        const struct kernel_person person = {.choose = note_choose};
        struct paper_terminal t;
        struct inproc_card card;
        struct reader *reader;
        struct transaction *tx;
        struct tp_error e;

        paper_card(&p, &keys);
        paper_terminal(&t, &keys);
        paper_answers(&p, good);
        paper_terminal_words(&t, "partial");
        ck_ok(paper_open(&reader, &card, &p));
        ck_ok(kernel_run(&tx, reader, &t.config, &t.request, &person, NULL, &e));
        ck_assert_int_eq(transaction_outcome(tx), KERNEL_NOT_ACCEPTED);
        ck_assert_str_eq(shown[0], "W");
        ck_assert_str_eq(shown[1], "Z");
        ck_assert_str_eq(shown[2], "V");
        ck_assert_str_eq(shown[3], "X");
        ck_assert_str_eq(shown[4], "Y");
        transaction_free(&tx);
        reader_close(&reader);
    }
END_TEST

/* The preferred name only where its code table is one that the terminal shows (9F11, 9F40): Book
 * 1, 12.4; Book 4, 11.1 and Annex A3. */
START_TEST(test_names)
    {
        static const struct {
            const char *objects; /* of A5, beside the label CARD */
            const char *terminal, *shown;
        } all[] = {
            {"", "", "CARD"},
            {"9F1101019F120442414E4B", "", "BANK"},
            {"9F1101019F120442414E4B", "additional=6000F0A000",
             "CARD"}, /* a terminal that shows no table */
            {"9F1101029F120442414E4B", "", "CARD"},
            {"9F1101029F120442414E4B", "additional=6000F0A003",
             "CARD"},                       /* part 2 is not shown here, whatever is said */
            {"9F120442414E4B", "", "CARD"}, /* no table */
            {"9F110201019F120442414E4B", "", "CARD"},
            {"9F110101", "", "CARD"},
        };

        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
            static struct paper p;
            struct paper_terminal t;
            struct transaction *tx;
            struct tp_error e;
            char fci[128], answers[400];
            const size_t n = strlen(all[i].objects) / 2;

            snprintf(fci, sizeof(fci), "6F%02zX8407F0000000141010A5%02zX500443415244%s9000", 17 + n,
                     6 + n, all[i].objects);
            snprintf(answers, sizeof(answers), PSE "=6A82 " ADF "=%s " ADF "=%s", fci, fci);
            paper_card(&p, &keys);
            paper_terminal(&t, &keys);
            paper_answers(&p, answers);
            paper_terminal_words(&t, all[i].terminal);
            ck_ok(paper_run(&tx, &p, &t, &e));
            ck_assert_str_eq(transaction_application(tx)->label, all[i].shown);
            transaction_free(&tx);
        }
    }
END_TEST

/* The same in a directory: the preferred name stands in the entry, its code table in the FCI of the
 * PSE and nowhere else (Book 1, tables 8 and 12). */
START_TEST(test_directory_names)
    {
        static const struct {
            const char *table; /* of the PSE's A5, beside file and language */
            const char *entry; /* of 61, beside identifier and label CARD */
            const char *terminal, *shown;
        } all[] = {
            {"", "", "", "CARD"},
            {"9F110101", "", "", "CARD"},
            {"9F110101", "9F120442414E4B", "", "BANK"},
            {"9F110101", "9F120442414E4B", "additional=6000F0A000",
             "CARD"}, /* a terminal that shows no table */
            {"9F110102", "9F120442414E4B", "", "CARD"},
            {"", "9F120442414E4B", "", "CARD"},
            {"", "9F1101019F120442414E4B", "", "CARD"}, /* not where the table stands */
            {"9F110102", "9F1101019F120442414E4B", "", "CARD"},
        };

        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
            static struct paper p;
            struct paper_terminal t;
            struct transaction *tx;
            struct tp_error e;
            char answers[400];
            const size_t table = strlen(all[i].table) / 2, entry = strlen(all[i].entry) / 2;

            snprintf(
                answers, sizeof(answers),
                PSE "=6F%02zX840E315041592E5359532E4444463031A5%02zX8801015F2D026672%s9000 "
                    "00B2010C=70%02zX61%02zX4F07F0000000141010500443415244%s9000 00B2020C=6A83 " ADF
                    "=6F0B8407F0000000141010A5009000",
                26 + table, 8 + table, all[i].table, 17 + entry, 15 + entry, all[i].entry);
            paper_card(&p, &keys);
            paper_terminal(&t, &keys);
            paper_answers(&p, answers);
            paper_terminal_words(&t, all[i].terminal);
            ck_ok(paper_run(&tx, &p, &t, &e));
            ck_assert_str_eq(transaction_application(tx)->label, all[i].shown);
            transaction_free(&tx);
        }
    }
END_TEST

/* 5F2D is kept: the application's, else the PSE's (Book 1, 11.3.4; Book 4, 11.1). */
START_TEST(test_language)
    {
        static const struct {
            const char *answers, *language;
        } all[] = {
            {PSE "=6A82", ""},
            {PSE "=" FCI_PSE " 00B2010C=7015" ENTRY_A "9000 00B2020C=6A83", "6672"},
            {PSE "=" FCI_PSE " 00B2010C=7015" ENTRY_A "9000 00B2020C=6A83 " ADF "=6F12"
                 "8407F0000000141010"
                 "A507"
                 "5F2D046465"
                 "656E"
                 "9000",
             "6465656E"},
        };

        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
            static struct paper p;
            struct paper_terminal t;
            struct transaction *tx;
            struct tp_error e;

            paper_card(&p, &keys);
            paper_terminal(&t, &keys);
            paper_answers(&p, all[i].answers);
            ck_ok(paper_run(&tx, &p, &t, &e));
            ck_hex(transaction_get(tx, TAG_LANGUAGE), all[i].language);
            ck_assert_int_eq(transaction_outcome(tx), KERNEL_APPROVED);
            transaction_free(&tx);
        }
    }
END_TEST

/* A directory and a chain of occurrences that never end: the card is left in peace after a bounded
 * number of commands. */
struct endless {
    unsigned commands;
};

static enum tp_err endless_on(void *ctx, struct buf *atr)
{
    (void)ctx;
    return hex_decode(atr, "3B00");
}

static enum tp_err endless_transmit(void *ctx, struct span command, struct buf *response)
{
    struct endless *c = ctx;

    c->commands++;
    if (command.p[1] == 0xB2)
        return hex_decode(response, "7016" ENTRY_X "9000");
    if (command.p[4] == 14)
        return hex_decode(response, FCI_PSE);
    return hex_decode(response, FCI_B);
}

static void endless_off(void *ctx)
{
    (void)ctx;
}

START_TEST(test_endless)
    {
        struct endless c = {0};
        const struct inproc_card card = {&c, endless_on, endless_transmit, endless_off};
        struct paper_terminal t;
        struct reader *reader;
        struct transaction *tx;
        struct tp_error e;

        paper_terminal(&t, &keys);
        ck_ok(inproc_open(&reader, &card));
        ck_ok(reader_connect(reader, &e));
        ck_ok(kernel_run(&tx, reader, &t.config, &t.request, NULL, NULL, &e));
        ck_assert_int_eq(transaction_outcome(tx), KERNEL_NOT_ACCEPTED);
        ck_assert_uint_le(c.commands, 64);
        transaction_free(&tx);
        reader_close(&reader);
    }
END_TEST

/* Live or not: doc/design.md, Terminal. The paper card's name is replaced by another scheme's; the
 * terminal knows that name too. */
START_TEST(test_live)
    {
        static const struct {
            const char *aid;
            bool live;
        } all[] = {
            {"A0000000031010", true},  /* Visa */
            {"A0000000041010", true},  /* Mastercard: public test keys do not make it a test card */
            {"A0000000421010", true},  /* CB: no key known at all */
            {"D2760000851010", true},  /* some national provider */
            {"F0000000141010", false}, /* nobody's: ours */
            {"F1234567891010", false},
            {"B0123456781010", false}, /* registered, but only test keys of it are known */
        };

        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
            for (int allow = 0; allow < 2; allow++) {
                static struct paper p;
                struct paper_terminal t;
                struct transaction *tx;
                struct tp_error e;
                struct buf aid;
                char answers[256];

                paper_card(&p, &keys);
                paper_terminal(&t, &keys);
                aid = (struct buf){t.config.applications[0].aid, 0, 16};
                ck_ok(hex_decode(&aid, all[i].aid));
                t.config.allow_live_card = allow != 0;
                snprintf(answers, sizeof(answers),
                         "00A4040007%s=6F0B8407%sA5009000 00A4040007%s=6F0B8407%sA5009000",
                         all[i].aid, all[i].aid, all[i].aid, all[i].aid);
                paper_answers(&p, answers);
                ck_ok(paper_run(&tx, &p, &t, &e));
                ck_assert_int_eq(transaction_live(tx), all[i].live);
                ck_assert_uint_gt(paper_sent(&p, "00B2"), 0); /* read it is */
                ck_assert_uint_eq(paper_sent(&p, "80AE"), all[i].live && allow == 0 ? 0 : 1);
                ck_assert_int_eq(transaction_outcome(tx),
                                 all[i].live && allow == 0 ? KERNEL_NOT_ACCEPTED : KERNEL_APPROVED);
                transaction_free(&tx);
            }
    }
END_TEST

/* DDA would be a signature too: INTERNAL AUTHENTICATE does not go to a live card. */
START_TEST(test_live_dda)
    {
        static struct paper p;
        struct paper_terminal t;
        struct transaction *tx;
        struct tp_error e;

        paper_card(&p, &keys);
        paper_terminal(&t, &keys);
        memcpy(t.config.applications[0].aid, "\xA0\x00\x00\x00\x03\x10\x10", 7);
        paper_card_words(&p, "aip=3800");
        paper_answers(
            &p,
            "00A4040007=6F0B8407A0000000031010A5009000 00A4040007=6F0B8407A0000000031010A5009000");
        ck_ok(paper_run(&tx, &p, &t, &e));
        ck_assert_int_eq(transaction_outcome(tx), KERNEL_NOT_ACCEPTED);
        ck_assert_uint_eq(paper_sent(&p, "0088"), 0);
        transaction_free(&tx);
    }
END_TEST

/* Nor where it would pay nothing. */
START_TEST(test_live_proves_nothing)
    {
        static struct paper p;
        struct paper_terminal t;
        struct inproc_card card;
        struct reader *reader;
        struct transaction *tx;
        struct tp_error e;

        paper_card(&p, &keys);
        paper_terminal(&t, &keys);
        memcpy(t.config.applications[0].aid, "\xA0\x00\x00\x00\x03\x10\x10", 7);
        paper_card_words(&p, "aip=3800");
        paper_answers(
            &p,
            "00A4040007=6F0B8407A0000000031010A5009000 00A4040007=6F0B8407A0000000031010A5009000");
        ck_ok(paper_open(&reader, &card, &p));
        ck_ok(kernel_prove_card(&tx, reader, &t.config, &t.request, NULL, &e));
        ck_assert_int_eq(transaction_outcome(tx), KERNEL_NOT_ACCEPTED);
        ck_assert_uint_eq(paper_sent(&p, "0088"), 0);
        transaction_free(&tx);
        reader_close(&reader);
    }
END_TEST

/* kernel_read_card: every application, nothing signed, no PIN. */
START_TEST(test_read_card)
    {
        static struct paper p;
        struct paper_terminal t;
        struct transaction *list[KERNEL_CANDIDATES_MAX];
        struct inproc_card card;
        struct reader *reader;
        struct tp_error e;
        size_t n;

        paper_card(&p, &keys);
        paper_terminal(&t, &keys);
        paper_answers(&p, PSE
                      "=" FCI_PSE " 00B2010C=702C" ENTRY_X ENTRY_B "9000 00B2020C=6A83"
                      " 00A4040008F000000014999901=6F168408F000000014999901A50A50054341525458870101"
                      "9000 00A4040008F000000014101001=6A82"
                      " 80CA9F36=9F3602002A9000 80CA9F17=9F1701039000");
        ck_ok(paper_open(&reader, &card, &p));
        ck_ok(kernel_read_card(list, KERNEL_CANDIDATES_MAX, &n, reader, &t.config, 20260601, &e));
        ck_assert_uint_eq(n, 3); /* two of the directory, one of the terminal's list that the
                                    directory does not name */
        ck_assert_uint_eq(paper_sent(&p, "80AE") + paper_sent(&p, "0088") + paper_sent(&p, "0020"),
                          0);
        for (size_t i = 0; i < n; i++) {
            ck_assert_ptr_nonnull(transaction_application(list[i]));
            ck_assert_int_eq(transaction_outcome(list[i]),
                             memcmp(transaction_application(list[i])->aid + 5, "\x10\x10\x01", 3) ==
                                     0
                                 ? KERNEL_NOT_ACCEPTED
                                 : KERNEL_READ_ONLY);
        }
        ck_assert_str_eq(transaction_application(list[0])->label, "CARTX");
        ck_hex(transaction_get(list[0], TAG_PAN), "9990140000000015");
        ck_hex(transaction_get(list[0], TAG_ATC), "002A");
        ck_assert_uint_eq(transaction_pin_tries(list[0]), 3);
        ck_assert(transaction_authentication(list[0])->ok);
        ck_assert_int_eq(transaction_authentication(list[0])->method, KERNEL_METHOD_CDA);
        ck_assert_str_eq(transaction_authentication(list[0])->issuer, "999014");
        for (size_t i = 0; i < n; i++)
            transaction_free(&list[i]);
        reader_close(&reader);
    }
END_TEST

/* The card leaves at each command of reading: an error, and nothing to free. */
START_TEST(test_read_card_torn)
    {
        static struct paper p;
        size_t last = 0;
        enum tp_err r = TP_ERR_CARD;

        for (size_t at = 1; r != TP_OK && at < 60; at++) {
            struct paper_terminal t;
            struct transaction *list[KERNEL_CANDIDATES_MAX];
            struct inproc_card card;
            struct reader *reader;
            struct tp_error e;
            size_t n = 99;

            paper_card(&p, &keys);
            paper_terminal(&t, &keys);
            p.leave_at = at;
            ck_ok(paper_open(&reader, &card, &p));
            r = kernel_read_card(list, KERNEL_CANDIDATES_MAX, &n, reader, &t.config, 20260601, &e);
            ck_assert(r == TP_OK || r == TP_ERR_CARD);
            ck_assert_uint_eq(n, r == TP_OK ? 1 : 0);
            for (size_t i = 0; i < n; i++)
                transaction_free(&list[i]);
            reader_close(&reader);
            last = at;
        }
        ck_assert_int_eq(r, TP_OK);
        ck_assert_uint_gt(last, 10);
    }
END_TEST

START_TEST(test_read_card_blocked)
    {
        static struct paper p;
        struct paper_terminal t;
        struct transaction *list[1];
        struct inproc_card card;
        struct reader *reader;
        struct tp_error e;
        size_t n = 99;

        paper_card(&p, &keys);
        paper_terminal(&t, &keys);
        paper_answers(&p, PSE "=6A81");
        ck_ok(paper_open(&reader, &card, &p));
        ck_assert_int_eq(kernel_read_card(list, 1, &n, reader, &t.config, 20260601, &e),
                         TP_ERR_CARD);
        ck_assert_str_eq(e.text, "the card is blocked (6A81 to SELECT)");
        ck_assert_uint_eq(n, 0);
        reader_close(&reader);
    }
END_TEST

/* A card that says yes to whatever is asked, with data that are none, has not the applications of
 * every scheme. */
START_TEST(test_read_card_nonsense)
    {
        static const struct {
            const char *answers;
            enum tp_err r;
            size_t n;
        } rows[] = {
            {"00A40400=41424344459000 00A40400=41424344459000 00A40400=41424344459000 "
             "00A40400=41424344459000",
             TP_ERR_CARD, 0},
            {"00A40400=9000 00A40400=9000 00A40400=9000 00A40400=9000", TP_ERR_CARD, 0},
            {"00A40400=6A82 00A40400=41424344459000 00A40400=6A82 00A40400=41424344459000", TP_OK,
             1},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            static struct paper p;
            struct paper_terminal t;
            struct transaction *list[KERNEL_CANDIDATES_MAX];
            struct inproc_card card;
            struct reader *reader;
            struct tp_error e = {TP_OK, ""};
            size_t n = 0;

            paper_card(&p, &keys);
            paper_terminal(&t, &keys);
            t.config.applications[1] = t.config.applications[0];
            t.config.applications[1].aid[4] ^= 1; /* another scheme's */
            t.config.applications_n = 2;
            paper_answers(&p, rows[i].answers);
            ck_ok(paper_open(&reader, &card, &p));
            ck_assert_int_eq(
                kernel_read_card(list, KERNEL_CANDIDATES_MAX, &n, reader, &t.config, 20260601, &e),
                rows[i].r);
            ck_assert_uint_eq(n, rows[i].n);
            if (rows[i].r != TP_OK)
                ck_assert_str_eq(
                    e.text,
                    "the card answers each SELECT with success and with data that make no sense");
            while (n > 0)
                transaction_free(&list[--n]);
            reader_close(&reader);
        }
    }
END_TEST

/* An application that cannot be used is there all the same, and says why: blocked (Book 1, 12.3.3:
 * 6283), refused, its FCI malformed (a name of 4 bytes). */
#define BLOCKED  "00A40400=6F108407F0000000141010A50550034341526283"
#define BAD_NAME "00A40400=6F088404F0000000A5009000"
START_TEST(test_read_card_says_why)
    {
        static const struct {
            const char *answers, *reason;
        } rows[] = {
            {"00A40400=6A82 " BLOCKED " " BLOCKED, "this application is blocked (6283 to SELECT)"},
            {"00A40400=6A82 00A40400=6283 00A40400=6283",
             "this application is blocked (6283 to SELECT)"},
            {"00A40400=6A82 " BAD_NAME " " BAD_NAME, "the card's answer to SELECT is malformed"},
            {PSE "=" FCI_PSE " 00B2010C=702C" ENTRY_X ENTRY_B
                 "9000 00B2020C=6A83 00A40400=6A82 00A40400=6985",
             "the card does not let this application be selected (6985: conditions of use not "
             "satisfied)"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            static struct paper p;
            struct paper_terminal t;
            struct transaction *list[KERNEL_CANDIDATES_MAX];
            struct inproc_card card;
            struct reader *reader;
            struct tp_error e = {TP_OK, ""};
            size_t n = 0;

            paper_card(&p, &keys);
            paper_terminal(&t, &keys);
            paper_answers(&p, rows[i].answers);
            ck_ok(paper_open(&reader, &card, &p));
            ck_assert_msg(kernel_read_card(list, KERNEL_CANDIDATES_MAX, &n, reader, &t.config,
                                           20260601, &e) == TP_OK &&
                              n > 0,
                          "%zu: %s", i, e.text);
            ck_assert_str_eq(transaction_reason(list[0]), rows[i].reason);
            ck_assert_msg(transaction_application(list[0]) != NULL &&
                              transaction_application(list[0])->aid_n >= 7,
                          "%zu", i);
            while (n > 0)
                transaction_free(&list[--n]);
            reader_close(&reader);
        }
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("kernel selection");
    TCase *c = tcase_create("paper");

    tcase_add_unchecked_fixture(c, make_keys, free_keys);
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, test_selection, 0, (int)(sizeof(selections) / sizeof(selections[0])));
    tcase_add_test(c, test_order);
    tcase_add_test(c, test_names);
    tcase_add_test(c, test_directory_names);
    tcase_add_test(c, test_language);
    tcase_add_test(c, test_endless);
    tcase_add_test(c, test_live);
    tcase_add_test(c, test_live_dda);
    tcase_add_test(c, test_live_proves_nothing);
    tcase_add_test(c, test_read_card);
    tcase_add_test(c, test_read_card_torn);
    tcase_add_test(c, test_read_card_blocked);
    tcase_add_test(c, test_read_card_nonsense);
    tcase_add_test(c, test_read_card_says_why);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
