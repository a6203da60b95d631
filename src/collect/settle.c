#include "collect/settle.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/text.h"
#include "base/word.h"

#define STALL_S     60
#define ANSWER_S    60
#define ITEMS_A_S   2000 /* a second more of patience for so many items: the centre checks each */
#define ANSWER_MIN  65536
#define ANSWER_ITEM 512 /* bytes of a refusal in the answer, at most */

/* ---- opening ---- */

enum tp_err collector_open(struct collector *c, const char *dir, struct tp_error *e)
{
    enum tp_err r;

    c->dir = dir;
    c->stall_s = STALL_S;
    c->answer_s = ANSWER_S;
    r = centre_access_load(&c->centre, dir, e);
    if (r == TP_OK)
        r = caaa_schemas_new(&c->schemas, e);
    if (r != TP_OK)
        collector_close(c);
    return r;
}

void collector_close(struct collector *c)
{
    if (c->of != NULL)
        c->books->close(c->of);
    c->of = NULL;
    caaa_schemas_free(&c->schemas);
}

enum tp_err collector_lock(int *lock, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    enum tp_err r = file_join(path, sizeof(path), dir, "collect.lock", e);

    *lock = -1;
    if (r != TP_OK)
        return r;
    *lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*lock < 0)
        return tp_fail(e, TP_ERR_IO, "cannot lock %s: %s", path, strerror(errno));
    if (flock(*lock, LOCK_EX | LOCK_NB) == 0)
        return TP_OK;
    log_note("another run collects for %s: waiting for it", dir);
    while (flock(*lock, LOCK_EX) != 0)
        if (errno != EINTR) {
            r = tp_fail(e, TP_ERR_IO, "cannot lock %s: %s", path, strerror(errno));
            collector_unlock(lock);
            return r;
        }
    return TP_OK;
}

void collector_unlock(int *lock)
{
    if (*lock >= 0)
        close(*lock);
    *lock = -1;
}

/* ---- the document ---- */

struct making {
    struct caaa_writer *writer;
    struct caaa_totals counted;
    struct progress progress;
};

static enum tp_err write_item(void *ctx, const struct caaa_item *item, struct tp_error *e)
{
    struct making *m = ctx;
    const enum tp_err r = caaa_totals_add(&m->counted, item->kind, item->amount);

    progress_at(&m->progress, item->sequence);
    return r == TP_OK ? caaa_transfer_item(m->writer, item, e) : r;
}

static void totals_of(struct caaa_totals *out, const struct remise_totals *t)
{
    *out = (struct caaa_totals){{t->debits, t->credits, t->reversals, 0},
                                {t->debit_amount, t->credit_amount, t->reversal_amount, 0}};
}

static enum tp_err describe(struct collector *c, const struct remise *remise,
                            struct caaa_remise *out, struct tp_error *e)
{
    enum tp_err r;

    *out = (struct caaa_remise){.number = remise->number, .created = remise->closed};
    r = c->books->describe(c->of, remise, out, e);
    if (r != TP_OK)
        return r;
    snprintf(out->acquirer, sizeof(out->acquirer), "%s", c->centre.id);
    snprintf(out->contract, sizeof(out->contract), "%s", remise->contract);
    out->currency = currency_by_numeric(remise->currency);
    totals_of(&out->totals, &remise->totals);
    return out->currency != NULL
               ? TP_OK
               : tp_fail(e, TP_ERR_INTERNAL, "contract %s is in the unknown currency %u",
                         remise->contract, remise->currency);
}

/* The caaa.011 of a closed remise into sink; TP_ERR_SECURITY when its items are not what was frozen
 * at the close. */
enum tp_err settle_document(struct collector *c, const struct remise *remise,
                            const struct caaa_sink *sink, struct tp_error *e)
{
    struct making m = {.writer = NULL};
    struct caaa_remise head;
    enum tp_err r = describe(c, remise, &head, e);

    if (r == TP_OK)
        r = caaa_transfer_begin(&m.writer, sink, &head, e);
    progress_start(&m.progress, (uint64_t)remise->totals.debits + remise->totals.credits,
                   N_("transactions of the remise"));
    if (r == TP_OK)
        r = c->books->items(c->of, remise, write_item, &m, e);
    progress_hide(&m.progress);
    if (r == TP_OK && !caaa_totals_agree(&m.counted, &head.totals))
        r = tp_fail(e, TP_ERR_SECURITY,
                    "the transactions of remise %" PRIu32
                    " of contract %s are not those of its close: run audit",
                    remise->number, remise->contract);
    if (r == TP_OK)
        r = caaa_transfer_end(m.writer, e);
    if (m.writer != NULL)
        caaa_writer_free(&m.writer);
    return r;
}

/* ---- its hash and size, before the first byte leaves ---- */

struct measure {
    EVP_MD_CTX *hash;
    uint64_t size;
};

static enum tp_err measure_write(void *ctx, struct span bytes)
{
    struct measure *m = ctx;

    m->size += bytes.n;
    return EVP_DigestUpdate(m->hash, bytes.p, bytes.n) == 1 ? TP_OK : TP_ERR_INTERNAL;
}

