/* The lines to the issuers, and their slots: what is under way on each. */
#include "acquirer/gateway.h"

#include <inttypes.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquirer/gateway_priv.h"
#include "acquirer/state.h"
#include "base/date.h"
#include "base/log.h"
#include "base/secret.h"
#include "crypto/pki.h"
#include "wire/profile.h"

#define TICK_MS        50
#define LOOK_MS        1000  /* between looks for what is to be reversed */
#define ECHO_MS        60000 /* of silence before an echo */
#define ECHO_STAN      0     /* DE 11 of an echo: the counters of a day begin at 1 */
#define CONNECT_MS     10000
#define FIRST_PAUSE_MS 250
#define LAST_PAUSE_MS  15000

/* ---- slots ---- */

struct slot *slot_free(struct desk *d)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (d->slot[i].kind == SLOT_FREE)
            return &d->slot[i];
    return NULL;
}

struct slot *slot_by_stan(struct desk *d, enum slot_kind kind, uint32_t stan)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (d->slot[i].kind == kind && d->slot[i].stan == stan)
            return &d->slot[i];
    return NULL;
}

struct slot *slot_by_rrn(struct desk *d, const char *rrn)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (d->slot[i].kind != SLOT_FREE && strcmp(d->slot[i].rrn, rrn) == 0)
            return &d->slot[i];
    return NULL;
}

void slot_clear(struct desk *d, struct slot *s)
{
    if (s->kind == SLOT_ASK)
        atomic_fetch_sub(&d->asks, 1);
    if (s->kind == SLOT_REVERSAL || s->kind == SLOT_REST)
        d->reversals--;
    if (s->raw != NULL)
        secret_wipe(s->raw, s->n);
    free(s->raw);
    *s = (struct slot){.kind = SLOT_FREE};
}

/* ---- messages ---- */

uint32_t question_stan(const char *rrn)
{
    return (uint32_t)(strtoull(rrn, NULL, 10) % 1000000);
}

enum tp_err desk_send(struct desk *d, struct iso8583 *m)
{
    uint8_t room[QUESTION_MAX];
    struct buf out = BUF_OF(room);
    struct tp_error e = {TP_OK, ""};
    enum tp_err r = iso8583_pack(&out, m, &e);

    if (r != TP_OK)
        log_error("issuer %s: a message cannot be packed: %s", d->issuer.name, e.text);
    else
        r = link_line_send(d->line, buf_span(&out));
    secret_wipe(room, out.n);
    return r;
}

static void echo(struct desk *d)
{
    struct iso8583 *m = &d->message;

    iso8583_start(m, MTI_NETWORK);
    iso8583_set_instant(m, time(NULL));
    iso8583_set_number(m, 11, ECHO_STAN);
    iso8583_set_text(m, 32, d->issuer.acquirer);
    iso8583_set_number(m, 70, 301);
    if (desk_send(d, m) == TP_OK)
        d->echo_until = time_monotonic_ms() + d->gateway->timeout_ms;
}

static void on_message(void *ctx, struct span raw)
{
    struct desk *d = ctx;
    struct tp_error e = {TP_OK, ""};
    uint64_t stan = 0;
    unsigned missing;

    if (iso8583_unpack(&d->answer, raw, &e) != TP_OK ||
        iso8583_number(&d->answer, 11, &stan) != TP_OK) {
        log_error("issuer %s: a message that cannot be read: %s", d->issuer.name, e.text);
        link_line_drop(d->line, "it sends nonsense");
        secret_wipe(&d->answer, sizeof(d->answer));
        return;
    }
    d->heard = time_monotonic_ms();
    missing = profile_missing(PROFILE_ISSUER, &d->answer);
    if (missing != 0) {
        log_note("issuer %s: an answer (%04u, DE 11 %06" PRIu64 ") without DE %u: not used",
                 d->issuer.name, d->answer.mti, stan, missing);
        secret_wipe(&d->answer, sizeof(d->answer));
        return;
    }
    switch (d->answer.mti) {
    case MTI_NETWORK_RESPONSE:
        d->echo_until = 0;
        if (!atomic_exchange(&d->open, true))
            log_note("issuer %s is reached", d->issuer.name);
        d->complained = false;
        d->look_at = 0;
        break;
    case MTI_AUTHORISATION_RESPONSE:
        ask_answered(d, (uint32_t)stan);
        break;
    case MTI_REVERSAL_RESPONSE:
        reversal_answered(d, (uint32_t)stan);
        break;
    default:
        log_note("issuer %s: a message of type %04u is none for an acquirer", d->issuer.name,
                 d->answer.mti);
    }
    secret_wipe(&d->answer, sizeof(d->answer));
}

