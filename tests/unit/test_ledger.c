/* The books: their rules, one by one. test_ledger_model.c holds them against an
 * independent model. */
#include "base/date.h"
#include "ledger_fixture.h"

#include "ledger/schema.h"
#include "ledger_version_1.h"

#include <time.h>

/* Straight to the database, past the books; statement is a literal. */
static enum tp_err sql(struct fixture *f, const char *statement)
{
    return db_exec(ledger_db(f->l), statement, DB_NONE, NULL, &f->e);
}

static enum ledger_verdict keep(struct fixture *f, struct tx_record *tx)
{
    enum ledger_verdict v = LEDGER_DIFFERENT;

    ck_assert_msg(ledger_acknowledge(f->l, tx, &v, &f->e) == TP_OK, "%s", f->e.text);
    return v;
}

static void ck_totals(struct fixture *f, uint32_t number, uint32_t debits, int64_t debit_amount,
                      uint32_t credits, int64_t credit_amount, uint32_t reversals,
                      int64_t reversal_amount)
{
    struct remise r;

    ck_ok(ledger_remise_get(f->l, CONTRACT, number, &r, &f->e));
    ck_assert_uint_eq(r.totals.debits, debits);
    ck_assert_int_eq(r.totals.debit_amount, debit_amount);
    ck_assert_uint_eq(r.totals.credits, credits);
    ck_assert_int_eq(r.totals.credit_amount, credit_amount);
    ck_assert_uint_eq(r.totals.reversals, reversals);
    ck_assert_int_eq(r.totals.reversal_amount, reversal_amount);
}

START_TEST(a_payment_is_kept_and_read_back)
    {
        struct fixture f;
        struct tx_room room;
        struct tx_record got;
        char day[8];
        const time_t now = time(NULL);
        struct tm local;

        fixture_start(&f);
        struct tx_record tx = fixture_tx(&room, 1, 7, 10, 1250);

        ck_assert_int_eq(keep(&f, &tx), LEDGER_NEW);
        localtime_r(&now, &local); /* RRN: YDDD and eight digits, from 1 */
        snprintf(day, sizeof(day), "%d%03d", local.tm_year % 10, (local.tm_yday + 1) % 1000);
        ck_assert_int_eq(strncmp(tx.rrn, day, 4), 0);
        ck_assert_str_eq(tx.rrn + 4, "00000001");
        ck_ok(ledger_tx_get(f.l, tx.rrn, &got, &f.e));
        ck_assert_str_eq(got.contract, CONTRACT);
        ck_assert_str_eq(got.terminal, TERMINAL);
        ck_assert_uint_eq(got.stan, 1);
        ck_assert_int_eq(got.local_time, INT64_C(20261123101500));
        ck_assert_int_eq(got.kind, TX_DEBIT);
        ck_assert_int_eq(got.amount, 1250);
        ck_assert_uint_eq(got.currency, 978);
        ck_assert_str_eq(got.pan_masked, "999014******0015");
        ck_assert_uint_eq(got.emv.atc, 10);
        ck_assert_int_eq(got.emv.card_expiry, 20301231);
        ck_assert(span_eq(got.digest, tx.digest) && span_eq(got.pan_lookup, tx.pan_lookup) &&
                  span_eq(got.pan_sealed, tx.pan_sealed));
        ck_hex(got.emv.de55, "9F270140");
        ck_hex(got.emv.stream, "8F01F1");
        ck_hex(SPAN_OF(got.emv.ac), "0102030405060708");
        ck_assert_int_eq(got.state, TX_ACKNOWLEDGED);
        ck_assert_uint_eq(got.remise, 1);
        ck_assert(got.acknowledged >= now);
        ck_totals(&f, 1, 1, 1250, 0, 0, 0, 0);
        ck_assert_int_eq(ledger_tx_get(f.l, "000000000009", &got, &f.e), TP_ERR_NOT_FOUND);
        ck_assert_int_eq(ledger_tx_get(f.l, "12", &got, &f.e), TP_ERR_USAGE);
        fixture_end(&f);
    }
END_TEST

START_TEST(repeats_count_once)
    {
        struct fixture f;
        struct tx_room room, other_room;
        enum ledger_verdict v;
        char rrn[RRN_MAX];

        fixture_start(&f);
        struct tx_record tx = fixture_tx(&room, 1, 7, 10, 1250), again = tx,
                         other = fixture_tx(&other_room, 1, 7, 11, 9900);

        ck_ok(ledger_look(f.l, &tx, true, &v, rrn, &f.e));
        ck_assert_int_eq(v, LEDGER_NEW);
        ck_assert_str_eq(rrn, "");
        ck_assert_int_eq(keep(&f, &tx), LEDGER_NEW);
        ck_assert_int_eq(keep(&f, &again), LEDGER_REPEAT); /* though its ATC is no longer greater */
        ck_assert_str_eq(again.rrn, tx.rrn);
        ck_assert_int_eq(keep(&f, &other), LEDGER_DIFFERENT);
        ck_ok(ledger_look(f.l, &other, true, &v, rrn, &f.e));
        ck_assert_int_eq(v, LEDGER_DIFFERENT);
        ck_assert_str_eq(rrn, tx.rrn);
        other.local_time += INT64_C(1000000); /* the next day the number is free again */
        ck_assert_int_eq(keep(&f, &other), LEDGER_NEW);
        ck_totals(&f, 1, 2, 1250 + 9900, 0, 0, 0, 0);
        fixture_end(&f);
    }
END_TEST

START_TEST(a_counter_of_a_card_counts_once)
    {
        static const uint8_t aids[2][7] = {{0xF0, 0, 0, 0, 0x14, 0x10, 0x10},
                                           {0xF0, 0, 0, 0, 0x14, 0x20, 0x20}};
        struct fixture f;
        struct tx_room room;
        uint32_t stan = 0;
        struct {
            uint16_t atc;
            int expiry;
            uint8_t psn;
            size_t aid;
            enum ledger_verdict verdict;
        } const rows[] = {
            {10, 20301231, 1, 0, LEDGER_NEW},
            {10, 20301231, 1, 0, LEDGER_ATC_OLD}, /* the same again */
            {9, 20301231, 1, 0, LEDGER_NEW},
            {9, 20301231, 1, 0, LEDGER_ATC_OLD}, /* signed before, while the line was down */
            {10, 20301231, 2, 0,
             LEDGER_NEW}, /* another card under the same number has its own counter */
            {10, 20301231, 1, 1, LEDGER_NEW}, /* so has another application of the card */
            {10, 20341231, 1, 0, LEDGER_NEW},
            {10, 20341231, 1, 0, LEDGER_ATC_OLD}, /* a renewed card begins anew */
            {60000, 20301231, 1, 0, LEDGER_NEW},
            {11, 20301231, 1, 0, LEDGER_NEW}, /* a wide gap is an alarm, and no refusal */
        };

        fixture_start(&f);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct tx_record tx = fixture_tx(&room, ++stan, 7, rows[i].atc, 100);

            tx.emv.psn = rows[i].psn;
            tx.emv.card_expiry = rows[i].expiry;
            tx.emv.aid = SPAN_OF(aids[rows[i].aid]);
            ck_assert_msg(keep(&f, &tx) == rows[i].verdict, "row %zu", i);
        }
        ck_totals(&f, 1, 7, 700, 0, 0, 0, 0);
        ck_assert_int_eq(sql(&f, "INSERT INTO tx SELECT rrn + 50, remise, terminal, date, "
                                 "stan + 50, time, kind, amount, psn, atc, card_expiry,"
                                 " acknowledged, ac, digest, pan_lookup, pan_masked, "
                                 "pan_sealed, de55, stream, aid FROM tx LIMIT 1"),
                         TP_ERR_STATE); /* whoever asks */
        fixture_end(&f);
    }
END_TEST

/* A contract gives back what its cards have paid, no more, within its sum a day (here 3.00), and
 * nothing without that permission. */
START_TEST(credits)
    {
        struct {
            uint32_t card;
            enum tx_kind kind;
            int64_t amount;
            enum ledger_verdict verdict;
        } const rows[] = {{7, TX_CREDIT, 100, LEDGER_CREDIT_UNPAID},
                          {7, TX_DEBIT, 250, LEDGER_NEW},
                          {8, TX_DEBIT, 900, LEDGER_NEW},
                          {7, TX_CREDIT, 251, LEDGER_CREDIT_UNPAID},
                          {7, TX_CREDIT, 200, LEDGER_NEW},
                          {7, TX_CREDIT, 51, LEDGER_CREDIT_UNPAID},
                          {8, TX_CREDIT, 101, LEDGER_CREDIT_DAY},
                          {8, TX_CREDIT, 100, LEDGER_NEW},
                          {7, TX_CREDIT, 50, LEDGER_CREDIT_DAY}};
        struct fixture f;
        struct tx_room room;
        uint16_t atc = 0;
        char rrn[RRN_MAX] = "";

        fixture_start(&f);
        ck_ok(sql(&f, "UPDATE contract SET credit_day = 300"));
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            atc++;
            struct tx_record tx = fixture_tx(&room, atc, rows[i].card, atc, rows[i].amount);

            tx.kind = rows[i].kind;
            ck_assert_msg(keep(&f, &tx) == rows[i].verdict, "row %zu", i);
            if (i == 4)
                memcpy(rrn, tx.rrn, sizeof(rrn));
        }
        ck_ok(ledger_reverse(f.l, rrn, &f.e)); /* what is reversed was not given */
        struct tx_record again = fixture_tx(&room, 100, 7, 100, 200);

        again.kind = TX_CREDIT;
        ck_assert_int_eq(keep(&f, &again), LEDGER_NEW);
        ck_ok(sql(&f, "UPDATE contract SET credit_day = 0"));
        again = fixture_tx(&room, 101, 7, 101, 1);
        again.kind = TX_CREDIT;
        ck_assert_int_eq(keep(&f, &again), LEDGER_CREDIT_NONE);
        fixture_end(&f);
    }