static enum tp_err measure_document(struct collector *c, const struct remise *remise,
                                    struct post_request *request, struct tp_error *e)
{
    struct measure m = {EVP_MD_CTX_new(), 0};
    const struct caaa_sink sink = {measure_write, &m};
    enum tp_err r = TP_OK;

    if (m.hash == NULL || EVP_DigestInit_ex2(m.hash, EVP_sha256(), NULL) != 1)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    if (r == TP_OK)
        r = settle_document(c, remise, &sink, e);
    if (r == TP_OK && EVP_DigestFinal_ex(m.hash, request->hash, NULL) != 1)
        r = tp_fail(e, TP_ERR_INTERNAL, "cannot hash the document");
    request->size = m.size;
    EVP_MD_CTX_free(m.hash);
    return r;
}

/* ---- the answer against the books ---- */

struct reply {
    struct caaa_response response;
    struct remise_refusal *refused;
    size_t n, room, limit;
};

static enum tp_err note_refusal(void *ctx, const struct caaa_refusal *refusal, struct tp_error *e)
{
    struct reply *a = ctx;

    if (a->n >= a->limit)
        return tp_fail(e, TP_ERR_FORMAT, "the centre refuses more items than the remise has");
    if (a->n == a->room) {
        const size_t room = a->room == 0 ? 64 : a->room * 2;
        struct remise_refusal *more = realloc(a->refused, room * sizeof(*more));

        if (more == NULL)
            return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory for %zu refused items", room);
        a->refused = more;
        a->room = room;
    }
    a->refused[a->n].sequence = refusal->sequence;
    snprintf(a->refused[a->n].reason, sizeof(a->refused[a->n].reason), "%s",
             refusal->reason[0] != '\0' ? refusal->reason : "refused");
    a->n++;
    return TP_OK;
}

struct subtraction {
    const struct reply *reply;
    size_t at;
    struct caaa_totals rest; /* what is not refused */
};

static enum tp_err subtract(void *ctx, const struct caaa_item *item, struct tp_error *e)
{
    struct subtraction *s = ctx;

    (void)e;
    if (s->at < s->reply->n && s->reply->refused[s->at].sequence == item->sequence) {
        s->at++;
        return TP_OK;
    }
    return caaa_totals_add(&s->rest, item->kind, item->amount);
}

/* Count and totals of the centre must be ours, without what it refuses (doc/design.md, Remises,
 * rule 3). */
static enum tp_err reconcile(struct collector *c, const struct remise *remise,
                             const struct reply *a, struct tp_error *e)
{
    const struct caaa_totals *theirs = &a->response.totals;
    struct subtraction s = {.reply = a};
    enum tp_err r = TP_OK;

    if (a->n == 0)
        totals_of(&s.rest, &remise->totals);
    else
        r = c->books->items(c->of, remise, subtract, &s, e);
    if (r == TP_OK && s.at != a->n)
        return tp_fail(e, TP_ERR_PEER,
                       "the centre refuses item %" PRIu32 ", which the remise does not have",
                       a->refused[s.at].sequence);
    if (r == TP_OK && !caaa_totals_agree(&s.rest, theirs))
        return tp_fail(e, TP_ERR_PEER,
                       "the centre counts %" PRIu64 " debits of %" PRId64 " and %" PRIu64
                       " credits of %" PRId64 ", the books %" PRIu64 " of %" PRId64 " and %" PRIu64
                       " of %" PRId64 " (minor units)",
                       theirs->count[CAAA_DEBIT], theirs->amount[CAAA_DEBIT],
                       theirs->count[CAAA_CREDIT], theirs->amount[CAAA_CREDIT],
                       s.rest.count[CAAA_DEBIT], s.rest.amount[CAAA_DEBIT],
                       s.rest.count[CAAA_CREDIT], s.rest.amount[CAAA_CREDIT]);
    return r;
}

static enum tp_err is_about(const struct remise *remise, const struct collector *c,
                            const struct caaa_response *r, struct tp_error *e)
{
    if (strcmp(r->contract, remise->contract) != 0 || r->number != remise->number ||
        strcmp(r->acquirer, c->centre.id) != 0 || r->created != remise->closed ||
        r->currency->numeric != remise->currency)
        return tp_fail(e, TP_ERR_PEER,
                       "the centre answers about remise %" PRIu32 " of contract %s, not this one",
                       r->number, r->contract);
    return TP_OK;
}

static enum tp_err book(struct collector *c, const struct remise *remise, const struct reply *a,
                        struct tp_error *e)
{
    char outcome[sizeof(remise->outcome)];

    switch (a->response.result) {
    case CAAA_DECLINED:
        snprintf(outcome, sizeof(outcome), "%.35s%s%.80s", a->response.verdict.reason,
                 a->response.verdict.text[0] != '\0' ? ": " : "", a->response.verdict.text);
        word_make_shown(outcome); /* it may have been cut within a character */
        return c->books->rejected(c->of, remise, outcome, e);
    case CAAA_PARTIAL:
        snprintf(outcome, sizeof(outcome), "accepted but for %zu refused", a->n);
        break;
    default:
        snprintf(outcome, sizeof(outcome), "accepted");
        break;
    }
    return c->books->collected(c->of, remise, a->refused, a->n, outcome, e);
}

