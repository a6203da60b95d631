/* Tickets: words, layout and the bytes that a printer gets. tests/system/ticket.sh has them
 * rendered by a parser of its own. */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "apdu/emvbits.h"
#include "payer/journal.h"
#include "payer/printer.h"
#include "payer/ticket.h"

static struct receipt paid(void)
{
    return (struct receipt){.state = PAYMENT_ACKNOWLEDGED,
                            .merchant = "Librairie du Port",
                            .contract = "000000000000123",
                            .terminal = "00000001",
                            .shop = {"43033271800021", "Lorient", "56100"},
                            .date = 20261123,
                            .time = 91500,
                            .amount = 1250,
                            .currency = 978,
                            .pan = "999014******0015",
                            .psn = "001",
                            .aid = "F0000000141010",
                            .label = "TELEPAY TEST",
                            .method = "CDA",
                            .verified = "Plaintext PIN verification performed by ICC: Successful",
                            .cryptogram = "TC",
                            .ac = "1122334455667788",
                            .atc = 7,
                            .tvr = "0000008000",
                            .tsi = "E800",
                            .stan = 42,
                            .rrn = "632700000042",
                            .answer = "00"};
}

/* The text is the caller's; *n: its length, as there are zeros in ESC/POS. */
static char *printed_n(size_t *n, unsigned width, bool escpos, enum ticket_whom whom,
                       const struct receipt *r, enum ticket_language l)
{
    char *text = NULL;
    const struct paper p = {open_memstream(&text, n), width, escpos};

    ticket_put(&p, r, whom, l);
    fclose(p.to);
    return text;
}

static char *printed(unsigned width, enum ticket_whom whom, const struct receipt *r,
                     enum ticket_language l)
{
    size_t n;

    return printed_n(&n, width, false, whom, r, l);
}

static void is_printed(const char *want, unsigned width, enum ticket_whom whom,
                       const struct receipt *r, enum ticket_language l)
{
    char *text = printed(width, whom, r, l);

    ck_assert_str_eq(text, want);
    free(text);
}

static void has(enum ticket_whom whom, const struct receipt *r, enum ticket_language l,
                const char *want, bool wanted)
{
    char *text = printed(44, whom, r, l);

    ck_assert_msg((strstr(text, want) != NULL) == wanted, "\"%s\" in\n%s", want, text);
    free(text);
}

/* Laid out by hand. */
START_TEST(in_english)
    {
        const struct receipt r = paid();

        is_printed("                CARD PAYMENT\n"
                   "             Librairie du Port\n"
                   "               56100 Lorient\n"
                   "SIRET                         43033271800021\n"
                   "Contract                     000000000000123\n"
                   "Terminal                            00000001\n"
                   "Date                     2026-11-23 09:15:00\n"
                   "Application                     TELEPAY TEST\n"
                   "AID                           F0000000141010\n"
                   "Card                999014******0015 no. 001\n"
                   "Signature                                CDA\n"
                   "TC                          1122334455667788\n"
                   "ATC                                        7\n"
                   "TVR / TSI                  0000008000 / E800\n"
                   "Plaintext PIN verification performed by ICC:\n"
                   "Successful\n"
                   "Number                                000042\n"
                   "Reference                       632700000042\n"
                   "AMOUNT                             12.50 EUR\n"
                   "                  APPROVED\n"
                   "              CUSTOMER'S COPY\n"
                   "          PLEASE KEEP IT. GOODBYE\n",
                   44, TICKET_CUSTOMER, &r, TICKET_ENGLISH);
    }
END_TEST

