/* The books against an independent model: seeded random runs of everything that can happen to a
 * contract, in groups that are committed or rolled back; the model is plain arrays that are
 * searched and summed from scratch at every look. LEDGER_MODEL_SEED changes the first seed. */
#include "ledger_fixture.h"

#define ITEMS   600
#define REMISES 120
#define CARDS   12
#define STEPS   400
#define RUNS    12

struct item {
    uint32_t stan, card, remise;
    int64_t amount;
    enum tx_kind kind;
    uint16_t atc;
    bool reversed, refused;
    char rrn[RRN_MAX];
};

struct model {
    struct item item[ITEMS];
    size_t n;
    uint32_t forewarned[STEPS]; /* trace numbers reversed before they came */
    size_t forewarned_n;
    enum remise_state remise[REMISES]; /* by number - 1 */
    uint32_t remises;
    int opposed[CARDS]; /* -1, 0 lost, 1 stolen */
};

struct run {
    struct fixture f;
    struct model m, saved;
    uint64_t random;
    uint32_t stan;
};

static uint32_t pick(struct run *r, uint32_t n)
{
    r->random ^= r->random << 13; /* xorshift64 */
    r->random ^= r->random >> 7;
    r->random ^= r->random << 17;
    return (uint32_t)(r->random >> 20) % n;
}

static struct item *by_stan(struct model *m, uint32_t stan)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->item[i].stan == stan)
            return &m->item[i];
    return NULL;
}

static bool is_forewarned(const struct model *m, uint32_t stan)
{
    for (size_t i = 0; i < m->forewarned_n; i++)
        if (m->forewarned[i] == stan)
            return true;
    return false;
}

static int last_atc(const struct model *m, uint32_t card)
{
    int last = -1;

    for (size_t i = 0; i < m->n; i++)
        if (m->item[i].card == card && m->item[i].atc > last)
            last = m->item[i].atc;
    return last;
}

static bool has_paid(const struct model *m, uint32_t card, int atc)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->item[i].card == card && m->item[i].atc == atc)
            return true;
    return false;
}

/* What the card has paid and not got back; a payment that the centre refused was none. */
static int64_t balance(const struct model *m, uint32_t card)
{
    int64_t sum = 0;

    for (size_t i = 0; i < m->n; i++) {
        const struct item *x = &m->item[i];

        if (x->card != card || x->reversed)
            continue;
        if (x->kind == TX_CREDIT)
            sum -= x->amount;
        else if (!x->refused && m->remise[x->remise - 1] != REMISE_REJECTED)
            sum += x->amount;
    }
    return sum;
}

/* A debit that a later credit gave back: with it reversed, the card would have got more than it
 * paid. */
static bool is_credited(const struct model *m, const struct item *of)
{
    if (of->kind != TX_DEBIT || balance(m, of->card) >= of->amount)
        return false;
    for (const struct item *i = of + 1; i < m->item + m->n; i++)
        if (i->card == of->card && i->kind == TX_CREDIT && !i->reversed)
            return true;
    return false;
}

/* ---- what happens ---- */

static void expect(struct run *r, struct tx_record *tx, enum ledger_verdict wanted)
{
    enum ledger_verdict v = LEDGER_NEW;

    ck_assert_msg(ledger_acknowledge(r->f.l, tx, &v, &r->f.e) == TP_OK, "%s", r->f.e.text);
    ck_assert_int_eq(v, wanted);
}

