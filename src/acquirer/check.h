/* What the acquirer asks of a card-signed transaction (0200, 0201) before it is kept, cheapest
 * first (doc/design.md, Order of checks). Reads the books, changes nothing. */
#ifndef TP_ACQUIRER_CHECK_H
#define TP_ACQUIRER_CHECK_H

#include "acquirer/answer.h"
#include "base/mask.h"
#include "crypto/seal.h"
#include "ledger/evidence.h"

struct checker { /* what one thread checks with; none of it is shared */
    struct ledger *ledger;
    struct seal *seal;
    struct evidence_cache *cache;
    char acquirer[ACQUIRER_ID_MAX]; /* ledger_acquirer_id */
    int raised;                     /* ledger_raised_on */
};

struct party { /* who speaks: from the peer's certificate */
    char contract[CONTRACT_ID_MAX];
    char terminal[TERMINAL_ID_MAX];
    char mediator[MEDIATOR_NAME_MAX]; /* which put it there; "": it speaks for itself */
    bool known;                       /* what follows is there: from the first payment on */
    char serial[TERMINAL_ID_MAX];     /* of the terminal; it never changes */
    uint8_t capabilities[3];          /* 9F33 that it is registered with; nor does this */
    struct contract
        terms; /* but for `open`, which is the books' to say, a contract never changes */
};

struct passed { /* what a mediator's 0200 says beside the card's message (acquirer/mediated.h) */
    const struct mediated_record *what;
    const uint8_t *digest; /* 32 bytes, of the whole 0200: by it a repeat is the same */
    int date;              /* the order's */
    int64_t ceiling;       /* at most so much by card */
};

struct payment { /* one 0200 on its way through the checks; large */
    const struct iso8583 *message;
    const struct passed *passed; /* NULL: a terminal's */
    struct party *party;
    time_t now;
    char pan[PAN_TEXT_MAX];
    int date;   /* local, YYYYMMDD: DE 13 with the year of 9A */
    int expiry; /* DE 14, last day */
    int psn;    /* DE 23; -1: absent */
    struct evidence evidence;
    struct evidence_result result;
    enum ledger_verdict verdict; /* what stands against it; LEDGER_NEW: nothing */
    char word[VERDICT_WORD_MAX]; /* of a verdict that comes with one */
    char first[RRN_MAX];         /* of the books' verdict on its identity */
    bool signature_good;
    bool asks;           /* it needs the issuer */
    struct tx_record tx; /* what is to be kept; its spans point into this struct and into the
                            message; sealed once it is CHECK_KEEP or CHECK_ASK */
    uint8_t digest[32], lookup[SEAL_LOOKUP], sealed[PAN_MAX + SEAL_OVERHEAD];
    uint8_t stream[ISO8583_EVIDENCE_MAX], sealed_stream[ISO8583_EVIDENCE_MAX + SEAL_OVERHEAD];
};

enum check_outcome {
    CHECK_REFUSED,  /* the answer says why */
    CHECK_REPEATED, /* kept before: the answer is the first one's */
    CHECK_KEEP,     /* every check but the books' passed: to be kept, then answered 00 */
    CHECK_ASK,      /* every check passed, and its issuer is to be asked */
    CHECK_WAIT /* its issuer is being asked: the answer is that of the first (96, should there be
                  none) */
};

/* TP_OK with an outcome; an error (TP_ERR_IO …) is ours, and is answered 96. p and message must
 * outlive the use of p->tx. What is CHECK_KEEP was not looked up in the books: whoever keeps it
 * asks them (ledger_acknowledge), once. */
TP_MUST_CHECK enum tp_err check_payment(enum check_outcome *outcome, struct wire_answer *answer,
                                        struct payment *p, struct checker *c,
                                        const struct iso8583 *message, const struct passed *passed,
                                        struct party *party, time_t now, struct tp_error *e);

/* What makes a repeat the same: SHA-256 of the message packed again without its type (0200 or 0201)
 * and DE 7 (when it was sent). */
TP_MUST_CHECK enum tp_err check_digest(uint8_t out[32], const struct iso8583 *message,
                                       struct tp_error *e);

/* Refuses a field that has no place between a mediator and the acquirer, or a terminal and it:
 * false, and the word is its name. */
bool check_places(char word[VERDICT_WORD_MAX], const struct iso8583 *message, bool of_mediator);

/* The cardholder's verification (check_cvm.c). Needs the result of the evidence. */
enum ledger_verdict check_cardholder(const struct payment *p);

/* Fields of a message that every terminal's request has: DE 41 and 42 name the peer of the
 * certificate. TP_ERR_SECURITY when they do not, TP_ERR_NOT_FOUND when one is missing. */
TP_MUST_CHECK enum tp_err check_party(const struct iso8583 *message, const struct party *party);

/* Reads what the books know of the party, once. Verdicts: LEDGER_UNKNOWN; LEDGER_CERTIFICATE, the
 * terminal is another mediator's, or a mediator's own. */
TP_MUST_CHECK enum tp_err check_known(struct party *party, struct checker *c,
                                      enum ledger_verdict *verdict, struct tp_error *e);

/* Contract and terminal as the books have them. *open false: one of them is unknown or closed (03);
 * `open` in each says which. */
TP_MUST_CHECK enum tp_err check_open(struct checker *c, struct contract *contract,
                                     struct terminal *terminal, bool *open,
                                     const struct party *party, struct tp_error *e);

/* The payee, of evidence that was found right: LEDGER_NEW, or that it is another. 9F1E must be the
 * terminal's registered serial; 9F7C, where the card's lists ask for it, what the terminal's
 * contract, number and sequence counter, the local time and the acquirer's number come to. What was
 * signed before the books knew payees may name nobody, and has the terminal's number as its serial.
 */
enum ledger_verdict check_payee(const struct payment *p, const struct checker *c);

/* The application under which the card counts: as signed (9F06), else its provider's part, under
 * which the certificates stand. */
struct span check_application(const struct evidence *ev);

/* What a verdict of the books means: true and the answer, or false for LEDGER_NEW and LEDGER_ASKED,
 * which have none yet. For LEDGER_REPEAT and LEDGER_ANSWERED check_said then adds what the issuer
 * said, where it was asked. */
bool check_verdict(struct wire_answer *a, enum ledger_verdict verdict, const char *rrn);
TP_MUST_CHECK enum tp_err check_said(struct wire_answer *a, enum ledger_verdict verdict,
                                     const char *rrn, struct ledger *l, struct tp_error *e);

/* The day YYYYMMDD nearest to now that has this month and day (DE 13 has no year); 0 when there is
 * none. */
int check_day(unsigned mmdd, time_t now);

#endif
