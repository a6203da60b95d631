#include "payer/rerun.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/log.h"
#include "drivers/replay.h"
#include "payer/trace.h"

#define SHOWN 100 /* bytes of a command that differs */

struct run { /* all that a replay holds while it lasts */
    const char *path;
    struct pay_result *result;
    struct rerun *rerun;
    const struct transcript *transcript;
    const struct rerun_watch *watch; /* NULL: nobody follows */
    bool cut;                        /* and the transcript does not say how it ended */
    struct transaction_request request;
    uint8_t only[16];
    struct rerun_recorded recorded;
    struct replay replay;
    struct reader *reader;
    size_t pins, choices, onlines, spents, exceptions; /* facts used up */
    struct tp_error ended;                             /* a callback ended the run */
};

/* ---- differences ---- */

/* In hex; a long one is cut. */
static char *shortened(char out[2 * SHOWN + 4], const struct masked *m)
{
    const struct masked part = {m->value, m->hidden, m->n < SHOWN ? m->n : SHOWN};

    masked_text(out, &part);
    if (m->n > SHOWN)
        memcpy(out + 2 * SHOWN, "...", 4);
    return out;
}

static void tell(void *ctx, const struct replay_difference *d)
{
    static const uint8_t nothing_hidden[SHOWN];
    const struct run *p = ctx;
    const struct masked sent = {d->sent.p, nothing_hidden,
                                d->sent.n}; /* no more of it than that is looked at */
    char then[2 * SHOWN + 4], now[2 * SHOWN + 4];

    if (p->cut)
        return;
    switch (d->kind) {
    case REPLAY_DATA:
        log_note("%s, line %u: the command was %s, now it is %s; answered as then", p->path,
                 d->recorded->line, shortened(then, &d->recorded->command), shortened(now, &sent));
        break;
    case REPLAY_SKIPPED:
        log_note("%s, line %u: the command %s of then is not sent now", p->path, d->recorded->line,
                 shortened(then, &d->recorded->command));
        break;
    case REPLAY_NOT_RECORDED:
        log_note("%s: the command %s of now was not sent then", p->path, shortened(now, &sent));
        break;
    }
}

/* ---- where a cut transcript ends ---- */

static bool at_end(const struct run *p)
{
    return p->cut && transcript_at(p->transcript, p->replay.at) == NULL;
}

static bool goes_on(void *ctx)
{
    return !at_end(ctx);
}

/* A fact that would stand behind the end. */
static enum tp_err end_of_cut(struct run *p)
{
    return tp_fail(&p->ended, TP_ERR_STATE, "%s ends here", p->path);
}

static void plays(void *ctx, const struct transcript_exchange *x)
{
    const struct run *p = ctx;

    if (p->watch != NULL)
        p->watch->plays(p->watch->kernel.ctx, x);
}

/* ---- what person and acquirer said ---- */

static int choose(void *ctx, const struct candidate *list, size_t n)
{
    struct run *p = ctx;
    const struct transcript_fact *f = transcript_fact(p->transcript, "choice", p->choices++);
    const long choice = f != NULL ? strtol(f->value, NULL, 10) : 0;

    (void)list;
    if (f == NULL)
        log_note(
            "%s: the person is asked for an application now, and was not then: the first is taken",
            p->path);
    return choice >= 0 && choice < (long)n ? (int)choice : -1;
}

/* A PIN that is none in particular: what is made of it goes nowhere, and matches what was recorded
 * whatever it is. */
static enum tp_err pin(void *ctx, unsigned tries_left, bool wrong_before, struct secret *out)
{
    struct run *p = ctx;
    const struct transcript_fact *f = transcript_fact(p->transcript, "pin", p->pins++);

    (void)tries_left;
    (void)wrong_before;
    if (f == NULL && at_end(p))
        return end_of_cut(p);
    if (f == NULL) {
        log_note("%s: the person is asked for a PIN now, and was not then: goes on without",
                 p->path);
        return TP_ERR_CANCELLED;
    }
    if (strcmp(f->value, "entered") == 0)
        return secret_copy(out, span_str("0000"));
    if (strcmp(f->value, "no PIN") == 0)
        return secret_copy(out, span_str("0"));
    if (strcmp(f->value, "bypassed") == 0)
        return TP_ERR_CANCELLED;
    if (strcmp(f->value, "no pad") == 0)
        return TP_ERR_NOT_FOUND;
    (void)tp_fail(&p->ended, TP_ERR_CANCELLED,
                  "the person left at the PIN, as recorded in line %u of %s", f->line, p->path);
    return TP_ERR_STATE; /* to the kernel, "cancelled" is one who goes on without */
}

