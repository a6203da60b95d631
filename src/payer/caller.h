/* Who is at the other end of a connection within this machine. */
#ifndef TP_PAYER_CALLER_H
#define TP_PAYER_CALLER_H

#include <stdbool.h>

/* Whether the socket at the other end of that connection over TCP belongs to this process's user
 * (or to root), by the kernel's table of connections; false when it says nothing. */
bool caller_is_own(int connection);

#endif
