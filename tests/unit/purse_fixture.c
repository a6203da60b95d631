#include "purse_fixture.h"

#include <inttypes.h>
#include <stdio.h>

#include "../tools/postgres.h"
#include "order/key_files.h"

static void add_contract(struct purse_fixture *f, const char *id)
{
    struct book_contract c = {.currency = EUR};

    snprintf(c.contract, sizeof(c.contract), "%s", id);
    snprintf(c.name, sizeof(c.name), "Librairie du Port");
    snprintf(c.iban, sizeof(c.iban), "FR7630006000011234567890189");
    ck_ok(book_contract_add(f->book, &c, &f->e));
}

void fixture_start(struct purse_fixture *f)
{
    char url[300], path[96];

    *f = (struct purse_fixture){.dir = "/tmp/telepay-purse-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(f->dir));
    if (postgres_wanted())
        postgres_database(url, sizeof(url));
    ck_assert_msg(book_make(f->dir, postgres_wanted() ? url : NULL, &f->e) == TP_OK, "%s",
                  f->e.text);
    ck_ok(book_open(&f->book, f->dir, &f->e));
    ck_ok(book_acquirer(f->book, f->acquirer, &f->e));
    snprintf(path, sizeof(path), "%s/pki", f->dir);
    ck_ok(pki_authority_make(path, "purse of a test", &f->e));
    ck_ok(key_files_make(f->dir, "acknowledgement", PKI_ACKNOWLEDGEMENT, f->acquirer, &f->e));
    ck_ok(key_files_load(&f->key, f->dir, "acknowledgement", &f->e));
    snprintf(path, sizeof(path), "%s/pki/ca.pem", f->dir);
    ck_ok(order_authority_load(&f->authority, path, &f->e));
    f->settings.n = 1;
    f->settings.currency[0] = (struct purse_currency){.currency = currency_by_numeric(EUR),
                                                      .payment = LIMIT_PAYMENT,
                                                      .day = LIMIT_DAY,
                                                      .balance = LIMIT_BALANCE};
    f->desk = (struct desk){f->book, &f->settings, &f->key, f->acquirer};
    ck_ok(book_mediator_add(f->book, MEDIATOR, &f->e));
    add_contract(f, CONTRACT);
    add_contract(f, OTHER_CONTRACT);
}

void fixture_end(struct purse_fixture *f)
{
    char command[96];

    book_close(&f->book);
    order_key_free(&f->key);
    order_authority_free(&f->authority);
    snprintf(command, sizeof(command), "rm -rf %s", f->dir);
    ck_assert_int_eq(system(command), 0);
}

void fixture_secret(uint8_t secret[ED25519_KEY], unsigned n)
{
    memset(secret, 7, ED25519_KEY);
    memcpy(secret, &n, sizeof(n));
}

enum tp_err fixture_book(struct purse_fixture *f, const char *account, enum booking_kind kind,
                         int64_t amount, const char *reference)
{
    struct booking b = {.kind = kind, .amount = amount, .at = NOW, .record = span_str("record")};

    snprintf(b.account, sizeof(b.account), "%s", account);
    snprintf(b.reference, sizeof(b.reference), "%s", reference);
    return book_book(f->book, &b, LIMIT_BALANCE, &f->e);
}

void fixture_account(struct purse_fixture *f, char account[PURSE_ACCOUNT], unsigned n,
                     int64_t amount)
{
    uint8_t secret[ED25519_KEY], key[ED25519_KEY];
    char reference[BOOK_REFERENCE];
    enum purse_verdict v = PURSE_FAULT;
    struct account a;

    fixture_secret(secret, n);
    ck_ok(ed25519_public(key, secret, &f->e));
    ck_ok(book_begin(f->book, &f->e));
    ck_ok(book_account_open(f->book, &v, &a, key, EUR, "opening", NOW, &f->e));
    ck_ok(book_commit(f->book, &f->e));
    ck_assert_int_eq(v, PURSE_NEW);
    memcpy(account, a.account, PURSE_ACCOUNT);
    snprintf(reference, sizeof(reference), "TRANSFER %u", n);
    if (amount > 0)
        ck_ok(fixture_book(f, account, BOOKING_FILLED, amount, reference));
}

struct payment fixture_payment(unsigned account, int64_t counter, unsigned order, int64_t amount)
{
    static char statements[8][96];
    static unsigned next;
    char *statement = statements[next++ % 8];
    uint8_t secret[ED25519_KEY];
    struct payment p = {.counter = counter,
                        .amount = amount,
                        .ceiling = 1000000,
                        .currency = EUR,
                        .statement = statement,
                        .challenge = "{}",
                        .found = PURSE_NEW};

    fixture_secret(secret, account);
    ck_ok(ed25519_public(p.key, secret, NULL));
    ck_ok(ed25519_thumbprint(p.account, p.key, NULL));
    snprintf(p.order, sizeof(p.order), "%s", "aaaaaaaaaaaaaaaaaaaaaaaaaa");
    for (size_t i = sizeof(p.order) - 2; order > 0; i--, order /= 26)
        p.order[i] = (char)('a' + order % 26);
    snprintf(p.contract, sizeof(p.contract), CONTRACT);
    snprintf(p.mediator, sizeof(p.mediator), MEDIATOR);
    snprintf(p.r, sizeof(p.r), "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
    snprintf(statement, sizeof(statements[0]), "%u %" PRId64 " %s %" PRId64, account, counter,
             p.order, amount);
    return p;
}

const char *fixture_pay(struct purse_fixture *f, const struct payment *p, time_t now)
{
    static char said[32];
    struct payment_answer a;

    ck_ok(book_begin(f->book, &f->e));
    ck_assert_msg(desk_pay(&f->desk, p, now, &a, &f->e) == TP_OK, "%s", f->e.text);
    ck_ok(book_commit(f->book, &f->e));
    snprintf(said, sizeof(said), "%s %s", a.code, a.reason);
    payment_answer_free(&a);
    return said;
}

struct purse_token fixture_reversal(const struct payment *p, char room[2][PURSE_HASH])
{
    struct purse_token t = {.contract = p->contract,
                            .order = p->order,
                            .currency = "eur",
                            .amount = room[0],
                            .payment = room[1],
                            .reason = "not delivered"};

    snprintf(room[0], PURSE_HASH, "%" PRId64, p->amount);
    ck_ok(purse_statement_hash(room[1], p->statement, NULL));
    snprintf(t.signer, sizeof(t.signer), "%s", p->mediator);
    return t;
}

const char *fixture_reverse(struct purse_fixture *f, const struct purse_token *t, time_t now)
{
    static char said[48];
    struct payment_answer a;

    ck_ok(book_begin(f->book, &f->e));
    ck_assert_msg(desk_reverse(&f->desk, t, "demand", now, &a, &f->e) == TP_OK, "%s", f->e.text);
    ck_ok(book_commit(f->book, &f->e));
    snprintf(said, sizeof(said), "%s %s", a.code, a.reason);
    ck_assert_int_eq(a.number[0] != '\0', strcmp(a.code, "00") == 0);
    payment_answer_free(&a);
    return said;
}

const char *fixture_empty(struct purse_fixture *f, const struct payment *p, time_t now)
{
    static char said[48];
    const struct emptying m = {*p, "FR7630006000011234567890189", "Ana"};
    struct payment_answer a;

    ck_ok(book_begin(f->book, &f->e));
    ck_assert_msg(desk_empty(&f->desk, &m, now, &a, &f->e) == TP_OK, "%s", f->e.text);
    ck_ok(book_commit(f->book, &f->e));
    snprintf(said, sizeof(said), "%s %s", a.code, a.reason);
    ck_assert_int_eq(a.acknowledgement != NULL, strcmp(a.code, "00") == 0);
    payment_answer_free(&a);
    return said;
}
