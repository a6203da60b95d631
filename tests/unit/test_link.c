/* Links between a server of ours in threads and clients: ours, and a bare socket or OpenSSL
 * connection that misbehaves. */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/date.h"
#include "base/file.h"
#include "crypto/pki.h"
#include "wire/link.h"
#include "wire/link_line.h"

static char dir[32];

static const char *in_dir(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *out = paths[next++ % 8];

    snprintf(out, sizeof(paths[0]), "%s/%s", dir, name);
    return out;
}

/* ---- certificates ---- */

static void make_certificate(const char *authority, enum pki_role role, const char *o,
                             const char *cn, const char *hosts, const char *name)
{
    const struct pki_subject subject = {o, cn, hosts};
    struct tp_error e = {TP_OK, ""};
    char cert[40], key[40];

    snprintf(cert, sizeof(cert), "%s.pem", name);
    snprintf(key, sizeof(key), "%s.key", name);
    ck_assert_msg(pki_certificate_make(in_dir(authority), role, &subject, 30, in_dir(cert),
                                       in_dir(key), &e) == TP_OK,
                  "%s", e.text);
}

/* Gives the certificate NAME.pem a last day that is over, signed again by the authority: pki.h
 * itself makes none. */
static void expire_certificate(const char *authority, const char *name)
{
    char ca_key[60], cert_path[40];
    FILE *f;
    X509 *cert;
    EVP_PKEY *key;

    snprintf(ca_key, sizeof(ca_key), "%s/ca.key", authority);
    snprintf(cert_path, sizeof(cert_path), "%s.pem", name);
    f = fopen(in_dir(ca_key), "r");
    ck_assert_ptr_nonnull(f);
    key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    fclose(f);
    f = fopen(in_dir(cert_path), "r");
    ck_assert_ptr_nonnull(f);
    cert = PEM_read_X509(f, NULL, NULL, NULL);
    fclose(f);
    ck_assert(key != NULL && cert != NULL);
    ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notBefore(cert), -7200));
    ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notAfter(cert), -3600));
    ck_assert_int_ne(X509_sign(cert, key, EVP_sha256()), 0);
    f = fopen(in_dir(cert_path), "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(PEM_write_X509(f, cert), 1);
    fclose(f);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void setup_files(void)
{
    struct tp_error e;

    snprintf(dir, sizeof(dir), "/tmp/test_link.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_ok(pki_authority_make(in_dir("ca"), "Test authority", &e));
    ck_ok(pki_authority_make(in_dir("other"), "Another authority", &e));
    make_certificate("ca", PKI_SERVER, NULL, "localhost", "localhost,127.0.0.1", "server");
    make_certificate("ca", PKI_SERVER, NULL, "elsewhere.example", "elsewhere.example", "elsewhere");
    make_certificate("ca", PKI_SERVER, NULL, "localhost", "localhost,127.0.0.1", "server-old");
    expire_certificate("ca", "server-old");
    make_certificate("ca", PKI_CLIENT, "000000000000123", "00000001", NULL, "client");
    make_certificate("other", PKI_CLIENT, "000000000000123", "00000001", NULL, "stranger");
    make_certificate("ca", PKI_CLIENT, "000000000000123", "00000001", NULL, "client-old");
    expire_certificate("ca", "client-old");
}

static void remove_files(void)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    ck_assert_int_eq(system(command), 0);
}

static SSL_CTX *context(enum pki_role role, const char *authority, const char *name)
{
    SSL_CTX *tls = NULL;
    struct tp_error e = {TP_OK, ""};
    char ca[40], cert[40], key[40];

    snprintf(ca, sizeof(ca), "%s/ca.pem", authority);
    snprintf(cert, sizeof(cert), "%s.pem", name);
    snprintf(key, sizeof(key), "%s.key", name);
    ck_assert_msg(pki_tls_context(&tls, role, in_dir(ca), in_dir(cert), in_dir(key), &e) == TP_OK,
                  "%s", e.text);
    return tls;
}

/* ---- a server that echoes, answers twice, stays mute, or answers from another thread ---- */

struct server {
    struct link_server *link;
    pthread_t thread;
    char port[8];
    atomic_uint opened, closed, messages;
    char organisation[PKI_NAME_MAX], common_name[PKI_NAME_MAX];
    _Atomic(struct link_peer *) held; /* of the last "hold": answered by the test */
    unsigned delay_ms;
};

static enum tp_err on_opened(void *ctx, struct link_peer *peer, const char *organisation,
                             const char *common_name, void **user)
{
    struct server *s = ctx;

    (void)peer;
    snprintf(s->organisation, sizeof(s->organisation), "%s", organisation);
    snprintf(s->common_name, sizeof(s->common_name), "%s", common_name);
    *user = s;
    atomic_fetch_add(&s->opened, 1);
    return TP_OK;
}

static void *answer_later(void *ctx)
{
    struct link_peer *p = ctx;

    usleep(20000);
    link_send(p, span_str("later"));
    link_peer_unref(p);
    return NULL;
}

static void on_message(void *ctx, struct link_peer *peer, void *user, struct span message)
{
    struct server *s = ctx;
    pthread_t t;

    ck_assert_ptr_eq(user, s);
    atomic_fetch_add(&s->messages, 1);
    if (span_eq(message, span_str("mute")))
        return;
    if (span_eq(message, span_str("bye"))) {
        link_send(peer, span_str("so long"));
        link_peer_close(peer);
    } else if (span_eq(message, span_str("drop"))) {
        link_peer_close(peer);
    } else if (span_eq(message, span_str("later"))) {
        ck_assert_int_eq(pthread_create(&t, NULL, answer_later, link_peer_ref(peer)), 0);
        pthread_detach(t);
    } else if (span_eq(message, span_str("hold"))) {
        s->held = link_peer_ref(peer);
    } else {
        link_send(peer, message);
    }
}

static void on_closed(void *ctx, void *user)
{
    struct server *s = ctx;

    ck_assert_ptr_eq(user, s);
    atomic_fetch_add(&s->closed, 1);
}

static void *run_server(void *ctx)
{
    struct server *s = ctx;
    struct tp_error e;

    ck_ok(link_server_run(s->link, &e));
    return NULL;
}

static void server_make(struct server *s, SSL_CTX *tls)
{
    const struct link_events events = {
        .ctx = s, .opened = on_opened, .message = on_message, .closed = on_closed};
    struct tp_error e = {TP_OK, ""};

    memset(s, 0, sizeof(*s));
    ck_assert_msg(link_server_new(&s->link, "127.0.0.1", "0", tls, 2, &events, &e) == TP_OK, "%s",
                  e.text);
    snprintf(s->port, sizeof(s->port), "%u", link_server_port(s->link));
    SSL_CTX_free(tls); /* the server has its own reference */
}

static void server_start(struct server *s)
{
    ck_assert_int_eq(pthread_create(&s->thread, NULL, run_server, s), 0);
}

static void server_end(struct server *s)
{
    link_server_stop(s->link);
    pthread_join(s->thread, NULL);
    ck_assert_uint_eq(s->opened, s->closed);
    link_server_free(&s->link);
}

static void server_usual(struct server *s)
{
    server_make(s, context(PKI_SERVER, "ca", "server"));
    server_start(s);
}

static struct link_client *connected(const struct server *s)
{
    SSL_CTX *tls = context(PKI_CLIENT, "ca", "client");
    struct link_client *c = NULL;
    struct tp_error e = {TP_OK, ""};

    ck_assert_msg(link_connect(&c, "127.0.0.1", s->port, tls, 5000, &e) == TP_OK, "%s", e.text);
    SSL_CTX_free(tls);
    return c;
}

static void ck_exchange(struct link_client *c, const char *message, const char *answer)
{
    uint8_t room[64];
    struct buf b = BUF_OF(room);
    struct tp_error e = {TP_OK, ""};

    ck_assert_msg(link_exchange(c, span_str(message), &b, 5000, &e) == TP_OK, "%s", e.text);
    ck_assert(span_eq(buf_span(&b), span_str(answer)));
}

static void ck_exchange_fails(struct link_client *c, const char *message, enum tp_err code,
                              const char *words)
{
    uint8_t room[64];
    struct buf b = BUF_OF(room);
    struct tp_error e = {TP_OK, ""};

    ck_assert_int_eq(link_exchange(c, span_str(message), &b, 300, &e), code);
    ck_assert_msg(strstr(e.text, words) != NULL, "\"%s\" does not say \"%s\"", e.text, words);
}

/* ---- what goes well ---- */

START_TEST(messages_both_ways)
    {
        struct server s;
        struct link_client *c;

        server_usual(&s);
        c = connected(&s);
        ck_exchange(c, "one", "one");
        ck_exchange(c, "two", "two");
        ck_exchange(c, "later", "later");
        ck_assert_str_eq(s.organisation, "000000000000123");
        ck_assert_str_eq(s.common_name, "00000001");
        link_close(&c);
        ck_assert_ptr_null(c);
        server_end(&s);
        ck_assert_uint_eq(s.messages, 3);
    }
END_TEST

START_TEST(largest_message_and_many_at_once)
    {
        static uint8_t big[16384], room[20000];
        struct buf b = BUF_OF(room);
        struct server s;
        struct tp_error e = {TP_OK, ""};

        for (size_t i = 0; i < sizeof(big); i++)
            big[i] = (uint8_t)(i * 31);
        server_usual(&s);
        struct link_client *c = connected(&s);

        ck_ok(link_exchange(c, SPAN_OF(big), &b, 5000, &e));
        ck_assert(span_eq(buf_span(&b), SPAN_OF(big)));
        for (unsigned i = 0; i < 1000;
             i++) /* more than the server takes unanswered: it stops reading, nothing is lost */
            ck_ok(link_put(c, span_of(&big[i], 100), &e));
        for (unsigned i = 0; i < 1000; i++) {
            b.n = 0;
            ck_assert_msg(link_receive(c, &b, 5000, &e) == TP_OK, "%u: %s", i, e.text);
            ck_assert(span_eq(buf_span(&b), span_of(&big[i], 100)));
        }
        link_close(&c);
        server_end(&s);
    }
END_TEST

START_TEST(server_closes_after_its_last_word)
    {
        struct server s;

        server_usual(&s);
        struct link_client *c = connected(&s);

        ck_exchange(c, "bye", "so long");
        ck_exchange_fails(c, "more", TP_ERR_PEER, "closed the connection");
        link_close(&c);
        c = connected(&s);
        ck_exchange_fails(c, "drop", TP_ERR_PEER, "closed the connection before an answer");
        link_close(&c);
        server_end(&s);
    }
END_TEST

static void *stop_later(void *ctx)
{
    struct server *s = ctx;

    usleep(50000);
    link_server_stop(s->link);
    usleep(50000);
    link_send(s->held, span_str("held"));
    link_peer_unref(s->held);
    return NULL;
}

START_TEST(stop_waits_for_what_is_under_way)
    {
        struct server s;
        pthread_t t;

        server_usual(&s);
        struct link_client *c = connected(&s), *idle = connected(&s);
        struct tp_error e = {TP_OK, ""};
        uint8_t room[64];
        struct buf b = BUF_OF(room);

        ck_ok(link_put(c, span_str("hold"), &e));
        ck_exchange(idle, "one", "one");
        while (s.messages < 2)
            usleep(1000);
        ck_assert_int_eq(pthread_create(&t, NULL, stop_later, &s), 0);
        ck_assert_msg(link_receive(c, &b, 5000, &e) == TP_OK, "%s", e.text);
        ck_assert(span_eq(buf_span(&b), span_str("held")));
        pthread_join(t, NULL);
        server_end(&s);
        ck_exchange_fails(idle, "two", TP_ERR_PEER, "");
        link_close(&c);
        link_close(&idle);
    }
END_TEST

/* ---- who may not ---- */

static void ck_refused_client(const char *authority, const char *name, enum tp_err code,
                              const char *words)
{
    struct server s;
    SSL_CTX *tls = context(PKI_CLIENT, "ca", "client");
    struct link_client *c = NULL;
    struct tp_error e = {TP_OK, ""};
    uint8_t room[64];
    struct buf b = BUF_OF(room);
    enum tp_err r;

    if (name == NULL) { /* a context that shows no certificate */
        SSL_CTX_free(tls);
        tls = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
        ck_assert_int_eq(SSL_CTX_load_verify_locations(tls, in_dir("ca/ca.pem"), NULL), 1);
    } else {
        char cert[40], key[40];

        snprintf(cert, sizeof(cert), "%s.pem", name);
        snprintf(key, sizeof(key), "%s.key", name);
        SSL_CTX_free(tls);
        tls = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
        ck_assert_int_eq(SSL_CTX_load_verify_locations(tls, in_dir(authority), NULL), 1);
        ck_assert_int_eq(SSL_CTX_use_certificate_file(tls, in_dir(cert), SSL_FILETYPE_PEM), 1);
        ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(tls, in_dir(key), SSL_FILETYPE_PEM), 1);
    }
    server_usual(&s);
    r = link_connect(&c, "127.0.0.1", s.port, tls, 5000, &e);
    if (r == TP_OK) /* TLS 1.3: the refusal arrives with the first answer */
        r = link_exchange(c, span_str("one"), &b, 5000, &e);
    ck_assert_msg(r == code, "%d: %s", r, e.text);
    ck_assert_msg(strstr(e.text, words) != NULL, "\"%s\" does not say \"%s\"", e.text, words);
    link_close(&c);
    SSL_CTX_free(tls);
    server_end(&s);
    ck_assert_uint_eq(s.opened, 0);
    ck_assert_uint_eq(s.messages, 0);
}

