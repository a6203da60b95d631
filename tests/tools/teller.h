/* An issuer as an acquirer sees it, in the test's own process, that behaves as told and remembers
 * all: for tests of the online way. It checks no cryptogram; the real one is telepay-issuer. Its
 * memory is what a test holds the acquirer's books against. */
#ifndef TP_TESTS_TELLER_H
#define TP_TESTS_TELLER_H

#include <pthread.h>

#include "office.h"

enum teller_mood {
    TELLER_APPROVES,
    TELLER_REFUSES,   /* 51, with an ARPC */
    TELLER_SLOW,      /* approves after slow_ms */
    TELLER_MUTE,      /* reserves and says nothing */
    TELLER_GARBAGE,   /* reserves and answers with what is no message */
    TELLER_OTHER,     /* reserves and answers about another amount */
    TELLER_CUT,       /* reserves, and the connection breaks before the answer: the first time */
    TELLER_NO_CODE,   /* reserves, 00 without DE 38 */
    TELLER_SICK,      /* 96 */
    TELLER_PARTLY,    /* 10: a part of the amount, reserved */
    TELLER_OWN_CODES, /* a code that only a terminal gives: Y1 */
    TELLER_MOODS
};

struct teller_record { /* what it knows of one question, by DE 37 */
    char rrn[13];
    int64_t amount;
    unsigned asked, told_back; /* 0100s and 0400s that came */
    unsigned releases;         /* of them those that had an effect */
    bool reserved, released;
    enum teller_mood mood;
    char answer_code[3], approval[7];
};

struct teller {
    const struct office *office;
    struct link_server *server;
    pthread_t thread, clock;
    pthread_mutex_t lock;
    char port[8];
    enum teller_mood mood; /* for questions that come now */
    unsigned slow_ms;
    unsigned deaf; /* so many 0400s are not answered */
    unsigned
        *seed; /* not NULL: each question gets a mood of its own by chance, mostly a good one */
    struct teller_record *record;
    size_t records, room;
    struct teller_late *late;
    unsigned echoes;
    bool stop;
};

/* Makes the credentials and issuers/teller in the office's folder; teller_open listens, on the same
 * port each time. */
void teller_make(struct teller *b, const struct office *o);
void teller_open(struct teller *b);
void teller_shut(struct teller *b);
void teller_clear(struct teller *b); /* shut before */

void teller_set(struct teller *b, enum teller_mood mood);
/* A copy of what it knows of a question. False: nothing. */
bool teller_find(struct teller *b, const char *rrn, struct teller_record *out);
size_t teller_count(struct teller *b);
/* The sum of what is reserved and not released. */
int64_t teller_reserved(struct teller *b);

/* The ARPC it gives: any eight bytes, the same each time. */
extern const uint8_t teller_arpc[8];

#endif
