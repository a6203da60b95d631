/* The disk under the acquirer fills up while terminals pay: 96, nothing of it kept, nothing
 * acknowledged lost; when there is room again the same server goes on. Then the disk is read-only:
 * the program says so and does not start. A small tmpfs in a mount namespace of one's own; skipped
 * (77) where none can be had. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acquirer/state.h"
#include "holds.h"
#include "office.h"

#define SKIP 77
static void write_file(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd >= 0) {
        if (write(fd, text, strlen(text)) < 0)
            perror(path);
        close(fd);
    }
}

static bool own_mounts(void)
{
    char map[64];
    const unsigned uid = getuid();

    if (uid == 0 && unshare(CLONE_NEWNS) == 0)
        return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return false;
    snprintf(map, sizeof(map), "0 %u 1", uid);
    write_file("/proc/self/uid_map", map);
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* Takes what room is left, but for `spare` bytes. */
static void fill(const char *path, size_t spare)
{
    static const uint8_t block[4096];
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    off_t size = 0;
    ssize_t n;

    HOLDS(fd >= 0);
    while ((n = write(fd, block, sizeof(block))) > 0)
        size += n;
    HOLDS(ftruncate(fd, size - (off_t)spare) == 0);
    close(fd);
}

static struct office office;
static struct signed_card card;
static struct made made;
static unsigned count;

static struct office_answer send_as(struct link_client *c, unsigned mti)
{
    struct office_answer a;

    MUST(office_exchange(&a, c, &made, mti, &office_error));
    return a;
}

static struct office_answer pay(struct link_client *c)
{
    const struct place where = {OFFICE_CONTRACT, OFFICE_TERMINAL, ++count, OFFICE_MCC};
    struct terms t;

    terms_usual(&t, &card, (uint16_t)count);
    MUST(made_payment(&made, &office.signer, &card, &t, &t, &where));
    return send_as(c, MTI_FINANCIAL);
}

static unsigned in_the_books(void)
{
    struct office_books b;

    office_books(&office, &b);
    HOLDS(b.transactions == b.totals.debits);
    return b.transactions;
}

static void fills_up_and_recovers(const char *filler)
{
    struct link_client *c;
    unsigned kept = 0;

    office_spawn(&office, 1);
    c = office_connect(&office, OFFICE_CONTRACT, OFFICE_TERMINAL);
    HOLDS(kill(office.pid, SIGHUP) == 0); /* ignored: it ends nothing */
    for (unsigned round = 0; round < 3; round++) {
        struct office_answer a;

        fill(filler, 256 * 1024);
        while (strcmp((a = pay(c)).code, "00") == 0)
            kept++;
        HOLDS(strcmp(a.code, "96") == 0);
        for (unsigned i = 0; i < 5; i++) /* still full */
            HOLDS(strcmp(send_as(c, MTI_FINANCIAL_REPEAT).code, "96") == 0);
        HOLDS(unlink(filler) == 0);
        HOLDS(in_the_books() == kept);
        HOLDS(strcmp(send_as(c, MTI_FINANCIAL_REPEAT).code, "00") ==
              0); /* the one refused, asked again */
        HOLDS(strcmp(pay(c).code, "00") == 0);
        kept += 2;
        HOLDS(in_the_books() == kept);
    }
    link_close(&c);
    office_kill(&office, SIGKILL); /* what was acknowledged is there without a clean end */
    HOLDS(in_the_books() == kept);
    printf("acquirer_full_disk: %u payments kept around three full disks\n", kept);
}

/* Runs serve, which is to refuse with this exit code and these words. */
static void does_not_start(int code, const char *words)
{
    char program[512], said[1024] = "";
    const char *top = getenv("TESTS_BUILDDIR");
    int status = 0, err[2];
    size_t n = 0;
    ssize_t got;
    pid_t pid;

    snprintf(program, sizeof(program), "%s/telepay-acquirer", top != NULL ? top : ".");
    HOLDS(pipe(err) == 0);
    pid = fork();
    if (pid == 0) {
        dup2(err[1], STDERR_FILENO);
        execl(program, program, "serve", "--dir", office.dir, "--listen", "127.0.0.1:0",
              (char *)NULL);
        _exit(127);
    }
    close(err[1]);
    while (n < sizeof(said) - 1 && (got = read(err[0], said + n, sizeof(said) - 1 - n)) > 0)
        n += (size_t)got;
    close(err[0]);
    HOLDS(waitpid(pid, &status, 0) == pid);
    HOLDS(WIFEXITED(status) && WEXITSTATUS(status) == code);
    HOLDS(strstr(said, "ledger.db") != NULL && strstr(said, words) != NULL);
}

static void full_at_start(const char *filler)
{
    fill(filler, 0);
    does_not_start(74, "is full: make room"); /* CLI_DISK: see the man page */
    HOLDS(unlink(filler) == 0);
}

static void read_only(const char *dir)
{
    HOLDS(mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
    does_not_start(74, "read-only");
    HOLDS(mount(NULL, dir, NULL, MS_REMOUNT, NULL) == 0);
}

int main(void)
{
    char dir[] = "/tmp/full.XXXXXX", filler[64];

    if (!own_mounts()) {
        fprintf(stderr, "acquirer_full_disk: no mount namespace can be had here: skipped\n");
        return SKIP;
    }
    HOLDS(mkdtemp(dir) != NULL);
    if (mount("tmpfs", dir, "tmpfs", 0, "size=12m") != 0) {
        rmdir(dir);
        return SKIP;
    }
    snprintf(filler, sizeof(filler), "%s/filler", dir);
    office_make(&office, dir, 1);
    MUST(signer_card(&card, &office.signer, 1));
    fills_up_and_recovers(filler);
    full_at_start(filler);
    read_only(dir);
    office_remove(&office);
    umount(dir);
    rmdir(dir);
    return 0;
}
