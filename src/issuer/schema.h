/* The issuer's books as SQLite keeps them. */
#ifndef TP_ISSUER_SCHEMA_H
#define TP_ISSUER_SCHEMA_H

#include <stddef.h>

extern const char *const issuer_schema[];
extern const size_t issuer_schema_versions;

#endif
