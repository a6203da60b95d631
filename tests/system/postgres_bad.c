/* The store on a server that is gone, silent, started anew, read-only, full, not ours: each has its
 * code and its remedy, nothing of it is kept, and what comes after works. Beside with-postgres. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../tools/postgres.h"
#include "../unit/unit.h"
#include "store/schema.h"

#define TABLES "CREATE TABLE a (id INTEGER PRIMARY KEY, v INTEGER NOT NULL) STRICT;"

static const struct db_schema schema = {
    .program = "test", .upgrade = "test upgrade", .mark = "a", .tables = TABLES, .version = 2};
static const struct db_schema older = {
    .program = "test", .upgrade = "test upgrade", .mark = "a", .tables = TABLES, .version = 1};
static const struct db_schema other = {
    .program = "other", .upgrade = "other upgrade", .mark = "a", .tables = TABLES, .version = 2};

struct place {
    char name[POSTGRES_NAME_MAX], url[256];
    struct db *d;
    struct tp_error e;
};

static void start(struct place *p)
{
    memset(p, 0, sizeof(*p));
    postgres_named(p->name, p->url, sizeof(p->url));
    ck_assert_msg(db_open(&p->d, p->url, &schema, DB_MAKE, &p->e) == TP_OK, "%s", p->e.text);
}

static enum tp_err insert(struct place *p, int64_t id, int64_t *changes)
{
    return db_exec(p->d, "INSERT INTO a (id, v) VALUES ($1, $1)", DB_VALUES(db_integer(id)),
                   changes, &p->e);
}

static int64_t count(struct place *p)
{
    int64_t n = -1;

    ck_assert_msg(db_number(p->d, "SELECT count(*) FROM a", DB_NONE, &n, NULL, &p->e) == TP_OK,
                  "%s", p->e.text);
    return n;
}

static void ck_fails(struct place *p, enum tp_err got, enum tp_err want, const char *words)
{
    ck_assert_msg(got == want && strstr(p->e.text, words) != NULL, "%d, not %d: %s", (int)got,
                  (int)want, p->e.text);
}

static pid_t postmaster(void)
{
    char path[256], line[32] = "";
    FILE *f;

    snprintf(path, sizeof(path), "%s/data/postmaster.pid", postgres_dir());
    f = fopen(path, "r");
    if (f == NULL)
        return 0;
    if (fgets(line, sizeof(line), f) == NULL)
        line[0] = '\0';
    fclose(f);
    return (pid_t)strtol(line, NULL, 10);
}

static void end_server(int signal_)
{
    const pid_t pid = postmaster();

    ck_assert_int_gt(pid, 1);
    ck_assert_int_eq(kill(pid, signal_), 0);
    for (int i = 0; i < 200 && kill(pid, 0) == 0; i++)
        usleep(50000);
    usleep(300000); /* its children follow it */
}

/* In a session of its own: Check ends the processes of a test with it. */
static void start_server(void)
{
    char command[1024];

    snprintf(
        command, sizeof(command),
        "cd %s && setsid %s >>postgres.log 2>&1 </dev/null & for i in $(seq 200); do "
        "psql -qX 'postgresql:///postgres?host=%s&user=postgres' -c 'SELECT 1' >/dev/null 2>&1 "
        "&& exit 0; sleep 0.05; done; exit 1",
        postgres_dir(), getenv("WITH_POSTGRES_RUN"), postgres_dir());
    ck_assert_int_eq(system(command), 0);
}

START_TEST(a_server_that_was_started_anew_is_found_at_the_next_beginning)
    {
        struct place p;

        start(&p);
        ck_ok(insert(&p, 1, NULL));
        end_server(SIGINT);
        start_server();
        ck_assert_msg(db_begin(p.d, &p.e) == TP_OK, "%s", p.e.text);
        ck_ok(insert(&p, 2, NULL)); /* prepared again */
        ck_ok(db_commit(p.d, &p.e));
        ck_assert_int_eq(count(&p), 2);
        db_close(&p.d);
    }
END_TEST

