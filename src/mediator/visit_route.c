/* What a call is about: its address, its credential, its body. */
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "base/word.h"
#include "base/log.h"
#include "mediator/discovery.h"
#include "mediator/say.h"
#include "order/order.h"
#include "order/purse.h"
#include "order/sealed.h"
#include "wire/jcs.h"
#include "wire/mediation.h"
#include "wire/payment_accept.h"
#include "wire/payment_digest.h"

#define SALE          "/s/"
#define ORDERS        "/orders/"
#define SESSIONS      "/sessions/"
#define PARAMETERS    "/parameters/"
#define IDENTITY      "/identity/"
#define BILLS         "/bills/"
#define DISCOVERY     "/openapi.json"
#define SESSION_BYTES 16
#define REST_ROOM     1024 /* of a challenge, all but its request; and what frames the objects */
#define AUTHORIZATION "Authorization"

/* Queues a move for the visit, which waits for it. */
static void queue(struct visit *v, struct job *j)
{
    j->visit = v;
    http_later(v->call);
    keeper_take(v->m, j);
}

static void queue_simple(struct visit *v, enum event event)
{
    struct job *j = move_job(event, v->id);

    if (j == NULL)
        say_simple(v, MHD_HTTP_SERVICE_UNAVAILABLE, "no memory now: ask again");
    else
        queue(v, j);
}

/* ---- credentials ---- */

/* Not one that can pay: the visit goes on as who has to be asked for money. */
static void not_paying(struct visit *v, enum payment_problem_type type, const char *detail)
{
    v->problem = type;
    v->detail = detail;
}

/* What the order within the challenge is for is what is asked. Whether both are the mediator's own
 * is seen later: by the challenge's id, or because the very same credential is in the books. */
static bool is_for(const struct visit *v, const struct payment_charge *charge)
{
    const char *jws = NULL, *method = NULL, *url = NULL, *digest = NULL;
    struct token t = {.payload = NULL};
    const json_t *resource;
    bool same = false;

    if (order_of_charge(&jws, charge, NULL) == TP_OK &&
        token_read(&t, jws, ORDER_TYPE, NULL) == TP_OK) {
        resource = json_object_get(t.payload, "resource");
        method = json_string_value(json_object_get(resource, "method"));
        url = json_string_value(json_object_get(resource, "url"));
        digest = json_string_value(json_object_get(resource, "digest"));
        same = method != NULL && url != NULL && strcmp(method, v->asked.method) == 0 &&
               strcmp(url, v->asked.url) == 0 &&
               strcmp(digest != NULL ? digest : "", v->asked.digest) == 0;
    }
    token_free(&t);
    return same;
}

/* Which order the credential is for, as the request of its challenge says. */
static bool read_order(struct visit *v, const struct payment_credential *c)
{
    struct payment_charge charge = {.amount = NULL};
    bool found = payment_charge_read(&charge, c->challenge.request, NULL) == TP_OK &&
                 charge.external_id != NULL && strlen(charge.external_id) == BOOK_ORDER_ID - 1;

    if (found && v->kind == VISIT_PAY)
        found = is_for(v, &charge);
    if (found && v->id[0] != '\0') /* it stands in the address, too */
        found = strcmp(v->id, charge.external_id) == 0;
    if (found)
        snprintf(v->id, sizeof(v->id), "%s", charge.external_id);
    payment_charge_free(&charge);
    return found;
}

/* The acquirer of an order can be asked now. A purse has no line that says so: it is asked until it
 * has answered. */
static bool is_reached(const struct visit *v, const struct payment_credential *c)
{
    struct payment_charge charge = {.amount = NULL};
    const struct reg_contract *contract = NULL;
    const struct line *l = NULL;

    if (payment_charge_read(&charge, c->challenge.request, NULL) == TP_OK &&
        charge.recipient != NULL)
        contract = registry_contract(v->m->registry, charge.recipient);
    payment_charge_free(&charge);
    if (contract == NULL || contract->acquirer->means == MEANS_PURSE)
        return contract != NULL;
    l = line_of(v->m, contract->acquirer->id);
    return l != NULL && line_is_up(l);
}