START_TEST(client_without_certificate)
    {
        ck_refused_client("ca/ca.pem", NULL, TP_ERR_SECURITY, "refuses our certificate");
    }
END_TEST

START_TEST(client_of_another_authority)
    {
        ck_refused_client("ca/ca.pem", "stranger", TP_ERR_SECURITY, "refuses our certificate");
    }
END_TEST

START_TEST(client_whose_certificate_expired)
    {
        ck_refused_client("ca/ca.pem", "client-old", TP_ERR_SECURITY, "refuses our certificate");
    }
END_TEST

START_TEST(client_with_a_server_certificate)
    {
        ck_refused_client("ca/ca.pem", "elsewhere", TP_ERR_SECURITY, "refuses our certificate");
    }
END_TEST

static void ck_refused_server(const char *server, const char *trusted, const char *words)
{
    struct server s;
    SSL_CTX *tls = context(PKI_CLIENT, trusted, strcmp(trusted, "ca") == 0 ? "client" : "stranger");
    struct link_client *c = NULL;
    struct tp_error e = {TP_OK, ""};

    server_make(&s, context(PKI_SERVER, "ca", server));
    server_start(&s);
    ck_assert_int_eq(link_connect(&c, "127.0.0.1", s.port, tls, 5000, &e), TP_ERR_SECURITY);
    ck_assert_ptr_null(c);
    ck_assert_msg(strstr(e.text, words) != NULL, "\"%s\" does not say \"%s\"", e.text, words);
    SSL_CTX_free(tls);
    server_end(&s);
    ck_assert_uint_eq(s.opened, 0);
}

