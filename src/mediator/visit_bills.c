/* /bills/SERVICE: what who asks owes there, as JSON and as a page; each is paid as any order. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "mediator/bills.h"
#include "mediator/say.h"

static void url_of(char out[BOOK_TARGET_MAX], const struct visit *v, const struct bill *b)
{
    snprintf(out, BOOK_TARGET_MAX, "%s/s/%s%s", v->m->origin, v->service->name, b->path);
}

/* ---- as JSON ---- */

static json_t *json_of(const struct visit *v, const struct bills *all)
{
    json_t *list = json_array();

    for (size_t i = 0; i < all->n; i++) {
        const struct bill *b = &all->bill[i];
        char url[BOOK_TARGET_MAX], amount[24];

        url_of(url, v, b);
        snprintf(amount, sizeof(amount), "%" PRId64, b->amount);
        (void)json_array_append_new(
            list, json_pack("{s:s,s:s,s:s,s:s,s:s*,s:b,s:s}", "bill", b->number, "designation",
                            b->designation, "amount", amount, "currency", b->currency->alpha,
                            "until", b->until, "paid", b->paid, "url", url));
    }
    return json_pack("{s:s,s:s,s:o}", "service", v->service->name, "user", v->who.user, "bills",
                     list);
}

/* ---- as a page ---- */

static char *part_of(struct visit *v, const struct bill *b)
{
    const struct pages *p = v->m->pages;
    char url[BOOK_TARGET_MAX], amount[PAGE_MONEY];
    const struct page_value link[] = {{"url", url}};
    const struct page_body pay = {.file = "bill_pay.html", .values = link, .n = 1};
    char *button = NULL, *part;

    url_of(url, v, b);
    if (!b->paid)
        button = page_part(p, v->language, &pay);
    const struct page_value values[] = {
        {"designation", b->designation},
        {"amount", page_money(amount, p, v->language, b->amount, b->currency->numeric)},
        {"state", page_word(p, v->language, "bill", b->paid ? "paid" : "owed")},
        {"pay", button != NULL ? button : ""}};
    const struct page_body body = {.file = "bill.html", .values = values, .n = 4};

    part = page_part(p, v->language, &body);
    free(button);
    return part;
}

static char *page_of(struct visit *v, const struct bills *all)
{
    const struct pages *p = v->m->pages;
    char *text = NULL, *page;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);

    for (size_t i = 0; to != NULL && i < all->n; i++) {
        char *part = part_of(v, &all->bill[i]);

        if (part != NULL)
            fputs(part, to);
        free(part);
    }
    if (to == NULL || fclose(to) != 0) {
        free(text);
        return NULL;
    }
    const struct page_value values[] = {
        {"heading", page_word(p, v->language, "heading", "bills")},
        {"told", page_word(p, v->language, "told", all->n > 0 ? "bills" : "bills_none")},
        {"service", v->service->name},
        {"site", v->m->realm},
        {"bills", text}};
    const struct page_body body = {.file = "bills.html", .values = values, .n = 5};

    page = page_whole(p, v->language, &body);
    free(text);
    return page;
}

/* ---- the way ---- */

static void say_bills(struct visit *v, const struct bills *all)
{
    if (!v->html || !say_html(v, MHD_HTTP_OK, page_of(v, all)))
        say_json(v, MHD_HTTP_OK, json_of(v, all));
    http_resume(v->call);
}

void visit_billed(struct visit *v, const struct http_said *said)
{
    struct bills all = {.n = 0};
    struct tp_error e = {TP_OK, ""};

    if (said->r == TP_OK && said->status == 404) {
        say_simple(v, MHD_HTTP_NOT_FOUND, "the service sends no bills");
        http_resume(v->call);
        return;
    }
    if (!visit_answered(v, said))
        return;
    if (bills_read(&all, said->body, &e) != TP_OK) {
        log_error("service %s: %s", v->service->name, e.text);
        say_simple(v, MHD_HTTP_BAD_GATEWAY, "the service's bills cannot be used");
        http_resume(v->call);
    } else if (all.identify != NULL) {
        visit_identify(v, all.identify, false);
    } else {
        say_bills(v, &all);
    }
    bills_free(&all);
}

void visit_bills(struct visit *v, const char *rest)
{
    v->kind = VISIT_BILLS;
    v->service = registry_service(v->m->registry, rest);
    if (v->service == NULL) {
        say_simple(v, MHD_HTTP_NOT_FOUND, "there is no such service");
        return;
    }
    challenge_order_id(v->asked.id);
    snprintf(v->asked.url, sizeof(v->asked.url), "%s/bills/%s", v->m->origin, v->service->name);
    visit_session_read(v);
    visit_identity_read(v);
    http_later(v->call);
    visit_demand(v);
}
