/* telepay purse empty: what is in an account goes to a bank account. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "base/iban.h"
#include "base/log.h"
#include "base/text.h"
#include "base/word.h"
#include "payer/commands.h"
#include "payer/emptyings.h"
#include "payer/purse_door.h"
#include "payer/purse_record.h"
#include "payer/purse_words.h"
#include "wire/jcs.h"

#define PATH     "/emptyings"
#define PAUSE_MS 1000
#define KIND     "emptied"

/* ---- sending ---- */

/* What the purse signed of it says so. */
static enum tp_err check_record(const struct purse_run *run, const struct purse_account *a,
                                const struct emptying *m, const char *jws, struct tp_error *e)
{
    struct purse_record record = {0};
    enum tp_err r = purse_record_read(&record, jws, a, &run->checkout.authorities, e);

    if (r == TP_OK &&
        (strcmp(record.kind, KIND) != 0 || strtoll(record.amount, NULL, 10) != m->amount))
        r = tp_fail(e, TP_ERR_SECURITY, "it is of something else");
    if (r != TP_OK)
        (void)tp_error_prefix(e, "the purse's record of it");
    purse_record_free(&record);
    return r;
}

/* The very bytes that are kept, until there is an answer, as long as there is patience. */
static enum tp_err bring(json_t **out, const struct purse_run *run, const struct purse_account *a,
                         const struct emptying *m, struct tp_error *e)
{
    const struct submitter *s = &run->checkout.submitter;
    const int64_t until = time_monotonic_ms() + 1000 * (int64_t)s->patience_s;
    enum tp_err r;

    do {
        r = purse_door_bring(out, run->fetch, a->url, PATH, m->statement, e);
    } while ((r == TP_ERR_PEER || r == TP_ERR_TIMEOUT) && time_monotonic_ms() + PAUSE_MS < until &&
             s->pause(s->ctx, PAUSE_MS));
    return r;
}

static enum tp_err settle(struct purse_run *run, const struct purse_account *a, struct emptying *m,
                          struct tp_error *e)
{
    struct journal *j = run->checkout.journal;
    const char *record = NULL, *reference = NULL;
    json_t *answer = NULL;
    enum tp_err r = bring(&answer, run, a, m, e);

    if (r == TP_ERR_STATE || r == TP_ERR_SECURITY) { /* a no is a no */
        const enum tp_err kept = emptyings_settle(j, m, EMPTYING_REFUSED, NULL);

        return kept == TP_OK ? r : kept;
    }
    if (r != TP_OK)
        return tp_error_prefix(e,
                               "it is signed and kept, and the next telepay purse empty sends it");
    r = jcs_text(&record, answer, "acknowledgement", e);
    if (r == TP_OK)
        r = jcs_text(&reference, answer, "reference", e);
    if (r == TP_OK && record == NULL)
        r = tp_fail(e, TP_ERR_PEER,
                    "the purse %s shows no record of it: it is signed and kept, and the next "
                    "telepay purse empty asks again",
                    a->acquirer);
    if (r == TP_OK)
        r = check_record(run, a, m, record, e);
    if (r == TP_OK) {
        snprintf(m->reference, sizeof(m->reference), "%s", reference != NULL ? reference : "");
        word_make_shown(m->reference);
        r = emptyings_settle(j, m, EMPTYING_DONE, e);
    }
    json_decref(answer);
    return r;
}

static void print_done(const struct purse_account *a, const struct emptying *m)
{
    char amount[MONEY_TEXT_MAX];

    printf(_("%s %s leave your account at the purse %s for %s (%s) with its next payout, reference "
             "%s.\n"),
           money_shown(amount, m->amount, (unsigned)a->currency),
           currency_shown((unsigned)a->currency), a->acquirer, m->iban, m->name, m->reference);
}

/* ---- signing ---- */

/* So much, or all that is there. */
static enum tp_err find_amount(struct emptying *m, struct purse_run *run, struct purse_account *a,
                               const struct secret *key, struct tp_error *e)
{
    struct purse_standing standing;
    enum tp_err r;

    if (run->words.amount != NULL)
        return purse_run_amount(&m->amount, run, a, e);
    r = purse_door_standing(&standing, run->fetch, a, key, e);
    m->amount = standing.balance;
    return r != TP_OK || m->amount > 0 ? r : tp_fail(e, TP_ERR_STATE, "there is nothing in it");
}

