/* The acquirer is killed at random instants, again and again, while cards ask their issuer through
 * it, and the issuer is in every mood (slow, silent, garbage, cut after it has reserved …): in the
 * end each reservation at the issuer is an acknowledged payment, or was reversed, exactly once.
 * Terminals behave as telepay does: a question without an answer is reversed,
 * sometimes the card then pays offline (Y3), sometimes it gives no TC though the issuer approved.
 * What was paid is sometimes refunded: once, however often that was asked, taken back and asked
 * again. Seeded: KILLS and SEED in the environment; 100 and 1 without. */
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acquirer/state.h"
#include "base/date.h"
#include "base/file.h"
#include "holds.h"
#include "teller.h"

#define TILLS       4
#define AMOUNT      1250
#define PATIENCE_MS 60000

enum phase {
    PHASE_NEW,
    PHASE_ASKED,
    PHASE_UNDO,
    PHASE_TC
}; /* what a till has to bring to an end */

struct till { /* only its own thread touches it while one runs */
    const struct office *office;
    struct signer *signer;
    char terminal[9];
    SSL_CTX *tls;
    struct signed_card card;
    struct made made;
    struct terms terms;
    struct iso8583 undo;
    char original[43];
    enum phase phase;
    char paid[RRN_MAX];     /* online, and not refunded; "": nothing */
    char refunded[RRN_MAX]; /* and what was, last */
    bool refunds;           /* what is asked is a refund */
    bool again;             /* of what is refunded */
    bool pays_offline;      /* after the reversal, with the ARQC's counter */
    bool unheard;           /* taken back without an answer, which may have been a refusal */
    bool repeat;
    uint16_t atc;
    uint32_t stan;
    unsigned seed;
    unsigned online, offline, reversed, refused, refunds_done;
};

static struct office office;
static struct teller teller;
static struct till till[TILLS];

static void sign(struct till *t)
{
    const struct place where = {OFFICE_CONTRACT, t->terminal, ++t->stan, OFFICE_MCC};

    HOLDS(made_payment(&t->made, t->signer, &t->card, &t->terms, &t->terms, &where) == TP_OK);
    t->repeat = false;
}

static void sign_arqc(struct till *t)
{
    terms_usual(&t->terms, &t->card, ++t->atc);
    t->terms.cid = 0x80;
    t->again = t->refunded[0] != '\0' && rand_r(&t->seed) % 4 == 0;
    t->refunds = t->again || (t->paid[0] != '\0' && rand_r(&t->seed) % 2 == 0);
    if (t->refunds)
        t->terms.type = 0x20;
    sign(t);
    if (t->refunds)
        iso8583_set_text(&t->made.message, 37, t->again ? t->refunded : t->paid);
    t->unheard = false;
    t->phase = PHASE_ASKED;
}

static void sign_undo(struct till *t, bool pays_offline, bool unheard)
{
    static const unsigned same[] = {2, 3, 4, 7, 12, 13, 41, 42, 49};

    iso8583_start(&t->undo, MTI_REVERSAL);
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        t->undo.field[same[i]] = t->made.message.field[same[i]];
    snprintf(t->original, sizeof(t->original), "0200%06u%.10s%022u", t->stan % 1000000,
             (const char *)t->made.message.field[7].p, 0U);
    iso8583_set_text(&t->undo, 90, t->original);
    iso8583_set_number(&t->undo, 11, ++t->stan);
    t->phase = PHASE_UNDO;
    t->pays_offline = pays_offline;
    t->unheard = unheard;
    t->repeat = false;
}

static void sign_tc(struct till *t)
{
    t->terms.cid = 0x40;
    t->terms.second = true;
    sign(t);
    t->phase = PHASE_TC;
}

/* A refund is of all that was paid. */
static void advance_refund(struct till *t, const struct office_answer *a)
{
    const bool yes = strcmp(a->code, "00") == 0;

    t->phase = PHASE_NEW;
    HOLDS(!t->again || !yes);
    HOLDS(strcmp(a->reason, "REFUND_AMOUNT") != 0 || t->again);
    if (yes && rand_r(&t->seed) % 4 == 0) {
        sign_undo(t, false, false); /* the card gave no TC */
    } else if (yes) {
        t->refunds_done++;
        memcpy(t->refunded, t->paid, sizeof(t->refunded));
        t->paid[0] = '\0';
    }
}

