/* How orders move, as tables: every event in every state, and what happens one after the other. An
 * event is a line of words:
 *
 *     look | claim X | release X | pay CREDENTIAL CHALLENGE [X] [unreached]
 *     answer N yes|yes+|no|vain | silent N | complete CREDENTIAL true|false | late | delivered
 *     undeliverable | reversed [N] | unreversed [N] | go-on N | at S (seconds since it was asked
 * for)
 *
 * A credential is a letter, X a payer device (a letter too), CHALLENGE the number of the attempt
 * whose challenge it answers (0: one that nobody made; other: of another order), yes+ an approval
 * that waits for the card's last word. After each line the books are closed and opened, and hold
 * what the move said. */
#include "mediator_fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/date.h"

#define VALID 600

struct play {
    struct mediator_fixture f;
    struct move m;
    char id[BOOK_ORDER_ID], other[48];
    int64_t made;
    const char *line; /* for messages */
    bool foreign;     /* its payments are of challenges that another key made */
    bool both;        /* it can be paid by card (attempt 1) and by purse (2) */
};

static const char *const findings[] = {"fine",  "none",    "invalid",   "other",
                                       "taken", "expired", "unreached", "over"};
static const char *const outcomes[] = {"none", "yes", "no", "vain"};

/* ---- a move of words ---- */

static void letter(uint8_t *out, size_t n, const char *word)
{
    memset(out, word[0], n);
}

static void put_pay(struct play *p, const char *credential, const char *challenge,
                    const char *device, bool reached)
{
    struct orderbook_attempt a = {.n = 0};
    bool found = false;

    letter(p->m.credential, BOOK_CREDENTIAL, credential);
    p->m.pays = strdup("sealed");
    p->m.beside = credential[0] == 'D' ? strdup("device") : NULL;
    p->m.reached = reached;
    p->m.foreign = p->foreign;
    p->m.has_claim = device[0] != '\0';
    letter(p->m.claim, BOOK_CLAIM, device);
    snprintf(p->m.challenge_id, sizeof(p->m.challenge_id), "%s",
             strcmp(challenge, "other") == 0 ? p->other : "nobody-made-it");
    ck_ok(orderbook_attempt_get(p->f.book, p->id, (uint32_t)strtoul(challenge, NULL, 10), &a,
                                &found, &p->f.e));
    if (found)
        memcpy(p->m.challenge_id, a.challenge_id, sizeof(a.challenge_id));
    orderbook_attempt_free(&a);
}

static void put_answer(struct play *p, const char *n, const char *what)
{
    p->m.n = (uint32_t)strtoul(n, NULL, 10);
    p->m.said.outcome = what[0] == 'y' ? OUTCOME_YES : what[0] == 'n' ? OUTCOME_NO : OUTCOME_VAIN;
    p->m.said.completion = strcmp(what, "yes+") == 0;
    snprintf(p->m.said.code, sizeof(p->m.said.code), "%s",
             what[0] == 'y'   ? "00"
             : what[0] == 'n' ? "05"
                              : "91");
    if (what[0] != 'v') {
        snprintf(p->m.said.rrn, sizeof(p->m.said.rrn), "%012u", p->m.n);
        snprintf(p->m.said.reason, sizeof(p->m.said.reason), "as said");
        p->m.said.acknowledgement = strdup("acknowledgement");
        p->m.said.answer = strdup("answer");
    }
}

static enum event event_of(const char *word)
{
    static const struct {
        const char *word;
        enum event event;
    } words[] = {{"look", EVENT_LOOK},
                 {"claim", EVENT_CLAIM},
                 {"release", EVENT_RELEASE},
                 {"pay", EVENT_PAY},
                 {"answer", EVENT_ANSWER},
                 {"silent", EVENT_SILENT},
                 {"complete", EVENT_COMPLETE},
                 {"late", EVENT_LATE},
                 {"delivered", EVENT_DELIVERED},
                 {"reversed", EVENT_REVERSED},
                 {"undeliverable", EVENT_UNDELIVERABLE},
                 {"unreversed", EVENT_UNREVERSED},
                 {"go-on", EVENT_GO_ON}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].event;
    ck_abort_msg("no event %s", word);
    return EVENT_LOOK;
}

/* Applies one line; false: it only said what time it is. */
static bool apply(struct play *p, const char *line)
{
    char w[5][16] = {"", "", "", "", ""};
    const int64_t now = p->m.now;

    p->line = line;
    (void)sscanf(line, "%15s %15s %15s %15s %15s", w[0], w[1], w[2], w[3], w[4]);
    if (strcmp(w[0], "at") == 0) {
        p->m.now = p->made + strtoll(w[1], NULL, 10);
        return false;
    }
    move_free(&p->m);
    p->m = (struct move){.event = event_of(w[0]), .now = now};
    memcpy(p->m.id, p->id, sizeof(p->id));
    snprintf(p->m.why, sizeof(p->m.why), "because");
    if (p->m.event == EVENT_PAY) {
        const bool reached = strcmp(w[3], "unreached") != 0 && strcmp(w[4], "unreached") != 0;

        put_pay(p, w[1], w[2], strcmp(w[3], "unreached") != 0 ? w[3] : "", reached);
    } else if (p->m.event == EVENT_ANSWER) {
        put_answer(p, w[1], w[2]);
    } else if (p->m.event == EVENT_SILENT || p->m.event == EVENT_GO_ON ||
               p->m.event == EVENT_REVERSED || p->m.event == EVENT_UNREVERSED) {
        p->m.n = (uint32_t)strtoul(w[1], NULL, 10);
    } else if (p->m.event == EVENT_CLAIM || p->m.event == EVENT_RELEASE) {
        p->m.has_claim = true;
        letter(p->m.claim, BOOK_CLAIM, w[1]);
    } else if (p->m.event == EVENT_COMPLETE) {
        letter(p->m.credential, BOOK_CREDENTIAL, w[1]);
        p->m.completed = strcmp(w[2], "true") == 0;
    }
    ck_assert_msg(fixture_apply(&p->f, &p->m) == TP_OK, "%s: %s", line, p->f.e.text);
    return true;
}

/* ---- what the books hold ---- */

