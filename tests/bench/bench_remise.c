/* A remise of a million transactions (BENCH_REMISE: another count): built, sent over HTTPS,
 * checked, kept and answered, by the programs themselves. States transactions a second from the
 * start of `telepay-acquirer collect` to its ticket, and the largest resident memory of both
 * processes. */
#include "bench.h"

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_KIB (64 * 1024)
#define CONTRACT  "000000000000123"

static char work[] = "/tmp/bench_remise.XXXXXX";
static const char *build;

static bool run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool run(const char *format, ...)
{
    char command[4096];
    va_list ap;

    va_start(ap, format);
    vsnprintf(command, sizeof(command), format, ap);
    va_end(ap);
    if (system(command) == 0)
        return true;
    fprintf(stderr, "bench_remise: fails: %s\n", command);
    return false;
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The centre, listening; its port. */
static pid_t start_centre(unsigned *port)
{
    char program[4096], line[200] = "";
    int out[2];
    FILE *f;
    pid_t pid;

    if (pipe(out) != 0)
        return -1;
    snprintf(program, sizeof(program), "%s/telepay-centre", build);
    pid = fork();
    if (pid == 0) {
        dup2(out[1], 1);
        close(out[0]);
        close(out[1]);
        execl(program, program, "serve", "--dir", "centre", "--listen", "127.0.0.1:0",
              (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    f = fdopen(out[0], "r");
    if (f == NULL || fgets(line, sizeof(line), f) == NULL || strrchr(line, ':') == NULL)
        return -1;
    *port = (unsigned)atoi(strrchr(line, ':') + 1);
    fclose(f);
    return pid;
}

static long peak_of(pid_t pid)
{
    char path[64], line[200];
    long kib = -1;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        if (sscanf(line, "VmHWM: %ld kB", &kib) == 1)
            break;
    if (f != NULL)
        fclose(f);
    return kib;
}

static bool set_up(pid_t *centre, long count)
{
    unsigned port = 0;

    if (!run("%s/telepay-acquirer init acq >/dev/null", build) ||
        !run("%s/telepay-acquirer contract add --dir acq --id " CONTRACT
             " --name Bench --mcc 5942 --currency EUR >/dev/null",
             build) ||
        !run("%s/telepay-acquirer terminal add --dir acq --contract " CONTRACT
             " --id 00000001 --out term >/dev/null",
             build) ||
        !run("%s/telepay-centre init centre >/dev/null", build))
        return false;
    *centre = start_centre(&port);
    return *centre > 0 &&
           run("%s/telepay-centre acquirer add --dir centre --id ACQ-1 --out acq/centre --url "
               "https://127.0.0.1:%u >/dev/null",
               build, port) &&
           run("%s/tests/tools/ledger_fill acq " CONTRACT " 00000001 %ld 1 10 >/dev/null", build,
               count);
}

/* The collecting run: its time and largest memory. */
static bool collect(double *took, long *peak)
{
    char program[4096];
    struct rusage used;
    const double start = seconds();
    int status = -1;
    pid_t pid;

    snprintf(program, sizeof(program), "%s/telepay-acquirer", build);
    pid = fork();
    if (pid == 0) {
        if (freopen("ticket", "w", stdout) == NULL)
            _exit(127);
        execl(program, program, "collect", "--dir", "acq", "--now", "--attempts", "1",
              (char *)NULL);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &used) != pid)
        return false;
    *took = seconds() - start;
    *peak = used.ru_maxrss;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
           run("grep -q 'collected: accepted' ticket");
}

int main(void)
{
    const char *wanted = getenv("BENCH_REMISE");
    const long count = wanted != NULL ? atol(wanted) : 1000000;
    pid_t centre = -1;
    long ours = 0, theirs = 0;
    double took = 0;
    char note[200];
    bool good = false;

    build = getenv("TESTS_BUILDDIR");
    if (build == NULL || count < 1 || mkdtemp(work) == NULL || chdir(work) != 0) {
        fprintf(stderr, "bench_remise: run it with make bench\n");
        return 2;
    }
    good = set_up(&centre, count) && collect(&took, &ours);
    theirs = centre > 0 ? peak_of(centre) : -1;
    if (centre > 0) {
        kill(centre, SIGTERM);
        waitpid(centre, NULL, 0);
    }
    if (chdir("/") != 0)
        good = false;
    (void)run("rm -rf %s", work);
    if (!good || theirs < 0)
        return 1;
    snprintf(note, sizeof(note), "a remise of %ld, from books to ticket in %.1f s", count, took);
    bench_value("remise transactions per second", (double)count / took, "/s", note);
    snprintf(note, sizeof(note), "64 MiB over the larger peak: acquirer %.1f MiB, centre %.1f MiB",
             (double)ours / 1024, (double)theirs / 1024);
    bench_limited("remise memory", (double)LIMIT_KIB / (double)(ours > theirs ? ours : theirs),
                  "ratio", 1, note);
    return 0;
}
