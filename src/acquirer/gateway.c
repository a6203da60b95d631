#include "acquirer/gateway.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "acquirer/state.h"
#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mask.h"
#include "base/secret.h"
#include "crypto/pki.h"
#include "wire/link_line.h"
#include "wire/profile.h"

#define SLOTS          1024 /* messages under way to one issuer … */
#define ASKS_MAX       900  /* … of which so many may be questions */
#define REVERSALS_MAX  64   /* and so many reversals */
#define QUESTION_MAX   1536
#define DE55_MAX       255 /* of a 0100 */
#define TICK_MS        50
#define LOOK_MS        1000  /* between looks for what is to be reversed */
#define ECHO_MS        60000 /* of silence before an echo */
#define AGAIN_MS       2000  /* before a reversal that was answered with a no is sent again */
#define ECHO_STAN      0     /* DE 11 of an echo: the counters of a day begin at 1 */
#define CONNECT_MS     10000
#define FIRST_PAUSE_MS 250
#define LAST_PAUSE_MS  15000

enum slot_kind {
    SLOT_FREE,
    SLOT_ASK,      /* a 0100 waits for its 0110 */
    SLOT_REVERSAL, /* a 0400 waits for its 0410 */
    SLOT_REST /* a reversal is answered: done, and being booked; or not, and not to be sent again
                 just yet */
};

struct slot {
    enum slot_kind kind;
    uint32_t stan; /* DE 11 of this line */
    char rrn[RRN_MAX];
    int64_t until;
    uint8_t *raw; /* of a question: packed, to be sent again on a new connection */
    size_t n;
};

struct posted {
    STAILQ_ENTRY(posted) next;
    char rrn[RRN_MAX];
    time_t asked;
    size_t n;
    uint8_t question[];
};
STAILQ_HEAD(posted_queue, posted);

struct desk { /* one issuer; what is not said otherwise is touched by its own thread alone */
    struct gateway *gateway;
    struct issuer issuer;
    SSL_CTX *tls;
    struct link_line *line;
    struct ledger *ledger; /* to look for what is to be reversed */
    struct seal *seal;
    struct slot slot[SLOTS];
    struct iso8583 message, answer;
    uint32_t counter;   /* of reversals' DE 11 */
    int64_t heard;      /* the last message of the issuer */
    int64_t echo_until; /* an echo is under way until then; 0: none */
    int64_t look_at;
    unsigned reversals;
    bool connected, complained;
    char sent_before[REVERSALS_MAX * 4]
                    [RRN_MAX]; /* reversals that went out on this run: the next is a 0401 */
    size_t sent_n, sent_at;
    pthread_mutex_t lock;
    struct posted_queue posted; /* under lock */
    atomic_bool open;           /* the issuer has answered on this connection */
    atomic_uint asks;           /* posted or under way */
    atomic_bool look;           /* for reversals, now */
};

struct gateway {
    struct gateway_events events;
    char dir[PATH_MAX];
    int timeout_ms;
    struct desk **desk;
    size_t desks;
};

/* ---- slots ---- */

static struct slot *slot_free(struct desk *d)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (d->slot[i].kind == SLOT_FREE)
            return &d->slot[i];
    return NULL;
}

static struct slot *slot_by_stan(struct desk *d, enum slot_kind kind, uint32_t stan)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (d->slot[i].kind == kind && d->slot[i].stan == stan)
            return &d->slot[i];
    return NULL;
}

static struct slot *slot_by_rrn(struct desk *d, const char *rrn)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (d->slot[i].kind != SLOT_FREE && strcmp(d->slot[i].rrn, rrn) == 0)
            return &d->slot[i];
    return NULL;
}

static void slot_clear(struct desk *d, struct slot *s)
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

/* ---- fates ---- */

