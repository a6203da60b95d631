/* The one way to SQLite: schema, errors, full disk, read-only, several connections of one process
 * beside another process. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/db.h"
#include "unit.h"

static const char *const schema[] = {
    "CREATE TABLE a (id INTEGER PRIMARY KEY, v BLOB NOT NULL CHECK (length(v) > 0)) STRICT;",
    "CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES a) STRICT;"
    "CREATE TRIGGER b_kept BEFORE DELETE ON b BEGIN SELECT RAISE(ABORT, 'b is kept'); END;"};

struct place {
    char dir[40], path[48];
    struct db *d;
    struct tp_error e;
};

static void start(struct place *p, size_t versions)
{
    memset(p, 0, sizeof(*p));
    snprintf(p->dir, sizeof(p->dir), "/tmp/telepay-db-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(p->dir));
    snprintf(p->path, sizeof(p->path), "%s/t.db", p->dir);
    ck_ok(db_open(&p->d, p->path, true, schema, versions, &p->e));
}

static void end(struct place *p)
{
    char path[64];

    db_close(&p->d);
    for (const char *const *s = (const char *const[]){"", "-wal", "-shm", NULL}; *s != NULL; s++) {
        snprintf(path, sizeof(path), "%s%s", p->path, *s);
        unlink(path);
    }
    rmdir(p->dir);
}

static enum tp_err insert(struct place *p, struct db *d, int64_t id, struct span v)
{
    sqlite3_stmt *s;

    ck_ok(db_prepare(d, &s, "INSERT INTO a (id, v) VALUES (?1, ?2)", &p->e));
    sqlite3_bind_int64(s, 1, id);
    db_bind_span(s, 2, v);
    return db_run(d, s, &p->e);
}

static int64_t count(struct place *p, struct db *d)
{
    bool row = false;
    sqlite3_stmt *s;

    ck_ok(db_prepare(d, &s, "SELECT count(*) FROM a", &p->e));
    ck_ok(db_step(d, s, &row, &p->e));
    ck_assert(row);
    const int64_t n = sqlite3_column_int64(s, 0);

    sqlite3_reset(s);
    return n;
}

START_TEST(schema_is_brought_up_and_never_down)
    {
        struct place p;
        struct db *again = NULL;
        struct stat st;

        start(&p, 1);
        ck_assert_int_eq(stat(p.path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0600);
        ck_ok(insert(&p, p.d, 1, span_str("x")));
        db_close(&p.d);
        ck_ok(db_open(&p.d, p.path, false, schema, 2, &p.e));
        ck_assert_int_eq(count(&p, p.d), 1);
        ck_assert_int_eq(
            sqlite3_exec(db_handle(p.d), "INSERT INTO b VALUES (1, 1)", NULL, NULL, NULL),
            SQLITE_OK);
        ck_assert_int_eq(db_open(&again, p.path, false, schema, 1, &p.e), TP_ERR_STATE);
        ck_assert_ptr_null(again);
        ck_assert_ptr_nonnull(strstr(p.e.text, "newer"));
        ck_assert_int_eq(db_open(&again, "/tmp/no-such-folder/x.db", false, schema, 1, &p.e),
                         TP_ERR_NOT_FOUND);
        end(&p);
    }
END_TEST

START_TEST(each_error_has_its_code)
    {
        struct place p;
        sqlite3_stmt *s;

        start(&p, 2);
        ck_ok(insert(&p, p.d, 1, span_str("x")));
        ck_assert_int_eq(insert(&p, p.d, 1, span_str("y")), TP_ERR_EXISTS);
        ck_assert_int_eq(insert(&p, p.d, 2, span_of("", 0)), TP_ERR_RANGE); /* CHECK */
        ck_ok(db_prepare(p.d, &s, "INSERT INTO b VALUES (1, 9)", &p.e));
        ck_assert_int_eq(db_run(p.d, s, &p.e), TP_ERR_NOT_FOUND); /* foreign key */
        ck_ok(db_prepare(p.d, &s, "INSERT INTO b VALUES (1, 1)", &p.e));
        ck_ok(db_run(p.d, s, &p.e));
        ck_ok(db_prepare(p.d, &s, "DELETE FROM b", &p.e));
        ck_assert_int_eq(db_run(p.d, s, &p.e), TP_ERR_STATE); /* trigger, with its words */
        ck_assert_ptr_nonnull(strstr(p.e.text, "b is kept"));
        ck_assert_int_eq(db_prepare(p.d, &s, "NO SQL", &p.e), TP_ERR_INTERNAL);
        ck_assert_ptr_null(s);
        end(&p);
    }
END_TEST