START_TEST(server_for_another_host)
    {
        ck_refused_server("elsewhere", "ca", "not to be trusted");
    }
END_TEST

START_TEST(server_whose_certificate_expired)
    {
        ck_refused_server("server-old", "ca", "expired");
    }
END_TEST

START_TEST(server_of_another_authority)
    {
        ck_refused_server("server", "other", "not to be trusted");
    }
END_TEST

/* ---- who cannot be reached, or does not answer ---- */

START_TEST(nobody_there)
    {
        SSL_CTX *tls = context(PKI_CLIENT, "ca", "client");
        struct link_client *c = NULL;
        struct tp_error e = {TP_OK, ""};
        struct server s;

        server_usual(&s);
        server_end(&s); /* its port is free now */
        ck_assert_int_eq(link_connect(&c, "127.0.0.1", s.port, tls, 2000, &e), TP_ERR_PEER);
        ck_assert_ptr_nonnull(strstr(e.text, "Connection refused"));
        ck_assert_int_eq(link_connect(&c, "no-such-host.invalid", "1", tls, 2000, &e), TP_ERR_PEER);
        ck_assert_ptr_nonnull(strstr(e.text, "no address for no-such-host.invalid"));
        SSL_CTX_free(tls);
    }
END_TEST

static int listening(char port[8])
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, n), 0);
    ck_assert_int_eq(listen(fd, 4), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    snprintf(port, 8, "%u", ntohs(a.sin_port));
    return fd;
}