/* GET DATA of the tries left: where the card was asked then, it is now. */
static bool asks_tries(const struct transcript *t)
{
    static const uint8_t wanted[] = {0x80, 0xCA, 0x9F, 0x17};
    const struct transcript_exchange *x;

    for (size_t i = 0; (x = transcript_at(t, i)) != NULL; i++)
        if (x->command.n >= sizeof(wanted) && memcmp(x->command.value, wanted, sizeof(wanted)) == 0)
            return true;
    return false;
}

static enum tp_err authorise(void *ctx, const struct transaction *tx,
                             struct kernel_issuer_answer *out)
{
    struct run *p = ctx;
    bool failed = true;
    const struct transcript_fact *f = transcript_fact(p->transcript, "online", p->onlines);
    enum tp_err r = rerun_online(out, &failed, p->transcript, p->onlines++, &p->ended);

    (void)tx;
    if (r == TP_OK && f == NULL)
        r = tp_fail(&p->ended, TP_ERR_PEER, "%s: the acquirer is asked now, and was not then",
                    p->path);
    else if (r == TP_OK && failed)
        r = tp_fail(&p->ended, TP_ERR_PEER,
                    "the acquirer could not be asked, as recorded in line %u of %s", f->line,
                    p->path);
    return r;
}

static enum tp_err memory_failed(struct run *p, const struct transcript_fact *f)
{
    if (f == NULL && at_end(p))
        return end_of_cut(p);
    if (f == NULL || strcmp(f->value, "failed") != 0)
        return TP_OK;
    return tp_fail(&p->ended, TP_ERR_IO,
                   "the terminal's memory failed, as recorded in line %u of %s", f->line, p->path);
}

static enum tp_err spent(void *ctx, const char *pan, int psn, uint16_t currency, int64_t *amount)
{
    struct run *p = ctx;
    const struct transcript_fact *f = transcript_fact(p->transcript, "spent", p->spents++);

    (void)pan;
    (void)psn;
    (void)currency;
    *amount = f != NULL ? strtoll(f->value, NULL, 10) : 0;
    return memory_failed(p, f);
}

static enum tp_err on_exception_file(void *ctx, const char *pan, int psn, bool *hit)
{
    struct run *p = ctx;
    const struct transcript_fact *f = transcript_fact(p->transcript, "exception", p->exceptions++);

    (void)pan;
    (void)psn;
    *hit = f != NULL && strcmp(f->value, "yes") == 0;
    return memory_failed(p, f);
}

/* ---- the run ---- */

static void copy(char *out, size_t cap, const char *text)
{
    snprintf(out, cap, "%s", text != NULL ? text : "");
}

/* Before anything is run: a transcript that does not say how the payment ended is not whole. */
static enum tp_err take_then(struct run *p, struct tp_error *e)
{
    static const char *const outcomes[] = {"approved", "declined", "not accepted", "terminated",
                                           "error"};
    const struct transcript_fact *f = transcript_fact(p->transcript, "outcome", 0);
    struct rerun_word *w = &p->rerun->then;

    copy(w->outcome, sizeof(w->outcome), f != NULL ? f->value : NULL);
    copy(w->reason, sizeof(w->reason), transcript_value(p->transcript, "reason"));
    copy(w->authentication, sizeof(w->authentication),
         transcript_value(p->transcript, "authentication"));
    copy(w->result, sizeof(w->result), transcript_value(p->transcript, "result"));
    for (size_t i = 0; f != NULL && i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
        if (strcmp(f->value, outcomes[i]) == 0)
            return TP_OK;
    if (p->watch != NULL) {
        p->cut = true;
        w->outcome[0] = '\0';
        return TP_OK;
    }
    if (f != NULL)
        return tp_fail(e, TP_ERR_FORMAT,
                       "%s, line %u: \"%s\" is no outcome of a payment: cut short?", p->path,
                       f->line, f->value);
    return tp_fail(
        e, TP_ERR_FORMAT,
        "%s, line %u: it ends without \"outcome\": cut short, or not the transcript of a payment",
        p->path, transcript_lines(p->transcript));
}

static void take_now(struct run *p, enum tp_err r, const struct tp_error *e)
{
    struct rerun_word *w = &p->rerun->now;
    const struct transaction *tx = p->result->tx;

    copy(w->outcome, sizeof(w->outcome),
         r == TP_OK ? trace_outcome_name(transaction_outcome(tx)) : "error");
    copy(w->reason, sizeof(w->reason), r == TP_OK ? transaction_reason(tx) : e->text);
    if (tx == NULL)
        return;
    trace_authentication(w->authentication, tx);
    trace_result(w->result, tx);
}

static struct span get(const void *tx, uint32_t tag)
{
    return transaction_get(tx, tag);
}

static void fill_receipt(struct run *p)
{
    struct receipt *r = &p->result->receipt;
    const struct transaction *tx = p->result->tx;
    const struct candidate *c = transaction_application(tx);
    const struct kernel_authentication *a = transaction_authentication(tx);
    const bool approved = transaction_outcome(tx) == KERNEL_APPROVED;

    receipt_fill(r, p->result->terminal, &p->request, get, tx);
    r->state = approved ? PAYMENT_REPLAYED : PAYMENT_DECLINED;
    r->stan = p->request.counter;
    if (c != NULL)
        memcpy(r->label, c->label, sizeof(r->label));
    if (a->ok)
        snprintf(r->method, sizeof(r->method), "%s", kernel_method_name(a->method));
    if (!approved)
        snprintf(r->reason, sizeof(r->reason), "%s", transaction_reason(tx));
    p->result->has_receipt = true;
    p->result->exit = approved ? CLI_DONE : a->failed_at != NULL ? CLI_SECURITY : CLI_DECLINED;
}

static enum tp_err read_transcript(struct run *p, struct tp_error *e)
{
    enum tp_err r;

