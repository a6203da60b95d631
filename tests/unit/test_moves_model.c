/* Orders against an independent model: seeded random runs of everything that can happen to them,
 * by payer devices that copy, guess and repeat, and acquirers, of cards and a purse, that are
 * silent, undecided and say things twice; in groups that are committed or rolled back. The model
 * has facts, not states. In every other run orders are paid by card alone.
 * MOVES_MODEL_SEED changes the first seed. */
#include "mediator_fixture.h"

#include <stdio.h>

#define ORDERS   8
#define ATTEMPTS ATTEMPTS_MAX
#define STEPS    1500
#define RUNS     14

enum back { BACK_NO, BACK_WANTED, BACK_DONE, BACK_OWED };

struct
try { /* the model's attempt; numbers from 1 */
    char challenge[48];
    int credential; /* 0: none came */
    int place;      /* 0 by card, 1 by purse */
    enum outcome outcome;
    enum surplus surplus;
};

struct fact {
    char id[BOOK_ORDER_ID];
    int64_t made, valid_until, approved;
    struct try try[ATTEMPTS + 1];
    uint32_t tries, pays; /* pays: the one that can, or does */
    int claim;
    bool asked, silent, paid, complete, delivered;
    enum back back;
};

struct acquirer {         /* what it decided, of each order */
    uint32_t yes[ORDERS]; /* the attempt; 0: none */
    bool no[ORDERS][ATTEMPTS + 1], completion[ORDERS];
};

struct world {
    struct fact order[ORDERS];
    struct acquirer acquirer[2]; /* of cards, of purses */
    int64_t now;
};

struct run {
    struct mediator_fixture f;
    struct world w, saved;
    struct move m;
    uint64_t random;
    size_t moved, ends[STATE_OWED + 1], surplus;
    bool both;
};

static uint32_t pick(struct run *r, uint32_t n)
{
    r->random ^= r->random << 13; /* xorshift64 */
    r->random ^= r->random >> 7;
    r->random ^= r->random << 17;
    return (uint32_t)(r->random >> 20) % n;
}

static enum order_state state_of(const struct fact *o)
{
    static const enum order_state backs[] = {
        [BACK_WANTED] = STATE_REVERSING, [BACK_DONE] = STATE_REVERSED, [BACK_OWED] = STATE_OWED};

    if (o->back != BACK_NO)
        return backs[o->back];
    if (o->delivered)
        return STATE_DELIVERED;
    if (o->paid)
        return o->complete ? STATE_ACKNOWLEDGED : STATE_APPROVED;
    if (o->asked)
        return o->silent ? STATE_UNKNOWN : STATE_SUBMITTING;
    return o->claim != 0 ? STATE_CLAIMED : STATE_REQUESTED;
}

static bool is_open(const struct fact *o)
{
    return !o->asked && !o->paid && o->back == BACK_NO;
}

/* ---- what happens ---- */

static struct fact *some(struct run *r)
{
    return &r->w.order[pick(r, ORDERS)];
}

static size_t index_of(const struct run *r, const struct fact *o)
{
    return (size_t)(o - r->w.order);
}

static void begin_move(struct run *r, enum event event, const struct fact *o)
{
    move_free(&r->m);
    r->m = (struct move){.event = event, .now = r->w.now};
    memcpy(r->m.id, o->id, sizeof(r->m.id));
    snprintf(r->m.why, sizeof(r->m.why), "because");
}

/* The books' move and the model's must be one. */
static void make(struct run *r, const struct fact *o, enum finding wanted)
{
    const enum tp_err e = move_apply(&r->m, r->f.book, &r->f.issuing, &r->f.e);

    ck_assert_msg(e == TP_OK, "%s", r->f.e.text);
    ck_assert_msg(r->m.finding == wanted && r->m.order.state == state_of(o),
                  "event %d of order %zu: finding %d, %s; not %d, %s", (int)r->m.event,
                  index_of(r, o), (int)r->m.finding, order_state_name(r->m.order.state),
                  (int)wanted, order_state_name(state_of(o)));
    ck_assert_uint_eq(r->m.order.attempt, o->pays);
    if (r->m.moved)
        r->moved++;
}