static void same_text(const struct play *p, const char *one, const char *other)
{
    ck_assert_msg((one == NULL) == (other == NULL) && (one == NULL || strcmp(one, other) == 0),
                  "%s: %s, %s", p->line, one != NULL ? one : "-", other != NULL ? other : "-");
}

static void same_attempt(struct play *p, const struct orderbook_attempt *a)
{
    struct orderbook_attempt kept = {.n = 0};
    bool found = false;

    ck_ok(orderbook_attempt_get(p->f.book, a->order, a->n, &kept, &found, &p->f.e));
    ck_assert_msg(found, "%s: no attempt %u", p->line, a->n);
    ck_assert_str_eq(kept.challenge_id, a->challenge_id);
    ck_assert_uint_eq(kept.place, a->place);
    ck_assert_int_eq(kept.means, a->means);
    ck_assert_str_eq(kept.acquirer, a->acquirer);
    ck_assert_str_eq(kept.contract, a->contract);
    ck_assert_int_eq(kept.surplus, a->surplus);
    ck_assert_str_eq(kept.terminal, a->terminal);
    ck_assert_uint_eq(kept.stan, a->stan);
    ck_assert_int_eq(kept.local_time, a->local_time);
    ck_assert_int_eq(kept.sent, a->sent);
    ck_assert_int_eq(kept.used, a->used);
    ck_assert_mem_eq(kept.credential, a->credential, BOOK_CREDENTIAL);
    ck_assert_int_eq(kept.outcome, a->outcome);
    ck_assert_str_eq(kept.code, a->code);
    ck_assert_str_eq(kept.reason, a->reason);
    ck_assert_str_eq(kept.rrn, a->rrn);
    ck_assert_uint_eq(kept.reversal_stan, a->reversal_stan);
    same_text(p, kept.challenge, a->challenge);
    same_text(p, kept.pays, a->pays);
    same_text(p, kept.beside, a->beside);
    same_text(p, kept.acknowledgement, a->acknowledgement);
    same_text(p, kept.answer, a->answer);
    orderbook_attempt_free(&kept);
}

static void same_order(struct play *p, const struct orderbook_order *o)
{
    struct orderbook_order kept;
    bool found = false;

    ck_ok(orderbook_order_get(p->f.book, p->id, &kept, &found, &p->f.e));
    ck_assert(found);
    ck_assert_str_eq(kept.id, o->id);
    ck_assert_msg(kept.state == o->state, "%s: %s, the books have it %s", p->line,
                  order_state_name(o->state), order_state_name(kept.state));
    ck_assert_int_eq(kept.since, o->since);
    ck_assert_int_eq(kept.valid_until, o->valid_until);
    ck_assert_int_eq(kept.claimed, o->claimed);
    ck_assert_mem_eq(kept.claim, o->claim, BOOK_CLAIM);
    ck_assert_str_eq(kept.code, o->code);
    ck_assert_uint_eq(kept.attempt, o->attempt);
    ck_assert_str_eq(kept.why, o->why);
    ck_assert_str_eq(kept.item, o->item);
    ck_assert_int_eq(kept.amount, o->amount);
}

static void look_once(struct play *p)
{
    same_order(p, &p->m.order);
    same_attempt(p, &p->m.attempt);
    for (size_t i = 0; i < p->m.n_others; i++)
        same_attempt(p, &p->m.others[i]);
}

static void look_twice(struct play *p)
{
    look_once(p);
    orderbook_close(&p->f.book);
    ck_ok(orderbook_open(&p->f.book, p->f.dir, &p->f.e));
    look_once(p);
}

/* ---- plays ---- */

static void ask(struct play *p)
{
    move_free(&p->m);
    if (p->both)
        fixture_ask_both(&p->f, &p->m, p->made, VALID);
    else
        fixture_ask(&p->f, &p->m, p->made, VALID);
    memcpy(p->id, p->m.id, sizeof(p->id));
    ck_ok(fixture_apply(&p->f, &p->m));
    ck_assert(p->m.moved);
    p->m.now = p->made;
    p->line = "asked";
}

static void begin_with(struct play *p, bool both)
{
    *p = (struct play){.made = time(NULL), .both = both};
    fixture_make(&p->f);
    fixture_purse(&p->f);
    fixture_open(&p->f);
    ask(p);
    snprintf(p->other, sizeof(p->other), "%s", p->m.attempt.challenge_id);
    ask(p);
}

static void begin(struct play *p)
{
    begin_with(p, false);
}

static void end(struct play *p)
{
    move_free(&p->m);
    fixture_end(&p->f);
}

static enum order_state state_now(struct play *p)
{
    struct orderbook_order o;
    bool found = false;

    ck_ok(orderbook_order_get(p->f.book, p->id, &o, &found, &p->f.e));
    return o.state;
}

/* Says how it is: finding, state, number and outcome of the attempt that it is about (and where
 * what it pays beside stands), the attempt that pays or was made last, and the others that can be
 * paid ("-": none). */
static const char *how(const struct play *p)
{
    static const char *const surplus[] = {"", ",back", ",given", ",owed"};
    static char text[128];
    size_t n;

    n = (size_t)snprintf(text, sizeof(text), "%s %s %u:%s%s %u %s", findings[p->m.finding],
                         order_state_name(p->m.order.state), p->m.attempt.n,
                         outcomes[p->m.attempt.outcome], surplus[p->m.attempt.surplus],
                         p->m.order.attempt, p->m.n_others == 0 ? "-" : "");
    for (size_t i = 0; i < p->m.n_others; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%u", i > 0 ? "," : "",
                              p->m.others[i].n);
    return text;
}

/* ---- every event in every state ---- */

static const char *const ways[][6] = {
    [STATE_REQUESTED] = {NULL},
    [STATE_CLAIMED] = {"claim X", NULL},
    [STATE_SUBMITTING] = {"pay A 1", NULL},
    [STATE_UNKNOWN] = {"pay A 1", "silent 1", NULL},
    [STATE_APPROVED] = {"pay A 1", "answer 1 yes+", NULL},
    [STATE_ACKNOWLEDGED] = {"pay A 1", "answer 1 yes", NULL},
    [STATE_DELIVERED] = {"pay A 1", "answer 1 yes", "delivered", NULL},
    [STATE_REVERSING] = {"pay A 1", "answer 1 yes", "undeliverable", NULL},
    [STATE_REVERSED] = {"pay A 1", "answer 1 yes", "undeliverable", "reversed", NULL},
    [STATE_OWED] = {"pay A 1", "answer 1 yes", "undeliverable", "unreversed", NULL},
};
#define STATES ((int)(sizeof(ways) / sizeof(ways[0])))

