#include "payer/identity.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"
#include "base/text.h"
#include "base/word.h"
#include "payer/address.h"
#include "payer/card_identity.h"
#include "payer/journal_priv.h"
#include "payer/letters.h"
#include "payer/person.h"
#include "wire/http_auth.h"
#include "payer/problem.h"
#include "wire/jcs.h"

#define SCHEME     "Telepay-Identity"
#define COOKIE     "Cookie: __Host-telepay-id-"
#define EXCHANGE_S 60
#define SESSION    160
#define LEFT_S     60 /* a session that lasts so long is used */

/* As telepay-mediator names services and makes codes. */
#define SERVICE_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789-"
#define SERVICE_MAX     32
#define CODE_LETTERS    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
#define CODE_MAX        16

struct request { /* what is asked; the strings are owner's */
    const char *origin;
    const char *request, *service, *reason, *url, *code;
    bool by_card; /* its service takes no key, or the user will have it so */
    json_t *owner;
};

bool identity_asked(char request[27], struct fetch *f)
{
    const char *field;

    for (size_t i = 0; (field = fetch_field(f, "WWW-Authenticate", i)) != NULL; i++) {
        struct span rest = span_str(field);
        struct http_auth a;
        const struct http_auth_param *p;
        struct buf b = {(uint8_t *)request, 0, 27};

        while (http_auth_next(&a, &rest, NULL) == TP_OK)
            if (http_auth_is(&a, SCHEME) && (p = http_auth_find(&a, "request")) != NULL &&
                http_auth_value(&b, p) == TP_OK && strlen(request) == 26 &&
                strspn(request, "abcdefghijklmnopqrstuvwxyz234567") == 26)
                return true;
    }
    return false;
}

/* ---- exchanges ---- */

static enum tp_err refused(const struct fetch *f, struct tp_error *e)
{
    char why[PROBLEM_WORDS];

    (void)problem_words(why, f);
    return tp_fail(e, fetch_status(f) < 500 ? TP_ERR_STATE : TP_ERR_PEER,
                   "the mediator answers %ld to who you are%s%s", fetch_status(f),
                   why[0] != '\0' ? ": " : "", why);
}

/* The answer's object (json_decref). */
static enum tp_err exchange(json_t **out, struct fetch *f, const char *origin, const char *request,
                            struct span body, struct tp_error *e)
{
    static const char *const headers[] = {"Content-Type: application/json",
                                          "Accept: application/json", NULL};
    char url[DEMAND_ORIGIN + 64];
    const struct fetch_request q = {.url = url,
                                    .headers = headers,
                                    .has_body = body.n > 0,
                                    .body = body,
                                    .seconds = EXCHANGE_S};
    enum tp_err r;

    *out = NULL;
    snprintf(url, sizeof(url), "%s/identity/%s", origin, request);
    r = fetch_send(f, &q, e);
    if (r != TP_OK)
        return r;
    return fetch_status(f) == 200 ? jcs_read(out, fetch_body(f), e) : refused(f, e);
}

/* A name that is shown, kept, and goes into a field. */
static bool is_name(const char *text, const char *letters, size_t max)
{
    const size_t n = strspn(text, letters);

    return n > 0 && n <= max && text[n] == '\0';
}

/* What is asked, as the mediator says it itself. */
static enum tp_err read_request(struct request *out, struct fetch *f, const char *origin,
                                const char *request, struct tp_error *e)
{
    const char *mediator = NULL, *number = NULL, *by = NULL;
    enum tp_err r;

    *out = (struct request){.origin = origin, .request = request};
    r = exchange(&out->owner, f, origin, request, (struct span){NULL, 0}, e);
    if (r == TP_OK)
        r = jcs_text(&mediator, out->owner, "mediator", e);
    if (r == TP_OK)
        r = jcs_text(&number, out->owner, "request", e);
    if (r == TP_OK)
        r = jcs_text(&out->service, out->owner, "service", e);
    if (r == TP_OK)
        r = jcs_text(&out->reason, out->owner, "reason", e);
    if (r == TP_OK)
        r = jcs_text(&out->code, out->owner, "code", e);
    if (r == TP_OK)
        r = jcs_text(&by, out->owner, "identify_by", e);
    out->by_card = by != NULL && strcmp(by, "card") == 0;
    if (r == TP_OK && by != NULL && !out->by_card)
        r = tp_fail(e, TP_ERR_FORMAT, "%s wants to know it in a way that is not known here",
                    origin);
    if (r == TP_OK && (out->service == NULL || out->reason == NULL || out->code == NULL))
        r = tp_fail(e, TP_ERR_FORMAT, "%s does not say who asks and why", origin);
    if (r == TP_OK && (!is_name(out->service, SERVICE_LETTERS, SERVICE_MAX) ||
                       !is_name(out->code, CODE_LETTERS, CODE_MAX)))
        r = tp_fail(e, TP_ERR_FORMAT, "%s asks for a service, or by a code, that cannot be one",
                    origin);
    if (r == TP_OK && (mediator == NULL || strcmp(mediator, origin) != 0 || number == NULL ||
                       strcmp(number, request) != 0))
        r = tp_fail(e, TP_ERR_SECURITY, "%s asks in the name of another: not answered", origin);
    return r;
}