static void pay(struct run *r)
{
    const uint32_t stan = r->stan++, card = pick(r, CARDS);
    const int last = last_atc(&r->m, card), atc = last + (int)pick(r, 8) - 3;
    const bool credit = pick(r, 5) == 0;
    struct tx_room room;
    enum ledger_verdict wanted = LEDGER_NEW;

    if (r->m.n == ITEMS || atc < 0)
        return;
    struct tx_record tx =
        fixture_tx(&room, stan, card, (uint16_t)atc, 1 + pick(r, credit ? 30000 : 100000));

    tx.kind = credit ? TX_CREDIT : TX_DEBIT;
    if (is_forewarned(&r->m, stan))
        wanted = LEDGER_REVERSED;
    else if (r->m.opposed[card] >= 0)
        wanted = r->m.opposed[card] == 1 ? LEDGER_OPPOSITION_STOLEN : LEDGER_OPPOSITION_LOST;
    else if (has_paid(&r->m, card, atc))
        wanted = LEDGER_ATC_OLD;
    else if (tx.kind == TX_CREDIT && tx.amount > balance(&r->m, card))
        wanted = LEDGER_CREDIT_UNPAID;
    expect(r, &tx, wanted);
    if (wanted != LEDGER_NEW)
        return;
    struct item *i = &r->m.item[r->m.n++];

    *i = (struct item){.stan = stan,
                       .card = card,
                       .remise = r->m.remises,
                       .amount = tx.amount,
                       .kind = tx.kind,
                       .atc = (uint16_t)atc};
    memcpy(i->rrn, tx.rrn, RRN_MAX);
}

static void repeat(struct run *r)
{
    struct tx_room room;

    if (r->m.n == 0)
        return;
    const struct item *i = &r->m.item[pick(r, (uint32_t)r->m.n)];
    const bool other = pick(r, 3) == 0;
    struct tx_record tx = fixture_tx(&room, i->stan, i->card, i->atc, i->amount + (other ? 1 : 0));

    tx.kind = i->kind;
    expect(r, &tx, other ? LEDGER_DIFFERENT : i->reversed ? LEDGER_REVERSED : LEDGER_REPEAT);
    ck_assert_str_eq(tx.rrn, i->rrn);
}

static void reverse(struct run *r)
{
    if (r->m.n == 0)
        return;
    struct item *i = &r->m.item[pick(r, (uint32_t)r->m.n)];
    const bool may =
        i->reversed || (r->m.remise[i->remise - 1] == REMISE_OPEN && !is_credited(&r->m, i));

    ck_assert_int_eq(ledger_reverse(r->f.l, i->rrn, &r->f.e), may ? TP_OK : TP_ERR_STATE);
    i->reversed = may ? true : i->reversed;
}

static void reverse_original(struct run *r)
{
    const uint32_t stan = r->stan == 1 ? 1 : r->stan - pick(r, 8) % r->stan + pick(r, 3);
    struct item *i = by_stan(&r->m, stan);
    enum ledger_verdict how = LEDGER_REVERSAL_DONE;
    char rrn[RRN_MAX];
    const enum tp_err e =
        ledger_reverse_original(r->f.l, CONTRACT, TERMINAL, stan, 20261123, 0, &how, rrn, &r->f.e);

    if (i != NULL && !i->reversed && r->m.remise[i->remise - 1] != REMISE_OPEN) {
        ck_ok(e);
        ck_assert_int_eq(how, LEDGER_REVERSAL_TOO_LATE);
        return;
    }
    ck_ok(e);
    if (i != NULL && !i->reversed && is_credited(&r->m, i)) {
        ck_assert_int_eq(how, LEDGER_REVERSAL_CREDITED);
        return;
    }
    if (i != NULL) {
        ck_assert_int_eq(how, i->reversed ? LEDGER_REVERSAL_REPEATED : LEDGER_REVERSAL_DONE);
        i->reversed = true;
        return;
    }
    ck_assert_int_eq(how, is_forewarned(&r->m, stan) ? LEDGER_REVERSAL_REPEATED
                                                     : LEDGER_REVERSAL_REMEMBERED);
    if (!is_forewarned(&r->m, stan))
        r->m.forewarned[r->m.forewarned_n++] = stan;
}

