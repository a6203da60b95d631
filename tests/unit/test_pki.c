/* X.509: authorities, certificates, TLS contexts. */
#include "unit.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "crypto/pki.h"

static char dir[] = "/tmp/test_pki.XXXXXX";

static const char *at(const char *name)
{
    static char paths[8][128]; /* a call of a test uses a few at once */
    static unsigned next;
    char *p = paths[next++ % 8];

    snprintf(p, 128, "%s/%s", dir, name);
    return p;
}

static void give(const char *authority, enum pki_role role, const char *name,
                 const char *organisation, const char *hosts)
{
    const struct pki_subject subject = {organisation, name, hosts};
    char cert[64], key[64];
    struct tp_error e = {0};

    snprintf(cert, sizeof(cert), "%s.pem", name);
    snprintf(key, sizeof(key), "%s.key", name);
    ck_assert_msg(pki_certificate_make(at(authority), role, &subject, 365, at(cert), at(key), &e) ==
                      TP_OK,
                  "%s", e.text);
}

static void make(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_ok(pki_authority_make(at("ours"), "telepay test authority", NULL));
    ck_ok(pki_authority_make(at("theirs"), "another authority", NULL));
    give("ours", PKI_SERVER, "localhost", NULL, "localhost,127.0.0.1,::1");
    give("ours", PKI_CLIENT, "00000001", "000000000000123", NULL);
    give("theirs", PKI_CLIENT, "00000666", "000000000000123", NULL);
}

