/* Who asks: 401 where a service wants to know, /identity/ID where it is said, and what shows it
 * afterwards: a cookie for browsers, Bearer (RFC 6750) for programs. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"
#include "base/text.h"
#include "mediator/asked.h"
#include "mediator/say.h"
#include "wire/http_auth.h"
#include "wire/jcs.h"

#define SCHEME "Telepay-Identity"
#define COOKIE "__Host-telepay-id-" /* and the service's name */
#define BEARER "Bearer"

enum step {
    STEP_ASK,
    STEP_LOOK,
    STEP_TAKE, /* a letter */
    STEP_CARD, /* what is sealed of a card: may it be brought to its acquirer? */
    STEP_KNOWN /* … who has said whose it is */
};

struct asking {
    struct errand errand; /* first */
    enum step step;
    struct identity_request request;
    enum identity_finding finding;
    struct letter letter;
    char *jws; /* of the letter; STEP_CARD: what is sealed; STEP_KNOWN: LETTER_CARD */
    struct identity_card card;
    struct mediator *m; /* once it is applied */
};

static void release(struct errand *x)
{
    struct asking *a = (struct asking *)x;

    letter_free(&a->letter);
    free(a->jws);
    free(a);
}

static enum tp_err apply(struct errand *x, struct mediator *m, struct orderbook *b, int64_t now,
                         struct tp_error *e)
{
    struct asking *a = (struct asking *)x;
    char id[BOOK_ORDER_ID];
    bool found = false;
    enum tp_err r;

    memcpy(id, a->request.id, sizeof(id));
    a->m = m;
    a->finding = IDENTITY_FINE;
    if (a->step == STEP_ASK)
        return identity_add(b, &a->request, e);
    if (a->step == STEP_TAKE)
        return identity_take(&a->finding, &a->request, &a->letter, a->jws, id, b, m->origin, now,
                             e);
    if (a->step == STEP_CARD || a->step == STEP_KNOWN)
        return identity_take_card(&a->finding, &a->request, &a->card, id, b, now, e);
    r = identity_get(b, id, &a->request, &found, e);
    if (!found)
        a->finding = IDENTITY_NONE;
    else if (now > a->request.valid_until)
        a->finding = IDENTITY_OVER;
    return r;
}

/* ---- what is said ---- */

static void url_of(char out[400], const struct visit *v, const struct identity_request *r)
{
    snprintf(out, 400, "%s/identity/%s", v->m->origin, r->id);
}

static char *page_of(struct visit *v, const struct identity_request *r)
{
    char url[400], code[IDENTITY_CODE];
    const struct page_value values[] = {
        {"heading", page_word(v->m->pages, v->language, "heading", "identity")},
        {"service", r->service},
        {"site", v->m->realm},
        {"reason", r->reason},
        {"url", url},
        {"code", code},
        {"told",
         page_word(v->m->pages, v->language, "told", r->wants_card ? "by_card" : "identity")}};
    const struct page_body body = {
        .file = "identity.html", .values = values, .n = 7, .refresh = url};

    url_of(url, v, r);
    identity_code(code, r->id);
    return page_whole(v->m->pages, v->language, &body);
}

static void put_challenge(struct visit *v, const struct identity_request *r)
{
    char text[400];

    snprintf(text, sizeof(text), SCHEME " realm=\"%s\", request=\"%s\", service=\"%s\"%s",
             v->m->realm, r->id, r->service, r->wants_card ? ", by=\"card\"" : "");
    http_answer_header(v->call, MHD_HTTP_HEADER_WWW_AUTHENTICATE, text);
}

static const char *by_of(const struct identity_request *r) /* NULL: by anything */
{
    return r->wants_card ? "card" : NULL;
}