static bool read_claim(uint8_t claim[BOOK_CLAIM], const char *text)
{
    uint8_t bytes[BOOK_CLAIM];
    struct buf b = BUF_OF(bytes);

    if (base64url_decode(&b, span_str(text)) != TP_OK || b.n != BOOK_CLAIM)
        return false;
    memcpy(claim, bytes, BOOK_CLAIM);
    return true;
}

/* What goes on to the acquirer fits into one message: what did not would be tried for ever. */
static bool fits(const char *request, const char *sealed, const char *device)
{
    return strlen(request) + strlen(sealed) + (device != NULL ? strlen(device) : 0) + REST_ROOM <=
           MEDIATION_MAX;
}

static bool keep_payload(struct move *m, const char *pays, const char *beside, const char *claim)
{
    if (claim != NULL && !read_claim(m->claim, claim))
        return false;
    m->has_claim = claim != NULL;
    m->pays = strdup(pays);
    m->beside = beside != NULL ? strdup(beside) : NULL;
    return m->pays != NULL && (beside == NULL || m->beside != NULL);
}

static bool read_card(struct move *m, const struct payment_credential *c)
{
    const char *sealed = NULL, *device = NULL, *claim = NULL;

    return jcs_text(&sealed, c->payload, "transaction", NULL) == TP_OK && sealed != NULL &&
           jcs_text(&device, c->payload, "device", NULL) == TP_OK &&
           jcs_text(&claim, c->payload, "claim", NULL) == TP_OK &&
           fits(c->challenge.request, sealed, device) && keep_payload(m, sealed, device, claim);
}

/* Whether the holder of some account signed that very challenge: what nobody signed would use up
 * the order's challenge, and be refused by the purse. */
static bool is_stated(const char *jws, const struct payment_challenge *c)
{
    struct purse_statement s = {.owner = NULL};
    uint8_t r[PAYMENT_R];
    char r64[BASE64URL_SIZE(PAYMENT_R)];
    const bool good = purse_statement_read(&s, PURSE_PAYMENT, jws, NULL) == TP_OK &&
                      payment_challenge_r(r, c, NULL) == TP_OK &&
                      strcmp(s.r, base64url_encode(r64, SPAN_OF(r))) == 0;

    purse_statement_free(&s);
    return good;
}

static bool is_provision(const char *jws)
{
    struct purse_statement s = {.owner = NULL};
    const bool good = purse_statement_read(&s, PURSE_PROVISION, jws, NULL) == TP_OK;

    purse_statement_free(&s);
    return good;
}

static bool read_purse(struct move *m, const struct payment_credential *c)
{
    const char *payment = NULL, *provision = NULL, *claim = NULL;

    return jcs_text(&payment, c->payload, "payment", NULL) == TP_OK && payment != NULL &&
           jcs_text(&provision, c->payload, "provision", NULL) == TP_OK &&
           jcs_text(&claim, c->payload, "claim", NULL) == TP_OK &&
           is_stated(payment, &c->challenge) && (provision == NULL || is_provision(provision)) &&
           keep_payload(m, payment, provision, claim);
}

/* Of which session, and how far; that it is the challenge's is seen here, all else in the books. */
static bool take_voucher(struct voucher *v, const char *jws, const struct payment_challenge *c)
{
    struct purse_statement s = {.owner = NULL};
    uint8_t r[PAYMENT_R];
    char r64[BASE64URL_SIZE(PAYMENT_R)];
    const bool good = purse_statement_read(&s, PURSE_VOUCHER, jws, NULL) == TP_OK &&
                      payment_challenge_r(r, c, NULL) == TP_OK &&
                      strcmp(s.r, base64url_encode(r64, SPAN_OF(r))) == 0;

    if (good) {
        snprintf(v->session, sizeof(v->session), "%s", s.session);
        snprintf(v->account, sizeof(v->account), "%s", s.account);
        snprintf(v->contract, sizeof(v->contract), "%s", s.contract);
        memcpy(v->key, s.key, sizeof(v->key));
        v->currency = currency_by_alpha(s.currency)->numeric; /* as it was read */
        v->sum = strtoll(s.sum, NULL, 10);
        v->number = strtoll(s.number, NULL, 10);
    }
    purse_statement_free(&s);
    return good;
}