/* One answer brings a payment one phase on. */
static void advance(struct till *t, const struct office_answer *a)
{
    const bool yes = strcmp(a->code, "00") == 0;
    bool refused;

    if (strcmp(a->code, "96") == 0)
        return;
    switch (t->phase) {
    case PHASE_ASKED:
        if (t->refunds) {
            advance_refund(t, a);
        } else if (yes && rand_r(&t->seed) % 4 != 0) {
            t->online++;
            memcpy(t->paid, a->rrn, sizeof(t->paid));
            t->phase = PHASE_NEW;
        } else if (yes) {
            sign_undo(t, false, false); /* the card gave no TC */
        } else if (strcmp(a->code, "91") == 0) {
            if (rand_r(&t->seed) % 2 == 0 || strcmp(a->reason, "ISSUER_DOWN") == 0)
                sign_undo(t, true, false);
            else
                sign_tc(t); /* a terminal that trusts the 91 */
        } else {
            HOLDS(strcmp(a->reason, "ISSUER") == 0 || strncmp(a->reason, "ISSUER_", 7) == 0);
            t->refused++;
            t->phase = PHASE_NEW;
        }
        break;
    case PHASE_UNDO:
        HOLDS(yes);
        t->reversed++;
        t->phase = PHASE_NEW;
        if (t->pays_offline)
            sign_tc(t);
        break;
    case PHASE_TC:
        refused = t->unheard && strcmp(a->reason, "ISSUER_REFUSED") == 0;
        if (!yes && !refused)
            fprintf(stderr, "%s %u: %s %s\n", t->terminal, t->stan, a->code, a->reason);
        HOLDS(yes || refused); /* check_books holds the totals against the issuer's word */
        t->offline += yes;
        t->refused += refused;
        t->phase = PHASE_NEW;
        break;
    case PHASE_NEW:
        break;
    }
}

static enum tp_err step(struct till *t, struct link_client *c, struct tp_error *e)
{
    struct office_answer a;
    enum tp_err r;

    if (t->phase == PHASE_NEW)
        sign_arqc(t);
    if (t->phase == PHASE_UNDO) {
        t->undo.mti = t->repeat ? MTI_REVERSAL_REPEAT : MTI_REVERSAL;
        r = office_send(&a, c, &t->undo, e);
    } else {
        r = office_exchange(&a, c, &t->made, t->repeat ? MTI_FINANCIAL_REPEAT : MTI_FINANCIAL, e);
    }
    t->repeat = true;
    if (r == TP_OK)
        advance(t, &a);
    return r;
}

/* Pays until the server is gone. A question that was cut off is sometimes repeated, sometimes taken
 * back. */
static void *pay(void *ctx)
{
    struct till *t = ctx;
    struct link_client *c = NULL;
    struct tp_error e;

    if (link_connect(&c, "127.0.0.1", t->office->port, t->tls, 5000, &e) != TP_OK)
        return NULL;
    if (t->phase == PHASE_ASKED && t->repeat && rand_r(&t->seed) % 2 == 0)
        sign_undo(t, !t->refunds && rand_r(&t->seed) % 2 == 0, true);
    while (step(t, c, &e) == TP_OK) {
    }
    link_close(&c);
    return NULL;
}

static void round_of_kill(useconds_t life)
{
    pthread_t thread[TILLS];

    office_spawn(&office, 2);
    for (unsigned i = 0; i < TILLS; i++)
        HOLDS(pthread_create(&thread[i], NULL, pay, &till[i]) == 0);
    usleep(life);
    office_kill(&office, SIGKILL);
    for (unsigned i = 0; i < TILLS; i++)
        pthread_join(thread[i], NULL);
}

/* ---- the end ---- */

static enum tp_err count(void *ctx, const struct authorisation *a, struct tp_error *e)
{
    (void)a;
    (void)e;
    (*(unsigned *)ctx)++;
    return TP_OK;
}

static unsigned waiting(void)
{
    struct ledger *l = NULL;
    unsigned n = 0;

    MUST(acquirer_open_ledger(&l, office.dir, &office_error));
    MUST(ledger_authorisation_each(l, NULL, AUTHORISATION_ASKED, 0, count, &n, &office_error));
    MUST(ledger_authorisation_each(l, NULL, AUTHORISATION_TO_REVERSE, 0, count, &n, &office_error));
    ledger_close(&l);
    return n;
}

/* What is under way is brought to its end on a server that is left alone, with an issuer in a good
 * mood. */
static void settle(void)
{
    const int64_t until = time_monotonic_ms() + PATIENCE_MS;

    teller.seed = NULL;
    teller_set(&teller, TELLER_APPROVES);
    office_spawn(&office, 2);
    for (unsigned i = 0; i < TILLS; i++) {
        struct link_client *c = office_connect(&office, OFFICE_CONTRACT, till[i].terminal);
        struct tp_error e;

        while (till[i].phase != PHASE_NEW)
            HOLDS(step(&till[i], c, &e) == TP_OK);
        link_close(&c);
    }
    while (waiting() > 0) {
        HOLDS(time_monotonic_ms() < until);
        usleep(20000);
    }
    office_kill(&office, SIGTERM);
}

struct totals {
    unsigned online, reversed;
};

/* Each question in the books against the issuer's memory. */
static enum tp_err compare(void *ctx, const struct authorisation *a, struct tp_error *e)
{
    struct totals *t = ctx;
    struct teller_record b = {.asked = 0};
    const bool known = teller_find(&teller, a->tx.rrn, &b);

