/* The terminal against the card of simcard/, in process: methods, cardholder verification,
 * decisions, every fault. The two share no EMV logic; what must come of each row was worked out
 * from the Books and the card's issuer action codes (simcard/perso.c: denial 0010000000, online
 * FC78FC9800, default FC50FC8800). */
#include "unit/unit.h"

#include <stdio.h>

#include "pair_scheme.h"
#include "paper.h"
#include "simcard/inproc.h"
#include "simcard/perso.h"

#define PAN  "9990140000000015"
#define DATE 20261123

struct pair_row {
    const char *what;
    enum perso_method method;
    const char *cvm;      /* the card's list, in the factory's words */
    const char *card;     /* words: "xda p521 format1 t0 nopse blocked limit=1 maximum=1
                             effective=20270101 two" */
    const char *fault;    /* "" none */
    const char *terminal; /* words of paper.h */
    unsigned earlier;     /* payments before the one that is looked at */
    enum tp_err error;    /* TP_OK, or how the run fails */
    enum kernel_outcome outcome;
    const char *tvr, *tsi, *cvm_results, *ac;
};

#define OK     KERNEL_APPROVED
#define NO     KERNEL_DECLINED
#define NOT    KERNEL_NOT_ACCEPTED
#define ENDS   KERNEL_TERMINATED
#define CDA    PERSO_CDA
#define DDA    PERSO_DDA
#define SDA    PERSO_SDA
#define RSA_NO PERSO_NONE

