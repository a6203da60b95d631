/* The line to an acquirer of cards: what it is asked, again until it has answered. */
#include <inttypes.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"
#include "mediator/asked.h"
#include "mediator/visit.h"
#include "wire/answer.h"
#include "wire/link_line.h"
#include "wire/mediation.h"

#define TICK_MS        20
#define CONNECT_MS     10000
#define FIRST_PAUSE_MS 250
#define LAST_PAUSE_MS  15000
#define ECHO_MS        30000 /* of silence before an echo */
#define SILENT_MS      15000 /* without an answer: it is not known what became of it */
#define AGAIN_MS       5000  /* before the same is asked again … */
#define AGAIN_MAX_MS   60000 /* … and then after longer and longer pauses */
#define SLOTS          1024

#define MESSAGE_MAX 16384

struct ask { /* one message that waits for its answer */
    LIST_ENTRY(ask) next;
    unsigned answer; /* the type of message that answers it */
    struct asked of;
    uint8_t hash[32], sealed[32]; /* of a 0600: as struct card_question */
    uint32_t stan, day;           /* of its number: MMDD */
    bool told;                    /* that it is silent */
    int64_t since, due, pause;
    size_t size;
    uint8_t raw[];
};
LIST_HEAD(asks, ask);

struct line {
    struct mediator *m;
    const struct reg_acquirer *acquirer;
    SSL_CTX *tls;
    struct link_line *link;
    atomic_bool up; /* it has answered on this connection */
    bool connected, complained;
    int64_t heard, echo_until;
    struct asks slot[SLOTS]; /* by number; the line's thread's */
    struct iso8583 message, answer;
    uint8_t objects[MEDIATION_MAX];
    uint8_t room[MESSAGE_MAX];
    pthread_mutex_t lock;
    struct asks posted; /* under lock */
    uint32_t proofs;    /* DE 11 of the last 0600; under lock */
};

/* ---- messages ---- */

static void start(struct iso8583 *m, unsigned mti, const struct orderbook_order *o,
                  const struct orderbook_attempt *a, uint32_t stan, time_t sent)
{
    iso8583_start(m, mti);
    iso8583_set_number(m, 4, (uint64_t)o->amount);
    iso8583_set_instant(m, sent);
    iso8583_set_number(m, 11, stan);
    iso8583_set_number(m, 12, (uint64_t)(a->local_time % 1000000));
    iso8583_set_number(m, 13, (uint64_t)(a->local_time / 1000000 % 10000));
    iso8583_set_text(m, 41, a->terminal);
    iso8583_set_text(m, 42, a->contract);
    iso8583_set_number(m, 49, o->currency);
}

static enum tp_err pack_question(struct buf *out, const struct orderbook_order *o,
                                 const struct orderbook_attempt *a, struct tp_error *e)
{
    struct iso8583 *m = calloc(1, sizeof(*m));
    uint8_t *room = malloc(MEDIATION_MAX);
    struct buf objects = {room, 0, MEDIATION_MAX};
    const struct mediation what = {.challenge = span_str(a->challenge),
                                   .transaction = span_str(a->pays),
                                   .device = span_str(a->beside != NULL ? a->beside : "")};
    enum tp_err r = TP_OK;

    if (m == NULL || room == NULL) {
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a message");
        goto out;
    }
    start(m, MTI_FINANCIAL, o, a, a->stan, a->sent);
    iso8583_set_number(m, 3, 0);
    r = mediation_put(m, &objects, &what);
    r = r == TP_OK ? iso8583_pack(out, m, e)
                   : tp_fail(e, r, "what pays is too large for a message to the acquirer");
out:
    free(room);
    free(m);
    return r;
}

