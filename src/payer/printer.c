#include "payer/printer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/date.h"

#define PATIENCE_MS 10000 /* for the next byte that it takes */

/* A file is made where there is none, but none among the devices: it would take the tickets of a
 * printer that is not plugged in. */
static enum tp_err open_device(int *fd, const char *device, struct tp_error *e)
{
    const int make = strncmp(device, "/dev/", 5) == 0 ? 0 : O_CREAT;

    *fd = open(device, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | make, 0600);
    if (*fd >= 0)
        return TP_OK;
    return errno == ENXIO ? tp_fail(e, TP_ERR_IO, "%s: nothing reads from it", device)
                          : tp_fail(e, TP_ERR_IO, "%s: %s", device, strerror(errno));
}

/* Until it takes more. */
static enum tp_err wait_for(int fd, const char *device, struct tp_error *e)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    const int64_t end = time_monotonic_ms() + PATIENCE_MS;
    int n;

    do {
        const int64_t left = end - time_monotonic_ms();

        n = poll(&p, 1, left > 0 ? (int)left : 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return tp_fail(e, TP_ERR_IO, "%s: %s", device, strerror(errno));
    return n > 0 ? TP_OK
                 : tp_fail(e, TP_ERR_IO,
                           "%s does not take it: is the printer on, and has it paper?", device);
}

static enum tp_err write_all(int fd, const char *device, struct span bytes, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    while (r == TP_OK && bytes.n > 0) {
        const ssize_t n = write(fd, bytes.p, bytes.n);

        if (n > 0)
            bytes = span_of(bytes.p + n, bytes.n - (size_t)n);
        else if (n == 0 || errno == EAGAIN)
            r = wait_for(fd, device, e);
        else if (errno == ENOSPC)
            r = tp_fail(e, TP_ERR_IO, "%s is full, or the printer has no paper", device);
        else if (errno != EINTR)
            r = tp_fail(e, TP_ERR_IO, "%s: %s", device, strerror(errno));
    }
    return r;
}

enum tp_err printer_write(const char *device, struct span bytes, struct tp_error *e)
{
    int fd;
    enum tp_err r;

    signal(SIGPIPE, SIG_IGN); /* who reads a FIFO may leave */
    r = open_device(&fd, device, e);
    if (r != TP_OK)
        return r;
    r = write_all(fd, device, bytes, e);
    if (close(fd) != 0 && r == TP_OK)
        r = tp_fail(e, TP_ERR_IO, "%s: %s", device, strerror(errno));
    return r;
}