static void say_asked(struct visit *v, const struct identity_request *r)
{
    char url[400], *text = NULL;
    json_t *said;

    url_of(url, v, r);
    said = json_pack("{s:s,s:s,s:i,s:s,s:s,s:s,s:s*}", "type", "about:blank", "title",
                     "Unauthorized", "status", MHD_HTTP_UNAUTHORIZED, "detail", r->reason,
                     "identity", url, "service", r->service, "identify_by", by_of(r));
    if (!v->html || !say_html(v, MHD_HTTP_UNAUTHORIZED, page_of(v, r))) {
        text = said != NULL ? json_dumps(said, JSON_COMPACT) : NULL;
        if (text == NULL)
            http_answer(v->call, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, 0);
        else
            say_text(v, MHD_HTTP_UNAUTHORIZED, PAYMENT_PROBLEM_TYPE, text);
    }
    put_challenge(v, r);
    free(text);
    json_decref(said);
}

/* The same browser goes on to what it asked for. */
static bool is_same_browser(const struct visit *v, const struct identity_request *r)
{
    return r->has_browser && v->asked.has_session && v->cookie[0] == '\0' &&
           secret_eq(SPAN_OF(r->browser), SPAN_OF(v->asked.session));
}

static void say_unsaid(struct visit *v)
{
    say_simple(v, MHD_HTTP_SERVICE_UNAVAILABLE, "it cannot be kept now who you are: ask again");
}

static void say_onward(struct visit *v, const struct identity_request *r)
{
    char session[PASS_TEXT], text[PASS_TEXT + 160];
    struct tp_error e = {TP_OK, ""};

    if (identity_session(session, v->m->issuing.key, r->service, &r->who, time(NULL) + IDENTITY_S,
                         &e) != TP_OK) {
        log_error("%s", e.text);
        say_unsaid(v);
        return;
    }
    say_text(v, MHD_HTTP_SEE_OTHER, "text/plain", "");
    http_answer_header(v->call, MHD_HTTP_HEADER_LOCATION, r->url);
    snprintf(text, sizeof(text), COOKIE "%s=%s; Path=/; Max-Age=%d; Secure; HttpOnly; SameSite=Lax",
             r->service, session, IDENTITY_S);
    http_answer_header(v->call, MHD_HTTP_HEADER_SET_COOKIE, text);
}

/* The service's contract of cards; NULL: it has none. */
static const struct reg_contract *card_contract(const struct mediator *m, const char *service)
{
    const struct reg_service *s = registry_service_ever(m->registry, service);

    for (size_t i = 0; s != NULL && i < s->contracts; i++)
        if (s->contract[i]->acquirer->means == MEANS_EMV)
            return s->contract[i];
    return NULL;
}

/* What a card is to sign, and who is to know it (json_decref). NULL: no card can be asked for. */
static json_t *card_of(const struct visit *v, const struct identity_request *r)
{
    const struct reg_contract *c = card_contract(v->m, r->service);
    uint8_t hash[LETTER_HASH];
    struct tp_error e = {TP_OK, ""};
    char *jws = NULL;
    json_t *card;

    if (c == NULL)
        return NULL;
    if (identity_card_request(&jws, hash, r, c, v->m->origin, &e) != TP_OK) {
        log_error("service %s: no card can be asked for: %s", r->service, e.text);
        return NULL;
    }
    card = json_pack("{s:s,s:O,s:s*}", "request", jws, "acquirer", c->acquirer->sealing,
                     "parameters", c->acquirer->version[0] != '\0' ? c->acquirer->version : NULL);
    free(jws);
    return card;
}

static void say_request(struct visit *v, const struct identity_request *r)
{
    char code[IDENTITY_CODE], until[TIME_TEXT_MAX];

    if (r->answered && is_same_browser(v, r)) {
        say_onward(v, r);
        return;
    }
    if (v->html && say_html(v, MHD_HTTP_OK, page_of(v, r)))
        return;
    identity_code(code, r->id);
    say_json(v, MHD_HTTP_OK,
             json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:s*,s:o*}", "request", r->id, "mediator",
                       v->m->origin, "service", r->service, "reason", r->reason, "url", r->url,
                       "code", code, "valid_until", time_format_utc(until, r->valid_until),
                       "answered", r->answered, "identify_by", by_of(r), "card", card_of(v, r)));
}

