#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

/* Set once at the start of a program, before any thread: the one piece of state a log needs. */
static const char *program = "telepay";
static enum log_level highest = LOG_LEVEL_NOTE;
static int with_time;

void log_start(const char *name, enum log_level level, int daemon)
{
    program = name;
    highest = level;
    with_time = daemon;
}

__attribute__((format(printf, 2, 0))) static void put(enum log_level level, const char *format, va_list ap)
{
    char line[1024], when[40] = "";

    if (level > highest)
        return;
    if (with_time) {
        const time_t now = time(NULL);
        struct tm local;

        strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S%z ", localtime_r(&now, &local));
    }
    vsnprintf(line, sizeof(line), format, ap);
    fprintf(stderr, "%s%s: %s\n", when, program, line);
}

void log_error(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    put(LOG_LEVEL_ERROR, format, ap);
    va_end(ap);
}

void log_note(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    put(LOG_LEVEL_NOTE, format, ap);
    va_end(ap);
}

void log_trace(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    put(LOG_LEVEL_TRACE, format, ap);
    va_end(ap);
}
