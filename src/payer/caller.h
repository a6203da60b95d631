/* Who is at the other end of a connection within this machine. */
#ifndef TP_PAYER_CALLER_H
#define TP_PAYER_CALLER_H

#include <stdbool.h>
#include <sys/socket.h>

/* Whether the socket that is bound to that loopback address belongs to this process's user (or to
 * root), by the kernel's table of connections; false when it says nothing. */
bool caller_is_own(const struct sockaddr *caller);

#endif
