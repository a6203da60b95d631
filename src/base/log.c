#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/date.h"
#include "base/text.h"
#include "base/word.h"

#define LINE_MAX_BYTES 1200
#define GATHER_NS      2000000 /* after a write, so that the next one is of many lines */
#define QUEUE_BYTES    (256 * 1024)

/* Set once at the start of a program, before any thread: the one piece of state a log needs. */
static const char *program = "telepay";
static enum log_level highest = LOG_LEVEL_NOTE;
static bool with_time;

/* A daemon's lines on their way to stderr. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t more, less;
    bool started, writing, idle; /* idle: the thread waits to be told of a line */
    size_t at, n;                /* what waits in the ring */
    unsigned long dropped;
    /* of log_stranger: lines that may be said now, when that was counted last, and those not said
     */
    unsigned allowance;
    int64_t counted_ms;
    unsigned long unsaid;
    char ring[QUEUE_BYTES];
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER,
           .more = PTHREAD_COND_INITIALIZER,
           .less = PTHREAD_COND_INITIALIZER,
           .allowance = LOG_STRANGER_BURST};

/* ---- lines ---- */

__attribute__((format(printf, 2, 0))) static size_t line_make(char line[LINE_MAX_BYTES],
                                                              const char *format, va_list ap)
{
    char text[1024], when[40] = "";

    if (with_time) {
        const time_t now = time(NULL);
        struct tm local;

        strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S%z ", localtime_r(&now, &local));
    }
    vsnprintf(text, sizeof(text), gettext(format), ap);
    word_make_shown(text); /* a peer's words, a name that was refused, one that was cut */
    const int n = snprintf(line, LINE_MAX_BYTES, "%s%.60s: %s\n", when, program, text);

    return n > 0 ? (size_t)n : 0;
}

__attribute__((format(printf, 2, 3))) static size_t line_of(char line[LINE_MAX_BYTES],
                                                            const char *format, ...)
{
    va_list ap;
    size_t n;

    va_start(ap, format);
    n = line_make(line, format, ap);
    va_end(ap);
    return n;
}

/* All of it, whether stderr blocks or not; what cannot be written at all is nobody's to hear of. */
static void write_out(const char *p, size_t n)
{
    while (n > 0) {
        const ssize_t done = write(STDERR_FILENO, p, n);
        struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};

        if (done > 0) {
            p += done;
            n -= (size_t)done;
        } else if (done < 0 && errno == EAGAIN) {
            (void)poll(&ready, 1, -1);
        } else if (done == 0 || errno != EINTR) {
            return;
        }
    }
}

/* ---- the queue; all under its lock ---- */

static void put_queued(const char *line, size_t n)
{
    if (n > sizeof(queue.ring) - queue.n) {
        queue.dropped++;
        return;
    }
    for (size_t i = 0; i < n; i++)
        queue.ring[(queue.at + queue.n + i) % sizeof(queue.ring)] = line[i];
    queue.n += n;
    if (queue.idle)
        pthread_cond_signal(&queue.more);
    queue.idle = false;
}

/* Gives log_stranger the lines that time has brought, and tells of those that were not said. */
static void strangers_count(void)
{
    char line[LINE_MAX_BYTES];
    const int64_t now = time_monotonic_ms(), due = (now - queue.counted_ms) / LOG_STRANGER_MS;

    if (due <= 0)
        return;
    queue.counted_ms = now;
    queue.allowance = due >= LOG_STRANGER_BURST - queue.allowance ? LOG_STRANGER_BURST
                                                                  : queue.allowance + (unsigned)due;
    if (queue.unsaid > 0) {
        queue.allowance--;
        put_queued(line, line_of(line, "%lu more lines about refused connections were not said",
                                 queue.unsaid));
        queue.unsaid = 0;
    }
}

