/* The one way to SQLite: schema, errors, full disk, read-only, several connections of one process
 * beside another process. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../tools/postgres.h"
#include "store/schema.h"
#include "unit.h"

static const struct db_rule rules[] = {
    {"b_kept", "BEFORE DELETE", "b", NULL, "b is kept", NULL},
    {"b_of_five", "BEFORE INSERT", "b", "NEW.id = 5", "five is no number for a b", NULL},
    {"a_counts", "AFTER INSERT", "a", NULL, NULL, "UPDATE counted SET n = n + 1"},
};

static const struct db_migration migrations[] = {
    {"adds b", "CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES a) STRICT;"
               "CREATE TABLE counted (one INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT;"
               "INSERT INTO counted (one, n) SELECT 1, count(*) FROM a;"
               "CREATE TRIGGER b_old BEFORE UPDATE ON b BEGIN SELECT RAISE(ABORT, 'old'); END;"}};

#define TABLE_A                                                                                    \
    "CREATE TABLE a (id INTEGER PRIMARY KEY, v BLOB NOT NULL CHECK (length(v) > 0)) STRICT;"

static const struct db_schema first = {
    .program = "test", .upgrade = "test upgrade", .mark = "a", .tables = TABLE_A, .version = 1};
static const struct db_schema schema = {
    .program = "test",
    .upgrade = "test upgrade",
    .mark = "a",
    .tables =
        TABLE_A "CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES a) STRICT;"
                "CREATE TABLE counted (one INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT;"
                "INSERT INTO counted (one, n) VALUES (1, 0);",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .migrations = migrations,
    .version = 2};
static const struct db_schema other = {
    .program = "other", .upgrade = "other upgrade", .mark = "x", .tables = TABLE_A, .version = 2};

enum engine { SQLITE, POSTGRES }; /* the second beside tests/system/with-postgres alone */

struct place {
    char dir[40], path[256];
    enum engine engine;
    struct db *d;
    struct tp_error e;
};

