#include "payer/deliver.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "crypto/pki.h"
#include "wire/iso8583.h"
#include "wire/link.h"
#include "wire/profile.h"

#define FIRST_PAUSE_MS 500
#define LAST_PAUSE_MS  8000
#define GREET_MS       5000 /* a person stands before the reader */

struct deliverer {
    const struct terminal *terminal;
    SSL_CTX *tls;
    struct link_client *link; /* NULL: not connected */
    deliver_pause *pause;
    void *ctx;
    uint8_t answer[ISO8583_MAX];
};

enum tp_err deliverer_new(struct deliverer **out, const struct terminal *terminal,
                          deliver_pause *pause, void *ctx, struct tp_error *e)
{
    struct deliverer *d = calloc(1, sizeof(*d));
    enum tp_err r = TP_ERR_NO_MEMORY;

    *out = NULL;
    if (d == NULL) {
        tp_fail(e, r, "no memory to reach the acquirer");
        goto out;
    }
    d->terminal = terminal;
    d->pause = pause;
    d->ctx = ctx;
    r = pki_tls_context(&d->tls, PKI_CLIENT, terminal->tls.ca, terminal->tls.certificate,
                        terminal->tls.key, e);
    if (r != TP_OK)
        goto out;
    *out = d;
    d = NULL;
out:
    deliverer_free(&d);
    return r;
}

void deliverer_free(struct deliverer **d)
{
    if (*d == NULL)
        return;
    link_close(&(*d)->link);
    SSL_CTX_free((*d)->tls);
    free(*d);
    *d = NULL;
}

enum tp_err deliverer_connect(struct deliverer *d, struct tp_error *e)
{
    const struct terminal *t = d->terminal;

    return d->link != NULL ? TP_OK
                           : link_connect(&d->link, t->host, t->port, d->tls, t->timeout_ms, e);
}

static enum tp_err pack_echo(struct buf *out, struct iso8583 *m, const struct terminal_config *k,
                             struct tp_error *e)
{
    iso8583_start(m, MTI_NETWORK);
    iso8583_set_instant(m, time(NULL));
    iso8583_set_number(m, 11, 0);
    iso8583_set_text(m, 41, k->terminal_id);
    iso8583_set_text(m, 42, k->merchant_id);
    iso8583_set_number(m, 70, 301);
    return iso8583_pack(out, m, e);
}

static enum tp_err take_echo(struct iso8583 *m, struct span raw, struct tp_error *e)
{
    struct wire_answer a;

    if (iso8583_unpack(m, raw, NULL) != TP_OK || m->mti != MTI_NETWORK_RESPONSE ||
        profile_missing(PROFILE_TERMINAL, m) != 0 || wire_answer_read(&a, m, NULL) != TP_OK)
        return tp_fail(e, TP_ERR_PEER, "the acquirer answered an echo with nonsense");
    if (wire_answer_is_yes(&a))
        return TP_OK;
    if (!answer_is_final(&a))
        return tp_fail(e, TP_ERR_PEER, "%s (%s)", answer_text(a.code, false), a.code);
    return tp_fail(e, TP_ERR_CANCELLED, "%s (%s): nothing was signed", answer_text(a.code, false),
                   a.code);
}

enum tp_err deliverer_greet(struct deliverer *d, struct tp_error *e)
{
    struct iso8583 *m = calloc(1, sizeof(*m));
    uint8_t room[128];
    struct buf message = BUF_OF(room), answer = BUF_OF(d->answer);
    enum tp_err r = TP_ERR_NO_MEMORY;

    if (m == NULL)
        tp_fail(e, r, "no memory to reach the acquirer");
    else if ((r = deliverer_connect(d, e)) == TP_OK &&
             (r = pack_echo(&message, m, &d->terminal->kernel, e)) == TP_OK &&
             (r = link_exchange(
                  d->link, buf_span(&message), &answer,
                  d->terminal->timeout_ms < GREET_MS ? d->terminal->timeout_ms : GREET_MS, e)) ==
                 TP_OK)
        r = take_echo(m, buf_span(&answer), e);
    if (r != TP_OK)
        link_close(&d->link);
    free(m);
    return r;
}

static void trace(const char *way, struct span raw)
{
    struct iso8583 *m = calloc(1, sizeof(*m));
    char text[1024];

    if (m != NULL && iso8583_unpack(m, raw, NULL) == TP_OK)
        log_trace("%s %s", way, iso8583_trace(text, sizeof(text), m));
    else
        log_trace("%s %zu bytes that are no message", way, raw.n);
    if (m != NULL)
        secret_wipe(m, sizeof(*m));
    free(m);
}

