/* The schema of the books: what they are today, and what older versions become. A migration that
 * has gone out is never edited; a change is a new one behind it. */
#ifndef TP_LEDGER_SCHEMA_H
#define TP_LEDGER_SCHEMA_H

#include "store/schema.h"

extern const struct db_schema ledger_schema;

#endif