/* What comes of an event in each state, from requested to owed: its finding's first two letters,
 * and the number of the state after it ("=": the same). */
static const struct {
    const char *line, *result[10];
} events[] = {
    {"look", {"fi=", "fi=", "fi=", "fi=", "fi=", "fi=", "fi=", "fi=", "fi=", "fi="}},
    {"claim X", {"fi2", "fi=", "ta=", "ta=", "ta=", "ta=", "ta=", "ta=", "ta=", "ta="}},
    {"claim Y", {"fi2", "ta=", "ta=", "ta=", "ta=", "ta=", "ta=", "ta=", "ta=", "ta="}},
    {"release X", {"fi=", "fi1", "ov=", "ov=", "ov=", "ov=", "ov=", "ov=", "ov=", "ov="}},
    {"release Y", {"fi=", "ta=", "ov=", "ov=", "ov=", "ov=", "ov=", "ov=", "ov=", "ov="}},
    {"pay A 1 X", {"fi3", "fi3", "fi=", "fi=", "fi=", "fi=", "fi=", "fi=", "fi=", "fi="}},
    {"pay A 1 Y", {"fi3", "ta=", "fi=", "fi=", "fi=", "fi=", "fi=", "fi=", "fi=", "fi="}},
    {"pay A 1", {"fi3", "ta=", "fi=", "fi=", "fi=", "fi=", "fi=", "fi=", "fi=", "fi="}},
    {"pay B 1 X", {"fi3", "fi3", "ot=", "ot=", "ot=", "ot=", "ot=", "ot=", "ot=", "ot="}},
    {"pay A 1 X unreached", {"un=", "un=", "fi=", "fi=", "fi=", "fi=", "fi=", "fi=", "fi=", "fi="}},
    {"pay A 0 X", {"in=", "in=", "in=", "in=", "in=", "in=", "in=", "in=", "in=", "in="}},
    {"pay A other X", {"in=", "in=", "in=", "in=", "in=", "in=", "in=", "in=", "in=", "in="}},
    {"answer 1 yes", {"fi=", "fi=", "fi6", "fi6", "fi=", "fi=", "fi=", "fi=", "fi=", "fi="}},
    {"answer 1 yes+", {"fi=", "fi=", "fi5", "fi5", "fi=", "fi=", "fi=", "fi=", "fi=", "fi="}},
    {"answer 1 no", {"fi=", "fi=", "fi1", "fi1", "fi=", "fi=", "fi=", "fi=", "fi=", "fi="}},
    {"answer 1 vain", {"fi=", "fi=", "fi1", "fi1", "fi=", "fi=", "fi=", "fi=", "fi=", "fi="}},
    {"silent 1", {"fi=", "fi=", "fi4", "fi=", "fi=", "fi=", "fi=", "fi=", "fi=", "fi="}},
    {"complete A true", {"in=", "in=", "ov=", "ov=", "fi6", "fi=", "fi=", "ov=", "ov=", "ov="}},
    {"complete A false", {"in=", "in=", "fi8", "fi8", "fi8", "ov=", "ov=", "fi=", "fi=", "ov="}},
    {"complete B true", {"in=", "in=", "in=", "in=", "in=", "in=", "in=", "in=", "in=", "in="}},
    {"complete B false", {"in=", "in=", "in=", "in=", "in=", "in=", "in=", "in=", "in=", "in="}},
    {"late", {"fi=", "fi=", "fi=", "fi=", "fi8", "fi=", "fi=", "fi=", "fi=", "fi="}},
    {"delivered", {"fi=", "fi=", "fi=", "fi=", "fi=", "fi7", "fi=", "fi=", "fi=", "fi="}},
    {"undeliverable", {"fi=", "fi=", "fi=", "fi=", "fi=", "fi8", "fi=", "fi=", "fi=", "fi="}},
    {"reversed", {"fi=", "fi=", "fi=", "fi=", "fi=", "fi=", "fi=", "fi9", "fi=", "fi="}},
    {"unreversed", {"fi=", "fi=", "fi=", "fi=", "fi=", "fi=", "fi=", "fi10", "fi=", "fi="}},
};

static void one_event(struct play *p, enum order_state state, size_t i)
{
    const char *wanted = events[i].result[state - 1];
    enum order_state after = state;
    char context[64];

    ask(p);
    p->m.now = p->made + 1;
    for (const char *const *way = ways[state]; *way != NULL; way++)
        (void)apply(p, *way);
    snprintf(context, sizeof(context), "%s in %s", events[i].line, order_state_name(state));
    ck_assert_msg(state_now(p) == state, "%s", context);
    if (wanted[2] != '=')
        after = (enum order_state)strtoul(wanted + 2, NULL, 10);
    p->m.now = p->made + 1 + COMPLETION_S;
    (void)apply(p, events[i].line);
    p->line = context;
    ck_assert_msg(strncmp(findings[p->m.finding], wanted, 2) == 0, "%s: %s", context, how(p));
    ck_assert_msg(p->m.order.state == after, "%s: %s", context, how(p));
    ck_assert_msg(p->m.moved == (after != state), "%s: moved", context);
    ck_assert_msg(!p->m.moved || p->m.order.since == p->m.now, "%s: since", context);
    look_twice(p);
}

static enum tp_err count_freed(void *ctx, const struct orderbook_number *n, struct tp_error *e)
{
    (void)e;
    ck_assert_uint_gt(n->stan, 0);
    ++*(int *)ctx;
    return TP_OK;
}

START_TEST(every_event_in_every_state)
    {
        struct play p;

        begin(&p);
        for (int state = STATE_REQUESTED; state < STATES; state++)
            one_event(&p, (enum order_state)state, (size_t)_i);
        end(&p);
    }
END_TEST

/* ---- one after the other ---- */

typedef struct {
    const char *line, *how;
} step;