static void say_known(struct visit *v, const struct identity_request *r)
{
    const int64_t end = time(NULL) + IDENTITY_S;
    char session[PASS_TEXT], until[TIME_TEXT_MAX];
    struct tp_error e = {TP_OK, ""};

    if (identity_session(session, v->m->issuing.key, r->service, &r->who, end, &e) != TP_OK) {
        log_error("%s", e.text);
        say_unsaid(v);
        return;
    }
    log_note("request %s of %s is answered%s: who asks is known", r->id, r->service,
             r->who.by_card ? _(" by card") : "");
    say_json(v, MHD_HTTP_OK,
             json_pack("{s:s,s:s,s:s,s:s}", "service", r->service, "user", r->who.user, "session",
                       session, "until", time_format_utc(until, end)));
}

static void say_not(struct visit *v, enum identity_finding finding)
{
    static const struct {
        unsigned status;
        const char *detail;
    } words[] = {
        [IDENTITY_NONE] = {MHD_HTTP_NOT_FOUND, "nobody asks that"},
        [IDENTITY_OVER] = {MHD_HTTP_GONE, "its time is over: ask for the page again"},
        [IDENTITY_OTHER] = {MHD_HTTP_CONFLICT, "another letter, or card, has answered that"},
        [IDENTITY_DIFFERS] = {MHD_HTTP_FORBIDDEN,
                              "that letter is about another request, mediator, service or reason"},
        [IDENTITY_BY_KEY] = {MHD_HTTP_FORBIDDEN,
                             "its service wants to know it by a bank card: --card"},
    };
    const struct say_problem p = {.type = PAYMENT_OTHER,
                                  .status = words[finding].status,
                                  .detail = words[finding].detail,
                                  .consumed = -1};

    say_problem(v, &p);
}

static void say_told(struct visit *v, const void *asking)
{
    const struct asking *a = asking;

    if (a->finding == IDENTITY_FINE)
        say_known(v, &a->request);
    else
        say_not(v, a->finding);
}

/* To its acquirer, who alone can read it; the visit waits. */
static bool bring(struct visit *v, const struct asking *a, struct tp_error *e)
{
    const struct reg_contract *c = card_contract(v->m, a->request.service);
    struct line *line = c != NULL ? line_of(v->m, c->acquirer->id) : NULL;
    struct card_question q = {.id = a->request.id, .contract = c, .evidence = a->jws};
    char *jws = NULL;
    bool brought = false;

    if (line == NULL || !line_is_up(line)) {
        (void)tp_fail(e, TP_ERR_PEER,
                      "the card's acquirer is not reached; nothing is kept: ask the same again");
        return false;
    }
    memcpy(q.sealed, a->card.sealed, sizeof(q.sealed));
    if (identity_card_request(&jws, q.hash, &a->request, c, v->m->origin, e) == TP_OK) {
        q.request = jws;
        memcpy(v->id, a->request.id, sizeof(v->id));
        memcpy(v->credential, q.sealed, sizeof(v->credential));
        brought = line_prove(line, &q, v, e);
    }
    free(jws);
    return brought;
}

static void done_card(struct asking *a, struct visit *v)
{
    struct tp_error e = {TP_OK, ""};

    if (a->finding == IDENTITY_FINE && !a->request.answered) {
        if (bring(v, a, &e)) /* it is the line's now, and may be answered already */
            return;
        say_simple(v, MHD_HTTP_SERVICE_UNAVAILABLE, e.text);
    } else {
        say_told(v, a);
    }
    http_resume(v->call);
}

static void done(struct errand *x, struct visit *v)
{
    struct asking *a = (struct asking *)x;

    if (a->step == STEP_CARD) {
        done_card(a, v);
        return;
    }
    if (a->step == STEP_KNOWN) {
        visits_told(a->m, a->request.id, a->card.sealed, say_told, a);
        return;
    }
    if (a->finding != IDENTITY_FINE)
        say_not(v, a->finding);
    else if (a->step == STEP_ASK)
        say_asked(v, &a->request);
    else if (a->step == STEP_LOOK)
        say_request(v, &a->request);
    else
        say_known(v, &a->request);
    http_resume(v->call);
}