static void ask(struct run *r, struct fact *o)
{
    const size_t i = index_of(r, o);
    const int valid = 100 + (int)pick(r, 500); /* of real time: it signs with that clock */

    move_free(&r->m);
    (r->both ? fixture_ask_both : fixture_ask)(&r->f, &r->m, time(NULL), valid);
    r->m.now = r->w.now;
    *o = (struct fact){.made = r->w.now, .tries = r->both ? 2 : 1, .pays = 1};
    memcpy(o->id, r->m.id, sizeof(o->id));
    memcpy(o->try[1].challenge, r->m.attempt.challenge_id, sizeof(o->try[1].challenge));
    if (r->both) {
        memcpy(o->try[2].challenge, r->m.others[0].challenge_id, sizeof(o->try[2].challenge));
        o->try[2].place = 1;
    }
    o->valid_until = r->m.order.valid_until;
    for (size_t a = 0; a < 2; a++) {
        r->w.acquirer[a].yes[i] = 0;
        memset(r->w.acquirer[a].no[i], 0, sizeof(r->w.acquirer[a].no[i]));
    }
    make(r, o, FOUND_FINE);
}

static void claim(struct run *r, struct fact *o)
{
    const int device = 1 + (int)pick(r, 2);
    enum finding wanted = FOUND_TAKEN;

    begin_move(r, EVENT_CLAIM, o);
    r->m.has_claim = true;
    memset(r->m.claim, device, BOOK_CLAIM);
    if (o->claim == device) {
        wanted = FOUND_FINE;
    } else if (o->claim == 0 && is_open(o)) {
        wanted = r->w.now > o->valid_until + GRACE_S ? FOUND_EXPIRED : FOUND_FINE;
        o->claim = wanted == FOUND_FINE ? device : 0;
    }
    make(r, o, wanted);
}

static void release(struct run *r, struct fact *o)
{
    const int device = 1 + (int)pick(r, 2);
    bool submitted = false;
    enum finding wanted = FOUND_FINE;

    for (uint32_t n = 1; n <= o->tries; n++)
        submitted |= o->try[n].credential != 0;
    begin_move(r, EVENT_RELEASE, o);
    r->m.has_claim = true;
    memset(r->m.claim, device, BOOK_CLAIM);
    if (o->claim != 0 && o->claim != device)
        wanted = FOUND_TAKEN;
    else if (submitted)
        wanted = FOUND_OVER;
    else
        o->claim = 0;
    make(r, o, wanted);
}

/* The newest by its means. */
static bool is_newest(const struct fact *o, const struct try *t)
{
    for (uint32_t n = (uint32_t)(t - o->try) + 1; n <= o->tries; n++)
        if (o->try[n].place == t->place)
            return false;
    return true;
}

static enum finding expect_pay(struct run *r, const struct fact *o, const struct try *t,
                               int credential)
{
    const bool same_claim = r->m.has_claim && r->m.claim[0] == o->claim;

    if (t == NULL)
        return FOUND_INVALID;
    if (t->credential != 0 && t->credential != credential)
        return t->outcome == OUTCOME_NO ? FOUND_INVALID : FOUND_OTHER;
    if (t->credential != 0 && t->outcome != OUTCOME_VAIN)
        return FOUND_FINE;
    if (!is_open(o))
        return FOUND_OTHER;
    if (o->claim != 0 && !same_claim)
        return FOUND_TAKEN;
    if (t->credential == 0 && r->w.now > o->valid_until + GRACE_S)
        return FOUND_EXPIRED;
    if (t->credential == 0 && !is_newest(o, t))
        return FOUND_INVALID;
    return r->m.reached ? FOUND_FINE : FOUND_UNREACHED;
}

/* The attempt that somebody answers: mostly one that can be paid, by either means. */
static uint32_t choose(struct run *r, const struct fact *o)
{
    const uint32_t chance = pick(r, 6);
    uint32_t n = o->tries;

    if (o->tries == 0)
        return 0;
    if (chance < 2)
        return 1 + pick(r, o->tries);
    if (chance < 4 || !r->both)
        return o->pays;
    while (n > 1 && o->try[n].place == o->try[o->pays].place)
        n--;
    return n;
}