static const struct pair_row rows[] = {
    /* methods × cardholder verification, offline */
    {"CDA, PIN", CDA, "pin,none", "", "", "pins=1234", 0, TP_OK, OK, "0000000000", "E800", "010302",
     "50"},
    {"DDA, PIN", DDA, "pin,none", "", "", "pins=1234", 0, TP_OK, OK, "0000000000", "E800", "010302",
     "40"},
    {"SDA, PIN", SDA, "pin,none", "", "", "pins=1234", 0, TP_OK, OK, "0200000000", "E800", "010302",
     "40"},
    {"CDA, no CVM", CDA, "none", "", "", "", 0, TP_OK, OK, "0000000000", "E800", "1F0302", "50"},
    {"DDA, no CVM", DDA, "none-always", "", "", "", 0, TP_OK, OK, "0000000000", "E800", "1F0002",
     "40"},
    {"SDA, no CVM", SDA, "none", "", "", "", 0, TP_OK, OK, "0200000000", "E800", "1F0302", "40"},
    {"CDA, format 1 elsewhere", CDA, "pin,none", "format1", "", "pins=1234", 0, TP_OK, OK,
     "0000000000", "E800", "010302", "50"},
    {"DDA, format 1", DDA, "pin,none", "format1", "", "pins=1234", 0, TP_OK, OK, "0000000000",
     "E800", "010302", "40"},
    {"SDA, format 1", SDA, "pin,none", "format1", "", "pins=1234", 0, TP_OK, OK, "0200000000",
     "E800", "010302", "40"},
    {"CDA on T=0", CDA, "pin,none", "t0", "", "pins=1234", 0, TP_OK, OK, "0000000000", "E800",
     "010302", "50"},
    {"DDA on T=0", DDA, "pin,none", "t0 format1", "", "pins=1234", 0, TP_OK, OK, "0000000000",
     "E800", "010302", "40"},
    {"a card without PSE", CDA, "pin,none", "nopse", "", "pins=1234", 0, TP_OK, OK, "0000000000",
     "E800", "010302", "50"},
    {"two applications, the first chosen", CDA, "none", "two", "", "partial choice=0", 0, TP_OK, OK,
     "0000000000", "E800", "1F0302", "50"},
    {"two applications, the second chosen", CDA, "none", "two", "", "partial choice=1", 0, TP_OK,
     OK, "0000000000", "E800", "1F0302", "50"},
    {"two applications, none chosen", CDA, "none", "two", "", "partial choice=-1", 0, TP_OK, NOT,
     NULL, NULL, NULL, ""},
    {"an application that is blocked", CDA, "none", "blocked", "", "", 0, TP_OK, NOT, NULL, NULL,
     NULL, ""},

    {"records in other files, one object or two in each", CDA, "pin,none", "spread", "",
     "pins=1234", 0, TP_OK, OK, "0000000000", "E800", "010302", "50"},
    {"the same, SDA", SDA, "none", "spread format1", "", "", 0, TP_OK, OK, "0200000000", "E800",
     "1F0302", "40"},
    {"enciphered PIN, the card's key", CDA, "enciphered-pin", "", "", "pins=1234", 0, TP_OK, OK,
     "0000000000", "E800", "040302", "50"},
    {"enciphered PIN, a key of its own", CDA, "enciphered-pin", "pinkey", "", "pins=9999,1234", 0,
     TP_OK, OK, "0000000000", "E800", "040302", "50"},
    {"enciphered PIN, SDA with the card's key", SDA, "enciphered-pin", "", "", "pins=1234", 0,
     TP_OK, OK, "0200000000", "E800", "040302", "40"},
    {"enciphered PIN, SDA with a key of its own", SDA, "enciphered-pin", "pinkey t0", "",
     "pins=1234", 0, TP_OK, OK, "0200000000", "E800", "040302", "40"},
    {"enciphered PIN wrong three times", DDA, "enciphered-pin,none", "pinkey", "",
     "pins=9999,9998,9997", 0, TP_OK, NO, "0000A00000", "E800", "040301", "80,00"},
    {"no CVM under 20 euros, 12.50 paid", CDA, "none-under-x,fail", "", "", "", 0, TP_OK, NO,
     "0000800000", "E800", "000001", "90,00"},

    /* cardholder verification that goes wrong; TVR byte 3 asks for the issuer, who is not there,
       and denies by default */
    {"PIN wrong, then right", CDA, "pin,none", "", "", "pins=9999,1234", 0, TP_OK, OK, "0000000000",
     "E800", "010302", "50"},
    {"PIN wrong three times", CDA, "pin,none", "", "", "pins=9999,9998,9997", 0, TP_OK, NO,
     "0000A00000", "E800", "010301", "90,00"},
    {"PIN wrong three times, DDA", DDA, "pin,none", "", "", "pins=9999,9998,9997", 0, TP_OK, NO,
     "0000A00000", "E800", "010301", "80,00"},
    {"PIN wrong three times, SDA", SDA, "pin,none", "", "", "pins=9999,9998,9997", 0, TP_OK, NO,
     "0200A00000", "E800", "010301", "80,00"},
    {"PIN wrong three times, next rule", CDA, "pin-or-next,none", "", "", "pins=9999,9998,9997", 0,
     TP_OK, NO, "0000200000", "E800", "1F0302", "90,00"},
    {"PIN wrong three times, the issuer approves", CDA, "pin-or-next,none", "", "",
     "pins=9999,9998,9997 arc=00", 0, TP_OK, OK, "0000200000", "E800", "1F0302", "90,50"},
    {"PIN bypassed", CDA, "pin,none", "", "", "pins=bypass", 0, TP_OK, NO, "0000880000", "E800",
     "010301", "90,00"},
    {"PIN bypassed, next rule", CDA, "pin-or-next,none", "", "", "pins=bypass", 0, TP_OK, NO,
     "0000080000", "E800", "1F0302", "90,00"},
    {"no PIN pad", CDA, "pin,none", "", "", "pins=nopad", 0, TP_OK, NO, "0000900000", "E800",
     "010301", "90,00"},
    {"signature, no CVM", CDA, "signature,none", "", "", "", 0, TP_OK, OK, "0000000000", "E800",
     "1F0302", "50"},
    {"signature only: its condition never holds", CDA, "signature", "", "", "", 0, TP_OK, NO,
     "0000800000", "E800", "3F0001", "90,00"},
    {"online PIN only", CDA, "0200", "", "", "", 0, TP_OK, NO, "0000900000", "E800", "3F0001",
     "90,00"},
    {"fail", CDA, "fail", "", "", "", 0, TP_OK, NO, "0000800000", "E800", "000001", "90,00"},

    /* decisions */
    {"over the floor limit, no issuer", CDA, "none", "", "", "floor=1000", 0, TP_OK, NO,
     "0000008000", "E800", "1F0302", "90,00"},
    {"over the floor limit, the issuer approves", CDA, "none", "", "", "floor=1000 arc=00", 0,
     TP_OK, OK, "0000008000", "E800", "1F0302", "90,50"},
    {"over the floor limit, the issuer refuses", CDA, "none", "", "", "floor=1000 arc=05", 0, TP_OK,
     NO, "0000008000", "E800", "1F0302", "90,00"},
    {"over the floor limit, DDA, the issuer approves", DDA, "none", "", "", "floor=1000 arc=00", 0,
     TP_OK, OK, "0000008000", "E800", "1F0302", "80,40"},
    {"over the floor limit, SDA, the issuer approves", SDA, "none", "", "", "floor=1000 arc=00", 0,
     TP_OK, OK, "0200008000", "E800", "1F0302", "80,40"},
    {"selected at random, no issuer: default lets it pass", CDA, "none", "", "",
     "target=99 threshold=5000", 0, TP_OK, OK, "0000001000", "E800", "1F0302", "90,50"},
    {"not yet effective: default lets it pass", CDA, "none", "effective=20270101", "", "", 0, TP_OK,
     OK, "0020000000", "E800", "1F0302", "90,50"},
    {"card and its certificate expired", CDA, "none", "", "", "date=20310101", 0, TP_OK, NO,
     "0440000000", "E800", "1F0302", "80,00"},
    {"expired, SDA: no card certificate", SDA, "none", "", "", "date=20310101", 0, TP_OK, NO,
     "0240000000", "E800", "1F0302", "80,00"},
    {"cashback is not allowed", CDA, "none", "", "", "txtype=09", 0, TP_OK, NO, "8010000000",
     "6800", "1F0302", "00"},
    {"cashback is not allowed, DDA", DDA, "none", "", "", "txtype=09", 0, TP_OK, NO, "0010000000",
     "E800", "1F0302", "00"},
    {"another version", CDA, "none", "", "", "floor=5000 online=0080000000 version=0002", 0, TP_OK,
     OK, "0080000000", "E800", "1F0302", "90,50"},
    {"online only, no issuer", CDA, "none", "", "", "type=34", 0, TP_OK, NO, "0000000000", "E800",
     "1F0302", "90,00"},
    {"online only, the issuer approves", CDA, "none", "", "", "type=34 arc=00", 0, TP_OK, OK,
     "0000000000", "E800", "1F0302", "90,50"},
    {"offline only", CDA, "none", "", "", "type=36", 0, TP_OK, OK, "0000000000", "E800", "1F0302",
     "50"},
    {"offline only, over the floor limit", CDA, "none", "", "", "type=36 floor=1000", 0, TP_OK, NO,
     "8000008000", "6800", "1F0302", "00"},
    {"the card's own limit: it wants the issuer, default lets it pass", CDA, "none", "limit=1", "",
     "", 1, TP_OK, OK, "0000000000", "E800", "1F0302", "50,50"},
    {"the card's own maximum: it declines", CDA, "none", "limit=1 maximum=1", "", "", 1, TP_OK, NO,
     "0000000000", "E800", "1F0302", "50,50"},
    {"the card's own limit, the issuer approves", CDA, "none", "limit=1", "", "arc=00", 1, TP_OK,
     OK, "0000000000", "E800", "1F0302", "50,50"},
    {"blocked by three wrong PINs before", CDA, "pin,none", "", "", "pins=9999,9998,9997", 1, TP_OK,
     NO, "0000A00000", "E800", "010301", "90,00"},

    /* faults */
    {"wrong-sdad, CDA", CDA, "none", "", "wrong-sdad", "", 0, TP_OK, NO, "0400000000", "E800",
     "1F0302", "50"},
    {"wrong-sdad, DDA", DDA, "none", "", "wrong-sdad", "", 0, TP_OK, NO, "0800000000", "E800",
     "1F0302", "80,00"},
    {"wrong-sdad, CDA on an ARQC", CDA, "none", "", "wrong-sdad", "floor=1000 arc=00", 0, TP_OK, NO,
     "0400008000", "E800", "1F0302", "90,00"},
    {"wrong-data-hash", CDA, "none", "", "wrong-data-hash", "", 0, TP_OK, NO, "0400000000", "E800",
     "1F0302", "50"},
    {"wrong-un", CDA, "none", "", "wrong-un", "", 0, TP_OK, NO, "0400000000", "E800", "1F0302",
     "50"},
    {"wrong-cid", CDA, "none", "", "wrong-cid", "", 0, TP_OK, NO, "0400000000", "E800", "1F0302",
     "50,00"},
    {"wrong-ac: only the issuer can tell", CDA, "none", "", "wrong-ac", "", 0, TP_OK, OK,
     "0000000000", "E800", "1F0302", "50"},
    {"higher-ac", CDA, "none", "", "higher-ac", "floor=1000", 0, TP_OK, ENDS, NULL, NULL, NULL,
     "90"},
    {"higher-ac where an AAC was asked", CDA, "none", "", "higher-ac", "txtype=09", 0, TP_OK, ENDS,
     NULL, NULL, NULL, "00"},
    {"expired-icc-certificate", CDA, "none", "", "expired-icc-certificate", "", 0, TP_OK, NO,
     "0400000000", "E800", "1F0302", "80,00"},
    {"expired-icc-certificate, DDA", DDA, "none", "", "expired-icc-certificate", "", 0, TP_OK, NO,
     "0800000000", "E800", "1F0302", "80,00"},
    {"expired-issuer-certificate", CDA, "none", "", "expired-issuer-certificate", "", 0, TP_OK, NO,
     "0400000000", "E800", "1F0302", "80,00"},
    {"expired-issuer-certificate, SDA", SDA, "none", "", "expired-issuer-certificate", "", 0, TP_OK,
     NO, "4200000000", "E800", "1F0302", "80,00"},
    {"wrong-issuer-hash", CDA, "none", "", "wrong-issuer-hash", "", 0, TP_OK, NO, "0400000000",
     "E800", "1F0302", "80,00"},
    {"altered-data, CDA", CDA, "none", "", "altered-data", "", 0, TP_OK, NO, "0400000000", "E800",
     "1F0302", "80,00"},
    {"altered-data, DDA", DDA, "none", "", "altered-data", "", 0, TP_OK, NO, "0800000000", "E800",
     "1F0302", "80,00"},
    {"altered-data, SDA", SDA, "none", "", "altered-data", "", 0, TP_OK, NO, "4200000000", "E800",
     "1F0302", "80,00"},
    {"atc-replay: only the acquirer can tell", CDA, "none", "", "atc-replay", "", 1, TP_OK, OK,
     "0000000000", "E800", "1F0302", "50"},
    {"truncated-tlv: no application is found", CDA, "none", "", "truncated-tlv", "", 0, TP_OK, NOT,
     NULL, NULL, NULL, ""},
    {"endless-records: the AID list", CDA, "none", "", "endless-records", "", 0, TP_OK, OK,
     "0000000000", "E800", "1F0302", "50"},
    {"wild-afl", CDA, "none", "", "wild-afl", "", 0, TP_OK, ENDS, NULL, NULL, NULL, ""},
    {"twice", CDA, "none", "", "twice", "", 0, TP_OK, ENDS, NULL, NULL, NULL, ""},
    {"mute", CDA, "none", "", "mute=3", "", 0, TP_ERR_CARD, OK, NULL, NULL, NULL, ""},
    {"torn-out", CDA, "none", "", "torn-out=3", "", 0, TP_ERR_CARD, OK, NULL, NULL, NULL, ""},
    {"oversized", CDA, "none", "", "oversized", "", 0, TP_ERR_CARD, OK, NULL, NULL, NULL, ""},
    {"empty", CDA, "none", "", "empty", "", 0, TP_OK, NOT, NULL, NULL, NULL, ""},
    {"pin-lies: no second PIN for a card that cannot count", CDA, "pin,none", "", "pin-lies",
     "pins=9999", 0, TP_OK, NO, "0000A00000", "E800", "010301", "90,00"},
    {"endless-61", CDA, "none", "", "endless-61", "", 0, TP_ERR_CARD, OK, NULL, NULL, NULL, ""},
    {"bad-atr: the reader's matter, not the kernel's", CDA, "none", "", "bad-atr", "", 0, TP_OK, OK,
     "0000000000", "E800", "1F0302", "50"},
    {"slow", CDA, "none", "", "slow=2", "", 0, TP_OK, OK, "0000000000", "E800", "1F0302", "50"},
};

