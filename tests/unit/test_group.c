/* The group committer: every error where it can come, in its own order, over books that are a list
 * in memory; the same over a real file. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "store/group.h"
#include "store/schema.h"
#include "unit.h"

#define JOBS 100

enum fate { WAITS, DONE, FAILED };

struct job {
    struct group_job entry;
    int id;
    enum fate fate;
    enum tp_err why;
    int times; /* done or failed was told */
    bool give_back;
};

/* The books, which fail as they are told to. */
struct fake {
    struct group *g;
    struct tp_error e;
    struct job job[JOBS];
    enum tp_err begin, commit; /* what they fail with … */
    int times;                 /* … so many times */
    int bad;                   /* the job that cannot be written (-1: none) … */
    enum tp_err why;           /* … and what it fails with … */
    bool at_commit;            /* … when it is sent, with the commit */
    bool carries_bad;
    int begun, committed, rolled_back, open, largest, in_this;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t told;
    int answered;
    int order[2 * JOBS];
    bool held; /* begin waits */
};

static enum tp_err inject(struct tp_error *e, enum tp_err r)
{
    return r == TP_OK ? r : tp_fail(e, r, "injected");
}

static enum tp_err begin(void *ctx, struct tp_error *e)
{
    struct fake *f = ctx;

    pthread_mutex_lock(&f->lock);
    while (f->held)
        pthread_cond_wait(&f->told, &f->lock);
    pthread_mutex_unlock(&f->lock);
    f->begun++;
    f->in_this = 0;
    f->carries_bad = false;
    if (f->begin != TP_OK && f->times-- > 0)
        return inject(e, f->begin);
    f->open++;
    return TP_OK;
}

static enum tp_err apply(void *ctx, struct group_job *entry, struct tp_error *e)
{
    struct fake *f = ctx;
    const struct job *j = (const struct job *)entry;

    f->in_this++;
    f->largest = f->in_this > f->largest ? f->in_this : f->largest;
    if (j->id != f->bad)
        return TP_OK;
    f->carries_bad = true;
    return f->at_commit ? TP_OK : inject(e, f->why);
}

static enum tp_err commit(void *ctx, struct tp_error *e)
{
    struct fake *f = ctx;

    if (f->carries_bad)
        return inject(e, f->why);
    if (f->commit != TP_OK && f->times-- > 0)
        return inject(e, f->commit);
    f->open--;
    f->committed++;
    return TP_OK;
}

static void rollback(void *ctx)
{
    struct fake *f = ctx;

    f->open--;
    f->rolled_back++;
}

static void tell(struct fake *f, struct group_jobs *jobs, enum fate fate, enum tp_err why)
{
    struct group_job *entry;

    ck_assert_int_eq(f->open, 0);
    pthread_mutex_lock(&f->lock);
    while ((entry = STAILQ_FIRST(jobs)) != NULL) {
        struct job *j = (struct job *)entry;

        STAILQ_REMOVE_HEAD(jobs, next);
        j->fate = fate;
        j->why = why;
        j->times++;
        f->order[f->answered++] = j->id;
        if (fate == FAILED && j->give_back)
            j->give_back = group_again(f->g, entry) == TP_OK;
    }
    pthread_cond_broadcast(&f->told);
    pthread_mutex_unlock(&f->lock);
}

static void done(void *ctx, struct group_jobs *jobs)
{
    tell(ctx, jobs, DONE, TP_OK);
}

static void failed(void *ctx, struct group_jobs *jobs, const struct tp_error *e)
{
    tell(ctx, jobs, FAILED, e->code);
}

static void setup(struct fake *f)
{
    const struct group_ops ops = {f, begin, apply, commit, rollback, done, failed};

    memset(f, 0, sizeof(*f));
    f->bad = -1;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->told, NULL);
    for (int i = 0; i < JOBS; i++)
        f->job[i].id = i;
    ck_ok(group_new(&f->g, &ops, &f->e));
}

/* All jobs are one group, since they wait before the thread starts. */
static void run_all(struct fake *f)
{
    for (int i = 0; i < JOBS; i++)
        ck_ok(group_offer(f->g, &f->job[i].entry));
    ck_ok(group_start(f->g, &f->e));
    group_free(&f->g);
    ck_assert_int_eq(f->answered, JOBS);
    for (int i = 0; i < JOBS; i++) {
        ck_assert_int_eq(f->job[i].times, 1);
        ck_assert_int_eq(f->order[i], i);
    }
}

