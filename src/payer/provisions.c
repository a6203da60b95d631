#include "payer/provisions.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "order/purse_token.h"
#include "payer/journal_priv.h"
#include "payer/purse_door.h"

#define CONTRACTS_MAX 256 /* in one session */

static const struct db_column columns[] = {
    DB_COLUMN(struct provision, session),  DB_COLUMN(struct provision, acquirer),
    DB_COLUMN(struct provision, origin),   DB_COLUMN(struct provision, mediator),
    DB_COLUMN(struct provision, amount),   DB_COLUMN(struct provision, currency),
    DB_COLUMN(struct provision, hours),    DB_COLUMN(struct provision, until),
    DB_COLUMN(struct provision, state),    DB_COLUMN(struct provision, made),
    DB_COLUMN(struct provision, statement)};

#define SELECT                                                                                     \
    "SELECT session, acquirer, origin, mediator, amount, currency, hours, until, state, made,"     \
    " statement FROM provision "

const char *provision_state_name(enum provision_state s)
{
    static const char *const names[] = {[PROVISION_WANTED] = "with the next payment",
                                        [PROVISION_SIGNED] = "asked for",
                                        [PROVISION_OPEN] = "open",
                                        [PROVISION_REFUSED] = "refused",
                                        [PROVISION_ENDED] = "ended"};

    return names[s];
}

/* 26 characters of base32 (RFC 4648), small letters: 128 bits, as an order's number. */
static enum tp_err draw(char out[PROVISION_SESSION], struct tp_error *e)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint8_t random[16];
    unsigned held = 0, bits = 0;
    size_t n = 0;

    if (RAND_bytes(random, sizeof(random)) != 1)
        return tp_fail(e, TP_ERR_INTERNAL, "there are no random numbers");
    for (size_t i = 0; i < sizeof(random); i++) {
        held = held << 8 | random[i];
        for (bits += 8; bits >= 5; bits -= 5)
            out[n++] = letters[held >> (bits - 5) & 31];
    }
    out[n++] = letters[held << (5 - bits) & 31];
    out[n] = '\0';
    return TP_OK;
}

enum tp_err provisions_want(struct journal *j, struct provision *p, struct tp_error *e)
{
    enum tp_err r = draw(p->session, e);

    if (r == TP_OK)
        r = db_exec(j->db, "DELETE FROM provision WHERE acquirer = $1 AND state = $2",
                    DB_VALUES(db_text(p->acquirer), db_integer(PROVISION_WANTED)), NULL, e);
    if (r == TP_OK)
        r = db_exec(j->db,
                    "INSERT INTO provision (session, acquirer, origin, mediator, amount, currency,"
                    " hours, until, state, made, statement)"
                    " VALUES ($1, $2, '', '', $3, $4, $5, 0, $6, $7, '')",
                    DB_VALUES(db_text(p->session), db_text(p->acquirer), db_integer(p->amount),
                              db_integer(p->currency), db_integer(p->hours),
                              db_integer(PROVISION_WANTED), db_integer(p->made)),
                    NULL, e);
    return r;
}

static enum tp_err found_or_not(enum tp_err r, bool found)
{
    return r != TP_OK || found ? r : TP_ERR_NOT_FOUND;
}

enum tp_err provisions_wanted(struct provision *out, struct journal *j, const char *acquirer,
                              struct tp_error *e)
{
    bool found = false;
    const enum tp_err r = db_one(j->db, SELECT "WHERE acquirer = $1 AND state = $2",
                                 DB_VALUES(db_text(acquirer), db_integer(PROVISION_WANTED)),
                                 DB_COLUMNS(columns), out, &found, e);

    return found_or_not(r, found);
}

enum tp_err provisions_open(struct provision *out, struct journal *j, const char *acquirer,
                            const char *origin, time_t at, struct tp_error *e)
{
    bool found = false;
    const enum tp_err r =
        db_one(j->db,
               SELECT "WHERE acquirer = $1 AND origin = $2 AND state = $3 AND until > $4"
                      " ORDER BY made DESC LIMIT 1",
               DB_VALUES(db_text(acquirer), db_text(origin), db_integer(PROVISION_OPEN),
                         db_integer(at + PROVISION_GRACE)),
               DB_COLUMNS(columns), out, &found, e);

    return found_or_not(r, found);
}

enum tp_err provisions_sign(struct journal *j, const struct provision *p, struct tp_error *e)
{
    return db_exec(j->db,
                   "UPDATE provision SET origin = $1, mediator = $2, until = $3, statement = $4,"
                   " state = $5 WHERE session = $6",
                   DB_VALUES(db_text(p->origin), db_text(p->mediator), db_integer(p->until),
                             db_text(p->statement), db_integer(PROVISION_SIGNED),
                             db_text(p->session)),
                   NULL, e);
}

enum tp_err provisions_set(struct journal *j, const char *session, enum provision_state state,
                           struct tp_error *e)
{
    return db_exec(j->db, "UPDATE provision SET state = $1 WHERE session = $2",
                   DB_VALUES(db_integer((int64_t)state), db_text(session)), NULL, e);
}

enum tp_err provisions_again(struct journal *j, const char *statement, struct tp_error *e)
{
    return db_exec(
        j->db, "UPDATE provision SET state = $1 WHERE statement = $2 AND state = $3",
        DB_VALUES(db_integer(PROVISION_WANTED), db_text(statement), db_integer(PROVISION_SIGNED)),
        NULL, e);
}

/* Of what was signed, and not another. */
static enum tp_err check_answer(const struct provision *p, const struct purse_token *t,
                                struct tp_error *e)
{
    char hash[PURSE_HASH];
    const enum tp_err r = purse_statement_hash(hash, p->statement, e);

