/* Whose address it is that somebody calls from: an IPv4 address is a network, of IPv6 a /64, which
 * is what one subscriber has (RFC 6177). */
#ifndef TP_WIRE_NETWORK_H
#define TP_WIRE_NETWORK_H

#include <netinet/in.h>
#include <sys/socket.h>

#define NETWORK_MAX INET6_ADDRSTRLEN

/* As text; an IPv4 address is the same within an IPv6 one. "unknown": of another family, or NULL.
 */
void network_of(char out[NETWORK_MAX], const struct sockaddr *from);

#endif
