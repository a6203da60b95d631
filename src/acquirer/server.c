#include "acquirer/server.h"

#include <inttypes.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquirer/server_priv.h"
#include "acquirer/state.h"
#include "base/log.h"
#include "base/conf.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/pki.h"
#include "wire/profile.h"

#define QUESTION_MAX 1536
#define PARTIES_MAX  16 /* terminals that a mediator's connection remembers */

struct speaker {                      /* whose connection it is */
    char mediator[MEDIATOR_NAME_MAX]; /* "": a terminal, which is the first of the parties */
    size_t parties, next;
    struct party party[];
};

/* ---- answering ---- */

/* Answers and logs; what is known of the transaction is in tx. */
static void answer(struct request *q, const struct wire_answer *a, const struct tx_record *tx)
{
    echo_answer(q->peer, &q->echo, a);
    answer_log(q->message->mti, tx, a);
}

/* What can be said of a message that went no further: for the log. */
struct tx_record request_known(const struct request *q)
{
    struct tx_record tx;
    uint64_t v = 0;
    char pan[PAN_TEXT_MAX];

    memset(&tx, 0, sizeof(tx));
    snprintf(tx.contract, sizeof(tx.contract), "%s", q->party->contract);
    snprintf(tx.terminal, sizeof(tx.terminal), "%s", q->party->terminal);
    if (iso8583_number(q->message, 11, &v) == TP_OK)
        tx.stan = (uint32_t)v;
    if (iso8583_number(q->message, 4, &v) == TP_OK)
        tx.amount = (int64_t)v;
    if (iso8583_number(q->message, 49, &v) == TP_OK)
        tx.currency = (uint16_t)v;
    if (iso8583_text(q->message, 2, pan, sizeof(pan)) == TP_OK)
        mask_pan(tx.pan_masked, pan);
    return tx;
}

void request_answer(struct request *q, enum ledger_verdict verdict, const char *word)
{
    const struct tx_record tx = request_known(q);
    struct wire_answer a;

    answer_verdict(&a, verdict, word);
    answer(q, &a, &tx);
}

void request_fault(struct request *q, const struct tp_error *e)
{
    log_error("%s", e->text);
    request_answer(q, LEDGER_FAULT, NULL);
}

/* ---- 0200, 0201 ---- */

/* To the issuer, if there is one who can be asked. Else 91, unless the books say that a first of
 * its repeats did get there: two answers to one payment must not differ, since a terminal may have
 * its card pay offline on a 91. */
static enum tp_err ask_issuer(struct request *q, struct wire_answer *a, struct tp_error *e)
{
    struct payment *p = &q->worker->payment;
    const struct commit_request ask = {q->message->mti, &q->echo, &p->tx, q->peer, q->payer};
    const char *issuer = NULL;
    uint8_t room[QUESTION_MAX];
    struct buf question = BUF_OF(room);
    enum tp_err r = TP_OK;

    switch (gateway_find(committer_gateway(q->server->committer), p->pan, &issuer)) {
    case ROUTE_NONE:
        answer_verdict(a,
                       p->tx.emv.online          ? LEDGER_NEEDS_ISSUER_ARQC
                       : p->tx.vouched           ? LEDGER_NEEDS_ISSUER_NO_CDA
                       : p->tx.kind == TX_CREDIT ? LEDGER_NEEDS_ISSUER_CREDIT
                                                 : LEDGER_NEEDS_ISSUER_FLOOR,
                       NULL);
        return committer_wait(q->server->committer, &ask, a);
    case ROUTE_DOWN:
        answer_verdict(a, LEDGER_ISSUER_DOWN, NULL);
        return committer_wait(q->server->committer, &ask, a);
    case ROUTE_BUSY:
        answer_verdict(a, LEDGER_ISSUER_BUSY, NULL);
        return committer_wait(q->server->committer, &ask, a);
    case ROUTE_OPEN:
        break;
    }
    r = gateway_question(&question, p->message, q->party->terms.mcc, e);
    if (r == TP_OK)
        r = committer_ask(q->server->committer, &ask, issuer, buf_span(&question));
    secret_wipe(room, question.n);
    return r;
}

