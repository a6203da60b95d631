/* An acquirer that behaves as a test wants. It verifies nothing; the real one is telepay-acquirer.
 *
 *     fake_acquirer make DIR                 makes DIR/pki (authority, server), a stranger's
 * authority, and a terminal in DIR: telepay.conf, certificates fake_acquirer serve DIR MODE [PORT]
 * listens and says on which port: "fake_acquirer: listening on 127.0.0.1:N"
 *
 * MODE: a DE 39 ("00", but 91 to an ARQC; "63 SDAD_HASH"), or garbage, other (an answer to another
 * payment), mute, close, stranger (a certificate of another authority), or lost (the first answer
 * is not sent, the next are 00), sick (96 to 1.11, else 00), or issuer (00, also to an ARQC, with
 * an approval code and an ARPC that no card believes). Each message is told on stdout: "0200
 * 000012 12.50" (MTI, STAN, amount). */
#include <errno.h>
#include <inttypes.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "base/file.h"
#include "crypto/pki.h"
#include "wire/iso8583.h"
#include "wire/link.h"

struct acquirer {
    const char *mode;
    unsigned messages;
};

static const char terminal_conf[] =
    "[acquirer]\nid=0123456789ABCDEF\nhost=127.0.0.1\nport=%s\nca=ca.pem\ncertificate=terminal."
    "pem\nkey=terminal.key\ntimeout=%s\nrepeats=1\n"
    "[terminal]\nid=00000001\ncontract=000000000000123\nname=Librairie du "
    "Port\nmcc=5942\ncurrency=EUR\ncountry=250\ntype=35\n"
    "capabilities=2098C8\nadditional=6000F0A001\nserial=TP000001\n"
    "[authorities]\nfiles=authority.json\n[journal]\nfile=journal.db\n"
    "[application "
    "F0000000141010]\npartial=yes\nversion=0001\ntac_denial=0000000000\ntac_online=FC78F8F800\ntac_"
    "default=FC78F8F800\nfloor=5000\n";

static int fail(const struct tp_error *e)
{
    fprintf(stderr, "fake_acquirer: %s\n", e->text);
    return EXIT_FAILURE;
}

static enum tp_err write_conf(const char *dir, const char *port, struct tp_error *e)
{
    char path[512], text[2048];
    const int n = snprintf(text, sizeof(text), terminal_conf, port, "1");

    snprintf(path, sizeof(path), "%s/telepay.conf", dir);
    return file_replace(path, span_of(text, (size_t)n), 0644, e);
}

static enum tp_err copy(const char *dir, const char *from, const char *to, struct tp_error *e)
{
    char source[512], target[512];
    uint8_t *data = NULL;
    size_t n;
    enum tp_err r;

    snprintf(source, sizeof(source), "%s/%s", dir, from);
    snprintf(target, sizeof(target), "%s/%s", dir, to);
    r = file_read(source, 65536, &data, &n, e);
    if (r == TP_OK)
        r = file_replace(target, span_of(data, n), 0644, e);
    free(data);
    return r;
}

/* An authority in dir/name with a server certificate, and for the terminal a client certificate in
 * dir. */
static enum tp_err make_authority(const char *dir, const char *name, const char *terminal,
                                  struct tp_error *e)
{
    const struct pki_subject server = {.common_name = "localhost", .hosts = "localhost,127.0.0.1"},
                             client = {.organisation = "000000000000123",
                                       .common_name = "00000001"};
    char pki[256], cert[512], key[512];
    enum tp_err r;

    snprintf(pki, sizeof(pki), "%s/%s", dir, name);
    snprintf(cert, sizeof(cert), "%s/server.pem", pki);
    snprintf(key, sizeof(key), "%s/server.key", pki);
    if ((r = file_make_dir(pki, 0700, e)) != TP_OK ||
        (r = pki_authority_make(pki, name, e)) != TP_OK ||
        (r = pki_certificate_make(pki, PKI_SERVER, &server, 2, cert, key, e)) != TP_OK)
        return r;
    snprintf(cert, sizeof(cert), "%s/%s.pem", dir, terminal);
    snprintf(key, sizeof(key), "%s/%s.key", dir, terminal);
    return pki_certificate_make(pki, PKI_CLIENT, &client, 2, cert, key, e);
}