START_TEST(in_french)
    {
        struct receipt r = paid();

        r.copy = true;

        is_printed("     CARTE BANCAIRE\n"
                   "       DUPLICATA\n"
                   "F0000000141010\n"
                   "TELEPAY TEST\n"
                   "Le 23/11/2026 à 09:15:00\n"
                   "   Librairie du Port\n"
                   "        Lorient\n"
                   "         56100\n"
                   "Contrat  000000000000123\n"
                   "SIRET     43033271800021\n"
                   "Terminal        00000001\n"
                   "Carte\n"
                   " 999014******0015 n° 001\n"
                   "TC      1122334455667788\n"
                   "ATC                    7\n"
                   "TVR / TSI\n"
                   "       0000008000 / E800\n"
                   "Numéro            000042\n"
                   "Référence   632700000042\n"
                   "No AUTO :\n"
                   "MONTANT :      12,50 EUR\n"
                   "         DEBIT\n"
                   "     TICKET CLIENT\n"
                   "      A CONSERVER\n"
                   "    MERCI AU REVOIR\n",
                   24, TICKET_CUSTOMER, &r, TICKET_FRENCH);
    }
END_TEST

/* What state and kind come to, in the words of both. */
START_TEST(outcomes)
    {
        static const struct {
            enum payment_state state;
            const char *english, *french;
        } rows[] = {
            {PAYMENT_DECLINED, "DECLINED", "TRANSACTION REFUSEE"},
            {PAYMENT_SIGNED, "SIGNED, NOT YET ACKNOWLEDGED", "SIGNE, PAS ENCORE ACQUITTE"},
            {PAYMENT_ACKNOWLEDGED, "APPROVED", "DEBIT"},
            {PAYMENT_REFUSED, "REFUSED BY THE ACQUIRER", "TRANSACTION REFUSEE"},
            {PAYMENT_REPLAYED, "APPROVED (REPLAY: NOTHING IS PAID)", "REJEU : RIEN N'EST PAYE"},
            {PAYMENT_ASKED, "THE ISSUER IS BEING ASKED", "L'EMETTEUR EST INTERROGE"},
            {PAYMENT_TO_REVERSE, "NOT PAID, TO BE REVERSED", "NON PAYE, A ANNULER"},
            {PAYMENT_REVERSED, "NOT PAID, REVERSED", "NON PAYE, ANNULE"},
            {PAYMENT_NOT_REVERSED, "NOT REVERSED", "NON ANNULE"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct receipt r = paid();

            r.state = rows[i].state;
            has(TICKET_CUSTOMER, &r, TICKET_ENGLISH, rows[i].english, true);
            has(TICKET_CUSTOMER, &r, TICKET_FRENCH, rows[i].french, true);
            /* a debit where money moves, or may yet: of what was refused the word would be a lie */
            has(TICKET_CUSTOMER, &r, TICKET_FRENCH, "DEBIT",
                r.state == PAYMENT_ACKNOWLEDGED || r.state == PAYMENT_SIGNED ||
                    r.state == PAYMENT_NOT_REVERSED);
        }
    }
END_TEST

START_TEST(kinds)
    {
        struct receipt r = paid();

        r.type = TYPE_REFUND;
        has(TICKET_CUSTOMER, &r, TICKET_ENGLISH, "REFUND", true);
        has(TICKET_CUSTOMER, &r, TICKET_FRENCH, "CREDIT", true);
        has(TICKET_CUSTOMER, &r, TICKET_FRENCH, "DEBIT", false);
        has(TICKET_CUSTOMER, &r, TICKET_FRENCH, "Crédit de", false);
        memcpy(r.undoes, "632700000041", 13);
        has(TICKET_CUSTOMER, &r, TICKET_FRENCH, "Crédit de                       632700000041",
            true);
        has(TICKET_CUSTOMER, &r, TICKET_ENGLISH, "Refund of                       632700000041",
            true);
        r = paid();
        r.voided = true;
        r.state = PAYMENT_REVERSED;
        has(TICKET_CUSTOMER, &r, TICKET_ENGLISH, " TAKEN BACK", true);
        has(TICKET_CUSTOMER, &r, TICKET_FRENCH, " ANNULATION\n", true);
        has(TICKET_CUSTOMER, &r, TICKET_FRENCH, "DEBIT", false);
        r.state = PAYMENT_TO_REVERSE;
        has(TICKET_CUSTOMER, &r, TICKET_ENGLISH, "TO BE TAKEN BACK", true);
        has(TICKET_CUSTOMER, &r, TICKET_FRENCH, "ANNULATION A TRANSMETTRE", true);
        r.state = PAYMENT_NOT_REVERSED;
        has(TICKET_CUSTOMER, &r, TICKET_FRENCH, "ANNULATION", false);
        r = paid();
        r.state = PAYMENT_DECLINED; /* it ended before the card said anything */
        r.ac[0] = '\0';
        has(TICKET_CUSTOMER, &r, TICKET_FRENCH, "ABANDON", true);
        has(TICKET_CUSTOMER, &r, TICKET_FRENCH, "DUPLICATA", false);
        r.copy = true;
        has(TICKET_CUSTOMER, &r, TICKET_FRENCH, "DUPLICATA", true);
        has(TICKET_CUSTOMER, &r, TICKET_ENGLISH, "DUPLICATE", true);
        has(TICKET_CUSTOMER, &r, TICKET_FRENCH, "TICKET CLIENT", true);
        has(TICKET_MERCHANT, &r, TICKET_FRENCH, "TICKET COMMERCANT", true);
        has(TICKET_MERCHANT, &r, TICKET_ENGLISH, "MERCHANT'S COPY", true);
        memcpy(r.purse, "0123456789ABCDEF", sizeof(r.purse));
        has(TICKET_CUSTOMER, &r, TICKET_FRENCH, "PORTE-MONNAIE VIRTUEL", true);
        has(TICKET_CUSTOMER, &r, TICKET_FRENCH, "No AUTO", false);
    }
END_TEST

/* An approval of the issuer has its number; without one the words are there alone. */
START_TEST(approvals_and_refusals)
    {
        struct receipt r = paid();
        struct wire_answer a = {.code = "51", .reason = "ISSUER"};

        has(TICKET_CUSTOMER, &r, TICKET_FRENCH, "\nNo AUTO :\n", true);
        memcpy(r.approval, "000551", sizeof(r.approval));
        has(TICKET_CUSTOMER, &r, TICKET_FRENCH, "No AUTO :                             000551\n",
            true);
        r.state = PAYMENT_SIGNED;
        receipt_settle(&r, &a);
        has(TICKET_CUSTOMER, &r, TICKET_FRENCH,
            "provision insuffisante ou crédit dépassé\n(51, ISSUER)\n", true);
        has(TICKET_CUSTOMER, &r, TICKET_FRENCH, "enough funds", false);
        /* what the acquirer names in DE 44 says more than its code */
        wire_answer_set(&a, "57", "REFUND_CARD");
        r = paid();
        r.type = TYPE_REFUND;
        r.state = PAYMENT_SIGNED;
        receipt_settle(&r, &a);
        has(TICKET_CUSTOMER, &r, TICKET_ENGLISH,
            "another card made the payment: the refund\ngoes to that one alone (57, REFUND_CARD)\n",
            true);
        has(TICKET_CUSTOMER, &r, TICKET_FRENCH,
            "une autre carte a payé : le crédit ne va\nqu'à celle-là (57, REFUND_CARD)\n", true);
        /* a payment that was to be taken back, and stands */
        wire_answer_set(&a, "12", "REMISE_CLOSED");
        r = paid();
        r.voided = true;
        r.state = PAYMENT_TO_REVERSE;
        receipt_settle(&r, &a);
        has(TICKET_CUSTOMER, &r, TICKET_FRENCH,
            " DEBIT\nnon annulé : le paiement est dans une remise\n"
            "close : le rembourser par un crédit (12,\nREMISE_CLOSED)\n",
            true);
    }
END_TEST

/* Book 3, table C1 (of methods), and Book 4, 6.3.4.5: the outcome of a signature on paper is
 * unknown to the terminal. */
static struct span asked_to_sign(const void *ctx, uint32_t tag)
{
    static const uint8_t languages[] = {'f', 'r', 'E', 'N', 0x1B, '@'},
                         aid[] = {0xF0, 0, 0, 0, 0x14};

    return tag == TAG_CVM_RESULTS ? span_of(ctx, 3)
           : tag == TAG_LANGUAGE  ? SPAN_OF(languages)
           : tag == TAG_DF_NAME   ? SPAN_OF(aid)
                                  : span_of(NULL, 0);
}

START_TEST(signatures)
    {
        static const struct {
            uint8_t cvm[3];
            bool wanted;
        } rows[] = {{{0x1E, 0x03, 0x00}, true},  {{0x5E, 0x03, 0x00}, true},
                    {{0x03, 0x03, 0x00}, true},  {{0x05, 0x03, 0x00}, true},
                    {{0x1E, 0x03, 0x01}, false}, {{0x01, 0x03, 0x02}, false},
                    {{0x1F, 0x03, 0x02}, false}, {{0x3F, 0x00, 0x00}, false}};
        struct terminal t = {.shop = {.town = "Lorient"}};
        const struct transaction_request request = {.date = 20261123};
        struct receipt r;

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            receipt_fill(&r, &t, &request, asked_to_sign, rows[i].cvm);
            ck_assert_msg(r.signature == rows[i].wanted, "%zu", i);
            has(TICKET_MERCHANT, &r, TICKET_ENGLISH, "signature:\n\n\n", rows[i].wanted);
            has(TICKET_MERCHANT, &r, TICKET_FRENCH, "Signature du porteur :\n\n\n", rows[i].wanted);
            has(TICKET_CUSTOMER, &r, TICKET_FRENCH, "Signature du porteur", false);
        }
        ck_assert_str_eq(r.languages, "fren??");
        ck_assert_str_eq(r.shop.town, "Lorient");
    }