END_TEST

/* A debit of which a later credit gave back something is not reversed too, nor while the credit's
 * issuer is being asked; what the centre refused was not paid. */
START_TEST(a_credit_and_a_reversal_of_one_debit)
    {
        static const struct wire_answer yes = {.code = "00", .approval = "A12345"};

        for (int in_flight = 0; in_flight <= 1; in_flight++) {
            struct fixture f;
            struct tx_room a, b, c;
            enum ledger_verdict v;
            enum ledger_verdict how;
            char rrn[RRN_MAX];
            time_t asked;

            fixture_start(&f);
            struct tx_record debit = fixture_tx(&a, 1, 7, 1, 5000),
                             credit = fixture_tx(&b, 2, 7, 2, 5000),
                             more = fixture_tx(&c, 3, 7, 3, 5000);

            credit.kind = TX_CREDIT;
            credit.emv.online = true;
            ck_assert_int_eq(keep(&f, &debit), LEDGER_NEW);
            ck_ok(ledger_ask(f.l, &credit, "bank", &v, &asked, &f.e));
            ck_assert_int_eq(v, LEDGER_NEW);
            if (!in_flight)
                ck_ok(ledger_ask_approved(f.l, &credit, &yes, &v, &f.e));
            ck_ok(
                ledger_reverse_original(f.l, CONTRACT, TERMINAL, 1, 20261123, 0, &how, rrn, &f.e));
            ck_assert_int_eq(how, LEDGER_REVERSAL_CREDITED);
            ck_assert_int_eq(ledger_reverse(f.l, debit.rrn, &f.e), TP_ERR_STATE);
            ck_ok(ledger_tx_get(f.l, debit.rrn, &more, &f.e));
            ck_assert_int_eq(more.state, TX_ACKNOWLEDGED);
            more = fixture_tx(&c, 3, 7, 3, 5000); /* paid again, of which no credit knows */
            ck_assert_int_eq(keep(&f, &more), LEDGER_NEW);
            ck_ok(
                ledger_reverse_original(f.l, CONTRACT, TERMINAL, 3, 20261123, 0, &how, rrn, &f.e));
            ck_assert_int_eq(how, LEDGER_REVERSAL_DONE);
            ck_ok(ledger_reverse_original(f.l, CONTRACT, TERMINAL, 2, 20261123, 0, &how, rrn,
                                          &f.e)); /* the credit is reversed */
            ck_ok(
                ledger_reverse_original(f.l, CONTRACT, TERMINAL, 1, 20261123, 0, &how, rrn, &f.e));
            ck_assert_int_eq(how, LEDGER_REVERSAL_DONE);
            fixture_end(&f);
        }
    }
END_TEST

static enum ledger_verdict refund(struct fixture *f, struct tx_record *tx, const char *of)
{
    tx->kind = TX_CREDIT;
    snprintf(tx->undoes, sizeof(tx->undoes), "%s", of);
    return keep(f, tx);
}

/* A refund names its payment: of one payment no more is given back than was paid, to no other card,
 * and not what was taken back, not paid, or is a refund itself. */
START_TEST(refunds)
    {
        static const struct remise_refusal refusal = {.sequence = 1, .reason = "unknown"};
        static const uint8_t hash[32] = {1};
        struct fixture f;
        struct tx_room room[16];
        struct remise r;
        enum ledger_verdict how;
        char rrn[RRN_MAX];

        fixture_start(&f);
        struct tx_record rejected = fixture_tx(&room[0], 1, 7, 1, 1000);

        ck_assert_int_eq(keep(&f, &rejected), LEDGER_NEW);
        ck_ok(ledger_remise_close(f.l, CONTRACT, &r, &f.e));
        ck_ok(ledger_remise_submitted(f.l, CONTRACT, 1, hash, &f.e));
        ck_ok(ledger_remise_collected(f.l, CONTRACT, 1, &refusal, 1, "some", &f.e));
        struct tx_record paid = fixture_tx(&room[1], 2, 7, 2, 1000),
                         other = fixture_tx(&room[2], 3, 7, 3, 5000),
                         gone = fixture_tx(&room[3], 4, 7, 4, 5000), tx, first;

        ck_assert_int_eq(keep(&f, &paid), LEDGER_NEW);
        ck_assert_int_eq(keep(&f, &other), LEDGER_NEW);
        ck_assert_int_eq(keep(&f, &gone), LEDGER_NEW);
        ck_ok(ledger_reverse(f.l, gone.rrn, &f.e));

        ck_ok(sql(&f, "UPDATE contract SET refund_alone = 0"));
        tx = fixture_tx(&room[4], 10, 7, 10, 1);
        ck_assert_int_eq(refund(&f, &tx, ""), LEDGER_REFUND_ALONE);
        ck_assert_int_eq(refund(&f, &tx, "000000000009"), LEDGER_REFUND_UNKNOWN);
        ck_assert_int_eq(refund(&f, &tx, rejected.rrn), LEDGER_REFUND_REJECTED);
        ck_assert_int_eq(refund(&f, &tx, gone.rrn), LEDGER_REFUND_REVERSED);
        tx = fixture_tx(&room[4], 10, 8, 10, 1);
        ck_assert_int_eq(refund(&f, &tx, paid.rrn), LEDGER_REFUND_CARD);
        tx = fixture_tx(&room[4], 10, 7, 10, 1001);
        ck_assert_int_eq(refund(&f, &tx, paid.rrn), LEDGER_REFUND_AMOUNT);
        first = fixture_tx(&room[5], 11, 7, 11, 600);
        ck_assert_int_eq(refund(&f, &first, paid.rrn), LEDGER_NEW);
        ck_assert_int_eq(refund(&f, &first, paid.rrn), LEDGER_REPEAT);
        tx = fixture_tx(&room[4], 12, 7, 12, 1);
        ck_assert_int_eq(refund(&f, &tx, first.rrn), LEDGER_REFUND_OF_REFUND);
        tx = fixture_tx(&room[4], 12, 7, 12, 401);
        ck_assert_int_eq(refund(&f, &tx, paid.rrn), LEDGER_REFUND_AMOUNT);
        ck_ok(ledger_tx_get(f.l, first.rrn, &tx, &f.e));
        ck_assert_str_eq(tx.undoes, paid.rrn);
        ck_ok(ledger_tx_get(f.l, paid.rrn, &tx, &f.e));
        ck_assert_str_eq(tx.undoes, "");

        /* it is not taken back too, though the card has paid more beside it */
        ck_ok(ledger_reverse_original(f.l, CONTRACT, TERMINAL, 2, 20261123, 0, &how, rrn, &f.e));
        ck_assert_int_eq(how, LEDGER_REVERSAL_CREDITED);
        /* a refund that was taken back gave nothing */
        ck_ok(ledger_reverse(f.l, first.rrn, &f.e));
        tx = fixture_tx(&room[6], 13, 7, 13, 1000);
        ck_assert_int_eq(refund(&f, &tx, paid.rrn), LEDGER_NEW);

        /* the schema refuses, whoever asks */
        ck_assert_int_eq(sql(&f, "INSERT INTO refund (rrn, payment) SELECT max(rrn) - 1, "
                                 "max(payment) FROM refund"),
                         TP_ERR_STATE);
        ck_assert_int_eq(sql(&f, "DELETE FROM refund"), TP_ERR_STATE);
        ck_assert_int_eq(sql(&f, "UPDATE refund SET payment = payment"), TP_ERR_STATE);
        fixture_end(&f);
    }
END_TEST

/* While an issuer is asked about one refund, a second one of the same payment finds nothing left;
 * one that came to nothing leaves it free again. */
