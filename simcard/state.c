#include "simcard/state.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/secret.h"

#define STATE_FILE   "state"
#define MAGIC_1      0x54504353U /* TPCS: version 1 */
#define MAGIC        0x54505300U /* TPS and the version's digit */
#define VERSION      '2'
#define VERSION_LAST '9'
#define SLOT_SPACE   4096 /* a slot never shares a page or a sector with the other */
#define SLOTS        2
#define DIGEST       32
#define LOG_BYTES    ((size_t)STATE_LOG_MAX * STATE_LOG_SIZE)
#define BODY_1       (4 + 4 + 2 + 2 + 1 + 1 + 2 + 4 + LOG_BYTES)
#define BODY_MIN                                                                                   \
    (4 + 4 + 2 + 4 * 2 + 2 + 4 + 3 * 8 + 2 * 2 + 8 + LOG_BYTES) /* without changed records */

static_assert(BODY_MIN + STATE_CHANGED_MAX + DIGEST <= SLOT_SPACE, "a full state fits a slot");

struct state_store {
    int fd;
    unsigned slot;     /* the one a write goes to */
    uint32_t sequence; /* of the last write */
};

static enum tp_err seal(uint8_t digest[DIGEST], struct span body)
{
    return EVP_Q_digest(NULL, "SHA256", NULL, body.p, body.n, digest, NULL) == 1 ? TP_OK
                                                                                 : TP_ERR_INTERNAL;
}

static enum tp_err put_be64(struct buf *b, uint64_t v)
{
    const enum tp_err r = buf_be32(b, (uint32_t)(v >> 32));

    return r == TP_OK ? buf_be32(b, (uint32_t)v) : r;
}

static enum tp_err get_be64(struct span *in, uint64_t *v)
{
    uint32_t high, low;

    if (span_be32(in, &high) != TP_OK || span_be32(in, &low) != TP_OK)
        return TP_ERR_FORMAT;
    *v = (uint64_t)high << 32 | low;
    return TP_OK;
}

/* The slot as written, its digest last. */
static enum tp_err encode(struct buf *b, const struct card_state *s, uint32_t sequence)
{
    const size_t n = BODY_MIN + s->changed_n;

    if (buf_be32(b, MAGIC | VERSION) != TP_OK || buf_be32(b, sequence) != TP_OK ||
        buf_be16(b, (uint16_t)n) != TP_OK || buf_be16(b, s->atc) != TP_OK ||
        buf_be16(b, s->last_online_atc) != TP_OK || buf_be16(b, s->offline_count) != TP_OK ||
        buf_be16(b, s->flags) != TP_OK || buf_u8(b, s->pin_tries) != TP_OK ||
        buf_u8(b, s->scripts) != TP_OK || buf_be32(b, s->logged) != TP_OK ||
        put_be64(b, s->offline_amount) != TP_OK || put_be64(b, s->limits.amount_limit) != TP_OK ||
        put_be64(b, s->limits.amount_maximum) != TP_OK ||
        buf_be16(b, s->limits.count_limit) != TP_OK ||
        buf_be16(b, s->limits.count_maximum) != TP_OK ||
        buf_put(b, SPAN_OF(s->pin_block)) != TP_OK ||
        buf_put(b, span_of(s->log, LOG_BYTES)) != TP_OK ||
        buf_put(b, span_of(s->changed, s->changed_n)) != TP_OK)
        return TP_ERR_INTERNAL;
    if (b->n != n || b->cap - n < DIGEST || seal(b->p + n, buf_span(b)) != TP_OK)
        return TP_ERR_INTERNAL;
    b->n += DIGEST;
    return TP_OK;
}

static enum tp_err take_bytes(struct span *in, void *out, size_t n)
{
    struct span bytes;
    const enum tp_err r = span_take(in, n, &bytes);

    if (r == TP_OK && n > 0)
        memcpy(out, bytes.p, n);
    return r;
}

/* After magic and sequence number. */
static enum tp_err decode_1(struct span in, struct card_state *s)
{
    uint8_t flags;