static void begin(struct place *p, const struct db_schema *of, int engine)
{
    char name[POSTGRES_NAME_MAX];

    memset(p, 0, sizeof(*p));
    p->engine = (enum engine)engine;
    if (p->engine == POSTGRES) {
        postgres_named(name, p->path, sizeof(p->path));
    } else {
        snprintf(p->dir, sizeof(p->dir), "/tmp/telepay-db-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(p->dir));
        snprintf(p->path, sizeof(p->path), "%s/t.db", p->dir);
    }
    ck_assert_msg(db_open(&p->d, p->path, of, DB_MAKE, &p->e) == TP_OK, "%s", p->e.text);
}

static void start(struct place *p, const struct db_schema *of)
{
    begin(p, of, SQLITE);
}

static void end(struct place *p)
{
    char path[300];

    db_close(&p->d);
    if (p->engine == POSTGRES)
        return;
    for (const char *const *s = (const char *const[]){"", "-wal", "-shm", NULL}; *s != NULL; s++) {
        snprintf(path, sizeof(path), "%s%s", p->path, *s);
        unlink(path);
    }
    rmdir(p->dir);
}

static enum tp_err insert(struct place *p, struct db *d, int64_t id, struct span v)
{
    return db_exec(d, "INSERT INTO a (id, v) VALUES ($1, $2)",
                   DB_VALUES(db_integer(id), db_blob(v)), NULL, &p->e);
}

static enum tp_err insert_b(struct place *p, int64_t id, int64_t a)
{
    return db_exec(p->d, "INSERT INTO b (a, id) VALUES ($2, $1)",
                   DB_VALUES(db_integer(id), db_integer(a)), NULL, &p->e);
}

static int64_t count(struct place *p, struct db *d)
{
    int64_t n = -1;

    ck_ok(db_number(d, "SELECT count(*) FROM a", DB_NONE, &n, NULL, &p->e));
    return n;
}

static int64_t pragma(struct place *p, const char *sql)
{
    int64_t n = -1;
    bool found;

    ck_ok(db_number(p->d, sql, DB_NONE, &n, &found, &p->e));
    return n;
}

static bool note_step(void *ctx, size_t from, size_t to, const char *does)
{
    ck_assert_uint_eq(from, 1);
    ck_assert_uint_eq(to, 2);
    ck_assert_str_eq(does, "adds b");
    return *(const bool *)ctx;
}

START_TEST(an_older_one_is_brought_up_by_order_alone_after_a_copy)
    {
        struct place p;
        struct db *again = NULL;
        char copy[512];
        bool yes = false;
        struct stat st;

        start(&p, &first);
        ck_assert_int_eq(stat(p.path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0600);
        ck_ok(insert(&p, p.d, 1, span_str("x")));
        db_close(&p.d);
        ck_assert_int_eq(db_open(&p.d, p.path, &schema, DB_USE, &p.e), TP_ERR_STATE);
        ck_assert_ptr_nonnull(strstr(p.e.text, "run test upgrade"));
        ck_assert_int_eq(db_upgrade(p.path, &schema, copy, note_step, &yes, &p.e),
                         TP_ERR_CANCELLED);
        ck_assert_str_eq(copy, "");
        yes = true;
        ck_ok(db_upgrade(p.path, &schema, copy, note_step, &yes, &p.e));
        ck_assert_int_eq(stat(copy, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0600);
        ck_ok(db_open(&p.d, copy, &first, DB_USE, &p.e)); /* as it was */
        ck_assert_int_eq(count(&p, p.d), 1);
        db_close(&p.d);
        unlink(copy);
        ck_ok(db_upgrade(p.path, &schema, copy, note_step, &yes, &p.e)); /* nothing to do */
        ck_assert_str_eq(copy, "");
        ck_ok(db_open(&p.d, p.path, &schema, DB_USE, &p.e));
        ck_assert_int_eq(count(&p, p.d), 1);
        ck_ok(insert_b(&p, 1, 1));
        ck_ok(db_exec(p.d, "UPDATE b SET id = 2", DB_NONE, NULL, &p.e)); /* its old rule is gone */
        ck_assert_int_eq(insert_b(&p, 5, 1), TP_ERR_STATE);              /* today's are there */
        ck_assert_int_eq(db_open(&again, p.path, &first, DB_USE, &p.e), TP_ERR_STATE);
        ck_assert_ptr_null(again);
        ck_assert_ptr_nonnull(strstr(p.e.text, "newer"));
        end(&p);
    }
END_TEST

START_TEST(only_what_is_ours_is_opened)
    {
        struct place p;
        struct db *again = NULL;

        begin(&p, &schema, _i);
        ck_assert_int_eq(db_open(&again, p.path, &schema, DB_MAKE, &p.e), TP_ERR_EXISTS);
        ck_assert_int_eq(db_open(&again, p.path, &other, DB_USE, &p.e), TP_ERR_STATE);
        ck_assert_ptr_nonnull(strstr(p.e.text, "is of test, not of other"));
        ck_ok(db_open(&again, p.path, &schema, DB_USE_OR_MAKE, &p.e));
        db_close(&again);
        ck_assert_int_eq(db_open(&again, "/tmp/no-such-folder/x.db", &schema, DB_USE, &p.e),
                         TP_ERR_NOT_FOUND);
        end(&p);
    }
END_TEST

START_TEST(each_error_has_its_code)
    {
        struct place p;
        int64_t n = 0;

        begin(&p, &schema, _i);
        ck_ok(insert(&p, p.d, 1, span_str("x")));
        ck_assert_int_eq(insert(&p, p.d, 1, span_str("y")), TP_ERR_EXISTS);
        ck_assert_int_eq(insert(&p, p.d, 2, span_of("", 0)), TP_ERR_RANGE); /* CHECK */
        ck_assert_int_eq(insert_b(&p, 1, 9), TP_ERR_NOT_FOUND);             /* foreign key */
        ck_ok(insert_b(&p, 1, 1));
        ck_assert_int_eq(db_exec(p.d, "DELETE FROM b", DB_NONE, NULL, &p.e), TP_ERR_STATE);
        ck_assert_ptr_nonnull(strstr(p.e.text, "b is kept"));
        ck_assert_int_eq(db_exec(p.d, "NO SQL", DB_NONE, NULL, &p.e), TP_ERR_INTERNAL);
        ck_ok(db_number(p.d, "SELECT n FROM counted", DB_NONE, &n, NULL, &p.e));
        ck_assert_int_eq(n, 1); /* an action follows what was done, not what was refused */
        end(&p);
    }
END_TEST

/* ---- rows ---- */

enum colour { RED, GREEN };

struct wide {
    int64_t big;
    int32_t small;
    uint8_t byte;
    enum colour colour;
    bool yes;
    char text[4];
    uint8_t exact[2];
    struct span blob;
};

static const struct db_column wide_columns[] = {
    DB_COLUMN(struct wide, big),    DB_COLUMN(struct wide, small), DB_COLUMN(struct wide, byte),
    DB_COLUMN(struct wide, colour), DB_COLUMN(struct wide, yes),   DB_COLUMN(struct wide, text),
    DB_COLUMN(struct wide, exact),  DB_COLUMN(struct wide, blob),
};

#define WIDE                                                                                       \
    "SELECT CAST($1 AS BIGINT) AS small, CAST($2 AS BIGINT) AS byte, CAST($3 AS TEXT) AS text,"    \
    " v AS exact, v AS blob, CAST($4 AS BIGINT) AS big, 1 = 1 AS yes,"                             \
    " CAST($5 AS BIGINT) AS colour FROM a WHERE id = $6"

static enum tp_err read_wide(struct place *p, struct wide *w, int64_t small, int64_t byte,
                             int64_t row, bool *found)
{
    return db_one(p->d, WIDE,
                  DB_VALUES(db_integer(small), db_integer(byte), db_text("ab\xC3\xA9"),
                            db_integer(INT64_MIN), db_integer(GREEN), db_integer(row)),
                  DB_COLUMNS(wide_columns), w, found, &p->e);
}

START_TEST(a_row_goes_into_a_struct_by_the_names_of_its_columns)
    {
        struct place p;
        struct wide w = {0}, again = {0};
        bool found = false;

        begin(&p, &schema, _i);
        ck_ok(insert(&p, p.d, 1, span_of("\1\2", 2)));
        ck_ok(insert(&p, p.d, 2, span_of("\1\2\3", 3)));
        ck_ok(read_wide(&p, &w, -7, 255, 1, &found));
        ck_assert(found);
        ck_assert_int_eq(w.big, INT64_MIN);
        ck_assert_int_eq(w.small, -7);
        ck_assert_int_eq(w.byte, 255);
        ck_assert_int_eq(w.colour, GREEN);
        ck_assert(w.yes);
        ck_assert_str_eq(w.text, "ab"); /* not through the middle of é */
        ck_assert_mem_eq(w.exact, "\1\2", 2);
        ck_assert_uint_eq(w.blob.n, 2);
        ck_assert_mem_eq(w.blob.p, "\1\2", 2);
        ck_ok(read_wide(&p, &again, 0, 0, 9, &found));
        ck_assert(!found);
        ck_assert_int_eq(read_wide(&p, &again, 0, 256, 1, &found), TP_ERR_RANGE);
        ck_assert_int_eq(read_wide(&p, &again, INT64_C(1) << 31, 0, 1, &found), TP_ERR_RANGE);
        ck_assert_int_eq(read_wide(&p, &again, 0, -1, 1, &found), TP_ERR_RANGE);
        ck_assert_int_eq(read_wide(&p, &again, 0, 0, 2, &found), TP_ERR_RANGE); /* 3 bytes, not 2 */
        ck_assert(!found);
        end(&p);
    }
END_TEST

START_TEST(columns_and_places_are_the_same_ones)
    {
        static const struct db_column columns[] = {DB_COLUMN(struct wide, big),
                                                   DB_COLUMN(struct wide, small)};
        struct place p;
        struct wide w = {0};
        bool found = false;

        begin(&p, &schema, _i);
        ck_ok(insert(&p, p.d, 1, span_str("x")));
        ck_assert_int_eq(
            db_one(p.d, "SELECT id AS big FROM a", DB_NONE, DB_COLUMNS(columns), &w, &found, &p.e),
            TP_ERR_INTERNAL);
        ck_assert_int_eq(db_one(p.d, "SELECT id AS big, id AS small, id AS more FROM a", DB_NONE,
                                DB_COLUMNS(columns), &w, &found, &p.e),
                         TP_ERR_INTERNAL);
        ck_assert_int_eq(db_one(p.d, "SELECT id AS big, id AS smaller FROM a", DB_NONE,
                                DB_COLUMNS(columns), &w, &found, &p.e),
                         TP_ERR_INTERNAL);
        end(&p);
    }
END_TEST

struct one {
    int64_t id;
    struct span v;
};

START_TEST(rows_come_one_by_one_and_others_may_be_asked_between)
    {
        static const struct db_column columns[] = {DB_COLUMN(struct one, id),
                                                   DB_COLUMN(struct one, v)};
        struct db_rows *rows = NULL;
        struct place p;
        struct one row;
        bool found = true;

        begin(&p, &schema, _i);
        for (int i = 1; i <= 2000; i++)
            ck_ok(insert(&p, p.d, i, span_str("xy")));
        ck_ok(db_query(p.d, &rows, "SELECT id, v FROM a WHERE id > $1 ORDER BY id",
                       DB_VALUES(db_integer(5)), DB_COLUMNS(columns), &p.e));
        for (int i = 6; i <= 2000; i++) {
            ck_ok(db_next(rows, &row, &found, &p.e));
            ck_assert(found);
            ck_assert_int_eq(row.id, i);
            ck_assert_int_eq(count(&p, p.d), 2000);
        }
        ck_ok(db_next(rows, &row, &found, &p.e));
        ck_assert(!found);
        db_end(&rows);
        db_end(&rows);
        end(&p);
    }
END_TEST

START_TEST(changes_are_counted_and_what_an_error_spoils_is_rolled_back)
    {
        struct place p;
        int64_t n = -1;

        begin(&p, &schema, _i);
        ck_ok(insert(&p, p.d, 1, span_str("x")));
        ck_ok(db_exec(
            p.d, "INSERT INTO a (id, v) SELECT id, v FROM a WHERE id > 0 ON CONFLICT DO NOTHING",
            DB_NONE, &n, &p.e));
        ck_assert_int_eq(n, 0);
        ck_ok(db_exec(p.d, "UPDATE a SET id = id + 1", DB_NONE, &n, &p.e));
        ck_assert_int_eq(n, 1);
        ck_ok(db_begin(p.d, &p.e));
        ck_assert_int_eq(db_exec(p.d, "INSERT INTO a (id, v) SELECT id, v FROM a WHERE id > 0",
                                 DB_NONE, &n, &p.e),
                         TP_ERR_EXISTS);
        ck_assert_int_eq(insert(&p, p.d, 3, span_str("x")), TP_ERR_STATE);
        ck_assert_int_eq(db_commit(p.d, &p.e), TP_ERR_STATE);
        ck_assert(!db_in_transaction(p.d));
        ck_assert_int_eq(count(&p, p.d), 1);
        ck_ok(insert(&p, p.d, 3, span_str("x")));
        ck_ok(db_begin(p.d, &p.e)); /* nobody asks how many: told now, or at the commit */
        enum tp_err r = insert(&p, p.d, 2, span_str("x"));
        if (r == TP_OK)
            r = db_commit(p.d, &p.e);
        ck_assert_int_eq(r, TP_ERR_EXISTS);
        db_rollback(p.d);
        ck_ok(db_begin(p.d, &p.e));
        ck_ok(db_touch(p.d, &p.e));
        ck_ok(db_commit(p.d, &p.e));
        end(&p);
    }
END_TEST

START_TEST(a_transaction_is_whole_or_nothing)
    {
        struct place p;

        begin(&p, &schema, _i);
        db_rollback(p.d); /* harmless */
        ck_ok(db_begin(p.d, &p.e));
        ck_ok(insert(&p, p.d, 1, span_str("x")));
        ck_assert(db_in_transaction(p.d));
        db_rollback(p.d);
        ck_assert(!db_in_transaction(p.d));
        ck_assert_int_eq(count(&p, p.d), 0);
        ck_ok(db_begin(p.d, &p.e));
        ck_ok(insert(&p, p.d, 1, span_str("x")));
        ck_ok(db_commit(p.d, &p.e));
        ck_assert_int_eq(count(&p, p.d), 1);
        end(&p);
    }
END_TEST

START_TEST(a_commit_need_not_wait_for_the_disk)
    {
        /* SQLite: FULL is 2, NORMAL 1, which in WAL mode waits in checkpoints alone
         * (sqlite.org/pragma.html#pragma_synchronous) */
        static const char *const asked[] = {
            [SQLITE] = "SELECT synchronous FROM pragma_synchronous",
            [POSTGRES] =
                "SELECT CASE current_setting('synchronous_commit') WHEN 'off' THEN 1 ELSE 2 END"};
        struct place p;
        int64_t waits = 0;

        begin(&p, &schema, _i);
        for (int durable = 0; durable < 2; durable++) {
            ck_ok(db_durable(p.d, durable, &p.e));
            ck_ok(db_number(p.d, asked[p.engine], DB_NONE, &waits, NULL, &p.e));
            ck_assert_int_eq(waits, durable ? 2 : 1);
            ck_ok(db_begin(p.d, &p.e));
            ck_ok(insert(&p, p.d, durable + 1, span_str("x")));
            ck_ok(db_commit(p.d, &p.e));
        }
        ck_assert_int_eq(count(&p, p.d), 2);
        end(&p);
    }
END_TEST

/* No more pages: what SQLite answers on a disk without room (SQLITE_FULL). */
START_TEST(a_full_database_keeps_nothing_and_recovers)
    {
        static uint8_t big[100000];
        struct place p;

        start(&p, &schema);
        ck_ok(insert(&p, p.d, 1, span_str("x")));
        (void)pragma(&p, "PRAGMA max_page_count = 8");
        ck_ok(db_begin(p.d, &p.e));
        ck_ok(insert(&p, p.d, 2, span_str("y")));
        ck_assert_int_eq(insert(&p, p.d, 3, SPAN_OF(big)), TP_ERR_IO);
        ck_assert_ptr_nonnull(strstr(p.e.text, "full"));
        db_rollback(p.d);
        ck_assert_int_eq(count(&p, p.d), 1);
        (void)pragma(&p, "PRAGMA max_page_count = 100000");
        ck_ok(insert(&p, p.d, 3, SPAN_OF(big)));
        ck_assert_int_eq(count(&p, p.d), 2);
        end(&p);
    }
END_TEST

/* What the log holds comes into the file while its writer does nothing. */
START_TEST(a_long_log_is_written_back_beside_its_writer)
    {
        static uint8_t big[40000000]; /* some 9,800 pages */
        struct place p;
        struct stat st = {.st_size = 0};

        start(&p, &schema);
        ck_ok(insert(&p, p.d, 1, SPAN_OF(big)));
        for (int i = 0; i < 2000 && st.st_size < (off_t)sizeof(big); i++) {
            usleep(10000);
            ck_assert_int_eq(stat(p.path, &st), 0);
        }
        ck_assert_int_ge(st.st_size, (off_t)sizeof(big));
        ck_assert_int_eq(count(&p, p.d), 1);
        end(&p);
    }
END_TEST

/* A write that the system cuts off (a quota, a limit), at the commit. */
START_TEST(a_cut_off_write_keeps_nothing_and_recovers)
    {
        static uint8_t big[400000];
        struct rlimit before, small;
        struct place p;

        start(&p, &schema);
        ck_ok(insert(&p, p.d, 1, span_str("x")));
        signal(SIGXFSZ, SIG_IGN);
        ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
        small = before;
        small.rlim_cur = 200000;
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
        ck_ok(db_begin(p.d, &p.e));
        enum tp_err r = insert(&p, p.d, 2, SPAN_OF(big));
        if (r == TP_OK)
            r = db_commit(p.d, &p.e);
        db_rollback(p.d);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
        ck_assert_int_eq(r, TP_ERR_IO);
        ck_assert_int_eq(count(&p, p.d), 1);
        ck_ok(insert(&p, p.d, 2, SPAN_OF(big)));
        ck_assert_int_eq(count(&p, p.d), 2);
        end(&p);
    }
END_TEST

/* What RETURNING wrote is committed after its row was read: an error then is the statement's. */
START_TEST(a_cut_off_write_that_returns_is_told)
    {
        static uint8_t big[400000];
        struct rlimit before, small;
        struct place p;
        int64_t id = 0;

        start(&p, &schema);
        signal(SIGXFSZ, SIG_IGN);
        ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
        small = before;
        small.rlim_cur = 200000;
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
        const enum tp_err r =
            db_number(p.d, "INSERT INTO a (id, v) VALUES ($1, $2) RETURNING id",
                      DB_VALUES(db_integer(1), db_blob(SPAN_OF(big))), &id, NULL, &p.e);

        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
        ck_assert_int_eq(r, TP_ERR_IO);
        ck_assert_int_eq(count(&p, p.d), 0);
        end(&p);
    }
END_TEST

START_TEST(a_read_only_database_says_so)
    {
        struct place p;

        start(&p, &schema);
        (void)pragma(&p, "PRAGMA query_only = ON");
        ck_assert_int_eq(insert(&p, p.d, 1, span_str("x")), TP_ERR_IO);
        ck_assert_ptr_nonnull(strstr(p.e.text, "read-only"));
        (void)pragma(&p, "PRAGMA query_only = OFF");
        ck_ok(insert(&p, p.d, 1, span_str("x")));
        end(&p);
    }
END_TEST

/* What root may write whatever its mode is, another user may not: the process is one from here on.
 */
START_TEST(a_read_only_file_is_refused_and_taken_when_it_can_be_written)
    {
        struct place p;

        if (geteuid() == 0)
            ck_assert_int_eq(seteuid(65534), 0);
        start(&p, &schema);
        db_close(&p.d);
        ck_assert_int_eq(chmod(p.path, 0400), 0);
        ck_assert_int_eq(db_open(&p.d, p.path, &schema, DB_USE, &p.e), TP_ERR_IO);
        ck_assert_ptr_nonnull(strstr(p.e.text, "is read-only"));
        ck_assert_int_eq(chmod(p.path, 0600), 0);
        ck_ok(db_open(&p.d, p.path, &schema, DB_USE, &p.e));
        ck_ok(insert(&p, p.d, 1, span_str("x")));
        ck_assert_int_eq(count(&p, p.d), 1);
        end(&p);
        ck_assert_int_eq(seteuid(getuid()),
                         0); /* a leak detector works at the end, and may not as another */
    }
END_TEST

/* What others may read or write, or put another into the place of. */
START_TEST(a_file_that_is_open_to_others_is_refused)
    {
        static const mode_t open_to[] = {0644, 0640, 0604, 0620, 0602, 0660, 0610};
        char log[sizeof(((struct place *)NULL)->path) + 8];
        struct place p;

        start(&p, &schema);
        db_close(&p.d);
        for (size_t i = 0; i < sizeof(open_to) / sizeof(open_to[0]); i++) {
            ck_assert_int_eq(chmod(p.path, open_to[i]), 0);
            ck_assert_int_eq(db_open(&p.d, p.path, &schema, DB_USE, &p.e), TP_ERR_SECURITY);
            ck_assert_ptr_nonnull(strstr(p.e.text, "chmod 600"));
        }
        ck_assert_int_eq(chmod(p.path, 0600), 0);
        /* so is the log that a run which stops for a moment leaves beside it */
        ck_ok(db_open(&p.d, p.path, &schema, DB_USE, &p.e));
        db_brief(p.d);
        ck_ok(insert(&p, p.d, 1, span_str("x")));
        db_close(&p.d);
        snprintf(log, sizeof(log), "%s-wal", p.path);
        ck_assert_int_eq(chmod(log, 0640), 0);
        ck_assert_int_eq(db_open(&p.d, p.path, &schema, DB_USE, &p.e), TP_ERR_SECURITY);
        ck_assert_ptr_nonnull(strstr(p.e.text, "-wal"));
        ck_assert_int_eq(chmod(log, 0600), 0);
        ck_assert_int_eq(chmod(p.dir, 0777), 0);
        ck_assert_int_eq(db_open(&p.d, p.path, &schema, DB_USE, &p.e), TP_ERR_SECURITY);
        ck_assert_ptr_nonnull(strstr(p.e.text, "chmod o-w"));
        ck_assert_int_eq(chmod(p.dir, 01777), 0);
        ck_ok(db_open(&p.d, p.path, &schema, DB_USE, &p.e));
        end(&p);
    }
END_TEST

START_TEST(a_damaged_file_is_refused)
    {
        struct place p;
        FILE *f;

        start(&p, &schema);
        db_close(&p.d);
        f = fopen(p.path, "wb");
        ck_assert_ptr_nonnull(f);
        for (int i = 0; i < 8192; i++)
            fputc('x', f);
        fclose(f);
        ck_assert_int_eq(db_open(&p.d, p.path, &schema, DB_USE, &p.e), TP_ERR_IO);
        ck_assert_ptr_nonnull(strstr(p.e.text, "restore"));
        end(&p);
    }
END_TEST

/* sqlite.org/howtocorrupt.html, 2.2: the locks of a process on a file go when it closes any
 * descriptor of it. Two connections here, one process that opens and closes beside: what is written
 * afterwards must still be seen by all. */
START_TEST(another_process_does_not_take_the_log_away)
    {
        struct place p;
        struct db *second = NULL, *third = NULL;
        int status;

        start(&p, &schema);
        ck_ok(db_open(&second, p.path, &schema, DB_USE, &p.e));
        ck_ok(insert(&p, p.d, 1, span_str("x")));
        const pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
            struct db *beside = NULL;

            if (db_open(&beside, p.path, &schema, DB_USE, NULL) != TP_OK)
                _exit(1);
            db_close(&beside);
            _exit(0);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
        ck_ok(insert(&p, p.d, 2, span_str("y")));
        ck_ok(db_open(&third, p.path, &schema, DB_USE, &p.e));
        ck_assert_int_eq(count(&p, third), 2);
        ck_assert_int_eq(count(&p, second), 2);
        db_close(&third);
        db_close(&second);
        end(&p);
    }
END_TEST

/* ---- a server that fails ---- */

static void ck_told(const struct place *p, enum tp_err got, enum tp_err code, const char *words)
{
    ck_assert_msg(got == code, "%d: %s", got, p->e.text);
    ck_assert_msg(strstr(p->e.text, words) != NULL, "no \"%s\" in: %s", words, p->e.text);
    ck_assert_ptr_null(strstr(p->e.text, "hidden-word"));
}

struct refusal {
    const char *state;
    enum tp_err code;
    const char *words;
};

/* What a server without room, or another transaction in the way, answers: raised by a trigger. */
START_TEST(what_a_server_refuses_has_its_words)
    {
        static const struct refusal all[] = {{"53100", TP_ERR_IO, "is full: make room"},
                                             {"40001", TP_ERR_AGAIN, "try this one again"},
                                             {"40P01", TP_ERR_AGAIN, "try this one again"},
                                             {"53300", TP_ERR_IO, "raise max_connections"},
                                             {"58030", TP_ERR_IO, "the disk fails under"},
                                             {"XX001", TP_ERR_IO, "damaged"},
                                             {"25006", TP_ERR_IO, "read-only"},
                                             {"42501", TP_ERR_IO, "GRANT it"}};
        struct place p;

        begin(&p, &schema, POSTGRES);
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
            char sql[400];

            snprintf(sql, sizeof(sql),
                     "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $f$ "
                     "BEGIN RAISE EXCEPTION USING ERRCODE = '%s', MESSAGE = 'refused'; END $f$;"
                     "CREATE OR REPLACE TRIGGER refuse BEFORE INSERT ON a FOR EACH ROW EXECUTE "
                     "FUNCTION refuse()",
                     all[i].state);
            ck_assert_str_eq(postgres_state(p.path, sql), "");
            ck_ok(db_begin(p.d, &p.e));
            enum tp_err r = insert(&p, p.d, 1, span_str("x"));

            if (r == TP_OK)
                r = db_commit(p.d, &p.e);
            ck_told(&p, r, all[i].code, all[i].words);
            db_rollback(p.d);
        }
        ck_assert_str_eq(postgres_state(p.path, "DROP TRIGGER refuse ON a"), "");
        ck_ok(insert(&p, p.d, 1, span_str("x")));
        end(&p);
    }
END_TEST

START_TEST(a_stranger_gets_nowhere)
    {
        struct place p;
        char url[1024];
        static const char *const crooked[] = {
            "postgresql://me:hidden-word@[::1/books", "postgresql://me:hidden-word%zz@host/books",
            "postgresql:///books?hidden-word=1", "postgresql:///books?password=hidden-word=1"};

        begin(&p, &schema, POSTGRES);
        db_close(&p.d);
        (void)postgres_state(p.path, "CREATE ROLE stranger LOGIN");
        snprintf(url, sizeof(url), "postgresql://stranger:hidden-word@/%s",
                 p.path + strlen("postgresql:///"));
        *strstr(url, "&user=") = '\0';
        ck_told(&p, db_open(&p.d, url, &schema, DB_USE, &p.e), TP_ERR_IO, "GRANT it");
        snprintf(url, sizeof(url), "postgresql://nobody-there:hidden-word@/%s",
                 p.path + strlen("postgresql:///"));
        *strstr(url, "&user=") = '\0';
        ck_told(&p, db_open(&p.d, url, &schema, DB_USE, &p.e), TP_ERR_IO, "nobody-there");
        snprintf(url, sizeof(url), "postgresql:///none?host=%s&user=postgres&password=hidden-word",
                 getenv("WITH_POSTGRES_DIR"));
        ck_told(&p, db_open(&p.d, url, &schema, DB_USE, &p.e), TP_ERR_NOT_FOUND, "createdb");
        ck_told(&p,
                db_open(&p.d, "postgresql:///x?host=/no/such&password=hidden-word", &schema, DB_USE,
                        &p.e),
                TP_ERR_IO, "is gone");
        for (size_t i = 0; i < sizeof(crooked) / sizeof(crooked[0]); i++)
            ck_told(&p, db_open(&p.d, crooked[i], &schema, DB_USE, &p.e), TP_ERR_USAGE, "no URL");
        end(&p);
    }
END_TEST

static void add_server_tests(TCase *t)
{
    tcase_add_test(t, what_a_server_refuses_has_its_words);
    tcase_add_test(t, a_stranger_gets_nowhere);
}

static Suite *suite(void)
{
    Suite *s = suite_create("db");
    TCase *t = tcase_create("db");

    const int engines = getenv("WITH_POSTGRES_DIR") != NULL ? 2 : 1;

    tcase_set_timeout(t, 60);
    tcase_add_test(t, an_older_one_is_brought_up_by_order_alone_after_a_copy);
    tcase_add_loop_test(t, only_what_is_ours_is_opened, SQLITE, engines);
    tcase_add_loop_test(t, a_row_goes_into_a_struct_by_the_names_of_its_columns, SQLITE, engines);
    tcase_add_loop_test(t, columns_and_places_are_the_same_ones, SQLITE, engines);
    tcase_add_loop_test(t, rows_come_one_by_one_and_others_may_be_asked_between, SQLITE, engines);
    tcase_add_loop_test(t, changes_are_counted_and_what_an_error_spoils_is_rolled_back, SQLITE,
                        engines);
    tcase_add_loop_test(t, each_error_has_its_code, SQLITE, engines);
    tcase_add_loop_test(t, a_transaction_is_whole_or_nothing, SQLITE, engines);
    tcase_add_loop_test(t, a_commit_need_not_wait_for_the_disk, SQLITE, engines);
    tcase_add_test(t, a_full_database_keeps_nothing_and_recovers);
    tcase_add_test(t, a_long_log_is_written_back_beside_its_writer);
    tcase_add_test(t, a_cut_off_write_keeps_nothing_and_recovers);
    tcase_add_test(t, a_cut_off_write_that_returns_is_told);
    tcase_add_test(t, a_read_only_database_says_so);
    tcase_add_test(t, a_read_only_file_is_refused_and_taken_when_it_can_be_written);
    tcase_add_test(t, a_file_that_is_open_to_others_is_refused);
    tcase_add_test(t, a_damaged_file_is_refused);
    tcase_add_test(t, another_process_does_not_take_the_log_away);
    if (engines == 2)
        add_server_tests(t);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
