/* What every bench has: one JSON line a measured value, which tests/bench/report.c gathers. */
#ifndef TP_TESTS_BENCH_H
#define TP_TESTS_BENCH_H

#include <stdio.h>
#include <time.h>

/* Seconds of this thread's own work: other processes of the machine do not count. */
static inline double bench_cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* name, unit and note are texts without quotes; the value must be at least the limit. */
static inline void bench_value(const char *name, double value, const char *unit, const char *note)
{
    printf("{\"name\":\"%s\",\"value\":%.6g,\"unit\":\"%s\",\"limit\":null,\"note\":\"%s\"}\n",
           name, value, unit, note);
    fflush(stdout);
}

static inline void bench_limited(const char *name, double value, const char *unit, double limit,
                                 const char *note)
{
    printf("{\"name\":\"%s\",\"value\":%.6g,\"unit\":\"%s\",\"limit\":%.6g,\"note\":\"%s\"}\n",
           name, value, unit, limit, note);
    fflush(stdout);
}

#endif