static bool read_voucher(struct move *m, const struct payment_credential *c)
{
    const char *voucher = NULL, *claim = NULL;

    return jcs_text(&voucher, c->payload, "voucher", NULL) == TP_OK && voucher != NULL &&
           jcs_text(&claim, c->payload, "claim", NULL) == TP_OK &&
           take_voucher(&m->voucher, voucher, &c->challenge) &&
           keep_payload(m, voucher, NULL, claim);
}

/* The methods, and what their credentials hold. */
static const struct way {
    enum means means;
    bool (*read)(struct move *m, const struct payment_credential *c);
    const char *fault;
} payloads[] = {
    {MEANS_EMV, read_card,
     "the payload of a credential by card is the sealed transaction, with the device's signature "
     "where there is one"},
    {MEANS_PURSE, read_purse,
     "the payload of a credential by purse is the statement, signed by the account's key, that "
     "pays this challenge, with a provision where a session begins"},
    {MEANS_VOUCHER, read_voucher,
     "the payload of a credential by voucher is the statement, signed by the account's key, that "
     "draws on its session for this challenge"},
};
#define PAYLOADS (sizeof(payloads) / sizeof(payloads[0]))

static const struct way *way_of(const struct payment_credential *c)
{
    for (size_t i = 0; i < PAYLOADS; i++)
        if (strcmp(c->challenge.method, means_method(payloads[i].means)) == 0 &&
            strcmp(c->challenge.intent, means_intent(payloads[i].means)) == 0)
            return &payloads[i];
    return NULL;
}

static void queue_payment(struct visit *v, const struct payment_credential *c,
                          const struct way *way)
{
    struct job *j = move_job(EVENT_PAY, v->id);

    if (j == NULL) {
        say_simple(v, MHD_HTTP_SERVICE_UNAVAILABLE, "no memory now: ask the same again");
        return;
    }
    if (!way->read(&j->move, c)) {
        not_paying(v, PAYMENT_INVALID_PAYLOAD, way->fault);
        j->move.event = EVENT_LOOK;
    }
    j->move.reached = is_reached(v, c);
    j->move.foreign = !payment_challenge_is_bound(&c->challenge, v->m->issuing.key);
    snprintf(j->move.challenge_id, sizeof(j->move.challenge_id), "%s", c->challenge.id);
    memcpy(j->move.credential, v->credential, sizeof(j->move.credential));
    queue(v, j);
}

static void demand(struct visit *v);

/* Without an order of its own it is a demand again; at an order, its challenge is given again. */
static void refuse_credential(struct visit *v, enum payment_problem_type type, const char *detail)
{
    not_paying(v, type, detail);
    if (v->kind == VISIT_PAY)
        demand(v);
    else if (v->kind == VISIT_PAYMENT)
        queue_simple(v, EVENT_LOOK);
    else
        say_simple(v, MHD_HTTP_FORBIDDEN, detail);
}

static void take_credential(struct visit *v, const struct payment_credential *c)
{
    const struct way *way = way_of(c);
    struct tp_error e = {TP_OK, ""};

    if (way == NULL) {
        const struct say_problem p = {.type = PAYMENT_METHOD_UNSUPPORTED,
                                      .detail = "the methods here are emv and purse, the intent "
                                                "charge, of a purse session too",
                                      .consumed = -1};

        say_problem(v, &p);
    } else if (!read_order(v, c)) {
        refuse_credential(v, PAYMENT_INVALID_CHALLENGE,
                          "the challenge is none of this resource's: it was changed, or is of "
                          "another");
    } else if (payment_credential_hash(v->credential, c, &e) != TP_OK) {
        say_simple(v, MHD_HTTP_SERVICE_UNAVAILABLE, "no memory now: ask the same again");
    } else if (v->kind == VISIT_DELIVERY) {
        queue_simple(v, EVENT_LOOK);
    } else {
        queue_payment(v, c, way);
    }
}

