#include "drivers/inproc.h"

#include <stdlib.h>

struct inproc {
    const struct inproc_card *card;
    uint8_t atr[READER_ATR_MAX];
    size_t atr_n;
};

static enum tp_err inproc_wait_card(void *self, int timeout_ms, struct tp_error *e)
{
    (void)self;
    (void)timeout_ms;
    (void)e;
    return TP_OK; /* whether it lives shows at power_on */
}

static enum tp_err inproc_connect(void *self, struct tp_error *e)
{
    struct inproc *p = self;
    struct buf atr = BUF_OF(p->atr);
    const enum tp_err rc = p->card->power_on(p->card->ctx, &atr);

    p->atr_n = atr.n;
    return rc == TP_OK ? TP_OK : tp_fail(e, rc, "the card does not answer to reset");
}

static enum tp_err inproc_transmit(void *self, struct span command, struct buf *response,
                                   struct tp_error *e)
{
    struct inproc *p = self;
    const enum tp_err rc = p->card->transmit(p->card->ctx, command, response);

    return rc == TP_OK ? TP_OK : tp_fail(e, rc, "the card left, or does not answer any more");
}

static void inproc_disconnect(void *self)
{
    struct inproc *p = self;

    p->card->power_off(p->card->ctx);
    p->atr_n = 0;
}

static enum tp_err inproc_reset(void *self, struct tp_error *e)
{
    inproc_disconnect(self);
    return inproc_connect(self, e);
}

static struct span inproc_atr(void *self)
{
    struct inproc *p = self;

    return span_of(p->atr, p->atr_n);
}

static struct reader_features inproc_features(void *self)
{
    (void)self;
    return (struct reader_features){false, false};
}

static void inproc_close(void *self)
{
    free(self);
}

static const struct reader_driver inproc_driver = {
    .name = "inproc",
    .wait_card = inproc_wait_card,
    .connect = inproc_connect,
    .transmit = inproc_transmit,
    .reset = inproc_reset,
    .disconnect = inproc_disconnect,
    .atr = inproc_atr,
    .features = inproc_features,
    .close = inproc_close,
};

enum tp_err inproc_open(struct reader **out, const struct inproc_card *card)
{
    struct inproc *p = calloc(1, sizeof(*p));
    enum tp_err rc;

    if (p == NULL)
        return TP_ERR_NO_MEMORY;
    p->card = card;
    rc = reader_new(out, &inproc_driver, p, "in-process card");
    if (rc != TP_OK)
        free(p);
    return rc;
}
