#include "mediator/orderbook_priv.h"

#include <stdlib.h>
#include <string.h>

#include "store/schema.h"

static const char *const states[] = {
    [STATE_REQUESTED] = "requested",   [STATE_CLAIMED] = "claimed",
    [STATE_SUBMITTING] = "submitting", [STATE_UNKNOWN] = "unknown",
    [STATE_APPROVED] = "approved",     [STATE_ACKNOWLEDGED] = "acknowledged",
    [STATE_DELIVERED] = "delivered",   [STATE_REVERSING] = "reversing",
    [STATE_REVERSED] = "reversed",     [STATE_OWED] = "owed",
};
#define STATES (sizeof(states) / sizeof(states[0]))

const char *order_state_name(enum order_state s)
{
    return s > 0 && s < STATES ? states[s] : "?";
}

bool order_state_find(enum order_state *out, const char *name)
{
    for (unsigned s = STATE_REQUESTED; s < STATES; s++)
        if (strcmp(states[s], name) == 0) {
            *out = (enum order_state)s;
            return true;
        }
    return false;
}

const char *means_method(enum means m)
{
    static const char *const methods[] = {
        "", [MEANS_EMV] = "emv", [MEANS_PURSE] = "purse", [MEANS_VOUCHER] = "purse"};

    return methods[m];
}

const char *means_intent(enum means m)
{
    return m == MEANS_VOUCHER ? "session" : "charge";
}

const char *means_name(enum means m)
{
    return m == MEANS_VOUCHER ? "voucher" : means_method(m);
}

const char *delivery_name(enum delivery d)
{
    return d == DELIVERY_NETWORK ? "network" : d == DELIVERY_SHIPPED ? "shipped" : "included";
}

/* ---- opening ---- */

enum tp_err orderbook_make(const char *dir, const char *url, struct tp_error *e)
{
    char where[DB_WHERE_MAX];
    struct db *db = NULL;
    enum tp_err r = db_where_new(where, dir, BOOK_FILE, url, e);

    if (r == TP_OK)
        r = db_open(&db, where, &mediator_schema, DB_MAKE, e);
    db_close(&db);
    return r == TP_OK && url != NULL ? db_where_set(dir, url, e) : r;
}

enum tp_err orderbook_open(struct orderbook **out, const char *dir, struct tp_error *e)
{
    char where[DB_WHERE_MAX];
    struct orderbook *b = calloc(1, sizeof(*b));
    enum tp_err r;

    *out = NULL;
    if (b == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    r = db_where(where, dir, BOOK_FILE, e);
    if (r == TP_OK)
        r = db_open(&b->db, where, &mediator_schema, DB_USE, e);
    if (r != TP_OK)
        orderbook_close(&b);
    *out = b;
    return r;
}

void orderbook_close(struct orderbook **b)
{
    if (*b == NULL)
        return;
    db_close(&(*b)->db);
    free(*b);
    *b = NULL;
}

enum tp_err orderbook_begin(struct orderbook *b, struct tp_error *e)
{
    return db_begin(b->db, e);
}

enum tp_err orderbook_commit(struct orderbook *b, struct tp_error *e)
{
    return db_commit(b->db, e);
}

void orderbook_rollback(struct orderbook *b)
{
    db_rollback(b->db);
}

struct db *orderbook_db(struct orderbook *b)
{
    return b->db;
}

/* ---- services ---- */

static enum tp_err add_contracts(struct orderbook *b, const struct orderbook_service *s,
                                 struct tp_error *e)
{
    enum tp_err r = TP_OK;

    for (size_t i = 0; r == TP_OK && i < s->contracts; i++)
        r = db_exec(
            b->db, "INSERT INTO service_contract (service, place, contract) VALUES ($1, $2, $3)",
            DB_VALUES(db_text(s->name), db_integer((int64_t)i + 1), db_text(s->contract[i])), NULL,
            e);
    return r;
}

enum tp_err orderbook_service_add(struct orderbook *b, const struct orderbook_service *s,
                                  struct tp_error *e)
{
    const enum tp_err r = db_exec(b->db, "INSERT INTO service (name, added) VALUES ($1, $2)",
                                  DB_VALUES(db_text(s->name), db_integer(time(NULL))), NULL, e);

