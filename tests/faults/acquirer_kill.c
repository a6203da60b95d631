/* The acquirer is killed at random instants, again and again, while terminals pay: nothing
 * acknowledged is lost, nothing is kept twice, and what was under way is settled by its repeat.
 * With TELEPAY_TEST_STORE=postgresql, beside tests/system/with-postgres, the server of its books is
 * killed and started again under it before: meanwhile it answers 96 or 91, and goes on by itself.
 * Seeded: KILLS and SEED in the environment; 100 and 1 without. */
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acquirer/state.h"
#include "holds.h"
#include "office.h"
#include "postgres.h"

#define TERMINALS 4
#define PAYMENTS  60000 /* of one terminal, at most: a card counts to 65535 */
#define AMOUNT    1250

struct till { /* a terminal: only its own thread touches it while one runs */
    const struct office *office;
    struct signer *signer;
    char terminal[9];
    SSL_CTX *tls;
    struct signed_card card;
    struct made made;
    struct terms terms;
    bool pending; /* made was sent and not answered */
    unsigned done, repeated, put_off;
    char rrn[PAYMENTS][13]; /* by STAN, which counts from 1 */
};

static struct office office;
static struct till till[TERMINALS];
static atomic_uint answers; /* of all terminals, in all rounds */

static void make_next(struct till *t)
{
    const struct place where = {OFFICE_CONTRACT, t->terminal, t->done + 1, OFFICE_MCC};

    HOLDS(t->done + 1 < PAYMENTS);
    terms_usual(&t->terms, &t->card, (uint16_t)(t->done + 1));
    HOLDS(made_payment(&t->made, t->signer, &t->card, &t->terms, &t->terms, &where) == TP_OK);
}

/* Sends until it is answered by the books: without them it is put off, where they can be away. */
static enum tp_err exchange(struct till *t, struct office_answer *a, struct link_client *c,
                            unsigned mti, struct tp_error *e)
{
    enum tp_err r = office_exchange(a, c, &t->made, mti, e);

    while (r == TP_OK && postgres_wanted() &&
           (strcmp(a->code, "96") == 0 || strcmp(a->code, "91") == 0)) {
        t->put_off++;
        usleep(20000);
        r = office_exchange(a, c, &t->made, MTI_FINANCIAL_REPEAT, e);
    }
    return r;
}

/* Pays until the server is gone. */
static void *pay(void *ctx)
{
    struct till *t = ctx;
    struct link_client *c = NULL;
    struct office_answer a;
    struct tp_error e;

    if (link_connect(&c, "127.0.0.1", t->office->port, t->tls, 5000, &e) != TP_OK)
        return NULL;
    if (t->done > 0 && !t->pending) { /* what was acknowledged before the kill is answered alike */
        if (exchange(t, &a, c, MTI_FINANCIAL_REPEAT, &e) != TP_OK) {
            link_close(&c);
            return NULL;
        }
        HOLDS(strcmp(a.code, "00") == 0 && strcmp(a.rrn, t->rrn[t->done]) == 0);
    }
    for (;;) {
        const unsigned mti = t->pending ? MTI_FINANCIAL_REPEAT : MTI_FINANCIAL;

        if (!t->pending)
            make_next(t);
        t->repeated += t->pending;
        t->pending = true;
        if (exchange(t, &a, c, mti, &e) != TP_OK)
            break;
        if (strcmp(a.code, "00") != 0)
            fprintf(stderr, "%s %u: %s %s\n", t->terminal, t->done + 1, a.code, a.reason);
        HOLDS(strcmp(a.code, "00") == 0 && strlen(a.rrn) == 12);
        t->done++;
        atomic_fetch_add(&answers, 1);
        snprintf(t->rrn[t->done], sizeof(t->rrn[0]), "%s", a.rrn);
        t->pending = false;
    }
    link_close(&c);
    return NULL;
}

/* A slow machine must get to its payments too. */
static void wait_for_answers(unsigned wanted)
{
    for (unsigned i = 0; i < 20000 && atomic_load(&answers) < wanted; i++)
        usleep(1000);
}

/* The books' own server is killed and comes back, and payments go on. */
static void restart_store(void)
{
    char command[512];

    snprintf(command, sizeof(command), "%s restart -m immediate >/dev/null 2>&1",
             getenv("WITH_POSTGRES_CTL"));
    HOLDS(system(command) == 0);
    const unsigned before = atomic_load(&answers);

    wait_for_answers(before + 2 * TERMINALS);
    HOLDS(atomic_load(&answers) >= before + 2 * TERMINALS);
}

/* The server lives for a random time from its start, or (three rounds of four) from two answers on.
 * An operator looks into the books meanwhile: that must not take anything away from under the
 * server. */