enum tp_err request_pass_on(struct request *q, enum check_outcome outcome, struct wire_answer *a,
                            bool *later, struct tp_error *e)
{
    const struct commit_request keep = {q->message->mti, &q->echo, &q->worker->payment.tx, q->peer,
                                        q->payer};
    enum tp_err r = TP_OK;

    *later = outcome == CHECK_KEEP || outcome == CHECK_ASK || outcome == CHECK_WAIT;
    if (outcome == CHECK_KEEP)
        r = committer_pay(q->server->committer, &keep);
    else if (outcome == CHECK_ASK)
        r = ask_issuer(q, a, e);
    else if (outcome == CHECK_WAIT)
        r = committer_wait(q->server->committer, &keep, a);
    *later &= r == TP_OK;
    return r == TP_OK ? r : tp_fail(e, r, "a payment cannot be passed on: %s", tp_err_text(r));
}

/* The keys that an operator has added or removed meanwhile. What cannot be read now leaves the
 * others. */
void worker_look(struct worker *w, time_t now)
{
    struct tp_error e = {TP_OK, ""};

    if (trust_look(&w->trust, now, &e) != TP_OK)
        log_error("the authority keys are not read again: %s", e.text);
    w->checker.cache = w->trust.cache;
}

enum tp_err worker_have_keys(struct worker *w, struct tp_error *e)
{
    return w->keys.authority != NULL ? TP_OK : acquirer_keys_load(&w->keys, w->trust.dir, e);
}

static void on_payment(struct request *q)
{
    const time_t now = time(NULL);
    struct payment *p = &q->worker->payment;
    enum check_outcome outcome = CHECK_REFUSED;
    struct tp_error e = {TP_OK, ""};
    struct wire_answer a;
    bool later = false;
    enum tp_err r;

    worker_look(q->worker, now);
    r = check_payment(&outcome, &a, p, &q->worker->checker, q->message, NULL, q->party, now, &e);
    if (r == TP_OK)
        r = request_pass_on(q, outcome, &a, &later, &e);
    if (later)
        return;
    if (r != TP_OK) {
        request_fault(q, &e);
        return;
    }
    const struct tx_record tx = request_known(q);
    const struct commit_request refused = {q->message->mti, &q->echo, &tx, q->peer, NULL};

    answer(q, &a, &tx);
    if (outcome == CHECK_REFUSED && committer_refused(q->server->committer, &refused, &a) != TP_OK)
        log_error("a refusal is not kept: no memory, or too much waits for the books");
}

/* ---- 0400, 0401 ---- */

/* DE 90: type, STAN and DE 7 of the original, then the institutions that had it. Its local day is
 * that of DE 13, which a reversal repeats. */
static const char *read_original(struct tx_record *tx, const struct iso8583 *m, time_t now)
{
    char original[43];
    unsigned mti = 0, stan = 0;
    uint64_t month_day = 0;
    int day;

    if (iso8583_text(m, 90, original, sizeof(original)) != TP_OK ||
        sscanf(original, "%4u%6u", &mti, &stan) != 2)
        return "DE90";
    if (mti != MTI_FINANCIAL && mti != MTI_FINANCIAL_REPEAT)
        return "DE90_MTI";
    if (iso8583_number(m, 13, &month_day) != TP_OK)
        return "DE13";
    day = check_day((unsigned)month_day, now);
    if (day == 0)
        return "DE13";
    tx->stan = stan;
    tx->local_time = (int64_t)day * 1000000;
    return NULL;
}

/* What a terminal may still say. */
enum admission {
    OPEN_ONLY,     /* under an open contract */
    CLOSED_AS_WELL /* under a closed one too: what was taken before the close is still reversed and
                      reconciled. A closed terminal says nothing */
};

/* True when the request is from a terminal that its certificate names, and that may make it; else
 * it is answered. */
