/* count_calls COMMAND…: runs it and all that it starts, and ends as it does. Then writes to
 * descriptor 9, in one line: how many files were opened, how often was waited for a disk (fsync,
 * fdatasync), whatever library did it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#define AT_A_CALL (SIGTRAP | 0x80) /* PTRACE_O_TRACESYSGOOD */
#define FOLLOWED                                                                                   \
    (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |      \
     PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)

static unsigned long opened, synced;

static void die(const char *what)
{
    perror(what);
    exit(125);
}

static pid_t start(char **command)
{
    const pid_t child = fork();

    if (child < 0)
        die("fork");
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0)
            die("ptrace");
        close(9);
        execvp(command[0], command);
        die(command[0]);
    }
    if (waitpid(child, NULL, 0) != child || ptrace(PTRACE_SETOPTIONS, child, NULL, FOLLOWED) != 0)
        die("ptrace");
    return child;
}

/* A call that waits for the disk counts at its begin, one that opens a file at its end. */
static void count(pid_t who)
{
    static unsigned long long called[1024]; /* by each, at its begin */
    struct ptrace_syscall_info i;
    unsigned long long *mine = &called[(unsigned)who % (sizeof(called) / sizeof(called[0]))];

    if (ptrace(PTRACE_GET_SYSCALL_INFO, who, sizeof(i), &i) <= 0)
        return;
    if (i.op == PTRACE_SYSCALL_INFO_ENTRY) {
        *mine = i.entry.nr;
        synced += *mine == SYS_fsync || *mine == SYS_fdatasync;
    } else if (i.op == PTRACE_SYSCALL_INFO_EXIT) {
        opened += *mine == SYS_openat && i.exit.is_error == 0;
    }
}

/* What it stopped with goes on to it, but what only we see. */
static int signal_of(pid_t who, int status)
{
    const int stopped = WSTOPSIG(status);

    if (stopped == AT_A_CALL)
        count(who);
    return stopped == AT_A_CALL || stopped == SIGTRAP || stopped == SIGSTOP ? 0 : stopped;
}

int main(int argc, char **argv)
{
    pid_t first, who;
    int status, code = 125;

    if (argc < 2)
        return 125;
    who = first = start(argv + 1);
    (void)ptrace(PTRACE_SYSCALL, first, NULL, 0);
    while ((who = waitpid(-1, &status, __WALL)) > 0) {
        if (WIFSTOPPED(status))
            (void)ptrace(PTRACE_SYSCALL, who, NULL, signal_of(who, status));
        else if (who == first && WIFEXITED(status))
            code = WEXITSTATUS(status);
    }
    if (dprintf(9, "opened=%lu synced=%lu\n", opened, synced) < 0)
        die("descriptor 9");
    return code;
}