static void all_are(const struct fake *f, enum fate fate, enum tp_err why)
{
    for (int i = 0; i < JOBS; i++) {
        ck_assert_int_eq(f->job[i].fate, fate);
        ck_assert_int_eq(f->job[i].why, why);
    }
}

START_TEST(one_transaction_a_group)
    {
        struct fake f;

        setup(&f);
        run_all(&f);
        all_are(&f, DONE, TP_OK);
        ck_assert_int_eq(f.committed, 1);
        ck_assert_int_eq(f.largest, JOBS);
    }
END_TEST

START_TEST(again_is_tried_again_whole)
    {
        struct fake f;

        setup(&f);
        *(_i == 0 ? &f.begin : &f.commit) = TP_ERR_AGAIN;
        f.times = 5;
        run_all(&f);
        all_are(&f, DONE, TP_OK);
        ck_assert_int_eq(f.begun, 6);
        ck_assert_int_eq(f.committed, 1);
        ck_assert_int_eq(f.rolled_back, _i == 0 ? 0 : 5);
    }
END_TEST

START_TEST(again_without_end_is_a_disk_fault)
    {
        struct fake f;

        setup(&f);
        if (_i == 0) {
            f.bad = 7;
            f.why = TP_ERR_AGAIN;
        } else {
            f.commit = TP_ERR_AGAIN;
            f.times = 1000;
        }
        run_all(&f);
        all_are(&f, FAILED, TP_ERR_IO);
        ck_assert_int_eq(f.begun, 6);
        ck_assert_int_eq(f.committed, 0);
    }
END_TEST

START_TEST(a_disk_fault_fails_all_at_once)
    {
        struct fake f;

        setup(&f);
        f.times = 1000;
        if (_i == 0)
            f.begin = TP_ERR_IO;
        else if (_i == 1)
            f.commit = TP_ERR_IO;
        f.bad = _i == 2 ? 50 : -1;
        f.why = TP_ERR_IO;
        run_all(&f);
        all_are(&f, FAILED, TP_ERR_IO);
        ck_assert_int_eq(f.begun, 1);
    }
END_TEST

/* Whether it is told at once or when the statements are sent, with the commit. */
START_TEST(a_bad_job_takes_no_others_with_it)
    {
        static const enum tp_err why[] = {TP_ERR_STATE,     TP_ERR_RANGE,     TP_ERR_EXISTS,
                                          TP_ERR_NOT_FOUND, TP_ERR_NO_MEMORY, TP_ERR_INTERNAL};
        struct fake f;

        setup(&f);
        f.bad = 41;
        f.why = why[_i / 2];
        f.at_commit = _i % 2 == 1;
        run_all(&f);
        for (int i = 0; i < JOBS; i++) {
            ck_assert_int_eq(f.job[i].fate, i == 41 ? FAILED : DONE);
            ck_assert_int_eq(f.job[i].why, i == 41 ? f.why : TP_OK);
        }
        ck_assert_int_eq(f.begun, 1 + JOBS);
        ck_assert_int_eq(f.committed, JOBS - 1);
        ck_assert_int_eq(f.rolled_back, 2);
    }
END_TEST

/* A commit that fails once for a reason of its own costs nobody. */
START_TEST(a_bad_commit_is_tried_one_by_one)
    {
        struct fake f;

        setup(&f);
        f.commit = TP_ERR_INTERNAL;
        f.times = 1;
        run_all(&f);
        all_are(&f, DONE, TP_OK);
        ck_assert_int_eq(f.committed, JOBS);
    }
END_TEST

/* The disk fails amid a group that is tried one by one: what is kept stays, the rest is not tried.
 */
START_TEST(a_disk_fault_ends_one_by_one)
    {
        struct fake f;

        setup(&f);
        f.bad = 0;
        f.why = TP_ERR_STATE;
        f.begin = TP_OK;
        f.commit = TP_ERR_IO;
        f.times = 1000;
        run_all(&f);
        ck_assert_int_eq(f.job[0].why, TP_ERR_STATE);
        for (int i = 1; i < JOBS; i++)
            ck_assert_int_eq(f.job[i].why, TP_ERR_IO);
        ck_assert_int_eq(f.begun, 3);
    }