    if (span_be16(&in, &s->atc) != TP_OK || span_be16(&in, &s->last_online_atc) != TP_OK ||
        span_u8(&in, &s->pin_tries) != TP_OK || span_u8(&in, &flags) != TP_OK ||
        span_be16(&in, &s->offline_count) != TP_OK || span_be32(&in, &s->logged) != TP_OK ||
        take_bytes(&in, s->log, LOG_BYTES) != TP_OK)
        return TP_ERR_FORMAT;
    s->flags = flags & (STATE_APP_BLOCKED | STATE_ONLINE_PENDING);
    return TP_OK;
}

/* After magic, sequence number and length. */
static enum tp_err decode_2(struct span in, struct card_state *s)
{
    s->changed_n = (uint16_t)(in.n - (BODY_MIN - 10));
    if (span_be16(&in, &s->atc) != TP_OK || span_be16(&in, &s->last_online_atc) != TP_OK ||
        span_be16(&in, &s->offline_count) != TP_OK || span_be16(&in, &s->flags) != TP_OK ||
        span_u8(&in, &s->pin_tries) != TP_OK || span_u8(&in, &s->scripts) != TP_OK ||
        span_be32(&in, &s->logged) != TP_OK || get_be64(&in, &s->offline_amount) != TP_OK ||
        get_be64(&in, &s->limits.amount_limit) != TP_OK ||
        get_be64(&in, &s->limits.amount_maximum) != TP_OK ||
        span_be16(&in, &s->limits.count_limit) != TP_OK ||
        span_be16(&in, &s->limits.count_maximum) != TP_OK ||
        take_bytes(&in, s->pin_block, sizeof(s->pin_block)) != TP_OK ||
        take_bytes(&in, s->log, LOG_BYTES) != TP_OK ||
        take_bytes(&in, s->changed, s->changed_n) != TP_OK)
        return TP_ERR_FORMAT;
    return TP_OK;
}

/* Whether it is whole does not matter: a later telepay wrote here. */
static bool later_version(uint32_t magic)
{
    return (magic & 0xFFFFFF00U) == MAGIC && (magic & 0xFF) > VERSION &&
           (magic & 0xFF) <= VERSION_LAST;
}

static enum tp_err decode(const uint8_t raw[SLOT_SPACE], struct card_state *s, uint32_t *sequence,
                          uint32_t *magic)
{
    struct span in = {raw, SLOT_SPACE};
    uint8_t digest[DIGEST];
    uint16_t length;
    size_t n = BODY_1;

    memset(s, 0, sizeof(*s));
    if (span_be32(&in, magic) != TP_OK || span_be32(&in, sequence) != TP_OK)
        return TP_ERR_FORMAT;
    if (*magic == (MAGIC | VERSION)) {
        if (span_be16(&in, &length) != TP_OK || length < BODY_MIN ||
            length > BODY_MIN + STATE_CHANGED_MAX)
            return TP_ERR_FORMAT;
        n = length;
    } else if (*magic != MAGIC_1) {
        return TP_ERR_FORMAT;
    }
    if (seal(digest, span_of(raw, n)) != TP_OK || memcmp(digest, raw + n, sizeof(digest)) != 0)
        return TP_ERR_FORMAT;
    in.n = n - (size_t)(in.p - raw);
    return *magic == MAGIC_1 ? decode_1(in, s) : decode_2(in, s);
}

/* ---- changed records ---- */

enum tp_err state_changed_next(struct span *in, uint8_t *sfi, uint8_t *number, struct span *record)
{
    uint8_t n;

    if (in->n == 0)
        return TP_ERR_NOT_FOUND;
    if (span_u8(in, sfi) != TP_OK || span_u8(in, number) != TP_OK || span_u8(in, &n) != TP_OK)
        return TP_ERR_FORMAT;
    return span_take(in, n, record);
}

