/* The schema of the books, version by version: a version that has gone out is never edited, a
 * change is a new one behind it. */
#ifndef TP_LEDGER_SCHEMA_H
#define TP_LEDGER_SCHEMA_H

#include <stddef.h>

extern const char *const ledger_schema[];
extern const size_t ledger_schema_versions;

#endif