#include "fault_rows.h"
#include "xda_rows.h"

static struct scheme *scheme, *scheme_521;
static struct paper_keys keys; /* only its store: the scheme's authority */

static void make_scheme(void)
{
    ck_ok(capk_store_new(&keys.store));
    pair_scheme(&scheme, keys.store, 0x10);
    pair_scheme(&scheme_521, keys.store, 0x11);
}

static void free_scheme(void)
{
    scheme_free(&scheme);
    scheme_free(&scheme_521);
    capk_store_free(&keys.store);
}

/* ---- one card, one terminal ---- */

struct bench {
    struct card *card;
    struct inproc_card inproc;
    struct reader *reader;
    struct paper_terminal t;
    char ac[32];
    unsigned commands;
};

static unsigned word_number(const char *words, const char *name)
{
    const char *at = strstr(words, name);

    return at == NULL ? 0 : (unsigned)strtoul(at + strlen(name), NULL, 10);
}

static struct card *make_card(enum perso_method method, const char *cvm, const char *words)
{
    struct perso_params p;
    struct card_profile *profile;
    struct card *card;
    struct tp_error e;

    perso_defaults(&p);
    p.pan = PAN;
    p.pin = span_str("1234");
    p.expiry = 20301231;
    p.effective = 20200101;
    p.bits = 1024;
    p.method = method;
    p.xda = strstr(words, "xda") != NULL;
    p.cvm = cvm;
    p.format = strstr(words, "format1") != NULL ? 1 : 2;
    p.t0 = strstr(words, "t0") != NULL;
    p.no_pse = strstr(words, "nopse") != NULL;
    p.blocked = strstr(words, "blocked") != NULL;
    p.issuer = strstr(words, "external") != NULL ? PERSO_ISSUER_EXTERNAL : PERSO_ISSUER_CDOL2;
    p.pin_bits = strstr(words, "pinkey") != NULL ? 768 : 0;
    if (strstr(words, "spread") !=
        NULL) { /* small records, all in one file but for the open ones */
        p.record_max = 40;
        memcpy(p.sfi, (const uint8_t[PERSO_FILES]){10, 4, 4}, sizeof(p.sfi));
    }
    p.offline_limit = (uint16_t)word_number(words, "limit=");
    p.offline_maximum = (uint16_t)word_number(words, "maximum=");
    if (strstr(words, "effective=") != NULL)
        p.effective = (int)word_number(words, "effective=");
    if (strstr(words, "two") != NULL) {
        p.apps[0] = (struct perso_app){"F000000014101001", "FIRST", "", 1, false, false};
        p.apps[1] = (struct perso_app){"F000000014101002", "SECOND", "", 2, false, false};
        p.apps_n = 2;
    }
    ck_assert_msg(
        perso_make(&profile, strstr(words, "p521") != NULL ? scheme_521 : scheme, &p, &e) == TP_OK,
        "%s", e.text);
    ck_ok(card_new(&card, &profile));
    return card;
}

