/* Card numbers at rest: sealed with AES-256-GCM under a key of the key file, looked up
 * by HMAC-SHA-256 under another. */
#ifndef TP_CRYPTO_SEAL_H
#define TP_CRYPTO_SEAL_H

#include "base/secret.h"

#define SEAL_OVERHEAD (12 + 16) /* nonce before, tag behind */
#define SEAL_LOOKUP   32

struct seal; /* both keys with their OpenSSL contexts; one thread at a time */

/* Makes a key file (0600, never over an existing one), or opens one. */
TP_MUST_CHECK enum tp_err seal_key_file_make(const char *path, struct tp_error *e);
TP_MUST_CHECK enum tp_err seal_open_file(struct seal **out, const char *path, struct tp_error *e);
TP_MUST_CHECK enum tp_err seal_open_dir(
    struct seal **out, const char *dir,
    struct tp_error *e); /* dir/seal.key, where daemons have it */
void seal_free(struct seal **s);

/* context is authenticated, not hidden (the record the value belongs to). out: plain.n +
 * SEAL_OVERHEAD bytes. */
TP_MUST_CHECK enum tp_err seal_close(struct seal *s, struct buf *out, struct span plain,
                                     struct span context);
/* TP_ERR_SECURITY when it was altered or the key is another. */
TP_MUST_CHECK enum tp_err seal_open(struct seal *s, struct buf *out, struct span sealed,
                                    struct span context);
TP_MUST_CHECK enum tp_err seal_lookup(struct seal *s, uint8_t out[SEAL_LOOKUP], struct span plain);

#endif