    if (r == TP_ERR_EXISTS)
        return tp_fail(e, r, "there is a service %s already", s->name);
    return r == TP_OK ? add_contracts(b, s, e) : r;
}

enum tp_err orderbook_service_change(struct orderbook *b, const struct orderbook_service *s,
                                     struct tp_error *e)
{
    enum tp_err r = db_exec(b->db, "UPDATE service SET closed = NULL WHERE name = $1",
                            DB_VALUES(db_text(s->name)), NULL, e);

    if (r == TP_OK)
        r = db_exec(b->db, "DELETE FROM service_contract WHERE service = $1",
                    DB_VALUES(db_text(s->name)), NULL, e);
    return r == TP_OK ? add_contracts(b, s, e) : r;
}

enum tp_err orderbook_service_close(struct orderbook *b, const char *name, struct tp_error *e)
{
    int64_t n = 0;
    const enum tp_err r =
        db_exec(b->db, "UPDATE service SET closed = $2 WHERE name = $1 AND closed IS NULL",
                DB_VALUES(db_text(name), db_integer(time(NULL))), &n, e);

    return r == TP_OK && n == 0
               ? tp_fail(e, TP_ERR_NOT_FOUND,
                         "no service %s is open: telepay-mediator service list says which are",
                         name)
               : r;
}

struct service_row { /* one contract of a service */
    char name[BOOK_NAME_MAX], contract[BOOK_CONTRACT_MAX];
    int64_t added, closed;
};

static void begin_service(struct orderbook_service *s, const struct service_row *row)
{
    *s = (struct orderbook_service){.added = row->added, .closed = row->closed};
    memcpy(s->name, row->name, sizeof(s->name));
}

enum tp_err orderbook_service_each(struct orderbook *b, orderbook_service_visit *visit, void *ctx,
                                   struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct service_row, name), DB_COLUMN(struct service_row, contract),
        DB_COLUMN(struct service_row, added), DB_COLUMN(struct service_row, closed)};
    struct orderbook_service s = {.contracts = 0};
    struct service_row row;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(b->db, &rows,
                             "SELECT s.name, c.contract, s.added, s.closed FROM service s"
                             " JOIN service_contract c ON c.service = s.name"
                             " ORDER BY s.name, c.place",
                             DB_NONE, DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &row, &found, e)) == TP_OK && found) {
        if (strcmp(row.name, s.name) != 0) {
            if (s.contracts > 0)
                r = visit(ctx, &s, e);
            begin_service(&s, &row);
        }
        if (s.contracts < BOOK_SOLD_UNDER)
            memcpy(s.contract[s.contracts++], row.contract, sizeof(row.contract));
    }
    db_end(&rows);
    return r == TP_OK && s.contracts > 0 ? visit(ctx, &s, e) : r;
}

/* ---- orders ---- */

#define ORDER_COLUMNS                                                                              \
    "SELECT id, service, made, valid_until, state, since, method, path, query, url, digest, item," \
    " merchant, amount, currency, delivery, claim IS NOT NULL AS claimed, coalesce(claim, $1) AS"  \
    " claim, code, attempt, why, session IS NOT NULL AS has_session, coalesce(session, $2) AS"     \
    " session"
#define ORDER_SELECT ORDER_COLUMNS " FROM mediated_order"
#define ORDER_ALONE                                                                                \
    ((struct db_columns){order_columns, sizeof(order_columns) / sizeof(order_columns[0]) - 1})

static const uint8_t no_claim[BOOK_CLAIM], no_session[BOOK_SESSION];

