#include "base/secret.h"

#include <openssl/crypto.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define SECURE_HEAP 262144 /* room for a few hundred keys; must be a power of two */
#define SECURE_MIN  16

bool secret_start(void)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return CRYPTO_secure_malloc_initialized() == 1 ||
           CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_MIN) == 1;
}

enum tp_err secret_alloc(struct secret *s, size_t n)
{
    *s = (struct secret){NULL, 0};
    s->p = OPENSSL_secure_zalloc(n > 0 ? n : 1);
    if (s->p == NULL)
        return TP_ERR_NO_MEMORY;
    s->n = n;
    return TP_OK;
}

enum tp_err secret_copy(struct secret *s, struct span from)
{
    if (secret_alloc(s, from.n) != TP_OK)
        return TP_ERR_NO_MEMORY;
    if (from.n > 0)
        memcpy(s->p, from.p, from.n);
    return TP_OK;
}

void secret_free(struct secret *s)
{
    if (s->p != NULL)
        OPENSSL_secure_clear_free(s->p, s->n > 0 ? s->n : 1);
    *s = (struct secret){NULL, 0};
}

void secret_wipe(void *p, size_t n)
{
    OPENSSL_cleanse(p, n);
}

bool secret_eq(struct span a, struct span b)
{
    return a.n == b.n && CRYPTO_memcmp(a.p, b.p, a.n) == 0;
}

struct span secret_span(const struct secret *s)
{
    return (struct span){s->p, s->n};
}