static void pay(struct run *r, struct fact *o)
{
    const struct fact *of = pick(r, 20) == 0 ? some(r) : o;
    const uint32_t n = choose(r, of);
    const int credential = (int)n * 2 + (int)pick(r, 8) / 7; /* mostly the same again */
    struct try *t = of == o && n > 0 ? &o->try[n] : NULL;
    enum finding wanted;

    begin_move(r, EVENT_PAY, o);
    memset(r->m.credential, credential, BOOK_CREDENTIAL);
    r->m.pays = strdup("sealed");
    r->m.reached = pick(r, 6) != 0;
    r->m.has_claim = pick(r, 4) != 0;
    memset(r->m.claim, r->m.has_claim && o->claim != 0 ? o->claim : 1 + (int)pick(r, 2),
           BOOK_CLAIM);
    snprintf(r->m.challenge_id, sizeof(r->m.challenge_id), "%s",
             n > 0 ? of->try[n].challenge : "nobody-made-it");
    wanted = expect_pay(r, o, t, credential);
    if (wanted == FOUND_FINE && (t->credential == 0 || t->outcome == OUTCOME_VAIN)) {
        t->credential = credential;
        t->outcome = OUTCOME_NONE;
        o->asked = true;
        o->silent = false;
        o->pays = n;
    }
    make(r, o, wanted);
}

/* What an acquirer says of an attempt: at most one yes an order; what it decided it says again. */
static enum outcome say(struct run *r, size_t i, uint32_t n, int place)
{
    struct acquirer *a = &r->w.acquirer[place];
    const uint32_t chance = pick(r, 10);

    if (a->yes[i] == n)
        return OUTCOME_YES;
    if (a->yes[i] != 0 || a->no[i][n] || chance < (r->both ? 2 : 4)) {
        a->no[i][n] = true;
        return OUTCOME_NO;
    }
    if (chance < (r->both ? 7 : 6)) /* what another means may then overtake */
        return OUTCOME_VAIN;
    a->yes[i] = n;
    a->completion[i] = place == 0 && pick(r, 2) == 0;
    return OUTCOME_YES;
}

static bool renewed(struct run *r, struct fact *o, const struct try *t)
{
    if (r->w.now >= o->valid_until || o->tries >= ATTEMPTS_MAX)
        return false;
    o->pays = ++o->tries; /* its challenge is read once it is made */
    o->try[o->pays].place = t->place;
    return true;
}

/* Paid by one means: what the other's acquirer may take, or has taken, goes back. */
static void rivals(struct fact *o, const struct try *t)
{
    for (uint32_t n = 1; n <= o->tries; n++)
        if (o->try[n].place != t->place && o->try[n].credential != 0 &&
            o->try[n].outcome != OUTCOME_NO && o->try[n].surplus == SURPLUS_NONE)
            o->try[n].surplus = SURPLUS_BACK;
}

static void take_answer(struct run *r, struct fact *o, struct try *t, bool asked, bool *fresh)
{
    t->outcome = r->m.said.outcome;
    if (t->outcome == OUTCOME_YES && !o->paid && o->back == BACK_NO) {
        o->paid = true;
        o->complete = !r->m.said.completion;
        o->approved = r->w.now;
        o->asked = false;
        o->pays = (uint32_t)(t - o->try);
        rivals(o, t);
    } else if (asked) {
        o->asked = false;
        *fresh = renewed(r, o, t);
    } else if (t != &o->try[o->pays]) {
        if (t->outcome == OUTCOME_YES && t->surplus == SURPLUS_NONE)
            t->surplus = SURPLUS_BACK;
        if (t->outcome == OUTCOME_NO && t->surplus == SURPLUS_BACK)
            t->surplus = SURPLUS_NONE;
    }
}

static void read_fresh(const struct run *r, struct fact *o)
{
    for (size_t i = 0; i < r->m.n_others; i++)
        if (r->m.others[i].n == o->pays)
            memcpy(o->try[o->pays].challenge, r->m.others[i].challenge_id,
                   sizeof(o->try[o->pays].challenge));
}

static void answer(struct run *r, struct fact *o)
{
    const uint32_t n = pick(r, 4) != 0 ? o->pays : 1 + pick(r, o->tries);
    struct try *t = &o->try[n];
    const bool asked = o->asked && o->pays == n;
    const size_t i = index_of(r, o);
    bool fresh = false;

    if (t->credential == 0)
        return;
    begin_move(r, EVENT_ANSWER, o);
    r->m.n = n;
    r->m.said.outcome = say(r, i, n, t->place);
    r->m.said.completion = r->w.acquirer[t->place].completion[i];
    if (t->outcome == OUTCOME_NONE || t->outcome == OUTCOME_VAIN)
        take_answer(r, o, t, asked, &fresh);
    make(r, o, FOUND_FINE);
    if (fresh)
        read_fresh(r, o);
}