static enum tp_err agree(const struct purse_run *run, const struct purse_account *a,
                         const struct emptying *m, struct tp_error *e)
{
    struct person *person = NULL;
    char text[512], amount[MONEY_TEXT_MAX];
    bool yes = run->words.yes;
    enum tp_err r = TP_OK;

    if (yes)
        return TP_OK;
    snprintf(text, sizeof(text), _("%s %s from your account at %s to %s\n  of %s\nSend it"),
             money_shown(amount, m->amount, (unsigned)a->currency),
             currency_shown((unsigned)a->currency), a->name, m->iban, m->name);
    r = person_new(&person, &run->words.pay.person, e);
    if (r == TP_OK)
        r = person_agrees(person, text, &yes, e);
    person_free(&person);
    if (r == TP_ERR_USAGE)
        return tp_fail(e, r, "there is no terminal to ask on: --yes; nothing was signed");
    return r != TP_OK || yes ? r : tp_fail(e, TP_ERR_CANCELLED, "not wanted: nothing was signed");
}

static enum tp_err sign(struct emptying *m, struct purse_run *run, const struct purse_account *a,
                        const struct secret *key, struct tp_error *e)
{
    char amount[24], counter_text[24], currency[4], *jws = NULL;
    const struct purse_statement statement = {.acquirer = a->acquirer,
                                              .account = a->account,
                                              .amount = amount,
                                              .currency =
                                                  currency_small(currency, (unsigned)a->currency),
                                              .counter = counter_text,
                                              .iban = m->iban,
                                              .name = m->name};
    int64_t counter = 0;
    enum tp_err r = purses_next(&counter, run->checkout.journal, a->acquirer, e);

    snprintf(amount, sizeof(amount), "%lld", (long long)m->amount);
    snprintf(counter_text, sizeof(counter_text), "%lld", (long long)counter);
    if (r == TP_OK)
        r = purse_statement_write(&jws, PURSE_EMPTYING, &statement, key->p, e);
    if (r == TP_OK) {
        snprintf(m->statement, sizeof(m->statement), "%s", jws);
        m->made = time(NULL);
        r = emptyings_add(run->checkout.journal, m, e);
    }
    free(jws);
    return r;
}

static enum tp_err check_words(struct emptying *m, const struct purse_words *w, struct tp_error *e)
{
    if (w->iban == NULL || w->name == NULL)
        return tp_fail(e, TP_ERR_USAGE,
                       "say where to, and whose bank account it is: --iban IBAN --name NAME");
    if (!iban_read(m->iban, w->iban))
        return tp_fail(e, TP_ERR_USAGE,
                       "--iban: its check digits are wrong, or it is not known as one");
    word_cut(m->name, sizeof(m->name), w->name);
    return word_check(w->name, "--name", 70, e);
}

static enum tp_err empty(struct purse_run *run, struct purse_account *a, struct tp_error *e)
{
    struct emptying m = {.id = 0};
    struct secret key = {0};
    enum tp_err r = emptyings_pending(&m, run->checkout.journal, a->acquirer, e);

    if (r == TP_OK) { /* of before: and no other beside it, which might be meant as the same */
        log_note("what was signed before is sent first; ask again for more");
        r = settle(run, a, &m, e);
        if (r == TP_OK)
            print_done(a, &m);
        return r;
    }
    if (r != TP_ERR_NOT_FOUND)
        return r;
    m = (struct emptying){.id = 0};
    memcpy(m.acquirer, a->acquirer, sizeof(m.acquirer));
    r = check_words(&m, &run->words, e);
    if (r == TP_OK)
        r = purses_unlock(&key, &run->checkout.device, a, e);
    if (r == TP_OK)
        r = find_amount(&m, run, a, &key, e);
    if (r == TP_OK)
        r = agree(run, a, &m, e);
    if (r == TP_OK)
        r = sign(&m, run, a, &key, e);
    secret_free(&key);
    if (r == TP_OK)
        r = settle(run, a, &m, e);
    if (r == TP_OK)
        print_done(a, &m);
    return r;
}

int payer_purse_empty(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"iban", PURSE_IBAN_KEY, "IBAN", 0, N_("the bank account that it goes to"), 0},
        {"name", PURSE_NAME_KEY, "NAME", 0, N_("who holds that"), 0},
        {"yes", PURSE_YES_KEY, NULL, 0, N_("do not ask"), 0},
        PURSE_WORD,
        {0}};
    static const struct argp argp = {options,
                                     purse_words_parse,
                                     N_("[AMOUNT CURRENCY]"),
                                     N_("Send what is in your account at a purse, or so much of "
                                        "it, to a bank account, with the purse's next payout."),
                                     purse_words_children,
                                     NULL,
                                     NULL};
    struct purse_run run;
    struct tp_error e = {0};
    struct purse_account account;
    enum tp_err r = purse_run_begin(&run, &argp, true, argc, argv, &e);

    if (r == TP_OK)
        r = purse_run_account(&account, &run, &e);
    if (r == TP_OK)
        r = empty(&run, &account, &e);
    return purse_run_end(&run, r, &e);
}
