#include "simcard/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"

#define STATE_FILE  "state"
#define STATE_MAGIC 0x54504353U /* TPCS */
#define SLOT_SPACE  4096        /* a slot never shares a page or a sector with the other */
#define SLOT_BODY   (4 + 4 + 2 + 2 + 1 + 1 + 2 + 4 + STATE_LOG_MAX * STATE_LOG_SIZE)
#define SLOT_SIZE   (SLOT_BODY + 32)

struct state_store {
    int fd;
    unsigned slot;     /* the one a write goes to */
    uint32_t sequence; /* of the last write */
};

static enum tp_err seal(uint8_t digest[32], const uint8_t *body)
{
    return EVP_Q_digest(NULL, "SHA256", NULL, body, SLOT_BODY, digest, NULL) == 1 ? TP_OK : TP_ERR_INTERNAL;
}

static enum tp_err encode(uint8_t raw[SLOT_SIZE], const struct card_state *s, uint32_t sequence)
{
    struct buf b = {raw, 0, SLOT_SIZE};

    if (buf_be32(&b, STATE_MAGIC) != TP_OK || buf_be32(&b, sequence) != TP_OK || buf_be16(&b, s->atc) != TP_OK ||
        buf_be16(&b, s->last_online_atc) != TP_OK || buf_u8(&b, s->pin_tries) != TP_OK || buf_u8(&b, s->flags) != TP_OK ||
        buf_be16(&b, s->offline_count) != TP_OK || buf_be32(&b, s->logged) != TP_OK || buf_put(&b, span_of(s->log, sizeof(s->log))) != TP_OK)
        return TP_ERR_INTERNAL;
    return seal(raw + SLOT_BODY, raw);
}

static enum tp_err decode(const uint8_t raw[SLOT_SIZE], struct card_state *s, uint32_t *sequence)
{
    struct span in = {raw, SLOT_BODY}, log;
    uint8_t digest[32];
    uint32_t magic;

    if (seal(digest, raw) != TP_OK || memcmp(digest, raw + SLOT_BODY, sizeof(digest)) != 0)
        return TP_ERR_FORMAT;
    if (span_be32(&in, &magic) != TP_OK || magic != STATE_MAGIC || span_be32(&in, sequence) != TP_OK || span_be16(&in, &s->atc) != TP_OK ||
        span_be16(&in, &s->last_online_atc) != TP_OK || span_u8(&in, &s->pin_tries) != TP_OK || span_u8(&in, &s->flags) != TP_OK ||
        span_be16(&in, &s->offline_count) != TP_OK || span_be32(&in, &s->logged) != TP_OK || span_take(&in, sizeof(s->log), &log) != TP_OK)
        return TP_ERR_FORMAT;
    memcpy(s->log, log.p, log.n);
    return TP_OK;
}

enum tp_err state_make(const char *dir, const struct card_state *s, struct tp_error *e)
{
    uint8_t raw[2 * SLOT_SPACE] = {0};
    char path[PATH_MAX];
    enum tp_err r = file_join(path, sizeof(path), dir, STATE_FILE, e);

    if (r != TP_OK)
        return r;
    if (access(path, F_OK) == 0)
        return tp_fail(e, TP_ERR_EXISTS, "%s is there already: a card's counter never starts again; name another folder", path);
    if (encode(raw, s, 0) != TP_OK || encode(raw + SLOT_SPACE, s, 1) != TP_OK)
        return tp_fail(e, TP_ERR_INTERNAL, "cannot encode the state of the card");
    return file_replace(path, SPAN_OF(raw), 0600, e);
}

/* Reads both slots; *slot is the older or broken one. */
static enum tp_err read_newest(int fd, struct card_state *s, uint32_t *sequence, unsigned *slot)
{
    uint8_t raw[SLOT_SIZE];
    bool found = false;

    for (unsigned i = 0; i < 2; i++) {
        struct card_state one;
        uint32_t n;

        if (pread(fd, raw, sizeof(raw), (off_t)i * SLOT_SPACE) != (ssize_t)sizeof(raw) || decode(raw, &one, &n) != TP_OK)
            continue;
        if (found && n < *sequence)
            continue;
        found = true;
        *s = one;
        *sequence = n;
        *slot = 1 - i;
    }
    return found ? TP_OK : TP_ERR_FORMAT;
}

static enum tp_err open_file(int *fd, char path[PATH_MAX], const char *dir, int flags, struct tp_error *e)
{
    const enum tp_err r = file_join(path, PATH_MAX, dir, STATE_FILE, e);

    if (r != TP_OK)
        return r;
    *fd = open(path, flags | O_CLOEXEC);
    if (*fd < 0)
        return tp_fail(e, errno == ENOENT ? TP_ERR_NOT_FOUND : TP_ERR_IO, "cannot open %s: %s; a card is made with: telepay-perso card", path,
                       strerror(errno));
    return TP_OK;
}

enum tp_err state_open(struct state_store **out, struct card_state *s, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    struct state_store *st = calloc(1, sizeof(*st));
    enum tp_err r = TP_ERR_NO_MEMORY;

    *out = NULL;
    if (st == NULL)
        return tp_fail(e, r, "out of memory");
    st->fd = -1;
    r = open_file(&st->fd, path, dir, O_RDWR, e);
    if (r != TP_OK)
        goto out;
    if (flock(st->fd, LOCK_EX | LOCK_NB) != 0) {
        r = tp_fail(e, TP_ERR_STATE, "the card %s is in use by another process", dir);
        goto out;
    }
    r = read_newest(st->fd, s, &st->sequence, &st->slot);
    if (r != TP_OK) {
        r = tp_fail(e, r, "%s is damaged: neither of its two copies is whole", path);
        goto out;
    }
    /* What was read may have been a STATE_SOON of a process before: make it durable, so that the slot written next is the older one for sure. */
    if (fdatasync(st->fd) != 0) {
        r = tp_fail(e, TP_ERR_IO, "cannot make %s durable: %s", path, strerror(errno));
        goto out;
    }
    *out = st;
    st = NULL;
out:
    state_close(&st);
    return r;
}

enum tp_err state_peek(struct card_state *s, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    uint32_t sequence;
    unsigned slot;
    int fd;
    enum tp_err r = open_file(&fd, path, dir, O_RDONLY, e);

    if (r != TP_OK)
        return r;
    r = read_newest(fd, s, &sequence, &slot);
    close(fd);
    return r == TP_OK ? r : tp_fail(e, r, "%s is damaged: neither of its two copies is whole", path);
}

void state_close(struct state_store **st)
{
    if (*st == NULL)
        return;
    if ((*st)->fd >= 0)
        close((*st)->fd); /* drops the lock */
    free(*st);
    *st = NULL;
}

enum tp_err state_write(struct state_store *st, const struct card_state *s, enum state_when when)
{
    uint8_t raw[SLOT_SIZE];

    if (st->sequence == UINT32_MAX)
        return TP_ERR_RANGE;
    if (encode(raw, s, st->sequence + 1) != TP_OK)
        return TP_ERR_INTERNAL;
    if (pwrite(st->fd, raw, sizeof(raw), (off_t)st->slot * SLOT_SPACE) != (ssize_t)sizeof(raw))
        return TP_ERR_IO;
    st->sequence++;
    if (when == STATE_SOON)
        return TP_OK; /* the same slot again next time: the other one is the durable one */
    if (fdatasync(st->fd) != 0)
        return TP_ERR_IO;
    st->slot = 1 - st->slot;
    return TP_OK;
}