static const struct db_column order_columns[] = {
    DB_COLUMN(struct orderbook_order, id),       DB_COLUMN(struct orderbook_order, service),
    DB_COLUMN(struct orderbook_order, made),     DB_COLUMN(struct orderbook_order, valid_until),
    DB_COLUMN(struct orderbook_order, state),    DB_COLUMN(struct orderbook_order, since),
    DB_COLUMN(struct orderbook_order, method),   DB_COLUMN(struct orderbook_order, path),
    DB_COLUMN(struct orderbook_order, query),    DB_COLUMN(struct orderbook_order, url),
    DB_COLUMN(struct orderbook_order, digest),   DB_COLUMN(struct orderbook_order, item),
    DB_COLUMN(struct orderbook_order, merchant), DB_COLUMN(struct orderbook_order, amount),
    DB_COLUMN(struct orderbook_order, currency), DB_COLUMN(struct orderbook_order, delivery),
    DB_COLUMN(struct orderbook_order, claimed),  DB_COLUMN(struct orderbook_order, claim),
    DB_COLUMN(struct orderbook_order, code),     DB_COLUMN(struct orderbook_order, attempt),
    DB_COLUMN(struct orderbook_order, why),      DB_COLUMN(struct orderbook_order, has_session),
    DB_COLUMN(struct orderbook_order, session),  DB_COLUMN(struct orderbook_order, means),
};

enum tp_err orderbook_order_add(struct orderbook *b, const struct orderbook_order *o,
                                struct span quote, struct tp_error *e)
{
    return db_exec(
        b->db,
        "INSERT INTO mediated_order (id, service, made, valid_until, state, since, method, path,"
        " query, url, digest, item, merchant, amount, currency, delivery, quote, code, attempt,"
        " why, session) VALUES ($1, $2, $3, $4, $5, $3, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
        " $15, $16, '', $17, '', $18)",
        DB_VALUES(db_text(o->id), db_text(o->service), db_integer(o->made),
                  db_integer(o->valid_until), db_integer(o->state), db_text(o->method),
                  db_text(o->path), db_text(o->query), db_text(o->url), db_text(o->digest),
                  db_text(o->item), db_text(o->merchant), db_integer(o->amount),
                  db_integer(o->currency), db_integer(o->delivery), db_blob(quote),
                  db_integer(o->attempt), db_blob_or_null(SPAN_OF(o->session), o->has_session)),
        NULL, e);
}

enum tp_err orderbook_order_get(struct orderbook *b, const char *id, struct orderbook_order *out,
                                bool *found, struct tp_error *e)
{
    return db_one(b->db, ORDER_SELECT " WHERE id = $3",
                  DB_VALUES(db_blob(SPAN_OF(no_claim)), db_blob(SPAN_OF(no_session)), db_text(id)),
                  ORDER_ALONE, out, found, e);
}

enum tp_err orderbook_order_find(struct orderbook *b, const struct orderbook_order *asked,
                                 int64_t since, struct orderbook_order *out, bool *found,
                                 struct tp_error *e)
{
    return db_one(b->db,
                  ORDER_SELECT
                  " WHERE session = $3 AND url = $4 AND method = $5 AND digest = $6 AND"
                  " made >= $7 ORDER BY made DESC, id LIMIT 1",
                  DB_VALUES(db_blob(SPAN_OF(no_claim)), db_blob(SPAN_OF(no_session)),
                            db_blob(SPAN_OF(asked->session)), db_text(asked->url),
                            db_text(asked->method), db_text(asked->digest), db_integer(since)),
                  ORDER_ALONE, out, found, e);
}

enum tp_err orderbook_quote_get(struct orderbook *b, const char *id, char **out, struct tp_error *e)
{
    static const struct db_column columns[] = {{"quote", DB_SPAN, 0, sizeof(struct span)}};
    struct span quote = {NULL, 0};
    bool found = false;
    const enum tp_err r = db_one(b->db, "SELECT quote FROM mediated_order WHERE id = $1",
                                 DB_VALUES(db_text(id)), DB_COLUMNS(columns), &quote, &found, e);