    return r != TP_OK || (strcmp(t->provision, hash) == 0 && strcmp(t->acquirer, p->acquirer) == 0)
               ? r
               : tp_fail(e, TP_ERR_SECURITY, "the purse's word is of another session");
}

enum tp_err provisions_answered(struct journal *j, const char *jws,
                                const struct order_authority *authority, struct tp_error *e)
{
    struct purse_token t = {0};
    struct provision p;
    bool found = false;
    enum tp_err r = purse_token_read(&t, PURSE_PROVISION_ACKNOWLEDGEMENT, jws, authority, e);

    if (r == TP_OK)
        r = db_one(j->db, SELECT "WHERE session = $1", DB_VALUES(db_text(t.session)),
                   DB_COLUMNS(columns), &p, &found, e);
    if (r == TP_OK && found)
        r = check_answer(&p, &t, e);
    if (r == TP_OK && found && p.state == PROVISION_SIGNED) {
        const bool open = strcmp(t.code, "00") == 0;

        r = provisions_set(j, t.session, open ? PROVISION_OPEN : PROVISION_REFUSED, e);
        if (!open)
            log_note("no session begins: %s (%s%s%s)", purse_door_reason(t.reason), t.code,
                     t.reason != NULL ? ", " : "", t.reason != NULL ? t.reason : "");
    }
    purse_token_free(&t);
    return r;
}

enum tp_err provisions_list(struct journal *j, provisions_each *each, void *ctx, struct tp_error *e)
{
    struct db_rows *rows = NULL;
    struct provision p;
    bool found = true;
    enum tp_err r =
        db_query(j->db, &rows, SELECT "ORDER BY made DESC", DB_NONE, DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &p, &found, e)) == TP_OK && found)
        r = each(ctx, &p, e);
    db_end(&rows);
    return r;
}

/* ---- vouchers ---- */

struct counting { /* of one session, contract by contract: its voucher with the highest number */
    struct {
        char contract[16];
        int64_t sum, number;
    } list[CONTRACTS_MAX];
    size_t n;
    const char *asked; /* a contract … */
    bool waits;        /* … of which one is signed, and nobody knows what became of it */
    enum tp_err r;
    struct tp_error *e;
};

static void count_voucher(struct counting *c, const struct purse_statement *s)
{
    const int64_t number = strtoll(s->number, NULL, 10), sum = strtoll(s->sum, NULL, 10);
    size_t i = 0;

    while (i < c->n && strcmp(c->list[i].contract, s->contract) != 0)
        i++;
    if (i == CONTRACTS_MAX) {
        c->r = tp_fail(c->e, TP_ERR_RANGE, "a session of more than %d contracts", CONTRACTS_MAX);
        return;
    }
    if (i == c->n) {
        snprintf(c->list[i].contract, sizeof(c->list[i].contract), "%s", s->contract);
        c->list[c->n++].number = 0;
    }
    if (number > c->list[i].number) {
        c->list[i].number = number;
        c->list[i].sum = sum;
    }
}

/* What the mediator took counts, also where it was given back: its sums go on from there. Of what
 * was given back there is no acknowledgement where its answer was lost, and 410 came after it. */
static bool count_order(void *ctx, const struct kept_order *o)
{
    struct counting *c = ctx;
    struct purse_statement s = {0};
    const bool taken = o->acknowledgement != NULL || o->state == KEPT_REVERSED,
               waits = o->state == KEPT_SUBMITTING;

    if (!taken && !waits)
        return true;
    c->r = purse_statement_read(&s, PURSE_VOUCHER, o->statement, c->e);
    if (c->r == TP_OK && waits && c->asked != NULL && strcmp(s.contract, c->asked) == 0)
        c->waits = true;
    if (c->r == TP_OK)
        count_voucher(c, &s);
    purse_statement_free(&s);
    return c->r == TP_OK;
}

static enum tp_err count_session(struct counting *c, int64_t *spent, struct journal *j,
                                 const struct provision *p, struct tp_error *e)
{
    enum tp_err r;

    c->e = e;
    r = orders_of_session(j, p->session, count_order, c, e);
    *spent = 0;
    for (size_t i = 0; i < c->n; i++)
        *spent += c->list[i].sum;
    return r == TP_OK ? c->r : r;
}

enum tp_err provisions_spent(int64_t *out, struct journal *j, const struct provision *p,
                             struct tp_error *e)
{
    struct counting *c = calloc(1, sizeof(*c));
    const enum tp_err r = c != NULL ? count_session(c, out, j, p, e)
                                    : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a session");

    free(c);
    return r;
}

static enum tp_err find_place(struct voucher_place *out, struct counting *c, int64_t spent,
                              const struct provision *p, int64_t amount, struct tp_error *e)
{
    *out = (struct voucher_place){.sum = amount, .number = 1};
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->list[i].contract, c->asked) == 0)
            *out = (struct voucher_place){c->list[i].sum + amount, c->list[i].number + 1};
    if (c->waits)
        return tp_fail(e, TP_ERR_STATE,
                       "a page of this session is signed, and what became of it is not known yet: "
                       "telepay order send asks");
    return spent + amount <= p->amount
               ? TP_OK
               : tp_fail(e, TP_ERR_RANGE, "it is more than is left of the session");
}

enum tp_err voucher_next(struct voucher_place *out, struct journal *j, const struct provision *p,
                         const char *contract, int64_t amount, struct tp_error *e)
{
    struct counting *c = calloc(1, sizeof(*c));
    int64_t spent = 0;
    enum tp_err r = TP_ERR_NO_MEMORY;

    if (c == NULL)
        return tp_fail(e, r, "no memory for a session");
    c->asked = contract;
    r = count_session(c, &spent, j, p, e);
    if (r == TP_OK)
        r = find_place(out, c, spent, p, amount, e);
    free(c);
    return r;
}