static void bad_credential(struct visit *v, enum tp_err r, const char *why)
{
    const struct say_problem two = {
        .type = PAYMENT_BAD_REQUEST, .detail = "one credential at a time", .consumed = -1};

    if (r == TP_ERR_EXISTS)
        say_problem(v, &two);
    else if (r == TP_ERR_RANGE)
        say_simple(v, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE,
                   "the credential is too large for a field: post it to the order's /payment");
    else {
        snprintf(v->fault, sizeof(v->fault), "%s", why); /* it is told later, by another thread */
        refuse_credential(v, PAYMENT_MALFORMED_CREDENTIAL, v->fault);
    }
}

/* From the fields. False: there is none, and nothing is answered. */
static bool take_field(struct visit *v)
{
    static const char *const names[] = {AUTHORIZATION, PAYMENT_HEADER};
    struct payment_credential c = {.payload = NULL}, other = {.payload = NULL};
    struct tp_error e = {TP_OK, ""};
    enum tp_err r = TP_ERR_NOT_FOUND;

    for (size_t i = 0; i < 2; i++) {
        const char *field = http_header(v->call, names[i]);
        enum tp_err one =
            field != NULL ? payment_credential_read(&other, span_str(field), &e) : TP_ERR_NOT_FOUND;

        if (one != TP_ERR_NOT_FOUND && http_header_count(v->call, names[i]) > 1)
            one = TP_ERR_EXISTS;
        if (one == TP_ERR_NOT_FOUND) {
            if (field != NULL && i == 0)
                v->header = PAYMENT_HEADER;
            payment_credential_free(&other);
            continue;
        }
        r = r == TP_ERR_NOT_FOUND ? one : TP_ERR_EXISTS;
        payment_credential_free(&c);
        c = other;
        other = (struct payment_credential){.payload = NULL};
    }
    if (r == TP_OK)
        take_credential(v, &c);
    else if (r != TP_ERR_NOT_FOUND)
        bad_credential(v, r, e.text);
    payment_credential_free(&c);
    return r != TP_ERR_NOT_FOUND;
}

static void take_body(struct visit *v)
{
    struct payment_credential c = {.payload = NULL};
    struct tp_error e = {TP_OK, ""};
    const enum tp_err r = payment_credential_read_json(&c, http_body(v->call), &e);

    if (r == TP_OK)
        take_credential(v, &c);
    else
        bad_credential(v, r, e.text);
    payment_credential_free(&c);
}

/* ---- demands ---- */

void visit_session_read(struct visit *v)
{
    const char *cookie = http_cookie(v->call, SESSION_COOKIE);
    uint8_t bytes[SESSION_BYTES];
    struct buf b = BUF_OF(bytes);

    if (cookie == NULL || base64url_decode(&b, span_str(cookie)) != TP_OK || b.n != sizeof(bytes)) {
        if (!v->html || RAND_bytes(bytes, sizeof(bytes)) != 1)
            return;
        base64url_encode(v->cookie, SPAN_OF(bytes));
    }
    v->asked.has_session =
        EVP_Digest(bytes, sizeof(bytes), v->asked.session, NULL, EVP_sha256(), NULL) == 1;
}

/* Who names other ways than the service's is told so, and is asked for money all the same, as the
 * draft has it: whoever reads the challenges may have another device that pays. */
static void read_accepted(struct visit *v)
{
    const char *field = http_header(v->call, PAYMENT_ACCEPT);
    const struct reg_service *s = v->service;
    unsigned weight = 0;
    size_t n;

    if (field == NULL || http_header_count(v->call, PAYMENT_ACCEPT) > 1)
        return;
    n = (size_t)snprintf(v->fault, sizeof(v->fault),
                         "nothing that " PAYMENT_ACCEPT " takes is taken here: it is paid by");
    for (enum means m = MEANS_EMV; m <= MEANS_VOUCHER; m++) {
        if (!reg_service_takes(s, m))
            continue;
        if (payment_accept(&weight, span_str(field), means_method(m), means_intent(m), NULL) !=
            TP_OK) {
            v->detail = PAYMENT_ACCEPT " cannot be read, and is passed over";
            return;
        }
        if (weight > 0)
            return;
        n += (size_t)snprintf(v->fault + n, sizeof(v->fault) - n, " %s/%s", means_method(m),
                              means_intent(m));
    }
    v->detail = v->fault;
}

