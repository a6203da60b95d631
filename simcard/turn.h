/* A card that leaves the reader by itself: when it was used and is powered down. So many cards take
 * turns in one reader. */
#ifndef TP_SIMCARD_TURN_H
#define TP_SIMCARD_TURN_H

#include "simcard/vpcd.h"

struct card_turn { /* the caller's; false but for the card */
    struct card *card;
    bool used; /* it answered a command since it was put in */
    bool over; /* it has left: no ATR any more */
};

struct vpcd_card card_turn_vpcd(struct card_turn *turn);

#endif