static void oppose(struct run *r)
{
    struct tx_room room;
    const uint32_t card = pick(r, CARDS);
    const struct tx_record tx = fixture_tx(&room, 1, card, 1, 1);

    if (r->m.opposed[card] >= 0) {
        ck_ok(ledger_opposition_remove(r->f.l, tx.pan_lookup, &r->f.e));
        r->m.opposed[card] = -1;
    } else if (pick(r, 3) == 0) {
        r->m.opposed[card] = (int)pick(r, 2);
        ck_ok(ledger_opposition_add(r->f.l, tx.pan_lookup, tx.pan_masked, r->m.opposed[card] == 1,
                                    &r->f.e));
    }
}

static struct remise_totals sum(const struct model *m, uint32_t number)
{
    struct remise_totals t = {0};

    for (size_t i = 0; i < m->n; i++) {
        const struct item *x = &m->item[i];

        if (x->remise != number)
            continue;
        if (x->reversed) {
            t.reversals++;
            t.reversal_amount += x->amount;
        } else if (x->kind == TX_DEBIT) {
            t.debits++;
            t.debit_amount += x->amount;
        } else {
            t.credits++;
            t.credit_amount += x->amount;
        }
    }
    return t;
}

static void close_remise(struct run *r)
{
    const struct remise_totals t = sum(&r->m, r->m.remises);
    struct remise closed;

    if (r->m.remises == REMISES)
        return;
    if (t.debits + t.credits == 0) {
        ck_assert_int_eq(ledger_remise_close(r->f.l, CONTRACT, &closed, &r->f.e), TP_ERR_NOT_FOUND);
        return;
    }
    ck_ok(ledger_remise_close(r->f.l, CONTRACT, &closed, &r->f.e));
    ck_assert_uint_eq(closed.number, r->m.remises);
    r->m.remise[r->m.remises - 1] = REMISE_CLOSED;
    r->m.remise[r->m.remises++] = REMISE_OPEN;
}

static void refuse_some(struct run *r, uint32_t number)
{
    struct remise_refusal refused[ITEMS];
    size_t n = 0;
    uint32_t sequence = 0;

    for (size_t i = 0; i < r->m.n; i++) {
        struct item *x = &r->m.item[i];

        if (x->remise != number || x->reversed)
            continue;
        sequence++;
        if (pick(r, 6) != 0)
            continue;
        x->refused = true;
        refused[n].sequence = sequence;
        snprintf(refused[n++].reason, sizeof(refused[0].reason), "refused");
    }
    ck_assert_msg(ledger_remise_collected(r->f.l, CONTRACT, number, refused, n, "some", &r->f.e) ==
                      TP_OK,
                  "%s", r->f.e.text);
    r->m.remise[number - 1] = REMISE_COLLECTED;
}

static void move_remise(struct run *r)
{
    const uint32_t number = 1 + pick(r, r->m.remises);
    const uint8_t hash[32] = {(uint8_t)number};

    switch (r->m.remise[number - 1]) {
    case REMISE_CLOSED:
        ck_ok(ledger_remise_submitted(r->f.l, CONTRACT, number, hash, &r->f.e));
        r->m.remise[number - 1] = REMISE_SUBMITTED;
        break;
    case REMISE_SUBMITTED:
        if (pick(r, 4) != 0) {
            refuse_some(r, number);
            break;
        }
        ck_ok(ledger_remise_rejected(r->f.l, CONTRACT, number, "all", &r->f.e));
        r->m.remise[number - 1] = REMISE_REJECTED;
        break;
    default:
        ck_assert_int_eq(ledger_remise_submitted(r->f.l, CONTRACT, number, hash, &r->f.e),
                         TP_ERR_STATE);
        break;
    }
}

static void step(struct run *r)
{
    const uint32_t what = pick(r, 100);

    if (what < 55)
        pay(r);
    else if (what < 67)
        repeat(r);
    else if (what < 75)
        reverse(r);
    else if (what < 81)
        reverse_original(r);
    else if (what < 87)
        oppose(r);
    else if (what < 92)
        close_remise(r);
    else
        move_remise(r);
}

/* ---- looking ---- */

