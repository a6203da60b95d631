/* SQLite as a driver of the store: a file in WAL mode with synchronous=FULL. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "store/checkpoint.h"
#include "store/driver.h"

#define BUSY_MS      10000
#define BRIEF_FRAMES 250 /* of a log that stays beside the file: it is read at each opening */

struct lite {
    sqlite3 *handle;
    struct checkpoint *checkpoint;
    char *path;
    bool brief;
};

struct lite_statement {
    sqlite3_stmt *s;
    size_t n;
    int index[]; /* of $1 …: SQLite numbers parameters as they first appear */
};

static enum tp_err constraint(const char *path, int code, const char *said, struct tp_error *e)
{
    switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return tp_fail(e, TP_ERR_EXISTS, "%s holds that already (%s)", path, said);
    case SQLITE_CONSTRAINT_TRIGGER: /* the words of the schema */
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
        return tp_fail(e, TP_ERR_IO,
                       "%s is in use by another program for more than %d s: try again when it is "
                       "done",
                       path, BUSY_MS / 1000);
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
static bool is_full(struct lite *c)
{
    const int system = sqlite3_system_errno(c->handle);
    struct statvfs disk;

    return system == ENOSPC || system == EDQUOT ||
           (statvfs(c->path, &disk) == 0 && disk.f_bavail == 0);
}

static enum tp_err fail(struct lite *c, struct tp_error *e)
{
    const int code = sqlite3_extended_errcode(c->handle);

    return failed(c->path, (code & 0xFF) == SQLITE_IOERR && is_full(c) ? SQLITE_FULL : code,
                  sqlite3_errmsg(c->handle), e);
}

static enum tp_err lite_script(void *conn, const char *sql, struct tp_error *e)
{
    struct lite *c = conn;

    return sqlite3_exec(c->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? TP_OK : fail(c, e);
}

static int note_mode(void *ctx, int n, char **values, char **names)
{
    (void)names;
    *(bool *)ctx = n == 1 && values[0] != NULL && strcmp(values[0], "wal") == 0;
    return 0;
}

/* WAL cannot be had on a file system without shared memory, and SQLite then says the old mode
 * instead of failing. */
static enum tp_err use_wal(struct lite *c, struct tp_error *e)
{
    bool wal = false;

    if (sqlite3_exec(c->handle, "PRAGMA journal_mode = WAL", note_mode, &wal, NULL) != SQLITE_OK)
        return fail(c, e);
    if (!wal)
        return tp_fail(e, TP_ERR_IO,
                       "%s cannot have a write-ahead log where it is: move it to a local disk",
                       c->path);
    return lite_script(c,
                       "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                       "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
                       "PRAGMA journal_size_limit = 67108864", /* a large log is cut when used */
                       e);
}

/* The file is made by hand, so that it (and the log files, which take its mode) is nobody else's to
 * read. One that exists is never opened here: closing it again would drop the POSIX locks of every
 * other connection of this process, and another process would then take the log for nobody's and
 * delete it (sqlite.org/howtocorrupt.html, 2.2). */
static enum tp_err make_file(const char *path, bool make, struct tp_error *e)
{
    const int fd = make ? open(path, O_RDONLY | O_CLOEXEC | O_CREAT | O_EXCL, 0600) : -1;
    struct stat st;

    if (fd >= 0)
        close(fd);
    else if (make && errno != EEXIST)
        return tp_fail(e, TP_ERR_IO, "cannot make %s: %s", path, strerror(errno));
    if (stat(path, &st) == 0)
        return TP_OK;
    if (errno == ENOENT)
        return tp_fail(e, TP_ERR_NOT_FOUND, "there is no database %s", path);
    return tp_fail(e, TP_ERR_IO, "cannot open %s: %s", path, strerror(errno));
}

/* The log beside the file, where there is one, holds the same secrets. */
static enum tp_err check_private(const char *path, struct tp_error *e)
{
    enum tp_err r = file_check_private(path, e);
    char *log = NULL;

