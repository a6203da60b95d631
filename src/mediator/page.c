#include "mediator/page.h"

#include <limits.h>
#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/date.h"
#include "base/file.h"
#include "base/log.h"
#include "base/money.h"
#include "wire/html.h"

#define PAGE_MAX   65536
#define QUIET_ZONE 4 /* modules around the code (ISO/IEC 18004) */

enum {
    PAGE_FRAME,
    PAGE_ORDER,
    PAGE_CODE,
    PAGE_WAYS,
    PAGE_NEXT,
    PAGE_PROBLEM,
    PAGE_SHIPPED,
    PAGE_WRONG,
    PAGE_DISPUTE,
    PAGE_DISPUTE_HOW,
    PAGE_LETTER,
    PAGE_IDENTITY,
    PAGE_BILLS,
    PAGE_BILL,
    PAGE_BILL_PAY,
    PAGE_STYLE,
    PAGE_SCRIPT,
    PAGE_FILES
};

static const struct {
    const char *name, *type;
} files[PAGE_FILES] = {
    [PAGE_FRAME] = {"frame.html", NULL},
    [PAGE_ORDER] = {"order.html", NULL},
    [PAGE_CODE] = {"code.html", NULL},
    [PAGE_WAYS] = {"ways.html", NULL},
    [PAGE_NEXT] = {"next.html", NULL},
    [PAGE_PROBLEM] = {"problem.html", NULL},
    [PAGE_SHIPPED] = {"shipped.html", NULL},
    [PAGE_WRONG] = {"wrong.html", NULL},
    [PAGE_DISPUTE] = {"dispute.html", NULL},
    [PAGE_DISPUTE_HOW] = {"dispute_how.html", NULL},
    [PAGE_LETTER] = {"letter.html", NULL},
    [PAGE_IDENTITY] = {"identity.html", NULL},
    [PAGE_BILLS] = {"bills.html", NULL},
    [PAGE_BILL] = {"bill.html", NULL},
    [PAGE_BILL_PAY] = {"bill_pay.html", NULL},
    [PAGE_STYLE] = {"telepay.css", "text/css; charset=utf-8"},
    [PAGE_SCRIPT] = {"telepay.js", "text/javascript; charset=utf-8"},
};
static const char *const languages[PAGE_LANGUAGES] = {"en", "fr"};

struct pages {
    char *file[PAGE_FILES];
    struct conf *words[PAGE_LANGUAGES];
};

/* ---- data files ---- */

static enum tp_err read_file(char **out, const char *name, struct tp_error *e)
{
    char path[PATH_MAX], under[64];
    uint8_t *text = NULL;
    size_t n;
    enum tp_err r;

    snprintf(under, sizeof(under), "mediator/%s", name);
    r = file_data_path(path, sizeof(path), under, e);
    if (r == TP_OK)
        r = file_read(path, PAGE_MAX, &text, &n, e);
    *out = (char *)text;
    return r;
}

static enum tp_err read_words(struct conf **out, const char *language, struct tp_error *e)
{
    char path[PATH_MAX], under[64];
    enum tp_err r;

    snprintf(under, sizeof(under), "mediator/words.%s.ini", language);
    r = file_data_path(path, sizeof(path), under, e);
    return r == TP_OK ? conf_load(out, path, e) : r;
}

enum tp_err pages_open(struct pages **out, struct tp_error *e)
{
    struct pages *p = calloc(1, sizeof(*p));
    enum tp_err r = TP_OK;