    (void)e;
    switch (a->state) {
    case AUTHORISATION_APPROVED:
        HOLDS(known && b.reserved && !b.released && strcmp(b.approval, a->said.approval) == 0);
        t->online++;
        break;
    case AUTHORISATION_REFUSED:
        HOLDS(known && !b.reserved);
        break;
    default:
        HOLDS(a->state == AUTHORISATION_REVERSED);
        HOLDS(known && b.released &&
              b.releases == (b.reserved ? 1 : 0)); /* in effect once, however often it was said */
        t->reversed++;
    }
    return TP_OK;
}

static enum tp_err compare_refund(void *ctx, uint32_t sequence, const struct tx_record *tx,
                                  struct tp_error *e)
{
    static char given[100000][RRN_MAX];
    unsigned *n = ctx;

    (void)sequence;
    (void)e;
    if (tx->kind != TX_CREDIT || tx->state == TX_REVERSED)
        return TP_OK;
    for (unsigned i = 0; i < *n; i++)
        HOLDS(strcmp(given[i], tx->undoes) != 0); /* of the whole: of each payment one */
    HOLDS(tx->undoes[0] != '\0' && *n < 100000);
    memcpy(given[(*n)++], tx->undoes, RRN_MAX);
    return TP_OK;
}

static void check_books(unsigned kills)
{
    const struct tx_filter all = {NULL, -1, -1};
    struct ledger *l = NULL;
    struct remise r;
    struct totals seen = {0};
    unsigned online = 0, offline = 0, reversed = 0, refused = 0, questions = 0, refunds = 0,
             kept = 0;

    for (unsigned i = 0; i < TILLS; i++) {
        online += till[i].online;
        offline += till[i].offline;
        reversed += till[i].reversed;
        refused += till[i].refused;
        refunds += till[i].refunds_done;
    }
    MUST(acquirer_open_ledger(&l, office.dir, &office_error));
    MUST(ledger_authorisation_each(l, NULL, -1, 0, compare, &seen, &office_error));
    MUST(ledger_authorisation_each(l, NULL, -1, 0, count, &questions, &office_error));
    MUST(ledger_remise_running(l, OFFICE_CONTRACT, &r, &office_error));
    MUST(ledger_tx_each(l, &all, compare_refund, &kept, &office_error));
    HOLDS(kept == refunds && r.totals.credits == refunds &&
          r.totals.credit_amount == (int64_t)refunds * AMOUNT);
    HOLDS(seen.online ==
          online + refunds); /* what a terminal holds for paid, and nothing else, is paid */
    HOLDS(r.totals.debits == online + offline &&
          r.totals.debit_amount == (int64_t)(online + offline) * AMOUNT);
    HOLDS(teller_reserved(&teller) == (int64_t)(online + refunds) * AMOUNT);
    HOLDS(teller_count(&teller) <=
          questions); /* the issuer was asked nothing that the books do not know */
    ledger_close(&l);
    office_audit(&office);
    printf("online_kill: %u paid online, %u offline, %u questions taken back, %u reversals of "
           "terminals, %u refused, %u refunded\n",
           online, offline, seen.reversed, reversed, refused, refunds);
    HOLDS(kills < 50 || (refunds > 0 && online > 0 && offline > 0 && seen.reversed > 0 &&
                         reversed > 0 && refused > 0)); /* each kind of end came, if many did */
}

int main(void)
{
    const unsigned kills = getenv("KILLS") != NULL ? (unsigned)atoi(getenv("KILLS")) : 100;
    unsigned seed = getenv("SEED") != NULL ? (unsigned)atoi(getenv("SEED")) : 1, moods = seed + 77;
    char path[128];

    office_make(&office, NULL, TILLS);
    snprintf(path, sizeof(path), "%s/acquirer.conf", office.dir);
    MUST(file_replace(path, span_str("[issuers]\ntimeout = 1\n"), 0600, &office_error));
    teller_make(&teller, &office);
    teller.seed = &moods;
    teller_open(&teller);
    for (unsigned i = 0; i < TILLS; i++) {
        struct till *t = &till[i];

        t->office = &office;
        t->signer = &office.signer;
        t->seed = seed + i;
        snprintf(t->terminal, sizeof(t->terminal), "%08u", i + 1);
        if (i > 0)
            office_terminal(&office, OFFICE_CONTRACT, t->terminal);
        t->tls = office_tls(&office, OFFICE_CONTRACT, t->terminal);
        HOLDS(signer_card(&t->card, t->signer, i) ==
              TP_OK); /* its own key, too: a key is one thread's at a time */
    }
    printf("online_kill: %u kills, SEED=%u\n", kills, seed);
    fflush(stdout);
    for (unsigned i = 0; i < kills; i++)
        round_of_kill((
            useconds_t)(rand_r(&seed) % 300000 +
                        (i % 10 == 0 ? 1200000 : 0))); /* now and then long enough for a time-out */
    settle();
    check_books(kills);
    for (unsigned i = 0; i < TILLS; i++)
        SSL_CTX_free(till[i].tls);
    teller_shut(&teller);
    teller_clear(&teller);
    office_remove(&office);
    return 0;
}