START_TEST(server_that_never_speaks)
    {
        SSL_CTX *tls = context(PKI_CLIENT, "ca", "client");
        struct link_client *c = NULL;
        struct tp_error e = {TP_OK, ""};
        char port[8];
        const int fd = listening(port);
        const int64_t start = time_monotonic_ms();

        ck_assert_int_eq(link_connect(&c, "127.0.0.1", port, tls, 200, &e), TP_ERR_TIMEOUT);
        ck_assert_int_lt(time_monotonic_ms() - start, 2000);
        ck_assert_ptr_nonnull(strstr(e.text, "no answer in"));
        close(fd);
        SSL_CTX_free(tls);
    }
END_TEST

static void *speak_nonsense(void *ctx)
{
    const int fd = accept(*(int *)ctx, NULL, NULL);

    ck_assert_int_eq(write(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28), 28);
    shutdown(fd, SHUT_WR);
    usleep(100000);
    close(fd);
    return NULL;
}

START_TEST(server_that_is_no_server)
    {
        SSL_CTX *tls = context(PKI_CLIENT, "ca", "client");
        struct link_client *c = NULL;
        struct tp_error e = {TP_OK, ""};
        char port[8];
        int fd = listening(port);
        pthread_t t;

        ck_assert_int_eq(pthread_create(&t, NULL, speak_nonsense, &fd), 0);
        ck_assert_int_eq(link_connect(&c, "127.0.0.1", port, tls, 2000, &e), TP_ERR_PEER);
        ck_assert_msg(strstr(e.text, "TLS fails during the TLS handshake") != NULL, "%s", e.text);
        pthread_join(t, NULL);
        close(fd);
        SSL_CTX_free(tls);
    }
END_TEST