END_TEST

START_TEST(languages)
    {
        const struct ticket_style both = {{TICKET_ENGLISH, TICKET_FRENCH}, 2, 44, ""},
                                  french = {{TICKET_FRENCH}, 1, 44, ""};
        struct receipt r = {.languages = "defren"};

        ck_assert_int_eq(ticket_language(&both, &r, TICKET_CUSTOMER), TICKET_FRENCH);
        ck_assert_int_eq(ticket_language(&both, &r, TICKET_MERCHANT), TICKET_ENGLISH);
        memcpy(r.languages, "deen", 5);
        ck_assert_int_eq(ticket_language(&both, &r, TICKET_CUSTOMER), TICKET_ENGLISH);
        ck_assert_int_eq(ticket_language(&french, &r, TICKET_CUSTOMER), TICKET_FRENCH);
        memcpy(r.languages, "de", 3);
        ck_assert_int_eq(ticket_language(&both, &r, TICKET_CUSTOMER), TICKET_ENGLISH);
        r.languages[0] = '\0';
        ck_assert_int_eq(ticket_language(&french, &r, TICKET_CUSTOMER), TICKET_FRENCH);
    }
END_TEST

/* Longest of everything, on every paper: no line is over it, and nothing is lost. */
START_TEST(every_width)
    {
        struct receipt r = paid();
        char *text, *wide, *rest, *other;

        snprintf(r.merchant, sizeof(r.merchant), "Épicerie-Boulangerie du Très Grand Lac");
        memcpy(r.rrn, "abcdefghijklmnopqrstuvwxyz-1000", 32);
        r.state = PAYMENT_REFUSED;
        r.amount = 99999999999999;
        memcpy(r.answer, "75", 3);
        memcpy(r.reason, "the PIN was tried too often (75)", 33);
        for (unsigned l = 0; l < TICKET_LANGUAGES; l++) {
            wide = printed(PAPER_WIDTH_MAX, TICKET_MERCHANT, &r, (enum ticket_language)l);
            for (unsigned width = PAPER_WIDTH_MIN; width < PAPER_WIDTH_MAX; width++) {
                text = printed(width, TICKET_MERCHANT, &r, (enum ticket_language)l);
                rest = text;
                for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1) {
                    size_t n = 0;

                    for (const char *c = at; *c != '\n'; c++)
                        n += ((unsigned char)*c & 0xC0) != 0x80;
                    ck_assert_msg(n <= width, "%u: %s", width, text);
                }
                other = wide;
                for (;;) { /* the same but for blanks and line ends */
                    rest += strspn(rest, " \n");
                    other += strspn(other, " \n");
                    ck_assert_msg(*rest == *other, "%u: %s", width, text);
                    if (*rest == '\0')
                        break;
                    rest++;
                    other++;
                }
                free(text);
            }
            free(wide);
        }
    }