static bool stranger_may_speak(void)
{
    strangers_count();
    if (queue.allowance > 0)
        queue.allowance--;
    else if (queue.unsaid++ == 0)
        pthread_cond_signal(
            &queue.more); /* the thread is to tell of it when nobody speaks any more */
    return queue.unsaid == 0;
}

/* Waits for lines; while some were left out, only until their count may be told. */
static void wait_for_lines(void)
{
    struct timespec until;

    queue.idle = true;
    if (queue.unsaid == 0) {
        pthread_cond_wait(&queue.more, &queue.lock);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;
    (void)pthread_cond_timedwait(&queue.more, &queue.lock, &until);
    strangers_count();
}

static size_t take(char *out, size_t cap)
{
    size_t n = sizeof(queue.ring) - queue.at;

    n = n < queue.n ? n : queue.n;
    n = n < cap ? n : cap;
    memcpy(out, queue.ring + queue.at, n);
    queue.at = (queue.at + n) % sizeof(queue.ring);
    queue.n -= n;
    return n;
}

static void *run(void *ctx)
{
    char out[4096];

    (void)ctx;
    pthread_mutex_lock(&queue.lock);
    for (;;) {
        size_t n;

        while (queue.n == 0 && queue.dropped == 0)
            wait_for_lines();
        n = take(out, sizeof(out));
        if (n == 0) {
            n = line_of(
                out, "%lu lines of this log were dropped: they were not read as fast as they came",
                queue.dropped);
            queue.dropped = 0;
        }
        queue.writing = true;
        pthread_mutex_unlock(&queue.lock);
        write_out(out, n);
        if (n < sizeof(out))
            nanosleep(&(struct timespec){0, GATHER_NS}, NULL);
        pthread_mutex_lock(&queue.lock);
        queue.writing = false;
        pthread_cond_broadcast(&queue.less);
    }
    return NULL;
}

/* At exit. */
static void flush(void)
{
    char line[LINE_MAX_BYTES];
    struct timespec until;
    int late = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LOG_FLUSH_MS / 1000;
    pthread_mutex_lock(&queue.lock);
    if (queue.unsaid > 0)
        put_queued(line, line_of(line, "%lu more lines about refused connections were not said",
                                 queue.unsaid));
    queue.unsaid = 0;
    while ((queue.n > 0 || queue.dropped > 0 || queue.writing) && late == 0)
        late = pthread_cond_timedwait(&queue.less, &queue.lock, &until);
    pthread_mutex_unlock(&queue.lock);
}

/* The thread takes no signals: they are those of the program's own. */
static bool queue_start(void)
{
    pthread_t thread;
    sigset_t all, before;
    bool started;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    started = pthread_create(&thread, NULL, run, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (started) {
        pthread_detach(thread);
        queue.counted_ms = time_monotonic_ms();
    }
    return started && atexit(flush) == 0;
}

/* ---- for all ---- */

void log_start(const char *name, enum log_level level, int daemon)
{
    program = name;
    highest = level;
    with_time = daemon;
    if (daemon && !queue.started)
        queue.started = queue_start();
}

__attribute__((format(printf, 3, 0))) static void put(enum log_level level, bool stranger,
                                                      const char *format, va_list ap)
{
    char line[LINE_MAX_BYTES];

    if (level > highest)
        return;
    const size_t n = line_make(line, format, ap);

    if (!queue.started) {
        fwrite(line, 1, n, stderr);
        return;
    }
    pthread_mutex_lock(&queue.lock);
    if (!stranger || stranger_may_speak())
        put_queued(line, n);
    pthread_mutex_unlock(&queue.lock);
}

void log_error(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    put(LOG_LEVEL_ERROR, false, format, ap);
    va_end(ap);
}

void log_note(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    put(LOG_LEVEL_NOTE, false, format, ap);
    va_end(ap);
}

void log_trace(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    put(LOG_LEVEL_TRACE, false, format, ap);
    va_end(ap);
}

void log_stranger(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    put(LOG_LEVEL_NOTE, true, format, ap);
    va_end(ap);
}
