#include "issuer/server.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "crypto/pki.h"
#include "issuer/writer.h"
#include "issuer/state.h"
#include "wire/profile.h"

#define THREADS_MAX 64

struct worker {        /* what one loop thread works with */
    struct book *book; /* to look acquirers up */
    struct iso8583 message;
    struct request request;
};

struct issuer_server {
    struct link_server *link;
    struct writer *writer;
    struct worker *worker[THREADS_MAX];
    unsigned threads;
    int lock_fd; /* on the folder: two writers would each hold the accounts for their own */
};

struct incoming { /* one message under way */
    struct issuer_server *server;
    struct worker *worker;
    struct link_peer *peer;
    const char *id; /* the acquirer that the certificate names */
    struct echo echo;
};

static void answer(struct incoming *in, const char *code, const char *reason)
{
    reply_send(in->peer, &in->echo, code, reason);
    log_note("%04u %s (%s): %s %s", in->worker->message.mti, in->id, link_peer_address(in->peer),
             code, reason);
}

/* True when the acquirer of the certificate is the one of the message, and open; else it is
 * answered. */
static bool admitted(struct incoming *in, struct acquirer *from)
{
    char id[ACQUIRER_ID_MAX];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    if (iso8583_text(&in->worker->message, 32, id, sizeof(id)) != TP_OK) {
        answer(in, "30", "DE32");
        return false;
    }
    if (strcmp(id, in->id) != 0) {
        answer(in, "58", "CERTIFICATE");
        return false;
    }
    r = book_acquirer_get(in->worker->book, in->id, from, &e);
    if (r != TP_OK && r != TP_ERR_NOT_FOUND) {
        log_error("%s", e.text);
        answer(in, "96", "");
    } else if (r != TP_OK || !from->open) {
        answer(in, "58", "ACQUIRER");
    }
    return r == TP_OK && from->open;
}

static void on_request(struct incoming *in)
{
    struct request *q = &in->worker->request;
    struct acquirer from;
    const char *bad = NULL;

    if (!admitted(in, &from))
        return;
    if (request_read(q, &bad, &in->worker->message) != TP_OK)
        answer(in, "96", "");
    else if (bad != NULL)
        answer(in, "30", bad);
    else if (writer_take(in->server->writer, q, &from, &in->echo, in->peer) != TP_OK)
        answer(in, "96", "");
    request_wipe(q);
}

static void on_network(struct incoming *in)
{
    struct acquirer from;
    uint64_t code = 0;

    if (iso8583_number(&in->worker->message, 70, &code) != TP_OK)
        answer(in, "30", "DE70");
    else if (code != 1 && code != 2 && code != 301)
        answer(in, "12", "DE70");
    else if (admitted(in, &from) && writer_echo(in->server->writer, in->worker->message.mti, &from,
                                                &in->echo, in->peer) != TP_OK)
        answer(in, "96", "");
}

static const struct {
    unsigned mti;
    void (*handle)(struct incoming *in);
} handlers[] = {{MTI_AUTHORISATION, on_request},
                {MTI_REVERSAL, on_request},
                {MTI_REVERSAL_REPEAT, on_request},
                {MTI_NETWORK, on_network}};

/* A message that does not parse is answered 30 when at least its type and STAN could be read, so
 * that the acquirer knows which it was. */
static void on_malformed(struct incoming *in, const struct tp_error *e)
{
    const struct iso8583 *m = &in->worker->message;
    bool known = false;

    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
        known |= handlers[i].mti == m->mti;
    log_note("%s (%s): message %04u: %s", link_peer_address(in->peer), in->id, m->mti, e->text);
    if (known && iso8583_has(m, 11))
        answer(in, "30", "");
    else
        link_peer_close(in->peer);
}

/* A request of a kind that is served; without all that its kind needs it goes no further. */
static void held_against_profile(struct incoming *in, void (*handle)(struct incoming *in))
{
    const struct iso8583 *m = &in->worker->message;
    char reason[PROFILE_REASON_MAX];

    if (!iso8583_has(m, 11)) {
        log_note("%s (%s): message %04u has no DE 11 to answer it under: closed",
                 link_peer_address(in->peer), in->id, m->mti);
        link_peer_close(in->peer);
    } else if (profile_fault(reason, PROFILE_ISSUER, m) != NULL) {
        answer(in, "30", reason);
    } else {
        handle(in);
    }
}

