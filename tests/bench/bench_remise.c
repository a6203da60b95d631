/* A remise of a million transactions (BENCH_REMISE: another count). Its document, built from the
 * books into a file as often as `xmllint --stream` reads that file, by turns (processor time of
 * either process). Then sent over HTTPS, checked, kept and answered, by the programs themselves:
 * transactions a second from the start of `telepay-acquirer collect` to its ticket, and the largest
 * resident memory of all that build, send or take it. */
#include "bench.h"

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acquirer/collecting.h"

#define ROUNDS    5
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

/* ---- the document ---- */

/* Waits for a child; the processor time that it took. */
static bool child_ended(pid_t pid, double *cpu, long *peak)
{
    struct rusage used;
    int status = -1;

    if (pid < 0 || wait4(pid, &status, 0, &used) != pid)
        return false;
    *cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    *peak = used.ru_maxrss;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static enum tp_err to_file(void *ctx, struct span bytes)
{
    return fwrite(bytes.p, 1, bytes.n, ctx) == bytes.n ? TP_OK : TP_ERR_IO;
}

/* In a process of its own, whose time and memory are those of the building. */
static int build_document(void)
{
    struct collector c;
    struct remise remise;
    struct tp_error e = {TP_OK, ""};
    FILE *f = fopen("remise.xml", "w");
    const struct caaa_sink sink = {to_file, f};
    enum tp_err r = f != NULL ? collecting_open(&c, "acq", &e) : TP_ERR_IO;

    if (r == TP_OK)
        r = c.books->get(c.of, CONTRACT, 1, &remise, &e);
    if (r == TP_OK)
        r = settle_document(&c, &remise, &sink, &e);
    if (r != TP_OK)
        fprintf(stderr, "bench_remise: %s\n", e.text);
    return r == TP_OK && fclose(f) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool close_remise(void)
{
    struct collector c;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r = collecting_open(&c, "acq", &e);

    if (r == TP_OK)
        r = collecting_close_due(&c, CONTRACT, true, &e);
    if (r != TP_OK)
        fprintf(stderr, "bench_remise: %s\n", e.text);
    collector_close(&c);
    return r == TP_OK;
}

static bool build_once(double *cpu, long *peak)
{
    const pid_t pid = fork();

    if (pid == 0)
        _exit(build_document());
    return child_ended(pid, cpu, peak);
}

static bool read_once(double *cpu)
{
    const pid_t pid = fork();
    long peak;

    if (pid == 0) {
        execlp("xmllint", "xmllint", "--stream", "--noout", "remise.xml", (char *)NULL);
        perror("bench_remise: xmllint (package libxml2-utils)");
        _exit(127);
    }
    return child_ended(pid, cpu, &peak);
}

static bool measure_building(long *peak)
{
    struct bench_rounds times = {0}, ratios = {0};

    *peak = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        double ours, theirs;
        long now;

        if (!build_once(&ours, &now) || !read_once(&theirs))
            return false;
        if (now > *peak)
            *peak = now;
        bench_round(&times, ours);
        bench_round(&ratios, ours / theirs);
    }
    bench_against("building a remise's document", &times, "max s", &ratios, 1.5,
                  "xmllint --stream of it");
    return run("rm -f remise.xml");
}

/* The collecting run: its time and largest memory. */
static bool collect(double *took, long *peak)
{
    char program[4096];
    struct rusage used;
    const double start = bench_seconds();
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
    *took = bench_seconds() - start;
    *peak = used.ru_maxrss;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
           run("grep -q 'collected: accepted' ticket");
}

int main(void)
{
    const char *wanted = getenv("BENCH_REMISE");
    const long count = wanted != NULL ? atol(wanted) : 1000000;
    pid_t centre = -1;
    long ours = 0, theirs = 0, building = 0;
    double took = 0;
    char note[200];
    bool good = false;

    build = getenv("TESTS_BUILDDIR");
    if (build == NULL || count < 1 || mkdtemp(work) == NULL || chdir(work) != 0) {
        fprintf(stderr, "bench_remise: run it with make bench\n");
        return 2;
    }
    good = set_up(&centre, count) && close_remise() && measure_building(&building) &&
           collect(&took, &ours);
    if (building > ours)
        ours = building;
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