static enum tp_err put_changed(struct buf *b, uint8_t sfi, uint8_t number, struct span record)
{
    if (record.n > UINT8_MAX || buf_u8(b, sfi) != TP_OK || buf_u8(b, number) != TP_OK ||
        buf_u8(b, (uint8_t)record.n) != TP_OK)
        return TP_ERR_RANGE;
    return buf_put(b, record);
}

enum tp_err state_change(struct card_state *s, uint8_t sfi, uint8_t number, struct span record)
{
    uint8_t raw[STATE_CHANGED_MAX], old_sfi, old_number;
    struct buf b = BUF_OF(raw);
    struct span in = {s->changed, s->changed_n}, old;
    enum tp_err r = TP_OK;

    while (r == TP_OK && state_changed_next(&in, &old_sfi, &old_number, &old) == TP_OK)
        if (old_sfi != sfi || old_number != number)
            r = put_changed(&b, old_sfi, old_number, old);
    if (r == TP_OK)
        r = put_changed(&b, sfi, number, record);
    if (r != TP_OK)
        return TP_ERR_RANGE;
    memcpy(s->changed, raw, b.n);
    s->changed_n = (uint16_t)b.n;
    return TP_OK;
}

/* ---- the file ---- */

void state_fresh(struct card_state *s, const struct card_profile *p)
{
    *s =
        (struct card_state){.pin_tries = p->pin_tries, .flags = p->blocked ? STATE_APP_BLOCKED : 0};
    for (size_t i = 0; i < p->apps_n; i++)
        s->flags |= (uint16_t)(p->apps[i].blocked ? STATE_ONE_BLOCKED << i : 0);
}

enum tp_err state_make(const char *dir, const struct card_state *s, struct tp_error *e)
{
    uint8_t raw[SLOTS * SLOT_SPACE] = {0};
    char path[PATH_MAX];
    enum tp_err r = file_join(path, sizeof(path), dir, STATE_FILE, e);

    if (r != TP_OK)
        return r;
    if (access(path, F_OK) == 0)
        return tp_fail(
            e, TP_ERR_EXISTS,
            "%s is there already: a card's counter never starts again; name another folder", path);
    for (unsigned i = 0; i < SLOTS; i++) {
        struct buf slot = {raw + (size_t)i * SLOT_SPACE, 0, SLOT_SPACE};

        if (encode(&slot, s, i) != TP_OK)
            return tp_fail(e, TP_ERR_INTERNAL, "cannot encode the state of the card");
    }
    return file_replace(path, SPAN_OF(raw), 0600, e);
}

struct newest {
    struct card_state state;
    uint32_t sequence;
    unsigned slot; /* the older or broken one */
    bool found;
    bool old;   /* of version 1 */
    bool later; /* some slot is of a later version: the other one is not to be believed, its ATC may
                   have been used since */
};

static void read_newest(int fd, struct newest *out)
{
    uint8_t raw[SLOT_SPACE];

    *out = (struct newest){.found = false};
    for (unsigned i = 0; i < SLOTS; i++) {
        struct card_state one;
        uint32_t n, magic = 0;

        memset(raw, 0, sizeof(raw)); /* a file of version 1 ends behind the second slot's bytes */
        if (pread(fd, raw, sizeof(raw), (off_t)i * SLOT_SPACE) < 0)
            continue;
        const enum tp_err r = decode(raw, &one, &n, &magic);

        out->later |= later_version(magic);
        if (r != TP_OK || (out->found && n < out->sequence))
            continue;
        out->found = true;
        out->old = magic == MAGIC_1;
        out->state = one;
        out->sequence = n;
        out->slot = 1 - i;
    }
    secret_wipe(raw, sizeof(raw));
}

static enum tp_err check_newest(const struct newest *n, const char *path, struct tp_error *e)
{
    if (n->later)
        return tp_fail(e, TP_ERR_FORMAT,
                       "%s was written by a later telepay than this one: use that one", path);
    return n->found ? TP_OK
                    : tp_fail(e, TP_ERR_FORMAT, "%s is damaged: neither of its two copies is whole",
                              path);
}