    *out = NULL;
    if (r != TP_OK)
        return r;
    if (!found)
        return tp_fail(e, TP_ERR_NOT_FOUND, "there is no order %s", id);
    *out = span_text(quote);
    return *out != NULL ? TP_OK : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a quote");
}

enum tp_err orderbook_order_move(struct orderbook *b, const struct orderbook_order *o,
                                 struct tp_error *e)
{
    return db_exec(b->db,
                   "UPDATE mediated_order SET state = $2, since = $3, why = $4, attempt = $5"
                   " WHERE id = $1",
                   DB_VALUES(db_text(o->id), db_integer(o->state), db_integer(o->since),
                             db_text(o->why), db_integer(o->attempt)),
                   NULL, e);
}

enum tp_err orderbook_order_claim(struct orderbook *b, const struct orderbook_order *o,
                                  struct tp_error *e)
{
    return db_exec(b->db,
                   "UPDATE mediated_order SET claim = $2, code = $3, state = $4, since = $5"
                   " WHERE id = $1",
                   DB_VALUES(db_text(o->id), db_blob_or_null(SPAN_OF(o->claim), o->claimed),
                             db_text(o->code), db_integer(o->state), db_integer(o->since)),
                   NULL, e);
}

enum tp_err orderbook_order_each(struct orderbook *b, unsigned state, orderbook_order_visit *visit,
                                 void *ctx, struct tp_error *e)
{
    struct orderbook_order *o = calloc(1, sizeof(*o));
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r;

    if (o == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    r = db_query(
        b->db, &rows,
        ORDER_COLUMNS ", coalesce((SELECT a.means FROM attempt a WHERE a.order_id = o.id AND"
                      " a.n = o.attempt AND a.sent > 0), 0) AS means FROM mediated_order o"
                      " WHERE ($3 = 0 OR state = $3) ORDER BY made, id",
        DB_VALUES(db_blob(SPAN_OF(no_claim)), db_blob(SPAN_OF(no_session)), db_integer(state)),
        DB_COLUMNS(order_columns), e);
    while (r == TP_OK && (r = db_next(rows, o, &found, e)) == TP_OK && found)
        r = visit(ctx, o, e);
    db_end(&rows);
    free(o);
    return r;
}

struct named {
    char id[BOOK_ORDER_ID];
};

enum tp_err orderbook_order_open_each(struct orderbook *b, orderbook_id_visit *visit, void *ctx,
                                      struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN(struct named, id)};
    struct named n;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r =
        db_query(b->db, &rows, "SELECT id FROM mediated_order WHERE state IN (3, 4, 5, 6, 8)",
                 DB_NONE, DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &n, &found, e)) == TP_OK && found)
        r = visit(ctx, n.id, e);
    db_end(&rows);
    return r;
}

static enum tp_err forget_one(struct orderbook *b, const char *id, orderbook_number_visit *freed,
                              void *ctx, struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN(struct orderbook_number, contract),
                                               DB_COLUMN(struct orderbook_number, day),
                                               DB_COLUMN(struct orderbook_number, stan)};
    struct orderbook_number number;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r =
        db_query(b->db, &rows,
                 "SELECT contract, day, stan FROM attempt WHERE order_id = $1 AND stan IS NOT NULL",
                 DB_VALUES(db_text(id)), DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &number, &found, e)) == TP_OK && found)
        r = freed(ctx, &number, e);
    db_end(&rows);
    if (r == TP_OK)
        r = db_exec(b->db, "DELETE FROM attempt WHERE order_id = $1", DB_VALUES(db_text(id)), NULL,
                    e);
    return r == TP_OK ? db_exec(b->db, "DELETE FROM mediated_order WHERE id = $1",
                                DB_VALUES(db_text(id)), NULL, e)
                      : r;
}