static enum tp_err pack_reversal(struct buf *out, const struct orderbook_order *o,
                                 const struct orderbook_attempt *a, struct tp_error *e)
{
    struct iso8583 *m = calloc(1, sizeof(*m));
    const time_t sent = a->sent;
    struct tm utc;
    char original[64];
    enum tp_err r;

    if (m == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a message");
    start(m, MTI_REVERSAL, o, a, a->reversal_stan, time(NULL));
    gmtime_r(&sent, &utc);
    snprintf(original, sizeof(original), "0200%06" PRIu32 "%02d%02d%02d%02d%02d%022d", a->stan,
             utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, 0);
    iso8583_set_text(m, 90, original);
    r = iso8583_pack(out, m, e);
    free(m);
    return r;
}

static enum tp_err pack_proof(struct buf *out, const struct card_question *q, uint32_t stan,
                              struct tp_error *e)
{
    struct iso8583 *m = calloc(1, sizeof(*m));
    uint8_t *room = malloc(MEDIATION_MAX);
    struct buf objects = {room, 0, MEDIATION_MAX};
    const struct mediation what = {.request = span_str(q->request),
                                   .evidence = span_str(q->evidence)};
    enum tp_err r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a message");

    if (m != NULL && room != NULL) {
        iso8583_start(m, MTI_ADMINISTRATIVE);
        iso8583_set_instant(m, time(NULL));
        iso8583_set_number(m, 11, stan);
        iso8583_set_text(m, 41, q->contract->terminal);
        iso8583_set_text(m, 42, q->contract->id);
        r = mediation_put(m, &objects, &what);
        r = r == TP_OK ? iso8583_pack(out, m, e)
                       : tp_fail(e, r, "what the card signed is too large for its acquirer");
    }
    free(room);
    free(m);
    return r;
}

/* ---- what is posted to the line ---- */

static void hand_over(struct line *l, struct ask *k)
{
    pthread_mutex_lock(&l->lock);
    LIST_INSERT_HEAD(&l->posted, k, next);
    pthread_mutex_unlock(&l->lock);
    link_line_wake(l->link);
}

static void post(struct line *l, bool reversal, const struct orderbook_order *o,
                 const struct orderbook_attempt *a)
{
    uint8_t *room = malloc(MESSAGE_MAX);
    struct buf raw = {room, 0, MESSAGE_MAX};
    struct tp_error e = {TP_ERR_NO_MEMORY, "no memory for a message"};
    struct ask *k = NULL;
    enum tp_err r = room == NULL ? TP_ERR_NO_MEMORY
                    : reversal   ? pack_reversal(&raw, o, a, &e)
                                 : pack_question(&raw, o, a, &e);

    if (r == TP_OK)
        k = calloc(1, sizeof(*k) + raw.n);
    if (k != NULL) {
        k->answer = reversal ? MTI_REVERSAL_RESPONSE : MTI_FINANCIAL_RESPONSE;
        k->size = raw.n;
        k->stan = reversal ? a->reversal_stan : a->stan;
        k->day = (uint32_t)(a->local_time / 1000000 % 10000);
        memcpy(k->raw, raw.p, raw.n);
        r = asked_fill(&k->of, o, a, &e);
    }
    free(room);
    if (k == NULL || r != TP_OK) {
        log_error("order %s cannot be brought to its acquirer now: %s", o->id, e.text);
        free(k);
        clock_set(l->m, o->id, EVENT_GO_ON, a->n, AGAIN_MS, 0);
        return;
    }
    hand_over(l, k);
}

void line_ask(struct line *l, const struct orderbook_order *o, const struct orderbook_attempt *a)
{
    post(l, false, o, a);
}

void line_reverse(struct line *l, const struct orderbook_order *o,
                  const struct orderbook_attempt *a)
{
    post(l, true, o, a);
}

static uint32_t next_proof(struct line *l)
{
    uint32_t n;

    pthread_mutex_lock(&l->lock);
    n = l->proofs = l->proofs % 999999 + 1;
    pthread_mutex_unlock(&l->lock);
    return n;
}

bool line_prove(struct line *l, const struct card_question *q, struct visit *v, struct tp_error *e)
{
    uint8_t *room = malloc(MESSAGE_MAX);
    struct buf raw = {room, 0, MESSAGE_MAX};
    const uint32_t stan = next_proof(l);
    struct ask *k = NULL;
    enum tp_err r = room != NULL ? pack_proof(&raw, q, stan, e)
                                 : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a message");

    if (r == TP_OK) {
        k = calloc(1, sizeof(*k) + raw.n);
        if (k == NULL)
            r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a message");
    }
    if (k != NULL) {
        k->answer = MTI_ADMINISTRATIVE_RESPONSE;
        k->stan = stan;
        k->size = raw.n;
        memcpy(k->raw, raw.p, raw.n);
        memcpy(k->hash, q->hash, sizeof(k->hash));
        memcpy(k->sealed, q->sealed, sizeof(k->sealed));
        snprintf(k->of.id, sizeof(k->of.id), "%s", q->id);
        snprintf(k->of.contract, sizeof(k->of.contract), "%s", q->contract->id);
        visit_wait_card(v); /* before the answer can be there */
        hand_over(l, k);
    }
    free(room);
    return r == TP_OK;
}

/* ---- slots ---- */

static struct ask *find(struct line *l, unsigned answer, const char *contract, uint32_t stan,
                        uint32_t day)
{
    struct ask *k;

    LIST_FOREACH (k, &l->slot[stan % SLOTS], next)
        if (k->stan == stan && k->day == day && k->answer == answer &&
            strcmp(k->of.contract, contract) == 0)
            return k;
    return NULL;
}

static struct ask *next_posted(struct line *l)
{
    struct ask *k;

    pthread_mutex_lock(&l->lock);
    k = LIST_FIRST(&l->posted);
    if (k != NULL)
        LIST_REMOVE(k, next);
    pthread_mutex_unlock(&l->lock);
    return k;
}

static void take_posted(struct line *l)
{
    struct ask *k;

    while ((k = next_posted(l)) != NULL) {
        if (find(l, k->answer, k->of.contract, k->stan, k->day) != NULL) { /* is asked already */
            free(k);
            continue;
        }
        k->since = k->due = time_monotonic_ms();
        k->pause = AGAIN_MS;
        LIST_INSERT_HEAD(&l->slot[k->stan % SLOTS], k, next);
    }
}

/* The question whose outcome nobody waits for any more: it is being reversed. */
static void forget_question(struct line *l, const struct ask *reversal)
{
    for (size_t i = 0; i < SLOTS; i++) {
        struct ask *k = LIST_FIRST(&l->slot[i]), *next;

        for (; k != NULL; k = next) {
            next = LIST_NEXT(k, next);
            if (k->answer == MTI_FINANCIAL_RESPONSE && k->of.n == reversal->of.n &&
                strcmp(k->of.id, reversal->of.id) == 0) {
                LIST_REMOVE(k, next);
                free(k);
            }
        }
    }
}

static const char *what_of(const struct ask *k)
{
    return k->answer == MTI_ADMINISTRATIVE_RESPONSE ? "request" : "order";
}

static void send_ask(struct line *l, struct ask *k, int64_t now)
{
    if (link_line_send(l->link, span_of(k->raw, k->size)) != TP_OK)
        return;
    log_trace("F  %s %s: %02X%02X to the acquirer %s", what_of(k), k->of.id, k->raw[0], k->raw[1],
              l->acquirer->id);
    if (k->answer != MTI_ADMINISTRATIVE_RESPONSE)
        k->raw[1] |= 0x01; /* 0200 → 0201, 0400 → 0401: from now on it is a repeat */
    k->due = now + k->pause;
    k->pause = 2 * k->pause < AGAIN_MAX_MS ? 2 * k->pause : AGAIN_MAX_MS;
}

static void tell_silent(struct line *l, struct ask *k)
{
    struct job *j = move_job(EVENT_SILENT, k->of.id);

    k->told = true;
    if (j == NULL)
        return;
    j->move.n = k->of.n;
    keeper_take(l->m, j);
}

/* ---- answers ---- */

static enum tp_err take_text(char **out, struct span value)
{
    if (value.n == 0)
        return TP_OK;
    *out = span_text(value);
    return *out != NULL ? TP_OK : TP_ERR_NO_MEMORY;
}

static enum tp_err read_answer(struct line *l, const struct ask *k, struct move *m,
                               struct tp_error *e)
{
    struct buf room = BUF_OF(l->objects);
    struct mediation said = {.completes = false};
    struct wire_answer a;
    enum tp_err r = wire_answer_read(&a, &l->answer, e);

    if (r != TP_OK)
        return r;
    m->n = k->of.n;
    m->said.outcome = asked_outcome(a.code);
    snprintf(m->said.code, sizeof(m->said.code), "%s", a.code);
    snprintf(m->said.reason, sizeof(m->said.reason), "%s", a.reason);
    snprintf(m->said.rrn, sizeof(m->said.rrn), "%s", a.rrn);
    if (mediation_is_there(&l->answer) && mediation_read(&said, &room, &l->answer, false) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT, "its objects cannot be read");
    m->said.completion = said.completes;
    if (take_text(&m->said.acknowledgement, said.acknowledgement) != TP_OK ||
        take_text(&m->said.answer, said.answer) != TP_OK)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for it");
    return asked_check(&k->of, m, l->acquirer, e);
}

/* An answer that cannot be used is none: it is asked again. */
static void on_answered(struct line *l, struct ask *k)
{
    struct job *j = move_job(EVENT_ANSWER, k->of.id);
    struct tp_error e = {TP_OK, ""};

    if (j == NULL)
        return;
    if (read_answer(l, k, &j->move, &e) != TP_OK) {
        log_error("acquirer %s: its answer for order %s cannot be used: %s", l->acquirer->id,
                  k->of.id, e.text);
        move_free(&j->move);
        free(j);
        return;
    }
    LIST_REMOVE(k, next);
    free(k);
    keeper_take(l->m, j);
}

static void on_reversed(struct line *l, struct ask *k)
{
    struct wire_answer a;
    struct tp_error e = {TP_OK, ""};
    struct job *j;

    if (wire_answer_read(&a, &l->answer, &e) != TP_OK || asked_outcome(a.code) == OUTCOME_VAIN)
        return; /* it is told again */
    j = move_job(wire_answer_is_yes(&a) ? EVENT_REVERSED : EVENT_UNREVERSED, k->of.id);
    if (j == NULL)
        return;
    j->move.n = k->of.n;
    snprintf(j->move.why, sizeof(j->move.why), "the acquirer does not reverse it: %s %s", a.code,
             a.reason);
    LIST_REMOVE(k, next);
    free(k);
    keeper_take(l->m, j);
}

/* What cannot be read has no card, which is told as what it is. */
static void on_proved(struct line *l, struct ask *k)
{
    struct buf room = BUF_OF(l->objects);
    struct mediation said = {.completes = false};
    struct wire_answer a;
    struct tp_error e = {TP_OK, ""};

    if (wire_answer_read(&a, &l->answer, &e) != TP_OK)
        wire_answer_set(&a, "00", NULL);
    else if (mediation_is_there(&l->answer) &&
             mediation_read(&said, &room, &l->answer, false) != TP_OK)
        said = (struct mediation){.completes = false};
    const struct card_said card = {.id = k->of.id,
                                   .contract = k->of.contract,
                                   .request = k->hash,
                                   .sealed = k->sealed,
                                   .acquirer = l->acquirer,
                                   .code = a.code,
                                   .reason = a.reason,
                                   .card = said.card};

    LIST_REMOVE(k, next);
    visit_card_said(l->m, &card);
    free(k);
}

static void on_message(void *ctx, struct span raw)
{
    struct line *l = ctx;
    struct tp_error e = {TP_OK, ""};
    char contract[BOOK_CONTRACT_MAX] = "";
    uint64_t stan = 0, day = 0; /* an answer to an echo has no day */
    struct ask *k;

    l->heard = time_monotonic_ms();
    if (iso8583_unpack(&l->answer, raw, &e) != TP_OK ||
        iso8583_number(&l->answer, 11, &stan) != TP_OK ||
        iso8583_text(&l->answer, 42, contract, sizeof(contract)) != TP_OK) {
        log_error("acquirer %s: a message that cannot be read: %s", l->acquirer->id, e.text);
        link_line_drop(l->link, "it sends nonsense");
        return;
    }
    if (iso8583_has(&l->answer, 13) && iso8583_number(&l->answer, 13, &day) != TP_OK)
        day = 0;
    if (!atomic_exchange(&l->up, true))
        log_note("acquirer %s is reached", l->acquirer->id);
    l->complained = false;
    l->echo_until = 0;
    k = find(l, l->answer.mti, contract, (uint32_t)stan, (uint32_t)day);
    if (k == NULL)
        return;
    log_trace("G  %s %s: %04u of the acquirer %s", what_of(k), k->of.id, l->answer.mti,
              l->acquirer->id);
    if (k->answer == MTI_FINANCIAL_RESPONSE)
        on_answered(l, k);
    else if (k->answer == MTI_REVERSAL_RESPONSE)
        on_reversed(l, k);
    else
        on_proved(l, k);
}

/* ---- up and down ---- */

/* Asks how it is, as the terminal of any of its contracts. */
static void echo(struct line *l)
{
    struct buf out = BUF_OF(l->room);
    struct tp_error e = {TP_OK, ""};
    const struct reg_contract *c = registry_contract_of(l->m->registry, l->acquirer);

    if (c == NULL)
        return;
    iso8583_start(&l->message, MTI_NETWORK);
    iso8583_set_instant(&l->message, time(NULL));
    iso8583_set_number(&l->message, 11, 0);
    iso8583_set_text(&l->message, 41, c->terminal);
    iso8583_set_text(&l->message, 42, c->id);
    iso8583_set_number(&l->message, 70, 301);
    if (iso8583_pack(&out, &l->message, &e) == TP_OK &&
        link_line_send(l->link, buf_span(&out)) == TP_OK)
        l->echo_until = time_monotonic_ms() + SILENT_MS;
}

static void on_up(void *ctx)
{
    struct line *l = ctx;
    struct ask *k;

    l->connected = true;
    l->heard = time_monotonic_ms();
    echo(l);
    for (size_t i = 0; i < SLOTS; i++)
        LIST_FOREACH (k, &l->slot[i], next) {
            k->due = 0;
            k->pause = AGAIN_MS;
        }
}

static void on_down(void *ctx, const struct tp_error *e)
{
    struct line *l = ctx;

    if (atomic_exchange(&l->up, false) || !l->complained)
        log_error("acquirer %s is not reached: %s", l->acquirer->id, e->text);
    l->complained = true;
    l->connected = false;
    l->echo_until = 0;
}

static void on_tick(void *ctx)
{
    struct line *l = ctx;
    const int64_t now = time_monotonic_ms();
    struct ask *k;

    take_posted(l);
    for (size_t i = 0; i < SLOTS; i++)
        LIST_FOREACH (k, &l->slot[i], next) {
            if (k->answer == MTI_REVERSAL_RESPONSE && !k->told) {
                k->told = true;
                forget_question(l, k);
                break; /* the list is another now: the rest at the next tick */
            }
            if (k->answer == MTI_ADMINISTRATIVE_RESPONSE && now - k->since >= SILENT_MS) {
                LIST_REMOVE(k, next);
                free(k);
                break; /* as above */
            }
            if (k->answer == MTI_FINANCIAL_RESPONSE && !k->told && now - k->since >= SILENT_MS)
                tell_silent(l, k);
            if (l->connected && now >= k->due)
                send_ask(l, k, now);
        }
    if (l->echo_until != 0 && now >= l->echo_until)
        link_line_drop(l->link, "it does not answer");
    else if (l->connected && l->echo_until == 0 && now - l->heard >= ECHO_MS)
        echo(l);
}

enum tp_err line_open(struct mediator *m, const struct reg_acquirer *a, struct tp_error *e)
{
    static const struct link_line_limits limits = {CONNECT_MS, FIRST_PAUSE_MS, LAST_PAUSE_MS,
                                                   TICK_MS};
    struct line *l = calloc(1, sizeof(*l));
    const struct link_line_events events = {
        .ctx = l, .up = on_up, .down = on_down, .message = on_message, .tick = on_tick};
    enum tp_err r;

    if (l == NULL || atomic_load(&m->lines) == sizeof(m->line) / sizeof(m->line[0])) {
        free(l);
        return tp_fail(e, TP_ERR_NO_MEMORY, "no room for another acquirer");
    }
    l->m = m;
    l->acquirer = a;
    pthread_mutex_init(&l->lock, NULL);
    atomic_init(&l->up, false);
    r = pki_tls_context(&l->tls, PKI_CLIENT, a->tls.ca, a->tls.certificate, a->tls.key, e);
    if (r == TP_OK)
        r = link_line_new(&l->link, a->host, a->port, l->tls, &limits, &events, e);
    if (r != TP_OK) {
        line_close(&l);
        return r;
    }
    m->line[atomic_load(&m->lines)] = l;
    atomic_fetch_add(&m->lines, 1);
    return TP_OK;
}

static void drop_all(struct asks *asks)
{
    struct ask *k;

    while ((k = LIST_FIRST(asks)) != NULL) {
        LIST_REMOVE(k, next);
        free(k);
    }
}

void line_close(struct line **out)
{
    struct line *l = *out;

    if (l == NULL)
        return;
    if (l->link != NULL)
        link_line_free(&l->link);
    for (size_t i = 0; i < SLOTS; i++)
        drop_all(&l->slot[i]);
    drop_all(&l->posted);
    SSL_CTX_free(l->tls);
    pthread_mutex_destroy(&l->lock);
    free(l);
    *out = NULL;
}

struct line *line_of(struct mediator *m, const char *acquirer)
{
    const size_t n = atomic_load(&m->lines);

    for (size_t i = 0; i < n; i++)
        if (strcmp(m->line[i]->acquirer->id, acquirer) == 0)
            return m->line[i];
    return NULL;
}

bool line_is_up(const struct line *l)
{
    return atomic_load(&l->up);
}