static enum tp_err take_answer(struct collector *c, const struct remise *remise,
                               struct spool *answer, bool *alarm, struct tp_error *e)
{
    const struct caaa_source source = {spool_source_read, answer};
    struct reply a = {.limit = (size_t)remise->totals.debits + remise->totals.credits};
    uint8_t hash[SPOOL_HASH];
    enum tp_err r = spool_finish(answer, hash);

    if (r == TP_OK)
        r = spool_rewind(answer);
    if (r == TP_OK)
        r = caaa_response_read(c->schemas, &source, &a.response, note_refusal, &a, e);
    if (r == TP_ERR_FORMAT) { /* nonsense: perhaps cut on the way, so it is asked again */
        (void)tp_error_prefix(e, "the centre's answer is not taken");
        r = TP_ERR_PEER;
        if (e != NULL)
            e->code = r;
        goto out;
    }
    *alarm = true; /* from here on asking again would say the same */
    if (r == TP_OK)
        r = is_about(remise, c, &a.response, e);
    if (r == TP_OK && a.response.result != CAAA_DECLINED)
        r = reconcile(c, remise, &a, e);
    if (r == TP_OK)
        r = book(c, remise, &a, e);
    *alarm = r != TP_OK;
out:
    free(a.refused);
    return r;
}

/* A status without a caaa.012: its text says why. */
static enum tp_err refused_by_status(long status, struct spool *answer, bool *alarm,
                                     struct tp_error *e)
{
    uint8_t text[301] = {0}, hash[SPOOL_HASH];
    size_t n = 0;

    if (spool_finish(answer, hash) == TP_OK && spool_rewind(answer) == TP_OK &&
        spool_read(answer, text, sizeof(text) - 1, &n) != TP_OK)
        n = 0;
    text[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if (text[i] < ' ' || text[i] == 0x7F)
            text[i] = i + 1 == n ? '\0' : ' ';
    *alarm = status < 500; /* 5xx: later perhaps */
    if (status == 403 || status == 409 || status == 401)
        return tp_fail(e, TP_ERR_SECURITY, "the centre refuses (%ld): %s", status, (char *)text);
    return tp_fail(e, TP_ERR_PEER, "the centre %s (%ld): %s",
                   status < 500 ? _("refuses") : _("cannot take it now"), status, (char *)text);
}

/* ---- one exchange ---- */

static enum tp_err exchange(struct collector *c, const struct remise *remise,
                            struct post_request *request, bool *alarm, struct tp_error *e)
{
    const uint64_t items = (uint64_t)remise->totals.debits + remise->totals.credits;
    struct spool *answer = NULL;
    struct post *post = NULL;
    long status = 0;
    enum tp_err r = spool_new(&answer, c->dir, e);

    request->answer_s = c->answer_s + (int)(items / ITEMS_A_S);
    if (r == TP_OK)
        r = post_new(&post, &c->centre, request, answer, ANSWER_MIN + items * ANSWER_ITEM, e);
    if (r == TP_OK) {
        const struct caaa_sink sink = {post_sink_write, post};

        r = settle_document(c, remise, &sink, e);
        if (r == TP_ERR_CANCELLED) /* the exchange ended early: how, post_finish says */
            r = TP_OK;
    }
    if (r == TP_OK)
        r = post_finish(post, &status, e);
    if (r == TP_OK)
        r = status == 200 ? take_answer(c, remise, answer, alarm, e)
                          : refused_by_status(status, answer, alarm, e);
    post_free(&post);
    spool_free(&answer);
    return r;
}

enum tp_err settle_remise(struct collector *c, struct remise *remise, bool *alarm,
                          struct tp_error *e)
{
    struct post_request request = {
        .contract = remise->contract, .number = remise->number, .stall_s = c->stall_s};
    enum tp_err r = c->books->get(c->of, remise->contract, remise->number, remise, e);

    *alarm = false;
    if (r != TP_OK || remise->state == REMISE_COLLECTED || remise->state == REMISE_REJECTED)
        return r;
    if (remise->state == REMISE_OPEN)
        return tp_fail(e, TP_ERR_STATE,
                       "remise %" PRIu32 " of contract %s is still open: close it first",
                       remise->number, remise->contract);
    r = measure_document(c, remise, &request, e);
    if (r == TP_OK)
        r = c->books->submitted(c->of, remise, request.hash, e);
    if (r != TP_OK) { /* the books themselves are amiss */
        *alarm = true;
        return r;
    }
    r = exchange(c, remise, &request, alarm, e);
    if (r != TP_OK && r != TP_ERR_PEER && r != TP_ERR_TIMEOUT)
        *alarm = true;
    if (r == TP_OK)
        r = c->books->get(c->of, remise->contract, remise->number, remise, e);
    return r;
}