static const struct {
    const char *name;
    step steps[16];
} stories[] = {
    {"the same credential again",
     {{"pay A 1", "fine submitting 1:none 1 -"},
      {"pay A 1", "fine submitting 1:none 1 -"},
      {"silent 1", "fine unknown 1:none 1 -"},
      {"pay A 1", "fine unknown 1:none 1 -"},
      {"at 700", NULL},
      {"pay A 1", "fine unknown 1:none 1 -"},
      {"answer 1 yes", "fine acknowledged 1:yes 1 -"},
      {"pay A 1", "fine acknowledged 1:yes 1 -"},
      {"delivered", "fine delivered 1:yes 1 -"},
      {"pay A 1", "fine delivered 1:yes 1 -"},
      {"at 90000", NULL},
      {"pay A 1 unreached", "fine delivered 1:yes 1 -"},
      {"pay B 1", "other delivered 1:yes 1 -"}}},
    {"the same credential again after a no",
     {{"pay A 1", "fine submitting 1:none 1 -"},
      {"answer 1 no", "fine requested 1:no 2 2"},
      {"pay A 1", "fine requested 1:no 2 2"},
      {"pay A 1 unreached", "fine requested 1:no 2 2"},
      {"at 700", NULL},
      {"pay A 1", "fine requested 1:no 2 -"}}},
    {"the old challenge after a refusal, and the new one",
     {{"pay A 1", "fine submitting 1:none 1 -"},
      {"answer 1 no", "fine requested 1:no 2 2"},
      {"pay B 1", "invalid requested 1:no 2 2"},
      {"look", "fine requested 2:none 2 -"},
      {"pay B 2", "fine submitting 2:none 2 -"},
      {"pay A 1", "fine submitting 1:no 2 -"},
      {"pay C 2", "other submitting 2:none 2 -"},
      {"answer 2 no", "fine requested 2:no 3 3"},
      {"pay A 1", "fine requested 1:no 3 3"},
      {"pay C 3", "fine submitting 3:none 3 -"},
      {"answer 3 yes", "fine acknowledged 3:yes 3 -"},
      {"pay A 1", "fine acknowledged 1:no 3 -"},
      {"pay D 2", "invalid acknowledged 2:no 3 -"},
      {"delivered", "fine delivered 3:yes 3 -"}}},
    {"asked in vain, and the same again",
     {{"pay A 1", "fine submitting 1:none 1 -"},
      {"answer 1 vain", "fine requested 1:vain 2 2"},
      {"pay B 1", "other requested 1:vain 2 2"},
      {"pay A 1 unreached", "unreached requested 1:vain 2 2"},
      {"at 700", NULL},
      {"pay A 1", "fine submitting 1:none 1 -"},
      {"pay A 1", "fine submitting 1:none 1 -"},
      {"pay B 2", "other submitting 2:none 1 -"},
      {"silent 1", "fine unknown 1:none 1 -"},
      {"pay A 1", "fine unknown 1:none 1 -"},
      {"answer 1 yes", "fine acknowledged 1:yes 1 -"},
      {"pay A 1", "fine acknowledged 1:yes 1 -"},
      {"pay B 2", "other acknowledged 2:none 1 -"}}},
    {"asked in vain, the new challenge, and the old credential once more",
     {{"pay A 1", "fine submitting 1:none 1 -"},
      {"answer 1 vain", "fine requested 1:vain 2 2"},
      {"pay B 2", "fine submitting 2:none 2 -"},
      {"pay A 1", "other submitting 1:vain 2 -"},
      {"answer 2 no", "fine requested 2:no 3 3"},
      {"pay A 1", "fine submitting 1:none 1 -"},
      {"answer 1 vain", "fine requested 1:vain 4 4"},
      {"pay C 3", "invalid requested 3:none 4 4"},
      {"pay C 4", "fine submitting 4:none 4 -"}}},
    {"a yes that comes after all",
     {{"pay A 1", "fine submitting 1:none 1 -"},
      {"answer 1 vain", "fine requested 1:vain 2 2"},
      {"pay B 2", "fine submitting 2:none 2 -"},
      {"answer 1 yes", "fine acknowledged 1:yes 1 -"},
      {"answer 2 no", "fine acknowledged 2:no 1 -"},
      {"delivered", "fine delivered 1:yes 1 -"},
      {"pay B 2", "fine delivered 2:no 1 -"}}},
    {"an answer to another attempt moves nothing",
     {{"pay A 1", "fine submitting 1:none 1 -"},
      {"answer 1 vain", "fine requested 1:vain 2 2"},
      {"pay B 2", "fine submitting 2:none 2 -"},
      {"answer 1 vain", "fine submitting 1:vain 2 -"},
      {"silent 1", "fine submitting 1:vain 2 -"},
      {"answer 1 no", "fine submitting 1:no 2 -"},
      {"answer 2 yes", "fine acknowledged 2:yes 2 -"}}},
    {"claimed by one, wanted by another",
     {{"claim X", "fine claimed 1:none 1 -"},
      {"claim X", "fine claimed 1:none 1 -"},
      {"claim Y", "taken claimed 1:none 1 -"},
      {"pay A 1", "taken claimed 1:none 1 -"},
      {"pay A 1 Y", "taken claimed 1:none 1 -"},
      {"pay A 1 X", "fine submitting 1:none 1 -"},
      {"pay A 1", "fine submitting 1:none 1 -"},
      {"claim Y", "taken submitting 1:none 1 -"},
      {"claim X", "fine submitting 1:none 1 -"},
      {"answer 1 no", "fine claimed 1:no 2 2"},
      {"pay B 2", "taken claimed 2:none 2 -"},
      {"pay B 2 X", "fine submitting 2:none 2 -"},
      {"answer 2 yes", "fine acknowledged 2:yes 2 -"},
      {"claim Y", "taken acknowledged 2:yes 2 -"}}},
    {"given back by one, paid by another",
     {{"claim X", "fine claimed 1:none 1 -"},
      {"claim Y", "taken claimed 1:none 1 -"},
      {"release Y", "taken claimed 1:none 1 -"},
      {"release X", "fine requested 1:none 1 -"},
      {"release X", "fine requested 1:none 1 -"},
      {"claim Y", "fine claimed 1:none 1 -"},
      {"release X", "taken claimed 1:none 1 -"},
      {"claim X", "taken claimed 1:none 1 -"},
      {"pay A 1 X", "taken claimed 1:none 1 -"},
      {"pay B 1 Y", "fine submitting 1:none 1 -"},
      {"release Y", "over submitting 1:none 1 -"},
      {"release X", "taken submitting 1:none 1 -"},
      {"answer 1 yes", "fine acknowledged 1:yes 1 -"},
      {"release Y", "over acknowledged 1:yes 1 -"}}},
    {"not given back once something was submitted",
     {{"claim X", "fine claimed 1:none 1 -"},
      {"pay A 1 X", "fine submitting 1:none 1 -"},
      {"answer 1 no", "fine claimed 1:no 2 2"},
      {"release X", "over claimed 2:none 2 -"},
      {"claim Y", "taken claimed 2:none 2 -"},
      {"pay B 2 X", "fine submitting 2:none 2 -"},
      {"answer 2 vain", "fine claimed 2:vain 3 3"},
      {"release X", "over claimed 3:none 3 -"},
      {"answer 2 yes", "fine acknowledged 2:yes 2 -"}}},
    {"submitted in vain at the end of its time",
     {{"claim X", "fine claimed 1:none 1 -"},
      {"pay A 1 X", "fine submitting 1:none 1 -"},
      {"at 631", NULL},
      {"answer 1 vain", "fine claimed 1:vain 1 -"},
      {"release X", "over claimed 1:vain 1 -"}}},
    {"expired",
     {{"at 630", NULL},
      {"look", "fine requested 1:none 1 -"},
      {"pay A 1 unreached", "unreached requested 1:none 1 -"},
      {"claim X", "fine claimed 1:none 1 -"},
      {"at 631", NULL},
      {"pay A 1 X", "expired claimed 1:none 1 -"},
      {"pay A 1", "taken claimed 1:none 1 -"},
      {"claim X", "fine claimed 1:none 1 -"},
      {"claim Y", "taken claimed 1:none 1 -"}}},
    {"expired and never claimed",
     {{"at 631", NULL},
      {"claim X", "expired requested 1:none 1 -"},
      {"pay A 1", "expired requested 1:none 1 -"},
      {"pay A 1 unreached", "expired requested 1:none 1 -"},
      {"look", "fine requested 1:none 1 -"}}},
    {"in the grace of clocks",
     {{"at 630", NULL},
      {"pay A 1", "fine submitting 1:none 1 -"},
      {"answer 1 no", "fine requested 1:no 1 -"}, /* its time is over: no new challenge */
      {"pay A 1", "fine requested 1:no 1 -"},
      {"pay B 1", "invalid requested 1:no 1 -"}}},
    {"the acquirer is not reached",
     {{"pay A 1 unreached", "unreached requested 1:none 1 -"},
      {"pay B 1 unreached", "unreached requested 1:none 1 -"},
      {"pay B 1", "fine submitting 1:none 1 -"},
      {"pay A 1 unreached", "other submitting 1:none 1 -"},
      {"pay B 1 unreached", "fine submitting 1:none 1 -"}}},
    {"answers that come twice",
     {{"pay A 1", "fine submitting 1:none 1 -"},
      {"answer 1 yes", "fine acknowledged 1:yes 1 -"},
      {"answer 1 yes", "fine acknowledged 1:yes 1 -"},
      {"answer 1 no", "fine acknowledged 1:yes 1 -"},
      {"answer 1 vain", "fine acknowledged 1:yes 1 -"},
      {"silent 1", "fine acknowledged 1:yes 1 -"},
      {"delivered", "fine delivered 1:yes 1 -"},
      {"delivered", "fine delivered 1:yes 1 -"},
      {"undeliverable", "fine delivered 1:yes 1 -"},
      {"answer 1 yes+", "fine delivered 1:yes 1 -"}}},
    {"a no that comes twice",
     {{"pay A 1", "fine submitting 1:none 1 -"},
      {"answer 1 no", "fine requested 1:no 2 2"},
      {"answer 1 no", "fine requested 1:no 2 2"},
      {"answer 1 yes", "fine requested 1:no 2 2"},
      {"pay B 2", "fine submitting 2:none 2 -"},
      {"answer 1 no", "fine submitting 1:no 2 -"},
      {"answer 1 yes", "fine submitting 1:no 2 -"},
      {"silent 1", "fine submitting 1:no 2 -"}}},
    {"answers after the reversal began",
     {{"pay A 1", "fine submitting 1:none 1 -"},
      {"complete A false", "fine reversing 1:none 1 -"},
      {"pay A 1", "fine reversing 1:none 1 -"},
      {"answer 1 yes+", "fine reversing 1:yes 1 -"},
      {"complete A true", "over reversing 1:yes 1 -"},
      {"delivered", "fine reversing 1:yes 1 -"},
      {"reversed", "fine reversed 1:yes 1 -"},
      {"answer 1 yes", "fine reversed 1:yes 1 -"},
      {"unreversed", "fine reversed 1:yes 1 -"},
      {"pay A 1", "fine reversed 1:yes 1 -"},
      {"pay B 1", "other reversed 1:yes 1 -"},
      {"delivered", "fine reversed 1:yes 1 -"}}},
    {"a no and a vain one after the reversal began",
     {{"pay A 1", "fine submitting 1:none 1 -"},
      {"silent 1", "fine unknown 1:none 1 -"},
      {"complete A false", "fine reversing 1:none 1 -"},
      {"answer 1 vain", "fine reversing 1:vain 1 -"},
      {"answer 1 no", "fine reversing 1:no 1 -"},
      {"pay B 1", "invalid reversing 1:no 1 -"},
      {"reversed", "fine reversed 1:no 1 -"}}},
    {"the card's last word",
     {{"pay A 1", "fine submitting 1:none 1 -"},
      {"complete A true", "over submitting 1:none 1 -"},
      {"answer 1 yes+", "fine approved 1:yes 1 -"},
      {"pay A 1", "fine approved 1:yes 1 -"},
      {"delivered", "fine approved 1:yes 1 -"},
      {"undeliverable", "fine approved 1:yes 1 -"},
      {"complete B true", "invalid approved 1:yes 1 -"},
      {"at 59", NULL},
      {"late", "fine approved 1:yes 1 -"},
      {"complete A true", "fine acknowledged 1:yes 1 -"},
      {"complete A true", "fine acknowledged 1:yes 1 -"},
      {"complete A false", "over acknowledged 1:yes 1 -"},
      {"late", "fine acknowledged 1:yes 1 -"}}},
    {"the card's last word comes too late",
     {{"pay A 1", "fine submitting 1:none 1 -"},
      {"answer 1 yes+", "fine approved 1:yes 1 -"},
      {"at 60", NULL},
      {"late", "fine reversing 1:yes 1 -"},
      {"complete A true", "over reversing 1:yes 1 -"},
      {"complete A false", "fine reversing 1:yes 1 -"},
      {"late", "fine reversing 1:yes 1 -"},
      {"reversed", "fine reversed 1:yes 1 -"},
      {"complete A false", "fine reversed 1:yes 1 -"},
      {"complete A true", "over reversed 1:yes 1 -"}}},
    {"completed by the credential that was refused",
     {{"pay A 1", "fine submitting 1:none 1 -"},
      {"answer 1 no", "fine requested 1:no 2 2"},
      {"complete A true", "invalid requested 2:none 2 -"},
      {"pay B 2", "fine submitting 2:none 2 -"},
      {"answer 2 yes+", "fine approved 2:yes 2 -"},
      {"complete A true", "invalid approved 2:yes 2 -"},
      {"complete A false", "invalid approved 2:yes 2 -"},
      {"complete B true", "fine acknowledged 2:yes 2 -"}}},
    {"undeliverable, and it cannot be reversed",
     {{"pay D 1", "fine submitting 1:none 1 -"},
      {"answer 1 yes", "fine acknowledged 1:yes 1 -"},
      {"undeliverable", "fine reversing 1:yes 1 -"},
      {"undeliverable", "fine reversing 1:yes 1 -"},
      {"unreversed", "fine owed 1:yes 1 -"},
      {"reversed", "fine owed 1:yes 1 -"},
      {"pay D 1", "fine owed 1:yes 1 -"},
      {"delivered", "fine owed 1:yes 1 -"}}},
};

