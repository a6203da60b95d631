/* Secrets: PINs and keys. They live in locked memory that no core file or swap sees, are wiped when
 * freed, and are compared in constant time. A secret is never an argument of a log or error call.
 */
#ifndef TP_BASE_SECRET_H
#define TP_BASE_SECRET_H

#include "base/span.h"

struct secret {
    uint8_t *p; /* owned; NULL when empty */
    size_t n;
};

/* Once, before the first secret: opens the locked heap (OpenSSL's secure heap), forbids core files
 * and tracing by other processes of the user. Returns false when memory could not be locked (too
 * low a limit): secrets then still work. */
bool secret_start(void);

/* n zeroed bytes. TP_ERR_NO_MEMORY. */
TP_MUST_CHECK enum tp_err secret_alloc(struct secret *s, size_t n);
TP_MUST_CHECK enum tp_err secret_copy(struct secret *s, struct span from);
void secret_free(struct secret *s); /* wipes, frees, empties; an empty one is fine */

void secret_wipe(void *p, size_t n);
bool secret_eq(struct span a, struct span b); /* constant time for equal lengths */
struct span secret_span(const struct secret *s);

#endif