static bool admitted(struct request *q, enum admission admission)
{
    struct contract contract = {.open = false};
    struct terminal terminal = {.open = false, .mediator_open = true};
    struct tp_error e = {TP_OK, ""};
    bool open = false;

    switch (check_party(q->message, q->party)) {
    case TP_OK:
        break;
    default: /* every message has DE 41 and 42 here, and these are others, or do not read */
        request_answer(q, LEDGER_CERTIFICATE, NULL);
        return false;
    }
    if (check_open(&q->worker->checker, &contract, &terminal, &open, q->party, &e) != TP_OK) {
        request_fault(q, &e);
        return false;
    }
    if (strcmp(terminal.mediator, q->party->mediator) != 0 || !terminal.mediator_open) {
        request_answer(q, terminal.mediator_open ? LEDGER_CERTIFICATE : LEDGER_MEDIATOR_CLOSED,
                       NULL);
        return false;
    }
    open |= admission == CLOSED_AS_WELL && terminal.open;
    if (!open)
        request_answer(q, LEDGER_CLOSED, NULL);
    return open;
}

bool request_is_admitted(struct request *q)
{
    return admitted(q, OPEN_ONLY);
}

static void on_reversal(struct request *q)
{
    struct tx_record tx = request_known(q);
    const struct commit_request reversal = {q->message->mti, &q->echo, &tx, q->peer, NULL};
    const char *bad;

    if (!admitted(q, CLOSED_AS_WELL))
        return;
    bad = read_original(&tx, q->message, time(NULL));
    if (bad != NULL)
        request_answer(q, LEDGER_MALFORMED, bad);
    else if (committer_reverse(q->server->committer, &reversal) != TP_OK)
        request_answer(q, LEDGER_FAULT, NULL);
}

/* ---- 0500 ---- */

struct count {
    unsigned field;
    uint64_t value;
};

/* DE 97: D when the debits are the larger side, C when the credits are. */
static void net_text(char out[24], const struct remise_totals *t)
{
    const int64_t net = t->debit_amount - t->credit_amount;

    snprintf(out, 24, "%c%016" PRId64, net < 0 ? 'C' : 'D', net < 0 ? -net : net);
}

static bool balances(const struct iso8583 *m, const struct count *counts, size_t n, const char *net)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t theirs = 0;

        if (iso8583_number(m, counts[i].field, &theirs) != TP_OK || theirs != counts[i].value)
            return false;
    }
    return span_eq(m->field[97], span_str(net));
}

/* Of the day that DE 13 names the terminal's own; else of the contract's open remise. */
static enum tp_err sum_up(struct remise_totals *t, const struct request *q, struct tp_error *e)
{
    struct ledger *l = q->worker->checker.ledger;
    struct remise running = {.number = 0};
    uint64_t month_day = 0;
    enum tp_err r;

    if (iso8583_number(q->message, 13, &month_day) == TP_OK)
        return ledger_day(l, q->party->contract, q->party->terminal,
                          check_day((unsigned)month_day, time(NULL)), t, e);
    r = ledger_remise_running(l, q->party->contract, &running, e);
    *t = running.totals;
    return r;
}

static void on_reconciliation(struct request *q)
{
    struct remise_totals t;
    struct tp_error e = {TP_OK, ""};
    struct iso8583 *m = &q->worker->answer;
    struct wire_answer a;
    char net[24];
    enum tp_err err;

    if (!admitted(q, CLOSED_AS_WELL))
        return;
    err = sum_up(&t, q, &e);
    if (err != TP_OK) {
        request_fault(q, &e);
        return;
    }
    const struct count counts[] = {{74, t.credits},
                                   {76, t.debits},
                                   {86, (uint64_t)t.credit_amount},
                                   {88, (uint64_t)t.debit_amount}};

    net_text(net, &t);
    wire_answer_set(&a, "00", NULL);
    const bool balanced = balances(q->message, counts, 4, net);

    echo_start(m, &q->echo);
    wire_answer_put(m, &a);
    iso8583_set_number(m, 66, balanced ? 1 : 2);
    for (size_t i = 0; i < 4; i++)
        iso8583_set_number(m, counts[i].field, counts[i].value);
    iso8583_set_text(m, 97, net);
    if (iso8583_fault(m, &e) != TP_OK) {
        tp_error_prefix(&e, "the totals of the contract do not fit an answer");
        request_fault(q, &e);
        return;
    }
    echo_send(q->peer, m);
    log_note("0500 %s/%s: %s", q->party->contract, q->party->terminal,
             balanced ? _("in balance") : _("out of balance"));
}