/* ---- the line ---- */

static void on_up(void *ctx)
{
    struct desk *d = ctx;

    d->connected = true;
    d->heard = time_monotonic_ms();
    echo(d);
    for (size_t i = 0; i < SLOTS;
         i++) /* the issuer knows the same question by DE 32 and 37, and answers it alike */
        if (d->slot[i].kind == SLOT_ASK)
            link_line_send(d->line, span_of(d->slot[i].raw, d->slot[i].n));
}

static void on_down(void *ctx, const struct tp_error *e)
{
    struct desk *d = ctx;

    if (atomic_exchange(&d->open, false) || !d->complained)
        log_error("issuer %s is not reached: %s", d->issuer.name, e->text);
    d->complained = true;
    d->connected = false;
    d->echo_until = 0;
    for (size_t i = 0; i < SLOTS; i++)
        if (d->slot[i].kind == SLOT_REVERSAL)
            slot_clear(d, &d->slot[i]);
}

static void on_tick(void *ctx)
{
    struct desk *d = ctx;
    const int64_t now = time_monotonic_ms();
    bool silent = false;

    ask_posted(d);
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *s = &d->slot[i];

        if (s->kind == SLOT_FREE || now < s->until)
            continue;
        silent |= s->kind != SLOT_REST && now - d->heard >= d->gateway->timeout_ms;
        if (s->kind == SLOT_ASK)
            ask_give_up(d, s, LEDGER_ISSUER_TIMEOUT);
        else
            slot_clear(d, s);
    }
    silent |= d->echo_until != 0 && now >= d->echo_until;
    if (silent && d->connected) {
        link_line_drop(d->line, "it does not answer");
        return;
    }
    if (d->connected && d->echo_until == 0 && now - d->heard >= ECHO_MS)
        echo(d);
    if (atomic_load(&d->open) && (now >= d->look_at || atomic_load(&d->look))) {
        atomic_store(&d->look, false);
        d->look_at = now + LOOK_MS;
        reversals_look(d);
    }
}

/* ---- the desks ---- */

static void desk_free(struct desk *d)
{
    struct posted *p;

    if (d == NULL)
        return;
    link_line_free(&d->line);
    for (size_t i = 0; i < SLOTS; i++)
        if (d->slot[i].kind != SLOT_FREE)
            slot_clear(d, &d->slot[i]);
    while ((p = STAILQ_FIRST(&d->posted)) != NULL) {
        STAILQ_REMOVE_HEAD(&d->posted, next);
        posted_free(p);
    }
    pthread_mutex_destroy(&d->lock);
    SSL_CTX_free(d->tls);
    seal_free(&d->seal);
    ledger_close(&d->ledger);
    free(d);
}

static enum tp_err desk_open(struct desk *d, struct tp_error *e)
{
    static const struct link_line_limits limits = {CONNECT_MS, FIRST_PAUSE_MS, LAST_PAUSE_MS,
                                                   TICK_MS};
    const struct link_line_events events = {
        .ctx = d, .up = on_up, .down = on_down, .message = on_message, .tick = on_tick};
    enum tp_err r = acquirer_open_ledger(&d->ledger, d->gateway->dir, e);

    if (r == TP_OK)
        r = seal_open_dir(&d->seal, d->gateway->dir, e);
    if (r == TP_OK)
        r = pki_tls_context(&d->tls, PKI_CLIENT, d->issuer.tls.ca, d->issuer.tls.certificate,
                            d->issuer.tls.key, e);
    return r == TP_OK ? link_line_new(&d->line, d->issuer.host, d->issuer.port, d->tls, &limits,
                                      &events, e)
                      : r;
}

