/* An issuer's folder in /tmp with known master keys, its server in process or as the program, cards
 * of every kind and the acquirer's messages about them: for tests of the issuer. A card here
 * computes with crypto/ alone, which the unit tests hold against public vectors and against Python.
 */
#ifndef TP_TESTS_BANK_H
#define TP_TESTS_BANK_H

#include <pthread.h>
#include <sys/types.h>

#include "crypto/iad.h"
#include "issuer/book.h"
#include "issuer/server.h"
#include "wire/iso8583.h"
#include "wire/link.h"

#define BANK_ACQUIRER "00000000001"
#define BANK_BALANCE  100000 /* cents of EUR */
#define BANK_CEILING  50000
#define BANK_DAY      80000

struct bank {
    char dir[64];
    char books[256]; /* a path, or the URL of a database */
    char port[8];
    struct issuer_server *server; /* in process */
    pthread_t thread;
    pid_t pid; /* or the program */
};

void bank_make(struct bank *b); /* runs $TESTS_BUILDDIR/telepay-issuer init; aborts with a sentence
                                   on any failure, like the others */
void bank_make_of(struct bank *b, const char *scheme_dir); /* the same with the keys of a scheme */
void bank_remove(struct bank *b);
void bank_start(struct bank *b, unsigned threads);
void bank_stop(struct bank *b);
void bank_spawn(struct bank *b);            /* telepay-issuer serve */
void bank_kill(struct bank *b, int signal); /* and waits for its end */
void bank_acquirer(
    struct bank *b,
    const char *id); /* adds one more, with credentials; BANK_ACQUIRER is there from the start */
struct link_client *bank_connect(const struct bank *b, const char *acquirer);
struct book *bank_book(const struct bank *b); /* the caller closes it */

struct bank_card {
    char pan[PAN_TEXT_MAX];
    unsigned psn;
    enum emv_cvn cvn;
    uint16_t atc; /* of the last request */
    struct secret ac, smi, smc;
};

/* The nth card (from 0) of that kind, with its account (method: of the ARPC, 0 that of the kind).
 */
void bank_card(struct bank_card *c, const struct bank *b, enum emv_cvn cvn, unsigned n,
               unsigned method, int64_t balance);
void bank_card_free(struct bank_card *c);
void bank_account(const struct bank *b, const struct bank_card *c, struct account *out);
/* Queues a script for it as script queue does; data: text to be sealed, or NULL. Its number. */
uint32_t bank_queue(const struct bank *b, const struct bank_card *c, const char *what,
                    const uint8_t head[4], const char *data, bool encipher, uint8_t template);
void bank_script(const struct bank *b, uint32_t id, struct script *out);

/* An account in EUR, for a card from elsewhere. */
void bank_add(const struct bank *b, const char *pan, unsigned psn, enum emv_cvn cvn,
              unsigned method, int64_t balance);

struct bank_terms { /* what a request says; bank_usual fills it, with a new ATC and number */
    char acquirer[ACQUIRER_ID_MAX], rrn[BOOK_RRN_MAX], pan[PAN_TEXT_MAX];
    unsigned psn, processing, expiry, mmdd;
    int64_t amount;        /* DE 4 and 9F02 */
    int64_t signed_amount; /* 9F02, when not 0 */
    uint8_t type_flip;     /* 9C is that of DE 3, less these bits */
    unsigned currency;
    uint8_t tvr[5], cid, cvm[3], cvr[5], ac_flip;
    uint16_t atc;
    enum emv_cvn iad_cvn; /* the kind that 9F10 says */
    uint8_t dki;          /* its key index */
    uint8_t results[10];  /* 9F5B */
    size_t results_n;     /* 0: none */
};
void bank_usual(struct bank_terms *t, struct bank_card *c);

struct bank_request {
    struct iso8583 message;
    uint8_t de55[512];
    uint8_t ac[8];
};
void bank_authorisation(struct bank_request *out, const struct bank_card *c,
                        const struct bank_terms *t);
void bank_message(struct bank_request *out, const struct bank_terms *t,
                  struct span de55); /* with the objects of a card from elsewhere; borrowed */
void bank_reversal(struct bank_request *out, const struct bank_terms *t, unsigned mti);

struct bank_answer {
    unsigned mti;
    char code[3], approval[7];
    uint8_t raw[2048];
    size_t n;
    uint8_t de55[1000];
    size_t de55_n;
    struct iso8583 message; /* unpacked from raw */
};
enum tp_err bank_exchange(struct bank_answer *a, struct link_client *c, const struct iso8583 *m,
                          struct tp_error *e);

/* As the card checks it: 91 of the answer to this request proves the issuer, with that code. */
bool bank_proves(const struct bank_answer *a, const struct bank_card *c,
                 const struct bank_request *q, uint16_t atc, unsigned method);

#define BANK_MUST(call) bank_must((call), &bank_error, #call, __FILE__, __LINE__)
extern __thread struct tp_error bank_error;
void bank_must(enum tp_err r, const struct tp_error *e, const char *call, const char *file,
               int line);

#endif