/* ---- sessions ---- */

struct known {
    bool by_card;
    char session[SESSION];
    int64_t valid_until;
};

static enum tp_err find_session(struct known *out, bool *found, struct journal *j,
                                const struct request *q, struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN(struct known, session),
                                               DB_COLUMN(struct known, valid_until)};

    return db_one(j->db,
                  "SELECT session, valid_until FROM known_at WHERE origin = $1 AND service = $2 AND"
                  " valid_until > $3 AND by_card >= $4",
                  DB_VALUES(db_text(q->origin), db_text(q->service),
                            db_integer(time(NULL) + LEFT_S), db_integer(q->by_card ? 1 : 0)),
                  DB_COLUMNS(columns), out, found, e);
}

static enum tp_err keep_session(struct journal *j, const struct request *q, const struct known *k,
                                struct tp_error *e)
{
    return db_exec(j->db,
                   "INSERT INTO known_at (origin, service, session, valid_until, by_card)"
                   " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (origin, service) DO UPDATE SET"
                   " session = $3, valid_until = $4, by_card = $5",
                   DB_VALUES(db_text(q->origin), db_text(q->service), db_text(k->session),
                             db_integer(k->valid_until), db_integer(k->by_card ? 1 : 0)),
                   NULL, e);
}

static void fill(struct identity_told *out, const struct request *q, const struct known *k)
{
    out->until = k->valid_until;
    snprintf(out->service, sizeof(out->service), "%s", q->service);
    snprintf(out->user, sizeof(out->user), "%.43s", k->session);
    snprintf(out->line, sizeof(out->line), COOKIE "%.32s=%s", q->service, k->session);
}

/* What goes into a field is a session's, and of this key's name there (user NULL: of a card's,
 * which the mediator alone can tell). */
static enum tp_err take_session(struct known *out, const json_t *answer, const char *user,
                                struct tp_error *e)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    const char *session = NULL, *until = NULL;
    time_t t = 0;
    enum tp_err r = jcs_text(&session, answer, "session", e);

    if (r == TP_OK)
        r = jcs_text(&until, answer, "until", e);
    if (r == TP_OK && (session == NULL || strlen(session) >= sizeof(out->session) ||
                       strspn(session, letters) != strlen(session) || until == NULL ||
                       time_parse(&t, until) != TP_OK))
        r = tp_fail(e, TP_ERR_FORMAT, "the mediator gives no session");
    if (r == TP_OK && user != NULL && strncmp(session, user, strlen(user)) != 0)
        r = tp_fail(e, TP_ERR_SECURITY, "the mediator takes your key for another one");
    if (r != TP_OK)
        return r;
    snprintf(out->session, sizeof(out->session), "%s", session);
    out->valid_until = t;
    out->by_card = user == NULL;
    return TP_OK;
}

/* ---- the letter ---- */

static enum tp_err agree(const struct request *q, const struct identity_options *o,
                         struct tp_error *e)
{
    struct person *person = NULL;
    char *text = NULL, *shown = strdup(q->reason);
    bool yes = o->agreed;
    enum tp_err r = shown != NULL ? TP_OK : tp_fail(e, TP_ERR_NO_MEMORY, "no memory to ask");

    if (r == TP_OK)
        word_make_shown(shown);
    if (r == TP_OK &&
        asprintf(&text, _("The service %s at %s wants to know who asks (code %s): %s. %s"),
                 q->service, strstr(q->origin, "://") + 3, q->code, shown,
                 q->by_card ? _("Let your card sign who you are (no PIN, and nothing is paid)")
                            : _("Sign who you are")) < 0) {
        text = NULL;
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory to ask");
    }
    if (r == TP_OK && !yes) {
        r = person_new(&person, o->person, e);
        if (r == TP_OK)
            r = person_agrees(person, text, &yes, e);
        if (r == TP_ERR_USAGE)
            (void)tp_error_prefix(e, "%s? (--identify says yes)", text);
        person_free(&person);
    }
    if (r == TP_OK && !yes)
        r = tp_fail(e, TP_ERR_CANCELLED, "%s is not told who you are", q->origin);
    free(text);
    free(shown);
    return r;
}