START_TEST(answer_that_does_not_come)
    {
        struct server s;

        server_usual(&s);
        struct link_client *c = connected(&s);

        ck_exchange_fails(c, "mute", TP_ERR_TIMEOUT, "no answer in 300 ms");
        ck_exchange_fails(c, "one", TP_ERR_PEER,
                          "given up after a time-out"); /* its answer could be the late one */
        link_close(&c);
        server_end(&s);
    }
END_TEST

START_TEST(answer_that_is_too_long)
    {
        struct server s;
        uint8_t small[4];
        struct buf b = BUF_OF(small);
        struct tp_error e;

        server_usual(&s);
        struct link_client *c = connected(&s);

        ck_assert_int_eq(link_exchange(c, span_str("12345"), &b, 2000, &e), TP_ERR_PEER);
        ck_assert_ptr_nonnull(strstr(e.text, "answered with 5 bytes"));
        ck_assert_int_eq(link_put(c, span_of(small, 0), &e), TP_ERR_RANGE);
        link_close(&c);
        server_end(&s);
    }
END_TEST

/* ---- peers that misbehave towards the server: a TLS connection driven by hand ---- */

struct raw {
    int fd;
    SSL *ssl;
    SSL_CTX *tls;
};

static int raw_socket(const struct server *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons((uint16_t)atoi(s->port))};
    const struct timeval tv = {.tv_sec = 10};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    return fd;
}

static void raw_open(struct raw *r, const struct server *s)
{
    r->fd = raw_socket(s);
    r->tls = context(PKI_CLIENT, "ca", "client");
    r->ssl = SSL_new(r->tls);
    ck_assert_int_eq(SSL_set_fd(r->ssl, r->fd), 1);
    ck_assert_int_eq(SSL_connect(r->ssl), 1);
}

static void raw_close(struct raw *r)
{
    SSL_free(r->ssl);
    SSL_CTX_free(r->tls);
    close(r->fd);
}

/* True when the server ends the connection (within the socket's 10 s). */
static bool raw_ended(struct raw *r)
{
    uint8_t b[4096];
    int n;

    do
        n = SSL_read(r->ssl, b, sizeof(b));
    while (n > 0);
    return SSL_get_error(r->ssl, n) == SSL_ERROR_ZERO_RETURN ||
           (errno != EAGAIN && errno != EWOULDBLOCK);
}

/* The server has seen the whole handshake, which SSL_connect does not wait for. */
static void raw_known(struct raw *r)
{
    uint8_t b[5];

    ck_assert_int_eq(SSL_write(r->ssl, "\x00\x03one", 5), 5);
    ck_assert_int_gt(SSL_read(r->ssl, b, sizeof(b)), 0);
}

static void still_serves(const struct server *s)
{
    struct link_client *c = connected(s);

    ck_exchange(c, "one", "one");
    link_close(&c);
}

START_TEST(garbage_instead_of_tls)
    {
        struct server s;
        uint8_t b[64];

        server_usual(&s);
        const int fd = raw_socket(&s);

        ck_assert_int_eq(write(fd, "\x00\x05hello this is no TLS at all, sorry", 37), 37);
        errno = 0;
        while (read(fd, b, sizeof(b)) > 0)
            ;
        ck_assert_int_ne(errno, EAGAIN);
        close(fd);
        still_serves(&s);
        server_end(&s);
        ck_assert_uint_eq(s.opened, 1);
    }
END_TEST

START_TEST(handshake_that_does_not_end)
    {
        struct server s;
        uint8_t b;

        server_make(&s, context(PKI_SERVER, "ca", "server"));
        link_server_limits(s.link)->handshake_ms = 150;
        server_start(&s);
        const int fd = raw_socket(&s);
        const int64_t start = time_monotonic_ms();

        ck_assert_int_eq(read(fd, &b, 1), 0);
        ck_assert_int_lt(time_monotonic_ms() - start, 5000);
        close(fd);
        still_serves(&s);
        server_end(&s);
    }
END_TEST

START_TEST(lengths_that_cannot_be)
    {
        static const char *const heads[] = {"\x00\x00", "\x40\x01", "\xFF\xFF"};
        struct server s;

        server_usual(&s);
        for (size_t i = 0; i < 3; i++) {
            struct raw r;

            raw_open(&r, &s);
            ck_assert_int_eq(SSL_write(r.ssl, heads[i], 2), 2);
            ck_assert(raw_ended(&r));
            raw_close(&r);
        }
        still_serves(&s);
        server_end(&s);
        ck_assert_uint_eq(s.messages, 1);
    }
END_TEST