static void note_command(void *ctx, struct span command, struct span response)
{
    struct bench *b = ctx;
    const size_t n = strlen(b->ac);

    (void)response;
    b->commands++;
    if (command.n > 2 && command.p[1] == INS_GENERATE_AC && n + 4 < sizeof(b->ac))
        snprintf(b->ac + n, sizeof(b->ac) - n, "%s%02X", n > 0 ? "," : "", command.p[2]);
}

static void bench_open(struct bench *b, struct card *card)
{
    memset(b, 0, sizeof(*b));
    b->card = card;
    b->inproc = card_inproc(card);
    ck_ok(inproc_open(&b->reader, &b->inproc));
    reader_set_trace(b->reader, note_command, b);
}

static void bench_close(struct bench *b)
{
    reader_close(&b->reader);
    card_close(&b->card);
}

/* Three words are the pair's own: version=…, and the rest is the paper terminal's. */
static void terminal(struct bench *b, const char *words)
{
    const char *version = strstr(words, "version=");
    char rest[128];

    snprintf(rest, sizeof(rest), "%.*s",
             (int)(version == NULL ? strlen(words) : (size_t)(version - words)), words);
    paper_terminal(&b->t, &keys);
    b->t.request.date = DATE;
    paper_terminal_words(&b->t, rest);
    if (version != NULL)
        b->t.config.applications[0].version[1] = 2;
}

