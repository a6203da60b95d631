#include "service/counter.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "store/group.h"

enum outcome { SOLD, SOLD_BEFORE, OTHER_ORDER, GONE };

struct job {
    struct group_job entry; /* first */
    struct counter_order order;
    enum outcome outcome;
    struct sale before; /* SOLD_BEFORE: what was kept then */
};

struct counter {
    const struct shop *shop;
    struct kiosk *kiosk;
    struct sales *sales; /* the group's thread's */
    struct group *group;
};

/* ---- the answers ---- */

static void answer_shipped(struct http_call *call, const struct sale *sale)
{
    json_t *said = json_pack("{ssssss}", "order", sale->order, "article", sale->designation,
                             "shipped", sale->note[0] != '\0' ? sale->note : "it is on its way");
    char *text = said != NULL ? json_dumps(said, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
    struct MHD_Response *response =
        text != NULL ? MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_COPY)
                     : NULL;

    http_answer(call, MHD_HTTP_OK, response, text != NULL ? strlen(text) : 0);
    http_answer_header(call, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    free(text);
    json_decref(said);
}

void counter_hand_out(struct http_call *call, const struct sale *sale, int fd, uint64_t size)
{
    if (sale->delivery == DELIVERY_SHIPPED) {
        answer_shipped(call, sale);
        return;
    }
    http_answer(call, MHD_HTTP_OK, MHD_create_response_from_fd64(size, fd), size);
    http_answer_header(call, MHD_HTTP_HEADER_CONTENT_TYPE, sale->type);
}

static void hand_out(const struct counter *c, struct counter_order *o, const struct sale *sale)
{
    if (sale->delivery == DELIVERY_STREAM)
        kiosk_play(c->kiosk, o->call, sale->type, o->fd, o->rate);
    else
        counter_hand_out(o->call, sale, o->fd, o->size);
    o->fd = -1;
}

/* The same again, from what was kept: the catalogue may say something else since. */
static void hand_out_again(const struct counter *c, struct job *j)
{
    struct tp_error e = {TP_OK, ""};
    struct counter_order *o = &j->order;

    if (o->fd >= 0)
        close(o->fd);
    o->fd = -1;
    if (j->before.delivery != DELIVERY_SHIPPED &&
        shop_file(c->shop, &o->fd, &o->size, j->before.file, &e) != TP_OK) {
        log_error("order %s was sold and cannot be delivered again: %s", j->before.order, e.text);
        http_answer_busy(o->call, "the order was sold, and what it was for cannot be read now: ask "
                                  "again");
        return;
    }
    hand_out(c, o, &j->before);
}

static void answer(const struct counter *c, struct job *j)
{
    struct counter_order *o = &j->order;

    switch (j->outcome) {
    case SOLD:
        log_note("order %s of %s: sold %s", o->sale.order, o->sale.mediator, o->sale.article);
        hand_out(c, o, &o->sale);
        break;
    case SOLD_BEFORE:
        hand_out_again(c, j);
        break;
    case OTHER_ORDER:
        http_answer_text(o->call, MHD_HTTP_CONFLICT,
                         "this order came before with another quote or acknowledgement");
        break;
    case GONE:
        log_error("order %s of %s cannot be delivered: %s: %s", o->sale.order, o->sale.mediator,
                  o->sale.article, o->gone != NULL ? o->gone : _("none is left"));
        http_answer_text(o->call, MHD_HTTP_GONE, "%s",
                         o->gone != NULL ? o->gone : "none is left of it");
        break;
    }
}

static void finish(struct job *j)
{
    http_resume(j->order.call); /* the call may be gone at once */
    if (j->order.fd >= 0)
        close(j->order.fd);
    free(j->order.acknowledgement);
    free(j);
}

static void answer_later(const struct job *j)
{
    http_answer_busy(j->order.call,
                     "the service cannot keep the sale now, nothing was sold: ask again");
}

/* ---- the books ---- */

static enum tp_err begin(void *ctx, struct tp_error *e)
{
    const struct counter *c = ctx;

    return sales_begin(c->sales, e);
}

/* What came of the order before. */
static enum outcome compare(const struct sale *was, const struct counter_order *o)
{
    return memcmp(was->quote, o->sale.quote, sizeof(was->quote)) == 0 &&
                   span_eq(was->acknowledgement, span_str(o->acknowledgement))
               ? SOLD_BEFORE
               : OTHER_ORDER;
}

static enum tp_err apply(void *ctx, struct group_job *entry, struct tp_error *e)
{
    const struct counter *c = ctx;
    struct job *j = (struct job *)entry;
    struct counter_order *o = &j->order;
    int64_t sold = 0;
    bool found = false;
    enum tp_err r = sales_find(c->sales, o->sale.mediator, o->sale.order, &j->before, &found, e);

    if (r == TP_OK && found) {
        j->outcome = compare(&j->before, o);
        return TP_OK;
    }
    if (r == TP_OK && o->stock >= 0)
        r = sales_sold(c->sales, o->sale.article, &sold, e);
    if (r != TP_OK)
        return r;
    j->outcome = o->gone != NULL || (o->stock >= 0 && sold >= o->stock) ? GONE : SOLD;
    if (j->outcome == GONE)
        return TP_OK;
    o->sale.at = time(NULL);
    o->sale.acknowledgement = span_str(o->acknowledgement);
    return sales_sell(c->sales, &o->sale, e);
}

static enum tp_err commit(void *ctx, struct tp_error *e)
{
    const struct counter *c = ctx;

    return sales_commit(c->sales, e);
}

static void rollback(void *ctx)
{
    const struct counter *c = ctx;

    sales_rollback(c->sales);
}

static void done(void *ctx, struct group_jobs *jobs)
{
    struct group_job *entry;

    while ((entry = STAILQ_FIRST(jobs)) != NULL) {
        STAILQ_REMOVE_HEAD(jobs, next);
        answer(ctx, (struct job *)entry);
        finish((struct job *)entry);
    }
}

static void failed(void *ctx, struct group_jobs *jobs, const struct tp_error *e)
{
    struct group_job *entry;

    (void)ctx;
    log_error("%s", e->text);
    while ((entry = STAILQ_FIRST(jobs)) != NULL) {
        STAILQ_REMOVE_HEAD(jobs, next);
        answer_later((struct job *)entry);
        finish((struct job *)entry);
    }
}

/* ---- up and down ---- */

enum tp_err counter_open(struct counter **out, const struct shop *shop, struct kiosk *kiosk,
                         const char *dir, struct tp_error *e)
{
    struct counter *c = calloc(1, sizeof(*c));
    enum tp_err r;

    *out = NULL;
    if (c == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    c->shop = shop;
    c->kiosk = kiosk;
    const struct group_ops ops = {c, begin, apply, commit, rollback, done, failed};

    r = sales_open(&c->sales, dir, e);
    if (r == TP_OK)
        r = group_new(&c->group, &ops, e);
    if (r == TP_OK)
        r = group_start(c->group, e);
    if (r != TP_OK)
        counter_close(&c);
    *out = c;
    return r;
}

void counter_stop(struct counter *c)
{
    group_stop(c->group);
}

void counter_close(struct counter **c)
{
    if (*c == NULL)
        return;
    group_free(&(*c)->group);
    sales_close(&(*c)->sales);
    free(*c);
    *c = NULL;
}

void counter_take(struct counter *c, const struct counter_order *order)
{
    struct job *j = calloc(1, sizeof(*j));

    if (j == NULL) {
        http_answer_busy(order->call, "no memory now: ask again");
        http_resume(order->call);
        if (order->fd >= 0)
            close(order->fd);
        free(order->acknowledgement);
        return;
    }
    j->order = *order;
    if (group_offer(c->group, &j->entry) != TP_OK) {
        answer_later(j);
        finish(j);
    }
}