enum tp_err orderbook_order_forget(struct orderbook *b, size_t *forgotten, int64_t before,
                                   size_t most, orderbook_number_visit *freed, void *ctx,
                                   struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN(struct named, id)};
    struct named *over = calloc(most, sizeof(*over));
    struct db_rows *rows = NULL;
    size_t n = 0;
    bool found = true;
    enum tp_err r;

    *forgotten = 0;
    if (over == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    r = db_query(b->db, &rows,
                 "SELECT id FROM mediated_order o WHERE state IN (1, 2) AND valid_until < $1 AND"
                 " NOT EXISTS (SELECT 1 FROM attempt a WHERE a.order_id = o.id AND a.sent > 0)"
                 " LIMIT $2",
                 DB_VALUES(db_integer(before), db_integer((int64_t)most)), DB_COLUMNS(columns), e);
    while (r == TP_OK && n < most && (r = db_next(rows, &over[n], &found, e)) == TP_OK && found)
        n++;
    db_end(&rows);
    for (size_t i = 0; r == TP_OK && i < n; i++)
        r = forget_one(b, over[i].id, freed, ctx, e);
    free(over);
    *forgotten = r == TP_OK ? n : 0;
    return r;
}

enum tp_err orderbook_order_count(struct orderbook *b, orderbook_count_visit *visit, void *ctx,
                                  struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct orderbook_count, state),    DB_COLUMN(struct orderbook_count, means),
        DB_COLUMN(struct orderbook_count, currency), DB_COLUMN(struct orderbook_count, n),
        DB_COLUMN(struct orderbook_count, amount),   DB_COLUMN(struct orderbook_count, oldest)};
    struct orderbook_count c;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r =
        db_query(b->db, &rows,
                 "SELECT o.state, coalesce(a.means, 0) AS means, o.currency, count(*) AS n,"
                 " CAST(sum(o.amount) AS BIGINT) AS amount, min(o.since) AS oldest"
                 " FROM mediated_order o LEFT JOIN attempt a ON a.order_id = o.id AND"
                 " a.n = o.attempt AND a.sent > 0 GROUP BY o.state, a.means, o.currency"
                 " ORDER BY o.state, a.means, o.currency",
                 DB_NONE, DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &c, &found, e)) == TP_OK && found)
        r = visit(ctx, &c, e);
    db_end(&rows);
    return r;
}

/* ---- attempts ---- */

struct attempt_row { /* with what it borrows from the statement */
    struct orderbook_attempt a;
    struct span challenge, pays, beside, acknowledgement, answer;
    bool has_pays, has_beside, has_acknowledgement, has_answer;
};

#define ATTEMPT_SELECT                                                                             \
    "SELECT order_id, n, place, means, acquirer, contract, challenge_id, terminal, stan,"          \
    " local_time, sent, credential IS NOT NULL AS used, coalesce(credential, $1) AS credential,"   \
    " outcome, code, reason, rrn, reversal_stan, surplus, session, challenge, pays, beside,"       \
    " acknowledgement, answer, pays IS NOT NULL AS has_pays, beside IS NOT NULL AS has_beside,"    \
    " acknowledgement IS NOT NULL AS has_acknowledgement, answer IS NOT NULL AS has_answer"        \
    " FROM attempt t"

static const uint8_t no_credential[BOOK_CREDENTIAL];