static int choose(void *ctx, const struct candidate *list, size_t n)
{
    const struct paper_terminal *t = ctx;

    ck_assert_uint_eq(n, 2);
    ck_assert_str_eq(list[0].label, "FIRST");
    ck_assert_str_eq(list[1].label, "SECOND");
    return t->choice;
}

/* At an earlier payment of a row that expects three wrong PINs they are given, and later the card
 * does not ask again: pins that are left are fine. */
static enum tp_err give_pin(void *ctx, unsigned tries_left, bool wrong_before, struct secret *pin)
{
    struct paper_terminal *t = ctx;

    (void)tries_left;
    (void)wrong_before;
    ck_assert_uint_lt(t->asked, t->pins_n);
    if (strcmp(t->pins[t->asked], "bypass") == 0 || strcmp(t->pins[t->asked], "nopad") == 0)
        return strcmp(t->pins[t->asked++], "bypass") == 0 ? TP_ERR_CANCELLED : TP_ERR_NOT_FOUND;
    return secret_copy(pin, span_str(t->pins[t->asked++]));
}

static enum tp_err authorise(void *ctx, const struct transaction *tx,
                             struct kernel_issuer_answer *out)
{
    const struct paper_terminal *t = ctx;

    (void)tx;
    *out = t->issuer;
    return TP_OK;
}

static enum tp_err pay(struct bench *b, struct transaction **tx, struct tp_error *e)
{
    const struct kernel_person person = {.ctx = &b->t, .choose = choose, .pin = give_pin};
    const struct kernel_online online = {&b->t, authorise};
    enum tp_err r = reader_connect(b->reader, e);

    b->ac[0] = '\0';
    *tx = NULL;
    if (r == TP_OK)
        r = kernel_run(tx, b->reader, &b->t.config, &b->t.request, &person, &online, e);
    reader_disconnect(b->reader);
    return r;
}

