#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define BUSY_MS 10000

struct kept {
    const char *sql;
    sqlite3_stmt *statement;
};

struct db {
    sqlite3 *handle;
    char *path;
    struct kept *kept; /* open addressing by the literal's address; room is a power of two, at most
                          half full */
    size_t n, room;
};

static enum tp_err constraint(const char *path, int code, const char *said, struct tp_error *e)
{
    switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return tp_fail(e, TP_ERR_EXISTS, "%s holds that already (%s)", path, said);
    case SQLITE_CONSTRAINT_TRIGGER: /* the words of RAISE in the schema */
        return tp_fail(e, TP_ERR_STATE, "%s: %s", path, said);
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        return tp_fail(e, TP_ERR_NOT_FOUND, "%s does not hold what this belongs to (%s)", path,
                       said);
    default:
        return tp_fail(e, TP_ERR_RANGE, "%s does not take that value (%s)", path, said);
    }
}

/* The sentence and code for what SQLite answered: what failed, on what, and what to do. */
static enum tp_err failed(const char *path, int code, const char *said, struct tp_error *e)
{
    switch (code & 0xFF) {
    case SQLITE_CONSTRAINT:
        return constraint(path, code, said, e);
    case SQLITE_FULL:
        return tp_fail(e, TP_ERR_IO,
                       "the disk that holds %s is full: make room; nothing of this was kept", path);
    case SQLITE_READONLY:
        return tp_fail(e, TP_ERR_IO,
                       "%s is read-only: give this user the right to write it and its folder; "
                       "nothing of this was kept",
                       path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return tp_fail(
            e, TP_ERR_IO,
            "%s is in use by another program for more than %d s: try again when it is done", path,
            BUSY_MS / 1000);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return tp_fail(e, TP_ERR_IO,
                       "%s is damaged or no database (%s): keep the file and restore the last copy",
                       path, said);
    case SQLITE_CANTOPEN:
        return tp_fail(e, TP_ERR_IO,
                       "cannot open %s: this user must be able to read and write it and its folder",
                       path);
    case SQLITE_IOERR:
        return tp_fail(e, TP_ERR_IO, "the disk fails under %s (%s): nothing of this was kept", path,
                       said);
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return tp_fail(e, TP_ERR_IO, "%s must not be touched by this user (%s)", path, said);
    case SQLITE_NOMEM:
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory in %s", path);
    case SQLITE_TOOBIG:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH:
        return tp_fail(e, TP_ERR_RANGE, "%s does not take that value (%s)", path, said);
    default:
        return tp_fail(e, TP_ERR_INTERNAL, "%s: %s", path, said);
    }
}

/* SQLite calls a full disk an I/O error where it is the log beside the books that finds no room. */
static bool is_full(struct db *d)
{
    const int system = sqlite3_system_errno(d->handle);
    struct statvfs disk;

    return system == ENOSPC || system == EDQUOT ||
           (statvfs(d->path, &disk) == 0 && disk.f_bavail == 0);
}

static enum tp_err fail(struct db *d, struct tp_error *e)
{
    const int code = sqlite3_extended_errcode(d->handle);

    return failed(d->path, (code & 0xFF) == SQLITE_IOERR && is_full(d) ? SQLITE_FULL : code,
                  sqlite3_errmsg(d->handle), e);
}

static enum tp_err exec(struct db *d, const char *sql, struct tp_error *e)
{
    return sqlite3_exec(d->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? TP_OK : fail(d, e);
}

/* WAL cannot be had on a file system without shared memory, and SQLite then says the old mode
 * instead of failing. */
static enum tp_err use_wal(struct db *d, struct tp_error *e)
{
    enum tp_err r = TP_OK;
    bool row = false;
    sqlite3_stmt *s = NULL;

    if (sqlite3_prepare_v2(d->handle, "PRAGMA journal_mode = WAL", -1, &s, NULL) != SQLITE_OK)
        return fail(d, e);
    r = db_step(d, s, &row, e);
    if (r == TP_OK && (!row || strcmp(db_column_text(s, 0), "wal") != 0))
        r = tp_fail(e, TP_ERR_IO,
                    "%s cannot have a write-ahead log where it is: move it to a local disk",
                    d->path);
    sqlite3_finalize(s);
    return r;
}

static enum tp_err version_of(struct db *d, size_t *version, struct tp_error *e)
{
    enum tp_err r = TP_OK;
    bool row = false;
    sqlite3_stmt *s = NULL;