static const struct db_column attempt_columns[] = {
    DB_COLUMN_AS("order_id", struct attempt_row, a.order),
    DB_COLUMN_AS("n", struct attempt_row, a.n),
    DB_COLUMN_AS("place", struct attempt_row, a.place),
    DB_COLUMN_AS("means", struct attempt_row, a.means),
    DB_COLUMN_AS("acquirer", struct attempt_row, a.acquirer),
    DB_COLUMN_AS("contract", struct attempt_row, a.contract),
    DB_COLUMN_AS("challenge_id", struct attempt_row, a.challenge_id),
    DB_COLUMN_AS("terminal", struct attempt_row, a.terminal),
    DB_COLUMN_AS("stan", struct attempt_row, a.stan),
    DB_COLUMN_AS("local_time", struct attempt_row, a.local_time),
    DB_COLUMN_AS("sent", struct attempt_row, a.sent),
    DB_COLUMN_AS("used", struct attempt_row, a.used),
    DB_COLUMN_AS("credential", struct attempt_row, a.credential),
    DB_COLUMN_AS("outcome", struct attempt_row, a.outcome),
    DB_COLUMN_AS("code", struct attempt_row, a.code),
    DB_COLUMN_AS("reason", struct attempt_row, a.reason),
    DB_COLUMN_AS("rrn", struct attempt_row, a.rrn),
    DB_COLUMN_AS("reversal_stan", struct attempt_row, a.reversal_stan),
    DB_COLUMN_AS("surplus", struct attempt_row, a.surplus),
    DB_COLUMN_AS("session", struct attempt_row, a.session),
    DB_COLUMN(struct attempt_row, challenge),
    DB_COLUMN(struct attempt_row, pays),
    DB_COLUMN(struct attempt_row, beside),
    DB_COLUMN(struct attempt_row, acknowledgement),
    DB_COLUMN(struct attempt_row, answer),
    DB_COLUMN(struct attempt_row, has_pays),
    DB_COLUMN(struct attempt_row, has_beside),
    DB_COLUMN(struct attempt_row, has_acknowledgement),
    DB_COLUMN(struct attempt_row, has_answer),
};

void orderbook_attempt_free(struct orderbook_attempt *a)
{
    free(a->challenge);
    free(a->pays);
    free(a->beside);
    free(a->acknowledgement);
    free(a->answer);
    *a = (struct orderbook_attempt){.n = 0};
}

static enum tp_err own(struct orderbook_attempt *out, const struct attempt_row *row,
                       struct tp_error *e)
{
    const struct {
        char **to;
        struct span text;
        bool has;
    } texts[] = {{&out->challenge, row->challenge, true},
                 {&out->pays, row->pays, row->has_pays},
                 {&out->beside, row->beside, row->has_beside},
                 {&out->acknowledgement, row->acknowledgement, row->has_acknowledgement},
                 {&out->answer, row->answer, row->has_answer}};

    *out = row->a;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        *texts[i].to = NULL;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!texts[i].has)
            continue;
        *texts[i].to = span_text(texts[i].text);
        if (*texts[i].to == NULL) {
            orderbook_attempt_free(out);
            return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for an order");
        }
    }
    return TP_OK;
}

enum tp_err orderbook_attempt_add(struct orderbook *b, const struct orderbook_attempt *a,
                                  struct tp_error *e)
{
    const bool card = a->stan != 0;

    return db_exec(
        b->db,
        "INSERT INTO attempt (order_id, n, place, means, acquirer, contract, challenge_id,"
        " challenge, terminal, stan, day, local_time, sent, outcome, code, reason, rrn,"
        " reversal_stan, reversal_day, surplus) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,"
        " $11, $12, 0, 0, '', '', '', 0, 0, 0)",
        DB_VALUES(db_text(a->order), db_integer(a->n), db_integer(a->place), db_integer(a->means),
                  db_text(a->acquirer), db_text(a->contract), db_text(a->challenge_id),
                  db_text(a->challenge), db_text(card ? a->terminal : NULL),
                  db_integer_or_null(a->stan, card),
                  db_integer_or_null(a->local_time / 1000000, card),
                  db_integer_or_null(a->local_time, card)),
        NULL, e);
}