static void tell_unanswered(struct desk *d, const char *rrn, enum ledger_verdict why)
{
    struct wire_answer a;

    answer_verdict(&a, why, NULL);
    log_note("issuer %s: %s: %s", d->issuer.name, rrn, a.reason);
    d->gateway->events.answered(d->gateway->events.ctx, rrn, ISSUER_UNANSWERED, &a);
}

static void give_up(struct desk *d, struct slot *s, enum ledger_verdict why)
{
    char rrn[RRN_MAX];

    memcpy(rrn, s->rrn, sizeof(rrn));
    slot_clear(d, s);
    tell_unanswered(d, rrn, why);
}

/* ---- messages ---- */

static uint32_t stan_of(const char *rrn)
{
    return (uint32_t)(strtoull(rrn, NULL, 10) % 1000000);
}

static enum tp_err send_packed(struct desk *d, struct iso8583 *m)
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

/* What an issuer is asked with: the terminal's DE 55 without what only the acquirer needs (9F4B,
 * DF..), so that it fits the 255 bytes that networks carry. */
static enum tp_err put_chip_data(struct buf *out, struct span de55)
{
    static const uint32_t needed[] = {TAG_AC,
                                      TAG_CID,
                                      TAG_IAD,
                                      TAG_UN,
                                      TAG_ATC,
                                      TAG_TVR,
                                      TAG_TX_DATE,
                                      TAG_TX_TYPE,
                                      TAG_AMOUNT,
                                      TAG_AMOUNT_OTHER,
                                      TAG_TX_CURRENCY,
                                      TAG_AIP,
                                      TAG_CVM_RESULTS,
                                      TAG_TERMINAL_COUNTRY,
                                      TAG_TERMINAL_CAPABILITIES,
                                      TAG_TERMINAL_TYPE,
                                      TAG_IFD_SERIAL,
                                      TAG_DF_NAME,
                                      TAG_TERMINAL_VERSION,
                                      TAG_TX_COUNTER,
                                      TAG_PAN_SEQUENCE,
                                      TAG_SCRIPT_RESULTS};
    struct tlv t;
    enum tp_err r = TP_OK;

    while (r == TP_OK && tlv_next(&de55, &t) == TP_OK)
        for (size_t i = 0; r == TP_OK && i < sizeof(needed) / sizeof(needed[0]); i++)
            if (needed[i] == t.tag)
                r = tlv_put(out, t.tag, t.value);
    return r;
}

enum tp_err gateway_question(struct buf *out, const struct iso8583 *payment, uint16_t mcc,
                             struct tp_error *e)
{
    struct iso8583 *m = malloc(sizeof(*m));
    uint8_t room[DE55_MAX];
    struct buf de55 = BUF_OF(room);
    enum tp_err r;

    if (m == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a question to the issuer");
    iso8583_start(m, MTI_AUTHORISATION);
    profile_forward(PROFILE_ISSUER, m, payment);
    if (!iso8583_has(m, 18))
        iso8583_set_number(m, 18, mcc);
    r = put_chip_data(&de55, payment->field[55]);
    iso8583_set(m, 55, buf_span(&de55));
    r = r == TP_OK ? iso8583_pack(out, m, e)
                   : tp_fail(e, r, "the chip data (DE 55) do not fit the question to the issuer");
    secret_wipe(m, sizeof(*m));
    free(m);
    return r;
}

/* The question with what this line adds. */
static enum tp_err complete(struct desk *d, struct buf *out, const struct posted *p)
{
    struct iso8583 *m = &d->message;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r = iso8583_unpack(m, span_of(p->question, p->n), &e);