/* Takes it. Its call is to be answered later already. v NULL: nobody's own. */
static void queue(struct mediator *m, struct visit *v, struct asking *a)
{
    struct job *j = move_job(EVENT_LOOK, "");

    a->errand = (struct errand){apply, done, release};
    if (j == NULL) {
        release(&a->errand);
        if (v == NULL)
            return;
        say_unsaid(v);
        http_resume(v->call);
        return;
    }
    j->errand = &a->errand;
    j->visit = v;
    keeper_take(m, j);
}

/* ---- whose card it is ---- */

struct refused {
    unsigned status;
    char detail[160];
};

static void say_refused(struct visit *v, const void *what)
{
    const struct refused *r = what;

    say_simple(v, r->status, r->detail);
}

static void tell_refused(struct mediator *m, const struct card_said *said)
{
    struct refused r = {.status = MHD_HTTP_FORBIDDEN};

    snprintf(r.detail, sizeof(r.detail), "the card's acquirer does not take it: %s %s", said->code,
             said->reason);
    if (asked_outcome(said->code) == OUTCOME_VAIN) {
        r.status = MHD_HTTP_SERVICE_UNAVAILABLE;
        snprintf(r.detail, sizeof(r.detail),
                 "the card's acquirer cannot say now whose card it is (%s); nothing is kept: ask "
                 "the same again",
                 said->code);
    }
    log_note("request %s: %s", said->id, r.detail);
    visits_told(m, said->id, said->sealed, say_refused, &r);
}

static void tell_unusable(struct mediator *m, const struct card_said *said,
                          const struct tp_error *e)
{
    static const struct refused r = {MHD_HTTP_BAD_GATEWAY,
                                     "the answer of the card's acquirer cannot be used: nothing "
                                     "is kept"};

    log_error("acquirer %s: its answer about a card, for request %s, cannot be used: %s",
              said->acquirer->id, said->id, e->text);
    visits_told(m, said->id, said->sealed, say_refused, &r);
}

void visit_card_said(struct mediator *m, const struct card_said *said)
{
    struct asking *a = NULL;
    struct tp_error e = {TP_ERR_NO_MEMORY, "no memory"};
    enum tp_err r = TP_ERR_NO_MEMORY;

    if (asked_outcome(said->code) != OUTCOME_YES) {
        tell_refused(m, said);
        return;
    }
    a = calloc(1, sizeof(*a));
    if (a != NULL)
        a->jws = span_text(said->card);
    if (a != NULL && a->jws != NULL)
        r = identity_card_read(a->card.user, a->jws, said->request, said->acquirer, said->contract,
                               m->origin, &e);
    if (r != TP_OK) {
        tell_unusable(m, said, &e);
        if (a != NULL)
            release(&a->errand);
        return;
    }
    a->step = STEP_KNOWN;
    memcpy(a->card.sealed, said->sealed, sizeof(a->card.sealed));
    snprintf(a->request.id, sizeof(a->request.id), "%s", said->id);
    queue(m, NULL, a);
}

/* ---- a demand ---- */

static void read_bearer(struct visit *v)
{
    const char *field = http_header(v->call, MHD_HTTP_HEADER_AUTHORIZATION);
    struct span rest = field != NULL ? span_str(field) : (struct span){NULL, 0};
    struct http_auth a;
    char session[PASS_TEXT];

    if (field == NULL || http_auth_next(&a, &rest, NULL) != TP_OK || !http_auth_is(&a, BEARER) ||
        a.token68.n == 0 || a.token68.n >= sizeof(session))
        return;
    snprintf(session, sizeof(session), "%.*s", (int)a.token68.n, (const char *)a.token68.p);
    (void)identity_of_session(&v->who, v->m->issuing.key, v->service->name, session, time(NULL));
}

void visit_identity_read(struct visit *v)
{
    char name[sizeof(COOKIE) + BOOK_NAME_MAX];
    const char *cookie;

    snprintf(name, sizeof(name), COOKIE "%s", v->service->name);
    cookie = http_cookie(v->call, name);
    if (cookie == NULL ||
        !identity_of_session(&v->who, v->m->issuing.key, v->service->name, cookie, time(NULL)))
        read_bearer(v);
}