enum tp_err orderbook_attempt_get(struct orderbook *b, const char *order, uint32_t n,
                                  struct orderbook_attempt *out, bool *found, struct tp_error *e)
{
    struct attempt_row row = {.a = {.n = 0}};
    const enum tp_err r =
        db_one(b->db, ATTEMPT_SELECT " WHERE order_id = $2 AND n = $3",
               DB_VALUES(db_blob(SPAN_OF(no_credential)), db_text(order), db_integer(n)),
               DB_COLUMNS(attempt_columns), &row, found, e);

    return r == TP_OK && *found ? own(out, &row, e) : r;
}

enum tp_err orderbook_attempt_find(struct orderbook *b, const char *challenge_id,
                                   struct orderbook_attempt *out, bool *found, struct tp_error *e)
{
    struct attempt_row row = {.a = {.n = 0}};
    const enum tp_err r = db_one(b->db, ATTEMPT_SELECT " WHERE challenge_id = $2",
                                 DB_VALUES(db_blob(SPAN_OF(no_credential)), db_text(challenge_id)),
                                 DB_COLUMNS(attempt_columns), &row, found, e);

    return r == TP_OK && *found ? own(out, &row, e) : r;
}

enum tp_err orderbook_attempt_payable(struct orderbook *b, const char *order,
                                      struct orderbook_attempt out[BOOK_MEANS_MAX], size_t *n,
                                      struct tp_error *e)
{
    struct attempt_row row = {.a = {.n = 0}};
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(
        b->db, &rows,
        ATTEMPT_SELECT " WHERE order_id = $2 AND credential IS NULL AND"
                       " NOT EXISTS (SELECT 1 FROM attempt later WHERE later.order_id = t.order_id"
                       " AND later.place = t.place AND later.n > t.n) ORDER BY place",
        DB_VALUES(db_blob(SPAN_OF(no_credential)), db_text(order)), DB_COLUMNS(attempt_columns), e);

    *n = 0;
    while (r == TP_OK && *n < BOOK_MEANS_MAX && (r = db_next(rows, &row, &found, e)) == TP_OK &&
           found) {
        r = own(&out[*n], &row, e);
        *n += r == TP_OK;
    }
    db_end(&rows);
    return r;
}

enum tp_err orderbook_attempt_last(struct orderbook *b, const char *order, uint32_t *n,
                                   struct tp_error *e)
{
    int64_t last = 0;
    bool found = false;
    const enum tp_err r =
        db_number(b->db, "SELECT coalesce(max(n), 0) AS n FROM attempt WHERE order_id = $1",
                  DB_VALUES(db_text(order)), &last, &found, e);

    *n = (uint32_t)last;
    return r;
}

enum tp_err orderbook_attempt_submit(struct orderbook *b, const struct orderbook_attempt *a,
                                     struct tp_error *e)
{
    return db_exec(b->db,
                   "UPDATE attempt SET credential = $3, pays = $4, beside = $5, sent = $6,"
                   " session = $7 WHERE order_id = $1 AND n = $2",
                   DB_VALUES(db_text(a->order), db_integer(a->n), db_blob(SPAN_OF(a->credential)),
                             db_text(a->pays), db_text(a->beside), db_integer(a->sent),
                             db_text(a->session[0] != '\0' ? a->session : NULL)),
                   NULL, e);
}

enum tp_err orderbook_attempt_answer(struct orderbook *b, const struct orderbook_attempt *a,
                                     struct tp_error *e)
{
    return db_exec(b->db,
                   "UPDATE attempt SET outcome = $3, code = $4, reason = $5, rrn = $6,"
                   " acknowledgement = $7, answer = $8 WHERE order_id = $1 AND n = $2",
                   DB_VALUES(db_text(a->order), db_integer(a->n), db_integer(a->outcome),
                             db_text(a->code), db_text(a->reason), db_text(a->rrn),
                             db_text(a->acknowledgement), db_text(a->answer)),
                   NULL, e);
}