START_TEST(refunds_under_way)
    {
        static const struct wire_answer yes = {.code = "00", .approval = "A12345"},
                                        no = {.code = "51"}, lost = {.code = "91"};
        struct fixture f;
        struct tx_room a, b, c, d;
        enum ledger_verdict v;
        time_t asked;

        fixture_start(&f);
        struct tx_record paid = fixture_tx(&a, 1, 7, 1, 1000), one = fixture_tx(&b, 2, 7, 2, 700),
                         two = fixture_tx(&c, 3, 7, 3, 400), more = fixture_tx(&d, 9, 7, 9, 5000);

        ck_assert_int_eq(keep(&f, &paid), LEDGER_NEW);
        ck_assert_int_eq(keep(&f, &more), LEDGER_NEW);
        one.kind = two.kind = TX_CREDIT;
        one.emv.online = two.emv.online = true;
        memcpy(one.undoes, paid.rrn, RRN_MAX);
        memcpy(two.undoes, paid.rrn, RRN_MAX);
        ck_ok(ledger_ask(f.l, &one, "bank", &v, &asked, &f.e));
        ck_assert_int_eq(v, LEDGER_NEW);
        ck_ok(ledger_ask(f.l, &two, "bank", &v, &asked, &f.e));
        ck_assert_int_eq(v, LEDGER_REFUND_AMOUNT);
        ck_ok(ledger_ask_refused(f.l, one.rrn, &no, &f.e));
        ck_ok(ledger_ask(f.l, &two, "bank", &v, &asked, &f.e));
        ck_assert_int_eq(v, LEDGER_NEW);
        ck_ok(ledger_ask_reverse(f.l, two.rrn, &lost, &f.e));
        one = fixture_tx(&b, 4, 7, 4, 1000);
        one.kind = TX_CREDIT;
        one.emv.online = true;
        memcpy(one.undoes, paid.rrn, RRN_MAX);
        ck_ok(ledger_ask(f.l, &one, "bank", &v, &asked, &f.e));
        ck_assert_int_eq(v, LEDGER_NEW);
        ck_ok(ledger_ask_approved(f.l, &one, &yes, &v, &f.e));
        ck_assert_int_eq(v, LEDGER_NEW);
        two = fixture_tx(&c, 5, 7, 5, 1);
        two.kind = TX_CREDIT;
        memcpy(two.undoes, paid.rrn, RRN_MAX);
        ck_assert_int_eq(keep(&f, &two), LEDGER_REFUND_AMOUNT);
        fixture_end(&f);
    }
END_TEST

static enum tp_err count_refusal(void *ctx, const struct refusal *x, struct tp_error *e)
{
    (void)e;
    ck_assert_str_eq(x->contract, CONTRACT);
    ck_assert_str_eq(x->pan_masked, "999014******0018");
    ck_assert_str_eq(x->code, "63");
    ck_assert_str_eq(x->reason, "SIGNED_PAYEE");
    ck_assert_int_eq(x->amount, 1250);
    ++*(unsigned *)ctx;
    return TP_OK;
}

/* A flood from one terminal leaves a bounded trace, and the others' refusals are kept all the same.
 */
START_TEST(refusals_are_kept_and_bounded)
    {
        struct refusal x = {.at = 1794000000,
                            .contract = CONTRACT,
                            .stan = 1,
                            .amount = 1250,
                            .currency = 978,
                            .code = "63"};
        struct fixture f;
        unsigned kept = 0;
        int64_t beyond = 0;

        fixture_start(&f);
        snprintf(x.pan_masked, sizeof(x.pan_masked), "999014******0018");
        snprintf(x.reason, sizeof(x.reason), "SIGNED_PAYEE");
        ck_ok(ledger_group_begin(f.l, &f.e));
        for (unsigned i = 0; i < 1007; i++) {
            snprintf(x.terminal, sizeof(x.terminal), "00000001");
            ck_ok(ledger_refusal_add(f.l, &x, &f.e));
        }
        snprintf(x.terminal, sizeof(x.terminal), "00000002");
        ck_ok(ledger_refusal_add(f.l, &x, &f.e));
        x.at += 86400; /* another day */
        snprintf(x.terminal, sizeof(x.terminal), "00000001");
        ck_ok(ledger_refusal_add(f.l, &x, &f.e));
        ck_ok(ledger_group_commit(f.l, &f.e));
        ck_ok(ledger_refusal_each(f.l, NULL, count_refusal, &kept, &f.e));
        ck_assert_uint_eq(kept, 1002);
        ck_ok(ledger_refusal_beyond(f.l, CONTRACT, &beyond, &f.e));
        ck_assert_int_eq(beyond, 7);
        kept = 0;
        ck_ok(ledger_refusal_each(f.l, "000000000000999", count_refusal, &kept, &f.e));
        ck_assert_uint_eq(kept, 0);
        fixture_end(&f);
    }
END_TEST

/* Reversals of payments that nobody knows: of one terminal five hundred a day are remembered, and
 * what is known is reversed all the same. */
START_TEST(unknown_reversals_are_bounded)
    {
        struct fixture f;
        struct tx_room room;
        enum ledger_verdict how;
        char rrn[RRN_MAX];

        fixture_start(&f);
        struct tx_record tx = fixture_tx(&room, 900001, 7, 1, 100);

        ck_assert_int_eq(keep(&f, &tx), LEDGER_NEW);
        ck_ok(ledger_group_begin(f.l, &f.e));
        for (uint32_t stan = 1; stan <= 5000; stan++) {
            ck_ok(ledger_reverse_original(f.l, CONTRACT, TERMINAL, stan, 20261123, 0, &how, rrn,
                                          &f.e));
            ck_assert_int_eq(how, LEDGER_REVERSAL_REMEMBERED);
        }
        ck_ok(ledger_group_commit(f.l, &f.e));
        ck_ok(ledger_reverse_original(f.l, CONTRACT, TERMINAL, 5001, 20261123, 0, &how, rrn, &f.e));
        ck_assert_int_eq(how, LEDGER_REVERSAL_TOO_MANY);
        ck_ok(ledger_reverse_original(f.l, CONTRACT, TERMINAL, 5001, 20261124, 0, &how, rrn,
                                      &f.e)); /* whatever day it names */
        ck_assert_int_eq(how, LEDGER_REVERSAL_TOO_MANY);
        ck_ok(ledger_reverse_original(f.l, CONTRACT, TERMINAL, 5000, 20261123, 0, &how, rrn, &f.e));
        ck_assert_int_eq(how, LEDGER_REVERSAL_REPEATED);
        ck_ok(
            ledger_reverse_original(f.l, CONTRACT, TERMINAL, 900001, 20261123, 0, &how, rrn, &f.e));
        ck_assert_int_eq(how, LEDGER_REVERSAL_DONE);
        fixture_contract(&f, "000000000000124"); /* another terminal */
        ck_ok(ledger_reverse_original(f.l, "000000000000124", TERMINAL, 5001, 20261123, 0, &how,
                                      rrn, &f.e));
        ck_assert_int_eq(how, LEDGER_REVERSAL_REMEMBERED);
        fixture_end(&f);
    }
END_TEST

/* 9F1E is of one terminal alone, and the acquirer's number stays. */
START_TEST(serials)
    {
        struct fixture f;
        struct terminal second = {.contract = CONTRACT, .id = "00000002", .open = true},
                        third = {.contract = CONTRACT, .id = "00000003", .open = true};
        char id[ACQUIRER_ID_MAX];

        fixture_start(&f);
        ck_ok(ledger_terminal_add(f.l, &second, &f.e));
        ck_assert_str_eq(second.serial, "T0000002");
        memcpy(third.serial, second.serial, sizeof(third.serial));
        ck_assert_int_eq(ledger_terminal_add(f.l, &third, &f.e), TP_ERR_EXISTS);
        ck_ok(ledger_acquirer_id(f.l, id, &f.e));
        ck_assert_uint_eq(strlen(id), 16);
        ck_assert_int_eq(sql(&f, "UPDATE acquirer SET id = '0123456789ABCDEF'"), TP_ERR_STATE);
        fixture_end(&f);
    }
END_TEST

START_TEST(opposed_cards_are_not_kept)
    {
        struct fixture f;
        struct tx_room a, b;
        enum ledger_verdict v;
        char rrn[RRN_MAX];

        fixture_start(&f);
        struct tx_record tx = fixture_tx(&a, 1, 7, 10, 100), before = fixture_tx(&b, 2, 7, 5, 100);

        ck_assert_int_eq(keep(&f, &before), LEDGER_NEW);
        ck_ok(ledger_opposition_add(f.l, tx.pan_lookup, "999014******0015", false, &f.e));
        ck_assert_int_eq(keep(&f, &tx), LEDGER_OPPOSITION_LOST);
        ck_ok(ledger_opposition_add(f.l, tx.pan_lookup, "999014******0015", true, &f.e));
        ck_ok(ledger_look(f.l, &tx, true, &v, rrn, &f.e));
        ck_assert_int_eq(v, LEDGER_OPPOSITION_STOLEN);
        ck_assert_int_eq(keep(&f, &before),
                         LEDGER_REPEAT); /* what was acknowledged before is answered as before */
        ck_ok(ledger_opposition_remove(f.l, tx.pan_lookup, &f.e));
        ck_assert_int_eq(ledger_opposition_remove(f.l, tx.pan_lookup, &f.e), TP_ERR_NOT_FOUND);
        ck_assert_int_eq(keep(&f, &tx), LEDGER_NEW);
        fixture_end(&f);
    }
END_TEST