static void drop(void)
{
    char command[160];

    snprintf(command, sizeof(command), "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static SSL_CTX *context(enum pki_role role, const char *name, const char *authority)
{
    char cert[64], key[64], ca[64];
    SSL_CTX *ctx = NULL;
    struct tp_error e = {0};

    snprintf(cert, sizeof(cert), "%s.pem", name);
    snprintf(key, sizeof(key), "%s.key", name);
    snprintf(ca, sizeof(ca), "%s/ca.pem", authority);
    ck_assert_msg(pki_tls_context(&ctx, role, at(ca), at(cert), at(key), &e) == TP_OK, "%s",
                  e.text);
    return ctx;
}

/* Both ends in one process, over memory. */
struct pair {
    SSL_CTX *server_ctx, *client_ctx;
    SSL *server, *client;
    bool done;
};

static void shake(struct pair *p, SSL_CTX *server_ctx, SSL_CTX *client_ctx, const char *host)
{
    BIO *a = NULL, *b = NULL;
    char byte;

    *p = (struct pair){server_ctx, client_ctx, SSL_new(server_ctx), SSL_new(client_ctx), false};
    ck_assert_int_eq(BIO_new_bio_pair(&a, 0, &b, 0), 1);
    SSL_set_bio(p->server, a, a);
    SSL_set_bio(p->client, b, b);
    SSL_set_accept_state(p->server);
    SSL_set_connect_state(p->client);
    if (host != NULL)
        ck_ok(pki_tls_expect_host(p->client, host));
    for (int i = 0; i < 20 && !p->done; i++) {
        const int c = SSL_do_handshake(p->client), s = SSL_do_handshake(p->server);

        p->done = c == 1 && s == 1;
    }
    (void)SSL_read(
        p->client, &byte,
        1); /* TLS 1.3: a refusal of the client's certificate comes after its handshake */
}

static void part(struct pair *p)
{
    SSL_free(p->server);
    SSL_free(p->client);
    SSL_CTX_free(p->server_ctx);
    SSL_CTX_free(p->client_ctx);
}

START_TEST(peers_of_one_authority_meet)
    {
        static const char *const hosts[] = {"localhost", "127.0.0.1", "::1"};

        for (size_t i = 0; i < 3; i++) {
            struct pair p;
            char o[PKI_NAME_MAX], cn[PKI_NAME_MAX];

            shake(&p, context(PKI_SERVER, "localhost", "ours"),
                  context(PKI_CLIENT, "00000001", "ours"), hosts[i]);
            ck_assert_msg(p.done, "%s / %s", pki_tls_reason(p.server), pki_tls_reason(p.client));
            ck_assert_int_ge(SSL_version(p.client), TLS1_2_VERSION);
            ck_ok(pki_peer_name(p.server, o, cn));
            ck_assert_str_eq(o, "000000000000123");
            ck_assert_str_eq(cn, "00000001");
            ck_ok(pki_peer_name(p.client, o, cn));
            ck_assert_str_eq(o, "");
            ck_assert_str_eq(cn, "localhost");
            part(&p);
        }
    }
END_TEST

START_TEST(strangers_are_refused_with_a_reason)
    {
        struct pair p;
        char o[PKI_NAME_MAX], cn[PKI_NAME_MAX];

        shake(&p, context(PKI_SERVER, "localhost", "ours"), context(PKI_CLIENT, "00000666", "ours"),
              "localhost");
        ck_assert(!p.done);
        ck_assert_ptr_nonnull(strstr(pki_tls_reason(p.server), "not of our authority"));
        ck_assert_ptr_nonnull(strstr(pki_tls_reason(p.client), "not of its authority"));
        ck_assert_int_eq(pki_peer_name(p.server, o, cn), TP_ERR_SECURITY);
        part(&p);
        shake(&p, context(PKI_SERVER, "localhost", "ours"), context(PKI_CLIENT, "00000001", "ours"),
              "elsewhere");
        ck_assert(!p.done);
        ck_assert_ptr_nonnull(strstr(pki_tls_reason(p.client), "another host"));
        part(&p);
        /* a terminal's certificate does not make a server, nor a server's a terminal */
        shake(&p, context(PKI_SERVER, "00000001", "ours"), context(PKI_CLIENT, "00000001", "ours"),
              NULL);
        ck_assert(!p.done);
        ck_assert_ptr_nonnull(strstr(pki_tls_reason(p.client), "another role"));
        part(&p);
        shake(&p, context(PKI_SERVER, "localhost", "ours"),
              context(PKI_CLIENT, "localhost", "ours"), NULL);
        ck_assert(!p.done);
        ck_assert_ptr_nonnull(strstr(pki_tls_reason(p.server), "another role"));
        part(&p);
    }
END_TEST

START_TEST(no_certificate_and_old_tls_are_refused)
    {
        struct pair p;
        SSL_CTX *bare = SSL_CTX_new(TLS_client_method()),
                *old = context(PKI_CLIENT, "00000001", "ours");
        char o[PKI_NAME_MAX], cn[PKI_NAME_MAX];

        shake(&p, context(PKI_SERVER, "localhost", "ours"), bare, NULL);
        ck_assert(!p.done);
        ck_assert_int_eq(pki_peer_name(p.server, o, cn), TP_ERR_SECURITY);
        part(&p);
        SSL_CTX_set_min_proto_version(old, TLS1_1_VERSION);
        SSL_CTX_set_max_proto_version(old, TLS1_1_VERSION);
        shake(&p, context(PKI_SERVER, "localhost", "ours"), old, NULL);
        ck_assert(!p.done);
        part(&p);
    }
END_TEST

START_TEST(files)
    {
        struct tp_error e;
        struct stat st;
        SSL_CTX *ctx = NULL;
        const struct pki_subject long_name = {
            NULL, "a name of more than sixty-four characters is more than X.520 allows here", NULL};
        const struct pki_subject bad_host = {NULL, "server", "local host;rm"};

        ck_assert_int_eq(stat(at("ours/ca.key"), &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        ck_assert_int_eq(stat(at("00000001.key"), &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        ck_assert_int_eq(pki_authority_make(at("ours"), "again", &e), TP_ERR_EXISTS);
        ck_assert_int_eq(pki_certificate_make(at("absent"), PKI_CLIENT, &bad_host, 1, at("x.pem"),
                                              at("x.key"), &e),
                         TP_ERR_NOT_FOUND);
        ck_assert_int_eq(pki_certificate_make(at("ours"), PKI_SERVER, &bad_host, 1, at("x.pem"),
                                              at("x.key"), &e),
                         TP_ERR_USAGE);
        ck_assert_int_eq(pki_certificate_make(at("ours"), PKI_CLIENT, &long_name, 1, at("x.pem"),
                                              at("x.key"), &e),
                         TP_ERR_USAGE);
        ck_assert_int_ne(stat(at("x.pem"), &st), 0);
        ck_assert_int_eq(pki_tls_context(&ctx, PKI_CLIENT, at("ours/ca.pem"), at("absent.pem"),
                                         at("00000001.key"), &e),
                         TP_ERR_NOT_FOUND);
        ck_assert_int_eq(pki_tls_context(&ctx, PKI_CLIENT, at("ours/ca.pem"), at("00000001.pem"),
                                         at("00000666.key"), &e),
                         TP_ERR_SECURITY);
        ck_assert_ptr_null(ctx);
        ck_assert_ptr_nonnull(strstr(e.text, "00000666.key"));
    }
END_TEST

START_TEST(no_certificate_outlives_its_authority)
    {
        const struct pki_subject s = {"o", "cn", NULL};
        X509 *ca = NULL, *cert = NULL;
        FILE *f;

        ck_ok(pki_certificate_make(at("ours"), PKI_CLIENT, &s, 36500, at("old.pem"), at("old.key"),
                                   NULL));
        f = fopen(at("ours/ca.pem"), "r");
        ca = PEM_read_X509(f, NULL, NULL, NULL);
        fclose(f);
        f = fopen(at("old.pem"), "r");
        cert = PEM_read_X509(f, NULL, NULL, NULL);
        fclose(f);
        ck_assert_int_eq(ASN1_TIME_compare(X509_get0_notAfter(ca), X509_get0_notAfter(cert)), 0);
        ck_assert_int_eq(X509_check_ca(cert), 0);
        X509_free(ca);
        X509_free(cert);
    }
END_TEST

static bool has(const char *name, enum pki_role role)
{
    char path[64];
    BIO *bio;

    snprintf(path, sizeof(path), "%s.pem", name);
    bio = BIO_new_file(at(path), "r");
    ck_assert_ptr_nonnull(bio);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    ck_assert_ptr_nonnull(cert);
    const bool is = pki_has_role(cert, role);

    X509_free(cert);
    BIO_free(bio);
    return is;
}

START_TEST(a_certificate_has_one_role)
    {
        static const char *const names[] = {"localhost", "00000001", "mediator", "sealing",
                                            "acknowledgement"};

        give("ours", PKI_ORDER, names[PKI_ORDER], "000000000000123", NULL);
        give("ours", PKI_SEALING, names[PKI_SEALING], NULL, NULL);
        give("ours", PKI_ACKNOWLEDGEMENT, names[PKI_ACKNOWLEDGEMENT], NULL, NULL);
        for (int given = PKI_SERVER; given <= PKI_ACKNOWLEDGEMENT; given++)
            for (int role = PKI_SERVER; role <= PKI_ACKNOWLEDGEMENT; role++)
                ck_assert(has(names[given], (enum pki_role)role) == (given == role));
    }
END_TEST

START_TEST(a_key_for_orders_opens_no_connection)
    {
        struct pair p;

        give("ours", PKI_ORDER, "orders", "000000000000123", NULL);
        shake(&p, context(PKI_SERVER, "localhost", "ours"), context(PKI_CLIENT, "orders", "ours"),
              NULL);
        ck_assert(!p.done);
        part(&p);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("pki");
    TCase *t = tcase_create("pki");

    tcase_add_unchecked_fixture(t, make, drop);
    tcase_add_test(t, peers_of_one_authority_meet);
    tcase_add_test(t, strangers_are_refused_with_a_reason);
    tcase_add_test(t, no_certificate_and_old_tls_are_refused);
    tcase_add_test(t, files);
    tcase_add_test(t, no_certificate_outlives_its_authority);
    tcase_add_test(t, a_certificate_has_one_role);
    tcase_add_test(t, a_key_for_orders_opens_no_connection);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