static void run_row(const struct pair_row *row)
{
    struct bench b;
    struct transaction *tx;
    struct tp_error e;
    enum tp_err r = TP_OK;

    bench_open(&b, make_card(row->method, row->cvm, row->card));
    if (row->fault[0] != '\0')
        ck_assert_msg(card_add_fault(b.card, row->fault, &e) == TP_OK, "%s", e.text);
    for (unsigned i = 0; i <= row->earlier; i++) {
        terminal(&b, row->terminal);
        r = pay(&b, &tx, &e);
        ck_assert_msg(r == row->error, "%s: error %d (%s), should be %d", row->what, r,
                      r == TP_OK ? transaction_reason(tx) : e.text, row->error);
        if (i < row->earlier)
            transaction_free(&tx);
    }
    if (r != TP_OK) {
        ck_assert_uint_ne(strlen(e.text), 0);
        ck_assert(tx == NULL || transaction_outcome(tx) == KERNEL_TERMINATED);
    } else {
        ck_assert_msg(transaction_outcome(tx) == row->outcome, "%s: outcome %d (%s), should be %d",
                      row->what, transaction_outcome(tx), transaction_reason(tx), row->outcome);
        if (row->tvr != NULL) {
            paper_check_hex(tx, row->what, TAG_TVR, row->tvr);
            paper_check_hex(tx, row->what, TAG_TSI, row->tsi);
            paper_check_hex(tx, row->what, TAG_CVM_RESULTS, row->cvm_results);
        }
        ck_assert_msg(strcmp(b.ac, row->ac) == 0, "%s: GENERATE AC %s, should be %s", row->what,
                      b.ac, row->ac);
    }
    transaction_free(&tx);
    bench_close(&b);
}

START_TEST(test_rows)
    {
        run_row(&rows[_i]);
    }
END_TEST

START_TEST(test_fault_rows)
    {
        run_row(&fault_rows[_i]);
    }
END_TEST

START_TEST(test_xda_rows)
    {
        run_row(&xda_rows[_i]);
    }
END_TEST

static void add_fault(struct card *card, size_t i)
{
    const char *name = card_fault_at(i)->name;
    struct tp_error e;
    char spec[40];

    snprintf(spec, sizeof(spec), "%.*s%s", (int)strcspn(name, "["), name,
             strncmp(name, "slow", 4) == 0 ? "=1" : "");
    ck_assert_msg(card_add_fault(card, spec, &e) == TP_OK, "%s", e.text);
}

/* One payment without an issuer, with two faults (or one, named twice) on a card read from its
 * folder. */
static bool approved_with(const char *dir, size_t one, size_t other)
{
    struct bench b;
    struct card *card;
    struct transaction *tx;
    struct tp_error e;
    bool approved;

    ck_ok(card_open(&card, dir, CARD_MEMORY, &e));
    bench_open(&b, card);
    add_fault(card, one);
    if (other != one)
        add_fault(card, other);
    terminal(&b, "");
    approved = pay(&b, &tx, &e) == TP_OK && transaction_outcome(tx) == KERNEL_APPROVED;
    transaction_free(&tx);
    bench_close(&b);
    return approved;
}

static bool is_fault(const char *spec, const char *name, size_t n)
{
    return strncmp(spec, name, n) == 0 && (spec[n] == '\0' || spec[n] == '=');
}

/* Every fault that the card knows stands in a row above, or in one of the tests below. */
START_TEST(test_all_faults_are_here)
    {
        const struct card_fault_text *text;

        for (size_t i = 0; (text = card_fault_at(i)) != NULL; i++) {
            const size_t n = strcspn(text->name, "[");
            bool found = false;

            for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++)
                found = found || is_fault(rows[k].fault, text->name, n);
            for (size_t k = 0; k < sizeof(fault_rows) / sizeof(fault_rows[0]); k++)
                found = found || is_fault(fault_rows[k].fault, text->name, n);
            for (size_t k = 0; k < sizeof(xda_rows) / sizeof(xda_rows[0]); k++)
                found = found || is_fault(xda_rows[k].fault, text->name, n);
            for (size_t k = 0; k < sizeof(faults_elsewhere) / sizeof(faults_elsewhere[0]); k++)
                found = found || is_fault(faults_elsewhere[k], text->name, n);
            ck_assert_msg(found, "no row for the fault %s", text->name);
        }
    }
END_TEST

/* Any status word, any bytes at any command: never a payment, never a crash. */
START_TEST(test_random)
    {
        for (unsigned i = 0; i < 600; i++) {
            struct bench b;
            struct transaction *tx;
            struct tp_error e;
            enum tp_err r;

            bench_open(&b, make_card(SDA, "none", ""));
            ck_ok(card_add_fault(b.card, i % 2 == 0 ? "random-sw" : "noise", &e));
            terminal(&b, "");
            r = pay(&b, &tx, &e);
            ck_assert(r == TP_OK || r == TP_ERR_CARD);
            ck_assert(r != TP_OK || transaction_outcome(tx) != KERNEL_APPROVED);
            transaction_free(&tx);
            bench_close(&b);
        }
    }
END_TEST

/* A cryptogram recorded in one payment and given again in the next: its signature is over another
 * unpredictable number (Book 2, 6.6.2 step 8). Without a signature only the acquirer can tell, by
 * the ATC. */
