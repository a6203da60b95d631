#include "issuer/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define FILE_NAME "issuer.keys"
#define MAGIC                                                                                      \
    "telepay issuer 1\n" /* then three keys of triple DES, and three of AES or nothing             \
                          */
#define MAGIC_N (sizeof(MAGIC) - 1)
#define HALF    ((size_t)ISSUER_KEYS * EMV_KEY_SIZE)

/* A whole file into locked memory: *n of room's bytes. */
static enum tp_err read_file(struct secret *room, size_t *n, const char *path, struct tp_error *e)
{
    ssize_t got = 1;
    int fd;
    enum tp_err r = file_check_private(path, e);

    *n = 0;
    if (r != TP_OK)
        return r;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return tp_fail(e, TP_ERR_IO, "cannot read the keys in %s: %s", path, strerror(errno));
    while (got != 0 && *n < room->n) {
        got = read(fd, room->p + *n, room->n - *n);
        if (got > 0)
            *n += (size_t)got;
        else if (got < 0 && errno != EINTR)
            break;
    }
    if (got < 0)
        r = tp_fail(e, TP_ERR_IO, "cannot read the keys in %s: %s", path, strerror(errno));
    close(fd);
    return r;
}

/* Three keys out of a scheme's file, after what is in content already. */
static enum tp_err take_half(struct buf *content, const char *scheme_dir, const char *name,
                             struct tp_error *e)
{
    struct secret room = {NULL, 0};
    char path[PATH_MAX];
    size_t n = 0;
    enum tp_err r = file_join(path, sizeof(path), scheme_dir, name, e);

    if (r == TP_OK && secret_alloc(&room, HALF + 1) != TP_OK)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    if (r == TP_OK)
        r = read_file(&room, &n, path, e);
    if (r == TP_OK && n != HALF)
        r = tp_fail(e, TP_ERR_FORMAT, "%s does not hold three keys of %d bytes", path,
                    EMV_KEY_SIZE);
    if (r == TP_OK)
        r = buf_put(content, span_of(room.p, n));
    secret_free(&room);
    return r;
}

/* What a scheme has, as issuer.keys has it. */
static enum tp_err read_scheme(struct secret *room, size_t *n, const char *scheme_dir,
                               struct tp_error *e)
{
    struct buf content = {room->p, 0, room->n};
    enum tp_err r = buf_put(&content, span_str(MAGIC));

    if (r == TP_OK)
        r = take_half(&content, scheme_dir, "issuer.secret", e);
    if (r == TP_OK) {
        r = take_half(&content, scheme_dir, "issuer-aes.secret", e);
        if (r == TP_ERR_NOT_FOUND) /* a scheme of before telepay 0.2 */
            r = TP_OK;
    }
    *n = content.n;
    return r;
}

enum tp_err issuer_keys_take(const char *dir, const char *scheme_dir, struct tp_error *e)
{
    struct secret room = {NULL, 0};
    char path[PATH_MAX];
    size_t n = 0;
    enum tp_err r = file_join(path, sizeof(path), dir, FILE_NAME, e);

    if (r == TP_OK && access(path, F_OK) == 0)
        return tp_fail(e, TP_ERR_EXISTS, "%s is there already", path);
    if (r == TP_OK && secret_alloc(&room, MAGIC_N + 2 * HALF) != TP_OK)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    if (r == TP_OK)
        r = read_scheme(&room, &n, scheme_dir, e);
    if (r == TP_OK)
        r = file_replace(path, span_of(room.p, n), 0600, e);
    secret_free(&room);
    return r;
}

/* The keys in what issuer.keys holds. */
static enum tp_err parse_keys(struct issuer_keys *k, struct span content, const char *path,
                              struct tp_error *e)
{
    enum tp_err r = TP_OK;

    if ((content.n != MAGIC_N + HALF && content.n != MAGIC_N + 2 * HALF) ||
        memcmp(content.p, MAGIC, MAGIC_N) != 0)
        return tp_fail(e, TP_ERR_FORMAT, "%s is no file of issuer keys", path);
    for (size_t i = 0; r == TP_OK && i < (content.n - MAGIC_N) / EMV_KEY_SIZE; i++)
        r = secret_copy(&k->key[i / ISSUER_KEYS][i % ISSUER_KEYS],
                        span_of(content.p + MAGIC_N + i * EMV_KEY_SIZE, EMV_KEY_SIZE));
    return r;
}

static enum tp_err load(struct issuer_keys **out, const char *dir, bool scheme, struct tp_error *e)
{
    struct issuer_keys *k = calloc(1, sizeof(*k));
    struct secret room = {NULL, 0};
    char path[PATH_MAX];
    size_t n = 0;
    enum tp_err r = file_join(path, sizeof(path), dir, FILE_NAME, e);

    *out = NULL;
    if (r == TP_OK && (k == NULL || secret_alloc(&room, MAGIC_N + 2 * HALF + 1) != TP_OK))
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    if (r == TP_OK)
        r = scheme ? read_scheme(&room, &n, dir, e) : read_file(&room, &n, path, e);
    if (r == TP_OK)
        r = parse_keys(k, span_of(room.p, n), path, e);
    secret_free(&room);
    if (r == TP_OK)
        *out = k;
    else
        issuer_keys_free(&k);
    return r;
}

enum tp_err issuer_keys_load(struct issuer_keys **out, const char *dir, struct tp_error *e)
{
    return load(out, dir, false, e);
}

enum tp_err issuer_keys_of_scheme(struct issuer_keys **out, const char *scheme_dir,
                                  struct tp_error *e)
{
    return load(out, scheme_dir, true, e);
}

void issuer_keys_free(struct issuer_keys **k)
{
    if (*k == NULL)
        return;
    for (size_t i = 0; i < (size_t)2 * ISSUER_KEYS; i++)
        secret_free(&(*k)->key[i / ISSUER_KEYS][i % ISSUER_KEYS]);
    free(*k);
    *k = NULL;
}

bool issuer_keys_serve(const struct issuer_keys *k, enum emv_cvn cvn)
{
    return k->key[emv_cvn_cipher(cvn)][ISSUER_KEY_AC].p != NULL;
}

enum tp_err issuer_keys_card(struct secret *out, const struct issuer_keys *k, enum issuer_key use,
                             enum emv_cvn cvn, const char *pan, uint8_t psn)
{
    const struct secret *from = &k->key[emv_cvn_cipher(cvn)][use];

    *out = (struct secret){NULL, 0};
    if (from->p == NULL)
        return TP_ERR_NOT_FOUND;
    return emv_master_key_derive(out, cvn, secret_span(from), pan, psn);
}