START_TEST(reversal_before_the_close_only)
    {
        struct fixture f;
        struct tx_room a, b, c;
        struct remise r;
        struct tx_record got;

        fixture_start(&f);
        struct tx_record one = fixture_tx(&a, 1, 7, 1, 1000), two = fixture_tx(&b, 2, 7, 2, 300),
                         three = fixture_tx(&c, 3, 7, 3, 50);

        three.kind = TX_CREDIT;
        ck_assert_int_eq(keep(&f, &one), LEDGER_NEW);
        ck_assert_int_eq(keep(&f, &two), LEDGER_NEW);
        ck_assert_int_eq(keep(&f, &three), LEDGER_NEW);
        ck_totals(&f, 1, 2, 1300, 1, 50, 0, 0);
        ck_ok(ledger_reverse(f.l, one.rrn, &f.e));
        ck_ok(ledger_reverse(f.l, one.rrn, &f.e));
        ck_ok(ledger_reverse(f.l, three.rrn, &f.e));
        ck_totals(&f, 1, 1, 300, 0, 0, 2, 1050);
        ck_assert_int_eq(keep(&f, &one), LEDGER_REVERSED);
        ck_ok(ledger_tx_get(f.l, one.rrn, &got, &f.e));
        ck_assert_int_eq(got.state, TX_REVERSED);
        ck_ok(ledger_remise_close(f.l, CONTRACT, &r, &f.e));
        ck_assert_int_eq(ledger_reverse(f.l, two.rrn, &f.e), TP_ERR_STATE);
        ck_ok(ledger_reverse(f.l, one.rrn, &f.e)); /* it was, before */
        ck_assert_int_eq(ledger_reverse(f.l, "000000000001", &f.e), TP_ERR_NOT_FOUND);
        ck_totals(&f, 1, 1, 300, 0, 0, 2, 1050);
        fixture_end(&f);
    }
END_TEST

START_TEST(a_reversal_may_overtake_its_payment)
    {
        struct fixture f;
        struct tx_room a, b;
        enum ledger_verdict how;
        char rrn[RRN_MAX];

        fixture_start(&f);
        struct tx_record late = fixture_tx(&a, 1, 7, 1, 1000), known = fixture_tx(&b, 2, 7, 2, 300);

        ck_ok(ledger_reverse_original(f.l, CONTRACT, TERMINAL, 1, 20261123, 0, &how, rrn, &f.e));
        ck_assert_int_eq(how, LEDGER_REVERSAL_REMEMBERED);
        ck_assert_str_eq(rrn, "");
        ck_ok(ledger_reverse_original(f.l, CONTRACT, TERMINAL, 1, 20261123, 0, &how, rrn, &f.e));
        ck_assert_int_eq(how, LEDGER_REVERSAL_REPEATED);
        ck_assert_int_eq(keep(&f, &late), LEDGER_REVERSED);
        ck_assert_str_eq(late.rrn, "");
        ck_assert_int_eq(keep(&f, &known), LEDGER_NEW);
        ck_ok(ledger_reverse_original(f.l, CONTRACT, TERMINAL, 2, 20261123, 0, &how, rrn, &f.e));
        ck_assert_int_eq(how, LEDGER_REVERSAL_DONE);
        ck_assert_str_eq(rrn, known.rrn);
        ck_ok(ledger_reverse_original(f.l, CONTRACT, TERMINAL, 2, 20261123, 0, &how, rrn, &f.e));
        ck_assert_int_eq(how, LEDGER_REVERSAL_REPEATED);
        ck_assert_str_eq(rrn, known.rrn);
        ck_ok(ledger_reverse_original(f.l, CONTRACT, "99999999", 2, 20261123, 0, &how, rrn, &f.e));
        ck_assert_int_eq(how, LEDGER_UNKNOWN);
        ck_totals(&f, 1, 0, 0, 0, 0, 1, 300);
        fixture_end(&f);
    }
END_TEST

START_TEST(remises_run_without_a_gap)
    {
        struct fixture f;
        struct tx_room room;
        struct remise r;

        fixture_start(&f);
        ck_assert_int_eq(ledger_remise_close(f.l, CONTRACT, &r, &f.e),
                         TP_ERR_NOT_FOUND); /* nothing to collect */
        for (uint32_t i = 1; i <= 5; i++) {
            struct tx_record tx = fixture_tx(&room, i, 7, (uint16_t)i, 100 * i);

            ck_assert_int_eq(keep(&f, &tx), LEDGER_NEW);
            ck_ok(ledger_remise_close(f.l, CONTRACT, &r, &f.e));
            ck_assert_uint_eq(r.number, i);
            ck_assert_int_eq(r.state, REMISE_CLOSED);
            ck_assert_int_eq(r.totals.debit_amount, 100 * i);
            ck_assert_int_ne(r.day, 0);
        }
        ck_ok(ledger_remise_running(f.l, CONTRACT, &r, &f.e));
        ck_assert_uint_eq(r.number, 6);
        ck_assert_int_eq(r.state, REMISE_OPEN);
        ck_assert_int_eq(ledger_remise_close(f.l, "nobody", &r, &f.e), TP_ERR_NOT_FOUND);
        ck_assert_int_eq(ledger_remise_get(f.l, CONTRACT, 7, &r, &f.e), TP_ERR_NOT_FOUND);
        fixture_end(&f);
    }
END_TEST

struct seen {
    uint32_t n;
    char rrn[8][RRN_MAX];
};

static enum tp_err see(void *ctx, uint32_t sequence, const struct tx_record *tx, struct tp_error *e)
{
    struct seen *seen = ctx;

    (void)e;
    ck_assert_uint_eq(sequence, seen->n + 1);
    ck_assert_uint_lt(seen->n, 8);
    memcpy(seen->rrn[seen->n++], tx->rrn, RRN_MAX);
    return TP_OK;
}

static enum tp_err count_suspense(void *ctx, const struct suspense_item *item, struct tp_error *e)
{
    int *n = ctx;

    (void)e;
    ck_assert_str_eq(item->reason, "no such account");
    (*n)++;
    return TP_OK;
}

START_TEST(a_remise_goes_its_way)
    {
        struct fixture f;
        struct tx_room room[4];
        struct tx_record tx[4], got;
        struct remise r;
        struct seen seen = {0};
        const uint8_t hash[32] = {1}, other[32] = {2};
        const struct remise_refusal refused[] = {{3, "no such account"}, {1, "no such account"}};
        const struct remise_refusal beyond[] = {{4, "x"}}, twice[] = {{1, "x"}, {1, "x"}};
        int n = 0;

        fixture_start(&f);
        for (uint32_t i = 0; i < 4; i++) {
            tx[i] = fixture_tx(&room[i], i + 1, 7, (uint16_t)(i + 1), 100);
            ck_assert_int_eq(keep(&f, &tx[i]), LEDGER_NEW);
        }
        ck_ok(ledger_reverse(f.l, tx[1].rrn, &f.e));
        ck_assert_int_eq(ledger_remise_items(f.l, CONTRACT, 1, see, &seen, &f.e), TP_ERR_STATE);
        ck_assert_int_eq(ledger_remise_submitted(f.l, CONTRACT, 1, hash, &f.e), TP_ERR_STATE);
        ck_ok(ledger_remise_close(f.l, CONTRACT, &r, &f.e));
        ck_ok(ledger_remise_items(f.l, CONTRACT, 1, see, &seen, &f.e));
        ck_assert_uint_eq(seen.n, 3); /* the reversed one is not sent */
        ck_assert_str_eq(seen.rrn[0], tx[0].rrn);
        ck_assert_str_eq(seen.rrn[1], tx[2].rrn);
        ck_assert_str_eq(seen.rrn[2], tx[3].rrn);
        ck_ok(ledger_tx_get(f.l, tx[0].rrn, &got, &f.e));
        ck_assert_int_eq(got.state, TX_IN_REMISE);
        ck_assert_int_eq(ledger_remise_collected(f.l, CONTRACT, 1, NULL, 0, "ok", &f.e),
                         TP_ERR_STATE);
        ck_ok(ledger_remise_submitted(f.l, CONTRACT, 1, hash, &f.e));
        ck_ok(ledger_remise_submitted(f.l, CONTRACT, 1, hash, &f.e));
        ck_assert_int_eq(ledger_remise_submitted(f.l, CONTRACT, 1, other, &f.e), TP_ERR_EXISTS);
        ck_assert_int_eq(ledger_remise_collected(f.l, CONTRACT, 1, beyond, 1, "ok", &f.e),
                         TP_ERR_RANGE);
        ck_assert_int_eq(ledger_remise_collected(f.l, CONTRACT, 1, twice, 2, "ok", &f.e),
                         TP_ERR_RANGE);
        ck_ok(ledger_suspense_each(f.l, true, count_suspense, &n, &f.e));
        ck_assert_int_eq(n, 0); /* of a refused outcome nothing is kept */
        ck_ok(ledger_remise_collected(f.l, CONTRACT, 1, refused, 2, "two refused", &f.e));
        ck_ok(ledger_remise_collected(f.l, CONTRACT, 1, refused, 2, "two refused", &f.e));
        ck_assert_int_eq(ledger_remise_collected(f.l, CONTRACT, 1, refused, 1, "one refused", &f.e),
                         TP_ERR_EXISTS);
        ck_assert_int_eq(ledger_remise_rejected(f.l, CONTRACT, 1, "no", &f.e), TP_ERR_STATE);
        ck_ok(ledger_remise_get(f.l, CONTRACT, 1, &r, &f.e));
        ck_assert_int_eq(r.state, REMISE_COLLECTED);
        ck_assert_uint_eq(r.attempts, 2);
        ck_assert_str_eq(r.outcome, "two refused");
        ck_assert_int_eq(memcmp(r.content_hash, hash, 32), 0);
        static const enum tx_state states[] = {TX_REJECTED, TX_REVERSED, TX_COLLECTED, TX_REJECTED};
        for (size_t i = 0; i < 4; i++) {
            ck_ok(ledger_tx_get(f.l, tx[i].rrn, &got, &f.e));
            ck_assert_int_eq(got.state, states[i]);
        }
        ck_ok(ledger_suspense_each(f.l, false, count_suspense, &n, &f.e));
        ck_assert_int_eq(n, 2);
        ck_assert_int_eq(ledger_suspense_settle(f.l, tx[2].rrn, "paid", &f.e), TP_ERR_NOT_FOUND);
        ck_assert_int_eq(ledger_suspense_settle(f.l, tx[0].rrn, "", &f.e), TP_ERR_USAGE);
        ck_ok(ledger_suspense_settle(f.l, tx[0].rrn, "paid by transfer", &f.e));
        ck_assert_int_eq(ledger_suspense_settle(f.l, tx[0].rrn, "paid again", &f.e), TP_ERR_STATE);
        n = 0;
        ck_ok(ledger_suspense_each(f.l, false, count_suspense, &n, &f.e));
        ck_assert_int_eq(n, 1);
        ck_totals(&f, 1, 3, 300, 0, 0, 1, 100); /* frozen */
        ck_totals(&f, 2, 0, 0, 0, 0, 0, 0);     /* nothing slips into the next by itself */
        fixture_end(&f);
    }