static void silent(struct run *r, struct fact *o)
{
    begin_move(r, EVENT_SILENT, o);
    r->m.n = 1 + pick(r, o->tries);
    o->silent |= o->asked && o->pays == r->m.n;
    make(r, o, FOUND_FINE);
}

static void complete(struct run *r, struct fact *o)
{
    const struct try *t = &o->try[o->pays];
    const int credential = pick(r, 8) == 0 ? 1 : t->credential != 0 ? t->credential : 200;
    enum finding wanted = FOUND_OVER;

    begin_move(r, EVENT_COMPLETE, o);
    memset(r->m.credential, credential, BOOK_CREDENTIAL);
    r->m.completed = pick(r, 2) == 0;
    if (t->credential != credential) {
        wanted = FOUND_INVALID;
    } else if (!r->m.completed && t->place == 1) {
        wanted = FOUND_OVER;
    } else if (r->m.completed && o->paid && o->back == BACK_NO) {
        wanted = FOUND_FINE;
        o->complete = true;
    } else if (!r->m.completed && o->back == BACK_NO && (o->asked || (o->paid && !o->complete))) {
        wanted = FOUND_FINE;
        o->back = BACK_WANTED;
        o->asked = false;
    } else if (!r->m.completed && (o->back == BACK_WANTED || o->back == BACK_DONE)) {
        wanted = FOUND_FINE;
    }
    make(r, o, wanted);
}

static void rest(struct run *r, struct fact *o)
{
    static const enum event events[] = {EVENT_LATE,          EVENT_DELIVERED, EVENT_DELIVERED,
                                        EVENT_UNDELIVERABLE, EVENT_REVERSED,  EVENT_UNREVERSED,
                                        EVENT_LOOK};
    const enum event event = events[pick(r, sizeof(events) / sizeof(events[0]))];
    const bool stands = o->paid && o->complete && !o->delivered && o->back == BACK_NO;

    begin_move(r, event, o);
    if (event == EVENT_DELIVERED && stands)
        o->delivered = true;
    else if (event == EVENT_UNDELIVERABLE && stands)
        o->back = BACK_WANTED;
    else if (event == EVENT_LATE && o->paid && !o->complete && o->back == BACK_NO &&
             r->w.now - o->approved >= COMPLETION_S)
        o->back = BACK_WANTED;
    else if (event == EVENT_REVERSED && o->back == BACK_WANTED)
        o->back = BACK_DONE;
    else if (event == EVENT_UNREVERSED && o->back == BACK_WANTED)
        o->back = BACK_OWED;
    make(r, o, FOUND_FINE);
}

/* The first that is to be given back beside; 0: none. */
static uint32_t is_due(const struct fact *o)
{
    for (uint32_t n = 1; n <= o->tries; n++)
        if (o->try[n].surplus == SURPLUS_BACK)
            return n;
    return 0;
}

/* What pays beside is given back, or cannot be. */
static void beside(struct run *r, struct fact *o)
{
    const uint32_t due = is_due(o), n = due != 0 && pick(r, 4) != 0 ? due : 1 + pick(r, o->tries);
    struct try *t = &o->try[n];
    const enum event event = pick(r, 3) == 0 ? EVENT_UNREVERSED : EVENT_REVERSED;

    if (n == o->pays)
        return;
    begin_move(r, pick(r, 3) == 0 ? EVENT_GO_ON : event, o);
    r->m.n = n;
    if (r->m.event != EVENT_GO_ON && t->surplus == SURPLUS_BACK)
        t->surplus = r->m.event == EVENT_REVERSED ? SURPLUS_GIVEN : SURPLUS_OWED;
    make(r, o, FOUND_FINE);
}

