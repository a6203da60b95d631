#include "mediator_fixture.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../tools/postgres.h"
#include "base/file.h"
#include "order/token.h"

static const char conf[] = "[acquirer]\n"
                           "id = " ACQUIRER "\n"
                           "host = 127.0.0.1\n"
                           "port = 8701\n"
                           "ca = ca.pem\n"
                           "certificate = mediator.pem\n"
                           "key = mediator.key\n"
                           "sealing = sealing.pem\n"
                           "parameters = parameters.jws\n"
                           "[contract " CONTRACT "]\n"
                           "terminal = " TERMINAL "\n"
                           "merchant = Librairie du Port\n"
                           "currency = EUR\n"
                           "country = 250\n"
                           "mcc = 5994\n"
                           "ceiling = 5000\n"
                           "certificate = order.pem\n"
                           "key = order.key\n"
                           "[contract " OTHER_CONTRACT "]\n"
                           "terminal = M0000002\n"
                           "merchant = Kiosque\n"
                           "currency = EUR\n"
                           "country = 250\n"
                           "mcc = 5994\n"
                           "ceiling = 100\n"
                           "certificate = order-2.pem\n"
                           "key = order-2.key\n";

static const char service_conf[] = "[service]\n"
                                   "url = https://127.0.0.1:8743/\n"
                                   "ca = ../../acquirers/" ACQUIRER "/ca.pem\n"
                                   "certificate = ../../acquirers/" ACQUIRER "/mediator.pem\n"
                                   "key = ../../acquirers/" ACQUIRER "/mediator.key\n";

const char *fixture_path(const struct mediator_fixture *f, const char *name)
{
    static char paths[8][256]; /* a call of a test uses a few at once */
    static unsigned next;
    char *p = paths[next++ % 8];

    snprintf(p, sizeof(paths[0]), "%s/%s", f->dir, name);
    return p;
}

void fixture_write(const struct mediator_fixture *f, const char *name, const char *text)
{
    ck_ok(file_replace(fixture_path(f, name), span_str(text), 0600, NULL));
}

void fixture_conf(const struct mediator_fixture *f, const char *from, const char *to)
{
    char text[sizeof(conf) + 1024];
    const char *at = from != NULL ? strstr(conf, from) : NULL;

    if (from == NULL) {
        fixture_write(f, "acquirers/" ACQUIRER "/mediator.conf", conf);
        return;
    }
    ck_assert_ptr_nonnull(at);
    snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - conf), conf, to, at + strlen(from));
    fixture_write(f, "acquirers/" ACQUIRER "/mediator.conf", text);
}

static void give(struct mediator_fixture *f, enum pki_role role, const char *organisation,
                 const char *name, const char *file)
{
    const struct pki_subject subject = {organisation, name, NULL};
    char cert[128], key[128];

    snprintf(cert, sizeof(cert), "acquirers/" ACQUIRER "/%s.pem", file);
    snprintf(key, sizeof(key), "acquirers/" ACQUIRER "/%s.key", file);
    ck_ok(pki_certificate_make(fixture_path(f, "pki"), role, &subject, 30, fixture_path(f, cert),
                               fixture_path(f, key), &f->e));
}

static void give_parameters(struct mediator_fixture *f)
{
    const char *cert = fixture_path(f, "acquirers/" ACQUIRER "/acknowledgement.pem");
    struct order_key key = {0};
    json_t *payload = json_pack("{s:i}", "version", 7);
    char *jws = NULL;

    give(f, PKI_ACKNOWLEDGEMENT, NULL, ACQUIRER, "acknowledgement");
    ck_ok(order_key_load(&key, cert, fixture_path(f, "acquirers/" ACQUIRER "/acknowledgement.key"),
                         &f->e));
    ck_ok(token_sign(&jws, payload, "telepay-parameters", &key, &f->e));
    fixture_write(f, "acquirers/" ACQUIRER "/parameters.jws", jws);
    free(jws);
    json_decref(payload);
    order_key_free(&key);
}