static int make(const char *dir)
{
    struct tp_error e = {0};

    if (file_make_dir(dir, 0700, &e) != TP_OK ||
        make_authority(dir, "pki", "terminal", &e) != TP_OK ||
        make_authority(dir, "stranger", "stranger", &e) != TP_OK ||
        copy(dir, "pki/ca.pem", "ca.pem", &e) != TP_OK || write_conf(dir, "1", &e) != TP_OK)
        return fail(&e);
    return EXIT_SUCCESS;
}

/* A cryptogram that asks for the issuer: there is one in the mode "issuer" alone. */
static bool asks_issuer(const struct iso8583 *m)
{
    struct tlv cid;

    return tlv_find(m->field[55], TAG_CID, &cid) == TP_OK && cid.value.n == 1 &&
           (cid.value.p[0] & 0xC0) == 0x80;
}

/* What a 0210 echoes of the 0200, and the answer. */
static void answer(struct link_peer *peer, const struct iso8583 *m, const char *code,
                   const char *reason, const char *stan)
{
    static const unsigned echoed[] = {3, 4, 7, 11, 12, 13, 41, 42, 49};
    static const uint8_t word[] = {0x8A, 0x02, '0', '0', 0x91, 0x08, 1, 2, 3, 4, 5, 6, 7, 8};
    static struct iso8583 a;
    static uint8_t room[ISO8583_MAX];
    struct buf b = BUF_OF(room);
    char text[64], rrn[13];

    iso8583_start(&a, m->mti - m->mti % 10 + 10);
    for (size_t i = 0; i < sizeof(echoed) / sizeof(echoed[0]); i++)
        a.field[echoed[i]] = m->field[echoed[i]];
    if (stan != NULL)
        iso8583_set_text(&a, 11, stan);
    if (iso8583_text(m, 11, text, sizeof(text)) != TP_OK)
        abort();
    snprintf(rrn, sizeof(rrn), "632700%.6s", text);
    if (asks_issuer(m) && strcmp(code, "00") == 0) {
        iso8583_set_text(&a, 38, "A12345");
        iso8583_set(&a, 55, SPAN_OF(word));
    }
    iso8583_set_text(&a, 37, rrn);
    iso8583_set_text(&a, 39, code);
    if (reason != NULL)
        iso8583_set_text(&a, 44, reason);
    if (iso8583_pack(&b, &a, NULL) != TP_OK)
        abort();
    link_send(peer, buf_span(&b));
}

static void tell(const struct iso8583 *m)
{
    char stan[16];
    uint64_t amount;

    if (iso8583_text(m, 11, stan, sizeof(stan)) == TP_OK && iso8583_number(m, 4, &amount) == TP_OK)
        printf("%04u %s %" PRIu64 ".%02" PRIu64 "\n", m->mti, stan, amount / 100, amount % 100);
    fflush(stdout);
}

static void echo(struct link_peer *peer, const struct iso8583 *m)
{
    static struct iso8583 a;
    uint8_t room[128];
    struct buf b = BUF_OF(room);
    static const unsigned echoed[] = {7, 11, 41, 42, 70};

    iso8583_start(&a, MTI_NETWORK_RESPONSE);
    for (size_t i = 0; i < sizeof(echoed) / sizeof(echoed[0]); i++)
        a.field[echoed[i]] = m->field[echoed[i]];
    iso8583_set_text(&a, 39, "00");
    if (iso8583_pack(&b, &a, NULL) != TP_OK)
        abort();
    link_send(peer, buf_span(&b));
}

