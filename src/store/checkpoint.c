/* A checkpoint within a commit keeps everybody waiting who pays meanwhile, ten times as long as the
 * commit itself: here a thread of its own writes what the log holds into the file while the writer
 * goes on. But the log begins anew only when nothing is left in it, and the writer always adds: so
 * the thread goes over it until only the latest is left, and the writer does that last piece. */
#include "store/checkpoint.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_DUE  8000  /* of the log, a page each: then it is time */
#define FRAMES_FEW  100   /* left of it, which the writer does itself */
#define FRAMES_MUCH 60000 /* the thread does not keep up: all waits for the disk anyway */
#define PASSES      8     /* over the log, at most */

struct checkpoint {
    sqlite3 *writer;
    char *path;
    pthread_t thread;
    bool started;
    int frames; /* in the log after the last commit */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool due, few, stop; /* under lock: the thread is to work; it has worked; it is to end */
};

/* What is left then is what came during the last pass. */
static void pass_over(sqlite3 *db)
{
    int before = 0;

    for (int i = 0; i < PASSES; i++) {
        int log = 0, done = 0;

        if (sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_PASSIVE, &log, &done) !=
                SQLITE_OK ||
            done - before <= FRAMES_FEW)
            return;
        before = done;
    }
}

static void *run(void *ctx)
{
    struct checkpoint *k = ctx;
    sqlite3 *db = NULL;

    /* A connection that has read nothing has no log: a checkpoint of it does nothing, and succeeds.
     */
    if (sqlite3_open_v2(k->path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
            SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA schema_version", NULL, NULL, NULL) != SQLITE_OK) {
        sqlite3_close(db);
        db = NULL; /* the writer does all of it */
    }
    pthread_mutex_lock(&k->lock);
    while (!k->stop) {
        if (!k->due) {
            pthread_cond_wait(&k->wake, &k->lock);
            continue;
        }
        pthread_mutex_unlock(&k->lock);
        if (db != NULL)
            pass_over(db);
        pthread_mutex_lock(&k->lock);
        k->due = false;
        k->few = true;
    }
    pthread_mutex_unlock(&k->lock);
    sqlite3_close(db);
    return NULL;
}

/* True: the writer is to do what is left. */
static bool take_turn(struct checkpoint *k, int frames)
{
    bool mine;

    pthread_mutex_lock(&k->lock);
    if (!k->started)
        k->started = pthread_create(&k->thread, NULL, run, k) == 0;
    mine = k->few || frames >= FRAMES_MUCH || !k->started;
    k->few = false;
    if (!mine && !k->due) {
        k->due = true;
        pthread_cond_signal(&k->wake);
    }
    pthread_mutex_unlock(&k->lock);
    return mine;
}

/* After each commit, on the writer's thread. What fails here fails again, and is told, when the log
 * finds no room: the commit itself is kept. */
static int on_commit(void *ctx, sqlite3 *db, const char *name, int frames)
{
    struct checkpoint *k = ctx;

    k->frames = frames;
    if (frames >= FRAMES_DUE && take_turn(k, frames))
        (void)sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return SQLITE_OK;
}

struct checkpoint *checkpoint_watch(sqlite3 *db, const char *path)
{
    struct checkpoint *k = calloc(1, sizeof(*k));

    if (k == NULL || (k->path = strdup(path)) == NULL) {
        free(k);
        return NULL;
    }
    k->writer = db;
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->wake, NULL);
    (void)sqlite3_wal_hook(db, on_commit, k);
    return k;
}

int checkpoint_frames(const struct checkpoint *k)
{
    return k != NULL ? k->frames : 0;
}

void checkpoint_end(struct checkpoint **out)
{
    struct checkpoint *k = *out;

    if (k == NULL)
        return;
    (void)sqlite3_wal_hook(k->writer, NULL, NULL);
    pthread_mutex_lock(&k->lock);
    k->stop = true;
    pthread_cond_signal(&k->wake);
    pthread_mutex_unlock(&k->lock);
    if (k->started)
        pthread_join(k->thread, NULL);
    pthread_cond_destroy(&k->wake);
    pthread_mutex_destroy(&k->lock);
    free(k->path);
    free(k);
    *out = NULL;
}