START_TEST(a_server_killed_within_a_transaction_keeps_nothing_of_it)
    {
        struct place p;
        enum tp_err r;

        start(&p);
        ck_ok(insert(&p, 1, NULL));
        ck_ok(db_begin(p.d, &p.e));
        ck_ok(insert(&p, 2, NULL));
        end_server(SIGKILL);
        r = insert(&p, 3, NULL);
        if (r == TP_OK)
            r = db_commit(p.d, &p.e);
        /* what was sent with the COMMIT may have been kept, for all that is known here */
        ck_assert_msg(r == TP_ERR_UNKNOWN || r == TP_ERR_IO, "%d: %s", (int)r, p.e.text);
        db_rollback(p.d);
        ck_assert_int_eq(db_begin(p.d, &p.e), TP_ERR_IO); /* gone */
        start_server();
        ck_ok(db_begin(p.d, &p.e));
        ck_assert_int_eq(count(&p), 1);
        ck_ok(insert(&p, 3, NULL));
        ck_ok(db_commit(p.d, &p.e));
        ck_assert_int_eq(count(&p), 2);
        db_close(&p.d);
    }
END_TEST

START_TEST(a_silent_server_is_given_up_after_30_s)
    {
        struct place p;
        char command[128];
        const time_t from = time(NULL);
        enum tp_err r;

        start(&p);
        snprintf(command, sizeof(command), "pkill -STOP -f '^postgres: postgres %s '", p.name);
        ck_assert_int_eq(system(command), 0);
        r = db_begin(p.d, &p.e);
        snprintf(command, sizeof(command), "pkill -CONT -f '^postgres: postgres %s '", p.name);
        ck_assert_int_eq(system(command), 0);
        ck_fails(&p, r, TP_ERR_IO, "30 s");
        ck_assert_int_le(time(NULL) - from, 40);
        ck_ok(insert(&p, 1, NULL));
        db_close(&p.d);
    }
END_TEST

START_TEST(read_only_full_and_serialization_failures_say_so)
    {
        struct place p;
        char sql[128];

        start(&p);
        snprintf(sql, sizeof(sql), "ALTER DATABASE %s SET default_transaction_read_only = on",
                 p.name);
        postgres_sql("postgres", sql);
        db_close(&p.d);
        ck_ok(db_open(&p.d, p.url, &schema, DB_USE, &p.e));
        ck_fails(&p, insert(&p, 1, NULL), TP_ERR_IO, "read-only");
        db_close(&p.d);
        snprintf(sql, sizeof(sql), "ALTER DATABASE %s RESET default_transaction_read_only", p.name);
        postgres_sql("postgres", sql);
        postgres_sql(
            p.name,
            "CREATE FUNCTION bad() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.id = 7 "
            "THEN RAISE EXCEPTION USING ERRCODE = ''53100''; ELSIF NEW.id = 8 THEN RAISE "
            "EXCEPTION USING ERRCODE = ''40001''; END IF; RETURN NEW; END'; "
            "CREATE TRIGGER bad BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION bad()");
        ck_ok(db_open(&p.d, p.url, &schema, DB_USE, &p.e));
        ck_fails(&p, insert(&p, 7, NULL), TP_ERR_IO, "full");
        ck_fails(&p, insert(&p, 8, NULL), TP_ERR_AGAIN, "");
        ck_ok(db_begin(p.d, &p.e));
        enum tp_err r = insert(&p, 7, NULL); /* told now, or at the commit */
        if (r == TP_OK)
            r = db_commit(p.d, &p.e);
        ck_fails(&p, r, TP_ERR_IO, "full");
        db_rollback(p.d);
        ck_ok(insert(&p, 1, NULL));
        ck_assert_int_eq(count(&p), 1);
        db_close(&p.d);
    }
END_TEST

