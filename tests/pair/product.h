/* A payment as a product of factors: what card, terminal, cardholder, issuer and attacker each
 * bring. The rows (product_rows.h) say of each choice what it contributes to TVR, TSI, CVM results
 * and outcome, written from the Books; product_expect.c says how contributions combine. Neither
 * knows src/kernel or simcard/: together they are a second statement of what must come of a
 * payment, beside that of the code. */
#ifndef TP_TESTS_PRODUCT_H
#define TP_TESTS_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum method {
    NONE,
    SDA,
    DDA,
    CDA,
    METHODS
};                         /* what card and terminal have in common: Book 3, 10.3 */
enum ac { AAC, TC, ARQC }; /* in the order of a CID's bits 8-7 */
enum end {
    APPROVED,
    DECLINED,
    ENDED
}; /* ENDED: the Books end the transaction without an outcome */
enum arpc {
    NO_ARPC,
    GOOD_YES,
    GOOD_NO,
    WRONG,
    ARPCS
}; /* what the card learns of its issuer before the second GENERATE AC */

/* Each row begins with its id, the word for it in a combination. clause: of EMV 4.4, B2 is Book 2.
 */

struct card_row { /* AIP byte 1: Book 3, Annex C1 */
    const char *id, *clause;
    uint8_t methods; /* of SDA 40, DDA 20, CDA 01 */
};

struct terminal_row {
    const char *id, *clause;
    uint8_t capabilities; /* 9F33 byte 3: SDA 80, DDA 40, CDA 08 */
    enum method with[6];  /* each card_row */
};

struct method_row {
    const char *name;
    uint8_t tvr, tvr_failed; /* byte 1: always; when it failed */
};

enum { PERFORMED = 1, FAILED = 2, EXCEEDED = 4 }; /* what the card says of its PIN in the CVR */

struct cvm_row {
    const char *id, *clause;
    const char *list; /* of rules, hex; NULL: the AIP does not support cardholder verification */
    uint32_t x, y;    /* its amounts, minor units; 1250 are paid */
    uint8_t capabilities; /* 9F33 byte 2: plaintext PIN 80, enciphered 10, no CVM 08 */
    const char
        *pins; /* what the person does, each time asked: digits (1234 is right), bypass, nopad */
    const char *card; /* words: "dollars" (its currency is another), "spent=3" PIN tries before, or
                         a fault */
    /* what comes of it */
    uint8_t tvr1, tvr3;
    const char *results; /* 9F34 */
    unsigned commands;   /* GET DATA of the try counter, GET CHALLENGE, VERIFY */
    unsigned cvr;
};

struct risk_row { /* processing restrictions and terminal risk management: Book 3, 10.4 and 10.6 */
    const char *id, *clause;
    const char *terminal; /* words of paper.h; "version" is another, 9F09 */
    const char *card;     /* words: "velocity" (9F14 and 9F23 are 0), "norisk" (AIP b4 0) */
    uint8_t tvr1, tvr2, tvr4;
    unsigned commands;
};

struct type_row { /* 9F35: Book 4, Annex A1 */
    const char *id, *clause;
    uint8_t type;
    bool online_only, offline_only;
};

struct codes_row { /* action codes, Book 3, 10.7: denial, online, default */
    const char *id, *clause;
    const char *iac[3], *tac[3];
};

struct own_row { /* the card's own decision: Book 3, 9.3 */
    const char *id, *clause;
    const char *card; /* words: risks of a new card "ask" "decline" "unable"; or a fault */
    enum ac first[3]; /* for what is asked */
    enum ac first_offline_only; /* when a TC is asked by a terminal that cannot go online */
    enum ac unable;             /* the second, when a TC is asked with Y3 */
    bool ends_first[3];         /* no answer to what is asked that the Books allow */
    bool lies_second, wrong_ac;
};

struct issuer_row {
    const char *id, *clause;
    bool reached;
    const char *arc; /* 8A */
    bool approves;   /* 8A does */
    enum arpc sent;
    const char *card;  /* a fault: issuer-refused, any-arpc */
    enum arpc learned; /* by the card, of what was sent */
    bool tvr_failed;   /* byte 5, bit 7, where the card has EXTERNAL AUTHENTICATE */
};

struct way_row { /* of an ARPC to the card: Book 3, 10.9, 10.11 */
    const char *id, *clause;
    bool external, cdol2;
    enum ac second[ARPCS]; /* the card's second answer when a TC is asked */
    bool mandatory;
};

struct script_row {
    const char *id, *clause;
    const char *scripts; /* "71:U": PIN UNBLOCK, B: APPLICATION BLOCK, small: with a wrong MAC, ?:
                            cut short */
    const char *card;    /* a fault */
    uint8_t tvr5;
    const char *results;  /* 9F5B */
    unsigned commands[2]; /* before the second GENERATE AC, after it */
    bool blocks;          /* before it */
    bool cvr_failed;
};

enum fails {
    SOUND,
    EARLY /* known before terminal action analysis */,
    SIGNED /* in the card's signature */
};

struct fault_row { /* of what is signed */
    const char *id, *clause;
    enum fails with[METHODS];
    bool data_missing;  /* TVR byte 1, bit 6, where it fails */
    bool hides_methods; /* the AIP that the terminal sees has none */
    bool no_card_key, no_issuer_key;
    bool no_signature; /* where one was asked for */
    bool other_cid;    /* signed than shown: an ARQC for a TC, a TC for an ARQC */
};

struct kind_row {
    const char *id, *clause;
    unsigned cvn; /* enum emv_cvn */
    unsigned arpc;
};

struct key_row {
    const char *id, *clause;
    bool own; /* a key of its own for the PIN: 9F2D */
};

struct carriage_row {
    const char *id, *clause;
    bool t0;
    uint8_t format;
};

struct combination {
    const struct card_row *card;
    const struct key_row *key;
    const struct cvm_row *cvm;
    const struct codes_row *codes;
    const struct own_row *own;
    const struct way_row *way;
    const struct kind_row *kind;
    const struct carriage_row *carriage;
    const struct fault_row *fault;
    const struct risk_row *risk;
    const struct terminal_row *terminal;
    const struct type_row *type;
    const struct issuer_row *issuer;
    const struct script_row *script;
    size_t card_index;
};

struct expected {
    enum end end;
    bool reversal, ac_unread;
    uint8_t tvr[5], tsi;
    uint8_t tvr_at[2][5];           /* as each GENERATE AC must have it */
    const char *cvm_results, *pins; /* pins: all that the person is asked for */
    char p1[8];                     /* of the GENERATE ACs: "90,50" */
    char arc[3];                    /* 8A */
    const char *scripts;            /* 9F5B */
    unsigned commands;              /* besides SELECT, GET PROCESSING OPTIONS, READ RECORD */
    enum method method;
    bool signature_failed; /* CDA, at the first GENERATE AC */
    bool signature_first;  /* CDA: a good one there */
    bool signature_good;   /* CDA, at the last */
    bool wrong_ac;
    /* what the card says in the CVR of its last cryptogram */
    enum ac first, second;
    bool has_second, unable, issuer_failed, script_failed, dda, cda_once;
    unsigned pin;
};

void expect(struct expected *x, const struct combination *c);

#endif