static void demand(struct visit *v)
{
    struct job *j = NULL;

    v->kind = VISIT_DEMAND;
    if (v->problem == PAYMENT_REQUIRED)
        read_accepted(v);
    challenge_order_id(v->asked.id);
    visit_session_read(v);
    if (v->asked.has_session && v->cookie[0] == '\0' && v->problem == PAYMENT_REQUIRED)
        j = move_job(EVENT_FIND, "");
    if (j != NULL) {
        j->move.wanted = &v->asked;
        queue(v, j);
    } else {
        http_later(v->call);
        visit_demand(v);
    }
}

/* What a name or an address may hold, so that it stands for one thing alone. */
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~' || *text == '"' || *text == '\\')
            return false;
    return true;
}

static bool read_resource(struct visit *v, const char *rest)
{
    struct orderbook_order *o = &v->asked;
    const char *target = http_target(v->call), *question = strchr(target, '?');
    const struct span body = http_body(v->call);
    const int n = snprintf(o->url, sizeof(o->url), "%s%s", v->m->origin, target);
    uint8_t hash[32];

    if (!is_plain(target) || n < 0 || (size_t)n >= sizeof(o->url) ||
        strlen(rest) >= sizeof(o->path))
        return false;
    if (word_check(rest, "address", sizeof(o->path), NULL) != TP_OK) /* UTF-8, no controls */
        return false;
    snprintf(o->method, sizeof(o->method), "%s", http_method(v->call));
    snprintf(o->service, sizeof(o->service), "%s", v->service->name);
    snprintf(o->path, sizeof(o->path), "%s", rest);
    snprintf(o->query, sizeof(o->query), "%s", question != NULL ? question + 1 : "");
    if (body.n > 0 && EVP_Digest(body.p, body.n, hash, NULL, EVP_sha256(), NULL) == 1)
        payment_digest_write(o->digest, hash);
    return true;
}

/* /s/SERVICE/PATH */
static void on_sale(struct visit *v, const char *rest)
{
    char name[BOOK_NAME_MAX];
    const size_t n = strcspn(rest, "/");

    if (n < sizeof(name)) {
        snprintf(name, sizeof(name), "%.*s", (int)n, rest);
        v->service = registry_service(v->m->registry, name);
    }
    if (v->service == NULL) {
        say_simple(v, MHD_HTTP_NOT_FOUND, "there is no such service");
        return;
    }
    v->kind = VISIT_PAY;
    visit_identity_read(v);
    if (!read_resource(v, rest[n] == '/' ? rest + n : "/"))
        say_simple(v, MHD_HTTP_BAD_REQUEST,
                   "the address is too long, or has a character that none may have");
    else if (!take_field(v))
        demand(v);
}

/* ---- orders ---- */

static void on_look(struct visit *v)
{
    const char *wait = http_argument(v->call, "wait"), *seen = http_argument(v->call, "seen");
    long seconds = wait != NULL ? strtol(wait, NULL, 10) : 0;

    v->kind = VISIT_LOOK;
    if (seen != NULL && !order_state_find(&v->seen, seen))
        seconds = 0; /* it is in another state, whatever that is */
    if (seconds > 0)
        v->until = time_monotonic_ms() + 1000 * (seconds < WAIT_MAX ? seconds : WAIT_MAX);
    queue_simple(v, EVENT_LOOK);
}

/* A payer device takes the order, or gives it back. */
static void take_claim(struct visit *v, enum visit_kind kind, enum event event)
{
    struct job *j = move_job(event, v->id);
    const char *claim = NULL;
    json_t *body = NULL;

    v->kind = kind;
    if (j != NULL && jcs_read(&body, http_body(v->call), NULL) == TP_OK &&
        jcs_text(&claim, body, "claim", NULL) == TP_OK && claim != NULL &&
        read_claim(j->move.claim, claim)) {
        j->move.has_claim = true;
        queue(v, j);
    } else {
        say_simple(v, MHD_HTTP_BAD_REQUEST, "the body is {\"claim\": base64url of 16 bytes}");
        free(j);
    }
    json_decref(body);
}