    iso8583_set_instant(m, p->asked);
    iso8583_set_number(m, 11, stan_of(p->rrn));
    iso8583_set_text(m, 32, d->issuer.acquirer);
    iso8583_set_text(m, 37, p->rrn);
    if (r == TP_OK)
        r = iso8583_pack(out, m, &e);
    if (r != TP_OK)
        log_error("issuer %s: a question cannot be packed: %s", d->issuer.name, e.text);
    secret_wipe(m, sizeof(*m));
    return r;
}

/* It waits for its answer from now on, whether it could leave or not: what a broken line kept back
 * goes out on the next one. */
static void ask(struct desk *d, const struct posted *p)
{
    uint8_t room[QUESTION_MAX];
    struct buf out = BUF_OF(room);
    struct slot *s = slot_free(d);
    uint8_t *raw = NULL;

    if (s == NULL || slot_by_stan(d, SLOT_ASK, stan_of(p->rrn)) != NULL ||
        complete(d, &out, p) != TP_OK || (raw = malloc(out.n)) == NULL) {
        atomic_fetch_sub(&d->asks, 1);
        tell_unanswered(d, p->rrn, LEDGER_ISSUER_BUSY);
    } else {
        memcpy(raw, room, out.n);
        *s = (struct slot){.kind = SLOT_ASK,
                           .stan = stan_of(p->rrn),
                           .until = time_monotonic_ms() + d->gateway->timeout_ms,
                           .raw = raw,
                           .n = out.n};
        memcpy(s->rrn, p->rrn, sizeof(s->rrn));
        link_line_send(d->line, span_of(raw, s->n));
    }
    secret_wipe(room, out.n);
}

static void take_posted(struct desk *d)
{
    struct posted_queue taken = STAILQ_HEAD_INITIALIZER(taken);
    struct posted *p;

    pthread_mutex_lock(&d->lock);
    STAILQ_CONCAT(&taken, &d->posted);
    pthread_mutex_unlock(&d->lock);
    while ((p = STAILQ_FIRST(&taken)) != NULL) {
        STAILQ_REMOVE_HEAD(&taken, next);
        ask(d, p);
        secret_wipe(p->question, p->n);
        free(p);
    }
}

static void echo(struct desk *d)
{
    struct iso8583 *m = &d->message;

    iso8583_start(m, MTI_NETWORK);
    iso8583_set_instant(m, time(NULL));
    iso8583_set_number(m, 11, ECHO_STAN);
    iso8583_set_text(m, 32, d->issuer.acquirer);
    iso8583_set_number(m, 70, 301);
    if (send_packed(d, m) == TP_OK)
        d->echo_until = time_monotonic_ms() + d->gateway->timeout_ms;
}

/* ---- reversals ---- */

static bool was_sent(struct desk *d, const char *rrn)
{
    for (size_t i = 0; i < d->sent_n; i++)
        if (strcmp(d->sent_before[i], rrn) == 0)
            return true;
    memcpy(d->sent_before[d->sent_at], rrn, RRN_MAX);
    d->sent_at = (d->sent_at + 1) % (REVERSALS_MAX * 4);
    d->sent_n += d->sent_n < REVERSALS_MAX * 4;
    return false;
}

static void fill_reversal(struct desk *d, const struct authorisation *a, const char *pan,
                          uint32_t stan, bool repeat)
{
    struct iso8583 *m = &d->message;
    char currency[4], asked[16], original[64];
    struct tm utc;

    gmtime_r(&a->asked, &utc);
    strftime(asked, sizeof(asked), "%m%d%H%M%S", &utc);
    snprintf(original, sizeof(original), "0100%06" PRIu32 "%.10s%022u",
             stan_of(a->tx.rrn) % 1000000, asked, 0U);
    snprintf(currency, sizeof(currency), "%03u", a->tx.currency % 1000U);
    iso8583_start(m, repeat ? MTI_REVERSAL_REPEAT : MTI_REVERSAL);
    iso8583_set_text(m, 2, pan);
    iso8583_set_number(m, 3, a->tx.kind == TX_CREDIT ? 200000 : 0);
    iso8583_set_number(m, 4, (uint64_t)a->tx.amount);
    iso8583_set_instant(m, time(NULL));
    iso8583_set_number(m, 11, stan);
    iso8583_set_number(m, 12, (uint64_t)(a->tx.local_time % 1000000));
    iso8583_set_number(m, 13, (uint64_t)(a->tx.local_time / 1000000 % 10000));
    iso8583_set_text(m, 32, d->issuer.acquirer);
    iso8583_set_text(m, 37, a->tx.rrn);
    iso8583_set_text(m, 41, a->tx.terminal);
    iso8583_set_text(m, 42, a->tx.contract);
    iso8583_set_text(m, 49, currency);
    iso8583_set_text(m, 90, original);
}

/* One row that waits. A question that is still under way under that number has its reversal in the
 * books already: its answer is of no use. */
static enum tp_err reverse(void *ctx, const struct authorisation *a, struct tp_error *e)
{
    struct desk *d = ctx;
    struct slot *s = slot_by_rrn(d, a->tx.rrn);
    uint8_t context[LEDGER_CONTEXT_MAX], room[PAN_TEXT_MAX + 1];
    struct buf pan = {room, 0, PAN_TEXT_MAX};
    enum tp_err r;