    if (sqlite3_prepare_v2(d->handle, "PRAGMA user_version", -1, &s, NULL) != SQLITE_OK)
        return fail(d, e);
    r = db_step(d, s, &row, e);
    *version = row ? (size_t)sqlite3_column_int(s, 0) : 0;
    sqlite3_finalize(s);
    return r;
}

enum tp_err db_touch(struct db *d, struct tp_error *e)
{
    char pragma[48];
    size_t version = 0;
    enum tp_err r = version_of(d, &version, e);

    snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %zu", version);
    return r == TP_OK ? exec(d, pragma, e) : r;
}

static enum tp_err raise_version(struct db *d, size_t from, const char *const *schema,
                                 size_t versions, struct tp_error *e)
{
    char pragma[48];
    enum tp_err r = TP_OK;

    for (size_t i = from; i < versions && r == TP_OK; i++)
        r = exec(d, schema[i], e);
    if (r != TP_OK)
        return r;
    snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %zu", versions);
    return exec(d, pragma, e);
}

static enum tp_err bring_up(struct db *d, const char *const *schema, size_t versions,
                            struct tp_error *e)
{
    size_t have = 0;
    enum tp_err r = version_of(d, &have, e);

    if (r != TP_OK || have == versions)
        return r;
    r = db_begin(d, e);
    if (r == TP_OK) /* another process may have done it meanwhile */
        r = version_of(d, &have, e);
    if (r == TP_OK && have > versions)
        r = tp_fail(
            e, TP_ERR_STATE,
            "%s was made by a newer telepay (version %zu, this one knows %zu): use that one",
            d->path, have, versions);
    if (r == TP_OK && have < versions)
        r = raise_version(d, have, schema, versions, e);
    if (r == TP_OK)
        r = db_commit(d, e);
    db_rollback(d);
    return r;
}

/* The file is made by hand, so that it (and the log files, which take its mode) is nobody else's to
 * read. One that exists is never opened here: closing it again would drop the POSIX locks of every
 * other connection of this process, and another process would then take the log for nobody's and
 * delete it (sqlite.org/howtocorrupt.html, 2.2). */
static enum tp_err make_file(const char *path, bool create, struct tp_error *e)
{
    const int fd = create ? open(path, O_RDONLY | O_CLOEXEC | O_CREAT | O_EXCL, 0600) : -1;
    struct stat st;

    if (fd >= 0)
        close(fd);
    else if (create && errno != EEXIST)
        return tp_fail(e, TP_ERR_IO, "cannot make %s: %s", path, strerror(errno));
    if (stat(path, &st) == 0)
        return TP_OK;
    if (errno == ENOENT)
        return tp_fail(e, TP_ERR_NOT_FOUND, "there is no database %s", path);
    return tp_fail(e, TP_ERR_IO, "cannot open %s: %s", path, strerror(errno));
}

enum tp_err db_open(struct db **out, const char *path, bool create, const char *const *schema,
                    size_t versions, struct tp_error *e)
{
    struct db *d = calloc(1, sizeof(*d));
    enum tp_err r = TP_OK;

    *out = NULL;
    if (d == NULL || (d->path = strdup(path)) == NULL) {
        r = tp_fail(e, TP_ERR_NO_MEMORY, "cannot open %s: out of memory", path);
        goto out;
    }
    r = make_file(path, create, e);
    if (r != TP_OK)
        goto out;
    if (sqlite3_open_v2(path, &d->handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                        NULL) != SQLITE_OK) {
        r = d->handle != NULL ? fail(d, e)
                              : tp_fail(e, TP_ERR_NO_MEMORY, "cannot open %s: out of memory", path);
        goto out;
    }
    /* SQLite falls back to reading alone, and would give the mode of such a file to the log beside
     * it, where it stays. */
    if (sqlite3_db_readonly(d->handle, "main") != 0) {
        r = failed(path, SQLITE_READONLY, "", e);
        goto out;
    }
    sqlite3_busy_timeout(d->handle, BUSY_MS);
    r = use_wal(d, e);
    if (r == TP_OK)
        r = exec(d,
                 "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = "
                 "OFF; PRAGMA cell_size_check = ON",
                 e);
    if (r == TP_OK)
        r = bring_up(d, schema, versions, e);
    if (r != TP_OK)
        goto out;
    *out = d;
    d = NULL;
out:
    db_close(&d);
    return r;
}

void db_close(struct db **d)
{
    if (*d == NULL)
        return;
    for (size_t i = 0; i < (*d)->room; i++)
        sqlite3_finalize((*d)->kept[i].statement);
    sqlite3_close((*d)->handle);
    free((*d)->kept);
    free((*d)->path);
    free(*d);
    *d = NULL;
}

static struct kept *slot_of(struct kept *kept, size_t room, const char *sql)
{
    size_t i = ((uintptr_t)sql >> 3) * 0x9E3779B1U & (room - 1);