static void tell(struct play *p, const char *name, const step *steps, size_t most)
{
    for (size_t i = 0; i < most && steps[i].line != NULL; i++) {
        const enum order_state before = state_now(p);

        if (!apply(p, steps[i].line))
            continue;
        ck_assert_msg(strcmp(how(p), steps[i].how) == 0, "%s: %s: %s, not %s", name, p->line,
                      how(p), steps[i].how);
        ck_assert_msg(p->m.moved == (p->m.order.state != before), "%s: %s: moved", name, p->line);
        look_twice(p);
    }
}

START_TEST(one_after_the_other)
    {
        struct play p;

        begin(&p);
        tell(&p, stories[_i].name, stories[_i].steps, 16);
        end(&p);
    }
END_TEST

/* ---- by card (attempt 1) or by purse (2) ---- */

static const struct {
    const char *name;
    step steps[16];
} of_both[] = {
    {"either is offered",
     {{"look", "fine requested 1:none 1 2"},
      {"claim X", "fine claimed 1:none 1 2"},
      {"release X", "fine requested 1:none 1 2"},
      {"at 631", NULL},
      {"look", "fine requested 1:none 1 -"},
      {"pay A 2", "expired requested 2:none 1 -"}}},
    {"paid by purse",
     {{"pay A 2", "fine submitting 2:none 2 -"},
      {"pay A 2", "fine submitting 2:none 2 -"},
      {"pay B 1", "other submitting 1:none 2 -"},
      {"silent 2", "fine unknown 2:none 2 -"},
      {"pay B 1", "other unknown 1:none 2 -"},
      {"answer 2 yes", "fine acknowledged 2:yes 2 -"},
      {"pay B 1", "other acknowledged 1:none 2 -"},
      {"delivered", "fine delivered 2:yes 2 -"},
      {"pay A 2", "fine delivered 2:yes 2 -"}}},
    {"paid by card",
     {{"pay A 1", "fine submitting 1:none 1 -"},
      {"pay B 2", "other submitting 2:none 1 -"},
      {"answer 1 yes", "fine acknowledged 1:yes 1 -"},
      {"pay B 2", "other acknowledged 2:none 1 -"}}},
    {"refused by one, and by the other, and paid",
     {{"pay A 2", "fine submitting 2:none 2 -"},
      {"answer 2 no", "fine requested 2:no 3 1,3"},
      {"pay A 2", "fine requested 2:no 3 1,3"},
      {"look", "fine requested 3:none 3 1"},
      {"pay B 1", "fine submitting 1:none 1 -"},
      {"answer 1 no", "fine requested 1:no 4 4,3"},
      {"pay C 1", "invalid requested 1:no 4 4,3"},
      {"pay C 2", "invalid requested 2:no 4 4,3"},
      {"pay C 3", "fine submitting 3:none 3 -"},
      {"answer 3 yes", "fine acknowledged 3:yes 3 -"},
      {"pay A 2", "fine acknowledged 2:no 3 -"},
      {"pay D 4", "other acknowledged 4:none 3 -"}}},
    {"refused at the end of its time: the other means is open as long as clocks may be apart",
     {{"at 620", NULL},
      {"pay A 2", "fine submitting 2:none 2 -"},
      {"answer 2 no", "fine requested 2:no 2 1"},
      {"pay B 1", "fine submitting 1:none 1 -"},
      {"answer 1 yes", "fine acknowledged 1:yes 1 -"}}},
    {"in vain by purse, paid by card, and the purse paid after all: given back",
     {{"pay A 2", "fine submitting 2:none 2 -"},
      {"answer 2 vain", "fine requested 2:vain 3 1,3"},
      {"pay B 1", "fine submitting 1:none 1 -"},
      {"answer 1 yes", "fine acknowledged 1:yes 1 -"},
      {"go-on 2", "fine acknowledged 2:vain,back 1 -"},
      {"pay A 2", "other acknowledged 2:vain,back 1 -"},
      {"answer 2 vain", "fine acknowledged 2:vain,back 1 -"},
      {"answer 2 yes", "fine acknowledged 2:yes,back 1 -"},
      {"delivered", "fine delivered 1:yes 1 -"},
      {"reversed 2", "fine delivered 2:yes,given 1 -"},
      {"unreversed 2", "fine delivered 2:yes,given 1 -"},
      {"pay A 2", "fine delivered 2:yes,given 1 -"}}},
    {"in vain by purse, paid by card, and the purse had not paid",
     {{"pay A 2", "fine submitting 2:none 2 -"},
      {"answer 2 vain", "fine requested 2:vain 3 1,3"},
      {"pay B 1", "fine submitting 1:none 1 -"},
      {"answer 1 yes", "fine acknowledged 1:yes 1 -"},
      {"answer 2 no", "fine acknowledged 2:no 1 -"},
      {"reversed 2", "fine acknowledged 2:no 1 -"}}},
    {"in vain by card, paid by purse: the card's is reversed, whatever came of it",
     {{"pay A 1", "fine submitting 1:none 1 -"},
      {"answer 1 vain", "fine requested 1:vain 3 3,2"},
      {"pay B 2", "fine submitting 2:none 2 -"},
      {"answer 2 yes", "fine acknowledged 2:yes 2 -"},
      {"go-on 1", "fine acknowledged 1:vain,back 2 -"},
      {"undeliverable", "fine reversing 2:yes 2 -"},
      {"reversed 2", "fine reversed 2:yes 2 -"},
      {"unreversed 1", "fine reversed 1:vain,owed 2 -"},
      {"reversed 1", "fine reversed 1:vain,owed 2 -"}}},
    {"a yes of the card while the purse is asked: that is given back, should it pay",
     {{"pay A 1", "fine submitting 1:none 1 -"},
      {"answer 1 vain", "fine requested 1:vain 3 3,2"},
      {"pay B 2", "fine submitting 2:none 2 -"},
      {"answer 1 yes", "fine acknowledged 1:yes 1 -"},
      {"go-on 2", "fine acknowledged 2:none,back 1 -"},
      {"silent 2", "fine acknowledged 2:none,back 1 -"},
      {"answer 2 yes", "fine acknowledged 2:yes,back 1 -"},
      {"undeliverable", "fine reversing 1:yes 1 -"},
      {"reversed 2", "fine reversing 2:yes,given 1 -"},
      {"reversed 1", "fine reversed 1:yes 1 -"}}},
    {"given back at the purse",
     {{"pay A 2", "fine submitting 2:none 2 -"},
      {"complete A false", "over submitting 2:none 2 -"},
      {"answer 2 yes", "fine acknowledged 2:yes 2 -"},
      {"complete A false", "over acknowledged 2:yes 2 -"},
      {"undeliverable", "fine reversing 2:yes 2 -"},
      {"unreversed 2", "fine owed 2:yes 2 -"}}},
    {"a device does not give back what it submitted",
     {{"claim X", "fine claimed 1:none 1 2"},
      {"pay A 2 X", "fine submitting 2:none 2 -"},
      {"answer 2 vain", "fine claimed 2:vain 3 1,3"},
      {"release X", "over claimed 3:none 3 1"},
      {"pay B 1", "taken claimed 1:none 3 3"},
      {"pay A 2 X unreached", "unreached claimed 2:vain 3 1,3"},
      {"pay A 2 X", "fine submitting 2:none 2 -"}}},
};

