/* What every bench has: one JSON line a measured value, which tests/bench/report.c gathers; and
 * what is measured against a base: both by turns in one run, a ratio a round, of which the median
 * counts. What else the machine does strikes both sides of a round, and a round that it strikes on
 * one side only moves the spread and not the median. */
#ifndef TP_TESTS_BENCH_H
#define TP_TESTS_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BENCH_ROUNDS_MAX 128

static inline double bench_clock(clockid_t which)
{
    struct timespec t;

    clock_gettime(which, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds of this thread's own work: other processes of the machine do not count. */
static inline double bench_cpu_seconds(void)
{
    return bench_clock(CLOCK_THREAD_CPUTIME_ID);
}

static inline double bench_seconds(void)
{
    return bench_clock(CLOCK_MONOTONIC);
}

/* A number from the environment, above 0. */
static inline unsigned bench_setting(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);

    return text != NULL && atoi(text) > 0 ? (unsigned)atoi(text) : otherwise;
}

/* name, unit and note are texts without quotes; the value must be at least the limit, or at most
 * where the unit begins with "max ". */
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

/* ---- rounds ---- */

struct bench_rounds {
    double value[BENCH_ROUNDS_MAX];
    unsigned n;
};

static inline void bench_round(struct bench_rounds *r, double value)
{
    if (r->n < BENCH_ROUNDS_MAX)
        r->value[r->n++] = value;
}

static inline int bench_by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* The value below which `share` of the rounds lie: 0.5 is the median. */
static inline double bench_share(const struct bench_rounds *r, double share)
{
    struct bench_rounds sorted = *r;

    if (r->n == 0)
        return 0;
    qsort(sorted.value, r->n, sizeof(sorted.value[0]), bench_by_size);
    return sorted.value[(size_t)((double)(r->n - 1) * share + 0.5)];
}

/* The median of what was measured, in its unit; and what is limited, the median of its ratios to
 * the base, with their spread. */
static inline void bench_against(const char *name, const struct bench_rounds *values,
                                 const char *unit, const struct bench_rounds *ratios, double limit,
                                 const char *base)
{
    printf("{\"name\":\"%s\",\"value\":%.6g,\"unit\":\"%s\",\"limit\":%.6g,\"ratio\":%.6g,"
           "\"base_name\":\"%s; %u rounds, %.3g to %.3g (middle half %.3g to %.3g)\"}\n",
           name, bench_share(values, 0.5), unit, limit, bench_share(ratios, 0.5), base, ratios->n,
           bench_share(ratios, 0), bench_share(ratios, 1), bench_share(ratios, 0.25),
           bench_share(ratios, 0.75));
    fflush(stdout);
}

#endif