START_TEST(test_replay_ac)
    {
        static const struct {
            enum perso_method method;
            enum kernel_outcome outcome;
            const char *tvr;
        } lines[] = {{CDA, NO, "0400000000"}, {DDA, OK, "0000000000"}};

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            struct bench b;
            struct transaction *tx;
            struct tp_error e;

            bench_open(&b, make_card(lines[i].method, "none", ""));
            ck_ok(card_add_fault(b.card, "replay-ac", &e));
            for (uint8_t n = 0; n < 2; n++) {
                terminal(&b, "");
                b.t.request.un[3] = n;
                ck_ok(pay(&b, &tx, &e));
                ck_assert_int_eq(transaction_outcome(tx), n == 0 ? OK : lines[i].outcome);
                paper_check_hex(tx, "replay-ac", TAG_TVR, n == 0 ? "0000000000" : lines[i].tvr);
                paper_check_hex(tx, "replay-ac", TAG_ATC, "0001");
                transaction_free(&tx);
            }
            bench_close(&b);
        }
    }
END_TEST

/* Book 1, 12.4: an answer to the final SELECT with another name is none; whether the transaction
 * ends there or goes on without it, nothing is paid. */
START_TEST(test_other_name)
    {
        struct bench b;
        struct transaction *tx;
        struct tp_error e;

        bench_open(&b, make_card(CDA, "none", ""));
        ck_ok(card_add_fault(b.card, "other-name", &e));
        terminal(&b, "");
        ck_ok(pay(&b, &tx, &e));
        ck_assert(transaction_outcome(tx) == NOT || transaction_outcome(tx) == ENDS);
        ck_assert_str_eq(b.ac, "");
        transaction_free(&tx);
        bench_close(&b);
    }
END_TEST

/* Every two faults together. A fault that alone keeps a payment from being approved does so beside
 * any other: none heals another. */
START_TEST(test_two_faults)
    {
        char dir[] = "/tmp/pair-card-XXXXXX", command[64];
        bool approves[128];
        size_t faults = 0;
        struct card_profile *profile;
        struct perso_params p;
        struct tp_error e;

        ck_assert_ptr_nonnull(mkdtemp(dir));
        perso_defaults(&p);
        p.pan = PAN;
        p.pin = span_str("1234");
        p.expiry = 20301231;
        p.effective = 20200101;
        p.bits = 768;
        p.cvm = "none";
        ck_assert_msg(perso_make(&profile, scheme, &p, &e) == TP_OK, "%s", e.text);
        ck_ok(perso_save(profile, dir, &e));
        profile_free(&profile);
        while (card_fault_at(faults) != NULL)
            faults++;
        ck_assert_uint_le(faults, sizeof(approves));
        for (size_t i = 0; i < faults; i++)
            approves[i] = approved_with(dir, i, i);
        for (size_t i = 0; i < faults; i++)
            for (size_t k = 0; k < i; k++) {
                const bool both = approved_with(dir, i, k);

                ck_assert_msg(!both || (approves[i] && approves[k]), "%s with %s is approved",
                              card_fault_at(i)->name, card_fault_at(k)->name);
            }
        snprintf(command, sizeof(command), "rm -rf '%s'", dir);
        ck_assert_int_eq(system(command), 0);
    }
END_TEST

/* Torn out at every single command of a payment: an error each time; back in the reader the card
 * pays, with a higher ATC than ever before. */
START_TEST(test_torn_out)
    {
        static const struct {
            enum perso_method method;
            const char *terminal;
        } kinds[] = {{CDA, "pins=1234"},
                     {CDA, "pins=1234 floor=1000 arc=00"},
                     {DDA, "pins=1234"},
                     {SDA, "pins=1234"}};

        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
            struct bench b;
            struct transaction *tx;
            struct tp_error e;
            unsigned total;

            bench_open(&b, make_card(kinds[k].method, "pin,none", ""));
            terminal(&b, kinds[k].terminal);
            ck_ok(pay(&b, &tx, &e));
            ck_assert_int_eq(transaction_outcome(tx), KERNEL_APPROVED);
            transaction_free(&tx);
            total = b.commands;
            bench_close(&b);
            ck_assert_uint_gt(total, 8);
            for (unsigned at = 1; at <= total; at++) {
                char fault[32];
                unsigned atc = 0;

                bench_open(&b, make_card(kinds[k].method, "pin,none", ""));
                snprintf(fault, sizeof(fault), "torn-out=%u", at);
                ck_ok(card_add_fault(b.card, fault, &e));
                terminal(&b, kinds[k].terminal);
                ck_assert_int_eq(pay(&b, &tx, &e), TP_ERR_CARD);
                transaction_free(&tx);
                ck_assert(card_gone(b.card));
                for (unsigned again = 0; again < 2; again++) {
                    terminal(&b, kinds[k].terminal);
                    ck_assert_msg(pay(&b, &tx, &e) == TP_OK, "command %u: %s", at, e.text);
                    ck_assert_msg(transaction_outcome(tx) == KERNEL_APPROVED, "command %u: %s", at,
                                  transaction_reason(tx));
                    const struct span got = transaction_get(tx, TAG_ATC);
                    ck_assert_uint_gt((unsigned)(got.p[0] << 8 | got.p[1]), atc);
                    atc = (unsigned)(got.p[0] << 8 | got.p[1]);
                    transaction_free(&tx);
                }
                bench_close(&b);
            }
        }
    }