END_TEST

START_TEST(a_rejected_remise_goes_to_suspense_whole)
    {
        struct fixture f;
        struct tx_room room;
        struct tx_record tx, got;
        struct remise r;
        const uint8_t hash[32] = {1};
        int n = 0;

        fixture_start(&f);
        for (uint32_t i = 1; i <= 3; i++) {
            tx = fixture_tx(&room, i, 7, (uint16_t)i, 100);
            ck_assert_int_eq(keep(&f, &tx), LEDGER_NEW);
        }
        ck_ok(ledger_remise_close(f.l, CONTRACT, &r, &f.e));
        ck_ok(ledger_remise_submitted(f.l, CONTRACT, 1, hash, &f.e));
        ck_ok(ledger_remise_rejected(f.l, CONTRACT, 1, "no such account", &f.e));
        ck_ok(ledger_remise_rejected(f.l, CONTRACT, 1, "no such account", &f.e));
        ck_ok(ledger_suspense_each(f.l, false, count_suspense, &n, &f.e));
        ck_assert_int_eq(n, 3);
        ck_ok(ledger_tx_get(f.l, tx.rrn, &got, &f.e));
        ck_assert_int_eq(got.state, TX_REJECTED);
        ck_assert_int_eq(ledger_remise_submitted(f.l, CONTRACT, 1, hash, &f.e), TP_ERR_STATE);
        fixture_end(&f);
    }
END_TEST

START_TEST(a_group_is_whole_or_nothing)
    {
        struct fixture f;
        struct tx_room a, b, c, d;
        enum ledger_verdict v;
        struct tx_record got;

        fixture_start(&f);
        struct tx_record one = fixture_tx(&a, 1, 7, 1, 1000), two = fixture_tx(&b, 2, 7, 2, 300),
                         big = fixture_tx(&c, 3, 7, 3, 50), usd = fixture_tx(&d, 4, 7, 4, 50);
        uint8_t *const too_long = calloc(1, EVIDENCE_MAX + 1);

        ck_assert_ptr_nonnull(too_long);
        ck_ok(ledger_group_begin(f.l, &f.e));
        ck_ok(ledger_acknowledge(f.l, &one, &v, &f.e));
        ledger_group_rollback(f.l);
        ck_assert_int_eq(ledger_tx_get(f.l, one.rrn, &got, &f.e), TP_ERR_NOT_FOUND);
        ck_totals(&f, 1, 0, 0, 0, 0, 0, 0);

        big.emv.stream = span_of(too_long, EVIDENCE_MAX + 1);
        usd.currency = 840;
        ck_ok(ledger_group_begin(f.l, &f.e));
        ck_ok(ledger_acknowledge(f.l, &one, &v, &f.e));
        ck_assert_int_eq(v, LEDGER_NEW);
        ck_assert_int_eq(ledger_acknowledge(f.l, &big, &v, &f.e),
                         TP_ERR_RANGE); /* leaves the group as it was */
        ck_assert_int_eq(ledger_acknowledge(f.l, &usd, &v, &f.e), TP_ERR_RANGE);
        ck_ok(ledger_acknowledge(f.l, &two, &v, &f.e));
        ck_assert_int_eq(v, LEDGER_NEW);
        ck_ok(ledger_reverse(f.l, two.rrn, &f.e));
        ck_ok(ledger_group_commit(f.l, &f.e));
        ck_totals(&f, 1, 1, 1000, 0, 0, 1, 300);
        free(too_long);
        fixture_end(&f);
    }
END_TEST

/* A field that the books cannot hold is said before anything is written: the group goes on. */
START_TEST(what_the_books_cannot_hold)
    {
        struct tx_room room;
        struct tx_record tx[8], good = fixture_tx(&room, 1, 7, 1, 1000);
        const size_t n = sizeof(tx) / sizeof(tx[0]);
        const struct span shorter = {room.lookup, sizeof(room.lookup) - 1};
        struct fixture f;
        enum ledger_verdict v;
        time_t asked;

        for (size_t i = 0; i < n; i++)
            tx[i] = good;
        tx[0].amount = 0;
        tx[1].amount = MONEY_MAX + 1;
        tx[2].stan = 1000000;
        tx[3].local_time = INT64_C(19991231235959);
        tx[4].local_time = INT64_C(20261123240000);
        tx[5].digest = shorter;
        tx[6].pan_lookup = shorter;
        tx[7].currency = 840;
        fixture_start(&f);
        ck_ok(ledger_group_begin(f.l, &f.e));
        for (size_t i = 0; i < n; i++) {
            ck_assert_msg(ledger_acknowledge(f.l, &tx[i], &v, &f.e) == TP_ERR_RANGE, "%zu", i);
            ck_assert_msg(ledger_ask(f.l, &tx[i], "bank", &v, &asked, &f.e) == TP_ERR_RANGE, "%zu",
                          i);
        }
        ck_ok(ledger_acknowledge(f.l, &good, &v, &f.e));
        ck_assert_int_eq(v, LEDGER_NEW);
        ck_ok(ledger_group_commit(f.l, &f.e));
        ck_totals(&f, 1, 1, 1000, 0, 0, 0, 0);
        fixture_end(&f);
    }
END_TEST

/* Totals that hold no more: the payment must not stay in the group without being in them. */
START_TEST(totals_that_are_full_take_nothing)
    {
        struct fixture f;
        struct tx_room a;
        enum ledger_verdict v;
        enum tp_err r;

        fixture_start(&f);
        struct tx_record one = fixture_tx(&a, 1, 7, 1, 1000);

        ck_ok(sql(&f, "UPDATE remise SET debit_amount = 9223372036854775000"));
        ck_ok(ledger_group_begin(f.l, &f.e));
        r = ledger_acknowledge(f.l, &one, &v, &f.e);
        ck_assert(r != TP_OK);
        if (r == TP_ERR_RANGE) /* this says that the group is as it was: the committer commits it */
            ck_ok(ledger_group_commit(f.l, &f.e));
        else
            ledger_group_rollback(f.l);
        ck_totals(&f, 1, 0, INT64_C(9223372036854775000), 0, 0, 0, 0);
        ck_ok(ledger_look(f.l, &one, true, &v, one.rrn, &f.e));
        ck_assert_int_eq(v, LEDGER_NEW);
        fixture_end(&f);
    }
END_TEST

