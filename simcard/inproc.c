#include "simcard/inproc.h"

static enum tp_err power_on(void *ctx, struct buf *atr)
{
    return card_power_on(ctx, atr);
}

static enum tp_err transmit(void *ctx, struct span command, struct buf *response)
{
    return card_transmit(ctx, command, response);
}

static void power_off(void *ctx)
{
    card_power_off(ctx);
}

struct inproc_card card_inproc(struct card *c)
{
    return (struct inproc_card){c, power_on, transmit, power_off};
}