END_TEST

/* Epson's ESC/POS Command Reference: ESC @; ESC R 0; ESC t 16, WPC1252; ESC E 1 and 0; GS ! 1 and
 * 0; GS V 66 0. É is C9 there, à E0, the euro 80. */
START_TEST(what_a_printer_gets)
    {
        static const char want[] =
            "\x1B@\x1BR\0\x1Bt\x10"
            "\x1B\x45\x01         \xC9T\xC9 \x80\n\x1B\x45\0"
            "a                      \xE0\n"
            "\x1B\x45\x01\x1D!\x01MONTANT :      12,50 EUR\n\x1D!\0\x1B\x45\0"
            "\x1DV\x42\0";
        char *text = NULL;
        size_t n = 0;
        const struct paper p = {open_memstream(&text, &n), 24, true};

        paper_begin(&p);
        paper_centre(&p, PAPER_BOLD, "ÉTÉ €");
        paper_pair(&p, PAPER_PLAIN, "a", "à");
        paper_pair(&p, PAPER_TALL, "MONTANT :", "12,50 EUR");
        paper_end(&p);
        fclose(p.to);
        ck_assert_uint_eq(n, sizeof(want) - 1);
        ck_assert_mem_eq(text, want, n);
        free(text);
    }
END_TEST

/* A card could open the drawer (ESC p), cut, or set the printer: none of its bytes is a command. */
START_TEST(a_card_commands_no_printer)
    {
        struct receipt r = paid(), plain = paid();
        char *with, *without;
        size_t n, m;

        memcpy(r.label, "A\x1Bp\x01\x1DV\x01\r\x7F\x9B\xC2\x9B", 12);
        memcpy(plain.label, "A?p??V?????", 12);
        for (unsigned l = 0; l < TICKET_LANGUAGES; l++)
            for (unsigned escpos = 0; escpos < 2; escpos++) {
                with = printed_n(&n, 32, escpos, TICKET_CUSTOMER, &r, (enum ticket_language)l);
                without =
                    printed_n(&m, 32, escpos, TICKET_CUSTOMER, &plain, (enum ticket_language)l);
                ck_assert_uint_eq(n, m);
                ck_assert_mem_eq(with, without, n);
                free(with);
                free(without);
            }
        memcpy(r.label, "\xCE\xA9\xE4\xB8\xAD", 5); /* neither Ω nor 中 is in WPC1252 */
        r.label[5] = '\0';
        has(TICKET_CUSTOMER, &r, TICKET_FRENCH, "\n\xCE\xA9\xE4\xB8\xAD\n", true);
        with = printed_n(&n, 32, true, TICKET_CUSTOMER, &r, TICKET_FRENCH);
        ck_assert_ptr_nonnull(memmem(with, n, "\n??\n", 4));
        free(with);
    }