START_TEST(by_card_or_by_purse)
    {
        struct play p;

        begin_with(&p, true);
        tell(&p, of_both[_i].name, of_both[_i].steps, 16);
        end(&p);
    }
END_TEST

static enum tp_err count_surplus(void *ctx, const char *order, uint32_t n, struct tp_error *e)
{
    struct play *p = ctx;

    (void)e;
    ck_assert_str_eq(order, p->id);
    p->m.n = p->m.n * 10 + n;
    return TP_OK;
}

/* What is to be given back beside is gone on with after a restart; a card's under a number. */
START_TEST(what_pays_beside_is_not_forgotten)
    {
        struct play p;

        begin_with(&p, true);
        (void)apply(&p, "pay A 1");
        (void)apply(&p, "answer 1 vain");
        (void)apply(&p, "pay B 2");
        (void)apply(&p, "answer 2 yes");
        ck_assert_uint_eq(p.m.n_surplus, 1);
        ck_assert_uint_eq(p.m.surplus[0], 1);
        (void)apply(&p, "go-on 1");
        ck_assert_uint_ne(p.m.attempt.reversal_stan, 0);
        ck_assert_uint_ne(p.m.attempt.reversal_stan, p.m.attempt.stan);
        p.m.n = 0;
        ck_ok(orderbook_surplus_each(p.f.book, count_surplus, &p, &p.f.e));
        ck_assert_uint_eq(p.m.n, 1);
        (void)apply(&p, "reversed 1");
        p.m.n = 0;
        ck_ok(orderbook_surplus_each(p.f.book, count_surplus, &p, &p.f.e));
        ck_assert_uint_eq(p.m.n, 0);
        end(&p);
    }