void visit_identify(struct visit *v, const char *reason, bool by_card)
{
    const bool told = v->who.user[0] != '\0' && (v->who.by_card || !by_card);
    const bool cannot = by_card && card_contract(v->m, v->service->name) == NULL;
    struct asking *a = told || cannot ? NULL : calloc(1, sizeof(*a));
    struct identity_request *r = a != NULL ? &a->request : NULL;

    if (a == NULL) {
        if (told)
            say_simple(v, MHD_HTTP_BAD_GATEWAY,
                       "the service asks who you are, and was told already");
        else if (cannot)
            say_simple(v, MHD_HTTP_BAD_GATEWAY,
                       "the service wants to know you by a card, and has no contract for cards");
        else
            say_unsaid(v);
        http_resume(v->call);
        return;
    }
    r->wants_card = by_card;
    a->step = STEP_ASK;
    memcpy(r->id, v->asked.id, sizeof(r->id)); /* random, and no order's now */
    snprintf(r->service, sizeof(r->service), "%s", v->service->name);
    snprintf(r->reason, sizeof(r->reason), "%s", reason);
    snprintf(r->url, sizeof(r->url), "%s", v->asked.url);
    r->valid_until = time(NULL) + IDENTITY_ASKED_S;
    r->has_browser = v->asked.has_session;
    memcpy(r->browser, v->asked.session, sizeof(r->browser));
    queue(v->m, v, a);
}

/* ---- /identity/ID ---- */

/* {"card": JWE}: TP_ERR_NOT_FOUND when there is no such member. */
static enum tp_err read_card(struct asking *a, struct span body, struct tp_error *e)
{
    json_t *object = NULL;
    const char *text = NULL;
    enum tp_err r = jcs_read(&object, body, e);

    if (r == TP_OK)
        r = jcs_text(&text, object, "card", e);
    if (r == TP_OK && text == NULL)
        r = TP_ERR_NOT_FOUND;
    if (r == TP_OK &&
        (strlen(text) > IDENTITY_CARD || (a->jws = strdup(text)) == NULL ||
         EVP_Digest(text, strlen(text), a->card.sealed, NULL, EVP_sha256(), NULL) != 1))
        r = tp_fail(e, TP_ERR_FORMAT, "what is sealed of the card is too large");
    json_decref(object);
    return r;
}

/* A letter, or what is sealed of a card. */
static enum tp_err read_answer(struct asking *a, struct span body, struct tp_error *e)
{
    enum tp_err r = read_card(a, body, e);

    if (r != TP_ERR_NOT_FOUND) {
        a->step = STEP_CARD;
        return r;
    }
    r = visit_letter(&a->jws, body, e);
    return r == TP_OK ? letter_read_own(&a->letter, LETTER_IDENTITY, a->jws, e) : r;
}

void visit_identity(struct visit *v, const char *rest)
{
    const bool takes = strcmp(http_method(v->call), "POST") == 0;
    struct asking *a = calloc(1, sizeof(*a));
    struct tp_error e = {TP_OK, ""};

    visit_session_read(v);
    if (a == NULL) {
        say_unsaid(v);
        return;
    }
    a->step = takes ? STEP_TAKE : STEP_LOOK;
    if (strlen(rest) != BOOK_ORDER_ID - 1) {
        say_simple(v, MHD_HTTP_NOT_FOUND, "nobody asks that");
    } else if (!takes || read_answer(a, http_body(v->call), &e) == TP_OK) {
        if (a->step == STEP_CARD && visit_is_too_much(v)) {
            release(&a->errand);
            return;
        }
        snprintf(a->request.id, sizeof(a->request.id), "%s", rest);
        http_later(v->call);
        queue(v->m, v, a);
        return;
    } else {
        say_simple(v, MHD_HTTP_BAD_REQUEST, e.text);
    }
    release(&a->errand);
}