static enum tx_state state_of(const struct model *m, const struct item *i)
{
    static const enum tx_state from[] = {[REMISE_OPEN] = TX_ACKNOWLEDGED,
                                         [REMISE_CLOSED] = TX_IN_REMISE,
                                         [REMISE_SUBMITTED] = TX_IN_REMISE,
                                         [REMISE_COLLECTED] = TX_COLLECTED,
                                         [REMISE_REJECTED] = TX_REJECTED};

    return i->reversed ? TX_REVERSED : i->refused ? TX_REJECTED : from[m->remise[i->remise - 1]];
}

static enum tp_err look_tx(void *ctx, uint32_t sequence, const struct tx_record *tx,
                           struct tp_error *e)
{
    const struct model *m = ctx;
    const struct item *i = &m->item[sequence - 1]; /* both in the order they were kept */

    (void)e;
    ck_assert_uint_le(sequence, m->n);
    ck_assert_str_eq(tx->rrn, i->rrn);
    ck_assert_uint_eq(tx->stan, i->stan);
    ck_assert_int_eq(tx->amount, i->amount);
    ck_assert_int_eq(tx->kind, i->kind);
    ck_assert_uint_eq(tx->emv.atc, i->atc);
    ck_assert_uint_eq(tx->remise, i->remise);
    ck_assert_int_eq(tx->state, state_of(m, i));
    return sequence == m->n ? TP_ERR_CANCELLED : TP_OK;
}

static enum tp_err look_remise(void *ctx, const struct remise *remise, struct tp_error *e)
{
    struct run *r = ctx;
    const struct remise_totals t = sum(&r->m, remise->number);

    (void)e;
    ck_assert_uint_le(remise->number, r->m.remises);
    ck_assert_int_eq(remise->state, r->m.remise[remise->number - 1]);
    ck_assert_uint_eq(remise->totals.debits, t.debits);
    ck_assert_uint_eq(remise->totals.credits, t.credits);
    ck_assert_uint_eq(remise->totals.reversals, t.reversals);
    ck_assert_int_eq(remise->totals.debit_amount, t.debit_amount);
    ck_assert_int_eq(remise->totals.credit_amount, t.credit_amount);
    ck_assert_int_eq(remise->totals.reversal_amount, t.reversal_amount);
    return TP_OK;
}

static void look(struct run *r)
{
    const struct tx_filter all = {NULL, -1, -1};
    const enum tp_err e = ledger_tx_each(r->f.l, &all, look_tx, &r->m, &r->f.e);

    ck_assert_int_eq(e, r->m.n > 0 ? TP_ERR_CANCELLED : TP_OK); /* the last one stops it */
    ck_ok(ledger_remise_each(r->f.l, CONTRACT, -1, look_remise, r, &r->f.e));
}

START_TEST(books_and_model_agree)
    {
        struct run *r = calloc(1, sizeof(*r));
        const char *seed = getenv("LEDGER_MODEL_SEED");

        ck_assert_ptr_nonnull(r);
        r->random = (seed != NULL ? strtoull(seed, NULL, 10) : UINT64_C(750275)) * UINT64_C(1000) +
                    (unsigned)_i + UINT64_C(1);
        r->stan = 1;
        fixture_start(&r->f);
        r->m.remises = 1;
        for (size_t i = 0; i < CARDS; i++)
            r->m.opposed[i] = -1;
        for (int n = 0; n < STEPS;) {
            const bool back = pick(r, 6) == 0;

            r->saved = r->m;
            ck_ok(ledger_group_begin(r->f.l, &r->f.e));
            for (uint32_t in_group = 1 + pick(r, 12); in_group > 0; in_group--, n++)
                step(r);
            if (back) {
                ledger_group_rollback(r->f.l);
                r->m = r->saved;
            } else {
                ck_ok(ledger_group_commit(r->f.l, &r->f.e));
            }
            look(r);
        }
        ck_assert_uint_gt(r->m.n, 50); /* the run did something */
        ck_assert_uint_gt(r->m.remises, 2);
        fixture_end(&r->f);
        free(r);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("ledger_model");
    TCase *t = tcase_create("ledger_model");

    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, books_and_model_agree, 0, RUNS);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