    (void)e;
    if (s != NULL && s->kind == SLOT_ASK)
        give_up(d, s, LEDGER_REVERSED);
    else if (s != NULL)
        return TP_OK;
    if (d->reversals >= REVERSALS_MAX || (s = slot_free(d)) == NULL)
        return TP_OK;
    r = seal_open(d->seal, &pan, a->tx.pan_sealed, ledger_seal_context(context, &a->tx));
    room[pan.n] = '\0';
    d->counter = d->counter % 999999 + 1;
    if (r == TP_OK) {
        fill_reversal(d, a, (const char *)room, d->counter, was_sent(d, a->tx.rrn));
        r = send_packed(d, &d->message);
    } else {
        log_error("issuer %s: the reversal of %s cannot be made: is seal.key that of these books?",
                  d->issuer.name, a->tx.rrn);
    }
    secret_wipe(&d->message, sizeof(d->message));
    secret_wipe(room, sizeof(room));
    *s = (struct slot){.kind = r == TP_OK ? SLOT_REVERSAL : SLOT_REST,
                       .stan = d->counter,
                       .until = time_monotonic_ms() + d->gateway->timeout_ms};
    memcpy(s->rrn, a->tx.rrn, sizeof(s->rrn));
    d->reversals++;
    return TP_OK;
}

static void look_for_reversals(struct desk *d)
{
    struct tp_error e = {TP_OK, ""};

    if (ledger_authorisation_each(d->ledger, d->issuer.name, AUTHORISATION_TO_REVERSE,
                                  REVERSALS_MAX * 2, reverse, d, &e) != TP_OK)
        log_error("%s", e.text);
}

/* ---- answers ---- */

/* An answer repeats what it answers: one that does not is none of it. */
static bool answers(struct desk *d, const struct slot *s)
{
    const bool same = iso8583_unpack(&d->message, span_of(s->raw, s->n), NULL) == TP_OK &&
                      profile_differs(PROFILE_ISSUER, &d->answer, &d->message) == 0;

    secret_wipe(&d->message, sizeof(d->message));
    return same;
}

static enum issuer_fate nonsense(struct wire_answer *a)
{
    answer_verdict(a, LEDGER_ISSUER_NONSENSE, NULL);
    return ISSUER_UNANSWERED;
}

/* What the terminal and the card would take for an approval (EMV 4.4 Book 4, 6.3.8 leaves the codes
 * to the scheme) is none here but 00: 08 wants the person identified, 10 approves another amount,
 * 11 is a courtesy. And what says that the issuer could not judge is no refusal. */
static enum issuer_fate judge(struct wire_answer *a, const struct iso8583 *m)
{
    static const struct {
        const char *code;
        enum ledger_verdict verdict;
    } unusable[] = {{"08", LEDGER_ISSUER_08},
                    {"10", LEDGER_ISSUER_10},
                    {"11", LEDGER_ISSUER_11},
                    {"91", LEDGER_ISSUER_91},
                    {"96", LEDGER_ISSUER_96}};
    bool yes;