static enum tp_err add_desk(void *ctx, const struct issuer *i, struct tp_error *e)
{
    struct gateway *g = ctx;
    struct desk **more = realloc(g->desk, (g->desks + 1) * sizeof(struct desk *));
    struct desk *d = more != NULL ? calloc(1, sizeof(*d)) : NULL;

    if (more != NULL)
        g->desk = more;
    if (d == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for an issuer");
    d->gateway = g;
    d->issuer = *i;
    STAILQ_INIT(&d->posted);
    pthread_mutex_init(&d->lock, NULL);
    g->desk[g->desks++] = d;
    return TP_OK;
}

enum tp_err gateway_new(struct gateway **out, const char *dir, const struct gateway_events *events,
                        struct tp_error *e)
{
    struct gateway *g = calloc(1, sizeof(*g));
    enum tp_err r;

    *out = NULL;
    if (g == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for the issuers");
    g->events = *events;
    snprintf(g->dir, sizeof(g->dir), "%s", dir);
    r = issuers_timeout(&g->timeout_ms, dir, e);
    if (r == TP_OK)
        r = issuers_each(dir, add_desk, g, e);
    for (size_t i = 0; r == TP_OK && i < g->desks; i++)
        r = desk_open(g->desk[i], e);
    if (r == TP_OK)
        *out = g;
    else
        gateway_free(&g);
    return r;
}

void gateway_free(struct gateway **g)
{
    if (*g == NULL)
        return;
    for (size_t i = 0; i < (*g)->desks; i++)
        desk_free((*g)->desk[i]);
    free((*g)->desk);
    free(*g);
    *g = NULL;
}

/* ---- from other threads ---- */

enum gateway_route gateway_find(const struct gateway *g, const char *pan, const char **issuer)
{
    const struct desk *best = NULL;
    size_t longest = 0;

    for (size_t i = 0; i < g->desks; i++) {
        const struct issuer *s = &g->desk[i]->issuer;

        for (size_t k = 0; k < s->iins; k++)
            if (strlen(s->iin[k]) > longest && strncmp(pan, s->iin[k], strlen(s->iin[k])) == 0) {
                longest = strlen(s->iin[k]);
                best = g->desk[i];
            }
    }
    if (best == NULL)
        return ROUTE_NONE;
    *issuer = best->issuer.name;
    if (!atomic_load(&best->open))
        return ROUTE_DOWN;
    return atomic_load(&best->asks) < ASKS_MAX ? ROUTE_OPEN : ROUTE_BUSY;
}

static struct desk *desk_of(struct gateway *g, const char *issuer)
{
    for (size_t i = 0; i < g->desks; i++)
        if (strcmp(g->desk[i]->issuer.name, issuer) == 0)
            return g->desk[i];
    return NULL;
}

void gateway_ask(struct gateway *g, const char *issuer, const char *rrn, time_t asked,
                 struct span question)
{
    struct desk *d = desk_of(g, issuer);
    struct posted *p = malloc(sizeof(*p) + question.n);
    struct wire_answer a;

    if (d == NULL || p == NULL) {
        free(p);
        answer_verdict(&a, LEDGER_ISSUER_BUSY, NULL);
        g->events.answered(g->events.ctx, rrn, ISSUER_UNANSWERED, &a);
        return;
    }
    snprintf(p->rrn, sizeof(p->rrn), "%s", rrn);
    p->asked = asked;
    p->n = question.n;
    memcpy(p->question, question.p, question.n);
    atomic_fetch_add(&d->asks, 1);
    pthread_mutex_lock(&d->lock);
    STAILQ_INSERT_TAIL(&d->posted, p, next);
    pthread_mutex_unlock(&d->lock);
    link_line_wake(d->line);
}

void gateway_wake(struct gateway *g)
{
    for (size_t i = 0; i < g->desks; i++) {
        atomic_store(&g->desk[i]->look, true);
        link_line_wake(g->desk[i]->line);
    }
}