static void message(void *ctx, struct link_peer *peer, void *user, struct span raw)
{
    struct acquirer *q = ctx;
    static struct iso8583 m;
    const char *mode = q->mode;
    char code[3] = "";

    (void)user;
    if (iso8583_unpack(&m, raw, NULL) != TP_OK) {
        printf("no message\n");
        return;
    }
    if (m.mti == MTI_NETWORK && (mode[0] <= '9' || strcmp(mode, "lost") == 0 ||
                                 strcmp(mode, "issuer") == 0 || strcmp(mode, "sick") == 0)) {
        echo(peer, &m);
        return;
    }
    tell(&m);
    q->messages++;
    snprintf(code, sizeof(code), "%.2s", mode);
    if (strcmp(mode, "garbage") == 0)
        link_send(peer, span_str("\x02\x10\xFF\xFF\xFF\xFF garbage"));
    else if (strcmp(mode, "other") == 0 && m.mti != MTI_NETWORK)
        answer(peer, &m, "00", NULL, "999999");
    else if (strcmp(mode, "00") == 0 && asks_issuer(&m))
        answer(peer, &m, "91", NULL, NULL);
    else if (strcmp(mode, "issuer") == 0 || (strcmp(mode, "lost") == 0 && q->messages > 1))
        answer(peer, &m, "00", NULL, NULL);
    else if (strcmp(mode, "sick") == 0) /* for one amount of the day */
        answer(peer, &m, span_eq(m.field[4], span_str("000000000111")) ? "96" : "00", NULL, NULL);
    else if (code[0] >= '0' && code[0] <= '9')
        answer(peer, &m, code, mode[2] == ' ' ? mode + 3 : NULL, NULL);
    else if (strcmp(mode, "close") == 0) {
        fflush(stdout);
        _exit(EXIT_SUCCESS); /* cut off in the middle, as when the line or the acquirer dies */
    }
}

static enum tp_err opened(void *ctx, struct link_peer *peer, const char *organisation,
                          const char *common_name, void **user)
{
    (void)ctx;
    (void)peer;
    *user = NULL;
    printf("terminal %s of contract %s\n", common_name, organisation);
    fflush(stdout);
    return TP_OK;
}

static void closed(void *ctx, void *user)
{
    (void)ctx;
    (void)user;
}

static int serve(const char *dir, const char *mode, const char *port)
{
    struct acquirer q = {.mode = mode};
    const struct link_events events = {
        .ctx = &q, .opened = opened, .message = message, .closed = closed};
    const char *pki = strcmp(mode, "stranger") == 0 ? "stranger" : "pki";
    char ca[512], cert[512], key[512], text[8];
    struct link_server *s = NULL;
    struct tp_error e = {0};
    SSL_CTX *tls = NULL;

    snprintf(ca, sizeof(ca), "%s/%s/ca.pem", dir, pki);
    snprintf(cert, sizeof(cert), "%s/%s/server.pem", dir, pki);
    snprintf(key, sizeof(key), "%s/%s/server.key", dir, pki);
    if (pki_tls_context(&tls, PKI_SERVER, ca, cert, key, &e) != TP_OK ||
        link_server_new(&s, "127.0.0.1", port, tls, 1, &events, &e) != TP_OK)
        return fail(&e);
    snprintf(text, sizeof(text), "%u", link_server_port(s));
    if (write_conf(dir, text, &e) != TP_OK)
        return fail(&e);
    printf("fake_acquirer: listening on 127.0.0.1:%s\n", text);
    fflush(stdout);
    if (link_server_run(s, &e) != TP_OK)
        return fail(&e);
    link_server_free(&s);
    SSL_CTX_free(tls);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "make") == 0)
        return make(argv[2]);
    if ((argc == 4 || argc == 5) && strcmp(argv[1], "serve") == 0)
        return serve(argv[2], argv[3], argc == 5 ? argv[4] : "0");
    fprintf(stderr, "usage: fake_acquirer make DIR | serve DIR MODE [PORT]\n");
    return 2;
}