static void dispatch(struct incoming *in)
{
    const struct iso8583 *m = &in->worker->message;

    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        if (handlers[i].mti == m->mti) {
            held_against_profile(in, handlers[i].handle);
            return;
        }
    }
    if (m->mti / 10 % 2 == 0 && iso8583_has(m, 11)) { /* a request of a kind that is not served */
        answer(in, "12", "MTI");
        return;
    }
    log_note("%s (%s): message type %04u is none for an issuer: closed",
             link_peer_address(in->peer), in->id, m->mti);
    link_peer_close(in->peer);
}

static void on_message(void *ctx, struct link_peer *peer, void *user, struct span raw)
{
    struct issuer_server *s = ctx;
    struct worker *w = s->worker[link_peer_thread(peer)];
    struct incoming in = {.server = s, .worker = w, .peer = peer, .id = user};
    struct tp_error e = {TP_OK, ""};
    const enum tp_err r = iso8583_unpack(&w->message, raw, &e);

    echo_take(&in.echo, &w->message, PROFILE_ISSUER);
    if (r == TP_OK)
        dispatch(&in);
    else
        on_malformed(&in, &e);
    secret_wipe(&w->message.text_room, sizeof(w->message.text_room));
    secret_wipe(&in.echo, sizeof(in.echo));
}

static enum tp_err on_opened(void *ctx, struct link_peer *peer, const char *organisation,
                             const char *common_name, void **user)
{
    (void)ctx;
    (void)organisation;
    if (strlen(common_name) >= ACQUIRER_ID_MAX ||
        strspn(common_name, "0123456789") != strlen(common_name)) {
        log_note("%s: the certificate names no acquirer (CN=%s)", link_peer_address(peer),
                 common_name);
        return TP_ERR_SECURITY;
    }
    *user = strdup(common_name);
    return *user != NULL ? TP_OK : TP_ERR_NO_MEMORY;
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
    book_close(&w->book);
    free(w);
}

static enum tp_err worker_new(struct worker **out, const char *dir, struct tp_error *e)
{
    struct worker *w = calloc(1, sizeof(*w));
    enum tp_err r = w != NULL ? issuer_open_book(&w->book, dir, e)
                              : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a server");

    *out = NULL;
    if (r == TP_OK)
        *out = w;
    else
        worker_free(w);
    return r;
}

enum tp_err issuer_server_new(struct issuer_server **out, const char *dir, const char *address,
                              const char *port, unsigned threads, struct tp_error *e)
{
    struct issuer_server *s = calloc(1, sizeof(*s));
    struct issuer_settings *settings = calloc(1, sizeof(*settings));
    const struct link_events events = {
        .ctx = s, .opened = on_opened, .message = on_message, .closed = on_closed};
    SSL_CTX *tls = NULL;
    enum tp_err r = s != NULL && settings != NULL
                        ? TP_OK
                        : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a server");

    *out = NULL;
    if (s != NULL)
        s->lock_fd = -1;
    if (r == TP_OK)
        r = file_lock_folder(&s->lock_fd, dir, "telepay-issuer", e);
    if (r == TP_OK)
        r = issuer_settings_load(settings, dir, e);
    if (r == TP_OK)
        r = pki_tls_context(&tls, PKI_SERVER, settings->tls.ca, settings->tls.certificate,
                            settings->tls.key, e);
    if (r == TP_OK)
        s->threads = threads < 1 ? 1 : threads > THREADS_MAX ? THREADS_MAX : threads;
    for (unsigned i = 0; r == TP_OK && i < s->threads; i++)
        r = worker_new(&s->worker[i], dir, e);
    if (r == TP_OK)
        r = writer_new(&s->writer, dir, settings->atc_jump, e);
    if (r == TP_OK)
        r = link_server_new(&s->link, address, port, tls, s->threads, &events, e);
    SSL_CTX_free(tls);
    free(settings);
    if (r == TP_OK)
        *out = s;
    else
        issuer_server_free(&s);
    return r;
}

struct link_server *issuer_server_link(struct issuer_server *s)
{
    return s->link;
}

/* The writer goes first: its last answers need the peers, which need their loops. */
void issuer_server_free(struct issuer_server **out)
{
    struct issuer_server *s = *out;

    if (s == NULL)
        return;
    writer_free(&s->writer);
    link_server_free(&s->link);
    for (unsigned i = 0; i < s->threads; i++)
        worker_free(s->worker[i]);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    free(s);
    *out = NULL;
}