static enum tp_err open_file(int *fd, char path[PATH_MAX], const char *dir, int flags,
                             struct tp_error *e)
{
    enum tp_err r = file_join(path, PATH_MAX, dir, STATE_FILE, e);

    if (r == TP_OK && (flags & O_CREAT) == 0 && access(path, F_OK) == 0)
        r = file_check_private(path, e);
    if (r != TP_OK)
        return r;
    *fd = open(path, flags | O_CLOEXEC);
    if (*fd < 0)
        return tp_fail(e, errno == ENOENT ? TP_ERR_NOT_FOUND : TP_ERR_IO,
                       "cannot open %s: %s; a card is made with: telepay-perso card", path,
                       strerror(errno));
    return TP_OK;
}

enum tp_err state_open(struct state_store **out, struct card_state *s, const char *dir,
                       struct tp_error *e)
{
    char path[PATH_MAX];
    struct state_store *st = calloc(1, sizeof(*st));
    struct newest newest = {.found = false};
    enum tp_err r = TP_ERR_NO_MEMORY;

    *out = NULL;
    if (st == NULL)
        return tp_fail(e, r, "out of memory");
    st->fd = -1;
    r = open_file(&st->fd, path, dir, O_RDWR, e);
    if (r != TP_OK)
        goto out;
    if (flock(st->fd, LOCK_EX | LOCK_NB) != 0) {
        r = tp_fail(e, TP_ERR_STATE,
                    "the card %s is in use by another process, as when another telepay-simcard "
                    "plays it: end that one first, "
                    "or play a copy of the folder",
                    dir);
        goto out;
    }
    read_newest(st->fd, &newest);
    r = check_newest(&newest, path, e);
    if (r != TP_OK)
        goto out;
    *s = newest.state;
    st->sequence = newest.sequence;
    st->slot = newest.slot;
    /* What was read may have been a STATE_SOON of a process before: make it durable, so that the
     * slot written next is the older one for sure. */
    if (fdatasync(st->fd) != 0) {
        r = tp_fail(e, TP_ERR_IO, "cannot make %s durable: %s", path, strerror(errno));
        goto out;
    }
    for (unsigned i = 0; newest.old && i < SLOTS;
         i++) /* both, so that a telepay that knows version 1 alone finds nothing to go back to */
        if (state_write(st, s, STATE_SYNC) != TP_OK) {
            r = tp_fail(e, TP_ERR_IO, "cannot bring %s to version %c: %s", path, VERSION,
                        strerror(errno));
            goto out;
        }
    *out = st;
    st = NULL;
out:
    secret_wipe(&newest, sizeof(newest));
    state_close(&st);
    return r;
}

enum tp_err state_peek(struct card_state *s, const char *dir, struct tp_error *e)
{
    struct newest newest;
    char path[PATH_MAX];
    int fd;
    enum tp_err r = open_file(&fd, path, dir, O_RDONLY, e);

    if (r != TP_OK)
        return r;
    read_newest(fd, &newest);
    close(fd);
    r = check_newest(&newest, path, e);
    if (r == TP_OK)
        *s = newest.state;
    secret_wipe(&newest, sizeof(newest));
    return r;
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
    uint8_t raw[SLOT_SPACE];
    struct buf b = BUF_OF(raw);
    enum tp_err r = TP_OK;

    if (st->sequence == UINT32_MAX)
        return TP_ERR_RANGE;
    if (encode(&b, s, st->sequence + 1) != TP_OK)
        r = TP_ERR_INTERNAL;
    else if (pwrite(st->fd, raw, b.n, (off_t)st->slot * SLOT_SPACE) != (ssize_t)b.n)
        r = TP_ERR_IO;
    secret_wipe(raw, sizeof(raw));
    if (r != TP_OK)
        return r;
    st->sequence++;
    if (when == STATE_SOON)
        return TP_OK; /* the same slot again next time: the other one is the durable one */
    if (fdatasync(st->fd) != 0)
        return TP_ERR_IO;
    st->slot = 1 - st->slot;
    return TP_OK;
}