/* What the log says of a header of another kind; the log goes to a file while the server runs. */
START_TEST(headers_of_another_kind)
    {
        const bool gives_up = _i == 1; /* the peer, before the server does */
        static const struct {
            const char *bytes;
            size_t n;
            const char *said;
        } rows[] = {
            {"0120\x08\x00", 6, "four ASCII digits"},
            {"\x00\x00\x00\x14", 4, "four bytes"},
            {"\x00\x0B\x60\x00\x01\x00\x00\x08\x00", 9, "a TPDU"},
            {"\x60\x00\x01\x00\x00\x08\x00", 7, "a TPDU"},
            {"\x00\x06\x08\x00\x20\x00", 6, "counts its own two bytes"},
            {"\x04\x00\x08\x00\x20\x00", 6, "low byte first"},
            {"\x00\x12\x08\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00", 14, "BCD"},
        };
        const int before = dup(STDERR_FILENO);
        FILE *log = tmpfile();
        struct server s;
        char line[512];

        ck_assert_ptr_nonnull(log);
        dup2(fileno(log), STDERR_FILENO);
        server_make(&s, context(PKI_SERVER, "ca", "server"));
        link_server_limits(s.link)->message_ms = gives_up ? 60000 : 100;
        server_start(&s);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct raw r;

            raw_open(&r, &s);
            ck_assert_int_eq(SSL_write(r.ssl, rows[i].bytes, (int)rows[i].n), (int)rows[i].n);
            if (!gives_up)
                ck_assert(raw_ended(&r));
            raw_close(&r);
            while (s.closed < i + 1)
                usleep(1000);
        }
        server_end(&s);
        dup2(before, STDERR_FILENO);
        close(before);
        rewind(log);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            ck_assert_ptr_nonnull(fgets(line, sizeof(line), log));
            ck_assert_msg(strstr(line, rows[i].said) != NULL &&
                              strstr(line, "wanted is a length of 2 bytes") != NULL,
                          "%zu: %s", i, line);
        }
        fclose(log);
        ck_assert_uint_eq(s.messages, 0);
    }
END_TEST

START_TEST(message_that_trickles)
    {
        struct server s;
        struct raw r;
        int64_t start;
        unsigned sent = 0;

        server_make(&s, context(PKI_SERVER, "ca", "server"));
        link_server_limits(s.link)->message_ms = 200;
        server_start(&s);
        raw_open(&r, &s);
        start = time_monotonic_ms();
        ck_assert_int_eq(SSL_write(r.ssl, "\x00\x64", 2), 2);
        while (sent < 90 && SSL_write(r.ssl, "x", 1) ==
                                1) { /* each byte comes in good time, the whole does not */
            struct pollfd p = {.fd = r.fd, .events = POLLIN};

            sent++;
            if (poll(&p, 1, 20) > 0)
                break;
        }
        ck_assert_uint_lt(sent, 90);
        ck_assert(raw_ended(&r));
        ck_assert_int_lt(time_monotonic_ms() - start, 1700);
        raw_close(&r);
        still_serves(&s);
        server_end(&s);
        ck_assert_uint_eq(s.messages, 1);
    }
END_TEST

START_TEST(peer_that_is_idle)
    {
        struct server s;
        struct raw r;

        server_make(&s, context(PKI_SERVER, "ca", "server"));
        link_server_limits(s.link)->idle_ms = 150;
        server_start(&s);
        raw_open(&r, &s);
        ck_assert(raw_ended(&r));
        raw_close(&r);
        server_end(&s);
    }
END_TEST

START_TEST(peer_that_never_reads)
    {
        static uint8_t message[2 + 16000] = {16000 >> 8, 16000 & 0xFF};
        struct server s;
        struct raw r;
        unsigned sent = 0;

        server_make(&s, context(PKI_SERVER, "ca", "server"));
        link_server_limits(s.link)->write_ms = 300;
        server_start(&s);
        raw_open(&r, &s);
        fcntl(r.fd, F_SETFL, O_NONBLOCK);
        const int64_t start = time_monotonic_ms();

        while (time_monotonic_ms() - start < 8000) { /* pours messages in and takes no answer */
            const int n = SSL_write(r.ssl, message, sizeof(message));

            if (n > 0) {
                sent++;
                continue;
            }
            if (SSL_get_error(r.ssl, n) != SSL_ERROR_WANT_WRITE)
                break;
            usleep(1000);
        }
        ck_assert_int_lt(time_monotonic_ms() - start, 8000);
        ck_assert_uint_gt(sent, 10);
        raw_close(&r);
        still_serves(&s);
        server_end(&s);
    }
END_TEST

