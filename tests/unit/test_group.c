/* The group committer: every error of a fake store, and a SQLite file. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "store/group.h"
#include "store/schema.h"
#include "unit.h"

enum { FATES = GROUP_QUEUE_MAX + GROUP_MAX };

struct job {
    struct group_job group;
    int id;
    int done;           /* how often */
    enum tp_err failed; /* with what */
};

/* A store that does as it is told. The gate keeps the thread in `begin` until jobs are queued. */
struct fake {
    struct group *group;
    pthread_mutex_t gate;
    struct db *db;     /* NULL: nothing is written */
    enum tp_err error; /* of `begins` to come, of the job `bad`, or of commits */
    int begins, bad, commits;
    int n_begun, n_kept, n_rolled_back, n_failed, last;
    size_t in_transaction, largest;
    unsigned due;
    struct job jobs[FATES];
};

static enum tp_err fake_begin(void *ctx, struct tp_error *e)
{
    struct fake *f = ctx;

    pthread_mutex_lock(&f->gate);
    pthread_mutex_unlock(&f->gate);
    f->n_begun++;
    f->in_transaction = 0;
    f->due = 0;
    if (f->begins > 0 && f->begins-- > 0)
        return tp_fail(e, f->error, "begin");
    return f->db != NULL ? db_begin(f->db, e) : TP_OK;
}

static enum tp_err fake_apply(void *ctx, struct group_job *j, struct tp_error *e)
{
    struct fake *f = ctx;
    const struct job *job = (const struct job *)j;

    f->in_transaction++;
    if (f->db != NULL)
        return db_exec(f->db, "INSERT INTO a (id, v) VALUES ($1, $2)",
                       DB_VALUES(db_integer(job->id), db_integer(job->id == f->bad ? -1 : 1)), NULL,
                       e);
    return job->id == f->bad ? tp_fail(e, f->error, "apply") : TP_OK;
}

static enum tp_err fake_commit(void *ctx, struct tp_error *e)
{
    struct fake *f = ctx;

    if (f->commits > 0 && f->commits-- > 0)
        return tp_fail(e, f->error, "commit");
    if (f->in_transaction > f->largest)
        f->largest = f->in_transaction;
    return f->db != NULL ? db_commit(f->db, e) : TP_OK;
}

static void fake_rollback(void *ctx)
{
    struct fake *f = ctx;

    f->n_rolled_back++;
    if (f->db != NULL)
        db_rollback(f->db);
}

static void fake_done(void *ctx, struct group_jobs *list)
{
    struct fake *f = ctx;
    struct group_job *j;

    STAILQ_FOREACH (j, list, next) {
        struct job *job = (struct job *)j;

        ck_assert_int_gt(job->id, f->last); /* in the order they came */
        f->last = job->id;
        job->done++;
        f->n_kept++;
    }
}

static void fake_failed(void *ctx, struct group_job *j, const struct tp_error *e)
{
    struct fake *f = ctx;

    ((struct job *)j)->failed = e->code;
    f->n_failed++;
}

static unsigned fake_due(void *ctx)
{
    return ((struct fake *)ctx)->due;
}

static const struct group_ops ops = {.begin = fake_begin,
                                     .apply = fake_apply,
                                     .commit = fake_commit,
                                     .rollback = fake_rollback,
                                     .done = fake_done,
                                     .failed = fake_failed,
                                     .due = fake_due};

static struct fake *fake_new(void)
{
    struct fake *f = calloc(1, sizeof(*f));

    ck_assert_ptr_nonnull(f);
    f->bad = -1;
    pthread_mutex_init(&f->gate, NULL);
    return f;
}

/* The first of n jobs may be alone in its group, as the thread waits in `begin`; the others queue.
 */
static void run(struct fake *f, int n)
{
    struct tp_error e = {TP_OK, ""};

    for (int i = 0; i < n; i++)
        f->jobs[i].id = i + 1;
    pthread_mutex_lock(&f->gate);
    ck_ok(group_new(&f->group, &ops, f, &e));
    for (int i = 0; i < n; i++)
        ck_ok(group_put(f->group, &f->jobs[i].group));
    pthread_mutex_unlock(&f->gate);
    group_free(&f->group);      /* stopped with jobs queued: all are worked off */
    for (int i = 0; i < n; i++) /* each once, one way or the other */
        ck_assert_int_eq(f->jobs[i].done + (f->jobs[i].failed != TP_OK), 1);
}

static void fake_free(struct fake *f)
{
    pthread_mutex_destroy(&f->gate);
    free(f);
}

START_TEST(what_waits_is_kept_in_groups_in_order_also_when_stopped)
    {
        struct fake *f = fake_new();

        run(f, 3000);
        ck_assert_int_eq(f->n_kept, 3000);
        ck_assert_uint_eq(f->largest, GROUP_MAX);
        ck_assert_int_le(f->n_begun, 5);
        fake_free(f);
    }
END_TEST

START_TEST(a_group_in_anothers_way_is_tried_again_whole)
    {
        struct fake *f = fake_new();

        f->error = TP_ERR_AGAIN;
        f->begins = 2;
        f->commits = 1;
        run(f, 100);
        ck_assert_int_eq(f->n_kept, 100);
        ck_assert_int_eq(f->n_rolled_back, 3);
        fake_free(f);
    }
END_TEST

START_TEST(what_is_always_in_the_way_fails_all_after_some_tries)
    {
        struct fake *f = fake_new();

        f->error = TP_ERR_AGAIN;
        f->begins = 1000;
        run(f, 100);
        ck_assert_int_eq(f->n_failed, 100);
        ck_assert_int_le(f->n_begun, 12);
        fake_free(f);
    }