static void step(struct run *r)
{
    static void (*const events[])(struct run *, struct fact *) = {
        claim,  release, pay,      pay,  pay,  pay,  answer, answer,
        answer, silent,  complete, rest, rest, rest, beside};
    struct fact *o = some(r);
    const bool over = o->tries >= ATTEMPTS_MAX || o->delivered || o->back > BACK_WANTED;

    r->w.now += pick(r, 20) == 0 ? pick(r, 10) : 0;
    if (o->tries == 0 || pick(r, over && is_due(o) == 0 ? 8 : 100) == 0)
        ask(r, o);
    else
        events[pick(r, sizeof(events) / sizeof(events[0]))](r, o);
}

/* ---- looking ---- */

static void look_at_tries(struct run *r, const struct fact *o)
{
    unsigned paid = 0;

    for (uint32_t n = 1; n <= o->tries; n++) {
        struct orderbook_attempt a = {.n = 0};
        bool found = false;

        ck_ok(orderbook_attempt_get(r->f.book, o->id, n, &a, &found, &r->f.e));
        ck_assert(found);
        ck_assert_int_eq(a.used, o->try[n].credential != 0);
        ck_assert_int_eq(a.credential[0], o->try[n].credential);
        ck_assert_int_eq(a.outcome, o->try[n].outcome);
        ck_assert_int_eq(a.surplus, o->try[n].surplus);
        ck_assert_int_eq(a.means, o->try[n].place == 0 ? MEANS_EMV : MEANS_PURSE);
        r->surplus += a.surplus != SURPLUS_NONE;
        paid += a.outcome == OUTCOME_YES && a.surplus == SURPLUS_NONE;
        orderbook_attempt_free(&a);
    }
    ck_assert_uint_le(paid, 1); /* never two of one order are kept */
    ck_assert(!o->delivered || (paid == 1 && o->try[o->pays].outcome == OUTCOME_YES));
    ck_assert(paid == 0 || o->paid || o->back != BACK_NO); /* never paid and lost */
}

static void look(struct run *r)
{
    for (size_t i = 0; i < ORDERS; i++) {
        const struct fact *o = &r->w.order[i], *before = &r->saved.order[i];
        struct orderbook_order kept;
        bool found = false;

        if (o->tries == 0)
            continue;
        ck_ok(orderbook_order_get(r->f.book, o->id, &kept, &found, &r->f.e));
        ck_assert(found);
        ck_assert_int_eq(kept.state, state_of(o));
        ck_assert_int_eq(kept.claimed, o->claim != 0);
        ck_assert_uint_eq(kept.attempt, o->pays);
        ck_assert(strcmp(o->id, before->id) != 0 || before->back != BACK_DONE ||
                  kept.state == STATE_REVERSED);
        look_at_tries(r, o);
        r->ends[kept.state]++;
    }
}

static void one_group(struct run *r, uint32_t steps, bool back)
{
    r->saved = r->w;
    ck_ok(orderbook_begin(r->f.book, &r->f.e));
    for (; steps > 0; steps--)
        step(r);
    if (back) {
        orderbook_rollback(r->f.book);
        r->w = r->saved;
    } else {
        ck_ok(orderbook_commit(r->f.book, &r->f.e));
    }
    look(r);
}

START_TEST(orders_and_model_agree)
    {
        struct run *r = calloc(1, sizeof(*r));
        const char *seed = getenv("MOVES_MODEL_SEED");
        uint32_t steps;

        ck_assert_ptr_nonnull(r);
        r->random = (seed != NULL ? strtoull(seed, NULL, 10) : UINT64_C(750275)) * UINT64_C(1000) +
                    (unsigned)_i + UINT64_C(1);
        r->both = _i % 2 == 1;
        fixture_make(&r->f);
        fixture_purse(&r->f);
        fixture_open(&r->f);
        r->w.now = time(NULL);
        for (uint32_t n = 0; n < (r->both ? 2 * STEPS : STEPS); n += steps) {
            steps = 1 + pick(r, 24);
            one_group(r, steps, pick(r, 6) == 0);
        }
        ck_assert_uint_gt(r->moved, 150); /* the run did something */
        for (size_t state = STATE_REQUESTED; state < STATE_OWED; state++)
            ck_assert_msg(r->ends[state] > 0, "nothing was ever %s",
                          order_state_name((enum order_state)state));
        ck_assert(!r->both || r->surplus > 0);
        move_free(&r->m);
        fixture_end(&r->f);
        free(r);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("moves_model");
    TCase *t = tcase_create("moves_model");

    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, orders_and_model_agree, 0, RUNS);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