END_TEST

/* The card's counters, what it is, who issued it; and nothing is used up but one ATC for the
 * reading. */
START_TEST(test_read_card)
    {
        struct bench b;
        struct transaction *list[KERNEL_CANDIDATES_MAX], *tx;
        struct tp_error e;
        size_t n;

        bench_open(&b, make_card(CDA, "pin,none", "two"));
        terminal(&b, "partial");
        ck_ok(reader_connect(b.reader, &e));
        ck_ok(kernel_read_card(list, KERNEL_CANDIDATES_MAX, &n, b.reader, &b.t.config, DATE, &e));
        reader_disconnect(b.reader);
        ck_assert_uint_eq(n, 2);
        for (size_t i = 0; i < n; i++) {
            ck_assert_int_eq(transaction_outcome(list[i]), KERNEL_READ_ONLY);
            ck_assert_str_eq(transaction_application(list[i])->label, i == 0 ? "FIRST" : "SECOND");
            ck_hex(transaction_get(list[i], TAG_PAN), PAN);
            ck_assert_uint_eq(transaction_pin_tries(list[i]), 3);
            ck_assert(transaction_authentication(list[i])->ok);
            ck_assert_str_eq(transaction_authentication(list[i])->issuer, "999014");
            ck_assert_uint_gt(transaction_get(list[i], TAG_LOG_FORMAT).n, 0);
            transaction_free(&list[i]);
        }
        ck_assert_str_eq(b.ac, "");
        terminal(&b, "partial choice=0 pins=1234");
        ck_ok(pay(&b, &tx, &e));
        ck_assert_int_eq(transaction_outcome(tx), KERNEL_APPROVED);
        transaction_free(&tx);
        bench_close(&b);
    }
END_TEST

/* Book 2, 6.5: DDA alone, over the request's number; no PIN, no cryptogram, nothing that pays. */
START_TEST(test_prove_card)
    {
        static const struct {
            enum perso_method method;
            const char *fault;
            enum kernel_outcome outcome;
        } cards[] = {{CDA, "", KERNEL_PROVED},
                     {DDA, "", KERNEL_PROVED},
                     {SDA, "", KERNEL_NOT_ACCEPTED},
                     {DDA, "wrong-sdad", KERNEL_TERMINATED}};

        for (size_t i = 0; i < sizeof(cards) / sizeof(cards[0]); i++) {
            struct bench b;
            struct transaction *tx = NULL;
            struct tp_error e;

            bench_open(&b, make_card(cards[i].method, "pin", ""));
            if (cards[i].fault[0] != '\0')
                ck_ok(card_add_fault(b.card, cards[i].fault, &e));
            terminal(&b, "");
            memcpy(b.t.request.un, "\xAB\xCD\xEF\x01", 4);
            ck_ok(reader_connect(b.reader, &e));
            ck_ok(kernel_prove_card(&tx, b.reader, &b.t.config, &b.t.request, NULL, &e));
            reader_disconnect(b.reader);
            ck_assert_msg(transaction_outcome(tx) == cards[i].outcome, "%zu: %s", i,
                          transaction_reason(tx));
            if (cards[i].outcome == KERNEL_PROVED) {
                ck_hex(transaction_get(tx, TAG_EV_DDOL_VALUES), "ABCDEF01");
                ck_assert_uint_gt(transaction_get(tx, TAG_EV_DDA_SDAD).n, 0);
            }
            ck_assert_uint_eq(transaction_get(tx, TAG_AC).n, 0);
            ck_assert_str_eq(b.ac, "");
            transaction_free(&tx);
            bench_close(&b);
        }
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("pair");
    TCase *c = tcase_create("simcard");

    tcase_add_unchecked_fixture(c, make_scheme, free_scheme);
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, test_rows, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_loop_test(c, test_xda_rows, 0, (int)(sizeof(xda_rows) / sizeof(xda_rows[0])));
    tcase_add_loop_test(c, test_fault_rows, 0, (int)(sizeof(fault_rows) / sizeof(fault_rows[0])));
    tcase_add_test(c, test_all_faults_are_here);
    tcase_add_test(c, test_random);
    tcase_add_test(c, test_two_faults);
    tcase_add_test(c, test_replay_ac);
    tcase_add_test(c, test_other_name);
    tcase_add_test(c, test_torn_out);
    tcase_add_test(c, test_read_card);
    tcase_add_test(c, test_prove_card);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