START_TEST(closed_contracts_take_nothing)
    {
        struct fixture f;
        struct tx_room a, b;
        enum ledger_verdict v;
        struct contract c;
        struct terminal t = {.contract = "nobody", .id = "1", .open = true};

        fixture_start(&f);
        struct tx_record one = fixture_tx(&a, 1, 7, 1, 1000), two = fixture_tx(&b, 2, 7, 2, 300);

        ck_assert_int_eq(keep(&f, &one), LEDGER_NEW);
        ck_assert_int_eq(ledger_terminal_add(f.l, &t, &f.e), TP_ERR_NOT_FOUND);
        ck_ok(ledger_contract_get(f.l, CONTRACT, &c, &f.e));
        ck_assert_int_eq(ledger_contract_add(f.l, &c, &f.e), TP_ERR_EXISTS);
        ck_assert(c.open && c.mcc == 5942 && c.floor == 5000 && c.ceiling == 100000 &&
                  c.close_hour == 2230 && c.country == 250);
        ck_assert_str_eq(c.siret, "43033271800021");
        ck_assert_str_eq(c.town, "Lorient");
        ck_assert_str_eq(c.postcode, "56100");
        ck_ok(ledger_contract_shut(f.l, CONTRACT, &f.e));
        ck_assert_int_eq(ledger_contract_shut(f.l, "nobody", &f.e), TP_ERR_NOT_FOUND);
        ck_assert_int_eq(keep(&f, &one), LEDGER_REPEAT);
        ck_ok(ledger_acknowledge(f.l, &two, &v, &f.e));
        ck_assert_int_eq(v, LEDGER_CLOSED);
        snprintf(two.terminal, sizeof(two.terminal), "00000009");
        ck_ok(ledger_acknowledge(f.l, &two, &v, &f.e));
        ck_assert_int_eq(v, LEDGER_UNKNOWN);
        ck_totals(&f, 1, 1, 1000, 0, 0, 0, 0);
        fixture_end(&f);
    }
END_TEST

/* What SQL by hand must not be able to do while the schema stands: each of these is refused by a
 * trigger or check. */
START_TEST(the_schema_refuses_crooked_ways)
    {
        static const char *const crooked[] = {
            "UPDATE tx SET amount = 1",
            "DELETE FROM tx",
            "DELETE FROM remise",
            "DELETE FROM reversal",
            "UPDATE remise SET state = 3 WHERE number = 1",
            "UPDATE remise SET state = 0 WHERE number = 1",
            "UPDATE remise SET debits = 9 WHERE number = 1",
            "UPDATE remise SET number = 9 WHERE number = 1",
            "UPDATE remise SET hash = zeroblob(3) WHERE number = 1",
            "INSERT INTO remise (contract, number, state, opened) VALUES (1, 4, 0, 0)",
            /* a second open one */
            "INSERT INTO remise (contract, number, state, opened) VALUES (1, 3, 0, 0)",
            ("INSERT INTO reversal (terminal, date, stan, rrn, at) SELECT terminal, date, stan,"
             " rrn, 0 FROM tx WHERE stan = 1"),
            "UPDATE card SET atc = atc",
            "UPDATE contract SET currency = 840",
            "UPDATE remise SET debits = -1 WHERE number = 2",
            "INSERT INTO terminal (contract, id, open, added) VALUES (9, '1', 1, 0)",
        };
        struct fixture f;
        struct tx_room a, b;
        struct remise r;

        fixture_start(&f);
        struct tx_record one = fixture_tx(&a, 1, 7, 1, 1000), two = fixture_tx(&b, 2, 8, 2, 300);

        ck_assert_int_eq(keep(&f, &one), LEDGER_NEW);
        ck_ok(ledger_remise_close(f.l, CONTRACT, &r, &f.e));
        ck_assert_int_eq(keep(&f, &two), LEDGER_NEW);
        ck_ok(ledger_reverse(f.l, two.rrn, &f.e));
        for (size_t i = 0; i < sizeof(crooked) / sizeof(crooked[0]); i++)
            ck_assert_msg(sql(&f, crooked[i]) != TP_OK, "taken: %s", crooked[i]);
        ck_totals(&f, 1, 1, 1000, 0, 0, 0, 0);
        fixture_end(&f);
    }
END_TEST

static enum tp_err count_tx(void *ctx, uint32_t sequence, const struct tx_record *tx,
                            struct tp_error *e)
{
    (void)tx;
    (void)e;
    *(uint32_t *)ctx = sequence;
    return TP_OK;
}

static enum tp_err stop_at_two(void *ctx, uint32_t sequence, const struct tx_record *tx,
                               struct tp_error *e)
{
    (void)ctx;
    return sequence == 2 ? tp_fail(e, TP_ERR_CANCELLED, "enough at %s", tx->rrn) : TP_OK;
}

START_TEST(lists_are_filtered)
    {
        struct fixture f;
        struct tx_room room;
        struct remise r;

        fixture_start(&f);
        fixture_contract(&f, "B");
        for (uint32_t i = 1; i <= 6; i++) {
            struct tx_record tx = fixture_tx(&room, i, i, 1, 100);

            if (i > 4)
                snprintf(tx.contract, sizeof(tx.contract), "B");
            ck_assert_int_eq(keep(&f, &tx), LEDGER_NEW);
            if (i == 2)
                ck_ok(ledger_remise_close(f.l, CONTRACT, &r, &f.e));
            if (i == 3)
                ck_ok(ledger_reverse(f.l, tx.rrn, &f.e));
        }
        static const struct {
            struct tx_filter filter;
            uint32_t n;
        } cases[] = {{{NULL, -1, -1}, 6},
                     {{CONTRACT, -1, -1}, 4},
                     {{"B", -1, -1}, 2},
                     {{NULL, TX_IN_REMISE, -1}, 2},
                     {{NULL, TX_REVERSED, -1}, 1},
                     {{NULL, TX_ACKNOWLEDGED, -1}, 3},
                     {{CONTRACT, -1, 2}, 2},
                     {{NULL, -1, 1}, 4},
                     {{"B", -1, 2}, 0}};
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            uint32_t n = 0;

            ck_ok(ledger_tx_each(f.l, &cases[i].filter, count_tx, &n, &f.e));
            ck_assert_uint_eq(n, cases[i].n);
        }
        ck_assert_int_eq(ledger_tx_each(f.l, &cases[0].filter, stop_at_two, NULL, &f.e),
                         TP_ERR_CANCELLED);
        fixture_end(&f);
    }
END_TEST

/* ---- questions to issuers ---- */

static const struct wire_answer approved = {.code = "00", .approval = "A12345"},
                                refused = {.code = "51", .reason = "ISSUER"},
                                lost = {.code = "91", .reason = "ISSUER_TIMEOUT"};

static struct tx_record ask(struct fixture *f, struct tx_room *room, uint32_t stan, uint16_t atc,
                            enum ledger_verdict wanted)
{
    struct tx_record tx = fixture_tx(room, stan, 7, atc, 1250);
    enum ledger_verdict v;
    time_t asked;

    tx.emv.online = true;
    ck_assert_msg(ledger_ask(f->l, &tx, "bank", &v, &asked, &f->e) == TP_OK, "%s", f->e.text);
    ck_assert_int_eq(v, wanted);
    return tx;
}

static void ck_authorisation(struct fixture *f, const char *rrn, enum authorisation_state state,
                             const char *code)
{
    struct authorisation a;

    ck_ok(ledger_authorisation_get(f->l, rrn, &a, &f->e));
    ck_assert_int_eq(a.state, state);
    ck_assert_str_eq(a.said.code, code);
    ck_assert_str_eq(a.issuer, "bank");
    ck_assert_int_eq(a.tx.amount, 1250);
}

START_TEST(asked_approved_and_taken_back)
    {
        struct fixture f;
        struct tx_room room;
        struct tx_record tx, read;
        enum ledger_verdict v;
        char rrn[RRN_MAX];

        fixture_start(&f);
        tx = ask(&f, &room, 1, 5, LEDGER_NEW);
        ck_authorisation(&f, tx.rrn, AUTHORISATION_ASKED, "");
        ck_ok(ledger_look(f.l, &tx, true, &v, rrn, &f.e));
        ck_assert_int_eq(v, LEDGER_ASKED);
        ck_assert_str_eq(rrn, tx.rrn);
        ck_ok(ledger_ask_approved(f.l, &tx, &approved, &v, &f.e));
        ck_assert_int_eq(v, LEDGER_NEW);
        ck_authorisation(&f, tx.rrn, AUTHORISATION_APPROVED, "00");
        ck_ok(ledger_tx_get(f.l, tx.rrn, &read, &f.e));
        ck_assert(read.emv.online);
        ck_assert_str_eq(read.approval, "A12345");
        ck_ok(ledger_look(f.l, &tx, true, &v, rrn, &f.e));
        ck_assert_int_eq(v, LEDGER_REPEAT);
        ck_ok(ledger_reverse(f.l, tx.rrn,
                             &f.e)); /* in the same database transaction the issuer is to be told */
        ck_authorisation(&f, tx.rrn, AUTHORISATION_TO_REVERSE, "00");
        ck_ok(ledger_reversal_done(f.l, tx.rrn, &f.e));
        ck_ok(ledger_reversal_done(f.l, tx.rrn, &f.e));
        ck_authorisation(&f, tx.rrn, AUTHORISATION_REVERSED, "00");
        fixture_end(&f);
    }
END_TEST

