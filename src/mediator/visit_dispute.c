/* /orders/ID/dispute: how a dispute about an order stands, as JSON and as a page; and what who paid
 * writes about it. */
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"
#include "mediator/say.h"
#include "wire/jcs.h"

struct asking {
    struct errand errand; /* first */
    bool takes;           /* a letter came */
    struct dispute_case c;
    char *jws;
    char order[BOOK_ORDER_ID];
    json_t *said; /* the dispute, as it stands now */
};

static void release(struct errand *x)
{
    struct asking *a = (struct asking *)x;

    letter_free(&a->c.letter);
    json_decref(a->said);
    free(a->jws);
    free(a);
}

static enum tp_err apply(struct errand *x, struct mediator *m, struct orderbook *b, int64_t now,
                         struct tp_error *e)
{
    struct asking *a = (struct asking *)x;
    enum tp_err r;

    json_decref(a->said);
    a->said = NULL;
    a->c.finding = DISPUTE_FINE;
    r = a->takes ? dispute_take(&a->c, a->order, b, &m->issuing, &m->terms, now, e)
                 : dispute_look(&a->c, a->order, b, e);
    if (r == TP_OK && a->c.finding == DISPUTE_FINE)
        r = dispute_json(&a->said, &a->c.dispute, b, now, e);
    return r;
}

/* ---- pages ---- */

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

/* "2026-11-29 14:05 UTC" of RFC 3339. */
static char *shown(char out[TIME_TEXT_MAX + 8], const char *time)
{
    out[0] = '\0';
    if (time[0] != '\0')
        snprintf(out, TIME_TEXT_MAX + 8, "%.10s %.5s UTC", time, time + 11);
    return out;
}

/* The pieces one after the other (free()). */
static char *letters_of(struct visit *v, const json_t *said)
{
    const struct pages *p = v->m->pages;
    const json_t *list = json_object_get(said, "letters");
    char *all = NULL;
    size_t n = 0, i;
    FILE *to = open_memstream(&all, &n);
    json_t *one;

    json_array_foreach(list, i, one)
    {
        char at[TIME_TEXT_MAX + 8];
        const struct page_value values[] = {
            {"by", page_word(p, v->language, "by", text_of(one, "by"))},
            {"act", page_word(p, v->language, "act", text_of(one, "act"))},
            {"at", text_of(one, "at")},
            {"at_shown", shown(at, text_of(one, "at"))},
            {"words", text_of(one, "words")}};
        const struct page_body body = {
            .file = "letter.html", .values = values, .n = sizeof(values) / sizeof(values[0])};
        char *part = page_part(p, v->language, &body);

        if (part != NULL && to != NULL)
            fputs(part, to);
        free(part);
    }
    if (to != NULL && fclose(to) != 0) {
        free(all);
        all = NULL;
    }
    return all;
}

static char *page_of(struct visit *v, const struct asking *a)
{
    const struct pages *p = v->m->pages;
    const struct dispute *d = &a->c.dispute;
    const char *state = dispute_state_name(d->state), *due = text_of(a->said, "due");
    char amount[PAGE_MONEY], due_text[TIME_TEXT_MAX + 8], *letters = letters_of(v, a->said), *page;
    const struct page_value values[] = {
        {"heading", page_word(p, v->language, "heading_dispute", state)},
        {"told", page_word(p, v->language, "told_dispute", state)},
        {"amount", page_money(amount, p, v->language, d->amount, d->currency)},
        {"item", d->item},
        {"order", d->order},
        {"reason", page_word(p, v->language, "reason", d->reason)},
        {"payment", page_word(p, v->language, "heading", order_state_name(d->paid))},
        {"due", due},
        {"due_shown", due[0] != '\0' ? shown(due_text, due) : "–"},
        {"overdue", json_is_true(json_object_get(a->said, "overdue"))
                        ? page_word(p, v->language, "word", "overdue")
                        : ""},
        {"letters", letters != NULL ? letters : ""}};
    const struct page_body body = {
        .file = "dispute.html", .values = values, .n = sizeof(values) / sizeof(values[0])};

    page = page_whole(p, v->language, &body);
    free(letters);
    return page;
}

static char *page_how(struct visit *v, const struct asking *a)
{
    const struct page_value values[] = {
        {"heading", page_word(v->m->pages, v->language, "heading_dispute", "none")},
        {"order", a->order}};
    const struct page_body body = {.file = "dispute_how.html", .values = values, .n = 2};

    return page_whole(v->m->pages, v->language, &body);
}

/* ---- answers ---- */