static void on_claim(struct visit *v)
{
    take_claim(v, VISIT_CLAIM, EVENT_CLAIM);
}

static void on_release(struct visit *v)
{
    take_claim(v, VISIT_RELEASE, EVENT_RELEASE);
}

static void on_completion(struct visit *v)
{
    struct job *j = move_job(EVENT_COMPLETE, v->id);
    const char *credential = NULL;
    json_t *body = NULL, *completed;
    struct buf hash = {j != NULL ? j->move.credential : NULL, 0, BOOK_CREDENTIAL};

    v->kind = VISIT_COMPLETION;
    if (j != NULL && jcs_read(&body, http_body(v->call), NULL) == TP_OK &&
        jcs_text(&credential, body, "credential", NULL) == TP_OK && credential != NULL &&
        base64url_decode(&hash, span_str(credential)) == TP_OK && hash.n == BOOK_CREDENTIAL &&
        json_is_boolean(completed = json_object_get(body, "completed"))) {
        j->move.completed = json_is_true(completed);
        queue(v, j);
    } else {
        say_simple(v, MHD_HTTP_BAD_REQUEST,
                   "the body is {\"credential\": base64url of its hash, \"completed\": true or "
                   "false}");
        free(j);
    }
    json_decref(body);
}

static void on_payment(struct visit *v)
{
    v->kind = VISIT_PAYMENT;
    take_body(v);
}

static void on_delivery(struct visit *v)
{
    v->kind = VISIT_DELIVERY;
    visit_session_read(v);
    if (take_field(v))
        return;
    if (v->asked.has_session && v->cookie[0] == '\0')
        queue_simple(v, EVENT_LOOK);
    else
        say_simple(v, MHD_HTTP_FORBIDDEN, "show the credential that paid");
}

static void on_code(struct visit *v)
{
    char address[sizeof(v->m->origin) + BOOK_ORDER_ID + 16], *svg;

    snprintf(address, sizeof(address), "%s" ORDERS "%s", v->m->origin, v->id);
    svg = page_code(address);
    if (svg != NULL)
        say_text(v, MHD_HTTP_OK, "image/svg+xml", svg);
    else
        say_simple(v, MHD_HTTP_SERVICE_UNAVAILABLE, "no memory now: ask again");
    free(svg);
}

/* /orders/ID, and what is under it */
static void on_order(struct visit *v, const char *rest)
{
    static const struct {
        const char *method, *what;
        void (*handle)(struct visit *v);
    } ways[] = {{"GET", "", on_look},
                {"GET", "/qr.svg", on_code},
                {"POST", "/claim", on_claim},
                {"POST", "/release", on_release},
                {"POST", "/payment", on_payment},
                {"POST", "/completion", on_completion},
                {"GET", "/delivery", on_delivery},
                {"GET", "/dispute", visit_dispute_look},
                {"POST", "/dispute", visit_dispute_take}};
    const size_t n = strspn(rest, "abcdefghijklmnopqrstuvwxyz234567");
    bool known = false;

    if (n != BOOK_ORDER_ID - 1) {
        say_simple(v, MHD_HTTP_NOT_FOUND, "there is no such order");
        return;
    }
    snprintf(v->id, sizeof(v->id), "%.*s", (int)n, rest);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(rest + n, ways[i].what) != 0)
            continue;
        known = true;
        if (strcmp(http_method(v->call), ways[i].method) == 0) {
            ways[i].handle(v);
            return;
        }
    }
    say_simple(v, known ? MHD_HTTP_METHOD_NOT_ALLOWED : MHD_HTTP_NOT_FOUND,
               known ? "it is not asked with that method" : "there is no such page");
}

