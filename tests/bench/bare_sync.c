/* Bare fdatasyncs as a base. */
#include "bare_sync.h"

#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "bench.h"

#define SYNCS 100

double bare_sync_turn(const char *dir, double share)
{
    static const uint8_t page[4096] = {1};
    struct bench_rounds syncs = {0};
    char path[4096];
    int fd;

    snprintf(path, sizeof(path), "%s/sync", dir);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    for (unsigned i = 0; i < SYNCS; i++) {
        const double start = bench_seconds();

        if (fd < 0 || write(fd, page, sizeof(page)) != sizeof(page) || fdatasync(fd) != 0)
            abort();
        bench_round(&syncs, bench_seconds() - start);
    }
    close(fd);
    return bench_share(&syncs, share);
}