START_TEST(too_many_connections)
    {
        struct server s;
        struct raw one, two;
        uint8_t b;

        server_make(&s, context(PKI_SERVER, "ca", "server"));
        link_server_limits(s.link)->connections = 2;
        server_start(&s);
        raw_open(&one, &s);
        raw_open(&two, &s);
        raw_known(&one);
        raw_known(&two);
        const int third = raw_socket(&s);

        errno = 0; /* an end leaves it as it was */
        ck_assert_int_le(read(third, &b, 1), 0);
        ck_assert_int_ne(errno, EAGAIN);
        close(third);
        raw_close(&one);
        while (s.closed < 1)
            usleep(1000);
        still_serves(&s);
        raw_close(&two);
        server_end(&s);
    }
END_TEST

/* Thousands of bare connections, each held open: honest ones come in through them, before,
 * meanwhile and after. */
#define FLOOD 4300

struct flood {
    const struct server *s;
    int fd[FLOOD];
};

static void *pour(void *ctx)
{
    struct flood *f = ctx;

    for (unsigned i = 0; i < FLOOD; i++) {
        f->fd[i] = raw_socket(f->s);
        if (i % 2 == 0 && write(f->fd[i], "nonsense", 8) < 0) /* half of them talk, and no TLS */
            continue;
    }
    return NULL;
}

START_TEST(flood_of_strangers)
    {
        static struct flood f;
        struct rlimit files = {0, 0};
        struct server s;
        pthread_t t;

        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
        files.rlim_cur = files.rlim_max;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
        if (files.rlim_cur < 3 * FLOOD) /* both ends are in this process */
            return;
        server_usual(&s);
        f.s = &s;
        still_serves(&s);
        ck_assert_int_eq(pthread_create(&t, NULL, pour, &f), 0);
        for (unsigned i = 0; i < 50; i++)
            still_serves(&s);
        pthread_join(t, NULL);
        for (unsigned i = 0; i < 50; i++)
            still_serves(&s);
        for (unsigned i = 0; i < FLOOD; i++)
            close(f.fd[i]);
        server_end(&s);
        ck_assert_uint_eq(s.messages, 101);
    }
END_TEST

START_TEST(strangers_go_for_strangers)
    {
        struct server s;
        struct raw one;
        uint8_t b;

        server_make(&s, context(PKI_SERVER, "ca", "server"));
        link_server_limits(s.link)->of_network = 3;
        server_start(&s);
        raw_open(&one, &s);
        ck_assert_int_eq(SSL_write(one.ssl, "\x00\x03one", 5), 5);
        while (s.messages < 1)
            usleep(1000);
        int fd[4];

        for (unsigned i = 0; i < 4; i++)
            fd[i] = raw_socket(&s);
        errno = 0;
        ck_assert_int_le(read(fd[0], &b, 1),
                         0); /* the oldest has gone, and is no longer waited for */
        ck_assert_int_ne(errno, EAGAIN);
        for (unsigned i = 0; i < 4; i++)
            close(fd[i]);
        ck_assert_int_eq(SSL_write(one.ssl, "\x00\x03two", 5), 5); /* one that is known has not */
        while (s.messages < 2)
            usleep(1000);
        raw_close(&one);
        server_end(&s);
    }
END_TEST

START_TEST(connections_under_one_certificate)
    {
        struct server s;
        struct raw r[3];

        server_make(&s, context(PKI_SERVER, "ca", "server"));
        link_server_limits(s.link)->of_name = 2;
        server_start(&s);
        for (unsigned i = 0; i < 3; i++) {
            raw_open(&r[i], &s);
            while (s.opened <= i)
                usleep(1000);
        }
        ck_assert(raw_ended(&r[0]));
        for (unsigned i = 1; i < 3; i++)
            ck_assert_int_eq(SSL_write(r[i].ssl, "\x00\x03two", 5), 5);
        while (s.messages < 2)
            usleep(1000);
        for (unsigned i = 0; i < 3; i++)
            raw_close(&r[i]);
        server_end(&s);
    }
END_TEST

START_TEST(connection_cut_while_the_answer_is_made)
    {
        struct server s;
        struct raw r;

        server_usual(&s);
        raw_open(&r, &s);
        ck_assert_int_eq(SSL_write(r.ssl, "\x00\x05later", 7), 7);
        while (s.messages < 1)
            usleep(1000);
        raw_close(&r); /* the answer comes 20 ms later, to nobody */
        while (s.closed < 1)
            usleep(1000);
        usleep(40000);
        still_serves(&s);
        server_end(&s);
    }
END_TEST

START_TEST(an_address_that_is_taken_or_none)
    {
        struct server s;
        struct link_server *second = NULL;
        const struct link_events events = {.message = on_message};
        SSL_CTX *tls = context(PKI_SERVER, "ca", "server");
        struct tp_error e;

        server_usual(&s);
        ck_assert_int_eq(link_server_new(&second, "127.0.0.1", s.port, tls, 1, &events, &e),
                         TP_ERR_USAGE);
        ck_assert_ptr_nonnull(strstr(e.text, "Address already in use"));
        ck_assert_int_eq(link_server_new(&second, "300.0.0.1", "0", tls, 1, &events, &e),
                         TP_ERR_USAGE);
        ck_assert_ptr_null(second);
        SSL_CTX_free(tls);
        server_end(&s);
    }