END_TEST

START_TEST(a_disk_fault_fails_all_at_once_and_the_next_group_is_kept)
    {
        struct fake *f = fake_new();

        f->error = TP_ERR_IO;
        f->commits = 1;
        run(f, GROUP_MAX + 50);
        ck_assert_int_eq(f->n_failed + f->n_kept, GROUP_MAX + 50);
        ck_assert_int_ge(f->n_failed, 1);
        ck_assert_int_ge(f->n_kept, 50);
        ck_assert_int_le(f->n_begun, 3);
        fake_free(f);
    }
END_TEST

START_TEST(one_bad_job_takes_no_others_with_it)
    {
        struct fake *f = fake_new();

        f->error = TP_ERR_RANGE;
        f->bad = 57;
        run(f, 100);
        ck_assert_int_eq(f->n_kept, 99);
        ck_assert_int_eq(f->jobs[56].failed, TP_ERR_RANGE);
        fake_free(f);
    }
END_TEST

START_TEST(commits_that_always_fail_fail_each)
    {
        struct fake *f = fake_new();

        f->error = TP_ERR_STATE;
        f->commits = 101; /* of the groups, and of each alone */
        run(f, 100);
        ck_assert_int_eq(f->n_failed + f->n_kept, 100);
        ck_assert_int_ge(f->n_failed, 99);
        fake_free(f);
    }
END_TEST

START_TEST(a_commit_that_fails_once_is_made_good_one_by_one)
    {
        struct fake *f = fake_new();

        f->error = TP_ERR_STATE;
        f->commits = 1;
        run(f, 100);
        ck_assert_int_ge(f->n_kept, 99); /* a first group of one has no others */
        fake_free(f);
    }
END_TEST

START_TEST(a_flood_is_refused_but_for_what_must_not_be_lost)
    {
        struct fake *f = fake_new();
        struct tp_error e = {TP_OK, ""};
        int n = 0;

        for (int i = 0; i < FATES; i++)
            f->jobs[i].id = i + 1;
        pthread_mutex_lock(&f->gate);
        ck_ok(group_new(&f->group, &ops, f, &e));
        while (n < FATES - 1 && group_put(f->group, &f->jobs[n].group) == TP_OK)
            n++;
        ck_assert_int_ge(n, GROUP_QUEUE_MAX);
        if (n < FATES - 1) /* the thread may have taken a group before */
            ck_assert_int_eq(group_put(f->group, &f->jobs[n].group), TP_ERR_AGAIN);
        ck_ok(group_put_always(f->group, &f->jobs[n].group));
        pthread_mutex_unlock(&f->gate);
        group_stop(f->group);
        ck_assert_int_eq(f->n_kept, n + 1);
        ck_assert_int_eq(group_put(f->group, &f->jobs[0].group), TP_ERR_STATE);
        ck_assert_int_eq(group_put_always(f->group, &f->jobs[0].group), TP_ERR_STATE);
        group_free(&f->group);
        fake_free(f);
    }
END_TEST

START_TEST(work_of_its_own_is_begun_without_a_job)
    {
        struct fake *f = fake_new();
        struct tp_error e = {TP_OK, ""};

        f->due = 10;
        ck_ok(group_new(&f->group, &ops, f, &e));
        usleep(200000);
        group_free(&f->group);
        ck_assert_int_eq(f->n_begun, 1);
        fake_free(f);
    }
END_TEST

START_TEST(in_a_file_one_that_it_refuses_is_missing_alone)
    {
        static const struct db_schema schema = {
            .program = "test",
            .upgrade = "test upgrade",
            .mark = "a",
            .tables = "CREATE TABLE a (id INTEGER PRIMARY KEY, v INTEGER NOT NULL CHECK (v > 0)) "
                      "STRICT;",
            .version = 1};
        char dir[] = "/tmp/telepay-group-XXXXXX", path[64];
        struct fake *f = fake_new();
        struct tp_error e = {TP_OK, ""};
        int64_t n = 0;

        ck_assert_ptr_nonnull(mkdtemp(dir));
        snprintf(path, sizeof(path), "%s/t.db", dir);
        ck_ok(db_open(&f->db, path, &schema, DB_MAKE, &e));
        f->bad = 57;
        run(f, 100);
        ck_assert_int_eq(f->n_kept, 99);
        ck_assert_int_eq(f->jobs[56].failed, TP_ERR_RANGE);
        ck_ok(db_number(f->db, "SELECT count(*) FROM a", DB_NONE, &n, NULL, &e));
        ck_assert_int_eq(n, 99);
        db_close(&f->db);
        unlink(path);
        rmdir(dir);
        fake_free(f);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("group");
    TCase *t = tcase_create("group");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, what_waits_is_kept_in_groups_in_order_also_when_stopped);
    tcase_add_test(t, a_group_in_anothers_way_is_tried_again_whole);
    tcase_add_test(t, what_is_always_in_the_way_fails_all_after_some_tries);
    tcase_add_test(t, a_disk_fault_fails_all_at_once_and_the_next_group_is_kept);
    tcase_add_test(t, one_bad_job_takes_no_others_with_it);
    tcase_add_test(t, commits_that_always_fail_fail_each);
    tcase_add_test(t, a_commit_that_fails_once_is_made_good_one_by_one);
    tcase_add_test(t, a_flood_is_refused_but_for_what_must_not_be_lost);
    tcase_add_test(t, work_of_its_own_is_begun_without_a_job);
    tcase_add_test(t, in_a_file_one_that_it_refuses_is_missing_alone);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