END_TEST

/* ---- what no line of words says ---- */

START_TEST(no_such_order)
    {
        static const enum event all[] = {
            EVENT_LOOK,          EVENT_CLAIM,    EVENT_RELEASE,    EVENT_PAY,       EVENT_ANSWER,
            EVENT_SILENT,        EVENT_COMPLETE, EVENT_LATE,       EVENT_DELIVERED, EVENT_DELIVERED,
            EVENT_UNDELIVERABLE, EVENT_REVERSED, EVENT_UNREVERSED, EVENT_GO_ON};
        struct play p;

        begin(&p);
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
            struct move m = {.event = all[i], .now = p.made, .reached = true, .n = 1};

            snprintf(m.id, sizeof(m.id), "%s", i % 2 == 0 ? "" : "aaaaaaaaaaaaaaaaaaaaaaaaaa");
            snprintf(m.challenge_id, sizeof(m.challenge_id), "%s", p.other);
            ck_ok(fixture_apply(&p.f, &m));
            ck_assert_int_eq(m.finding, FOUND_NONE);
            ck_assert(!m.moved);
            move_free(&m);
        }
        end(&p);
    }
END_TEST

START_TEST(the_code_is_short_and_the_claimant_s)
    {
        struct play p;
        char code[8];

        begin(&p);
        ck_assert_str_eq(p.m.order.code, "");
        (void)apply(&p, "claim X");
        ck_assert_uint_eq(strlen(p.m.order.code), 7);
        ck_assert_int_eq(p.m.order.code[3], '-');
        memcpy(code, p.m.order.code, sizeof(code));
        (void)apply(&p, "claim X");
        ck_assert_str_eq(p.m.order.code, code);
        (void)apply(&p, "claim Y");
        ck_assert_str_eq(p.m.order.code, code);
        (void)apply(&p, "release X");
        ck_assert_str_eq(p.m.order.code, "");
        (void)apply(&p, "claim Y");
        ck_assert_uint_eq(strlen(p.m.order.code), 7);
        ck_assert_str_ne(p.m.order.code, code);
        end(&p);
    }