END_TEST

/* ---- a standing line ---- */

#define CONNECT_MS 500

struct line_user {
    struct link_line *line;
    atomic_bool up;
};

static void line_up(void *ctx)
{
    struct line_user *u = ctx;

    u->up = true;
}

static void line_down(void *ctx, const struct tp_error *e)
{
    (void)ctx;
    ck_abort_msg("%s", e->text);
}

static void line_message(void *ctx, struct span message)
{
    (void)ctx;
    (void)message;
}

static void line_tick(void *ctx)
{
    (void)ctx;
}

/* At the line's goodbye, on its own thread: until its next tick is due. */
static void wait_at_the_goodbye(const SSL *ssl, int where, int value)
{
    (void)ssl;
    (void)value;
    if (where & SSL_CB_WRITE_ALERT)
        usleep(5000);
}

static void context_freed(void *parent, void *p, CRYPTO_EX_DATA *ad, int index, long n, void *arg)
{
    (void)parent, (void)p, (void)ad, (void)index, (void)n;
    *(bool *)arg = true;
}

/* It does not connect again; an SSL that is left behind would keep its context. */
START_TEST(line_that_is_due_as_it_ends)
    {
        const struct link_line_limits limits = {CONNECT_MS, 50, 50, 1};
        static bool freed;
        struct line_user u = {.line = NULL};
        const struct link_line_events events = {&u, line_up, line_down, line_message, line_tick};
        SSL_CTX *tls = context(PKI_CLIENT, "ca", "client");
        struct server s;
        struct tp_error e;

        ck_assert_int_ge(SSL_CTX_get_ex_new_index(0, &freed, NULL, NULL, context_freed), 0);
        SSL_CTX_set_info_callback(tls, wait_at_the_goodbye);
        server_usual(&s);
        ck_ok(link_line_new(&u.line, "127.0.0.1", s.port, tls, &limits, &events, &e));
        while (!u.up)
            usleep(100);
        usleep(CONNECT_MS * 1000); /* nothing but the end itself keeps it from connecting again */
        link_line_free(&u.line);
        SSL_CTX_free(tls);
        ck_assert(freed);
        ck_assert_uint_eq(s.opened, 1);
        server_end(&s);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("link");
    TCase *t = tcase_create("link");

    tcase_set_timeout(t, 60);
    tcase_add_unchecked_fixture(t, setup_files, remove_files);
    tcase_add_test(t, messages_both_ways);
    tcase_add_test(t, largest_message_and_many_at_once);
    tcase_add_test(t, server_closes_after_its_last_word);
    tcase_add_test(t, stop_waits_for_what_is_under_way);
    tcase_add_test(t, client_without_certificate);
    tcase_add_test(t, client_of_another_authority);
    tcase_add_test(t, client_whose_certificate_expired);
    tcase_add_test(t, client_with_a_server_certificate);
    tcase_add_test(t, server_for_another_host);
    tcase_add_test(t, server_whose_certificate_expired);
    tcase_add_test(t, server_of_another_authority);
    tcase_add_test(t, nobody_there);
    tcase_add_test(t, server_that_never_speaks);
    tcase_add_test(t, server_that_is_no_server);
    tcase_add_test(t, answer_that_does_not_come);
    tcase_add_test(t, answer_that_is_too_long);
    suite_add_tcase(s, t);
    t = tcase_create("peers");
    tcase_set_timeout(t, 60);
    tcase_add_unchecked_fixture(t, setup_files, remove_files);
    tcase_add_test(t, garbage_instead_of_tls);
    tcase_add_test(t, handshake_that_does_not_end);
    tcase_add_test(t, lengths_that_cannot_be);
    tcase_add_test(t, message_that_trickles);
    tcase_add_test(t, peer_that_is_idle);
    tcase_add_test(t, peer_that_never_reads);
    tcase_add_test(t, too_many_connections);
    tcase_add_loop_test(t, headers_of_another_kind, 0, 2);
    tcase_add_test(t, flood_of_strangers);
    tcase_add_test(t, strangers_go_for_strangers);
    tcase_add_test(t, connections_under_one_certificate);
    tcase_add_test(t, connection_cut_while_the_answer_is_made);
    tcase_add_test(t, an_address_that_is_taken_or_none);
    tcase_add_test(t, line_that_is_due_as_it_ends);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