    *out = NULL;
    if (p == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    for (size_t i = 0; r == TP_OK && i < PAGE_FILES; i++)
        r = read_file(&p->file[i], files[i].name, e);
    for (size_t i = 0; r == TP_OK && i < PAGE_LANGUAGES; i++)
        r = read_words(&p->words[i], languages[i], e);
    if (r == TP_OK)
        *out = p;
    else
        pages_close(&p);
    return r;
}

void pages_close(struct pages **p)
{
    if (*p == NULL)
        return;
    for (size_t i = 0; i < PAGE_FILES; i++)
        free((*p)->file[i]);
    for (size_t i = 0; i < PAGE_LANGUAGES; i++)
        conf_free(&(*p)->words[i]);
    free(*p);
    *p = NULL;
}

const char *page_file(const struct pages *p, const char *name, const char **type)
{
    for (size_t i = 0; i < PAGE_FILES; i++)
        if (files[i].type != NULL && strcmp(files[i].name, name) == 0) {
            *type = files[i].type;
            return p->file[i];
        }
    return NULL;
}

enum page_language page_language(const char *accepted)
{
    return (enum page_language)html_language(accepted, languages, PAGE_LANGUAGES);
}

/* ---- values ---- */

#define VALUES_MAX 24

struct values { /* of one page; what is not among them is a word */
    const struct conf *words;
    size_t n;
    struct {
        const char *name, *text;
    } value[VALUES_MAX];
};

static void put(struct values *v, const char *name, const char *text)
{
    for (size_t i = 0; i < v->n; i++)
        if (strcmp(v->value[i].name, name) == 0) {
            v->value[i].text = text;
            return;
        }
    if (v->n < VALUES_MAX) {
        v->value[v->n].name = name;
        v->value[v->n++].text = text;
    }
}

static const char *value_of(const void *ctx, const char *name)
{
    const struct values *v = ctx;

    for (size_t i = 0; i < v->n; i++)
        if (strcmp(v->value[i].name, name) == 0)
            return v->value[i].text;
    return conf_get(v->words, "words", name);
}

/* NULL: there is no such word. */
static const char *known_word(const struct values *v, const char *kind, const char *name)
{
    char key[HTML_NAME_MAX];

    snprintf(key, sizeof(key), "%s_%s", kind, name);
    return conf_get(v->words, "words", key);
}

static const char *word(const struct values *v, const char *kind, const char *name)
{
    const char *text = known_word(v, kind, name);

    return text != NULL ? text : name;
}

static char *fill(const struct pages *p, size_t file, const struct values *v)
{
    struct tp_error e = {TP_OK, ""};
    char *text = NULL;

    if (html_fill(&text, p->file[file], value_of, v, &e) != TP_OK)
        log_error("%s: %s", files[file].name, e.text);
    return text;
}

/* The page around a body, which is released. */
static char *frame(const struct pages *p, enum page_language l, struct values *v, char *body,
                   const char *refresh, bool script)
{
    char *page = NULL;

    if (body == NULL)
        return NULL;
    put(v, "lang", languages[l]);
    put(v, "title", value_of(v, "heading"));
    put(v, "refresh", refresh);
    put(v, "script", script ? "<script src=\"/telepay.js\" defer></script>" : "");
    put(v, "body", body);
    page = fill(p, PAGE_FRAME, v);
    free(body);
    return page;
}

/* ---- pages ---- */

char *page_problem(const struct pages *p, enum page_language l, unsigned status, const char *kind)
{
    struct values v = {.words = p->words[l]};
    char number[16];
    const char *told, *heading;

    snprintf(number, sizeof(number), "%u", status);
    told = known_word(&v, "told", kind != NULL ? kind : number);
    heading = kind != NULL ? known_word(&v, "heading", kind) : NULL;
    put(&v, "told", told != NULL ? told : word(&v, "told", "other"));
    put(&v, "heading", heading != NULL ? heading : word(&v, "heading", "problem"));
    return frame(p, l, &v, fill(p, PAGE_PROBLEM, &v), "", false);
}

char *page_shipped(const struct pages *p, enum page_language l, const char *note)
{
    struct values v = {.words = p->words[l]};

    put(&v, "heading", word(&v, "heading", "shipped"));
    put(&v, "told", word(&v, "told", "shipped"));
    put(&v, "note", note);
    return frame(p, l, &v, fill(p, PAGE_SHIPPED, &v), "", false);
}

struct texts { /* what the values of an order's page borrow */
    char amount[PAGE_MONEY], until[TIME_TEXT_MAX], until_shown[TIME_TEXT_MAX + 4];
    char url[300], agent[400], refresh[400];
    char means[120];
    char *code, *ways, *next, *wrong;
};

/* With the decimal sign of the language. */
static char *money_of(char out[PAGE_MONEY], const struct values *v, int64_t amount,
                      uint16_t currency)
{
    const char *decimal = value_of(v, "decimal");
    char text[MONEY_TEXT_MAX], *point;

    (void)money_shown(text, amount, currency);
    point = strchr(text, '.');
    if (point != NULL && decimal != NULL && decimal[0] != '\0')
        *point = decimal[0];
    snprintf(out, PAGE_MONEY, "%s %s", text, currency_shown(currency));
    return out;
}

/* "bank card or purse" */
static void put_means(struct values *v, struct texts *t, unsigned means)
{
    size_t n = 0;

    for (enum means m = MEANS_EMV; m <= MEANS_PURSE; m++) {
        if ((means >> m & 1) == 0)
            continue;
        n += (size_t)snprintf(t->means + n, sizeof(t->means) - n, "%s%s%s", n > 0 ? " " : "",
                              n > 0 ? word(v, "word", "or") : "", n > 0 ? " " : "");
        n += (size_t)snprintf(t->means + n, sizeof(t->means) - n, "%s",
                              word(v, "means", means_method(m)));
    }
    put(v, "means", t->means);
}

static void put_order(struct values *v, struct texts *t, const struct page_order *o)
{
    const struct orderbook_order *b = o->order;
    const bool over = o->means == 0 && b->state <= STATE_CLAIMED;
    const char *state = over ? "expired" : order_state_name(b->state);

    (void)money_of(t->amount, v, b->amount, b->currency);
    snprintf(t->url, sizeof(t->url), "%s/orders/%s", o->origin, b->id);
    snprintf(t->agent, sizeof(t->agent), "%s%s", AGENT_ADDRESS, t->url);
    put(v, "heading", word(v, "heading", state));
    put(v, "told", word(v, "told", o->refused && o->means != 0 ? "refused" : state));
    put(v, "amount", t->amount);
    put(v, "item", b->item);
    put(v, "merchant", b->merchant);
    put(v, "site", strstr(o->origin, "://") + 3);
    put(v, "delivery", word(v, "delivery", delivery_name(b->delivery)));
    put(v, "order", b->id);
    put(v, "order_url", t->url);
    put(v, "agent_url", t->agent);
    put(v, "state", state);
    put(v, "until", time_format_utc(t->until, b->valid_until));
    snprintf(t->until_shown, sizeof(t->until_shown), "%.10s %.5s UTC", t->until, t->until + 11);
    put(v, "until_shown", t->until_shown);
    put(v, "code", b->code);
    put(v, "next_url", b->url);
    put_means(v, t, o->means);
}

/* The parts that only some states have; "" for the others. */
static void put_parts(const struct pages *p, struct values *v, struct texts *t,
                      const struct page_order *o)
{
    const struct orderbook_order *b = o->order;
    const bool paid = b->state == STATE_DELIVERED || b->state == STATE_ACKNOWLEDGED;

    if (b->code[0] != '\0' && b->state <= STATE_APPROVED)
        t->code = fill(p, PAGE_CODE, v);
    if (o->means != 0)
        t->ways = fill(p, PAGE_WAYS, v);
    if (paid && strcmp(b->method, "GET") == 0)
        t->next = fill(p, PAGE_NEXT, v);
    if (b->state >= STATE_ACKNOWLEDGED)
        t->wrong = fill(p, PAGE_WRONG, v);
    put(v, "code", t->code != NULL ? t->code : "");
    put(v, "ways", t->ways != NULL ? t->ways : "");
    put(v, "next", t->next != NULL ? t->next : "");
    put(v, "wrong", t->wrong != NULL ? t->wrong : "");
}

char *page_order(const struct pages *p, enum page_language l, const struct page_order *o)
{
    struct values v = {.words = p->words[l]};
    struct texts t = {.code = NULL};
    const enum order_state state = o->order->state;
    const bool moves = o->means != 0 || (state > STATE_CLAIMED && state < STATE_DELIVERED) ||
                       state == STATE_REVERSING;
    char *page;

    put_order(&v, &t, o);
    put_parts(p, &v, &t, o);
    if (moves)
        snprintf(t.refresh, sizeof(t.refresh),
                 "<noscript><meta http-equiv=\"refresh\" content=\"4;url=%s\"></noscript>", t.url);
    page = frame(p, l, &v, fill(p, PAGE_ORDER, &v), t.refresh, moves);
    free(t.code);
    free(t.ways);
    free(t.next);
    free(t.wrong);
    return page;
}

/* ---- other pages ---- */

static char *fill_body(const struct pages *p, struct values *v, const struct page_body *b)
{
    for (size_t i = 0; i < b->n; i++)
        put(v, b->values[i].name, b->values[i].text);
    for (size_t i = 0; i < PAGE_FILES; i++)
        if (strcmp(files[i].name, b->file) == 0)
            return fill(p, i, v);
    log_error("there is no page %s", b->file);
    return NULL;
}

char *page_part(const struct pages *p, enum page_language l, const struct page_body *b)
{
    struct values v = {.words = p->words[l]};

    return fill_body(p, &v, b);
}

char *page_whole(const struct pages *p, enum page_language l, const struct page_body *b)
{
    struct values v = {.words = p->words[l]};
    char *body = fill_body(p, &v, b), refresh[500] = "";

    if (b->refresh != NULL)
        snprintf(refresh, sizeof(refresh), "<meta http-equiv=\"refresh\" content=\"4;url=%s\">",
                 b->refresh);
    return frame(p, l, &v, body, refresh, false);
}

const char *page_word(const struct pages *p, enum page_language l, const char *kind,
                      const char *name)
{
    const struct values v = {.words = p->words[l]};

    return word(&v, kind, name);
}

char *page_money(char out[PAGE_MONEY], const struct pages *p, enum page_language l, int64_t amount,
                 uint16_t currency)
{
    const struct values v = {.words = p->words[l]};

    return money_of(out, &v, amount, currency);
}

/* ---- the code ---- */

static void put_modules(FILE *to, const QRcode *q)
{
    for (int y = 0; y < q->width; y++)
        for (int x = 0; x < q->width; x++)
            if ((q->data[y * q->width + x] & 1) != 0)
                fprintf(to, "M%d %dh1v1h-1z", x + QUIET_ZONE, y + QUIET_ZONE);
}

char *page_code(const char *address)
{
    QRcode *q = QRcode_encodeString8bit(address, 0, QR_ECLEVEL_M);
    char *text = NULL;
    size_t n = 0;
    FILE *to = q != NULL ? open_memstream(&text, &n) : NULL;
    const int side = q != NULL ? q->width + 2 * QUIET_ZONE : 0;

    if (to != NULL) {
        fprintf(
            to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
            "shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/><path d=\"",
            side, side, side, side);
        put_modules(to, q);
        fputs("\"/></svg>\n", to);
        if (fclose(to) != 0) {
            free(text);
            text = NULL;
        }
    }
    QRcode_free(q);
    return text;
}
