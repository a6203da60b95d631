#include "simcard/turn.h"

static enum tp_err turn_atr(void *ctx, struct buf *atr)
{
    struct card_turn *t = ctx;

    return t->over ? TP_ERR_CARD : card_atr(t->card, atr);
}

static enum tp_err turn_power_on(void *ctx, struct buf *atr)
{
    struct card_turn *t = ctx;

    return t->over ? TP_ERR_CARD : card_power_on(t->card, atr);
}

static void turn_power_off(void *ctx)
{
    struct card_turn *t = ctx;

    card_power_off(t->card);
    t->over = t->used;
}

static enum tp_err turn_transmit(void *ctx, struct span command, struct buf *response)
{
    struct card_turn *t = ctx;

    t->used = true;
    return t->over ? TP_ERR_CARD : card_transmit(t->card, command, response);
}

static bool turn_gone(void *ctx)
{
    const struct card_turn *t = ctx;

    return t->over || card_gone(t->card);
}

struct vpcd_card card_turn_vpcd(struct card_turn *turn)
{
    return (struct vpcd_card){turn,           turn_atr,      turn_power_on,
                              turn_power_off, turn_transmit, turn_gone};
}