enum tp_err orderbook_attempt_reverse(struct orderbook *b, const struct orderbook_attempt *a,
                                      int day, struct tp_error *e)
{
    return db_exec(b->db,
                   "UPDATE attempt SET reversal_stan = $3, reversal_day = $4"
                   " WHERE order_id = $1 AND n = $2",
                   DB_VALUES(db_text(a->order), db_integer(a->n), db_integer(a->reversal_stan),
                             db_integer(day)),
                   NULL, e);
}

enum tp_err orderbook_attempt_surplus(struct orderbook *b, const struct orderbook_attempt *a,
                                      struct tp_error *e)
{
    return db_exec(b->db, "UPDATE attempt SET surplus = $3 WHERE order_id = $1 AND n = $2",
                   DB_VALUES(db_text(a->order), db_integer(a->n), db_integer(a->surplus)), NULL, e);
}

struct numbered {
    char order_id[BOOK_ORDER_ID];
    uint32_t n;
};

static const struct db_column numbered_columns[] = {DB_COLUMN(struct numbered, order_id),
                                                    DB_COLUMN(struct numbered, n)};

enum tp_err orderbook_attempt_rivals(struct orderbook *b, const struct orderbook_attempt *paid,
                                     uint32_t out[BOOK_RIVALS_MAX], size_t *n, struct tp_error *e)
{
    struct numbered row;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r =
        db_query(b->db, &rows,
                 "SELECT order_id, n FROM attempt WHERE order_id = $1 AND"
                 " (acquirer <> $2 OR means <> $3) AND sent > 0 AND outcome <> 2 AND surplus = 0"
                 " ORDER BY n",
                 DB_VALUES(db_text(paid->order), db_text(paid->acquirer), db_integer(paid->means)),
                 DB_COLUMNS(numbered_columns), e);

    *n = 0;
    while (r == TP_OK && *n < BOOK_RIVALS_MAX && (r = db_next(rows, &row, &found, e)) == TP_OK &&
           found)
        out[(*n)++] = row.n;
    db_end(&rows);
    return r;
}

enum tp_err orderbook_surplus_each(struct orderbook *b, orderbook_surplus_visit *visit, void *ctx,
                                   struct tp_error *e)
{
    struct numbered row;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(
        b->db, &rows, "SELECT order_id, n FROM attempt WHERE surplus = 1 ORDER BY order_id, n",
        DB_NONE, DB_COLUMNS(numbered_columns), e);

    while (r == TP_OK && (r = db_next(rows, &row, &found, e)) == TP_OK && found)
        r = visit(ctx, row.order_id, row.n, e);
    db_end(&rows);
    return r;
}

struct stan_row {
    char contract[BOOK_CONTRACT_MAX];
    uint32_t stan;
};

enum tp_err orderbook_stan_each(struct orderbook *b, int day, orderbook_stan_visit *visit,
                                void *ctx, struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN(struct stan_row, contract),
                                               DB_COLUMN(struct stan_row, stan)};
    struct stan_row row;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r =
        db_query(b->db, &rows,
                 "SELECT contract, stan FROM attempt WHERE day = $1 UNION ALL"
                 " SELECT contract, reversal_stan AS stan FROM attempt"
                 " WHERE reversal_day = $1 UNION ALL"
                 " SELECT a.contract, a.stan FROM attempt a JOIN mediated_order o"
                 " ON o.id = a.order_id WHERE o.state IN (3, 4, 8) AND a.stan IS NOT NULL"
                 " UNION ALL SELECT contract, stan FROM attempt WHERE surplus = 1 AND"
                 " stan IS NOT NULL UNION ALL SELECT contract, reversal_stan AS stan"
                 " FROM attempt WHERE surplus = 1 UNION ALL"
                 " SELECT a.contract, a.reversal_stan AS stan FROM attempt a"
                 " JOIN mediated_order o ON o.id = a.order_id WHERE o.state = 8",
                 DB_VALUES(db_integer(day)), DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &row, &found, e)) == TP_OK && found)
        r = visit(ctx, row.contract, row.stan, e);
    db_end(&rows);
    return r;
}