/* ---- 0800 ---- */

static void on_network(struct request *q)
{
    const struct tx_record tx = request_known(q);
    const struct commit_request echo = {q->message->mti, &q->echo, &tx, q->peer, NULL};
    uint64_t code = 0;

    if (iso8583_number(q->message, 70, &code) != TP_OK)
        request_answer(q, LEDGER_MALFORMED, "DE70");
    else if (code != 1 && code != 2 && code != 301)
        request_answer(q, LEDGER_NETWORK, NULL);
    else if (admitted(q, OPEN_ONLY) && committer_echo(q->server->committer, &echo) != TP_OK)
        request_answer(q, LEDGER_FAULT, NULL);
}

/* ---- messages ---- */

static const struct {
    unsigned mti;
    void (*handle)(struct request *q);   /* NULL: not served */
    void (*mediated)(struct request *q); /* the same, of a mediator */
} handlers[] = {
    {MTI_FINANCIAL, on_payment, on_mediated},      {MTI_FINANCIAL_REPEAT, on_payment, on_mediated},
    {MTI_REVERSAL, on_reversal, on_reversal},      {MTI_REVERSAL_REPEAT, on_reversal, on_reversal},
    {MTI_RECONCILIATION, on_reconciliation, NULL}, {MTI_NETWORK, on_network, on_network},
    {MTI_ADMINISTRATIVE, NULL, on_presence}};

/* A message that does not parse is answered 30 when at least its type and STAN could be read, so
 * that its terminal knows which it was. */
static void on_malformed(struct request *q, const struct tp_error *e)
{
    bool known = false;

    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
        known |= handlers[i].mti == q->message->mti;
    log_note("%s (%s/%s): message %04u: %s%s", link_peer_address(q->peer), q->party->contract,
             q->party->terminal, q->message->mti, e->text,
             known && iso8583_has(q->message, 11) ? "" : _(": closed"));
    if (known && iso8583_has(q->message, 11))
        request_answer(q, LEDGER_MALFORMED, NULL);
    else
        link_peer_close(q->peer);
}

/* A request of a kind that is served; without all that its kind needs it goes no further. */
static void on_request(struct request *q, void (*handle)(struct request *q))
{
    char reason[PROFILE_REASON_MAX];

    if (!iso8583_has(q->message, 11)) {
        log_note("%s (%s/%s): message %04u has no DE 11 to answer it under: closed",
                 link_peer_address(q->peer), q->party->contract, q->party->terminal,
                 q->message->mti);
        link_peer_close(q->peer);
    } else if (handle != on_payment && handle != on_mediated &&
               profile_fault(reason, q->profile, q->message) != NULL) {
        request_answer(q, LEDGER_MALFORMED, reason);
    } else {
        handle(q);
    }
}

/* Whom a message speaks for. A mediator's names one of its terminals: what is read of one stays for
 * the next that names it. */
static struct party *party_of(struct speaker *s, const struct iso8583 *m)
{
    char contract[CONTRACT_ID_MAX] = "", terminal[TERMINAL_ID_MAX] = "";
    struct party *p;

    if (s->mediator[0] == '\0')
        return &s->party[0];
    if (iso8583_text(m, 42, contract, sizeof(contract)) != TP_OK ||
        iso8583_text(m, 41, terminal, sizeof(terminal)) != TP_OK)
        contract[0] = terminal[0] = '\0'; /* nobody's */
    for (size_t i = 0; i < s->parties; i++)
        if (strcmp(s->party[i].contract, contract) == 0 &&
            strcmp(s->party[i].terminal, terminal) == 0)
            return &s->party[i];
    p = &s->party[s->next];
    s->next = s->next + 1 < s->parties ? s->next + 1 : 0;
    *p = (struct party){.known = false};
    memcpy(p->contract, contract, sizeof(p->contract));
    memcpy(p->terminal, terminal, sizeof(p->terminal));
    memcpy(p->mediator, s->mediator, sizeof(p->mediator));
    return p;
}