/* Kept, and sent as `member`. user: as take_session has it. */
static enum tp_err send_letter(struct known *out, struct checkout *c, struct fetch *f,
                               const struct request *q, const char *member, const char *jws,
                               const char *user, struct tp_error *e)
{
    struct kept_letter l = {.own = true, .act = "identity", .at = time(NULL), .jws = span_str(jws)};
    json_t *answer = NULL;
    char *body = NULL;
    enum tp_err r = letter_hash(l.hash, jws, e);

    snprintf(l.order, sizeof(l.order), "%s", q->request);
    if (r == TP_OK)
        r = letters_add(c->journal, &l, e);
    if (r == TP_OK && asprintf(&body, "{\"%s\":\"%s\"}", member, jws) < 0) {
        body = NULL;
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a letter");
    }
    if (r == TP_OK)
        r = exchange(&answer, f, q->origin, q->request, span_str(body), e);
    if (r == TP_OK)
        r = letters_move(c->journal, l.hash, LETTER_TAKEN, e);
    if (r == TP_OK)
        r = take_session(out, answer, user, e);
    if (r == TP_OK)
        r = keep_session(c->journal, q, out, e);
    json_decref(answer);
    free(body);
    return r;
}

static enum tp_err sign_by_key(struct known *out, struct checkout *c, struct fetch *f,
                               const struct request *q, struct tp_error *e)
{
    char at[TIME_TEXT_MAX], user[LETTER_USER], *jws = NULL;
    const struct letter l = {.mediator = q->origin,
                             .request = q->request,
                             .service = q->service,
                             .reason = q->reason,
                             .at = time_format_utc(at, time(NULL))};
    json_t *key = NULL;
    enum tp_err r = device_key(&key, &c->device, e);

    if (r == TP_OK)
        r = letter_user(user, q->origin, key, e);
    if (r == TP_OK)
        r = letter_write_own(&jws, LETTER_IDENTITY, &l, key, e);
    if (r == TP_OK)
        r = send_letter(out, c, f, q, "letter", jws, user, e);
    free(jws);
    return r;
}

static bool is_same(const struct letter *l, const struct request *q)
{
    return strcmp(l->mediator, q->origin) == 0 && strcmp(l->request, q->request) == 0 &&
           strcmp(l->service, q->service) == 0 && strcmp(l->reason, q->reason) == 0;
}

static enum tp_err sign_by_card(struct known *out, struct checkout *c, struct fetch *f,
                                const struct request *q, const struct pay_options *how,
                                struct tp_error *e)
{
    const json_t *card = json_object_get(q->owner, "card");
    struct card_request asked = {.parameters = 0};
    char *jwe = NULL;
    enum tp_err r = TP_OK;

    if (how == NULL)
        r = tp_fail(e, TP_ERR_USAGE,
                    "the service wants to know you by a bank card: telepay identify "
                    "%s/identity/%s asks it",
                    q->origin, q->request);
    else if (card == NULL)
        r = tp_fail(e, TP_ERR_STATE, "the service %s takes no cards: your key can say who you are",
                    q->service);
    if (r == TP_OK)
        r = card_request_read(&asked, card, &c->authorities, time(NULL), e);
    if (r == TP_OK && !is_same(&asked.asked, q))
        r = tp_fail(e, TP_ERR_SECURITY, "%s has a card sign another request: not answered",
                    q->origin);
    if (r == TP_OK)
        r = card_identity_sign(&jwe, &asked, c, q->origin, how, e);
    if (r == TP_OK)
        r = send_letter(out, c, f, q, "card", jwe, NULL, e);
    card_request_free(&asked);
    free(jwe);
    return r;
}

enum tp_err identity_tell(struct identity_told *out, struct fetch *f, const char *origin,
                          const char *request, const struct identity_options *options,
                          struct tp_error *e)
{
    struct checkout c = {0};
    struct request q = {.owner = NULL};
    struct known known = {.valid_until = 0};
    bool found = false;
    enum tp_err r = checkout_open(&c, options->checkout, f, e);

    if (options->person != NULL)
        c.device.code.dialog = options->person->dialog;
    if (r == TP_OK)
        r = read_request(&q, f, origin, request, e);
    q.by_card = q.by_card || options->by_card;
    if (r == TP_OK && !options->anew)
        r = find_session(&known, &found, c.journal, &q, e);
    if (r == TP_OK && !found)
        r = agree(&q, options, e);
    if (r == TP_OK && !found)
        r = q.by_card ? sign_by_card(&known, &c, f, &q, options->card, e)
                      : sign_by_key(&known, &c, f, &q, e);
    if (r == TP_OK)
        fill(out, &q, &known);
    json_decref(q.owner);
    checkout_close(&c);
    return r;
}

enum tp_err identity_name(char out[44], struct checkout *c, const char *origin, struct tp_error *e)
{
    json_t *key = NULL;
    enum tp_err r = device_key(&key, &c->device, e);

    return r == TP_OK ? letter_user(out, origin, key, e) : r;
}