END_TEST

START_TEST(a_day)
    {
        struct terminal t = {.shop = {"43033271800021", "Lorient", "56100"},
                             .ticket = {{TICKET_FRENCH}, 1, 32, ""},
                             .currency = currency_by_alpha("EUR")};
        struct day d = {.date = 20261123,
                        .here = {12, 1, 123450, 1000},
                        .there = {11, 1, 122200, 1000},
                        .waiting = 1};
        char *text = NULL;
        size_t n = 0;
        const struct paper p = {open_memstream(&text, &n), 32, false};

        strcpy(t.kernel.merchant_name, "Librairie du Port");
        strcpy(t.kernel.merchant_id, "000000000000123");
        strcpy(t.kernel.terminal_id, "00000001");
        ticket_put_day(&p, &d, &t);
        fflush(p.to);
        ck_assert_str_eq(text, "      TOTAUX DE LA JOURNEE\n"
                               "       Librairie du Port\n"
                               "         56100 Lorient\n"
                               "SIRET             43033271800021\n"
                               "Contrat          000000000000123\n"
                               "Terminal                00000001\n"
                               "Date                  23/11/2026\n"
                               "Ici\n"
                               "Débits 12            1234,50 EUR\n"
                               "Crédits 1              10,00 EUR\n"
                               "NET :                1224,50 EUR\n"
                               "Chez l'acquéreur\n"
                               "Débits 11            1222,00 EUR\n"
                               "Crédits 1              10,00 EUR\n"
                               "NET :                1212,00 EUR\n"
                               "En attente chez l'acquéreur    1\n"
                               "          NON CONFORME\n");
        rewind(p.to);
        d.there = d.here;
        d.waiting = 0;
        d.balanced = true;
        t.ticket.languages[0] = TICKET_ENGLISH;
        ticket_put_day(&p, &d, &t);
        fclose(p.to);
        ck_assert_ptr_nonnull(strstr(text, "Here and at the acquirer\n"
                                           "Payments 12          1234.50 EUR\n"
                                           "Refunds 1              10.00 EUR\n"
                                           "NET                  1224.50 EUR\n"
                                           "           IN BALANCE\n"));
        free(text);
    }