START_TEST(what_is_not_ours_is_not_opened)
    {
        struct place p;
        struct db *d = NULL;
        char url[300], sql[128];

        start(&p);
        ck_fails(&p, db_open(&d, p.url, &older, DB_USE, &p.e), TP_ERR_STATE, "newer");
        ck_fails(&p, db_open(&d, p.url, &other, DB_USE, &p.e), TP_ERR_STATE, "is of test");
        ck_fails(&p, db_open(&d, p.url, &schema, DB_MAKE, &p.e), TP_ERR_EXISTS, "already");
        postgres_sql(p.name, "UPDATE store SET version = 1");
        ck_fails(&p, db_open(&d, p.url, &schema, DB_USE, &p.e), TP_ERR_STATE, "run test upgrade");
        postgres_url(url, sizeof(url), "no_such");
        ck_fails(&p, db_open(&d, url, &schema, DB_USE, &p.e), TP_ERR_NOT_FOUND, "createdb");
        snprintf(url, sizeof(url), "postgresql://nobody_here:s3cret@/%s?host=%s", p.name,
                 postgres_dir());
        ck_fails(&p, db_open(&d, url, &schema, DB_USE, &p.e), TP_ERR_IO, "pgpass");
        ck_assert_ptr_null(strstr(p.e.text, "s3cret"));
        postgres_sql("postgres", "CREATE ROLE weak LOGIN");
        snprintf(url, sizeof(url), "postgresql:///%s?host=%s&user=weak&password=s3cret", p.name,
                 postgres_dir());
        ck_fails(&p, db_open(&d, url, &schema, DB_USE, &p.e), TP_ERR_IO, "user");
        ck_assert_ptr_null(strstr(p.e.text, "s3cret"));
        snprintf(sql, sizeof(sql), "ALTER DATABASE %s SET synchronous_commit = off", p.name);
        postgres_sql("postgres", sql);
        ck_fails(&p, db_open(&d, p.url, &schema, DB_USE, &p.e), TP_ERR_STATE, "synchronous_commit");
        db_close(&p.d);
    }
END_TEST

START_TEST(one_writes_at_a_time)
    {
        struct place p;
        struct db *second = NULL;

        start(&p);
        ck_ok(db_open(&second, p.url, &schema, DB_USE, &p.e));
        ck_ok(db_begin(p.d, &p.e));
        ck_fails(&p, db_begin(second, &p.e), TP_ERR_IO, "10 s");
        ck_ok(db_begin_read(second, &p.e)); /* reading waits for none */
        ck_ok(db_commit(second, &p.e));
        ck_ok(db_commit(p.d, &p.e));
        ck_ok(db_begin(second, &p.e));
        ck_ok(db_commit(second, &p.e));
        db_close(&second);
        db_close(&p.d);
    }
END_TEST

START_TEST(several_that_make_it_at_once_find_it_made)
    {
        struct place p;
        char sql[80];
        int status;

        start(&p);
        db_close(&p.d);
        snprintf(sql, sizeof(sql), "DROP TABLE store, a");
        postgres_sql(p.name, sql);
        for (int i = 0; i < 6; i++)
            if (fork() == 0) {
                const bool ok = db_open(&p.d, p.url, &schema, DB_USE_OR_MAKE, &p.e) == TP_OK;

                if (!ok)
                    fprintf(stderr, "%s\n", p.e.text);
                db_close(&p.d);
                _exit(ok ? 0 : 1);
            }
        for (int i = 0; i < 6; i++) {
            ck_assert_int_gt(wait(&status), 0);
            ck_assert_int_eq(status, 0);
        }
    }
END_TEST

START_TEST(a_sum_that_is_not_cast_is_refused_and_written_rows_can_be_walked)
    {
        struct place p;
        struct db_rows *rows = NULL;
        struct {
            int64_t id;
        } row;
        const struct db_column column[] = {{"id", DB_SIGNED, 0, sizeof(row.id)}};
        bool found;
        int64_t n;

        start(&p);
        ck_ok(insert(&p, 1, &n));
        ck_assert_int_eq(n, 1);
        ck_fails(&p, db_number(p.d, "SELECT sum(id) FROM a", DB_NONE, &n, NULL, &p.e),
                 TP_ERR_INTERNAL, "CAST");
        ck_ok(db_query(p.d, &rows, "UPDATE a SET v = 2 RETURNING id", DB_NONE, DB_COLUMNS(column),
                       &p.e));
        ck_ok(db_next(rows, &row, &found, &p.e));
        ck_assert(found && row.id == 1);
        db_end(&rows);
        db_close(&p.d);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("postgres");
    TCase *t = tcase_create("bad");

    tcase_set_timeout(t, 120);
    tcase_add_test(t, what_is_not_ours_is_not_opened);
    tcase_add_test(t, read_only_full_and_serialization_failures_say_so);
    tcase_add_test(t, a_server_that_was_started_anew_is_found_at_the_next_beginning);
    tcase_add_test(t, a_server_killed_within_a_transaction_keeps_nothing_of_it);
    tcase_add_test(t, one_writes_at_a_time);
    tcase_add_test(t, a_silent_server_is_given_up_after_30_s);
    suite_add_tcase(s, t);
    t = tcase_create("quick");
    tcase_add_test(t, several_that_make_it_at_once_find_it_made);
    tcase_add_test(t, a_sum_that_is_not_cast_is_refused_and_written_rows_can_be_walked);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
