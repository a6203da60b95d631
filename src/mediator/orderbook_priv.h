/* What the files of the books share. */
#ifndef TP_MEDIATOR_ORDERBOOK_PRIV_H
#define TP_MEDIATOR_ORDERBOOK_PRIV_H

#include "mediator/orderbook.h"

struct orderbook {
    struct db *db;
};

#endif
