#include "mediator/page.h"

#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"

#define QUIET_ZONE 4 /* modules around the code (ISO/IEC 18004) */
#define VALUES_MAX 24

enum tp_err mediator_pages_open(struct pages **out, struct tp_error *e)
{
    static const char *const files[] = {
        "mediator/order.html",    "mediator/code.html",        "mediator/ways.html",
        "mediator/next.html",     "mediator/shipped.html",     "mediator/wrong.html",
        "mediator/dispute.html",  "mediator/dispute_how.html", "mediator/letter.html",
        "mediator/identity.html", "mediator/bills.html",       "mediator/bill.html",
        "mediator/bill_pay.html", "mediator/telepay.js",       NULL};

    return pages_open(out, "mediator", files, e);
}

char *page_shipped(const struct pages *p, enum page_language l, const char *note)
{
    const struct page_value values[] = {{"heading", page_word(p, l, "heading", "shipped")},
                                        {"told", page_word(p, l, "told", "shipped")},
                                        {"note", note}};
    const struct page_body body = {.file = "shipped.html", .values = values, .n = 3};

    return page_whole(p, l, &body);
}

/* ---- an order's ---- */

struct drawing { /* of a page */
    const struct pages *pages;
    enum page_language language;
    const struct page_order *page;
    struct page_value values[VALUES_MAX];
    size_t n;
    /* what the values borrow */
    char amount[PAGE_MONEY], until[TIME_TEXT_MAX], until_shown[TIME_TEXT_MAX + 4];
    char url[300], agent[400];
    char means[120];
    char *part[4];
    size_t parts;
};

static void put(struct drawing *d, const char *name, const char *text)
{
    if (d->n < VALUES_MAX)
        d->values[d->n++] = (struct page_value){name, text};
}

static const char *word(const struct drawing *d, const char *kind, const char *name)
{
    return page_word(d->pages, d->language, kind, name);
}

/* "bank card or purse" */
static void put_means(struct drawing *d)
{
    size_t n = 0;

    for (enum means m = MEANS_EMV; m <= MEANS_PURSE; m++) {
        if ((d->page->means >> m & 1) == 0)
            continue;
        n += (size_t)snprintf(d->means + n, sizeof(d->means) - n, "%s%s%s", n > 0 ? " " : "",
                              n > 0 ? word(d, "word", "or") : "", n > 0 ? " " : "");
        n += (size_t)snprintf(d->means + n, sizeof(d->means) - n, "%s",
                              word(d, "means", means_method(m)));
    }
    put(d, "means", d->means);
}

static void put_order(struct drawing *d)
{
    const struct page_order *o = d->page;
    const struct orderbook_order *b = o->order;
    const bool over = o->means == 0 && b->state <= STATE_CLAIMED;
    const char *state = over ? "expired" : order_state_name(b->state);

    snprintf(d->url, sizeof(d->url), "%s/orders/%s", o->origin, b->id);
    snprintf(d->agent, sizeof(d->agent), PAGE_AGENT "/pay?order=%s", d->url);
    put(d, "heading", word(d, "heading", state));
    put(d, "told", word(d, "told", o->refused && o->means != 0 ? "refused" : state));
    put(d, "amount", page_money(d->amount, d->pages, d->language, b->amount, b->currency));
    put(d, "item", b->item);
    put(d, "merchant", b->merchant);
    put(d, "site", strstr(o->origin, "://") + 3);
    put(d, "delivery", word(d, "delivery", delivery_name(b->delivery)));
    put(d, "order", b->id);
    put(d, "order_url", d->url);
    put(d, "agent_url", d->agent);
    put(d, "state", state);
    put(d, "until", time_format_utc(d->until, b->valid_until));
    snprintf(d->until_shown, sizeof(d->until_shown), "%.10s %.5s UTC", d->until, d->until + 11);
    put(d, "until_shown", d->until_shown);
    put(d, "code", b->code);
    put(d, "next_url", b->url);
    put_means(d);
}

/* A part that only some states have; "" for the others. */
static void put_part(struct drawing *d, const char *name, const char *file, bool there)
{
    const struct page_body body = {.file = file, .values = d->values, .n = d->n};
    char *text = there ? page_part(d->pages, d->language, &body) : NULL;

    d->part[d->parts++] = text;
    put(d, name, text != NULL ? text : "");
}

char *page_order(const struct pages *p, enum page_language l, const struct page_order *o)
{
    struct drawing d = {.pages = p, .language = l, .page = o};
    const struct orderbook_order *b = o->order;
    const enum order_state state = b->state;
    const bool moves = o->means != 0 || (state > STATE_CLAIMED && state < STATE_DELIVERED) ||
                       state == STATE_REVERSING,
               paid = state == STATE_DELIVERED || state == STATE_ACKNOWLEDGED;
    char *page;

    put_order(&d);
    put_part(&d, "compare", "code.html", b->code[0] != '\0' && state <= STATE_APPROVED);
    put_part(&d, "ways", "ways.html", o->means != 0);
    put_part(&d, "next", "next.html", paid && strcmp(b->method, "GET") == 0);
    put_part(&d, "wrong", "wrong.html", state >= STATE_ACKNOWLEDGED);
    const struct page_body body = {.file = "order.html",
                                   .values = d.values,
                                   .n = d.n,
                                   .refresh = moves ? d.url : NULL,
                                   .script = moves};

    page = page_whole(p, l, &body);
    for (size_t i = 0; i < d.parts; i++)
        free(d.part[i]);
    return page;
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