    if (r != TP_OK)
        return r;
    if (asprintf(&log, "%s-wal", path) < 0)
        return tp_fail(e, TP_ERR_NO_MEMORY, "cannot open %s: out of memory", path);
    if (access(log, F_OK) == 0)
        r = file_check_private(log, e);
    free(log);
    return r == TP_ERR_NOT_FOUND ? TP_OK : r; /* another run has written it into the file */
}

static void lite_brief(void *conn)
{
    struct lite *c = conn;

    c->brief = true;
}

static void lite_close(void *conn)
{
    struct lite *c = conn;

    if (c->brief && checkpoint_frames(c->checkpoint) < BRIEF_FRAMES)
        (void)sqlite3_db_config(c->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    checkpoint_end(&c->checkpoint);
    sqlite3_close(c->handle);
    free(c->path);
    free(c);
}

static enum tp_err lite_open(void **conn, const char *path, bool make, struct tp_error *e)
{
    struct lite *c = calloc(1, sizeof(*c));
    enum tp_err r = TP_OK;

    if (c == NULL || (c->path = strdup(path)) == NULL) {
        r = tp_fail(e, TP_ERR_NO_MEMORY, "cannot open %s: out of memory", path);
        goto out;
    }
    r = make_file(path, make, e);
    if (r == TP_OK)
        r = check_private(path, e);
    if (r != TP_OK)
        goto out;
    if (sqlite3_open_v2(path, &c->handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                        NULL) != SQLITE_OK) {
        r = c->handle != NULL ? fail(c, e)
                              : tp_fail(e, TP_ERR_NO_MEMORY, "cannot open %s: out of memory", path);
        goto out;
    }
    /* SQLite falls back to reading alone, and would give the mode of such a file to the log beside
     * it, where it stays. */
    if (sqlite3_db_readonly(c->handle, "main") != 0) {
        r = failed(path, SQLITE_READONLY, "", e);
        goto out;
    }
    sqlite3_busy_timeout(c->handle, BUSY_MS);
    r = use_wal(c, e);
    if (r != TP_OK)
        goto out;
    c->checkpoint = checkpoint_watch(c->handle, path);
    *conn = c;
    c = NULL;
out:
    if (c != NULL)
        lite_close(c);
    return r;
}

static enum tp_err lite_begin(void *conn, bool write, struct tp_error *e)
{
    return lite_script(conn, write ? "BEGIN IMMEDIATE" : "BEGIN", e);
}

static enum tp_err lite_commit(void *conn, struct tp_error *e)
{
    struct lite *c = conn;

    if (sqlite3_get_autocommit(c->handle) != 0)
        return tp_fail(e, TP_ERR_IO,
                       "the disk under %s failed within the transaction: nothing of it is kept",
                       c->path);
    return lite_script(c, "COMMIT", e);
}

static void lite_rollback(void *conn)
{
    struct lite *c = conn;

    (void)sqlite3_exec(c->handle, "ROLLBACK", NULL, NULL, NULL);
}

static bool lite_in_transaction(void *conn)
{
    struct lite *c = conn;

    return sqlite3_get_autocommit(c->handle) == 0;
}

static void lite_finish(void *conn, void *statement)
{
    struct lite_statement *s = statement;

    (void)conn;
    sqlite3_finalize(s->s);
    free(s);
}

static enum tp_err lite_prepare(void *conn, void **statement, const char *sql, struct db_values v,
                                struct tp_error *e)
{
    struct lite *c = conn;
    struct lite_statement *s = calloc(1, sizeof(*s) + v.n * sizeof(s->index[0]));
    char name[24];

    if (s == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory in %s", c->path);
    s->n = v.n;
    if (sqlite3_prepare_v3(c->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->s, NULL) !=
        SQLITE_OK) {
        free(s);
        return fail(c, e);
    }
    for (size_t i = 0; i < v.n; i++) {
        snprintf(name, sizeof(name), "$%zu", i + 1);
        s->index[i] = sqlite3_bind_parameter_index(s->s, name);
    }
    if (sqlite3_bind_parameter_count(s->s) != (int)v.n) {
        lite_finish(c, s);
        return tp_fail(e, TP_ERR_INTERNAL, "%s: %zu values, not as many parameters: %s", c->path,
                       v.n, sql);
    }
    *statement = s;
    return TP_OK;
}

static int bind(sqlite3_stmt *s, int index, const struct db_value *v)
{
    const char *p = v->bytes.p != NULL ? (const char *)v->bytes.p : "";

    if (v->null || v->kind == DB_NULL)
        return sqlite3_bind_null(s, index);
    if (v->kind == DB_INTEGER)
        return sqlite3_bind_int64(s, index, v->integer);
    if (v->kind == DB_TEXT)
        return sqlite3_bind_text64(s, index, p, v->bytes.n, SQLITE_STATIC, SQLITE_UTF8);
    return sqlite3_bind_blob64(s, index, p, v->bytes.n, SQLITE_STATIC);
}

static enum tp_err lite_start(void *conn, void *statement, struct db_values v, enum db_want want,
                              struct tp_error *e)
{
    struct lite_statement *s = statement;
    struct lite *c = conn;

    (void)want;
    if (v.n != s->n)
        return tp_fail(e, TP_ERR_INTERNAL, "%s: %zu values, not %zu: %s", c->path, v.n, s->n,
                       sqlite3_sql(s->s));
    for (size_t i = 0; i < v.n; i++)
        if (bind(s->s, s->index[i], &v.v[i]) != SQLITE_OK)
            return fail(c, e);
    return TP_OK;
}

/* What RETURNING wrote is committed here, not when its row was read. */
static enum tp_err lite_reset(void *conn, void *statement, struct tp_error *e)
{
    struct lite_statement *s = statement;

    return sqlite3_reset(s->s) == SQLITE_OK ? TP_OK : fail(conn, e);
}

static enum tp_err lite_next(void *conn, void *statement, bool *row, struct tp_error *e)
{
    struct lite_statement *s = statement;
    const int got = sqlite3_step(s->s);

    *row = got == SQLITE_ROW;
    return got == SQLITE_ROW || got == SQLITE_DONE ? TP_OK : fail(conn, e);
}

static bool lite_column(void *statement, size_t i, const char **name, struct db_value *v)
{
    sqlite3_stmt *s = ((struct lite_statement *)statement)->s;
    const int n = (int)i;

    if (n >= sqlite3_column_count(s))
        return false;
    if (name != NULL)
        *name = sqlite3_column_name(s, n);
    *v = (struct db_value){.kind = DB_NULL, .null = true};
    switch (sqlite3_data_count(s) > 0 ? sqlite3_column_type(s, n) : SQLITE_NULL) {
    case SQLITE_INTEGER:
        *v = db_integer(sqlite3_column_int64(s, n));
        break;
    case SQLITE_TEXT:
        v->kind = DB_TEXT;
        v->bytes.p = sqlite3_column_text(s, n);
        break;
    case SQLITE_BLOB:
        v->kind = DB_BLOB;
        v->bytes.p = sqlite3_column_blob(s, n);
        break;
    default: /* nothing of the house is a float: a damaged file's would be told as no value */
        return true;
    }
    v->null = false;
    if (v->kind != DB_INTEGER)
        v->bytes.n = (size_t)sqlite3_column_bytes(s, n);
    return true;
}

static int64_t lite_changes(void *conn, void *statement)
{
    struct lite *c = conn;

    (void)statement;
    return sqlite3_changes64(c->handle);
}

static enum tp_err lite_rule(void *conn, const struct db_rule *rule, struct tp_error *e)
{
    struct lite *c = conn;
    enum tp_err r;
    char *then = rule->sentence != NULL ? sqlite3_mprintf("SELECT RAISE(ABORT, %Q)", rule->sentence)
                                        : sqlite3_mprintf("%s", rule->action);
    char *sql = sqlite3_mprintf("CREATE TRIGGER %s %s ON %s WHEN (%s) BEGIN %s; END", rule->name,
                                rule->event, rule->table,
                                rule->condition != NULL ? rule->condition : "1 = 1", then);

    r = then != NULL && sql != NULL ? lite_script(c, sql, e)
                                    : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory in %s", c->path);
    sqlite3_free(then);
    sqlite3_free(sql);
    return r;
}

static enum tp_err lite_copy(void *conn, const char *path, struct tp_error *e)
{
    struct lite *c = conn;
    enum tp_err r = make_file(path, true, e); /* an empty one is written into, and keeps its mode */
    char *sql = sqlite3_mprintf("VACUUM INTO %Q", path);

    if (r == TP_OK && sql == NULL)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory in %s", c->path);
    if (r == TP_OK)
        r = lite_script(c, sql, e);
    sqlite3_free(sql);
    return r;
}

static const struct db_word words[] = {{NULL, NULL}};

const struct db_driver db_sqlite = {
    .open = lite_open,
    .close = lite_close,
    .brief = lite_brief,
    .begin = lite_begin,
    .commit = lite_commit,
    .rollback = lite_rollback,
    .in_transaction = lite_in_transaction,
    .prepare = lite_prepare,
    .start = lite_start,
    .next = lite_next,
    .column = lite_column,
    .changes = lite_changes,
    .reset = lite_reset,
    .finish = lite_finish,
    .script = lite_script,
    .rule = lite_rule,
    .copy = lite_copy,
    .has_table = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = $1",
    .tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table'",
    .triggers = "SELECT name, tbl_name AS tbl FROM sqlite_schema WHERE type = 'trigger'",
    .durable = {"PRAGMA synchronous = NORMAL", "PRAGMA synchronous = FULL"},
    .version = "SELECT user_version FROM pragma_user_version",
    .words = words,
};
