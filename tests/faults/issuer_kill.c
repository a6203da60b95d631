/* The issuer is killed at random instants, again and again, while acquirers ask: nothing that was
 * answered is lost, nothing is reserved or released twice, and what was under way is settled by
 * asking again. Seeded: KILLS and SEED in the environment; 60 and 1 without. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bank.h"
#include "holds.h"

#define TILLS   4
#define ASKED   60000
#define AMOUNT  100
#define BALANCE 90000000

enum step { ASK, RELEASE }; /* every third authorisation is reversed */

struct till { /* a card that pays: only its own thread touches it while one runs */
    struct bank_card card;
    struct bank_terms terms;
    struct bank_request request;
    struct bank_answer answer;
    enum step step;
    bool pending; /* sent and not answered */
    unsigned approved, released, repeated;
    char last_rrn[BOOK_RRN_MAX];
    struct bank_answer last; /* the last approval as it was answered */
};

static struct bank bank;
static struct till till[TILLS];

static bool exchange(struct till *t, struct link_client *c, unsigned mti)
{
    struct tp_error e;

    if (mti == MTI_REVERSAL && t->pending)
        mti = MTI_REVERSAL_REPEAT;
    t->repeated += t->pending;
    t->pending = true;
    if (mti != MTI_AUTHORISATION)
        bank_reversal(&t->request, &t->terms, mti);
    if (bank_exchange(&t->answer, c, &t->request.message, &e) != TP_OK)
        return false;
    t->pending = false;
    if (strcmp(t->answer.code, "00") != 0)
        fprintf(stderr, "%s %s: %s\n", t->card.pan, t->terms.rrn, t->answer.code);
    HOLDS(strcmp(t->answer.code, "00") == 0);
    return true;
}

static bool next(struct till *t, struct link_client *c)
{
    if (t->step == RELEASE) {
        if (!exchange(t, c, MTI_REVERSAL))
            return false;
        t->released++;
        t->last_rrn[0] = '\0'; /* asked again it is refused: it is reversed */
        t->step = ASK;
        return true;
    }
    if (!t->pending) {
        bank_usual(&t->terms, &t->card);
        t->terms.amount = AMOUNT;
        bank_authorisation(&t->request, &t->card, &t->terms);
    }
    if (!exchange(t, c, MTI_AUTHORISATION))
        return false;
    HOLDS(bank_proves(&t->answer, &t->card, &t->request, t->terms.atc, 2));
    t->approved++;
    HOLDS(t->approved < ASKED);
    t->last = t->answer;
    snprintf(t->last_rrn, sizeof(t->last_rrn), "%s", t->terms.rrn);
    t->step = t->approved % 3 == 0 ? RELEASE : ASK;
    return true;
}

/* Asks until the server is gone. What was answered before the kill is answered alike after it. */
static void *run(void *ctx)
{
    struct till *t = ctx;
    struct link_client *c = bank_connect(&bank, BANK_ACQUIRER);
    struct tp_error e;

    if (c == NULL)
        return NULL;
    if (t->approved > 0 && !t->pending && t->step == ASK &&
        strcmp(t->terms.rrn, t->last_rrn) == 0) {
        struct bank_answer *again = calloc(1, sizeof(*again));

        bank_authorisation(&t->request, &t->card, &t->terms);
        if (bank_exchange(again, c, &t->request.message, &e) == TP_OK)
            HOLDS(again->n == t->last.n && memcmp(again->raw, t->last.raw, t->last.n) == 0);
        free(again);
    }
    while (next(t, c))
        ;
    link_close(&c);
    return NULL;
}

static void round_of_kill(useconds_t life)
{
    pthread_t thread[TILLS];

    bank_spawn(&bank);
    for (unsigned i = 0; i < TILLS; i++)
        HOLDS(pthread_create(&thread[i], NULL, run, &till[i]) == 0);
    usleep(life);
    bank_kill(&bank, SIGKILL);
    for (unsigned i = 0; i < TILLS; i++)
        pthread_join(thread[i], NULL);
}

static unsigned approvals(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < TILLS; i++)
        n += till[i].approved;
    return n;
}

/* The last ones that are under way, on a server that is left alone. */
static void settle(void)
{
    bank_spawn(&bank);
    for (unsigned i = 0; i < TILLS; i++) {
        struct link_client *c = bank_connect(&bank, BANK_ACQUIRER);

        HOLDS(c != NULL);
        HOLDS(!till[i].pending || next(&till[i], c));
        link_close(&c);
    }
    bank_kill(&bank, SIGTERM);
}

struct count {
    unsigned approved, reversed;
};

static enum tp_err count_one(void *ctx, const struct authorisation *a, struct tp_error *e)
{
    struct count *n = ctx;

    (void)e;
    HOLDS(strcmp(a->answer.code, "00") == 0 && a->reserved == AMOUNT && a->amount == AMOUNT);
    n->approved++;
    n->reversed += a->reversed;
    return TP_OK;
}

int main(void)
{
    const unsigned kills = getenv("KILLS") != NULL ? (unsigned)atoi(getenv("KILLS")) : 60;
    unsigned seed = getenv("SEED") != NULL ? (unsigned)atoi(getenv("SEED")) : 1;
    unsigned approved = 0, released = 0, repeated = 0;
    useconds_t longest = 300000;
    struct count n = {0, 0};
    struct book *book;

    bank_make(&bank);
    for (unsigned i = 0; i < TILLS; i++) {
        struct account a;

        bank_card(&till[i].card, &bank, i % 2 == 0 ? EMV_CVN_18 : EMV_CCD_AES, i, 0, BALANCE);
        bank_account(&bank, &till[i].card, &a);
        a.day_ceiling = MONEY_MAX;
        book = bank_book(&bank);
        BANK_MUST(book_account_set(book, &a, &bank_error));
        book_close(&book);
    }
    printf("issuer_kill: %u kills, SEED=%u\n", kills, seed);
    fflush(stdout);
    for (unsigned i = 0; i < kills; i++) {
        round_of_kill((useconds_t)rand_r(&seed) % longest);
        if (approvals() <= i + 1)
            longest += 100000; /* a slow machine, where a kill so early proves nothing */
    }
    settle();
    for (unsigned i = 0; i < TILLS; i++) {
        struct account a;

        bank_account(&bank, &till[i].card, &a);
        HOLDS(a.reserved == (int64_t)(till[i].approved - till[i].released) * AMOUNT);
        HOLDS(a.atc == till[i].card.atc);
        approved += till[i].approved;
        released += till[i].released;
        repeated += till[i].repeated;
        bank_card_free(&till[i].card);
    }
    book = bank_book(&bank);
    BANK_MUST(book_authorisation_each(book, 0, count_one, &n, &bank_error));
    book_close(&book);
    printf("issuer_kill: %u approvals kept once each, %u released once each, %u asked again after "
           "a kill\n",
           approved, released, repeated);
    fflush(stdout);
    HOLDS(n.approved == approved && n.reversed == released);
    HOLDS(approved > kills && released > 0 && repeated > 0);
    bank_remove(&bank);
    return 0;
}