static void on_message(void *ctx, struct link_peer *peer, void *user, struct span raw)
{
    struct acquirer_server *s = ctx;
    struct speaker *speaker = user;
    const bool mediated = speaker->mediator[0] != '\0';
    struct worker *w = s->worker[link_peer_thread(peer)];
    struct tp_error e = {TP_OK, ""};
    const enum tp_err r = iso8583_unpack(&w->message, raw, &e);
    struct request q = {.server = s,
                        .worker = w,
                        .peer = peer,
                        .party = party_of(speaker, &w->message),
                        .profile = mediated ? PROFILE_MEDIATOR : PROFILE_TERMINAL,
                        .message = &w->message};

    echo_take(&q.echo, &w->message, q.profile);
    if (r != TP_OK) {
        on_malformed(&q, &e);
        return;
    }
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        void (*const handle)(struct request *) =
            mediated ? handlers[i].mediated : handlers[i].handle;

        if (handlers[i].mti == w->message.mti && handle != NULL) {
            on_request(&q, handle);
            return;
        }
    }
    if (w->message.mti / 10 % 2 == 0 &&
        iso8583_has(&w->message, 11)) { /* a request of a kind that is not served */
        request_answer(&q, LEDGER_MTI, NULL);
        return;
    }
    log_note("%s (%s/%s): message type %04u is none for an acquirer: closed",
             link_peer_address(peer), q.party->contract, q.party->terminal, w->message.mti);
    link_peer_close(peer);
}

static enum tp_err on_opened(void *ctx, struct link_peer *peer, const char *organisation,
                             const char *common_name, void **user)
{
    const bool mediated = strcmp(organisation, MEDIATOR_ORGANISATION) == 0;
    const size_t parties = mediated ? PARTIES_MAX : 1;
    struct speaker *s;

    (void)ctx;
    if (mediated
            ? strlen(common_name) >= MEDIATOR_NAME_MAX
            : strlen(organisation) >= CONTRACT_ID_MAX || strlen(common_name) >= TERMINAL_ID_MAX) {
        log_note("%s: the certificate names no contract and terminal (O=%s, CN=%s)",
                 link_peer_address(peer), organisation, common_name);
        return TP_ERR_SECURITY;
    }
    s = calloc(1, sizeof(*s) + parties * sizeof(s->party[0]));
    if (s == NULL)
        return TP_ERR_NO_MEMORY;
    s->parties = parties;
    if (mediated) {
        snprintf(s->mediator, sizeof(s->mediator), "%s", common_name);
    } else {
        snprintf(s->party[0].contract, sizeof(s->party[0].contract), "%s", organisation);
        snprintf(s->party[0].terminal, sizeof(s->party[0].terminal), "%s", common_name);
    }
    *user = s;
    return TP_OK;
}

static void on_closed(void *ctx, void *user)
{
    (void)ctx;
    free(user);
}

/* ---- the server ---- */

static void worker_free(struct worker *w)
{
    if (w == NULL)
        return;
    trust_close(&w->trust);
    acquirer_keys_free(&w->keys);
    seal_free(&w->checker.seal);
    ledger_close(&w->checker.ledger);
    free(w);
}

static enum tp_err worker_new(struct worker **out, const char *dir, struct tp_error *e)
{
    struct worker *w = calloc(1, sizeof(*w));
    enum tp_err r;

