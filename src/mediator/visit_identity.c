/* Who asks: 401 where a service wants to know, /identity/ID where it is said, and what shows it
 * afterwards: a cookie for browsers, Bearer (RFC 6750) for programs. */
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"
#include "mediator/say.h"
#include "wire/http_auth.h"

#define SCHEME "Telepay-Identity"
#define COOKIE "__Host-telepay-id-" /* and the service's name */
#define BEARER "Bearer"

enum step { STEP_ASK, STEP_LOOK, STEP_TAKE };

struct asking {
    struct errand errand; /* first */
    enum step step;
    struct identity_request request;
    enum identity_finding finding;
    struct letter letter;
    char *jws;
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
    a->finding = IDENTITY_FINE;
    if (a->step == STEP_ASK)
        return identity_add(b, &a->request, e);
    if (a->step == STEP_TAKE)
        return identity_take(&a->finding, &a->request, &a->letter, a->jws, id, b, m->origin, now,
                             e);
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
        {"code", code}};
    const struct page_body body = {
        .file = "identity.html", .values = values, .n = 6, .refresh = url};

    url_of(url, v, r);
    identity_code(code, r->id);
    return page_whole(v->m->pages, v->language, &body);
}

static void put_challenge(struct visit *v, const struct identity_request *r)
{
    char text[400];

    snprintf(text, sizeof(text), SCHEME " realm=\"%s\", request=\"%s\", service=\"%s\"",
             v->m->realm, r->id, r->service);
    http_answer_header(v->call, MHD_HTTP_HEADER_WWW_AUTHENTICATE, text);
}

static void say_asked(struct visit *v, const struct identity_request *r)
{
    char url[400], *text = NULL;
    json_t *said;

    url_of(url, v, r);
    said = json_pack("{s:s,s:s,s:i,s:s,s:s,s:s}", "type", "about:blank", "title", "Unauthorized",
                     "status", MHD_HTTP_UNAUTHORIZED, "detail", r->reason, "identity", url,
                     "service", r->service);
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
    char session[IDENTITY_SESSION], text[IDENTITY_SESSION + 160];
    struct tp_error e = {TP_OK, ""};

    if (identity_session(session, v->m->issuing.key, r->service, r->user, time(NULL) + IDENTITY_S,
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
             json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b}", "request", r->id, "mediator",
                       v->m->origin, "service", r->service, "reason", r->reason, "url", r->url,
                       "code", code, "valid_until", time_format_utc(until, r->valid_until),
                       "answered", r->answered));
}

static void say_known(struct visit *v, const struct identity_request *r)
{
    const int64_t end = time(NULL) + IDENTITY_S;
    char session[IDENTITY_SESSION], until[TIME_TEXT_MAX];
    struct tp_error e = {TP_OK, ""};

    if (identity_session(session, v->m->issuing.key, r->service, r->user, end, &e) != TP_OK) {
        log_error("%s", e.text);
        say_unsaid(v);
        return;
    }
    log_note("request %s of %s is answered: who asks is known", r->id, r->service);
    say_json(v, MHD_HTTP_OK,
             json_pack("{s:s,s:s,s:s,s:s}", "service", r->service, "user", r->user, "session",
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
        [IDENTITY_OTHER] = {MHD_HTTP_CONFLICT, "another letter has answered that"},
        [IDENTITY_DIFFERS] = {MHD_HTTP_FORBIDDEN,
                              "that letter is about another request, mediator, service or reason"},
    };
    const struct say_problem p = {.type = PAYMENT_OTHER,
                                  .status = words[finding].status,
                                  .detail = words[finding].detail,
                                  .consumed = -1};

    say_problem(v, &p);
}

static void done(struct errand *x, struct visit *v)
{
    struct asking *a = (struct asking *)x;

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

/* Takes it. Its call is to be answered later already. */
static void queue(struct visit *v, struct asking *a)
{
    struct job *j = move_job(EVENT_LOOK, "");

    a->errand = (struct errand){apply, done, release};
    if (j == NULL) {
        release(&a->errand);
        say_unsaid(v);
        http_resume(v->call);
        return;
    }
    j->errand = &a->errand;
    j->visit = v;
    keeper_take(v->m, j);
}

/* ---- a demand ---- */

static void read_bearer(struct visit *v)
{
    const char *field = http_header(v->call, MHD_HTTP_HEADER_AUTHORIZATION);
    struct span rest = field != NULL ? span_str(field) : (struct span){NULL, 0};
    struct http_auth a;
    char session[IDENTITY_SESSION];

    if (field == NULL || http_auth_next(&a, &rest, NULL) != TP_OK || !http_auth_is(&a, BEARER) ||
        a.token68.n == 0 || a.token68.n >= sizeof(session))
        return;
    snprintf(session, sizeof(session), "%.*s", (int)a.token68.n, (const char *)a.token68.p);
    (void)identity_of_session(v->user, v->m->issuing.key, v->service->name, session, time(NULL));
}

void visit_identity_read(struct visit *v)
{
    char name[sizeof(COOKIE) + BOOK_NAME_MAX];
    const char *cookie;

    snprintf(name, sizeof(name), COOKIE "%s", v->service->name);
    cookie = http_cookie(v->call, name);
    if (cookie == NULL ||
        !identity_of_session(v->user, v->m->issuing.key, v->service->name, cookie, time(NULL)))
        read_bearer(v);
}

void visit_identify(struct visit *v, const char *reason)
{
    struct asking *a = v->user[0] == '\0' ? calloc(1, sizeof(*a)) : NULL;
    struct identity_request *r = a != NULL ? &a->request : NULL;

    if (a == NULL) {
        if (v->user[0] == '\0')
            say_unsaid(v);
        else
            say_simple(v, MHD_HTTP_BAD_GATEWAY,
                       "the service asks who you are, and was told already");
        http_resume(v->call);
        return;
    }
    a->step = STEP_ASK;
    memcpy(r->id, v->asked.id, sizeof(r->id)); /* random, and no order's now */
    snprintf(r->service, sizeof(r->service), "%s", v->service->name);
    snprintf(r->reason, sizeof(r->reason), "%s", reason);
    snprintf(r->url, sizeof(r->url), "%s", v->asked.url);
    r->valid_until = time(NULL) + IDENTITY_ASKED_S;
    r->has_browser = v->asked.has_session;
    memcpy(r->browser, v->asked.session, sizeof(r->browser));
    queue(v, a);
}

/* ---- /identity/ID ---- */

static enum tp_err read_letter(struct asking *a, struct span body, struct tp_error *e)
{
    const enum tp_err r = visit_letter(&a->jws, body, e);

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
    } else if (!takes || read_letter(a, http_body(v->call), &e) == TP_OK) {
        snprintf(a->request.id, sizeof(a->request.id), "%s", rest);
        http_later(v->call);
        queue(v, a);
        return;
    } else {
        say_simple(v, MHD_HTTP_BAD_REQUEST, e.text);
    }
    release(&a->errand);
}