START_TEST(a_transaction_is_whole_or_nothing)
    {
        struct place p;

        start(&p, 2);
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

/* No more pages: what SQLite answers on a disk without room (SQLITE_FULL). */
START_TEST(a_full_database_keeps_nothing_and_recovers)
    {
        static uint8_t big[100000];
        struct place p;

        start(&p, 2);
        ck_ok(insert(&p, p.d, 1, span_str("x")));
        ck_assert_int_eq(
            sqlite3_exec(db_handle(p.d), "PRAGMA max_page_count = 8", NULL, NULL, NULL), SQLITE_OK);
        ck_ok(db_begin(p.d, &p.e));
        ck_ok(insert(&p, p.d, 2, span_str("y")));
        ck_assert_int_eq(insert(&p, p.d, 3, SPAN_OF(big)), TP_ERR_IO);
        ck_assert_ptr_nonnull(strstr(p.e.text, "full"));
        db_rollback(p.d);
        ck_assert_int_eq(count(&p, p.d), 1);
        ck_assert_int_eq(
            sqlite3_exec(db_handle(p.d), "PRAGMA max_page_count = 100000", NULL, NULL, NULL),
            SQLITE_OK);
        ck_ok(insert(&p, p.d, 3, SPAN_OF(big)));
        ck_assert_int_eq(count(&p, p.d), 2);
        end(&p);
    }
END_TEST

/* A write that the system cuts off (a quota, a limit), at the commit. */
START_TEST(a_cut_off_write_keeps_nothing_and_recovers)
    {
        static uint8_t big[400000];
        struct rlimit before, small;
        struct place p;

        start(&p, 2);
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

START_TEST(a_read_only_database_says_so)
    {
        struct place p;

        start(&p, 2);
        ck_assert_int_eq(sqlite3_exec(db_handle(p.d), "PRAGMA query_only = ON", NULL, NULL, NULL),
                         SQLITE_OK);
        ck_assert_int_eq(insert(&p, p.d, 1, span_str("x")), TP_ERR_IO);
        ck_assert_ptr_nonnull(strstr(p.e.text, "read-only"));
        ck_assert_int_eq(sqlite3_exec(db_handle(p.d), "PRAGMA query_only = OFF", NULL, NULL, NULL),
                         SQLITE_OK);
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
        start(&p, 2);
        db_close(&p.d);
        ck_assert_int_eq(chmod(p.path, 0444), 0);
        ck_assert_int_eq(db_open(&p.d, p.path, false, schema, 2, &p.e), TP_ERR_IO);
        ck_assert_ptr_nonnull(strstr(p.e.text, "is read-only"));
        ck_assert_int_eq(chmod(p.path, 0600), 0);
        ck_ok(db_open(&p.d, p.path, false, schema, 2, &p.e));
        ck_ok(insert(&p, p.d, 1, span_str("x")));
        ck_assert_int_eq(count(&p, p.d), 1);
        end(&p);
        ck_assert_int_eq(seteuid(getuid()),
                         0); /* a leak detector works at the end, and may not as another */
    }
END_TEST

START_TEST(a_damaged_file_is_refused)
    {
        struct place p;
        FILE *f;

        start(&p, 2);
        db_close(&p.d);
        f = fopen(p.path, "wb");
        ck_assert_ptr_nonnull(f);
        for (int i = 0; i < 8192; i++)
            fputc('x', f);
        fclose(f);
        ck_assert_int_eq(db_open(&p.d, p.path, false, schema, 2, &p.e), TP_ERR_IO);
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

        start(&p, 2);
        ck_ok(db_open(&second, p.path, false, schema, 2, &p.e));
        ck_ok(insert(&p, p.d, 1, span_str("x")));
        const pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
            struct db *other = NULL;

            if (db_open(&other, p.path, false, schema, 2, NULL) != TP_OK)
                _exit(1);
            db_close(&other);
            _exit(0);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
        ck_ok(insert(&p, p.d, 2, span_str("y")));
        ck_ok(db_open(&third, p.path, false, schema, 2, &p.e));
        ck_assert_int_eq(count(&p, third), 2);
        ck_assert_int_eq(count(&p, second), 2);
        db_close(&third);
        db_close(&second);
        end(&p);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("db");
    TCase *t = tcase_create("db");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, schema_is_brought_up_and_never_down);
    tcase_add_test(t, each_error_has_its_code);
    tcase_add_test(t, a_transaction_is_whole_or_nothing);
    tcase_add_test(t, a_full_database_keeps_nothing_and_recovers);
    tcase_add_test(t, a_cut_off_write_keeps_nothing_and_recovers);
    tcase_add_test(t, a_read_only_database_says_so);
    tcase_add_test(t, a_read_only_file_is_refused_and_taken_when_it_can_be_written);
    tcase_add_test(t, a_damaged_file_is_refused);
    tcase_add_test(t, another_process_does_not_take_the_log_away);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