/* /sessions/ID/end: by the key that opened it. */
static void on_session(struct visit *v, const char *rest)
{
    struct job *j = NULL;
    struct purse_statement s = {.owner = NULL};
    char *jws = span_text(http_body(v->call));
    const size_t n = strspn(rest, "abcdefghijklmnopqrstuvwxyz234567");

    v->kind = VISIT_SESSION;
    if (n != BOOK_ORDER_ID - 1 || strcmp(rest + n, "/end") != 0)
        say_simple(v, MHD_HTTP_NOT_FOUND, "there is no such page");
    else if (strcmp(http_method(v->call), "POST") != 0)
        say_simple(v, MHD_HTTP_METHOD_NOT_ALLOWED, "it is not asked with that method");
    else if (jws == NULL || purse_statement_read(&s, PURSE_SESSION_END, jws, NULL) != TP_OK ||
             strncmp(s.session, rest, n) != 0)
        say_simple(v, MHD_HTTP_BAD_REQUEST,
                   "the body is the statement, signed by the account's key, that ends it");
    else if ((j = move_job(EVENT_SESSION_END, s.session)) == NULL)
        say_simple(v, MHD_HTTP_SERVICE_UNAVAILABLE, "no memory now: ask again");
    else {
        memcpy(j->move.voucher.key, s.key, sizeof(j->move.voucher.key));
        j->move.by_holder = true;
        queue(v, j);
    }
    purse_statement_free(&s);
    free(jws);
}

/* /parameters/ACQUIRER */
static void on_parameters(struct visit *v, const char *rest)
{
    const struct reg_acquirer *a = registry_acquirer(v->m->registry, rest);

    if (a == NULL || a->parameters == NULL)
        say_simple(v, MHD_HTTP_NOT_FOUND, "there are no parameters of that acquirer");
    else
        say_text(v, MHD_HTTP_OK, "application/jose", a->parameters);
}

static void on_discovery(struct visit *v)
{
    json_t *document = NULL;
    struct tp_error e = {TP_OK, ""};

    if (discovery_make(&document, v->m->registry, v->m->realm, &e) != TP_OK)
        log_error("/openapi.json: %s", e.text);
    say_json(v, MHD_HTTP_OK, document);
}

/* What the pages refer to. True: it is one of them. */
static bool on_file(struct visit *v, const char *path)
{
    const char *type = NULL,
               *text = path[0] == '/' ? page_file(v->m->pages, path + 1, &type) : NULL;

    if (text != NULL)
        say_text(v, MHD_HTTP_OK, type, text);
    return text != NULL;
}

void visit_begin(struct visit *v)
{
    const char *path = http_path(v->call), *method = http_method(v->call),
               *accept = http_header(v->call, MHD_HTTP_HEADER_ACCEPT);
    const bool gets = strcmp(method, "GET") == 0 || strcmp(method, "POST") == 0;

    v->html = accept != NULL && strstr(accept, "text/html") != NULL;
    v->language = page_language(http_header(v->call, MHD_HTTP_HEADER_ACCEPT_LANGUAGE));
    if (strcmp(method, "OPTIONS") == 0)
        say_preflight(v);
    else if (!gets)
        say_simple(v, MHD_HTTP_METHOD_NOT_ALLOWED, "here is GET and POST");
    else if (strncmp(path, SALE, strlen(SALE)) == 0)
        on_sale(v, path + strlen(SALE));
    else if (strncmp(path, ORDERS, strlen(ORDERS)) == 0)
        on_order(v, path + strlen(ORDERS));
    else if (strncmp(path, IDENTITY, strlen(IDENTITY)) == 0)
        visit_identity(v, path + strlen(IDENTITY));
    else if (strncmp(path, BILLS, strlen(BILLS)) == 0)
        visit_bills(v, path + strlen(BILLS));
    else if (strncmp(path, SESSIONS, strlen(SESSIONS)) == 0)
        on_session(v, path + strlen(SESSIONS));
    else if (strncmp(path, PARAMETERS, strlen(PARAMETERS)) == 0)
        on_parameters(v, path + strlen(PARAMETERS));
    else if (strcmp(path, DISCOVERY) == 0)
        on_discovery(v);
    else if (!on_file(v, path))
        say_simple(v, MHD_HTTP_NOT_FOUND, "there is no such page");
}
