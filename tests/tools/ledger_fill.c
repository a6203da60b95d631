/* Fills an acquirer's books with acknowledged transactions, through ledger.h, for tests of the
 * collection: ledger_fill DIR CONTRACT TERMINAL COUNT [FIRST_STAN] [CREDIT_EVERY] [SECONDS_AGO]
 * Every CREDIT_EVERY-th is a credit (0: none; 1: all). Amounts are 1.00, 1.01, … Prints the
 * reference number of each when COUNT is at most 1000. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquirer/state.h"
#include "ledger/ledger_priv.h"
#include "base/bcd.h"
#include "base/date.h"
#include "base/mask.h"
#include "store/db.h"

#define GROUP 2000

/* DE 55 with the amount, currency and method of cardholder verification, and a signature's worth of
 * bytes. */
static size_t make_icc(uint8_t *out, int64_t amount, uint32_t stan)
{
    struct buf b = {out, 0, 256};
    uint8_t ac[8] = {0};

    memcpy(ac, &stan, sizeof(stan));
    if (buf_put(&b, span_of("\x9F\x36\x02\x00\x01\x9F\x26\x08", 8)) != TP_OK ||
        buf_put(&b, SPAN_OF(ac)) != TP_OK || buf_put(&b, span_of("\x9F\x02\x06", 3)) != TP_OK ||
        bcd_put(&b, (uint64_t)amount, 12) != TP_OK ||
        buf_put(&b, span_of("\x5F\x2A\x02\x09\x78\x9F\x34\x03\x41\x03\x02\x9F\x4B\x81\x90", 15)) !=
            TP_OK ||
        buf_fill(&b, (uint8_t)stan, 144) != TP_OK)
        abort();
    return b.n;
}

/* Card numbers that pass ISO/IEC 7812-1 Annex B. */
static void make_pan(char pan[20], uint32_t n)
{
    char trial[20];

    for (char d = '0'; d <= '9'; d++) {
        snprintf(trial, sizeof(trial), "999014%09" PRIu32 "%c", n % 1000000000, d);
        if (pan_valid(trial))
            memcpy(pan, trial, sizeof(trial));
    }
}

struct filling {
    struct ledger *ledger;
    struct seal *seal;
    const char *contract, *terminal;
    time_t now;
};

static enum tp_err add(struct filling *f, uint32_t stan, bool credit, bool print,
                       struct tp_error *e)
{
    uint8_t context[LEDGER_CONTEXT_MAX], sealed_raw[PAN_MAX + SEAL_OVERHEAD], lookup[SEAL_LOOKUP],
        digest[32] = {0}, icc[256];
    struct buf sealed = BUF_OF(sealed_raw);
    struct tx_record tx = {.stan = stan,
                           .kind = credit ? TX_CREDIT : TX_DEBIT,
                           .amount = 100 + stan % 1000,
                           .currency = 978,
                           .emv.psn = 1,
                           .emv.atc = 1,
                           .emv.card_expiry = 20301231};
    struct standing st = {0};
    struct tm at;
    char pan[20] = "";
    enum tp_err r;

    localtime_r(&f->now, &at);
    tx.local_time = ((int64_t)date_of(f->now) + stan / 1000000) * 1000000 + at.tm_hour * 10000 +
                    at.tm_min * 100 + at.tm_sec;
    tx.stan = stan % 1000000;
    snprintf(tx.contract, sizeof(tx.contract), "%s", f->contract);
    snprintf(tx.terminal, sizeof(tx.terminal), "%s", f->terminal);
    make_pan(pan, stan);
    mask_pan(tx.pan_masked, pan);
    memcpy(digest, &stan, sizeof(stan));
    if (seal_close(f->seal, &sealed, span_str(pan), ledger_seal_context(context, &tx)) != TP_OK ||
        seal_lookup(f->seal, lookup, span_str(pan)) != TP_OK)
        return tp_fail(e, TP_ERR_INTERNAL, "cannot seal");
    tx.pan_sealed = buf_span(&sealed);
    tx.pan_lookup = SPAN_OF(lookup);
    tx.digest = SPAN_OF(digest);
    tx.emv.de55 = span_of(icc, make_icc(icc, tx.amount, stan));
    tx.emv.stream = span_of("\xDF\x01\x00", 3);
    r = ledger_standing(f->ledger, &st, &tx, e); /* unjudged: its credits undo no debit */
    if (r == TP_OK)
        r = ledger_keep(f->ledger, &tx, &st, 0, e);
    if (r == TP_OK && print)
        puts(tx.rrn);
    return r;
}

static enum tp_err fill(struct filling *f, uint32_t first, uint32_t count, uint32_t credit_every,
                        struct tp_error *e)
{
    enum tp_err r = TP_OK;

    for (uint32_t i = 0; i < count && r == TP_OK; i++) {
        if (i % GROUP == 0)
            r = ledger_group_begin(f->ledger, e);
        if (r == TP_OK)
            r = add(f, first + i, credit_every > 0 && (i + 1) % credit_every == 0, count <= 1000,
                    e);
        if (r == TP_OK && (i % GROUP == GROUP - 1 || i + 1 == count))
            r = ledger_group_commit(f->ledger, e);
    }
    return r;
}

/* The books take the time from the clock: for a payment of the day before yesterday it is put back
 * afterwards, past the trigger that keeps anyone from it. */
static enum tp_err age(struct filling *f, const char *seconds, struct tp_error *e)
{
    struct db *db = ledger_db(f->ledger);
    enum tp_err r = db_exec(db, "DROP TRIGGER tx_written_once", DB_NONE, NULL, e);

    if (r == TP_OK)
        r = db_exec(db, "UPDATE tx SET acknowledged = acknowledged - $1 WHERE acknowledged > $2",
                    DB_VALUES(db_integer(atol(seconds)), db_integer(time(NULL) - 60)), NULL, e);
    return r == TP_OK ? db_exec(db,
                                "CREATE TRIGGER tx_written_once BEFORE UPDATE ON tx BEGIN SELECT "
                                "RAISE(ABORT, 'a transaction is written once'); END",
                                DB_NONE, NULL, e)
                      : r;
}

int main(int argc, char **argv)
{
    struct filling f = {.contract = argc > 2 ? argv[2] : "", .terminal = argc > 3 ? argv[3] : ""};
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    if (argc < 5) {
        fprintf(stderr, "usage: ledger_fill DIR CONTRACT TERMINAL COUNT [FIRST_STAN] "
                        "[CREDIT_EVERY] [SECONDS_AGO]\n");
        return 2;
    }
    f.now = time(NULL) - (argc > 7 ? atol(argv[7]) : 0);
    r = acquirer_open_ledger(&f.ledger, argv[1], &e);
    if (r == TP_OK)
        r = seal_open_dir(&f.seal, argv[1], &e);
    if (r == TP_OK)
        r = fill(&f, argc > 5 ? (uint32_t)atol(argv[5]) : 1, (uint32_t)atol(argv[4]),
                 argc > 6 ? (uint32_t)atol(argv[6]) : 0, &e);
    if (r == TP_OK && argc > 7)
        r = age(&f, argv[7], &e);
    if (r != TP_OK)
        fprintf(stderr, "ledger_fill: %s\n", e.text);
    ledger_close(&f.ledger);
    seal_free(&f.seal);
    return r == TP_OK ? 0 : 1;
}