static void say_not(struct visit *v, const struct asking *a)
{
    static const struct {
        unsigned status;
        const char *detail;
    } words[] = {
        [DISPUTE_NO_ORDER] = {MHD_HTTP_NOT_FOUND, "there is no such order"},
        [DISPUTE_NONE] = {MHD_HTTP_NOT_FOUND, "the order is not disputed"},
        [DISPUTE_UNPAID] = {MHD_HTTP_CONFLICT,
                            "nothing was paid by this order, or it is not known yet: there is "
                            "nothing to dispute"},
        [DISPUTE_NOT_PAYER] = {MHD_HTTP_FORBIDDEN,
                               "a dispute is opened by who paid: neither the credential that it "
                               "shows nor its key has paid this order"},
        [DISPUTE_LATE] = {MHD_HTTP_CONFLICT,
                          "it was paid too long ago to be disputed here: ask the merchant, or the "
                          "card's issuer"},
        [DISPUTE_NOT_ASKED] = {MHD_HTTP_CONFLICT,
                               "that evidence answers nothing that was asked last"},
        [DISPUTE_NO_KEY] = {MHD_HTTP_SERVICE_UNAVAILABLE,
                            "the merchant's key is not here now: send the same again later"},
    };
    char back[BOOK_WHY_MAX + 80];
    struct say_problem p = {.type = PAYMENT_OTHER, .consumed = -1};

    if (a->c.finding == DISPUTE_BACK) {
        snprintf(back, sizeof(back), "what was paid is given back, or a credit is due already: %s",
                 a->c.why);
        p.status = MHD_HTTP_CONFLICT;
        p.detail = back;
    } else {
        p.status = words[a->c.finding].status;
        p.detail = words[a->c.finding].detail;
    }
    say_problem(v, &p);
}

static void done(struct errand *x, struct visit *v)
{
    struct asking *a = (struct asking *)x;

    if (a->takes && a->c.finding == DISPUTE_FINE)
        log_note("order %s is disputed (%s): %s", a->order, a->c.dispute.reason,
                 dispute_state_name(a->c.dispute.state));
    if (v->html && !a->takes && a->c.finding == DISPUTE_NONE)
        (void)say_html(v, MHD_HTTP_OK, page_how(v, a));
    else if (a->c.finding != DISPUTE_FINE)
        say_not(v, a);
    else if (!v->html || !say_html(v, MHD_HTTP_OK, page_of(v, a)))
        say_json(v, MHD_HTTP_OK, json_incref(a->said));
    http_resume(v->call);
}

static void say_malformed(struct visit *v, const char *why)
{
    char detail[600];

    snprintf(detail, sizeof(detail), "the body is {\"letter\": a dispute or evidence, signed}: %s",
             why);
    say_simple(v, MHD_HTTP_BAD_REQUEST, detail);
}

static void queue(struct visit *v, struct asking *a)
{
    struct job *j = move_job(EVENT_LOOK, v->id);

    a->errand = (struct errand){apply, done, release};
    memcpy(a->order, v->id, sizeof(a->order));
    if (j == NULL) {
        release(&a->errand);
        http_answer(v->call, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, 0);
        return;
    }
    j->errand = &a->errand;
    j->visit = v;
    http_later(v->call);
    keeper_take(v->m, j);
}

void visit_dispute_look(struct visit *v)
{
    struct asking *a = calloc(1, sizeof(*a));

    if (a == NULL)
        http_answer(v->call, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, 0);
    else
        queue(v, a);
}

enum tp_err visit_letter(char **jws, struct span body, struct tp_error *e)
{
    json_t *object = NULL;
    const char *text = NULL;
    enum tp_err r = jcs_read(&object, body, e);

    if (r == TP_OK)
        r = jcs_text(&text, object, "letter", e);
    if (r == TP_OK && (text == NULL || (*jws = strdup(text)) == NULL))
        r = tp_fail(e, TP_ERR_FORMAT, "there is no letter");
    json_decref(object);
    return r;
}

/* It is one or the other kind: its own header says which. */
static enum tp_err read_letter(struct asking *a, struct span body, struct tp_error *e)
{
    const enum tp_err r = visit_letter(&a->jws, body, e);

    if (r != TP_OK)
        return r;
    a->c.jws = a->jws;
    a->c.kind = LETTER_EVIDENCE;
    if (letter_read_own(&a->c.letter, LETTER_EVIDENCE, a->jws, NULL) == TP_OK)
        return TP_OK;
    a->c.kind = LETTER_DISPUTE;
    return letter_read_own(&a->c.letter, LETTER_DISPUTE, a->jws, e);
}

void visit_dispute_take(struct visit *v)
{
    struct asking *a = calloc(1, sizeof(*a));
    struct tp_error e = {TP_OK, ""};

    if (a == NULL) {
        http_answer(v->call, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, 0);
    } else if (read_letter(a, http_body(v->call), &e) != TP_OK) {
        say_malformed(v, e.text);
        release(&a->errand);
    } else {
        a->takes = true;
        queue(v, a);
    }
}
