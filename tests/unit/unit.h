/* The main of a unit test: runs one Check suite, prints its line, exits 1 when a test failed.
 * Includes what every test needs. */
#ifndef TP_TESTS_UNIT_H
#define TP_TESTS_UNIT_H

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/span.h"

#define ck_ok(call) ck_assert_int_eq((call), TP_OK)

/* In a child that will be killed, before anything else: each assertion writes into the file in
 * which Check gathers a test's messages, and half a message there fails the whole program. All that
 * is open, but for stdin, stdout, stderr and `keep`, leads nowhere from now on. */
static inline void unit_leave_check(int keep)
{
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

    for (int fd = STDERR_FILENO + 1; fd < 256; fd++)
        if (fd != keep && fd != nowhere && fcntl(fd, F_GETFD) >= 0)
            (void)dup2(nowhere, fd);
}

/* The bytes of a literal of hex digits, in storage of the calling test's own. */
#define UNHEX(name, text)                                                                          \
    uint8_t name##_bytes[sizeof(text) / 2 + 1];                                                    \
    struct buf name##_buf = BUF_OF(name##_bytes);                                                  \
    ck_ok(hex_decode(&name##_buf, text));                                                          \
    const struct span name = buf_span(&name##_buf)

#define ck_hex(span_, text)                                                                        \
    do {                                                                                           \
        const struct span got_ = (span_);                                                          \
        char *have_ = malloc(2 * got_.n + 1);                                                      \
        ck_assert_ptr_nonnull(have_);                                                              \
        ck_assert_str_eq(hex_encode(have_, got_), (text));                                         \
        free(have_);                                                                               \
    } while (0)

#define UNIT_MAIN(suite_function)                                                                  \
    int main(void)                                                                                 \
    {                                                                                              \
        SRunner *runner = srunner_create(suite_function());                                        \
        srunner_run_all(runner, CK_NORMAL);                                                        \
        const int failed = srunner_ntests_failed(runner);                                          \
        srunner_free(runner);                                                                      \
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;                                          \
    }

#endif
