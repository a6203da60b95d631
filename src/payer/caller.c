#include "payer/caller.h"

#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define END_MAX     64
#define ESTABLISHED 1 /* TCP_ESTABLISHED */

/* proc_pid_net(5): sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid …
 * Both ends count, since anybody may open a connection from an address and a port that another's
 * socket has too. A socket that its owner has closed is nobody's any more, and is listed with
 * uid 0: only one that is open says whose it is. */
static bool find_owner(const char *table, const char *near, const char *far, unsigned *uid)
{
    FILE *f = fopen(table, "re");
    char line[512], local[END_MAX], remote[END_MAX];
    unsigned found = 0, state = 0;
    bool is_there = false;

    if (f == NULL)
        return false;
    while (!is_there && fgets(line, sizeof(line), f) != NULL)
        if (sscanf(line, " %*u: %63s %63s %x %*s %*s %*s %u", local, remote, &state, &found) == 4 &&
            state == ESTABLISHED && strcmp(local, near) == 0 && strcmp(remote, far) == 0) {
            *uid = found;
            is_there = true;
        }
    fclose(f);
    return is_there;
}

/* As that table has it. */
static void write_end(char out[END_MAX], const struct sockaddr_storage *at)
{
    struct sockaddr_in6 six;
    struct sockaddr_in four;
    uint32_t words[4];

    memcpy(&six, at, sizeof(six));
    memcpy(&four, at, sizeof(four));
    memcpy(words, &six.sin6_addr, sizeof(words));
    if (at->ss_family == AF_INET6)
        snprintf(out, END_MAX, "%08X%08X%08X%08X:%04X", words[0], words[1], words[2], words[3],
                 ntohs(six.sin6_port));
    else
        snprintf(out, END_MAX, "%08X:%04X", four.sin_addr.s_addr, ntohs(four.sin_port));
}

bool caller_is_own(int connection)
{
    struct sockaddr_storage caller = {0}, here = {0};
    socklen_t caller_n = sizeof(caller), here_n = sizeof(here);
    char its[END_MAX], ours[END_MAX];
    unsigned uid = 0;

    if (getpeername(connection, (struct sockaddr *)&caller, &caller_n) != 0 ||
        getsockname(connection, (struct sockaddr *)&here, &here_n) != 0)
        return false;
    write_end(its, &caller);
    write_end(ours, &here);
    return find_owner(caller.ss_family == AF_INET6 ? "/proc/net/tcp6" : "/proc/net/tcp", its, ours,
                      &uid) &&
           (uid == geteuid() || uid == 0);
}