END_TEST

START_TEST(a_new_challenge_is_another_of_the_same_order)
    {
        struct play p;

        begin(&p);
        (void)apply(&p, "pay A 1");
        (void)apply(&p, "answer 1 no");
        ck_assert_uint_eq(p.m.others[0].n, 2);
        ck_assert_str_eq(p.m.others[0].order, p.id);
        ck_assert_uint_ne(p.m.others[0].stan, p.m.attempt.stan);
        ck_assert_str_ne(p.m.others[0].challenge_id, p.m.attempt.challenge_id);
        ck_assert_str_ne(p.m.others[0].challenge, p.m.attempt.challenge);
        end(&p);
    }
END_TEST

static void use_up(struct play *p)
{
    struct reg_contract *c = registry_contract(p->f.registry, CONTRACT);
    const int day = (int)(p->m.attempt.local_time / 1000000);
    uint32_t stan = 0;

    while (contract_stan(c, day, &stan, NULL) == TP_OK)
        ;
}

/* What the acquirer said is kept, and what is to be given back is, though no number is left. */
START_TEST(numbers_that_are_used_up_lose_nothing)
    {
        struct play p;

        begin(&p);
        (void)apply(&p, "pay A 1");
        use_up(&p);
        (void)apply(&p, "answer 1 no");
        ck_assert_str_eq(how(&p), "fine requested 1:no 1 -");
        look_twice(&p);
        end(&p);

        begin(&p);
        (void)apply(&p, "pay A 1");
        (void)apply(&p, "answer 1 yes");
        use_up(&p);
        (void)apply(&p, "undeliverable");
        ck_assert_str_eq(how(&p), "fine reversing 1:yes 1 -");
        ck_assert_uint_eq(p.m.attempt.reversal_stan, p.m.attempt.stan);
        ck_assert_str_eq(p.m.order.why, "because");
        look_twice(&p);
        (void)apply(&p, "unreversed");
        ck_assert_str_eq(p.m.order.why, "because; because");
        end(&p);
    }
END_TEST

static enum tp_err is_it(void *ctx, const char *contract, uint32_t stan, struct tp_error *e)
{
    uint32_t *wanted = ctx;

    (void)e;
    if (stan == *wanted && strcmp(contract, CONTRACT) == 0)
        *wanted = 0;
    return TP_OK;
}

/* Tomorrow a number of tomorrow is given, and is not given again after a restart. */
START_TEST(a_reversal_s_number_is_of_its_day)
    {
        struct play p;
        uint32_t stan;

        begin(&p);
        (void)apply(&p, "pay A 1");
        (void)apply(&p, "answer 1 yes");
        (void)apply(&p, "at 172800");
        (void)apply(&p, "undeliverable");
        stan = p.m.attempt.reversal_stan;
        ck_assert_uint_ne(stan, 0);
        ck_assert_uint_ne(stan, p.m.attempt.stan);
        ck_ok(orderbook_stan_each(p.f.book, date_of(p.m.now), is_it, &stan, &p.f.e));
        ck_assert_uint_eq(stan, 0);
        end(&p);
    }
END_TEST

/* After another key was made: looked up first, verified then. */
START_TEST(a_challenge_of_another_key_gets_what_it_got_and_pays_nothing)
    {
        struct play p;

        begin(&p);
        p.foreign = true;
        (void)apply(&p, "pay A 1");
        ck_assert_int_eq(p.m.finding, FOUND_INVALID);
        ck_assert(!p.m.moved);
        p.foreign = false;
        (void)apply(&p, "pay A 1");
        (void)apply(&p, "answer 1 yes");
        p.foreign = true;
        (void)apply(&p, "pay A 1");
        ck_assert_int_eq(p.m.finding, FOUND_FINE);
        ck_assert_int_eq(p.m.attempt.outcome, OUTCOME_YES);
        ck_assert_int_eq(p.m.order.state, STATE_ACKNOWLEDGED);
        (void)apply(&p, "pay B 1");
        ck_assert_int_eq(p.m.finding, FOUND_OTHER);
        end(&p);
    }
END_TEST

START_TEST(what_was_submitted_is_not_forgotten)
    {
        struct play p;
        struct orderbook_order o;
        size_t forgotten = 0;
        int numbers = 0;
        bool found = false;

        begin(&p);
        (void)apply(&p, "pay A 1");
        (void)apply(&p, "answer 1 no");
        ck_ok(orderbook_order_forget(p.f.book, &forgotten, p.made + 100000, 10, count_freed,
                                     &numbers, &p.f.e));
        ck_assert_uint_eq(forgotten, 1); /* another, for which nothing was */
        ck_ok(orderbook_order_get(p.f.book, p.id, &o, &found, &p.f.e));
        ck_assert(found);
        (void)apply(&p, "pay A other"); /* whose order is gone */
        ck_assert_str_eq(how(&p), "invalid requested 2:none 2 -");
        end(&p);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("moves");
    TCase *t = tcase_create("moves");

    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, every_event_in_every_state, 0, sizeof(events) / sizeof(events[0]));
    tcase_add_loop_test(t, one_after_the_other, 0, sizeof(stories) / sizeof(stories[0]));
    tcase_add_loop_test(t, by_card_or_by_purse, 0, sizeof(of_both) / sizeof(of_both[0]));
    tcase_add_test(t, what_pays_beside_is_not_forgotten);
    tcase_add_test(t, no_such_order);
    tcase_add_test(t, the_code_is_short_and_the_claimant_s);
    tcase_add_test(t, a_new_challenge_is_another_of_the_same_order);
    tcase_add_test(t, numbers_that_are_used_up_lose_nothing);
    tcase_add_test(t, a_reversal_s_number_is_of_its_day);
    tcase_add_test(t, what_was_submitted_is_not_forgotten);
    tcase_add_test(t, a_challenge_of_another_key_gets_what_it_got_and_pays_nothing);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