/* What may still come on a connection that failed would be taken for the next answer. */
static enum tp_err exchange(struct deliverer *d, struct span message, struct buf *answer,
                            struct tp_error *e)
{
    enum tp_err r = deliverer_connect(d, e);

    if (r != TP_OK)
        return r;
    trace("to the acquirer:", message);
    r = link_exchange(d->link, message, answer, d->terminal->timeout_ms, e);
    if (r == TP_OK)
        trace("from the acquirer:", buf_span(answer));
    else
        link_close(&d->link);
    return r;
}

enum tp_err deliver_once(struct deliverer *d, struct span message, struct wire_answer *a,
                         struct tp_error *e)
{
    struct buf answer = BUF_OF(d->answer);
    enum tp_err r = exchange(d, message, &answer, e);

    if (r != TP_OK)
        return r;
    r = answer_parse(a, buf_span(&answer), message, e);
    if (r != TP_OK)
        link_close(&d->link);
    secret_wipe(d->answer, answer.n);
    return r;
}

enum tp_err deliver_question(struct deliverer *d, struct span message, struct iso8583 *m,
                             struct tp_error *e)
{
    struct buf answer = BUF_OF(d->answer);
    struct wire_answer a;
    enum tp_err r = exchange(d, message, &answer, e);

    if (r != TP_OK)
        return r;
    r = answer_unpack(m, &a, buf_span(&answer), message, e);
    if (r != TP_OK)
        link_close(&d->link);
    if (r != TP_OK || wire_answer_is_yes(&a))
        return r;
    return tp_fail(e, answer_is_final(&a) ? TP_ERR_CANCELLED : TP_ERR_PEER, "%s (%s)",
                   answer_words(&a), a.code);
}

/* Once, and made a repeat for the next time if it may have left. */
static enum tp_err attempt(struct deliverer *d, struct buf *message, struct wire_answer *a,
                           struct tp_error *e)
{
    enum tp_err r;

    memset(a, 0, sizeof(*a));
    r = deliverer_connect(d, e);
    if (r != TP_OK)
        return r;
    r = deliver_once(d, buf_span(message), a, e);
    message_make_repeat(message);
    if (r == TP_OK && !answer_is_final(a))
        r = tp_fail(e, TP_ERR_PEER, "%s (%s)", answer_text(a->code, answer_of_issuer(a)), a->code);
    return r;
}

enum tp_err deliver(struct deliverer *d, struct journal *j, int64_t id, struct buf *message,
                    bool sent_before, struct wire_answer *a, struct tp_error *e)
{
    int pause = FIRST_PAUSE_MS;
    enum tp_err r;

    if (sent_before)
        message_make_repeat(message);
    r = attempt(d, message, a, e);
    for (unsigned i = 0; i < d->terminal->repeats && (r == TP_ERR_PEER || r == TP_ERR_TIMEOUT);
         i++) {
        if (!d->pause(d->ctx, pause))
            return r;
        pause = pause < LAST_PAUSE_MS / 2 ? 2 * pause : LAST_PAUSE_MS;
        r = attempt(d, message, a, e);
    }
    return r == TP_OK ? journal_settle(j, id, a, e) : r;
}

enum tp_err deliver_try(struct deliverer *d, struct journal *j, int64_t id, struct buf *message,
                        struct wire_answer *a, struct tp_error *e)
{
    const enum tp_err r = attempt(d, message, a, e);

    return r == TP_OK ? journal_settle(j, id, a, e) : r;
}

enum tp_err deliver_pending(struct deliverer *d, struct journal *j, deliver_each *each, void *ctx,
                            struct tp_error *e)
{
    uint8_t room[MESSAGE_MAX];
    int64_t id = 0;
    struct receipt receipt;
    struct wire_answer a = {.code = ""};
    struct tp_error fault = {TP_OK, ""};
    enum tp_err r;

    for (;;) {
        struct buf message = BUF_OF(room);

        r = journal_pending(j, id, &id, &receipt, &message, e);
        if (r == TP_OK)
            r = deliver(d, j, id, &message, true, &a, e);
        secret_wipe(room, sizeof(room));
        if (r == TP_ERR_NOT_FOUND && fault.code != TP_OK && e != NULL)
            *e = fault;
        if (r == TP_ERR_NOT_FOUND)
            return fault.code;
        if (r == TP_ERR_PEER && a.code[0] != '\0' && !answer_is_final(&a)) {
            fault = e != NULL ? *e : (struct tp_error){r, ""};
            fault.code = r;
            continue;
        }
        if (r != TP_OK)
            return r;
        receipt_settle(&receipt, &a);
        each(ctx, &receipt);
    }
}
