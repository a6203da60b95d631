#include "payer/caller.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ESTABLISHED 1 /* TCP_ESTABLISHED */

/* proc_pid_net(5): sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid …
 * A socket that its owner has closed is nobody's any more, and is listed with uid 0: only one that
 * is open says whose it is. */
static bool find_owner(const char *table, const char *address, unsigned *uid)
{
    FILE *f = fopen(table, "re");
    char line[512], local[64];
    unsigned found = 0, state = 0;
    bool is_there = false;

    if (f == NULL)
        return false;
    while (!is_there && fgets(line, sizeof(line), f) != NULL)
        if (sscanf(line, " %*u: %63s %*s %x %*s %*s %*s %u", local, &state, &found) == 3 &&
            state == ESTABLISHED && strcmp(local, address) == 0) {
            *uid = found;
            is_there = true;
        }
    fclose(f);
    return is_there;
}

bool caller_is_own(const struct sockaddr *caller)
{
    char address[64];
    unsigned uid = 0;
    bool found = false;

    if (caller->sa_family == AF_INET) {
        const struct sockaddr_in *a = (const struct sockaddr_in *)(const void *)caller;

        snprintf(address, sizeof(address), "%08X:%04X", a->sin_addr.s_addr, ntohs(a->sin_port));
        found = find_owner("/proc/net/tcp", address, &uid);
    } else if (caller->sa_family == AF_INET6) {
        const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)(const void *)caller;
        uint32_t words[4];

        memcpy(words, &a->sin6_addr, sizeof(words));
        snprintf(address, sizeof(address), "%08X%08X%08X%08X:%04X", words[0], words[1], words[2],
                 words[3], ntohs(a->sin6_port));
        found = find_owner("/proc/net/tcp6", address, &uid);
    }
    return found && (uid == geteuid() || uid == 0);
}