static void round_of_kill(useconds_t life, bool at_work, bool looked_into)
{
    struct office_books b;
    pthread_t thread[TERMINALS];
    const unsigned before = atomic_load(&answers);

    office_spawn(&office, 2);
    for (unsigned i = 0; i < TERMINALS; i++)
        HOLDS(pthread_create(&thread[i], NULL, pay, &till[i]) == 0);
    if (at_work)
        wait_for_answers(before + 2);
    usleep(life / 2);
    if (looked_into)
        office_books(&office, &b);
    usleep(life / 2);
    if (postgres_wanted())
        restart_store();
    office_kill(&office, SIGKILL);
    for (unsigned i = 0; i < TERMINALS; i++)
        pthread_join(thread[i], NULL);
}

/* The last repeats, on a server that is left alone. */
static void settle(void)
{
    struct tp_error e;

    office_spawn(&office, 2);
    for (unsigned i = 0; i < TERMINALS; i++) {
        struct till *t = &till[i];
        struct link_client *c = NULL;
        struct office_answer a;

        HOLDS(link_connect(&c, "127.0.0.1", office.port, t->tls, 5000, &e) == TP_OK);
        HOLDS(!t->pending || exchange(t, &a, c, MTI_FINANCIAL_REPEAT, &e) == TP_OK);
        if (t->pending) {
            HOLDS(strcmp(a.code, "00") == 0);
            snprintf(t->rrn[++t->done], sizeof(t->rrn[0]), "%s", a.rrn);
            t->pending = false;
        }
        link_close(&c);
    }
    office_kill(&office, SIGTERM);
}

struct seen {
    unsigned count;
    bool have[TERMINALS][PAYMENTS];
};

static enum tp_err compare(void *ctx, uint32_t sequence, const struct tx_record *tx,
                           struct tp_error *e)
{
    struct seen *s = ctx;
    const unsigned i = (unsigned)atoi(tx->terminal) - 1;

    (void)sequence;
    (void)e;
    HOLDS(i < TERMINALS && tx->stan >= 1 && tx->stan <= till[i].done);
    HOLDS(!s->have[i][tx->stan]);
    HOLDS(strcmp(till[i].rrn[tx->stan], tx->rrn) == 0);
    HOLDS(tx->amount == AMOUNT && tx->state == TX_ACKNOWLEDGED);
    s->have[i][tx->stan] = true;
    s->count++;
    return TP_OK;
}

static unsigned check_books(void)
{
    static struct seen seen;
    const struct tx_filter all = {OFFICE_CONTRACT, -1, -1};
    struct ledger *l = NULL;
    struct remise r;
    unsigned wanted = 0;

    MUST(acquirer_open_ledger(&l, office.dir, &office_error));
    MUST(ledger_tx_each(l, &all, compare, &seen, &office_error));
    MUST(ledger_remise_running(l, OFFICE_CONTRACT, &r, &office_error));
    for (unsigned i = 0; i < TERMINALS; i++)
        wanted += till[i].done;
    HOLDS(seen.count == wanted);
    HOLDS(r.totals.debits == wanted && r.totals.debit_amount == (int64_t)wanted * AMOUNT);
    ledger_close(&l);
    return wanted;
}

int main(void)
{
    const unsigned kills = getenv("KILLS") != NULL ? (unsigned)atoi(getenv("KILLS")) : 100;
    unsigned seed = getenv("SEED") != NULL ? (unsigned)atoi(getenv("SEED")) : 1;
    unsigned repeats = 0, put_off = 0, kept;

    office_make(&office, NULL, TERMINALS);
    for (unsigned i = 0; i < TERMINALS; i++) {
        struct till *t = &till[i];

        t->office = &office;
        t->signer = &office.signer;
        snprintf(t->terminal, sizeof(t->terminal), "%08u", i + 1);
        if (i > 0)
            office_terminal(&office, OFFICE_CONTRACT, t->terminal);
        t->tls = office_tls(&office, OFFICE_CONTRACT, t->terminal);
        HOLDS(signer_card(&t->card, t->signer, i) ==
              TP_OK); /* its own key, too: a key is one thread's at a time */
    }
    printf("acquirer_kill: %u kills, SEED=%u\n", kills, seed);
    fflush(stdout);
    for (unsigned i = 0; i < kills; i++)
        round_of_kill((useconds_t)(rand_r(&seed) % 150000), i % 4 != 0, i % 3 == 0);
    settle();
    kept = check_books();
    for (unsigned i = 0; i < TERMINALS; i++) {
        repeats += till[i].repeated;
        put_off += till[i].put_off;
        SSL_CTX_free(till[i].tls);
    }
    printf("acquirer_kill: %u payments kept once each, %u repeats after a kill, %u put off\n", kept,
           repeats, put_off);
    HOLDS(kept > kills && repeats > 0 && (put_off > 0) == postgres_wanted());
    office_remove(&office);
    return 0;
}
