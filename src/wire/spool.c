#include "wire/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"

#define CHUNK    65536
#define KEY      32
#define COUNTER  16
#define NAME_FMT "%s/spool.XXXXXX"

struct spool {
    int fd;
    EVP_CIPHER_CTX *cipher;
    EVP_MD_CTX *hash;
    struct secret key;
    uint8_t counter[COUNTER];
    uint64_t size, at;
    size_t pending; /* bytes of plain not yet written */
    uint8_t plain[CHUNK], sealed[CHUNK];
};

static enum tp_err restart(struct spool *s)
{
    s->at = 0;
    return EVP_EncryptInit_ex2(s->cipher, EVP_aes_256_ctr(), s->key.p, s->counter, NULL) == 1
               ? TP_OK
               : TP_ERR_INTERNAL;
}

/* A name for an instant: the file is unlinked before anything is written to it. */
static enum tp_err open_nameless(int *fd, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    const int n = snprintf(path, sizeof(path), NAME_FMT, dir);

    if (n < 0 || (size_t)n >= sizeof(path))
        return tp_fail(e, TP_ERR_RANGE, "the path %s is too long", dir);
    *fd = mkostemp(path, O_CLOEXEC);
    if (*fd < 0 || unlink(path) != 0)
        return tp_fail(e, TP_ERR_IO, "cannot make a spool file in %s: %s", dir, strerror(errno));
    return TP_OK;
}

enum tp_err spool_new(struct spool **out, const char *dir, struct tp_error *e)
{
    struct spool *s = calloc(1, sizeof(*s));
    enum tp_err r = TP_OK;

    *out = NULL;
    if (s == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    s->fd = -1;
    s->cipher = EVP_CIPHER_CTX_new();
    s->hash = EVP_MD_CTX_new();
    if (s->cipher == NULL || s->hash == NULL || secret_alloc(&s->key, KEY) != TP_OK)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    else if (RAND_priv_bytes(s->key.p, KEY) != 1 || restart(s) != TP_OK ||
             EVP_DigestInit_ex2(s->hash, EVP_sha256(), NULL) != 1)
        r = tp_fail(e, TP_ERR_INTERNAL, "cannot encipher a spool file");
    else
        r = open_nameless(&s->fd, dir, e);
    if (r != TP_OK)
        spool_free(&s);
    *out = s;
    return r;
}

static enum tp_err write_all(int fd, const uint8_t *p, size_t n)
{
    while (n > 0) {
        const ssize_t w = write(fd, p, n);

        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return TP_ERR_IO;
        p += w;
        n -= (size_t)w;
    }
    return TP_OK;
}

static enum tp_err flush(struct spool *s)
{
    int n = 0;

    if (s->pending == 0)
        return TP_OK;
    if (EVP_EncryptUpdate(s->cipher, s->sealed, &n, s->plain, (int)s->pending) != 1)
        return TP_ERR_INTERNAL;
    s->pending = 0;
    return write_all(s->fd, s->sealed, (size_t)n);
}

enum tp_err spool_write(struct spool *s, struct span bytes)
{
    if (bytes.n > 0 && EVP_DigestUpdate(s->hash, bytes.p, bytes.n) != 1)
        return TP_ERR_INTERNAL;
    s->size += bytes.n;
    while (bytes.n > 0) {
        const size_t room = CHUNK - s->pending, n = bytes.n < room ? bytes.n : room;

        memcpy(s->plain + s->pending, bytes.p, n);
        s->pending += n;
        bytes = (struct span){bytes.p + n, bytes.n - n};
        if (s->pending == CHUNK) {
            const enum tp_err r = flush(s);

            if (r != TP_OK)
                return r;
        }
    }
    return TP_OK;
}

enum tp_err spool_finish(struct spool *s, uint8_t hash[SPOOL_HASH])
{
    const enum tp_err r = flush(s);

    if (r != TP_OK)
        return r;
    return EVP_DigestFinal_ex(s->hash, hash, NULL) == 1 ? TP_OK : TP_ERR_INTERNAL;
}

enum tp_err spool_rewind(struct spool *s)
{
    return lseek(s->fd, 0, SEEK_SET) == 0 ? restart(s) : TP_ERR_IO;
}

enum tp_err spool_read(struct spool *s, uint8_t *out, size_t cap, size_t *n)
{
    ssize_t got;
    int plain = 0;

    *n = 0;
    if (cap > CHUNK)
        cap = CHUNK;
    do
        got = read(s->fd, s->sealed, cap);
    while (got < 0 && errno == EINTR);
    if (got < 0 || (got == 0 && s->at != s->size))
        return TP_ERR_IO;
    if (got > 0 && EVP_EncryptUpdate(s->cipher, out, &plain, s->sealed, (int)got) !=
                       1) /* counter mode: both ways alike */
        return TP_ERR_INTERNAL;
    s->at += (uint64_t)got;
    *n = (size_t)got;
    return TP_OK;
}

uint64_t spool_size(const struct spool *s)
{
    return s->size;
}

void spool_free(struct spool **s)
{
    if (*s == NULL)
        return;
    if ((*s)->fd >= 0)
        close((*s)->fd);
    EVP_CIPHER_CTX_free((*s)->cipher);
    EVP_MD_CTX_free((*s)->hash);
    secret_free(&(*s)->key);
    secret_wipe((*s)->plain, sizeof((*s)->plain));
    free(*s);
    *s = NULL;
}

enum tp_err spool_source_read(void *spool, uint8_t *out, size_t cap, size_t *n)
{
    return spool_read(spool, out, cap, n);
}