    if ((r = take_then(p, e)) != TP_OK ||
        (r = rerun_terminal(&p->result->terminal, p->transcript, e)) != TP_OK ||
        (r = rerun_request(&p->request, p->only, p->transcript, e)) != TP_OK ||
        (r = rerun_recorded(&p->recorded, p->transcript, e)) != TP_OK)
        return r;
    p->rerun->masked = transcript_masked(p->transcript);
    if (p->rerun->masked)
        p->result->terminal->kernel.recorded = &p->recorded.kernel;
    return TP_OK;
}

static enum tp_err run(struct run *p, struct tp_error *e)
{
    struct kernel_person person = {.ctx = p, .pin = pin};
    const struct kernel_online online = {.ctx = p, .authorise = authorise};
    const struct kernel_memory memory = {p, spent, on_exception_file};
    enum tp_err r = read_transcript(p, e);

    if (r != TP_OK)
        return r;
    if (transcript_fact(p->transcript, "choice", 0) !=
        NULL) /* where nobody chose then, nobody does now */
        person.choose = choose;
    person.tries_untold = !asks_tries(p->transcript);
    p->replay =
        (struct replay){.transcript = p->transcript, .differs = tell, .plays = plays, .ctx = p};
    if ((r = replay_open(&p->reader, &p->replay, e)) != TP_OK ||
        (r = reader_connect(p->reader, e)) != TP_OK)
        return r;
    reader_set_goes_on(p->reader, goes_on, p);
    p->result->terminal->kernel.memory = &memory;
    p->result->terminal->kernel.watch = p->watch != NULL ? &p->watch->kernel : NULL;
    r = kernel_run(&p->result->tx, p->reader, &p->result->terminal->kernel, &p->request, &person,
                   &online, e);
    if (r != TP_OK && p->ended.code != TP_OK) {
        *e = p->ended;
        r = p->ended.code;
    }
    replay_finish(&p->replay);
    p->rerun->differences = p->replay.differences;
    p->result->counts = reader_counts(p->reader);
    p->result->terminal->kernel.recorded = NULL; /* these do not live as long */
    p->result->terminal->kernel.memory = NULL;
    p->result->terminal->kernel.watch = NULL;
    take_now(p, r, e);
    if (r == TP_OK)
        fill_receipt(p);
    return r;
}

void rerun_followed(struct pay_result *result, struct rerun *rerun, const struct transcript *t,
                    const struct rerun_watch *watch)
{
    struct run p = {.path = transcript_name(t),
                    .result = result,
                    .rerun = rerun,
                    .transcript = t,
                    .watch = watch};
    enum tp_err r;

    memset(result, 0, sizeof(*result));
    memset(rerun, 0, sizeof(*rerun));
    r = run(&p, &result->error);
    if (r != TP_OK) {
        result->error.code = r;
        result->exit = (enum cli_exit)cli_exit_of(r);
    }
    reader_close(&p.reader);
    rerun_recorded_free(&p.recorded);
}

void rerun_payment(struct pay_result *result, struct rerun *rerun, const char *path)
{
    struct transcript *t;
    struct tp_error e = {TP_OK, ""};
    const enum tp_err r = transcript_load(&t, path, &e);

    if (r == TP_OK) {
        rerun_followed(result, rerun, t, NULL);
        transcript_free(&t);
        return;
    }
    memset(result, 0, sizeof(*result));
    memset(rerun, 0, sizeof(*rerun));
    result->error = e;
    result->error.code = r;
    result->exit = (enum cli_exit)cli_exit_of(r);
}

/* A trace by hand may not say. */
static bool same_or_unsaid(const char *then, const char *now)
{
    return then[0] == '\0' || strcmp(then, now) == 0;
}

bool rerun_same(const struct rerun *r)
{
    return r->differences == 0 && strcmp(r->then.outcome, r->now.outcome) == 0 &&
           same_or_unsaid(r->then.authentication, r->now.authentication) &&
           same_or_unsaid(r->then.result, r->now.result);
}
