/* A card for the in-process reader of drivers/inproc.h. */
#ifndef TP_SIMCARD_INPROC_H
#define TP_SIMCARD_INPROC_H

#include "drivers/inproc.h"
#include "simcard/card.h"

/* The card stays the caller's and outlives the reader. */
struct inproc_card card_inproc(struct card *c);

#endif
