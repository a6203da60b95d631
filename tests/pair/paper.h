/* A paper card: a script of commands and answers, made by hand from the Books, that stands where a
 * card would. It knows nothing of the kernel and nothing of simcard/. What it holds is a list of
 * objects (tag, hex); its certificates are made over them with real keys, so that only what a test
 * changes is wrong.
 *
 * Scripted answers come first: the first unused one whose command begins alike. Else the paper card
 * answers as an EMV card does. Each command is written into a log. */
#ifndef TP_TESTS_PAPER_H
#define TP_TESTS_PAPER_H

#include "crypto/emvmake.h"
#include "drivers/inproc.h"
#include "kernel/kernel.h"

#define PAPER_OBJECTS 64
#define PAPER_ANSWERS 64
#define PAPER_LOG     96

struct paper_object {
    char tag[9], hex[520];
    bool is_signed; /* stands in a record that is authenticated */
};

struct paper_answer {
    char command[80], response[600]; /* hex; a response "-": the card leaves; "+": what the card
                                        itself would answer */
    bool used;
};

enum paper_break { /* what is wrong with a signature of GENERATE AC or INTERNAL AUTHENTICATE */
                   PAPER_RIGHT,
                   PAPER_NO_SDAD,    /* answers without a signature, cryptogram beside */
                   PAPER_FLIPPED,    /* one bit of the SDAD */
                   PAPER_OTHER_UN,   /* another unpredictable number signed */
                   PAPER_OTHER_CID,  /* another CID signed than answered */
                   PAPER_OTHER_DATA, /* transaction data hash over something else */
                   PAPER_SHORT       /* SDAD a byte short */
};

struct paper_keys { /* made once for a test program */
    struct emv_privkey *authority, *issuer, *card, *pin;
    struct capk_store *store;
};

struct paper {
    const struct paper_keys *keys;
    struct paper_object objects[PAPER_OBJECTS];
    size_t objects_n;
    struct paper_answer answers[PAPER_ANSWERS];
    size_t answers_n;
    char aip[5], pdol[520], gpo[600]; /* gpo "": made from aip and the records */
    enum paper_break broken[2];
    bool t0;         /* behind T=0 */
    char more[64];   /* in hex: objects that stand in an answer to GENERATE AC beside those of CDA,
                        and are signed */
    bool tampered;   /* a signed record is changed after signing */
    int ac_type[2];  /* CID the card answers with to the first and second GENERATE AC; -1: as asked
                      */
    size_t leave_at; /* leaves the reader instead of answering this command, counted from 1; 0:
                        stays */

    /* made from the objects when the card is powered */
    uint8_t records[32][256];
    size_t record_n[32], records_n, signed_n;
    uint8_t pdol_values[256], cdol1_values[256];
    size_t pdol_values_n, cdol1_values_n;
    uint8_t challenge[8];
    unsigned acs;
    char log[PAPER_LOG][600];
    size_t log_n;
};

struct paper_terminal { /* what a test may change of the terminal's side */
    struct terminal_config config;
    struct transaction_request request;
    const char *pins[6]; /* what the person does when asked: digits, "bypass", "nopad", "fault";
                            NULL ends */
    size_t pins_n, asked;
    unsigned tries_seen[6];
    bool wrong_seen[6];
    bool no_person, tries_untold;
    int choice; /* of an application; -1 leaves */
    size_t choices, choice_n;
    struct kernel_issuer_answer issuer; /* what it answers when asked */
    bool no_online;
    size_t online_asked;
    struct kernel_memory memory; /* set by paper_run */
    int64_t spent;               /* by the card, in the terminal's log */
    bool hot, forgetful;         /* the card is on the exception file; the memory fails */
    char pan_seen[20];
    int psn_seen;
    uint8_t application[16]; /* request.application points to it */
    char label[17];
    uint8_t ddol[3];
};

void paper_keys_make(struct paper_keys *k);
void paper_keys_free(struct paper_keys *k);

/* A card that does CDA, and a terminal of type 35 where everything agrees: the payment is approved
 * offline. */
void paper_card(struct paper *p, const struct paper_keys *k);
void paper_terminal(struct paper_terminal *t, const struct paper_keys *k);

/* Changes from words: "5F24=301231 -9F07 9F4A=empty aip=5800 ac=40,00 sdad=flipped tampered"
 * (empty: it is there, without a value); objects marked with a star
 * ("*9F05=AA") are outside the signed records. */
void paper_card_words(struct paper *p, const char *words);
/* "type=34 caps=2098C8 floor=0 amount=1250 date=20260601 txtype=01 country=840 tacdenial=…
 * pins=1234,bypass online=00 noperson …" */
void paper_terminal_words(struct paper_terminal *t, const char *words);
/* "00200080=63C2 00200080=9000": answers in the order of use. */
void paper_answers(struct paper *p, const char *words);

/* All of it. */
void paper_prepare(struct paper *p, struct paper_terminal *t, const struct paper_keys *k,
                   const char *card, const char *answers, const char *terminal);
/* A data element of the transaction is what the Books say at that clause. */
void paper_check_hex(const struct transaction *tx, const char *clause, uint32_t tag,
                     const char *want);

/* The callbacks of a run, t's answers behind them; and t->config.memory. */
void paper_sides(struct paper_terminal *t, struct kernel_person *person,
                 struct kernel_online *online);
/* Runs kernel_run on it. */
enum tp_err paper_run(struct transaction **tx, struct paper *p, struct paper_terminal *t,
                      struct tp_error *e);
enum tp_err paper_open(struct reader **out, struct inproc_card *card, struct paper *p);
enum tp_err paper_open_t0(struct reader **out, const struct inproc_card *card);

/* How often a command that begins so was sent, and the nth of them (NULL). */
size_t paper_sent(const struct paper *p, const char *hex);
const char *paper_nth(const struct paper *p, const char *hex, size_t n);

#endif