END_TEST

START_TEST(a_job_given_back_comes_again_alone_or_with_others)
    {
        struct fake f;

        setup(&f);
        f.begin = TP_ERR_IO;
        f.times = 1;
        f.job[3].give_back = true;
        ck_ok(group_offer(f.g, &f.job[3].entry));
        ck_ok(group_start(f.g, &f.e));
        pthread_mutex_lock(&f.lock);
        while (f.answered < 2)
            pthread_cond_wait(&f.told, &f.lock);
        pthread_mutex_unlock(&f.lock);
        ck_assert_int_eq(f.job[3].fate, DONE);
        ck_assert_int_eq(f.begun, 2);
        group_free(&f.g);
    }
END_TEST

START_TEST(stopping_tries_what_was_given_back_once_more)
    {
        struct fake f;

        setup(&f);
        f.begin = TP_ERR_IO;
        f.times = 1000;
        f.job[0].give_back = true;
        ck_ok(group_offer(f.g, &f.job[0].entry));
        ck_ok(group_start(f.g, &f.e));
        pthread_mutex_lock(&f.lock);
        while (f.answered < 1)
            pthread_cond_wait(&f.told, &f.lock);
        pthread_mutex_unlock(&f.lock);
        group_stop(f.g);
        ck_assert_int_eq(f.job[0].times, 2);
        ck_assert(!f.job[0].give_back); /* it was refused */
        ck_assert_int_eq(group_post(f.g, &f.job[1].entry), TP_ERR_CANCELLED);
        group_free(&f.g);
    }
END_TEST

START_TEST(stopping_works_off_what_waits)
    {
        struct job late = {.id = JOBS};
        struct fake f;

        setup(&f);
        f.held = true;
        ck_ok(group_start(f.g, &f.e));
        for (int i = 0; i < JOBS; i++)
            ck_ok(group_offer(f.g, &f.job[i].entry));
        pthread_mutex_lock(&f.lock);
        f.held = false;
        pthread_cond_broadcast(&f.told);
        pthread_mutex_unlock(&f.lock);
        group_stop(f.g);
        all_are(&f, DONE, TP_OK);
        ck_assert_int_eq(group_offer(f.g, &late.entry), TP_ERR_CANCELLED);
        ck_assert_int_eq(group_post(f.g, &late.entry), TP_ERR_CANCELLED);
        group_free(&f.g);
    }
END_TEST

START_TEST(what_never_started_fails_untried)
    {
        struct fake f;

        setup(&f);
        for (int i = 0; i < JOBS; i++)
            ck_ok(group_post(f.g, &f.job[i].entry));
        group_free(&f.g);
        all_are(&f, FAILED, TP_ERR_CANCELLED);
        ck_assert_int_eq(f.begun, 0);
    }
END_TEST

/* ---- many jobs, that are only counted ---- */

struct tally {
    int done, groups, largest;
};

static enum tp_err always(void *ctx, struct tp_error *e)
{
    (void)ctx;
    (void)e;
    return TP_OK;
}

static enum tp_err takes(void *ctx, struct group_job *j, struct tp_error *e)
{
    (void)ctx;
    (void)j;
    (void)e;
    return TP_OK;
}

static void nothing(void *ctx)
{
    (void)ctx;
}

static void tallied(void *ctx, struct group_jobs *jobs)
{
    struct tally *t = ctx;
    struct group_job *j;
    int n = 0;

    STAILQ_FOREACH (j, jobs, next)
        n++;
    t->done += n;
    t->groups++;
    t->largest = n > t->largest ? n : t->largest;
}

static void never(void *ctx, struct group_jobs *jobs, const struct tp_error *e)
{
    (void)ctx;
    (void)jobs;
    ck_abort_msg("%s", e->text);
}