END_TEST

/* A file is written behind what is in it; a device that is not there is not made. */
START_TEST(printers)
    {
        static const uint8_t bytes[] = "ticket";
        char dir[] = "/tmp/telepay-ticket-XXXXXX", path[64];
        struct tp_error e;
        struct stat st;

        ck_assert_ptr_nonnull(mkdtemp(dir));
        snprintf(path, sizeof(path), "%s/paper", dir);
        ck_ok(printer_write(path, SPAN_OF(bytes), &e));
        ck_ok(printer_write(path, SPAN_OF(bytes), &e));
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_int_eq(st.st_size, 2 * sizeof(bytes));
        ck_assert_int_eq(st.st_mode & 0777, 0600);
        unlink(path);
        ck_assert_int_eq(mkfifo(path, 0600), 0);
        ck_assert_int_eq(printer_write(path, SPAN_OF(bytes), &e), TP_ERR_IO);
        ck_assert_ptr_nonnull(strstr(e.text, "nothing reads from it"));
        unlink(path);
        ck_assert_int_eq(printer_write(dir, SPAN_OF(bytes), &e), TP_ERR_IO);
        rmdir(dir);
        ck_assert_int_eq(printer_write("/dev/full", SPAN_OF(bytes), &e), TP_ERR_IO);
        ck_assert_ptr_nonnull(strstr(e.text, "no paper"));
        ck_assert_int_eq(printer_write("/dev/telepay-no-printer", SPAN_OF(bytes), &e), TP_ERR_IO);
        ck_assert_int_ne(access("/dev/telepay-no-printer", F_OK), 0);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("ticket");
    TCase *c = tcase_create("ticket");

    tcase_add_test(c, in_english);
    tcase_add_test(c, in_french);
    tcase_add_test(c, outcomes);
    tcase_add_test(c, kinds);
    tcase_add_test(c, approvals_and_refusals);
    tcase_add_test(c, signatures);
    tcase_add_test(c, languages);
    tcase_add_test(c, every_width);
    tcase_add_test(c, what_a_printer_gets);
    tcase_add_test(c, a_card_commands_no_printer);
    tcase_add_test(c, a_day);
    tcase_add_test(c, printers);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