void fixture_make(struct mediator_fixture *f)
{
    char url[300];
    struct orderbook *b = NULL;

    *f = (struct mediator_fixture){.dir = "/tmp/telepay-mediator-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(f->dir));
    ck_ok(file_make_dir(fixture_path(f, "acquirers/" ACQUIRER), 0700, &f->e));
    ck_ok(file_make_dir(fixture_path(f, "services/" SERVICE), 0700, &f->e));
    ck_ok(pki_authority_make(fixture_path(f, "pki"), "acquirer of a test", &f->e));
    ck_ok(file_copy(fixture_path(f, "pki/ca.pem"), fixture_path(f, "acquirers/" ACQUIRER), "ca.pem",
                    0644, &f->e));
    give(f, PKI_CLIENT, "telepay-mediator", "med", "mediator");
    give(f, PKI_SEALING, NULL, ACQUIRER, "sealing");
    give(f, PKI_ORDER, CONTRACT, "med", "order");
    give(f, PKI_ORDER, OTHER_CONTRACT, "med", "order-2");
    give_parameters(f);
    fixture_conf(f, NULL, NULL);
    fixture_write(f, "services/" SERVICE "/service.conf", service_conf);
    if (postgres_wanted())
        postgres_database(url, sizeof(url));
    ck_ok(orderbook_make(f->dir, postgres_wanted() ? url : NULL, &f->e));
    ck_ok(orderbook_open(&b, f->dir, &f->e));
    ck_ok(fixture_sell(b, SERVICE, CONTRACT, NULL, &f->e));
    orderbook_close(&b);
}

static const char purse_conf[] = "[acquirer]\n"
                                 "id = " PURSE "\n"
                                 "means = purse\n"
                                 "url = https://127.0.0.1:8744/\n"
                                 "ca = ../" ACQUIRER "/ca.pem\n"
                                 "[contract " PURSE_CONTRACT "]\n"
                                 "merchant = Librairie du Port\n"
                                 "currency = EUR\n"
                                 "certificate = ../" ACQUIRER "/order-purse.pem\n"
                                 "key = ../" ACQUIRER "/order-purse.key\n";

void fixture_purse(struct mediator_fixture *f)
{
    ck_ok(file_make_dir(fixture_path(f, "acquirers/" PURSE), 0700, &f->e));
    give(f, PKI_ORDER, PURSE_CONTRACT, "med", "order-purse");
    fixture_write(f, "acquirers/" PURSE "/mediator.conf", purse_conf);
}

enum tp_err fixture_sell(struct orderbook *b, const char *service, const char *contract,
                         const char *other, struct tp_error *e)
{
    struct orderbook_service s = {.contracts = other != NULL ? 2 : 1};

    snprintf(s.name, sizeof(s.name), "%s", service);
    snprintf(s.contract[0], sizeof(s.contract[0]), "%s", contract);
    snprintf(s.contract[1], sizeof(s.contract[1]), "%s", other != NULL ? other : "");
    return orderbook_service_add(b, &s, e);
}

void fixture_open(struct mediator_fixture *f)
{
    const struct registry_events none = {NULL, NULL};

    memset(f->key, 7, sizeof(f->key));
    ck_assert_msg(registry_open(&f->registry, f->dir, &none, &f->e) == TP_OK, "%s", f->e.text);
    ck_assert_msg(orderbook_open(&f->book, f->dir, &f->e) == TP_OK, "%s", f->e.text);
    ck_ok(order_authority_load(&f->authority, fixture_path(f, "pki/ca.pem"), &f->e));
    f->issuing = (struct issuing){.key = SPAN_OF(f->key),
                                  .origin = "https://shop.example",
                                  .realm = "shop.example",
                                  .registry = f->registry};
}

void fixture_close(struct mediator_fixture *f)
{
    orderbook_close(&f->book);
    registry_close(&f->registry);
    order_authority_free(&f->authority);
}

void fixture_start(struct mediator_fixture *f)
{
    fixture_make(f);
    fixture_open(f);
}

void fixture_end(struct mediator_fixture *f)
{
    char command[160];

    fixture_close(f);
    snprintf(command, sizeof(command), "rm -rf %s", f->dir);
    ck_assert_int_eq(system(command), 0);
}

/* ---- orders ---- */

struct orderbook_order fixture_order(int64_t made, int valid)
{
    struct orderbook_order o = {.service = SERVICE,
                                .made = made,
                                .since = made,
                                .valid_until = made + valid,
                                .state = STATE_REQUESTED,
                                .method = "GET",
                                .path = "/article-1",
                                .query = "",
                                .url = "https://shop.example/s/journal/article-1",
                                .item = "Article 1",
                                .merchant = "Librairie du Port",
                                .amount = 150,
                                .currency = 978,
                                .delivery = DELIVERY_NETWORK,
                                .attempt = 1};

    challenge_order_id(o.id);
    return o;
}

void fixture_ask(struct mediator_fixture *f, struct move *m, int64_t made, int valid)
{
    uint8_t hash[32];

    *m = (struct move){.event = EVENT_ASKED, .now = made, .order = fixture_order(made, valid)};
    memcpy(m->id, m->order.id, sizeof(m->id));
    memcpy(m->attempt.order, m->order.id, sizeof(m->id));
    m->attempt.n = m->attempt.place = 1;
    snprintf(m->attempt.contract, sizeof(m->attempt.contract), CONTRACT);
    m->quote = strdup(QUOTE_TEXT);
    ck_assert_int_eq(EVP_Digest(QUOTE_TEXT, strlen(QUOTE_TEXT), hash, NULL, EVP_sha256(), NULL), 1);
    ck_assert_msg(challenge_make(&m->attempt, &m->order, hash, NULL, &f->issuing, &f->e) == TP_OK,
                  "%s", f->e.text);
}

void fixture_ask_both(struct mediator_fixture *f, struct move *m, int64_t made, int valid)
{
    struct orderbook_attempt *a = &m->others[0];
    uint8_t hash[32];

    fixture_ask(f, m, made, valid);
    memcpy(a->order, m->id, sizeof(a->order));
    a->n = a->place = 2;
    snprintf(a->contract, sizeof(a->contract), PURSE_CONTRACT);
    ck_assert_int_eq(EVP_Digest(QUOTE_TEXT, strlen(QUOTE_TEXT), hash, NULL, EVP_sha256(), NULL), 1);
    ck_assert_msg(challenge_make(a, &m->order, hash, NULL, &f->issuing, &f->e) == TP_OK, "%s",
                  f->e.text);
    m->n_others = 1;
}

enum tp_err fixture_apply(struct mediator_fixture *f, struct move *m)
{
    enum tp_err r;

    ck_ok(orderbook_begin(f->book, &f->e));
    move_reset(m);
    r = move_apply(m, f->book, &f->issuing, &f->e);
    if (r == TP_OK)
        r = orderbook_commit(f->book, &f->e);
    else
        orderbook_rollback(f->book);
    return r;
}
