/* A ledger in a folder of the test's own or a new database, with one contract and terminals, and
 * transactions to put into it. */
#ifndef TP_TESTS_LEDGER_FIXTURE_H
#define TP_TESTS_LEDGER_FIXTURE_H

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tools/postgres.h"
#include "ledger/ledger.h"
#include "store/db.h"
#include "unit.h"

#define CONTRACT "000000000000123"
#define TERMINAL "00000001"

struct fixture {
    char dir[64];
    char path[256]; /* or the URL of a database */
    struct ledger *l;
    struct tp_error e;
};

static inline void fixture_contract(struct fixture *f, const char *id)
{
    struct contract c = {.mcc = 5942,
                         .currency = 978,
                         .country = 250,
                         .floor = 5000,
                         .ceiling = 100000,
                         .no_cvm = 2000,
                         .credit_day = MONEY_MAX,
                         .refund_alone = true,
                         .close_hour = 2230,
                         .siret = "43033271800021",
                         .town = "Lorient",
                         .postcode = "56100",
                         .open = true};
    struct terminal t = {.capabilities = {0x20, 0x98, 0xC8}, .open = true};

    snprintf(c.id, sizeof(c.id), "%s", id);
    snprintf(c.name, sizeof(c.name), "Librairie du Port");
    ck_ok(ledger_contract_add(f->l, &c, &f->e));
    snprintf(t.contract, sizeof(t.contract), "%s", id);
    snprintf(t.id, sizeof(t.id), "%s", TERMINAL);
    ck_ok(ledger_terminal_add(f->l, &t, &f->e));
}

static inline void fixture_start(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    snprintf(f->dir, sizeof(f->dir), "%s", "/tmp/telepay-ledger-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(f->dir));
    if (postgres_wanted())
        postgres_database(f->path, sizeof(f->path));
    else
        snprintf(f->path, sizeof(f->path), "%s/ledger.db", f->dir);
    ck_ok(ledger_make(f->path, &f->e));
    ck_ok(ledger_open(&f->l, f->path, &f->e));
    fixture_contract(f, CONTRACT);
}

static inline void fixture_end(struct fixture *f)
{
    static const char *const names[] = {"ledger.db", "ledger.db-wal", "ledger.db-shm"};
    char path[160];

    ledger_close(&f->l);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
        unlink(path);
    }
    rmdir(f->dir);
}

/* Bytes behind the spans of a transaction: the digest is not a real hash here, only something that
 * differs when asked to. */
struct tx_room {
    uint8_t lookup[32], digest[32], sealed[44];
};

static inline struct tx_record fixture_tx(struct tx_room *room, uint32_t stan, uint32_t card,
                                          uint16_t atc, int64_t amount)
{
    static const uint8_t de55[] = {0x9F, 0x27, 0x01, 0x40}, stream[] = {0x8F, 0x01, 0xF1};
    struct tx_record tx = {.stan = stan,
                           .local_time = INT64_C(20261123101500),
                           .kind = TX_DEBIT,
                           .amount = amount,
                           .currency = 978,
                           .emv.psn = 1,
                           .emv.atc = atc,
                           .emv.ac = {1, 2, 3, 4, 5, 6, 7, 8},
                           .emv.card_expiry = 20301231};

    memset(room, 0, sizeof(*room));
    memcpy(room->lookup, &card, sizeof(card));
    memcpy(room->digest, &stan, sizeof(stan));
    memcpy(room->digest + 8, &amount, sizeof(amount));
    snprintf(tx.contract, sizeof(tx.contract), "%s", CONTRACT);
    snprintf(tx.terminal, sizeof(tx.terminal), "%s", TERMINAL);
    snprintf(tx.pan_masked, sizeof(tx.pan_masked), "999014******0015");
    tx.pan_lookup = SPAN_OF(room->lookup);
    tx.digest = SPAN_OF(room->digest);
    tx.pan_sealed = SPAN_OF(room->sealed);
    tx.emv.de55 = SPAN_OF(de55);
    tx.emv.stream = SPAN_OF(stream);
    return tx;
}

#endif
