/* Put before every file that clang-tidy looks at (tests/check-style): it looks at one file at a
 * time, and must know that tp_fail gives back the code it is given, or it sees paths where a
 * failure is a success. */
#include "base/err.h"

#define tp_fail(e, code, ...) (tp_fail((e), (code), __VA_ARGS__), (code))