    if (wire_answer_read(a, m, NULL) != TP_OK ||
        strspn(a->code, "0123456789ABCDEFGHIJKLMNOPQRSTUVWX") != 2)
        return nonsense(a);
    for (size_t i = 0; i < sizeof(unusable) / sizeof(unusable[0]); i++) {
        if (strcmp(a->code, unusable[i].code) == 0) {
            answer_verdict(a, unusable[i].verdict, NULL);
            return ISSUER_UNANSWERED;
        }
    }
    yes = wire_answer_is_yes(a);
    if (yes && a->approval[0] == '\0')
        return nonsense(a);
    a->rrn[0] = '\0'; /* it is the payment's when that is kept */
    if (!yes)
        a->approval[0] = '\0';
    snprintf(a->reason, sizeof(a->reason), "%s", yes ? "" : "ISSUER");
    return yes ? ISSUER_APPROVED : ISSUER_REFUSED;
}

static void on_answer(struct desk *d, uint32_t stan)
{
    struct slot *s = slot_by_stan(d, SLOT_ASK, stan);
    struct wire_answer a;
    char rrn[RRN_MAX];
    enum issuer_fate fate;

    if (s == NULL || !answers(d, s)) {
        log_note("issuer %s: an answer (0110, DE 11 %06" PRIu32
                 ") that is late, or of nothing that was asked: not used",
                 d->issuer.name, stan);
        return;
    }
    fate = judge(&a, &d->answer);
    memcpy(rrn, s->rrn, sizeof(rrn));
    slot_clear(d, s);
    d->gateway->events.answered(d->gateway->events.ctx, rrn, fate, &a);
}

static void on_reversal(struct desk *d, uint32_t stan)
{
    struct slot *s = slot_by_stan(d, SLOT_REVERSAL, stan);
    struct wire_answer a;

    if (s == NULL)
        return;
    iso8583_start(&d->message, MTI_REVERSAL); /* as much of it as is compared */
    iso8583_set_number(&d->message, 11, s->stan);
    iso8583_set_text(&d->message, 37, s->rrn);
    if (profile_differs(PROFILE_ISSUER, &d->answer, &d->message) != 0)
        return;
    s->kind = SLOT_REST;
    if (wire_answer_read(&a, &d->answer, NULL) != TP_OK || !wire_answer_is_yes(&a)) {
        log_error("issuer %s does not take the reversal of %s (%.2s): it is sent again",
                  d->issuer.name, s->rrn, a.code);
        s->until = time_monotonic_ms() + AGAIN_MS;
        return;
    }
    s->until =
        time_monotonic_ms() +
        d->gateway->timeout_ms; /* by then it is booked; if the disk is full, it is asked again */
    d->gateway->events.reversed(d->gateway->events.ctx, s->rrn);
    atomic_store(&d->look, true);
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
        return;
    }
    d->heard = time_monotonic_ms();
    missing = profile_missing(PROFILE_ISSUER, &d->answer);
    if (missing != 0) {
        log_note("issuer %s: an answer (%04u, DE 11 %06" PRIu64 ") without DE %u: not used",
                 d->issuer.name, d->answer.mti, stan, missing);
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
        on_answer(d, (uint32_t)stan);
        break;
    case MTI_REVERSAL_RESPONSE:
        on_reversal(d, (uint32_t)stan);
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

    take_posted(d);
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *s = &d->slot[i];

        if (s->kind == SLOT_FREE || now < s->until)
            continue;
        silent |= s->kind != SLOT_REST && now - d->heard >= d->gateway->timeout_ms;
        if (s->kind == SLOT_ASK)
            give_up(d, s, LEDGER_ISSUER_TIMEOUT);
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
        look_for_reversals(d);
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
        secret_wipe(p->question, p->n);
        free(p);
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