    while (kept[i].sql != NULL && kept[i].sql != sql) /* ends: at least half is empty */
        i = (i + 1) & (room - 1);
    return &kept[i];
}

static bool grow(struct db *d)
{
    const size_t room = d->room == 0 ? 64 : d->room * 2;
    struct kept *more = calloc(room, sizeof(*more));

    if (more == NULL)
        return false;
    for (size_t i = 0; i < d->room; i++)
        if (d->kept[i].sql != NULL)
            *slot_of(more, room, d->kept[i].sql) = d->kept[i];
    free(d->kept);
    d->kept = more;
    d->room = room;
    return true;
}

enum tp_err db_prepare(struct db *d, sqlite3_stmt **out, const char *sql, struct tp_error *e)
{
    struct kept *slot;

    *out = NULL;
    if (2 * (d->n + 1) > d->room && !grow(d))
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory in %s", d->path);
    slot = slot_of(d->kept, d->room, sql);
    if (slot->sql == NULL) {
        sqlite3_stmt *made = NULL;

        if (sqlite3_prepare_v3(d->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &made, NULL) !=
            SQLITE_OK)
            return fail(d, e);
        *slot = (struct kept){sql, made};
        d->n++;
    } else {
        sqlite3_reset(slot->statement);
        sqlite3_clear_bindings(slot->statement);
    }
    *out = slot->statement;
    return TP_OK;
}

enum tp_err db_step(struct db *d, sqlite3_stmt *s, bool *row, struct tp_error *e)
{
    const int got = sqlite3_step(s);
    enum tp_err r;

    *row = got == SQLITE_ROW;
    if (got == SQLITE_ROW)
        return TP_OK;
    if (got == SQLITE_DONE) {
        sqlite3_reset(s); /* a statement left standing would hold its snapshot */
        return TP_OK;
    }
    r = fail(d, e);
    sqlite3_reset(s);
    return r;
}

enum tp_err db_run(struct db *d, sqlite3_stmt *s, struct tp_error *e)
{
    bool row = false;
    enum tp_err r = db_step(d, s, &row, e);

    sqlite3_reset(s);
    return r;
}

static enum tp_err run_text(struct db *d, const char *sql, struct tp_error *e)
{
    sqlite3_stmt *s;
    const enum tp_err r = db_prepare(d, &s, sql, e);

    return r == TP_OK ? db_run(d, s, e) : r;
}

enum tp_err db_begin(struct db *d, struct tp_error *e)
{
    return run_text(d, "BEGIN IMMEDIATE", e);
}

enum tp_err db_begin_read(struct db *d, struct tp_error *e)
{
    return run_text(d, "BEGIN", e);
}

enum tp_err db_commit(struct db *d, struct tp_error *e)
{
    const enum tp_err r = run_text(d, "COMMIT", e);

    if (r != TP_OK)
        db_rollback(d);
    return r;
}

void db_rollback(struct db *d)
{
    if (!db_in_transaction(d))
        return;
    for (size_t i = 0; i < d->room;
         i++) /* a statement that stands in its rows would see the rolled-back ones */
        if (d->kept[i].statement != NULL)
            sqlite3_reset(d->kept[i].statement);
    (void)sqlite3_exec(d->handle, "ROLLBACK", NULL, NULL, NULL);
}

bool db_in_transaction(struct db *d)
{
    return sqlite3_get_autocommit(d->handle) == 0;
}

void db_bind_span(sqlite3_stmt *s, int index, struct span v)
{
    /* An empty span is an empty blob, not NULL. */
    sqlite3_bind_blob64(s, index, v.p != NULL ? (const void *)v.p : "", v.n, SQLITE_STATIC);
}

void db_bind_text(sqlite3_stmt *s, int index, const char *v)
{
    sqlite3_bind_text(s, index, v, -1, SQLITE_STATIC);
}

struct span db_column_span(sqlite3_stmt *s, int column)
{
    const void *p = sqlite3_column_blob(s, column); /* before the length, as SQLite wants it */

    return span_of(p, (size_t)sqlite3_column_bytes(s, column));
}

const char *db_column_text(sqlite3_stmt *s, int column)
{
    const unsigned char *text = sqlite3_column_text(s, column);

    return text != NULL ? (const char *)text : "";
}

struct sqlite3 *db_handle(struct db *d)
{
    return d->handle;
}

void db_column_copy(char *out, size_t cap, sqlite3_stmt *s, int column)
{
    const char *text = db_column_text(s, column);
    size_t n = strlen(text);

    while (n > 0 && (n >= cap || ((unsigned char)text[n] & 0xC0) ==
                                     0x80)) /* not through the middle of a character of UTF-8 */
        n--;
    memcpy(out, text, n);
    out[n] = '\0';
}