    *out = NULL;
    if (w == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a server");
    r = acquirer_open_ledger(&w->checker.ledger, dir, e);
    if (r == TP_OK)
        r = ledger_acquirer_id(w->checker.ledger, w->checker.acquirer, e);
    if (r == TP_OK)
        r = ledger_raised_on(w->checker.ledger, &w->checker.raised, e);
    if (r == TP_OK)
        r = seal_open_dir(&w->checker.seal, dir, e);
    if (r == TP_OK)
        r = trust_open(&w->trust, dir, e);
    w->checker.cache = w->trust.cache;
    if (r == TP_OK)
        *out = w;
    else
        worker_free(w);
    return r;
}

/* acquirer.conf names the files; without one, or without that entry, they are where init puts them.
 */
static enum tp_err tls_context(SSL_CTX **out, const char *dir, struct tp_error *e)
{
    static const struct {
        const char *key, *usual;
    } files[] = {
        {"ca", "pki/ca.pem"}, {"certificate", "pki/server.pem"}, {"key", "pki/server.key"}};
    char conf_path[PATH_MAX], path[3][PATH_MAX];
    struct conf *conf = NULL;
    enum tp_err r = file_join(conf_path, sizeof(conf_path), dir, "acquirer.conf", e);

    if (r == TP_OK)
        r = conf_load(&conf, conf_path, e);
    if (r == TP_ERR_NOT_FOUND)
        r = TP_OK;
    for (size_t i = 0; r == TP_OK && i < 3; i++) {
        if (conf != NULL && conf_get(conf, "tls", files[i].key) != NULL)
            r = conf_need_path(path[i], sizeof(path[i]), conf, "tls", files[i].key, e);
        else
            r = file_join(path[i], sizeof(path[i]), dir, files[i].usual, e);
    }
    conf_free(&conf);
    return r == TP_OK ? pki_tls_context(out, PKI_SERVER, path[0], path[1], path[2], e) : r;
}

/* The keys for mediators, where there are any: a fault is told now, and not to the first who pays.
 */
static enum tp_err try_keys(const char *dir, struct tp_error *e)
{
    struct acquirer_keys keys;
    const enum tp_err r = acquirer_keys_load(&keys, dir, e);

    acquirer_keys_free(&keys);
    return r == TP_ERR_NOT_FOUND ? TP_OK : r;
}

enum tp_err acquirer_server_new(struct acquirer_server **out, const char *dir, const char *address,
                                const char *port, unsigned threads, struct tp_error *e)
{
    struct acquirer_server *s = calloc(1, sizeof(*s));
    const struct link_events events = {
        .ctx = s, .opened = on_opened, .message = on_message, .closed = on_closed};
    SSL_CTX *tls = NULL;
    enum tp_err r;

    *out = NULL;
    if (s == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a server");
    s->threads = threads < 1 ? 1 : threads > THREADS_MAX ? THREADS_MAX : threads;
    r = tls_context(&tls, dir, e);
    if (r == TP_OK)
        r = try_keys(dir, e);
    for (unsigned i = 0; r == TP_OK && i < s->threads; i++)
        r = worker_new(&s->worker[i], dir, e);
    if (r == TP_OK && capk_count(s->worker[0]->trust.authorities) == 0)
        log_note("no authority key of a card scheme is trusted here: payments are refused "
                 "(CA_KEY_UNKNOWN) until telepay-acquirer authority add");
    if (r == TP_OK)
        r = committer_new(&s->committer, dir, e);
    if (r == TP_OK)
        r = link_server_new(&s->link, address, port, tls, s->threads, &events, e);
    SSL_CTX_free(tls);
    if (r == TP_OK)
        *out = s;
    else
        acquirer_server_free(&s);
    return r;
}

struct link_server *acquirer_server_link(struct acquirer_server *s)
{
    return s->link;
}

/* The committer goes first: its last answers need the peers, which need their loops. */
void acquirer_server_free(struct acquirer_server **out)
{
    struct acquirer_server *s = *out;

    if (s == NULL)
        return;
    committer_free(&s->committer);
    link_server_free(&s->link);
    for (unsigned i = 0; i < s->threads; i++)
        worker_free(s->worker[i]);
    free(s);
    *out = NULL;
}

struct committer *acquirer_server_committer(struct acquirer_server *s)
{
    return s->committer;
}