START_TEST(asked_in_vain)
    {
        struct fixture f;
        struct tx_room room, late_room;
        struct tx_record tx, late;
        enum ledger_verdict v;
        enum ledger_verdict how;
        char rrn[RRN_MAX];

        fixture_start(&f);
        tx = ask(&f, &room, 1, 5, LEDGER_NEW);
        ck_ok(ledger_ask_refused(f.l, tx.rrn, &refused, &f.e));
        ck_ok(ledger_ask_reverse(f.l, tx.rrn, &lost, &f.e)); /* what is settled stays so */
        ck_authorisation(&f, tx.rrn, AUTHORISATION_REFUSED, "51");
        (void)ask(&f, &room, 2, 5, LEDGER_ISSUER_REFUSED);
        late = ask(&f, &late_room, 3, 6, LEDGER_NEW);
        ck_ok(ledger_ask_reverse(f.l, late.rrn, &lost, &f.e));
        ck_ok(ledger_ask_approved(f.l, &late, &approved, &v, &f.e)); /* its approval is late */
        ck_assert_int_eq(v, LEDGER_REVERSED);
        ck_authorisation(&f, late.rrn, AUTHORISATION_TO_REVERSE, "91");
        late = ask(&f, &late_room, 4, 7, LEDGER_NEW);
        ck_ok(ledger_reverse_original(f.l, CONTRACT, TERMINAL, 4, 20261123, 1251, &how, rrn, &f.e));
        ck_assert_int_eq(how, LEDGER_AMOUNT);
        ck_ok(ledger_reverse_original(f.l, CONTRACT, TERMINAL, 4, 20261123, 1250, &how, rrn, &f.e));
        ck_authorisation(&f, late.rrn, AUTHORISATION_TO_REVERSE, "12");
        ck_ok(ledger_ask_approved(f.l, &late, &approved, &v, &f.e));
        ck_assert_int_eq(v, LEDGER_REVERSED);
        late =
            ask(&f, &late_room, 5, 8, LEDGER_NEW); /* still asked when the program starts again */
        ck_ok(ledger_ask_recover(f.l, &lost, &f.e));
        ck_authorisation(&f, late.rrn, AUTHORISATION_TO_REVERSE, "91");
        fixture_end(&f);
    }
END_TEST

/* What no card signed names any counter of any card: an issuer that does not know the cryptogram
 * (63), or did not come so far (30, for a 9F10 of any bytes), has not refused the card, whose own
 * payment comes. */
START_TEST(a_counter_that_somebody_named)
    {
        static const struct wire_answer unknown = {.code = "63", .reason = "ISSUER"},
                                        unread = {.code = "30", .reason = "ISSUER"};
        static const struct {
            bool vouched;
            const struct wire_answer *said;
            enum ledger_verdict wanted;
        } rows[] = {{true, &unknown, LEDGER_NEW},
                    {true, &unread, LEDGER_NEW},
                    {true, &refused, LEDGER_ISSUER_REFUSED},
                    {false, &unknown, LEDGER_ISSUER_REFUSED}};

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct fixture f;
            struct tx_room room;
            struct tx_record tx;
            enum ledger_verdict v;
            time_t asked;

            fixture_start(&f);
            tx = fixture_tx(&room, 1, 7, 5, 1250);
            tx.emv.online = true;
            tx.vouched = rows[i].vouched;
            ck_ok(ledger_ask(f.l, &tx, "bank", &v, &asked, &f.e));
            ck_assert_int_eq(v, LEDGER_NEW);
            ck_ok(ledger_ask_refused(f.l, tx.rrn, rows[i].said, &f.e));
            (void)ask(&f, &room, 2, 5, rows[i].wanted);
            fixture_end(&f);
        }
    }
END_TEST

/* A TC may follow its own ARQC when that came to nothing (EMV 4.4 Book 3, 10.9), once. */
START_TEST(the_counter_of_a_reversed_arqc)
    {
        struct fixture f;
        struct tx_room room, tc_room;
        struct tx_record tx, tc;
        enum ledger_verdict v;
        char rrn[RRN_MAX];

        fixture_start(&f);
        tx = ask(&f, &room, 1, 5, LEDGER_NEW);
        tc = fixture_tx(&tc_room, 2, 7, 5, 1250);
        ck_ok(ledger_acknowledge(f.l, &tc, &v, &f.e));
        ck_assert_int_eq(v, LEDGER_ATC_OLD); /* while it is asked */
        ck_ok(ledger_ask_approved(f.l, &tx, &approved, &v, &f.e));
        ck_ok(ledger_acknowledge(f.l, &tc, &v, &f.e));
        ck_assert_int_eq(v, LEDGER_ATC_OLD); /* while it stands */
        ck_ok(ledger_reverse(f.l, tx.rrn, &f.e));
        (void)ask(&f, &room, 3, 5, LEDGER_ATC_OLD); /* not for another ARQC */
        ck_ok(ledger_look(f.l, &tc, true, &v, rrn, &f.e));
        ck_assert_int_eq(v, LEDGER_NEW);
        fixture_contract(&f, "000000000000124");
        snprintf(tc.contract, sizeof(tc.contract), "000000000000124");
        ck_ok(ledger_acknowledge(f.l, &tc, &v, &f.e));
        ck_assert_int_eq(v, LEDGER_ATC_OLD); /* at another contract than its ARQC's */
        snprintf(tc.contract, sizeof(tc.contract), CONTRACT);
        ck_ok(ledger_acknowledge(f.l, &tc, &v, &f.e));
        ck_assert_int_eq(v, LEDGER_NEW);
        tc = fixture_tx(&tc_room, 4, 7, 5, 1250);
        ck_ok(ledger_acknowledge(f.l, &tc, &v, &f.e));
        ck_assert_int_eq(v, LEDGER_ATC_OLD); /* once */
        ck_ok(ledger_look(f.l, &tc, true, &v, rrn, &f.e));
        ck_assert_int_eq(v, LEDGER_ATC_OLD);
        fixture_end(&f);
    }
END_TEST

/* What the schema refuses, whoever asks. */
START_TEST(questions_go_one_way)
    {
        static const char *const never[] = {
            "DELETE FROM authorisation", "UPDATE authorisation SET amount = 1",
            "UPDATE authorisation SET state = 4", "UPDATE authorisation SET state = 0, code = ''",
            "UPDATE authorisation SET issuer = 'x'"};
        struct fixture f;
        struct tx_room room;
        struct tx_record tx;

        fixture_start(&f);
        tx = ask(&f, &room, 1, 5, LEDGER_NEW);
        ck_ok(ledger_ask_refused(f.l, tx.rrn, &refused, &f.e));
        for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
            ck_assert_msg(sql(&f, never[i]) == TP_ERR_STATE, "%s", never[i]);
        fixture_end(&f);
    }
END_TEST

/* ---- books of older versions ---- */

static const struct db_schema version_1_schema = {.program = "telepay-acquirer",
                                                  .upgrade = "telepay-acquirer upgrade",
                                                  .mark = "suspense",
                                                  .tables = version_1,
                                                  .version = 1};

/* As the first version left them, with a payment in them: the version stood in the file's head. */
static void make_version_1(struct fixture *f)
{
    static const char *const fill[] = {
        "INSERT INTO contract VALUES (1, '000000000000123', 'Librairie', 5942, 978, 250, 5000, "
        "100000, -1, 1, 1)",
        "INSERT INTO terminal VALUES (1, 1, '00000001', 1, 1)",
        "INSERT INTO contract VALUES (2, '000000000000124', 'Autre', 5942, 978, 250, 5000, "
        "100000, -1, 1, 1)",
        /* numbers that two contracts have, and one that looks like a serial made for them */
        "INSERT INTO terminal VALUES (2, 1, '00000002', 1, 1), (3, 2, '00000002', 1, 1), (4, "
        "2, 'T0000002', 1, 1)",
        "INSERT INTO remise (remise, contract, number, state, debits, debit_amount, opened) "
        "VALUES (1, 1, 1, 0, 1, 1250, 1)",
        "INSERT INTO card VALUES (zeroblob(32), 1, 5)",
        "INSERT INTO tx VALUES (632700000001, 1, 1, 20261123, 1, 101500, 0, 1250, 1, 5, "
        "20301231, 1, zeroblob(8), zeroblob(32), zeroblob(32),"
        " '999014******0015', zeroblob(44), x'00', x'00')",
        "DROP TABLE store", "PRAGMA user_version = 1"};
    struct db *db = NULL;

    memset(f, 0, sizeof(*f));
    snprintf(f->dir, sizeof(f->dir), "%s", "/tmp/telepay-ledger-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/ledger.db", f->dir);
    ck_ok(db_open(&db, f->path, &version_1_schema, DB_MAKE, &f->e));
    for (size_t i = 0; i < sizeof(fill) / sizeof(fill[0]); i++)
        ck_assert_msg(db_exec(db, fill[i], DB_NONE, NULL, &f->e) == TP_OK, "%s", f->e.text);
    db_close(&db);
}

