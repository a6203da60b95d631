/* An acquirer's folder in /tmp with one contract, terminals and a card scheme of its own, and its
 * server in process or as the program: for tests of the server. */
#ifndef TP_TESTS_OFFICE_H
#define TP_TESTS_OFFICE_H

#include <pthread.h>
#include <sys/types.h>

#include "acquirer/server.h"
#include "cardsign.h"

#define OFFICE_CONTRACT "000000000000123"
#define OFFICE_TERMINAL "00000001"
#define OFFICE_MCC      5942
#define OFFICE_FLOOR    5000
#define OFFICE_CEILING  100000
#define OFFICE_NO_CVM   2000
#define OFFICE_CREDITS  50000

struct office {
    char dir[64];
    struct signer signer;
    char port[8];
    struct acquirer_server *server; /* in process */
    pthread_t thread;
    pid_t pid; /* or the program */
};

/* Makes the folder under base (NULL: /tmp). Aborts with a sentence on any failure: tests have
 * nothing else to do then. keys: of the signer. */
void office_make(struct office *o, const char *base, unsigned keys);
void office_remove(struct office *o); /* the server must be down */

void office_contract(struct office *o, const char *contract,
                     const char *terminal); /* adds an open contract in EUR with a terminal */
void office_terminal(struct office *o, const char *contract,
                     const char *terminal); /* adds a terminal to it */

void office_start(struct office *o, unsigned threads); /* in process */
void office_stop(struct office *o);
void office_spawn(struct office *o, unsigned threads); /* $TESTS_BUILDDIR/telepay-acquirer serve */
void office_kill(struct office *o, int signal);        /* and waits for its end */

/* The TLS context of a terminal, made on the way (its certificate names contract and terminal); the
 * caller's to free. */
SSL_CTX *office_tls(const struct office *o, const char *contract, const char *terminal);
struct link_client *office_connect(const struct office *o, const char *contract,
                                   const char *terminal);

/* One exchange of a made message (under another type, when mti is not 0). TP_ERR_PEER,
 * TP_ERR_TIMEOUT when there is no answer. */
struct office_answer {
    unsigned mti;
    char code[3], reason[26], rrn[13];
    uint8_t raw[ECHO_ANSWER_MAX];
    size_t n;
};
enum tp_err office_exchange(struct office_answer *a, struct link_client *c, struct made *m,
                            unsigned mti, struct tp_error *e);
enum tp_err office_send(struct office_answer *a, struct link_client *c, const struct iso8583 *m,
                        struct tp_error *e);

/* What the books hold, read with a ledger of one's own. */
struct office_books {
    unsigned transactions; /* of the contract, whatever became of them */
    struct remise_totals totals;
};
void office_books(const struct office *o, struct office_books *b);

/* The books against what the cards signed (ledger/audit.h): aborts when anything is found. */
void office_audit(const struct office *o);

/* Aborts with file, line and the error's sentence unless the call gives TP_OK. */
#define MUST(call) office_must((call), &office_error, #call, __FILE__, __LINE__)
extern struct tp_error office_error;
void office_must(enum tp_err r, const struct tp_error *e, const char *call, const char *file,
                 int line);

#endif
