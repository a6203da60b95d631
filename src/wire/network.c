#include "wire/network.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

void network_of(char out[NETWORK_MAX], const struct sockaddr *from)
{
    struct in6_addr net;

    snprintf(out, NETWORK_MAX, "unknown");
    if (from == NULL)
        return;
    if (from->sa_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)from)->sin_addr, out,
                  NETWORK_MAX);
    } else if (from->sa_family == AF_INET6) {
        net = ((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&net)) {
            inet_ntop(AF_INET, net.s6_addr + 12, out, NETWORK_MAX);
            return;
        }
        memset(net.s6_addr + 8, 0, 8);
        inet_ntop(AF_INET6, &net, out, NETWORK_MAX);
    }
}