START_TEST(a_full_queue_refuses_at_once)
    {
        struct tally t = {0, 0, 0};
        const struct group_ops ops = {&t, always, takes, always, nothing, tallied, never};
        struct group_job *j = calloc(GROUP_QUEUE_MAX + 2, sizeof(*j));
        struct tp_error e;
        struct group *g;

        ck_assert_ptr_nonnull(j);
        ck_ok(group_new(&g, &ops, &e));
        for (int i = 0; i < GROUP_QUEUE_MAX; i++)
            ck_ok(group_offer(g, &j[i]));
        ck_assert_int_eq(group_offer(g, &j[GROUP_QUEUE_MAX]), TP_ERR_AGAIN);
        ck_ok(group_post(g, &j[GROUP_QUEUE_MAX + 1])); /* what an issuer says is never lost */
        ck_ok(group_start(g, &e));
        group_free(&g);
        ck_assert_int_eq(t.done, GROUP_QUEUE_MAX + 1);
        ck_assert_int_eq(t.largest, GROUP_MAX);
        ck_assert_int_eq(t.groups, GROUP_QUEUE_MAX / GROUP_MAX + 1);
        free(j);
    }
END_TEST

/* ---- a real file ---- */

static const struct db_schema schema = {
    .program = "test",
    .upgrade = "test upgrade",
    .mark = "kept",
    .tables = "CREATE TABLE kept (id INTEGER PRIMARY KEY CHECK (id <> 41)) STRICT;",
    .version = 1};

struct file {
    struct fake fake; /* who is told */
    struct db *d;
};

static enum tp_err file_begin(void *ctx, struct tp_error *e)
{
    const struct file *f = ctx;

    return db_begin(f->d, e);
}

static enum tp_err file_apply(void *ctx, struct group_job *entry, struct tp_error *e)
{
    const struct file *f = ctx;

    return db_exec(f->d, "INSERT INTO kept (id) VALUES ($1)",
                   DB_VALUES(db_integer(((struct job *)entry)->id)), NULL, e);
}

static enum tp_err file_commit(void *ctx, struct tp_error *e)
{
    const struct file *f = ctx;

    return db_commit(f->d, e);
}

static void file_rollback(void *ctx)
{
    const struct file *f = ctx;

    db_rollback(f->d);
}

START_TEST(a_real_file_keeps_all_but_the_bad_one)
    {
        struct file f = {.d = NULL};
        const struct group_ops ops = {&f,   file_begin, file_apply, file_commit, file_rollback,
                                      done, failed};
        char dir[] = "/tmp/telepay-group-XXXXXX", path[64];
        int64_t n = 0;

        setup(&f.fake);
        group_free(&f.fake.g);
        ck_assert_ptr_nonnull(mkdtemp(dir));
        snprintf(path, sizeof(path), "%s/t.db", dir);
        ck_ok(db_open(&f.d, path, &schema, DB_MAKE, &f.fake.e));
        ck_ok(group_new(&f.fake.g, &ops, &f.fake.e));
        run_all(&f.fake);
        for (int i = 0; i < JOBS; i++)
            ck_assert_int_eq(f.fake.job[i].why, i == 41 ? TP_ERR_RANGE : TP_OK);
        ck_ok(db_number(f.d, "SELECT count(*) FROM kept", DB_NONE, &n, NULL, &f.fake.e));
        ck_assert_int_eq(n, JOBS - 1);
        db_close(&f.d);
        for (const char *const *s = (const char *const[]){"", "-wal", "-shm", NULL}; *s != NULL;
             s++) {
            snprintf(path, sizeof(path), "%s/t.db%s", dir, *s);
            unlink(path);
        }
        rmdir(dir);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("group");
    TCase *c = tcase_create("group");

    tcase_add_test(c, one_transaction_a_group);
    tcase_add_loop_test(c, again_is_tried_again_whole, 0, 2);
    tcase_add_loop_test(c, again_without_end_is_a_disk_fault, 0, 2);
    tcase_add_loop_test(c, a_disk_fault_fails_all_at_once, 0, 3);
    tcase_add_loop_test(c, a_bad_job_takes_no_others_with_it, 0, 12);
    tcase_add_test(c, a_bad_commit_is_tried_one_by_one);
    tcase_add_test(c, a_disk_fault_ends_one_by_one);
    tcase_add_test(c, a_job_given_back_comes_again_alone_or_with_others);
    tcase_add_test(c, stopping_tries_what_was_given_back_once_more);
    tcase_add_test(c, stopping_works_off_what_waits);
    tcase_add_test(c, what_never_started_fails_untried);
    tcase_add_test(c, a_full_queue_refuses_at_once);
    tcase_add_test(c, a_real_file_keeps_all_but_the_bad_one);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