static void upgrade(struct fixture *f)
{
    char copy[512];

    ck_assert_int_eq(ledger_open(&f->l, f->path, &f->e), TP_ERR_STATE); /* never by itself */
    ck_assert_ptr_nonnull(strstr(f->e.text, "telepay-acquirer upgrade"));
    ck_assert_msg(db_upgrade(f->path, &ledger_schema, copy, NULL, NULL, &f->e) == TP_OK, "%s",
                  f->e.text);
    ck_assert_int_eq(unlink(copy), 0);
    ck_assert_msg(ledger_open(&f->l, f->path, &f->e) == TP_OK, "%s", f->e.text);
}

/* Books that the first version made, with a payment in them, are brought up and go on. */
START_TEST(books_of_the_first_version)
    {
        struct fixture f;
        struct tx_record tx;
        struct tx_room room;
        enum ledger_verdict v;

        make_version_1(&f);
        upgrade(&f);
        ck_ok(ledger_tx_get(f.l, "632700000001", &tx, &f.e));
        ck_assert(!tx.emv.online);
        ck_assert_str_eq(tx.approval, "");
        struct contract c;
        struct terminal t;

        ck_ok(ledger_contract_get(f.l, CONTRACT, &c, &f.e));
        ck_assert(c.siret[0] == '\0' && c.town[0] == '\0' && c.postcode[0] == '\0');

        ck_ok(ledger_terminal_get(f.l, CONTRACT, TERMINAL, &t, &f.e));
        ck_assert_str_eq(t.serial, TERMINAL); /* as its telepay.conf has it */
        int day = 0;

        ck_ok(ledger_raised_on(f.l, &day, &f.e));
        ck_assert_int_eq(day, date_of(time(NULL)));
        ck_ok(ledger_terminal_get(f.l, "000000000000124", "T0000002", &t, &f.e));
        ck_assert_str_eq(t.serial, "T0000002");
        ck_ok(ledger_terminal_get(f.l, CONTRACT, "00000002", &t, &f.e));
        ck_assert_uint_eq(strlen(t.serial), 8);
        ck_assert_str_ne(t.serial, "T0000002");
        tx = fixture_tx(&room, 2, 0, 5, 100);
        ck_ok(ledger_acknowledge(f.l, &tx, &v, &f.e));
        ck_assert_int_eq(v, LEDGER_ATC_OLD);
        tx = ask(&f, &room, 3, 6, LEDGER_NEW);
        ck_ok(ledger_ask_approved(f.l, &tx, &approved, &v, &f.e));
        ck_assert_int_eq(v, LEDGER_NEW);
        fixture_end(&f);
    }
END_TEST

struct shape { /* of the schema: a table's column, an index or a trigger */
    char name[64], tbl[64], type[32];
    int64_t place, must, key;
};

#define SHAPES_MAX 200

static size_t read_shapes(struct db *d, struct shape *out, const char *sql)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct shape, name), DB_COLUMN(struct shape, tbl),
        DB_COLUMN(struct shape, type), DB_COLUMN(struct shape, place),
        DB_COLUMN(struct shape, must), DB_COLUMN(struct shape, key)};
    struct db_rows *rows = NULL;
    struct tp_error e;
    size_t n = 0;
    bool found = true;

    ck_ok(db_query(d, &rows, sql, DB_NONE, DB_COLUMNS(columns), &e));
    while (found) {
        ck_assert_uint_lt(n, SHAPES_MAX);
        ck_ok(db_next(rows, &out[n], &found, &e));
        n += found;
    }
    db_end(&rows);
    return n;
}

/* What is brought up is what is made new: the same columns in the same order, indexes and rules. */
START_TEST(an_upgraded_one_is_as_a_new_one)
    {
        static const char *const shapes[] = {
            "SELECT c.name, t.name AS tbl, c.type, c.cid AS place, c.\"notnull\" AS must, c.pk AS "
            "key FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' "
            "ORDER BY t.name, c.cid",
            "SELECT name, tbl_name AS tbl, type, 0 AS place, 0 AS must, 0 AS key FROM "
            "sqlite_schema WHERE type <> 'table' ORDER BY name"};
        static struct shape of_old[SHAPES_MAX], of_new[SHAPES_MAX];
        struct fixture old, new;

        make_version_1(&old);
        upgrade(&old);
        fixture_start(&new);
        for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
            const size_t n = read_shapes(ledger_db(old.l), of_old, shapes[s]);

            ck_assert_uint_gt(n, 20);
            ck_assert_uint_eq(read_shapes(ledger_db(new.l), of_new, shapes[s]), n);
            for (size_t i = 0; i < n; i++) {
                ck_assert_str_eq(of_old[i].name, of_new[i].name);
                ck_assert_str_eq(of_old[i].tbl, of_new[i].tbl);
                ck_assert_str_eq(of_old[i].type, of_new[i].type);
                ck_assert_int_eq(of_old[i].place, of_new[i].place);
                ck_assert_int_eq(of_old[i].must, of_new[i].must);
                ck_assert_int_eq(of_old[i].key, of_new[i].key);
            }
        }
        fixture_end(&new);
        fixture_end(&old);
    }
END_TEST

/* ---- groups ---- */

/* Totals are written once a group, and are right at every look within it: over more remises than
 * are summed at once, with a reversal and a close on the way. */
START_TEST(totals_within_a_group)
    {
        enum { CONTRACTS = 40 };
        struct fixture f;
        struct tx_room room;
        struct remise r;
        char id[CONTRACT_ID_MAX], first[RRN_MAX] = "";
        enum ledger_verdict v;

        fixture_start(&f);
        for (unsigned i = 0; i < CONTRACTS; i++) {
            snprintf(id, sizeof(id), "9%014u", i);
            fixture_contract(&f, id);
        }
        ck_ok(ledger_group_begin(f.l, &f.e));
        for (unsigned i = 0; i < 2 * CONTRACTS; i++) {
            struct tx_record tx = fixture_tx(&room, i + 1, i + 1, 1, 100);

            snprintf(tx.contract, sizeof(tx.contract), "9%014u", i % CONTRACTS);
            ck_ok(ledger_acknowledge(f.l, &tx, &v, &f.e));
            ck_assert_int_eq(v, LEDGER_NEW);
            if (i == 0)
                memcpy(first, tx.rrn, sizeof(first));
        }
        snprintf(id, sizeof(id), "9%014u", 0);
        ck_ok(ledger_remise_running(f.l, id, &r, &f.e));
        ck_assert_uint_eq(r.totals.debits, 2);
        ck_ok(ledger_reverse(f.l, first, &f.e));
        ck_ok(ledger_remise_close(f.l, id, &r, &f.e));
        ck_assert_uint_eq(r.totals.debits, 1);
        ck_assert_int_eq(r.totals.debit_amount, 100);
        ck_assert_uint_eq(r.totals.reversals, 1);
        ck_ok(ledger_group_commit(f.l, &f.e));
        for (unsigned i = 1; i < CONTRACTS; i++) {
            snprintf(id, sizeof(id), "9%014u", i);
            ck_ok(ledger_remise_running(f.l, id, &r, &f.e));
            ck_assert_uint_eq(r.totals.debits, 2);
            ck_assert_int_eq(r.totals.debit_amount, 200);
        }
        fixture_end(&f);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("ledger");
    TCase *t = tcase_create("ledger");

    tcase_set_timeout(t, 300); /* on a PostgreSQL beside six others, too */
    tcase_add_test(t, a_payment_is_kept_and_read_back);
    tcase_add_test(t, repeats_count_once);
    tcase_add_test(t, a_counter_of_a_card_counts_once);
    tcase_add_test(t, credits);
    tcase_add_test(t, a_credit_and_a_reversal_of_one_debit);
    tcase_add_test(t, refunds);
    tcase_add_test(t, refunds_under_way);
    tcase_add_test(t, serials);
    tcase_add_test(t, refusals_are_kept_and_bounded);
    tcase_add_test(t, unknown_reversals_are_bounded);
    tcase_add_test(t, opposed_cards_are_not_kept);
    tcase_add_test(t, reversal_before_the_close_only);
    tcase_add_test(t, a_reversal_may_overtake_its_payment);
    tcase_add_test(t, remises_run_without_a_gap);
    tcase_add_test(t, a_remise_goes_its_way);
    tcase_add_test(t, a_rejected_remise_goes_to_suspense_whole);
    tcase_add_test(t, a_group_is_whole_or_nothing);
    tcase_add_test(t, totals_within_a_group);
    tcase_add_test(t, what_the_books_cannot_hold);
    tcase_add_test(t, totals_that_are_full_take_nothing);
    tcase_add_test(t, closed_contracts_take_nothing);
    tcase_add_test(t, the_schema_refuses_crooked_ways);
    tcase_add_test(t, lists_are_filtered);
    tcase_add_test(t, asked_approved_and_taken_back);
    tcase_add_test(t, asked_in_vain);
    tcase_add_test(t, a_counter_that_somebody_named);
    tcase_add_test(t, the_counter_of_a_reversed_arqc);
    tcase_add_test(t, questions_go_one_way);
    if (!postgres_wanted()) { /* there were files alone */
        tcase_add_test(t, books_of_the_first_version);
        tcase_add_test(t, an_upgraded_one_is_as_a_new_one);
    }
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
